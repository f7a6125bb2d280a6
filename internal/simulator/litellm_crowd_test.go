package simulator

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// heldCrowd is the page of a crowd as the writer of all other pages writes it.
func heldCrowd(c LiteLLMCrowd) string {
	names := &crowdWriter{crowd: c}
	for m := range c.Models {
		names.models = append(names.models, LiteLLMHash("model-"+itoa(m)))
	}
	var p page
	for _, f := range c.families() {
		var all []series
		for i := range c.Callers {
			s := series{value: c.count(i), created: time.Unix(1_772_366_400, int64(i)*1000)}
			for _, name := range f.labels {
				s.labels = append(s.labels, label{name, names.value(name, i)})
			}
			if f.kind == kindHistogram {
				s.hist = newHistogram(f.bounds)
				s.hist.observe(f.bounds[i%len(f.bounds)], int(c.count(i)))
			}
			all = append(all, s)
		}
		p.family(f.name, f.kind, f.help, all)
	}
	return p.String()
}

func crowdPage(t *testing.T, c LiteLLMCrowd) string {
	t.Helper()
	var b bytes.Buffer
	n, err := c.WriteTo(&b)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	return b.String()
}

// TestLiteLLMCrowd: what is streamed is what would have been held.
func TestLiteLLMCrowd(t *testing.T) {
	for _, version := range LiteLLMVersions() {
		c := LiteLLMCrowd{Version: version, Callers: 9, Models: 3, Read: 2}
		page := crowdPage(t, c)
		require.Equal(t, heldCrowd(c), page, version)
		p := parse(t, []byte(page))
		assert.Len(t, p.values, c.Lines()*c.Callers)
		assert.Equal(t, c.Total(), p.sum(t, "litellm_proxy_total_requests_metric_total"))
		assert.Equal(t, c.Total(), p.sum(t, "litellm_request_total_latency_metric_count"))
		assert.Equal(t, page, crowdPage(t, c), "the same again")
	}
	keys := LiteLLMCrowd{Callers: 5, Models: 12, Families: []string{"litellm_spend_metric", "litellm_remaining_api_key_budget_metric"}}
	assert.Equal(t, 3, keys.Lines())
	assert.Equal(t, heldCrowd(keys), crowdPage(t, keys))
	for _, wrong := range []LiteLLMCrowd{{Families: []string{"litellm_total_users"}}, {Families: []string{"litellm_spend_metric", "none"}}, {Version: "0.1"}} {
		assert.Panics(t, func() { wrong.Lines() })
	}
}

// TestLiteLLMCrowdOfAMillion: a million keys and half as many users take no memory.
func TestLiteLLMCrowdOfAMillion(t *testing.T) {
	const n = 1_000_000
	c := LiteLLMCrowd{Callers: n, Families: []string{"litellm_remaining_api_key_budget_metric"}}
	server := serve(t, c.Handler(http.NotFoundHandler()))
	resp, err := http.Get(server.URL + "/metrics/")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", resp.Header.Get("Content-Type"))
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	lines, most := 0, uint64(0)
	scan := bufio.NewScanner(resp.Body)
	for scan.Scan() {
		if lines++; lines%100_000 == 0 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse)
		}
	}
	require.NoError(t, scan.Err())
	assert.Equal(t, n+2, lines)
	assert.Less(t, most, before.HeapInuse+32<<20)
}

// TestLiteLLMCrowdMoves: counters rise from read to read, and other paths are those of the proxy.
func TestLiteLLMCrowdMoves(t *testing.T) {
	c := LiteLLMCrowd{Callers: 10, Families: []string{"litellm_spend_metric"}}
	h := c.Handler(NewLiteLLM(LiteLLMConfig{}).Handler())
	for read := 1; read <= 3; read++ {
		_, body := get(t, h, "/metrics/", "")
		assert.Equal(t, float64(read)*c.Total(), parse(t, []byte(body)).sum(t, "litellm_spend_metric_total"))
	}
	_, body := get(t, h, "/health/liveliness", "")
	assert.Equal(t, `"I'm alive!"`, body)
}

// shut is a reader that has gone after so many bytes.
type shut struct{ left int }

var errShut = errors.New("gone")

func (s *shut) Write(b []byte) (int, error) {
	if s.left -= len(b); s.left < 0 {
		return 0, errShut
	}
	return len(b), nil
}

// TestLiteLLMCrowdIsLeft: when the reader goes, nothing more is made.
func TestLiteLLMCrowdIsLeft(t *testing.T) {
	for _, families := range [][]string{{"litellm_request_total_latency_metric"}, {"litellm_spend_metric"}} {
		n, err := LiteLLMCrowd{Callers: 1 << 40, Families: families}.WriteTo(&shut{left: 1 << 20})
		require.ErrorIs(t, err, errShut)
		assert.Less(t, n, int64(2<<20))
	}
	_, err := LiteLLMCrowd{Callers: 1, Families: []string{"litellm_spend_metric"}}.WriteTo(&shut{})
	require.ErrorIs(t, err, errShut, "at the end")
	assert.NotEmpty(t, strings.TrimSpace(crowdPage(t, LiteLLMCrowd{Callers: 1})))
	_, err = LiteLLMCrowd{Callers: 1}.WriteTo(io.Discard)
	require.NoError(t, err)
}

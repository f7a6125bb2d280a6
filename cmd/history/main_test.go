package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shippedConfig = "../../configs/otelcol-llm.yaml,../../configs/overlays/synthetic.yaml"

// anyPorts lets the site listen where nobody else does.
func anyPorts(t *testing.T) {
	t.Helper()
	for _, name := range []string{"SYNTHETIC_VLLM", "SYNTHETIC_LITELLM", "SYNTHETIC_LANGFUSE"} {
		t.Setenv(name, "")
	}
}

// sample is one of a series.
type sample struct {
	at time.Time
	v  float64
}

// stored are the samples of the series that match, by the text of their labels.
func stored(t *testing.T, folder string, matchers ...*labels.Matcher) map[string][]sample {
	t.Helper()
	db, err := tsdb.OpenDBReadOnly(folder, "", nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	blocks, err := db.Blocks()
	require.NoError(t, err)
	found := make(map[string][]sample)
	for _, block := range blocks {
		q, err := tsdb.NewBlockQuerier(block, math.MinInt64, math.MaxInt64)
		require.NoError(t, err)
		set := q.Select(t.Context(), false, nil, matchers...)
		for set.Next() {
			s := set.At()
			it := s.Iterator(nil)
			for it.Next() == chunkenc.ValFloat {
				ms, v := it.At()
				found[s.Labels().String()] = append(found[s.Labels().String()], sample{time.UnixMilli(ms).UTC(), v})
			}
			require.NoError(t, it.Err())
		}
		require.NoError(t, set.Err())
		require.NoError(t, q.Close())
	}
	return found
}

func equal(name, v string) *labels.Matcher { return labels.MustNewMatcher(labels.MatchEqual, name, v) }

func named(name string) *labels.Matcher { return equal(labels.MetricName, name) }

// TestHistory: an hour of the past, as Prometheus would have stored it.
func TestHistory(t *testing.T) {
	folder, temporary := filepath.Join(t.TempDir(), "data"), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("SYNTHETIC_DIR", "/run/demo")
	anyPorts(t)
	usual := progress
	progress = 0
	t.Cleanup(func() { progress = usual })
	var screen bytes.Buffer
	require.NoError(t, command(t.Context(), []string{
		"-days", "0.0417", "-step", "2m", "-until", "2026-03-02T10:01:00Z", "-out", folder, "-config", shippedConfig, "-incidents", "0", "-host", "gpu-1",
	}, &screen))
	assert.Contains(t, screen.String(), "2026-03-02T09:00:00Z to 2026-03-02T10:00:00Z", "in whole steps")

	assert.Regexp(t, `2026-03-02 09:30 +50 %, \d+ series, some \d+s left`, screen.String())

	up := stored(t, folder, named("vllm_up"), equal("service_instance_id", "vllm-llama-70b"))
	require.Len(t, up, 1)
	for series, samples := range up {
		assert.Contains(t, series, `job="vllm"`, "its own, as with honor_labels")
		assert.Contains(t, series, `host_name="gpu-1"`)
		assert.Contains(t, series, `container_name="vllm-llama-70b"`)
		require.Len(t, samples, 30)
		for i, s := range samples {
			assert.Equal(t, sample{time.Date(2026, 3, 2, 9, 2*i, 0, 0, time.UTC), 1}, s)
		}
	}
	power := stored(t, folder, named("hw_power_watts"))
	assert.Len(t, power, 8)
	for series := range power {
		assert.Contains(t, series, `instance="localhost:8889"`, "that of the target")
		assert.Contains(t, series, `job="otelcol-llm"`)
		assert.NotContains(t, series, "otel_scope_name=\"github")
	}
	for series, samples := range stored(t, folder, named("litellm_tokens_input_total"), equal("gen_ai_request_model", "coder")) {
		for i := range samples[1:] {
			assert.GreaterOrEqual(t, samples[i+1].v, samples[i].v, "%s only grows", series)
		}
	}
	for _, name := range []string{"system_cpu_time_seconds_total", "container_cpu_usage_nanoseconds_total", "container_info", "langfuse_traces_total", "llm_model_gpu_ratio"} {
		assert.NotEmpty(t, stored(t, folder, named(name)), name)
	}
	catalog := stored(t, folder, named("llm_model_info"), equal("gen_ai_request_model", "coder"))
	require.NotEmpty(t, catalog)
	for series := range catalog {
		assert.NotContains(t, series, "container_id", "names, not ids")
	}
	assert.Len(t, stored(t, folder, named("docker_up"), equal("docker_endpoint", "unix:///run/demo/docker.sock")), 1, "as in a demo")
	assert.Empty(t, stored(t, folder, labels.MustNewMatcher(labels.MatchNotEqual, "container_id", "")))
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left, "nothing of the site is left")
}

// TestEnds: a series that goes from the page ends with a marker, and one that is on it
// only with an old point counts as gone once it is too old.
func TestEnds(t *testing.T) {
	folder := t.TempDir()
	b := newBlocks(folder)
	s := newScrape(&options{job: "j", target: "t:1"}, 12*time.Minute)
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	page := func(lines ...string) []byte {
		var all bytes.Buffer
		for _, l := range lines {
			all.WriteString(l + "\n")
		}
		return all.Bytes()
	}
	old := func(series, v string, d time.Duration) string {
		return series + " " + v + " " + strconv.FormatInt(start.Add(d).UnixMilli(), 10)
	}
	steps := [][]byte{
		page(old(`a{x="1"}`, "1", 0), old(`b`, "5", 0)),
		page(old(`a{x="1"}`, "2", 5*time.Minute), old(`b`, "5", 0)),
		page(old(`a{x="1"}`, "3", 10*time.Minute), old(`b`, "5", 0)),
		page(old(`a{x="1"}`, "4", 15*time.Minute), old(`b`, "5", 0)),
		page(old(`b`, "6", 20*time.Minute)),
	}
	for i, p := range steps {
		require.NoError(t, s.store(t.Context(), p, start.Add(time.Duration(i)*5*time.Minute), b))
	}
	require.NoError(t, b.flush(t.Context()))
	values := func(name string) (list []float64) {
		for series, samples := range stored(t, folder, named(name)) {
			assert.Contains(t, series, `instance="t:1"`)
			for _, s := range samples {
				if value.IsStaleNaN(s.v) {
					s.v = -1
				}
				list = append(list, s.v)
			}
		}
		return list
	}
	assert.Equal(t, []float64{1, 2, 3, 4, -1}, values("a"))
	assert.Equal(t, []float64{5, 5, 5, -1, 6}, values("b"), "it expires after twelve minutes and comes back")

	assert.ErrorContains(t, s.store(t.Context(), []byte("{nonsense"), start.Add(time.Hour), b), "the page of the exporter")
	require.NoError(t, b.close(t.Context()))
}

// TestBlocks: each begins where Prometheus would begin one.
func TestBlocks(t *testing.T) {
	folder := t.TempDir()
	b := newBlocks(folder)
	s := newScrape(&options{}, time.Hour)
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 9 {
		require.NoError(t, s.store(t.Context(), []byte("a 1\n"), start.Add(time.Duration(i)*6*time.Hour), b))
	}
	require.NoError(t, b.flush(t.Context()))
	db, err := tsdb.OpenDBReadOnly(folder, "", nil)
	require.NoError(t, err)
	readers, err := db.Blocks()
	require.NoError(t, err)
	assert.Len(t, readers, b.written)
	assert.GreaterOrEqual(t, len(readers), 3)
	size := blockDuration.Milliseconds()
	for _, r := range readers {
		assert.Equal(t, r.Meta().MinTime/size, (r.Meta().MaxTime-1)/size, "within one period")
	}
	require.NoError(t, db.Close())
	samples := 0
	for _, list := range stored(t, folder, named("a")) {
		samples += len(list)
	}
	assert.Equal(t, 9, samples)
	require.NoError(t, b.flush(t.Context()), "nothing is open")
	require.NoError(t, b.close(t.Context()))
}

// TestWrong: what cannot be done says what to change.
func TestWrong(t *testing.T) {
	anyPorts(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for want, arguments := range map[string][]string{
		"-step must be whole seconds":       {"-step", "6m"},
		"not 1.5s":                          {"-step", "1.5s"},
		"-days must be above 0":             {"-days", "0"},
		"not NaN":                           {"-days", "NaN"},
		"-incidents must be from 0":         {"-incidents", "-1"},
		"-until must be a time":             {"-until", "yesterday"},
		`"30" is no flag`:                   {"30"},
		"flag provided but not defined":     {"-nonsense"},
		"set -out to another":               {"-out", filepath.Join(file, "x")},
		"set -config to the collector":      {"-config", filepath.Join(file, "x"), "-out", t.TempDir()},
		"receivers::synthetic":              {"-config", wrongConfig(t, "receivers: {synthetic: {nonsense: 1}}"), "-out", t.TempDir()},
		`set "listen::litellm"`:             {"-config", shippedConfig + "," + wrongConfig(t, "receivers: {synthetic: {listen: {litellm: '192.0.2.1:1'}}}"), "-out", t.TempDir()},
		"processors::resource/names-not-id": {"-config", wrongConfig(t, "processors: {resource/names-not-ids: 1}"), "-out", t.TempDir()},
		"exporters::prometheus":             {"-config", wrongConfig(t, "exporters: {prometheus: {nonsense: 1}}"), "-out", t.TempDir()},
		"connectors::model_catalog":         {"-config", wrongConfig(t, "connectors: {model_catalog: {nonsense: 1}}"), "-out", t.TempDir()},
		"processors::docker_attributes":     {"-config", wrongConfig(t, "processors: {docker_attributes: {nonsense: 1}}"), "-out", t.TempDir()},
	} {
		assert.ErrorContains(t, command(t.Context(), arguments, io.Discard), want)
	}
}

func wrongConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// TestUnwritable: a folder that goes away is an error, and nothing stays open.
func TestUnwritable(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	b := newBlocks(gone)
	s := newScrape(&options{}, time.Hour)
	require.NoError(t, s.store(t.Context(), []byte("a 1\n"), time.Unix(1_800_000_000, 0), b))
	require.NoError(t, os.WriteFile(gone, nil, 0o600))
	assert.ErrorContains(t, b.flush(t.Context()), "a block cannot be written to "+gone)

	t.Setenv("TMPDIR", gone)
	assert.ErrorContains(t, s.store(t.Context(), []byte("a 1\n"), time.Unix(1_800_000_100, 0), newBlocks(gone)), "a block cannot be begun")
}

// TestPageAway: without the page of the exporter there is no step.
func TestPageAway(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	p := &pipeline{page: server.URL, client: &http.Client{}}
	defer p.client.CloseIdleConnections()
	_, err := p.read(t.Context())
	assert.ErrorContains(t, err, "answered 404")
	server.Close()
	_, err = p.read(t.Context())
	assert.Error(t, err)
}

// TestBrokenOff: Ctrl-C ends it, and leaves only whole blocks.
func TestBrokenOff(t *testing.T) {
	anyPorts(t)
	folder := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := command(ctx, []string{"-days", "10", "-out", folder, "-config", shippedConfig}, io.Discard)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}

package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newTestLangfuse is a server whose clock stands at noon of Tuesday, 10 March 2026.
func newTestLangfuse(cfg LangfuseConfig) (*Langfuse, *clock) {
	c := &clock{t: lfAt(12, 0, 0)}
	cfg.Now = c.now
	return NewLangfuse(cfg), c
}

// lfAt is a time of that day.
func lfAt(hour, minute, second int) time.Time {
	return time.Date(2026, time.March, 10, hour, minute, second, 0, time.UTC)
}

func lfUSD(x float64) *float64 { return &x }

// lfGet calls a path under /api/public with the key of the project.
func lfGet(l *Langfuse, path string, query url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, l.cfg.PathPrefix+"/api/public"+path+"?"+query.Encode(), http.NoBody)
	r.SetBasicAuth("pk-lf-sim", "sk-lf-sim")
	w := httptest.NewRecorder()
	l.Handler().ServeHTTP(w, r)
	return w
}

// lfObject calls a path and returns the JSON of an answer that must be good.
func lfObject(t *testing.T, l *Langfuse, path string, query url.Values) map[string]any {
	t.Helper()
	w := lfGet(l, path, query)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var body map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	return body
}

// lfQuery asks a metrics API and returns the lines of the answer as JSON. Times are 10:00 to 12:00 unless given.
func lfQuery(t *testing.T, l *Langfuse, path, text string) string {
	t.Helper()
	data, err := json.Marshal(lfObject(t, l, path, url.Values{"query": {lfTimes(t, text)}})["data"])
	require.NoError(t, err)
	return string(data)
}

func lfTimes(t *testing.T, text string) string {
	t.Helper()
	var q map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &q), text)
	for name, value := range map[string]string{"fromTimestamp": "2026-03-10T10:00:00Z", "toTimestamp": "2026-03-10T12:00:00Z"} {
		if q[name] == nil {
			q[name] = value
		}
	}
	data, err := json.Marshal(q)
	require.NoError(t, err)
	return string(data)
}

// fillLangfuse adds two traces: a conversation with two generations of one model, the second failed, and a single
// generation of a model without a price.
func fillLangfuse(l *Langfuse) {
	l.AddTrace(LangfuseTrace{ID: "t1", Time: lfAt(10, 0, 0), Name: "chat", UserID: "u1", SessionID: "s1", Tags: []string{"a", "b"}, Release: "r1"})
	l.Add(LangfuseObservation{ID: "o1", TraceID: "t1", Name: "chat", Start: lfAt(10, 0, 0), End: lfAt(10, 0, 10)})
	l.Add(LangfuseObservation{
		ID: "o2", TraceID: "t1", ParentID: "o1", Name: "answer", Model: "m-a", PromptName: "p", PromptVersion: 3,
		Start: lfAt(10, 0, 1), CompletionStart: lfAt(10, 0, 2), End: lfAt(10, 0, 5),
		InputTokens: 100, OutputTokens: 50, InputCost: lfUSD(0.001), OutputCost: lfUSD(0.002),
	})
	l.Add(LangfuseObservation{
		ID: "o3", TraceID: "t1", ParentID: "o1", Name: "title", Model: "m-a", Level: "ERROR", StatusMessage: "boom",
		Start: lfAt(10, 0, 5), End: lfAt(10, 0, 5).Add(500 * time.Millisecond), InputTokens: 20, TotalCost: lfUSD(0.0002),
	})
	l.Add(LangfuseObservation{
		ID: "o4", TraceID: "t2", Name: "complete", Model: "m-b", UserID: "u2", Environment: "staging",
		Start: lfAt(11, 30, 0), CompletionStart: lfAt(11, 30, 1), End: lfAt(11, 30, 3), InputTokens: 10, OutputTokens: 30,
	})
	l.AddScore(LangfuseScore{ID: "c1", Name: "helpful", Time: lfAt(10, 5, 0), Value: 0.8, TraceID: "t1", Source: "EVAL"})
	l.AddScore(LangfuseScore{ID: "c2", Name: "helpful", Time: lfAt(11, 40, 0), Value: 0.4, TraceID: "t2", Source: "EVAL"})
	l.AddScore(LangfuseScore{ID: "c3", Name: "ok", Time: lfAt(10, 6, 0), DataType: "BOOLEAN", Value: 1, TraceID: "t1", ObservationID: "o2"})
	l.AddScore(LangfuseScore{ID: "c4", Name: "tone", Time: lfAt(10, 7, 0), DataType: "CATEGORICAL", StringValue: "good", TraceID: "t1"})
}

func TestLangfuseControl(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Version: "3.140.1"})
	status := func(path string) int { return lfGet(l, path, nil).Code }
	assert.Equal(t, 404, status("/v3/scores"))
	l.SetVersion("4.2.0")
	assert.Equal(t, 200, status("/v3/scores"))
	assert.Equal(t, 404, status("/traces"))
	l.SetMode(LangfuseDual)
	assert.Equal(t, 200, status("/traces"))
	assert.Equal(t, "4.2.0", lfObject(t, l, "/health", nil)["version"])

	l.RevokeKey()
	assert.Equal(t, 401, status("/traces"))
	l.SetKey("pk-lf-sim", "sk-lf-sim")
	assert.Equal(t, 200, status("/traces"))
	assert.Equal(t, 404, status("/elsewhere"))
	assert.Equal(t, map[string]int{"/v3/scores": 2, "/traces": 4, "/health": 1, "": 1}, l.Requests())
	assert.Zero(t, l.Throttled())

	l.SetDatabase(false)
	assert.Equal(t, 500, status("/traces"))
	assert.Equal(t, 200, status("/projects"))
}

func TestLangfuseMistakesPanic(t *testing.T) {
	assert.PanicsWithValue(t, `simulator: no Langfuse version "v4", want one like 3.141.0`, func() { NewLangfuse(LangfuseConfig{Version: "v4"}) })
	assert.PanicsWithValue(t, `simulator: no Langfuse plan "gold"`, func() { NewLangfuse(LangfuseConfig{Plan: "gold"}) })
	l := NewLangfuse(LangfuseConfig{Version: "4.0.0-rc.2"})
	assert.Panics(t, func() { l.SetVersion("4") })
	assert.Equal(t, langfuseRelease{4, 0, 0}, l.release)
}

func TestLangfuseIsDeterministic(t *testing.T) {
	run := func() string {
		l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
		fillLangfuse(l)
		var all strings.Builder
		for _, call := range []struct {
			path  string
			query url.Values
		}{
			{"/v2/metrics", url.Values{"query": {lfTimes(t, `{"view":"observations","dimensions":[{"field":"name"},{"field":"type"}],"metrics":[{"measure":"traceId","aggregation":"uniq"}]}`)}}},
			{"/v2/observations", url.Values{"fields": {"basic,usage,model,metrics,prompt,time,trace_context,io,metadata"}}},
			{"/v3/scores", url.Values{"fields": {"details,subject,annotation"}}},
			{"/traces", nil},
			{"/metrics/daily", nil},
		} {
			answer := lfGet(l, call.path, call.query)
			assert.Equal(t, 200, answer.Code, call.path)
			all.Write(answer.Body.Bytes())
		}
		return all.String()
	}
	first := run()
	for range 3 {
		assert.Equal(t, first, run())
	}
}

func TestLangfuseConcurrentUse(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	q := url.Values{"query": {lfTimes(t, `{"view":"observations","metrics":[{"measure":"inputTokens","aggregation":"sum"}]}`)}}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			l.Add(LangfuseObservation{Start: lfAt(11, 0, i), InputTokens: 10})
			l.AddScore(LangfuseScore{Time: lfAt(11, 0, i), TraceID: "sim-trace-000001"})
			l.AddTrace(LangfuseTrace{Time: lfAt(11, 0, i)})
			lfGet(l, "/v2/metrics", q)
			lfGet(l, "/traces", nil)
			l.SetIngestionDelay(time.Duration(i))
			l.Totals(lfAt(11, 0, 0), lfAt(11, 1, 0))
		})
	}
	wg.Wait()
	assert.JSONEq(t, `[{"sum_inputTokens":80}]`, lfQuery(t, l, "/v2/metrics", `{"view":"observations","metrics":[{"measure":"inputTokens","aggregation":"sum"}]}`))
}

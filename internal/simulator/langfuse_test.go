package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newTestLangfuse is a server whose clock stands at noon of 10 March 2026.
func newTestLangfuse(cfg LangfuseConfig) (*Langfuse, *clock) {
	c := &clock{t: time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)}
	cfg.Now = c.now
	return NewLangfuse(cfg), c
}

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
	var body map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	return body
}

// lfQuery asks a metrics API and returns the lines of the answer as JSON.
func lfQuery(t *testing.T, l *Langfuse, path, text string) string {
	t.Helper()
	data, err := json.Marshal(lfObject(t, l, path, url.Values{"query": {text}})["data"])
	require.NoError(t, err)
	return string(data)
}

// lfUSD is a price.
func lfUSD(x float64) *float64 { return &x }

func lfAt(hour, minute, second int) time.Time {
	return time.Date(2026, time.March, 10, hour, minute, second, 0, time.UTC)
}

func TestLangfuseSmoke(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{})
	l.Add(LangfuseObservation{Model: "m", Start: lfAt(10, 0, 0), End: lfAt(10, 0, 2), CompletionStart: lfAt(10, 0, 1), InputTokens: 10, OutputTokens: 5, TotalCost: lfUSD(0.5)})
	got := lfQuery(t, l, "/v2/metrics", `{"view":"observations","dimensions":[{"field":"providedModelName"}],"metrics":[{"measure":"count","aggregation":"count"},{"measure":"totalCost","aggregation":"sum"},{"measure":"latency","aggregation":"p95"}],"fromTimestamp":"2026-03-10T10:00:00Z","toTimestamp":"2026-03-10T11:00:00Z"}`)
	assert.JSONEq(t, `[{"providedModelName":"m","count_count":1,"sum_totalCost":0.5,"p95_latency":2000}]`, got)
}

package langfusereceiver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// newServer returns the client of a server behind a real connection.
func newServer(t *testing.T, handler http.Handler, changes ...func(*Config)) *httpServer {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint, cfg.PublicKey, cfg.SecretKey = server.URL, "pk-lf-sim", "sk-lf-sim"
	cfg.RateLimit.RequestsPerSecond = 0
	for _, change := range changes {
		change(cfg)
	}
	set := receivertest.NewNopSettings(metadata.Type)
	s, err := newHTTPServer(t.Context(), cfg, componenttest.NewNopHost(), set.ID, set.TelemetrySettings)
	require.NoError(t, err)
	t.Cleanup(s.close)
	return s
}

// faults are what the receiver calls each fault, and what it does about it.
var faults = map[simulator.Fault]struct {
	reason string
	class  class
}{
	simulator.FaultSlow:              {apiclient.ReasonTimeout, classHeavy},
	simulator.FaultDrip:              {apiclient.ReasonTimeout, classHeavy},
	simulator.FaultGarbage:           {apiclient.ReasonMalformed, classPassing},
	simulator.FaultHTML:              {apiclient.ReasonHTML, classPassing},
	simulator.FaultUnauthorized:      {"401", classEverywhere},
	simulator.FaultForbidden:         {"403", classEverywhere},
	simulator.FaultNotFound:          {"404", classGone},
	simulator.FaultTooManyRequests:   {"429", classLimited},
	simulator.FaultServerError:       {"500", classPassing},
	simulator.FaultRedirectLoop:      {apiclient.ReasonRedirect, classPassing},
	simulator.FaultRedirectElsewhere: {apiclient.ReasonRedirect, classPassing},
	simulator.FaultHugePage:          {apiclient.ReasonMalformed, classPassing},
	simulator.FaultHugeLine:          {apiclient.ReasonMalformed, classPassing},
	simulator.FaultGzipBomb:          {apiclient.ReasonMalformed, classPassing},
	simulator.FaultTruncated:         {apiclient.ReasonTruncated, classPassing},
	simulator.FaultEmptyBody:         {apiclient.ReasonMalformed, classPassing},
	simulator.FaultDropConnection:    {apiclient.ReasonConnection, classEverywhere},
}

// TestFaults: an answer of every bad kind is called what it is and costs little.
func TestFaults(t *testing.T) {
	v := viewNamed(t, apiV2, viewObservations)
	q := v.query(window{noon, noon.Add(time.Hour)}, nil)
	for _, fault := range simulator.Faults() {
		if fault == simulator.FaultNaNInf { // of the Prometheus format
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			faulty := &simulator.Faulty{Next: simulator.NewLangfuse(simulator.LangfuseConfig{Mode: simulator.LangfuseDual}).Handler(), AllPaths: true, Bytes: 64 << 20}
			if fault == simulator.FaultDrip {
				faulty.Delay = 50 * time.Millisecond
			}
			faulty.Set(fault)
			s := newServer(t, faulty, func(cfg *Config) {
				if faults[fault].reason == apiclient.ReasonTimeout {
					cfg.Config.Timeout = 200 * time.Millisecond
				}
			})
			_, _, err := s.metrics(t.Context(), apiV2, q)
			require.Error(t, err)
			assert.Equal(t, faults[fault].reason, reasonOf(err), err)
			assert.Equal(t, faults[fault].class, classOf(err), err)
			assert.NotContains(t, err.Error(), "sk-lf")
			_, _, err = s.daily(t.Context(), noon)
			assert.Equal(t, faults[fault].reason, reasonOf(err), err)
			_, err = s.project(t.Context())
			assert.Equal(t, faults[fault].reason, reasonOf(err), err)
		})
	}
}

// TestClasses: what is done about an answer.
func TestClasses(t *testing.T) {
	for code, want := range map[int]class{
		400: classBad, 401: classEverywhere, 403: classEverywhere, 404: classGone, 405: classGone, 408: classPassing, 410: classGone,
		422: classHeavy, 429: classLimited, 500: classPassing, 501: classGone, 502: classEverywhere, 503: classEverywhere, 504: classHeavy, 520: classPassing, 524: classHeavy,
	} {
		assert.Equal(t, want, classOf(&apiclient.StatusError{Code: code}), code)
	}
	assert.Equal(t, classHeavy, classOf(apiclient.ErrTooLarge))
	assert.Equal(t, classHeavy, classOf(context.DeadlineExceeded))
	assert.Equal(t, classEverywhere, classOf(apiclient.ErrRateLimit))
	assert.Empty(t, complaint(apiclient.ErrTooLarge))
	assert.Zero(t, pauseOf(apiclient.ErrTooLarge))
	for reason := range hints {
		assert.NotEmpty(t, hintFor(reason))
	}
	assert.Equal(t, "See the server's own log.", hintFor("599"))
}

// TestCredentials: the keys go to the endpoint only, and not where none are needed.
func TestCredentials(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	s := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		public, secret, ok := r.BasicAuth()
		switch r.URL.Path {
		case "/api/public/health":
			assert.False(t, ok)
			_, _ = w.Write([]byte(`{"status": "OK", "version": "4.16.0", "new": {"x": [1]}}`))
		case "/api/public/projects":
			assert.Equal(t, []any{"pk-lf-sim", "sk-lf-sim", true}, []any{public, secret, ok})
			http.Redirect(w, r, other.URL, http.StatusFound)
		}
	}))
	version, seen, err := s.health(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "4.16.0", version)
	assert.WithinDuration(t, time.Now(), seen.date, time.Minute)
	_, err = s.project(t.Context())
	require.Error(t, err)
	assert.Zero(t, elsewhere.Load())
}

// TestOnce: a query is sent once; to repeat it is the worker's to decide, as each
// counts.
func TestOnce(t *testing.T) {
	var asked atomic.Int64
	s := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	_, _, err := s.metrics(t.Context(), apiV1, query{})
	require.Error(t, err)
	assert.EqualValues(t, 1, asked.Load())
}

func TestUnknownFields(t *testing.T) {
	s := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/public/projects":
			_, _ = w.Write([]byte(`{"data": [{"id": "p1", "name": "chat", "organization": {"id": "o"}, "metadata": {}, "retentionDays": 30}], "x": 1}`))
		case "/api/public/metrics/daily":
			assert.Equal(t, "2026-09-20T12:00:00.000Z", r.URL.Query().Get("fromTimestamp"))
			_, _ = w.Write([]byte(`{"data": [{"date": "2026-09-20", "countTraces": "3", "countObservations": 4, "totalCost": 0.5, "usage": [
				{"model": null, "inputUsage": 1, "outputUsage": 2, "totalUsage": 3, "countObservations": 2, "countTraces": 1, "totalCost": 0.25},
				{"model": "gpt", "inputUsage": "10", "outputUsage": null, "countObservations": 2, "totalCost": "0.25", "x": []}]}],
				"meta": {"page": 1, "limit": 100, "totalItems": 1, "totalPages": 1}, "_deprecation": {"sunsetAt": "2026-11-16"}}`))
		default:
			assert.JSONEq(t, `{"view": "x", "dimensions": null, "metrics": null, "filters": null, "timeDimension": null, "fromTimestamp": "",
				"toTimestamp": "", "orderBy": null, "config": null}`, r.URL.Query().Get("query"))
			_, _ = w.Write([]byte(`{"data": [{"count_count": "12", "name": "a"}], "_deprecation": {"message": "x"}}`))
		}
	}))
	p, err := s.project(t.Context())
	require.NoError(t, err)
	assert.Equal(t, project{ID: "p1", Name: "chat"}, p)
	figures, _, err := s.daily(t.Context(), noon)
	require.NoError(t, err)
	require.Len(t, figures, 1)
	assert.Equal(t, totals{
		{family: famTraces}:                         3,
		{family: famObservations}:                   2,
		{family: famObservations, c: "gpt"}:         2,
		{family: famTokens, b: kindInput}:           1,
		{family: famTokens, b: kindOutput}:          2,
		{family: famTokens, a: "gpt", b: kindInput}: 10,
		{family: famCost, b: kindOther}:             0.25,
		{family: famCost, a: "gpt", b: kindOther}:   0.25,
	}, figures[0].totals(manyNames()))
	rows, _, err := s.metrics(t.Context(), apiV2, query{View: "x"})
	require.NoError(t, err)
	assert.Equal(t, 12.0, rows[0].amount(count))
}

func TestHeader(t *testing.T) {
	h := http.Header{}
	assert.Equal(t, header{}, newHeader(h))
	h.Set("X-RateLimit-Remaining", "2")
	assert.False(t, newHeader(h).last)
	h.Set("X-RateLimit-Remaining", "0")
	h.Set("X-RateLimit-Reset", "Sun Sep 20 2026 12:00:00 GMT+0000 (Coordinated Universal Time)")
	h.Set("Date", "Sun, 20 Sep 2026 11:00:00 GMT")
	seen := newHeader(h)
	assert.True(t, seen.last)
	assert.True(t, noon.Equal(seen.reset))
	assert.True(t, noon.Add(-time.Hour).Equal(seen.date))
}

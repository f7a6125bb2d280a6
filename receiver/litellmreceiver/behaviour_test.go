package litellmreceiver

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestScrape(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	p := newProbe(t, c, url, withKey, func(cfg *Config) { cfg.Name = "gateway" })
	md, err := p.scrape(t.Context())
	require.NoError(t, err)

	resource := md.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "litellm", resource["service.name"])
	assert.Equal(t, "gateway", resource["service.instance.id"])
	assert.Equal(t, "127.0.0.1", resource["server.address"])
	assert.NotZero(t, resource["server.port"])

	got := readingsOf(t, md)
	assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
	assert.Empty(t, got.problems())
	for key, r := range got {
		assert.Equal(t, c.timestamp(), r.at, key)
	}
	for series, want := range map[string]float64{
		"litellm.tokens.input{gen_ai.provider.name=anthropic,gen_ai.request.model=claude,gen_ai.response.model=claude-sonnet-4}": 1000,
		"litellm.tokens.input{gen_ai.provider.name=anthropic,gen_ai.request.model=chat,gen_ai.response.model=claude-sonnet-4}":   1002, // fell back
		"litellm.tokens.input{gen_ai.provider.name=openai,gen_ai.request.model=bare,gen_ai.response.model=gpt-4o-mini}":          1007,
		"litellm.requests.in_flight":                                                                   3,
		"litellm.budget.remaining{litellm.budget.entity.type=team}":                                    7.25,
		"litellm.budget.remaining{litellm.budget.entity.type=api_key}":                                 -0.5,
		"litellm.budget.remaining{gen_ai.provider.name=anthropic,litellm.budget.entity.type=provider}": 33,
		"litellm.budget.reset{litellm.budget.entity.type=team}":                                        12 * 3600,
		"litellm.daily.requests{gen_ai.request.model=chat,litellm.outcome=failed}":                     1,
		"litellm.daily.tokens{gen_ai.request.model=claude,gen_ai.token.type=input}":                    1000,
		"litellm.info{service.version=1.95.0}":                                                         1,
		"litellm.proxy.database.connected":                                                             1,
		"litellm.proxy.ready":                                                                          1,
		"litellm.models":                                                                               4,
	} {
		assert.InDelta(t, want, got.value(t, series), 1e-9, series)
	}
	assert.Empty(t, got.of("litellm.budget.limit"), "says nothing without the label of the entity")
	assert.Empty(t, p.messages())
}

// TestNothingOfPersons: by default no point tells who asked.
func TestNothingOfPersons(t *testing.T) {
	for _, version := range simulator.LiteLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version, PrometheusSystem: true})
		p := newProbe(t, c, url, withKey, everything)
		for key := range p.read(t) {
			for _, secret := range []string{"key-", "team-", "Team ", "user-", "user@", "end-", "org-1", "Org ", "192.0.2.", "curl", "hash-", simulator.LiteLLMHash("a"), masterKey} {
				assert.NotContains(t, key, secret)
			}
		}
		for _, entry := range p.logs.All() {
			assert.NotContains(t, entry.Message, masterKey)
		}
	}
}

func TestEverythingSwitchedOff(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	off := func(cfg *Config) {
		metrics := reflect.ValueOf(&cfg.Metrics).Elem()
		for i := range metrics.NumField() {
			metrics.Field(i).FieldByName("Enabled").SetBool(false)
		}
		cfg.Histograms = switchAll(false)
	}
	assert.Empty(t, newProbe(t, c, url, withKey, off).read(t))

	on := true
	got := newProbe(t, c, url, withKey, off, func(cfg *Config) {
		cfg.Histograms["litellm.overhead.duration"] = HistogramConfig{Enabled: &on}
	}).read(t)
	assert.Equal(t, []string{"litellm.overhead.duration"}, got.metricNames(), "a histogram alone")
}

// identity are the metrics that outlive the proxy.
var identity = []string{"litellm.deployment.context_length", "litellm.deployment.info", "litellm.deployment.price", "litellm.info"}

func TestDead(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models(), PrometheusSystem: true, Redis: true})
	traffic(l)
	faulty := &simulator.Faulty{Next: l.Handler(), AllPaths: true}
	p := newProbe(t, c, serve(t, faulty), withKey, impatient)
	before := p.read(t)
	assert.InDelta(t, 1, before.value(t, "litellm.up"), 0)

	faulty.Set(simulator.FaultDropConnection)
	dead := p.read(t)
	assert.Zero(t, dead.value(t, "litellm.up"), "within one interval")
	assert.Equal(t, []string{"/health/liveliness connection_error"}, dead.problems())
	assert.Equal(t, slices.Concat(identity, []string{"litellm.scrape.error", "litellm.scrape.refused_models", "litellm.up"}), dead.metricNames())
	for _, name := range identity {
		assert.Len(t, dead.of(name), len(before.of(name)), name)
	}
	assert.Contains(t, dead.ended(), "litellm.requests.in_flight")
	p.read(t)
	p.read(t)
	assert.Equal(t, []string{"The LiteLLM proxy cannot be read."}, p.messages())

	faulty.Set(simulator.FaultNone)
	back := p.read(t)
	assert.InDelta(t, 1, back.value(t, "litellm.up"), 0, "at once")
	assert.Empty(t, back.problems())
	assert.Zero(t, back.value(t, "litellm.scrape.error{error.type=connection_error,litellm.endpoint=/health/liveliness}"))
	assert.Len(t, back.of("litellm.tokens.input"), len(before.of("litellm.tokens.input")))
	assert.Equal(t, []string{"The LiteLLM proxy answers again."}, p.messages())
}

func TestNobodyThere(t *testing.T) {
	p := newProbe(t, newClock(), "http://127.0.0.1:1", withKey)
	got := p.read(t)
	assert.Zero(t, got.value(t, "litellm.up"))
	assert.Equal(t, []string{"/health/liveliness connection_refused"}, got.problems())
	assert.Empty(t, got.of("litellm.scrape.duration"))
}

// TestMetricsNotOffered: what the API tells goes on.
func TestMetricsNotOffered(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{NoPrometheus: true})
	p := newProbe(t, c, url, withKey)
	for range 2 {
		got := p.read(t)
		assert.InDelta(t, 1, got.value(t, "litellm.up"), 0, "it lives")
		assert.Equal(t, []string{"/metrics 404"}, got.problems())
		assert.NotEmpty(t, got.of("litellm.deployment.info"))
		assert.NotEmpty(t, got.of("litellm.daily.spend"))
	}
	entries := p.logs.TakeAll()
	require.Len(t, entries, 1)
	assert.Contains(t, entries[0].ContextMap()["hint"], `callbacks: ["prometheus"]`)
}

// TestPageOnly: a reverse proxy that lets nothing but the page through.
func TestPageOnly(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
	traffic(l)
	p := newProbe(t, c, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics/" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		l.Handler().ServeHTTP(w, r)
	})), withKey)
	got := p.read(t)
	assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
	assert.Empty(t, got.problems())
	assert.NotEmpty(t, got.of("litellm.tokens.input"))
	assert.Empty(t, p.messages())
}

// TestWithoutSlash: an older server, or one in front, has the page without it.
func TestWithoutSlash(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /prefix/metrics", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE litellm_in_flight_requests gauge\nlitellm_in_flight_requests 3\n"))
	})
	got := newProbe(t, newClock(), serve(t, mux)+"/prefix/").read(t)
	assert.InDelta(t, 3, got.value(t, "litellm.requests.in_flight"), 0)
}

func TestRedirects(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	pageAt := func(location string) *probe {
		return newProbe(t, c, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/metrics/" {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusTemporaryRedirect) // with an empty body: the silent failure
				return
			}
			if r.URL.Path == "/page" {
				assert.Equal(t, "Bearer "+masterKey, r.Header.Get("Authorization"), "the key goes along on the same host")
				_, _ = w.Write([]byte("# TYPE litellm_teams_count gauge\nlitellm_teams_count 4\n"))
				return
			}
			l.Handler().ServeHTTP(w, r)
		})), withKey)
	}
	assert.InDelta(t, 4, pageAt("/page").read(t).value(t, "litellm.teams"), 0)

	elsewhere := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { assert.Fail(t, "the key was taken elsewhere") }))
	got := pageAt(elsewhere + "/metrics/").read(t)
	assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
	assert.Equal(t, []string{"/metrics redirect"}, got.problems())
}

// TestShutdownDuringScrape: what is broken off tells nothing of the proxy.
func TestShutdownDuringScrape(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	p := newProbe(t, c, serve(t, &simulator.Faulty{Next: l.Handler(), AllPaths: true}), withKey)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	md, err := p.scrape(ctx)
	require.NoError(t, err)
	assert.Zero(t, md.DataPointCount())
	assert.Empty(t, p.messages())
}

// TestSlowPage: a page that takes too long stops neither the API nor the report.
func TestSlowPage(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
	p := newProbe(t, c, serve(t, simulator.WithFault(simulator.FaultSlow, l.Handler())), withKey)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	md, err := p.scrape(ctx)
	require.NoError(t, err)
	got := readingsOf(t, md)
	assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
	assert.Equal(t, []string{"/metrics timeout"}, got.problems())
	assert.Len(t, got.of("litellm.deployment.info"), 5)
}

// TestSlowAPI: a slow endpoint takes the time of neither the page nor the endpoints
// after it.
func TestSlowAPI(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
	traffic(l)
	asked := 0
	p := newProbe(t, c, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/model/info" {
			asked++
			<-r.Context().Done()
			return
		}
		l.Handler().ServeHTTP(w, r)
	})), withKey, func(cfg *Config) { cfg.Timeout = 4 * time.Second })
	for range 2 {
		got := p.read(t)
		assert.Equal(t, []string{"/model/info timeout"}, got.problems())
		assert.NotEmpty(t, got.of("litellm.tokens.input"))
		assert.NotEmpty(t, got.of("litellm.daily.spend"))
		assert.Len(t, got.of("litellm.deployment.info"), 4, "names at least")
	}
	assert.Equal(t, 1, asked, "not again before the interval is over")
}

func TestEmptyProxy(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: []simulator.LiteLLMDeployment{}})
	p := newProbe(t, c, serve(t, l.Handler()), withKey)
	got := p.read(t)
	assert.Empty(t, got.problems())
	assert.Zero(t, got.value(t, "litellm.models"))
	for _, metric := range []string{"litellm.tokens.input", "litellm.spend", "litellm.deployment.info", "litellm.deployment.healthy", "litellm.daily.spend", "gen_ai.server.request.duration"} {
		assert.Empty(t, got.of(metric), metric)
	}
	assert.Empty(t, p.messages())
}

// TestNoLiteLLM: some other server with a page.
func TestNoLiteLLM(t *testing.T) {
	p := newProbe(t, newClock(), serve(t, replay([]byte("# TYPE go_goroutines gauge\ngo_goroutines 8\n"))))
	got := p.read(t)
	assert.Equal(t, []string{"/metrics no_metrics"}, got.problems())
	assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: simulator.LiteLLM1_72_0, NotPremium: true})
	got = newProbe(t, c, url).read(t)
	assert.Equal(t, []string{"/metrics not_premium"}, got.problems())
	assert.Zero(t, got.value(t, "litellm.scrape.unknown_series"))
}

func TestUnknownSeries(t *testing.T) {
	page := "litellm_brand_new{a=\"1\"} 1\nlitellm_brand_new{a=\"2\"} 1\n# TYPE litellm_newer_total counter\nlitellm_newer_total 1\n" +
		"# TYPE litellm_announced gauge\nlmcache_hits 1\n# TYPE litellm_managed_batch_created_total counter\nlitellm_managed_batch_created_total{user=\"x\"} 4\nlitellm_teams_count 1\n"
	p := newProbe(t, newClock(), serve(t, replay([]byte(page))))
	got := p.read(t)
	assert.InDelta(t, 2, got.value(t, "litellm.scrape.unknown_series"), 0, "a family counts as one: its labels are not kept")
	assert.Empty(t, got.problems(), "a newer proxy is no failure")
	p.read(t)
	lines := p.logs.FilterMessageSnippet("does not know").All()
	require.Len(t, lines, 1)
	assert.Equal(t, "litellm_brand_new", lines[0].ContextMap()["metric"])
}

func TestEndpointIsNotInErrors(t *testing.T) {
	p := newProbe(t, newClock(), "http://127.0.0.1:1/some/prefix", withKey)
	p.read(t)
	for _, entry := range p.logs.All() {
		text := fmt.Sprint(entry.Message, entry.ContextMap())
		assert.False(t, strings.Contains(text, masterKey) || strings.Contains(text, "Bearer"))
	}
}

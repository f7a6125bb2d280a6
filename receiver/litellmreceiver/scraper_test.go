package litellmreceiver

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

// clock stands still until it is moved. Proxy and scraper share it.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 9, 20, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.ns.Load()) }

func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func (c *clock) timestamp() pcommon.Timestamp { return pcommon.NewTimestampFromTime(c.now()) }

// probe is a scraper under test, which reads one proxy when told to.
type probe struct {
	*litellmScraper
	clock *clock
	logs  *observer.ObservedLogs
}

// impatient makes every answer stale at once, and every pause after a refusal short:
// the client has a clock of its own, which tests cannot move.
func impatient(cfg *Config) {
	cfg.API.Interval = 1
	cfg.CircuitBreaker.OpenFor = 1
}

func newProbe(t testing.TB, c *clock, url string, changes ...func(*Config)) *probe {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = url
	for _, change := range changes {
		change(cfg)
	}
	require.NoError(t, xconfmap.Validate(cfg))

	core, logs := observer.New(zapcore.DebugLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	p := &probe{litellmScraper: newScraper(cfg, set), clock: c, logs: logs}
	p.now = c.now
	require.NoError(t, p.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, p.shutdown(context.Background())) })
	return p
}

// read scrapes the proxy once; a minute passes afterwards.
func (p *probe) read(t testing.TB) readings {
	t.Helper()
	md, err := p.scrape(t.Context())
	require.NoError(t, err)
	p.clock.advance(time.Minute)
	return readingsOf(t, md)
}

// messages are the log lines since the last call.
func (p *probe) messages() []string {
	messages := []string{}
	for _, entry := range p.logs.TakeAll() {
		messages = append(messages, entry.Message)
	}
	return messages
}

func everything(cfg *Config) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		metrics.Field(i).FieldByName("Enabled").SetBool(true)
	}
	cfg.Histograms = switchAll(true)
}

func switchAll(on bool) HistogramsConfig {
	all := HistogramsConfig{}
	for _, name := range histogramNames() {
		all[name] = HistogramConfig{Enabled: &on}
	}
	return all
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// masterKey is the simulator's default; it may do everything.
const masterKey = "sk-master"

func withKey(cfg *Config) { cfg.APIKey = masterKey }

// pageOnly reads no more than the page.
func pageOnly(cfg *Config) {
	cfg.APIKey, cfg.API.Enabled = masterKey, false
}

func usd(v float64) *float64 { return &v }

// models are deployments of all kinds: two behind one name, one with all that can be
// told, one of which nothing is.
func models() []simulator.LiteLLMDeployment {
	return []simulator.LiteLLMDeployment{
		{Name: "chat", Model: "hosted_vllm/qwen3-32b", APIBase: "http://vllm-a:8000/v1", Mode: "chat", MaxInput: 40960, InputPrice: usd(0), OutputPrice: usd(0)},
		{Name: "chat", Model: "hosted_vllm/qwen3-32b", APIBase: "http://vllm-b:8000/v1", Mode: "chat", MaxInput: 40960, RPM: 100, TPM: 100_000},
		{
			Name: "claude", Model: "anthropic/claude-sonnet-4", Mode: "chat", MaxInput: 200_000, MaxOutput: 64_000,
			InputPrice: usd(3e-6), OutputPrice: usd(1.5e-5), CacheReadPrice: usd(3e-7), CacheCreationPrice: usd(3.75e-6), ReasoningPrice: usd(2e-5),
			Supports: []string{"vision", "function_calling", "prompt_caching"}, Database: true,
		},
		{Name: "embed", Model: "azure/text-embedding-3-small", APIBase: "https://example.openai.azure.com", Mode: "embedding", MaxOutput: 8191},
		{Name: "bare", Model: "gpt-4o-mini"},
	}
}

// newSimulated starts a proxy on the clock, with traffic that touches every family
// behind it.
func newSimulated(t testing.TB, c *clock, cfg simulator.LiteLLMConfig) (*simulator.LiteLLM, string) {
	t.Helper()
	cfg.Now = c.now
	if cfg.Deployments == nil {
		cfg.Deployments = models()
	}
	l := simulator.NewLiteLLM(cfg)
	c.advance(time.Hour)
	traffic(l)
	return l, serve(t, l.Handler())
}

// traffic are requests of several persons that go well, fail, fall back, and are
// answered from caches.
func traffic(l *simulator.LiteLLM) {
	for i := range 12 {
		who := simulator.LiteLLMRequest{
			Worker: i, Model: "chat", Key: simulator.LiteLLMHash(string(rune('a' + i%3))), KeyAlias: "key-" + string(rune('a'+i%3)),
			Team: "team-1", TeamAlias: "Team One", User: "user-" + string(rune('a'+i%4)) + "@example.com", Email: "user@example.com",
			EndUser: "end-" + string(rune('a'+i%5)), Org: "org-1", OrgAlias: "Org One", IP: "192.0.2.1", UserAgent: "curl/8",
			Total: 2 * time.Second, Upstream: 1900 * time.Millisecond, FirstToken: 150 * time.Millisecond, Queue: 3 * time.Millisecond,
			Input: 1000 + i, Output: 100 + i, CacheRead: 64, CacheCreation: 16, Guardrails: []string{"pii"},
		}
		switch i {
		case 0:
			who.Model, who.Attempts = "claude", []simulator.LiteLLMAttempt{{Deployment: 2}}
		case 1: // fails at one deployment, goes well at the other
			who.Attempts = []simulator.LiteLLMAttempt{{Deployment: 0, Status: 500, Class: "Hosted_vllm.InternalServerError", CooledDown: true}, {Deployment: 1}}
		case 2: // falls back to another model
			who.Attempts = []simulator.LiteLLMAttempt{{Deployment: 0, Status: 429, Class: "Hosted_vllm.RateLimitError"}, {Deployment: 2}}
		case 3: // falls back in vain
			who.Attempts = []simulator.LiteLLMAttempt{{Deployment: 0, Status: 500, Class: "Hosted_vllm.InternalServerError"}, {Deployment: 2, Status: 529, Class: "Anthropic.InternalServerError"}}
			who.Status, who.Class = 529, "Anthropic.InternalServerError"
		case 4: // refused by the proxy itself
			who.Model, who.Status, who.Class = "typo", 400, "ProxyModelNotFoundError"
		case 5:
			who.Attempts, who.CacheHit = []simulator.LiteLLMAttempt{{Deployment: 0}}, true
		case 6:
			who.Model, who.Output, who.FirstToken, who.Attempts = "embed", 0, 0, []simulator.LiteLLMAttempt{{Deployment: 3}}
		case 7:
			who.Model, who.Attempts = "bare", []simulator.LiteLLMAttempt{{Deployment: 4}}
		default:
			who.Attempts = []simulator.LiteLLMAttempt{{Deployment: i % 2}}
		}
		l.Finish(who)
	}
	none := math.Inf(1)
	for _, b := range []simulator.LiteLLMBudget{
		{Entity: "team", ID: "team-1", Alias: "Team One", Remaining: 12.5, Max: 100, Reset: 36 * time.Hour},
		{Entity: "team", ID: "team-2", Alias: "Team Two", Remaining: 7.25, Max: 10, Reset: 12 * time.Hour},
		{Entity: "team", ID: "team-3", Alias: "Team Three", Remaining: none, Max: none},
		{Entity: "api_key", ID: "hash-a", Alias: "key-a", Remaining: -0.5, Max: 5, Reset: time.Hour},
		{Entity: "user", ID: "user-a@example.com", Remaining: none, Max: none},
		{Entity: "org", ID: "org-1", Alias: "Org One", Remaining: 900, Max: 1000, Reset: 700 * time.Hour},
	} {
		l.SetBudget(b)
	}
	l.SetProviderBudget("anthropic", 33)
	l.SetKeyLimits("a", "key-a", "chat", 10, 1000)
	l.SetKeyLimits("b", "key-b", "chat", -1, -1)
	l.SetRemaining(0, 40, 4000)
	l.SetInFlight(3)
	l.SetPeople(20, 18, 3)
	l.SetState(1, 1)
	l.ObserveService("redis", 3*time.Millisecond, false)
	l.ObserveService("postgres", 8*time.Millisecond, true)
	l.SetQueue("redis_spend_update_queue", 4)
	l.CountCallbackFailure("langfuse")
	l.CountToolCall("web", "search", 0.25)
	l.SetHealth(0, true)
	l.SetHealth(1, false)
}

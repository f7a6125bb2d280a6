package litellmreceiver

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// peak is the most memory that was in use while a page was written.
type peak struct{ before, most uint64 }

func (p *peak) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.most = max(p.most, m.HeapAlloc)
	if p.before == 0 {
		p.before = m.HeapAlloc
	}
}

// grown is how much more that was than before the page, in MiB.
func (p *peak) grown() uint64 { return (p.most - min(p.before, p.most)) >> 20 }

// patient is for pages that take their time, the more so with the race detector.
func patient(cfg *Config) {
	cfg.MaxPageSize = 1 << 30
	cfg.Timeout, cfg.ClientConfig.Timeout = 10*time.Minute, 10*time.Minute
}

// TestMillionLabelSets: a page of a million series of keys and users is added up
// within bounds, and the log says nothing of it: they were never wanted.
func TestMillionLabelSets(t *testing.T) {
	const n = 1_000_000 / 4 // in each of the families
	var memory peak
	p := newProbe(t, newClock(), serve(t, instead(http.NotFoundHandler(), map[string]http.HandlerFunc{
		"/metrics/": func(w http.ResponseWriter, _ *http.Request) { writeKeys(w, n, &memory) },
	})), patient)
	runtime.GC()
	got := p.read(t)
	assert.Empty(t, got.problems())
	assert.InDelta(t, n, got.sum("litellm.requests.finished"), 0)
	assert.InDelta(t, 3*n, got.sum("litellm.tokens.input"), 0)
	assert.InDelta(t, 0.25*n, got.sum("litellm.spend"), 1e-6)
	assert.InDelta(t, 1, got.value(t, "litellm.budget.remaining{litellm.budget.entity.type=api_key}"), 0, "the least of all keys")
	assert.LessOrEqual(t, got.value(t, "litellm.scrape.series"), 50.0)
	assert.InDelta(t, 4*n, got.value(t, "litellm.scrape.samples"), 0)
	assert.Empty(t, p.messages())
	assert.Less(t, memory.grown(), uint64(64), "MiB")
}

// TestManyKeysKept: with the label kept, what is beyond its limit is one series,
// and one line says so.
func TestManyKeysKept(t *testing.T) {
	const n = 20_000
	var memory peak
	p := newProbe(t, newClock(), serve(t, instead(http.NotFoundHandler(), map[string]http.HandlerFunc{
		"/metrics/": func(w http.ResponseWriter, _ *http.Request) { writeKeys(w, n, &memory) },
	})), patient, func(cfg *Config) { cfg.Labels.KeyAlias.Enabled = true })
	got := p.read(t)
	assert.Empty(t, got.problems())
	assert.InDelta(t, n, got.sum("litellm.requests.finished"), 0)
	assert.InDelta(t, n-100, got.value(t, "litellm.requests.finished{gen_ai.request.model=chat,http.response.status_code=200,litellm.key.alias=other}"), 0)
	assert.Len(t, got.of("litellm.requests.finished"), 101)
	entries := p.logs.TakeAll()
	require.Len(t, entries, 1)
	assert.Equal(t, "labels::key_alias::max", entries[0].ContextMap()["setting"])
	assert.Less(t, memory.grown(), uint64(64), "MiB")
}

// writeKeys writes a page where each of n keys has called the model chat once.
func writeKeys(w io.Writer, n int, memory *peak) {
	b := bufio.NewWriterSize(w, 64<<10)
	defer func() { _ = b.Flush() }()
	for _, family := range []struct{ name, typ, labels, value string }{
		{"litellm_proxy_total_requests_metric_total", "counter", `requested_model="chat",status_code="200",route="/v1/chat/completions"`, "1.0"},
		{"litellm_input_tokens_metric_total", "counter", `model="gpt-4o",requested_model="chat"`, "3.0"},
		{"litellm_spend_metric_total", "counter", `model="gpt-4o"`, "0.25"},
		{"litellm_remaining_api_key_budget_metric", "gauge", `x="y"`, ""},
	} {
		_, _ = fmt.Fprintf(b, "# TYPE %s %s\n", family.name, family.typ)
		for i := range n {
			if i%(1<<14) == 0 {
				memory.look()
			}
			value := family.value
			if value == "" {
				value = strconv.Itoa(n - i)
			}
			_, _ = fmt.Fprintf(b, "%s{hashed_api_key=\"%064x\",api_key_alias=\"key-%d\",user=\"user-%d@example.com\",%s} %s\n", family.name, i, i, i, family.labels, value)
		}
	}
}

// TestTenThousandModels: what is beyond max_models is one model, with right sums and
// one line.
func TestTenThousandModels(t *testing.T) {
	const n = 10_000
	c := newClock()
	cfg := simulator.LiteLLMConfig{Now: c.now}
	var page strings.Builder
	page.WriteString("# TYPE litellm_output_tokens_metric_total counter\n")
	for i := range n {
		cfg.Deployments = append(cfg.Deployments, simulator.LiteLLMDeployment{Name: fmt.Sprintf("model-%05d", i), Model: fmt.Sprintf("openai/upstream-%05d", i), Mode: "chat", InputPrice: usd(1e-6)})
		_, _ = fmt.Fprintf(&page, "litellm_output_tokens_metric_total{requested_model=\"model-%05d\",model=\"upstream-%05d\"} 2\n", i, i)
	}
	page.WriteString("# TYPE litellm_request_total_latency_metric histogram\n")
	for i := range n {
		for k, le := range []string{"0.5", "1.0", "+Inf"} {
			_, _ = fmt.Fprintf(&page, "litellm_request_total_latency_metric_bucket{requested_model=\"model-%05d\",model=\"upstream-%05d\",le=%q} %d\n", i, i, le, k)
		}
		_, _ = fmt.Fprintf(&page, "litellm_request_total_latency_metric_count{requested_model=\"model-%05d\",model=\"upstream-%05d\"} 2\nlitellm_request_total_latency_metric_sum{requested_model=\"model-%05d\",model=\"upstream-%05d\"} 1.5\n", i, i, i, i)
	}
	l := simulator.NewLiteLLM(cfg)
	p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{"/metrics/": says(200, page.String())})), withKey, patient)
	got := p.read(t)
	assert.Empty(t, got.problems())
	assert.InDelta(t, 2*n, got.sum("litellm.tokens.output"), 0)
	assert.Len(t, got.of("litellm.tokens.output"), 501)
	assert.InDelta(t, 2*(n-500), got.value(t, "litellm.tokens.output{gen_ai.request.model=other,gen_ai.response.model=other}"), 0)
	total := got["gen_ai.server.request.duration{gen_ai.request.model=other,gen_ai.response.model=other}"].histogram
	assert.EqualValues(t, 2*(n-500), total.Count())
	assert.InDelta(t, 1.5*(n-500), total.Sum(), 1e-6)
	assert.Equal(t, []uint64{0, n - 500, n - 500}, total.BucketCounts().AsRaw())
	assert.Len(t, got.of("litellm.deployment.info"), 500)
	assert.InDelta(t, n-500, got.value(t, "litellm.scrape.refused_models"), 0)
	assert.InDelta(t, n, got.value(t, "litellm.models"), 0)
	p.read(t)
	entries := p.logs.TakeAll()
	require.Len(t, entries, 1, "one line")
	assert.Equal(t, "max_models", entries[0].ContextMap()["setting"])
}

// TestTooManySeries: a page with more than max_series kept is rejected whole.
func TestTooManySeries(t *testing.T) {
	var page strings.Builder
	for i := range 200 {
		_, _ = fmt.Fprintf(&page, "litellm_spend_metric_total{model=\"m%d\"} 1\n", i)
	}
	p := newProbe(t, newClock(), serve(t, replay([]byte(page.String()))), func(cfg *Config) { cfg.MaxSeries = 100 })
	got := p.read(t)
	assert.Equal(t, []string{"/metrics too_large"}, got.problems()[1:])
	assert.Empty(t, got.of("litellm.spend"))
}

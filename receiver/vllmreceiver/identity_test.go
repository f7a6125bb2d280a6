package vllmreceiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// overlay answers some paths instead of the server behind it, and counts all.
type overlay struct {
	next http.Handler

	mu      sync.Mutex
	answers map[string]string
	asked   map[string]int
}

func newOverlay(next http.Handler) *overlay {
	return &overlay{next: next, answers: map[string]string{}, asked: map[string]int{}}
}

func (o *overlay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.asked[r.URL.Path]++
	answer, ok := o.answers[r.URL.Path]
	o.mu.Unlock()
	if !ok {
		o.next.ServeHTTP(w, r)
		return
	}
	_, _ = w.Write([]byte(answer))
}

func (o *overlay) set(path, answer string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[path] = answer
}

func (o *overlay) clear(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.answers, path)
}

func (o *overlay) count(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[path]
}

func modelInfo(got readings) []string {
	var names []string
	for _, r := range got.of("vllm.model.info") {
		names = append(names, fmt.Sprint(r.attributes["gen_ai.request.model"]))
	}
	return names
}

func TestIdentity(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{
		Models: []simulator.VLLMModel{{
			ID: "qwen", Root: "Qwen/Qwen3-32B", MaxModelLen: 40960,
			Adapters: []simulator.LoRAAdapter{{Name: "sql", Path: "/lora/sql"}},
		}, {ID: "alias", Root: "Qwen/Qwen3-32B", MaxModelLen: 40960}},
		BuildVersion: "dev", DevMode: true, Quantization: "fp8", Now: c.now,
	})
	o := newOverlay(v.Handler())
	p := newProbe(t, c, serve(t, o))
	got := p.read(t)
	facts := func(model string) map[string]any {
		for _, r := range got.of("vllm.model.info") {
			if r.attributes["gen_ai.request.model"] == model {
				return r.attributes
			}
		}
		return nil
	}
	assert.Equal(t, map[string]any{
		"gen_ai.provider.name": "vllm", "gen_ai.request.model": "qwen", "llm.model.id": "Qwen/Qwen3-32B",
		"llm.model.dtype": "bfloat16", "llm.model.quantization": "fp8", "service.version": "dev",
	}, facts("qwen"))
	assert.Equal(t, map[string]any{
		"gen_ai.provider.name": "vllm", "gen_ai.request.model": "sql", "llm.model.id": "/lora/sql", "llm.model.parent": "qwen",
		"llm.model.dtype": "bfloat16", "llm.model.quantization": "fp8", "service.version": "dev",
	}, facts("sql"))
	assert.Len(t, got.of("vllm.model.info"), 3)
	assert.InDelta(t, 40960, got.value(t, "vllm.model.context_length{gen_ai.request.model=alias}"), 0)
	assert.Len(t, got.of("vllm.model.context_length"), 2, "adapters have none of their own")
	assert.InDelta(t, 1, got.value(t, "vllm.server.info{service.version=dev}"), 0)

	for range 6 { // more than info_interval
		p.read(t)
	}
	assert.Equal(t, 2, o.count("/v1/models"), "asked once in info_interval")
	assert.Equal(t, 2, o.count("/version"))
	assert.Equal(t, 1, o.count("/server_info"), "asked once in a life")
	v.Restart()
	p.read(t)
	assert.Equal(t, 3, o.count("/v1/models"), "asked after a restart")
	assert.Equal(t, 2, o.count("/server_info"))
}

func TestIdentityNotQuantized(t *testing.T) {
	c := newClock()
	o := newOverlay(simulator.NewVLLM(simulator.VLLMConfig{Now: c.now, DevMode: true}).Handler())
	p := newProbe(t, c, serve(t, o))
	got := p.read(t).of("vllm.model.info")
	require.Len(t, got, 1)
	assert.Equal(t, "bfloat16", got[0].attributes["llm.model.dtype"])
	assert.NotContains(t, got[0].attributes, "llm.model.quantization")
}

func TestPathsNotRead(t *testing.T) {
	c := newClock()
	o := newOverlay(simulator.NewVLLM(simulator.VLLMConfig{Now: c.now}).Handler())
	got := newProbe(t, c, serve(t, o), func(cfg *Config) {
		cfg.Endpoints[0].Paths = PathsConfig{Metrics: "/metrics"}
	}).read(t)
	assert.Equal(t, map[string]int{"/metrics": 1}, o.asked)
	assert.Equal(t, []string{"sim-8b"}, modelInfo(got), "from the page")
	assert.Empty(t, got.of("vllm.server.info"))
}

// TestModelsRefused: --api-key guards /v1 only, so the metrics go on.
func TestModelsRefused(t *testing.T) {
	const models = "The list of models cannot be read; their names are taken from the metrics."
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{APIKey: "sesame", Now: c.now})
	o := newOverlay(v.Handler())
	p := newProbe(t, c, serve(t, o))
	for range 12 {
		got := p.read(t)
		assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
		assert.Empty(t, got.problem(t))
		assert.Equal(t, []string{"sim-8b"}, modelInfo(got))
	}
	assert.Equal(t, 3, o.count("/v1/models"), "a refusal is not asked again at once")
	assert.Equal(t, 1, p.logs.FilterMessage(models).Len())
	assert.Equal(t, "401", p.logs.FilterMessage(models).All()[0].ContextMap()["reason"])

	key := func(cfg *Config) {
		cfg.Endpoints[0].Headers = map[string]configopaque.String{"Authorization": "Bearer sesame"}
	}
	got := newProbe(t, c, serve(t, v.Handler()), key).read(t)
	assert.Equal(t, "example/Sim-8B-Instruct", got.of("vllm.model.info")[0].attributes["llm.model.id"])
}

// TestModelsAfterRestart: what is known of the models before does not outlive a
// restart with others.
func TestModelsAfterRestart(t *testing.T) {
	c := newClock()
	o := newOverlay(simulator.NewVLLM(simulator.VLLMConfig{Now: c.now}).Handler())
	p := newProbe(t, c, serve(t, o))
	require.Equal(t, []string{"sim-8b"}, modelInfo(p.read(t)))
	o.next = simulator.NewVLLM(simulator.VLLMConfig{
		Models: []simulator.VLLMModel{{ID: "other"}}, APIKey: "sesame", Now: c.now,
	}).Handler()
	assert.Equal(t, []string{"other"}, modelInfo(p.read(t)))
}

func TestModelsPassingFailure(t *testing.T) {
	c := newClock()
	o := newOverlay(simulator.NewVLLM(simulator.VLLMConfig{Now: c.now}).Handler())
	p := newProbe(t, c, serve(t, o))
	for _, answer := range []string{"{", "[]", `{"data":7}`, "<html>", `{"data":[{"id":"` + strings.Repeat("x", maxInfoSize) + `"}]}`} {
		o.set("/v1/models", answer)
		assert.Equal(t, []string{"sim-8b"}, modelInfo(p.read(t)), "%.20s", answer)
	}
	assert.Equal(t, 5, o.count("/v1/models"), "tried again at each scrape")
	o.clear("/v1/models")
	p.read(t)
	p.read(t)
	assert.Equal(t, 6, o.count("/v1/models"))
	assert.Equal(t, 4, p.logs.FilterMessageSnippet("list of models").Len(), "truncated, malformed, a web page, then too large")
}

func TestModelsOdd(t *testing.T) {
	var many []map[string]string
	for i := range maxModels + 50 {
		many = append(many, map[string]string{"id": fmt.Sprintf("m%d", i%(maxModels+20))})
	}
	list, err := json.Marshal(map[string]any{"data": many})
	require.NoError(t, err)
	tests := []struct {
		name, answer string
		want         int
	}{
		{"many", string(list), maxModels},
		{"none", `{"object":"list","data":[]}`, 1},
		{"no list", `{}`, 1},
		{"nameless and repeated", `{"data":[{"id":""},{"id":"a"},{"id":"a","root":"b"}]}`, 1},
		{"null length", `{"data":[{"id":"a","max_model_len":null,"parent":null}]}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			o := newOverlay(simulator.NewVLLM(simulator.VLLMConfig{Now: c.now}).Handler())
			o.set("/v1/models", tt.answer)
			assert.Len(t, modelInfo(newProbe(t, c, serve(t, o)).read(t)), tt.want)
		})
	}
}

func TestVersionAnswers(t *testing.T) {
	tests := []struct{ answer, want string }{
		{`{"version":"0.4.3"}`, "0.4.3"},
		{`{"version":"0.23.1rc1.dev1201+gabc.d20260726"}`, "0.23.1rc1.dev1201+gabc.d20260726"},
		{`{"version":"dev"}`, "dev"},
		{`{"version":""}`, ""},
		{`{"version":7}`, ""},
		{`nonsense`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.answer, func(t *testing.T) {
			c := newClock()
			o := newOverlay(simulator.NewVLLM(simulator.VLLMConfig{Now: c.now}).Handler())
			o.set("/version", tt.answer)
			got := newProbe(t, c, serve(t, o)).read(t)
			if tt.want == "" {
				assert.Empty(t, got.of("vllm.server.info"))
				return
			}
			assert.InDelta(t, 1, got.value(t, "vllm.server.info{service.version="+tt.want+"}"), 0)
		})
	}
}

// TestIdentityOutlivesServer: an alert on a dead server can name its models.
func TestIdentityOutlivesServer(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	p := newProbe(t, c, serve(t, faulty))
	alive := p.read(t)
	faulty.Set(simulator.FaultDropConnection)
	c.advance(24 * time.Hour)
	dead := p.read(t)
	assert.InDelta(t, 0, dead.value(t, "vllm.up"), 0)
	for _, metric := range []string{"vllm.model.info", "vllm.model.context_length", "vllm.server.info"} {
		require.Len(t, dead.of(metric), 1, metric)
		assert.Equal(t, alive.of(metric)[0].attributes, dead.of(metric)[0].attributes)
	}
}

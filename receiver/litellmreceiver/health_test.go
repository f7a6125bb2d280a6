package litellmreceiver

import (
	"encoding/json"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestStoredHealth(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	p := newProbe(t, c, url, withKey, impatient)
	health := func() []float64 {
		var values []float64
		for _, r := range p.read(t).of("litellm.deployment.healthy") {
			assert.Equal(t, "chat", r.attributes["gen_ai.request.model"])
			assert.Equal(t, "qwen3-32b", r.attributes["gen_ai.response.model"])
			assert.Contains(t, []any{"vllm-a:8000", "vllm-b:8000"}, r.attributes["litellm.deployment.address"])
			assert.Len(t, r.attributes["litellm.deployment.id"], 64)
			values = append(values, r.value)
		}
		return values
	}
	assert.ElementsMatch(t, []float64{1, 0}, health(), "of the others nothing is known")
	l.SetHealth(1, true)
	assert.Equal(t, []float64{1, 1}, health())
	assert.Zero(t, l.CostlyChecks())
}

func TestChecks(t *testing.T) {
	const list = `{"data":[
		{"model_name":"chat","litellm_params":{"model":"azure/gpt-35-turbo","api_base":"https://a.example/"},"model_info":{"id":"1"}},
		{"model_name":"chat","litellm_params":{"model":"azure/gpt-35-turbo","api_base":"https://b.example/"},"model_info":{"id":"2"}},
		{"model_name":"x","litellm_params":{"model":"openai/gpt-4o"},"model_info":{"id":"3"}},
		{"model_name":"y","litellm_params":{"model":"openai/gpt-4o"},"model_info":{"id":"4"}}
	]}`
	of := func(id, name, served, address string) string {
		attributes := map[string]any{}
		for key, value := range map[string]string{"litellm.deployment.id": id, "gen_ai.request.model": name, "gen_ai.response.model": served, "litellm.deployment.address": address} {
			if value != "" {
				attributes[key] = value
			}
		}
		return seriesName("litellm.deployment.healthy", attributes)
	}
	for _, tt := range []struct {
		name, health string
		want         map[string]float64
	}{
		{
			"by address", `{"healthy_endpoints":[{"model":"azure/gpt-35-turbo","api_base":"https://a.example/"}],"unhealthy_endpoints":[{"model":"azure/gpt-35-turbo","api_base":"https://b.example/","error":"x"}]}`,
			map[string]float64{of("1", "chat", "gpt-35-turbo", "a.example:443"): 1, of("2", "chat", "gpt-35-turbo", "b.example:443"): 0},
		},
		{"by id", `{"healthy_endpoints":[{"model":"azure/gpt-35-turbo","model_id":"2"}]}`, map[string]float64{of("2", "chat", "gpt-35-turbo", "b.example:443"): 1}},
		{"which of two", `{"healthy_endpoints":[{"model":"openai/gpt-4o"}],"unhealthy_endpoints":[{"model":"openai/gpt-4o"}]}`, map[string]float64{of("", "", "gpt-4o", ""): 0}},
		{"of none that is known", `{"healthy_endpoints":[{"model":"groq/llama","model_id":"9"}],"unhealthy_endpoints":[{}]}`, map[string]float64{of("9", "", "llama", ""): 1}},
		{"empty is not healthy", `{"healthy_endpoints":[],"unhealthy_endpoints":[],"healthy_count":0,"unhealthy_count":0}`, map[string]float64{}},
		{"null", `{"healthy_endpoints":null}`, map[string]float64{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := readDeployments(answerOf(list), 100)
			require.NoError(t, err)
			var answer healthAnswer
			require.NoError(t, json.Unmarshal([]byte(tt.health), &answer))
			p := newProbe(t, newClock(), "http://nowhere")
			recordChecks(p.mb, &told{deployments: d, checks: answer.checks(100)}, p.clock.timestamp())
			found := map[string]float64{}
			for key, r := range readingsOf(t, p.mb.Emit()) {
				found[key] = r.value
			}
			assert.Equal(t, tt.want, found)
		})
	}
	var answer healthAnswer
	require.NoError(t, json.Unmarshal([]byte(`{"healthy_endpoints":[{"model":"a"},{"model":"b"}],"unhealthy_endpoints":[{"model":"c"}]}`), &answer))
	assert.Len(t, answer.checks(2), 2)
	assert.Len(t, sorted(map[string]check{"a": {}, "b": {}}, 1), 1)
	var nothing *deployments
	assert.Nil(t, nothing.find(&check{ID: "1"}))
}

// TestStoredStatus: other words than healthy and unhealthy say nothing.
func TestStoredStatus(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	got := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{
		"/health/latest": says(200, `{"latest_health_checks":{"a":{"model_id":null,"model_name":"a","status":"healthy"},"b":{"model_id":"7","model_name":"b","status":"unknown"},"c":{"status":null}},"total_models":3}`),
	})), withKey).read(t)
	require.Len(t, got.of("litellm.deployment.healthy"), 1)
	assert.InDelta(t, 1, got.value(t, "litellm.deployment.healthy{gen_ai.request.model=a}"), 0)
}

// TestCapturedHealth: the documented answers.
func TestCapturedHealth(t *testing.T) {
	for file, want := range map[string][2]int{"docs-health-basic.json": {2, 1}, "docs-health-batch.json": {1, 0}} {
		text, err := os.ReadFile(captures(t, file)[0])
		require.NoError(t, err)
		var answer healthAnswer
		require.NoError(t, json.Unmarshal(text, &answer))
		good, bad := 0, 0
		for _, one := range answer.checks(100) {
			assert.NotContains(t, one.served, "azure/")
			if one.Status == statusHealthy {
				good++
			} else {
				bad++
			}
		}
		assert.Equal(t, want, [2]int{good, bad}, file)
	}
	text, err := os.ReadFile(captures(t, "docs-health-readiness.json")[0])
	require.NoError(t, err)
	var r readiness
	require.NoError(t, json.Unmarshal(text, &r))
	assert.Equal(t, readiness{Database: "connected", Version: "1.40.21"}, r)
}

// TestHealthCheck: with it switched on the models are called, and no more often than
// told.
func TestHealthCheck(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{NoDatabase: true})
	p := newProbe(t, c, url, withKey, func(cfg *Config) { cfg.HealthCheck.Enabled = true })
	var got readings
	require.Eventually(t, func() bool {
		got = p.read(t)
		return len(got.of("litellm.deployment.healthy")) > 0
	}, 10*time.Second, time.Millisecond)
	assert.Len(t, got.of("litellm.deployment.healthy"), 5)
	assert.Equal(t, 5, l.CostlyChecks(), "each model once")
	assert.Empty(t, got.problems())
	for range 3 {
		p.read(t)
	}
	assert.Equal(t, 5, l.CostlyChecks())
}

// TestHealthCheckFails: it is said, and what was found before stays.
func TestHealthCheckFails(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, NoDatabase: true})
	var asked, bad atomic.Int64
	h := instead(l.Handler(), map[string]http.HandlerFunc{"/health": func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if bad.Load() == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		l.Handler().ServeHTTP(w, r)
	}})
	bad.Store(1)
	p := newProbe(t, c, serve(t, h), withKey, func(cfg *Config) { cfg.HealthCheck.Enabled = true })
	require.Eventually(t, func() bool { return len(p.read(t).problems()) > 0 }, 10*time.Second, time.Millisecond)
	assert.Equal(t, []string{"/health 502"}, p.read(t).problems())
	bad.Store(0)
	p.health.check(t.Context(), p.proxy, 100)
	assert.Empty(t, p.read(t).problems())
	bad.Store(1)
	p.health.check(t.Context(), p.proxy, 100)
	got := p.read(t)
	assert.Equal(t, []string{"/health 502"}, got.problems())
	assert.Len(t, got.of("litellm.deployment.healthy"), 1)
	assert.EqualValues(t, 3, asked.Load())
}

// TestHealthCheckIsBrokenOff: a check under way delays no shutdown.
func TestHealthCheckIsBrokenOff(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	asked := make(chan struct{}, 1)
	h := instead(l.Handler(), map[string]http.HandlerFunc{"/health": func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}})
	p := newProbe(t, c, serve(t, h), withKey, func(cfg *Config) { cfg.HealthCheck.Enabled = true })
	<-asked
	p.read(t)
	begin := time.Now()
	require.NoError(t, p.shutdown(t.Context()))
	assert.Less(t, time.Since(begin), 5*time.Second)
	p.health, p.proxy = nil, nil // the second shutdown has nothing to do
}

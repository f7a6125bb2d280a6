package site

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// view is what can be seen of a world, as the sources show it.
type view struct {
	w     *World
	lines *lines
	from  int // lines before it are of another time
}

func (v *view) gpu(i int) *simulator.GPUState { return v.w.gpus[i].facade.Snapshot() }

func (v *view) container(name string) simulator.DockerContainer {
	c, _ := v.w.docker.Container(simulator.DockerID(name))
	return c
}

// wrote counts the lines with such a text.
func (v *view) wrote(text string) int {
	n := 0
	for _, l := range v.lines.list[v.from:] {
		if strings.Contains(l.text, text) {
			n++
		}
	}
	return n
}

// sample adds up the samples of a name on a page whose labels hold text.
func sample(page []byte, name, text string) float64 {
	sum := 0.0
	for key, v := range counters(page) {
		if strings.HasPrefix(key, name) && strings.Contains(key, text) {
			sum += v
		}
	}
	return sum
}

const (
	aModel  = "vllm-llama-70b" // the first, on GPUs 0 and 1
	another = "vllm-gpt-oss-120b"
)

// symptoms says how each kind of anomaly shows, and where it must not.
var symptoms = map[AnomalyKind]struct {
	after time.Duration
	shows func(*view) bool
	// elsewhere must be false with the anomaly, too.
	elsewhere func(*view) bool
}{
	HotGPU: {
		10 * time.Minute,
		func(v *view) bool { return v.gpu(0).Temperature > 85 && v.gpu(0).Reasons&nvml.ClockEventSWThermal != 0 },
		func(v *view) bool { return v.gpu(1).Temperature > 75 || v.gpu(6).Temperature > 75 },
	},
	GPULost: {
		time.Minute,
		func(v *view) bool {
			return v.w.gpus[0].facade.LostError() != nil && v.container(aModel).RestartCount > 0 && v.wrote("CUDA error") > 0
		},
		func(v *view) bool {
			return v.w.gpus[6].facade.LostError() != nil || v.container(another).RestartCount > 0
		},
	},
	ECCStorm: {
		time.Minute,
		func(v *view) bool {
			s := v.gpu(0)
			return s.ECC[simulator.ECCKey{Kind: nvml.ECCCorrected, Counter: nvml.ECCVolatile, Location: nvml.MemoryDRAM}] > 50 && s.Remapped.Uncorrected == 1
		},
		func(v *view) bool { return len(v.gpu(1).ECC) > 0 },
	},
	NVLinkErrors: {
		time.Minute,
		func(v *view) bool { return v.gpu(0).LinkErrors[0][0] > 50 },
		func(v *view) bool { return v.gpu(1).LinkErrors[0][0] > 0 || v.gpu(0).LinkErrors[5][0] > 0 },
	},
	ModelDown: {
		30 * time.Second,
		func(v *view) bool { return v.container(aModel).State == container.StateExited && v.gpu(1).Used == 0 },
		func(v *view) bool { return v.container(another).State != container.StateRunning },
	},
	ModelStuck: {
		20 * time.Minute,
		func(v *view) bool {
			s := v.w.Models()[0]
			return s.Up() && len(v.w.engines[0].waiting)+len(v.w.engines[0].running) > 10
		},
		func(v *view) bool { return len(v.w.engines[2].running) > 10 },
	},
	SlowModel: {
		30 * time.Minute,
		func(v *view) bool { return v.meanDecode(0) > 0.12 },
		func(v *view) bool { return v.meanDecode(2) > 0.12 },
	},
	LoadingFailure: {
		6 * time.Minute,
		func(v *view) bool {
			c := v.container(aModel)
			return c.State == container.StateExited && c.ExitCode == 1 && v.wrote("CUDA out of memory") == 1
		},
		func(v *view) bool { return v.container(another).State != container.StateRunning },
	},
	RestartLoop: {
		2 * time.Minute,
		func(v *view) bool { return v.container(aModel).RestartCount >= 4 },
		func(v *view) bool { return v.container(another).RestartCount > 0 },
	},
	OOM: {
		26 * time.Second, // it starts again two seconds later
		func(v *view) bool { return v.container(aModel).OOMKilled },
		func(v *view) bool { return v.container(another).OOMKilled },
	},
	ErrorBurst: {
		time.Hour,
		func(v *view) bool { return v.failedShare("llama-3.3-70b") > 0.25 },
		func(v *view) bool { return v.failedShare("gpt-oss-120b") > 0.1 },
	},
	BudgetOverrun: {
		5 * time.Minute,
		func(v *view) bool { return strings.Contains(string(v.w.litellm.Page()), `team_alias="team-1"} -`) },
		func(v *view) bool { return strings.Contains(string(v.w.litellm.Page()), `team_alias="team-2"} -`) },
	},
	ProxyDown: {
		5 * time.Minute,
		func(v *view) bool {
			s := v.w.Proxy()
			return !s.Up() && v.container(proxyContainer).State == container.StateExited && v.w.ledger.unheard > 0
		},
		func(v *view) bool { return v.container(langfuseContainer).State != container.StateRunning },
	},
	LangfuseBehind: {
		30 * time.Minute,
		func(v *view) bool { return v.visibleTraces() == 0 },
		nil,
	},
	DiskFilling: {
		40 * time.Minute,
		func(v *view) bool { d := v.w.Host().Disks[1]; return float64(d.Used) > 0.9*float64(d.Size) },
		func(v *view) bool { d := v.w.Host().Disks[0]; return float64(d.Used) > 0.5*float64(d.Size) },
	},
	LogFlood: {
		10 * time.Second,
		func(v *view) bool { return v.wrote("no free blocks") >= 1900 },
		nil,
	},
	TokenDrift: {
		time.Hour,
		func(v *view) bool { return v.drift(0) > 1.2 },
		func(v *view) bool { return v.drift(2) > 1.1 },
	},
}

// meanDecode is the mean time between the tokens of a server, in seconds.
func (v *view) meanDecode(i int) float64 {
	page := string(v.w.engines[i].vllm.Page())
	n := sample([]byte(page), "vllm:request_decode_time_seconds_count", "")
	tokens := sample([]byte(page), "vllm:generation_tokens_total", "")
	sum := sumOf(page, "vllm:request_decode_time_seconds_sum")
	if n == 0 {
		return 0
	}
	return sum / tokens
}

func sumOf(page, name string) float64 {
	return sample([]byte(strings.ReplaceAll(page, name, name+"_total")), name+"_total", "")
}

func (v *view) failedShare(model string) float64 {
	page := v.w.litellm.Page()
	label := `requested_model="` + model + `"`
	return sample(page, "litellm_proxy_failed_requests_metric_total{", label) / sample(page, "litellm_proxy_total_requests_metric_total{", label)
}

// visibleTraces are those that a reader of Langfuse sees.
func (v *view) visibleTraces() int {
	s := v.w.Analytics()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/api/public/traces?limit=1", http.NoBody)
	r.SetBasicAuth(LangfusePublicKey, LangfuseSecretKey)
	answer := httptest.NewRecorder()
	s.Handler.ServeHTTP(answer, r)
	var body struct {
		Meta struct{ TotalItems int }
	}
	if json.Unmarshal(answer.Body.Bytes(), &body) != nil {
		return -1
	}
	return body.Meta.TotalItems
}

// drift is tokens as the proxy counts them, for each of the server's.
func (v *view) drift(i int) float64 {
	served := sample(v.w.engines[i].vllm.Page(), "vllm:prompt_tokens_total", "")
	return sample(v.w.litellm.Page(), "litellm_input_tokens_metric_total{", `model="`+v.w.engines[i].spec.Served+`"`) / served
}

// TestAnomalies: each shows where it should, and only there; and it ends.
func TestAnomalies(t *testing.T) {
	kinds, about := AnomalyKinds()
	for i, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			symptom, ok := symptoms[kind]
			require.True(t, ok, "a new kind: say how it shows")
			assert.NotEmpty(t, about[i])
			v := &view{lines: new(lines)}
			v.w = New(Config{Seed: 21, Start: mondayNoon, Logs: v.lines.sink})
			healthy := New(Config{Seed: 21, Start: mondayNoon})
			play(healthy, symptom.after)
			assert.False(t, symptom.shows(&view{w: healthy, lines: new(lines)}), "a healthy site shows it, too")

			a, err := v.w.StartAnomaly(kind, "", symptom.after+time.Second)
			require.NoError(t, err)
			assert.Len(t, v.w.Anomalies(), 1)
			play(v.w, symptom.after)
			assert.True(t, symptom.shows(v), "it does not show")
			if symptom.elsewhere != nil {
				assert.False(t, symptom.elsewhere(v), "it shows elsewhere")
			}
			play(v.w, 2*time.Second)
			assert.Empty(t, v.w.Anomalies(), "its time is over")
			assert.False(t, v.w.EndAnomaly(a.ID))
		})
	}
}

// TestRecovery: when an anomaly of a container is over, the server loads and works again.
func TestRecovery(t *testing.T) {
	for _, kind := range []AnomalyKind{GPULost, ModelDown, ModelStuck, LoadingFailure, RestartLoop, OOM} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := New(Config{Seed: 3, Start: mondayNoon})
			a, err := w.StartAnomaly(kind, "", 0)
			require.NoError(t, err)
			play(w, 5*time.Minute)
			assert.True(t, w.EndAnomaly(a.ID))
			play(w, 10*time.Minute)
			server := w.Models()[0]
			assert.True(t, server.Up())
			count := w.litellm.Page()
			play(w, 30*time.Minute)
			const name, label = "litellm_deployment_success_responses_total{", `litellm_model_name="llama-3.3-70b"`
			assert.Greater(t, sample(w.litellm.Page(), name, label), sample(count, name, label))
		})
	}
}

// TestDiskCleared: what filled the disk is gone when somebody has made room, also once it was full.
func TestDiskCleared(t *testing.T) {
	for _, took := range []time.Duration{10 * time.Minute, 50 * time.Minute} {
		w, calm := New(Config{Seed: 3, Start: mondayNoon}), New(Config{Seed: 3, Start: mondayNoon})
		_, err := w.StartAnomaly(DiskFilling, "", took)
		require.NoError(t, err)
		play(w, took-time.Minute)
		assert.Greater(t, w.Host().Disks[1].Used, calm.Host().Disks[1].Used+calm.Host().Disks[1].Size/20)
		play(w, 2*time.Minute)
		play(calm, took+time.Minute)
		assert.InDelta(t, float64(calm.Host().Disks[1].Used), float64(w.Host().Disks[1].Used), 3e9)
	}
}

func TestAnomalyErrors(t *testing.T) {
	w := New(Config{Seed: 1, Start: mondayNoon})
	for _, tt := range []struct {
		kind   AnomalyKind
		target string
		d      time.Duration
		want   string
	}{
		{"fire", "", 0, "the kinds are hot_gpu"},
		{HotGPU, "x", 0, "from 0 to 7"},
		{HotGPU, "8", 0, "from 0 to 7"},
		{ModelDown, "nobody", 0, `such as "vllm-llama-70b"`},
		{ProxyDown, "x", 0, "has no target"},
		{OOM, "", -time.Second, "cannot last"},
	} {
		_, err := w.StartAnomaly(tt.kind, tt.target, tt.d)
		assert.ErrorContains(t, err, tt.want)
	}
	_, err := w.StartAnomaly(ModelDown, "coder", 0)
	require.NoError(t, err, "by its public name")
	_, err = w.StartAnomaly(ModelDown, "qwen3-coder-30b", 0)
	assert.ErrorContains(t, err, "going on already, as number 1")
	spec := Reference()
	spec.GPUs, spec.Models = 1, spec.Models[:1]
	spec.Models[0].GPUs = []int{0}
	_, err = New(Config{Start: mondayNoon, Spec: spec}).StartAnomaly(HotGPU, "0", 0)
	assert.NoError(t, err)
}

// TestProxyRestart: a proxy that comes back is another process. Who was waiting for the old one is gone, and every request
// still ends once.
func TestProxyRestart(t *testing.T) {
	w := New(Config{Seed: 5, Start: mondayNoon, Scenario: HighLoad})
	play(w, 10*time.Minute)
	before := sample(w.litellm.Page(), "litellm_proxy_total_requests_metric_total{", "")
	require.Positive(t, w.proxy.inFlight)
	_, err := w.StartAnomaly(ProxyDown, "", time.Minute)
	require.NoError(t, err)
	play(w, time.Second)
	assert.Zero(t, w.proxy.inFlight)
	play(w, 2*time.Minute)
	page := w.litellm.Page()
	assert.Less(t, sample(page, "litellm_proxy_total_requests_metric_total{", ""), before, "counters begin anew")
	assert.Contains(t, string(page), "litellm_teams_count 4.0")
	w.cfg.Spec.Traffic.PerMinute = 0 // let the last ones end
	play(w, 15*time.Minute)
	assert.Zero(t, w.proxy.inFlight)
	assert.Equal(t, int64(w.requests), w.ledger.succeeded+w.ledger.failed+w.ledger.unheard)
}

package site

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// witness watches a world and checks what must hold at all times.
type witness struct {
	t      *testing.T
	w      *World
	energy []float64 // integrated from the power shown
	pages  []map[string]float64
	starts []time.Time
}

func newWitness(t *testing.T, w *World) *witness {
	t.Helper()
	return &witness{t: t, w: w, energy: make([]float64, len(w.gpus)), pages: make([]map[string]float64, len(w.engines)), starts: make([]time.Time, len(w.engines))}
}

// second plays one step and checks the laws of every moment.
func (x *witness) second() {
	x.t.Helper()
	power := make([]float64, len(x.w.gpus))
	heat := make([]float64, len(x.w.gpus))
	for i, g := range x.w.gpus {
		power[i], heat[i] = g.facade.Snapshot().Power, g.heat
	}
	play(x.w, time.Second)
	for i, g := range x.w.gpus {
		if !g.lost {
			x.energy[i] += power[i]
		}
		// Power may jump; heat follows it with a lag.
		step := math.Abs(g.heat - heat[i])
		require.LessOrEqual(x.t, step, (maxHeat-ambient+brokenCooling)/thermalLag.Seconds(), "GPU %d became %f kelvin warmer in a second", i, step)
		require.LessOrEqual(x.t, g.heat, maxHeat)
	}
	for _, e := range x.w.engines {
		require.LessOrEqual(x.t, len(e.running), e.spec.MaxBatch, e.spec.Container)
		require.LessOrEqual(x.t, e.tokens, e.perf.capacity, e.spec.Container)
		require.GreaterOrEqual(x.t, e.tokens, 0, e.spec.Container)
		sum := 0
		for _, r := range e.running {
			sum += r.prompt + r.output
		}
		require.Equal(x.t, sum, e.tokens, "tokens in the cache are those of the running requests")
	}
}

// counters reads the counters of a page: samples that may not fall.
func counters(page []byte) map[string]float64 {
	found := make(map[string]float64)
	for text := range strings.SplitSeq(string(page), "\n") {
		name, _, _ := strings.Cut(text, "{")
		space := strings.LastIndexByte(text, ' ')
		if space < 0 || text[0] == '#' || !strings.HasSuffix(name, "_total") && !strings.HasSuffix(name, "_count") && !strings.HasSuffix(name, "_bucket") {
			continue
		}
		var v float64
		if _, err := fmt.Sscan(text[space+1:], &v); err == nil {
			found[text[:space]] = v
		}
	}
	return found
}

// minute checks that no counter fell, unless its container was started meanwhile.
func (x *witness) minute() {
	x.t.Helper()
	for i, e := range x.w.engines {
		b := e.box
		started := b.startedAt
		page := counters(e.vllm.Page())
		if started.Equal(x.starts[i]) {
			for name, before := range x.pages[i] {
				require.GreaterOrEqual(x.t, page[name], before, "%s of %s fell", name, b.name)
			}
		}
		x.pages[i], x.starts[i] = page, started
	}
}

// TestLaws plays all scenarios with several seeds and anomalies at random, and checks the laws at every moment.
func TestLaws(t *testing.T) {
	for _, s := range Scenarios() {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/%d", s, seed), func(t *testing.T) {
				t.Parallel()
				w := New(Config{Seed: seed, Start: mondayNoon.Add(time.Duration(seed) * 7 * time.Hour), Scenario: s})
				x := newWitness(t, w)
				rng := rand.New(rand.NewPCG(seed, 99))
				kinds, _ := AnomalyKinds()
				for minute := range 30 {
					if minute%6 == 3 {
						kind := kinds[rng.IntN(len(kinds))]
						if _, err := w.StartAnomaly(kind, "", time.Duration(1+rng.IntN(9))*time.Minute); err != nil {
							t.Log(err) // it goes on already
						}
					}
					for range 60 {
						x.second()
					}
					x.minute()
				}
				for _, a := range w.Anomalies() {
					w.EndAnomaly(a.ID)
				}
				assert.NotZero(t, w.requests)
			})
		}
	}
}

// TestEnergy: what the driver counts is the integral of the power that it shows.
func TestEnergy(t *testing.T) {
	w := New(Config{Seed: 4, Start: mondayNoon, Scenario: HighLoad})
	x := newWitness(t, w)
	require.NoError(t, w.nvml.Init())
	defer func() { require.NoError(t, w.nvml.Shutdown(t.Context())) }()
	energy := func(i int) float64 {
		device, err := w.nvml.Device(i)
		require.NoError(t, err)
		joules, err := device.Energy()
		require.NoError(t, err)
		return joules
	}
	before := make([]float64, len(w.gpus))
	for i := range before {
		before[i] = energy(i)
	}
	for range 600 {
		x.second()
	}
	for i := range w.gpus {
		assert.InEpsilon(t, x.energy[i], energy(i)-before[i], 1e-6, "GPU %d", i)
	}
}

// TestTokens: every token that was admitted is counted by its server, and those of requests that went well by the proxy.
func TestTokens(t *testing.T) {
	w := New(Config{Seed: 11, Start: mondayNoon, Scenario: Degraded})
	play(w, 2*time.Hour)
	w.cfg.Spec.Traffic.PerMinute = 0 // let the last ones end
	play(w, 15*time.Minute)
	for _, e := range w.engines {
		require.Empty(t, e.running, e.spec.Container)
		require.Empty(t, e.waiting, e.spec.Container)
	}
	truth := w.ledger
	assert.Equal(t, int64(w.requests), truth.succeeded+truth.failed+truth.unheard, "each request ends once")
	served, proxied := 0.0, 0.0
	for _, e := range w.engines {
		for name, v := range counters(e.vllm.Page()) {
			if strings.HasPrefix(name, "vllm:prompt_tokens_total") {
				served += v
			}
		}
	}
	for name, v := range counters(w.litellm.Page()) {
		if strings.HasPrefix(name, "litellm_input_tokens_metric_total{") {
			proxied += v
		}
	}
	assert.Equal(t, float64(truth.promptSucceeded), proxied, "the proxy counts what went well")
	assert.Equal(t, float64(truth.promptSucceeded+truth.promptFailed), served, "the servers count what they were given")
}

// TestLifecycle: what happens to a container is what Docker shows.
func TestLifecycle(t *testing.T) {
	w := New(Config{Seed: 2, Start: mondayNoon})
	state := func(name string) simulator.DockerContainer {
		c, ok := w.docker.Container(simulator.DockerID(name))
		require.True(t, ok)
		return c
	}
	const name = "vllm-qwen3-32b"
	play(w, time.Minute)
	assert.Equal(t, container.StateRunning, state(name).State)
	pid := state(name).Pid

	_, err := w.StartAnomaly(OOM, name, time.Second)
	require.NoError(t, err)
	play(w, 20*time.Second)
	assert.Greater(t, state(name).Memory, uint64(150<<30), "it shows before it happens")
	play(w, 5*time.Second)
	assert.True(t, state(name).OOMKilled)
	assert.Equal(t, 137, state(name).ExitCode)
	play(w, 5*time.Second)
	assert.Equal(t, container.StateRunning, state(name).State)
	assert.NotEqual(t, pid, state(name).Pid, "another process")
	assert.Equal(t, 1, state(name).RestartCount, "by its restart policy")
	assert.Equal(t, container.Starting, state(name).Health)
	server := w.Models()[3]
	assert.False(t, server.Up(), "it loads its model")
	play(w, 2*time.Minute)
	assert.True(t, server.Up())
	assert.Equal(t, container.Healthy, state(name).Health)
}

package vllmreceiver

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func enginePageOf(t *testing.T, text string) *enginePage {
	t.Helper()
	page, err := promtext.Parse(strings.NewReader(text), promtext.Options{Keep: wanted})
	require.NoError(t, err)
	return newEnginePage(page)
}

func TestStateTracker(t *testing.T) {
	const (
		work   = "vllm:num_requests_waiting 3\nvllm:generation_tokens_total 10\n"
		more   = "vllm:num_requests_waiting 3\nvllm:generation_tokens_total 11\n"
		prompt = "vllm:num_requests_waiting 3\nvllm:generation_tokens_total 11\nvllm:prompt_tokens_total 1\n"
		frozen = "vllm:num_requests_running 3\nvllm:num_requests_waiting 0\nvllm:generation_tokens_total 10\n"
		awake  = "vllm:engine_sleep_state{sleep_state=\"awake\"} 1\n"
		asleep = "vllm:engine_sleep_state{sleep_state=\"awake\"} 0\n"
		mixed  = "vllm:engine_sleep_state{engine=\"0\",sleep_state=\"awake\"} 0\nvllm:engine_sleep_state{engine=\"1\",sleep_state=\"awake\"} 1\n"
		nobody = "vllm:engine_sleep_state{sleep_state=\"awake\"} NaN\n"
		empty  = ""
		none   = "-" // no page
	)
	yes, no := true, false
	type seen struct {
		page    string
		health  *bool
		silent  bool
		want    serverState
		seconds int // since the one before
	}
	tests := []struct {
		name string
		seen []seen
	}{
		{"ready", []seen{{frozen, &yes, false, stateReady, 0}, {frozen, nil, false, stateReady, 60}}},
		{"loading, then ready", []seen{{none, &no, false, stateLoading, 0}, {none, &no, false, stateLoading, 60}, {work, &yes, false, stateReady, 60}}},
		{"failed after ready", []seen{{work, &yes, false, stateReady, 0}, {work, &no, false, stateFailed, 60}, {none, &no, false, stateFailed, 60}}},
		{"loading after a restart", []seen{{work, &yes, false, stateReady, 0}, {none, nil, true, stateUnreachable, 60}, {none, &no, false, stateLoading, 60}}},
		{"unreachable", []seen{{none, nil, true, stateUnreachable, 0}}},
		{"healthy without metrics", []seen{{none, &yes, false, stateReady, 0}}},
		{"healthy without engine metrics", []seen{{empty, &yes, false, stateReady, 0}}},
		{"nothing known", []seen{{none, nil, false, stateUnknown, 0}, {empty, nil, false, stateUnknown, 60}}},
		{"stuck", []seen{{work, &yes, false, stateReady, 0}, {work, &yes, false, stateReady, 60}, {work, &yes, false, stateReady, 119}, {work, &yes, false, stateStuck, 1}, {work, &yes, false, stateStuck, 60}}},
		{"stuck no more", []seen{{work, nil, false, stateReady, 0}, {work, nil, false, stateReady, 60}, {work, nil, false, stateStuck, 120}, {more, nil, false, stateReady, 60}, {more, nil, false, stateReady, 60}, {prompt, nil, false, stateReady, 300}}},
		{"stuck from the start", []seen{{"vllm:num_requests_waiting 3\n", nil, false, stateReady, 0}, {"vllm:num_requests_waiting 3\n", nil, false, stateStuck, 120}}},
		{"a frozen gauge is not stuck", []seen{{frozen, &yes, false, stateReady, 0}, {frozen, &yes, false, stateReady, 60}, {frozen, &yes, false, stateReady, 6000}}},
		{"a failed scrape starts the wait anew", []seen{{work, nil, false, stateReady, 0}, {work, nil, false, stateReady, 60}, {none, nil, true, stateUnreachable, 60}, {work, nil, false, stateReady, 119}}},
		{"sleeping", []seen{{awake, nil, false, stateReady, 0}, {asleep, nil, false, stateSleeping, 60}, {mixed, nil, false, stateReady, 60}, {nobody, nil, false, stateReady, 60}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tracker := stateTracker{stuckAfter: 2 * time.Minute}
			now := time.Unix(1, 0)
			for i, s := range tt.seen {
				o := observation{answered: !s.silent, healthy: s.health}
				if s.page != none {
					o.page = enginePageOf(t, s.page)
				}
				now = now.Add(time.Duration(s.seconds) * time.Second)
				assert.Equal(t, s.want, tracker.next(o, now), "observation %d", i)
			}
		})
	}
}

func TestStuckSwitchedOff(t *testing.T) {
	tracker := stateTracker{}
	page := enginePageOf(t, "vllm:num_requests_waiting 3\n")
	for i := range 5 {
		assert.Equal(t, stateReady, tracker.next(observation{answered: true, page: page}, time.Unix(int64(i)*3600, 0)))
	}
}

// TestStates goes through a server's life as a whole scraper sees it.
func TestStates(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	p := newProbe(t, c, serve(t, faulty))
	step := func(want, reason string, scrapes int, change func()) {
		t.Helper()
		change()
		var got readings
		for range scrapes {
			got = p.read(t)
		}
		assert.Equal(t, want, got.state(t))
		assert.Equal(t, reason, got.problem(t))
	}
	step("loading", "503", 2, func() { v.SetPhase(simulator.PhaseLoading) })
	step("ready", "", 1, func() { v.SetPhase(simulator.PhaseReady); v.Play(1, time.Minute, 20) })
	step("stuck", "", 3, func() { v.SetLoad(0, simulator.VLLMLoad{WaitingCapacity: 2}) })
	step("ready", "", 1, func() { v.Finish(simulator.VLLMRequest{PromptTokens: 4, OutputTokens: 1, Prefill: time.Second}) })
	step("ready", "", 9, func() { v.SetLoad(0, simulator.VLLMLoad{Running: 2, KVUsage: 0.5}) })
	step("sleeping", "", 1, func() { v.SetSleep(1) })
	step("ready", "", 1, func() { v.SetSleep(0) })
	step("failed", "", 1, func() { v.SetPhase(simulator.PhaseEngineDead) })
	step("unreachable", "connection_error", 1, func() { faulty.Set(simulator.FaultDropConnection) })
	step("loading", "503", 1, func() { faulty.Set(simulator.FaultNone); v.SetPhase(simulator.PhaseLoading) })
	step("ready", "", 1, v.Restart)
	step("unknown", "401", 1, func() { faulty.Set(simulator.FaultUnauthorized) })
}

// TestHealthHidden: a proxy that hides the health check says nothing about the
// engine.
func TestHealthHidden(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			http.NotFound(w, r)
			return
		}
		v.Handler().ServeHTTP(w, r)
	}))
	assert.Equal(t, "ready", newProbe(t, c, url).read(t).state(t))

	v.SetPhase(simulator.PhaseEngineDead)
	unasked := func(cfg *Config) { cfg.Endpoints[0].Paths.Health = "" }
	assert.Equal(t, "ready", newProbe(t, c, serve(t, v.Handler()), unasked).read(t).state(t))
}

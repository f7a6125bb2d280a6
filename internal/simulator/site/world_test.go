package site

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fingerprint is of all that the facades serve and all that was logged.
func fingerprint(t *testing.T, w *World, l *lines) string {
	t.Helper()
	h := sha256.New()
	for _, e := range w.engines {
		h.Write(e.vllm.Page())
	}
	for _, g := range w.gpus {
		fmt.Fprintf(h, "%+v\n", *g.facade.Snapshot())
	}
	h.Write(w.litellm.Page())
	fmt.Fprintf(h, "%+v %+v\n", w.Host(), w.langfuse.Totals(w.cfg.Start, w.Now().Add(time.Hour)))
	fmt.Fprintf(h, "%v\n", l.list)
	return hex.EncodeToString(h.Sum(nil))
}

// TestDeterminism: the same seed, scenario timeline and time give the same bytes, however the time is cut into pieces.
func TestDeterminism(t *testing.T) {
	run := func(seed uint64, pieces ...time.Duration) string {
		var l lines
		w := New(Config{Seed: seed, Start: mondayNoon, Logs: l.sink})
		switchAt := 20 * time.Minute
		at := time.Duration(0)
		for i := 0; at < 40*time.Minute; i++ {
			next := min(at+pieces[i%len(pieces)], 40*time.Minute)
			if at < switchAt && next >= switchAt {
				w.Advance(mondayNoon.Add(switchAt))
				w.SetScenario(Degraded)
				_, err := w.StartAnomaly(RestartLoop, "vllm-qwen3-32b", 5*time.Minute)
				require.NoError(t, err)
			}
			w.Advance(mondayNoon.Add(next))
			at = next
		}
		return fingerprint(t, w, &l)
	}
	whole := run(7, 40*time.Minute)
	assert.Equal(t, whole, run(7, 40*time.Minute), "twice the same")
	assert.Equal(t, whole, run(7, 1700*time.Millisecond, 13*time.Second, 400*time.Millisecond), "in pieces")
	assert.NotEqual(t, whole, run(8, 40*time.Minute), "another seed")
}

// TestTraffic: the reference site has 10 to 20 requests a minute over a working day, fewer at night and on weekends.
func TestTraffic(t *testing.T) {
	rate := func(start time.Time, d time.Duration) float64 {
		w := New(Config{Seed: 3, Start: start})
		play(w, d)
		return float64(w.requests) / d.Minutes()
	}
	day := rate(mondayNoon.Add(-4*time.Hour), 8*time.Hour)
	night := rate(mondayNoon.Add(-12*time.Hour), 4*time.Hour)
	sunday := rate(mondayNoon.Add(-28*time.Hour), 8*time.Hour)
	assert.Greater(t, day, 10.0)
	assert.Less(t, day, 20.0)
	assert.Less(t, night, 0.8*day)
	assert.Less(t, sunday, 0.7*day)
}

// TestScenarios: what each of them is chosen for.
func TestScenarios(t *testing.T) {
	busiest := func(s Scenario) float64 {
		w := New(Config{Seed: 5, Start: mondayNoon, Scenario: s})
		sums := make([]float64, len(w.gpus))
		const minutes = 20
		for range minutes * 60 {
			play(w, time.Second)
			for i, g := range w.gpus {
				idle := 1.0
				for _, b := range g.busy {
					idle *= 1 - b
				}
				sums[i] += 1 - idle
			}
		}
		best := 0.0
		for _, sum := range sums {
			best = max(best, sum/(minutes*60))
		}
		return best
	}
	assert.InDelta(t, 0.3, busiest(Normal), 0.2)
	assert.Greater(t, busiest(HighLoad), 0.85)
	assert.Less(t, busiest(Maintenance), 0.1)
}

func TestScaled(t *testing.T) {
	spec := Scaled(Reference(), 100, 1000)
	assert.Equal(t, 100, spec.GPUs)
	require.Len(t, spec.Models, 1000)
	names := make(map[string]bool)
	for _, m := range spec.Models {
		names[m.Container] = true
		for _, g := range m.GPUs {
			assert.Less(t, g, 100)
		}
	}
	assert.Len(t, names, 1000)
	w := New(Config{Seed: 1, Start: mondayNoon, Spec: spec})
	play(w, 10*time.Second)
	assert.NotZero(t, w.requests)
	page := string(w.litellm.Page())
	assert.Contains(t, page, `litellm_proxy_total_requests_metric_total{`)
	assert.NotContains(t, page, `user="user-`, "it would be a page of a gigabyte")
	assert.Contains(t, page, `litellm_remaining_team_budget_metric{team="team-1-id"`)
	assert.Equal(t, Reference(), Scaled(Reference(), 0, 0))
	small := Scaled(Reference(), 1, 0)
	assert.Len(t, small.Models, len(Reference().Models))
	assert.Equal(t, []int{0}, small.Models[1].GPUs, "as many GPUs as there are")
}

func TestParseScenario(t *testing.T) {
	for _, s := range Scenarios() {
		got, err := ParseScenario(string(s))
		require.NoError(t, err)
		assert.Equal(t, s, got)
		assert.Contains(t, behaviours, s)
	}
	_, err := ParseScenario("chaos")
	assert.ErrorContains(t, err, "normal, high_load, degraded, maintenance")
}

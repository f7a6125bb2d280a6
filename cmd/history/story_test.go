package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// told is what a story does to a site: the scenario and how many anomalies there are
// at each hour.
func told(seed uint64, perWeek float64, days int) (scenarios map[site.Scenario]int, kinds map[site.AnomalyKind]bool, incidents int) {
	start := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC) // a Saturday
	w := site.New(site.Config{Seed: seed, Start: start, Step: time.Minute})
	s := newStory(seed, start, perWeek)
	scenarios, kinds = make(map[site.Scenario]int), make(map[site.AnomalyKind]bool)
	for now := start; now.Before(start.AddDate(0, 0, days)); now = now.Add(15 * time.Minute) {
		s.direct(w)
		w.Advance(now)
		scenarios[w.Scenario()]++
		for _, a := range w.Anomalies() {
			kinds[a.Kind] = true
		}
	}
	return scenarios, kinds, s.told
}

func TestStory(t *testing.T) {
	scenarios, kinds, incidents := told(1, 140, 2)
	assert.Equal(t, 2*4, scenarios[site.Maintenance], "two hours of Sunday, in quarters")
	assert.Equal(t, 2*24*4, scenarios[site.Maintenance]+scenarios[site.Normal])
	assert.InDelta(t, 40, incidents, 15)
	assert.Greater(t, len(kinds), 10, "of all kinds")

	_, again, same := told(1, 140, 2)
	assert.Equal(t, kinds, again)
	assert.Equal(t, incidents, same, "the same seed tells the same")

	_, none, quiet := told(1, 0, 1)
	assert.Empty(t, none)
	assert.Zero(t, quiet)
}

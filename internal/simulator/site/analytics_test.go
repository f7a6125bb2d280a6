package site

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestAnalyticsForgets: what is older than the retention at night, and what is too much at any hour.
func TestAnalyticsForgets(t *testing.T) {
	spec := Reference()
	spec.Traffic.PerMinute = 1
	w := New(Config{Seed: 4, Start: mondayNoon, Step: time.Minute, Spec: spec})
	traces := func(from, to time.Duration) int {
		return w.langfuse.Totals(mondayNoon.Add(from), mondayNoon.Add(to)).Traces
	}
	const night = 12 * time.Hour // the first one

	w.Advance(mondayNoon.Add(night + langfuseRetention*24*time.Hour - time.Minute))
	assert.NotZero(t, traces(0, night), "not yet")
	play(w, 2*time.Minute)
	assert.Zero(t, traces(0, night))
	assert.NotZero(t, traces(night, night+time.Hour))

	at := w.Now().Sub(mondayNoon).Truncate(time.Hour)
	w.analytics.traces[len(w.analytics.traces)-5] = mostTraces
	play(w, time.Hour)
	assert.Zero(t, traces(0, at-4*time.Hour+time.Minute), "the hour that was too much, and all before")
	assert.NotZero(t, traces(at-3*time.Hour, at))

	w.analytics.traces[len(w.analytics.traces)-1] = mostTraces + 1
	play(w, time.Hour)
	assert.NotZero(t, traces(at+time.Hour, at+2*time.Hour), "who reads it is minutes behind")
	assert.Zero(t, traces(0, at+time.Hour))
}

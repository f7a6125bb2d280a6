package site

import (
	"math"
	"slices"
	"time"
)

// traffic is how often requests arrive.
type traffic struct {
	// noise is the factor of the present hour, burst that of the present minute.
	hour, minute int64
	noise, burst float64
}

// arrivals draws when requests arrive in a step.
func (t *traffic) arrivals(w *World, from, until time.Duration) []time.Duration {
	rate := t.rate(w, from) / 60
	n := poisson(w.random.arrivals, rate*(until-from).Seconds())
	at := make([]time.Duration, n)
	for i := range at {
		at[i] = from + time.Duration(w.random.arrivals.Float64()*float64(until-from))
	}
	slices.Sort(at)
	return at
}

// rate is the mean number of requests a minute at d: the daily cycle with its peak at 14:00 UTC, quiet weekends, noise from
// hour to hour, bursts in some minutes.
func (t *traffic) rate(w *World, d time.Duration) float64 {
	s := &w.cfg.Spec.Traffic
	now := w.cfg.Start.Add(d).UTC()
	if hour := now.Unix() / 3600; hour != t.hour {
		t.hour = hour
		t.noise = math.Exp(s.Noise * w.random.arrivals.NormFloat64())
	}
	if minute := now.Unix() / 60; minute != t.minute {
		t.minute = minute
		t.burst = 1
		if w.random.arrivals.Float64() < s.BurstShare {
			t.burst = s.BurstFactor
		}
	}
	rate := s.PerMinute * daily(now, s.Daily) * t.noise * t.burst
	if day := now.Weekday(); day == time.Saturday || day == time.Sunday {
		rate *= 1 - s.Weekend
	}
	return rate * w.effects.load()
}

// daily is the factor of the time of day: 1 at 14:00 UTC, 1 - depth at 02:00.
func daily(now time.Time, depth float64) float64 {
	hours := float64(now.Hour()) + float64(now.Minute())/60
	return 1 - depth*(1-math.Cos((hours-14)/24*2*math.Pi))/2
}

package vllmreceiver

import (
	"math"
	"time"
)

// startTracker knows since when the counters of a server count. A counter that
// falls without a new start time would look like a huge rate to some backends.
type startTracker struct {
	start time.Time

	// told is when the server says that it started, 0 if it never did; counted
	// and seen are of the last page.
	told    float64
	counted float64
	seen    time.Time
}

// observe returns whether the counters began anew since the last page.
func (t *startTracker) observe(page *enginePage, now time.Time) (restarted bool) {
	first := t.seen.IsZero()
	// The earliest _created drifts by fractions as series appear; a restart is
	// a matter of seconds.
	moved := page.start > 0 && t.told > 0 && math.Abs(page.start-t.told) > 1
	fell := isNumber(page.counted) && page.counted < t.counted
	restarted = first || moved || fell
	if restarted {
		t.start = unixTime(page.start)
		switch {
		case page.start > 0 && t.start.After(t.seen) && !t.start.After(now):
		case first:
			t.start = now
		default:
			// Not told, or by a clock that is off. The counters began somewhere
			// between the last page and this one, and the new life must not
			// overlap the old one.
			t.start = t.seen.Add(time.Millisecond)
		}
	}
	if page.start > 0 {
		t.told = page.start
	}
	if isNumber(page.counted) {
		t.counted = page.counted
	}
	t.seen = now
	return restarted
}

func unixTime(seconds float64) time.Time {
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9))
}

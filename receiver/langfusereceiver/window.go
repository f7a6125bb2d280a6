package langfusereceiver

import (
	"slices"
	"time"
)

const day = 24 * time.Hour

// spans are the lengths that a window may have. Each divides the day, so that all
// windows lie on one grid of UTC days, whatever they were before a change.
var spans = []time.Duration{
	time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour, day,
}

const (
	shortestWindow = 5 * time.Minute
	// shortestSpan is how far a window is split that the server cannot answer whole.
	shortestSpan = time.Minute
)

// window is the time from (inclusive) to to (exclusive).
type window struct{ from, to time.Time }

func (w window) length() time.Duration { return w.to.Sub(w.from) }

// atLeast is the shortest span that is not shorter than wish.
func atLeast(wish time.Duration) time.Duration {
	for _, span := range spans {
		if span >= wish {
			return span
		}
	}
	return day
}

// narrower is the longest span that is at most half as long.
func narrower(than time.Duration) time.Duration {
	for _, span := range slices.Backward(spans) {
		if span <= than/2 {
			return span
		}
	}
	return shortestSpan
}

// wider is the next longer span.
func wider(than time.Duration) time.Duration { return atLeast(than + 1) }

// nextWindow is what follows end: the rest of the day or of the span most, as far
// as it lies before edge. A short window follows end regularly; a long one, after
// an outage, saves queries. false: nothing does.
func nextWindow(end, edge time.Time, most time.Duration) (window, bool) {
	to := end.Truncate(most).Add(most)
	if to.After(edge) {
		to = edge
	}
	return window{end, to}, to.After(end)
}

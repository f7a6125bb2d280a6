package langfusereceiver

import "time"

const (
	// worthTelling is how much must be missing for the log to tell of it.
	worthTelling = 2 * time.Hour
	// Progress is told after so many percent, if that took a while, or so long.
	tellPercent = 10
	tellWhile   = 10 * time.Second
	tellAfter   = 10 * time.Minute
)

// catchUp tells how far the reading of the backlog, or of what an outage left, is.
type catchUp struct {
	whole time.Duration
	told  int
	at    time.Time
}

// follow notes how much is missing, in all views together.
func (w *worker) follow(views []*view, lengths map[string]time.Duration, now time.Time) {
	missing, most := time.Duration(0), time.Duration(0)
	for _, v := range views {
		behind := w.behind(v, lengths[v.name], now)
		missing += behind
		most = max(most, behind)
	}
	c := &w.catchUp
	switch {
	case c.whole == 0 && most > worthTelling+longest(lengths):
		*c = catchUp{whole: missing, at: now}
		w.journal.behind(most)
	case c.whole == 0:
	case most == 0:
		*c = catchUp{}
		w.journal.caughtUp()
	default:
		percent := int(100 * (c.whole - missing) / c.whole)
		passed := now.Sub(c.at)
		if percent >= c.told+tellPercent && passed >= tellWhile || passed >= tellAfter {
			c.told, c.at = percent, now
			w.journal.progress(percent, most)
		}
	}
}

func longest(lengths map[string]time.Duration) time.Duration {
	most := time.Duration(0)
	for _, length := range lengths {
		most = max(most, length)
	}
	return most
}

// behind is how much of a view is closed and not read.
func (w *worker) behind(v *view, length time.Duration, now time.Time) time.Duration {
	return w.state.behind(v, w.edge(length, now))
}

// behind is how much of a view before edge is not read. Daily figures are read as
// they are, so that nothing can be behind.
func (s *state) behind(v *view, edge time.Time) time.Duration {
	if v.snapshot() || v.read == nil {
		return 0
	}
	return max(edge.Sub(s.Cursors[v.name].End), 0)
}

package langfusereceiver

import (
	"context"
	"time"
)

// task is the next window to read.
type task struct {
	view *view
	window
	// length is that of a regular window of the view.
	length time.Duration
}

// edge is the end of the last window of a length that is closed: what belongs to it
// has had ingestion_delay to arrive.
func (w *worker) edge(length time.Duration, now time.Time) time.Time {
	return now.Add(-w.cfg.IngestionDelay).Truncate(length)
}

// begin gives each view that has none a cursor, stored before anything is read: a
// restart must not move the beginning.
func (w *worker) begin(ctx context.Context, views []*view, lengths map[string]time.Duration, now time.Time) {
	next := w.state.clone()
	changed := false
	for _, v := range views {
		c, known := next.Cursors[v.name]
		edge := w.edge(lengths[v.name], now)
		switch {
		case v.snapshot():
			continue
		case !known:
			c = cursor{End: edge, Backlog: edge}
			if w.cfg.Storage != nil && w.cfg.Backlog > 0 { // without, each restart would count the backlog again
				c.End = edge.Add(-w.cfg.Backlog).Truncate(day) // the daily figures have whole days only
			}
			if next.Started.IsZero() || c.End.Before(next.Started) {
				next.Started = c.End
			}
		case !c.End.Before(c.Backlog) && edge.Sub(c.End) > w.cfg.MaxCatchUp:
			from := c.End
			c.End, c.Counted = edge.Add(-w.cfg.MaxCatchUp).Truncate(day).Add(day), nil
			w.journal.hole(v.name, from, c.End)
		default:
			continue
		}
		next.Cursors[v.name] = c
		changed = true
	}
	if changed {
		w.publish(ctx, next)
	}
}

// choose finds the window to read next: of the last ones those that are not added
// up, as they would soon be late; then the oldest. If none is due, nil, and how
// long until one is.
func (w *worker) choose(api apiName, views []*view, lengths map[string]time.Duration, now time.Time) (*task, time.Duration) {
	if api == apiDaily {
		return w.chooseDaily(views, lengths, now)
	}
	var best *task
	pause := idle
	for _, v := range views {
		length := lengths[v.name]
		if wait := w.retries.wait(v.name, now); wait > 0 {
			pause = min(pause, wait)
			continue
		}
		t := w.due(v, length, now)
		if t == nil {
			end := w.state.Cursors[v.name].End
			pause = min(pause, end.Truncate(length).Add(length).Add(w.cfg.IngestionDelay).Sub(now))
			continue
		}
		if best == nil || v.snapshot() && !best.view.snapshot() || v.snapshot() == best.view.snapshot() && t.from.Before(best.from) {
			best = t
		}
	}
	return best, pause
}

// due is the next window of a view, nil if it is not closed yet.
func (w *worker) due(v *view, length time.Duration, now time.Time) *task {
	end, edge := w.state.Cursors[v.name].End, w.edge(length, now)
	most := w.spans.of(v.name)
	if !v.snapshot() {
		next, ok := nextWindow(end, edge, most)
		if !ok {
			return nil
		}
		return &task{v, next, length}
	}
	if !end.Before(edge) {
		return nil
	}
	return &task{v, window{edge.Add(-min(length, most)), edge}, length}
}

// spanLimits are how long the windows of views may be, after the server could not
// answer for longer ones.
type spanLimits struct {
	most map[string]time.Duration
	// good counts the windows read since.
	good map[string]int
}

// goodBefore is how many windows are read before a longer one is tried again.
const goodBefore = 3

func newSpanLimits() *spanLimits {
	return &spanLimits{make(map[string]time.Duration), make(map[string]int)}
}

func (s *spanLimits) of(name string) time.Duration {
	if most, ok := s.most[name]; ok {
		return most
	}
	return day
}

// narrow makes the next windows shorter than this one; false: they cannot be.
func (s *spanLimits) narrow(name string, length, least time.Duration) bool {
	s.good[name] = 0
	if length <= least {
		return false
	}
	s.most[name] = max(narrower(length), least)
	return true
}

// succeed lets windows be longer again after some that were read.
func (s *spanLimits) succeed(name string) {
	most, ok := s.most[name]
	if !ok {
		return
	}
	if s.good[name]++; s.good[name] < goodBefore {
		return
	}
	s.good[name] = 0
	if s.most[name] = wider(most); s.most[name] == day {
		delete(s.most, name)
	}
}

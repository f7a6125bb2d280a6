package langfusereceiver

import (
	"context"
	"time"
)

// ask reads a window, adds it to the totals and publishes them. An error means that
// nothing was counted.
func (w *worker) ask(ctx context.Context, api apiName, t *task, lacks lacking, now time.Time) error {
	next := w.state.clone()
	var (
		seen header
		err  error
	)
	if api == apiDaily {
		seen, err = w.askDaily(ctx, next, t, now)
	} else {
		seen, err = w.askWindow(ctx, next, api, t, lacks)
	}
	if err != nil || ctx.Err() != nil {
		return err
	}
	if skew, news := w.board.see(seen); news {
		w.journal.skew(skew)
	}
	if seen.last {
		next.Until = seen.reset
		if !seen.reset.After(now) { // not told, or nonsense
			next.Until = now.Add(w.cfg.Retry.MaxInterval)
		}
	}
	w.answered(next, api, lacks, now)
	w.wellAgain(t.view.name)
	w.publish(ctx, next)
	return nil
}

// askWindow reads a window of v1 or v2.
func (w *worker) askWindow(ctx context.Context, next *state, api apiName, t *task, lacks lacking) (header, error) {
	v := t.view
	rows, seen, err := w.server.metrics(ctx, api, v.query(t.window, lacks))
	if err != nil {
		return seen, err
	}
	truncated := len(rows) >= rowLimit
	if truncated && !v.snapshot() && w.spans.narrow(v.name, t.window.length(), w.least(api, t)) {
		w.journal.narrowed(v.name, w.spans.of(v.name))
		return seen, nil // next is as before: what was cut is not counted
	}
	before := next.Cursors[v.name]
	if truncated && !before.Truncated {
		w.journal.truncated(v.name, t.window)
	}
	if before.Truncated && before.From.Truncate(t.length).Equal(t.from.Truncate(t.length)) {
		truncated = true // so was another part of this window
	}
	r := v.read(rows, w.names)
	if v.entire && truncated || (v.entire || !v.snapshot()) && t.window.length() != t.length {
		clear(r.values) // they are not those of a regular window
	}
	next.count(v, t.window, r, truncated)
	w.spans.succeed(v.name)
	return seen, nil
}

// least is how far a window is split whose answer has too many rows. Where queries
// are few, not at all: the view would never catch up.
func (w *worker) least(api apiName, t *task) time.Duration {
	if w.cfg.queriesPerDay(api) > 0 {
		return t.length
	}
	return shortestSpan
}

// answered notes that an API answered.
func (w *worker) answered(next *state, api apiName, lacks lacking, now time.Time) {
	if w.probing {
		next.Probed, next.Version = now, w.version
		next.Lacks = map[apiName]lacking{api: lacks}
	}
	if next.API != api {
		w.journal.api(next.API, api)
		next.API = api
	}
	w.wellAgain(placeQueries)
}

// wellAgain notes that what failed works.
func (w *worker) wellAgain(place string) {
	w.retries.succeed(place)
	if !w.board.wrong(place, "") {
		return
	}
	if place == placeQueries {
		w.journal.queries("", nil)
	} else {
		w.journal.view(place, "", nil)
	}
}

// failedTask decides what to do about an error. It returns how long to sleep.
func (w *worker) failedTask(ctx context.Context, api apiName, t *task, lacks lacking, now time.Time, err error) time.Duration {
	name := t.view.name
	switch classOf(err) {
	case classBad:
		next := w.state.clone()
		if beyondReach(err) && now.Sub(t.to) > day {
			w.journal.beyondReach(name, t.window)
			next.count(t.view, t.window, newReading(), false)
		} else {
			parts := t.view.blame(complaint(err), lacks)
			w.answered(next, api, lacks, now)
			next.Lacks[api] = lacks.with(name, parts...)
			if w.newlyLacking(name, parts) {
				w.journal.lacks(name, parts, err)
			}
		}
		w.publish(ctx, next)
		return 0
	case classHeavy:
		if w.spans.narrow(name, t.window.length(), shortestSpan) {
			w.journal.narrowed(name, w.spans.of(name))
		}
	case classLimited, classEverywhere:
		return w.failed(ctx, placeQueries, now, err)
	}
	w.failed(ctx, name, now, err)
	if w.cfg.queriesPerDay(api) > 0 { // what is left must do for the other views
		w.retries.postpone(name, now.Add(t.length))
	}
	return 0
}

// newlyLacking says whether the log does not tell yet that a part is lacking.
func (w *worker) newlyLacking(name string, parts []string) bool {
	news := false
	for _, part := range parts {
		known := join(name, part)
		news = news || !w.told[known]
		w.told[known] = true
	}
	return news
}

// failed notes that a view or all of them cannot be read, and when to try again.
func (w *worker) failed(ctx context.Context, place string, now time.Time, err error) time.Duration {
	reason := reasonOf(err)
	pause := w.retries.fail(place, now)
	if asked := pauseOf(err); asked > pause {
		pause = asked
		w.retries.postpone(place, now.Add(asked))
	}
	news := w.board.wrong(place, reason)
	if classOf(err) == classLimited {
		next := w.state.clone()
		next.Until = now.Add(pause)
		if news {
			w.journal.limited(next.Until, err)
		}
		w.publish(ctx, next)
		return pause
	}
	if news && place == placeQueries {
		w.journal.queries(reason, err)
	} else if news {
		w.journal.view(place, reason, err)
	}
	return pause
}

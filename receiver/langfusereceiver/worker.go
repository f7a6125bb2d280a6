package langfusereceiver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

const (
	// idle is the longest sleep: the worker looks up at least so often.
	idle = time.Hour
	// projectAge is how long the name of the project is taken for right.
	projectAge = time.Hour
	// probeAge is how long a better API counts as absent, and what the server did not
	// know as unknown, unless the version changes.
	probeAge = day
	// soon is the sleep after which something else is to be done at once.
	soon = time.Millisecond
)

// worker reads the windows, one query at a time, in a goroutine of its own. Each
// window is added to the totals, stored with its end, and only then published: a
// crash anywhere in between leads to the same totals.
type worker struct {
	cfg     *Config
	server  server
	store   *store
	board   *board
	journal *journal
	// wake ends its sleep when the server was asked for its health first, is well
	// again, or is another version.
	wake <-chan struct{}

	// state is what was published last; nil before it was loaded.
	state   *state
	names   *names
	budgets map[apiName]*budget
	retries *retries
	spans   *spanLimits
	catchUp catchUp
	// asked is when the project was read.
	asked time.Time
	// version is that of the server at the beginning of the step, empty if unknown.
	version string
	// probing says that in this step it is found out anew what the server offers.
	probing bool
	// told are the parts that the log says are lacking.
	told map[string]bool
}

func newWorker(cfg *Config, srv server, st *store, b *board, j *journal, wake <-chan struct{}) *worker {
	return &worker{
		cfg: cfg, server: srv, store: st, board: b, journal: j, wake: wake,
		names: newNames(cfg), retries: newRetries(cfg.Retry), spans: newSpanLimits(),
		budgets: make(map[apiName]*budget), told: make(map[string]bool),
	}
}

func (w *worker) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			w.retries.wake()
		case <-timer.C:
		}
		timer.Reset(w.step(ctx))
	}
}

// catchUpNow does all that is due.
func (w *worker) catchUpNow(ctx context.Context) {
	select {
	case <-w.wake:
		w.retries.wake()
	default:
	}
	for w.step(ctx) <= soon && ctx.Err() == nil {
	}
}

// step does one thing and returns how long to sleep.
func (w *worker) step(ctx context.Context) time.Duration {
	if w.state == nil && !w.load(ctx) {
		return w.retries.wait(placeStorage, w.board.now())
	}
	defer w.show()
	known := false
	if w.version, known = w.board.version(); !known {
		return idle // until it is
	}
	now := w.board.now()
	w.probing = w.state.API == "" || now.Sub(w.state.Probed) >= probeAge || w.version != "" && w.version != w.state.Version
	if pause := w.state.Until.Sub(now); pause > 0 {
		return min(pause, idle)
	}
	if pause := w.retries.wait(placeQueries, now); pause > 0 {
		return pause
	}
	if !w.knowProject(ctx, now) {
		return soon
	}
	failure := errNoAPI
	for _, api := range w.candidates() {
		pause, err := w.try(ctx, api, now)
		if err == nil || ctx.Err() != nil {
			return min(max(pause, soon), idle)
		}
		if classOf(err) != classGone {
			failure = err
		}
	}
	if w.state.API != "" { // it was the only one, and is no more
		next := w.state.clone()
		next.API = ""
		w.publish(ctx, next)
		return soon
	}
	return w.failed(ctx, placeQueries, now, failure)
}

// load takes up what was stored.
func (w *worker) load(ctx context.Context) bool {
	now := w.board.now()
	st, left, err := w.store.load(ctx)
	var corrupt *corruptError
	switch {
	case errors.As(err, &corrupt):
		w.journal.corrupt(err)
	case err != nil:
		err = &storageError{err}
		if w.board.wrong(placeStorage, reasonOf(err)) {
			w.journal.unread(err)
		}
		w.retries.fail(placeStorage, now)
		return false
	}
	w.retries.succeed(placeStorage)
	if w.board.wrong(placeStorage, "") {
		w.journal.storage(nil)
	}
	if st != nil {
		if end := st.end(); !end.IsZero() && now.Sub(end) > w.cfg.MaxCatchUp {
			w.journal.tooOld(end, w.cfg.MaxCatchUp)
			st = nil
		}
	}
	if st == nil {
		st = newState()
	}
	w.state = st
	w.names.learn(st.Totals)
	for _, api := range []apiName{apiV2, apiDaily} {
		w.budgets[api] = &budget{fuel: left[api]}
	}
	w.budgets[apiV1] = w.budgets[apiV2] // they share one at the server
	return true
}

// knowProject makes sure that the figures are those of the project that the key
// belongs to.
func (w *worker) knowProject(ctx context.Context, now time.Time) bool {
	if !w.asked.IsZero() && now.Sub(w.asked) < projectAge {
		return true
	}
	before := w.state.Project
	p, err := w.server.project(ctx)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil && classOf(err) == classGone:
		p = project{Key: w.cfg.fingerprint()}
		if before.ID != "" {
			p = before
		}
	case err != nil:
		w.failed(ctx, placeQueries, now, err)
		return false
	}
	w.asked = now
	if p == before {
		return true
	}
	next := w.state.clone()
	if before != (project{}) && !before.is(p) {
		w.journal.otherProject(before, p)
		next = newState()
		w.names = newNames(w.cfg)
	} else {
		w.journal.project(p)
	}
	next.Project = p
	w.publish(ctx, next)
	return true
}

// candidates are the APIs to try: the one in use, and from time to time the better
// ones before it.
func (w *worker) candidates() []apiName {
	all := []apiName{apiV2, apiV1, apiDaily}
	i := slices.Index(all, w.state.API)
	switch {
	case i < 0:
		return all
	case w.probing:
		return all[:i+1]
	}
	return all[i : i+1]
}

// offered lists what is read of an API, and how long the windows are.
func (w *worker) offered(api apiName, lacks lacking) ([]*view, map[string]time.Duration) {
	views := slices.DeleteFunc(viewsOf(api, w.cfg), func(v *view) bool { return lacks.has(v.name, whole) })
	return views, plan(views, w.cfg.Window, w.cfg.queriesPerDay(api))
}

// try reads the window of an API that is due, if one is, and returns how long to
// sleep. An error means that the server does not have this API.
func (w *worker) try(ctx context.Context, api apiName, now time.Time) (time.Duration, error) {
	lacks := w.state.Lacks[api]
	if w.probing { // it may have more by now
		lacks = nil
	}
	views, lengths := w.offered(api, lacks)
	w.begin(ctx, views, lengths, now)
	w.follow(views, lengths, now)
	t, pause := w.choose(api, views, lengths, now)
	if t == nil {
		return pause, nil
	}
	allowed := w.budgets[api]
	allowed.limit(w.cfg.queriesPerDay(api), now)
	if pause = allowed.wait(now); pause > 0 {
		return pause, nil
	}
	allowed.spend()
	w.saveFuel(ctx)
	err := w.ask(ctx, api, t, lacks, now)
	switch {
	case err == nil, ctx.Err() != nil:
		return 0, nil
	case classOf(err) == classGone, api != w.state.API && classOf(err) == classPassing:
		return 0, err
	}
	return w.failedTask(ctx, api, t, lacks, now, err), nil
}

// publish stores a state and shows it, in this order.
func (w *worker) publish(ctx context.Context, next *state) {
	w.stored(w.store.saveState(ctx, next))
	w.state = next
}

func (w *worker) saveFuel(ctx context.Context) {
	left := make(map[apiName]fuel)
	for api, b := range w.budgets {
		if b.perDay > 0 {
			left[api] = b.fuel
		}
	}
	if len(left) > 0 {
		w.stored(w.store.saveFuel(ctx, left))
	}
}

// stored notes whether the storage could be written.
func (w *worker) stored(err error) {
	reason := ""
	if err != nil {
		reason = reasonStorage
	}
	if w.board.wrong(placeStorage, reason) {
		w.journal.storage(err)
	}
}

// show lets the scraper see what was read.
func (w *worker) show() {
	api := cmp.Or(w.state.API, apiV2)
	views, lengths := w.offered(api, w.state.Lacks[api])
	r := &report{state: w.state, budget: *w.budgets[api]}
	for _, v := range views {
		r.views = append(r.views, viewReport{v, lengths[v.name]})
	}
	w.board.publish(r)
	for _, kind := range w.names.news() {
		w.journal.full(kind)
	}
}

package langfusereceiver

import (
	"context"
	"slices"
	"time"
)

// viewDaily is the name of the daily figures among the cursors: when they were read.
const viewDaily = "daily"

// dailyViews are the views that the daily figures stand for.
var dailyViews = []string{viewObservations, viewTraces}

// viewsOfDaily lists what the daily figures tell. There is no query of each.
func viewsOfDaily(cfg *Config) []*view {
	m := &cfg.Metrics
	if !enabled(m.LangfuseObservations, m.LangfuseTokens, m.LangfuseCost, m.LangfuseTraces) {
		return nil
	}
	return []*view{
		{name: viewObservations, families: []family{famObservations, famTokens, famCost}, primary: true},
		{name: viewTraces, families: []family{famTraces}, primary: true},
	}
}

// chooseDaily says when the daily figures are due: they have no windows, as those
// of the day change all the time.
func (w *worker) chooseDaily(views []*view, lengths map[string]time.Duration, now time.Time) (*task, time.Duration) {
	if len(views) == 0 {
		return nil, idle
	}
	v, length := views[0], lengths[views[0].name]
	if wait := w.retries.wait(v.name, now); wait > 0 {
		return nil, wait
	}
	if due := w.state.Cursors[viewDaily].End.Truncate(length).Add(length); now.Before(due) {
		return nil, due.Sub(now)
	}
	return &task{v, window{w.state.dailyEnd().Truncate(day), now}, length}, 0
}

// askDaily reads the days that are not complete yet and adds what they have grown.
func (w *worker) askDaily(ctx context.Context, next *state, t *task, now time.Time) (header, error) {
	// The server goes by the begin of the trace and tells by that of the observation.
	figures, seen, err := w.server.daily(ctx, t.from.Add(-day))
	if err != nil {
		return seen, err
	}
	for _, f := range figures {
		at, err := time.Parse(time.DateOnly, f.Date)
		if err != nil || at.Before(t.from) {
			continue
		}
		next.growDay(at, f.totals(w.names))
	}
	today := now.Truncate(day)
	for _, name := range dailyViews {
		c := next.Cursors[name]
		c.End, c.From, c.Backlog = today, t.from, time.Time{}
		c.Values, c.Truncated = nil, false
		c.Counted = next.Days[dayName(today)].of(viewFamilies(name)...)
		next.Cursors[name] = c
	}
	next.Cursors[viewDaily] = cursor{End: now, From: today}
	next.forgetDays()
	return seen, nil
}

func viewFamilies(name string) []family {
	if name == viewTraces {
		return []family{famTraces}
	}
	return []family{famObservations, famTokens, famCost}
}

// growDay adds what the figures of a day are more than what was counted of it. They
// may fall, when traces are deleted; then nothing is added until they are as high.
func (s *state) growDay(at time.Time, seen totals) {
	name := dayName(at)
	counted := s.Days[name].clone()
	// Of the day in which counting began, it is not known what came before.
	baseline := s.Started.Truncate(day).Equal(at) && s.Started.After(at) && s.Baseline != name
	for k, v := range seen {
		growth := v - counted[k]
		if growth < 0 {
			continue
		}
		counted[k] = v
		if !baseline {
			s.Totals.plus(k, growth)
		}
	}
	if baseline {
		s.Baseline = name
	}
	s.Days[name] = counted
}

// totals are the figures as series.
func (f *dailyFigures) totals(n *names) totals {
	t := totals{key{family: famTraces}: row{"": f.Traces}.amount("")}
	usage := slices.Clone(f.Usage)
	slices.SortStableFunc(usage, func(a, b row) int { // as many as fit get series: the largest
		return int(b.amount("countObservations") - a.amount("countObservations"))
	})
	add := func(k key, v float64) {
		if v > 0 {
			t.plus(k, v)
		}
	}
	for _, row := range usage {
		model := n.of(kindModel, row.text("model"))
		add(key{family: famObservations, c: model}, row.amount("countObservations"))
		add(key{family: famTokens, a: model, b: kindInput}, row.amount("inputUsage"))
		add(key{family: famTokens, a: model, b: kindOutput}, row.amount("outputUsage"))
		add(key{family: famCost, a: model, b: kindOther}, row.amount("totalCost"))
	}
	return t
}

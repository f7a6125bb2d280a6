package simulator

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// metricsV1 is GET /metrics: over the old tables, without a limit of rows unless asked for.
func (l *Langfuse) metricsV1(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	return l.metrics(q, false)
}

// metricsV2 is GET /v2/metrics: over the events, 100 rows unless asked for more.
func (l *Langfuse) metricsV2(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	return l.metrics(q, true)
}

func (l *Langfuse) metrics(values url.Values, v2 bool) (langfuseAnswer, *langfuseRefusal) {
	query, refusal := parseLangfuseQuery(values.Get("query"), l.release, v2)
	if refusal != nil {
		return nil, refusal
	}
	return func() (any, *langfuseRefusal) {
		planned, refusal := query.plan(l.release, v2)
		if refusal == nil {
			refusal = l.bearable(query.from, query.to)
		}
		if refusal != nil {
			return nil, refusal
		}
		return map[string]any{"data": l.run(planned)}, nil
	}, nil
}

// bearable refuses time ranges that are too wide for the data base, and open ones, if there is such a limit.
func (l *Langfuse) bearable(from, to time.Time) *langfuseRefusal {
	if l.cfg.MaxWindow <= 0 {
		return nil
	}
	if to.IsZero() {
		to = l.cfg.Now()
	}
	if from.IsZero() || to.Sub(from) > l.cfg.MaxWindow {
		return tooWide(l.cfg.MaxWindowStatus)
	}
	return nil
}

// langfuseDay is one day of /metrics/daily, its usage by model.
type langfuseDay struct {
	traces int
	all    langfuseSum
	models map[string]*langfuseSum
	traced map[string]map[string]bool // traces by model
}

// daily is GET /metrics/daily: traces of a time range by day, and all observations of these traces by their own day.
func (l *Langfuse) daily(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	page, refusal := parsePage(q)
	from, to, badTime := parseRange(q, "fromTimestamp", "toTimestamp")
	if refusal == nil {
		refusal = badTime
	}
	return func() (any, *langfuseRefusal) {
		if refusal := l.bearable(from, to); refusal != nil {
			return nil, refusal
		}
		days := l.days(from, to, func(t *langfuseTrace) bool {
			return oneOf(q["environment"], t.Environment) && matches(q, "traceName", t.Name) && matches(q, "userId", t.UserID) &&
				hasAll(t.Tags, q["tags"])
		})
		dates := make([]string, 0, len(days))
		traced := 0 // only days of traces are counted
		for date, d := range days {
			dates = append(dates, date)
			traced += int(boolValue(d.traces > 0))
		}
		slices.Sort(dates)
		slices.Reverse(dates)
		body := listPage(page, dates, func(date string) any { return days[date].json(date) })
		body["meta"] = page.meta(traced)
		return body, nil
	}, refusal
}

func (l *Langfuse) days(from, to time.Time, keep func(*langfuseTrace) bool) map[string]*langfuseDay {
	now, days := l.cfg.Now(), map[string]*langfuseDay{}
	of := func(t time.Time) *langfuseDay {
		date := t.UTC().Format(time.DateOnly)
		if days[date] == nil {
			days[date] = &langfuseDay{models: map[string]*langfuseSum{}, traced: map[string]map[string]bool{}}
		}
		return days[date]
	}
	for _, t := range l.traces.between(from, endOf(to)) {
		if !l.traceSeen(t, now) || !keep(t) {
			continue
		}
		of(t.Time).traces++
		for _, o := range l.observationsOf[t.ID] {
			if !l.observationSeen(o, now) {
				continue
			}
			d := of(o.Start)
			if d.models[o.Model] == nil {
				d.models[o.Model], d.traced[o.Model] = &langfuseSum{}, map[string]bool{}
			}
			d.all.add(o)
			d.models[o.Model].add(o)
			d.traced[o.Model][t.ID] = true
		}
	}
	return days
}

func (d *langfuseDay) json(date string) any {
	usage := []any{}
	for _, model := range sortedKeys(d.models) {
		u := d.models[model].usage()
		usage = append(usage, map[string]any{
			"model": orNull(model), "inputUsage": u.InputTokens, "outputUsage": u.OutputTokens, "totalUsage": u.TotalTokens,
			"countObservations": u.Observations, "countTraces": len(d.traced[model]), "totalCost": u.TotalCost,
		})
	}
	u := d.all.usage()
	return map[string]any{
		"date": date, "countTraces": d.traces, "countObservations": u.Observations, "totalCost": u.TotalCost, "usage": usage,
	}
}

// matches reports whether a parameter is absent or equal to a value.
func matches(q url.Values, name, value string) bool { return q.Get(name) == "" || q.Get(name) == value }

// oneOf reports whether nothing is asked for or the value is among it.
func oneOf(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

// hasAll reports whether all tags are there. Several may be given at once, separated by commas.
func hasAll(have, wanted []string) bool {
	for _, list := range wanted {
		for tag := range strings.SplitSeq(list, ",") {
			if tag != "" && !slices.Contains(have, tag) {
				return false
			}
		}
	}
	return true
}

package simulator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// langfuseGroup is one line of an answer.
type langfuseGroup struct {
	key        string // dimensions as text: breaks ties, so that answers are the same each time
	bucket     time.Time
	dimensions []any
	aggregates []langfuseAggregate
	results    []any
}

// run answers a query. The range of the metrics APIs includes both ends, to the millisecond: from <= time <= to. The old
// tables keep milliseconds, the events microseconds.
func (l *Langfuse) run(p *langfusePlanned) []map[string]any {
	now := l.cfg.Now()
	end := p.to.Add(time.Millisecond)
	if p.v2 {
		end = p.to.Add(time.Microsecond)
	}
	groups := map[string]*langfuseGroup{}
	if len(p.dimensions) == 0 && p.granularity == "" {
		groups[""] = p.newGroup("", time.Time{}, nil) // aggregates of nothing are one line too
	}
	joins := p.joins()
	for _, row := range p.view.rows(l, p.from, end, now) {
		if !p.v2 {
			row.at = row.at.Truncate(time.Millisecond)
		}
		if l.join(row, joins, p.from, end, now) && p.keep(row) {
			p.add(groups, row)
		}
	}
	lines := make([]*langfuseGroup, 0, len(groups))
	for _, g := range groups {
		for i := range g.aggregates {
			g.results = append(g.results, g.aggregates[i].result(p.bins))
		}
		lines = append(lines, g)
	}
	if p.fill {
		lines = p.fillGaps(lines)
	}
	slices.SortFunc(lines, p.compare)
	if p.limit > 0 && len(lines) > p.limit {
		lines = lines[:p.limit]
	}
	answer := make([]map[string]any, 0, len(lines))
	for _, g := range lines {
		answer = append(answer, p.line(g, l.cfg.StringNumbers))
	}
	return answer
}

// joins are the tables that dimensions, filters and measures need, each once.
func (p *langfusePlanned) joins() []langfuseJoin {
	var all []langfuseJoin
	for _, d := range p.dimensions {
		all = append(all, d.join)
	}
	for _, c := range p.conditions {
		all = append(all, c.join)
	}
	for _, m := range p.metrics {
		all = append(all, m.join)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// join fills in what the tables have for a row within the range, and reports whether each has something.
func (l *Langfuse) join(row *langfuseRow, joins []langfuseJoin, from, end, now time.Time) bool {
	inside := func(t time.Time) bool { return !t.Before(from) && t.Before(end) }
	seen := func(o *LangfuseObservation) bool { return inside(o.Start) && l.observationSeen(o, now) }
	for _, j := range joins {
		found := true
		switch j {
		case joinTrace:
			row.trace = l.traces.byID[row.traceID()]
			found = row.trace != nil && inside(row.trace.Time) && l.traceSeen(row.trace, now)
		case joinRootEvent:
			row.trace = l.traces.byID[row.traceID()]
			found = row.trace != nil && slices.ContainsFunc(l.observationsOf[row.traceID()], func(o *LangfuseObservation) bool {
				return o.ParentID == "" && seen(o)
			})
		case joinObservation:
			row.observation = l.observations.byID[row.score.ObservationID]
			found = row.observation != nil && seen(row.observation)
		case joinObservations:
			for _, o := range l.observationsOf[row.trace.ID] {
				if seen(o) {
					row.observations = append(row.observations, o)
				}
			}
			row.copies *= int64(len(row.observations))
			found = row.copies > 0
		case joinScores:
			scores := l.scoresOfTrace[row.traceID()]
			if row.observation != nil {
				scores = l.scoresOfObservation[row.observation.ID]
			}
			for _, s := range scores {
				if inside(s.Time) && l.scoreSeen(s, now) {
					row.scores = append(row.scores, s)
				}
			}
			row.copies *= int64(len(row.scores))
			found = row.copies > 0
		}
		if !found {
			return false
		}
	}
	return true
}

func (r *langfuseRow) traceID() string {
	switch {
	case r.score != nil:
		return r.score.TraceID
	case r.observation != nil:
		return r.observation.TraceID
	default:
		return r.trace.ID
	}
}

func (p *langfusePlanned) keep(row *langfuseRow) bool {
	for _, c := range p.conditions {
		if !c.keep(row) {
			return false
		}
	}
	return true
}

// add puts a row into its group.
func (p *langfusePlanned) add(groups map[string]*langfuseGroup, row *langfuseRow) {
	var bucket time.Time
	var key strings.Builder
	if p.granularity != "" {
		bucket = bucketOf(row.at, p.granularity)
		key.WriteString(bucket.Format(time.RFC3339))
	}
	dimensions := make([]any, len(p.dimensions))
	for i, d := range p.dimensions {
		dimensions[i] = d.value(row)
		fmt.Fprintf(&key, "\x00%T%v", dimensions[i], dimensions[i])
	}
	g := groups[key.String()]
	if g == nil {
		g = p.newGroup(key.String(), bucket, dimensions)
		groups[key.String()] = g
	}
	for i := range g.aggregates {
		g.aggregates[i].add(row)
	}
}

func (p *langfusePlanned) newGroup(key string, bucket time.Time, dimensions []any) *langfuseGroup {
	g := &langfuseGroup{key: key, bucket: bucket, dimensions: dimensions, aggregates: make([]langfuseAggregate, len(p.metrics))}
	for i, m := range p.metrics {
		g.aggregates[i].metric = m
	}
	return g
}

// fillGaps adds a line for each bucket without one, up to but without the bucket of the end, as WITH FILL does. Columns of
// such a line have the defaults of their types: "" or null, 0 or null.
func (p *langfusePlanned) fillGaps(lines []*langfuseGroup) []*langfuseGroup {
	have := map[time.Time]bool{}
	for _, g := range lines {
		have[g.bucket] = true
	}
	last := bucketOf(p.to, p.granularity)
	for b := bucketOf(p.from, p.granularity); b.Before(last); b = nextBucket(b, p.granularity) {
		if have[b] {
			continue
		}
		g := p.newGroup(b.Format(time.RFC3339), b, make([]any, len(p.dimensions)))
		for i, d := range p.dimensions {
			g.dimensions[i] = d.zero()
		}
		for i := range g.aggregates {
			result := g.aggregates[i].result(p.bins)
			if x, isReal := result.(float64); isReal && math.IsNaN(x) {
				result = 0.0
			}
			g.results = append(g.results, result)
		}
		lines = append(lines, g)
	}
	return lines
}

// compare orders lines; null comes last in both directions.
func (p *langfusePlanned) compare(a, b *langfuseGroup) int {
	for _, o := range p.order {
		var c int
		if o.Field == "time_dimension" {
			c = a.bucket.Compare(b.bucket)
		} else {
			x, y := p.column(a, o.Field), p.column(b, o.Field)
			if x == nil || y == nil {
				if c = cmp.Compare(boolValue(x == nil), boolValue(y == nil)); c != 0 {
					return c
				}
				continue
			}
			c = compareValues(x, y)
		}
		if o.Direction == "desc" {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(a.key, b.key)
}

// column is what a line has under a name.
func (p *langfusePlanned) column(g *langfuseGroup, name string) any {
	for i, d := range p.dimensions {
		if d.name == name {
			return g.dimensions[i]
		}
	}
	i := slices.IndexFunc(p.metrics, func(m langfuseApplied) bool { return m.column() == name })
	return g.results[i]
}

// compareValues compares two values of the same column.
func compareValues(x, y any) int {
	switch a := x.(type) {
	case int64:
		return cmp.Compare(a, y.(int64))
	case langfuseCost:
		return cmp.Compare(a, y.(langfuseCost))
	case float64:
		return cmp.Compare(a, y.(float64))
	case int:
		return cmp.Compare(a, y.(int))
	case bool:
		return cmp.Compare(boolValue(a), boolValue(y.(bool)))
	default:
		return strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
	}
}

// line is a group as JSON.
func (p *langfusePlanned) line(g *langfuseGroup, asStrings bool) map[string]any {
	line := make(map[string]any, len(p.dimensions)+len(p.metrics)+1)
	if p.granularity != "" {
		line["time_dimension"] = bucketText(g.bucket, p.granularity)
	}
	for i, d := range p.dimensions {
		line[d.name] = g.dimensions[i]
	}
	for i, m := range p.metrics {
		line[m.column()] = langfuseJSON(g.results[i], asStrings)
	}
	return line
}

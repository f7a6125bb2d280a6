package simulator

import (
	"slices"
	"time"
)

// langfuseScoresView is the scores of some data types. In v2 a score finds its trace by a root of it.
func langfuseScoresView(v2 bool, types ...string) langfuseView {
	traceJoin := joinTrace
	if v2 {
		traceJoin = joinRootEvent
	}
	column := func(name string, wide bool, value func(s *LangfuseScore) any) langfuseDimension {
		return langfuseDimension{name: name, wide: wide && v2, value: func(r *langfuseRow) any { return value(r.score) }}
	}
	ofTrace := func(name string, wide bool, value func(t *langfuseTrace) any) langfuseDimension {
		return langfuseDimension{
			name: name, wide: wide && v2, emptyIsNull: v2, join: traceJoin,
			value: func(r *langfuseRow) any { return value(r.trace) },
		}
	}
	ofObservation := func(name string, value func(o *LangfuseObservation) any) langfuseDimension {
		return langfuseDimension{
			name: name, emptyIsNull: v2, join: joinObservation, value: func(r *langfuseRow) any { return value(r.observation) },
		}
	}
	view := langfuseView{timeColumn: "timestamp", rows: func(l *Langfuse, from, end, now time.Time) []*langfuseRow {
		return scoreRows(l, types, from, end, now)
	}}
	view.dimensions = []langfuseDimension{
		column("id", true, func(s *LangfuseScore) any { return s.ID }),
		column("environment", false, func(s *LangfuseScore) any { return s.Environment }),
		column("name", false, func(s *LangfuseScore) any { return s.Name }),
		column("source", false, func(s *LangfuseScore) any { return s.Source }),
		column("dataType", false, func(s *LangfuseScore) any { return s.DataType }),
		column("traceId", true, func(s *LangfuseScore) any { return orNull(s.TraceID) }),
		column("observationId", true, func(s *LangfuseScore) any { return orNull(s.ObservationID) }),
		column("configId", false, func(s *LangfuseScore) any { return orNull(s.ConfigID) }),
		column("timestampMonth", false, func(s *LangfuseScore) any { return s.Time.UTC().Format("2006-01") }),
		column("timestampDay", false, func(s *LangfuseScore) any { return s.Time.UTC().Format(time.DateOnly) }),
		ofTrace("traceName", false, func(t *langfuseTrace) any { return t.Name }),
		ofTrace("userId", true, func(t *langfuseTrace) any { return orNull(t.UserID) }),
		ofTrace("traceRelease", false, func(t *langfuseTrace) any { return orNull(t.Release) }),
		ofTrace("traceVersion", false, func(t *langfuseTrace) any { return orNull(t.Version) }),
		{name: "tags", list: true, join: traceJoin, value: func(r *langfuseRow) any { return listOf(r.trace.Tags) }},
		ofObservation("observationName", func(o *LangfuseObservation) any { return o.Name }),
		ofObservation("observationModelName", func(o *LangfuseObservation) any { return orNull(o.Model) }),
		ofObservation("observationPromptName", func(o *LangfuseObservation) any { return orNull(o.PromptName) }),
		ofObservation("observationPromptVersion", promptVersion),
	}
	if v2 {
		view.dimensions = append(view.dimensions, column("sessionId", true, func(s *LangfuseScore) any { return orNull(s.SessionID) }))
	} else {
		view.dimensions = append(view.dimensions, ofTrace("sessionId", true, func(t *langfuseTrace) any { return orNull(t.SessionID) }))
	}
	view.measures = []langfuseMeasure{{name: "count", whole: func(r *langfuseRow) (int64, bool) { return r.copies, true }}}
	value := langfuseMeasure{name: "value", kind: kindReal, real: func(r *langfuseRow) (float64, bool) { return r.score.Value, true }}
	switch {
	case slices.Contains(types, "CATEGORICAL"):
		view.dimensions = append(view.dimensions, column("stringValue", false, func(s *LangfuseScore) any { return s.StringValue }))
	case slices.Contains(types, "NUMERIC"):
		view.dimensions = append(view.dimensions, column("value", false, func(s *LangfuseScore) any { return s.Value }))
		view.measures = append(view.measures, value)
	default:
		view.since = langfuse4
		view.dimensions = append(view.dimensions, column("booleanValue", false, func(s *LangfuseScore) any { return s.Value != 0 }))
		view.measures = append(view.measures, value)
	}
	return view
}

func scoreRows(l *Langfuse, types []string, from, end, now time.Time) []*langfuseRow {
	var rows []*langfuseRow
	for _, s := range l.scores.between(from, end) {
		if slices.Contains(types, s.DataType) && l.scoreSeen(s, now) {
			rows = append(rows, &langfuseRow{at: s.Time, score: s, copies: 1})
		}
	}
	return rows
}

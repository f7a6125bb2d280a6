package simulator

import "time"

// langfuseTracesView is traces FINAL; only v1 has it. Measures over observations join those of the same time range.
func langfuseTracesView() langfuseView {
	column := func(name string, value func(t *langfuseTrace) any) langfuseDimension {
		return langfuseDimension{name: name, value: func(r *langfuseRow) any { return value(r.trace) }}
	}
	measure := func(name string, join langfuseJoin, value func(r *langfuseRow) int64) langfuseMeasure {
		return langfuseMeasure{name: name, join: join, whole: func(r *langfuseRow) (int64, bool) { return value(r), true }}
	}
	return langfuseView{
		timeColumn: "timestamp",
		rows:       traceRows,
		dimensions: []langfuseDimension{
			column("id", func(t *langfuseTrace) any { return t.ID }),
			column("name", func(t *langfuseTrace) any { return t.Name }),
			{name: "tags", list: true, value: func(r *langfuseRow) any { return listOf(r.trace.Tags) }},
			column("userId", func(t *langfuseTrace) any { return orNull(t.UserID) }),
			column("sessionId", func(t *langfuseTrace) any { return orNull(t.SessionID) }),
			column("release", func(t *langfuseTrace) any { return orNull(t.Release) }),
			column("version", func(t *langfuseTrace) any { return orNull(t.Version) }),
			column("environment", func(t *langfuseTrace) any { return t.Environment }),
			column("timestampMonth", func(t *langfuseTrace) any { return t.Time.UTC().Format("2006-01") }),
		},
		measures: []langfuseMeasure{
			measure("count", joinNothing, func(r *langfuseRow) int64 { return r.copies }),
			measure("observationsCount", joinObservations, func(r *langfuseRow) int64 { return int64(len(r.observations)) }),
			measure("scoresCount", joinScores, func(r *langfuseRow) int64 { return int64(len(r.scores)) }),
			// uniq() within one trace: 1 or 0. Their sum is the number of traces with a user, not of users.
			measure("uniqueUserIds", joinNothing, func(r *langfuseRow) int64 { return int64(boolValue(r.trace.UserID != "")) }),
			measure("uniqueSessionIds", joinNothing, func(r *langfuseRow) int64 { return int64(boolValue(r.trace.SessionID != "")) }),
			{name: "latency", join: joinObservations, nullable: true, whole: func(r *langfuseRow) (int64, bool) {
				return millisBetween(span(r.observations))
			}},
			measure("totalTokens", joinObservations, func(r *langfuseRow) int64 {
				var sum int64
				for _, o := range r.observations {
					sum += int64(o.TotalTokens) * r.copies / int64(len(r.observations))
				}
				return sum
			}),
			{name: "totalCost", kind: kindDecimal, join: joinObservations, nullable: true, whole: func(r *langfuseRow) (int64, bool) {
				var sum int64
				priced := false
				for _, o := range r.observations {
					sum += unitsOf(o.TotalCost) * r.copies / int64(len(r.observations))
					priced = priced || o.TotalCost != nil
				}
				return sum, priced
			}},
		},
	}
}

func traceRows(l *Langfuse, from, end, now time.Time) []*langfuseRow {
	var rows []*langfuseRow
	for _, t := range l.traces.between(from, end) {
		if l.traceSeen(t, now) {
			rows = append(rows, &langfuseRow{at: t.Time, trace: t, copies: 1})
		}
	}
	return rows
}

// span is from the first start to the last end; the end is zero if there is none.
func span(observations []*LangfuseObservation) (start, end time.Time) {
	for i, o := range observations {
		if i == 0 || o.Start.Before(start) {
			start = o.Start
		}
		if o.End.After(end) {
			end = o.End
		}
	}
	return start, end
}

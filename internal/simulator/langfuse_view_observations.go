package simulator

import "time"

// langfuseObservationsView is observations FINAL, or events_core in v2, where the fields of the trace are copied onto each
// observation.
func langfuseObservationsView(v2 bool) langfuseView {
	join := joinTrace
	if v2 {
		join = joinNothing
	}
	column := func(name string, wide bool, value func(o *LangfuseObservation) any) langfuseDimension {
		return langfuseDimension{
			name: name, wide: wide && v2, emptyIsNull: v2,
			value: func(r *langfuseRow) any { return value(r.observation) },
		}
	}
	ofTrace := func(name string, wide bool, value func(r *langfuseRow) any) langfuseDimension {
		return langfuseDimension{name: name, wide: wide && v2, emptyIsNull: v2, join: join, value: value}
	}
	own := func(s string) string { // only the table of events has fields of the trace on each observation
		if v2 {
			return s
		}
		return ""
	}
	release := func(r *langfuseRow) any { return orNull(firstOf(own(r.observation.Release), r.trace.Release)) }
	view := langfuseView{timeColumn: "start_time", rows: observationRows, measures: langfuseObservationMeasures(v2)}
	view.dimensions = []langfuseDimension{
		column("id", true, func(o *LangfuseObservation) any { return o.ID }),
		column("traceId", true, func(o *LangfuseObservation) any { return o.TraceID }),
		column("environment", false, func(o *LangfuseObservation) any { return o.Environment }),
		column("parentObservationId", true, func(o *LangfuseObservation) any { return orNull(o.ParentID) }),
		column("type", false, func(o *LangfuseObservation) any { return o.Type }),
		column("name", false, func(o *LangfuseObservation) any { return o.Name }),
		column("level", false, func(o *LangfuseObservation) any { return o.Level }),
		column("providedModelName", false, func(o *LangfuseObservation) any { return orNull(o.Model) }),
		column("promptName", false, func(o *LangfuseObservation) any { return orNull(o.PromptName) }),
		column("promptVersion", false, promptVersion),
		column("startTimeMonth", false, func(o *LangfuseObservation) any { return o.Start.UTC().Format("2006-01") }),
		column("version", false, func(o *LangfuseObservation) any { return orNull(o.Version) }),
		ofTrace("traceName", false, func(r *langfuseRow) any { return r.trace.Name }),
		ofTrace("userId", true, func(r *langfuseRow) any { return orNull(firstOf(own(r.observation.UserID), r.trace.UserID)) }),
		ofTrace("sessionId", true, func(r *langfuseRow) any { return orNull(firstOf(own(r.observation.SessionID), r.trace.SessionID)) }),
		ofTrace("traceRelease", false, release),
		ofTrace("traceVersion", false, func(r *langfuseRow) any { return orNull(firstOf(own(r.observation.Version), r.trace.Version)) }),
		{name: "tags", list: true, join: join, value: func(r *langfuseRow) any { return traceTags(r, v2) }},
	}
	if v2 {
		view.dimensions = append(view.dimensions,
			ofTrace("release", false, release),
			langfuseDimension{name: "isRootObservation", since: langfuse4, value: func(r *langfuseRow) any { return r.observation.root() }})
	}
	return view
}

func promptVersion(o *LangfuseObservation) any {
	if o.PromptName == "" {
		return nil
	}
	return o.PromptVersion
}

func traceTags(r *langfuseRow, v2 bool) []string {
	if v2 && len(r.observation.Tags) > 0 {
		return r.observation.Tags
	}
	return listOf(r.trace.Tags)
}

func observationRows(l *Langfuse, from, end, now time.Time) []*langfuseRow {
	var rows []*langfuseRow
	for _, o := range l.observations.between(from, end) {
		if l.observationSeen(o, now) {
			rows = append(rows, &langfuseRow{at: o.Start, observation: o, trace: l.traces.byID[o.TraceID], copies: 1})
		}
	}
	return rows
}

// langfuseObservationMeasures has latencies in milliseconds and costs in USD. Input and output costs are sums over a map
// and so 0 without a price, where the total cost is null.
func langfuseObservationMeasures(v2 bool) []langfuseMeasure {
	whole := func(name string, nullable bool, value func(o *LangfuseObservation) (int64, bool)) langfuseMeasure {
		return langfuseMeasure{
			name: name, nullable: nullable, whole: func(r *langfuseRow) (int64, bool) { return value(r.observation) },
		}
	}
	cost := func(name string, value func(r *langfuseRow) (int64, bool)) langfuseMeasure {
		return langfuseMeasure{name: name, kind: kindDecimal, nullable: name == "totalCost", whole: value}
	}
	rate := func(name string, value func(o *LangfuseObservation) (float64, bool)) langfuseMeasure {
		return langfuseMeasure{
			name: name, kind: kindReal, nullable: true, real: func(r *langfuseRow) (float64, bool) { return value(r.observation) },
		}
	}
	tools := func(name string, count func(o *LangfuseObservation) int) langfuseMeasure {
		m := whole(name, true, func(o *LangfuseObservation) (int64, bool) { return int64(count(o)), count(o) > 0 })
		m.since = langfuseTools
		return m
	}
	text := func(name string, value func(r *langfuseRow) string) langfuseMeasure {
		return langfuseMeasure{name: name, since: langfuse4, kind: kindText, text: func(r *langfuseRow) (string, bool) {
			return value(r), value(r) != ""
		}}
	}
	measures := []langfuseMeasure{
		{name: "count", whole: func(r *langfuseRow) (int64, bool) { return r.copies, true }},
		whole("latency", true, func(o *LangfuseObservation) (int64, bool) { return millisBetween(o.Start, o.End) }),
		whole("streamingLatency", true, func(o *LangfuseObservation) (int64, bool) { return millisBetween(o.CompletionStart, o.End) }),
		whole("timeToFirstToken", true, func(o *LangfuseObservation) (int64, bool) { return millisBetween(o.Start, o.CompletionStart) }),
		whole("inputTokens", false, func(o *LangfuseObservation) (int64, bool) { return int64(o.InputTokens), true }),
		whole("outputTokens", false, func(o *LangfuseObservation) (int64, bool) { return int64(o.OutputTokens), true }),
		{name: "totalTokens", whole: func(r *langfuseRow) (int64, bool) { return int64(r.observation.TotalTokens) * r.copies, true }},
		rate("outputTokensPerSecond", func(o *LangfuseObservation) (float64, bool) {
			return perSecond(o.OutputTokens, o.CompletionStart, o.End)
		}),
		rate("tokensPerSecond", func(o *LangfuseObservation) (float64, bool) { return perSecond(o.TotalTokens, o.Start, o.End) }),
		cost("inputCost", func(r *langfuseRow) (int64, bool) { return unitsOf(r.observation.InputCost), true }),
		cost("outputCost", func(r *langfuseRow) (int64, bool) { return unitsOf(r.observation.OutputCost), true }),
		cost("totalCost", func(r *langfuseRow) (int64, bool) {
			return unitsOf(r.observation.TotalCost) * r.copies, r.observation.TotalCost != nil
		}),
		{name: "countScores", join: joinScores, whole: func(r *langfuseRow) (int64, bool) { return int64(len(r.scores)), true }},
		tools("toolDefinitions", func(o *LangfuseObservation) int { return o.ToolDefinitions }),
		tools("toolCalls", func(o *LangfuseObservation) int { return o.ToolCalls }),
	}
	if v2 {
		measures = append(measures,
			text("traceId", func(r *langfuseRow) string { return r.observation.TraceID }),
			text("uniqueUserIds", func(r *langfuseRow) string { return firstOf(r.observation.UserID, r.trace.UserID) }),
			text("uniqueSessionIds", func(r *langfuseRow) string { return firstOf(r.observation.SessionID, r.trace.SessionID) }))
	}
	return measures
}

// millisBetween counts borders of milliseconds as date_diff does; null if one end is.
func millisBetween(a, b time.Time) (int64, bool) {
	if a.IsZero() || b.IsZero() {
		return 0, false
	}
	return b.UnixMilli() - a.UnixMilli(), true
}

// perSecond divides by borders of seconds, as date_diff counts them, and is null within one second.
func perSecond(tokens int, a, b time.Time) (float64, bool) {
	if a.IsZero() || b.IsZero() || a.Unix() == b.Unix() {
		return 0, false
	}
	return float64(tokens) / float64(b.Unix()-a.Unix()), true
}

package simulator

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// listObservations is GET /observations, by page.
func (l *Langfuse) listObservations(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	page, refusal := parsePage(q)
	find, badFilter := l.parseObservations(q, false)
	if refusal == nil {
		refusal = badFilter
	}
	return func() (any, *langfuseRefusal) {
		rows, refusal := find()
		if refusal != nil {
			return nil, refusal
		}
		slices.Reverse(rows)
		return listPage(page, rows, func(row *langfuseRow) any { return l.observationJSON(row.observation) }), nil
	}, refusal
}

// pageObservations is GET /v2/observations, by cursor, with the groups of fields that are asked for.
func (l *Langfuse) pageObservations(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	limit, refusal := parseCount(q, "limit", 50, 1000)
	after, badCursor := parseCursor(q)
	find, badFilter := l.parseObservations(q, true)
	for _, other := range []*langfuseRefusal{badCursor, badFilter} {
		if refusal == nil {
			refusal = other
		}
	}
	return func() (any, *langfuseRefusal) {
		rows, refusal := find()
		if refusal != nil {
			return nil, refusal
		}
		items := make([]langfuseItem[*langfuseRow], len(rows))
		for i, row := range rows {
			items[i] = langfuseItem[*langfuseRow]{row.observation.Start, row.observation.ID, row}
		}
		groups := strings.Split(q.Get("fields"), ",")
		if q.Get("fields") == "" {
			groups = []string{"basic"}
		}
		page, next := cursorPage(items, after, limit)
		data, meta := []any{}, map[string]any{}
		for _, item := range page {
			data = append(data, l.eventJSON(item.row, groups))
		}
		if next != "" {
			meta["cursor"] = next
		}
		return map[string]any{"data": data, "meta": meta}, nil
	}, refusal
}

// parseObservations reads the filters that both have.
func (l *Langfuse) parseObservations(q url.Values, v2 bool) (func() ([]*langfuseRow, *langfuseRefusal), *langfuseRefusal) {
	from, to, refusal := parseRange(q, "fromStartTime", "toStartTime")
	keep, badFilter := l.parseFilters(q, langfuseObservationsView(v2), "startTime", v2)
	if refusal == nil {
		refusal = badFilter
	}
	return func() ([]*langfuseRow, *langfuseRefusal) {
		if refusal := l.bearable(from, to); refusal != nil {
			return nil, refusal
		}
		var rows []*langfuseRow
		for _, row := range observationRows(l, from, endOf(to), l.cfg.Now()) {
			o := row.observation
			if matches(q, "name", o.Name) && matches(q, "type", o.Type) && matches(q, "traceId", o.TraceID) &&
				matches(q, "level", o.Level) && matches(q, "version", o.Version) && matches(q, "parentObservationId", o.ParentID) &&
				(!v2 || !q.Has("parentObservationId") || o.ParentID == q.Get("parentObservationId")) && // empty: no parent
				matches(q, "userId", firstOf(o.UserID, row.trace.UserID)) &&
				(!v2 || matches(q, "sessionId", firstOf(o.SessionID, row.trace.SessionID))) &&
				(!v2 || matches(q, "isRootObservation", strings.ToLower(pythonBool(o.root())))) &&
				oneOf(q["environment"], o.Environment) && keep(row) {
				rows = append(rows, row)
			}
		}
		return rows, nil
	}, refusal
}

// secondsBetween is null if one end is.
func secondsBetween(a, b time.Time) any {
	if a.IsZero() || b.IsZero() {
		return nil
	}
	return seconds(b.Sub(a))
}

func (o *LangfuseObservation) usageDetails() map[string]int {
	if o.TotalTokens == 0 {
		return map[string]int{}
	}
	return map[string]int{"input": o.InputTokens, "output": o.OutputTokens, "total": o.TotalTokens}
}

func (o *LangfuseObservation) costDetails() map[string]float64 {
	details := map[string]float64{}
	for name, cost := range map[string]*float64{"input": o.InputCost, "output": o.OutputCost, "total": o.TotalCost} {
		if cost != nil {
			details[name] = *cost
		}
	}
	return details
}

// observationJSON is an observation of v1.
func (l *Langfuse) observationJSON(o *LangfuseObservation) map[string]any {
	return map[string]any{
		"id": o.ID, "traceId": o.TraceID, "projectId": l.cfg.ProjectID, "parentObservationId": orNull(o.ParentID), "type": o.Type,
		"name": orNull(o.Name), "startTime": langfuseTime(o.Start), "endTime": langfuseTimeOrNull(o.End),
		"completionStartTime": langfuseTimeOrNull(o.CompletionStart), "model": orNull(o.Model), "modelParameters": map[string]any{},
		"input": nil, "output": nil, "metadata": map[string]any{}, "version": orNull(o.Version), "level": o.Level,
		"statusMessage": orNull(o.StatusMessage), "environment": o.Environment,
		"promptId": nil, "promptName": orNull(o.PromptName), "promptVersion": promptVersion(o),
		"modelId": nil, "inputPrice": nil, "outputPrice": nil, "totalPrice": nil,
		"usage":        map[string]any{"input": o.InputTokens, "output": o.OutputTokens, "total": o.TotalTokens, "unit": "TOKENS"},
		"usageDetails": o.usageDetails(), "costDetails": o.costDetails(),
		"calculatedInputCost": o.InputCost, "calculatedOutputCost": o.OutputCost, "calculatedTotalCost": o.TotalCost,
		"latency": secondsBetween(o.Start, o.End), "timeToFirstToken": secondsBetween(o.Start, o.CompletionStart),
		"createdAt": langfuseTime(o.Start), "updatedAt": langfuseTime(o.Start),
	}
}

// eventJSON is an observation of v2: some fields always, others by group.
func (l *Langfuse) eventJSON(row *langfuseRow, groups []string) map[string]any {
	o, t := row.observation, row.trace
	body := map[string]any{
		"id": o.ID, "traceId": o.TraceID, "startTime": langfuseTime(o.Start), "endTime": langfuseTimeOrNull(o.End),
		"projectId": l.cfg.ProjectID, "parentObservationId": orNull(o.ParentID), "type": o.Type,
		"modelId": nil, "inputPrice": nil, "outputPrice": nil, "totalPrice": nil,
	}
	all := map[string]map[string]any{
		"basic": {
			"name": o.Name, "level": o.Level, "statusMessage": orNull(o.StatusMessage), "version": orNull(o.Version),
			"environment": o.Environment, "bookmarked": false, "public": false, "userId": orNull(firstOf(o.UserID, t.UserID)),
			"sessionId": orNull(firstOf(o.SessionID, t.SessionID)), "isRootObservation": o.root(),
		},
		"time": {
			"completionStartTime": langfuseTimeOrNull(o.CompletionStart), "createdAt": langfuseTime(o.Start),
			"updatedAt": langfuseTime(o.Start),
		},
		"io":       {"input": nil, "output": nil},
		"metadata": {"metadata": map[string]any{}},
		"model":    {"providedModelName": orNull(o.Model), "internalModelId": nil, "modelParameters": map[string]any{}},
		"usage": {
			"usageDetails": o.usageDetails(), "costDetails": o.costDetails(), "totalCost": o.TotalCost, "usagePricingTierName": nil,
		},
		"prompt":        {"promptId": nil, "promptName": orNull(o.PromptName), "promptVersion": promptVersion(o)},
		"metrics":       {"latency": secondsBetween(o.Start, o.End), "timeToFirstToken": secondsBetween(o.Start, o.CompletionStart)},
		"trace_context": {"tags": traceTags(row, true), "release": orNull(firstOf(o.Release, t.Release)), "traceName": t.Name},
	}
	for _, name := range groups {
		maps.Copy(body, all[strings.TrimSpace(name)])
	}
	return body
}

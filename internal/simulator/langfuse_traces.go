package simulator

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// listTraces is GET /traces. Unlike in the metrics APIs latency is in seconds.
func (l *Langfuse) listTraces(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	page, refusal := parsePage(q)
	from, to, badTime := parseRange(q, "fromTimestamp", "toTimestamp")
	keep, badFilter := l.parseFilters(q, langfuseTracesView(), "timestamp", false)
	for _, other := range []*langfuseRefusal{badTime, badFilter} {
		if refusal == nil {
			refusal = other
		}
	}
	return func() (any, *langfuseRefusal) {
		if refusal := l.bearable(from, to); refusal != nil {
			return nil, refusal
		}
		var rows []*langfuseRow
		for _, row := range traceRows(l, from, endOf(to), l.cfg.Now()) {
			t := row.trace
			if matches(q, "userId", t.UserID) && matches(q, "name", t.Name) && matches(q, "sessionId", t.SessionID) &&
				matches(q, "version", t.Version) && matches(q, "release", t.Release) && oneOf(q["environment"], t.Environment) &&
				hasAll(t.Tags, q["tags"]) && keep(row) {
				rows = append(rows, row)
			}
		}
		if !strings.EqualFold(q.Get("orderBy"), "timestamp.asc") {
			slices.Reverse(rows) // newest first, whatever other order is asked for (~)
		}
		fields := l.traceFields(q.Get("fields"))
		return listPage(page, rows, func(row *langfuseRow) any { return l.traceJSON(row.trace, fields) }), nil
	}, refusal
}

// traceFields are the groups of fields to show. Servers that do not know the parameter, and a list without a known group,
// show all.
func (l *Langfuse) traceFields(text string) map[string]bool {
	known := []string{"core", "io", "scores", "observations", "metrics"}
	fields := map[string]bool{}
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); slices.Contains(known, name) {
			fields[name] = true
		}
	}
	if len(fields) == 0 || !l.release.from(langfuseFields) {
		for _, name := range known {
			fields[name] = true
		}
	}
	return fields
}

// traceJSON leaves lists empty and puts -1 for metrics that are not asked for.
func (l *Langfuse) traceJSON(t *langfuseTrace, fields map[string]bool) map[string]any {
	now := l.cfg.Now()
	observations, scores := []string{}, []string{}
	latency, cost := -1.0, -1.0
	var parts []*LangfuseObservation
	for _, o := range l.observationsOf[t.ID] {
		if l.observationSeen(o, now) {
			parts = append(parts, o)
			observations = append(observations, o.ID)
		}
	}
	for _, s := range l.scoresOfTrace[t.ID] {
		if l.scoreSeen(s, now) {
			scores = append(scores, s.ID)
		}
	}
	if fields["metrics"] {
		var sum langfuseSum
		for _, o := range parts {
			sum.add(o)
		}
		millis, _ := millisBetween(span(parts))
		latency, cost = float64(millis)/1000, sum.usage().TotalCost
	}
	if !fields["observations"] {
		observations = []string{}
	}
	if !fields["scores"] {
		scores = []string{}
	}
	body := map[string]any{
		"id": t.ID, "projectId": l.cfg.ProjectID, "timestamp": langfuseTime(t.Time), "name": orNull(t.Name),
		"userId": orNull(t.UserID), "sessionId": orNull(t.SessionID), "release": orNull(t.Release), "version": orNull(t.Version),
		"environment": t.Environment, "tags": listOf(t.Tags), "public": false, "bookmarked": false, "externalId": nil,
		"createdAt": langfuseTime(t.Time), "updatedAt": langfuseTime(t.Time),
		"htmlPath":     "/project/" + l.cfg.ProjectID + "/traces/" + t.ID,
		"observations": observations, "scores": scores, "latency": latency, "totalCost": cost,
	}
	if fields["io"] {
		body["input"], body["output"], body["metadata"] = nil, nil, map[string]any{}
	}
	return body
}

// langfuseSession exists from its first trace on.
type langfuseSession struct {
	id, environment string
	created         time.Time
}

// listSessions is GET /sessions.
func (l *Langfuse) listSessions(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	page, refusal := parsePage(q)
	from, to, badTime := parseRange(q, "fromTimestamp", "toTimestamp")
	if refusal == nil {
		refusal = badTime
	}
	return func() (any, *langfuseRefusal) {
		seen := map[string]bool{}
		var sessions []langfuseSession
		for _, row := range traceRows(l, time.Time{}, endOf(to), l.cfg.Now()) {
			t := row.trace
			if t.SessionID == "" || seen[t.SessionID] {
				continue
			}
			seen[t.SessionID] = true
			if !t.Time.Before(from) && oneOf(q["environment"], t.Environment) {
				sessions = append(sessions, langfuseSession{t.SessionID, t.Environment, t.Time})
			}
		}
		slices.Reverse(sessions)
		return listPage(page, sessions, func(s langfuseSession) any {
			return map[string]any{
				"id": s.id, "createdAt": langfuseTime(s.created), "projectId": l.cfg.ProjectID, "environment": s.environment,
			}
		}), nil
	}, refusal
}

// parseFilters reads ?filter=, a list as in the metrics APIs. The column of time may also be called as in the answers.
func (l *Langfuse) parseFilters(
	q url.Values, view langfuseView, timeName string, v2 bool,
) (func(*langfuseRow) bool, *langfuseRefusal) {
	var filters []langfuseFilter
	if text := q.Get("filter"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			return nil, badData("filter", "%v", err)
		}
	}
	planned := &langfusePlanned{}
	for i := range filters {
		f := &filters[i]
		if f.Column == timeName {
			f.Column = view.timeColumn
		}
		if refusal := f.check(); refusal != nil {
			return nil, refusal
		}
		condition, refusal := f.condition(&view, l.release, v2)
		if refusal != nil {
			return nil, refusal
		}
		planned.conditions = append(planned.conditions, condition)
	}
	return planned.keep, nil
}

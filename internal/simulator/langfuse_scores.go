package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// listScoresV1 is GET /scores: without those of sessions.
func (l *Langfuse) listScoresV1(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	return l.listScores(q, false)
}

// listScoresV2 is GET /v2/scores.
func (l *Langfuse) listScoresV2(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	return l.listScores(q, true)
}

func (l *Langfuse) listScores(q url.Values, sessions bool) (langfuseAnswer, *langfuseRefusal) {
	page, refusal := parsePage(q)
	from, to, badTime := parseRange(q, "fromTimestamp", "toTimestamp")
	if refusal == nil {
		refusal = badTime
	}
	value, noValue := strconv.ParseFloat(q.Get("value"), 64)
	return func() (any, *langfuseRefusal) {
		if refusal := l.bearable(from, to); refusal != nil {
			return nil, refusal
		}
		now := l.cfg.Now()
		var scores []*LangfuseScore
		for _, s := range l.scores.between(from, endOf(to)) {
			keep := l.scoreSeen(s, now) && (sessions || s.TraceID != "") && matches(q, "name", s.Name) &&
				matches(q, "source", s.Source) && matches(q, "dataType", s.DataType) && matches(q, "traceId", s.TraceID) &&
				matches(q, "configId", s.ConfigID) && matches(q, "sessionId", s.SessionID) && oneOf(q["environment"], s.Environment)
			if operator := q.Get("operator"); keep && operator != "" && noValue == nil {
				keep = matchOrder(operator, int(boolValue(s.Value > value)-boolValue(s.Value < value)))
			}
			if keep {
				scores = append(scores, s)
			}
		}
		slices.Reverse(scores)
		return listPage(page, scores, func(s *LangfuseScore) any { return l.scoreJSON(s) }), nil
	}, refusal
}

// text is the value in words, which all but numeric scores have.
func (s *LangfuseScore) text() string {
	if s.DataType == "BOOLEAN" {
		return pythonBool(s.Value != 0)
	}
	return s.StringValue
}

// scoreJSON is a score of v1 and v2.
func (l *Langfuse) scoreJSON(s *LangfuseScore) map[string]any {
	body := map[string]any{
		"id": s.ID, "projectId": l.cfg.ProjectID, "name": s.Name, "source": s.Source, "dataType": s.DataType,
		"timestamp": langfuseTime(s.Time), "createdAt": langfuseTime(s.Time), "updatedAt": langfuseTime(s.Time),
		"traceId": orNull(s.TraceID), "observationId": orNull(s.ObservationID), "sessionId": orNull(s.SessionID),
		"datasetRunId": nil, "authorUserId": nil, "comment": orNull(s.Comment), "metadata": map[string]any{},
		"configId": orNull(s.ConfigID), "queueId": nil, "environment": s.Environment,
	}
	if s.DataType != "TEXT" {
		body["value"] = s.Value
	}
	if s.DataType != "NUMERIC" {
		body["stringValue"] = s.text()
	}
	if t := l.traces.byID[s.TraceID]; t != nil {
		body["trace"] = map[string]any{
			"userId": orNull(t.UserID), "tags": listOf(t.Tags), "environment": t.Environment, "sessionId": orNull(t.SessionID),
		}
	}
	return body
}

// pageScores is GET /v3/scores, by cursor. Parameters are lists separated by commas.
func (l *Langfuse) pageScores(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	limit, refusal := parseCount(q, "limit", 50, 100)
	after, badCursor := parseCursor(q)
	from, to, badTime := parseRange(q, "fromTimestamp", "toTimestamp")
	groups := splitList(q.Get("fields"))
	for _, other := range []*langfuseRefusal{badCursor, badTime, unknownGroup(groups)} {
		if refusal == nil {
			refusal = other
		}
	}
	return func() (any, *langfuseRefusal) {
		if refusal := l.bearable(from, to); refusal != nil {
			return nil, refusal
		}
		now := l.cfg.Now()
		var items []langfuseItem[*LangfuseScore]
		for _, s := range l.scores.between(from, endOf(to)) {
			if l.scoreSeen(s, now) && oneOf(splitList(q.Get("id")), s.ID) && oneOf(splitList(q.Get("name")), s.Name) &&
				oneOf(splitList(strings.ToUpper(q.Get("source"))), s.Source) &&
				oneOf(splitList(strings.ToUpper(q.Get("dataType"))), s.DataType) &&
				oneOf(splitList(q.Get("environment")), s.Environment) && oneOf(splitList(q.Get("traceId")), s.TraceID) {
				items = append(items, langfuseItem[*LangfuseScore]{s.Time, s.ID, s})
			}
		}
		page, next := cursorPage(items, after, limit)
		data, meta := []any{}, map[string]any{"limit": limit}
		for _, item := range page {
			data = append(data, l.scoreV3JSON(item.row, groups))
		}
		if next != "" {
			meta["cursor"] = next
		}
		return map[string]any{"data": data, "meta": meta}, nil
	}, refusal
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func unknownGroup(groups []string) *langfuseRefusal {
	for _, name := range groups {
		if !slices.Contains([]string{"details", "subject", "annotation"}, name) {
			return &langfuseRefusal{status: http.StatusBadRequest, body: map[string]any{
				"message": "Invalid request data", "error": "Unknown field group " + strconv.Quote(name),
			}}
		}
	}
	return nil
}

// scoreV3JSON is a score of v3, whose value has the type of the score.
func (l *Langfuse) scoreV3JSON(s *LangfuseScore, groups []string) map[string]any {
	body := map[string]any{
		"id": s.ID, "projectId": l.cfg.ProjectID, "name": s.Name, "source": s.Source, "dataType": s.DataType,
		"timestamp": langfuseTime(s.Time), "environment": s.Environment,
		"createdAt": langfuseTime(s.Time), "updatedAt": langfuseTime(s.Time),
	}
	switch s.DataType {
	case "NUMERIC":
		body["value"] = s.Value
	case "BOOLEAN":
		body["value"] = s.Value != 0
	default:
		body["value"] = s.StringValue
	}
	if slices.Contains(groups, "details") {
		body["comment"], body["configId"], body["metadata"] = orNull(s.Comment), orNull(s.ConfigID), map[string]any{}
	}
	if slices.Contains(groups, "annotation") {
		body["authorUserId"], body["queueId"] = nil, nil
	}
	if slices.Contains(groups, "subject") {
		body["subject"] = s.subject()
	}
	return body
}

func (s *LangfuseScore) subject() map[string]any {
	switch {
	case s.ObservationID != "":
		return map[string]any{"kind": "observation", "id": s.ObservationID, "traceId": s.TraceID}
	case s.SessionID != "":
		return map[string]any{"kind": "session", "id": s.SessionID}
	default:
		return map[string]any{"kind": "trace", "id": s.TraceID}
	}
}

package simulator

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// lfIDs lists the ids of a page and its meta.
func lfIDs(t *testing.T, l *Langfuse, path, query string) (ids []string, meta map[string]any) {
	t.Helper()
	values, err := url.ParseQuery(query)
	assert.NoError(t, err)
	body := lfObject(t, l, path, values)
	ids = []string{}
	for _, item := range body["data"].([]any) {
		ids = append(ids, item.(map[string]any)["id"].(string))
	}
	return ids, body["meta"].(map[string]any)
}

func lfFirst(t *testing.T, l *Langfuse, path, query string) map[string]any {
	t.Helper()
	values, err := url.ParseQuery(query)
	assert.NoError(t, err)
	return lfObject(t, l, path, values)["data"].([]any)[0].(map[string]any)
}

func TestLangfuseListFilters(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	l.AddTrace(LangfuseTrace{ID: "t3", Time: lfAt(11, 45, 0), SessionID: "s1", Version: "v2", Release: "r2", Environment: "prod"})
	l.AddTrace(LangfuseTrace{ID: "t4", Time: lfAt(11, 50, 0), SessionID: "s4", Environment: "prod"})
	l.AddScore(LangfuseScore{ID: "c5", Name: "csat", Time: lfAt(11, 55, 0), SessionID: "s1", ConfigID: "cfg", Environment: "prod", DataType: "TEXT", StringValue: "fine"})
	for _, test := range []struct {
		path, query string
		want        []string
	}{
		{"/traces", "", []string{"t4", "t3", "t2", "t1"}},
		{"/traces", "orderBy=timestamp.asc", []string{"t1", "t2", "t3", "t4"}},
		{"/traces", "orderBy=name.desc", []string{"t4", "t3", "t2", "t1"}},
		{"/traces", "userId=u2", []string{"t2"}},
		{"/traces", "name=chat", []string{"t1"}},
		{"/traces", "sessionId=s1", []string{"t3", "t1"}},
		{"/traces", "version=v2", []string{"t3"}},
		{"/traces", "release=r1", []string{"t1"}},
		{"/traces", "environment=prod&environment=staging", []string{"t4", "t3", "t2"}},
		{"/traces", "tags=a&tags=b", []string{"t1"}},
		{"/traces", "tags=a,c", []string{}},
		{"/traces", "fromTimestamp=2026-03-10T11:30:00Z&toTimestamp=2026-03-10T11:50:00Z", []string{"t3", "t2"}},
		{"/traces", `filter=[{"column":"timestamp","operator":">","value":"2026-03-10T11:45:00Z","type":"datetime"}]`, []string{"t4"}},
		{"/traces", `filter=[{"column":"sessionId","operator":"any of","value":["s4"],"type":"stringOptions"}]`, []string{"t4"}},
		{"/sessions", "", []string{"s4", "s1"}},
		{"/sessions", "environment=prod", []string{"s4"}},
		{"/sessions", "fromTimestamp=2026-03-10T11:30:00Z", []string{"s4"}},
		{"/sessions", "toTimestamp=2026-03-10T11:50:00Z", []string{"s1"}},
		{"/observations", "", []string{"o4", "o3", "o2", "o1"}},
		{"/observations", "type=GENERATION&level=DEFAULT", []string{"o4", "o2"}},
		{"/observations", "userId=u1&name=title", []string{"o3"}},
		{"/observations", "traceId=t2", []string{"o4"}},
		{"/observations", "parentObservationId=o1", []string{"o3", "o2"}},
		{"/observations", "environment=staging", []string{"o4"}},
		{"/observations", "fromStartTime=2026-03-10T10:00:01Z&toStartTime=2026-03-10T11:30:00Z", []string{"o3", "o2"}},
		{"/observations", "sessionId=ignored&isRootObservation=ignored", []string{"o4", "o3", "o2", "o1"}},
		{"/observations", "parentObservationId=", []string{"o4", "o3", "o2", "o1"}},
		{"/v2/observations", "parentObservationId=", []string{"o4", "o1"}},
		{"/v2/observations", "isRootObservation=true", []string{"o4", "o1"}},
		{"/v2/observations", "isRootObservation=false&sessionId=s1", []string{"o3", "o2"}},
		{"/v2/observations", `filter=[{"column":"startTime","operator":"<","value":"2026-03-10T10:00:01Z","type":"datetime"}]`, []string{"o1"}},
		{"/v2/observations", `filter=[{"column":"isRootObservation","operator":"=","value":true,"type":"boolean"}]`, []string{"o4", "o1"}},
		{"/scores", "", []string{"c2", "c4", "c3", "c1"}},
		{"/v2/scores", "", []string{"c5", "c2", "c4", "c3", "c1"}},
		{"/v2/scores", "name=helpful&source=EVAL", []string{"c2", "c1"}},
		{"/v2/scores", "dataType=BOOLEAN", []string{"c3"}},
		{"/v2/scores", "sessionId=s1&configId=cfg", []string{"c5"}},
		{"/v2/scores", "traceId=t2", []string{"c2"}},
		{"/v2/scores", "operator=%3C&value=0.8&name=helpful", []string{"c2"}},
		{"/v2/scores", "environment=prod", []string{"c5"}},
		{"/v2/scores", "fromTimestamp=2026-03-10T10:06:00Z&toTimestamp=2026-03-10T11:40:00Z", []string{"c4", "c3"}},
		{"/v3/scores", "", []string{"c5", "c2", "c4", "c3", "c1"}},
		{"/v3/scores", "id=c1,c5&name=helpful,csat", []string{"c5", "c1"}},
		{"/v3/scores", "source=eval&dataType=numeric,boolean", []string{"c2", "c1"}},
		{"/v3/scores", "environment=prod", []string{"c5"}},
		{"/v3/scores", "traceId=t1,t2&fromTimestamp=2026-03-10T10:06:00Z&toTimestamp=2026-03-10T11:40:00Z", []string{"c4", "c3"}},
	} {
		ids, _ := lfIDs(t, l, test.path, test.query)
		assert.Equal(t, test.want, ids, "%s?%s", test.path, test.query)
	}
}

func TestLangfusePages(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	for i := range 120 {
		l.Add(LangfuseObservation{ID: "o" + itoa(100+i), TraceID: "t" + itoa(i), SessionID: "s" + itoa(i), Start: lfAt(11, i/60, i%60)})
		l.AddScore(LangfuseScore{TraceID: "t" + itoa(i), Time: lfAt(11, i/60, i%60)})
	}
	for _, path := range []string{"/traces", "/sessions", "/observations", "/scores", "/v2/scores"} {
		ids, meta := lfIDs(t, l, path, "")
		assert.Len(t, ids, 50, path)
		assert.Equal(t, map[string]any{"page": 1.0, "limit": 50.0, "totalItems": 120.0, "totalPages": 3.0}, meta, path)
		ids, _ = lfIDs(t, l, path, "page=2&limit=100")
		assert.Len(t, ids, 20, path)
		ids, meta = lfIDs(t, l, path, "page=9&limit=100")
		assert.Empty(t, ids, path)
		assert.Equal(t, map[string]any{"page": 9.0, "limit": 100.0, "totalItems": 120.0, "totalPages": 2.0}, meta, path)
		ids, meta = lfIDs(t, l, path, "limit=1&fromTimestamp=2026-03-10T11:01:00Z&fromStartTime=2026-03-10T11:01:00Z")
		assert.Len(t, ids, 1)
		assert.InDelta(t, 60, meta["totalItems"], 0, path)
	}
	for _, query := range []string{"limit=101", "limit=0", "page=0", "page=x", "limit=-1", "fromTimestamp=now&fromStartTime=now", "filter={}&fromTimestamp=x&fromStartTime=x"} {
		values, _ := url.ParseQuery(query)
		for _, path := range []string{"/traces", "/sessions", "/observations", "/scores", "/v2/scores", "/metrics/daily"} {
			if path == "/metrics/daily" && values.Has("fromStartTime") || lfGet(l, path, values).Code == 400 {
				continue
			}
			t.Errorf("%s?%s is not refused", path, query)
		}
	}
}

func TestLangfuseCursors(t *testing.T) {
	l, c := newTestLangfuse(LangfuseConfig{})
	for i := range 25 {
		l.Add(LangfuseObservation{ID: "o" + itoa(100+i), Start: lfAt(11, 0, i/3)}) // three of the same time
		l.AddScore(LangfuseScore{ID: "c" + itoa(100+i), Time: lfAt(11, 0, i/3), TraceID: "t"})
	}
	for path, prefix := range map[string]string{"/v2/observations": "o", "/v3/scores": "c"} {
		var all []string
		query := "limit=7"
		for range 4 {
			ids, meta := lfIDs(t, l, path, query)
			all = append(all, ids...)
			cursor, more := meta["cursor"].(string)
			if !more {
				break
			}
			query = "limit=7&cursor=" + url.QueryEscape(cursor)
			l.Add(LangfuseObservation{Start: c.t.Add(-time.Minute)}) // what comes in does not move the page
			l.AddScore(LangfuseScore{Time: c.t.Add(-time.Minute), TraceID: "t"})
		}
		want := []string{}
		for i := 24; i >= 0; i-- {
			want = append(want, prefix+itoa(100+i))
		}
		assert.Equal(t, want, all[len(all)-25:], path)
		_, meta := lfIDs(t, l, path, "limit=100")
		assert.NotContains(t, meta, "cursor", "the last page has none")
		for _, query := range []url.Values{{"limit": {"1001"}}, {"cursor": {"%"}}, {"cursor": {"bm8"}}, {"limit": {"x"}}} {
			assert.Equal(t, 400, lfGet(l, path, query).Code, "%s %v", path, query)
		}
	}
	assert.Equal(t, 200, lfGet(l, "/v2/observations", url.Values{"limit": {"1000"}}).Code)
	assert.Equal(t, 400, lfGet(l, "/v3/scores", url.Values{"limit": {"101"}}).Code)
	assert.Equal(t, 400, lfGet(l, "/v3/scores", url.Values{"fields": {"subject,io"}}).Code)
	assert.Equal(t, 400, lfGet(l, "/v3/scores", url.Values{"toTimestamp": {"x"}}).Code)
	assert.Equal(t, 400, lfGet(l, "/v2/observations", url.Values{"filter": {"["}}).Code)
	assert.Equal(t, 400, lfGet(l, "/v2/observations", url.Values{"filter": {`[{"column":"x","operator":"=","value":"","type":"string"}]`}}).Code)
	assert.Equal(t, 400, lfGet(l, "/v2/observations", url.Values{"filter": {`[{"column":"id"}]`}}).Code)
}

func TestLangfuseTraceFields(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Version: "3.141.0"})
	fillLangfuse(l)
	trace := lfFirst(t, l, "/traces", "name=chat")
	assert.InDelta(t, 10, trace["latency"], 0, "seconds here")
	assert.InDelta(t, 0.0032, trace["totalCost"], 0)
	assert.Equal(t, []any{"o1", "o2", "o3"}, trace["observations"])
	assert.Equal(t, []any{"c1", "c3", "c4"}, trace["scores"])
	assert.Contains(t, trace, "input")
	core := lfFirst(t, l, "/traces", "name=chat&fields=core")
	assert.InDelta(t, -1, core["latency"], 0)
	assert.InDelta(t, -1, core["totalCost"], 0)
	assert.Equal(t, []any{}, core["observations"])
	assert.Equal(t, []any{}, core["scores"])
	assert.NotContains(t, core, "input")
	assert.Equal(t, trace, lfFirst(t, l, "/traces", "name=chat&fields=nothing"), "unknown groups are left out")
	l.SetVersion("3.60.0")
	assert.Equal(t, trace, lfFirst(t, l, "/traces", "name=chat&fields=core"), "older servers ignore the parameter")
}

func TestLangfuseObservationFields(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	v1 := lfFirst(t, l, "/observations", "name=answer")
	assert.InDelta(t, 4, v1["latency"], 0, "seconds")
	assert.InDelta(t, 1, v1["timeToFirstToken"], 0)
	assert.Equal(t, map[string]any{"input": 100.0, "output": 50.0, "total": 150.0}, v1["usageDetails"])
	assert.Equal(t, map[string]any{"input": 0.001, "output": 0.002, "total": 0.003}, v1["costDetails"])
	assert.InDelta(t, 3, v1["promptVersion"], 0)
	assert.Nil(t, lfFirst(t, l, "/observations", "name=title")["timeToFirstToken"])

	basic := lfFirst(t, l, "/v2/observations", "name=answer")
	assert.Equal(t, "answer", basic["name"])
	assert.Equal(t, "u1", basic["userId"])
	assert.Equal(t, "s1", basic["sessionId"])
	assert.Equal(t, false, basic["isRootObservation"])
	assert.NotContains(t, basic, "usageDetails")
	assert.NotContains(t, basic, "latency")
	more := lfFirst(t, l, "/v2/observations", "name=answer&fields=core, usage,model,metrics,prompt,trace_context,time")
	assert.NotContains(t, more, "name")
	assert.InDelta(t, 0.003, more["totalCost"], 0)
	assert.Equal(t, "m-a", more["providedModelName"])
	assert.InDelta(t, 4, more["latency"], 0)
	assert.Equal(t, "chat", more["traceName"])
	assert.Equal(t, []any{"a", "b"}, more["tags"])
	assert.Equal(t, "2026-03-10T10:00:02.000Z", more["completionStartTime"])
	unpriced := lfFirst(t, l, "/v2/observations", "name=chat&fields=usage")
	assert.Nil(t, unpriced["totalCost"])
	assert.Equal(t, map[string]any{}, unpriced["usageDetails"])
}

func TestLangfuseScoreValues(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	l.AddScore(LangfuseScore{ID: "c5", Time: lfAt(11, 0, 0), SessionID: "s1", DataType: "TEXT", StringValue: "fine", Comment: "!"})
	value := func(path, id string) (any, any) {
		for _, item := range lfObject(t, l, path, nil)["data"].([]any) {
			if score := item.(map[string]any); score["id"] == id {
				return score["value"], score["stringValue"]
			}
		}
		return "missing", nil
	}
	for id, want := range map[string][3]any{
		"c1": {0.8, nil, 0.8}, "c3": {1.0, "True", true}, "c4": {0.0, "good", "good"}, "c5": {nil, "fine", "fine"},
	} {
		v, text := value("/v2/scores", id)
		assert.Equal(t, want[0], v, id)
		assert.Equal(t, want[1], text, id)
		v, text = value("/v3/scores", id)
		assert.Equal(t, want[2], v, id)
		assert.Nil(t, text, id)
	}
	for id, want := range map[string]map[string]any{
		"c1": {"kind": "trace", "id": "t1"}, "c3": {"kind": "observation", "id": "o2", "traceId": "t1"}, "c5": {"kind": "session", "id": "s1"},
	} {
		score := lfFirst(t, l, "/v3/scores", "fields=subject,details,annotation&id="+id)
		assert.Equal(t, want, score["subject"], id)
		assert.Contains(t, score, "queueId")
		assert.Contains(t, score, "comment")
	}
	assert.NotContains(t, lfFirst(t, l, "/v3/scores", ""), "subject")
	assert.Equal(t, map[string]any{"userId": "u1", "tags": []any{"a", "b"}, "environment": "default", "sessionId": "s1"}, lfFirst(t, l, "/scores", "traceId=t1")["trace"])
}

func TestLangfuseDailyMetrics(t *testing.T) {
	l, c := newTestLangfuse(LangfuseConfig{Version: "3.0.0"})
	fillLangfuse(l)
	c.t = lfAt(12, 0, 0).AddDate(0, 0, 2)
	l.Add(LangfuseObservation{ID: "o6", TraceID: "t2", Start: lfAt(11, 40, 0), Visible: lfAt(12, 0, 0).AddDate(0, 0, 3), InputTokens: 99}) // too late
	// A trace of the 10th whose last generation is of the 11th, and a trace without observations on the 12th.
	l.Add(LangfuseObservation{ID: "o5", TraceID: "t2", ParentID: "o4", Model: "m-a", Start: lfAt(24, 0, 5), InputTokens: 7, TotalCost: lfUSD(0.5)})
	l.AddTrace(LangfuseTrace{ID: "t3", Time: lfAt(50, 0, 0), Tags: []string{"x"}})
	body := lfObject(t, l, "/metrics/daily", nil)
	usage := func(model any, input, output, total, observations, traces int, cost float64) any {
		return map[string]any{
			"model": model, "inputUsage": float64(input), "outputUsage": float64(output), "totalUsage": float64(total),
			"countObservations": float64(observations), "countTraces": float64(traces), "totalCost": cost,
		}
	}
	day := func(date string, traces, observations int, cost float64, usage ...any) any {
		if usage == nil {
			usage = []any{}
		}
		return map[string]any{"date": date, "countTraces": float64(traces), "countObservations": float64(observations), "totalCost": cost, "usage": usage}
	}
	today := day("2026-03-10", 2, 4, 0.0032, usage(nil, 0, 0, 0, 1, 1, 0), usage("m-a", 120, 50, 170, 2, 1, 0.0032), usage("m-b", 10, 30, 40, 1, 1, 0))
	tomorrow := day("2026-03-11", 0, 1, 0.5, usage("m-a", 7, 0, 7, 1, 1, 0.5))
	assert.Equal(t, []any{day("2026-03-12", 1, 0, 0), tomorrow, today}, body["data"])
	assert.Equal(t, map[string]any{"page": 1.0, "limit": 50.0, "totalItems": 2.0, "totalPages": 1.0}, body["meta"], "days of traces are counted")

	data := func(query string) any {
		values, err := url.ParseQuery(query)
		assert.NoError(t, err)
		return lfObject(t, l, "/metrics/daily", values)["data"]
	}
	assert.Equal(t, []any{tomorrow}, data("page=2&limit=1"))
	assert.Equal(t, []any{day("2026-03-12", 1, 0, 0)}, data("fromTimestamp=2026-03-11T00:00:00Z"))
	assert.Equal(t, []any{tomorrow, day("2026-03-10", 1, 1, 0, usage("m-b", 10, 30, 40, 1, 1, 0))}, data("environment=staging"))
	assert.Equal(t, []any{day("2026-03-12", 1, 0, 0)}, data("tags=x"))
	assert.Len(t, data("traceName=chat"), 1)
	assert.Len(t, data("userId=u2"), 2)
	assert.Equal(t, []any{}, data("userId=nobody"))
}

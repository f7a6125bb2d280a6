package simulator

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const lfCount = `{"view":"observations","metrics":[{"measure":"count","aggregation":"count"},{"measure":"inputTokens","aggregation":"sum"}]}`

func TestLangfuseTotals(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{IngestionDelay: 24 * time.Hour}) // the truth does not wait
	fillLangfuse(l)
	got := l.Totals(lfAt(0, 0, 0), lfAt(12, 0, 0))
	assert.Equal(t, LangfuseTotals{
		Traces: 2, Roots: 2, Observations: 4, Scores: 4, Users: 2, Sessions: 1, Generations: 3,
		ByModel: map[string]LangfuseUsage{
			"m-a": {Observations: 2, InputTokens: 120, OutputTokens: 50, TotalTokens: 170, InputCost: 0.001, OutputCost: 0.002, TotalCost: 0.0032},
			"m-b": {Observations: 1, InputTokens: 10, OutputTokens: 30, TotalTokens: 40},
		},
		ByLevel: map[string]int{"DEFAULT": 3, "ERROR": 1},
		Usage:   LangfuseUsage{Observations: 4, InputTokens: 130, OutputTokens: 80, TotalTokens: 210, InputCost: 0.001, OutputCost: 0.002, TotalCost: 0.0032},
	}, got)
	assert.Equal(t, 2, l.Totals(lfAt(10, 0, 0), lfAt(10, 0, 5)).Observations, "the end is not part of it")
	assert.Equal(t, 3, l.Totals(lfAt(10, 0, 0), lfAt(10, 0, 6)).Observations)
	assert.Empty(t, l.Totals(lfAt(12, 0, 0), lfAt(10, 0, 0)).ByLevel)
}

func TestLangfuseCostsAddUpExactly(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{})
	for range 10 {
		l.Add(LangfuseObservation{Start: lfAt(11, 0, 0), TotalCost: lfUSD(0.1)})
	}
	assert.Equal(t, 1.0, l.Totals(lfAt(11, 0, 0), lfAt(12, 0, 0)).Usage.TotalCost)
	assert.Equal(t, `[{"sum_totalCost":1}]`, lfQuery(t, l, "/v2/metrics", `{"view":"observations","metrics":[{"measure":"totalCost","aggregation":"sum"}]}`))
}

func TestLangfuseIDs(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{})
	assert.Equal(t, "sim-observation-000001", l.Add(LangfuseObservation{Start: lfAt(11, 0, 0)}))
	assert.Equal(t, "sim-observation-000002", l.Add(LangfuseObservation{Start: lfAt(11, 0, 0)}))
	assert.Equal(t, "mine", l.Add(LangfuseObservation{ID: "mine", Start: lfAt(11, 0, 0)}))
	assert.Equal(t, "sim-trace-000004", l.AddTrace(LangfuseTrace{Time: lfAt(11, 0, 0)}))
	assert.Equal(t, "sim-score-000001", l.AddScore(LangfuseScore{Time: lfAt(11, 0, 0)}))
}

func TestLangfuseIngestionDelay(t *testing.T) {
	l, c := newTestLangfuse(LangfuseConfig{IngestionDelay: 10 * time.Minute})
	l.Add(LangfuseObservation{Start: lfAt(11, 40, 0), End: lfAt(11, 50, 0), InputTokens: 1})                              // seen at 12:00
	l.Add(LangfuseObservation{Start: lfAt(11, 45, 0), End: lfAt(11, 50, 1), InputTokens: 2})                              // one second later
	l.Add(LangfuseObservation{Start: lfAt(11, 50, 0), InputTokens: 4})                                                    // has no end
	l.Add(LangfuseObservation{Start: lfAt(10, 0, 0), End: lfAt(10, 0, 1), Visible: lfAt(13, 0, 0), InputTokens: 8})       // late
	l.Add(LangfuseObservation{Start: lfAt(11, 59, 0), End: lfAt(11, 59, 30), Visible: lfAt(11, 59, 40), InputTokens: 16}) // early
	l.AddScore(LangfuseScore{Name: "x", Time: lfAt(11, 55, 0), TraceID: "t"})                                             // too new
	l.AddScore(LangfuseScore{Name: "x", Time: lfAt(11, 0, 0), TraceID: "t"})                                              // seen
	scores := `{"view":"scores-numeric","metrics":[{"measure":"count","aggregation":"count"}]}`
	assert.JSONEq(t, `[{"count_count":3,"sum_inputTokens":21}]`, lfQuery(t, l, "/v2/metrics", lfCount))
	assert.JSONEq(t, `[{"count_count":1}]`, lfQuery(t, l, "/v2/metrics", scores))
	c.t = lfAt(12, 0, 1)
	assert.JSONEq(t, `[{"count_count":4,"sum_inputTokens":23}]`, lfQuery(t, l, "/v2/metrics", lfCount))
	c.t = lfAt(13, 0, 0)
	assert.JSONEq(t, `[{"count_count":5,"sum_inputTokens":31}]`, lfQuery(t, l, "/v2/metrics", lfCount))
	assert.JSONEq(t, `[{"count_count":2}]`, lfQuery(t, l, "/v2/metrics", scores))
	l.SetIngestionDelay(2 * time.Hour)
	assert.JSONEq(t, `[{"count_count":2,"sum_inputTokens":24}]`, lfQuery(t, l, "/v2/metrics", lfCount))
}

func TestLangfuseRetention(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{RetentionDays: 7})
	l.Add(LangfuseObservation{Start: lfAt(12, 0, 0).AddDate(0, 0, -7), InputTokens: 1})
	l.Add(LangfuseObservation{Start: lfAt(11, 59, 59).AddDate(0, 0, -7), InputTokens: 2})
	assert.JSONEq(t, `[{"count_count":1,"sum_inputTokens":1}]`, lfQuery(t, l, "/v2/metrics",
		`{"view":"observations","fromTimestamp":"2026-01-01T00:00:00Z","metrics":[{"measure":"count","aggregation":"count"},{"measure":"inputTokens","aggregation":"sum"}]}`))
}

func TestLangfuseAddingAgainReplaces(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	l.Add(LangfuseObservation{ID: "o4", TraceID: "t2", Name: "complete", Model: "m-b", Start: lfAt(10, 0, 3), InputTokens: 1000, UserID: "u3"})
	l.AddScore(LangfuseScore{ID: "c3", Name: "ok", Time: lfAt(9, 0, 0), DataType: "BOOLEAN", TraceID: "t2", ObservationID: "o4"})
	assert.Equal(t, 4, l.Totals(lfAt(0, 0, 0), lfAt(12, 0, 0)).Observations)
	assert.Equal(t, 1120, l.Totals(lfAt(10, 0, 0), lfAt(10, 1, 0)).Usage.InputTokens)
	assert.Equal(t, 4, l.Totals(lfAt(0, 0, 0), lfAt(12, 0, 0)).Scores)
	assert.Equal(t, 1, l.Totals(lfAt(9, 0, 0), lfAt(10, 0, 0)).Scores)
	assert.JSONEq(t, `[]`, lfQuery(t, l, "/v2/metrics", `{"view":"observations","dimensions":[{"field":"name"}],"fromTimestamp":"2026-03-10T09:00:00Z",
		"filters":[{"column":"name","operator":"=","value":"answer","type":"string"}],"metrics":[{"measure":"countScores","aggregation":"sum"}]}`))
	assert.Len(t, l.scoresOfObservation, 1)
	trace := lfObject(t, l, "/traces", url.Values{"userId": {"u3"}})["data"].([]any)[0].(map[string]any)
	assert.Equal(t, "2026-03-10T10:00:03.000Z", trace["timestamp"], "a derived trace follows its root")
	assert.Equal(t, []any{"c2", "c3"}, trace["scores"])
}

func TestLangfuseDerivedTrace(t *testing.T) {
	l, c := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual, IngestionDelay: time.Minute})
	child := LangfuseObservation{ID: "child", TraceID: "t", ParentID: "root", Name: "child", Start: lfAt(11, 0, 1), End: lfAt(11, 0, 2)}
	root := LangfuseObservation{ID: "root", TraceID: "t", Name: "root", Start: lfAt(11, 0, 0), End: lfAt(11, 0, 9), UserID: "u", SessionID: "s", Environment: "prod", Tags: []string{"x"}, Release: "r", Version: "v"}
	names := func() (all []string) {
		for _, trace := range lfObject(t, l, "/traces", nil)["data"].([]any) {
			all = append(all, trace.(map[string]any)["name"].(string))
		}
		return all
	}
	l.Add(child)
	assert.Equal(t, []string{"child"}, names())
	l.Add(root)
	assert.Equal(t, []string{"root"}, names())
	l.Add(LangfuseObservation{ID: "later", TraceID: "t", Name: "later", Start: lfAt(11, 0, 5), AppRoot: true, ParentID: "elsewhere"})
	assert.Equal(t, []string{"root"}, names(), "the earliest root")
	c.t = lfAt(11, 1, 1)
	assert.Empty(t, names())
	c.t = lfAt(11, 1, 2)
	assert.Equal(t, []string{"root"}, names(), "it is seen with its first observation")
	l.AddTrace(LangfuseTrace{ID: "t", Name: "mine", Time: lfAt(11, 0, 0)})
	l.Add(child)
	assert.Equal(t, []string{"mine"}, names(), "what was added is not derived any more")
}

func TestLangfuseDeleteTrace(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{})
	fillLangfuse(l)
	l.DeleteTrace("t1")
	l.DeleteTrace("no such trace")
	got := l.Totals(lfAt(0, 0, 0), lfAt(12, 0, 0))
	assert.Equal(t, []int{1, 1, 1}, []int{got.Traces, got.Observations, got.Scores})
	assert.JSONEq(t, `[{"count_count":1,"sum_inputTokens":10}]`, lfQuery(t, l, "/v2/metrics", lfCount))
	assert.Empty(t, l.scoresOfObservation)
}

func TestLangfuseTableKeepsTheOrderOfArrival(t *testing.T) {
	type row struct {
		id string
		at time.Time
	}
	table := newLangfuseTable(func(r *row) time.Time { return r.at })
	for _, r := range []row{{"b", lfAt(2, 0, 0)}, {"a", lfAt(1, 0, 0)}, {"c", lfAt(2, 0, 0)}, {"d", lfAt(3, 0, 0)}} {
		table.put(r.id, r)
	}
	ids := func(from, end time.Time) string {
		var all strings.Builder
		for _, r := range table.between(from, end) {
			all.WriteString(r.id)
		}
		return all.String()
	}
	assert.Equal(t, "abcd", ids(lfAt(0, 0, 0), lfAt(4, 0, 0)))
	assert.Equal(t, "bc", ids(lfAt(2, 0, 0), lfAt(3, 0, 0)))
	table.put("b", row{"b", lfAt(0, 0, 0)})
	table.remove("c", "none")
	assert.Equal(t, "bad", ids(lfAt(0, 0, 0), lfAt(4, 0, 0)))
	assert.Empty(t, ids(lfAt(4, 0, 0), lfAt(0, 0, 0)))
}

// TestLangfuseRetain: what is too old is gone, with its parts, and all else stays.
func TestLangfuseRetain(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{})
	for hour := range 6 {
		at := lfAt(hour, 0, 0)
		trace := l.AddTrace(LangfuseTrace{Time: at})
		o := l.Add(LangfuseObservation{TraceID: trace, Start: at})
		l.AddScore(LangfuseScore{TraceID: trace, ObservationID: o, Time: at, Name: "s", DataType: "NUMERIC"})
	}
	l.Retain(lfAt(4, 0, 0))
	left := l.Totals(lfAt(0, 0, 0), lfAt(23, 0, 0))
	assert.Equal(t, []int{2, 2, 2}, []int{left.Traces, left.Observations, left.Scores})
	assert.Len(t, l.observations.byID, 2)
	assert.Len(t, l.traces.byID, 2)
	assert.Len(t, l.scores.byID, 2)
	assert.Len(t, l.observationsOf, 2)
	assert.Len(t, l.scoresOfTrace, 2)
	assert.Len(t, l.scoresOfObservation, 2)
	l.Retain(lfAt(23, 0, 0))
	assert.Zero(t, l.Totals(lfAt(0, 0, 0), lfAt(23, 59, 0)).Traces)
}

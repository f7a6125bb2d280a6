package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Every case is worked out by hand from fillLangfuse.
func TestLangfuseQueries(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	both := []string{"/metrics", "/v2/metrics"}
	for name, test := range map[string]struct {
		paths       []string
		query, want string
	}{
		"one line without dimensions": {
			both, `{"view":"observations","metrics":[{"measure":"count","aggregation":"count"},{"measure":"inputTokens","aggregation":"sum"},
				{"measure":"outputTokens","aggregation":"sum"},{"measure":"totalTokens","aggregation":"max"},{"measure":"outputTokens","aggregation":"min"},{"measure":"totalCost","aggregation":"sum"}]}`,
			`[{"count_count":4,"sum_inputTokens":130,"sum_outputTokens":80,"max_totalTokens":150,"min_outputTokens":0,"sum_totalCost":0.0032}]`,
		},
		"by model, the first metric decides the order, no price is null or 0": {
			both, `{"view":"observations","dimensions":[{"field":"providedModelName"}],"filters":[{"column":"type","operator":"=","value":"GENERATION","type":"string"}],
				"metrics":[{"measure":"count","aggregation":"count"},{"measure":"totalCost","aggregation":"sum"},{"measure":"totalCost","aggregation":"max"},{"measure":"inputCost","aggregation":"sum"},{"measure":"outputCost","aggregation":"avg"}]}`,
			`[{"providedModelName":"m-a","count_count":2,"sum_totalCost":0.0032,"max_totalCost":0.003,"sum_inputCost":0.001,"avg_outputCost":0.001},
			  {"providedModelName":"m-b","count_count":1,"sum_totalCost":null,"max_totalCost":null,"sum_inputCost":0,"avg_outputCost":0}]`,
		},
		"latencies in milliseconds, nulls left out": {
			both, `{"view":"observations","dimensions":[{"field":"providedModelName"}],"orderBy":[{"field":"providedModelName","direction":"asc"}],
				"metrics":[{"measure":"latency","aggregation":"p50"},{"measure":"latency","aggregation":"p95"},{"measure":"timeToFirstToken","aggregation":"avg"},{"measure":"streamingLatency","aggregation":"max"},{"measure":"timeToFirstToken","aggregation":"count"}]}`,
			`[{"providedModelName":"m-a","p50_latency":2250,"p95_latency":3825,"avg_timeToFirstToken":1000,"max_streamingLatency":3000,"count_timeToFirstToken":1},
			  {"providedModelName":"m-b","p50_latency":3000,"p95_latency":3000,"avg_timeToFirstToken":1000,"max_streamingLatency":2000,"count_timeToFirstToken":1},
			  {"providedModelName":null,"p50_latency":10000,"p95_latency":10000,"avg_timeToFirstToken":null,"max_streamingLatency":null,"count_timeToFirstToken":0}]`,
		},
		"rates divide by whole seconds": {
			both, `{"view":"observations","dimensions":[{"field":"name"}],"orderBy":[{"field":"name","direction":"desc"}],
				"metrics":[{"measure":"outputTokensPerSecond","aggregation":"avg"},{"measure":"tokensPerSecond","aggregation":"max"},{"measure":"tokensPerSecond","aggregation":"sum"},{"measure":"tokensPerSecond","aggregation":"min"}]}`,
			`[{"name":"title","avg_outputTokensPerSecond":null,"max_tokensPerSecond":null,"sum_tokensPerSecond":null,"min_tokensPerSecond":null},
			  {"name":"complete","avg_outputTokensPerSecond":15,"max_tokensPerSecond":13.333333333333334,"sum_tokensPerSecond":13.333333333333334,"min_tokensPerSecond":13.333333333333334},
			  {"name":"chat","avg_outputTokensPerSecond":null,"max_tokensPerSecond":0,"sum_tokensPerSecond":0,"min_tokensPerSecond":0},
			  {"name":"answer","avg_outputTokensPerSecond":16.666666666666668,"max_tokensPerSecond":37.5,"sum_tokensPerSecond":37.5,"min_tokensPerSecond":37.5}]`,
		},
		"by level and environment, ties in the order of the values": {
			both, `{"view":"observations","dimensions":[{"field":"level"},{"field":"environment"}],"metrics":[{"measure":"count","aggregation":"count"}]}`,
			`[{"level":"DEFAULT","environment":"default","count_count":2},{"level":"DEFAULT","environment":"staging","count_count":1},{"level":"ERROR","environment":"default","count_count":1}]`,
		},
		"prompts": {
			both, `{"view":"observations","dimensions":[{"field":"promptName"},{"field":"promptVersion"}],"orderBy":[{"field":"promptVersion","direction":"desc"}],"metrics":[{"measure":"count","aggregation":"count"}]}`,
			`[{"promptName":"p","promptVersion":3,"count_count":1},{"promptName":null,"promptVersion":null,"count_count":3}]`,
		},
		"fields of the trace": {
			both, `{"view":"observations","dimensions":[{"field":"traceName"},{"field":"tags"},{"field":"traceRelease"},{"field":"startTimeMonth"}],"metrics":[{"measure":"count","aggregation":"count"}]}`,
			`[{"traceName":"chat","tags":["a","b"],"traceRelease":"r1","startTimeMonth":"2026-03","count_count":3},{"traceName":"complete","tags":[],"traceRelease":null,"startTimeMonth":"2026-03","count_count":1}]`,
		},
		"roots": {
			both[1:], `{"view":"observations","dimensions":[{"field":"isRootObservation"}],"orderBy":[{"field":"isRootObservation","direction":"desc"}],"metrics":[{"measure":"count","aggregation":"count"},{"measure":"uniqueUserIds","aggregation":"uniq"},{"measure":"uniqueSessionIds","aggregation":"count"},{"measure":"traceId","aggregation":"uniq"}]}`,
			`[{"isRootObservation":true,"count_count":2,"uniq_uniqueUserIds":2,"count_uniqueSessionIds":1,"uniq_traceId":2},{"isRootObservation":false,"count_count":2,"uniq_uniqueUserIds":1,"count_uniqueSessionIds":2,"uniq_traceId":1}]`,
		},
		"users with the highest cost": {
			both[1:], `{"view":"observations","dimensions":[{"field":"userId"}],"config":{"row_limit":1},"orderBy":[{"field":"sum_totalCost","direction":"desc"}],"metrics":[{"measure":"totalCost","aggregation":"sum"}]}`,
			`[{"userId":"u1","sum_totalCost":0.0032}]`,
		},
		"joining scores drops and multiplies": {
			both, `{"view":"observations","metrics":[{"measure":"countScores","aggregation":"sum"},{"measure":"count","aggregation":"count"},{"measure":"totalTokens","aggregation":"sum"}]}`,
			`[{"sum_countScores":1,"count_count":1,"sum_totalTokens":150}]`,
		},
		"numeric scores, boolean ones among them": {
			both, `{"view":"scores-numeric","dimensions":[{"field":"name"},{"field":"source"}],"orderBy":[{"field":"count_count","direction":"desc"}],
				"metrics":[{"measure":"count","aggregation":"count"},{"measure":"value","aggregation":"avg"},{"measure":"value","aggregation":"p50"},{"measure":"value","aggregation":"min"}]}`,
			`[{"name":"helpful","source":"EVAL","count_count":2,"avg_value":0.6000000000000001,"p50_value":0.6000000000000001,"min_value":0.4},
			  {"name":"ok","source":"API","count_count":1,"avg_value":1,"p50_value":1,"min_value":1}]`,
		},
		"boolean scores": {
			both, `{"view":"scores-boolean","dimensions":[{"field":"booleanValue"},{"field":"dataType"}],"metrics":[{"measure":"value","aggregation":"avg"},{"measure":"value","aggregation":"uniq"}]}`,
			`[{"booleanValue":true,"dataType":"BOOLEAN","avg_value":1,"uniq_value":1}]`,
		},
		"categorical scores": {
			both, `{"view":"scores-categorical","dimensions":[{"field":"stringValue"},{"field":"timestampDay"},{"field":"timestampMonth"},{"field":"configId"}],"metrics":[{"measure":"count","aggregation":"count"}]}`,
			`[{"stringValue":"good","timestampDay":"2026-03-10","timestampMonth":"2026-03","configId":null,"count_count":1}]`,
		},
		"scores by what they judge": {
			both, `{"view":"scores-numeric","dimensions":[{"field":"observationModelName"},{"field":"observationName"},{"field":"observationPromptName"},{"field":"observationPromptVersion"},{"field":"traceName"},{"field":"traceVersion"},{"field":"traceRelease"},{"field":"tags"}],"metrics":[{"measure":"value","aggregation":"sum"}]}`,
			`[{"observationModelName":"m-a","observationName":"answer","observationPromptName":"p","observationPromptVersion":3,"traceName":"chat","traceVersion":null,"traceRelease":"r1","tags":["a","b"],"sum_value":1}]`,
		},
		"by value": {
			both, `{"view":"scores-numeric","dimensions":[{"field":"value"},{"field":"environment"}],"orderBy":[{"field":"value","direction":"asc"}],"metrics":[{"measure":"count","aggregation":"count"}]}`,
			`[{"value":0.4,"environment":"default","count_count":1},{"value":0.8,"environment":"default","count_count":1},{"value":1,"environment":"default","count_count":1}]`,
		},
		"traces": {
			both[:1], `{"view":"traces","dimensions":[{"field":"name"},{"field":"userId"},{"field":"sessionId"},{"field":"environment"},{"field":"tags"},{"field":"release"},{"field":"version"},{"field":"timestampMonth"},{"field":"id"}],"orderBy":[{"field":"name","direction":"asc"}],
				"metrics":[{"measure":"count","aggregation":"count"},{"measure":"observationsCount","aggregation":"sum"},{"measure":"latency","aggregation":"avg"},{"measure":"totalTokens","aggregation":"sum"},{"measure":"totalCost","aggregation":"sum"}]}`,
			`[{"name":"chat","userId":"u1","sessionId":"s1","environment":"default","tags":["a","b"],"release":"r1","version":null,"timestampMonth":"2026-03","id":"t1","count_count":1,"sum_observationsCount":3,"avg_latency":10000,"sum_totalTokens":170,"sum_totalCost":0.0032},
			  {"name":"complete","userId":"u2","sessionId":null,"environment":"staging","tags":[],"release":null,"version":null,"timestampMonth":"2026-03","id":"t2","count_count":1,"sum_observationsCount":1,"avg_latency":3000,"sum_totalTokens":40,"sum_totalCost":null}]`,
		},
		"traces with scores: a join of both multiplies": {
			both[:1], `{"view":"traces","metrics":[{"measure":"scoresCount","aggregation":"sum"},{"measure":"uniqueUserIds","aggregation":"sum"},{"measure":"uniqueSessionIds","aggregation":"sum"},{"measure":"totalTokens","aggregation":"sum"},{"measure":"count","aggregation":"sum"}]}`,
			`[{"sum_scoresCount":4,"sum_uniqueUserIds":2,"sum_uniqueSessionIds":1,"sum_totalTokens":550,"sum_count":10}]`,
		},
		"hours with gaps filled": {
			both, `{"view":"observations","timeDimension":{"granularity":"hour"},"fromTimestamp":"2026-03-10T08:30:00Z","metrics":[{"measure":"count","aggregation":"count"},{"measure":"latency","aggregation":"p50"},{"measure":"inputCost","aggregation":"avg"}]}`,
			`[{"time_dimension":"2026-03-10T08:00:00Z","count_count":0,"p50_latency":null,"avg_inputCost":0},{"time_dimension":"2026-03-10T09:00:00Z","count_count":0,"p50_latency":null,"avg_inputCost":0},
			  {"time_dimension":"2026-03-10T10:00:00Z","count_count":3,"p50_latency":4000,"avg_inputCost":0.0003333333333333333},{"time_dimension":"2026-03-10T11:00:00Z","count_count":1,"p50_latency":3000,"avg_inputCost":0}]`,
		},
		"an order asked for fills nothing": {
			both, `{"view":"observations","timeDimension":{"granularity":"hour"},"fromTimestamp":"2026-03-10T08:30:00Z","orderBy":[{"field":"time_dimension","direction":"desc"}],"metrics":[{"measure":"count","aggregation":"count"}]}`,
			`[{"time_dimension":"2026-03-10T11:00:00Z","count_count":1},{"time_dimension":"2026-03-10T10:00:00Z","count_count":3}]`,
		},
		"gaps with dimensions have their defaults": {
			both[1:], `{"view":"observations","timeDimension":{"granularity":"day"},"fromTimestamp":"2026-03-09T00:00:00Z","toTimestamp":"2026-03-11T00:00:00Z","dimensions":[{"field":"type"},{"field":"providedModelName"},{"field":"tags"},{"field":"isRootObservation"}],"filters":[{"column":"type","operator":"=","value":"SPAN","type":"string"}],"metrics":[{"measure":"inputTokens","aggregation":"sum"},{"measure":"latency","aggregation":"histogram"}]}`,
			`[{"time_dimension":"2026-03-09","type":"","providedModelName":null,"tags":[],"isRootObservation":false,"sum_inputTokens":0,"histogram_latency":[]},
			  {"time_dimension":"2026-03-10","type":"SPAN","providedModelName":null,"tags":["a","b"],"isRootObservation":true,"sum_inputTokens":0,"histogram_latency":[[10000,10000,1]]}]`,
		},
		"histogram": {
			both, `{"view":"observations","config":{"bins":2},"metrics":[{"measure":"latency","aggregation":"histogram"}]}`,
			`[{"histogram_latency":[[500,5250,3],[5250,10000,1]]}]`,
		},
	} {
		for _, path := range test.paths {
			t.Run(name+strings.ReplaceAll(path, "/", " "), func(t *testing.T) {
				assert.JSONEq(t, test.want, lfQuery(t, l, path, test.query))
			})
		}
	}
}

// TestLangfuseGroupsByEverything asks for each dimension and each measure of each view.
func TestLangfuseGroupsByEverything(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	l.AddTrace(LangfuseTrace{ID: "t5", Time: lfAt(11, 0, 0), Name: "own", UserID: "of trace", SessionID: "of trace", Release: "of trace", Version: "of trace", Tags: []string{"of trace"}})
	l.Add(LangfuseObservation{
		ID: "o5", TraceID: "t5", Name: "own", Start: lfAt(11, 0, 0), UserID: "own", SessionID: "own", Release: "own", Version: "own", Tags: []string{"own"},
		ToolDefinitions: 4, ToolCalls: 2,
	})
	l.AddScore(LangfuseScore{ID: "c5", Name: "own", Time: lfAt(11, 0, 0), TraceID: "t5", ObservationID: "o5", SessionID: "own", ConfigID: "cfg"})
	group := func(path, view, dimension string) string {
		return lfQuery(t, l, path, `{"view":"`+view+`","dimensions":[{"field":"`+dimension+`"}],"filters":[{"column":"name","operator":"=","value":"own","type":"string"}],
			"config":{"row_limit":9},"orderBy":[{"field":"count_count","direction":"desc"}],"metrics":[{"measure":"count","aggregation":"count"}]}`)
	}
	special := map[string][2]string{ // v1, v2
		"observations userId": {`"of trace"`, `"own"`}, "observations sessionId": {`"of trace"`, `"own"`}, "observations tags": {`["of trace"]`, `["own"]`},
		"observations version": {`"own"`, `"own"`}, "observations traceVersion": {`"of trace"`, `"own"`}, "observations traceRelease": {`"of trace"`, `"own"`},
		"observations release": {"", `"own"`}, "observations id": {`"o5"`, `"o5"`}, "observations traceId": {`"t5"`, `"t5"`},
		"observations parentObservationId": {"null", "null"},
		"scores-numeric sessionId":         {`"of trace"`, `"own"`}, "scores-numeric userId": {`"of trace"`, `"of trace"`},
		"scores-numeric traceVersion": {`"of trace"`, `"of trace"`}, "scores-numeric id": {`"c5"`, `"c5"`}, "scores-numeric observationId": {`"o5"`, `"o5"`},
		"scores-numeric traceId": {`"t5"`, `"t5"`}, "scores-numeric configId": {`"cfg"`, `"cfg"`},
	}
	for i, path := range []string{"/metrics", "/v2/metrics"} {
		for name, view := range langfuseViews(i == 1) {
			dimensions, measures := view.names(l.release)
			for _, d := range dimensions {
				got := group(path, name, d)
				if want, ok := special[name+" "+d]; ok {
					assert.JSONEq(t, `[{"`+d+`":`+want[i]+`,"count_count":1}]`, got, path+name+d)
				}
			}
			for _, m := range measures {
				got := lfQuery(t, l, path, `{"view":"`+name+`","metrics":[{"measure":"`+m+`","aggregation":"count"}]}`)
				assert.NotContains(t, got, "null", path+name+m)
			}
		}
	}
	tools := `{"view":"observations","metrics":[{"measure":"toolDefinitions","aggregation":"sum"},{"measure":"toolCalls","aggregation":"avg"},{"measure":"toolCalls","aggregation":"count"}]}`
	assert.JSONEq(t, `[{"sum_toolDefinitions":4,"avg_toolCalls":2,"count_toolCalls":1}]`, lfQuery(t, l, "/v2/metrics", tools))
}

func TestLangfuseOrders(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{})
	for i, o := range []LangfuseObservation{
		{Name: "a", PromptName: "p", PromptVersion: 2, TotalCost: lfUSD(2)},
		{Name: "b", PromptName: "p", PromptVersion: 10, TotalCost: lfUSD(10)},
		{Name: "c"},
		{Name: "d", ParentID: "x"},
	} {
		o.Start = lfAt(11, 0, i)
		l.Add(o)
	}
	for order, want := range map[string]string{
		`{"field":"promptVersion","direction":"asc"},{"field":"isRootObservation","direction":"asc"}`:   "a b d c",
		`{"field":"promptVersion","direction":"desc"},{"field":"isRootObservation","direction":"desc"}`: "b a c d",
		`{"field":"max_totalCost","direction":"asc"},{"field":"name","direction":"desc"}`:               "a b d c",
		`{"field":"max_totalCost","direction":"desc"}`:                                                  "b a c d",
		`{"field":"avg_totalCost","direction":"desc"},{"field":"name","direction":"asc"}`:               "b a c d",
	} {
		got := lfQuery(t, l, "/v2/metrics", `{"view":"observations","dimensions":[{"field":"name"},{"field":"promptVersion"},{"field":"isRootObservation"}],"orderBy":[`+order+`],
			"metrics":[{"measure":"totalCost","aggregation":"max"},{"measure":"totalCost","aggregation":"avg"}]}`)
		var names []string
		for part := range strings.SplitSeq(got, `"name":"`) {
			if part[0] != '[' {
				names = append(names, part[:1])
			}
		}
		assert.Equal(t, want, strings.Join(names, " "), order)
	}
}

func TestLangfuseEmptyProject(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	for _, path := range []string{"/metrics", "/v2/metrics"} {
		assert.JSONEq(t, `[{"count_count":0,"sum_inputTokens":0,"sum_totalCost":null,"p95_latency":null,"avg_outputTokens":null,"max_inputCost":0,"min_inputTokens":0,"uniq_count":0,"histogram_latency":[]}]`,
			lfQuery(t, l, path, `{"view":"observations","metrics":[{"measure":"count","aggregation":"count"},{"measure":"inputTokens","aggregation":"sum"},{"measure":"totalCost","aggregation":"sum"},{"measure":"latency","aggregation":"p95"},{"measure":"outputTokens","aggregation":"avg"},{"measure":"inputCost","aggregation":"max"},{"measure":"inputTokens","aggregation":"min"},{"measure":"count","aggregation":"uniq"},{"measure":"latency","aggregation":"histogram"}]}`))
		assert.JSONEq(t, `[{"avg_value":null,"p50_value":null,"max_value":0,"sum_value":0}]`,
			lfQuery(t, l, path, `{"view":"scores-numeric","metrics":[{"measure":"value","aggregation":"avg"},{"measure":"value","aggregation":"p50"},{"measure":"value","aggregation":"max"},{"measure":"value","aggregation":"sum"}]}`))
		assert.JSONEq(t, `[]`, lfQuery(t, l, path, `{"view":"observations","dimensions":[{"field":"type"}],"metrics":[{"measure":"count","aggregation":"count"}]}`))
	}
}

func TestLangfuseStringNumbers(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{StringNumbers: true})
	fillLangfuse(l)
	assert.JSONEq(t, `[{"count_count":"4","sum_totalCost":"0.0032","max_latency":"10000","avg_latency":4375,"p50_latency":3500,"uniq_traceId":"2","sum_toolCalls":null}]`,
		lfQuery(t, l, "/v2/metrics", `{"view":"observations","metrics":[{"measure":"count","aggregation":"count"},{"measure":"totalCost","aggregation":"sum"},{"measure":"latency","aggregation":"max"},{"measure":"latency","aggregation":"avg"},{"measure":"latency","aggregation":"p50"},{"measure":"traceId","aggregation":"uniq"},{"measure":"toolCalls","aggregation":"sum"}]}`))
}

// TestLangfuseRangeIncludesItsEnd shows the trap of windows that touch: what lies on the border is in both, unless a filter
// on the column of time makes the range half open.
func TestLangfuseRangeIncludesItsEnd(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	l.AddScore(LangfuseScore{Time: lfAt(11, 0, 0), TraceID: "t", Name: "x"})
	l.Add(LangfuseObservation{Start: lfAt(11, 0, 0), InputTokens: 1})
	l.Add(LangfuseObservation{Start: lfAt(11, 0, 0).Add(300 * time.Microsecond), InputTokens: 2})
	l.Add(LangfuseObservation{Start: lfAt(11, 0, 0).Add(-300 * time.Microsecond), InputTokens: 4})
	sum := func(path, from, to, extra string) string {
		return lfQuery(t, l, path, `{"view":"observations","fromTimestamp":"2026-03-10T`+from+`Z","toTimestamp":"2026-03-10T`+to+`Z",`+extra+`"metrics":[{"measure":"inputTokens","aggregation":"sum"}]}`)
	}
	after := `"filters":[{"column":"start_time","operator":">","value":"2026-03-10T11:00:00.0004Z","type":"datetime"}],` // the digits below milliseconds are lost
	half := `"filters":[{"column":"start_time","operator":"<","value":"2026-03-10T11:00:00Z","type":"datetime"}],`
	for path, want := range map[string][5]string{
		// The old tables keep milliseconds: 11:00:00.0003 is 11:00:00.000 and 10:59:59.9997 is 10:59:59.999.
		"/metrics": {"7", "3", "4", "4", "0"},
		// The events keep microseconds; so "until 10:59:59.999" misses some.
		"/v2/metrics": {"5", "3", "4", "0", "2"},
	} {
		assert.Equal(t, `[{"sum_inputTokens":`+want[0]+`}]`, sum(path, "10:00:00", "11:00:00", ""), path)
		assert.Equal(t, `[{"sum_inputTokens":`+want[1]+`}]`, sum(path, "11:00:00", "12:00:00", ""), path)
		assert.Equal(t, `[{"sum_inputTokens":`+want[2]+`}]`, sum(path, "10:00:00", "11:00:00", half), path)
		assert.Equal(t, `[{"sum_inputTokens":`+want[3]+`}]`, sum(path, "10:00:00", "10:59:59.999", ""), path)
		assert.Equal(t, `[{"sum_inputTokens":`+want[4]+`}]`, sum(path, "10:00:00", "12:00:00", after), path)
	}
}

// TestLangfuseJoinsLoseWhatIsOutside: joins are inner ones over the same time range.
func TestLangfuseJoinsLoseWhatIsOutside(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	l.AddTrace(LangfuseTrace{ID: "t", Name: "n", Time: lfAt(9, 59, 0)})
	l.Add(LangfuseObservation{ID: "o", TraceID: "t", Start: lfAt(9, 59, 0)})
	l.Add(LangfuseObservation{ID: "p", TraceID: "t", ParentID: "o", Start: lfAt(10, 30, 0)})
	l.AddScore(LangfuseScore{TraceID: "t", Time: lfAt(10, 30, 0)})
	l.AddScore(LangfuseScore{TraceID: "t", ObservationID: "o", Time: lfAt(10, 30, 0)})
	l.AddScore(LangfuseScore{TraceID: "t", ObservationID: "none", Time: lfAt(10, 30, 0)})
	l.AddScore(LangfuseScore{TraceID: "no such trace", Time: lfAt(10, 30, 0)})
	count := func(path, view, dimension string) string {
		return lfQuery(t, l, path, `{"view":"`+view+`","dimensions":[{"field":"`+dimension+`"}],"metrics":[{"measure":"count","aggregation":"count"}]}`)
	}
	assert.JSONEq(t, `[]`, count("/metrics", "observations", "traceName"))
	assert.JSONEq(t, `[{"traceName":"n","count_count":1}]`, count("/v2/metrics", "observations", "traceName"), "events know their trace")
	for _, path := range []string{"/metrics", "/v2/metrics"} {
		assert.JSONEq(t, `[]`, count(path, "scores-numeric", "traceName"))
		assert.JSONEq(t, `[]`, count(path, "scores-numeric", "observationName"))
		assert.JSONEq(t, `[{"dataType":"NUMERIC","count_count":4}]`, count(path, "scores-numeric", "dataType"))
	}
	assert.JSONEq(t, `[{"sum_observationsCount":1,"count_count":1}]`, lfQuery(t, l, "/metrics",
		`{"view":"traces","fromTimestamp":"2026-03-10T09:00:00Z","toTimestamp":"2026-03-10T10:00:00Z","metrics":[{"measure":"observationsCount","aggregation":"sum"},{"measure":"count","aggregation":"count"}]}`))
	assert.JSONEq(t, `[{"sum_scoresCount":0}]`, lfQuery(t, l, "/metrics",
		`{"view":"traces","fromTimestamp":"2026-03-10T09:00:00Z","toTimestamp":"2026-03-10T10:00:00Z","metrics":[{"measure":"scoresCount","aggregation":"sum"}]}`))
}

func TestLangfuseRowsAreCutSilently(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	for i := range 130 {
		for range 1 + i%2 {
			l.Add(LangfuseObservation{Name: "n" + itoa(i), Start: lfAt(11, 0, 0)})
		}
	}
	rows := func(path, config string) int {
		return strings.Count(lfQuery(t, l, path, `{"view":"observations","dimensions":[{"field":"name"}],`+config+`"metrics":[{"measure":"count","aggregation":"count"}]}`), "count_count")
	}
	assert.Equal(t, 100, rows("/v2/metrics", ""))
	assert.Equal(t, 130, rows("/metrics", ""))
	for _, path := range []string{"/metrics", "/v2/metrics"} {
		assert.Equal(t, 130, rows(path, `"config":{"row_limit":1000},`))
		assert.Equal(t, 7, rows(path, `"config":{"row_limit":7},`))
	}
	assert.NotContains(t, lfQuery(t, l, "/v2/metrics", `{"view":"observations","dimensions":[{"field":"name"}],"config":{"row_limit":65},"metrics":[{"measure":"count","aggregation":"count"}]}`),
		`"count_count":1`, "the lines with the highest value stay")
}

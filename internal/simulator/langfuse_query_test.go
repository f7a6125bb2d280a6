package simulator

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refusal is status, kind of error and what it says.
func refusalOf(t *testing.T, l *Langfuse, path, text string) (status int, kind, message string) {
	t.Helper()
	w := lfGet(l, path, url.Values{"query": {text}})
	var body struct {
		Message string          `json:"message"`
		Error   json.RawMessage `json:"error"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	var issues []struct {
		Message string   `json:"message"`
		Path    []string `json:"path"`
	}
	if json.Unmarshal(body.Error, &issues) == nil && len(issues) > 0 {
		return w.Code, body.Message, strings.Join(issues[0].Path, ".") + ": " + issues[0].Message
	}
	return w.Code, strings.Trim(string(body.Error), `"`), body.Message
}

func TestLangfuseBadQueries(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	const schema, checks = "Invalid request data", "InvalidRequestError"
	with := func(extra string) string {
		return lfTimes(t, `{"view":"observations","metrics":[{"measure":"count","aggregation":"count"}],`+extra+`}`)
	}
	wide := `"dimensions":[{"field":"traceId"},{"field":"userId"}]`
	for query, want := range map[string][2]string{
		"":    {schema, "query: Invalid input: expected string, received undefined"},
		"{":   {checks, "Invalid JSON in query parameter"},
		`"x"`: {schema, "query: json: cannot unmarshal string into Go value of type simulator.langfuseQuery"},
		`{"view":"users","metrics":[{"measure":"count","aggregation":"count"}]}`: {schema, `view: Invalid option "users": no such view`},
		lfTimes(t, `{"view":"observations"}`):                                    {schema, "metrics: Too small: expected array to have >=1 items"},
		lfTimes(t, `{"view":"observations","metrics":[{"measure":"count","aggregation":"median"}]}`): {
			schema, `metrics: Invalid option "median": expected one of sum|avg|count|max|min|p50|p75|p90|p95|p99|histogram|uniq`,
		},
		lfTimes(t, `{"view":"observations","metrics":[{"measure":"speed","aggregation":"sum"}]}`): {checks, "Invalid metric speed. Must be one of count,latency,"},
		with(`"fromTimestamp":"yesterday"`):                                                                   {schema, "fromTimestamp: Invalid ISO datetime"},
		with(`"toTimestamp":"2026-03-10"`):                                                                    {schema, "toTimestamp: Invalid ISO datetime"},
		with(`"toTimestamp":"2026-03-10T10:00:00Z"`):                                                          {schema, ": fromTimestamp must be before toTimestamp"},
		with(`"timeDimension":{"granularity":"year"}`):                                                        {schema, `timeDimension: Invalid option "year": expected one of auto|minute|hour|day|week|month`},
		with(`"orderBy":[{"field":"name","direction":"up"}]`):                                                 {schema, `orderBy: Invalid option "up": expected one of asc|desc`},
		with(`"orderBy":[{"field":"name","direction":"asc"}]`):                                                {checks, "Invalid orderBy field: name. Must be one of the dimension or metric fields."},
		with(`"orderBy":[{"field":"time_dimension","direction":"asc"}]`):                                      {checks, "Invalid orderBy field: time_dimension."},
		with(`"config":{"row_limit":1001}`):                                                                   {schema, "config.row_limit: Invalid number: expected 1 to 1000"},
		with(`"config":{"row_limit":0}`):                                                                      {schema, "config.row_limit: Invalid number: expected 1 to 1000"},
		with(`"config":{"bins":101}`):                                                                         {schema, "config.bins: Invalid number: expected 1 to 100"},
		with(`"dimensions":[{"field":"colour"}]`):                                                             {checks, "Invalid dimension colour. Must be one of id,traceId,"},
		with(`"filters":[{"column":"name","operator":"=","value":"x"}]`):                                      {schema, `filters: Invalid discriminator value of type: ""`},
		with(`"filters":[{"column":"name","operator":"like","value":"x","type":"string"}]`):                   {schema, `filters: Invalid operator "like", expected one of =|contains|`},
		with(`"filters":[{"column":"name","operator":"=","value":1,"type":"string"}]`):                        {schema, `filters: Invalid value for a filter of type "string"`},
		with(`"filters":[{"column":"name","operator":"=","value":"1","type":"number"}]`):                      {schema, `filters: Invalid value for a filter of type "number"`},
		with(`"filters":[{"column":"name","operator":"=","value":"true","type":"boolean"}]`):                  {schema, `filters: Invalid value for a filter of type "boolean"`},
		with(`"filters":[{"column":"name","operator":"any of","value":"x","type":"stringOptions"}]`):          {schema, `filters: Invalid value for a filter of type "stringOptions"`},
		with(`"filters":[{"column":"name","operator":"any of","value":[1],"type":"stringOptions"}]`):          {schema, `filters: Invalid value for a filter of type "stringOptions"`},
		with(`"filters":[{"column":"name","operator":"is null","value":"x","type":"null"}]`):                  {schema, `filters: Invalid value for a filter of type "null"`},
		with(`"filters":[{"column":"start_time","operator":"<","value":"now","type":"datetime"}]`):            {schema, `filters: Invalid value for a filter of type "datetime"`},
		with(`"filters":[{"column":"start_time","operator":"=","value":"now","type":"string"}]`):              {checks, "Invalid filter for field 'start_time': it requires type 'datetime', not 'string'."},
		with(`"filters":[{"column":"colour","operator":"=","value":"x","type":"string"}]`):                    {checks, "Invalid filter column colour. Must be one of id,traceId,"},
		with(`"filters":[{"column":"tags","operator":"=","value":"x","type":"string"}]`):                      {checks, "Invalid filter for field 'tags': Array fields require type 'arrayOptions', not 'string'."},
		with(`"filters":[{"column":"tags","operator":"any of","value":["x"],"type":"stringOptions"}]`):        {checks, "Invalid filter for field 'tags': type 'stringOptions' does not fit."},
		with(`"filters":[{"column":"name","operator":"all of","value":["x"],"type":"arrayOptions"}]`):         {checks, "Invalid filter for field 'name': type 'arrayOptions' does not fit."},
		with(`"filters":[{"column":"name","operator":"<","value":"2026-03-10T10:00:00Z","type":"datetime"}]`): {checks, "Invalid filter for field 'name': type 'datetime' does not fit."},
		with(`"filters":[{"column":"metadata","operator":"=","value":"x","type":"string"}]`):                  {checks, "Invalid filter for field 'metadata': Metadata filters require type 'stringObject'"},
		// Only of v2:
		lfTimes(t, `{"view":"traces","metrics":[{"measure":"count","aggregation":"count"}]}`): {schema, `v2 view: Invalid option "traces": no such view`},
		lfTimes(t, `{"view":"observations","metrics":[{"measure":"uniqueUserIds","aggregation":"sum"}]}`): {
			checks, `v2 Aggregation "sum" is not valid for measure "uniqueUserIds" (type: string). Valid aggregations: count, uniq`,
		},
		with(wide):                               {checks, "v2 High cardinality dimension(s) 'traceId, userId' require both 'config.row_limit' and 'orderBy'"},
		with(wide + `,"config":{"row_limit":5}`): {checks, "v2 High cardinality dimension(s) 'traceId, userId' require both"},
		with(wide + `,"timeDimension":{"granularity":"hour"}`): {
			checks, "v2 High cardinality dimension(s) 'traceId, userId' cannot be used with timeDimension.",
		},
		with(wide + `,"config":{"row_limit":5},"orderBy":[{"field":"userId","direction":"desc"}]`): {
			checks, "v2 High cardinality dimension(s) 'traceId, userId' require 'orderBy' with direction 'desc' on a measure field. 'userId' is not a measure in this query.",
		},
	} {
		want1, onlyV2 := strings.CutPrefix(want[1], "v2 ")
		paths := []string{"/metrics", "/v2/metrics"}
		if onlyV2 {
			paths = paths[1:]
		}
		for _, path := range paths {
			status, kind, message := refusalOf(t, l, path, query)
			assert.Equal(t, 400, status, path+query)
			assert.Equal(t, want[0], kind, path+query)
			assert.True(t, strings.HasPrefix(message, want1), "%s %s: %s", path, query, message)
		}
	}
}

func TestLangfuseQueriesByVersion(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Version: "3.140.0", V2OnV3: true})
	view := func(name string) string {
		return lfTimes(t, `{"view":"`+name+`","metrics":[{"measure":"count","aggregation":"count"}]}`)
	}
	measure := func(name, aggregation string) string {
		return lfTimes(t, `{"view":"observations","metrics":[{"measure":"`+name+`","aggregation":"`+aggregation+`"}]}`)
	}
	top := lfTimes(t, `{"view":"observations","dimensions":[{"field":"userId"}],"config":{"row_limit":5},"orderBy":[{"field":"count_count","direction":"desc"}],"metrics":[{"measure":"count","aggregation":"count"}]}`)
	root := lfTimes(t, `{"view":"observations","filters":[{"column":"isRootObservation","operator":"=","value":true,"type":"boolean"}],"metrics":[{"measure":"count","aggregation":"count"}]}`)
	status := func(path, query string) int { return lfGet(l, path, url.Values{"query": {query}}).Code }

	assert.Equal(t, 400, status("/metrics", measure("count", "uniq")))
	assert.Equal(t, 400, status("/metrics", measure("toolCalls", "sum")))
	assert.Equal(t, 400, status("/metrics", view("scores-boolean")))
	assert.Equal(t, 200, status("/metrics", view("traces")))
	assert.Equal(t, 200, status("/metrics", top), "v1 groups by anything")
	l.SetVersion("3.160.0")
	assert.Equal(t, 200, status("/metrics", measure("count", "uniq")))
	assert.Equal(t, 200, status("/metrics", measure("toolCalls", "sum")))
	assert.Equal(t, 400, status("/v2/metrics", view("scores-boolean")))
	assert.Equal(t, 400, status("/v2/metrics", top))
	assert.Equal(t, 400, status("/v2/metrics", root))
	assert.Equal(t, 400, status("/v2/metrics", measure("uniqueUserIds", "uniq")))
	l.SetVersion("4.0.0")
	assert.Equal(t, 200, status("/v2/metrics", view("scores-boolean")))
	assert.Equal(t, 200, status("/v2/metrics", top))
	assert.Equal(t, 200, status("/v2/metrics", root))
	assert.Equal(t, 200, status("/v2/metrics", measure("uniqueUserIds", "uniq")))
}

func TestLangfuseMaxWindow(t *testing.T) {
	wide := `{"view":"observations","fromTimestamp":"2026-03-09T00:00:00Z","metrics":[{"measure":"count","aggregation":"count"}]}`
	for _, want := range []int{0, 422, 504, 524} {
		l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual, MaxWindow: 24 * time.Hour, MaxWindowStatus: want})
		if want == 0 {
			want = 422
		}
		for _, path := range []string{"/metrics", "/v2/metrics"} {
			w := lfGet(l, path, url.Values{"query": {lfTimes(t, wide)}})
			assert.Equal(t, want, w.Code)
			if want == 422 {
				assert.Contains(t, w.Body.String(), "shorter date range")
			} else {
				assert.Equal(t, "error code: "+itoa(want), w.Body.String())
				assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			}
			assert.JSONEq(t, `[{"count_count":0,"sum_inputTokens":0}]`, lfQuery(t, l, path, lfCount))
		}
		for _, path := range []string{"/traces", "/observations", "/scores", "/v2/scores", "/metrics/daily", "/v2/observations", "/v3/scores"} {
			assert.Equal(t, want, lfGet(l, path, nil).Code, path)
			assert.Equal(t, 200, lfGet(l, path, url.Values{"fromTimestamp": {"2026-03-09T12:00:00Z"}, "fromStartTime": {"2026-03-09T12:00:00Z"}}).Code, path)
		}
	}
}

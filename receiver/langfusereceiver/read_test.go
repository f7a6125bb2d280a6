package langfusereceiver

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rowsOf reads rows as the server sends them.
func rowsOf(t *testing.T, text string) []row {
	t.Helper()
	var rows []row
	require.NoError(t, json.Unmarshal([]byte(text), &rows))
	return rows
}

func manyNames() *names { return newNames(createDefaultConfig().(*Config)) }

func TestRow(t *testing.T) {
	r := rowsOf(t, `[{"number": 12.5, "string": "12", "null": null, "text": "abc", "nan": "NaN", "inf": "Infinity", "minus": -3,
		"bool": true, "list": [1], "huge": "1e400", "version": 3}]`)[0]
	for name, want := range map[string]float64{"number": 12.5, "string": 12, "minus": -3} {
		v, ok := r.number(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, v, name)
	}
	for _, name := range []string{"null", "text", "nan", "inf", "bool", "list", "huge", "absent"} {
		_, ok := r.number(name)
		assert.False(t, ok, name)
		assert.Zero(t, r.amount(name), name)
	}
	assert.Zero(t, r.amount("minus"), "a counter cannot fall")
	long := row{"name": strings.Repeat("ä", 10_000)}.text("name")
	assert.Len(t, long, longestName)
	assert.True(t, utf8.ValidString(row{"name": "x" + strings.Repeat("ä", 10_000)}.text("name")))
	for name, want := range map[string]string{"text": "abc", "bool": "true", "version": "3", "null": "", "list": "", "absent": ""} {
		assert.Equal(t, want, r.text(name), name)
	}
}

func TestReadObservations(t *testing.T) {
	rows := rowsOf(t, `[
		{"providedModelName": "gpt", "type": "GENERATION", "level": "DEFAULT", "environment": "prod", "count_count": "3",
		 "sum_inputTokens": "100", "sum_outputTokens": 50, "sum_inputCost": 0.1, "sum_outputCost": "0.2", "sum_totalCost": 0.5},
		{"providedModelName": "gpt", "type": "GENERATION", "level": "ERROR", "environment": "prod", "count_count": 1,
		 "sum_inputTokens": 10, "sum_outputTokens": 0, "sum_totalCost": null, "sum_inputCost": null},
		{"providedModelName": "gpt", "type": "AGENT", "level": "DEFAULT", "environment": "prod", "count_count": 1, "sum_inputTokens": 110, "sum_totalCost": 0.5},
		{"providedModelName": null, "type": "SPAN", "level": "DEFAULT", "environment": "prod", "count_count": 7},
		{"providedModelName": "embed", "type": "EMBEDDING", "level": "DEFAULT", "environment": "dev", "count_count": 2, "sum_inputTokens": 8, "sum_inputCost": 0.25, "sum_outputCost": 0},
		{"count_count": 0, "providedModelName": null, "sum_totalCost": null}
	]`)
	r := readObservations(rows, manyNames())
	assert.Equal(t, totals{
		{family: famObservations, a: "GENERATION", b: "DEFAULT", c: "gpt", env: "prod"}: 3,
		{family: famObservations, a: "GENERATION", b: "ERROR", c: "gpt", env: "prod"}:   1,
		{family: famObservations, a: "AGENT", b: "DEFAULT", c: "gpt", env: "prod"}:      1,
		{family: famObservations, a: "SPAN", b: "DEFAULT", env: "prod"}:                 7,
		{family: famObservations, a: "EMBEDDING", b: "DEFAULT", c: "embed", env: "dev"}: 2,
		{family: famTokens, a: "gpt", b: kindInput, env: "prod"}:                        110,
		{family: famTokens, a: "gpt", b: kindOutput, env: "prod"}:                       50,
		{family: famTokens, a: "embed", b: kindInput, env: "dev"}:                       8,
		{family: famCost, a: "gpt", b: kindInput, env: "prod"}:                          0.1,
		{family: famCost, a: "gpt", b: kindOutput, env: "prod"}:                         0.2,
		{family: famCost, a: "gpt", b: kindOther, env: "prod"}:                          0.2,
		{family: famCost, a: "embed", b: kindInput, env: "dev"}:                         0.25, // no total told
	}, r.sums)
	assert.Empty(t, r.values)
}

// TestSplitCost: the parts make up the whole, whatever users report.
func TestSplitCost(t *testing.T) {
	for _, text := range []string{
		`{"sum_inputCost": 1, "sum_outputCost": 2, "sum_totalCost": 3}`,
		`{"sum_inputCost": 0.1, "sum_outputCost": 0.2, "sum_totalCost": 0.3}`,
		`{"sum_inputCost": 5, "sum_outputCost": 5, "sum_totalCost": 3}`,
		`{"sum_inputCost": 1, "sum_outputCost": 5, "sum_totalCost": 3}`,
		`{"sum_totalCost": 3}`,
		`{"sum_inputCost": -1, "sum_totalCost": 3}`,
	} {
		var r row
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		parts := splitCost(r)
		assert.InDelta(t, r.amount("sum_totalCost"), parts[kindInput]+parts[kindOutput]+parts[kindOther], 1e-12, text)
		for kind, v := range parts {
			assert.GreaterOrEqual(t, v, 0.0, "%s: %s", text, kind)
		}
	}
	var rounded row
	require.NoError(t, json.Unmarshal([]byte(`{"sum_inputCost": 0.1, "sum_outputCost": 0.2, "sum_totalCost": 0.30000000000000004}`), &rounded))
	assert.Zero(t, splitCost(rounded)[kindOther], "that is no cost but a rounding")
}

func TestReadTraces(t *testing.T) {
	none := key{family: famTraces}
	assert.Equal(t, totals{none: 0}, readTraces(nil, manyNames()).sums, "that there were none is known")
	assert.Equal(t, totals{none: 0}, readTraces(rowsOf(t, `[{"count_count": null}]`), manyNames()).sums)
	r := readRoots(rowsOf(t, `[
		{"environment": "prod", "count_count": "4", "uniq_uniqueUserIds": "3", "uniq_uniqueSessionIds": "2"},
		{"environment": "dev", "count_count": 1, "uniq_uniqueUserIds": null}
	]`), manyNames())
	assert.Equal(t, totals{{family: famTraces, env: "prod"}: 4, {family: famTraces, env: "dev"}: 1}, r.sums)
	assert.Equal(t, totals{{family: famUsers, env: "prod"}: 3, {family: famSessions, env: "prod"}: 2}, r.values)
}

func TestReadDistinct(t *testing.T) {
	read := readDistinct("userId", famUsers)
	assert.Equal(t, totals{{family: famUsers}: 0}, read(nil, manyNames()).values)
	assert.Equal(t, totals{{family: famUsers}: 0}, read(rowsOf(t, `[{"userId": null, "count_count": 5}]`), manyNames()).values, "traces of nobody")
	assert.Equal(t, totals{{family: famUsers, env: "a"}: 2, {family: famUsers, env: "b"}: 1}, read(rowsOf(t, `[
		{"userId": "x", "environment": "a"}, {"userId": "y", "environment": "a"}, {"userId": "x", "environment": "b"}, {"userId": null, "environment": "b"}
	]`), manyNames()).values)
}

func TestReadScores(t *testing.T) {
	r := readScores(rowsOf(t, `[
		{"name": "quality", "source": "EVAL", "dataType": "NUMERIC", "count_count": 4, "sum_value": "2.5"},
		{"name": "delta", "source": "API", "dataType": "NUMERIC", "count_count": 2, "sum_value": -3},
		{"name": "good", "source": "ANNOTATION", "dataType": "BOOLEAN", "count_count": 5, "sum_value": 3},
		{"name": "old", "source": "API", "count_count": 1, "sum_value": null},
		{"name": null, "count_count": 9}, {"name": "none", "count_count": 0, "sum_value": null}
	]`), manyNames())
	assert.Equal(t, totals{
		{family: famScores, a: "quality", b: "EVAL", c: "NUMERIC"}:                  4,
		{family: famScores, a: "delta", b: "API", c: "NUMERIC"}:                     2,
		{family: famScores, a: "good", b: "ANNOTATION", c: dataBoolean, d: "true"}:  3,
		{family: famScores, a: "good", b: "ANNOTATION", c: dataBoolean, d: "false"}: 2,
		{family: famScores, a: "old", b: "API"}:                                     1,
		{family: famScoreSum, a: "quality", b: "EVAL"}:                              2.5,
		{family: famScoreSum, a: "delta", b: "API"}:                                 -3,
		{family: famScoreSum, a: "good", b: "ANNOTATION"}:                           3,
	}, r.sums)
	assert.Equal(t, totals{
		{family: famScoreMean, a: "quality", b: "EVAL"}:    0.625,
		{family: famScoreMean, a: "delta", b: "API"}:       -1.5,
		{family: famScoreMean, a: "good", b: "ANNOTATION"}: 0.6,
	}, r.values)

	r = readCategories(rowsOf(t, `[
		{"name": "tone", "source": "EVAL", "stringValue": "kind", "count_count": "6"},
		{"name": "tone", "source": "EVAL", "stringValue": null, "count_count": 1},
		{"name": "", "stringValue": "x", "count_count": 1}, {"name": "tone", "stringValue": "rude", "count_count": 0}
	]`), manyNames())
	assert.Equal(t, totals{
		{family: famScores, a: "tone", b: "EVAL", c: dataCategorical, d: "kind"}: 6,
		{family: famScores, a: "tone", b: "EVAL", c: dataCategorical}:            1,
	}, r.sums)
}

func TestReadLatency(t *testing.T) {
	r := readLatency(rowsOf(t, `[
		{"providedModelName": "gpt", "count_count": 3, "p50_latency": 1500, "p99_latency": "2500.5", "p50_timeToFirstToken": null, "p95_timeToFirstToken": 250},
		{"providedModelName": null, "count_count": 1, "p50_latency": 10, "p90_latency": -1},
		{"providedModelName": "idle", "count_count": 0, "p50_latency": 0}
	]`), manyNames())
	assert.Equal(t, totals{
		{family: famLatency, a: "gpt", b: "0.5"}:     1.5,
		{family: famLatency, a: "gpt", b: "0.99"}:    2.5005,
		{family: famFirstToken, a: "gpt", b: "0.95"}: 0.25,
		{family: famLatency, b: "0.5"}:               0.01,
	}, r.values)
	assert.Empty(t, r.sums)
}

func TestReadUsage(t *testing.T) {
	usage := `"count_count": 2, "sum_inputTokens": 10, "sum_outputTokens": 5, "sum_inputCost": 0.5, "sum_outputCost": 0.25, "sum_totalCost": 1`
	r := readUserUsage(rowsOf(t, `[{"userId": "ann", `+usage+`}, {"userId": null, `+usage+`}]`), manyNames())
	assert.Equal(t, totals{
		{family: famUserTokens, a: "ann", b: kindInput}:  10,
		{family: famUserTokens, a: "ann", b: kindOutput}: 5,
		{family: famUserCost, a: "ann"}:                  1,
	}, r.sums)
	r = readPrompts(rowsOf(t, `[{"promptName": "greet", "promptVersion": 3, `+usage+`}, {"promptName": null, `+usage+`}]`), manyNames())
	assert.Equal(t, totals{
		{family: famPromptObservations, a: "greet", b: "3"}:          2,
		{family: famPromptTokens, a: "greet", b: "3", c: kindInput}:  10,
		{family: famPromptTokens, a: "greet", b: "3", c: kindOutput}: 5,
		{family: famPromptCost, a: "greet", b: "3"}:                  1,
	}, r.sums)
}

// FuzzRead: no answer makes a reader fail or count what cannot be.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`[{"providedModelName":"m","type":"GENERATION","count_count":"1","sum_totalCost":"1e308","sum_inputCost":"1e308"}]`,
		`[{"name":"n","dataType":"BOOLEAN","count_count":1,"sum_value":7}]`, `[null]`, `[{"userId":1,"promptName":true,"count_count":-1}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var rows []row
		if json.Unmarshal(text, &rows) != nil {
			return
		}
		cfg := createDefaultConfig().(*Config)
		everything(cfg)
		for _, api := range []apiName{apiV2, apiV1} {
			for _, v := range viewsOf(api, cfg) {
				for k, value := range v.read(rows, newNames(cfg)).sums {
					if k.family != famScoreSum {
						require.GreaterOrEqual(t, value, 0.0, "%v", k)
					}
				}
			}
		}
	})
}

package langfusereceiver

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func viewNamed(t *testing.T, api apiName, name string, changes ...func(*Config)) *view {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, change := range changes {
		change(cfg)
	}
	for _, v := range viewsOf(api, cfg) {
		if v.name == name {
			return v
		}
	}
	require.Fail(t, "no such view", name)
	return nil
}

func TestQuery(t *testing.T) {
	hour := window{noon, noon.Add(time.Hour)}
	text := func(q query) string {
		data, err := json.Marshal(q)
		require.NoError(t, err)
		return string(data)
	}
	split := func(cfg *Config) { cfg.SplitByEnvironment = true }
	observations := viewNamed(t, apiV2, viewObservations, split)
	assert.JSONEq(t, `{
		"view": "observations",
		"dimensions": [{"field": "providedModelName"}, {"field": "type"}, {"field": "level"}, {"field": "environment"}],
		"metrics": [
			{"measure": "count", "aggregation": "count"},
			{"measure": "inputTokens", "aggregation": "sum"}, {"measure": "outputTokens", "aggregation": "sum"},
			{"measure": "inputCost", "aggregation": "sum"}, {"measure": "outputCost", "aggregation": "sum"},
			{"measure": "totalCost", "aggregation": "sum"}
		],
		"filters": [{"column": "start_time", "operator": "<", "value": "2026-09-20T13:00:00.000Z", "type": "datetime"}],
		"timeDimension": null, "fromTimestamp": "2026-09-20T12:00:00.000Z", "toTimestamp": "2026-09-20T13:00:00.000Z",
		"orderBy": [{"field": "count_count", "direction": "desc"}], "config": {"row_limit": 1000}
	}`, text(observations.query(hour, nil)))

	// What the server lacks is left out; without the filter the end comes a little earlier.
	lacks := lacking{viewObservations: {"environment", "inputTokens", columnStart}, viewTraces: {"level"}}
	assert.JSONEq(t, `{
		"view": "observations",
		"dimensions": [{"field": "providedModelName"}, {"field": "type"}, {"field": "level"}],
		"metrics": [
			{"measure": "count", "aggregation": "count"}, {"measure": "outputTokens", "aggregation": "sum"},
			{"measure": "inputCost", "aggregation": "sum"}, {"measure": "outputCost", "aggregation": "sum"},
			{"measure": "totalCost", "aggregation": "sum"}
		],
		"filters": [], "timeDimension": null,
		"fromTimestamp": "2026-09-20T12:00:00.000Z", "toTimestamp": "2026-09-20T12:59:59.999Z",
		"orderBy": [{"field": "count_count", "direction": "desc"}], "config": {"row_limit": 1000}
	}`, text(observations.query(hour, lacks)))

	assert.Equal(t, []filter{
		{"isRootObservation", "=", true, "boolean"}, {columnStart, "<", "2026-09-20T13:00:00.000Z", "datetime"},
	}, viewNamed(t, apiV2, viewTraces).query(hour, nil).Filters)
	assert.Equal(t, "traces", viewNamed(t, apiV1, viewTraces).query(hour, nil).View)
	categories := viewNamed(t, apiV1, viewCategories)
	categories.query(hour, nil)
	assert.Len(t, categories.filters, 1, "a query must not change its view")
}

func TestViewsWanted(t *testing.T) {
	names := func(api apiName, change func(*Config)) []string {
		cfg := createDefaultConfig().(*Config)
		change(cfg)
		var names []string
		for _, v := range viewsOf(api, cfg) {
			names = append(names, v.name)
		}
		return names
	}
	nothing := func(*Config) {}
	assert.Equal(t, []string{viewObservations, viewTraces, viewScores, viewCategories, viewLatency}, names(apiV2, nothing))
	assert.Equal(t, []string{viewObservations, viewTraces, viewUsers, viewSessions, viewScores, viewCategories, viewLatency}, names(apiV1, nothing))
	assert.Equal(t, []string{viewObservations, viewTraces}, names(apiDaily, nothing))
	assert.Equal(t, []string{viewObservations, viewTraces, viewScores, viewCategories, viewLatency, viewUserUsage, viewPrompts}, names(apiV2, everything))
	few := func(cfg *Config) {
		nothingOn(cfg)
		cfg.Metrics.LangfuseCost.Enabled = true
		cfg.Metrics.LangfuseSessionsActive.Enabled = true
	}
	assert.Equal(t, []string{viewObservations, viewTraces}, names(apiV2, few))
	assert.Equal(t, []string{viewObservations, viewSessions}, names(apiV1, few))
	assert.Empty(t, names(apiDaily, nothingOn))
}

// TestBlame: what real servers complain about, and what is left out then. The
// messages are those of queryBuilder.ts and of its schema.
func TestBlame(t *testing.T) {
	split := func(cfg *Config) { cfg.SplitByEnvironment = true }
	observations, roots := viewNamed(t, apiV2, viewObservations, split), viewNamed(t, apiV2, viewTraces)
	plain := viewNamed(t, apiV1, viewTraces)
	measures := []string{"inputTokens", "outputTokens", "inputCost", "outputCost", "totalCost"}
	for _, tt := range []struct {
		name      string
		view      *view
		complaint string
		without   lacking
		want      []string
	}{
		{"measure", observations, `{"message":"Invalid metric outputCost. Must be one of count,latency,totalCost"}`, nil, []string{"outputCost"}},
		{"dimension", observations, `{"message":"Invalid dimension environment. Must be one of id,level"}`, nil, []string{"environment"}},
		{"filter", observations, `{"message":"Invalid filter column start_time. Must be one of id,name or x"}`, nil, []string{columnStart}},
		{"needed dimension", observations, `{"message":"Invalid dimension providedModelName. Must be one of id,level"}`, nil, []string{whole}},
		{"needed filter", roots, `{"message":"Invalid filter column isRootObservation. Must be one of id"}`, nil, []string{whole}},
		{"aggregation", roots, `{"message":"Aggregation \"uniq\" is not valid for measure \"uniqueUserIds\" (type: string)"}`, nil, []string{"uniqueUserIds"}},
		{"schema", observations, `{"message":"Invalid request data","error":[{"code":"custom","path":["metrics"]}]}`, nil, measures},
		{"schema again", observations, `{"message":"Invalid request data"}`, lacking{viewObservations: measures}, []string{columnStart, "type", "level", "environment"}},
		{"nothing left", plain, `{"message":"Invalid request data"}`, lacking{viewTraces: {columnTimestamp}}, []string{whole}},
		{"silent", plain, ``, nil, []string{columnTimestamp}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, tt.view.blame(tt.complaint, tt.without))
		})
	}
}

// TestBlameEnds: whatever the server says, it is not asked for ever.
func TestBlameEnds(t *testing.T) {
	for _, api := range []apiName{apiV2, apiV1} {
		cfg := createDefaultConfig().(*Config)
		everything(cfg)
		for _, v := range viewsOf(api, cfg) {
			for _, complaint := range []string{"", "Invalid metric count", "type level inputTokens timestamp", "\x00"} {
				lacks := lacking{}
				for n := 0; !lacks.has(v.name, whole); n++ {
					require.Less(t, n, 20, "%s: %q", v.name, complaint)
					lacks = lacks.with(v.name, v.blame(complaint, lacks)...)
				}
			}
		}
	}
}

func TestLacking(t *testing.T) {
	l := lacking{"a": {"x"}}
	more := l.with("a", "y", "x").with("b", whole)
	assert.Equal(t, lacking{"a": {"x"}}, l, "others read the old one")
	assert.Equal(t, lacking{"a": {"x", "y"}, "b": {whole}}, more)
	assert.Equal(t, lacking{"a": {"x"}}, lacking(nil).with("a", "x"))
}

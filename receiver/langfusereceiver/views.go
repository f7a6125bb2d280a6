package langfusereceiver

import (
	"slices"

	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// Names of views: values of langfuse.view, and in the stored state.
const (
	viewObservations = "observations"
	viewTraces       = "traces"
	viewScores       = "scores"
	viewCategories   = "score_categories"
	viewLatency      = "latency"
	viewUsers        = "users"
	viewSessions     = "sessions"
	viewUserUsage    = "user_usage"
	viewPrompts      = "prompts"
)

// view is what one query answers. Each view has windows of its own, so that one
// that fails holds up no other.
type view struct {
	name string
	// source is Langfuse's view, time its time column.
	source, time string
	// required are dimensions without which the view says nothing, optional those
	// that some servers lack. The latter go for the metrics, beside the count.
	required, optional []string
	metrics            []metric
	filters            []filter
	// primary views are read in shorter windows where queries are few.
	primary bool
	// families are the sums that it adds to. A view without any is only read for the
	// last window.
	families []family
	// entire says that a part of the rows would tell nothing.
	entire bool
	// read turns the rows of an answer into values.
	read func(rows []row, n *names) *reading
}

// reading is what a window says.
type reading struct {
	// sums are added to the totals, values are of this window.
	sums, values totals
}

func newReading() *reading { return &reading{make(totals), make(totals)} }

// snapshot says that only the last window counts.
func (v *view) snapshot() bool { return len(v.families) == 0 }

const (
	columnStart     = "start_time"
	columnTimestamp = "timestamp"
)

var usage = []metric{
	{"inputTokens", "sum"},
	{"outputTokens", "sum"},
	{"inputCost", "sum"},
	{"outputCost", "sum"},
	{"totalCost", "sum"},
}

// viewsOf lists what is asked of an API. What nobody wants to see is not asked for.
func viewsOf(api apiName, cfg *Config) []*view {
	if api == apiDaily {
		return viewsOfDaily(cfg)
	}
	m := &cfg.Metrics
	split := func(v *view) *view {
		if cfg.SplitByEnvironment {
			v.optional = append(v.optional, "environment")
		}
		return v
	}
	var views []*view
	add := func(wanted bool, v *view) {
		if wanted {
			views = append(views, v)
		}
	}
	add(enabled(m.LangfuseObservations, m.LangfuseTokens, m.LangfuseCost), split(&view{
		name: viewObservations, source: "observations", time: columnStart, primary: true,
		required: []string{"providedModelName"}, optional: []string{"type", "level"}, metrics: usage,
		families: []family{famObservations, famTokens, famCost}, read: readObservations,
	}))
	if api == apiV2 {
		// There is no view of traces. Their roots can be counted, and what is on them.
		add(enabled(m.LangfuseTraces, m.LangfuseUsersActive, m.LangfuseSessionsActive), split(&view{
			name: viewTraces, source: "observations", time: columnStart, primary: true,
			filters:  []filter{{"isRootObservation", "=", true, "boolean"}},
			metrics:  []metric{{"uniqueUserIds", "uniq"}, {"uniqueSessionIds", "uniq"}},
			families: []family{famTraces}, read: readRoots,
		}))
	} else {
		// The measures uniqueUserIds and uniqueSessionIds are of each trace here, 0 or 1.
		// The users themselves are counted instead: by the number of rows.
		add(enabled(m.LangfuseTraces), split(&view{
			name: viewTraces, source: "traces", time: columnTimestamp, primary: true,
			families: []family{famTraces}, read: readTraces,
		}))
		add(enabled(m.LangfuseUsersActive), split(&view{
			name: viewUsers, source: "traces", time: columnTimestamp,
			required: []string{"userId"}, entire: true, read: readDistinct("userId", famUsers),
		}))
		add(enabled(m.LangfuseSessionsActive), split(&view{
			name: viewSessions, source: "traces", time: columnTimestamp,
			required: []string{"sessionId"}, entire: true, read: readDistinct("sessionId", famSessions),
		}))
	}
	add(enabled(m.LangfuseScores, m.LangfuseScoreSum, m.LangfuseScoreMean), split(&view{
		// Boolean scores are in it too: those of the view scores-boolean.
		name: viewScores, source: "scores-numeric", time: columnTimestamp,
		required: []string{"name"}, optional: []string{"source", "dataType"}, metrics: []metric{{"value", "sum"}},
		families: []family{famScores, famScoreSum}, read: readScores,
	}))
	add(enabled(m.LangfuseScores), split(&view{
		// Texts are in it too: no two are the same, so they are not asked for.
		name: viewCategories, source: "scores-categorical", time: columnTimestamp,
		required: []string{"name", "stringValue"}, optional: []string{"source"},
		filters:  []filter{{"dataType", "=", dataCategorical, "string"}},
		families: []family{famScores}, read: readCategories,
	}))
	add(enabled(m.LangfuseObservationLatency, m.LangfuseTimeToFirstToken), &view{
		name: viewLatency, source: "observations", time: columnStart,
		required: []string{"providedModelName"}, metrics: quantileMetrics(),
		filters: []filter{{"type", "=", typeGeneration, "string"}}, read: readLatency,
	})
	add(enabled(m.LangfuseUserTokens, m.LangfuseUserCost), &view{
		name: viewUserUsage, source: "observations", time: columnStart,
		required: []string{"userId"}, metrics: usage,
		filters:  []filter{{"type", "any of", usageTypes, "stringOptions"}},
		families: []family{famUserTokens, famUserCost}, read: readUserUsage,
	})
	add(enabled(m.LangfusePromptObservations, m.LangfusePromptTokens, m.LangfusePromptCost), &view{
		name: viewPrompts, source: "observations", time: columnStart,
		required: []string{"promptName"}, optional: []string{"promptVersion"}, metrics: usage,
		families: []family{famPromptObservations, famPromptTokens, famPromptCost}, read: readPrompts,
	})
	return views
}

func enabled(metrics ...metadata.MetricConfig) bool {
	return slices.ContainsFunc(metrics, func(m metadata.MetricConfig) bool { return m.Enabled })
}

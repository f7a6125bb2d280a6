package simulator

import "slices"

// LiteLLMVersion names a dialect: a release at which metrics or API changed.
type LiteLLMVersion string

// The dialects. 1.72.0 and 1.82.0 are pinned by captures (the former trimmed), the API of 1.88.0 by its description. The
// others follow the project's source of their time, its documentation and issue reports (~).
const (
	// LiteLLM1_65_0 names end users.
	LiteLLM1_65_0 LiteLLMVersion = "1.65.0"
	// LiteLLM1_72_0 leaves end users empty; old names of tokens and remainders.
	LiteLLM1_72_0 LiteLLMVersion = "1.72.0"
	// LiteLLM1_80_0 counts failures of callbacks and shows budgets of users; metrics need no licence any more.
	LiteLLM1_80_0 LiteLLMVersion = "1.80.0"
	// LiteLLM1_80_15 has the names that end in _metric, queue times, guardrails, and the proxy's cache.
	LiteLLM1_80_15 LiteLLMVersion = "1.80.15"
	// LiteLLM1_82_0 has requests in flight, numbers of users and teams, limits of deployments, client_ip and user_agent.
	LiteLLM1_82_0 LiteLLMVersion = "1.82.0"
	// LiteLLM1_83_7 has 18 latency buckets instead of 36, and budgets of organisations.
	LiteLLM1_83_7 LiteLLMVersion = "1.83.7"
	// LiteLLM1_85_0 wants a key for /metrics.
	LiteLLM1_85_0 LiteLLMVersion = "1.85.0"
	// LiteLLM1_88_0 says less at /health/readiness, and the rest at /health/readiness/details.
	LiteLLM1_88_0 LiteLLMVersion = "1.88.0"
	// LiteLLM1_95_0 has providers and organisations on requests, tokens of the providers' caches, batches and tools. Some of
	// these came at an unknown release after 1.83.7.
	LiteLLM1_95_0 LiteLLMVersion = "1.95.0"
)

// LiteLLMVersions lists the dialects from the oldest to the newest.
func LiteLLMVersions() []LiteLLMVersion {
	return []LiteLLMVersion{
		LiteLLM1_65_0, LiteLLM1_72_0, LiteLLM1_80_0, LiteLLM1_80_15, LiteLLM1_82_0, LiteLLM1_83_7, LiteLLM1_85_0, LiteLLM1_88_0, LiteLLM1_95_0,
	}
}

// liteOrder is a version's place in LiteLLMVersions, or -1.
func liteOrder(v LiteLLMVersion) int { return slices.Index(LiteLLMVersions(), v) }

// has says whether a version has what came with another one.
func (v LiteLLMVersion) has(from LiteLLMVersion) bool { return liteOrder(v) >= liteOrder(from) }

// since returns labels that came with a version.
func (v LiteLLMVersion) since(from LiteLLMVersion, labels ...string) []string {
	if v.has(from) {
		return labels
	}
	return nil
}

// Bounds in seconds, without +Inf. Those of latencies can be set; latency per token has those of the client library.
var (
	liteBounds = []float64{
		0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10,
		15, 20, 25, 30, 60, 120, 180, 240, 300,
	}
	liteFewerBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 420, 600}
	perTokenBounds  = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	batchBounds     = []float64{60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400}
)

func (v LiteLLMVersion) latencyBounds() []float64 {
	if v.has(LiteLLM1_83_7) {
		return liteFewerBounds
	}
	return liteBounds
}

// liteFamily is one family of a dialect.
type liteFamily struct {
	// key is how the code calls it, name how the page does, without _total on counters.
	key, name string
	kind      kind
	help      string
	labels    []string
	bounds    []float64
	// plain families do not have the administrator's own labels.
	plain bool
	// live gauges are added up over the processes that live, instead of one series for each pid.
	live bool
}

// families are those that a proxy declares, in the order of the page.
func (c *LiteLLMConfig) families() []liteFamily {
	if c.NotPremium && !c.Version.has(LiteLLM1_80_0) {
		return []liteFamily{{
			key: "not_premium", name: "litellm_not_a_premium_user_metric", kind: kindCounter, plain: true,
			help: "Prometheus metrics need LiteLLM Enterprise.",
		}}
	}
	var kept []liteFamily
	if c.PrometheusSystem {
		kept = c.Version.serviceFamilies()
	}
	for _, f := range c.Version.families() {
		if slices.Contains(c.DropMetrics, f.name) {
			continue
		}
		if !f.plain {
			f.labels = with(f.labels, c.CustomLabels)
		}
		if f.key == "total" && c.StreamLabel {
			f.labels = with(f.labels, []string{"stream"})
		}
		if rest := slices.DeleteFunc(slices.Clone(f.labels), func(name string) bool { return slices.Contains(c.DropLabels, name) }); len(rest) > 0 {
			f.labels = rest
		}
		if c.LatencyBounds != nil && f.kind == kindHistogram && f.key != "per_token" && f.key != "batch_duration" {
			f.bounds = c.LatencyBounds
		}
		kept = append(kept, f)
	}
	return kept
}

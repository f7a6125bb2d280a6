package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// LiteLLMConfig describes one LiteLLM proxy. The zero value is a healthy proxy of the newest dialect with a data base, a
// master key and one deployment.
type LiteLLMConfig struct {
	// Version is the dialect. Empty means the newest. An unknown one makes NewLiteLLM panic.
	Version LiteLLMVersion
	// BuildVersion is what the proxy calls itself. Empty means Version.
	BuildVersion string
	// Deployments are the models behind it. Several may share a public name. Nil means one.
	Deployments []LiteLLMDeployment
	// MasterKey may do everything. Empty means "sk-master".
	MasterKey string
	// Keys are virtual keys, with fewer rights.
	Keys []LiteLLMKey

	// NoDatabase leaves the data base out: spend, activity and stored health are not there then, nor are virtual keys known.
	NoDatabase bool
	// Redis says that there is a cache.
	Redis bool
	// NoDocs switches /openapi.json off.
	NoDocs bool
	// ReadinessDetails shows all at /health/readiness, as before 1.88.0: allow_public_health_readiness_details.
	ReadinessDetails bool
	// BackgroundHealth is background_health_checks: /health answers what SetHealth said last and calls no model.
	BackgroundHealth bool
	// HealthTakes is how long /health waits for the models that it calls.
	HealthTakes time.Duration
	// ActivityDelay is how long it takes until spend is in the data base.
	ActivityDelay time.Duration

	// NoPrometheus leaves the callback out: /metrics is not found.
	NoPrometheus bool
	// NotPremium is a proxy without a licence, which before 1.80.0 has no metrics but one that says so.
	NotPremium bool
	// PrometheusSystem is service_callback: prometheus_system, which adds the families of services.
	PrometheusSystem bool
	// MetricsAuth overrides whether /metrics wants a key. Nil means as the version does by default.
	MetricsAuth *bool
	// CustomLabels are those that the administrator adds to nearly all families, such as "metadata_department" or "tag_batch".
	CustomLabels []string
	// StreamLabel is prometheus_emit_stream_label.
	StreamLabel bool
	// DropMetrics (names without _total) and DropLabels are left out by prometheus_metrics_config. Series that differ in
	// nothing else become one. A family that has no other labels, such as budgets, keeps them.
	DropMetrics, DropLabels []string
	// LatencyBounds are prometheus_latency_buckets. Nil means those of the version.
	LatencyBounds []float64
	// Extra is appended to the page as it is.
	Extra string

	// Workers above 1 without MultiProcess answer scrapes in turn, each with its own numbers.
	Workers int
	// MultiProcess is PROMETHEUS_MULTIPROC_DIR: one page for all workers, without process_* and _created, gauges with a pid.
	MultiProcess bool

	// Now is the proxy's clock. Nil means time.Now.
	Now func() time.Time
}

// LiteLLMDeployment is a model that the proxy can call.
type LiteLLMDeployment struct {
	// ID is model_info.id. Empty means made from the rest, as for models of the configuration file.
	ID string
	// Name is the public name, Model is provider/model as the configuration has it, e.g. "hosted_vllm/qwen3-32b".
	Name, Model string
	// APIBase is the address of the server, empty for a provider's own.
	APIBase string
	// Mode is chat, embedding, rerank, ...; empty is null.
	Mode string
	// Key is the name in LiteLLM's price list. Empty means as the upstream server calls it.
	Key string
	// Unlisted models are not in the price list: what was not configured is missing, where it is null for others.
	Unlisted bool
	// MaxInput and MaxOutput tokens; 0 is null.
	MaxInput, MaxOutput int
	// InputPrice and the others are USD per token; nil is null.
	InputPrice, OutputPrice, CacheReadPrice, CacheCreationPrice, ReasoningPrice *float64
	// Supports are capabilities, without supports_.
	Supports []string
	// TPM and RPM are limits; 0 means none.
	TPM, RPM int
	// Database says that the model is kept in the data base.
	Database bool
}

// Provider is what stands before the first slash of the model.
func (d *LiteLLMDeployment) Provider() string {
	provider, _, ok := strings.Cut(d.Model, "/")
	if !ok {
		return "openai"
	}
	return provider
}

// Served is the model as the upstream server knows it.
func (d *LiteLLMDeployment) Served() string {
	_, served, ok := strings.Cut(d.Model, "/")
	if !ok {
		return d.Model
	}
	return served
}

// LiteLLMKey is a virtual key.
type LiteLLMKey struct {
	// Key is what a client sends. Alias is its name.
	Key, Alias string
	// Models that it may see; nil means all.
	Models []string
	// User is its owner, who sees no activity but its own. Empty sees all.
	User string
	// Team is its id, TeamAlias its name.
	Team, TeamAlias string
	// Admin may do what only administrators may.
	Admin bool
}

func (c LiteLLMConfig) withDefaults() LiteLLMConfig {
	setDefault(&c.Version, LiteLLMVersions()[len(LiteLLMVersions())-1])
	setDefault(&c.BuildVersion, string(c.Version))
	setDefault(&c.MasterKey, "sk-master")
	c.Workers = max(c.Workers, 1)
	c.Deployments = slices.Clone(c.Deployments)
	if c.Deployments == nil {
		c.Deployments = []LiteLLMDeployment{{Name: "sim-8b", Model: "hosted_vllm/sim-8b", APIBase: "http://vllm:8000/v1", Mode: "chat", MaxInput: 32768}}
	}
	for i := range c.Deployments {
		d := &c.Deployments[i]
		setDefault(&d.ID, LiteLLMHash(d.Name+d.Model+d.APIBase))
		setDefault(&d.Key, d.Served())
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// LiteLLMHash is how the proxy shows keys and models without an id of their own.
func LiteLLMHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

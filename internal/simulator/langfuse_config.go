package simulator

import (
	"slices"
	"time"
)

// LangfuseMode is how a server from 4.0 on keeps its data: LANGFUSE_MIGRATION_V4_WRITE_MODE. Before 4.0 it means nothing.
type LangfuseMode string

// The modes, in the order of a migration: the old tables only, both, the new table of events only.
const (
	LangfuseLegacy     LangfuseMode = "legacy"
	LangfuseDual       LangfuseMode = "dual"
	LangfuseEventsOnly LangfuseMode = "events_only"
)

// LangfusePlan is what an organisation of Langfuse Cloud pays for: it decides how often it may ask.
type LangfusePlan string

// The plans. LangfusePro stands for all above it.
const (
	LangfuseHobby LangfusePlan = "hobby"
	LangfuseCore  LangfusePlan = "core"
	LangfusePro   LangfusePlan = "pro"
)

// LangfuseConfig describes one Langfuse server with one project. The zero value is a self-hosted server of the newest
// version that keeps events only, without delay and limits.
type LangfuseConfig struct {
	// Version is what /health answers and what decides which endpoints exist, e.g. "3.141.0". Empty means "4.16.0". One
	// that is no major.minor.patch makes NewLangfuse panic.
	Version string
	// Mode is how the server keeps its data from 4.0 on. Empty means LangfuseEventsOnly.
	Mode LangfuseMode
	// V2OnV3 is the undocumented switch that lets a self-hosted 3.x from 3.141 answer the v2 endpoints.
	V2OnV3 bool
	// Cloud makes it Langfuse Cloud: v2 endpoints from 3.141 on, v1 reads until 16 November 2026 by Now, limits by Plan.
	Cloud bool
	// NewOrganization is one of the Cloud that began in the summer of 2026 (~): v1 reads are answered 410.
	NewOrganization bool
	// Plan is what the limits of Langfuse Cloud follow. Empty means LangfuseHobby. Self-hosted servers have no limits.
	Plan LangfusePlan

	// ProjectID, ProjectName and Organization are what /projects answers. Empty means "project-1", "sim" and "sim-org".
	ProjectID, ProjectName, Organization string
	// PublicKey and SecretKey open the project. Empty means "pk-lf-sim" and "sk-lf-sim".
	PublicKey, SecretKey string
	// RetentionDays is how long data is kept; 0 means for ever. Older data is in no answer.
	RetentionDays int
	// Models are the price definitions of the project in /models. They price nothing: observations come with their cost.
	Models []LangfuseModel

	// IngestionDelay is how long after its end (observations) or time (traces, scores) something is in answers for the
	// first time.
	IngestionDelay time.Duration
	// StringNumbers makes the metrics APIs answer integers and costs as strings, as ClickHouse quotes 64 bit integers and,
	// where it is told to, decimals. Averages and percentiles stay numbers.
	StringNumbers bool
	// MaxWindow is the widest time range that the data base bears; wider queries, and those without one, are answered by
	// MaxWindowStatus: 422, 504 or 524. Zero means any range; a status of zero means 422.
	MaxWindow       time.Duration
	MaxWindowStatus int
	// PathPrefix is put before every path, as with NEXT_PUBLIC_BASE_PATH.
	PathPrefix string

	// Now is the server's clock. Nil means time.Now. Skew is added to it in the Date header only.
	Now  func() time.Time
	Skew time.Duration
}

// LangfuseModel is a price definition in /models, USD per token. A nil price is not set.
type LangfuseModel struct {
	ID, Name, MatchPattern string
	InputPrice             *float64
	OutputPrice            *float64
	TotalPrice             *float64
	// Managed definitions come with Langfuse.
	Managed bool
}

// withDefaults is the configuration with every empty value filled in.
func (c LangfuseConfig) withDefaults() LangfuseConfig {
	setDefault(&c.Version, "4.16.0")
	setDefault(&c.Mode, LangfuseEventsOnly)
	setDefault(&c.Plan, LangfuseHobby)
	setDefault(&c.ProjectID, "project-1")
	setDefault(&c.ProjectName, "sim")
	setDefault(&c.Organization, "sim-org")
	setDefault(&c.PublicKey, "pk-lf-sim")
	setDefault(&c.SecretKey, "sk-lf-sim")
	setDefault(&c.MaxWindowStatus, 422)
	c.Models = slices.Clone(c.Models)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

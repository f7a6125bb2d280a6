package simulator

import "time"

// LangfuseObservation is a span, a generation or an event of a trace. Empty strings and zero times are null in answers.
type LangfuseObservation struct {
	// ID is unique; adding it again replaces the observation. Empty means a new one.
	ID string
	// TraceID is the trace that it is part of. Empty means one of its own. A trace that was not added by AddTrace comes
	// into being with its first observation and takes name, environment, tags and so on from its root.
	TraceID string
	// ParentID is empty for a root. AppRoot makes one with a parent a root all the same: its parent is in another service.
	ParentID string
	AppRoot  bool
	// Type is GENERATION, SPAN, EVENT, EMBEDDING, AGENT, TOOL, ... Empty means GENERATION with a model and SPAN without.
	Type string
	Name string
	// Start decides which time range it belongs to. CompletionStart is when the first token came.
	Start, End, CompletionStart time.Time
	// Model is the name that the application gave.
	Model string
	// TotalTokens of 0 means the sum of the other two.
	InputTokens, OutputTokens, TotalTokens int
	// InputCost, OutputCost and TotalCost are USD; nil where the model has no price. A nil TotalCost is the sum of the
	// others, if there is one.
	InputCost, OutputCost, TotalCost *float64
	// Level is DEBUG, DEFAULT, WARNING or ERROR. Empty means DEFAULT.
	Level         string
	StatusMessage string
	// Environment is "default" where empty.
	Environment string
	PromptName  string
	// PromptVersion counts only with a PromptName.
	PromptVersion    int
	Tags             []string
	Release, Version string
	// UserID and SessionID are those of the trace where empty.
	UserID, SessionID string
	// ToolDefinitions and ToolCalls are numbers of them.
	ToolDefinitions, ToolCalls int
	// Visible is when queries see it first. Zero means IngestionDelay after its end, or its start if it has none.
	Visible time.Time
}

// LangfuseTrace is what is known of a trace besides its observations. Empty strings are null in answers.
type LangfuseTrace struct {
	// ID is unique; adding it again replaces the trace. Empty means a new one.
	ID                string
	Time              time.Time
	Name              string
	UserID, SessionID string
	// Environment is "default" where empty.
	Environment      string
	Tags             []string
	Release, Version string
	// Visible is when queries see it first. Zero means IngestionDelay after its time.
	Visible time.Time
}

// LangfuseScore is one judgement of a trace, an observation or a session.
type LangfuseScore struct {
	// ID is unique; adding it again replaces the score. Empty means a new one.
	ID   string
	Time time.Time
	Name string
	// Source is API, ANNOTATION or EVAL. Empty means API.
	Source string
	// DataType is NUMERIC, BOOLEAN, CATEGORICAL, TEXT or CORRECTION. Empty means NUMERIC.
	DataType string
	// Value is of numeric and boolean (0 or 1) scores, StringValue of all others.
	Value       float64
	StringValue string
	// One of these is judged: an observation is named with its trace.
	TraceID, ObservationID, SessionID string
	ConfigID, Comment                 string
	// Environment is "default" where empty.
	Environment string
	// Visible is when queries see it first. Zero means IngestionDelay after its time.
	Visible time.Time
}

// LangfuseTotals is the truth about a time range, whoever can see it yet.
type LangfuseTotals struct {
	// Traces by their time, Roots and Observations by their start, Scores by their time.
	Traces, Roots, Observations, Scores int
	// Users and Sessions are the different ones of those traces.
	Users, Sessions int
	// Generations are observations of that type, and ByModel is what they used, "" for those without a model.
	Generations int
	ByModel     map[string]LangfuseUsage
	// ByLevel counts observations.
	ByLevel map[string]int
	// Usage is the sum over all observations.
	Usage LangfuseUsage
}

// LangfuseUsage is tokens and USD. Costs that are null count as 0.
type LangfuseUsage struct {
	Observations                           int
	InputTokens, OutputTokens, TotalTokens int
	InputCost, OutputCost, TotalCost       float64
}

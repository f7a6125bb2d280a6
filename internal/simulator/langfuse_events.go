package simulator

import (
	"math"
	"slices"
	"time"
)

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

// root reports whether it is one, for itself or for the application.
func (o *LangfuseObservation) root() bool { return o.ParentID == "" || o.AppRoot }

// fill puts in what was left empty. Times have microseconds there.
func (o *LangfuseObservation) fill() {
	for _, t := range []*time.Time{&o.Start, &o.End, &o.CompletionStart} {
		*t = t.Truncate(time.Microsecond)
	}
	o.Tags = slices.Clone(o.Tags)
	if o.Model != "" {
		setDefault(&o.Type, "GENERATION")
	}
	setDefault(&o.Type, "SPAN")
	setDefault(&o.Level, "DEFAULT")
	setDefault(&o.Environment, "default")
	setDefault(&o.TotalTokens, o.InputTokens+o.OutputTokens)
	if o.PromptName == "" {
		o.PromptVersion = 0
	}
	if o.TotalCost == nil && (o.InputCost != nil || o.OutputCost != nil) {
		total := costValue(unitsOf(o.InputCost) + unitsOf(o.OutputCost))
		o.TotalCost = &total
	}
}

func (s *LangfuseScore) fill() {
	s.Time = s.Time.Truncate(time.Microsecond)
	setDefault(&s.Source, "API")
	setDefault(&s.DataType, "NUMERIC")
	setDefault(&s.Environment, "default")
}

// costUnits is USD in units of langfuseDecimals, costValue the way back.
func costUnits(usd float64) int64 { return int64(math.Round(usd * langfuseDecimals)) }

func costValue(units int64) float64 { return float64(units) / langfuseDecimals }

// unitsOf is 0 for a cost that is null.
func unitsOf(usd *float64) int64 {
	if usd == nil {
		return 0
	}
	return costUnits(*usd)
}

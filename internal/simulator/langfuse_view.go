package simulator

import "time"

// langfuseView is what a metrics query can ask for: a table with dimensions to group and filter by, and measures.
type langfuseView struct {
	since      langfuseRelease
	timeColumn string
	dimensions []langfuseDimension
	measures   []langfuseMeasure
	// rows lists what the view stands on in a time range, before any join.
	rows func(l *Langfuse, from, end, now time.Time) []*langfuseRow
}

// langfuseRow is one row of a view with what it is joined with.
type langfuseRow struct {
	at          time.Time
	trace       *langfuseTrace
	observation *LangfuseObservation
	score       *LangfuseScore
	// observations and scores are those of a trace or an observation, as far as the query joins them.
	observations []*LangfuseObservation
	scores       []*LangfuseScore
	// copies is the number of rows that the join makes of this one. Additive measures count each.
	copies int64
}

// langfuseJoin is a table that a dimension or a measure needs. It is an inner join on rows of the same time range, so it
// drops what has no partner there, which is how the real one loses late scores and traces that began before the range.
type langfuseJoin int

const (
	joinNothing langfuseJoin = iota
	joinTrace
	joinRootEvent // the trace's root in the table of events
	joinObservation
	joinScores
	joinObservations
)

// langfuseDimension is a column. Its value is nil, a string, a list of strings, a number or a bool.
type langfuseDimension struct {
	name  string
	since langfuseRelease
	join  langfuseJoin
	// wide: too many values to group by in v2. list: an array.
	wide, list bool
	// emptyIsNull: filters treat "" and null alike.
	emptyIsNull bool
	value       func(*langfuseRow) any
}

// zero is the default of the column's type: null where it can be, else "" and the like.
func (d *langfuseDimension) zero() any {
	empty := &langfuseRow{observation: &LangfuseObservation{}, trace: &langfuseTrace{}, score: &LangfuseScore{}}
	switch d.value(empty).(type) {
	case string:
		return ""
	case bool:
		return false
	case float64:
		return 0.0
	case []string:
		return []string{}
	default:
		return nil
	}
}

// langfuseKind is the type of a measure in the data base.
type langfuseKind int

const (
	kindInteger langfuseKind = iota
	kindDecimal              // USD in units of langfuseDecimals
	kindReal
	kindText // can only be counted
)

// langfuseMeasure is a number, or for kindText a string, of each row; false where it is null.
type langfuseMeasure struct {
	name  string
	since langfuseRelease
	kind  langfuseKind
	join  langfuseJoin
	// nullable measures of nothing are null, others 0 or, for averages, not a number.
	nullable bool
	whole    func(*langfuseRow) (int64, bool)
	real     func(*langfuseRow) (float64, bool)
	text     func(*langfuseRow) (string, bool)
}

// langfuseViews are the views of v1, which reads the old tables, and of v2, which reads the events.
func langfuseViews(v2 bool) map[string]langfuseView {
	views := map[string]langfuseView{
		"observations":       langfuseObservationsView(v2),
		"scores-numeric":     langfuseScoresView(v2, "NUMERIC", "BOOLEAN"),
		"scores-categorical": langfuseScoresView(v2, "CATEGORICAL", "TEXT"),
		"scores-boolean":     langfuseScoresView(v2, "BOOLEAN"),
	}
	if !v2 {
		views["traces"] = langfuseTracesView()
	}
	return views
}

// dimension looks a column up for grouping.
func (v *langfuseView) dimension(name string, r langfuseRelease) *langfuseDimension {
	for i := range v.dimensions {
		if d := &v.dimensions[i]; d.name == name && r.from(d.since) {
			return d
		}
	}
	return nil
}

func (v *langfuseView) measure(name string, r langfuseRelease) *langfuseMeasure {
	for i := range v.measures {
		if m := &v.measures[i]; m.name == name && r.from(m.since) {
			return m
		}
	}
	return nil
}

// names lists what is there, for error messages.
func (v *langfuseView) names(r langfuseRelease) (dimensions, measures []string) {
	for _, d := range v.dimensions {
		if r.from(d.since) {
			dimensions = append(dimensions, d.name)
		}
	}
	for _, m := range v.measures {
		if r.from(m.since) {
			measures = append(measures, m.name)
		}
	}
	return dimensions, measures
}

// orNull is null for an empty string.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// firstOf is the first string that is not empty.
func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// listOf is a list that is never null.
func listOf(tags []string) []string {
	if tags == nil {
		return []string{}
	}
	return tags
}

package simulator

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// langfuseQuery is the JSON in ?query= of the metrics APIs.
type langfuseQuery struct {
	View       string `json:"view"`
	Dimensions []struct {
		Field string `json:"field"`
	} `json:"dimensions"`
	Metrics       []langfuseMetric `json:"metrics"`
	Filters       []langfuseFilter `json:"filters"`
	TimeDimension *struct {
		Granularity string `json:"granularity"`
	} `json:"timeDimension"`
	FromTimestamp string          `json:"fromTimestamp"`
	ToTimestamp   string          `json:"toTimestamp"`
	OrderBy       []langfuseOrder `json:"orderBy"`
	Config        *struct {
		Bins     *int `json:"bins"`
		RowLimit *int `json:"row_limit"`
	} `json:"config"`

	from, to time.Time // in milliseconds, as JavaScript has them
}

type langfuseMetric struct {
	Measure     string `json:"measure"`
	Aggregation string `json:"aggregation"`
}

type langfuseOrder struct {
	Field     string `json:"field"`
	Direction string `json:"direction"`
}

// langfusePlanned is a query bound to a view: ready to run.
type langfusePlanned struct {
	view        *langfuseView
	dimensions  []*langfuseDimension
	metrics     []langfuseApplied
	conditions  []langfuseCondition
	order       []langfuseOrder
	granularity string // empty without a time dimension
	fill        bool
	from, to    time.Time
	bins, limit int // a limit of 0 is none
	v2          bool
}

// langfuseApplied is an aggregation of a measure; its column is called after both.
type langfuseApplied struct {
	*langfuseMeasure
	aggregation string
}

func (a langfuseApplied) column() string { return a.aggregation + "_" + a.name }

var (
	langfuseAggregations  = []string{"sum", "avg", "count", "max", "min", "p50", "p75", "p90", "p95", "p99", "histogram", "uniq"}
	langfuseGranularities = []string{"auto", "minute", "hour", "day", "week", "month"}
)

// parseLangfuseQuery checks what the schema checks.
func parseLangfuseQuery(text string, r langfuseRelease, v2 bool) (*langfuseQuery, *langfuseRefusal) {
	if text == "" {
		return nil, badData("query", "Invalid input: expected string, received undefined")
	}
	if !json.Valid([]byte(text)) {
		return nil, badQuery("Invalid JSON in query parameter")
	}
	q := &langfuseQuery{}
	if err := json.Unmarshal([]byte(text), q); err != nil {
		return nil, badData("query", "%v", err)
	}
	view, known := langfuseViews(v2)[q.View]
	if !known || !r.from(view.since) {
		return nil, badData("view", "Invalid option %q: no such view", q.View)
	}
	if len(q.Metrics) == 0 {
		return nil, badData("metrics", "Too small: expected array to have >=1 items")
	}
	for _, m := range q.Metrics {
		if !slices.Contains(langfuseAggregations, m.Aggregation) || m.Aggregation == "uniq" && !r.from(langfuseUniq) {
			return nil, badData("metrics", "Invalid option %q: expected one of %s", m.Aggregation, strings.Join(langfuseAggregations, "|"))
		}
	}
	for i := range q.Filters {
		if refusal := q.Filters[i].check(); refusal != nil {
			return nil, refusal
		}
	}
	if t := q.TimeDimension; t != nil && !slices.Contains(langfuseGranularities, t.Granularity) {
		return nil, badData("timeDimension", "Invalid option %q: expected one of %s", t.Granularity, strings.Join(langfuseGranularities, "|"))
	}
	for _, o := range q.OrderBy {
		if o.Direction != "asc" && o.Direction != "desc" {
			return nil, badData("orderBy", "Invalid option %q: expected one of asc|desc", o.Direction)
		}
	}
	if refusal := q.parseTimes(); refusal != nil {
		return nil, refusal
	}
	return q, q.checkConfig()
}

func (q *langfuseQuery) parseTimes() *langfuseRefusal {
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{{"fromTimestamp", q.FromTimestamp, &q.from}, {"toTimestamp", q.ToTimestamp, &q.to}} {
		parsed, err := time.Parse(time.RFC3339Nano, t.text)
		if err != nil {
			return badData(t.name, "Invalid ISO datetime")
		}
		*t.to = parsed.Truncate(time.Millisecond).UTC()
	}
	if !q.from.Before(q.to) {
		return badData("", "fromTimestamp must be before toTimestamp")
	}
	return nil
}

func (q *langfuseQuery) checkConfig() *langfuseRefusal {
	if q.Config == nil {
		return nil
	}
	if n := q.Config.Bins; n != nil && (*n < 1 || *n > 100) {
		return badData("config.bins", "Invalid number: expected 1 to 100")
	}
	if n := q.Config.RowLimit; n != nil && (*n < 1 || *n > 1000) {
		return badData("config.row_limit", "Invalid number: expected 1 to 1000")
	}
	return nil
}

// plan binds a query to its view and checks what the query builder checks.
func (q *langfuseQuery) plan(r langfuseRelease, v2 bool) (*langfusePlanned, *langfuseRefusal) {
	view := langfuseViews(v2)[q.View]
	dimensions, measures := view.names(r)
	p := &langfusePlanned{view: &view, from: q.from, to: q.to, v2: v2, bins: 10}
	for _, d := range q.Dimensions {
		found := view.dimension(d.Field, r)
		if found == nil {
			return nil, badQuery("Invalid dimension %s. Must be one of %s", d.Field, strings.Join(dimensions, ","))
		}
		p.dimensions = append(p.dimensions, found)
	}
	for _, m := range q.Metrics {
		found := view.measure(m.Measure, r)
		if found == nil {
			return nil, badQuery("Invalid metric %s. Must be one of %s", m.Measure, strings.Join(measures, ","))
		}
		if found.kind == kindText && m.Aggregation != "count" && m.Aggregation != "uniq" {
			return nil, badQuery("Aggregation %q is not valid for measure %q (type: string). Valid aggregations: count, uniq",
				m.Aggregation, m.Measure)
		}
		p.metrics = append(p.metrics, langfuseApplied{found, m.Aggregation})
	}
	if refusal := q.checkWide(p.dimensions, r); refusal != nil {
		return nil, refusal
	}
	for i := range q.Filters {
		condition, refusal := q.Filters[i].condition(&view, r, v2)
		if refusal != nil {
			return nil, refusal
		}
		p.conditions = append(p.conditions, condition)
	}
	if q.TimeDimension != nil {
		p.granularity = q.TimeDimension.Granularity
		if p.granularity == "auto" {
			p.granularity = autoGranularity(q.to.Sub(q.from))
		}
		p.fill = len(q.OrderBy) == 0
	}
	if v2 {
		p.limit = 100
	}
	if q.Config != nil {
		if q.Config.Bins != nil {
			p.bins = *q.Config.Bins
		}
		if q.Config.RowLimit != nil {
			p.limit = *q.Config.RowLimit
		}
	}
	return p, p.setOrder(q.OrderBy)
}

// checkWide refuses to group by columns with too many values, except from 4.0 (~) for a list of the top of them: without
// time, with a limit, and ordered by a measure, the highest first.
func (q *langfuseQuery) checkWide(dimensions []*langfuseDimension, r langfuseRelease) *langfuseRefusal {
	var wide []string
	for _, d := range dimensions {
		if d.wide {
			wide = append(wide, d.name)
		}
	}
	if len(wide) == 0 {
		return nil
	}
	names := strings.Join(wide, ", ")
	if q.TimeDimension != nil {
		return badQuery("High cardinality dimension(s) '%s' cannot be used with timeDimension. Time series queries with high "+
			"cardinality dimensions produce unbounded result sets.", names)
	}
	top := slices.ContainsFunc(q.OrderBy, func(o langfuseOrder) bool { return o.Direction == "desc" })
	if !r.from(langfuse4) || !top || q.Config == nil || q.Config.RowLimit == nil {
		return badQuery("High cardinality dimension(s) '%s' require both 'config.row_limit' and 'orderBy' with direction 'desc' "+
			"on a measure field.", names)
	}
	for _, o := range q.OrderBy {
		ofMeasure := slices.ContainsFunc(q.Metrics, func(m langfuseMetric) bool {
			return o.Field == m.Measure || strings.HasSuffix(o.Field, "_"+m.Measure)
		})
		if o.Direction == "desc" && !ofMeasure {
			return badQuery("High cardinality dimension(s) '%s' require 'orderBy' with direction 'desc' on a measure field. "+
				"'%s' is not a measure in this query.", names, o.Field)
		}
	}
	return nil
}

// setOrder takes the order asked for, or time, or the first metric, the highest first.
func (p *langfusePlanned) setOrder(order []langfuseOrder) *langfuseRefusal {
	if len(order) == 0 {
		p.order = []langfuseOrder{{p.metrics[0].column(), "desc"}}
		if p.granularity != "" {
			p.order = []langfuseOrder{{"time_dimension", "asc"}}
		}
		return nil
	}
	for _, o := range order {
		known := o.Field == "time_dimension" && p.granularity != "" ||
			slices.ContainsFunc(p.dimensions, func(d *langfuseDimension) bool { return d.name == o.Field }) ||
			slices.ContainsFunc(p.metrics, func(m langfuseApplied) bool {
				return m.aggregation != "histogram" && m.column() == o.Field
			})
		if !known {
			return badQuery("Invalid orderBy field: %s. Must be one of the dimension or metric fields.", o.Field)
		}
	}
	p.order = order
	return nil
}

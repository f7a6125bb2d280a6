package langfusereceiver

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// apiName is an API of the server.
type apiName string

// The APIs, the best first. What a server of which version and mode offers is not
// to be told beforehand.
const (
	apiV2    apiName = "v2"    // /v2/metrics: Cloud, and servers from 4.0 on without the tables of before
	apiV1    apiName = "v1"    // /metrics: 3.57 and later
	apiDaily apiName = "daily" // /metrics/daily: 2.x and later
)

// rowLimit is how many rows an answer may have. The server cuts what is more
// without a word.
const rowLimit = 1000

// The query language of both metrics APIs.
type (
	query struct {
		View          string         `json:"view"`
		Dimensions    []dimension    `json:"dimensions"`
		Metrics       []metric       `json:"metrics"`
		Filters       []filter       `json:"filters"`
		TimeDimension any            `json:"timeDimension"`
		From          string         `json:"fromTimestamp"`
		To            string         `json:"toTimestamp"`
		OrderBy       []order        `json:"orderBy"`
		Config        map[string]int `json:"config"`
	}
	dimension struct {
		Field string `json:"field"`
	}
	metric struct {
		Measure     string `json:"measure"`
		Aggregation string `json:"aggregation"`
	}
	filter struct {
		Column   string `json:"column"`
		Operator string `json:"operator"`
		Value    any    `json:"value"`
		Type     string `json:"type"`
	}
	order struct {
		Field     string `json:"field"`
		Direction string `json:"direction"`
	}
)

// lacking are the parts of queries that the server refused, by view.
type lacking map[string][]string

// whole stands for a view that the server does not have at all.
const whole = "*"

func (l lacking) has(view, part string) bool { return slices.Contains(l[view], part) }

// with returns a copy with more: others read the old one.
func (l lacking) with(view string, parts ...string) lacking {
	more := make(lacking, len(l)+1)
	for v, p := range l {
		more[v] = slices.Clone(p)
	}
	for _, part := range parts {
		if !more.has(view, part) {
			more[view] = append(more[view], part)
		}
	}
	return more
}

// query asks for the window, without the parts that the server lacks.
func (v *view) query(w window, without lacking) query {
	q := query{
		View: v.source, Dimensions: []dimension{}, Metrics: []metric{{"count", "count"}}, Filters: append([]filter{}, v.filters...),
		From: timestamp(w.from), To: timestamp(w.to),
		OrderBy: []order{{"count_count", "desc"}}, Config: map[string]int{"row_limit": rowLimit},
	}
	for _, d := range v.required {
		q.Dimensions = append(q.Dimensions, dimension{d})
	}
	for _, d := range v.optional {
		if !without.has(v.name, d) {
			q.Dimensions = append(q.Dimensions, dimension{d})
		}
	}
	for _, m := range v.metrics {
		if !without.has(v.name, m.Measure) {
			q.Metrics = append(q.Metrics, m)
		}
	}
	// The server takes toTimestamp as inclusive (queryBuilder.ts, 3.57 to 4.16), so
	// that what began at the end of a window would be in the next one as well.
	if without.has(v.name, v.time) {
		q.To = timestamp(w.to.Add(-time.Millisecond))
	} else {
		q.Filters = append(q.Filters, filter{v.time, "<", timestamp(w.to), "datetime"})
	}
	return q
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// parts are what a query for the view can do without.
func (v *view) parts() []string {
	parts := append([]string{v.time}, v.optional...)
	for _, m := range v.metrics {
		if !slices.Contains(parts, m.Measure) {
			parts = append(parts, m.Measure)
		}
	}
	return parts
}

// refusedName finds what the server says it does not know.
var refusedName = regexp.MustCompile(`Invalid (?:metric|measure|dimension|filter column) '?(\w+)`)

// blame says which parts of a query to leave out next time, after the server called
// it bad. First what it names; then the measures, then all that is not needed; then
// the view itself.
func (v *view) blame(complaint string, without lacking) []string {
	var left, measures []string
	for _, part := range v.parts() {
		if without.has(v.name, part) {
			continue
		}
		left = append(left, part)
		if slices.ContainsFunc(v.metrics, func(m metric) bool { return m.Measure == part }) {
			measures = append(measures, part)
		}
	}
	if m := refusedName.FindStringSubmatch(complaint); m != nil {
		if slices.Contains(left, m[1]) {
			return []string{m[1]}
		}
		return []string{whole} // it is needed
	}
	first, at := "", len(complaint)
	for _, part := range left {
		if i := strings.Index(complaint, part); i >= 0 && i < at {
			first, at = part, i
		}
	}
	switch {
	case first != "":
		return []string{first}
	case len(measures) > 0:
		return measures
	case len(left) > 0:
		return left
	}
	return []string{whole}
}

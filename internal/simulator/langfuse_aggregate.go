package simulator

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// langfuseAggregate is one aggregation of one group while rows come in. Nulls are skipped.
type langfuseAggregate struct {
	metric   langfuseApplied
	n        int64
	whole    int64 // sum
	low, top int64
	real     float64 // sum
	values   []float64
	texts    map[string]bool
}

// langfuseCost is USD in units of langfuseDecimals.
type langfuseCost int64

var langfuseQuantiles = map[string]float64{"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}

func (a *langfuseAggregate) add(row *langfuseRow) {
	switch m := a.metric; m.kind {
	case kindText:
		if text, ok := m.text(row); ok {
			a.count(text)
		}
	case kindReal:
		if x, ok := m.real(row); ok {
			a.count(strconv.FormatFloat(x, 'g', -1, 64))
			a.real += x
			a.keep(x)
		}
	default:
		if x, ok := m.whole(row); ok {
			a.count(strconv.FormatInt(x, 10))
			a.whole += x
			if a.n == 1 {
				a.low, a.top = x, x
			}
			a.low, a.top = min(a.low, x), max(a.top, x)
			a.keep(m.scale(x))
		}
	}
}

func (a *langfuseAggregate) count(text string) {
	a.n++
	if a.metric.aggregation == "uniq" {
		if a.texts == nil {
			a.texts = map[string]bool{}
		}
		a.texts[text] = true
	}
}

// keep remembers values where sums are not enough.
func (a *langfuseAggregate) keep(x float64) {
	_, quantile := langfuseQuantiles[a.metric.aggregation]
	if quantile || a.metric.aggregation == "histogram" || a.metric.kind == kindReal && a.metric.aggregation != "sum" {
		a.values = append(a.values, x)
	}
}

// scale is a whole number in the unit of answers.
func (m *langfuseMeasure) scale(x int64) float64 {
	if m.kind == kindDecimal {
		return costValue(x)
	}
	return float64(x)
}

// typed gives a whole number the type by which it is written.
func (m *langfuseMeasure) typed(x int64) any {
	if m.kind == kindDecimal {
		return langfuseCost(x)
	}
	return x
}

// result is nil, an int64, a langfuseCost, a float64 or the bins of a histogram.
func (a *langfuseAggregate) result(bins int) any {
	m := a.metric
	switch m.aggregation {
	case "count":
		return a.n
	case "uniq":
		return int64(len(a.texts))
	case "histogram":
		return histogramOf(a.values, bins)
	}
	if a.n == 0 && m.nullable {
		return nil
	}
	quantile, isQuantile := langfuseQuantiles[m.aggregation]
	switch {
	case isQuantile:
		return quantileOf(a.values, quantile)
	case m.aggregation == "avg" && m.kind == kindReal:
		return a.real / float64(a.n)
	case m.aggregation == "avg":
		return m.scale(a.whole) / float64(a.n)
	case m.aggregation == "sum" && m.kind == kindReal:
		return a.real
	case m.aggregation == "sum":
		return m.typed(a.whole)
	case m.kind == kindReal && a.n == 0:
		return 0.0
	case m.kind == kindReal && m.aggregation == "max":
		return slices.Max(a.values)
	case m.kind == kindReal:
		return slices.Min(a.values)
	case m.aggregation == "max":
		return m.typed(a.top)
	default:
		return m.typed(a.low)
	}
}

// quantileOf is ClickHouse's quantile: linear between the two nearest of all values. The real one takes a sample of 8192
// where there are more, so its answers differ a little each time (~).
func quantileOf(values []float64, level float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	at := level * float64(len(values)-1)
	below := int(at)
	above := min(below+1, len(values)-1)
	return values[below] + (values[above]-values[below])*(at-float64(below))
}

// histogramOf returns rows of lower bound, upper bound and height. The real one chooses bins that fit the data; here they
// are of equal width (~).
func histogramOf(values []float64, bins int) [][3]float64 {
	rows := [][3]float64{}
	if len(values) == 0 {
		return rows
	}
	low, high := slices.Min(values), slices.Max(values)
	width := (high - low) / float64(bins)
	if width == 0 {
		return append(rows, [3]float64{low, high, float64(len(values))})
	}
	for i := range bins {
		rows = append(rows, [3]float64{low + float64(i)*width, low + float64(i+1)*width, 0})
	}
	rows[bins-1][1] = high
	for _, x := range values {
		rows[min(int((x-low)/width), bins-1)][2]++
	}
	return rows
}

// langfuseJSON is a result as answers write it: not a number is null, and whole numbers and costs may be strings.
func langfuseJSON(result any, asStrings bool) any {
	var text string
	switch x := result.(type) {
	case int64:
		text = strconv.FormatInt(x, 10)
	case langfuseCost:
		text = strconv.FormatFloat(costValue(int64(x)), 'f', -1, 64)
	case float64:
		if math.IsNaN(x) {
			return nil
		}
		return x
	default:
		return x
	}
	if asStrings {
		return text
	}
	return json.Number(text)
}

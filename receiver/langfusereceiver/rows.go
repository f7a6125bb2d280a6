package langfusereceiver

import (
	"math"
	"strconv"
	"strings"
)

// row is a row of an answer: dimensions by their name, values by aggregation and
// measure, such as sum_totalCost.
type row map[string]any

// longestName bounds what becomes an attribute: users choose the names.
const longestName = 200

// text is the value of a dimension, empty if the server has none.
func (r row) text(name string) string {
	switch v := r[name].(type) {
	case string:
		if len(v) > longestName {
			v = strings.ToValidUTF8(v[:longestName], "")
		}
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// number is a value; ClickHouse writes large integers as strings. false: the server
// has none, or one that is no number.
func (r row) number(name string) (float64, bool) {
	switch v := r[name].(type) {
	case float64:
		return v, true
	case string:
		number, err := strconv.ParseFloat(v, 64)
		return number, err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	}
	return 0, false
}

// amount is a value that can be counted: 0 if there is none, or a negative one.
func (r row) amount(name string) float64 {
	v, ok := r.number(name)
	if !ok {
		return 0
	}
	return max(v, 0)
}

// has says whether there is a value.
func (r row) has(name string) bool {
	_, ok := r.number(name)
	return ok
}

package promtext

import "bytes"

// maxValue is the longest value, in bytes, that Values admits.
const maxValue = 256

// Values admits the first values of a label that it sees, up to a limit, and turns
// all others into one. It remembers them from page to page, so that a series does
// not change its name. It is for one page at a time.
type Values struct {
	limit    int
	overflow []byte
	admitted map[string]struct{}
	refused  int
}

// NewValues returns a Values that turns what is beyond limit into overflow, as it
// does with any value of more than 256 bytes.
func NewValues(limit int, overflow string) *Values {
	return &Values{limit: limit, overflow: []byte(overflow), admitted: make(map[string]struct{})}
}

// Refused says how often a value became the overflow value since the last call: once
// for each series of the source, or more where the page does not list the buckets of
// a histogram together.
func (v *Values) Refused() int {
	n := v.refused
	v.refused = 0
	return n
}

// admit returns value, or what stands for it.
func (v *Values) admit(value []byte) []byte {
	if _, ok := v.admitted[string(value)]; ok || bytes.Equal(value, v.overflow) {
		return value
	}
	if len(value) > maxValue || len(v.admitted) >= v.limit {
		v.refused++
		return v.overflow
	}
	v.admitted[string(value)] = struct{}{}
	return value
}

package promtext

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// reducer applies a Reduction to the lines of one family.
type reducer struct {
	*Reduction
	family string
	typ    model.MetricType
	// combine is the way for values, dates says that they are start times.
	combine Combine
	dates   bool

	// names are the labels that stay, in order, slots the place of each in it, and
	// found holds the values of the block at hand, nil where it has none.
	names []string
	slots map[string]int
	found [][]byte
	text  []byte
	// absent holds the values that stand for a missing label.
	absent map[string]bool
}

func newReducer(r *Reduction, family string, typ model.MetricType) *reducer {
	rd := &reducer{Reduction: r, family: family, typ: typ, combine: CombineSum, names: slices.Sorted(maps.Keys(r.Keep))}
	if typ == model.MetricTypeGauge {
		rd.combine = r.Gauges
	}
	rd.slots = make(map[string]int, len(rd.names))
	for i, name := range rd.names {
		rd.slots[name] = i
	}
	rd.found = make([][]byte, len(rd.names))
	rd.absent = map[string]bool{"": true}
	for _, value := range r.Absent {
		rd.absent[value] = true
	}
	return rd
}

// reducerOf returns the reducer of a new family, or nil.
func (b *builder) reducerOf(name string, typ model.MetricType) *reducer {
	if b.opts.Reduce == nil {
		return nil
	}
	if dated := b.page.datedBy(name, typ); dated != nil {
		if dated.reducer == nil {
			return nil
		}
		r := newReducer(dated.reducer.Reduction, name, typ)
		r.combine, r.dates = CombineMin, true
		return r
	}
	if r := b.opts.Reduce(name, typ); r != nil {
		return newReducer(r, name, typ)
	}
	return nil
}

// cut leaves in found the values of the labels of block that stay.
func (r *reducer) cut(block []byte) error {
	clear(r.found)
	r.text = r.text[:0]
	for name, value, rest := nextLabel(block); name != nil; name, value, rest = nextLabel(rest) {
		slot, ok := r.slots[string(unescape(name))]
		if !ok || value == nil {
			continue
		}
		if r.found[slot] != nil {
			return fmt.Errorf("%w: %s has the label %.40q twice", ErrSyntax, r.family, name)
		}
		r.found[slot] = value
	}
	for i, value := range r.found {
		if value == nil {
			continue
		}
		if value = r.unescape(value); r.absent[string(value)] {
			value = nil
		}
		r.found[i] = value
	}
	return nil
}

// unescape is that of the package without an allocation for each value.
func (r *reducer) unescape(value []byte) []byte {
	if bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	from := len(r.text)
	r.text = appendUnescaped(r.text, value)
	return r.text[from:]
}

// admit lets Values see what cut found.
func (r *reducer) admit() {
	for i, value := range r.found {
		if values := r.Keep[r.names[i]]; value != nil && values != nil {
			r.found[i] = values.admit(value)
		}
	}
}

// appendKey appends what tells the series apart from all others of the page. No
// value holds the byte 0xff, which is not UTF-8.
func (r *reducer) appendKey(key []byte, family int) []byte {
	key = binary.LittleEndian.AppendUint32(key, uint32(family))
	for _, value := range r.found {
		key = append(append(key, value...), 0xff)
	}
	return key
}

// labels returns the labels of the series, which hold no memory of the page.
func (r *reducer) labels(scratch *labels.ScratchBuilder) labels.Labels {
	scratch.Reset()
	for i, value := range r.found {
		if value != nil {
			scratch.Add(r.names[i], string(value))
		}
	}
	return scratch.Labels() // they are sorted
}

// valid says whether the value of a sample can be combined with others.
func (r *reducer) valid(value float64) bool {
	switch {
	case r.dates:
		return value > 0 && !math.IsInf(value, 0)
	case r.combine == CombineSum:
		return !math.IsNaN(value) && !math.IsInf(value, 0) && (value >= 0 || r.typ != model.MetricTypeCounter)
	}
	return !math.IsNaN(value)
}

// join combines the value of a series with one more.
func (r *reducer) join(value, more float64) float64 {
	switch r.combine {
	case CombineSum:
		return value + more
	case CombineMin:
		return min(value, more)
	case CombineMax:
		return max(value, more)
	}
	return more
}

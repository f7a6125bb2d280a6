package litellmreceiver

import (
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// collector makes points of the families of a page. Labels that become the same
// attributes make their series one.
type collector struct {
	labels *labeler
	// known are the deployments that the proxy told: they complete what the labels of
	// a deployment say.
	known *deployments
	tally *tally
}

// tally counts what was found on a page.
type tally struct {
	// unknown are series of LiteLLM that no table here knows, with the name of the
	// first of them.
	unknown      int
	firstUnknown string
	// invalid are series whose value cannot be.
	invalid      int
	firstInvalid string
	// refused are series with a value beyond the limit of an attribute.
	refused map[attribute]int
}

func (t *tally) addUnknown(name string, series int) {
	if t.unknown == 0 {
		t.firstUnknown = name
	}
	t.unknown += series
}

func (t *tally) addInvalid(name string, series int) {
	if t.invalid == 0 && series > 0 {
		t.firstInvalid = name
	}
	t.invalid += series
}

// points are those of a gauge or counter; f may be nil. as is the value of its fixed
// attribute.
func (c *collector) points(n *number, f *promtext.Family, as string) []point {
	if f == nil {
		return nil
	}
	points := make([]point, 0, len(f.Series))
	index := make(map[attributes]int, len(f.Series))
	c.tally.addInvalid(f.Name, f.Invalid)
	for i := range f.Series {
		s := &f.Series[i]
		if s.Histogram != nil || !isNumber(s.Value) || s.Value < 0 && !n.signed {
			c.tally.addInvalid(f.Name, 1)
			continue
		}
		a := c.labels.attributes(s.Labels, n.labels, !n.impersonal)
		c.known.complete(&a, n.prefixed)
		if as != "" {
			a[n.fixed] = as
		}
		if n.senseless(&a) {
			continue
		}
		k, again := index[a]
		if !again {
			index[a] = len(points)
			points = append(points, point{a, s.Value})
			continue
		}
		points[k].value = n.join(points[k].value, s.Value)
	}
	return points
}

// senseless says whether the series is one made of several that say something only
// one by one.
func (n *number) senseless(a *attributes) bool {
	for _, o := range n.only {
		if a[o] == overflow {
			return true
		}
	}
	return false
}

// join combines two values that are one series.
func (n *number) join(value, more float64) float64 {
	switch {
	case !n.gauge || n.combine == promtext.CombineSum:
		return value + more
	case n.combine == promtext.CombineMin:
		return min(value, more)
	}
	return max(value, more)
}

// distributions are those of a histogram; f may be nil.
func (c *collector) distributions(h *histogram, f *promtext.Family, as string) []distribution {
	if f == nil {
		return nil
	}
	points := make([]distribution, 0, len(f.Series))
	index := make(map[attributes]int, len(f.Series))
	c.tally.addInvalid(f.Name, f.Invalid)
	for i := range f.Series {
		s := &f.Series[i]
		if !sound(f.Type, s.Histogram) {
			c.tally.addInvalid(f.Name, 1)
			continue
		}
		a := c.labels.attributes(s.Labels, h.labels, !h.impersonal)
		c.known.complete(&a, false)
		if as != "" {
			a[h.fixed] = as
		}
		k, again := index[a]
		if !again {
			index[a] = len(points)
			points = append(points, distribution{a, s.Histogram})
		} else if !points[k].add(s.Histogram) {
			c.tally.addInvalid(f.Name, 1)
		}
	}
	return points
}

package promtext

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// aggregate does to a parsed page what r does while one is parsed, the obvious way.
func aggregate(p *Page, r *Reduction) *Page {
	out := &Page{}
	for _, f := range p.Families {
		reduced := Family{Name: f.Name, Type: f.Type}
		groups := map[labels.Labels][]Series{}
		created := map[labels.Labels]float64{} // also of series that are left out
		var order []labels.Labels
		for _, s := range f.Series {
			set := map[string]string{}
			s.Labels.Range(func(l labels.Label) {
				if _, ok := r.Keep[l.Name]; ok && l.Value != "" && !slices.Contains(r.Absent, l.Value) {
					set[l.Name] = l.Value
				}
			})
			key := labels.FromMap(set)
			if s.Created != 0 && (created[key] == 0 || s.Created < created[key]) {
				created[key] = s.Created
			}
			switch {
			case s.Histogram == nil && r.Drop != nil && r.Drop(s.Value):
				continue
			case s.Histogram == nil && spoils(f.Type, s.Value, r.Gauges):
				reduced.Invalid++
				continue
			case groups[key] == nil:
				order = append(order, key)
			}
			groups[key] = append(groups[key], s)
		}
		for _, key := range order {
			s := aggregateSeries(f.Type, key, groups[key], r.Gauges)
			s.Created = created[key]
			reduced.Series = append(reduced.Series, s)
		}
		out.Families = append(out.Families, reduced)
	}
	return out
}

func spoils(typ model.MetricType, value float64, gauges Combine) bool {
	added := typ != model.MetricTypeGauge || gauges == CombineSum
	return math.IsNaN(value) || added && math.IsInf(value, 0) || typ == model.MetricTypeCounter && value < 0
}

func aggregateSeries(typ model.MetricType, key labels.Labels, group []Series, gauges Combine) Series {
	out := Series{Labels: key, Value: group[0].Value}
	for _, s := range group[1:] {
		switch {
		case typ != model.MetricTypeGauge || gauges == CombineSum:
			out.Value += s.Value
		case gauges == CombineMin:
			out.Value = math.Min(out.Value, s.Value)
		case gauges == CombineMax:
			out.Value = math.Max(out.Value, s.Value)
		default:
			out.Value = s.Value
		}
	}
	if group[0].Histogram == nil {
		return out
	}
	out.Histogram = &Histogram{inf: math.NaN()}
	buckets := map[float64]float64{}
	for _, s := range group {
		for i, bound := range s.Histogram.Bounds {
			buckets[bound] += s.Histogram.Counts[i]
		}
		out.Histogram.Sum += s.Histogram.Sum
		out.Histogram.Count += s.Histogram.Count
		if inf := s.Histogram.inf; math.IsNaN(out.Histogram.inf) {
			out.Histogram.inf = inf
		} else if !math.IsNaN(inf) {
			out.Histogram.inf += inf
		}
	}
	if typ == model.MetricTypeSummary && len(group) > 1 {
		return out
	}
	out.Histogram.Bounds = slices.Sorted(maps.Keys(buckets))
	for _, bound := range out.Histogram.Bounds {
		out.Histogram.Counts = append(out.Histogram.Counts, buckets[bound])
	}
	return out
}

// dumpInvalid is dump with what was left out of each family.
func dumpInvalid(p *Page) string {
	var out strings.Builder
	for _, f := range p.Families {
		fmt.Fprint(&out, dump(&Page{Families: []Family{f}}), "  left out ", f.Invalid, "\n")
	}
	return out.String()
}

func randomReduction(r *rand.Rand) *Reduction {
	red := &Reduction{Keep: map[string]*Values{}, Gauges: Combine(r.IntN(4))}
	for _, name := range []string{"a", "b", "c"} {
		if r.IntN(2) == 0 {
			red.Keep[name] = nil
		}
	}
	if r.IntN(2) == 0 {
		red.Absent = []string{"x", "None"}
	}
	if r.IntN(4) == 0 {
		red.Drop = func(value float64) bool { return value == 1 || math.IsInf(value, 1) }
	}
	return red
}

func TestReduceEqualsParseThenAggregate(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		text, red := randomPage(r), randomReduction(r)
		want := dumpInvalid(aggregate(parse(t, text), red))
		require.Equal(t, want, dumpInvalid(reduce(t, text, red)), "seed %d, %+v:\n%s", seed, red, text)
	}
	red := keep("model", "requested_model")
	for _, page := range benchPages[:3] {
		text := string(page.page())
		require.Equal(t, dumpInvalid(aggregate(parse(t, text), red)), dumpInvalid(reduce(t, text, red)), page.name)
	}
}

func FuzzReduce(f *testing.F) {
	for _, seed := range []string{
		"",
		"# TYPE c_total counter\nc_total{a=\"\\\"\\\\\\n\",b=\"1\"} 1 17\nc_total{b=\"1\",key=\"2\"} NaN\n# TYPE c_created gauge\nc_created{a=\"\",b=\"1\"} 1.5e9\n",
		"# TYPE h histogram\nh_bucket{a=\"x\",le=\"1\"} 1\nh_bucket{a=\"x\",le=\"+Inf\"} 2\nh_bucket{a=\"y\",le=\"1\"} 1\nh_bucket{a=\"y\",le=\"+Inf\"} 2\nh_count{a=\"x\"} 2\n",
		"# TYPE h histogram\nh_bucket{le=\"4\",} 3\nh_bucket{ le = \"1e+06\" } 3\nh_bucket{le=\"1\"} 1\nh_count 3\nh_bucket{b=\"y\",le=\"4\"} 1\n",
		"# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns{quantile=\"0.5\",a=\"1\"} 1\ns_sum +Inf\ns_count 1\n",
		"# TYPE \"a.b\" gauge\n{\"a.b\",\"b\"=\"1\",\"b\"=\"1\"} 1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parseReduced := func(b []byte, oneByte bool) (*Page, error) {
			r := keep("b")
			r.Keep["a"] = NewValues(2, "other")
			r.Gauges = CombineSum
			if oneByte {
				return Parse(iotest.OneByteReader(bytes.NewReader(b)), Options{Reduce: always(r)})
			}
			return Parse(bytes.NewReader(b), Options{Reduce: always(r)})
		}
		p, err := parseReduced(text, false)
		p2, err2 := parseReduced(text, true)
		require.Equal(t, err == nil, err2 == nil, "in one piece: %v; byte by byte: %v", err, err2)
		plain, plainErr := Parse(bytes.NewReader(text), Options{})
		if err != nil {
			require.Error(t, plainErr)
			return
		}
		require.Equal(t, dumpInvalid(p), dumpInvalid(p2))
		if plainErr == nil {
			require.LessOrEqual(t, p.SeriesCount(), plain.SeriesCount())
			require.Equal(t, plain.Samples, p.Samples)
		}
		checkPage(t, p)
	})
}

package promtext

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// finish completes the histograms, hands the _created series of Python's client
// to the series that they date, and drops their families.
func (b *builder) finish() *Page {
	p := b.page
	for i := range p.Families {
		f := &p.Families[i]
		if dated := p.datedBy(f.Name, f.Type); dated != nil {
			b.date(dated, f, i)
			f.Type = "" // marks it, no family has it
			continue
		}
		for j := range f.Series {
			if h := f.Series[j].Histogram; h != nil && h.tally != nil {
				h.settle(f.Type)
			} else if h != nil {
				h.finish()
			}
		}
	}
	p.Families = slices.DeleteFunc(p.Families, func(f Family) bool { return f.Type == "" })
	clear(p.index)
	for i := range p.Families {
		p.index[p.Families[i].Name] = i
		p.Families[i].reducer = nil
	}
	return p
}

// date gives the series of f their start times, which are the values of the family
// created of that index.
func (b *builder) date(f, created *Family, index int) {
	if r := created.reducer; (r == nil) != (f.reducer == nil) || r != nil && !r.dates {
		return // it came before f, and so was not reduced like it
	}
	for i := range f.Series {
		s := &f.Series[i]
		if k, ok := b.series[seriesKey{index, s.Labels}]; ok {
			s.Created = created.Series[k].Value
		}
	}
}

// datedBy returns the family whose start times one of that name and type holds, or
// nil.
func (p *Page) datedBy(name string, typ model.MetricType) *Family {
	base, ok := strings.CutSuffix(name, "_created")
	if !ok || typ != model.MetricTypeGauge {
		return nil
	}
	for _, name := range []string{base, base + "_total"} {
		if dated := p.Family(name); dated != nil {
			switch dated.Type {
			case model.MetricTypeCounter, model.MetricTypeHistogram, model.MetricTypeSummary:
				return dated
			}
		}
	}
	return nil
}

package promtext

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// builder puts families together line by line.
type builder struct {
	opts Options
	page *Page

	// family is the index of the family of the last line, unless its metric,
	// which is called name and of type typ, is to be skipped.
	family int
	name   string
	typ    model.MetricType
	skip   bool

	// labelSets turns the label block of a line into labels, once for each
	// distinct block: on a typical page nearly every line repeats one.
	labelSets map[string]labels.Labels
	scratch   labels.ScratchBuilder
	rest      []byte

	// series finds a series of the page by its index in its family.
	series map[seriesKey]int

	// last* remember the series of the line before: that of most lines of a
	// histogram.
	lastFamily int
	lastBlock  []byte
	lastSeries int
}

type seriesKey struct {
	family int
	labels labels.Labels
}

func newBuilder(opts Options) *builder {
	return &builder{
		opts:       opts,
		page:       &Page{index: make(map[string]int, 128)},
		labelSets:  make(map[string]labels.Labels, 32),
		scratch:    labels.NewScratchBuilder(16),
		series:     make(map[seriesKey]int, 128),
		lastFamily: -1,
	}
}

// lines adds whole lines. The parser appends a line break of its own: it writes
// over the last one here, so that nothing is copied.
func (b *builder) lines(text []byte) error {
	if bytes.IndexByte(text, 0) >= 0 {
		// The parser takes a NUL for the end and would drop what follows; to
		// refuse the page would let whoever chooses a label value stop all of it.
		for i := range text {
			if text[i] == 0 {
				text[i] = 0x1a // ASCII SUB
			}
		}
	}
	p := textparse.NewPromParser(text[:len(text)-1], nil, false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil { // it quotes the page, and may be as long
			return fmt.Errorf("%w: %.200s", ErrSyntax, err.Error())
		}
		var line []byte // or the name in it
		var typ model.MetricType
		var value float64
		switch entry {
		case textparse.EntryHelp:
			line, _ = p.Help()
		case textparse.EntryType:
			line, typ = p.Type()
		case textparse.EntrySeries:
			line, _, value = p.Series()
		}
		// The parser lets line breaks pass between quotes, the format does not.
		if bytes.IndexByte(line, '\n') >= 0 {
			return fmt.Errorf("%w: a line break between quotes", ErrSyntax)
		}
		switch entry {
		case textparse.EntryType:
			err = b.startFamily(unescape(line), typ)
		case textparse.EntrySeries:
			err = b.sample(line, value)
		}
		if err != nil {
			return err
		}
	}
}

// startFamily makes name the family that the next lines belong to.
func (b *builder) startFamily(name []byte, typ model.MetricType) error {
	if len(name) == 0 {
		return fmt.Errorf("%w: a metric without a name", ErrSyntax)
	}
	b.name, b.typ = string(name), typ
	b.skip = b.opts.Keep != nil && !b.opts.Keep(name)
	if b.skip {
		return nil
	}
	if i, ok := b.page.index[b.name]; ok {
		b.family, b.typ = i, b.page.Families[i].Type
		return nil
	}
	if len(b.page.Families) >= b.opts.MaxSeries {
		return fmt.Errorf("%w of %d", ErrTooManySeries, b.opts.MaxSeries)
	}
	b.family = len(b.page.Families)
	b.page.index[b.name] = b.family
	b.page.Families = append(b.page.Families, Family{Name: b.name, Type: typ})
	return nil
}

// part is what a sample says about its series.
type part int

const (
	partValue part = iota
	partBound      // a bucket, or a quantile
	partSum
	partCount
)

// sampleSuffixes are what a sample's name may add to that of its family.
var sampleSuffixes = []string{"", "_bucket", "_sum", "_count"}

// belongs says whether a sample called name is part of family, and which part.
func belongs(name []byte, family string, typ model.MetricType) (part, bool) {
	if len(name) < len(family) || string(name[:len(family)]) != family {
		return 0, false
	}
	histogram, summary := typ == model.MetricTypeHistogram, typ == model.MetricTypeSummary
	switch string(name[len(family):]) {
	case "":
		if summary {
			return partBound, true
		}
		return partValue, !histogram
	case "_bucket":
		return partBound, histogram
	case "_sum":
		return partSum, histogram || summary
	case "_count":
		return partCount, histogram || summary
	}
	return 0, false
}

// find makes the family of a sample the current one and returns the part that
// the sample plays in it.
func (b *builder) find(name []byte) (part, error) {
	if b.name != "" {
		if pt, ok := belongs(name, b.name, b.typ); ok {
			return pt, nil
		}
	}
	for _, suffix := range sampleSuffixes {
		base, ok := bytes.CutSuffix(name, []byte(suffix))
		if !ok {
			continue
		}
		i, ok := b.page.index[string(base)]
		if !ok {
			continue
		}
		f := &b.page.Families[i]
		if pt, ok := belongs(name, f.Name, f.Type); ok {
			b.family, b.name, b.typ, b.skip = i, f.Name, f.Type, false
			return pt, nil
		}
	}
	if err := b.startFamily(name, model.MetricTypeUnknown); err != nil {
		return 0, err
	}
	if b.typ == model.MetricTypeHistogram {
		return 0, fmt.Errorf("%w: histogram %s has a sample of its own name", ErrSyntax, b.name)
	}
	return partValue, nil // no TYPE line on the page
}

// sample adds one line.
func (b *builder) sample(line []byte, value float64) error {
	name, block := splitName(line)
	pt, err := b.find(name)
	if err != nil || b.skip {
		return err
	}
	var bound float64
	if pt == partBound {
		label := model.BucketLabel
		if b.typ == model.MetricTypeSummary {
			label = model.QuantileLabel
		}
		if block, bound, err = b.cutBound(block, label); err != nil {
			return err
		}
	}
	s, err := b.seriesOf(block)
	if err != nil {
		return err
	}
	switch pt {
	case partValue:
		s.Value = value
	case partSum:
		s.Histogram.Sum = value
	case partCount:
		s.Histogram.Count = value
	case partBound:
		s.Histogram.add(bound, value)
	}
	return nil
}

// seriesOf returns the series of the current family with the labels of block;
// it makes a new one where there is none yet.
func (b *builder) seriesOf(block []byte) (*Series, error) {
	f := &b.page.Families[b.family]
	if b.lastFamily == b.family && bytes.Equal(b.lastBlock, block) {
		return &f.Series[b.lastSeries], nil
	}
	set, err := b.labelSet(block)
	if err != nil {
		return nil, err
	}
	key := seriesKey{b.family, set}
	i, ok := b.series[key]
	if !ok {
		if len(b.series) >= b.opts.MaxSeries {
			return nil, fmt.Errorf("%w of %d", ErrTooManySeries, b.opts.MaxSeries)
		}
		i = len(f.Series)
		b.series[key] = i
		f.Series = append(f.Series, Series{Labels: set, Histogram: newHistogram(f)})
	}
	b.lastFamily, b.lastSeries = b.family, i
	b.lastBlock = append(b.lastBlock[:0], block...)
	return &f.Series[i], nil
}

// newHistogram returns one for the next series of f, nil where f has none.
func newHistogram(f *Family) *Histogram {
	if f.Type != model.MetricTypeHistogram && f.Type != model.MetricTypeSummary {
		return nil
	}
	h := &Histogram{inf: math.NaN()}
	if n := len(f.Series); n > 0 {
		h.Bounds, h.shared = f.Series[n-1].Histogram.Bounds, true
		// No more than usual: one huge histogram must not make all that follow huge.
		h.Counts = make([]float64, 0, min(len(h.Bounds), 64))
	}
	return h
}

// add appends a bucket. Nearly every page lists them in order, and with the
// bounds of the series before, which are then shared; finish sorts the others.
func (h *Histogram) add(bound, count float64) {
	if math.IsInf(bound, 1) {
		h.inf = count
		return
	}
	n := len(h.Counts)
	if !h.shared || n == len(h.Bounds) || h.Bounds[n] != bound {
		if h.shared {
			h.Bounds, h.shared = slices.Clone(h.Bounds[:n]), false
		}
		h.Bounds = append(h.Bounds, bound)
	}
	h.Counts = append(h.Counts, count)
	h.unsorted = h.unsorted || n > 0 && bound <= h.Bounds[n-1]
}

// finish leaves the bounds ascending, and as many as counts. Of a bound given
// twice the last count stands.
func (h *Histogram) finish() {
	h.Bounds = h.Bounds[:len(h.Counts):len(h.Counts)]
	if !h.unsorted {
		return
	}
	type bucket struct{ bound, count float64 }
	buckets := make([]bucket, len(h.Counts))
	for i := range buckets {
		buckets[i] = bucket{h.Bounds[i], h.Counts[i]}
	}
	slices.SortStableFunc(buckets, func(x, y bucket) int { return cmp.Compare(x.bound, y.bound) })
	h.Bounds, h.Counts = nil, nil // shared, the first of them
	for i, x := range buckets {
		if i+1 == len(buckets) || buckets[i+1].bound != x.bound {
			h.Bounds, h.Counts = append(h.Bounds, x.bound), append(h.Counts, x.count)
		}
	}
}

// finish completes the histograms, hands the _created series of Python's client
// to the series that they date, and drops their families.
func (b *builder) finish() *Page {
	p := b.page
	for i := range p.Families {
		f := &p.Families[i]
		if dated := p.datedBy(f); dated != nil {
			for j := range dated.Series {
				s := &dated.Series[j]
				if k, ok := b.series[seriesKey{i, s.Labels}]; ok {
					s.Created = f.Series[k].Value
				}
			}
			f.Type = "" // marks it, no family has it
			continue
		}
		for j := range f.Series {
			if h := f.Series[j].Histogram; h != nil {
				h.finish()
			}
		}
	}
	p.Families = slices.DeleteFunc(p.Families, func(f Family) bool { return f.Type == "" })
	clear(p.index)
	for i := range p.Families {
		p.index[p.Families[i].Name] = i
	}
	return p
}

// datedBy returns the family whose start times f holds, or nil.
func (p *Page) datedBy(f *Family) *Family {
	base, ok := strings.CutSuffix(f.Name, "_created")
	if !ok || f.Type != model.MetricTypeGauge {
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

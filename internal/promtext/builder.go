package promtext

import (
	"bytes"
	"errors"
	"fmt"
	"io"

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

	// reducer is that of the family, nil where it is kept as it is.
	reducer *reducer
	// reduced finds a series by its reduced labels; key is that of the last line.
	reduced map[string]int
	key     []byte

	// labelSets turns the label block of a line into labels, once for each
	// distinct block: on a typical page nearly every line repeats one.
	labelSets map[string]labels.Labels
	scratch   labels.ScratchBuilder
	rest      []byte

	// series finds a series of the page by its index in its family.
	series map[seriesKey]int

	// bound is the text of le or quantile within the line at hand, nil where it has
	// none.
	bound []byte

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
		reduced:    make(map[string]int),
		lastFamily: -1,
	}
}

// lines adds whole lines.
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
	for len(text) > 0 {
		n, err := b.parse(text)
		if err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// parse adds lines up to a bucket that others repeat, and those, or to the end of
// text. It returns how many bytes that was.
//
// The parser appends a line break of its own: it writes over the last one here, so
// that nothing is copied.
func (b *builder) parse(text []byte) (int, error) {
	p := textparse.NewPromParser(text[:len(text)-1], nil, false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return len(text), nil
		}
		if err != nil { // it quotes the page, and may be as long
			return 0, fmt.Errorf("%w: %.200s", ErrSyntax, err.Error())
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
			return 0, fmt.Errorf("%w: a line break between quotes", ErrSyntax)
		}
		b.bound = nil
		switch entry {
		case textparse.EntryType:
			err = b.startFamily(unescape(line), typ)
		case textparse.EntrySeries:
			err = b.sample(line, value)
		}
		if err != nil {
			return 0, err
		}
		if b.bound != nil {
			if n := b.repeat(text, line); n > 0 {
				return n, nil
			}
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
		b.family, b.typ, b.reducer = i, b.page.Families[i].Type, b.page.Families[i].reducer
		return nil
	}
	if len(b.page.Families) >= b.opts.MaxSeries {
		return fmt.Errorf("%w of %d", ErrTooManySeries, b.opts.MaxSeries)
	}
	b.family = len(b.page.Families)
	b.page.index[b.name] = b.family
	b.reducer = b.reducerOf(b.name, typ)
	b.page.Families = append(b.page.Families, Family{Name: b.name, Type: typ, reducer: b.reducer})
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
			b.family, b.name, b.typ, b.skip, b.reducer = i, f.Name, f.Type, false, f.reducer
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
	b.page.Samples++
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
	if b.reducer != nil {
		return b.combine(pt, block, bound, value)
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
	i, ok := b.series[seriesKey{b.family, set}]
	if !ok {
		if i, err = b.newSeries(set); err != nil {
			return nil, err
		}
	}
	b.remember(block, i)
	return &f.Series[i], nil
}

// newSeries adds one to the current family and returns its index.
func (b *builder) newSeries(set labels.Labels) (int, error) {
	if len(b.series) >= b.opts.MaxSeries {
		return 0, fmt.Errorf("%w of %d", ErrTooManySeries, b.opts.MaxSeries)
	}
	f := &b.page.Families[b.family]
	i := len(f.Series)
	b.series[seriesKey{b.family, set}] = i
	f.Series = append(f.Series, Series{Labels: set, Histogram: newHistogram(f)})
	return i, nil
}

// remember lets the next line find the series of this one.
func (b *builder) remember(block []byte, series int) {
	b.lastFamily, b.lastSeries = b.family, series
	b.lastBlock = append(b.lastBlock[:0], block...)
}

package simulator

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// page writes Prometheus text 0.0.4 as python's prometheus_client does: floats as Python prints them, labels sorted, and
// _created gauges after every counter, histogram and summary unless withoutCreated.
type page struct {
	bytes.Buffer
	withoutCreated bool
	// help replaces every help text, as the multi-process collector does. Empty keeps them.
	help string

	sorted  []label
	scratch []byte
}

type label struct{ name, value string }

// series is one child of a family. A histogram and a summary use hist, the others value.
type series struct {
	labels  []label
	value   float64
	hist    *histogram
	created time.Time
}

// histogram has one count per bound and one for the rest. Without bounds it serves as a summary.
type histogram struct {
	bounds []float64
	counts []float64
	sum    float64
}

func newHistogram(bounds []float64) *histogram {
	return &histogram{bounds: bounds, counts: make([]float64, len(bounds)+1)}
}

func (h *histogram) observe(value float64, n int) {
	i, _ := slices.BinarySearch(h.bounds, value) // le: a value on a bound belongs to that bucket
	h.counts[i] += float64(n)
	h.sum += value * float64(n)
}

func (h *histogram) count() float64 {
	var n float64
	for _, c := range h.counts {
		n += c
	}
	return n
}

// family writes one family. Without series it only declares it.
func (p *page) family(name string, k kind, help string, all []series) {
	createdName := name + "_created"
	typeName := [...]string{"gauge", "counter", "histogram", "summary"}[k]
	if k == kindCounter {
		name += "_total"
	}
	p.declare(name, typeName, help)
	var bounds boundTexts
	for _, s := range all {
		t := p.text(s.labels)
		if s.hist == nil {
			p.sample(name, "", &t, "", s.value)
			continue
		}
		if k == kindHistogram {
			var cumulative float64
			for i, le := range bounds.of(s.hist.bounds) {
				cumulative += s.hist.counts[i]
				p.sample(name, "_bucket", &t, le, cumulative)
			}
		}
		p.sample(name, "_count", &t, "", s.hist.count())
		p.sample(name, "_sum", &t, "", s.hist.sum)
	}
	if p.withoutCreated || k == kindGauge {
		return
	}
	for i, s := range all {
		if s.created.IsZero() {
			return
		}
		if i == 0 {
			p.declare(createdName, "gauge", help)
		}
		t := p.text(s.labels)
		p.sample(createdName, "", &t, "", unix(s.created))
	}
}

func (p *page) declare(name, typeName, help string) {
	if p.help != "" {
		help = p.help
	}
	p.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + typeName + "\n")
}

// labelText is what stands of labels between the braces: those before the place of le, with a comma after each, and those
// behind it, with a comma before each.
type labelText struct{ before, behind []byte }

// text sorts and escapes labels, once for all the lines of a series. It is good until the next one.
func (p *page) text(labels []label) labelText {
	p.sorted = append(p.sorted[:0], labels...)
	slices.SortFunc(p.sorted, func(a, b label) int { return strings.Compare(a.name, b.name) })
	p.scratch = p.scratch[:0]
	place := 0
	for _, l := range p.sorted {
		if l.name > "le" {
			p.scratch = append(p.scratch, ',')
		}
		p.scratch = append(append(append(append(p.scratch, l.name...), `="`...), labelEscaper.Replace(l.value)...), '"')
		if l.name < "le" {
			p.scratch = append(p.scratch, ',')
			place = len(p.scratch)
		}
	}
	return labelText{p.scratch[:place], p.scratch[place:]}
}

// sample writes a line. le is empty for all but buckets.
func (p *page) sample(name, suffix string, labels *labelText, le string, value float64) {
	p.WriteString(name)
	p.WriteString(suffix)
	switch before, behind := labels.before, labels.behind; {
	case le != "":
		p.WriteByte('{')
		p.Write(before)
		p.WriteString(`le="` + le + `"`)
		p.Write(behind)
		p.WriteByte('}')
	case len(before) > 0:
		p.WriteByte('{')
		p.Write(before[:len(before)-1])
		p.Write(behind)
		p.WriteByte('}')
	case len(behind) > 0:
		p.WriteByte('{')
		p.Write(behind[1:])
		p.WriteByte('}')
	}
	p.WriteByte(' ')
	p.Write(appendFloat(p.AvailableBuffer(), value))
	p.WriteByte('\n')
}

// boundTexts are the bounds of the histogram before, as they are written: most of a family have the same.
type boundTexts struct {
	bounds []float64
	texts  []string
}

func (b *boundTexts) of(bounds []float64) []string {
	if b.texts == nil || !slices.Equal(b.bounds, bounds) {
		b.bounds, b.texts = bounds, nil
		for _, le := range bounds {
			b.texts = append(b.texts, formatFloat(le))
		}
		b.texts = append(b.texts, "+Inf")
	}
	return b.texts
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// appendFloat is formatFloat, with a short way for counts.
func appendFloat(to []byte, x float64) []byte {
	if n := int64(x); float64(n) == x && n > 0 && n < 1e6 {
		return append(strconv.AppendInt(to, n, 10), ".0"...)
	}
	return append(to, formatFloat(x)...)
}

// formatFloat prints a float as prometheus_client does: like Python's repr, except that positive numbers of seven and more
// digits get an exponent, whose two digits are a literal 0 and the number: 1e+06, but also 3.5e+010.
func formatFloat(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "+Inf"
	case math.IsInf(x, -1):
		return "-Inf"
	case math.IsNaN(x):
		return "NaN"
	}
	s := pythonRepr(x)
	dot := strings.IndexByte(s, '.')
	if x <= 0 || dot <= 6 {
		return s
	}
	mantissa := strings.TrimRight(s[:1]+"."+s[1:dot]+s[dot+1:], "0.")
	return mantissa + "e+0" + itoa(dot-1)
}

// pythonRepr is the shortest decimal that reads back as x, with an exponent below 1e-4 and from 1e16 on.
func pythonRepr(x float64) string {
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	return formatShort(x)
}

// formatShort is the shortest decimal without an exponent, with ".0" on whole numbers.
func formatShort(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func itoa(i int) string { return strconv.Itoa(i) }

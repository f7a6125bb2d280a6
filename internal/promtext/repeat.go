package promtext

import (
	"bytes"
	"math"
	"strconv"
)

// repeat adds the buckets that follow on line, the last one parsed of text, and are
// written like it but for bound and count: most lines of a page with histograms,
// which then need no parser. It returns where in text they end, 0 if there is none.
func (b *builder) repeat(text, line []byte) int {
	// A slice of a slice tells by its capacity where it begins.
	begin, bound := cap(text)-cap(line), cap(line)-cap(b.bound)
	head, tail := line[:bound], line[bound+len(b.bound):]
	end := begin + len(line)
	end += bytes.IndexByte(text[end:], '\n') + 1
	h := b.page.Families[b.family].Series[b.lastSeries].Histogram
	found := false
	for {
		bound, count, n := cutBucket(text[end:], head, tail)
		if n == 0 {
			break
		}
		if h.tally != nil {
			h.addTo(bound, count)
		} else {
			h.add(bound, count)
		}
		b.page.Samples++
		end += n
		found = true
	}
	if !found {
		return 0
	}
	return end
}

// cutBucket reads the line that text begins with, if it is head, a bound, tail, and
// a plain number. It returns the length of the line, 0 if it is another, or one for
// the parser to judge.
func cutBucket(text, head, tail []byte) (bound, count float64, n int) {
	rest, ok := bytes.CutPrefix(text, head)
	quote := bytes.IndexByte(rest, '"')
	if !ok || quote < 0 {
		return 0, 0, 0
	}
	le, rest := rest[:quote], rest[quote:]
	rest, ok = bytes.CutPrefix(rest, tail)
	end := bytes.IndexByte(rest, '\n')
	if !ok || end < 1 || rest[0] != ' ' || len(bytes.Trim(rest[1:end], "0123456789.+-eE")) > 0 {
		return 0, 0, 0
	}
	bound, err := strconv.ParseFloat(string(le), 64)
	if err != nil || math.IsNaN(bound) {
		return 0, 0, 0
	}
	count, err = strconv.ParseFloat(string(rest[1:end]), 64)
	if err != nil {
		return 0, 0, 0
	}
	return bound, count, len(head) + quote + len(tail) + end + 1
}

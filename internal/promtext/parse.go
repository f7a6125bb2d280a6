package promtext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Errors of Parse; a page with one of them is rejected whole.
var (
	ErrTooLarge      = errors.New("page is larger than the limit")
	ErrLineTooLong   = errors.New("page has a line longer than the limit")
	ErrTooManySeries = errors.New("page has more series than the limit")
	ErrSyntax        = errors.New("page is not in the Prometheus text format")
	ErrTruncated     = errors.New("page is cut: its last line has no end")
)

// Options bound what Parse accepts. Zero values mean the defaults.
type Options struct {
	// MaxBytes is the largest page accepted. Default 16 MiB.
	MaxBytes int64
	// MaxLine is the longest line accepted, in bytes with its line break.
	// Default 64 KiB.
	MaxLine int
	// MaxSeries is the largest number of series accepted, a histogram counting
	// as one, and of families. Default 100,000.
	MaxSeries int
	// Keep says whether a metric is wanted; it sees the name of each TYPE line
	// and of each sample without one, and must not hold on to it. Start times are
	// found only where it also wants the name that ends in _created. Nil keeps
	// all.
	Keep func(name []byte) bool
	// Reduce says of which families the series are made fewer while the page is
	// read; MaxSeries then holds for what is left. Nil reduces none.
	Reduce ReduceFunc
}

const (
	defaultMaxBytes  = 16 << 20
	defaultMaxLine   = 64 << 10
	defaultMaxSeries = 100_000

	// chunkSize is how much of a page is in memory at a time, unless a single
	// line is longer.
	chunkSize = 64 << 10
)

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxLine <= 0 {
		o.MaxLine = defaultMaxLine
	}
	if o.MaxSeries <= 0 {
		o.MaxSeries = defaultMaxSeries
	}
	return o
}

// chunks are used again: scrape after scrape they would be a third of all that
// is allocated.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// Parse reads the page to its end. Memory is bounded by the limits of opts: at
// any time it holds one chunk of text and the families kept so far.
//
// The error wraps one of the package's errors or is what r returned.
func Parse(r io.Reader, opts Options) (*Page, error) {
	opts = opts.withDefaults()
	b := newBuilder(opts)
	chunk := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(chunk) // what is kept of a page is copied out of it
	buf := chunk[:0:min(chunkSize, opts.MaxLine)]
	for {
		// Never more than a chunk, however long buf: the parser recurses from one
		// blank line to the next.
		n, readErr := r.Read(buf[len(buf):min(cap(buf), opts.MaxLine, len(buf)+chunkSize)])
		b.page.Bytes += int64(n)
		if b.page.Bytes > opts.MaxBytes {
			return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, opts.MaxBytes)
		}
		buf = buf[:len(buf)+n]
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return nil, readErr
		}
		end := bytes.LastIndexByte(buf, '\n') + 1
		if readErr != nil && end < len(buf) {
			return nil, ErrTruncated
		}
		if end > 0 {
			if err := b.lines(buf[:end]); err != nil {
				return nil, err
			}
			buf = append(buf[:0], buf[end:]...)
		}
		if readErr != nil {
			return b.finish(), nil
		}
		if len(buf) >= opts.MaxLine {
			return nil, fmt.Errorf("%w of %d bytes", ErrLineTooLong, opts.MaxLine)
		}
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, min(len(buf), opts.MaxLine-len(buf)))
		}
	}
}

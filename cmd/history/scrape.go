package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// scrape turns pages into samples, as Prometheus does with honor_labels: series get
// job and instance unless they have them, and one that is gone from the page ends
// with a marker.
type scrape struct {
	job, target string
	expiration  time.Duration

	known   map[string]*entry // by the text of the series
	turn    int
	samples int64
	most    int
}

// entry is a series of the page.
type entry struct {
	labels labels.Labels
	ref    storage.SeriesRef
	// block is the one that ref belongs to, turn when the series was seen last.
	block, turn int
}

func newScrape(o *options, expiration time.Duration) *scrape {
	return &scrape{job: o.job, target: o.target, expiration: expiration, known: make(map[string]*entry)}
}

// series is how many there are now.
func (s *scrape) series() int { return len(s.known) }

// store stores the page of a step.
func (s *scrape) store(ctx context.Context, page []byte, now time.Time, b *blocks) (err error) {
	at := now.UnixMilli()
	app, err := b.appender(ctx, at)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, app.Rollback())
		}
	}()
	s.turn++
	oldest := at - s.expiration.Milliseconds()
	parser := textparse.NewPromParser(page, labels.NewSymbolTable(), false)
	for {
		kind, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the page of the exporter: %w", err)
		}
		if kind != textparse.EntrySeries {
			continue
		}
		text, stamp, v := parser.Series()
		if stamp != nil && *stamp < oldest {
			continue // it is gone from the page of a collector by then
		}
		e := s.known[string(text)]
		if e == nil {
			e = &entry{block: -1}
			parser.Labels(&e.labels)
			e.labels = s.withTarget(e.labels)
			s.known[string(text)] = e
		}
		e.turn = s.turn
		if err := s.append(app, e, b.number, at, v); err != nil {
			return err
		}
	}
	s.most = max(s.most, len(s.known))
	for text, e := range s.known {
		if e.turn == s.turn {
			continue
		}
		if err := s.append(app, e, b.number, at, math.Float64frombits(value.StaleNaN)); err != nil {
			return err
		}
		delete(s.known, text)
	}
	return app.Commit()
}

func (s *scrape) append(app storage.Appender, e *entry, block int, at int64, v float64) error {
	if e.block != block {
		e.block, e.ref = block, 0
	}
	ref, err := app.Append(e.ref, e.labels, at, v)
	if err != nil {
		return fmt.Errorf("%s: %w", e.labels, err)
	}
	e.ref = ref
	s.samples++
	return nil
}

// withTarget adds the labels of the target.
func (s *scrape) withTarget(of labels.Labels) labels.Labels {
	b := labels.NewBuilder(of)
	for name, v := range map[string]string{model.InstanceLabel: s.target, model.JobLabel: s.job} {
		if !of.Has(name) {
			b.Set(name, v)
		}
	}
	return b.Labels()
}

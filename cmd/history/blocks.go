package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// blockDuration is one of those that Prometheus compacts to by itself (2 h, 6 h, 18 h,
// ...), long enough that a month is some forty blocks.
const blockDuration = 18 * time.Hour

// blocks writes samples in the order of time, into one block after another.
type blocks struct {
	folder  string
	writer  *tsdb.BlockWriter
	number  int
	until   int64 // ms
	written int
}

func newBlocks(folder string) *blocks { return &blocks{folder: folder} }

// appender takes samples of a time, not earlier than the last.
func (b *blocks) appender(ctx context.Context, at int64) (storage.Appender, error) {
	if b.writer != nil && at >= b.until {
		if err := b.flush(ctx); err != nil {
			return nil, err
		}
	}
	if b.writer == nil {
		size := blockDuration.Milliseconds()
		w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), b.folder, 2*size) // twice: a head takes what fits into half of it
		if err != nil {
			return nil, fmt.Errorf("a block cannot be begun: %w", err)
		}
		b.writer, b.until = w, (at/size+1)*size
		b.number++
	}
	return b.writer.Appender(ctx), nil
}

// flush writes the block that is open.
func (b *blocks) flush(ctx context.Context) error {
	if b.writer == nil {
		return nil
	}
	_, err := b.writer.Flush(ctx)
	if err == nil {
		b.written++
	} else {
		err = fmt.Errorf("a block cannot be written to %s: %w", b.folder, err)
	}
	err = errors.Join(err, b.writer.Close())
	b.writer = nil
	return err
}

// close drops what was not written.
func (b *blocks) close(context.Context) error {
	if b.writer == nil {
		return nil
	}
	return b.writer.Close()
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measureProxy starts a proxy and a collector that reads it.
func (p *plan) measureProxy(ctx context.Context, kind receiverKind, lines int) (_ figures, err error) {
	proxy, err := startPages(proxyCommand, lines)
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, proxy.stop()) }()
	interval := p.intervalOf(lines)
	f, err := p.measureOne(ctx, load{
		name:     fmt.Sprintf("proxy-%s-%d", kind, lines),
		setup:    proxySetup(kind, proxy.Endpoints[0], interval),
		interval: interval,
		requests: func(ctx context.Context) (int64, error) {
			counts, err := proxy.counts(ctx)
			return counts.Total, err
		},
		warmUp: func(ctx context.Context, c *collector) error { return p.warmUpProxy(ctx, c, kind, proxy, interval) },
	})
	f.kind, f.endpoints, f.pageBytes = kind, lines, proxy.PageBytes
	if kind == kindIdle {
		f.endpoints = 0
	} else {
		f.planned = p.scrapes
	}
	if err == nil && kind != kindIdle && (f.scrapes == 0 || f.points == 0) {
		err = fmt.Errorf("nothing was measured: %d scrapes, %.0f points", f.scrapes, f.points)
	}
	return f, err
}

// warmUpProxy waits for the scrapes of the warm-up, and half an interval more: the window begins and ends between two scrapes.
func (p *plan) warmUpProxy(ctx context.Context, c *collector, kind receiverKind, proxy *pageServer, interval time.Duration) error {
	if kind == kindIdle {
		return p.pause(ctx, c, time.Duration(p.warmup)*interval)
	}
	if err := p.warmUp(ctx, c, proxy, interval); err != nil {
		return err
	}
	return p.pause(ctx, c, interval/2)
}

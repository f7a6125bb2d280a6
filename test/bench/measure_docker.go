//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measureDocker starts an engine and a collector that reads it.
func (p *plan) measureDocker(ctx context.Context, kind receiverKind, containers int) (_ figures, err error) {
	engine, err := startEngine(containers)
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, engine.stop()) }()
	interval := p.intervalOf(containers)
	f, err := p.measureOne(ctx, load{
		name:     fmt.Sprintf("docker-%s-%d", kind, containers),
		setup:    dockerSetup(kind, engine.Endpoint, interval),
		interval: interval,
		requests: func(ctx context.Context) (int64, error) {
			counts, err := engine.counts(ctx)
			return counts.Stats, err
		},
		warmUp: func(ctx context.Context, c *collector) error { return p.warmUpDocker(ctx, c, kind, interval) },
	})
	f.kind, f.endpoints = kind, containers
	if kind.readsStats() {
		f.planned = containers * p.scrapes
	}
	if err == nil && kind != kindIdle && f.points == 0 {
		err = fmt.Errorf("nothing was measured: %d requests for stats, no points", f.scrapes)
	}
	return f, err
}

func (k receiverKind) readsStats() bool {
	return k == kindStats || k == kindStatsAttributes || k == kindDocker
}

// warmUpDocker waits for the first points and then as long as the warm-up takes, and half an interval more: the window begins
// and ends between two scrapes.
func (p *plan) warmUpDocker(ctx context.Context, c *collector, kind receiverKind, interval time.Duration) error {
	if kind != kindIdle {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		defer cancel()
		if err := c.poll(ctx, "sent no points", func() bool {
			telemetry, err := c.readTelemetry(ctx)
			return err == nil && sumOf(telemetry, metricSent) > 0
		}); err != nil {
			return err
		}
	}
	return p.pause(ctx, c, time.Duration(p.warmup)*interval+interval/2)
}

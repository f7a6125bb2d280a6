//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// measureSite starts a collector that plays a site.
func (p *plan) measureSite(ctx context.Context, kind receiverKind, servers int) (figures, error) {
	interval, began := p.intervalOf(servers), time.Time{}
	f, err := p.measureOne(ctx, load{
		name:     fmt.Sprintf("site-%s-%d", kind, servers),
		setup:    siteSetup(kind, servers, interval),
		interval: interval,
		// Nobody counts what the receivers inside read: it is as often as planned, or points are missing.
		requests: func(context.Context) (int64, error) {
			if began.IsZero() {
				began = time.Now()
			}
			return int64(time.Since(began).Round(interval) / interval), nil
		},
		warmUp: func(ctx context.Context, c *collector) error {
			return p.pause(ctx, c, time.Duration(p.warmup)*interval+interval/2)
		},
	})
	f.kind, f.endpoints, f.planned = kind, servers, p.scrapes
	if err == nil && kind != kindIdle && f.points == 0 {
		err = fmt.Errorf("nothing was measured: no points in %v", f.window)
	}
	return f, err
}

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// What the collector says of itself when something was lost.
var lostMetrics = []string{
	"otelcol_scraper_errored_metric_points", "otelcol_receiver_refused_metric_points", "otelcol_receiver_failed_metric_points",
	"otelcol_exporter_send_failed_metric_points",
}

// siteState is what the page of the exporter shows of a site.
type siteState struct {
	series int
	// up and down are sources: servers of models, the proxy, analytics, the driver.
	up, down int
	// slowest is how long the last read of a vLLM server took at most, in seconds.
	slowest float64
	// lost is how many points did not get to the page, since the collector was started.
	lost float64
}

// measureSite starts a collector that plays a site.
func (p *plan) measureSite(ctx context.Context, kind receiverKind, servers int) (_ figures, err error) {
	loki, err := startLoki(ctx)
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, loki.stop()) }()
	interval, began := p.intervalOf(servers), time.Time{}
	var state siteState
	f, err := p.measureOne(ctx, load{
		name:     fmt.Sprintf("site-%s-%d", kind, servers),
		setup:    p.siteSetup(kind, servers, interval, loki.url),
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
		after: func(ctx context.Context, c *collector) (err error) {
			state, err = c.siteState(ctx)
			return err
		},
	})
	f.kind, f.endpoints, f.planned, f.site = kind, servers, p.scrapes, state
	if err == nil && kind != kindIdle && (f.points == 0 || f.site.series == 0) {
		err = fmt.Errorf("nothing was measured: %.0f points, %d series", f.points, f.site.series)
	}
	return f, err
}

// siteState reads the page of the exporter and the collector's telemetry.
func (c *collector) siteState(ctx context.Context) (siteState, error) {
	page, err := get(ctx, c.sinkURL())
	if err != nil {
		return siteState{}, err
	}
	telemetry, err := c.readTelemetry(ctx)
	if err != nil {
		return siteState{}, err
	}
	s := parseSiteState(page)
	for _, name := range lostMetrics {
		s.lost += sumOf(telemetry, name)
	}
	return s, nil
}

// parseSiteState looks at the lines only: the page of a large site has some hundred MB.
func parseSiteState(page []byte) siteState {
	var s siteState
	for line := range bytes.Lines(page) {
		if line[0] == '#' {
			continue
		}
		s.series++
		name, _, _ := bytes.Cut(line, []byte("{"))
		value := bytes.TrimSpace(line[bytes.LastIndexByte(line, ' ')+1:])
		switch string(name) {
		case "vllm_up", "litellm_up", "langfuse_up", "nvml_up":
			if string(value) == "1" {
				s.up++
			} else {
				s.down++
			}
		case "vllm_scrape_duration_seconds":
			if seconds, err := strconv.ParseFloat(string(value), 64); err == nil {
				s.slowest = max(s.slowest, seconds)
			}
		}
	}
	return s
}

// loki takes logs and forgets them.
type loki struct {
	url    string
	server *http.Server
	ended  chan error
}

func startLoki(ctx context.Context) (*loki, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &loki{url: "http://" + l.Addr().String() + "/otlp", ended: make(chan error, 1)}
	k.server = &http.Server{ReadHeaderTimeout: headerTimeout, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})}
	go func() { k.ended <- k.server.Serve(l) }()
	return k, nil
}

func (k *loki) stop() error {
	err := k.server.Close()
	if ended := <-k.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

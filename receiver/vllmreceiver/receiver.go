package vllmreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// Servers are first read in batches, a staggering apart: a thousand are spread
// over ten seconds instead of being read at once. One by one they would cost twice
// the CPU, as each would be read by a process that has just been woken.
const (
	batch      = 10
	staggering = 100 * time.Millisecond
)

// vllmReceiver runs one scrape controller for each server. One controller for
// all would scrape them in turn and wait for the slowest.
type vllmReceiver struct {
	controllers []receiver.Metrics
	// discovery is nil without Docker.
	discovery *discovery
	// cancel ends the scrapes under way.
	cancel context.CancelFunc
}

func newReceiver(ctx context.Context, cfg *Config, set receiver.Settings, now func() time.Time, next consumer.Metrics) (*vllmReceiver, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &vllmReceiver{cancel: cancel}
	if len(cfg.Endpoints) == 0 && cfg.Docker == nil {
		set.Logger.Info(`No vLLM server is read: "endpoints" is empty, and without "docker" none is looked for.`)
	}
	for i := range cfg.Endpoints {
		s := newScraper(cfg, &cfg.Endpoints[i], set)
		s.now = now
		c, err := newController(life, cfg, s, i, set, next)
		if err != nil {
			cancel()
			return nil, err
		}
		r.controllers = append(r.controllers, c)
	}
	if cfg.Docker != nil {
		var err error
		if r.discovery, err = newDiscovery(cfg, set, now, next); err != nil {
			cancel()
			return nil, err
		}
	}
	return r, nil
}

// newController schedules the scrapes of a server, the i-th of those that begin at
// once.
func newController(life context.Context, cfg *Config, s *vllmScraper, i int, set receiver.Settings, next consumer.Metrics) (receiver.Metrics, error) {
	timeout := cfg.Timeout
	if s.endpoint.Timeout > 0 {
		timeout = s.endpoint.Timeout
	}
	m, err := scraper.NewMetrics(bounded(life, s.scrape, timeout), scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
	if err != nil {
		return nil, err
	}
	schedule := cfg.ControllerConfig
	schedule.Timeout = 0 // see bounded
	schedule.InitialDelay += (time.Duration(i/batch) * staggering) % schedule.CollectionInterval
	return scraperhelper.NewMetricsController(&schedule, set, next, scraperhelper.AddScraper(metadata.Type, m))
}

// bounded gives a scrape its deadline and breaks it off at the end of life. The
// controller's own deadline would also hold for the consumers: when a server
// times out, so would the report of it.
func bounded(life context.Context, scrape scraper.ScrapeMetricsFunc, timeout time.Duration) scraper.ScrapeMetricsFunc {
	return func(ctx context.Context) (pmetric.Metrics, error) {
		if life.Err() != nil { // the timer was faster than the shutdown
			return pmetric.NewMetrics(), nil
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		return scrape(ctx)
	}
}

// Start fails only for a configuration that cannot work, such as a missing
// certificate file; a server that is down is none.
func (r *vllmReceiver) Start(ctx context.Context, host component.Host) error {
	for i, c := range r.controllers {
		if err := c.Start(ctx, host); err != nil {
			r.controllers = r.controllers[:i+1]
			return errors.Join(err, r.Shutdown(ctx))
		}
	}
	if r.discovery != nil {
		if err := r.discovery.start(ctx, host); err != nil {
			return errors.Join(err, r.Shutdown(ctx))
		}
	}
	return nil
}

// Shutdown breaks off the scrapes under way, so that no server can delay it.
func (r *vllmReceiver) Shutdown(ctx context.Context) error {
	r.cancel()
	if r.discovery != nil {
		r.discovery.shutdown()
	}
	var errs []error
	for _, c := range r.controllers {
		errs = append(errs, c.Shutdown(ctx))
	}
	r.controllers = nil
	return errors.Join(errs...)
}

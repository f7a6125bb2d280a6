package litellmreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

// litellmReceiver schedules the scrapes of a proxy.
type litellmReceiver struct {
	receiver.Metrics
	// cancel ends the scrape under way.
	cancel context.CancelFunc
}

func newReceiver(ctx context.Context, cfg *Config, set receiver.Settings, now func() time.Time, next consumer.Metrics) (receiver.Metrics, error) {
	if cfg.Endpoint == "" {
		return inert{set.Logger}, nil
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := newScraper(cfg, set)
	s.now = now
	m, err := scraper.NewMetrics(bounded(life, s.scrape, cfg.Timeout), scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
	if err != nil {
		cancel()
		return nil, err
	}
	schedule := cfg.ControllerConfig
	schedule.Timeout = 0 // see bounded
	controller, err := scraperhelper.NewMetricsController(&schedule, set, next, scraperhelper.AddScraper(metadata.Type, m))
	if err != nil {
		cancel()
		return nil, err
	}
	return &litellmReceiver{controller, cancel}, nil
}

// bounded gives a scrape its deadline and breaks it off at the end of life. The
// controller's own deadline would also hold for the consumers: when the proxy times
// out, so would the report of it.
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

// Shutdown breaks off the scrape under way, so that no proxy can delay it.
func (r *litellmReceiver) Shutdown(ctx context.Context) error {
	r.cancel()
	return r.Metrics.Shutdown(ctx)
}

// inert is the receiver without an endpoint: a configuration may have one for a
// proxy that a host does not run.
type inert struct{ logger *zap.Logger }

func (i inert) Start(context.Context, component.Host) error {
	i.logger.Info(`No LiteLLM proxy is read: "endpoint" is empty.`)
	return nil
}

func (inert) Shutdown(context.Context) error { return nil }

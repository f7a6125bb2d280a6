package nvmlreceiver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// sourcesFunc makes what a receiver reads.
type sourcesFunc func(*Config, *zap.Logger) (nvml.Library, resolver, error)

func realSources(cfg *Config, logger *zap.Logger) (nvml.Library, resolver, error) {
	return sourcesOf(nvml.New(nvml.WithLibraryPath(cfg.Library)), cfg, logger)
}

func sourcesOf(library nvml.Library, cfg *Config, logger *zap.Logger) (nvml.Library, resolver, error) {
	if !cfg.Attribution.Enabled {
		return library, noResolver{}, nil
	}
	r, err := newDockerResolver(cfg.Docker, logger)
	return library, r, err
}

// releaseInterval is how often the release file is looked for.
const releaseInterval = time.Second

// nvmlReceiver scrapes in intervals and waits for events, for metrics and logs
// together.
type nvmlReceiver struct {
	cfg        *Config
	scraper    *nvmlScraper
	controller receiver.Metrics
	// cancel ends what is under way.
	life   context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

func newReceiver(cfg *Config, set receiver.Settings, sources sourcesFunc, metrics consumer.Metrics, logs func(context.Context, plog.Logs)) (*nvmlReceiver, error) {
	library, resolver, err := sources(cfg, set.Logger)
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.Background())
	r := &nvmlReceiver{
		cfg: cfg, life: life, cancel: cancel,
		scraper: newScraper(cfg, set, library, resolver, newEventLog(cfg, set, logs)),
	}
	m, err := scraper.NewMetrics(bounded(life, r.scraper.scrape, cfg.Timeout))
	if err == nil {
		schedule := cfg.ControllerConfig
		schedule.Timeout = 0 // see bounded
		r.controller, err = scraperhelper.NewMetricsController(&schedule, set, metrics, scraperhelper.AddScraper(metadata.Type, m))
	}
	if err != nil {
		cancel()
		resolver.close()
		return nil, err
	}
	return r, nil
}

// bounded gives a scrape its deadline and breaks it off at the end of life. The
// controller's own deadline would also hold for the consumers: when a GPU times
// out, so would the report of it.
func bounded(life context.Context, scrape scraper.ScrapeMetricsFunc, timeout time.Duration) scraper.ScrapeMetricsFunc {
	return func(ctx context.Context) (pmetric.Metrics, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		return scrape(ctx)
	}
}

func (r *nvmlReceiver) start(ctx context.Context, host component.Host) error {
	if r.cfg.Required {
		if err := r.require(ctx); err != nil {
			return err
		}
	}
	if r.cfg.ReleaseFile != "" {
		r.tasks.Go(r.watchRelease)
	}
	return r.controller.Start(ctx, host)
}

// require fails where the driver does not answer.
func (r *nvmlReceiver) require(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	if err := r.scraper.requireDriver(ctx); err != nil {
		return fmt.Errorf(`the NVIDIA driver does not answer, and "required" is true: %w. %s`, err, hintFor(err))
	}
	return nil
}

func (r *nvmlReceiver) watchRelease() {
	ticker := time.NewTicker(releaseInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.scraper.releaseNow(r.life)
		case <-r.life.Done():
			return
		}
	}
}

// shutdown breaks off what is under way, so that no GPU can delay it.
func (r *nvmlReceiver) shutdown(ctx context.Context) error {
	r.cancel()
	err := r.controller.Shutdown(ctx)
	r.tasks.Wait()
	r.scraper.shutdown(ctx)
	return err
}

package langfusereceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// NewFactory returns the factory of the Langfuse receiver.
func NewFactory() receiver.Factory { return newFactory(nil) }

// NewFactoryAt returns a factory whose receivers take now for the time, that of a
// simulated server. Since no timer of the machine follows it, they ask the server in
// their scrapes, all that is due.
func NewFactoryAt(now func() time.Time) receiver.Factory { return newFactory(now) }

// newFactory: without now it is the machine's.
func newFactory(now func() time.Time) receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			s := newScraper(cfg.(*Config), set)
			if now != nil {
				s.board.clock, s.inTurn = now, true
			}
			return newReceiver(s, set, next)
		}, metadata.MetricsStability),
	)
}

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = defaultInterval
	controller.Timeout = defaultTimeout
	client := apiclient.NewDefaultConfig()
	client.Timeout = defaultTimeout
	// What failed is repeated by the worker, between its windows, and not within one.
	client.Retry.InitialInterval = defaultRetryFirst
	client.Retry.MaxInterval = defaultRetryMost
	client.Retry.MaxElapsedTime = 0
	client.CircuitBreaker.Failures = 0
	client.RateLimit = apiclient.RateLimitConfig{RequestsPerSecond: 2, Burst: 5}
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.DefaultMetricsBuilderConfig(),
		Config:               client,
		Window:               defaultWindow,
		IngestionDelay:       defaultIngestionDelay,
		Backlog:              defaultBacklog,
		MaxCatchUp:           defaultMaxCatchUp,
		MaxModels:            defaultMaxModels,
		MaxScores:            defaultMaxScores,
		MaxUsers:             defaultMaxUsers,
		MaxPrompts:           defaultMaxPrompts,
	}
}

func newReceiver(s *langfuseScraper, set receiver.Settings, next consumer.Metrics) (receiver.Metrics, error) {
	m, err := scraper.NewMetrics(s.scrape, scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
	if err != nil {
		return nil, err
	}
	schedule := s.cfg.ControllerConfig
	schedule.Timeout = 0 // it is that of a request here, and a scrape asks nobody
	return scraperhelper.NewMetricsController(&schedule, set, next, scraperhelper.AddScraper(metadata.Type, m))
}

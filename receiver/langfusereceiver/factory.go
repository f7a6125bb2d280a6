package langfusereceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// NewFactory returns the factory of the Langfuse receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
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

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	c := cfg.(*Config)
	s := newScraper(c, set)
	m, err := scraper.NewMetrics(s.scrape, scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
	if err != nil {
		return nil, err
	}
	schedule := c.ControllerConfig
	schedule.Timeout = 0 // it is that of a request here, and a scrape asks nobody
	return scraperhelper.NewMetricsController(&schedule, set, next, scraperhelper.AddScraper(metadata.Type, m))
}

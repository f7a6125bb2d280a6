package litellmreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

// NewFactory returns the factory of the LiteLLM receiver.
func NewFactory() receiver.Factory { return NewFactoryAt(time.Now) }

// NewFactoryAt returns a factory whose receivers take now for the time: that of a
// simulated proxy.
func NewFactoryAt(now func() time.Time) receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			return newReceiver(ctx, cfg.(*Config), set, now, next)
		}, metadata.MetricsStability),
	)
}

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = defaultInterval
	controller.Timeout = defaultTimeout
	client := apiclient.NewDefaultConfig()
	client.Timeout = defaultTimeout // the same key as that of the controller
	// The next scrape comes soon, and a proxy without a database answers 500 to what
	// needs one.
	client.Retry.Enabled = false
	client.MaxResponseSize = defaultMaxResponseSize
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.DefaultMetricsBuilderConfig(),
		Config:               client,
		API:                  APIConfig{Enabled: true, Interval: defaultAPIInterval},
		HealthCheck:          HealthCheckConfig{Interval: defaultHealthInterval},
		Labels:               newDefaultLabels(),
		MaxModels:            defaultMaxModels,
		MaxPageSize:          defaultMaxPageSize,
		MaxSeries:            defaultMaxSeries,
	}
}

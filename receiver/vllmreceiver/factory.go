package vllmreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// NewFactory returns the factory of the vLLM receiver.
func NewFactory() receiver.Factory { return NewFactoryAt(time.Now) }

// NewFactoryAt returns a factory whose receivers take now for the time: that of
// simulated servers.
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
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.DefaultMetricsBuilderConfig(),
		StuckAfter:           defaultStuckAfter,
		InfoInterval:         defaultInfoInterval,
		MaxPageSize:          defaultMaxPageSize,
		MaxSeries:            defaultMaxSeries,
	}
}

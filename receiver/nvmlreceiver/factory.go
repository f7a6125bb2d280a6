package nvmlreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// NewFactory returns the factory of the NVML receiver.
func NewFactory() receiver.Factory {
	return newFactory(realSources, time.Now)
}

// NewFactoryAt returns a factory whose receivers read the library that open returns
// for the path in their configuration, and take now for the time: those of a
// simulated server.
func NewFactoryAt(now func() time.Time, open func(path string) nvml.Library) receiver.Factory {
	return newFactory(func(cfg *Config, logger *zap.Logger) (nvml.Library, resolver, error) {
		return sourcesOf(open(cfg.Library), cfg, logger)
	}, now)
}

func newFactory(sources sourcesFunc, now func() time.Time) receiver.Factory {
	shared := newSharedReceivers(sources, now)
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			return shared.metrics(cfg.(*Config), set, next)
		}, metadata.MetricsStability),
		receiver.WithLogs(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			return shared.logs(cfg.(*Config), set, next)
		}, metadata.LogsStability),
	)
}

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.CollectionInterval = defaultInterval
	controller.Timeout = defaultTimeout
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.DefaultMetricsBuilderConfig(),
		LogsBuilderConfig:    metadata.DefaultLogsBuilderConfig(),
		Attribution:          AttributionConfig{Enabled: true},
		Docker:               docker.NewDefaultConfig(),
	}
}

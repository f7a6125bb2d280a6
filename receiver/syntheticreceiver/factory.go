package syntheticreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
	"github.com/otelcol-llm/otelcol-llm/receiver/syntheticreceiver/internal/metadata"
)

// NewFactory returns the factory of the synthetic receiver.
func NewFactory() receiver.Factory {
	shared := newSharedPlayers()
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			p := shared.of(cfg.(*Config), set)
			p.metrics = next
			return &signal{shared: shared, player: p}, nil
		}, metadata.MetricsStability),
		receiver.WithLogs(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			p := shared.of(cfg.(*Config), set)
			p.logs = next
			return &signal{shared: shared, player: p}, nil
		}, metadata.LogsStability),
	)
}

func createDefaultConfig() component.Config {
	return &Config{
		Seed:               defaultSeed,
		WarmUp:             defaultWarmUp,
		Scenario:           string(site.Normal),
		CollectionInterval: defaultInterval,
	}
}

package modelcatalogconnector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// NewFactory returns the factory of the model catalog.
func NewFactory() connector.Factory { return newFactory(nil) }

// NewFactoryAt returns a factory whose catalogs take now for the time, that of
// simulated sources. Since no timer of the machine follows it, they emit after what
// comes once their interval is over.
func NewFactoryAt(now func() time.Time) connector.Factory { return newFactory(now) }

// newFactory: without now it is the machine's.
func newFactory(now func() time.Time) connector.Factory {
	return connector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		connector.WithMetricsToMetrics(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Metrics, error) {
			c, err := newCatalog(cfg.(*Config), set, next)
			if err == nil && now != nil {
				c.now, c.inTurn = now, true
			}
			return c, err
		}, metadata.MetricsToMetricsStability),
	)
}

func createDefaultConfig() component.Config {
	return &Config{
		MetricsBuilderConfig: metadata.DefaultMetricsBuilderConfig(),
		Interval:             defaultInterval,
		ExpireAfter:          defaultExpireAfter,
		MaxModels:            defaultMaxModels,
		MaxSeries:            defaultMaxSeries,
	}
}

package dockerattributesprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
)

// NewFactory returns the factory of the Docker attributes processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		createDefaultConfig,
		processor.WithMetrics(createMetrics, metadata.MetricsStability),
		processor.WithLogs(createLogs, metadata.LogsStability),
		processor.WithTraces(createTraces, metadata.TracesStability),
	)
}

func createDefaultConfig() component.Config {
	_, enabled := metadataNames()
	from := func(place, name string) AssociationConfig {
		return AssociationConfig{Sources: []SourceConfig{{From: place, Name: name}}}
	}
	return &Config{
		Docker:  docker.NewDefaultConfig(),
		Extract: ExtractConfig{Metadata: enabled},
		// Only what cannot be mistaken: an id is unique in the world. A pid or a
		// name from another host would find a container of this one.
		Association: []AssociationConfig{
			from(fromResource, containerID),
			from(fromResource, logFilePath),
			from(fromRecord, logFilePath),
		},
		ServiceName: ServiceNameConfig{
			Signals:      []string{pipeline.SignalLogs.String()},
			Placeholders: []string{"docker", "unknown_service*"},
		},
		WaitForMetadataTimeout: defaultWait,
	}
}

func createMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	e, err := newEnricher(cfg.(*Config), set, pipeline.SignalMetrics)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewMetrics(ctx, set, cfg, next, e.processMetrics, e.options()...)
}

func createLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	e, err := newEnricher(cfg.(*Config), set, pipeline.SignalLogs)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, e.processLogs, e.options()...)
}

func createTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	e, err := newEnricher(cfg.(*Config), set, pipeline.SignalTraces)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewTraces(ctx, set, cfg, next, e.processTraces, e.options()...)
}

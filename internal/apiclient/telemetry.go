package apiclient

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient/internal/metadata"
)

// telemetry counts what the client does, for one component.
type telemetry struct {
	builder   *metadata.TelemetryBuilder
	component attribute.KeyValue
}

func newTelemetry(builder *metadata.TelemetryBuilder, id component.ID) *telemetry {
	return &telemetry{builder: builder, component: attribute.String("component", id.String())}
}

func (t *telemetry) of(endpoint string, more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(more, t.component, attribute.String("endpoint", endpoint))...)
}

func (t *telemetry) requested(ctx context.Context, endpoint string, took time.Duration, err error) {
	if errors.Is(err, context.Canceled) {
		return // broken off by us
	}
	t.builder.ApiclientRequestDuration.Record(ctx, took.Seconds(), t.of(endpoint))
	if err != nil {
		t.builder.ApiclientRequests.Add(ctx, 1, t.of(endpoint, attribute.String("error.type", Reason(err))))
		return
	}
	t.builder.ApiclientRequests.Add(ctx, 1, t.of(endpoint))
}

func (t *telemetry) retried(ctx context.Context, endpoint string) {
	t.builder.ApiclientRetries.Add(ctx, 1, t.of(endpoint))
}

func (t *telemetry) breaker(endpoint string, open bool) {
	value := int64(0)
	if open {
		value = 1
	}
	t.builder.ApiclientBreakerOpen.Record(context.Background(), value, t.of(endpoint))
}

func (t *telemetry) hit(ctx context.Context, endpoint string) {
	t.builder.ApiclientCacheHits.Add(ctx, 1, t.of(endpoint))
}

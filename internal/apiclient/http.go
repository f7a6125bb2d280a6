package apiclient

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
)

const maxRedirects = 3

// NewHTTPClient is confighttp's client without the span and the histogram entry
// that the collector would make of each request, a cost for what our own metrics
// tell already; and it stays on one host.
func NewHTTPClient(ctx context.Context, cfg *confighttp.ClientConfig, host component.Host, set component.TelemetrySettings) (*http.Client, error) {
	set.TracerProvider, set.MeterProvider = nooptrace.NewTracerProvider(), noopmetric.NewMeterProvider()
	client, err := cfg.ToClient(ctx, host, set)
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = sameHost
	return client, nil
}

// sameHost follows /metrics to /metrics/, as some servers answer, but never to
// another host: the configured headers, secrets among them, would go along.
func sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("%w to another host (%s)", ErrRedirect, req.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w more than %d times", ErrRedirect, maxRedirects)
	}
	return nil
}

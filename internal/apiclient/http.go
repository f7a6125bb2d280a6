package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
)

const maxRedirects = 3

var errProxyURL = errors.New(`"proxy_url" must be a URL such as http://proxy:3128`)

// NewHTTPClient is confighttp's client without the span and the histogram entry
// that the collector would make of each request, a cost for what our own metrics
// tell already; and it stays on one host. It can release idle connections, unless
// an authenticator or a middleware is between: confighttp's own never does.
func NewHTTPClient(ctx context.Context, cfg *confighttp.ClientConfig, host component.Host, set component.TelemetrySettings) (*http.Client, error) {
	if cfg.ProxyURL != "" {
		if _, err := url.ParseRequestURI(cfg.ProxyURL); err != nil {
			return nil, errProxyURL // the error holds the URL, which may hold a password
		}
	}
	set.TracerProvider, set.MeterProvider = nil, nil
	plain := *cfg
	plain.Headers = nil
	client, err := plain.ToClient(ctx, host, set)
	if err != nil {
		return nil, err
	}
	if len(cfg.Headers) > 0 {
		client.Transport = &headers{next: client.Transport, values: cfg.Headers}
	}
	client.CheckRedirect = sameHost
	return client, nil
}

// headers adds the configured headers to each request, as confighttp does.
type headers struct {
	next   http.RoundTripper
	values map[string]configopaque.String
}

func (h *headers) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	for name, value := range h.values {
		if strings.EqualFold(name, "Host") {
			req.Host = string(value)
			continue
		}
		req.Header.Set(name, string(value))
	}
	return h.next.RoundTrip(req)
}

// CloseIdleConnections is looked for by http.Client.
func (h *headers) CloseIdleConnections() {
	(&http.Client{Transport: h.next}).CloseIdleConnections()
}

// sameHost follows /metrics to /metrics/, as some servers answer, but never to
// another host: the configured headers, secrets among them, would go along.
func sameHost(req *http.Request, via []*http.Request) error {
	if origin(req.URL) != origin(via[0].URL) {
		return fmt.Errorf("%w to another host (%s)", ErrRedirect, origin(req.URL))
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w more than %d times", ErrRedirect, maxRedirects)
	}
	return nil
}

// origin is scheme, host and port, in one way of writing them.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

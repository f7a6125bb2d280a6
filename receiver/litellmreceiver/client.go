package litellmreceiver

import (
	"context"
	"errors"
	"math"
	"mime"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// What is asked of the proxy: names in metrics and in the log too.
const (
	endpointMetrics    = "/metrics"
	endpointLiveliness = "/health/liveliness"
	endpointReadiness  = "/health/readiness"
	endpointDetails    = "/health/readiness/details"
	endpointDeployment = "/model/info"
	endpointModels     = "/v1/models"
	endpointLatest     = "/health/latest"
	endpointHealth     = "/health"
	endpointActivity   = "/user/daily/activity"
	endpointAggregated = "/user/daily/activity/aggregated"
	endpointOpenAPI    = "/openapi.json"
)

// acceptText asks for the format that promtext reads.
const acceptText = "text/plain;version=0.0.4;q=1,*/*;q=0.1"

// healthTimeout is for all models together; one may take a minute.
const healthTimeout = 10 * time.Minute

// proxy is what the scraper asks of a LiteLLM proxy. apiclient.Reason names every
// error.
type proxy interface {
	// metrics returns the page, parsed and reduced.
	metrics(ctx context.Context, opts promtext.Options) (*promtext.Page, error)
	// alive returns nil if the proxy lives.
	alive(ctx context.Context) error
	// readiness returns what the proxy says of itself; details needs a key.
	readiness(ctx context.Context) (readiness, error)
	details(ctx context.Context) (readiness, error)
	// version returns the version from the description of the API, 2 MB.
	version(ctx context.Context) (string, error)
	// deployments returns what is behind the public names, at most limit.
	deployments(ctx context.Context, limit int) (*deployments, error)
	// models returns the public names that the key may use, at most limit.
	models(ctx context.Context, limit int) (*modelNames, error)
	// latest returns the stored health checks, at most limit.
	latest(ctx context.Context, limit int) ([]check, error)
	// check lets the proxy call all models: it costs money.
	check(ctx context.Context, limit int) ([]check, error)
	// activity returns what the day of now cost so far, for at most limit models.
	activity(ctx context.Context, now time.Time, limit int) (*activity, error)
	// close releases idle connections.
	close()
}

// httpProxy is a proxy reached over HTTP.
type httpProxy struct {
	// page is asked for what every scrape needs. No breaker keeps it from noticing
	// that the proxy is back; after a refusal of the key it pauses nevertheless.
	page *apiclient.Client
	// api is asked for the rest.
	api *apiclient.Client
	// slow waits longer; nil unless health checks are on.
	slow *apiclient.Client
}

var _ proxy = (*httpProxy)(nil)

func newHTTPProxy(ctx context.Context, cfg *Config, host component.Host, id component.ID, set component.TelemetrySettings) (*httpProxy, error) {
	var authorize func(*http.Request)
	if cfg.APIKey != "" {
		authorize = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+string(cfg.APIKey)) }
	}
	page := cfg.Config
	page.MaxResponseSize = cfg.MaxPageSize
	page.RateLimit = apiclient.NewDefaultConfig().RateLimit
	page.Retry.Enabled = false
	if page.CircuitBreaker.Failures > 0 {
		page.CircuitBreaker.Failures = math.MaxUint32
	}
	p := &httpProxy{}
	clients := []struct {
		client **apiclient.Client
		cfg    *apiclient.Config
	}{{&p.page, &page}, {&p.api, &cfg.Config}}
	if cfg.HealthCheck.Enabled {
		slow := cfg.Config
		slow.Timeout = healthTimeout
		slow.Retry.Enabled = false // each attempt costs money
		clients = append(clients, struct {
			client **apiclient.Client
			cfg    *apiclient.Config
		}{&p.slow, &slow})
	}
	for _, c := range clients {
		client, err := apiclient.New(ctx, c.cfg, host, id, set, authorize)
		if err != nil {
			p.close()
			return nil, err
		}
		*c.client = client
	}
	return p, nil
}

// metrics asks for the page with the slash at its end: without it the proxy only
// redirects, to http where a reverse proxy in front of it speaks https.
func (p *httpProxy) metrics(ctx context.Context, opts promtext.Options) (*promtext.Page, error) {
	page, err := p.read(ctx, endpointMetrics+"/", opts)
	if status := (*apiclient.StatusError)(nil); errors.As(err, &status) && status.Code == http.StatusNotFound {
		return p.read(ctx, endpointMetrics, opts)
	}
	return page, err
}

func (p *httpProxy) read(ctx context.Context, path string, opts promtext.Options) (*promtext.Page, error) {
	var page *promtext.Page
	err := p.page.Do(ctx, apiclient.Request{Endpoint: endpointMetrics, Path: path, Accept: acceptText}, func(resp *http.Response) error {
		if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && kind == "text/html" {
			return apiclient.ErrHTML
		}
		var err error
		page, err = promtext.Parse(resp.Body, opts)
		return err
	})
	return page, err
}

func (p *httpProxy) alive(ctx context.Context) error {
	var anything any
	return p.page.JSON(ctx, apiclient.Request{Endpoint: endpointLiveliness, NoAuth: true}, &anything)
}

func (p *httpProxy) readiness(ctx context.Context) (readiness, error) {
	var r readiness
	err := p.page.JSON(ctx, apiclient.Request{Endpoint: endpointReadiness, NoAuth: true}, &r)
	return r, err
}

func (p *httpProxy) details(ctx context.Context) (readiness, error) {
	var r readiness
	err := p.api.JSON(ctx, apiclient.Request{Endpoint: endpointDetails}, &r)
	return r, err
}

func (p *httpProxy) version(ctx context.Context) (string, error) {
	var description struct {
		Info struct {
			Version text `json:"version"`
		} `json:"info"`
	}
	err := p.api.JSON(ctx, apiclient.Request{Endpoint: endpointOpenAPI, NoAuth: true}, &description)
	return strings.TrimSpace(string(description.Info.Version)), err
}

func (p *httpProxy) deployments(ctx context.Context, limit int) (*deployments, error) {
	var d *deployments
	err := p.api.Do(ctx, apiclient.Request{Endpoint: endpointDeployment}, func(resp *http.Response) (err error) {
		d, err = readDeployments(resp, limit)
		return err
	})
	return d, err
}

func (p *httpProxy) models(ctx context.Context, limit int) (*modelNames, error) {
	var m *modelNames
	err := p.api.Do(ctx, apiclient.Request{Endpoint: endpointModels}, func(resp *http.Response) (err error) {
		m, err = readModels(resp, limit)
		return err
	})
	return m, err
}

func (p *httpProxy) latest(ctx context.Context, limit int) ([]check, error) {
	var answer struct {
		Checks map[string]check `json:"latest_health_checks"`
	}
	err := p.api.JSON(ctx, apiclient.Request{Endpoint: endpointLatest}, &answer)
	return sorted(answer.Checks, limit), err
}

func (p *httpProxy) check(ctx context.Context, limit int) ([]check, error) {
	var answer healthAnswer
	err := p.slow.JSON(ctx, apiclient.Request{Endpoint: endpointHealth}, &answer)
	return answer.checks(limit), err
}

func (p *httpProxy) close() {
	for _, client := range []*apiclient.Client{p.page, p.api, p.slow} {
		if client != nil {
			client.Close()
		}
	}
}

package vllmreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

const (
	// acceptText asks for the format that promtext reads; newer servers would
	// also offer OpenMetrics.
	acceptText = "text/plain;version=0.0.4;q=1,*/*;q=0.1"
	// maxInfoSize bounds the JSON answers. 1 MiB holds some 2000 models.
	maxInfoSize  = 1 << 20
	maxRedirects = 3
)

// server is what the scraper asks of a vLLM server. Every error can be named by
// reasonOf.
type server interface {
	// metrics returns the parsed page.
	metrics(ctx context.Context) (*promtext.Page, error)
	// health returns nil if the engine lives.
	health(ctx context.Context) error
	// version returns the version, such as 0.10.2.
	version(ctx context.Context) (string, error)
	// models returns what is served.
	models(ctx context.Context) ([]model, error)
	// weights returns how the weights are stored.
	weights(ctx context.Context) (weights, error)
	// close releases idle connections.
	close()
}

// model is an entry of /v1/models.
type model struct {
	ID          string `json:"id"`
	Root        string `json:"root"`
	Parent      string `json:"parent"`
	MaxModelLen int64  `json:"max_model_len"`
}

// weights is what /server_info tells of the model; empty means not told.
type weights struct {
	dtype, quantization string
}

// httpServer is a server reached over HTTP.
type httpServer struct {
	client *http.Client
	base   string
	paths  PathsConfig
	limits promtext.Options
}

// newClient makes the HTTP client of an endpoint.
func newClient(ctx context.Context, cfg *confighttp.ClientConfig, host component.Host, set component.TelemetrySettings) (*http.Client, error) {
	// The collector would make a span and a histogram entry of each request: a cost
	// for each server and scrape, for what our own metrics tell already.
	set.TracerProvider, set.MeterProvider = nooptrace.NewTracerProvider(), noopmetric.NewMeterProvider()
	client, err := cfg.ToClient(ctx, host, set)
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = sameHost
	return client, nil
}

func newHTTPServer(cfg *Config, endpoint *EndpointConfig, client *http.Client) *httpServer {
	return &httpServer{
		client: client,
		base:   strings.TrimSuffix(endpoint.Endpoint, "/"),
		paths:  endpoint.Paths,
		limits: promtext.Options{MaxBytes: cfg.MaxPageSize, MaxSeries: cfg.MaxSeries, Keep: wanted},
	}
}

// sameHost follows /metrics to /metrics/, as old servers answer, but never to
// another host: the configured headers, secrets among them, would go along.
func sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("%w to another host (%s)", errRedirect, req.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w more than %d times", errRedirect, maxRedirects)
	}
	return nil
}

// get returns the answer if its status is 200; the caller closes the body.
func (s *httpServer) get(ctx context.Context, path, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		// What is small is read, so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		return nil, errors.Join(&statusError{resp.StatusCode}, resp.Body.Close())
	}
	return resp, nil
}

func (s *httpServer) metrics(ctx context.Context) (*promtext.Page, error) {
	resp, err := s.get(ctx, s.paths.Metrics, acceptText)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && kind == "text/html" {
		return nil, errHTML
	}
	return promtext.Parse(resp.Body, s.limits)
}

func (s *httpServer) health(ctx context.Context) error {
	resp, err := s.get(ctx, s.paths.Health, "*/*")
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	return resp.Body.Close()
}

func (s *httpServer) version(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"version"`
	}
	err := s.getJSON(ctx, s.paths.Version, &answer)
	return answer.Version, err
}

func (s *httpServer) models(ctx context.Context) ([]model, error) {
	var answer struct {
		Data []model `json:"data"`
	}
	err := s.getJSON(ctx, s.paths.Models, &answer)
	return answer.Data, err
}

// The configuration comes as the text that vLLM also logs at its start, such as
// "... dtype=torch.bfloat16, max_seq_len=32768, quantization=fp8, ...".
var (
	dtypePattern        = regexp.MustCompile(`\bdtype=(?:torch\.)?([A-Za-z0-9_]+)`)
	quantizationPattern = regexp.MustCompile(`\bquantization=['"]?([A-Za-z0-9_.-]+)`)
)

func (s *httpServer) weights(ctx context.Context) (weights, error) {
	var answer struct {
		Config string `json:"vllm_config"`
	}
	if err := s.getJSON(ctx, s.paths.ServerInfo, &answer); err != nil {
		return weights{}, err
	}
	var w weights
	if m := dtypePattern.FindStringSubmatch(answer.Config); m != nil {
		w.dtype = m[1]
	}
	if m := quantizationPattern.FindStringSubmatch(answer.Config); m != nil && m[1] != "None" {
		w.quantization = m[1]
	}
	return w, nil
}

func (s *httpServer) getJSON(ctx context.Context, path string, answer any) error {
	resp, err := s.get(ctx, path, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := io.LimitedReader{R: resp.Body, N: maxInfoSize}
	if err := json.NewDecoder(&body).Decode(answer); err != nil {
		if body.N == 0 {
			return promtext.ErrTooLarge
		}
		return fmt.Errorf("%w: %w", errNotJSON, err)
	}
	return nil
}

func (s *httpServer) close() {
	s.client.CloseIdleConnections()
}

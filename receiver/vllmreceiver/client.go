package vllmreceiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

const (
	// acceptText asks for the format that promtext reads; newer servers would
	// also offer OpenMetrics.
	acceptText = "text/plain;version=0.0.4;q=1,*/*;q=0.1"
	// maxInfoSize bounds the JSON answers. 1 MiB holds some 2000 models.
	maxInfoSize = 1 << 20
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

// httpServer is a server reached over HTTP. It asks once each time: the next scrape
// is soon, and must see what a server that restarts does.
type httpServer struct {
	client *http.Client
	base   string
	paths  PathsConfig
	limits promtext.Options
}

func newHTTPServer(cfg *Config, endpoint *EndpointConfig, client *http.Client) *httpServer {
	return &httpServer{
		client: client,
		base:   strings.TrimSuffix(endpoint.Endpoint, "/"),
		paths:  endpoint.Paths,
		limits: promtext.Options{MaxBytes: cfg.MaxPageSize, MaxSeries: cfg.MaxSeries, Keep: wanted},
	}
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
		return nil, errors.Join(&apiclient.StatusError{Code: resp.StatusCode}, resp.Body.Close())
	}
	return resp, nil
}

func (s *httpServer) metrics(ctx context.Context) (*promtext.Page, error) {
	resp, err := s.get(ctx, s.paths.Metrics, acceptText)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if apiclient.IsHTML(resp) {
		return nil, apiclient.ErrHTML
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
	resp.Body = apiclient.Limit(resp.Body, maxInfoSize)
	return apiclient.DecodeJSON(resp, answer)
}

func (s *httpServer) close() {
	s.client.CloseIdleConnections()
}

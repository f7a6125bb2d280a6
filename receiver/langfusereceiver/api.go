package langfusereceiver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

const root = "/api/public"

// server is what is asked of Langfuse. Reason names every error.
type server interface {
	// health returns the version of the server if it is well.
	health(ctx context.Context) (version string, seen header, err error)
	// project is what the key belongs to.
	project(ctx context.Context) (project, error)
	// metrics answers a query, of v1 or v2.
	metrics(ctx context.Context, api apiName, q query) ([]row, header, error)
	// daily returns the figures of the days from that of from on.
	daily(ctx context.Context, from time.Time) ([]dailyFigures, header, error)
	close()
}

// project is what a key belongs to.
type project struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Key stands for the project where the server does not tell it.
	Key string `json:"key,omitempty"`
}

// is says whether both are the same project, whatever it is called.
func (p project) is(other project) bool { return p.ID == other.ID && p.Key == other.Key }

// header is what the head of an answer tells.
type header struct {
	// date is the time at the server, zero if it does not tell.
	date time.Time
	// last says that the server would refuse the next query, before reset.
	last  bool
	reset time.Time
}

// dailyFigures are those of one day, in UTC.
type dailyFigures struct {
	Date   string `json:"date"`
	Traces any    `json:"countTraces"`
	Usage  []row  `json:"usage"`
}

var errNoProject = errors.New("the key belongs to no project: use the keys of a project, not of an organization")

type httpServer struct{ client *apiclient.Client }

func newHTTPServer(ctx context.Context, cfg *Config, host component.Host, id component.ID, set component.TelemetrySettings) (*httpServer, error) {
	// Each attempt is a query that counts: when to repeat one, the worker decides.
	once := cfg.Config
	once.Retry.Enabled = false
	client, err := apiclient.New(ctx, &once, host, id, set, func(req *http.Request) {
		req.SetBasicAuth(cfg.PublicKey, string(cfg.SecretKey))
	})
	if err != nil {
		return nil, err
	}
	return &httpServer{client}, nil
}

func (s *httpServer) close() { s.client.Close() }

// get reads a JSON answer and its head.
func (s *httpServer) get(ctx context.Context, req apiclient.Request, answer any) (header, error) {
	var seen header
	req.Endpoint = root + req.Endpoint
	err := s.client.Do(ctx, req, func(resp *http.Response) error {
		seen = newHeader(resp.Header)
		return apiclient.DecodeJSON(resp, answer)
	})
	return seen, err
}

func newHeader(h http.Header) header {
	var seen header
	seen.date, _ = http.ParseTime(h.Get("Date"))
	// The server refuses the query that leaves none, not the one after it.
	if left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining")); err == nil && left <= 1 {
		seen.last = true
		// As JavaScript writes it: Mon Aug 03 2026 12:00:00 GMT+0000 (Coordinated Universal Time)
		date, _, _ := strings.Cut(h.Get("X-RateLimit-Reset"), " (")
		seen.reset, _ = time.Parse("Mon Jan 02 2006 15:04:05 GMT-0700", date)
	}
	return seen
}

func (s *httpServer) health(ctx context.Context) (string, header, error) {
	var answer struct {
		Version string `json:"version"`
	}
	seen, err := s.get(ctx, apiclient.Request{Endpoint: "/health", NoAuth: true}, &answer)
	return answer.Version, seen, err
}

func (s *httpServer) project(ctx context.Context) (project, error) {
	var answer struct {
		Data []project `json:"data"`
	}
	if _, err := s.get(ctx, apiclient.Request{Endpoint: "/projects"}, &answer); err != nil {
		return project{}, err
	}
	if len(answer.Data) == 0 || answer.Data[0].ID == "" {
		return project{}, errNoProject
	}
	return answer.Data[0], nil
}

var metricsPaths = map[apiName]string{apiV2: "/v2/metrics", apiV1: "/metrics", apiDaily: "/metrics/daily"}

func (s *httpServer) metrics(ctx context.Context, api apiName, q query) ([]row, header, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return nil, header{}, err
	}
	var answer struct {
		Data []row `json:"data"`
	}
	seen, err := s.get(ctx, apiclient.Request{Endpoint: metricsPaths[api], Query: url.Values{"query": {string(text)}}}, &answer)
	return answer.Data, seen, err
}

// mostDays is how many days an answer may hold; more than are ever asked for.
const mostDays = 100

func (s *httpServer) daily(ctx context.Context, from time.Time) ([]dailyFigures, header, error) {
	var answer struct {
		Data []dailyFigures `json:"data"`
	}
	seen, err := s.get(ctx, apiclient.Request{Endpoint: metricsPaths[apiDaily], Query: url.Values{
		"page": {"1"}, "limit": {strconv.Itoa(mostDays)}, "fromTimestamp": {timestamp(from)},
	}}, &answer)
	return answer.Data, seen, err
}

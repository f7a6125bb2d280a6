package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"golang.org/x/time/rate"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient/internal/metadata"
)

// Request is a GET.
type Request struct {
	// Endpoint names what is asked: in metrics, and for the circuit breaker. It is
	// one of a few, such as /model/info, and the path unless Path says otherwise.
	Endpoint string
	// Path below the base URL, where it is not Endpoint.
	Path string
	// Query may be nil.
	Query url.Values
	// Accept is the media type asked for. Empty means JSON.
	Accept string
	// NoAuth leaves out what authorize would add: the endpoint needs no credentials.
	// Headers and auth of the configuration go along with every request.
	NoAuth bool
}

// Client asks one server. It may be used by several goroutines.
type Client struct {
	cfg       *Config
	http      *http.Client
	base      string
	limiter   *rate.Limiter
	telemetry *telemetry
	authorize func(*http.Request)

	mu    sync.Mutex
	gates map[string]*gate
}

// New returns a client. authorize adds the credentials to a request; it may be nil.
// It fails only for a configuration that cannot work, such as a missing
// certificate file.
func New(ctx context.Context, cfg *Config, host component.Host, id component.ID, set component.TelemetrySettings, authorize func(*http.Request)) (*Client, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	client, err := NewHTTPClient(ctx, &cfg.ClientConfig, host, set)
	if err != nil {
		return nil, err
	}
	limit := rate.Inf
	if cfg.RateLimit.RequestsPerSecond > 0 {
		limit = rate.Limit(cfg.RateLimit.RequestsPerSecond)
	}
	return &Client{
		cfg: cfg, http: client, base: strings.TrimSuffix(cfg.Endpoint, "/"),
		limiter: rate.NewLimiter(limit, max(cfg.RateLimit.Burst, 1)), telemetry: newTelemetry(builder, id),
		authorize: authorize, gates: make(map[string]*gate),
	}, nil
}

// Close releases idle connections and ends the metrics of the client.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.telemetry.builder.Shutdown()
}

// JSON reads the answer into answer, which must be a pointer. Fields that it does
// not have are ignored.
func (c *Client) JSON(ctx context.Context, req Request, answer any) error {
	return c.Do(ctx, req, func(resp *http.Response) error { return DecodeJSON(resp, answer) })
}

// Do sends the request, again where that may help, and hands an answer of 200 to
// read, whose error counts as one of the request; read may be called again and
// begins anew then. The body ends with ErrTooLarge at the limit and is closed
// afterwards. Reason names every error that comes back.
func (c *Client) Do(ctx context.Context, req Request, read func(*http.Response) error) error {
	gate := c.gate(req.Endpoint) //nolint:contextcheck // what the breaker tells is not part of this request
	attempts := backoff.NewExponentialBackOff()
	attempts.InitialInterval = c.cfg.Retry.InitialInterval
	attempts.RandomizationFactor = c.cfg.Retry.RandomizationFactor
	attempts.Multiplier = c.cfg.Retry.Multiplier
	attempts.MaxInterval = c.cfg.Retry.MaxInterval
	begin := time.Now()
	for {
		err := c.once(ctx, gate, req, read)
		if err == nil || !c.cfg.Retry.Enabled || !passing(err) {
			return err
		}
		pause := max(attempts.NextBackOff(), wanted(err))
		again := time.Now().Add(pause)
		if !c.inTime(ctx, begin, again) || gate.closed(again) != nil || !sleep(ctx, pause) {
			return err
		}
		c.telemetry.retried(ctx, req.Endpoint)
	}
}

// inTime says whether a request that began at begin may be repeated then.
func (c *Client) inTime(ctx context.Context, begin, then time.Time) bool {
	if most := c.cfg.Retry.MaxElapsedTime; most > 0 && then.Sub(begin) > most {
		return false
	}
	deadline, ok := ctx.Deadline()
	return !ok || !then.After(deadline)
}

// sleep says whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once sends the request once, if gate and rate limit let it. The gate is asked
// before the wait, so that none is in vain, and after it, as it may have closed.
func (c *Client) once(ctx context.Context, gate *gate, req Request, read func(*http.Response) error) error {
	if err := gate.closed(time.Now()); err != nil {
		return err
	}
	if err := c.limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", ErrRateLimit, err)
	}
	return gate.pass(func() error {
		begin := time.Now()
		err := c.send(ctx, req, read)
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err() // whatever it looks like, we broke it off
		}
		c.telemetry.requested(ctx, req.Endpoint, time.Since(begin), err)
		return err
	})
}

func (c *Client) send(ctx context.Context, req Request, read func(*http.Response) error) error {
	path := req.Path
	if path == "" {
		path = req.Endpoint
	}
	target := c.base + path
	if len(req.Query) > 0 {
		target += "?" + req.Query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return bare(err)
	}
	accept := req.Accept
	if accept == "" {
		accept = "application/json"
	}
	r.Header.Set("Accept", accept)
	if c.authorize != nil && !req.NoAuth {
		c.authorize(r)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return bare(err)
	}
	defer func() { closeBody(resp.Body) }()
	if resp.StatusCode != http.StatusOK {
		return newStatusError(resp, time.Now())
	}
	resp.Body = Limit(resp.Body, c.cfg.MaxResponseSize)
	return read(resp)
}

// bare drops the URL that net/http puts in front of its errors: it may hold what
// is nobody's business, and the log line has the endpoint already.
func bare(err error) error {
	for u := (*url.Error)(nil); errors.As(err, &u); {
		err = u.Err
	}
	return err
}

package apiclient

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
)

var (
	id     = component.MustNewIDWithName("some", "thing")
	target = Request{Endpoint: "/models"}
)

// stub plays the server without a connection, so that time can be played too.
type stub struct {
	answers func(n int) (*http.Response, error)
	asked   []time.Time
}

func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, time.Now())
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	resp, err := s.answers(len(s.asked))
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// answer is one with a status and pairs of header fields.
func answer(code int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// always answers the same.
func always(code int, header ...string) func(int) (*http.Response, error) {
	return func(int) (*http.Response, error) { return answer(code, "{}", header...), nil }
}

// inTurn answers with one code after the other; the last one stays.
func inTurn(codes ...int) func(int) (*http.Response, error) {
	return func(n int) (*http.Response, error) { return answer(codes[min(n, len(codes))-1], "{}"), nil }
}

// steady retries at 1, 2, 4 s, without chance.
func steady(cfg *Config) {
	cfg.Retry.InitialInterval, cfg.Retry.Multiplier, cfg.Retry.RandomizationFactor = time.Second, 2, 0
	cfg.Retry.MaxInterval, cfg.Retry.MaxElapsedTime = time.Minute, 15*time.Second
}

func noRetry(cfg *Config) { cfg.Retry.Enabled = false }

func newClient(t *testing.T, endpoint string, authorize func(*http.Request), edits ...func(*Config)) (*Client, *componenttest.Telemetry) {
	t.Helper()
	cfg := NewDefaultConfig()
	cfg.Endpoint = endpoint
	steady(&cfg)
	for _, edit := range edits {
		edit(&cfg)
	}
	require.NoError(t, cfg.Validate())
	tel := componenttest.NewTelemetry()
	c, err := New(t.Context(), &cfg, componenttest.NewNopHost(), id, tel.NewTelemetrySettings(), authorize)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		require.NoError(t, tel.Shutdown(context.Background()))
	})
	return c, tel
}

// newStubbed returns a client of a server that answers so.
func newStubbed(t *testing.T, answers func(n int) (*http.Response, error), edits ...func(*Config)) (*Client, *stub, *componenttest.Telemetry) {
	t.Helper()
	c, tel := newClient(t, "http://server.test", nil, edits...)
	s := &stub{answers: answers}
	c.http.Transport = s
	return c, s, tel
}

// serve returns the URL of a server that ends with the test.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func ask(ctx context.Context, c *Client) error {
	var anything any
	return c.JSON(ctx, target, &anything)
}

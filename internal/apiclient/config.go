package apiclient

import (
	"errors"
	"math"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// Config is how an API is reached. Components squash it into their own.
type Config struct {
	// ClientConfig: endpoint is the base URL. Its timeout bounds one request, with
	// its answer; that of the component bounds all of them.
	confighttp.ClientConfig `mapstructure:",squash"`

	// Retry says how requests are repeated that failed for a passing reason: no
	// connection or one that broke, a time-out, 408, 425, 429, 500, 502, 503, 504, 529
	// and Cloudflare's 520 to 524. A Retry-After that is longer than the interval
	// counts instead. The end of the scrape ends it too.
	Retry configretry.BackOffConfig `mapstructure:"retry"`

	// CircuitBreaker stops asking an endpoint that only fails.
	CircuitBreaker CircuitBreakerConfig `mapstructure:"circuit_breaker"`

	// RateLimit bounds how often the server is asked, all endpoints together.
	RateLimit RateLimitConfig `mapstructure:"rate_limit"`

	// MaxResponseSize is the largest answer accepted, in bytes after decompression.
	MaxResponseSize int64 `mapstructure:"max_response_size"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// CircuitBreakerConfig says when an endpoint is left alone. Each endpoint has a
// breaker of its own.
type CircuitBreakerConfig struct {
	// Failures in a row that open the breaker. 0 switches it off. A refusal of the
	// credentials (401, 403) opens it at once: some servers count each as an attack.
	Failures uint32 `mapstructure:"failures"`

	// OpenFor is how long it stays open before one request is let through.
	OpenFor time.Duration `mapstructure:"open_for"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RateLimitConfig is a token bucket.
type RateLimitConfig struct {
	// RequestsPerSecond is the mean; 0 means no limit.
	RequestsPerSecond float64 `mapstructure:"requests_per_second"`

	// Burst is how many may follow each other at once. Default 1.
	Burst int `mapstructure:"burst"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ xconfmap.Validator = (*Config)(nil)

var (
	errEndpointURL      = errors.New(`"endpoint" must be an http or https URL such as http://localhost:4000`)
	errEndpointUserinfo = errors.New(`"endpoint" must not hold a user or password: use the settings for keys instead`)
	errEndpointQuery    = errors.New(`"endpoint" must have no query and no fragment`)
	errCompression      = errors.New(`"compression" must be empty: requests have no body; answers are compressed where the server can`)
	errInitialInterval  = errors.New(`"retry::initial_interval" must be positive, such as 500ms, or "enabled" false`)
	errOpenFor          = errors.New(`"circuit_breaker::open_for" must be positive, such as 5m, or "failures" 0 to switch the breaker off`)
	errRate             = errors.New(`"rate_limit::requests_per_second" must be a number that is not negative; 0 means no limit`)
	errBurst            = errors.New(`"rate_limit::burst" must be at least 1`)
	errMaxResponseSize  = errors.New(`"max_response_size" must be at least 65536 bytes`)
)

// NewDefaultConfig returns a client that repeats a request for some seconds and
// leaves an endpoint alone for 5 minutes after 5 failures.
func NewDefaultConfig() Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = 500 * time.Millisecond
	retry.MaxInterval = 5 * time.Second
	retry.MaxElapsedTime = 15 * time.Second
	return Config{
		ClientConfig:    confighttp.NewDefaultClientConfig(),
		Retry:           retry,
		CircuitBreaker:  CircuitBreakerConfig{Failures: 5, OpenFor: 5 * time.Minute},
		RateLimit:       RateLimitConfig{Burst: 1},
		MaxResponseSize: 16 << 20,
	}
}

// Validate checks the endpoint, unless it is empty (components decide what that
// means), and the limits. No message repeats the endpoint: it may hold a password.
func (c *Config) Validate() error {
	var errs []error
	if c.Endpoint != "" {
		errs = append(errs, validateEndpoint(c.Endpoint))
	}
	if c.Compression.IsCompressed() {
		errs = append(errs, errCompression)
	}
	if c.Retry.Enabled && c.Retry.InitialInterval == 0 { // the collector speaks of less
		errs = append(errs, errInitialInterval)
	}
	if c.CircuitBreaker.Failures > 0 && c.CircuitBreaker.OpenFor <= 0 {
		errs = append(errs, errOpenFor)
	}
	if !(c.RateLimit.RequestsPerSecond >= 0 && c.RateLimit.RequestsPerSecond <= math.MaxFloat64) { // nor NaN
		errs = append(errs, errRate)
	}
	if c.RateLimit.Burst < 1 {
		errs = append(errs, errBurst)
	}
	if c.MaxResponseSize < 64<<10 {
		errs = append(errs, errMaxResponseSize)
	}
	return errors.Join(errs...)
}

func validateEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errEndpointURL
	case u.User != nil:
		return errEndpointUserinfo
	case strings.ContainsAny(endpoint, "?#"):
		return errEndpointQuery
	}
	return nil
}

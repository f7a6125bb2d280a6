package apiclient

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig(t *testing.T) {
	cfg := NewDefaultConfig()
	require.NoError(t, xconfmap.Validate(&cfg), "an empty endpoint is for components to judge")
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"endpoint":          "https://a:4000/prefix",
		"timeout":           "3s",
		"retry":             map[string]any{"enabled": false, "max_elapsed_time": "1m"},
		"circuit_breaker":   map[string]any{"failures": 2, "open_for": "1m"},
		"rate_limit":        map[string]any{"requests_per_second": 0.5, "burst": 3},
		"max_response_size": 65536,
	}).Unmarshal(&cfg))
	require.NoError(t, xconfmap.Validate(&cfg))
	assert.Equal(t, 3*time.Second, cfg.Timeout)
	assert.False(t, cfg.Retry.Enabled)
	assert.Equal(t, CircuitBreakerConfig{Failures: 2, OpenFor: time.Minute}, cfg.CircuitBreaker)
	assert.Equal(t, RateLimitConfig{RequestsPerSecond: 0.5, Burst: 3}, cfg.RateLimit)
	assert.EqualValues(t, 65536, cfg.MaxResponseSize)
}

func TestInvalidConfig(t *testing.T) {
	for name, test := range map[string]struct {
		want error
		edit func(*Config)
	}{
		"no URL":      {errEndpointURL, func(c *Config) { c.Endpoint = "http://a b" }},
		"no scheme":   {errEndpointURL, func(c *Config) { c.Endpoint = "a:4000" }},
		"no host":     {errEndpointURL, func(c *Config) { c.Endpoint = "http://:4000" }},
		"userinfo":    {errEndpointUserinfo, func(c *Config) { c.Endpoint = "http://u:" + secret + "@a" }},
		"query":       {errEndpointQuery, func(c *Config) { c.Endpoint = "http://a?key=" + secret }},
		"fragment":    {errEndpointQuery, func(c *Config) { c.Endpoint = "http://a#" + secret }},
		"bare query":  {errEndpointQuery, func(c *Config) { c.Endpoint = "http://a?" }},
		"compression": {errCompression, func(c *Config) { c.Compression = "gzip" }},
		"no pause":    {errInitialInterval, func(c *Config) { c.Retry.InitialInterval = 0 }},
		"infinite":    {errRate, func(c *Config) { c.RateLimit.RequestsPerSecond = math.Inf(1) }},
		"open_for":    {errOpenFor, func(c *Config) { c.CircuitBreaker.OpenFor = 0 }},
		"rate":        {errRate, func(c *Config) { c.RateLimit.RequestsPerSecond = -1 }},
		"NaN":         {errRate, func(c *Config) { c.RateLimit.RequestsPerSecond = math.NaN() }},
		"burst":       {errBurst, func(c *Config) { c.RateLimit.Burst = 0 }},
		"answer size": {errMaxResponseSize, func(c *Config) { c.MaxResponseSize = 65535 }},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := NewDefaultConfig()
			test.edit(&cfg)
			err := cfg.Validate()
			require.ErrorIs(t, err, test.want)
			assert.NotContains(t, err.Error(), secret)
		})
	}
	cfg := NewDefaultConfig()
	cfg.CircuitBreaker = CircuitBreakerConfig{}
	cfg.Retry.InitialInterval, cfg.Retry.Enabled = 0, false
	require.NoError(t, cfg.Validate(), "switched off")
	cfg.Retry.Multiplier, cfg.Retry.Enabled = -1, true
	require.Error(t, xconfmap.Validate(&cfg))
}

package litellmreceiver

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

const (
	defaultInterval        = time.Minute
	defaultTimeout         = 30 * time.Second
	defaultAPIInterval     = 5 * time.Minute
	defaultHealthInterval  = time.Hour
	defaultMaxPageSize     = 256 << 20
	defaultMaxResponseSize = 64 << 20
	defaultMaxSeries       = 20_000
	defaultMaxModels       = 500

	// minHealthInterval bounds what health checks may cost: each one calls every model.
	minHealthInterval = 15 * time.Minute
)

// Config of the LiteLLM receiver, which reads one proxy.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`
	// Config: endpoint is the base URL of the proxy, such as http://localhost:4000,
	// with the path prefix of a reverse proxy if there is one. Empty means that
	// nothing is read.
	apiclient.Config `mapstructure:",squash"`

	// Name is the service.instance.id of the proxy. Empty means host:port and path of
	// the endpoint.
	Name string `mapstructure:"name"`

	// APIKey is a virtual key of the proxy, sent as Bearer token. Empty means that
	// only what needs no key is read.
	APIKey configopaque.String `mapstructure:"api_key"`

	// API reads what the proxy tells beside its metrics page.
	API APIConfig `mapstructure:"api"`

	// HealthCheck lets the proxy call all its models. It costs money.
	HealthCheck HealthCheckConfig `mapstructure:"health_check"`

	// Histograms switches histograms by name, in the way of metrics.
	Histograms HistogramsConfig `mapstructure:"histograms"`

	// Labels keeps labels of the metrics page that tell persons, keys or teams, or
	// that have many values. Without it they are dropped and their series added up.
	Labels LabelsConfig `mapstructure:"labels"`

	// MaxModels is the largest number of models, and of deployments, told apart. What
	// is beyond counts as the model "other".
	MaxModels int `mapstructure:"max_models"`

	// MaxPageSize is the largest metrics page accepted, in bytes after decompression.
	// A larger one is rejected whole.
	MaxPageSize int64 `mapstructure:"max_page_size"`

	// MaxSeries is the largest number of series kept of the page after labels were
	// dropped, a histogram counting as one. A page with more is rejected whole.
	MaxSeries int `mapstructure:"max_series"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// APIConfig says how the API is read. No part of it calls a model.
type APIConfig struct {
	// Enabled: default true. False leaves the metrics page and the liveliness check.
	Enabled bool `mapstructure:"enabled"`

	// Interval is how often models, stored health checks and the spend of the day are
	// read.
	Interval time.Duration `mapstructure:"interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// HealthCheckConfig is for the endpoint /health, which sends a real request to
// every model: it costs money, and one reasoning model may take a minute. Without
// it the health of deployments comes from checks that the proxy makes itself
// (background_health_checks) and stores.
type HealthCheckConfig struct {
	// Enabled: default false.
	Enabled bool `mapstructure:"enabled"`

	// Interval is how often all models are called. At least 15m.
	Interval time.Duration `mapstructure:"interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// HistogramsConfig maps the name of a histogram to its switch.
type HistogramsConfig map[string]HistogramConfig

// HistogramConfig switches a histogram on or off.
type HistogramConfig struct {
	// Enabled must be given: true or false.
	Enabled *bool `mapstructure:"enabled"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ xconfmap.Validator = (*Config)(nil)
	_ xconfmap.Validator = (*APIConfig)(nil)
	_ xconfmap.Validator = (*HealthCheckConfig)(nil)
	_ xconfmap.Validator = HistogramsConfig(nil)
)

var (
	errEndpointPath   = errors.New(`"endpoint" must be the base URL of the proxy, without the path that is read, such as http://localhost:4000`)
	errInterval       = errors.New(`"collection_interval" must be at least 1s`)
	errTimeout        = errors.New(`"timeout" must be positive, such as 30s`)
	errAPIInterval    = errors.New(`"interval" must be positive, such as 5m`)
	errHealthInterval = errors.New(`"interval" must be at least 15m: each check calls every model and costs money`)
	errMaxModels      = errors.New(`"max_models" must be at least 1`)
	errMaxPageSize    = errors.New(`"max_page_size" must be at least 65536 bytes`)
	errMaxSeries      = errors.New(`"max_series" must be at least 100`)
)

// Validate checks the receiver's own fields; the collector checks the embedded ones.
func (c *Config) Validate() error {
	var errs []error
	switch {
	case c.CollectionInterval <= 0: // the collector says so
	case c.CollectionInterval < time.Second:
		errs = append(errs, errInterval)
	}
	if c.Timeout == 0 { // the collector speaks of less
		errs = append(errs, errTimeout)
	}
	if _, _, path := c.address(); slices.ContainsFunc([]string{"/metrics", "/health", "/v1", "/model/info"}, func(read string) bool { return strings.HasSuffix(path, read) }) {
		errs = append(errs, errEndpointPath)
	}
	if c.MaxModels < 1 {
		errs = append(errs, errMaxModels)
	}
	if c.MaxPageSize < 64<<10 {
		errs = append(errs, errMaxPageSize)
	}
	if c.MaxSeries < 100 {
		errs = append(errs, errMaxSeries)
	}
	return errors.Join(errs...)
}

// Validate checks the interval.
func (c *APIConfig) Validate() error {
	if c.Enabled && c.Interval <= 0 {
		return errAPIInterval
	}
	return nil
}

// Validate keeps health checks rare.
func (c *HealthCheckConfig) Validate() error {
	if c.Enabled && c.Interval < minHealthInterval {
		return errHealthInterval
	}
	return nil
}

// Validate rejects names that no histogram has.
func (h HistogramsConfig) Validate() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(h)) {
		switch {
		case !slices.Contains(histogramNames(), name):
			errs = append(errs, fmt.Errorf(`there is no histogram %q: the names are %s`, name, strings.Join(histogramNames(), ", ")))
		case h[name].Enabled == nil:
			errs = append(errs, fmt.Errorf(`%q must say "enabled: true" or "enabled: false"`, name))
		}
	}
	return errors.Join(errs...)
}

// authenticated says whether requests carry credentials.
func (c *Config) authenticated() bool {
	for name := range c.Headers {
		if strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "x-litellm-api-key") {
			return true
		}
	}
	return c.APIKey != "" || c.Auth.HasValue()
}

// instance is the service.instance.id of the proxy.
func (c *Config) instance() string {
	if c.Name != "" {
		return c.Name
	}
	host, port, path := c.address()
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port)) + path
}

// address is where the proxy is: host, port and the path prefix without its last
// slash. The host is empty if the endpoint is not a URL.
func (c *Config) address() (host string, port int, path string) {
	return addressOf(c.Endpoint)
}

// addressOf takes a URL apart.
func addressOf(endpoint string) (host string, port int, path string) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", 0, ""
	}
	port, err = strconv.Atoi(u.Port())
	if err != nil {
		port = 80
		if u.Scheme == "https" {
			port = 443
		}
	}
	return u.Hostname(), port, strings.TrimSuffix(u.Path, "/")
}

package vllmreceiver

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

const (
	defaultInterval     = time.Minute
	defaultTimeout      = 10 * time.Second
	defaultStuckAfter   = 2 * time.Minute
	defaultInfoInterval = 5 * time.Minute
	defaultMaxPageSize  = 16 << 20
	defaultMaxSeries    = 20_000
)

// Config of the vLLM receiver.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`

	// Endpoints are the vLLM servers to read. Each is read on its own schedule,
	// so that a slow one delays nobody.
	Endpoints EndpointsConfig `mapstructure:"endpoints"`

	// Docker finds servers among the containers of a Docker engine, beside the
	// endpoints. Absent means that none are looked for.
	Docker *DockerConfig `mapstructure:"docker"`

	// Histograms switches histograms by name, in the way of metrics.
	Histograms HistogramsConfig `mapstructure:"histograms"`

	// StuckAfter is how long requests may wait without a single token being
	// processed before the server counts as stuck. 0 never counts it as such.
	StuckAfter time.Duration `mapstructure:"stuck_after"`

	// InfoInterval is how often version and models are read. They are also read
	// after each restart of the server.
	InfoInterval time.Duration `mapstructure:"info_interval"`

	// MaxPageSize is the largest metrics page accepted, in bytes after
	// decompression. A larger one is rejected whole.
	MaxPageSize int64 `mapstructure:"max_page_size"`

	// MaxSeries is the largest number of series accepted from one server, a
	// histogram counting as one.
	MaxSeries int `mapstructure:"max_series"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// EndpointsConfig is the list of servers. A plain string in the configuration
// stands for a list of URLs with commas between them.
type EndpointsConfig []EndpointConfig

// EndpointConfig is one vLLM server. A plain string in the configuration stands
// for its endpoint.
type EndpointConfig struct {
	// ClientConfig: endpoint is the base URL of the server, such as
	// http://localhost:8000, with the path prefix of a reverse proxy if there is
	// one. Headers, TLS, auth and the rest are as in every HTTP client of the
	// collector.
	confighttp.ClientConfig `mapstructure:",squash"`

	// Name is the service.instance.id of the server. Empty means host:port and
	// path of the endpoint.
	Name string `mapstructure:"name"`

	// Paths of what is read, relative to the endpoint. An empty path is not read.
	Paths PathsConfig `mapstructure:"paths"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// PathsConfig says where a server answers what.
type PathsConfig struct {
	// Metrics is the Prometheus page. Default /metrics.
	Metrics string `mapstructure:"metrics"`
	// Health answers 200 while the engine lives. Default /health.
	Health string `mapstructure:"health"`
	// Version answers the version of the server. Default /version.
	Version string `mapstructure:"version"`
	// Models lists what is served. Default /v1/models.
	Models string `mapstructure:"models"`
	// ServerInfo tells data type and quantization where the server runs in its
	// developer mode; asked once after each start. Default /server_info.
	ServerInfo string `mapstructure:"server_info"`

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
	_ xconfmap.Validator  = (*Config)(nil)
	_ xconfmap.Validator  = (*EndpointConfig)(nil)
	_ xconfmap.Validator  = (*PathsConfig)(nil)
	_ xconfmap.Validator  = HistogramsConfig(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Unmarshaler = (*EndpointConfig)(nil)

	_ encoding.TextUnmarshaler = (*EndpointsConfig)(nil)
	_ encoding.TextUnmarshaler = (*EndpointConfig)(nil)
)

var (
	errEndpointEmpty    = errors.New(`"endpoint" must be the base URL of a vLLM server, such as http://localhost:8000`)
	errEndpointURL      = errors.New(`"endpoint" must be an http or https URL such as http://localhost:8000`)
	errEndpointQuery    = errors.New(`"endpoint" must have no query and no fragment`)
	errEndpointPath     = errors.New(`"endpoint" must be the base URL of the server, without the path that is read: set "paths" if that differs`)
	errEndpointUserinfo = errors.New(`"endpoint" must not hold a user or password: set "headers" or "auth" instead`)
	errEndpointTimeout  = errors.New(`"timeout" of an endpoint must be at least 100ms, with a unit such as 10s, or 0 for the receiver's`)
	errEndpointsYAML    = errors.New(`"endpoints" is not valid YAML: check its brackets, braces and quotes`)
	errInterval         = errors.New(`"collection_interval" must be at least 1s`)
	errTimeout          = errors.New(`"timeout" must be positive, such as 10s`)
	errStuckAfter       = errors.New(`"stuck_after" must not be negative; 0 switches the check off`)
	errInfoInterval     = errors.New(`"info_interval" must be positive, such as 5m`)
	errMaxPageSize      = errors.New(`"max_page_size" must be at least 65536 bytes`)
	errMaxSeries        = errors.New(`"max_series" must be at least 100`)
	errMetricsPath      = errors.New(`"metrics" must not be empty: the default is /metrics`)
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
	if c.StuckAfter < 0 {
		errs = append(errs, errStuckAfter)
	}
	if c.InfoInterval <= 0 {
		errs = append(errs, errInfoInterval)
	}
	if c.MaxPageSize < 64<<10 {
		errs = append(errs, errMaxPageSize)
	}
	if c.MaxSeries < 100 {
		errs = append(errs, errMaxSeries)
	}
	seen := make(map[string]int, len(c.Endpoints))
	for i := range c.Endpoints {
		name := c.Endpoints[i].instance()
		if j, ok := seen[name]; ok && name != "" {
			errs = append(errs, fmt.Errorf(`"endpoints" %d and %d are both called %q: give one of them another "name"`, j, i, name))
		}
		seen[name] = i
	}
	return errors.Join(errs...)
}

// Validate checks that the endpoint is a base URL without secrets.
func (e *EndpointConfig) Validate() error {
	if e.Endpoint == "" {
		return errEndpointEmpty
	}
	if e.Timeout != 0 && e.Timeout < 100*time.Millisecond {
		return errEndpointTimeout
	}
	// No message repeats the endpoint: it may hold a password.
	u, err := url.Parse(e.Endpoint)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errEndpointURL
	case u.User != nil:
		return errEndpointUserinfo
	case strings.ContainsAny(e.Endpoint, "?#"):
		return errEndpointQuery
	case e.Paths.Metrics != "" && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(e.Paths.Metrics, "/")):
		return errEndpointPath
	}
	return nil
}

// Validate checks that every path starts at the endpoint.
func (p *PathsConfig) Validate() error {
	if p.Metrics == "" {
		return errMetricsPath
	}
	for _, path := range []struct{ key, value string }{
		{"metrics", p.Metrics},
		{"health", p.Health},
		{"version", p.Version},
		{"models", p.Models},
		{"server_info", p.ServerInfo},
	} {
		if path.value != "" && (path.value[0] != '/' || strings.ContainsAny(path.value, "?#")) {
			return fmt.Errorf(`%q must be a path that starts with a slash and has no query, or empty to skip it`, path.key)
		}
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

// Unmarshal fills in the defaults of the Docker block, which may be empty.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	discovering := newDefaultDocker()
	if conf.IsSet("docker") {
		c.Docker = &discovering
	}
	if err := conf.Unmarshal(c); err != nil {
		return err
	}
	if conf.IsSet("docker") && c.Docker == nil {
		c.Docker = &discovering
	}
	return nil
}

// Unmarshal fills in the defaults of an endpoint before reading it.
func (e *EndpointConfig) Unmarshal(conf *confmap.Conf) error {
	*e = newDefaultEndpoint()
	if err := conf.Unmarshal(e); err != nil {
		// The decoder spreads over several lines what is one fault.
		return fmt.Errorf(`an entry of "endpoints" cannot be read: %s; its keys are endpoint, name, paths and those of every HTTP client (timeout, headers, tls, auth, ...)`,
			strings.Join(strings.Fields(err.Error()), " "))
	}
	return nil
}

// Unmarshal lets a single server stand for a list of one.
func (e *EndpointsConfig) Unmarshal(conf *confmap.Conf) error {
	var one EndpointConfig
	if err := one.Unmarshal(conf); err != nil {
		return err
	}
	*e = EndpointsConfig{one}
	return nil
}

// UnmarshalText reads a list of URLs, such as an environment variable holds.
func (e *EndpointsConfig) UnmarshalText(text []byte) error {
	*e = EndpointsConfig{}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") || strings.ContainsAny(string(text), "{}\"'") { // meant as YAML, but none
		return errEndpointsYAML
	}
	for item := range strings.SplitSeq(string(text), ",") {
		if item = strings.TrimSpace(item); item != "" {
			endpoint := newDefaultEndpoint()
			endpoint.Endpoint = item
			*e = append(*e, endpoint)
		}
	}
	return nil
}

// UnmarshalText lets a plain URL stand for an endpoint.
func (e *EndpointConfig) UnmarshalText(text []byte) error {
	*e = newDefaultEndpoint()
	e.Endpoint = strings.TrimSpace(string(text))
	return nil
}

func newDefaultEndpoint() EndpointConfig {
	return EndpointConfig{
		ClientConfig: confighttp.NewDefaultClientConfig(),
		Paths: PathsConfig{
			Metrics:    "/metrics",
			Health:     "/health",
			Version:    "/version",
			Models:     "/v1/models",
			ServerInfo: "/server_info",
		},
	}
}

// instance is the service.instance.id of the server.
func (e *EndpointConfig) instance() string {
	if e.Name != "" {
		return e.Name
	}
	host, port, path := e.address()
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port)) + path
}

// address is where the server is: host, port and the path prefix without its
// last slash. The host is empty if the endpoint is not a URL.
func (e *EndpointConfig) address() (host string, port int, path string) {
	u, err := url.Parse(e.Endpoint)
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

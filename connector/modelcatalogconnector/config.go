package modelcatalogconnector

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

const (
	defaultInterval    = time.Minute
	defaultExpireAfter = 15 * time.Minute
	defaultMaxModels   = 1000
	defaultMaxSeries   = 20_000
)

// Config of the model catalog.
type Config struct {
	metadata.MetricsBuilderConfig `mapstructure:",squash"`

	// Interval is how often the catalog is emitted. It is also emitted shortly after
	// something has changed.
	Interval time.Duration `mapstructure:"interval"`

	// ExpireAfter is how long a source may be silent before what it said is
	// forgotten. It must outlast two reads of the slowest source.
	ExpireAfter time.Duration `mapstructure:"expire_after"`

	// File is a YAML file that adds what no source tells, and corrects what one
	// tells. It is read again when it changes. Empty means that there is none.
	File string `mapstructure:"file"`

	// Endpoints are the base URLs at which users call models.
	Endpoints EndpointsConfig `mapstructure:"endpoints"`

	// MaxModels is how many models the catalog holds. Those that come later are
	// left out.
	MaxModels int `mapstructure:"max_models"`

	// MaxSeries is how many token counters of sources are followed.
	MaxSeries int `mapstructure:"max_series"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// EndpointsConfig says where users call models, if that is elsewhere than where
// the collector reads the sources.
type EndpointsConfig struct {
	// LiteLLM is the base URL of the proxy. Empty means the address that its
	// receiver uses.
	LiteLLM string `mapstructure:"litellm"`

	// VLLM is the base URL of all vLLM servers, such as a gateway in front of them.
	// Empty means the address of each.
	VLLM string `mapstructure:"vllm"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ xconfmap.Validator = (*Config)(nil)
	_ xconfmap.Validator = (*EndpointsConfig)(nil)
)

var (
	errInterval    = errors.New(`"interval" must be at least 1s, with a unit such as 60s`)
	errExpireAfter = errors.New(`"expire_after" must be at least "interval", and should outlast two reads of the slowest source`)
	errMaxModels   = errors.New(`"max_models" must be at least 1`)
	errMaxSeries   = errors.New(`"max_series" must be at least 1`)
	errEndpoint    = errors.New(`must be the http or https URL at which users call models, such as https://llm.example.org, without user and password`)
)

// Validate checks the connector's own fields.
func (c *Config) Validate() error {
	var errs []error
	if c.Interval < time.Second {
		errs = append(errs, errInterval)
	}
	if c.ExpireAfter < c.Interval {
		errs = append(errs, errExpireAfter)
	}
	if c.MaxModels < 1 {
		errs = append(errs, errMaxModels)
	}
	if c.MaxSeries < 1 {
		errs = append(errs, errMaxSeries)
	}
	return errors.Join(errs...)
}

// Validate checks that the endpoints are URLs.
func (e *EndpointsConfig) Validate() error {
	var errs []error
	for _, of := range []struct{ key, value string }{{"litellm", e.LiteLLM}, {"vllm", e.VLLM}} {
		if of.value != "" && !isURL(of.value) {
			errs = append(errs, fmt.Errorf("%q %w", of.key, errEndpoint))
		}
	}
	return errors.Join(errs...)
}

// isURL says whether the text is the address of a web site or API that may be
// shown to users.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

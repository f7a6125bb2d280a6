package dockerstatsreceiver

import (
	"errors"
	"time"

	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// Config is that of contrib's receiver.
type Config struct {
	contrib.Config `mapstructure:",squash"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ xconfmap.Validator = (*Config)(nil)

var errInterval = errors.New(`"collection_interval" must be at least 1s; a number without a unit is nanoseconds`)

// Validate checks what contrib leaves to the start of the collector.
func (c *Config) Validate() error {
	var errs []error
	if c.CollectionInterval < time.Second {
		errs = append(errs, errInterval)
	}
	engine, err := newEngine(&c.Config)
	if err != nil {
		errs = append(errs, err)
	} else {
		engine.close()
	}
	return errors.Join(errs...)
}

func createDefaultConfig() component.Config {
	return &Config{Config: *contrib.NewFactory().CreateDefaultConfig().(*contrib.Config)}
}

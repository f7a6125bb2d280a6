package nvmlreceiver

import (
	"errors"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

const (
	defaultInterval = 30 * time.Second
	defaultTimeout  = 10 * time.Second
)

// Config of the NVML receiver.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`
	metadata.LogsBuilderConfig     `mapstructure:",squash"`

	// Required makes the collector refuse to start where the driver does not
	// answer. By default the receiver waits for the driver.
	Required bool `mapstructure:"required"`

	// Library is the path of libnvidia-ml.so.1. Empty means where the loader
	// finds it. A process can only ever load one.
	Library string `mapstructure:"library"`

	// ReleaseFile is the path of a file that an operator creates before
	// maintenance. While it exists the receiver lets go of /dev/nvidia* and reads
	// nothing, so that GPUs can be reset and the driver be reloaded. Empty means
	// that there is no such file.
	ReleaseFile string `mapstructure:"release_file"`

	// Attribution says which container and model uses a GPU.
	Attribution AttributionConfig `mapstructure:"attribution"`

	// Docker is the engine that knows the containers. It need not exist.
	Docker docker.Config `mapstructure:"docker"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// AttributionConfig says how the use of a GPU is put down to containers.
type AttributionConfig struct {
	// Enabled looks up the container of each process on a GPU. Without it there
	// are no metrics by container and model, and no container on those by process.
	Enabled bool `mapstructure:"enabled"`
	// ContainerID adds container.id. It changes whenever a container is made anew,
	// and with it each series.
	ContainerID bool `mapstructure:"container_id"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ xconfmap.Validator = (*Config)(nil)

var (
	errInterval    = errors.New(`"collection_interval" must be at least 1s`)
	errTimeout     = errors.New(`"timeout" must be positive, such as 10s`)
	errLibrary     = errors.New(`"library" must be an absolute path, or empty to let the loader find it`)
	errReleaseFile = errors.New(`"release_file" must be an absolute path, or empty`)
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
	if c.Library != "" && !filepath.IsAbs(c.Library) {
		errs = append(errs, errLibrary)
	}
	if c.ReleaseFile != "" && !filepath.IsAbs(c.ReleaseFile) {
		errs = append(errs, errReleaseFile)
	}
	return errors.Join(errs...)
}

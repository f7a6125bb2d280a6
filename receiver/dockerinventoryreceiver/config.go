package dockerinventoryreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

const (
	defaultInterval     = 30 * time.Second
	defaultInitialDelay = time.Second
	defaultLoopCount    = 5
	defaultLoopWindow   = 10 * time.Minute
	// maxLoopCount bounds the starts that are remembered of each container.
	maxLoopCount = 1000
)

// Config of the Docker inventory receiver.
type Config struct {
	// Config says which engine to watch. Receivers and processors with equal
	// settings here share one watcher, metrics and logs of this receiver too.
	docker.Config `mapstructure:",squash"`

	metadata.MetricsBuilderConfig `mapstructure:",squash"`
	metadata.LogsBuilderConfig    `mapstructure:",squash"`

	// CollectionInterval is how often metrics are recorded. Logs do not wait for
	// it. No request is made for them: the watcher knows all.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`

	// InitialDelay is the wait before metrics are recorded for the first time.
	InitialDelay time.Duration `mapstructure:"initial_delay"`

	// Include chooses the containers. Empty means all.
	Include docker.Selection `mapstructure:"include"`

	// Exclude leaves out containers that Include would choose.
	Exclude docker.Selection `mapstructure:"exclude"`

	// Labels are the labels of containers to keep, as resource attributes
	// container.label.<key>.
	Labels []string `mapstructure:"labels"`

	// RestartLoop says when a container counts as one that starts again and again.
	RestartLoop RestartLoopConfig `mapstructure:"restart_loop"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RestartLoopConfig is a number of starts in a time.
type RestartLoopConfig struct {
	// Count is how many starts make a loop. 0 means that none does.
	Count int `mapstructure:"count"`
	// Window is the time within which they must be.
	Window time.Duration `mapstructure:"window"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ xconfmap.Validator = (*Config)(nil)
	_ xconfmap.Validator = (*docker.Selection)(nil)
	_ xconfmap.Validator = (*RestartLoopConfig)(nil)
)

var (
	errInterval     = errors.New(`"collection_interval" must be at least 1s`)
	errInitialDelay = errors.New(`"initial_delay" must not be negative`)
	errLabelEmpty   = errors.New(`"labels" must be keys of labels, such as com.example.team`)
	errLoopCount    = fmt.Errorf(`"count" must be from 2 to %d, or 0 to look for no loops`, maxLoopCount)
	errLoopWindow   = errors.New(`"window" must be positive, such as 10m`)
)

// Validate checks the receiver's own fields; the collector checks the embedded ones.
func (c *Config) Validate() error {
	var errs []error
	if c.CollectionInterval < time.Second {
		errs = append(errs, errInterval)
	}
	if c.InitialDelay < 0 {
		errs = append(errs, errInitialDelay)
	}
	seen := make(map[string]bool, len(c.Labels))
	for _, key := range c.Labels {
		switch {
		case key == "":
			errs = append(errs, errLabelEmpty)
		case seen[key]:
			errs = append(errs, fmt.Errorf(`"labels" has %q twice: remove one`, key))
		}
		seen[key] = true
	}
	return errors.Join(errs...)
}

// Validate checks that the loop can be found.
func (c *RestartLoopConfig) Validate() error {
	var errs []error
	if c.Count != 0 && (c.Count < 2 || c.Count > maxLoopCount) {
		errs = append(errs, errLoopCount)
	}
	if c.Window <= 0 {
		errs = append(errs, errLoopWindow)
	}
	return errors.Join(errs...)
}

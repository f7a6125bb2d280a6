package docker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/docker/docker/client"
)

// Config says which engine to watch and how much to keep. Components with equal
// configurations share one watcher.
type Config struct {
	// Endpoint is the address of the engine or of a filtering proxy, such as
	// "unix:///var/run/docker.sock" or "tcp://127.0.0.1:2375". Empty means
	// DOCKER_HOST with DOCKER_CERT_PATH, else the local socket.
	Endpoint string `mapstructure:"endpoint"`
	// Timeout bounds each request but the event stream.
	Timeout time.Duration `mapstructure:"timeout"`
	// ResyncInterval is how often the containers are listed although events tell what changes.
	ResyncInterval time.Duration `mapstructure:"resync_interval"`
	// MaxContainers bounds how many containers are known, removed ones included.
	// Beyond it those that do not run are forgotten first.
	MaxContainers int `mapstructure:"max_containers"`
	// KeepGone is how long a removed container stays known, so that its last
	// telemetry can be joined. Zero means not at all.
	KeepGone time.Duration `mapstructure:"keep_gone"`
	// ProcRoot is where the host's proc is mounted. Empty means HOST_PROC, else /proc.
	ProcRoot string `mapstructure:"proc_root"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// NewDefaultConfig returns the configuration for the engine of this host.
func NewDefaultConfig() Config {
	return Config{
		Timeout:        5 * time.Second,
		ResyncInterval: 5 * time.Minute,
		MaxContainers:  10_000,
		KeepGone:       5 * time.Minute,
	}
}

// The least values that make sense.
const (
	minTimeout = 100 * time.Millisecond
	minResync  = time.Second
)

// What Validate finds.
var (
	ErrEndpoint       = errors.New(`"endpoint" must be the address of a Docker engine, such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375`)
	ErrEnvironment    = errors.New(`"endpoint" is empty and DOCKER_HOST or DOCKER_CERT_PATH cannot be used`)
	ErrTimeout        = errors.New(`"timeout" must be at least 100ms`)
	ErrResyncInterval = errors.New(`"resync_interval" must be at least 1s`)
	ErrMaxContainers  = errors.New(`"max_containers" must be positive`)
	ErrKeepGone       = errors.New(`"keep_gone" must not be negative`)
	ErrProcRoot       = errors.New(`"proc_root" must be an absolute path`)
)

// Validate reports all that cannot work. It asks no engine.
func (c *Config) Validate() error {
	var errs []error
	if engine, err := c.client(); err != nil {
		errs = append(errs, err)
	} else {
		_ = engine.Close()
	}
	if c.Timeout < minTimeout {
		errs = append(errs, ErrTimeout)
	}
	if c.ResyncInterval < minResync {
		errs = append(errs, ErrResyncInterval)
	}
	if c.MaxContainers <= 0 {
		errs = append(errs, ErrMaxContainers)
	}
	if c.KeepGone < 0 {
		errs = append(errs, ErrKeepGone)
	}
	if c.ProcRoot != "" && !filepath.IsAbs(c.ProcRoot) {
		errs = append(errs, ErrProcRoot)
	}
	return errors.Join(errs...)
}

// client makes a client that agrees with the engine on a version at its first request.
func (c *Config) client() (*client.Client, error) {
	if c.Endpoint == "" {
		engine, err := client.NewClientWithOpts(client.WithTLSClientConfigFromEnv(), client.WithHostFromEnv(), client.WithAPIVersionNegotiation())
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEnvironment, err)
		}
		return engine, nil
	}
	engine, err := client.NewClientWithOpts(client.WithHost(c.Endpoint), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEndpoint, err)
	}
	return engine, nil
}

// ProcDir is the directory to read processes from.
func (c *Config) ProcDir() string {
	switch {
	case c.ProcRoot != "":
		return filepath.Clean(c.ProcRoot)
	case filepath.IsAbs(os.Getenv("HOST_PROC")):
		return filepath.Clean(os.Getenv("HOST_PROC"))
	default:
		return "/proc"
	}
}

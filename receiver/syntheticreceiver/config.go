package syntheticreceiver

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

const (
	defaultSeed     = 1
	defaultInterval = 30 * time.Second
	defaultWarmUp   = 10 * time.Minute
	maxWarmUp       = 24 * time.Hour
	maxGPUs         = 1000
	maxServers      = 5000
)

// Config of the synthetic receiver.
type Config struct {
	// Seed decides all that is left to chance: the same seed at the same time plays
	// the same.
	Seed uint64 `mapstructure:"seed"`

	// WarmUp is how long the site has been at work when it is first read: with 0 all
	// counters are 0 at the beginning.
	WarmUp time.Duration `mapstructure:"warm_up"`

	// Scenario is how the site is at the beginning: normal, high_load, degraded or
	// maintenance. The control API changes it.
	Scenario string `mapstructure:"scenario"`

	// Anomalies go on from the beginning. The control API adds and ends them.
	Anomalies []AnomalyConfig `mapstructure:"anomalies"`

	// Scale makes the site larger than the reference one.
	Scale ScaleConfig `mapstructure:"scale"`

	// CollectionInterval is how often the host is recorded. The receivers inside
	// have their own.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`

	// Listen says where the simulated sources answer, for whoever else wants to read
	// them. What is empty answers at a place of its own choice on this machine.
	Listen ListenConfig `mapstructure:"listen"`

	// Control is the API that switches scenario and anomalies. Absent means none.
	Control *ControlConfig `mapstructure:"control"`

	// Receivers are settings of the receivers inside, by their type, as they stand
	// under receivers in any configuration. enabled: false leaves one out. Where the
	// sources are is set already.
	Receivers map[string]map[string]any `mapstructure:"receivers"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// AnomalyConfig is something that goes wrong.
type AnomalyConfig struct {
	// Kind is such as hot_gpu or model_down: the README lists them.
	Kind string `mapstructure:"kind"`
	// Target is the index of a GPU or the container of a model. Empty means the first.
	Target string `mapstructure:"target"`
	// Duration is how long it goes on; 0 means until it is ended.
	Duration time.Duration `mapstructure:"duration"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ScaleConfig makes a site of any size. 0 means that of the reference site.
type ScaleConfig struct {
	// GPUs of the server.
	GPUs int `mapstructure:"gpus"`
	// Servers is how many vLLM servers there are: the models of the reference site
	// over and over.
	Servers int `mapstructure:"servers"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ListenConfig says where the sources answer.
type ListenConfig struct {
	// Docker is the address of the engine, such as unix:///run/synthetic/docker.sock.
	Docker string `mapstructure:"docker"`
	// VLLM is host and port of the first server; the others follow on the next ports.
	VLLM string `mapstructure:"vllm"`
	// LiteLLM and Langfuse are host and port.
	LiteLLM  string `mapstructure:"litellm"`
	Langfuse string `mapstructure:"langfuse"`
	// Files is the folder for what the site keeps in files: logs of its containers
	// (containers/<id>/<id>-json.log) and its processes (proc/<pid>). Empty means one
	// that is removed at the end.
	Files string `mapstructure:"files"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ControlConfig is the API that switches scenario and anomalies, and its page.
type ControlConfig struct {
	// ServerConfig: endpoint is host and port, such as 127.0.0.1:23011.
	confighttp.ServerConfig `mapstructure:",squash"`

	// Token must come as a Bearer token with each request. It may be empty on a
	// loopback address only.
	Token configopaque.String `mapstructure:"token"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ xconfmap.Validator = (*Config)(nil)
	_ xconfmap.Validator = (*AnomalyConfig)(nil)
	_ xconfmap.Validator = (*ScaleConfig)(nil)
	_ xconfmap.Validator = (*ListenConfig)(nil)
	_ xconfmap.Validator = (*ControlConfig)(nil)
)

var (
	errInterval       = errors.New(`"collection_interval" must be at least 1s`)
	errWarmUp         = errors.New(`"warm_up" must be from 0s to 24h`)
	errAnomalyTime    = errors.New(`"duration" must not be negative; 0 means until it is ended`)
	errGPUs           = fmt.Errorf(`"gpus" must be from 0 (those of the reference site) to %d`, maxGPUs)
	errServers        = fmt.Errorf(`"servers" must be from 0 (those of the reference site) to %d`, maxServers)
	errDocker         = errors.New(`"docker" must be the address of a socket, such as unix:///run/synthetic/docker.sock or tcp://127.0.0.1:2375`)
	errFiles          = errors.New(`"files" must be an absolute path`)
	errControlAddress = errors.New(`"endpoint" of "control" must be host and port, such as 127.0.0.1:23011`)
	errControlToken   = errors.New(`"control" needs a "token" unless its "endpoint" is on a loopback address`)
)

// Validate checks scenario, interval and the names of the receivers inside.
func (c *Config) Validate() error {
	var errs []error
	if _, err := site.ParseScenario(c.Scenario); err != nil {
		errs = append(errs, fmt.Errorf(`"scenario": %w`, err))
	}
	if c.CollectionInterval < time.Second {
		errs = append(errs, errInterval)
	}
	if c.WarmUp < 0 || c.WarmUp > maxWarmUp {
		errs = append(errs, errWarmUp)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Receivers)) {
		if !slices.ContainsFunc(innerReceivers, func(i innerReceiver) bool { return i.name() == name }) {
			var known []string
			for _, i := range innerReceivers {
				known = append(known, i.name())
			}
			errs = append(errs, fmt.Errorf(`"receivers": there is no %q inside: there are %s`, name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// Validate checks that there is such an anomaly. Whether its target is there is
// known when the site is.
func (a *AnomalyConfig) Validate() error {
	kinds, _ := site.AnomalyKinds()
	switch {
	case !slices.Contains(kinds, site.AnomalyKind(a.Kind)):
		return fmt.Errorf(`there is no anomaly of "kind" %q: the kinds are %s`, a.Kind, strings.Trim(fmt.Sprint(kinds), "[]"))
	case a.Duration < 0:
		return errAnomalyTime
	}
	return nil
}

// Validate checks the size.
func (s *ScaleConfig) Validate() error {
	switch {
	case s.GPUs < 0 || s.GPUs > maxGPUs:
		return errGPUs
	case s.Servers < 0 || s.Servers > maxServers:
		return errServers
	}
	return nil
}

// Validate checks that the places can be.
func (l *ListenConfig) Validate() error {
	var errs []error
	if scheme, address, ok := strings.Cut(l.Docker, "://"); l.Docker != "" && (!ok || address == "" || scheme != "unix" && scheme != "tcp") {
		errs = append(errs, errDocker)
	}
	for _, at := range []struct{ key, value string }{{"vllm", l.VLLM}, {"litellm", l.LiteLLM}, {"langfuse", l.Langfuse}} {
		if _, _, err := net.SplitHostPort(at.value); at.value != "" && err != nil {
			errs = append(errs, fmt.Errorf(`%q must be host and port, such as 127.0.0.1:24000`, at.key))
		}
	}
	if l.Files != "" && !filepath.IsAbs(l.Files) {
		errs = append(errs, errFiles)
	}
	return errors.Join(errs...)
}

// Validate checks that nobody else can switch what is not guarded.
func (c *ControlConfig) Validate() error {
	host, _, err := net.SplitHostPort(c.Endpoint)
	if err != nil {
		return errControlAddress
	}
	if c.Token == "" && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return errControlToken
	}
	return nil
}

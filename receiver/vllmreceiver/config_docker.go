package vllmreceiver

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

const (
	defaultMaxServers = 200

	addressAuto      = "auto"
	addressPublished = "published"
	addressNetwork   = "network"
)

// DockerConfig says how vLLM servers are found among the containers of a Docker
// engine.
type DockerConfig struct {
	// Config says which engine to watch. Receivers and processors with equal
	// settings here share one watcher. KeepGone is also how long a server whose
	// container ended is reported as unreachable before its series end.
	docker.Config `mapstructure:",squash"`

	// Include chooses containers beside those that are seen to run vLLM.
	Include docker.Selection `mapstructure:"include"`

	// Exclude leaves containers out, whatever chose them.
	Exclude docker.Selection `mapstructure:"exclude"`

	// Address is how a container is reached: published, network, or auto, which
	// takes the first that there is. Default auto.
	Address string `mapstructure:"address"`

	// Host is where published ports and servers in the network of the host are
	// reached. Empty means the host of a tcp:// engine, else 127.0.0.1.
	Host string `mapstructure:"host"`

	// Network is the Docker network whose address of a container is taken. Empty
	// means the first, by name, that has one.
	Network string `mapstructure:"network"`

	// MaxServers bounds how many servers are read. Those that run come first.
	MaxServers int `mapstructure:"max_servers"`

	// Template holds the settings for the servers found.
	Template TemplateConfig `mapstructure:"template"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// TemplateConfig is an endpoint without an address.
type TemplateConfig struct {
	// ClientConfig: all but endpoint, which is that of each container.
	confighttp.ClientConfig `mapstructure:",squash"`

	// Paths of what is read. An empty path is not read.
	Paths PathsConfig `mapstructure:"paths"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ xconfmap.Validator = (*DockerConfig)(nil)
	_ xconfmap.Validator = (*docker.Selection)(nil)
	_ xconfmap.Validator = (*TemplateConfig)(nil)
)

var (
	errAddress          = errors.New(`"address" must be auto, published or network`)
	errHost             = errors.New(`"host" must be a name or an IP address, without scheme and port, such as gpu-1.example.com`)
	errNetwork          = errors.New(`"network" must be empty with "address: published", which uses no network of Docker`)
	errMaxServers       = errors.New(`"max_servers" must be positive`)
	errTemplateEndpoint = errors.New(`"endpoint" must not be set in a template: it is the address of each container`)
	errTemplateTimeout  = errors.New(`"timeout" of a template must be at least 100ms, with a unit such as 10s, or 0 for the receiver's`)
)

// Validate checks how containers are chosen and reached; the parts check themselves.
func (d *DockerConfig) Validate() error {
	var errs []error
	switch d.Address {
	case addressAuto, addressNetwork:
	case addressPublished:
		if d.Network != "" {
			errs = append(errs, errNetwork)
		}
	default:
		errs = append(errs, errAddress)
	}
	if !isHost(d.Host) {
		errs = append(errs, errHost)
	}
	if d.MaxServers <= 0 {
		errs = append(errs, errMaxServers)
	}
	return errors.Join(errs...)
}

// isHost accepts nothing, a name or an IP address.
func isHost(host string) bool {
	if strings.Contains(host, ":") {
		_, err := netip.ParseAddr(host)
		return err == nil
	}
	u, err := url.Parse("http://" + host)
	return err == nil && u.Host == host && u.User == nil
}

// Validate checks what a template can hold.
func (t *TemplateConfig) Validate() error {
	var errs []error
	if t.Endpoint != "" {
		errs = append(errs, errTemplateEndpoint)
	}
	if t.Timeout != 0 && t.Timeout < 100*time.Millisecond {
		errs = append(errs, errTemplateTimeout)
	}
	return errors.Join(errs...)
}

func newDefaultDocker() DockerConfig {
	endpoint := newDefaultEndpoint()
	return DockerConfig{
		Config:     docker.NewDefaultConfig(),
		Address:    addressAuto,
		MaxServers: defaultMaxServers,
		Template:   TemplateConfig{ClientConfig: endpoint.ClientConfig, Paths: endpoint.Paths},
	}
}

// endpoint is the template filled in.
func (t *TemplateConfig) endpoint(name, url string) EndpointConfig {
	e := EndpointConfig{ClientConfig: t.ClientConfig, Name: name, Paths: t.Paths}
	e.Endpoint = url
	return e
}

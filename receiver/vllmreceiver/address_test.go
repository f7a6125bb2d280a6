package vllmreceiver

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

// Containers that are reached in different ways.
var (
	published = docker.Container{
		ID: "0123456789abcdef", Name: "chat", State: docker.StateRunning,
		Ports: []docker.Port{
			{Container: 8000, Protocol: "tcp"},
			{Container: 8000, Protocol: "udp", Host: 1},
			{Container: 8000, Protocol: "tcp", HostIP: "0.0.0.0", Host: 18000},
			{Container: 9000, Protocol: "tcp", HostIP: "127.0.0.1", Host: 19000},
			{Container: 9001, Protocol: "tcp", HostIP: "10.1.1.1", Host: 19001},
		},
		Networks: []docker.Network{{Name: "a"}, {Name: "b", IP: "172.20.0.5", Aliases: []string{"llm"}}, {Name: "c", IP: "172.21.0.5"}},
	}
	unpublished = docker.Container{Name: "plain", Networks: []docker.Network{{Name: "b", IP: "172.20.0.6"}, {Name: "six", IP: "fd00::6"}}}
	hosted      = docker.Container{Name: "hosted", NetworkMode: "host"}
	joined      = docker.Container{Name: "joined", NetworkMode: "container:0123456789abcdef"}
	orphan      = docker.Container{Name: "orphan", NetworkMode: "container:gone"}
	isolated    = docker.Container{Name: "isolated", NetworkMode: "none"}
)

func newTestRouter(cfg DockerConfig, inContainer bool, endpoints ...string) *router {
	var fixed EndpointsConfig
	for _, url := range endpoints {
		fixed = append(fixed, endpointOf("", url))
	}
	r := newRouter(&cfg, fixed, inContainer)
	r.local["this-host"] = true
	r.container = func(id string) (*docker.Container, bool) { return &published, id == published.ID }
	return r
}

func TestRoute(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	tests := []struct {
		name        string
		c           *docker.Container
		spec        llmserver.Spec
		change      func(*DockerConfig)
		inContainer bool
		want        string
	}{
		{name: "published", c: &published, want: "127.0.0.1:18000"},
		{name: "published on the loopback", c: &published, spec: llmserver.Spec{Port: 9000}, want: "127.0.0.1:19000"},
		{name: "published on one address", c: &published, spec: llmserver.Spec{Port: 9001}, want: "10.1.1.1:19001"},
		{name: "another port is published", c: &published, spec: llmserver.Spec{Port: 7000}, want: "172.20.0.5:7000"},
		{name: "not published", c: &unpublished, want: "172.20.0.6:8000"},
		{name: "host", c: &hosted, want: "127.0.0.1:8000"},
		{name: "host, bound to all", c: &hosted, spec: llmserver.Spec{Host: "0.0.0.0", Port: 8001}, want: "127.0.0.1:8001"},
		{name: "host, bound to one", c: &hosted, spec: llmserver.Spec{Host: "10.1.1.1", Port: 8001}, want: "10.1.1.1:8001"},
		{name: "host, bound to a name", c: &hosted, spec: llmserver.Spec{Host: "localhost", Port: 8001}, want: "127.0.0.1:8001"},
		{name: "in the network of another", c: &joined, want: "127.0.0.1:18000"},
		{name: "in the network of nobody", c: &orphan},
		{name: "no network", c: &isolated},
		{name: "within a container", c: &published, inContainer: true, want: "172.20.0.5:8000"},
		{name: "within a container, published only", c: &docker.Container{Ports: published.Ports}, inContainer: true, want: "127.0.0.1:18000"},
		{name: "published wanted", c: &published, change: func(cfg *DockerConfig) { cfg.Address = addressPublished }, inContainer: true, want: "127.0.0.1:18000"},
		{name: "published wanted, not there", c: &unpublished, change: func(cfg *DockerConfig) { cfg.Address = addressPublished }},
		{name: "network wanted", c: &published, change: func(cfg *DockerConfig) { cfg.Address = addressNetwork }, want: "172.20.0.5:8000"},
		{name: "network wanted, not there", c: &isolated, change: func(cfg *DockerConfig) { cfg.Address = addressNetwork }},
		{name: "network by name", c: &published, change: func(cfg *DockerConfig) { cfg.Address, cfg.Network = addressNetwork, "c" }, want: "172.21.0.5:8000"},
		{name: "not in the network", c: &unpublished, change: func(cfg *DockerConfig) { cfg.Network = "c" }},
		{name: "IPv6", c: &unpublished, change: func(cfg *DockerConfig) { cfg.Network = "six" }, want: "[fd00::6]:8000"},
		{name: "host given", c: &published, change: func(cfg *DockerConfig) { cfg.Host = "gpu-1" }, want: "gpu-1:18000"},
		{name: "host of the engine", c: &published, change: func(cfg *DockerConfig) { cfg.Endpoint = "tcp://gpu-2:2375" }, want: "gpu-2:18000"},
		{name: "host before engine", c: &hosted, change: func(cfg *DockerConfig) { cfg.Endpoint, cfg.Host = "tcp://gpu-2:2375", "gpu-1" }, want: "gpu-1:8000"},
		{name: "local engine", c: &published, change: func(cfg *DockerConfig) { cfg.Endpoint = "unix:///run/docker.sock" }, want: "127.0.0.1:18000"},
		{name: "odd engine", c: &published, change: func(cfg *DockerConfig) { cfg.Endpoint = "tcp://:2375" }, want: "127.0.0.1:18000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := newDefaultDocker()
			if tt.change != nil {
				tt.change(&cfg)
			}
			if tt.spec.Port == 0 {
				tt.spec.Port = 8000
			}
			d := &discovery{router: newTestRouter(cfg, tt.inContainer)}
			want := tt.want
			if want != "" {
				want = "http://" + want
			}
			assert.Equal(t, want, d.url(tt.c, &tt.spec))
			tt.spec.TLS = true
			if want != "" {
				assert.Equal(t, "https://"+tt.want, d.url(tt.c, &tt.spec))
			}
		})
	}
	t.Run("engine from the environment", func(t *testing.T) {
		t.Setenv("DOCKER_HOST", "tcp://gpu-3:2375")
		at, ok := newTestRouter(newDefaultDocker(), false).route(&published, &llmserver.Spec{Port: 8000})
		require.True(t, ok)
		assert.Equal(t, address{"gpu-3", 18000}, at)
	})
}

func TestFixed(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	tests := []struct {
		endpoint string
		c        *docker.Container
		want     bool
	}{
		{"http://localhost:18000", &published, true},
		{"http://127.0.0.1:18000", &published, true},
		{"http://[::1]:18000", &published, true},
		{"http://0.0.0.0:18000", &published, true},
		{"http://This-Host:18000/prefix", &published, true},
		{"http://host.docker.internal:18000", &published, true},
		{"http://172.20.0.5:8000", &published, true},
		{"http://172.21.0.5:8000", &published, true},
		{"http://chat:8000", &published, true},
		{"http://LLM:8000", &published, true},
		{"http://0123456789ab:8000", &published, true},
		{"http://localhost:8000", &published, false},
		{"http://172.20.0.5:18000", &published, false},
		{"http://elsewhere:18000", &published, false},
		{"http://localhost:19000", &published, false}, // of another port
		{"http://localhost:8000", &hosted, true},
		{"http://localhost:8001", &hosted, false},
		{"http://localhost:18000", &joined, true},
		{"http://plain:8000", &unpublished, true},
		{"http://[fd00::6]:8000", &unpublished, true},
		{"http://:8000", &isolated, false},
	}
	for _, tt := range tests {
		t.Run(tt.endpoint+" "+tt.c.Name, func(t *testing.T) {
			r := newTestRouter(newDefaultDocker(), false, "http://nobody:1", tt.endpoint)
			assert.Equal(t, tt.want, r.isFixed(tt.c, &llmserver.Spec{Port: 8000}))
			assert.False(t, newTestRouter(newDefaultDocker(), false).isFixed(tt.c, &llmserver.Spec{Port: 8000}))
		})
	}
}

func TestLocalNames(t *testing.T) {
	r := newTestRouter(newDefaultDocker(), false)
	name, err := os.Hostname()
	require.NoError(t, err)
	for _, host := range []string{name, "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "::"} {
		assert.True(t, r.isLocal(host), host)
	}
	assert.False(t, r.isLocal("192.0.2.1"))
	_, err = os.Stat("/.dockerenv")
	assert.True(t, err != nil || runsInContainer())
}

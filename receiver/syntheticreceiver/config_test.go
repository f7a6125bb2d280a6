package syntheticreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/receiver/syntheticreceiver/internal/metadata"
)

// load reads one entry of testdata/config.yaml over the defaults.
func load(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	cfg := load(t, "")
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)

	cfg = load(t, "everything")
	require.NoError(t, xconfmap.Validate(cfg))
	want := createDefaultConfig().(*Config)
	want.Seed, want.Scenario, want.WarmUp, want.CollectionInterval = 7, "degraded", time.Hour, 10*time.Second
	want.Anomalies = []AnomalyConfig{{Kind: "hot_gpu", Target: "3", Duration: 10 * time.Minute}, {Kind: "proxy_down"}}
	want.Scale = ScaleConfig{GPUs: 16, Servers: 40}
	want.Listen = ListenConfig{
		Docker: "unix:///run/synthetic/docker.sock", VLLM: "127.0.0.1:24100", LiteLLM: "127.0.0.1:24000", Langfuse: "127.0.0.1:24001", Files: "/run/synthetic",
	}
	want.Control = &ControlConfig{Token: configopaque.String("secret")}
	want.Control.Endpoint = "0.0.0.0:23011"
	want.Receivers = map[string]map[string]any{"vllm": {"collection_interval": "5s"}, "filelog": {"enabled": false}}
	assert.Equal(t, want, cfg)
}

func TestConfigErrors(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Scenario = "chaos" }, `"scenario": there is no scenario "chaos": the scenarios are normal, high_load, degraded, maintenance`},
		{func(c *Config) { c.CollectionInterval = 0 }, errInterval.Error()},
		{func(c *Config) { c.WarmUp = 25 * time.Hour }, errWarmUp.Error()},
		{func(c *Config) { c.WarmUp = -1 }, errWarmUp.Error()},
		{func(c *Config) { c.Receivers = map[string]map[string]any{"prometheus": nil} }, `there is no "prometheus" inside: there are docker_stats, docker_inventory, nvml, vllm, litellm, langfuse, filelog`},
		{func(c *Config) { c.Anomalies = []AnomalyConfig{{Kind: "fire"}} }, `there is no anomaly of "kind" "fire"`},
		{func(c *Config) { c.Anomalies = []AnomalyConfig{{Kind: "oom", Duration: -1}} }, errAnomalyTime.Error()},
		{func(c *Config) { c.Scale.GPUs = 1001 }, errGPUs.Error()},
		{func(c *Config) { c.Scale.Servers = -1 }, errServers.Error()},
		{func(c *Config) { c.Listen.Docker = "/run/docker.sock" }, errDocker.Error()},
		{func(c *Config) { c.Listen.VLLM = "24100" }, `"vllm" must be host and port`},
		{func(c *Config) { c.Listen.LiteLLM = "24000" }, `"litellm" must be host and port`},
		{func(c *Config) { c.Listen.Langfuse = "x" }, `"langfuse" must be host and port`},
		{func(c *Config) { c.Listen.Files = "here" }, errFiles.Error()},
		{func(c *Config) { c.Control = &ControlConfig{} }, errControlAddress.Error()},
		{func(c *Config) { c.Control = &ControlConfig{}; c.Control.Endpoint = "0.0.0.0:1" }, errControlToken.Error()},
		{func(c *Config) { c.Control = &ControlConfig{}; c.Control.Endpoint = ":1" }, errControlToken.Error()},
	} {
		cfg := createDefaultConfig().(*Config)
		tt.change(cfg)
		assert.ErrorContains(t, xconfmap.Validate(cfg), tt.want)
	}
	for _, endpoint := range []string{"localhost:1", "127.0.0.1:1", "[::1]:1"} {
		cfg := createDefaultConfig().(*Config)
		cfg.Control = &ControlConfig{}
		cfg.Control.Endpoint = endpoint
		assert.NoError(t, xconfmap.Validate(cfg), endpoint)
	}
}

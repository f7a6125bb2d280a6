package nvmlreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// load reads a configuration as the collector does.
func load(conf *confmap.Conf) (*Config, error) {
	cfg := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(&cfg); err != nil {
		return nil, err
	}
	return cfg.(*Config), xconfmap.Validate(cfg)
}

func TestLoadConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section := func(key string) *Config {
		t.Helper()
		sub, err := file.Sub(key)
		require.NoError(t, err)
		cfg, err := load(sub)
		require.NoError(t, err)
		return cfg
	}
	assert.Equal(t, createDefaultConfig(), section("nvml"))

	got := section("nvml/all")
	assert.Equal(t, 15*time.Second, got.CollectionInterval)
	assert.Equal(t, 2*time.Second, got.InitialDelay)
	assert.Equal(t, 5*time.Second, got.Timeout)
	assert.True(t, got.Required)
	assert.Equal(t, "/opt/nvidia/libnvidia-ml.so.1", got.Library)
	assert.Equal(t, "/run/otelcol-llm/gpu-maintenance", got.ReleaseFile)
	assert.Equal(t, AttributionConfig{Enabled: true, ContainerID: true}, got.Attribution)
	assert.Equal(t, docker.Config{
		Endpoint: "tcp://127.0.0.1:2375", Timeout: 2 * time.Second, ResyncInterval: time.Minute,
		MaxContainers: 500, KeepGone: time.Minute, ProcRoot: "/host/proc",
	}, got.Docker)
	assert.True(t, got.Metrics.HwGpuProcessMemoryUsage.Enabled)
	assert.False(t, got.Metrics.HwGpuSpeed.Enabled)
	assert.True(t, got.Metrics.HwPower.Enabled)
	assert.False(t, got.Events.HwGpuThrottleStarted.Enabled)
	assert.True(t, got.Events.HwGpuXid.Enabled)
	assert.True(t, got.MetricsBuilderConfig.ResourceAttributes.HwSerialNumber.Enabled)
	assert.True(t, got.LogsBuilderConfig.ResourceAttributes.HwSerialNumber.Enabled, "one setting for metrics and logs")
}

func TestInvalidConfig(t *testing.T) {
	tests := []struct {
		name string
		yaml map[string]any
		want error
		text string
	}{
		{"interval", map[string]any{"collection_interval": "10ms"}, errInterval, ""},
		{"no interval", map[string]any{"collection_interval": "0s"}, nil, `"collection_interval"`},
		{"no timeout", map[string]any{"timeout": "0s"}, errTimeout, ""},
		{"negative timeout", map[string]any{"timeout": "-1s"}, nil, `"timeout"`},
		{"library", map[string]any{"library": "libnvidia-ml.so.1"}, errLibrary, ""},
		{"release file", map[string]any{"release_file": "maintenance"}, errReleaseFile, ""},
		{"docker", map[string]any{"docker": map[string]any{"timeout": "0s"}}, docker.ErrTimeout, "docker"},
		{"unknown key", map[string]any{"releasefile": "/x"}, nil, "releasefile"},
		{"unknown metric", map[string]any{"metrics": map[string]any{"hw.gpu.nonsense": map[string]any{"enabled": true}}}, nil, "hw.gpu.nonsense"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(confmap.NewFromStringMap(tt.yaml))
			require.Error(t, err)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			assert.ErrorContains(t, err, tt.text)
		})
	}
}

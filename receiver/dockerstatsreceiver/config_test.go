package dockerstatsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func load(t *testing.T, settings map[string]any) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(settings).Unmarshal(cfg))
	return cfg
}

func TestConfigIsContribs(t *testing.T) {
	cfg := load(t, map[string]any{
		"endpoint":            "tcp://127.0.0.1:2375",
		"collection_interval": "30s",
		"excluded_images":     []any{"pause*"},
		"metrics":             map[string]any{"container.uptime": map[string]any{"enabled": true}},
	})
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, "tcp://127.0.0.1:2375", cfg.Endpoint)
	assert.Equal(t, 30*time.Second, cfg.CollectionInterval)
	assert.Equal(t, []string{"pause*"}, cfg.ExcludedImages)
	assert.True(t, cfg.Metrics.ContainerUptime.Enabled)
}

func TestBadConfig(t *testing.T) {
	for want, settings := range map[string]map[string]any{
		`"collection_interval" must be at least 1s`:         {"collection_interval": 30},
		`"endpoint" must be the address of a Docker engine`: {"endpoint": "/var/run/docker.sock"},
		`"api_version" 1.24 must be at least 1.25`:          {"api_version": "1.24"},
	} {
		assert.ErrorContains(t, xconfmap.Validate(load(t, settings)), want)
	}
}

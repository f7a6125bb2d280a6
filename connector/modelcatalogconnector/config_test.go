package modelcatalogconnector

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// loadConfig reads a configuration as the collector does.
func loadConfig(conf *confmap.Conf) (*Config, error) {
	cfg := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(&cfg); err != nil {
		return nil, err
	}
	return cfg.(*Config), xconfmap.Validate(cfg)
}

// keysOf returns the keys of a struct.
func keysOf(config any) []string {
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(config)) {
		if key := field.Tag.Get("mapstructure"); key != "" && key != ",squash" {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestLoadConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	all := createDefaultConfig().(*Config)
	all.Interval, all.ExpireAfter = 30*time.Second, time.Hour
	all.File = "/etc/otelcol-llm/models.yaml"
	all.Endpoints = EndpointsConfig{LiteLLM: "https://llm.example.org", VLLM: "https://engines.example.org/v1"}
	all.MaxModels, all.MaxSeries = 50, 1000
	all.Metrics.LlmModelTokens.Enabled = false
	for name, want := range map[string]component.Config{"model_catalog": createDefaultConfig(), "model_catalog/all": all} {
		sub, err := file.Sub(name)
		require.NoError(t, err)
		cfg, err := loadConfig(sub)
		require.NoError(t, err)
		if cfg.Metrics.LlmModelTokens.Enabled != want.(*Config).Metrics.LlmModelTokens.Enabled {
			assert.Fail(t, "metrics", name)
		}
		cfg.MetricsBuilderConfig, want.(*Config).MetricsBuilderConfig = all.MetricsBuilderConfig, all.MetricsBuilderConfig
		assert.Equal(t, want, cfg)
	}
}

func TestInvalidConfig(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change map[string]any
		want   error
	}{
		{"interval", map[string]any{"interval": "100ms"}, errInterval},
		{"interval without a unit", map[string]any{"interval": 60}, errInterval},
		{"expire_after", map[string]any{"expire_after": "30s"}, errExpireAfter},
		{"max_models", map[string]any{"max_models": 0}, errMaxModels},
		{"max_series", map[string]any{"max_series": 0}, errMaxSeries},
		{"no URL", map[string]any{"endpoints": map[string]any{"litellm": "llm.example.org"}}, errEndpoint},
		{"a secret", map[string]any{"endpoints": map[string]any{"vllm": "https://user:secret@llm.example.org"}}, errEndpoint},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadConfig(confmap.NewFromStringMap(tt.change))
			require.ErrorIs(t, err, tt.want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	_, err := loadConfig(confmap.NewFromStringMap(map[string]any{"endpoint": "x"}))
	require.ErrorContains(t, err, "endpoint")
}

// TestEmptyFile: an environment variable that is not set stands for no file.
func TestEmptyFile(t *testing.T) {
	cfg, err := loadConfig(confmap.NewFromStringMap(map[string]any{"file": nil}))
	require.NoError(t, err)
	assert.Empty(t, cfg.File)
}

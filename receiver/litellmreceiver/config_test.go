package litellmreceiver

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func load(conf *confmap.Conf) (*Config, error) {
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, xconfmap.Validate(cfg)
}

func loadMap(t *testing.T, settings map[string]any) (*Config, error) {
	t.Helper()
	return load(confmap.NewFromStringMap(settings))
}

func TestDefaultConfig(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	require.NoError(t, xconfmap.Validate(createDefaultConfig()), "without an endpoint it is inert, not wrong")
	cfg := createDefaultConfig().(*Config)
	assert.Equal(t, time.Minute, cfg.CollectionInterval)
	assert.Equal(t, 30*time.Second, cfg.Timeout)
	assert.True(t, cfg.API.Enabled)
	assert.False(t, cfg.HealthCheck.Enabled, "it costs money")
	assert.False(t, cfg.Retry.Enabled)
	for _, o := range optional {
		assert.Equal(t, LabelConfig{Max: 100}, o.config(&cfg.Labels), o.setting)
	}
}

// TestConfig loads the example, which has every setting.
func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub("receivers::litellm")
	require.NoError(t, err)
	cfg, err := load(sub)
	require.NoError(t, err)

	want := createDefaultConfig().(*Config)
	want.Endpoint = "https://llm.example.com/litellm"
	want.Name = "gateway"
	want.APIKey = "sk-example"
	want.CollectionInterval, want.InitialDelay = 30*time.Second, 2*time.Second
	want.Timeout, want.ClientConfig.Timeout = 20*time.Second, 20*time.Second
	want.API = APIConfig{Enabled: true, Interval: 10 * time.Minute}
	want.HealthCheck = HealthCheckConfig{Enabled: true, Interval: 6 * time.Hour}
	on, off := true, false
	want.Histograms = HistogramsConfig{"litellm.service.duration": {Enabled: &off}, "litellm.overhead.duration": {Enabled: &on}}
	want.Labels.TeamAlias = LabelConfig{Enabled: true, Max: 50}
	want.Labels.KeyAlias = LabelConfig{Enabled: true, Max: 200}
	want.Labels.Tags.Names = []string{"prod"}
	want.MaxModels, want.MaxPageSize, want.MaxSeries = 1000, 512<<20, 50_000
	want.MaxResponseSize = 32 << 20
	want.RateLimit.RequestsPerSecond, want.RateLimit.Burst = 5, 10
	want.CircuitBreaker.Failures, want.CircuitBreaker.OpenFor = 3, 10*time.Minute
	want.Retry.Enabled = true
	assert.True(t, cfg.Metrics.LitellmTokensTotal.Enabled)
	want.Metrics, want.Headers, want.Retry = cfg.Metrics, cfg.Headers, cfg.Retry
	assert.Equal(t, want, cfg)

	var labels []string
	for key := range sub.ToStringMap()["labels"].(map[string]any) {
		labels = append(labels, key)
	}
	assert.ElementsMatch(t, keysOf(LabelsConfig{}), labels, "the example has every label")
	for _, key := range keysOf(Config{}) {
		if !slices.Contains([]string{"resource_attributes", "metrics"}, key) {
			assert.Contains(t, slices.Collect(maps.Keys(sub.ToStringMap())), key)
		}
	}
}

// keysOf are the settings of a struct, without those of squashed parts.
func keysOf(v any) []string {
	var keys []string
	typ := reflect.TypeOf(v)
	for i := range typ.NumField() {
		if tag := typ.Field(i).Tag.Get("mapstructure"); tag != "" && tag != ",squash" {
			keys = append(keys, tag)
		}
	}
	return keys
}

func TestInvalidConfig(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings map[string]any
		want     string
	}{
		{"no URL", map[string]any{"endpoint": "localhost:4000"}, `"endpoint" must be an http or https URL`},
		{"password", map[string]any{"endpoint": "http://user:secret@localhost:4000"}, `"endpoint" must not hold a user or password`},
		{"query", map[string]any{"endpoint": "http://localhost:4000?x=1"}, `"endpoint" must have no query`},
		{"path", map[string]any{"endpoint": "http://localhost:4000/metrics/"}, `"endpoint" must be the base URL of the proxy`},
		{"another path", map[string]any{"endpoint": "http://localhost:4000/x/v1"}, `"endpoint" must be the base URL of the proxy`},
		{"interval", map[string]any{"collection_interval": "10ms"}, `"collection_interval" must be at least 1s`},
		{"timeout", map[string]any{"timeout": "0"}, `"timeout" must be positive`},
		{"api interval", map[string]any{"api": map[string]any{"interval": "0s"}}, `api: "interval" must be positive, such as 5m`},
		{"health check", map[string]any{"health_check": map[string]any{"enabled": true, "interval": "1m"}}, `health_check: "interval" must be at least 15m: each check calls every model and costs money`},
		{"models", map[string]any{"max_models": 0}, `"max_models" must be at least 1`},
		{"page", map[string]any{"max_page_size": 1}, `"max_page_size" must be at least 65536 bytes`},
		{"answers", map[string]any{"max_response_size": 1}, `"max_response_size" must be at least 65536 bytes`},
		{"series", map[string]any{"max_series": 1}, `"max_series" must be at least 100`},
		{"histogram", map[string]any{"histograms": map[string]any{"x": map[string]any{"enabled": true}}}, `there is no histogram "x": the names are gen_ai.server.request.duration,`},
		{"histogram switch", map[string]any{"histograms": map[string]any{"litellm.overhead.duration": map[string]any{}}}, `"litellm.overhead.duration" must say "enabled: true" or "enabled: false"`},
		{"label", map[string]any{"labels": map[string]any{"user": map[string]any{"enabled": true, "max": 0}}}, `labels::user: "max" must be at least 1`},
		{"unknown label", map[string]any{"labels": map[string]any{"user_email": map[string]any{"enabled": true}}}, `user_email`},
		{"tags", map[string]any{"labels": map[string]any{"tags": map[string]any{"names": []string{"a", "a"}}}}, `labels::tags: "names" must be at most 16 different tags`},
		{"empty tag", map[string]any{"labels": map[string]any{"tags": map[string]any{"names": []string{""}}}}, `none of them empty`},
		{"metric", map[string]any{"metrics": map[string]any{"litellm.x": map[string]any{"enabled": true}}}, `litellm.x`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadMap(t, tt.settings)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestSwitchedOffNeedsNoInterval(t *testing.T) {
	_, err := loadMap(t, map[string]any{"api": map[string]any{"enabled": false, "interval": "0s"}, "health_check": map[string]any{"interval": "1s"}})
	require.NoError(t, err)
}

func TestInstance(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://localhost:4000":          "localhost:4000",
		"http://localhost:4000/":         "localhost:4000",
		"https://llm.example.com/prefix": "llm.example.com:443/prefix",
		"http://llm.example.com":         "llm.example.com:80",
		"http://[::1]:4000":              "[::1]:4000",
		"%":                              "",
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint = endpoint
		assert.Equal(t, want, cfg.instance(), endpoint)
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint, cfg.Name = "http://localhost:4000", "gateway"
	assert.Equal(t, "gateway", cfg.instance())
}

// TestEmptyEnvironment: the shipped configuration has variables that may not be set.
func TestEmptyEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte("endpoint:\napi_key: \"\"\n"), 0o600))
	conf, err := confmaptest.LoadConf(file)
	require.NoError(t, err)
	cfg, err := load(conf)
	require.NoError(t, err)
	assert.Empty(t, cfg.Endpoint)
	assert.False(t, cfg.authenticated())
}

// TestLabelDefaults: a label that is switched on has the default limit.
func TestLabelDefaults(t *testing.T) {
	cfg, err := loadMap(t, map[string]any{"labels": map[string]any{"user": map[string]any{"enabled": true}}})
	require.NoError(t, err)
	assert.Equal(t, LabelConfig{Enabled: true, Max: 100}, cfg.Labels.User)
}

package langfusereceiver

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

// load reads a configuration as the collector does.
func load(conf *confmap.Conf) (*Config, error) {
	cfg := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(&cfg); err != nil {
		return nil, err
	}
	return cfg.(*Config), xconfmap.Validate(cfg)
}

func TestDefaultConfig(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, time.Minute, cfg.CollectionInterval)
	assert.Empty(t, cfg.Endpoint)
	assert.Nil(t, cfg.Storage)
}

func TestLoadConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	defaults := func(change func(*Config)) *Config {
		cfg := createDefaultConfig().(*Config)
		change(cfg)
		return cfg
	}
	storage := component.MustNewIDWithName("file_storage", "langfuse")
	tests := map[string]*Config{
		"langfuse": defaults(func(cfg *Config) {
			cfg.Endpoint, cfg.PublicKey, cfg.SecretKey = "http://langfuse:3000", "pk-lf-1234", "sk-lf-5678"
		}),
		"langfuse/none": defaults(func(*Config) {}),
		"langfuse/all": defaults(func(cfg *Config) {
			cfg.CollectionInterval, cfg.InitialDelay = 30*time.Second, 2*time.Second
			cfg.Timeout, cfg.Config.Timeout = 20*time.Second, 20*time.Second
			cfg.Endpoint, cfg.PublicKey, cfg.SecretKey = "https://cloud.langfuse.com", "pk-lf-1234", "sk-lf-5678"
			cfg.Name, cfg.Storage = "chat", &storage
			cfg.Window, cfg.IngestionDelay, cfg.QueriesPerDay = 15*time.Minute, 20*time.Minute, 400
			cfg.Backlog, cfg.MaxCatchUp = 7*day, 14*day
			cfg.SplitByEnvironment = true
			cfg.MaxModels, cfg.MaxScores, cfg.MaxUsers, cfg.MaxPrompts = 50, 60, 70, 80
			cfg.Headers = map[string]configopaque.String{"X-Tenant": "a"}
			cfg.MaxResponseSize = 1 << 20
			cfg.RateLimit = apiclient.RateLimitConfig{RequestsPerSecond: 1, Burst: 2}
			cfg.Retry.InitialInterval, cfg.Retry.MaxInterval = 10*time.Second, 5*time.Minute
			cfg.CircuitBreaker = apiclient.CircuitBreakerConfig{Failures: 10, OpenFor: time.Minute}
		}),
	}
	for name := range file.ToStringMap() {
		t.Run(name, func(t *testing.T) {
			sub, err := file.Sub(name)
			require.NoError(t, err)
			cfg, err := load(sub)
			require.NoError(t, err)
			want, ok := tests[name]
			require.True(t, ok)
			if name == "langfuse/all" { // these remember that the user set them
				assert.True(t, cfg.Metrics.LangfuseUserCost.Enabled)
				assert.False(t, cfg.Metrics.LangfuseRowsTruncated.Enabled)
				assert.False(t, cfg.ResourceAttributes.ServerPort.Enabled)
				want.MetricsBuilderConfig = cfg.MetricsBuilderConfig
				for _, key := range keysOf(Config{}) {
					assert.True(t, sub.IsSet(key), "%s is not shown", key)
				}
			}
			assert.Equal(t, want, cfg)
		})
	}
}

// TestBadConfig: whatever is wrong, the message names the key and says what would be
// right, and repeats no secret.
func TestBadConfig(t *testing.T) {
	const keys = `"public_key" and "secret_key" must both be set: Langfuse shows them in the settings of the project`
	tests := []struct{ yaml, want string }{
		{`{endpoint: "http://a"}`, ""},
		{`{public_key: pk-lf-1}`, ""},
		{`{endpoint: ~, public_key: ~, secret_key: ~}`, ""}, // variables that are not set
		{`{endpoint: "http://a", public_key: pk-lf-1}`, keys},
		{`{endpoint: "http://a", secret_key: sk-lf-s3cr3t}`, keys},
		{`{endpoint: "http://a", public_key: sk-lf-s3cr3t, secret_key: pk-lf-1}`, `"public_key" must be the one that begins with pk-lf-: the keys seem to be swapped`},
		{`{endpoint: "a:3000"}`, `"endpoint" must be an http or https URL`},
		{`{endpoint: "http://u:s3cr3t@a"}`, `"endpoint" must not hold a user or password`},
		{`{endpoint: "http://a/api/public/"}`, `"endpoint" must be the base URL of the server, without /api/public`},
		{`{collection_interval: 0s}`, `"collection_interval": requires positive value`},
		{`{collection_interval: 10ms}`, `"collection_interval" must be at least 1s`},
		{`{timeout: 0s}`, `"timeout" must be positive, such as 30s`},
		{`{window: 1m}`, `"window" must be from 5m to 24h`},
		{`{window: 25h}`, `"window" must be from 5m to 24h`},
		{`{ingestion_delay: -1s}`, `"ingestion_delay" must be from 0s to 24h`},
		{`{queries_per_day: 3}`, `"queries_per_day" must be at least 5, or 0 for the default`},
		{`{queries_per_day: -1}`, `"queries_per_day" must be at least 5, or 0 for the default`},
		{`{backlog: -1h}`, `"backlog" must be from 0s to "max_catch_up"`},
		{`{backlog: 1000h}`, `"backlog" must be from 0s to "max_catch_up"`},
		{`{max_catch_up: 24h}`, `"max_catch_up" must be at least 48h`},
		{`{max_models: 0}`, `"max_models" must be at least 1`},
		{`{max_scores: 0}`, `"max_scores" must be at least 1`},
		{`{max_users: -1}`, `"max_users" must be at least 1`},
		{`{max_prompts: 0}`, `"max_prompts" must be at least 1`},
		{`{split_by_environment: maybe}`, `'split_by_environment' expected type 'bool'`},
		{`{name: [a]}`, `'name' expected type 'string'`},
		{`{storage: "a b"}`, `invalid character(s) in type`},
		{`{intervall: 5s}`, `has invalid keys: intervall`},
	}
	var all strings.Builder
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(tt.yaml))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			_, err = load(conf)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
		all.WriteString(tt.yaml)
	}
	for _, key := range keysOf(Config{}) {
		assert.Contains(t, all.String(), key+":", "no test of a bad value")
	}
}

// keysOf are the keys of a configuration's own fields.
func keysOf(cfg any) []string {
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(cfg)) {
		if key := field.Tag.Get("mapstructure"); len(field.Index) == 1 && key != "" && key[0] != ',' {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestConfigHidesSecrets(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.SecretKey = "sk-lf-s3cr3t"
	assert.NotContains(t, fmt.Sprintf("%v %+v", cfg, *cfg), "s3cr3t")
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(conf.ToStringMap()), "s3cr3t")
}

func TestQueriesPerDay(t *testing.T) {
	for _, tt := range []struct {
		endpoint       string
		set            int
		metrics, daily int
	}{
		{"http://localhost:3000", 0, 0, 0},
		{"https://cloud.langfuse.com", 0, hobbyQueries, hobbyDailyQueries},
		{"https://us.cloud.langfuse.com/", 0, hobbyQueries, hobbyDailyQueries},
		{"https://langfuse.com", 0, hobbyQueries, hobbyDailyQueries},
		{"https://notlangfuse.com", 0, 0, 0},
		{"https://langfuse.com.example.com", 0, 0, 0},
		{"https://cloud.langfuse.com", 2000, 2000, 2000},
		{"http://localhost:3000", 50, 50, 50},
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint, cfg.QueriesPerDay = tt.endpoint, tt.set
		assert.Equal(t, []int{tt.metrics, tt.metrics, tt.daily},
			[]int{cfg.queriesPerDay(apiV2), cfg.queriesPerDay(apiV1), cfg.queriesPerDay(apiDaily)}, tt.endpoint)
	}
}

func TestInstance(t *testing.T) {
	for _, tt := range []struct{ endpoint, name, project, want string }{
		{"http://a", "", "", "a:80"},
		{"https://a/langfuse/", "", "", "a:443/langfuse"},
		{"http://a:3000", "", "chat", "chat"},
		{"http://a:3000", "mine", "chat", "mine"},
		{":", "", "", ":0"},
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint, cfg.Name = tt.endpoint, tt.name
		assert.Equal(t, tt.want, cfg.instance(project{Name: tt.project}))
	}
}

func TestFingerprint(t *testing.T) {
	a, b := createDefaultConfig().(*Config), createDefaultConfig().(*Config)
	a.Endpoint, a.PublicKey = "http://a", "pk-lf-1"
	b.Endpoint, b.PublicKey = "http://a", "pk-lf-2"
	assert.NotEqual(t, a.fingerprint(), b.fingerprint())
	assert.Len(t, a.fingerprint(), 16)
	assert.NotContains(t, a.fingerprint(), "pk")
}

package dockerinventoryreceiver

import (
	"path/filepath"
	"reflect"
	"strings"
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

func loadText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return load(conf)
}

func TestLoadConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)

	sub, err := file.Sub("docker_inventory")
	require.NoError(t, err)
	cfg, err := load(sub)
	require.NoError(t, err)
	assert.Equal(t, createDefaultConfig(), cfg)

	sub, err = file.Sub("docker_inventory/all")
	require.NoError(t, err)
	cfg, err = load(sub)
	require.NoError(t, err)
	for _, key := range keysOf(Config{}) {
		assert.True(t, sub.IsSet(key), key)
	}
	// These remember that the user set them. Both halves of the receiver get them.
	assert.True(t, cfg.Metrics.ContainerPortInfo.Enabled)
	assert.False(t, cfg.Metrics.ContainerCreatedTime.Enabled)
	assert.False(t, cfg.Events.ContainerPause.Enabled)
	assert.True(t, cfg.MetricsBuilderConfig.ResourceAttributes.ContainerID.Enabled)
	assert.True(t, cfg.LogsBuilderConfig.ResourceAttributes.ContainerID.Enabled)
	assert.Equal(t, &Config{
		Config: dockerConfig(func(c *docker.Config) {
			c.Endpoint = "tcp://127.0.0.1:2375"
			c.Timeout = 3 * time.Second
			c.ResyncInterval = time.Minute
			c.MaxContainers = 500
			c.KeepGone = time.Minute
			c.ProcRoot = "/hostfs/proc"
		}),
		MetricsBuilderConfig: cfg.MetricsBuilderConfig,
		LogsBuilderConfig:    cfg.LogsBuilderConfig,
		CollectionInterval:   10 * time.Second,
		InitialDelay:         2 * time.Second,
		Include:              docker.Selection{Names: []string{"vllm-*"}, Images: []string{"/^vllm//"}, Labels: []string{"com.docker.compose.project=llm"}},
		Exclude:              docker.Selection{Names: []string{"*-test"}, Images: []string{"*:nightly"}, Labels: []string{"otelcol-llm.enabled=false"}},
		Labels:               []string{"com.example.team"},
		RestartLoop:          RestartLoopConfig{Count: 3, Window: 5 * time.Minute},
	}, cfg)
}

func dockerConfig(change func(*docker.Config)) docker.Config {
	cfg := docker.NewDefaultConfig()
	change(&cfg)
	return cfg
}

// TestBadConfig: whatever is wrong, the message names the key and says what would
// be right.
func TestBadConfig(t *testing.T) {
	const (
		pattern = ` must hold patterns such as vllm-* or /^vllm-[0-9]+$/, not `
		broken  = "error parsing regexp: missing closing ): `(`"
	)
	tests := []struct{ yaml, want string }{
		{`endpoint: nowhere`, `"endpoint" must be the address of a Docker engine, such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375`},
		{`endpoint: [a]`, `'endpoint' expected type 'string'`},
		{`timeout: 0s`, `"timeout" must be at least 100ms`},
		{`timeout: soon`, `'timeout' time: invalid duration`},
		{`resync_interval: 0s`, `"resync_interval" must be at least 1s`},
		{`resync_interval: x`, `'resync_interval' time: invalid duration`},
		{`max_containers: 0`, `"max_containers" must be positive`},
		{`max_containers: many`, `'max_containers' expected type 'int'`},
		{`keep_gone: -1s`, `"keep_gone" must not be negative`},
		{`keep_gone: x`, `'keep_gone' time: invalid duration`},
		{`proc_root: proc`, `"proc_root" must be an absolute path`},
		{`proc_root: [x]`, `'proc_root' expected type 'string'`},
		{`collection_interval: 0s`, `"collection_interval" must be at least 1s`},
		{`collection_interval: 30`, `"collection_interval" must be at least 1s`},
		{`collection_interval: often`, `'collection_interval' time: invalid duration`},
		{`initial_delay: -1s`, `"initial_delay" must not be negative`},
		{`initial_delay: soon`, `'initial_delay' time: invalid duration`},
		{`include: [vllm]`, `'include' expected a map or struct`},
		{`include: {name: [x]}`, `'include' has invalid keys: name`},
		{`include: {names: [""]}`, `include: "names"` + pattern + `"": it is empty`},
		{`include: {names: ["/(/"]}`, `include: "names"` + pattern + `"/(/": ` + broken},
		{`include: {images: ["/(/"]}`, `include: "images"` + pattern + `"/(/": ` + broken},
		{`include: {labels: ["=x"]}`, `include: "labels"` + pattern + `"": it is empty`},
		{`exclude: {names: {a: b}}`, `'exclude.names' source data must be an array or slice, got map`},
		{`exclude: {images: [""]}`, `exclude: "images"` + pattern + `"": it is empty`},
		{`exclude: {labels: ["a=/(/"]}`, `exclude: "labels"` + pattern + `"/(/": ` + broken},
		{`exclude: {env: [""]}`, `exclude: "env"` + pattern + `"": it is empty`},
		{`exclude: {commands: ["/(/"]}`, `exclude: "commands"` + pattern + `"/(/": ` + broken},
		{`labels: [""]`, `"labels" must be keys of labels, such as com.example.team`},
		{`labels: [a, b, a]`, `"labels" has "a" twice: remove one`},
		{`labels: {a: b}`, `'labels' source data must be an array or slice, got map`},
		{`restart_loop: 5`, `'restart_loop' expected a map or struct`},
		{`restart_loop: {count: 1}`, `restart_loop: "count" must be from 2 to 1000, or 0 to look for no loops`},
		{`restart_loop: {count: 1001}`, `restart_loop: "count" must be from 2 to 1000, or 0 to look for no loops`},
		{`restart_loop: {count: -1}`, `restart_loop: "count" must be from 2 to 1000, or 0 to look for no loops`},
		{`restart_loop: {count: few}`, `'restart_loop.count' expected type 'int'`},
		{`restart_loop: {window: 0s}`, `restart_loop: "window" must be positive, such as 10m`},
		{`restart_loop: {window: x}`, `'restart_loop.window' time: invalid duration`},
		{`metrics: {docker.upp: {enabled: true}}`, `'metrics' has invalid keys: docker.upp`},
		{`metrics: {docker.up: {enabled: 7}}`, `'enabled' expected type 'bool'`},
		{`events: {container.died: {enabled: true}}`, `'events' has invalid keys: container.died`},
		{`resource_attributes: {x: {enabled: true}}`, `'resource_attributes' has invalid keys: x`},
		{`intervall: 5s`, `has invalid keys: intervall`},
	}
	var all strings.Builder
	for _, tt := range tests {
		all.WriteString(tt.yaml + "\n")
		t.Run(tt.yaml, func(t *testing.T) {
			_, err := loadText(t, tt.yaml)
			require.ErrorContains(t, err, tt.want)
		})
	}
	for _, of := range []any{Config{}, docker.Selection{}, RestartLoopConfig{}} {
		for _, key := range keysOf(of) {
			assert.Contains(t, all.String(), key+":", "no test of a bad value")
		}
	}
}

func TestGoodConfig(t *testing.T) {
	for _, yaml := range []string{
		`restart_loop: {count: 0}`,
		`restart_loop: {count: 2, window: 1s}`,
		`include: {labels: [a, a=, "a=b=c", "/^a/=/b$/"]}`,
		`keep_gone: 0s`,
	} {
		_, err := loadText(t, yaml)
		assert.NoError(t, err, yaml)
	}
}

// keysOf are the keys of a struct, those of squashed ones too.
func keysOf(v any) []string {
	var keys []string
	typ := reflect.TypeOf(v)
	for i := range typ.NumField() {
		field := typ.Field(i)
		key, squash, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case squash == "squash":
			keys = append(keys, keysOf(reflect.Zero(field.Type).Interface())...)
		case key != "":
			keys = append(keys, key)
		}
	}
	return keys
}

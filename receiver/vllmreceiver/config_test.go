package vllmreceiver

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
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
	defaults := func(change func(*Config)) *Config {
		cfg := createDefaultConfig().(*Config)
		change(cfg)
		return cfg
	}
	plain := func(url string) EndpointConfig {
		e := newDefaultEndpoint()
		e.Endpoint = url
		return e
	}
	discovering := newDefaultDocker()
	discovering.Config = docker.Config{
		Endpoint: "tcp://127.0.0.1:2375", Timeout: 3 * time.Second, ResyncInterval: 10 * time.Minute,
		MaxContainers: 1000, KeepGone: time.Minute, ProcRoot: "/host/proc",
	}
	discovering.Include = docker.Selection{
		Names: []string{"llm-*"}, Images: []string{"registry.example.com/llm/*"},
		Labels: []string{"com.example.kind=llm", "com.example.vllm"}, Env: []string{"VLLM_USE_V1=?"}, Commands: []string{"/serve-llm( |$)/"},
	}
	discovering.Exclude = docker.Selection{
		Names: []string{"*-test"}, Images: []string{"nightly"}, Labels: []string{"com.example.stage=dev"},
		Env: []string{"CUDA_VISIBLE_DEVICES="}, Commands: []string{"* --headless*"},
	}
	discovering.Address, discovering.Host, discovering.Network, discovering.MaxServers = "network", "gpu-1.example.com", "llm", 20
	discovering.Template.Timeout = 5 * time.Second
	discovering.Template.Headers = map[string]configopaque.String{"Authorization": "Bearer secret"}
	discovering.Template.Paths.ServerInfo = ""
	on, off := true, false
	all := defaults(func(cfg *Config) {
		cfg.CollectionInterval = 30 * time.Second
		cfg.InitialDelay = 2 * time.Second
		cfg.Timeout = 20 * time.Second
		gpu1 := plain("https://gpu-1.example.com/llm/qwen")
		gpu1.Name = "gpu-1"
		gpu1.Timeout = 5 * time.Second
		gpu1.Headers = map[string]configopaque.String{"Authorization": "Bearer secret"}
		gpu1.TLS.InsecureSkipVerify = true
		gpu1.Paths = PathsConfig{Metrics: "/prom", Version: "/v", Models: "/api/v1/models"}
		cfg.Endpoints = EndpointsConfig{gpu1, plain("http://gpu-2:8000")}
		cfg.Docker = &discovering
		cfg.StuckAfter = 5 * time.Minute
		cfg.InfoInterval = 10 * time.Minute
		cfg.MaxPageSize = 1 << 20
		cfg.MaxSeries = 5000
		cfg.Histograms = HistogramsConfig{
			"vllm.request.params.n":          {Enabled: &on},
			"gen_ai.server.request.duration": {Enabled: &off},
		}
	})
	tests := map[string]*Config{
		"vllm":       defaults(func(cfg *Config) { cfg.Endpoints = EndpointsConfig{plain("http://localhost:8000")} }),
		"vllm/plain": defaults(func(cfg *Config) { cfg.Endpoints = EndpointsConfig{plain("http://a:8000")} }),
		"vllm/list": defaults(func(cfg *Config) {
			cfg.Endpoints = EndpointsConfig{plain("http://a:8000"), plain("https://b/llm/")}
		}),
		"vllm/docker": defaults(func(cfg *Config) {
			d := newDefaultDocker()
			cfg.Docker = &d
		}),
		"vllm/none": defaults(func(cfg *Config) { cfg.Endpoints = EndpointsConfig{} }),
		"vllm/all":  all,
	}
	for name := range file.ToStringMap() {
		t.Run(name, func(t *testing.T) {
			sub, err := file.Sub(name)
			require.NoError(t, err)
			cfg, err := load(sub)
			require.NoError(t, err)
			want, ok := tests[name]
			require.True(t, ok)
			if name == "vllm/all" { // these remember that the user set them
				assert.True(t, cfg.Metrics.VllmThroughputInput.Enabled)
				assert.False(t, cfg.Metrics.VllmHTTPRequests.Enabled)
				assert.False(t, cfg.ResourceAttributes.ServerPort.Enabled)
				want.MetricsBuilderConfig = cfg.MetricsBuilderConfig
			}
			assert.Equal(t, want, cfg)
		})
	}
}

// TestBadConfig: whatever is wrong, the message names the key and says what would
// be right, and repeats no secret.
func TestBadConfig(t *testing.T) {
	const url = `"endpoint" must be an http or https URL such as http://localhost:8000`
	tests := []struct{ yaml, want string }{
		{`collection_interval: 0s`, `"collection_interval": requires positive value`},
		{`collection_interval: 10ms`, `"collection_interval" must be at least 1s`},
		{`collection_interval: 30`, `"collection_interval" must be at least 1s`},
		{`collection_interval: often`, `'collection_interval' time: invalid duration`},
		{`initial_delay: soon`, `'initial_delay' time: invalid duration`},
		{`timeout: 0s`, `"timeout" must be positive, such as 10s`},
		{`timeout: -1s`, `"timeout": requires positive value`},
		{`timeout: [1s]`, `'timeout' expected type 'time.Duration'`},
		{`stuck_after: -1s`, `"stuck_after" must not be negative; 0 switches the check off`},
		{`stuck_after: never`, `'stuck_after' time: invalid duration`},
		{`info_interval: 0s`, `"info_interval" must be positive, such as 5m`},
		{`info_interval: x`, `'info_interval' time: invalid duration`},
		{`max_page_size: 100`, `"max_page_size" must be at least 65536 bytes`},
		{`max_page_size: 16MiB`, `'max_page_size' expected type 'int64', got unconvertible type 'string'`},
		{`max_series: 5`, `"max_series" must be at least 100`},
		{`max_series: many`, `'max_series' expected type 'int', got unconvertible type 'string'`},
		{`intervall: 5s`, `has invalid keys: intervall`},
		{`endpoint: http://a`, `has invalid keys: endpoint`},

		{`endpoints: 5`, `'endpoints' source data must be an array or slice, got int`},
		{`endpoints: "[http://a"`, `"endpoints" is not valid YAML: check its brackets, braces and quotes`},
		{`endpoints: [{endpont: http://a}]`, `an entry of "endpoints" cannot be read: decoding failed due to the following error(s): '' has invalid keys: endpont; its keys are endpoint, name, paths and those of every HTTP client`},
		{`endpoints: localhost:8000`, `endpoints::0: ` + url},
		{`endpoints: http://a,ftp://b`, `endpoints::1: ` + url},
		{`endpoints: [localhost:8000]`, `endpoints::0: ` + url},
		{`endpoints: ["http://"]`, `endpoints::0: ` + url},
		{`endpoints: ["http://a:port"]`, `endpoints::0: ` + url},
		{`endpoints: [5]`, `'endpoints[0]' expected a map or struct, got "int"`},
		{`endpoints: [{}]`, `endpoints::0: "endpoint" must be the base URL of a vLLM server, such as http://localhost:8000`},
		{`endpoints: [{endpoint: 5}]`, `'endpoint' expected type 'string'`},
		{`endpoints: ["http://u:s3cr3t@a"]`, `endpoints::0: "endpoint" must not hold a user or password: set "headers" or "auth" instead`},
		{`endpoints: ["http://u:s3cr%zzt@a"]`, `endpoints::0: ` + url},
		{`endpoints: ["u:s3cr3t@a:80"]`, `endpoints::0: ` + url},
		{`endpoints: ["http://a:s3cr3t"]`, `endpoints::0: ` + url},
		{`endpoints: ["http://a?token=s3cr3t"]`, `endpoints::0: "endpoint" must have no query and no fragment`},
		{`endpoints: ["http://a:8000/#"]`, `endpoints::0: "endpoint" must have no query and no fragment`},
		{`endpoints: ["http://a#x"]`, `endpoints::0: "endpoint" must have no query and no fragment`},
		{`endpoints: ["http://a/x/metrics/"]`, `endpoints::0: "endpoint" must be the base URL of the server, without the path that is read: set "paths" if that differs`},
		{`endpoints: ["http://a", "http://a:80/"]`, `"endpoints" 0 and 1 are both called "a:80": give one of them another "name"`},
		{`endpoints: ["https://[::1]", {endpoint: "http://a", name: "[::1]:443"}]`, `"endpoints" 0 and 1 are both called "[::1]:443": give one of them another "name"`},
		{`endpoints: [{endpoint: http://a, name: [x]}]`, `'name' expected type 'string'`},
		{`endpoints: [{endpoint: http://a, timeout: 5}]`, `endpoints::0: "timeout" of an endpoint must be at least 100ms, with a unit such as 10s, or 0 for the receiver's`},
		{`endpoints: [{endpoint: http://a, timeout: x}]`, `'timeout' time: invalid duration`},
		{`endpoints: [{endpoint: http://a, headers: [s3cr3t]}]`, `'headers' expected type 'map[string]configopaque.String'`},
		{`endpoints: [{endpoint: http://a, headers: {a: [s3cr3t]}}]`, `'headers[a]' expected type 'configopaque.String'`},
		{`endpoints: [{endpoint: http://a, hedaers: {a: s3cr3t}}]`, `has invalid keys: hedaers`},
		{`endpoints: [{endpoint: http://a, compression: zipp}]`, `'compression' unsupported compression type "zipp"`},
		{`endpoints: [{endpoint: http://a, headers: {a: s3cr3t}, tls: 5}]`, `'tls' expected a map or struct`},

		{`endpoints: [{endpoint: http://a, paths: /metrics}]`, `'paths' expected a map or struct, got "string"`},
		{`endpoints: [{endpoint: http://a, paths: {x: /x}}]`, `'paths' has invalid keys: x`},
		{`endpoints: [{endpoint: http://a, paths: {metrics: ""}}]`, `endpoints::0::paths: "metrics" must not be empty: the default is /metrics`},
		{`endpoints: [{endpoint: http://a, paths: {metrics: m}}]`, `endpoints::0::paths: "metrics" must be a path that starts with a slash and has no query, or empty to skip it`},
		{`endpoints: [{endpoint: http://a, paths: {health: h}}]`, `endpoints::0::paths: "health" must be a path`},
		{`endpoints: [{endpoint: http://a, paths: {version: "/v#x"}}]`, `endpoints::0::paths: "version" must be a path`},
		{`endpoints: [{endpoint: http://a, paths: {models: "/m?token=s3cr3t"}}]`, `endpoints::0::paths: "models" must be a path`},
		{`endpoints: [{endpoint: http://a, paths: {server_info: http://b}}]`, `endpoints::0::paths: "server_info" must be a path`},
		{`endpoints: [{endpoint: http://a, paths: {server_info: 5}}]`, `'paths.server_info' expected type 'string'`},

		{`docker: 5`, `'docker' expected a map`},
		{`docker: {enable: true}`, `has invalid keys: enable`},
		{`docker: {endpoint: "localhost"}`, `docker::config: "endpoint" must be the address of a Docker engine, such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375`},
		{`docker: {timeout: 0s}`, `docker::config: "timeout" must be at least 100ms`},
		{`docker: {resync_interval: 1ms}`, `docker::config: "resync_interval" must be at least 1s`},
		{`docker: {max_containers: 0}`, `docker::config: "max_containers" must be positive`},
		{`docker: {keep_gone: -1s}`, `docker::config: "keep_gone" must not be negative`},
		{`docker: {keep_gone: long}`, `'docker.keep_gone' time: invalid duration`},
		{`docker: {proc_root: proc}`, `docker::config: "proc_root" must be an absolute path`},
		{`docker: {include: all}`, `'docker.include' expected a map or struct, got "string"`},
		{`docker: {include: {name: [a]}}`, `'docker.include' has invalid keys: name`},
		{`docker: {include: {names: ["/(/"]}}`, `docker::include: "names" must hold patterns such as vllm-* or /^vllm-[0-9]+$/, not "/(/": error parsing regexp`},
		{`docker: {include: {images: [""]}}`, `docker::include: "images" must hold patterns such as vllm-* or /^vllm-[0-9]+$/, not "": it is empty`},
		{`docker: {include: {labels: ["=x"]}}`, `docker::include: "labels" must hold patterns`},
		{`docker: {exclude: {labels: ["a=/[/"]}}`, `docker::exclude: "labels" must hold patterns`},
		{`docker: {exclude: {env: ["A=/+/"]}}`, `docker::exclude: "env" must hold patterns`},
		{`docker: {exclude: {commands: [""]}}`, `docker::exclude: "commands" must hold patterns`},
		{`docker: {exclude: {names: {a: b}}}`, `'docker.exclude.names' source data must be an array or slice, got map`},
		{`docker: {address: bridge}`, `docker: "address" must be auto, published or network`},
		{`docker: {address: published, network: llm}`, `docker: "network" must be empty with "address: published", which uses no network of Docker`},
		{`docker: {host: "http://a"}`, `docker: "host" must be a name or an IP address, without scheme and port, such as gpu-1.example.com`},
		{`docker: {host: "a:80"}`, `docker: "host" must be a name or an IP address`},
		{`docker: {host: "a/b"}`, `docker: "host" must be a name or an IP address`},
		{`docker: {max_servers: 0}`, `docker: "max_servers" must be positive`},
		{`docker: {template: x}`, `'docker.template' expected a map or struct, got "string"`},
		{`docker: {template: {name: x}}`, `'docker.template' has invalid keys: name`},
		{`docker: {template: {endpoint: "http://a:s3cr3t@b"}}`, `docker::template: "endpoint" must not be set in a template: it is the address of each container`},
		{`docker: {template: {timeout: 5}}`, `docker::template: "timeout" of a template must be at least 100ms, with a unit such as 10s, or 0 for the receiver's`},
		{`docker: {template: {paths: {metrics: ""}}}`, `docker::template::paths: "metrics" must not be empty: the default is /metrics`},
		{`docker: {template: {compression: zipp}}`, `'docker.template.compression' unsupported compression type "zipp"`},

		{`histograms: [a]`, `'histograms' expected type`},
		{`histograms: {vllm.request.param.n: {enabled: true}}`, `histograms: there is no histogram "vllm.request.param.n": the names are ` + strings.Join(histogramNames(), ", ")},
		{`histograms: {vllm.request.params.n: true}`, `'histograms[vllm.request.params.n]' expected a map or struct, got "bool"`},
		{`histograms: {vllm.request.params.n: {enabled: 7}}`, `'histograms[vllm.request.params.n].enabled' expected type 'bool'`},
		{`histograms: {vllm.request.params.n: {enable: true}}`, `'histograms[vllm.request.params.n]' has invalid keys: enable`},
		{`histograms: {vllm.request.params.n: }`, `histograms: "vllm.request.params.n" must say "enabled: true" or "enabled: false"`},
		{`metrics: {vllm.upp: {enabled: true}}`, `'metrics' has invalid keys: vllm.upp`},
		{`metrics: {vllm.up: {enabled: 7}}`, `'enabled' expected type 'bool'`},
		{`resource_attributes: {x: {enabled: true}}`, `'resource_attributes' has invalid keys: x`},
	}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(tt.yaml))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			_, err = load(conf)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "s3cr")
			lines := strings.Split(strings.ReplaceAll(err.Error(), "decoding failed due to the following error(s):", ""), "\n")
			assert.Len(t, slices.DeleteFunc(lines, func(line string) bool {
				return strings.TrimSpace(line) == "" || strings.HasSuffix(line, "' ")
			}), 1, "one sentence")
		})
	}
	t.Run("all keys", func(t *testing.T) {
		var all strings.Builder
		for _, tt := range tests {
			all.WriteString(tt.yaml + "\n")
		}
		for _, of := range []any{Config{}, EndpointConfig{}, PathsConfig{}, HistogramConfig{}, DockerConfig{}, docker.Config{}, docker.Selection{}, TemplateConfig{}} {
			for _, key := range keysOf(of) {
				assert.Contains(t, all.String(), key+":", "no test of a bad value")
			}
		}
	})
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

// TestOneEndpoint: a single server need not stand in a list.
func TestOneEndpoint(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"endpoints": map[string]any{"endpoint": "http://a", "name": "one"},
	}).Unmarshal(cfg))
	require.Len(t, cfg.Endpoints, 1)
	assert.Equal(t, "one", cfg.Endpoints[0].Name)
	assert.Equal(t, "/metrics", cfg.Endpoints[0].Paths.Metrics)

	require.Error(t, confmap.NewFromStringMap(map[string]any{"endpoints": map[string]any{"name": 5, "x": 1}}).Unmarshal(cfg))
}

func TestConfigHidesSecrets(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := file.Sub("vllm/all")
	require.NoError(t, err)
	cfg, err := load(sub)
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprintf("%+v %#v %+v %#v", cfg, cfg.Endpoints, cfg.Docker, *cfg.Docker), "Bearer secret")
}

func TestInstance(t *testing.T) {
	for url, want := range map[string]string{
		"http://a:8000":       "a:8000",
		"http://a":            "a:80",
		"https://a/":          "a:443",
		"https://a/llm/qwen/": "a:443/llm/qwen",
		"http://[::1]:8000":   "[::1]:8000",
		"::":                  "",
		"not a url \x00":      "",
	} {
		e := newDefaultEndpoint()
		e.Endpoint = url
		assert.Equal(t, want, e.instance(), url)
	}
}

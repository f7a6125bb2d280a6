package dockerattributesprocessor

import (
	"path/filepath"
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

func TestDefaultConfig(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, docker.NewDefaultConfig(), cfg.Docker)
	assert.Equal(t, []string{
		"container.gpus", "container.image.name", "container.image.tags", "container.name",
		"docker.compose.project", "docker.compose.service", "gen_ai.request.model",
	}, cfg.Extract.Metadata)
	assert.False(t, cfg.WaitForMetadata)
}

func TestLoadConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	little := createDefaultConfig().(*Config)
	little.Extract.Metadata = []string{}
	little.Association = []AssociationConfig{{Sources: []SourceConfig{{From: fromResource, Name: processPID}}}}
	little.ServiceName = ServiceNameConfig{Signals: []string{}, Placeholders: []string{}}
	tests := map[string]*Config{
		"docker_attributes":        createDefaultConfig().(*Config),
		"docker_attributes/little": little,
		"docker_attributes/all": {
			Docker: docker.Config{
				Endpoint: "tcp://127.0.0.1:2375", Timeout: 2 * time.Second, ResyncInterval: time.Minute,
				MaxContainers: 500, KeepGone: 10 * time.Minute, ProcRoot: "/hostfs/proc",
			},
			Extract: ExtractConfig{
				Metadata: []string{"container.name", "container.image.tag", "llm.model.id"},
				Labels: []LabelConfig{
					{Key: "team"},
					{TagName: "service.owner", Key: "com.example.owner"},
					{TagName: "example.$$1", KeyRegex: `com\.example\.(.*)`}, // the collector makes $ of $$
				},
			},
			Association: []AssociationConfig{
				{Sources: []SourceConfig{{From: fromResource, Name: containerID}}},
				{Sources: []SourceConfig{
					{From: fromResource, Name: containerName},
					{From: fromResource, Name: "my.pid", As: processPID},
				}},
				{Sources: []SourceConfig{{From: fromRecord, Name: logFilePath}}},
				{Sources: []SourceConfig{{From: fromPoint, Name: containerID}}},
			},
			Exclude:                ExcludeConfig{Containers: []ExcludeContainerConfig{{Name: "^otelcol"}}},
			ServiceName:            ServiceNameConfig{Signals: []string{"metrics", "logs", "traces"}, Placeholders: []string{"none"}},
			Override:               true,
			RemoveContainerID:      true,
			WaitForMetadata:        true,
			WaitForMetadataTimeout: 3 * time.Second,
		},
	}
	for name := range file.ToStringMap() {
		t.Run(name, func(t *testing.T) {
			sub, err := file.Sub(name)
			require.NoError(t, err)
			cfg, err := load(sub)
			require.NoError(t, err)
			want, ok := tests[name]
			require.True(t, ok)
			assert.Equal(t, want, cfg)
		})
	}
}

// TestBadConfig: whatever is wrong, the message names the key and says what would be right.
func TestBadConfig(t *testing.T) {
	const from = `"from" must be resource_attribute, log_record_attribute or datapoint_attribute`
	tests := []struct{ yaml, want string }{
		{`endpoint: unix:///x`, `has invalid keys: endpoint`},
		{`docker: unix:///x`, `'docker' expected a map or struct, got "string"`},
		{`docker: {endpoint: /var/run/docker.sock}`, `docker: "endpoint" must be the address of a Docker engine`},
		{`docker: {timeout: 1ms}`, `docker: "timeout" must be at least 100ms`},
		{`docker: {resync_interval: 1ms}`, `docker: "resync_interval" must be at least 1s`},
		{`docker: {max_containers: 0}`, `docker: "max_containers" must be positive`},
		{`docker: {keep_gone: -1s}`, `docker: "keep_gone" must not be negative`},
		{`docker: {proc_root: proc}`, `docker: "proc_root" must be an absolute path`},
		{`docker: {timeout: soon}`, `'docker.timeout' time: invalid duration`},

		{`extract: [container.name]`, `'extract' expected a map or struct`},
		{`extract: {metadata: {container.name: true}}`, `'extract.metadata' source data must be an array or slice`},
		{`extract: {metadata: [k8s.pod.name]}`, `extract: "metadata" must not have "k8s.pod.name": the names are container.gpus, container.id, `},
		{`extract: {annotations: []}`, `'extract' has invalid keys: annotations`},
		{`extract: {labels: [{}]}`, `extract::labels::0: "key" or "key_regex" must say which label, and only one of them`},
		{`extract: {labels: [{key: a, key_regex: b}]}`, `extract::labels::0: "key" or "key_regex" must say`},
		{`extract: {labels: [{key: a}, {key_regex: "("}]}`, `extract::labels::1: "key_regex" must be a regular expression, such as com\.example\.(.*): error parsing regexp: missing closing ): ` + "`(`"},
		{`extract: {labels: [{key: a, from: pod}]}`, `'extract.labels[0]' has invalid keys: from`},
		{`extract: {labels: [{key: a, tag_name: [b]}]}`, `'extract.labels[0].tag_name' expected type 'string'`},

		{`association: []`, `"association" must have at least one entry, such as {sources: [{from: resource_attribute, name: container.id}]}`},
		{`association: [container.id]`, `'association[0]' expected a map or struct, got "string"`},
		{`association: [{}]`, `association::0: "sources" must have at least one entry, such as {from: resource_attribute, name: container.id}`},
		{`association: [{sources: [{}]}]`, `association::0::sources::0: ` + from},
		{`association: [{sources: [{from: connection, name: container.id}]}]`, `association::0::sources::0: ` + from},
		{`association: [{sources: [{from: resource_attribute}]}]`, `"name" must be the name of an attribute, such as container.id`},
		{`association: [{sources: [{from: resource_attribute, name: my.pid}]}]`, `association::0::sources::0: "as" must be container.id, process.pid, log.file.path or container.name, where`},
		{`association: [{sources: [{from: resource_attribute, name: my.pid, as: pid}]}]`, `association::0::sources::0: "as" must be`},
		{`association: [{sources: [{from: resource_attribute, name: container.id}, {from: datapoint_attribute, name: container.id}]}]`, `association::0: "sources" of one association must have the same "from"`},

		{`exclude: {pods: []}`, `'exclude' has invalid keys: pods`},
		{`exclude: {containers: [a]}`, `'exclude.containers[0]' expected a map or struct`},
		{`exclude: {containers: [{}]}`, `exclude::containers::0: "name" must be a regular expression for names of containers, such as ^otelcol`},
		{`exclude: {containers: [{name: "a["}]}`, `exclude::containers::0: "name" must be a regular expression for names of containers, such as ^otelcol: error parsing`},

		{`service_name: docker`, `'service_name' expected a map or struct`},
		{`service_name: {signals: [log]}`, `service_name: "signals" must be a list of metrics, logs and traces, or empty`},
		{`service_name: {placeholders: [""]}`, `service_name: "placeholders" must not have an empty entry`},

		{`override: maybe`, `'override' expected type 'bool', got unconvertible type 'string'`},
		{`remove_container_id: maybe`, `'remove_container_id' expected type 'bool', got unconvertible type 'string'`},
		{`{remove_container_id: true, extract: {metadata: [container.id]}}`, `"remove_container_id" must be false where "metadata" has container.id`},
		{`wait_for_metadata: 10s`, `'wait_for_metadata' expected type 'bool', got unconvertible type 'string'`},
		{`wait_for_metadata_timeout: 0s`, `"wait_for_metadata_timeout" must be positive, such as 10s`},
		{`wait_for_metadata_timeout: long`, `'wait_for_metadata_timeout' time: invalid duration`},
	}
	tested := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(tt.yaml))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			for _, key := range conf.AllKeys() {
				tested[strings.SplitN(key, "::", 2)[0]] = true
			}
			_, err = load(conf)
			require.ErrorContains(t, err, tt.want)
		})
	}
	for _, key := range keysOf(Config{}) {
		assert.True(t, tested[key], "no bad value of %s is tested", key)
	}
}

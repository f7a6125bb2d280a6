package dockerattributesprocessor

import (
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadatatest"
)

// update makes the tests write what they would otherwise compare with.
var update = flag.Bool("update", false, "write goldens instead of comparing with them")

// The containers of most tests.
var (
	vllmID    = strings.Repeat("a1", 32)
	webID     = strings.Repeat("b2", 32)
	otelcolID = strings.Repeat("c3", 32)
)

const (
	vllmPID = 4711
	webPID  = 4712
	hostPID = 4713
)

func someContainers() []simulator.DockerContainer {
	return []simulator.DockerContainer{
		{
			ID: vllmID, Name: "llm-vllm-1", Image: "vllm/vllm-openai:v0.11.0", Pid: vllmPID,
			Entrypoint: []string{"vllm", "serve"}, Cmd: []string{"Qwen/Qwen3-32B", "--served-model-name", "qwen3-32b", "qwen", "--tensor-parallel-size", "2"},
			Labels: map[string]string{
				"com.docker.compose.project": "llm", "com.docker.compose.service": "vllm",
				"com.example.team": "ml", "com.example.tier": "gold",
			},
			HostConfig: container.HostConfig{Resources: container.Resources{
				DeviceRequests: []container.DeviceRequest{{Driver: "nvidia", DeviceIDs: []string{"0", "1"}, Capabilities: [][]string{{"gpu"}}}},
			}},
		},
		{ID: webID, Name: "web", Image: "registry.example.com:5000/nginx:1.29@sha256:" + strings.Repeat("d4", 32), Pid: webPID},
		{ID: otelcolID, Name: "otelcol-llm", Image: "otelcol-llm"},
	}
}

// newEngine starts an engine on a socket of its own.
func newEngine(tb testing.TB, containers ...simulator.DockerContainer) *simulator.Docker {
	tb.Helper()
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: containers})
	directory, err := os.MkdirTemp("", "da") //nolint:usetesting // tb.TempDir can be too long for a socket
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(directory) })
	require.NoError(tb, engine.Listen(tb.Context(), "unix://"+filepath.Join(directory, "docker.sock"), nil))
	tb.Cleanup(engine.Shutdown)
	return engine
}

// newProc makes a proc file system in which the containers of most tests run.
func newProc(tb testing.TB) string {
	tb.Helper()
	proc := tb.TempDir()
	for pid, cgroup := range map[string]string{
		"4711": "0::/system.slice/docker-" + vllmID + ".scope\n",
		"4712": "5:memory:/docker/" + webID + "\n",
		"4713": "0::/user.slice/user-1000.slice/session-1.scope\n",
	} {
		dir := filepath.Join(proc, pid)
		require.NoError(tb, os.Mkdir(dir, 0o700))
		require.NoError(tb, os.WriteFile(filepath.Join(dir, "cgroup"), []byte(cgroup), 0o600))
		require.NoError(tb, os.WriteFile(filepath.Join(dir, "stat"), []byte(pid+" (python3) S 1 "+strings.Repeat("1 ", 17)+"12345 1 1\n"), 0o600))
	}
	return proc
}

// started is an enricher that runs, with its telemetry.
type started struct {
	*enricher
	signal    pipeline.Signal
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
}

// start starts an enricher and does not wait for Docker.
func start(tb testing.TB, signal pipeline.Signal, change func(*Config)) *started {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	change(cfg)
	return startWith(tb, signal, cfg)
}

func startWith(tb testing.TB, signal pipeline.Signal, cfg *Config) *started {
	tb.Helper()
	core, logs := observer.New(zap.InfoLevel)
	s := &started{signal: signal, telemetry: componenttest.NewTelemetry(), logs: logs}
	set := metadatatest.NewSettings(s.telemetry)
	set.Logger = zap.New(core)
	var err error
	s.enricher, err = newEnricher(cfg, set, signal)
	require.NoError(tb, err)
	require.NoError(tb, s.start(tb.Context(), componenttest.NewNopHost()))
	tb.Cleanup(func() {
		require.NoError(tb, s.shutdown(context.Background()))
		require.NoError(tb, s.telemetry.Shutdown(context.Background()))
	})
	return s
}

// startAt starts an enricher that knows the containers of an engine.
func startAt(tb testing.TB, engine *simulator.Docker, signal pipeline.Signal, change func(*Config)) *started {
	tb.Helper()
	s := start(tb, signal, func(cfg *Config) {
		cfg.Docker.Endpoint = engine.Endpoint()
		if change != nil {
			change(cfg)
		}
	})
	select {
	case <-s.watcher.Ready():
	case <-time.After(10 * time.Second):
		require.Fail(tb, "the watcher does not know the containers", "%v", s.watcher.State())
	}
	return s
}

// counts returns the lookups by result.
func (s *started) counts(t *testing.T) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	m, err := s.telemetry.GetMetric("otelcol_processor_docker_attributes_lookups")
	if err != nil {
		return found // nothing was counted
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		result, _ := p.Attributes.Value("result")
		found[result.AsString()] += p.Value
	}
	return found
}

// resource makes attributes.
func resource(t testing.TB, raw map[string]any) pcommon.Map {
	t.Helper()
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(raw))
	return m
}

// pass sends a resource of the enricher's signal through it, with one record,
// point or span, and returns the attributes of the resource.
func (s *started) pass(t testing.TB, raw map[string]any) map[string]any {
	t.Helper()
	attributes := resource(t, raw)
	switch s.signal {
	case pipeline.SignalLogs:
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		attributes.CopyTo(rl.Resource().Attributes())
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
		ld, err := s.processLogs(t.Context(), ld)
		require.NoError(t, err)
		return ld.ResourceLogs().At(0).Resource().Attributes().AsRaw()
	case pipeline.SignalTraces:
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		attributes.CopyTo(rs.Resource().Attributes())
		rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("hello")
		td, err := s.processTraces(t.Context(), td)
		require.NoError(t, err)
		return td.ResourceSpans().At(0).Resource().Attributes().AsRaw()
	default:
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		attributes.CopyTo(rm.Resource().Attributes())
		rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
		md, err := s.processMetrics(t.Context(), md)
		require.NoError(t, err)
		return md.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	}
}

// with returns attributes with more of them.
func with(raw map[string]any, more ...any) map[string]any {
	all := map[string]any{}
	maps.Copy(all, raw)
	for i := 0; i < len(more); i += 2 {
		all[more[i].(string)] = more[i+1]
	}
	return all
}

// What the containers of most tests get by default.
var (
	vllmAttributes = map[string]any{
		"container.name": "llm-vllm-1", "container.image.name": "vllm/vllm-openai", "container.image.tags": []any{"v0.11.0"},
		"docker.compose.project": "llm", "docker.compose.service": "vllm", "gen_ai.request.model": "qwen3-32b", "container.gpus": "0,1",
	}
	webAttributes = map[string]any{
		"container.name": "web", "container.image.name": "registry.example.com:5000/nginx", "container.image.tags": []any{"1.29"},
	}
)

var signals = []pipeline.Signal{pipeline.SignalMetrics, pipeline.SignalLogs, pipeline.SignalTraces}

func TestGolden(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	everything, _ := metadataNames()
	all := func(cfg *Config) {
		cfg.Extract.Metadata = everything
		cfg.Extract.Labels = []LabelConfig{{Key: "com.example.team"}, {TagName: "example.$1", KeyRegex: `com\.example\.(.*)`}}
		cfg.Association = append(cfg.Association,
			AssociationConfig{Sources: []SourceConfig{{From: fromPoint, Name: containerID}}},
			AssociationConfig{Sources: []SourceConfig{{From: fromRecord, Name: containerID}}},
		)
	}
	tests := map[string]func(*Config){"defaults": nil, "everything": all}
	for name, change := range tests {
		t.Run("metrics_"+name, func(t *testing.T) {
			input, err := golden.ReadMetrics(filepath.Join("testdata", "metrics", "input.yaml"))
			require.NoError(t, err)
			actual, err := startAt(t, engine, pipeline.SignalMetrics, change).processMetrics(t.Context(), input)
			require.NoError(t, err)
			file := filepath.Join("testdata", "metrics", "expected_"+name+".yaml")
			if *update {
				require.NoError(t, golden.WriteMetricsToFile(file, actual))
			}
			expected, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(
				expected, actual,
				pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder(),
			))
		})
		t.Run("logs_"+name, func(t *testing.T) {
			input, err := golden.ReadLogs(filepath.Join("testdata", "logs", "input.yaml"))
			require.NoError(t, err)
			actual, err := startAt(t, engine, pipeline.SignalLogs, change).processLogs(t.Context(), input)
			require.NoError(t, err)
			file := filepath.Join("testdata", "logs", "expected_"+name+".yaml")
			if *update {
				require.NoError(t, golden.WriteLogsToFile(file, actual))
			}
			expected, err := golden.ReadLogs(file)
			require.NoError(t, err)
			require.NoError(t, plogtest.CompareLogs(expected, actual))
		})
		t.Run("traces_"+name, func(t *testing.T) {
			input, err := golden.ReadTraces(filepath.Join("testdata", "traces", "input.yaml"))
			require.NoError(t, err)
			actual, err := startAt(t, engine, pipeline.SignalTraces, change).processTraces(t.Context(), input)
			require.NoError(t, err)
			file := filepath.Join("testdata", "traces", "expected_"+name+".yaml")
			if *update {
				require.NoError(t, golden.WriteTracesToFile(file, actual))
			}
			expected, err := golden.ReadTraces(file)
			require.NoError(t, err)
			require.NoError(t, ptracetest.CompareTraces(expected, actual))
		})
	}
}

// TestUntouched: what belongs to no known container stays as it is, byte for byte.
func TestUntouched(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	for _, signal := range signals {
		s := startAt(t, engine, signal, func(cfg *Config) {
			cfg.Docker.ProcRoot = newProc(t)
			cfg.Override, cfg.RemoveContainerID = true, true
			cfg.Exclude.Containers = []ExcludeContainerConfig{{Name: "^otelcol"}}
			for _, name := range []string{processPID, containerName} {
				cfg.Association = append(cfg.Association, AssociationConfig{Sources: []SourceConfig{{From: fromResource, Name: name}}})
			}
		})
		tests := []struct {
			name    string
			raw     map[string]any
			counted string
		}{
			{name: "nothing", raw: map[string]any{}},
			{name: "of a host", raw: map[string]any{"host.name": "gpu-1", "service.name": "docker"}},
			{name: "unknown id", raw: map[string]any{"container.id": strings.Repeat("9", 64), "service.name": "docker"}, counted: "miss"},
			{name: "no id", raw: map[string]any{"container.id": "web"}, counted: "miss"},
			{name: "empty id", raw: map[string]any{"container.id": ""}},
			{name: "id is a number", raw: map[string]any{"container.id": int64(7)}},
			{name: "path without id", raw: map[string]any{"log.file.path": "/var/log/syslog"}},
			{name: "path with unknown id", raw: map[string]any{"log.file.path": "/x/" + strings.Repeat("9", 64) + "/y"}, counted: "miss"},
			{name: "process of the host", raw: map[string]any{"process.pid": int64(hostPID)}, counted: "miss"},
			{name: "process that is gone", raw: map[string]any{"process.pid": int64(99)}, counted: "miss"},
			{name: "no process", raw: map[string]any{"process.pid": int64(0)}},
			{name: "pid is a word", raw: map[string]any{"process.pid": "none"}},
			{name: "unknown name", raw: map[string]any{"container.name": "other"}, counted: "miss"},
			{name: "empty name", raw: map[string]any{"container.name": "/"}},
			{name: "excluded", raw: map[string]any{"container.id": otelcolID, "service.name": "docker"}, counted: "excluded"},
		}
		for _, tt := range tests {
			t.Run(signal.String()+" "+tt.name, func(t *testing.T) {
				before := s.counts(t)
				assert.Equal(t, tt.raw, s.pass(t, tt.raw))
				after := s.counts(t)
				for r := range results {
					want := before[r.String()]
					if r.String() == tt.counted {
						want++
					}
					assert.Equal(t, want, after[r.String()], r)
				}
			})
		}
	}
}

func TestServiceName(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	tests := []struct {
		name string
		cfg  ServiceNameConfig
		id   string
		raw  any
		want any
	}{
		{name: "absent", id: vllmID, want: "vllm"},
		{name: "absent, no compose", id: webID, want: "web"},
		{name: "empty", id: vllmID, raw: "", want: "vllm"},
		{name: "placeholder", id: vllmID, raw: "docker", want: "vllm"},
		{name: "open placeholder", id: vllmID, raw: "unknown_service:python3", want: "vllm"},
		{name: "begins like a placeholder", id: vllmID, raw: "docker-registry", want: "docker-registry"},
		{name: "has a name", id: vllmID, raw: "qwen", want: "qwen"},
		{name: "is no text", id: vllmID, raw: int64(5), want: int64(5)},
		{name: "has no value", id: vllmID, raw: nothing, want: "vllm"},
		{name: "own placeholder", cfg: ServiceNameConfig{Placeholders: []string{"-"}}, id: vllmID, raw: "-", want: "vllm"},
		{name: "no placeholder", cfg: ServiceNameConfig{Placeholders: []string{}}, id: vllmID, raw: "docker", want: "docker"},
		{name: "of another signal", cfg: ServiceNameConfig{Signals: []string{"other"}}, id: vllmID, raw: "docker", want: "docker"},
		{name: "off", cfg: ServiceNameConfig{Signals: []string{}}, id: vllmID},
	}
	for _, signal := range signals {
		for _, tt := range tests {
			t.Run(signal.String()+" "+tt.name, func(t *testing.T) {
				s := startAt(t, engine, signal, func(cfg *Config) {
					cfg.ServiceName.Signals = []string{signal.String()}
					if tt.cfg.Signals != nil {
						cfg.ServiceName.Signals = tt.cfg.Signals
					}
					if tt.cfg.Placeholders != nil {
						cfg.ServiceName.Placeholders = tt.cfg.Placeholders
					}
				})
				raw := map[string]any{"container.id": tt.id}
				switch tt.raw {
				case nil:
				case nothing:
					raw["service.name"] = nil
				default:
					raw["service.name"] = tt.raw
				}
				assert.Equal(t, tt.want, s.pass(t, raw)["service.name"])
			})
		}
	}
	t.Run("by default logs only", func(t *testing.T) {
		for _, signal := range signals {
			_, set := startAt(t, engine, signal, nil).pass(t, map[string]any{"container.id": vllmID})["service.name"]
			assert.Equal(t, signal == pipeline.SignalLogs, set, signal)
		}
	})
}

// nothing stands for an attribute without a value.
var nothing = struct{}{}

func TestOverride(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	raw := map[string]any{
		"container.id": vllmID, "container.name": "", "container.gpus": nil,
		"container.image.name": "vllm/vllm-openai:v0.11.0", "container.image.tags": "mine",
	}
	keep := with(vllmAttributes, "container.id", vllmID, "container.image.name", "vllm/vllm-openai:v0.11.0", "container.image.tags", "mine")
	replace := with(vllmAttributes, "container.id", vllmID)
	for _, signal := range []pipeline.Signal{pipeline.SignalMetrics, pipeline.SignalTraces} {
		assert.Equal(t, keep, startAt(t, engine, signal, nil).pass(t, raw))
		assert.Equal(t, replace, startAt(t, engine, signal, func(cfg *Config) { cfg.Override = true }).pass(t, raw))
	}
}

func TestRemoveContainerID(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) { cfg.RemoveContainerID = true })
	assert.Equal(t, webAttributes, s.pass(t, map[string]any{"container.id": webID}))
	assert.Equal(t, map[string]any{"container.id": "other"}, s.pass(t, map[string]any{"container.id": "other"}))
}

// TestFactory sends data through the processors as a pipeline does.
func TestFactory(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.Docker.Endpoint = engine.Endpoint()
	cfg.WaitForMetadata = true
	set := processortest.NewNopSettings(metadata.Type)

	metricsSink, logsSink, tracesSink := new(consumertest.MetricsSink), new(consumertest.LogsSink), new(consumertest.TracesSink)
	metrics, err := factory.CreateMetrics(t.Context(), set, cfg, metricsSink)
	require.NoError(t, err)
	logs, err := factory.CreateLogs(t.Context(), set, cfg, logsSink)
	require.NoError(t, err)
	traces, err := factory.CreateTraces(t.Context(), set, cfg, tracesSink)
	require.NoError(t, err)
	assert.True(t, metrics.Capabilities().MutatesData)
	assert.True(t, logs.Capabilities().MutatesData)
	assert.True(t, traces.Capabilities().MutatesData)
	for _, p := range []interface {
		Start(context.Context, component.Host) error
		Shutdown(context.Context) error
	}{metrics, logs, traces} {
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		defer func() { assert.NoError(t, p.Shutdown(t.Context())) }()
	}
	assert.Equal(t, 1, engine.Listeners(), "all signals share one watcher")

	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().Resource().Attributes().PutStr("container.id", webID)
	require.NoError(t, metrics.ConsumeMetrics(t.Context(), md))
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().Resource().Attributes().PutStr("container.id", webID)
	require.NoError(t, logs.ConsumeLogs(t.Context(), ld))
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().Resource().Attributes().PutStr("container.id", webID)
	require.NoError(t, traces.ConsumeTraces(t.Context(), td))

	want := with(webAttributes, "container.id", webID)
	assert.Equal(t, want, metricsSink.AllMetrics()[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw())
	assert.Equal(t, with(want, "service.name", "web"), logsSink.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw())
	assert.Equal(t, want, tracesSink.AllTraces()[0].ResourceSpans().At(0).Resource().Attributes().AsRaw())
}

// TestUncheckedConfig: a configuration that nobody validated is refused, not followed.
func TestUncheckedConfig(t *testing.T) {
	set := processortest.NewNopSettings(metadata.Type)
	for name, spoil := range map[string]func(*Config){
		"label":   func(cfg *Config) { cfg.Extract.Labels = []LabelConfig{{KeyRegex: "("}} },
		"exclude": func(cfg *Config) { cfg.Exclude.Containers = []ExcludeContainerConfig{{Name: "("}} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			spoil(cfg)
			_, err := createMetrics(t.Context(), set, cfg, consumertest.NewNop())
			require.Error(t, err)
			_, err = createLogs(t.Context(), set, cfg, consumertest.NewNop())
			require.Error(t, err)
			_, err = createTraces(t.Context(), set, cfg, consumertest.NewNop())
			require.Error(t, err)
		})
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Docker.Endpoint = "nowhere"
	p, err := createMetrics(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.Error(t, p.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, p.Shutdown(t.Context()))
}

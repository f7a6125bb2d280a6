package dockerinventoryreceiver

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// update makes the tests write what they would otherwise compare with: goldens
// and the tables of the README.
var update = flag.Bool("update", false, "write goldens and tables instead of comparing with them")

var birth = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fleet is a container of every kind.
func fleet() []simulator.DockerContainer {
	at := func(minutes int) time.Time { return birth.Add(time.Duration(minutes) * time.Minute) }
	pids := int64(4096)
	return []simulator.DockerContainer{
		{
			Name: "vllm-qwen", Image: "vllm/vllm-openai:v0.11.0-cu129",
			Labels: map[string]string{
				"com.docker.compose.project": "llm", "com.docker.compose.service": "qwen",
				"com.nvidia.cuda.version": "12.9.1", "com.example.team": "research",
			},
			Entrypoint: []string{"vllm", "serve"},
			Cmd: []string{
				"Qwen/Qwen3-32B", "--served-model-name", "qwen3-32b", "qwen", "--tensor-parallel-size", "2", "--pipeline-parallel-size=1",
				"--quantization", "fp8", "--dtype", "bfloat16", "--kv-cache-dtype", "fp8", "--max-model-len", "40960",
			},
			Health: container.Healthy, Created: at(0), Started: at(1), Pid: 4711,
			HostConfig: container.HostConfig{
				NetworkMode: "llm_default", Runtime: "nvidia", RestartPolicy: container.RestartPolicy{Name: "unless-stopped"},
				Resources: container.Resources{
					DeviceRequests: []container.DeviceRequest{{DeviceIDs: []string{"0", "1"}, Capabilities: [][]string{{"gpu"}}}},
					NanoCPUs:       8e9, Memory: 64 << 30, MemoryReservation: 32 << 30, PidsLimit: &pids,
				},
			},
			Mounts: []container.MountPoint{
				{Type: mount.TypeBind, Source: "/srv/models", Destination: "/models"},
				{Type: mount.TypeBind, Source: "/srv/cache", Destination: "/root/.cache", RW: true},
				{Type: mount.TypeVolume, Name: "tokens", Source: "/var/lib/docker/volumes/tokens/_data", Destination: "/tokens"},
			},
			Ports: []container.Port{{PrivatePort: 8000, PublicPort: 8001, Type: "tcp", IP: "127.0.0.1"}, {PrivatePort: 9000, Type: "tcp"}},
		},
		{
			Name: "all-gpus", Image: "nvcr.io/nvidia/pytorch@sha256:" + simulator.DockerID("pytorch"), Created: at(0), Started: at(0),
			Env:        []string{"NVIDIA_VISIBLE_DEVICES=all", "CUDA_VERSION=12.4.0"},
			HostConfig: container.HostConfig{Runtime: "nvidia", NetworkMode: "host"},
		},
		{
			Name: "out-of-memory", Image: "eater", State: container.StateExited, ExitCode: 137, OOMKilled: true, RestartCount: 3,
			Created: at(0), Started: at(5), Finished: at(7),
		},
		{Name: "just-made", Image: "redis:7", State: container.StateCreated, Created: at(9)},
		{Name: "held", Image: "redis:7", State: container.StatePaused, Created: at(9), Started: at(9)},
		{Name: "starting", Image: "vllm/vllm-openai:latest", Cmd: []string{"--model", "m"}, Health: container.Starting, Created: at(9), Started: at(9)},
	}
}

// knownGPUs is a host whose GPUs are known.
type knownGPUs []docker.GPU

func (g knownGPUs) GPUs() []docker.GPU { return g }

var twoGPUs = knownGPUs{
	{Index: 0, Minor: 1, UUID: "GPU-aaaaaaaa-0000-0000-0000-000000000000"},
	{Index: 1, Minor: 0, UUID: "GPU-bbbbbbbb-0000-0000-0000-000000000000"},
}

// everything switches all on.
func everything(cfg *Config) {
	for _, switches := range []any{&cfg.Metrics, &cfg.MetricsBuilderConfig.ResourceAttributes} {
		v := reflect.ValueOf(switches).Elem()
		for i := range v.NumField() {
			v.Field(i).FieldByName("Enabled").SetBool(true)
		}
	}
	cfg.Labels = []string{"com.example.team", "com.example.none"}
}

// nothing switches all metrics off.
func nothing(cfg *Config) {
	v := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range v.NumField() {
		v.Field(i).FieldByName("Enabled").SetBool(false)
	}
}

func TestGolden(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		gpus   gpuList
		dies   bool
	}{
		{name: "default"},
		{name: "everything", change: everything, gpus: twoGPUs},
		{name: "nothing", change: nothing},
		{name: "filtered", change: func(cfg *Config) {
			cfg.Include.Images = []string{"vllm/*"}
			cfg.Exclude.Names = []string{"starting"}
		}},
		{name: "dead", dies: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, simulator.DockerConfig{Containers: fleet()})
			p := w.probe(t, tt.change).ready(t)
			if tt.gpus != nil {
				p.gpus = tt.gpus
			}
			if tt.dies {
				p.read(t)
				w.Shutdown()
				require.Eventually(t, func() bool { return client.IsErrConnectionFailed(p.watcher.State().Err) }, soon, tick)
			}
			actual, err := p.scrape(t.Context())
			require.NoError(t, err)
			neutral(actual)
			file := filepath.Join("testdata", "metrics", tt.name+".yaml")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
				require.NoError(t, golden.WriteMetricsToFile(file, actual))
			}
			expected, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(
				expected, actual,
				pmetrictest.IgnoreTimestamp(),
				pmetrictest.IgnoreStartTimestamp(),
				pmetrictest.IgnoreMetricsOrder(),
				pmetrictest.IgnoreMetricDataPointsOrder(),
				pmetrictest.IgnoreResourceMetricsOrder(),
			))
		})
	}
}

// neutral puts the points of metrics of one name together, since those that end a
// series come in a metric each, which pmetrictest cannot compare, and hides what
// differs each time.
func neutral(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		if _, ok := rm.Resource().Attributes().Get("docker.endpoint"); ok {
			rm.Resource().Attributes().PutStr("docker.endpoint", "unix:///var/run/docker.sock")
		}
		ms := rm.ScopeMetrics().At(0).Metrics()
		first := map[string]pmetric.Metric{}
		ms.RemoveIf(func(m pmetric.Metric) bool {
			to, again := first[m.Name()]
			if !again {
				first[m.Name()] = m
				return false
			}
			m.Gauge().DataPoints().MoveAndAppendTo(to.Gauge().DataPoints())
			return true
		})
		ms.RemoveIf(func(m pmetric.Metric) bool { return m.Name() == "docker.watch.reconnects" })
		ms.Sort(func(a, b pmetric.Metric) bool { return a.Name() < b.Name() })
	}
}

// TestGoldenLogs: one record of each event.
func TestGoldenLogs(t *testing.T) {
	now := birth
	w := newWorld(t, simulator.DockerConfig{Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}})
	j := w.journal(t, func(cfg *Config) {
		cfg.Labels = []string{"com.example.team"}
		cfg.RestartLoop = RestartLoopConfig{Count: 3, Window: 10 * time.Minute}
	})
	step := func(records int, change func()) { // one after another: otherwise the engine would tell a later state
		change()
		j.events(t, records)
	}
	limited := container.HostConfig{Resources: container.Resources{Memory: 32 << 20}}
	step(1, func() {
		w.Create(simulator.DockerContainer{
			Name: "a", Image: "i:1", Health: container.Starting, HostConfig: limited,
			Labels: map[string]string{"com.example.team": "x", "com.docker.compose.project": "p", "com.docker.compose.service": "s"},
		})
	})
	step(2, func() { w.Start("a") })
	step(3, func() { w.Health("a", container.Unhealthy) })
	step(4, func() { w.Pause("a") })
	step(5, func() { w.Unpause("a") })
	step(6, func() { w.Rename("a", "b") })
	step(7, func() { w.Crash("b", 1) })
	step(8, func() { w.Start("b") })
	step(10, func() { w.OOM("b") })
	step(12, func() { w.Start("b") }) // a loop
	step(13, func() { w.Stop("b") })
	step(14, func() { w.Remove("b") })
	step(16, func() { w.Create(simulator.DockerContainer{ID: simulator.DockerID("b2"), Name: "b", Image: "i:2"}) })

	actual := plog.NewLogs()
	for _, logs := range j.AllLogs() {
		logs.ResourceLogs().MoveAndAppendTo(actual.ResourceLogs())
	}
	file := filepath.Join("testdata", "logs", "lifecycle.yaml")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, golden.WriteLogsToFile(file, actual))
	}
	expected, err := golden.ReadLogs(file)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(expected, actual, plogtest.IgnoreTimestamp(), plogtest.IgnoreObservedTimestamp()))
}

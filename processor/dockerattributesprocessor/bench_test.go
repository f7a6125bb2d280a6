package dockerattributesprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
)

// newMetrics makes resources with so many data points each, of containers or of
// none where the id is empty.
func newMetrics(resources, points int, id func(resource int) string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for r := range resources {
		rm := md.ResourceMetrics().AppendEmpty()
		attributes := rm.Resource().Attributes()
		attributes.PutStr("host.name", "gpu-1")
		attributes.PutStr("os.type", "linux")
		attributes.PutStr("service.instance.id", fmt.Sprintf("instance-%d", r))
		if id := id(r); id != "" {
			attributes.PutStr("container.id", id)
		}
		var gauge pmetric.Gauge
		for p := range points {
			if p%20 == 0 { // as many points to a metric
				m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
				m.SetName("a.metric")
				gauge = m.SetEmptyGauge()
			}
			point := gauge.DataPoints().AppendEmpty()
			point.SetIntValue(int64(p))
			point.Attributes().PutStr("cpu", fmt.Sprintf("cpu%d", p%20))
			point.Attributes().PutStr("state", "user")
		}
	}
	return md
}

func newTraces(resources int) ptrace.Traces {
	td := ptrace.NewTraces()
	for range resources {
		td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("chat")
	}
	return td
}

// manyContainers is a fleet of n containers like the one that serves a model.
func manyContainers(n int) []simulator.DockerContainer {
	var fleet []simulator.DockerContainer
	for i := range n {
		c := someContainers()[0]
		c.Name = fmt.Sprintf("vllm-%d", i)
		c.ID = simulator.DockerID(c.Name)
		fleet = append(fleet, c)
	}
	return fleet
}

const fleet = 100

func idOf(resource int) string { return simulator.DockerID(fmt.Sprintf("vllm-%d", resource%fleet)) }

// BenchmarkMetrics is what a pipeline pays for a batch, the collector's own
// bookkeeping included.
func BenchmarkMetrics(b *testing.B) {
	none := func(int) string { return "" }
	datapoints := func(cfg *Config) { cfg.Association = append(cfg.Association, associate(fromPoint, containerID)) }
	for _, bench := range []struct {
		name              string
		resources, points int
		id                func(int) string
		change            func(*Config)
	}{
		{"without_id/1000_points", 100, 1000, none, nil},
		{"without_id/1_point", 1000, 1, none, nil},
		{"with_id/1000_points", 100, 1000, idOf, nil},
		{"with_id/1_point", 1000, 1, idOf, nil},
		{"unknown_id/1000_points", 100, 1000, func(int) string { return "unknown" }, nil},
		{"points_without_id/1000_points", 100, 1000, none, datapoints},
	} {
		b.Run(bench.name, func(b *testing.B) {
			restore := restoreResources
			if bench.id(0) != idOf(0) {
				restore = nil // nothing was changed
			}
			benchmarkMetrics(b, bench.resources, bench.points, newMetrics(bench.resources, bench.points, bench.id), bench.change, restore)
		})
	}
	few := func(cfg *Config) {
		datapoints(cfg)
		cfg.Extract.Metadata = []string{"container.name", "docker.compose.service", "gen_ai.request.model"}
	}
	for name, change := range map[string]func(*Config){"defaults": datapoints, "3_attributes": few} {
		b.Run("points_with_id/1000_points_"+name, func(b *testing.B) {
			md := newMetrics(10, 1000, none)
			i := 0
			for _, rm := range md.ResourceMetrics().All() {
				for _, sm := range rm.ScopeMetrics().All() {
					for _, p := range sm.Metrics().At(0).Gauge().DataPoints().All() {
						p.Attributes().PutStr("container.id", idOf(i))
						i++
					}
				}
			}
			benchmarkMetrics(b, 10, 1000, md, change, func(from, to pmetric.Metrics) { from.CopyTo(to) })
		})
	}
}

// restoreResources takes back what was added to resources.
func restoreResources(from, to pmetric.Metrics) {
	for i, rm := range from.ResourceMetrics().All() {
		attributes := pcommon.NewMap() // without the room that the other has by now
		rm.Resource().Attributes().CopyTo(attributes)
		attributes.MoveTo(to.ResourceMetrics().At(i).Resource().Attributes())
	}
}

func benchmarkMetrics(b *testing.B, resources, points int, md pmetric.Metrics, change func(*Config), restore func(from, to pmetric.Metrics)) {
	b.Helper()
	engine := newEngine(b, manyContainers(fleet)...)
	cfg := createDefaultConfig().(*Config)
	cfg.Docker.Endpoint = engine.Endpoint()
	cfg.WaitForMetadata = true
	if change != nil {
		change(cfg)
	}
	p, err := createMetrics(b.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(b, err)
	require.NoError(b, p.Start(b.Context(), nil))
	defer func() { require.NoError(b, p.Shutdown(b.Context())) }()
	original := pmetric.NewMetrics()
	md.CopyTo(original)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := p.ConsumeMetrics(b.Context(), md); err != nil {
			b.Fatal(err)
		}
		if restore != nil {
			b.StopTimer()
			restore(original, md)
			b.StartTimer()
		}
	}
	b.StopTimer()
	each := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(resources*points)
	b.ReportMetric(each, "ns/point")
	b.ReportMetric(1e9/each, "points/s")
}

// BenchmarkLogs finds the container of each record by the path of its file.
func BenchmarkLogs(b *testing.B) {
	engine := newEngine(b, manyContainers(fleet)...)
	s := startAt(b, engine, pipeline.SignalLogs, nil)
	const records = 1000
	for _, bench := range []struct {
		name string
		path func(int) string
	}{
		{"no_container", func(int) string { return "/var/log/syslog" }},
		{"one_container", func(int) string { return "/var/lib/docker/containers/" + idOf(0) + "/" + idOf(0) + "-json.log" }},
		{"mixed", func(i int) string { return "/var/lib/docker/containers/" + idOf(i/10) + "/" + idOf(i/10) + "-json.log" }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ld := plog.NewLogs()
			scope := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
			for i := range records {
				record := scope.LogRecords().AppendEmpty()
				record.Body().SetStr("INFO 09-01 12:00:00 [core.py:42] something happened")
				record.Attributes().PutStr("log.iostream", "stdout")
				record.Attributes().PutStr("log.file.path", bench.path(i))
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				fresh := plog.NewLogs() // enriched anew each time
				ld.CopyTo(fresh)
				b.StartTimer()
				if _, err := s.processLogs(b.Context(), fresh); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / records
			b.ReportMetric(each, "ns/record")
			b.ReportMetric(1e9/each, "records/s")
		})
	}
}

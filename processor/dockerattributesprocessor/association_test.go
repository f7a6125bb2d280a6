package dockerattributesprocessor

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// associate makes one association of one place. Sources are names, or name=as.
func associate(from string, sources ...string) AssociationConfig {
	var a AssociationConfig
	for _, s := range sources {
		name, as, _ := strings.Cut(s, "=")
		a.Sources = append(a.Sources, SourceConfig{From: from, Name: name, As: as})
	}
	return a
}

// TestAssociation: each way to find a container, in each place of each signal.
func TestAssociation(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	proc := newProc(t)
	logPath := "/var/lib/docker/containers/" + vllmID + "/" + vllmID + "-json.log"
	tests := []struct {
		name    string
		sources [][]string // of each association
		raw     map[string]any
		want    string // the container found
		counted string
	}{
		{name: "id", sources: [][]string{{containerID}}, raw: map[string]any{"container.id": vllmID}, want: "llm-vllm-1", counted: "hit"},
		{name: "short id", sources: [][]string{{containerID}}, raw: map[string]any{"container.id": vllmID[:12]}, want: "llm-vllm-1", counted: "hit"},
		{name: "id elsewhere", sources: [][]string{{"my.id=container.id"}}, raw: map[string]any{"my.id": webID}, want: "web", counted: "hit"},
		{name: "id not asked for", sources: [][]string{{"my.id=container.id"}}, raw: map[string]any{"container.id": webID}},
		{name: "pid, cgroup v2", sources: [][]string{{processPID}}, raw: map[string]any{"process.pid": int64(vllmPID)}, want: "llm-vllm-1", counted: "hit"},
		{name: "pid, cgroup v1", sources: [][]string{{processPID}}, raw: map[string]any{"process.pid": int64(webPID)}, want: "web", counted: "hit"},
		{name: "pid in text", sources: [][]string{{processPID}}, raw: map[string]any{"process.pid": "4712"}, want: "web", counted: "hit"},
		{name: "pid elsewhere", sources: [][]string{{"gpu.pid=process.pid"}}, raw: map[string]any{"gpu.pid": int64(webPID)}, want: "web", counted: "hit"},
		{name: "pid of the host", sources: [][]string{{processPID}}, raw: map[string]any{"process.pid": int64(hostPID)}, counted: "miss"},
		{name: "path", sources: [][]string{{logFilePath}}, raw: map[string]any{"log.file.path": logPath}, want: "llm-vllm-1", counted: "hit"},
		{name: "path elsewhere", sources: [][]string{{"file=log.file.path"}}, raw: map[string]any{"file": logPath}, want: "llm-vllm-1", counted: "hit"},
		{name: "name", sources: [][]string{{containerName}}, raw: map[string]any{"container.name": "web"}, want: "web", counted: "hit"},
		{name: "name with slash", sources: [][]string{{"host=container.name"}}, raw: map[string]any{"host": "/web"}, want: "web", counted: "hit"},
		{
			name: "the first counts", sources: [][]string{{containerID}, {"other=container.id"}},
			raw: map[string]any{"container.id": webID, "other": vllmID}, want: "web", counted: "hit",
		},
		{
			name: "the second, if the first finds nothing", sources: [][]string{{containerID}, {processPID}},
			raw: map[string]any{"container.id": "unknown", "process.pid": int64(webPID)}, want: "web", counted: "hit",
		},
		{
			name: "the second, if the first is not there", sources: [][]string{{containerID}, {processPID}},
			raw: map[string]any{"process.pid": int64(webPID)}, want: "web", counted: "hit",
		},
		{
			name: "none finds anything", sources: [][]string{{containerID}, {processPID}},
			raw: map[string]any{"container.id": "unknown", "process.pid": int64(hostPID)}, counted: "miss",
		},
		{
			name: "both agree", sources: [][]string{{containerID, processPID}},
			raw: map[string]any{"container.id": webID, "process.pid": int64(webPID)}, want: "web", counted: "hit",
		},
		{
			name: "both disagree", sources: [][]string{{containerID, processPID}},
			raw: map[string]any{"container.id": webID, "process.pid": int64(vllmPID)}, counted: "miss",
		},
		{name: "one is not there", sources: [][]string{{containerID, processPID}}, raw: map[string]any{"container.id": webID}},
		{name: "one means nothing", sources: [][]string{{containerID, processPID}}, raw: map[string]any{"container.id": webID, "process.pid": int64(0)}},
	}
	for _, signal := range signals {
		for _, from := range []string{fromResource, fromRecord, fromPoint} {
			for _, tt := range tests {
				t.Run(signal.String()+" "+from+" "+tt.name, func(t *testing.T) {
					s := startAt(t, engine, signal, func(cfg *Config) {
						cfg.Docker.ProcRoot = proc
						cfg.Extract.Metadata = []string{containerName}
						cfg.Association = nil
						cfg.Override = true
						cfg.ServiceName.Signals = nil
						for _, sources := range tt.sources {
							cfg.Association = append(cfg.Association, associate(from, sources...))
						}
					})
					want, counted := with(tt.raw), map[string]int64{}
					foreign := from == fromRecord && signal != pipeline.SignalLogs || from == fromPoint && signal != pipeline.SignalMetrics
					if !foreign {
						if tt.want != "" {
							want["container.name"] = tt.want
						}
						if tt.counted != "" {
							counted[tt.counted] = 1
						}
					}
					switch {
					case from == fromResource || foreign:
						assert.Equal(t, want, s.pass(t, tt.raw))
					case from == fromPoint:
						ofResource, ofPoint := s.passPoint(t, tt.raw)
						assert.Empty(t, ofResource)
						assert.Equal(t, want, ofPoint)
					case tt.want == "":
						ofResource, ofRecord := s.passRecord(t, tt.raw)
						assert.Empty(t, ofResource)
						assert.Equal(t, tt.raw, ofRecord)
					default:
						ofResource, ofRecord := s.passRecord(t, tt.raw)
						assert.Equal(t, map[string]any{"container.name": tt.want}, ofResource)
						assert.Equal(t, tt.raw, ofRecord)
					}
					assert.Equal(t, counted, s.counts(t))
				})
			}
		}
	}
}

// passPoint sends a data point with attributes through.
func (s *started) passPoint(t *testing.T, raw map[string]any) (ofResource, ofPoint map[string]any) {
	t.Helper()
	md := pmetric.NewMetrics()
	point := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	require.NoError(t, point.Attributes().FromRaw(raw))
	md, err := s.processMetrics(t.Context(), md)
	require.NoError(t, err)
	rm := md.ResourceMetrics().At(0)
	return rm.Resource().Attributes().AsRaw(), rm.ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Attributes().AsRaw()
}

// passRecord sends a log record with attributes through.
func (s *started) passRecord(t *testing.T, raw map[string]any) (ofResource, ofRecord map[string]any) {
	t.Helper()
	ld := plog.NewLogs()
	record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	require.NoError(t, record.Attributes().FromRaw(raw))
	ld, err := s.processLogs(t.Context(), ld)
	require.NoError(t, err)
	require.Equal(t, 1, ld.ResourceLogs().Len())
	rl := ld.ResourceLogs().At(0)
	return rl.Resource().Attributes().AsRaw(), rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
}

func TestIDInPath(t *testing.T) {
	id := simulator.DockerID("x")
	tests := map[string]string{
		"/var/lib/docker/containers/" + id + "/" + id + "-json.log":             id,
		"/var/lib/docker/containers/" + id + "/" + id + "-json.log.1":           id,
		"/var/lib/docker/containers/" + id + "/local-logs/container.log":        id,
		"/home/u/.local/share/docker/containers/" + id + "/" + id + "-json.log": id,
		"/var/log/containers/pod_namespace_vllm-" + id + ".log":                 id,
		`C:\ProgramData\docker\containers\` + id + `\` + id + `-json.log`:       id,
		id:                                  id,
		"":                                  "",
		"/var/log/syslog":                   "",
		"/x/" + id[1:] + "/y":               "",
		"/x/" + id + "0/y":                  "",
		"/x/" + strings.ToUpper(id) + "/y":  "",
		"/x/" + id + "0/" + id + "/y":       id,
		"/x/" + id[:32] + "/" + id + ".log": id,
	}
	for path, want := range tests {
		assert.Equal(t, want, idInPath(path), path)
	}
}

func FuzzIDInPath(f *testing.F) {
	f.Add("/var/lib/docker/containers/" + strings.Repeat("a", 64) + "/x.log")
	f.Add(strings.Repeat("0", 65))
	f.Fuzz(func(t *testing.T, path string) {
		if id := idInPath(path); id != "" {
			assert.Len(t, id, 64)
			assert.Contains(t, path, id)
		}
	})
}

// TestNames: names are learned from the list and from events, and those of the
// gone stay for as long as the gone are known.
func TestNames(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) {
		cfg.Association = []AssociationConfig{associate(fromResource, containerName)}
		cfg.Extract.Metadata = []string{containerID}
	})
	find := func(name string) any { return s.pass(t, map[string]any{"container.name": name})["container.id"] }
	assert.Equal(t, webID, find("web"))
	assert.Nil(t, find("db"))

	db := engine.Run(simulator.DockerContainer{Name: "db", Image: "postgres:17"})
	eventually(t, func() bool { return find("db") == db })

	// As docker compose replaces a container.
	engine.Rename(db, "old_db")
	eventually(t, func() bool { return find("old_db") == db })
	second := engine.Create(simulator.DockerContainer{ID: strings.Repeat("e5", 32), Name: "db", Image: "postgres:18"})
	eventually(t, func() bool { return find("db") == second })
	engine.Remove(db)
	engine.Start(second)
	eventually(t, func() bool { c, _ := s.watcher.Get(db); return c != nil && !c.Gone.IsZero() })
	assert.Equal(t, second, find("db"))
	assert.Equal(t, db, find("old_db"), "gone, but known")
	assert.Positive(t, s.counts(t)["gone"])
}

// TestNamesOfTheOld: an event that comes late does not take a name from its owner.
func TestNamesOfTheOld(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) {
		cfg.Association = []AssociationConfig{associate(fromResource, containerName)}
	})
	web, known := s.watcher.Get(webID)
	require.True(t, known)
	s.names.note(docker.Event{Action: docker.ActionLost, Lost: 1}) // which may have told of it
	assert.Len(t, s.names.ids, 3)
	late := *web
	late.ID = strings.Repeat("0", 64)
	s.names.learn(&late)
	assert.Equal(t, web, s.names.find("web"))
}

// TestNamesBound: names that no container has any more do not pile up.
func TestNamesBound(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) {
		cfg.Docker.MaxContainers = 5
		cfg.Association = []AssociationConfig{associate(fromResource, containerName)}
	})
	web, known := s.watcher.Get(webID)
	require.True(t, known)
	s.names.seed()
	for i := range 100 {
		other := *web
		other.ID, other.Name = simulator.DockerID(strconv.Itoa(i)), "name-"+strconv.Itoa(i)
		s.names.learn(&other)
		assert.LessOrEqual(t, len(s.names.ids), 10)
	}
	assert.Equal(t, web, s.names.find("web"))
}

// TestNoAllocation: what identifies no container, or one that is not known, costs no memory.
func TestNoAllocation(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	proc := newProc(t)
	full := func(cfg *Config) {
		cfg.Docker.ProcRoot = proc
		for _, name := range []string{processPID, containerName} {
			cfg.Association = append(cfg.Association, associate(fromResource, name))
		}
		cfg.Association = append(cfg.Association, associate(fromPoint, containerID), associate(fromRecord, containerID))
	}
	fill := func(attributes pcommon.Map) {
		attributes.PutStr("host.name", "gpu-1")
		attributes.PutStr("service.name", "vllm")
		attributes.PutInt("server.port", 8000)
	}
	metrics := startAt(t, engine, pipeline.SignalMetrics, full)
	md := newMetrics(3, 100, func(int) string { return "" })
	fill(md.ResourceMetrics().At(0).Resource().Attributes())
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = metrics.processMetrics(t.Context(), md) }), "metrics")

	logs := startAt(t, engine, pipeline.SignalLogs, full)
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	fill(rl.Resource().Attributes())
	for range 100 {
		record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Attributes().PutStr("log.file.path", "/var/log/syslog")
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = logs.processLogs(t.Context(), ld) }), "logs")

	traces := startAt(t, engine, pipeline.SignalTraces, full)
	td := newTraces(3)
	fill(td.ResourceSpans().At(0).Resource().Attributes())
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = traces.processTraces(t.Context(), td) }), "traces")

	for _, identity := range []struct {
		name  string
		value any
	}{{"container.id", "unknown"}, {"container.name", "unknown"}, {"process.pid", int64(hostPID)}} {
		attributes := resource(t, map[string]any{identity.name: identity.value})
		var count tally
		assert.Zero(t, testing.AllocsPerRun(100, func() { metrics.lookUp(metrics.resources, attributes, &count) }), identity.name)
		assert.Positive(t, count[miss])
	}
	for _, identity := range []struct {
		name  string
		value any
	}{{"container.id", vllmID}, {"container.name", "web"}, {"process.pid", int64(vllmPID)}} {
		attributes := resource(t, map[string]any{identity.name: identity.value})
		var count tally
		assert.Zero(t, testing.AllocsPerRun(100, func() { metrics.lookUp(metrics.resources, attributes, &count) }), identity.name)
		assert.Positive(t, count[hit])
	}
}

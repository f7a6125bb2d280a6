package dockerattributesprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
)

// passRecord2 sends records of files that share a resource through.
func (s *started) passRecord2(t *testing.T, paths ...string) plog.ResourceLogsSlice {
	t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "gpu-1")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, path := range paths {
		record := records.AppendEmpty()
		record.Body().SetStr(path)
		record.Attributes().PutStr("log.file.path", path)
	}
	ld, err := s.processLogs(t.Context(), ld)
	require.NoError(t, err)
	return ld.ResourceLogs()
}

// TestRecords: records of one container end up together, those of none stay, and none is lost.
func TestRecords(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalLogs, nil)
	vllm, web, host := "/c/"+vllmID+"/a.log", "/c/"+webID+"/a.log", "/var/log/syslog"
	type group struct {
		service any
		paths   []string
	}
	tests := []struct {
		name  string
		paths []string
		want  []group
	}{
		{name: "no record", want: []group{{}}},
		{name: "of the host", paths: []string{host, host}, want: []group{{paths: []string{host, host}}}},
		{name: "one container", paths: []string{web, web}, want: []group{{"web", []string{web, web}}}},
		{name: "two containers", paths: []string{web, vllm, web}, want: []group{{"web", []string{web, web}}, {"vllm", []string{vllm}}}},
		{name: "container and host", paths: []string{web, host, web}, want: []group{{paths: []string{host}}, {"web", []string{web, web}}}},
		{name: "host first", paths: []string{host, vllm, web}, want: []group{{paths: []string{host}}, {"vllm", []string{vllm}}, {"web", []string{web}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []group
			for _, rl := range s.passRecord2(t, tt.paths...).All() {
				attributes := rl.Resource().Attributes().AsRaw()
				assert.Equal(t, "gpu-1", attributes["host.name"])
				assert.Equal(t, 1, rl.ScopeLogs().Len())
				g := group{service: attributes["service.name"]}
				for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
					g.paths = append(g.paths, record.Body().Str())
				}
				got = append(got, g)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// TestEmptyScopes: what was empty before is not tidied up.
func TestEmptyScopes(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalLogs, nil)
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	want := plog.NewLogs()
	ld.CopyTo(want)
	ld, err := s.processLogs(t.Context(), ld)
	require.NoError(t, err)
	assert.Equal(t, want, ld)
}

package nvmlreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// engine is a Docker engine as the resolver sees it.
type engine struct {
	byPID map[int]*docker.Container
	ids   map[int]string
}

func (e engine) ByPID(pid int) (*docker.Container, bool) {
	c, ok := e.byPID[pid]
	return c, ok
}

func (e engine) ContainerIDByPID(pid int) (string, bool) {
	id, ok := e.ids[pid]
	return id, ok
}

func container(name string, command ...string) *docker.Container {
	return &docker.Container{
		ID: strings.Repeat("ab", 32), Name: name, Command: command, State: docker.StateRunning,
		Image: docker.Image{Ref: "vllm/vllm-openai:v0.11.0", Name: "vllm/vllm-openai", Tag: "v0.11.0"},
	}
}

func TestResolver(t *testing.T) {
	proc := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(proc, "30"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "30", "comm"), []byte("python3\n"), 0o600))
	served := container("chat", "vllm", "serve", "Qwen/Qwen3-32B", "--served-model-name", "qwen", "qwen3")
	plain := container("embed", "--model", "BAAI/bge-m3")
	plain.ID = strings.Repeat("cd", 32)
	other := container("db", "postgres")
	other.ID, other.Image = strings.Repeat("ef", 32), docker.Image{Ref: "postgres:17"}
	unknown := strings.Repeat("12", 32)
	r := &dockerResolver{
		proc: proc, models: map[string]detected{}, release: func() {},
		containers: engine{map[int]*docker.Container{10: served, 11: plain, 12: other}, map[int]string{20: unknown}},
	}
	defer r.close()
	tests := []struct {
		pid  uint32
		want workload
		ok   bool
	}{
		{10, workload{container: "chat", containerID: served.ID, model: "qwen"}, true},
		{11, workload{container: "embed", containerID: plain.ID, model: "BAAI/bge-m3"}, true},
		{12, workload{container: "db", containerID: other.ID}, true},
		{20, workload{container: unknown[:12], containerID: unknown}, true},
		{30, workload{program: "python3"}, true},
		{40, workload{}, false},
	}
	for range 2 { // found out, then remembered
		for _, tt := range tests {
			got, ok := r.resolve(tt.pid)
			assert.Equal(t, tt.ok, ok, tt.pid)
			assert.Equal(t, tt.want, got)
		}
	}
	// The container is started anew with another model.
	again := container("chat", "--model", "other")
	r.containers = engine{map[int]*docker.Container{10: again}, nil}
	got, _ := r.resolve(10)
	assert.Equal(t, "other", got.model)

	for i := range 2 * maxModels {
		c := container("x")
		c.ID = strconv.Itoa(i)
		r.model(c)
	}
	assert.LessOrEqual(t, len(r.models), maxModels)
}

// TestResolverWithoutDocker must do for processes of this host.
func TestResolverWithoutDocker(t *testing.T) {
	cfg := docker.NewDefaultConfig()
	cfg.Endpoint = "unix://" + filepath.Join(t.TempDir(), "docker.sock")
	_, r, err := realSources(&Config{Docker: cfg, Attribution: AttributionConfig{Enabled: true}}, zap.NewNop())
	require.NoError(t, err)
	defer r.close()
	w, ok := r.resolve(uint32(os.Getpid()))
	require.True(t, ok)
	assert.NotEqual(t, workload{}, w)
	_, ok = r.resolve(1<<31 - 1)
	assert.False(t, ok)
}

func TestNoResolver(t *testing.T) {
	_, r, err := realSources(&Config{}, zap.NewNop())
	require.NoError(t, err)
	_, ok := r.resolve(uint32(os.Getpid()))
	assert.False(t, ok)
	r.close()
}

func TestProcRoot(t *testing.T) {
	t.Setenv("HOST_PROC", "")
	assert.Equal(t, "/proc", procRoot(""))
	t.Setenv("HOST_PROC", "/hostfs/proc/")
	assert.Equal(t, "/hostfs/proc", procRoot(""))
	assert.Equal(t, "/x", procRoot("/x/"))
}

func TestBootTime(t *testing.T) {
	proc := t.TempDir()
	now := time.Unix(1000, 0)
	assert.Equal(t, now, bootTime(proc, now))
	for text, want := range map[string]time.Time{
		"cpu 1 2\nbtime 500\nprocesses 3\n": time.Unix(500, 0),
		"btime x\n":                         now,
		"cpu 1\n":                           now,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(proc, "stat"), []byte(text), 0o600))
		assert.Equal(t, want, bootTime(proc, now))
	}
}

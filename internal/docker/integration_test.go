//go:build integration

package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"
)

const sleeperImage = "otelcol-llm-docker-test:v1"

// realEngine is the engine of this machine, with the image of the test. CI has one; elsewhere the test is skipped.
func realEngine(t *testing.T) *client.Client {
	t.Helper()
	cfg := NewDefaultConfig()
	engine, err := cfg.client()
	require.NoError(t, err)
	t.Cleanup(func() { _ = engine.Close() })
	if _, err := engine.Ping(t.Context()); err != nil {
		t.Skipf("no Docker engine: %v", err)
	}
	path := filepath.Join(t.TempDir(), "sleeper")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./testdata/sleeper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	program, err := os.ReadFile(path)
	require.NoError(t, err)
	var root bytes.Buffer
	files := tar.NewWriter(&root)
	require.NoError(t, files.WriteHeader(&tar.Header{Name: "sleeper", Mode: 0o755, Size: int64(len(program))}))
	_, err = files.Write(program)
	require.NoError(t, err)
	require.NoError(t, files.Close())
	answer, err := engine.ImageImport(t.Context(), image.ImportSource{Source: &root, SourceName: "-"}, sleeperImage,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/sleeper"]`}})
	require.NoError(t, err)
	_, err = new(bytes.Buffer).ReadFrom(answer)
	require.NoError(t, err)
	require.NoError(t, answer.Close())
	t.Cleanup(func() {
		_, _ = engine.ImageRemove(context.Background(), sleeperImage, image.RemoveOptions{Force: true})
	})
	return engine
}

// TestRealEngine lets containers live and die in a real engine.
func TestRealEngine(t *testing.T) {
	engine := realEngine(t)
	cfg := NewDefaultConfig()
	cfg.ResyncInterval = minResync
	w, release, err := Acquire(cfg, zaptest.NewLogger(t))
	require.NoError(t, err)
	defer release()
	<-w.Ready()
	assert.NotEmpty(t, w.State().APIVersion)

	prefix := "otelcol-llm-test-" + strconv.Itoa(os.Getpid())
	var mu sync.Mutex
	seen := make(map[string][]Event) // by id
	defer w.Subscribe(func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Container.ID] = append(seen[e.Container.ID], e)
	})()
	create := func(name string, host *container.HostConfig, args ...string) string {
		created, err := engine.ContainerCreate(t.Context(), &container.Config{
			Image: sleeperImage, Cmd: args, Labels: map[string]string{"com.docker.compose.service": name},
			Env: []string{"VLLM_API_KEY=secret", "CUDA_VERSION=12.9", "HF_TOKEN=secret"},
		}, host, nil, nil, prefix+name)
		require.NoError(t, err)
		t.Cleanup(func() {
			_ = engine.ContainerRemove(context.Background(), created.ID, container.RemoveOptions{Force: true})
		})
		require.NoError(t, engine.ContainerStart(t.Context(), created.ID, container.StartOptions{}))
		return created.ID
	}
	// until waits for an event and returns it.
	until := func(id string, action Action, nth int) Event {
		t.Helper()
		var found Event
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			all := slices.DeleteFunc(slices.Clone(seen[id]), func(e Event) bool { return e.Action != action })
			if len(all) < nth {
				return false
			}
			found = all[nth-1]
			return true
		}, 30*time.Second, 10*time.Millisecond, "%s %d", action, nth)
		return found
	}

	id := create("a", &container.HostConfig{Resources: container.Resources{NanoCPUs: 5e8}}, "--api-key", "secret")
	until(id, ActionStart, 1)
	c, known := w.Get(id)
	require.True(t, known)
	assert.Equal(t, StateRunning, c.State)
	assert.Equal(t, prefix+"a", c.Name)
	assert.Equal(t, "a", c.ComposeService)
	assert.Equal(t, sleeperImage, c.Image.Ref)
	assert.Equal(t, []string{"/sleeper", "--api-key", Redacted}, c.Command)
	assert.Equal(t, map[string]string{"VLLM_API_KEY": Redacted, "CUDA_VERSION": "12.9"}, c.Env)
	assert.Equal(t, 0.5, c.Limits.CPUs())
	require.Positive(t, c.Pid)

	// A process in a real container, seen by its pid. CgroupParent or not, v1 or v2: as this engine does it.
	byPID, known := w.ByPID(c.Pid)
	require.True(t, known)
	assert.Equal(t, id, byPID.ID)
	_, known = w.ByPID(os.Getpid())
	assert.False(t, known, "this test is in none")

	require.NoError(t, engine.ContainerRename(t.Context(), id, prefix+"b"))
	e := until(id, ActionRename, 1)
	assert.Equal(t, prefix+"a", e.OldName)
	assert.Equal(t, prefix+"b", e.Container.Name)

	zero := 0
	require.NoError(t, engine.ContainerRestart(t.Context(), id, container.StopOptions{Timeout: &zero}))
	until(id, ActionRestart, 1)
	until(id, ActionStart, 2)
	again, _ := w.Get(id)
	assert.NotEqual(t, c.Pid, again.Pid)
	assert.True(t, again.Started.After(c.Started))

	require.NoError(t, engine.ContainerPause(t.Context(), id))
	assert.Equal(t, StatePaused, until(id, ActionPause, 1).Container.State)
	require.NoError(t, engine.ContainerUnpause(t.Context(), id))
	until(id, ActionUnpause, 1)

	require.NoError(t, engine.ContainerKill(t.Context(), id, "KILL"))
	until(id, ActionKill, 1)
	e = until(id, ActionDie, 2)
	require.NotNil(t, e.ExitCode)
	assert.Equal(t, 137, *e.ExitCode)
	assert.Equal(t, StateExited, e.Container.State)
	assert.False(t, e.Container.OOMKilled)

	require.NoError(t, engine.ContainerRemove(t.Context(), id, container.RemoveOptions{}))
	until(id, ActionDestroy, 1)
	gone, known := w.Get(id[:12])
	require.True(t, known)
	assert.False(t, gone.Gone.IsZero())
	assert.False(t, slices.ContainsFunc(w.List(), func(c *Container) bool { return c.ID == id }))

	hog := create("hog", &container.HostConfig{Resources: container.Resources{Memory: 16 << 20, MemorySwap: 16 << 20}}, "oom")
	e = until(hog, ActionDie, 1)
	assert.Equal(t, 137, *e.ExitCode)
	assert.True(t, e.Container.OOMKilled)
	until(hog, ActionOOM, 1)

	before := w.Stats()
	idle := create("idle", &container.HostConfig{NetworkMode: "host"})
	until(idle, ActionStart, 1)
	require.Eventually(t, func() bool { return w.Stats().Lists > before.Lists+2 }, 30*time.Second, 10*time.Millisecond)
	stats := w.Stats()
	// Somebody else may use this engine, too: each of his events is a reason for an inspect as well.
	assert.LessOrEqual(t, stats.Inspects-before.Inspects, stats.Events-before.Events, "what has not changed is not inspected again")
	assert.Zero(t, stats.Reconnects)
	assert.Zero(t, stats.InspectErrors)
	assert.Zero(t, stats.Synthetic)
	assert.Zero(t, stats.Dropped)
}

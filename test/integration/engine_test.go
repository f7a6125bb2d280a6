//go:build integration

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// engineConfig is all that reads Docker. The page forgets what nobody tells for some seconds: contrib's receiver marks no end.
const engineConfig = `
receivers:
  docker_inventory: {endpoint: "${env:DOCKER_ENDPOINT}", collection_interval: 2s}
  docker_stats: {endpoint: "${env:DOCKER_ENDPOINT}", collection_interval: 2s}
processors:
  docker_attributes:
    docker: {endpoint: "${env:DOCKER_ENDPOINT}"}
    extract: {metadata: [docker.compose.service]}
exporters:
  debug:
  prometheus:
    endpoint: ${env:METRICS_LISTEN}
    resource_to_telemetry_conversion: {enabled: true}
    metric_expiration: 5s
extensions:
  pprof: {endpoint: "${env:PPROF_LISTEN}"}
service:
  extensions: [pprof]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [docker_inventory, docker_stats], processors: [docker_attributes], exporters: [prometheus]}
    logs: {receivers: [docker_inventory], exporters: [debug]}
`

// privateEngine is a Docker engine of the test's own, which can be stopped and started. Its containers have no network.
type privateEngine struct {
	*process
	folder string
	client *client.Client
}

func newPrivateEngine(t *testing.T) *privateEngine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a Docker engine needs root")
	}
	if _, err := exec.LookPath("dockerd"); err != nil {
		t.Skipf("no Docker engine: %v", err)
	}
	e := &privateEngine{folder: t.TempDir()}
	require.NoError(t, os.WriteFile(e.path("daemon.json"), []byte("{}"), 0o600))
	var err error
	e.client, err = client.NewClientWithOpts(client.WithHost(e.endpoint()), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = e.client.Close()
		e.unmount(t)
	})
	return e
}

func (e *privateEngine) path(name string) string { return filepath.Join(e.folder, name) }
func (e *privateEngine) endpoint() string        { return "unix://" + e.path("docker.sock") }

// start returns once the engine answers.
func (e *privateEngine) start(t *testing.T) {
	t.Helper()
	dockerd, err := exec.LookPath("dockerd")
	require.NoError(t, err)
	namespace := "otelcol-llm-test-" + strconv.Itoa(os.Getpid()) // should it find the containerd of the system
	unshare, err := exec.LookPath("unshare")
	require.NoError(t, err)
	// In a network namespace of its own: with --bridge=none an engine removes docker0, which belongs to the other one.
	e.process = startProcess(t, unshare, []string{
		"--net", dockerd,
		"--host", e.endpoint(), "--config-file", e.path("daemon.json"), "--data-root", e.path("data"), "--exec-root", e.path("exec"),
		"--pidfile", e.path("pid"), "--containerd-namespace", namespace, "--containerd-plugins-namespace", namespace + "-plugins",
		"--storage-driver=vfs", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false",
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := e.client.Ping(t.Context())
		assert.NoError(c, err)
	}, readyTimeout, tick)
}

// unmount frees what an engine that did not end well has left, so that the folder can be removed.
func (e *privateEngine) unmount(t *testing.T) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], e.folder+"/") {
			_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
		}
	}
}

// TestEngineRestart stops a real engine, and its containers with it, and starts it again, several times.
func TestEngineRestart(t *testing.T) {
	const rounds = 3
	engine := newPrivateEngine(t)
	engine.start(t)
	s := &stage{engine: engine.client, tag: "actor:v1"}
	programImage(t, s.engine, "actor", s.tag)
	create := func(name string, policy container.RestartPolicyMode) string {
		created, err := s.engine.ContainerCreate(t.Context(),
			&container.Config{Image: s.tag, Labels: map[string]string{"com.docker.compose.service": "service-" + name}},
			&container.HostConfig{NetworkMode: "none", RestartPolicy: container.RestartPolicy{Name: policy}}, nil, nil, name)
		require.NoError(t, err)
		s.start(t, created.ID)
		return created.ID
	}
	create("returns", container.RestartPolicyAlways)
	stays := create("stays", container.RestartPolicyDisabled)

	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(engineConfig), 0o600))
	free := freeAddresses(t, 2)
	s.page = free[0]
	s.col = startProcess(t, binary(t), []string{"--config", config},
		"DOCKER_ENDPOINT="+engine.endpoint(), "METRICS_LISTEN="+s.page, "PPROF_LISTEN="+free[1])
	s.col.waitReady("http://" + s.page + "/metrics")

	// settled waits until the page shows that the engine is up and its containers are in these states, those that run with
	// their stats and the name of their service, the others without: contrib's receiver alone would go on with what it knew.
	settled := func(states map[string]string) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, []string{"1"}, s.values(c, "", "docker_up{}"))
			for name, state := range states {
				assert.Equal(c, []string{"1"}, s.values(c, name, fmt.Sprintf("container_state{*container_state=%q*}", state)), name)
				assert.Len(c, s.values(c, name, "container_state{}"), 7, name)
				if state != "running" {
					assert.Empty(c, s.values(c, name, "container_memory_usage_limit_bytes{}"), name)
				} else {
					limit := s.values(c, name, fmt.Sprintf("container_memory_usage_limit_bytes{*docker_compose_service=%q*}", "service-"+name))
					require.Len(c, limit, 1, name)
					assert.NotEqual(c, "0", limit[0], name)
				}
			}
		}, soon, tick)
	}
	both := map[string]string{"returns": "running", "stays": "running"}
	settled(both)

	var files, goroutines int // after the first round
	for round := range rounds {
		engine.Stop()
		s.shows(t, "", "docker_up{}", 0)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, []string{"0"}, s.values(c, "", "docker_up{}"))
			assert.Empty(c, s.values(c, "", "container_state{}"), "nobody knows")
			assert.Len(c, s.values(c, "", "container_info{}"), 2)
			assert.Empty(c, s.values(c, "", "container_memory_usage_limit_bytes{}"))
		}, soon, tick)

		engine.start(t)
		settled(map[string]string{"returns": "running", "stays": "exited"})
		s.start(t, stays)
		settled(both)
		if round == 0 {
			files, goroutines = leastOf(t, s.col.PID, free[1])
		}
	}
	// Fewer than one for each further round: what a scrape under way has is no leak.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		nowFiles, nowGoroutines := openFiles(t, s.col.PID), goroutinesOf(c, free[1])
		assert.Less(c, nowFiles, files+rounds-1, "each round leaves a file open")
		assert.Less(c, nowGoroutines, goroutines+rounds-1, "each round leaves a goroutine behind")
	}, soon, tick)
}

// leastOf returns how few files and goroutines a collector has over two intervals: scrapes under way have some of their own.
func leastOf(t *testing.T, pid int, pprof string) (files, goroutines int) {
	t.Helper()
	files, goroutines = openFiles(t, pid), goroutinesOf(t, pprof)
	for end := time.Now().Add(2 * inventoryInterval); time.Now().Before(end); time.Sleep(tick) {
		files, goroutines = min(files, openFiles(t, pid)), min(goroutines, goroutinesOf(t, pprof))
	}
	return files, goroutines
}

func goroutinesOf(t require.TestingT, pprof string) (n int) {
	resp, err := httpClient.Get("http://" + pprof + "/debug/pprof/goroutine?debug=1")
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = fmt.Fscanf(resp.Body, "goroutine profile: total %d", &n)
	require.NoError(t, err)
	return n
}

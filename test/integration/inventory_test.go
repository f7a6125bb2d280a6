//go:build integration

package integration

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	inventoryConfig   = "testdata/inventory.yaml"
	inventoryInterval = 2 * time.Second // as in inventoryConfig
	// inventorySlack is what a busy machine may take on top of the interval.
	inventorySlack = 3 * time.Second
)

// stage is a collector that takes the inventory of a real engine, and the containers of one test.
type stage struct {
	engine *client.Client
	line   *line
	col    *process
	page   string
	prom   *prometheusServer
	loki   *lokiServer
	prefix string
	tag    string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	engine := docker(t)
	s := &stage{engine: engine, prefix: fmt.Sprintf("inventory-%d-", os.Getpid()), line: newLine(t, engine)}
	s.tag = s.prefix + "actor:v1"
	programImage(t, engine, "actor", s.tag)
	s.loki = startLoki(t)
	free := freeAddresses(t, 1)
	s.page = free[0]
	s.col = startProcess(t, binary(t), []string{"--config", inventoryConfig},
		"DOCKER_ENDPOINT=tcp://"+s.line.address, "PREFIX="+s.prefix, "METRICS_LISTEN="+s.page, "LOKI_OTLP_ENDPOINT="+s.loki.URL+"/otlp")
	s.prom = startPrometheus(t, s.page)
	s.col.waitReady("http://" + s.page + "/metrics")
	return s
}

// create makes a container and removes it at the end of the test.
func (s *stage) create(t *testing.T, name string, host container.HostConfig, command ...string) string {
	t.Helper()
	created, err := s.engine.ContainerCreate(t.Context(), &container.Config{
		Image: s.tag, Cmd: command,
		Labels:      map[string]string{"com.docker.compose.project": "stage", "com.docker.compose.service": name},
		Healthcheck: &container.HealthConfig{Test: []string{"CMD", "/actor", "check"}, Interval: 500 * time.Millisecond, Retries: 2}, // one check may be under way at the end
	}, &host, nil, nil, s.prefix+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = s.engine.ContainerRemove(context.Background(), created.ID, container.RemoveOptions{Force: true})
	})
	return created.ID
}

func (s *stage) start(t *testing.T, id string) {
	t.Helper()
	require.NoError(t, s.engine.ContainerStart(t.Context(), id, container.StartOptions{}))
}

// act runs the actor in a container that runs.
func (s *stage) act(t *testing.T, id, verb string) {
	t.Helper()
	run, err := s.engine.ContainerExecCreate(t.Context(), id, container.ExecOptions{Cmd: []string{"/actor", verb}})
	require.NoError(t, err)
	require.NoError(t, s.engine.ContainerExecStart(t.Context(), run.ID, container.ExecStartOptions{}))
}

// shows waits for a series of a container on the collector's page: no longer than the interval.
func (s *stage) shows(t *testing.T, name, series string, want float64) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, []string{fmt.Sprint(want)}, s.values(c, name, series), "%s of %s", series, name)
	}, inventoryInterval+inventorySlack, 50*time.Millisecond)
}

// state waits for the state of a container: no longer than the interval. No other state must be left standing.
func (s *stage) state(t *testing.T, name, want string) {
	t.Helper()
	s.shows(t, name, fmt.Sprintf(`container_state{*container_state=%q*}`, want), 1)
	assert.Len(t, s.values(t, name, `container_state{*}`), 7)
	up := 0
	for _, value := range s.values(t, name, `container_state{*}`) {
		if value == "1" {
			up++
		}
	}
	assert.Equal(t, 1, up, "%s must be in one state", name)
}

// gone waits until nothing is left of a name: no longer than the interval.
func (s *stage) gone(t *testing.T, name string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.NotContains(c, readPage(c, s.page), fmt.Sprintf(`container_name=%q`, s.prefix+name))
	}, inventoryInterval+inventorySlack, 50*time.Millisecond)
}

// values are those of a container's series on the page. The series is a metric and, in braces, texts with stars between
// them that its labels must have.
func (s *stage) values(t require.TestingT, name, series string) []string {
	metric, texts, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	var found []string
	for row := range strings.SplitSeq(readPage(t, s.page), "\n") {
		labels, ok := strings.CutPrefix(row, metric+"{")
		if !ok || name != "" && !strings.Contains(labels, fmt.Sprintf(`container_name=%q`, s.prefix+name)) {
			continue
		}
		for text := range strings.SplitSeq(texts, "*") {
			ok = ok && strings.Contains(labels, text)
		}
		if ok {
			found = append(found, row[strings.LastIndexByte(row, ' ')+1:])
		}
	}
	return found
}

func readPage(t require.TestingT, address string) string {
	resp, err := httpClient.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

// story waits for the lifecycle of a container in Loki: "level event".
func (s *stage) story(t *testing.T, name string, want ...string) []Entry {
	t.Helper()
	var entries []Entry
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		entries = nil
		var got []string
		for _, e := range s.loki.Query(c, `{service_name="dockerd"}`, 10*time.Minute) {
			if fact(e, "container_name") == s.prefix+name {
				entries = append(entries, e)
				got = append(got, fact(e, "severity_text")+" "+fact(e, "event_name"))
			}
		}
		assert.Equal(c, want, got, name)
	}, soon, tick)
	return entries
}

// fact is a label or structured metadata of an entry.
func fact(e Entry, key string) string {
	if v, ok := e.Labels[key]; ok {
		return v
	}
	return e.StructuredMetadata[key]
}

// TestInventory lets containers live and die while the collector runs: what it says is right within one interval.
func TestInventory(t *testing.T) {
	s := newStage(t)
	second := 1

	t.Run("life", func(t *testing.T) {
		id := s.create(t, "a", container.HostConfig{})
		s.state(t, "a", "created")
		s.start(t, id)
		s.state(t, "a", "running")
		s.shows(t, "a", `container_health{*container_health="healthy"*}`, 1)
		s.act(t, id, "sicken")
		s.shows(t, "a", `container_health{*container_health="unhealthy"*}`, 1)
		s.act(t, id, "recover")
		s.shows(t, "a", `container_health{*container_health="healthy"*}`, 1)
		require.NoError(t, s.engine.ContainerPause(t.Context(), id))
		s.state(t, "a", "paused")
		require.NoError(t, s.engine.ContainerUnpause(t.Context(), id))
		s.state(t, "a", "running")

		// Docker begins its health checks anew after a pause, hence the last one.
		s.story(t, "a",
			"INFO container.create", "INFO container.start", "INFO container.health_change",
			"WARN container.health_change", "INFO container.health_change", "INFO container.pause", "INFO container.unpause",
			"INFO container.health_change")

		require.NoError(t, s.engine.ContainerRename(t.Context(), id, s.prefix+"b"))
		s.state(t, "b", "running")
		s.gone(t, "a")

		started := s.values(t, "b", "container_started_time_seconds")
		require.NoError(t, s.engine.ContainerRestart(t.Context(), id, container.StopOptions{Timeout: &second}))
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.NotEqual(c, started, s.values(c, "b", "container_started_time_seconds"))
		}, inventoryInterval+inventorySlack, 50*time.Millisecond)
		s.state(t, "b", "running")
		s.shows(t, "b", "container_restart_count", 0)
		s.shows(t, "b", `container_health{*container_health="healthy"*}`, 1)

		require.NoError(t, s.engine.ContainerKill(t.Context(), id, "KILL"))
		s.state(t, "b", "exited")
		s.shows(t, "b", "container_exit_code", 137)
		s.shows(t, "b", "container_oom_killed", 0)

		require.NoError(t, s.engine.ContainerRemove(t.Context(), id, container.RemoveOptions{}))
		s.gone(t, "b")

		told := s.story(t, "b",
			"INFO container.rename", "INFO container.die", "INFO container.start", "INFO container.health_change",
			"WARN container.die", "INFO container.destroy")
		assert.Equal(t, fmt.Sprintf("Container %q was renamed to %q.", s.prefix+"a", s.prefix+"b"), told[0].Line)
		assert.Equal(t, "137", fact(told[4], "container_exit_code"))
		assert.Equal(t, "SIGKILL", fact(told[4], "container_exit_signal"))
		assert.Equal(t, "stage", fact(told[4], "docker_compose_project"))
	})

	t.Run("out of memory", func(t *testing.T) {
		const limit = 32 << 20
		id := s.create(t, "eater", container.HostConfig{Resources: container.Resources{Memory: limit, MemorySwap: limit}}, "eat")
		s.start(t, id)
		s.state(t, "eater", "exited")
		s.shows(t, "eater", "container_oom_killed", 1)
		s.shows(t, "eater", "container_exit_code", 137)
		s.shows(t, "eater", "container_limit_memory_bytes", limit)
		told := s.story(t, "eater", "INFO container.create", "INFO container.start", "ERROR container.oom", "ERROR container.die")
		assert.Equal(t, fmt.Sprintf("Container %q ran out of memory (limit: 32 MiB).", s.prefix+"eater"), told[2].Line)
		assert.Equal(t, "true", fact(told[3], "container_oom_killed"))
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, 1.0, value(c, s.prom, fmt.Sprintf(`container_state{container_name=%q,container_state="exited"}`, s.prefix+"eater")))
			assert.Equal(c, 1.0, value(c, s.prom, fmt.Sprintf(`container_oom_killed{container_name=%q,docker_compose_service="eater"}`, s.prefix+"eater")))
		}, soon, tick)
	})

	t.Run("restart loop", func(t *testing.T) {
		id := s.create(t, "loop", container.HostConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyOnFailure, MaximumRetryCount: 3}}, "exit", "3")
		s.start(t, id)
		s.shows(t, "loop", "container_restart_count", 3)
		s.state(t, "loop", "exited")
		s.shows(t, "loop", "container_exit_code", 3)
		s.story(t, "loop", "INFO container.create",
			"INFO container.start", "ERROR container.die", "INFO container.start", "ERROR container.die",
			"INFO container.start", "ERROR container.restart_loop", "ERROR container.die", "INFO container.start", "ERROR container.die")
		s.start(t, id) // by somebody: Docker counts anew
		s.shows(t, "loop", "container_restart_count", 3)
		require.NoError(t, s.engine.ContainerRemove(t.Context(), id, container.RemoveOptions{Force: true}))
		s.gone(t, "loop")
	})

	t.Run("another image", func(t *testing.T) {
		old := s.create(t, "image", container.HostConfig{})
		s.state(t, "image", "created")
		require.NoError(t, s.engine.ContainerRemove(t.Context(), old, container.RemoveOptions{}))
		before := s.tag
		programImage(t, s.engine, "chatty", s.prefix+"actor:v2")
		s.tag = s.prefix + "actor:v2"
		s.create(t, "image", container.HostConfig{})
		s.tag = before
		s.shows(t, "image", `container_info{*container_image_tag="v2"*}`, 1)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Len(c, s.values(c, "image", "container_info{}"), 1)
		}, inventoryInterval+inventorySlack, 50*time.Millisecond)
		told := s.story(t, "image", "INFO container.create", "INFO container.destroy", "INFO container.create", "INFO container.image_change")
		assert.Equal(t, before, fact(told[3], "container_image_name_previous"))
	})

	t.Run("the engine is away", func(t *testing.T) {
		stays, goes := s.create(t, "stays", container.HostConfig{}), s.create(t, "goes", container.HostConfig{})
		s.start(t, stays)
		s.start(t, goes)
		s.state(t, "stays", "running")
		s.state(t, "goes", "running")
		var open int
		for i := range 5 {
			s.line.cut()
			s.shows(t, "", "docker_up{}", 0)
			assert.Empty(t, s.values(t, "stays", "container_state{}"), "nobody knows")
			assert.Len(t, s.values(t, "stays", "container_info{}"), 1)
			if i == 4 {
				require.NoError(t, s.engine.ContainerKill(t.Context(), stays, "KILL"))
				require.NoError(t, s.engine.ContainerRemove(t.Context(), goes, container.RemoveOptions{Force: true}))
			}
			s.line.mend(t)
			// The watcher waits longer after each failure, up to some seconds here.
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Equal(c, []string{"1"}, s.values(c, "", "docker_up{}"))
			}, soon, tick)
			if i == 0 {
				open = openFiles(t, s.col.PID)
			}
		}
		s.state(t, "stays", "exited")
		s.gone(t, "goes")
		assert.LessOrEqual(t, openFiles(t, s.col.PID), open+5, "connections must be closed")
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			told := ""
			for _, e := range s.loki.Query(c, `{service_name="dockerd"}`, 10*time.Minute) {
				if fact(e, "container_name") == s.prefix+"goes" {
					told = fact(e, "event_name")
				}
			}
			assert.Equal(c, "container.destroy", told, "the last that was heard")
		}, soon, tick)
	})

	t.Run("in Prometheus", func(t *testing.T) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, 1.0, value(c, s.prom, "docker_up"))
			assert.Empty(c, s.prom.Query(c, fmt.Sprintf(`{container_name=~"%s.*"}`, s.prefix)), "what is gone ends at once")
			assert.Empty(c, s.prom.Query(c, `{__name__=~"(container|docker)_.*_ratio"}`))
		}, soon, tick)
	})
}

// openFiles counts the descriptors of a process.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	require.NoError(t, err)
	return len(files)
}

// line leads to the engine's socket, and can be cut and mended: others use the engine too, so that it cannot be stopped.
type line struct {
	address string
	socket  string

	mu       sync.Mutex
	listener net.Listener
	down     bool
	open     map[net.Conn]bool
	wait     sync.WaitGroup
}

func newLine(t *testing.T, engine *client.Client) *line {
	t.Helper()
	socket, ok := strings.CutPrefix(engine.DaemonHost(), "unix://")
	if !ok {
		t.Skip("the engine is not on a socket")
	}
	l := &line{socket: socket, address: freeAddresses(t, 1)[0], open: make(map[net.Conn]bool)}
	l.mend(t)
	t.Cleanup(l.cut)
	return l
}

func (l *line) mend(t *testing.T) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", l.address)
	require.NoError(t, err)
	l.mu.Lock()
	l.listener, l.down = listener, false
	l.mu.Unlock()
	l.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.wait.Go(func() { l.serve(conn) })
		}
	})
}

func (l *line) serve(conn net.Conn) {
	engine, err := (&net.Dialer{}).DialContext(context.Background(), "unix", l.socket)
	if err != nil {
		_ = conn.Close()
		return
	}
	l.keep(conn, engine)
	done := make(chan struct{}, 2)
	carry := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go carry(engine, conn)
	go carry(conn, engine)
	<-done
	_, _ = conn.Close(), engine.Close()
	<-done
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, conn)
	delete(l.open, engine)
}

func (l *line) keep(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		l.open[c] = true
		if l.down { // cut meanwhile
			_ = c.Close()
		}
	}
}

func (l *line) cut() {
	l.mu.Lock()
	l.down = true
	_ = l.listener.Close()
	for c := range l.open {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.wait.Wait()
}

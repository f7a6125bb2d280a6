package docker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const patience = 20 * time.Second

// bench is an engine and a watcher of it.
type bench struct {
	t      *testing.T
	engine *simulator.Docker
	faulty *simulator.Faulty
	socket string
	w      *Watcher
	logs   *observer.ObservedLogs

	mu   sync.Mutex
	seen []Event
}

type option func(*bench, *Config)

func withContainers(containers ...simulator.DockerContainer) option {
	return func(b *bench, _ *Config) {
		b.engine = simulator.NewDocker(simulator.DockerConfig{Containers: containers})
	}
}

func withConfig(change func(*Config)) option { return func(_ *bench, cfg *Config) { change(cfg) } }

// newBench has an engine that answers on a socket and a watcher that begins with start.
func newBench(t *testing.T, options ...option) *bench {
	t.Helper()
	b := &bench{t: t, socket: "unix://" + filepath.Join(t.TempDir(), "docker.sock")}
	cfg := NewDefaultConfig()
	cfg.Endpoint, cfg.Timeout, cfg.ResyncInterval, cfg.ProcRoot = b.socket, 2*time.Second, time.Hour, t.TempDir()
	withContainers(simulator.DockerContainer{Name: "chat", Image: "vllm/vllm-openai:v0.11.0", Pid: 41})(b, &cfg)
	for _, o := range options {
		o(b, &cfg)
	}
	b.faulty = &simulator.Faulty{Next: b.engine.Handler(), AllPaths: true}
	core, logs := observer.New(zapcore.InfoLevel)
	b.logs = logs
	b.w = newWatcher(cfg, zap.New(core))
	b.w.retry = time.Millisecond
	t.Cleanup(b.engine.Shutdown)
	return b
}

func (b *bench) listen() {
	b.t.Helper()
	require.NoError(b.t, b.engine.Listen(b.t.Context(), b.socket, b.faulty))
}

// start starts both and waits until all is known.
func (b *bench) start() *bench {
	b.t.Helper()
	b.listen()
	b.startWatcher()
	b.await(b.w.Ready())
	return b
}

func (b *bench) startWatcher() {
	b.w.start()
	b.t.Cleanup(b.w.stop)
	cancel := b.w.Subscribe(func(e Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.seen = append(b.seen, e)
	})
	b.t.Cleanup(cancel)
}

func (b *bench) await(done <-chan struct{}) {
	b.t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		require.Fail(b.t, "it took too long", "%+v %+v", b.w.State(), b.w.Stats())
	}
}

func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	require.Eventually(b.t, ok, patience, time.Millisecond, what)
}

// mark is a container of which only the tests know.
var mark = idC

// events returns those that are no mark.
func (b *bench) events() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.seen), func(e Event) bool { return e.Container != nil && e.Container.ID == mark })
}

// actions waits for as many events as are wanted, and then for another, so that what is too much is seen.
func (b *bench) actions(want ...Action) []Event {
	b.t.Helper()
	b.eventually(fmt.Sprint(want), func() bool { return len(b.events()) >= len(want) })
	signal := strconv.FormatInt(time.Now().UnixNano(), 10)
	b.engine.Emit(events.Message{Type: events.ContainerEventType, Action: "kill", Actor: events.Actor{ID: mark, Attributes: map[string]string{"signal": signal}}})
	b.eventually("mark", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.ContainsFunc(b.seen, func(e Event) bool { return e.Signal == signal })
	})
	seen := b.events()
	b.mu.Lock()
	b.seen = nil
	b.mu.Unlock()
	b.w.store.forget(mark)
	var got []Action
	for i := range seen {
		got = append(got, seen[i].Action)
		require.NotNil(b.t, seen[i].Container)
	}
	require.Equal(b.t, want, got)
	return seen
}

func TestWatchesEvents(t *testing.T) {
	b := newBench(t).start()
	id := simulator.DockerID("chat")
	c, known := b.w.Get(id)
	require.True(t, known)
	assert.Equal(t, StateRunning, c.State)
	assert.Empty(t, b.events(), "what is there at the beginning is no event")
	state := b.w.State()
	assert.True(t, state.Connected)
	assert.NoError(t, state.Err)
	assert.Equal(t, b.socket, state.Endpoint)
	assert.Equal(t, "1.51", state.APIVersion)

	b.engine.Rename("chat", "talk")
	e := b.actions(ActionRename)[0]
	assert.Equal(t, "chat", e.OldName)
	assert.Equal(t, "talk", e.Container.Name)
	assert.Equal(t, "chat", c.Name, "a snapshot does not change")
	now, _ := b.w.Get(id[:shortID])
	assert.Equal(t, "talk", now.Name)

	b.engine.Restart("talk")
	seen := b.actions(ActionKill, ActionDie, ActionStop, ActionStart, ActionRestart)
	assert.Equal(t, "15", seen[0].Signal)
	assert.Equal(t, 143, *seen[1].ExitCode)
	now, _ = b.w.Get(id)
	assert.Equal(t, 42, now.Pid)
	assert.True(t, now.Started.After(c.Started))

	b.engine.Pause("talk")
	b.engine.Unpause("talk")
	seen = b.actions(ActionPause, ActionUnpause)
	assert.Equal(t, StatePaused, seen[0].Container.State)
	assert.Equal(t, StateRunning, seen[1].Container.State)

	b.engine.Health("talk", container.Unhealthy)
	e = b.actions(ActionHealth)[0]
	assert.Equal(t, HealthUnhealthy, e.Health)
	assert.Equal(t, HealthUnhealthy, e.Container.Health)

	b.engine.Update("talk", func(c *simulator.DockerContainer) { c.HostConfig.Memory = 1 << 30 })
	assert.EqualValues(t, 1<<30, b.actions(ActionUpdate)[0].Container.Limits.Memory)

	b.engine.OOM("talk")
	seen = b.actions(ActionOOM, ActionDie)
	assert.True(t, seen[0].Container.OOMKilled)
	assert.Equal(t, 137, *seen[1].ExitCode)
	assert.Equal(t, 137, seen[1].Container.ExitCode)
	assert.Equal(t, StateExited, seen[1].Container.State)

	b.engine.Start("talk")
	b.actions(ActionStart)
	b.engine.Crash("talk", 1)
	seen = b.actions(ActionDie)
	assert.Equal(t, StateRestarting, seen[0].Container.State)
	b.engine.Start("talk")
	seen = b.actions(ActionStart)
	assert.Equal(t, 1, seen[0].Container.RestartCount)

	b.engine.Remove("talk")
	seen = b.actions(ActionKill, ActionDie, ActionDestroy)
	assert.Equal(t, "9", seen[0].Signal)
	gone, known := b.w.Get(id)
	require.True(t, known, "it stays known for a while")
	assert.False(t, gone.Gone.IsZero())
	assert.Equal(t, StateExited, gone.State)
	assert.Empty(t, b.w.List(), "but it is not there")

	b.engine.Run(simulator.DockerContainer{Name: "new", Image: "busybox"})
	seen = b.actions(ActionCreate, ActionStart)
	assert.Equal(t, "new", seen[0].Container.Name)
	require.Len(t, b.w.List(), 1)

	b.engine.Emit(events.Message{Type: events.ContainerEventType, Action: "exec_start: sh", Actor: events.Actor{ID: id}})
	b.engine.Emit(events.Message{Type: events.NetworkEventType, Action: "create", Actor: events.Actor{ID: id}})
	b.actions()
	stats := b.w.Stats()
	assert.Zero(t, stats.Reconnects)
	assert.Zero(t, stats.Synthetic)
	assert.Zero(t, stats.InspectErrors)
	assert.Equal(t, uint64(1), stats.Lists)
	assert.Equal(t, 1, stats.Containers)
	assert.Equal(t, 1, stats.Gone)
	assert.Equal(t, 1, stats.Subscribers)
	assert.Equal(t, 1, b.logs.Len(), "one line")
}

// TestEndsBeforeItIsInspected is about a container that lives shorter than a request takes.
func TestEndsBeforeItIsInspected(t *testing.T) {
	b := newBench(t).start()
	message := events.Message{Type: events.ContainerEventType, Actor: events.Actor{ID: idA, Attributes: map[string]string{
		"name": "short", "image": "busybox:1", "com.docker.compose.service": "s", "exitCode": "3",
	}}}
	for _, action := range []events.Action{"create", "start", "pause", "unpause", "health_status: healthy", "oom", "die", "destroy"} {
		message.Action, message.TimeNano = action, 0
		b.engine.Emit(message)
	}
	seen := b.actions(ActionCreate, ActionStart, ActionPause, ActionUnpause, ActionHealth, ActionOOM, ActionDie, ActionDestroy)
	var states []State
	for _, e := range seen {
		states = append(states, e.Container.State)
	}
	assert.Equal(t, []State{StateCreated, StateRunning, StatePaused, StateRunning, StateRunning, StateRunning, StateExited, StateExited}, states)
	c, _ := b.w.Get(idA)
	assert.Equal(t, "s", c.ComposeService)
	assert.Equal(t, 3, c.ExitCode)
	assert.True(t, c.Partial)
	assert.True(t, c.OOMKilled)
	assert.Equal(t, map[string]string{"com.docker.compose.service": "s"}, c.Labels)
	assert.Zero(t, b.w.Stats().InspectErrors, "a container that is gone is no error")

	// A removal of what was never seen, and a rename of what cannot be asked for.
	b.engine.Emit(events.Message{Type: events.ContainerEventType, Action: "destroy", Actor: events.Actor{ID: idB}})
	assert.Equal(t, StateExited, b.actions(ActionDestroy)[0].Container.State)
	b.engine.Emit(events.Message{Type: events.ContainerEventType, Action: "rename", Actor: events.Actor{ID: idA, Attributes: map[string]string{"name": "other", "oldName": "/short"}}})
	e := b.actions(ActionRename)[0]
	assert.Equal(t, "other", e.Container.Name)
	assert.Equal(t, "short", e.OldName)
}

func TestReplaysWhatTheEngineKept(t *testing.T) {
	b := newBench(t).start()
	b.engine.Rename("chat", "one")
	b.actions(ActionRename)
	time.Sleep(stable * b.w.retry) // a session that lasted
	b.engine.Shutdown()
	b.eventually("disconnected", func() bool { return !b.w.State().Connected })
	b.engine.Rename("one", "two")
	b.engine.Kill("two", 9)
	b.engine.Start("two")
	b.listen()
	b.eventually("connected", func() bool { return b.w.State().Connected })
	seen := b.actions(ActionRename, ActionKill, ActionDie, ActionStart)
	for _, e := range seen {
		assert.False(t, e.Synthetic, "the engine tells it itself")
	}
	assert.Equal(t, 137, *seen[2].ExitCode)
	require.Equal(t, 3, b.logs.Len(), "one line for each change: %v", b.logs.All())
	assert.Contains(t, b.logs.All()[1].ContextMap()["hint"], "Start Docker")
}

// TestStreamIsCut is about a proxy that ends streams on which nothing happens.
func TestStreamIsCut(t *testing.T) {
	b := newBench(t).start()
	time.Sleep(stable * b.w.retry) // a session that lasted
	for i := range 3 {
		b.engine.DropEvents()
		b.engine.Rename("chat", "chat")
		b.actions(ActionRename)
		b.eventually("list", func() bool { return b.w.Stats().Lists == uint64(i+2) })
		assert.EqualValues(t, i+1, b.w.Stats().Reconnects)
		time.Sleep(stable * b.w.retry)
	}
	assert.Zero(t, b.w.Stats().Synthetic)
	assert.Equal(t, 1, b.logs.Len(), "that is no news")
	b.eventually("one stream", func() bool { return b.engine.Listeners() == 1 })
}

func TestConcludesWhatWasMissed(t *testing.T) {
	names := []string{"dies", "vanishes", "restarts", "renamed", "paused", "resumes", "sick", "limited", "oom", "same", "stopped", "starts", "quick"}
	var containers []simulator.DockerContainer
	for _, name := range names {
		containers = append(containers, simulator.DockerContainer{Name: name, Image: "i", Pid: 1})
	}
	b := newBench(t, withContainers(containers...))
	for _, name := range []string{"starts", "stopped", "quick"} {
		b.engine.Die(name, 0)
	}
	b.engine.Pause("resumes")
	b.start()
	b.engine.Shutdown()
	b.eventually("disconnected", func() bool { return !b.w.State().Connected })
	_, known := b.w.Get(simulator.DockerID("same"))
	assert.True(t, known, "without an engine, what was known stays")
	b.engine.Quietly(func() {
		b.engine.Die("dies", 3)
		b.engine.Remove("vanishes")
		b.engine.Remove("stopped")
		b.engine.Restart("restarts")
		b.engine.Rename("renamed", "other")
		b.engine.Pause("paused")
		b.engine.Unpause("resumes")
		b.engine.Health("sick", container.Unhealthy)
		b.engine.Update("limited", func(c *simulator.DockerContainer) { c.HostConfig.NanoCPUs = 5e8 })
		b.engine.OOM("oom")
		b.engine.Start("starts")
		b.engine.Start("quick")
		b.engine.Die("quick", 7)
		b.engine.Run(simulator.DockerContainer{Name: "new", Image: "i"})
		b.engine.Run(simulator.DockerContainer{Name: "came and went", Image: "i"})
		b.engine.Die("came and went", 9)
	})
	b.listen()
	b.eventually("connected", func() bool { return b.w.State().Connected })
	b.eventually("all", func() bool { return len(b.events()) >= 21 })

	got := make(map[string][]Action)
	codes := make(map[string]int)
	last := time.Time{}
	for _, e := range b.events() {
		assert.True(t, e.Synthetic)
		assert.False(t, e.Time.Before(last), "in order")
		last = e.Time
		name := e.Container.Name
		got[name] = append(got[name], e.Action)
		if e.ExitCode != nil {
			codes[name] = *e.ExitCode
		}
	}
	assert.Equal(t, map[string][]Action{
		"dies":          {ActionDie},
		"vanishes":      {ActionDie, ActionDestroy},
		"stopped":       {ActionDestroy},
		"restarts":      {ActionDie, ActionStart},
		"other":         {ActionRename},
		"paused":        {ActionPause},
		"resumes":       {ActionUnpause},
		"sick":          {ActionHealth},
		"limited":       {ActionUpdate},
		"oom":           {ActionOOM, ActionDie},
		"starts":        {ActionStart},
		"quick":         {ActionStart, ActionDie},
		"new":           {ActionCreate, ActionStart},
		"came and went": {ActionCreate, ActionStart, ActionDie},
	}, got)
	assert.Equal(t, map[string]int{"dies": 3, "oom": 137, "quick": 7, "came and went": 9}, codes)
	assert.EqualValues(t, 20+1, b.w.Stats().Synthetic)
}

// TestLateEventsAreNoNews: what was concluded from a list may still be in the stream.
func TestLateEventsAreNoNews(t *testing.T) {
	b := newBench(t, withConfig(func(c *Config) { c.ResyncInterval = 20 * time.Millisecond })).start()
	b.engine.Quietly(func() { b.engine.Die("chat", 3) })
	b.eventually("concluded", func() bool { return len(b.events()) == 1 })
	e := b.events()[0]
	late := events.Message{Type: events.ContainerEventType, Action: "die", TimeNano: e.Time.Add(time.Millisecond).UnixNano(), Actor: events.Actor{ID: e.Container.ID, Attributes: map[string]string{"exitCode": "3"}}}
	b.engine.Emit(late)
	b.actions(ActionDie)
	late.TimeNano += int64(time.Millisecond)
	b.engine.Emit(late)
	b.actions(ActionDie)
}

func TestResyncFindsWhatEventsDoNotTell(t *testing.T) {
	b := newBench(t, withConfig(func(c *Config) { c.ResyncInterval = 20 * time.Millisecond })).start()
	inspected := b.engine.Requests()["inspect"]
	b.eventually("lists", func() bool { return b.engine.Requests()["list"] > 3 })
	assert.Equal(t, inspected, b.engine.Requests()["inspect"], "what has not changed is not inspected again")
	b.engine.Quietly(func() {
		b.engine.Update("chat", func(c *simulator.DockerContainer) {
			c.Networks = []simulator.DockerNetwork{{Name: "n", IP: "10.0.0.9"}}
		})
	})
	b.eventually("network", func() bool { c, _ := b.w.Get(simulator.DockerID("chat")); return c.IP() == "10.0.0.9" })
	b.engine.Quietly(func() { b.engine.Health("chat", container.Healthy) })
	b.eventually("health", func() bool { c, _ := b.w.Get(simulator.DockerID("chat")); return c.Health == HealthHealthy })
	assert.Len(t, b.actions(ActionHealth), 1)
}

func TestThroughAProxy(t *testing.T) {
	b := newBench(t)
	b.faulty.Next = simulator.DockerProxy(b.engine.Handler())
	b.start()
	b.engine.Restart("chat")
	b.engine.Remove("chat")
	b.actions(ActionKill, ActionDie, ActionStop, ActionStart, ActionRestart, ActionKill, ActionDie, ActionDestroy)
	assert.Zero(t, b.w.Stats().Reconnects)
}

// TestInspectIsForbidden is about a proxy that allows the list and the events only.
func TestInspectIsForbidden(t *testing.T) {
	var containers []simulator.DockerContainer
	for i := range 3 * givenUp {
		containers = append(containers, simulator.DockerContainer{
			Name: fmt.Sprint("c", i), Image: "vllm/vllm-openai:v0.11.0", Health: container.Healthy, Labels: map[string]string{"com.docker.compose.service": "s"},
			Networks: []simulator.DockerNetwork{{Name: "n", IP: "10.0.0.2"}}, Ports: []container.Port{{PrivatePort: 8000, PublicPort: 80, Type: "tcp", IP: "0.0.0.0"}},
		})
	}
	b := newBench(t, withContainers(containers...), withConfig(func(c *Config) { c.ResyncInterval = 20 * time.Millisecond }))
	inner := b.engine.Handler()
	b.faulty.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if base := filepath.Base(filepath.Dir(r.URL.Path)); len(base) == 64 {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	})
	b.start()
	c, known := b.w.Get(simulator.DockerID("c1"))
	require.True(t, known)
	assert.True(t, c.Partial)
	assert.Equal(t, "s", c.ComposeService)
	assert.Equal(t, "0.11.0", c.Image.Tag[1:])
	assert.Equal(t, HealthHealthy, c.Health)
	assert.Equal(t, "10.0.0.2", c.IP())
	port, published := c.PublishedPort(8000)
	assert.True(t, published)
	assert.Equal(t, 80, port.Host)
	assert.False(t, c.Created.IsZero())

	b.engine.Kill("c1", 9)
	seen := b.actions(ActionKill, ActionDie)
	assert.Equal(t, StateExited, seen[1].Container.State)
	assert.Equal(t, 137, seen[1].Container.ExitCode)
	b.engine.Start("c1")
	assert.Equal(t, StateRunning, b.actions(ActionStart)[0].Container.State)
	b.engine.Quietly(func() { b.engine.Die("c2", 0) })
	b.eventually("list", func() bool { c, _ := b.w.Get(simulator.DockerID("c2")); return c.State == StateExited })
	assert.Nil(t, b.actions(ActionDie)[0].ExitCode, "nobody knows")
}

func TestOneContainerHangs(t *testing.T) {
	b := newBench(t, withContainers(simulator.DockerContainer{Name: "hangs"}, simulator.DockerContainer{Name: "works"}),
		withConfig(func(c *Config) { c.Timeout, c.ResyncInterval = 100*time.Millisecond, 50*time.Millisecond }))
	inner := b.engine.Handler()
	var mu sync.Mutex
	hangs := false
	b.faulty.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		hung := hangs && filepath.Base(filepath.Dir(r.URL.Path)) == simulator.DockerID("hangs")
		mu.Unlock()
		if hung {
			<-r.Context().Done()
			return
		}
		inner.ServeHTTP(w, r)
	})
	set := func(value bool) { mu.Lock(); defer mu.Unlock(); hangs = value }
	b.start()
	set(true)
	b.engine.Update("hangs", func(c *simulator.DockerContainer) { c.HostConfig.Memory = 1 })
	e := b.actions(ActionUpdate)[0]
	assert.False(t, e.Container.Partial, "what was known stays")
	b.engine.Die("works", 1)
	b.actions(ActionDie)
	b.eventually("tried again", func() bool { return b.w.Stats().InspectErrors > 2 })
	assert.Zero(t, b.w.Stats().Reconnects)
	set(false)
	b.eventually("read at last", func() bool { c, _ := b.w.Get(simulator.DockerID("hangs")); return c.Limits.Memory == 1 })
}

func TestBadEngines(t *testing.T) {
	for _, fault := range simulator.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, withConfig(func(c *Config) { c.Timeout = 150 * time.Millisecond }))
			b.faulty.Delay, b.faulty.Bytes = 300*time.Millisecond, 10<<20
			b.faulty.Set(fault)
			b.listen()
			b.startWatcher()
			switch fault {
			case simulator.FaultNaNInf: // there are no samples to spoil
				return
			default:
				b.eventually("an error", func() bool { return b.w.State().Err != nil })
			}
			assert.False(t, b.w.State().Connected)
			assert.Empty(t, b.w.List())
			assert.Equal(t, 1, b.logs.Len(), "one line")
			assert.NotEmpty(t, b.logs.All()[0].ContextMap()["hint"])
			b.faulty.Set(simulator.FaultNone)
			b.await(b.w.Ready())
			assert.Len(t, b.w.List(), 1)
		})
	}
}

// TestEngineHangs: nothing is closed, but nothing answers.
func TestEngineHangs(t *testing.T) {
	b := newBench(t, withConfig(func(c *Config) { c.Timeout = 100 * time.Millisecond }))
	b.w.ping = 50 * time.Millisecond
	b.start()
	b.faulty.Set(simulator.FaultSlow)
	b.eventually("noticed", func() bool { return !b.w.State().Connected })
	require.ErrorContains(t, b.w.State().Err, "deadline")
	b.faulty.Set(simulator.FaultNone)
	b.eventually("back", func() bool { return b.w.State().Connected })
}

// hijack answers some requests otherwise.
func (b *bench) hijack(request string, status int, body string) {
	inner := b.faulty.Next
	b.faulty.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if matched, _ := filepath.Match(request, r.URL.Path); matched {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return
		}
		inner.ServeHTTP(w, r)
	})
}

func TestPartsOfTheEngineFail(t *testing.T) {
	t.Run("events are forbidden", func(t *testing.T) {
		b := newBench(t)
		b.hijack("/v*/events", http.StatusForbidden, "no")
		b.listen()
		b.startWatcher()
		b.eventually("an error", func() bool { return b.w.State().Err != nil })
		assert.Contains(t, b.logs.All()[0].ContextMap()["hint"], "proxy must allow")
	})
	t.Run("events are garbage", func(t *testing.T) {
		b := newBench(t)
		b.hijack("/v*/events", http.StatusOK, "{}garbage")
		b.listen()
		b.startWatcher()
		b.eventually("an error", func() bool { return b.w.State().Err != nil })
		assert.ErrorContains(t, b.w.State().Err, "event stream")
	})
	t.Run("events never open", func(t *testing.T) {
		b := newBench(t, withConfig(func(c *Config) { c.Timeout = 100 * time.Millisecond }))
		inner := b.engine.Handler()
		b.faulty.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if filepath.Base(r.URL.Path) == "events" {
				<-r.Context().Done()
				return
			}
			inner.ServeHTTP(w, r)
		})
		b.listen()
		b.startWatcher()
		b.eventually("an error", func() bool { return b.w.State().Err != nil })
		assert.ErrorContains(t, b.w.State().Err, "did not open in time")
	})
	t.Run("no list", func(t *testing.T) {
		b := newBench(t)
		b.hijack("/v*/containers/json", http.StatusInternalServerError, `{"message":"broken"}`)
		b.listen()
		b.startWatcher()
		b.eventually("an error", func() bool { return b.w.State().Err != nil })
		assert.ErrorContains(t, b.w.State().Err, "broken")
	})
	t.Run("no inspection works", func(t *testing.T) {
		var containers []simulator.DockerContainer
		for i := range 2 * givenUp {
			containers = append(containers, simulator.DockerContainer{Name: strconv.Itoa(i)})
		}
		b := newBench(t, withContainers(containers...))
		b.hijack("/v*/containers/*/json", http.StatusInternalServerError, `{"message":"broken"}`)
		b.listen()
		b.startWatcher()
		b.eventually("an error", func() bool { return b.w.State().Err != nil })
		assert.ErrorContains(t, b.w.State().Err, "inspect")
		assert.NotEmpty(t, b.w.List(), "the list is better than nothing")
	})
}

func TestNoEngine(t *testing.T) {
	b := newBench(t)
	b.startWatcher()
	b.eventually("tried", func() bool { return b.w.Stats().Reconnects > 3 })
	assert.False(t, b.w.State().Connected)
	assert.Empty(t, b.w.List())
	_, known := b.w.Get(idA)
	assert.False(t, known)
	_, known = b.w.ByPID(1)
	assert.False(t, known)
	select {
	case <-b.w.Ready():
		assert.Fail(t, "not ready")
	default:
	}
	assert.Equal(t, 1, b.logs.Len())
	b.listen()
	b.await(b.w.Ready())
	assert.Len(t, b.w.List(), 1)
	assert.Empty(t, b.events())
}

func TestByPID(t *testing.T) {
	proc := newProc(t)
	b := newBench(t, withConfig(func(c *Config) { c.ProcRoot = proc.root })).start()
	id := simulator.DockerID("chat")
	proc.process(41, 1, "0::/docker/"+id)
	proc.process(42, 1, "0::/docker/"+id+"/docker/"+idB)
	proc.process(43, 1, "0::/machine.slice/libpod-"+idC+".scope")
	proc.process(44, 1, "0::/init.scope")
	for pid, want := range map[int]string{41: id, 42: id, 43: "", 44: "", 45: ""} {
		c, known := b.w.ByPID(pid)
		assert.Equal(t, want != "", known, pid)
		if known {
			assert.Equal(t, want, c.ID)
		}
	}
	for pid, want := range map[int]string{41: id, 42: id, 43: idC, 44: "", 45: ""} {
		got, _ := b.w.ContainerIDByPID(pid)
		assert.Equal(t, want, got, pid)
	}
	b.engine.Remove("chat")
	b.actions(ActionKill, ActionDie, ActionDestroy)
	c, known := b.w.ByPID(41)
	require.True(t, known, "the last telemetry of a process comes after its container")
	assert.False(t, c.Gone.IsZero())
}

func TestKeepGone(t *testing.T) {
	b := newBench(t, withConfig(func(c *Config) { c.KeepGone = 50 * time.Millisecond })).start()
	b.engine.Remove("chat")
	b.eventually("known", func() bool { return b.w.Stats().Gone == 1 })
	b.eventually("forgotten", func() bool { return b.w.Stats().Gone == 0 })
	_, known := b.w.Get(simulator.DockerID("chat"))
	assert.False(t, known)

	b = newBench(t, withConfig(func(c *Config) { c.KeepGone = 0 })).start()
	b.engine.Remove("chat")
	assert.NotNil(t, b.actions(ActionKill, ActionDie, ActionDestroy)[2].Container)
	_, known = b.w.Get(simulator.DockerID("chat"))
	assert.False(t, known)
}

func TestMaxContainers(t *testing.T) {
	var containers []simulator.DockerContainer
	for i := range 20 {
		c := simulator.DockerContainer{Name: fmt.Sprint("c", i), Image: "i", Created: time.Unix(int64(1000+i), 0)}
		if i%2 == 0 {
			c.State = container.StateExited
		}
		containers = append(containers, c)
	}
	b := newBench(t, withContainers(containers...), withConfig(func(c *Config) { c.MaxContainers, c.ResyncInterval = 12, 20*time.Millisecond })).start()
	states := make(map[State]int)
	for _, c := range b.w.List() {
		states[c.State]++
	}
	assert.Equal(t, map[State]int{StateRunning: 10, StateExited: 2}, states, "those that run are known first")
	_, known := b.w.Get(simulator.DockerID("c18"))
	assert.True(t, known, "then the newest")
	assert.Equal(t, 8, b.w.Stats().Refused)
	lists := b.w.Stats().Lists
	b.eventually("lists", func() bool { return b.w.Stats().Lists > lists+2 })
	assert.Empty(t, b.events(), "what is beyond the bound comes and goes without a word")

	for i := range 5 {
		b.engine.Run(simulator.DockerContainer{Name: fmt.Sprint("new", i), Image: "i"})
	}
	b.eventually("events", func() bool { return len(b.events()) >= 10 })
	assert.LessOrEqual(t, b.w.Stats().Containers+b.w.Stats().Gone, 12)
	assert.Positive(t, b.w.Stats().Refused)
}

func TestSubscribers(t *testing.T) {
	s := newSubscribers()
	release := make(chan struct{})
	entered := make(chan struct{})
	var slow []Event
	var once sync.Once
	cancelSlow := s.add(func(e Event) {
		once.Do(func() { close(entered); <-release })
		slow = append(slow, e)
	})
	var fast int
	var mu sync.Mutex
	cancelFast := s.add(func(Event) { mu.Lock(); defer mu.Unlock(); fast++ })
	s.publish(Event{Action: ActionStart})
	<-entered
	const n = queueSize + 10
	for i := range n {
		s.publish(Event{Action: ActionKill})
		if i%100 == 0 { // the fast one gets its chance
			require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return fast == i+2 }, patience, time.Millisecond)
		}
	}
	assert.EqualValues(t, 10, s.dropped.Load(), "a slow subscriber holds up nobody")
	close(release)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return fast == n+1 }, patience, time.Millisecond)
	cancelFast()
	cancelFast() // again does nothing
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for sub := range s.all {
			return len(sub.queue) == 0 && sub.lost.Load() == 0
		}
		return false
	}, patience, time.Millisecond)
	cancelSlow()
	require.Len(t, slow, queueSize+2)
	assert.Contains(t, slow, Event{Action: ActionLost, Lost: 10}, "and it is told")
	assert.Zero(t, s.count())

	s.add(func(Event) {})
	s.close()
	s.add(func(Event) {})()
	s.publish(Event{})
	assert.Zero(t, s.count())
}

func TestAcquire(t *testing.T) {
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "chat"}}})
	require.NoError(t, engine.Listen(t.Context(), "tcp://127.0.0.1:0", nil))
	t.Cleanup(engine.Shutdown)
	cfg := NewDefaultConfig()
	cfg.Endpoint = engine.Endpoint()

	var wait sync.WaitGroup
	watchers := make([]*Watcher, 8)
	releases := make([]func(), len(watchers))
	for i := range watchers {
		wait.Go(func() {
			var err error
			watchers[i], releases[i], err = Acquire(cfg, nil)
			assert.NoError(t, err)
			select {
			case <-watchers[i].Ready():
			case <-time.After(patience):
				assert.Fail(t, "not ready")
			}
		})
	}
	wait.Wait()
	for _, w := range watchers {
		assert.Same(t, watchers[0], w)
	}
	assert.Equal(t, 1, engine.Requests()["list"], "one connection for all")
	assert.Equal(t, 1, engine.Listeners())
	for _, release := range releases[1:] {
		release()
		release()
	}
	assert.True(t, watchers[0].State().Connected)
	called := false
	watchers[0].Subscribe(func(Event) { called = true }) // never cancelled
	releases[0]()
	require.Eventually(t, func() bool { return engine.Listeners() == 0 }, patience, time.Millisecond)
	assert.Empty(t, shared.use)
	assert.False(t, called)
	assert.Len(t, watchers[0].List(), 1, "what was known stays")

	again, release, err := Acquire(cfg, nil)
	require.NoError(t, err)
	defer release()
	assert.NotSame(t, watchers[0], again)
	other := cfg
	other.KeepGone = time.Hour
	another, release2, err := Acquire(other, nil)
	require.NoError(t, err)
	defer release2()
	assert.NotSame(t, again, another, "another configuration, another watcher")
}

func TestHints(t *testing.T) {
	assert.Contains(t, hintFor(errdefs.ErrPermissionDenied), "proxy")
	assert.Contains(t, hintFor(&net.OpError{Op: "dial", Err: syscall.EACCES}), "socket's group")
	assert.Contains(t, hintFor(syscall.ECONNREFUSED), "Start Docker")
	assert.Contains(t, hintFor(context.DeadlineExceeded), "log of the Docker engine")
}

package dockerinventoryreceiver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

func TestResourceOfLogs(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{})
	j := w.journal(t, func(cfg *Config) {
		cfg.LogsBuilderConfig.ResourceAttributes.ContainerID.Enabled = true
		cfg.Labels = []string{"team"}
	})
	w.Create(simulator.DockerContainer{Name: "a", Image: "i:1", Labels: map[string]string{"team": "x", "com.docker.compose.service": "s"}})
	assert.Equal(t, map[string]any{
		"service.name": "dockerd", "container.name": "a", "container.image.name": "i:1", "container.runtime": "docker",
		"container.id": simulator.DockerID("a"), "docker.compose.service": "s", "container.label.team": "x",
	}, j.last(t, 1).resource)
}

// TestQuietEvents: signals, limits and what is excluded or switched off write nothing.
func TestQuietEvents(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a"}, {Name: "b"}}})
	j := w.journal(t, func(cfg *Config) {
		cfg.Exclude.Names = []string{"b"}
		cfg.Events.ContainerPause.Enabled = false
	})
	w.Update("a", func(*simulator.DockerContainer) {})
	w.Pause("a")
	w.Die("b", 1)
	w.Health("a", "none")
	w.Unpause("a")
	assert.Equal(t, []string{"INFO container.unpause a"}, j.events(t, 1))
}

// TestMissed: what happened while nobody listened is concluded, and marked as such.
func TestMissed(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a", Image: "i:1"}, {Name: "b", Image: "i:1"}}})
	j := w.journal(t, nil)
	w.Shutdown()
	w.Die("a", 1)
	w.Remove("b")
	w.Run(simulator.DockerContainer{ID: simulator.DockerID("b2"), Name: "b", Image: "i:2"})
	w.ForgetEvents()
	w.listen(t)
	require.Eventually(t, func() bool { return j.LogRecordCount() >= 6 }, soon, tick)
	var events []string
	for _, l := range j.lines() {
		events = append(events, l.severity+" "+l.event+" "+l.container)
		if l.event != "container.image_change" {
			assert.Equal(t, true, l.attributes["container.event.concluded"], l.event)
		}
	}
	assert.ElementsMatch(t, []string{
		"ERROR container.die a", "WARN container.die b", "INFO container.destroy b",
		"INFO container.create b", "INFO container.image_change b", "INFO container.start b",
	}, events)
}

// TestComposeUp: compose makes the new container under another name, and renames it.
func TestComposeUp(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "llm-1", Image: "i:1"}}})
	j := w.journal(t, nil)
	id := w.Create(simulator.DockerContainer{Name: "0123456789ab_llm-1", Image: "i:2"})
	j.events(t, 1)
	w.Stop("llm-1")
	w.Remove("llm-1")
	j.events(t, 3)
	w.Rename(id, "llm-1")
	assert.Equal(t, []string{
		"INFO container.create 0123456789ab_llm-1", "WARN container.die llm-1", "INFO container.destroy llm-1",
		"INFO container.rename llm-1", "INFO container.image_change llm-1",
	}, j.events(t, 5))
}

// TestSameTag: an image pulled again under the same tag is another one.
func TestSameTag(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a", Image: "i", ImageID: "sha256:1"}}})
	j := w.journal(t, nil)
	w.Remove("a")
	j.events(t, 2)
	w.Create(simulator.DockerContainer{ID: simulator.DockerID("a2"), Name: "a", Image: "i", ImageID: "sha256:2"})
	last := j.last(t, 4)
	assert.Equal(t, `Container "a" has another image of the name i.`, last.body)
	assert.Equal(t, "sha256:1", last.attributes["container.image.id.previous"])
}

// newTeller is a lifecycle without a watcher.
func newTeller(t *testing.T, change func(*Config)) *lifecycle {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	l, err := newLifecycle(cfg, receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	l.now = func() time.Time { return birth.Add(time.Hour) }
	return l
}

func TestDie(t *testing.T) {
	code := func(n int) *int { return &n }
	tests := []struct {
		name     string
		before   []docker.Event
		code     *int
		change   func(*docker.Container)
		severity string
		body     string
	}{
		{"well", nil, code(0), nil, "INFO", `Container "a" ended with exit code 0 after 1m0s.`},
		{"by itself", nil, code(1), nil, "ERROR", `Container "a" ended with exit code 1 after 1m0s.`},
		{"not known how", nil, nil, nil, "WARN", `Container "a" ended after 1m0s.`},
		{"stopped", []docker.Event{{Action: docker.ActionKill, Signal: "15"}}, code(143), nil, "WARN", `Container "a" ended with exit code 143 after 1m0s: it was sent SIGTERM.`},
		{"stopped and well", []docker.Event{{Action: docker.ActionKill, Signal: "15"}}, code(0), nil, "INFO", `Container "a" ended with exit code 0 after 1m0s: it was sent SIGTERM.`},
		{"killed after all", []docker.Event{{Action: docker.ActionKill, Signal: "15"}, {Action: docker.ActionKill, Signal: "9"}}, code(137), nil, "WARN", `Container "a" ended with exit code 137 after 1m0s: it was sent SIGKILL.`},
		{"a signal for another purpose", []docker.Event{{Action: docker.ActionKill, Signal: "SIGHUP"}}, code(1), nil, "ERROR", `Container "a" ended with exit code 1 after 1m0s.`},
		{"a signal to the run before", []docker.Event{{Action: docker.ActionKill, Signal: "15"}, {Action: docker.ActionStart}}, code(1), nil, "ERROR", `Container "a" ended with exit code 1 after 1m0s.`},
		{"what was heard is lost", []docker.Event{{Action: docker.ActionKill, Signal: "15"}, {Action: docker.ActionLost, Lost: 1}}, code(1), nil, "ERROR", `Container "a" ended with exit code 1 after 1m0s.`},
		{"out of memory, told", []docker.Event{{Action: docker.ActionOOM}}, code(137), nil, "ERROR", `Container "a" ended with exit code 137 after 1m0s: it ran out of memory.`},
		{"out of memory, seen", nil, code(137), func(c *docker.Container) { c.OOMKilled = true }, "ERROR", `Container "a" ended with exit code 137 after 1m0s: it ran out of memory.`},
		{"out of memory and stopped", []docker.Event{{Action: docker.ActionOOM}, {Action: docker.ActionKill, Signal: "9"}}, code(137), nil, "ERROR", `Container "a" ended with exit code 137 after 1m0s: it ran out of memory.`},
		{"runs again already", nil, code(1), func(c *docker.Container) { c.Started = c.Finished.Add(time.Second) }, "ERROR", `Container "a" ended with exit code 1.`},
		{"never known to run", nil, code(1), func(c *docker.Container) { c.Started = time.Time{} }, "ERROR", `Container "a" ended with exit code 1.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newTeller(t, nil)
			c := &docker.Container{ID: "1", Name: "a", Started: birth, Finished: birth.Add(time.Minute)}
			if tt.change != nil {
				tt.change(c)
			}
			for _, e := range tt.before {
				e.Container = c
				l.tell(t.Context(), &e, "")
			}
			got := linesOf(l.tell(t.Context(), &docker.Event{Action: docker.ActionDie, Container: c, ExitCode: tt.code}, ""))
			require.Len(t, got, 1)
			assert.Equal(t, tt.severity, got[0].severity)
			assert.Equal(t, tt.body, got[0].body)
			assert.Empty(t, l.ends)
		})
	}
}

func TestRemovedIsForgotten(t *testing.T) {
	l := newTeller(t, nil)
	c := &docker.Container{ID: "1", Name: "a"}
	l.tell(t.Context(), &docker.Event{Action: docker.ActionKill, Signal: "15", Container: c}, "")
	assert.Len(t, l.ends, 1)
	l.tell(t.Context(), &docker.Event{Action: docker.ActionDestroy, Container: c}, "")
	assert.Empty(t, l.ends)
}

func TestLost(t *testing.T) {
	l := newTeller(t, nil)
	logs := l.tell(t.Context(), &docker.Event{Action: docker.ActionLost, Lost: 7}, "unix:///x.sock")
	got := linesOf(logs)
	require.Len(t, got, 1)
	assert.Equal(t, line{
		event: "docker.events_lost", severity: "WARN",
		body:       "7 events of Docker were missed: more happened at once than the logs pipeline could take.",
		attributes: map[string]any{"event.name": "docker.events_lost", "docker.events.lost": int64(7)},
		resource:   map[string]any{"service.name": "dockerd", "docker.endpoint": "unix:///x.sock"},
	}, got[0])
	record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, birth.Add(time.Hour), record.Timestamp().AsTime(), "the event itself has no time")
	assert.Equal(t, plog.SeverityNumberWarn, record.SeverityNumber())
}

func TestUnknownOOMLimit(t *testing.T) {
	l := newTeller(t, nil)
	got := linesOf(l.tell(t.Context(), &docker.Event{Action: docker.ActionOOM, Container: &docker.Container{Name: "a"}}, ""))
	require.Len(t, got, 1)
	assert.Equal(t, `Container "a" ran out of memory (limit: none).`, got[0].body)
}

// TestLoopOfRenamed: a container stays the same when it is renamed.
func TestLoopOfRenamed(t *testing.T) {
	l := newTeller(t, func(cfg *Config) { cfg.RestartLoop.Count = 2 })
	l.tell(t.Context(), &docker.Event{Action: docker.ActionStart, Time: birth, Container: &docker.Container{ID: "1", Name: "a"}}, "")
	b := &docker.Container{ID: "1", Name: "b", Partial: true, RestartCount: 7}
	l.tell(t.Context(), &docker.Event{Action: docker.ActionRename, OldName: "a", Container: b}, "")
	got := linesOf(l.tell(t.Context(), &docker.Event{Action: docker.ActionStart, Time: birth, Container: b}, ""))
	require.Len(t, got, 2)
	assert.Equal(t, `Container "b" was started.`, got[0].body)
	assert.Equal(t, "container.restart_loop", got[1].event)
}

// TestRefused: a pipeline that refuses loses the record and nothing else.
func TestRefused(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a"}}})
	refused := make(chan struct{}, 10)
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		refused <- struct{}{}
		return errors.New("full")
	})
	require.NoError(t, err)
	r, err := newLogsReceiver(w.config(nil), receivertest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-r.watcher.Ready()
	w.Pause("a")
	<-refused
	w.Unpause("a")
	<-refused
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()), "again")
}

// TestShutdownWhileWaiting: neither an engine that does not answer nor a pipeline
// that blocks delays the shutdown.
func TestShutdownWhileWaiting(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a"}}})
	entered := make(chan struct{})
	next, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	})
	require.NoError(t, err)
	r, err := newLogsReceiver(w.config(nil), receivertest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-r.watcher.Ready()
	w.Pause("a")
	<-entered
	begin := time.Now()
	require.NoError(t, r.Shutdown(t.Context()))

	w.Shutdown()
	r, err = newLogsReceiver(w.config(nil), receivertest.NewNopSettings(metadata.Type), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Less(t, time.Since(begin), 10*time.Second)
}

// TestTogether: metrics and logs share one watcher, and one line tells of the engine.
func TestTogether(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{})
	cfg := w.config(nil)
	core, lines := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	logs, metrics := &consumertest.LogsSink{}, &consumertest.MetricsSink{}
	factory := NewFactory()
	logsReceiver, err := factory.CreateLogs(t.Context(), set, cfg, logs)
	require.NoError(t, err)
	metricsReceiver, err := factory.CreateMetrics(t.Context(), set, cfg, metrics)
	require.NoError(t, err)
	require.NoError(t, logsReceiver.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, metricsReceiver.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return w.Listeners() == 1 && metrics.DataPointCount() > 0 }, soon, tick)
	assert.Equal(t, 1, w.Requests()["list"], "one watcher")
	assert.Equal(t, 1, lines.Len(), "one line")

	require.NoError(t, logsReceiver.Shutdown(t.Context()))
	w.Run(simulator.DockerContainer{Name: "a"})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		all := metrics.AllMetrics()
		assert.Equal(c, "running", readingsOf(c, all[len(all)-1]).state("a"))
	}, soon, tick)
	require.NoError(t, metricsReceiver.Shutdown(t.Context()))
	require.Eventually(t, func() bool { return w.Listeners() == 0 }, soon, tick)
}

// TestBurst: nothing is lost of hundreds of containers that come and go at once.
func TestBurst(t *testing.T) {
	const n = 300
	w := newWorld(t, simulator.DockerConfig{})
	j := w.journal(t, nil)
	for i := range n {
		w.Run(simulator.DockerContainer{Name: fmt.Sprintf("c%d", i), Image: "i", Health: container.Healthy})
	}
	for i := range n {
		w.Remove(fmt.Sprintf("c%d", i))
	}
	counts := map[string]int{}
	for _, e := range j.events(t, 4*n) {
		_, event, _ := cutTwice(e)
		counts[event]++
	}
	assert.Equal(t, map[string]int{"container.create": n, "container.start": n, "container.die": n, "container.destroy": n}, counts)
}

func cutTwice(s string) (first, second, third string) {
	_, _ = fmt.Sscan(s, &first, &second, &third)
	return first, second, third
}

func TestBadLogsConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "nowhere"
	r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), `"endpoint" must be`)
	require.NoError(t, r.Shutdown(t.Context()))

	cfg.Exclude.Names = []string{""}
	_, err = NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.ErrorContains(t, err, `"names" must hold patterns`)
	_, err = NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.ErrorContains(t, err, `"names" must hold patterns`)
}

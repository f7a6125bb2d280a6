package dockerattributesprocessor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
)

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond)
}

// TestLife follows a container from before it exists until it is forgotten.
func TestLife(t *testing.T) {
	for _, signal := range signals {
		t.Run(signal.String(), func(t *testing.T) {
			engine := newEngine(t, someContainers()...)
			s := startAt(t, engine, signal, func(cfg *Config) {
				cfg.Docker.KeepGone = 300 * time.Millisecond
				cfg.Extract.Metadata = []string{containerName, "container.image.tag"}
				cfg.ServiceName.Signals = nil
			})
			id := simulator.DockerID("db")
			raw := map[string]any{"container.id": id}
			is := func(name, tag string) bool {
				got := s.pass(t, raw)
				return got["container.name"] == name && got["container.image.tag"] == tag
			}
			assert.Equal(t, raw, s.pass(t, raw), "does not exist yet")
			assert.Equal(t, map[string]int64{"miss": 1}, s.counts(t))

			engine.Run(simulator.DockerContainer{Name: "db", Image: "postgres:17"})
			eventually(t, func() bool { return is("db", "17") })
			engine.Rename("db", "postgres")
			eventually(t, func() bool { return is("postgres", "17") })
			engine.Restart(id)
			assert.True(t, is("postgres", "17"))
			assert.Zero(t, s.counts(t)["gone"])

			engine.Remove(id)
			eventually(t, func() bool { is("postgres", "17"); return s.counts(t)["gone"] > 0 })
			removed, _ := s.watcher.Get(id)
			if removed != nil {
				assert.False(t, removed.Gone.IsZero())
			}
			eventually(t, func() bool { return len(s.pass(t, raw)) == 1 })
		})
	}
}

// TestEngineRestart: while the engine is away its containers stay known, and what
// happened meanwhile is seen when it is back.
func TestEngineRestart(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) { cfg.Extract.Metadata = []string{containerName} })
	raw := map[string]any{"container.id": webID}
	name := func() any { return s.pass(t, raw)["container.name"] }
	assert.Equal(t, "web", name())

	engine.Shutdown()
	eventually(t, func() bool { return !s.watcher.State().Connected })
	assert.Equal(t, "web", name())
	engine.Rename(webID, "web-2")
	require.NoError(t, engine.Listen(t.Context(), engine.Endpoint(), nil))
	eventually(t, func() bool { return name() == "web-2" })
	assert.Equal(t, 1, s.logs.FilterMessageSnippet("Docker does not answer").Len())
}

// TestNoDocker: data passes as it is, with one line in the log, until there is a Docker.
func TestNoDocker(t *testing.T) {
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: someContainers()})
	socket := "unix://" + t.TempDir() + "/d.sock"
	before := time.Now()
	s := start(t, pipeline.SignalLogs, func(cfg *Config) { cfg.Docker.Endpoint = socket })
	assert.Less(t, time.Since(before), time.Second)
	raw := map[string]any{"container.id": webID, "service.name": "docker"}
	for range 3 {
		assert.Equal(t, raw, s.pass(t, raw))
	}
	assert.Equal(t, map[string]int64{"miss": 3}, s.counts(t))
	eventually(t, func() bool { return s.watcher.Stats().Reconnects >= 2 })
	assert.Equal(t, 1, s.logs.Len(), "%v", s.logs.All())

	require.NoError(t, engine.Listen(t.Context(), socket, nil))
	defer engine.Shutdown()
	eventually(t, func() bool { return s.pass(t, raw)["service.name"] == "web" })
}

func TestWaitForMetadata(t *testing.T) {
	t.Run("known", func(t *testing.T) {
		engine := newEngine(t, someContainers()...)
		s := start(t, pipeline.SignalTraces, func(cfg *Config) {
			cfg.Docker.Endpoint = engine.Endpoint()
			cfg.WaitForMetadata = true
		})
		assert.Equal(t, "web", s.pass(t, map[string]any{"container.id": webID})["container.name"])
	})
	t.Run("no Docker", func(t *testing.T) {
		s := start(t, pipeline.SignalTraces, func(cfg *Config) {
			cfg.Docker.Endpoint = "unix://" + t.TempDir() + "/d.sock"
			cfg.WaitForMetadata, cfg.WaitForMetadataTimeout = true, 10*time.Millisecond
		})
		assert.Equal(t, 1, s.logs.FilterMessageSnippet("Docker has not told its containers yet").Len())
	})
	t.Run("start is given up", func(t *testing.T) {
		cfg := createDefaultConfig().(*Config)
		cfg.Docker.Endpoint = "unix://" + t.TempDir() + "/d.sock"
		cfg.WaitForMetadata, cfg.WaitForMetadataTimeout = true, time.Hour
		e, err := newEnricher(cfg, processortest.NewNopSettings(metadata.Type), pipeline.SignalTraces)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.NoError(t, e.start(ctx, componenttest.NewNopHost()))
		require.NoError(t, e.shutdown(t.Context()))
	})
}

// TestBound: descriptions of containers that are forgotten do not pile up.
func TestBound(t *testing.T) {
	engine := newEngine(t)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) {
		cfg.Docker.MaxContainers = 5
		cfg.Docker.KeepGone = 0
	})
	for i := range 50 {
		name := fmt.Sprintf("job-%d", i)
		id := engine.Run(simulator.DockerContainer{Name: name, Image: "job"})
		eventually(t, func() bool { return s.pass(t, map[string]any{"container.id": id})["container.name"] == name })
		engine.Remove(id)
		eventually(t, func() bool { _, known := s.watcher.Get(id); return !known })
		assert.LessOrEqual(t, len(s.describer.made), 6)
	}
}

// TestConcurrent: batches come at the same time while containers come and go.
func TestConcurrent(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalLogs, func(cfg *Config) {
		cfg.Docker.MaxContainers = 8
		cfg.Association = append(cfg.Association, associate(fromResource, containerName))
	})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := range 300 {
				s.pass(t, map[string]any{"container.id": webID})
				s.pass(t, map[string]any{"container.name": "web"})
				id := simulator.DockerID(fmt.Sprintf("job-%d", i%20))
				s.passRecord2(t, "/x/"+id+"/y.log", "/x/"+vllmID+"/y.log")
			}
		})
	}
	for i := range 20 {
		name := fmt.Sprintf("job-%d", i)
		engine.Run(simulator.DockerContainer{Name: name, Image: "job"})
		engine.Rename(name, name+"-renamed")
		if i >= 4 {
			engine.Remove(fmt.Sprintf("job-%d-renamed", i-4))
		}
	}
	wait.Wait()
	assert.LessOrEqual(t, len(s.describer.made), 9)
}

// TestProxy: a proxy that lets only containers, events, version and ping through is enough.
func TestProxy(t *testing.T) {
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: someContainers()})
	require.NoError(t, engine.Listen(t.Context(), "tcp://127.0.0.1:0", simulator.DockerProxy(engine.Handler())))
	defer engine.Shutdown()
	s := startAt(t, engine, pipeline.SignalMetrics, nil)
	assert.Equal(t, with(vllmAttributes, "container.id", vllmID), s.pass(t, map[string]any{"container.id": vllmID}))
}

// TestShared: the engine is asked once for all signals, however they are stopped.
func TestShared(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	for _, signal := range signals {
		s := startAt(t, engine, signal, nil)
		assert.NotEmpty(t, s.pass(t, map[string]any{"container.id": strings.Repeat("b2", 32)})["container.name"])
	}
	assert.Equal(t, 1, engine.Listeners())
}

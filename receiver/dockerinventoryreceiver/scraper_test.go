package dockerinventoryreceiver

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

// TestStory: whatever happens to a container, the next scrape tells how it is, and
// nothing else.
func TestStory(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{})
	p := w.probe(t, nil).ready(t)
	assert.Empty(t, p.read(t).of("a: "))
	is := func(name, state string) func(*assert.CollectT, readings) {
		return func(c *assert.CollectT, r readings) { assert.Equal(c, state, r.state(name)) }
	}

	w.Create(simulator.DockerContainer{Name: "a", Image: "i", Health: container.Starting})
	got := p.until(t, is("a", "created"))
	assert.Equal(t, -1.0, got.value("a: container.started.time"))
	assert.Equal(t, -1.0, got.value("a: container.exit.code"))

	w.Start("a")
	got = p.until(t, is("a", "running"))
	assert.Equal(t, "starting", got.which("a", "container.health"))
	assert.Positive(t, got.value("a: container.started.time"))
	assert.Empty(t, got.ended())

	w.Health("a", container.Healthy)
	p.until(t, func(c *assert.CollectT, r readings) { assert.Equal(c, "healthy", r.which("a", "container.health")) })
	w.Health("a", container.Unhealthy)
	p.until(t, func(c *assert.CollectT, r readings) { assert.Equal(c, "unhealthy", r.which("a", "container.health")) })

	w.Pause("a")
	p.until(t, is("a", "paused"))
	w.Unpause("a")
	p.until(t, is("a", "running"))

	w.Rename("a", "b")
	got = p.until(t, is("b", "running"))
	assert.Empty(t, got.of("a: "), "the old name is gone")
	assert.NotEmpty(t, got.ended())
	for _, key := range got.ended() {
		assert.True(t, strings.HasPrefix(key, "a: "), key)
	}
	assert.Empty(t, p.read(t).ended(), "it ends once")

	w.Kill("b", 9)
	got = p.until(t, is("b", "exited"))
	assert.Equal(t, 137.0, got.value("b: container.exit.code"))
	assert.Positive(t, got.value("b: container.finished.time"))
	assert.Zero(t, got.value("b: container.oom_killed"))

	w.Start("b")
	got = p.until(t, is("b", "running"))
	assert.Contains(t, got.ended(), "b: container.exit.code")
	assert.Contains(t, got.ended(), "b: container.finished.time")

	w.Crash("b", 1)
	got = p.until(t, is("b", "restarting"))
	assert.Equal(t, 1.0, got.value("b: container.exit.code"))
	w.Start("b")
	got = p.until(t, is("b", "running"))
	assert.Equal(t, 1.0, got.value("b: container.restart.count"))

	w.OOM("b")
	got = p.until(t, is("b", "exited"))
	assert.Equal(t, 1.0, got.value("b: container.oom_killed"))

	w.Remove("b")
	got = p.until(t, func(c *assert.CollectT, r readings) { assert.Empty(c, r.of("b: ")) })
	assert.Len(t, got.ended(), 17, "all that it had")
	assert.Empty(t, p.read(t).ended())
	before := p.stale.Len()
	p.read(t)
	assert.Equal(t, before, p.stale.Len(), "nothing is remembered")
}

// TestSuccessor: a container made anew with another image ends the series of the old one.
func TestSuccessor(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a", Image: "i:1"}}})
	p := w.probe(t, nil).ready(t)
	p.read(t)
	w.Remove("a")
	w.Run(simulator.DockerContainer{ID: simulator.DockerID("another"), Name: "a", Image: "i:2"})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		md, err := p.scrape(t.Context())
		require.NoError(c, err)
		var images []string
		for _, rm := range md.ResourceMetrics().All() {
			if image, ok := rm.Resource().Attributes().Get("container.image.name"); ok {
				images = append(images, image.Str())
			}
		}
		assert.Contains(c, images, "i:2")
	}, soon, tick)
	assert.Equal(t, "running", p.read(t).state("a"))
}

// TestEngineStops: the engine goes and comes back, and what happened meanwhile is seen.
func TestEngineStops(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{
		{Name: "stays", Image: "vllm/vllm-openai:v0.11.0", Cmd: []string{"--model", "m"}}, {Name: "goes", Image: "i"},
	}})
	p := w.probe(t, nil).ready(t)
	got := p.read(t)
	assert.Equal(t, 1.0, got.value("docker.up"))
	assert.Empty(t, got.of("docker.error"))
	before := got.of("stays: container.")

	for range 2 {
		w.Shutdown()
		got = p.until(t, func(c *assert.CollectT, r readings) {
			assert.Zero(c, r.value("docker.up"))
			assert.Equal(c, 1.0, r.value("docker.error{error.type=unreachable}"))
		})
		assert.Empty(t, got.of("stays: container.state"), "nobody knows")
		assert.Empty(t, got.of("docker.containers"))
		assert.Len(t, got.of("stays: container.model.info"), 1, "an alert must name the model")
		assert.Len(t, got.of("stays: container.info"), 1)

		w.listen(t)
		got = p.until(t, func(c *assert.CollectT, r readings) { assert.Equal(c, 1.0, r.value("docker.up")) })
		assert.Zero(t, got.value("docker.error{error.type=unreachable}"))
		assert.Equal(t, before, got.of("stays: container."))
	}

	w.Shutdown()
	w.Remove("goes")
	w.Die("stays", 3)
	w.listen(t)
	got = p.until(t, func(c *assert.CollectT, r readings) { assert.Equal(c, "exited", r.state("stays")) })
	assert.Empty(t, got.of("goes: "))
	assert.Equal(t, 3.0, got.value("stays: container.exit.code"))
}

// TestNoEngine: without an engine the receiver starts, and says so.
func TestNoEngine(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{})
	w.Shutdown()
	p := w.probe(t, nil)
	got := p.until(t, func(c *assert.CollectT, r readings) { assert.NotEmpty(c, r) })
	assert.Zero(t, got.value("docker.up"))
	w.listen(t)
	p.until(t, func(c *assert.CollectT, r readings) { assert.Equal(c, 1.0, r.value("docker.up")) })
}

// TestNotAskedYet: before the first answer or failure there is nothing to tell.
func TestNotAskedYet(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{})
	w.Shutdown()
	block := make(chan struct{})
	require.NoError(t, w.Listen(t.Context(), "unix://"+w.socket, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-block:
		case <-r.Context().Done():
		}
	})))
	p := w.probe(t, nil)
	assert.Empty(t, p.read(t))
	close(block)
}

// TestProxy: an engine behind a proxy that lets only lists and events through still
// tells names and states, and nothing is made up.
func TestProxy(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{
		{Name: "a", Image: "i:1", Health: container.Healthy},
		{Name: "b", Image: "i:1", State: container.StateExited, ExitCode: 3, Finished: time.Now()},
	}})
	w.Shutdown()
	require.NoError(t, w.Listen(t.Context(), "unix://"+w.socket, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/json") && !strings.HasSuffix(r.URL.Path, "/containers/json") {
			http.Error(rw, "no", http.StatusForbidden)
			return
		}
		simulator.DockerProxy(w.Handler()).ServeHTTP(rw, r)
	})))
	p := w.probe(t, nil).ready(t)
	got := p.read(t)
	assert.Equal(t, 1.0, got.value("docker.up"))
	assert.Equal(t, "running", got.state("a"))
	assert.Equal(t, "healthy", got.which("a", "container.health"))
	assert.Equal(t, "exited", got.state("b"))
	for _, metric := range []string{"container.exit.code", "container.restart.count", "container.oom_killed"} {
		assert.Empty(t, got.of("b: "+metric), "not known")
	}
	assert.Equal(t, 2.0, got.value("docker.watch.inspect.errors"))
}

// TestTooMany: what is beyond max_containers is counted.
func TestTooMany(t *testing.T) {
	w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a"}, {Name: "b"}, {Name: "c"}}})
	p := w.probe(t, func(cfg *Config) { cfg.MaxContainers = 2 }).ready(t)
	got := p.read(t)
	assert.Equal(t, 3.0, got.value("docker.containers"))
	assert.Equal(t, 1.0, got.value("docker.watch.refused"))
}

func TestBadStart(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "nowhere"
	s, err := newScraper(cfg, receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	require.ErrorContains(t, s.start(t.Context(), nil), `"endpoint" must be`)
	require.NoError(t, s.shutdown(t.Context()))
	cfg.Include.Names = []string{""}
	_, err = newScraper(cfg, receivertest.NewNopSettings(metadata.Type))
	require.ErrorContains(t, err, "must hold patterns")
}

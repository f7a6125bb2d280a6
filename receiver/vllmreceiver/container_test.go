package vllmreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// chatContainer has just been started.
func chatContainer(c *clock) docker.Container {
	return docker.Container{
		ID: "0123456789abcdef", Name: "chat", State: docker.StateRunning, Started: c.now(),
		Image: docker.Image{Ref: "vllm/vllm-openai:v0.11.0", Name: "vllm/vllm-openai", Tag: "v0.11.0"},
		Command: []string{
			"vllm", "serve", "org/chat-8b", "--served-model-name", "chat", "chat-latest", "--max-model-len", "32k", "--dtype=bfloat16", "-q", "fp8",
			"--kv-cache-dtype", "fp8_e5m2", "-tp", "2", "-pp", "3", "-dp", "4", "--enable-lora", "--lora-modules", "sql=/lora/sql",
		},
		GPUs: docker.GPUs{IDs: []string{"0", "1"}, Source: docker.SourceDeviceRequests},
	}
}

// inContainer lets the probe read the server of a container, which may be replaced
// as the watcher does, by another.
func (p *probe) inContainer(t *testing.T, c docker.Container) (replace func(func(*docker.Container))) {
	t.Helper()
	cfg := newDefaultDocker()
	ch, err := newChooser(&cfg)
	require.NoError(t, err)
	current := &c
	p.container = &containerTracker{find: func() (*docker.Container, bool) { return current, current != nil }, choose: ch.choose, routed: true}
	rb := p.mb.NewResourceBuilder()
	setContainer(rb, current)
	p.resource = newResource(rb, p.endpoint)
	return func(change func(*docker.Container)) {
		next := *current
		change(&next)
		current = &next
	}
}

// TestContainerLife goes through the life of a container as a whole scraper sees it.
func TestContainerLife(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	o := newOverlay(faulty)
	p := newProbe(t, c, serve(t, o))
	replace := p.inContainer(t, chatContainer(c))
	faulty.Set(simulator.FaultDropConnection)
	nothing := func() {}
	step := func(want, reason string, age time.Duration, change func()) {
		t.Helper()
		change()
		got := p.read(t)
		assert.Equal(t, want, got.state(t))
		assert.Equal(t, reason, got.problem(t))
		if want != "loading" {
			assert.Empty(t, got.of("vllm.server.loading.duration"))
			return
		}
		assert.InDelta(t, age.Seconds(), got.value(t, "vllm.server.loading.duration"), 0)
		assert.NotEmpty(t, modelInfo(got))
	}
	starts := func() {
		replace(func(d *docker.Container) { d.State, d.Started, d.Health = docker.StateRunning, c.now(), "" })
	}
	health := func(h docker.Health) func() { return func() { replace(func(d *docker.Container) { d.Health = h }) } }
	state := func(s docker.State) func() { return func() { replace(func(d *docker.Container) { d.State = s }) } }

	step("loading", "connection_error", 0, nothing)
	step("loading", "503", time.Minute, func() { faulty.Set(simulator.FaultNone); v.SetPhase(simulator.PhaseLoading) })
	step("ready", "", 0, func() { v.SetPhase(simulator.PhaseReady); v.Play(1, time.Minute, 1) })
	step("unreachable", "connection_error", 0, func() { faulty.Set(simulator.FaultDropConnection) })
	step("failed", "503", 0, func() { faulty.Set(simulator.FaultNone); v.SetPhase(simulator.PhaseLoading) })
	step("loading", "503", 0, starts)
	step("loading", "503", time.Minute, nothing)
	asked := o.count("/metrics")
	step("unreachable", "container_exited", 0, state(docker.StateExited))
	step("unreachable", "container_exited", 0, state(docker.StateDead))
	step("unreachable", "container_restarting", 0, state(docker.StateRestarting))
	step("unreachable", "container_paused", 0, state(docker.StatePaused))
	assert.Equal(t, asked, o.count("/metrics"), "another container may have the port by now")

	step("loading", "connection_error", 0, func() { starts(); faulty.Set(simulator.FaultDropConnection) })
	step("loading", "connection_error", time.Minute, health(docker.HealthStarting))
	step("unreachable", "connection_error", 0, health(docker.HealthUnhealthy))
	step("unreachable", "connection_error", 0, health(docker.HealthHealthy))
	step("unknown", "401", 0, func() { health("")(); faulty.Set(simulator.FaultUnauthorized) })
	step("loading", "401", 5*time.Minute, health(docker.HealthStarting))
	step("ready", "", 0, func() { faulty.Set(simulator.FaultNone); v.SetPhase(simulator.PhaseReady); v.Play(1, time.Minute, 1) })

	p.container.routed = false
	step("unreachable", "no_address", 0, nothing)
}

// TestContainerLoop: a server that Docker starts again and again has failed, until it
// is ready or somebody starts it anew.
func TestContainerLoop(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	p := newProbe(t, c, serve(t, faulty))
	first := chatContainer(c)
	first.RestartCount = 7 // of before anybody looked
	replace := p.inContainer(t, first)
	faulty.Set(simulator.FaultDropConnection)
	is := func(want string, state docker.State, restarts int) {
		t.Helper()
		replace(func(d *docker.Container) {
			if d.RestartCount != restarts {
				d.Started = c.now()
			}
			d.State, d.RestartCount = state, restarts
		})
		assert.Equal(t, want, p.read(t).state(t))
	}
	is("loading", docker.StateRunning, 7)
	is("unreachable", docker.StateRestarting, 7)
	is("loading", docker.StateRunning, 8)
	is("failed", docker.StateRunning, 9)
	is("failed", docker.StateRestarting, 9)
	is("failed", docker.StateRunning, 10)
	is("loading", docker.StateRunning, 0) // docker start, by somebody
	is("loading", docker.StateRunning, 1)
	is("failed", docker.StateRunning, 2)
	faulty.Set(simulator.FaultNone)
	v.Play(1, time.Minute, 1)
	is("ready", docker.StateRunning, 2)
	faulty.Set(simulator.FaultDropConnection)
	is("loading", docker.StateRunning, 3)
	is("failed", docker.StateRunning, 4)
}

// TestContainerUnknown: a watcher may forget a container before it is told.
func TestContainerUnknown(t *testing.T) {
	c := newClock()
	p := newProbe(t, c, "http://127.0.0.1:1")
	p.container = &containerTracker{find: func() (*docker.Container, bool) { return nil, false }}
	got := p.read(t)
	assert.Equal(t, "unreachable", got.state(t))
	assert.Equal(t, "container_exited", got.problem(t))
}

// TestContainerNotInspected: of a container that cannot be inspected the start is
// not known. It is then that of the first look.
func TestContainerNotInspected(t *testing.T) {
	c := newClock()
	p := newProbe(t, c, "http://127.0.0.1:1")
	container := chatContainer(c)
	container.Started, container.Partial = time.Time{}, true
	replace := p.inContainer(t, container)
	assert.Zero(t, p.read(t).value(t, "vllm.server.loading.duration"))
	replace(func(d *docker.Container) { d.Name = "other" })
	assert.InDelta(t, 60, p.read(t).value(t, "vllm.server.loading.duration"), 0)
	replace(func(d *docker.Container) { d.Started = c.now().Add(time.Hour) })
	assert.Zero(t, p.read(t).value(t, "vllm.server.loading.duration"), "the clock of the engine is ahead")
}

// TestContainerJournal: a server that loads is no warning.
func TestContainerJournal(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	v.Play(1, time.Minute, 1)
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	p := newProbe(t, c, serve(t, faulty))
	replace := p.inContainer(t, chatContainer(c))
	read := func(faults ...simulator.Fault) {
		for _, fault := range faults {
			faulty.Set(fault)
			p.read(t)
		}
	}
	read(simulator.FaultDropConnection, simulator.FaultDropConnection, simulator.FaultNone, simulator.FaultNone)
	assert.Equal(t, []string{"The vLLM server is loading.", "The vLLM server has loaded."}, p.messages())
	replace(func(d *docker.Container) { d.Started = c.now() })
	read(simulator.FaultDropConnection)
	replace(func(d *docker.Container) { d.Health = docker.HealthUnhealthy })
	read(simulator.FaultDropConnection, simulator.FaultDropConnection)
	assert.Equal(t, []string{"The vLLM server is loading.", "The vLLM server cannot be read."}, p.messages()[2:])
}

func TestContainerError(t *testing.T) {
	err := error(&containerError{reasonNoAddress})
	assert.ErrorContains(t, err, "not published")
	assert.Equal(t, reasonNoAddress, reasonOf(err))
}

func TestFacts(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{
		Models:       []simulator.VLLMModel{{ID: "chat", Root: "/models/chat", MaxModelLen: 16384}, {ID: "chat-latest", Root: "/models/chat", MaxModelLen: 16384}},
		BuildVersion: "0.11.1", CacheDType: "fp8", DevMode: true, APIKey: "sesame", Now: c.now,
	})
	v.Play(1, time.Minute, 1)
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	o := newOverlay(faulty)
	p := newProbe(t, c, serve(t, o))
	p.inContainer(t, chatContainer(c))
	told := map[string]any{
		"gen_ai.provider.name": "vllm", "gen_ai.request.model": "chat", "llm.model.id": "org/chat-8b", "llm.model.dtype": "bfloat16", "llm.model.quantization": "fp8",
		"llm.model.kv_cache.dtype": "fp8_e5m2", "llm.model.tensor_parallel.size": int64(2), "llm.model.pipeline_parallel.size": int64(3),
		"llm.model.data_parallel.size": int64(4), "container.gpus": "0,1", "service.version": "0.11.0",
	}
	find := func(got readings, model string) map[string]any {
		for _, r := range got.of("vllm.model.info") {
			if r.attributes["gen_ai.request.model"] == model {
				return r.attributes
			}
		}
		return nil
	}

	faulty.Set(simulator.FaultDropConnection)
	got := p.read(t)
	assert.Equal(t, told, find(got, "chat"), "while it loads")
	assert.Equal(t, "chat", find(got, "sql")["llm.model.parent"])
	assert.Equal(t, "/lora/sql", find(got, "sql")["llm.model.id"])
	assert.Len(t, got.of("vllm.model.info"), 3)
	assert.InDelta(t, 32000, got.value(t, "vllm.model.context_length{gen_ai.request.model=chat-latest}"), 0)
	assert.Len(t, got.of("vllm.model.context_length"), 2)
	assert.InDelta(t, 1, got.value(t, "vllm.server.info{service.version=0.11.0}"), 0)

	// /v1 wants a key: the page has the first name only.
	faulty.Set(simulator.FaultNone)
	got = p.read(t)
	told["service.version"], told["llm.model.kv_cache.dtype"] = "0.11.1", "fp8"
	delete(told, "llm.model.quantization") // the server says that there is none
	assert.Equal(t, told, find(got, "chat"))
	assert.Len(t, got.of("vllm.model.info"), 3)

	o.set("/v1/models", `{"data":[{"id":"chat","root":"/models/chat","max_model_len":16384},{"id":"new"},{"id":"sql","parent":"chat"}]}`)
	for range 6 {
		got = p.read(t)
	}
	assert.Equal(t, "/models/chat", find(got, "chat")["llm.model.id"], "the server wins")
	assert.Equal(t, "/lora/sql", find(got, "sql")["llm.model.id"])
	assert.Len(t, got.of("vllm.model.info"), 3, "what it lists is all there is")
	assert.InDelta(t, 16384, got.value(t, "vllm.model.context_length{gen_ai.request.model=chat}"), 0)
	assert.Len(t, got.of("vllm.model.context_length"), 1)
}

// TestFactsOfOtherModels: what the command says and the page does not know is not
// made up.
func TestFactsOfOtherModels(t *testing.T) {
	id := &identity{models: []model{{ID: "other"}}}
	assert.Equal(t, []model{{ID: "other"}}, id.known([]model{{ID: "chat", Root: "org/chat"}}))
	assert.Empty(t, (&identity{}).known(nil))
}

func TestFactsNotSaid(t *testing.T) {
	for _, command := range [][]string{
		{"vllm", "serve", "--config", "/etc/vllm.yaml"},
		{"vllm", "serve", "--dtype", "auto", "--kv-cache-dtype", "auto", "--quantization", "none", "--max-model-len", "auto", "--lora-modules", "a=b"},
	} {
		ch := &chooser{include: &docker.Selector{}, exclude: &docker.Selector{}}
		c := docker.Container{Command: command, Image: docker.Image{Ref: "llm:latest"}}
		spec, ok := ch.choose(&c)
		require.True(t, ok)
		assert.Equal(t, facts{}, factsOf(&c, &spec))
	}
}

func TestChatter(t *testing.T) {
	ch := newChatter()
	now := time.Unix(1, 0)
	allowed := 0
	for range 100 {
		if ch.allows("a", now) {
			allowed++
		}
	}
	assert.Equal(t, maxLines, allowed)
	assert.True(t, ch.allows("b", now))
	assert.True(t, ch.allows("a", now.Add(linesPeriod)))
	for i := range 3 * maxChatter {
		ch.allows(string(rune('A'+i)), now)
	}
	assert.LessOrEqual(t, len(ch), maxChatter)
}

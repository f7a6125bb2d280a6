package vllmreceiver

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadatatest"
)

const (
	found = "A vLLM server was found in Docker."
	gone  = "A vLLM server in Docker is no longer read."

	patience = 30 * time.Second
)

// world is an engine with containers, and a receiver that watches it.
type world struct {
	t      *testing.T
	engine *simulator.Docker
	socket string
	cfg    *Config
	sink   *sink
	logs   *observer.ObservedLogs
}

// newWorld has a receiver that reads twenty times a second.
func newWorld(t *testing.T, containers ...simulator.DockerContainer) *world {
	t.Helper()
	w := &world{t: t, engine: simulator.NewDocker(simulator.DockerConfig{Containers: containers}), socket: "unix://" + filepath.Join(t.TempDir(), "docker.sock")}
	t.Cleanup(w.engine.Shutdown)
	discovering := newDefaultDocker()
	discovering.Endpoint, discovering.ProcRoot = w.socket, t.TempDir()
	w.cfg = everySecond()
	w.cfg.CollectionInterval = 50 * time.Millisecond
	w.cfg.Docker = &discovering
	return w
}

func (w *world) listen() *world {
	w.t.Helper()
	require.NoError(w.t, w.engine.Listen(w.t.Context(), w.socket, simulator.DockerProxy(w.engine.Handler())))
	return w
}

func (w *world) start() *world {
	w.t.Helper()
	w.sink, w.logs = startReceiver(w.t, w.cfg)
	return w
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	require.Eventually(w.t, ok, patience, 5*time.Millisecond, what)
}

// newest is the last of what is known of a server, nil if nothing.
func (w *world) newest(name string) readings {
	all := w.sink.of(name)
	if len(all) == 0 {
		return nil
	}
	return readingsOf(w.t, all[len(all)-1])
}

// awaitState waits until the newest scrape of a server finds it in a state.
func (w *world) awaitState(name, state string) readings {
	w.t.Helper()
	var got readings
	w.eventually(name+" is "+state, func() bool {
		got = w.newest(name)
		r, ok := got["vllm.server.state{vllm.server.state="+state+"}"]
		return ok && r.value == 1
	})
	return got
}

// awaitEnd waits until all series of a server have ended, and says which.
func (w *world) awaitEnd(name string) []string {
	w.t.Helper()
	var got readings
	w.eventually(name+" ends", func() bool { got = w.newest(name); return got["vllm.up"].none })
	assert.Len(w.t, got.ended(), len(got), "all series")
	return got.ended()
}

// lines are the log lines of one text, by container.
func (w *world) lines(message string) map[string]int {
	count := map[string]int{}
	for _, entry := range w.logs.FilterMessage(message).All() {
		count[fmt.Sprint(entry.ContextMap()["container"])]++
	}
	return count
}

// dockerized is a container whose port is published at the URL.
func dockerized(t testing.TB, name, at string, arguments ...string) simulator.DockerContainer {
	t.Helper()
	u, err := url.Parse(at)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)
	return simulator.DockerContainer{
		Name: name, Image: "vllm/vllm-openai:v0.11.0", Entrypoint: []string{"vllm", "serve"}, Cmd: append([]string{"org/" + name}, arguments...),
		Ports: []container.Port{{IP: "127.0.0.1", PrivatePort: 8000, PublicPort: uint16(port), Type: "tcp"}},
	}
}

// newServer serves a vLLM server that has some traffic behind it.
func newServer(t testing.TB, model string) (*simulator.VLLM, *simulator.Faulty, string) {
	t.Helper()
	v := simulator.NewVLLM(simulator.VLLMConfig{Models: []simulator.VLLMModel{{ID: model}}})
	v.Play(1, time.Minute, 1)
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	return v, faulty, serve(t, faulty)
}

// TestDiscoveryLife follows one container from its start to its removal.
func TestDiscoveryLife(t *testing.T) {
	v, faulty, at := newServer(t, "org/chat")
	faulty.Set(simulator.FaultDropConnection)
	v.SetPhase(simulator.PhaseLoading)
	w := newWorld(t, simulator.DockerContainer{Name: "db", Image: "postgres:17"}).listen().start()

	w.engine.Run(dockerized(t, "chat", at, "--tensor-parallel-size", "2"))
	got := w.awaitState("chat", "loading")
	assert.Zero(t, got.value(t, "vllm.up"))
	assert.Less(t, got.value(t, "vllm.server.loading.duration"), 30.0)
	require.Equal(t, []string{"org/chat"}, modelInfo(got), "known before it is loaded")
	assert.EqualValues(t, 2, got.of("vllm.model.info")[0].attributes["llm.model.tensor_parallel.size"])
	resource := w.sink.of("chat")[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	u, err := url.Parse(at)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"service.name": "vllm", "service.instance.id": "chat", "server.address": "127.0.0.1", "server.port": int64(port),
		"container.name": "chat", "container.image.name": "vllm/vllm-openai", "container.image.tags": []any{"v0.11.0"},
	}, resource)

	faulty.Set(simulator.FaultNone)
	w.awaitState("chat", "loading")
	v.SetPhase(simulator.PhaseReady)
	got = w.awaitState("chat", "ready")
	assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
	assert.NotEmpty(t, got.of("vllm.tokens.output"))
	assert.Empty(t, got.of("vllm.server.loading.duration"))

	faulty.Set(simulator.FaultDropConnection)
	w.engine.Restart("chat")
	w.awaitState("chat", "loading")
	faulty.Set(simulator.FaultNone)
	v.Restart()
	w.awaitState("chat", "ready")

	w.engine.Pause("chat")
	assert.Equal(t, "container_paused", w.awaitState("chat", "unreachable").problem(t))
	w.engine.Unpause("chat")
	w.awaitState("chat", "ready")

	w.engine.Die("chat", 1)
	got = w.awaitState("chat", "unreachable")
	assert.Equal(t, "container_exited", got.problem(t))
	assert.Zero(t, got.value(t, "vllm.up"))
	assert.Equal(t, []string{"org/chat"}, modelInfo(got), "an alert can name it")
	w.engine.Start("chat")
	w.awaitState("chat", "ready")

	w.engine.Remove("chat")
	ended := w.awaitEnd("chat")
	assert.Contains(t, ended, "vllm.model.info{"+"gen_ai.provider.name=vllm,gen_ai.request.model=org/chat,llm.model.id=org/chat,llm.model.tensor_parallel.size=2,service.version=0.29.0}")
	scrapes := len(w.sink.of("chat"))
	assert.Never(t, func() bool { return len(w.sink.of("chat")) > scrapes }, 300*time.Millisecond, 10*time.Millisecond)
	assert.Equal(t, map[string]int{"chat": 1}, w.lines(found))
	assert.Equal(t, map[string]int{"chat": 1}, w.lines(gone))
	assert.NotContains(t, w.sink.received, "db")
}

// TestDiscoveryKeepsGone: a container that ended is reported for keep_gone.
func TestDiscoveryKeepsGone(t *testing.T) {
	_, _, at := newServer(t, "m")
	long := dockerized(t, "long", at)
	long.State, long.Finished = container.StateExited, time.Now().Add(-time.Hour)
	late := dockerized(t, "late", at)
	late.State, late.Finished = container.StateExited, time.Now().Add(time.Hour)
	created := dockerized(t, "created", at)
	created.State = container.StateCreated
	loop := dockerized(t, "loop", at)
	loop.State, loop.Finished = container.StateRestarting, time.Now().Add(-time.Hour)
	w := newWorld(t, dockerized(t, "chat", at), long, late, created, loop)
	w.cfg.Docker.KeepGone = time.Second
	w.listen().start()
	w.awaitState("chat", "ready")
	assert.Equal(t, "container_restarting", w.awaitState("loop", "unreachable").problem(t))
	w.awaitEnd("late")
	w.engine.Die("chat", 137)
	w.awaitState("chat", "unreachable")
	died := time.Now()
	w.awaitEnd("chat")
	assert.Less(t, time.Since(died), 10*time.Second)
	assert.Equal(t, 1, w.lines(gone)["chat"])

	w.engine.Start("chat")
	w.awaitState("chat", "ready")
	w.engine.Start("created")
	w.awaitState("created", "ready")
	assert.Empty(t, w.sink.of("long"))
	assert.Equal(t, "container_restarting", w.newest("loop").problem(t))
}

func TestDiscoveryRename(t *testing.T) {
	_, _, at := newServer(t, "m")
	_, _, other := newServer(t, "n")
	w := newWorld(t, dockerized(t, "a", at), dockerized(t, "b", other)).listen().start()
	w.awaitState("a", "ready")
	w.awaitState("b", "ready")
	w.engine.Rename("a", "c")
	w.awaitEnd("a")
	assert.Equal(t, []string{"m"}, modelInfo(w.awaitState("c", "ready")))

	// As docker compose makes a container anew, and a swap.
	w.engine.Quietly(func() { w.engine.Rename("b", "x"); w.engine.Rename("c", "b") })
	w.engine.Rename("x", "c")
	w.engine.Update("b", func(*simulator.DockerContainer) {})
	w.eventually("swapped", func() bool {
		b, c := w.newest("b"), w.newest("c")
		return slices.Equal(modelInfo(b), []string{"m"}) && slices.Equal(modelInfo(c), []string{"n"})
	})
}

// TestDiscoveryAddressChanges: a container that is started again may be
// reached elsewhere.
func TestDiscoveryAddressChanges(t *testing.T) {
	_, _, at := newServer(t, "m")
	_, _, other := newServer(t, "m")
	moved := dockerized(t, "chat", other).Ports
	w := newWorld(t, dockerized(t, "chat", at)).listen().start()
	first := w.awaitState("chat", "ready")
	require.NotNil(t, first)
	w.engine.Die("chat", 0)
	w.awaitState("chat", "unreachable")
	w.engine.Quietly(func() { w.engine.Update("chat", func(c *simulator.DockerContainer) { c.Ports = moved }) })
	w.engine.Start("chat")
	w.eventually("reached at the other port", func() bool {
		all := w.sink.of("chat")
		got, _ := all[len(all)-1].ResourceMetrics().At(0).Resource().Attributes().Get("server.port")
		return got.Int() == int64(moved[0].PublicPort)
	})
	w.awaitState("chat", "ready")

	w.engine.Update("chat", func(c *simulator.DockerContainer) { c.Ports = nil })
	assert.Equal(t, "no_address", w.awaitState("chat", "unreachable").problem(t))
	all := w.sink.of("chat")
	assert.NotContains(t, all[len(all)-1].ResourceMetrics().At(0).Resource().Attributes().AsRaw(), "server.port")
}

// TestDiscoveryRestartLoop: a container that Docker starts again and again is one
// server, and so is one that is made anew each time, as far as the log goes.
func TestDiscoveryRestartLoop(t *testing.T) {
	_, faulty, at := newServer(t, "m")
	w := newWorld(t, dockerized(t, "loop", at)).listen().start()
	w.awaitState("loop", "ready")
	faulty.Set(simulator.FaultDropConnection)
	for range 30 {
		w.engine.Crash("loop", 1)
		w.engine.Start("loop")
	}
	w.awaitState("loop", "failed")
	w.engine.Crash("loop", 1)
	w.eventually("about to be started again", func() bool { return w.newest("loop").problem(t) == "container_restarting" })
	w.awaitState("loop", "failed")
	faulty.Set(simulator.FaultNone)
	w.engine.Start("loop")
	w.awaitState("loop", "ready")
	assert.Equal(t, map[string]int{"loop": 1}, w.lines(found))
	assert.Empty(t, w.lines(gone))

	for i := range 30 {
		w.engine.Remove("loop")
		anew := dockerized(t, "loop", at)
		anew.ID = simulator.DockerID(strconv.Itoa(i))
		w.engine.Run(anew)
	}
	w.awaitState("loop", "ready")
	assert.LessOrEqual(t, w.lines(found)["loop"], maxLines)
}

// TestDiscoveryChoices: what is left out, what is in, and what is read already.
func TestDiscoveryChoices(t *testing.T) {
	v, _, at := newServer(t, "m")
	static := serve(t, v.Handler())
	disabled := dockerized(t, "disabled", at)
	disabled.Labels = map[string]string{"otelcol-llm.enabled": "false"}
	own := dockerized(t, "own", at)
	own.Image, own.Entrypoint, own.Cmd = "example.com/llm:1", []string{"start"}, nil
	other := dockerized(t, "other-test", at)
	port := dockerized(t, "port", at)
	port.Labels = map[string]string{"otelcol-llm.port": "9000"}
	port.Ports[0].PrivatePort = 9000
	w := newWorld(t, disabled, own, other, port, dockerized(t, "static", static), dockerized(t, "named", at))
	w.cfg.Docker.Include.Images = []string{"example.com/*"}
	w.cfg.Docker.Exclude.Names = []string{"*-test"}
	w.cfg.Endpoints = EndpointsConfig{endpointOf("", static), endpointOf("named", "http://127.0.0.1:1")}
	w.cfg.ResourceAttributes.ContainerID.Enabled = true
	w.listen().start()
	for _, name := range []string{"own", "port", "docker:named", w.cfg.Endpoints[0].instance()} {
		w.awaitState(name, "ready")
	}
	w.awaitState("named", "unreachable")
	for _, name := range []string{"disabled", "other-test", "static"} {
		assert.Empty(t, w.sink.of(name), name)
	}
	id, _ := w.sink.of("own")[0].ResourceMetrics().At(0).Resource().Attributes().Get("container.id")
	assert.Equal(t, simulator.DockerID("own"), id.Str())
	static1 := w.sink.of(w.cfg.Endpoints[0].instance())[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.NotContains(t, static1, "container.name")

	// The one that is static ends, and with it what tells that it is.
	w.engine.Die("static", 0)
	w.engine.Update("static", func(c *simulator.DockerContainer) { c.Ports = nil })
	w.awaitState("own", "ready")
	assert.Never(t, func() bool { return len(w.sink.of("static")) > 0 }, 500*time.Millisecond, 10*time.Millisecond)
}

// TestDiscoveryTemplate: the servers are read as the template says.
func TestDiscoveryTemplate(t *testing.T) {
	v := simulator.NewVLLM(simulator.VLLMConfig{PathPrefix: "/llm", APIKey: "sesame", Models: []simulator.VLLMModel{{ID: "a"}, {ID: "b"}}})
	v.Play(1, time.Minute, 1)
	w := newWorld(t, dockerized(t, "chat", serve(t, v.Handler())))
	w.cfg.Docker.Template.Headers = map[string]configopaque.String{"Authorization": "Bearer sesame"}
	w.cfg.Docker.Template.Paths = PathsConfig{Metrics: "/llm/metrics", Health: "/llm/health", Models: "/llm/v1/models"}
	w.listen().start()
	got := w.awaitState("chat", "ready")
	assert.Equal(t, []string{"a", "b"}, modelInfo(got))
	assert.NotEmpty(t, got.of("vllm.server.info"), "from the tag")
}

func TestDiscoveryTemplateFails(t *testing.T) {
	w := newWorld(t).listen()
	w.cfg.Docker.Template.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "testdata/no-such-file"}}
	fails := func(want string) {
		t.Helper()
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), w.cfg, &sink{})
		require.NoError(t, err)
		require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), want)
		require.NoError(t, r.Shutdown(t.Context()))
	}
	fails("no-such-file")
	w.cfg.Docker.Template.TLS = configtls.ClientConfig{}
	w.cfg.Docker.Endpoint = "nonsense"
	fails(docker.ErrEndpoint.Error())

	w.cfg.Docker.Include.Names = []string{""}
	_, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), w.cfg, &sink{})
	assert.ErrorContains(t, err, "must hold patterns")
}

// TestDiscoveryHundred: a hundred servers come, half go, others come; the
// engine is started again in between.
func TestDiscoveryHundred(t *testing.T) {
	_, _, at := newServer(t, "m")
	name := func(i int) string { return fmt.Sprintf("chat-%03d", i) }
	var containers []simulator.DockerContainer
	for i := range 100 {
		containers = append(containers, dockerized(t, name(i), at))
	}
	w := newWorld(t, containers...)
	w.cfg.CollectionInterval = 2 * time.Second
	w.listen().start()
	ready := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			w.awaitState(name(i), "ready")
		}
	}
	ready(0, 100)
	w.engine.Shutdown()
	w.engine.Quietly(func() {
		for i := range 50 {
			w.engine.Remove(name(i))
		}
		for i := 100; i < 120; i++ {
			w.engine.Run(dockerized(t, name(i), at))
		}
	})
	w.engine.ForgetEvents()
	before := len(w.sink.of(name(99)))
	w.eventually("goes on without the engine", func() bool { return len(w.sink.of(name(99))) > before })
	assert.Empty(t, w.lines(gone))
	w.listen()
	for i := range 50 {
		w.awaitEnd(name(i))
	}
	ready(50, 120)
	assert.Len(t, w.lines(found), 120)
	assert.Len(t, w.lines(gone), 50)
	assert.Equal(t, 1, w.logs.FilterMessageSnippet("Docker does not answer").Len())
	assert.Equal(t, 2, w.logs.FilterMessageSnippet("Watching the containers").Len())
}

// TestDiscoveryWithoutDocker: the static endpoints go on, and servers are found as
// soon as Docker is there.
func TestDiscoveryWithoutDocker(t *testing.T) {
	_, _, at := newServer(t, "m")
	_, _, static := newServer(t, "n")
	w := newWorld(t, dockerized(t, "chat", at))
	w.cfg.Endpoints = EndpointsConfig{endpointOf("static", static)}
	w.start()
	w.awaitState("static", "ready")
	w.eventually("one line", func() bool { return w.logs.FilterMessageSnippet("Docker does not answer").Len() == 1 })
	w.eventually("static goes on", func() bool { return len(w.sink.of("static")) > 10 })
	assert.Equal(t, 1, w.logs.FilterLevelExact(zap.WarnLevel).Len(), "%v", w.logs.All())
	w.listen()
	w.awaitState("chat", "ready")
}

func TestDiscoveryMaxServers(t *testing.T) {
	_, _, at := newServer(t, "m")
	ended := dockerized(t, "a", at)
	ended.State, ended.Finished = container.StateExited, time.Now()
	w := newWorld(t, ended, dockerized(t, "d", at), dockerized(t, "c", at), dockerized(t, "b", at))
	w.cfg.Docker.MaxServers = 2
	w.listen().start()
	w.awaitState("b", "ready")
	w.awaitState("c", "ready")
	assert.Empty(t, w.sink.of("a"), "what runs comes first")
	assert.Empty(t, w.sink.of("d"))
	w.engine.Run(dockerized(t, "aa", at))
	w.engine.Remove("b")
	w.awaitState("aa", "ready")
	assert.Empty(t, w.sink.of("d"))
	warnings := w.logs.FilterMessageSnippet(`raise "max_servers"`).All()
	require.Len(t, warnings, 1)
	assert.EqualValues(t, 2, warnings[0].ContextMap()["not_read"])
}

// broken is a consumer that refuses everything while it has an error.
type broken struct {
	*sink
	err atomic.Pointer[error]
}

func (b *broken) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if err := b.err.Load(); err != nil && md.DataPointCount() > 0 {
		return *err
	}
	return b.sink.ConsumeMetrics(ctx, md)
}

// discover starts a receiver that the test stops itself.
func (w *world) discover(next consumer.Metrics) *vllmReceiver {
	w.t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	w.logs = logs
	r, err := newReceiver(w.t.Context(), w.cfg, set, time.Now, next)
	require.NoError(w.t, err)
	require.NoError(w.t, r.Start(w.t.Context(), componenttest.NewNopHost()))
	w.t.Cleanup(func() { assert.NoError(w.t, r.Shutdown(context.Background())) })
	return r
}

// TestDiscoveryHangingServer: a server that hangs delays neither the others nor its
// own end.
func TestDiscoveryHangingServer(t *testing.T) {
	v := simulator.NewVLLM(simulator.VLLMConfig{})
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	faulty.Set(simulator.FaultSlow)
	o := newOverlay(faulty)
	at := serve(t, o)
	_, _, other := newServer(t, "n")
	w := newWorld(t, dockerized(t, "hangs", at), dockerized(t, "good", other))
	w.cfg.Timeout = time.Hour
	w.cfg.Docker.Template.Timeout = time.Hour
	w.listen().start()
	w.awaitState("good", "ready")
	w.eventually("it is asked", func() bool { return o.count("/metrics") > 0 })
	w.engine.Remove("hangs")
	w.eventually("it is gone", func() bool { return w.lines(gone)["hangs"] == 1 })
	w.engine.Run(dockerized(t, "new", other))
	w.awaitState("new", "ready")
	assert.Empty(t, w.sink.of("hangs"))
}

// TestDiscoveryEndRefused: a consumer that does not take the end of a server harms
// no other.
func TestDiscoveryEndRefused(t *testing.T) {
	_, _, at := newServer(t, "m")
	w := newWorld(t, dockerized(t, "a", at)).listen()
	w.sink = &sink{received: map[string][]pmetric.Metrics{}}
	next := &broken{sink: w.sink}
	w.discover(next)
	w.awaitState("a", "ready")
	refusal := assert.AnError
	next.err.Store(&refusal)
	w.engine.Remove("a")
	w.eventually("the end cannot be told", func() bool {
		return w.logs.FilterMessageSnippet("could not be told").Len() == 1
	})
	next.err.Store(nil)
	w.engine.Run(dockerized(t, "c", at))
	w.awaitState("c", "ready")
}

// TestDiscoveryShutdown: what is discovered is not ended when the collector stops,
// not even when it stops before Docker has answered.
func TestDiscoveryShutdown(t *testing.T) {
	_, faulty, at := newServer(t, "m")
	w := newWorld(t, dockerized(t, "a", at)).listen()
	w.sink = &sink{received: map[string][]pmetric.Metrics{}}
	r := w.discover(w.sink)
	w.awaitState("a", "ready")
	faulty.Set(simulator.FaultSlow)
	begin := time.Now()
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Less(t, time.Since(begin), 10*time.Second)
	assert.False(t, w.newest("a")["vllm.up"].none)

	w.engine.Shutdown()
	r = w.discover(w.sink)
	require.NoError(t, r.Shutdown(t.Context()))

	never, err := newReceiver(t.Context(), w.cfg, receivertest.NewNopSettings(metadata.Type), time.Now, w.sink)
	require.NoError(t, err)
	require.NoError(t, never.Shutdown(t.Context()))
}

// TestDiscoveryTelemetry: what is cut is counted.
func TestDiscoveryTelemetry(t *testing.T) {
	_, _, at := newServer(t, "m")
	w := newWorld(t, dockerized(t, "a", at), dockerized(t, "b", at), dockerized(t, "c", at)).listen()
	w.cfg.Docker.MaxServers = 1
	w.sink = &sink{received: map[string][]pmetric.Metrics{}}
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	r, err := newReceiver(t.Context(), w.cfg, metadatatest.NewSettings(telemetry), time.Now, w.sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	w.awaitState("a", "ready")
	require.NoError(t, r.Shutdown(t.Context()))
	metadatatest.AssertEqualReceiverVllmDiscoveryServers(t, telemetry, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualReceiverVllmDiscoveryRefused(t, telemetry, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
}

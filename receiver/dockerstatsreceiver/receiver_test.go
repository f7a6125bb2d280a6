package dockerstatsreceiver

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerstatsreceiver/internal/metadata"
)

const patience = 30 * time.Second

// serve lets the engine answer on a unix socket until the test ends.
func serve(t *testing.T, socket string, engine *simulator.Docker) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: engine.Handler()}}
	server.Start()
	t.Cleanup(server.Close)
}

func newTestReceiver(t *testing.T, endpoint, version string) (*dockerStats, *consumertest.MetricsSink, *observer.ObservedLogs) {
	t.Helper()
	cfg := &NewFactory().CreateDefaultConfig().(*Config).Config
	cfg.Endpoint = endpoint
	cfg.CollectionInterval = 50 * time.Millisecond
	cfg.InitialDelay = 0
	if version != "" {
		cfg.DockerAPIVersion = version
	}
	core, logs := observer.New(zapcore.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	sink := new(consumertest.MetricsSink)
	r := newReceiver(cfg, set, sink)
	r.retry, r.look = time.Millisecond, 10*time.Millisecond
	return r, sink, logs
}

func oneContainer() []simulator.DockerContainer {
	return []simulator.DockerContainer{{ID: "c1", Name: "vllm-chat", Image: "vllm/vllm-openai:v0.11.0", CPU: time.Minute, Memory: 1 << 30}}
}

func TestWaitsForTheEngine(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	r, sink, logs := newTestReceiver(t, "unix://"+socket, "")
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()), "a missing engine must not keep the collector from starting")
	require.Eventually(t, func() bool { return logs.Len() == 1 }, patience, time.Millisecond)
	line := logs.All()[0]
	assert.Equal(t, zapcore.WarnLevel, line.Level)
	assert.Contains(t, line.ContextMap()["hint"], "Start Docker")
	assert.Zero(t, sink.DataPointCount())

	engine := simulator.NewDocker(simulator.DockerConfig{Containers: oneContainer()})
	serve(t, socket, engine)
	require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, patience, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(context.Background()))

	assert.Equal(t, 1, logs.FilterMessageSnippet("does not answer").Len(), "one line, not one for each try")
	name, _ := sink.AllMetrics()[0].ResourceMetrics().At(0).Resource().Attributes().Get("container.name")
	assert.Equal(t, "vllm-chat", name.Str())
}

// TestEngineRestart: a container that ended together with the engine must not be
// reported for ever.
func TestEngineRestart(t *testing.T) {
	endpoint := "unix://" + filepath.Join(t.TempDir(), "docker.sock")
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: oneContainer()})
	require.NoError(t, engine.Listen(t.Context(), endpoint, nil))
	r, sink, logs := newTestReceiver(t, endpoint, "")
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, patience, 10*time.Millisecond)

	engine.Shutdown()
	require.Eventually(t, func() bool { return logs.FilterMessageSnippet("does not answer").Len() == 1 }, patience, 10*time.Millisecond)
	engine.Quietly(func() {
		engine.Remove("vllm-chat")
		engine.Run(simulator.DockerContainer{Name: "vllm-embed", Image: "vllm/vllm-openai:v0.11.0", Memory: 1 << 30})
	})
	engine.ForgetEvents()
	sink.Reset()
	require.NoError(t, engine.Listen(t.Context(), endpoint, nil))
	t.Cleanup(engine.Shutdown)
	require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, patience, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(context.Background()))
	for _, md := range sink.AllMetrics() {
		for i := range md.ResourceMetrics().Len() {
			name, _ := md.ResourceMetrics().At(i).Resource().Attributes().Get("container.name")
			assert.Equal(t, "vllm-embed", name.Str())
		}
	}
	assert.Equal(t, 2, logs.FilterMessage("Docker answers.").Len())
}

// TestSlowEngine: the end of the receiver does not wait for an engine that hangs.
func TestSlowEngine(t *testing.T) {
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: oneContainer()}).Handler()
	asked, release := make(chan struct{}, 100), make(chan struct{})
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/stats") {
			asked <- struct{}{}
			<-release
		}
		engine.ServeHTTP(w, req)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	r, _, _ := newTestReceiver(t, "unix://"+socket, "")
	r.cfg.Config.Timeout = patience
	r.patience = 50 * time.Millisecond
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-asked
	began := time.Now()
	require.ErrorIs(t, r.Shutdown(context.Background()), errSlow)
	assert.Less(t, time.Since(began), patience/2)
	close(release)
	r.wait.Wait()
}

func TestAPIVersion(t *testing.T) {
	for _, tt := range []struct {
		name             string
		newest, oldest   string
		configured, want string
	}{
		{name: "newer engine than this client", newest: "1.99", oldest: "1.44", want: "1.51"},
		{name: "older engine", newest: "1.41", oldest: "1.12", want: "1.41"},
		{name: "the user's choice stays", newest: "1.51", oldest: "1.24", configured: "1.40", want: "1.40"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "docker.sock")
			engine := simulator.NewDocker(simulator.DockerConfig{APIVersion: tt.newest, MinAPIVersion: tt.oldest, Containers: oneContainer()})
			serve(t, socket, engine)
			r, sink, _ := newTestReceiver(t, "unix://"+socket, tt.configured)
			require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
			require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, patience, 10*time.Millisecond)
			require.NoError(t, r.Shutdown(context.Background()))
			assert.Len(t, engine.Versions(), 1)
			assert.Contains(t, engine.Versions(), tt.want)
		})
	}
}

func TestBadEndpoint(t *testing.T) {
	r, _, _ := newTestReceiver(t, "docker", "")
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), `"endpoint" must be the address of a Docker engine`)
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestHints(t *testing.T) {
	dir := t.TempDir()
	refused := filepath.Join(dir, "refused.sock")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", refused)
	require.NoError(t, err)
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())

	for socket, want := range map[string]string{
		filepath.Join(dir, "missing.sock"): "Start Docker",
		refused:                            "Start Docker",
	} {
		engine, err := newEngine(&contrib.Config{})
		require.NoError(t, err)
		engine.close()
		cfg := contrib.NewFactory().CreateDefaultConfig().(*contrib.Config)
		cfg.Endpoint = "unix://" + socket
		engine, err = newEngine(cfg)
		require.NoError(t, err)
		_, err = engine.apiVersion(t.Context(), cfg.DockerAPIVersion)
		require.Error(t, err)
		assert.Contains(t, hintFor(err), want)
		engine.close()
	}
	assert.Contains(t, hintFor(&net.OpError{Op: "dial", Err: syscall.EACCES}), "add it to the socket's group")
	assert.Contains(t, hintFor(context.DeadlineExceeded), "log of the Docker engine")
}

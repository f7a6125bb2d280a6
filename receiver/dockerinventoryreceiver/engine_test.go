package dockerinventoryreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestReasonOf asks Docker's client, which decides what an error is.
func TestReasonOf(t *testing.T) {
	answers := map[int]string{
		http.StatusBadRequest: reasonRejected, http.StatusUnauthorized: reasonForbidden, http.StatusForbidden: reasonForbidden,
		http.StatusNotFound: reasonRejected, http.StatusNotImplemented: reasonRejected,
		http.StatusInternalServerError: reasonServer, http.StatusServiceUnavailable: reasonServer, http.StatusBadGateway: reasonOther,
	}
	for status, want := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		assert.Equal(t, want, reasonOf(inspectError(context.Background(), t, "tcp://"+server.Listener.Addr().String())), status)
		server.Close()
	}
	broken, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Equal(t, reasonOther, reasonOf(inspectError(broken, t, "tcp://127.0.0.1:1")))
	expired, cancelExpired := context.WithTimeout(context.Background(), 0)
	defer cancelExpired()
	assert.Equal(t, reasonTimeout, reasonOf(inspectError(expired, t, "tcp://127.0.0.1:1")))
	assert.Equal(t, reasonUnreached, reasonOf(inspectError(context.Background(), t, "tcp://127.0.0.1:1")))
	assert.Equal(t, reasonUnreached, reasonOf(inspectError(context.Background(), t, "unix:///nowhere/docker.sock")))
	assert.Equal(t, reasonPermission, reasonOf(fmt.Errorf("x: %w", os.ErrPermission)))
	assert.Equal(t, reasonOther, reasonOf(errors.New("the engine ended the event stream")))
}

func inspectError(ctx context.Context, t *testing.T, endpoint string) error {
	t.Helper()
	engine, err := client.NewClientWithOpts(client.WithHost(endpoint))
	require.NoError(t, err)
	defer engine.Close()
	_, err = engine.ContainerInspect(ctx, "x")
	require.Error(t, err)
	return err
}

// TestFaults: whatever is wrong with the engine, up is 0, and the reason is one that the README explains.
func TestFaults(t *testing.T) {
	for _, fault := range simulator.Faults() {
		if fault == simulator.FaultNone {
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			w := newWorld(t, simulator.DockerConfig{Containers: []simulator.DockerContainer{{Name: "a"}}})
			w.Shutdown()
			faulty := &simulator.Faulty{Next: w.Handler(), AllPaths: true}
			faulty.Set(fault)
			require.NoError(t, w.Listen(t.Context(), "unix://"+w.socket, faulty))
			p := w.probe(t, func(cfg *Config) { cfg.Timeout = docker.NewDefaultConfig().Timeout / 10 })
			got := p.until(t, func(c *assert.CollectT, r readings) { assert.NotEmpty(c, r) })
			if got.value("docker.up") == 1 { // what is wrong is nothing that the engine's answers could have
				return
			}
			require.Len(t, got.of("docker.error"), 1)
			found := false
			for reason := range hints {
				found = found || got.value("docker.error{error.type="+reason+"}") == 1
			}
			assert.True(t, found, got.of("docker.error"))

			faulty.Set(simulator.FaultNone)
			p.until(t, func(c *assert.CollectT, r readings) { assert.Equal(c, 1.0, r.value("docker.up")) })
		})
	}
}

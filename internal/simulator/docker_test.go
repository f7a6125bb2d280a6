package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
)

// TestDocker reads the facade with Docker's own client.
func TestDocker(t *testing.T) {
	engine := NewDocker(DockerConfig{Containers: []DockerContainer{{ID: "c1", Name: "chat", Image: "vllm:1", CPU: time.Second, Memory: 42}}})
	server := serve(t, engine.Handler())
	c, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	defer c.Close()

	list, err := c.ContainerList(t.Context(), container.ListOptions{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, []string{"/chat"}, list[0].Names)

	inspect, err := c.ContainerInspect(t.Context(), "c1")
	require.NoError(t, err)
	assert.True(t, inspect.State.Running)
	assert.Equal(t, "vllm:1", inspect.Config.Image)

	answer, err := c.ContainerStats(t.Context(), "c1", false)
	require.NoError(t, err)
	defer answer.Body.Close()
	var stats container.StatsResponse
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&stats))
	assert.Equal(t, uint64(42), stats.MemoryStats.Usage)
	assert.Equal(t, uint64(time.Second), stats.CPUStats.CPUUsage.TotalUsage)

	_, err = c.ContainerInspect(t.Context(), "c2")
	assert.ErrorContains(t, err, "No such container: c2")
	_, err = c.ContainerStats(t.Context(), "c2", false)
	assert.ErrorContains(t, err, "No such container: c2")

	messages, errs := c.Events(t.Context(), events.ListOptions{})
	select {
	case m := <-messages:
		assert.Fail(t, "nothing happens here", "%v", m)
	case err := <-errs:
		assert.NoError(t, err)
	case <-time.After(50 * time.Millisecond):
	}
	assert.Len(t, engine.Versions(), 1)
}

func TestDockerRefusesVersions(t *testing.T) {
	server := serve(t, NewDocker(DockerConfig{}).Handler())
	for version, want := range map[string]int{"1.25": http.StatusBadRequest, "1.44": http.StatusOK, "1.51": http.StatusOK, "1.60": http.StatusBadRequest} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v"+version+"/containers/json", http.NoBody)
		require.NoError(t, err)
		resp, err := server.Client().Do(req)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, version)
		assert.Equal(t, "1.51", resp.Header.Get("Api-Version"))
	}
}

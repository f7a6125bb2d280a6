package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func dockerClient(t *testing.T, d *Docker) *client.Client {
	t.Helper()
	require.NoError(t, d.Listen(t.Context(), "unix://"+filepath.Join(t.TempDir(), "docker.sock"), nil))
	c, err := client.NewClientWithOpts(client.WithHost(d.Endpoint()), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Close()
		d.Shutdown()
	})
	return c
}

// said reads n events, as "action name [detail]".
func said(t *testing.T, messages <-chan events.Message, errs <-chan error, n int) []string {
	t.Helper()
	var got []string
	for range n {
		select {
		case m := <-messages:
			words := []string{string(m.Action), m.Actor.Attributes["name"]}
			for _, key := range []string{"exitCode", "signal", "oldName"} {
				if value, has := m.Actor.Attributes[key]; has {
					words = append(words, value)
				}
			}
			got = append(got, strings.Join(words, " "))
		case err := <-errs:
			require.NoError(t, err)
		case <-time.After(10 * time.Second):
			require.Fail(t, "no event", "%v", got)
		}
	}
	return got
}

func TestDockerLife(t *testing.T) {
	d := NewDocker(DockerConfig{})
	c := dockerClient(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	messages, errs := c.Events(ctx, events.ListOptions{})
	t.Cleanup(func() {
		cancel()
		for range errs {
		}
	})
	id := d.Run(DockerContainer{Name: "chat", Image: "vllm:1", Health: container.Starting, Labels: map[string]string{"a": "b"}})
	assert.Equal(t, DockerID("chat"), id)
	inspect := func() container.InspectResponse {
		answer, err := c.ContainerInspect(t.Context(), "chat")
		require.NoError(t, err)
		return answer
	}
	status := func() string {
		list, err := c.ContainerList(t.Context(), container.ListOptions{All: true})
		require.NoError(t, err)
		require.Len(t, list, 1)
		return list[0].State + ": " + list[0].Status
	}
	assert.Equal(t, "running: Up 0 seconds (health: starting)", status())
	d.Health("chat", container.Healthy)
	assert.Equal(t, "running: Up 0 seconds (healthy)", status())
	d.Pause("chat")
	assert.Equal(t, "paused: Up 0 seconds (Paused)", status())
	assert.True(t, inspect().State.Paused)
	d.Unpause("chat")
	d.Update("chat", func(c *DockerContainer) { c.HostConfig.Memory = 7 })
	assert.EqualValues(t, 7, inspect().HostConfig.Memory)
	d.Restart(id[:12])
	assert.Equal(t, 2, inspect().State.Pid)
	d.Crash("chat", 1)
	assert.Equal(t, "restarting: Restarting (1) 1 second ago", status())
	d.Start("chat")
	assert.Equal(t, 1, inspect().RestartCount)
	d.OOM("chat")
	assert.Equal(t, "exited: Exited (137) 1 second ago", status())
	assert.True(t, inspect().State.OOMKilled)
	running, err := c.ContainerList(t.Context(), container.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, running)
	d.Start("chat")
	d.Rename("chat", "talk")
	d.Remove("talk")
	d.Remove("talk")
	assert.Equal(t, []string{
		"create chat", "start chat", "health_status: healthy chat", "pause chat", "unpause chat", "update chat",
		"kill chat 15", "die chat 143", "stop chat", "start chat", "restart chat", "die chat 1", "start chat",
		"oom chat", "die chat 137", "start chat", "rename talk /chat", "kill talk 9", "die talk 137", "destroy talk",
	}, said(t, messages, errs, 20))

	d.Create(DockerContainer{Name: "new"})
	assert.Equal(t, "created: Created", status())
	version, err := c.ServerVersion(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "1.51", version.APIVersion)
	for _, kind := range []string{"ping", "version", "list", "inspect", "events"} {
		assert.Positive(t, d.Requests()[kind], kind)
	}
	// Of what does not exist, nothing happens.
	for _, act := range []func(string){d.Start, d.Stop, d.OOM, d.Restart, d.Pause, d.Unpause, d.Remove} {
		act("nothing")
	}
	d.Rename("nothing", "x")
	d.Health("nothing", container.Healthy)
	d.Update("nothing", func(*DockerContainer) {})
	d.Create(DockerContainer{Name: "mark"})
	assert.Equal(t, []string{"create new", "create mark"}, said(t, messages, errs, 2))
}

func TestDockerDetails(t *testing.T) {
	d := NewDocker(DockerConfig{Containers: []DockerContainer{{
		Name: "chat", Image: "vllm:1", Env: []string{"A=b"}, Entrypoint: []string{"vllm"}, Cmd: []string{"serve"}, Pid: 5, Health: container.Unhealthy,
		Networks: []DockerNetwork{{Name: "n", IP: "10.0.0.2", Aliases: []string{"a"}}},
		Ports:    []container.Port{{PrivatePort: 8000, PublicPort: 80, IP: "0.0.0.0", Type: "tcp"}, {PrivatePort: 53, Type: "udp"}},
		Mounts:   []container.MountPoint{{Type: "bind", Source: "/m"}}, LogPath: "/log",
	}}})
	c := dockerClient(t, d)
	got, err := c.ContainerInspect(t.Context(), "/chat")
	require.NoError(t, err)
	assert.Equal(t, []string{"A=b"}, got.Config.Env)
	assert.Equal(t, "10.0.0.2", got.NetworkSettings.Networks["n"].IPAddress)
	assert.Equal(t, "80", got.NetworkSettings.Ports["8000/tcp"][0].HostPort)
	assert.Len(t, got.NetworkSettings.Ports, 2)
	assert.Equal(t, "/log", got.LogPath)
	assert.Equal(t, container.Unhealthy, got.State.Health.Status)
	assert.Equal(t, "/m", got.Mounts[0].Source)
}

func TestDockerSince(t *testing.T) {
	d := NewDocker(DockerConfig{})
	c := dockerClient(t, d)
	events2 := func(options events.ListOptions, n int) []string {
		ctx, cancel := context.WithCancel(t.Context())
		messages, errs := c.Events(ctx, options)
		got := said(t, messages, errs, n)
		cancel()
		for range errs {
		}
		return got
	}
	d.Create(DockerContainer{Name: "old", Labels: map[string]string{"team": "a"}})
	time.Sleep(2 * time.Millisecond)
	began := time.Now()
	d.Run(DockerContainer{Name: "a", Labels: map[string]string{"team": "a"}})
	d.Quietly(func() { d.Run(DockerContainer{Name: "unheard"}) })
	d.Run(DockerContainer{Name: "b"})
	d.Health("b", container.Healthy)
	d.Emit(events.Message{Type: events.NetworkEventType, Action: "create", Actor: events.Actor{Attributes: map[string]string{"name": "net"}}})
	d.Emit(events.Message{Type: events.ContainerEventType, Action: "exec_start: sh", Actor: events.Actor{Attributes: map[string]string{"name": "b"}}})
	since := fmt.Sprintf("%d.%09d", began.Unix(), began.Nanosecond())

	all := []string{"create a", "start a", "create b", "start b", "health_status: healthy b", "create net", "exec_start: sh b"}
	assert.Equal(t, all, events2(events.ListOptions{Since: since}, 7))
	assert.Equal(t, append([]string{"create old"}, all...), events2(events.ListOptions{Since: "1"}, 8))
	only := func(pairs ...string) filters.Args {
		f := filters.NewArgs()
		for i := 0; i < len(pairs); i += 2 {
			f.Add(pairs[i], pairs[i+1])
		}
		return f
	}
	for _, tt := range []struct {
		filter filters.Args
		want   []string
	}{
		{only("type", "container", "event", "start", "event", "create"), []string{"create a", "start a", "create b", "start b"}},
		{only("type", "container", "event", "start", "event", "health_status"), []string{"start a", "start b", "health_status: healthy b"}},
		{only("type", "network"), []string{"create net"}},
		{only("container", "a"), []string{"create a", "start a"}},
		{only("container", DockerID("a"), "event", "start"), []string{"start a"}},
		{only("label", "team=a"), []string{"create a", "start a"}},
		{only("label", "team", "scope", "local"), []string{"create a", "start a"}},
		{only("label", "team=b", "event", "x"), nil},
	} {
		past := httptest.NewRecorder()
		text, err := filters.ToJSON(tt.filter)
		require.NoError(t, err)
		now := time.Now()
		d.Handler().ServeHTTP(past, httptest.NewRequestWithContext(t.Context(), http.MethodGet,
			fmt.Sprintf("/events?since=%s&until=%d.%09d&filters=%s", since, now.Unix(), now.Nanosecond(), text), http.NoBody))
		var got []string
		for decoder := json.NewDecoder(past.Body); ; {
			var m events.Message
			if decoder.Decode(&m) != nil {
				break
			}
			got = append(got, string(m.Action)+" "+m.Actor.Attributes["name"])
		}
		assert.Equal(t, tt.want, got, text)
	}
	d.ForgetEvents()
	past := httptest.NewRecorder()
	d.Handler().ServeHTTP(past, httptest.NewRequestWithContext(t.Context(), http.MethodGet, `/events?since=1&until=2&filters={"type":["container"]}`, http.NoBody))
	assert.Empty(t, past.Body.String())
	past = httptest.NewRecorder()
	d.Handler().ServeHTTP(past, httptest.NewRequestWithContext(t.Context(), http.MethodGet, `/events?filters=garbage`, http.NoBody))
	assert.Equal(t, http.StatusBadRequest, past.Code)
}

func TestDockerJournal(t *testing.T) {
	j := newJournal()
	_, slow := j.listen()
	for range listenerSize + 1 {
		j.publish(events.Message{})
	}
	assert.Len(t, j.kept, journalSize)
	assert.Empty(t, j.listeners, "one who does not listen is cut off")
	n, last := 0, int64(0)
	for m := range slow {
		assert.Greater(t, m.TimeNano, last)
		last = m.TimeNano
		n++
	}
	assert.Equal(t, listenerSize, n)
}

func TestDockerListen(t *testing.T) {
	d := NewDocker(DockerConfig{Containers: []DockerContainer{{Name: "chat"}}})
	for _, endpoint := range []string{"socket", "npipe:////./pipe/x", "unix:///does/not/exist/docker.sock"} {
		require.Error(t, d.Listen(t.Context(), endpoint, nil), endpoint)
	}
	d.Shutdown() // nothing to do
	require.NoError(t, d.Listen(t.Context(), "tcp://127.0.0.1:0", nil))
	require.ErrorContains(t, d.Listen(t.Context(), "tcp://127.0.0.1:0", nil), "listens already")
	c, err := client.NewClientWithOpts(client.WithHost(d.Endpoint()), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	defer c.Close()
	_, errs := c.Events(t.Context(), events.ListOptions{})
	require.Eventually(t, func() bool { return d.Listeners() == 1 }, 10*time.Second, time.Millisecond)
	d.DropEvents()
	require.ErrorIs(t, <-errs, io.EOF)
	_, errs = c.Events(t.Context(), events.ListOptions{})
	d.Shutdown()
	require.Error(t, <-errs)
	_, err = c.Ping(t.Context())
	require.Error(t, err)
	require.NoError(t, d.Listen(t.Context(), d.Endpoint(), nil), "it can be started again")
	_, err = c.Ping(t.Context())
	require.NoError(t, err)
	d.Shutdown()
}

func TestDockerProxy(t *testing.T) {
	d := NewDocker(DockerConfig{Containers: []DockerContainer{{ID: "c1", Name: "chat"}}})
	server := serve(t, DockerProxy(d.Handler()))
	for request, want := range map[string]int{
		"GET /_ping": 200, "GET /v1.44/_ping": 404, "GET /version": 200, "GET /v1.44/version": 200, "GET /v1.44/containers/json?all=1": 200,
		"GET /v1.44/containers/c1/json": 200, "GET /v1.44/containers/c2/json": 404, "GET /v1.44/containers/c1/stats": 403, "GET /v1.44/images/json": 403,
		"GET /v1.44/info": 403, "POST /v1.44/containers/c1/json": 403, "HEAD /_ping": 403, "GET /v1.44/containers/c1/../c1/json": 403,
	} {
		var method, path string
		_, err := fmt.Sscan(request, &method, &path)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
		require.NoError(t, err)
		resp, err := server.Client().Do(req)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, request)
	}
}

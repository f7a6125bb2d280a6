package docker

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inspected is an answer of an engine, shortened.
const inspected = `{
  "Id": "` + "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1" + `",
  "Created": "2026-03-01T11:00:00.5Z", "Name": "/stack-chat-1", "RestartCount": 2, "Image": "sha256:4711",
  "LogPath": "/var/lib/docker/containers/x/x-json.log",
  "State": {"Status": "running", "Running": true, "OOMKilled": true, "Pid": 4711, "ExitCode": 0,
    "StartedAt": "2026-03-01T12:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z", "Health": {"Status": "starting"}},
  "HostConfig": {"NetworkMode": "stack_default", "Runtime": "nvidia", "RestartPolicy": {"Name": "unless-stopped"},
    "NanoCpus": 1500000000, "CpuShares": 512, "CpuQuota": -1, "CpusetCpus": "0-3", "Memory": 1073741824, "MemoryReservation": 536870912,
    "MemorySwap": -1, "PidsLimit": 100,
    "DeviceRequests": [{"Driver": "nvidia", "Count": 0, "DeviceIDs": ["2"], "Capabilities": [["gpu"]]}]},
  "Mounts": [
    {"Type": "volume", "Name": "cache", "Source": "/var/lib/docker/volumes/cache/_data", "Destination": "/root/.cache", "RW": true},
    {"Type": "bind", "Source": "/models", "Destination": "/models", "RW": false}],
  "Config": {"Image": "vllm/vllm-openai:v0.11.0-cu129", "Env": ["HF_TOKEN=secret", "NVIDIA_VISIBLE_DEVICES=all", "CUDA_VERSION=12.9.1"],
    "Entrypoint": ["vllm", "serve"], "Cmd": ["org/m", "--api-key", "secret"],
    "Labels": {"com.docker.compose.project": "stack", "com.docker.compose.service": "chat", "com.nvidia.cuda.version": "12.9"}},
  "NetworkSettings": {
    "Ports": {"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}], "53/udp": null},
    "Networks": {"stack_default": {"IPAddress": "172.18.0.2", "Aliases": ["chat"]}, "ipv6": {"GlobalIPv6Address": "fd00::2"}, "none": null}},
  "ImageManifestDescriptor": {"digest": "sha256:0815"}
}`

func TestFromInspect(t *testing.T) {
	var answer container.InspectResponse
	require.NoError(t, json.Unmarshal([]byte(inspected), &answer))
	c := fromInspect(&answer)
	assert.Equal(t, &Container{
		ID: idA, Name: "stack-chat-1",
		Image: Image{Ref: "vllm/vllm-openai:v0.11.0-cu129", Name: "vllm/vllm-openai", Tag: "v0.11.0-cu129", Digest: "sha256:0815", ID: "sha256:4711"},
		Labels: map[string]string{
			"com.docker.compose.project": "stack", "com.docker.compose.service": "chat", "com.nvidia.cuda.version": "12.9",
		},
		Env:     map[string]string{"NVIDIA_VISIBLE_DEVICES": "all", "CUDA_VERSION": "12.9.1"},
		Command: []string{"vllm", "serve", "org/m", "--api-key", Redacted},
		State:   StateRunning, Health: HealthStarting, RestartCount: 2, OOMKilled: true, Pid: 4711,
		Created: time.Date(2026, 3, 1, 11, 0, 0, 5e8, time.UTC), Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Limits: Limits{NanoCPUs: 15e8, CPUShares: 512, CPUSet: "0-3", Memory: 1 << 30, MemoryReservation: 1 << 29, MemorySwap: -1, Pids: 100},
		Mounts: []Mount{
			{Type: "bind", Source: "/models", Destination: "/models"},
			{Type: "volume", Name: "cache", Source: "/var/lib/docker/volumes/cache/_data", Destination: "/root/.cache", ReadWrite: true},
		},
		Networks: []Network{
			{Name: "ipv6", IP: "fd00::2"}, {Name: "none"}, {Name: "stack_default", IP: "172.18.0.2", Aliases: []string{"chat"}},
		},
		Ports: []Port{
			{Container: 53, Protocol: "udp"}, {Container: 8000, Protocol: "tcp", HostIP: "0.0.0.0", Host: 80}, {Container: 8000, Protocol: "tcp", HostIP: "::", Host: 80},
		},
		NetworkMode: "stack_default", Runtime: "nvidia", RestartPolicy: "unless-stopped",
		ComposeProject: "stack", ComposeService: "chat", CUDAVersion: "12.9", LogPath: "/var/lib/docker/containers/x/x-json.log",
		GPUs: GPUs{IDs: []string{"2"}, Source: SourceDeviceRequests},
	}, c)
	assert.True(t, c.Running())
	assert.Equal(t, idA[:12], c.ShortID())
	assert.Equal(t, "fd00::2", c.IP())
	_, published := c.PublishedPort(53)
	assert.False(t, published)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "secret")

	assert.Equal(t, &Container{}, fromInspect(&container.InspectResponse{}), "nothing is said")
	assert.Equal(t, "x", (&Container{ID: "x"}).ShortID())
}

func TestFromSummary(t *testing.T) {
	c := fromSummary(&container.Summary{ID: idA, Names: []string{"/other/alias", "/chat"}, State: "exited", Mounts: []container.MountPoint{{Type: "bind"}}})
	assert.Equal(t, "chat", c.Name)
	assert.True(t, c.Partial)
	assert.True(t, c.Created.IsZero())
	assert.Empty(t, c.IP())
	assert.Empty(t, fromSummary(&container.Summary{}).Name)
	for status, want := range map[string]Health{
		"Up 2 hours": "", "Up 2 hours (healthy)": HealthHealthy, "Up 2 hours (unhealthy)": HealthUnhealthy,
		"Up 1 second (health: starting)": HealthStarting, "Up 2 hours (Paused)": "",
	} {
		assert.Equal(t, want, summaryHealth(status), status)
	}
}

func TestParseImage(t *testing.T) {
	for ref, want := range map[string]Image{
		"":                              {},
		"busybox":                       {Name: "busybox", Tag: "latest"},
		"vllm/vllm-openai:v0.11.0":      {Name: "vllm/vllm-openai", Tag: "v0.11.0"},
		"registry:5000/a/b":             {Name: "registry:5000/a/b", Tag: "latest"},
		"registry:5000/a/b:c":           {Name: "registry:5000/a/b", Tag: "c"},
		"a/b@sha256:4711":               {Name: "a/b", Digest: "sha256:4711"},
		"registry:5000/a:b@sha256:4711": {Name: "registry:5000/a", Tag: "b", Digest: "sha256:4711"},
		"sha256:" + idA:                 {ID: "sha256:" + idA},
		idA:                             {ID: idA},
	} {
		want.Ref = ref
		assert.Equal(t, want, parseImage(ref), ref)
	}
}

func TestCPUs(t *testing.T) {
	assert.Equal(t, 1.5, Limits{NanoCPUs: 15e8, CPUQuota: 1}.CPUs())
	assert.Equal(t, 0.5, Limits{CPUQuota: 25_000, CPUPeriod: 50_000}.CPUs())
	assert.Equal(t, 2.0, Limits{CPUQuota: 200_000}.CPUs())
	assert.Zero(t, Limits{CPUShares: 1024}.CPUs())
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]int{"": 0, "80": 80, "8x": 0, strings.Repeat("9", 30): 0} {
		assert.Equal(t, want, number(text), text)
	}
}

func TestHistory(t *testing.T) {
	h := newHistory()
	assert.Empty(t, h.since(), "the first time nothing of the past")
	h.begin(time.Unix(100, 5))
	assert.Equal(t, "100.000000005", h.since())
	m := message("die", 200)
	assert.True(t, h.add(m))
	assert.False(t, h.add(m), "the same")
	h.begin(time.Unix(1, 0))
	assert.Equal(t, "198.000000000", h.since(), "a little before the last")
	assert.True(t, h.add(message("start", 200)))
	assert.True(t, h.add(message("die", 150)), "out of order")
	assert.Equal(t, "198.000000000", h.since())
	for i := range 3 * remembered {
		assert.True(t, h.add(message("kill", int64(1000+i))))
	}
	assert.Len(t, h.seen, remembered)
	assert.Len(t, h.ring, remembered)
	assert.True(t, h.add(m), "forgotten")
	old := message("die", 0)
	old.Time = 7
	assert.Equal(t, time.Unix(7, 0).UTC(), eventTime(old), "engines before API 1.19 know seconds only")
}

func TestConclusions(t *testing.T) {
	c := make(conclusions)
	at := time.Unix(100, 0)
	c.add(&Event{Action: ActionDie, Time: at, Container: &Container{ID: idA}}, at)
	assert.False(t, c.known(idA, ActionStart, at))
	assert.False(t, c.known(idB, ActionDie, at))
	assert.False(t, c.known(idA, ActionDie, at.Add(sameEvent+1)), "another one")
	assert.True(t, c.known(idA, ActionDie, at.Add(sameEvent)))
	assert.False(t, c.known(idA, ActionDie, at), "once")
	c.add(&Event{Action: ActionDie, Time: at, Container: &Container{ID: idA}}, at)
	c.add(&Event{Action: ActionDie, Time: at, Container: &Container{ID: idB}}, at.Add(forget+1))
	assert.Len(t, c, 1, "forgotten")
}

func TestStore(t *testing.T) {
	s := newStore(2, time.Minute)
	same := idA[:12] + strings.Repeat("0", 52)
	running := &Container{ID: idA, State: StateRunning}
	assert.True(t, s.put(running))
	assert.True(t, s.put(&Container{ID: same, State: StateExited}))
	c, _ := s.get(idA[:12])
	assert.Same(t, running, c, "of two that begin alike, the first")
	assert.True(t, s.put(&Container{ID: idB, State: StatePaused}), "room is made by one that does not run")
	_, known := s.get(same)
	assert.False(t, known)
	assert.False(t, s.put(&Container{ID: idC, State: StateRunning}), "but not by one that does")
	assert.True(t, s.put(&Container{ID: idB, Gone: time.Unix(100, 0)}))
	assert.True(t, s.put(&Container{ID: idC, State: StateExited}), "what is gone goes first")
	existing, gone := s.count()
	assert.Equal(t, 2, existing)
	assert.Zero(t, gone)
	s.forget(idC)
	s.forget(idC)
	assert.True(t, s.put(&Container{ID: idB, Gone: time.Unix(100, 0)}))
	s.purge(time.Unix(159, 0))
	assert.Len(t, s.existing(), 1)
	_, gone = s.count()
	assert.Equal(t, 1, gone)
	s.purge(time.Unix(160, 0))
	_, gone = s.count()
	assert.Zero(t, gone)
}

func message(action events.Action, seconds int64) *events.Message {
	return &events.Message{Action: action, TimeNano: seconds * int64(time.Second), Actor: events.Actor{ID: idA}}
}

package docker

import (
	"slices"
	"time"
)

// State is what a container does.
type State string

// The states of the Engine API.
const (
	StateCreated    State = "created"
	StateRunning    State = "running"
	StatePaused     State = "paused"
	StateRestarting State = "restarting"
	StateRemoving   State = "removing"
	StateExited     State = "exited"
	StateDead       State = "dead"
)

// Health is what a container's health check says. It is empty where there is no check.
type Health string

// The results of a health check.
const (
	HealthStarting  Health = "starting"
	HealthHealthy   Health = "healthy"
	HealthUnhealthy Health = "unhealthy"
)

// Container is a container as it was at one moment. It is shared between all who ask: read only.
type Container struct {
	// ID has 64 hexadecimal digits.
	ID string
	// Name has no leading slash.
	Name  string
	Image Image
	// Labels are all labels, unchanged.
	Labels map[string]string
	// Env holds the variables NVIDIA_*, CUDA_* and VLLM_*. Values of those that are named like a secret are Redacted.
	Env map[string]string
	// Command is the entrypoint and its arguments. Secrets are Redacted.
	Command []string

	State        State
	Health       Health
	RestartCount int
	// ExitCode is that of the last exit. It has a meaning only when Finished is set and the container does not run.
	ExitCode  int
	OOMKilled bool
	// Created, Started and Finished are zero for what has not happened yet.
	Created, Started, Finished time.Time
	// Pid is that of the first process, in the engine's pid namespace. It is zero when there is none.
	Pid int

	Limits   Limits
	Mounts   []Mount
	Networks []Network
	Ports    []Port
	// NetworkMode is "bridge", "host", "none", "container:<id>" or the name of a network.
	NetworkMode string
	// Runtime is "runc", "nvidia" or another that the engine knows.
	Runtime string
	// RestartPolicy is "no", "always", "unless-stopped" or "on-failure".
	RestartPolicy string

	ComposeProject, ComposeService string
	// CUDAVersion is from the label com.nvidia.cuda.version, else the variable CUDA_VERSION.
	CUDAVersion string
	// LogPath is the json-file log on the engine's host. It is empty with other log drivers.
	LogPath string
	// GPUs are those that the container may use, as configured. See [GPUs.Resolve].
	GPUs GPUs

	// Gone is when the container was removed. It is zero for one that exists.
	Gone time.Time
	// Partial says that only the list or events are known, as when the engine refuses or fails to inspect.
	Partial bool

	// stale says that an inspection failed since.
	stale bool
}

// Running reports whether the container has processes, paused or not.
func (c *Container) Running() bool { return c.State == StateRunning || c.State == StatePaused }

// ShortID is the first 12 digits of the id.
func (c *Container) ShortID() string { return c.ID[:min(shortID, len(c.ID))] }

// IP is the address in the first network, by name, that has one, or empty, as with network mode host.
func (c *Container) IP() string {
	for _, n := range c.Networks {
		if n.IP != "" {
			return n.IP
		}
	}
	return ""
}

// PublishedPort returns where a TCP port of the container is published on the host.
func (c *Container) PublishedPort(port int) (Port, bool) {
	i := slices.IndexFunc(c.Ports, func(p Port) bool { return p.Container == port && p.Protocol == "tcp" && p.Host != 0 })
	if i < 0 {
		return Port{}, false
	}
	return c.Ports[i], true
}

// Image names an image. All fields but Ref may be empty.
type Image struct {
	// Ref is what the container was created from, such as "vllm/vllm-openai:v0.11.0".
	Ref string
	// Name is Ref without tag and digest, Tag and Digest (sha256:...) are those. Tag is "latest" when Ref has neither.
	Name, Tag, Digest string
	// ID is the image's id, sha256:...
	ID string
}

// Limits are what a container may use at most. Zero is no limit.
type Limits struct {
	// NanoCPUs is a number of CPUs times 10^9, given by --cpus.
	NanoCPUs int64
	// CPUQuota of each CPUPeriod, both in microseconds.
	CPUQuota, CPUPeriod int64
	// CPUShares is a weight, not a limit.
	CPUShares int64
	// CPUSet is such as "0-3,8".
	CPUSet string
	// Memory and MemoryReservation are in bytes. MemorySwap is memory and swap together, -1 for no limit.
	Memory, MemoryReservation, MemorySwap int64
	// Pids is the largest number of processes.
	Pids int64
}

// CPUs is the limit in CPUs, from NanoCPUs or the quota, or zero if there is none.
func (l Limits) CPUs() float64 {
	switch {
	case l.NanoCPUs > 0:
		return float64(l.NanoCPUs) / 1e9
	case l.CPUQuota > 0 && l.CPUPeriod > 0:
		return float64(l.CPUQuota) / float64(l.CPUPeriod)
	case l.CPUQuota > 0:
		return float64(l.CPUQuota) / 100_000 // the kernel's default period
	default:
		return 0
	}
}

// Mount is a volume, a directory of the host or a tmpfs in a container.
type Mount struct {
	// Type is "bind", "volume", "tmpfs" or another that the engine knows.
	Type string
	// Name is that of the volume.
	Name                string
	Source, Destination string
	ReadWrite           bool
}

// Network is a container's place in a network.
type Network struct {
	Name string
	// IP is the IPv4 address, else the IPv6 address. It is empty when the container does not run.
	IP      string
	Aliases []string
}

// Port is a port that a container exposes.
type Port struct {
	// Container is the port inside.
	Container int
	// Protocol is "tcp", "udp" or "sctp".
	Protocol string
	// HostIP and Host are where it is published. Host is zero when it is not.
	HostIP string
	Host   int
}

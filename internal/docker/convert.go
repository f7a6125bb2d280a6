package docker

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

const shortID = 12

// fromInspect keeps what is worth knowing of an inspected container.
func fromInspect(in *container.InspectResponse) *Container {
	c := &Container{}
	if in.ContainerJSONBase != nil {
		fromBase(c, in.ContainerJSONBase)
	}
	if in.Config != nil {
		c.Image = parseImage(in.Config.Image)
		c.Labels = sharedKeys(in.Config.Labels)
		c.Env = allowedEnv(in.Config.Env)
		c.Command = Redact(slices.Concat(in.Config.Entrypoint, in.Config.Cmd))
	}
	if in.ContainerJSONBase != nil {
		c.Image.ID = unique.Make(in.Image).Value()
		if in.HostConfig != nil {
			c.GPUs = assignedGPUs(in.HostConfig, c.Env)
		}
	}
	if in.ImageManifestDescriptor != nil && c.Image.Digest == "" {
		c.Image.Digest = in.ImageManifestDescriptor.Digest.String()
	}
	c.Mounts = convertMounts(in.Mounts)
	if in.NetworkSettings != nil {
		c.Networks = convertNetworks(in.NetworkSettings.Networks)
		for port, bindings := range in.NetworkSettings.Ports {
			p := Port{Container: port.Int(), Protocol: port.Proto()}
			if len(bindings) == 0 {
				c.Ports = append(c.Ports, p)
			}
			for _, b := range bindings {
				p.HostIP, p.Host = b.HostIP, number(b.HostPort)
				c.Ports = append(c.Ports, p)
			}
		}
		sortPorts(c.Ports)
	}
	fromLabels(c)
	return c
}

func fromBase(c *Container, in *container.ContainerJSONBase) {
	c.ID = in.ID
	c.Name = strings.TrimPrefix(in.Name, "/")
	c.RestartCount = in.RestartCount
	c.Created = parseTime(in.Created)
	c.LogPath = in.LogPath
	if s := in.State; s != nil {
		c.State = State(s.Status)
		c.ExitCode = s.ExitCode
		c.OOMKilled = s.OOMKilled
		c.Pid = s.Pid
		c.Started, c.Finished = parseTime(s.StartedAt), parseTime(s.FinishedAt)
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			c.Health = Health(s.Health.Status)
		}
	}
	if h := in.HostConfig; h != nil {
		c.NetworkMode = string(h.NetworkMode)
		c.Runtime = unique.Make(h.Runtime).Value()
		c.RestartPolicy = string(h.RestartPolicy.Name)
		c.Limits = Limits{
			NanoCPUs: h.NanoCPUs, CPUQuota: max(h.CPUQuota, 0), CPUPeriod: h.CPUPeriod, CPUShares: h.CPUShares, CPUSet: h.CpusetCpus,
			Memory: h.Memory, MemoryReservation: h.MemoryReservation, MemorySwap: h.MemorySwap,
		}
		if h.PidsLimit != nil {
			c.Limits.Pids = max(*h.PidsLimit, 0)
		}
	}
}

// fromSummary keeps what the list says, for a container that cannot be inspected.
func fromSummary(s *container.Summary) *Container {
	c := &Container{
		ID: s.ID, Name: summaryName(s), Labels: sharedKeys(s.Labels), Image: parseImage(s.Image),
		State: State(s.State), Health: summaryHealth(s.Status), NetworkMode: s.HostConfig.NetworkMode,
		Mounts: convertMounts(s.Mounts), Partial: true,
	}
	c.Image.ID = s.ImageID
	if s.Created > 0 {
		c.Created = time.Unix(s.Created, 0).UTC()
	}
	for _, p := range s.Ports {
		c.Ports = append(c.Ports, Port{Container: int(p.PrivatePort), Protocol: p.Type, HostIP: p.IP, Host: int(p.PublicPort)})
	}
	sortPorts(c.Ports)
	if s.NetworkSettings != nil {
		c.Networks = convertNetworks(s.NetworkSettings.Networks)
	}
	fromLabels(c)
	return c
}

// fromEvent keeps what an event says of a container that is already gone.
func fromEvent(id string, attributes map[string]string) *Container {
	c := &Container{ID: id, Name: attributes["name"], Image: parseImage(attributes["image"]), Labels: make(map[string]string), Partial: true}
	for key, value := range attributes {
		switch key {
		case "name", "image", "exitCode", "signal", "oldName", "execDuration", "execID":
		default:
			c.Labels[key] = value
		}
	}
	fromLabels(c)
	return c
}

func fromLabels(c *Container) {
	c.ComposeProject = c.Labels["com.docker.compose.project"]
	c.ComposeService = c.Labels["com.docker.compose.service"]
	c.CUDAVersion = cmp.Or(c.Labels["com.nvidia.cuda.version"], c.Env["CUDA_VERSION"])
}

// summaryName is the name without a slash; the others are links of other containers to it, a/b.
func summaryName(s *container.Summary) string {
	for _, name := range s.Names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// summaryHealth reads a status such as "Up 2 hours (healthy)" or "Up 1 second (health: starting)".
func summaryHealth(status string) Health {
	switch {
	case strings.HasSuffix(status, "(healthy)"):
		return HealthHealthy
	case strings.HasSuffix(status, "(unhealthy)"):
		return HealthUnhealthy
	case strings.HasSuffix(status, "(health: starting)"):
		return HealthStarting
	default:
		return ""
	}
}

// parseImage takes a reference apart: [registry[:port]/]name[:tag][@digest], or an image id.
func parseImage(ref string) Image {
	image := Image{Ref: unique.Make(ref).Value()}
	name, digest, _ := strings.Cut(image.Ref, "@")
	image.Digest = digest
	if id, ok := strings.CutPrefix(name, "sha256:"); ok && isID(id) || isID(name) {
		image.ID = ref
		return image
	}
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, image.Tag = name[:colon], name[colon+1:]
	} else if digest == "" && name != "" {
		image.Tag = "latest"
	}
	image.Name = name
	return image
}

// allowedEnv keeps what tells of GPUs and of the server; nothing else leaves the engine.
func allowedEnv(env []string) map[string]string {
	var kept map[string]string
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "NVIDIA_") && !strings.HasPrefix(name, "CUDA_") && !strings.HasPrefix(name, "VLLM_") {
			continue
		}
		switch {
		case secretVariable(name) && value != "":
			value = Redacted
		default:
			value = redactText(value)
		}
		if kept == nil {
			kept = make(map[string]string)
		}
		kept[unique.Make(name).Value()] = value
	}
	return kept
}

// sharedKeys makes equal keys of different containers one string.
func sharedKeys(labels map[string]string) map[string]string {
	shared := make(map[string]string, len(labels))
	for key, value := range labels {
		shared[unique.Make(key).Value()] = value
	}
	return shared
}

func convertMounts(mounts []container.MountPoint) []Mount {
	var converted []Mount
	for i := range mounts {
		m := &mounts[i]
		converted = append(converted, Mount{Type: string(m.Type), Name: m.Name, Source: m.Source, Destination: m.Destination, ReadWrite: m.RW})
	}
	slices.SortFunc(converted, func(a, b Mount) int { return cmp.Compare(a.Destination, b.Destination) })
	return converted
}

func convertNetworks(networks map[string]*network.EndpointSettings) []Network {
	var converted []Network
	for name, n := range networks {
		if n == nil {
			n = &network.EndpointSettings{}
		}
		converted = append(converted, Network{Name: name, IP: cmp.Or(n.IPAddress, n.GlobalIPv6Address), Aliases: n.Aliases})
	}
	slices.SortFunc(converted, func(a, b Network) int { return cmp.Compare(a.Name, b.Name) })
	return converted
}

func sortPorts(ports []Port) {
	slices.SortFunc(ports, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.Host, b.Host))
	})
}

// parseTime reads a time of the engine, for which year 1 means never.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}

func number(digits string) int {
	n := 0
	for _, d := range digits {
		if d < '0' || d > '9' || n > 1<<20 {
			return 0
		}
		n = 10*n + int(d-'0')
	}
	return n
}

// isID reports whether a text is the id of a container: 64 hexadecimal digits in lower case.
func isID(text string) bool {
	if len(text) != 64 {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

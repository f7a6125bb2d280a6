package docker

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// GPUSource is where the assignment of GPUs is written.
type GPUSource string

// The sources, the strongest first.
const (
	// SourceDeviceRequests is --gpus, or deploy.resources in a compose file.
	SourceDeviceRequests GPUSource = "device_requests"
	// SourceEnv is NVIDIA_VISIBLE_DEVICES with the nvidia runtime.
	SourceEnv GPUSource = "env"
	// SourceDevices is --device /dev/nvidia<minor>.
	SourceDevices GPUSource = "devices"
	// SourceAnnotations are CDI names in annotations.
	SourceAnnotations GPUSource = "annotations"
)

// GPUs are the GPUs that a container may use. What it does use only the
// driver's process list says. The zero value is none.
type GPUs struct {
	// All is every GPU of the host.
	All bool
	// Count is the first Count GPUs.
	Count int
	// IDs are indexes, UUIDs, UUIDs of MIG devices or pairs "gpu:mig" of
	// indexes; with SourceDevices they are minor numbers.
	IDs []string
	// Visible are the entries of CUDA_VISIBLE_DEVICES, which narrows the choice
	// inside the container, counted from its own first GPU. Nil when it is not set.
	Visible []string
	// Source is empty when nothing assigns GPUs.
	Source GPUSource
}

// None reports whether the container may use no GPU.
func (g GPUs) None() bool { return !g.All && g.Count == 0 && len(g.IDs) == 0 }

// GPU is a device that a host has.
type GPU struct {
	// Index is NVML's, in the order of the PCI bus; Minor is the number in /dev/nvidia<minor>.
	Index, Minor int
	UUID         string
	// MIGs are the UUIDs of the MIG devices on it, by their index.
	MIGs []string
}

// minUUIDPrefix is how many characters of a UUID say which one is meant: "GPU-" and four digits.
const minUUIDPrefix = 8

// Resolve returns the UUIDs of the GPUs meant, in the order of their indexes.
// What is not among the devices is left out.
func (g GPUs) Resolve(devices []GPU) []string {
	if g.None() {
		return nil
	}
	devices = slices.SortedFunc(slices.Values(devices), func(a, b GPU) int { return cmp.Compare(a.Index, b.Index) })
	var found []string
	switch {
	case g.All:
		for _, d := range devices {
			found = append(found, d.UUID)
		}
	case g.Count > 0:
		for _, d := range devices[:min(g.Count, len(devices))] {
			found = append(found, d.UUID)
		}
	default:
		wanted := make(map[string]bool, len(g.IDs))
		for _, id := range g.IDs {
			if uuid := g.find(devices, id); uuid != "" {
				wanted[uuid] = true
			}
		}
		for _, d := range devices {
			for _, uuid := range append([]string{d.UUID}, d.MIGs...) {
				if wanted[uuid] {
					found = append(found, uuid)
				}
			}
		}
	}
	return g.narrow(found)
}

// find returns the UUID of what an id means, or nothing.
func (g GPUs) find(devices []GPU, id string) string {
	if n, err := strconv.Atoi(id); err == nil {
		for _, d := range devices {
			if g.Source == SourceDevices && d.Minor == n || g.Source != SourceDevices && d.Index == n {
				return d.UUID
			}
		}
		return ""
	}
	if gpu, mig, pair := strings.Cut(id, ":"); pair {
		n, err := strconv.Atoi(mig)
		if uuid := g.find(devices, gpu); uuid != "" && err == nil {
			i := slices.IndexFunc(devices, func(d GPU) bool { return d.UUID == uuid })
			if n >= 0 && n < len(devices[i].MIGs) {
				return devices[i].MIGs[n]
			}
			return uuid
		}
		return ""
	}
	for _, d := range devices {
		for _, uuid := range append([]string{d.UUID}, d.MIGs...) {
			if isUUID(id, uuid) {
				return uuid
			}
		}
	}
	return ""
}

func isUUID(id, uuid string) bool {
	return strings.EqualFold(id, uuid) || len(id) >= minUUIDPrefix && len(id) < len(uuid) && strings.EqualFold(id, uuid[:len(id)])
}

// narrow applies CUDA_VISIBLE_DEVICES, which ends at the first entry that means nothing.
// https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
func (g GPUs) narrow(assigned []string) []string {
	if g.Visible == nil {
		return assigned
	}
	var visible []string
	for _, entry := range g.Visible {
		i, err := strconv.Atoi(entry)
		if err != nil {
			i = slices.IndexFunc(assigned, func(uuid string) bool { return isUUID(entry, uuid) })
		}
		if i < 0 || i >= len(assigned) {
			break
		}
		visible = append(visible, assigned[i])
	}
	slices.SortFunc(visible, func(a, b string) int { return cmp.Compare(slices.Index(assigned, a), slices.Index(assigned, b)) })
	return slices.Compact(visible)
}

// assignedGPUs reads the assignment: requests win over the environment, since
// CUDA images bring NVIDIA_VISIBLE_DEVICES=all along.
func assignedGPUs(host *container.HostConfig, env map[string]string) GPUs {
	g := requestedGPUs(host.DeviceRequests)
	if g.None() && strings.HasPrefix(path.Base(host.Runtime), "nvidia") {
		g = listedGPUs(strings.Split(env["NVIDIA_VISIBLE_DEVICES"], ","), SourceEnv)
	}
	if g.None() {
		g = mappedGPUs(host.Devices)
	}
	if g.None() {
		var names []string
		for _, key := range slices.Sorted(maps.Keys(host.Annotations)) {
			for name := range strings.SplitSeq(host.Annotations[key], ",") {
				if isCDI(name) {
					names = append(names, name)
				}
			}
		}
		g = listedGPUs(names, SourceAnnotations)
	}
	if value, set := env["CUDA_VISIBLE_DEVICES"]; set && !g.None() {
		g.Visible = fields(value)
	}
	return g
}

func requestedGPUs(requests []container.DeviceRequest) GPUs {
	var g GPUs
	for i := range requests {
		r := &requests[i]
		switch r.Driver {
		case "", "nvidia":
			isGPU := slices.ContainsFunc(r.Capabilities, func(all []string) bool { return slices.Contains(all, "gpu") })
			if r.Driver == "" && !isGPU {
				continue
			}
			g = g.add(r.DeviceIDs)
			g.All = g.All || r.Count < 0
			g.Count = max(g.Count, r.Count)
		case "cdi":
			g = g.add(slices.DeleteFunc(slices.Clone(r.DeviceIDs), func(name string) bool { return !isCDI(name) }))
		}
	}
	return g.from(SourceDeviceRequests)
}

func listedGPUs(ids []string, source GPUSource) GPUs {
	return GPUs{}.add(ids).from(source)
}

// mappedGPUs reads the devices given by path; /dev/nvidiactl and others that have no number are no GPUs.
func mappedGPUs(devices []container.DeviceMapping) GPUs {
	var minors []string
	for i := range devices {
		minor, ok := strings.CutPrefix(devices[i].PathOnHost, "/dev/nvidia")
		if _, err := strconv.ParseUint(minor, 10, 16); ok && err == nil {
			minors = append(minors, minor)
		}
	}
	return GPUs{IDs: minors}.from(SourceDevices)
}

// isCDI reports whether a name is of a GPU by the Container Device Interface, such as nvidia.com/gpu=0.
func isCDI(name string) bool {
	kind, _, ok := strings.Cut(strings.TrimSpace(name), "=")
	vendor, class, _ := strings.Cut(kind, "/")
	return ok && strings.HasSuffix(vendor, "nvidia.com") && (class == "gpu" || class == "mig")
}

// add adds ids or CDI names, of which one may be "all".
func (g GPUs) add(ids []string) GPUs {
	for _, id := range ids {
		id = strings.TrimSpace(id)
		if isCDI(id) {
			_, id, _ = strings.Cut(id, "=")
		}
		switch id {
		case "", "none", "void":
		case "all":
			g.All = true
		default:
			if !slices.Contains(g.IDs, id) {
				g.IDs = append(g.IDs, id)
			}
		}
	}
	return g
}

// from names the source and removes what "all" makes superfluous.
func (g GPUs) from(source GPUSource) GPUs {
	if g.None() {
		return GPUs{}
	}
	if g.All {
		g.Count, g.IDs = 0, nil
	}
	g.Source = source
	return g
}

// fields splits at commas. The result is not nil.
func fields(list string) []string {
	found := []string{}
	for field := range strings.SplitSeq(list, ",") {
		if field = strings.TrimSpace(field); field != "" {
			found = append(found, field)
		}
	}
	return found
}

// maxListed bounds the list of String for a request of the first n GPUs.
const maxListed = 256

// String writes the GPUs that a container may use, as far as its configuration
// alone tells which they are: "0,1", "all", UUIDs, or "" for none.
func (g GPUs) String() string {
	var ids []string
	switch {
	case g.None():
		return ""
	case g.All && g.Visible != nil:
		return strings.Join(g.Visible, ",") // counted among all, so these are indexes of the host
	case g.All:
		return "all"
	case g.Count > 0:
		for i := range min(g.Count, maxListed) {
			ids = append(ids, strconv.Itoa(i))
		}
	default:
		ids = slices.Clone(g.IDs)
	}
	if g.Source == SourceDevices {
		for i := range ids {
			ids[i] = "/dev/nvidia" + ids[i] // minor numbers are not indexes
		}
	}
	if g.Visible == nil {
		return strings.Join(ids, ",")
	}
	var visible []string
	for _, entry := range g.Visible {
		i, err := strconv.Atoi(entry)
		if err != nil {
			i = slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(id, entry) })
		}
		if i < 0 || i >= len(ids) { // CUDA stops there too
			break
		}
		visible = append(visible, ids[i])
	}
	return strings.Join(visible, ",")
}

package simulator

import (
	"net/http"
	"time"

	"github.com/docker/docker/api/types/container"
)

// DockerUsage is what a container has used of the machine, since it was started.
type DockerUsage struct {
	// User and Kernel are CPU time. Where both are 0, CPU of the container counts
	// and is split.
	User, Kernel time.Duration
	// File is the page cache that belongs to the container, in bytes, beside its
	// Memory.
	File uint64
	// Received and Sent are bytes of its network interface, Read and Written bytes
	// of block devices.
	Received, Sent, Read, Written uint64
	// Processes in the container. Default 1 while it runs.
	Processes uint64
}

// Use changes what a container has used, its Usage, CPU and Memory. No event tells of it.
func (d *Docker) Use(ref string, how func(*DockerContainer)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.find(ref); c != nil {
		how(c)
	}
}

const (
	// packet is how many bytes go into one (~).
	packet = 1100
	// blockMajor and blockMinor are those of the first NVMe disk.
	blockMajor, blockMinor = 259, 0
)

func (d *Docker) stats(w http.ResponseWriter, r *http.Request) {
	d.count("stats")
	d.mu.Lock()
	c := d.find(r.PathValue("id"))
	if c == nil {
		d.mu.Unlock()
		noSuchContainer(w, r)
		return
	}
	answer := container.StatsResponse{ID: c.ID, Name: "/" + c.Name, Read: d.cfg.Now()}
	if running(c) {
		d.use(c, &answer)
	}
	d.mu.Unlock()
	writeDocker(w, http.StatusOK, answer)
}

// use fills in what an engine on a host with cgroup v2 tells of a container that
// runs. Of one that does not it tells nothing.
func (d *Docker) use(c *DockerContainer, s *container.StatsResponse) {
	u := c.Usage
	if u.User+u.Kernel == 0 {
		u.User, u.Kernel = c.CPU*4/5, c.CPU-c.CPU*4/5
	}
	s.CPUStats = container.CPUStats{
		CPUUsage:    container.CPUUsage{TotalUsage: uint64(u.User + u.Kernel), UsageInUsermode: uint64(u.User), UsageInKernelmode: uint64(u.Kernel)},
		SystemUsage: uint64(d.cfg.Now().Sub(c.Created)) * uint64(d.cfg.CPUs),
		OnlineCPUs:  uint32(d.cfg.CPUs),
	}
	s.PreCPUStats = s.CPUStats
	limit := d.cfg.Memory
	if c.HostConfig.Memory > 0 {
		limit = min(limit, uint64(c.HostConfig.Memory))
	}
	s.MemoryStats = container.MemoryStats{Usage: c.Memory + u.File, Limit: limit, Stats: map[string]uint64{
		"anon": c.Memory, "file": u.File, "active_anon": 0, "inactive_anon": c.Memory, "active_file": u.File / 3, "inactive_file": u.File - u.File/3,
		"unevictable": 0, "pgfault": c.Memory / 4096, "pgmajfault": 12, "file_mapped": u.File / 8, "file_dirty": 0, "file_writeback": 0,
		"kernel_stack": 16384 * max(u.Processes, 1), "shmem": 0, "slab": c.Memory / 200, "sock": 0, "thp_fault_alloc": 0,
	}}
	if len(c.Networks) > 0 {
		s.Networks = map[string]container.NetworkStats{"eth0": {
			RxBytes: u.Received, RxPackets: u.Received / packet, TxBytes: u.Sent, TxPackets: u.Sent / packet,
		}}
	}
	entry := func(operation string, value uint64) container.BlkioStatEntry {
		return container.BlkioStatEntry{Major: blockMajor, Minor: blockMinor, Op: operation, Value: value}
	}
	s.BlkioStats.IoServiceBytesRecursive = []container.BlkioStatEntry{entry("read", u.Read), entry("write", u.Written)}
	s.PidsStats = container.PidsStats{Current: max(u.Processes, 1), Limit: 1 << 20}
}

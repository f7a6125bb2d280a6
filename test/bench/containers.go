//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// compose returns n containers as compose makes them, a tenth of them vLLM servers.
func compose(n int) []simulator.DockerContainer {
	all := make([]simulator.DockerContainer, n)
	for i := range all {
		service := fmt.Sprintf("service-%d", i)
		c := simulator.DockerContainer{
			Name: "stack-" + service + "-1", Image: fmt.Sprintf("registry.example.org/team/service-%d:v1.2.%d", i%50, i%7), Pid: 1 << 22,
			Labels: map[string]string{
				"com.docker.compose.project": "stack", "com.docker.compose.service": service,
				"com.docker.compose.config-hash": simulator.DockerID(service), "com.docker.compose.container-number": "1",
				"com.docker.compose.oneoff": "False", "com.docker.compose.version": "2.39.1",
				"org.opencontainers.image.source": "https://example.org/team/service", "maintainer": "team@example.org",
			},
			Env:      []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8", "TZ=UTC", "LOG_LEVEL=info"},
			Cmd:      []string{"/usr/bin/serve", "--listen", ":8080"},
			Networks: []simulator.DockerNetwork{{Name: "stack_default", IP: fmt.Sprintf("172.18.%d.%d", i/250, i%250+2), Aliases: []string{service}}},
			Ports:    []container.Port{{PrivatePort: 8080, Type: "tcp"}},
			Mounts:   []container.MountPoint{{Type: "bind", Source: "/srv/" + service, Destination: "/data", RW: true}},
		}
		c.HostConfig.Memory, c.HostConfig.NanoCPUs = 4<<30, 2e9
		if i%10 == 0 {
			c.Image = "vllm/vllm-openai:v0.11.0"
			c.Env = append(c.Env, "NVIDIA_VISIBLE_DEVICES=all", "CUDA_VERSION=12.9.1")
			c.Cmd = []string{"--model", "org/model", "--served-model-name", service, "--tensor-parallel-size", "2"}
		}
		all[i] = c
	}
	return all
}

// statsOf is what an engine on cgroup v2 says of a container with a disk and a network.
func statsOf(id string, at time.Time) *container.StatsResponse {
	used := uint64(at.UnixNano()) / 100 // so that all counters rise
	cpu := func(used uint64) container.CPUStats {
		return container.CPUStats{
			CPUUsage:    container.CPUUsage{TotalUsage: used, UsageInKernelmode: used / 4, UsageInUsermode: used / 4 * 3},
			SystemUsage: used * 100, OnlineCPUs: 64,
		}
	}
	memory := make(map[string]uint64, len(memoryKeys))
	for i, key := range memoryKeys {
		memory[key] = uint64(i) << 20
	}
	var disk []container.BlkioStatEntry
	for minor := range uint64(2) {
		disk = append(disk, container.BlkioStatEntry{Major: 259, Minor: minor, Op: "read", Value: used}, container.BlkioStatEntry{Major: 259, Minor: minor, Op: "write", Value: used})
	}
	return &container.StatsResponse{
		ID: id, Name: "/" + id[:12], Read: at, PreRead: at.Add(-time.Second),
		CPUStats: cpu(used), PreCPUStats: cpu(used - uint64(time.Second)/100),
		MemoryStats: container.MemoryStats{Usage: 1 << 30, Limit: 4 << 30, Stats: memory},
		PidsStats:   container.PidsStats{Current: 42, Limit: 4096},
		BlkioStats:  container.BlkioStats{IoServiceBytesRecursive: disk},
		Networks: map[string]container.NetworkStats{"eth0": {
			RxBytes: used, RxPackets: used >> 10, TxBytes: used, TxPackets: used >> 10,
		}},
	}
}

// memoryKeys are the lines of a memory.stat that Docker hands on.
var memoryKeys = []string{
	"active_anon", "active_file", "anon", "anon_thp", "file", "file_dirty", "file_mapped", "file_writeback", "inactive_anon", "inactive_file",
	"kernel_stack", "pgactivate", "pgdeactivate", "pgfault", "pglazyfree", "pglazyfreed", "pgmajfault", "pgrefill", "pgscan", "pgsteal", "shmem",
	"slab", "slab_reclaimable", "slab_unreclaimable", "sock", "thp_collapse_alloc", "thp_fault_alloc", "unevictable",
	"workingset_activate", "workingset_nodereclaim", "workingset_refault",
}

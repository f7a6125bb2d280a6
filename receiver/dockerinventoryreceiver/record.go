package dockerinventoryreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

// states and healths are all values of the two state sets: one is 1, the others
// 0, so that a change leaves no old series standing.
var (
	states = []docker.State{
		docker.StateCreated, docker.StateRunning, docker.StatePaused, docker.StateRestarting, docker.StateRemoving,
		docker.StateExited, docker.StateDead,
	}
	healths = []docker.Health{docker.HealthStarting, docker.HealthHealthy, docker.HealthUnhealthy}
)

// recordCondition records how a container is. It is true only while the engine answers.
func recordCondition(mb *metadata.MetricsBuilder, c *docker.Container, now pcommon.Timestamp) {
	for _, state := range states {
		mb.RecordContainerStateDataPoint(now, number01(state == c.State), metadata.MapAttributeContainerState[string(state)])
	}
	if c.Health != "" {
		for _, health := range healths {
			mb.RecordContainerHealthDataPoint(now, number01(health == c.Health), metadata.MapAttributeContainerHealth[string(health)])
		}
	}
	if !c.Started.IsZero() {
		mb.RecordContainerStartedTimeDataPoint(now, unixSeconds(c.Started))
	}
	if ended := !c.Running() && !c.Finished.IsZero(); ended {
		mb.RecordContainerFinishedTimeDataPoint(now, unixSeconds(c.Finished))
		if !c.Partial {
			mb.RecordContainerExitCodeDataPoint(now, int64(c.ExitCode))
		}
	}
	if !c.Partial {
		mb.RecordContainerRestartCountDataPoint(now, int64(c.RestartCount))
		mb.RecordContainerOomKilledDataPoint(now, number01(c.OOMKilled))
	}
}

// recordConfiguration records what a container was made from. It stays true when
// the engine does not answer.
func recordConfiguration(mb *metadata.MetricsBuilder, c *docker.Container, devices []docker.GPU, now pcommon.Timestamp) {
	recordInfo(mb, c, now)
	recordLimits(mb, c.Limits, now)
	recordMounts(mb, c.Mounts, now)
	recordPorts(mb, c.Ports, now)
	recordGPUs(mb, c.GPUs, devices, now)
	recordModels(mb, c, now)
	if !c.Created.IsZero() {
		mb.RecordContainerCreatedTimeDataPoint(now, unixSeconds(c.Created))
	}
}

func recordInfo(mb *metadata.MetricsBuilder, c *docker.Container, now pcommon.Timestamp) {
	var facts []option
	for _, fact := range []struct {
		value string
		with  func(string) option
	}{
		{c.Image.Tag, metadata.WithContainerImageTagMetricAttribute},
		{c.Image.Digest, metadata.WithContainerImageDigestMetricAttribute},
		{c.Image.ID, metadata.WithContainerImageIDMetricAttribute},
		{c.CUDAVersion, metadata.WithContainerCudaVersionMetricAttribute},
		{c.Runtime, metadata.WithContainerOciRuntimeMetricAttribute},
		{c.RestartPolicy, metadata.WithContainerRestartPolicyMetricAttribute},
		{c.NetworkMode, metadata.WithContainerNetworkModeMetricAttribute},
	} {
		if fact.value != "" {
			facts = append(facts, fact.with(fact.value))
		}
	}
	mb.RecordContainerInfoDataPoint(now, 1, c.Image.Name, facts...)
}

// recordLimits records the limits that there are: Docker says 0 or -1 for none.
func recordLimits(mb *metadata.MetricsBuilder, l docker.Limits, now pcommon.Timestamp) {
	if cpus := l.CPUs(); cpus > 0 {
		mb.RecordContainerLimitCPUDataPoint(now, cpus)
	}
	if l.Memory > 0 {
		mb.RecordContainerLimitMemoryDataPoint(now, l.Memory)
	}
	if l.MemoryReservation > 0 {
		mb.RecordContainerLimitMemoryReservationDataPoint(now, l.MemoryReservation)
	}
	if l.Pids > 0 {
		mb.RecordContainerLimitPidsDataPoint(now, l.Pids)
	}
}

func recordMounts(mb *metadata.MetricsBuilder, mounts []docker.Mount, now pcommon.Timestamp) {
	count := make(map[string]int64)
	for i := range mounts {
		m := &mounts[i]
		count[m.Type]++
		mode := metadata.AttributeContainerMountModeRo
		if m.ReadWrite {
			mode = metadata.AttributeContainerMountModeRw
		}
		source := m.Source
		if m.Name != "" {
			source = m.Name
		}
		var options []option
		if source != "" {
			options = append(options, metadata.WithContainerMountSourceMetricAttribute(source))
		}
		mb.RecordContainerMountInfoDataPoint(now, 1, m.Type, m.Destination, mode, options...)
	}
	for kind, n := range count {
		mb.RecordContainerMountsDataPoint(now, n, kind)
	}
}

func recordPorts(mb *metadata.MetricsBuilder, ports []docker.Port, now pcommon.Timestamp) {
	for _, p := range ports {
		if p.Host != 0 {
			mb.RecordContainerPortInfoDataPoint(now, 1, int64(p.Container), p.Protocol, p.HostIP, int64(p.Host))
		}
	}
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

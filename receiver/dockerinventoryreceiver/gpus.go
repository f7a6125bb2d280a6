package dockerinventoryreceiver

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

// gpuList tells which GPUs the host has.
type gpuList interface {
	// GPUs returns none while they are not known; an assignment then stays as
	// Docker says it.
	GPUs() []docker.GPU
}

// assignedGPU is one GPU that a container may use.
type assignedGPU struct {
	// said is how Docker says it, empty for a GPU that is known.
	said string
	// uuid is empty where it is not known; index is -1 then.
	uuid  string
	index int
}

// uuidLength is that of GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. Docker takes the
// beginning of a UUID too, which names no device for anybody else.
const uuidLength = 40

// assigned lists the GPUs of a container. What is not among the devices, as when
// one fell off the bus, stays as Docker says it.
func assigned(g docker.GPUs, devices []docker.GPU) []assignedGPU {
	var list []assignedGPU
	for _, uuid := range g.Resolve(devices) {
		list = append(list, assignedGPU{uuid: uuid, index: indexOf(uuid, devices)})
	}
	switch {
	case len(g.IDs) > 0:
		for _, id := range g.IDs {
			one := docker.GPUs{IDs: []string{id}, Source: g.Source}
			if len(one.Resolve(devices)) == 0 {
				list = append(list, assignedGPU{said: id, uuid: wholeUUID(id), index: -1})
			}
		}
	case len(devices) > 0:
	case g.All:
		list = append(list, assignedGPU{said: "all", index: -1})
	case g.Count > 0:
		list = append(list, assignedGPU{said: "first-" + strconv.Itoa(g.Count), index: -1})
	}
	return list
}

// indexOf is the index of the GPU that has, or is parted into, the device.
func indexOf(uuid string, devices []docker.GPU) int {
	for i := range devices {
		if devices[i].UUID == uuid || slices.Contains(devices[i].MIGs, uuid) {
			return devices[i].Index
		}
	}
	return -1
}

func wholeUUID(id string) string {
	if len(id) >= uuidLength && (strings.HasPrefix(id, "GPU-") || strings.HasPrefix(id, "MIG-")) {
		return id
	}
	return ""
}

// recordGPUs records which GPUs a container may use.
func recordGPUs(mb *metadata.MetricsBuilder, g docker.GPUs, devices []docker.GPU, now pcommon.Timestamp) {
	source := metadata.MapAttributeContainerGpuSource[string(g.Source)]
	for _, gpu := range assigned(g, devices) {
		var options []metadata.MetricAttributeOption
		if gpu.said != "" {
			options = append(options, metadata.WithContainerGpuIDMetricAttribute(gpu.said))
		}
		if gpu.index >= 0 {
			options = append(options, metadata.WithHwGpuIndexMetricAttribute(int64(gpu.index)))
		}
		if gpu.uuid != "" {
			options = append(options, metadata.WithHwIDMetricAttribute(gpu.uuid))
		}
		mb.RecordContainerGpuAssignedDataPoint(now, 1, source, options...)
	}
}

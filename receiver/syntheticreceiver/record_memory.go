package syntheticreceiver

import "github.com/otelcol-llm/otelcol-llm/internal/simulator/site"

func recordMemory(s *scopeRecorder, h *site.Host) {
	s.level("system.memory.limit", "By", "Total bytes of memory available.").count(int64(h.MemoryTotal))
	usage := s.level("system.memory.usage", "By", "Bytes of memory in use.")
	shares := s.gauge("system.memory.utilization", "1", "Percentage of memory bytes in use.")
	for _, state := range []struct {
		name  string
		value uint64
	}{
		{"buffered", h.MemoryBuffered},
		{"cached", h.MemoryCached},
		{"free", h.MemoryFree},
		{"slab_reclaimable", h.MemorySlabReclaimable},
		{"slab_unreclaimable", h.MemorySlabUnreclaimable},
		{"used", h.MemoryUsed},
	} {
		usage.count(int64(state.value), "state", state.name)
		shares.value(float64(state.value)/float64(h.MemoryTotal), "state", state.name)
	}
}

func recordPaging(s *scopeRecorder, h *site.Host) {
	faults := s.counter("system.paging.faults", "{faults}", "The number of page faults.")
	faults.count(h.PageFaultsMajor, "type", "major")
	faults.count(h.PageFaultsMinor, "type", "minor")
	operations := s.counter("system.paging.operations", "{operations}", "The number of paging operations.")
	for _, kind := range []string{"major", "minor"} {
		for _, direction := range []string{"page_in", "page_out"} {
			operations.count(0, "type", kind, "direction", direction)
		}
	}
	usage := s.level("system.paging.usage", "By", "Swap (unix) or pagefile (windows) usage.")
	shares := s.gauge("system.paging.utilization", "1", "Swap (unix) or pagefile (windows) utilization.")
	const device = "/dev/nvme0n1p3"
	used := int64(h.SwapUsed)
	for _, state := range []struct {
		name  string
		value int64
	}{{"used", used}, {"free", int64(h.SwapTotal) - used}} {
		usage.count(state.value, "device", device, "state", state.name)
		shares.value(float64(state.value)/float64(h.SwapTotal), "device", device, "state", state.name)
	}
}

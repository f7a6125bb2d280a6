package nvmlreceiver

import (
	"strconv"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// profiler reads the profiling metrics of a GPU or MIG device, over the time
// since the last scrape.
type profiler struct {
	gpm nvml.GPM
	// unsupported are the metrics that it does not have, or the call to open it.
	unsupported map[string]bool
}

func (p *profiler) close() {
	if p.gpm != nil {
		_ = p.gpm.Close() // it is of no more use, whether that works or not
		p.gpm = nil
	}
}

var pipes = []struct {
	metric    nvml.GPMMetric
	attribute metadata.AttributeHwGpuPipe
}{
	{nvml.GPMTensor, metadata.AttributeHwGpuPipeTensor},
	{nvml.GPMTensorDFMA, metadata.AttributeHwGpuPipeTensorDfma},
	{nvml.GPMTensorHMMA, metadata.AttributeHwGpuPipeTensorHmma},
	{nvml.GPMTensorDMMA, metadata.AttributeHwGpuPipeTensorDmma},
	{nvml.GPMTensorIMMA, metadata.AttributeHwGpuPipeTensorImma},
	{nvml.GPMFP64, metadata.AttributeHwGpuPipeFp64},
	{nvml.GPMFP32, metadata.AttributeHwGpuPipeFp32},
	{nvml.GPMFP16, metadata.AttributeHwGpuPipeFp16},
	{nvml.GPMInteger, metadata.AttributeHwGpuPipeInt},
}

// wantedProfile are the profiling metrics that some metric needs. Links are only
// those of whole GPUs.
func (r *reader) wantedProfile(p *profiler, links bool) []nvml.GPMMetric {
	var wanted []nvml.GPMMetric
	add := func(on bool, metric nvml.GPMMetric) {
		if on && !p.unsupported[gpmCall(metric)] {
			wanted = append(wanted, metric)
		}
	}
	add(r.cfg.HwGpuGraphicsActivity.Enabled, nvml.GPMGraphicsActive)
	add(r.cfg.HwGpuSmActivity.Enabled, nvml.GPMSMActive)
	add(r.cfg.HwGpuSmOccupancy.Enabled, nvml.GPMSMOccupancy)
	for _, pipe := range pipes {
		add(r.cfg.HwGpuPipeActivity.Enabled, pipe.metric)
	}
	add(r.cfg.HwGpuMemoryBandwidthUtilization.Enabled, nvml.GPMDRAMBandwidth)
	add(links && r.cfg.HwGpuPcieThroughput.Enabled, nvml.GPMPCIeTransmit)
	add(links && r.cfg.HwGpuPcieThroughput.Enabled, nvml.GPMPCIeReceive)
	add(links && r.cfg.HwGpuNvlinkThroughput.Enabled, nvml.GPMNVLinkTransmit)
	add(links && r.cfg.HwGpuNvlinkThroughput.Enabled, nvml.GPMNVLinkReceive)
	return wanted
}

func gpmCall(metric nvml.GPMMetric) string { return "GPM " + strconv.Itoa(int(metric)) }

// recordProfile reads and records the profiling metrics. The first time there is
// nothing to compare with.
func (r *reader) recordProfile(p *profiler, of nvml.Partition) {
	if p.unsupported == nil {
		p.unsupported = make(map[string]bool)
	}
	_, whole := of.(nvml.Device)
	wanted := r.wantedProfile(p, whole)
	if len(wanted) == 0 {
		return
	}
	if p.gpm == nil {
		gpm, ok := askProfiler(r, p, "NewGPM", of.NewGPM)
		if !ok {
			return
		}
		p.gpm = gpm
	}
	values, ok := askProfiler(r, p, "GPM", func() (nvml.GPMReading, error) { return p.gpm.Read(wanted) })
	if !ok {
		return
	}
	for _, v := range values.Values {
		if _, ok := askProfiler(r, p, gpmCall(v.Metric), func() (float64, error) { return v.Value, v.Err }); ok {
			r.recordProfiled(v)
		}
	}
}

// askProfiler is ask with a memory of its own: MIG devices differ from their GPU.
func askProfiler[T any](r *reader, p *profiler, call string, read func() (T, error)) (T, bool) {
	if p.unsupported[call] {
		var none T
		return none, false
	}
	v, ok := ask(r, call, read)
	if r.unsupported[call] {
		delete(r.unsupported, call)
		p.unsupported[call] = true
	}
	return v, ok
}

func (r *reader) recordProfiled(v nvml.GPMValue) {
	switch v.Metric {
	case nvml.GPMGraphicsActive:
		r.mb.RecordHwGpuGraphicsActivityDataPoint(r.now, v.Value)
	case nvml.GPMSMActive:
		r.mb.RecordHwGpuSmActivityDataPoint(r.now, v.Value)
	case nvml.GPMSMOccupancy:
		r.mb.RecordHwGpuSmOccupancyDataPoint(r.now, v.Value)
	case nvml.GPMDRAMBandwidth:
		r.mb.RecordHwGpuMemoryBandwidthUtilizationDataPoint(r.now, v.Value)
	case nvml.GPMPCIeTransmit:
		r.mb.RecordHwGpuPcieThroughputDataPoint(r.now, v.Value, transmit)
	case nvml.GPMPCIeReceive:
		r.mb.RecordHwGpuPcieThroughputDataPoint(r.now, v.Value, receive)
	case nvml.GPMNVLinkTransmit:
		r.mb.RecordHwGpuNvlinkThroughputDataPoint(r.now, v.Value, transmit)
	case nvml.GPMNVLinkReceive:
		r.mb.RecordHwGpuNvlinkThroughputDataPoint(r.now, v.Value, receive)
	default:
		for _, pipe := range pipes {
			if pipe.metric == v.Metric {
				r.mb.RecordHwGpuPipeActivityDataPoint(r.now, v.Value, pipe.attribute)
			}
		}
	}
}

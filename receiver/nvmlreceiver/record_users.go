package nvmlreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// maxWorkloads bounds how many workloads of one GPU are told apart: programs
// beyond it count together as otherPrograms.
const (
	maxWorkloads  = 128
	otherPrograms = "other"
)

// usage is what one workload has of a GPU.
type usage struct {
	workload
	claim
	hasMemory bool
}

// attribution is who uses the GPUs, as of one scrape.
type attribution struct {
	// processes counts those that the driver names, resolved those found.
	processes, resolved int
	// models counts the GPUs of each model.
	models map[workload]int64
	order  []workload
}

// foreign says that the driver names processes by ids that mean nothing here.
func (a *attribution) foreign() bool { return a.processes > 0 && a.resolved == 0 }

func (a *attribution) countGPU(w workload) {
	if a.models == nil {
		a.models = make(map[workload]int64)
	}
	if a.models[w] == 0 {
		a.order = append(a.order, w)
	}
	a.models[w]++
}

// recordUsers records who uses a GPU or MIG device.
func (s *nvmlScraper) recordUsers(u *users, a *attribution, now pcommon.Timestamp) {
	usages := s.usages(u, a, now)
	claims := make([]claim, len(usages))
	for i, use := range usages {
		claims[i] = use.claim
		options := use.attributes(true)
		if use.hasMemory {
			s.mb.RecordHwGpuContainerMemoryUsageDataPoint(now, use.memory, options...)
		}
		if u.measured {
			s.mb.RecordHwGpuContainerUtilizationDataPoint(now, min(use.busy, 1), options...)
		}
	}
	for i, share := range split(claims) {
		if w := usages[i].workload; w.model != "" {
			s.mb.RecordLlmModelGpuDataPoint(now, share, w.attributes(false)...)
			a.countGPU(w)
		}
	}
}

// usages sums the processes of each workload up, and records the processes.
func (s *nvmlScraper) usages(u *users, a *attribution, now pcommon.Timestamp) []usage {
	var usages []usage
	index := make(map[workload]int)
	for _, p := range u.processes {
		w, found := s.resolver.resolve(p.pid)
		if !s.cfg.Attribution.ContainerID {
			w.containerID = ""
		}
		if found || !s.cfg.Attribution.Enabled {
			s.recordProcess(&p, w, now)
		}
		a.processes++
		if !found {
			continue // it ended since, or cannot be found at all
		}
		a.resolved++
		if _, known := index[w]; !known && w.program != "" && len(usages) >= maxWorkloads {
			w.program = otherPrograms
		}
		i, known := index[w]
		if !known {
			i = len(usages)
			index[w] = i
			usages = append(usages, usage{workload: w})
		}
		if p.memory != nil {
			usages[i].memory += *p.memory
			usages[i].hasMemory = true
		}
		if p.sample != nil {
			usages[i].busy += p.sample.SM
		}
	}
	return usages
}

func (s *nvmlScraper) recordProcess(p *process, w workload, now pcommon.Timestamp) {
	options := w.attributes(true)
	if p.memory != nil {
		s.mb.RecordHwGpuProcessMemoryUsageDataPoint(now, *p.memory, int64(p.pid), options...)
	}
	if p.sample != nil {
		for _, part := range []struct {
			ratio float64
			task  metadata.AttributeProcessTask
		}{
			{p.sample.SM, metadata.AttributeProcessTaskSm},
			{p.sample.Memory, metadata.AttributeProcessTaskMemory},
			{p.sample.Encoder, metadata.AttributeProcessTaskEncoder},
			{p.sample.Decoder, metadata.AttributeProcessTaskDecoder},
		} {
			s.mb.RecordHwGpuProcessUtilizationDataPoint(now, part.ratio, int64(p.pid), part.task, options...)
		}
	}
}

// recordModels records on how many GPUs each model runs.
func (s *nvmlScraper) recordModels(a *attribution, now pcommon.Timestamp) {
	for _, w := range a.order {
		s.mb.RecordLlmModelGpusDataPoint(now, a.models[w], w.attributes(false)...)
	}
}

// attributes are what is known of a workload; those of models are never programs.
func (w workload) attributes(program bool) []metadata.MetricAttributeOption {
	var options []metadata.MetricAttributeOption
	if w.containerID != "" {
		options = append(options, metadata.WithContainerIDMetricAttribute(w.containerID))
	}
	if w.container != "" {
		options = append(options, metadata.WithContainerNameMetricAttribute(w.container))
	}
	if w.model != "" {
		options = append(options, metadata.WithGenAiRequestModelMetricAttribute(w.model))
	}
	if program && w.program != "" {
		options = append(options, metadata.WithProcessExecutableNameMetricAttribute(w.program))
	}
	return options
}

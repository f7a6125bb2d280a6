package nvmlreceiver

import (
	"slices"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// users are the processes on a GPU or MIG device.
type users struct {
	of identity
	// measured says that it is known for how long each used the GPU.
	measured  bool
	processes []process
}

// process is one user of a GPU.
type process struct {
	pid uint32
	// memory is nil where the driver does not know.
	memory *int64
	// sample is nil where it used nothing since the last scrape.
	sample *nvml.ProcessUtilization
}

// readUsers finds out who uses the GPU.
func (r *reader) readUsers(migs []migDevice) {
	if !r.uses && !r.cfg.HwGpuProcessCount.Enabled && !r.cfg.HwGpuProcessMemoryUsage.Enabled && !r.cfg.HwGpuProcessUtilization.Enabled {
		return
	}
	whole := users{of: r.id}
	list, listed := ask(r, "Processes", r.device.Processes)
	parts := make([]users, len(migs))
	for i := range migs {
		parts[i].of = migs[i].identity
		if !listed { // in MIG mode the list of the whole GPU may need more rights
			own, ok := askMIG(r, migs[i].Processes)
			parts[i].add(own)
			listed = listed || ok && i == len(migs)-1
		}
	}
	count := 0
	for i := range parts {
		count += len(parts[i].processes)
	}
	for _, p := range list {
		count++
		partOf(&whole, parts, p).add([]nvml.Process{p})
	}
	if listed {
		r.mb.RecordHwGpuProcessCountDataPoint(r.now, int64(count))
	}
	if !r.shape.enabled {
		r.measure(&whole)
	}
	r.users = slices.Concat(parts, []users{whole})
}

// partOf is the MIG device that a process runs on, or the whole GPU.
func partOf(whole *users, parts []users, p nvml.Process) *users {
	if p.InMIG {
		for i := range parts {
			if mig := parts[i].of.mig; mig.instance == p.GPUInstanceID && mig.compute == p.ComputeInstanceID {
				return &parts[i]
			}
		}
	}
	return whole
}

func (u *users) add(list []nvml.Process) {
	for _, p := range list {
		one := process{pid: p.PID}
		if p.HasMemory {
			memory := asInt64(p.Memory)
			one.memory = &memory
		}
		u.processes = append(u.processes, one)
	}
}

// measure adds for how long each process used the GPU since the last scrape. The
// first time it only finds out how new the samples are: some may be minutes old.
func (r *reader) measure(u *users) {
	type utilization struct {
		samples []nvml.ProcessUtilization
		newest  uint64
	}
	got, ok := ask(r, "ProcessUtilization", func() (utilization, error) {
		samples, newest, err := r.device.ProcessUtilization(r.since)
		return utilization{samples, newest}, err
	})
	if !ok {
		return
	}
	r.since = max(r.since, got.newest)
	if !r.primed {
		r.primed = true
		return
	}
	u.measured = true
samples:
	for i := range got.samples {
		sample := &got.samples[i]
		for j := range u.processes {
			if u.processes[j].pid == sample.PID {
				u.processes[j].sample = sample
				continue samples
			}
		}
		u.processes = append(u.processes, process{pid: sample.PID, sample: sample})
	}
}

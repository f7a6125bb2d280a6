package nvmlreceiver

import (
	"maps"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// migShape is whether a GPU is cut, and into how many pieces. It decides what the
// GPU supports.
type migShape struct {
	enabled bool
	devices int
}

// migDevice is one that exists now.
type migDevice struct {
	nvml.MIGDevice
	identity identity
	// first says that its memory is to be counted here: compute instances of one
	// GPU instance share the memory, and each reports all of it.
	first bool
}

// readMIG lists the MIG devices, anew each time: they come and go, and their ids
// are used again.
func (r *reader) readMIG() []migDevice {
	mode, ok := ask(r, "MIGMode", r.device.MIGMode)
	if !ok {
		return nil
	}
	r.mb.RecordHwGpuMigEnabledDataPoint(r.now, boolean(mode.Enabled))
	r.mb.RecordHwGpuMigPendingDataPoint(r.now, boolean(mode.Pending))
	var list []nvml.MIGDevice
	if mode.Enabled {
		list, _ = ask(r, "MIGDevices", r.device.MIGDevices)
	}
	if shape := (migShape{mode.Enabled, len(list)}); shape != r.shape {
		r.shape = shape
		clear(r.unsupported)
		clear(r.gpm.unsupported)
	}
	var devices []migDevice
	seen := make(map[uint32]bool)
	for _, device := range list {
		d, ok := r.identifyMIG(device)
		if !ok {
			continue // it was destroyed just now
		}
		d.first = !seen[d.identity.mig.instance]
		seen[d.identity.mig.instance] = true
		devices = append(devices, d)
	}
	r.forgetMIGs(devices)
	return devices
}

func (r *reader) identifyMIG(device nvml.MIGDevice) (migDevice, bool) {
	uuid, ok1 := askMIG(r, device.UUID)
	name, ok2 := askMIG(r, device.Name)
	instance, ok3 := askMIG(r, device.GPUInstanceID)
	compute, ok4 := askMIG(r, device.ComputeInstanceID)
	id := r.id
	id.uuid, id.model = uuid, name
	id.mig = &migIdentity{parent: r.id.uuid, slot: device.Slot(), profile: profileOf(name), instance: instance, compute: compute}
	return migDevice{MIGDevice: device, identity: id}, ok1 && ok2 && ok3 && ok4
}

// askMIG asks a MIG device. It may be destroyed at any time, so that an error
// says little: it counts only if it concerns the whole GPU.
func askMIG[T any](r *reader, read func() (T, error)) (T, bool) {
	var none T
	if r.lost != nil || r.broken != nil {
		return none, false
	}
	v, err := read()
	if nvml.IsLost(err) || (nvml.IsLibrary(err) && nvml.CodeOf(err) != nvml.CodeUnknown) {
		return none, r.note("MIG", err)
	}
	return v, err == nil
}

// forgetMIGs frees the profilers of MIG devices that are gone.
func (r *reader) forgetMIGs(devices []migDevice) {
	there := make(map[string]bool, len(devices))
	for i := range devices {
		there[devices[i].identity.uuid] = true
	}
	maps.DeleteFunc(r.migs, func(uuid string, p *profiler) bool {
		if !there[uuid] {
			p.close()
		}
		return !there[uuid]
	})
}

// recordMIGs records what MIG devices tell, each under its own resource. Power,
// temperature and clocks are only those of the whole GPU.
func (r *reader) recordMIGs(devices []migDevice) {
	for i := range devices {
		d := &devices[i]
		if d.first && r.wantsMemory() {
			if m, ok := askMIG(r, d.Memory); ok {
				r.recordMemoryOf(m)
			}
		}
		if r.cfg.HwErrors.Enabled {
			if n, ok := askMIG(r, func() (uint64, error) {
				return d.MemoryErrors(nvml.ECCUncorrected, nvml.ECCVolatile, nvml.MemorySRAM)
			}); ok {
				r.mb.RecordHwErrorsDataPoint(r.now, asInt64(n), "uncorrected", metadata.AttributeHwGpuEccLocationSram)
			}
		}
		if r.cfg.HwGpuMigMultiprocessors.Enabled {
			if a, ok := askMIG(r, d.Attributes); ok {
				r.mb.RecordHwGpuMigMultiprocessorsDataPoint(r.now, int64(a.Multiprocessors))
			}
		}
		p := r.migs[d.identity.uuid]
		if p == nil {
			p = &profiler{}
			r.migs[d.identity.uuid] = p
		}
		r.recordProfile(p, d.MIGDevice)
		r.emit(&d.identity)
	}
}

//go:build linux && cgo

package nvml

import gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"

// migDevice is MIGDevice.
type migDevice struct {
	partition
	parent *device
	slot   int
}

// MIGMode implements Device.
func (d *device) MIGMode() (MIGMode, error) {
	return get(&d.partition, symMIGMode, func() (MIGMode, gonvml.Return) {
		current, pending, ret := d.handle.GetMigMode()
		return MIGMode{Enabled: current != 0, Pending: pending != 0}, ret
	})
}

// MIGDevices implements Device.
func (d *device) MIGDevices() ([]MIGDevice, error) {
	slots, err := get(&d.partition, symMaxMIGDeviceCount, d.handle.GetMaxMigDeviceCount)
	if err != nil {
		return nil, err
	}
	var devices []MIGDevice
	for slot := range slots {
		handle, err := get(&d.partition, symMIGDeviceByIndex, func() (gonvml.Device, gonvml.Return) {
			return d.handle.GetMigDeviceHandleByIndex(slot)
		})
		switch CodeOf(err) {
		case CodeSuccess:
			devices = append(devices, &migDevice{
				partition: partition{a: d.a, generation: d.generation, handle: handle}, parent: d, slot: slot,
			})
		case CodeNotFound, CodeNotSupported: // an empty slot; slots may be filled behind it
		default:
			return nil, err
		}
	}
	return devices, nil
}

// Slot implements MIGDevice.
func (m *migDevice) Slot() int { return m.slot }

// GPUInstanceID implements MIGDevice.
func (m *migDevice) GPUInstanceID() (uint32, error) {
	id, err := get(&m.partition, symGPUInstanceID, m.handle.GetGpuInstanceId)
	return uint32(id), err
}

// ComputeInstanceID implements MIGDevice.
func (m *migDevice) ComputeInstanceID() (uint32, error) {
	id, err := get(&m.partition, symComputeInstanceID, m.handle.GetComputeInstanceId)
	return uint32(id), err
}

// Attributes implements MIGDevice.
func (m *migDevice) Attributes() (MIGAttributes, error) {
	a, err := get(&m.partition, symAttributes, m.handle.GetAttributes)
	return MIGAttributes{
		Multiprocessors:       int(a.MultiprocessorCount),
		CopyEngines:           int(a.SharedCopyEngineCount),
		Decoders:              int(a.SharedDecoderCount),
		Encoders:              int(a.SharedEncoderCount),
		JPEG:                  int(a.SharedJpegCount),
		OFA:                   int(a.SharedOfaCount),
		GPUInstanceSlices:     int(a.GpuInstanceSliceCount),
		ComputeInstanceSlices: int(a.ComputeInstanceSliceCount),
		MemorySize:            a.MemorySizeMB << 20,
	}, err
}

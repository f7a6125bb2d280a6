//go:build linux && cgo

package nvml

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The layout is that of the captured H200, with two empty slots.
func TestMIG(t *testing.T) {
	a := start(t, "mig 0", "load", "process 0 compute 12249 2300575744 2 1", "process 0 compute 1 5 3 0",
		"value nvmlDeviceGetMemoryErrorCounter 1 2 3 4 10")
	d := gpu(t, a, 0)
	mode, err := d.MIGMode()
	require.NoError(t, err)
	assert.Equal(t, MIGMode{Enabled: true, Pending: true}, mode)

	all, err := d.MIGDevices()
	require.NoError(t, err)
	require.Len(t, all, 5)
	slots, names, sms := []int{}, []string{}, 0
	for _, m := range all {
		slots = append(slots, m.Slot())
		name, err := m.Name()
		require.NoError(t, err)
		names = append(names, name)
		share, err := m.Attributes()
		require.NoError(t, err)
		sms += share.Multiprocessors
	}
	assert.Equal(t, []int{0, 2, 3, 4, 6}, slots, "empty slots do not end the search")
	assert.Equal(t, []string{
		"NVIDIA H200 MIG 1c.3g.71gb", "NVIDIA H200 MIG 2c.3g.71gb", "NVIDIA H200 MIG 2g.35gb", "NVIDIA H200 MIG 1g.18gb", "NVIDIA H200 MIG 1g.18gb",
	}, names)
	assert.Equal(t, 112, sms)

	second := all[1]
	check(t, []reading{
		read("UUID", "MIG-00000000-0000-0000-0000-000000000002", second.UUID),
		read("GPUInstanceID", uint32(2), second.GPUInstanceID),
		read("ComputeInstanceID", uint32(1), second.ComputeInstanceID),
		read("Attributes", MIGAttributes{32, 3, 3, 0, 3, 0, 3, 2, 71424 * mib}, second.Attributes),
		read("Memory", Memory{71424 * mib, 16925 * mib, (71424 - 16925) * mib, 0, true}, second.Memory),
		read("Processes", []Process{{
			PID: 12249, Memory: 2300575744, HasMemory: true, Compute: true, InMIG: true, GPUInstanceID: 2, ComputeInstanceID: 1,
		}}, second.Processes),
	})
	first, err := all[0].Memory()
	require.NoError(t, err)
	assert.Equal(t, uint64(16925*mib), first.Used, "the GPU instance's, by both")
	n, err := second.MemoryErrors(ECCUncorrected, ECCVolatile, MemorySRAM)
	require.NoError(t, err)
	assert.Equal(t, uint64(4), n)
	_, err = second.MemoryErrors(ECCCorrected, ECCVolatile, MemorySRAM)
	assert.Equal(t, CodeNotSupported, err)

	on, err := d.Processes()
	require.NoError(t, err)
	assert.Len(t, on, 2)
	assert.Equal(t, uint32(3), on[0].GPUInstanceID)

	_, err = d.Utilization()
	assert.True(t, IsUnsupported(err))
	_, _, err = d.ProcessUtilization(0)
	assert.True(t, IsUnsupported(err))
	_, err = d.RemappedRows()
	assert.True(t, IsUnsupported(err))
	_, err = d.Power()
	assert.NoError(t, err)
}

func TestMIGDevicesFail(t *testing.T) {
	a := start(t, "mig 0", "fail nvmlDeviceGetMigDeviceHandleByIndex 15")
	d := gpu(t, a, 0)
	_, err := d.MIGDevices()
	assert.Equal(t, CodeGPUIsLost, err)
	driver.Set(t, "fail nvmlDeviceGetMaxMigDeviceCount 3")
	_, err = d.MIGDevices()
	assert.True(t, IsUnsupported(err))
}

func TestInstance(t *testing.T) {
	for _, tt := range []struct {
		gpu, compute        uint32
		in                  bool
		gpuWant, computeWnt uint32
	}{
		{noInstance, noInstance, false, 0, 0},
		{noInstance, 3, false, 0, 0},
		{2, noInstance, true, 2, 0},
		{2, 1, true, 2, 1},
		{0, 0, true, 0, 0},
	} {
		in, g, c := instance(tt.gpu, tt.compute)
		assert.Equal(t, tt.in, in)
		assert.Equal(t, tt.gpuWant, g)
		assert.Equal(t, tt.computeWnt, c)
	}
}

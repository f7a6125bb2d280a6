//go:build linux && cgo

package nvml

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcesses(t *testing.T) {
	a := start(t,
		"process 0 compute 12267 14182383616",
		"process 0 compute 300 2000",
		"process 0 mps 300 3000",
		"process 0 mps 200 -",
		"process 0 graphics 200 50",
		"process 0 graphics 12267 14182383616",
		"process 0 compute 100 -",
		"process 0 compute 101 0",
		"process 1 compute 999 1",
	)
	got, err := gpu(t, a, 0).Processes()
	require.NoError(t, err)
	assert.Equal(t, []Process{
		{PID: 100, Compute: true},
		{PID: 101, Compute: true, HasMemory: true},
		{PID: 200, Memory: 50, HasMemory: true, MPS: true, Graphics: true},
		{PID: 300, Memory: 3000, HasMemory: true, Compute: true, MPS: true},
		{PID: 12267, Memory: 14182383616, HasMemory: true, Compute: true, Graphics: true},
	}, got)
}

func TestProcessesInPart(t *testing.T) {
	a := start(t, "process 0 compute 7 1000", "fail nvmlDeviceGetGraphicsRunningProcesses_v3 3", "fail nvmlDeviceGetMPSComputeRunningProcesses_v3 6")
	d := gpu(t, a, 0)
	got, err := d.Processes()
	require.NoError(t, err, "lists that do not exist are no error")
	assert.Equal(t, []Process{{PID: 7, Memory: 1000, HasMemory: true, Compute: true}}, got)

	driver.Set(t, "fail nvmlDeviceGetGraphicsRunningProcesses_v3 4")
	_, err = d.Processes()
	assert.Equal(t, CodeNoPermission, err)
}

func TestProcessListGrows(t *testing.T) {
	a := start(t, "process 0 compute 7 1000", "list-grows")
	d := gpu(t, a, 0)
	got, err := d.Processes()
	assert.Equal(t, CodeInsufficientSize, err, "go-nvml panics")
	assert.Nil(t, got)

	driver.Set(t, "usage 0 7 100 1 1 1 1", "list-grows")
	_, newest, err := d.ProcessUtilization(3)
	assert.Equal(t, CodeInsufficientSize, err)
	assert.Equal(t, uint64(3), newest)

	_, err = d.Power()
	assert.NoError(t, err)
	require.NoError(t, a.Shutdown(t.Context()), "the panic left no call behind")
}

func TestProcessUtilization(t *testing.T) {
	a := start(t,
		"usage 0 12267 1000 99 41 0 0",
		"usage 0 12267 3000 98 40 1 2",
		"usage 0 12267 2000 97 39 0 0",
		"usage 0 0 9000 5 5 5 5",
		"usage 0 555 9001 4294967295 0 0 0",
		"usage 0 556 9002 0 0 0 101",
		"usage 0 300 2500 0 0 0 0",
		"usage 1 4 1 1 1 1 1",
	)
	d := gpu(t, a, 0)
	got, newest, err := d.ProcessUtilization(0)
	require.NoError(t, err)
	assert.Equal(t, []ProcessUtilization{
		{PID: 12267, Timestamp: 3000, SM: 0.98, Memory: 0.4, Encoder: 0.01, Decoder: 0.02},
		{PID: 300, Timestamp: 2500},
	}, got)
	assert.Equal(t, uint64(3000), newest, "not that of what was dropped")

	got, again, err := d.ProcessUtilization(newest)
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Equal(t, newest, again)

	driver.Set(t)
	got, again, err = d.ProcessUtilization(newest)
	require.NoError(t, err, "NOT_FOUND is nothing that ran")
	assert.Empty(t, got)
	assert.Equal(t, newest, again)

	driver.Set(t, "usage 0 7 5000 1 1 1 1", "usage-goes")
	_, again, err = d.ProcessUtilization(newest)
	require.NoError(t, err)
	assert.Equal(t, newest, again)

	driver.Set(t, "fail nvmlDeviceGetProcessUtilization 4")
	_, again, err = d.ProcessUtilization(newest)
	assert.Equal(t, CodeNoPermission, err)
	assert.Equal(t, newest, again)
}

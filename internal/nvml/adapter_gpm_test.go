//go:build linux && cgo

package nvml

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startAt is start with a clock that only moves when told to, which the driver
// cannot see.
func startAt(t *testing.T, lines ...string) (*adapter, *time.Time) {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := start(t, append(lines, "any-window")...)
	a.now = func() time.Time { return now }
	return a, &now
}

func openGPM(t *testing.T, from Partition) GPM {
	t.Helper()
	g, err := from.NewGPM()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, g.Close()) })
	return g
}

func TestGPM(t *testing.T) {
	a, now := startAt(t, "load", "gpm 0 3 error 4", "gpm 0 4 nan", "gpm 0 60 1.5")
	g := openGPM(t, gpu(t, a, 0))
	opened := *now
	metrics := []GPMMetric{GPMTensor, GPMSMActive, GPMSMOccupancy, GPMInteger, GPMPCIeTransmit, GPMNVLinkReceive, 97, 98}
	_, err := g.Read(metrics)
	assert.Equal(t, CodeNoData, err, "no window yet")

	*now = now.Add(30 * time.Second)
	r, err := g.Read(metrics)
	require.NoError(t, err)
	assert.Equal(t, GPMReading{Start: opened, End: *now, Values: []GPMValue{
		{GPMTensor, 0.25, nil},
		{GPMSMActive, 0.1, nil},
		{GPMSMOccupancy, 0, CodeNoPermission},
		{GPMInteger, 0, CodeNoData},
		{GPMPCIeTransmit, 20 * mib, nil},
		{GPMNVLinkReceive, 1.5 * mib, nil},
		{97, 97 * mib, nil},
		{98, 0, CodeNotSupported},
	}}, r)
	r, err = g.Read(nil)
	require.NoError(t, err)
	assert.Empty(t, r.Values)
	_, err = g.Read(make([]GPMMetric, 1000))
	assert.Equal(t, CodeInvalidArgument, err)
}

// Below 100 ms the window stands, beyond five minutes it begins anew.
func TestGPMWindow(t *testing.T) {
	a, now := startAt(t)
	g := openGPM(t, gpu(t, a, 0))
	opened := *now
	read := func() GPMReading {
		t.Helper()
		r, err := g.Read([]GPMMetric{GPMSMActive})
		require.NoError(t, err)
		return r
	}
	*now = now.Add(99 * time.Millisecond)
	_, err := g.Read([]GPMMetric{GPMSMActive})
	assert.Equal(t, CodeNoData, err)
	*now = now.Add(time.Millisecond)
	first := *now
	r := read()
	assert.Equal(t, opened, r.Start)
	assert.Equal(t, first, r.End)

	*now = now.Add(50 * time.Millisecond)
	assert.Equal(t, r, read())

	*now = now.Add(time.Minute)
	r = read()
	assert.Equal(t, first, r.Start)
	assert.Equal(t, *now, r.End)

	*now = now.Add(5*time.Minute + 1)
	_, err = g.Read([]GPMMetric{GPMSMActive})
	assert.Equal(t, CodeNoData, err)
	again := *now
	*now = now.Add(time.Minute)
	assert.Equal(t, again, read().Start)
}

// The driver aborts on samples of less than 100 ms apart.
func TestGPMWithRealClock(t *testing.T) {
	a := start(t)
	g := openGPM(t, gpu(t, a, 0))
	readings := 0
	require.Eventually(t, func() bool {
		r, err := g.Read([]GPMMetric{GPMSMActive})
		if err == nil {
			readings++
			assert.GreaterOrEqual(t, r.End.Sub(r.Start), 100*time.Millisecond)
		}
		return readings > 20
	}, 10*time.Second, 15*time.Millisecond)
}

func TestGPMSampleFails(t *testing.T) {
	a, now := startAt(t)
	g := openGPM(t, gpu(t, a, 0))
	step := func(lines ...string) (GPMReading, error) {
		t.Helper()
		driver.Set(t, append(lines, "any-window")...)
		*now = now.Add(time.Minute)
		return g.Read([]GPMMetric{GPMSMActive})
	}
	_, err := step()
	require.NoError(t, err)
	last := *now
	_, err = step("fail nvmlGpmSampleGet 999")
	assert.Equal(t, CodeUnknown, err)
	r, err := step()
	require.NoError(t, err)
	assert.Equal(t, last, r.Start, "the good sample was kept")
	_, err = step("fail nvmlGpmMetricsGet 4")
	assert.Equal(t, CodeNoPermission, err)

	*now = now.Add(time.Hour)
	_, err = step("fail nvmlGpmSampleGet 3")
	assert.Equal(t, CodeNotSupported, err)
	_, err = step()
	assert.Equal(t, CodeNoData, err)
	_, err = step()
	assert.NoError(t, err)
}

func TestNewGPMFails(t *testing.T) {
	a := start(t)
	d := gpu(t, a, 0)
	for line, want := range map[string]Code{
		"value nvmlGpmQueryDeviceSupport 0": CodeNotSupported,
		"fail nvmlGpmQueryDeviceSupport 15": CodeGPUIsLost,
		"fail nvmlGpmSampleAlloc 20":        CodeMemory,
		"samples 1":                         CodeInsufficientResources,
		"fail nvmlGpmSampleGet 3":           CodeNotSupported,
		"fail nvmlGpmSampleGet 4":           CodeNoPermission,
		"fail all 18":                       CodeLibRMVersionMismatch,
	} {
		driver.Set(t, line)
		g, err := d.NewGPM()
		assert.Equal(t, want, err, line)
		assert.Nil(t, g)
	}
	driver.Set(t, "fail nvmlGpmQueryDeviceSupport 25")
	openGPM(t, d) // go-nvml before 0.13.4 always gave this; the samples were good
}

func TestGPMOfMIG(t *testing.T) {
	a, now := startAt(t, "mig 0", "load")
	all, err := gpu(t, a, 0).MIGDevices()
	require.NoError(t, err)
	g := openGPM(t, all[3])
	*now = now.Add(time.Minute)
	r, err := g.Read([]GPMMetric{GPMSMActive})
	require.NoError(t, err)
	assert.InDelta(t, 0.109, r.Values[0].Value, 1e-9, "10 % and 0.1 for each of the instance's id, 9")

	driver.Set(t, "fail nvmlDeviceGetGpuInstanceId 15")
	_, err = all[3].NewGPM()
	assert.Equal(t, CodeGPUIsLost, err)
}

func TestGPMEnds(t *testing.T) {
	a, now := startAt(t)
	closed, left := openGPM(t, gpu(t, a, 0)), openGPM(t, gpu(t, a, 1))
	require.NoError(t, closed.Close())
	require.NoError(t, closed.Close())
	_, err := closed.Read(nil)
	assert.Equal(t, CodeUninitialized, err)

	require.NoError(t, a.Shutdown(t.Context()), "frees the other")
	require.NoError(t, a.Init())
	*now = now.Add(time.Minute)
	_, err = left.Read([]GPMMetric{GPMSMActive})
	assert.Equal(t, CodeUninitialized, err)
	require.NoError(t, left.Close(), "the driver aborts on a sample freed twice")
}

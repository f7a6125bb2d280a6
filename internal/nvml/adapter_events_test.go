//go:build linux && cgo

package nvml

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func register(t *testing.T, a *adapter, gpus ...int) EventSet {
	t.Helper()
	s, err := a.NewEventSet()
	require.NoError(t, err)
	for _, i := range gpus {
		require.NoError(t, s.Register(gpu(t, a, i), EventXID))
	}
	return s
}

// eventID makes the ids of events go up in all tests of this process.
var eventID = 0

func event(rest string) string {
	eventID++
	return "event " + itoa(Code(eventID)) + " " + rest
}

func TestEvents(t *testing.T) {
	a := start(t)
	s := register(t, a, 0, 1)
	_, err := s.Wait(time.Millisecond)
	assert.True(t, IsTimeout(err))
	_, err = s.Wait(0)
	assert.True(t, IsTimeout(err), "no less than a millisecond")

	lost := event("1 8 79")
	driver.Set(t, lost, "fail nvmlDeviceGetUUID 15")
	e, err := s.Wait(time.Second)
	require.NoError(t, err)
	assert.Equal(t, Event{UUID: "GPU-00000001-0000-0000-0000-000000000001", Type: EventXID, Data: 79}, e, "from the table, the GPU is unreadable")
	driver.Set(t, lost, event("0 8 31 2 1"), event("0 8 999"), event("0 2 0"))
	e, err = s.Wait(time.Second)
	require.NoError(t, err)
	assert.Equal(t, Event{
		UUID: "GPU-00000000-0000-0000-0000-000000000000", Type: EventXID, Data: 31, InMIG: true, GPUInstanceID: 2, ComputeInstanceID: 1,
	}, e)
	e, err = s.Wait(time.Second)
	require.NoError(t, err)
	assert.Equal(t, uint64(999), e.Data)
	_, err = s.Wait(5 * time.Millisecond)
	assert.True(t, IsTimeout(err), "each once, and only of the kinds registered for")

	driver.Set(t, "fail nvmlEventSetWait_v2 15")
	_, err = s.Wait(time.Hour)
	assert.True(t, IsLost(err), "at once")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Wait(time.Millisecond)
	assert.Equal(t, CodeUninitialized, err)
	assert.Equal(t, CodeUninitialized, s.Register(gpu(t, a, 0), EventXID))
}

func TestRegister(t *testing.T) {
	a := start(t, "value nvmlDeviceGetSupportedEventTypes@0 9", "value nvmlDeviceGetSupportedEventTypes@1 2")
	s, err := a.NewEventSet()
	require.NoError(t, err)
	d := gpu(t, a, 0)
	require.NoError(t, s.Register(d, EventXID|EventRecoveryAction), "what is supported of it")
	assert.Equal(t, CodeNotSupported, s.Register(gpu(t, a, 1), EventXID|EventRecoveryAction))

	driver.Set(t, "fail nvmlDeviceGetUUID 15")
	assert.Equal(t, CodeGPUIsLost, s.Register(d, EventXID))
	driver.Set(t, "fail nvmlDeviceGetSupportedEventTypes 4")
	assert.Equal(t, CodeNoPermission, s.Register(d, EventXID))
	driver.Set(t, "fail nvmlDeviceRegisterEvents 999")
	assert.Equal(t, CodeUnknown, s.Register(d, EventXID))

	b := start(t)
	assert.Equal(t, CodeInvalidArgument, s.Register(gpu(t, b, 0), EventXID), "of another Library")
	assert.Equal(t, CodeInvalidArgument, s.Register(nil, EventXID))
}

func TestEventSetEnds(t *testing.T) {
	a := start(t)
	old := gpu(t, a, 0)
	s := register(t, a, 0)
	waited := make(chan error)
	go func() {
		_, err := s.Wait(30 * time.Millisecond)
		waited <- err
	}()
	require.Eventually(t, func() bool {
		a.gate.mu.Lock()
		defer a.gate.mu.Unlock()
		return a.gate.calls == 1
	}, time.Second, time.Millisecond)
	require.NoError(t, a.Shutdown(context.Background()), "waits, and frees the set")
	assert.True(t, IsTimeout(<-waited))
	require.NoError(t, a.Init())
	_, err := s.Wait(time.Millisecond)
	assert.Equal(t, CodeUninitialized, err)
	require.NoError(t, s.Close())

	s = register(t, a)
	assert.Equal(t, CodeInvalidArgument, s.Register(old, EventXID), "of before")
}

func TestCloseWaitsForWait(t *testing.T) {
	a := start(t)
	s := register(t, a, 0)
	waited := make(chan error, 1)
	go func() {
		_, err := s.Wait(30 * time.Millisecond)
		waited <- err
	}()
	require.Eventually(t, func() bool {
		locked := !s.(*eventSet).mu.TryLock()
		if !locked {
			s.(*eventSet).mu.Unlock()
		}
		return locked
	}, time.Second, time.Millisecond)
	require.NoError(t, s.Close())
	assert.True(t, IsTimeout(<-waited))
}

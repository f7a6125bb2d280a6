//go:build linux && cgo

package nvml

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml/nvmltest"
)

// driver is the one that this process has loaded. Tests of others run in a child.
var driver *nvmltest.Driver

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nvml")
	if err != nil {
		panic(err)
	}
	if os.Getenv(childEnv) == "" {
		if driver, err = nvmltest.BuildIn(dir); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// start initialises NVML with a driver that was told these lines.
func start(t *testing.T, lines ...string) *adapter {
	t.Helper()
	driver.Set(t, lines...)
	a := New(WithLibraryPath(driver.Path)).(*adapter)
	require.NoError(t, a.Init())
	t.Cleanup(func() {
		driver.Set(t)
		assert.NoError(t, a.Shutdown(context.Background()))
	})
	return a
}

func gpu(t *testing.T, a *adapter, index int) Device {
	t.Helper()
	d, err := a.Device(index)
	require.NoError(t, err)
	return d
}

func TestDefaults(t *testing.T) {
	a := New().(*adapter)
	assert.Equal(t, "libnvidia-ml.so.1", a.path)
	assert.Equal(t, "libnvidia-ml.so.1", New(WithLibraryPath("")).(*adapter).path)
	assert.WithinDuration(t, time.Now(), a.now(), time.Minute)
}

func TestLibrary(t *testing.T) {
	a := start(t, "devices 8")
	require.NoError(t, a.Init(), "a second one does nothing")
	for _, tt := range []struct {
		want string
		get  func() (string, error)
	}{
		{"590.48.01", a.DriverVersion},
		{"13.590.48.01", a.NVMLVersion},
		{"13.1", a.CUDAVersion},
	} {
		got, err := tt.get()
		require.NoError(t, err)
		assert.Equal(t, tt.want, got)
	}
	n, err := a.DeviceCount()
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	_, err = a.Device(8)
	assert.Equal(t, CodeInvalidArgument, err)
}

// One call each: the guard costs none.
func TestCalls(t *testing.T) {
	a := start(t, "trace")
	d := gpu(t, a, 1)
	_, err := d.Power()
	require.NoError(t, err)
	_, err = d.Fields([]Field{{ID: FieldMemoryTemperature}, {ID: FieldPowerInstant}, {ID: FieldRecoveryAction}})
	require.NoError(t, err)
	assert.Equal(t, []string{"nvmlDeviceGetHandleByIndex_v2@1", "nvmlDeviceGetPowerUsage@1", "nvmlDeviceGetFieldValues@1"}, driver.Trace(t))
}

func TestNoDevices(t *testing.T) {
	a := start(t, "devices 0")
	n, err := a.DeviceCount()
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestInitWithoutDriver(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	err := New(WithLibraryPath(missing)).Init()
	assert.ErrorIs(t, err, CodeLibraryNotFound)
	assert.ErrorContains(t, err, missing)
	assert.ErrorContains(t, err, "NVIDIA runtime")

	garbage := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	require.NoError(t, os.WriteFile(garbage, []byte("no library"), 0o600))
	assert.ErrorIs(t, New(WithLibraryPath(garbage)).Init(), CodeLibraryNotFound)

	other := nvmltest.Build(t, nvmltest.Only())
	err = New(WithLibraryPath(other.Path)).Init()
	assert.ErrorIs(t, err, CodeFunctionNotFound)
	assert.ErrorContains(t, err, "is not a library of the NVIDIA driver")

	start(t) // none of them is in the way of the right one
}

func TestOneLibraryPerProcess(t *testing.T) {
	start(t)
	other := nvmltest.Build(t)
	err := New(WithLibraryPath(other.Path)).Init()
	assert.ErrorIs(t, err, CodeAlreadyInitialized)
	assert.ErrorContains(t, err, driver.Path)
	assert.ErrorContains(t, err, other.Path)
}

func TestInitFails(t *testing.T) {
	t.Cleanup(func() { driver.Set(t) })
	a := New(WithLibraryPath(driver.Path))
	for line, want := range map[string]struct {
		code Code
		text string
	}{
		"init 9":   {CodeDriverNotLoaded, "kernel module of the NVIDIA driver is not loaded"},
		"init 4":   {CodeNoPermission, "may not open /dev/nvidia*"},
		"init 18":  {CodeLibRMVersionMismatch, "restart this process"},
		"init 999": {CodeUnknown, "NVML does not start"},
	} {
		driver.Set(t, line)
		err := a.Init()
		assert.ErrorIs(t, err, want.code)
		assert.ErrorContains(t, err, want.text)
		assert.ErrorContains(t, err, want.code.Error())
		_, err = a.DeviceCount()
		assert.Equal(t, CodeUninitialized, err)
		require.NoError(t, a.Shutdown(t.Context()), "nothing to do")
	}
	driver.Set(t)
	require.NoError(t, a.Init(), "the driver came later")
	n, err := a.DeviceCount()
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	require.NoError(t, a.Shutdown(t.Context()))
}

func TestInitHangs(t *testing.T) {
	t.Cleanup(func() { driver.Set(t) })
	driver.Set(t, "hang nvmlInit_v2")
	a := New(WithLibraryPath(driver.Path))
	done := make(chan error)
	go func() { done <- a.Init() }()
	require.Eventually(t, func() bool { return len(a.(*adapter).life) == 1 }, 10*time.Second, time.Millisecond)
	assert.Equal(t, CodeInUse, a.Init(), "does not queue")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	assert.Equal(t, CodeTimeout, a.Shutdown(ctx))
	_, err := a.DeviceCount()
	assert.Equal(t, CodeUninitialized, err)
	driver.Set(t)
	require.NoError(t, <-done)
	require.NoError(t, a.Shutdown(t.Context()))
}

func TestVersionMismatchOnEverything(t *testing.T) {
	a := start(t)
	d := gpu(t, a, 0)
	driver.Set(t, "fail all 18", "init 18") // the driver was upgraded
	_, err := d.Power()
	assert.Equal(t, CodeLibRMVersionMismatch, err)
	assert.True(t, IsLibrary(err))
	require.NoError(t, a.Shutdown(t.Context()))
	err = a.Init()
	assert.ErrorIs(t, err, CodeLibRMVersionMismatch)
	assert.ErrorContains(t, err, "restart this process")
}

func TestDriverReload(t *testing.T) {
	a := start(t)
	d := gpu(t, a, 0)
	_, err := d.Power()
	require.NoError(t, err)
	driver.Set(t, "fail all 999")
	_, err = d.Power()
	assert.True(t, IsLibrary(err))

	driver.Set(t)
	require.NoError(t, a.Shutdown(t.Context()))
	_, err = d.Power()
	assert.Equal(t, CodeUninitialized, err)
	_, err = a.DeviceCount()
	assert.Equal(t, CodeUninitialized, err)
	_, err = a.Device(0)
	assert.Equal(t, CodeUninitialized, err)
	_, err = a.NewEventSet()
	assert.Equal(t, CodeUninitialized, err)

	require.NoError(t, a.Init())
	_, err = d.Power()
	assert.Equal(t, CodeUninitialized, err, "the driver aborts on a handle of before")
	_, err = gpu(t, a, 0).Power()
	require.NoError(t, err)
}

func TestShutdownError(t *testing.T) {
	a := start(t, "fail nvmlShutdown 17")
	assert.Equal(t, CodeOperatingSystem, a.Shutdown(t.Context()))
	_, err := a.DeviceCount()
	assert.Equal(t, CodeUninitialized, err)
	driver.Set(t)
	require.NoError(t, a.Init())
}

func TestTwoLibrariesOfOneDriver(t *testing.T) {
	a, b := start(t), start(t)
	require.NoError(t, a.Shutdown(t.Context()))
	_, err := gpu(t, b, 0).Power()
	assert.NoError(t, err)
}

// A call that hangs holds up neither other calls nor, beyond its deadline,
// Shutdown.
func TestCallHangs(t *testing.T) {
	a := start(t, "hang nvmlDeviceGetPowerUsage@0")
	hung := gpu(t, a, 0)
	done := make(chan error)
	go func() {
		_, err := hung.Power()
		done <- err
	}()
	require.Eventually(t, func() bool {
		a.gate.mu.Lock()
		defer a.gate.mu.Unlock()
		return a.gate.calls == 1
	}, 10*time.Second, time.Millisecond)
	_, err := gpu(t, a, 1).Power()
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	assert.Equal(t, CodeTimeout, a.Shutdown(ctx))
	_, err = hung.Temperature()
	require.NoError(t, err, "everything stays as it was")

	driver.Set(t)
	require.NoError(t, <-done)
	require.NoError(t, a.Shutdown(t.Context()))
}

func TestDeviceIsLost(t *testing.T) {
	a := start(t, "devices 8", "lost 3 5")
	d := gpu(t, a, 3)
	for range 4 {
		_, err := d.Power()
		require.NoError(t, err)
	}
	_, err := d.Power()
	assert.Equal(t, CodeGPUIsLost, err)
	assert.True(t, IsLost(err))
	_, err = a.Device(3)
	assert.True(t, IsLost(err))
	for _, other := range []int{0, 1, 2, 4, 5, 6, 7} {
		_, err := gpu(t, a, other).Power()
		assert.NoError(t, err)
	}
}

// Calls, Shutdown and Init from everywhere at once: for the race detector, and
// for the driver, which aborts if they meet.
func TestConcurrently(t *testing.T) {
	a := start(t, "any-window", event("0 8 79"))
	stop := make(chan struct{})
	var users sync.WaitGroup
	for i := range 4 {
		users.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := a.DeviceCount(); err != nil {
					assert.Equal(t, CodeUninitialized, err)
					continue
				}
				d, err := a.Device(i % 2)
				if err != nil {
					assert.Equal(t, CodeUninitialized, err)
					continue
				}
				if g, err := d.NewGPM(); err == nil {
					_, _ = g.Read([]GPMMetric{GPMSMActive})
					if i < 2 {
						assert.NoError(t, g.Close())
					}
				}
				if s, err := a.NewEventSet(); err == nil {
					_ = s.Register(d, EventXID)
					_, _ = s.Wait(time.Millisecond)
					if i < 2 {
						assert.NoError(t, s.Close())
					}
				}
				_, _ = d.Processes()
			}
		})
	}
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		assert.NoError(t, a.Shutdown(t.Context()))
		assert.NoError(t, a.Init())
	}
	close(stop)
	users.Wait()
}

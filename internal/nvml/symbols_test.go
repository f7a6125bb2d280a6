//go:build linux && cgo

package nvml

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml/nvmltest"
)

// childEnv tells a child of the test binary which library to load.
const childEnv = "NVML_TEST_LIBRARY"

// child runs the named test in a process of its own, with another driver, and
// gives what it wrote and its exit status.
func child(t *testing.T, test string, d *nvmltest.Driver) (output string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), childEnv+"="+d.Path, "GORACE=atexit_sleep_ms=0")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// report calls everything there is, and writes a line with the outcome of each
// method. It passes whatever these are: the process only has to live.
func TestChildReport(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		return // only a child does this
	}
	a := New(WithLibraryPath(path)).(*adapter)
	if err := a.Init(); err != nil {
		fmt.Println("Init:", err)
		return
	}
	now := time.Now()
	a.now = func() time.Time { now = now.Add(time.Second); return now }
	show := func(prefix string, x any) {
		for name, got := range everyMethod(x) {
			fmt.Printf("%s.%s: %v\n", prefix, name, got.err)
		}
	}
	show("Library", a)
	for engine := range EngineOFA + 1 {
		if d, err := a.Device(0); err == nil {
			_, err := d.EngineUtilization(engine)
			fmt.Printf("Device.EngineUtilization(%d): %v\n", engine, err)
		}
	}
	profile := func(p Partition) {
		g, err := p.NewGPM()
		if err != nil {
			return
		}
		_, err = g.Read([]GPMMetric{GPMSMActive})
		fmt.Println("GPM.Read:", err)
		fmt.Println("GPM.Close:", g.Close())
	}
	for i := range 2 {
		d, err := a.Device(i)
		if err != nil {
			continue
		}
		show("Device", d)
		profile(d)
		if s, err := a.NewEventSet(); err == nil {
			fmt.Println("EventSet.Register:", s.Register(d, EventXID))
			e, err := s.Wait(time.Millisecond)
			fmt.Println("EventSet.Wait:", err, e)
			fmt.Println("EventSet.Close:", s.Close())
		}
		processes, err := d.Processes()
		fmt.Println("processes:", processes, err)
		pci, err := d.PCI()
		fmt.Println("pci:", pci.BusID, err)
		instances, _ := d.MIGDevices()
		for _, m := range instances {
			show("MIGDevice", m)
			profile(m)
		}
	}
	if err := a.Shutdown(t.Context()); err != nil {
		fmt.Println("Shutdown:", err)
	}
	fmt.Println("lives")
}

func setForReport(t *testing.T, d *nvmltest.Driver) {
	t.Helper()
	d.Set(t, "mig 1", "any-window", "event 1 0 8 79", "process 0 compute 7 1000", "usage 0 7 1 1 1 1 1")
}

// reported gives the outcome of one method, or what the child wrote if it died.
func reported(t *testing.T, d *nvmltest.Driver) (line func(method string) string) {
	t.Helper()
	setForReport(t, d)
	out, status := child(t, "TestChildReport", d)
	require.Zero(t, status, out)
	require.Contains(t, out, "lives")
	return func(method string) string {
		for l := range strings.Lines(out) {
			if rest, ok := strings.CutPrefix(l, method+": "); ok {
				return strings.TrimSpace(rest)
			}
		}
		return ""
	}
}

// A call that is not guarded ends the process with this status.
const symbolLookupError = 127

func TestChildUnguarded(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		return // only a child does this
	}
	l := gonvml.New(gonvml.WithLibraryPath(path))
	require.Equal(t, gonvml.SUCCESS, l.Init())
	_, _ = l.SystemGetDriverVersion()
	fmt.Println("lives")
}

// The other tests of this file would notice an unguarded call.
func TestUnguardedCallDies(t *testing.T) {
	d := nvmltest.Build(t, nvmltest.Without("nvmlSystemGetDriverVersion"))
	out, status := child(t, "TestChildUnguarded", d)
	assert.Equal(t, symbolLookupError, status)
	assert.Contains(t, out, "symbol lookup error")
	assert.NotContains(t, out, "lives")
}

func TestAllSymbols(t *testing.T) {
	line := reported(t, nvmltest.Build(t))
	for _, method := range []string{"Library.DriverVersion", "Device.Power", "Device.NewGPM", "GPM.Read", "EventSet.Register", "EventSet.Wait", "MIGDevice.Memory", "MIGDevice.NewGPM"} {
		assert.Contains(t, []string{"<nil>", "<nil> {GPU-00000000-0000-0000-0000-000000000000 8 79 false 0 0}"}, line(method), method)
	}
}

// With the least of a driver, every method says that it has no function, and none
// ends the process.
func TestOldestSymbols(t *testing.T) {
	least := []string{"nvmlInit_v2", "nvmlShutdown"}
	line := reported(t, nvmltest.Build(t, nvmltest.Only(least...)))
	for _, method := range []string{"DriverVersion", "NVMLVersion", "CUDAVersion", "DeviceCount", "Device", "NewEventSet"} {
		assert.Equal(t, CodeFunctionNotFound.Error(), line("Library."+method), method)
	}

	least = append(least, "nvmlDeviceGetHandleByIndex")
	line = reported(t, nvmltest.Build(t, nvmltest.Only(least...)))
	for method := range everyMethod(&device{partition{a: &adapter{}, handle: noDevice(t)}}) {
		assert.Equal(t, CodeFunctionNotFound.Error(), line("Device."+method), method)
	}

	least = append(least, "nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex", "nvmlEventSetCreate", "nvmlEventSetFree", "nvmlEventSetWait")
	line = reported(t, nvmltest.Build(t, nvmltest.Only(least...)))
	for method := range everyMethod(&migDevice{partition: partition{a: &adapter{}, handle: noDevice(t)}}) {
		assert.Equal(t, CodeFunctionNotFound.Error(), line("MIGDevice."+method), method)
	}
	assert.Equal(t, CodeFunctionNotFound.Error(), line("EventSet.Register"))
	assert.Contains(t, line("EventSet.Wait"), CodeTimeout.Error())
}

// noDevice is a handle that nothing can be asked.
func noDevice(t *testing.T) gonvml.Device {
	t.Helper()
	a := start(t)
	return gpu(t, a, 0).(*device).handle
}

// Without any one of the functions, whichever it is, the process lives, and so no
// call is guarded by the name of another function.
func TestEachSymbolMissing(t *testing.T) {
	names, err := driver.Symbols()
	require.NoError(t, err)
	for s, versions := range symbols {
		newest := string(s)
		if len(versions) > 0 {
			newest += versions[len(versions)-1]
		}
		assert.Contains(t, names, newest, "the fake driver has all functions")
	}
	missing := map[string][]string{}
	for _, name := range names {
		missing[name] = []string{name}
	}
	for s, versions := range symbols {
		if len(versions) > 0 {
			all := []string{string(s)}
			for _, v := range versions {
				all = append(all, string(s)+v)
			}
			missing[string(s)+" in all versions"] = all
		}
	}
	for name, without := range missing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := nvmltest.Build(t, nvmltest.Without(without...))
			setForReport(t, d)
			out, status := child(t, "TestChildReport", d)
			assert.Zero(t, status, out)
			if name == "nvmlShutdown" || name == "nvmlInit in all versions" {
				assert.Contains(t, out, "Init: "+d.Path+" is not a library of the NVIDIA driver")
			} else {
				assert.Contains(t, out, "lives")
			}
		})
	}
}

// Versions of 2019 to 2023 of what has several.
func TestOldSymbols(t *testing.T) {
	names, err := driver.Symbols()
	require.NoError(t, err)
	versioned := slices.DeleteFunc(names, func(s string) bool { return !strings.Contains(s, "_v") || s == "nvmlDeviceGetPciInfo_v2" })
	line := reported(t, nvmltest.Build(t, nvmltest.Without(append(versioned, nvmltest.Driver535()...)...)))
	assert.Equal(t, "<nil>", line("Library.DeviceCount"))
	assert.Equal(t, "<nil>", line("Device.Memory"), "by version 1")
	assert.Equal(t, "<nil>", line("Device.Temperature"), "by the old call")
	assert.Equal(t, "<nil>", line("Device.Fabric"), "by the old call")
	assert.Equal(t, "<nil>", line("Device.ClockEventReasons"))
	assert.Equal(t, "0000:18:00.0 <nil>", line("pci"), "the short id")
	assert.Equal(t, "[{7 1000 true true false false false 0 0}] <nil>", line("processes"), "without instances")
	assert.Equal(t, "<nil> {GPU-00000000-0000-0000-0000-000000000000 8 79 false 0 0}", line("EventSet.Wait"), "without instances")
	assert.Equal(t, CodeFunctionNotFound.Error(), line("Device.TemperatureMargin"))
	assert.Equal(t, CodeFunctionNotFound.Error(), line("Device.SRAMECC"))

	line = reported(t, nvmltest.Build(t, nvmltest.Without("nvmlDeviceGetCurrentClocksEventReasons")))
	assert.Equal(t, "<nil>", line("Device.ClockEventReasons"), "by its name before 535")
}

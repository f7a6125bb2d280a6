package simulator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

var _ nvml.Library = (*NVML)(nil)

// NVMLConfig describes a server with NVIDIA GPUs and its driver.
type NVMLConfig struct {
	// GPUs is how many there are. Default 8; negative means none.
	GPUs int
	// DriverVersion, NVMLVersion and CUDAVersion are those of the driver of the
	// captures by default: 590.48.01, 13.590.48.01, 13.1.
	DriverVersion, NVMLVersion, CUDAVersion string
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// DriverState is what the driver is good for.
type DriverState int

// The states of a driver, and what NVML answers.
const (
	DriverLoaded      DriverState = iota
	DriverAbsent                  // there is no library: LIBRARY_NOT_FOUND
	DriverUnloaded                // DRIVER_NOT_LOADED
	DriverMismatch                // the driver was upgraded under the library: LIB_RM_VERSION_MISMATCH
	DriverBroken                  // UNKNOWN for everything
	DriverNoPermitted             // NO_PERMISSION for everything
)

func (s DriverState) err() error {
	switch s {
	case DriverAbsent:
		return nvml.CodeLibraryNotFound
	case DriverUnloaded:
		return nvml.CodeDriverNotLoaded
	case DriverMismatch:
		return nvml.CodeLibRMVersionMismatch
	case DriverBroken:
		return nvml.CodeUnknown
	case DriverNoPermitted:
		return nvml.CodeNoPermission
	default:
		return nil
	}
}

// NVML plays NVIDIA's management library on a server with GPUs: it implements
// [nvml.Library]. By default the GPUs are idle H200 (SXM, NVLink).
//
// Calls are named as the methods of [nvml.Library] and [nvml.Device] are; faults
// are set by that name.
type NVML struct {
	cfg  NVMLConfig
	gpus []*GPU

	mu     sync.Mutex
	driver DriverState
	// loads counts how often the driver was loaded, sessions how often NVML was
	// initialised: handles of another load or session are dead.
	loads, sessions uint64
	open            bool
	opened          uint64 // the load that this session belongs to
	order           []int
	faults          faults
	sets            map[*gpuEventSet]struct{}
	// calls are those under way; idle is closed when the last one ends.
	calls int
	idle  chan struct{}
}

// NewNVML returns a server whose driver is loaded.
func NewNVML(cfg NVMLConfig) *NVML {
	if cfg.GPUs == 0 {
		cfg.GPUs = 8
	}
	if cfg.DriverVersion == "" {
		cfg.DriverVersion, cfg.NVMLVersion, cfg.CUDAVersion = "590.48.01", "13.590.48.01", "13.1"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	l := &NVML{cfg: cfg, loads: 1, sets: make(map[*gpuEventSet]struct{})}
	for i := range max(cfg.GPUs, 0) {
		l.gpus = append(l.gpus, newGPU(l, i))
		l.order = append(l.order, i)
	}
	return l
}

// GPU is where GPU number i is controlled, by its first index.
func (l *NVML) GPU(i int) *GPU { return l.gpus[i] }

// SetDriver changes what the driver is good for. A driver that comes back from
// DriverUnloaded was loaded anew: counters begin at zero and a session of before
// does not work any more.
func (l *NVML) SetDriver(s DriverState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.driver == DriverUnloaded && s == DriverLoaded {
		l.loads++
		for _, g := range l.gpus {
			g.driverLoaded()
		}
	}
	l.driver = s
}

// SetOrder changes the order of the GPUs, as a reboot may, and hides those that
// are not listed.
func (l *NVML) SetOrder(gpus ...int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.order = slices.Clone(gpus)
}

// Fail makes a call of the library fail; nil ends that.
func (l *NVML) Fail(call string, err error) { l.faults.fail(call, err) }

// Hang makes a call of the library hang until the function returned is called.
func (l *NVML) Hang(call string) (release func()) { return l.faults.hang(call) }

// Calls is how often a call of the library was made.
func (l *NVML) Calls(call string) int { return l.faults.count(call) }

// Open says whether NVML is initialised, so that it holds /dev/nvidia*.
func (l *NVML) Open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// enter begins a call within the session of that number; leave must be called
// after it where there is no error.
func (l *NVML) enter(session uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.open || session != l.sessions:
		return nvml.CodeUninitialized
	case l.driver != DriverLoaded:
		return l.driver.err()
	case l.opened != l.loads:
		return nvml.CodeDriverNotLoaded
	}
	l.calls++
	return nil
}

func (l *NVML) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls--; l.calls == 0 && l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

// session is the number of the present one.
func (l *NVML) session() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions
}

// Init implements [nvml.Library].
func (l *NVML) Init() error {
	if err := l.faults.meet("Init"); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.driver.err(); err != nil {
		return fmt.Errorf("simulated driver: %w", err)
	}
	if !l.open {
		l.open = true
		l.sessions++
		l.opened = l.loads
	}
	return nil
}

// Shutdown implements [nvml.Library].
func (l *NVML) Shutdown(ctx context.Context) error {
	if err := l.faults.meet("Shutdown"); err != nil {
		return err
	}
	l.mu.Lock()
	if !l.open {
		l.mu.Unlock()
		return nil
	}
	l.open = false
	for set := range l.sets {
		set.end()
	}
	if l.calls == 0 {
		l.mu.Unlock()
		return nil
	}
	if l.idle == nil {
		l.idle = make(chan struct{})
	}
	idle := l.idle
	l.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open = true
		return nvml.CodeTimeout
	}
}

func libraryCall[T any](l *NVML, call string, read func() (T, error)) (T, error) {
	var none T
	if err := l.enter(l.session()); err != nil {
		return none, err
	}
	defer l.leave()
	if err := l.faults.meet(call); err != nil {
		return none, err
	}
	return read()
}

// DriverVersion implements [nvml.Library].
func (l *NVML) DriverVersion() (string, error) {
	return libraryCall(l, "DriverVersion", func() (string, error) { return l.cfg.DriverVersion, nil })
}

// NVMLVersion implements [nvml.Library].
func (l *NVML) NVMLVersion() (string, error) {
	return libraryCall(l, "NVMLVersion", func() (string, error) { return l.cfg.NVMLVersion, nil })
}

// CUDAVersion implements [nvml.Library].
func (l *NVML) CUDAVersion() (string, error) {
	return libraryCall(l, "CUDAVersion", func() (string, error) { return l.cfg.CUDAVersion, nil })
}

// DeviceCount implements [nvml.Library].
func (l *NVML) DeviceCount() (int, error) {
	return libraryCall(l, "DeviceCount", func() (int, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.order), nil
	})
}

// Device implements [nvml.Library]. It fails for a GPU that is off the bus.
func (l *NVML) Device(index int) (nvml.Device, error) {
	return libraryCall(l, "Device", func() (nvml.Device, error) {
		l.mu.Lock()
		if index < 0 || index >= len(l.order) {
			l.mu.Unlock()
			return nil, nvml.CodeInvalidArgument
		}
		g := l.gpus[l.order[index]]
		session := l.sessions
		l.mu.Unlock()
		if err := g.faults.meet("Device"); err != nil {
			return nil, err
		}
		if err := g.LostError(); err != nil {
			return nil, err
		}
		return &gpuDevice{gpu: g, session: session, index: index}, nil
	})
}

// NewEventSet implements [nvml.Library].
func (l *NVML) NewEventSet() (nvml.EventSet, error) {
	return libraryCall(l, "NewEventSet", func() (nvml.EventSet, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		set := &gpuEventSet{library: l, session: l.sessions, wake: make(chan struct{}, 1), types: make(map[string]nvml.EventType)}
		l.sets[set] = struct{}{}
		return set, nil
	})
}

// faults are those of one thing that can be called.
type faults struct {
	mu    sync.Mutex
	fails map[string]error
	hangs map[string]chan struct{}
	calls map[string]int
}

func (f *faults) fail(call string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails == nil {
		f.fails = make(map[string]error)
	}
	f.fails[call] = err
}

func (f *faults) hang(call string) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hangs == nil {
		f.hangs = make(map[string]chan struct{})
	}
	hang := make(chan struct{})
	f.hangs[call] = hang
	return sync.OnceFunc(func() {
		f.mu.Lock()
		delete(f.hangs, call)
		f.mu.Unlock()
		close(hang)
	})
}

func (f *faults) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[call]
}

func (f *faults) all() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.calls)
}

// meet counts a call, hangs while it should, and returns its error.
func (f *faults) meet(call string) error {
	f.mu.Lock()
	if f.calls == nil {
		f.calls = make(map[string]int)
	}
	f.calls[call]++
	hang := f.hangs[call]
	f.mu.Unlock()
	if hang != nil {
		<-hang
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fails[call]
}

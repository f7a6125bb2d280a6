//go:build linux && cgo

package nvml

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
)

// New makes a Library that loads the driver's with Init.
func New(opts ...Option) Library {
	o := newOptions(opts)
	return &adapter{options: o, life: make(chan struct{}, 1), resources: map[resource]struct{}{}}
}

// adapter is Library on go-nvml. Of what go-nvml returns it never uses
// Return.Error or Return.String: these call a function of the driver, too.
type adapter struct {
	options

	// life is held by Init and Shutdown, and guards running.
	life    chan struct{}
	running bool

	gate gate
	// nv and symbols are set while the gate is closed.
	nv      gonvml.Interface
	symbols map[symbol]bool

	resourcesMu sync.Mutex
	resources   map[resource]struct{}
}

// resource is memory of the driver that must be freed before NVML ends.
type resource interface {
	// free is called once, with no other call under way.
	free()
}

// loaded is the library of this process. There is no second one: go-nvml's
// function pointers and the bindings of the dynamic linker are for all. Whoever
// uses it shares one go-nvml, as loading writes these pointers.
var loaded struct {
	sync.Mutex
	path string
	nv   gonvml.Interface
}

func load(path string) (gonvml.Interface, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.nv == nil {
		loaded.path, loaded.nv = path, gonvml.New(gonvml.WithLibraryPath(path))
	}
	if loaded.path != path {
		return nil, fmt.Errorf("this process has loaded %s and cannot load %s: %w", loaded.path, path, CodeAlreadyInitialized)
	}
	return loaded.nv, nil
}

// Init implements Library.
func (a *adapter) Init() error {
	select {
	case a.life <- struct{}{}:
		defer func() { <-a.life }()
	default:
		return CodeInUse
	}
	if a.running {
		return nil
	}

	// Looked at before go-nvml does, which would call nvmlInit unseen.
	library := dl.New(a.path, dl.RTLD_LAZY|dl.RTLD_LOCAL)
	if err := library.Open(); err != nil {
		return fmt.Errorf("no library of the NVIDIA driver (%w); a container needs the NVIDIA runtime with the capability utility: %w", err, CodeLibraryNotFound)
	}
	defer func() { _ = library.Close() }() // go-nvml has its own handle by now
	found := lookUp(func(name string) bool { return library.Lookup(name) == nil })
	if !found[symInit] || !found[symShutdown] {
		return fmt.Errorf("%s is not a library of the NVIDIA driver: %w", a.path, CodeFunctionNotFound)
	}
	nv, err := load(a.path)
	if err != nil {
		return err
	}
	if err := result(nv.Init()); err != nil {
		return fmt.Errorf("%s: %w", advice(err), err)
	}
	a.nv, a.symbols = nv, found
	a.running = true
	a.gate.start()
	return nil
}

// advice says what an error of nvmlInit means to the operator.
func advice(err error) string {
	switch CodeOf(err) {
	case CodeDriverNotLoaded:
		return "the kernel module of the NVIDIA driver is not loaded, or /dev/nvidia* is missing here"
	case CodeNoPermission:
		return "this user may not open /dev/nvidia*"
	case CodeLibRMVersionMismatch:
		return "the kernel module is of another version than the loaded library: after an upgrade of the driver reload the module, and restart this process"
	default:
		return "NVML does not start"
	}
}

// Shutdown implements Library.
func (a *adapter) Shutdown(ctx context.Context) error {
	select {
	case a.life <- struct{}{}:
		defer func() { <-a.life }()
	case <-ctx.Done():
		return CodeTimeout
	}
	if !a.running {
		return nil
	}
	if err := a.gate.stop(ctx); err != nil {
		return err
	}
	a.running = false
	for r := range a.resources { // no call is under way that could change it
		r.free()
	}
	clear(a.resources)
	return result(a.nv.Shutdown())
}

// result makes an error of a return code.
func result(ret gonvml.Return) error {
	if ret == gonvml.SUCCESS {
		return nil
	}
	return Code(ret)
}

// within runs f while NVML cannot be shut down, if the driver has all of need.
func (a *adapter) within(generation uint64, f func(generation uint64) error, need ...symbol) error {
	generation, ok := a.gate.enter(generation)
	if !ok {
		return CodeUninitialized
	}
	defer a.gate.leave()
	for _, s := range need {
		if !a.symbols[s] {
			return CodeFunctionNotFound
		}
	}
	return f(generation)
}

// call is one call of the driver.
func (a *adapter) call(generation uint64, s symbol, f func() gonvml.Return) error {
	return a.within(generation, func(uint64) error { return result(f()) }, s)
}

// own is called within.
func (a *adapter) own(r resource) {
	a.resourcesMu.Lock()
	defer a.resourcesMu.Unlock()
	a.resources[r] = struct{}{}
}

// disown is called within, and reports whether r was owned until now.
func (a *adapter) disown(r resource) bool {
	a.resourcesMu.Lock()
	defer a.resourcesMu.Unlock()
	_, ok := a.resources[r]
	delete(a.resources, r)
	return ok
}

// discard frees r unless that has been done.
func (a *adapter) discard(generation uint64, r resource) {
	_ = a.within(generation, func(uint64) error { // an error says that Shutdown did it
		if a.disown(r) {
			r.free()
		}
		return nil
	})
}

// DriverVersion implements Library.
func (a *adapter) DriverVersion() (v string, err error) {
	err = a.call(anyGeneration, symDriverVersion, func() (ret gonvml.Return) {
		v, ret = a.nv.SystemGetDriverVersion()
		return ret
	})
	return value(v, err)
}

// NVMLVersion implements Library.
func (a *adapter) NVMLVersion() (v string, err error) {
	err = a.call(anyGeneration, symNVMLVersion, func() (ret gonvml.Return) {
		v, ret = a.nv.SystemGetNVMLVersion()
		return ret
	})
	return value(v, err)
}

// CUDAVersion implements Library.
func (a *adapter) CUDAVersion() (string, error) {
	var v int
	err := a.call(anyGeneration, symCUDAVersion, func() (ret gonvml.Return) {
		v, ret = a.nv.SystemGetCudaDriverVersion() // _v2 would ask libcuda
		return ret
	})
	return value(strconv.Itoa(v/1000)+"."+strconv.Itoa(v%1000/10), err)
}

// DeviceCount implements Library.
func (a *adapter) DeviceCount() (n int, err error) {
	err = a.call(anyGeneration, symDeviceCount, func() (ret gonvml.Return) {
		n, ret = a.nv.DeviceGetCount()
		return ret
	})
	return value(n, err)
}

// Device implements Library.
func (a *adapter) Device(index int) (Device, error) {
	d := &device{partition{a: a}}
	err := a.within(anyGeneration, func(generation uint64) error {
		var ret gonvml.Return
		d.handle, ret = a.nv.DeviceGetHandleByIndex(index)
		d.generation = generation
		return result(ret)
	}, symDeviceByIndex)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// value drops what a failed call has left in v.
func value[T any](v T, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

//go:build !linux || !cgo

package nvml

import "context"

// New makes a Library that only says that this build has none.
func New(opts ...Option) Library {
	_ = newOptions(opts)
	return stub{}
}

type stub struct{}

func (stub) Init() error                    { return ErrNotInBuild }
func (stub) Shutdown(context.Context) error { return nil }
func (stub) DriverVersion() (string, error) { return "", ErrNotInBuild }
func (stub) NVMLVersion() (string, error)   { return "", ErrNotInBuild }
func (stub) CUDAVersion() (string, error)   { return "", ErrNotInBuild }
func (stub) DeviceCount() (int, error)      { return 0, ErrNotInBuild }
func (stub) Device(int) (Device, error)     { return nil, ErrNotInBuild }
func (stub) NewEventSet() (EventSet, error) { return nil, ErrNotInBuild }

//go:build !linux || !cgo

package nvml

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStub(t *testing.T) {
	l := New(WithLibraryPath("/nowhere"))
	assert.ErrorIs(t, l.Init(), ErrNotInBuild)
	assert.EqualError(t, l.Init(), "NVML is not supported by this build (needs Linux and cgo)")
	for _, f := range []func() (any, error){
		func() (any, error) { return l.DriverVersion() },
		func() (any, error) { return l.NVMLVersion() },
		func() (any, error) { return l.CUDAVersion() },
		func() (any, error) { return l.DeviceCount() },
		func() (any, error) { return l.Device(0) },
		func() (any, error) { return l.NewEventSet() },
	} {
		_, err := f()
		assert.ErrorIs(t, err, ErrNotInBuild)
	}
	assert.NoError(t, l.Shutdown(t.Context()))
}

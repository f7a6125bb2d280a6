//go:build linux && cgo

package nvml

import (
	"math"
	"sync"
	"time"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
)

// eventSet is EventSet.
type eventSet struct {
	a          *adapter
	generation uint64

	mu  sync.Mutex // taken within
	set gonvml.EventSet
	// uuids tell by its handle a GPU that can no longer be asked.
	uuids map[gonvml.Device]string
}

// NewEventSet implements Library.
func (a *adapter) NewEventSet() (EventSet, error) {
	s := &eventSet{a: a, uuids: map[gonvml.Device]string{}}
	err := a.within(anyGeneration, func(generation uint64) error {
		set, ret := a.nv.EventSetCreate()
		if err := result(ret); err != nil {
			return err
		}
		s.generation, s.set = generation, set
		a.own(s)
		return nil
	}, symEventSetCreate, symEventSetFree, symEventSetWait)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Register implements EventSet.
func (s *eventSet) Register(gpu Device, types EventType) error {
	d, ok := gpu.(*device)
	if !ok || d.a != s.a || d.generation != s.generation {
		return CodeInvalidArgument
	}
	uuid, err := d.UUID()
	if err != nil {
		return err
	}
	return s.a.within(s.generation, func(uint64) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.set == nil {
			return CodeUninitialized
		}
		supported, ret := d.handle.GetSupportedEventTypes()
		if err := result(ret); err != nil {
			return err
		}
		wanted := uint64(types) & supported
		if wanted == 0 {
			return CodeNotSupported
		}
		if err := result(d.handle.RegisterEvents(wanted, s.set)); err != nil {
			return err
		}
		s.uuids[d.handle] = uuid
		return nil
	}, symSupportedEventTypes, symRegisterEvents)
}

// Wait implements EventSet.
func (s *eventSet) Wait(timeout time.Duration) (Event, error) {
	ms := min(max(timeout.Milliseconds(), 1), math.MaxUint32)
	var e Event
	err := s.a.within(s.generation, func(uint64) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.set == nil {
			return CodeUninitialized
		}
		data, ret := s.set.Wait(uint32(ms))
		if err := result(ret); err != nil {
			return err
		}
		e = Event{UUID: s.uuids[data.Device], Type: EventType(data.EventType), Data: data.EventData}
		if s.a.symbols[symEventSetWait2] { // the older one does not fill them
			e.InMIG, e.GPUInstanceID, e.ComputeInstanceID = instance(data.GpuInstanceId, data.ComputeInstanceId)
		}
		return nil
	})
	return e, err
}

// Close implements EventSet.
func (s *eventSet) Close() error {
	s.a.discard(s.generation, s)
	return nil
}

// free implements resource.
func (s *eventSet) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.set.Free()
	s.set = nil
}

package simulator

import (
	"sync"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// maxGPUEvents is how many events a set keeps that nobody waits for.
const maxGPUEvents = 1000

// gpuEventSet delivers events by the real time: only what is waited for is of
// the simulated world, not the waiting.
type gpuEventSet struct {
	library *NVML
	session uint64
	wake    chan struct{}

	mu     sync.Mutex
	ended  bool
	types  map[string]nvml.EventType
	queued []nvml.Event
}

func (l *NVML) deliver(e nvml.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for set := range l.sets {
		set.deliver(e)
	}
}

func (s *gpuEventSet) deliver(e nvml.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.types[e.UUID]&e.Type == 0 || len(s.queued) == maxGPUEvents {
		return
	}
	s.queued = append(s.queued, e)
	s.poke()
}

func (s *gpuEventSet) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *gpuEventSet) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.poke()
}

func (s *gpuEventSet) Register(device nvml.Device, types nvml.EventType) error {
	d, ok := device.(*gpuDevice)
	if !ok || d.gpu.library != s.library {
		return nvml.CodeInvalidArgument
	}
	_, err := gpuCall(d, "Register", func(*GPUState) (struct{}, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.types[d.gpu.uuid] |= types
		return struct{}{}, nil
	})
	return err
}

func (s *gpuEventSet) Wait(timeout time.Duration) (nvml.Event, error) {
	if err := s.library.enter(s.session); err != nil {
		return nvml.Event{}, err
	}
	defer s.library.leave()
	if err := s.library.faults.meet("Wait"); err != nil {
		return nvml.Event{}, err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		s.mu.Lock()
		switch {
		case s.ended:
			s.mu.Unlock()
			return nvml.Event{}, nvml.CodeUninitialized
		case len(s.queued) > 0:
			e := s.queued[0]
			s.queued = s.queued[1:]
			s.mu.Unlock()
			return e, nil
		}
		s.mu.Unlock()
		select {
		case <-s.wake:
		case <-timer.C:
			return nvml.Event{}, nvml.CodeTimeout
		}
	}
}

func (s *gpuEventSet) Close() error {
	s.end()
	s.library.mu.Lock()
	defer s.library.mu.Unlock()
	delete(s.library.sets, s)
	return nil
}

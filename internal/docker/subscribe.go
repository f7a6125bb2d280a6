package docker

import (
	"sync"
	"sync/atomic"
)

// queueSize is how many events may wait for one subscriber.
const queueSize = 1024

// subscribers hand events on without ever waiting for one of them.
type subscribers struct {
	dropped atomic.Uint64

	mu     sync.Mutex
	all    map[*subscriber]struct{}
	closed bool
}

type subscriber struct {
	fn    func(Event)
	queue chan Event
	lost  atomic.Uint64
	stop  chan struct{}
	done  chan struct{}
}

func newSubscribers() *subscribers {
	return &subscribers{all: make(map[*subscriber]struct{})}
}

func (s *subscribers) add(fn func(Event)) (cancel func()) {
	sub := &subscriber{fn: fn, queue: make(chan Event, queueSize), stop: make(chan struct{}), done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return func() {}
	}
	s.all[sub] = struct{}{}
	go sub.run()
	return func() {
		s.mu.Lock()
		if _, active := s.all[sub]; active {
			delete(s.all, sub)
			close(sub.stop)
		}
		s.mu.Unlock()
		<-sub.done
	}
}

func (s *subscribers) publish(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.all {
		select {
		case sub.queue <- e:
		default:
			sub.lost.Add(1)
			s.dropped.Add(1)
		}
	}
}

func (s *subscribers) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// close ends all subscriptions and waits for them.
func (s *subscribers) close() {
	s.mu.Lock()
	s.closed = true
	ended := s.all
	s.all = make(map[*subscriber]struct{})
	for sub := range ended {
		close(sub.stop)
	}
	s.mu.Unlock()
	for sub := range ended {
		<-sub.done
	}
}

func (s *subscriber) run() {
	defer close(s.done)
	for handled := 1; ; handled++ {
		select {
		case <-s.stop:
			return
		case e := <-s.queue:
			s.fn(e)
		}
		// What was lost is told after all that came before, or at least now and then.
		if s.lost.Load() > 0 && (len(s.queue) == 0 || handled%queueSize == 0) {
			s.fn(Event{Action: ActionLost, Lost: s.lost.Swap(0)})
		}
	}
}

package dockerinventoryreceiver

import "time"

// loops finds containers that start again and again. They are known by name: one
// that is removed and made anew after each crash loops no less.
type loops struct {
	cfg   RestartLoopConfig
	names map[string]*starts
}

// starts are those of one name within the window.
type starts struct {
	container string
	times     []time.Time
	looping   bool
	// clean says that the last run ended well. A container made anew after that is
	// the next job, not the same one again.
	clean bool
}

func newLoops(cfg RestartLoopConfig) *loops {
	return &loops{cfg: cfg, names: make(map[string]*starts)}
}

// start notes a start and reports whether a loop begins with it.
func (l *loops) start(name, container string, at time.Time) bool {
	if l.cfg.Count == 0 {
		return false
	}
	begin := at.Add(-l.cfg.Window)
	l.forget(begin)
	s := l.names[name]
	if s == nil || s.clean && s.container != container {
		s = &starts{}
		l.names[name] = s
	}
	s.container, s.clean = container, false
	s.times = append(s.times, at)
	for len(s.times) > l.cfg.Count || s.times[0].Before(begin) {
		s.times = s.times[1:]
	}
	was := s.looping
	s.looping = len(s.times) == l.cfg.Count
	return s.looping && !was
}

// end notes how a run ended.
func (l *loops) end(name string, well bool) {
	if s := l.names[name]; s != nil {
		s.clean = well
	}
}

func (l *loops) rename(from, to string) {
	if s := l.names[from]; s != nil {
		delete(l.names, from)
		l.names[to] = s
	}
}

// forget drops what had no start since begin.
func (l *loops) forget(begin time.Time) {
	for name, s := range l.names {
		if s.times[len(s.times)-1].Before(begin) {
			delete(l.names, name)
		}
	}
}

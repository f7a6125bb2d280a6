package docker

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// store holds the newest snapshot of each container, removed ones for a while.
type store struct {
	max  int
	keep time.Duration

	mu   sync.RWMutex
	byID map[string]*Container
	// byShort holds the same by the first digits of the id. If two ever began
	// alike, the first would be found.
	byShort map[string]*Container
	gone    int
}

func newStore(limit int, keep time.Duration) *store {
	return &store{max: limit, keep: keep, byID: make(map[string]*Container), byShort: make(map[string]*Container)}
}

func (s *store) get(id string) (*Container, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, found := s.byID[id]
	if !found && len(id) == shortID {
		c, found = s.byShort[id]
	}
	return c, found
}

// put stores a snapshot, and reports false if there is no room for it.
func (s *store) put(c *Container) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, known := s.byID[c.ID]; known {
		s.remove(old)
	}
	if !c.Gone.IsZero() && s.keep == 0 {
		return true
	}
	for len(s.byID) >= s.max {
		victim := s.victim()
		if victim == nil || rank(victim) >= rank(c) {
			return false
		}
		s.remove(victim)
	}
	s.byID[c.ID] = c
	if _, taken := s.byShort[c.ShortID()]; !taken {
		s.byShort[c.ShortID()] = c
	}
	if !c.Gone.IsZero() {
		s.gone++
	}
	return true
}

// forget removes a container without a trace.
func (s *store) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, known := s.byID[id]; known {
		s.remove(c)
	}
}

func (s *store) remove(c *Container) {
	delete(s.byID, c.ID)
	if s.byShort[c.ShortID()] == c {
		delete(s.byShort, c.ShortID())
	}
	if !c.Gone.IsZero() {
		s.gone--
	}
}

// rank says how much it matters to know a container.
func rank(c *Container) int {
	switch {
	case !c.Gone.IsZero():
		return 0
	case !c.Running():
		return 1
	default:
		return 2
	}
}

// victim is the container that matters least.
func (s *store) victim() *Container {
	var least *Container
	for _, c := range s.byID {
		if least == nil || cmp.Or(cmp.Compare(rank(c), rank(least)), c.Gone.Compare(least.Gone), c.Created.Compare(least.Created)) < 0 {
			least = c
		}
	}
	return least
}

// purge forgets those that were removed long ago.
func (s *store) purge(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == 0 {
		return
	}
	for _, c := range s.byID {
		if !c.Gone.IsZero() && now.Sub(c.Gone) >= s.keep {
			s.remove(c)
		}
	}
}

// existing returns those that are not removed, by id.
func (s *store) existing() []*Container {
	s.mu.RLock()
	list := make([]*Container, 0, len(s.byID)-s.gone)
	for c := range maps.Values(s.byID) {
		if c.Gone.IsZero() {
			list = append(list, c)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Container) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (s *store) count() (existing, gone int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byID) - s.gone, s.gone
}

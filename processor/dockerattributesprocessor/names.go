package dockerattributesprocessor

import (
	"sync"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// names finds containers by name, also those that are gone while they are remembered.
type names struct {
	watcher *docker.Watcher
	limit   int
	cancel  func()
	seeded  sync.Once

	mu  sync.RWMutex
	ids map[string]string
}

func newNames(watcher *docker.Watcher, limit int) *names {
	n := &names{watcher: watcher, limit: limit, ids: make(map[string]string)}
	n.cancel = watcher.Subscribe(n.note)
	return n
}

// note learns from an event.
func (n *names) note(e docker.Event) {
	if e.Action == docker.ActionLost {
		n.seed()
		return
	}
	n.learn(e.Container)
}

// find returns the container that has a name, or had it last.
func (n *names) find(name string) *docker.Container {
	select {
	case <-n.watcher.Ready():
		n.seeded.Do(n.seed) // events do not tell of what was there before
	default:
	}
	n.mu.RLock()
	id, known := n.ids[name]
	n.mu.RUnlock()
	if !known {
		return nil
	}
	c, _ := n.watcher.Get(id)
	return c
}

func (n *names) seed() {
	for _, c := range n.watcher.List() {
		n.learn(c)
	}
}

// learn notes a name, unless another container has it now: events may be old.
func (n *names) learn(c *docker.Container) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id, taken := n.ids[c.Name]; taken && id != c.ID {
		owner, known := n.watcher.Get(id)
		if known && owner.Gone.IsZero() && owner.Name == c.Name {
			return
		}
	}
	n.ids[c.Name] = c.ID
	if len(n.ids) > n.limit {
		for name, id := range n.ids {
			owner, known := n.watcher.Get(id)
			if !known || owner.Gone.IsZero() && owner.Name != name {
				delete(n.ids, name)
			}
		}
	}
}

func (n *names) close() { n.cancel() }

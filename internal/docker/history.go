package docker

import (
	"fmt"
	"time"

	"github.com/docker/docker/api/types/events"
)

const (
	// overlap is how far back events are asked for again: the engine does not
	// number them, and hands them on slightly out of order.
	overlap = 2 * time.Second
	// remembered is more than an engine keeps itself, 256.
	remembered = 1024
)

// history remembers the last events, so that none is handled twice.
type history struct {
	last time.Time
	seen map[eventKey]struct{}
	ring []eventKey
	next int
}

type eventKey struct {
	nano   int64
	id     string
	action events.Action
}

func newHistory() history {
	return history{seen: make(map[eventKey]struct{}, remembered), ring: make([]eventKey, 0, remembered)}
}

// begin says that from now on events are seen.
func (h *history) begin(now time.Time) {
	if h.last.IsZero() {
		h.last = now.Add(overlap)
	}
}

// since is the time to ask for events from, or empty the first time.
func (h *history) since() string {
	if h.last.IsZero() {
		return ""
	}
	t := h.last.Add(-overlap)
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// add reports false for an event that was seen before.
func (h *history) add(m *events.Message) bool {
	key := eventKey{nano: m.TimeNano, id: m.Actor.ID, action: m.Action}
	if _, seen := h.seen[key]; seen {
		return false
	}
	if len(h.ring) < remembered {
		h.ring = append(h.ring, key)
	} else {
		delete(h.seen, h.ring[h.next])
		h.ring[h.next] = key
		h.next = (h.next + 1) % remembered
	}
	h.seen[key] = struct{}{}
	if t := eventTime(m); t.After(h.last) {
		h.last = t
	}
	return true
}

// eventTime is the engine's time of an event.
func eventTime(m *events.Message) time.Time {
	if m.TimeNano != 0 {
		return time.Unix(0, m.TimeNano).UTC()
	}
	return time.Unix(m.Time, 0).UTC()
}

// conclusions are the synthetic events of late. The real ones, if they come after all, are not news.
type conclusions map[conclusion]concluded

type conclusion struct {
	id     string
	action Action
}

type concluded struct {
	engine, local time.Time
}

// sameEvent is how far the time of an event may be from that of the state which it led to.
const sameEvent = 2 * time.Second

// forget is how long a real event may be late.
const forget = 30 * time.Second

func (c conclusions) add(e *Event, now time.Time) {
	for key, old := range c {
		if now.Sub(old.local) > forget {
			delete(c, key)
		}
	}
	c[conclusion{e.Container.ID, e.Action}] = concluded{engine: e.Time, local: now}
}

// known reports whether a real event was concluded before.
func (c conclusions) known(id string, action Action, t time.Time) bool {
	key := conclusion{id, action}
	old, found := c[key]
	if !found || t.Sub(old.engine).Abs() > sameEvent {
		return false
	}
	delete(c, key)
	return true
}

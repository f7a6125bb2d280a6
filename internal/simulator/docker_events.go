package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
)

const (
	// journalSize is how many events the engine keeps for those who ask with since.
	journalSize = 256
	// listenerSize is how many events may wait for one listener, beyond which it is cut off.
	listenerSize = 4096
)

// journal keeps the last events and hands new ones to who listens.
type journal struct {
	mu        sync.Mutex
	kept      []events.Message
	listeners map[chan events.Message]struct{}
	silent    int
	last      int64
}

func newJournal() journal { return journal{listeners: make(map[chan events.Message]struct{})} }

func (j *journal) publish(m events.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.silent > 0 {
		return
	}
	// As with a real engine, no two events have the same time.
	m.TimeNano = max(m.TimeNano, j.last+1)
	j.last = m.TimeNano
	m.Time = m.TimeNano / int64(time.Second)
	if j.kept = append(j.kept, m); len(j.kept) > journalSize {
		j.kept = slices.Delete(j.kept, 0, len(j.kept)-journalSize)
	}
	for listener := range j.listeners {
		select {
		case listener <- m:
		default:
			delete(j.listeners, listener)
			close(listener)
		}
	}
}

// listen returns the events kept and a channel of those to come, which is closed when the stream is cut.
func (j *journal) listen() (past []events.Message, future chan events.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	future = make(chan events.Message, listenerSize)
	j.listeners[future] = struct{}{}
	return slices.Clone(j.kept), future
}

func (j *journal) leave(listener chan events.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.listeners, listener)
}

func (j *journal) cut() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for listener := range j.listeners {
		delete(j.listeners, listener)
		close(listener)
	}
}

// Quietly runs changes of which no event tells, as when nobody listened for too long.
func (d *Docker) Quietly(change func()) {
	d.silence(1)
	defer d.silence(-1)
	change()
}

func (d *Docker) silence(n int) {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	d.journal.silent += n
}

// DropEvents ends all event streams. The events stay for those who come back and ask with since.
func (d *Docker) DropEvents() { d.journal.cut() }

// ForgetEvents forgets the events of the past, as an engine that was restarted.
func (d *Docker) ForgetEvents() {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	d.journal.kept = nil
}

// Listeners returns how many event streams are open.
func (d *Docker) Listeners() int {
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	return len(d.journal.listeners)
}

// Emit sends any event, of a container that exists or not. A zero time is now.
func (d *Docker) Emit(m events.Message) {
	if m.TimeNano == 0 {
		m.TimeNano = d.cfg.Now().UnixNano()
	}
	d.journal.publish(m)
}

// emit sends an event of a container. Attributes are pairs.
func (d *Docker) emit(c *DockerContainer, action events.Action, attributes ...string) {
	all := maps.Clone(c.Labels)
	if all == nil {
		all = make(map[string]string)
	}
	all["name"], all["image"] = c.Name, c.Image
	for i := 0; i+1 < len(attributes); i += 2 {
		all[attributes[i]] = attributes[i+1]
	}
	d.Emit(events.Message{
		Type: events.ContainerEventType, Action: action, Scope: "local", Actor: events.Actor{ID: c.ID, Attributes: all},
	})
}

// events streams what happens. since and until are Unix times with a fraction; an until in the past ends the stream.
func (d *Docker) events(w http.ResponseWriter, r *http.Request) {
	d.count("events")
	query := r.URL.Query()
	filter, err := parseEventFilter(query.Get("filters"))
	if err != nil {
		dockerError(w, http.StatusBadRequest, "invalid filter: "+err.Error())
		return
	}
	past, future := d.journal.listen()
	defer d.journal.leave(future)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	flusher, encoder := http.NewResponseController(w), json.NewEncoder(w)
	_ = flusher.Flush()

	since, until := unixTime(query.Get("since")), unixTime(query.Get("until"))
	send := func(m *events.Message) bool {
		return !filter.match(m) || encoder.Encode(m) == nil && flusher.Flush() == nil
	}
	if since > 0 {
		for i := range past {
			if past[i].TimeNano >= since && (until == 0 || past[i].TimeNano <= until) && !send(&past[i]) {
				return
			}
		}
	}
	var end <-chan time.Time
	if until > 0 {
		timer := time.NewTimer(time.Unix(0, until).Sub(d.cfg.Now()))
		defer timer.Stop()
		end = timer.C
	}
	for {
		select {
		case m, open := <-future:
			if !open || !send(&m) {
				return
			}
		case <-end:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// unixTime reads seconds.nanoseconds. Nothing is zero.
func unixTime(text string) int64 {
	seconds, fraction, _ := strings.Cut(text, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return s*int64(time.Second) + n
}

// eventFilter holds the allowed values by key: all keys must match, any value will do.
type eventFilter map[string]map[string]bool

func parseEventFilter(text string) (eventFilter, error) {
	filter := make(eventFilter)
	if text == "" {
		return filter, nil
	}
	if json.Unmarshal([]byte(text), &filter) == nil {
		return filter, nil
	}
	// Clients of the time before API 1.22 send lists.
	var lists map[string][]string
	if err := json.Unmarshal([]byte(text), &lists); err != nil {
		return nil, err
	}
	filter = make(eventFilter)
	for key, values := range lists {
		filter[key] = make(map[string]bool)
		for _, value := range values {
			filter[key][value] = true
		}
	}
	return filter, nil
}

// match compares as the engine does: actions by their beginning, when health_status or exec_* is asked for.
// https://github.com/moby/moby/blob/v28.5.2/daemon/events/filter.go
func (f eventFilter) match(m *events.Message) bool {
	for key, values := range f {
		var ok bool
		switch key {
		case "type":
			ok = values[string(m.Type)]
		case "container":
			ok = m.Type == events.ContainerEventType && (values[m.Actor.ID] || values[m.Actor.Attributes["name"]])
		case "event":
			ok = values[string(m.Action)]
			if values["health_status"] || values["exec_create"] || values["exec_start"] {
				for value := range values {
					ok = ok || strings.HasPrefix(string(m.Action), value)
				}
			}
		case "label":
			for label := range values {
				name, want, valued := strings.Cut(label, "=")
				value, has := m.Actor.Attributes[name]
				ok = ok || has && (!valued || value == want)
			}
		default:
			ok = true
		}
		if !ok {
			return false
		}
	}
	return true
}

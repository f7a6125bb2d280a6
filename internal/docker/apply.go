package docker

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
)

// watched are the actions that the engine is asked for; the others, exec of
// health checks before all, come often and say nothing.
var watched = []Action{
	ActionCreate, ActionStart, ActionDie, ActionOOM, ActionHealth, ActionRename, ActionPause, ActionUnpause,
	ActionRestart, ActionKill, ActionStop, ActionDestroy, ActionUpdate,
}

func eventFilter() filters.Args {
	f := filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)))
	for _, action := range watched {
		f.Add("event", string(action))
	}
	return f
}

// apply handles an event of the engine.
func (w *Watcher) apply(ctx context.Context, engine *client.Client, m *events.Message) {
	if !w.history.add(m) {
		return
	}
	e, ok := parseEvent(m)
	if !ok || w.conclude.known(m.Actor.ID, e.Action, e.Time) {
		return
	}
	old, _ := w.store.get(m.Actor.ID)
	e.Container = w.after(ctx, engine, old, &e, m)
	if !w.store.put(e.Container) {
		w.counters.refused.Add(1)
	}
	w.emit(&e)
}

func (w *Watcher) emit(e *Event) {
	w.counters.events.Add(1)
	if e.Synthetic {
		w.counters.synthetic.Add(1)
	}
	w.subscribers.publish(*e)
}

func parseEvent(m *events.Message) (Event, bool) {
	action, detail, _ := strings.Cut(string(m.Action), ":")
	e := Event{Time: eventTime(m), Action: Action(action)}
	switch e.Action {
	case ActionDie:
		if code, err := strconv.Atoi(m.Actor.Attributes["exitCode"]); err == nil {
			e.ExitCode = &code
		}
	case ActionKill:
		e.Signal = m.Actor.Attributes["signal"]
	case ActionHealth:
		e.Health = Health(strings.TrimSpace(detail))
	case ActionRename:
		e.OldName = strings.TrimPrefix(m.Actor.Attributes["oldName"], "/")
	case ActionCreate, ActionStart, ActionOOM, ActionPause, ActionUnpause, ActionRestart, ActionStop, ActionDestroy, ActionUpdate:
	default:
		return e, false
	}
	return e, m.Type == events.ContainerEventType && m.Actor.ID != ""
}

// after returns the container as it is after an event: asked of the engine where
// the event does not say it all, else concluded.
func (w *Watcher) after(ctx context.Context, engine *client.Client, old *Container, e *Event, m *events.Message) *Container {
	stale := false
	if w.needsInspect(old, e.Action) {
		c, err := w.inspect(ctx, engine, m.Actor.ID)
		if err == nil {
			return corrected(c, e)
		}
		stale = !errdefs.IsNotFound(err)
	}
	c := fromEvent(m.Actor.ID, m.Actor.Attributes)
	if old != nil {
		*c = *old
		if e.Action == ActionRename {
			c.Name = strings.TrimPrefix(m.Actor.Attributes["name"], "/")
		}
	}
	c.stale = c.stale || stale
	w.advance(c, e)
	return c
}

func (*Watcher) needsInspect(old *Container, action Action) bool {
	switch action {
	case ActionDestroy:
		return false
	case ActionHealth, ActionPause, ActionUnpause, ActionKill, ActionStop:
		return old == nil || old.Partial || old.stale
	default:
		return true
	}
}

// corrected repairs what the engine writes down only later.
func corrected(c *Container, e *Event) *Container {
	switch {
	case e.Action == ActionOOM:
		c.OOMKilled = true
	case e.Action == ActionDie && e.ExitCode != nil && !c.Running():
		c.ExitCode = *e.ExitCode
	}
	return c
}

// advance changes a copy as the event says.
func (w *Watcher) advance(c *Container, e *Event) {
	switch e.Action {
	case ActionCreate:
		c.State, c.Created = StateCreated, e.Time
	case ActionStart, ActionRestart:
		c.State, c.Started = StateRunning, e.Time
	case ActionDie:
		ended(c, e.Time)
		if e.ExitCode != nil {
			c.ExitCode = *e.ExitCode
		}
	case ActionOOM:
		c.OOMKilled = true
	case ActionHealth:
		c.Health = e.Health
	case ActionPause:
		c.State = StatePaused
	case ActionUnpause:
		c.State = StateRunning
	case ActionDestroy:
		c.Gone = w.now()
		if c.Running() || c.State == "" {
			ended(c, e.Time)
		}
	}
}

func ended(c *Container, t time.Time) {
	c.State, c.Finished, c.Pid = StateExited, t, 0
}

func (w *Watcher) inspect(ctx context.Context, engine *client.Client, id string) (*Container, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	w.counters.inspects.Add(1)
	answer, err := engine.ContainerInspect(ctx, id)
	if err != nil {
		if !errdefs.IsNotFound(err) {
			w.counters.inspectErrors.Add(1)
		}
		return nil, err
	}
	c := fromInspect(&answer)
	c.ID = id
	return c, nil
}

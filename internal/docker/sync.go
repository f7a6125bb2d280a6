package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

const (
	inspectors = 4
	// givenUp is how many inspections may fail one after another: a container
	// that hangs is left alone, an engine that hangs ends the session.
	givenUp = 8
)

// sync lists the containers and inspects those that are new or changed, or all
// if thorough. What differs from what was known is told as synthetic events,
// except the first time.
func (w *Watcher) sync(ctx context.Context, engine *client.Client, thorough bool) error {
	list, err := w.list(ctx, engine)
	if err != nil {
		return err
	}
	exists := make(map[string]bool, len(list))
	for i := range list {
		exists[list[i].ID] = true
	}
	var missed []Event
	for _, c := range w.store.existing() {
		if !exists[c.ID] {
			missed = append(missed, w.vanished(c)...)
		}
	}
	list = w.choose(list)
	list = slices.DeleteFunc(list, func(s container.Summary) bool {
		old, _ := w.store.get(s.ID)
		return !thorough && old != nil && !old.stale && !old.Partial && unchanged(old, &s)
	})
	err = w.inspectAll(ctx, engine, list, func(c *Container) {
		old, _ := w.store.get(c.ID)
		if old != nil && c.Partial && !old.Partial {
			c = merged(old, c)
		}
		if w.store.put(c) {
			missed = append(missed, difference(old, c)...)
		}
	})
	if w.synced {
		slices.SortStableFunc(missed, func(a, b Event) int { return a.Time.Compare(b.Time) })
		for i := range missed {
			missed[i].Synthetic = true
			w.conclude.add(&missed[i], w.now())
			w.emit(&missed[i])
		}
	}
	return err
}

func (w *Watcher) list(ctx context.Context, engine *client.Client) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	w.counters.lists.Add(1)
	list, err := engine.ContainerList(ctx, container.ListOptions{All: true})
	return slices.DeleteFunc(list, func(s container.Summary) bool { return s.ID == "" }), err
}

// choose keeps as many as may be known: those that run before the others, those
// known before new ones, the newest first.
func (w *Watcher) choose(list []container.Summary) []container.Summary {
	refused := max(len(list)-w.cfg.MaxContainers, 0)
	w.counters.refused.Store(int64(refused))
	if refused == 0 {
		return list
	}
	known := func(s *container.Summary) int {
		if c, found := w.store.get(s.ID); found && c.Gone.IsZero() {
			return 1
		}
		return 0
	}
	runs := func(s *container.Summary) int {
		if state := State(s.State); state == StateRunning || state == StatePaused {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b container.Summary) int {
		return cmp.Or(cmp.Compare(runs(&b), runs(&a)), cmp.Compare(known(&b), known(&a)), cmp.Compare(b.Created, a.Created))
	})
	for i := range list[w.cfg.MaxContainers:] {
		w.store.forget(list[w.cfg.MaxContainers+i].ID)
	}
	return list[:w.cfg.MaxContainers]
}

// unchanged compares what a list says. A network that a container joined or left
// is an event of the network, not of the container.
func unchanged(c *Container, s *container.Summary) bool {
	if c.State != State(s.State) || c.Name != summaryName(s) {
		return false
	}
	if c.Running() && c.Health != summaryHealth(s.Status) {
		return false
	}
	var networks []Network
	if s.NetworkSettings != nil {
		networks = convertNetworks(s.NetworkSettings.Networks)
	}
	return slices.EqualFunc(c.Networks, networks, func(a, b Network) bool { return a.Name == b.Name && a.IP == b.IP })
}

// merged is a known container of which only the list could be read now.
func merged(old, listed *Container) *Container {
	c := *old
	c.Name, c.State, c.Networks, c.Ports, c.stale = listed.Name, listed.State, listed.Networks, listed.Ports, true
	if c.Running() {
		c.Health = listed.Health
	} else {
		c.Pid = 0
	}
	return &c
}

// inspectAll hands on each container that still exists, from the calling
// goroutine. One that cannot be inspected is handed on as listed.
func (w *Watcher) inspectAll(ctx context.Context, engine *client.Client, list []container.Summary, use func(*Container)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		c   *Container
		err error
	}
	work, results := make(chan *container.Summary), make(chan result)
	var wait sync.WaitGroup
	for range min(inspectors, len(list)) {
		wait.Go(func() {
			for s := range work {
				c, err := w.inspect(ctx, engine, s.ID)
				if err != nil {
					c = fromSummary(s)
				}
				results <- result{c, err}
			}
		})
	}
	go func() {
		defer close(results)
		for i := range list {
			select {
			case work <- &list[i]:
				continue
			case <-ctx.Done():
			}
			break
		}
		close(work)
		wait.Wait()
	}()
	failed := 0
	var last error
	for r := range results {
		if ctx.Err() != nil {
			continue
		}
		switch {
		case errdefs.IsNotFound(r.err):
			continue
		case r.err == nil:
			failed = 0
		case errdefs.IsPermissionDenied(r.err): // a proxy that allows the list only: better than nothing
		default:
			failed++
			last = r.err
			if failed >= givenUp {
				cancel()
			}
		}
		use(r.c)
	}
	if failed >= givenUp {
		return fmt.Errorf("inspect: %w", last)
	}
	return ctx.Err()
}

// vanished tells the end of a container that is no longer listed.
func (w *Watcher) vanished(c *Container) []Event {
	now := w.now()
	var found []Event
	if c.Running() {
		dead := *c
		ended(&dead, now)
		c = &dead
		found = append(found, Event{Time: now, Action: ActionDie, Container: c})
	}
	gone := *c
	gone.Gone = now
	w.store.put(&gone)
	return append(found, Event{Time: now, Action: ActionDestroy, Container: &gone})
}

// difference concludes what happened between two looks at a container; old is nil for a new one.
func difference(old, c *Container) []Event {
	var found []Event
	add := func(action Action, t time.Time) *Event {
		found = append(found, Event{Time: cmp.Or(t, time.Now().UTC()), Action: action, Container: c})
		return &found[len(found)-1]
	}
	if old == nil {
		old = &Container{ID: c.ID, Name: c.Name, Limits: c.Limits, State: StateCreated}
		add(ActionCreate, c.Created)
	}
	if old.Name != c.Name {
		add(ActionRename, time.Time{}).OldName = old.Name
	}
	restarted := !c.Started.Equal(old.Started) && !c.Started.IsZero() && !old.Partial
	if old.Partial {
		restarted = c.Running() && !old.Running()
	}
	if restarted {
		if old.Running() {
			died := time.Time{}
			if !c.Finished.IsZero() && c.Finished.Before(c.Started) {
				died = c.Finished
			}
			add(ActionDie, cmp.Or(died, c.Started))
		}
		add(ActionStart, c.Started)
	}
	if c.OOMKilled && !old.OOMKilled {
		add(ActionOOM, c.Finished)
	}
	switch ran := old.Running() || restarted; {
	case ran && !c.Running():
		e := add(ActionDie, c.Finished)
		if !c.Partial && !c.stale {
			code := c.ExitCode
			e.ExitCode = &code
		}
	case ran && c.State == StatePaused && (restarted || old.State != StatePaused):
		add(ActionPause, time.Time{})
	case !restarted && old.State == StatePaused && c.State == StateRunning:
		add(ActionUnpause, time.Time{})
	}
	if c.Running() && c.Health != old.Health && c.Health != "" && c.Health != HealthStarting {
		add(ActionHealth, time.Time{}).Health = c.Health
	}
	if c.Limits != old.Limits && !old.Partial && !c.Partial {
		add(ActionUpdate, time.Time{})
	}
	return found
}

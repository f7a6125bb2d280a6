package simulator

import (
	"maps"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
)

// The exit codes of processes ended by a signal.
const (
	exitKilled     = 128 + 9
	exitTerminated = 128 + 15
)

// Create adds a container that was created, unless it has another State, and returns its id.
func (d *Docker) Create(c DockerContainer) string {
	d.mu.Lock()
	id := d.add(c, container.StateCreated)
	created := *d.containers[id]
	d.mu.Unlock()
	d.emit(&created, events.ActionCreate)
	return id
}

// Run creates and starts a container.
func (d *Docker) Run(c DockerContainer) string {
	id := d.Create(c)
	d.Start(id)
	return id
}

// change changes a container by its id or name, and returns a copy. Of one that does not exist it returns nil.
func (d *Docker) change(ref string, how func(*DockerContainer)) *DockerContainer {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.find(ref)
	if c == nil {
		return nil
	}
	how(c)
	after := *c
	after.Labels = maps.Clone(c.Labels)
	return &after
}

func (d *Docker) now() time.Time { return d.cfg.Now().UTC() }

// Start starts a container, or starts it again.
func (d *Docker) Start(ref string) {
	c := d.change(ref, func(c *DockerContainer) {
		if c.State == container.StateRestarting {
			c.RestartCount++
		}
		c.State, c.Started, c.ExitCode, c.OOMKilled = container.StateRunning, d.now(), 0, false
		c.Pid++
		if c.Health != "" {
			c.Health = container.Starting
		}
	})
	if c != nil {
		d.emit(c, events.ActionStart)
	}
}

// Die ends the process of a container by itself.
func (d *Docker) Die(ref string, exitCode int) { d.end(ref, container.StateExited, exitCode, false) }

// Crash ends the process of a container that its restart policy will start again, which Start does.
func (d *Docker) Crash(ref string, exitCode int) {
	d.end(ref, container.StateRestarting, exitCode, false)
}

// end ends the process of a container. Without a state it is that of its restart policy.
func (d *Docker) end(ref string, state container.ContainerState, exitCode int, oom bool) {
	c := d.change(ref, func(c *DockerContainer) {
		if state == "" {
			state = container.StateExited
			if p := c.HostConfig.RestartPolicy; !p.IsNone() {
				state = container.StateRestarting
			}
		}
		c.State, c.Finished, c.ExitCode, c.OOMKilled = state, d.now(), exitCode, oom
	})
	if c == nil {
		return
	}
	if oom {
		d.emit(c, events.ActionOOM)
	}
	d.emit(c, events.ActionDie, "exitCode", itoa(exitCode))
}

// Kill sends a signal, by number, and ends the container.
func (d *Docker) Kill(ref string, signal int) {
	d.signal(ref, signal)
	d.Die(ref, 128+signal)
}

func (d *Docker) signal(ref string, signal int) {
	if c := d.change(ref, func(*DockerContainer) {}); c != nil {
		d.emit(c, events.ActionKill, "signal", itoa(signal))
	}
}

// OOM lets the kernel kill a container that uses too much memory. One with a restart policy waits for Start then.
func (d *Docker) OOM(ref string) { d.end(ref, "", exitKilled, true) }

// Stop is docker stop.
func (d *Docker) Stop(ref string) {
	d.Kill(ref, exitTerminated-128)
	if c := d.change(ref, func(*DockerContainer) {}); c != nil {
		d.emit(c, events.ActionStop)
	}
}

// Restart is docker restart.
func (d *Docker) Restart(ref string) {
	d.Stop(ref)
	d.Start(ref)
	if c := d.change(ref, func(*DockerContainer) {}); c != nil {
		d.emit(c, events.ActionRestart)
	}
}

// Pause stops a container's processes where they are.
func (d *Docker) Pause(ref string) {
	if c := d.change(ref, func(c *DockerContainer) { c.State = container.StatePaused }); c != nil {
		d.emit(c, events.ActionPause)
	}
}

// Unpause lets a paused container go on.
func (d *Docker) Unpause(ref string) {
	if c := d.change(ref, func(c *DockerContainer) { c.State = container.StateRunning }); c != nil {
		d.emit(c, events.ActionUnPause)
	}
}

// Rename gives a container another name.
func (d *Docker) Rename(ref, name string) {
	var old string
	if c := d.change(ref, func(c *DockerContainer) { old, c.Name = c.Name, name }); c != nil {
		d.emit(c, events.ActionRename, "oldName", "/"+old)
	}
}

// Health sets what the health check says.
func (d *Docker) Health(ref string, health container.HealthStatus) {
	if c := d.change(ref, func(c *DockerContainer) { c.Health = health }); c != nil {
		d.emit(c, events.ActionHealthStatus+": "+events.Action(health))
	}
}

// Update changes anything of a container, its limits before all.
func (d *Docker) Update(ref string, how func(*DockerContainer)) {
	if c := d.change(ref, how); c != nil {
		d.emit(c, events.ActionUpdate)
	}
}

// Remove is docker rm --force.
func (d *Docker) Remove(ref string) {
	c := d.change(ref, func(*DockerContainer) {})
	if c == nil {
		return
	}
	if running(c) {
		d.Kill(ref, exitKilled-128)
	}
	d.mu.Lock()
	delete(d.containers, c.ID)
	d.order = slices.DeleteFunc(d.order, func(id string) bool { return id == c.ID })
	d.mu.Unlock()
	d.emit(c, events.ActionDestroy)
}

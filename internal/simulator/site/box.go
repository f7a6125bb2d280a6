package site

import (
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// box is a container: its life, and what it uses of the machine.
type box struct {
	name   string
	id     string
	index  int
	engine *engine // nil for one without a model
	spec   *SupportSpec

	running bool
	// startedAt is when it was started last.
	startedAt time.Time
	// life counts how often it ended: what was to happen to an earlier life does not happen to a later one.
	life int
	// looping says that it ends soon after each start, failing that it cannot load its model.
	looping, failing bool
	// pid is that of its first process on the host.
	pid uint32

	cpu    time.Duration // used since the container was started
	rate   float64       // cores in use
	memory uint64
	// leaking says that it takes more memory all the time, leaked how much it was.
	leaking bool
	leaked  uint64
	total   transfer // since the container was started
	moved   transfer // in the last step
	// requests passed through it since the last step.
	requests int
	health   container.HealthStatus
	lines    lineWriter
}

// transfer is bytes of the network interface and of disks.
type transfer struct{ received, sent, read, written uint64 }

func (t *transfer) add(more transfer) {
	t.received += more.received
	t.sent += more.sent
	t.read += more.read
	t.written += more.written
}

const (
	// restartPause is how long Docker waits before it starts a container again.
	restartPause = 2 * time.Second
	// loopTime is how long a container in a restart loop runs.
	loopTime = 20 * time.Second
	// leakTime is how long a server that leaks takes to reach its limit.
	leakTime = 25 * time.Second
)

func (w *World) boxNamed(name string) *box {
	for _, b := range w.boxes {
		if b.name == name {
			return b
		}
	}
	return nil
}

// start starts the container, unless it runs. A model is loaded then.
func (b *box) start(w *World) {
	if b.running {
		return
	}
	b.running = true
	b.startedAt = w.clock.Now()
	w.docker.Start(b.id)
	b.renew(w)
	b.lines.started(w)
	switch {
	case b.engine != nil:
		b.engine.load(w)
	case b == w.proxy.box:
		w.proxy.started(w)
	}
	if b.looping {
		life := b.life
		w.at(w.now+loopTime, func() {
			if b.life == life && b.looping {
				b.crash(w, 1)
			}
		})
	}
}

// stop is docker stop: it does not come back by itself.
func (b *box) stop(w *World) {
	if !b.running {
		b.life++ // nor does it start again
		return
	}
	b.ended(w)
	w.docker.Stop(b.id)
}

// die ends the container, which stays down.
func (b *box) die(w *World, exitCode int) {
	if !b.running {
		return
	}
	b.ended(w)
	w.docker.Die(b.id, exitCode)
}

// crash ends the container, which its restart policy starts again.
func (b *box) crash(w *World, exitCode int) {
	if !b.running {
		return
	}
	b.ended(w)
	w.docker.Crash(b.id, exitCode)
	b.startAgain(w)
}

// kill is the kernel's answer to a container without memory.
func (b *box) kill(w *World) {
	if !b.running {
		return
	}
	b.ended(w)
	w.docker.OOM(b.id)
	b.startAgain(w)
}

// startAgain is what the restart policy does, unless somebody else did something before.
func (b *box) startAgain(w *World) {
	life := b.life
	w.at(w.now+restartPause, func() {
		if b.life == life {
			b.start(w)
		}
	})
}

// renew gives the processes new numbers, as the kernel does; ranks of a server follow its first process.
func (b *box) renew(w *World) {
	const others = 16
	b.pid = firstPID + uint32(pidsEach*b.index) + (b.pid+others-firstPID)%pidsEach/others*others
	w.docker.Update(b.id, func(c *simulator.DockerContainer) { c.Pid = int(b.pid) })
}

func (b *box) ended(w *World) {
	b.running = false
	b.life++
	b.rate, b.memory = 0, 0
	b.leaking, b.leaked = false, 0
	b.cpu, b.total, b.moved = 0, transfer{}, transfer{}
	switch {
	case b.engine != nil:
		b.engine.unload(w)
	case b == w.proxy.box:
		w.proxy.inFlight = 0 // its clients lose their connections
	}
}

// load begins to load the model.
func (e *engine) load(w *World) {
	e.condition = loading
	e.loadingSince = w.now
	e.readyAt = w.now + e.spec.Loading
	e.vllm.Restart() // a new process: its counters begin here
	e.vllm.SetPhase(simulator.PhaseLoading)
	w.at(e.readyAt, func() {
		if e.condition == loading && w.now >= e.readyAt {
			e.loadedUp(w)
		}
	})
}

// loadedUp is the end of loading, or where it fails.
func (e *engine) loadedUp(w *World) {
	b := e.box
	if b.failing {
		b.lines.failedToLoad(w)
		b.die(w, 1)
		return
	}
	e.condition = ready
	e.vllm.SetPhase(simulator.PhaseReady)
	b.lines.ready(w)
}

// unload ends the server; requests that it had fail.
func (e *engine) unload(w *World) {
	lost := e.drop(w.now)
	e.condition = down
	for _, r := range lost {
		w.fail(r, failServerGone)
	}
}

// loaded is the share of the weights that is on the GPUs.
func (e *engine) loaded(now time.Duration) float64 {
	if e.spec.Loading <= 0 {
		return 1
	}
	return min((now-e.loadingSince).Seconds()/e.spec.Loading.Seconds(), 1)
}

// step brings what the container uses to the end of the step, and to Docker.
func (b *box) step(w *World) {
	step := w.cfg.Step.Seconds()
	b.moved = transfer{}
	if b.running {
		b.use(w, step)
		b.total.add(b.moved)
		if b.leaking {
			b.leak(w, step)
		}
	}
	b.requests = 0
	health := b.healthNow()
	if health != b.health {
		b.health = health
		w.docker.Health(b.id, health)
	}
	w.docker.Use(b.id, b.show)
	b.lines.step(w)
}

// leak takes more memory, until the kernel has none left for it.
func (b *box) leak(w *World, step float64) {
	b.leaked += uint64(memoryLimit * step / leakTime.Seconds())
	b.memory = min(b.memory+b.leaked, memoryLimit)
	w.docker.Use(b.id, b.show)
	if b.memory == memoryLimit {
		b.lines.write(w, "stderr", "Killed")
		b.kill(w)
	}
}

// use decides what the container uses in this step.
func (b *box) use(w *World, step float64) {
	rng := w.random.servers
	requests := float64(b.requests)
	if e := b.engine; e != nil {
		// One core polls for each process while a batch runs; tokenizing takes the rest (~).
		b.rate = 0.03 + 0.01*rng.Float64() + requests/step*0.05
		if len(e.running) > 0 {
			b.rate += float64(len(e.spec.GPUs))
		}
		if e.condition == loading {
			b.rate = 1.6 + 0.3*rng.Float64()
			b.moved.read += uint64(e.perf.weights * float64(len(e.spec.GPUs)) * step / e.spec.Loading.Seconds())
		}
		b.memory = uint64(6e9 + 0.02e9*e.spec.Parameters)
		b.moved.received += uint64(requests * 9000)
		b.moved.sent += uint64(requests * 24000)
	} else {
		b.rate = b.spec.CPU*(0.8+0.4*rng.Float64()) + requests*b.spec.PerRequest.Seconds()/step
		b.memory = uint64(float64(b.spec.Memory) * (0.97 + 0.06*rng.Float64()))
		b.moved.received += uint64(800*step + requests*12000)
		b.moved.sent += uint64(700*step + requests*12000)
		b.moved.written += uint64(4096*step + requests*16384)
	}
	b.cpu += time.Duration(b.rate * step * float64(time.Second))
}

// healthNow is what a health check would say; empty where the container has none.
func (b *box) healthNow() container.HealthStatus {
	switch {
	case !b.running, b.engine == nil && !b.spec.Health:
		return b.health
	case b.engine == nil || b.engine.condition == ready || b.engine.condition == stuck:
		return container.Healthy
	}
	return container.Starting
}

func (b *box) show(c *simulator.DockerContainer) {
	c.CPU, c.Memory = b.cpu, b.memory
	c.Usage = simulator.DockerUsage{File: b.memory / 5, Received: b.total.received, Sent: b.total.sent, Read: b.total.read, Written: b.total.written, Processes: 24}
}

package site

func modelDown(w *World, a *Anomaly) { w.boxOf(a.engine).stop(w) }

// modelUp ends what kept a container from running.
func modelUp(w *World, a *Anomaly) {
	b := w.boxOf(a.engine)
	b.looping, b.failing = false, false
	b.start(w)
}

func modelStuck(_ *World, a *Anomaly) {
	if a.engine.condition == ready {
		a.engine.condition = stuck
	}
}

// modelFree is a restart: nothing else frees a server that is stuck.
func modelFree(w *World, a *Anomaly) {
	if b := w.boxOf(a.engine); b.running {
		b.ended(w)
		w.docker.Restart(b.id)
		b.running, b.startedAt = true, w.clock.Now()
		b.renew(w)
		b.lines.started(w)
		a.engine.load(w)
	}
}

func loadingFails(w *World, a *Anomaly) {
	b := w.boxOf(a.engine)
	b.failing = true
	b.stop(w)
	b.start(w)
}

func restartLoop(w *World, a *Anomaly) {
	b := w.boxOf(a.engine)
	b.looping = true
	b.lines.write(w, "stderr", "Fatal Python error: Segmentation fault")
	b.crash(w, 139)
	b.start(w) // one that was down, too
}

func outOfMemory(w *World, a *Anomaly) {
	b := w.boxOf(a.engine)
	b.memory = 256 * gib
	w.docker.Update(b.id, b.show)
	b.kill(w)
}

func proxyDown(w *World, _ *Anomaly) { w.boxNamed(proxyContainer).stop(w) }
func proxyUp(w *World, _ *Anomaly)   { w.boxNamed(proxyContainer).start(w) }

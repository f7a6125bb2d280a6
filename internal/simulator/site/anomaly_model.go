package site

func modelDown(w *World, a *Anomaly) { a.engine.box.stop(w) }

// modelUp ends what kept a container from running.
func modelUp(w *World, a *Anomaly) {
	b := a.engine.box
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
	if b := a.engine.box; b.running {
		b.ended(w)
		w.docker.Restart(b.id)
		b.running, b.startedAt = true, w.clock.Now()
		b.renew(w)
		b.lines.started(w)
		a.engine.load(w)
	}
}

func loadingFails(w *World, a *Anomaly) {
	b := a.engine.box
	b.failing = true
	b.stop(w)
	b.start(w)
}

func restartLoop(w *World, a *Anomaly) {
	b := a.engine.box
	b.looping = true
	b.lines.write(w, "stderr", "Fatal Python error: Segmentation fault")
	if b.running {
		b.crash(w, 139)
	} else {
		b.start(w)
	}
}

func outOfMemory(_ *World, a *Anomaly) {
	a.engine.box.leaking = true
}

func proxyDown(w *World, _ *Anomaly) { w.boxNamed(proxyContainer).stop(w) }
func proxyUp(w *World, _ *Anomaly)   { w.boxNamed(proxyContainer).start(w) }

package site

import (
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// failure is why a request failed.
type failure int

const (
	failClient     failure = iota // 400: the client asks for what cannot be
	failServer                    // 500: the server fails
	failServerGone                // 503: the server is not there
	failTimeout                   // 408: the proxy gave up waiting
)

// patience is how long the proxy waits for a server.
const patience = 10 * time.Minute

// arrive is the beginning of a request, in the proxy.
func (w *World) arrive(at time.Duration) {
	r := w.draw(at)
	if !w.proxy.up() {
		w.ledger.unheard++ // nobody answers, and nobody counts
		return
	}
	w.proxy.touch(r)
	switch {
	case r.wrong:
		w.fail(r, failClient)
	case r.model.condition == down || r.model.condition == loading:
		w.fail(r, failServerGone)
	default:
		w.at(at+r.overhead, func() { w.enqueue(r) })
	}
}

// enqueue hands the request to its server.
func (w *World) enqueue(r *request) {
	e := r.model
	if e.condition == down || e.condition == loading {
		w.fail(r, failServerGone)
		return
	}
	e.box.requests++
	e.waiting = append(e.waiting, r)
	w.pump(e)
	w.at(r.arrived+patience, func() { w.giveUp(r) })
}

// pump lets the server begin what it can.
func (w *World) pump(e *engine) {
	for _, r := range e.admit(w.now, w.effects.slow(e)) {
		w.at(r.ended, func() { w.complete(r) })
	}
}

// complete is the end of a request in its server.
func (w *World) complete(r *request) {
	e := r.model
	if e.condition == stuck || !e.release(r, w.now) {
		return
	}
	if w.random.servers.Float64() < w.effects.serverErrors(e) {
		e.finish(r, simulator.ReasonError)
		w.fail(r, failServer)
	} else {
		reason := simulator.ReasonStop
		if w.random.servers.Float64() < 0.12 {
			reason = simulator.ReasonLength
		}
		e.finish(r, reason)
		w.succeed(r)
	}
	w.pump(e)
}

// giveUp ends a request that the proxy has waited for too long.
func (w *World) giveUp(r *request) {
	e := r.model
	if e.release(r, w.now) {
		e.finishAborted(r)
		w.fail(r, failTimeout)
		w.pump(e)
		return
	}
	for i, other := range e.waiting {
		if other == r {
			e.waiting = append(e.waiting[:i], e.waiting[i+1:]...)
			w.fail(r, failTimeout)
			return
		}
	}
}

// finishAborted tells the server's counters of a request whose client went away. It ran until now.
func (e *engine) finishAborted(r *request) {
	e.vllm.Finish(simulator.VLLMRequest{
		PromptTokens: r.prompt, CachedTokens: r.cached,
		Queue: r.admitted - r.arrived - r.overhead + scheduling, Prefill: r.first - r.admitted, Reason: simulator.ReasonAbort,
	})
}

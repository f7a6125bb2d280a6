package site

import (
	"fmt"
	"time"
)

// LogSink takes a line that a container writes: its id, when, to "stdout" or "stderr", and the text without its end.
type LogSink func(container string, at time.Time, stream, text string)

// lineWriter writes what a container says.
type lineWriter struct {
	box  *box
	port int
	// stats is when the server last summed up.
	stats time.Duration
}

// statsPeriod is how often vLLM logs its throughput.
const statsPeriod = 10 * time.Second

// apart is by how much the lines of one container are later than those of the one before: never do two write at the same
// nanosecond. Readers tell log files by how they begin.
const apart = 1_234_567 * time.Nanosecond

func (l *lineWriter) write(w *World, stream, text string) {
	if w.cfg.Logs != nil {
		w.cfg.Logs(l.box.id, w.clock.Now().Add(time.Duration(l.box.index+1)*apart), stream, text)
	}
}

// say writes a line in the format of vLLM's logger: "INFO 09-01 12:00:00 [core.py:42] text".
func (l *lineWriter) say(w *World, level, place, text string) {
	l.write(w, "stderr", level+" "+w.clock.Now().UTC().Format("01-02 15:04:05")+" ["+place+"] "+text)
}

// access writes a line in the format of uvicorn's access log.
func (l *lineWriter) access(w *World, method, path string, status int, reason string) {
	l.port = 30000 + (l.port+7)%20000
	l.write(w, "stdout", fmt.Sprintf(`INFO:     172.18.0.2:%d - "%s %s HTTP/1.1" %d %s`, l.port, method, path, status, reason))
}

func (l *lineWriter) started(w *World) {
	switch e := l.box.engine; {
	case e != nil:
		l.say(w, "INFO", "api_server.py:1896", "vLLM API server version "+string(e.spec.Version))
		l.say(w, "INFO", "gpu_model_runner.py:2338", "Starting to load model "+e.spec.Hub+"...")
	default:
		l.write(w, "stdout", `{"level": "INFO", "message": "`+l.box.name+` starts"}`)
	}
}

func (l *lineWriter) ready(w *World) {
	e := l.box.engine
	l.say(w, "INFO", "default_loader.py:268", fmt.Sprintf("Loading weights took %.2f seconds", (w.now-e.loadingSince).Seconds()*0.7))
	l.say(w, "INFO", "kv_cache_utils.py:864", fmt.Sprintf("GPU KV cache size: %d tokens", e.perf.capacity))
	l.write(w, "stderr", "INFO:     Application startup complete.")
}

func (l *lineWriter) failedToLoad(w *World) {
	l.say(w, "ERROR", "core.py:718", "EngineCore failed to start.")
	l.say(w, "ERROR", "core.py:718", fmt.Sprintf("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate %.2f GiB.", l.box.engine.perf.weights/gib/8))
	l.write(w, "stderr", "RuntimeError: Engine core initialization failed. See root cause above.")
}

func (l *lineWriter) answered(w *World, status int, reason string) {
	path := "/v1/chat/completions"
	switch l.box.engine.spec.Kind {
	case Embedding:
		path = "/v1/embeddings"
	case Rerank:
		path = "/v1/rerank"
	}
	l.access(w, "POST", path, status, reason)
}

// step writes what a container says by itself, if it runs.
func (l *lineWriter) step(w *World) {
	if w.cfg.Logs == nil || !l.box.running {
		return
	}
	rng := w.random.logs
	if w.effects.on(LogFlood, l.box.engine) && l.box.engine != nil {
		for range int(200 * w.cfg.Step.Seconds()) {
			l.say(w, "WARNING", "scheduler.py:1021", fmt.Sprintf("Cannot schedule request %08x: no free blocks", rng.Uint32()))
		}
	}
	perStep := w.effects.behaviour().logErrors * w.cfg.Step.Minutes()
	for range poisson(rng, perStep) {
		l.complain(w, rng.IntN(len(complaints)))
	}
	if e := l.box.engine; e != nil && e.condition == ready && w.now-l.stats >= statsPeriod {
		since := (w.now - l.stats).Seconds()
		l.say(w, "INFO", "loggers.py:123", fmt.Sprintf(
			"Engine 000: Avg prompt throughput: %.1f tokens/s, Avg generation throughput: %.1f tokens/s, Running: %d reqs, Waiting: %d reqs, GPU KV cache usage: %.1f%%",
			float64(e.logged.prefilled)/since, float64(e.logged.decoded)/since, len(e.running), len(e.waiting), 100*float64(e.tokens)/float64(e.perf.capacity)))
		l.stats, e.logged = w.now, throughput{}
	}
}

// complaints are errors that servers log now and then.
var complaints = []struct{ place, text string }{
	{"serving_chat.py:1147", "Error in chat completion stream generator."},
	{"async_llm.py:420", "Request was aborted by its client."},
	{"http_client.py:88", "Connection to an upstream server was reset."},
}

func (l *lineWriter) complain(w *World, i int) {
	if l.box.engine == nil {
		l.write(w, "stderr", `{"level": "ERROR", "message": "`+complaints[i].text+`"}`)
		return
	}
	l.say(w, "ERROR", complaints[i].place, complaints[i].text)
}

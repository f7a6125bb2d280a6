package site

import (
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const (
	// langfuseRetention is the shortest that Langfuse offers: what is older is deleted every night.
	langfuseRetention = 3 // days
	// mostTraces are as many as it keeps, some 100 MB: a busy or a large site has more in a few hours. leastHours are kept
	// whatever there was in them, as who reads them is minutes behind.
	mostTraces = 100_000
	leastHours = 2
	// behindBy is how late Langfuse is while it is behind.
	behindBy = 2 * time.Hour
)

// newLangfuse makes the analytics behind the proxy.
func newLangfuse(w *World) *simulator.Langfuse {
	p := &w.cfg.Spec.Proxy
	return simulator.NewLangfuse(simulator.LangfuseConfig{
		Version: p.Langfuse, PublicKey: LangfusePublicKey, SecretKey: LangfuseSecretKey, ProjectID: "llm-host", ProjectName: "llm-host", Organization: "example", RetentionDays: langfuseRetention,
		IngestionDelay: p.IngestionDelay, Now: w.clock.Now,
	})
}

// analytics is what keeps Langfuse's store small.
type analytics struct {
	hour time.Time
	// traces of each hour that is kept, the present one last.
	traces []int
}

// step deletes what is too old when a new day (UTC) has begun, and with each hour what is too much.
func (a *analytics) step(w *World) {
	hour := w.clock.Now().UTC().Truncate(time.Hour)
	if !hour.After(a.hour) {
		return
	}
	a.hour, a.traces = hour, append(a.traces, 0)
	kept := len(a.traces)
	if hour.Hour() == 0 {
		kept = min(kept, 24*langfuseRetention+1)
	}
	total := 0
	for i, n := range slices.Backward(a.traces) {
		if total += n; total > mostTraces {
			kept = min(kept, max(len(a.traces)-i-1, leastHours))
			break
		}
	}
	if kept < len(a.traces) {
		a.traces = slices.Clone(a.traces[len(a.traces)-kept:])
		w.langfuse.Retain(hour.Add(time.Duration(1-kept) * time.Hour))
	}
}

// trace sends Langfuse what the proxy knows of a request that is over. Level is empty for one that went well.
func (w *World) trace(r *request, ended time.Duration, level, status string) {
	if n := len(w.analytics.traces); n > 0 {
		w.analytics.traces[n-1]++
	}
	m := r.model.spec
	id := fmt.Sprintf("%016x%016x", w.cfg.Seed, r.number)
	start := w.cfg.Start.Add(r.arrived)
	team := fmt.Sprintf("team-%d", r.team+1)
	w.langfuse.AddTrace(simulator.LangfuseTrace{
		ID: id, Time: start, Name: "litellm-" + string(m.Kind), UserID: fmt.Sprintf("user-%02d", r.user+1), SessionID: fmt.Sprintf("session-%06d", r.session),
		Environment: "production", Tags: []string{team},
	})
	o := simulator.LangfuseObservation{
		ID: id + "-g", TraceID: id, Type: "GENERATION", Name: "litellm-" + string(m.Kind), Start: start, End: w.cfg.Start.Add(ended),
		Model: m.Public, Level: level, StatusMessage: status, Environment: "production",
	}
	if m.Kind == Embedding {
		o.Type = "EMBEDDING"
	}
	if level == "" {
		o.InputTokens, o.OutputTokens = r.prompt, r.output
		in, out := float64(r.prompt)*m.InputPrice, float64(r.output)*m.OutputPrice+r.surcharge
		o.InputCost, o.OutputCost = &in, &out
		if r.streaming {
			o.CompletionStart = w.cfg.Start.Add(r.first)
		}
		w.score(r, id)
	}
	w.langfuse.Add(o)
}

// score is what evaluators and users think of some answers.
func (w *World) score(r *request, trace string) {
	rng := w.random.scores
	at := w.clock.Now().Add(time.Duration(2+rng.IntN(20)) * time.Second)
	draw := rng.Float64()
	if r.model.spec.Kind != Chat {
		return
	}
	if draw < 0.3 {
		w.langfuse.AddScore(simulator.LangfuseScore{
			ID: trace + "-q", Time: at, Name: "quality", Source: "EVAL", DataType: "NUMERIC", Value: min(max(0.82+0.1*rng.NormFloat64(), 0), 1), TraceID: trace,
		})
	}
	if draw < 0.06 {
		liked := 0.0
		if rng.Float64() < 0.85 {
			liked = 1
		}
		w.langfuse.AddScore(simulator.LangfuseScore{ID: trace + "-f", Time: at, Name: "user-feedback", Source: "API", DataType: "BOOLEAN", Value: liked, TraceID: trace})
	}
	if draw < 0.02 {
		topics := []string{"code", "writing", "search", "other"}
		w.langfuse.AddScore(simulator.LangfuseScore{ID: trace + "-t", Time: at, Name: "topic", Source: "ANNOTATION", DataType: "CATEGORICAL", StringValue: topics[rng.IntN(len(topics))], TraceID: trace})
	}
}

func langfuseBehind(w *World, _ *Anomaly) { w.langfuse.SetIngestionDelay(behindBy) }
func langfuseCatchesUp(w *World, _ *Anomaly) {
	w.langfuse.SetIngestionDelay(w.cfg.Spec.Proxy.IngestionDelay)
}

package langfusereceiver

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// life is what applications do to a project, and what of it must be counted.
type life struct {
	sim    *simulator.Langfuse
	random *rand.Rand
	n      int
	events []event
}

// event is one thing that happened. One of the pointers is set.
type event struct {
	at          time.Time
	trace       *simulator.LangfuseTrace
	observation *simulator.LangfuseObservation
	score       *simulator.LangfuseScore
}

func newLife(sim *simulator.Langfuse) *life {
	return &life{sim: sim, random: rand.New(rand.NewPCG(7, 7))}
}

// live fills a time with traces, about as many in an hour. Some begin exactly where
// windows do.
func (l *life) live(from, to time.Time, perHour int) *life {
	number := int(to.Sub(from).Hours() * float64(perHour))
	for i := range number {
		at := from.Add(time.Duration(l.random.Int64N(int64(to.Sub(from))))).Truncate(time.Millisecond)
		if i%10 == 0 {
			at = at.Truncate(5 * time.Minute)
		}
		if !at.Before(from) {
			l.trace(at)
		}
	}
	return l
}

// trace adds one with what is in it.
func (l *life) trace(at time.Time) {
	l.n++
	id := fmt.Sprintf("trace-%d", l.n)
	env := []string{"production", "staging"}[l.random.IntN(2)]
	user := fmt.Sprintf("user-%d", l.random.IntN(9))
	if l.random.IntN(4) == 0 {
		user = ""
	}
	l.addTrace(simulator.LangfuseTrace{ID: id, Time: at, Name: "chat", UserID: user, SessionID: fmt.Sprintf("session-%d", l.random.IntN(5)), Environment: env})
	root := id + "-root"
	l.add(simulator.LangfuseObservation{ID: root, TraceID: id, Type: "SPAN", Start: at, End: at.Add(3 * time.Second), Environment: env})
	for i := range 1 + l.random.IntN(3) {
		start := at.Add(time.Duration(l.random.IntN(1000)) * time.Millisecond)
		o := simulator.LangfuseObservation{
			ID: fmt.Sprint(id, "-", i), TraceID: id, ParentID: root, Type: "GENERATION", Model: fmt.Sprintf("model-%d", l.random.IntN(4)),
			Start: start, CompletionStart: start.Add(200 * time.Millisecond), End: start.Add(time.Duration(500+l.random.IntN(2000)) * time.Millisecond),
			InputTokens: l.random.IntN(2000), OutputTokens: l.random.IntN(500), Environment: env, PromptName: "greet", PromptVersion: 1 + l.random.IntN(2),
		}
		if o.Model != "model-3" { // which has no price
			input, output := float64(o.InputTokens)*1e-6, float64(o.OutputTokens)*4e-6
			o.InputCost, o.OutputCost = &input, &output
		}
		if l.random.IntN(8) == 0 {
			o.Level = "ERROR"
		}
		l.add(o)
	}
	switch l.random.IntN(4) {
	case 0:
		l.addScore(simulator.LangfuseScore{Time: at.Add(time.Second), TraceID: id, Name: "quality", Source: "EVAL", Value: float64(l.random.IntN(8)) / 8, Environment: env})
	case 1:
		l.addScore(simulator.LangfuseScore{Time: at.Add(time.Second), TraceID: id, Name: "good", Source: "ANNOTATION", DataType: "BOOLEAN", Value: float64(l.random.IntN(2)), Environment: env})
	case 2:
		l.addScore(simulator.LangfuseScore{Time: at.Add(time.Second), TraceID: id, Name: "tone", DataType: "CATEGORICAL", StringValue: []string{"kind", "rude"}[l.random.IntN(2)], Environment: env})
	default:
		l.addScore(simulator.LangfuseScore{Time: at.Add(time.Second), TraceID: id, Name: "remark", DataType: "TEXT", StringValue: fmt.Sprint("text ", l.n), Environment: env})
		l.add(simulator.LangfuseObservation{ID: id + "-e", TraceID: id, ParentID: root, Type: "EMBEDDING", Model: "embedder", Start: at, End: at.Add(time.Second), InputTokens: 64, Environment: env})
	}
}

func (l *life) addTrace(t simulator.LangfuseTrace) {
	l.sim.AddTrace(t)
	l.events = append(l.events, event{at: t.Time, trace: &t})
}

func (l *life) add(o simulator.LangfuseObservation) {
	l.sim.Add(o)
	l.events = append(l.events, event{at: o.Start, observation: &o})
}

func (l *life) addScore(s simulator.LangfuseScore) {
	l.sim.AddScore(s)
	l.events = append(l.events, event{at: s.Time, score: &s})
}

// truth is what must have been counted of [from, to), by series.
func (l *life) truth(from, to time.Time) map[string]float64 {
	sums := map[string]float64{}
	add := func(v float64, metric string, attributes map[string]any) {
		sums[point{metric: metric, attributes: attributes}.series()] += v
	}
	for _, e := range l.events {
		switch {
		case e.at.Before(from), !e.at.Before(to):
		case e.trace != nil:
			add(1, "langfuse.traces", nil)
		case e.observation != nil:
			l.truthOf(e.observation, add)
		default:
			truthOfScore(e.score, add)
		}
	}
	return sums
}

func (*life) truthOf(o *simulator.LangfuseObservation, add func(float64, string, map[string]any)) {
	level := o.Level
	if level == "" {
		level = "DEFAULT"
	}
	attributes := map[string]any{"langfuse.observation.type": o.Type, "langfuse.observation.level": level}
	if o.Model == "" {
		add(1, "langfuse.observations", attributes)
		return
	}
	attributes["gen_ai.request.model"] = o.Model
	add(1, "langfuse.observations", attributes)
	of := func(key, value string) map[string]any {
		return map[string]any{"gen_ai.request.model": o.Model, key: value}
	}
	if o.InputTokens > 0 {
		add(float64(o.InputTokens), "langfuse.tokens", of("gen_ai.token.type", "input"))
	}
	if o.OutputTokens > 0 {
		add(float64(o.OutputTokens), "langfuse.tokens", of("gen_ai.token.type", "output"))
	}
	if o.InputCost != nil && *o.InputCost > 0 {
		add(*o.InputCost, "langfuse.cost", of("langfuse.cost.type", "input"))
	}
	if o.OutputCost != nil && *o.OutputCost > 0 {
		add(*o.OutputCost, "langfuse.cost", of("langfuse.cost.type", "output"))
	}
}

func truthOfScore(s *simulator.LangfuseScore, add func(float64, string, map[string]any)) {
	source := s.Source
	if source == "" {
		source = "API"
	}
	attributes := map[string]any{"langfuse.score.name": s.Name, "langfuse.score.source": source}
	if s.DataType != "CATEGORICAL" && s.DataType != "TEXT" {
		add(s.Value, "langfuse.score.sum", map[string]any{"langfuse.score.name": s.Name, "langfuse.score.source": source})
	}
	switch s.DataType {
	case "TEXT": // not counted
		return
	case "CATEGORICAL":
		attributes["langfuse.score.value"] = s.StringValue
	case "BOOLEAN":
		attributes["langfuse.score.value"] = strconv.FormatBool(s.Value == 1)
	}
	attributes["langfuse.score.data_type"] = s.DataType
	if s.DataType == "" {
		attributes["langfuse.score.data_type"] = "NUMERIC"
	}
	add(1, "langfuse.scores", attributes)
}

package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// langfuseStore is the data of one project with the ways from a trace to its parts.
type langfuseStore struct {
	observations *langfuseTable[LangfuseObservation]
	traces       *langfuseTable[langfuseTrace]
	scores       *langfuseTable[LangfuseScore]

	observationsOf      map[string][]*LangfuseObservation // by trace
	scoresOfTrace       map[string][]*LangfuseScore
	scoresOfObservation map[string][]*LangfuseScore
	ids                 map[string]int // handed out, by kind
}

// langfuseTrace is a trace, added by itself or derived from its observations.
type langfuseTrace struct {
	LangfuseTrace
	derived bool
}

func newLangfuseStore() langfuseStore {
	return langfuseStore{
		observations: newLangfuseTable(func(o *LangfuseObservation) time.Time { return o.Start }),
		traces:       newLangfuseTable(func(t *langfuseTrace) time.Time { return t.Time }),
		scores:       newLangfuseTable(func(s *LangfuseScore) time.Time { return s.Time }),

		observationsOf:      map[string][]*LangfuseObservation{},
		scoresOfTrace:       map[string][]*LangfuseScore{},
		scoresOfObservation: map[string][]*LangfuseScore{},
		ids:                 map[string]int{},
	}
}

// name fills in an id that was left empty.
func (s *langfuseStore) name(id *string, kind string) {
	if *id == "" {
		s.ids[kind]++
		*id = fmt.Sprintf("sim-%s-%06d", kind, s.ids[kind])
	}
}

// Add stores an observation and returns its id.
func (l *Langfuse) Add(o LangfuseObservation) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(&o.ID, "observation")
	l.name(&o.TraceID, "trace")
	o.fill()
	if old := l.observations.byID[o.ID]; old != nil {
		unlink(l.observationsOf, old.TraceID, old)
	}
	stored := l.observations.put(o.ID, o)
	l.observationsOf[o.TraceID] = append(l.observationsOf[o.TraceID], stored)
	if t := l.traces.byID[o.TraceID]; t == nil || t.derived {
		l.traces.put(o.TraceID, deriveTrace(l.observationsOf[o.TraceID]))
	}
	return o.ID
}

// AddTrace stores a trace and returns its id.
func (l *Langfuse) AddTrace(t LangfuseTrace) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(&t.ID, "trace")
	t.Time, t.Tags = t.Time.Truncate(time.Microsecond), slices.Clone(t.Tags)
	setDefault(&t.Environment, "default")
	l.traces.put(t.ID, langfuseTrace{LangfuseTrace: t})
	return t.ID
}

// AddScore stores a score and returns its id.
func (l *Langfuse) AddScore(s LangfuseScore) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name(&s.ID, "score")
	s.fill()
	if old := l.scores.byID[s.ID]; old != nil {
		unlink(l.scoresOfTrace, old.TraceID, old)
		unlink(l.scoresOfObservation, old.ObservationID, old)
	}
	stored := l.scores.put(s.ID, s)
	if s.TraceID != "" {
		l.scoresOfTrace[s.TraceID] = append(l.scoresOfTrace[s.TraceID], stored)
	}
	if s.ObservationID != "" {
		l.scoresOfObservation[s.ObservationID] = append(l.scoresOfObservation[s.ObservationID], stored)
	}
	return s.ID
}

// DeleteTrace deletes a trace with its observations and scores, as a user or the retention does.
func (l *Langfuse) DeleteTrace(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var observations, scores []string
	for _, o := range l.observationsOf[id] {
		observations = append(observations, o.ID)
	}
	for _, s := range l.scoresOfTrace[id] {
		scores = append(scores, s.ID)
		unlink(l.scoresOfObservation, s.ObservationID, s)
	}
	l.observations.remove(observations...)
	l.scores.remove(scores...)
	l.traces.remove(id)
	delete(l.observationsOf, id)
	delete(l.scoresOfTrace, id)
}

func unlink[T any](index map[string][]*T, key string, row *T) {
	index[key] = slices.DeleteFunc(index[key], func(other *T) bool { return other == row })
	if len(index[key]) == 0 {
		delete(index, key)
	}
}

// deriveTrace makes the trace that ingestion makes of a root without one: the earliest root counts, or the earliest
// observation as long as there is no root.
func deriveTrace(parts []*LangfuseObservation) langfuseTrace {
	first := slices.MinFunc(parts, func(a, b *LangfuseObservation) int {
		if a.root() != b.root() {
			return cmp.Compare(boolValue(b.root()), boolValue(a.root()))
		}
		return a.Start.Compare(b.Start)
	})
	return langfuseTrace{derived: true, LangfuseTrace: LangfuseTrace{
		ID: first.TraceID, Time: first.Start, Name: first.Name, UserID: first.UserID, SessionID: first.SessionID,
		Environment: first.Environment, Tags: first.Tags, Release: first.Release, Version: first.Version,
	}}
}

// observationSeen reports whether queries see it at this time.
func (l *Langfuse) observationSeen(o *LangfuseObservation, now time.Time) bool {
	done := o.End
	if done.IsZero() {
		done = o.Start
	}
	return l.seen(o.Start, done, o.Visible, now)
}

// traceSeen reports the same of a trace; a derived one is seen with its first observation.
func (l *Langfuse) traceSeen(t *langfuseTrace, now time.Time) bool {
	if t.derived {
		return slices.ContainsFunc(l.observationsOf[t.ID], func(o *LangfuseObservation) bool { return l.observationSeen(o, now) })
	}
	return l.seen(t.Time, t.Time, t.Visible, now)
}

func (l *Langfuse) scoreSeen(s *LangfuseScore, now time.Time) bool {
	return l.seen(s.Time, s.Time, s.Visible, now)
}

func (l *Langfuse) seen(at, done, visible, now time.Time) bool {
	if visible.IsZero() {
		visible = done.Add(l.cfg.IngestionDelay)
	}
	if days := l.cfg.RetentionDays; days > 0 && at.Before(now.AddDate(0, 0, -days)) {
		return false
	}
	return !visible.After(now)
}

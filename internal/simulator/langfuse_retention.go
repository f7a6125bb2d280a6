package simulator

import "time"

// Retain deletes what began before a time, as the job of a project with retention does every night.
func (l *Langfuse) Retain(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.observations.cut(since) {
		unlink(l.observationsOf, o.TraceID, o)
		delete(l.observations.byID, o.ID)
	}
	for _, s := range l.scores.cut(since) {
		unlink(l.scoresOfTrace, s.TraceID, s)
		unlink(l.scoresOfObservation, s.ObservationID, s)
		delete(l.scores.byID, s.ID)
	}
	for _, t := range l.traces.cut(since) {
		delete(l.traces.byID, t.ID)
	}
}

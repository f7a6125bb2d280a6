package main

import (
	"math/rand/v2"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// Maintenance is early on Sundays (UTC).
const (
	maintenanceDay  = time.Sunday
	maintenanceHour = 3
	maintenanceEnd  = 5
)

// story is what happens to the site: incidents, and maintenance every week. The same
// seed tells the same.
type story struct {
	rng   *rand.Rand
	kinds []site.AnomalyKind
	pause float64 // mean hours between incidents
	next  time.Time
	told  int
}

func newStory(seed uint64, from time.Time, perWeek float64) *story {
	s := &story{rng: rand.New(rand.NewPCG(seed, 0))} // #nosec G404 -- chance, not secrecy
	s.kinds, _ = site.AnomalyKinds()
	if perWeek > 0 {
		s.pause = 7 * 24 / perWeek
		s.next = from
		s.wait()
	}
	return s
}

// wait draws when the next incident begins.
func (s *story) wait() {
	s.next = s.next.Add(time.Duration(s.rng.ExpFloat64() * s.pause * float64(time.Hour)))
}

// target draws one of those that there are.
func (s *story) target(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[s.rng.IntN(len(all))]
}

// direct is called before each step.
func (s *story) direct(w *site.World) {
	now := w.Now()
	if s.pause > 0 && !now.Before(s.next) {
		kind := s.kinds[s.rng.IntN(len(s.kinds))]
		took := 10*time.Minute + time.Duration(s.rng.ExpFloat64()*float64(40*time.Minute))
		if _, err := w.StartAnomaly(kind, s.target(w.Targets(kind)), took.Truncate(time.Second)); err == nil { // else it is under way
			s.told++
		}
		s.wait()
	}
	scenario := site.Normal
	if utc := now.UTC(); utc.Weekday() == maintenanceDay && utc.Hour() >= maintenanceHour && utc.Hour() < maintenanceEnd {
		scenario = site.Maintenance
	}
	if w.Scenario() != scenario {
		w.SetScenario(scenario)
	}
}

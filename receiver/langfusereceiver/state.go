package langfusereceiver

import (
	"maps"
	"slices"
	"time"
)

// stateFormat is raised when an older state can no longer be read.
const stateFormat = 1

// state is all that must outlive a restart, and all that is emitted. It is stored as
// a whole with each window, so that the totals and what they have counted can never
// come apart. Once published it is not changed any more.
type state struct {
	Format int `json:"format"`
	// Project is whose figures these are.
	Project project `json:"project"`
	// Started is since when is counted.
	Started time.Time         `json:"started"`
	Cursors map[string]cursor `json:"cursors"`
	Totals  totals            `json:"totals"`
	// Days are what the last days have counted, in the series of the daily figures. In
	// the days, an API can be left for another one without counting twice.
	Days map[string]totals `json:"days,omitempty"`
	// Baseline is the day in the middle of which counting began with daily figures.
	Baseline string `json:"baseline,omitempty"`

	// API is what answered last, with the version of the server then.
	API     apiName   `json:"api,omitempty"`
	Version string    `json:"server_version,omitempty"`
	Probed  time.Time `json:"probed"`
	// Lacks are the parts of queries that each API refused.
	Lacks map[apiName]lacking `json:"lacks,omitempty"`
	// Until is how long the server wants to be left alone.
	Until time.Time `json:"until"`
}

// cursor is how far a view has been read.
type cursor struct {
	// End is that of the last window.
	End time.Time `json:"end"`
	// Backlog is how far it must be read before its sums are shown: what was there
	// at the beginning is no growth.
	Backlog time.Time `json:"backlog"`
	// From is the beginning of the last window, zero before the first.
	From time.Time `json:"from"`
	// Values are those of the last window.
	Values totals `json:"values,omitempty"`
	// Truncated says that the server cut the answer for the last window.
	Truncated bool `json:"truncated,omitempty"`
	// Counted is what the daily figures have already counted of what follows End.
	Counted totals `json:"counted,omitempty"`
}

func newState() *state {
	s := &state{Format: stateFormat}
	s.complete()
	return s
}

// complete makes the maps that are not there.
func (s *state) complete() {
	if s.Cursors == nil {
		s.Cursors = make(map[string]cursor)
	}
	if s.Totals == nil {
		s.Totals = make(totals)
	}
	if s.Days == nil {
		s.Days = make(map[string]totals)
	}
	if s.Lacks == nil {
		s.Lacks = make(map[apiName]lacking)
	}
}

// clone returns a state that can be changed. What is in the maps of its cursors is
// shared, and so replaced, not changed.
func (s *state) clone() *state {
	c := *s
	c.Cursors = maps.Clone(s.Cursors)
	c.Totals = s.Totals.clone()
	c.Days = maps.Clone(s.Days)
	c.Lacks = maps.Clone(s.Lacks)
	return &c
}

// count adds what a window of the view says.
func (s *state) count(v *view, w window, r *reading, truncated bool) {
	c := s.Cursors[v.name]
	sums := r.sums
	if len(c.Counted) > 0 {
		sums = sums.clone()
		c.Counted = sums.less(c.Counted)
		if !sameDay(c.End, w.to) {
			c.Counted = nil
		}
	}
	s.Totals.add(sums)
	c.End, c.From, c.Values, c.Truncated = w.to, w.from, r.values, truncated
	s.Cursors[v.name] = c
	if v.name == viewObservations || v.name == viewTraces {
		s.countDay(w.from, sums.coarse())
		s.forgetDays()
	}
}

// sameDay says whether what ends at to belongs to the day that from is in.
func sameDay(from, to time.Time) bool { return to.Before(from.Truncate(day).Add(day)) }

func (s *state) countDay(at time.Time, sums totals) {
	name := dayName(at)
	counted := s.Days[name].clone()
	counted.add(sums)
	s.Days[name] = counted
}

// forgetDays drops the days that both views of the daily figures have left behind.
func (s *state) forgetDays() {
	oldest := s.dailyEnd()
	if oldest.IsZero() {
		return
	}
	for name := range s.Days {
		if name < dayName(oldest) {
			delete(s.Days, name)
		}
	}
}

// end is when the view was last read, or begun, that was last; zero without any.
func (s *state) end() time.Time {
	end := time.Time{}
	for _, c := range s.Cursors {
		for _, at := range []time.Time{c.End, c.Backlog} {
			if at.After(end) {
				end = at
			}
		}
	}
	return end
}

// dailyEnd is how far both views of the daily figures have been read, zero if one
// never was.
func (s *state) dailyEnd() time.Time {
	end := time.Time{}
	for _, name := range dailyViews {
		c, ok := s.Cursors[name]
		if !ok {
			continue
		}
		if end.IsZero() || c.End.Before(end) {
			end = c.End
		}
	}
	return end
}

func dayName(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// less takes away from t what was counted before, from the series that the daily
// figures do not tell apart, one after the other. It returns what is still to be
// taken away.
func (t totals) less(counted totals) totals {
	left := counted.clone()
	for _, k := range slices.SortedFunc(maps.Keys(t), key.compare) {
		c, ok := k.coarse()
		if !ok || left[c] <= 0 {
			continue
		}
		part := min(t[k], left[c])
		t.plus(k, -part)
		left.plus(c, -part)
	}
	return left
}

package langfusereceiver

import "time"

// budget bounds how many queries are sent in any 24 hours: it is refilled steadily
// and holds little, so that it matters neither when the server's day begins nor how
// often we are restarted. Used by one goroutine.
type budget struct {
	// perDay 0 means no limit.
	perDay int

	fuel
}

// fuel is what outlives a restart.
type fuel struct {
	Queries float64   `json:"queries"`
	At      time.Time `json:"at"`
}

// burst is how many queries may follow each other.
func burst(perDay int) int { return max(perDay/5, 1) }

// limit changes how many queries a day may have.
func (b *budget) limit(perDay int, now time.Time) {
	if perDay == b.perDay {
		return
	}
	b.refill(now) // as it was, or since the restart as it is
	b.perDay = perDay
	if b.At.IsZero() {
		b.fuel = fuel{Queries: float64(burst(perDay)), At: now}
	}
	b.refill(now)
	b.Queries = min(b.Queries, float64(burst(perDay)))
}

func (b *budget) refill(now time.Time) {
	if b.perDay == 0 || b.At.IsZero() {
		return
	}
	full := burst(b.perDay)
	passed := now.Sub(b.At)
	switch {
	case passed < -day: // the clock was far ahead then
		b.fuel = fuel{At: now}
	case passed > 0: // else it was put back: that time is not given twice
		b.Queries = min(b.Queries+float64(b.perDay-full)*passed.Hours()/24, float64(full))
		b.At = now
	}
}

// wait is how long it takes until a query may be sent; 0: it may be now.
func (b *budget) wait(now time.Time) time.Duration {
	if b.perDay == 0 {
		return 0
	}
	b.refill(now)
	if b.Queries >= 1 {
		return 0
	}
	perHour := float64(b.perDay-burst(b.perDay)) / 24
	return b.At.Sub(now) + time.Duration((1-b.Queries)/perHour*float64(time.Hour)) + time.Second
}

// spend takes a query away.
func (b *budget) spend() {
	if b.perDay > 0 {
		b.Queries--
	}
}

// remaining is how many queries may be sent now.
func (b *budget) remaining() int { return max(int(b.Queries), 0) }

package litellmreceiver

import (
	"math"
	"slices"
	"time"
)

const (
	// maxProcesses bounds the workers that are told apart. One that was forgotten
	// counts anew.
	maxProcesses = 32
	// aloneFor is how many scrapes in a row one process must answer for several to be
	// over. By chance one of two does so once in decades, at a scrape a minute.
	aloneFor = 25
	// sameProcess is how far apart start times of one process may be, in seconds.
	// Workers begin within moments of each other.
	sameProcess = 0.001
)

// processes knows since when the counters of the page count, and which process they
// are of. A proxy with several workers that do not share their metrics answers with
// those of another worker each time: taken as they come, the counters would fall and
// rise, and each fall would look like a restart with all that was counted before as
// new.
type processes struct {
	start time.Time

	// told is when the process of the last page says that it began, 0 if it never did;
	// counted and seen are of the last page.
	told    float64
	counted float64
	seen    time.Time

	// known are the processes so far, the last one last.
	known []float64
	// since is nil as long as one process answers. Then what is recorded are the
	// increments of all since that was noticed.
	since *workers
	// several says that processes answer in turn, alone how often the last one did
	// since.
	several bool
	alone   int
}

// observe returns whether the counters began anew since the last page.
func (p *processes) observe(page *proxyPage, now time.Time, maxSeries int) (anew bool) {
	first := p.seen.IsZero()
	moved := page.start > 0 && p.told > 0 && math.Abs(page.start-p.told) > sameProcess
	fell := isNumber(page.counted) && page.counted < p.counted
	shared := page.start == 0 && p.told > 0
	began := unixTime(page.start)
	switch {
	case p.since != nil && !shared:
		p.count(page, moved, now)
		if len(p.since.totals) > 4*maxSeries { // of series that are no more
			p.since = newWorkers()
			p.since.turnTo(page.start, false)
			p.start, anew = now, true
		}
	case moved && (!began.After(p.seen) || p.knows(page.start)):
		// It lived already when another one answered: not its successor.
		p.since = newWorkers()
		p.count(page, moved, now)
		p.start, anew = now, true
	case first, moved, fell, shared:
		p.since, p.several, anew = nil, false, true
		switch {
		case page.start > 0 && began.After(p.seen) && !began.After(now):
			p.start = began
		case first:
			p.start = now
		default:
			// Not told, or by a clock that is off. The counters began somewhere
			// between the last page and this one, and the new life must not overlap
			// the old one.
			p.start = p.seen.Add(time.Millisecond)
		}
	}
	p.remember(page)
	p.seen = now
	return anew
}

// count turns to the process of the page.
func (p *processes) count(page *proxyPage, moved bool, now time.Time) {
	if !moved {
		if p.alone++; p.alone >= aloneFor {
			p.several = false
		}
	} else {
		p.alone = 0
		p.several = p.several || page.start < p.told || p.knows(page.start)
	}
	p.since.turnTo(page.start, unixTime(page.start).After(p.seen) && !unixTime(page.start).After(now))
}

func (p *processes) knows(start float64) bool {
	return slices.ContainsFunc(p.known, func(k float64) bool { return math.Abs(k-start) <= sameProcess })
}

func (p *processes) remember(page *proxyPage) {
	p.told = page.start
	if isNumber(page.counted) {
		p.counted = page.counted
	}
	if page.start > 0 && !p.knows(page.start) {
		if len(p.known) == maxProcesses {
			p.known = slices.Delete(p.known, 0, 1)
		}
		p.known = append(p.known, page.start)
	}
}

func unixTime(seconds float64) time.Time {
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9))
}

package langfusereceiver

import (
	"sync"
	"time"
)

// maxSkew is by how much the clock of the server may differ from ours unheeded. Its
// Date header has whole seconds, and an answer takes some.
const maxSkew = 30 * time.Second

// Places where something may be wrong, beside the names of the views.
const (
	placeHealth  = "\x00health"
	placeStorage = "\x01storage"
	placeQueries = "\x02queries"
)

// board is where the pulse and the worker leave what they know, for each other and
// for the scraper.
type board struct {
	clock  func() time.Time
	mu     sync.Mutex
	health health
	skew   time.Duration
	// problems are the reasons of what is wrong, by place.
	problems map[string]string
	report   *report
}

// health is what the health check said last.
type health struct {
	// known is false before the first check.
	known, up bool
	version   string
}

// report is what the worker has read.
type report struct {
	state *state
	views []viewReport
	// budget is as it was then.
	budget budget
}

// viewReport says how a view is read.
type viewReport struct {
	*view
	length time.Duration
}

func newBoard() *board { return &board{clock: time.Now, problems: make(map[string]string)} }

// now is the time at the server.
func (b *board) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock().Add(b.skew)
}

// see compares the clock of the server with ours. It returns by how much it is
// ahead, and whether that is news.
func (b *board) see(h header) (skew time.Duration, news bool) {
	if h.date.IsZero() {
		return 0, false
	}
	skew = h.date.Sub(b.clock())
	if skew.Abs() < maxSkew {
		skew = 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	news = (skew - b.skew).Abs() >= maxSkew
	if news {
		b.skew = skew
	}
	return skew, news
}

// beat notes the health of the server, and returns what it was.
func (b *board) beat(h health) health {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.health
	b.health = h
	return before
}

// version returns that of the server, empty if it never told; known is false before
// the first check.
func (b *board) version() (version string, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health.version, b.health.known
}

// wrong notes the reason for what is wrong at a place, empty if nothing is. It
// returns whether that is news.
func (b *board) wrong(place, reason string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.problems[place] == reason {
		return false
	}
	if reason == "" {
		delete(b.problems, place)
	} else {
		b.problems[place] = reason
	}
	return true
}

func (b *board) publish(r *report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report = r
}

// look returns what there is to be seen: the report may be nil.
func (b *board) look() (h health, reason string, r *report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := ""
	for place, why := range b.problems {
		if reason == "" || place < first {
			first, reason = place, why
		}
	}
	return b.health, reason, b.report
}

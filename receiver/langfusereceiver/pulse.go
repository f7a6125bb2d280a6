package langfusereceiver

import (
	"context"
	"time"
)

// pulse asks for the health of the server, beside the worker, which may be waiting
// for an answer, and beside the scraper, which must not.
type pulse struct {
	server  server
	board   *board
	journal *journal
	every   time.Duration
	// wake is for the worker: there is something to ask, or to ask again.
	wake chan<- struct{}
}

func (p *pulse) run(ctx context.Context) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		p.beat(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *pulse) beat(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, p.every)
	defer cancel()
	version, seen, err := p.server.health(asking)
	if ctx.Err() != nil {
		return // broken off by the shutdown
	}
	h := health{known: true, up: err == nil, version: version}
	reason := ""
	if err != nil {
		h.version, _ = p.board.version() // it is the last one known
		reason = reasonOf(err)
	}
	if skew, news := p.board.see(seen); news {
		p.journal.skew(skew)
	}
	before := p.board.beat(h)
	if p.board.wrong(placeHealth, reason) {
		p.journal.health(reason, err)
	}
	if !before.known || h.up && (!before.up || before.version != h.version) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

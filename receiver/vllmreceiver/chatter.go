package vllmreceiver

import (
	"time"
)

const (
	// maxLines is how many lines about one name are written in linesPeriod.
	maxLines    = 10
	linesPeriod = 10 * time.Minute
	// maxChatter bounds how many names are remembered.
	maxChatter = 1000
)

// chatter keeps a container that comes and goes from filling the log.
type chatter map[string]*lines

type lines struct {
	since time.Time
	count int
}

func newChatter() chatter { return make(chatter) }

// allows says whether one more line about the name may be written.
func (ch chatter) allows(name string, now time.Time) bool {
	l := ch[name]
	if l == nil || now.Sub(l.since) >= linesPeriod {
		if len(ch) >= maxChatter {
			clear(ch)
		}
		l = &lines{since: now}
		ch[name] = l
	}
	l.count++
	return l.count <= maxLines
}

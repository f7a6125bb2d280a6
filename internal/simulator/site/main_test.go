package site

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// monday noon is a working day's busy time.
var mondayNoon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// play advances a world by d.
func play(w *World, d time.Duration) { w.Advance(w.Now().Add(d)) }

// lines collects what containers write.
type lines struct{ list []line }

type line struct {
	container, stream, text string
	at                      time.Time
}

func (l *lines) sink(container string, at time.Time, stream, text string) {
	l.list = append(l.list, line{container, stream, text, at})
}

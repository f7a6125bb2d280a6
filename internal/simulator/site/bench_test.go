package site

import (
	"testing"
	"time"
)

// BenchmarkAdvance plays a second, of the reference site and of the largest that is promised.
func BenchmarkAdvance(b *testing.B) {
	for name, spec := range map[string]Spec{"reference": Reference(), "gpus=100,servers=1000": Scaled(Reference(), 100, 1000)} {
		b.Run(name, func(b *testing.B) {
			w := New(Config{Seed: 1, Start: mondayNoon, Spec: spec, Logs: func(string, time.Time, string, string) {}})
			at := mondayNoon.Add(10 * time.Minute)
			w.Advance(at)
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(time.Second)
				w.Advance(at)
			}
		})
	}
}

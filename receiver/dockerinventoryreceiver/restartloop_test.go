package dockerinventoryreceiver

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLoops(t *testing.T) {
	type start struct {
		after time.Duration
		id    string
		// exit is the exit code of the run before, if it ended.
		exit string
		loop bool
	}
	const minute = time.Minute
	tests := []struct {
		name   string
		starts []start
	}{
		{"fast", []start{{0, "1", "", false}, {minute, "1", "1", false}, {minute, "1", "1", true}, {minute, "1", "1", false}, {minute, "1", "1", false}}},
		{"slow", []start{{0, "1", "", false}, {6 * minute, "1", "1", false}, {6 * minute, "1", "1", false}, {6 * minute, "1", "1", false}}},
		{"over, and again", []start{
			{0, "1", "", false},
			{minute, "1", "1", false},
			{minute, "1", "1", true},
			{9 * minute, "1", "1", false},
			{9 * minute, "1", "1", false},
			{minute, "1", "1", true},
		}},
		{"on and off without an error", []start{{0, "1", "", false}, {minute, "1", "0", false}, {minute, "1", "0", true}}},
		{"made anew after an error", []start{{0, "1", "", false}, {minute, "2", "1", false}, {minute, "3", "1", true}}},
		{"made anew after an end not seen", []start{{0, "1", "", false}, {minute, "2", "?", false}, {minute, "3", "?", true}}},
		{"the next job", []start{{0, "1", "", false}, {minute, "2", "0", false}, {minute, "3", "0", false}, {minute, "4", "0", false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoops(RestartLoopConfig{Count: 3, Window: 10 * minute})
			now := birth
			for i, s := range tt.starts {
				now = now.Add(s.after)
				if s.exit != "" {
					l.end("a", s.exit == "0")
				}
				assert.Equal(t, s.loop, l.start("a", s.id, now), "start %d", i)
			}
		})
	}
}

func TestLoopsOff(t *testing.T) {
	l := newLoops(RestartLoopConfig{Count: 0, Window: time.Minute})
	for range 10 {
		assert.False(t, l.start("a", "1", birth))
	}
	assert.Empty(t, l.names)
}

func TestLoopsRenamed(t *testing.T) {
	l := newLoops(RestartLoopConfig{Count: 2, Window: time.Minute})
	l.start("a", "1", birth)
	l.rename("a", "b")
	l.rename("nobody", "c")
	assert.True(t, l.start("b", "1", birth.Add(time.Second)))
	assert.Len(t, l.names, 1)
}

func TestLoopsForget(t *testing.T) {
	l := newLoops(RestartLoopConfig{Count: 2, Window: time.Minute})
	for i := range 100 {
		l.start("a"+strconv.Itoa(i), "1", birth)
	}
	assert.Len(t, l.names, 100)
	l.start("b", "1", birth.Add(2*time.Minute))
	assert.Len(t, l.names, 1)
}

package langfusereceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpans(t *testing.T) {
	for i, span := range spans {
		assert.Zero(t, day%span, span)
		if i > 0 {
			assert.Greater(t, span, spans[i-1])
			assert.LessOrEqual(t, narrower(span), span/2)
		}
		assert.Equal(t, span, atLeast(span))
	}
	assert.Equal(t, 10*time.Minute, atLeast(6*time.Minute))
	assert.Equal(t, day, atLeast(48*time.Hour))
	assert.Equal(t, 12*time.Hour, narrower(day))
	assert.Equal(t, time.Minute, narrower(time.Minute), "the shortest")
	assert.Equal(t, 5*time.Minute, wider(time.Minute))
	assert.Equal(t, day, wider(day))
}

func TestNextWindow(t *testing.T) {
	at := func(clock string) time.Time {
		d, err := time.Parse("2 15:04:05", clock)
		require.NoError(t, err)
		return d
	}
	for _, tt := range []struct {
		name      string
		end, edge string
		most      time.Duration
		want      string // empty if none
	}{
		{"regular", "1 10:00:00", "1 10:05:00", day, "1 10:05:00"},
		{"not closed", "1 10:00:00", "1 10:00:00", day, ""},
		{"edge moved back", "1 10:05:00", "1 10:00:00", day, ""},
		{"after an outage", "1 10:05:00", "1 17:20:00", day, "1 17:20:00"},
		{"to the end of the day", "1 10:05:00", "3 17:20:00", day, "2 00:00:00"},
		{"a whole day", "2 00:00:00", "3 17:20:00", day, "3 00:00:00"},
		{"split", "1 10:00:00", "1 10:05:00", time.Minute, "1 10:01:00"},
		{"split, the last part", "1 10:04:00", "1 10:05:00", time.Minute, "1 10:05:00"},
		{"off the grid", "1 10:07:00", "1 12:00:00", 10 * time.Minute, "1 10:10:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := nextWindow(at(tt.end), at(tt.edge), tt.most)
			require.Equal(t, tt.want != "", ok)
			if ok {
				assert.Equal(t, window{at(tt.end), at(tt.want)}, got)
			}
		})
	}
}

// TestWindowsMeet: whatever the lengths, windows follow each other without a hole or
// an overlap, and none crosses midnight.
func TestWindowsMeet(t *testing.T) {
	for _, length := range spans {
		for _, most := range spans {
			begin := noon.Truncate(length)
			edge := begin.Add(3 * day).Truncate(length)
			end := begin
			for n := 0; end.Before(edge); n++ {
				next, ok := nextWindow(end, edge, most)
				require.True(t, ok)
				require.Equal(t, end, next.from)
				require.LessOrEqual(t, next.length(), most)
				require.False(t, next.to.After(next.from.Truncate(day).Add(day)), "over midnight")
				require.Less(t, n, 5000)
				end = next.to
			}
			require.Equal(t, edge, end)
		}
	}
}

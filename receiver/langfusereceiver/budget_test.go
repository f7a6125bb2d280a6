package langfusereceiver

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBudgetHolds: however greedy, with restarts and a clock that jumps, no 24 hours
// see more queries than allowed, and hardly fewer.
func TestBudgetHolds(t *testing.T) {
	for _, perDay := range []int{5, 9, 90, 1000} {
		random := rand.New(rand.NewPCG(1, uint64(perDay)))
		now := noon
		b := &budget{}
		b.limit(perDay, now)
		var sent []time.Time
		for now.Before(noon.Add(7 * day)) {
			if pause := b.wait(now); pause > 0 {
				now = now.Add(max(pause/time.Duration(1+random.IntN(3)), time.Second))
				continue
			}
			b.spend()
			sent = append(sent, now)
			if random.IntN(20) == 0 { // a restart
				text, err := json.Marshal(b.fuel)
				require.NoError(t, err)
				b = &budget{}
				require.NoError(t, json.Unmarshal(text, &b.fuel))
				b.limit(perDay, now)
			}
			if random.IntN(50) == 0 { // the clock is put back and forth
				b.wait(now.Add(-time.Hour))
			}
		}
		for i, first := range sent {
			if i+perDay < len(sent) {
				assert.GreaterOrEqual(t, sent[i+perDay].Sub(first), day, "%d a day: more than that", perDay)
			}
		}
		assert.Greater(t, len(sent), 5*perDay, "%d a day: it must not be stingy", perDay)
	}
}

func TestBudgetUnlimited(t *testing.T) {
	b := &budget{}
	b.limit(0, noon)
	for range 1000 {
		assert.Zero(t, b.wait(noon))
		b.spend()
	}
	assert.Zero(t, b.remaining())
}

func TestBudgetChanges(t *testing.T) {
	b := &budget{}
	b.limit(1000, noon)
	assert.Equal(t, 200, b.remaining())
	b.limit(90, noon)
	assert.Equal(t, 18, b.remaining(), "a smaller one takes effect at once")
	for range 18 {
		assert.Zero(t, b.wait(noon))
		b.spend()
	}
	b.limit(1000, noon)
	assert.Zero(t, b.remaining(), "a larger one must not make it forget")
	pause := b.wait(noon)
	assert.InDelta(t, 24*3600.0/800, pause.Seconds(), 2)
	assert.Zero(t, b.wait(noon.Add(pause)))
}

// TestBudgetAfterWrongClock: a clock that was years ahead does not silence us for
// years.
func TestBudgetAfterWrongClock(t *testing.T) {
	b := &budget{}
	b.limit(90, noon.AddDate(10, 0, 0))
	assert.Less(t, b.wait(noon), time.Hour)
	b = &budget{}
	b.limit(90, noon.Add(time.Hour))
	for range 18 {
		b.spend()
	}
	assert.Greater(t, b.wait(noon), time.Hour, "an hour back, nothing is given before it has passed")
}

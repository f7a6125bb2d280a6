package langfusereceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPlanUnlimited(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	for _, api := range []apiName{apiV2, apiV1, apiDaily} {
		views := viewsOf(api, cfg)
		lengths := plan(views, 6*time.Minute, 0)
		assert.Len(t, lengths, len(views))
		for name, length := range lengths {
			assert.Equal(t, 10*time.Minute, length, name)
		}
	}
}

// TestPlanHobby: what the README says of the smallest plan.
func TestPlanHobby(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.Equal(t, map[string]time.Duration{
		viewObservations: time.Hour, viewTraces: time.Hour,
		viewScores: 4 * time.Hour, viewCategories: 4 * time.Hour, viewLatency: 4 * time.Hour,
	}, plan(viewsOf(apiV2, cfg), cfg.Window, hobbyQueries))
	assert.Equal(t, map[string]time.Duration{
		viewObservations: time.Hour, viewTraces: time.Hour,
		viewScores: 6 * time.Hour, viewCategories: 6 * time.Hour, viewLatency: 6 * time.Hour,
		viewUsers: 6 * time.Hour, viewSessions: 6 * time.Hour,
	}, plan(viewsOf(apiV1, cfg), cfg.Window, hobbyQueries))
	assert.Equal(t, 4*time.Hour, plan(viewsOf(apiDaily, cfg), cfg.Window, hobbyDailyQueries)[viewObservations])
}

// TestPlanFits: the windows of a day need no more queries than there are.
func TestPlanFits(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	everything(cfg)
	for _, api := range []apiName{apiV2, apiV1} {
		views := viewsOf(api, cfg)
		for perDay := leastQueries; perDay < 5000; perDay += 1 + perDay/10 {
			t.Run(fmt.Sprint(api, perDay), func(t *testing.T) {
				needed := 0
				for _, length := range plan(views, shortestWindow, perDay) {
					assert.GreaterOrEqual(t, length, shortestWindow)
					needed += int(day / length)
				}
				if needed > len(views) { // all in windows of a day is the least there is
					assert.LessOrEqual(t, needed, regular(perDay))
				}
			})
		}
	}
	lengths := plan(viewsOf(apiV2, cfg), shortestWindow, 5000)
	assert.Equal(t, shortestWindow, lengths[viewObservations], "no shorter than wished, however many there are")
}

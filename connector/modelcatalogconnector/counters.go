package modelcatalogconnector

import (
	"cmp"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// Types of tokens that every source counts.
const (
	tokenInput  = "input"
	tokenOutput = "output"
)

// origin is who tells something.
type origin = metadata.AttributeLlmModelOrigin

const (
	originFile     = metadata.AttributeLlmModelOriginFile
	originLangfuse = metadata.AttributeLlmModelOriginLangfuse
	originLiteLLM  = metadata.AttributeLlmModelOriginLitellm
	originVLLM     = metadata.AttributeLlmModelOriginVllm
)

// counters adds up what the counters of the sources grow by. It holds the last
// value of each.
type counters struct {
	max         int
	expireAfter time.Duration
	// since is the start, or when series were last forgotten for lack of room: what
	// began after it cannot have been counted before.
	since pcommon.Timestamp
	// swept is when room was last looked for.
	swept  time.Time
	series map[uint64]*counter
	totals map[totalKey]*total
}

// counter is a series of a source.
type counter struct {
	value float64
	start pcommon.Timestamp
	at    pcommon.Timestamp
	seen  time.Time
}

// totalKey is a series of llm.model.tokens.
type totalKey struct {
	model, tokenType string
	origin           origin
}

type total struct {
	value float64
	seen  time.Time
}

func newCounters(most int, expireAfter time.Duration, start pcommon.Timestamp) *counters {
	return &counters{
		max: most, expireAfter: expireAfter, since: start,
		series: make(map[uint64]*counter), totals: make(map[totalKey]*total),
	}
}

// observe adds what a series grew by to a total; false if there is no room for it.
func (c *counters) observe(series uint64, key totalKey, dp pmetric.NumberDataPoint, now time.Time) bool {
	value := number(dp)
	if !(value >= 0) || math.IsInf(value, 1) {
		return true // no count at all
	}
	last, t := c.series[series], c.totals[key]
	if (last == nil || t == nil) && !c.room(last == nil, t == nil, now) {
		return false
	}
	if t == nil {
		t = &total{}
		c.totals[totalKey{own(key.model), own(key.tokenType), key.origin}] = t
	}
	t.seen = now
	switch {
	case last == nil:
		last = &counter{}
		c.series[series] = last
		// A start that is the first point itself says only that none is known.
		if began := dp.StartTimestamp(); began > c.since && began < dp.Timestamp() {
			t.value += value
		}
	case dp.Timestamp() < last.at:
		return true // late; what came after it holds it already
	default:
		t.value += last.growth(value, dp.StartTimestamp())
	}
	last.value, last.start, last.at, last.seen = value, dp.StartTimestamp(), dp.Timestamp(), now
	return true
}

// growth is what was counted since the last point. After a restart it is all that
// the counter shows. A start that moves a little is none: some sources guess it.
func (c *counter) growth(value float64, start pcommon.Timestamp) float64 {
	if value < c.value || start != c.start && start > c.at {
		return value
	}
	return value - c.value
}

// room says whether a series and a total more may be kept. If not, those make room
// that were not seen for long. Otherwise they stay: a source that was away goes on
// where it stopped.
func (c *counters) room(series, sum bool, now time.Time) bool {
	fits := func() bool { return !(series && len(c.series) >= c.max || sum && len(c.totals) >= c.max) }
	if fits() || c.swept.Equal(now) { // a point of the same batch has looked in vain
		return fits()
	}
	c.swept = now
	before := now.Add(-c.expireAfter)
	for key, of := range c.series {
		if of.seen.Before(before) {
			delete(c.series, key)
			c.since = pcommon.NewTimestampFromTime(now)
		}
	}
	for key, t := range c.totals {
		if t.seen.Before(before) {
			delete(c.totals, key)
		}
	}
	return fits()
}

// current returns the totals that a source still feeds, in a steady order.
func (c *counters) current(now time.Time) []totalKey {
	before := now.Add(-c.expireAfter)
	var keys []totalKey
	for key, t := range c.totals {
		if !t.seen.Before(before) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b totalKey) int {
		return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.tokenType, b.tokenType), cmp.Compare(a.origin, b.origin))
	})
	return keys
}

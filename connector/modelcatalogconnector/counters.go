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

// counted is what a series counts, with the name that its source has for the model.
type counted struct {
	model, tokenType string
	origin           origin
	// served says that the name is that at the engine, and no public one.
	served bool
}

// counter is a series of a source.
type counter struct {
	counted
	value float64
	start pcommon.Timestamp
	at    pcommon.Timestamp
	seen  time.Time
	// grown is what is in no total yet; fresh says that there may be some.
	grown float64
	fresh bool
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

// observe notes what a series has grown by; false if there is no room for it.
func (c *counters) observe(series uint64, of counted, dp pmetric.NumberDataPoint, now time.Time) bool {
	value := number(dp)
	if !(value >= 0) || math.IsInf(value, 1) {
		return true // no count at all
	}
	last := c.series[series]
	switch {
	case last == nil:
		if len(c.series) >= c.max {
			c.forget(now)
			if len(c.series) >= c.max {
				return false
			}
		}
		of.model, of.tokenType = own(of.model), own(of.tokenType)
		last = &counter{counted: of}
		c.series[series] = last
		// A start that is the first point itself says only that none is known.
		if began := dp.StartTimestamp(); began > c.since && began < dp.Timestamp() {
			last.grown = value
		}
	case dp.Timestamp() < last.at:
		return true // late; what came after it holds it already
	default:
		last.grown += last.growth(value, dp.StartTimestamp())
	}
	last.value, last.start, last.at, last.seen, last.fresh = value, dp.StartTimestamp(), dp.Timestamp(), now, true
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

// forget makes room by dropping what was not seen for long. Otherwise it is kept:
// a source that was away goes on where it stopped.
func (c *counters) forget(now time.Time) {
	if c.swept.Equal(now) {
		return // a point of the same batch has looked in vain
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
}

// settle adds what the series have grown by to the totals of their models, as the
// names are understood now: when a counter is seen first, the source that knows
// the name may not have spoken yet. It returns how many there was no room for.
func (c *counters) settle(n *names, now time.Time) (refused int64) {
	for _, of := range c.series {
		if !of.fresh {
			continue
		}
		t := c.total(totalKey{n.engineName(of.counted), of.tokenType, of.origin}, now)
		if t == nil {
			refused++
			continue
		}
		t.value += of.grown
		of.grown, of.fresh = 0, false
		if t.seen.Before(of.seen) {
			t.seen = of.seen
		}
	}
	return refused
}

// total returns a total, nil if there is none and no room for it.
func (c *counters) total(key totalKey, now time.Time) *total {
	t := c.totals[key]
	if t == nil {
		if len(c.totals) >= c.max {
			c.forget(now)
			if len(c.totals) >= c.max {
				return nil
			}
		}
		t = &total{}
		c.totals[key] = t
	}
	return t
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

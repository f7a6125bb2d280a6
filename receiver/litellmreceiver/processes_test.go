package litellmreceiver

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestProcesses(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(1_000_000+seconds, 0) }
	told := func(seconds float64) float64 { return 1_000_000 + seconds }
	afterLast := func(minutes int64) time.Time { return at(minutes * 60).Add(time.Millisecond) }
	type observed struct {
		start, counted float64
		anew           bool
		want           time.Time
		// increments says that what is recorded are increments, several that more than
		// one process answers.
		increments, several bool
	}
	tests := []struct {
		name  string
		pages []observed // one a minute
	}{
		{"told", []observed{{told(-50), 5, true, at(-50), false, false}, {told(-50), 7, false, at(-50), false, false}}},
		{"restart", []observed{{told(-50), 5, true, at(-50), false, false}, {told(30), 9, true, at(30), false, false}, {told(30), 9, false, at(30), false, false}}},
		{"not told", []observed{{0, 5, true, at(0), false, false}, {0, 7, false, at(0), false, false}, {0, 4, true, afterLast(1), false, false}}},
		{"clock ahead", []observed{{told(999), 5, true, at(0), false, false}, {told(1040), 1, true, afterLast(0), false, false}, {told(1040), 2, false, afterLast(0), false, false}}},
		{"counters that fall within a process", []observed{{told(-50), 5, true, at(-50), false, false}, {told(-50), 1, true, afterLast(0), false, false}}},
		{"a counter is no number", []observed{{told(-50), 5, true, at(-50), false, false}, {told(-50), math.NaN(), false, at(-50), false, false}, {told(-50), 6, false, at(-50), false, false}}},
		{"an older process answers", []observed{{told(-50), 5, true, at(-50), false, false}, {told(-50.2), 50, true, at(60), true, true}, {told(-50), 6, false, at(60), true, true}}},
		{"a younger one that lived before", []observed{{told(-50), 5, true, at(-50), false, false}, {told(-49), 50, true, at(60), true, false}, {told(-50), 6, false, at(60), true, true}}},
		{"one that came later and was replaced", []observed{{told(-50), 5, true, at(-50), false, false}, {told(20), 1, true, at(20), false, false}, {told(-50), 6, true, at(120), true, true}}},
		{"clock far ahead, in turn", []observed{{told(900), 5, true, at(0), false, false}, {told(901), 3, true, afterLast(0), false, false}, {told(900), 6, true, at(120), true, true}}},
		{"they share their metrics now", []observed{{told(-50), 5, true, at(-50), false, false}, {told(-49), 9, true, at(60), true, false}, {0, 2, true, afterLast(1), false, false}, {0, 3, false, afterLast(1), false, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p processes
			for i, o := range tt.pages {
				anew := p.observe(&proxyPage{start: o.start, counted: o.counted}, at(int64(i)*60), 100)
				assert.Equal(t, o.anew, anew, "page %d", i)
				assert.WithinDuration(t, o.want, p.start, 0, "page %d", i)
				assert.Equal(t, o.increments, p.since != nil, "page %d", i)
				assert.Equal(t, o.several, p.several, "page %d", i)
			}
		})
	}
}

// TestSeveralIsOver: when one process answers again and again.
func TestSeveralIsOver(t *testing.T) {
	var p processes
	now := time.Unix(1_000_000, 0)
	observe := func(start float64) {
		p.observe(&proxyPage{start: start}, now, 100)
		now = now.Add(time.Minute)
	}
	for _, start := range []float64{1000, 1001, 1000} {
		observe(start)
	}
	assert.True(t, p.several)
	for range aloneFor - 1 {
		observe(1000)
		assert.True(t, p.several)
	}
	observe(1000)
	assert.False(t, p.several)
	assert.NotNil(t, p.since, "to go back to the totals would look like a burst")
	observe(1001)
	assert.True(t, p.several)
}

// TestProcessesAreForgotten: pods behind one address come and go.
func TestProcessesAreForgotten(t *testing.T) {
	var p processes
	for i := range 10 * maxProcesses {
		p.observe(&proxyPage{start: float64(1000 - i)}, time.Unix(1_000_000+int64(i), 0), 100)
	}
	assert.Len(t, p.known, maxProcesses)
	assert.Len(t, p.since.last, maxProcesses)
}

// TestWorkers: several workers that answer in turn are said to, once, and what is
// counted is what all of them count from then on.
func TestWorkers(t *testing.T) {
	const n = 4
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{Workers: n})
	p := newProbe(t, c, url, pageOnly, everything)
	for range 2 * n {
		p.read(t)
	}
	assert.Equal(t, []string{"The LiteLLM proxy can be read only in part."}, p.messages())

	before := p.read(t)
	assert.Equal(t, []string{"/metrics several_workers"}, before.problems())
	request := simulator.LiteLLMRequest{
		Model: "claude", Attempts: []simulator.LiteLLMAttempt{{Deployment: 2}}, Input: 100, Output: 10,
		Total: 2 * time.Second, Upstream: time.Second, FirstToken: time.Second, Queue: time.Second,
	}
	sent := 0
	last := before
	for i := range 5 * n {
		if i < 4*n {
			for range i {
				request.Worker = i * 7
				l.Finish(request)
				sent++
			}
		}
		got := p.read(t)
		for key, was := range last {
			if !was.monotonic || was.none {
				continue
			}
			require.Contains(t, got, key)
			assert.Equal(t, was.start, got[key].start, "no restart")
			if was.isHistogram() {
				require.GreaterOrEqual(t, got[key].histogram.Count(), was.histogram.Count(), key)
				continue
			}
			require.GreaterOrEqual(t, got[key].value, was.value, key)
		}
		last = got
	}
	assert.InDelta(t, float64(100*sent), last.sum("litellm.tokens.input")-before.sum("litellm.tokens.input"), 0)
	assert.InDelta(t, float64(sent), last.sum("litellm.requests.finished")-before.sum("litellm.requests.finished"), 0)
	of := func(rs readings) (count uint64, sum float64) {
		for _, r := range rs.of("gen_ai.server.request.duration") {
			count += r.histogram.Count()
			sum += r.histogram.Sum()
			total := uint64(0)
			for _, k := range r.histogram.BucketCounts().All() {
				total += k
			}
			assert.Equal(t, r.histogram.Count(), total)
		}
		return count, sum
	}
	countBefore, sumBefore := of(before)
	countAfter, sumAfter := of(last)
	assert.EqualValues(t, sent, countAfter-countBefore)
	assert.InDelta(t, float64(2*sent), sumAfter-sumBefore, 1e-6)
	assert.Empty(t, p.messages(), "nothing new")
}

// TestWorkersRestart: in the middle, and what the new ones count is not lost.
func TestWorkersRestart(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{Workers: 2})
	p := newProbe(t, c, url, pageOnly)
	for range 6 {
		p.read(t)
	}
	before := p.read(t)
	l.Restart()
	for i := range 6 {
		l.Finish(simulator.LiteLLMRequest{Worker: i, Model: "claude", Attempts: []simulator.LiteLLMAttempt{{Deployment: 2}}, Input: 100})
	}
	c.advance(10 * time.Second)
	p.read(t)
	after := p.read(t)
	// The first page of a worker that began after the last scrape counts in full, the
	// other one is known since too late to tell what is new.
	assert.InDelta(t, 300, after.sum("litellm.tokens.input")-before.sum("litellm.tokens.input"), 0)
	assert.Equal(t, []string{"/metrics several_workers"}, after.problems())
}

// TestOneWorkerRestarts: as with max_requests_before_restart. Nothing falls.
func TestOneWorkerRestarts(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{Workers: 2})
	p := newProbe(t, c, url, pageOnly)
	for range 6 {
		p.read(t)
	}
	before := p.read(t).sum("litellm.tokens.input")
	for i := range 8 {
		if i == 4 {
			c.advance(time.Second)
			l.RestartWorker(1)
			c.advance(time.Second)
		}
		for worker := range 2 {
			l.Finish(simulator.LiteLLMRequest{Worker: worker, Model: "claude", Attempts: []simulator.LiteLLMAttempt{{Deployment: 2}}, Input: 100})
		}
		now := p.read(t).sum("litellm.tokens.input")
		assert.GreaterOrEqual(t, now, before)
		before = now
	}
}

// TestManySeriesOfWorkers: series that are no more do not fill the memory.
func TestManySeriesOfWorkers(t *testing.T) {
	var p processes
	page := &proxyPage{start: 1000}
	now := time.Unix(1_000_000, 0)
	p.observe(page, now, 10)
	p.observe(&proxyPage{start: 1001}, now.Add(time.Minute), 10)
	n := &numbers[0]
	count := func(model string, v float64) float64 {
		points := p.since.numbers(n, []point{{attributes{attrRequestModel: model}, v}})
		return points[len(points)-1].value
	}
	for i := range 41 {
		count(string(rune('a'+i)), 1)
	}
	assert.Len(t, p.since.totals, 41)
	assert.True(t, p.observe(page, now.Add(2*time.Minute), 10))
	assert.Empty(t, p.since.totals)
	assert.Equal(t, now.Add(2*time.Minute), p.start)
	assert.Zero(t, count("a", 5), "begins anew")
	assert.False(t, p.observe(page, now.Add(3*time.Minute), 10))
	assert.InDelta(t, 2, count("a", 7), 0)
}

// TestRestart: counters get a start time that does not overlap their life before.
func TestRestart(t *testing.T) {
	for _, together := range []bool{false, true} {
		c := newClock()
		l, url := newSimulated(t, c, simulator.LiteLLMConfig{MultiProcess: together, Workers: 1})
		p := newProbe(t, c, url, withKey)
		first := p.read(t)
		const series = "litellm.tokens.input{gen_ai.provider.name=openai,gen_ai.request.model=bare,gen_ai.response.model=gpt-4o-mini}"
		born := first[series].start
		for range 2 {
			again := p.read(t)
			assert.Equal(t, born, again[series].start)
		}
		last := p.read(t)
		c.advance(-20 * time.Second)
		l.Restart()
		reborn := c.timestamp()
		l.Finish(simulator.LiteLLMRequest{Model: "bare", Attempts: []simulator.LiteLLMAttempt{{Deployment: 4}}, Input: 7})
		c.advance(20 * time.Second)
		fresh := p.read(t)
		assert.InDelta(t, 7, fresh.value(t, series), 0)
		for key, r := range fresh {
			if r.monotonic && !r.none {
				assert.Greater(t, r.start, last[series].at, key)
				assert.LessOrEqual(t, r.start, r.at, key)
				if !together {
					assert.Equal(t, reborn, r.start, key)
				}
			}
		}
		assert.Equal(t, fresh[series].start, p.read(t)[series].start)
		assert.Empty(t, p.messages())
	}
}

// TestClockSkew: a proxy whose clock is off restarts like any other.
func TestClockSkew(t *testing.T) {
	for _, ahead := range []time.Duration{3 * time.Hour, -10 * time.Minute} {
		c := newClock()
		l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: func() time.Time { return c.now().Add(ahead) }, Deployments: models()})
		traffic(l)
		p := newProbe(t, c, serve(t, l.Handler()), withKey)
		const series = "litellm.tokens.input{gen_ai.provider.name=openai,gen_ai.request.model=bare,gen_ai.response.model=gpt-4o-mini}"
		first := p.read(t)
		assert.LessOrEqual(t, first[series].start, first[series].at)
		l.Restart()
		p.read(t)
		l.Finish(simulator.LiteLLMRequest{Model: "bare", Attempts: []simulator.LiteLLMAttempt{{Deployment: 4}}, Input: 7})
		fresh := p.read(t)
		assert.InDelta(t, 7, fresh.value(t, series), 0)
		assert.Greater(t, fresh[series].start, first[series].at)
		assert.LessOrEqual(t, fresh[series].start, fresh[series].at)
		assert.Empty(t, fresh.problems())
	}
}

// TestWorkersTotals: what each kind of page adds.
func TestWorkersTotals(t *testing.T) {
	w := newWorkers()
	n, h := &numbers[0], &histograms[0]
	count := func(v float64) float64 { return w.numbers(n, []point{{attributes{}, v}})[0].value }
	w.turnTo(1000, false)
	assert.Zero(t, count(10), "counted before anybody looked")
	w.turnTo(1000, false)
	assert.InDelta(t, 5, count(15), 0)
	w.turnTo(2000, true)
	assert.InDelta(t, 8, count(3), 0, "it began after the last page")
	w.turnTo(1000, false)
	assert.InDelta(t, 9, count(16), 0)
	w.turnTo(1000, false)
	assert.InDelta(t, 13, count(4), 0, "it fell, so all is new")

	observe := func(bounds []float64, counts ...float64) *promtext.Histogram {
		total := counts[len(counts)-1]
		return w.distributions(h, []distribution{{attributes{}, &promtext.Histogram{Bounds: bounds, Counts: counts[:len(bounds)], Count: total, Sum: total}}})[0].Histogram
	}
	observe([]float64{1, 2}, 1, 2, 3)
	got := observe([]float64{1, 2}, 2, 4, 6)
	assert.Equal(t, []float64{2, 4}, got.Counts, "it is known, so a series that is new counts from 0")
	assert.InDelta(t, 6, got.Count, 0)
	got = observe([]float64{1}, 7, 9)
	assert.Equal(t, []float64{7}, got.Counts, "other bounds begin anew")
	assert.Len(t, w.distributions(h, nil), 1, "a page of a worker that has none of it")
}

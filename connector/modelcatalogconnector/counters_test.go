package modelcatalogconnector

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// step is a point of a counter: seconds after noon, when it began, its value.
type step struct {
	at, began int
	value     float64
}

func (s step) point() pmetric.NumberDataPoint {
	dp := pmetric.NewNumberDataPoint()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(s.at) * time.Second)))
	if s.began != 0 {
		dp.SetStartTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(s.began) * time.Second)))
	}
	dp.SetDoubleValue(s.value)
	return dp
}

// TestGrowth: the connector started at noon.
func TestGrowth(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
		want  []float64
	}{
		{"a counter from before", []step{{60, -3600, 1000}, {120, -3600, 1500}, {180, -3600, 1500}}, []float64{0, 500, 500}},
		{"a counter of no known start", []step{{60, 0, 1000}, {120, 0, 1500}}, []float64{0, 500}},
		{"a counter that began after the connector", []step{{60, 30, 1000}, {120, 30, 1500}}, []float64{1000, 1500}},
		{"a start that is the first reading", []step{{60, 60, 1000}, {120, 60, 1500}}, []float64{0, 500}},
		{"a restart that tells its time", []step{{60, -3600, 1000}, {120, 90, 1200}, {180, 90, 1300}}, []float64{0, 1200, 1300}},
		{"a restart that shows by the value", []step{{60, -3600, 1000}, {120, -3600, 200}, {180, -3600, 300}}, []float64{0, 200, 300}},
		{"a restart by a clock that is late", []step{{60, -3600, 1000}, {120, 30, 200}}, []float64{0, 200}},
		{"a start that drifts", []step{{60, -3600, 1000}, {120, -3599, 1100}, {180, -3601, 1200}}, []float64{0, 100, 200}},
		{"late and repeated points", []step{{60, -1, 1000}, {120, -1, 1500}, {60, -1, 1000}, {120, -1, 1500}, {180, -1, 1600}}, []float64{0, 500, 500, 500, 600}},
		{"no counts", []step{{60, -1, 1000}, {120, -1, math.NaN()}, {180, -1, math.Inf(1)}, {240, -1, -5}, {300, -1, 1100}}, []float64{0, 0, 0, 0, 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounters(10, time.Minute, pcommon.NewTimestampFromTime(noon))
			for i, s := range tt.steps {
				assert.True(t, c.observe(1, counted{"qwen", tokenInput, originVLLM, true}, s.point(), noon))
				assert.Zero(t, c.settle(&names{}, noon))
				assert.InDelta(t, tt.want[i], c.totals[totalKey{"qwen", tokenInput, originVLLM}].value, 0, "step %d", i)
			}
		})
	}
}

// TestTotals: series of one model are one total. What was counted goes to the model
// that a name means when the totals are looked at; it does not move later.
func TestTotals(t *testing.T) {
	c := newCounters(10, time.Minute, pcommon.NewTimestampFromTime(noon))
	qwen, chat := totalKey{"qwen", tokenInput, originLangfuse}, totalKey{"chat", tokenInput, originLangfuse}
	assert.Empty(t, c.current(noon))
	see := func(series uint64, model string, s step) {
		c.observe(series, counted{model, tokenInput, originLangfuse, false}, s.point(), noon.Add(time.Duration(s.at)*time.Second))
	}
	see(1, "qwen", step{60, 1, 100})
	see(2, "qwen", step{60, 1, 10})
	see(3, "chat", step{60, 1, 1})
	c.settle(&names{}, noon)
	see(3, "chat", step{120, 1, 3})
	see(1, "qwen", step{120, 1, 100})
	c.settle(&names{public: map[string]string{"chat": "qwen"}}, noon)
	assert.InDelta(t, 112, c.totals[qwen].value, 0)
	assert.InDelta(t, 1, c.totals[chat].value, 0)
	assert.Equal(t, []totalKey{chat, qwen}, c.current(noon.Add(2*time.Minute)))
	assert.Equal(t, []totalKey{qwen}, c.current(noon.Add(2*time.Minute+time.Second)), "nothing feeds the other")
}

// TestRoom: series that were not seen for long make room, and only if it is needed.
func TestRoom(t *testing.T) {
	c := newCounters(2, time.Minute, pcommon.NewTimestampFromTime(noon))
	value := func(model string) float64 { return c.totals[totalKey{model, tokenInput, originVLLM}].value }
	see := func(series uint64, model string, s step) bool {
		return c.observe(series, counted{model, tokenInput, originVLLM, true}, s.point(), noon.Add(time.Duration(s.at)*time.Second))
	}
	settle := func(at int) int64 { return c.settle(&names{}, noon.Add(time.Duration(at)*time.Second)) }
	assert.True(t, see(1, "a", step{60, 1, 100}))
	assert.True(t, see(2, "b", step{60, 1, 100}))
	assert.False(t, see(3, "a", step{60, 1, 100}), "no room")
	assert.Zero(t, settle(61))

	assert.True(t, see(1, "a", step{600, 1, 150}), "a series that was away goes on where it stopped")
	assert.Zero(t, settle(601))
	assert.InDelta(t, 150, value("a"), 0)
	assert.True(t, see(3, "c", step{602, 1, 7}), "in place of the other one")
	assert.False(t, see(2, "b", step{602, 1, 170}), "room is looked for once in a batch")
	assert.Zero(t, settle(603))
	assert.InDelta(t, 0, value("c"), 0, "it began before others were forgotten: it may be one of them")

	assert.False(t, see(2, "b", step{660, 1, 170}))
	assert.True(t, see(1, "a", step{720, 1, 150}))
	assert.True(t, see(2, "b", step{720, 1, 170}))
	assert.Zero(t, settle(721))
	assert.InDelta(t, 0, value("b"), 0, "what it counted may have been counted before it was forgotten")
	assert.True(t, see(2, "b", step{730, 1, 175}))
	assert.Zero(t, settle(731))
	assert.InDelta(t, 5, value("b"), 0)
}

// TestRoomForTotals: names that mean other models than before need totals of their
// own. What has none waits.
func TestRoomForTotals(t *testing.T) {
	c := newCounters(2, time.Minute, pcommon.NewTimestampFromTime(noon))
	see := func(s step) {
		for series, model := range []string{"a", "b"} {
			c.observe(uint64(series), counted{model, tokenInput, originLangfuse, false}, s.point(), noon.Add(time.Duration(s.at)*time.Second))
		}
	}
	see(step{60, 1, 100})
	assert.Zero(t, c.settle(&names{}, noon.Add(61*time.Second)))
	others := &names{public: map[string]string{"a": "x", "b": "y"}}
	see(step{65, 1, 110})
	assert.EqualValues(t, 2, c.settle(others, noon.Add(66*time.Second)))
	see(step{200, 1, 115})
	assert.Zero(t, c.settle(others, noon.Add(201*time.Second)))
	assert.InDelta(t, 15, c.totals[totalKey{"x", tokenInput, originLangfuse}].value, 0)
}

// TestTokens: from the metrics of the sources to those of the catalog.
func TestTokens(t *testing.T) {
	p := newProbe(t)
	feed := func(i int64) reading {
		b := newBatch()
		b.at = b.at.Add(time.Duration(i) * time.Minute)
		serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-32B")
		b.gauge("vllm.model.info{gen_ai.request.model=sql, llm.model.parent=qwen}", 1)
		b.sum("vllm.tokens.input{gen_ai.request.model=qwen, vllm.engine=0}", 100*i).sum("vllm.tokens.input{gen_ai.request.model=qwen, vllm.engine=1}", 200*i)
		b.sum("vllm.tokens.output{gen_ai.request.model=qwen, vllm.engine=0}", 10*i)
		serves(b.vllm("two", 8001), "qwen", "").sum("vllm.tokens.input{gen_ai.request.model=qwen, vllm.engine=0}", 1000*i)
		offers(b.litellm(), "1", "chat", "qwen", "vllm", "")
		offers(b, "2", "sql-expert", "sql", "vllm", "")
		offers(b, "3", "gpt", "gpt-4o", "openai", "")
		b.sum("litellm.tokens.input{gen_ai.request.model=chat, gen_ai.response.model=qwen, litellm.team.id=1}", 1000*i)
		b.sum("litellm.tokens.input{gen_ai.request.model=chat, gen_ai.response.model=qwen, litellm.team.id=2}", 200*i)
		b.sum("litellm.tokens.input{gen_ai.request.model=sql-expert, gen_ai.response.model=sql}", 100*i)
		b.sum("litellm.tokens.output{gen_ai.request.model=chat}", 5*i) // old proxies
		b.sum("litellm.tokens.output{gen_ai.request.model=gpt, gen_ai.response.model=gpt-4o}", 7*i)
		b.langfuse()
		for _, model := range []string{"chat", "Qwen/Qwen3-32B", "qwen", "sql-expert"} {
			b.sum("langfuse.tokens{gen_ai.request.model="+model+", gen_ai.token.type=input, deployment.environment.name=prod}", 10*i)
		}
		b.sum("langfuse.tokens{gen_ai.request.model=other, gen_ai.token.type=output}", 3*i)
		p.feed(t, b)
		return p.read(t)
	}
	first := feed(1)
	for series, value := range first.values {
		if dot := len("llm.model.tokens"); len(series) > dot && series[:dot] == "llm.model.tokens" {
			assert.Zero(t, value, "%s: it is there from the start, so that its first increase shows", series)
		}
	}
	second := feed(2)
	names := map[string]bool{}
	for series := range second.values {
		if _, rest, ok := strings.Cut(series, "llm.model.tokens{gen_ai.request.model="); ok {
			name, _, _ := strings.Cut(rest, ",")
			names[name] = true
		}
	}
	assert.Equal(t, map[string]bool{"qwen": true, "gpt-4o": true, "other": true}, names)
	for _, want := range []struct {
		model, kind, origin string
		value               float64
	}{
		{"qwen", "input", "vllm", 1300},
		{"qwen", "output", "vllm", 10},
		{"qwen", "input", "litellm", 1300},
		{"qwen", "output", "litellm", 5},
		{"gpt-4o", "output", "litellm", 7},
		{"qwen", "input", "langfuse", 40},
		{"other", "output", "langfuse", 3},
		{"other", "input", "langfuse", -1},
	} {
		assert.InDelta(t, want.value, second.tokens(want.model, want.kind, want.origin), 0, want)
	}
}

// TestAway: a server that was away for a moment goes on where it stopped.
func TestAway(t *testing.T) {
	p := newProbe(t)
	at := time.Now()
	count := func(value int64) {
		b := newBatch()
		at = at.Add(time.Minute)
		b.at, b.began = at, at.Add(-24*time.Hour)
		p.feed(t, b.vllm("one", 8000).sum("vllm.tokens.input{gen_ai.request.model=qwen}", value))
	}
	count(1000)
	p.feed(t, newBatch().vllm("one", 8000).end("vllm.tokens.input{gen_ai.request.model=qwen}"))
	count(1600)
	assert.InDelta(t, 600, p.read(t).tokens("qwen", "input", "vllm"), 0)
}

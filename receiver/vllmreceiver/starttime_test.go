package vllmreceiver

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestStartTracker(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(1_000_000+seconds, 0) }
	told := func(seconds int64) float64 { return float64(1_000_000 + seconds) }
	type observed struct {
		start, counted float64
		restarted      bool
		want           time.Time
	}
	afterLast := func(minutes int64) time.Time { return at(minutes * 60).Add(time.Millisecond) }
	tests := []struct {
		name  string
		pages []observed // one a minute
	}{
		{"told", []observed{{told(-50), 5, true, at(-50)}, {told(-50), 7, false, at(-50)}, {told(-50), 7, false, at(-50)}}},
		{"told, drifting", []observed{{told(-50), 5, true, at(-50)}, {told(-50) - 0.4, 7, false, at(-50)}}},
		{"told, restart", []observed{{told(-50), 5, true, at(-50)}, {told(30), 9, true, at(30)}, {told(30), 9, false, at(30)}}},
		{"not told", []observed{{0, 5, true, at(0)}, {0, 7, false, at(0)}}},
		{"not told, restart", []observed{{0, 5, true, at(0)}, {0, 4, true, afterLast(0)}, {0, 8, false, afterLast(0)}}},
		{"told late", []observed{{0, 5, true, at(0)}, {told(-50), 7, false, at(0)}, {told(-50), 8, false, at(0)}}},
		{"told no more", []observed{{told(-50), 5, true, at(-50)}, {0, 7, false, at(-50)}, {told(-50), 9, false, at(-50)}}},
		{"clock ahead", []observed{{told(999), 5, true, at(0)}, {told(999), 7, false, at(0)}}},
		{"clock ahead, restart", []observed{{told(999), 5, true, at(0)}, {told(1040), 1, true, afterLast(0)}}},
		{"clock behind, restart", []observed{{told(-999), 5, true, at(-999)}, {told(-960), 1, true, afterLast(0)}}},
		{"counters reset within the process", []observed{{told(-50), 5, true, at(-50)}, {told(-50), 1, true, afterLast(0)}, {told(-50), 2, false, afterLast(0)}}},
		{"a counter is no number", []observed{{told(-50), 5, true, at(-50)}, {0, math.NaN(), false, at(-50)}, {0, math.Inf(-1), false, at(-50)}, {told(-50), 6, false, at(-50)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tracker startTracker
			for i, o := range tt.pages {
				restarted := tracker.observe(&enginePage{start: o.start, counted: o.counted}, at(int64(i)*60))
				assert.Equal(t, o.restarted, restarted, "page %d", i)
				assert.WithinDuration(t, o.want, tracker.start, 0, "page %d", i)
			}
		})
	}
}

// TestRestart: counters keep their start time for the life of the server, and
// get one that does not overlap the life before after it.
func TestRestart(t *testing.T) {
	const series = "vllm.tokens.output" + simModel
	tests := []struct {
		name string
		cfg  simulator.VLLMConfig
		// tells says that the page tells when the server started.
		tells bool
		// ahead is by how much the server's clock is.
		ahead time.Duration
	}{
		{name: "newest", tells: true},
		{name: "oldest", cfg: simulator.VLLMConfig{Version: simulator.VLLM0_5_4}, tells: true},
		{name: "multi_process", cfg: simulator.VLLMConfig{MultiProcess: true}},
		{name: "ray", cfg: simulator.VLLMConfig{Ray: simulator.RayColon}},
		{name: "clock_ahead", tells: true, ahead: 3 * time.Hour},
		{name: "clock_behind", tells: true, ahead: -10 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			serverClock := func() time.Time { return c.now().Add(tt.ahead) }
			tt.cfg.Now = serverClock
			v := simulator.NewVLLM(tt.cfg)
			born := serverClock()
			v.Play(1, time.Hour, 2)
			c.advance(time.Hour)
			p := newProbe(t, c, serve(t, v.Handler()))

			begin := c.timestamp()
			first := p.read(t)
			if tt.tells && tt.ahead <= 0 {
				begin = pcommon.NewTimestampFromTime(born)
			}
			assert.Equal(t, begin.AsTime(), first[series].start.AsTime())
			for range 3 {
				v.Play(2, time.Minute, 20)
				again := p.read(t)
				assert.Equal(t, first[series].start, again[series].start)
				assert.GreaterOrEqual(t, again[series].value, first[series].value)
			}

			last := p.read(t)
			c.advance(-20 * time.Second) // between two scrapes
			v.Restart()
			reborn := serverClock()
			v.Finish(simulator.VLLMRequest{PromptTokens: 9, OutputTokens: 4, Prefill: time.Second, Decode: time.Second})
			c.advance(20 * time.Second)
			fresh := p.read(t)
			require.Less(t, fresh.value(t, series), last.value(t, series))
			for key, r := range fresh {
				if !r.monotonic || r.none {
					continue
				}
				assert.Greater(t, r.start, last[series].at, key)
				assert.LessOrEqual(t, r.start, r.at, key)
				if tt.tells && tt.ahead == 0 {
					assert.Equal(t, pcommon.NewTimestampFromTime(reborn), r.start, key)
				}
			}
			for range 2 {
				v.Play(3, time.Minute, 20)
				assert.Equal(t, fresh[series].start, p.read(t)[series].start)
			}
			assert.NotContains(t, p.messages(), "The vLLM server cannot be read.")
		})
	}
}

// TestEmptyPageIsNoRestart: a front end without its engine shows an empty page.
func TestEmptyPageIsNoRestart(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{MultiProcess: true, Now: c.now})
	v.Play(1, time.Hour, 2)
	faulty := &simulator.Faulty{Next: v.Handler()}
	p := newProbe(t, c, serve(t, faulty))
	first := p.read(t)
	faulty.Set(simulator.FaultEmptyBody)
	p.read(t)
	faulty.Set(simulator.FaultNone)
	again := p.read(t)
	const series = "vllm.tokens.output" + simModel
	assert.Equal(t, first[series].start, again[series].start)
}

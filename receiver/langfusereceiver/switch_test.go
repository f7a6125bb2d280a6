package langfusereceiver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// byModel adds up what all APIs tell: the daily figures know neither types nor
// levels, and of cost only the whole.
func byModel(sums map[string]float64) map[string]float64 {
	coarse := map[string]float64{}
	for series, v := range sums {
		metric, labels := cutSeries(series)
		switch metric {
		case "langfuse.observations", "langfuse.cost":
			coarse[metric+" "+labels["gen_ai.request.model"]] += v
		case "langfuse.tokens":
			coarse[metric+" "+labels["gen_ai.request.model"]+" "+labels["gen_ai.token.type"]] += v
		case "langfuse.traces":
			coarse[metric] += v
		}
	}
	return coarse
}

// TestSwitch: an upgrade, a step of a migration or a step back in the middle of a
// day, between windows or while the receiver is down, counts nothing twice and
// leaves nothing out.
func TestSwitch(t *testing.T) {
	const oldest, old, middle, newest = "3.50.0", "3.100.0", "3.141.0", "4.16.0"
	tests := []struct {
		name   string
		server simulator.LangfuseConfig
		change func(*simulator.Langfuse)
		apis   [2]apiName
	}{
		{"v1 to v2", simulator.LangfuseConfig{Version: old}, func(s *simulator.Langfuse) { s.SetVersion(newest) }, [2]apiName{apiV1, apiV2}},
		{"v2 to v1", simulator.LangfuseConfig{Version: newest}, func(s *simulator.Langfuse) { s.SetVersion(old) }, [2]apiName{apiV2, apiV1}},
		{"migration", simulator.LangfuseConfig{Mode: simulator.LangfuseLegacy}, func(s *simulator.Langfuse) { s.SetMode(simulator.LangfuseEventsOnly) }, [2]apiName{apiV1, apiV2}},
		{"migration taken back", simulator.LangfuseConfig{Mode: simulator.LangfuseDual}, func(s *simulator.Langfuse) { s.SetMode(simulator.LangfuseLegacy) }, [2]apiName{apiV2, apiV1}},
		{"v1 stays", simulator.LangfuseConfig{Version: old}, func(s *simulator.Langfuse) { s.SetVersion(middle) }, [2]apiName{apiV1, apiV1}},
		{"daily to v1", simulator.LangfuseConfig{Version: oldest}, func(s *simulator.Langfuse) { s.SetVersion(old) }, [2]apiName{apiDaily, apiV1}},
		{"daily to v2", simulator.LangfuseConfig{Version: oldest}, func(s *simulator.Langfuse) { s.SetVersion(newest) }, [2]apiName{apiDaily, apiV2}},
		{"v1 to daily", simulator.LangfuseConfig{Version: old}, func(s *simulator.Langfuse) { s.SetVersion(oldest) }, [2]apiName{apiV1, apiDaily}},
		{"v2 to daily", simulator.LangfuseConfig{Version: newest}, func(s *simulator.Langfuse) { s.SetVersion(oldest) }, [2]apiName{apiV2, apiDaily}},
	}
	for _, tt := range tests {
		for _, while := range []string{"running", "down over midnight"} {
			t.Run(tt.name+", "+while, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					begin()
					b := newBench(t, tt.server)
					l := newLife(b.sim).live(noon.Add(-2*day), noon.Add(30*time.Hour), 8)
					b.up(t)
					pass(time.Hour + 7*time.Minute)
					assert.Equal(t, 1.0, b.read(t).value(t, "langfuse.api{langfuse.api="+string(tt.apis[0])+"}"))
					if while == "running" {
						tt.change(b.sim)
					} else {
						b.down(t)
						tt.change(b.sim)
						pass(15 * time.Hour)
						b.up(t)
					}
					last := map[string]float64{}
					for range 24 {
						pass(5 * time.Minute)
						got := b.read(t)
						require.Empty(t, got.problem())
						for series, v := range got.counted() {
							require.GreaterOrEqual(t, v, last[series], series)
							last[series] = v
						}
					}
					got := b.read(t)
					assert.Equal(t, 1.0, got.value(t, "langfuse.api{langfuse.api="+string(tt.apis[1])+"}"))
					edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
					begin := noon.Add(-day).Truncate(day)
					if tt.apis[1] == apiDaily { // which is as of now
						pass(shortestWindow)
						got = b.read(t)
						edge = time.Now().Truncate(shortestWindow).Add(-10 * time.Second) // when all that had begun had ended
					}
					want, most := byModel(l.truth(begin, edge)), byModel(l.truth(begin, time.Now()))
					for series, v := range byModel(got.counted()) {
						assert.GreaterOrEqual(t, v, want[series]-1e-9, series)
						if tt.apis[1] != apiDaily {
							most = want
						}
						assert.LessOrEqual(t, v, most[series]+1e-9, series)
					}
					assert.Subset(t, sortedKeys(byModel(got.counted())), sortedKeys(want))
				})
			})
		}
	}
}

// TestDailyOnly: an old server is read as it is, over midnight and restarts.
func TestDailyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Version: "3.50.0"})
		l := newLife(b.sim).live(noon.Add(-3*day), noon.Add(20*time.Hour), 20)
		for range 5 {
			b.up(t)
			pass(5*time.Hour + 2*time.Minute)
			b.down(t)
		}
		b.up(t)
		pass(6 * time.Minute)
		got := b.read(t)
		want := byModel(l.truth(noon.Add(-day).Truncate(day), time.Now()))
		sums := byModel(got.counted())
		assert.ElementsMatch(t, sortedKeys(want), sortedKeys(sums))
		for series, v := range want {
			assert.InDelta(t, v, sums[series], 1e-9, series)
		}
		assert.Zero(t, got.value(t, "langfuse.backlog.remaining"))
		assert.Empty(t, got.of("langfuse.observation.latency"))
		assert.Len(t, b.lines("Reading the metrics API."), 1)
	})
}

// TestDailyBeginsNow: without a backlog, what was there on the first day is no
// growth.
func TestDailyBeginsNow(t *testing.T) {
	for _, storage := range []func(*Config){noStorage, func(cfg *Config) { cfg.Backlog = 0 }} {
		synctest.Test(t, func(t *testing.T) {
			begin()
			b := newBench(t, simulator.LangfuseConfig{Version: "3.50.0"}, storage)
			l := newLife(b.sim).live(noon.Add(-3*day), noon.Add(-time.Hour), 20)
			b.up(t)
			pass(time.Hour)
			assert.Zero(t, b.read(t).sum("langfuse.tokens"))
			from := time.Now()
			l.live(from, from.Add(time.Hour), 20)
			pass(2 * time.Hour)
			got := b.read(t)
			want := byModel(l.truth(from, time.Now()))
			for series, v := range byModel(got.counted()) {
				assert.InDelta(t, want[series], v, 1e-9, series)
			}
			assert.Positive(t, got.sum("langfuse.traces"))
		})
	}
}

// TestDailyFalls: figures that fall, as traces are deleted, take nothing away, and
// what comes back is not counted again.
func TestDailyFalls(t *testing.T) {
	s := newState()
	s.Started = noon.Truncate(day)
	at := noon.Truncate(day)
	k := key{family: famTraces}
	for _, step := range []struct{ seen, want float64 }{{5, 5}, {3, 5}, {5, 5}, {7, 7}} {
		s.growDay(at, totals{k: step.seen})
		assert.Equal(t, step.want, s.Totals[k])
	}
}

// TestProbesForBetter: an API that the server did not have is looked for once a day,
// or with another version.
func TestProbesForBetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Version: "3.206.0"}, func(cfg *Config) { cfg.Window = 20 * time.Minute })
		b.up(t)
		pass(3 * day)
		assert.InDelta(t, 4, b.wire.requests("/v2/metrics"), 1)
		before := b.wire.requests("/v2/metrics")
		b.sim.SetVersion("3.207.0")
		pass(25 * time.Minute)
		assert.Equal(t, before+1, b.wire.requests("/v2/metrics"))
		assert.Equal(t, 1.0, b.read(t).value(t, "langfuse.info{service.version=3.207.0}"))
	})
}

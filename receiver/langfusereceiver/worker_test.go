package langfusereceiver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// servers are of all kinds that answer queries of metrics, and which API is found.
var servers = []struct {
	name string
	cfg  simulator.LangfuseConfig
	api  apiName
}{
	{"3.57", simulator.LangfuseConfig{Version: "3.57.0"}, apiV1},
	{"3.100", simulator.LangfuseConfig{Version: "3.100.0"}, apiV1},
	{"3.141, which answers 501", simulator.LangfuseConfig{Version: "3.141.0", StringNumbers: true}, apiV1},
	{"3.206, which answers 404", simulator.LangfuseConfig{Version: "3.206.0"}, apiV1},
	{"4.16 legacy", simulator.LangfuseConfig{Mode: simulator.LangfuseLegacy}, apiV1},
	{"4.16 dual", simulator.LangfuseConfig{Mode: simulator.LangfuseDual, StringNumbers: true}, apiV2},
	{"4.16", simulator.LangfuseConfig{}, apiV2},
	{"4.16 below a path", simulator.LangfuseConfig{PathPrefix: "/langfuse"}, apiV2},
	{"cloud", simulator.LangfuseConfig{Cloud: true, Plan: simulator.LangfusePro}, apiV2},
}

// assertCounted compares all sums with what happened, exactly, except costs, which
// are decimals there and binary here.
func assertCounted(t *testing.T, want map[string]float64, got readings) {
	t.Helper()
	sums := got.counted()
	require.ElementsMatch(t, sortedKeys(want), sortedKeys(sums))
	for series, v := range want {
		if got[series].metric == "langfuse.cost" {
			assert.InEpsilon(t, v, sums[series], 1e-9, series)
		} else {
			assert.Equal(t, v, sums[series], series)
		}
	}
}

// TestCountsTheTruth: with servers of all kinds, under one set of names, what was
// counted is what happened.
func TestCountsTheTruth(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, server.cfg, func(cfg *Config) { cfg.Endpoint += server.cfg.PathPrefix })
				l := newLife(b.sim).live(noon.Add(-3*day), noon.Add(6*time.Hour), 20)
				b.up(t)
				pass(2*time.Hour + 12*time.Minute)
				got := b.read(t)
				begin := noon.Add(-day).Truncate(day)
				assertCounted(t, l.truth(begin, noon.Add(2*time.Hour)), got)
				assert.Equal(t, 1.0, got.value(t, "langfuse.up"))
				assert.Equal(t, 1.0, got.value(t, "langfuse.api{langfuse.api="+string(server.api)+"}"))
				assert.Empty(t, got.problem())
				assert.Zero(t, got.value(t, "langfuse.backlog.remaining"))
				for _, p := range got.of("langfuse.traces") {
					assert.Equal(t, begin.UnixNano(), int64(p.start))
				}
			})
		})
	}
}

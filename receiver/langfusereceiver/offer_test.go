package langfusereceiver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestEmptyProject: nothing is what is counted, and no reason to complain.
func TestEmptyProject(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, server.cfg, func(cfg *Config) { cfg.Endpoint += server.cfg.PathPrefix })
				b.up(t)
				pass(time.Hour)
				got := b.read(t)
				assert.Empty(t, got.problem())
				assert.Equal(t, map[string]float64{"langfuse.traces": 0}, got.counted())
				assert.Zero(t, got.value(t, "langfuse.users.active"))
				for _, metric := range []string{"langfuse.observation.latency", "langfuse.score.mean", "langfuse.tokens"} {
					assert.Empty(t, got.of(metric), "absent is not zero")
				}
			})
		})
	}
}

// TestOldServer: what an old server lacks is left out, and asked for again when it
// is a newer one.
func TestOldServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Version: "3.190.0", Cloud: true, Plan: simulator.LangfusePro}, everything)
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(9*time.Hour), 20)
		b.up(t)
		pass(time.Hour)
		got := b.read(t)
		assert.Empty(t, got.problem())
		assert.Empty(t, got.of("langfuse.traces"), "root observations are not known yet")
		assert.Empty(t, got.of("langfuse.user.tokens"), "users cannot be grouped by yet")
		assert.NotEmpty(t, got.of("langfuse.prompt.tokens"))
		assert.Len(t, b.lines("does not have this view"), 2)
		before := b.wire.queries()
		b.sim.SetVersion("4.0.0")
		pass(time.Hour)
		got = b.read(t)
		assert.Less(t, b.wire.queries()-before, 12*7+5)
		truth := l.truth(noon.Add(-day).Truncate(day), noon.Add(110*time.Minute))
		assert.Equal(t, truth["langfuse.traces"], got.value(t, "langfuse.traces"))
		assert.NotEmpty(t, got.of("langfuse.user.tokens"))
	})
}

// TestStrangeServer: a server that takes parts of the query for bad answers the rest.
func TestStrangeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.SplitByEnvironment = true })
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(9*time.Hour), 20)
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var q query
			_ = json.Unmarshal([]byte(r.URL.Query().Get("query")), &q)
			for _, d := range q.Dimensions {
				if d.Field == "environment" {
					http.Error(w, `{"message":"Invalid dimension environment. Must be one of name"}`, http.StatusBadRequest)
					return
				}
			}
			for _, f := range q.Filters {
				if f.Type == "datetime" {
					http.Error(w, `{"message":"Invalid filter column `+f.Column+`. Must be one of name"}`, http.StatusBadRequest)
					return
				}
			}
			working.ServeHTTP(w, r)
		}))
		b.up(t)
		pass(13 * time.Minute)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon), b.read(t))
		pass(time.Hour)
		assert.Len(t, b.lines("does not know all that was asked for"), 9, "a line for each part that is lacking")
		assert.Equal(t, noon.Add(time.Hour).Unix(), int64(b.read(t).value(t, "langfuse.window.end{langfuse.view=observations}")))
	})
}

// TestBadDay: a proxy that calls everything bad for a while does not cost a view for
// good: a day later it is asked for again, from where it was left.
func TestBadDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(3*day), 5)
		b.up(t)
		pass(time.Hour)
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "metrics") {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			working.ServeHTTP(w, r)
		}))
		pass(time.Hour)
		b.wire.connect(working)
		assert.NotEmpty(t, b.lines("does not have this view"))
		before := len(b.logs.All())
		pass(2 * day)
		assert.Less(t, len(b.logs.All())-before, 5, "nothing is told twice")
		edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), edge), b.read(t))
	})
}

// TestBeyondReach: time for which the plan gives no data any more is empty.
func TestBeyondReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.Backlog = 10 * day })
		l := newLife(b.sim).live(noon.Add(-11*day), noon.Add(time.Hour), 5)
		reach := noon.Add(-5 * day)
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var q query
			if json.Unmarshal([]byte(r.URL.Query().Get("query")), &q) == nil && q.To <= timestamp(reach) {
				http.Error(w, `{"message":"Invalid request data: fromTimestamp must be before toTimestamp"}`, http.StatusBadRequest)
				return
			}
			working.ServeHTTP(w, r)
		}))
		b.up(t)
		pass(13 * time.Minute)
		assertCounted(t, l.truth(noon.Add(-5*day).Truncate(day), noon), b.read(t))
		assert.NotEmpty(t, b.lines("gives no data for this time any more"))
	})
}

// TestNoAPI: a server with none of the metrics APIs is asked now and then.
func TestNoAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "metrics") {
				http.NotFound(w, r)
				return
			}
			working.ServeHTTP(w, r)
		}))
		b.up(t)
		pass(day)
		got := b.read(t)
		assert.Equal(t, reasonNoAPI, got.problem())
		assert.Empty(t, got.of("langfuse.api"))
		assert.Less(t, b.wire.queries(), 3*24*9)
		assert.Len(t, b.lines("cannot be read for now"), 1)
		b.wire.connect(working)
		pass(20 * time.Minute)
		assert.Empty(t, b.read(t).problem())
	})
}

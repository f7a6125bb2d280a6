package langfusereceiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestKeys: an expired key and one that is revoked in the middle are told of once;
// what happens meanwhile is read when the key works.
func TestKeys(t *testing.T) {
	for _, from := range []string{"the beginning", "the middle"} {
		t.Run("from "+from, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, simulator.LangfuseConfig{})
				l := newLife(b.sim).live(noon.Add(-day), noon.Add(6*time.Hour), 20)
				if from == "the middle" {
					b.up(t)
					pass(30 * time.Minute)
					b.sim.RevokeKey()
				} else {
					b.sim.RevokeKey()
					b.up(t)
				}
				pass(3 * time.Hour)
				got := b.read(t)
				assert.Equal(t, 1.0, got.value(t, "langfuse.up"), "the server is well")
				assert.Equal(t, "401", got.problem())
				assert.Len(t, b.logs.FilterField(reasonField("401")).All(), 1)
				if from == "the middle" {
					assert.NotEmpty(t, got.of("langfuse.tokens"), "what was counted stays")
					assert.Empty(t, got.of("langfuse.users.active"), "what was so hours ago does not")
					assert.Greater(t, got.value(t, "langfuse.backlog.remaining"), 9000.0)
				}
				assert.Less(t, b.wire.queries()+b.wire.requests("/projects"), 80, "it must not look like an attack")
				b.sim.SetKey("pk-lf-sim", "sk-lf-sim")
				pass(25 * time.Minute)
				got = b.read(t)
				assert.Empty(t, got.problem())
				assert.Zero(t, got.value(t, "langfuse.scrape.error{error.type=401}"))
				edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
				assertCounted(t, l.truth(noon.Add(-day).Truncate(day), edge), got)
			})
		})
	}
}

// TestDown: a server that is down and comes back is read on soon, with all that
// happened meanwhile.
func TestDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(9*time.Hour), 20)
		b.up(t)
		pass(30 * time.Minute)
		b.wire.connect(nil)
		pass(6 * time.Hour)
		got := b.read(t)
		assert.Zero(t, got.value(t, "langfuse.up"))
		assert.Equal(t, "truncated", got.problem())
		assert.Equal(t, 1.0, got.value(t, "langfuse.info{service.version=4.16.0}"), "it is the last one known")
		assert.NotEmpty(t, got.of("langfuse.tokens"))
		b.wire.connect(b.sim.Handler())
		pass(2 * time.Minute)
		got = b.read(t)
		assert.Equal(t, 1.0, got.value(t, "langfuse.up"))
		assert.Empty(t, got.problem())
		edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), edge), got)
		assert.Len(t, b.lines("does not answer its health check"), 1)
		assert.Len(t, b.lines("is well again"), 1)
	})
}

// TestDatabaseDown: each view is tried again by itself.
func TestDatabaseDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(3*time.Hour), 20)
		b.sim.SetDatabase(false)
		b.up(t)
		pass(time.Hour)
		assert.Equal(t, "500", b.read(t).problem())
		b.sim.SetDatabase(true)
		pass(25 * time.Minute)
		b.sim.SetDatabase(false)
		pass(time.Hour)
		assert.Equal(t, "500", b.read(t).problem())
		assert.LessOrEqual(t, len(b.lines("A view of the Langfuse project cannot be read")), 6, "a line for each view")
		b.sim.SetDatabase(true)
		pass(25 * time.Minute)
		got := b.read(t)
		assert.Empty(t, got.problem())
		edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), edge), got)
	})
}

// TestOneViewFails: the others go on, also where queries are few.
func TestOneViewFails(t *testing.T) {
	for _, few := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			begin()
			var changes []func(*Config)
			if few {
				changes = append(changes, cloud)
			}
			b := newBench(t, simulator.LangfuseConfig{Cloud: few}, changes...)
			l := newLife(b.sim).live(noon.Add(-day), noon.Add(day), 2)
			working := b.sim.Handler()
			b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Query().Get("query"), "scores-numeric") {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				working.ServeHTTP(w, r)
			}))
			b.up(t)
			pass(23 * time.Hour)
			got := b.read(t)
			assert.Equal(t, "500", got.problem())
			assert.Empty(t, got.of("langfuse.score.sum"))
			assert.Equal(t, tokens(l.truth(noon.Add(-day).Truncate(day), noon.Add(22*time.Hour+50*time.Minute).Truncate(length(few)))), got.sum("langfuse.tokens"))
			assert.Len(t, b.lines("A view of the Langfuse project cannot be read"), 1)
			b.wire.connect(working)
			pass(5 * time.Hour)
			got = b.read(t)
			assert.Empty(t, got.problem())
			assert.Len(t, b.lines("The view is read again."), 1)
			assert.NotEmpty(t, got.of("langfuse.score.sum"))
		})
	}
}

func length(few bool) time.Duration {
	if few {
		return time.Hour
	}
	return shortestWindow
}

// TestHeavyWindows: where the data base does not bear a day, shorter windows are
// read, and longer ones again later.
func TestHeavyWindows(t *testing.T) {
	for _, status := range []int{422, 504, 524} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, simulator.LangfuseConfig{MaxWindow: 3 * time.Hour, MaxWindowStatus: status})
				l := newLife(b.sim).live(noon.Add(-day), noon.Add(12*time.Hour), 20)
				b.up(t)
				pass(10 * time.Hour)
				got := b.read(t)
				assert.Empty(t, got.problem())
				edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
				assertCounted(t, l.truth(noon.Add(-day).Truncate(day), edge), got)
				assert.NotEmpty(t, b.lines("windows of a view are made shorter"))
			})
		})
	}
}

// TestTooHeavy: a server that bears no window at all is asked now and then only.
func TestTooHeavy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{MaxWindow: time.Second})
		b.up(t)
		pass(day)
		assert.Equal(t, "422", b.read(t).problem())
		assert.Less(t, b.wire.queries(), 5*24*8)
		assert.LessOrEqual(t, len(b.lines("windows of a view are made shorter")), 5*len(spans))
	})
}

// TestManyRows: windows with more rows than an answer holds are split, so that none
// is lost; the models beyond the limit are counted as one.
func TestManyRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.MaxModels = 50 })
		want := 0
		for i := range 10_000 {
			at := noon.Add(-day).Add(time.Duration(i) * 8 * time.Second)
			b.sim.Add(simulator.LangfuseObservation{Start: at, End: at, Model: fmt.Sprint("model-", i), InputTokens: 1 + i})
			want += 1 + i
		}
		b.up(t)
		pass(30 * time.Minute)
		got := b.read(t)
		assert.Empty(t, got.problem())
		assert.Equal(t, float64(want), got.sum("langfuse.tokens"))
		assert.Equal(t, 10_000.0, got.sum("langfuse.observations"))
		assert.Len(t, got.of("langfuse.tokens"), 51)
		assert.Positive(t, got.value(t, "langfuse.tokens{gen_ai.request.model=other,gen_ai.token.type=input}"))
		assert.Len(t, b.lines("more names than are counted apart"), 1)
		assert.Zero(t, got.value(t, "langfuse.rows.truncated{langfuse.view=observations}"))
	})
}

// TestTruncated: a window that cannot be split is counted as far as it goes, and
// marked.
func TestTruncated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Version: "3.100.0"}, func(cfg *Config) { cfg.Backlog, cfg.MaxModels = 0, 10_000 })
		at := noon.Add(time.Minute)
		for i := range 1200 {
			id := strconv.Itoa(i)
			b.sim.AddTrace(simulator.LangfuseTrace{ID: id, Time: at, UserID: id})
			b.sim.Add(simulator.LangfuseObservation{TraceID: id, Start: at, End: at, Model: "model-" + id, InputTokens: 1})
		}
		b.up(t)
		pass(16 * time.Minute)
		got := b.read(t)
		for _, view := range []string{viewObservations, viewUsers, viewLatency} {
			assert.Equal(t, 1.0, got.value(t, "langfuse.rows.truncated{langfuse.view="+view+"}"))
		}
		assert.Equal(t, 1000.0, got.sum("langfuse.tokens"))
		assert.Empty(t, got.of("langfuse.users.active"), "1000 would be wrong")
		assert.Len(t, b.lines("gives 1000 rows at most"), 3)
		pass(5 * time.Minute)
		got = b.read(t)
		assert.Zero(t, got.value(t, "langfuse.rows.truncated{langfuse.view=observations}"))
	})
}

// TestSkew: windows end by the clock of the server.
func TestSkew(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, 25 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				cfg := simulator.LangfuseConfig{Now: func() time.Time { return time.Now().Add(skew) }, IngestionDelay: 9 * time.Minute}
				b := newBench(t, cfg, func(cfg *Config) { cfg.Backlog = 0 })
				l := newLife(b.sim).live(noon.Add(-2*time.Hour), noon.Add(8*time.Hour), 30)
				b.up(t)
				pass(time.Minute)
				b.down(t) // so that the first window begins by that clock too
				b.shelf = newShelf()
				b.up(t)
				pass(time.Minute)
				b.down(t)
				begin := time.Now()
				b.up(t)
				pass(5 * time.Hour)
				got := b.read(t)
				end := time.UnixMilli(int64(1000 * got.value(t, "langfuse.window.end{langfuse.view=traces}")))
				assert.Equal(t, time.Now().Add(skew-ingestionDelay).Truncate(shortestWindow).Unix(), end.Unix())
				assert.Less(t, begin.Sub(got.of("langfuse.traces")[0].start.AsTime()), 90*time.Minute)
				assertCounted(t, l.truth(got.of("langfuse.traces")[0].start.AsTime(), end), got)
				lines := b.lines("The clock of the Langfuse server differs")
				require.Len(t, lines, 1)
				assert.InDelta(t, skew.Seconds(), lines[0].ContextMap()["server_ahead"].(time.Duration).Seconds(), 2)
			})
		})
	}
}

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

// TestStorageFails: one line, and counting goes on in memory; when it works again, all
// is there.
func TestStorageFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(9*time.Hour), 20)
		begin := noon.Add(-day).Truncate(day)
		b.up(t)
		pass(time.Hour)
		b.shelf.fail(storage.ErrStorageFull)
		pass(time.Hour)
		got := b.read(t)
		assert.Equal(t, reasonStorage, got.problem())
		assertCounted(t, l.truth(begin, noon.Add(110*time.Minute)), got)
		assert.Len(t, b.lines("The storage cannot be written."), 1)
		b.down(t) // what was counted since is in memory only
		b.shelf.fail(nil)
		b.up(t)
		pass(time.Hour)
		assertCounted(t, l.truth(begin, noon.Add(170*time.Minute)), b.read(t))
		b.shelf.fail(storage.ErrStorageFull)
		pass(time.Hour)
		b.shelf.fail(nil)
		pass(time.Hour)
		got = b.read(t)
		assert.Empty(t, got.problem())
		b.down(t)
		b.up(t)
		pass(time.Minute)
		assertCounted(t, l.truth(begin, noon.Add(290*time.Minute)), b.read(t))
	})
}

// TestStorageUnreadable: nothing is counted before the storage can be read.
func TestStorageUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(9*time.Hour), 20)
		b.up(t)
		pass(time.Hour)
		b.down(t)
		b.shelf.fail(storage.ErrStorageFull)
		b.logs = nil
		b.up(t)
		pass(time.Hour)
		got := b.read(t)
		assert.Equal(t, 1.0, got.value(t, "langfuse.up"))
		assert.Equal(t, reasonStorage, got.problem())
		assert.Empty(t, got.counted())
		assert.Len(t, b.lines("The storage cannot be read."), 1)
		b.shelf.fail(nil)
		pass(20 * time.Minute)
		got = b.read(t)
		assert.Empty(t, got.problem())
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon.Add(130*time.Minute)), got)
	})
}

// TestStorageUseless: what cannot be understood is told of, and counting begins anew.
func TestStorageUseless(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON": "\x00\x01", "another version": `{"format": 99}`, "another shape": `{"format": 1, "totals": {}}`, "null": "null",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, simulator.LangfuseConfig{})
				l := newLife(b.sim).live(noon.Add(-day), noon.Add(time.Hour), 20)
				b.shelf.content[keyState] = []byte(content)
				b.shelf.content[keyFuel] = []byte(content)
				b.up(t)
				pass(13 * time.Minute)
				assert.Len(t, b.lines("What was stored cannot be used."), 1)
				assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon), b.read(t))
			})
		})
	}
}

// TestOtherProject: a key of another project begins anew; a new key of the same does
// not.
func TestOtherProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(9*time.Hour), 20)
		begin := noon.Add(-day).Truncate(day)
		b.up(t)
		pass(time.Hour)
		b.down(t)
		b.sim.SetKey("pk-lf-new", "sk-lf-new")
		b.set = append(b.set, func(cfg *Config) { cfg.PublicKey, cfg.SecretKey = "pk-lf-new", "sk-lf-new" })
		b.up(t)
		pass(time.Hour)
		assertCounted(t, l.truth(begin, noon.Add(110*time.Minute)), b.read(t))
		b.down(t)

		other := simulator.NewLangfuse(simulator.LangfuseConfig{ProjectID: "project-2", ProjectName: "other", PublicKey: "pk-lf-new", SecretKey: "sk-lf-new"})
		m := newLife(other).live(noon.Add(-day), noon.Add(9*time.Hour), 5)
		b.wire.connect(other.Handler())
		b.logs = nil
		b.up(t)
		pass(time.Hour)
		assertCounted(t, m.truth(begin, noon.Add(170*time.Minute)), b.read(t))
		assert.Len(t, b.lines("another project than before"), 1)
	})
}

// TestTooOld: after more than max_catch_up counting begins anew.
func TestTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.MaxCatchUp = 2 * day })
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(5*day), 5)
		b.up(t)
		pass(time.Hour)
		b.down(t)
		pass(day)
		b.up(t)
		pass(time.Hour)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon.Add(day+110*time.Minute)), b.read(t))
		b.down(t)
		pass(3 * day)
		b.logs = nil
		b.up(t)
		pass(time.Hour)
		assert.Len(t, b.lines("ends longer ago than max_catch_up"), 1)
		assertCounted(t, l.truth(noon.Add(3*day).Truncate(day), noon.Add(4*day+170*time.Minute)), b.read(t))
	})
}

// TestHole: a view that could not be read for longer than max_catch_up leaves a hole,
// and that is told.
func TestHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.MaxCatchUp = 2 * day })
		newLife(b.sim).live(noon.Add(-day), noon.Add(5*day), 5)
		b.up(t)
		pass(time.Hour)
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Query().Get("query"), "scores-categorical") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			working.ServeHTTP(w, r)
		}))
		pass(4 * day)
		b.wire.connect(working)
		pass(time.Hour)
		lines := b.lines("A view was not read for longer than max_catch_up.")
		require.NotEmpty(t, lines)
		assert.LessOrEqual(t, len(lines), 3)
		assert.Empty(t, b.read(t).problem())
		assert.Zero(t, b.read(t).value(t, "langfuse.backlog.remaining"))
	})
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

// TestProjectUnknown: a server that does not tell the project is read all the same; a
// key that has none is not.
func TestProjectUnknown(t *testing.T) {
	answer := func(b *bench, with http.HandlerFunc) {
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/projects") {
				with(w, r)
				return
			}
			working.ServeHTTP(w, r)
		}))
	}
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(4*time.Hour), 20)
		answer(b, http.NotFound)
		b.up(t)
		pass(time.Hour)
		got := b.read(t)
		assert.Empty(t, got.problem())
		_, there := b.resource(b.board.report.state.Project).Attributes().Get("langfuse.project.id")
		assert.False(t, there)
		b.down(t)
		b.up(t)
		pass(time.Hour)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon.Add(110*time.Minute)), b.read(t))
		b.wire.connect(b.sim.Handler()) // an upgrade
		pass(time.Hour)
		b.down(t)
		answer(b, http.NotFound)
		b.up(t)
		pass(10 * time.Minute)
		assertCounted(t, l.truth(b.board.report.state.Started, noon.Add(3*time.Hour)), b.read(t))
	})
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		answer(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data": []}`)) })
		b.up(t)
		pass(time.Hour)
		assert.Equal(t, reasonNoProject, b.read(t).problem())
		assert.Zero(t, b.wire.queries())
	})
}

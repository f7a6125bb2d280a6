package langfusereceiver

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

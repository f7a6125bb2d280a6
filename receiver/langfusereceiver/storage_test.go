package langfusereceiver

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

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

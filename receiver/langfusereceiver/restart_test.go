package langfusereceiver

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// lasts is how long a process may die.
const lasts = 12 * time.Minute

var errCrash = errors.New("crash")

// place is where a process may die.
type place string

const (
	beforeQuery place = "before a query"
	afterQuery  place = "after a query, before its answer is counted"
	beforeWrite place = "before the storage is written"
	afterWrite  place = "after the storage was written, before anything is emitted"
)

var places = []place{beforeQuery, afterQuery, beforeWrite, afterWrite}

// crashAt lets the receiver die at the n-th time at a place. What it would do after
// that has no effect. It returns whether it came so far.
func (b *bench) crashAt(where place, n int) (died *atomic.Bool) {
	died = new(atomic.Bool)
	end := time.Now().Add(lasts)
	hit := func(at place) {
		if at == where && !died.Load() && time.Now().Before(end) {
			if n--; n == 0 {
				died.Store(true)
				b.cancel()
			}
		}
	}
	query := func(of place) func(*http.Request) {
		return func(req *http.Request) {
			if strings.Contains(req.URL.Path, "metrics") {
				hit(of)
			}
		}
	}
	b.wire.before, b.wire.after = query(beforeQuery), query(afterQuery)
	b.shelf.before = func(string) {
		hit(beforeWrite)
		if where == beforeWrite && died.Load() {
			b.shelf.fail(errCrash)
		}
	}
	b.shelf.after = func(string) { hit(afterWrite) }
	return died
}

// TestRestartAtEveryStep: wherever the process dies, afterwards the totals are those
// of one that did not, and nothing that was emitted falls.
func TestRestartAtEveryStep(t *testing.T) {
	run := func(t *testing.T, where place, n int) (died bool, got map[string]float64) {
		t.Helper()
		b := newBench(t, simulator.LangfuseConfig{}, everything)
		newLife(b.sim).live(noon.Add(-day), noon.Add(-2*time.Hour), 4).live(noon.Add(-2*time.Hour), noon.Add(lasts), 60)
		dead := b.crashAt(where, n)
		b.up(t)
		last := map[string]float64{}
		look := func() {
			got = b.read(t).counted()
			for series, v := range got {
				require.GreaterOrEqual(t, v, last[series], series)
				last[series] = v
			}
			if dead.Load() && !died {
				died = true
				b.down(t)
				b.shelf.fail(nil)
				pass(7 * time.Minute)
				b.up(t)
			}
		}
		end := time.Now().Add(lasts)
		for ; time.Now().Before(end); pass(time.Minute) {
			look()
		}
		look()
		pass(time.Until(end.Add(7*time.Minute + 30*time.Second)))
		look()
		return died, got
	}
	var want map[string]float64
	synctest.Test(t, func(t *testing.T) {
		begin()
		_, want = run(t, "", 0)
	})
	require.Greater(t, len(want), 30)
	for _, where := range places {
		t.Run(string(where), func(t *testing.T) {
			n := 1
			for died := true; died; n++ {
				synctest.Test(t, func(t *testing.T) {
					begin()
					var got map[string]float64
					died, got = run(t, where, n)
					require.Equal(t, want, got, "died at the %d. time", n)
				})
			}
			assert.Greater(t, n, 25)
		})
	}
}

// TestRestartOnDisk: with the real storage.
func TestRestartOnDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	id := component.MustNewID("file_storage")
	run := func(t *testing.T, b *bench) readings {
		t.Helper()
		factory := filestorage.NewFactory()
		cfg := factory.CreateDefaultConfig().(*filestorage.Config)
		cfg.Directory, cfg.CreateDirectory = folder, true
		disk, err := factory.Create(t.Context(), extension.Settings{ID: id, TelemetrySettings: componenttest.NewNopTelemetrySettings()}, cfg)
		require.NoError(t, err)
		require.NoError(t, disk.Start(t.Context(), nil))
		b.disk = map[component.ID]extension.Extension{id: disk}
		b.up(t)
		pass(time.Hour)
		got := b.read(t)
		b.down(t)
		require.NoError(t, disk.Shutdown(context.Background()))
		return got
	}
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.Storage = &id })
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(3*time.Hour), 60)
		first := run(t, b)
		begin := noon.Add(-day - ingestionDelay).Truncate(day)
		assertCounted(t, l.truth(begin, noon.Add(50*time.Minute)), first)
		pass(time.Hour)
		second := run(t, b)
		assertCounted(t, l.truth(begin, noon.Add(170*time.Minute)), second)
		assert.Zero(t, b.shelf.writes)
	})
}

const ingestionDelay = defaultIngestionDelay

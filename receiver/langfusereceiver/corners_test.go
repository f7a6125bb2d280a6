package langfusereceiver

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestSkewEnds: a clock that is put right is told of, and heeded.
func TestSkewEnds(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	b, j := newBoard(), &journal{zap.New(core)}
	synctest.Test(t, func(t *testing.T) {
		begin()
		for _, step := range []struct {
			ahead, want time.Duration
			news        bool
		}{{0, 0, false}, {20 * time.Second, 0, false}, {time.Hour, time.Hour, true}, {time.Hour + 5*time.Second, time.Hour, false}, {time.Second, 0, true}} {
			skew, news := b.see(header{date: time.Now().Add(step.ahead)})
			require.Equal(t, step.news, news, step.ahead)
			assert.Equal(t, step.want, time.Until(b.now()), step.ahead)
			if news {
				j.skew(skew)
			}
		}
		_, news := b.see(header{})
		assert.False(t, news, "it does not tell")
	})
	require.Equal(t, 2, logs.Len())
	assert.Contains(t, logs.All()[1].Message, "agree again")
}

func TestErrorsKeepTheirCause(t *testing.T) {
	for _, err := range []error{&storageError{assert.AnError}, &corruptError{assert.AnError}} {
		assert.ErrorIs(t, err, assert.AnError)
		assert.Equal(t, assert.AnError.Error(), err.Error())
	}
	assert.Equal(t, reasonStorage, reasonOf(&storageError{assert.AnError}))
	assert.Equal(t, reasonNoAPI, reasonOf(errNoAPI))
}

// TestUnwritable: what JSON cannot hold is an error, not a crash.
func TestUnwritable(t *testing.T) {
	s := newState()
	s.Totals[key{family: famTraces}] = math.Inf(1)
	st := &store{newShelf()}
	assert.Error(t, st.saveState(t.Context(), s))
	assert.Error(t, errors.Unwrap(&storageError{st.saveState(t.Context(), s)}))
}

// TestStoredByLaterVersion: what a later version stored in this format and this one
// does not know is kept out of what is emitted.
func TestStoredByLaterVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		b.shelf.content[keyState] = []byte(`{"format": 1, "project": {"id": "project-1", "name": "sim"}, "totals": [
			{"f": "new_family", "l": ["a", "", "", ""], "v": 5}, {"f": "traces", "l": ["", "", "", ""], "v": 7}], "later": true}`)
		b.up(t)
		pass(time.Minute)
		assert.Equal(t, map[string]float64{"langfuse.traces": 7}, b.read(t).counted())
	})
}

// TestDailyFails: daily figures are asked for again later and later.
func TestDailyFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Version: "3.50.0"})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(3*time.Hour), 20)
		b.up(t)
		pass(17 * time.Minute)
		b.sim.SetDatabase(false)
		pass(time.Hour)
		asked := b.wire.requests("/metrics/daily")
		assert.Less(t, asked, 25)
		assert.Equal(t, "500", b.read(t).problem())
		b.sim.SetDatabase(true)
		pass(17 * time.Minute)
		got := b.read(t)
		assert.Empty(t, got.problem())
		want := byModel(l.truth(noon.Add(-day).Truncate(day), time.Now()))
		assert.InDelta(t, want["langfuse.traces"], got.sum("langfuse.traces"), 3)
	})
}

// TestDailyOff: where nothing that daily figures tell is wanted, they are not read.
func TestDailyOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Version: "3.50.0"}, nothingOn, func(cfg *Config) { cfg.Metrics.LangfuseScores.Enabled = true })
		b.up(t)
		pass(day)
		assert.Zero(t, b.wire.requests("/metrics/daily"))
		assert.Empty(t, b.read(t).counted())
	})
}

// TestTruncatedWhereQueriesAreFew: a window is not split for its rows there, as the
// view would never catch up.
func TestTruncatedWhereQueriesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Cloud: true}, cloud, func(cfg *Config) { cfg.Backlog, cfg.MaxModels = 0, 10_000 })
		for i := range 1500 {
			at := noon.Add(time.Duration(i) * 2 * time.Second)
			b.sim.Add(simulator.LangfuseObservation{Start: at, End: at, Model: "model-" + strings.Repeat("x", i), InputTokens: 1})
		}
		b.up(t)
		pass(90 * time.Minute)
		got := b.read(t)
		assert.Equal(t, 1000.0, got.sum("langfuse.tokens"))
		assert.Equal(t, 1.0, got.value(t, "langfuse.rows.truncated{langfuse.view=observations}"))
		assert.Less(t, b.wire.queries(), 15)
	})
}

// TestProjectRenamed: the state of the project is kept when only its name changes.
func TestProjectRenamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(3*time.Hour), 20)
		b.up(t)
		pass(30 * time.Minute)
		working := b.sim.Handler()
		b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/projects") {
				_, _ = w.Write([]byte(`{"data": [{"id": "project-1", "name": "renamed"}]}`))
				return
			}
			working.ServeHTTP(w, r)
		}))
		pass(2 * time.Hour)
		got := b.read(t)
		assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon.Add(140*time.Minute)), got)
		_, _, r := b.board.look()
		assert.Equal(t, "renamed", b.cfg.instance(r.state.Project))
	})
}

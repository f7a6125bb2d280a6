package langfusereceiver

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

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

package langfusereceiver

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

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

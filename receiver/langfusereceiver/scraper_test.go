package langfusereceiver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// declared are the metrics in metadata.yaml.
func declared(t *testing.T) map[string]any {
	t.Helper()
	file, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	sub, err := file.Sub("metrics")
	require.NoError(t, err)
	metrics := map[string]any{}
	require.NoError(t, sub.Unmarshal(&metrics, confmap.WithIgnoreUnused()))
	return metrics
}

// TestEveryMetricHasASource: some server makes each declared metric appear.
func TestEveryMetricHasASource(t *testing.T) {
	missing := declared(t)
	require.Greater(t, len(missing), 20)
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{Cloud: true, Plan: simulator.LangfusePro}, everything, cloud, func(cfg *Config) { cfg.QueriesPerDay = 10_000 })
		newLife(b.sim).live(noon.Add(-day), noon.Add(4*time.Hour), 100)
		b.up(t)
		pass(time.Hour)
		b.sim.RevokeKey()
		pass(6 * time.Minute)
		for _, p := range b.read(t) {
			delete(missing, p.metric)
		}
	})
	assert.Empty(t, missing)
}

// TestNothingOn: what is switched off is not asked for.
func TestNothingOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, nothingOn)
		b.up(t)
		pass(time.Hour)
		assert.Empty(t, b.read(t))
		assert.Zero(t, b.wire.queries())
	})
}

// TestWindowValues: what is of the last window, on both APIs under the same names.
func TestWindowValues(t *testing.T) {
	for _, server := range []simulator.LangfuseConfig{{}, {Version: "3.100.0", StringNumbers: true}} {
		synctest.Test(t, func(t *testing.T) {
			begin()
			b := newBench(t, server)
			for i, ms := range []int{100, 200, 300, 400, 500} {
				at := noon.Add(time.Duration(i) * time.Minute)
				id := string(rune('a' + i))
				b.sim.AddTrace(simulator.LangfuseTrace{ID: id, Time: at, UserID: []string{"ann", "bob", ""}[i%3], SessionID: "s"})
				b.sim.Add(simulator.LangfuseObservation{
					TraceID: id, Type: "GENERATION", Start: at, CompletionStart: at.Add(time.Duration(ms) / 10 * time.Millisecond),
					End: at.Add(time.Duration(ms) * time.Millisecond), Model: "gpt", UserID: []string{"ann", "bob", ""}[i%3], SessionID: "s",
				})
				b.sim.AddScore(simulator.LangfuseScore{TraceID: id, Time: at, Name: "quality", Value: float64(i)})
			}
			b.up(t)
			pass(16 * time.Minute)
			got := b.read(t)
			for series, want := range map[string]float64{
				"langfuse.users.active":    2,
				"langfuse.sessions.active": 1,
				"langfuse.observation.latency{gen_ai.request.model=gpt,quantile=0.5}":        0.3,
				"langfuse.observation.latency{gen_ai.request.model=gpt,quantile=0.9}":        0.46,
				"langfuse.time_to_first_token{gen_ai.request.model=gpt,quantile=0.5}":        0.03,
				"langfuse.score.mean{langfuse.score.name=quality,langfuse.score.source=API}": 2,
				"langfuse.window.duration{langfuse.view=latency}":                            300,
				"langfuse.window.end{langfuse.view=latency}":                                 float64(noon.Add(5 * time.Minute).Unix()),
				"langfuse.window.end{langfuse.view=observations}":                            float64(noon.Add(5 * time.Minute).Unix()),
				"langfuse.score.sum{langfuse.score.name=quality,langfuse.score.source=API}":  10,
				"langfuse.rows.truncated{langfuse.view=latency}":                             0,
			} {
				assert.InDelta(t, want, got.value(t, series), 1e-9, series)
			}
			pass(5 * time.Minute)
			got = b.read(t)
			assert.Zero(t, got.value(t, "langfuse.users.active"), "nobody in that window")
			assert.Empty(t, got.of("langfuse.observation.latency"))
			assert.True(t, got["langfuse.observation.latency{gen_ai.request.model=gpt,quantile=0.5}"].none, "exporters must drop it")
			assert.Equal(t, 10.0, got.value(t, "langfuse.score.sum{langfuse.score.name=quality,langfuse.score.source=API}"))
		})
	}
}

// TestSplitByEnvironment: the parts add up to the whole.
func TestSplitByEnvironment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) { cfg.SplitByEnvironment = true })
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(time.Hour), 20)
		b.up(t)
		pass(13 * time.Minute)
		got := b.read(t)
		truth := l.truth(noon.Add(-day).Truncate(day), noon)
		for _, metric := range []string{"langfuse.traces", "langfuse.observations", "langfuse.tokens", "langfuse.scores"} {
			want := 0.0
			for series, v := range truth {
				if name, _ := cutSeries(series); name == metric {
					want += v
				}
			}
			assert.Equal(t, want, got.sum(metric))
			assert.Positive(t, got.sum(metric, "deployment.environment.name=production"), metric)
			assert.Positive(t, got.sum(metric, "deployment.environment.name=staging"), metric)
		}
	})
}

// TestUsersAndPrompts: what is off by default is counted when it is on.
func TestUsersAndPrompts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, everything, func(cfg *Config) { cfg.MaxUsers = 3 })
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(time.Hour), 20)
		b.up(t)
		pass(13 * time.Minute)
		got := b.read(t)
		ofUsers, ofPrompts := 0.0, 0.0
		traces := map[string]string{}
		for _, e := range l.events {
			if e.trace != nil {
				traces[e.trace.ID] = e.trace.UserID
			}
		}
		for _, e := range l.events {
			o := e.observation
			if o == nil || e.at.Before(noon.Add(-day).Truncate(day)) || !e.at.Before(noon) {
				continue
			}
			if traces[o.TraceID] != "" {
				ofUsers += float64(o.InputTokens)
			}
			if o.PromptName != "" {
				ofPrompts += float64(o.InputTokens)
			}
		}
		assert.Equal(t, ofUsers, got.sum("langfuse.user.tokens", "gen_ai.token.type=input"))
		assert.Len(t, got.of("langfuse.user.cost"), 4, "three, and all others together")
		assert.Equal(t, ofPrompts, got.sum("langfuse.prompt.tokens", "gen_ai.token.type=input"))
		assert.Len(t, got.of("langfuse.prompt.observations"), 2)
	})
}

// TestWithoutStorage: a restart begins at zero, so that no increase is seen twice.
func TestWithoutStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, noStorage)
		l := newLife(b.sim).live(noon.Add(-day), noon.Add(4*time.Hour), 20)
		b.up(t)
		pass(time.Hour)
		assertCounted(t, l.truth(noon.Add(-10*time.Minute), noon.Add(50*time.Minute)), b.read(t))
		b.down(t)
		b.up(t)
		pass(time.Hour)
		assertCounted(t, l.truth(noon.Add(50*time.Minute), noon.Add(110*time.Minute)), b.read(t))
	})
}

// TestSlowServer: a server that takes its time delays no scrape, and none is late.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		newLife(b.sim).live(noon.Add(-day), noon.Add(time.Hour), 20)
		faulty := &simulator.Faulty{Next: b.sim.Handler(), AllPaths: true, Delay: 20 * time.Second}
		faulty.Set(simulator.FaultSlow)
		b.wire.connect(faulty)
		b.up(t)
		time.Sleep(10 * time.Second) // in the middle of the first answer
		at := time.Now()
		md, err := b.scrape(t.Context())
		require.NoError(t, err)
		assert.Zero(t, time.Since(at))
		assert.Empty(t, readingsOf(t, md).of("langfuse.up"), "not known yet")
		pass(20 * time.Minute)
		got := b.read(t)
		assert.Equal(t, 1.0, got.value(t, "langfuse.up"))
		assert.NotEmpty(t, got.of("langfuse.tokens"))
	})
}

// TestReceiver runs it as the collector does, against a server that hangs: the
// shutdown does not wait for it.
func TestReceiver(t *testing.T) {
	hanging := make(chan struct{})
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-hanging:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hanging) })
	cfg := createDefaultConfig().(*Config)
	cfg.InitialDelay, cfg.CollectionInterval = 0, time.Second
	cfg.Endpoint, cfg.PublicKey, cfg.SecretKey = server.URL, "pk-lf-1", "sk-lf-1"
	sink := new(consumertest.MetricsSink)
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	r, err := NewFactory().CreateMetrics(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-asked
	begin := time.Now()
	require.NoError(t, r.Shutdown(context.Background()))
	assert.Less(t, time.Since(begin), 10*time.Second)
	assert.Zero(t, logs.FilterLevelExact(zap.WarnLevel).Len(), "to be broken off by the shutdown is no failure")
}

// TestInert: without an endpoint or without keys nothing is asked, and one line says
// so.
func TestInert(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		want   string
	}{
		{func(cfg *Config) { cfg.Endpoint = "" }, `No Langfuse project is read: "endpoint" is empty.`},
		{func(cfg *Config) { cfg.PublicKey, cfg.SecretKey = "", "" }, `No Langfuse project is read: "public_key" and "secret_key" are empty.`},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin()
			b := newBench(t, simulator.LangfuseConfig{}, tt.change)
			b.up(t)
			pass(time.Hour)
			assert.Empty(t, b.read(t))
			assert.Empty(t, b.wire.asked)
			lines := b.logs.All()
			require.Len(t, lines, 1)
			assert.Equal(t, tt.want, lines[0].Message)
		})
	}
}

// TestStartFailure: only what can never work.
func TestStartFailure(t *testing.T) {
	missing := component.MustNewID("file_storage")
	for want, change := range map[string]func(*Config){
		`there is no extension "file_storage"`: func(cfg *Config) { cfg.Storage = &missing },
		`the extension "wire" is no storage`:   func(cfg *Config) { cfg.Storage = &wireID },
		"no-such-file": func(cfg *Config) {
			cfg.Endpoint = "https://langfuse.test"
			cfg.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "testdata/no-such-file"}}
		},
		"no disk": func(*Config) {},
	} {
		b := newBench(t, simulator.LangfuseConfig{}, change)
		if want == "no disk" {
			b.shelf.noClient = assert.AnError
			want = assert.AnError.Error()
		}
		s := newScraper(b.config(t), receivertest.NewNopSettings(metadata.Type))
		assert.ErrorContains(t, s.start(t.Context(), b.host()), want)
		assert.NoError(t, s.shutdown(t.Context()))
	}
}

// TestShutdownWhileWaiting: neither a pause that the server asked for nor the budget
// holds it up.
func TestShutdownWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, cloud, func(cfg *Config) { cfg.QueriesPerDay = leastQueries })
		b.up(t)
		pass(time.Hour)
		at := time.Now()
		b.down(t)
		assert.Zero(t, time.Since(at))
	})
}

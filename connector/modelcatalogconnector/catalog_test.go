package modelcatalogconnector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadatatest"
)

// emission is what the catalog passed on, and when.
type emission struct {
	reading
	after time.Duration
}

// sink takes what the catalog emits.
type sink struct {
	mu    sync.Mutex
	begin time.Time
	got   []emission
	// err is what it answers, nil if it takes it.
	err error
	// block lets it wait until its context ends.
	block bool
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.block {
		<-ctx.Done()
		return ctx.Err()
	}
	s.got = append(s.got, emission{readingOf(md), time.Since(s.begin)})
	return s.err
}

// all are the emissions so far.
func (s *sink) all() []emission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// answer sets what it answers from now on.
func (s *sink) answer(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// times are those of all emissions.
func (s *sink) times() []time.Duration {
	var times []time.Duration
	for _, e := range s.all() {
		times = append(times, e.after)
	}
	return times
}

func (s *sink) last() emission {
	all := s.all()
	return all[len(all)-1]
}

// start runs a catalog in a bubble of its own time.
func start(t *testing.T, changes ...func(*Config)) (*probe, *sink) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, change := range changes {
		change(cfg)
	}
	set, logs := observed()
	s := &sink{begin: time.Now()}
	c, err := NewFactory().CreateMetricsToMetrics(t.Context(), set, cfg, s)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	assert.False(t, c.Capabilities().MutatesData)
	return &probe{c.(*catalog), logs}, s
}

// TestSchedule: the catalog is emitted at every interval, and a second after a change.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := start(t)
		server := func(state string) *batch {
			b := newBatch()
			return b.vllm("one", 8000).gauge("vllm.model.info{gen_ai.request.model=qwen}", 1).gauge("vllm.server.state{vllm.server.state="+state+"}", 1)
		}
		time.Sleep(10 * time.Second)
		assert.Empty(t, s.all(), "nothing is known")
		p.feed(t, server("ready")) // at 10 s
		time.Sleep(500 * time.Millisecond)
		p.feed(t, server("loading")) // at 10.5 s
		p.feed(t, server("ready"))
		time.Sleep(30 * time.Second)
		p.feed(t, server("ready")) // at 40.5 s: no news
		time.Sleep(39500 * time.Millisecond)
		p.feed(t, server("unreachable")) // at 80 s
		time.Sleep(20 * time.Second)
		require.Equal(t, []time.Duration{11 * time.Second, 71 * time.Second, 81 * time.Second}, s.times())
		assert.Equal(t, "available", s.all()[0].state("qwen"))
		assert.Equal(t, "available", s.all()[1].state("qwen"))
		assert.Equal(t, "error", s.all()[2].state("qwen"))

		// A flood of changes is a flood of nothing else.
		for i := range 100 {
			p.feed(t, server([]string{"ready", "stuck"}[i%2]))
			time.Sleep(100 * time.Millisecond)
		}
		assert.LessOrEqual(t, len(s.all()), 3+10)
		p.feed(t, server("failed")) // a change just before the end
		require.NoError(t, p.Shutdown(t.Context()))
		assert.Equal(t, "error", s.last().state("qwen"), "the last word")
	})
}

// TestShortInterval: an interval of a second is one.
func TestShortInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := start(t, func(cfg *Config) { cfg.Interval = time.Second })
		p.feed(t, everything())
		time.Sleep(2500 * time.Millisecond)
		assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, s.times())
		require.NoError(t, p.Shutdown(t.Context()))
		assert.Len(t, s.all(), 3)
	})
}

// TestFileAlone: models of the file are there although no source says anything.
func TestFileAlone(t *testing.T) {
	_, file := withFile(t, "models: [{name: one, add: true}]")
	synctest.Test(t, func(t *testing.T) {
		p, s := start(t, file)
		time.Sleep(2 * time.Second)
		require.Len(t, s.all(), 1)
		assert.Equal(t, []string{"one"}, s.all()[0].models())
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

// TestNextRefuses: what could not be passed on is told once, and tried again.
func TestNextRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := start(t)
		s.answer(errors.New("full"))
		p.feed(t, everything())
		time.Sleep(3 * time.Minute)
		assert.Len(t, s.all(), 3)
		s.answer(nil)
		time.Sleep(2 * time.Minute)
		require.NoError(t, p.Shutdown(t.Context()))
		require.Equal(t, 2, p.logs.Len())
		assert.Equal(t, "The model catalog could not be passed on. It is tried again.", p.logs.All()[0].Message)
		assert.Equal(t, "The model catalog is passed on again.", p.logs.All()[1].Message)
	})
}

// TestShutdownBreaksOff: a next consumer that hangs does not delay the end beyond
// what the shutdown allows, and is no fault of its.
func TestShutdownBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := start(t)
		s.mu.Lock()
		s.block = true
		s.mu.Unlock()
		p.feed(t, everything())
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		require.NoError(t, p.Shutdown(ctx))
		assert.Equal(t, 5*time.Second, time.Since(begin))
		assert.Zero(t, p.logs.Len())
	})
}

// TestConcurrent: receivers deliver at the same time while the catalog is emitted.
func TestConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := start(t, func(cfg *Config) { cfg.Interval = time.Second })
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				for j := range 50 {
					b := newBatch()
					b.began = s.begin.Add(time.Millisecond)
					serves(b.vllm(fmt.Sprintf("server-%d", i), 8000), "qwen", fmt.Sprintf(", service.version=%d", j%3))
					b.sum("vllm.tokens.input{gen_ai.request.model=qwen}", int64(j))
					offers(b.litellm(), strconv.Itoa(i), "chat", "qwen", "vllm", "").sum(fmt.Sprintf("litellm.tokens.input{gen_ai.request.model=chat, gen_ai.response.model=qwen, litellm.team.id=%d}", i), int64(j))
					b.langfuse().sum("langfuse.tokens{gen_ai.request.model=chat, gen_ai.token.type=input}", int64(j))
					p.feed(t, b)
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		wait.Wait()
		require.NoError(t, p.Shutdown(t.Context()))
		last := s.last()
		assert.Equal(t, []string{"chat"}, last.models())
		assert.InDelta(t, 8*49, last.tokens("qwen", "input", "vllm"), 0)
		assert.InDelta(t, 8*49, last.tokens("qwen", "input", "litellm"), 0)
		assert.InDelta(t, 49, last.tokens("qwen", "input", "langfuse"), 0)
		assert.Len(t, last.of("llm.model.route")["chat"], 9)
	})
}

// TestNothingEnabled: with all metrics off there is nothing to pass on.
func TestNothingEnabled(t *testing.T) {
	p := newProbe(t, func(cfg *Config) {
		cfg.Metrics = metadata.MetricsConfig{}
	})
	p.feed(t, everything())
	r := p.read(t)
	assert.Empty(t, r.values)
	p.next = &sink{err: errors.New("unwanted")}
	p.emit(t.Context())
	assert.Zero(t, p.logs.Len())
}

// TestTelemetry: what the catalog tells of itself.
func TestTelemetry(t *testing.T) {
	path, file := withFile(t, "models: [{name: one, add: true}]")
	tel := componenttest.NewTelemetry()
	set := connectortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	cfg := createDefaultConfig().(*Config)
	file(cfg)
	cfg.MaxModels = 2
	c, err := newCatalog(cfg, set, &sink{})
	require.NoError(t, err)
	b := newBatch()
	serves(b.vllm("one", 8000), "a", "")
	serves(b.vllm("two", 8001), "b", "")
	require.NoError(t, c.ConsumeMetrics(t.Context(), b.md))
	c.snapshot(t.Context(), time.Now())
	loaded := func(value int64) {
		metadatatest.AssertEqualConnectorModelCatalogFileLoaded(t, tel, []metricdata.DataPoint[int64]{{Value: value}}, metricdatatest.IgnoreTimestamp())
	}
	metadatatest.AssertEqualConnectorModelCatalogEntries(t, tel, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorModelCatalogRefused(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("refused", "model"))},
	}, metricdatatest.IgnoreTimestamp())
	loaded(1)
	write(t, path, "model: []", time.Minute)
	c.snapshot(t.Context(), time.Now())
	loaded(0)
	require.NoError(t, c.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}

// TestRefusalAgain: what is left out again after a while is news again.
func TestRefusalAgain(t *testing.T) {
	p := newProbe(t)
	for _, at := range []time.Duration{0, time.Minute, 20 * time.Minute, 40 * time.Minute, 41 * time.Minute} {
		p.journal.refusals(refusals{refusedSeries: 1}, noon.Add(at), 15*time.Minute)
	}
	assert.Equal(t, 3, p.logs.Len())
}

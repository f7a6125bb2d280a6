package vllmreceiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// clock stands still until it is moved. Server and scraper share it.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 9, 20, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.ns.Load()) }

func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func (c *clock) timestamp() pcommon.Timestamp { return pcommon.NewTimestampFromTime(c.now()) }

// probe is a scraper under test, which reads one server when told to.
type probe struct {
	*vllmScraper
	clock *clock
	logs  *observer.ObservedLogs
}

func newProbe(t testing.TB, c *clock, url string, changes ...func(*Config)) *probe {
	t.Helper()
	endpoint := newDefaultEndpoint()
	endpoint.Endpoint = url
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoints = EndpointsConfig{endpoint}
	for _, change := range changes {
		change(cfg)
	}
	require.NoError(t, xconfmap.Validate(cfg))

	core, logs := observer.New(zapcore.DebugLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	p := &probe{vllmScraper: newScraper(cfg, &cfg.Endpoints[0], set), clock: c, logs: logs}
	p.now = c.now
	require.NoError(t, p.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, p.shutdown(t.Context())) })
	return p
}

// read scrapes the server once; a minute passes afterwards.
func (p *probe) read(t testing.TB) readings {
	t.Helper()
	md, err := p.scrape(t.Context())
	require.NoError(t, err)
	p.clock.advance(time.Minute)
	return readingsOf(t, md)
}

// messages are the log lines so far.
func (p *probe) messages() []string {
	var messages []string
	for _, entry := range p.logs.All() {
		messages = append(messages, entry.Message)
	}
	return messages
}

func everything(cfg *Config) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		metrics.Field(i).FieldByName("Enabled").SetBool(true)
	}
	cfg.Histograms = switchAll(true)
}

func switchAll(on bool) HistogramsConfig {
	all := HistogramsConfig{}
	for _, name := range histogramNames() {
		all[name] = HistogramConfig{Enabled: &on}
	}
	return all
}

// reading is one data point.
type reading struct {
	metric     string
	attributes map[string]any
	value      float64
	histogram  pmetric.HistogramDataPoint
	start, at  pcommon.Timestamp
	// none says that the point has no value: the series ends.
	none bool
	// monotonic says that it counts.
	monotonic bool
}

func (r reading) isHistogram() bool { return r.histogram != pmetric.HistogramDataPoint{} }

// readings are the data points of a scrape by series, such as vllm.up or
// vllm.server.state{vllm.server.state=ready}.
type readings map[string]reading

// readingsOf fails if two points belong to one series.
func readingsOf(t testing.TB, md pmetric.Metrics) readings {
	t.Helper()
	all := readings{}
	add := func(m pmetric.Metric, attributes pcommon.Map, r reading) {
		r.metric, r.attributes = m.Name(), attributes.AsRaw()
		key := seriesName(r.metric, r.attributes)
		if _, twice := all[key]; twice {
			require.Fail(t, "two points of one series", key)
		}
		all[key] = r
	}
	require.LessOrEqual(t, md.ResourceMetrics().Len(), 1)
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			var numbers pmetric.NumberDataPointSlice
			monotonic := false
			switch m.Type() {
			case pmetric.MetricTypeHistogram:
				require.NotZero(t, m.Histogram().DataPoints().Len(), "%s has no points", m.Name())
				require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Histogram().AggregationTemporality())
				for _, dp := range m.Histogram().DataPoints().All() {
					add(m, dp.Attributes(), reading{
						histogram: dp, start: dp.StartTimestamp(), at: dp.Timestamp(), none: dp.Flags().NoRecordedValue(), monotonic: true,
					})
				}
				continue
			case pmetric.MetricTypeSum:
				numbers, monotonic = m.Sum().DataPoints(), m.Sum().IsMonotonic()
				require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
			default:
				numbers = m.Gauge().DataPoints()
			}
			require.NotZero(t, numbers.Len(), "%s has no points", m.Name())
			for _, dp := range numbers.All() {
				value := dp.DoubleValue()
				if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
					value = float64(dp.IntValue())
				}
				add(m, dp.Attributes(), reading{
					value: value, start: dp.StartTimestamp(), at: dp.Timestamp(), none: dp.Flags().NoRecordedValue(), monotonic: monotonic,
				})
			}
		}
	}
	return all
}

func seriesName(metric string, attributes map[string]any) string {
	if len(attributes) == 0 {
		return metric
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		pairs = append(pairs, fmt.Sprintf("%s=%v", k, attributes[k]))
	}
	return metric + "{" + strings.Join(pairs, ",") + "}"
}

// value fails unless the series is there and has a value.
func (rs readings) value(t testing.TB, series string) float64 {
	t.Helper()
	require.Contains(t, rs, series)
	require.False(t, rs[series].none, "%s has ended", series)
	return rs[series].value
}

// of returns the points of a metric that have a value.
func (rs readings) of(metric string) []reading {
	var found []reading
	for _, key := range slices.Sorted(maps.Keys(rs)) {
		if rs[key].metric == metric && !rs[key].none {
			found = append(found, rs[key])
		}
	}
	return found
}

// state is the one state that is 1; all others must be there and 0.
func (rs readings) state(t testing.TB) string {
	t.Helper()
	all := rs.of("vllm.server.state")
	require.Len(t, all, len(states))
	state := ""
	for _, r := range all {
		if r.value == 1 {
			require.Empty(t, state, "two states at once")
			state = r.attributes["vllm.server.state"].(string)
			continue
		}
		require.Zero(t, r.value)
	}
	require.NotEmpty(t, state)
	return state
}

// problem is the error.type that is 1, empty if all is well.
func (rs readings) problem(t testing.TB) string {
	t.Helper()
	problem := ""
	for _, r := range rs.of("vllm.scrape.error") {
		if r.value == 1 {
			require.Empty(t, problem, "two problems at once")
			problem = r.attributes["error.type"].(string)
		}
	}
	return problem
}

// ended are the series that got a point without a value.
func (rs readings) ended() []string {
	var series []string
	for key, r := range rs {
		if r.none {
			series = append(series, key)
		}
	}
	slices.Sort(series)
	return series
}

func (rs readings) metricNames() []string {
	names := map[string]bool{}
	for _, r := range rs {
		if !r.none {
			names[r.metric] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// newSimulated starts a server on the clock, with some traffic behind it.
func newSimulated(t testing.TB, c *clock, cfg simulator.VLLMConfig) (*simulator.VLLM, string) {
	t.Helper()
	cfg.Now = c.now
	v := simulator.NewVLLM(cfg)
	c.advance(time.Hour)
	v.Play(1, time.Hour, 2)
	return v, serve(t, v.Handler())
}

const simModel = "{gen_ai.request.model=sim-8b}"

func TestScrape(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.VLLMConfig{})
	p := newProbe(t, c, url, func(cfg *Config) { cfg.Endpoints[0].Name = "gpu-box" })
	md, err := p.scrape(t.Context())
	require.NoError(t, err)

	resource := md.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "vllm", resource["service.name"])
	assert.Equal(t, "gpu-box", resource["service.instance.id"])
	assert.Equal(t, "127.0.0.1", resource["server.address"])
	assert.NotZero(t, resource["server.port"])

	got := readingsOf(t, md)
	assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
	assert.Equal(t, "ready", got.state(t))
	assert.Empty(t, got.problem(t))
	assert.Positive(t, got.value(t, "vllm.tokens.input"+simModel))
	for key, r := range got {
		assert.Equal(t, c.timestamp(), r.at, key)
	}
	assert.Equal(t, []string{"The vLLM server changed its state."}, p.messages())
}

func TestEverythingSwitchedOff(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.VLLMConfig{})
	off := func(cfg *Config) {
		metrics := reflect.ValueOf(&cfg.Metrics).Elem()
		for i := range metrics.NumField() {
			metrics.Field(i).FieldByName("Enabled").SetBool(false)
		}
		cfg.Histograms = switchAll(false)
	}

	assert.Empty(t, newProbe(t, c, url, off).read(t))

	on := true
	got := newProbe(t, c, url, off, func(cfg *Config) {
		cfg.Histograms["vllm.iteration.tokens"] = HistogramConfig{Enabled: &on}
	}).read(t)
	assert.Equal(t, []string{"vllm.iteration.tokens"}, got.metricNames(), "a histogram alone")
}

// TestShutdownDuringScrape: what is broken off tells nothing of the server.
func TestShutdownDuringScrape(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	p := newProbe(t, c, serve(t, simulator.WithFault(simulator.FaultSlow, v.Handler())))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	md, err := p.scrape(ctx)
	require.NoError(t, err)
	assert.Zero(t, md.DataPointCount())
	assert.Empty(t, p.messages())
}

package modelcatalogconnector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// batch is what receivers emit. Points are written as in "name{a=b, c=d}".
type batch struct {
	md pmetric.Metrics
	rm pmetric.ResourceMetrics
	// at and began are the times of the points that follow.
	at, began time.Time
}

func newBatch() *batch {
	return &batch{md: pmetric.NewMetrics(), at: time.Now()}
}

// resource begins the metrics of a source.
func (b *batch) resource(attributes string) *batch {
	b.rm = b.md.ResourceMetrics().AppendEmpty()
	put(b.rm.Resource().Attributes(), attributes)
	b.rm.ScopeMetrics().AppendEmpty()
	return b
}

// vllm begins the metrics of a server at gpu-1.
func (b *batch) vllm(name string, port int) *batch {
	b.resource("service.name=vllm, service.instance.id=" + name + ", server.address=gpu-1")
	b.rm.Resource().Attributes().PutInt("server.port", int64(port))
	return b
}

// litellm begins the metrics of the proxy.
func (b *batch) litellm() *batch {
	b.resource("service.name=litellm, service.instance.id=proxy, server.address=llm.example.org")
	b.rm.Resource().Attributes().PutInt("server.port", 4000)
	return b
}

func (b *batch) langfuse() *batch {
	return b.resource("service.name=langfuse, service.instance.id=project, langfuse.project.id=p1, server.address=cloud.langfuse.com")
}

// gauge adds a point to a gauge.
func (b *batch) gauge(series string, value float64) *batch {
	b.point(series, false).SetDoubleValue(value)
	return b
}

// sum adds a point to a counter.
func (b *batch) sum(series string, value int64) *batch {
	b.point(series, true).SetIntValue(value)
	return b
}

// end adds a point without a value.
func (b *batch) end(series string) *batch {
	b.point(series, false).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	return b
}

func (b *batch) point(series string, counter bool) pmetric.NumberDataPoint {
	name, attributes, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	m := b.rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	m.SetName(name)
	var dp pmetric.NumberDataPoint
	if counter {
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp = sum.DataPoints().AppendEmpty()
	} else {
		dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
	}
	put(dp.Attributes(), attributes)
	dp.SetTimestamp(pcommon.NewTimestampFromTime(b.at))
	if !b.began.IsZero() {
		dp.SetStartTimestamp(pcommon.NewTimestampFromTime(b.began))
	}
	return dp
}

func put(to pcommon.Map, attributes string) {
	for pair := range strings.SplitSeq(attributes, ", ") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			to.PutStr(name, value)
		}
	}
}

// probe is a catalog that is read by hand.
type probe struct {
	*catalog
	logs *observer.ObservedLogs
}

func newProbe(t *testing.T, changes ...func(*Config)) *probe {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, change := range changes {
		change(cfg)
	}
	set, logs := observed()
	c, err := newCatalog(cfg, set, consumertest.NewNop())
	require.NoError(t, err)
	return &probe{c, logs}
}

func observed() (connector.Settings, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	set := connectortest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	return set, logs
}

// feed gives a batch to the catalog.
func (p *probe) feed(t *testing.T, b *batch) {
	t.Helper()
	b.md.MarkReadOnly()
	require.NoError(t, p.ConsumeMetrics(t.Context(), b.md))
}

// read returns what the catalog emits now.
func (p *probe) read(t *testing.T) reading {
	t.Helper()
	return readingOf(p.snapshot(t.Context(), time.Now()))
}

// reading is what was emitted: values by series, and the series that ended.
type reading struct {
	values map[string]float64
	ended  []string
}

func readingOf(md pmetric.Metrics) reading {
	r := reading{values: make(map[string]float64)}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			dps, _ := numbers(m)
			for _, dp := range dps.All() {
				series := seriesText(m.Name(), dp.Attributes())
				if dp.Flags().NoRecordedValue() {
					r.ended = append(r.ended, series)
				} else {
					r.values[series] = number(dp)
				}
			}
		}
	}
	slices.Sort(r.ended)
	return r
}

func seriesText(metric string, attributes pcommon.Map) string {
	var pairs []string
	for name, value := range attributes.All() {
		pairs = append(pairs, name+"="+value.AsString())
	}
	slices.Sort(pairs)
	return metric + "{" + strings.Join(pairs, ", ") + "}"
}

// of returns the attributes of the series of a metric that hold a value, without the
// name of the model, by the name of the model.
func (r reading) of(metric string) map[string][]string {
	found := make(map[string][]string)
	for series, value := range r.values {
		name, rest, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		if name != metric || value == 0 {
			continue
		}
		var model string
		var others []string
		for pair := range strings.SplitSeq(rest, ", ") {
			if of, ok := strings.CutPrefix(pair, "gen_ai.request.model="); ok {
				model = of
			} else {
				others = append(others, pair)
			}
		}
		found[model] = append(found[model], strings.Join(others, ", "))
	}
	for _, of := range found {
		slices.Sort(of)
	}
	return found
}

// state is that of a model, empty if there is no such entry.
func (r reading) state(model string) string {
	is := r.of("llm.model.state")[model]
	if len(is) != 1 {
		return strings.Join(is, " and ")
	}
	return strings.TrimPrefix(is[0], "llm.model.state=")
}

// info is the one series of llm.model.info of a model.
func (r reading) info(t *testing.T, model string) string {
	t.Helper()
	is := r.of("llm.model.info")[model]
	require.Len(t, is, 1, model)
	return is[0]
}

// tokens is a total; -1 if there is none.
func (r reading) tokens(model, tokenType, origin string) float64 {
	value, ok := r.values[fmt.Sprintf("llm.model.tokens{gen_ai.request.model=%s, gen_ai.token.type=%s, llm.model.origin=%s}", model, tokenType, origin)]
	if !ok {
		return -1
	}
	return value
}

// models are the names of all entries.
func (r reading) models() []string {
	var names []string
	for name := range r.of("llm.model.info") {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

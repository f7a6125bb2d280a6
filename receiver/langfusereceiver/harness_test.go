package langfusereceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// noon is when most tests begin.
var noon = time.Date(2026, 9, 20, 12, 0, 0, 0, time.UTC)

// begin lets a test in a bubble (synctest) begin a little after noon, so that it looks
// when the windows of a minute are read. Time passes there only when all goroutines
// wait for it: a month takes no longer than its requests.
func begin() { time.Sleep(time.Until(noon.Add(17 * time.Second))) }

// pass lets time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wire stands for the network between the receiver and a server. It is a middleware
// of the HTTP client, so that no connection is made, which a bubble could not have.
type wire struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	handler http.Handler
	// before and after are called with each request, if they are there.
	before, after func(*http.Request)
	asked         []string
}

var wireID = component.MustNewID("wire")

func (w *wire) GetHTTPRoundTripper(http.RoundTripper) (http.RoundTripper, error) { return w, nil }

func (w *wire) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	w.mu.Lock()
	handler, before, after := w.handler, w.before, w.after
	w.asked = append(w.asked, strings.TrimPrefix(req.URL.Path, root))
	w.mu.Unlock()
	if before != nil {
		before(req)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if handler == nil {
		return nil, io.ErrUnexpectedEOF
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, req)
	if after != nil {
		after(req)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// connect puts another server at the end of the wire; nil: none.
func (w *wire) connect(handler http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = handler
}

// requests counts those to a path so far.
func (w *wire) requests(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, asked := range w.asked {
		if asked == path {
			n++
		}
	}
	return n
}

// queries counts those of metrics so far.
func (w *wire) queries() int {
	return w.requests("/v2/metrics") + w.requests("/metrics") + w.requests("/metrics/daily")
}

// shelf is a storage that outlives its clients, as a disk does.
type shelf struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	content map[string][]byte
	// failing is what every access answers, if it is there.
	failing error
	// before and after are called with each write, if they are there.
	before, after func(key string)
	writes        int
	// noClient is why there is no client, if it is there.
	noClient error
}

var shelfID = component.MustNewID("shelf")

func newShelf() *shelf { return &shelf{content: make(map[string][]byte)} }

func (s *shelf) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, s.noClient
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content[key], s.failing
}

func (s *shelf) Set(_ context.Context, key string, value []byte) error {
	if s.before != nil {
		s.before(key)
	}
	s.mu.Lock()
	err := s.failing
	if err == nil {
		s.content[key] = bytes.Clone(value)
		s.writes++
	}
	s.mu.Unlock()
	if s.after != nil {
		s.after(key)
	}
	return err
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

func (s *shelf) Delete(context.Context, string) error { return errors.ErrUnsupported }

func (s *shelf) Batch(context.Context, ...*storage.Operation) error { return errors.ErrUnsupported }

func (s *shelf) Close(context.Context) error { return nil }

// hostWith is a host with extensions.
type hostWith struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h *hostWith) GetExtensions() map[component.ID]component.Component { return h.extensions }

// bench is where a receiver is tried: a server, the wire to it, and a storage.
type bench struct {
	sim   *simulator.Langfuse
	wire  *wire
	shelf *shelf
	logs  *observer.ObservedLogs
	set   []func(*Config)
	// disk are storages beside the shelf.
	disk map[component.ID]extension.Extension
	*langfuseScraper
}

// newBench sets up a server and a receiver, which is not started yet.
func newBench(t *testing.T, server simulator.LangfuseConfig, changes ...func(*Config)) *bench {
	t.Helper()
	b := &bench{sim: simulator.NewLangfuse(server), shelf: newShelf(), set: changes}
	b.wire = &wire{handler: b.sim.Handler()}
	return b
}

// config is that of the receiver.
func (b *bench) config(t *testing.T) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "http://langfuse.test:3000"
	cfg.PublicKey, cfg.SecretKey = "pk-lf-sim", "sk-lf-sim"
	cfg.Storage = &shelfID
	cfg.Middlewares = []configmiddleware.Config{{ID: wireID}}
	cfg.RateLimit.RequestsPerSecond = 0
	for _, change := range b.set {
		change(cfg)
	}
	require.NoError(t, xconfmap.Validate(cfg))
	return cfg
}

// up starts the receiver, anew if it was stopped.
func (b *bench) up(t *testing.T) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	if b.logs == nil {
		b.logs = logs
	} else {
		core, _ = observer.New(zapcore.FatalLevel)
	}
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	b.langfuseScraper = newScraper(b.config(t), set)
	require.NoError(t, b.start(t.Context(), b.host()))
	t.Cleanup(func() { b.down(t) })
}

func (b *bench) host() component.Host {
	all := map[component.ID]component.Component{wireID: b.wire, shelfID: b.shelf}
	for id, ext := range b.disk {
		all[id] = ext
	}
	return &hostWith{componenttest.NewNopHost(), all}
}

// down stops it.
func (b *bench) down(t *testing.T) {
	t.Helper()
	assert.NoError(t, b.shutdown(context.Background()))
}

// read scrapes.
func (b *bench) read(t *testing.T) readings {
	t.Helper()
	synctest.Wait()
	md, err := b.scrape(t.Context())
	require.NoError(t, err)
	return readingsOf(t, md)
}

// lines are the log lines so far with this text.
func (b *bench) lines(text string) []observer.LoggedEntry {
	return b.logs.FilterMessageSnippet(text).All()
}

// point is one data point.
type point struct {
	metric     string
	attributes map[string]any
	value      float64
	start, at  pcommon.Timestamp
	// none says that the point has no value: the series ends.
	none bool
	// monotonic says that it counts.
	monotonic bool
}

// readings are the data points of a scrape by series, such as langfuse.up or
// langfuse.api{langfuse.api=v2}.
type readings map[string]point

// readingsOf fails if two points belong to one series.
func readingsOf(t *testing.T, md pmetric.Metrics) readings {
	t.Helper()
	all := readings{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			monotonic := m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic()
			var dps pmetric.NumberDataPointSlice
			if m.Type() == pmetric.MetricTypeSum {
				dps = m.Sum().DataPoints()
			} else {
				dps = m.Gauge().DataPoints()
			}
			for _, dp := range dps.All() {
				p := point{
					metric: m.Name(), attributes: dp.Attributes().AsRaw(), value: dp.DoubleValue() + float64(dp.IntValue()),
					start: dp.StartTimestamp(), at: dp.Timestamp(), none: dp.Flags().NoRecordedValue(), monotonic: monotonic,
				}
				name := p.series()
				if before, twice := all[name]; twice { // of the project while it was not known
					require.True(t, before.none, "two points of one series")
				}
				all[name] = p
			}
		}
	}
	return all
}

func (p point) series() string {
	if len(p.attributes) == 0 {
		return p.metric
	}
	var parts []string
	for _, k := range sortedKeys(p.attributes) {
		parts = append(parts, k+"="+asText(p.attributes[k]))
	}
	return p.metric + "{" + strings.Join(parts, ",") + "}"
}

// value is that of a series, which must be there.
func (r readings) value(t *testing.T, series string) float64 {
	t.Helper()
	p, ok := r[series]
	require.True(t, ok, "%s is not among %v", series, sortedKeys(r))
	return p.value
}

// of are the points of a metric.
func (r readings) of(metric string) []point {
	var points []point
	for _, name := range sortedKeys(r) {
		if r[name].metric == metric && !r[name].none {
			points = append(points, r[name])
		}
	}
	return points
}

// sum adds up the points of a metric that have all of the attributes.
func (r readings) sum(metric string, attributes ...string) float64 {
	total := 0.0
	for _, p := range r.of(metric) {
		if p.has(attributes) {
			total += p.value
		}
	}
	return total
}

func (p point) has(attributes []string) bool {
	for _, a := range attributes {
		k, v, _ := strings.Cut(a, "=")
		if asText(p.attributes[k]) != v {
			return false
		}
	}
	return true
}

// problem is the reason that is 1 now, empty if none is.
func (r readings) problem() string {
	for _, p := range r.of("langfuse.scrape.error") {
		if p.value == 1 {
			return asText(p.attributes["error.type"])
		}
	}
	return ""
}

// counted are the sums, to be compared with those of another run.
func (r readings) counted() map[string]float64 {
	sums := map[string]float64{}
	for name, p := range r {
		if p.monotonic || p.metric == "langfuse.score.sum" {
			sums[name] = p.value
		}
	}
	return sums
}

func everything(cfg *Config) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		metrics.Field(i).FieldByName("Enabled").SetBool(true)
	}
}

func noStorage(cfg *Config) { cfg.Storage = nil }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func asText(v any) string { return fmt.Sprint(v) }

func nothingOn(cfg *Config) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		metrics.Field(i).FieldByName("Enabled").SetBool(false)
	}
}

// cutSeries takes a name such as a{b=c,d=e} apart.
func cutSeries(series string) (metric string, labels map[string]string) {
	metric, rest, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	labels = map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		if k, v, found := strings.Cut(part, "="); found {
			labels[k] = v
		}
	}
	return metric, labels
}

func reasonField(reason string) zap.Field { return zap.String("reason", reason) }

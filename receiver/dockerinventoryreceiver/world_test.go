package dockerinventoryreceiver

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

const (
	soon = 20 * time.Second
	tick = 10 * time.Millisecond
)

// world is a simulated engine that listens on a socket.
type world struct {
	*simulator.Docker
	socket string
}

func newWorld(t *testing.T, cfg simulator.DockerConfig) *world {
	t.Helper()
	w := &world{Docker: simulator.NewDocker(cfg), socket: filepath.Join(t.TempDir(), "docker.sock")}
	w.listen(t)
	t.Cleanup(w.Shutdown)
	return w
}

// listen starts the engine, for the first time or again.
func (w *world) listen(t *testing.T) {
	t.Helper()
	require.NoError(t, w.Listen(context.Background(), "unix://"+w.socket, nil))
}

func (w *world) config(change func(*Config)) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = "unix://" + w.socket
	cfg.CollectionInterval = time.Second
	cfg.InitialDelay = 0
	if change != nil {
		change(cfg)
	}
	return cfg
}

// probe scrapes when it is told to.
type probe struct {
	*inventory
}

func (w *world) probe(t *testing.T, change func(*Config)) *probe {
	t.Helper()
	s, err := newScraper(w.config(change), receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, s.shutdown(context.Background())) })
	return &probe{s}
}

// ready waits until the containers are known.
func (p *probe) ready(t *testing.T) *probe {
	t.Helper()
	select {
	case <-p.watcher.Ready():
		require.Eventually(t, func() bool { return p.watcher.State().Connected }, soon, tick)
	case <-time.After(soon):
		require.Fail(t, "the engine does not answer")
	}
	return p
}

func (p *probe) read(t require.TestingT) readings {
	md, err := p.scrape(context.Background())
	require.NoError(t, err)
	return readingsOf(t, md)
}

// until scrapes until what it reads is right, and returns that.
func (p *probe) until(t *testing.T, right func(*assert.CollectT, readings)) readings {
	t.Helper()
	var got readings
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		got = p.read(c)
		right(c, got)
	}, soon, tick)
	return got
}

// readings are points by "name of the container: metric{attributes}". The points
// of the engine have no name.
type readings map[string]reading

type reading struct {
	value float64
	// none says that the series ends here.
	none bool
}

func readingsOf(t require.TestingT, md pmetric.Metrics) readings {
	got := readings{}
	for _, rm := range md.ResourceMetrics().All() {
		name := ""
		if v, ok := rm.Resource().Attributes().Get("container.name"); ok {
			name = v.Str() + ": "
		}
		for _, sm := range rm.ScopeMetrics().All() {
			assert.Equal(t, metadata.ScopeName, sm.Scope().Name())
			for _, m := range sm.Metrics().All() {
				var dps pmetric.NumberDataPointSlice
				if m.Type() == pmetric.MetricTypeSum {
					dps = m.Sum().DataPoints()
				} else {
					dps = m.Gauge().DataPoints()
				}
				for _, dp := range dps.All() {
					key := name + m.Name() + attributesOf(dp.Attributes())
					before, again := got[key]
					assert.False(t, again && !before.none, "two points of %s", key)
					value := float64(dp.IntValue())
					if dp.ValueType() == pmetric.NumberDataPointValueTypeDouble {
						value = dp.DoubleValue()
					}
					got[key] = reading{value: value, none: dp.Flags().NoRecordedValue()}
				}
			}
		}
	}
	return got
}

func attributesOf(m pcommon.Map) string {
	var parts []string
	for k, v := range m.All() {
		parts = append(parts, k+"="+v.AsString())
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// of are the readings of a container, or of the engine, and of a metric, which end in what
// has a value: "metric{attributes} value", sorted.
func (r readings) of(prefix string) []string {
	var found []string
	for key, reading := range r {
		if strings.HasPrefix(key, prefix) && !reading.none {
			found = append(found, fmt.Sprintf("%s %v", key, reading.value))
		}
	}
	slices.Sort(found)
	return found
}

// ended are the series that end.
func (r readings) ended() []string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(r)) {
		if r[key].none {
			found = append(found, key)
		}
	}
	return found
}

// which is the value of a state set that is 1, empty if there is not just one.
func (r readings) which(name, metric string) string {
	var found []string
	for key, reading := range r {
		rest, ok := strings.CutPrefix(key, name+": "+metric+"{"+metric+"=")
		if ok && !reading.none && reading.value == 1 {
			found = append(found, strings.TrimSuffix(rest, "}"))
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

func (r readings) state(name string) string { return r.which(name, "container.state") }

// value is that of a series, -1 if there is none.
func (r readings) value(key string) float64 {
	if reading, ok := r[key]; ok && !reading.none {
		return reading.value
	}
	return -1
}

// journal is what the receiver says of the lifecycle.
type journal struct {
	*consumertest.LogsSink
}

func (w *world) journal(t *testing.T, change func(*Config)) *journal {
	t.Helper()
	sink := &consumertest.LogsSink{}
	r, err := newLogsReceiver(w.config(change), receivertest.NewNopSettings(metadata.Type), sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	select {
	case <-r.watcher.Ready():
	case <-time.After(soon):
		require.Fail(t, "the engine does not answer")
	}
	return &journal{sink}
}

// line is a record in short.
type line struct {
	event, severity, container, body string
	attributes                       map[string]any
	resource                         map[string]any
}

func (j *journal) lines() []line {
	var found []line
	for _, logs := range j.AllLogs() {
		found = append(found, linesOf(logs)...)
	}
	return found
}

func linesOf(logs plog.Logs) []line {
	var found []line
	for _, rl := range logs.ResourceLogs().All() {
		resource := rl.Resource().Attributes().AsRaw()
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				name, _ := resource["container.name"].(string)
				found = append(found, line{
					event: lr.EventName(), severity: lr.SeverityText(), container: name, body: lr.Body().Str(),
					attributes: lr.Attributes().AsRaw(), resource: resource,
				})
			}
		}
	}
	return found
}

// events waits for a number of records and returns "severity event container".
func (j *journal) events(t *testing.T, n int) []string {
	t.Helper()
	require.Eventually(t, func() bool { return j.LogRecordCount() >= n }, soon, tick)
	var found []string
	for _, l := range j.lines() {
		found = append(found, l.severity+" "+l.event+" "+l.container)
	}
	return found
}

// last waits for a number of records and returns the last.
func (j *journal) last(t *testing.T, n int) line {
	t.Helper()
	j.events(t, n)
	lines := j.lines()
	require.Len(t, lines, n)
	return lines[n-1]
}

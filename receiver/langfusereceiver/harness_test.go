package langfusereceiver

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
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

func reasonField(reason string) zap.Field { return zap.String("reason", reason) }

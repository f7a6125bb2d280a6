package litellmreceiver

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

// sink gathers what the receiver hands on.
type sink struct {
	mu       sync.Mutex
	received []pmetric.Metrics
	expired  int
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		s.expired++
	}
	if md.DataPointCount() > 0 {
		s.received = append(s.received, md)
	}
	return nil
}

func (s *sink) all() []pmetric.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received
}

// create makes the receiver as the collector does.
func create(t *testing.T, cfg *Config) (receiver.Metrics, *sink, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	s := &sink{}
	r, err := NewFactory().CreateMetrics(t.Context(), set, cfg, s)
	require.NoError(t, err)
	return r, s, logs
}

func everySecond(url string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = url
	cfg.CollectionInterval = time.Second
	cfg.InitialDelay = 0
	return cfg
}

// TestInert: without an endpoint there is one line and nothing else.
func TestInert(t *testing.T) {
	r, s, logs := create(t, everySecond(""))
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, s.all())
	require.Len(t, logs.All(), 1)
	assert.Equal(t, `No LiteLLM proxy is read: "endpoint" is empty.`, logs.All()[0].Message)
}

func TestReceiver(t *testing.T) {
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Deployments: models()})
	traffic(l)
	cfg := everySecond(serve(t, l.Handler()))
	cfg.APIKey = masterKey
	r, s, logs := create(t, cfg)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(s.all()) >= 2 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	for _, md := range s.all() {
		got := readingsOf(t, md)
		assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
		assert.NotEmpty(t, got.of("litellm.tokens.input"))
	}
	assert.Empty(t, logs.All())
}

// TestTimeout: what times out is reported, and the consumer has time for it.
func TestTimeout(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg := everySecond(serve(t, hang))
	cfg.Timeout = 100 * time.Millisecond
	r, s, _ := create(t, cfg)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(s.all()) >= 1 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	got := readingsOf(t, s.all()[0])
	assert.Zero(t, got.value(t, "litellm.up"))
	assert.Equal(t, []string{"/health/liveliness timeout"}, got.problems())
	assert.Zero(t, s.expired)
}

// TestShutdownWithHangingProxy: it delays no shutdown, and is not reported as broken
// because of it.
func TestShutdownWithHangingProxy(t *testing.T) {
	asked := make(chan struct{}, 10)
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	r, s, logs := create(t, everySecond(serve(t, hang)))
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-asked
	begin := time.Now()
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Less(t, time.Since(begin), 10*time.Second)
	assert.Empty(t, s.all())
	assert.Empty(t, logs.All())
}

// TestBadTLS: what can never work fails at the start.
func TestBadTLS(t *testing.T) {
	for _, health := range []bool{false, true} {
		cfg := everySecond("https://localhost:1")
		cfg.HealthCheck.Enabled = health
		cfg.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "/nowhere"}}
		r, _, _ := create(t, cfg)
		require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "/nowhere")
		require.NoError(t, r.Shutdown(t.Context()))
	}
}

// TestAfterTheEnd: a timer may be faster than the shutdown.
func TestAfterTheEnd(t *testing.T) {
	life, cancel := context.WithCancel(t.Context())
	cancel()
	md, err := bounded(life, func(context.Context) (pmetric.Metrics, error) {
		assert.Fail(t, "it is over")
		return pmetric.NewMetrics(), nil
	}, time.Second)(t.Context())
	require.NoError(t, err)
	assert.Zero(t, md.DataPointCount())
}

func TestFactory(t *testing.T) {
	assert.Equal(t, component.MustNewType("litellm"), NewFactory().Type())
}

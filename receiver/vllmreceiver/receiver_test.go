package vllmreceiver

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// sink gathers what the receiver hands on, by server.
type sink struct {
	mu       sync.Mutex
	received map[string][]pmetric.Metrics
	expired  int
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		s.expired++
	}
	for _, rm := range md.ResourceMetrics().All() {
		name, _ := rm.Resource().Attributes().Get("service.instance.id")
		s.received[name.Str()] = append(s.received[name.Str()], md)
	}
	return nil
}

// of are the scrapes of a server so far.
func (s *sink) of(name string) []pmetric.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received[name]
}

// startReceiver starts the receiver as the collector does.
func startReceiver(t *testing.T, cfg *Config) (*sink, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	s := &sink{received: map[string][]pmetric.Metrics{}}
	r, err := NewFactory().CreateMetrics(t.Context(), set, cfg, s)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return s, logs
}

func everySecond(endpoints ...EndpointConfig) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.CollectionInterval = time.Second
	cfg.InitialDelay = 0
	cfg.Endpoints = endpoints
	return cfg
}

func endpointOf(name, url string) EndpointConfig {
	e := newDefaultEndpoint()
	e.Name, e.Endpoint = name, url
	return e
}

// TestBadServersDelayNobody: beside a server of every bad kind, the good ones are
// read on time, and each bad one is reported for what it is.
func TestBadServersDelayNobody(t *testing.T) {
	newServer := func() *simulator.VLLM {
		v := simulator.NewVLLM(simulator.VLLMConfig{})
		v.Play(1, time.Hour, 1)
		v.SetLoad(0, simulator.VLLMLoad{Running: 1})
		return v
	}
	cfg := everySecond(endpointOf("good first", serve(t, newServer().Handler())))
	// Nobody but the slow ones may run into a deadline, however busy the machine.
	cfg.Timeout = time.Minute
	for _, fault := range simulator.Faults() {
		e := endpointOf(fault.String(), serve(t, simulator.WithFault(fault, newServer().Handler())))
		e.Timeout = time.Minute
		if fault == simulator.FaultSlow || fault == simulator.FaultDrip {
			e.Timeout = time.Second
		}
		cfg.Endpoints = append(cfg.Endpoints, e)
	}
	cfg.Endpoints = append(cfg.Endpoints, endpointOf("nobody", "http://127.0.0.1:1"), endpointOf("good last", serve(t, newServer().Handler())))
	s, logs := startReceiver(t, cfg)

	require.Eventually(t, func() bool {
		for i := range cfg.Endpoints {
			if len(s.of(cfg.Endpoints[i].Name)) < 2 {
				return false
			}
		}
		return true
	}, 3*time.Minute, 10*time.Millisecond)

	for _, good := range []string{"good first", "good last"} {
		scrapes := s.of(good)
		assert.GreaterOrEqual(t, len(scrapes), len(s.of("slow")), "the slow one is the bottleneck of nobody but itself")
		for _, md := range scrapes {
			got := readingsOf(t, md)
			assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
			assert.Equal(t, "ready", got.state(t))
			assert.NotEmpty(t, got.of("vllm.tokens.output"))
		}
	}
	for _, fault := range simulator.Faults() {
		for _, md := range s.of(fault.String()) {
			got := readingsOf(t, md)
			assert.InDelta(t, faults[fault].up, got.value(t, "vllm.up"), 0, fault)
			assert.Equal(t, faults[fault].reason, got.problem(t), fault)
		}
		assert.Equal(t, 1, logs.FilterField(zap.String("server", fault.String())).FilterField(zap.String("reason", faults[fault].reason)).Len(), fault)
	}
	assert.Equal(t, "connection_refused", readingsOf(t, s.of("nobody")[0]).problem(t))
	assert.Zero(t, s.expired, "the consumer must not inherit the deadline of a scrape that timed out")
}

// TestShutdownWithHangingServers: a server that hangs delays no shutdown, and is
// not reported as broken because of it.
func TestShutdownWithHangingServers(t *testing.T) {
	v := simulator.NewVLLM(simulator.VLLMConfig{})
	asked := make(chan struct{}, 10)
	hanging := simulator.WithFault(simulator.FaultSlow, v.Handler())
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		hanging.ServeHTTP(w, r)
	}))
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	s := &sink{received: map[string][]pmetric.Metrics{}}
	cfg := everySecond(endpointOf("a", url), endpointOf("b", url), endpointOf("c", url))
	cfg.Timeout = time.Hour
	for i := range cfg.Endpoints {
		cfg.Endpoints[i].Timeout = time.Hour
	}
	r, err := NewFactory().CreateMetrics(t.Context(), set, cfg, s)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	for range cfg.Endpoints {
		<-asked
	}
	begin := time.Now()
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Less(t, time.Since(begin), 10*time.Second)
	assert.Empty(t, s.received)
	assert.Zero(t, logs.Len())
}

func TestNoEndpoints(t *testing.T) {
	s, logs := startReceiver(t, createDefaultConfig().(*Config))
	assert.Empty(t, s.received)
	assert.Equal(t, 1, logs.FilterMessageSnippet(`"endpoints" is empty`).Len())
}

// TestStartFailure: if one of several cannot start, the others are stopped again.
func TestStartFailure(t *testing.T) {
	v := simulator.NewVLLM(simulator.VLLMConfig{})
	bad := endpointOf("bad", "https://127.0.0.1:1")
	bad.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "testdata/no-such-file"}}
	cfg := everySecond(endpointOf("good", serve(t, v.Handler())), bad, endpointOf("never", "http://127.0.0.1:1"))
	r, err := newReceiver(t.Context(), cfg, receivertest.NewNopSettings(metadata.Type), time.Now, &sink{received: map[string][]pmetric.Metrics{}})
	require.NoError(t, err)
	assert.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "no-such-file")
	assert.NoError(t, r.Shutdown(t.Context()), "again")
}

var (
	_ consumer.Metrics = (*sink)(nil)
	_ receiver.Metrics = (*vllmReceiver)(nil)
)

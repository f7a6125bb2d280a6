package nvmlreceiver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// sharedReceivers lets the metrics and the logs of one configuration come from
// one receiver: the driver is opened once, and GPUs are read once.
type sharedReceivers struct {
	sources  sourcesFunc
	now      func() time.Time
	mu       sync.Mutex
	byConfig map[*Config]*sharedReceiver
}

func newSharedReceivers(sources sourcesFunc, now func() time.Time) *sharedReceivers {
	return &sharedReceivers{sources: sources, now: now, byConfig: make(map[*Config]*sharedReceiver)}
}

func (s *sharedReceivers) of(cfg *Config, set receiver.Settings) (*sharedReceiver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.byConfig[cfg]; one != nil {
		return one, nil
	}
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	one := &sharedReceiver{cfg: cfg, set: set, sources: s.sources, now: s.now, report: report, forget: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.byConfig, cfg)
	}}
	s.byConfig[cfg] = one
	return one, nil
}

func (s *sharedReceivers) metrics(cfg *Config, set receiver.Settings, next consumer.Metrics) (receiver.Metrics, error) {
	one, err := s.of(cfg, set)
	if err != nil {
		return nil, err
	}
	return &signal{shared: one, attach: func(on bool) {
		one.nextMetrics = nil
		if on {
			one.nextMetrics = next
		}
	}}, nil
}

func (s *sharedReceivers) logs(cfg *Config, set receiver.Settings, next consumer.Logs) (receiver.Logs, error) {
	one, err := s.of(cfg, set)
	if err != nil {
		return nil, err
	}
	return &signal{shared: one, attach: func(on bool) {
		one.nextLogs = nil
		if on {
			one.nextLogs = next
		}
	}}, nil
}

// sharedReceiver runs while one of its signals does.
type sharedReceiver struct {
	cfg     *Config
	set     receiver.Settings
	sources sourcesFunc
	now     func() time.Time
	report  *receiverhelper.ObsReport
	forget  func()

	// starting keeps starts and shutdowns apart from each other, mu those from
	// what is being handed on.
	starting sync.Mutex
	running  int
	receiver *nvmlReceiver

	mu          sync.RWMutex
	nextMetrics consumer.Metrics
	nextLogs    consumer.Logs
}

// signal is the metrics or the logs of a receiver.
type signal struct {
	shared  *sharedReceiver
	attach  func(bool)
	started bool
}

// Start begins to hand on the signal. What comes before goes to nobody: the
// consumers may not be ready.
func (s *signal) Start(ctx context.Context, host component.Host) error {
	one := s.shared
	one.starting.Lock()
	defer one.starting.Unlock()
	one.attach(s, true)
	if one.running == 0 {
		//nolint:contextcheck // it outlives the start
		r, err := newReceiver(one.cfg, one.set, one.sources, one, one.consumeLogs)
		if err == nil {
			r.scraper.now = one.now
			if err = r.start(ctx, host); err != nil {
				r.cancel()
				r.tasks.Wait()
				r.scraper.shutdown(ctx)
			}
		}
		if err != nil {
			one.attach(s, false)
			return err
		}
		one.receiver = r
	}
	one.running++
	s.started = true
	return nil
}

// Shutdown ends the signal, and the receiver with the last one.
func (s *signal) Shutdown(ctx context.Context) error {
	one := s.shared
	one.starting.Lock()
	defer one.starting.Unlock()
	if !s.started {
		return nil
	}
	s.started = false
	one.running--
	if one.running > 0 {
		one.attach(s, false)
		return nil
	}
	one.forget()
	err := one.receiver.shutdown(ctx)
	one.attach(s, false)
	one.receiver = nil
	return err
}

// attach attaches or detaches one signal.
func (s *sharedReceiver) attach(one *signal, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.attach(on)
}

var _ consumer.Metrics = (*sharedReceiver)(nil)

// Capabilities implements [consumer.Metrics].
func (*sharedReceiver) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeMetrics hands metrics on.
func (s *sharedReceiver) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.nextMetrics == nil {
		return nil
	}
	return s.nextMetrics.ConsumeMetrics(ctx, md)
}

// consumeLogs hands logs on. A refusal is counted by the report, and cannot be
// mended here: an event happens once.
func (s *sharedReceiver) consumeLogs(ctx context.Context, ld plog.Logs) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.nextLogs == nil {
		return
	}
	ctx = s.report.StartLogsOp(ctx)
	count := ld.LogRecordCount()
	s.report.EndLogsOp(ctx, metadata.Type.String(), count, s.nextLogs.ConsumeLogs(ctx, ld))
}

package langfusereceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/staleness"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// langfuseScraper emits what the worker has read and the pulse has felt. A scrape
// asks nobody, so that no server can delay it.
type langfuseScraper struct {
	cfg     *Config
	id      component.ID
	set     component.TelemetrySettings
	mb      *metadata.MetricsBuilder
	board   *board
	journal *journal
	stale   *staleness.Tracker
	// reasons are those so far: they go to 0 instead of vanishing.
	reasons map[string]bool
	started time.Time
	// inTurn says that pulse and worker take turns with the scrapes.
	inTurn bool

	server server
	store  *store
	pulse  *pulse
	worker *worker
	// cancel ends pulse and worker, running tells when they are.
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newScraper(cfg *Config, set receiver.Settings) *langfuseScraper {
	return &langfuseScraper{
		cfg: cfg, id: set.ID, set: set.TelemetrySettings,
		mb:      metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		board:   newBoard(),
		journal: &journal{set.Logger.With(zap.String("server", cfg.instance(project{})))},
		stale:   staleness.NewTracker(), reasons: make(map[string]bool),
	}
}

// start fails only for a configuration that cannot work, such as a storage that
// is not there; a server that is down is none.
func (s *langfuseScraper) start(ctx context.Context, host component.Host) error {
	if why := s.cfg.inert(); why != "" {
		s.set.Logger.Info(why)
		return nil
	}
	srv, err := newHTTPServer(ctx, s.cfg, host, s.id, s.set)
	if err != nil {
		return err
	}
	s.server = srv
	if s.store, err = newStore(ctx, host, s.cfg.Storage, s.id); err != nil {
		return err
	}
	wake := make(chan struct{}, 1)
	s.pulse = &pulse{server: s.server, board: s.board, journal: s.journal, every: s.cfg.CollectionInterval, wake: wake}
	s.worker = newWorker(s.cfg, s.server, s.store, s.board, s.journal, wake)
	if s.inTurn {
		s.pulse.every = s.cfg.Timeout // its scrapes may follow each other at once
		return nil
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx)) // that of the start ends
	s.cancel = cancel
	s.running.Go(func() { s.pulse.run(life) })
	s.running.Go(func() { s.worker.run(life) })
	return nil
}

// shutdown breaks off the requests under way. Nothing is stored: all that was
// published is.
func (s *langfuseScraper) shutdown(ctx context.Context) error {
	var errs []error
	if s.cancel != nil {
		s.cancel()
		s.running.Wait()
	}
	if s.server != nil {
		s.server.close()
	}
	if s.store != nil {
		errs = append(errs, s.store.close(ctx))
	}
	return errors.Join(errs...)
}

// scrape emits what is known now.
func (s *langfuseScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	if s.server == nil { // inert
		return pmetric.NewMetrics(), nil
	}
	if s.inTurn {
		s.pulse.beat(ctx)
		s.worker.catchUpNow(ctx)
	}
	now := pcommon.NewTimestampFromTime(s.board.clock())
	h, reason, r := s.board.look()
	if r != nil && !r.state.Started.Equal(s.started) {
		s.started = r.state.Started
		s.mb.Reset(metadata.WithStartTime(pcommon.NewTimestampFromTime(s.started)))
	}
	recordHealth(s.mb, h, now)
	s.recordReason(reason, now)
	var p project
	if r != nil {
		p = r.state.Project
		recordReport(s.mb, r, s.cfg.IngestionDelay, s.board.now(), now)
	}
	metrics := s.mb.Emit(metadata.WithResource(s.resource(p)))
	s.stale.Mark(metrics, now)
	return metrics, nil
}

// recordReason records what is wrong.
func (s *langfuseScraper) recordReason(reason string, now pcommon.Timestamp) {
	if reason != "" {
		s.reasons[reason] = true
	}
	for known := range s.reasons {
		s.mb.RecordLangfuseScrapeErrorDataPoint(now, number01(known == reason), known)
	}
}

// resource is the identity of the project.
func (s *langfuseScraper) resource(p project) pcommon.Resource {
	rb := s.mb.NewResourceBuilder()
	rb.SetServiceName("langfuse")
	rb.SetServiceInstanceID(s.cfg.instance(p))
	host, port, _ := s.cfg.address()
	rb.SetServerAddress(host)
	rb.SetServerPort(int64(port))
	if p.ID != "" {
		rb.SetLangfuseProjectID(p.ID)
		rb.SetLangfuseProjectName(p.Name)
	}
	return rb.Emit()
}

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

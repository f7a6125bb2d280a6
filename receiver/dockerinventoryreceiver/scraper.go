package dockerinventoryreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/staleness"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

// inventory records what the watcher knows. It asks the engine nothing itself,
// and the watcher writes the line when the engine stops or begins to answer.
type inventory struct {
	cfg    *Config
	logger *zap.Logger
	mb     *metadata.MetricsBuilder
	filter *filter
	gpus   gpuList
	now    func() time.Time

	watcher *docker.Watcher
	release func()

	stale   *staleness.Tracker
	reasons map[string]bool
}

func newScraper(cfg *Config, set receiver.Settings) (*inventory, error) {
	chosen, err := newFilter(cfg)
	if err != nil {
		return nil, err
	}
	return &inventory{
		cfg:     cfg,
		logger:  set.Logger,
		mb:      metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		filter:  chosen,
		gpus:    procGPUs{cfg.ProcDir()},
		now:     time.Now,
		stale:   staleness.NewTracker(),
		reasons: make(map[string]bool),
	}, nil
}

// start fails only for an endpoint that cannot be one.
func (s *inventory) start(context.Context, component.Host) error {
	var err error
	s.watcher, s.release, err = docker.Acquire(s.cfg.Config, s.logger) //nolint:contextcheck // it goes on after the context of start has ended
	return err
}

func (s *inventory) shutdown(context.Context) error {
	if s.release != nil {
		s.release()
	}
	return nil
}

// scrape records the engine and its containers. An engine that does not answer
// is data, not an error: up is 0, and what its containers were made from stays.
func (s *inventory) scrape(context.Context) (pmetric.Metrics, error) {
	state := s.watcher.State()
	if !state.Connected && state.Err == nil {
		return pmetric.NewMetrics(), nil // it is being asked for the first time
	}
	now := pcommon.NewTimestampFromTime(s.now())
	recordEngine(s.mb, state, s.watcher.Stats(), s.reasons, now)
	rb := s.mb.NewResourceBuilder()
	rb.SetDockerEndpoint(state.Endpoint)
	s.mb.EmitForResource(metadata.WithResource(rb.Emit()))

	devices := s.gpus.GPUs()
	for _, c := range s.watcher.List() {
		if !s.filter.wants(c) {
			continue
		}
		if state.Connected {
			recordCondition(s.mb, c, now)
		}
		recordConfiguration(s.mb, c, devices, now)
		setContainer(rb, c)
		resource := rb.Emit()
		putLabels(resource, c, s.cfg.Labels)
		s.mb.EmitForResource(metadata.WithResource(resource))
	}
	metrics := s.mb.Emit()
	s.stale.Mark(metrics, now)
	return metrics, nil
}

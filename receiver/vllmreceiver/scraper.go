package vllmreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/staleness"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// vllmScraper reads one server. What it knows from earlier scrapes is in the
// trackers; each has one question to answer.
type vllmScraper struct {
	cfg      *Config
	endpoint *EndpointConfig
	set      component.TelemetrySettings
	mb       *metadata.MetricsBuilder
	resource pcommon.Resource
	server   server
	now      func() time.Time
	// container is that of a discovered server, nil for a static endpoint.
	container *containerTracker

	starts  startTracker
	states  stateTracker
	stale   *staleness.Tracker
	id      identity
	reasons map[string]bool
	journal *journal
}

func newScraper(cfg *Config, endpoint *EndpointConfig, set receiver.Settings) *vllmScraper {
	mb := metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)
	return &vllmScraper{
		cfg:      cfg,
		endpoint: endpoint,
		set:      set.TelemetrySettings,
		mb:       mb,
		resource: newResource(mb.NewResourceBuilder(), endpoint),
		now:      time.Now,
		states:   stateTracker{stuckAfter: cfg.StuckAfter},
		stale:    staleness.NewTracker(),
		reasons:  make(map[string]bool),
		journal:  newJournal(set.Logger.With(zap.String("server", endpoint.instance()))),
	}
}

func (s *vllmScraper) start(ctx context.Context, host component.Host) error {
	if s.server != nil { // that of a container, which shares the client of all
		return nil
	}
	client, err := apiclient.NewHTTPClient(ctx, &s.endpoint.ClientConfig, host, s.set)
	if err != nil {
		return err
	}
	s.server = newHTTPServer(s.cfg, s.endpoint, client)
	return nil
}

func (s *vllmScraper) shutdown(context.Context) error {
	if s.container == nil && s.server != nil {
		s.server.close()
	}
	return nil
}

// scrape reads the server once. A server that cannot be read is data, not an
// error: up is 0, and the last known identity stays.
func (s *vllmScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	begin := s.now()
	if s.container != nil && s.container.look(begin) {
		s.states = stateTracker{stuckAfter: s.cfg.StuckAfter}
		s.id.forget()
	}
	raw, err := s.page(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return pmetric.NewMetrics(), nil // broken off by the shutdown: it says nothing of the server
	}
	now := s.now()
	ts := pcommon.NewTimestampFromTime(now)
	st := status{up: err == nil, took: now.Sub(begin)}
	seen := observation{answered: true}
	if err != nil {
		st.reason = reasonOf(err)
		seen.answered = answered(st.reason)
	}
	if seen.answered && !stranger(st.reason) {
		seen.healthy = s.health(ctx)
	}

	var t tally
	histograms := pmetric.NewMetricSlice()
	if err == nil {
		seen.page = newEnginePage(raw)
		if seen.page.counts() && s.starts.observe(seen.page, now) {
			s.mb.Reset(metadata.WithStartTime(pcommon.NewTimestampFromTime(s.starts.start)))
			s.id.forget()
		}
		modelsErr := s.id.refresh(ctx, s.server, s.endpoint.Paths, seen.page, now, s.cfg.InfoInterval)
		if errors.Is(ctx.Err(), context.Canceled) {
			return pmetric.NewMetrics(), nil
		}
		s.journal.models(modelsErr)
		s.record(histograms, seen.page, ts, &t)
		st.reason = pageReason(seen.page, &t)
	}
	st.state = s.states.next(seen, now)
	var told facts
	if s.container != nil {
		told = s.container.facts
		st.state, st.starting = s.container.judge(st.state, st.reason)
		st.age = s.container.age(now)
	}
	recordIdentity(s.mb, &s.id, &told, ts)
	recordStatus(s.mb, st, s.reasons, ts)
	s.journal.status(st, err, &t)

	return s.emit(histograms, ts), nil
}

// page reads the metrics, unless the container says that there can be none.
func (s *vllmScraper) page(ctx context.Context) (*promtext.Page, error) {
	if s.container != nil {
		if err := s.container.obstacle(); err != nil {
			return nil, err
		}
	}
	return s.server.metrics(ctx)
}

// health asks the server for its health: nil if it cannot be told. Reverse
// proxies often hide the path, which says nothing about the engine.
func (s *vllmScraper) health(ctx context.Context) *bool {
	if s.endpoint.Paths.Health == "" {
		return nil
	}
	err := s.server.health(ctx)
	healthy := err == nil
	if !healthy && !serverError(err) {
		return nil
	}
	return &healthy
}

// record records what the page says, the histograms to ms and all else to the
// builder.
func (s *vllmScraper) record(ms pmetric.MetricSlice, page *enginePage, now pcommon.Timestamp, t *tally) {
	recordNumbers(s.mb, page, now, t)
	recordHistograms(ms, s.cfg.Histograms, page, pcommon.NewTimestampFromTime(s.starts.start), now, t)
	recordCacheConfig(s.mb, page, now)
	recordLoRA(s.mb, page, now)
	countUnknown(page, t)
	recordTally(s.mb, page, t, now)
}

// emit puts the parts together and ends the series that are gone.
func (s *vllmScraper) emit(histograms pmetric.MetricSlice, now pcommon.Timestamp) pmetric.Metrics {
	metrics := s.mb.Emit(metadata.WithResource(s.resource))
	if metrics.ResourceMetrics().Len() == 0 { // every generated metric is switched off
		rm := metrics.ResourceMetrics().AppendEmpty()
		s.resource.CopyTo(rm.Resource())
		rm.ScopeMetrics().AppendEmpty().Scope().SetName(metadata.ScopeName)
	}
	ms := metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	histograms.MoveAndAppendTo(ms)
	s.stale.Mark(metrics, now)
	return metrics
}

// end ends all series: the server is no more.
func (s *vllmScraper) end() pmetric.Metrics {
	s.mb.Emit() // what a scrape that was broken off may have left
	return s.emit(pmetric.NewMetricSlice(), pcommon.NewTimestampFromTime(s.now()))
}

// pageReason says what is wrong with a page that could be read.
func pageReason(page *enginePage, t *tally) string {
	switch {
	case len(page.families) == 0:
		return reasonNoEngineMetrics
	case t.invalid > 0:
		return reasonInvalidValue
	}
	return ""
}

package litellmreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/staleness"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

// litellmScraper reads one proxy. What it knows from earlier scrapes is in the
// trackers; each has one question to answer.
type litellmScraper struct {
	cfg      *Config
	id       component.ID
	set      component.TelemetrySettings
	mb       *builder
	resource pcommon.Resource
	now      func() time.Time
	limits   promtext.Options

	proxy  proxy
	api    *api
	health *healthChecker

	labels    *labeler
	processes processes
	stale     *staleness.Tracker
	seen      map[problem]bool
	journal   *journal
}

func newScraper(cfg *Config, set receiver.Settings) *litellmScraper {
	mb := metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)
	s := &litellmScraper{
		cfg:      cfg,
		id:       set.ID,
		set:      set.TelemetrySettings,
		mb:       mb,
		resource: newResource(mb.NewResourceBuilder(), cfg),
		now:      time.Now,
		labels:   newLabeler(cfg),
		stale:    staleness.NewTracker(),
		seen:     make(map[problem]bool),
		journal:  newJournal(set.Logger.With(zap.String("proxy", cfg.instance()))),
	}
	s.limits = promtext.Options{
		MaxBytes: cfg.MaxPageSize, MaxSeries: cfg.MaxSeries,
		Keep: wanted(cfg), Reduce: s.labels.reduction,
	}
	return s
}

func (s *litellmScraper) start(ctx context.Context, host component.Host) error {
	p, err := newHTTPProxy(ctx, s.cfg, host, s.id, s.set)
	if err != nil {
		return err
	}
	s.proxy = p
	s.api = newAPI(s.cfg, p, s.clock)
	if s.cfg.HealthCheck.Enabled {
		s.health = startHealthChecker(context.WithoutCancel(ctx), s.cfg, p)
	}
	return nil
}

// clock lets tests move the time after start.
func (s *litellmScraper) clock() time.Time { return s.now() }

func (s *litellmScraper) shutdown(context.Context) error {
	if s.health != nil {
		s.health.shutdown()
	}
	if s.proxy != nil {
		s.proxy.close()
	}
	return nil
}

// scrape reads the proxy once. A proxy that cannot be read is data, not an error: up
// is 0, and what is known of its models stays.
func (s *litellmScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	begin := s.now()
	// One after the other: a proxy that makes a large page answers nothing else.
	told := s.api.read(ctx)
	raw, err := s.proxy.metrics(ctx, s.limits)
	if errors.Is(ctx.Err(), context.Canceled) {
		return pmetric.NewMetrics(), nil // broken off by the shutdown: it says nothing of the proxy
	}
	if s.health != nil {
		s.health.add(told)
	}
	now := s.now()
	ts := pcommon.NewTimestampFromTime(now)
	st := newStatus(told, err)
	st.took = now.Sub(begin)

	histograms := pmetric.NewMetricSlice()
	t := &tally{}
	if err == nil {
		page := newProxyPage(raw)
		s.observe(page, now)
		s.record(page, told, t, histograms, ts)
		st.troubles = append(st.troubles, s.pageTroubles(page, t)...)
	}
	recordTold(s.mb, told, ts)
	recordStatus(s.mb, st, s.seen, ts)
	s.journal.status(st, t)
	if err == nil {
		s.journal.page(t)
	}
	s.journal.told(told)
	return s.emit(histograms, ts), nil
}

// observe begins anew where the counters of the page did.
func (s *litellmScraper) observe(page *proxyPage, now time.Time) {
	if page.announced == 0 {
		return
	}
	first := s.processes.seen.IsZero()
	if s.processes.observe(page, now, s.cfg.MaxSeries) {
		s.mb.Reset(metadata.WithStartTime(pcommon.NewTimestampFromTime(s.processes.start)))
		if !first && s.processes.since == nil {
			s.api.forget()
		}
	}
}

// record records what the page says, the histograms to ms and all else to the
// builder.
func (s *litellmScraper) record(page *proxyPage, told *told, t *tally, ms pmetric.MetricSlice, now pcommon.Timestamp) {
	r := &recording{
		collector:  collector{labels: s.labels, known: told.deployments, tally: t},
		mb:         s.mb,
		histograms: ms,
		switches:   s.cfg.Histograms,
		since:      s.processes.since,
		start:      pcommon.NewTimestampFromTime(s.processes.start),
		now:        now,
	}
	r.page(page)
	recordTally(s.mb, page, t, now)
}

// newStatus says whether the proxy is up, and what could not be read. A liveliness
// check that a reverse proxy hides is nothing wrong as long as the page is there.
func newStatus(told *told, err error) *status {
	st := &status{up: told.alive || err == nil}
	for _, tr := range told.troubles {
		if tr.endpoint != endpointLiveliness || !st.up {
			st.troubles = append(st.troubles, tr)
		}
	}
	if err != nil {
		page := trouble{problem{endpointMetrics, reasonOf(err)}, err}
		if st.up || page.reason != st.troubles[0].reason { // else it is the same once more
			st.troubles = append(st.troubles, page)
		}
	}
	return st
}

// pageTroubles says what is wrong with a page that could be read.
func (s *litellmScraper) pageTroubles(page *proxyPage, t *tally) []trouble {
	var troubles []trouble
	for _, wrong := range []struct {
		is     bool
		reason string
	}{
		{page.announced == 0, reasonNoMetrics},
		{page.families[notPremium] != nil, reasonNotPremium},
		{s.processes.several, reasonSeveralWorkers},
		{t.invalid > 0, reasonInvalidValue},
	} {
		if wrong.is {
			troubles = append(troubles, trouble{problem{endpointMetrics, wrong.reason}, nil})
		}
	}
	return troubles
}

// emit puts the parts together and ends the series that are gone.
func (s *litellmScraper) emit(histograms pmetric.MetricSlice, now pcommon.Timestamp) pmetric.Metrics {
	metrics := s.mb.Emit(metadata.WithResource(s.resource))
	if metrics.ResourceMetrics().Len() == 0 { // every generated metric is switched off
		rm := metrics.ResourceMetrics().AppendEmpty()
		s.resource.CopyTo(rm.Resource())
		rm.ScopeMetrics().AppendEmpty().Scope().SetName(metadata.ScopeName)
	}
	histograms.MoveAndAppendTo(metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics())
	s.stale.Mark(metrics, now)
	return metrics
}

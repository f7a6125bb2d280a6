package nvmlreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// nvmlScraper reads all GPUs of the host. Each GPU is read on a goroutine of its
// own, so that one that hangs takes none of the others with it.
type nvmlScraper struct {
	cfg      *Config
	set      receiver.Settings
	mb       *metadata.MetricsBuilder // of all but the readers
	resolver resolver
	events   *eventLog
	now      func() time.Time

	mu      sync.Mutex // a scrape, and letting go of the driver
	driver  driver
	state   driverState
	gpus    map[string]*gpu
	order   []*gpu
	series  *seriesTracker
	journal *journal
	errors  map[string]int64
	skipped int64
	watch   *watch
	xids    *xidTracker
	// identities are those of the GPUs for events, by UUID.
	identities sync.Map
	// session and list are those of the driver that the readers belong to.
	session, list int
}

func newScraper(cfg *Config, set receiver.Settings, library nvml.Library, r resolver, events *eventLog) *nvmlScraper {
	now := time.Now()
	return &nvmlScraper{
		cfg:      cfg,
		set:      set,
		mb:       metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		resolver: r,
		events:   events,
		now:      time.Now,
		driver:   driver{library: library, releaseFile: cfg.ReleaseFile},
		gpus:     make(map[string]*gpu),
		series:   newSeriesTracker(now, bootTime(procRoot(cfg.Docker.ProcRoot), now)),
		journal:  newJournal(set.Logger),
		errors:   make(map[string]int64),
		xids:     newXIDTracker(),
	}
}

// result is what became of the reading of a GPU: err says that it did not end.
type result struct {
	reading
	err error
}

// scrape reads all GPUs once. A driver that does not answer is data, not an
// error: up is 0, and what the GPUs are stays.
func (s *nvmlScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begin := s.now()
	ts := pcommon.NewTimestampFromTime(begin)

	results := map[*gpu]result{}
	err := s.connect(ctx, begin)
	if err == nil {
		results = s.read(ctx, begin)
		err = brokenLibrary(results)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return pmetric.NewMetrics(), nil // broken off by the shutdown: it says nothing of the GPUs
	}
	s.changeState(ctx, err, begin)

	metrics := pmetric.NewMetrics()
	var who attribution
	for _, g := range s.order {
		res, read := results[g]
		s.settle(ctx, g, res, read && err == nil, begin)
		s.recordGPU(g, res, read && err == nil, &who, ts)
		if read && err == nil && res.of != nil {
			res.metrics.ResourceMetrics().MoveAndAppendTo(metrics.ResourceMetrics())
		}
	}
	s.journal.pids(s.cfg.Attribution.Enabled && who.foreign())
	s.recordModels(&who, ts)
	s.recordDriver(s.now().Sub(begin), ts)
	mergeInto(metrics, s.mb.Emit())
	s.series.finish(metrics, ts)
	return metrics, nil
}

var errReleased = errors.New("the release file exists")

// connect makes sure that there is a reader for each GPU that can be read.
func (s *nvmlScraper) connect(ctx context.Context, now time.Time) error {
	if s.driver.released() {
		if err := s.letGo(ctx); err != nil {
			return fmt.Errorf("%w: %w", errStuck, err)
		}
		return errReleased
	}
	relist := slices.ContainsFunc(s.order, func(g *gpu) bool { return g.lost != nil && g.again.due(now) })
	if err := s.driver.connect(ctx, now, relist); err != nil {
		return err
	}
	if s.list == s.driver.lists {
		return nil
	}
	reopened := s.session != s.driver.sessions
	s.session, s.list = s.driver.sessions, s.driver.lists
	s.journal.inventory(s.driver.unopened)
	if s.takeReaders(reopened) {
		s.watchAnew(ctx)
	}
	return nil
}

// takeReaders gives each GPU found a reader, unless it has one that works, and
// returns whether any is new.
func (s *nvmlScraper) takeReaders(reopened bool) bool {
	there := make(map[*gpu]bool)
	anyNew := false
	for _, f := range s.driver.devices {
		g := s.gpus[f.uuid]
		if g == nil {
			g = newGPU(f.uuid)
			s.gpus[f.uuid] = g
			s.order = append(s.order, g)
		}
		there[g] = true
		if g.reader == nil || g.lost != nil || reopened {
			mb := metadata.NewMetricsBuilder(s.cfg.MetricsBuilderConfig, s.set)
			r := newReader(f.device, f.uuid, s.driver.version, mb, s.cfg)
			r.replaces = cmp.Or(g.reader, g.retired)
			g.reader, g.retired = r, nil
			anyNew = true
		}
	}
	for _, g := range s.order {
		if !there[g] {
			g.reader, g.retired = nil, cmp.Or(g.reader, g.retired)
		}
	}
	return anyNew
}

// read reads all GPUs that there is a reader for, at the same time.
func (s *nvmlScraper) read(ctx context.Context, now time.Time) map[*gpu]result {
	results := make(map[*gpu]result, len(s.order))
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for _, g := range s.order {
		r := g.reader
		if r == nil || g.lost != nil && !g.again.due(now) {
			continue
		}
		wg.Go(func() {
			got, err := inSlot(ctx, &g.slot, func() reading { return r.read(now) })
			mu.Lock()
			defer mu.Unlock()
			results[g] = result{got, err}
		})
	}
	wg.Wait()
	return results
}

// brokenLibrary says whether the readings mean that NVML as a whole does not work.
// A GPU alone that knows no answer is its own trouble.
func brokenLibrary(results map[*gpu]result) error {
	var unknown error
	ended, broken := 0, 0
	for _, r := range results {
		if r.err != nil {
			continue
		}
		ended++
		if r.broken != nil {
			if nvml.CodeOf(r.broken) != nvml.CodeUnknown {
				return r.broken
			}
			broken++
			unknown = r.broken
		}
	}
	if broken == ended {
		return unknown
	}
	return nil
}

// changeState takes the consequences of how the connection to the driver is.
func (s *nvmlScraper) changeState(ctx context.Context, err error, now time.Time) {
	switch {
	case err == nil && s.driver.count == 0:
		s.state = driverNoDevices
	case err == nil:
		s.state = driverReady
		s.driver.again.reset()
	case errors.Is(err, errReleased):
		s.state = driverReleased
		err = nil
	case errors.Is(err, errStuck), nvml.CodeOf(err) == nvml.CodeInUse:
		s.state = driverStuck
		s.skipped++
	default:
		s.state = driverUnavailable
		if s.driver.open || s.driver.err == nil {
			s.driver.failed(err, now)
		}
		if !s.driver.waiting {
			s.errors[reasonOf(err)]++
		}
		if nvml.CodeOf(err) == nvml.CodeDriverNotLoaded {
			s.series.restart("")
		}
		s.journal.closing(s.letGo(ctx))
	}
	if s.journal.driver(s.state, err, &s.driver.inventory) {
		s.events.driver(ctx, s.state, err)
	}
}

// letGo ends all use of the driver. What the readers hold there ends with it.
func (s *nvmlScraper) letGo(ctx context.Context) error {
	if !s.driver.open {
		return nil
	}
	s.watch.end()
	if err := s.driver.close(ctx); err != nil {
		return err
	}
	s.watch.stop(ctx)
	s.watch = nil
	for _, g := range s.order {
		g.reader, g.retired = nil, nil
	}
	return nil
}

// watchAnew waits for events of the GPUs that there are now.
func (s *nvmlScraper) watchAnew(ctx context.Context) {
	s.watch.stop(ctx)
	//nolint:contextcheck // it outlives the scrape
	s.watch = watchEvents(s.driver.library, s.driver.devices, eventPause, s.handleEvent, s.journal.noEvents)
}

func (s *nvmlScraper) handleEvent(ctx context.Context, e nvml.Event) {
	id := &identity{uuid: e.UUID}
	if known, ok := s.identities.Load(e.UUID); ok {
		id = known.(*identity)
	}
	if e.Type == nvml.EventXID {
		s.events.xid(ctx, id, e.Data, s.xids.add(e.UUID, e.Data, s.now()))
		return
	}
	s.events.driverEvent(ctx, id, e.Type)
}

// settle brings what is known of a GPU up to date. While the driver does not
// answer, nothing new is known.
func (s *nvmlScraper) settle(ctx context.Context, g *gpu, r result, read bool, now time.Time) {
	switch {
	case s.state != driverReady && s.state != driverNoDevices:
		return
	case !read && g.lost != nil:
		if g.again.due(now) {
			g.again.failed(now)
		}
		return
	case !read:
		s.lose(ctx, g, s.missing(), now)
		return
	case r.err != nil:
		g.skipped++
		s.journal.gpuStuck(g.id.uuid, true)
		return
	}
	s.journal.gpuStuck(g.id.uuid, false)
	s.journal.permissions(r.denied)
	for code, n := range r.errors {
		g.errors[code] += n
	}
	if r.of != nil {
		g.id = *r.of
		s.identities.Store(g.id.uuid, r.of)
	}
	if err := errors.Join(r.lost, r.broken); err != nil {
		s.lose(ctx, g, err, now)
		return
	}
	if g.lost != nil {
		if nvml.IsLost(g.lost) { // it can only have come back by a reset
			s.series.restart(g.id.uuid)
		}
		g.lost = nil
		g.again.reset()
		s.xids.forgive(g.id.uuid)
		s.journal.gpuReturned(g.id.uuid)
		s.events.returned(ctx, &g.id)
	}
	s.noteChanges(ctx, g, &r.reading)
}

// missing is why a GPU that was there is not any more.
func (s *nvmlScraper) missing() error {
	if len(s.driver.unopened) > 0 {
		return s.driver.unopened[0]
	}
	return nvml.CodeGPUNotFound
}

// lose notes that a GPU cannot be read.
func (s *nvmlScraper) lose(ctx context.Context, g *gpu, err error, now time.Time) {
	known := g.lost != nil
	g.lost = err
	g.again.failed(now)
	g.throttle = throttleTracker{}
	if !known {
		s.journal.gpuLost(g.id.uuid, err)
		s.events.lost(ctx, &g.id, err)
	}
}

// noteChanges makes events of what has changed about a GPU.
func (s *nvmlScraper) noteChanges(ctx context.Context, g *gpu, r *reading) {
	if r.health.action != 0 && r.health.action != g.action {
		s.events.recovery(ctx, &g.id, g.action, r.health.action)
		g.action = r.health.action
	}
	if r.throttle != nil {
		started, ended := g.throttle.next(*r.throttle)
		for _, reason := range started {
			s.events.throttle(ctx, &g.id, reason, true)
		}
		for _, reason := range ended {
			s.events.throttle(ctx, &g.id, reason, false)
		}
	}
}

// recordGPU records what the receiver itself knows of a GPU, and who uses it.
func (s *nvmlScraper) recordGPU(g *gpu, r result, read bool, who *attribution, now pcommon.Timestamp) {
	if read && r.err == nil {
		for i := range r.users {
			s.recordUsers(&r.users[i], who, now)
			if r.users[i].of.mig != nil {
				s.emit(&r.users[i].of)
			}
		}
	}
	s.mb.RecordHwGpuInfoDataPoint(now, 1, g.id.info()...)
	switch {
	case s.state != driverReady && s.state != driverNoDevices:
	case g.lost != nil:
		s.recordStatus(stateFailed, now)
	case read && r.err == nil:
		health := r.health
		health.fatal = s.xids.fatalSince(g.id.uuid, now.AsTime())
		s.recordStatus(health.state(), now)
	}
	counts := s.xids.of(g.id.uuid)
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		s.mb.RecordHwGpuXidEventsDataPoint(now, counts[code], asInt64(code), xidOf(code).severity)
	}
	s.recordTroubles(g.errors, g.skipped, now)
	s.emit(&g.id)
}

func (s *nvmlScraper) recordStatus(state gpuState, now pcommon.Timestamp) {
	for _, other := range gpuStates {
		s.mb.RecordHwStatusDataPoint(now, boolean(other == state), other)
	}
}

func (s *nvmlScraper) recordTroubles(errs map[string]int64, skipped int64, now pcommon.Timestamp) {
	for _, code := range slices.Sorted(maps.Keys(errs)) {
		s.mb.RecordHwGpuScrapeErrorsDataPoint(now, errs[code], code)
	}
	s.mb.RecordHwGpuScrapeSkippedDataPoint(now, skipped)
}

// recordDriver records how the connection to the driver is.
func (s *nvmlScraper) recordDriver(took time.Duration, now pcommon.Timestamp) {
	up := s.state == driverReady || s.state == driverNoDevices
	s.mb.RecordNvmlUpDataPoint(now, boolean(up))
	for _, state := range driverStates {
		s.mb.RecordNvmlStateDataPoint(now, boolean(state == s.state), state)
	}
	if up {
		s.mb.RecordHwGpuCountDataPoint(now, int64(s.driver.count))
		var versions []metadata.MetricAttributeOption
		for _, v := range []struct {
			value string
			with  func(string) metadata.MetricAttributeOption
		}{
			{s.driver.cuda, metadata.WithNvmlCudaVersionMetricAttribute},
			{s.driver.version, metadata.WithNvmlDriverVersionMetricAttribute},
			{s.driver.nvml, metadata.WithNvmlVersionMetricAttribute},
		} {
			if v.value != "" {
				versions = append(versions, v.with(v.value))
			}
		}
		s.mb.RecordNvmlInfoDataPoint(now, 1, versions...)
	}
	s.mb.RecordNvmlScrapeDurationDataPoint(now, took.Seconds())
	s.recordTroubles(s.errors, s.skipped, now)
	s.mb.EmitForResource()
}

func (s *nvmlScraper) emit(id *identity) {
	s.mb.EmitForResource(metadata.WithResource(id.resource(s.mb.NewResourceBuilder())))
}

// releaseNow lets go of the driver as soon as the release file is there, without
// waiting for the next scrape.
func (s *nvmlScraper) releaseNow(ctx context.Context) {
	if !s.driver.released() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.driver.open {
		return
	}
	if err := s.letGo(ctx); err != nil {
		return // the next look tries again
	}
	s.changeState(ctx, errReleased, s.now())
}

// requireDriver fails where the driver does not answer.
func (s *nvmlScraper) requireDriver(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.driver.released() {
		return nil
	}
	return s.driver.connect(ctx, s.now(), false)
}

// shutdown lets go of the driver for good. It does not wait for a call that hangs.
func (s *nvmlScraper) shutdown(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.closing(s.letGo(ctx))
	s.resolver.close()
}

// mergeInto moves the metrics of each resource to the same resource in md.
func mergeInto(md, from pmetric.Metrics) {
	for _, rm := range from.ResourceMetrics().All() {
		same := false
		for _, other := range md.ResourceMetrics().All() {
			if other.Resource().Attributes().Equal(rm.Resource().Attributes()) {
				rm.ScopeMetrics().At(0).Metrics().MoveAndAppendTo(other.ScopeMetrics().At(0).Metrics())
				same = true
				break
			}
		}
		if !same {
			rm.MoveTo(md.ResourceMetrics().AppendEmpty())
		}
	}
}

package modelcatalogconnector

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
	"github.com/otelcol-llm/otelcol-llm/internal/staleness"
)

// settle is how long a change waits for others before the catalog is emitted, since
// sources that see the same death see it at different moments.
const settle = time.Second

// catalog takes what the sources say and emits what follows from it.
type catalog struct {
	cfg       *Config
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	journal   *journal
	now       func() time.Time
	// inTurn says that the catalog is emitted after what comes, by now.
	inTurn bool

	mu    sync.Mutex
	store *store

	// What follows belongs to who emits.
	file   *overrideFile
	merger merger
	mb     *builder
	stale  *staleness.Tracker
	due    time.Time

	// changed wakes up the emission.
	changed chan struct{}
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newCatalog(cfg *Config, set connector.Settings, next consumer.Metrics) (*catalog, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &catalog{
		cfg: cfg, next: next, telemetry: telemetry, journal: newJournal(set.Logger), now: time.Now,
		store:   newStore(cfg, time.Now()),
		file:    newOverrideFile(cfg.File),
		merger:  merger{endpoints: cfg.Endpoints, max: cfg.MaxModels},
		mb:      metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		stale:   staleness.NewTracker(),
		changed: make(chan struct{}, 1),
	}, nil
}

// Capabilities: what passes is read only.
func (*catalog) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start begins to emit.
func (c *catalog) Start(ctx context.Context, _ component.Host) error {
	if c.inTurn {
		return nil
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the start
	c.cancel = cancel
	c.running.Go(func() { c.run(life) })
	return nil
}

// Shutdown emits what is known last. The pipeline behind still works.
func (c *catalog) Shutdown(ctx context.Context) error {
	if c.cancel != nil {
		c.cancel()
		c.running.Wait()
		c.emit(ctx)
	}
	c.telemetry.Shutdown()
	return nil
}

// ConsumeMetrics notes what concerns models. It never refuses anything.
func (c *catalog) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if !concerns(md) {
		return nil
	}
	c.mu.Lock()
	c.store.read(md, c.now())
	changed := c.store.changed
	c.mu.Unlock()
	if c.inTurn {
		if !c.now().Before(c.due) {
			c.emit(ctx)
			c.due = c.now().Add(c.cfg.Interval)
		}
		return nil
	}
	if changed {
		select {
		case c.changed <- struct{}{}:
		default: // it is awake
		}
	}
	return nil
}

// run emits at every interval, and soon after a change.
func (c *catalog) run(life context.Context) {
	soon := min(settle, c.cfg.Interval)
	timer := time.NewTimer(soon) // of the file at least
	defer timer.Stop()
	c.due = c.now().Add(soon)
	for {
		select {
		case <-life.Done():
			return
		case <-c.changed:
			if c.due.Sub(c.now()) > soon {
				c.due = c.now().Add(soon)
				timer.Reset(soon)
			}
		case <-timer.C:
			c.emit(life)
			c.due = c.now().Add(c.cfg.Interval)
			timer.Reset(c.cfg.Interval)
		}
	}
}

// emit passes on the catalog as it is now.
func (c *catalog) emit(ctx context.Context) {
	now := c.now()
	md := c.snapshot(ctx, now)
	if md.ResourceMetrics().Len() == 0 {
		return
	}
	err := c.next.ConsumeMetrics(ctx, md)
	if ctx.Err() == nil { // else it was broken off
		c.journal.emitted(err)
	}
}

// snapshot makes metrics of all that is known.
func (c *catalog) snapshot(ctx context.Context, now time.Time) pmetric.Metrics {
	err := c.file.refresh()
	if c.file.path != "" {
		c.journal.file(c.file.path, err, c.file.current.len())
		c.telemetry.ConnectorModelCatalogFileLoaded.Record(ctx, number01(err == nil))
	}
	ts := pcommon.NewTimestampFromTime(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store.sweep(now)
	cards := c.merger.merge(c.store, c.file.current)
	for i := range cards {
		recordCard(c.mb, &cards[i], ts)
	}
	c.store.settle(now)
	recordTotals(c.mb, c.store.counters, c.store.counters.current(now), ts)
	c.report(ctx, len(cards), now)
	c.store.changed = false

	rb := c.mb.NewResourceBuilder()
	rb.SetServiceName(metadata.Type.String())
	md := c.mb.Emit(metadata.WithResource(rb.Emit()))
	c.stale.Mark(md, ts)
	return md
}

// report tells of the catalog itself.
func (c *catalog) report(ctx context.Context, entries int, now time.Time) {
	c.telemetry.ConnectorModelCatalogEntries.Record(ctx, int64(entries))
	for what, n := range c.store.refused {
		c.telemetry.ConnectorModelCatalogRefused.Add(ctx, n, metric.WithAttributeSet(attribute.NewSet(attribute.String("refused", what.String()))))
	}
	c.journal.refusals(c.store.refused, now, c.cfg.ExpireAfter)
	clear(c.store.refused)
}

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

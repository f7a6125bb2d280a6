package dockerattributesprocessor

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
)

const serviceName = "service.name"

// result is what came of a lookup.
type result int

const (
	hit result = iota
	gone
	miss
	excluded
	results
)

func (r result) String() string { return [results]string{"hit", "gone", "miss", "excluded"}[r] }

// tally counts the lookups of one batch.
type tally [results]int64

// enricher adds what Docker knows to the telemetry of one signal. It asks memory
// only: the watcher talks to the engine in its own time.
type enricher struct {
	cfg       *Config
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	// series are the options that say what is counted.
	series [results][]metric.AddOption

	// resources, records and points are the rules for each place.
	resources, records, points []rule
	describer                  *describer
	// placeholders are the service names to replace. Nil leaves all names alone.
	placeholders []string

	watcher *docker.Watcher
	names   *names // nil unless a rule needs it
	release func()
}

func newEnricher(cfg *Config, set processor.Settings, signal pipeline.Signal) (*enricher, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	describer, err := newDescriber(cfg)
	if err != nil {
		return nil, err
	}
	e := &enricher{cfg: cfg, log: set.Logger, telemetry: telemetry, describer: describer, resources: rulesFrom(cfg.Association, fromResource)}
	for r := range results {
		e.series[r] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("result", r.String()), attribute.String("signal", signal.String()),
		))}
	}
	switch signal {
	case pipeline.SignalMetrics:
		e.points = rulesFrom(cfg.Association, fromPoint)
	case pipeline.SignalLogs:
		e.records = rulesFrom(cfg.Association, fromRecord)
	}
	if slices.Contains(cfg.ServiceName.Signals, signal.String()) {
		e.placeholders = slices.Concat([]string{}, cfg.ServiceName.Placeholders)
	}
	return e, nil
}

func (e *enricher) options() []processorhelper.Option {
	return []processorhelper.Option{
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}),
		processorhelper.WithStart(e.start),
		processorhelper.WithShutdown(e.shutdown),
	}
}

func (e *enricher) start(ctx context.Context, _ component.Host) error {
	watcher, release, err := docker.Acquire(e.cfg.Docker, e.log) //nolint:contextcheck // it outlives the start
	if err != nil {
		return err
	}
	e.watcher, e.release, e.describer.known = watcher, release, watcher.Get
	if slices.ContainsFunc(e.cfg.Association, usesNames) {
		e.names = newNames(watcher, 2*e.cfg.Docker.MaxContainers)
	}
	if e.cfg.WaitForMetadata {
		e.wait(ctx)
	}
	return nil
}

func usesNames(a AssociationConfig) bool {
	return slices.ContainsFunc(a.Sources, func(s SourceConfig) bool { return s.holds() == containerName })
}

// wait waits for the first list of containers, within limits.
func (e *enricher) wait(ctx context.Context) {
	enough := time.NewTimer(e.cfg.WaitForMetadataTimeout)
	defer enough.Stop()
	select {
	case <-e.watcher.Ready():
	case <-ctx.Done():
	case <-enough.C:
		e.log.Warn("Docker has not told its containers yet. Telemetry passes as it is until then.",
			zap.Duration("wait_for_metadata_timeout", e.cfg.WaitForMetadataTimeout))
	}
}

func (e *enricher) shutdown(context.Context) error {
	if e.names != nil {
		e.names.close()
	}
	if e.release != nil {
		e.release()
	}
	e.telemetry.Shutdown()
	return nil
}

func (e *enricher) processTraces(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	var count tally
	for _, rs := range td.ResourceSpans().All() {
		attributes := rs.Resource().Attributes()
		if d := e.lookUp(e.resources, attributes, &count); d != nil {
			e.enrich(attributes, d, false)
		}
	}
	e.count(ctx, &count)
	return td, nil
}

func (e *enricher) processMetrics(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	var count tally
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes()
		if d := e.lookUp(e.resources, attributes, &count); d != nil {
			// The model of a point is closer to the truth, and an exporter that turns
			// resource attributes into labels would overwrite it.
			e.enrich(attributes, d, d.hasModel && pointsHaveModel(rm))
		}
		if len(e.points) > 0 {
			e.enrichPoints(rm, &count)
		}
	}
	e.count(ctx, &count)
	return md, nil
}

func (e *enricher) processLogs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	var count tally
	all := ld.ResourceLogs()
	for i := range all.Len() { // those that are split off come after these
		rl := all.At(i)
		attributes := rl.Resource().Attributes()
		if d := e.lookUp(e.resources, attributes, &count); d != nil {
			e.enrich(attributes, d, false)
		} else if len(e.records) > 0 {
			e.enrichRecords(all, rl, &count)
		}
	}
	e.count(ctx, &count)
	return ld, nil
}

// lookUp returns the description of the container that the attributes identify,
// unless there is none, it is not known or not wanted.
func (e *enricher) lookUp(rules []rule, attributes pcommon.Map, count *tally) *description {
	c, identified := e.find(rules, attributes)
	switch {
	case !identified:
		return nil
	case c == nil:
		count[miss]++
		return nil
	}
	d := e.describer.describe(c)
	switch {
	case d.excluded:
		count[excluded]++
		return nil
	case !c.Gone.IsZero():
		count[gone]++
	default:
		count[hit]++
	}
	return d
}

// enrich adds a description to a resource.
func (e *enricher) enrich(attributes pcommon.Map, d *description, skipModel bool) {
	e.add(attributes, d, skipModel)
	if e.placeholders == nil || d.service == "" {
		return
	}
	name, _ := attributes.GetOrPutEmpty(serviceName)
	if isEmpty(name) || name.Type() == pcommon.ValueTypeStr && e.isPlaceholder(name.Str()) {
		name.SetStr(d.service)
	}
}

func (e *enricher) isPlaceholder(name string) bool {
	for _, placeholder := range e.placeholders {
		prefix, open := strings.CutSuffix(placeholder, "*")
		if open && strings.HasPrefix(name, prefix) || name == placeholder {
			return true
		}
	}
	return false
}

// add adds the attributes of a description to others.
func (e *enricher) add(attributes pcommon.Map, d *description, skipModel bool) {
	attributes.EnsureCapacity(attributes.Len() + d.attributes.Len() + 1) // and service.name
	for name, value := range d.attributes.All() {
		if skipModel && name == requestModel {
			continue
		}
		own, there := attributes.GetOrPutEmpty(name)
		if !there || e.cfg.Override || isEmpty(own) {
			value.CopyTo(own)
		}
	}
	if e.cfg.RemoveContainerID {
		attributes.Remove(containerID)
	}
}

func isEmpty(value pcommon.Value) bool {
	switch value.Type() {
	case pcommon.ValueTypeEmpty:
		return true
	case pcommon.ValueTypeStr:
		return value.Str() == ""
	default:
		return false
	}
}

func (e *enricher) count(ctx context.Context, count *tally) {
	for r, n := range count {
		if n > 0 {
			e.telemetry.ProcessorDockerAttributesLookups.Add(ctx, n, e.series[r]...)
		}
	}
}

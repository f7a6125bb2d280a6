package syntheticreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// settling is how long a step waits after containers or GPUs have changed: whoever
// watches the engine or the driver hears of it a moment later.
const settling = 100 * time.Millisecond

// Replay plays a site through a stretch of time as fast as it can, and reads it at
// every step with the real receivers.
type Replay struct {
	// Config of the site.
	Config *Config
	// From is the first step, To is after the last one.
	From, To time.Time
	Step     time.Duration
	// Direct is called before each step; nil leaves the site to itself.
	Direct func(*site.World)

	stage *turnstile
}

// Run plays, and hands on all metrics of each step at once, with its time. It ends
// early with the first error, or with ctx.
func (r *Replay) Run(ctx context.Context, set receiver.Settings, next func(context.Context, time.Time, pmetric.Metrics) error) (err error) {
	r.stage = newTurnstile()
	p := &player{cfg: r.Config, set: set, replay: r, metrics: consumertest.NewNop()}
	_, p.cancel = context.WithCancel(ctx)
	defer func() {
		r.stage.end()
		err = errors.Join(err, p.shutdown(context.WithoutCancel(ctx)))
	}()
	first := r.From.Add(-r.Step) // read, so that there is something to compare with, and not handed on
	if err := p.open(ctx, noHost{}, first); err != nil {
		return err
	}
	host := newHostRecorder(set.BuildInfo.Version)
	before := ""
	for now := first; now.Before(r.To); now = now.Add(r.Step) {
		if r.Direct != nil && now.After(first) {
			r.Direct(p.world)
		}
		p.advance(ctx, now)
		if is := p.world.Lifecycle(); is != before {
			before = is
			time.Sleep(settling)
		}
		md := host.record(p.world.Host(), now)
		if err := r.stage.turn(ctx, md); err != nil {
			return fmt.Errorf("at %s: %w", now.Format(time.RFC3339), err)
		}
		if now.Equal(first) {
			continue
		}
		date(md, now)
		if err := next(ctx, now, md); err != nil {
			return err
		}
	}
	return nil
}

// outOfTime are settings of receivers that would follow the machine's own clock.
var outOfTime = map[string]map[string]any{
	"vllm":     {"docker": map[string]any{"keep_gone": "100000h"}}, // what is down stays in view
	"langfuse": {"rate_limit": map[string]any{"requests_per_second": 0}},
}

func (r *Replay) settings(name string) map[string]any {
	if r == nil {
		return nil
	}
	return outOfTime[name]
}

// join lets a receiver take part in the steps.
func (r *Replay) join(p *player, name string, cfg component.Config) (consumer.Metrics, error) {
	// An interval that no user may choose: the turnstile sets the pace.
	if err := confmap.NewFromStringMap(map[string]any{"collection_interval": "1ms", "initial_delay": "0s"}).Unmarshal(cfg); err != nil {
		return nil, err
	}
	if name != "vllm" {
		only := r.stage.admit(name)
		return r.stage.consumer(func(pmetric.Metrics) *reader { return only })
	}
	servers := make(map[string]*reader) // they are read each for itself
	for _, s := range p.world.Models() {
		servers[s.Container] = r.stage.admit(name + " of " + s.Container)
	}
	return r.stage.consumer(func(md pmetric.Metrics) *reader {
		if md.ResourceMetrics().Len() == 0 {
			return nil
		}
		instance, ok := md.ResourceMetrics().At(0).Resource().Attributes().Get("service.instance.id")
		if !ok {
			return nil
		}
		return servers[instance.Str()]
	})
}

// date gives all points the time of the step: contrib's docker_stats knows no clock
// but the machine's.
func date(md pmetric.Metrics, now time.Time) {
	ts, ahead := pcommon.NewTimestampFromTime(now), time.Since(now).Seconds()
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					for _, dp := range m.Gauge().DataPoints().All() {
						dp.SetTimestamp(ts)
						if m.Name() == "container.uptime" {
							dp.SetDoubleValue(dp.DoubleValue() - ahead)
						}
					}
				case pmetric.MetricTypeSum:
					for _, dp := range m.Sum().DataPoints().All() {
						dp.SetTimestamp(ts)
					}
				case pmetric.MetricTypeHistogram:
					for _, dp := range m.Histogram().DataPoints().All() {
						dp.SetTimestamp(ts)
					}
				default:
				}
			}
		}
	}
}

// noHost has no extensions.
type noHost struct{}

func (noHost) GetExtensions() map[component.ID]component.Component { return nil }

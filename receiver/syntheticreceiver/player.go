package syntheticreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// introduction is how long nobody needs who was told where the engine is.
const introduction = 2 * time.Second

// player plays a site and runs the receivers that read it.
type player struct {
	cfg     *Config
	set     receiver.Settings
	metrics consumer.Metrics // nil without a pipeline of metrics
	logs    consumer.Logs    // nil without a pipeline of logs
	running int
	// replay is the one whose site this is; nil: it is played in the machine's own time.
	replay *Replay

	world   *site.World
	files   *files
	servers *servers
	control *control
	inner   []component.Component
	cancel  context.CancelFunc
	tasks   sync.WaitGroup
}

// start begins to play. It fails only for a configuration that cannot work: a
// place to listen that is taken, a target that is not there, a receiver inside
// whose settings are wrong.
func (p *player) start(ctx context.Context, host component.Host) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	if err := p.open(ctx, host, time.Now()); err != nil {
		return errors.Join(err, p.shutdown(ctx))
	}
	p.tasks.Go(func() { p.play(life) })
	if p.metrics != nil {
		p.tasks.Go(func() { p.recordHost(life) })
	}
	return nil
}

// open makes the site as it is at now, and all that reads it.
func (p *player) open(ctx context.Context, host component.Host, now time.Time) error {
	scenario, err := site.ParseScenario(p.cfg.Scenario)
	if err != nil {
		return err
	}
	if p.files, err = openFiles(p.cfg.Listen.Files); err != nil {
		return fmt.Errorf(`the folder for the files of the site cannot be used: %w; set "listen::files" to one that can`, err)
	}
	world := site.Config{
		Seed: p.cfg.Seed, Start: now.Add(-p.cfg.WarmUp).Truncate(site.DefaultStep), Scenario: scenario,
		Spec: site.Scaled(site.Reference(), p.cfg.Scale.GPUs, p.cfg.Scale.Servers),
	}
	if p.replay == nil || p.logs != nil {
		world.Logs = p.files.log
	}
	p.world = site.New(world)
	p.world.Advance(now)
	for _, a := range p.cfg.Anomalies {
		if _, err := p.world.StartAnomaly(site.AnomalyKind(a.Kind), a.Target, a.Duration); err != nil {
			return fmt.Errorf(`"anomalies": %w`, err)
		}
	}
	if p.servers, err = listen(ctx, &p.cfg.Listen, p.world, p.files); err != nil {
		return err
	}
	p.files.processes(p.world.Processes())
	if p.replay == nil && p.cfg.Listen.Docker != "" {
		p.introduce(ctx)
	}
	if p.cfg.Control != nil {
		if p.control, err = startControl(ctx, p.cfg.Control, host, p.set, p.world); err != nil {
			return err
		}
	}
	return p.startInner(ctx, host)
}

// introduce lets whoever was told where the engine is find it before anything is
// read, so that the first metrics and lines have the names of their containers.
func (p *player) introduce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, introduction)
	defer cancel()
	for p.world.Docker().Listeners() == 0 && ctx.Err() == nil {
		time.Sleep(introduction / 100)
	}
}

// play moves the site with the clock.
func (p *player) play(life context.Context) {
	ticker := time.NewTicker(site.DefaultStep)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case now := <-ticker.C:
			p.advance(life, now)
			err := p.files.problem()
			if err != nil && !failed {
				p.set.Logger.Warn("The files of the synthetic site cannot be written: lines of its containers are lost until they can.",
					zap.Error(err), zap.String("hint", `Free space, or set "listen::files" to another folder.`))
			}
			failed = err != nil
		case <-life.Done():
			return
		}
	}
}

// advance brings the site to now.
func (p *player) advance(ctx context.Context, now time.Time) {
	p.world.Advance(now)
	p.servers.follow(ctx)
	p.files.processes(p.world.Processes())
}

// recordHost hands on the state of the host in intervals.
func (p *player) recordHost(life context.Context) {
	ticker := time.NewTicker(p.cfg.CollectionInterval)
	defer ticker.Stop()
	recorder := newHostRecorder(p.set.BuildInfo.Version)
	for {
		if err := p.metrics.ConsumeMetrics(life, recorder.record(p.world.Host(), p.world.Now())); err != nil && life.Err() == nil {
			p.set.Logger.Debug("The metrics of the host were refused.") // the refusal is counted where it happened
		}
		select {
		case <-ticker.C:
		case <-life.Done():
			return
		}
	}
}

// shutdown ends all that was started, what reads before what is read.
func (p *player) shutdown(ctx context.Context) error {
	var errs []error
	for _, c := range p.inner {
		errs = append(errs, c.Shutdown(ctx))
	}
	p.inner = nil
	p.cancel()
	p.tasks.Wait()
	if p.control != nil {
		errs = append(errs, p.control.shutdown(ctx))
	}
	if p.servers != nil {
		p.servers.close()
	}
	if p.files != nil {
		errs = append(errs, p.files.close())
	}
	return errors.Join(errs...)
}

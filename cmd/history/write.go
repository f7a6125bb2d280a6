package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/receiver/syntheticreceiver"
)

// progress is how often the screen is told; tests do not wait so long.
var progress = 10 * time.Second

// write plays the site and writes the blocks.
func write(ctx context.Context, o *options, screen io.Writer) (err error) {
	if err := os.MkdirAll(o.out, 0o750); err != nil { // #nosec G703 -- it is the user's to say where
		return fmt.Errorf("the data folder cannot be used: %w; set -out to another", err)
	}
	site, err := os.MkdirTemp("", "history")
	if err != nil {
		return err
	}
	defer os.RemoveAll(site)

	to := o.until.Truncate(o.step)
	from := to.Add(-max(time.Duration(o.days*float64(24*time.Hour)).Round(o.step), o.step))
	factory := syntheticreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig().(*syntheticreceiver.Config)
	shipped, err := load(ctx, o.config)
	if err == nil {
		err = shipped.settings(cfg, "receivers", "synthetic", nil)
	}
	if err != nil {
		return err
	}
	usual := cfg.Listen.Docker
	cfg.Listen.Docker, cfg.Listen.Files = "unix://"+filepath.Join(site, "docker.sock"), site // a demo may have the usual ones
	cfg.Control = nil                                                                        // nobody could follow
	story := newStory(cfg.Seed, from, o.incidents)
	replay := &syntheticreceiver.Replay{Config: cfg, From: from, To: to, Step: o.step, Direct: story.direct}

	telemetry := componenttest.NewNopTelemetrySettings()
	telemetry.Logger = zap.NewNop()
	p, err := newPipeline(ctx, o, shipped, cfg.Listen.Docker, telemetry)
	if err != nil {
		return err
	}
	p.docker = usual
	defer func() { err = firstOf(err, p.shutdown(context.WithoutCancel(ctx))) }()
	b := newBlocks(o.out)
	defer func() { err = firstOf(err, b.close(context.WithoutCancel(ctx))) }()
	scrape := newScrape(o, p.expiration)

	began, told := time.Now(), time.Now()
	keep := startKeeping(func(now time.Time, md pmetric.Metrics) error {
		page, err := p.pass(ctx, now, md)
		if err != nil {
			return err
		}
		if err := scrape.store(ctx, page, now, b); err != nil {
			return err
		}
		if time.Since(told) >= progress {
			told = time.Now()
			done := float64(now.Sub(from)) / float64(to.Sub(from))
			left := time.Duration(float64(time.Since(began)) * (1 - done) / done)
			fmt.Fprintf(screen, "%s  %3.0f %%, %d series, some %s left\n", now.Format("2006-01-02 15:04"), done*100, scrape.series(), left.Round(time.Second))
		}
		return nil
	})
	set := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry, BuildInfo: component.NewDefaultBuildInfo()}
	err = keep.end(replay.Run(ctx, set, keep.step))
	if err == nil {
		err = b.flush(ctx)
	}
	if err == nil {
		fmt.Fprintf(screen, "%s to %s: %d samples of %d series in %d blocks under %s, in %s.\nThings that went wrong: %d.\n",
			from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), scrape.samples, scrape.most, b.written, o.out, time.Since(began).Round(time.Second), story.told)
	}
	return err
}

// keeping keeps a step while the next one is played: there are two cores nearly
// everywhere.
type keeping struct {
	steps chan step
	done  chan struct{}
	err   error
}

type step struct {
	now time.Time
	md  pmetric.Metrics
}

func startKeeping(keep func(time.Time, pmetric.Metrics) error) *keeping {
	k := &keeping{steps: make(chan step), done: make(chan struct{})}
	go func() {
		defer close(k.done)
		for s := range k.steps {
			if k.err = keep(s.now, s.md); k.err != nil {
				return
			}
		}
	}()
	return k
}

// step hands on a step. It fails if one before it could not be kept.
func (k *keeping) step(ctx context.Context, now time.Time, md pmetric.Metrics) error {
	select {
	case k.steps <- step{now, md}:
		return nil
	case <-k.done:
		return k.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end waits until all is kept, and returns why it could not be, else the error of the
// play.
func (k *keeping) end(played error) error {
	close(k.steps)
	<-k.done
	return firstOf(k.err, played)
}

// firstOf is the error that tells what happened; the others follow from it.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

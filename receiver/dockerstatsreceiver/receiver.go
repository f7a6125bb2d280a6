package dockerstatsreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// lookInterval is shorter than an engine needs to start again.
	lookInterval = time.Second
	// grace is how much longer than a request takes at most the end of contrib's
	// receiver may take.
	grace = time.Second
)

// dockerStats runs contrib's receiver while the engine answers.
type dockerStats struct {
	cfg  *contrib.Config
	set  receiver.Settings
	next consumer.Metrics
	// retry is how long to wait after the first failure, look how often to ask
	// whether the engine is still there.
	retry, look time.Duration
	// patience is how long Shutdown waits.
	patience time.Duration

	cancel context.CancelFunc
	wait   sync.WaitGroup
}

func newReceiver(cfg *contrib.Config, set receiver.Settings, next consumer.Metrics) *dockerStats {
	return &dockerStats{cfg: cfg, set: set, next: next, retry: firstRetry, look: lookInterval, patience: cfg.Config.Timeout + grace}
}

// Start fails only for an endpoint that cannot be one.
func (r *dockerStats) Start(_ context.Context, host component.Host) error { //nolint:contextcheck // see below
	engine, err := newEngine(r.cfg)
	if err != nil {
		return err
	}
	// Not the context of Start: contrib's receiver watches events under it.
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.wait.Go(func() {
		defer engine.close()
		for {
			inner := r.connect(ctx, host, engine)
			if inner == nil {
				return
			}
			// Contrib's receiver goes on for ever with the containers it knew when the
			// engine went away. A new one asks anew.
			engine.untilGone(ctx, r.look)
			if err := inner.Shutdown(context.WithoutCancel(ctx)); err != nil {
				r.set.Logger.Warn("Container metrics did not end cleanly.", zap.Error(err))
			}
		}
	})
	return nil
}

// connect returns contrib's receiver once it runs, or nil at the end of ctx. It
// tries until the engine answers, and writes a line when it begins to wait and when
// the waiting is over.
func (r *dockerStats) connect(ctx context.Context, host component.Host, engine *engine) receiver.Metrics {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval = r.retry
	pace.MaxInterval = lastRetry
	waiting := false
	inner, err := backoff.Retry(ctx,
		func() (receiver.Metrics, error) { return r.startInner(ctx, host, engine) },
		backoff.WithBackOff(pace),
		backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, _ time.Duration) {
			if !waiting {
				waiting = true
				r.set.Logger.Warn("Docker does not answer; container metrics start as soon as it does.",
					zap.Error(err), zap.String("hint", hintFor(err)))
			}
		}))
	if err != nil {
		return nil
	}
	r.set.Logger.Info("Docker answers.", zap.String("endpoint", engine.endpoint()), zap.Bool("waited", waiting))
	return inner
}

// startInner makes a new receiver for each try: one that failed to start is not
// meant to be started again.
func (r *dockerStats) startInner(ctx context.Context, host component.Host, engine *engine) (receiver.Metrics, error) {
	cfg := *r.cfg
	version, err := engine.apiVersion(ctx, cfg.DockerAPIVersion)
	if err != nil {
		return nil, err
	}
	cfg.DockerAPIVersion = version
	inner, err := contrib.NewFactory().CreateMetrics(ctx, r.set, &cfg, r.next)
	if err != nil {
		return nil, err
	}
	if err := inner.Start(ctx, host); err != nil {
		return nil, err
	}
	return inner, nil
}

var errSlow = errors.New("the Docker engine is slow to answer; what is asked for is left to end by itself")

// Shutdown ends the waiting, or the receiver if it runs. Contrib's does not break off
// a request, and may begin another when its interval is over meanwhile: an engine that
// is slow must not hold the collector up for longer than one takes.
func (r *dockerStats) Shutdown(context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.wait.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(r.patience):
		return errSlow
	}
}

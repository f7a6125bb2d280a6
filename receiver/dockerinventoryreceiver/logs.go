package dockerinventoryreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

// logsReceiver hands on what happens to containers, as soon as it happens.
type logsReceiver struct {
	cfg    *Config
	logger *zap.Logger
	next   consumer.Logs
	obs    *receiverhelper.ObsReport

	mu        sync.Mutex
	lifecycle *lifecycle

	watcher *docker.Watcher
	// stop ends what Start began, in the order of the list.
	stop []func()
}

func newLogsReceiver(cfg *Config, set receiver.Settings, next consumer.Logs) (*logsReceiver, error) {
	l, err := newLifecycle(cfg, set)
	if err != nil {
		return nil, err
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	return &logsReceiver{cfg: cfg, logger: set.Logger, next: next, obs: obs, lifecycle: l}, nil
}

// Start fails only for an endpoint that cannot be one.
func (r *logsReceiver) Start(context.Context, component.Host) error { //nolint:contextcheck // events come after the context of Start has ended
	watcher, release, err := docker.Acquire(r.cfg.Config, r.logger) //nolint:contextcheck // it goes on after the context of Start has ended
	if err != nil {
		return err
	}
	r.watcher = watcher
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	unsubscribe := watcher.Subscribe(func(e docker.Event) { r.handle(ctx, &e) })
	wait.Go(func() { r.learn(ctx) })
	r.stop = []func(){cancel, unsubscribe, wait.Wait, release}
	return nil
}

// learn notes what exists, so that a change can be told from it.
func (r *logsReceiver) learn(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-r.watcher.Ready():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.watcher.List() {
		r.lifecycle.observe(c)
	}
}

func (r *logsReceiver) handle(ctx context.Context, e *docker.Event) {
	r.mu.Lock()
	logs := r.lifecycle.tell(ctx, e, r.watcher.State().Endpoint)
	r.mu.Unlock()
	n := logs.LogRecordCount()
	if n == 0 {
		return
	}
	ctx = r.obs.StartLogsOp(ctx)
	err := r.next.ConsumeLogs(ctx, logs)
	r.obs.EndLogsOp(ctx, metadata.Type.String(), n, err)
}

// Shutdown breaks off the record under way.
func (r *logsReceiver) Shutdown(context.Context) error {
	for _, stop := range r.stop {
		stop()
	}
	r.stop = nil
	return nil
}

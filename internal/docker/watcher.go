package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/client"
	"go.uber.org/zap"
)

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 30 * time.Second
	// stable times firstRetry is how long a session must last to be followed by the next at once.
	stable = 20
	// pingInterval is how soon an engine that hangs is noticed.
	pingInterval = 30 * time.Second
	// replayQuiet is how long no event must come until those of the past are
	// taken for complete, replayMax how long to wait at most.
	replayQuiet = 50 * time.Millisecond
	replayMax   = 2 * time.Second
)

// Watcher knows the containers of one engine. See [Acquire].
type Watcher struct {
	cfg Config
	log *zap.Logger
	now func() time.Time
	// retry and ping are firstRetry and pingInterval, except in tests.
	retry, ping time.Duration

	cgroups     *CgroupReader
	store       *store
	subscribers *subscribers
	ready       chan struct{}
	counters    counters

	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu    sync.RWMutex
	state ConnectionState

	// What follows belongs to the goroutine that talks to the engine.
	history  history
	conclude conclusions
	synced   bool
}

// ConnectionState says how the watcher and the engine get along.
type ConnectionState struct {
	// Connected is true while events arrive and the containers are known.
	Connected bool
	// Err is why it is not. It is nil before the first attempt has failed.
	Err error
	// Since is when Connected last changed.
	Since time.Time
	// Endpoint is the address in use.
	Endpoint string
	// APIVersion is what both sides agreed on. It is empty before that.
	APIVersion string
}

// Stats are counts for self-telemetry.
type Stats struct {
	// Reconnects, Lists, Inspects, InspectErrors and Events only grow. Events
	// includes those that are Synthetic; Dropped are those that subscribers missed.
	Reconnects, Lists, Inspects, InspectErrors, Events, Synthetic, Dropped uint64
	// Containers and Gone are known now; Refused were beyond MaxContainers since
	// the last list.
	Containers, Gone, Refused, Subscribers int
}

type counters struct {
	reconnects, lists, inspects, inspectErrors, events, synthetic atomic.Uint64
	refused                                                       atomic.Int64
}

func newWatcher(cfg Config, logger *zap.Logger) *Watcher {
	if logger == nil {
		logger = zap.NewNop()
	}
	w := &Watcher{
		cfg: cfg, log: logger, now: time.Now, retry: firstRetry, ping: pingInterval,
		cgroups: NewCgroupReader(cfg.ProcRoot), store: newStore(cfg.MaxContainers, cfg.KeepGone),
		subscribers: newSubscribers(), ready: make(chan struct{}),
		history: newHistory(), conclude: make(conclusions),
	}
	w.state = ConnectionState{Since: w.now(), Endpoint: cfg.Endpoint}
	return w
}

func (w *Watcher) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.wait.Go(func() { w.run(ctx) })
	if w.cfg.KeepGone > 0 {
		w.wait.Go(func() { w.purge(ctx) })
	}
}

func (w *Watcher) stop() {
	w.cancel()
	w.wait.Wait()
	w.subscribers.close()
}

// Get returns a container by its id, or the first 12 digits of it; also one that
// is gone, for a while.
func (w *Watcher) Get(id string) (*Container, bool) { return w.store.get(id) }

// List returns those that exist, in any state, by id.
func (w *Watcher) List() []*Container { return w.store.existing() }

// ByPID returns the container that a process is in.
func (w *Watcher) ByPID(pid int) (*Container, bool) {
	for _, id := range w.cgroups.Candidates(pid) {
		if c, known := w.store.get(id); known {
			return c, true
		}
	}
	return nil, false
}

// ContainerIDByPID returns the id of the container that a process is in, also
// when the engine does not know or does not answer.
func (w *Watcher) ContainerIDByPID(pid int) (string, bool) {
	if c, known := w.ByPID(pid); known {
		return c.ID, true
	}
	return w.cgroups.ContainerID(pid, nil)
}

// Subscribe calls fn with each event from now on, in their order, from one
// goroutine. It does not tell of what exists: subscribe first, then [Watcher.List].
// A subscriber that falls behind by more than a thousand events misses some, and
// is told so by [ActionLost]. Cancel waits until fn has returned: not to be called
// from within fn.
func (w *Watcher) Subscribe(fn func(Event)) (cancel func()) { return w.subscribers.add(fn) }

// Ready is closed once all containers are known.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// State returns how the watcher and the engine get along.
func (w *Watcher) State() ConnectionState {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.state
}

// Stats returns counts for self-telemetry.
func (w *Watcher) Stats() Stats {
	containers, gone := w.store.count()
	return Stats{
		Reconnects: w.counters.reconnects.Load(), Lists: w.counters.lists.Load(),
		Inspects: w.counters.inspects.Load(), InspectErrors: w.counters.inspectErrors.Load(),
		Events: w.counters.events.Load(), Synthetic: w.counters.synthetic.Load(), Dropped: w.subscribers.dropped.Load(),
		Containers: containers, Gone: gone, Refused: int(w.counters.refused.Load()), Subscribers: w.subscribers.count(),
	}
}

// purge forgets removed containers in time, with or without an engine.
func (w *Watcher) purge(ctx context.Context) {
	ticker := time.NewTicker(max(w.cfg.KeepGone/10, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.store.purge(w.now())
		}
	}
}

// run holds a session with the engine, one after another. A session that worked
// is followed by the next at once: proxies cut streams on which nothing happens.
func (w *Watcher) run(ctx context.Context) {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval = w.retry, lastRetry
	for {
		began := time.Now()
		connected, err := w.session(ctx)
		if ctx.Err() != nil {
			return
		}
		w.counters.reconnects.Add(1)
		if connected {
			pace.Reset()
			if time.Since(began) > stable*w.retry {
				continue
			}
		}
		w.disconnected(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pace.NextBackOff()):
		}
	}
}

// session connects, learns what there is and what was missed, and follows the
// events until something breaks.
func (w *Watcher) session(ctx context.Context) (connected bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	engine, err := w.cfg.client()
	if err != nil {
		return false, err
	}
	defer engine.Close()
	if err := w.pingEngine(ctx, engine); err != nil {
		return false, err
	}
	// Events first, the list second: so nothing falls between them.
	messages, errs := w.events(ctx, cancel, engine)
	defer func() {
		cancel()
		for range errs { // until the client's goroutine has ended
		}
	}()
	select {
	case err := <-errs: // it did not open
		return false, streamError(err)
	default:
	}
	if err := w.replay(ctx, engine, messages, errs); err != nil {
		return false, err
	}
	if err := w.sync(ctx, engine, true); err != nil {
		return false, err
	}
	w.connected(engine)
	return true, w.follow(ctx, engine, messages, errs)
}

func (w *Watcher) pingEngine(ctx context.Context, engine *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	_, err := engine.Ping(ctx)
	return err
}

// events opens the stream, from where the last one broke off.
func (w *Watcher) events(ctx context.Context, cancel context.CancelFunc, engine *client.Client) (<-chan events.Message, <-chan error) {
	tooLong := time.AfterFunc(w.cfg.Timeout, cancel)
	defer tooLong.Stop()
	return engine.Events(ctx, events.ListOptions{Since: w.history.since(), Filters: eventFilter()})
}

// replay takes the events of the past, which come first and have no end mark.
// The first time there are none.
func (w *Watcher) replay(ctx context.Context, engine *client.Client, messages <-chan events.Message, errs <-chan error) error {
	w.history.begin(w.now())
	quiet, enough := time.NewTimer(replayQuiet), time.NewTimer(replayMax)
	defer quiet.Stop()
	defer enough.Stop()
	if !w.synced {
		quiet.Reset(0)
	}
	for {
		select {
		case m := <-messages:
			w.apply(ctx, engine, &m)
			quiet.Reset(replayQuiet)
		case err := <-errs:
			return streamError(err)
		case <-quiet.C:
			return nil
		case <-enough.C:
			return nil
		}
	}
}

func (w *Watcher) follow(ctx context.Context, engine *client.Client, messages <-chan events.Message, errs <-chan error) error {
	ping, resync := time.NewTicker(w.ping), time.NewTicker(w.cfg.ResyncInterval)
	defer ping.Stop()
	defer resync.Stop()
	for {
		var err error
		select {
		case m := <-messages:
			w.apply(ctx, engine, &m)
		case err = <-errs:
			return streamError(err)
		case <-ping.C:
			err = w.pingEngine(ctx, engine)
		case <-resync.C:
			err = w.sync(ctx, engine, false)
		}
		if err != nil {
			return err
		}
	}
}

func streamError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("the event stream did not open in time")
	case err == nil || errors.Is(err, io.EOF):
		return errors.New("the engine ended the event stream")
	default:
		return fmt.Errorf("event stream: %w", err)
	}
}

// connected and disconnected write a line when that is news, and then let it be known.
func (w *Watcher) connected(engine *client.Client) {
	next := w.State()
	if !next.Connected {
		containers, _ := w.store.count()
		w.log.Info("Watching the containers of Docker.", zap.String("endpoint", engine.DaemonHost()),
			zap.String("api_version", engine.ClientVersion()), zap.Int("containers", containers))
		next.Since = w.now()
	}
	next.Connected, next.Err = true, nil
	next.Endpoint, next.APIVersion = engine.DaemonHost(), engine.ClientVersion()
	w.setState(next)
	if !w.synced {
		w.synced = true
		close(w.ready)
	}
}

func (w *Watcher) disconnected(err error) {
	next := w.State()
	if next.Connected || next.Err == nil {
		w.log.Warn("Docker does not answer; its containers are known again as soon as it does.",
			zap.String("endpoint", next.Endpoint), zap.Error(err), zap.String("hint", hintFor(err)))
	}
	if next.Connected {
		next.Since = w.now()
	}
	next.Connected, next.Err = false, err
	w.setState(next)
}

func (w *Watcher) setState(next ConnectionState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = next
}

// hintFor says what to do about an engine that cannot be watched.
func hintFor(err error) string {
	switch {
	// The client does not always wrap what it was told.
	case errors.Is(err, fs.ErrPermission), client.IsErrConnectionFailed(err) && strings.Contains(err.Error(), "permission denied"):
		return "This user may not use the Docker socket: add it to the socket's group, or point the endpoint at a socket proxy."
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), client.IsErrConnectionFailed(err):
		return "Start Docker, set the endpoint to where it listens, or remove what needs it from the configuration."
	case errdefs.IsPermissionDenied(err):
		return "The proxy must allow GET of containers, events, version and _ping."
	default:
		return "See the log of the Docker engine."
	}
}

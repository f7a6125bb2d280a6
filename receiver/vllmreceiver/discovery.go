package vllmreceiver

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

const (
	// settling is how long changes are gathered, so that a burst of them, as from a
	// container that restarts in a loop, is one.
	settling = 200 * time.Millisecond
	// review is how often the containers are compared although no event came.
	review = time.Minute
)

// discovery reads the servers in containers: for each it runs a controller, from
// when the container appears until it is removed, or has been ended for long.
//
// One goroutine decides. It never waits for a server, nor for a consumer: each
// controller is stopped by a goroutine of its own.
type discovery struct {
	cfg       *Config
	docker    *DockerConfig
	set       receiver.Settings
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	now       func() time.Time
	chooser   *chooser
	router    *router
	// names are those of the static endpoints.
	names map[string]bool

	client  *http.Client
	watcher *docker.Watcher
	stop    func()
	wait    sync.WaitGroup
	wake    chan struct{}
	chatter chatter

	// What follows belongs to the goroutine that decides.
	candidates map[string]*candidate
	servers    map[string]*discovered
	refused    int
}

// candidate is what is remembered of a container, chosen or not.
type candidate struct {
	container *docker.Container
	spec      llmserver.Spec
	chosen    bool
	// fixed says that a static endpoint is the same server.
	fixed bool
	// alive says that it was seen with a process, ended since when it has none.
	alive bool
	ended time.Time
	// target is how it was reached last.
	target target
}

// target is how a server is called and reached. Another one is another server to
// all who see its series.
type target struct {
	container, instance string
	url                 string // empty if it cannot be reached
}

// discovered is a server that is read.
type discovered struct {
	target
	controller receiver.Metrics
	scraper    *vllmScraper
	cancel     context.CancelFunc
	// stopped is closed when the controller has ended and so have the series; nil
	// while nobody stops it.
	stopped chan struct{}
}

func newDiscovery(cfg *Config, set receiver.Settings, now func() time.Time, next consumer.Metrics) (*discovery, error) {
	d := &discovery{
		cfg: cfg, docker: cfg.Docker, set: set, next: next, now: now,
		names: make(map[string]bool), wake: make(chan struct{}, 1), chatter: newChatter(),
		candidates: make(map[string]*candidate), servers: make(map[string]*discovered),
	}
	for i := range cfg.Endpoints {
		d.names[cfg.Endpoints[i].instance()] = true
	}
	var err error
	if d.chooser, err = newChooser(d.docker); err != nil {
		return nil, err
	}
	if d.telemetry, err = metadata.NewTelemetryBuilder(set.TelemetrySettings); err != nil {
		return nil, err
	}
	d.router = newRouter(d.docker, cfg.Endpoints, runsInContainer())
	return d, nil
}

// start fails only for a configuration that cannot work; Docker being absent is
// no failure.
func (d *discovery) start(ctx context.Context, host component.Host) error {
	client, err := apiclient.NewHTTPClient(ctx, &d.docker.Template.ClientConfig, host, d.set.TelemetrySettings)
	if err != nil {
		return err
	}
	watcher, release, err := docker.Acquire(d.docker.Config, d.set.Logger) //nolint:contextcheck // the watcher outlives the start
	if err != nil {
		return err
	}
	d.client, d.watcher = client, watcher
	d.router.container = watcher.Get
	unsubscribe := watcher.Subscribe(d.note)
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	decided := make(chan struct{})
	go func() {
		defer close(decided)
		d.run(life)
	}()
	d.stop = func() {
		cancel()
		<-decided
		unsubscribe()
		release()
		for _, s := range d.servers {
			d.end(life, s)
		}
		d.wait.Wait()
		client.CloseIdleConnections()
	}
	return nil
}

// shutdown breaks off the scrapes under way.
func (d *discovery) shutdown() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
	d.telemetry.Shutdown()
}

// note wakes the deciding goroutine for events that may change which servers
// there are, or where. The others show in the container when it is looked at.
func (d *discovery) note(e docker.Event) {
	switch e.Action {
	case docker.ActionHealth, docker.ActionKill, docker.ActionStop, docker.ActionOOM, docker.ActionPause, docker.ActionUnpause:
	default:
		d.poke()
	}
}

func (d *discovery) poke() {
	select {
	case d.wake <- struct{}{}:
	default: // it will be awake anyway
	}
}

func (d *discovery) run(life context.Context) {
	select {
	case <-life.Done():
		return
	case <-d.watcher.Ready():
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-life.Done():
			return
		case <-timer.C:
		case <-d.wake:
			select {
			case <-life.Done():
				return
			case <-time.After(settling):
			}
			select {
			case <-d.wake:
			default:
			}
		}
		timer.Reset(d.reconcile(life))
	}
}

// reconcile makes the servers that are read those that there are, and returns
// when to do so again at the latest.
func (d *discovery) reconcile(life context.Context) time.Duration {
	now := d.now()
	again := review
	for id, s := range d.servers {
		if s.stopped != nil && isClosed(s.stopped) {
			delete(d.servers, id)
		}
	}
	var wanted []*candidate
	existing := make(map[string]bool)
	for _, c := range d.watcher.List() {
		existing[c.ID] = true
		k := d.candidate(c)
		if !k.chosen || k.fixed {
			continue
		}
		lasts, present := k.remains(now, d.docker.KeepGone)
		if !present {
			continue
		}
		if lasts > 0 {
			again = min(again, lasts)
		}
		wanted = append(wanted, k)
	}
	maps.DeleteFunc(d.candidates, func(id string, _ *candidate) bool { return !existing[id] })
	d.adapt(life, wanted, existing)
	return again
}

// adapt stops what is not wanted and starts what is not there. A server takes the
// place of another only when the series of that have ended, since they may be
// called alike.
func (d *discovery) adapt(life context.Context, wanted []*candidate, existing map[string]bool) {
	byID := make(map[string]*candidate, len(wanted))
	for _, k := range wanted {
		byID[k.container.ID] = k
	}
	taken := make(map[string]bool, len(d.servers))
	reading := 0
	for id, s := range d.servers {
		if k := byID[id]; s.stopped == nil && (k == nil || k.target != s.target) {
			if k == nil {
				d.lost(s, existing[id])
			}
			d.end(life, s)
		}
		if s.stopped == nil {
			reading++
		}
		taken[s.instance] = true
	}
	slices.SortFunc(wanted, func(a, b *candidate) int {
		return cmp.Or(compareBool(b.container.Running(), a.container.Running()), cmp.Compare(a.container.Name, b.container.Name), cmp.Compare(a.container.ID, b.container.ID))
	})
	started, refused := 0, 0
	for _, k := range wanted {
		switch {
		case d.servers[k.container.ID] != nil || taken[k.target.instance]:
		case len(d.servers) >= d.docker.MaxServers:
			refused++
		case d.begin(life, k, started):
			taken[k.target.instance] = true
			started++
		}
	}
	if refused > 0 && d.refused == 0 {
		d.set.Logger.Warn(`There are more vLLM servers in Docker than are read: raise "max_servers", or leave some out by "exclude".`,
			zap.Int("max_servers", d.docker.MaxServers), zap.Int("not_read", refused))
	}
	d.refused = refused
	d.telemetry.ReceiverVllmDiscoveryRefused.Record(life, int64(refused))
	d.telemetry.ReceiverVllmDiscoveryServers.Record(life, int64(reading+started))
}

// candidate brings what is known of a container up to date. The watcher hands out
// another pointer whenever anything has changed.
func (d *discovery) candidate(c *docker.Container) *candidate {
	k := d.candidates[c.ID]
	if k == nil {
		k = &candidate{}
		d.candidates[c.ID] = k
	}
	if k.container != c {
		k.container = c
		k.spec, k.chosen = d.chooser.choose(c)
	}
	if !k.chosen {
		return k
	}
	if c.Running() || k.target.container == "" { // what does not run has no address
		k.fixed = d.router.isFixed(c, &k.spec)
		k.target.url = d.url(c, &k.spec)
	}
	k.target.container = cmp.Or(c.Name, c.ShortID())
	k.target.instance = k.target.container
	if d.names[k.target.instance] {
		k.target.instance = "docker:" + k.target.instance
	}
	return k
}

// remains says whether a container is still to be shown, and for how long if it
// has ended.
func (k *candidate) remains(now time.Time, keep time.Duration) (time.Duration, bool) {
	c := k.container
	if c.Running() || c.State == docker.StateRestarting {
		k.alive, k.ended = true, time.Time{}
		return 0, true
	}
	switch {
	case !k.ended.IsZero():
	case k.alive:
		k.ended = now
	case c.Finished.IsZero(): // it was only created
		return 0, false
	default: // before anybody looked, by the clock of the engine
		k.ended = c.Finished
		if now.Before(k.ended) {
			k.ended = now
		}
	}
	left := k.ended.Add(keep).Sub(now)
	return left, left > 0
}

// url is where the server in the container is reached, empty if nowhere.
func (d *discovery) url(c *docker.Container, spec *llmserver.Spec) string {
	at, ok := d.router.route(c, spec)
	if !ok {
		return ""
	}
	scheme := "http://"
	if spec.TLS {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(at.host, strconv.Itoa(at.port))
}

// begin starts to read a server. It fails for nothing that can be foreseen.
func (d *discovery) begin(life context.Context, k *candidate, i int) bool {
	c := k.container
	endpoint := d.docker.Template.endpoint(k.target.instance, k.target.url)
	s := newScraper(d.cfg, &endpoint, d.set)
	s.now = d.now
	rb := s.mb.NewResourceBuilder()
	setContainer(rb, c)
	s.resource = newResource(rb, &endpoint)
	s.server = newHTTPServer(d.cfg, &endpoint, d.client)
	s.container = &containerTracker{
		find: func() (*docker.Container, bool) { return d.watcher.Get(c.ID) }, choose: d.chooser.choose, routed: k.target.url != "",
		facts: factsOf(c, &k.spec),
	}
	ctx, cancel := context.WithCancel(life)
	controller, err := newController(ctx, d.cfg, s, i, d.set, d.next)
	if err == nil {
		err = controller.Start(ctx, nil)
	}
	if err != nil {
		cancel()
		d.set.Logger.Error("A vLLM server in Docker cannot be read.", zap.String("container", c.Name), zap.Error(err))
		return false
	}
	d.servers[c.ID] = &discovered{target: k.target, controller: controller, scraper: s, cancel: cancel}
	if d.chatter.allows(k.target.container, d.now()) {
		d.set.Logger.Info("A vLLM server was found in Docker.", zap.String("container", k.target.container), zap.String("server", k.target.instance),
			zap.String("url", k.target.url), zap.String("image", c.Image.Ref), zap.Strings("models", k.spec.ServedNames))
	}
	return true
}

func (d *discovery) lost(s *discovered, exists bool) {
	if !d.chatter.allows(s.container, d.now()) {
		return
	}
	why := "The container was removed."
	if exists {
		why = "The container ended long ago, or is no longer to be read."
	}
	d.set.Logger.Info("A vLLM server in Docker is no longer read.", zap.String("container", s.container), zap.String("server", s.instance), zap.String("why", why))
}

// end stops a server without waiting for it, and then its series.
func (d *discovery) end(life context.Context, s *discovered) {
	if s.stopped != nil {
		return
	}
	s.stopped = make(chan struct{})
	s.cancel()
	d.wait.Go(func() {
		defer d.poke()
		defer close(s.stopped)
		err := s.controller.Shutdown(life)
		if life.Err() != nil { // the collector stops, not the server
			return
		}
		if last := s.scraper.end(); err == nil && last.DataPointCount() > 0 {
			err = d.next.ConsumeMetrics(life, last)
		}
		if err != nil {
			d.set.Logger.Warn("The end of a vLLM server could not be told.", zap.String("container", s.container), zap.Error(err))
		}
	})
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func compareBool(a, b bool) int { return cmp.Compare(number01(a), number01(b)) }

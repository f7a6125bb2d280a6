package dockerinventoryreceiver

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

type eventOption = metadata.EventAttributeOption

// eventName is an attribute too, for stores that keep attributes only.
const eventName = "event.name"

// lifecycle turns what happens to containers into log records.
type lifecycle struct {
	cfg    *Config
	lb     *metadata.LogsBuilder
	filter *filter
	now    func() time.Time

	ends   map[string]foreseen
	loops  *loops
	images *imageHistory
}

// foreseen is what was heard of a container before its end.
type foreseen struct {
	// signal is what somebody sent to stop it.
	signal string
	oom    bool
}

func newLifecycle(cfg *Config, set receiver.Settings) (*lifecycle, error) {
	chosen, err := newFilter(cfg)
	if err != nil {
		return nil, err
	}
	return &lifecycle{
		cfg:    cfg,
		lb:     metadata.NewLogsBuilder(cfg.LogsBuilderConfig, set),
		filter: chosen,
		now:    time.Now,
		ends:   make(map[string]foreseen),
		loops:  newLoops(cfg.RestartLoop),
		images: newImageHistory(cfg.MaxContainers),
	}, nil
}

// observe notes a container of which nothing is told.
func (l *lifecycle) observe(c *docker.Container) { l.images.learn(c.Name, c) }

// happening is an event on its way to becoming a record.
type happening struct {
	*docker.Event
	at pcommon.Timestamp
	// common are the attributes that all events may have.
	common []eventOption
}

// story is what a record says besides its attributes.
type story struct {
	severity plog.SeverityNumber
	body     string
}

// tell returns the records of an event, none if nobody wants them.
func (l *lifecycle) tell(ctx context.Context, e *docker.Event, endpoint string) plog.Logs {
	told := plog.NewLogs()
	h := happening{Event: e, at: pcommon.NewTimestampFromTime(e.Time)}
	if e.Action == docker.ActionLost {
		l.ends = make(map[string]foreseen) // some may be over
		l.add(told, l.engineResource(endpoint), l.lost(ctx, h))
		return told
	}
	c := e.Container
	if e.Action == docker.ActionRename {
		l.loops.rename(e.OldName, c.Name)
		l.images.learn(e.OldName, c)
	}
	before, changed := l.images.learn(c.Name, c)
	if !l.filter.wants(c) {
		return told
	}
	if e.Synthetic {
		h.common = []eventOption{metadata.WithContainerEventConcludedEventAttribute(true)}
	}
	resource := l.containerResource(c)
	l.add(told, resource, l.record(ctx, h))
	if changed {
		h.at++ // stores order by time, and this follows from that
		l.add(told, resource, l.imageChange(ctx, h, before))
	}
	if e.Action == docker.ActionStart && l.loops.start(c.Name, c.ID, e.Time) {
		h.at++
		l.add(told, resource, l.restartLoop(ctx, h))
	}
	return told
}

// add puts what the builder holds at the end of told, with its story.
func (l *lifecycle) add(told plog.Logs, resource pcommon.Resource, s story) {
	logs := l.lb.Emit(metadata.WithLogsResource(resource))
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(l.now()))
				lr.SetSeverityNumber(s.severity)
				lr.SetSeverityText(strings.ToUpper(s.severity.String()))
				lr.Body().SetStr(s.body)
				lr.Attributes().PutStr(eventName, lr.EventName())
			}
		}
	}
	logs.ResourceLogs().MoveAndAppendTo(told.ResourceLogs())
}

func (l *lifecycle) containerResource(c *docker.Container) pcommon.Resource {
	rb := l.lb.NewResourceBuilder()
	rb.SetServiceName(serviceEngine)
	setContainer(rb, c)
	resource := rb.Emit()
	putLabels(resource, c, l.cfg.Labels)
	return resource
}

func (l *lifecycle) engineResource(endpoint string) pcommon.Resource {
	rb := l.lb.NewResourceBuilder()
	rb.SetServiceName(serviceEngine)
	rb.SetDockerEndpoint(endpoint)
	return rb.Emit()
}

// record hands an event to the builder. Some actions only foretell another.
func (l *lifecycle) record(ctx context.Context, h happening) story {
	switch h.Action {
	case docker.ActionCreate:
		return l.create(ctx, h)
	case docker.ActionStart:
		return l.start(ctx, h)
	case docker.ActionKill:
		l.kill(h)
	case docker.ActionDie:
		return l.die(ctx, h)
	case docker.ActionOOM:
		return l.oom(ctx, h)
	case docker.ActionHealth:
		return l.health(ctx, h)
	case docker.ActionRename:
		l.lb.RecordContainerRenameEvent(ctx, h.at, h.OldName, h.common...)
		return info("Container %q was renamed to %q.", h.OldName, h.Container.Name)
	case docker.ActionPause:
		l.lb.RecordContainerPauseEvent(ctx, h.at, h.common...)
		return info("Container %q was paused.", h.Container.Name)
	case docker.ActionUnpause:
		l.lb.RecordContainerUnpauseEvent(ctx, h.at, h.common...)
		return info("Container %q goes on after a pause.", h.Container.Name)
	case docker.ActionDestroy:
		delete(l.ends, h.Container.ID)
		l.lb.RecordContainerDestroyEvent(ctx, h.at, h.common...)
		return info("Container %q was removed.", h.Container.Name)
	}
	return story{}
}

func info(format string, args ...any) story {
	return story{plog.SeverityNumberInfo, fmt.Sprintf(format, args...)}
}

func (l *lifecycle) create(ctx context.Context, h happening) story {
	options := h.common
	if id := h.Container.Image.ID; id != "" {
		options = append(options, metadata.WithContainerImageIDEventAttribute(id))
	}
	l.lb.RecordContainerCreateEvent(ctx, h.at, options...)
	return info("Container %q was created from image %s.", h.Container.Name, h.Container.Image.Ref)
}

func (l *lifecycle) start(ctx context.Context, h happening) story {
	delete(l.ends, h.Container.ID)
	restarts := h.Container.RestartCount
	if h.Container.Partial || restarts == 0 {
		l.lb.RecordContainerStartEvent(ctx, h.at, h.common...)
		return info("Container %q was started.", h.Container.Name)
	}
	l.lb.RecordContainerStartEvent(ctx, h.at, append(h.common, metadata.WithContainerRestartCountEventAttribute(int64(restarts)))...)
	return info("Container %q was started again by its restart policy (restart %d).", h.Container.Name, restarts)
}

func (l *lifecycle) kill(h happening) {
	if signal := stopSignal(h.Signal); signal != "" {
		l.ends[h.Container.ID] = foreseen{signal: signal, oom: l.ends[h.Container.ID].oom}
	}
}

func (l *lifecycle) oom(ctx context.Context, h happening) story {
	l.ends[h.Container.ID] = foreseen{signal: l.ends[h.Container.ID].signal, oom: true}
	limit, size := h.Container.Limits.Memory, "none"
	options := h.common
	if limit > 0 {
		options = append(options, metadata.WithContainerLimitMemoryEventAttribute(limit))
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	l.lb.RecordContainerOomEvent(ctx, h.at, options...)
	return story{plog.SeverityNumberError, fmt.Sprintf("Container %q ran out of memory (limit: %s).", h.Container.Name, size)}
}

func (l *lifecycle) die(ctx context.Context, h happening) story {
	c := h.Container
	before := l.ends[c.ID]
	delete(l.ends, c.ID)
	l.loops.end(c.Name, h.ExitCode != nil && *h.ExitCode == 0)

	s := story{severity: plog.SeverityNumberWarn, body: fmt.Sprintf("Container %q ended", c.Name)}
	options := h.common
	if h.ExitCode != nil {
		options = append(options, metadata.WithContainerExitCodeEventAttribute(int64(*h.ExitCode)))
		s.body += fmt.Sprintf(" with exit code %d", *h.ExitCode)
	}
	if ran := runDuration(c); ran > 0 {
		options = append(options, metadata.WithContainerRunDurationEventAttribute(ran.Seconds()))
		s.body += fmt.Sprintf(" after %s", ran.Round(time.Second))
	}
	if before.signal != "" {
		options = append(options, metadata.WithContainerExitSignalEventAttribute(before.signal))
	}
	oom := before.oom || c.OOMKilled
	switch {
	case oom:
		s.severity = plog.SeverityNumberError
		s.body += ": it ran out of memory"
	case before.signal != "":
		s.body += ": it was sent " + before.signal
		if h.ExitCode != nil && *h.ExitCode == 0 {
			s.severity = plog.SeverityNumberInfo
		}
	case h.ExitCode != nil && *h.ExitCode == 0:
		s.severity = plog.SeverityNumberInfo
	case h.ExitCode != nil:
		s.severity = plog.SeverityNumberError
	}
	s.body += "."
	l.lb.RecordContainerDieEvent(ctx, h.at, oom, options...)
	return s
}

// runDuration is how long the last run took, 0 if that is not known: a container may run
// again by the time that its end is told.
func runDuration(c *docker.Container) time.Duration {
	if c.Started.IsZero() || c.Finished.IsZero() {
		return 0
	}
	return c.Finished.Sub(c.Started)
}

func (l *lifecycle) health(ctx context.Context, h happening) story {
	health, ok := metadata.MapAttributeContainerHealth[string(h.Health)]
	if !ok {
		return story{}
	}
	l.lb.RecordContainerHealthChangeEvent(ctx, h.at, health, h.common...)
	s := info("The health check of container %q says: %s.", h.Container.Name, h.Health)
	if h.Health == docker.HealthUnhealthy {
		s.severity = plog.SeverityNumberWarn
	}
	return s
}

func (l *lifecycle) imageChange(ctx context.Context, h happening, before docker.Image) story {
	var options []eventOption
	if before.ID != "" {
		options = append(options, metadata.WithContainerImageIDPreviousEventAttribute(before.ID))
	}
	if id := h.Container.Image.ID; id != "" {
		options = append(options, metadata.WithContainerImageIDEventAttribute(id))
	}
	l.lb.RecordContainerImageChangeEvent(ctx, h.at, before.Ref, options...)
	if before.Ref == h.Container.Image.Ref {
		return info("Container %q has another image of the name %s.", h.Container.Name, before.Ref)
	}
	return info("Container %q has the image %s instead of %s.", h.Container.Name, h.Container.Image.Ref, before.Ref)
}

func (l *lifecycle) restartLoop(ctx context.Context, h happening) story {
	loop := l.cfg.RestartLoop
	l.lb.RecordContainerRestartLoopEvent(ctx, h.at, int64(loop.Count), loop.Window.Seconds())
	return story{plog.SeverityNumberError, fmt.Sprintf("Container %q is in a restart loop: it was started %d times within %s.", h.Container.Name, loop.Count, loop.Window)}
}

func (l *lifecycle) lost(ctx context.Context, h happening) story {
	h.at = pcommon.NewTimestampFromTime(l.now())
	l.lb.RecordDockerEventsLostEvent(ctx, h.at, int64(h.Lost))
	return story{plog.SeverityNumberWarn, fmt.Sprintf("%d events of Docker were missed: more happened at once than the logs pipeline could take.", h.Lost)}
}

package nvmlreceiver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// eventLog turns what happens into log records and sends them on at once.
type eventLog struct {
	mu   sync.Mutex
	lb   *metadata.LogsBuilder
	now  func() time.Time
	send func(context.Context, plog.Logs)
}

func newEventLog(cfg *Config, set receiver.Settings, send func(context.Context, plog.Logs)) *eventLog {
	return &eventLog{lb: metadata.NewLogsBuilder(cfg.LogsBuilderConfig, set), now: time.Now, send: send}
}

// write records one event of a GPU, or of the driver where id is nil.
func (l *eventLog) write(ctx context.Context, id *identity, severity plog.SeverityNumber, body string, record func(*metadata.LogsBuilder, pcommon.Timestamp)) {
	l.mu.Lock()
	record(l.lb, pcommon.NewTimestampFromTime(l.now()))
	resource := pcommon.NewResource()
	if id != nil {
		resource = id.resource(l.lb.NewResourceBuilder())
	}
	resource.Attributes().PutStr("service.name", "nvml")
	logs := l.lb.Emit(metadata.WithLogsResource(resource))
	l.mu.Unlock()
	if logs.LogRecordCount() == 0 { // switched off
		return
	}
	lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	lr.SetSeverityNumber(severity)
	lr.SetSeverityText(severityTexts[severity])
	lr.Body().SetStr(id.prefix() + body)
	lr.SetObservedTimestamp(lr.Timestamp())
	// For backends that do not know the name of an event.
	lr.Attributes().PutStr("event.name", lr.EventName())
	l.send(ctx, logs)
}

var severityTexts = map[plog.SeverityNumber]string{
	plog.SeverityNumberInfo:  "INFO",
	plog.SeverityNumberWarn:  "WARN",
	plog.SeverityNumberError: "ERROR",
	plog.SeverityNumberFatal: "FATAL",
}

var xidSeverities = map[xidSeverity]plog.SeverityNumber{
	xidApp:      plog.SeverityNumberWarn,
	xidUnknown:  plog.SeverityNumberWarn,
	xidDegraded: plog.SeverityNumberError,
	xidFatal:    plog.SeverityNumberFatal,
}

func (l *eventLog) xid(ctx context.Context, id *identity, code uint64, x xid) {
	l.write(ctx, id, xidSeverities[x.severity], fmt.Sprintf("XID %d: %s", code, x.hint), func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
		lb.RecordHwGpuXidEvent(ctx, now, asInt64(code), x.severity, x.hint)
	})
}

// driverEvents are what the driver reports beside XID errors.
var driverEvents = map[nvml.EventType]struct {
	kind     metadata.AttributeHwGpuEventKind
	severity plog.SeverityNumber
	hint     string
}{
	nvml.EventDoubleBitECC: {
		metadata.AttributeHwGpuEventKindDoubleBitEcc, plog.SeverityNumberError,
		"Memory has an error that ECC could not correct. An XID error says more.",
	},
	nvml.EventGPUUnavailable: {
		metadata.AttributeHwGpuEventKindGpuUnavailable, plog.SeverityNumberFatal,
		"The GPU can no longer be used. An XID error says more.",
	},
	nvml.EventRecoveryAction: {
		metadata.AttributeHwGpuEventKindRecoveryAction, plog.SeverityNumberWarn,
		"What must be done to the GPU has changed: see its recovery action.",
	},
}

func (l *eventLog) driverEvent(ctx context.Context, id *identity, typ nvml.EventType) {
	if e, ok := driverEvents[typ]; ok {
		l.write(ctx, id, e.severity, e.hint, func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
			lb.RecordHwGpuDriverEventEvent(ctx, now, e.kind, e.hint)
		})
	}
}

func (l *eventLog) lost(ctx context.Context, id *identity, err error) {
	l.write(ctx, id, plog.SeverityNumberError, "The GPU can no longer be read.", func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
		lb.RecordHwGpuLostEvent(ctx, now, reasonOf(err), hintFor(err))
	})
}

func (l *eventLog) returned(ctx context.Context, id *identity) {
	l.write(ctx, id, plog.SeverityNumberInfo, "The GPU can be read again.", func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
		lb.RecordHwGpuReturnedEvent(ctx, now)
	})
}

func (l *eventLog) recovery(ctx context.Context, id *identity, from, to recoveryAction) {
	severity := plog.SeverityNumberError
	if to == actionNone {
		severity = plog.SeverityNumberInfo
	}
	body := "What must be done to the GPU has changed: " + to.String() + "."
	l.write(ctx, id, severity, body, func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
		lb.RecordHwGpuRecoveryActionChangedEvent(ctx, now, to, from.String())
	})
}

func (l *eventLog) throttle(ctx context.Context, id *identity, reason throttleReason, started bool) {
	severity := plog.SeverityNumberWarn
	if reason == metadata.AttributeHwGpuClockEventReasonSwPowerCap || !started {
		severity = plog.SeverityNumberInfo // the power limit is met by every GPU that works hard
	}
	body := "Something no longer holds the clocks down: " + reason.String() + "."
	if started {
		body = "Something began to hold the clocks down: " + reason.String() + "."
	}
	l.write(ctx, id, severity, body, func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
		if started {
			lb.RecordHwGpuThrottleStartedEvent(ctx, now, reason)
		} else {
			lb.RecordHwGpuThrottleEndedEvent(ctx, now, reason)
		}
	})
}

// driver notes that the connection to the driver changed.
func (l *eventLog) driver(ctx context.Context, state driverState, err error) {
	switch state {
	case driverReady, driverNoDevices:
		l.write(ctx, nil, plog.SeverityNumberInfo, "The NVIDIA driver answers.", func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
			lb.RecordNvmlAvailableEvent(ctx, now)
		})
	case driverReleased:
		l.write(ctx, nil, plog.SeverityNumberInfo, "The NVIDIA driver was let go of.", func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
			lb.RecordNvmlReleasedEvent(ctx, now)
		})
	default:
		severity, body := plog.SeverityNumberError, "The NVIDIA driver does not answer."
		if absent(err) {
			severity, body = plog.SeverityNumberInfo, noDriver
		}
		l.write(ctx, nil, severity, body, func(lb *metadata.LogsBuilder, now pcommon.Timestamp) {
			lb.RecordNvmlUnavailableEvent(ctx, now, reasonOf(err), hintFor(err))
		})
	}
}

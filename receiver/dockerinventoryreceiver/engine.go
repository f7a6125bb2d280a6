package dockerinventoryreceiver

import (
	"context"
	"errors"
	"io/fs"
	"net"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

// Why an engine does not answer: the values of error.type.
const (
	reasonPermission = "permission_denied"
	reasonUnreached  = "unreachable"
	reasonTimeout    = "timeout"
	reasonForbidden  = "forbidden"
	reasonRejected   = "rejected"
	reasonServer     = "server_error"
	reasonOther      = "connection_error"
)

// hints say what to do about a reason.
var hints = map[string]string{
	reasonPermission: "The user of the collector may not use the socket. Add it to the socket's group, or point `endpoint` at a socket proxy.",
	reasonUnreached:  "Nothing answers. Start Docker, or set `endpoint` to where it listens.",
	reasonTimeout:    "The engine did not answer in time: it hangs, or is merely slow; then raise `timeout`.",
	reasonForbidden:  "A proxy refuses. It must allow GET of `/containers`, `/events`, `/version` and `/_ping`.",
	reasonRejected:   "The engine does not understand the request. It may be older than API 1.24, or `endpoint` is no Docker engine.",
	reasonServer:     "The engine has a problem of its own. See its log.",
	reasonOther:      "The connection broke. The engine may be restarting.",
}

// reasonOf names an error in a word of low cardinality.
func reasonOf(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, fs.ErrPermission):
		return reasonPermission
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return reasonTimeout
	case client.IsErrConnectionFailed(err):
		return reasonUnreached
	case cerrdefs.IsPermissionDenied(err), cerrdefs.IsUnauthorized(err):
		return reasonForbidden
	case cerrdefs.IsInvalidArgument(err), cerrdefs.IsNotFound(err), cerrdefs.IsNotImplemented(err):
		return reasonRejected
	case cerrdefs.IsInternal(err), cerrdefs.IsUnavailable(err), cerrdefs.IsUnknown(err):
		return reasonServer
	default:
		return reasonOther
	}
}

// recordEngine records whether the engine answers, and how watching it goes.
// reasons holds the reasons so far: they go to 0 instead of vanishing.
func recordEngine(mb *metadata.MetricsBuilder, state docker.ConnectionState, stats docker.Stats, reasons map[string]bool, now pcommon.Timestamp) {
	mb.RecordDockerUpDataPoint(now, number01(state.Connected))
	reason := ""
	if !state.Connected {
		reason = reasonOf(state.Err)
		reasons[reason] = true
	}
	for earlier := range reasons {
		mb.RecordDockerErrorDataPoint(now, number01(earlier == reason), earlier)
	}
	if state.Connected {
		mb.RecordDockerContainersDataPoint(now, int64(stats.Containers+stats.Refused))
		mb.RecordDockerWatchRefusedDataPoint(now, int64(stats.Refused))
	}
	mb.RecordDockerWatchEventsDataPoint(now, int64(stats.Events))
	mb.RecordDockerWatchEventsConcludedDataPoint(now, int64(stats.Synthetic))
	mb.RecordDockerWatchEventsLostDataPoint(now, int64(stats.Dropped))
	mb.RecordDockerWatchInspectErrorsDataPoint(now, int64(stats.InspectErrors))
	mb.RecordDockerWatchReconnectsDataPoint(now, int64(stats.Reconnects))
}

package langfusereceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

type builder = metadata.MetricsBuilder

// recordHealth records what the health check said last; nothing before the first.
func recordHealth(mb *builder, h health, now pcommon.Timestamp) {
	if !h.known {
		return
	}
	mb.RecordLangfuseUpDataPoint(now, number01(h.up))
	if h.version != "" {
		mb.RecordLangfuseInfoDataPoint(now, 1, h.version)
	}
}

var apis = map[apiName]metadata.AttributeLangfuseAPI{
	apiV2: metadata.AttributeLangfuseAPIV2, apiV1: metadata.AttributeLangfuseAPIV1, apiDaily: metadata.AttributeLangfuseAPIDaily,
}

// recordReport records what the worker has read. at is the time at the server.
func recordReport(mb *builder, r *report, delay time.Duration, at time.Time, now pcommon.Timestamp) {
	if r.state.API != "" {
		for api, attribute := range apis {
			mb.RecordLangfuseAPIDataPoint(now, number01(api == r.state.API), attribute)
		}
	}
	if left := r.budget; left.perDay > 0 {
		left.refill(at)
		mb.RecordLangfuseQueriesRemainingDataPoint(now, int64(left.remaining()))
	}
	behind := time.Duration(0)
	hidden := make(map[family]bool)
	for _, v := range r.views {
		c, ok := r.state.Cursors[v.name]
		if !ok {
			continue
		}
		behind = max(behind, r.state.behind(v.view, at.Add(-delay).Truncate(v.length)))
		if c.End.Before(c.Backlog) {
			for _, f := range v.families {
				hidden[f] = true
			}
		}
		if v.read == nil { // daily figures, which are as of when they were read
			c = r.state.Cursors[viewDaily]
		}
		if c.From.IsZero() {
			continue
		}
		mb.RecordLangfuseWindowEndDataPoint(now, seconds(c.End), v.name)
		mb.RecordLangfuseWindowDurationDataPoint(now, c.End.Sub(c.From).Seconds(), v.name)
		mb.RecordLangfuseRowsTruncatedDataPoint(now, number01(c.Truncated), v.name)
		if at.Sub(c.End) <= 2*v.length+delay { // else they are old, and the next window is late
			for k, value := range c.Values {
				recordValue(mb, k, value, now)
			}
		}
	}
	if len(r.state.Cursors) > 0 {
		mb.RecordLangfuseBacklogRemainingDataPoint(now, behind.Seconds())
	}
	for k, value := range r.state.Totals {
		if !hidden[k.family] {
			recordSum(mb, k, value, now)
		}
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

package litellmreceiver

import (
	"strings"

	prom "github.com/prometheus/common/model"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// LiteLLM shows the services that it uses, with service_callback
// prometheus_system, in families that are called like them: which there are
// changes with every release.
var (
	serviceNumbers = []struct {
		suffix string
		number number
	}{
		{"_total_requests", number{metric: "litellm.service.requests", fixed: attrService, impersonal: true, record: count((*builder).RecordLitellmServiceRequestsDataPoint)}},
		{"_failed_requests", number{metric: "litellm.service.failures", fixed: attrService, labels: []label{{"error_class", attrErrorType}}, impersonal: true, record: count((*builder).RecordLitellmServiceFailuresDataPoint)}},
		{"_queue_size", number{metric: "litellm.service.queue.size", fixed: attrService, impersonal: true, gauge: true, combine: promtext.CombineSum, record: count((*builder).RecordLitellmServiceQueueSizeDataPoint)}},
		{"_lock_manager_size", number{metric: "litellm.service.lock.held", fixed: attrService, impersonal: true, gauge: true, combine: promtext.CombineSum, record: count((*builder).RecordLitellmServiceLockHeldDataPoint)}},
	}
	serviceHistogram = histogram{
		metric: "litellm.service.duration", enabled: true, unit: "s", fixed: attrService, impersonal: true,
		description: "Time that calls of a service took: redis, postgres, router, auth, ...",
	}
)

const serviceLatency = "_latency"

// Tables to find families by.
var (
	numberOf = func() map[string]*number {
		m := make(map[string]*number)
		for i := range numbers {
			for _, source := range numbers[i].sources {
				m[source] = &numbers[i]
			}
		}
		return m
	}()
	histogramOf = func() map[string]*histogram {
		m := make(map[string]*histogram)
		for i := range histograms {
			for _, source := range histograms[i].sources {
				m[source] = &histograms[i]
			}
		}
		return m
	}()
)

// serviceNumberOf returns the number that a family called like a service is, and the
// service.
func serviceNumberOf(name string) (*number, string) {
	for i := range serviceNumbers {
		if of, ok := strings.CutSuffix(name, serviceNumbers[i].suffix); ok && of != "" {
			switch serviceNumbers[i].suffix {
			case "_queue_size", "_lock_manager_size":
				of = strings.TrimSuffix(name, "_size")
			}
			return &serviceNumbers[i].number, of
		}
	}
	return nil, ""
}

// serviceHistogramOf is the same for histograms.
func serviceHistogramOf(name string, typ prom.MetricType) (*histogram, string) {
	if of, ok := strings.CutSuffix(name, serviceLatency); ok && of != "" && typ == prom.MetricTypeHistogram {
		return &serviceHistogram, of
	}
	return nil, ""
}

// leftOut says whether a family is known and says nothing that an operator needs, or
// nothing that another one does not.
func leftOut(name string) bool {
	return omitted[name] || strings.HasPrefix(name, "managed_") || strings.HasPrefix(name, "check_batch_cost_") ||
		strings.HasPrefix(name, "scheduled_job_")
}

var omitted = map[string]bool{
	"cronjob_lock_acquisitions":               true, // which pod does the housekeeping
	"db_pool_connections_open":                true, // busy and idle tell
	"deployment_failure_by_tag_responses":     true, // deployment_failure_responses once more, for each tag
	"overhead_with_guardrails_latency_metric": true, // the overhead and the guardrails tell
	"team_members_metric":                     true, // an inventory of teams, not traffic
}

// reduction says which labels of a family stay while the page is read: those that a
// table here wants. Of an unknown family only its being there is of interest.
func (l *labeler) reduction(name string, typ prom.MetricType) *promtext.Reduction {
	bare, ok := bareName(name, typ)
	if !ok {
		return nil
	}
	n := numberOf[bare]
	h := histogramOf[bare]
	if n == nil && h == nil {
		n, _ = serviceNumberOf(bare)
	}
	if n == nil && h == nil {
		h, _ = serviceHistogramOf(bare, typ)
	}
	r := &promtext.Reduction{Absent: absent}
	switch {
	case n != nil:
		r.Keep, r.Gauges = l.keep(n.labels, !n.impersonal), n.combine
		if n.limited {
			r.Drop = noLimit
		}
	case h != nil:
		r.Keep = l.keep(h.labels, !h.impersonal)
	}
	return r
}

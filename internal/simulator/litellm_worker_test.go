package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// served is a request that one worker has.
func served(worker int) LiteLLMRequest {
	return LiteLLMRequest{Worker: worker, Model: "sim-8b", Attempts: []LiteLLMAttempt{{}}, Total: time.Second}
}

// TestLiteLLMWorkers: without a shared directory each scrape shows another process.
func TestLiteLLMWorkers(t *testing.T) {
	c := newClock()
	l := NewLiteLLM(LiteLLMConfig{Workers: 2, Now: c.now})
	for range 3 {
		l.Finish(served(1))
	}
	first, second := parse(t, l.Page()), parse(t, l.Page())
	assert.Empty(t, total(t, l.Page(), "litellm_proxy_total_requests_metric_total", ""))
	assert.Equal(t, 3.0, total(t, l.Page(), "litellm_proxy_total_requests_metric_total", ""))
	assert.NotEqual(t, first.value(t, "process_start_time_seconds"), second.value(t, "process_start_time_seconds"))

	c.t = c.t.Add(time.Hour)
	l.RestartWorker(1)
	assert.Zero(t, total(t, l.Page(), "litellm_proxy_total_requests_metric_total", ""))
	again := l.Page()
	assert.Zero(t, total(t, again, "litellm_proxy_total_requests_metric_total", ""), "it counts anew")
	assert.Equal(t, unix(c.t), parse(t, again).value(t, "process_start_time_seconds"))
}

// TestLiteLLMTogether: with a shared directory the page is that of all processes.
func TestLiteLLMTogether(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{Workers: 2, MultiProcess: true})
	for worker := range 2 {
		l.Finish(served(worker))
	}
	l.SetInFlight(3)
	l.SetState(0, 1)
	page := string(l.Page())
	assert.Contains(t, page, "\nlitellm_in_flight_requests 6.0\n", "the sum of those that live")
	for _, pid := range []string{"7", "8"} {
		assert.Regexp(t, `(?m)^litellm_deployment_state\{.*pid="`+pid+`".*\} 1.0$`, page)
	}
	assert.Regexp(t, `(?m)^litellm_proxy_total_requests_metric_total\{.*\} 2.0$`, page)
	assert.Regexp(t, `(?m)^litellm_request_total_latency_metric_count\{.*\} 2.0$`, page)
	assert.Regexp(t, `(?m)^litellm_request_total_latency_metric_bucket\{.*le="\+Inf".*\} 2.0$`, page)
	assert.Contains(t, page, "# HELP litellm_in_flight_requests Multiprocess metric\n")
	for _, absent := range []string{"process_start_time_seconds", "python_info", "_created", "litellm_guardrail_latency_seconds"} {
		assert.NotContains(t, page, absent)
	}
}

// TestLiteLLMGone: the files of a process that is no more keep what it counted, and in old versions its gauges.
func TestLiteLLMGone(t *testing.T) {
	for _, version := range []LiteLLMVersion{LiteLLM1_80_15, LiteLLM1_82_0} {
		l := NewLiteLLM(LiteLLMConfig{Workers: 2, MultiProcess: true, Version: version})
		l.Finish(served(0))
		l.SetInFlight(1)
		l.RestartWorker(0)
		l.Finish(served(0))
		page := string(l.Page())
		assert.Regexp(t, `(?m)^litellm_proxy_total_requests_metric_total\{.*\} 2.0$`, page, version)
		assert.Equal(t, version == LiteLLM1_80_15, strings.Contains(page, `pid="7"`), version)
		assert.Contains(t, page, `pid="9"`, version)
		if version == LiteLLM1_82_0 {
			assert.Contains(t, page, "\nlitellm_in_flight_requests 1.0\n", "the one that lives has one")
		}
		l.Restart()
		assert.NotContains(t, string(l.Page()), "litellm_proxy_total_requests_metric_total{", version)
	}
}

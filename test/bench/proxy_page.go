//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// models is how many the proxy has.
const models = 12

// proxyFamily is a metric of LiteLLM with the labels that the proxy gives it, in the order of Python's client.
type proxyFamily struct {
	name   string
	bounds []string // of a histogram, nil for a counter
	labels []string
}

// latencyBounds are the 18 of LiteLLM since 1.83.7, roughly: what costs is their number.
var latencyBounds = []string{
	"0.005", "0.0125", "0.025", "0.05", "0.1", "0.5", "1.0", "2.0", "3.0", "5.0", "7.5", "10.0", "15.0", "30.0", "60.0", "120.0", "300.0", "+Inf",
}

// proxyFamilies are those that have a series for each key in the capture of 2026-05.
var proxyFamilies = func() []proxyFamily {
	client := strings.Fields("api_key_alias client_ip end_user hashed_api_key model_id requested_model route status_code team team_alias user user_agent user_email")
	call := strings.Fields("api_key_alias client_ip end_user hashed_api_key model model_id team team_alias user user_agent user_email")
	tokens := strings.Fields("api_key_alias end_user hashed_api_key model model_id requested_model team team_alias user user_email")
	latency := strings.Fields("api_key_alias end_user hashed_api_key model model_id requested_model team team_alias user")
	deployment := strings.Fields("api_base api_key_alias api_provider client_ip hashed_api_key litellm_model_name model_id requested_model team team_alias user_agent")
	overhead := strings.Fields("api_base api_key_alias api_provider hashed_api_key litellm_model_name model_group model_id")
	perToken := strings.Fields("api_base api_key_alias api_provider hashed_api_key litellm_model_name model_id team team_alias")
	return []proxyFamily{
		{"litellm_proxy_total_requests_metric_total", nil, client},
		{"litellm_request_total_latency_metric", latencyBounds, latency},
		{"litellm_llm_api_latency_metric", latencyBounds, latency},
		{"litellm_spend_metric_total", nil, call},
		{"litellm_total_tokens_metric_total", nil, tokens},
		{"litellm_input_tokens_metric_total", nil, tokens},
		{"litellm_output_tokens_metric_total", nil, tokens},
		{"litellm_overhead_latency_metric", latencyBounds, overhead},
		{"litellm_request_queue_time_seconds", latencyBounds, latency},
		{"litellm_deployment_success_responses_total", nil, deployment},
		{"litellm_deployment_total_requests_total", nil, deployment},
		{"litellm_deployment_latency_per_output_token", latencyBounds, perToken},
		{"litellm_requests_metric_total", nil, call},
	}
}()

// proxyValue is the value of a label for a key: as many teams, users and models as a company may have, and of each key its own
// clients.
func proxyValue(label string, key int) string {
	switch model := key % models; label {
	case "api_base":
		return fmt.Sprintf("http://vllm-%d.models.svc.cluster.local:8000/v1", model)
	case "api_key_alias":
		return fmt.Sprintf("team-%d-service-%d-production", key%40, key)
	case "api_provider":
		return "hosted_vllm"
	case "client_ip":
		return fmt.Sprintf("10.20.%d.%d", key/250, key%250)
	case "end_user":
		return fmt.Sprintf("customer-%d@tenant-%d.example.org", key%500, key%40)
	case "hashed_api_key":
		return simulator.DockerID(fmt.Sprint("key-", key)) // as long as a hash
	case "litellm_model_name", "model":
		return fmt.Sprintf("example-org/Large-Language-Model-%d-Instruct-2507-FP8", model)
	case "model_group", "requested_model":
		return fmt.Sprintf("large-model-%d", model)
	case "model_id":
		return simulator.DockerID(fmt.Sprint("model-", model))
	case "route":
		return "/v1/chat/completions"
	case "status_code":
		return "200"
	case "team":
		return fmt.Sprintf("5f3c9a54-7e8b-4d1c-9a51-%012d", key%40)
	case "team_alias":
		return fmt.Sprintf("team-%d", key%40)
	case "user":
		return fmt.Sprintf("3d1e6c70-58aa-4b6e-8f0c-%012d", key%200)
	case "user_agent":
		return fmt.Sprintf("OpenAI/Python 1.%d.0", key%90)
	}
	return "None"
}

// linesPerKey is how many lines of the page each key has.
func linesPerKey() int {
	lines := 0
	for _, f := range proxyFamilies {
		lines += 2 // a counter, or of a histogram the count, and the start time
		if f.bounds != nil {
			lines += len(f.bounds) + 1
		}
	}
	return lines
}

// appendProxyPage appends the page that a proxy with that many keys shows on its read-th read; counters rise from one to the
// next.
func appendProxyPage(page []byte, keys, read int) []byte {
	for _, f := range proxyFamilies {
		typ := "counter"
		if f.bounds != nil {
			typ = "histogram"
		}
		page = fmt.Appendf(page, "# HELP %s What LiteLLM counts.\n# TYPE %s %s\n", f.name, f.name, typ)
		for key := range keys {
			count := (1000 + 10*read) * (1 + key%7)
			before, after := f.block(key)
			line := func(suffix, le string, value float64) {
				page = append(append(append(page, f.name...), suffix...), '{')
				page = append(append(append(page, before...), le...), after...)
				page = append(page, "} "...)
				page = append(appendPython(page, value), '\n')
			}
			if f.bounds == nil {
				line("", "", float64(count))
				continue
			}
			for i, bound := range f.bounds {
				line("_bucket", `,le="`+bound+`"`, float64(count*(i+1)/len(f.bounds)))
			}
			line("_count", "", float64(count))
			line("_sum", "", float64(count)*1.28125)
		}
		created := strings.TrimSuffix(f.name, "_total") + "_created"
		page = fmt.Appendf(page, "# HELP %s What LiteLLM counts.\n# TYPE %s gauge\n", created, created)
		for key := range keys {
			before, after := f.block(key)
			page = fmt.Appendf(page, "%s{%s%s} 1.78505%010de+09\n", created, before, after, key*7919)
		}
	}
	return page
}

// block returns the labels of a key that come before le, and those after it.
func (f *proxyFamily) block(key int) (before, after string) {
	var parts []string
	for _, label := range f.labels {
		parts = append(parts, label+"="+strconv.Quote(proxyValue(label, key)))
	}
	le, _ := slices.BinarySearch(f.labels, "le")
	return strings.Join(parts[:le], ","), "," + strings.Join(parts[le:], ",")
}

// appendPython appends a number as Python writes it.
func appendPython(page []byte, value float64) []byte {
	page = strconv.AppendFloat(page, value, 'f', -1, 64)
	if value == math.Trunc(value) {
		page = append(page, ".0"...)
	}
	return page
}

//go:build linux

package main

import (
	"strings"
	"time"
)

// receiverKind is one of the receivers, or groups of them, that are compared.
type receiverKind string

const (
	kindVLLM receiverKind = "vllm"
	// kindPrometheus takes the page as it is.
	kindPrometheus receiverKind = "prometheus"
	// kindPrometheusDrop is configured as by a user who wants vLLM's series only.
	kindPrometheusDrop receiverKind = "prometheus-drop"

	kindLiteLLM receiverKind = "litellm"
	// kindPrometheusLabels drops the labels that the LiteLLM receiver drops.
	kindPrometheusLabels receiverKind = "prometheus-labeldrop"

	// kindSite is the synthetic site without who reads it, kindSynthetic with them.
	kindSite      receiverKind = "site"
	kindSynthetic receiverKind = "synthetic"

	// kindIdle reads nothing.
	kindIdle receiverKind = "idle"
	// kindInventory watches the engine, for metrics and logs.
	kindInventory receiverKind = "inventory"
	// kindStats is contrib's receiver.
	kindStats receiverKind = "stats"
	// kindStatsAttributes has the processor behind it, with a watch of its own.
	kindStatsAttributes receiverKind = "stats+attributes"
	// kindDocker is as in the shipped configuration: receiver and processor share one watch.
	kindDocker receiverKind = "inventory+stats+attributes"
)

var (
	receiverKinds = []receiverKind{kindVLLM, kindPrometheus, kindPrometheusDrop}
	dockerKinds   = []receiverKind{kindIdle, kindInventory, kindStats, kindStatsAttributes, kindDocker}
	proxyKinds    = []receiverKind{kindIdle, kindLiteLLM, kindPrometheusLabels}
	siteKinds     = []receiverKind{kindIdle, kindSite, kindSynthetic}

	kindsOf = map[string][]receiverKind{whatVLLM: receiverKinds, whatDocker: dockerKinds, whatLiteLLM: proxyKinds, whatSynthetic: siteKinds}
)

const scrapeTimeout = 5 * time.Second

// pagesSetup reads vLLM's pages.
func pagesSetup(kind receiverKind, endpoints []string, interval time.Duration) setup {
	name, settings := receiverConfig(kind, endpoints, interval)
	return setup{receivers: object{name: settings}}
}

func receiverConfig(kind receiverKind, endpoints []string, interval time.Duration) (name string, settings object) {
	if kind == kindVLLM {
		return "vllm", object{
			"collection_interval": interval.String(),
			"timeout":             scrapeTimeout.String(),
			"endpoints":           endpoints,
		}
	}
	targets := make([]string, len(endpoints))
	for i, endpoint := range endpoints {
		targets[i] = strings.TrimPrefix(endpoint, "http://")
	}
	job := object{
		"job_name":        "vllm",
		"scrape_interval": interval.String(),
		"scrape_timeout":  min(interval, scrapeTimeout).String(), // Prometheus refuses more
		"static_configs":  []object{{"targets": targets}},
	}
	if kind == kindPrometheusDrop {
		job["metric_relabel_configs"] = []object{{
			"source_labels": []string{"__name__"}, "regex": "(python|process)_.*", "action": "drop",
		}}
	}
	return "prometheus", object{"config": object{"scrape_configs": []object{job}}}
}

// droppedLabels are those of a proxy's page that the LiteLLM receiver does not keep unless asked to.
var droppedLabels = []string{
	"api_key_alias", "client_ip", "end_user", "hashed_api_key", "route", "team", "team_alias", "user", "user_agent", "user_email",
}

// proxySetup reads a proxy, with our receiver its API too.
func proxySetup(kind receiverKind, endpoint string, interval time.Duration) setup {
	switch kind {
	case kindLiteLLM:
		return setup{receivers: object{"litellm": object{
			"collection_interval": interval.String(), "timeout": interval.String(),
			"endpoint": endpoint, "api_key": proxyKey,
		}}}
	case kindPrometheusLabels:
		return setup{receivers: object{"prometheus": object{"config": object{"scrape_configs": []object{{
			"job_name":        "litellm",
			"scrape_interval": interval.String(),
			"scrape_timeout":  interval.String(),
			"metrics_path":    "/metrics/",
			"static_configs":  []object{{"targets": []string{strings.TrimPrefix(endpoint, "http://")}}},
			"metric_relabel_configs": []object{
				{"source_labels": []string{"__name__"}, "regex": "litellm_.*", "action": "keep"},
				{"regex": strings.Join(droppedLabels, "|"), "action": "labeldrop"},
			},
		}}}}}}
	}
	return pagesSetup(kindVLLM, []string{}, interval) // a pipeline must have a receiver
}

// dockerSetup reads an engine as the shipped configuration does. Docker's default timeout is enough: the engine's answer to
// a request for stats takes up to two seconds.
func dockerSetup(kind receiverKind, endpoint string, interval time.Duration) setup {
	inventory := object{"endpoint": endpoint, "collection_interval": interval.String()}
	stats := object{
		"endpoint": endpoint, "collection_interval": interval.String(),
		"metrics": object{
			"container.cpu.limit":       object{"enabled": true},
			"container.restarts":        object{"enabled": true},
			"container.uptime":          object{"enabled": true},
			"container.cpu.utilization": object{"enabled": false},
			"container.memory.percent":  object{"enabled": false},
		},
	}
	attributes := object{"docker_attributes": object{
		"docker":  object{"endpoint": endpoint},
		"extract": object{"metadata": []string{"container.name", "docker.compose.project", "docker.compose.service", "gen_ai.request.model"}},
	}}
	logs := []string{"docker_inventory"}
	switch kind {
	case kindInventory:
		return setup{receivers: object{"docker_inventory": inventory}, logs: logs}
	case kindStats:
		return setup{receivers: object{"docker_stats": stats}}
	case kindStatsAttributes:
		return setup{receivers: object{"docker_stats": stats}, processors: attributes}
	case kindDocker:
		return setup{receivers: object{"docker_inventory": inventory, "docker_stats": stats}, processors: attributes, logs: logs}
	}
	return pagesSetup(kindVLLM, []string{}, interval) // a pipeline must have a receiver
}

//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// referenceServers are those of the reference site, whose eight GPUs they share.
const referenceServers = 10

// llmInterval is the shipped one of what serves models; host, containers and GPUs are read twice in it.
const llmInterval = time.Minute

// gpusOf is how many GPUs a site with n servers has: the reference site has eight for its ten, a large one a hundred for
// its thousand.
func gpusOf(servers int) int {
	if servers <= referenceServers {
		return 8
	}
	return max(8, servers/10)
}

// memoryLimitOf is the memory_limiter's for a site with n servers, in MiB: the shipped one is that of a single machine.
func memoryLimitOf(servers int) int {
	return 512 + 3*max(0, servers-referenceServers)/2
}

// insideReceivers are those that read the site.
var insideReceivers = []string{"docker_stats", "docker_inventory", "nvml", "vllm", "litellm", "langfuse", "filelog"}

// siteSetup is the shipped configuration with the overlay that plays a site, of a number of vLLM servers. kindSite plays it
// and lets nobody read it but what records the host, kindSynthetic has the receivers inside, kindIdle no site.
func (p *plan) siteSetup(kind receiverKind, servers int, interval time.Duration, loki string) setup {
	synthetic := object{"scale": object{"gpus": gpusOf(servers), "servers": servers}}
	s := &shipped{
		files:     []string{filepath.Join(p.configs, "otelcol-llm.yaml"), filepath.Join(p.configs, "overlays", "synthetic.yaml")},
		receivers: object{"synthetic": synthetic},
		environment: func(folder string, at ports) []string {
			return siteEnvironment(folder, at, interval, memoryLimitOf(servers), loki)
		},
	}
	switch kind {
	case kindSite:
		inside := object{}
		for _, name := range insideReceivers {
			inside[name] = object{"enabled": false}
		}
		synthetic["receivers"] = inside
	case kindIdle:
		nobody := object{"receivers": []string{"otlp"}}
		s.pipelines = object{"metrics": nobody, "logs/docker": nobody}
	}
	return setup{shipped: s}
}

// siteEnvironment keeps the collector away from others on this machine.
func siteEnvironment(folder string, at ports, interval time.Duration, memory int, loki string) []string {
	const anyPort = "127.0.0.1:0"
	often, seldom := (interval / 2).String(), interval.String()
	return []string{
		"INFRA_INTERVAL=" + often, "VLLM_INTERVAL=" + seldom, "LITELLM_INTERVAL=" + seldom, "LANGFUSE_INTERVAL=" + seldom,
		"MEMORY_LIMIT_MIB=" + strconv.Itoa(memory), "LOKI_OTLP_ENDPOINT=" + loki,
		"STATE_DIR=" + filepath.Join(folder, "state"), "SYNTHETIC_DIR=" + filepath.Join(folder, "site"),
		"SYNTHETIC_VLLM=", "SYNTHETIC_LITELLM=", "SYNTHETIC_LANGFUSE=", "SYNTHETIC_LISTEN=" + anyPort,
		"METRICS_LISTEN=" + loopback(at.sink), "HEALTH_LISTEN=" + anyPort, "ZPAGES_LISTEN=" + anyPort,
		"OTLP_GRPC_LISTEN=" + anyPort, "OTLP_HTTP_LISTEN=" + anyPort,
	}
}

// siteName is how a report calls a site.
func siteName(servers int) string {
	if servers == 0 {
		return "none"
	}
	return fmt.Sprintf("%d GPUs, %d servers", gpusOf(servers), servers)
}

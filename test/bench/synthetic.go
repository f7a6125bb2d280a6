//go:build linux

package main

import (
	"fmt"
	"io"
	"runtime"
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

// siteSetup plays a site with a number of vLLM servers. kindSite plays it and lets nobody read it but what
// records the host, kindSynthetic has the receivers inside.
func siteSetup(kind receiverKind, servers int, interval time.Duration) setup {
	if kind == kindIdle {
		return pagesSetup(kindVLLM, []string{}, interval) // a pipeline must have a receiver
	}
	often, seldom := (interval / 2).String(), interval.String()
	inside := object{
		"docker_stats":     object{"collection_interval": often},
		"docker_inventory": object{"collection_interval": often},
		"nvml":             object{"collection_interval": often},
		"vllm":             object{"collection_interval": seldom, "docker": object{"max_servers": max(servers, 200)}},
		"litellm":          object{"collection_interval": seldom},
		"langfuse":         object{"collection_interval": seldom},
	}
	if kind == kindSite {
		for name := range inside {
			inside[name] = object{"enabled": false}
		}
		inside["filelog"] = object{"enabled": false}
	}
	return setup{
		receivers: object{"synthetic": object{
			"collection_interval": often,
			"scale":               object{"gpus": gpusOf(servers), "servers": servers},
			"receivers":           inside,
		}},
		logs: []string{"synthetic"},
	}
}

// writeSiteReport writes the markdown table of simulated sites.
func writeSiteReport(out io.Writer, p *plan, runs []figures) error {
	all := summarise(runs)
	if _, err := fmt.Fprintf(out, "%s, %d cores, collector of %s, %s sink, intervals of %v and %v; medians of %d runs of %v.\n\n"+
		"| site | part | CPU of one core | RSS peak MiB | own MiB | heap MiB | points/min |\n|---|---|---:|---:|---:|---:|---:|\n",
		cpuModel(), runtime.NumCPU(), goVersion(p.binary), p.sink, p.intervalOf(0)/2, p.intervalOf(0), p.rounds, time.Duration(p.scrapes)*p.intervalOf(0)); err != nil {
		return err
	}
	for _, s := range all {
		site := "none"
		if s.endpoints > 0 {
			site = fmt.Sprintf("%d GPUs, %d servers", gpusOf(s.endpoints), s.endpoints)
		}
		if _, err := fmt.Fprintf(out, "| %s | %s | %.2f %% | %.0f | %.0f | %.0f | %.0f |\n", site, s.kind, 100*s.cpuShare, s.peak/mebi, s.own/mebi, s.heap/mebi,
			s.pointsPerScrape*float64(time.Minute)/float64(p.intervalOf(0))); err != nil {
			return err
		}
	}
	return nil
}

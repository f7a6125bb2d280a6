//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
)

// writeProxyReport writes the markdown tables of a proxy.
func writeProxyReport(out io.Writer, p *plan, runs []figures) error {
	w := bufio.NewWriter(out)
	all := summarise(runs)
	fmt.Fprintf(w, "%s, %d cores, collector of %s, %s sink, page of %.1f MB with about %d lines, interval %v; medians of %d runs of %d scrapes.\n\n",
		cpuModel(), runtime.NumCPU(), goVersion(p.binary), p.sink, float64(runs[len(runs)-1].pageBytes)/1e6, p.lines, p.intervalOf(p.lines), p.rounds, p.scrapes)
	fmt.Fprint(w, "| receiver | CPU per scrape ms | CPU of one core | RSS peak MiB | own MiB | net | heap MiB | net | allocated MiB/scrape | points/scrape |\n",
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range all {
		fmt.Fprintf(w, "| %s | %.0f | %.2f %% | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f |\n", s.kind, milliseconds(s.cpuPerScrape),
			100*s.cpuShare, s.peak/mebi, s.own/mebi, s.ownNet/mebi, s.heap/mebi, s.heapNet/mebi, s.allocatedPerScrape/mebi, s.pointsPerScrape)
	}
	writeProxyRatios(w, all)
	for _, s := range all {
		if s.missed > 0.05 || s.missed < -0.05 {
			fmt.Fprintf(w, "\n%s scraped %.0f %% of what was planned.\n", s.kind, 100*(1-s.missed))
		}
	}
	return w.Flush()
}

// writeProxyRatios divides the LiteLLM receiver's figures by those of the other.
func writeProxyRatios(w io.Writer, all []summary) {
	var ours, theirs *summary
	for i := range all {
		switch all[i].kind {
		case kindLiteLLM:
			ours = &all[i]
		case kindPrometheusLabels:
			theirs = &all[i]
		}
	}
	if ours == nil || theirs == nil {
		return
	}
	fmt.Fprintf(w, "\n%s as a share of %s, net of the idle collector (the aim is at most 0.50 of CPU and peak memory):\n\n", ours.kind, theirs.kind)
	fmt.Fprint(w, "| CPU per scrape | own memory | heap | allocated |\n|---:|---:|---:|---:|\n")
	fmt.Fprintf(w, "| %s | %s | %s | %s |\n", ratio(float64(ours.cpuPerScrape), float64(theirs.cpuPerScrape)), ratio(ours.ownNet, theirs.ownNet),
		ratio(ours.heapNet, theirs.heapNet), ratio(ours.allocatedPerScrape, theirs.allocatedPerScrape))
}

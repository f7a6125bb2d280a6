//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"time"
)

// writeSiteReport writes the markdown tables of simulated sites.
func writeSiteReport(out io.Writer, p *plan, runs []figures) error {
	w := bufio.NewWriter(out)
	interval := p.intervalOf(0)
	fmt.Fprintf(w, "%s, %d cores, collector of %s, intervals of %v and %v; medians of %d runs of %v.\n\n",
		cpuModel(), runtime.NumCPU(), goVersion(p.binary), interval/2, interval, p.rounds, time.Duration(p.scrapes)*interval)
	fmt.Fprint(w, "| site | part | CPU of one core | RSS peak MiB | own MiB | heap MiB | points/min | series |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range summarise(runs) {
		fmt.Fprintf(w, "| %s | %s | %.2f %% | %.0f | %.0f | %.0f | %.0f | %d |\n", siteName(s.endpoints), s.kind, 100*s.cpuShare,
			s.peak/mebi, s.own/mebi, s.heap/mebi, s.pointsPerScrape*float64(time.Minute)/float64(interval), worstState(runs, s.kind, s.endpoints).series)
	}
	fmt.Fprint(w, "\nHow it was read, the worst of each:\n\n| site | sources up | down | slowest read of a server ms | points lost |\n|---|---:|---:|---:|---:|\n")
	for _, s := range summarise(runs) {
		if s.kind == kindSynthetic {
			state := worstState(runs, s.kind, s.endpoints)
			fmt.Fprintf(w, "| %s | %d | %d | %.0f | %.0f |\n", siteName(s.endpoints), state.up, state.down, 1000*state.slowest, state.lost)
		}
	}
	return w.Flush()
}

// worstState is the worst of what the runs with a site came to.
func worstState(runs []figures, kind receiverKind, servers int) siteState {
	var worst siteState
	first := true
	for i := range runs {
		if runs[i].kind != kind || runs[i].endpoints != servers {
			continue
		}
		s := &runs[i].site
		if first {
			worst, first = *s, false
			continue
		}
		worst = siteState{
			series: max(worst.series, s.series), up: min(worst.up, s.up), down: max(worst.down, s.down),
			slowest: max(worst.slowest, s.slowest), lost: max(worst.lost, s.lost),
		}
	}
	return worst
}

//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"time"
)

// dockerSummary is what the runs with one setup come to: medians, whole.
type dockerSummary struct {
	kind                               receiverKind
	cpuShare                           float64       // of one core
	cpu                                time.Duration // in an interval
	peak, own, heap, allocated, points float64       // the last two in an interval
	missed                             float64       // share of the planned requests for stats that did not happen
}

func summariseDocker(p *plan, runs []figures) []dockerSummary {
	var all []dockerSummary
	for _, kind := range p.receivers {
		these := func(of func(*figures) float64) float64 { return medianOf(runs, kind, p.containers, of) }
		interval := p.intervalOf(p.containers).Seconds()
		perInterval := func(of func(*figures) float64) float64 {
			return these(func(f *figures) float64 { return of(f) / f.window.Seconds() * interval })
		}
		all = append(all, dockerSummary{
			kind:      kind,
			cpuShare:  these(func(f *figures) float64 { return f.cpu.Seconds() / f.window.Seconds() }),
			cpu:       time.Duration(perInterval(func(f *figures) float64 { return float64(f.cpu) })),
			peak:      these(func(f *figures) float64 { return f.peak }),
			own:       these(func(f *figures) float64 { return f.own }),
			heap:      these(func(f *figures) float64 { return f.heap }),
			allocated: perInterval(func(f *figures) float64 { return f.allocated }),
			points:    perInterval(func(f *figures) float64 { return f.points }),
			missed: these(func(f *figures) float64 {
				if f.planned == 0 {
					return 0
				}
				return 1 - float64(f.scrapes)/float64(f.planned)
			}),
		})
	}
	return all
}

func writeDockerReport(out io.Writer, p *plan, runs []figures) error {
	w := bufio.NewWriter(out)
	all := summariseDocker(p, runs)
	fmt.Fprintf(w, "%s, %d cores, collector of %s, %s sink, %d containers, %.0f events a second, interval %v; medians of %d runs of %d intervals.\n\n",
		cpuModel(), runtime.NumCPU(), goVersion(p.binary), p.sink, p.containers, 2/churnPeriod.Seconds(), p.intervalOf(p.containers), p.rounds, p.scrapes)
	fmt.Fprint(w, "| receivers and processors | CPU per interval ms | CPU of one core | RSS peak MiB | own MiB | heap MiB | allocated MiB/interval | points/interval |\n",
		"|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range all {
		fmt.Fprintf(w, "| %s | %.1f | %.2f %% | %.1f | %.1f | %.1f | %.1f | %.0f |\n", s.kind,
			milliseconds(s.cpu), 100*s.cpuShare, s.peak/mebi, s.own/mebi, s.heap/mebi, s.allocated/mebi, s.points)
	}
	writeAdded(w, all)
	for _, s := range all {
		if s.missed > 0.05 || s.missed < -0.05 {
			fmt.Fprintf(w, "\n%s read %.0f %% of the stats that were planned.\n", s.kind, 100*(1-s.missed))
		}
	}
	return w.Flush()
}

// additions are what each part adds to which setup.
var additions = []struct {
	part     string
	with, to receiverKind
}{
	{"docker_stats alone", kindStats, kindIdle},
	{"docker_inventory alone", kindInventory, kindIdle},
	{"docker_attributes, with its watch, to docker_stats", kindStatsAttributes, kindStats},
	{"docker_inventory, which shares that watch, to both", kindDocker, kindStatsAttributes},
	{"docker_inventory and docker_attributes to docker_stats", kindDocker, kindStats},
}

// writeAdded shows the parts, each also as a share of what docker_stats takes.
func writeAdded(w io.Writer, all []dockerSummary) {
	of := func(kind receiverKind) (s dockerSummary, ok bool) {
		for _, s := range all {
			if s.kind == kind {
				return s, true
			}
		}
		return s, false
	}
	stats, measured := of(kindStats)
	idle, alsoMeasured := of(kindIdle)
	if !measured || !alsoMeasured {
		return
	}
	fmt.Fprint(w, "\nWhat each part adds, and that as a share of what docker_stats alone adds to an idle collector:\n\n",
		"| part | CPU per interval ms | share | own MiB | share | heap MiB | share |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, a := range additions {
		with, ok := of(a.with)
		to, alsoOK := of(a.to)
		if !ok || !alsoOK {
			continue
		}
		fmt.Fprintf(w, "| %s | %.1f | %s | %.1f | %s | %.1f | %s |\n", a.part,
			milliseconds(with.cpu-to.cpu), ratio(float64(with.cpu-to.cpu), float64(stats.cpu-idle.cpu)),
			(with.own-to.own)/mebi, ratio(with.own-to.own, stats.own-idle.own),
			(with.heap-to.heap)/mebi, ratio(with.heap-to.heap, stats.heap-idle.heap))
	}
}

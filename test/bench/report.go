//go:build linux

package main

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"
)

const (
	kibi = 1024.0
	mebi = 1024 * kibi
)

// summary is what the runs with one receiver and one number of endpoints come to: medians, net of the idle collector
// unless said otherwise.
type summary struct {
	kind      receiverKind
	endpoints int

	cpuPerScrape       time.Duration
	cpuShare           float64 // of one core, gross
	peak, own, ownNet  float64 // bytes, see figures
	heap, heapNet      float64
	allocatedPerScrape float64
	pointsPerScrape    float64
	missed             float64 // share of the planned scrapes that did not happen
}

// summarise returns one summary for each receiver and number of endpoints, idle collectors among them as 0 endpoints,
// in the order of the runs.
func summarise(runs []figures) []summary {
	var all []summary
	for i := range runs {
		kind, endpoints := runs[i].kind, runs[i].endpoints
		same := func(s summary) bool { return s.kind == kind && s.endpoints == endpoints }
		if !slices.ContainsFunc(all, same) {
			all = append(all, summariseOne(runs, kind, endpoints))
		}
	}
	return all
}

func summariseOne(runs []figures, kind receiverKind, endpoints int) summary {
	idleKind := kind // unless one is idle for all
	if slices.ContainsFunc(runs, func(f figures) bool { return f.kind == kindIdle }) {
		idleKind = kindIdle
	}
	idle := func(of func(*figures) float64) float64 { return medianOf(runs, idleKind, 0, of) }
	these := func(of func(*figures) float64) float64 { return medianOf(runs, kind, endpoints, of) }
	share := func(f *figures) float64 { return f.cpu.Seconds() / f.window.Seconds() }
	allocation := func(f *figures) float64 { return f.allocated / f.window.Seconds() }
	own := func(f *figures) float64 { return f.own }
	heap := func(f *figures) float64 { return f.heap }
	idleShare, idleAllocation := idle(share), idle(allocation)
	s := summary{
		kind: kind, endpoints: endpoints,
		cpuShare: these(share),
		peak:     these(func(f *figures) float64 { return f.peak }),
		own:      these(own), ownNet: these(own) - idle(own),
		heap: these(heap), heapNet: these(heap) - idle(heap),
	}
	if endpoints == 0 {
		return s
	}
	perScrape := func(of func(*figures) float64) float64 {
		return these(func(f *figures) float64 { return of(f) / float64(f.scrapes) })
	}
	s.cpuPerScrape = time.Duration(perScrape(func(f *figures) float64 {
		return float64(f.cpu) - idleShare*float64(f.window)
	}))
	s.allocatedPerScrape = perScrape(func(f *figures) float64 { return f.allocated - idleAllocation*f.window.Seconds() })
	s.pointsPerScrape = perScrape(func(f *figures) float64 { return f.points })
	s.missed = these(func(f *figures) float64 { return 1 - float64(f.scrapes)/float64(f.planned) })
	return s
}

func medianOf(runs []figures, kind receiverKind, endpoints int, of func(*figures) float64) float64 {
	var values []float64
	for i := range runs {
		if runs[i].kind == kind && runs[i].endpoints == endpoints {
			values = append(values, of(&runs[i]))
		}
	}
	return median(values)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// writeReport writes the markdown tables.
func writeReport(to io.Writer, p *plan, runs []figures) error {
	all := summarise(runs)
	w := bufio.NewWriter(to)
	fmt.Fprintf(w, "%s, %d cores, collector of %s, %s sink, page of %.0f KiB; medians of %d runs of %d scrapes per endpoint.\n",
		cpuModel(), runtime.NumCPU(), goVersion(p.binary), p.sink, float64(runs[len(runs)-1].pageBytes)/kibi, p.rounds, p.scrapes)

	fmt.Fprint(w, "\nIdle collector, without endpoints:\n\n| receiver | CPU of one core | RSS peak MiB | own MiB | heap MiB |\n|---|---:|---:|---:|---:|\n")
	for _, s := range all {
		if s.endpoints == 0 {
			fmt.Fprintf(w, "| %s | %.2f %% | %.1f | %.1f | %.1f |\n", s.kind, 100*s.cpuShare, s.peak/mebi, s.own/mebi, s.heap/mebi)
		}
	}

	fmt.Fprint(w, "\nCPU and allocation per scrape are net of the idle collector; of memory both are given, whole and net. \"Own\" is the RSS peak ",
		"without the pages of the binary, \"heap\" what is live on it after a collection.\n\n",
		"| endpoints | receiver | CPU per scrape ms | CPU of one core | RSS peak MiB | own MiB | net | heap MiB | net | allocated KiB/scrape | points/scrape |\n",
		"|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range all {
		if s.endpoints > 0 {
			fmt.Fprintf(w, "| %d | %s | %.2f | %.1f %% | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f |\n", s.endpoints, s.kind,
				milliseconds(s.cpuPerScrape), 100*s.cpuShare, s.peak/mebi, s.own/mebi, s.ownNet/mebi, s.heap/mebi, s.heapNet/mebi,
				s.allocatedPerScrape/kibi, s.pointsPerScrape)
		}
	}
	writeRatios(w, all)
	writeGrowth(w, all)
	for _, s := range all {
		if s.missed > 0.05 || s.missed < -0.05 {
			fmt.Fprintf(w, "\n%s with %d endpoints scraped %.0f %% of what was planned.\n", s.kind, s.endpoints, 100*(1-s.missed))
		}
	}
	return w.Flush()
}

// writeRatios divides the vLLM receiver's figures by those of the others.
func writeRatios(w io.Writer, all []summary) {
	rows := new(bytes.Buffer)
	for _, ours := range all {
		for _, theirs := range all {
			if ours.kind == kindVLLM && theirs.kind != kindVLLM && ours.endpoints == theirs.endpoints && ours.endpoints > 0 {
				fmt.Fprintf(rows, "| %d | %s | %s | %s | %s | %s |\n", ours.endpoints, theirs.kind,
					ratio(float64(ours.cpuPerScrape), float64(theirs.cpuPerScrape)), ratio(ours.ownNet, theirs.ownNet),
					ratio(ours.heapNet, theirs.heapNet), ratio(ours.allocatedPerScrape, theirs.allocatedPerScrape))
			}
		}
	}
	if rows.Len() > 0 {
		fmt.Fprint(w, "\nvllm as a share of the other, net of the idle collector (the aim is at most 0.50):\n\n",
			"| endpoints | other | CPU per scrape | own memory | heap | allocated |\n|---:|---|---:|---:|---:|---:|\n", rows)
	}
}

// writeGrowth shows whether cost is linear: then what a scrape costs, and what one more endpoint costs, does not depend on
// their number.
func writeGrowth(w io.Writer, all []summary) {
	fmt.Fprint(w, "\nGrowth, each line beside the one with fewer endpoints:\n\n",
		"| receiver | endpoints | CPU per scrape | own memory per further endpoint KiB | heap per further endpoint KiB |\n|---|---:|---:|---:|---:|\n")
	for _, kind := range receiverKinds {
		var last *summary
		for i := range all {
			s := &all[i]
			if s.kind != kind || s.endpoints == 0 {
				continue
			}
			if last != nil {
				further := float64(s.endpoints-last.endpoints) * kibi
				fmt.Fprintf(w, "| %s | %d to %d | x %s | %.0f | %.0f |\n", kind, last.endpoints, s.endpoints,
					ratio(float64(s.cpuPerScrape), float64(last.cpuPerScrape)), (s.own-last.own)/further, (s.heap-last.heap)/further)
			}
			last = s
		}
	}
}

// ratio says how much a is of b; net figures can be below what they can be told from.
func ratio(a, b float64) string {
	switch {
	case b <= 0:
		return "-"
	case a <= 0:
		return "about 0"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// goVersion is what the binary was built with.
func goVersion(binary string) string {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "an unknown Go"
	}
	return info.GoVersion
}

// cpuModel is what Linux calls the processor.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	return parseCPUModel(info)
}

func parseCPUModel(info []byte) string {
	for line := range bytes.Lines(info) {
		if key, value, ok := bytes.Cut(line, []byte(":")); ok && string(bytes.TrimSpace(key)) == "model name" {
			return string(bytes.TrimSpace(value))
		}
	}
	return "unknown CPU"
}

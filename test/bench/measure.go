//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

const (
	// What the collector says of itself.
	metricSent      = "otelcol_exporter_sent_metric_points"
	metricAllocated = "otelcol_process_runtime_total_alloc_bytes"
)

// figures are the result of one run.
type figures struct {
	kind      receiverKind
	endpoints int // 0 for an idle collector

	window  time.Duration
	cpu     time.Duration // user and system, of the whole collector
	scrapes int
	planned int
	points  float64 // delivered to the sink
	// Bytes: allocated in the window, most in memory during it, that without the binary's pages, live on the heap at its end.
	allocated, peak, own, heap float64
	pageBytes                  int

	site siteState // of a synthetic site
}

func (f *figures) line() string {
	return fmt.Sprintf("%-26s %5d: %6.2f s CPU in %.0f s, %d of %d scrapes, %.0f points, peak %.0f MiB, own %.1f MiB, heap %.1f MiB",
		f.kind, f.endpoints, f.cpu.Seconds(), f.window.Seconds(), f.scrapes, f.planned, f.points, f.peak/mebi, f.own/mebi, f.heap/mebi)
}

// load is what a collector is measured with.
type load struct {
	name     string
	setup    setup
	interval time.Duration
	// requests is how many there were so far, of those that count.
	requests func(context.Context) (int64, error)
	// warmUp returns when the window may begin.
	warmUp func(context.Context, *collector) error
	// after looks at the collector when all was measured; it may be nil.
	after func(context.Context, *collector) error
}

// measurePages starts pages and a collector that reads them.
func (p *plan) measurePages(ctx context.Context, kind receiverKind, endpoints int) (_ figures, err error) {
	interval := p.intervalOf(endpoints)
	pages, err := startPages(pagesCommand, endpoints)
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, pages.stop()) }()
	f, err := p.measureOne(ctx, load{
		name:     fmt.Sprintf("%s-%d", kind, endpoints),
		setup:    pagesSetup(kind, pages.Endpoints, interval),
		interval: interval,
		requests: func(ctx context.Context) (int64, error) {
			counts, err := pages.counts(ctx)
			return counts.Total, err
		},
		warmUp: func(ctx context.Context, c *collector) error { return p.warmUp(ctx, c, pages, interval) },
	})
	f.kind, f.endpoints, f.planned, f.pageBytes = kind, endpoints, endpoints*p.scrapes, pages.PageBytes
	if err == nil && endpoints > 0 && (f.scrapes == 0 || f.points == 0) {
		err = fmt.Errorf("nothing was measured: %d scrapes, %.0f points", f.scrapes, f.points)
	}
	return f, err
}

// measureOne starts a collector, waits for the warm-up and measures for as long as the planned scrapes take.
func (p *plan) measureOne(ctx context.Context, l load) (f figures, err error) {
	c, err := startCollector(ctx, p.binary, l.setup, p.sink)
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := l.warmUp(ctx, c); err != nil {
		return figures{}, err
	}
	end := p.accompany(ctx, c, l.interval, time.Duration(p.scrapes)*l.interval, l.name)
	if err := resetPeak(c.pid); err != nil {
		return figures{}, err
	}
	before, err := takeSample(ctx, c, l.requests)
	if err != nil {
		return figures{}, err
	}
	if err := end(); err != nil {
		return figures{}, err
	}
	after, err := takeSample(ctx, c, l.requests)
	if err != nil {
		return figures{}, err
	}
	f = figures{
		window: after.at.Sub(before.at), cpu: after.cpu - before.cpu, scrapes: int(after.scrapes - before.scrapes),
		points: after.points - before.points, allocated: after.allocated - before.allocated,
	}
	if f.peak, f.own, err = peakMemory(c.pid); err != nil {
		return figures{}, err
	}
	if f.heap, err = liveHeap(ctx, c); err == nil && l.after != nil {
		err = l.after(ctx, c)
	}
	return f, err
}

// warmUp waits until every endpoint was read often enough; an idle collector gets the same time.
func (p *plan) warmUp(ctx context.Context, c *collector, pages *pageServer, interval time.Duration) error {
	if len(pages.Endpoints) == 0 {
		return p.pause(ctx, c, time.Duration(p.warmup)*interval)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout+3*time.Duration(p.warmup)*interval)
	defer cancel()
	return c.poll(ctx, "did not scrape every endpoint", func() bool {
		counts, err := pages.counts(ctx)
		return err == nil && counts.Least >= int64(p.warmup)
	})
}

// pause waits for d.
func (*plan) pause(ctx context.Context, c *collector, d time.Duration) error {
	end := time.Now().Add(d)
	return c.poll(ctx, "was interrupted", func() bool { return !time.Now().Before(end) })
}

// accompany begins what goes on during the window and returns a function that waits for its end: reading the sink as
// Prometheus would, and profiles if they are wanted.
func (p *plan) accompany(ctx context.Context, c *collector, interval, window time.Duration, name string) func() error {
	end := time.Now().Add(window)
	profiled := make(chan error, 1)
	if p.profiles != "" {
		go func() { profiled <- saveProfiles(ctx, c, filepath.Join(p.profiles, name), window) }()
	} else {
		profiled <- nil
	}
	return func() error {
		for p.sink == sinkPrometheus && time.Until(end) > interval {
			if err := p.pause(ctx, c, interval); err != nil {
				return err
			}
			if _, err := get(ctx, c.sinkURL()); err != nil {
				return err
			}
		}
		return errors.Join(p.pause(ctx, c, time.Until(end)), <-profiled)
	}
}

func saveProfiles(ctx context.Context, c *collector, prefix string, window time.Duration) error {
	if err := os.MkdirAll(filepath.Dir(prefix), 0o750); err != nil {
		return err
	}
	for file, what := range map[string]string{
		"-cpu.pprof":  "profile?seconds=" + strconv.Itoa(max(1, int(window.Seconds())-1)),
		"-heap.pprof": "heap?gc=1",
	} {
		profile, err := get(ctx, c.pprofURL(what))
		if err != nil {
			return err
		}
		if err := os.WriteFile(prefix+file, profile, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sample is the state of the counters at one time.
type sample struct {
	at                time.Time
	cpu               time.Duration
	scrapes           int64
	points, allocated float64
}

func takeSample(ctx context.Context, c *collector, requests func(context.Context) (int64, error)) (sample, error) {
	telemetry, err := c.readTelemetry(ctx)
	if err != nil {
		return sample{}, err
	}
	scrapes, err := requests(ctx)
	if err != nil {
		return sample{}, err
	}
	cpu, err := cpuTime(c.pid)
	return sample{
		at: time.Now(), cpu: cpu, scrapes: scrapes,
		points: sumOf(telemetry, metricSent), allocated: sumOf(telemetry, metricAllocated),
	}, err
}

// readTelemetry reads what the collector says of itself.
func (c *collector) readTelemetry(ctx context.Context) (*promtext.Page, error) {
	page, err := get(ctx, c.telemetryURL())
	if err != nil {
		return nil, err
	}
	telemetry, err := promtext.Parse(bytes.NewReader(page), promtext.Options{})
	if err != nil {
		return nil, fmt.Errorf("the collector's telemetry: %w", err)
	}
	return telemetry, nil
}

// sumOf adds up all series of a metric; 0 if there is none yet.
func sumOf(page *promtext.Page, name string) float64 {
	total := 0.0
	if f := page.Family(name); f != nil {
		for i := range f.Series {
			total += f.Series[i].Value
		}
	}
	return total
}

func procPath(pid int, file string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), file)
}

// cpuTime is the CPU time of all threads of a process, by the clock that clock_getcpuclockid(3) gives; /proc/PID/stat has
// it too, but in hundredths of a second only.
func cpuTime(pid int) (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED of the kernel's posix-timers
	clock := int32(^pid)<<3 | schedClock
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}

// resetPeak makes VmHWM begin anew, see proc_pid_clear_refs(5).
func resetPeak(pid int) error {
	return os.WriteFile(procPath(pid, "clear_refs"), []byte("5"), 0)
}

// peakMemory is the most memory that was resident since resetPeak, in bytes, and that without the pages of files: how much
// of the binary is resident depends on what the page cache makes of it.
func peakMemory(pid int) (peak, own float64, err error) {
	status, err := os.ReadFile(procPath(pid, "status"))
	if err != nil {
		return 0, 0, err
	}
	return parseStatus(status)
}

func parseStatus(status []byte) (peak, own float64, err error) {
	peak, err = numberAfter(status, "VmHWM:")
	if err != nil {
		return 0, 0, err
	}
	files, err := numberAfter(status, "RssFile:")
	return peak * kibi, (peak - files) * kibi, err
}

// liveHeap is what the heap holds after two garbage collections, in bytes: pools keep over one what they hold.
func liveHeap(ctx context.Context, c *collector) (float64, error) {
	var profile []byte
	for range 2 {
		var err error
		if profile, err = get(ctx, c.pprofURL("heap?gc=1&debug=1")); err != nil {
			return 0, err
		}
	}
	return parseHeap(profile)
}

// parseHeap finds runtime.MemStats.HeapAlloc in the text form of a heap profile.
func parseHeap(profile []byte) (float64, error) {
	return numberAfter(profile, "# HeapAlloc =")
}

// numberAfter returns the number after the key on the line that begins with it.
func numberAfter(text []byte, key string) (float64, error) {
	for line := range bytes.Lines(text) {
		rest, ok := bytes.CutPrefix(line, []byte(key))
		if !ok {
			continue
		}
		if fields := strings.Fields(string(rest)); len(fields) > 0 {
			return strconv.ParseFloat(fields[0], 64)
		}
	}
	return math.NaN(), fmt.Errorf("no %q found", key)
}

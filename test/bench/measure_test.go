//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

func TestSumOfTelemetry(t *testing.T) {
	page, err := promtext.Parse(strings.NewReader(`# HELP otelcol_exporter_sent_metric_points Number of metric points sent.
# TYPE otelcol_exporter_sent_metric_points counter
otelcol_exporter_sent_metric_points{exporter="debug"} 132
otelcol_exporter_sent_metric_points{exporter="debug/2"} 8
# HELP otelcol_process_runtime_total_alloc_bytes Cumulative bytes allocated for heap objects.
# TYPE otelcol_process_runtime_total_alloc_bytes counter
otelcol_process_runtime_total_alloc_bytes 4.3594752e+07
`), promtext.Options{})
	require.NoError(t, err)
	require.Equal(t, 140.0, sumOf(page, metricSent))
	require.Equal(t, 43594752.0, sumOf(page, metricAllocated))
	require.Zero(t, sumOf(page, "otelcol_exporter_send_failed_metric_points"))
}

func TestParseStatus(t *testing.T) {
	peak, own, err := parseStatus([]byte("Name:\totelcol-llm\nVmPeak:\t 1530652 kB\nVmHWM:\t   82304 kB\nVmRSS:\t   80004 kB\nRssAnon:\t   12160 kB\nRssFile:\t   67844 kB\n"))
	require.NoError(t, err)
	require.Equal(t, 82304.0*1024, peak)
	require.Equal(t, 14460.0*1024, own)

	_, _, err = parseStatus([]byte("Name:\tkthreadd\nVmHWM:\n"))
	require.ErrorContains(t, err, `no "VmHWM:" found`)
}

func TestParseHeap(t *testing.T) {
	heap, err := parseHeap([]byte("heap profile: 1: 8 [2: 16] @ heap/1048576\n\n# runtime.MemStats\n# Alloc = 7\n# HeapAlloc = 7340032\n# HeapSys = 9\n"))
	require.NoError(t, err)
	require.Equal(t, 7340032.0, heap)

	_, err = parseHeap([]byte("# HeapAlloc = much\n"))
	require.Error(t, err)
}

func TestCPUTimeAndPeakOfThisProcess(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, before)
	require.Eventually(t, func() bool {
		now, err := cpuTime(os.Getpid())
		return err == nil && now > before
	}, 10*time.Second, time.Millisecond)

	require.NoError(t, resetPeak(os.Getpid()))
	peak, own, err := peakMemory(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, own, mebi)
	require.Greater(t, peak, own)

	const nobody = 1 << 22 // Linux numbers processes up to here
	_, err = cpuTime(nobody)
	require.Error(t, err)
	_, _, err = peakMemory(nobody)
	require.Error(t, err)
}

//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxyRuns are of one round. An idle collector takes 10 ms of CPU and 100 KiB each second.
func proxyRuns() []figures {
	var runs []figures
	for i, kind := range proxyKinds {
		size := float64(i)
		f := figures{
			kind: kind, endpoints: 5000, window: 20 * time.Second, pageBytes: 2_500_000, scrapes: 2 * min(i, 1), planned: 2 * min(i, 1),
			cpu: 200*time.Millisecond + time.Duration(i)*time.Second, points: size * 100,
			allocated: 2000*kibi + size*4*mebi, peak: (80 + size) * mebi, own: (12 + size) * mebi, heap: (5 + size) * mebi,
		}
		if kind == kindIdle {
			f.endpoints = 0
		}
		runs = append(runs, f)
	}
	return runs
}

func TestProxyReport(t *testing.T) {
	p := &plan{what: whatLiteLLM, binary: "testdata/none", sink: sinkDebug, lines: 5000, receivers: proxyKinds, rounds: 1, scrapes: 2}
	var report strings.Builder
	require.NoError(t, writeProxyReport(&report, p, proxyRuns()))
	head, tables, _ := strings.Cut(report.String(), "\n")
	require.Contains(t, head, "collector of an unknown Go, debug sink, page of 2.5 MB with about 5000 lines, interval 10s; medians of 1 runs of 2 scrapes.")
	require.Equal(t, `
| receiver | CPU per scrape ms | CPU of one core | RSS peak MiB | own MiB | net | heap MiB | net | allocated MiB/scrape | points/scrape |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| idle | 0 | 1.00 % | 80.0 | 12.0 | 0.0 | 5.0 | 0.0 | 0.0 | 0 |
| litellm | 500 | 6.00 % | 81.0 | 13.0 | 1.0 | 6.0 | 1.0 | 2.0 | 50 |
| prometheus-labeldrop | 1000 | 11.00 % | 82.0 | 14.0 | 2.0 | 7.0 | 2.0 | 4.0 | 100 |

litellm as a share of prometheus-labeldrop, net of the idle collector (the aim is at most 0.50 of CPU and peak memory):

| CPU per scrape | own memory | heap | allocated |
|---:|---:|---:|---:|
| 0.50 | 0.50 | 0.50 | 0.50 |
`, tables)
}

func TestProxyReportOfAPart(t *testing.T) {
	runs := proxyRuns()[:2]
	runs[1].planned = 4
	var report strings.Builder
	require.NoError(t, writeProxyReport(&report, &plan{what: whatLiteLLM, rounds: 1, scrapes: 4}, runs))
	require.NotContains(t, report.String(), "as a share of")
	require.Contains(t, report.String(), "\nlitellm scraped 50 % of what was planned.\n")
}

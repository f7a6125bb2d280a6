//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	require.Zero(t, median(nil))
	require.Equal(t, 2.0, median([]float64{9, 2, 1}))
	require.Equal(t, 2.5, median([]float64{9, 2, 1, 3}))
}

// exampleRuns are of two rounds. An idle collector takes 10 ms of CPU and 100 KiB each second.
func exampleRuns() []figures {
	var runs []figures
	for round := range 2 {
		for _, kind := range []receiverKind{kindVLLM, kindPrometheus} {
			factor := 1.0
			if kind == kindPrometheus {
				factor = 2
			}
			runs = append(runs, figures{
				kind: kind, window: 10 * time.Second, cpu: 100 * time.Millisecond,
				allocated: 1000 * kibi, peak: 80 * mebi, own: 12 * mebi, heap: 7 * mebi,
			})
			for _, n := range []int{10, 100} {
				scrapes := 10 * n
				perScrape := time.Duration(1+2*round) * time.Millisecond // 2 in the median
				runs = append(runs, figures{
					kind: kind, endpoints: n, window: 10 * time.Second, scrapes: scrapes, planned: scrapes,
					cpu:       100*time.Millisecond + time.Duration(factor*float64(scrapes))*perScrape,
					points:    60 * float64(scrapes),
					allocated: 1000*kibi + 200*factor*float64(scrapes)*kibi,
					peak:      80*mebi + factor*float64(n)*mebi/5,
					own:       12*mebi + factor*float64(n)*mebi/5,
					heap:      7*mebi + factor*float64(n)*mebi/20,
					pageBytes: 50 * 1024,
				})
			}
		}
	}
	return runs
}

func TestReport(t *testing.T) {
	var report strings.Builder
	require.NoError(t, writeReport(&report, &plan{binary: "testdata/none", sink: sinkDebug, rounds: 2, scrapes: 10}, exampleRuns()))
	head, tables, _ := strings.Cut(report.String(), "\n")
	require.Contains(t, head, "collector of an unknown Go, debug sink, page of 50 KiB; medians of 2 runs of 10 scrapes per endpoint.")
	require.Equal(t, `
Idle collector, without endpoints:

| receiver | CPU of one core | RSS peak MiB | own MiB | heap MiB |
|---|---:|---:|---:|---:|
| vllm | 1.00 % | 80.0 | 12.0 | 7.0 |
| prometheus | 1.00 % | 80.0 | 12.0 | 7.0 |

CPU and allocation per scrape are net of the idle collector; of memory both are given, whole and net. "Own" is the RSS peak without the pages of the binary, "heap" what is live on it after a collection.

| endpoints | receiver | CPU per scrape ms | CPU of one core | RSS peak MiB | own MiB | net | heap MiB | net | allocated KiB/scrape | points/scrape |
|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| 10 | vllm | 2.00 | 3.0 % | 82.0 | 14.0 | 2.0 | 7.5 | 0.5 | 200 | 60 |
| 100 | vllm | 2.00 | 21.0 % | 100.0 | 32.0 | 20.0 | 12.0 | 5.0 | 200 | 60 |
| 10 | prometheus | 4.00 | 5.0 % | 84.0 | 16.0 | 4.0 | 8.0 | 1.0 | 400 | 60 |
| 100 | prometheus | 4.00 | 41.0 % | 120.0 | 52.0 | 40.0 | 17.0 | 10.0 | 400 | 60 |

vllm as a share of the other, net of the idle collector (the aim is at most 0.50):

| endpoints | other | CPU per scrape | own memory | heap | allocated |
|---:|---|---:|---:|---:|---:|
| 10 | prometheus | 0.50 | 0.50 | 0.50 | 0.50 |
| 100 | prometheus | 0.50 | 0.50 | 0.50 | 0.50 |

Growth, each line beside the one with fewer endpoints:

| receiver | endpoints | CPU per scrape | own memory per further endpoint KiB | heap per further endpoint KiB |
|---|---:|---:|---:|---:|
| vllm | 10 to 100 | x 1.00 | 205 | 51 |
| prometheus | 10 to 100 | x 1.00 | 410 | 102 |
`, tables)
}

func TestReportTellsMissedScrapes(t *testing.T) {
	runs := exampleRuns()
	for i := range runs {
		if runs[i].kind == kindVLLM && runs[i].endpoints == 100 {
			runs[i].planned *= 2
		}
	}
	var report strings.Builder
	require.NoError(t, writeReport(&report, &plan{}, runs))
	require.Contains(t, report.String(), "\nvllm with 100 endpoints scraped 50 % of what was planned.\n")
}

func TestRatio(t *testing.T) {
	require.Equal(t, "0.33", ratio(1, 3))
	require.Equal(t, "about 0", ratio(-1, 3))
	require.Equal(t, "-", ratio(1, 0))
}

func TestParseCPUModel(t *testing.T) {
	require.Equal(t, "AMD EPYC", parseCPUModel([]byte("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n")))
	require.Equal(t, "unknown CPU", parseCPUModel([]byte("processor\t: 0\n")))
}

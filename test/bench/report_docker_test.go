//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func dockerRuns() []figures {
	var runs []figures
	for i, kind := range dockerKinds {
		size := float64(i)
		f := figures{
			kind: kind, endpoints: 500, window: 20 * time.Second, cpu: time.Duration(size * float64(100*time.Millisecond)), points: size * 100,
			allocated: size * 4 * mebi, peak: (80 + size) * mebi, own: (12 + size) * mebi, heap: (5 + size) * mebi,
		}
		if kind.readsStats() {
			f.scrapes, f.planned = 1000, 1000
		}
		runs = append(runs, f)
	}
	return runs
}

func TestDockerReport(t *testing.T) {
	p := &plan{what: whatDocker, binary: "testdata/none", sink: sinkDebug, containers: 500, receivers: dockerKinds, rounds: 1, scrapes: 2}
	var report strings.Builder
	require.NoError(t, writeDockerReport(&report, p, dockerRuns()))
	head, tables, _ := strings.Cut(report.String(), "\n")
	require.Contains(t, head, "collector of an unknown Go, debug sink, 500 containers, 4 events a second, interval 10s; medians of 1 runs of 2 intervals.")
	require.Equal(t, `
| receivers and processors | CPU per interval ms | CPU of one core | RSS peak MiB | own MiB | heap MiB | allocated MiB/interval | points/interval |
|---|---:|---:|---:|---:|---:|---:|---:|
| idle | 0.0 | 0.00 % | 80.0 | 12.0 | 5.0 | 0.0 | 0 |
| inventory | 50.0 | 0.50 % | 81.0 | 13.0 | 6.0 | 2.0 | 50 |
| stats | 100.0 | 1.00 % | 82.0 | 14.0 | 7.0 | 4.0 | 100 |
| stats+attributes | 150.0 | 1.50 % | 83.0 | 15.0 | 8.0 | 6.0 | 150 |
| inventory+stats+attributes | 200.0 | 2.00 % | 84.0 | 16.0 | 9.0 | 8.0 | 200 |

What each part adds, and that as a share of what docker_stats alone adds to an idle collector:

| part | CPU per interval ms | share | own MiB | share | heap MiB | share |
|---|---:|---:|---:|---:|---:|---:|
| docker_stats alone | 100.0 | 1.00 | 2.0 | 1.00 | 2.0 | 1.00 |
| docker_inventory alone | 50.0 | 0.50 | 1.0 | 0.50 | 1.0 | 0.50 |
| docker_attributes, with its watch, to docker_stats | 50.0 | 0.50 | 1.0 | 0.50 | 1.0 | 0.50 |
| docker_inventory, which shares that watch, to both | 50.0 | 0.50 | 1.0 | 0.50 | 1.0 | 0.50 |
| docker_inventory and docker_attributes to docker_stats | 100.0 | 1.00 | 2.0 | 1.00 | 2.0 | 1.00 |
`, tables)
}

func TestDockerReportOfAPart(t *testing.T) {
	p := &plan{what: whatDocker, containers: 500, receivers: []receiverKind{kindStats}, rounds: 1, scrapes: 4}
	var report strings.Builder
	runs := dockerRuns()
	runs[2].planned = 2000
	require.NoError(t, writeDockerReport(&report, p, runs))
	require.NotContains(t, report.String(), "What each part adds")
	require.Contains(t, report.String(), "\nstats read 50 % of the stats that were planned.\n")
}

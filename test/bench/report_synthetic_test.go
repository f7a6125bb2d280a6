//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSiteReport(t *testing.T) {
	p, err := parsePlan([]string{"-what=synthetic", "-endpoints=10,1000", "-rounds=2"})
	require.NoError(t, err)
	assert.Equal(t, time.Minute, p.intervalOf(10))
	assert.Equal(t, sinkPrometheus, p.sink)
	run := func(kind receiverKind, servers int, cpu time.Duration, points float64, state siteState) figures {
		return figures{
			kind: kind, endpoints: servers, window: 4 * time.Minute, cpu: cpu, scrapes: 4, planned: 4, points: points,
			peak: 100 * mebi, own: 60 * mebi, heap: 30 * mebi, site: state,
		}
	}
	var report strings.Builder
	require.NoError(t, writeSiteReport(&report, p, []figures{
		run(kindIdle, 0, 240*time.Millisecond, 0, siteState{}),
		run(kindSite, 10, 2400*time.Millisecond, 4000, siteState{series: 900}),
		run(kindSynthetic, 1000, 48*time.Second, 400_000, siteState{series: 120_000, up: 1003, slowest: 0.5}),
		run(kindSynthetic, 1000, 48*time.Second, 400_000, siteState{series: 110_000, up: 1002, down: 1, slowest: 0.25, lost: 7}),
	}))
	head, tables, _ := strings.Cut(report.String(), "\n")
	require.Contains(t, head, "intervals of 30s and 1m0s; medians of 2 runs of 4m0s.")
	require.Equal(t, `
| site | part | CPU of one core | RSS peak MiB | own MiB | heap MiB | points/min | series |
|---|---|---:|---:|---:|---:|---:|---:|
| none | idle | 0.10 % | 100 | 60 | 30 | 0 | 0 |
| 8 GPUs, 10 servers | site | 1.00 % | 100 | 60 | 30 | 1000 | 900 |
| 100 GPUs, 1000 servers | synthetic | 20.00 % | 100 | 60 | 30 | 100000 | 120000 |

How it was read, the worst of each:

| site | sources up | down | slowest read of a server ms | points lost |
|---|---:|---:|---:|---:|
| 100 GPUs, 1000 servers | 1002 | 1 | 500 | 7 |
`, tables)
}

//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSiteSetup(t *testing.T) {
	assert.Equal(t, 8, gpusOf(3))
	assert.Equal(t, 8, gpusOf(10))
	assert.Equal(t, 100, gpusOf(1000))

	whole := siteSetup(kindSynthetic, 1000, time.Minute).receivers["synthetic"].(object)
	assert.Equal(t, object{"gpus": 100, "servers": 1000}, whole["scale"])
	inside := whole["receivers"].(object)
	assert.Equal(t, "1m0s", inside["vllm"].(object)["collection_interval"])
	assert.Equal(t, "30s", inside["nvml"].(object)["collection_interval"])
	alone := siteSetup(kindSite, 10, time.Minute).receivers["synthetic"].(object)["receivers"].(object)
	assert.Len(t, alone, 7)
	for name, settings := range alone {
		assert.Equal(t, object{"enabled": false}, settings, name)
	}
	assert.NotContains(t, siteSetup(kindIdle, 0, time.Minute).receivers, "synthetic")
}

func TestSiteReport(t *testing.T) {
	p, err := parsePlan([]string{"-what=synthetic", "-endpoints=10,1000", "-rounds=1"})
	require.NoError(t, err)
	assert.Equal(t, time.Minute, p.intervalOf(10))
	run := func(kind receiverKind, servers int, cpu time.Duration, points float64) figures {
		return figures{kind: kind, endpoints: servers, window: 4 * time.Minute, cpu: cpu, scrapes: 4, planned: 4, points: points, peak: 100 * mebi, own: 60 * mebi, heap: 30 * mebi}
	}
	var report strings.Builder
	require.NoError(t, writeSiteReport(&report, p, []figures{
		run(kindIdle, 0, 240*time.Millisecond, 0), run(kindSite, 10, 2400*time.Millisecond, 4000), run(kindSynthetic, 1000, 48*time.Second, 400_000),
	}))
	assert.Contains(t, report.String(), "intervals of 30s and 1m0s; medians of 1 runs of 4m0s.")
	assert.Contains(t, report.String(), "\n| none | idle | 0.10 % | 100 | 60 | 30 | 0 |\n")
	assert.Contains(t, report.String(), "\n| 8 GPUs, 10 servers | site | 1.00 % | 100 | 60 | 30 | 1000 |\n")
	assert.Contains(t, report.String(), "\n| 100 GPUs, 1000 servers | synthetic | 20.00 % | 100 | 60 | 30 | 100000 |\n")
}

//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestEngine(t *testing.T) {
	s, err := startEngine(12)
	require.NoError(t, err)
	engine, err := client.NewClientWithOpts(client.WithHost(s.Endpoint), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	defer engine.Close()

	all, err := engine.ContainerList(t.Context(), container.ListOptions{All: true})
	require.NoError(t, err)
	require.Len(t, all, 12)
	asked := time.Now()
	answer, err := engine.ContainerStats(t.Context(), all[0].ID, false)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Greater(t, time.Since(asked), 900*time.Millisecond, "an engine takes two looks")

	_, err = engine.ContainerInspect(t.Context(), all[0].ID)
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		counts, err := s.counts(t.Context())
		require.NoError(c, err)
		assert.Equal(c, int64(1), counts.Stats)
		assert.Equal(c, int64(1), counts.Inspects)
		assert.Greater(c, counts.Changes, int64(1))
		running, err := engine.ContainerList(t.Context(), container.ListOptions{})
		require.NoError(c, err)
		assert.Len(c, running, 11, "the one that died last is away")
	}, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, s.stop())
}

func TestCompose(t *testing.T) {
	containers := compose(500)
	ids := make(map[string]bool)
	for _, c := range containers {
		ids[simulator.DockerID(c.Name)] = true
	}
	require.Len(t, ids, 500)
}

func TestStatsAreInFull(t *testing.T) {
	stats := statsOf(simulator.DockerID("a"), time.Now())
	require.Len(t, stats.MemoryStats.Stats, len(memoryKeys))
	require.Greater(t, stats.CPUStats.CPUUsage.TotalUsage, stats.PreCPUStats.CPUUsage.TotalUsage)
	require.Greater(t, statsOf(stats.ID, time.Now().Add(time.Second)).CPUStats.CPUUsage.TotalUsage, stats.CPUStats.CPUUsage.TotalUsage)
}

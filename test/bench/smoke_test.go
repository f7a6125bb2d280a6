//go:build linux && integration

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSmoke runs the whole bench, as small as it gets: it must measure, how fast is not its matter.
func TestSmoke(t *testing.T) {
	binary := filepath.Join("..", "..", "bin", "otelcol-llm")
	require.FileExists(t, binary, "build it with: make build")
	for sink, receivers := range map[string][]receiverKind{
		sinkDebug:      receiverKinds,
		sinkPrometheus: {kindVLLM},
	} {
		t.Run(sink, func(t *testing.T) {
			args := []string{"-binary", binary, "-endpoints=2", "-interval=1s", "-scrapes=3", "-warmup=1", "-rounds=1", "-sink", sink}
			for _, kind := range receivers {
				var report strings.Builder
				require.NoError(t, run(t.Context(), append(args, "-receivers", string(kind)), nil, &report))
				require.Contains(t, report.String(), "\n| 2 | "+string(kind)+" | ")
			}
		})
	}
}

// TestDockerSmoke is the same for an engine.
func TestDockerSmoke(t *testing.T) {
	binary := filepath.Join("..", "..", "bin", "otelcol-llm")
	require.FileExists(t, binary, "build it with: make build")
	for _, kind := range []receiverKind{kindIdle, kindDocker} {
		var report strings.Builder
		args := []string{"-what=docker", "-binary", binary, "-containers=5", "-interval=2s", "-scrapes=2", "-warmup=1", "-rounds=1", "-receivers", string(kind)}
		require.NoError(t, run(t.Context(), args, nil, &report))
		require.Contains(t, report.String(), "\n| "+string(kind)+" | ")
	}
}

// TestSiteSmoke is the same for the synthetic site.
func TestSiteSmoke(t *testing.T) {
	binary := filepath.Join("..", "..", "bin", "otelcol-llm")
	require.FileExists(t, binary, "build it with: make build")
	for _, kind := range siteKinds {
		var report strings.Builder
		args := []string{"-what=synthetic", "-binary", binary, "-configs=../../configs", "-endpoints=10", "-interval=4s", "-scrapes=2", "-warmup=1", "-rounds=1", "-receivers", string(kind)}
		require.NoError(t, run(t.Context(), args, nil, &report))
		require.Contains(t, report.String(), " | "+string(kind)+" | ")
		if kind == kindSynthetic {
			require.Contains(t, report.String(), "| 8 GPUs, 10 servers | 13 | 0 | ", "ten servers, proxy, analytics and driver are up")
		}
	}
}

// TestProxySmoke is the same for a proxy.
func TestProxySmoke(t *testing.T) {
	binary := filepath.Join("..", "..", "bin", "otelcol-llm")
	require.FileExists(t, binary, "build it with: make build")
	for _, kind := range proxyKinds {
		var report strings.Builder
		args := []string{"-what=litellm", "-binary", binary, "-lines=2000", "-interval=2s", "-scrapes=2", "-warmup=1", "-rounds=1", "-receivers", string(kind)}
		require.NoError(t, run(t.Context(), args, nil, &report))
		require.Contains(t, report.String(), "\n| "+string(kind)+" | ")
	}
}

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain also is what a bench within a test reads, as a copy of its own program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestParsePlan(t *testing.T) {
	p, err := parsePlan(nil)
	require.NoError(t, err)
	require.Equal(t, &plan{
		binary: "bin/otelcol-llm", configs: "configs", what: whatVLLM, endpoints: []int{10, 100, 1000}, containers: 500, lines: 100_000, receivers: receiverKinds,
		sink: sinkDebug, scrapes: 4, warmup: 2, rounds: 2,
	}, p)
	require.Equal(t, 5*time.Second, p.intervalOf(100))
	require.Equal(t, 10*time.Second, p.intervalOf(1000))

	p, err = parsePlan([]string{"-endpoints", "20, 5,20", "-receivers=prometheus,vllm", "-interval=2s", "-sink=prometheus"})
	require.NoError(t, err)
	require.Equal(t, []int{5, 20}, p.endpoints)
	require.Equal(t, []receiverKind{kindPrometheus, kindVLLM}, p.receivers)
	require.Equal(t, 2*time.Second, p.intervalOf(1000))
	require.Equal(t, sinkPrometheus, p.sink)

	p, err = parsePlan([]string{"-receivers", "stats,idle", "-what=docker"})
	require.NoError(t, err)
	require.Equal(t, []receiverKind{kindStats, kindIdle}, p.receivers)
	require.Equal(t, 10*time.Second, p.intervalOf(5))

	p, err = parsePlan([]string{"-what=litellm", "-lines=5000"})
	require.NoError(t, err)
	require.Equal(t, proxyKinds, p.receivers)
	require.Equal(t, 5000, p.lines)
	require.Equal(t, 10*time.Second, p.intervalOf(5))
}

func TestParsePlanRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"-endpoints=0"},
		{"-endpoints=10,many"},
		{"-endpoints=10001"},
		{"-receivers=otlp"},
		{"-receivers=stats"},
		{"-what=docker", "-receivers=vllm"},
		{"-what=podman"},
		{"-what=litellm", "-receivers=vllm"},
		{"-containers=0"},
		{"-lines=0"},
		{"-lines=1000001"},
		{"-sink=file"},
		{"-interval=500ms"},
		{"-scrapes=0"},
		{"-rounds=0"},
		{"-warmup=0"},
		{"more"},
	} {
		_, err := parsePlan(args)
		require.Error(t, err, "%v", args)
	}
}

//go:build integration

package integration

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const mainConfig = "../../configs/otelcol-llm.yaml"

// collector is the built binary with the production configuration, on free ports.
type collector struct {
	*process
	// Metrics and Telemetry are addresses of pages; OTLP is a base URL.
	Metrics, Telemetry, OTLP string
}

// binary is what make build makes.
func binary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/otelcol-llm")
	require.NoError(t, err)
	require.FileExists(t, path, "build it with: make build")
	return path
}

// startCollector starts the production configuration with overlays; env changes it as a user would.
func startCollector(t *testing.T, overlays []string, env ...string) *collector {
	t.Helper()
	free := freeAddresses(t, 5)
	host, port, err := net.SplitHostPort(free[1])
	require.NoError(t, err)
	args := []string{"--config", mainConfig}
	for _, overlay := range overlays {
		args = append(args, "--config", "../../configs/overlays/"+overlay)
	}
	c := &collector{Metrics: free[0], Telemetry: free[1], OTLP: "http://" + free[3]}
	c.process = startProcess(t, binary(t), args, append([]string{
		"METRICS_LISTEN=" + free[0],
		"TELEMETRY_HOST=" + host, "TELEMETRY_PORT=" + port,
		"OTLP_GRPC_LISTEN=" + free[2], "OTLP_HTTP_LISTEN=" + free[3],
		"HEALTH_LISTEN=" + free[4],
		"ZPAGES_LISTEN=127.0.0.1:0",
		"STATE_DIR=" + filepath.Join(t.TempDir(), "state"),
		"INFRA_INTERVAL=1s", "VLLM_INTERVAL=1s",
		"VLLM_ENDPOINTS=[]",
		"LOKI_OTLP_ENDPOINT=http://127.0.0.1:1/otlp",
	}, env...)...)
	c.waitReady("http://" + free[4] + "/")
	return c
}

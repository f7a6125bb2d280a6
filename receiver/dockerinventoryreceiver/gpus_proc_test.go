package dockerinventoryreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// writeGPU writes what the driver says of a GPU.
func writeGPU(t *testing.T, root, address, text string) {
	t.Helper()
	dir := filepath.Join(root, "driver", "nvidia", "gpus", address)
	require.NoError(t, os.MkdirAll(dir, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "information"), []byte(text), 0o600))
}

func TestProcGPUs(t *testing.T) {
	root := t.TempDir()
	assert.Empty(t, procGPUs{root}.GPUs(), "no driver")

	writeGPU(t, root, "0000:2a:00.0", "Model: \t\t NVIDIA H200\nGPU UUID: \t GPU-2\nBus Location: \t 0000:2a:00.0\nDevice Minor: \t 0\n")
	writeGPU(t, root, "0000:18:00.0", "Model: \t\t NVIDIA H200\nGPU UUID: \t GPU-1\nBus Location: \t 0000:18:00.0\nDevice Minor: \t 1\n")
	writeGPU(t, root, "0000:3a:00.0", "GPU UUID: \t GPU-????????-????-????-????-????????????\nDevice Minor: \t 2\n")
	writeGPU(t, root, "0000:4a:00.0", "GPU UUID: \t GPU-4\nDevice Minor: \t none\n")
	assert.Equal(t, []docker.GPU{
		{Index: 0, Minor: 1, UUID: "GPU-1"},
		{Index: 1, Minor: 0, UUID: "GPU-2"},
		{Index: 3, Minor: -1, UUID: "GPU-4"},
	}, procGPUs{root}.GPUs())
}

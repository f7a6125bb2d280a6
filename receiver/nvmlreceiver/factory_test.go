package nvmlreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestDefaultConfig(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, 30*time.Second, cfg.CollectionInterval)
	assert.Equal(t, 10*time.Second, cfg.Timeout)
	assert.False(t, cfg.Required)
	assert.Empty(t, cfg.ReleaseFile)
	assert.True(t, cfg.Attribution.Enabled)
	assert.False(t, cfg.Attribution.ContainerID)
	m := cfg.Metrics
	for name, on := range map[string]bool{
		"pid series":     m.HwGpuProcessMemoryUsage.Enabled || m.HwGpuProcessUtilization.Enabled,
		"link series":    m.HwGpuNvlinkLinkIo.Enabled || m.HwGpuNvlinkLinkErrors.Enabled,
		"PCIe sampling":  m.HwGpuPcieThroughputSampled.Enabled,
		"BAR1":           m.HwGpuBar1Usage.Enabled,
		"row histograms": m.HwGpuRemapBanks.Enabled,
	} {
		assert.False(t, on, name)
	}
}

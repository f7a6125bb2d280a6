package vllmreceiver

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
	assert.Equal(t, time.Minute, cfg.CollectionInterval)
	assert.Equal(t, 10*time.Second, cfg.Timeout)
	assert.Less(t, cfg.Timeout, cfg.CollectionInterval)
	assert.Empty(t, cfg.Endpoints)
	assert.Empty(t, cfg.Histograms)
}

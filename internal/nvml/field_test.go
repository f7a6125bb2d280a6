package nvml

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    Number
		f    float64
		i    int64
		u    uint64
	}{
		{"zero", Number{}, 0, 0, 0},
		{"unsigned", UintNumber(7), 7, 7, 7},
		{"largest unsigned", UintNumber(math.MaxUint64), 1 << 64, math.MaxInt64, math.MaxUint64},
		{"signed", IntNumber(-8), -8, -8, 0},
		{"positive signed", IntNumber(8), 8, 8, 8},
		{"floating", FloatNumber(1.5), 1.5, 1, 1},
		{"negative floating", FloatNumber(-1.5), -1.5, -1, 0},
		{"large floating", FloatNumber(1e30), 1e30, math.MaxInt64, math.MaxUint64},
		{"small floating", FloatNumber(-1e30), -1e30, math.MinInt64, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.f, tt.n.Float64())
			assert.Equal(t, tt.i, tt.n.Int64())
			assert.Equal(t, tt.u, tt.n.Uint64())
		})
	}
	nan := FloatNumber(math.NaN())
	assert.True(t, math.IsNaN(nan.Float64()))
	assert.Zero(t, nan.Int64())
	assert.Zero(t, nan.Uint64())
}

func TestFabricStateString(t *testing.T) {
	assert.Equal(t, "not_supported", FabricNotSupported.String())
	assert.Equal(t, "not_started", FabricNotStarted.String())
	assert.Equal(t, "in_progress", FabricInProgress.String())
	assert.Equal(t, "completed", FabricCompleted.String())
	assert.Equal(t, "unknown", FabricState(9).String())
}

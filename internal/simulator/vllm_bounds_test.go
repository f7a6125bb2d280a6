package simulator

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTokenBoundsFollowContext(t *testing.T) {
	assert.Equal(t, []float64{1, 2, 5, 10, 20, 50, 100}, tokenBounds(0, 100))
	assert.Equal(t, []float64{1, 2, 5, 10, 20, 50}, tokenBounds(0, 99))
	assert.Len(t, stepBounds(orderOf(VLLM0_8_5), 0), 67)
}

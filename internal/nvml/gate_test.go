package nvml

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGate(t *testing.T) {
	var g gate
	_, ok := g.enter(anyGeneration)
	assert.False(t, ok, "closed at first")

	g.start()
	first, ok := g.enter(anyGeneration)
	require.True(t, ok)
	_, ok = g.enter(first)
	require.True(t, ok, "calls are shared")
	_, ok = g.enter(first + 1)
	assert.False(t, ok, "another generation")

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	assert.Equal(t, CodeTimeout, g.stop(ctx))
	_, ok = g.enter(first)
	assert.True(t, ok, "open again after a stop in vain")

	stopped := make(chan error)
	go func() { stopped <- g.stop(context.Background()) }()
	require.Eventually(t, func() bool {
		_, ok := g.enter(first)
		if ok {
			g.leave()
		}
		return !ok
	}, time.Second, time.Millisecond, "no new calls while stopping")
	g.leave()
	g.leave()
	select {
	case err := <-stopped:
		t.Fatal("stopped with a call under way", err)
	case <-time.After(10 * time.Millisecond):
	}
	g.leave()
	require.NoError(t, <-stopped)
	_, ok = g.enter(anyGeneration)
	assert.False(t, ok)

	g.start()
	_, ok = g.enter(first)
	assert.False(t, ok, "of before")
	second, ok := g.enter(anyGeneration)
	assert.True(t, ok)
	assert.Greater(t, second, first)
	g.leave()
	require.NoError(t, g.stop(t.Context()))
}

func TestGateStopRacesWithLeave(t *testing.T) {
	for range 200 {
		var g gate
		g.start()
		_, ok := g.enter(anyGeneration)
		require.True(t, ok)
		ctx, cancel := context.WithCancel(t.Context())
		go g.leave()
		go cancel()
		err := g.stop(ctx)
		_, open := g.enter(anyGeneration)
		assert.Equal(t, err != nil, open)
	}
}

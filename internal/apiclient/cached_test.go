package apiclient

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := newStubbed(t, always(200))
		failure, n := error(nil), 0
		cached := NewCached(c, "/models", time.Minute, func(context.Context) (int, error) {
			n++
			return n, failure
		})
		begin := time.Now()
		get := func(want int, age time.Duration, wantErr error) {
			t.Helper()
			value, at, err := cached.Get(t.Context())
			require.ErrorIs(t, err, wantErr)
			assert.Equal(t, want, value)
			assert.Equal(t, age, time.Since(at))
		}
		get(1, 0, nil)
		time.Sleep(59 * time.Second)
		get(1, 59*time.Second, nil)
		time.Sleep(time.Second)
		get(2, 0, nil)

		failure = errors.New("broken")
		time.Sleep(time.Minute)
		get(2, time.Minute, failure)
		time.Sleep(time.Second)
		get(2, 61*time.Second, failure)
		failure = nil
		get(5, 0, nil)

		cached.Forget()
		get(6, 0, nil)
		cached.Forget()
		failure = errors.New("broken again")
		value, at, err := cached.Get(t.Context())
		require.ErrorIs(t, err, failure)
		assert.Zero(t, at)
		assert.Zero(t, value, "forgotten")
		assert.Equal(t, 121*time.Second, time.Since(begin))
	})
}

// TestCachedNever: without a good answer there is no time of one.
func TestCachedNever(t *testing.T) {
	c, _, _ := newStubbed(t, always(200))
	failure := errors.New("broken")
	cached := NewCached(c, "/models", time.Minute, func(context.Context) (string, error) { return "half", failure })
	value, at, err := cached.Get(t.Context())
	require.ErrorIs(t, err, failure)
	assert.Empty(t, value)
	assert.Zero(t, at)
}

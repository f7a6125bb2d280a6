package apiclient

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func breaker(failures uint32) func(*Config) {
	return func(cfg *Config) {
		cfg.CircuitBreaker = CircuitBreakerConfig{Failures: failures, OpenFor: time.Minute}
	}
}

// assertClosed says that the gate is closed for this reason, and that nothing was
// asked.
func assertClosed(t *testing.T, c *Client, s *stub, reason string) {
	t.Helper()
	before := len(s.asked)
	err := ask(t.Context(), c)
	require.ErrorIs(t, err, ErrGateClosed)
	assert.Equal(t, reason, Reason(err))
	assert.NotContains(t, err.Error(), "nil")
	assert.Len(t, s.asked, before, "a closed gate costs no request")
}

func TestBreakerOpensAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, inTurn(500, 500, 200, 500, 500, 502, 200), noRetry, breaker(3))
		for _, want := range []string{"500", "500", "", "500", "500", "502"} {
			if err := ask(t.Context(), c); want == "" {
				require.NoError(t, err)
			} else {
				require.NotErrorIs(t, err, ErrGateClosed)
				assert.Equal(t, want, Reason(err))
			}
		}
		assertClosed(t, c, s, "502")
		time.Sleep(time.Minute)
		assertClosed(t, c, s, "502")

		time.Sleep(time.Second)
		require.NoError(t, ask(t.Context(), c), "one is let through, and goes well")
		require.NoError(t, ask(t.Context(), c))
		require.NoError(t, c.JSON(t.Context(), Request{Endpoint: "/other"}, new(any)))
	})
}

func TestBreakerCountsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(500), breaker(3))
		begin := time.Now()
		require.EqualError(t, ask(t.Context(), c), "server answers 500")
		assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second}, s.after())
		assert.Equal(t, 3*time.Second, time.Since(begin), "the breaker ends the retries at once")
		assertClosed(t, c, s, "500")
	})
}

// TestWhatClosesTheGate: the reason stays, whatever becomes of requests that were
// under way.
func TestWhatClosesTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, func(n int) (*http.Response, error) {
			if n == 1 {
				time.Sleep(time.Second)
				return answer(500, ""), nil
			}
			return answer(401, ""), nil
		}, noRetry, breaker(5))
		slow := make(chan error)
		go func() { slow <- ask(t.Context(), c) }()
		synctest.Wait()
		require.EqualError(t, ask(t.Context(), c), "server answers 401")
		require.EqualError(t, <-slow, "server answers 500")
		assertClosed(t, c, s, "401")
	})
}

// TestGateClosesDuringTheWait: what waits for the rate limit is not sent after all.
func TestGateClosesDuringTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(401), noRetry, breaker(5), func(cfg *Config) { cfg.RateLimit.RequestsPerSecond = 1 })
		results := make(chan error)
		for range 5 {
			go func() { results <- ask(t.Context(), c) }()
		}
		refused := 0
		for range 5 {
			err := <-results
			assert.Equal(t, "401", Reason(err))
			if errors.Is(err, ErrGateClosed) {
				refused++
			}
		}
		assert.Equal(t, 4, refused)
		assert.Len(t, s.asked, 1)
	})
}

// TestRefusalOpensAtOnce: after a refusal nothing is asked for open_for, and then
// once in each.
func TestRefusalOpensAtOnce(t *testing.T) {
	for reason, code := range map[string]int{"401": 401, "403": 403} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s, _ := newStubbed(t, inTurn(code, code, 200, 500), noRetry, breaker(5))
				for range 2 {
					err := ask(t.Context(), c)
					require.NotErrorIs(t, err, ErrGateClosed)
					assert.Equal(t, reason, Reason(err))
					assertClosed(t, c, s, reason)
					time.Sleep(time.Minute)
					assertClosed(t, c, s, reason)
					time.Sleep(time.Second)
				}
				require.NoError(t, ask(t.Context(), c))
				for range 4 {
					require.NotErrorIs(t, ask(t.Context(), c), ErrGateClosed, "other failures count as ever")
				}
			})
		})
	}
}

func TestNoBreaker(t *testing.T) {
	for _, code := range []int{401, 403, 500} {
		c, s, _ := newStubbed(t, always(code), noRetry, breaker(0))
		for range 10 {
			require.NotErrorIs(t, ask(t.Context(), c), ErrGateClosed)
		}
		assert.Len(t, s.asked, 10)
	}
}

// TestBreakerLeavesAlone: what is no failure of the server neither opens the breaker
// nor keeps it open.
func TestBreakerLeavesAlone(t *testing.T) {
	for _, code := range []int{400, 404, 422, 501} {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, inTurn(code, code, code, 500, code, 500), noRetry, breaker(2))
			for range 6 {
				require.NotErrorIs(t, ask(t.Context(), c), ErrGateClosed)
			}
			require.Error(t, ask(t.Context(), c))
			assertClosed(t, c, s, "500")
		})
	}
}

// TestBreakerCounts: what is no answer to the question counts, whether to repeat the
// request might help or not.
func TestBreakerCounts(t *testing.T) {
	for reason, failure := range map[string]error{
		ReasonTLS: http.ErrSchemeMismatch, ReasonRedirect: ErrRedirect, ReasonHTML: ErrHTML, ReasonMalformed: ErrNotJSON,
		ReasonTooLarge: ErrTooLarge, ReasonRefused: syscall.ECONNREFUSED,
	} {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, func(int) (*http.Response, error) { return nil, failure }, noRetry, breaker(2))
			for range 2 {
				require.NotErrorIs(t, ask(t.Context(), c), ErrGateClosed)
			}
			assertClosed(t, c, s, reason)
		})
	}
}

// TestProbeBrokenOff: a request that we broke off does not close an open breaker.
func TestProbeBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(500), noRetry, breaker(1))
		require.Error(t, ask(t.Context(), c))
		assertClosed(t, c, s, "500")
		time.Sleep(time.Minute + time.Second)

		s.answers = func(int) (*http.Response, error) { return nil, context.Canceled }
		require.ErrorIs(t, ask(t.Context(), c), context.Canceled)
		s.answers = always(503)
		require.NotErrorIs(t, ask(t.Context(), c), ErrGateClosed)
		assertClosed(t, c, s, "503")
	})
}

// TestOneProbe: while one request finds out whether the server is well again, others
// stay out.
func TestOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(500), noRetry, breaker(1))
		require.Error(t, ask(t.Context(), c))
		time.Sleep(time.Minute + time.Second)
		s.answers = func(int) (*http.Response, error) {
			time.Sleep(10 * time.Second)
			return answer(200, "{}"), nil
		}
		done := make(chan error)
		go func() { done <- ask(t.Context(), c) }()
		synctest.Wait()
		err := ask(t.Context(), c)
		require.ErrorIs(t, err, ErrGateClosed)
		assert.Equal(t, "500", Reason(err))
		require.NoError(t, <-done)
		require.NoError(t, ask(t.Context(), c))
	})
}

func TestRateLimit(t *testing.T) {
	limit := func(cfg *Config) { cfg.RateLimit = RateLimitConfig{RequestsPerSecond: 0.5, Burst: 2} }
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(200), limit, breaker(1))
		for range 4 {
			require.NoError(t, ask(t.Context(), c))
		}
		assert.Equal(t, []time.Duration{0, 0, 2 * time.Second, 4 * time.Second}, s.after())

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := ask(ctx, c)
		require.ErrorIs(t, err, ErrRateLimit)
		assert.Equal(t, ReasonRateLimit, Reason(err))
		assert.False(t, Reached(Reason(err)))
		assert.Zero(t, time.Since(begin), "no waiting in vain")

		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		require.ErrorIs(t, ask(ctx, c), context.Canceled)
		assert.Len(t, s.asked, 4)

		time.Sleep(2 * time.Second)
		require.NoError(t, ask(t.Context(), c), "nothing of this is a failure of the server")
	})
}

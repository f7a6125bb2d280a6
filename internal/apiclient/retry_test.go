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

// after are the times of the requests since the first.
func (s *stub) after() []time.Duration {
	var times []time.Duration
	for _, at := range s.asked {
		times = append(times, at.Sub(s.asked[0]))
	}
	return times
}

func TestRetriesUntilItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, inTurn(503, 500, 200))
		require.NoError(t, ask(t.Context(), c))
		assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second}, s.after())
	})
}

// TestRetryAfter: the server's word counts if there is time for it.
func TestRetryAfter(t *testing.T) {
	for name, header := range map[string]func() string{
		"seconds": func() string { return "7" },
		"date":    func() string { return time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := func(n int) (*http.Response, error) {
					if n == 1 {
						return answer(429, "", "Retry-After", header()), nil
					}
					return answer(200, "{}"), nil
				}
				c, s, _ := newStubbed(t, answers)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				require.NoError(t, ask(ctx, c))
				assert.Equal(t, []time.Duration{0, 7 * time.Second}, s.after())
			})
		})
	}
}

// TestRetryAfterTooLate: what is beyond the time there is ends the request at once,
// and the endpoint is left alone until then, by all.
func TestRetryAfterTooLate(t *testing.T) {
	for name, limit := range map[string]struct {
		timeout, elapsed time.Duration
	}{
		"deadline":         {5 * time.Second, 0},
		"max_elapsed_time": {time.Hour, 5 * time.Second},
	} {
		for _, code := range []int{429, 500, 503} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, s, _ := newStubbed(t, always(code, "Retry-After", "60"), func(cfg *Config) { cfg.Retry.MaxElapsedTime = limit.elapsed })
					begin := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), limit.timeout)
					defer cancel()
					err := ask(ctx, c)
					require.EqualError(t, err, (&StatusError{Code: code, RetryAfter: time.Minute}).Error())
					assert.Zero(t, time.Since(begin))

					for range 3 {
						again := ask(t.Context(), c)
						require.ErrorIs(t, again, ErrGateClosed)
						assert.Equal(t, Reason(err), Reason(again))
						assert.Contains(t, again.Error(), "not asked for now: server answers")
						time.Sleep(19 * time.Second)
					}
					assert.Len(t, s.asked, 1, "a closed gate costs no request")

					brief, cancel := context.WithTimeout(t.Context(), 4*time.Second)
					defer cancel()
					other := c.JSON(brief, Request{Endpoint: "/other"}, new(any))
					require.NotErrorIs(t, other, ErrGateClosed, "each endpoint has its own gate")
					assert.Len(t, s.asked, 2)

					time.Sleep(3 * time.Second) // 60 s in all
					require.NotErrorIs(t, ask(brief, c), ErrGateClosed)
					assert.Len(t, s.asked, 3)
				})
			})
		}
	}
}

// TestPauseNotShortened: an answer that was under way when the server asked for a
// pause does not open the gate again.
func TestPauseNotShortened(t *testing.T) {
	g := &gate{}
	now := time.Now()
	g.note(&StatusError{Code: 429, RetryAfter: time.Minute}, now)
	g.note(&StatusError{Code: 429, RetryAfter: time.Second}, now)
	g.note(&StatusError{Code: 404, RetryAfter: time.Hour}, now)
	g.note(nil, now)
	err := g.closed(now.Add(59 * time.Second))
	require.ErrorIs(t, err, ErrGateClosed)
	var status *StatusError
	require.ErrorAs(t, err, &status)
	assert.Equal(t, StatusError{Code: 429, RetryAfter: time.Second}, *status, "what is left of the pause")
	require.NoError(t, g.closed(now.Add(time.Minute)))
}

// TestRetryAfterShort: a server that wants less than the interval gets the interval.
func TestRetryAfterShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(503, "Retry-After", "3"))
		require.EqualError(t, ask(t.Context(), c), "server answers 503, asks for a pause of 3s")
		assert.Equal(t, []time.Duration{0, 3 * time.Second, 6 * time.Second, 10 * time.Second}, s.after())
	})
}

// TestChance: no two collectors repeat their requests at the same times.
func TestChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := newStubbed(t, always(500), breaker(0), func(cfg *Config) { cfg.Retry.RandomizationFactor, cfg.Retry.MaxElapsedTime = 0.5, time.Hour })
		require.Error(t, ask(t.Context(), c))
		times := s.after()
		require.Greater(t, len(times), 20)
		odd := 0
		for i, interval := range []float64{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			pause := times[i+1] - times[i]
			assert.InEpsilon(t, interval, pause.Seconds(), 0.501)
			if pause%time.Second != 0 {
				odd++
			}
		}
		assert.Positive(t, odd)
	})
}

func TestRetriesEnd(t *testing.T) {
	t.Run("max_elapsed_time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(500))
			assert.Equal(t, "500", Reason(ask(t.Context(), c)))
			assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}, s.after())
		})
	})
	t.Run("deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(500))
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
			defer cancel()
			assert.Equal(t, "500", Reason(ask(ctx, c)), "what went wrong, not that time is up")
			assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second}, s.after())
			assert.NoError(t, ctx.Err(), "no waiting for the end")
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(500))
			begin := time.Now()
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			assert.Equal(t, "500", Reason(ask(ctx, c)))
			assert.Equal(t, 2*time.Second, time.Since(begin))
			assert.Len(t, s.asked, 2)
		})
	})
	t.Run("cancelled, in disguise", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(200))
			ctx, cancel := context.WithCancel(t.Context())
			err := c.Do(ctx, target, func(*http.Response) error {
				cancel()
				return errors.New("no more bytes")
			})
			require.ErrorIs(t, err, context.Canceled)
			assert.Len(t, s.asked, 1)
		})
	})
	t.Run("over before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(500))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			time.Sleep(2 * time.Second)
			err := ask(ctx, c)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, ReasonTimeout, Reason(err))
			assert.Empty(t, s.asked)
		})
	})
	t.Run("switched off", func(t *testing.T) {
		c, s, _ := newStubbed(t, always(500), noRetry)
		assert.Equal(t, "500", Reason(ask(t.Context(), c)))
		assert.Len(t, s.asked, 1)
	})
}

// TestWhatIsRetried: what another request would not change is asked once, and says
// nothing about the health of the server either.
func TestWhatIsRetried(t *testing.T) {
	once := func(c *Config) { c.Retry.MaxElapsedTime = time.Second }
	for _, code := range []int{408, 425, 429, 500, 502, 503, 504, 529} {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(code), once)
			require.Error(t, ask(t.Context(), c))
			assert.Len(t, s.asked, 2, code)
		})
	}
	for _, code := range []int{204, 400, 401, 403, 404, 405, 422, 501} {
		synctest.Test(t, func(t *testing.T) {
			c, s, _ := newStubbed(t, always(code), once)
			require.Error(t, ask(t.Context(), c))
			assert.Len(t, s.asked, 1, code)
		})
	}
	for want, errs := range map[int][]error{
		2: {syscall.ECONNREFUSED, syscall.ECONNRESET, errors.New("broken"), context.DeadlineExceeded},
		1: {context.Canceled, ErrRedirect},
	} {
		for _, failure := range errs {
			synctest.Test(t, func(t *testing.T) {
				c, s, _ := newStubbed(t, func(int) (*http.Response, error) { return nil, failure }, once)
				require.ErrorIs(t, ask(t.Context(), c), failure)
				assert.Len(t, s.asked, want, failure)
			})
		}
	}
}

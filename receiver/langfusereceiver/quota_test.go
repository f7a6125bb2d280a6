package langfusereceiver

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// cloud lets the receiver believe that it reads Langfuse Cloud.
func cloud(cfg *Config) { cfg.Endpoint = "https://cloud.langfuse.com" }

// TestHobbyWeek: a week on the smallest plan, with a backlog to begin with, restarts
// and an upgrade of the server each day: no 429, and nothing lost.
func TestHobbyWeek(t *testing.T) {
	for _, tt := range []struct {
		name    string
		server  simulator.LangfuseConfig
		backlog time.Duration
		before  time.Duration // how old the figures may be that are read at the end
	}{
		{"v2", simulator.LangfuseConfig{Cloud: true}, day, 6 * time.Hour},
		{"v2, a month before it", simulator.LangfuseConfig{Cloud: true}, 29 * day, 6 * time.Hour},
		{"v2 in the bucket of v1", simulator.LangfuseConfig{Cloud: true, Version: "3.190.0"}, day, 6 * time.Hour},
		{"v1", simulator.LangfuseConfig{Cloud: true, Version: "3.100.0"}, day, 9 * time.Hour},
		{"daily", simulator.LangfuseConfig{Cloud: true, Version: "3.50.0"}, day, 5 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, tt.server, cloud, func(cfg *Config) { cfg.Backlog = tt.backlog })
				l := newLife(b.sim).live(noon.Add(-tt.backlog-2*day), noon.Add(7*day), 2)
				for range 7 {
					b.up(t)
					pass(23*time.Hour + 50*time.Minute)
					b.down(t)
					pass(10 * time.Minute)
				}
				b.up(t)
				pass(6*time.Hour + time.Minute)
				assert.Zero(t, b.sim.Throttled(), "%v", b.sim.Requests())
				got := b.read(t)
				assert.Empty(t, got.problem())
				begin := noon.Add(-tt.backlog).Truncate(day)
				truth := l.truth(begin, noon.Add(7*day))
				if tt.name == "v2 in the bucket of v1" { // which cannot tell root observations yet
					assert.Empty(t, got.of("langfuse.traces"))
				} else {
					assert.Equal(t, truth["langfuse.traces"], got.sum("langfuse.traces"))
				}
				for series, v := range truth {
					if got[series].metric == "langfuse.tokens" {
						assert.Equal(t, v, got.value(t, series), series)
					}
				}
				queries := b.wire.queries()
				if tt.name != "daily" {
					assert.Greater(t, queries, 7*60, "what is allowed is to be used")
				}
			})
		})
	}
}

// TestMonthOfBacklog: a month is read in windows of a day, told of in the log, and
// shown only when it is complete.
func TestMonthOfBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{}, func(cfg *Config) {
			cfg.Backlog = 30 * day
			cfg.RateLimit.RequestsPerSecond = 0.1
		})
		l := newLife(b.sim).live(noon.Add(-33*day), noon.Add(time.Hour), 5)
		b.up(t)
		begin := noon.Add(-30 * day).Truncate(day)
		behind := 30*day + 13*time.Hour
		for minutes := 0; ; minutes++ {
			require.Less(t, minutes, 60)
			got := b.read(t)
			now := got.value(t, "langfuse.backlog.remaining")
			require.LessOrEqual(t, now, behind.Seconds())
			behind = time.Duration(now) * time.Second
			if behind == 0 {
				break
			}
			if sum := got.sum("langfuse.tokens"); sum > 0 {
				end := time.UnixMilli(int64(1000 * got.value(t, "langfuse.window.end{langfuse.view=observations}")))
				require.False(t, end.Before(noon.Add(-ingestionDelay)), "a sum must not be shown before all is read")
				require.Equal(t, tokens(l.truth(begin, end)), sum)
			}
			pass(time.Minute)
		}
		asked := b.wire.queries()
		assert.Less(t, asked, 31*4+20)
		assert.Greater(t, time.Since(noon), time.Duration(asked-10)*10*time.Second, "the rate limit holds")
		assert.Len(t, b.lines("Reading what happened before."), 1)
		progress := b.lines("Still reading")
		assert.GreaterOrEqual(t, len(progress), 5)
		assert.LessOrEqual(t, len(progress), 12)
		assert.Len(t, b.lines("All that happened before is read."), 1)
		edge := time.Now().Add(-ingestionDelay).Truncate(shortestWindow)
		assertCounted(t, l.truth(begin, edge), b.read(t))
	})
}

// TestLimited: the server is left alone for as long as it says, also over a restart;
// where it does not say, for longer and longer.
func TestLimited(t *testing.T) {
	refuse := func(retryAfter string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		})
	}
	for _, tt := range []struct {
		name, retryAfter string
		asked            int
	}{
		{"told", "7200", 1},
		{"told as a date", noon.Add(2 * time.Hour).Format(http.TimeFormat), 1},
		{"not told", "", 18},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, simulator.LangfuseConfig{})
				l := newLife(b.sim).live(noon.Add(-day), noon.Add(4*time.Hour), 20)
				working := b.wire.handler
				limited := refuse(tt.retryAfter)
				b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, of := r.URL.Query()["query"]; of {
						limited.ServeHTTP(w, r)
						return
					}
					working.ServeHTTP(w, r)
				}))
				b.up(t)
				pass(time.Hour)
				got := b.read(t)
				assert.Equal(t, "429", got.problem())
				assert.Equal(t, 1.0, got.value(t, "langfuse.up"))
				assert.Empty(t, got.of("langfuse.tokens"))
				b.down(t)
				b.up(t)
				pass(58 * time.Minute)
				assert.InDelta(t, tt.asked, b.wire.queries(), float64(tt.asked-1)/2)
				assert.Len(t, b.lines("refuses further queries"), 1)
				b.wire.connect(working)
				pass(32 * time.Minute)
				got = b.read(t)
				assert.Empty(t, got.problem())
				assertCounted(t, l.truth(noon.Add(-day).Truncate(day), noon.Add(140*time.Minute)), got)
			})
		})
	}
}

// TestLastQuery: where the server says that it would refuse the next query, none is
// sent.
func TestLastQuery(t *testing.T) {
	for _, tt := range []struct {
		name, reset string
		until       time.Duration
	}{
		{"told", noon.Add(time.Hour).Format("Mon Jan 02 2006 15:04:05") + " GMT+0000 (Coordinated Universal Time)", time.Hour},
		{"nonsense", "tomorrow", defaultRetryMost},
		{"long ago", noon.Add(-time.Hour).Format("Mon Jan 02 2006 15:04:05") + " GMT+0000", defaultRetryMost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				b := newBench(t, simulator.LangfuseConfig{})
				working := b.wire.handler
				b.wire.connect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-RateLimit-Remaining", "1")
					w.Header().Set("X-RateLimit-Reset", tt.reset)
					working.ServeHTTP(w, r)
				}))
				b.up(t)
				pass(tt.until - time.Minute)
				assert.Equal(t, 1, b.wire.queries())
				pass(2 * time.Minute)
				assert.Equal(t, 2, b.wire.queries())
			})
		})
	}
}

func tokens(truth map[string]float64) float64 {
	sum := 0.0
	for series, v := range truth {
		if strings.HasPrefix(series, "langfuse.tokens{") {
			sum += v
		}
	}
	return sum
}

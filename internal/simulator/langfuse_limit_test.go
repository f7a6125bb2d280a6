package simulator

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// spendAll calls a path until it is refused and returns how many calls were answered.
func spendAll(t *testing.T, l *Langfuse, path string) int {
	t.Helper()
	query := url.Values{"query": {lfTimes(t, lfCount)}}
	for n := range 3000 {
		if lfGet(l, path, query).Code == http.StatusTooManyRequests {
			return n
		}
	}
	return -1
}

// TestLangfuseLimits: the call that takes the last point is refused, so one fewer than the limit is answered.
func TestLangfuseLimits(t *testing.T) {
	for _, test := range []struct {
		plan    LangfusePlan
		version string
		want    map[string]int
	}{
		{LangfuseHobby, "4.16.0", map[string]int{"/v2/metrics": 99, "/metrics": 99, "/metrics/daily": 9, "/traces": 14, "/scores": 29, "/health": -1, "/projects": -1}},
		{LangfuseCore, "4.16.0", map[string]int{"/v2/metrics": 99, "/metrics": 199, "/metrics/daily": 19, "/sessions": 29, "/v3/scores": 99}},
		{LangfusePro, "4.16.0", map[string]int{"/v2/metrics": 499, "/metrics": 1999, "/metrics/daily": 199, "/observations": 99, "/v2/observations": 999}},
		{LangfuseHobby, "3.180.0", map[string]int{"/v2/metrics": 99, "/traces": 29}},
	} {
		for path, want := range test.want {
			l, _ := newTestLangfuse(LangfuseConfig{Cloud: true, Plan: test.plan, Version: test.version})
			assert.Equal(t, want, spendAll(t, l, path), "%s %s %s", test.plan, test.version, path)
		}
	}
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	assert.Equal(t, -1, spendAll(t, l, "/v2/metrics"), "self-hosted servers have no limits")
	assert.Zero(t, l.Throttled())
}

func TestLangfuseBucketsAreShared(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Cloud: true})
	assert.Equal(t, 14, spendAll(t, l, "/traces"))
	assert.Equal(t, 429, lfGet(l, "/sessions", nil).Code)
	assert.Equal(t, 200, lfGet(l, "/scores", nil).Code)
	assert.Equal(t, 99, spendAll(t, l, "/v2/metrics"))
	assert.Equal(t, 99, spendAll(t, l, "/metrics"))
	assert.Equal(t, 4, l.Throttled())

	l, _ = newTestLangfuse(LangfuseConfig{Cloud: true, Version: "3.180.0"})
	assert.Equal(t, 99, spendAll(t, l, "/v2/metrics"))
	assert.Equal(t, 0, spendAll(t, l, "/metrics"), "they were one bucket until mid 2026")
	assert.Equal(t, 29, spendAll(t, l, "/traces"))
	assert.Equal(t, 0, spendAll(t, l, "/v2/scores"))
}

func TestLangfuseThrottling(t *testing.T) {
	l, c := newTestLangfuse(LangfuseConfig{Cloud: true})
	spendAll(t, l, "/traces")
	c.t = c.t.Add(29*time.Second + time.Millisecond)
	w := lfGet(l, "/traces", nil)
	assert.Equal(t, 429, w.Code)
	assert.Equal(t, "31", w.Header().Get("Retry-After"))
	assert.Equal(t, "15", w.Header().Get("X-RateLimit-Limit"))
	assert.Equal(t, "0", w.Header().Get("X-RateLimit-Remaining"))
	assert.Equal(t, "Tue Mar 10 2026 12:01:00 GMT+0000 (Coordinated Universal Time)", w.Header().Get("X-RateLimit-Reset"))
	assert.JSONEq(t, `{"message":"Rate limit exceeded","code":"rate_limited","details":{"limit":15,"remaining":0,"resetAt":"2026-03-10T12:01:00.000Z","retryAfterSeconds":31}}`, w.Body.String())

	c.t = lfAt(12, 1, 0)
	w = lfGet(l, "/traces", nil)
	assert.Equal(t, 200, w.Code)
	assert.Empty(t, w.Header().Get("X-RateLimit-Limit"), "good answers say nothing of limits")
	l.RevokeKey()
	assert.Equal(t, 401, lfGet(l, "/traces", nil).Code)
	l.SetKey("pk-lf-sim", "sk-lf-sim")
	assert.Equal(t, 13, spendAll(t, l, "/traces"), "a wrong key costs nothing")

	l, _ = newTestLangfuse(LangfuseConfig{Cloud: true, Version: "3.180.0"})
	spendAll(t, l, "/traces")
	assert.Equal(t, "429 - rate limit exceeded", lfGet(l, "/traces", nil).Body.String())
}

package simulator

import (
	"fmt"
	"math"
	"net/http"
	"time"
)

// langfuseBucket is what calls are counted in. All keys of an organisation share it.
type langfuseBucket string

const (
	bucketNone    langfuseBucket = ""
	bucketOther   langfuseBucket = "public-api"
	bucketLegacy  langfuseBucket = "public-api-legacy"
	bucketMetrics langfuseBucket = "public-api-metrics"
	bucketV2      langfuseBucket = "public-api-v2-metrics"
	bucketDaily   langfuseBucket = "public-api-daily-metrics-legacy"
)

// langfuseLimit is the number of points in a window.
type langfuseLimit struct {
	points int
	window time.Duration
}

const day = 24 * time.Hour

// langfuseLimits are those of August 2026; of the range that is known for core the lower end.
var langfuseLimits = map[LangfusePlan]map[langfuseBucket]langfuseLimit{
	LangfuseHobby: {
		bucketV2: {100, day}, bucketMetrics: {100, day}, bucketDaily: {10, day},
		bucketLegacy: {15, time.Minute}, bucketOther: {30, time.Minute},
	},
	LangfuseCore: {
		bucketV2: {100, time.Hour}, bucketMetrics: {200, day}, bucketDaily: {20, day},
		bucketLegacy: {30, time.Minute}, bucketOther: {100, time.Minute},
	},
	LangfusePro: {
		bucketV2: {500, time.Hour}, bucketMetrics: {2000, day}, bucketDaily: {200, day},
		bucketLegacy: {100, time.Minute}, bucketOther: {1000, time.Minute},
	},
}

// langfuseWindow is what has been spent of a bucket since its first call.
type langfuseWindow struct {
	start time.Time
	used  int
}

// spend takes a point. The window begins with the first call in it. The call that takes the last point is refused already
// (RateLimitService.ts: remainingPoints < 1), so 99 of 100 are answered.
func (l *Langfuse) spend(header http.Header, bucket langfuseBucket) *langfuseRefusal {
	if !l.cfg.Cloud || bucket == bucketNone {
		return nil
	}
	if !l.release.from(langfuse4) {
		switch bucket {
		case bucketV2:
			bucket = bucketMetrics
		case bucketLegacy:
			bucket = bucketOther
		}
	}
	limit, now := langfuseLimits[l.cfg.Plan][bucket], l.cfg.Now()
	spent := l.spent[bucket]
	if spent == nil || !now.Before(spent.start.Add(limit.window)) {
		spent = &langfuseWindow{start: now}
		l.spent[bucket] = spent
	}
	spent.used++
	remaining := max(limit.points-spent.used, 0)
	if remaining > 0 {
		return nil
	}
	l.throttled++
	reset := spent.start.Add(limit.window).UTC()
	wait := int(math.Ceil(seconds(reset.Sub(now))))
	header.Set("Retry-After", itoa(wait))
	header.Set("X-RateLimit-Limit", itoa(limit.points))
	header.Set("X-RateLimit-Remaining", itoa(remaining))
	header.Set("X-RateLimit-Reset", reset.Format("Mon Jan 02 2006 15:04:05")+" GMT+0000 (Coordinated Universal Time)")
	if !l.release.from(langfuse4) {
		return &langfuseRefusal{status: http.StatusTooManyRequests, text: "429 - rate limit exceeded"}
	}
	return &langfuseRefusal{status: http.StatusTooManyRequests, body: map[string]any{
		"message": "Rate limit exceeded", "code": "rate_limited", "details": map[string]any{
			"retryAfterSeconds": wait, "limit": limit.points, "remaining": remaining, "resetAt": langfuseTime(reset),
		},
	}}
}

// langfuseTime is a time as JavaScript's toISOString writes it.
func langfuseTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// langfuseTimeOrNull is null for a time that is not set.
func langfuseTimeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return langfuseTime(t)
}

// checkPlan panics on a plan that does not exist, which is a mistake in a test.
func checkPlan(plan LangfusePlan) {
	if langfuseLimits[plan] == nil {
		panic(fmt.Sprintf("simulator: no Langfuse plan %q", plan))
	}
}

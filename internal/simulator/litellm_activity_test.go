package simulator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	liteToday     = "/user/daily/activity?start_date=2026-03-01&end_date=2026-03-02"
	liteAllOfThem = "/user/daily/activity/aggregated?start_date=2026-03-01&end_date=2026-03-02"
)

func TestLiteLLMActivity(t *testing.T) {
	c := newClock()
	l := playedProxy(LiteLLMConfig{Now: c.now, ActivityDelay: time.Minute})
	assert.Empty(t, proxyJSON(t, l, liteToday)["results"], "not written yet")
	assert.Equal(t, 0.0, within(t, proxyJSON(t, l, liteToday), "metadata", "total_pages"))
	c.t = c.t.Add(time.Minute)
	for _, path := range []string{liteToday, liteAllOfThem} {
		answer := proxyJSON(t, l, path)
		results := answer["results"].([]any)
		require.Len(t, results, 1)
		day := results[0]
		assert.Equal(t, "2026-03-01", within(t, day, "date"))
		metrics := within(t, day, "metrics").(map[string]any)
		for name, want := range map[string]float64{
			"api_requests": 6, "successful_requests": 3, "failed_requests": 3, "prompt_tokens": 3000, "completion_tokens": 300, "total_tokens": 3300,
			"cache_read_input_tokens": 600, "cache_creation_input_tokens": 150,
		} {
			assert.Equal(t, want, metrics[name], name)
		}
		assert.InDelta(t, 970e-6, metrics["spend"], 1e-12)
		metadata := within(t, answer, "metadata").(map[string]any)
		for name, value := range metrics {
			if name == "total_tokens" {
				name = "tokens"
			}
			assert.Equal(t, value, metadata["total_"+name], name)
		}
		for part, want := range map[string][]string{
			"models": {"qwen3-32b", "gpt-5-nano"}, "model_groups": {"chat"}, "providers": {"hosted_vllm", "openai", "unknown"},
			"endpoints": {"/v1/chat/completions"}, "api_keys": {LiteLLMHash("sk-a")}, "mcp_servers": {},
		} {
			breakdown := within(t, day, "breakdown", part).(map[string]any)
			assert.Len(t, breakdown, len(want), part)
			for _, name := range want {
				assert.Contains(t, breakdown, name, part)
			}
		}
		assert.Equal(t, 3000.0, within(t, day, "breakdown", "model_groups", "chat", "metrics", "prompt_tokens"))
		assert.Equal(t, 2000.0, within(t, day, "breakdown", "models", "qwen3-32b", "metrics", "prompt_tokens"))
		assert.Equal(t, 1.0, within(t, day, "breakdown", "providers", "unknown", "metrics", "failed_requests"), "refused by the proxy itself")
		assert.Equal(t, map[string]any{"key_alias": "a", "team_id": "t1"}, within(t, day, "breakdown", "api_keys", LiteLLMHash("sk-a"), "metadata"))
		assert.Equal(t, 2000.0, within(t, day, "breakdown", "models", "qwen3-32b", "api_key_breakdown", LiteLLMHash("sk-a"), "metrics", "prompt_tokens"))
		entities := within(t, day, "breakdown", "entities").(map[string]any)
		assert.Equal(t, path == liteToday, len(entities) == 1, "users are in pages only")
	}
}

// TestLiteLLMActivityPages: a page is so many rows, not so many days, and its totals are its own.
func TestLiteLLMActivityPages(t *testing.T) {
	c := newClock()
	l := NewLiteLLM(LiteLLMConfig{Now: c.now})
	for day := range 2 {
		for user := range 5 {
			l.Finish(LiteLLMRequest{Model: "sim-8b", User: fmt.Sprint("u", user), Attempts: []LiteLLMAttempt{{}}, Input: 10 + day})
			l.Finish(LiteLLMRequest{Model: "sim-8b", User: fmt.Sprint("u", user), Attempts: []LiteLLMAttempt{{}}, Input: 10 + day})
		}
		c.t = c.t.Add(24 * time.Hour)
	}
	var dates []string
	sum := 0.0
	for page := 1; page <= 4; page++ {
		answer := proxyJSON(t, l, fmt.Sprintf("%s&page_size=3&page=%d", liteToday, page))
		metadata := within(t, answer, "metadata").(map[string]any)
		assert.EqualValues(t, page, metadata["page"])
		assert.Equal(t, 4.0, metadata["total_pages"])
		assert.Equal(t, page < 4, metadata["has_more"])
		own := 0.0
		for _, day := range answer["results"].([]any) {
			dates = append(dates, within(t, day, "date").(string))
			own += within(t, day, "metrics", "prompt_tokens").(float64)
		}
		assert.Equal(t, own, metadata["total_prompt_tokens"])
		sum += own
	}
	assert.Equal(t, []string{"2026-03-02", "2026-03-02", "2026-03-01", "2026-03-01", "2026-03-01"}, dates, "the newest first, days are cut")
	assert.Equal(t, 210.0, sum)
	assert.Empty(t, proxyJSON(t, l, liteToday+"&page=9")["results"])
	all := proxyJSON(t, l, liteAllOfThem+"&page_size=3")
	assert.Len(t, all["results"], 2)
	assert.Equal(t, 210.0, within(t, all, "metadata", "total_prompt_tokens"))
	assert.Equal(t, false, within(t, all, "metadata", "has_more"))
	assert.Equal(t, 1.0, within(t, all, "metadata", "total_pages"))
	assert.Len(t, proxyJSON(t, l, "/user/daily/activity?start_date=2026-03-02&end_date=2026-03-02")["results"], 1)
}

// TestLiteLLMActivityIsOfTheKey: who is no administrator sees what is the own.
func TestLiteLLMActivityIsOfTheKey(t *testing.T) {
	c := newClock()
	l := NewLiteLLM(LiteLLMConfig{Now: c.now, Keys: []LiteLLMKey{{Key: "sk-a", User: "a"}, {Key: "sk-nobody"}, {Key: "sk-admin", Admin: true, User: "b"}}})
	for i, user := range []string{"a", "b", "b"} {
		l.Finish(LiteLLMRequest{Model: "sim-8b", User: user, Key: "key-" + itoa(i), Attempts: []LiteLLMAttempt{{}}})
	}
	requests := func(query, key string) float64 {
		status, body := proxyGet(t, l, liteAllOfThem+query, key)
		require.Equal(t, 200, status, body)
		return within(t, object(t, body), "metadata", "total_api_requests").(float64)
	}
	assert.Equal(t, 3.0, requests("", "sk-master"))
	assert.Equal(t, 3.0, requests("", "sk-admin"))
	assert.Equal(t, 2.0, requests("&user_id=b", "sk-admin"))
	assert.Equal(t, 1.0, requests("", "sk-a"))
	assert.Equal(t, 1.0, requests("&user_id=a", "sk-a"))
	assert.Equal(t, 3.0, requests("", "sk-nobody"), "a key without a user is not held to one")
	assert.Equal(t, 1.0, requests("&api_key=key-2", "sk-master"))
	assert.Equal(t, 3.0, requests("&model=sim-8b", "sk-master"))
	assert.Equal(t, 0.0, requests("&model=other", "sk-master"))
	status, body := proxyGet(t, l, liteAllOfThem+"&user_id=b", "sk-a")
	assert.Equal(t, 403, status)
	assert.Contains(t, within(t, object(t, body), "detail", "error"), "own spend")
}

func TestLiteLLMActivityRefuses(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{})
	for query, want := range map[string]int{
		"": 400, "?start_date=2026-03-01": 400, "?start_date=2026-03-01&end_date=2026-03-01&page=0": 422,
		"?start_date=2026-03-01&end_date=2026-03-01&page_size=1001": 422, "?start_date=2026-03-01&end_date=2026-03-01&page_size=x": 422,
	} {
		status, body := proxyGet(t, l, "/user/daily/activity"+query, "sk-master")
		assert.Equal(t, want, status, query)
		assert.Contains(t, object(t, body), "detail")
	}
}

// TestLiteLLMActivityVersions: older ones tell less.
func TestLiteLLMActivityVersions(t *testing.T) {
	for _, version := range LiteLLMVersions() {
		c := newClock()
		l := playedProxy(LiteLLMConfig{Version: version, Now: c.now})
		day := proxyJSON(t, l, liteToday)["results"].([]any)[0]
		breakdown := within(t, day, "breakdown").(map[string]any)
		for part, from := range map[string]LiteLLMVersion{"models": LiteLLM1_65_0, "model_groups": LiteLLM1_80_0, "endpoints": LiteLLM1_82_0} {
			assert.Equal(t, version.has(from), breakdown[part] != nil, "%s in %s", part, version)
		}
		metrics := within(t, day, "metrics").(map[string]any)
		assert.Equal(t, version.has(LiteLLM1_72_0), metrics["cache_read_input_tokens"] != nil, version)
		status, _ := proxyGet(t, l, liteAllOfThem, "sk-master")
		assert.Equal(t, map[bool]int{false: 404, true: 200}[version.has(LiteLLM1_80_0)], status, version)
	}
}

// TestLiteLLMActivityEnds: old days are forgotten; a restart forgets nothing.
func TestLiteLLMActivityEnds(t *testing.T) {
	c := newClock()
	l := NewLiteLLM(LiteLLMConfig{Now: c.now})
	for range keptDays + 10 {
		l.Finish(served(0))
		c.t = c.t.Add(24 * time.Hour)
	}
	l.Restart()
	answer := proxyJSON(t, l, "/user/daily/activity/aggregated?start_date=2000-01-01&end_date=2100-01-01")
	assert.Len(t, answer["results"], keptDays)
	assert.Len(t, l.days.rows, keptDays)
}

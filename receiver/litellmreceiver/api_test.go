package litellmreceiver

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// instead answers some paths itself and leaves the rest to next.
func instead(next http.Handler, answers map[string]http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := answers[r.URL.Path]; answer != nil {
			answer(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// TestRequests: what changes slowly is asked for once in the interval, and the
// models are never called.
func TestRequests(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	p := newProbe(t, c, url, withKey)
	for range 3 {
		require.Empty(t, p.read(t).problems())
	}
	assert.Equal(t, map[string]int{
		"/metrics/": 3, "/health/liveliness": 3, "/health/readiness": 3,
		"/health/readiness/details": 1, "/v1/models": 1, "/model/info": 1, "/health/latest": 1, "/user/daily/activity/aggregated": 1,
	}, l.Requests())
	assert.Zero(t, l.CostlyChecks())
}

func TestAPISwitchedOff(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	got := newProbe(t, c, url, pageOnly).read(t)
	assert.Equal(t, map[string]int{"/metrics/": 1, "/health/liveliness": 1}, l.Requests())
	assert.NotEmpty(t, got.of("litellm.tokens.input"))
	assert.Empty(t, got.of("litellm.info"))
}

// TestNoDatabase: what needs one is absent, and nobody is alarmed.
func TestNoDatabase(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{NoDatabase: true})
	p := newProbe(t, c, url, withKey)
	for range 2 {
		got := p.read(t)
		assert.Empty(t, got.problems())
		for _, metric := range []string{"litellm.daily.spend", "litellm.deployment.healthy", "litellm.proxy.database.connected"} {
			assert.Empty(t, got.of(metric), metric)
		}
		assert.Len(t, got.of("litellm.deployment.info"), 5)
	}
	assert.Equal(t, 1, l.Requests()["/health/latest"], "remembered")
	assert.Empty(t, p.messages())
}

// TestNotOffered: the answers of proxies that lack something.
func TestNotOffered(t *testing.T) {
	for _, status := range []int{400, 404, 405, 422, 500, 501} {
		c := newClock()
		l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
		traffic(l)
		lacks := says(status, `{"error":{"message":"no db connected","type":"x","code":"`+strconv.Itoa(status)+`"}}`)
		p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{
			"/health/latest": lacks, "/model/info": lacks, "/user/daily/activity": lacks, "/user/daily/activity/aggregated": lacks, "/health/readiness": lacks,
		})), withKey)
		got := p.read(t)
		assert.Empty(t, got.problems(), status)
		assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
		assert.Empty(t, got.of("litellm.proxy.ready"))
		assert.Len(t, got.of("litellm.deployment.info"), 4, "names")
		assert.NotEmpty(t, got.of("litellm.tokens.input"))
		assert.Empty(t, p.messages(), status)
	}
}

func TestReadiness(t *testing.T) {
	const old = `{"status":"connected","db":"connected","cache":null,"litellm_version":"1.40.21","success_callbacks":["langfuse"],"last_updated":"2024-07-10T18:59:10.616968"}`
	for _, tt := range []struct {
		name      string
		readiness http.HandlerFunc
		details   http.HandlerFunc
		want      map[string]float64
	}{
		{"documented", says(200, old), says(404, "{}"), map[string]float64{
			"litellm.proxy.ready": 1, "litellm.proxy.database.connected": 1, "litellm.info{service.version=1.40.21}": 1,
		}},
		{"database lost", says(200, `{"status":"healthy","db":"disconnected","cache":"redis","litellm_version":"1.82.0"}`), says(404, ""), map[string]float64{
			"litellm.proxy.ready": 1, "litellm.proxy.database.connected": 0, "litellm.proxy.cache.connected{litellm.cache.type=redis}": 1, "litellm.info{service.version=1.82.0}": 1,
		}},
		{"cache lost", says(200, `{"db":"Not connected","cache":{"type":"redis-semantic","index_info":"index does not exist - error: refused"},"litellm_version":"1.82.0"}`), says(404, ""), map[string]float64{
			"litellm.proxy.ready": 1, "litellm.proxy.cache.connected{litellm.cache.type=redis-semantic}": 0, "litellm.info{service.version=1.82.0}": 1,
		}},
		{"newer, with details", says(200, `{"status":"healthy","db":"connected"}`), says(200, `{"status":"healthy","db":"disconnected","cache":{"type":"redis"},"litellm_version":"1.88.1"}`), map[string]float64{
			"litellm.proxy.ready": 1, "litellm.proxy.database.connected": 1, "litellm.proxy.cache.connected{litellm.cache.type=redis}": 1, "litellm.info{service.version=1.88.1}": 1,
		}},
		{"not ready", says(503, `{"status":"unhealthy"}`), says(404, ""), map[string]float64{"litellm.proxy.ready": 0, "litellm.info{service.version=1.95.0}": 1}},
		{"all is of another type", says(200, `{"status":3,"db":{"a":1},"cache":7,"litellm_version":[1]}`), says(200, `{"db":null,"cache":[],"litellm_version":null}`), map[string]float64{
			"litellm.proxy.ready": 1, "litellm.info{service.version=1.95.0}": 1,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
			p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{"/health/readiness": tt.readiness, "/health/readiness/details": tt.details})), withKey)
			got := p.read(t)
			assert.Empty(t, got.problems())
			found := map[string]float64{}
			for key, r := range got {
				if strings.HasPrefix(r.metric, "litellm.proxy.") || r.metric == "litellm.info" {
					found[key] = r.value
				}
			}
			assert.Equal(t, tt.want, found)
		})
	}
}

// TestReadinessFails is not the same as not being ready.
func TestReadinessFails(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	got := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{"/health/readiness": says(502, "bad gateway")})), withKey).read(t)
	assert.Equal(t, []string{"/health/readiness 502"}, got.problems())
	assert.Empty(t, got.of("litellm.proxy.ready"))
}

// TestDatabaseLost: within one interval.
func TestDatabaseLost(t *testing.T) {
	for _, version := range simulator.LiteLLMVersions() {
		c := newClock()
		l, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version})
		p := newProbe(t, c, url, withKey)
		assert.InDelta(t, 1, p.read(t).value(t, "litellm.proxy.database.connected"), 0)
		l.SetDatabase(false)
		got := p.read(t)
		assert.Zero(t, got.value(t, "litellm.proxy.database.connected"), version)
		assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
	}
}

func TestNotReady(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{Redis: true})
	p := newProbe(t, c, url, withKey, impatient)
	got := p.read(t)
	assert.InDelta(t, 1, got.value(t, "litellm.proxy.ready"), 0)
	assert.InDelta(t, 1, got.value(t, "litellm.proxy.cache.connected{litellm.cache.type=redis}"), 0)
	l.SetReady(false)
	got = p.read(t)
	assert.Zero(t, got.value(t, "litellm.proxy.ready"))
	assert.InDelta(t, 1, got.value(t, "litellm.up"), 0, "it lives nevertheless")
	assert.Empty(t, got.problems())
}

// TestVersionIsReadOnce: the description of the API has 2 MB.
func TestVersionIsReadOnce(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, BuildVersion: "1.95.3", MetricsAuth: new(bool)})
	var asked, broken atomic.Int64
	broken.Store(1)
	p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{
		"/openapi.json": func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if broken.Load() == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			l.Handler().ServeHTTP(w, r)
		},
	})))
	assert.Empty(t, p.read(t).of("litellm.info"))
	broken.Store(0)
	for range 3 {
		assert.InDelta(t, 1, p.read(t).value(t, "litellm.info{service.version=1.95.3}"), 0)
	}
	assert.EqualValues(t, 2, asked.Load(), "again after a failure, not after an answer")
	l.Restart()
	p.read(t) // the page tells of the restart
	p.read(t)
	assert.EqualValues(t, 3, asked.Load(), "it may be another version now")
	broken.Store(1)
	p.api.forget()
	assert.InDelta(t, 1, p.read(t).value(t, "litellm.info{service.version=1.95.3}"), 0, "the last one known")
}

// TestNoDescription: documentation can be switched off.
func TestNoDescription(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, NoDocs: true})
	p := newProbe(t, c, serve(t, l.Handler()))
	for range 3 {
		got := p.read(t)
		assert.Empty(t, got.of("litellm.info"))
		assert.NotContains(t, got.problems(), "/openapi.json 404")
	}
	assert.Equal(t, 1, l.Requests()["/openapi.json"])
}

// TestTooManyRequests: a proxy that wants to be left alone is.
func TestTooManyRequests(t *testing.T) {
	for _, retryAfter := range []string{"", "3600", "Mon, 01 Jan 2125 00:00:00 GMT"} {
		t.Run(retryAfter, func(t *testing.T) {
			c := newClock()
			l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
			traffic(l)
			var asked [2]atomic.Int64
			limited := func(i int) http.HandlerFunc {
				return func(w http.ResponseWriter, _ *http.Request) {
					asked[i].Add(1)
					if retryAfter != "" {
						w.Header().Set("Retry-After", retryAfter)
					}
					w.WriteHeader(http.StatusTooManyRequests)
				}
			}
			p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{"/metrics/": limited(0), "/model/info": limited(1)})), withKey)
			for range 3 {
				got := p.read(t)
				assert.Equal(t, []string{"/metrics 429", "/model/info 429"}, got.problems())
				assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
				assert.NotEmpty(t, got.of("litellm.daily.spend"))
			}
			want := int64(3) // the next scrape is a pause
			if retryAfter != "" {
				want = 1
			}
			assert.Equal(t, want, asked[0].Load())
			assert.Equal(t, want, asked[1].Load())
			entries := p.logs.TakeAll()
			require.Len(t, entries, 1)
			assert.Equal(t, []any{"/model/info", "/metrics"}, entries[0].ContextMap()["endpoints"])
		})
	}
}

// TestOneEndpointFails: the others are read on, and it recovers.
func TestOneEndpointFails(t *testing.T) {
	for _, path := range []string{"/model/info", "/v1/models", "/health/latest", "/user/daily/activity/aggregated"} {
		for _, tt := range []struct {
			reason string
			answer http.HandlerFunc
		}{
			{"502", says(502, "")},
			{"truncated", says(200, "{")},
			{"malformed", says(200, `{"data":3,"latest_health_checks":3,"results":3}`)},
			{"malformed", says(200, `[]`)},
			{"malformed", says(200, `no json`)},
			{"html", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, "<html>")
			}},
			{"too_large", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"x":"`)
				for range 70 {
					_, _ = io.WriteString(w, strings.Repeat("x", 1<<10))
				}
			}},
			{"connection_error", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		} {
			t.Run(path+"/"+tt.reason, func(t *testing.T) {
				c := newClock()
				l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
				traffic(l)
				var well atomic.Bool
				p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{path: func(w http.ResponseWriter, r *http.Request) {
					if well.Load() {
						l.Handler().ServeHTTP(w, r)
						return
					}
					tt.answer(w, r)
				}})), withKey, impatient, func(cfg *Config) { cfg.MaxResponseSize = 64 << 10 })
				got := p.read(t)
				problems := got.problems()
				require.Len(t, problems, 1)
				assert.True(t, strings.HasPrefix(path, strings.Fields(problems[0])[0]), problems[0])
				assert.Equal(t, tt.reason, strings.Fields(problems[0])[1])
				assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
				assert.NotEmpty(t, got.of("litellm.tokens.input"))
				assert.Equal(t, path != "/health/latest", len(got.of("litellm.deployment.healthy")) > 0)
				assert.Equal(t, path != "/user/daily/activity/aggregated", len(got.of("litellm.daily.spend")) > 0)
				well.Store(true)
				assert.Empty(t, p.read(t).problems())
				assert.Equal(t, []string{"The LiteLLM proxy can be read only in part.", "The LiteLLM proxy is read in full again."}, p.messages())
			})
		}
	}
}

// TestDay: figures are those of the current day in UTC, and end with it.
func TestDay(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	p := newProbe(t, c, url, withKey)
	got := p.read(t)
	assert.InDelta(t, 1000, got.value(t, "litellm.daily.tokens{gen_ai.request.model=claude,gen_ai.token.type=input}"), 0)
	assert.InDelta(t, 7, got.value(t, "litellm.daily.requests{gen_ai.request.model=chat,litellm.outcome=successful}"), 0)
	c.advance(12 * time.Hour)
	got = p.read(t)
	assert.Empty(t, got.of("litellm.daily.tokens"), "nothing happened yet")
	assert.Empty(t, got.problems())
	l.Finish(simulator.LiteLLMRequest{Model: "claude", Attempts: []simulator.LiteLLMAttempt{{Deployment: 2}}, Input: 5})
	p.api.forget()
	assert.InDelta(t, 5, p.read(t).value(t, "litellm.daily.tokens{gen_ai.request.model=claude,gen_ai.token.type=input}"), 0)
}

// TestDelayedSpend: the database is behind the counters; nothing is made up.
func TestDelayedSpend(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{ActivityDelay: 3 * time.Minute})
	p := newProbe(t, c, url, withKey, impatient)
	got := p.read(t)
	assert.Empty(t, got.of("litellm.daily.spend"))
	assert.Positive(t, got.sum("litellm.spend"))
	for range 3 {
		got = p.read(t)
	}
	assert.InDelta(t, got.sum("litellm.spend"), got.sum("litellm.daily.spend"), 1e-9)
}

// pagedActivity answers as versions without sums do.
func pagedActivity(pages func(page int) string) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"/user/daily/activity/aggregated": says(404, ""),
		"/user/daily/activity": func(w http.ResponseWriter, r *http.Request) {
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			_, _ = io.WriteString(w, pages(page))
		},
	}
}

func row(model string, spend float64) string {
	return fmt.Sprintf(`{"date":"2026-09-20","breakdown":{"models":{%q:{"metrics":{"spend":%v,"prompt_tokens":1}}}}}`, model, spend)
}

func TestPages(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pages func(int) string
		asked int
		want  map[string]float64
		wrong []string
	}{
		{"one", func(int) string { return `{"results":[` + row("a", 1) + `]}` }, 1, map[string]float64{"a": 1}, nil},
		{"three, added up", func(page int) string {
			return fmt.Sprintf(`{"results":[%s,%s],"metadata":{"page":%d,"total_pages":3,"has_more":%t}}`, row("a", 1), row("b", float64(page)), page, page < 3)
		}, 3, map[string]float64{"a": 3, "b": 6}, nil},
		{"fewer than said", func(page int) string {
			if page > 2 {
				return `{"results":[],"metadata":{"total_pages":2,"has_more":false}}`
			}
			return fmt.Sprintf(`{"results":[%s],"metadata":{"total_pages":9,"has_more":true}}`, row("a", 1))
		}, 3, map[string]float64{"a": 2}, nil},
		{"more than said", func(page int) string {
			return fmt.Sprintf(`{"results":[%s],"metadata":{"total_pages":1,"has_more":%t}}`, row("a", 1), page < 4)
		}, 4, map[string]float64{"a": 4}, nil},
		{"without end", func(int) string {
			return fmt.Sprintf(`{"results":[%s],"metadata":{"has_more":true}}`, row("a", 1))
		}, maxActivityPages, map[string]float64{}, []string{"/user/daily/activity too_many_rows"}},
		{"older fields", func(int) string {
			return `{"results":[{"date":"2026-09-20T00:00:00","breakdown":{"models":{"a":{"spend":2.5,"prompt_tokens":null},"":{"spend":1},"None":{"spend":1}}}},{"date":"2026-09-19","breakdown":{"models":{"a":{"spend":9}}}}],"metadata":null}`
		}, 1, map[string]float64{"a": 2.5}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
			asked := 0
			p := newProbe(t, c, serve(t, instead(l.Handler(), pagedActivity(func(page int) string {
				asked++
				assert.Equal(t, asked, page)
				return tt.pages(page)
			}))), withKey)
			got := p.read(t)
			found := map[string]float64{}
			for _, r := range got.of("litellm.daily.spend") {
				found[r.attributes["gen_ai.response.model"].(string)] = r.value
			}
			assert.Equal(t, tt.want, found)
			assert.ElementsMatch(t, tt.wrong, got.problems())
			assert.Equal(t, tt.asked, asked)
			p.read(t)
			assert.Equal(t, tt.asked, asked, "not again before the interval is over")
		})
	}
}

// TestPagesOfRows: versions without sums have a row for each key, in pages that cut
// days; what comes of it is the same.
func TestPagesOfRows(t *testing.T) {
	c := newClock()
	// Without its latencies the page of so many keys is small.
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models(), DropMetrics: []string{
		"litellm_request_total_latency_metric", "litellm_llm_api_latency_metric", "litellm_overhead_latency_metric", "litellm_request_queue_time_seconds", "litellm_deployment_latency_per_output_token",
	}})
	for i := range 2500 {
		l.Finish(simulator.LiteLLMRequest{
			Model: []string{"claude", "chat"}[i%2], Attempts: []simulator.LiteLLMAttempt{{Deployment: 2 * (1 - i%2)}}, Key: simulator.LiteLLMHash(strconv.Itoa(i)),
			User: fmt.Sprintf("user-%d", i%7), Input: i, Output: 1, CacheRead: 2,
		})
	}
	read := func(h http.Handler) map[string]float64 {
		found := map[string]float64{}
		p := newProbe(t, c, serve(t, h), withKey, func(cfg *Config) { cfg.Timeout, cfg.ClientConfig.Timeout = 5*time.Minute, 5*time.Minute })
		got := p.read(t)
		c.advance(-time.Minute)
		assert.Empty(t, got.problems())
		for key, r := range got {
			if strings.HasPrefix(r.metric, "litellm.daily.") {
				found[key] = r.value
			}
		}
		return found
	}
	paged := read(instead(l.Handler(), map[string]http.HandlerFunc{"/user/daily/activity/aggregated": says(404, "{}")}))
	assert.InDelta(t, 2500*2499/2, paged["litellm.daily.tokens{gen_ai.request.model=claude,gen_ai.token.type=input}"]+paged["litellm.daily.tokens{gen_ai.request.model=chat,gen_ai.token.type=input}"], 0)
	assert.Equal(t, 3, l.Requests()["/user/daily/activity"])
	sums := read(l.Handler())
	assert.Len(t, sums, len(paged))
	for key, v := range sums {
		assert.InDelta(t, v, paged[key], 1e-9, key)
	}
}

// TestPageFailsInTheMiddle: part of a day is a wrong total, and so is none at all.
func TestPageFailsInTheMiddle(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	answers := pagedActivity(nil)
	answers["/user/daily/activity"] = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"results":[`+row("a", 1)+`],"metadata":{"total_pages":2,"has_more":true}}`)
	}
	got := newProbe(t, c, serve(t, instead(l.Handler(), answers)), withKey).read(t)
	assert.Empty(t, got.of("litellm.daily.spend"))
	assert.Equal(t, []string{"/user/daily/activity 502"}, got.problems())
}

// TestManyModelsOfADay are cut like those of the page, with right sums.
func TestManyModelsOfADay(t *testing.T) {
	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	var rows []string
	for i := range 30 {
		rows = append(rows, row(fmt.Sprintf("model-%02d", i), 1))
	}
	got := newProbe(t, c, serve(t, instead(l.Handler(), pagedActivity(func(int) string {
		return `{"results":[` + strings.Join(rows, ",") + `]}`
	}))), withKey, func(cfg *Config) { cfg.MaxModels = 10 }).read(t)
	assert.Len(t, got.of("litellm.daily.spend"), 11)
	assert.InDelta(t, 30, got.sum("litellm.daily.spend"), 0)
	assert.InDelta(t, 20, got.value(t, "litellm.daily.spend{gen_ai.response.model=other}"), 0)
}

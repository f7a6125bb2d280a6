package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// liteDays is the data base of the proxy: sums for each day (UTC) and public name. What is new gets there with a delay.
type liteDays struct {
	written []*liteDay // the oldest first
	pending []liteEntry
}

type liteDay struct {
	date   string
	models []*liteSums // in the order in which they were first called
}

// liteSums are the figures of one day and model.
type liteSums struct {
	model, provider                              string
	spend                                        float64
	prompt, completion, cacheRead, cacheCreation int
	requests, successful, failed                 int
}

type liteEntry struct {
	at, due time.Time
	sums    liteSums
}

// maxDays is how many days are kept.
const maxDays = 400

// add notes a request; the caller holds the lock.
func (t *liteDays) add(l *LiteLLM, r *LiteLLMRequest, d *LiteLLMDeployment, spend float64) {
	if l.cfg.NoDatabase {
		return
	}
	now := l.cfg.Now()
	e := liteEntry{at: now, due: now.Add(l.cfg.ActivityDelay), sums: liteSums{model: r.Model, requests: 1, spend: spend}}
	if d != nil {
		e.sums.provider = d.Provider()
	}
	if r.Status == 200 {
		e.sums.successful = 1
		e.sums.prompt, e.sums.completion, e.sums.cacheRead, e.sums.cacheCreation = r.Input, r.Output, r.CacheRead, r.CacheCreation
	} else {
		e.sums.failed = 1
	}
	t.pending = append(t.pending, e)
	t.write(now)
}

// write moves what is due into the data base.
func (t *liteDays) write(now time.Time) {
	n := 0
	for ; n < len(t.pending) && !t.pending[n].due.After(now); n++ {
		e := &t.pending[n]
		t.day(e.at.UTC().Format(time.DateOnly)).model(e.sums.model).add(&e.sums)
	}
	t.pending = slices.Delete(t.pending, 0, n)
}

func (t *liteDays) day(date string) *liteDay {
	for _, d := range slices.Backward(t.written) {
		if d.date == date {
			return d
		}
	}
	d := &liteDay{date: date}
	t.written = append(t.written, d)
	if len(t.written) > maxDays {
		t.written = slices.Delete(t.written, 0, 1)
	}
	return d
}

func (d *liteDay) model(name string) *liteSums {
	for _, m := range d.models {
		if m.model == name {
			return m
		}
	}
	m := &liteSums{model: name}
	d.models = append(d.models, m)
	return m
}

func (s *liteSums) add(more *liteSums) {
	if more.provider != "" {
		s.provider = more.provider
	}
	s.spend += more.spend
	s.prompt += more.prompt
	s.completion += more.completion
	s.cacheRead += more.cacheRead
	s.cacheCreation += more.cacheCreation
	s.requests += more.requests
	s.successful += more.successful
	s.failed += more.failed
}

func (s *liteSums) json(v LiteLLMVersion) map[string]any {
	figures := map[string]any{
		"spend": s.spend, "prompt_tokens": s.prompt, "completion_tokens": s.completion, "total_tokens": s.prompt + s.completion,
		"api_requests": s.requests, "successful_requests": s.successful, "failed_requests": s.failed,
	}
	if v.has(LiteLLM1_72_0) {
		figures["cache_read_input_tokens"], figures["cache_creation_input_tokens"] = s.cacheRead, s.cacheCreation
	}
	return figures
}

// serveActivity answers days, the newest first. Pages cut the list of days.
func (l *LiteLLM) serveActivity(w http.ResponseWriter, r *http.Request, key *LiteLLMKey) {
	if l.cfg.NoDatabase {
		liteError(w, http.StatusInternalServerError, "internal_server_error", "Database not connected. Connect a database to your proxy")
		return
	}
	q := r.URL.Query()
	from, to := q.Get("start_date"), q.Get("end_date")
	if from == "" || to == "" {
		liteError(w, http.StatusBadRequest, "bad_request_error", "Please provide start_date and end_date")
		return
	}
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(q.Get(name)); err == nil && n > 0 {
			return n
		}
		return otherwise
	}
	page, size := number("page", 1), number("page_size", 50)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.days.write(l.cfg.Now())
	var rows []any
	total := liteSums{}
	for _, d := range slices.Backward(l.days.written) {
		if d.date >= from && d.date <= to {
			row, sums := d.json(l.cfg.Version, key)
			rows = append(rows, row)
			total.add(&sums)
		}
	}
	pages := max((len(rows)+size-1)/size, 1)
	first := min((page-1)*size, len(rows))
	writeJSON(w, http.StatusOK, map[string]any{
		"results": append([]any{}, rows[first:min(first+size, len(rows))]...),
		"metadata": map[string]any{
			"total_spend": total.spend, "total_prompt_tokens": total.prompt, "total_completion_tokens": total.completion, "total_tokens": total.prompt + total.completion,
			"total_api_requests": total.requests, "total_successful_requests": total.successful, "total_failed_requests": total.failed,
			"page": page, "total_pages": pages, "has_more": page < pages,
		},
	})
}

func (d *liteDay) json(v LiteLLMVersion, key *LiteLLMKey) (map[string]any, liteSums) {
	sum := liteSums{}
	models, providers := map[string]any{}, map[string]*liteSums{}
	for _, m := range d.models {
		if key.Models != nil && !slices.Contains(key.Models, m.model) {
			continue
		}
		sum.add(m)
		models[m.model] = map[string]any{"metrics": m.json(v), "metadata": map[string]any{}, "api_key_breakdown": map[string]any{}}
		if providers[m.provider] == nil {
			providers[m.provider] = &liteSums{}
		}
		providers[m.provider].add(m)
	}
	byProvider := map[string]any{}
	for name, s := range providers {
		byProvider[name] = map[string]any{"metrics": s.json(v), "metadata": map[string]any{}}
	}
	breakdown := map[string]any{"models": models, "providers": byProvider, "api_keys": map[string]any{}, "entities": map[string]any{}, "mcp_servers": map[string]any{}}
	if v.has(LiteLLM1_80_0) {
		breakdown["model_groups"] = models
	}
	return map[string]any{"date": d.date, "metrics": sum.json(v), "breakdown": breakdown}, sum
}

package simulator

import (
	"slices"
	"time"
)

// keptDays is how many days the data base has.
const keptDays = 92

// liteDays is the table of daily spend. What is new gets there with a delay.
type liteDays struct {
	rows map[liteRowKey]*liteRow
	// order has the rows in the order in which they were written.
	order   []*liteRow
	pending []liteEntry
}

// liteRowKey says what a row is of: a user's use of a model by a key on a day (UTC).
type liteRowKey struct {
	date, user, key, model, group, provider, endpoint string
}

type liteRow struct {
	liteRowKey
	alias, team string
	liteSums
}

// liteSums are the figures of a row, or of several.
type liteSums struct {
	spend                                        float64
	prompt, completion, cacheRead, cacheCreation int
	requests, successful, failed                 int
}

type liteEntry struct {
	due time.Time
	row liteRow
}

// note has a request written into the data base. The caller holds the lock.
func (l *LiteLLM) note(r *LiteLLMRequest, d *LiteLLMDeployment, spend float64) {
	if l.cfg.NoDatabase {
		return
	}
	now := l.cfg.Now()
	row := liteRow{
		liteRowKey: liteRowKey{date: now.UTC().Format(time.DateOnly), user: r.User, key: r.Key, group: r.Model, endpoint: r.Route},
		alias:      r.KeyAlias, team: r.Team,
		liteSums: liteSums{requests: 1, spend: spend},
	}
	if d != nil {
		row.model, row.provider = d.Served(), d.Provider()
	}
	if r.Status == 200 {
		row.successful = 1
		row.prompt, row.completion, row.cacheRead, row.cacheCreation = r.Input, r.Output, r.CacheRead, r.CacheCreation
	} else {
		row.failed = 1
	}
	l.days.pending = append(l.days.pending, liteEntry{now.Add(l.cfg.ActivityDelay), row})
	l.days.write(now)
}

// write moves what is due into the table, and out of it what is too old.
func (t *liteDays) write(now time.Time) {
	n := 0
	for ; n < len(t.pending) && !t.pending[n].due.After(now); n++ {
		one := &t.pending[n].row
		row := t.rows[one.liteRowKey]
		if row == nil {
			row = &liteRow{liteRowKey: one.liteRowKey, alias: one.alias, team: one.team}
			t.rows[one.liteRowKey] = row
			t.order = append(t.order, row)
		}
		row.add(&one.liteSums)
	}
	clear(t.pending[:n])
	t.pending = t.pending[n:]
	oldest := now.UTC().AddDate(0, 0, -keptDays).Format(time.DateOnly)
	for len(t.order) > 0 && t.order[0].date < oldest {
		delete(t.rows, t.order[0].liteRowKey)
		t.order = slices.Delete(t.order, 0, 1)
	}
}

func (s *liteSums) add(more *liteSums) {
	s.spend += more.spend
	s.prompt += more.prompt
	s.completion += more.completion
	s.cacheRead += more.cacheRead
	s.cacheCreation += more.cacheCreation
	s.requests += more.requests
	s.successful += more.successful
	s.failed += more.failed
}

// json are the figures as SpendMetrics.
func (s *liteSums) json(v LiteLLMVersion) map[string]any {
	figures := map[string]any{
		"spend": s.spend, "prompt_tokens": s.prompt, "completion_tokens": s.completion, "total_tokens": s.prompt + s.completion,
		"api_requests": s.requests, "successful_requests": s.successful, "failed_requests": s.failed,
	}
	if v.has(LiteLLM1_72_0) { // (~)
		figures["cache_read_input_tokens"], figures["cache_creation_input_tokens"] = s.cacheRead, s.cacheCreation
	}
	return figures
}

package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// liteNoDatabase is what most endpoints say without one.
const liteNoDatabase = "DB not connected. See https://docs.litellm.ai/docs/proxy/virtual_keys"

// activityRows are the rows that a request asks for and its key may see, the newest day first. It is nil, and the request
// answered, if that is none.
func (l *LiteLLM) activityRows(w http.ResponseWriter, r *http.Request, key *LiteLLMKey) []*liteRow {
	if !l.database(w, liteNoDatabase) {
		return nil
	}
	q := r.URL.Query()
	from, to, user := q.Get("start_date"), q.Get("end_date"), q.Get("user_id")
	if from == "" || to == "" {
		liteDetail(w, http.StatusBadRequest, "Please provide start_date and end_date")
		return nil
	}
	if !key.Admin {
		if user != "" && user != key.User {
			liteDetail(w, http.StatusForbidden, "Non-admin users can only view their own spend data")
			return nil
		}
		user = key.User
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.days.write(l.cfg.Now())
	rows := []*liteRow{}
	for _, row := range l.days.order {
		if row.date >= from && row.date <= to && (user == "" || row.user == user) &&
			(q.Get("model") == "" || q.Get("model") == row.model) && (q.Get("api_key") == "" || q.Get("api_key") == row.key) {
			copied := *row
			rows = append(rows, &copied)
		}
	}
	slices.SortStableFunc(rows, func(a, b *liteRow) int { return strings.Compare(b.date, a.date) })
	return rows
}

// serveActivity answers pages of rows, added up by day: a day may go on on the next page, and what metadata calls totals are
// those of the page.
func (l *LiteLLM) serveActivity(w http.ResponseWriter, r *http.Request, key *LiteLLMKey) {
	q := r.URL.Query()
	page, fine := liteNumber(w, q.Get("page"), "page", 1, 1, 1<<30)
	if !fine {
		return
	}
	size, fine := liteNumber(w, q.Get("page_size"), "page_size", 50, 1, 1000)
	if !fine {
		return
	}
	rows := l.activityRows(w, r, key)
	if rows == nil {
		return
	}
	first := min((page-1)*size, len(rows))
	l.writeActivity(w, rows[first:min(first+size, len(rows))], true, page, (len(rows)+size-1)/size, page*size < len(rows))
}

// serveAggregated answers all rows at once.
func (l *LiteLLM) serveAggregated(w http.ResponseWriter, r *http.Request, key *LiteLLMKey) {
	if rows := l.activityRows(w, r, key); rows != nil {
		l.writeActivity(w, rows, false, 1, 1, false)
	}
}

func (l *LiteLLM) writeActivity(w http.ResponseWriter, rows []*liteRow, entities bool, page, pages int, more bool) {
	days := []any{}
	var total liteSums
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(row *liteRow) bool { return row.date != rows[0].date })
		if n < 0 {
			n = len(rows)
		}
		days = append(days, l.day(rows[:n], entities))
		for _, row := range rows[:n] {
			total.add(&row.liteSums)
		}
		rows = rows[n:]
	}
	metadata := map[string]any{"page": page, "total_pages": pages, "has_more": more}
	for name, value := range total.json(l.cfg.Version) {
		metadata["total_"+strings.TrimPrefix(name, "total_")] = value
	}
	writeJSON(w, http.StatusOK, map[string]any{"results": days, "metadata": metadata})
}

// day adds up rows of one day.
func (l *LiteLLM) day(rows []*liteRow, entities bool) map[string]any {
	v := l.cfg.Version
	var sum liteSums
	for _, row := range rows {
		sum.add(&row.liteSums)
	}
	breakdown := map[string]any{
		"mcp_servers": map[string]any{},
		"models":      l.parts(rows, func(row *liteRow) string { return row.model }),
		"providers": l.parts(rows, func(row *liteRow) string {
			provider := row.provider
			setDefault(&provider, "unknown")
			return provider
		}),
		"api_keys": l.keyParts(rows),
		"entities": map[string]any{},
	}
	if entities {
		breakdown["entities"] = l.parts(rows, func(row *liteRow) string { return row.user })
	}
	if v.has(LiteLLM1_80_0) { // (~)
		breakdown["model_groups"] = l.parts(rows, func(row *liteRow) string { return row.group })
	}
	if v.has(LiteLLM1_82_0) { // (~)
		breakdown["endpoints"] = l.parts(rows, func(row *liteRow) string { return row.endpoint })
	}
	return map[string]any{"date": rows[0].date, "metrics": sum.json(v), "breakdown": breakdown}
}

// parts adds rows up by something, and that again by key. Rows without it are in no part.
func (l *LiteLLM) parts(rows []*liteRow, by func(*liteRow) string) map[string]any {
	split := make(map[string][]*liteRow)
	for _, row := range rows {
		if name := by(row); name != "" {
			split[name] = append(split[name], row)
		}
	}
	parts := make(map[string]any, len(split))
	for name, rows := range split {
		var sum liteSums
		for _, row := range rows {
			sum.add(&row.liteSums)
		}
		parts[name] = map[string]any{"metrics": sum.json(l.cfg.Version), "metadata": map[string]any{}, "api_key_breakdown": l.keyParts(rows)}
	}
	return parts
}

// keyParts adds rows up by key.
func (l *LiteLLM) keyParts(rows []*liteRow) map[string]any {
	sums := make(map[string]*liteSums)
	parts := make(map[string]any)
	for _, row := range rows {
		sum := sums[row.key]
		if sum == nil {
			sum = &liteSums{}
			sums[row.key] = sum
		}
		sum.add(&row.liteSums)
		parts[row.key] = map[string]any{"metrics": sum.json(l.cfg.Version), "metadata": map[string]any{"key_alias": orNull(row.alias), "team_id": orNull(row.team)}}
	}
	return parts
}

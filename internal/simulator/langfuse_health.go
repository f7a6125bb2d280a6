package simulator

import (
	"net/http"
	"net/url"
	"time"
)

// health answers without a key. It looks at the data base and at what came in lately only if asked to.
func (l *Langfuse) health(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	unwell := func(status string) (langfuseAnswer, *langfuseRefusal) {
		return nil, &langfuseRefusal{status: http.StatusServiceUnavailable, body: l.status(status)}
	}
	if q.Get("failIfDatabaseUnavailable") == "true" && l.databaseDown {
		return unwell("Database not available")
	}
	if q.Get("failIfNoRecentEvents") == "true" {
		switch missing := l.missingLately(); {
		case l.databaseDown:
			return unwell("Couldn't fetch recent events")
		case missing != "":
			return unwell("No " + missing + " within the last 3 minutes")
		}
	}
	return func() (any, *langfuseRefusal) { return l.status("OK"), nil }, nil
}

// missingLately names what has not come in for three minutes, "" for nothing.
func (l *Langfuse) missingLately() string {
	now := l.cfg.Now()
	from, end := now.Add(-3*time.Minute), now.Add(time.Microsecond)
	switch {
	case l.release.from(langfuse4) && l.cfg.Mode == LangfuseEventsOnly:
		if len(observationRows(l, from, end, now)) == 0 {
			return "events"
		}
	case len(traceRows(l, from, end, now)) == 0:
		return "traces"
	case len(observationRows(l, from, end, now)) == 0:
		return "observations"
	}
	return ""
}

func (l *Langfuse) ready(url.Values) (langfuseAnswer, *langfuseRefusal) {
	if l.shuttingDown {
		return nil, &langfuseRefusal{
			status: http.StatusInternalServerError, body: l.status("SIGTERM / SIGINT received, shutting down"),
		}
	}
	return func() (any, *langfuseRefusal) { return l.status("OK"), nil }, nil
}

func (l *Langfuse) status(text string) map[string]any {
	return map[string]any{"status": text, "version": l.cfg.Version}
}

// projects is the one project of the key. It costs no point of any bucket, as applications use it to check their keys.
func (l *Langfuse) projects(url.Values) (langfuseAnswer, *langfuseRefusal) {
	return func() (any, *langfuseRefusal) {
		project := map[string]any{
			"id": l.cfg.ProjectID, "name": l.cfg.ProjectName, "metadata": map[string]any{},
			"organization": map[string]any{"id": "org-" + l.cfg.ProjectID, "name": l.cfg.Organization},
		}
		if l.cfg.RetentionDays > 0 {
			project["retentionDays"] = l.cfg.RetentionDays
		}
		return map[string]any{"data": []any{project}}, nil
	}, nil
}

// models lists the price definitions.
func (l *Langfuse) models(q url.Values) (langfuseAnswer, *langfuseRefusal) {
	page, refusal := parsePage(q)
	return func() (any, *langfuseRefusal) {
		return listPage(page, l.cfg.Models, func(m LangfuseModel) any {
			prices, flat := map[string]any{}, map[string]any{}
			for name, price := range map[string]*float64{"input": m.InputPrice, "output": m.OutputPrice, "total": m.TotalPrice} {
				if price != nil {
					prices[name], flat[name] = map[string]any{"price": *price}, *price
				}
			}
			return map[string]any{
				"id": m.ID, "modelName": m.Name, "matchPattern": m.MatchPattern, "startDate": nil, "unit": "TOKENS",
				"inputPrice": m.InputPrice, "outputPrice": m.OutputPrice, "totalPrice": m.TotalPrice,
				"tokenizerId": nil, "tokenizerConfig": nil, "isLangfuseManaged": m.Managed,
				"createdAt": langfuseTime(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)),
				"prices":    prices,
				"pricingTiers": []any{map[string]any{
					"id": m.ID + "-default", "name": "Standard", "isDefault": true, "priority": 0, "conditions": []any{}, "prices": flat,
				}},
			}
		}), nil
	}, refusal
}

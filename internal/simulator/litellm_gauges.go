package simulator

import (
	"math"
	"time"
)

// noLimit is what the proxy shows where there is none.
var noLimit = float64(math.MaxInt64)

// showLimits shows the limits that deployments are configured for.
func (l *LiteLLM) showLimits() {
	for i := range l.cfg.Deployments {
		d := &l.cfg.Deployments[i]
		if d.TPM > 0 {
			l.setAll("tpm", float64(d.TPM), d.labels())
		}
		if d.RPM > 0 {
			l.setAll("rpm", float64(d.RPM), d.labels())
		}
	}
}

// LiteLLMBudget is a budget of a team, a key, a user or an organisation.
type LiteLLMBudget struct {
	// Entity is team, api_key, user or org; ID its id (of a key its hash) and Alias its name.
	Entity, ID, Alias string
	// Remaining and Max in USD; an infinite one is none.
	Remaining, Max float64
	// Reset is when it begins anew. 0 leaves that out.
	Reset time.Duration
}

// SetBudget shows a budget.
func (l *LiteLLM) SetBudget(b LiteLLMBudget) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := map[string]string{"team": "team", "api_key": "hashed_api_key", "user": "user", "org": "org_id"}[b.Entity]
	alias := map[string]string{"team": "team_alias", "api_key": "api_key_alias", "org": "org_alias"}[b.Entity]
	values := map[string]string{id: b.ID, alias: b.Alias} // without an alias it is empty here, not "None"
	l.setAll("remaining_"+b.Entity, b.Remaining, values)
	l.setAll("max_"+b.Entity, b.Max, values)
	if b.Reset > 0 {
		l.setAll("hours_"+b.Entity, b.Reset.Hours(), values)
	}
}

// SetProviderBudget shows what is left of a provider's budget, in USD.
func (l *LiteLLM) SetProviderBudget(provider string, remaining float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setAll("provider_budget", remaining, map[string]string{"api_provider": provider})
}

// SetKeyLimits shows what a key may still ask of a model; negative means no limit.
func (l *LiteLLM) SetKeyLimits(key, alias, model string, requests, tokens float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := map[string]string{"hashed_api_key": LiteLLMHash(key), "api_key_alias": alias, "model": model}
	shown := func(v float64) float64 {
		if v < 0 {
			return noLimit
		}
		return v
	}
	l.setAll("key_requests", shown(requests), values)
	l.setAll("key_tokens", shown(tokens), values)
}

// SetRemaining shows what the provider of a deployment says that is left.
func (l *LiteLLM) SetRemaining(deployment int, requests, tokens float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := l.cfg.Deployments[deployment].labels()
	l.setAll("remaining_requests", requests, values)
	l.setAll("remaining_tokens", tokens, values)
}

// SetInFlight shows the requests under way, of each worker.
func (l *LiteLLM) SetInFlight(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setAll("in_flight", float64(n), nil)
}

// SetPeople shows numbers of users and teams.
func (l *LiteLLM) SetPeople(users, active, teams int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setAll("users", float64(users), nil)
	l.setAll("active_users", float64(active), nil)
	l.setAll("teams", float64(teams), nil)
}

// SetState shows the state of a deployment: 0 healthy, 1 partial outage, 2 outage. The next call of it says otherwise.
func (l *LiteLLM) SetState(deployment, state int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setAll("state", float64(state), l.cfg.Deployments[deployment].labels())
}

// SetQueue shows the size of a queue, such as redis_spend_update_queue, with PrometheusSystem.
func (l *LiteLLM) SetQueue(queue string, size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setAll(queue+"_size", float64(size), nil)
}

// ObserveService is a call of something that the proxy needs, such as redis, shown with PrometheusSystem.
func (l *LiteLLM) ObserveService(service string, took time.Duration, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, values := l.workers[0], map[string]string{service: service}
	l.observe(w, service+"_latency", took, values)
	l.add(w, service+"_total", 1, values)
	if failed {
		l.add(w, service+"_failed", 1, values)
	}
}

// CountCallbackFailure is a log that a callback, such as langfuse, could not send.
func (l *LiteLLM) CountCallbackFailure(callback string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(l.workers[0], "callback_failures", 1, map[string]string{"callback_name": callback})
}

// CountToolCall is a call of a tool of an MCP server, and its cost in USD.
func (l *LiteLLM) CountToolCall(server, tool string, spend float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := map[string]string{"mcp_server_name": server, "mcp_tool_name": tool}
	l.add(l.workers[0], "tool_calls", 1, values)
	if spend > 0 {
		l.add(l.workers[0], "tool_spend", spend, values)
	}
}

package simulator

import (
	"strconv"
	"time"
)

// LiteLLMAttempt is one call of a deployment.
type LiteLLMAttempt struct {
	// Deployment is its place in the configuration.
	Deployment int
	// Status and Class are those of the exception, such as 500 and "Hosted_vllm.InternalServerError"; 0 is success.
	Status int
	Class  string
	// CooledDown says that the deployment is left alone for a while after it.
	CooledDown bool
}

// LiteLLMRequest is one whole request of a client.
type LiteLLMRequest struct {
	// Worker that has it, where there are several.
	Worker int
	// Model is the public name that was asked for, Route the path. An empty route is that of chat completions.
	Model, Route string
	// Key is the hash of the client's key; the others say who it is. Empty ones are "None" on the page.
	Key, KeyAlias, Team, TeamAlias, User, Email, EndUser, Org, OrgAlias, IP, UserAgent string
	// Attempts are the calls that it led to, the last one decides. Without any it failed in the proxy itself.
	Attempts []LiteLLMAttempt
	// Status is what the client got; 0 means 200. Class is the exception of another.
	Status int
	Class  string

	// Total is from arrival to the end, Upstream that of the call that went well, FirstToken of it where it streams (0 where
	// it does not), Queue what passed before.
	Total, Upstream, FirstToken, Queue time.Duration
	// Tokens: Input has the cached ones in it.
	Input, Output, CacheRead, CacheCreation int
	// Spend in USD; nil means what the prices of the deployment make of the tokens.
	Spend *float64
	// CacheHit says that the proxy answered out of its own cache.
	CacheHit bool
	// Guardrails that it passed.
	Guardrails []string
}

// Finish accounts for a request in every family that the dialect has, and in the data base.
func (l *LiteLLM) Finish(r LiteLLMRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	setDefault(&r.Status, 200)
	setDefault(&r.Route, "/v1/chat/completions")
	w := l.workers[r.Worker%len(l.workers)]
	who := l.whoAsked(&r)
	for i := range r.Attempts {
		l.attempt(w, &r, &r.Attempts[i], who)
	}
	var last *LiteLLMDeployment
	if n := len(r.Attempts); n > 0 {
		last = &l.cfg.Deployments[r.Attempts[n-1].Deployment]
		l.fallback(w, &r, who, last)
		who["model"], who["model_id"], who["api_provider"] = last.Served(), last.ID, last.Provider()
	}
	who["status_code"] = strconv.Itoa(r.Status)
	l.add(w, "total", 1, who)
	for _, name := range r.Guardrails {
		l.guard(w, name)
	}
	if r.Status != 200 {
		who["exception_status"], who["exception_class"] = strconv.Itoa(r.Status), r.Class
		l.add(w, "failed", 1, who)
		l.add(w, "model_failed", 1, who)
		l.days.add(l, &r, last, 0)
		return
	}
	if last != nil {
		l.succeed(w, &r, last, who)
	}
}

// whoAsked are the labels that say who and what.
func (l *LiteLLM) whoAsked(r *LiteLLMRequest) map[string]string {
	who := map[string]string{"requested_model": r.Model, "route": r.Route}
	for name, value := range map[string]string{
		"hashed_api_key": r.Key, "api_key_alias": r.KeyAlias, "team": r.Team, "team_alias": r.TeamAlias, "user": r.User, "user_email": r.Email,
		"org_id": r.Org, "org_alias": r.OrgAlias, "client_ip": r.IP, "user_agent": r.UserAgent,
	} {
		if value != "" {
			who[name] = value
		}
	}
	if r.EndUser != "" && !l.cfg.Version.has(LiteLLM1_72_0) {
		who["end_user"] = r.EndUser
	}
	return who
}

// attempt accounts for one call of a deployment.
func (l *LiteLLM) attempt(w *liteWorker, r *LiteLLMRequest, a *LiteLLMAttempt, who map[string]string) {
	d := &l.cfg.Deployments[a.Deployment]
	values := deploymentLabels(d)
	for name, value := range who {
		if name != "model" {
			values[name] = value
		}
	}
	l.add(w, "calls", 1, values)
	state := l.family("state")
	if a.Status == 0 {
		l.add(w, "successes", 1, values)
		w.at(state, values, l.cfg.Now()).value = 0
		return
	}
	values["exception_status"], values["exception_class"] = strconv.Itoa(a.Status), a.Class
	l.add(w, "failures", 1, values)
	w.at(state, values, l.cfg.Now()).value = 1
	if a.CooledDown {
		w.at(state, values, l.cfg.Now()).value = 2
		l.add(w, "cooled", 1, values)
	}
	_ = r
}

// fallback accounts for a request that ended at another model than it was for.
func (l *LiteLLM) fallback(w *liteWorker, r *LiteLLMRequest, who map[string]string, last *LiteLLMDeployment) {
	if last.Name == r.Model {
		return
	}
	first := r.Attempts[0]
	values := map[string]string{"fallback_model": last.Name, "exception_status": strconv.Itoa(first.Status), "exception_class": first.Class}
	for name, value := range who {
		values[name] = value
	}
	if r.Status == 200 {
		l.add(w, "fallbacks_ok", 1, values)
	} else {
		l.add(w, "fallbacks_failed", 1, values)
	}
}

func (l *LiteLLM) guard(w *liteWorker, name string) {
	values := map[string]string{"guardrail_name": name, "status": "success", "hook_type": "pre_call"}
	l.add(w, "guardrail_requests", 1, values)
	l.observe(w, "guardrail_latency", 12*time.Millisecond, values)
}

// succeed accounts for an answer.
func (l *LiteLLM) succeed(w *liteWorker, r *LiteLLMRequest, d *LiteLLMDeployment, who map[string]string) {
	spend := 0.0
	switch {
	case r.Spend != nil:
		spend = *r.Spend
	case !r.CacheHit:
		spend = d.cost(r)
	}
	l.observe(w, "latency", r.Total, who)
	l.observe(w, "upstream", r.Upstream, who)
	l.observe(w, "queue", r.Queue, who)
	if r.FirstToken > 0 {
		l.observe(w, "first", r.FirstToken, who)
	}
	l.add(w, "spend", spend, who)
	l.add(w, "model_requests", 1, who)
	l.add(w, "total_tokens", float64(r.Input+r.Output), who)
	l.add(w, "input_tokens", float64(r.Input), who)
	l.add(w, "output_tokens", float64(r.Output), who)
	if r.CacheRead > 0 {
		l.add(w, "cache_read", float64(r.CacheRead), who)
	}
	if r.CacheCreation > 0 {
		l.add(w, "cache_creation", float64(r.CacheCreation), who)
	}
	if r.CacheHit {
		l.add(w, "cache_hits", 1, who)
		l.add(w, "cached_tokens", float64(r.Input+r.Output), who)
	} else if l.cfg.Redis {
		l.add(w, "cache_misses", 1, who)
	}
	values := deploymentLabels(d)
	for name, value := range who {
		values[name] = value
	}
	l.observe(w, "overhead", max(r.Total-r.Upstream, 0), values)
	if r.Output > 0 {
		l.observe(w, "per_token", r.Upstream/time.Duration(r.Output), values)
	}
	l.days.add(l, r, d, spend)
}

// cost is what the prices make of the tokens.
func (d *LiteLLMDeployment) cost(r *LiteLLMRequest) float64 {
	sum := 0.0
	for _, part := range []struct {
		price  *float64
		tokens int
	}{
		{d.InputPrice, r.Input - r.CacheRead - r.CacheCreation},
		{d.OutputPrice, r.Output},
		{d.CacheReadPrice, r.CacheRead},
		{d.CacheCreationPrice, r.CacheCreation},
	} {
		if part.price != nil {
			sum += *part.price * float64(part.tokens)
		}
	}
	return sum
}

package simulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
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

// LiteLLMGuardrail is one run of a guardrail.
type LiteLLMGuardrail struct {
	// Name is the guardrail, Hook when it ran. An empty hook is pre_call.
	Name, Hook string
	// ErrorType is the exception that it raised. Empty is success.
	ErrorType string
	// Took is how long it ran. 0 is 12 ms.
	Took time.Duration
}

// LiteLLMRequest is one whole request of a client.
type LiteLLMRequest struct {
	// Worker that has it, where there are several.
	Worker int
	// Model is the public name that was asked for, Route the path. An empty route is that of chat completions.
	Model, Route string
	// Key is the hash of the client's key; the others say who it is. Empty ones are "None" on the page.
	Key, KeyAlias, Team, TeamAlias, User, Email, EndUser, Org, OrgAlias, IP, UserAgent string
	// Tags are the request's own, for labels tag_*; Custom are the values of labels metadata_*.
	Tags   []string
	Custom map[string]string
	// Attempts are the calls that it led to, the last one decides. Without any it failed in the proxy itself.
	Attempts []LiteLLMAttempt
	// Status is what the client got; 0 means 200. Class is the exception of another.
	Status int
	Class  string

	// Total is from arrival to the end, Upstream that of the call that went well, FirstToken of it where it streams (0 where
	// it does not), Queue what passed before. Overhead is what the proxy itself took; 0 means Total less Upstream.
	Total, Upstream, FirstToken, Queue, Overhead time.Duration
	// Tokens: Input has the cached ones in it.
	Input, Output, CacheRead, CacheCreation int
	// Spend in USD; nil means what the prices of the deployment make of the tokens.
	Spend *float64
	// CacheHit says that the proxy answered out of its own cache.
	CacheHit bool
	// Guardrails that it passed, and GuardrailRuns those of which more is to be told.
	Guardrails    []string
	GuardrailRuns []LiteLLMGuardrail
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
	for _, name := range r.Guardrails {
		l.guard(w, &LiteLLMGuardrail{Name: name})
	}
	for i := range r.GuardrailRuns {
		l.guard(w, &r.GuardrailRuns[i])
	}
	var last *LiteLLMDeployment
	if n := len(r.Attempts); n > 0 {
		last = &l.cfg.Deployments[r.Attempts[n-1].Deployment]
		l.fallback(w, &r, who, last)
		who["model"], who["model_id"], who["api_provider"] = last.Served(), last.ID, last.Provider()
	}
	who["status_code"] = strconv.Itoa(r.Status)
	l.add(w, "total", 1, who)
	if r.Status != 200 {
		who["exception_status"], who["exception_class"] = strconv.Itoa(r.Status), r.Class
		l.add(w, "failed", 1, who)
		if last == nil { // else the attempts were counted
			l.add(w, "model_failed", 1, who)
		}
		l.note(&r, last, 0)
		return
	}
	if last != nil {
		l.succeed(w, &r, last, who)
	}
}

// whoAsked are the labels that say who and what.
func (l *LiteLLM) whoAsked(r *LiteLLMRequest) map[string]string {
	who := map[string]string{"requested_model": r.Model, "route": r.Route, "stream": pythonBool(r.FirstToken > 0)}
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
	for _, name := range l.cfg.CustomLabels {
		if tag, ok := strings.CutPrefix(name, "tag_"); ok {
			who[name] = strconv.FormatBool(slices.Contains(r.Tags, tag))
		} else if value := r.Custom[name]; value != "" {
			who[name] = value
		}
	}
	return who
}

// attempt accounts for one call of a deployment.
func (l *LiteLLM) attempt(w *liteWorker, r *LiteLLMRequest, a *LiteLLMAttempt, who map[string]string) {
	d := &l.cfg.Deployments[a.Deployment]
	values := d.labels()
	maps.Copy(values, who)
	l.add(w, "calls", 1, values)
	if a.Status == 0 {
		l.add(w, "successes", 1, values)
		l.set(w, "state", 0, values)
		return
	}
	values["exception_status"], values["exception_class"] = strconv.Itoa(a.Status), a.Class
	l.add(w, "failures", 1, values)
	l.add(w, "model_failed", 1, values)
	l.set(w, "state", 1, values)
	for _, tag := range r.Tags {
		values["tag"] = tag
		l.add(w, "failures_by_tag", 1, values)
	}
	if a.CooledDown {
		l.set(w, "state", 2, values)
		l.add(w, "cooled", 1, values)
	}
}

// fallback accounts for a request that ended at another model than it was for.
func (l *LiteLLM) fallback(w *liteWorker, r *LiteLLMRequest, who map[string]string, last *LiteLLMDeployment) {
	if last.Name == r.Model {
		return
	}
	first := r.Attempts[0]
	values := maps.Clone(who)
	values["fallback_model"], values["exception_status"], values["exception_class"] = last.Name, strconv.Itoa(first.Status), first.Class
	values["model_id"] = l.cfg.Deployments[first.Deployment].ID
	if r.Status == 200 {
		l.add(w, "fallbacks_ok", 1, values)
	} else {
		l.add(w, "fallbacks_failed", 1, values)
	}
}

func (l *LiteLLM) guard(w *liteWorker, g *LiteLLMGuardrail) {
	values := map[string]string{"guardrail_name": g.Name, "hook_type": g.Hook, "status": "success"}
	if g.Hook == "" {
		values["hook_type"] = "pre_call"
	}
	if g.ErrorType != "" {
		values["status"], values["error_type"] = "error", g.ErrorType
		l.add(w, "guardrail_errors", 1, values)
	}
	took := g.Took
	setDefault(&took, 12*time.Millisecond)
	l.add(w, "guardrail_requests", 1, values)
	l.observe(w, "guardrail_latency", took, values)
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
	values := d.labels()
	maps.Copy(values, who)
	overhead := r.Overhead
	setDefault(&overhead, max(r.Total-r.Upstream, 0))
	l.observe(w, "overhead", overhead, values)
	if r.Output > 0 {
		l.observe(w, "per_token", r.Upstream/time.Duration(r.Output), values)
	}
	l.note(r, d, spend)
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

package simulator

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// noLimit is what the proxy shows where there is none.
var noLimit = float64(math.MaxInt64)

// LiteLLM is one simulated proxy. Its methods may be called at any time from any goroutine.
type LiteLLM struct {
	cfg      LiteLLMConfig
	families []liteFamily

	mu       sync.Mutex
	started  time.Time
	workers  []*liteWorker
	turn     int // which worker answers the next scrape
	requests map[string]int
	// costly counts calls of models that health checks made.
	costly  int
	revoked map[string]bool
	health  map[string]bool
	checked time.Time
	unready bool
	days    liteDays
}

// liteWorker has the numbers of one process: series of each family by their labels.
type liteWorker struct {
	pid     int
	started time.Time
	series  map[string]*liteSeries
}

type liteSeries struct {
	order []*series
	index map[string]*series
}

// NewLiteLLM starts a proxy that nobody has asked yet. It panics if the version is unknown, which is a mistake in a test.
func NewLiteLLM(cfg LiteLLMConfig) *LiteLLM {
	cfg = cfg.withDefaults()
	if liteOrder(cfg.Version) < 0 {
		panic(fmt.Sprintf("simulator: no LiteLLM dialect %q, have %v", cfg.Version, LiteLLMVersions()))
	}
	l := &LiteLLM{cfg: cfg, families: cfg.Version.families(), requests: make(map[string]int), revoked: make(map[string]bool), health: make(map[string]bool)}
	if cfg.PrometheusSystem {
		l.families = append(serviceFamilies(), l.families...)
	}
	l.restart()
	return l
}

func serviceFamilies() []liteFamily {
	var list []liteFamily
	for _, s := range liteServices {
		list = append(list,
			liteFamily{s + "_latency", "litellm_" + s + "_latency", kindHistogram, "Latency for " + s + " service", []string{s}, liteBounds},
			liteFamily{s + "_failed", "litellm_" + s + "_failed_requests", kindCounter, "Failed requests of " + s, []string{s}, nil},
			liteFamily{s + "_total", "litellm_" + s + "_total_requests", kindCounter, "Requests of " + s, []string{s}, nil},
		)
	}
	for _, q := range []string{
		"pod_lock_manager_size", "in_memory_daily_spend_update_queue_size", "redis_daily_spend_update_queue_size",
		"in_memory_spend_update_queue_size", "redis_spend_update_queue_size",
	} {
		list = append(list, liteFamily{q, "litellm_" + q, kindGauge, "Size", nil, nil})
	}
	return list
}

// Restart makes all counters begin anew, as those of a new process do. What is in the data base stays.
func (l *LiteLLM) Restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restart()
}

func (l *LiteLLM) restart() {
	l.started = l.cfg.Now()
	l.workers = make([]*liteWorker, l.cfg.Workers)
	for i := range l.workers {
		w := &liteWorker{pid: 7 + i, started: l.started.Add(time.Duration(i) * time.Second), series: make(map[string]*liteSeries)}
		for _, f := range l.families {
			w.series[f.key] = &liteSeries{index: make(map[string]*series)}
			if len(f.labels) == 0 && f.kind == kindGauge && f.key != "active_users" {
				w.at(&f, nil, l.cfg.Now()) // a gauge without labels is there from the beginning
			}
		}
		l.workers[i] = w
	}
	for i := range l.cfg.Deployments {
		d := &l.cfg.Deployments[i]
		for _, limit := range []struct {
			key   string
			value int
		}{{"tpm", d.TPM}, {"rpm", d.RPM}} {
			if limit.value > 0 {
				l.set(limit.key, float64(limit.value), deploymentLabels(d))
			}
		}
	}
}

// family finds one that this dialect has, or nil.
func (l *LiteLLM) family(key string) *liteFamily {
	i := slices.IndexFunc(l.families, func(f liteFamily) bool { return f.key == key })
	if i < 0 {
		return nil
	}
	return &l.families[i]
}

// at returns the series of a family with the values of its labels; what is missing is "None", as Python writes it.
func (w *liteWorker) at(f *liteFamily, values map[string]string, now time.Time) *series {
	all := w.series[f.key]
	var key strings.Builder
	labels := make([]label, 0, len(f.labels))
	for _, name := range f.labels {
		value, ok := values[name]
		if !ok {
			value = "None"
		}
		labels = append(labels, label{name, value})
		key.WriteString(value + "\x00")
	}
	s := all.index[key.String()]
	if s == nil {
		s = &series{labels: labels, created: now}
		if f.kind == kindHistogram {
			s.hist = newHistogram(f.bounds)
		}
		all.index[key.String()] = s
		all.order = append(all.order, s)
	}
	return s
}

// add adds to a counter of a worker, if the dialect has it.
func (l *LiteLLM) add(w *liteWorker, key string, n float64, values map[string]string) {
	if f := l.family(key); f != nil {
		w.at(f, values, l.cfg.Now()).value += n
	}
}

// observe adds to a histogram, if the dialect has it.
func (l *LiteLLM) observe(w *liteWorker, key string, d time.Duration, values map[string]string) {
	if f := l.family(key); f != nil {
		w.at(f, values, l.cfg.Now()).hist.observe(d.Seconds(), 1)
	}
}

// set sets a gauge, on all workers.
func (l *LiteLLM) set(key string, v float64, values map[string]string) {
	if f := l.family(key); f != nil {
		for _, w := range l.workers {
			w.at(f, values, l.cfg.Now()).value = v
		}
	}
}

func deploymentLabels(d *LiteLLMDeployment) map[string]string {
	return map[string]string{
		"litellm_model_name": d.Served(), "model_id": d.ID, "api_base": d.APIBase, "api_provider": d.Provider(), "model_group": d.Name,
		"model": d.Served(), "requested_model": d.Name,
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
	label := map[string]string{"team": "team", "api_key": "hashed_api_key", "user": "user", "org": "org_id"}[b.Entity]
	alias := map[string]string{"team": "team_alias", "api_key": "api_key_alias", "org": "org_alias"}[b.Entity]
	values := map[string]string{label: b.ID, alias: b.Alias}
	l.set("remaining_"+b.Entity, b.Remaining, values)
	l.set("max_"+b.Entity, b.Max, values)
	if b.Reset > 0 {
		l.set("hours_"+b.Entity, b.Reset.Hours(), values)
	}
}

// SetProviderBudget shows what is left of a provider's budget, in USD.
func (l *LiteLLM) SetProviderBudget(provider string, remaining float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set("provider_budget", remaining, map[string]string{"api_provider": provider})
}

// SetKeyLimits shows what a key may still ask of a model; negative means no limit.
func (l *LiteLLM) SetKeyLimits(key, alias, model string, requests, tokens float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := map[string]string{"hashed_api_key": LiteLLMHash(key), "api_key_alias": alias, "model": model}
	for name, v := range map[string]float64{"key_requests": requests, "key_tokens": tokens} {
		if v < 0 {
			v = noLimit
		}
		l.set(name, v, values)
	}
}

// SetRemaining shows what the provider of a deployment says that is left.
func (l *LiteLLM) SetRemaining(deployment int, requests, tokens float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	values := deploymentLabels(&l.cfg.Deployments[deployment])
	l.set("remaining_requests", requests, values)
	l.set("remaining_tokens", tokens, values)
}

// SetInFlight shows the requests under way, of each worker.
func (l *LiteLLM) SetInFlight(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set("in_flight", float64(n), nil)
}

// SetPeople shows numbers of users and teams.
func (l *LiteLLM) SetPeople(users, active, teams int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set("users", float64(users), nil)
	l.set("active_users", float64(active), nil)
	l.set("teams", float64(teams), nil)
}

// SetState shows the state of a deployment: 0 healthy, 1 partial outage, 2 outage.
func (l *LiteLLM) SetState(deployment, state int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set("state", float64(state), deploymentLabels(&l.cfg.Deployments[deployment]))
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

// SetHealth is the result of a health check of a deployment that the proxy has made by itself and stored.
func (l *LiteLLM) SetHealth(deployment int, healthy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.health[l.cfg.Deployments[deployment].ID] = healthy
	l.checked = l.cfg.Now()
}

// SetReady says whether /health/readiness answers 200.
func (l *LiteLLM) SetReady(ready bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unready = !ready
}

// RevokeKey makes a key one that is refused; RestoreKey takes that back.
func (l *LiteLLM) RevokeKey(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked[key] = true
}

// RestoreKey makes a revoked key work again.
func (l *LiteLLM) RestoreKey(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.revoked, key)
}

// Requests counts the calls so far by path, all refused ones included.
func (l *LiteLLM) Requests() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.requests)
}

// CostlyChecks counts the calls of models that health checks have made: each costs money.
func (l *LiteLLM) CostlyChecks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.costly
}

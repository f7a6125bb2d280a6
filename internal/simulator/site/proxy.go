package site

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// The keys that open the APIs of the site: known to all, as there is nothing to guard.
const (
	// ProxyKey is an administrator's of LiteLLM.
	ProxyKey = "sk-synthetic"
	// LangfusePublicKey and LangfuseSecretKey are those of Langfuse's only project.
	LangfusePublicKey = "pk-lf-sim"
	LangfuseSecretKey = "sk-lf-sim" // #nosec G101 -- of a simulated server
)

const (
	proxyPort, langfusePort = 4000, 3000
	langfuseContainer       = "langfuse-web"
	// budgetPeriod is how often budgets begin anew, healthPeriod how often the proxy checks its models by itself.
	budgetPeriod = 30 * 24 * time.Hour
	healthPeriod = 5 * time.Minute
	// dearTask is what a team that spends too much pays for each request besides, in USD.
	dearTask = 60.0
	// driftFactor is how many tokens the proxy counts for each of the server's while it drifts.
	driftFactor = 4.0 / 3
)

// manyDeployments is how many make whoever runs the proxy leave out clientLabels: a page has some 25 KB for each user of each
// deployment, which would be a gigabyte with a thousand of them.
const manyDeployments = 100

var clientLabels = []string{
	"end_user", "hashed_api_key", "api_key_alias", "team", "team_alias", "user", "user_email", "client_ip", "user_agent",
}

// proxy is LiteLLM: what it knows of the requests that pass through.
type proxy struct {
	box      *box
	inFlight int
	// left is what each team may still spend.
	left []float64
	// budgets are what is shown of them.
	budgets []simulator.LiteLLMBudget
	// checked is when the proxy checked its models last.
	checked time.Duration
}

// ledger is the truth about all requests, to compare what the sources say with.
type ledger struct {
	succeeded, failed, unheard                     int64
	promptSucceeded, promptFailed, outputSucceeded int64
}

func newProxy(w *World) proxy {
	s := &w.cfg.Spec
	var deployments []simulator.LiteLLMDeployment
	for i := range s.Models {
		m := &s.Models[i]
		deployments = append(deployments, simulator.LiteLLMDeployment{
			Name: m.Public, Model: "hosted_vllm/" + m.Served, APIBase: fmt.Sprintf("http://%s:%d/v1", m.Container, vllmPort), Mode: string(m.Kind),
			MaxInput: m.Context, MaxOutput: m.Context / 4, InputPrice: &m.InputPrice, OutputPrice: &m.OutputPrice, Supports: m.supports(), RPM: 600,
		})
	}
	version := simulator.LiteLLMVersion(s.Proxy.Version)
	var dropped []string
	if len(deployments) > manyDeployments {
		dropped = clientLabels
	}
	w.litellm = simulator.NewLiteLLM(simulator.LiteLLMConfig{
		Version: version, DropLabels: dropped, Deployments: deployments, Keys: []simulator.LiteLLMKey{{Key: ProxyKey, Alias: "monitoring", Admin: true}},
		Redis: true, ActivityDelay: time.Minute, Now: w.clock.Now,
	})
	p := proxy{box: w.boxNamed(proxyContainer), checked: -healthPeriod}
	for i := range s.Traffic.Teams {
		p.left = append(p.left, s.Proxy.Budget)
		p.budgets = append(p.budgets, simulator.LiteLLMBudget{Entity: "team", ID: fmt.Sprintf("team-%d-id", i+1), Alias: fmt.Sprintf("team-%d", i+1), Max: s.Proxy.Budget})
	}
	p.show(w)
	return p
}

// started is a new process of the proxy: its counters begin here.
func (p *proxy) started(w *World) {
	w.litellm.Restart()
	p.show(w)
}

// show shows what does not change.
func (*proxy) show(w *World) {
	t := &w.cfg.Spec.Traffic
	w.litellm.SetPeople(t.Users, t.Users/2, t.Teams)
	w.litellm.SetBudget(simulator.LiteLLMBudget{Entity: "api_key", ID: simulator.LiteLLMHash(ProxyKey), Alias: "monitoring", Remaining: math.Inf(1), Max: math.Inf(1)})
	for i := range w.engines {
		w.litellm.SetState(i, 0)
	}
}

// life is that of the proxy's process.
func (p *proxy) life() int {
	if p.box == nil {
		return 0
	}
	return p.box.life
}

// ended is the end of a request; false for one whose connection was lost with an earlier process.
func (p *proxy) ended(w *World, r *request) bool {
	if r.life != p.life() {
		w.ledger.unheard++
		return false
	}
	p.inFlight--
	return true
}

// supports are the capabilities that the proxy's price list knows of the model.
func (m *ModelSpec) supports() []string {
	if m.Kind != Chat {
		return nil
	}
	can := []string{"function_calling", "system_messages", "tool_choice"}
	if strings.Contains(m.Hub, "gpt-oss") || strings.Contains(m.Hub, "Qwen3") {
		can = append(can, "reasoning")
	}
	return can
}

func (p *proxy) up() bool { return p.box == nil || p.box.running }

// touch notes that a request has come in.
func (p *proxy) touch(r *request) {
	r.life = p.life()
	p.inFlight++
	if p.box != nil {
		p.box.requests++
	}
}

// step shows what the proxy has at present.
func (p *proxy) step(w *World) {
	if !p.up() {
		return
	}
	w.litellm.SetInFlight(p.inFlight)
	spec := &w.cfg.Spec.Proxy
	left := budgetPeriod - (upBefore+w.now)%budgetPeriod
	if left <= w.cfg.Step {
		for i := range p.left {
			p.left[i] = spec.Budget
		}
	}
	for i := range p.budgets {
		p.budgets[i].Remaining, p.budgets[i].Reset = p.left[i], left
		w.litellm.SetBudget(p.budgets[i])
	}
	if w.now-p.checked >= healthPeriod {
		p.checked = w.now
		for i, e := range w.engines {
			w.litellm.SetHealth(i, e.condition == ready)
		}
	}
}

// routes are the paths that are called, of proxy and servers.
var routes = map[Kind]string{Chat: "/v1/chat/completions", Embedding: "/v1/embeddings", Rerank: "/v1/rerank"}

// accounted is how the proxy accounts for a request, with what all outcomes have in common.
func (w *World) accounted(r *request) simulator.LiteLLMRequest {
	team := fmt.Sprintf("team-%d", r.team+1)
	return simulator.LiteLLMRequest{
		Model: r.model.spec.Public, Route: routes[r.model.spec.Kind], Key: simulator.LiteLLMHash("sk-" + team), KeyAlias: team, Team: team + "-id", TeamAlias: team,
		User: fmt.Sprintf("user-%02d", r.user+1), IP: "192.0.2.10", UserAgent: "openai-python/1.99.1",
		Total: w.now - r.arrived, Queue: time.Duration(float64(r.overhead) * 0.015),
	}
}

// succeed is the answer of a request, in the proxy and behind it.
func (w *World) succeed(r *request) {
	if !w.proxy.ended(w, r) {
		return
	}
	one := w.accounted(r)
	one.Attempts = []simulator.LiteLLMAttempt{{Deployment: r.model.index}}
	one.Upstream = r.ended - r.arrived - r.overhead
	if r.streaming {
		one.FirstToken = r.first - r.arrived - r.overhead
	}
	one.Input, one.Output = r.prompt, r.output
	if w.effects.on(TokenDrift, r.model) {
		one.Input, one.Output = int(driftFactor*float64(r.prompt)), int(driftFactor*float64(r.output))
	}
	m := r.model.spec
	if r.team == 0 && w.effects.on(BudgetOverrun, nil) {
		r.surcharge = dearTask
	}
	spend := float64(r.prompt)*m.InputPrice + float64(r.output)*m.OutputPrice + r.surcharge
	one.Spend = &spend
	w.litellm.Finish(one)
	if r.team < len(w.proxy.left) {
		w.proxy.left[r.team] -= spend
	}
	w.ledger.succeeded++
	w.ledger.promptSucceeded += int64(r.prompt)
	w.ledger.outputSucceeded += int64(r.output)
	r.model.box.lines.answered(w, http.StatusOK, "OK")
	w.trace(r, w.now, "", "")
}

// failures are the ways in which a request fails, as the proxy names them.
var failures = map[failure]struct {
	status int
	class  string
	// upstream says that the server had the request.
	upstream bool
}{
	failClient:     {http.StatusBadRequest, "BadRequestError", false},
	failServer:     {http.StatusInternalServerError, "Hosted_vllm.InternalServerError", true},
	failServerGone: {http.StatusServiceUnavailable, "Hosted_vllm.ServiceUnavailableError", true},
	failTimeout:    {http.StatusRequestTimeout, "Hosted_vllm.Timeout", true},
}

// fail is the end of a request without an answer.
func (w *World) fail(r *request, why failure) {
	if !w.proxy.ended(w, r) {
		return
	}
	how := failures[why]
	one := w.accounted(r)
	one.Status, one.Class = how.status, how.class
	if how.upstream {
		one.Attempts = []simulator.LiteLLMAttempt{{Deployment: r.model.index, Status: how.status, Class: how.class, CooledDown: why == failServerGone}}
	}
	w.litellm.Finish(one)
	w.ledger.failed++
	if why == failServer {
		w.ledger.promptFailed += int64(r.prompt)
		r.model.box.lines.answered(w, how.status, "Internal Server Error")
		r.model.box.lines.say(w, "ERROR", "serving_chat.py:1147", "Error in chat completion stream generator.")
	}
	if w.proxy.box != nil {
		w.proxy.box.lines.write(w, "stderr", fmt.Sprintf(`{"level": "ERROR", "message": "litellm.%s: %s", "status_code": %d}`, how.class, r.model.spec.Public, how.status))
	}
	w.trace(r, w.now, "ERROR", how.class)
}

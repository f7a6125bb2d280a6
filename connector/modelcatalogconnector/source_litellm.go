package modelcatalogconnector

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// readLiteLLM takes in what the LiteLLM receiver says of a proxy.
func (s *store) readLiteLLM(rm pmetric.ResourceMetrics, id instance, now time.Time) {
	r := &litellmReading{store: s, id: id, proxy: s.proxies[id], now: now}
	eachMetric(rm, func(m pmetric.Metric) {
		switch m.Name() {
		case "litellm.up":
			s.eachPoint(m, r.up)
		case "litellm.deployment.info":
			s.eachPoint(m, r.info)
		case "litellm.deployment.context_length":
			s.eachPoint(m, r.contextLength)
		case "litellm.deployment.price":
			s.eachPoint(m, r.price)
		case "litellm.deployment.state":
			s.eachPoint(m, r.state)
		case "litellm.deployment.healthy":
			s.eachPoint(m, r.healthy)
		case "litellm.tokens.input":
			s.eachPoint(m, r.tokens(tokenInput))
		case "litellm.tokens.output":
			s.eachPoint(m, r.tokens(tokenOutput))
		}
	})
}

// litellmReading reads the metrics of one proxy.
type litellmReading struct {
	*store
	id    instance
	proxy *proxy // nil as long as nothing is known of it
	now   time.Time
}

// exists makes a record of the proxy if there is none.
func (r *litellmReading) exists() bool {
	if r.proxy == nil && r.room() {
		r.proxy = &proxy{instance: r.id.clone(), deployments: make(map[string]*deployment), checks: make(map[checkKey]*fact[bool])}
		r.proxies[r.proxy.instance] = r.proxy
	}
	return r.proxy != nil
}

// deployment returns the record of a deployment, nil if it has none and may have
// none. The empty id stands for all that have none.
func (r *litellmReading) deployment(id string, ended bool) *deployment {
	if ended && r.proxy == nil || !r.exists() {
		return nil
	}
	d := r.proxy.deployments[id]
	if d == nil && !ended && r.room() {
		d = &deployment{names: make(map[string]*publicName)}
		r.proxy.deployments[own(id)] = d
	}
	return d
}

// name returns the record of a public name of a deployment.
func (r *litellmReading) name(attributes pcommon.Map, ended bool) *publicName {
	public := text(attributes, attrRequestModel)
	if public == "" || !ended && !r.takes(attributes) {
		return nil
	}
	d := r.deployment(text(attributes, attrDeploymentID), ended)
	if d == nil {
		return nil
	}
	n := d.names[public]
	if n == nil && !ended && r.room() {
		n = &publicName{prices: make(map[string]*fact[float64])}
		d.names[own(public)] = n
	}
	return n
}

func (r *litellmReading) up(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	switch {
	case ended:
		r.change(r.proxy != nil && r.proxy.up.end(series))
	case r.exists():
		r.change(r.proxy.up.say(number(dp) > 0, series, r.now))
	}
}

func (r *litellmReading) info(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	attributes := dp.Attributes()
	n := r.name(attributes, ended)
	if n == nil {
		return
	}
	if ended {
		r.change(n.info.end(series))
		return
	}
	info := deploymentInfo{
		served:       text(attributes, attrResponseModel),
		provider:     text(attributes, attrProvider),
		operation:    text(attributes, attrOperation),
		address:      text(attributes, attrDeploymentAt),
		id:           text(attributes, attrModelID),
		capabilities: text(attributes, attrCapabilities),
	}
	if n.info.say(info, series, r.now) {
		n.info.value = info.clone()
		r.change(true)
	}
}

func (r *litellmReading) contextLength(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	n := r.name(dp.Attributes(), ended)
	switch {
	case n == nil:
	case ended:
		r.change(n.contextLength.end(series))
	case number(dp) > 0:
		r.change(n.contextLength.say(int64(number(dp)), series, r.now))
	}
}

// tokenTypes are those that have a price.
var tokenTypes = []string{tokenInput, tokenOutput, "cache_read", "cache_creation", "reasoning"}

func (r *litellmReading) price(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	n := r.name(dp.Attributes(), ended)
	if n == nil {
		return
	}
	given := text(dp.Attributes(), attrTokenType)
	for _, kind := range tokenTypes { // a bounded number of texts that are its own
		if kind != given {
			continue
		}
		price := n.prices[kind]
		switch value := number(dp); {
		case ended:
			r.change(price != nil && price.end(series))
		case value >= 0 && !math.IsInf(value, 1):
			if price == nil {
				price = &fact[float64]{}
				n.prices[kind] = price
			}
			r.change(price.say(value, series, r.now))
		}
	}
}

// state takes the one of the states that is 1.
func (r *litellmReading) state(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	id := text(dp.Attributes(), attrDeploymentID)
	if id == "" || !ended && number(dp) <= 0 {
		return
	}
	d := r.deployment(id, ended)
	if d == nil {
		return
	}
	if ended {
		r.change(d.state.end(series))
		return
	}
	is, known := stateOfDeployment[text(dp.Attributes(), attrDeploymentState)]
	if !known {
		is = stateUnknown // of a later version
	}
	r.change(d.state.say(is, series, r.now))
}

// healthy takes in a health check, which may name the deployment or only its names.
func (r *litellmReading) healthy(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	check := r.check(dp.Attributes(), ended)
	switch {
	case check == nil:
	case ended:
		r.change(check.end(series))
	default:
		r.change(check.say(number(dp) > 0, series, r.now))
	}
}

func (r *litellmReading) check(attributes pcommon.Map, ended bool) *fact[bool] {
	if id := text(attributes, attrDeploymentID); id != "" {
		if d := r.deployment(id, ended); d != nil {
			return &d.healthy
		}
		return nil
	}
	key := checkKey{text(attributes, attrRequestModel), text(attributes, attrResponseModel), text(attributes, attrDeploymentAt)}
	if key == (checkKey{}) || ended && r.proxy == nil || !r.exists() {
		return nil
	}
	check := r.proxy.checks[key]
	if check == nil && !ended && r.room() {
		check = &fact[bool]{}
		r.proxy.checks[checkKey{own(key.public), own(key.served), own(key.address)}] = check
	}
	return check
}

// checkOf is the last health check of a deployment: the one that tells most of it.
func (p *proxy) checkOf(d *deployment, public string, info deploymentInfo) fact[bool] {
	if d.healthy.known() {
		return d.healthy
	}
	for _, key := range []checkKey{
		{public, info.served, info.address},
		{public, info.served, ""},
		{"", info.served, info.address},
		{"", info.served, ""},
		{public, "", ""},
	} {
		if check := p.checks[key]; check != nil && check.known() {
			return *check
		}
	}
	return fact[bool]{}
}

// tokens counts by the name at the provider, since that is what the engine knows.
func (r *litellmReading) tokens(kind string) func(pmetric.NumberDataPoint, uint64, bool) {
	return func(dp pmetric.NumberDataPoint, series uint64, ended bool) {
		if ended || !r.takes(dp.Attributes()) {
			return
		}
		of := counted{text(dp.Attributes(), attrResponseModel), kind, originLiteLLM, true}
		if of.model == "" {
			of.model, of.served = text(dp.Attributes(), attrRequestModel), false
		}
		if of.model != "" {
			r.count(r.id, series, of, dp, r.now)
		}
	}
}

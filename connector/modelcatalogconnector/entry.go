package modelcatalogconnector

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// route is one way to reach a model.
type route struct {
	origin                                          origin
	served, provider, endpoint, instance, container string
	// state is that of the model on this way. own says that it is called by the name
	// of the entry; where it is not, a user of the entry has no use of it.
	state modelState
	own   bool
}

// compare puts first what a user should try first.
func (r route) compare(other route) int {
	return cmp.Or(
		cmp.Compare(r.state, other.state), cmp.Compare(rank[r.origin], rank[other.origin]), cmp.Compare(r.endpoint, other.endpoint),
		cmp.Compare(r.instance, other.instance), cmp.Compare(r.served, other.served), cmp.Compare(r.provider, other.provider),
		cmp.Compare(r.container, other.container),
	)
}

// rank orders origins by where a model should rather be called: the proxy knows
// keys, limits and budgets.
var rank = map[origin]int{originLiteLLM: 1, originVLLM: 2, originFile: 3}

// entry gathers all that is known of a name that can be called.
type entry struct {
	name string

	served, ids, keys, operations, providers, quantizations, dtypes, parents, versions, origins values
	// capabilities are those that all deployments have that tell any.
	capabilities values
	capable      bool
	// contextLength is the least, prices are the highest.
	contextLength int64
	prices        map[string]float64
	routes        []route
}

// addDeployment adds what a proxy tells of a deployment, and the servers behind it.
func (e *entry) addDeployment(p *proxy, d *deployment, n *publicName, behind []*hosting, endpoint string) {
	info := n.info.value
	provider := info.provider
	if len(behind) > 0 {
		provider = vllmProvider
	}
	e.origins.add(originLiteLLM.String())
	e.served.add(info.served)
	e.keys.add(info.id)
	e.operations.add(info.operation)
	e.providers.add(provider)
	e.addCapabilities(info.capabilities)
	e.fit(n.contextLength)
	if n.priced() {
		for kind, price := range n.prices {
			e.prices[kind] = max(e.prices[kind], price.value)
		}
	}
	e.routes = append(e.routes, route{
		origin: originLiteLLM, served: info.served, provider: provider, instance: p.name, own: true,
		endpoint: cmp.Or(endpoint, p.baseURL()),
		state:    routeState(p, d, behind, p.checkOf(d, e.name, info)),
	})
}

// addHosting adds what a server tells.
func (e *entry) addHosting(h *hosting, endpoint string) {
	info := h.model.info.value
	e.origins.add(originVLLM.String())
	e.served.add(h.name)
	e.ids.add(info.id)
	e.providers.add(vllmProvider)
	e.quantizations.add(info.quantization)
	e.dtypes.add(info.dtype)
	e.parents.add(info.parent)
	e.versions.add(info.version)
	e.fit(h.model.contextLength)
	e.routes = append(e.routes, route{
		origin: originVLLM, served: h.name, provider: vllmProvider, instance: h.server.name, container: h.server.container,
		endpoint: cmp.Or(endpoint, h.server.baseURL()), state: h.server.currentState(), own: h.name == e.name,
	})
}

func (e *entry) addCapabilities(list string) {
	if list == "" {
		return // not told, which is not the same as none
	}
	told := values(strings.Split(list, ","))
	if e.capable {
		e.capabilities = slices.DeleteFunc(e.capabilities, func(c string) bool { return !slices.Contains(told, c) })
		return
	}
	e.capabilities, e.capable = told, true
}

// fit keeps the least context length: a request may go anywhere.
func (e *entry) fit(length fact[int64]) {
	if length.known() && (e.contextLength == 0 || length.value < e.contextLength) {
		e.contextLength = length.value
	}
}

// card is an entry as it is emitted. An empty text is one that is not known.
type card struct {
	name, served, id, operation, provider, endpoint, quantization, dtype, parameters, capabilities, parent, link string
	description, deprecated, replacement, version, origins                                                       string

	state         modelState
	contextLength int64
	prices        map[string]float64
	routes        []route
}

// card makes one of the entry and what the file says of it.
func (e *entry) card(o *override) card {
	slices.SortFunc(e.routes, route.compare)
	e.routes = slices.CompactFunc(e.routes, route.looksLike)
	c := card{
		name: e.name, served: e.served.list(), id: cmp.Or(e.ids.list(), e.keys.list()), operation: e.operations.list(),
		provider: e.providers.list(), quantization: e.quantizations.list(), dtype: e.dtypes.list(), parent: e.parents.list(),
		version: e.versions.list(), capabilities: e.capabilities.list(), origins: e.origins.list(),
		contextLength: e.contextLength, prices: e.prices, routes: e.routes,
	}
	for _, r := range e.routes {
		if r.own {
			c.state = better(c.state, r.state)
			c.endpoint = cmp.Or(c.endpoint, r.endpoint) // of the best one that has any
		}
	}
	if c.state == 0 || c.state == stateUnknown {
		c.state = cmp.Or(o.state, stateUnknown)
	}
	c.correct(o)
	c.derive(o, len(e.ids) == 1)
	return c
}

// looksLike says whether two ways cannot be told apart by what is emitted of them.
func (r route) looksLike(other route) bool {
	r.state, r.own = other.state, other.own
	return r == other
}

// correct replaces what the file says otherwise.
func (c *card) correct(o *override) {
	for _, of := range []struct {
		says *string
		is   *string
	}{
		{o.description, &c.description},
		{o.operation, &c.operation},
		{o.provider, &c.provider},
		{o.id, &c.id},
		{o.quantization, &c.quantization},
		{o.dtype, &c.dtype},
		{o.capabilities, &c.capabilities},
		{o.endpoint, &c.endpoint},
		{o.deprecated, &c.deprecated},
		{o.replacement, &c.replacement},
		{o.parameters, &c.parameters},
		{o.link, &c.link},
	} {
		if of.says != nil {
			*of.is = *of.says
		}
	}
	if o.contextLength > 0 {
		c.contextLength = o.contextLength
	}
	maps.Copy(c.prices, o.prices)
}

// derive adds what follows from the rest, where the file does not say it.
func (c *card) derive(o *override, served bool) {
	if o.operation == nil && c.operation == "" && c.provider == vllmProvider {
		c.operation = operationOf(c.id, c.served)
	}
	if o.parameters == nil {
		c.parameters = parametersOf(c.id, c.served, c.name)
	}
	if o.link == nil && c.provider == vllmProvider && (served || o.id != nil) {
		c.link = modelCard(c.id)
	}
}

// joined are values in order, with commas between.
func joined(v values) string {
	return strings.Join(slices.Sorted(slices.Values(v)), ",")
}

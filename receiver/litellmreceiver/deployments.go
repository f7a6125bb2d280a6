package litellmreceiver

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxCapabilities bounds what is told of one model.
const maxCapabilities = 64

// deployment is an entry of /model/info: a model at a provider, one of those behind
// a public name.
type deployment struct {
	id, name string
	// model is what the configuration calls it, served the part that the provider
	// knows it by.
	model, served string
	// provider is LiteLLM's name of it.
	provider string
	// operation is gen_ai.operation.name, empty where no mode is told.
	operation string
	// address is host:port of api_base, empty for the provider's own.
	address string
	// key is the name in the price list.
	key          string
	capabilities string
	context      int64
	prices       []price
}

// price is that of one token of a type.
type price struct {
	of    string
	value float64
}

// deployments are those of a proxy.
type deployments struct {
	list []deployment
	byID map[string]*deployment
	// providers are those of served names; empty where several have the same.
	providers map[string]string
	// refused is how many were left out.
	refused int
}

// entry is one as /model/info has it. Nearly all fields may be null or missing.
type entry struct {
	Name   text `json:"model_name"`
	Params struct {
		Model    text `json:"model"`
		APIBase  text `json:"api_base"`
		Provider text `json:"custom_llm_provider"`
	} `json:"litellm_params"`
	Info facts `json:"model_info"`
}

// facts are the fields of model_info: more with every release.
type facts map[string]json.RawMessage

// UnmarshalJSON takes null, or what is no object, for nothing.
func (f *facts) UnmarshalJSON(data []byte) error {
	var m map[string]json.RawMessage
	if json.Unmarshal(data, &m) == nil {
		*f = m
	}
	return nil
}

func (f facts) text(key string) string {
	var t text
	_ = t.UnmarshalJSON(f[key])
	return string(t)
}

func (f facts) amount(key string) amount {
	var a amount
	_ = a.UnmarshalJSON(f[key])
	return a
}

// readDeployments reads the answer of /model/info.
func readDeployments(resp *http.Response, limit int) (*deployments, error) {
	d := &deployments{byID: make(map[string]*deployment), providers: make(map[string]string)}
	seen := make(map[string]bool)
	var e *entry
	add := func() {
		if e == nil {
			return
		}
		if one := e.deployment(); one.name != "" && !seen[one.id+"\x00"+one.name] {
			seen[one.id+"\x00"+one.name] = true
			d.list = append(d.list, one)
		}
	}
	err := readList(resp, func() any {
		add()
		if e = nil; len(d.list) >= limit {
			d.refused++
			return &ignored{}
		}
		e = &entry{}
		return e
	})
	if err != nil {
		return nil, err
	}
	add()
	for i := range d.list {
		one := &d.list[i]
		if one.id != "" {
			d.byID[one.id] = one
		}
		if other, again := d.providers[one.served]; again && other != one.provider {
			d.providers[one.served] = ""
		} else {
			d.providers[one.served] = one.provider
		}
	}
	return d, nil
}

// hostPort is where an api_base is, empty if that is nowhere.
func hostPort(base string) string {
	host, port, _ := addressOf(base)
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// operations are the modes that the semantic conventions call otherwise.
var operations = map[string]string{
	"completion": "text_completion",
	"embedding":  "embeddings",
}

// prices are the fields of model_info that are USD for one token.
var prices = []struct{ of, key string }{
	{"input", "input_cost_per_token"},
	{"output", "output_cost_per_token"},
	{"cache_read", "cache_read_input_token_cost"},
	{"cache_creation", "cache_creation_input_token_cost"},
	{"reasoning", "output_cost_per_reasoning_token"},
}

func (e *entry) deployment() deployment {
	d := deployment{
		id:    e.Info.text("id"),
		name:  string(e.Name),
		model: string(e.Params.Model),
		key:   e.Info.text("key"),
	}
	if public := e.Info.text("team_public_model_name"); public != "" {
		d.name = public // a team's own model: the other name is made up of ids
	}
	d.served, d.provider = splitModel(d.model, string(e.Params.Provider))
	if d.provider == "" {
		d.provider = e.Info.text("litellm_provider")
	}
	d.address = hostPort(string(e.Params.APIBase))
	if d.key == d.served {
		d.key = ""
	}
	d.operation = e.Info.text("mode")
	if operation, ok := operations[d.operation]; ok {
		d.operation = operation
	}
	d.context = int64(min(e.Info.amount("max_input_tokens").or(0), 1<<53))
	if d.context <= 0 {
		d.context = int64(min(e.Info.amount("max_tokens").or(0), 1<<53))
	}
	for _, p := range prices {
		if v := e.Info.amount(p.key).or(-1); v >= 0 {
			d.prices = append(d.prices, price{p.of, v})
		}
	}
	d.capabilities = e.Info.capabilities()
	return d
}

// capabilities are the supports_... that are true, sorted.
func (f facts) capabilities() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if name, ok := strings.CutPrefix(key, "supports_"); ok && name != "" && string(f[key]) == "true" && len(all) < maxCapabilities {
			all = append(all, name)
		}
	}
	return strings.Join(all, ",")
}

// complete adds to what labels say of a deployment, or of a model. prefixed says that the name
// of the model may have its provider in front.
func (d *deployments) complete(a *attributes, prefixed bool) {
	raw := a[attrProvider]
	if known := d.of(a[attrDeploymentID]); known != nil {
		if a[attrRequestModel] == "" {
			a[attrRequestModel] = known.name
		}
		if a[attrResponseModel] == "" || a[attrResponseModel] == known.model {
			a[attrResponseModel] = known.served
		}
		if raw == "" {
			raw = known.provider
		}
	}
	if served := a[attrResponseModel]; raw == "" && served != "" && d != nil {
		raw = d.providers[served]
	}
	if prefixed && raw != "" {
		a[attrResponseModel], _ = splitModel(a[attrResponseModel], raw)
	}
	a[attrProvider], a[attrRawProvider] = providerName(raw)
}

func (d *deployments) of(id string) *deployment {
	if d == nil || id == "" {
		return nil
	}
	return d.byID[id]
}

// modelNames are public names.
type modelNames struct {
	names   []string
	refused int
}

// readModels reads the answer of /v1/models.
func readModels(resp *http.Response, limit int) (*modelNames, error) {
	m := &modelNames{}
	seen := make(map[string]bool)
	var one *struct {
		ID text `json:"id"`
	}
	add := func() {
		if one != nil && one.ID != "" && !seen[string(one.ID)] {
			seen[string(one.ID)] = true
			m.names = append(m.names, string(one.ID))
		}
	}
	err := readList(resp, func() any {
		add()
		if one = nil; len(m.names) >= limit {
			m.refused++
			return &ignored{}
		}
		one = &struct {
			ID text `json:"id"`
		}{}
		return one
	})
	if err != nil {
		return nil, err
	}
	add()
	return m, nil
}

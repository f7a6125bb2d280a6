package modelcatalogconnector

import (
	"slices"
)

// names knows which name the engine counts with, for any name that a source may
// call a model by.
type names struct {
	// engine holds the name that all servers of a served name count with.
	engine map[string]string
	// public and ids hold the served names behind a public name, and of weights.
	public, ids map[string]string
}

// several stands for more than one name.
const several = ""

func newNames(s *store) *names {
	n := &names{engine: make(map[string]string), public: make(map[string]string), ids: make(map[string]string)}
	for _, srv := range s.servers {
		for name := range srv.models {
			note(n.engine, name, srv.counts(name))
		}
	}
	for _, srv := range s.servers {
		for name, m := range srv.models {
			if m.info.known() && m.info.value.id != "" {
				note(n.ids, m.info.value.id, n.served(name))
			}
		}
	}
	for _, p := range s.proxies {
		for _, d := range p.deployments {
			for public, of := range d.names {
				if of.info.known() && of.info.value.served != "" {
					note(n.public, public, n.served(of.info.value.served))
				}
			}
		}
	}
	return n
}

// note keeps a value as long as it is the only one.
func note(of map[string]string, name, value string) {
	if other, there := of[name]; there && other != value {
		value = several
	}
	of[name] = value
}

// counts is the name under which the server counts the tokens of a model. An
// adapter, or a further name of the model, has no counter of its own.
func (s *server) counts(name string) string {
	if _, own := s.counted[name]; own || len(s.counted) != 1 {
		return name
	}
	for counted := range s.counted {
		name = counted
	}
	return name
}

// served is the name that the engine counts with for a served name.
func (n *names) served(name string) string {
	if counted := n.engine[name]; counted != several {
		return counted
	}
	return name
}

// any is the same for a name that may be a public name, a served name or the id of
// the weights. One that stands for several models stays as it is.
func (n *names) any(name string) string {
	for _, of := range []map[string]string{n.public, n.engine, n.ids} {
		if counted, there := of[name]; there {
			if counted == several {
				return name
			}
			return counted
		}
	}
	return name
}

// engineName is the name that the engine counts with for what a source counted.
func (n *names) engineName(of counted) string {
	switch {
	case of.origin == originVLLM:
		return of.model
	case of.served:
		return n.served(of.model)
	}
	return n.any(of.model)
}

// values are the different values of what is known of a model.
type values []string

func (v *values) add(value string) {
	if value != "" && !slices.Contains(*v, value) {
		*v = append(*v, value)
	}
}

// list puts them in order, with commas between.
func (v values) list() string {
	switch len(v) {
	case 0:
		return ""
	case 1:
		return v[0]
	}
	return cut(joined(v))
}

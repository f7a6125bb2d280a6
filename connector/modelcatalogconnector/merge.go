package modelcatalogconnector

import (
	"maps"
	"slices"
	"strings"
)

// merger makes cards of what the sources and the file say.
type merger struct {
	endpoints EndpointsConfig
	max       int
	// shown are the entries of last time: if there are too many they stay.
	shown map[string]bool
}

// merge returns the cards in the order of their names.
func (m *merger) merge(s *store, of *overrides) []card {
	entries := m.entries(s)
	for _, o := range of.added {
		if entries[o.name] == nil {
			entries[o.name] = added(o)
		}
	}
	var cards []card
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		if o := of.forModel(name, e.served); !o.hidden {
			cards = append(cards, e.card(o))
		}
	}
	return m.fit(s, cards)
}

// added is an entry that no source knows.
func added(o *override) *entry {
	e := &entry{name: o.name, prices: make(map[string]float64)}
	e.origins.add(originFile.String())
	if o.endpoint != nil && *o.endpoint != "" {
		r := route{origin: originFile, endpoint: *o.endpoint, own: true}
		if o.provider != nil {
			r.provider = *o.provider
		}
		e.routes = append(e.routes, r)
	}
	return e
}

// entries puts together what belongs together: one for each name that a proxy
// offers, and one for each name of a server that no proxy does.
func (m *merger) entries(s *store) map[string]*entry {
	entries := make(map[string]*entry)
	at := func(name string) *entry {
		if entries[name] == nil {
			entries[name] = &entry{name: name, prices: make(map[string]float64)}
		}
		return entries[name]
	}
	hostings, serving := s.hostings()
	// offered are the names of entries that a hosting is behind.
	offered := make(map[*hosting]values)
	for _, p := range sorted(s.proxies) {
		for _, id := range slices.Sorted(maps.Keys(p.deployments)) {
			d := p.deployments[id]
			for _, public := range slices.Sorted(maps.Keys(d.names)) {
				n := d.names[public]
				if !n.info.known() || strings.Contains(public, "*") { // a pattern cannot be called
					continue
				}
				engines := behind(p, n.info.value, serving[n.info.value.served])
				at(public).addDeployment(p, d, n, engines, m.endpoints.LiteLLM)
				for _, h := range engines {
					of := offered[h]
					of.add(public)
					offered[h] = of
				}
			}
		}
	}
	for _, h := range hostings {
		for _, name := range offered[h] {
			at(name).addHosting(h, m.endpoints.VLLM)
		}
		if len(offered[h]) == 0 {
			at(h.name).addHosting(h, m.endpoints.VLLM)
		}
	}
	return entries
}

// hostings are the models on servers, and those that serve each name.
func (s *store) hostings() ([]*hosting, map[string][]*hosting) {
	var all []*hosting
	serving := make(map[string][]*hosting)
	for _, srv := range sorted(s.servers) {
		for _, name := range slices.Sorted(maps.Keys(srv.models)) {
			if m := srv.models[name]; m.info.known() {
				h := &hosting{name, srv, m}
				all = append(all, h)
				serving[name] = append(serving[name], h)
			}
		}
	}
	return all, serving
}

func sorted[T any](of map[instance]T) []T {
	var all []T
	for _, id := range slices.SortedFunc(maps.Keys(of), instance.compare) {
		all = append(all, of[id])
	}
	return all
}

// fit leaves out what is too much. What was there before stays, so that a new
// model does not take the place of another.
func (m *merger) fit(s *store, cards []card) []card {
	if over := len(cards) - m.max; over > 0 {
		s.refused[refusedModel] += int64(over)
		slices.SortStableFunc(cards, func(a, b card) int {
			switch {
			case m.shown[a.name] == m.shown[b.name]:
				return 0
			case m.shown[a.name]:
				return -1
			}
			return 1
		})
		cards = cards[:m.max]
		slices.SortFunc(cards, func(a, b card) int { return strings.Compare(a.name, b.name) })
	}
	m.shown = make(map[string]bool, len(cards))
	for i := range cards {
		m.shown[cards[i].name] = true
	}
	return cards
}

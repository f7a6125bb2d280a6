package modelcatalogconnector

import (
	"maps"
	"slices"
	"strings"
)

// override is what the file says of the models that its name matches. A text that
// is nil is not said; an empty one takes away what the sources say.
type override struct {
	name string
	line int

	description, link, operation, provider, id, parameters, quantization, dtype *string
	capabilities, endpoint, deprecated, replacement                             *string

	contextLength int64
	// prices are USD for a token of each type.
	prices map[string]float64
	state  modelState
	// add makes an entry where no source knows one, hidden takes one away.
	add, hidden bool
}

// texts are the texts of an override by their keys in the file.
func (o *override) texts() map[string]**string {
	return map[string]**string{
		"description":  &o.description,
		"link":         &o.link,
		"type":         &o.operation,
		"provider":     &o.provider,
		"id":           &o.id,
		"parameters":   &o.parameters,
		"quantization": &o.quantization,
		"dtype":        &o.dtype,
		"capabilities": &o.capabilities,
		"endpoint":     &o.endpoint,
		"deprecated":   &o.deprecated,
		"replacement":  &o.replacement,
	}
}

// overlay puts what another one says over it.
func (o *override) overlay(other *override) {
	says := other.texts()
	for key, text := range o.texts() {
		if *says[key] != nil {
			*text = *says[key]
		}
	}
	if other.contextLength > 0 {
		o.contextLength = other.contextLength
	}
	if other.prices != nil {
		o.prices = maps.Clone(o.prices)
		if o.prices == nil {
			o.prices = make(map[string]float64)
		}
		maps.Copy(o.prices, other.prices)
	}
	if other.state != 0 {
		o.state = other.state
	}
	o.hidden = o.hidden || other.hidden
}

// overrides are those of a whole file.
type overrides struct {
	exact map[string]*override
	// patterns and added are in the order of the file.
	patterns, added []*override
}

var noOverride = &override{}

// forModel puts together what is said of a model: by patterns, by the names under
// which it is served, and by its own name, each over those before it.
func (o *overrides) forModel(name string, served values) *override {
	var found []*override
	for _, p := range o.patterns {
		if p.matches(name) || slices.ContainsFunc(served, p.matches) {
			found = append(found, p)
		}
	}
	for _, of := range slices.Sorted(slices.Values(served)) {
		if exact := o.exact[of]; exact != nil && of != name {
			found = append(found, exact)
		}
	}
	if exact := o.exact[name]; exact != nil {
		found = append(found, exact)
	}
	switch len(found) {
	case 0:
		return noOverride
	case 1:
		return found[0]
	}
	all := &override{}
	for _, f := range found {
		all.overlay(f)
	}
	return all
}

// isPattern says whether a name stands for others.
func isPattern(name string) bool { return strings.ContainsAny(name, "*?") }

// matches says whether a name fits the pattern, in which * is any text and ? any
// character. It takes no longer than their lengths multiplied.
func (o *override) matches(name string) bool {
	pattern, text := []rune(o.name), []rune(name)
	p, t := 0, 0
	star, from := -1, 0 // the last star, and where the text that it stands for ends
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(pattern[p:]), "*") == ""
}

// len is how many entries the file has.
func (o *overrides) len() int { return len(o.exact) + len(o.patterns) }

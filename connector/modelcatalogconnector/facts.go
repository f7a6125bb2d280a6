package modelcatalogconnector

import (
	"strings"
	"time"
)

// fact is what a series of a source says.
type fact[T comparable] struct {
	value T
	// series is the one that says it: only its end ends the fact.
	series uint64
	// seen is when it was said last; zero means that nobody says anything.
	seen time.Time
}

func (f *fact[T]) known() bool { return !f.seen.IsZero() }

// say notes what a series says, and returns whether that is new.
func (f *fact[T]) say(value T, series uint64, now time.Time) bool {
	changed := !f.known() || f.value != value
	f.value, f.series, f.seen = value, series, now
	return changed
}

// end takes back what a series said.
func (f *fact[T]) end(series uint64) bool {
	if !f.known() || f.series != series {
		return false // another series says it by now
	}
	*f = fact[T]{}
	return true
}

// expire forgets what was last said before a time.
func (f *fact[T]) expire(before time.Time) bool {
	if !f.known() || !f.seen.Before(before) {
		return false
	}
	*f = fact[T]{}
	return true
}

// instance identifies a server, proxy or project.
type instance struct {
	service, name, address, port, host string
}

func (i instance) clone() instance {
	return instance{
		strings.Clone(i.service), strings.Clone(i.name), strings.Clone(i.address), strings.Clone(i.port), strings.Clone(i.host),
	}
}

func (i instance) compare(other instance) int {
	for _, pair := range [][2]string{{i.name, other.name}, {i.address, other.address}, {i.port, other.port}, {i.host, other.host}} {
		if c := strings.Compare(pair[0], pair[1]); c != 0 {
			return c
		}
	}
	return 0
}

// server is a vLLM server.
type server struct {
	instance
	container, compose string

	state  fact[modelState]
	up     fact[bool]
	models map[string]*servedModel
	// counted are the names under which it counts tokens. It has one even if it
	// serves a model under several names, or adapters.
	counted map[string]time.Time
}

// servedModel is a model under one name of a server.
type servedModel struct {
	info          fact[servedInfo]
	contextLength fact[int64]
}

type servedInfo struct {
	id, parent, dtype, quantization, version string
}

func (i servedInfo) clone() servedInfo {
	return servedInfo{
		strings.Clone(i.id), strings.Clone(i.parent), strings.Clone(i.dtype), strings.Clone(i.quantization), strings.Clone(i.version),
	}
}

// proxy is a LiteLLM proxy.
type proxy struct {
	instance

	up          fact[bool]
	deployments map[string]*deployment
	// checks are health checks that tell no id of a deployment but its names.
	checks map[checkKey]*fact[bool]
}

type checkKey struct{ public, served, address string }

// deployment is a model at a provider, behind one public name or several.
type deployment struct {
	state   fact[modelState]
	healthy fact[bool]
	names   map[string]*publicName
}

// publicName is a name under which the proxy offers a deployment.
type publicName struct {
	info          fact[deploymentInfo]
	contextLength fact[int64]
	// prices are USD for a token of each type.
	prices map[string]*fact[float64]
}

// priced says whether the name has a price. LiteLLM says that a token costs nothing
// where it is not paid for by tokens, or where it does not know.
func (n *publicName) priced() bool {
	for _, price := range n.prices {
		if price.value > 0 {
			return true
		}
	}
	return false
}

type deploymentInfo struct {
	served, provider, operation, address, id, capabilities string
}

func (i deploymentInfo) clone() deploymentInfo {
	return deploymentInfo{
		strings.Clone(i.served), strings.Clone(i.provider), strings.Clone(i.operation),
		strings.Clone(i.address), strings.Clone(i.id), strings.Clone(i.capabilities),
	}
}

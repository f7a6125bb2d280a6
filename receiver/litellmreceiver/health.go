package litellmreceiver

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// readiness is what the proxy says of itself. Which of it is told changes with the
// version, and with what the administrator allows.
type readiness struct {
	Database text  `json:"db"`
	Cache    cache `json:"cache"`
	Version  text  `json:"litellm_version"`
}

// cache is the response cache: a name, or one with what its index says, or null.
type cache struct {
	kind   string
	broken bool
}

// UnmarshalJSON never fails.
func (c *cache) UnmarshalJSON(data []byte) error {
	var kind text
	_ = kind.UnmarshalJSON(data)
	var detailed struct {
		Type  text            `json:"type"`
		Index json.RawMessage `json:"index_info"`
	}
	if kind == "" && json.Unmarshal(data, &detailed) == nil {
		kind = detailed.Type
		c.broken = strings.Contains(string(detailed.Index), "error")
	}
	c.kind = string(kind)
	return nil
}

// database says whether the proxy reaches its database; told is false where it has
// none, or does not say.
func (r *readiness) database() (connected, told bool) {
	switch db := string(r.Database); db {
	case "connected":
		return true, true
	case "", "Not connected", "unknown": // LiteLLM's words for "none configured" and "not asked yet"
		return false, false
	}
	return false, true
}

// merge takes from other what r does not tell.
func (r *readiness) merge(other readiness) {
	if r.Database == "" {
		r.Database = other.Database
	}
	if r.Cache.kind == "" {
		r.Cache = other.Cache
	}
	if r.Version == "" {
		r.Version = other.Version
	}
}

// check is the health of a deployment, or of what is behind a public name.
type check struct {
	ID     text `json:"model_id"`
	Name   text `json:"model_name"`
	Status text `json:"status"`

	// served and address are all that /health tells where it tells no id.
	served, address string
}

const (
	statusHealthy   = "healthy"
	statusUnhealthy = "unhealthy"
)

// sorted are the checks in the order of their keys, at most limit.
func sorted(checks map[string]check, limit int) []check {
	var all []check
	for _, key := range slices.Sorted(maps.Keys(checks)) {
		if len(all) < limit {
			all = append(all, checks[key])
		}
	}
	return all
}

// healthAnswer is the one of /health. Both lists may be empty, which says nothing.
type healthAnswer struct {
	Healthy   []checked `json:"healthy_endpoints"`
	Unhealthy []checked `json:"unhealthy_endpoints"`
}

type checked struct {
	Model    text `json:"model"`
	APIBase  text `json:"api_base"`
	ID       text `json:"model_id"`
	Provider text `json:"custom_llm_provider"`
}

func (h *healthAnswer) checks(limit int) []check {
	var all []check
	for _, list := range []struct {
		endpoints []checked
		status    text
	}{{h.Unhealthy, statusUnhealthy}, {h.Healthy, statusHealthy}} {
		for _, e := range list.endpoints {
			if len(all) == limit {
				return all
			}
			c := check{ID: e.ID, Status: list.status, address: hostPort(string(e.APIBase))}
			c.served, _ = splitModel(string(e.Model), string(e.Provider))
			all = append(all, c)
		}
	}
	return all
}

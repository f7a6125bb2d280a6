package langfusereceiver

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
)

// family is what is counted or measured.
type family string

// The families of sums. Their names are in the stored state: do not change them.
const (
	famObservations       family = "observations"
	famTokens             family = "tokens"
	famCost               family = "cost"
	famTraces             family = "traces"
	famScores             family = "scores"
	famScoreSum           family = "score_sum"
	famUserTokens         family = "user_tokens"
	famUserCost           family = "user_cost"
	famPromptObservations family = "prompt_observations"
	famPromptTokens       family = "prompt_tokens"
	famPromptCost         family = "prompt_cost"
)

// The families of values of one window.
const (
	famLatency    family = "latency"
	famFirstToken family = "first_token"
	famUsers      family = "users"
	famSessions   family = "sessions"
	famScoreMean  family = "score_mean"
)

// Kinds of tokens and cost.
const (
	kindInput  = "input"
	kindOutput = "output"
	kindOther  = "other"
)

// key is a series. Which labels a family has, record.go says. An empty label is one
// that the source does not tell.
type key struct {
	family     family
	a, b, c, d string
	env        string
}

// compare brings series into an order that is always the same.
func (k key) compare(other key) int {
	return cmp.Or(
		cmp.Compare(k.family, other.family), cmp.Compare(k.a, other.a), cmp.Compare(k.b, other.b),
		cmp.Compare(k.c, other.c), cmp.Compare(k.d, other.d), cmp.Compare(k.env, other.env),
	)
}

// totals are the values of series.
type totals map[key]float64

// add adds up, and starts a series with zero too.
func (t totals) add(more totals) {
	for k, v := range more {
		t.plus(k, v)
	}
}

// plus adds to one series.
func (t totals) plus(k key, v float64) {
	t[k] += v
	switch k.family {
	case famCost, famUserCost, famPromptCost:
		t[k] = usd(t[k])
	}
}

// usd rounds to the decimals that Langfuse has (Decimal64(12)): so the order in which
// windows are added does not show, as it does with binary fractions.
func usd(v float64) float64 {
	const decimals = 1e12
	if v > math.MaxInt64/decimals {
		return v
	}
	return math.Round(v*decimals) / decimals
}

// of returns the part that belongs to one of the families.
func (t totals) of(families ...family) totals {
	part := make(totals)
	for k, v := range t {
		for _, f := range families {
			if k.family == f {
				part[k] = v
			}
		}
	}
	return part
}

// coarse adds up what the daily figures do not tell apart.
func (t totals) coarse() totals {
	sums := make(totals)
	for k, v := range t {
		if c, ok := k.coarse(); ok {
			sums.plus(c, v)
		}
	}
	return sums
}

// coarse is the series in the daily figures; false: they have none like it.
func (k key) coarse() (key, bool) {
	switch k.family {
	case famObservations: // by type, level and model
		return key{family: k.family, c: k.c}, true
	case famTokens: // by model and kind
		return key{family: k.family, a: k.a, b: k.b}, true
	case famCost: // by model and kind
		return key{family: k.family, a: k.a, b: kindOther}, true
	case famTraces:
		return key{family: k.family}, true
	}
	return key{}, false
}

// entry is how a series is stored.
type entry struct {
	Family family    `json:"f"`
	Labels [4]string `json:"l"`
	Env    string    `json:"e,omitempty"`
	Value  float64   `json:"v"`
}

// MarshalJSON writes a list: JSON has no objects with such keys.
func (t totals) MarshalJSON() ([]byte, error) {
	entries := make([]entry, 0, len(t))
	for k, v := range t {
		entries = append(entries, entry{k.family, [4]string{k.a, k.b, k.c, k.d}, k.env, v})
	}
	return json.Marshal(entries)
}

// UnmarshalJSON reads that list.
func (t *totals) UnmarshalJSON(data []byte) error {
	var entries []entry
	if err := json.Unmarshal(data, &entries); err != nil {
		return err
	}
	*t = make(totals, len(entries))
	for _, e := range entries {
		(*t)[key{e.Family, e.Labels[0], e.Labels[1], e.Labels[2], e.Labels[3], e.Env}] = e.Value
	}
	return nil
}

func (t totals) clone() totals {
	if t == nil {
		return make(totals)
	}
	return maps.Clone(t)
}

package vllmreceiver

import (
	"bytes"
	"math"
	"slices"
	"strings"

	prom "github.com/prometheus/common/model"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// Labels of vLLM's pages.
const (
	labelModel  = "model_name"
	labelEngine = "engine"
)

const processStart = "process_start_time_seconds"

// wanted keeps what the receiver may use: everything of vLLM, the HTTP metrics
// beside it, and the start of the process. Python's and other owners' families
// are not parsed.
func wanted(name []byte) bool {
	return bytes.HasPrefix(name, []byte("vllm")) ||
		bytes.HasPrefix(name, []byte("ray_vllm")) ||
		bytes.HasPrefix(name, []byte("http_")) ||
		string(name) == processStart
}

// engineMetric returns the part of the name that all versions agree on, without
// the prefix (vllm:, and vllm_ or ray_vllm: under Ray Serve) and without a
// counter's _total. It returns false for names that are not vLLM's.
func engineMetric(f *promtext.Family) (string, bool) {
	name := strings.TrimPrefix(f.Name, "ray_")
	name, ok := strings.CutPrefix(name, "vllm")
	if !ok || name == "" || name[0] != ':' && name[0] != '_' {
		return "", false
	}
	return bareName(name[1:], f.Type), true
}

// bareName drops the _total of a counter. A histogram may be called so too:
// iteration_tokens_total.
func bareName(name string, typ prom.MetricType) string {
	if typ == prom.MetricTypeCounter || typ == prom.MetricTypeUnknown {
		return strings.TrimSuffix(name, "_total")
	}
	return name
}

// enginePage is a page under names that do not depend on the version.
type enginePage struct {
	page *promtext.Page
	// families of vLLM that have series. Old servers announce some without.
	families map[string]*promtext.Family
	// http are the families of the API server around the engine.
	http map[string]*promtext.Family
	// severalEngines says whether points must carry the index of their engine.
	severalEngines bool
	// start is the Unix time in seconds at which the server's counters began to
	// count; 0 if the page does not tell.
	start float64
	// counted is the sum of all engine counters: it falls only on a restart. It is
	// no number if one of them is none.
	counted float64
}

func newEnginePage(page *promtext.Page) *enginePage {
	p := &enginePage{
		page:     page,
		families: make(map[string]*promtext.Family, len(page.Families)),
		http:     make(map[string]*promtext.Family),
	}
	engine, earliest := "", math.Inf(1)
	for i := range page.Families {
		f := &page.Families[i]
		if len(f.Series) == 0 {
			continue
		}
		if f.Name == processStart {
			p.start = plausibleTime(f.Series[0].Value)
			continue
		}
		name, ok := engineMetric(f)
		if !ok {
			if strings.HasPrefix(f.Name, "http_") {
				p.http[bareName(f.Name, f.Type)] = f
			}
			continue
		}
		p.families[name] = f
		for j := range f.Series {
			s := &f.Series[j]
			if e := s.Labels.Get(labelEngine); e != "" && !p.severalEngines {
				p.severalEngines = engine != "" && engine != e
				engine = e
			}
			if created := plausibleTime(s.Created); created > 0 {
				earliest = min(earliest, created)
			}
			if f.Type == prom.MetricTypeCounter {
				p.counted += s.Value
			}
		}
	}
	if p.start == 0 && !math.IsInf(earliest, 1) {
		p.start = earliest
	}
	return p
}

// counts says whether the page has any metrics of the server. A server whose
// engine starts, or whose front end cannot reach it, may show a page of none.
func (p *enginePage) counts() bool {
	return len(p.families)+len(p.http) > 0
}

// first returns the first of the families that the page has.
func (p *enginePage) first(names []string) *promtext.Family {
	for _, name := range names {
		if f := p.families[name]; f != nil {
			return f
		}
	}
	return nil
}

// sum adds up the gauge or counter over models and engines.
func (p *enginePage) sum(name string) float64 {
	total := 0.0
	if f := p.families[name]; f != nil {
		for i := range f.Series {
			if isNumber(f.Series[i].Value) {
				total += f.Series[i].Value
			}
		}
	}
	return total
}

// progress grows whenever the engine does anything.
func (p *enginePage) progress() float64 {
	return p.sum("prompt_tokens") + p.sum("generation_tokens")
}

// asleep says whether every engine sleeps.
func (p *enginePage) asleep() bool {
	f := p.families["engine_sleep_state"]
	if f == nil {
		return false
	}
	asleep := false
	for i := range f.Series {
		if f.Series[i].Labels.Get("sleep_state") == "awake" {
			if f.Series[i].Value != 0 {
				return false
			}
			asleep = true
		}
	}
	return asleep
}

// cacheDType is the data type of the KV cache, empty if it is that of the model or
// not told.
func (p *enginePage) cacheDType() string {
	f := p.families[cacheConfig]
	if f == nil {
		return ""
	}
	return said(f.Series[0].Labels.Get("cache_dtype"))
}

// modelNames are the names that the page's series carry, in order and at most
// maxModels.
func (p *enginePage) modelNames() []string {
	var names []string
	for i := range p.page.Families {
		f := &p.page.Families[i]
		if _, ok := engineMetric(f); !ok {
			continue
		}
		for j := range f.Series {
			if name := f.Series[j].Labels.Get(labelModel); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
			if len(names) == maxModels {
				return names
			}
		}
	}
	return names
}

// plausibleTime returns the Unix time in seconds, or 0 if it cannot be one: not
// after 1970 and before the year 2262, which is as far as nanoseconds reach.
func plausibleTime(seconds float64) float64 {
	if seconds > 0 && seconds < math.MaxInt64/1e9 {
		return seconds
	}
	return 0
}

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

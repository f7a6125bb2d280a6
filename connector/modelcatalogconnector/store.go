package modelcatalogconnector

import (
	"hash/maphash"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// recordsPerModel is how many records of sources there may be for each model of the
// catalog. A deployment takes two, so that four may stand behind each name.
const recordsPerModel = 8

// refusal is what was left out.
type refusal = metadata.AttributeRefused

const (
	refusedModel  = metadata.AttributeRefusedModel
	refusedSeries = metadata.AttributeRefusedSeries
	refusedName   = metadata.AttributeRefusedName
)

// refusals counts what was left out.
type refusals map[refusal]int64

// store is what the sources said. It is for one caller at a time.
type store struct {
	seed        maphash.Seed
	expireAfter time.Duration
	// records are servers, proxies, models and deployments; limit bounds them.
	records, limit int

	servers  map[instance]*server
	proxies  map[instance]*proxy
	counters *counters
	// names is made when it is needed, and nil after a change.
	names *names

	// changed says that a fact is another one since the last emission.
	changed bool
	refused refusals
}

func newStore(cfg *Config, start time.Time) *store {
	return &store{
		seed:        maphash.MakeSeed(),
		expireAfter: cfg.ExpireAfter,
		limit:       recordsPerModel * cfg.MaxModels,
		servers:     make(map[instance]*server),
		proxies:     make(map[instance]*proxy),
		counters:    newCounters(cfg.MaxSeries, cfg.ExpireAfter, pcommon.NewTimestampFromTime(start)),
		refused:     make(refusals),
	}
}

// readers says who reads the metrics of a service.
var readers = map[string]func(*store, pmetric.ResourceMetrics, instance, time.Time){
	"vllm":     (*store).readVLLM,
	"litellm":  (*store).readLiteLLM,
	"langfuse": (*store).readLangfuse,
}

// concerns says whether there is anything of a source among the metrics. All
// metrics of the collector pass here, and most are none.
func concerns(md pmetric.Metrics) bool {
	for _, rm := range md.ResourceMetrics().All() {
		if _, ok := readers[serviceOf(rm)]; ok {
			return true
		}
	}
	return false
}

func serviceOf(rm pmetric.ResourceMetrics) string {
	v, ok := rm.Resource().Attributes().Get(attrServiceName)
	if !ok || v.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return v.Str()
}

// read takes in what the sources say.
func (s *store) read(md pmetric.Metrics, now time.Time) {
	for _, rm := range md.ResourceMetrics().All() {
		service := serviceOf(rm)
		if read, ok := readers[service]; ok {
			read(s, rm, instanceOf(service, rm.Resource().Attributes()), now)
		}
	}
}

// instanceOf is who says it. Its texts are not its own.
func instanceOf(service string, resource pcommon.Map) instance {
	name := text(resource, attrProjectID)
	if name == "" {
		name = text(resource, attrInstanceID)
	}
	return instance{service, name, text(resource, attrServerAddress), text(resource, attrServerPort), text(resource, attrHostName)}
}

// eachMetric calls fn for every metric of a resource.
func eachMetric(rm pmetric.ResourceMetrics, fn func(pmetric.Metric)) {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			fn(m)
		}
	}
}

// eachPoint calls fn for every point of a metric, with the identity of its series
// and whether it ends there.
func (s *store) eachPoint(m pmetric.Metric, fn func(dp pmetric.NumberDataPoint, series uint64, ended bool)) {
	dps, ok := numbers(m)
	if !ok {
		return
	}
	for _, dp := range dps.All() {
		fn(dp, seriesOf(s.seed, m.Name(), dp.Attributes()), dp.Flags().NoRecordedValue())
	}
}

// room says whether one more record may be kept.
func (s *store) room() bool {
	if s.records >= s.limit {
		s.refused[refusedModel]++
		return false
	}
	s.records++
	return true
}

// change notes that a fact is another one.
func (s *store) change(changed bool) {
	if changed {
		s.changed, s.names = true, nil
	}
}

// takes says whether the names of a point can be kept whole: one that is cut would
// be another model.
func (s *store) takes(attributes pcommon.Map) bool {
	for _, name := range []string{attrRequestModel, attrResponseModel} {
		if tooLong(attributes, name) {
			s.refused[refusedName]++
			return false
		}
	}
	return true
}

// count follows a token counter.
func (s *store) count(id instance, series uint64, of counted, dp pmetric.NumberDataPoint, now time.Time) {
	if !s.counters.observe(series+maphash.Comparable(s.seed, id), of, dp, now) {
		s.refused[refusedSeries]++
	}
}

// settle brings the totals of tokens up to date.
func (s *store) settle(now time.Time) {
	if n := s.counters.settle(s.resolver(), now); n > 0 {
		s.refused[refusedSeries] += n
	}
}

// resolver knows the names of models. It is made anew after a change.
func (s *store) resolver() *names {
	if s.names == nil {
		s.names = newNames(s)
	}
	return s.names
}

// sweep forgets what was not said again for long, and records of which nothing is
// known any more.
func (s *store) sweep(now time.Time) {
	before := now.Add(-s.expireAfter)
	s.records = 0
	for id, srv := range s.servers {
		if left := srv.sweep(s, before); left > 0 {
			s.records += left
		} else {
			delete(s.servers, id)
		}
	}
	for id, p := range s.proxies {
		if left := p.sweep(s, before); left > 0 {
			s.records += left
		} else {
			delete(s.proxies, id)
		}
	}
}

// sweep returns how many records are left, 0 if there is nothing to know.
func (s *server) sweep(in *store, before time.Time) int {
	in.change(s.state.expire(before))
	in.change(s.up.expire(before))
	for name, m := range s.models {
		in.change(m.info.expire(before))
		in.change(m.contextLength.expire(before))
		if !m.info.known() && !m.contextLength.known() {
			delete(s.models, name)
		}
	}
	for name, seen := range s.counted {
		if seen.Before(before) {
			delete(s.counted, name)
			in.names = nil
		}
	}
	left := len(s.models) + len(s.counted)
	if left > 0 || s.state.known() || s.up.known() {
		left++
	}
	return left
}

func (p *proxy) sweep(in *store, before time.Time) int {
	in.change(p.up.expire(before))
	left := 0
	for id, d := range p.deployments {
		if of := d.sweep(in, before); of > 0 {
			left += of
		} else {
			delete(p.deployments, id)
		}
	}
	for key, check := range p.checks {
		in.change(check.expire(before))
		if !check.known() {
			delete(p.checks, key)
		}
	}
	left += len(p.checks)
	if left > 0 || p.up.known() {
		left++
	}
	return left
}

func (d *deployment) sweep(in *store, before time.Time) int {
	in.change(d.state.expire(before))
	in.change(d.healthy.expire(before))
	for name, n := range d.names {
		in.change(n.info.expire(before))
		in.change(n.contextLength.expire(before))
		for kind, price := range n.prices {
			in.change(price.expire(before))
			if !price.known() {
				delete(n.prices, kind)
			}
		}
		if !n.info.known() && !n.contextLength.known() && len(n.prices) == 0 {
			delete(d.names, name)
		}
	}
	left := len(d.names)
	if left > 0 || d.state.known() || d.healthy.known() {
		left++
	}
	return left
}

// own returns a text of which no larger one is kept alive.
func own(s string) string { return strings.Clone(s) }

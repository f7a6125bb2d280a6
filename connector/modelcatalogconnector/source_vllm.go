package modelcatalogconnector

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// readVLLM takes in what the vLLM receiver says of a server.
func (s *store) readVLLM(rm pmetric.ResourceMetrics, id instance, now time.Time) {
	r := &vllmReading{store: s, id: id, server: s.servers[id], now: now}
	eachMetric(rm, func(m pmetric.Metric) {
		switch m.Name() {
		case "vllm.up":
			s.eachPoint(m, r.up)
		case "vllm.server.state":
			s.eachPoint(m, r.state)
		case "vllm.model.info":
			s.eachPoint(m, r.info)
		case "vllm.model.context_length":
			s.eachPoint(m, r.contextLength)
		case "vllm.tokens.input":
			s.eachPoint(m, r.tokens(tokenInput))
		case "vllm.tokens.output":
			s.eachPoint(m, r.tokens(tokenOutput))
		}
	})
	if r.server != nil {
		r.locate(rm.Resource().Attributes())
	}
}

// vllmReading reads the metrics of one server.
type vllmReading struct {
	*store
	id     instance
	server *server // nil as long as nothing is known of it
	now    time.Time
}

// exists makes a record of the server if there is none.
func (r *vllmReading) exists() bool {
	if r.server == nil && r.room() {
		r.server = &server{instance: r.id.clone(), models: make(map[string]*servedModel), counted: make(map[string]time.Time)}
		r.servers[r.server.instance] = r.server
	}
	return r.server != nil
}

// model returns the record of a model, nil if it has none and may have none.
func (r *vllmReading) model(attributes pcommon.Map, ended bool) *servedModel {
	if ended && r.server == nil || !r.takes(attributes) {
		return nil
	}
	name := text(attributes, attrRequestModel)
	if name == "" || !r.exists() {
		return nil
	}
	m := r.server.models[name]
	if m == nil && !ended && r.room() {
		m = &servedModel{}
		r.server.models[own(name)] = m
	}
	return m
}

// locate notes what the server runs in.
func (r *vllmReading) locate(resource pcommon.Map) {
	for _, of := range []struct {
		attribute string
		value     *string
	}{{attrContainerName, &r.server.container}, {attrComposeService, &r.server.compose}} {
		if now := text(resource, of.attribute); now != *of.value {
			*of.value = own(now)
			r.change(true)
		}
	}
}

func (r *vllmReading) up(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	switch {
	case ended:
		r.change(r.server != nil && r.server.up.end(series))
	case r.exists():
		r.change(r.server.up.say(number(dp) > 0, series, r.now))
	}
}

// state takes the one of the states that is 1.
func (r *vllmReading) state(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	if ended {
		r.change(r.server != nil && r.server.state.end(series))
		return
	}
	is, known := stateOfServer[text(dp.Attributes(), attrServerState)]
	if !known {
		is = stateUnknown // of a later version
	}
	if number(dp) > 0 && r.exists() {
		r.change(r.server.state.say(is, series, r.now))
	}
}

func (r *vllmReading) info(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	attributes := dp.Attributes()
	m := r.model(attributes, ended)
	if m == nil {
		return
	}
	if ended {
		r.change(m.info.end(series))
		return
	}
	info := servedInfo{
		id:           text(attributes, attrModelID),
		parent:       text(attributes, attrParent),
		dtype:        text(attributes, attrDtype),
		quantization: text(attributes, attrQuantization),
		version:      text(attributes, attrServiceVersion),
	}
	if m.info.say(info, series, r.now) {
		m.info.value = info.clone()
		r.change(true)
	}
}

func (r *vllmReading) contextLength(dp pmetric.NumberDataPoint, series uint64, ended bool) {
	m := r.model(dp.Attributes(), ended)
	switch {
	case m == nil:
	case ended:
		r.change(m.contextLength.end(series))
	case number(dp) > 0:
		r.change(m.contextLength.say(int64(number(dp)), series, r.now))
	}
}

func (r *vllmReading) tokens(kind string) func(pmetric.NumberDataPoint, uint64, bool) {
	return func(dp pmetric.NumberDataPoint, series uint64, ended bool) {
		model := text(dp.Attributes(), attrRequestModel)
		if ended || model == "" || !r.takes(dp.Attributes()) {
			return // a server that was away goes on where it stopped
		}
		if !r.exists() {
			return
		}
		if _, known := r.server.counted[model]; known {
			r.server.counted[model] = r.now
		} else if r.room() {
			r.server.counted[own(model)] = r.now
			r.names = nil
		}
		r.count(r.id, series, counted{model, kind, originVLLM, true}, dp, r.now)
	}
}

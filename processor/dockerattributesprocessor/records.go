package dockerattributesprocessor

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
)

// enrichRecords finds the containers of log records. Those of one container stay
// together under one resource, which is made for them where others share theirs.
func (e *enricher) enrichRecords(all plog.ResourceLogsSlice, rl plog.ResourceLogs, count *tally) {
	found := e.describeRecords(rl, count)
	if found == nil {
		return
	}
	// The resource stays with what is of no container, else with the first.
	stays := found[0]
	if slices.Contains(found, nil) {
		stays = nil
	}
	split := splitter{e: e, all: all, from: rl, resources: make(map[string]plog.ResourceLogs)}
	i := 0
	for _, sl := range rl.ScopeLogs().All() {
		scopes := make(map[string]plog.LogRecordSlice)
		sl.LogRecords().RemoveIf(func(record plog.LogRecord) bool {
			d := found[i]
			i++
			if d == nil || stays != nil && d.container.ID == stays.container.ID {
				return false
			}
			to, begun := scopes[d.container.ID]
			if !begun {
				to = split.scope(d, sl)
				scopes[d.container.ID] = to
			}
			record.MoveTo(to.AppendEmpty())
			return true
		})
	}
	if stays != nil {
		e.enrich(rl.Resource().Attributes(), stays, false)
	}
	if len(split.resources) > 0 {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool { return sl.LogRecords().Len() == 0 })
	}
}

// describeRecords returns the description for each record in turn, or nil if
// there is none at all.
func (e *enricher) describeRecords(rl plog.ResourceLogs, count *tally) (found []*description) {
	i := 0
	for _, sl := range rl.ScopeLogs().All() {
		for _, record := range sl.LogRecords().All() {
			d := e.lookUp(e.records, record.Attributes(), count)
			if d != nil && found == nil {
				found = make([]*description, i, recordCount(rl))
			}
			if found != nil {
				found = append(found, d)
			}
			i++
		}
	}
	return found
}

func recordCount(rl plog.ResourceLogs) int {
	n := 0
	for _, sl := range rl.ScopeLogs().All() {
		n += sl.LogRecords().Len()
	}
	return n
}

// splitter makes the resources of the containers whose records share one.
type splitter struct {
	e         *enricher
	all       plog.ResourceLogsSlice
	from      plog.ResourceLogs
	resources map[string]plog.ResourceLogs
}

// scope begins a scope like another one in the resource of a container.
func (s *splitter) scope(d *description, like plog.ScopeLogs) plog.LogRecordSlice {
	own, known := s.resources[d.container.ID]
	if !known {
		own = s.all.AppendEmpty()
		own.SetSchemaUrl(s.from.SchemaUrl())
		s.from.Resource().CopyTo(own.Resource())
		s.e.enrich(own.Resource().Attributes(), d, false)
		s.resources[d.container.ID] = own
	}
	scope := own.ScopeLogs().AppendEmpty()
	scope.SetSchemaUrl(like.SchemaUrl())
	like.Scope().CopyTo(scope.Scope())
	return scope.LogRecords()
}

package dockerattributesprocessor

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// Where the attribute that identifies a container is.
const (
	fromResource = "resource_attribute"
	fromRecord   = "log_record_attribute"
	fromPoint    = "datapoint_attribute"
)

// What the attribute holds.
const (
	containerID   = "container.id"
	containerName = "container.name"
	logFilePath   = "log.file.path"
	processPID    = "process.pid"
)

// finder finds the container that a value means. It is identified when the value
// means one at all, known or not.
type finder func(e *enricher, value pcommon.Value) (c *docker.Container, identified bool)

// identifiers are the finders by what they read.
var identifiers = map[string]finder{
	containerID:   findID,
	containerName: findName,
	logFilePath:   findPath,
	processPID:    findPID,
}

func findID(e *enricher, value pcommon.Value) (*docker.Container, bool) {
	id := value.Str()
	if id == "" {
		return nil, false
	}
	c, _ := e.watcher.Get(id)
	return c, true
}

func findName(e *enricher, value pcommon.Value) (*docker.Container, bool) {
	name := strings.TrimPrefix(value.Str(), "/") // as the API writes it
	if name == "" {
		return nil, false
	}
	return e.names.find(name), true
}

func findPath(e *enricher, value pcommon.Value) (*docker.Container, bool) {
	id := idInPath(value.Str())
	if id == "" {
		return nil, false
	}
	c, _ := e.watcher.Get(id)
	return c, true
}

func findPID(e *enricher, value pcommon.Value) (*docker.Container, bool) {
	pid := value.Int()
	if text := value.Str(); text != "" {
		pid, _ = strconv.ParseInt(text, 10, 32)
	}
	if pid <= 0 {
		return nil, false
	}
	c, _ := e.watcher.ByPID(int(pid))
	return c, true
}

const idLength = 64

// idInPath returns the id in the path of a container's log, such as
// /var/lib/docker/containers/<id>/<id>-json.log, or nothing.
func idInPath(path string) string {
	run := 0 // of hexadecimal digits, up to here
	for i := 0; i <= len(path); i++ {
		if i < len(path) && isHex(path[i]) {
			run++
			continue
		}
		if run == idLength {
			return path[i-idLength : i]
		}
		run = 0
	}
	return ""
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// rule is one way to find a container: all its sources must mean the same.
type rule []source

type source struct {
	attribute string
	find      finder
}

// rulesFrom compiles the associations of one place.
func rulesFrom(associations []AssociationConfig, place string) []rule {
	var rules []rule
	for i := range associations {
		var r rule
		for j := range associations[i].Sources {
			if s := &associations[i].Sources[j]; s.From == place {
				r = append(r, source{attribute: s.Name, find: identifiers[s.holds()]})
			}
		}
		if r != nil {
			rules = append(rules, r)
		}
	}
	return rules
}

// find returns the container that all sources mean.
func (r rule) find(e *enricher, attributes pcommon.Map) (found *docker.Container, identified bool) {
	for i := range r {
		value, there := attributes.Get(r[i].attribute)
		if !there {
			return nil, false
		}
		c, identified := r[i].find(e, value)
		if !identified {
			return nil, false
		}
		if c == nil || found != nil && c.ID != found.ID {
			return nil, true
		}
		found = c
	}
	return found, true
}

// find returns what the first rule finds.
func (e *enricher) find(rules []rule, attributes pcommon.Map) (c *docker.Container, identified bool) {
	for _, r := range rules {
		c, complete := r.find(e, attributes)
		if c != nil {
			return c, true
		}
		identified = identified || complete
	}
	return nil, identified
}

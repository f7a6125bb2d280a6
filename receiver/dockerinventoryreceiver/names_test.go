package dockerinventoryreceiver

import (
	"reflect"
	"strings"
	"testing"

	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
	"github.com/stretchr/testify/assert"
)

// TestNoNameTwice: beside docker_stats in one pipeline, no metric has the name of another, in Prometheus neither.
func TestNoNameTwice(t *testing.T) {
	theirs := metricNames(contrib.NewFactory().CreateDefaultConfig().(*contrib.Config).Metrics)
	ours := metricNames(createDefaultConfig().(*Config).Metrics)
	assert.NotEmpty(t, theirs)
	assert.NotEmpty(t, ours)
	for name := range ours {
		for other := range theirs { // with whatever suffix the unit adds
			assert.False(t, name == other || strings.HasPrefix(name, other+"_") || strings.HasPrefix(other, name+"_"), "%s, %s", name, other)
		}
	}
}

// metricNames are the names that a configuration switches, as Prometheus writes them.
func metricNames(switches any) map[string]bool {
	names := make(map[string]bool)
	typ := reflect.TypeOf(switches)
	for i := range typ.NumField() {
		field := typ.Field(i)
		names[strings.ReplaceAll(field.Tag.Get("mapstructure"), ".", "_")] = true
	}
	return names
}

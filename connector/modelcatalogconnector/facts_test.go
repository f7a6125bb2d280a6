package modelcatalogconnector

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestInstances: who differs in anything is another one, and they have an order.
func TestInstances(t *testing.T) {
	instances := []instance{
		{name: "a", address: "a", port: "1", host: "a"},
		{name: "a", address: "a", port: "1", host: "b"},
		{name: "a", address: "a", port: "2"},
		{name: "a", address: "b"},
		{name: "b"},
	}
	sorted := slices.Clone(instances)
	slices.Reverse(sorted)
	slices.SortFunc(sorted, instance.compare)
	assert.Equal(t, instances, sorted)
	assert.Zero(t, instances[0].compare(instances[0]))

	p := newProbe(t)
	b := newBatch()
	for _, resource := range []string{"", ", host.name=a", ", server.address=a", ", server.address=a, server.port=1"} {
		serves(b.resource("service.name=vllm, service.instance.id=one"+resource), "qwen", "")
	}
	p.feed(t, b)
	assert.Len(t, p.store.servers, 4)
}

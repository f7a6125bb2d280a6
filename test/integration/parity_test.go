//go:build integration

package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestContainerParity: a container of the synthetic engine looks like one of the real
// engine on the metrics page: the same metrics with the same labels.
func TestContainerParity(t *testing.T) {
	engine := docker(t)
	programImage(t, engine, "chatty", "otelcol-llm-parity:v1")
	name := fmt.Sprintf("otelcol-llm-parity-%d", os.Getpid())
	runContainer(t, engine, name, &container.Config{
		Image: "otelcol-llm-parity:v1", Labels: map[string]string{"com.docker.compose.project": "llm", "com.docker.compose.service": "redis"},
	}, nil)
	col := startCollector(t, nil, "INFRA_INTERVAL=10s") // a real engine takes seconds for its statistics
	synthetic, _ := startSynthetic(t)

	// What depends on the version of the control groups, or on what a container has done so far.
	depends := func(shape string) bool {
		for _, part := range []string{"_cache_", "_memory_", "container_blockio_"} {
			if strings.Contains(shape, part) {
				return true
			}
		}
		return false
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		actual, played := containerShapes(c, col.Metrics, name), containerShapes(c, synthetic.Metrics, "redis")
		assert.Greater(c, len(actual), 12, "statistics and inventory")
		for _, shape := range actual {
			assert.True(c, depends(shape) || slices.Contains(played, shape), "only in the real engine: %s", shape)
		}
		for _, shape := range played {
			assert.True(c, depends(shape) || slices.Contains(actual, shape), "only in the synthetic engine: %s", shape)
		}
	}, soon, tick)
}

// containerShapes are the metrics of a container with their types and labels.
func containerShapes(t require.TestingT, address, name string) []string {
	resp, err := httpClient.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	require.NoError(t, err)
	var shapes []string
	for metric, family := range families {
		if !strings.HasPrefix(metric, "container_") {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			mine := false
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName())
				mine = mine || l.GetName() == "container_name" && l.GetValue() == name
			}
			slices.Sort(labels)
			if shape := fmt.Sprintf("%s{%s} %s", metric, strings.Join(labels, ","), family.GetType()); mine && !slices.Contains(shapes, shape) {
				shapes = append(shapes, shape)
			}
		}
	}
	slices.Sort(shapes)
	return shapes
}

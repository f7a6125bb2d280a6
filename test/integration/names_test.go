//go:build integration

package integration

import (
	"bufio"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

var update = flag.Bool("update", false, "write testdata/names.txt anew")

const namesFile = "testdata/names.txt"

// TestNames pins the name and type of every metric at :8889. Dashboards and alerts are built on them: a line that goes
// or changes in testdata/names.txt is a breaking change. Which host metrics there are depends on the machine, so that
// of those only what is everywhere is pinned.
func TestNames(t *testing.T) {
	var endpoints []string
	for i, version := range simulator.VLLMVersions() {
		vllm, server := playServer(t, simulator.VLLMConfig{
			Version: version, SpeculativeTokens: 2, MaxLoRAs: 2, MFU: true, KVCacheMetrics: true, FaultTolerance: true,
			ShowHidden: true, CountAborts: true, DevMode: true,
		})
		vllm.SetLoRA("a", "b")
		vllm.SetLoad(0, simulator.VLLMLoad{Running: 1, WaitingCapacity: 1})
		endpoints = append(endpoints, fmt.Sprintf("{endpoint: %s, name: v%d}", server.URL, i))
	}
	endpoints = append(endpoints, "http://127.0.0.1:1")
	col := startCollector(t, nil, "VLLM_ENDPOINTS=["+strings.Join(endpoints, ", ")+"]")

	var names []string
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		names = metricNames(c, col.Metrics)
		for _, first := range []string{"vllm_", "gen_ai_", "llm_", "http_", "system_"} {
			assert.True(c, slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, first) }), first)
		}
		for _, last := range []string{"vllm_scrape_error gauge", "docker_up gauge", "nvml_up gauge", "system_cpu_utilization_ratio gauge"} { // the last at the second read
			assert.Contains(c, names, last, "everything was read")
		}
	}, soon, tick)

	checkNames(t, names, func(name string) bool {
		return !strings.HasPrefix(name, "container_") && !ofGPUs(name) && !ofModels(name)
	})
}

// checkNames compares the names found with the pinned ones in scope. The host and Docker may have more of theirs on
// another machine; what is pinned is everywhere.
func checkNames(t *testing.T, names []string, scope func(string) bool) {
	t.Helper()
	text, err := os.ReadFile(namesFile)
	require.NoError(t, err)
	pinned := strings.Split(strings.TrimSpace(string(text)), "\n")
	if *update {
		pinned = slices.DeleteFunc(pinned, func(n string) bool { return scope(n) || n == "" })
		for _, name := range names {
			if scope(name) {
				pinned = append(pinned, name)
			}
		}
		slices.Sort(pinned)
		require.NoError(t, os.WriteFile(namesFile, []byte(strings.Join(pinned, "\n")+"\n"), 0o600))
		return
	}
	for _, name := range pinned {
		if scope(name) {
			assert.Contains(t, names, name, "a pinned metric is gone")
		}
	}
	for _, name := range names {
		if ours(name) {
			assert.Contains(t, pinned, name, "not pinned yet: go test -tags integration ./test/integration -update")
		}
	}
}

// ofGPUs are the metrics that need a driver: TestAttribution has one. How reading goes is counted without one, too.
func ofGPUs(name string) bool {
	return strings.HasPrefix(name, "hw_") && !strings.HasPrefix(name, "hw_gpu_scrape_") || strings.HasPrefix(name, "llm_model_gpu") || strings.HasPrefix(name, "nvml_info")
}

// ofModels are the metrics of proxy, analytics and catalog: TestModels has them.
func ofModels(name string) bool {
	for _, prefix := range []string{"litellm_", "langfuse_", "gen_ai_client_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasPrefix(name, "llm_model_") && !strings.HasPrefix(name, "llm_model_gpu")
}

// ours says whether a metric is of a component here, which no other machine has more of.
func ours(name string) bool {
	for _, prefix := range []string{"vllm_", "gen_ai_", "llm_", "http_", "hw_", "nvml_", "litellm_", "langfuse_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// metricNames returns "name type" of each family on the page, sorted.
func metricNames(t require.TestingT, address string) []string {
	resp, err := httpClient.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var names []string
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "# TYPE "); ok {
			names = append(names, rest)
		}
	}
	require.NoError(t, lines.Err())
	slices.Sort(names)
	return names
}

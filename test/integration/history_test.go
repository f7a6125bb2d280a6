//go:build integration

package integration

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recommended is the scrape configuration of the README, with a shorter interval.
const recommended = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: otelcol-llm
    honor_labels: true
    static_configs: [{targets: [%q]}]
`

// TestHistory: real Prometheus takes the blocks of the past, and what the collector
// adds to them now has the same names and labels.
func TestHistory(t *testing.T) {
	col, _ := startSynthetic(t)
	program, data := filepath.Join(t.TempDir(), "history"), filepath.Join(t.TempDir(), "data")
	build := exec.Command("go", "build", "-o", program, "../../cmd/history")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	until := time.Now().Add(-time.Minute).Truncate(time.Minute) // by when the collector was not read
	play := exec.Command(program, "-days", "0.125", "-step", "1m", "-incidents", "0", "-config", mainConfig+",../../configs/overlays/synthetic.yaml", "-out", data,
		"-target", col.Metrics, "-until", until.Format(time.RFC3339))
	play.Env = append(os.Environ(), "SYNTHETIC_VLLM=", "SYNTHETIC_LITELLM=", "SYNTHETIC_LANGFUSE=")
	out, err = play.CombinedOutput()
	require.NoError(t, err, string(out))
	blocks, err := os.ReadDir(data)
	require.NoError(t, err)
	require.NotEmpty(t, blocks)

	prom := runPrometheus(t, data, func(string) string { return fmt.Sprintf(recommended, col.Metrics) })
	past := shapes(t, prom, until.Add(-3*time.Hour), until)
	pinned, err := os.ReadFile(namesFile)
	require.NoError(t, err)
	known := append(strings.Split(strings.TrimSpace(string(pinned)), "\n"), eventful...)
	for name := range past {
		if ours(name) {
			assert.True(t, slices.ContainsFunc(known, func(line string) bool { return isOf(name, line) }), "%s is in the past and nowhere else", name)
		}
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		now := shapes(c, prom, time.Now().Add(-5*time.Second), time.Now())
		assert.Greater(c, len(now), 250, "everything was read")
		assert.NotEmpty(c, now["litellm_requests_finished_total"])
		for name, sets := range now {
			for labels := range sets {
				assert.True(c, past[name][labels], "%s{%s} is not in the past, which has %v", name, labels, slices.Collect(maps.Keys(past[name])))
			}
		}
	}, 2*soon, time.Second)

	for expr, want := range map[string]float64{
		`count(count_over_time(vllm_up[2h]) == 120)`: 10, // each minute
		`count(max_over_time(hw_power_watts[2h]))`:   8,
	} {
		v, _, err := prom.api.Query(t.Context(), expr, until.Add(-time.Minute)) // the last step
		require.NoError(t, err)
		require.Len(t, v, 1, expr)
		assert.Equal(t, want, float64(v.(model.Vector)[0].Value), expr)
	}
	v, _, err := prom.api.Query(t.Context(), `sum(increase(litellm_tokens_output_total[1h])) / sum(increase(vllm_tokens_output_total[1h]))`, until)
	require.NoError(t, err)
	assert.InDelta(t, 1, float64(v.(model.Vector)[0].Value), 0.1, "the proxy and the servers agree")
}

// isOf says whether a sample belongs to a metric with its type, as they are pinned.
func isOf(name, line string) bool {
	metric, kind, _ := strings.Cut(line, " ")
	if name == metric {
		return true
	}
	rest, ok := strings.CutPrefix(name, metric)
	return ok && kind == "histogram" && (rest == "_bucket" || rest == "_sum" || rest == "_count")
}

// shapes are the sets of label names of each metric of ours and of the host in a time.
func shapes(t require.TestingT, prom *prometheusServer, from, to time.Time) map[string]map[string]bool {
	series, _, err := prom.api.Series(context.Background(), []string{`{__name__=~"(system|container|docker|hw|nvml|vllm|gen_ai|llm|litellm|langfuse)_.+"}`}, from, to)
	require.NoError(t, err)
	found := make(map[string]map[string]bool)
	for _, s := range series {
		name := string(s[model.MetricNameLabel])
		var labels []string
		for label := range s {
			if label != model.MetricNameLabel {
				labels = append(labels, string(label))
			}
		}
		slices.Sort(labels)
		if found[name] == nil {
			found[name] = make(map[string]bool)
		}
		found[name][strings.Join(labels, ",")] = true
	}
	return found
}

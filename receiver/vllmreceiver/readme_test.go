package vllmreceiver

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestReadme compares the tables of the README with the code, or writes them
// with -update.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(text)
	for _, table := range []struct {
		name string
		rows func(*testing.T) [][]string
	}{
		{"histograms", histogramRows},
		{"versions", versionRows},
		{"reasons", reasonRows},
	} {
		head, rest, found := strings.Cut(readme, "<!-- "+table.name+" -->\n")
		require.True(t, found, table.name)
		is, tail, found := strings.Cut(rest, "<!-- end "+table.name+" -->")
		require.True(t, found, table.name)
		want := markdown(table.rows(t))
		if *update {
			readme = head + "<!-- " + table.name + " -->\n" + want + "<!-- end " + table.name + " -->" + tail
			continue
		}
		assert.Equal(t, want, is, "%s: go test -run TestReadme -update writes it", table.name)
	}
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(readme), 0o600))
	}
}

// markdown makes a table of rows, the first of which is the head.
func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	return b.String()
}

func histogramRows(*testing.T) [][]string {
	rows := [][]string{{"Histogram", "Unit", "Default", "Meaning"}}
	for _, h := range slices.Concat(histograms, httpHistograms) {
		state := "off"
		if h.enabled {
			state = "on"
		}
		rows = append(rows, []string{"`" + h.metric + "`", h.unit, state, h.description})
	}
	return rows
}

func reasonRows(*testing.T) [][]string {
	rows := [][]string{{"`error.type`", "What to do"}}
	reasons := slices.AppendSeq([]string{ // those of apiclient that need no other hint here
		apiclient.ReasonConnection, apiclient.ReasonNameNotFound, apiclient.ReasonRedirect, apiclient.ReasonTruncated,
		"407", "429", "502", "504",
	}, maps.Keys(hints))
	slices.Sort(reasons)
	for _, reason := range reasons {
		rows = append(rows, []string{"`" + reason + "`", hintFor(reason)})
	}
	return append(rows, []string{"another number", "The HTTP status that the server answers. " + hintFor("500")})
}

// versionRows scrapes a server of each version with all its options.
func versionRows(t *testing.T) [][]string {
	t.Helper()
	head := []string{"Metric", "In vLLM"}
	offered := map[string][]bool{}
	versions := simulator.VLLMVersions()
	for i, version := range versions {
		head = append(head, string(version))
		c := newClock()
		_, url := newSimulated(t, c, simulator.VLLMConfig{
			Version: version, SpeculativeTokens: 2, MFU: true, KVCacheMetrics: true, FaultTolerance: true,
			Models: []simulator.VLLMModel{{ID: "base", Adapters: []simulator.LoRAAdapter{{Name: "adapter"}}}},
		})
		for _, metric := range newProbe(t, c, url, everything).read(t).metricNames() {
			if offered[metric] == nil {
				offered[metric] = make([]bool, len(versions))
			}
			offered[metric][i] = true
		}
	}
	rows := [][]string{head}
	done := map[string]bool{}
	add := func(metric string, sources []string) {
		if done[metric] {
			return
		}
		done[metric] = true
		row := []string{"`" + metric + "`", "`" + strings.Join(sources, "`, `") + "`"}
		for i := range versions {
			mark := ""
			if marks := offered[metric]; marks != nil && marks[i] {
				mark = "x"
			}
			row = append(row, mark)
		}
		rows = append(rows, row)
	}
	for _, h := range histograms {
		add(h.metric, h.sources)
	}
	for _, n := range numbers {
		add(n.metric, n.sources)
	}
	for _, metric := range []string{"vllm.kv_cache.blocks", "vllm.kv_cache.capacity", "vllm.kv_cache.info", "vllm.kv_cache.max_concurrency"} {
		add(metric, []string{cacheConfig})
	}
	for _, metric := range []string{"vllm.lora.adapters", "vllm.lora.limit"} {
		add(metric, []string{loraInfo})
	}
	for _, n := range httpNumbers {
		add(n.metric, n.sources)
	}
	for _, h := range httpHistograms {
		add(h.metric, h.sources)
	}
	for metric := range offered { // the rest tells of the server and the scrape, whatever the version
		always := !slices.Contains(offered[metric], false)
		assert.True(t, done[metric] || always, metric)
	}
	return rows
}

// TestReadmeExamples loads every configuration in the README.
func TestReadmeExamples(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	loaded := 0
	for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(block))
		require.NoError(t, err)
		conf, err := retrieved.AsConf()
		require.NoError(t, err)
		sub, err := conf.Sub("receivers::vllm")
		require.NoError(t, err)
		cfg, err := load(sub)
		require.NoError(t, err, block)
		assert.True(t, len(cfg.Endpoints) > 0 || cfg.Docker != nil)
		loaded++
	}
	assert.Equal(t, 3, loaded)
}

// TestReadmeComplete: the README names every setting, state and reason.
func TestReadmeComplete(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range keysOf(Config{}) {
		assert.Contains(t, string(text), "| `"+key+"` |")
	}
	for _, key := range keysOf(EndpointConfig{}) {
		if key != "paths" {
			assert.Contains(t, string(text), "| `"+key+"` |")
		}
	}
	for _, key := range keysOf(PathsConfig{}) {
		assert.Contains(t, string(text), "| `paths::"+key+"` |")
	}
	for _, of := range []any{DockerConfig{}, docker.Config{}} {
		for _, key := range keysOf(of) {
			assert.Contains(t, string(text), "| `docker::"+key+"` |")
		}
	}
	for _, key := range keysOf(docker.Selection{}) {
		assert.Contains(t, string(text), "| `"+key+"` |")
	}
	for _, state := range states {
		assert.Contains(t, string(text), "| `"+state.String()+"` |")
	}
	for _, fault := range faults {
		if _, err := strconv.Atoi(fault.reason); err != nil {
			assert.Contains(t, string(text), "| `"+fault.reason+"` |")
		}
	}
}

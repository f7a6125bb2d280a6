package litellmreceiver

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestReadme compares the tables of the README with the code, or writes them with
// -update.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(text)
	for _, table := range []struct {
		name string
		rows func(*testing.T) [][]string
	}{
		{"labels", labelRows},
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

func labelRows(*testing.T) [][]string {
	rows := [][]string{{"Setting", "Label of the page", "Attribute"}}
	for _, o := range optional {
		rows = append(rows, []string{"`labels::" + o.setting + "`", "`" + o.name + "`", "`" + writers[o.as].name + "`"})
	}
	return append(rows, []string{"`labels::tags::names`", "`tag_...`", "`" + writers[attrTags].name + "`"})
}

func histogramRows(*testing.T) [][]string {
	rows := [][]string{{"Histogram", "Unit", "Default", "Meaning"}}
	for _, h := range append(slices.Clone(histograms), serviceHistogram) {
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
	for _, reason := range slices.Sorted(maps.Keys(hints)) {
		rows = append(rows, []string{"`" + reason + "`", hints[reason]})
	}
	return append(rows, []string{"another number", "The HTTP status that the proxy answers. " + hintFor("500")})
}

// versionRows scrapes a proxy of each version with all its options.
func versionRows(t *testing.T) [][]string {
	t.Helper()
	head := []string{"Metric", "In LiteLLM"}
	offered := map[string][]bool{}
	versions := simulator.LiteLLMVersions()
	for i, version := range versions {
		head = append(head, string(version))
		c := newClock()
		_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version, Redis: true, PrometheusSystem: true})
		for _, metric := range newProbe(t, c, url, pageOnly, everything, allLabels).read(t).metricNames() {
			if offered[metric] == nil {
				offered[metric] = make([]bool, len(versions))
			}
			offered[metric][i] = true
		}
	}
	rows := [][]string{head}
	row := map[string]int{}
	add := func(metric string, sources []string) {
		names := "`" + strings.Join(sources, "`, `") + "`"
		if k, again := row[metric]; again {
			rows[k][1] += ", " + names
			return
		}
		cells := []string{"`" + metric + "`", names}
		for i := range versions {
			mark := ""
			if marks := offered[metric]; marks != nil && marks[i] {
				mark = "x"
			}
			cells = append(cells, mark)
		}
		row[metric] = len(rows)
		rows = append(rows, cells)
	}
	for _, h := range histograms {
		add(h.metric, h.sources)
	}
	add(serviceHistogram.metric, []string{"..." + serviceLatency})
	for _, n := range numbers {
		add(n.metric, n.sources)
	}
	for _, s := range serviceNumbers {
		add(s.number.metric, []string{"..." + s.suffix})
	}
	for metric := range offered { // the rest tells of the scrape, whatever the version
		_, done := row[metric]
		assert.True(t, done || strings.HasPrefix(metric, "litellm.scrape.") || metric == "litellm.up", metric)
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
		sub, err := conf.Sub("receivers::litellm")
		require.NoError(t, err)
		cfg, err := load(sub)
		require.NoError(t, err, block)
		assert.NotEmpty(t, cfg.Endpoint)
		assert.False(t, cfg.HealthCheck.Enabled)
		loaded++
	}
	assert.Equal(t, 2, loaded)
}

// TestReadmeComplete: the README names every setting and reason.
func TestReadmeComplete(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range keysOf(Config{}) {
		switch key {
		case "api":
			for _, sub := range keysOf(APIConfig{}) {
				assert.Contains(t, string(text), "| `api::"+sub+"` |")
			}
		case "health_check":
			for _, sub := range keysOf(HealthCheckConfig{}) {
				assert.Contains(t, string(text), "| `health_check::"+sub+"` |")
			}
		default:
			assert.Contains(t, string(text), "| `"+key+"` |")
		}
	}
	for _, key := range keysOf(LabelsConfig{}) {
		assert.Contains(t, string(text), "| `labels::"+key)
	}
	for _, fault := range faults {
		for _, reason := range []string{fault.page, fault.all} {
			if _, hinted := hints[reason]; !hinted {
				assert.Regexp(t, `^[0-9]{3}$`, reason)
			}
		}
	}
}

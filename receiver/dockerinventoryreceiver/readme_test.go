package dockerinventoryreceiver

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

	"gopkg.in/yaml.v3"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// TestReadme compares the tables of the README with the code, or writes them
// with -update.
func TestReadme(t *testing.T) {
	readme := readReadme(t)
	for _, table := range []struct {
		name string
		rows [][]string
	}{
		{"events", eventRows(t)},
		{"reasons", reasonRows()},
	} {
		head, rest, found := strings.Cut(readme, "<!-- "+table.name+" -->\n")
		require.True(t, found, table.name)
		is, tail, found := strings.Cut(rest, "<!-- end "+table.name+" -->")
		require.True(t, found, table.name)
		want := markdown(table.rows)
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

func readReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
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

func eventRows(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var described struct {
		Events map[string]struct {
			Description string
			Attributes  []string
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &described))
	rows := [][]string{{"Event", "Meaning", "Attributes"}}
	for _, name := range slices.Sorted(maps.Keys(described.Events)) {
		event := described.Events[name]
		attributes := slices.DeleteFunc(event.Attributes, func(a string) bool { return a == "container.event.concluded" })
		list := ""
		if len(attributes) > 0 {
			list = "`" + strings.Join(attributes, "`, `") + "`"
		}
		rows = append(rows, []string{"`" + name + "`", event.Description, list})
	}
	return rows
}

func reasonRows() [][]string {
	rows := [][]string{{"`error.type`", "What to do"}}
	for _, reason := range slices.Sorted(maps.Keys(hints)) {
		rows = append(rows, []string{"`" + reason + "`", hints[reason]})
	}
	return rows
}

// TestReadmeExamples loads every configuration in the README.
func TestReadmeExamples(t *testing.T) {
	loaded := 0
	for _, block := range strings.Split(readReadme(t), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(block))
		require.NoError(t, err)
		conf, err := retrieved.AsConf()
		require.NoError(t, err)
		sub, err := conf.Sub("receivers::docker_inventory")
		require.NoError(t, err)
		_, err = load(sub)
		require.NoError(t, err, block)
		loaded++
	}
	assert.Equal(t, 2, loaded)
}

// TestReadmeComplete: the README names every setting.
func TestReadmeComplete(t *testing.T) {
	text := readReadme(t)
	for _, of := range []any{Config{}, docker.Selection{}} {
		for _, key := range keysOf(of) {
			assert.Contains(t, text, "| `"+key+"` |")
		}
	}
	for _, key := range keysOf(RestartLoopConfig{}) {
		assert.Contains(t, text, "| `restart_loop::"+key+"` |")
	}
}

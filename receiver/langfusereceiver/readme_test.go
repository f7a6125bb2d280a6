package langfusereceiver

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
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
		{"windows", windowRows},
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

func reasonRows(*testing.T) [][]string {
	rows := [][]string{{"`error.type`", "What to do"}}
	for _, reason := range slices.Sorted(slices.Values(reasons())) {
		rows = append(rows, []string{"`" + reason + "`", hintFor(reason)})
	}
	return append(rows, []string{"another number", "The HTTP status that the server answers. " + hintFor("599")})
}

// reasons are those that have a hint.
func reasons() []string {
	all := []string{
		apiclient.ReasonNameNotFound, apiclient.ReasonRefused, apiclient.ReasonTLS, apiclient.ReasonConnection, apiclient.ReasonRedirect,
		apiclient.ReasonHTML, apiclient.ReasonMalformed, apiclient.ReasonTruncated, "404",
	}
	return slices.AppendSeq(all, maps.Keys(hints))
}

// windowRows shows what becomes of the window of 5 minutes.
func windowRows(*testing.T) [][]string {
	rows := [][]string{{"API", "`queries_per_day`", "Observations, traces", "Scores, latencies, users"}}
	cfg := createDefaultConfig().(*Config)
	add := func(api apiName, perDay int) {
		limit := strconv.Itoa(perDay)
		if perDay == 0 {
			limit = "no limit"
		}
		lengths := plan(viewsOf(api, cfg), cfg.Window, perDay)
		second := ""
		if length, ok := lengths[viewScores]; ok {
			second = short(length)
		}
		rows = append(rows, []string{string(api), limit, short(lengths[viewObservations]), second})
	}
	add(apiV2, 0)
	for _, perDay := range []int{hobbyQueries, 200, 500, 2000} {
		add(apiV2, perDay)
		add(apiV1, perDay)
	}
	add(apiDaily, hobbyDailyQueries)
	return rows
}

// short writes a duration without what is zero.
func short(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if d >= time.Hour {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// versionRows reads a server of each kind.
func versionRows(t *testing.T) [][]string {
	t.Helper()
	kinds := []struct {
		name   string
		server simulator.LangfuseConfig
	}{
		{"daily: 2.x, 3.0 to 3.56", simulator.LangfuseConfig{Version: "3.50.0"}},
		{"v1: 3.57 to 3.x, 4.x in the legacy write mode", simulator.LangfuseConfig{Version: "3.100.0"}},
		{"v2: Cloud before 4.0", simulator.LangfuseConfig{Version: "3.190.0", Cloud: true, Plan: simulator.LangfusePro}},
		{"v2: 4.x, Cloud", simulator.LangfuseConfig{}},
	}
	head := []string{"Metric"}
	offered := map[string][]bool{}
	for i, kind := range kinds {
		head = append(head, kind.name)
		synctest.Test(t, func(t *testing.T) {
			begin()
			b := newBench(t, kind.server, everything, func(cfg *Config) { cfg.QueriesPerDay = 5000 })
			newLife(b.sim).live(noon.Add(-day), noon.Add(time.Hour), 60)
			b.up(t)
			pass(17 * time.Minute)
			for _, p := range b.read(t) {
				if offered[p.metric] == nil {
					offered[p.metric] = make([]bool, len(kinds))
				}
				offered[p.metric][i] = true
			}
		})
	}
	rows := [][]string{head}
	for _, metric := range sortedKeys(offered) {
		if !slices.Contains(offered[metric], false) && !strings.HasPrefix(metric, "langfuse.t") {
			continue // the rest tells of the server and of reading it, or is always there
		}
		row := []string{"`" + metric + "`"}
		for _, there := range offered[metric] {
			mark := ""
			if there {
				mark = "x"
			}
			row = append(row, mark)
		}
		rows = append(rows, row)
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
		sub, err := conf.Sub("receivers::langfuse")
		require.NoError(t, err)
		cfg, err := load(sub)
		require.NoError(t, err, block)
		assert.Empty(t, cfg.inert())
		require.NotNil(t, cfg.Storage)
		assert.True(t, conf.IsSet("extensions::"+cfg.Storage.String()))
		assert.Contains(t, conf.Get("service::extensions"), cfg.Storage.String())
		loaded++
	}
	assert.Equal(t, 2, loaded)
}

// TestReadmeComplete: the README names every setting and reason.
func TestReadmeComplete(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range keysOf(Config{}) {
		assert.Contains(t, string(text), "| `"+key+"` |")
	}
	for _, fault := range faults {
		if !slices.Contains(reasons(), fault.reason) {
			assert.Regexp(t, `^[0-9]{3}$`, fault.reason)
		}
	}
}

package nvmlreceiver

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"gopkg.in/yaml.v3"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// callsOf are the calls that a scrape makes with this configuration.
func callsOf(t *testing.T, change func(*Config)) map[string]int {
	t.Helper()
	p := newProbe(t, 1, nothing, func(cfg *Config) { cfg.Attribution.Enabled = false }, change)
	p.resolver = noResolver{}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Processes = []simulator.GPUProcess{{PID: 1, Memory: 1, SM: 1}} })
	p.read()
	before := p.sim.GPU(0).AllCalls()
	p.read()
	calls := p.sim.GPU(0).AllCalls()
	for call, n := range before {
		if calls[call] -= n; calls[call] == 0 {
			delete(calls, call)
		}
	}
	delete(calls, "Fields")
	delete(calls, "GPM")
	delete(calls, "Register")
	return calls
}

// names are calls in words; several fields count as one call.
func names(calls map[string]int) string {
	var list []string
	fields := 0
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		switch {
		case strings.HasPrefix(call, "Field "):
			fields += calls[call]
		case calls[call] > 1:
			list = append(list, fmt.Sprintf("%s (%d)", call, calls[call]))
		default:
			list = append(list, call)
		}
	}
	if fields > 0 {
		list = append(list, fmt.Sprintf("%d in Fields", fields))
	}
	if list == nil {
		return "-"
	}
	return strings.Join(list, ", ")
}

// TestReadmeTable makes the table of metrics and their costs.
func TestReadmeTable(t *testing.T) {
	always := callsOf(t, func(*Config) {})
	defaults := reflect.ValueOf(createDefaultConfig().(*Config).Metrics)
	rows := []string{"| Metric | Default | Calls of its own for each GPU |", "| --- | --- | --- |"}
	for i := range defaults.NumField() {
		field := defaults.Type().Field(i)
		calls := callsOf(t, func(cfg *Config) {
			reflect.ValueOf(&cfg.Metrics).Elem().Field(i).FieldByName("Enabled").SetBool(true)
			// Who uses a GPU is asked for as a whole.
			cfg.Attribution.Enabled = strings.HasPrefix(field.Name, "HwGpuContainer") || strings.HasPrefix(field.Name, "LlmModel")
		})
		for call, n := range always {
			if calls[call] -= n; calls[call] <= 0 {
				delete(calls, call)
			}
		}
		on := "off"
		if defaults.Field(i).FieldByName("Enabled").Bool() {
			on = "on"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", field.Tag.Get("mapstructure"), on, names(calls)))
	}
	want := strings.Join(rows, "\n")

	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	table := regexp.MustCompile(`(?s)(<!-- metrics -->\n).*?\n?(<!-- end metrics -->)`)
	if *update {
		text := table.ReplaceAllString(string(readme), "${1}"+want+"\n${2}")
		require.NoError(t, os.WriteFile("README.md", []byte(text), 0o600))
		return
	}
	assert.Contains(t, string(readme), want)
	assert.Contains(t, string(readme), names(always))
}

func TestReadmeExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		var file struct {
			Receivers map[string]map[string]any `yaml:"receivers"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(block[1]), &file))
		cfg, ok := file.Receivers["nvml"]
		require.True(t, ok)
		_, err := load(confmap.NewFromStringMap(cfg))
		require.NoError(t, err)
	}
	for _, message := range []string{"does not answer", "shows no GPU", "cannot be opened", "can be found", "denies a call", "A call hangs", "delivers no events"} {
		assert.Contains(t, string(readme), message)
	}
}

package syntheticreceiver

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"gopkg.in/yaml.v3"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// TestReadmeExample: the configuration in the README loads.
func TestReadmeExample(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		var whole struct{ Receivers map[string]map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(block[1]), &whole))
		cfg := createDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(whole.Receivers["synthetic"]).Unmarshal(cfg))
		assert.NoError(t, xconfmap.Validate(cfg))
	}
}

// TestReadmeKinds: the README tells of every scenario and of everything that can go wrong, in the words of the code.
func TestReadmeKinds(t *testing.T) {
	text := readme(t)
	kinds, about := site.AnomalyKinds()
	for i, kind := range kinds {
		row := regexp.MustCompile("(?m)^\\| `" + string(kind) + "` \\| .* \\|$").FindString(text)
		assert.Contains(t, row, "| "+about[i]+" |", kind)
	}
	for _, s := range site.Scenarios() {
		assert.Contains(t, text, "`"+string(s)+"` ("+s.About()+")")
	}
}

// TestInnerSettings: the receivers inside have the settings of the production configuration.
func TestInnerSettings(t *testing.T) {
	text, err := os.ReadFile("../../configs/otelcol-llm.yaml")
	require.NoError(t, err)
	var production struct{ Receivers map[string]map[string]any }
	require.NoError(t, yaml.Unmarshal(text, &production))
	var inner map[string]map[string]any
	require.NoError(t, yaml.Unmarshal(settingsYAML, &inner))
	for _, name := range []string{"docker_stats", "docker_inventory", "vllm"} {
		for key, value := range inner[name] {
			assert.Equal(t, production.Receivers[name][key], value, "%s::%s", name, key)
		}
	}
	plain, err := yaml.Marshal(production.Receivers["filelog/docker"]["operators"])
	require.NoError(t, err)
	want := strings.ReplaceAll(string(plain), "$$", "$")
	got, err := yaml.Marshal(inner["filelog"]["operators"])
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}

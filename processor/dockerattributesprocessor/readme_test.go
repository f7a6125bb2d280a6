package dockerattributesprocessor

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// keysOf returns the keys of a struct.
func keysOf(config any) []string {
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(config)) {
		if key := field.Tag.Get("mapstructure"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
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
		processors, err := conf.Sub("processors")
		require.NoError(t, err)
		for name := range processors.ToStringMap() {
			if strings.HasPrefix(name, "docker_attributes") {
				sub, err := processors.Sub(name)
				require.NoError(t, err)
				_, err = load(sub)
				require.NoError(t, err, block)
				loaded++
			}
		}
	}
	assert.Equal(t, 6, loaded)
}

// TestReadmeComplete: the README names every setting and every result.
func TestReadmeComplete(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	cfg := Config{}
	for prefix, part := range map[string]any{
		"": cfg, "docker::": cfg.Docker, "extract::": cfg.Extract, "extract::labels::": LabelConfig{},
		"association::sources::": SourceConfig{}, "exclude::containers::": ExcludeContainerConfig{}, "service_name::": cfg.ServiceName,
	} {
		for _, key := range keysOf(part) {
			nested := prefix == "" && (key == "docker" || key == "extract" || key == "exclude" || key == "service_name" || key == "association") ||
				prefix == "extract::" && key == "labels"
			if !nested {
				assert.Contains(t, string(text), "| `"+prefix+key+"` |")
			}
		}
	}
	for r := range results {
		assert.Contains(t, string(text), "| `"+r.String()+"` |")
	}
}

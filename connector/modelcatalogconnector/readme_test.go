package modelcatalogconnector

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// TestReadmeExamples loads every configuration in the README, and the file.
func TestReadmeExamples(t *testing.T) {
	configs, files := 0, 0
	for _, block := range strings.Split(readme(t), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if strings.HasPrefix(block, "models:") {
			o, err := parseOverrides([]byte(block))
			require.NoError(t, err)
			assert.Equal(t, 4, o.len())
			files++
			continue
		}
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(block))
		require.NoError(t, err)
		conf, err := retrieved.AsConf()
		require.NoError(t, err)
		sub, err := conf.Sub("connectors::model_catalog")
		require.NoError(t, err)
		_, err = loadConfig(sub)
		require.NoError(t, err, block)
		configs++
	}
	assert.Equal(t, 2, configs)
	assert.Equal(t, 1, files)
}

// TestReadmeComplete: the README names every setting, key and metric.
func TestReadmeComplete(t *testing.T) {
	text := readme(t)
	for _, key := range keysOf(Config{}) {
		if key == "endpoints" {
			continue
		}
		assert.Contains(t, text, "| `"+key+"` |")
	}
	for _, key := range keysOf(EndpointsConfig{}) {
		assert.Contains(t, text, "| `endpoints::"+key+"` |")
	}
	for _, key := range overrideKeys() {
		assert.Contains(t, text, "| `"+key+"` |")
	}
	for _, kind := range tokenTypes {
		assert.Contains(t, text, "`"+kind+"`")
	}
	metrics := createDefaultConfig().(*Config).Metrics
	for _, name := range keysOf(metrics) {
		assert.Contains(t, text, "| `"+name+"` |")
	}
	for _, name := range []string{"entries", "file_loaded", "refused"} {
		assert.Contains(t, text, "| `otelcol_connector_model_catalog_"+name+"` |")
	}
	for what := range refusalHints {
		assert.Contains(t, text, "`"+what.String()+"`")
	}
}

// TestReadmeMessages: the lines of the log that the README explains are written.
func TestReadmeMessages(t *testing.T) {
	p := newProbe(t)
	p.journal.file("models.yaml", &fault{1, "wrong"}, 0)
	p.journal.refusals(refusals{refusedModel: 1}, noon, 1)
	p.journal.emitted(assert.AnError)
	require.Equal(t, 3, p.logs.Len())
	for _, line := range p.logs.All() {
		message, _, _ := strings.Cut(line.Message, ".")
		assert.Contains(t, readme(t), "| `"+message+"` |")
	}
}

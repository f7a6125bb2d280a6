// Package versions guards the pair of collector versions that the whole
// distribution is built on.
package versions

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

const (
	unstable = "v0.138.0"
	stable   = "v1.44.0"
)

// exceptions are modules that follow another version, and why.
var exceptions = map[string]string{
	// The last release of the push exporter and of what only it uses; they hold
	// everything else at v0.138.
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/lokiexporter": "v0.130.0",
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/loki":   "v0.130.0",
	// Ended before the pair; some of contrib still asks for it.
	"go.opentelemetry.io/collector/semconv": "v0.128.1-0.20250610090210-188191247685",
}

// TestPair fails when a module of the collector is required in a version beside
// the pair: such a mix builds only by luck.
func TestPair(t *testing.T) {
	for _, path := range []string{"../../go.mod", "../../distribution/go.mod"} {
		t.Run(path, func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			file, err := modfile.Parse(path, text, nil)
			require.NoError(t, err)

			checked := 0
			for _, required := range file.Require {
				mod := required.Mod
				switch {
				case !strings.HasPrefix(mod.Path, "go.opentelemetry.io/collector") &&
					!strings.HasPrefix(mod.Path, "github.com/open-telemetry/opentelemetry-collector-contrib"):
					continue
				case exceptions[mod.Path] != "":
					assert.Equal(t, exceptions[mod.Path], mod.Version, mod.Path)
				default:
					assert.Containsf(t, []string{unstable, stable}, mod.Version, "%s is beside the pair", mod.Path)
				}
				checked++
			}
			assert.Greater(t, checked, 10)
		})
	}
}

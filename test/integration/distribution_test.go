//go:build integration

package integration

import (
	"debug/elf"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// TestComponents compares what the binary says it holds with the manifest, and the manifest with our own folders.
func TestComponents(t *testing.T) {
	out, err := exec.Command(binary(t), "components").Output()
	require.NoError(t, err)
	type component struct{ Name, Module string }
	var binaryHas map[string][]component
	// Beside the lists there are single values, which do not decode into one.
	var all map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal(out, &all))
	binaryHas = make(map[string][]component)
	for kind, node := range all {
		if node.Kind == yaml.SequenceNode {
			var list []component
			require.NoError(t, node.Decode(&list))
			binaryHas[kind] = list
		}
	}

	text, err := os.ReadFile("../../builder-config.yaml")
	require.NoError(t, err)
	type entry struct{ Gomod, Import string }
	var manifest struct{ Receivers, Processors, Exporters, Extensions, Connectors, Providers []entry }
	require.NoError(t, yaml.Unmarshal(text, &manifest))
	for kind, entries := range map[string][]entry{
		"receivers": manifest.Receivers, "processors": manifest.Processors, "exporters": manifest.Exporters,
		"extensions": manifest.Extensions, "connectors": manifest.Connectors,
	} {
		assert.Len(t, binaryHas[kind], len(entries), kind)
	}

	ours := make(map[string]bool)
	for _, entries := range [][]entry{manifest.Receivers, manifest.Processors, manifest.Exporters, manifest.Extensions, manifest.Connectors} {
		for _, e := range entries {
			if e.Import != "" {
				ours[path.Base(path.Dir(e.Import))+"/"+path.Base(e.Import)] = true
			}
		}
	}
	for _, kind := range []string{"receiver", "processor", "exporter", "extension", "connector"} {
		folders, err := filepath.Glob("../../" + kind + "/*")
		require.NoError(t, err)
		for _, folder := range folders {
			name := kind + "/" + filepath.Base(folder)
			assert.True(t, ours[name], "%s is not in builder-config.yaml", name)
			delete(ours, name)
		}
	}
	assert.Empty(t, ours, "in builder-config.yaml, but there is no such folder")
}

// TestLazyBinding: the GPU driver's library lacks symbols in older versions, which must matter only where they are used.
func TestLazyBinding(t *testing.T) {
	file, err := elf.Open(binary(t))
	require.NoError(t, err)
	defer file.Close()
	flags, err := file.DynValue(elf.DT_FLAGS)
	require.NoError(t, err)
	flags1, err := file.DynValue(elf.DT_FLAGS_1)
	require.NoError(t, err)
	for _, f := range flags {
		assert.Zero(t, elf.DynFlag(f)&elf.DF_BIND_NOW)
	}
	for _, f := range flags1 {
		assert.Zero(t, elf.DynFlag1(f)&elf.DF_1_NOW)
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	assert.NotEmpty(t, libraries, "built without cgo")
}

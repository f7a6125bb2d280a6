//go:build linux

package nvmltest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func symbols(t *testing.T, d *Driver) []string {
	t.Helper()
	names, err := d.Symbols()
	require.NoError(t, err)
	return names
}

func TestBuild(t *testing.T) {
	all := symbols(t, Build(t))
	assert.Greater(t, len(all), 80)

	assert.Equal(t, []string{"nvmlInit_v2"}, symbols(t, Build(t, Only("nvmlInit_v2"))))

	old := symbols(t, Build(t, Without(Driver535()...)))
	assert.Len(t, old, len(all)-len(Driver535()))
	assert.NotContains(t, old, "nvmlDeviceGetTemperatureV")
	assert.Contains(t, old, "nvmlDeviceGetTemperature")
}

func TestBuildIn(t *testing.T) {
	_, err := BuildIn(filepath.Join(t.TempDir(), "missing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = (&Driver{Path: "missing"}).Symbols()
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestSetAndTrace(t *testing.T) {
	d := &Driver{Path: filepath.Join(t.TempDir(), "libnvidia-ml.so.1")}
	d.Set(t, "load", "mig 0")
	text, err := os.ReadFile(d.beside("control"))
	require.NoError(t, err)
	assert.Equal(t, "load\nmig 0\n", string(text))

	assert.Empty(t, d.Trace(t))
	require.NoError(t, os.WriteFile(d.beside("trace"), []byte("nvmlDeviceGetCount_v2 -1\nnvmlDeviceGetUUID 3\n"), 0o600))
	assert.Equal(t, []string{"nvmlDeviceGetCount_v2@-1", "nvmlDeviceGetUUID@3"}, d.Trace(t))
	assert.Empty(t, d.Trace(t))
}

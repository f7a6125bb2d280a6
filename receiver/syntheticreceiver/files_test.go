package syntheticreceiver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

func openTestFiles(t *testing.T, root string) *files {
	t.Helper()
	f, err := openFiles(root)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.close()) })
	return f
}

// TestLogFiles: lines are those of Docker's json-file driver, and a file that grows too long makes room for the next.
func TestLogFiles(t *testing.T) {
	f := openTestFiles(t, t.TempDir())
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	f.log("c1", at, "stderr", `a "line"`)
	f.processes(nil)
	path := filepath.Join(f.root, "containers", "c1", "c1-json.log")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(text), "\n"))
	assert.JSONEq(t, `{"log":"a \"line\"\n","stream":"stderr","time":"2026-03-01T12:00:00.000000005Z"}`, string(text))

	for range 100 { // more than a buffer holds
		f.log("c1", at, "stderr", "a line of some length, so that it does not fit a whole number of times")
	}
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Greater(t, len(text), 4096)
	assert.True(t, strings.HasSuffix(string(text), "}\n"), "a reader never meets a half line")

	long := strings.Repeat("x", 1<<20)
	for range 5 {
		f.log("c1", at, "stdout", long)
	}
	f.log("c1", at, "stdout", "last")
	f.processes(nil)
	require.NoError(t, f.problem())
	before, err := os.Stat(path + ".1")
	require.NoError(t, err)
	assert.Greater(t, before.Size(), int64(maxLogFile))
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var line struct{ Log string }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &line))
	assert.Equal(t, "last\n", line.Log)
}

// TestProcessFiles: a process that ends is gone, and one that takes its number is another.
func TestProcessFiles(t *testing.T) {
	f := openTestFiles(t, "")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(f.proc(), "42", name))
		if os.IsNotExist(err) {
			return ""
		}
		require.NoError(t, err)
		return string(text)
	}
	f.processes([]site.Process{{PID: 42, Container: "c1", Name: "vllm"}})
	assert.Equal(t, "vllm\n", read("comm"))
	assert.Equal(t, "0::/system.slice/docker-c1.scope\n", read("cgroup"))
	first := read("stat")
	f.processes([]site.Process{{PID: 42, Container: "c1", Name: "vllm"}})
	assert.Equal(t, first, read("stat"), "the same one")
	f.processes([]site.Process{{PID: 42, Container: "c2", Name: "vllm"}})
	assert.NotEqual(t, first, read("stat"), "another start time")
	f.processes(nil)
	assert.Empty(t, read("stat"))
	assert.NoError(t, f.problem())
}

// TestFilesOfBefore: what an earlier run left is removed, and nothing else.
func TestFilesOfBefore(t *testing.T) {
	root := t.TempDir()
	old := filepath.Join(root, "containers", "old")
	require.NoError(t, os.MkdirAll(old, 0o750))
	mine := filepath.Join(root, "mine")
	require.NoError(t, os.WriteFile(mine, nil, 0o600))
	openTestFiles(t, root)
	assert.NoDirExists(t, old)
	assert.FileExists(t, mine)
}

// TestFullDisk: a line that cannot be written is lost, and nothing breaks.
func TestFullDisk(t *testing.T) {
	f := openTestFiles(t, t.TempDir())
	require.NoError(t, os.RemoveAll(filepath.Join(f.root, "containers")))
	require.NoError(t, os.WriteFile(filepath.Join(f.root, "containers"), nil, 0o600))
	f.log("c1", time.Now(), "stdout", "lost")
	f.log("c1", time.Now(), "stdout", "lost, too")
	f.processes(nil)
	assert.Error(t, f.problem())
	assert.NoError(t, f.problem(), "told once")
}

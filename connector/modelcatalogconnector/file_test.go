package modelcatalogconnector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write changes the file as an editor does: the time of a change is another one.
func write(t *testing.T, path, content string, age time.Duration) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	at := time.Now().Add(-age)
	require.NoError(t, os.Chtimes(path, at, at))
}

// TestReload: the file is read when it changes; what it said last that was right
// stays, and the log has one line for each change.
func TestReload(t *testing.T) {
	path, file := withFile(t, "models: [{name: one, add: true}]")
	p := newProbe(t, file)
	steps := []struct {
		name    string
		do      func()
		models  []string
		lines   int
		message string
		fields  map[string]any
	}{
		{name: "at first", do: func() {}, models: []string{"one"}},
		{name: "changed", do: func() { write(t, path, "models: [{name: two, add: true}]", 10*time.Minute) }, models: []string{"two"}},
		{
			name: "wrong", do: func() { write(t, path, "models:\n  - name: three\n    nam: x", 9*time.Minute) }, models: []string{"two"}, lines: 1,
			message: "The file of the model catalog cannot be used as it is. What it said before stays in use.", fields: map[string]any{"line": int64(3)},
		},
		{name: "still wrong", do: func() {}, models: []string{"two"}, lines: 1},
		{name: "wrong in another way", do: func() { write(t, path, "models: three", 8*time.Minute) }, models: []string{"two"}, lines: 2},
		{name: "gone", do: func() { require.NoError(t, os.Remove(path)) }, models: []string{"two"}, lines: 3, fields: map[string]any{"fault": `it does not exist: create it, or correct "file"`}},
		{
			name: "well again", do: func() { write(t, path, "models: [{name: three, add: true}]", 7*time.Minute) }, models: []string{"three"}, lines: 4,
			message: "The file of the model catalog is in use again.",
		},
		{name: "a folder", do: func() { require.NoError(t, os.Remove(path)); require.NoError(t, os.Mkdir(path, 0o700)) }, models: []string{"three"}, lines: 5, fields: map[string]any{"fault": "it is not a regular file"}},
		{name: "as it was", do: func() {
			require.NoError(t, os.Remove(path))
			write(t, path, "models: [{name: three, add: true}]", 7*time.Minute)
		}, models: []string{"three"}, lines: 6},
		{name: "too large", do: func() { write(t, path, strings.Repeat("#\n", maxFileSize), time.Minute) }, models: []string{"three"}, lines: 7, fields: map[string]any{"fault": "it has more than 1048576 bytes: drop what the sources tell anyway"}},
		{name: "empty", do: func() { write(t, path, "", time.Second) }, models: nil, lines: 8},
	}
	for _, step := range steps {
		step.do()
		assert.Equal(t, step.models, p.read(t).models(), step.name)
		require.Equal(t, step.lines, p.logs.Len(), step.name)
		if step.lines > 0 {
			last := p.logs.All()[step.lines-1]
			assert.Equal(t, path, last.ContextMap()["file"])
			if step.message != "" {
				assert.Equal(t, step.message, last.Message)
			}
			for key, value := range step.fields {
				assert.Equal(t, value, last.ContextMap()[key], step.name)
			}
		}
	}
}

// TestReadOnce: a file that has not changed is not read again.
func TestReadOnce(t *testing.T) {
	path, _ := withFile(t, "models: [{name: one}]")
	f := newOverrideFile(path)
	require.NoError(t, f.refresh())
	first := f.current
	require.NoError(t, f.refresh())
	assert.Same(t, first, f.current)
}

// TestNoAccess: what is in the way may go although the file stays as it is.
func TestNoAccess(t *testing.T) {
	path, _ := withFile(t, "models: [{name: one}]")
	info, err := os.Stat(path)
	require.NoError(t, err)
	f := newOverrideFile(filepath.Join(path, "below")) // not a directory
	require.EqualError(t, f.refresh(), "it cannot be read: not a directory")
	_, err = contentOf(filepath.Join(t.TempDir(), "gone"), info) // between two looks
	require.ErrorContains(t, err, "it does not exist")
	assert.EqualError(t, accessFault(os.ErrPermission), "the user of the collector may not read it")

	require.NoError(t, os.Mkdir(path+".d", 0o700))
	_, err = contentOf(path+".d", info) // it became a folder
	require.EqualError(t, err, "it cannot be read: is a directory")

	f = newOverrideFile(path)
	f.err = &fault{what: "passing"}
	require.NoError(t, f.refresh())
	assert.Equal(t, 1, f.current.len())
}

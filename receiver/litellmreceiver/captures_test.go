package litellmreceiver

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// captures are real pages and answers: OTELCOL_LLM_FIXTURES is a folder with
// litellm/*.
func captures(t *testing.T, pattern string) []string {
	t.Helper()
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no captures of real servers to test with")
	}
	files, err := filepath.Glob(filepath.Join(dir, "litellm", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files, "OTELCOL_LLM_FIXTURES is set, but has no litellm/%s", pattern)
	return files
}

// replay serves a captured page; the other paths are not found.
func replay(page []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(page)
	})
	return mux
}

// wholePage is a captured page. The older one was cut before it was put in order: its
// last line has no end, and several histograms lack parts.
func wholePage(t *testing.T, file string) []byte {
	t.Helper()
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	if strings.Contains(file, "-trimmed") {
		page = append(page, '\n')
	}
	return page
}

func TestCaptures(t *testing.T) {
	for _, file := range captures(t, "*.prom") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			page := wholePage(t, file)
			p := newProbe(t, newClock(), serve(t, replay(page)), everything)
			got := p.read(t)
			assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
			assert.Empty(t, got.problems())
			assertNothingLost(t, page, got)
		})
	}
}

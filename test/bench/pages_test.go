//go:build linux

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// A counter that falls would look like a restart, which costs the receivers more than a usual scrape.
func TestPagesMoveAndNeverFall(t *testing.T) {
	pages := renderPages(simulator.NewVLLM(simulator.VLLMConfig{}))
	require.Len(t, pages, distinctPages)
	require.Greater(t, len(pages[0]), 40<<10, "as long as a real page")
	last := map[string]float64{}
	for i, page := range pages {
		parsed, err := promtext.Parse(bytes.NewReader(page), promtext.Options{})
		require.NoError(t, err)
		moved := 0
		for _, f := range parsed.Families {
			if f.Type != model.MetricTypeCounter {
				continue
			}
			value := sumOf(parsed, f.Name)
			require.GreaterOrEqual(t, value, last[f.Name], "%s on page %d", f.Name, i)
			if value > last[f.Name] {
				moved++
			}
			last[f.Name] = value
		}
		require.Positive(t, moved)
	}
}

func TestEndpointShowsPagesInOrder(t *testing.T) {
	e := &endpoint{pages: [][]byte{[]byte("first"), []byte("second")}, rest: http.NotFoundHandler()}
	other := &endpoint{}
	read := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return w
	}
	for _, want := range []string{"first", "second", "second"} {
		require.Equal(t, want, read("/metrics").Body.String())
	}
	require.Equal(t, http.StatusNotFound, read("/health").Code)
	require.Equal(t, pageCounts{Total: 3, Least: 0}, count([]*endpoint{e, other}))
	require.Equal(t, pageCounts{Total: 3, Least: 3}, count([]*endpoint{e}))
	require.Zero(t, count(nil))
}

func TestPageServer(t *testing.T) {
	s, err := startPages(pagesCommand, 251)
	require.NoError(t, err)
	require.Len(t, s.Endpoints, 251)
	require.Contains(t, s.Endpoints[0], "//127.1.0.1:")
	require.Contains(t, s.Endpoints[250], "//127.1.1.1:")

	page, err := get(t.Context(), s.Endpoints[250]+"/metrics")
	require.NoError(t, err)
	require.Contains(t, string(page), "vllm:num_requests_running{")
	for _, path := range []string{"/health", "/version", "/v1/models"} {
		_, err := get(t.Context(), s.Endpoints[0]+path)
		require.NoError(t, err)
	}
	counts, err := s.counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, pageCounts{Total: 1}, counts)
	require.NoError(t, s.stop())
}

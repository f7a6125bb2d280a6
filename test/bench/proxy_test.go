//go:build linux

package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProxyServer(t *testing.T) {
	s, err := startPages(proxyCommand, 1000)
	require.NoError(t, err)
	require.Len(t, s.Endpoints, 1)
	first, err := get(t.Context(), s.Endpoints[0]+"/metrics/")
	require.NoError(t, err)
	require.Len(t, first, s.PageBytes)
	require.InDelta(t, 1000, bytes.Count(first, []byte("\n")), 200)
	second, err := get(t.Context(), s.Endpoints[0]+"/metrics")
	require.NoError(t, err)
	require.NotEqual(t, first, second, "values move")
	_, err = get(t.Context(), s.Endpoints[0]+"/health/liveliness")
	require.NoError(t, err, "and there is an API")
	counts, err := s.counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, pageCounts{Total: 2, Least: 2}, counts)
	require.NoError(t, s.stop())
}

//go:build linux

package main

import (
	"bytes"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

func TestProxyPage(t *testing.T) {
	const keys = 30
	last := map[string]float64{}
	for read := range 3 {
		page := appendProxyPage(nil, keys, read)
		parsed, err := promtext.Parse(bytes.NewReader(page), promtext.Options{})
		require.NoError(t, err)
		require.Equal(t, keys*linesPerKey(), parsed.Samples)
		require.Greater(t, len(page), 480*parsed.Samples, "lines as long as those of a real page")
		require.Len(t, parsed.Families, len(proxyFamilies))
		for i, f := range parsed.Families {
			require.Equal(t, proxyFamilies[i].name, f.Name)
			require.Len(t, f.Series, keys)
			total := 0.0
			for _, s := range f.Series {
				require.Equal(t, len(proxyFamilies[i].labels), s.Labels.Len())
				require.Greater(t, s.Created, 1.7e9)
				total += s.Value
				if f.Type == model.MetricTypeHistogram {
					require.True(t, s.Histogram.Valid())
					require.Len(t, s.Histogram.Bounds, len(latencyBounds)-1)
					total += s.Histogram.Count
				}
			}
			require.Greater(t, total, last[f.Name])
			last[f.Name] = total
		}
	}
}

//go:build linux

package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCollectorConfigDiffersInTheReceiverOnly(t *testing.T) {
	configOf := func(kind receiverKind) object {
		text, err := collectorConfig(pagesSetup(kind, []string{"http://127.1.0.1:80"}, 2*time.Second), sinkDebug, ports{1, 2, 3})
		require.NoError(t, err)
		var config object
		require.NoError(t, json.Unmarshal(text, &config))
		return config
	}
	ours := configOf(kindVLLM)
	require.Equal(t, object{"vllm": object{
		"collection_interval": "2s", "timeout": "5s", "endpoints": []any{"http://127.1.0.1:80"},
	}}, ours["receivers"])

	theirs := configOf(kindPrometheus)
	require.Equal(t, object{"prometheus": object{"config": object{"scrape_configs": []any{object{
		"job_name": "vllm", "scrape_interval": "2s", "scrape_timeout": "2s",
		"static_configs": []any{object{"targets": []any{"127.1.0.1:80"}}},
	}}}}}, theirs["receivers"])

	delete(ours, "receivers")
	delete(theirs, "receivers")
	ours["service"].(object)["pipelines"].(object)["metrics"].(object)["receivers"] = []any{"prometheus"}
	require.Equal(t, theirs, ours)
}

func TestFreePorts(t *testing.T) {
	p, err := freePorts()
	require.NoError(t, err)
	require.Positive(t, p.telemetry)
	require.NotEqual(t, p.telemetry, p.pprof)
	require.NotEqual(t, p.pprof, p.sink)
}

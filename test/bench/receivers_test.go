//go:build linux

package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReceiverConfigDropsPythonsSeries(t *testing.T) {
	_, settings := receiverConfig(kindPrometheusDrop, nil, 10*time.Second)
	job := settings["config"].(object)["scrape_configs"].([]object)[0]
	require.Equal(t, []object{{
		"source_labels": []string{"__name__"}, "regex": "(python|process)_.*", "action": "drop",
	}}, job["metric_relabel_configs"])
	require.Equal(t, "5s", job["scrape_timeout"])
}

func TestDockerSetups(t *testing.T) {
	type pipelines = map[string]struct{ Receivers, Processors, Exporters []string }
	pipelinesOf := func(kind receiverKind, sink string) pipelines {
		text, err := collectorConfig(dockerSetup(kind, "unix:///x.sock", 10*time.Second), sink, ports{1, 2, 3})
		require.NoError(t, err)
		var config struct{ Service struct{ Pipelines pipelines } }
		require.NoError(t, json.Unmarshal(text, &config))
		return config.Service.Pipelines
	}
	require.Equal(t, pipelines{
		"metrics": {Receivers: []string{"docker_inventory", "docker_stats"}, Processors: []string{"docker_attributes"}, Exporters: []string{"prometheus"}},
		"logs":    {Receivers: []string{"docker_inventory"}, Exporters: []string{"debug"}},
	}, pipelinesOf(kindDocker, sinkPrometheus))
	require.Equal(t, pipelines{"metrics": {Receivers: []string{"docker_stats"}, Exporters: []string{"debug"}}}, pipelinesOf(kindStats, sinkDebug))
	require.Equal(t, pipelines{"metrics": {Receivers: []string{"vllm"}, Exporters: []string{"debug"}}}, pipelinesOf(kindIdle, sinkDebug))
}

func TestProxySetups(t *testing.T) {
	ours := proxySetup(kindLiteLLM, "http://127.0.0.1:80", 10*time.Second)
	require.Equal(t, object{"litellm": object{
		"collection_interval": "10s", "timeout": "10s", "endpoint": "http://127.0.0.1:80", "api_key": proxyKey,
	}}, ours.receivers)
	theirs := proxySetup(kindPrometheusLabels, "http://127.0.0.1:80", 10*time.Second)
	job := theirs.receivers["prometheus"].(object)["config"].(object)["scrape_configs"].([]object)[0]
	require.Equal(t, []object{{"targets": []string{"127.0.0.1:80"}}}, job["static_configs"])
	require.Equal(t, "labeldrop", job["metric_relabel_configs"].([]object)[1]["action"])
	require.Contains(t, proxySetup(kindIdle, "", time.Second).receivers, "vllm")
}

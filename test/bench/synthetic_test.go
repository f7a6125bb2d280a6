//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestGPUsOf(t *testing.T) {
	assert.Equal(t, 8, gpusOf(3))
	assert.Equal(t, 8, gpusOf(10))
	assert.Equal(t, 8, gpusOf(30))
	assert.Equal(t, 100, gpusOf(1000))
	assert.Equal(t, 512, memoryLimitOf(10))
	assert.Equal(t, 1997, memoryLimitOf(1000))
	assert.Equal(t, "none", siteName(0))
	assert.Equal(t, "100 GPUs, 1000 servers", siteName(1000))
}

// siteOverlay is what lies over the shipped configuration.
func siteOverlay(t *testing.T, kind receiverKind, servers int) object {
	t.Helper()
	text, err := collectorConfig((&plan{configs: "configs"}).siteSetup(kind, servers, time.Minute, "http://loki"), sinkPrometheus, ports{1, 2, 3})
	require.NoError(t, err)
	var config object
	require.NoError(t, json.Unmarshal(text, &config))
	return config
}

func TestSiteSetup(t *testing.T) {
	whole := siteOverlay(t, kindSynthetic, 1000)
	assert.Equal(t, object{"synthetic": object{"scale": object{"gpus": 100.0, "servers": 1000.0}}}, whole["receivers"], "all else is as shipped")
	assert.NotContains(t, whole["service"], "pipelines")

	alone := siteOverlay(t, kindSite, 10)["receivers"].(object)["synthetic"].(object)["receivers"].(object)
	assert.Len(t, alone, len(insideReceivers))
	for name, settings := range alone {
		assert.Equal(t, object{"enabled": false}, settings, name)
	}

	for name, pipeline := range siteOverlay(t, kindIdle, 0)["service"].(object)["pipelines"].(object) {
		assert.Equal(t, object{"receivers": []any{"otlp"}}, pipeline, name)
	}
}

// TestShippedExtensions: the overlay of the bench takes none away.
func TestShippedExtensions(t *testing.T) {
	text, err := os.ReadFile("../../configs/otelcol-llm.yaml")
	require.NoError(t, err)
	var config struct {
		Service struct{ Extensions []string }
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	require.NotEmpty(t, config.Service.Extensions)
	assert.Equal(t, append(config.Service.Extensions, "pprof"), shippedExtensions)
}

func TestSiteEnvironment(t *testing.T) {
	s := (&plan{configs: "there"}).siteSetup(kindSynthetic, 10, time.Minute, "http://loki").shipped
	assert.Equal(t, []string{filepath.Join("there", "otelcol-llm.yaml"), filepath.Join("there", "overlays", "synthetic.yaml")}, s.files)
	environment := s.environment("/folder", ports{1, 2, 3})
	for _, want := range []string{
		"INFRA_INTERVAL=30s", "VLLM_INTERVAL=1m0s", "MEMORY_LIMIT_MIB=512", "LOKI_OTLP_ENDPOINT=http://loki",
		"STATE_DIR=/folder/state", "SYNTHETIC_VLLM=", "METRICS_LISTEN=127.0.0.1:3",
	} {
		assert.Contains(t, environment, want)
	}
}

//go:build linux

package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSiteState(t *testing.T) {
	page := `# HELP vllm_up 1 if the server answers.
# TYPE vllm_up gauge
vllm_up{instance="a",job="vllm"} 1
vllm_up{instance="b c",job="vllm"} 0
litellm_up{job="litellm"} 1
vllm_scrape_duration_seconds{instance="a"} 0.25
vllm_scrape_duration_seconds{instance="b"} 1.5e-2
vllm_uptime{instance="a"} 0
target_info{job="vllm"} 1
`
	assert.Equal(t, siteState{series: 7, up: 2, down: 1, slowest: 0.25}, parseSiteState([]byte(page)))
	assert.Zero(t, parseSiteState(nil))
}

func TestLokiForgets(t *testing.T) {
	k, err := startLoki(t.Context())
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.url+"/v1/logs", strings.NewReader("lines"))
	require.NoError(t, err)
	resp, err := httpClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, k.stop())
}

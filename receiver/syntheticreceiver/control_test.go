package syntheticreceiver

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
	"github.com/otelcol-llm/otelcol-llm/receiver/syntheticreceiver/internal/metadata"
)

// controlled is a world with its control API, and a client of it.
type controlled struct {
	t     *testing.T
	world *site.World
	base  string
	token string
}

func startControlled(t *testing.T, token string) *controlled {
	t.Helper()
	world := site.New(site.Config{Seed: 1, Start: time.Unix(1_780_000_000, 0)})
	cfg := &ControlConfig{ServerConfig: confighttp.ServerConfig{Endpoint: "127.0.0.1:0"}, Token: configopaque.String(token)}
	c, err := startControl(t.Context(), cfg, componenttest.NewNopHost(), receivertest.NewNopSettings(metadata.Type), world)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.shutdown(context.Background())) })
	return &controlled{t, world, "http://" + c.address, token}
}

// call returns status and body.
func (c *controlled) call(method, path, body string, header ...string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

func TestControlScenario(t *testing.T) {
	c := startControlled(t, "")
	status, body := c.call("GET", "/scenario", "")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"scenario":"normal","scenarios":["normal","high_load","degraded","maintenance"]}`, body)

	status, body = c.call("PUT", "/scenario", `{"scenario":"degraded"}`)
	assert.Equal(t, 200, status, body)
	assert.Equal(t, site.Degraded, c.world.Scenario())

	for body, want := range map[string]string{
		`{"scenario":"chaos"}`: "there is no scenario",
		`{"szenario":"x"}`:     "unknown field",
		`nonsense`:             "must be a JSON object",
		`{"scenario":3}`:       `\"scenario\" must be a text in quotes, not a number`,
	} {
		status, answer := c.call("PUT", "/scenario", body)
		assert.Equal(t, 400, status, body)
		assert.Contains(t, answer, want)
	}
	assert.Equal(t, site.Degraded, c.world.Scenario())
}

func TestControlAnomalies(t *testing.T) {
	c := startControlled(t, "")
	status, body := c.call("POST", "/anomalies", `{"kind":"hot_gpu","target":"3","duration":"10m"}`)
	require.Equal(t, 201, status, body)
	var made anomalyState
	require.NoError(t, json.Unmarshal([]byte(body), &made))
	assert.Equal(t, 10*time.Minute, made.Until.Sub(made.Since))
	assert.Len(t, c.world.Anomalies(), 1)

	for body, want := range map[string]string{
		`{"kind":"hot_gpu","target":"3"}`:       "going on already",
		`{"kind":"hot_gpu","target":"8"}`:       "from 0 to 7",
		`{"kind":"model_down","target":"none"}`: "such as",
		`{"kind":"proxy_down","target":"x"}`:    "has no target",
		`{"kind":"fire"}`:                       "the kinds are",
		`{"kind":"oom","duration":"soon"}`:      "with a unit",
		`{"kind":"oom","duration":"-1m"}`:       "cannot last",
	} {
		status, answer := c.call("POST", "/anomalies", body)
		assert.Equal(t, 400, status, body)
		assert.Contains(t, answer, want)
	}

	status, body = c.call("GET", "/anomalies", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, `"about"`)
	assert.Contains(t, body, `"target":"3"`)

	for _, path := range []string{"/anomalies/99", "/anomalies/x"} {
		status, body = c.call("DELETE", path, "")
		assert.Equal(t, 404, status, body)
	}
	status, _ = c.call("DELETE", "/anomalies/1", "")
	assert.Equal(t, 204, status)
	assert.Empty(t, c.world.Anomalies())

	_, _ = c.call("POST", "/anomalies", `{"kind":"hot_gpu"}`)
	_, _ = c.call("POST", "/anomalies", `{"kind":"disk_filling"}`)
	status, _ = c.call("DELETE", "/anomalies", "")
	assert.Equal(t, 204, status)
	assert.Empty(t, c.world.Anomalies())
}

func TestControlToken(t *testing.T) {
	c := startControlled(t, "secret")
	status, _ := c.call("GET", "/scenario", "")
	assert.Equal(t, 200, status)
	status, body := c.call("PUT", "/scenario", `{"scenario":"degraded"}`, "Authorization", "Bearer wrong")
	assert.Equal(t, 401, status)
	assert.NotContains(t, body, "secret")
	assert.Equal(t, site.Normal, c.world.Scenario())
	basic := func(password string) int {
		req := &http.Request{Header: http.Header{}}
		req.SetBasicAuth("anybody", password)
		status, _ := c.call("GET", "/", "", "Authorization", req.Header.Get("Authorization"))
		return status
	}
	assert.Equal(t, 200, basic("secret"), "as browsers ask for it")
	assert.Equal(t, 401, basic("wrong"))
	assert.Equal(t, 401, basic(""))
	assert.Equal(t, 401, func() int { s, _ := c.call("GET", "/", "", "Authorization", ""); return s }())
}

// TestControlHost: a name that somebody else lets lead here is not answered.
func TestControlHost(t *testing.T) {
	c := startControlled(t, "")
	for host, want := range map[string]int{
		"localhost": 200, "localhost:23011": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]:23011": 200, "[::1]": 200,
		"evil.example:23011": 403, "192.0.2.1:23011": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/scenario", nil)
		require.NoError(t, err)
		req.Host = host
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, host)
	}
}

// TestControlOrigin: a page of somebody else in the same browser must not switch anything.
func TestControlOrigin(t *testing.T) {
	c := startControlled(t, "")
	status, _ := c.call("PUT", "/scenario", `{"scenario":"degraded"}`, "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, 403, status)
	status, _ = c.call("DELETE", "/anomalies", "", "Origin", "https://elsewhere.example")
	assert.Equal(t, 403, status)
	assert.Equal(t, site.Normal, c.world.Scenario())
}

func TestControlPage(t *testing.T) {
	c := startControlled(t, "")
	status, body := c.call("GET", "/", "")
	assert.Equal(t, 200, status)
	for _, want := range []string{"high_load", "nvlink_errors", "vllm-qwen3-32b", "Content-Type", `data-targets="0 1 2 3 4 5 6 7"`, site.HighLoad.About()} {
		assert.Contains(t, body, want)
	}
}

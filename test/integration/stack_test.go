//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStack checks the harness itself: what every other test here takes for granted.
func TestStack(t *testing.T) {
	prom := startPrometheus(t)
	loki := startLoki(t)

	sent := time.Now()
	pushLog(t, loki, sent)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		up := prom.Query(c, `up{job="prometheus"}`)
		require.Len(c, up, 1)
		assert.InDelta(c, 1, float64(up[0].Value), 0)
	}, 15*time.Second, 200*time.Millisecond)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		entries := loki.Query(c, `{service_name="harness"}`, time.Minute)
		require.Len(c, entries, 1)
		assert.Equal(c, "hello", entries[0].Line)
		assert.Equal(c, map[string]string{"service_name": "harness"}, entries[0].Labels)
		assert.Equal(c, "7", entries[0].StructuredMetadata["request_id"])
		assert.True(c, sent.Equal(entries[0].Time), entries[0].Time)
	}, 15*time.Second, 200*time.Millisecond)
}

// pushLog sends Loki one OTLP log record.
func pushLog(t *testing.T, loki *lokiServer, at time.Time) {
	t.Helper()
	resp, err := httpClient.Post(loki.URL+"/otlp/v1/logs", "application/json", strings.NewReader(fmt.Sprintf(`{
		"resourceLogs": [{
			"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "harness"}}]},
			"scopeLogs": [{"logRecords": [{
				"timeUnixNano": "%d",
				"body": {"stringValue": "hello"},
				"attributes": [{"key": "request.id", "value": {"stringValue": "7"}}]
			}]}]
		}]
	}`, at.UnixNano())))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

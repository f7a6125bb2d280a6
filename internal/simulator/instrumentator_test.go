package simulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestInstrumentatorMergesStatuses(t *testing.T) {
	v := NewVLLM(VLLMConfig{})
	v.ObserveHTTP("/v1/completions", "POST", "2xx", 3, 200*time.Millisecond)
	v.ObserveHTTP("/v1/completions", "POST", "4xx", 2, time.Millisecond)
	v.ObserveHTTP("/v1/models", "GET", "2xx", 1, time.Millisecond)
	v.ObserveHTTP("/v1/models", "GET", "2xx", 0, time.Millisecond)
	p := parse(t, v.Page())
	assert.InDelta(t, 2, p.value(t, `http_requests_total{handler="/v1/completions",method="POST",status="4xx"}`), 0)
	assert.InDelta(t, 5, p.value(t, `http_request_size_bytes_count{handler="/v1/completions"}`), 0)
	assert.InDelta(t, 2, p.value(t, `http_request_duration_seconds_bucket{handler="/v1/completions",le="0.1",method="POST"}`), 0)
	assert.InDelta(t, 5, p.value(t, `http_request_duration_seconds_count{handler="/v1/completions",method="POST"}`), 0)
	assert.InDelta(t, 6, p.value(t, `http_request_duration_highr_seconds_count`), 0)
	assert.Equal(t, "summary", p.types["http_response_size_bytes"])
}

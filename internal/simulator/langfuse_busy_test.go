package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLangfuseMonthOfABusyProject(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	start := lfAt(0, 0, 0).AddDate(0, -1, 0)
	for i := range 50_000 {
		l.Add(LangfuseObservation{
			Model: "m" + itoa(i%5), Start: start.Add(time.Duration(i) * 50 * time.Second), End: start.Add(time.Duration(i)*50*time.Second + time.Second),
			InputTokens: i % 100, TotalCost: lfUSD(0.001),
		})
	}
	truth := l.Totals(start, lfAt(12, 0, 0))
	assert.JSONEq(t, `[{"count_count":`+itoa(truth.Observations)+`,"sum_inputTokens":`+itoa(truth.Usage.InputTokens)+`}]`, lfQuery(t, l, "/v2/metrics",
		`{"view":"observations","fromTimestamp":"2026-02-10T00:00:00Z","metrics":[{"measure":"count","aggregation":"count"},{"measure":"inputTokens","aggregation":"sum"}]}`))
	assert.Equal(t, 49248, truth.Observations)
	daily := lfQuery(t, l, "/v2/metrics", `{"view":"observations","fromTimestamp":"2026-02-10T00:00:00Z","timeDimension":{"granularity":"auto"},"config":{"row_limit":1000},"dimensions":[{"field":"providedModelName"}],"metrics":[{"measure":"totalCost","aggregation":"sum"},{"measure":"latency","aggregation":"p95"}]}`)
	assert.Equal(t, 29*5, strings.Count(daily, `"p95_latency":1000`))
}

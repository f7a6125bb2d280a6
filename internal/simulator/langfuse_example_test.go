package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func ExampleNewLangfuse() {
	noon := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	langfuse := simulator.NewLangfuse(simulator.LangfuseConfig{
		Version:        "4.16.0",
		IngestionDelay: 30 * time.Second,
		Now:            func() time.Time { return noon },
	})
	cost := 0.002
	langfuse.Add(simulator.LangfuseObservation{
		Model: "qwen3-32b", Start: noon.Add(-time.Hour), End: noon.Add(-time.Hour + 2*time.Second),
		InputTokens: 900, OutputTokens: 100, TotalCost: &cost,
	})
	server := httptest.NewServer(langfuse.Handler())
	defer server.Close()

	query := url.Values{"query": {`{"view":"observations","dimensions":[{"field":"providedModelName"}],
		"metrics":[{"measure":"totalTokens","aggregation":"sum"},{"measure":"latency","aggregation":"p95"}],
		"fromTimestamp":"2026-03-10T10:00:00Z","toTimestamp":"2026-03-10T12:00:00Z"}`}}
	request, _ := http.NewRequest(http.MethodGet, server.URL+"/api/public/v2/metrics?"+query.Encode(), http.NoBody)
	request.SetBasicAuth("pk-lf-sim", "sk-lf-sim")
	answer, err := server.Client().Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(string(body))
	fmt.Println(langfuse.Totals(noon.Add(-2*time.Hour), noon).Usage.TotalTokens, langfuse.Requests())
	// Output:
	// {"data":[{"p95_latency":2000,"providedModelName":"qwen3-32b","sum_totalTokens":1000}]}
	// 1000 map[/v2/metrics:1]
}

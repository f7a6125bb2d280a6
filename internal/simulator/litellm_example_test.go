package simulator_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func ExampleNewLiteLLM() {
	noon := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	in, out := 3e-6, 1.5e-5
	proxy := simulator.NewLiteLLM(simulator.LiteLLMConfig{
		Version: simulator.LiteLLM1_88_0,
		Deployments: []simulator.LiteLLMDeployment{
			{Name: "chat", Model: "hosted_vllm/qwen3-32b", APIBase: "http://vllm:8000/v1", Mode: "chat", Unlisted: true},
			{Name: "claude", Model: "anthropic/claude-sonnet-4", Mode: "chat", InputPrice: &in, OutputPrice: &out},
		},
		Keys: []simulator.LiteLLMKey{{Key: "sk-few", User: "ann"}},
		Now:  func() time.Time { return noon },
	})
	proxy.Finish(simulator.LiteLLMRequest{
		Model: "chat", Key: simulator.LiteLLMHash("sk-few"), User: "ann",
		Attempts: []simulator.LiteLLMAttempt{{Deployment: 0, Status: 503, Class: "Hosted_vllm.ServiceUnavailableError", CooledDown: true}, {Deployment: 1}},
		Total:    3 * time.Second, Upstream: 2 * time.Second, FirstToken: 200 * time.Millisecond, Input: 1000, Output: 200,
	})
	server := httptest.NewServer(proxy.Handler())
	defer server.Close()

	request, _ := http.NewRequest(http.MethodGet, server.URL+"/metrics", http.NoBody)
	request.Header.Set("Authorization", "Bearer sk-few")
	answer, err := server.Client().Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), "{"); name == "litellm_spend_metric_total" || name == "litellm_deployment_cooled_down_total" {
			fmt.Println(name, value[strings.LastIndexByte(value, ' ')+1:])
		}
	}
	fmt.Println(proxy.Requests(), proxy.CostlyChecks())
	// Output:
	// litellm_spend_metric_total 0.006
	// litellm_deployment_cooled_down_total 1.0
	// map[/metrics:1 /metrics/:1] 0
}

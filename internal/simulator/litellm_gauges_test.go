package simulator

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestLiteLLMLimits: where there is none, budgets are infinite and remainders as large as an integer can be.
func TestLiteLLMLimits(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{})
	l.SetKeyLimits("sk-a", "a", "chat", -1, 7)
	l.SetBudget(LiteLLMBudget{Entity: "team", ID: "t", Alias: "team", Remaining: math.Inf(1), Max: math.Inf(1)})
	l.SetBudget(LiteLLMBudget{Entity: "api_key", ID: "hash", Remaining: -1, Max: 3, Reset: 90 * time.Minute})
	page := string(l.Page())
	assert.Regexp(t, `(?m)^litellm_remaining_api_key_requests_for_model\{.*\} 9.223372036854776e\+18$`, page)
	assert.Regexp(t, `(?m)^litellm_remaining_api_key_tokens_for_model\{.*\} 7.0$`, page)
	assert.Contains(t, page, `litellm_remaining_team_budget_metric{team="t",team_alias="team"} +Inf`)
	assert.NotContains(t, page, "litellm_team_budget_remaining_hours_metric{")
	assert.Contains(t, page, `litellm_remaining_api_key_budget_metric{api_key_alias="",hashed_api_key="hash"} -1.0`)
	assert.Contains(t, page, `litellm_api_key_budget_remaining_hours_metric{api_key_alias="",hashed_api_key="hash"} 1.5`)
}

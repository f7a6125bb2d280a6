package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPageWithoutStats(t *testing.T) {
	v := NewVLLM(VLLMConfig{DisableLogStats: true})
	v.Play(1, time.Hour, 3)
	page := string(v.Page())
	assert.NotContains(t, page, "vllm:")
	assert.Contains(t, page, "python_info")
	assert.Contains(t, page, "http_requests_total{")
}

func TestPageOfManyProcesses(t *testing.T) {
	v := NewVLLM(VLLMConfig{MultiProcess: true})
	v.Play(1, time.Hour, 3)
	page := string(v.Page())
	assert.NotContains(t, page, "_created")
	assert.NotContains(t, page, "python_")
	assert.NotContains(t, page, "process_")
	assert.Contains(t, page, "# HELP vllm:num_requests_running Multiprocess metric\n")
}

func TestPageOfRay(t *testing.T) {
	for naming, prefix := range map[RayNaming]string{RayColon: "ray_vllm:", RayUnderscore: "ray_vllm_"} {
		v := NewVLLM(VLLMConfig{Ray: naming})
		v.Play(1, time.Hour, 3)
		for line := range strings.Lines(string(v.Page())) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			assert.True(t, strings.HasPrefix(line, prefix), line)
			assert.Contains(t, line, `WorkerId="`)
			assert.NotContains(t, line, "_created")
		}
	}
}

func TestPageExtra(t *testing.T) {
	page := string(NewVLLM(VLLMConfig{Extra: "lmcache:hits_total 3.0\n"}).Page())
	assert.True(t, strings.HasSuffix(page, "lmcache:hits_total 3.0\n"))
}

func TestPageModelName(t *testing.T) {
	v := NewVLLM(VLLMConfig{Models: []VLLMModel{{ID: `/models/a "b"`}, {ID: "alias"}}})
	page := string(v.Page())
	assert.Contains(t, page, `model_name="/models/a \"b\""`)
	assert.NotContains(t, page, "alias")
}

package docker

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSelection(t *testing.T) {
	c := &Container{
		Name: "vllm-qwen", Image: Image{Ref: "vllm/vllm-openai:v0.11.0"}, Labels: map[string]string{"team": "a.b", "empty": ""},
		Env: map[string]string{"VLLM_LOGGING_LEVEL": "DEBUG"}, Command: []string{"vllm", "serve", "Qwen/Qwen3-8B"},
	}
	for _, tt := range []struct {
		name string
		of   Selection
		want bool
	}{
		{"nothing", Selection{}, false},
		{"name", Selection{Names: []string{"vllm-qwen"}}, true},
		{"part of a name", Selection{Names: []string{"vllm"}}, false},
		{"glob", Selection{Names: []string{"x", "vllm?q*"}}, true},
		{"expression", Selection{Names: []string{"/qw.n$/"}}, true},
		{"a slash is no expression", Selection{Names: []string{"/"}}, false},
		{"image", Selection{Images: []string{"*/vllm-openai:*"}}, true},
		{"label", Selection{Labels: []string{"team"}}, true},
		{"a dot is a dot", Selection{Labels: []string{"team=a.b"}}, true},
		{"other value", Selection{Labels: []string{"team=axb"}}, false},
		{"empty value", Selection{Labels: []string{"empty="}}, true},
		{"no empty value", Selection{Labels: []string{"team="}}, false},
		{"variable", Selection{Env: []string{"VLLM_*=DEBUG"}}, true},
		{"command", Selection{Commands: []string{"* serve Qwen/*"}}, true},
		{"other command", Selection{Commands: []string{"serve"}}, false},
		{"any of them", Selection{Names: []string{"x"}, Images: []string{"y"}, Env: []string{"VLLM_LOGGING_LEVEL"}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.of.Validate())
			selector, err := tt.of.Compile()
			require.NoError(t, err)
			assert.Equal(t, tt.want, selector.Match(c))
			assert.Equal(t, tt.name == "nothing", selector.Empty())
		})
	}
}

func TestBadSelection(t *testing.T) {
	for key, of := range map[string]Selection{
		"names":    {Names: []string{""}},
		"images":   {Images: []string{"/(/"}},
		"labels":   {Labels: []string{"=x"}},
		"env":      {Env: []string{"A=/[/"}},
		"commands": {Commands: []string{"a", "/*/"}},
	} {
		assert.ErrorContains(t, of.Validate(), `"`+key+`" must hold patterns such as vllm-* or /^vllm-[0-9]+$/, not "`)
	}
}

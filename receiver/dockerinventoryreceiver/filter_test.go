package dockerinventoryreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

func TestFilter(t *testing.T) {
	c := &docker.Container{
		Name: "vllm-qwen", Image: docker.Image{Ref: "registry:5000/vllm/vllm-openai:v0.11.0"},
		Labels: map[string]string{"com.docker.compose.project": "llm", "team": "a.b", "empty": ""},
	}
	tests := []struct {
		name             string
		include, exclude FilterConfig
		want             bool
	}{
		{"all", FilterConfig{}, FilterConfig{}, true},
		{"name", FilterConfig{Names: []string{"vllm-qwen"}}, FilterConfig{}, true},
		{"part of a name", FilterConfig{Names: []string{"vllm"}}, FilterConfig{}, false},
		{"glob", FilterConfig{Names: []string{"x", "vllm-*"}}, FilterConfig{}, true},
		{"one character", FilterConfig{Names: []string{"vllm?qwen"}}, FilterConfig{}, true},
		{"no character", FilterConfig{Names: []string{"vllm-qwen?"}}, FilterConfig{}, false},
		{"expression", FilterConfig{Names: []string{"/qw.n$/"}}, FilterConfig{}, true},
		{"a slash is no expression", FilterConfig{Names: []string{"/"}}, FilterConfig{}, false},
		{"image", FilterConfig{Images: []string{"*/vllm-openai:*"}}, FilterConfig{}, true},
		{"a dot is a dot", FilterConfig{Images: []string{"*:v0?11?0"}, Labels: []string{"team=a?b"}}, FilterConfig{Labels: []string{"team=axb"}}, true},
		{"another image", FilterConfig{Images: []string{"*/sglang:*"}}, FilterConfig{}, false},
		{"label", FilterConfig{Labels: []string{"team"}}, FilterConfig{}, true},
		{"label and value", FilterConfig{Labels: []string{"com.docker.compose.project=llm"}}, FilterConfig{}, true},
		{"label and other value", FilterConfig{Labels: []string{"com.docker.compose.project=web"}}, FilterConfig{}, false},
		{"label without a value", FilterConfig{Labels: []string{"empty="}}, FilterConfig{}, true},
		{"label with a value", FilterConfig{Labels: []string{"team="}}, FilterConfig{}, false},
		{"any of them", FilterConfig{Names: []string{"x"}, Images: []string{"y"}, Labels: []string{"team"}}, FilterConfig{}, true},
		{"none of them", FilterConfig{Names: []string{"x"}, Images: []string{"y"}, Labels: []string{"z"}}, FilterConfig{}, false},
		{"excluded", FilterConfig{}, FilterConfig{Names: []string{"vllm-*"}}, false},
		{"excluded although included", FilterConfig{Names: []string{"vllm-qwen"}}, FilterConfig{Labels: []string{"team"}}, false},
		{"another excluded", FilterConfig{}, FilterConfig{Images: []string{"redis:*"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := newFilter(&Config{Include: tt.include, Exclude: tt.exclude})
			require.NoError(t, err)
			assert.Equal(t, tt.want, f.wants(c))
		})
	}
}

func TestBadFilter(t *testing.T) {
	bad := FilterConfig{Names: []string{"/(/"}}
	_, err := newFilter(&Config{Include: bad})
	require.Error(t, err)
	_, err = newFilter(&Config{Exclude: bad})
	require.Error(t, err)
}

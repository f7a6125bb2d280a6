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
		include, exclude docker.Selection
		want             bool
	}{
		{"all", docker.Selection{}, docker.Selection{}, true},
		{"name", docker.Selection{Names: []string{"vllm-qwen"}}, docker.Selection{}, true},
		{"part of a name", docker.Selection{Names: []string{"vllm"}}, docker.Selection{}, false},
		{"glob", docker.Selection{Names: []string{"x", "vllm-*"}}, docker.Selection{}, true},
		{"one character", docker.Selection{Names: []string{"vllm?qwen"}}, docker.Selection{}, true},
		{"no character", docker.Selection{Names: []string{"vllm-qwen?"}}, docker.Selection{}, false},
		{"expression", docker.Selection{Names: []string{"/qw.n$/"}}, docker.Selection{}, true},
		{"a slash is no expression", docker.Selection{Names: []string{"/"}}, docker.Selection{}, false},
		{"image", docker.Selection{Images: []string{"*/vllm-openai:*"}}, docker.Selection{}, true},
		{"a dot is a dot", docker.Selection{Images: []string{"*:v0?11?0"}, Labels: []string{"team=a?b"}}, docker.Selection{Labels: []string{"team=axb"}}, true},
		{"another image", docker.Selection{Images: []string{"*/sglang:*"}}, docker.Selection{}, false},
		{"label", docker.Selection{Labels: []string{"team"}}, docker.Selection{}, true},
		{"label and value", docker.Selection{Labels: []string{"com.docker.compose.project=llm"}}, docker.Selection{}, true},
		{"label and other value", docker.Selection{Labels: []string{"com.docker.compose.project=web"}}, docker.Selection{}, false},
		{"label without a value", docker.Selection{Labels: []string{"empty="}}, docker.Selection{}, true},
		{"label with a value", docker.Selection{Labels: []string{"team="}}, docker.Selection{}, false},
		{"any of them", docker.Selection{Names: []string{"x"}, Images: []string{"y"}, Labels: []string{"team"}}, docker.Selection{}, true},
		{"none of them", docker.Selection{Names: []string{"x"}, Images: []string{"y"}, Labels: []string{"z"}}, docker.Selection{}, false},
		{"excluded", docker.Selection{}, docker.Selection{Names: []string{"vllm-*"}}, false},
		{"excluded although included", docker.Selection{Names: []string{"vllm-qwen"}}, docker.Selection{Labels: []string{"team"}}, false},
		{"another excluded", docker.Selection{}, docker.Selection{Images: []string{"redis:*"}}, true},
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
	bad := docker.Selection{Names: []string{"/(/"}}
	_, err := newFilter(&Config{Include: bad})
	require.Error(t, err)
	_, err = newFilter(&Config{Exclude: bad})
	require.Error(t, err)
}

package dockerattributesprocessor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// describe describes a container.
func describe(t *testing.T, c *docker.Container, change func(*Config)) *description {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Extract.Metadata, _ = metadataNames()
	if change != nil {
		change(cfg)
	}
	d, err := newDescriber(cfg)
	require.NoError(t, err)
	c.ID = vllmID
	return d.describe(c)
}

func TestDescription(t *testing.T) {
	digest := "sha256:" + strings.Repeat("d", 64)
	tests := []struct {
		name string
		c    docker.Container
		want map[string]any
	}{
		{name: "nothing known", want: map[string]any{}},
		{
			name: "tag and digest",
			c:    docker.Container{Name: "a", Image: docker.Image{Ref: "x", Name: "r/x", Tag: "1", Digest: digest, ID: "sha256:1"}},
			want: map[string]any{
				"container.name": "a", "container.image.name": "r/x", "container.image.tag": "1", "container.image.tags": []any{"1"},
				"container.image.id": "sha256:1", "container.image.repo_digests": []any{"r/x@" + digest},
			},
		},
		{
			name: "digest only",
			c:    docker.Container{Image: docker.Image{Name: "x", Digest: digest}},
			want: map[string]any{"container.image.name": "x", "container.image.repo_digests": []any{"x@" + digest}},
		},
		{
			name: "compose",
			c:    docker.Container{ComposeProject: "p", ComposeService: "s"},
			want: map[string]any{"docker.compose.project": "p", "docker.compose.service": "s"},
		},
		{
			name: "model",
			c:    docker.Container{Command: []string{"vllm", "serve", "Qwen/Qwen3-32B"}},
			want: map[string]any{"llm.model.id": "Qwen/Qwen3-32B", "gen_ai.request.model": "Qwen/Qwen3-32B"},
		},
		{
			name: "model that is not said",
			c:    docker.Container{Command: []string{"vllm", "serve", "--config", "/etc/vllm.yaml"}},
			want: map[string]any{},
		},
		{
			name: "labels win",
			c: docker.Container{
				Command: []string{"vllm", "serve", "Qwen/Qwen3-32B"},
				Labels:  map[string]string{"otelcol-llm.served-model-name": "chat"},
			},
			want: map[string]any{"llm.model.id": "Qwen/Qwen3-32B", "gen_ai.request.model": "chat"},
		},
		{
			name: "a server that we do not know",
			c:    docker.Container{Labels: map[string]string{"otelcol-llm.kind": "ollama", "otelcol-llm.model": "llama3:8b"}},
			want: map[string]any{"llm.model.id": "llama3:8b", "gen_ai.request.model": "llama3:8b"},
		},
		{
			name: "a server that we do not know, with names",
			c:    docker.Container{Labels: map[string]string{"otelcol-llm.kind": "tgi", "otelcol-llm.model": "m", "otelcol-llm.served-model-name": "a , b"}},
			want: map[string]any{"llm.model.id": "m", "gen_ai.request.model": "a"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := describe(t, &tt.c, nil).attributes.AsRaw()
			want := with(tt.want, "container.id", vllmID, "container.runtime", "docker")
			assert.Equal(t, want, got)
		})
	}
}

func TestLabels(t *testing.T) {
	labels := map[string]string{"team": "ml", "com.example.tier": "gold", "com.example.zone": "a", "empty": ""}
	tests := []struct {
		name  string
		rules []LabelConfig
		want  map[string]any
	}{
		{name: "none", want: map[string]any{}},
		{name: "key", rules: []LabelConfig{{Key: "team"}}, want: map[string]any{"container.label.team": "ml"}},
		{name: "empty", rules: []LabelConfig{{Key: "empty"}}, want: map[string]any{"container.label.empty": ""}},
		{name: "key that is not there", rules: []LabelConfig{{Key: "owner"}}, want: map[string]any{}},
		{name: "renamed", rules: []LabelConfig{{TagName: "owner", Key: "team"}}, want: map[string]any{"owner": "ml"}},
		{
			name: "pattern", rules: []LabelConfig{{KeyRegex: `com\.example\..*`}},
			want: map[string]any{"container.label.com.example.tier": "gold", "container.label.com.example.zone": "a"},
		},
		{
			name: "pattern with a group", rules: []LabelConfig{{TagName: "x.$1", KeyRegex: `com\.example\.(.*)`}},
			want: map[string]any{"x.tier": "gold", "x.zone": "a"},
		},
		{name: "pattern must match all", rules: []LabelConfig{{KeyRegex: `example`}}, want: map[string]any{}},
		{name: "group that is not there", rules: []LabelConfig{{TagName: "$2", KeyRegex: `(team)`}}, want: map[string]any{"container.label.team": "ml"}},
		{name: "same name: the last label in order", rules: []LabelConfig{{TagName: "x", KeyRegex: `com\.example\..*`}}, want: map[string]any{"x": "a"}},
		{name: "over metadata", rules: []LabelConfig{{TagName: "container.name", Key: "team"}}, want: map[string]any{"container.name": "ml"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := describe(t, &docker.Container{Labels: labels}, func(cfg *Config) {
				cfg.Extract = ExtractConfig{Labels: tt.rules}
			})
			assert.Equal(t, tt.want, d.attributes.AsRaw())
		})
	}
	t.Run("model", func(t *testing.T) {
		d := describe(t, &docker.Container{Labels: labels}, func(cfg *Config) {
			cfg.Extract = ExtractConfig{Labels: []LabelConfig{{TagName: requestModel, Key: "team"}}}
		})
		assert.True(t, d.hasModel)
	})
}

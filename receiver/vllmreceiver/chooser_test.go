package vllmreceiver

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

func TestChooser(t *testing.T) {
	const image = "vllm/vllm-openai:v0.11.0"
	server := docker.Container{Name: "chat", Image: docker.Image{Ref: image}, Command: []string{"vllm", "serve", "org/chat", "--port", "9000"}}
	other := docker.Container{
		Name: "llm-1", Image: docker.Image{Ref: "registry.example.com/llm/serve:3"}, Command: []string{"serve-llm", "--model", "org/own"},
		Env: map[string]string{"VLLM_USE_V1": "1", "CUDA_VISIBLE_DEVICES": ""}, Labels: map[string]string{"com.example.kind": "llm", "com.example.empty": ""},
	}
	labelled := func(c docker.Container, pairs ...string) docker.Container {
		labels := map[string]string{}
		maps.Copy(labels, c.Labels)
		for i := 0; i < len(pairs); i += 2 {
			labels[pairs[i]] = pairs[i+1]
		}
		c.Labels = labels
		return c
	}
	one := func(pattern string) []string { return []string{pattern} }
	tests := []struct {
		name             string
		c                docker.Container
		include, exclude docker.Selection
		want             bool
	}{
		{name: "a server", c: server, want: true},
		{name: "another program", c: other},
		{name: "a tool of the image", c: docker.Container{Image: docker.Image{Ref: image}, Command: one("bash")}},
		{name: "by label", c: labelled(other, "otelcol-llm.kind", "vllm"), want: true},
		{name: "of another kind by label", c: labelled(server, "otelcol-llm.kind", "sglang")},
		{name: "disabled", c: labelled(server, "otelcol-llm.enabled", "false")},
		{name: "disabled and included", c: labelled(other, "otelcol-llm.enabled", " 0 "), include: docker.Selection{Names: one("*")}},
		{name: "enabled", c: labelled(server, "otelcol-llm.enabled", "true"), want: true},
		{name: "enabled is not included", c: labelled(other, "otelcol-llm.enabled", "true")},
		{name: "nonsense in the label", c: labelled(server, "otelcol-llm.enabled", "maybe"), want: true},

		{name: "name", c: other, include: docker.Selection{Names: one("llm-?")}, want: true},
		{name: "whole name", c: other, include: docker.Selection{Names: one("llm")}},
		{name: "name by expression", c: other, include: docker.Selection{Names: one("/^llm-[0-9]$/")}, want: true},
		{name: "a slash is no expression", c: other, include: docker.Selection{Names: one("/")}},
		{name: "a dot is a dot", c: other, include: docker.Selection{Images: one("registry?example*"), Names: one("...-1")}, want: true},
		{name: "image", c: other, include: docker.Selection{Images: one("registry.example.com/llm/*")}, want: true},
		{name: "other image", c: other, include: docker.Selection{Images: one("registry.example.com/*:4")}},
		{name: "label", c: other, include: docker.Selection{Labels: one("com.example.kind")}, want: true},
		{name: "label and value", c: other, include: docker.Selection{Labels: one("com.example.*=l?m")}, want: true},
		{name: "label and other value", c: other, include: docker.Selection{Labels: one("com.example.kind=db")}},
		{name: "empty label", c: other, include: docker.Selection{Labels: one("com.example.empty=")}, want: true},
		{name: "label not empty", c: other, include: docker.Selection{Labels: one("com.example.kind=")}},
		{name: "env", c: other, include: docker.Selection{Env: one("VLLM_USE_V1=1")}, want: true},
		{name: "other env", c: other, include: docker.Selection{Env: one("VLLM_USE_V0")}},
		{name: "empty env", c: other, include: docker.Selection{Env: one("CUDA_*=")}, want: true},
		{name: "command", c: other, include: docker.Selection{Commands: one("serve-llm *org/own")}, want: true},
		{name: "command by expression", c: other, include: docker.Selection{Commands: one(`/^serve-\w+ /`)}, want: true},
		{name: "other command", c: other, include: docker.Selection{Commands: one("serve")}},
		{name: "second of a list", c: other, include: docker.Selection{Names: []string{"a", "llm-1"}}, want: true},
		{name: "include does not narrow", c: server, include: docker.Selection{Names: one("llm-*")}, want: true},

		{name: "excluded name", c: server, exclude: docker.Selection{Names: one("chat")}},
		{name: "excluded image", c: server, exclude: docker.Selection{Images: one("vllm/*")}},
		{name: "excluded command", c: server, exclude: docker.Selection{Commands: one("*--port 9000")}},
		{name: "excluded env", c: other, include: docker.Selection{Names: one("*")}, exclude: docker.Selection{Env: one("VLLM_USE_V1")}},
		{name: "excluded label", c: labelled(server, "stage", "dev"), exclude: docker.Selection{Labels: one("stage=dev")}},
		{name: "exclude wins", c: labelled(server, "otelcol-llm.enabled", "true"), include: docker.Selection{Names: one("*")}, exclude: docker.Selection{Names: one("*")}},
		{name: "exclude spares the rest", c: server, exclude: docker.Selection{Names: one("llm-*")}, want: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := newDefaultDocker()
			cfg.Include, cfg.Exclude = tt.include, tt.exclude
			ch, err := newChooser(&cfg)
			require.NoError(t, err)
			spec, ok := ch.choose(&tt.c)
			assert.Equal(t, tt.want, ok)
			if ok {
				assert.NotZero(t, spec.Port)
			}
		})
	}
	t.Run("port", func(t *testing.T) {
		cfg := newDefaultDocker()
		cfg.Include.Names = one("*")
		ch, err := newChooser(&cfg)
		require.NoError(t, err)
		for _, tt := range []struct {
			c    docker.Container
			want int
		}{
			{server, 9000},
			{labelled(server, "otelcol-llm.port", "9001"), 9001},
			{other, 8000},
			{labelled(other, "otelcol-llm.port", "9002"), 9002},
			{labelled(other, "otelcol-llm.port", "none"), 8000},
		} {
			spec, ok := ch.choose(&tt.c)
			require.True(t, ok)
			assert.Equal(t, tt.want, spec.Port)
		}
		assert.NotContains(t, other.Labels, "otelcol-llm.kind", "containers are shared")
	})
}

func TestBadPatterns(t *testing.T) {
	for _, change := range []func(*DockerConfig){
		func(cfg *DockerConfig) { cfg.Include.Names = []string{""} },
		func(cfg *DockerConfig) { cfg.Exclude.Names = []string{"/(/"} },
	} {
		cfg := newDefaultDocker()
		change(&cfg)
		_, err := newChooser(&cfg)
		assert.ErrorContains(t, err, `"names" must hold patterns`)
	}
}

package vllmreceiver

import (
	"maps"
	"strconv"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

// chooser finds the containers that run a vLLM server.
type chooser struct {
	include, exclude *docker.Selector
}

func newChooser(cfg *DockerConfig) (*chooser, error) {
	include, err := cfg.Include.Compile()
	if err != nil {
		return nil, err
	}
	exclude, err := cfg.Exclude.Compile()
	if err != nil {
		return nil, err
	}
	return &chooser{include: include, exclude: exclude}, nil
}

// choose returns what a container was told to serve, and false for one that is
// not to be read.
func (ch *chooser) choose(c *docker.Container) (llmserver.Spec, bool) {
	if enabled, err := strconv.ParseBool(strings.TrimSpace(c.Labels[llmserver.LabelPrefix+"enabled"])); err == nil && !enabled || ch.exclude.Match(c) {
		return llmserver.Spec{}, false
	}
	src := llmserver.Source{Labels: c.Labels, Env: c.Env, Command: c.Command, Image: c.Image.Ref}
	if spec, ok := llmserver.Detect(src); ok {
		return spec, true
	}
	if !ch.include.Match(c) {
		return llmserver.Spec{}, false
	}
	src.Labels = make(map[string]string, len(c.Labels)+1)
	maps.Copy(src.Labels, c.Labels)
	src.Labels[llmserver.LabelPrefix+"kind"] = llmserver.KindVLLM
	return llmserver.Detect(src)
}

package vllmreceiver

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

// chooser finds the containers that run a vLLM server.
type chooser struct {
	include, exclude *patterns
}

func newChooser(cfg *DockerConfig) (*chooser, error) {
	include, err := newPatterns(&cfg.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := newPatterns(&cfg.Exclude)
	if err != nil {
		return nil, err
	}
	return &chooser{include: include, exclude: exclude}, nil
}

// choose returns what a container was told to serve, and false for one that is
// not to be read.
func (ch *chooser) choose(c *docker.Container) (llmserver.Spec, bool) {
	if enabled, err := strconv.ParseBool(strings.TrimSpace(c.Labels[llmserver.LabelPrefix+"enabled"])); err == nil && !enabled || ch.exclude.match(c) {
		return llmserver.Spec{}, false
	}
	src := llmserver.Source{Labels: c.Labels, Env: c.Env, Command: c.Command, Image: c.Image.Ref}
	if spec, ok := llmserver.Detect(src); ok {
		return spec, true
	}
	if !ch.include.match(c) {
		return llmserver.Spec{}, false
	}
	src.Labels = make(map[string]string, len(c.Labels)+1)
	maps.Copy(src.Labels, c.Labels)
	src.Labels[llmserver.LabelPrefix+"kind"] = llmserver.KindVLLM
	return llmserver.Detect(src)
}

// patterns are a ContainersConfig ready for use.
type patterns struct {
	names, images, commands []*regexp.Regexp
	labels, env             []pairPattern
}

// pairPattern matches a key and, if there is one, its value.
type pairPattern struct {
	key, value *regexp.Regexp
}

func newPatterns(cfg *ContainersConfig) (*patterns, error) {
	var errs []error
	compile := func(key, pattern string) *regexp.Regexp {
		matcher, err := compilePattern(pattern)
		if err != nil {
			errs = append(errs, patternError(key, pattern, err))
		}
		return matcher
	}
	texts := func(key string, list []string) []*regexp.Regexp {
		var all []*regexp.Regexp
		for _, pattern := range list {
			all = append(all, compile(key, pattern))
		}
		return all
	}
	pairs := func(key string, list []string) []pairPattern {
		var all []pairPattern
		for _, pattern := range list {
			name, value, valued := strings.Cut(pattern, "=")
			pair := pairPattern{key: compile(key, name)}
			if valued && value == "" { // this is how to ask for an empty value
				pair.value = regexp.MustCompile(`^$`)
			} else if valued {
				pair.value = compile(key, value)
			}
			all = append(all, pair)
		}
		return all
	}
	p := &patterns{
		names:    texts("names", cfg.Names),
		images:   texts("images", cfg.Images),
		labels:   pairs("labels", cfg.Labels),
		env:      pairs("env", cfg.Env),
		commands: texts("commands", cfg.Commands),
	}
	return p, errors.Join(errs...)
}

var errPatternEmpty = errors.New("it is empty")

// compilePattern reads a glob, or a regular expression between slashes.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, errPatternEmpty
	}
	if len(pattern) > 1 && strings.HasPrefix(pattern, "/") && strings.HasSuffix(pattern, "/") {
		return regexp.Compile(pattern[1 : len(pattern)-1])
	}
	glob := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.Compile(`(?s)^` + glob + `$`)
}

func (p *patterns) match(c *docker.Container) bool {
	return matchText(p.names, c.Name) || matchText(p.images, c.Image.Ref) || matchPair(p.labels, c.Labels) || matchPair(p.env, c.Env) ||
		len(p.commands) > 0 && matchText(p.commands, strings.Join(c.Command, " "))
}

func matchText(matchers []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(matchers, func(m *regexp.Regexp) bool { return m.MatchString(text) })
}

func matchPair(matchers []pairPattern, pairs map[string]string) bool {
	return slices.ContainsFunc(matchers, func(m pairPattern) bool {
		for key, value := range pairs {
			if m.key.MatchString(key) && (m.value == nil || m.value.MatchString(value)) {
				return true
			}
		}
		return false
	})
}

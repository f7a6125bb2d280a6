package docker

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Selection chooses containers by patterns: one that any of them matches is
// chosen. A pattern is a glob of the whole text, in which * stands for anything
// and ? for one character, or a regular expression between slashes.
type Selection struct {
	// Names are patterns of the container's name, such as vllm-*.
	Names []string `mapstructure:"names"`
	// Images are patterns of the image as the container was created from it, such
	// as vllm/vllm-openai:*.
	Images []string `mapstructure:"images"`
	// Labels are patterns of a label's key, such as com.docker.compose.project, or
	// of key and value, such as com.docker.compose.project=llm-*.
	Labels []string `mapstructure:"labels"`
	// Env are patterns such as VLLM_CONFIGURE_LOGGING=1. Only variables that begin
	// with VLLM_, NVIDIA_ or CUDA_ are known.
	Env []string `mapstructure:"env"`
	// Commands are patterns of the entrypoint and its arguments, with a space
	// between each two.
	Commands []string `mapstructure:"commands"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate checks that every pattern can be used.
func (s *Selection) Validate() error {
	_, err := s.Compile()
	return err
}

// Selector is a Selection ready for use.
type Selector struct {
	names, images, commands []*regexp.Regexp
	labels, env             []pairPattern
}

// pairPattern matches a key and, if there is one, its value.
type pairPattern struct {
	key, value *regexp.Regexp
}

// Compile makes the patterns ready for use. The error names each that is none.
func (s *Selection) Compile() (*Selector, error) {
	var errs []error
	compile := func(key, pattern string) *regexp.Regexp {
		matcher, err := compilePattern(pattern)
		if err != nil {
			errs = append(errs, fmt.Errorf(`%q must hold patterns such as vllm-* or /^vllm-[0-9]+$/, not %q: %w`, key, pattern, err))
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
	selector := &Selector{
		names:    texts("names", s.Names),
		images:   texts("images", s.Images),
		labels:   pairs("labels", s.Labels),
		env:      pairs("env", s.Env),
		commands: texts("commands", s.Commands),
	}
	return selector, errors.Join(errs...)
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

// Empty says whether there are no patterns.
func (s *Selector) Empty() bool {
	return len(s.names)+len(s.images)+len(s.labels)+len(s.env)+len(s.commands) == 0
}

// Match says whether any pattern matches the container.
func (s *Selector) Match(c *Container) bool {
	return matchText(s.names, c.Name) || matchText(s.images, c.Image.Ref) || matchPair(s.labels, c.Labels) || matchPair(s.env, c.Env) ||
		len(s.commands) > 0 && matchText(s.commands, strings.Join(c.Command, " "))
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

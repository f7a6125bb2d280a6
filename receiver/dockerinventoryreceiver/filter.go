package dockerinventoryreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// filter chooses containers.
type filter struct {
	include, exclude *patterns
}

func newFilter(cfg *Config) (*filter, error) {
	include, err := newPatterns(&cfg.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := newPatterns(&cfg.Exclude)
	if err != nil {
		return nil, err
	}
	return &filter{include: include, exclude: exclude}, nil
}

func (f *filter) wants(c *docker.Container) bool {
	return (f.include.empty() || f.include.match(c)) && !f.exclude.match(c)
}

// patterns are a FilterConfig ready for use.
type patterns struct {
	names, images []*regexp.Regexp
	labels        []labelPattern
}

// labelPattern matches a label by its key and, if there is one, its value.
type labelPattern struct {
	key, value *regexp.Regexp
}

func newPatterns(cfg *FilterConfig) (*patterns, error) {
	var errs []error
	compile := func(key, pattern string) *regexp.Regexp {
		matcher, err := compilePattern(pattern)
		if err != nil {
			errs = append(errs, fmt.Errorf(`%q must hold patterns such as vllm-* or /^vllm-[0-9]+$/, not %q: %w`, key, pattern, err))
		}
		return matcher
	}
	p := &patterns{}
	for _, pattern := range cfg.Names {
		p.names = append(p.names, compile("names", pattern))
	}
	for _, pattern := range cfg.Images {
		p.images = append(p.images, compile("images", pattern))
	}
	for _, pattern := range cfg.Labels {
		key, value, valued := strings.Cut(pattern, "=")
		label := labelPattern{key: compile("labels", key)}
		if valued {
			// A label may be empty, and this is how to ask for it.
			label.value = regexp.MustCompile(`^$`)
			if value != "" {
				label.value = compile("labels", value)
			}
		}
		p.labels = append(p.labels, label)
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

func (p *patterns) empty() bool { return len(p.names)+len(p.images)+len(p.labels) == 0 }

func (p *patterns) match(c *docker.Container) bool {
	return matchAny(p.names, c.Name) || matchAny(p.images, c.Image.Ref) ||
		slices.ContainsFunc(p.labels, func(l labelPattern) bool { return l.match(c.Labels) })
}

func matchAny(matchers []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(matchers, func(m *regexp.Regexp) bool { return m.MatchString(text) })
}

func (l labelPattern) match(labels map[string]string) bool {
	for key, value := range labels {
		if l.key.MatchString(key) && (l.value == nil || l.value.MatchString(value)) {
			return true
		}
	}
	return false
}

package dockerinventoryreceiver

import "github.com/otelcol-llm/otelcol-llm/internal/docker"

// filter chooses containers.
type filter struct {
	include, exclude *docker.Selector
}

func newFilter(cfg *Config) (*filter, error) {
	include, err := cfg.Include.Compile()
	if err != nil {
		return nil, err
	}
	exclude, err := cfg.Exclude.Compile()
	if err != nil {
		return nil, err
	}
	return &filter{include: include, exclude: exclude}, nil
}

func (f *filter) wants(c *docker.Container) bool {
	return (f.include.Empty() || f.include.Match(c)) && !f.exclude.Match(c)
}

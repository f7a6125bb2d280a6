package main

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// shipped is the collector's configuration.
type shipped struct {
	paths string
	conf  *confmap.Conf
	// dropped are the resource attributes that it deletes.
	dropped []string
}

func load(ctx context.Context, paths []string) (*shipped, error) {
	var uris []string
	for _, path := range paths {
		uris = append(uris, "file:"+path)
	}
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              uris,
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	if err != nil {
		return nil, err
	}
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w; set -config to the collector's", err)
	}
	s := &shipped{paths: strings.Join(paths, ","), conf: conf}
	var names struct {
		Attributes []struct {
			Key    string `mapstructure:"key"`
			Action string `mapstructure:"action"`
		} `mapstructure:"attributes"`
	}
	sub, err := conf.Sub("processors::resource/names-not-ids")
	if err == nil {
		err = sub.Unmarshal(&names)
	}
	for _, a := range names.Attributes {
		if a.Action == "delete" {
			s.dropped = append(s.dropped, a.Key)
		}
	}
	return s, err
}

// settings reads the configuration of a component into cfg, with what differs here
// above it.
func (s *shipped) settings(cfg any, section, id string, above map[string]any) error {
	conf, err := s.conf.Sub(section + "::" + id)
	if err == nil {
		err = conf.Merge(confmap.NewFromStringMap(above))
	}
	if err == nil {
		err = conf.Unmarshal(cfg)
	}
	if err == nil {
		err = xconfmap.Validate(cfg)
	}
	if err != nil {
		return fmt.Errorf("%s: %s::%s: %w", s.paths, section, id, err)
	}
	return nil
}

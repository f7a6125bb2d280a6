package syntheticreceiver

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/receiver"
	"gopkg.in/yaml.v3"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerstatsreceiver"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver"
)

// innerReceiver is a real receiver that reads the site.
type innerReceiver struct {
	factory func(*player) receiver.Factory
	// settings say where the sources are; those of the user stand above them.
	settings func(*player) map[string]any
	// metrics and logs are what is taken of it.
	metrics, logs bool
}

// The limits of the receivers inside, unless the site is larger.
const (
	usualServers     = 200    // max_servers
	usualDeployments = 500    // max_models
	usualSeries      = 20_000 // max_series
	seriesEach       = 50     // of a deployment, on the page of the proxy
)

// settingsYAML are those that do not depend on the site: what the production
// configuration sets, too.
//
//go:embed inner.yaml
var settingsYAML []byte

// innerReceivers are all there are, in the order in which they start.
var innerReceivers = []innerReceiver{
	{
		factory: func(*player) receiver.Factory { return dockerstatsreceiver.NewFactory() }, metrics: true,
		settings: func(p *player) map[string]any { return map[string]any{"endpoint": p.servers.docker()} },
	},
	{
		factory: func(*player) receiver.Factory { return dockerinventoryreceiver.NewFactory() }, metrics: true, logs: true,
		settings: func(p *player) map[string]any {
			return map[string]any{"endpoint": p.servers.docker(), "proc_root": p.files.proc()}
		},
	},
	{
		factory: func(p *player) receiver.Factory {
			return nvmlreceiver.NewFactoryAt(p.now, func(string) nvml.Library { return p.world.NVML() })
		}, metrics: true, logs: true,
		settings: func(p *player) map[string]any {
			return map[string]any{"docker": map[string]any{"endpoint": p.servers.docker(), "proc_root": p.files.proc()}}
		},
	},
	{
		factory: func(p *player) receiver.Factory { return vllmreceiver.NewFactoryAt(p.now) }, metrics: true,
		settings: func(p *player) map[string]any {
			return map[string]any{"docker": map[string]any{
				"endpoint": p.servers.docker(), "address": "published", "max_servers": max(len(p.world.Models()), usualServers),
			}}
		},
	},
	{
		factory: func(p *player) receiver.Factory { return litellmreceiver.NewFactoryAt(p.now) }, metrics: true,
		settings: func(p *player) map[string]any {
			deployments := len(p.world.Models())
			return map[string]any{
				"endpoint": p.servers.url(p.world.Proxy().Container), "name": p.world.Proxy().Container, "api_key": site.ProxyKey,
				"max_models": max(deployments, usualDeployments), "max_series": max(seriesEach*deployments, usualSeries),
				"headers": map[string]any{"Accept-Encoding": "identity"}, // its page is large, and goes nowhere
			}
		},
	},
	{
		factory: func(p *player) receiver.Factory {
			if p.replay != nil {
				return langfusereceiver.NewFactoryAt(p.now)
			}
			return langfusereceiver.NewFactory()
		}, metrics: true,
		settings: func(p *player) map[string]any {
			return map[string]any{
				"endpoint": p.servers.url(p.world.Analytics().Container), "public_key": site.LangfusePublicKey, "secret_key": site.LangfuseSecretKey,
			}
		},
	},
	{
		factory: func(*player) receiver.Factory { return filelogreceiver.NewFactory() }, logs: true,
		settings: func(p *player) map[string]any { return map[string]any{"include": []any{p.files.logs()}} },
	},
}

func (i *innerReceiver) name() string { return i.factory(new(player)).Type().String() }

// now is the time of the receivers inside.
func (p *player) now() time.Time {
	if p.replay != nil {
		return p.world.Now()
	}
	return time.Now()
}

// startInner makes and starts the receivers.
func (p *player) startInner(ctx context.Context, host component.Host) error {
	var fixed map[string]map[string]any
	if err := yaml.Unmarshal(settingsYAML, &fixed); err != nil {
		return err
	}
	for i := range innerReceivers {
		inner := &innerReceivers[i]
		factory := inner.factory(p)
		name := factory.Type().String()
		own := maps.Clone(p.cfg.Receivers[name])
		if enabled, ok := own["enabled"].(bool); ok && !enabled {
			continue
		}
		delete(own, "enabled")
		cfg, err := settle(factory, fixed[name], inner.settings(p), own, p.replay.settings(name))
		if err == nil {
			err = p.startOne(ctx, host, inner, factory, cfg)
		}
		if err != nil {
			return fmt.Errorf(`"receivers::%s": %w`, name, err)
		}
	}
	return nil
}

// settle makes the configuration of a receiver, the later settings above the
// earlier ones.
func settle(factory receiver.Factory, settings ...map[string]any) (component.Config, error) {
	conf := confmap.New()
	for _, s := range settings {
		if err := conf.Merge(confmap.NewFromStringMap(s)); err != nil {
			return nil, err
		}
	}
	cfg := factory.CreateDefaultConfig()
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, xconfmap.Validate(cfg)
}

func (p *player) startOne(ctx context.Context, host component.Host, inner *innerReceiver, factory receiver.Factory, cfg component.Config) error {
	set := p.set
	set.ID = component.NewIDWithName(factory.Type(), set.ID.Name())
	set.Logger = set.Logger.Named(factory.Type().String())
	var made []component.Component
	if inner.metrics && p.metrics != nil {
		next := p.metrics
		if p.replay != nil {
			var err error
			if next, err = p.replay.join(p, factory.Type().String(), cfg); err != nil {
				return err
			}
		}
		r, err := factory.CreateMetrics(ctx, set, cfg, next)
		if err != nil {
			return err
		}
		made = append(made, r)
	}
	if inner.logs && p.logs != nil {
		r, err := factory.CreateLogs(ctx, set, cfg, p.logs)
		if err != nil {
			return err
		}
		made = append(made, r)
	}
	for _, r := range made {
		if err := r.Start(ctx, host); err != nil {
			return err
		}
		p.inner = append(p.inner, r)
	}
	return nil
}

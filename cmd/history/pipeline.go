package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor"
)

// pipeline is what the shipped configuration does with metrics between receivers and
// Prometheus: its docker_attributes, model_catalog and prometheus, with its settings.
type pipeline struct {
	host string
	// docker is where the engine of a demo is, whatever it is here.
	docker  string
	dropped []string
	now     time.Time

	parts   []component.Component
	started bool
	entry   consumer.Metrics // docker_attributes
	catalog consumer.Metrics
	export  consumer.Metrics
	page    string
	client  *http.Client
	// expiration is how long a series stays on the page after its last point.
	expiration time.Duration
}

func newPipeline(ctx context.Context, o *options, shipped *shipped, docker string, set component.TelemetrySettings) (*pipeline, error) {
	address, err := free()
	if err != nil {
		return nil, err
	}
	p := &pipeline{host: o.host, dropped: shipped.dropped, page: "http://" + address + "/metrics", client: &http.Client{}}

	exporters := prometheusexporter.NewFactory()
	exporting := exporters.CreateDefaultConfig().(*prometheusexporter.Config)
	if err := shipped.settings(exporting, "exporters", "prometheus", map[string]any{"endpoint": address, "send_timestamps": true}); err != nil {
		return nil, err
	}
	// The page keeps all; what is old is left out by the clock of the site.
	p.expiration, exporting.MetricExpiration = exporting.MetricExpiration, 1000*time.Hour
	to, err := exporters.CreateMetrics(ctx, exporter.Settings{ID: component.NewID(exporters.Type()), TelemetrySettings: set}, exporting)
	if err != nil {
		return nil, err
	}
	p.export = to

	catalogs := modelcatalogconnector.NewFactoryAt(func() time.Time { return p.now })
	cataloging := catalogs.CreateDefaultConfig()
	if err := shipped.settings(cataloging, "connectors", "model_catalog", map[string]any{"interval": o.step.String()}); err != nil {
		return nil, err
	}
	unscoped, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		p.identify(md)
		return to.ConsumeMetrics(ctx, md)
	})
	if err != nil {
		return nil, err
	}
	catalog, err := catalogs.CreateMetricsToMetrics(ctx, connector.Settings{ID: component.NewID(catalogs.Type()), TelemetrySettings: set}, cataloging, unscoped)
	if err != nil {
		return nil, err
	}
	p.catalog = catalog

	processors := dockerattributesprocessor.NewFactory()
	processing := processors.CreateDefaultConfig()
	if err := shipped.settings(processing, "processors", "docker_attributes", map[string]any{
		"docker": map[string]any{"endpoint": docker}, "wait_for_metadata": true,
	}); err != nil {
		return nil, err
	}
	behind, err := consumer.NewMetrics(p.distribute, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
	if err != nil {
		return nil, err
	}
	attributes, err := processors.CreateMetrics(ctx, processor.Settings{ID: component.NewID(processors.Type()), TelemetrySettings: set}, processing, behind)
	if err != nil {
		return nil, err
	}
	p.entry = attributes
	p.parts = []component.Component{to, catalog, attributes}
	return p, nil
}

// pass lets the metrics of a step through, and returns the page that Prometheus would
// read then.
func (p *pipeline) pass(ctx context.Context, now time.Time, md pmetric.Metrics) ([]byte, error) {
	p.now = now
	if !p.started { // not before there is an engine to ask
		p.started = true
		for _, part := range p.parts {
			if err := part.Start(ctx, componenttest.NewNopHost()); err != nil {
				return nil, err
			}
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		if _, set := rm.Resource().Attributes().Get("host.name"); !set {
			rm.Resource().Attributes().PutStr("host.name", p.host)
		}
	}
	if err := p.entry.ConsumeMetrics(ctx, md); err != nil {
		return nil, err
	}
	return p.read(ctx)
}

// distribute is behind docker_attributes.
func (p *pipeline) distribute(ctx context.Context, md pmetric.Metrics) error {
	p.identify(md)
	if err := p.export.ConsumeMetrics(ctx, md); err != nil {
		return err
	}
	return p.catalog.ConsumeMetrics(ctx, md)
}

// identify does what the small processors of the configuration do: names instead of
// ids, no scopes, and the name of the host. The engine is where it is in a demo.
func (p *pipeline) identify(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes()
		for _, key := range p.dropped {
			attributes.Remove(key)
		}
		if _, set := attributes.Get("host.name"); !set {
			attributes.PutStr("host.name", p.host)
		}
		if _, set := attributes.Get("docker.endpoint"); set {
			attributes.PutStr("docker.endpoint", p.docker)
		}
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Scope().SetName("")
			sm.Scope().SetVersion("")
		}
	}
}

func (p *pipeline) read(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.page, http.NoBody) // #nosec G704 -- of our own exporter
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := p.client.Do(req) // #nosec G704 -- of our own exporter
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the page of the exporter answered %s", resp.Status)
	}
	return io.ReadAll(resp.Body)
}

func (p *pipeline) shutdown(ctx context.Context) error {
	var errs []error
	if p.started {
		for _, part := range p.parts {
			errs = append(errs, part.Shutdown(ctx))
		}
	}
	p.client.CloseIdleConnections()
	return firstOf(errs...)
}

// free is an address that nobody listens on.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

package litellmreceiver

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

// recordTold records what the API told, now or before the proxy died.
func recordTold(mb *builder, t *told, now pcommon.Timestamp) {
	if t.version != "" {
		mb.RecordLitellmInfoDataPoint(now, 1, metadata.WithServiceVersionMetricAttribute(t.version))
	}
	recordReadiness(mb, t, now)
	recordDeployments(mb, t, now)
	recordChecks(mb, t, now)
	if t.activity != nil {
		recordActivity(mb, t.activity, now)
	}
}

func recordReadiness(mb *builder, t *told, now pcommon.Timestamp) {
	if t.ready != nil {
		mb.RecordLitellmProxyReadyDataPoint(now, number01(*t.ready))
	}
	if connected, known := t.readiness.database(); known {
		mb.RecordLitellmProxyDatabaseConnectedDataPoint(now, number01(connected))
	}
	if c := t.readiness.Cache; c.kind != "" {
		mb.RecordLitellmProxyCacheConnectedDataPoint(now, number01(!c.broken), metadata.WithLitellmCacheTypeMetricAttribute(c.kind))
	}
}

// recordDeployments records the deployments, or the bare names of models where the
// key may not see more.
func recordDeployments(mb *builder, t *told, now pcommon.Timestamp) {
	refused := 0
	if t.models != nil {
		mb.RecordLitellmModelsDataPoint(now, int64(len(t.models.names)+t.models.refused))
		refused = t.models.refused
	}
	if t.deployments == nil {
		if t.models != nil {
			for _, name := range t.models.names {
				mb.RecordLitellmDeploymentInfoDataPoint(now, 1, metadata.WithGenAiRequestModelMetricAttribute(name))
			}
		}
	} else {
		refused = max(refused, t.deployments.refused)
		for i := range t.deployments.list {
			recordDeployment(mb, &t.deployments.list[i], now)
		}
	}
	if t.models != nil || t.deployments != nil {
		mb.RecordLitellmScrapeRefusedModelsDataPoint(now, int64(refused))
	}
}

func recordDeployment(mb *builder, d *deployment, now pcommon.Timestamp) {
	identity := attributes{attrRequestModel: d.name, attrDeploymentID: d.id}
	info := identity
	info[attrResponseModel] = d.served
	info[attrProvider], info[attrRawProvider] = providerName(d.provider)
	options := info.options()
	for _, fact := range []struct {
		value string
		with  func(string) option
	}{
		{d.operation, metadata.WithGenAiOperationNameMetricAttribute},
		{d.address, metadata.WithLitellmDeploymentAddressMetricAttribute},
		{d.key, metadata.WithLlmModelIDMetricAttribute},
		{d.capabilities, metadata.WithLlmModelCapabilitiesMetricAttribute},
	} {
		if fact.value != "" {
			options = append(options, fact.with(fact.value))
		}
	}
	mb.RecordLitellmDeploymentInfoDataPoint(now, 1, options...)
	if d.context > 0 {
		mb.RecordLitellmDeploymentContextLengthDataPoint(now, d.context, identity.options()...)
	}
	for _, p := range d.prices {
		identity[attrTokenType] = p.of
		mb.RecordLitellmDeploymentPriceDataPoint(now, p.value, identity.options()...)
	}
}

// recordChecks records the health of deployments: bad if one of several that cannot
// be told apart is.
func recordChecks(mb *builder, t *told, now pcommon.Timestamp) {
	type subject struct {
		attributes
		address string
	}
	var order []subject
	healthy := make(map[subject]bool)
	for i := range t.checks {
		c := &t.checks[i]
		if c.Status != statusHealthy && c.Status != statusUnhealthy {
			continue
		}
		s := subject{attributes{attrDeploymentID: string(c.ID), attrRequestModel: string(c.Name), attrResponseModel: c.served}, c.address}
		if known := t.deployments.find(c); known != nil {
			s = subject{attributes{attrDeploymentID: known.id, attrRequestModel: known.name, attrResponseModel: known.served}, known.address}
		}
		if s == (subject{}) {
			continue
		}
		before, again := healthy[s]
		if !again {
			order = append(order, s)
		}
		healthy[s] = c.Status == statusHealthy && (!again || before)
	}
	for _, s := range order {
		options := s.options()
		if s.address != "" {
			options = append(options, metadata.WithLitellmDeploymentAddressMetricAttribute(s.address))
		}
		mb.RecordLitellmDeploymentHealthyDataPoint(now, number01(healthy[s]), options...)
	}
}

// find returns the deployment that a check is of, nil if it cannot be told.
func (d *deployments) find(c *check) *deployment {
	if d == nil {
		return nil
	}
	if known := d.of(string(c.ID)); known != nil {
		return known
	}
	var found *deployment
	for i := range d.list {
		one := &d.list[i]
		if c.ID != "" || one.served != c.served || c.served == "" || one.address != c.address {
			continue
		}
		if found != nil {
			return nil // which of them?
		}
		found = one
	}
	return found
}

func recordActivity(mb *builder, a *activity, now pcommon.Timestamp) {
	for i := range a.models {
		u := &a.models[i]
		of := attributes{attrResponseModel: u.model}
		if a.public {
			of = attributes{attrRequestModel: u.model}
		}
		if u.Spend.float64 != nil {
			mb.RecordLitellmDailySpendDataPoint(now, *u.Spend.float64, of.options()...)
		}
		for _, n := range []struct {
			amount
			as     attribute
			value  string
			record func(*builder, pcommon.Timestamp, int64, ...option)
		}{
			{u.Input, attrTokenType, tokenInput, (*builder).RecordLitellmDailyTokensDataPoint},
			{u.Output, attrTokenType, tokenOutput, (*builder).RecordLitellmDailyTokensDataPoint},
			{u.CacheRead, attrTokenType, tokenCacheRead, (*builder).RecordLitellmDailyTokensDataPoint},
			{u.CacheCreation, attrTokenType, tokenCacheCreation, (*builder).RecordLitellmDailyTokensDataPoint},
			{u.Successful, attrOutcome, outcomeSuccessful, (*builder).RecordLitellmDailyRequestsDataPoint},
			{u.Failed, attrOutcome, outcomeFailed, (*builder).RecordLitellmDailyRequestsDataPoint},
		} {
			if n.float64 == nil || *n.float64 < 0 || *n.float64 >= math.MaxInt64 {
				continue
			}
			counted := of
			counted[n.as] = n.value
			n.record(mb, now, int64(*n.float64), counted.options()...)
		}
	}
}

package nvmlreceiver

import (
	"strconv"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// fieldValues are the answers to the one call that reads many values.
type fieldValues struct {
	links  []bool
	values map[nvml.Field]nvml.Number
}

func (f fieldValues) of(id nvml.FieldID) (nvml.Number, bool) {
	return f.ofLink(id, 0)
}

func (f fieldValues) ofLink(id nvml.FieldID, link uint32) (nvml.Number, bool) {
	v, ok := f.values[nvml.Field{ID: id, Scope: link}]
	return v, ok
}

// readFields reads all fields that anyone wants and this GPU has, in one call.
func (r *reader) readFields() fieldValues {
	f := fieldValues{links: r.nvlinks(), values: make(map[nvml.Field]nvml.Number)}
	var requests []nvml.Field
	for _, request := range r.wantedFields(f.links) {
		if !r.unsupported[fieldCall(request)] {
			requests = append(requests, request)
		}
	}
	if len(requests) == 0 {
		return f
	}
	values, _ := ask(r, "Fields", func() ([]nvml.FieldValue, error) { return r.device.Fields(requests) })
	for _, v := range values {
		if r.note(fieldCall(v.Field), v.Err) {
			f.values[v.Field] = v.Number
		}
	}
	return f
}

func fieldCall(f nvml.Field) string {
	if f.Scope == 0 {
		return "field " + strconv.Itoa(int(f.ID))
	}
	return "field " + strconv.Itoa(int(f.ID)) + " of " + strconv.FormatUint(uint64(f.Scope), 10)
}

// wantedFields are those that some metric, the status or an event needs.
func (r *reader) wantedFields(links []bool) []nvml.Field {
	wanted := []nvml.Field{
		{ID: nvml.FieldRecoveryAction},
		{ID: nvml.FieldRemappedCorrected},
		{ID: nvml.FieldRemappedUncorrected},
		{ID: nvml.FieldRemapPending},
		{ID: nvml.FieldRemapFailure},
	}
	add := func(on bool, ids ...nvml.FieldID) {
		if on {
			for _, id := range ids {
				wanted = append(wanted, nvml.Field{ID: id})
			}
		}
	}
	add(r.cfg.HwTemperature.Enabled, nvml.FieldMemoryTemperature)
	add(r.cfg.HwTemperatureLimit.Enabled, nvml.FieldSlowdownMargin, nvml.FieldShutdownMargin)
	add(r.cfg.HwPower.Enabled, nvml.FieldPowerInstant)
	add(r.cfg.HwGpuIo.Enabled, nvml.FieldPCIeTransmittedBytes, nvml.FieldPCIeReceivedBytes)
	add(r.cfg.HwGpuPcieReplays.Enabled, nvml.FieldPCIeReplays)
	for _, e := range pcieErrors {
		add(r.cfg.HwGpuPcieErrors.Enabled, e.field)
	}
	for _, io := range nvlinkIO {
		if r.cfg.HwGpuNvlinkIo.Enabled {
			wanted = append(wanted, nvml.Field{ID: io.field, Scope: nvml.ScopeAllLinks})
		}
		for link := range links {
			if r.cfg.HwGpuNvlinkLinkIo.Enabled {
				wanted = append(wanted, nvml.Field{ID: io.field, Scope: uint32(link)})
			}
		}
	}
	for _, e := range nvlinkErrors {
		for link := range links {
			if r.cfg.HwGpuNvlinkErrors.Enabled || r.cfg.HwGpuNvlinkLinkErrors.Enabled {
				wanted = append(wanted, nvml.Field{ID: e.field, Scope: uint32(link)})
			}
		}
	}
	return wanted
}

package nvmlreceiver

import (
	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

var eccKinds = []struct {
	kind      nvml.ECCKind
	errorType string
}{
	{nvml.ECCCorrected, "corrected"},
	{nvml.ECCUncorrected, "uncorrected"},
}

var eccLocations = []struct {
	location  nvml.MemoryLocation
	attribute metadata.AttributeHwGpuEccLocation
}{
	{nvml.MemorySRAM, metadata.AttributeHwGpuEccLocationSram},
	{nvml.MemoryDRAM, metadata.AttributeHwGpuEccLocationDram},
}

func (r *reader) recordErrors(fields fieldValues) {
	r.recordECC()
	r.recordRemapping(fields)
	// The status of the GPU rests on these, whether or not the metrics are on.
	if ecc, ok := ask(r, "SRAMECC", r.device.SRAMECC); ok {
		r.health.worn = ecc.ThresholdExceeded
		r.mb.RecordHwGpuEccSramThresholdExceededDataPoint(r.now, boolean(ecc.ThresholdExceeded))
	}
	if v, ok := fields.of(nvml.FieldRecoveryAction); ok {
		action := v.Uint64()
		for number, attribute := range recoveryActions {
			r.mb.RecordHwGpuRecoveryActionDataPoint(r.now, boolean(uint64(number) == action), attribute)
		}
		if action < uint64(len(recoveryActions)) {
			r.health.action = recoveryActions[action]
		}
	}
	if r.cfg.HwGpuFabricState.Enabled {
		if fabric, ok := ask(r, "Fabric", r.device.Fabric); ok {
			for state, attribute := range fabricStates {
				r.mb.RecordHwGpuFabricStateDataPoint(r.now, boolean(int(fabric.State) == state), attribute)
			}
		}
	}
}

// fabricStates are by the number of [nvml.FabricState].
var fabricStates = []metadata.AttributeHwGpuFabricState{
	metadata.AttributeHwGpuFabricStateNotSupported,
	metadata.AttributeHwGpuFabricStateNotStarted,
	metadata.AttributeHwGpuFabricStateInProgress,
	metadata.AttributeHwGpuFabricStateCompleted,
}

func (r *reader) recordECC() {
	for _, kind := range eccKinds {
		for _, where := range eccLocations {
			call := kind.errorType + " " + where.attribute.String()
			if r.cfg.HwErrors.Enabled {
				if n, ok := ask(r, "ECC volatile "+call, func() (uint64, error) {
					return r.device.MemoryErrors(kind.kind, nvml.ECCVolatile, where.location)
				}); ok {
					r.mb.RecordHwErrorsDataPoint(r.now, asInt64(n), kind.errorType, where.attribute)
				}
			}
			if r.cfg.HwGpuEccErrorsLifetime.Enabled {
				if n, ok := ask(r, "ECC aggregate "+call, func() (uint64, error) {
					return r.device.MemoryErrors(kind.kind, nvml.ECCAggregate, where.location)
				}); ok {
					r.mb.RecordHwGpuEccErrorsLifetimeDataPoint(r.now, asInt64(n), kind.errorType, where.attribute)
				}
			}
		}
	}
}

func (r *reader) recordRemapping(fields fieldValues) {
	corrected, hasCorrected := fields.of(nvml.FieldRemappedCorrected)
	uncorrected, hasUncorrected := fields.of(nvml.FieldRemappedUncorrected)
	pending, hasPending := fields.of(nvml.FieldRemapPending)
	failed, hasFailed := fields.of(nvml.FieldRemapFailure)
	if hasCorrected && hasUncorrected && hasPending && hasFailed {
		r.recordRemapped(nvml.RemappedRows{
			Corrected: int(corrected.Int64()), Uncorrected: int(uncorrected.Int64()),
			Pending: pending.Uint64() != 0, Failed: failed.Uint64() != 0,
		})
	} else if rows, ok := ask(r, "RemappedRows", r.device.RemappedRows); ok {
		r.recordRemapped(rows)
	}
	if r.cfg.HwGpuRemapBanks.Enabled {
		if banks, ok := ask(r, "RowRemapHistogram", r.device.RowRemapHistogram); ok {
			for _, b := range []struct {
				banks     int
				attribute metadata.AttributeHwGpuRemapAvailability
			}{
				{banks.Max, metadata.AttributeHwGpuRemapAvailabilityMax},
				{banks.High, metadata.AttributeHwGpuRemapAvailabilityHigh},
				{banks.Partial, metadata.AttributeHwGpuRemapAvailabilityPartial},
				{banks.Low, metadata.AttributeHwGpuRemapAvailabilityLow},
				{banks.None, metadata.AttributeHwGpuRemapAvailabilityNone},
			} {
				r.mb.RecordHwGpuRemapBanksDataPoint(r.now, int64(b.banks), b.attribute)
			}
		}
	}
}

func (r *reader) recordRemapped(rows nvml.RemappedRows) {
	r.health.remapPending, r.health.remapFailed = rows.Pending, rows.Failed
	r.mb.RecordHwGpuRemappedRowsDataPoint(r.now, int64(rows.Corrected), metadata.AttributeHwGpuRemapCauseCorrected)
	r.mb.RecordHwGpuRemappedRowsDataPoint(r.now, int64(rows.Uncorrected), metadata.AttributeHwGpuRemapCauseUncorrected)
	r.mb.RecordHwGpuRemappedRowsPendingDataPoint(r.now, boolean(rows.Pending))
	r.mb.RecordHwGpuRemappedRowsFailedDataPoint(r.now, boolean(rows.Failed))
}

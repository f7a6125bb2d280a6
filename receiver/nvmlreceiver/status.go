package nvmlreceiver

import (
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

type (
	gpuState       = metadata.AttributeHwState
	recoveryAction = metadata.AttributeHwGpuRecoveryAction
)

const (
	stateOK       = metadata.AttributeHwStateOk
	stateDegraded = metadata.AttributeHwStateDegraded
	statePredicts = metadata.AttributeHwStatePredictedFailure
	stateFailed   = metadata.AttributeHwStateFailed
)

var gpuStates = []gpuState{stateOK, stateDegraded, statePredicts, stateFailed}

// recoveryActions are by the number of the driver.
var recoveryActions = []recoveryAction{
	metadata.AttributeHwGpuRecoveryActionNone,
	metadata.AttributeHwGpuRecoveryActionGpuReset,
	metadata.AttributeHwGpuRecoveryActionNodeReboot,
	metadata.AttributeHwGpuRecoveryActionDrainP2p,
	metadata.AttributeHwGpuRecoveryActionDrainAndReset,
	metadata.AttributeHwGpuRecoveryActionImexRecovery,
	metadata.AttributeHwGpuRecoveryActionBusReset,
	metadata.AttributeHwGpuRecoveryActionSystemReboot,
}

const (
	actionNone     = metadata.AttributeHwGpuRecoveryActionNone
	actionDrainP2P = metadata.AttributeHwGpuRecoveryActionDrainP2p
)

// health is what the driver says of a GPU; what it does not tell is zero.
type health struct {
	action recoveryAction
	// remapPending and remapFailed are about rows of memory, worn says that the
	// SRAM had more errors than it should in a life.
	remapPending, remapFailed, worn bool
	// fatal says that there was a fatal XID error of late.
	fatal bool
}

// state sums the health up. A GPU that cannot be read is failed, without asking
// here.
func (h health) state() gpuState {
	switch {
	case h.remapFailed, h.action != 0 && h.action != actionNone && h.action != actionDrainP2P:
		return stateFailed
	case h.worn:
		return statePredicts
	case h.remapPending, h.fatal, h.action == actionDrainP2P:
		return stateDegraded
	default:
		return stateOK
	}
}

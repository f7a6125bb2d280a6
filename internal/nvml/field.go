package nvml

import (
	"math"
	"time"
)

// FieldID is the number of a field value.
type FieldID uint32

// The fields in use. Units are those of NVML. Numbers above MaxFieldID have moved
// from driver to driver and are not asked for.
const (
	FieldPolicyPower          FieldID = 74 // ns by its sibling GetViolationStatus
	FieldPolicyThermal        FieldID = 75
	FieldPolicySyncBoost      FieldID = 76
	FieldPolicyBoardLimit     FieldID = 77
	FieldPolicyLowUtilization FieldID = 78
	FieldPolicyReliability    FieldID = 79
	FieldMemoryTemperature    FieldID = 82 // degrees Celsius
	FieldTotalEnergy          FieldID = 83 // mJ
	FieldPCIeReplays          FieldID = 94
	FieldPCIeReplayRollovers  FieldID = 95
	FieldNVLinkDataTransmit   FieldID = 138 // KiB; scope is the link, or all
	FieldNVLinkDataReceive    FieldID = 139
	FieldNVLinkRawTransmit    FieldID = 140
	FieldNVLinkRawReceive     FieldID = 141
	FieldRemappedCorrected    FieldID = 142
	FieldRemappedUncorrected  FieldID = 143
	FieldRemapPending         FieldID = 144 // 0 or 1
	FieldRemapFailure         FieldID = 145 // 0 or 1
	FieldNVLinkReplays        FieldID = 161 // scope is the link
	FieldNVLinkRecoveries     FieldID = 162 // scope is the link
	FieldNVLinkCRCErrors      FieldID = 163 // scope is the link
	FieldPCIeCorrectable      FieldID = 173
	FieldPCIeNAKsReceived     FieldID = 174
	FieldPCIeReceiverErrors   FieldID = 175
	FieldPCIeBadTLP           FieldID = 176
	FieldPCIeNAKsSent         FieldID = 177
	FieldPCIeBadDLLP          FieldID = 178
	FieldPCIeNonFatal         FieldID = 179
	FieldPCIeFatal            FieldID = 180
	FieldPCIeUnsupportedReq   FieldID = 181
	FieldPCIeLCRCErrors       FieldID = 182
	FieldPCIeLaneErrors       FieldID = 183
	FieldPowerAverage         FieldID = 185 // mW over 1 s; scope 0 is the GPU
	FieldPowerInstant         FieldID = 186 // mW; scope 0 is the GPU
	FieldShutdownMargin       FieldID = 193 // degrees Celsius of margin, like the next three
	FieldSlowdownMargin       FieldID = 194
	FieldMemoryMaxMargin      FieldID = 195
	FieldGPUMaxMargin         FieldID = 196
	FieldPCIeTransmittedBytes FieldID = 197 // can wrap
	FieldPCIeReceivedBytes    FieldID = 198 // can wrap
	FieldRecoveryAction       FieldID = 230 // 0 none, 1 reset, 2 node reboot, 3 drain P2P, 4 drain and reset, 5 IMEX, 6 bus reset, 7 system reboot
	MaxFieldID                FieldID = 250
	ScopeAllLinks             uint32  = math.MaxUint32
)

// Field is a request for one value.
type Field struct {
	ID FieldID
	// Scope is a link for the NVLink fields (ScopeAllLinks sums up), 0 for others.
	Scope uint32
}

// FieldValue is the answer to a Field. Where Err is set there is no value: a
// driver that does not know the field, or the link, gives CodeNotSupported, and
// an ID above MaxFieldID gives CodeArgumentVersionMismatch without being asked.
type FieldValue struct {
	Field
	Number
	// Time is when the driver read the value, zero where it does not tell.
	Time time.Time
	// Latency is how long reading took the driver.
	Latency time.Duration
	Err     error
}

// Number is a value as the driver gave it: unsigned, signed or floating.
type Number struct {
	kind numberKind
	bits uint64
}

type numberKind uint8

const (
	kindUint numberKind = iota
	kindInt
	kindFloat
)

// UintNumber makes a Number.
func UintNumber(v uint64) Number { return Number{kindUint, v} }

// IntNumber makes a Number.
func IntNumber(v int64) Number { return Number{kindInt, uint64(v)} }

// FloatNumber makes a Number.
func FloatNumber(v float64) Number { return Number{kindFloat, math.Float64bits(v)} }

// Float64 is the value, rounded where it has more than 53 bits.
func (n Number) Float64() float64 {
	switch n.kind {
	case kindInt:
		return float64(int64(n.bits))
	case kindFloat:
		return math.Float64frombits(n.bits)
	default:
		return float64(n.bits)
	}
}

// Int64 is the value, or the nearest there is.
func (n Number) Int64() int64 {
	switch n.kind {
	case kindInt:
		return int64(n.bits)
	case kindFloat:
		f := math.Float64frombits(n.bits)
		switch {
		case math.IsNaN(f):
			return 0
		case f >= math.MaxInt64:
			return math.MaxInt64
		case f <= math.MinInt64:
			return math.MinInt64
		default:
			return int64(f)
		}
	default:
		return int64(min(n.bits, math.MaxInt64))
	}
}

// Uint64 is the value, or the nearest there is.
func (n Number) Uint64() uint64 {
	switch n.kind {
	case kindInt:
		return uint64(max(int64(n.bits), 0))
	case kindFloat:
		f := math.Float64frombits(n.bits)
		switch {
		case f >= math.MaxUint64:
			return math.MaxUint64
		case f > 0:
			return uint64(f)
		default: // negative or NaN
			return 0
		}
	default:
		return n.bits
	}
}

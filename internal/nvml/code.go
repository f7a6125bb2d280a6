package nvml

import (
	"errors"
	"slices"
	"strconv"
)

// Code is a return code of NVML; every value but CodeSuccess is an error.
type Code int

// The codes that NVML documents, by its own numbers.
const (
	CodeSuccess                 Code = 0
	CodeUninitialized           Code = 1
	CodeInvalidArgument         Code = 2
	CodeNotSupported            Code = 3
	CodeNoPermission            Code = 4
	CodeAlreadyInitialized      Code = 5
	CodeNotFound                Code = 6
	CodeInsufficientSize        Code = 7
	CodeInsufficientPower       Code = 8
	CodeDriverNotLoaded         Code = 9
	CodeTimeout                 Code = 10
	CodeIRQIssue                Code = 11
	CodeLibraryNotFound         Code = 12
	CodeFunctionNotFound        Code = 13
	CodeCorruptedInfoROM        Code = 14
	CodeGPUIsLost               Code = 15
	CodeResetRequired           Code = 16
	CodeOperatingSystem         Code = 17
	CodeLibRMVersionMismatch    Code = 18
	CodeInUse                   Code = 19
	CodeMemory                  Code = 20
	CodeNoData                  Code = 21
	CodeVGPUECCNotSupported     Code = 22
	CodeInsufficientResources   Code = 23
	CodeFreqNotSupported        Code = 24
	CodeArgumentVersionMismatch Code = 25
	CodeDeprecated              Code = 26
	CodeNotReady                Code = 27
	CodeGPUNotFound             Code = 28
	CodeInvalidState            Code = 29
	CodeResetTypeNotSupported   Code = 30
	CodeUnknown                 Code = 999
)

var codeNames = map[Code]string{
	CodeSuccess:                 "SUCCESS",
	CodeUninitialized:           "ERROR_UNINITIALIZED",
	CodeInvalidArgument:         "ERROR_INVALID_ARGUMENT",
	CodeNotSupported:            "ERROR_NOT_SUPPORTED",
	CodeNoPermission:            "ERROR_NO_PERMISSION",
	CodeAlreadyInitialized:      "ERROR_ALREADY_INITIALIZED",
	CodeNotFound:                "ERROR_NOT_FOUND",
	CodeInsufficientSize:        "ERROR_INSUFFICIENT_SIZE",
	CodeInsufficientPower:       "ERROR_INSUFFICIENT_POWER",
	CodeDriverNotLoaded:         "ERROR_DRIVER_NOT_LOADED",
	CodeTimeout:                 "ERROR_TIMEOUT",
	CodeIRQIssue:                "ERROR_IRQ_ISSUE",
	CodeLibraryNotFound:         "ERROR_LIBRARY_NOT_FOUND",
	CodeFunctionNotFound:        "ERROR_FUNCTION_NOT_FOUND",
	CodeCorruptedInfoROM:        "ERROR_CORRUPTED_INFOROM",
	CodeGPUIsLost:               "ERROR_GPU_IS_LOST",
	CodeResetRequired:           "ERROR_RESET_REQUIRED",
	CodeOperatingSystem:         "ERROR_OPERATING_SYSTEM",
	CodeLibRMVersionMismatch:    "ERROR_LIB_RM_VERSION_MISMATCH",
	CodeInUse:                   "ERROR_IN_USE",
	CodeMemory:                  "ERROR_MEMORY",
	CodeNoData:                  "ERROR_NO_DATA",
	CodeVGPUECCNotSupported:     "ERROR_VGPU_ECC_NOT_SUPPORTED",
	CodeInsufficientResources:   "ERROR_INSUFFICIENT_RESOURCES",
	CodeFreqNotSupported:        "ERROR_FREQ_NOT_SUPPORTED",
	CodeArgumentVersionMismatch: "ERROR_ARGUMENT_VERSION_MISMATCH",
	CodeDeprecated:              "ERROR_DEPRECATED",
	CodeNotReady:                "ERROR_NOT_READY",
	CodeGPUNotFound:             "ERROR_GPU_NOT_FOUND",
	CodeInvalidState:            "ERROR_INVALID_STATE",
	CodeResetTypeNotSupported:   "ERROR_RESET_TYPE_NOT_SUPPORTED",
	CodeUnknown:                 "ERROR_UNKNOWN",
}

// Error is NVML's name of the code, as in its documentation. It asks no driver
// for it.
func (c Code) Error() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "ERROR_" + strconv.Itoa(int(c))
}

// CodeOf finds the Code in err; CodeUnknown where there is none.
func CodeOf(err error) Code {
	var c Code
	switch {
	case err == nil:
		return CodeSuccess
	case errors.As(err, &c):
		return c
	default:
		return CodeUnknown
	}
}

func isOneOf(err error, codes ...Code) bool {
	var c Code
	return errors.As(err, &c) && slices.Contains(codes, c)
}

// IsUnsupported says that this GPU with this driver never has what was asked
// for: no error, and no use to ask again before the next Init.
func IsUnsupported(err error) bool {
	return isOneOf(err, CodeNotSupported, CodeFunctionNotFound, CodeDeprecated, CodeArgumentVersionMismatch)
}

// IsNoPermission says that the user may not ask for this.
func IsNoPermission(err error) bool { return isOneOf(err, CodeNoPermission) }

// IsNoData says that there is nothing to report at present.
func IsNoData(err error) bool { return isOneOf(err, CodeNotFound, CodeNoData) }

// IsLost says that this GPU has gone, or works again only after a reset; the
// others are not concerned.
func IsLost(err error) bool { return isOneOf(err, CodeGPUIsLost, CodeResetRequired) }

// IsLibrary says that NVML as a whole does not work: Shutdown, then Init again.
// As CodeUnknown is among them, a single call that gives it proves little; all
// calls giving it do.
func IsLibrary(err error) bool {
	return isOneOf(err, CodeUninitialized, CodeDriverNotLoaded, CodeLibRMVersionMismatch, CodeUnknown)
}

// IsTimeout says that a wait has ended without an event, which is normal, or
// that Shutdown was not done in time.
func IsTimeout(err error) bool { return isOneOf(err, CodeTimeout) }

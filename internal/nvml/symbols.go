//go:build linux && cgo

package nvml

// A symbol is a function of the driver's library by its oldest name.
type symbol string

const (
	symInit                  symbol = "nvmlInit"
	symShutdown              symbol = "nvmlShutdown"
	symDriverVersion         symbol = "nvmlSystemGetDriverVersion"
	symNVMLVersion           symbol = "nvmlSystemGetNVMLVersion"
	symCUDAVersion           symbol = "nvmlSystemGetCudaDriverVersion"
	symDeviceCount           symbol = "nvmlDeviceGetCount"
	symDeviceByIndex         symbol = "nvmlDeviceGetHandleByIndex"
	symUUID                  symbol = "nvmlDeviceGetUUID"
	symName                  symbol = "nvmlDeviceGetName"
	symIndex                 symbol = "nvmlDeviceGetIndex"
	symMinorNumber           symbol = "nvmlDeviceGetMinorNumber"
	symPCIInfo               symbol = "nvmlDeviceGetPciInfo"
	symSerial                symbol = "nvmlDeviceGetSerial"
	symVBIOSVersion          symbol = "nvmlDeviceGetVbiosVersion"
	symBoardPartNumber       symbol = "nvmlDeviceGetBoardPartNumber"
	symBoardID               symbol = "nvmlDeviceGetBoardId"
	symUtilizationRates      symbol = "nvmlDeviceGetUtilizationRates"
	symEncoderUtilization    symbol = "nvmlDeviceGetEncoderUtilization"
	symDecoderUtilization    symbol = "nvmlDeviceGetDecoderUtilization"
	symJPEGUtilization       symbol = "nvmlDeviceGetJpgUtilization"
	symOFAUtilization        symbol = "nvmlDeviceGetOfaUtilization"
	symMemoryInfo            symbol = "nvmlDeviceGetMemoryInfo"
	symMemoryInfo2           symbol = "nvmlDeviceGetMemoryInfo_v2"
	symBAR1MemoryInfo        symbol = "nvmlDeviceGetBAR1MemoryInfo"
	symTemperature           symbol = "nvmlDeviceGetTemperature"
	symTemperatureV          symbol = "nvmlDeviceGetTemperatureV"
	symMarginTemperature     symbol = "nvmlDeviceGetMarginTemperature"
	symPowerUsage            symbol = "nvmlDeviceGetPowerUsage"
	symEnforcedPowerLimit    symbol = "nvmlDeviceGetEnforcedPowerLimit"
	symDefaultPowerLimit     symbol = "nvmlDeviceGetPowerManagementDefaultLimit"
	symPowerLimitConstraints symbol = "nvmlDeviceGetPowerManagementLimitConstraints"
	symTotalEnergy           symbol = "nvmlDeviceGetTotalEnergyConsumption"
	symClockInfo             symbol = "nvmlDeviceGetClockInfo"
	symMaxClockInfo          symbol = "nvmlDeviceGetMaxClockInfo"
	symClocksEventReasons    symbol = "nvmlDeviceGetCurrentClocksEventReasons"
	symClocksThrottleReasons symbol = "nvmlDeviceGetCurrentClocksThrottleReasons"
	symViolationStatus       symbol = "nvmlDeviceGetViolationStatus"
	symPerformanceState      symbol = "nvmlDeviceGetPerformanceState"
	symMemoryErrorCounter    symbol = "nvmlDeviceGetMemoryErrorCounter"
	symSRAMECCErrorStatus    symbol = "nvmlDeviceGetSramEccErrorStatus"
	symRemappedRows          symbol = "nvmlDeviceGetRemappedRows"
	symRowRemapperHistogram  symbol = "nvmlDeviceGetRowRemapperHistogram"
	symFabricInfo            symbol = "nvmlDeviceGetGpuFabricInfo"
	symFabricInfoV           symbol = "nvmlDeviceGetGpuFabricInfoV"
	symPCIeGeneration        symbol = "nvmlDeviceGetCurrPcieLinkGeneration"
	symPCIeWidth             symbol = "nvmlDeviceGetCurrPcieLinkWidth"
	symPCIeMaxGeneration     symbol = "nvmlDeviceGetMaxPcieLinkGeneration"
	symPCIeMaxWidth          symbol = "nvmlDeviceGetMaxPcieLinkWidth"
	symPCIeReplays           symbol = "nvmlDeviceGetPcieReplayCounter"
	symPCIeThroughput        symbol = "nvmlDeviceGetPcieThroughput"
	symNVLinkState           symbol = "nvmlDeviceGetNvLinkState"
	symFieldValues           symbol = "nvmlDeviceGetFieldValues"
	symComputeProcesses      symbol = "nvmlDeviceGetComputeRunningProcesses"
	symGraphicsProcesses     symbol = "nvmlDeviceGetGraphicsRunningProcesses"
	symMPSProcesses          symbol = "nvmlDeviceGetMPSComputeRunningProcesses"
	symProcessUtilization    symbol = "nvmlDeviceGetProcessUtilization"
	symMIGMode               symbol = "nvmlDeviceGetMigMode"
	symMaxMIGDeviceCount     symbol = "nvmlDeviceGetMaxMigDeviceCount"
	symMIGDeviceByIndex      symbol = "nvmlDeviceGetMigDeviceHandleByIndex"
	symGPUInstanceID         symbol = "nvmlDeviceGetGpuInstanceId"
	symComputeInstanceID     symbol = "nvmlDeviceGetComputeInstanceId"
	symAttributes            symbol = "nvmlDeviceGetAttributes"
	symGPMSampleAlloc        symbol = "nvmlGpmSampleAlloc"
	symGPMSampleFree         symbol = "nvmlGpmSampleFree"
	symGPMSampleGet          symbol = "nvmlGpmSampleGet"
	symGPMMIGSampleGet       symbol = "nvmlGpmMigSampleGet"
	symGPMMetricsGet         symbol = "nvmlGpmMetricsGet"
	symGPMQueryDeviceSupport symbol = "nvmlGpmQueryDeviceSupport"
	symEventSetCreate        symbol = "nvmlEventSetCreate"
	symEventSetFree          symbol = "nvmlEventSetFree"
	symEventSetWait          symbol = "nvmlEventSetWait"
	symEventSetWait2         symbol = "nvmlEventSetWait_v2"
	symRegisterEvents        symbol = "nvmlDeviceRegisterEvents"
	symSupportedEventTypes   symbol = "nvmlDeviceGetSupportedEventTypes"
)

// symbols lists every function that the adapter calls; it calls none that is not
// here. The versions are those among which go-nvml chooses by itself when it
// loads the library (lib.go, updateVersionedSymbols): any of them will do.
var symbols = map[symbol][]string{
	symInit:              {"_v2"},
	symShutdown:          nil,
	symDriverVersion:     nil,
	symNVMLVersion:       nil,
	symCUDAVersion:       nil,
	symDeviceCount:       {"_v2"},
	symDeviceByIndex:     {"_v2"},
	symPCIInfo:           {"_v2", "_v3"},
	symComputeProcesses:  {"_v2", "_v3"},
	symGraphicsProcesses: {"_v2", "_v3"},
	symMPSProcesses:      {"_v2", "_v3"},
	symAttributes:        {"_v2"},
	symEventSetWait:      {"_v2"},

	symUUID: nil, symName: nil, symIndex: nil, symMinorNumber: nil, symSerial: nil,
	symVBIOSVersion: nil, symBoardPartNumber: nil, symBoardID: nil,
	symUtilizationRates: nil, symEncoderUtilization: nil, symDecoderUtilization: nil,
	symJPEGUtilization: nil, symOFAUtilization: nil, symMemoryInfo: nil,
	symMemoryInfo2: nil, symBAR1MemoryInfo: nil, symTemperature: nil,
	symTemperatureV: nil, symMarginTemperature: nil, symPowerUsage: nil,
	symEnforcedPowerLimit: nil, symDefaultPowerLimit: nil,
	symPowerLimitConstraints: nil, symTotalEnergy: nil, symClockInfo: nil,
	symMaxClockInfo: nil, symClocksEventReasons: nil, symClocksThrottleReasons: nil,
	symViolationStatus: nil, symPerformanceState: nil, symMemoryErrorCounter: nil,
	symSRAMECCErrorStatus: nil, symRemappedRows: nil, symRowRemapperHistogram: nil,
	symFabricInfo: nil, symFabricInfoV: nil, symPCIeGeneration: nil,
	symPCIeWidth: nil, symPCIeMaxGeneration: nil, symPCIeMaxWidth: nil,
	symPCIeReplays: nil, symPCIeThroughput: nil, symNVLinkState: nil,
	symFieldValues: nil, symProcessUtilization: nil, symMIGMode: nil,
	symMaxMIGDeviceCount: nil, symMIGDeviceByIndex: nil, symGPUInstanceID: nil,
	symComputeInstanceID: nil, symGPMSampleAlloc: nil, symGPMSampleFree: nil,
	symGPMSampleGet: nil, symGPMMIGSampleGet: nil, symGPMMetricsGet: nil,
	symGPMQueryDeviceSupport: nil, symEventSetCreate: nil, symEventSetFree: nil,
	symEventSetWait2: nil, symRegisterEvents: nil, symSupportedEventTypes: nil,
}

// lookUp finds which symbols a library has; exists tells of one name.
func lookUp(exists func(name string) bool) map[symbol]bool {
	found := make(map[symbol]bool, len(symbols))
	for s, versions := range symbols {
		found[s] = exists(string(s))
		for _, v := range versions {
			found[s] = found[s] || exists(string(s)+v)
		}
	}
	return found
}

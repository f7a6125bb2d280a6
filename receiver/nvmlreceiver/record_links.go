package nvmlreceiver

import (
	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

type direction = metadata.AttributeNetworkIoDirection

const (
	transmit = metadata.AttributeNetworkIoDirectionTransmit
	receive  = metadata.AttributeNetworkIoDirectionReceive
)

var pcieErrors = []struct {
	field     nvml.FieldID
	errorType string
}{
	{nvml.FieldPCIeCorrectable, "correctable"},
	{nvml.FieldPCIeNAKsReceived, "nak_received"},
	{nvml.FieldPCIeReceiverErrors, "receiver"},
	{nvml.FieldPCIeBadTLP, "bad_tlp"},
	{nvml.FieldPCIeNAKsSent, "nak_sent"},
	{nvml.FieldPCIeBadDLLP, "bad_dllp"},
	{nvml.FieldPCIeNonFatal, "non_fatal"},
	{nvml.FieldPCIeFatal, "fatal"},
	{nvml.FieldPCIeUnsupportedReq, "unsupported_request"},
	{nvml.FieldPCIeLCRCErrors, "lcrc"},
	{nvml.FieldPCIeLaneErrors, "lane"},
}

var nvlinkErrors = []struct {
	field     nvml.FieldID
	errorType string
}{
	{nvml.FieldNVLinkReplays, "replay"},
	{nvml.FieldNVLinkRecoveries, "recovery"},
	{nvml.FieldNVLinkCRCErrors, "crc"},
}

var pcieIO = []struct {
	field     nvml.FieldID
	sampled   nvml.Direction
	call      string
	direction direction
}{
	{nvml.FieldPCIeTransmittedBytes, nvml.DirectionTransmit, "PCIeThroughput transmit", transmit},
	{nvml.FieldPCIeReceivedBytes, nvml.DirectionReceive, "PCIeThroughput receive", receive},
}

var nvlinkIO = []struct {
	field     nvml.FieldID
	direction direction
}{
	{nvml.FieldNVLinkDataTransmit, transmit},
	{nvml.FieldNVLinkDataReceive, receive},
}

func (r *reader) recordPCIe(fields fieldValues) {
	for i, io := range pcieIO {
		if v, ok := fields.of(io.field); ok {
			r.mb.RecordHwGpuIoDataPoint(r.now, asInt64(r.wraps[i].next(v.Uint64())), io.direction)
		}
		if r.cfg.HwGpuPcieThroughputSampled.Enabled {
			if rate, ok := ask(r, io.call, func() (float64, error) { return r.device.PCIeThroughput(io.sampled) }); ok {
				r.mb.RecordHwGpuPcieThroughputSampledDataPoint(r.now, rate, io.direction)
			}
		}
	}
	if r.cfg.HwGpuPcieLinkGeneration.Enabled || r.cfg.HwGpuPcieLinkWidth.Enabled {
		if link, ok := ask(r, "PCIeLink", r.device.PCIeLink); ok {
			r.mb.RecordHwGpuPcieLinkGenerationDataPoint(r.now, int64(link.Generation))
			r.mb.RecordHwGpuPcieLinkWidthDataPoint(r.now, int64(link.Width))
		}
	}
	if r.cfg.HwGpuPcieLinkGenerationLimit.Enabled || r.cfg.HwGpuPcieLinkWidthLimit.Enabled {
		if link, ok := ask(r, "MaxPCIeLink", r.device.MaxPCIeLink); ok {
			r.mb.RecordHwGpuPcieLinkGenerationLimitDataPoint(r.now, int64(link.Generation))
			r.mb.RecordHwGpuPcieLinkWidthLimitDataPoint(r.now, int64(link.Width))
		}
	}
	if r.cfg.HwGpuPcieReplays.Enabled {
		if v, ok := fields.of(nvml.FieldPCIeReplays); ok {
			r.mb.RecordHwGpuPcieReplaysDataPoint(r.now, v.Int64())
		} else if n, ok := ask(r, "PCIeReplays", r.device.PCIeReplays); ok {
			r.mb.RecordHwGpuPcieReplaysDataPoint(r.now, asInt64(n))
		}
	}
	for _, e := range pcieErrors {
		if v, ok := fields.of(e.field); ok {
			r.mb.RecordHwGpuPcieErrorsDataPoint(r.now, v.Int64(), e.errorType)
		}
	}
}

// unwrapper makes one counter of the bytes over PCIe, which NVML says can wrap
// without saying where. 32 bits are the only width at which that happens in the
// life of a server.
type unwrapper struct {
	last, base uint64
}

const wrapAt = 1 << 32

func (u *unwrapper) next(v uint64) uint64 {
	if v < u.last {
		if u.last < wrapAt && u.last >= wrapAt/2 && v < wrapAt/2 {
			u.base += wrapAt
		} else {
			u.base = 0 // it began anew
		}
	}
	u.last = v
	return u.base + v
}

// maxNVLinks bounds what a driver may tell; GPUs have 18 today.
const maxNVLinks = 64

// nvlinks says of each link whether it is up.
func (r *reader) nvlinks() []bool {
	if !r.cfg.HwGpuNvlinkLinks.Enabled && !r.cfg.HwGpuNvlinkErrors.Enabled && !r.cfg.HwGpuNvlinkLinkErrors.Enabled && !r.cfg.HwGpuNvlinkLinkIo.Enabled {
		return nil
	}
	links, _ := ask(r, "NVLinks", r.device.NVLinks)
	return links[:min(len(links), maxNVLinks)]
}

func (r *reader) recordNVLink(fields fieldValues) {
	up := int64(0)
	for _, isUp := range fields.links {
		up += boolean(isUp)
	}
	if len(fields.links) > 0 {
		r.mb.RecordHwGpuNvlinkLinksDataPoint(r.now, up, metadata.AttributeHwGpuNvlinkStateUp)
		r.mb.RecordHwGpuNvlinkLinksDataPoint(r.now, int64(len(fields.links))-up, metadata.AttributeHwGpuNvlinkStateDown)
	}
	for _, io := range nvlinkIO {
		if v, ok := fields.ofLink(io.field, nvml.ScopeAllLinks); ok {
			r.mb.RecordHwGpuNvlinkIoDataPoint(r.now, v.Int64()*1024, io.direction)
		}
		for link := range fields.links {
			if v, ok := fields.ofLink(io.field, uint32(link)); ok {
				r.mb.RecordHwGpuNvlinkLinkIoDataPoint(r.now, v.Int64()*1024, int64(link), io.direction)
			}
		}
	}
	for _, e := range nvlinkErrors {
		sum, told := int64(0), false
		for link := range fields.links {
			if v, ok := fields.ofLink(e.field, uint32(link)); ok {
				sum, told = sum+v.Int64(), true
				r.mb.RecordHwGpuNvlinkLinkErrorsDataPoint(r.now, v.Int64(), e.errorType, int64(link))
			}
		}
		if told {
			r.mb.RecordHwGpuNvlinkErrorsDataPoint(r.now, sum, e.errorType)
		}
	}
}

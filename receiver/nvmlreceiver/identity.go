package nvmlreceiver

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// identity is what a GPU or MIG device is. It outlives the device, so that an
// alert can name what was lost. Empty and nil is what the driver does not tell.
type identity struct {
	uuid, model, serial, vbios, part, bus, driver string
	index, minor                                  *int
	mig                                           *migIdentity
}

// prefix begins a sentence about the GPU, by the number that people know from
// nvidia-smi.
func (id *identity) prefix() string {
	switch {
	case id == nil:
		return ""
	case id.index == nil:
		return "GPU " + id.uuid + ": "
	default:
		return fmt.Sprintf("GPU %d (%s): ", *id.index, id.uuid)
	}
}

// migIdentity is what a MIG device is besides.
type migIdentity struct {
	parent            string
	slot              int
	profile           string
	instance, compute uint32
}

// name is that of the device file.
func (id *identity) name() string {
	if id.minor == nil {
		return ""
	}
	name := fmt.Sprintf("nvidia%d", *id.minor)
	if id.mig != nil {
		name += fmt.Sprintf("/mig%d", id.mig.slot)
	}
	return name
}

// resource is the identity as attributes.
func (id *identity) resource(rb *metadata.ResourceBuilder) pcommon.Resource {
	rb.SetHwID(id.uuid)
	rb.SetHwType("gpu")
	rb.SetHwVendor("NVIDIA")
	for _, a := range []struct {
		value string
		set   func(string)
	}{
		{id.name(), rb.SetHwName},
		{id.model, rb.SetHwModel},
		{id.driver, rb.SetHwDriverVersion},
		{id.vbios, rb.SetHwFirmwareVersion},
		{id.serial, rb.SetHwSerialNumber},
	} {
		if a.value != "" {
			a.set(a.value)
		}
	}
	if id.mig != nil {
		rb.SetHwParent(id.mig.parent)
		rb.SetHwGpuMigGpuInstance(int64(id.mig.instance))
		rb.SetHwGpuMigComputeInstance(int64(id.mig.compute))
		if id.mig.profile != "" {
			rb.SetHwGpuMigProfile(id.mig.profile)
		}
	}
	return rb.Emit()
}

// info are the facts that are not worth a label on every series.
func (id *identity) info() []metadata.MetricAttributeOption {
	var options []metadata.MetricAttributeOption
	if id.part != "" {
		options = append(options, metadata.WithHwGpuBoardPartNumberMetricAttribute(id.part))
	}
	if id.index != nil {
		options = append(options, metadata.WithHwGpuIndexMetricAttribute(int64(*id.index)))
	}
	if id.minor != nil {
		options = append(options, metadata.WithHwGpuMinorMetricAttribute(int64(*id.minor)))
	}
	if id.bus != "" {
		options = append(options, metadata.WithHwGpuPciBusIDMetricAttribute(id.bus))
	}
	return options
}

// readIdentity asks for all that does not change while the driver is loaded.
func (r *reader) readIdentity() {
	id := identity{uuid: r.id.uuid, driver: r.id.driver}
	id.model, _ = ask(r, "Name", r.device.Name)
	id.serial, _ = ask(r, "Serial", r.device.Serial)
	id.vbios, _ = ask(r, "VBIOSVersion", r.device.VBIOSVersion)
	id.part, _ = ask(r, "BoardPartNumber", r.device.BoardPartNumber)
	pci, _ := ask(r, "PCI", r.device.PCI)
	id.bus = pci.BusID
	if index, ok := ask(r, "Index", r.device.Index); ok {
		id.index = &index
	}
	if minor, ok := ask(r, "MinorNumber", r.device.MinorNumber); ok {
		id.minor = &minor
	}
	if r.lost == nil && r.broken == nil {
		r.id, r.identified = id, true
	}
}

// profileOf is the last word of a name like "NVIDIA H200 MIG 1g.18gb".
func profileOf(name string) string {
	_, profile, _ := strings.Cut(name, " MIG ")
	return profile
}

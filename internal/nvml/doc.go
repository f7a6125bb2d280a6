// Package nvml is the door to NVIDIA's management library: a narrow interface of
// our own with the calls that GPU telemetry needs, and its adapter to go-nvml.
//
// A call that the installed driver does not have would end the process, so the
// adapter makes none that it did not look up first. Where cgo or Linux is
// missing, New gives a stub that says so. The simulator implements the same
// interface. The package knows nothing of the collector.
package nvml

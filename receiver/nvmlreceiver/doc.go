//go:generate mdatagen metadata.yaml

// Package nvmlreceiver reads NVIDIA GPUs through NVML: what they do, how they
// are, which container and model uses them, and what happens to them.
package nvmlreceiver

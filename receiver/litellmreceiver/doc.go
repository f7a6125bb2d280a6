//go:generate mdatagen metadata.yaml

// Package litellmreceiver reads a LiteLLM proxy of any version over HTTP: its
// metrics page, with the labels of persons and keys dropped while it is read, and
// its read-only API, which tells models, prices, health and what the day cost.
package litellmreceiver

//go:generate mdatagen metadata.yaml

// Package langfusereceiver reads one project of a Langfuse server through its
// public API and counts what the windows of its metrics say: traces, observations,
// tokens, cost and scores as sums that survive restarts, latencies as quantiles.
package langfusereceiver

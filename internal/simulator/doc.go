// Package simulator plays the sources that otelcol-llm observes: it speaks their protocols over HTTP, so that the real
// receivers can be run against it in tests and in the synthetic mode. It knows nothing of the collector.
//
// Everything in it is a function of its configuration, a seed and a clock: same input, same bytes. What a source offers in
// which version is data (see vllm_dialect.go and litellm_families.go); how it misbehaves is HTTP middleware (see fault.go) and
// fits every source.
//
// Facts that were inferred rather than seen in a capture or in the source code of that version are marked (~).
package simulator

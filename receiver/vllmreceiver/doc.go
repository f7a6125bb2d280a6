//go:generate mdatagen metadata.yaml

// Package vllmreceiver reads vLLM servers of any version over HTTP and brings
// what they say under one set of names: engine metrics, model and server
// information, and the state of the server itself.
package vllmreceiver

// Package syntheticreceiver plays a server that runs large language models, where there is none. It starts a simulated site
// in this process, serves the interfaces of its sources, and runs the real receivers against them: names, labels and types
// cannot differ from those of a real server. Only the host is recorded directly.
package syntheticreceiver

//go:generate mdatagen metadata.yaml

//go:generate mdatagen metadata.yaml

// Package dockerstatsreceiver is contrib's docker_stats receiver made patient:
// it waits for a Docker engine that is not there yet instead of keeping the
// collector from starting, and agrees with the engine on an API version.
package dockerstatsreceiver

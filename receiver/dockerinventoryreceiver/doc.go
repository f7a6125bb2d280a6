//go:generate mdatagen metadata.yaml

// Package dockerinventoryreceiver tells which containers a Docker engine has:
// state, health, image, GPUs assigned, limits and the model served as metrics,
// and what happens to them, from creation to removal, as logs.
package dockerinventoryreceiver

// Package docker watches one Docker engine for all components of the collector
// that need to know its containers: one list, one event stream and one cache,
// shared by equal configuration. It also finds the container of a process, by
// its cgroup. An engine that is absent or restarts is waited for, never an error.
package docker

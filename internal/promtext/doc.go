// Package promtext reads a Prometheus text exposition page (format 0.0.4) into
// metric families, in a stream and within limits, and turns its histograms into
// OpenTelemetry ones.
//
// The lines are read by Prometheus' own parser (model/textparse); this package
// adds what a scrape needs on top of it: families instead of lines, buckets put
// together, start times taken from the _created series, labels dropped while the
// page is read, and hard bounds.
package promtext

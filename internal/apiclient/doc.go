// Package apiclient is what the collector's confighttp lacks for reading APIs: retries that honour Retry-After, a circuit
// breaker and a rate limit, a limit on answers, a cache for what changes slowly, names for what went wrong, and metrics of
// it all. TLS, proxies, headers and authentication are confighttp's.
package apiclient

//go:generate mdatagen metadata.yaml

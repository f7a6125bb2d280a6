//go:generate mdatagen metadata.yaml

// Package modelcatalogconnector makes one catalog of models out of the metrics of
// all that know some: vLLM servers, LiteLLM proxies, Langfuse, and a file of the
// operator. It is the only one that emits llm.model.* of a catalog.
package modelcatalogconnector

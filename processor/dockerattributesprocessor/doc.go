// The second line takes away an import that mdatagen v0.138 writes and does not
// use where there are resource attributes without metrics.
//go:generate mdatagen metadata.yaml
//go:generate sed -i /collector.confmap[^/]/d internal/metadata/generated_config_test.go

// Package dockerattributesprocessor adds what Docker knows of a container to the
// telemetry that carries its id: name, image, compose service, labels, GPUs and
// the model it serves. It is to Docker what k8sattributes is to Kubernetes.
package dockerattributesprocessor

package dockerinventoryreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

const (
	runtimeDocker = "docker"
	// serviceEngine is who writes the log of what happens to containers. Their own
	// logs are of another service.
	serviceEngine = "dockerd"
	// labelAttribute comes before the key of a container's label.
	labelAttribute = "container.label."
	// maxLabelValue bounds what a label may bring along, in bytes.
	maxLabelValue = 1024
)

// setContainer sets what a container is known by.
func setContainer(rb *metadata.ResourceBuilder, c *docker.Container) {
	rb.SetContainerID(c.ID)
	rb.SetContainerName(c.Name)
	rb.SetContainerImageName(c.Image.Ref)
	rb.SetContainerRuntime(runtimeDocker)
	if c.ComposeProject != "" {
		rb.SetDockerComposeProject(c.ComposeProject)
	}
	if c.ComposeService != "" {
		rb.SetDockerComposeService(c.ComposeService)
	}
}

// putLabels adds the labels that the user wants to keep.
func putLabels(resource pcommon.Resource, c *docker.Container, keys []string) {
	for _, key := range keys {
		if value, ok := c.Labels[key]; ok {
			resource.Attributes().PutStr(labelAttribute+key, value[:min(len(value), maxLabelValue)])
		}
	}
}

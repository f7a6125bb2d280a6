package vllmreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// states are all values of vllm.server.state: one is 1, the others 0, so that a
// change leaves no old series standing.
var states = []serverState{stateReady, stateLoading, stateSleeping, stateStuck, stateFailed, stateUnreachable, stateUnknown}

// status is how the scrape went and what it says of the server.
type status struct {
	up    bool
	state serverState
	// reason is empty if all is well.
	reason string
	took   time.Duration
	// starting says that the container of the server was started an age ago and
	// the server is not ready since.
	starting bool
	age      time.Duration
}

// recordStatus records how the server is. reasons holds the reasons so far: they
// go to 0 instead of vanishing.
func recordStatus(mb *builder, st status, reasons map[string]bool, now pcommon.Timestamp) {
	mb.RecordVllmUpDataPoint(now, number01(st.up))
	for _, state := range states {
		mb.RecordVllmServerStateDataPoint(now, number01(state == st.state), state)
	}
	if st.reason != "" {
		reasons[st.reason] = true
	}
	for reason := range reasons {
		mb.RecordVllmScrapeErrorDataPoint(now, number01(reason == st.reason), reason)
	}
	if st.up {
		mb.RecordVllmScrapeDurationDataPoint(now, st.took.Seconds())
	}
	if st.starting {
		mb.RecordVllmServerLoadingDurationDataPoint(now, st.age.Seconds())
	}
}

// recordTally records what the page was like.
func recordTally(mb *builder, page *enginePage, t *tally, now pcommon.Timestamp) {
	mb.RecordVllmScrapeBodySizeDataPoint(now, page.page.Bytes)
	mb.RecordVllmScrapeSeriesDataPoint(now, int64(page.page.SeriesCount()))
	mb.RecordVllmScrapeUnknownSeriesDataPoint(now, int64(t.unknown))
	mb.RecordVllmScrapeInvalidSeriesDataPoint(now, int64(t.invalid))
}

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// newResource is the identity of the server, made of nothing that it says itself:
// it must survive the server.
func newResource(rb *metadata.ResourceBuilder, endpoint *EndpointConfig) pcommon.Resource {
	rb.SetServiceName("vllm")
	rb.SetServiceInstanceID(endpoint.instance())
	if host, port, _ := endpoint.address(); host != "" {
		rb.SetServerAddress(host)
		rb.SetServerPort(int64(port))
	}
	return rb.Emit()
}

// setContainer adds what the container of a discovered server is known by.
func setContainer(rb *metadata.ResourceBuilder, c *docker.Container) {
	rb.SetContainerID(c.ID)
	rb.SetContainerName(c.Name)
	if c.Image.Name != "" {
		rb.SetContainerImageName(c.Image.Name)
	}
	if c.Image.Tag != "" {
		rb.SetContainerImageTags([]any{c.Image.Tag})
	}
}

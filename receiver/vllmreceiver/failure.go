package vllmreceiver

import (
	"errors"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

// Reasons beside those of apiclient: values of error.type.
const (
	reasonNotMetrics      = "not_metrics"
	reasonNoEngineMetrics = "no_engine_metrics"
	reasonInvalidValue    = "invalid_value"

	reasonContainerExited     = "container_exited"
	reasonContainerPaused     = "container_paused"
	reasonContainerRestarting = "container_restarting"
	reasonNoAddress           = "no_address"
)

// hints say what to do about a reason, where more is known than apiclient says.
var hints = map[string]string{
	apiclient.ReasonTimeout:   "The server did not answer in time. If it is merely slow, raise the endpoint's timeout.",
	apiclient.ReasonRefused:   "Nothing listens there. Check host and port of the endpoint; a server that loads its model may not listen yet.",
	apiclient.ReasonTLS:       "The TLS handshake failed. Check http against https, and the endpoint's tls settings.",
	apiclient.ReasonMalformed: "The page is not in the Prometheus text format. Check that the endpoint is a vLLM server.",
	apiclient.ReasonTooLarge:  "The page exceeds the limits. If that is right, raise max_page_size or max_series.",
	reasonNotMetrics:          "The address is that of a web page. Check the endpoint and its paths.",
	reasonNoEngineMetrics:     "The page has no vLLM metrics. Start the server without --disable-log-stats, and check that it is one.",
	reasonInvalidValue:        "Some series have values that cannot be and were left out.",
	reasonContainerExited:     "The container has ended. See its log, and docker inspect for its exit code.",
	reasonContainerPaused:     "The container is paused. Go on with docker unpause.",
	reasonContainerRestarting: "The container ended, and Docker is about to start it again. See its log.",
	reasonNoAddress:           "The port of the container is not published and it is in no network that is used. See address, network and the label otelcol-llm.port.",
	"401":                     "The server wants credentials. Set the endpoint's headers or auth.",
	"403":                     "The server refuses these credentials. Check the endpoint's headers or auth.",
	"404":                     "The server has no such path. Check the endpoint and its paths.",
	"503":                     "The server is loading its model, or its engine is dead. See the server's own log.",
}

// reasonOf names an error in a word of low cardinality: the HTTP status, one of the
// reasons above, or one of apiclient.
func reasonOf(err error) string {
	if ended := (*containerError)(nil); errors.As(err, &ended) {
		return ended.reason
	}
	if reason := apiclient.Reason(err); reason != apiclient.ReasonHTML {
		return reason
	}
	return reasonNotMetrics
}

// answered says whether there was a server at all behind the reason.
func answered(reason string) bool {
	switch reason {
	case reasonContainerExited, reasonContainerPaused, reasonContainerRestarting, reasonNoAddress:
		return false
	}
	return apiclient.Reached(reason)
}

// hintFor says what to do about a reason.
func hintFor(reason string) string {
	if hint, ok := hints[reason]; ok {
		return hint
	}
	return apiclient.Hint(reason)
}

// serverError says whether the server answered that it is not well.
func serverError(err error) bool {
	var status *apiclient.StatusError
	return errors.As(err, &status) && status.Code >= 500
}

// stranger says whether what answered is something else than a vLLM server: a
// login page says 200 to a health check as well.
func stranger(reason string) bool {
	return reason == reasonNotMetrics || reason == apiclient.ReasonRedirect
}

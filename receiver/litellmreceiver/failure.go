package litellmreceiver

import (
	"errors"
	"net/http"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

// Reasons beside those of apiclient: values of error.type.
const (
	reasonKeyExpired     = "key_expired"
	reasonNoMetrics      = "no_metrics"
	reasonNotPremium     = "not_premium"
	reasonSeveralWorkers = "several_workers"
	reasonInvalidValue   = "invalid_value"
	reasonManyRows       = "too_many_rows"
)

// hints say what to do about a reason.
var hints = map[string]string{
	apiclient.ReasonTimeout:      "The proxy did not answer in time. Its metrics page is on the event loop of its traffic and grows with keys and users: raise timeout, or let the proxy drop labels (prometheus_metrics_config).",
	apiclient.ReasonNameNotFound: "The host name in the endpoint is not known here. Check the name, or the network of the container.",
	apiclient.ReasonRefused:      "Nothing listens there. Check host and port of the endpoint.",
	apiclient.ReasonTLS:          "The TLS handshake failed. Check http against https, and the tls settings.",
	apiclient.ReasonConnection:   "The connection broke. The proxy may be restarting.",
	apiclient.ReasonRedirect:     "Set the endpoint to the address that the proxy redirects to, with https if it is that.",
	apiclient.ReasonHTML:         "The address is that of a web page. Check the endpoint, and what stands in front of the proxy.",
	apiclient.ReasonMalformed:    "The answer is not what a LiteLLM proxy gives. Check that the endpoint is one.",
	apiclient.ReasonTruncated:    "The answer ended in the middle. A proxy in between may cut it.",
	apiclient.ReasonTooLarge:     "The answer exceeds the limits. If that is right, raise max_page_size, max_series or max_response_size. The page shrinks when the proxy restarts, or drops labels (prometheus_metrics_config).",
	apiclient.ReasonRateLimit:    "Raise rate_limit.",
	reasonKeyExpired:             "The key has expired. Set api_key to a new one.",
	reasonNoMetrics:              "The page has no LiteLLM metrics. Set callbacks: [\"prometheus\"] in litellm_settings of the proxy.",
	reasonNotPremium:             "Before 1.80.0 the proxy shows metrics with an enterprise licence only. Upgrade it.",
	reasonSeveralWorkers:         "Several workers, or several proxies, answer in turn with counters of their own. Set PROMETHEUS_MULTIPROC_DIR for the proxy, or read each proxy by itself. Until then counters are increments since this was noticed, and gauges those of one worker.",
	reasonInvalidValue:           "Some series have values that cannot be and were left out.",
	reasonManyRows:               "The day has more rows in the database than are read. Upgrade the proxy: newer ones add them up.",
	"401":                        "The proxy wants a key, or does not take this one. From 1.85 on its metrics page needs one too. Set api_key to a virtual key that is valid.",
	"403":                        "The key lacks the right to this. Give it more, or switch off what needs it (api).",
	"404":                        "The proxy has no such path. Set callbacks: [\"prometheus\"] in litellm_settings of the proxy, and check the endpoint.",
	"429":                        "The key or the proxy is over its limit. Use a key without one, or raise collection_interval.",
	"503":                        "The proxy, or what stands in front of it, is not ready. See its log.",
}

// reasonOf names an error in a word of low cardinality: the HTTP status, or one of
// the reasons above.
func reasonOf(err error) string {
	var status *apiclient.StatusError
	switch {
	case errors.Is(err, errManyRows):
		return reasonManyRows
	case errors.As(err, &status) && expired(status):
		return reasonKeyExpired
	}
	return apiclient.Reason(err)
}

// refusal says whether the proxy refuses the credentials.
func refusal(err error) bool {
	var status *apiclient.StatusError
	return errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden || expired(status))
}

// hintFor says what to do about a reason.
func hintFor(reason string) string {
	if hint, ok := hints[reason]; ok {
		return hint
	}
	return "See the log of the proxy."
}

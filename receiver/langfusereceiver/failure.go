package langfusereceiver

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

// Reasons beside those of apiclient: values of error.type.
const (
	reasonStorage   = "storage"
	reasonNoAPI     = "no_metrics_api"
	reasonNoProject = "no_project"
)

// hints say what to do about a reason where apiclient knows less.
var hints = map[string]string{
	apiclient.ReasonTooLarge:  "The answer exceeds max_response_size. Shorter windows are tried.",
	apiclient.ReasonTimeout:   "The server did not answer in time. Shorter windows are tried. If it is merely slow, raise timeout.",
	apiclient.ReasonRateLimit: "The limit of this receiver left no time. Raise rate_limit.",
	reasonStorage:             "The storage failed. Check its disk. Without it, a restart loses what was counted meanwhile.",
	reasonNoAPI:               "The server has none of the metrics APIs. Check the endpoint.",
	reasonNoProject:           "Use the keys of a project, not of an organization.",
	"400":                     "The server calls the query bad. It may be too old.",
	"401":                     "The server does not know the key, or it was revoked. Check public_key and secret_key; what happens meanwhile is read later.",
	"403":                     "The key may not read the metrics. Check public_key and secret_key.",
	"422":                     "The query was too much for the data base of the server. Shorter windows are tried.",
	"429":                     "The server was asked too often, by all that use this organization. Lower queries_per_day.",
	"503":                     "The server is not well. See its own log.",
	"504":                     "The query took the server too long. Shorter windows are tried.",
	"524":                     "The query took the server too long. Shorter windows are tried.",
}

// hintFor says what to do about a reason.
func hintFor(reason string) string {
	if hint, ok := hints[reason]; ok {
		return hint
	}
	return apiclient.Hint(reason)
}

// reasonOf names an error in a word.
func reasonOf(err error) string {
	var failed *storageError
	switch {
	case errors.As(err, &failed):
		return reasonStorage
	case errors.Is(err, errNoAPI):
		return reasonNoAPI
	case errors.Is(err, errNoProject):
		return reasonNoProject
	}
	return apiclient.Reason(err)
}

// storageError is a failure of the storage.
type storageError struct{ err error }

func (e *storageError) Error() string { return e.err.Error() }

func (e *storageError) Unwrap() error { return e.err }

// errNoAPI says that the server has none of the APIs.
var errNoAPI = errors.New("the server has neither /v2/metrics nor /metrics nor /metrics/daily")

// class is what to do about an error.
type class int

const (
	// classPassing is tried again later.
	classPassing class = iota
	// classGone: the server does not have this API.
	classGone
	// classBad: the server does not know a part of the query.
	classBad
	// classHeavy: the window is too long.
	classHeavy
	// classLimited: the server wants to be left alone.
	classLimited
	// classEverywhere concerns all queries: the key, or the connection.
	classEverywhere
)

// tooOld is in the complaint about a window that ends before the time for which the
// plan of the organization keeps its data accessible: the server moves the beginning.
const tooOld = "fromTimestamp must be before toTimestamp"

// classOf says what to do about an error.
func classOf(err error) class {
	var status *apiclient.StatusError
	if !errors.As(err, &status) {
		switch reason := apiclient.Reason(err); {
		case reason == apiclient.ReasonTimeout, reason == apiclient.ReasonTooLarge:
			return classHeavy
		case !apiclient.Reached(reason):
			return classEverywhere
		}
		return classPassing
	}
	switch status.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusGone:
		return classGone
	case http.StatusBadRequest:
		return classBad
	case http.StatusUnprocessableEntity, http.StatusGatewayTimeout, 524: // of Cloudflare: a timeout occurred
		return classHeavy
	case http.StatusTooManyRequests:
		return classLimited
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusBadGateway, http.StatusServiceUnavailable:
		return classEverywhere
	}
	return classPassing
}

// complaint is what the server says about a bad query.
func complaint(err error) string {
	var status *apiclient.StatusError
	if errors.As(err, &status) {
		return status.Detail
	}
	return ""
}

// beyondReach says whether a bad query is one for a time that is no longer accessible.
func beyondReach(err error) bool { return strings.Contains(complaint(err), tooOld) }

// pauseOf is how long the server wants to be left alone, 0 if it does not say.
func pauseOf(err error) time.Duration {
	var status *apiclient.StatusError
	if errors.As(err, &status) {
		return status.RetryAfter
	}
	return 0
}

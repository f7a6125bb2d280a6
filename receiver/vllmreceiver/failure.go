package vllmreceiver

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

var (
	errRedirect = errors.New("server redirects")
	errHTML     = errors.New("server answers with an HTML page")
	errNotJSON  = errors.New("server does not answer with the JSON expected")
)

// statusError is an HTTP answer other than 200.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("server answers %d", e.code) }

// Reasons that are not an HTTP status: the values of error.type.
const (
	reasonTimeout         = "timeout"
	reasonNameNotFound    = "name_not_found"
	reasonRefused         = "connection_refused"
	reasonTLS             = "tls"
	reasonConnection      = "connection_error"
	reasonRedirect        = "redirect"
	reasonNotMetrics      = "not_metrics"
	reasonMalformed       = "malformed"
	reasonTruncated       = "truncated"
	reasonTooLarge        = "too_large"
	reasonNoEngineMetrics = "no_engine_metrics"
	reasonInvalidValue    = "invalid_value"

	reasonContainerExited     = "container_exited"
	reasonContainerPaused     = "container_paused"
	reasonContainerRestarting = "container_restarting"
	reasonNoAddress           = "no_address"
)

// hints say what to do about a reason.
var hints = map[string]string{
	reasonTimeout:             "The server did not answer in time. If it is merely slow, raise the endpoint's timeout.",
	reasonNameNotFound:        "The host name in the endpoint is not known here. Check the name, or the network of the container.",
	reasonRefused:             "Nothing listens there. Check host and port of the endpoint; a server that loads its model may not listen yet.",
	reasonTLS:                 "The TLS handshake failed. Check http against https, and the endpoint's tls settings.",
	reasonConnection:          "The connection broke. The server may be restarting.",
	reasonRedirect:            "Set the endpoint to the address that the server redirects to.",
	reasonNotMetrics:          "The address is that of a web page. Check the endpoint and its paths.",
	reasonMalformed:           "The page is not in the Prometheus text format. Check that the endpoint is a vLLM server.",
	reasonTruncated:           "The page ended in the middle. A proxy in between may cut it.",
	reasonTooLarge:            "The page exceeds the limits. If that is right, raise max_page_size or max_series.",
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

// reasonOf names an error in a word of low cardinality: the HTTP status, or one
// of the reasons above.
func reasonOf(err error) string {
	var (
		status  *statusError
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
		alert   tls.AlertError
		corrupt flate.CorruptInputError
		network net.Error
		ended   *containerError
	)
	switch {
	case errors.As(err, &ended):
		return ended.reason
	case errors.As(err, &status):
		return strconv.Itoa(status.code)
	case errors.Is(err, errRedirect):
		return reasonRedirect
	case errors.Is(err, errHTML):
		return reasonNotMetrics
	case errors.Is(err, promtext.ErrSyntax), errors.Is(err, errNotJSON), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return reasonMalformed
	case errors.Is(err, promtext.ErrTooLarge), errors.Is(err, promtext.ErrLineTooLong), errors.Is(err, promtext.ErrTooManySeries):
		return reasonTooLarge
	case errors.Is(err, promtext.ErrTruncated), errors.Is(err, io.ErrUnexpectedEOF):
		return reasonTruncated
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &record), errors.As(err, &verify), errors.As(err, &alert):
		return reasonTLS
	case errors.As(err, &dns) && !dns.IsTimeout:
		return reasonNameNotFound
	case errors.Is(err, syscall.ECONNREFUSED):
		return reasonRefused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return reasonTimeout
	default:
		return reasonConnection
	}
}

// answered says whether there was a server at all behind the reason.
func answered(reason string) bool {
	switch reason {
	case reasonTimeout, reasonNameNotFound, reasonRefused, reasonTLS, reasonConnection,
		reasonContainerExited, reasonContainerPaused, reasonContainerRestarting, reasonNoAddress:
		return false
	}
	return true
}

// hintFor says what to do about a reason.
func hintFor(reason string) string {
	if hint, ok := hints[reason]; ok {
		return hint
	}
	return "See the server's own log."
}

// serverError says whether the server answered that it is not well.
func serverError(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.code >= 500
}

// stranger says whether what answered is something else than a vLLM server: a
// login page says 200 to a health check as well.
func stranger(reason string) bool {
	return reason == reasonNotMetrics || reason == reasonRedirect
}

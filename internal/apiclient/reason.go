package apiclient

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// Reasons that are not an HTTP status: values of error.type.
const (
	ReasonTimeout      = "timeout"
	ReasonNameNotFound = "name_not_found"
	ReasonRefused      = "connection_refused"
	ReasonTLS          = "tls"
	ReasonConnection   = "connection_error"
	ReasonRedirect     = "redirect"
	ReasonHTML         = "html"
	ReasonMalformed    = "malformed"
	ReasonTruncated    = "truncated"
	ReasonTooLarge     = "too_large"
	ReasonRateLimit    = "own_rate_limit"
)

// Reason names an error in a word of low cardinality: the HTTP status, or one of
// the reasons above.
func Reason(err error) string {
	var (
		status  *StatusError
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
		alert   tls.AlertError
		corrupt flate.CorruptInputError
		socket  *net.OpError
		network net.Error
	)
	switch {
	case errors.As(err, &status):
		return strconv.Itoa(status.Code)
	case errors.Is(err, ErrRedirect):
		return ReasonRedirect
	case errors.Is(err, ErrHTML):
		return ReasonHTML
	case errors.Is(err, ErrRateLimit):
		return ReasonRateLimit
	case errors.Is(err, promtext.ErrSyntax), errors.Is(err, ErrNotJSON), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return ReasonMalformed
	case errors.Is(err, ErrTooLarge), errors.Is(err, promtext.ErrTooLarge), errors.Is(err, promtext.ErrLineTooLong), errors.Is(err, promtext.ErrTooManySeries):
		return ReasonTooLarge
	case errors.Is(err, promtext.ErrTruncated), errors.Is(err, io.ErrUnexpectedEOF):
		return ReasonTruncated
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &record), errors.As(err, &verify), errors.As(err, &alert),
		errors.As(err, &socket) && (socket.Op == "remote error" || socket.Op == "local error"): // an alert, as crypto/tls wraps it
		return ReasonTLS
	case errors.As(err, &dns) && !dns.IsTimeout:
		return ReasonNameNotFound
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonRefused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return ReasonTimeout
	default:
		return ReasonConnection
	}
}

// Reached says whether there was a server at all behind the reason.
func Reached(reason string) bool {
	switch reason {
	case ReasonTimeout, ReasonNameNotFound, ReasonRefused, ReasonTLS, ReasonConnection, ReasonRateLimit:
		return false
	}
	return true
}

// passing says whether to ask again may help.
func passing(err error) bool {
	if errors.Is(err, ErrGateClosed) || errors.Is(err, context.Canceled) || errors.Is(err, ErrRateLimit) {
		return false
	}
	switch Reason(err) {
	case ReasonTimeout, ReasonRefused, ReasonConnection, ReasonTruncated, ReasonNameNotFound,
		"408", "425", "429", "500", "502", "503", "504", "520", "521", "522", "523", "524", "529":
		return true
	}
	return false
}

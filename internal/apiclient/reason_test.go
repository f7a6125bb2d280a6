package apiclient

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
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// examples are errors of each reason.
var examples = map[string][]error{
	"503":              {&StatusError{Code: 503}, errors.Join(&StatusError{Code: 503}, io.ErrUnexpectedEOF)},
	ReasonRedirect:     {ErrRedirect},
	ReasonHTML:         {ErrHTML},
	ReasonRateLimit:    {fmt.Errorf("%w: %w", ErrRateLimit, context.DeadlineExceeded)},
	ReasonMalformed:    {promtext.ErrSyntax, ErrNotJSON, gzip.ErrHeader, gzip.ErrChecksum, flate.CorruptInputError(1)},
	ReasonTooLarge:     {ErrTooLarge, promtext.ErrTooLarge, promtext.ErrLineTooLong, promtext.ErrTooManySeries},
	ReasonTruncated:    {promtext.ErrTruncated, io.ErrUnexpectedEOF},
	ReasonTLS:          {http.ErrSchemeMismatch, x509.UnknownAuthorityError{}, x509.HostnameError{Certificate: &x509.Certificate{}}, x509.CertificateInvalidError{}, tls.RecordHeaderError{}, &tls.CertificateVerificationError{Err: io.EOF}, tls.AlertError(40)},
	ReasonNameNotFound: {&net.DNSError{IsNotFound: true}},
	ReasonRefused:      {syscall.ECONNREFUSED},
	ReasonTimeout:      {context.DeadlineExceeded, &net.DNSError{IsTimeout: true}},
	ReasonConnection:   {io.EOF, syscall.ECONNRESET, context.Canceled},
}

func TestReason(t *testing.T) {
	for want, errs := range examples {
		for _, err := range errs {
			assert.Equal(t, want, Reason(err), "%T", err)
			assert.Equal(t, want, Reason(&url.Error{Op: "Get", URL: "http://a", Err: err}), "%T", err)
			assert.Equal(t, want, Reason(fmt.Errorf("%w: %w", ErrGateClosed, err)), "%T", err)
		}
	}
}

func TestReached(t *testing.T) {
	for _, reason := range []string{ReasonTimeout, ReasonNameNotFound, ReasonRefused, ReasonTLS, ReasonConnection, ReasonRateLimit} {
		assert.False(t, Reached(reason), reason)
	}
	for _, reason := range []string{"401", "500", ReasonRedirect, ReasonHTML, ReasonMalformed, ReasonTooLarge, ReasonTruncated} {
		assert.True(t, Reached(reason), reason)
	}
}

// TestHint: each reason has a hint, and so has each number.
func TestHint(t *testing.T) {
	const other = "See the server's own log."
	for reason := range examples {
		assert.NotEqual(t, other, Hint(reason), reason)
	}
	for _, reason := range []string{"500", "418", ""} {
		assert.Equal(t, other, Hint(reason), reason)
	}
	for reason, hint := range hints {
		assert.Equal(t, hint, Hint(reason))
		assert.Regexp(t, `^[A-Z].*\.$`, hint)
	}
}

func TestBare(t *testing.T) {
	inner := errors.New("inner")
	assert.Equal(t, inner, bare(inner))
	assert.Equal(t, inner, bare(&url.Error{URL: "a", Err: &url.Error{URL: "b", Err: inner}}))
}

package apiclient

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// What may be wrong with an answer.
var (
	ErrRedirect   = errors.New("server redirects")
	ErrHTML       = errors.New("server answers with an HTML page")
	ErrNotJSON    = errors.New("server does not answer with the JSON expected")
	ErrTooLarge   = errors.New("answer is larger than the limit")
	ErrRateLimit  = errors.New("own rate limit leaves no time")
	ErrGateClosed = errors.New("not asked for now")
)

// StatusError is an HTTP answer other than 200.
type StatusError struct {
	Code int
	// RetryAfter is how long the server wants to be left alone, 0 where it does not
	// say.
	RetryAfter time.Duration
	// Detail is the beginning of the answer to a bad request (400, 422): what is
	// wrong with it. Of others it is empty; refusals may repeat the key.
	Detail string
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("server answers %d", e.Code)
	if e.RetryAfter > 0 {
		text += fmt.Sprintf(", asks for a pause of %s", e.RetryAfter.Round(time.Second))
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

const (
	// maxDrain is how much of an unwanted answer is read, so that the connection can
	// be used again.
	maxDrain = 4 << 10
	// maxDetail is how much of an answer an error repeats.
	maxDetail = 200
	// minSecret is how long a secret is at least; what is shorter would be found in
	// any text.
	minSecret = 6
	// maxRetryAfter bounds what a server may ask for.
	maxRetryAfter = 24 * time.Hour
)

func newStatusError(resp *http.Response, now time.Time) *StatusError {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxDrain))
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date // a date in the answer is one of the server's clock
	}
	e := &StatusError{Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now)}
	if e.Code == http.StatusBadRequest || e.Code == http.StatusUnprocessableEntity {
		detail := string(text)
		if resp.Request != nil {
			detail = discreet(detail, resp.Request)
		}
		e.Detail = line(detail)
	}
	return e
}

// discreet takes out of the text what the request told in confidence: a server may
// repeat a key that it cannot read.
func discreet(text string, req *http.Request) string {
	_, password, _ := req.BasicAuth()
	secrets := []string{password}
	for name, values := range req.Header {
		if name == "Accept" {
			continue
		}
		for _, value := range values {
			_, credentials, _ := strings.Cut(value, " ") // after Bearer or Basic
			secrets = append(secrets, value, credentials)
		}
	}
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// line is the beginning of a text, fit for one line of a log.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text[:min(len(text), maxDetail)])
}

// retryAfter reads both forms of the header, seconds and a date (RFC 9110, 10.2.3).
func retryAfter(header string, now time.Time) time.Duration {
	const most = int64(maxRetryAfter / time.Second)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

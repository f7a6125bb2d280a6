package apiclient

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestStatusError(t *testing.T) {
	for want, err := range map[string]*StatusError{
		"server answers 500":                                    {Code: 500},
		"server answers 429, asks for a pause of 1m30s":         {Code: 429, RetryAfter: 90*time.Second + time.Millisecond},
		"server answers 400: no such field":                     {Code: 400, Detail: "no such field"},
		"server answers 422, asks for a pause of 1s: not today": {Code: 422, RetryAfter: time.Second, Detail: "not today"},
	} {
		assert.EqualError(t, err, want)
	}
}

func TestDetail(t *testing.T) {
	now := time.Now()
	for _, code := range []int{400, 422} {
		assert.Equal(t, "wrong  field ☂", newStatusError(answer(code, "wrong\r\nfield ☂"), now).Detail)
		assert.Len(t, newStatusError(answer(code, strings.Repeat("x", 10000)), now).Detail, maxDetail)
		assert.True(t, utf8.ValidString(newStatusError(answer(code, strings.Repeat("☂", 1000)), now).Detail))
	}
	for _, code := range []int{401, 403, 404, 500} {
		assert.Empty(t, newStatusError(answer(code, "wrong"), now).Detail)
	}
}

func TestDiscreet(t *testing.T) {
	req := &http.Request{Header: http.Header{"Authorization": {"Bearer sk-12345678"}, "Accept": {"application/json"}, "X-Tenant": {"a"}, "X-Empty": {""}}}
	assert.Equal(t, "a key (***) wants application/json", discreet("a key (sk-12345678) wants application/json", req))
	assert.Equal(t, "a *** is none", discreet("a Bearer sk-12345678 is none", req))
	req.SetBasicAuth("public", secret)
	assert.Equal(t, "public and *** are no pair", discreet("public and "+secret+" are no pair", req))
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"7":                              7 * time.Second,
		"-7":                             0,
		"1.5":                            0,
		"soon":                           0,
		"86400":                          24 * time.Hour,
		"86401":                          24 * time.Hour,
		"99999999999":                    24 * time.Hour,
		"99999999999999999999":           24 * time.Hour,
		"-9223372037":                    0,
		"-99999999999999999999":          0,
		"Fri, 01 May 2026 12:01:30 GMT":  90 * time.Second,
		"Friday, 01-May-26 12:00:05 GMT": 5 * time.Second,
		"Fri May  1 12:00:05 2026":       5 * time.Second,
		"Fri, 01 May 2026 11:59:59 GMT":  0,
		"Fri, 01 May 2026 12:01:30 CET":  0,
		"Sat, 02 May 9999 12:00:00 GMT":  24 * time.Hour,
	} {
		assert.Equal(t, want, retryAfter(header, now), header)
	}
}

// TestClockSkew: a server whose clock is wrong gives dates by its own clock.
func TestClockSkew(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	until := now.Add(time.Hour + time.Minute).Format(http.TimeFormat)
	for date, want := range map[string]time.Duration{
		now.Add(time.Hour).Format(http.TimeFormat): time.Minute,
		"":          time.Hour + time.Minute,
		"yesterday": time.Hour + time.Minute,
	} {
		assert.Equal(t, want, newStatusError(answer(503, "", "Date", date, "Retry-After", until), now).RetryAfter, date)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, header := range []string{"", "7", "-9223372037", "99999999999999999999", "Fri, 01 May 2026 12:01:30 GMT", "Sat, 01 Jan 0000 00:00:00 GMT"} {
		f.Add(header, int64(1777636800))
	}
	f.Fuzz(func(t *testing.T, header string, now int64) {
		pause := retryAfter(header, time.Unix(now, 0))
		if pause < 0 || pause > maxRetryAfter {
			t.Errorf("%q: %s", header, pause)
		}
	})
}

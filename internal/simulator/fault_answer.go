package simulator

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
)

// hugePage writes until size is reached or the client goes.
func hugePage(w io.Writer, name string, size int64) {
	written, _ := io.WriteString(w, "# TYPE "+name+" gauge\n")
	var lines bytes.Buffer
	for left, i := size-int64(written), 0; left > 0; left -= int64(lines.Len()) {
		lines.Reset()
		for lines.Len() < 32<<10 {
			fmt.Fprintf(&lines, "%s{engine=\"%d\",model_name=\"huge\"} 1.0\n", name, i)
			i++
		}
		if _, err := w.Write(lines.Bytes()); err != nil {
			return
		}
	}
}

func hugeLine(w io.Writer, name string, size int64) {
	_, _ = io.WriteString(w, name+`{model_name="`)
	chunk := bytes.Repeat([]byte("a"), 32<<10)
	for left := size; left > 0; left -= int64(len(chunk)) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

const bombMember = 8 << 20

// bombs has for each metric one gzip member that unpacks to bombMember bytes of samples; a gzip stream may have any number of
// members.
var bombs sync.Map

func bomb(name string) []byte {
	if known, ok := bombs.Load(name); ok {
		return known.([]byte)
	}
	var packed bytes.Buffer
	line := []byte(name + " 0.0000000\n")
	z := gzip.NewWriter(&packed)
	text := bytes.Repeat(line, bombMember/len(line)+1)[:bombMember-1]
	_, _ = z.Write(append(text, '\n'))
	_ = z.Close()
	bombs.Store(name, packed.Bytes())
	return packed.Bytes()
}

func gzipBomb(w io.Writer, name string, size int64) {
	packed := bomb(name)
	for left := size; left > 0; left -= bombMember {
		if _, err := w.Write(packed); err != nil {
			return
		}
	}
}

// truncate announces the whole body and sends some more than half of it, up to the middle of a line.
func truncate(w http.ResponseWriter, answer *recorder) {
	body := answer.body.Bytes()
	half := body[:len(body)*6/10]
	start := bytes.LastIndexByte(half, '\n') + 1
	end := len(body)
	if i := bytes.IndexByte(body[start:], '\n'); i >= 0 {
		end = start + i
	}
	w.Header().Set("Content-Length", itoa(len(body)))
	answer.replay(w, body[:(start+end)/2])
}

// notNumbers replaces the values of samples, in turn, except every fourth.
func notNumbers(page []byte) []byte {
	values := [...]string{" NaN", " +Inf", " -Inf"}
	lines := bytes.Split(page, []byte("\n"))
	n := 0
	for i, line := range lines {
		space := bytes.LastIndexByte(line, ' ')
		if space < 0 || line[0] == '#' {
			continue
		}
		if k := n % 4; k < len(values) {
			lines[i] = append(line[:space:space], values[k]...)
		}
		n++
	}
	return bytes.Join(lines, []byte("\n"))
}

// recorder holds the answer of the handler that works, to be sent later with changes.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// record asks for an answer that is not packed: what is changed is its text.
func record(next http.Handler, r *http.Request) *recorder {
	a := &recorder{header: http.Header{}, status: http.StatusOK}
	r = r.Clone(r.Context())
	r.Header.Del("Accept-Encoding")
	next.ServeHTTP(a, r)
	return a
}

// Header implements http.ResponseWriter.
func (a *recorder) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *recorder) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *recorder) Write(b []byte) (int, error) { return a.body.Write(b) }

// replay sends the recorded head with another body.
func (a *recorder) replay(w http.ResponseWriter, body []byte) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

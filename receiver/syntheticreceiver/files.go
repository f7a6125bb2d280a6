package syntheticreceiver

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

const (
	// maxLogFile is when a log begins anew; the file before is kept, as Docker's
	// json-file driver does with max-file=2.
	maxLogFile = 4 << 20
	// clockTicks is the number of ticks a second in /proc/<pid>/stat.
	clockTicks = 100
)

// files is what the site keeps in files: logs of containers, and its processes.
type files struct {
	root string
	// temporary says that root is removed at the end.
	temporary bool

	mu      sync.Mutex
	open    map[string]*logFile
	known   map[int]string // container by pid
	started int            // of processes, to tell one from its predecessor
	// err is what went wrong since it was last asked for.
	err error
}

type logFile struct {
	path string
	file *os.File
	buf  *bufio.Writer
	size int
}

func openFiles(root string) (*files, error) {
	f := &files{root: root, open: make(map[string]*logFile), known: make(map[int]string)}
	var err error
	if root == "" {
		f.temporary = true
		f.root, err = os.MkdirTemp("", "otelcol-llm-synthetic-")
	} else {
		err = os.MkdirAll(root, 0o750)
		// What an earlier run left is of other containers.
		err = errors.Join(err, os.RemoveAll(filepath.Join(root, "containers")), os.RemoveAll(filepath.Join(root, "proc")))
	}
	if err != nil {
		return nil, err
	}
	return f, errors.Join(os.MkdirAll(filepath.Join(f.root, "containers"), 0o750), os.MkdirAll(f.proc(), 0o750))
}

func (f *files) proc() string { return filepath.Join(f.root, "proc") }

// logs is the pattern of the log files.
func (f *files) logs() string { return filepath.Join(f.root, "containers", "*", "*-json.log") }

// log is the [site.LogSink]: it writes a line as Docker's json-file driver does.
func (f *files) log(id string, at time.Time, stream, text string) {
	line, err := json.Marshal(struct {
		Log    string `json:"log"`
		Stream string `json:"stream"`
		Time   string `json:"time"`
	}{text + "\n", stream, at.UTC().Format(time.RFC3339Nano)})
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.open[id]
	if l == nil {
		l = &logFile{path: filepath.Join(f.root, "containers", id, id+"-json.log")}
		err = errors.Join(err, os.MkdirAll(filepath.Dir(l.path), 0o750), l.create())
		f.open[id] = l
	}
	if l.buf != nil && err == nil {
		if l.buf.Available() <= len(line) { // whole lines: a reader must not meet a half
			err = l.buf.Flush()
		}
		if err == nil {
			_, err = l.buf.Write(append(line, '\n'))
		}
		l.size += len(line) + 1
		if l.size > maxLogFile {
			err = errors.Join(err, l.rotate())
		}
	}
	f.err = errors.Join(f.err, err)
}

func (l *logFile) create() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	l.file, l.buf, l.size = file, bufio.NewWriter(file), 0
	return nil
}

func (l *logFile) rotate() error {
	err := errors.Join(l.buf.Flush(), l.file.Close(), os.Rename(l.path, l.path+".1"))
	l.buf = nil
	return errors.Join(err, l.create())
}

// problem is what went wrong since it was last asked for.
func (f *files) problem() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.err
	f.err = nil
	return err
}

// processes writes what /proc says of the processes of containers, and what the
// step before has logged.
func (f *files) processes(list []site.Process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.open {
		if l.buf != nil {
			f.err = errors.Join(f.err, l.buf.Flush())
		}
	}
	present := make(map[int]string, len(list))
	for _, p := range list {
		present[p.PID] = p.Container
		if f.known[p.PID] != p.Container {
			f.err = errors.Join(f.err, f.write(p))
		}
	}
	for pid := range f.known {
		if _, ok := present[pid]; !ok {
			f.err = errors.Join(f.err, os.RemoveAll(filepath.Join(f.proc(), strconv.Itoa(pid))))
		}
	}
	f.known = present
}

// write makes the files of one process, as far as they are read: see proc(5).
func (f *files) write(p site.Process) error {
	dir := filepath.Join(f.proc(), strconv.Itoa(p.PID))
	f.started++
	return errors.Join(
		os.MkdirAll(dir, 0o750),
		os.WriteFile(filepath.Join(dir, "comm"), []byte(p.Name+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "cgroup"), []byte("0::/system.slice/docker-"+p.Container+".scope\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "stat"), fmt.Appendf(nil, "%d (%s) S 1 %d %d 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n",
			p.PID, p.Name, p.PID, p.PID, f.started*clockTicks), 0o600),
	)
}

// close closes the logs and removes what is nobody else's.
func (f *files) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, l := range f.open {
		if l.buf != nil {
			errs = append(errs, l.buf.Flush(), l.file.Close())
		}
	}
	clear(f.open)
	if f.temporary {
		errs = append(errs, os.RemoveAll(f.root))
	}
	return errors.Join(errs...)
}

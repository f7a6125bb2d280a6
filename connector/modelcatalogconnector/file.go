package modelcatalogconnector

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// maxFileSize is how large the file may be.
const maxFileSize = 1 << 20

// overrideFile is the file of the operator, read again when it has changed.
type overrideFile struct {
	path    string
	current *overrides

	// modified and size are of the content that was read last, good or not.
	read     bool
	modified time.Time
	size     int64
	err      error
}

func newOverrideFile(path string) *overrideFile {
	return &overrideFile{path: path, current: &overrides{}}
}

// refresh reads the file if it is another one than last time. If it cannot be used
// what was read before stays. It returns what is wrong with the file as it is now.
func (f *overrideFile) refresh() error {
	if f.path == "" {
		return nil
	}
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		f.read, f.err = false, accessFault(err)
		return f.err
	case !f.read || !info.ModTime().Equal(f.modified) || info.Size() != f.size:
		f.load(info)
	}
	return f.err
}

func (f *overrideFile) load(info fs.FileInfo) {
	content, err := contentOf(f.path, info)
	if err != nil {
		f.read, f.err = false, err // what is in the way may go without a change of the file
		return
	}
	f.read, f.modified, f.size = true, info.ModTime(), info.Size()
	o, err := parseOverrides(content)
	if f.err = err; err == nil {
		f.current = o
	}
}

func contentOf(path string, info fs.FileInfo) ([]byte, error) {
	switch {
	case !info.Mode().IsRegular(): // reading a pipe could take for ever
		return nil, &fault{what: "it is not a regular file"}
	case info.Size() > maxFileSize:
		return nil, &fault{what: fmt.Sprintf("it has more than %d bytes: drop what the sources tell anyway", maxFileSize)}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, accessFault(err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFileSize)) // it may have grown
	if err != nil {
		return nil, accessFault(err)
	}
	return content, nil
}

// accessFault leaves out the path, which stands beside it.
func accessFault(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fault{what: `it does not exist: create it, or correct "file"`}
	case errors.Is(err, fs.ErrPermission):
		return &fault{what: "the user of the collector may not read it"}
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &fault{what: "it cannot be read: " + err.Error()}
}

package nvmltest

import (
	"bytes"
	"context"
	"debug/elf"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

//go:embed testdata/fakedriver/fakedriver.c
var source []byte

// Driver is a built library.
type Driver struct {
	// Path is for nvml.WithLibraryPath.
	Path string
}

// Option changes what Build builds.
type Option func(*options)

type options struct{ hidden func(symbol string) bool }

// Without leaves functions out, as an older driver would.
func Without(symbols ...string) Option {
	return func(o *options) {
		o.hidden = func(s string) bool { return slices.Contains(symbols, s) }
	}
}

// Only leaves all other functions out.
func Only(symbols ...string) Option {
	return func(o *options) {
		o.hidden = func(s string) bool { return !slices.Contains(symbols, s) }
	}
}

// Driver535 is what a driver of about 2023 lacks of the functions that package
// nvml calls.
func Driver535() []string {
	return []string{
		"nvmlDeviceGetTemperatureV", "nvmlDeviceGetMarginTemperature", "nvmlDeviceGetGpuFabricInfoV",
		"nvmlDeviceGetSramEccErrorStatus", "nvmlDeviceGetJpgUtilization", "nvmlDeviceGetOfaUtilization",
	}
}

// Build builds a library for the time of the test.
func Build(tb testing.TB, opts ...Option) *Driver {
	tb.Helper()
	d, err := BuildIn(tb.TempDir(), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// BuildIn is Build for TestMain; the directory has to be empty.
func BuildIn(dir string, opts ...Option) (*Driver, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	d := &Driver{Path: filepath.Join(dir, "libnvidia-ml.so.1")}
	library, err := compiled()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.Path, library, 0o600); err != nil {
		return nil, err
	}
	if o.hidden != nil {
		if err := hide(d.Path, o.hidden); err != nil {
			return nil, err
		}
	}
	return d, nil
}

var compiled = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "nvmltest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "library.so")
	gcc := exec.CommandContext(context.Background(), "gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
		"-Wl,-Bsymbolic,-soname,libnvidia-ml.so.1", "-fvisibility=hidden", "-o", path, "-x", "c", "-", "-lpthread", "-ldl")
	gcc.Stdin = bytes.NewReader(source)
	if out, err := gcc.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w\n%s", err, out)
	}
	return os.ReadFile(path)
})

// Symbols lists the functions of a driver of which none was left out.
func (d *Driver) Symbols() ([]string, error) {
	f, err := elf.Open(d.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	all, err := f.DynamicSymbols()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range all {
		if strings.HasPrefix(s.Name, "nvml") {
			names = append(names, s.Name)
		}
	}
	return names, nil
}

// hide renames symbols where the dynamic linker reads their names. The table of
// hashes still has the old names, so that neither name is found.
func hide(path string, hidden func(string) bool) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	section := f.Section(".dynstr")
	names, err := section.Data()
	if err != nil {
		return err
	}
	for at := 0; at < len(names); {
		end := at + bytes.IndexByte(names[at:], 0)
		if name := string(names[at:end]); strings.HasPrefix(name, "nvml") && hidden(name) {
			names[at] = '-'
		}
		at = end + 1
	}
	out, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := out.WriteAt(names, int64(section.Offset)); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

func (d *Driver) beside(name string) string { return filepath.Join(filepath.Dir(d.Path), name) }

// Set replaces what the driver was told; without lines it plays two idle GPUs.
func (d *Driver) Set(tb testing.TB, lines ...string) {
	tb.Helper()
	text := strings.Join(lines, "\n") + "\n"
	next := d.beside("control.next") // a call may read at any moment
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(next, d.beside("control")); err != nil {
		tb.Fatal(err)
	}
}

// Trace gives the calls since the last Trace, each "SYMBOL@GPU", where GPU is -1
// if none is concerned.
func (d *Driver) Trace(tb testing.TB) []string {
	tb.Helper()
	taken := d.beside("trace.taken")
	switch err := os.Rename(d.beside("trace"), taken); {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		tb.Fatal(err)
	}
	text, err := os.ReadFile(taken)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Fields(strings.ReplaceAll(strings.TrimSpace(string(text)), " ", "@"))
}

package docker

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// trust is how long a pid is believed to be the same process without a look
	// at its start time: pids are not used again that fast.
	trust = time.Second
	// keepFound and keepMissing bound the age of what was read: a process is moved
	// into its container right after it began, so that "none" is soon asked again.
	keepFound   = 10 * time.Minute
	keepMissing = 5 * time.Second
	maxPids     = 16_384
	// maxProcFile bounds what is read of a file in proc.
	maxProcFile = 1 << 20
)

// CgroupReader finds the containers of processes. It is safe for concurrent use.
type CgroupReader struct {
	root string
	now  func() time.Time

	mu    sync.RWMutex
	cache map[int]process
}

// process is what was read of one process.
type process struct {
	// start is field 22 of its stat: with the pid it names one process.
	start      uint64
	candidates []string
	read       time.Time
	// checked is when the start time was last compared.
	checked time.Time
}

// NewCgroupReader returns a reader of the proc mounted at root. An empty root means HOST_PROC, else /proc.
func NewCgroupReader(root string) *CgroupReader {
	cfg := Config{ProcRoot: root}
	return &CgroupReader{root: cfg.ProcDir(), now: time.Now, cache: make(map[int]process)}
}

// Candidates returns the ids of containers that a process may be in, the
// innermost first, or none for a process of the host or one that has ended. The
// slice is shared: read only.
func (r *CgroupReader) Candidates(pid int) []string {
	now := r.now()
	r.mu.RLock()
	p, known := r.cache[pid]
	r.mu.RUnlock()
	if known && now.Sub(p.checked) < trust {
		return p.candidates
	}
	start, ok := r.startTime(pid)
	if !ok {
		r.mu.Lock()
		delete(r.cache, pid)
		r.mu.Unlock()
		return nil
	}
	age := keepFound
	if len(p.candidates) == 0 {
		age = keepMissing
	}
	if !known || p.start != start || now.Sub(p.read) >= age {
		p = process{start: start, candidates: r.read(pid), read: now}
	}
	p.checked = now
	r.put(pid, p)
	return p.candidates
}

// ContainerID returns the id of the container of a process: the first candidate
// that is known, since with Docker in Docker the engine knows the outer one only.
// With known nil it is the innermost.
func (r *CgroupReader) ContainerID(pid int, known func(id string) bool) (string, bool) {
	for _, id := range r.Candidates(pid) {
		if known == nil || known(id) {
			return id, true
		}
	}
	return "", false
}

func (r *CgroupReader) put(pid int, p process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.cache[pid]; !known && len(r.cache) >= maxPids {
		// First those that nobody asked for lately, then any: they are read again.
		for pid, old := range r.cache {
			if p.checked.Sub(old.checked) > keepMissing {
				delete(r.cache, pid)
			}
		}
		for pid := range r.cache {
			if len(r.cache) < maxPids/2 {
				break
			}
			delete(r.cache, pid)
		}
	}
	r.cache[pid] = p
}

// startTime reads when a process began, in ticks since boot.
func (r *CgroupReader) startTime(pid int) (uint64, bool) {
	stat, err := r.file(pid, "stat")
	if err != nil {
		return 0, false
	}
	// The name, in parentheses, may hold spaces and parentheses itself.
	rest := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const field = 22 - 3 // the first after the name is field 3
	if len(rest) <= field {
		return 0, false
	}
	start, err := strconv.ParseUint(string(rest[field]), 10, 64)
	return start, err == nil
}

func (r *CgroupReader) read(pid int) []string {
	if file, err := r.file(pid, "cgroup"); err == nil {
		if found := cgroupCandidates(file); len(found) > 0 {
			return found
		}
	}
	if file, err := r.file(pid, "mountinfo"); err == nil {
		return mountCandidates(file)
	}
	return nil
}

func (r *CgroupReader) file(pid int, name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(r.root, strconv.Itoa(pid), name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxProcFile))
}

// cgroupCandidates reads /proc/<pid>/cgroup, lines of hierarchy:controllers:path
// (man 7 cgroups). The path may begin with /.. when the reader has a cgroup
// namespace of its own.
func cgroupCandidates(file []byte) []string {
	// The order in which hierarchies are believed.
	const (
		unified = iota
		systemd
		memory
		pids
		others
	)
	var found [others + 1][]string
	lines := bufio.NewScanner(bytes.NewReader(file))
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), ":", 3)
		if len(parts) != 3 {
			continue
		}
		rank := others
		switch controllers := strings.Split(parts[1], ","); {
		case parts[0] == "0" && parts[1] == "":
			rank = unified
		case parts[1] == "name=systemd":
			rank = systemd
		case slices.Contains(controllers, "memory"):
			rank = memory
		case slices.Contains(controllers, "pids"):
			rank = pids
		}
		found[rank] = append(found[rank], pathCandidates(parts[2])...)
	}
	var unique []string
	for _, ids := range found {
		for _, id := range ids {
			if !slices.Contains(unique, id) {
				unique = append(unique, id)
			}
		}
	}
	return unique
}

// runtimePrefixes stand before the id in the name of a systemd scope. Conmon, the monitor of
// podman and CRI-O, is no process of the container: with its own prefix left, it is no id.
var runtimePrefixes = []string{"docker-", "libpod-", "cri-containerd-", "crio-", "nerdctl-"}

// pathCandidates returns the ids in the path of a cgroup, the last first.
func pathCandidates(path string) []string {
	var found []string
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == ':' })
	for _, segment := range slices.Backward(segments) {
		segment = strings.TrimSuffix(segment, ".scope")
		for _, prefix := range runtimePrefixes {
			if id, ok := strings.CutPrefix(segment, prefix); ok {
				segment = id
				break
			}
		}
		if isID(segment) {
			found = append(found, segment)
		}
	}
	return found
}

// mountCandidates reads /proc/<pid>/mountinfo: Docker mounts three files of a
// container from .../containers/<id>/. It is a heuristic for when the cgroup says
// nothing. Other paths have 64 digits too, those of image layers.
func mountCandidates(file []byte) []string {
	var found []string
	lines := bufio.NewScanner(bytes.NewReader(file))
	lines.Buffer(nil, maxProcFile) // an overlay names all its layers in one line
	for lines.Scan() {
		parts := strings.Fields(lines.Text())
		if len(parts) < 5 {
			continue
		}
		root, target := parts[3], parts[4]
		if target != "/etc/hostname" && target != "/etc/hosts" && target != "/etc/resolv.conf" {
			continue
		}
		_, rest, _ := strings.Cut(root, "/containers/")
		id, _, ok := strings.Cut(rest, "/")
		if ok && isID(id) && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

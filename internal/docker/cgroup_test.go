package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	idA = strings.Repeat("a1", 32)
	idB = strings.Repeat("b2", 32)
	idC = strings.Repeat("c3", 32)
)

// fakeProc is a proc of which a test writes the files.
type fakeProc struct {
	t    testing.TB
	root string
}

func newProc(t *testing.T) fakeProc {
	t.Helper()
	return fakeProc{t: t, root: t.TempDir()}
}

func (p fakeProc) write(pid int, name, content string) {
	p.t.Helper()
	dir := filepath.Join(p.root, strconv.Itoa(pid))
	require.NoError(p.t, os.MkdirAll(dir, 0o700))
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
}

func (p fakeProc) process(pid int, start uint64, cgroup string) {
	p.t.Helper()
	// The name is as bad as can be.
	p.write(pid, "stat", fmt.Sprintf("%d (VLLM::Engine) S 1 (x) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 %d 1 1 0\n", pid, start))
	p.write(pid, "cgroup", cgroup)
}

func TestCgroupFormats(t *testing.T) {
	pod := "pod5b2c1b5e_5b0e_4d6b_9a3f_1234567890ab"
	for name, tt := range map[string]struct {
		cgroup string
		want   []string
	}{
		"docker v1 cgroupfs":       {"12:pids:/docker/" + idA + "\n4:memory:/docker/" + idA + "\n1:name=systemd:/docker/" + idA, []string{idA}},
		"docker v1 one line":       {"4:memory:/docker/" + idA, []string{idA}},
		"docker v1 systemd":        {"1:name=systemd:/system.slice/docker-" + idA + ".scope", []string{idA}},
		"docker v2 systemd":        {"0::/system.slice/docker-" + idA + ".scope", []string{idA}},
		"docker v2 cgroupfs":       {"0::/docker/" + idA, []string{idA}},
		"docker v2 child":          {"0::/system.slice/docker-" + idA + ".scope/init.scope", []string{idA}},
		"docker v2 cgroupfs child": {"0::/docker/" + idA + "/kernel/x", []string{idA}},
		"docker cgroup parent":     {"0::/llm.slice/llm-gpu.slice/docker-" + idA + ".scope", []string{idA}},
		"docker parent cgroupfs":   {"4:memory:/mygroup/" + idA, []string{idA}},
		"docker rootless":          {"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + idA + ".scope", []string{idA}},
		"podman":                   {"0::/machine.slice/libpod-" + idA + ".scope", []string{idA}},
		"podman, split":            {"0::/machine.slice/libpod-" + idA + ".scope/container", []string{idA}},
		"podman rootless":          {"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + idA + ".scope/container", []string{idA}},
		"podman conmon":            {"0::/machine.slice/libpod-conmon-" + idA + ".scope", nil},
		"containerd":               {"0::/default/" + idA, []string{idA}},
		"containerd, any name":     {"0::/default/my-redis", nil},
		"nerdctl":                  {"0::/system.slice/nerdctl-" + idA + ".scope", []string{idA}},
		"kubernetes systemd":       {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + pod + ".slice/cri-containerd-" + idA + ".scope", []string{idA}},
		"kubernetes crio":          {"0::/kubepods.slice/kubepods-" + pod + ".slice/crio-" + idA + ".scope", []string{idA}},
		"kubernetes crio child":    {"0::/kubepods.slice/kubepods-" + pod + ".slice/crio-" + idA + ".scope/container", []string{idA}},
		"kubernetes crio conmon":   {"0::/kubepods.slice/kubepods-" + pod + ".slice/crio-conmon-" + idA + ".scope", nil},
		"kubernetes docker":        {"1:name=systemd:/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" + pod + ".slice/docker-" + idA + ".scope", []string{idA}},
		"kubernetes cgroupfs":      {"4:memory:/kubepods/burstable/pod5b2c1b5e-5b0e-4d6b-9a3f-1234567890ab/" + idA, []string{idA}},
		"kubernetes colons":        {"0::/system.slice/containerd.service/kubepods-burstable-" + pod + ".slice:cri-containerd:" + idA, []string{idA}},
		"sibling, own namespace":   {"0::/../docker-" + idA + ".scope", []string{idA}},
		"sibling, cgroupfs":        {"0::/../" + idA, []string{idA}},
		"own container":            {"0::/", nil},
		"host, own namespace":      {"0::/../..", nil},
		"host":                     {"12:memory:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/user.slice/user-0.slice/session-1.scope", nil},
		"docker in docker":         {"0::/docker/" + idA + "/docker/" + idB, []string{idB, idA}},
		"docker in docker systemd": {"0::/system.slice/docker-" + idA + ".scope/system.slice/docker-" + idB + ".scope", []string{idB, idA}},
		"kind":                     {"0::/docker/" + idA + "/kubelet.slice/kubelet-kubepods.slice/cri-containerd-" + idB + ".scope", []string{idB, idA}},
		"unified first":            {"4:memory:/docker/" + idB + "\n1:name=systemd:/docker/" + idC + "\n0::/docker/" + idA, []string{idA, idC, idB}},
		"order of v1":              {"9:cpu,cpuacct:/docker/" + strings.Repeat("d", 64) + "\n8:pids:/docker/" + idC + "\n7:hugetlb,memory:/docker/" + idB + "\n1:name=systemd:/docker/" + idA, []string{idA, idB, idC, strings.Repeat("d", 64)}},
		"hybrid":                   {"1:name=systemd:/docker/" + idA + "\n0::/", []string{idA}},
		"too short":                {"0::/docker/" + idA[:63], nil},
		"too long":                 {"0::/docker/" + idA + "0", nil},
		"upper case":               {"0::/docker/" + strings.ToUpper(idA), nil},
		"not hexadecimal":          {"0::/docker/" + idA[:63] + "g", nil},
		"garbage":                  {"garbage\n::\n\n0:", nil},
		"empty":                    {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			proc := newProc(t)
			proc.process(7, 1, tt.cgroup)
			r := NewCgroupReader(proc.root)
			assert.Equal(t, tt.want, r.Candidates(7))
			id, found := r.ContainerID(7, nil)
			assert.Equal(t, tt.want != nil, found)
			if found {
				assert.Equal(t, tt.want[0], id, "the innermost")
			}
		})
	}
}

func TestMountinfo(t *testing.T) {
	layer := strings.Repeat("e", 64)
	for name, tt := range map[string]struct {
		mounts string
		want   []string
	}{
		"docker":           {"1 2 254:0 /var/lib/docker/containers/" + idA + "/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n1 2 254:0 /var/lib/docker/containers/" + idA + "/hostname /etc/hostname rw - ext4 /dev/vda rw", []string{idA}},
		"docker hosts":     {"1 2 254:0 /docker/containers/" + idA + "/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw", []string{idA}},
		"never layers":     {"1 2 0:55 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/" + layer + "/diff:/var/lib/docker/containers/" + layer + "/x\n1 2 254:0 /var/lib/docker/overlay2/" + layer + "/hosts /etc/hosts rw - ext4 /dev/vda rw", nil},
		"another file":     {"1 2 254:0 /var/lib/docker/containers/" + idA + "/secret /run/secret rw - ext4 /dev/vda rw", nil},
		"sandbox":          {"1 2 254:0 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/" + idA + "/hostname /etc/hostname rw - ext4 /dev/vda rw", nil},
		"short line":       {"1 2 254:0\n", nil},
		"long line before": {"1 2 0:55 / / rw - overlay overlay rw,lowerdir=" + strings.Repeat("x", 200_000) + "\n1 2 254:0 /containers/" + idA + "/hosts /etc/hosts rw - ext4 /dev/vda rw", []string{idA}},
	} {
		t.Run(name, func(t *testing.T) {
			proc := newProc(t)
			proc.process(7, 1, "0::/\n")
			proc.write(7, "mountinfo", tt.mounts)
			assert.Equal(t, tt.want, NewCgroupReader(proc.root).Candidates(7))
		})
	}
	proc := newProc(t)
	proc.process(7, 1, "0::/docker/"+idB)
	proc.write(7, "mountinfo", "1 2 254:0 /containers/"+idA+"/hosts /etc/hosts rw - ext4 /dev/vda rw")
	assert.Equal(t, []string{idB}, NewCgroupReader(proc.root).Candidates(7), "the cgroup wins")
}

func TestDockerInDocker(t *testing.T) {
	proc := newProc(t)
	proc.process(7, 1, "0::/docker/"+idA+"/docker/"+idB)
	r := NewCgroupReader(proc.root)
	id, found := r.ContainerID(7, func(id string) bool { return id == idA })
	assert.True(t, found)
	assert.Equal(t, idA, id)
	_, found = r.ContainerID(7, func(string) bool { return false })
	assert.False(t, found)
}

func TestCgroupCache(t *testing.T) {
	proc := newProc(t)
	now := time.Unix(1000, 0)
	r := NewCgroupReader(proc.root)
	r.now = func() time.Time { return now }

	assert.Nil(t, r.Candidates(7), "no such process")
	assert.Empty(t, r.cache)
	proc.process(7, 1, "0::/")
	assert.Nil(t, r.Candidates(7))
	proc.process(7, 1, "0::/docker/"+idA)
	now = now.Add(keepMissing - 1)
	assert.Nil(t, r.Candidates(7), "none is believed for a short time")
	now = now.Add(trust)
	assert.Equal(t, []string{idA}, r.Candidates(7))

	proc.process(7, 1, "0::/docker/"+idB)
	now = now.Add(time.Minute)
	assert.Equal(t, []string{idA}, r.Candidates(7), "the same process is read once")
	proc.process(7, 2, "0::/docker/"+idB)
	now = now.Add(trust)
	assert.Equal(t, []string{idB}, r.Candidates(7), "the same pid is another process")
	now = now.Add(keepFound)
	proc.process(7, 2, "0::/docker/"+idC)
	assert.Equal(t, []string{idC}, r.Candidates(7))

	require.NoError(t, os.RemoveAll(filepath.Join(proc.root, "7")))
	now = now.Add(trust)
	assert.Nil(t, r.Candidates(7), "it has ended")
	assert.Empty(t, r.cache)
	for _, stat := range []string{"", "7 (x) S 1", "7 (x) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 x 1 1 0"} {
		proc.write(7, "stat", stat)
		assert.Nil(t, r.Candidates(7))
	}
}

func TestCgroupCacheIsBounded(t *testing.T) {
	r := NewCgroupReader(t.TempDir())
	now := time.Unix(1000, 0)
	for pid := range maxPids {
		r.put(pid, process{checked: now})
	}
	r.put(maxPids, process{checked: now})
	assert.LessOrEqual(t, len(r.cache), maxPids/2+1, "with all of them in use, half is read again")
	for pid := range maxPids {
		r.put(pid, process{checked: now})
	}
	assert.LessOrEqual(t, len(r.cache), maxPids)
	r.put(-1, process{checked: now.Add(time.Minute)})
	for pid := maxPids; len(r.cache) < maxPids; pid++ {
		r.put(pid, process{checked: now})
	}
	r.put(-2, process{checked: now.Add(time.Minute)})
	assert.Len(t, r.cache, 2, "those nobody asked for go first")
}

// TestOwnProcess reads the real proc.
func TestOwnProcess(t *testing.T) {
	r := NewCgroupReader("/proc")
	_, ok := r.startTime(os.Getpid())
	assert.True(t, ok)
	_ = r.Candidates(os.Getpid())
	assert.Len(t, r.cache, 1)
}

func FuzzCgroup(f *testing.F) {
	f.Add([]byte("0::/docker/" + idA))
	f.Add([]byte("1 2 254:0 /containers/" + idA + "/hosts /etc/hosts"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, id := range append(cgroupCandidates(file), mountCandidates(file)...) {
			if !isID(id) || !strings.Contains(string(file), id) {
				t.Fatal(id)
			}
		}
	})
}

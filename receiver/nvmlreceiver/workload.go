package nvmlreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

// workload is what a process belongs to: a container, or a program outside of
// containers.
type workload struct {
	// container is the name of the container, its short id if the name is not
	// known, empty outside of containers.
	container, containerID string
	// model is the name under which the container serves its model, if it does.
	model string
	// program is the name of the program outside of containers.
	program string
}

// resolver finds out what a process belongs to.
type resolver interface {
	// resolve returns false for a process that is gone.
	resolve(pid uint32) (workload, bool)
	close()
}

// noResolver is for those who do not want to know.
type noResolver struct{}

func (noResolver) resolve(uint32) (workload, bool) { return workload{}, false }
func (noResolver) close()                          {}

// containers is what is needed of a [docker.Watcher].
type containers interface {
	ByPID(pid int) (*docker.Container, bool)
	ContainerIDByPID(pid int) (string, bool)
}

// dockerResolver finds containers by the cgroup of the process, and their name
// and model with the help of Docker.
type dockerResolver struct {
	containers containers
	proc       string
	release    func()

	mu sync.Mutex
	// models are by the id of the container. A container that changed is another
	// value with the same id.
	models map[string]detected
}

type detected struct {
	container *docker.Container
	model     string
}

// maxModels bounds what is remembered; beyond it all is found out anew.
const maxModels = 1000

func newDockerResolver(cfg docker.Config, logger *zap.Logger) (*dockerResolver, error) {
	watcher, release, err := docker.Acquire(cfg, logger)
	if err != nil {
		return nil, err
	}
	return &dockerResolver{containers: watcher, proc: procRoot(cfg.ProcRoot), release: release, models: make(map[string]detected)}, nil
}

func (r *dockerResolver) close() { r.release() }

func (r *dockerResolver) resolve(pid uint32) (workload, bool) {
	if c, ok := r.containers.ByPID(int(pid)); ok {
		return workload{container: c.Name, containerID: c.ID, model: r.model(c)}, true
	}
	if id, ok := r.containers.ContainerIDByPID(int(pid)); ok {
		return workload{container: id[:min(len(id), 12)], containerID: id}, true
	}
	name, ok := programName(r.proc, pid)
	return workload{program: name}, ok
}

// model is what the container serves: its first name is the one that metrics of
// the server have too.
func (r *dockerResolver) model(c *docker.Container) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, ok := r.models[c.ID]; ok && d.container == c {
		return d.model
	}
	if len(r.models) >= maxModels {
		clear(r.models)
	}
	d := detected{container: c}
	spec, ok := llmserver.Detect(llmserver.Source{Labels: c.Labels, Env: c.Env, Command: c.Command, Image: c.Image.Ref})
	if ok {
		d.model = spec.Model
		if len(spec.ServedNames) > 0 {
			d.model = spec.ServedNames[0]
		}
	}
	r.models[c.ID] = d
	return d.model
}

// programName is what the kernel calls the program, false if it has ended.
func programName(proc string, pid uint32) (string, bool) {
	comm, err := os.ReadFile(filepath.Join(proc, strconv.FormatUint(uint64(pid), 10), "comm"))
	return strings.TrimSpace(string(comm)), err == nil
}

// procRoot is where processes are to be found, by the rule of [docker.Config].
func procRoot(configured string) string {
	switch env := os.Getenv("HOST_PROC"); {
	case configured != "":
		return filepath.Clean(configured)
	case filepath.IsAbs(env):
		return filepath.Clean(env)
	default:
		return "/proc"
	}
}

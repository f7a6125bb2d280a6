package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
)

// DockerConfig describes a Docker engine.
type DockerConfig struct {
	// APIVersion and MinAPIVersion are the newest and the oldest version that the
	// engine speaks. Defaults 1.51 and 1.44, those of Docker 28.
	APIVersion, MinAPIVersion string
	// Containers are those that run.
	Containers []DockerContainer
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// DockerContainer is a running container.
type DockerContainer struct {
	ID, Name, Image string
	// CPU is the CPU time used so far, Memory the bytes in use.
	CPU    time.Duration
	Memory uint64
}

// Docker plays the part of the Docker Engine API that container statistics need:
// ping, list, inspect, stats and an event stream on which nothing happens.
// https://docs.docker.com/reference/api/engine/version/v1.51/
type Docker struct {
	cfg DockerConfig
	mux *http.ServeMux

	mu       sync.Mutex
	versions map[string]int
}

// NewDocker returns an engine.
func NewDocker(cfg DockerConfig) *Docker {
	if cfg.APIVersion == "" {
		cfg.APIVersion = "1.51"
	}
	if cfg.MinAPIVersion == "" {
		cfg.MinAPIVersion = "1.44"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Docker{cfg: cfg, mux: http.NewServeMux(), versions: make(map[string]int)}
	d.mux.HandleFunc("GET /containers/json", d.list)
	d.mux.HandleFunc("GET /containers/{id}/json", d.inspect)
	d.mux.HandleFunc("GET /containers/{id}/stats", d.stats)
	d.mux.HandleFunc("GET /events", d.events)
	return d
}

// Versions returns how many requests were made in each API version.
func (d *Docker) Versions() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.versions)
}

var versionPrefix = regexp.MustCompile(`^/v(\d+\.\d+)(/.*)$`)

// Handler answers with or without a version in the path, as the engine does.
func (d *Docker) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", d.cfg.APIVersion)
		if r.URL.Path == "/_ping" {
			_, _ = w.Write([]byte("OK"))
			return
		}
		if m := versionPrefix.FindStringSubmatch(r.URL.Path); m != nil {
			d.mu.Lock()
			d.versions[m[1]]++
			d.mu.Unlock()
			// Versions so far all have one digit, a dot and two digits.
			if m[1] < d.cfg.MinAPIVersion || m[1] > d.cfg.APIVersion {
				writeDocker(w, http.StatusBadRequest, map[string]string{
					"message": "client version " + m[1] + " is not supported, use " + d.cfg.MinAPIVersion + " to " + d.cfg.APIVersion,
				})
				return
			}
			r.URL.Path = m[2]
		}
		d.mux.ServeHTTP(w, r)
	})
}

func (d *Docker) list(w http.ResponseWriter, _ *http.Request) {
	list := make([]container.Summary, 0, len(d.cfg.Containers))
	for _, c := range d.cfg.Containers {
		list = append(list, container.Summary{
			ID: c.ID, Names: []string{"/" + c.Name}, Image: c.Image, State: container.StateRunning,
		})
	}
	writeDocker(w, http.StatusOK, list)
}

func (d *Docker) inspect(w http.ResponseWriter, r *http.Request) {
	c := d.find(w, r)
	if c == nil {
		return
	}
	writeDocker(w, http.StatusOK, container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{
			ID: c.ID, Name: "/" + c.Name,
			State:      &container.State{Status: container.StateRunning, Running: true, StartedAt: d.cfg.Now().Add(-time.Hour).Format(time.RFC3339Nano)},
			HostConfig: &container.HostConfig{},
		},
		Config: &container.Config{Image: c.Image},
	})
}

func (d *Docker) stats(w http.ResponseWriter, r *http.Request) {
	c := d.find(w, r)
	if c == nil {
		return
	}
	writeDocker(w, http.StatusOK, container.StatsResponse{
		ID: c.ID, Name: "/" + c.Name, Read: d.cfg.Now(),
		CPUStats:    container.CPUStats{CPUUsage: container.CPUUsage{TotalUsage: uint64(c.CPU)}, OnlineCPUs: 2},
		MemoryStats: container.MemoryStats{Usage: c.Memory, Limit: 1 << 34},
	})
}

func (d *Docker) events(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func (d *Docker) find(w http.ResponseWriter, r *http.Request) *DockerContainer {
	for i := range d.cfg.Containers {
		if d.cfg.Containers[i].ID == r.PathValue("id") {
			return &d.cfg.Containers[i]
		}
	}
	writeDocker(w, http.StatusNotFound, map[string]string{"message": "No such container: " + r.PathValue("id")})
	return nil
}

func writeDocker(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

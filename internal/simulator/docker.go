package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// DockerConfig describes a Docker engine.
type DockerConfig struct {
	// APIVersion and MinAPIVersion are the newest and the oldest version that the
	// engine speaks. Defaults 1.51 and 1.44, those of Docker 28.
	APIVersion, MinAPIVersion string
	// Containers are those that are there at the beginning. An empty State is running.
	Containers []DockerContainer
	// CPUs and Memory are those of the host. Defaults 2 and 16 GiB.
	CPUs   int
	Memory uint64
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// DockerContainer is a container.
type DockerContainer struct {
	// ID has 64 hexadecimal digits. Empty means made from the name.
	ID, Name, Image string
	// ImageID is sha256:... Empty means made from Image.
	ImageID         string
	Labels          map[string]string
	Env             []string
	Entrypoint, Cmd []string

	State        container.ContainerState
	Health       container.HealthStatus
	ExitCode     int
	RestartCount int
	OOMKilled    bool
	// Created, Started and Finished: a running container without any was started an hour ago.
	Created, Started, Finished time.Time
	Pid                        int

	HostConfig container.HostConfig
	Mounts     []container.MountPoint
	Networks   []DockerNetwork
	Ports      []container.Port
	LogPath    string

	// CPU is the CPU time used so far, Memory the bytes in use.
	CPU    time.Duration
	Memory uint64
	// Usage is what else it used.
	Usage DockerUsage
}

// DockerNetwork is the place of a container in a network.
type DockerNetwork struct {
	Name, IP string
	Aliases  []string
}

// Docker plays the part of the Docker Engine API for containers: ping, version,
// list, inspect, stats and events. What happens to the containers is told by its
// methods, while it serves.
// https://docs.docker.com/reference/api/engine/version/v1.51/
type Docker struct {
	cfg DockerConfig
	mux *http.ServeMux

	mu         sync.Mutex
	versions   map[string]int
	requests   map[string]int
	containers map[string]*DockerContainer
	order      []string // as created
	journal    journal

	listening listening
}

// NewDocker returns an engine.
func NewDocker(cfg DockerConfig) *Docker {
	setDefault(&cfg.APIVersion, "1.51")
	setDefault(&cfg.MinAPIVersion, "1.44")
	setDefault(&cfg.CPUs, 2)
	setDefault(&cfg.Memory, 1<<34)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &Docker{
		cfg: cfg, mux: http.NewServeMux(), versions: make(map[string]int), requests: make(map[string]int),
		containers: make(map[string]*DockerContainer), journal: newJournal(),
	}
	for i := range cfg.Containers {
		d.add(cfg.Containers[i], container.StateRunning)
	}
	d.mux.HandleFunc("GET /version", d.version)
	d.mux.HandleFunc("GET /containers/json", d.list)
	d.mux.HandleFunc("GET /containers/{id}/json", d.inspect)
	d.mux.HandleFunc("GET /containers/{id}/stats", d.stats)
	d.mux.HandleFunc("GET /events", d.events)
	return d
}

// add makes a container known, without an event, and returns its id.
func (d *Docker) add(c DockerContainer, state container.ContainerState) string {
	setDefault(&c.ID, DockerID(c.Name))
	setDefault(&c.ImageID, "sha256:"+DockerID(c.Image))
	setDefault(&c.State, state)
	now := d.cfg.Now().UTC()
	runs := running(&c)
	if c.Created.IsZero() {
		c.Created = now
		if runs {
			c.Created = now.Add(-time.Hour)
		}
	}
	if runs && c.Started.IsZero() {
		c.Started = c.Created
	}
	if _, known := d.containers[c.ID]; !known {
		d.order = append(d.order, c.ID)
	}
	d.containers[c.ID] = &c
	return c.ID
}

func running(c *DockerContainer) bool {
	return c.State == container.StateRunning || c.State == container.StatePaused
}

// DockerID makes an id of 64 digits from a name.
func DockerID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// Versions returns how many requests were made in each API version.
func (d *Docker) Versions() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.versions)
}

// Requests returns how many requests there were of each kind: "ping", "version",
// "list", "inspect", "stats" and "events".
func (d *Docker) Requests() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.requests)
}

func (d *Docker) count(request string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests[request]++
}

var versionPrefix = regexp.MustCompile(`^/v(\d+\.\d+)(/.*)$`)

// Handler answers with or without a version in the path, as the engine does.
func (d *Docker) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", d.cfg.APIVersion)
		if r.URL.Path == "/_ping" {
			d.count("ping")
			_, _ = w.Write([]byte("OK"))
			return
		}
		if m := versionPrefix.FindStringSubmatch(r.URL.Path); m != nil {
			d.mu.Lock()
			d.versions[m[1]]++
			d.mu.Unlock()
			// Versions so far all have one digit, a dot and two digits.
			if m[1] < d.cfg.MinAPIVersion || m[1] > d.cfg.APIVersion {
				dockerError(w, http.StatusBadRequest, "client version "+m[1]+" is not supported, use "+d.cfg.MinAPIVersion+" to "+d.cfg.APIVersion)
				return
			}
			r = r.Clone(r.Context())
			r.URL.Path = m[2]
		}
		d.mux.ServeHTTP(w, r)
	})
}

// DockerProxy lets through only what reading containers needs, as filtering
// proxies in front of the Docker socket do.
func DockerProxy(next http.Handler) http.Handler {
	allowed := regexp.MustCompile(`^(/v\d+\.\d+)?/(_ping|version|events|containers/json|containers/[\w.-]+/json)$`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !allowed.MatchString(r.URL.Path) {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (d *Docker) version(w http.ResponseWriter, _ *http.Request) {
	d.count("version")
	writeDocker(w, http.StatusOK, types.Version{Version: "28.5.2", APIVersion: d.cfg.APIVersion, MinAPIVersion: d.cfg.MinAPIVersion, Os: "linux", Arch: "amd64"})
}

func (d *Docker) list(w http.ResponseWriter, r *http.Request) {
	d.count("list")
	all := r.URL.Query().Get("all")
	d.mu.Lock()
	list := make([]container.Summary, 0, len(d.order))
	for _, id := range slices.Backward(d.order) { // the newest first
		if c := d.containers[id]; running(c) || all == "1" || all == "true" {
			list = append(list, d.summary(c))
		}
	}
	d.mu.Unlock()
	writeDocker(w, http.StatusOK, list)
}

func (d *Docker) summary(c *DockerContainer) container.Summary {
	s := container.Summary{
		ID: c.ID, Names: []string{"/" + c.Name}, Image: c.Image, ImageID: c.ImageID, Created: c.Created.Unix(),
		Command: strings.Join(slices.Concat(c.Entrypoint, c.Cmd), " "),
		Labels:  c.Labels, State: c.State, Status: d.status(c), Ports: c.Ports, Mounts: c.Mounts,
		NetworkSettings: &container.NetworkSettingsSummary{Networks: networks(c)},
	}
	s.HostConfig.NetworkMode = string(c.HostConfig.NetworkMode)
	return s
}

// status is the text of docker ps.
func (d *Docker) status(c *DockerContainer) string {
	switch c.State {
	case container.StateRunning, container.StatePaused:
		status := fmt.Sprintf("Up %d seconds", int(d.cfg.Now().Sub(c.Started).Seconds()))
		switch {
		case c.State == container.StatePaused:
			return status + " (Paused)"
		case c.Health == container.Starting:
			return status + " (health: starting)"
		case c.Health != "":
			return status + " (" + c.Health + ")"
		}
		return status
	case container.StateCreated:
		return "Created"
	case container.StateRestarting:
		return fmt.Sprintf("Restarting (%d) 1 second ago", c.ExitCode)
	default:
		return fmt.Sprintf("Exited (%d) 1 second ago", c.ExitCode)
	}
}

func networks(c *DockerContainer) map[string]*network.EndpointSettings {
	joined := make(map[string]*network.EndpointSettings, len(c.Networks))
	for _, n := range c.Networks {
		joined[n.Name] = &network.EndpointSettings{Aliases: n.Aliases}
		if running(c) {
			joined[n.Name].IPAddress = n.IP
		}
	}
	return joined
}

func (d *Docker) inspect(w http.ResponseWriter, r *http.Request) {
	d.count("inspect")
	d.mu.Lock()
	c := d.find(r.PathValue("id"))
	if c == nil {
		d.mu.Unlock()
		noSuchContainer(w, r)
		return
	}
	answer := d.details(c)
	d.mu.Unlock()
	writeDocker(w, http.StatusOK, answer)
}

func (*Docker) details(c *DockerContainer) container.InspectResponse {
	state := &container.State{
		Status: c.State, Running: running(c) || c.State == container.StateRestarting, Paused: c.State == container.StatePaused,
		Restarting: c.State == container.StateRestarting, Dead: c.State == container.StateDead, OOMKilled: c.OOMKilled,
		ExitCode: c.ExitCode, StartedAt: c.Started.Format(time.RFC3339Nano), FinishedAt: c.Finished.Format(time.RFC3339Nano),
	}
	if running(c) {
		state.Pid = c.Pid
	}
	if c.Health != "" {
		state.Health = &container.Health{Status: c.Health}
	}
	host := c.HostConfig
	settings := &container.NetworkSettings{Networks: networks(c)}
	ports := make(map[string][]map[string]string)
	for _, p := range c.Ports {
		key := itoa(int(p.PrivatePort)) + "/" + p.Type
		if ports[key] = slices.Clip(ports[key]); p.PublicPort != 0 {
			ports[key] = append(ports[key], map[string]string{"HostIp": p.IP, "HostPort": itoa(int(p.PublicPort))})
		}
	}
	// By way of JSON: the type of the map is of a module that nothing else here needs.
	if text, err := json.Marshal(ports); err == nil {
		_ = json.Unmarshal(text, &settings.Ports)
	}
	return container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{
			ID: c.ID, Name: "/" + c.Name, Created: c.Created.Format(time.RFC3339Nano), State: state, Image: c.ImageID,
			RestartCount: c.RestartCount, LogPath: c.LogPath, HostConfig: &host,
		},
		Mounts:          c.Mounts,
		Config:          &container.Config{Image: c.Image, Labels: c.Labels, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd},
		NetworkSettings: settings,
	}
}

// Container returns a copy of a container by its id or name.
func (d *Docker) Container(ref string) (DockerContainer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.find(ref)
	if c == nil {
		return DockerContainer{}, false
	}
	return *c, true
}

// find knows a container by its id, the beginning of it, or its name.
func (d *Docker) find(ref string) *DockerContainer {
	if c := d.containers[ref]; c != nil {
		return c
	}
	for _, id := range d.order {
		c := d.containers[id]
		if c.Name == strings.TrimPrefix(ref, "/") || len(ref) >= 12 && strings.HasPrefix(id, ref) {
			return c
		}
	}
	return nil
}

func noSuchContainer(w http.ResponseWriter, r *http.Request) {
	dockerError(w, http.StatusNotFound, "No such container: "+r.PathValue("id"))
}

func dockerError(w http.ResponseWriter, status int, message string) {
	writeDocker(w, status, map[string]string{"message": message})
}

func writeDocker(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

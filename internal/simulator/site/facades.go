package site

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// Server is something that listens on a port of its container.
type Server struct {
	// Container is its name, Port the one inside of it.
	Container string
	Port      int
	Handler   http.Handler

	world *World
	box   *box
}

// Process is one on the host.
type Process struct {
	PID int
	// Container is the id of the one that it runs in.
	Container string
	Name      string
}

// NVML is the GPUs of this world.
func (w *World) NVML() *simulator.NVML { return w.nvml }

// Docker is the engine of this world.
func (w *World) Docker() *simulator.Docker { return w.docker }

// Models are the vLLM servers, in the order of the spec.
func (w *World) Models() []Server {
	servers := make([]Server, 0, len(w.engines))
	for _, e := range w.engines {
		servers = append(servers, Server{Container: e.spec.Container, Port: vllmPort, Handler: e.vllm.Handler(), world: w, box: e.box})
	}
	return servers
}

// Proxy is LiteLLM, which ProxyKey opens.
func (w *World) Proxy() Server {
	return Server{Container: proxyContainer, Port: proxyPort, Handler: w.litellm.Handler(), world: w, box: w.boxNamed(proxyContainer)}
}

// Analytics is Langfuse, which LangfusePublicKey and LangfuseSecretKey open.
func (w *World) Analytics() Server {
	return Server{Container: langfuseContainer, Port: langfusePort, Handler: w.langfuse.Handler(), world: w, box: w.boxNamed(langfuseContainer)}
}

// Up says whether the server accepts connections. One that loads its model does not, as vLLM does not.
func (s *Server) Up() bool {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if e := s.box.engine; e != nil {
		return e.condition == ready || e.condition == stuck
	}
	return s.box == nil || s.box.running
}

// Publish makes a port of the host lead to the server.
func (s *Server) Publish(address string, port int) {
	if s.box == nil {
		return
	}
	s.world.docker.Update(s.box.id, func(c *simulator.DockerContainer) {
		c.Ports = []container.Port{{IP: address, PrivatePort: uint16(s.Port), PublicPort: uint16(port), Type: "tcp"}}
	})
}

// Lifecycle is another text after every change of what runs and how it is: containers and GPUs.
func (w *World) Lifecycle() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var text strings.Builder
	for _, b := range w.boxes {
		fmt.Fprintf(&text, "%d%t%s ", b.life, b.running, b.health)
	}
	for _, g := range w.gpus {
		fmt.Fprintf(&text, "%t ", g.lost)
	}
	return text.String()
}

// Processes are those of the containers that run, at present.
func (w *World) Processes() []Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Process
	for _, b := range w.boxes {
		if !b.running {
			continue
		}
		list = append(list, Process{PID: int(b.pid), Container: b.id, Name: "vllm"})
		if b.engine == nil {
			list[len(list)-1].Name = b.name[:min(len(b.name), 15)]
			continue
		}
		for rank := range b.engine.spec.GPUs {
			list = append(list, Process{PID: int(b.pid) + rank + 1, Container: b.id, Name: "VLLM::Worker"})
		}
	}
	return list
}

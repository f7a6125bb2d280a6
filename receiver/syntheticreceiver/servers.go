package syntheticreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// servers are the sources of the site that answer over HTTP.
type servers struct {
	world *site.World
	gates []*gate
}

// gate is the address of a server. While the server is down nothing listens
// there, so that connections are refused as they would be.
type gate struct {
	server  site.Server
	address string
	http    *http.Server
	served  chan struct{}
}

// listen opens the addresses and tells the engine which ports are published.
func listen(ctx context.Context, cfg *ListenConfig, world *site.World, f *files) (*servers, error) {
	s := &servers{world: world}
	engine := cfg.Docker
	if engine == "" {
		engine = "unix://" + filepath.Join(f.root, "docker.sock")
	}
	if err := world.Docker().Listen(ctx, engine, nil); err != nil {
		return nil, fmt.Errorf(`the simulated Docker engine cannot listen: %w; set "listen::docker" to another address`, err)
	}
	models := world.Models()
	for i := range models {
		address, err := nth(cfg.VLLM, i)
		if err == nil {
			err = s.add(ctx, models[i], address)
		}
		if err != nil {
			s.close()
			return nil, fmt.Errorf(`a simulated vLLM server cannot listen: %w; set "listen::vllm" to another address`, err)
		}
	}
	for _, one := range []struct {
		server       site.Server
		address, key string
	}{{world.Proxy(), cfg.LiteLLM, "litellm"}, {world.Analytics(), cfg.Langfuse, "langfuse"}} {
		address, _ := nth(one.address, 0)
		if err := s.add(ctx, one.server, address); err != nil {
			s.close()
			return nil, fmt.Errorf(`the simulated %s cannot listen: %w; set "listen::%s" to another address`, one.key, err, one.key)
		}
	}
	return s, nil
}

// nth is the address of the i-th server after first, or any port of the loopback
// address.
func nth(first string, i int) (string, error) {
	if first == "" {
		return "127.0.0.1:0", nil
	}
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(port)
	if err != nil || n+i > 65535 {
		return "", fmt.Errorf("%q has no port number %d times after it", first, i)
	}
	return net.JoinHostPort(host, strconv.Itoa(n+i)), nil
}

// add opens an address and publishes it.
func (s *servers) add(ctx context.Context, server site.Server, address string) error {
	g := &gate{server: server, address: address}
	if err := g.open(ctx); err != nil {
		return err
	}
	s.gates = append(s.gates, g)
	host, port, _ := net.SplitHostPort(g.address)
	n, _ := strconv.Atoi(port)
	server.Publish(host, n)
	return nil
}

// follow opens and closes the addresses as servers come and go.
func (s *servers) follow(ctx context.Context) {
	for _, g := range s.gates {
		switch up := g.server.Up(); {
		case up && g.http == nil:
			_ = g.open(ctx) // taken meanwhile by somebody else: again at the next step
		case !up && g.http != nil:
			g.close()
		}
	}
}

func (g *gate) open(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", g.address)
	if err != nil {
		return err
	}
	g.address = listener.Addr().String() // the same port each time
	g.http = &http.Server{Handler: g.server.Handler, ReadHeaderTimeout: time.Minute}
	g.served = make(chan struct{})
	go func(server *http.Server, served chan struct{}) {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close()
		}
	}(g.http, g.served)
	return nil
}

func (g *gate) close() {
	if g.http == nil {
		return
	}
	_ = g.http.Close()
	<-g.served
	g.http = nil
}

// url is where the server in a container is reached.
func (s *servers) url(container string) string {
	for _, g := range s.gates {
		if g.server.Container == container {
			return "http://" + g.address
		}
	}
	return ""
}

func (s *servers) docker() string { return s.world.Docker().Endpoint() }

func (s *servers) close() {
	for _, g := range s.gates {
		g.close()
	}
	s.world.Docker().Shutdown()
}

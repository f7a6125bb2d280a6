package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// listening is where an engine answers, if it does.
type listening struct {
	mu          sync.Mutex
	server      *http.Server
	served      chan struct{}
	connections *sync.WaitGroup
	endpoint    string
}

// Listen lets the engine answer at an address such as "unix:///run/docker.sock"
// or "tcp://127.0.0.1:0", until Shutdown. A handler other than nil stands in front
// of the engine's own: a DockerProxy or a Faulty.
func (d *Docker) Listen(ctx context.Context, endpoint string, front http.Handler) error {
	d.listening.mu.Lock()
	defer d.listening.mu.Unlock()
	if d.listening.server != nil {
		return errors.New("the engine listens already, at " + d.listening.endpoint)
	}
	scheme, address, ok := strings.Cut(endpoint, "://")
	if !ok || scheme != "unix" && scheme != "tcp" {
		return fmt.Errorf("%q must begin with unix:// or tcp://", endpoint)
	}
	if scheme == "unix" {
		_ = os.Remove(address) // as the engine does with the socket of its predecessor
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, scheme, address)
	if err != nil {
		return err
	}
	if front == nil {
		front = d.Handler()
	}
	connections := new(sync.WaitGroup)
	server := &http.Server{Handler: front, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			connections.Done()
		}
	}}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	d.listening.server, d.listening.served, d.listening.connections = server, served, connections
	d.listening.endpoint = scheme + "://" + listener.Addr().String()
	return nil
}

// Endpoint is where the engine listens, or listened last.
func (d *Docker) Endpoint() string {
	d.listening.mu.Lock()
	defer d.listening.mu.Unlock()
	return d.listening.endpoint
}

// Shutdown closes the listener and all connections, and waits until none is left.
// Afterwards Listen starts the engine again; its containers stay as they are, and
// its events too, unless it is told to ForgetEvents.
func (d *Docker) Shutdown() {
	d.listening.mu.Lock()
	defer d.listening.mu.Unlock()
	if d.listening.server == nil {
		return
	}
	_ = d.listening.server.Close()
	<-d.listening.served
	d.listening.server = nil
	d.DropEvents()
	d.listening.connections.Wait()
}

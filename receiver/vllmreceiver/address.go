package vllmreceiver

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/docker/docker/client"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

const loopback = "127.0.0.1"

// address is a host and a port.
type address struct {
	host string
	port int
}

// router knows where containers are reached from here.
type router struct {
	// first and second are the ways to try: addressPublished or addressNetwork.
	first, second string
	host          string
	network       string
	// local are the names and addresses of this host.
	local map[string]bool
	// fixed are the addresses of the static endpoints.
	fixed []address
	// container returns another container, in whose network one may be.
	container func(id string) (*docker.Container, bool)
}

func newRouter(cfg *DockerConfig, endpoints EndpointsConfig, inContainer bool) *router {
	r := &router{host: cfg.Host, network: cfg.Network, local: localNames()}
	switch {
	case cfg.Address != addressAuto:
		r.first = cfg.Address
	case inContainer: // whose loopback is not that of the host
		r.first, r.second = addressNetwork, addressPublished
	default:
		r.first, r.second = addressPublished, addressNetwork
	}
	if r.host == "" {
		r.host = engineHost(cmp.Or(cfg.Endpoint, os.Getenv(client.EnvOverrideHost)))
	}
	for i := range endpoints {
		host, port, _ := endpoints[i].address()
		r.fixed = append(r.fixed, address{host, port})
	}
	return r
}

// runsInContainer says whether this process is in a container of Docker's or Podman's.
func runsInContainer() bool {
	return slices.ContainsFunc([]string{"/.dockerenv", "/run/.containerenv"}, func(file string) bool {
		_, err := os.Stat(file)
		return err == nil
	})
}

// engineHost is the host of an engine that is reached over the network.
func engineHost(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "http" && u.Scheme != "https" {
		return loopback
	}
	return cmp.Or(u.Hostname(), loopback)
}

// localNames are names of this host and the addresses of its interfaces.
func localNames() map[string]bool {
	names := map[string]bool{"": true, "localhost": true, "host.docker.internal": true}
	if name, err := os.Hostname(); err == nil {
		names[strings.ToLower(name)] = true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			names[n.IP.String()] = true
		}
	}
	return names
}

// isLocal says whether the host is this one, as 0.0.0.0 and :: are in a binding.
func (r *router) isLocal(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return true
	}
	return r.local[strings.ToLower(host)]
}

// route returns where the server in a container is reached, and false if that is
// nowhere.
func (r *router) route(c *docker.Container, spec *llmserver.Spec) (address, bool) {
	place := r.placeOf(c)
	if place.NetworkMode == "host" {
		return address{r.hostOf(spec.Host), spec.Port}, true
	}
	for _, way := range []string{r.first, r.second} {
		switch way {
		case addressPublished:
			if p, ok := place.PublishedPort(spec.Port); ok {
				return address{r.hostOf(p.HostIP), p.Host}, true
			}
		case addressNetwork:
			if ip := r.ipOf(place); ip != "" {
				return address{ip, spec.Port}, true
			}
		}
	}
	return address{}, false
}

// hostOf is where something is reached that is bound to an address of the host.
func (r *router) hostOf(bound string) string {
	ip, err := netip.ParseAddr(bound)
	if err != nil || ip.IsUnspecified() {
		return r.host
	}
	return bound
}

// placeOf is the container whose network a container is in: its own, or that of
// another (network mode container:<id>).
func (r *router) placeOf(c *docker.Container) *docker.Container {
	id, ok := strings.CutPrefix(c.NetworkMode, "container:")
	if !ok {
		return c
	}
	if owner, known := r.container(id); known {
		return owner
	}
	return c
}

func (r *router) ipOf(c *docker.Container) string {
	if r.network == "" {
		return c.IP()
	}
	for _, n := range c.Networks {
		if n.Name == r.network {
			return n.IP
		}
	}
	return ""
}

// isFixed says whether a static endpoint is the server in the container, by any
// of its addresses.
func (r *router) isFixed(c *docker.Container, spec *llmserver.Spec) bool {
	if len(r.fixed) == 0 {
		return false
	}
	place := r.placeOf(c)
	inside := []string{place.Name, place.ShortID()}
	for _, n := range place.Networks {
		inside = append(append(inside, n.Aliases...), n.IP)
	}
	var all []address
	for _, host := range inside {
		if host != "" {
			all = append(all, address{host, spec.Port})
		}
	}
	for _, p := range place.Ports {
		if p.Container == spec.Port && p.Host != 0 {
			all = append(all, address{r.hostOf(p.HostIP), p.Host})
		}
	}
	if place.NetworkMode == "host" {
		all = append(all, address{r.hostOf(spec.Host), spec.Port})
	}
	return slices.ContainsFunc(r.fixed, func(f address) bool {
		return slices.ContainsFunc(all, func(a address) bool { return r.same(f, a) })
	})
}

func (r *router) same(a, b address) bool {
	return a.port == b.port && (strings.EqualFold(a.host, b.host) || r.isLocal(a.host) && r.isLocal(b.host))
}

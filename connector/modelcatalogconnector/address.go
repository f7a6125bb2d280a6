package modelcatalogconnector

import (
	"net"
	"strings"
)

// hosting is a model on a server.
type hosting struct {
	name   string
	server *server
	model  *servedModel
}

// vllmProvider is gen_ai.provider.name of vLLM servers.
const vllmProvider = "vllm"

// behind returns the servers that a deployment stands for: those of its address, or
// where that tells nothing all that serve the model. A deployment whose provider is
// not said to be vLLM needs the address: the name alone may be a coincidence.
func behind(p *proxy, d deploymentInfo, serving []*hosting) []*hosting {
	var there []*hosting
	for _, h := range serving {
		if h.server.isAt(d.address, p.host) {
			there = append(there, h)
		}
	}
	if len(there) == 0 && d.provider == vllmProvider {
		return serving
	}
	return there
}

// isAt says whether host:port is the server, as seen from a host: by the address at
// which the collector reads it, or by the name of its container or service, whose
// port is another one inside. Names of containers and of the host itself mean
// something on one host only.
func (s *server) isAt(address, from string) bool {
	host, port := splitAddress(address)
	if host == "" {
		return false
	}
	local := from == s.host || from == "" || s.host == ""
	if local && (strings.EqualFold(host, s.container) || strings.EqualFold(host, s.compose)) {
		return true
	}
	if s.address == "" || port == "" || port != s.port {
		return false
	}
	if isThisHost(host) {
		return local && isThisHost(s.address)
	}
	return strings.EqualFold(host, s.address)
}

func splitAddress(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]"), ""
	}
	return host, port
}

// isThisHost says whether the name means the host itself to any process on it.
func isThisHost(host string) bool {
	switch strings.ToLower(host) {
	case "localhost", "host.docker.internal":
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// baseURL is where the collector reads a server or proxy, which is where it is
// called unless the configuration says otherwise. Nothing tells the scheme but a
// port that is known for it.
func (i instance) baseURL() string {
	if i.address == "" || i.port == "" {
		return ""
	}
	at := net.JoinHostPort(i.address, i.port)
	path, found := strings.CutPrefix(i.name, at) // the name is address and path unless one was given
	if !found || !strings.HasPrefix(path, "/") {
		path = ""
	}
	switch i.port {
	case "443":
		return "https://" + strings.TrimSuffix(at, ":443") + path
	case "80":
		return "http://" + strings.TrimSuffix(at, ":80") + path
	}
	return "http://" + at + path
}

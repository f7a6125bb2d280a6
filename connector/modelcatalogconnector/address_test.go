package modelcatalogconnector

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIsAt(t *testing.T) {
	at := func(host, port string) *server { return &server{instance: instance{address: host, port: port}} }
	chat := &server{instance: instance{address: "172.18.0.2", port: "8000", host: "gpu-1"}, container: "llm-chat-1", compose: "chat"}
	for _, tt := range []struct {
		name    string
		server  *server
		address string
		from    string
		want    bool
	}{
		{"same", at("gpu-1", "8000"), "gpu-1:8000", "", true},
		{"case", at("gpu-1", "8000"), "GPU-1:8000", "", true},
		{"other port", at("gpu-1", "8000"), "gpu-1:8001", "", false},
		{"other host", at("gpu-1", "8000"), "gpu-2:8000", "", false},
		{"no port", at("gpu-1", "8000"), "gpu-1", "", false},
		{"no address", at("gpu-1", "8000"), "", "", false},
		{"server of no address", at("", ""), "gpu-1:8000", "", false},
		{"this host by other names", at("127.0.0.1", "8000"), "localhost:8000", "", true},
		{"this host from a container", at("localhost", "8000"), "host.docker.internal:8000", "", true},
		{"IPv6", at("::1", "8000"), "[::1]:8000", "", true},
		{"any address", at("localhost", "8000"), "0.0.0.0:8000", "", true},
		{"this host and another", at("gpu-1", "8000"), "localhost:8000", "", false},
		{"container", chat, "llm-chat-1:80", "", true},
		{"container without a port", chat, "llm-chat-1", "gpu-1", true},
		{"compose service", chat, "chat:8080", "gpu-1", true},
		{"container of another host", chat, "chat:8080", "gpu-2", false},
		{"address from another host", chat, "172.18.0.2:8000", "gpu-2", true},
		{"this host of another host", &server{instance: instance{address: "localhost", port: "8000", host: "gpu-1"}}, "localhost:8000", "gpu-2", false},
	} {
		assert.Equal(t, tt.want, tt.server.isAt(tt.address, tt.from), tt.name)
	}
}

func TestBaseURL(t *testing.T) {
	for want, of := range map[string]instance{
		"http://gpu-1:8000":             {name: "one", address: "gpu-1", port: "8000"},
		"http://gpu-1:8000/llm/qwen":    {name: "gpu-1:8000/llm/qwen", address: "gpu-1", port: "8000"},
		"http://[fd00::1]:8000":         {name: "[fd00::1]:8000", address: "fd00::1", port: "8000"},
		"https://llm.example.org":       {name: "proxy", address: "llm.example.org", port: "443"},
		"https://llm.example.org/proxy": {name: "llm.example.org:443/proxy", address: "llm.example.org", port: "443"},
		"http://llm.example.org":        {name: "proxy", address: "llm.example.org", port: "80"},
		"http://gpu-1":                  {name: "gpu-1:80", address: "gpu-1", port: "80"},
		"":                              {name: "one", address: "gpu-1"},
	} {
		assert.Equal(t, want, of.baseURL())
	}
	assert.Empty(t, instance{name: "one", port: "8000"}.baseURL())
	assert.Equal(t, "http://gpu-1:8000", instance{name: "gpu-1:80001", address: "gpu-1", port: "8000"}.baseURL(), "the name only looks alike")
}

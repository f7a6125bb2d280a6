package syntheticreceiver

import "github.com/otelcol-llm/otelcol-llm/internal/simulator/site"

// connectionStates are those of TCP, as contrib's receiver names them.
var connectionStates = []string{
	"CLOSE", "CLOSE_WAIT", "CLOSING", "DELETE", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "LAST_ACK", "LISTEN", "SYN_SENT", "SYN_RECV", "TIME_WAIT",
}

func recordNetworks(s *scopeRecorder, h *site.Host) {
	connections := s.level("system.network.connections", "{connections}", "The number of connections.")
	for _, state := range connectionStates {
		connections.count(h.Connections[state], "protocol", "tcp", "state", state)
	}
	dropped := s.counter("system.network.dropped", "{packets}", "The number of packets dropped.")
	failed := s.counter("system.network.errors", "{errors}", "The number of errors encountered.")
	bytes := s.counter("system.network.io", "By", "The number of bytes transmitted and received.")
	packets := s.counter("system.network.packets", "{packets}", "The number of packets transferred.")
	for i := range h.Networks {
		n := &h.Networks[i]
		for _, way := range []struct {
			direction                       string
			bytes, packets, errors, dropped int64
		}{
			{"receive", n.ReceivedBytes, n.ReceivedPackets, n.ReceivedErrors, n.ReceivedDropped},
			{"transmit", n.SentBytes, n.SentPackets, n.SentErrors, n.SentDropped},
		} {
			at := []string{"device", n.Device, "direction", way.direction}
			dropped.count(way.dropped, at...)
			failed.count(way.errors, at...)
			bytes.count(way.bytes, at...)
			packets.count(way.packets, at...)
		}
	}
}

package dockerinventoryreceiver

import (
	"slices"
	"strings"
)

// stopSignals are those that end a process unless it minds.
var stopSignals = []struct{ number, name string }{
	{"2", "SIGINT"},
	{"3", "SIGQUIT"},
	{"9", "SIGKILL"},
	{"15", "SIGTERM"},
}

// stopSignal returns the name of a signal that somebody sends to end a container,
// and nothing for one that has another purpose. Engines say it by number or by name.
func stopSignal(said string) string {
	said = strings.ToUpper(said)
	i := slices.IndexFunc(stopSignals, func(s struct{ number, name string }) bool {
		return said == s.number || said == s.name || "SIG"+said == s.name
	})
	if i < 0 {
		return ""
	}
	return stopSignals[i].name
}

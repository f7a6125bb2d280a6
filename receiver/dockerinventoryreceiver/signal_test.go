package dockerinventoryreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStopSignal(t *testing.T) {
	for said, want := range map[string]string{
		"15": "SIGTERM", "9": "SIGKILL", "2": "SIGINT", "3": "SIGQUIT", "SIGTERM": "SIGTERM", "term": "SIGTERM", "sigkill": "SIGKILL",
		"1": "", "10": "", "SIGHUP": "", "": "", "TERMINATE": "",
	} {
		assert.Equal(t, want, stopSignal(said), said)
	}
}

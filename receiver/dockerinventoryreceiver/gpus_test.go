package dockerinventoryreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

func TestAssigned(t *testing.T) {
	const (
		uuidA = "GPU-aaaaaaaa-0000-0000-0000-000000000000"
		uuidB = "GPU-bbbbbbbb-0000-0000-0000-000000000000"
		uuidC = "GPU-cccccccc-0000-0000-0000-000000000000"
		mig   = "MIG-dddddddd-0000-0000-0000-000000000000"
	)
	known := []docker.GPU{{Index: 0, Minor: 1, UUID: uuidA, MIGs: []string{mig}}, {Index: 1, Minor: 0, UUID: uuidB}}
	first, second := assignedGPU{uuid: uuidA, index: 0}, assignedGPU{uuid: uuidB, index: 1}
	said := func(id, uuid string) assignedGPU { return assignedGPU{said: id, uuid: uuid, index: -1} }
	tests := []struct {
		name          string
		gpus          docker.GPUs
		known, unsure []assignedGPU
	}{
		{"none", docker.GPUs{}, nil, nil},
		{"all", docker.GPUs{All: true, Source: docker.SourceEnv}, []assignedGPU{first, second}, []assignedGPU{said("all", "")}},
		{"count", docker.GPUs{Count: 1, Source: docker.SourceDeviceRequests}, []assignedGPU{first}, []assignedGPU{said("first-1", "")}},
		{"more than there are", docker.GPUs{Count: 4}, []assignedGPU{first, second}, []assignedGPU{said("first-4", "")}},
		{"index", docker.GPUs{IDs: []string{"1"}}, []assignedGPU{second}, []assignedGPU{said("1", "")}},
		{"minor number", docker.GPUs{IDs: []string{"1"}, Source: docker.SourceDevices}, []assignedGPU{first}, []assignedGPU{said("1", "")}},
		{"UUID", docker.GPUs{IDs: []string{uuidB}}, []assignedGPU{second}, []assignedGPU{said(uuidB, uuidB)}},
		{"beginning of a UUID", docker.GPUs{IDs: []string{"GPU-bbbb"}}, []assignedGPU{second}, []assignedGPU{said("GPU-bbbb", "")}},
		{"MIG", docker.GPUs{IDs: []string{"0:0"}}, []assignedGPU{{uuid: mig, index: 0}}, []assignedGPU{said("0:0", "")}},
		{"MIG UUID", docker.GPUs{IDs: []string{mig}}, []assignedGPU{{uuid: mig, index: 0}}, []assignedGPU{said(mig, mig)}},
		{"one is lost", docker.GPUs{IDs: []string{"0", "2", uuidC}}, []assignedGPU{first, said("2", ""), said(uuidC, uuidC)}, []assignedGPU{said("0", ""), said("2", ""), said(uuidC, uuidC)}},
		{"narrowed", docker.GPUs{All: true, Visible: []string{"1"}}, []assignedGPU{second}, []assignedGPU{said("all", "")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.known, assigned(tt.gpus, known), "known")
			assert.Equal(t, tt.unsure, assigned(tt.gpus, nil), "not known")
		})
	}
	assert.Equal(t, -1, indexOf(uuidC, known))
}

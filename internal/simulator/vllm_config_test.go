package simulator

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNewVLLMPanicsOnUnknownVersion(t *testing.T) {
	assert.PanicsWithValue(t, "simulator: no vLLM dialect \"0.1\", have [0.5.4 0.6.6 0.7.3 0.8.5 0.9.2 0.10.2 0.11.0 0.12.0 0.16.0 0.23.0 0.29.0]",
		func() { NewVLLM(VLLMConfig{Version: "0.1"}) })
}

func TestConfigDefaults(t *testing.T) {
	models := []VLLMModel{{ID: "m", Adapters: []LoRAAdapter{{Name: "a"}}}}
	c := VLLMConfig{Models: models, BlockSize: 64, Engines: -1}.withDefaults()
	assert.Equal(t, VLLM0_29_0, c.Version)
	assert.Equal(t, "0.29.0", c.BuildVersion)
	assert.Equal(t, 1, c.Engines)
	assert.Equal(t, 64, c.BlockSize)
	assert.Equal(t, 1, c.MaxLoRAs)
	assert.Equal(t, "m", c.Models[0].Root)
	assert.Equal(t, 32768, c.Models[0].MaxModelLen)
	assert.Empty(t, models[0].Root, "the caller's models are not changed")
	assert.NotNil(t, c.Now)
	assert.Equal(t, "sim-8b", VLLMConfig{}.withDefaults().Models[0].ID)
}

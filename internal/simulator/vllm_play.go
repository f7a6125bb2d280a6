package simulator

import (
	"math"
	"math/rand/v2"
	"time"
)

// Play lets d of seeded traffic happen at once and returns the number of requests: arrivals at random, prompts and answers
// of log-normal length, all finish reasons, some preempted, some with images, and a load at the end that follows from them.
// One call touches every series that the dialect offers, provided that it makes at least eight requests. The clock is not
// moved: that is the caller's.
func (v *VLLM) Play(seed uint64, d time.Duration, requestsPerMinute float64) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	rng := rand.New(rand.NewPCG(seed, 0x11a)) // #nosec G404 -- reproducible test data, not a secret
	var arrived, busy time.Duration
	tokens := VLLMRequest{}
	n := 0
	for {
		gap := time.Duration(rng.ExpFloat64() / requestsPerMinute * float64(time.Minute))
		if arrived += gap; arrived > d {
			break
		}
		r := v.randomRequest(rng, n)
		v.finish(r)
		busy += r.Prefill + r.Decode
		tokens.PromptTokens += r.PromptTokens
		tokens.OutputTokens += r.OutputTokens
		n++
	}
	if n > 0 {
		v.endPlay(rng, d, busy, tokens)
	}
	return n
}

// randomRequest draws one request. The first ones walk through the reasons and rare cases, so that short traffic has them.
func (v *VLLM) randomRequest(rng *rand.Rand, i int) VLLMRequest {
	limit := v.cfg.Models[0].MaxModelLen
	prompt := logNormal(rng, 600, 1, 1, limit/2)
	output := logNormal(rng, 180, 0.8, 1, limit/2)
	cached := int(rng.Float64()*0.8*float64(prompt)) / v.cfg.BlockSize * v.cfg.BlockSize
	r := VLLMRequest{
		Engine:       i,
		PromptTokens: prompt,
		CachedTokens: cached,
		OutputTokens: output,
		MaxTokens:    max(output, 256*(1+rng.IntN(8))),
		N:            1,
		Queue:        millis(5 + 40*rng.ExpFloat64()),
		Prefill:      millis(20 + 0.12*float64(prompt-cached)),
		Decode:       millis(float64(output-1) * (14 + 6*rng.Float64())),
		Reason:       ReasonStop,
	}
	switch p := rng.Float64(); {
	case i == 1 || p < 0.15:
		r.Reason = ReasonLength
		r.MaxTokens = output
	case i == 2 || p < 0.17:
		r.Reason = ReasonAbort
	case i == 3 || p < 0.175:
		r.Reason = ReasonError
	case i == 4 || p < 0.18:
		r.Reason = ReasonRepetition
	}
	if i == 5 || rng.IntN(50) == 0 {
		r.Preemptions = 1
	}
	if i == 6 || rng.IntN(10) == 0 {
		r.MMItems = 1 + rng.IntN(4)
		r.MMCached = r.MMItems - 1
	}
	if i == 7 || rng.IntN(20) == 0 {
		r.ExternalTokens = (prompt - cached) / 2
		r.N = 1 + rng.IntN(3)
	}
	return r
}

// endPlay sets the gauges to what the traffic leaves behind: by Little's law busy/d requests run at any time.
func (v *VLLM) endPlay(rng *rand.Rand, d, busy time.Duration, tokens VLLMRequest) {
	perEngine := seconds(busy) / seconds(d) / float64(len(v.engines))
	for i := range v.engines {
		e := v.engine(i)
		running := 1 + int(perEngine*(0.5+rng.Float64()))
		e.load = VLLMLoad{
			Running:         running,
			WaitingCapacity: 1 + running/4,
			WaitingDeferred: 1 + rng.IntN(2),
			Swapped:         rng.IntN(2) + 1,
			KVUsage:         min(0.98, float64(running*800)/float64(v.cfg.Blocks*v.cfg.BlockSize)),
			CPUKVUsage:      0.01 * rng.Float64(),
			PromptRate:      float64(tokens.PromptTokens) / seconds(d),
			GenerationRate:  float64(tokens.OutputTokens) / seconds(d),
		}
		e.setGauges()
	}
	v.http.observe(httpCall{"/v1/models", "GET", "2xx"}, 1, 0.001, 0, 480, v.cfg.Now())
	v.http.observe(httpCall{"/v1/chat/completions", "POST", "4xx"}, 1+rng.IntN(3), 0.002, 64, 120, v.cfg.Now())
	if adapters := v.cfg.Models[0].Adapters; len(adapters) > 0 {
		v.seeLoRA(adapters[rng.IntN(len(adapters))].Name, "")
	}
}

func logNormal(rng *rand.Rand, median, sigma float64, low, high int) int {
	return min(max(int(median*math.Exp(sigma*rng.NormFloat64())), low), high)
}

func millis(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }

package site

import (
	"math/rand/v2"
	"time"
)

// request is one call of a client. Times are since the beginning of the world.
type request struct {
	number  uint64
	arrived time.Duration
	model   *engine
	team    int
	user    int
	session int

	streaming bool
	prompt    int
	cached    int
	output    int
	// surcharge is what it costs besides its tokens, in USD.
	surcharge float64
	// wrong says that the client asks for what cannot be: it fails in the proxy.
	wrong bool

	// overhead is the time in the proxy before the call of the server.
	overhead time.Duration
	// admitted, first and ended are when it began to run, had its first token, and was over.
	admitted, first, ended time.Duration
	// life is that of the proxy which it came to: another one knows nothing of it.
	life int
}

// maxOutput is what clients ask for at most: a server whose only request takes minutes looks stuck, as it counts tokens at
// the end.
const maxOutput = 4096

// draw makes the request that arrives at at.
func (w *World) draw(at time.Duration) *request {
	rng := w.random.requests
	w.requests++
	e := w.engines[pick(rng, w.shares)]
	m := e.spec
	r := &request{
		number: w.requests, arrived: at, model: e,
		user:      zipf(rng, w.cfg.Spec.Traffic.Users),
		session:   int(w.requests / 3),
		streaming: m.Kind == Chat && rng.Float64() < w.cfg.Spec.Traffic.Streaming,
		prompt:    logNormal(rng, m.Prompt, m.PromptSigma, 1, m.Context*3/4),
		wrong:     rng.Float64() < w.effects.clientErrors(w.cfg.Spec.Traffic.Errors),
		overhead:  time.Duration((2 + 3*rng.ExpFloat64()) * float64(time.Millisecond)),
	}
	r.team = r.user % max(w.cfg.Spec.Traffic.Teams, 1)
	if m.Kind == Chat {
		r.output = logNormal(rng, m.Output, m.OutputSigma, 1, min(m.Context/4, maxOutput))
	}
	// Prompts of a conversation repeat what came before; whole blocks of it are in the cache.
	if share := rng.Float64(); share > 0.4 {
		r.cached = int(0.9*(share-0.4)*float64(r.prompt)) / blockSize * blockSize
	}
	return r
}

// zipf draws from n with the first ones far more often: few users make most of the traffic.
func zipf(rng *rand.Rand, n int) int {
	if n <= 1 {
		return 0
	}
	x := rng.Float64()
	return int(x * x * x * float64(n))
}

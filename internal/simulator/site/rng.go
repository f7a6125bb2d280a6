package site

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// stream returns the random numbers of one purpose. Purposes do not disturb each other: one more draw for the host does not
// change the requests.
func stream(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64())) // #nosec G404 -- a reproducible world, not a secret
}

// logNormal draws from a log-normal distribution, within bounds.
func logNormal(rng *rand.Rand, median, sigma float64, low, high int) int {
	return min(max(int(median*math.Exp(sigma*rng.NormFloat64())), low), high)
}

// poisson draws the number of events of that mean: by multiplication, and from the normal distribution where that is long.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 30 {
		return max(int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())), 0)
	}
	n, p, limit := 0, rng.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= rng.Float64()
	}
	return n
}

// pick draws an index by weight.
func pick(rng *rand.Rand, weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	at := rng.Float64() * sum
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

package nvmlreceiver

// claim is what one user of a GPU had of it.
type claim struct {
	// busy is the share of time for which it kept the multiprocessors busy.
	busy float64
	// memory is in bytes, 0 if not known.
	memory int64
}

// split divides a GPU between those who use it, by the rule of
// docs/gpu-sharing.md: the time in which the GPU works belongs to who works, and
// the time in which it idles to who holds its memory. The shares are 1 together,
// or none where there are no claims.
func split(claims []claim) []float64 {
	var busy, memory float64
	for _, c := range claims {
		busy += c.busy
		memory += float64(c.memory)
	}
	// Samples of processes are not of the very same moment: together they may
	// say more than there is.
	scale := 1.0
	if busy > 1 {
		scale = 1 / busy
	}
	idle := max(0, 1-busy)
	shares := make([]float64, len(claims))
	for i, c := range claims {
		held := 1 / float64(len(claims))
		if memory > 0 {
			held = float64(c.memory) / memory
		}
		shares[i] = c.busy*scale + idle*held
	}
	return shares
}

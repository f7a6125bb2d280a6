// Package site is the simulated world: one server with its GPUs, containers, models, proxy and users, played in time.
// Requests arrive, are routed, wait, are prefilled and decoded; everything else follows from them: batches and KV caches,
// activity, heat and power of the GPUs, tokens, money, logs, traces and scores. What it finds goes to the facades of package
// simulator, which serve it as the real sources would.
//
// It is a function of seed, scenario timeline and time: it moves in steps on a fixed grid, draws from one generator for each
// purpose, and walks through slices only. The same input gives the same bytes, however Advance is called.
package site

package simulator

// tokenBounds are 1, 2, 5, 10, .. up to the context length.
func tokenBounds(_, maxModelLen int) []float64 {
	var bounds []float64
	for decade := 1; ; decade *= 10 {
		for _, m := range []int{1, 2, 5} {
			if m*decade > maxModelLen {
				return bounds
			}
			bounds = append(bounds, float64(m*decade))
		}
	}
}

// stepBounds were the sizes of CUDA graphs in 0.8 (~).
func stepBounds(order, _ int) []float64 {
	if order != orderOf(VLLM0_8_5) {
		return []float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}
	}
	bounds := []float64{1, 2, 4}
	for size := 8; size <= 512; size += 8 {
		bounds = append(bounds, float64(size))
	}
	return bounds
}

func choiceBounds(int, int) []float64 { return []float64{1, 2, 5, 10, 20} }

func firstTokenBounds(order, _ int) []float64 {
	bounds := []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	if order < orderOf(VLLM0_8_5) {
		return bounds
	}
	return append(bounds, 20, 40, 80, 160, 640, 2560)
}

func interTokenBounds(order, _ int) []float64 {
	bounds := []float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5}
	if order < orderOf(VLLM0_8_5) {
		return bounds
	}
	return append(bounds, 5, 7.5, 10, 20, 40, 80)
}

func requestBounds(order, _ int) []float64 {
	if order < orderOf(VLLM0_6_6) {
		return []float64{1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60}
	}
	bounds := []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60}
	if order < orderOf(VLLM0_8_5) {
		return bounds
	}
	return append(bounds, 120, 240, 480, 960, 1920, 7680)
}

func blockBounds(int, int) []float64 {
	return []float64{0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800}
}

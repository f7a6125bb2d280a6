package nvmlreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bootTime is when the host was started. The driver does not tell when it was
// loaded, but not before that: what it counts, it counts since then at the
// earliest.
func bootTime(proc string, otherwise time.Time) time.Time {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return otherwise
	}
	for line := range strings.Lines(string(stat)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil && seconds > 0 {
				return time.Unix(seconds, 0)
			}
		}
	}
	return otherwise
}

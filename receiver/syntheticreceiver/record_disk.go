package syntheticreceiver

import (
	"slices"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

func recordDisks(s *scopeRecorder, h *site.Host) {
	bytes := s.counter("system.disk.io", "By", "Disk bytes transferred.")
	busy := s.counter("system.disk.io_time", "s", "Time disk spent activated. On Windows, this is calculated as the inverse of disk idle time.")
	merged := s.counter("system.disk.merged", "{operations}", "The number of disk reads/writes merged into single physical disk access operations.")
	times := s.counter("system.disk.operation_time", "s", "Time spent in disk operations.")
	operations := s.counter("system.disk.operations", "{operations}", "Disk operations count.")
	pending := s.level("system.disk.pending_operations", "{operations}", "The queue size of pending I/O operations.")
	weighted := s.counter("system.disk.weighted_io_time", "s", "Time disk spent activated multiplied by the queue length.")
	for i := range h.Disks {
		d := &h.Disks[i]
		device := strings.TrimPrefix(d.Device, "/dev/")
		for _, way := range []struct {
			direction             string
			bytes, number, merged int64
			time                  float64
		}{
			{"read", d.ReadBytes, d.Reads, d.MergedReads, d.ReadTime},
			{"write", d.WrittenBytes, d.Writes, d.MergedWrites, d.WriteTime},
		} {
			bytes.count(way.bytes, "device", device, "direction", way.direction)
			operations.count(way.number, "device", device, "direction", way.direction)
			merged.count(way.merged, "device", device, "direction", way.direction)
			times.value(way.time, "device", device, "direction", way.direction)
		}
		busy.value(d.IOTime, "device", device)
		pending.count(d.PendingOperations, "device", device)
		weighted.value(d.WeightedTime, "device", device)
	}
}

func recordFilesystems(s *scopeRecorder, h *site.Host) {
	inodes := s.level("system.filesystem.inodes.usage", "{inodes}", "FileSystem inodes used.")
	usage := s.level("system.filesystem.usage", "By", "Filesystem bytes used.")
	shares := s.gauge("system.filesystem.utilization", "1", "Fraction of filesystem bytes used.")
	for i := range h.Disks {
		d := &h.Disks[i]
		at := []string{"device", d.Device, "mode", "rw", "mountpoint", d.MountPoint, "type", d.Type}
		with := func(state string) []string { return append(slices.Clip(at), "state", state) }
		inodes.count(int64(d.InodesUsed), with("used")...)
		inodes.count(int64(d.Inodes-d.InodesUsed), with("free")...)
		usage.count(int64(d.Used), with("used")...)
		usage.count(int64(d.Size-d.Used), with("free")...)
		usage.count(0, with("reserved")...)
		shares.value(float64(d.Used)/float64(d.Size), at...)
	}
}

// Package nvmltest builds a small libnvidia-ml.so.1 from C and steers it, so that
// tests go through real dlopen and the real go-nvml without a GPU.
//
// A process can use one such library only, whatever it does: build it once for
// the test binary, or run each variant in a child of it.
//
// # Control
//
// The driver plays two idle H200 SXM of driver 590.48.01, and does before every
// call what Driver.Set has told it, one line each:
//
//	devices N                  so many GPUs (up to 16)
//	load / load@GPU            the numbers of a GPU at work instead of an idle one
//	mig GPU                    cut: GPU instance 2 with two compute instances, then 3, 9 and 10
//	value SYMBOL[@GPU] N...    what a function gives, in the raw units and the order of NVML;
//	                           clocks by domain, violations by policy, PCIe throughput by counter;
//	                           MemoryErrorCounter: DRAM corrected, uncorrected, SRAM corrected,
//	                           uncorrected, and how much more the aggregate ones are;
//	                           NvLinkState: number of links, how many are up (the first ones)
//	field GPU ID SCOPE TYPE N  a field value; SCOPE * is any; TYPE is NVML's: 0 double, 1 unsigned
//	                           int, 2 unsigned long, 3 unsigned long long, 4 long long, 5 int
//	field GPU ID SCOPE error CODE
//	gpm GPU METRIC N           a profiling metric, percent or MiB/s
//	gpm GPU METRIC error CODE
//	process GPU LIST PID BYTES [GI CI]   LIST is compute, graphics or mps; BYTES - is not available
//	usage GPU PID TIMESTAMP SM MEMORY ENCODER DECODER
//	event ID GPU TYPE DATA [GI CI]       delivered once, ids must go up; TYPE 8 is an XID
//
// and for trouble:
//
//	init CODE                  nvmlInit fails
//	fail SYMBOL[@GPU] CODE     that function fails; SYMBOL "all" is every one but nvmlInit and nvmlShutdown
//	lost GPU [N]               the GPU is lost, after N calls about it since nvmlInit
//	hang SYMBOL[@GPU]          the function blocks until this line is gone
//	list-grows                 a process starts between the two calls that read a list
//	usage-goes                 the samples of utilization go between these two calls
//	samples N                  memory for no more than N GPM samples
//	any-window                 GPM samples may be less than 100 ms apart
//	trace                      every call is written down, see Driver.Trace
//
// SYMBOL is the name of the newest version, like nvmlDeviceGetCount_v2.
//
// The driver aborts the process where a real one might crash: on a handle, GPM
// sample or event set of before the last nvmlShutdown, on nvmlShutdown during a
// call or with samples or sets left, on field ids above 250, and when asked for
// the text of a return code.
package nvmltest

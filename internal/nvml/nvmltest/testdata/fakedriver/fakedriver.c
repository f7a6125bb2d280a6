// A libnvidia-ml.so.1 without any GPU behind it: eight H200 SXM with the numbers
// of driver 590.48.01, idle or under load, and every kind of trouble on demand.
//
// What it does is read from the file "control" beside it before every call; the
// package nvmltest, which builds it, documents the lines. It is as strict as no
// driver: a handle, sample or event set of before the last nvmlShutdown, or one
// that was freed, aborts the process, as does nvmlShutdown during a call.
//
// Only what the layout of the public interface demands is taken from NVML.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef unsigned int u32;
typedef unsigned long long u64;
typedef int ret_t;

enum {
	SUCCESS = 0,
	UNINITIALIZED = 1,
	INVALID_ARGUMENT = 2,
	NOT_SUPPORTED = 3,
	NOT_FOUND = 6,
	INSUFFICIENT_SIZE = 7,
	TIMEOUT = 10,
	GPU_IS_LOST = 15,
	VERSION_MISMATCH = 25, // ERROR_ARGUMENT_VERSION_MISMATCH
};

#define EXPORT __attribute__((visibility("default")))
#define MAX_GPUS 16
#define SLOTS 7
#define MAX_INITS 4096
#define MIB (1ULL << 20)
#define NO_INSTANCE 0xFFFFFFFFu

// ---- control ----------------------------------------------------------------

#define MAX_LINES 512
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char lines[MAX_LINES][160];
static int n_lines;
static int inits;         // balance of nvmlInit and nvmlShutdown
static u32 generation;    // of handles; goes up when inits gets 1
static int in_flight;     // calls of others than nvmlShutdown
static int samples, sets; // that were not freed
static int calls[MAX_GPUS];
static long long last_event;

static const char *beside(const char *name) {
	static __thread char path[4096];
	Dl_info info;
	if (!dladdr((void *)beside, &info))
		abort();
	snprintf(path, sizeof path - 64, "%s", info.dli_fname);
	strcpy(strrchr(path, '/') + 1, name);
	return path;
}

static void note(const char *format, ...) {
	va_list args;
	FILE *f = fopen(beside("trace"), "a");
	if (!f)
		abort();
	va_start(args, format);
	vfprintf(f, format, args);
	va_end(args);
	fclose(f);
}

static void die(const char *why) {
	fprintf(stderr, "fake driver: %s\n", why);
	abort();
}

// reload is called with the mutex held.
static void reload(void) {
	FILE *f = fopen(beside("control"), "r");
	n_lines = 0;
	if (!f)
		return;
	while (n_lines < MAX_LINES && fgets(lines[n_lines], sizeof lines[0], f))
		n_lines++;
	fclose(f);
}

// rest returns what follows the words on the i-th line, or NULL if it begins otherwise.
static const char *rest(int i, const char *words) {
	size_t n = strlen(words);
	if (strncmp(lines[i], words, n) != 0)
		return NULL;
	if (lines[i][n] != ' ' && lines[i][n] != '\n' && lines[i][n] != 0)
		return NULL;
	return lines[i] + n;
}

// find returns what follows on the last line that begins with the words.
static const char *find(const char *format, ...) {
	char words[160];
	const char *found = NULL;
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	for (int i = 0; i < n_lines; i++) {
		const char *r = rest(i, words);
		if (r)
			found = r;
	}
	return found;
}

static ret_t outcome(const char *symbol, int gpu) {
	const char *r;
	if (gpu >= 0) {
		int n = calls[gpu]++;
		if ((r = find("lost %d", gpu)) && n >= atoi(r))
			return GPU_IS_LOST;
		if ((r = find("fail %s@%d", symbol, gpu)))
			return atoi(r);
	}
	if ((r = find("fail %s", symbol)) || (r = find("fail all")))
		return atoi(r);
	return SUCCESS;
}

// enter begins every call but those of nvmlInit and nvmlShutdown; gpu is -1
// where none is concerned. It holds the mutex when it returns.
static ret_t enter(const char *symbol, int gpu) {
	pthread_mutex_lock(&mutex);
	in_flight++;
	for (reload(); find("hang %s", symbol) || (gpu >= 0 && find("hang %s@%d", symbol, gpu)); reload()) {
		pthread_mutex_unlock(&mutex);
		usleep(2000);
		pthread_mutex_lock(&mutex);
	}
	if (find("trace"))
		note("%s %d\n", symbol, gpu);
	if (inits == 0)
		return UNINITIALIZED;
	return outcome(symbol, gpu);
}

static ret_t leave(ret_t ret) {
	in_flight--;
	pthread_mutex_unlock(&mutex);
	return ret;
}

// value is the n-th number of a line "value SYMBOL ..." or "value SYMBOL@GPU ...".
static double value(const char *symbol, int gpu, int n, double otherwise) {
	const char *r = gpu >= 0 ? find("value %s@%d", symbol, gpu) : NULL;
	if (!r)
		r = find("value %s", symbol);
	for (; r && n >= 0; n--) {
		char *end;
		double v = strtod(r, &end);
		if (end == r)
			break;
		if (n == 0)
			return v;
		r = end;
	}
	return otherwise;
}

static int loaded(int gpu) { return find("load") || find("load@%d", gpu); }

// ---- handles ----------------------------------------------------------------

typedef struct handle {
	u32 magic, generation;
	int gpu;
	int slot; // of a MIG device, else -1
} handle;

#define MAGIC 0x600DCAFE
static handle gpus[MAX_INITS][MAX_GPUS];
static handle instances[MAX_INITS][MAX_GPUS][SLOTS];

// The layout of the captured H200: GPU instance 2 has two compute instances.
// The slots 1 and 5 are empty.
static const struct layout {
	int gi, ci;
	u32 sms, gi_slices, ci_slices, copies, decoders;
	u64 total_mib, used_mib;
	const char *profile;
} layouts[SLOTS] = {
	{2, 0, 16, 3, 1, 3, 3, 71424, 22, "1c.3g.71gb"},
	{.gi = -1},
	{2, 1, 32, 3, 2, 3, 3, 71424, 22, "2c.3g.71gb"},
	{3, 0, 32, 2, 2, 2, 2, 33280, 17, "2g.35gb"},
	{9, 0, 16, 1, 1, 1, 1, 16384, 9, "1g.18gb"},
	{.gi = -1},
	{10, 0, 16, 1, 1, 1, 1, 16384, 9, "1g.18gb"},
};

static int devices(void) {
	const char *r = find("devices");
	int n = r ? atoi(r) : 2;
	return n > MAX_GPUS ? MAX_GPUS : n;
}

static int mig(int gpu) { return find("mig %d", gpu) != NULL; }

static void check(const handle *h) {
	if (h == NULL || h->magic != MAGIC)
		die("a handle that is none");
	if (h->generation != generation)
		die("a handle of before the last nvmlShutdown");
}

// BEGIN starts a call about a GPU or instance h.
#define BEGIN(h)                                   \
	check(h);                                  \
	const int gpu = (h)->gpu;                  \
	ret_t ret = enter(__func__, gpu);          \
	(void)gpu;                                 \
	if (ret != SUCCESS)                        \
	return leave(ret)
#define DONE return leave(SUCCESS)
#define FAIL(code) return leave(code)
#define V(n, otherwise) value(__func__, gpu, n, otherwise)
// PICK chooses between the numbers of idle and of load.
#define PICK(idle, load) (loaded(gpu) ? (load) : (idle))
#define NOT_FOR_MIG(h)       \
	if ((h)->slot >= 0)  \
	FAIL(NOT_SUPPORTED)
// NOT_UNDER_MIG is for what the GPU itself does not tell while it is cut.
#define NOT_UNDER_MIG(h) \
	if (mig(gpu))    \
	FAIL(NOT_SUPPORTED)

static ret_t string(char *to, u32 size, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vsnprintf(to, size, format, args);
	va_end(args);
	return n >= (int)size ? INSUFFICIENT_SIZE : SUCCESS;
}

// ---- library ----------------------------------------------------------------

EXPORT ret_t nvmlInit_v2(void) {
	pthread_mutex_lock(&mutex);
	for (reload(); find("hang nvmlInit_v2"); reload()) {
		pthread_mutex_unlock(&mutex);
		usleep(2000);
		pthread_mutex_lock(&mutex);
	}
	const char *r = find("init");
	ret_t ret = r ? atoi(r) : SUCCESS;
	if (ret == SUCCESS && inits++ == 0) {
		if (++generation >= MAX_INITS)
			die("too many times initialised");
		memset(calls, 0, sizeof calls);
		for (int g = 0; g < MAX_GPUS; g++) {
			gpus[generation][g] = (handle){MAGIC, generation, g, -1};
			for (int s = 0; s < SLOTS; s++)
				instances[generation][g][s] = (handle){MAGIC, generation, g, s};
		}
	}
	pthread_mutex_unlock(&mutex);
	return ret;
}

EXPORT ret_t nvmlInit(void) { return nvmlInit_v2(); }

EXPORT ret_t nvmlShutdown(void) {
	pthread_mutex_lock(&mutex);
	reload();
	const char *r = find("fail nvmlShutdown");
	ret_t ret = r ? atoi(r) : SUCCESS;
	if (inits == 0)
		ret = UNINITIALIZED;
	else if (--inits == 0) {
		if (in_flight != 0)
			die("nvmlShutdown during a call");
		if (samples != 0 || sets != 0)
			die("nvmlShutdown with samples or event sets that were not freed");
	}
	pthread_mutex_unlock(&mutex);
	return ret;
}

EXPORT const char *nvmlErrorString(ret_t ret) {
	(void)ret;
	die("nvmlErrorString was asked for the name of a code");
	return "";
}

EXPORT ret_t nvmlSystemGetDriverVersion(char *to, u32 size) {
	ret_t ret = enter(__func__, -1);
	return leave(ret ? ret : string(to, size, "590.48.01"));
}

EXPORT ret_t nvmlSystemGetNVMLVersion(char *to, u32 size) {
	ret_t ret = enter(__func__, -1);
	return leave(ret ? ret : string(to, size, "13.590.48.01"));
}

EXPORT ret_t nvmlSystemGetCudaDriverVersion(int *v) {
	ret_t ret = enter(__func__, -1);
	*v = 13010;
	return leave(ret);
}

EXPORT ret_t nvmlDeviceGetCount_v2(u32 *n) {
	ret_t ret = enter(__func__, -1);
	*n = devices();
	return leave(ret);
}

EXPORT ret_t nvmlDeviceGetHandleByIndex_v2(u32 index, handle **h) {
	ret_t ret = enter(__func__, index < MAX_GPUS ? (int)index : -1);
	if (ret == SUCCESS && (int)index >= devices())
		ret = INVALID_ARGUMENT;
	if (ret == SUCCESS)
		*h = &gpus[generation][index];
	return leave(ret);
}

EXPORT ret_t nvmlDeviceGetCount(u32 *n) { return nvmlDeviceGetCount_v2(n); }
EXPORT ret_t nvmlDeviceGetHandleByIndex(u32 i, handle **h) { return nvmlDeviceGetHandleByIndex_v2(i, h); }

// ---- identity ---------------------------------------------------------------

EXPORT ret_t nvmlDeviceGetUUID(handle *h, char *to, u32 size) {
	BEGIN(h);
	if (h->slot >= 0)
		return leave(string(to, size, "MIG-%08x-0000-0000-0000-%012x", gpu, h->slot));
	return leave(string(to, size, "GPU-%08x-0000-0000-0000-%012x", gpu, gpu));
}

EXPORT ret_t nvmlDeviceGetName(handle *h, char *to, u32 size) {
	BEGIN(h);
	if (h->slot >= 0)
		return leave(string(to, size, "NVIDIA H200 MIG %s", layouts[h->slot].profile));
	return leave(string(to, size, "NVIDIA H200"));
}

EXPORT ret_t nvmlDeviceGetIndex(handle *h, u32 *v) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*v = gpu;
	DONE;
}

EXPORT ret_t nvmlDeviceGetMinorNumber(handle *h, u32 *v) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*v = devices() - 1 - gpu; // not the index, as on many servers
	DONE;
}

EXPORT ret_t nvmlDeviceGetSerial(handle *h, char *to, u32 size) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	return leave(string(to, size, "165402300000%d", gpu));
}

EXPORT ret_t nvmlDeviceGetVbiosVersion(handle *h, char *to, u32 size) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	return leave(string(to, size, "96.00.A5.00.03"));
}

EXPORT ret_t nvmlDeviceGetBoardPartNumber(handle *h, char *to, u32 size) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	return leave(string(to, size, "695-2G520-0280-001"));
}

EXPORT ret_t nvmlDeviceGetBoardId(handle *h, u32 *v) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*v = 0x8300 + gpu;
	DONE;
}

typedef struct {
	char legacy[16];
	u32 domain, bus, device, device_id, subsystem_id;
	char id[32];
} pci_info;

EXPORT ret_t nvmlDeviceGetPciInfo_v3(handle *h, pci_info *p) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	p->domain = 0, p->bus = 0x18 + gpu, p->device = 0;
	p->device_id = 0x233510DE, p->subsystem_id = 0x18BE10DE;
	string(p->id, sizeof p->id, "00000000:%02X:00.0", p->bus);
	string(p->legacy, sizeof p->legacy, "0000:%02X:00.0", p->bus);
	DONE;
}

// Before version 3 there was only the short id.
EXPORT ret_t nvmlDeviceGetPciInfo_v2(handle *h, pci_info *p) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	p->domain = 0, p->bus = 0x18 + gpu, p->device = 0;
	p->device_id = 0x233510DE, p->subsystem_id = 0x18BE10DE;
	string(p->legacy, sizeof p->legacy, "0000:%02X:00.0", p->bus);
	DONE;
}

// ---- activity ---------------------------------------------------------------

EXPORT ret_t nvmlDeviceGetUtilizationRates(handle *h, u32 v[2]) {
	BEGIN(h);
	NOT_UNDER_MIG(h);
	v[0] = V(0, PICK(0, 100)), v[1] = V(1, PICK(0, 8));
	DONE;
}

#define ENGINE(symbol, load)                                         \
	EXPORT ret_t symbol(handle *h, u32 *percent, u32 *us) {      \
		BEGIN(h);                                            \
		NOT_UNDER_MIG(h);                                    \
		*percent = V(0, PICK(0, load)), *us = V(1, 167000);  \
		DONE;                                                \
	}
ENGINE(nvmlDeviceGetEncoderUtilization, 0)
ENGINE(nvmlDeviceGetDecoderUtilization, 3)
ENGINE(nvmlDeviceGetJpgUtilization, 2)
ENGINE(nvmlDeviceGetOfaUtilization, 1)

typedef struct { u64 total, free, used; } memory_v1;
typedef struct { u32 version; u64 total, reserved, free, used; } memory_v2;

static void memory(handle *h, memory_v2 *m) {
	int gpu = h->gpu;
	if (h->slot >= 0) {
		m->total = layouts[h->slot].total_mib * MIB;
		m->reserved = 0;
		m->used = layouts[h->slot].used_mib * MIB;
		if (loaded(gpu) && layouts[h->slot].gi == 2)
			m->used = 16925 * MIB;
	} else {
		m->total = 143771 * MIB;
		m->reserved = 614 * MIB;
		m->used = value("nvmlDeviceGetMemoryInfo_v2", gpu, 0, PICK(0, 32362 * MIB));
	}
	m->free = m->total - m->reserved - m->used;
}

EXPORT ret_t nvmlDeviceGetMemoryInfo_v2(handle *h, memory_v2 *m) {
	BEGIN(h);
	if (m->version != (sizeof *m | 2 << 24))
		FAIL(VERSION_MISMATCH);
	memory(h, m);
	DONE;
}

EXPORT ret_t nvmlDeviceGetMemoryInfo(handle *h, memory_v1 *v1) {
	memory_v2 m;
	BEGIN(h);
	memory(h, &m);
	v1->total = m.total, v1->free = m.free, v1->used = m.used + m.reserved;
	DONE;
}

EXPORT ret_t nvmlDeviceGetBAR1MemoryInfo(handle *h, memory_v1 *m) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	m->total = 262144 * MIB, m->used = V(0, 1 * MIB), m->free = m->total - m->used;
	DONE;
}

// ---- heat, power, clocks ----------------------------------------------------

EXPORT ret_t nvmlDeviceGetTemperature(handle *h, u32 sensor, u32 *v) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (sensor != 0)
		FAIL(INVALID_ARGUMENT);
	*v = (u32)(int)V(0, PICK(28, 53));
	DONE;
}

typedef struct { u32 version, sensor; int value; } temperature;

EXPORT ret_t nvmlDeviceGetTemperatureV(handle *h, temperature *t) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (t->version != (sizeof *t | 1 << 24))
		FAIL(VERSION_MISMATCH);
	t->value = value("nvmlDeviceGetTemperature", gpu, 0, PICK(28, 53));
	DONE;
}

typedef struct { u32 version; int value; } margin;

EXPORT ret_t nvmlDeviceGetMarginTemperature(handle *h, margin *m) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (m->version != (sizeof *m | 1 << 24))
		FAIL(VERSION_MISMATCH);
	m->value = V(0, PICK(59, 35));
	DONE;
}

#define NUMBER(symbol, type, number)             \
	EXPORT ret_t symbol(handle *h, type *v) { \
		BEGIN(h);                        \
		NOT_FOR_MIG(h);                  \
		*v = V(0, number);               \
		DONE;                            \
	}
NUMBER(nvmlDeviceGetPowerUsage, u32, PICK(77670, 631250))
NUMBER(nvmlDeviceGetEnforcedPowerLimit, u32, 700000)
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, u32, 700000)
NUMBER(nvmlDeviceGetTotalEnergyConsumption, u64, 987654321012ULL + gpu)
NUMBER(nvmlDeviceGetCurrentClocksEventReasons, u64, PICK(1, 4))
NUMBER(nvmlDeviceGetCurrentClocksThrottleReasons, u64, PICK(1, 4))
NUMBER(nvmlDeviceGetPerformanceState, u32, 0)
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, u32, 5)
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, u32, 16)
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, u32, 5)
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, u32, 16)
NUMBER(nvmlDeviceGetPcieReplayCounter, u32, 0)

EXPORT ret_t nvmlDeviceGetPowerManagementLimitConstraints(handle *h, u32 *low, u32 *high) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*low = V(0, 200000), *high = V(1, 700000);
	DONE;
}

EXPORT ret_t nvmlDeviceGetClockInfo(handle *h, u32 clock, u32 *mhz) {
	static const u32 idle[] = {345, 345, 3201, 765}, load[] = {1980, 1980, 3201, 1545};
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (clock > 3)
		FAIL(INVALID_ARGUMENT);
	*mhz = V(clock, PICK(idle[clock], load[clock]));
	DONE;
}

EXPORT ret_t nvmlDeviceGetMaxClockInfo(handle *h, u32 clock, u32 *mhz) {
	static const u32 most[] = {1980, 1980, 3201, 1545};
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (clock > 3)
		FAIL(INVALID_ARGUMENT);
	*mhz = V(clock, most[clock]);
	DONE;
}

EXPORT ret_t nvmlDeviceGetViolationStatus(handle *h, u32 policy, u64 v[2]) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (policy > 11)
		FAIL(INVALID_ARGUMENT);
	v[0] = 1767225600000000ULL, v[1] = V(policy, policy == 0 ? PICK(0, 1500000000.0) : 0);
	DONE;
}

// ---- errors and health ------------------------------------------------------

// "value nvmlDeviceGetMemoryErrorCounter A B C D E F" sets DRAM corrected,
// uncorrected, SRAM corrected, uncorrected (volatile); aggregate is 10 more.
EXPORT ret_t nvmlDeviceGetMemoryErrorCounter(handle *h, u32 kind, u32 counter, u32 location, u64 *n) {
	BEGIN(h);
	if (location != 2 && location != 7)
		FAIL(NOT_SUPPORTED);
	if (h->slot >= 0 && !(kind == 1 && counter == 0 && location == 7))
		FAIL(NOT_SUPPORTED);
	*n = V((location == 7 ? 2 : 0) + kind, 0);
	if (counter == 1)
		*n += V(4, 0);
	DONE;
}

typedef struct {
	u32 version;
	u64 n[11];
	u32 exceeded;
} sram;

EXPORT ret_t nvmlDeviceGetSramEccErrorStatus(handle *h, sram *s) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	if (s->version != (sizeof *s | 1 << 24))
		FAIL(VERSION_MISMATCH);
	for (int i = 0; i < 11; i++)
		s->n[i] = V(i, 0);
	s->exceeded = V(11, 0);
	DONE;
}

EXPORT ret_t nvmlDeviceGetRemappedRows(handle *h, u32 *corrected, u32 *uncorrected, u32 *pending, u32 *failed) {
	BEGIN(h);
	NOT_UNDER_MIG(h);
	*corrected = V(0, 0), *uncorrected = V(1, 0), *pending = V(2, 0), *failed = V(3, 0);
	DONE;
}

EXPORT ret_t nvmlDeviceGetRowRemapperHistogram(handle *h, u32 v[5]) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	for (int i = 0; i < 5; i++)
		v[i] = V(i, i == 0 ? 3072 : 0);
	DONE;
}

typedef struct {
	unsigned char cluster[16];
	u32 status, clique;
	unsigned char state;
} fabric_v1;

typedef struct {
	u32 version;
	unsigned char cluster[16];
	u32 status, clique;
	unsigned char state;
	u32 mask;
	unsigned char summary;
} fabric_v3;

EXPORT ret_t nvmlDeviceGetGpuFabricInfo(handle *h, fabric_v1 *f) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	memset(f->cluster, 0, 16);
	f->status = 0, f->clique = 0, f->state = 3;
	DONE;
}

EXPORT ret_t nvmlDeviceGetGpuFabricInfoV(handle *h, fabric_v3 *f) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	u32 version = f->version >> 24;
	if ((f->version & 0xFFFFFF) != (version == 2 ? 36 : sizeof *f) || version > V(0, 3))
		FAIL(VERSION_MISMATCH);
	for (int i = 0; i < 16; i++)
		f->cluster[i] = 0xA0 + i;
	f->status = V(2, 0), f->clique = 7, f->state = V(1, 3), f->mask = 0x55;
	if (version == 3)
		f->summary = 1;
	DONE;
}

// ---- links ------------------------------------------------------------------

EXPORT ret_t nvmlDeviceGetPcieThroughput(handle *h, u32 counter, u32 *kb) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*kb = V(counter, counter == 0 ? PICK(371, 4217) : PICK(337, 8691));
	DONE;
}

// "value nvmlDeviceGetNvLinkState LINKS UP" has that many, of which the first are up.
EXPORT ret_t nvmlDeviceGetNvLinkState(handle *h, u32 link, u32 *up) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	int n = V(0, 18);
	if ((int)link >= n)
		FAIL(n == 12 ? NOT_SUPPORTED : INVALID_ARGUMENT);
	*up = (int)link < V(1, 18);
	DONE;
}

typedef struct {
	u32 id, scope;
	long long timestamp, latency;
	u32 type;
	ret_t ret;
	union {
		double d;
		u32 u;
		unsigned long ul;
		u64 ull;
		long long ll;
		int i;
		unsigned char raw[8];
	} value;
} field;

enum { DOUBLE, UINT, ULONG, ULLONG, LLONG, INT };

static void set(field *f, u32 type, double v) {
	f->type = type;
	f->ret = SUCCESS;
	switch (type) {
	case DOUBLE: f->value.d = v; break;
	case UINT: f->value.u = v; break;
	case ULONG: f->value.ul = v; break;
	case ULLONG: f->value.ull = v; break;
	case LLONG: f->value.ll = v; break;
	case INT: f->value.i = v; break;
	}
}

static void fill(field *f, int gpu) {
	const char *r;
	memset(&f->value, 0xEE, sizeof f->value); // what is not of the type is garbage
	if ((r = find("field %d %u %u", gpu, f->id, f->scope)) || (r = find("field %d %u *", gpu, f->id))) {
		u32 type;
		double v;
		if (sscanf(r, "%u %lf", &type, &v) == 2) {
			set(f, type, v);
			return;
		}
		if (sscanf(r, " error %d", &f->ret) == 1)
			return;
	}
	int all = f->scope == 0xFFFFFFFF;
	if ((f->id >= 138 && f->id <= 141) || (f->id >= 161 && f->id <= 163)) {
		if (!all && f->scope >= 18) {
			f->ret = INVALID_ARGUMENT;
			return;
		}
		int links = all ? 18 : 1;
		switch (f->id) {
		case 138: set(f, ULLONG, 1000.0 * links); return;
		case 139: set(f, ULLONG, 2000.0 * links); return;
		case 140: set(f, ULLONG, 1100.0 * links); return;
		case 141: set(f, ULLONG, 2200.0 * links); return;
		default: set(f, ULLONG, 0); return;
		}
	}
	switch (f->id) {
	case 74: set(f, ULLONG, PICK(0, 1500000000.0)); return;
	case 75: case 76: case 77: case 78: case 79: set(f, ULLONG, 0); return;
	case 82: set(f, UINT, PICK(32, 42)); return;
	case 83: set(f, ULLONG, 987654321012ULL + gpu); return;
	case 94: case 95: set(f, UINT, 0); return;
	case 142: case 143: case 144: case 145:
		if (mig(gpu))
			f->ret = NOT_SUPPORTED;
		else
			set(f, UINT, value("nvmlDeviceGetRemappedRows", gpu, f->id - 142, 0));
		return;
	case 185: set(f, UINT, PICK(77670, 631250)); return;
	case 186: set(f, UINT, PICK(77880, 632000)); return;
	case 193: set(f, INT, -8); return;
	case 194: set(f, INT, -2); return;
	case 195: case 196: set(f, INT, 0); return;
	case 197: set(f, ULLONG, 4217e6); return;
	case 198: set(f, ULLONG, 8691e6); return;
	case 230: set(f, UINT, 0); return;
	}
	if (f->id >= 173 && f->id <= 183)
		set(f, UINT, 0);
	else if (f->id > 308)
		f->ret = INVALID_ARGUMENT;
	else
		f->ret = NOT_SUPPORTED;
}

EXPORT ret_t nvmlDeviceGetFieldValues(handle *h, int n, field *fields) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	for (int i = 0; i < n; i++) {
		if (fields[i].id > 250)
			die("a field whose number moved between drivers");
		fill(&fields[i], gpu);
		fields[i].timestamp = fields[i].ret == SUCCESS ? 1767225600000000LL : 0;
		fields[i].latency = 7;
	}
	DONE;
}

// ---- processes --------------------------------------------------------------

typedef struct { u32 pid; u64 memory; u32 gi, ci; } process;
typedef struct { u32 pid; u64 memory; } process_v1;

// next_process finds, from line *i on, a process on the list of the handle.
static int next_process(handle *h, const char *list, int *i, process *p) {
	for (; *i < n_lines; ++*i) {
		char name[16], bytes[32];
		int gpu, n;
		u32 gi = NO_INSTANCE, ci = NO_INSTANCE;
		const char *r = rest(*i, "process");
		if (!r)
			continue;
		n = sscanf(r, "%d %15s %u %31s %u %u", &gpu, name, &p->pid, bytes, &gi, &ci);
		if (n < 4 || gpu != h->gpu || strcmp(name, list) != 0)
			continue;
		if (h->slot >= 0 && (layouts[h->slot].gi != (int)gi || layouts[h->slot].ci != (int)ci))
			continue;
		p->memory = strcmp(bytes, "-") == 0 ? ~0ULL : strtoull(bytes, NULL, 10);
		p->gi = gi, p->ci = ci;
		++*i;
		return 1;
	}
	return 0;
}

#define PROCESSES(symbol, list, type, assign)                                  \
	EXPORT ret_t symbol(handle *h, u32 *count, type *out) {                \
		process p;                                                     \
		u32 n = 0;                                                     \
		int i = 0;                                                     \
		BEGIN(h);                                                      \
		while (next_process(h, list, &i, &p))                          \
			n++;                                                   \
		if (find("list-grows") && out)                                 \
			FAIL((*count = *count + 1, SUCCESS));                  \
		if (n > *count || (n && !out))                                 \
			FAIL((*count = n, INSUFFICIENT_SIZE));                 \
		for (n = 0, i = 0; next_process(h, list, &i, &p); n++)         \
			assign;                                                \
		*count = n;                                                    \
		DONE;                                                          \
	}
#define FULL out[n] = p
#define SHORT out[n] = (process_v1){p.pid, p.memory}
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3, "compute", process, FULL)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics", process, FULL)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3, "mps", process, FULL)
PROCESSES(nvmlDeviceGetComputeRunningProcesses, "compute", process_v1, SHORT)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses, "graphics", process_v1, SHORT)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses, "mps", process_v1, SHORT)

typedef struct { u32 pid; u64 timestamp; u32 sm, memory, encoder, decoder; } usage;

static int next_usage(int gpu, u64 since, int *i, usage *u) {
	for (; *i < n_lines; ++*i) {
		int g;
		const char *r = rest(*i, "usage");
		if (!r || sscanf(r, "%d %u %llu %u %u %u %u", &g, &u->pid, &u->timestamp, &u->sm, &u->memory, &u->encoder, &u->decoder) != 7)
			continue;
		if (g != gpu || u->timestamp <= since)
			continue;
		++*i;
		return 1;
	}
	return 0;
}

EXPORT ret_t nvmlDeviceGetProcessUtilization(handle *h, usage *out, u32 *count, u64 since) {
	usage u;
	u32 n = 0;
	int i = 0;
	BEGIN(h);
	NOT_UNDER_MIG(h);
	while (next_usage(gpu, since, &i, &u))
		n++;
	if (n == 0)
		FAIL(NOT_FOUND);
	if (find("usage-goes") && out)
		FAIL((*count = 0, NOT_FOUND));
	if (find("list-grows") && out)
		FAIL((*count = n + 1, INSUFFICIENT_SIZE));
	if (!out || *count < n)
		FAIL((*count = n, INSUFFICIENT_SIZE));
	for (n = 0, i = 0; next_usage(gpu, since, &i, &u); n++)
		out[n] = u;
	*count = n;
	DONE;
}

// ---- MIG --------------------------------------------------------------------

EXPORT ret_t nvmlDeviceGetMigMode(handle *h, u32 *current, u32 *pending) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*current = mig(gpu), *pending = V(0, mig(gpu));
	DONE;
}

EXPORT ret_t nvmlDeviceGetMaxMigDeviceCount(handle *h, u32 *n) {
	BEGIN(h);
	*n = SLOTS;
	DONE;
}

EXPORT ret_t nvmlDeviceGetMigDeviceHandleByIndex(handle *h, u32 slot, handle **instance) {
	BEGIN(h);
	if (slot >= SLOTS)
		FAIL(INVALID_ARGUMENT);
	if (!mig(gpu))
		FAIL(NOT_SUPPORTED);
	if (layouts[slot].gi < 0)
		FAIL(NOT_FOUND);
	*instance = &instances[generation][gpu][slot];
	DONE;
}

EXPORT ret_t nvmlDeviceGetGpuInstanceId(handle *h, u32 *id) {
	BEGIN(h);
	if (h->slot < 0)
		FAIL(INVALID_ARGUMENT);
	*id = layouts[h->slot].gi;
	DONE;
}

EXPORT ret_t nvmlDeviceGetComputeInstanceId(handle *h, u32 *id) {
	BEGIN(h);
	if (h->slot < 0)
		FAIL(INVALID_ARGUMENT);
	*id = layouts[h->slot].ci;
	DONE;
}

typedef struct {
	u32 sms, copies, decoders, encoders, jpegs, ofas, gi_slices, ci_slices;
	u64 memory_mib;
} attributes;

EXPORT ret_t nvmlDeviceGetAttributes_v2(handle *h, attributes *a) {
	BEGIN(h);
	if (h->slot < 0)
		FAIL(INVALID_ARGUMENT);
	const struct layout *l = &layouts[h->slot];
	*a = (attributes){l->sms, l->copies, l->decoders, 0, l->decoders, 0, l->gi_slices, l->ci_slices, l->total_mib};
	DONE;
}

// ---- GPM --------------------------------------------------------------------

typedef struct {
	u32 magic, generation;
	int gpu, gi; // -1 until taken
	struct timespec at;
} gpm_sample;

typedef struct {
	u32 id;
	ret_t ret;
	double value;
	const char *info[3];
} gpm_metric;

typedef struct {
	u32 version, n;
	gpm_sample *first, *second;
	gpm_metric metrics[];
} gpm_request;

typedef struct { u32 version, supported; } gpm_support;

static void check_sample(const gpm_sample *s) {
	if (!s || s->magic != MAGIC)
		die("a sample that is none");
	if (s->generation != generation)
		die("a sample of before the last nvmlShutdown");
}

EXPORT ret_t nvmlGpmQueryDeviceSupport(handle *h, gpm_support *s) {
	BEGIN(h);
	if (s->version != 1)
		FAIL(VERSION_MISMATCH);
	s->supported = V(0, 1);
	DONE;
}

EXPORT ret_t nvmlGpmSampleAlloc(gpm_sample **s) {
	ret_t ret = enter(__func__, -1);
	const char *r = find("samples");
	if (ret == SUCCESS && r && samples >= atoi(r))
		ret = 23;
	if (ret != SUCCESS)
		return leave(ret);
	*s = calloc(1, sizeof **s);
	**s = (gpm_sample){MAGIC, generation, -1, -1, {0, 0}};
	samples++;
	return leave(SUCCESS);
}

EXPORT ret_t nvmlGpmSampleFree(gpm_sample *s) {
	check_sample(s);
	ret_t ret = enter(__func__, -1);
	s->magic = 0; // and not freed, to be recognised
	samples--;
	return leave(ret);
}

EXPORT ret_t nvmlGpmSampleGet(handle *h, gpm_sample *s) {
	check_sample(s);
	BEGIN(h);
	s->gpu = gpu, s->gi = -1;
	clock_gettime(CLOCK_MONOTONIC, &s->at);
	DONE;
}

EXPORT ret_t nvmlGpmMigSampleGet(handle *h, u32 gi, gpm_sample *s) {
	check_sample(s);
	BEGIN(h);
	NOT_FOR_MIG(h);
	s->gpu = gpu, s->gi = gi;
	clock_gettime(CLOCK_MONOTONIC, &s->at);
	DONE;
}

EXPORT ret_t nvmlGpmMetricsGet(gpm_request *g) {
	check_sample(g->first);
	check_sample(g->second);
	int gpu = g->first->gpu;
	ret_t ret = enter(__func__, gpu);
	if (ret != SUCCESS)
		return leave(ret);
	double window = (g->second->at.tv_sec - g->first->at.tv_sec) + (g->second->at.tv_nsec - g->first->at.tv_nsec) / 1e9;
	if (g->version != 1)
		FAIL(VERSION_MISMATCH);
	if (gpu < 0 || g->second->gpu != gpu || g->second->gi != g->first->gi || g->first == g->second)
		FAIL(INVALID_ARGUMENT);
	if (window < 0)
		die("samples in the wrong order");
	if (window < 0.1 && !find("any-window"))
		die("samples less than 100 ms apart");
	for (u32 i = 0; i < g->n; i++) {
		gpm_metric *m = &g->metrics[i];
		const char *r = find("gpm %d %u", gpu, m->id);
		m->ret = SUCCESS;
		m->info[0] = m->info[1] = m->info[2] = "fake";
		if (r && sscanf(r, " error %d", &m->ret) == 1)
			continue;
		if (r)
			m->value = strtod(r, NULL);
		else if (m->id <= 13)
			m->value = PICK(0, 5.0 * m->id) + (g->first->gi > 0 ? g->first->gi / 10.0 : 0);
		else if (m->id == 20 || m->id == 21 || (m->id >= 60 && m->id <= 97))
			m->value = PICK(0, m->id);
		else
			m->ret = NOT_SUPPORTED;
	}
	DONE;
}

// ---- events -----------------------------------------------------------------

typedef struct {
	u32 magic, generation;
	u64 types[MAX_GPUS];
} event_set;

typedef struct {
	handle *device;
	u64 type, data;
	u32 gi, ci;
} event_data;

typedef struct {
	handle *device;
	u64 type, data;
} event_data_v1;

static void check_set(const event_set *s) {
	if (!s || s->magic != MAGIC)
		die("an event set that is none");
	if (s->generation != generation)
		die("an event set of before the last nvmlShutdown");
}

EXPORT ret_t nvmlEventSetCreate(event_set **s) {
	ret_t ret = enter(__func__, -1);
	if (ret != SUCCESS)
		return leave(ret);
	*s = calloc(1, sizeof **s);
	(*s)->magic = MAGIC, (*s)->generation = generation;
	sets++;
	return leave(SUCCESS);
}

EXPORT ret_t nvmlEventSetFree(event_set *s) {
	check_set(s);
	ret_t ret = enter(__func__, -1);
	s->magic = 0;
	sets--;
	return leave(ret);
}

EXPORT ret_t nvmlDeviceGetSupportedEventTypes(handle *h, u64 *types) {
	BEGIN(h);
	NOT_FOR_MIG(h);
	*types = V(0, 0x1 | 0x2 | 0x8 | 0x10 | 0x80 | 0x400 | 0x800);
	DONE;
}

EXPORT ret_t nvmlDeviceRegisterEvents(handle *h, u64 types, event_set *s) {
	check_set(s);
	BEGIN(h);
	if (types == 0 || (types & ~(u64)value("nvmlDeviceGetSupportedEventTypes", gpu, 0, 0x1 | 0x2 | 0x8 | 0x10 | 0x80 | 0x400 | 0x800)))
		FAIL(NOT_SUPPORTED);
	s->types[gpu] |= types;
	DONE;
}

// next_event finds the first event that was not delivered yet; its number says so.
static int next_event(event_set *s, event_data *e) {
	for (int i = 0; i < n_lines; i++) {
		long long id;
		int gpu;
		u32 gi = NO_INSTANCE, ci = NO_INSTANCE;
		u64 type, data;
		const char *r = rest(i, "event");
		if (!r || sscanf(r, "%lld %d %llu %llu %u %u", &id, &gpu, &type, &data, &gi, &ci) < 4)
			continue;
		if (id <= last_event || gpu < 0 || gpu >= MAX_GPUS || !(s->types[gpu] & type))
			continue;
		last_event = id;
		*e = (event_data){&gpus[generation][gpu], type, data, gi, ci};
		return 1;
	}
	return 0;
}

static ret_t wait_event(const char *symbol, event_set *s, event_data *e, u32 ms) {
	struct timespec now, start;
	check_set(s);
	clock_gettime(CLOCK_MONOTONIC, &start);
	ret_t ret = enter(symbol, -1);
	while (ret == SUCCESS && !next_event(s, e)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 >= (long)ms)
			ret = TIMEOUT;
		else {
			pthread_mutex_unlock(&mutex);
			usleep(1000);
			pthread_mutex_lock(&mutex);
			reload();
			ret = outcome(symbol, -1);
		}
	}
	return leave(ret);
}

EXPORT ret_t nvmlEventSetWait_v2(event_set *s, event_data *e, u32 ms) { return wait_event(__func__, s, e, ms); }

EXPORT ret_t nvmlEventSetWait(event_set *s, event_data_v1 *v1, u32 ms) {
	event_data e;
	ret_t ret = wait_event(__func__, s, &e, ms);
	if (ret == SUCCESS)
		v1->device = e.device, v1->type = e.type, v1->data = e.data;
	return ret;
}

package nvmlreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// reader reads one GPU through one handle. It lives as long as the handle, and
// belongs to the goroutine that reads.
type reader struct {
	device nvml.Device
	mb     *metadata.MetricsBuilder
	cfg    *metadata.MetricsConfig
	uses   bool // whether anyone wants to know who uses the GPU

	// replaces is the reader before this one, to be closed when nobody uses it.
	replaces *reader

	// id is complete once identified.
	id         identity
	identified bool
	// unsupported are the calls and fields that this GPU does not have.
	unsupported map[string]bool
	// shape is the MIG layout that unsupported holds for.
	shape migShape
	gpm   profiler
	migs  map[string]*profiler
	// since is the newest process sample so far; primed says that it is known.
	since  uint64
	primed bool
	wraps  [2]unwrapper

	// What follows belongs to one reading.
	reading
	now      pcommon.Timestamp
	answered bool
}

// reading is what one reading of a GPU brought.
type reading struct {
	// of is what was read, nil if it could not tell what it is.
	of      *identity
	metrics pmetric.Metrics
	health  health
	// throttle is why the clocks are held down; nil if that is not told.
	throttle *nvml.ClockEventReasons
	// users are those of the GPU, or of each of its MIG devices.
	users []users
	// errors are failed calls by the name of their code.
	errors map[string]int64
	// denied are calls that need more rights.
	denied []string
	// lost says that the GPU is gone, broken that NVML as a whole does not work.
	lost, broken error
	// unknown is the last error that says nothing.
	unknown error
}

func newReader(device nvml.Device, uuid, driver string, mb *metadata.MetricsBuilder, cfg *Config) *reader {
	return &reader{
		device: device, mb: mb, cfg: &cfg.Metrics, uses: cfg.Attribution.Enabled,
		id: identity{uuid: uuid, driver: driver}, unsupported: make(map[string]bool), migs: make(map[string]*profiler),
	}
}

// read reads all that the configuration asks for, once.
func (r *reader) read(now time.Time) reading {
	r.reading = reading{errors: make(map[string]int64)}
	r.now = pcommon.NewTimestampFromTime(now)
	r.answered = false
	if r.replaces != nil {
		r.replaces.close()
		r.replaces = nil
	}

	if !r.identified {
		r.readIdentity()
	}
	migs := r.readMIG()
	fields := r.readFields()
	r.recordActivity()
	r.recordMemory()
	r.recordHeat(fields)
	r.recordPower(fields)
	r.recordClocks()
	r.recordErrors(fields)
	r.recordPCIe(fields)
	r.recordNVLink(fields)
	r.recordProfile(&r.gpm, r.device)
	r.readUsers(migs)
	r.emit(&r.id)
	r.recordMIGs(migs)

	if !r.answered && r.broken == nil && r.lost == nil && r.unknown != nil {
		r.broken = r.unknown
	}
	result := r.reading
	if r.identified {
		id := r.id
		result.of = &id
	}
	result.metrics = r.mb.Emit()
	return result
}

// emit ends a resource.
func (r *reader) emit(id *identity) {
	r.mb.EmitForResource(metadata.WithResource(id.resource(r.mb.NewResourceBuilder())))
}

// ask makes a call, unless it is known to be of no use. It returns false where
// there is no value; the call's error has been dealt with then.
func ask[T any](r *reader, call string, read func() (T, error)) (T, bool) {
	var none T
	if r.lost != nil || r.broken != nil || r.unsupported[call] {
		return none, false
	}
	v, err := read()
	return v, r.note(call, err)
}

// note deals with the error of a call and returns whether there was none.
func (r *reader) note(call string, err error) bool {
	switch {
	case err == nil:
		r.answered = true
		return true
	case nvml.IsUnsupported(err):
		r.answered = true
		r.unsupported[call] = true
		return false
	case nvml.IsNoData(err):
		r.answered = true
		return false
	case nvml.IsNoPermission(err):
		r.answered = true
		r.denied = append(r.denied, call)
		return false
	}
	switch code := nvml.CodeOf(err); {
	case nvml.IsLost(err):
		r.lost = err
	case code == nvml.CodeUnknown:
		r.unknown = err
	case nvml.IsLibrary(err):
		r.broken = err
	default:
		r.answered = true
	}
	r.errors[nvml.CodeOf(err).Error()]++
	return false
}

// close frees what the reader holds in the driver.
func (r *reader) close() {
	r.gpm.close()
	for _, p := range r.migs {
		p.close()
	}
}

// boolean is 1 for true.
func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

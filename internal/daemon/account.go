package daemon

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"edged/capture"
	"edged/mqtt"
)

// timingWindow is the number of inferences that the median is taken over.
const timingWindow = 64

// timing keeps the durations of the last inferences and the frame rate.
type timing struct {
	mu       sync.Mutex
	last     [timingWindow]time.Duration
	n        int
	sorted   [timingWindow]time.Duration
	lastRate time.Time
	lastN    int
}

func (t *timing) add(d time.Duration) {
	t.mu.Lock()
	t.last[t.n%timingWindow] = d
	t.n++
	t.mu.Unlock()
}

// count is the number of inferences so far.
func (t *timing) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// median is that of the last inferences, 0 before the first.
func (t *timing) median() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(t.n, timingWindow)
	if n == 0 {
		return 0
	}
	s := append(t.sorted[:0], t.last[:n]...)
	slices.Sort(s)
	return s[n/2]
}

// rate is the number of results a second since it was asked last.
func (t *timing) rate() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	seconds := now.Sub(t.lastRate).Seconds()
	n := t.n - t.lastN
	t.lastRate, t.lastN = now, t.n
	if n == 0 || seconds > 1e6 { // the first time there is no last time
		return 0
	}
	return float64(n) / seconds
}

// Frames is a camera's account: Read is the sum of all the others.
type Frames struct {
	Read           uint64            `json:"read"`
	Published      uint64            `json:"published"`
	PassedOver     uint64            `json:"passed_over"`
	Refused        uint64            `json:"refused"`
	Failed         uint64            `json:"failed"`
	InWork         uint64            `json:"in_work"`
	RefusedBy      map[string]uint64 `json:"refused_by"`
	MissedTriggers uint64            `json:"missed_triggers"`
	Line           *mqtt.LineStats   `json:"line,omitempty"` // a line camera's rows

	source capture.Counts
}

// account reads the counters of the loop first and of the source afterwards,
// so that a frame on its way shows as in work and never as missing.
func (u *unit) account() Frames {
	n := u.camera.Counts()
	u.mu.Lock()
	source := u.source
	u.mu.Unlock()
	var c capture.Counts
	if source != nil {
		c = source.Counts()
	}
	refused := n.RefusedTotal() - n.Failed()
	f := Frames{
		Read: c.Read, Published: n.Published, PassedOver: c.PassedOver + n.PassedOver,
		Refused: c.Refused + refused, Failed: n.Failed(),
		RefusedBy: n.RefusedByReason(), MissedTriggers: n.Missed, source: c, Line: u.lineStats(),
	}
	f.InWork = f.Read - f.Published - f.PassedOver - f.Refused - f.Failed
	maps.Copy(f.RefusedBy, occurred(map[string]uint64{
		"stale": c.By.Stale, "frozen": c.By.Frozen, "black": c.By.Black, "corrupt": c.By.Corrupt, "lost": c.By.Lost,
	}))
	return f
}

// noticed is what a source saw happen beside the fate of its frames, and how many
// pictures were outside of their limits.
func (u *unit) noticed(c capture.Counts) map[string]uint64 {
	counts := occurred(map[string]uint64{
		"black": c.Black, "size_changes": c.SizeChanges, "skipped": c.Skipped, "stuck": c.Stuck, "crashed": c.Crashes, "failures": c.Failures,
	})
	u.outside.copyTo(counts)
	return counts
}

// occurred keeps the counts that are not zero.
func occurred(counts map[string]uint64) map[string]uint64 {
	maps.DeleteFunc(counts, func(_ string, n uint64) bool { return n == 0 })
	return counts
}

// stats is the daemon's part of the stats topic.
func (d *Daemon) stats() mqtt.Stats {
	s := mqtt.Stats{
		UptimeS: time.Since(d.started).Seconds(),
		Cameras: map[string]mqtt.CameraStats{}, Process: processStats(),
	}
	s.Evidence = d.evidenceStats()
	if heat, times := d.heat.look(); heat.Told() {
		s.Thermal = &mqtt.Thermal{
			Celsius: heat.Celsius, Sensor: heat.Sensor, MHz: heat.MHz, MaxMHz: heat.MaxMHz,
			Throttled: len(heat.Causes) > 0, Throttles: times, Causes: heat.Causes,
		}
	}
	if n, ok := writtenBytes(d.opts.Root); ok && s.UptimeS > 60 {
		s.Process["written_bytes_a_day"] = math.Round(n / s.UptimeS * 86400)
	}
	s.Process["state_errors"] = float64(d.memory.disk.errors.Load()) // without the lock, which is held while a disk hangs
	for _, u := range d.units {
		f := u.account()
		s.Cameras[u.cfg.Name] = mqtt.CameraStats{
			Status: u.statusWord(), Why: u.whyOffline(), Read: f.Read, PassedOver: f.PassedOver, Refused: f.Refused,
			Published: f.Published, NG: u.ngs.Load(), Failed: f.Failed, InWork: f.InWork, MissedTriggers: f.MissedTriggers,
			Restarts: f.source.Restarts, FPS: u.timing.rate(), InferMS: milliseconds(u.timing.median()),
			RefusedBy: f.RefusedBy, Noticed: u.noticed(f.source), Audit: u.auditStats(), Shadow: u.shadowStats(), Line: f.Line,
		}
	}
	return s
}

// processStats reads what the kernel and the runtime say about this process.
func processStats() map[string]float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p := map[string]float64{
		"rss_bytes":  float64(residentBytes()),
		"goroutines": float64(runtime.NumGoroutine()),
		"heap_bytes": float64(m.HeapAlloc),
	}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		p["descriptors"] = float64(len(entries))
	}
	return p
}

// residentBytes is the process's resident memory, 0 where /proc is not.
func residentBytes() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// Ledger is what run --once prints: the fate of every frame and message.
type Ledger struct {
	Cameras  map[string]Frames `json:"cameras"`
	Delivery mqtt.Ledger       `json:"delivery"`
	Balanced bool              `json:"balanced"`
}

// Ledger is the fate of every frame and message so far.
func (d *Daemon) Ledger() *Ledger {
	l := &Ledger{Cameras: map[string]Frames{}, Delivery: mqtt.Ledger{}, Balanced: true}
	for _, u := range d.units {
		f := u.account()
		l.Cameras[u.cfg.Name] = f
		l.Balanced = l.Balanced && f.InWork == 0 && !unsettled(f.Line)
	}
	if d.client != nil {
		l.Delivery = d.client.Ledger()
		for _, a := range l.Delivery {
			l.Balanced = l.Balanced && a.Balanced()
		}
	}
	return l
}

// Print writes the ledger for people.
func (l *Ledger) Print(w io.Writer) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.Cameras)) {
		f := l.Cameras[name]
		fmt.Fprintf(&b, "camera %s: read %d = published %d + passed over %d + refused %d + failed %d",
			name, f.Read, f.Published, f.PassedOver, f.Refused, f.Failed)
		if f.InWork != 0 {
			fmt.Fprintf(&b, " + in work %d", f.InWork)
		}
		fmt.Fprintln(&b)
		for _, reason := range slices.Sorted(maps.Keys(f.RefusedBy)) {
			fmt.Fprintf(&b, "  refused: %s %d\n", reason, f.RefusedBy[reason])
		}
		if r := f.Line; r != nil {
			fmt.Fprintf(&b, "  rows: read %d = published %d + border %d + refused %d + disabled %d; missing %d, holes %d\n", r.Read, r.Published, r.Lost["border"], r.Lost["refused"], r.Lost["disabled"], r.Missing, r.Holes)
		}
		if f.MissedTriggers > 0 {
			fmt.Fprintf(&b, "  triggers missed: %d\n", f.MissedTriggers)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(l.Delivery)) {
		a := l.Delivery[kind]
		dropped := uint64(0)
		for _, n := range a.Dropped {
			dropped += n
		}
		if a.Produced == 0 {
			continue
		}
		fmt.Fprintf(&b, "mqtt %s: produced %d = acknowledged %d + handed over %d + dropped %d + unknown %d + in flight %d\n",
			kind, a.Produced, a.Acknowledged, a.HandedOver, dropped, a.Unknown, a.InFlight)
		for _, reason := range slices.Sorted(maps.Keys(a.Dropped)) {
			fmt.Fprintf(&b, "  dropped: %s %d\n", reason, a.Dropped[reason])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Package metrics offers the daemon's counters in Prometheus' text format and
// answers the health checks of process managers. It reads the counters when it
// is asked and keeps none itself, so /metrics and the stats topic cannot
// disagree.
package metrics

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"edged/internal/board"
)

// Camera is one camera's account at an instant. Read is the sum of the six
// fields behind it.
type Camera struct {
	Name                                                         string
	Online                                                       bool
	Read, Published, PassedOver, Refused, Failed, InWork, Missed uint64
	NG                                                           uint64 // results with such a verdict
	Restarts                                                     uint64
	InferSeconds                                                 float64           // median of the last inferences
	RefusedBy                                                    map[string]uint64 // Refused and Failed, by reason
	Noticed                                                      map[string]uint64 // what is in no sum
	Audit                                                        Audit
	Shadow                                                       Shadow
	Rows                                                         *Rows // of a line camera; nil: it is none
}

// Rows is the account of a line camera's rows: Read is the sum of ByFate and what waits.
type Rows struct {
	Read, Missing, Holes uint64
	ByFate               map[string]uint64
}

// Shadow compares a camera's second model with the one in use.
type Shadow struct {
	On                                bool
	Frames, VerdictsDiffering, Failed uint64
	Positions                         map[[2]string]uint64 // by class, and by who says it: both, live_only, shadow_only
}

// Audit is what a camera's audit of its answers has found.
type Audit struct {
	On                bool
	Frames, Differing uint64
	Positions         map[string]uint64 // by pair of engines
	Largest           float64           // difference of a score
}

// Messages is the account of one kind of MQTT message. Produced is the sum of
// the others.
type Messages struct {
	Kind                                                  string
	Produced, Acknowledged, HandedOver, Unknown, InFlight uint64
	Dropped                                               map[string]uint64 // by reason
}

// Snapshot is everything that /metrics shows.
type Snapshot struct {
	Started   time.Time
	Version   string
	Connected bool     // to the broker
	Celsius   float64  // of the hottest zone; 0: not told
	HeldDown  []string // why the processor's clock is
	Cameras   []Camera
	Messages  []Messages
	Evidence  *Evidence // nil: none is kept
}

// Evidence is what is kept of NGs.
type Evidence struct {
	Count   int
	Bytes   int64
	Kept    uint64
	Dropped map[string]uint64 // by reason
	OK      bool              // the folder takes more
}

// Health is what /healthz and /readyz answer.
type Health struct {
	OK     bool              `json:"ok"`
	Checks map[string]string `json:"checks"` // "ok", or what is wrong
}

// Register adds /metrics, /healthz and /readyz to mux.
func Register(mux *http.ServeMux, snapshot func() Snapshot, alive, ready func() Health) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector(snapshot))
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", answer(alive))
	mux.HandleFunc("GET /readyz", answer(ready))
}

func answer(check func() Health) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := check()
		w.Header().Set("Content-Type", "application/json")
		if !h.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		// Whoever asked is gone when this fails; there is nobody to tell.
		_ = json.NewEncoder(w).Encode(h)
	}
}

// collector is a prometheus.Collector over a snapshot.
type collector func() Snapshot

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("edged_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector. It describes nothing: the set of
// cameras and reasons is only known when it collects.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	s := c()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(desc("info", "The version that runs.", "version"), 1, s.Version)
	gauge(desc("started_seconds", "When the daemon started, Unix time."), float64(s.Started.UnixMilli())/1e3)
	gauge(desc("mqtt_connected", "Whether the broker is connected."), number(s.Connected))
	if s.Celsius > 0 {
		gauge(desc("temperature_celsius", "Of the hottest thermal zone."), s.Celsius)
	}
	for _, cause := range []string{board.Heat, board.Voltage} {
		gauge(desc("processor_held_down", "Whether the processor's clock is held down, by cause.", "cause"), number(slices.Contains(s.HeldDown, cause)), cause)
	}
	for i := range s.Cameras {
		collectCamera(out, &s.Cameras[i])
	}
	for i := range s.Messages {
		collectMessages(out, &s.Messages[i])
	}
	if s.Evidence != nil {
		collectEvidence(out, s.Evidence)
	}
}

func collectEvidence(out chan<- prometheus.Metric, e *Evidence) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	send(desc("evidence_files", "NGs that are kept with their pictures."), prometheus.GaugeValue, float64(e.Count))
	send(desc("evidence_bytes", "Bytes that they take."), prometheus.GaugeValue, float64(e.Bytes))
	send(desc("evidence_ok", "Whether the folder takes more."), prometheus.GaugeValue, number(e.OK))
	send(desc("evidence_kept_total", "NGs kept since the start."), prometheus.CounterValue, float64(e.Kept))
	for why, n := range e.Dropped {
		send(desc("evidence_dropped_total", "NGs that were not kept, by reason.", "reason"), prometheus.CounterValue, float64(n), why)
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func collectCamera(out chan<- prometheus.Metric, c *Camera) {
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, c.Name)
	}
	counter(desc("frames_read_total", "Frames read from the source.", "camera"), c.Read, c.Name)
	fate := desc("frames_total", "Frames by what became of them.", "camera", "fate")
	counter(fate, c.Published, c.Name, "published")
	counter(fate, c.PassedOver, c.Name, "passed_over")
	counter(fate, c.Refused, c.Name, "refused")
	counter(fate, c.Failed, c.Name, "failed")
	for reason, n := range c.RefusedBy {
		counter(desc("frames_refused_total", "Frames refused or failed, by reason.", "camera", "reason"), n, c.Name, reason)
	}
	for what, n := range c.Noticed {
		counter(desc("camera_noticed_total", "What cameras did that is in no sum: black frames, changes of size, stuck workers ...", "camera", "what"), n, c.Name, what)
	}
	counter(desc("results_ng_total", "Results whose verdict is neither OK nor unsure.", "camera"), c.NG, c.Name)
	counter(desc("triggers_missed_total", "Triggers that led to no result.", "camera"), c.Missed, c.Name)
	counter(desc("worker_restarts_total", "Workers started in place of another.", "camera"), c.Restarts, c.Name)
	gauge(desc("frames_in_work", "Frames being worked on.", "camera"), float64(c.InWork))
	gauge(desc("camera_online", "Whether the camera delivers frames.", "camera"), number(c.Online))
	gauge(desc("audit_on", "Whether the camera's answers are audited.", "camera"), number(c.Audit.On))
	counter(desc("audit_frames_total", "Answered frames that were audited.", "camera"), c.Audit.Frames, c.Name)
	for pair, n := range c.Audit.Positions {
		counter(desc("audit_positions_total", "Mask positions audited, by engine that answered and engine that ran the baseline.", "camera", "engines"), n, c.Name, pair)
	}
	counter(desc("audit_differing_total", "Mask positions that differ from the baseline beyond the margin.", "camera"), c.Audit.Differing, c.Name)
	gauge(desc("audit_largest_difference", "Largest difference of a score from the baseline's.", "camera"), c.Audit.Largest)
	if s := &c.Shadow; s.On {
		counter(desc("shadow_frames_total", "Frames that the shadow looked at too.", "camera"), s.Frames, c.Name)
		counter(desc("shadow_failed_total", "Frames on which the shadow failed.", "camera"), s.Failed, c.Name)
		counter(desc("shadow_verdicts_differing_total", "Frames of which the shadow's verdict differs.", "camera"), s.VerdictsDiffering, c.Name)
		for key, n := range s.Positions {
			counter(desc("shadow_positions_total", "Mask positions by class, and by which model says it.", "camera", "class", "by"), n, c.Name, key[0], key[1])
		}
	}
	if r := c.Rows; r != nil {
		counter(desc("rows_read_total", "Rows read from a line camera.", "camera"), r.Read, c.Name)
		for fate, n := range r.ByFate {
			counter(desc("rows_total", "Rows of a line camera by what became of them.", "camera", "fate"), n, c.Name, fate)
		}
		counter(desc("rows_missing_total", "Rows that a line camera lost itself, as far as they are known.", "camera"), r.Missing, c.Name)
		counter(desc("line_holes_total", "Places where rows of a line camera are missing, and a new picture begins.", "camera"), r.Holes, c.Name)
	}
	gauge(desc("infer_seconds", "Median time of the last inferences.", "camera"), c.InferSeconds)
}

func collectMessages(out chan<- prometheus.Metric, m *Messages) {
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	counter(desc("messages_produced_total", "MQTT messages produced.", "kind"), m.Produced, m.Kind)
	fate := desc("messages_total", "MQTT messages by what became of them.", "kind", "fate", "reason")
	counter(fate, m.Acknowledged, m.Kind, "acknowledged", "")
	counter(fate, m.HandedOver, m.Kind, "handed_over", "")
	counter(fate, m.Unknown, m.Kind, "unknown", "")
	for reason, n := range m.Dropped {
		counter(fate, n, m.Kind, "dropped", reason)
	}
	out <- prometheus.MustNewConstMetric(desc("messages_in_flight", "MQTT messages not settled yet.", "kind"),
		prometheus.GaugeValue, float64(m.InFlight), m.Kind)
}

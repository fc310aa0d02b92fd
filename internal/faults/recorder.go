package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/internal/maskpng"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// Stream is one kind of message of one camera in one run of the daemon.
type Stream struct {
	Run  string // when the run started, as info says
	Cam  string
	Kind mqtt.Kind
}

// Arrival is a result as it came.
type Arrival struct {
	Seq uint64
	TS  time.Time // when the frame was taken
	At  time.Time // when the message came
}

// Recorder is a subscriber of its own that notes everything, over restarts of
// the broker and of the daemon. Numbers begin again in each run, and info, which
// is announced first, tells where one begins.
type Recorder struct {
	t      testing.TB
	client paho.Client
	check  func(topic string, payload []byte) error

	mu     sync.Mutex
	run    string // the current one
	runs   []string
	seen   map[Stream]map[uint64]int
	gaps   map[Stream][]mqtt.Gap
	events map[string]mqtt.Event
	last   map[string]string // latest payload by topic
	stats  map[string]mqtt.Stats
	latest map[string]Arrival // by camera
	packed map[string]int     // by camera: zstd masks whose result has not come yet
	faults []string
	limits []cut
	parts  *Parts  // nil: nobody asks
	recent []early // masks that came lately
	lines  map[Stream]*lineRows

	redelivered int
	strict      bool // a hole must be named before it shows
}

// early is a mask that may be of a run whose info is still under way: some brokers
// let QoS 0 overtake QoS 1.
type early struct {
	at  Stream
	seq uint64
	ts  string
}

// cut is a moment at which the broker itself died: what it had taken and not
// passed on yet is lost with it.
type cut struct {
	run    string
	before map[Stream]uint64 // the highest number seen
	after  map[Stream]uint64 // the lowest seen later
}

// published are the topics that a daemon sends on. Commands are none of them: a
// recorder that was sent a flood of those too would be late for results.
var published = map[string]byte{
	"edged/+/status": 1, "edged/+/info": 1, "edged/+/stats": 1, "edged/+/response/+": 1,
	"edged/+/+/status": 1, "edged/+/+/result": 1, "edged/+/+/mask": 1, "edged/+/+/event": 1, "edged/+/+/enabled/state": 1,
}

// NewRecorder subscribes to everything that daemons publish at addr, with a session that survives
// its own reconnections.
func NewRecorder(t testing.TB, addr string, tune ...func(*paho.ClientOptions)) *Recorder {
	t.Helper()
	r := &Recorder{
		t: t, check: mqtttest.SchemaCheck(t), seen: map[Stream]map[uint64]int{}, gaps: map[Stream][]mqtt.Gap{},
		events: map[string]mqtt.Event{}, last: map[string]string{}, stats: map[string]mqtt.Stats{}, latest: map[string]Arrival{},
		packed: map[string]int{}, lines: map[Stream]*lineRows{},
	}
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("recorder").SetProtocolVersion(4)
	o.SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond)
	o.SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond).SetKeepAlive(60 * time.Second)
	for _, f := range tune {
		f(o)
	}
	ready := make(chan struct{}, 1000)
	o.SetOnConnectHandler(func(c paho.Client) {
		if c.SubscribeMultiple(published, r.receive).WaitTimeout(30 * time.Second) {
			ready <- struct{}{}
		}
	})
	r.client = paho.NewClient(o)
	r.client.Connect()
	t.Cleanup(func() { r.client.Disconnect(100) })
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		t.Fatal("the recorder finds no broker at " + addr)
	}
	return r
}

// Send publishes a command as a user would.
func (r *Recorder) Send(topic, payload string) {
	r.t.Helper()
	if token := r.client.Publish(topic, 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		r.t.Fatalf("%s: not sent: %v", topic, token.Error())
	}
}

func (r *Recorder) fault(format string, args ...any) {
	if len(r.faults) < 20 {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

func (r *Recorder) receive(_ paho.Client, m paho.Message) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	topic, payload := m.Topic(), m.Payload()
	if len(payload) == 0 {
		return // a retained message that was taken back
	}
	if err := r.check(topic, payload); err != nil {
		r.fault("%s: %v: %.300s", topic, err, payload)
	}
	levels := strings.Split(topic, "/")
	cam := levels[len(levels)-2]
	switch levels[len(levels)-1] {
	case "result":
		var v mqtt.Result
		r.decode(payload, &v)
		if m.Duplicate() && r.seen[Stream{r.run, cam, mqtt.KindResult}][v.Seq] > 0 {
			r.redelivered++ // by the broker, which says so: nobody published it twice
			return
		}
		r.count(Stream{r.run, cam, mqtt.KindResult}, v.Seq)
		if v.Mask != nil && v.Mask.Encoding == mqtt.EncodingZstd && r.packed[cam] > 0 {
			r.packed[cam]--
			r.count(Stream{r.run, cam, mqtt.KindMask}, v.Seq)
		}
		r.parts.add(cam, v.PartID, r.run, v.Seq)
		r.rowsOf(cam, &v)
		r.latest[cam] = Arrival{v.Seq, v.TS.Time, now}
		r.last[topic] = string(payload)
	case "mask":
		r.mask(cam, payload)
	case "event":
		r.event(cam, payload)
	case "info":
		var v mqtt.Info
		r.decode(payload, &v)
		if r.run = v.StartedAt.UTC().Format(maskpng.TimeLayout); !slices.Contains(r.runs, r.run) {
			r.runs = append(r.runs, r.run)
			r.begins()
		}
		r.last[topic] = string(payload)
	case "stats":
		var v mqtt.Stats
		r.decode(payload, &v)
		r.balance(&v)
		r.stats[r.run] = v
	default:
		r.last[topic] = string(payload)
	}
}

func (r *Recorder) decode(b []byte, v any) {
	if err := json.Unmarshal(b, v); err != nil {
		r.fault("payload %.200s: %v", b, err)
	}
}

// mask takes the number out of a PNG. A zstd mask has none: its number is that
// of the result that follows it.
func (r *Recorder) mask(cam string, b []byte) {
	text, err := maskpng.Text(b, "seq")
	if err != nil {
		r.packed[cam]++
		return
	}
	var seq uint64
	if _, err := fmt.Sscan(text, &seq); err != nil {
		r.fault("mask of camera %s: seq %q: %v", cam, text, err)
	}
	at := Stream{r.run, cam, mqtt.KindMask}
	ts, _ := maskpng.Text(b, "ts") // its schema is checked elsewhere
	r.recent = append(r.recent[max(0, len(r.recent)-63):], early{at, seq, ts})
	r.count(at, seq)
}

// begins gives a new run the masks that came before its info: those of frames
// taken since. Times are ISO 8601 in UTC, so they sort as text.
func (r *Recorder) begins() {
	for _, e := range r.recent {
		if e.at.Run == r.run || e.ts < r.run {
			continue
		}
		if r.seen[e.at][e.seq]--; r.seen[e.at][e.seq] == 0 {
			delete(r.seen[e.at], e.seq)
		}
		r.count(Stream{r.run, e.at.Cam, e.at.Kind}, e.seq)
	}
	r.recent = nil
}

// event files an event under the run that it names: one from the spool comes in
// a later run than its own.
func (r *Recorder) event(cam string, b []byte) {
	var e mqtt.Event
	r.decode(b, &e)
	run := r.runOf(e.Run)
	r.count(Stream{run, cam, mqtt.KindEvent}, e.Seq)
	name := fmt.Sprintf("%s %s %d", cam, e.Run, e.Seq)
	if _, again := r.events[name]; again {
		return // QoS 1: it may come twice
	}
	r.events[name] = e
	for _, g := range e.Gaps {
		k := Stream{run, cam, g.Kind}
		r.gaps[k] = append(r.gaps[k], g)
	}
}

// runOf is the run in which an event was made: its name is a time just after
// the run's start. Both are ISO 8601 in UTC, so they sort as text.
func (r *Recorder) runOf(event string) string {
	best := ""
	for _, run := range r.runs {
		if run <= event && run > best {
			best = run
		}
	}
	if best == "" {
		return event // of a run whose info never reached this subscriber
	}
	return best
}

// Strict makes a hole that shows before an event has named it a fault.
func (r *Recorder) Strict() {
	r.mu.Lock()
	r.strict = true
	r.mu.Unlock()
}

func (r *Recorder) count(k Stream, seq uint64) {
	if r.seen[k] == nil {
		r.seen[k] = map[uint64]int{}
	}
	if r.strict && k.Run != "" && k.Kind == mqtt.KindResult {
		for n := highest(r.seen[k]) + 1; n < seq; n++ {
			if !covered(r.gaps[k], n) {
				r.fault("result %d of camera %s came before an event had named the missing %d", seq, k.Cam, n)
			}
		}
	}
	r.seen[k][seq]++
	for i := range r.limits {
		if c := &r.limits[i]; c.run == k.Run && seq > c.before[k] && (c.after[k] == 0 || seq < c.after[k]) {
			c.after[k] = seq
		}
	}
}

// balance checks the account that stats carries.
func (r *Recorder) balance(s *mqtt.Stats) {
	for kind, a := range s.Delivery {
		if !a.Balanced() {
			r.fault("the %s account of stats does not balance: %+v", kind, a)
		}
	}
	for cam, c := range s.Cameras {
		if c.Read != c.Published+c.PassedOver+c.Refused+c.Failed+c.InWork {
			r.fault("the frames of camera %s do not balance: %+v", cam, c)
		}
		if l := c.Line; l != nil && l.Read < fates(l) {
			r.fault("the rows of camera %s do not balance: %+v", cam, l)
		}
	}
}

package faults

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
	"edged/train/nets"
)

// Setup says what a rig consists of. Zero fields take the usual.
type Setup struct {
	On      *mqtttest.Broker // default: one of the rig's own
	Broker  []string         // lines for its configuration
	URL     string           // of the broker, when the daemon does not connect directly
	MQTT    string           // lines for [mqtt]
	Node    string           // lines for [node]
	Sources []string         // one camera each, c0, c1 ...; default: one belt
	Camera  string           // lines for every camera
	Each    map[int]string   // lines for one camera
	H, W    int              // the model's input
	Wrap    []string
	Later   bool // the daemon is started by the test
}

// Rig is a broker, a daemon and a recorder, each a real one.
type Rig struct {
	T      testing.TB
	Broker *mqtttest.Broker
	Daemon *Daemon
	Rec    *Recorder
	Model  string // path of the model file
	State  string // path of spool_dir
	setup  Setup
	before Vitals
}

// Belt is a source that needs no camera: 25 frames a second with defects.
const Belt = "test:belt?size=96x80&fps=25"

// rules make verdicts change again and again as parts pass, so that there are
// events to lose.
func rules() string {
	var b strings.Builder
	for r := 40; r > 4; r -= 4 {
		fmt.Fprintf(&b, "[[camera.rule]]\nclass = \"metal\"\nmax_total_ratio = 0.%02d\nverdict = \"over%d\"\n", r, r)
	}
	return b.String()
}

// NewRig starts a rig and waits for results of every camera.
func NewRig(t testing.TB, s Setup) *Rig {
	t.Helper()
	if s.Sources == nil {
		s.Sources = []string{Belt}
	}
	if s.H == 0 {
		s.H, s.W = 48, 56
	}
	dir := t.TempDir()
	r := &Rig{T: t, setup: s, Model: filepath.Join(dir, "dense.tflite"), State: filepath.Join(dir, "state")}
	if r.Broker = s.On; r.Broker == nil {
		r.Broker = mqtttest.StartBroker(t, append([]string{"max_queued_messages 0"}, s.Broker...)...)
	}
	base, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	DenseModel(t, base, r.Model, s.H, s.W)
	http := fmt.Sprintf("127.0.0.1:%d", mqtttest.FreePort(t))
	r.Daemon = NewDaemon(t, dir, http, r.config(http))
	r.Daemon.Wrap = s.Wrap
	if !s.Later {
		r.Record()
		r.Daemon.Start()
		r.Await()
	}
	return r
}

func (r *Rig) config(http string) string {
	url := r.setup.URL
	if url == "" {
		url = r.Broker.URL()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[node]\nname = \"n\"\nhttp = %q\n%s\n[mqtt]\nbroker = %q\nspool_dir = %q\n%s\n", http, r.setup.Node, url, r.State, r.setup.MQTT)
	for i, source := range r.setup.Sources {
		fmt.Fprintf(&b, "[[camera]]\nname = \"c%d\"\nsource = %q\nmodel = \"dense.tflite\"\nthreads = 1\n", i, source)
		b.WriteString(r.setup.Camera + "\n" + r.setup.Each[i] + "\n" + rules())
	}
	return b.String()
}

// Record subscribes the recorder.
func (r *Rig) Record() { r.T.Helper(); r.Rec = NewRecorder(r.T, r.Broker.Addr()) }

// Await waits until every camera has a result of now. A machine that is busy
// with other things gets its time: no recovery is measured here.
func (r *Rig) Await() {
	r.T.Helper()
	now := time.Now()
	for i := range r.setup.Sources {
		r.Rec.Resumes(r.T, fmt.Sprintf("c%d", i), now, time.Minute)
	}
}

// Settle notes the vital signs that Returned compares with.
func (r *Rig) Settle() {
	r.T.Helper()
	time.Sleep(2 * time.Second)
	v, err := r.Daemon.Vitals()
	if err != nil {
		r.T.Fatal(err)
	}
	r.before = v
}

// Returned waits until the vital signs are back where Settle saw them.
func (r *Rig) Returned() {
	r.T.Helper()
	var v Vitals
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if v, err = r.Daemon.Vitals(); err == nil && v.within(r.before) {
			r.T.Logf("vital signs %v; before %v", v, r.before)
			return
		}
	}
	r.T.Errorf("vital signs %v (%v), before the faults %v", v, err, r.before)
}

// Close stops the daemon and audits what came.
func (r *Rig) Close() {
	r.T.Helper()
	took := r.Daemon.Stop()
	r.T.Logf("stopped in %v", took.Round(time.Millisecond))
	mqtttest.Until(r.T, 5*time.Second, "offline", func() bool { return r.Rec.Last("edged/n/status") == mqtt.Offline })
	r.Rec.AuditStopped(r.T)
	r.private()
}

// private looks whether what the daemon has kept is its own user's alone.
func (r *Rig) private() {
	r.T.Helper()
	_ = filepath.WalkDir(r.State, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // of a state folder that the test has taken away
		}
		if info, err := e.Info(); err == nil && info.Mode().Perm()&0o077 != 0 && path != r.State {
			r.T.Errorf("%s can be read by others: %v", path, info.Mode())
		}
		return nil
	})
}

// afterBroker is how soon results must come after a broker that was away for
// down is back: 2 s and the pause that the client is in. Pauses double from 1 s
// and are stretched by up to a half, so one is at most one and a half times
// (1 s + down), and never over 30 s.
func afterBroker(down time.Duration) time.Duration {
	return 2*time.Second + min(30*time.Second, (time.Second+down)*3/2)
}

// afterCamera is how soon results must come after a camera is back.
const afterCamera = 5 * time.Second

// Full tells whether this is the whole fault run, not the short selection of
// `make test`.
func Full() bool { return os.Getenv("EDGED_FAULTS") != "" }

// Rounds is how often each fault happens.
func Rounds() int {
	if Full() {
		return 3
	}
	return 1
}

// comes waits for what has no deadline but a hang's.
func (r *Rig) comes(what string, ok func() bool) {
	r.T.Helper()
	mqtttest.Until(r.T, time.Minute, what, ok)
}

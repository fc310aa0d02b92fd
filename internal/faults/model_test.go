//go:build faults

package faults

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
	"edged/train/nets"
)

// infoModel waits until info tells of a model other than sha.
func (r *Rig) otherModel(sha string) string {
	r.T.Helper()
	var now string
	mqtttest.Until(r.T, 30*time.Second, "another model in info", func() bool {
		now = r.modelSHA()
		return now != sha
	})
	return now
}

func (r *Rig) modelSHA() string {
	r.T.Helper()
	text := r.Rec.Last("edged/n/info")
	_, rest, _ := strings.Cut(text, `"sha256":"`)
	sha, _, ok := strings.Cut(rest, `"`)
	if !ok {
		r.T.Fatalf("info without a model: %s", text)
	}
	return sha
}

// refusals counts the fault events that say the old model stays.
func (r *Rig) refusals() (n int) {
	for _, e := range r.Rec.Events() {
		if e.Kind == mqtt.EventFault && strings.Contains(e.Message, "the old one stays") {
			n++
		}
	}
	return n
}

func TestModelReplaced(t *testing.T) {
	r := NewRig(t, Setup{})
	r.Settle()
	good, err := os.ReadFile(r.Model)
	if err != nil {
		t.Fatal(err)
	}
	base, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	for i := range Rounds() {
		for what, spoil := range map[string]func(){
			"truncated in place": func() { err = os.Truncate(r.Model, int64(len(good)/3)) },
			"garbage":            func() { Replace(t, r.Model, []byte(strings.Repeat("garbage", 1000+i))) },
		} {
			sha, said := r.modelSHA(), r.refusals()
			if spoil(); err != nil {
				t.Fatal(err)
			}
			mqtttest.Until(t, 30*time.Second, what+" to be refused", func() bool { return r.refusals() > said })
			took := r.Rec.Resumes(t, "c0", time.Now(), 2*time.Second)
			if now := r.modelSHA(); now != sha {
				t.Errorf("%s: info tells of model %s", what, now)
			}
			t.Logf("%s: refused, results go on (%v)", what, took.Round(time.Millisecond))
			Replace(t, r.Model, good)
			time.Sleep(3 * time.Second) // until the watch has seen the old one back
		}
		sha := r.modelSHA()
		begin := time.Now()
		DenseModel(t, base, r.Model, 48, 56+8*(1+i%2))
		r.otherModel(sha)
		t.Logf("replaced by a good one: in use after %v", time.Since(begin).Round(time.Millisecond))
		r.Rec.Resumes(t, "c0", time.Now(), 2*time.Second)
		if good, err = os.ReadFile(r.Model); err != nil {
			t.Fatal(err)
		}
	}
	r.Returned()
	r.Close()
}

// Crashes that are dealt from outside are not the model's, however soon after it is
// adopted they come: it stays. (One that crashes by itself does not, which a real file
// shows in cmd/edged.)
func TestCrashesFromOutside(t *testing.T) {
	r := NewRig(t, Setup{})
	base, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	for i := range Rounds() {
		DenseModel(t, base, r.Model, 48, 56+8*(1+i))
		model := r.otherModel(r.modelSHA())
		for crash := range 4 {
			r.Rec.Resumes(t, "c0", time.Now(), 10*time.Second)
			runs := r.Rec.Runs()
			r.Daemon.Signal(syscall.SIGSEGV)
			if code := r.Daemon.Ended(10 * time.Second); code == 0 {
				t.Fatal("the daemon took a crash for an order to stop")
			}
			r.Daemon.Start()
			mqtttest.Until(t, 20*time.Second, "the next run", func() bool { return r.Rec.Runs() > runs })
			if now := r.modelSHA(); now != model {
				t.Fatalf("after %d crashes model %s runs, want %s, which is not to blame", crash+1, now, model)
			}
		}
		r.Rec.Resumes(t, "c0", time.Now(), 5*time.Second)
	}
	if slices.ContainsFunc(r.Rec.Events(), func(e mqtt.Event) bool { return strings.Contains(e.Message, "back to the last good model") }) {
		t.Error("an event says that a model was given up")
	}
	r.Close()
}

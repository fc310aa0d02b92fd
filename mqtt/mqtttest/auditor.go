package mqtttest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/internal/maskpng"
	"edged/mqtt"
)

// Auditor is a subscriber that keeps accounts: which results, masks and events
// have arrived and which gaps were reported. It speaks MQTT apart from the
// client under test, with a session that survives its own reconnections.
type Auditor struct {
	t      testing.TB
	client paho.Client

	mu     sync.Mutex
	run    string
	seen   map[account]map[uint64]int // how often each number has arrived
	gaps   map[account][]mqtt.Gap
	events map[string]mqtt.Event
	last   map[string]string // latest payload of each other topic
	zstd   map[string]int    // by camera, the length of a zstd mask whose result is to come
	check  func(topic string, payload []byte) error
}

// account names what is counted. Numbers begin anew in each run of a node, so
// the runs are kept apart: info, which precedes everything else on a
// connection, tells which run results belong to.
type account struct {
	run  string
	cam  string
	kind mqtt.Kind
}

// NewAuditor subscribes to everything at addr. check, if not nil, is asked
// about each payload.
func NewAuditor(t testing.TB, addr string, check func(topic string, payload []byte) error) *Auditor {
	t.Helper()
	a := &Auditor{
		t: t, check: check, seen: map[account]map[uint64]int{}, gaps: map[account][]mqtt.Gap{},
		events: map[string]mqtt.Event{}, last: map[string]string{}, zstd: map[string]int{},
	}
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("auditor").SetProtocolVersion(4)
	o.SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond)
	o.SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond).SetKeepAlive(10 * time.Second)
	ready := make(chan struct{}, 100)
	o.SetOnConnectHandler(func(c paho.Client) {
		if c.Subscribe("#", 1, a.receive).WaitTimeout(time.Minute) {
			ready <- struct{}{}
		}
	})
	a.client = paho.NewClient(o)
	a.client.Connect()
	t.Cleanup(func() { a.client.Disconnect(100) })
	select {
	case <-ready:
	case <-time.After(time.Minute):
		t.Fatal("the auditor finds no broker at " + addr)
	}
	return a
}

func (a *Auditor) receive(_ paho.Client, m paho.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.check != nil && len(m.Payload()) > 0 {
		if err := a.check(m.Topic(), m.Payload()); err != nil {
			a.t.Errorf("%s: %v\n%.300s", m.Topic(), err, m.Payload())
		}
	}
	levels := strings.Split(m.Topic(), "/")
	leaf, cam := levels[len(levels)-1], levels[max(0, len(levels)-2)]
	switch leaf {
	case "result":
		var r mqtt.Result
		a.decode(m.Payload(), &r)
		a.count(account{a.run, cam, mqtt.KindResult}, r.Seq)
		if n, ok := a.zstd[cam]; ok && r.Mask != nil && r.Mask.Encoding == mqtt.EncodingZstd && r.Mask.Bytes == n {
			a.count(account{a.run, cam, mqtt.KindMask}, r.Seq)
		}
		delete(a.zstd, cam)
	case "mask":
		a.mask(cam, m.Payload())
	case "event":
		var e mqtt.Event
		a.decode(m.Payload(), &e)
		a.count(account{e.Run, cam, mqtt.KindEvent}, e.Seq)
		name := fmt.Sprintf("%s %s %d", cam, e.Run, e.Seq)
		if _, again := a.events[name]; again {
			return
		}
		a.events[name] = e
		for _, g := range e.Gaps {
			k := account{e.Run, cam, g.Kind}
			a.gaps[k] = append(a.gaps[k], g)
		}
	case "info":
		var i struct {
			StartedAt string `json:"started_at"`
		}
		a.decode(m.Payload(), &i)
		a.run = i.StartedAt
		fallthrough
	default:
		a.last[m.Topic()] = string(m.Payload())
	}
}

// mask takes the number out of a PNG. A zstd mask has none: it gets that of the
// result which follows it.
func (a *Auditor) mask(cam string, b []byte) {
	text, err := maskpng.Text(b, "seq")
	if err != nil {
		a.zstd[cam] = len(b)
		return
	}
	var seq uint64
	if _, err := fmt.Sscan(text, &seq); err != nil {
		a.t.Errorf("mask of camera %s: seq %q: %v", cam, text, err)
	}
	a.count(account{a.run, cam, mqtt.KindMask}, seq)
}

func (a *Auditor) decode(b []byte, v any) {
	if err := json.Unmarshal(b, v); err != nil {
		a.t.Errorf("payload %.200s: %v", b, err)
	}
}

func (a *Auditor) count(k account, seq uint64) {
	if a.seen[k] == nil {
		a.seen[k] = map[uint64]int{}
	}
	a.seen[k][seq]++
}

// Seen is how many different numbers of a kind have arrived.
func (a *Auditor) Seen(cam string, k mqtt.Kind) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for key, seen := range a.seen {
		if key.cam == cam && key.kind == k {
			n += len(seen)
		}
	}
	return n
}

// Last is the latest payload of a topic that is no result, mask or event.
func (a *Auditor) Last(topic string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last[topic]
}

// Events are those that have arrived, each once.
func (a *Auditor) Events() []mqtt.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]mqtt.Event, 0, len(a.events))
	for _, e := range a.events {
		all = append(all, e)
	}
	return all
}

// Missing are the numbers up to the highest seen that neither arrived nor lie
// in a range that was reported: none, if the client keeps its promise.
func (a *Auditor) Missing(cam string, k mqtt.Kind) []uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var missing []uint64
	for key, seen := range a.seen {
		if key.cam != cam || key.kind != k {
			continue
		}
		var top uint64
		for n := range seen {
			top = max(top, n)
		}
		for n := uint64(1); n <= top; n++ {
			if seen[n] == 0 && !covered(a.gaps[key], n) {
				missing = append(missing, n)
			}
		}
	}
	return missing
}

func covered(gaps []mqtt.Gap, n uint64) bool {
	for _, g := range gaps {
		if g.From <= n && n <= g.To {
			return true
		}
	}
	return false
}

// Reported is how many numbers of a kind the gap events name, by reason.
func (a *Auditor) Reported(cam string, k mqtt.Kind) map[mqtt.Reason]uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := map[mqtt.Reason]uint64{}
	for key, gaps := range a.gaps {
		if key.cam != cam || key.kind != k {
			continue
		}
		for _, g := range gaps {
			n[g.Reason] += g.Count
		}
	}
	return n
}

// Repeated are the numbers that arrived more than once.
func (a *Auditor) Repeated(cam string, k mqtt.Kind) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	repeated := 0
	for key, seen := range a.seen {
		for _, n := range seen {
			if key.cam == cam && key.kind == k && n > 1 {
				repeated++
			}
		}
	}
	return repeated
}

// Until waits for a condition and fails the test when it does not come.
func Until(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain for %s", limit, what)
		}
	}
}

package mqtt

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"edged"
)

// fakeToken is a paho token that the test completes.
type fakeToken chan struct{}

func (f fakeToken) Done() <-chan struct{} { return f }
func (f fakeToken) Error() error          { return nil }

// world is a client, a link that breaks at will, and a subscriber behind an
// honest broker: it takes what was sent in order, each message whole, and how
// much of it nobody knows when the link breaks.
type world struct {
	c     *Client
	s     *session // the present link
	taken int      // how many of s.flight the broker has

	seq      map[string]uint64          // results produced, by camera
	got      map[string]map[uint64]bool // numbers received, by camera and kind
	highest  map[string]uint64
	reported map[string]map[uint64]bool
	t        *rapid.T
}

func newWorld(t *rapid.T) *world {
	cfg := Default()
	cfg.Node, cfg.Broker, cfg.Log = "n", "tcp://127.0.0.1:1", slog.New(slog.DiscardHandler)
	cfg.MaxPayload, cfg.QueueBytes, cfg.SpoolBytes = 2*minPayload, 8*minPayload, 4*minPayload
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		c: c, s: &session{c: c}, t: t, seq: map[string]uint64{},
		got: map[string]map[uint64]bool{}, highest: map[string]uint64{}, reported: map[string]map[uint64]bool{},
	}
}

func (w *world) cam() string { return rapid.SampledFrom([]string{"a", "b"}).Draw(w.t, "camera") }

// result publishes one with a mask of any size, or with none.
func (w *world) result(cam string) {
	w.seq[cam]++
	var m *edged.Mask
	if side := rapid.IntRange(0, 130).Draw(w.t, "mask"); side > 0 {
		m = &edged.Mask{Pix: make([]byte, side*side), Stride: side, W: side, H: side}
		for i := range m.Pix {
			m.Pix[i] = byte(uint32(i*i) * 2654435761 >> 13)
		}
	}
	if m == nil { // the result says that there is none
		w.report(cam, Gap{Kind: KindMask, From: w.seq[cam], To: w.seq[cam]})
	}
	r := &Result{Seq: w.seq[cam], Model: string(make([]byte, rapid.SampledFrom([]int{0, 0, 0, 300, 900, 5000}).Draw(w.t, "more bytes")))}
	if err := w.c.Publish(cam, r, m); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) event(cam string) {
	e := Event{Kind: EventFault, Message: string(make([]byte, rapid.SampledFrom([]int{0, 300, 900, 5000}).Draw(w.t, "bytes")))}
	if err := w.c.Event(cam, e); err != nil {
		w.t.Fatal(err)
	}
}

// send fills the window as session.send does.
func (w *world) send() {
	for range rapid.IntRange(1, 20).Draw(w.t, "messages") {
		m := w.c.next()
		if m == nil {
			return
		}
		token := make(fakeToken)
		if m.qos == 0 {
			close(token) // written, which is all that is known of it
		}
		w.s.flight = append(w.s.flight, flying{m, token, time.Now()})
	}
}

// take has the broker read some more, and the subscriber get it.
func (w *world) take(n int) {
	for n = min(w.taken+n, len(w.s.flight)); w.taken < n; w.taken++ {
		w.receive(w.s.flight[w.taken].message)
	}
}

// receive is the subscriber's side: a gap in the numbers of results and masks
// must have been reported before it shows.
func (w *world) receive(m *message) {
	if m.seq == 0 {
		return
	}
	key := m.cam + " " + string(m.kind)
	if w.got[key] == nil {
		w.got[key] = map[uint64]bool{}
	}
	if w.got[key][m.seq] && m.kind != KindEvent {
		w.t.Fatalf("%s %d came twice", key, m.seq)
	}
	w.got[key][m.seq] = true
	for _, g := range m.gaps {
		w.report(m.cam, g)
	}
	if m.kind != KindEvent { // those that report gaps overtake those that wait
		w.accounted(key, m.seq)
	}
}

func (w *world) report(cam string, g Gap) {
	of := cam + " " + string(g.Kind)
	if w.reported[of] == nil {
		w.reported[of] = map[uint64]bool{}
	}
	for n := g.From; n <= g.To; n++ {
		w.reported[of][n] = true
	}
}

// accounted checks every number below one that has come.
func (w *world) accounted(key string, seq uint64) {
	for n := w.highest[key] + 1; n < seq; n++ {
		if !w.got[key][n] && !w.reported[key][n] {
			w.t.Fatalf("%s: %d came, %d did not and was not reported", key, seq, n)
		}
	}
	w.highest[key] = max(w.highest[key], seq)
}

// acknowledge confirms some of what the broker has, oldest first.
func (w *world) acknowledge(n int) {
	before := len(w.s.flight)
	for i := 0; i < w.taken && n > 0; i++ {
		if f := w.s.flight[i]; f.qos > 0 {
			close(f.token.(fakeToken))
			n--
		}
	}
	w.s.settle()
	w.taken -= before - len(w.s.flight)
}

// lose breaks the link; the broker may have read more than it has acknowledged.
func (w *world) lose() {
	w.take(rapid.IntRange(0, 10).Draw(w.t, "read before the end"))
	w.s.settleLost()
	w.s, w.taken = &session{c: w.c}, 0
	w.c.announce()
}

func (w *world) balanced() {
	l := w.c.Ledger()
	flight := map[Kind]uint64{}
	for _, f := range w.s.flight {
		flight[f.kind]++
	}
	for k, a := range l {
		if !a.Balanced() || a.InFlight != a.Queued+flight[k] {
			w.t.Fatalf("%s: %+v with %d in flight", k, a, flight[k])
		}
	}
}

// The ledger balances at every step, whatever the link and the limits do, and
// the subscriber's account agrees with it: nothing is missing that was not
// reported, and nothing came that counts as lost for certain.
func TestLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		steps := map[string]func(){
			"result": func() { w.result(w.cam()) }, "another": func() { w.result(w.cam()) },
			"event": func() { w.event(w.cam()) }, "send": w.send,
			"state":  func() { w.c.CameraStatus(w.cam(), Online) },
			"answer": func() { w.c.respond("trigger", "t", nil, nil) },
			"take":   func() { w.take(rapid.IntRange(1, 20).Draw(t, "taken")) },
			"ack":    func() { w.acknowledge(rapid.IntRange(1, 10).Draw(t, "acknowledged")) },
			"lose":   w.lose,
			"limit":  func() { w.c.setLimit(rapid.IntRange(minPayload, 2*minPayload).Draw(t, "limit")) },
		}
		names := slices.Sorted(maps.Keys(steps))
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			steps[rapid.SampledFrom(names).Draw(t, "step")]()
			w.balanced()
		}
		w.end()
	})
}

// end delivers everything that still can be and compares the two accounts.
func (w *world) end() {
	w.c.setLimit(w.c.cfg.MaxPayload)
	for _, cam := range []string{"a", "b"} { // whatever was dropped shows now
		if w.c.Event(cam, Event{}) != nil || w.c.Publish(cam, &Result{Seq: w.seq[cam] + 1}, &edged.Mask{Pix: []byte{0}, Stride: 1, W: 1, H: 1}) != nil {
			w.t.Fatal("cannot publish")
		}
	}
	for !w.c.idle() || len(w.s.flight) > 0 {
		w.send()
		w.take(len(w.s.flight))
		w.acknowledge(len(w.s.flight))
		if len(w.s.flight) > 0 { // masks, which only something after them confirms
			w.c.respond("trigger", "t", nil, nil)
		}
	}
	w.balanced()
	l := w.c.Ledger()
	for _, k := range []Kind{KindResult, KindMask, KindEvent} {
		var came uint64
		for _, cam := range []string{"a", "b"} {
			key := cam + " " + string(k)
			came += uint64(len(w.got[key]))
			w.accounted(key, slices.Max(append(slices.Collect(maps.Keys(w.got[key])), 0)))
		}
		a := l[k]
		if sure := a.Acknowledged + a.HandedOver; a.InFlight != 0 || came < sure || came > sure+a.Unknown {
			w.t.Fatalf("%s: %d came: %+v", k, came, a)
		}
	}
}

package mqtt

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// A path is judged by the largest of what was sent while somebody listened.
func TestPathIsJudged(t *testing.T) {
	now := time.Now()
	late := now.Add(-probeTime - time.Second)
	for name, c := range map[string]struct {
		p             path
		decided, lost bool
	}{
		"not listening":           {path{confirmed: 9, first: late}, false, false},
		"nothing sent":            {path{listens: true}, false, false},
		"one sent":                {path{listens: true, confirmed: 1, first: late, sent: 10}, false, false},
		"just sent":               {path{listens: true, confirmed: 9, first: now, sent: 10}, false, false},
		"came back":               {path{listens: true, came: 10, largest: 15}, true, false},
		"nothing came":            {path{listens: true, confirmed: 2, first: late, sent: 10, largest: 10}, true, true},
		"the small came":          {path{listens: true, confirmed: 9, first: late, sent: 100, came: 10, largest: 100}, true, true},
		"small ones alone sent":   {path{listens: true, confirmed: 9, first: late, sent: 10, came: 10, largest: 100}, true, false},
		"healed":                  {path{listens: true, came: 10, largest: 10, lost: true}, true, false},
		"a large one sent lately": {path{listens: true, confirmed: 9, first: now, sent: 100, came: 10, largest: 100}, false, false},
	} {
		if decided := c.p.judge(now); decided != c.decided || c.p.lost != c.lost {
			t.Errorf("%s: decided %v, lost %v", name, decided, c.p.lost)
		}
	}
	for name, c := range map[string]struct {
		p    path
		want bool
	}{
		"never": {path{}, true}, "listening": {path{listens: true}, false}, "well": {path{since: now.Add(-2 * time.Minute), largest: 10, proven: 9}, false},
		"well for long": {path{since: now.Add(-11 * time.Minute)}, true}, "lost": {path{since: now.Add(-2 * time.Minute), lost: true}, true},
		"lost just now": {path{since: now, lost: true}, false}, "grown": {path{since: now.Add(-2 * time.Minute), largest: 30, proven: 10}, true},
	} {
		if got := c.p.due(now); got != c.want {
			t.Errorf("%s: due %v", name, got)
		}
	}
}

// A camera's three topics are asked for together; other topics of it, pictures, are
// not, and what is known stays.
func TestProbesGoByCamera(t *testing.T) {
	c := deaf(t, nil)
	now := time.Now()
	result := c.topics.OfCamera("cam", "result")
	c.carried(&message{kind: KindResult, cam: "cam", topic: result, payload: []byte("12345")}, now)
	c.carried(&message{kind: KindPicture, cam: "cam", topic: c.topics.OfCamera("cam", LeafOverlay)}, now)
	c.carried(&message{kind: KindStats, topic: c.topics.OfNode("stats")}, now)
	ask, leave := c.undecided(now)
	if len(ask) != 1 || !slices.Equal(ask[0], c.topics.probed("cam")) || len(leave) > 0 || c.paths[result].largest != 5 {
		t.Fatal(ask, leave, c.paths[result])
	}
	c.listening(map[string]bool{result: true, ask[0][1]: false, ask[0][2]: true}, now)
	if ask, _ := c.undecided(now); len(ask) != 0 {
		t.Errorf("asked again for %v", ask)
	}
	c.carried(&message{kind: KindResult, cam: "cam", topic: result, payload: []byte("1234")}, now.Add(time.Second))
	c.cameBack(result, 4, true) // retained: of another day
	if c.paths[result].came != 0 {
		t.Error("a retained message was taken for one of now")
	}
	c.cameBack(result, 4, false)
	if _, leave := c.undecided(now); len(leave) != 1 || leave[0] != result {
		t.Errorf("left %v", leave)
	}
}

// A broker that hangs up on the question is not asked again; one that hangs up
// for another reason, or whose link breaks, is.
func TestProbeIsNotPutTwice(t *testing.T) {
	answered := make(chan map[string]bool, hangUps)
	for range hangUps {
		answered <- nil
	}
	for name, c := range map[string]struct {
		asked chan map[string]bool
		cause error
		want  bool
	}{
		"hung up": {make(chan map[string]bool, 1), io.EOF, true}, "nothing asked": {nil, io.EOF, false},
		"answered": {answered, io.EOF, false}, "cut": {make(chan map[string]bool, 1), errors.New("timeout"), false},
	} {
		s := &session{c: deaf(t, nil), cause: c.cause, probes: probes{asked: c.asked}}
		for n := 1; n <= hangUps; n++ {
			if s.probed(); s.c.mute.Load() != (c.want && n == hangUps) {
				t.Errorf("%s: mute %v after %d", name, s.c.mute.Load(), n)
			}
		}
	}
}

// grudging answers as an orderly broker, but refuses each filter the first time.
func grudging(conn net.Conn) {
	s := &script{conn: conn, said: make(chan []byte, 16)}
	go s.hear()
	refused := map[string]bool{}
	for p := range s.said {
		a := answer4(p)
		if p[0]>>4 == typeSubscribe && !refused[string(p[3:])] {
			refused[string(p[3:])] = true
			for i := 4; i < len(a); i++ {
				a[i] = 0x80
			}
		}
		if _, err := conn.Write(a); err != nil {
			return
		}
	}
}

// What the broker refuses is asked for again after a while; once it is granted, the
// states that nobody here could hear are said again.
func TestRefusedFiltersAreAskedForAgain(t *testing.T) {
	c := deaf(t, nil)
	ours, theirs := net.Pipe()
	go grudging(theirs)
	d := &dialer{cfg: c.cfg, id: "x", swallow: new(atomic.Uint64), receive: c.receive,
		tcp: func(context.Context, string) (net.Conn, error) { return ours, nil }}
	l, err := d.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.leave(time.Millisecond)
	filters := []string{"edged/n/status"}
	refused, err := l.subscribe(time.Minute, filters)
	if err != nil || len(refused) != 1 {
		t.Fatal(refused, err)
	}
	s := &session{c: c, link: l}
	s.note(refused)
	now := time.Now()
	if s.ask(now); s.asked != nil {
		t.Error("asked again at once")
	}
	s.ask(now.Add(askEvery))
	if s.asked == nil {
		t.Fatal("not asked again")
	}
	s.asked <- <-s.asked // the answer is there
	c.states.queue.remove(func(*message) bool { return true }, func(m *message) { c.drop(m, ReasonSuperseded) })
	if s.ask(now.Add(askEvery)); len(s.refused) != 0 || !c.states.queue.has("edged/n/status") {
		t.Errorf("refused %v, the status waits: %v", s.refused, c.states.queue.has("edged/n/status"))
	}
}

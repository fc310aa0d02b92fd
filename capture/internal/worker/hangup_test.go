package worker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

// A cut names one moment at which a parent may hang up: before or after the
// parent's nth step, or inside the nth call of a method of the camera, where
// the worker's next word meets a broken pipe before its listener is scheduled.
type cut struct {
	parent int    // the step of the parent that hangs up in place of it
	camera string // or the method during which the parent is gone
	call   int    // which of its calls, from 1
	rude   bool   // the parent has not read what the worker said: ECONNRESET
}

// cutter is a camera that calls hangUp during one call.
type cutter struct {
	still
	at     cut
	hangUp func()
	calls  map[string]int
}

func (c *cutter) count(method string) {
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	if c.calls[method]++; method == c.at.camera && c.calls[method] == c.at.call {
		c.hangUp()
	}
}

func (c *cutter) Library() string { c.count("Library"); return "still" }
func (c *cutter) Open(o wire.Open) (wire.Opened, error) {
	c.count("Open")
	return c.still.Open(o)
}
func (c *cutter) Bind(w wire.Want, slots [][]byte) error {
	c.count("Bind")
	return c.still.Bind(w, slots)
}
func (c *cutter) Take(dst []byte) error { c.count("Take"); return c.still.Take(dst) }
func (c *cutter) Close()                { c.count("Close"); c.still.Close() }
func (c *cutter) Read(i int) (Picture, error) {
	c.count("Read")
	p, err := c.still.Read(i)
	p.InPlace = p.InPlace && c.still.read != 2 // one goes through Take
	p.Empty = c.still.read == 3                // one shows nothing
	if c.still.read > 4 {
		p.H = 3 // and one has another size
	}
	return p, err
}

// steps are what a parent does for the whole of a source, one word a step.
func steps(conn *wire.Conn) []func() error {
	var seg *shm.Segment
	var want wire.Want
	hear := func() error { _, _, err := conn.Receive(); return err }
	memory := func() error {
		_, b, err := conn.Receive()
		if err != nil {
			return err
		}
		if err := wire.Decode(b, &want); err != nil {
			return err
		}
		s, f, err := shm.Create(4, want.Bytes())
		if err != nil {
			return err
		}
		defer f.Close()
		seg = s
		defer seg.Close()
		return conn.SendMemory(wire.Memory{Number: 1, Slots: 4, SlotBytes: want.Bytes()}, f)
	}
	return []func() error{
		hear, // hello
		func() error { return conn.Send(wire.TypeOpen, wire.Open{Source: "bad"}) },
		hear, // failed
		func() error { return conn.Send(wire.TypeOpen, wire.Open{EveryFrame: true}) },
		hear, memory, // opened, want
		hear, hear, hear, hear, // frames
		func() error { return conn.SendRelease(wire.Release{Memory: 1, Slot: 0}) },
		memory,     // of another size
		hear, hear, // the last frames
		hear, // ended
	}
}

// cuts are all moments there are.
func cuts() (all []cut) {
	for n := range steps(nil) {
		all = append(all, cut{parent: n}, cut{parent: n, rude: true})
	}
	for method, calls := range map[string]int{"Library": 1, "Open": 2, "Read": 7, "Take": 2, "Bind": 2, "Close": 2} {
		for n := range calls {
			all = append(all, cut{camera: method, call: n + 1})
		}
	}
	return all
}

// A parent that hangs up at any moment is no error of the worker.
func TestHangUpAtEveryMoment(t *testing.T) {
	for _, at := range cuts() {
		t.Run(fmt.Sprintf("%+v", at), func(t *testing.T) {
			for range 5 { // which goroutine sees it first is a race
				hangUpAt(t, at)
			}
		})
	}
}

func hangUpAt(t *testing.T, at cut) {
	t.Helper()
	conn, theirs, vitals := ends(t)
	reached := false
	cam := &cutter{still: still{n: 6}, at: at, hangUp: func() { reached = true; conn.Close() }}
	served := make(chan error, 1)
	go func() { served <- Serve(theirs, vitals, cam, func(int) {}) }()
	for n, step := range steps(conn) {
		if at.camera == "" && n == at.parent {
			reached = true
			if at.rude {
				time.Sleep(time.Millisecond) // the worker's word lies unread
			}
			break
		}
		if err := step(); err != nil {
			break // hung up inside the camera
		}
	}
	conn.Close()
	if err := <-served; err != nil || !reached {
		t.Errorf("the moment was reached: %v; Serve: %v", reached, err)
	}
}

// ends are the two ends of a worker's socket, and its page.
func ends(t *testing.T) (conn, theirs *wire.Conn, vitals *shm.Vitals) {
	t.Helper()
	conn, f, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err = wire.NewConn(f); err != nil {
		t.Fatal(err)
	}
	vitals, page, err := shm.CreateVitals()
	if err != nil {
		t.Fatal(err)
	}
	page.Close()
	t.Cleanup(func() { conn.Close(); theirs.Close() })
	return conn, theirs, vitals
}

// What a parent must never say is told, while it is still there to be told of.
func TestServeTellsABreach(t *testing.T) {
	memory := wire.Memory{Number: 1, Slots: 4, SlotBytes: 24}
	for name, say := range map[string]func(*wire.Conn) error{
		"a type that is the worker's": func(c *wire.Conn) error { return c.Send(wire.TypeHello, nil) },
		"no JSON":                     func(c *wire.Conn) error { return c.Send(wire.TypeOpen, 7) },
		"memory without a file": func(c *wire.Conn) error {
			return errors.Join(c.Send(wire.TypeMemory, memory), c.Send(wire.TypeOpen, nil))
		},
		"two memories": func(c *wire.Conn) error {
			for range 2 {
				seg, f, err := shm.Create(memory.Slots, memory.SlotBytes)
				if err != nil {
					return err
				}
				seg.Close()
				defer f.Close()
				if err := c.SendMemory(memory, f); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn, theirs, vitals := ends(t)
			if err := say(conn); err != nil {
				t.Fatal(err)
			}
			if err := Serve(theirs, vitals, &still{}, func(int) {}); !errors.Is(err, wire.ErrMalformed) {
				t.Errorf("Serve: %v, want a malformed message", err)
			}
		})
	}
}

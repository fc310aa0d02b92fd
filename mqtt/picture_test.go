package mqtt

import (
	"bytes"
	"testing"
)

// Of overlays the newest waits, snapshots wait each, none is larger than allowed,
// and every one is accounted for.
func TestPicturesWait(t *testing.T) {
	cfg := Default()
	cfg.Node, cfg.Broker = "n", "tcp://127.0.0.1:1"
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.cancel()
	for i := range byte(3) {
		c.Overlay("a", []byte{i})
		c.Overlay("b", []byte{i})
		if topic := c.Snapshot("a", []byte{10 + i}); topic != "edged/n/a/snapshot" {
			t.Errorf("published on %s", topic)
		}
	}
	c.Overlay("a", bytes.Repeat([]byte{9}, cfg.MaxPayload+1))
	a := c.Ledger()[KindPicture]
	if a.Produced != 10 || a.Dropped[ReasonSuperseded] != 5 || a.Dropped[ReasonPayload] != 1 || a.Queued != 4 || !a.Balanced() {
		t.Errorf("%+v", a)
	}
	if err := c.Publish("a", &Result{Seq: 1}, nil); err != nil {
		t.Fatal(err)
	}
	c.states.queue = queue{bound: 1 << 20}
	var sent []string
	for m := c.next(); m != nil; m = c.next() {
		sent = append(sent, m.topic)
		if is := m.topic == "edged/n/b/overlay"; m.retain != is {
			t.Errorf("%s retained: %v", m.topic, m.retain)
		}
	}
	if len(sent) != 5 || sent[4] != "edged/n/a/result" {
		t.Errorf("sent %q: want four pictures before the result that was produced after them", sent)
	}
}

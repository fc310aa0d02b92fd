//go:build tools

package mqtt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"edged"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// catch collects messages of one kind of topic through Watch.
type catch struct {
	mu   sync.Mutex
	got  []mqtt.Received
	stop context.CancelFunc
	done chan struct{}
}

func watch(t *testing.T, b *mqtttest.Broker, filters ...string) *catch {
	t.Helper()
	k := &catch{done: make(chan struct{})}
	cfg := quick(b.URL(), &bytesLog{})
	var ctx context.Context
	ctx, k.stop = context.WithCancel(context.Background())
	ready := make(chan struct{})
	var once sync.Once
	go func() {
		defer close(k.done)
		if err := mqtt.Watch(ctx, cfg, func(m mqtt.Received) {
			if m.Topic == "ready" {
				once.Do(func() { close(ready) })
				return
			}
			k.mu.Lock()
			k.got = append(k.got, m)
			k.mu.Unlock()
		}, append(filters, "ready")...); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { k.stop(); <-k.done })
	s := sender(t, b)
	for {
		send(t, s, "ready", 1, false, "")
		select {
		case <-ready:
			return k
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (k *catch) all() []mqtt.Received {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]mqtt.Received(nil), k.got...)
}

// A mask over the limit takes the documented steps, and what arrives is the
// mask at the positions that the result tells.
func TestDegradation(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	k := watch(t, b, "edged/n1/cam/#")
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	cfg.MaxPayload = 9 << 10
	r := newRig(t, cfg, log)
	r.c.Start()
	connects(t, r.c, log)
	// A pattern that repeats after 40 kB: beyond deflate's window, not beyond zstd's.
	repeated := &edged.Mask{Pix: make([]byte, 400*300), Stride: 400, W: 400, H: 300, Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 400 * 15 {
		repeated.Pix[i] = uint8(rng.IntN(200))
	}
	copy(repeated.Pix[400*100:], repeated.Pix[:400*100])
	copy(repeated.Pix[400*200:], repeated.Pix[:400*100])
	masks := []*edged.Mask{noisy(40, 30), repeated, noisy(200, 150), noisy(401, 299), noisy(2000, 1500)}
	for i, m := range masks {
		res := &mqtt.Result{Seq: uint64(i + 1), TS: mqtt.Time{Time: time.Now()}}
		if err := r.c.Publish("cam", res, m); err != nil {
			t.Fatal(err)
		}
	}
	mqtttest.Until(t, patience, "results", func() bool { return countOf(k.all(), "result") == len(masks) })
	steps := []string{"png", "zstd", "coarser", "coarser", "none"}
	var pending *mqtt.Received
	seen := 0
	for _, m := range k.all() {
		switch {
		case strings.HasSuffix(m.Topic, "/mask"):
			pending = &m
		case strings.HasSuffix(m.Topic, "/result"):
			checkStep(t, steps[seen], masks[seen], m.Payload, pending)
			pending = nil
			seen++
		}
	}
	l, _ := r.c.Link()
	if want := map[string]uint64{"zstd": 1, "coarser": 2, "result_alone": 1}; !reflect.DeepEqual(l.Degraded, want) {
		t.Errorf("degraded %v, want %v", l.Degraded, want)
	}
	led := r.close()
	if led[mqtt.KindMask].Dropped[mqtt.ReasonPayload] != 1 {
		t.Errorf("masks: %+v", led[mqtt.KindMask])
	}
}

func countOf(got []mqtt.Received, leaf string) (n int) {
	for _, m := range got {
		if strings.HasSuffix(m.Topic, "/"+leaf) {
			n++
		}
	}
	return n
}

func checkStep(t *testing.T, step string, m *edged.Mask, payload []byte, mask *mqtt.Received) {
	t.Helper()
	var r mqtt.Result
	if err := json.Unmarshal(payload, &r); err != nil {
		t.Fatal(err)
	}
	if step == "none" {
		if r.Mask != nil || mask != nil {
			t.Errorf("result %d: a mask was announced or sent", r.Seq)
		}
		return
	}
	if r.Mask == nil || mask == nil || r.Mask.Bytes != len(mask.Payload) || r.Mask.Topic != mask.Topic {
		t.Fatalf("result %d: mask %+v, message %v", r.Seq, r.Mask, mask != nil)
	}
	if (step == "zstd") != (r.Mask.Encoding == "zstd" && r.Mask.W == m.W) || step == "coarser" != (r.Mask.W < m.W) {
		t.Errorf("result %d, step %s: %+v", r.Seq, step, r.Mask)
	}
	pix := unpack(t, r.Mask, mask.Payload)
	f := int(r.Mask.Stride[0] / m.Grid.Stride[0])
	if r.Mask.W != (m.W+f-1)/f || r.Mask.H != (m.H+f-1)/f || r.Mask.Origin != m.Grid.Origin {
		t.Errorf("result %d: %+v for a mask of %dx%d at every %d", r.Seq, r.Mask, m.W, m.H, f)
	}
	for y := range r.Mask.H {
		for x := range r.Mask.W {
			if pix[y*r.Mask.W+x] != m.Pix[y*f*m.Stride+x*f] {
				t.Fatalf("result %d: position %d,%d differs", r.Seq, y, x)
			}
		}
	}
}

func unpack(t *testing.T, ref *mqtt.MaskRef, b []byte) []byte {
	t.Helper()
	if ref.Encoding == mqtt.EncodingZstd {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		pix, err := d.DecodeAll(b, nil)
		if err != nil || len(pix) != ref.W*ref.H {
			t.Fatalf("zstd: %d bytes, %v", len(pix), err)
		}
		return pix
	}
	im, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	g := im.(*image.Gray)
	if g.Stride != ref.W || g.Rect.Dy() != ref.H {
		t.Fatalf("PNG of %v, result says %dx%d", g.Rect, ref.W, ref.H)
	}
	return g.Pix
}

// Events outlive a daemon that never found its broker.
func TestEventsSurviveARestart(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.NewBroker(t)
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	cfg.SpoolDir = t.TempDir()
	first := newRig(t, cfg, log)
	first.c.Start()
	for range 100 {
		first.publish()
	}
	l := first.close()
	if e := l[mqtt.KindEvent]; e.Produced != 10 || e.InFlight != 10 {
		t.Errorf("events of the first run: %+v", e)
	}
	if r := l[mqtt.KindResult]; r.Dropped[mqtt.ReasonShutdown] != 100 || r.InFlight != 0 {
		t.Errorf("results of the first run: %+v", r)
	}
	b.Start()
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	second := newRig(t, cfg, log)
	second.c.Start()
	mqtttest.Until(t, patience, "the old events", func() bool { return len(a.Events()) >= 10 })
	for range 10 {
		second.publish()
	}
	if e := second.close()[mqtt.KindEvent]; e.Produced != 11 || e.Acknowledged != 11 {
		t.Errorf("events of the second run: %+v", e)
	}
	runs := map[string]int{}
	for _, e := range a.Events() {
		runs[e.Run]++
	}
	if len(runs) != 2 || len(a.Events()) != 11 {
		t.Errorf("events by run: %v", runs)
	}
	third := newRig(t, cfg, log)
	third.c.Start()
	if e := third.close()[mqtt.KindEvent]; e.Produced != 0 {
		t.Errorf("the spool was not emptied: %+v", e)
	}
}

// mosquitto_sub, a client that is not ours, sees the same.
func TestMosquittoSubReadsResults(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	log := &bytesLog{}
	r := newRig(t, quick(b.URL(), log), log)
	r.c.Start()
	connects(t, r.c, log)
	sub := exec.Command("mosquitto_sub", "-p", fmt.Sprint(b.Port), "-t", "edged/n1/cam/result", "-C", "1", "-W", "20")
	var out bytes.Buffer
	sub.Stdout = &out
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	r.load(10 * time.Millisecond)
	if err := sub.Wait(); err != nil {
		t.Fatal(err)
	}
	var res mqtt.Result
	if err := json.Unmarshal(out.Bytes(), &res); err != nil || res.Seq == 0 || res.Mask == nil {
		t.Errorf("%v: %s", err, out.Bytes())
	}
	r.close()
}

package capture

import (
	"os"
	"strings"
	"testing"
	"time"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
	"edged/capture/internal/worker"
)

// liarMain is a worker that keeps to the protocol but for one thing, which its
// name says.
func liarMain(lie string) int {
	conn, err := wire.NewConn(os.NewFile(worker.SocketFD, "socket"))
	if err != nil {
		return 1
	}
	vitals, err := shm.OpenVitals(os.NewFile(worker.VitalsFD, "vitals"))
	if err != nil {
		return 1
	}
	version := wire.Version
	if lie == "version" {
		version++
	}
	conn.Send(wire.TypeHello, wire.Hello{Version: version})
	conn.Receive() // Open
	conn.Send(wire.TypeOpened, wire.Opened{})
	size := wire.Want{W: 8, H: 8, Ch: 3}
	switch lie {
	case "want nothing":
		size.W = 0
	case "want channels":
		size.Ch = 4
	case "want everything":
		size.W, size.H = 1<<30, 1<<30
	case "want wrapped":
		size.W, size.H = 0x28f5c28f5c28f5d, 100 // 84 pixels, modulo 1<<64
	}
	conn.Send(wire.TypeWant, size)
	var m wire.Memory
	if _, b, err := conn.Receive(); err != nil || wire.Decode(b, &m) != nil {
		return 1
	}
	f, err := conn.ReceiveDescriptor()
	if err != nil {
		return 1
	}
	seg, err := shm.Open(f, m.Slots, m.SlotBytes)
	if err != nil {
		return 1
	}
	good := wire.Frame{Memory: m.Number, Ch: 3, W: 8, H: 8, Read: vitals.CountRead(), At: shm.Now()}
	seg.Seq(0).Store(good.Read)
	conn.SendFrame(good)
	bad := good
	bad.Read, bad.Slot = vitals.CountRead(), 1
	seg.Seq(1).Store(bad.Read)
	switch lie {
	case "slot":
		bad.Slot = 200
	case "size":
		bad.W = 9
	case "wrapped size":
		bad.W, bad.H = 1<<31, 1<<31
	case "wrapped to 13 bytes":
		bad.W, bad.H = 3384208571, 3633886365
	case "smaller":
		bad.W = 7
	case "memory":
		bad.Memory++
	case "sequence":
		seg.Seq(1).Store(77)
	case "again":
		bad = good
	case "count":
		bad.Read += 1000
	case "channels":
		bad.Ch = 200
	}
	conn.SendFrame(bad)
	if lie == "type" {
		conn.Send(99, "what?")
	}
	time.Sleep(time.Minute)
	return 0
}

// TestLiars: whatever a worker that has lost its mind sends, it is replaced,
// and no memory beyond its slots is looked at.
func TestLiars(t *testing.T) {
	for _, lie := range []string{"version", "want nothing", "want channels", "want everything", "want wrapped", "slot", "size", "wrapped size",
		"wrapped to 13 bytes", "smaller", "memory", "sequence", "again", "count", "channels", "type"} {
		t.Run(lie, func(t *testing.T) {
			cfg := fake("")
			cfg.Name = "liar " + lie
			cfg.RetryMin, cfg.RetryMax = 2*time.Millisecond, 4*time.Millisecond
			src := mustOpen(t, cfg)
			for src.Counts().Stuck < 2 {
				time.Sleep(time.Millisecond)
			}
			src.Close()
			c := balanced(t, src)
			if strings.HasPrefix(lie, "want") || lie == "version" {
				if c.Read != 0 {
					t.Errorf("counts %+v", c)
				}
			} else if c.Delivered+c.PassedOver == 0 {
				t.Errorf("counts %+v: the good frame before is good", c)
			}
		})
	}
}

package mqtt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// stream plays packets to a wire whose client has subscribed, asked for one
// PINGRESP and published with the ids 7 and 8, and returns what comes through.
func stream(t *testing.T, limit intake, packets []byte) (out []byte, swallows uint64, err error) {
	t.Helper()
	return streamTo(t, dialogue{asked: true, connected: true, subscribed: true, pings: 1,
		subscribes: map[uint16]int{2: 3}, publishes: map[uint16]bool{7: true, 8: true}}, limit, packets)
}

func streamTo(t *testing.T, d dialogue, limit intake, packets []byte) (out []byte, swallows uint64, err error) {
	t.Helper()
	near, far := net.Pipe()
	go func() { far.Write(packets); far.Close() }()
	var n atomic.Uint64
	w := newWire(near, limit, time.Second, &n)
	w.said = d
	out, err = io.ReadAll(w)
	near.Close()
	return out, n.Load(), err
}

func publishPacket(qos byte, topic string, id uint16, payload string) []byte {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(topic)))
	body = append(body, topic...)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	body = append(body, payload...)
	return append(binary.AppendUvarint([]byte{typePublish<<4 | qos<<1}, uint64(len(body))), body...)
}

func TestWireSwallowsWhatIsTooLarge(t *testing.T) {
	small, ping := publishPacket(1, "a/b", 7, "hello"), []byte{0xd0, 0}
	in := bytes.Join([][]byte{small, publishPacket(0, "a/b", 0, strings.Repeat("x", 5000)), ping, publishPacket(1, "a/b", 8, strings.Repeat("x", 300_000)), small}, nil)
	out, n, err := stream(t, intake{maxPayload: 1000}, in)
	want := bytes.Join([][]byte{small, ping, publishPacket(1, swallowed, 8, swallowed), small}, nil)
	if err != nil || n != 2 || !bytes.Equal(out, want) {
		t.Errorf("%v, %d swallowed:\n%q\nwant\n%q", err, n, out, want)
	}
	out, n, err = stream(t, intake{}, in)
	if err != nil || n != 0 || !bytes.Equal(out, in) {
		t.Errorf("without a limit: %v, %d swallowed, %d of %d bytes", err, n, len(out), len(in))
	}
}

func TestWireSwallowsWhatIsTooMuch(t *testing.T) {
	one := publishPacket(0, "a", 0, "x")
	out, n, err := stream(t, intake{rate: 1, burst: 10}, bytes.Repeat(one, 1000))
	if err != nil || n < 980 || n > 990 || len(out) != (1000-int(n))*len(one) {
		t.Errorf("%v: %d swallowed, %d bytes through", err, n, len(out))
	}
}

// What a third party may have sent is dropped; the link stands.
func TestWireSwallowsForeignTopics(t *testing.T) {
	good := publishPacket(1, "a/b", 7, "hello")
	for _, topic := range []string{"a/\xff", "a\x00b", "a/+", "#", strings.Repeat("a", maxTopic+1)} {
		in := bytes.Join([][]byte{publishPacket(0, topic, 0, "x"), good, publishPacket(1, topic, 9, "x"), good}, nil)
		out, n, err := stream(t, intake{}, in)
		if want := bytes.Join([][]byte{good, publishPacket(1, swallowed, 9, swallowed), good}, nil); err != nil || n != 2 || !bytes.Equal(out, want) {
			t.Errorf("topic %.10q: %v, %d swallowed:\n%.200q", topic, err, n, out)
		}
	}
}

// Whatever does not fit the state ends the connection, with a reason, and no
// byte of it reaches the client.
func TestWireEndsALinkThatBreaksTheProtocol(t *testing.T) {
	fresh, asked := dialogue{}, dialogue{asked: true}
	open := dialogue{asked: true, connected: true}
	talking := dialogue{asked: true, connected: true, subscribed: true, subscribes: map[uint16]int{1: 3}, publishes: map[uint16]bool{5: true}}
	for _, x := range []struct {
		state dialogue
		in    string
		says  string
	}{
		{fresh, "\x20\x02\x00\x00", "CONNACK before"},
		{asked, "\x90\x05\x00\x01\x01\x01\x01", "SUBACK before it has answered CONNECT"},
		{asked, "\x30\x04\x00\x01ax", "PUBLISH before it has answered CONNECT"},
		{asked, "\x20\x00", "CONNACK of 0 bytes"},
		{asked, "\x20\x01\x00", "CONNACK of 1 bytes"},
		{asked, "\x20\x03\x00\x84\x00", "the form of MQTT 5"},
		{asked, "\x20\x02\x00\x84", "the form of MQTT 5"},
		{asked, "\x20\x02\x00\x09", "code 9"},
		{asked, "\x20\x02\x02\x00", "flags 0x2"},
		{asked, "\x21\x02\x00\x00", "CONNACK with flags 0x1"},
		{asked, "\x20\xff\xff\xff\x7f", "CONNACK of 268435455 bytes"},
		{asked, "\x20\xff\xff\xff\xff\x01", "more than four bytes"},
		{asked, "HTTP/1.1 400 Bad Request\r\n", "PUBACK before it has answered CONNECT"},
		{open, "\x20\x02\x00\x00", "a second CONNACK"},
		{open, "\x30\x04\x00\x01ax", "before anything was subscribed to"},
		{talking, "\x90\x04\x00\x01\x01\x01", "2 codes for 3 filters"},
		{talking, "\x90\x06\x00\x01\x01\x01\x01\x01", "4 codes for 3 filters"},
		{talking, "\x90\x02\x00\x01", "SUBACK of 2 bytes"},
		{talking, "\x90\x05\x00\x01\x02\x01\x01", "code 0x2"},
		{talking, "\x90\x05\x00\x01\x03\x01\x01", "code 0x3"},
		{talking, "\x90\x05\x00\x05\x01\x01\x01", "SUBACK of id 5"},
		{talking, "\x90\x80\x80\x40", "SUBACK of 1048576 bytes"},
		{talking, "\x40\x02\x00\x06", "PUBACK of id 6"},
		{talking, "\x40\x02\x00\x01", "PUBACK of id 1"}, // a SUBSCRIBE's
		{talking, "\x40\x03\x00\x05\x00", "PUBACK of 3 bytes"},
		{talking, "\x40\x00", "PUBACK of 0 bytes"},
		{talking, "\x50\x02\x00\x05", "PUBREC"},
		{talking, "\x62\x02\x00\x05", "PUBREL"},
		{talking, "\x70\x02\x00\x05", "PUBCOMP"},
		{talking, "\xb0\x02\x00\x01", "UNSUBACK"},
		{talking, "\x10\x00", "CONNECT, which"},
		{talking, "\x82\x06\x00\x01\x00\x01a\x00", "SUBSCRIBE"},
		{talking, "\xa2\x00", "UNSUBSCRIBE"},
		{talking, "\xc0\x00", "PINGREQ"},
		{talking, "\xe0\x00", "DISCONNECT"},
		{talking, "\xd0\x00", "PINGRESP without"},
		{talking, "\x00\x00", "type 0"},
		{talking, "\xf0\x00", "type 15"},
		{talking, "\x34\x06\x00\x01a\x00\x01x", "PUBLISH of QoS 2"},
		{talking, "\x36\x06\x00\x01a\x00\x01x", "PUBLISH of QoS 3"},
		{talking, "\x30\x00", "PUBLISH of 0 bytes"},
		{talking, "\x32\x01\x00", "PUBLISH of 1 bytes"},
		{talking, "\x30\x03\x00\x00x", "PUBLISH without a topic"},
		{talking, "\x30\x05\xff\xffABC", "with a topic of 65535"},
		{talking, "\x32\x04\x00\x01ax", "with a topic of 1"}, // no room for the id
	} {
		out, _, err := streamTo(t, x.state, intake{maxPayload: 1000}, []byte(x.in))
		if !errors.Is(err, errProtocol) || !strings.Contains(err.Error(), x.says) || len(out) > 0 {
			t.Errorf("%q: %v, want %q; %d bytes went through", x.in, err, x.says, len(out))
		}
	}
}

// An answer is taken once: the second one of its kind ends the connection.
func TestWireTakesEachAnswerOnce(t *testing.T) {
	for _, answer := range []string{"\x40\x02\x00\x05", "\x90\x05\x00\x01\x80\x01\x00", "\xd0\x00"} {
		d := dialogue{asked: true, connected: true, pings: 1, subscribes: map[uint16]int{1: 3}, publishes: map[uint16]bool{5: true}}
		out, _, err := streamTo(t, d, intake{}, []byte(answer+answer))
		if !errors.Is(err, errProtocol) || string(out) != answer {
			t.Errorf("%q twice: %v, %q", answer, err, out)
		}
	}
}

func FuzzWire(f *testing.F) {
	f.Add(publishPacket(1, "a/b", 7, "hello"))
	f.Add(publishPacket(1, "a/+", 7, "hello"))
	f.Add([]byte{0x90, 3, 0, 1, 0, 0x32, 0xff, 0x7f, 0, 1, 'a'})
	f.Fuzz(func(t *testing.T, in []byte) {
		out, _, _ := stream(t, intake{maxPayload: 64, rate: 1e9, burst: 1e9}, in)
		if len(out) > len(in)+len(in)/5*2*(len(swallowed)+2) {
			t.Errorf("%d bytes became %d", len(in), len(out))
		}
	})
}

// A flood that waits in the buffer of a link that has ended is not carried on with.
func TestWireLeavesTheBufferOfAnEndedLink(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	var n atomic.Uint64
	w := newWire(near, intake{rate: 1}, time.Minute, &n)
	w.said = dialogue{asked: true, connected: true, subscribed: true}
	go far.Write(bytes.Repeat(publishPacket(1, "edged/n/request/x", 7, "x"), 1000))
	go func() {
		for n.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		w.Close()
	}()
	if _, err := io.Copy(io.Discard, w); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	if n.Load() == 1000 {
		t.Error("the whole flood was gone through")
	}
}

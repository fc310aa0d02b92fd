package mqtt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The types of MQTT 3.1.1's packets, a fixed header's upper four bits.
const (
	typeConnect = iota + 1
	typeConnack
	typePublish
	typePuback
	typePubrec
	typePubrel
	typePubcomp
	typeSubscribe
	typeSuback
	typeUnsubscribe
	typeUnsuback
	typePingreq
	typePingresp
	typeDisconnect
)

var packetNames = [16]string{"type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "type 15"}

// errProtocol marks what no MQTT 3.1.1 broker sends to this client in the state
// that the connection is in.
var errProtocol = errors.New("mqtt: the broker breaks the protocol")

// errMQTT5 marks an answer to CONNECT in the form of MQTT 5.
var errMQTT5 = errors.New("the answer to CONNECT has the form of MQTT 5")

func breach(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errProtocol, fmt.Errorf(format, args...))
}

// dialogue is the state of a connection: what the client has said that awaits an
// answer. Whatever fits no question is a breach, because the client behind it
// trusts the broker: a SUBACK with a code too many ends the process. The wire's
// two directions use it, one at a time.
type dialogue struct {
	asked      bool // CONNECT was sent
	connected  bool
	subscribed bool           // a SUBSCRIBE was sent: PUBLISH may come
	pings      int            // PINGREQ without a PINGRESP
	subscribes map[uint16]int // SUBSCRIBE by id: how many filters
	publishes  map[uint16]bool
	retreats   map[uint16]bool // UNSUBSCRIBE by id
}

// sent notes a packet of the client's, whole and well formed.
func (d *dialogue) sent(p []byte) error {
	body := p[min(1, len(p)):]
	for len(body) > 0 && body[0]&0x80 != 0 {
		body = body[1:]
	}
	body = body[min(1, len(body)):]
	switch kind := first(p) >> 4; {
	case kind == typeConnect:
		d.asked = true
	case kind == typePingreq:
		d.pings++
	case kind == typeSubscribe && len(body) >= 2:
		if d.subscribes == nil {
			d.subscribes = map[uint16]int{}
		}
		d.subscribed = true
		d.subscribes[binary.BigEndian.Uint16(body)] = filtersIn(body[2:])
	case kind == typeUnsubscribe && len(body) >= 2:
		if d.retreats == nil {
			d.retreats = map[uint16]bool{}
		}
		d.retreats[binary.BigEndian.Uint16(body)] = true
	case kind == typePublish && first(p)&0x06 == 0x02 && len(body) >= 2:
		at := 2 + int(binary.BigEndian.Uint16(body))
		if len(body) < at+2 {
			return errors.New("mqtt: BUG: the client sends a PUBLISH that is cut off")
		}
		if d.publishes == nil {
			d.publishes = map[uint16]bool{}
		}
		d.publishes[binary.BigEndian.Uint16(body[at:])] = true
	}
	return nil
}

func first(p []byte) byte {
	if len(p) == 0 {
		return 0
	}
	return p[0]
}

// filtersIn counts the filters of a SUBSCRIBE: a length, a topic and a QoS each.
func filtersIn(b []byte) (n int) {
	for len(b) >= 2 {
		b = b[min(len(b), 3+int(binary.BigEndian.Uint16(b))):]
		n++
	}
	return n
}

// admits judges a fixed header of the broker's before anything is read behind it.
func (d *dialogue) admits(head byte, n int) error {
	kind := head >> 4
	switch {
	case !d.asked || !d.connected && kind != typeConnack:
		return breach("%s before it has answered CONNECT", packetNames[kind])
	case kind == typePublish:
		return d.admitsPublish(head)
	case head&0x0f != 0:
		return breach("%s with flags %#x", packetNames[kind], head&0x0f)
	}
	switch kind {
	case typeConnack:
		switch {
		case d.connected:
			return breach("a second CONNACK")
		case n > 2 && n <= maxControl:
			return breach("%w: CONNACK of %d bytes", errMQTT5, n)
		}
		return length(kind, n, 2)
	case typePuback, typeUnsuback:
		return length(kind, n, 2)
	case typeSuback:
		if n < 3 || n > maxControl {
			return breach("SUBACK of %d bytes", n)
		}
		return nil
	case typePingresp:
		return length(kind, n, 0)
	}
	return breach("%s, which this client has no use for", packetNames[kind])
}

func (d *dialogue) admitsPublish(head byte) error {
	switch {
	case head&0x06 > 0x02:
		return breach("PUBLISH of QoS %d, where at most 1 was asked for", head>>1&3)
	case !d.subscribed:
		return breach("PUBLISH before anything was subscribed to")
	}
	return nil
}

func length(kind byte, n, want int) error {
	if n != want {
		return breach("%s of %d bytes, not %d", packetNames[kind], n, want)
	}
	return nil
}

// takes judges the body of a packet that admits has let through, and strikes
// off what it answers.
func (d *dialogue) takes(head byte, body []byte) error {
	switch head >> 4 {
	case typeConnack:
		switch {
		case body[1] >= 0x80:
			return breach("%w: reason %#x", errMQTT5, body[1])
		case body[0] > 1 || body[1] > 5:
			return breach("CONNACK with flags %#x and code %d", body[0], body[1])
		}
		d.connected = body[1] == 0
	case typePuback:
		id := binary.BigEndian.Uint16(body)
		if !d.publishes[id] {
			return breach("PUBACK of id %d, which nothing waits for", id)
		}
		delete(d.publishes, id)
	case typeUnsuback:
		id := binary.BigEndian.Uint16(body)
		if !d.retreats[id] {
			return breach("UNSUBACK of id %d, which no UNSUBSCRIBE waits for", id)
		}
		delete(d.retreats, id)
	case typeSuback:
		return d.takesSuback(binary.BigEndian.Uint16(body), body[2:])
	case typePingresp:
		if d.pings == 0 {
			return breach("PINGRESP without a PINGREQ")
		}
		d.pings--
	}
	return nil
}

func (d *dialogue) takesSuback(id uint16, codes []byte) error {
	n, ok := d.subscribes[id]
	switch {
	case !ok:
		return breach("SUBACK of id %d, which no SUBSCRIBE waits for", id)
	case len(codes) != n:
		return breach("SUBACK with %d codes for %d filters", len(codes), n)
	}
	if i := slices.IndexFunc(codes, func(c byte) bool { return c > 1 && c != 0x80 }); i >= 0 {
		return breach("SUBACK with code %#x, where QoS 1 was asked for", codes[i])
	}
	delete(d.subscribes, id)
	return nil
}

// foreign tells whether a topic is one that an orderly broker cannot deliver:
// too long for any that was subscribed to, or no text without wildcards. The
// sender of the message may be at fault, who must not be able to end the link.
func foreign(topic []byte) bool {
	return len(topic) > maxTopic || !utf8.Valid(topic) || strings.ContainsAny(string(topic), "\x00+#")
}

package mqtttest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// fakePacket is a packet with its length.
func fakePacket(head byte, body ...byte) []byte {
	return append(binary.AppendUvarint([]byte{head}, uint64(len(body))), body...)
}

func fakePublish(qos byte, topic, payload string, id int) []byte {
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, uint16(id))
	}
	return fakePacket(0x30|qos<<1, append(body, payload...)...)
}

func suback(id []byte, filters int) []byte {
	return fakePacket(0x90, append(bytes.Clone(id), bytes.Repeat([]byte{1}, filters)...)...)
}

// behaviours are all modes, by group. "none" is a broker that is right.
func behaviours() map[string]behaviour {
	all := map[string]behaviour{"none": {}}
	for _, group := range []map[string]behaviour{wrongConnacks(), wrongSubacks(), strayPackets(), wrongAcks(), floods()} {
		for name, b := range group {
			all[name] = b
		}
	}
	return all
}

func wrongConnacks() map[string]behaviour {
	all := map[string]behaviour{}
	for name, b := range map[string]string{
		"connack-empty": "\x20\x00", "connack-short": "\x20\x01\x00", "connack-code-9": "\x20\x02\x00\x09", "connack-mqtt5": "\x20\x03\x00\x84\x00",
		"connack-huge": "\x20\xff\xff\xff\x7f" + strings.Repeat("\x00", 100), "connack-varint": "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"connack-twice": "\x20\x02\x00\x00\x20\x02\x00\x00", "connack-suback": "\x90\x05\x00\x01\x01\x01\x01", "connack-publish": "\x30\x04\x00\x01ax",
		"connack-connect": "\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x", "connack-http": "HTTP/1.1 400 Bad Request\r\n\r\n", "connack-nothing": "",
		"connack-refused": "\x20\x02\x00\x05", "connack-code-1": "\x20\x02\x00\x01", "connack-code-2": "\x20\x02\x00\x02",
		"connack-code-3": "\x20\x02\x00\x03", "connack-code-4": "\x20\x02\x00\x04",
	} {
		all[name] = behaviour{connack: []byte(b)}
	}
	all["connack-long"] = behaviour{connack: fakePacket(0x20, make([]byte, 900)...)}
	return all
}

func wrongSubacks() map[string]behaviour {
	all := map[string]behaviour{}
	for name, extra := range map[string]int{"suback-one-more": 1, "suback-many-more": 900, "suback-one-less": -1} {
		all[name] = behaviour{suback: func(id []byte, n int) []byte { return suback(id, n+extra) }}
	}
	for name, code := range map[string]byte{"suback-qos-2": 2, "suback-code-3": 3, "suback-refused": 0x80} {
		all[name] = behaviour{suback: func(id []byte, n int) []byte {
			return fakePacket(0x90, append(bytes.Clone(id), bytes.Repeat([]byte{code}, n)...)...)
		}}
	}
	all["suback-no-codes"] = behaviour{suback: func(id []byte, _ int) []byte { return fakePacket(0x90, id...) }}
	all["suback-short"] = behaviour{suback: func([]byte, int) []byte { return []byte("\x90\x01\x00") }}
	all["suback-other-id"] = behaviour{suback: func(_ []byte, n int) []byte { return suback([]byte("UU"), n) }}
	all["suback-never"] = behaviour{suback: func([]byte, int) []byte { return nil }}
	all["suback-twice"] = behaviour{suback: func(id []byte, n int) []byte { return append(suback(id, n), suback(id, n)...) }}
	return all
}

// strayPackets follow a right SUBACK once.
func strayPackets() map[string]behaviour {
	all := map[string]behaviour{}
	for name, b := range map[string]string{
		"publish-short": "\x32\x01\x00", "publish-empty": "\x30\x00", "publish-topic-too-long": "\x30\x05\xff\xffABC", "publish-no-topic": "\x32\x05\x00\x00\x00\x01x",
		"publish-qos-3": "\x36\x06\x00\x01a\x00\x01x", "publish-256-mb": "\x30\xff\xff\xff\x7f\x00\x12edged/n1/request/x",
		"type-0": "\x00\x00", "type-15": "\xf0\x00", "puback-empty": "\x40\x00", "puback-unknown": "\x40\x02\x12\x34", "pubrec": "\x50\x02\x12\x34",
		"pubrel": "\x62\x02\x12\x34", "pubcomp": "\x70\x02\x12\x34", "unsuback": "\xb0\x02\x00\x01", "subscribe": "\x82\x06\x00\x01\x00\x01a\x00",
		"connect": "\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x", "disconnect": "\xe0\x00", "pingreq": "\xc0\x00", "pingresp": "\xd0\x00",
	} {
		all["stray-"+name] = behaviour{after: func([]byte) []byte { return []byte(b) }}
	}
	return all
}

func wrongAcks() map[string]behaviour {
	sends := func(head ...byte) behaviour {
		return behaviour{puback: func(c *fakeConn, id []byte) { c.send(append(bytes.Clone(head), id...)) }}
	}
	return map[string]behaviour{
		"ack-never":    {puback: func(*fakeConn, []byte) {}},
		"ack-pubrec":   sends(0x50, 2),
		"ack-unsuback": sends(0xb0, 2),
		"ack-suback":   {puback: func(c *fakeConn, id []byte) { c.send(fakePacket(0x90, id[0], id[1], 1)) }},
		"ack-twice":    {puback: func(c *fakeConn, id []byte) { c.ack(id); c.send(append([]byte{0x40, 2}, id...)) }},
		"ack-any": {puback: func(c *fakeConn, _ []byte) {
			c.send(binary.BigEndian.AppendUint16([]byte{0x40, 2}, uint16(1+rand.IntN(65535))))
		}},
		"ack-some": {puback: func(c *fakeConn, id []byte) {
			if rand.IntN(10) > 0 {
				c.ack(id)
			}
		}},
		"ack-reordered": {puback: func(c *fakeConn, id []byte) { c.hold(id) }},
		"ack-late":      {puback: func(c *fakeConn, id []byte) { time.Sleep(20 * time.Millisecond); c.ack(id) }},
	}
}

func floods() map[string]behaviour {
	of := func(every time.Duration, qos byte, topic, payload string) behaviour {
		return behaviour{every: every, flood: func(i int) []byte { return fakePublish(qos, topic, payload, i%65535+1) }}
	}
	deep := strings.Repeat("[", 60000) + strings.Repeat("]", 60000)
	deeper := `{"transaction":"a","x":` + strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000) + "}"
	return map[string]behaviour{
		"flood-qos-2":      of(5*time.Millisecond, 2, "edged/n1/request/zzz", strings.Repeat("x", 100_000)),
		"flood-unknown":    {every: 5 * time.Millisecond, flood: func(i int) []byte { return fakePublish(0, fmt.Sprintf("edged/n1/request/c%d", i), "", 0) }},
		"flood-trigger":    of(time.Millisecond, 1, "edged/n1/request/trigger", `{"transaction":"t"}`),
		"flood-deep":       of(5*time.Millisecond, 0, "edged/n1/request/trigger", deep),
		"flood-deep-value": of(5*time.Millisecond, 0, "edged/n1/request/trigger", deeper),
		"flood-large":      of(0, 0, "edged/n1/request/x", strings.Repeat("y", 131_000)),
		"flood-pings":      {flood: func(int) []byte { return []byte("\xd0\x00") }},
		"flood-no-text":    of(time.Millisecond, 1, "edged/n1/\xff\xfe\x00/enabled/set", "ON"),
		"flood-long-topic": of(time.Millisecond, 1, "edged/n1/request/"+strings.Repeat("\xff", 60_000), ""),
		"flood-longest":    of(time.Millisecond, 1, "edged/n1/request/"+strings.Repeat("t", 65_535-17), ""),
		"flood-one-id":     {every: time.Millisecond, flood: func(int) []byte { return fakePublish(1, "edged/n1/request/trigger", `{"transaction":"t"}`, 7) }},
		"flood-enabled":    {every: 5 * time.Millisecond, flood: func(i int) []byte { return fakePublish(0, "edged/n1/cam/enabled/set", []string{"ON", "OFF"}[i%2], 0) }},
		"flood-offline":    of(5*time.Millisecond, 0, "edged/n1/status", "offline"),
		"flood-info":       of(5*time.Millisecond, 0, "edged/n1/info", `{"run":"somebodyelse"}`),
		"flood-elsewhere":  of(5*time.Millisecond, 1, "what/nobody/asked/for", "x"),
	}
}

package config

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// engines are those that the tests' files may name.
var engines = Engines{Names: []string{Auto, "tflite", "go"}, Aliases: map[string]string{"fallback": "go"}, MaxThreads: 256}

// place is where a fault stands in a file.
var place = regexp.MustCompile(`^edged\.toml(:[0-9]+:[0-9]+)?: .`)

// FuzzConfig: a config may hold anything. Its faults are told with their place,
// the same each time, and without the passwords in it; one without faults is
// one that the mqtt package takes too.
func FuzzConfig(f *testing.F) {
	f.Add(Sample)
	for _, part := range bytes.Split(Sample, []byte("\n\n")) {
		f.Add(part)
	}
	f.Add([]byte("[[camera]]\nname = \"a\"\nsource = \"rtsp://u:hunter2@/x\"\nmodel = 7\n[[camera.rule]]\nhold = -1"))
	f.Add([]byte("[mqtt]\nbroker = \"tcp://u:hunter2@h\"\nqueue_bytes = \"1e400B\""))
	f.Add([]byte("[[camera]]\nsource = \"/dev/video0?fps=1e309\"\nroi = [9223372036854775807]\ntrigger = \"interval:-1ns\""))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Parse("edged.toml", text, engines)
		err := c.file.Err()
		if err == nil {
			if c.MQTT.Broker != "" && c.Client().Validate() != nil {
				t.Errorf("the mqtt package refuses it: %v", c.Client().Validate())
			}
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !place.MatchString(line) {
				t.Errorf("a fault without a place: %q", line)
			}
		}
		if again := Parse("edged.toml", text, engines).file.Err(); again == nil || again.Error() != err.Error() {
			t.Errorf("first %v\nthen %v", err, again)
		}
		if bytes.Contains(text, []byte(":hunter2@")) && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is told: %v", err)
		}
	})
}

func TestEveryFaultOfABrokerIsTold(t *testing.T) {
	c := Parse("edged.toml", []byte(`[node]
name = "n"
[mqtt]
broker = "localhost:1883"
password_file = "nowhere"
cert = "x.pem"
queue_bytes = "1KiB"
spool_bytes = 7
max_payload = "100"
encoding = "gif"
[[camera]]
name = "a"
source = "test:belt"
model = "x.tflite"
`), engines)
	err := c.file.Err()
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{":4:1: broker", ":5:1: password file", ":6:1: cert and key", ":7:1: queue_bytes", ":8:1: spool_bytes", ":9:1: max_payload", ":10:1: mask encoding"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

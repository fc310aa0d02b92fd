//go:build tools

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged"
	"edged/capture/belt"
	"edged/mqtt/mqtttest"
)

const mqttPage = "../../docs/3-masks-over-mqtt.md"

// handbookNode runs edged as the handbook's examples call it: node line1, cam1
// continuous on a part of the frame, cam2 on triggers, on a belt that stands still.
func handbookNode(t *testing.T, broker string) {
	t.Helper()
	dir := t.TempDir()
	net := filepath.Join(dir, "dense.tflite")
	if code, _, errs := runEdged("rewrite", "../../train/nets/belt_valid.tflite", "-o", net, "--input", "200x240", "--output-stride", "2"); code != exitOK {
		t.Fatal(errs)
	}
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, fmt.Appendf(nil, `
[node]
name = "line1"
http = ""
[mqtt]
broker = %q
spool_dir = "state"
overlay = true
[[camera]]
name = "cam1"
source = %q
roi = [20, 10, 260, 220]
model = "dense.tflite"
engine = "fallback"
threads = 1
[[camera]]
name = "cam2"
source = %q
trigger = "mqtt"
model = "dense.tflite"
engine = "fallback"
threads = 1
`, broker, stillBelt, stillBelt))
	cmd, log := startEdged(t, "run", "-c", config)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("edged: %v\n%s", err, log)
		}
	})
}

// stillBelt shows one scene for ever, with new noise in every frame.
const stillBelt = "test:belt?size=320x240&speed=0&fps=10"

// The handbook's Python puts a mask where the frame shows what it says: against
// the belt's own truth, of a part of the frame, at output stride 2.
func TestHandbookPlacesMasks(t *testing.T) {
	broker := mqtttest.StartBroker(t)
	handbookNode(t, broker.URL())
	dir := t.TempDir()
	blocks, _ := splitPage(t, mqttPage)
	i := slices.IndexFunc(blocks, func(b *block) bool { return b.tag("file") == "place_mask.py" })
	if i < 0 {
		t.Fatalf("%s has no place_mask.py", mqttPage)
	}
	writeFile(t, filepath.Join(dir, "place_mask.py"), []byte(blocks[i].text))
	// Debian's python3 has Debian's paho, Pillow and numpy.
	cmd := exec.Command("timeout", "60", "/usr/bin/python3", "place_mask.py", "127.0.0.1", fmt.Sprint(broker.Port), "line1", "cam1")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("place_mask.py: %v\n%s", err, out)
	}
	classes := openGray(t, filepath.Join(dir, "classes.png"))
	if overlay := openImage(t, filepath.Join(dir, "overlay.png")); overlay.Bounds() != classes.Bounds() || classes.Bounds() != image.Rect(0, 0, 320, 240) {
		t.Fatalf("overlay %v, classes %v: want the frame's 320x240", overlay.Bounds(), classes.Bounds())
	}
	truth := truthOf(t, stillBelt)
	right, all := agreement(classes, truth, 0, 0)
	// The net's patch is 39 wide: of 240x200 it leaves 202x162 pixels.
	if want := 202 * 162; all < want*98/100 || all > want*102/100 {
		t.Errorf("the mask covers %d pixels of the frame, want about %d", all, want)
	}
	if right < all*98/100 {
		t.Errorf("%d of %d pixels have the class that the frame shows there", right, all)
	}
	// A pixel is half a step of the mask's grid: there the frame's noise has a word
	// too, of a pixel or ten in ten thousand.
	for _, off := range []image.Point{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {3, 0}, {-3, 0}, {0, 3}, {0, -3}} {
		noise := 0
		if max(off.X*off.X, off.Y*off.Y) == 1 {
			noise = all / 500
		}
		if moved, n := agreement(classes, truth, off.X, off.Y); moved*all >= (right+noise)*n {
			t.Errorf("moved by %v the mask fits as well: %d of %d, in place %d of %d", off, moved, n, right, all)
		}
	}
}

func truthOf(t *testing.T, source string) *edged.Mask {
	t.Helper()
	c, err := belt.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	var m edged.Mask
	scene.Truth(0, &m)
	return &m
}

// agreement counts the pixels that have a class, 255 is none, and those of them
// where the truth, moved by dx and dy, says the same.
func agreement(classes *image.Gray, truth *edged.Mask, dx, dy int) (right, all int) {
	for y := range truth.H {
		for x := range truth.W {
			class := classes.GrayAt(x, y).Y
			if tx, ty := x+dx, y+dy; class != 255 && tx >= 0 && ty >= 0 && tx < truth.W && ty < truth.H {
				all++
				if truth.Pix[ty*truth.Stride+tx] == class {
					right++
				}
			}
		}
	}
	return right, all
}

func openImage(t *testing.T, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

func openGray(t *testing.T, path string) *image.Gray {
	t.Helper()
	m, ok := openImage(t, path).(*image.Gray)
	if !ok {
		t.Fatalf("%s is no 8-bit grey picture", path)
	}
	return m
}

// heard is what is known of a topic from the messages that came on it.
type heard struct {
	qos      byte
	retained bool
}

// listener notes every topic, and checks every payload against its schema.
type listener struct {
	t      *testing.T
	client paho.Client

	mu     sync.Mutex
	topics map[string]heard
	faults []string
}

func listen(t *testing.T, broker *mqtttest.Broker) *listener {
	t.Helper()
	l := &listener{t: t, topics: map[string]heard{}}
	check := mqtttest.SchemaCheck(t)
	o := paho.NewClientOptions().AddBroker(broker.URL()).SetClientID(fmt.Sprint("listener", time.Now().UnixNano()))
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.topics[m.Topic()] = heard{m.Qos(), l.topics[m.Topic()].retained || m.Retained()}
		if strings.Contains(m.Topic(), "/request/") || strings.HasSuffix(m.Topic(), "/set") {
			return // our own
		}
		if err := check(m.Topic(), m.Payload()); err != nil {
			l.faults = append(l.faults, fmt.Sprintf("%s: %v", m.Topic(), err))
		}
	})
	l.client = paho.NewClient(o)
	l.await(l.client.Connect())
	l.await(l.client.Subscribe("edged/#", 1, nil))
	t.Cleanup(func() { l.client.Disconnect(0) })
	return l
}

func (l *listener) await(token paho.Token) {
	l.t.Helper()
	if !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		l.t.Fatalf("the broker does not answer: %v", token.Error())
	}
}

// until waits for a message on a topic.
func (l *listener) until(topic string) {
	l.t.Helper()
	mqtttest.Until(l.t, 60*time.Second, "a message on "+topic, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, ok := l.topics[topic]
		return ok
	})
}

// The page's examples of commands, as mosquitto_pub would send them, and what
// each brings about.
var handbookCommands = []struct{ topic, payload, brings string }{
	{"request/snapshot", `{"camera": "cam1"}`, "response/snapshot"},
	{"request/snapshot", `{"camera": "cam1", "topic": true}`, "cam1/snapshot"},
	{"request/reload", `{}`, "response/reload"},
	{"request/evidence", `{"camera": "cam1"}`, "response/evidence"}, // an error: none is kept
	{"request/promote", `{"camera": "cam1"}`, "response/promote"},   // an error: it has no shadow
	{"request/rollback", `{"camera": "cam1"}`, "response/rollback"},
	{"request/trigger", `{"transaction": "1", "camera": "cam2", "part_id": "A-4711"}`, "cam2/result"},
	{"cam1/zones/set", `[{"name": "left", "polygon": [[0, 0], [200, 0], [200, 240], [0, 240]]}]`, "cam1/zones/state"},
	{"cam2/enabled/set", "OFF", "cam2/enabled/state"},
	{"request/trigger", `{"camera": "cam2"}`, "cam2/event"}, // missed, since it is off
}

// Every topic of the page is there with the QoS and the retain flag that it
// tells, every topic that is there is on the page, and every payload fits its schema.
func TestHandbookKnowsEveryTopic(t *testing.T) {
	broker := mqtttest.StartBroker(t)
	l := listen(t, broker)
	handbookNode(t, broker.URL())
	for _, topic := range []string{"status", "info", "stats", "cam1/status", "cam1/result", "cam1/mask", "cam1/overlay"} {
		l.until("edged/line1/" + topic)
	}
	for _, c := range handbookCommands {
		l.await(l.client.Publish("edged/line1/"+c.topic, 1, false, c.payload))
		l.until("edged/line1/" + c.brings)
	}
	late := listen(t, broker) // hears what is retained
	for _, topic := range []string{"status", "info", "cam1/status", "cam2/enabled/state"} {
		late.until("edged/line1/" + topic)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	late.mu.Lock()
	defer late.mu.Unlock()
	for _, fault := range l.faults {
		t.Error(fault)
	}
	compareTopics(t, handbookTopics(t), l.topics, late.topics)
}

// row is a line of the page's tables: a topic of the node, and what it is told to be.
type row struct {
	pattern  *regexp.Regexp
	topic    string
	command  bool
	qos      string
	retained string
}

var topicRow = regexp.MustCompile("(?m)^\\| `<node>/([^`]*)` \\|(.*)\\|$")

func handbookTopics(t *testing.T) (rows []*row) {
	t.Helper()
	_, prose := splitPage(t, mqttPage)
	for _, m := range topicRow.FindAllStringSubmatch(prose, -1) {
		cells := strings.Split(m[2], "|")
		r := &row{topic: m[1], command: len(cells) == 2}
		if !r.command {
			r.qos, r.retained = strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		}
		pattern := strings.NewReplacer("<cam>", "cam[12]", "<command>", "[a-z]+").Replace(r.topic)
		r.pattern = regexp.MustCompile("^edged/line1/" + pattern + "$")
		rows = append(rows, r)
	}
	if len(rows) < 10 {
		t.Fatalf("%d topics on the page: this test looks at nothing", len(rows))
	}
	return rows
}

func compareTopics(t *testing.T, rows []*row, live, late map[string]heard) {
	t.Helper()
	known := map[string]bool{}
	for _, r := range rows {
		seen := false
		for topic, h := range live {
			if !r.pattern.MatchString(topic) {
				continue
			}
			seen, known[topic] = true, true
			if !r.command && (fmt.Sprint(h.qos) != r.qos || late[topic].retained != (r.retained == "yes")) {
				t.Errorf("%s came with QoS %d, retained %v; the page says QoS %s, retained %s", topic, h.qos, late[topic].retained, r.qos, r.retained)
			}
		}
		if !seen {
			t.Errorf("no message came on %s, which the page tells of", r.topic)
		}
	}
	for topic := range live {
		if !known[topic] {
			t.Errorf("the page does not tell of %s", topic)
		}
	}
}

// The commands that the page shows are those that the test sends.
func TestHandbookCommandsAreTried(t *testing.T) {
	shown := regexp.MustCompile(`mosquitto_pub -t edged/line1/(\S+) -m (?:'([^']*)'|(\S+))`)
	blocks, _ := splitPage(t, mqttPage)
	seen := 0
	for _, b := range blocks {
		for _, m := range shown.FindAllStringSubmatch(b.text, -1) {
			seen++
			payload := m[2] + m[3]
			if payload != "OFF" && payload != "ON" && !json.Valid([]byte(payload)) {
				t.Errorf("%s: %q is no JSON", m[1], payload)
			}
			if !slices.ContainsFunc(handbookCommands, func(c struct{ topic, payload, brings string }) bool {
				return c.topic == m[1] && c.payload == payload
			}) {
				t.Errorf("the page shows %s with %s, which handbookCommands lacks", m[1], payload)
			}
		}
	}
	if seen < 4 {
		t.Errorf("%d commands on the page: this test looks at nothing", seen)
	}
}

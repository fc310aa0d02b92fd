// Package daemontest holds what tests need around a daemon: a dense net to run
// and a subscriber that keeps what was published.
package daemontest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/internal/broker"
	"edged/model"
	"edged/mqtt"
	"edged/rewrite"
	"edged/train/nets"
)

// DenseNet is a bundled net rewritten for an input of h by w, manifest and all.
func DenseNet(name string, h, w int) ([]byte, error) {
	data, err := nets.Read(name)
	if err != nil {
		return nil, err
	}
	base, err := model.Read(data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	dense, err := rewrite.Rewrite(base, hex.EncodeToString(sum[:]), rewrite.Options{Input: [2]int{h, w}})
	if err != nil {
		return nil, err
	}
	return dense.Model.Write()
}

// DenseFile writes DenseNet into a folder as dense.tflite and returns its path.
func DenseFile(t testing.TB, dir, net string, h, w int) string {
	t.Helper()
	data, err := DenseNet(net, h, w)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "dense.tflite")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Broker starts one on a free port of the loopback, until the test ends.
func Broker(t testing.TB) *broker.Broker {
	t.Helper()
	b, err := broker.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Subscriber keeps every message below edged/ by its topic, in order.
type Subscriber struct {
	t      testing.TB
	client paho.Client

	mu  sync.Mutex
	got map[string][][]byte
}

// Subscribe connects to the broker at an address.
func Subscribe(t testing.TB, address string) *Subscriber {
	t.Helper()
	s := &Subscriber{t: t, got: map[string][][]byte{}}
	o := paho.NewClientOptions().AddBroker("tcp://" + address).SetClientID("test")
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		s.mu.Lock()
		s.got[m.Topic()] = append(s.got[m.Topic()], bytes.Clone(m.Payload()))
		s.mu.Unlock()
	})
	s.client = paho.NewClient(o)
	if token := s.client.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	if token := s.client.Subscribe("edged/#", 1, nil); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	return s
}

// Close disconnects; what was kept stays.
func (s *Subscriber) Close() { s.client.Disconnect(0) }

// Send publishes a message.
func (s *Subscriber) Send(topic, payload string) {
	if token := s.client.Publish(topic, 1, false, payload); token.WaitTimeout(10*time.Second) && token.Error() != nil {
		s.t.Fatal(token.Error())
	}
}

// Got lists the messages on a topic so far.
func (s *Subscriber) Got(topic string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[topic]
}

// patience is how long a test waits for a message.
const patience = 60 * time.Second

// Await waits for the first message on a topic that fits.
func Await[T any](s *Subscriber, topic string, fits func(*T) bool) *T {
	s.t.Helper()
	seen := 0
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		for list := s.Got(topic); seen < len(list); seen++ {
			var v T
			if err := json.Unmarshal(list[seen], &v); err != nil {
				s.t.Fatalf("%s: %v: %s", topic, err, list[seen])
			}
			if fits(&v) {
				return &v
			}
		}
	}
	s.t.Fatalf("%s: the message awaited did not come; there were %d", topic, seen)
	return nil
}

// AwaitText waits until the latest message on a topic is text.
func (s *Subscriber) AwaitText(topic, text string) {
	s.t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if list := s.Got(topic); len(list) > 0 && string(list[len(list)-1]) == text {
			return
		}
	}
	s.t.Fatalf("%s never said %q", topic, text)
}

// First returns the first n payloads of a topic, once they are there.
func (s *Subscriber) First(topic string, n int) [][]byte {
	s.t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if list := s.Got(topic); len(list) >= n {
			return list[:n]
		}
	}
	s.t.Fatalf("%s: fewer than %d messages", topic, n)
	return nil
}

// Request sends a command to node n and returns its answer. rest continues the
// JSON object behind the transaction.
func (s *Subscriber) Request(cmd, transaction, rest string) *mqtt.Response {
	s.t.Helper()
	s.AwaitText("edged/n/status", mqtt.Online) // from here on it listens
	s.Send("edged/n/request/"+cmd, fmt.Sprintf(`{"transaction": %q%s}`, transaction, rest))
	return Await(s, "edged/n/response/"+cmd, func(a *mqtt.Response) bool { return a.Transaction == transaction })
}

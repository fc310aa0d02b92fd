//go:build faults && brokers

package faults

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/internal/broker"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// site is a broker as a line has it: where the daemon connects, where everybody
// else does, and what befalls it in the middle of the day.
type site struct {
	daemon  string // URL
	port    int
	befalls func(*Rig)
}

// TestBrokers is one day at a line, the same with every broker: whatever it is,
// states stand, commands arrive, a death is told, and each number is accounted for
// at two subscribers, the recorder and Node-RED.
func TestBrokers(t *testing.T) {
	for _, b := range []struct {
		name  string
		start func(*testing.T) site
	}{{"mosquitto", mosquittoSite}, {"mochi", mochiSite}, {"aedes", aedesSite}, {"nats", natsSite}} {
		t.Run(b.name, func(t *testing.T) { day(t, b.start(t)) })
	}
}

func day(t *testing.T, s site) {
	r := NewRig(t, Setup{On: &mqtttest.Broker{Port: s.port}, URL: s.daemon, Later: true})
	red := StartNodeRED(t, s.port)
	r.Record()
	r.Daemon.Start()
	r.Await()
	r.toldAgain()
	r.obeys()
	r.Rec.Send("edged/n/status", mqtt.Offline)
	r.comes("the state to be put right", func() bool { return r.Rec.Last("edged/n/status") == mqtt.Online })
	r.Daemon.Kill()
	r.comes("the last will", func() bool { return r.Rec.Last("edged/n/status") == mqtt.Offline })
	r.Daemon.Start()
	r.Await()
	if s.befalls != nil {
		s.befalls(r)
	}
	time.Sleep(outage(10*time.Second, 2*time.Second)) // over a stats period
	r.arrives(s.befalls == nil)
	if s.befalls != nil {
		r.obeys() // what was refused was asked for again
	}
	r.Close()
	for _, b := range r.Rec.Audit(t) {
		if b.Excused > 0 && b.Kind != mqtt.KindMask {
			t.Errorf("%d %ss were acknowledged and lost", b.Excused, b.Kind)
		}
	}
	r.agrees(red)
}

// obeys sends the commands that people send.
func (r *Rig) obeys() {
	r.T.Helper()
	for _, word := range []string{"OFF", "ON"} {
		r.Rec.Send("edged/n/c0/enabled/set", word)
		status := map[string]string{"OFF": mqtt.Disabled, "ON": mqtt.Online}[word]
		r.comes(word, func() bool {
			return r.Rec.Last("edged/n/c0/enabled/state") == word && r.Rec.Last("edged/n/c0/status") == status
		})
	}
	r.Rec.Send("edged/n/request/reload", `{"transaction": "t1"}`)
	r.comes("an answer", func() bool { return strings.Contains(r.Rec.Last("edged/n/response/reload"), `"t1"`) })
	r.Await()
}

// arrives looks whether the daemon knows that what it publishes is delivered, after
// an undisturbed day without a doubt, and that nothing was taken for a breach of
// the protocol.
func (r *Rig) arrives(undisturbed bool) {
	r.T.Helper()
	var s mqtt.Stats
	mqtttest.Until(r.T, 2*time.Minute, "the daemon to know that it is heard", func() bool {
		s, _ = r.Rec.Stats()
		return s.Link.Arrives == mqtt.ArrivesYes
	})
	if s.Link.Twin != "" {
		r.T.Errorf("link %+v", s.Link)
	}
	texts := []string{"breaks the protocol", "another node", "is not watched any more"}
	if undisturbed {
		texts = append(texts, "does not deliver", "refuses subscriptions")
	}
	for _, text := range texts {
		if n := strings.Count(r.Daemon.Log(), text); n > 0 {
			r.T.Errorf("the log says %q %d times", text, n)
		}
	}
}

// agrees looks whether Node-RED has got what the recorder has.
func (r *Rig) agrees(red *NodeRED) {
	r.T.Helper()
	var results int
	final := r.Rec.Latest("c0").Seq
	mqtttest.Until(r.T, 20*time.Second, fmt.Sprintf("Node-RED to write result %d", final), func() bool {
		all := red.Heard(r.T)
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].Kind == "result" {
				return all[i].Seq >= final
			}
		}
		return false
	})
	kinds := map[string]int{}
	for _, h := range red.Heard(r.T) {
		kinds[h.Kind]++
	}
	if results = kinds["result"]; kinds["mask"] == 0 || kinds["event"] == 0 || results == 0 {
		r.T.Errorf("Node-RED has got %v", kinds)
	}
	if holes := Holes(red.Heard(r.T)); len(holes) > 0 {
		r.T.Errorf("Node-RED: %d holes, %q ...", len(holes), holes[:min(len(holes), 5)])
	}
	r.T.Logf("Node-RED has got %v", kinds)
}

func mosquittoSite(t *testing.T) site {
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	return site{daemon: b.URL(), port: b.Port}
}

func mochiSite(t *testing.T) site {
	b, err := broker.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	port, err := strconv.Atoi(b.Address[strings.LastIndex(b.Address, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	return site{daemon: "tcp://" + b.Address, port: port}
}

func aedesSite(t *testing.T) site {
	port := mqtttest.FreePort(t)
	StartProgram(t, "ready", "node", "brokers/aedes.mjs", filepath.Join(Deps(t), "brokers/aedes/node_modules"), fmt.Sprint(port))
	return site{daemon: fmt.Sprintf("tcp://127.0.0.1:%d", port), port: port}
}

// natsSite is a cluster of three behind one address, as a balancer gives it. The
// node that the daemon is connected to dies.
func natsSite(t *testing.T) site {
	var ports, routes [3]int
	for i := range ports {
		ports[i], routes[i] = mqtttest.FreePort(t), mqtttest.FreePort(t)
	}
	var nodes [3]*Program
	others := strings.Trim(strings.ReplaceAll(fmt.Sprint(routes), " ", ","), "[]")
	for i := range nodes {
		dir := t.TempDir()
		ready := "Starting"
		if i == len(nodes)-1 { // two of three are a quorum, so the first waits for others
			ready = "ready"
		}
		nodes[i] = StartProgram(t, ready, filepath.Join(Deps(t), "brokers/nats"), "-name", fmt.Sprint("n", i),
			"-mqtt", fmt.Sprint(ports[i]), "-cluster", fmt.Sprint(routes[i]), "-routes", others, "-dir", dir)
	}
	for _, p := range ports {
		takesSubscribers(t, p)
	}
	gate := NewGate(t)
	gate.Open(fmt.Sprintf("127.0.0.1:%d", ports[0]))
	return site{daemon: gate.URL(), port: ports[2], befalls: func(r *Rig) {
		r.rest()
		down := time.Now()
		gate.Turn(fmt.Sprintf("127.0.0.1:%d", ports[1]))
		nodes[0].Kill()
		r.Rec.BrokerDied()
		took := r.Rec.Resumes(r.T, "c0", down, 2*time.Minute)
		r.T.Logf("results again %v after a node of the cluster was killed", took.Round(time.Millisecond))
		r.Await()
	}}
}

// takesSubscribers waits until a node of a cluster that has just begun does.
func takesSubscribers(t *testing.T, port int) {
	t.Helper()
	mqtttest.Until(t, time.Minute, "the cluster to take subscribers", func() bool {
		o := paho.NewClientOptions().AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", port)).SetClientID("probe").SetProtocolVersion(4).SetAutoReconnect(false)
		c := paho.NewClient(o)
		if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			return false
		}
		defer c.Disconnect(50)
		tok := c.Subscribe("edged/#", 1, nil)
		return tok.WaitTimeout(10*time.Second) && tok.(*paho.SubscribeToken).Result()["edged/#"] == 1
	})
}

//go:build tools

package mqtt_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// retained is what the broker has kept of a topic, asked for anew by a client
// that is not ours.
func retained(t *testing.T, b *mqtttest.Broker, topic string) string {
	t.Helper()
	out, _ := exec.Command("mosquitto_sub", "-p", fmt.Sprint(b.Port), "-t", topic, "-C", "1", "-W", "1", "--retained-only").Output()
	return strings.TrimSpace(string(bytes.TrimSpace(out)))
}

// info is one that a daemon would give.
func info() mqtt.Info {
	return mqtt.Info{Version: "test", StartedAt: mqtt.Time{Time: time.Now()}, Cameras: []string{"cam"}, Classes: map[string][]string{"cam": {strings.Repeat("c", 400)}}}
}

// last is the latest that came on a topic.
func (k *catch) last(topic string) string {
	all := k.all()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Topic == topic {
			return string(all[i].Payload)
		}
	}
	return ""
}

func startNode(t *testing.T, cfg mqtt.Config, log *bytesLog) *rig {
	t.Helper()
	r := newRig(t, cfg, log)
	if err := r.c.Info(info()); err != nil {
		t.Fatal(err)
	}
	r.c.CameraStatus("cam", mqtt.Online)
	r.c.Enabled("cam", true)
	r.c.Start()
	connects(t, r.c, log)
	return r
}

// Whatever is written to the node's own topics, and however often, the last word
// is the node's.
func TestStatesArePutRight(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	log := &bytesLog{}
	r := startNode(t, quick(b.URL(), log), log)
	states := []string{"edged/n1/status", "edged/n1/info", "edged/n1/cam/status", "edged/n1/cam/enabled/state"}
	k := watch(t, b, "edged/n1/#")
	right := map[string]string{}
	mqtttest.Until(t, patience, "the states", func() bool {
		for _, s := range states {
			right[s] = k.last(s)
		}
		return right[states[0]] == "online" && right[states[2]] == "online" && right[states[3]] == "ON" && right[states[1]] != ""
	})
	s := sender(t, b)
	for name, writes := range map[string][]string{
		"once": {"offline"}, "twice": {"offline", "offline"}, "deleted": {""}, "junk": {"\x00\xff", "{"}, "a state of ours": {"disabled", "OFF"},
		"often": strings.Split(strings.Repeat("offline,", 30), ","),
	} {
		before := link(r).StatesCorrected
		for _, w := range writes {
			for _, topic := range states {
				send(t, s, topic, 1, true, w)
			}
			if len(writes) > 2 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		mqtttest.Until(t, patience, "all to be put right: "+name, func() bool {
			wrong := func(topic string) bool { return k.last(topic) != right[topic] }
			return link(r).StatesCorrected >= before+uint64(len(states)) && !slices.ContainsFunc(states, wrong)
		})
	}
	for _, topic := range states {
		if got := retained(t, b, topic); got != right[topic] {
			t.Errorf("the broker keeps %q of %s, not %q", got, topic, right[topic])
		}
	}
	if n := link(r).StatesCorrected; n > 200 {
		t.Errorf("%d corrections: a flood is answered word by word", n)
	}
	if l := link(r); l.Twin != "" || l.Arrives != mqtt.ArrivesYes {
		t.Errorf("%+v", l)
	}
	r.close()
}

// Two nodes of one name know each other, say so, and leave the topics alone;
// when one goes the other has them to itself again.
func TestTwoNodesOfOneName(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	var logs [2]bytesLog
	var nodes [2]*rig
	for i := range nodes {
		cfg := quick(b.URL(), &logs[i])
		cfg.ClientID = fmt.Sprint("node-", i)
		nodes[i] = startNode(t, cfg, &logs[i])
	}
	for i := range nodes {
		mqtttest.Until(t, patience, "both to know", func() bool {
			return logs[i].count("another node of the same name is connected") == 1 && link(nodes[i]).Twin != ""
		})
	}
	if a, b := link(nodes[0]).Twin, link(nodes[1]).Twin; a == b {
		t.Errorf("both name the run %s", a)
	}
	said := func() uint64 {
		return nodes[0].c.Ledger()[mqtt.KindState].Produced + nodes[1].c.Ledger()[mqtt.KindState].Produced
	}
	before := said()
	time.Sleep(1500 * time.Millisecond)
	if n := said() - before; n > 2 {
		t.Errorf("%d states in a second and a half: they fight", n)
	}
	nodes[0].close()
	mqtttest.Until(t, patience, "the other to stand alone", func() bool {
		return link(nodes[1]).Twin == "" && retained(t, b, "edged/n1/status") == mqtt.Online && retained(t, b, "edged/n1/cam/status") == mqtt.Online
	})
	nodes[1].close()
}

func TestBrokerWithoutRetain(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t, "retain_available false")
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	r := newRig(t, cfg, log)
	r.c.Start()
	mqtttest.Until(t, patience, "the cause to be said\n"+log.String(), func() bool {
		return log.count("the broker has no retained messages") == 1 && log.count("set mqtt.retain = false") == 1
	})
	r.closeSoon()
	if tried := mqtt.Try(context.Background(), cfg); tried.Err == nil || !strings.Contains(tried.Cure, "mqtt.retain = false") {
		t.Errorf("%+v", tried)
	}
	cfg.Retain = false
	if tried := mqtt.Try(context.Background(), cfg); tried.Err != nil || tried.Warnings != nil {
		t.Errorf("%+v", tried)
	}
	node := startNode(t, cfg, log)
	node.publish()
	late := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	mqtttest.Until(t, patience, "the states at a late subscriber", func() bool {
		return late.Last("edged/n1/status") == mqtt.Online && late.Last("edged/n1/info") != "" && late.Last("edged/n1/cam/enabled/state") == "ON"
	})
	if l := node.close(); l[mqtt.KindResult].Acknowledged != 1 {
		t.Errorf("%+v", l)
	}
	mqtttest.Until(t, patience, "offline", func() bool { return late.Last("edged/n1/status") == mqtt.Offline })
}

// A broker that acknowledges and discards is found out: by the size of messages,
// or because its access list lets nobody in.
func TestBrokerThatDiscards(t *testing.T) {
	mqtttest.NoLeaks(t)
	acl := write(t, filepath.Join(t.TempDir(), "acl"), "topic read #\ntopic write edged/n1/cam/result\n")
	for name, c := range map[string]struct{ line, warning, cure string }{
		"sizes": {"message_size_limit 300", "bytes do not arrive, those of 256 do", "raise the broker's limit"},
		"acl":   {"acl_file " + acl, "edged/n1/status did not come back", "access list"},
	} {
		t.Run(name, func(t *testing.T) {
			b := mqtttest.StartBroker(t, c.line)
			log := &bytesLog{}
			cfg := quick(b.URL(), log)
			r := startNode(t, cfg, log)
			mqtttest.Until(t, patience, "it to be said\n"+log.String(), func() bool {
				return log.count("acknowledges what this node publishes and does not deliver it") == 1 && link(r).Arrives == mqtt.ArrivesNo
			})
			r.close()
			tried := mqtt.Try(context.Background(), cfg)
			if tried.Err != nil || len(tried.Warnings) != 1 || !strings.Contains(tried.Warnings[0].Text, c.warning) || !strings.Contains(tried.Warnings[0].Cure, c.cure) {
				t.Errorf("%+v", tried)
			}
		})
	}
}

// One that discards a camera's masks alone, for their topic or their size, and one
// that discards its results, is found out too; and what arrives is not doubted.
func TestBrokerThatDiscardsSome(t *testing.T) {
	mqtttest.NoLeaks(t)
	acl := write(t, filepath.Join(t.TempDir(), "acl"), "topic readwrite edged/n1/#\ntopic deny edged/n1/cam/mask\n")
	noResults := write(t, filepath.Join(t.TempDir(), "acl"), "topic readwrite edged/n1/#\ntopic deny edged/n1/cam/result\n")
	for name, c := range map[string]struct{ line, topic string }{
		"masks": {"acl_file " + acl, "edged/n1/cam/mask"}, "large": {"message_size_limit 3000", "edged/n1/cam/mask"},
		"results": {"acl_file " + noResults, "edged/n1/cam/result"}, "none": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mqtttest.StartBroker(t, c.line)
			log := &bytesLog{}
			r := startNode(t, quick(b.URL(), log), log)
			r.load(50 * time.Millisecond)
			if c.topic == "" {
				mqtttest.Until(t, patience, "every topic to be looked at", func() bool { return r.c.Probed() == 3 })
			} else {
				mqtttest.Until(t, patience, "it to be said\n"+log.String(), func() bool { return link(r).Arrives == mqtt.ArrivesNo })
			}
			r.close()
			said := log.count("acknowledges what this node publishes and does not deliver it")
			if want := min(1, len(c.topic)); said != want || log.count("topics=["+c.topic+"]") != want || link(r).Connections != 1 {
				t.Errorf("said %d times\n%s", said, log)
			}
		})
	}
}

// Each way in which a broker keeps the daemon out has a cure of its own.
func TestTryNamesTheCure(t *testing.T) {
	mqtttest.NoLeaks(t)
	ca := mqtttest.NewAuthority(t, t.TempDir())
	cert, key := ca.SignName("127.0.0.1", time.Now().Add(time.Hour))
	named := mqtttest.StartBroker(t, "certfile "+cert, "keyfile "+key)
	prefixed := mqtttest.StartBroker(t, "clientid_prefixes line-")
	for name, c := range map[string]struct {
		url    string
		change func(*mqtt.Config)
		says   string
		cure   string
	}{
		"CN alone":    {"ssl://" + named.Addr(), func(c *mqtt.Config) { c.CA = ca.File }, "names its host in CN alone", "subjectAltName"},
		"prefix":      {prefixed.URL(), nil, "or this client", "set client_id"},
		"prefix kept": {prefixed.URL(), func(c *mqtt.Config) { c.ClientID = "line-7" }, "", ""},
		"MQTT 5":      {mqtttest.NewFake(t, "connack-mqtt5").URL(), nil, "does not speak MQTT 3.1.1", "edged does not speak MQTT 5"},
		"code 1":      {mqtttest.NewFake(t, "connack-code-1").URL(), nil, "does not speak MQTT 3.1.1", "edged does not speak MQTT 5"},
		"code 2":      {mqtttest.NewFake(t, "connack-code-2").URL(), nil, "refuses the client id", "set client_id"},
		"code 3":      {mqtttest.NewFake(t, "connack-code-3").URL(), nil, "not available at present", "look at the broker"},
		"code 4":      {mqtttest.NewFake(t, "connack-code-4").URL(), nil, "refuses user or password", "password_file"},
		"no broker":   {mqtttest.NewFake(t, "connack-http").URL(), nil, "no MQTT 3.1.1 broker", "host and port"},
		"readers":     {mqtttest.NewFake(t, "suback-refused").URL(), nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := quick(c.url, &bytesLog{})
			if c.change != nil {
				c.change(&cfg)
			}
			tried := mqtt.Try(context.Background(), cfg)
			if (tried.Err != nil) != (c.says != "") || tried.Err != nil && !strings.Contains(tried.Err.Error(), c.says) || !strings.Contains(tried.Cure, c.cure) {
				t.Errorf("%+v", tried)
			}
			if name == "readers" && (len(tried.Warnings) == 0 || !strings.Contains(tried.Warnings[0].Text, "refuses to let this user read edged/n1/+/enabled/set")) {
				t.Errorf("%+v", tried)
			}
		})
	}
}

// A hole at the end of a sequence is told without anything that follows it.
func TestGapAtTheEnd(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	cfg.MaxPayload = 2 << 10
	r := newRig(t, cfg, log)
	r.c.Start()
	connects(t, r.c, log)
	r.publish()
	r.mask = noisy(2000, 1500) // no form of it fits
	r.publish()
	mqtttest.Until(t, patience, "the hole to be told\n"+log.String(), func() bool { return a.Reported("cam", mqtt.KindMask)[mqtt.ReasonPayload] > 0 })
	r.close()
}

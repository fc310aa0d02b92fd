package mqtt_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"edged/mqtt"
)

func TestValidate(t *testing.T) {
	good := mqtt.Default()
	good.Node, good.Broker = "n1", "tcp://localhost"
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*mqtt.Config){
		`node`:                 func(c *mqtt.Config) { c.Node = "status" },
		`use a to z`:           func(c *mqtt.Config) { c.Node = "Line 1" },
		`slashes`:              func(c *mqtt.Config) { c.Prefix = "a/b/c/d/e" },
		`prefix`:               func(c *mqtt.Config) { c.Prefix = "a//b" },
		`is no address`:        func(c *mqtt.Config) { c.Broker = "localhost" },
		`scheme "ws"`:          func(c *mqtt.Config) { c.Broker = "ws://localhost" },
		`move them to`:         func(c *mqtt.Config) { c.Broker = "tcp://u:hunter2@localhost" },
		`"***@localhost" is`:   func(c *mqtt.Config) { c.Broker = "u:hunter2@localhost" },
		`cert and key`:         func(c *mqtt.Config) { c.Cert = "x" },
		`does not speak TLS`:   func(c *mqtt.Config) { c.CA = "x" },
		`no such file`:         func(c *mqtt.Config) { c.PasswordFile = "/nonexistent" },
		`max_payload`:          func(c *mqtt.Config) { c.MaxPayload = 100 },
		`queue_bytes`:          func(c *mqtt.Config) { c.QueueBytes = 1000 },
		`mask encoding "jpeg"`: func(c *mqtt.Config) { c.Encoding = "jpeg" },
		`keep-alive`:           func(c *mqtt.Config) { c.KeepAlive = 1500 * time.Millisecond },
	} {
		c := good
		change(&c)
		err := c.Validate()
		if want == "node" {
			want = `is a topic of edged itself`
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got: %v", want, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

// A client that was never started closes at once, and keeps its events.
func TestCloseWithoutStart(t *testing.T) {
	cfg := mqtt.Default()
	cfg.Node, cfg.Broker, cfg.SpoolDir = "n1", "tcp://localhost", t.TempDir()
	for run := range 2 {
		c, err := mqtt.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Ledger()[mqtt.KindEvent].InFlight; got != uint64(run) {
			t.Errorf("run %d begins with %d events", run, got)
		}
		if err := c.Event("cam", mqtt.Event{Kind: mqtt.EventFault}); err != nil {
			t.Fatal(err)
		}
		if err := c.Publish("cam", &mqtt.Result{Seq: 1}, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		for k, a := range c.Ledger() {
			if !a.Balanced() || k != mqtt.KindEvent && a.InFlight != 0 {
				t.Errorf("%s: %+v", k, a)
			}
		}
		if err := c.Close(context.Background()); err == nil {
			t.Error("closed twice")
		}
	}
}

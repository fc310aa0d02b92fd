package mqtt_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

func testConfig(b *mqtttest.Broker) mqtt.Config {
	c := mqtt.Default()
	c.Node, c.Broker = "n1", b.URL()
	c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c
}

func TestSmoke(t *testing.T) {
	b := mqtttest.StartBroker(t)
	sub := exec.Command("mosquitto_sub", "-p", fmt.Sprint(b.Port), "-t", "#", "-F", "%r %q %t %l", "-W", "5")
	var out strings.Builder
	sub.Stdout = &out
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	c, err := mqtt.New(testConfig(b))
	if err != nil {
		t.Fatal(err)
	}
	c.Start()
	c.CameraStatus("cam", mqtt.Online)
	m := &edged.Mask{Pix: make([]byte, 640*480), Stride: 640, W: 640, H: 480, Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	for i := range 20 {
		if err := c.Publish("cam", &mqtt.Result{Seq: uint64(i + 1), TS: mqtt.Time{Time: time.Now()}}, m); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.Event("cam", mqtt.Event{Kind: mqtt.EventFault, Message: "hello"})
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
	sub.Wait()
	t.Log(out.String())
	t.Logf("%+v", c.Ledger())
	for k, a := range c.Ledger() {
		if !a.Balanced() || a.InFlight != 0 {
			t.Errorf("%s: %+v", k, a)
		}
	}
}

//go:build tools && tflite

package faults

import (
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// back is how soon results must come after a fault that lasts for fault: 2
// seconds and the pause between two attempts to connect, which has at most
// doubled up to the fault's length, is stretched by half, and ends at 30.
func back(fault time.Duration) time.Duration {
	return 2*time.Second + min(30*time.Second, max(3*time.Second, 3*fault))
}

func TestBrokerKilled(t *testing.T) {
	b := steady(t)
	d := newDaemon(t, b.URL())
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	d.start()
	d.resumes(a, 20*time.Second)
	for range rounds() {
		b.Kill()
		time.Sleep(time.Second)
		b.Start() // without persistence: everything retained is gone
		d.resumes(a, back(time.Second))
		fresh := mqtttest.NewAuditor(t, b.Addr(), nil)
		mqtttest.Until(t, 5*time.Second, "everything retained", func() bool {
			return fresh.Last("edged/n1/status") == mqtt.Online && fresh.Last("edged/n1/cam/status") == mqtt.Online &&
				fresh.Last("edged/n1/cam/enabled/state") == "ON" && fresh.Last("edged/n1/info") != ""
		})
	}
	d.stop()
}

// The connection breaks while the broker, and with it the auditor's session,
// lives: the subscriber must be able to account for everything.
func TestConnectionCut(t *testing.T) {
	b := steady(t)
	p := mqtttest.NewProxy(t, b.Addr())
	d := newDaemon(t, p.URL())
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	d.start()
	d.resumes(a, 20*time.Second)
	for range rounds() {
		p.Cut()
		d.resumes(a, back(0))
		p.Hole()
		time.Sleep(fault(3*time.Second, 20*time.Second))
		p.Heal()
		d.resumes(a, back(20*time.Second))
	}
	d.stop()
	agrees(t, a)
}

// fault is how long a fault lasts in the short and in the long form.
func fault(short, long time.Duration) time.Duration {
	if full() {
		return long
	}
	return short
}

func TestBrokerFrozen(t *testing.T) {
	b := steady(t)
	d := newDaemon(t, b.URL())
	a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
	d.start()
	d.resumes(a, 20*time.Second)
	for range rounds() {
		b.Freeze()
		time.Sleep(fault(2*time.Second, 20*time.Second))
		b.Thaw()
		d.resumes(a, back(10*time.Second))
	}
	d.stop()
	agrees(t, a)
}

func TestBrokerAbsentAtStart(t *testing.T) {
	for range rounds() {
		b := mqtttest.NewBroker(t, "max_queued_messages 0")
		d := newDaemon(t, b.URL())
		d.start()
		time.Sleep(3 * time.Second)
		b.Start()
		a := mqtttest.NewAuditor(t, b.Addr(), mqtttest.SchemaCheck(t))
		d.resumes(a, back(3*time.Second))
		d.stop()
	}
}

//go:build faults

package faults

import (
	"testing"

	"edged/capture/cameratest"
)

// gigeSource is aravis' fake camera, but for its height.
const gigeSource = "gige:EDGED1?PixelFormat=Mono8&Width=128"

// withoutRawSockets starts a daemon that has no packet sockets, which see nothing on
// the loopback interface and which aravis prefers.
var withoutRawSockets = []string{"setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"}

// A GigE Vision camera that loses its power and comes back, and the ledger.
func TestGigEGone(t *testing.T) {
	camera := cameratest.StartGigE(t, "EDGED1")
	r := NewRig(t, Setup{Sources: []string{gigeSource + "&Height=96", Belt}, Wrap: withoutRawSockets})
	r.Settle()
	for range Rounds() {
		other := r.Rec.Latest("c1").Seq
		camera.Kill()
		r.goesOffline(60e9)
		camera = cameratest.StartGigE(t, "EDGED1")
		r.Await()
		if r.Rec.Latest("c1").Seq == other {
			t.Error("the other camera stood still")
		}
	}
	r.Returned()
	r.Close()
}

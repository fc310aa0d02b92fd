//go:build faults

package faults

import (
	"os"
	"testing"

	"edged/capture/cameratest"
)

// TestMain lets the test binary be an RTSP server, or the
// launcher of a daemon with a clock of its own, in another process.
func TestMain(m *testing.M) {
	cameratest.Main()
	clockMain()
	os.Exit(m.Run())
}

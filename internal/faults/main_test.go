//go:build faults

package faults

import (
	"os"
	"testing"

	"edged/capture/cameratest"
)

// TestMain lets the test binary be an RTSP server in a process of its own.
func TestMain(m *testing.M) {
	cameratest.Main()
	os.Exit(m.Run())
}

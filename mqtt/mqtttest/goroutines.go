package mqtttest

import (
	"testing"

	"go.uber.org/goleak"
)

// NoLeaks fails the test when it leaves goroutines behind. Call it first, so
// that it looks last.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

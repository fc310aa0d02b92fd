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
	// The client library holds a call on a link that ended under it until its write
	// time-out: ten seconds, and one call a link.
	held := []goleak.Option{
		before, goleak.IgnoreAnyFunction("github.com/eclipse/paho%2emqtt%2egolang.(*client).Publish"),
		goleak.IgnoreAnyFunction("github.com/eclipse/paho%2emqtt%2egolang.(*client).SubscribeMultiple"),
		goleak.IgnoreAnyFunction("github.com/eclipse/paho%2emqtt%2egolang.(*client).Unsubscribe"),
	}
	t.Cleanup(func() { goleak.VerifyNone(t, held...) })
}

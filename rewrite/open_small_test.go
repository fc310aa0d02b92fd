package rewrite

import (
	"strings"
	"testing"
)

// TestPlaceholderTooSmall: a net without padding holds no window at the one pixel
// that converters write for an open size, and is none the worse for it.
func TestPlaceholderTooSmall(t *testing.T) {
	a := Analyse(opened(validNet(24, 24)))
	if why := a.Why[0]; !strings.Contains(why, "place-holder") || !strings.Contains(why, "--input HxW") || strings.Contains(why, "convert") {
		t.Errorf("%q", why)
	}
}

package config

import (
	"strings"
	"testing"
)

func TestNodeOf(t *testing.T) {
	for host, want := range map[string]string{
		"line1": "line1", "Line1.Plant.Example": "line1", "press-07.local": "press-07", " a_b\n": "a_b",
		"": "", "localhost": "", "LOCALHOST.localdomain": "", "(none)": "", "none": "", "192.168.1.5": "", "fe80::1": "",
		"linie-ä": "", "my board": "", ".hidden": "", "response": "", strings.Repeat("a", 65): "",
	} {
		if got := nodeOf(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	if err := noName("localhost"); !strings.Contains(err.Error(), `"localhost"`) || !strings.Contains(err.Error(), "name = ") {
		t.Error(err)
	}
}

// A host without a name of its own is no reason to share one.
func TestANodeWithoutANameIsRefused(t *testing.T) {
	c := Default()
	c.Node.Name = ""
	c.Cameras = []Camera{{Name: "c", Source: "test:belt", Model: "m"}}
	c.Cameras[0].WithDefaults()
	if err := c.Check("x", engines); err == nil || !strings.Contains(err.Error(), "node.name is missing") {
		t.Errorf("taken: %v", err)
	}
}

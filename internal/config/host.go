package config

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"edged/internal/fault"
	"edged/mqtt"
)

// anybodys are host names that say nothing of a machine: two boards that both took
// one as their node's name would write over each other's topics.
var anybodys = []string{"localhost", "localhost4", "localhost6", "none"}

// nodeOf is the node's name that a host's gives: its first label. It is empty where
// that is no id, or is one that many machines have.
func nodeOf(host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	label, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(host)), ".")
	if mqtt.CheckID(label) != nil || slices.Contains(anybodys, label) {
		return ""
	}
	return label
}

// hostName is the machine's, empty where the system does not tell.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}

// checkName looks at the node's name, which is the host's unless the file gives one.
func (c *Config) checkName() {
	if c.Node.Name == "" && !c.file.Has("node.name") {
		c.file.Addf("node.name", "%v", noName(hostName()))
		return
	}
	for _, f := range fault.All(mqtt.CheckID(c.Node.Name)) {
		c.file.Addf("node.name", "node.name: %v", f.Problem)
	}
}

// noName says that a host's name is none for a node.
func noName(host string) error {
	return fmt.Errorf("node.name is missing, and the host's name %q does not serve: a node needs an id that no other has, of a to z, 0 to 9, _ and -; give it, for example name = \"line1\"", host)
}

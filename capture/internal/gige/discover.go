package gige

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"
)

// Found is a camera that answers on the network.
type Found struct {
	Vendor, Model, Serial, User string
	Address                     string
}

func (f Found) String() string {
	return fmt.Sprintf("%s-%s (%s, %s)", f.Vendor, f.Serial, f.Model, f.Address)
}

// port is where GigE Vision cameras listen for commands (GVCP).
const port = 3956

// Where a discovery's answer has what, from its 8 bytes of head on: the camera's
// first registers.
const (
	headBytes = 8
	atAddress = headBytes + 0x24
	atVendor  = headBytes + 0x48
	atModel   = headBytes + 0x68
	atSerial  = headBytes + 0xd8
	atUser    = headBytes + 0xe8
	allBytes  = headBytes + 0xf8
)

// most bounds how many cameras are listed.
const most = 64

// Discover asks every network of this machine for cameras, and host for itself
// unless it is empty, and collects what answers within wait.
func Discover(host string, wait time.Duration) (all []Found) {
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return nil
	}
	defer c.Close()
	ask := []byte{0x42, 0x11, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01} // key, flags, DISCOVERY_CMD, no payload, its number
	for _, ip := range networks(host) {
		_, _ = c.WriteToUDP(ask, &net.UDPAddr{IP: ip, Port: port}) // a network that is down has no cameras
	}
	_ = c.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, 1024)
	for len(all) < most {
		n, _, err := c.ReadFromUDP(b)
		if err != nil {
			return all
		}
		if f, ok := parseAnswer(b[:n]); ok && !seen(all, f) {
			all = append(all, f)
		}
	}
	return all
}

func seen(all []Found, f Found) bool {
	for _, other := range all {
		if other == f {
			return true
		}
	}
	return false
}

// networks are the broadcast addresses of this machine's networks.
func networks(host string) (all []net.IP) {
	if ip := net.ParseIP(host).To4(); ip != nil {
		all = append(all, ip)
	}
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil {
			continue
		}
		ip, mask := n.IP.To4(), net.IP(n.Mask).To4()
		if ip.IsLoopback() || mask == nil {
			all = append(all, ip)
			continue
		}
		broadcast := make(net.IP, 4)
		for i := range broadcast {
			broadcast[i] = ip[i] | ^mask[i]
		}
		all = append(all, broadcast)
	}
	return all
}

// parseAnswer reads a camera's answer to a discovery.
func parseAnswer(b []byte) (f Found, ok bool) {
	if len(b) < allBytes || b[0] != 0 || b[1] != 0 || b[2] != 0 || b[3] != 3 { // no error, DISCOVERY_ACK
		return f, false
	}
	text := func(at, n int) string {
		s, _, _ := bytes.Cut(b[at:at+n], []byte{0})
		return strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, string(s))
	}
	return Found{
		Vendor: text(atVendor, 32), Model: text(atModel, 32), Serial: text(atSerial, 16), User: text(atUser, 16),
		Address: net.IP(b[atAddress : atAddress+4]).String(),
	}, true
}

// Address is where the camera with this serial number or name is, among those
// found; empty: none has it, or several.
func Address(all []Found, name string) (address string) {
	for _, f := range all {
		if f.Serial != name && f.User != name {
			continue
		}
		if address != "" {
			return ""
		}
		address = f.Address
	}
	return address
}

// Missing says that a camera is not there, and which are.
func Missing(name string, all []Found) string {
	if len(all) == 0 {
		return fmt.Sprintf("no GigE camera %q: none answers at all: is it powered, on this machine's network, and UDP port %d not blocked?", name, port)
	}
	var list []string
	for _, f := range all {
		list = append(list, f.String())
	}
	return fmt.Sprintf("no GigE camera %q; present: %s", name, strings.Join(list, ", "))
}

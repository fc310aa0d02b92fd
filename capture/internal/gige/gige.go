// Package gige reads sources like gige:NAME?Height=64&TriggerMode=On: a GigE Vision
// camera, which the worker reads through libaravis.
package gige

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Prefix is what such a source begins with.
const Prefix = "gige:"

// Is tells whether a source is a GigE Vision camera.
func Is(source string) bool {
	return len(source) >= len(Prefix) && strings.EqualFold(source[:len(Prefix)], Prefix)
}

// Camera is what a source says.
type Camera struct {
	Name       string // the camera's name, serial number or address
	Features   string // what its GenICam features are set to, as libaravis reads them
	PacketSize string // bytes; empty: what the network takes
	Pixels     string // PixelFormat; empty: the camera's own
	Commands   bool   // a picture comes for each command TriggerSoftware
}

var (
	names   = regexp.MustCompile(`^[\w.:-][\w .:-]*$`)
	feature = regexp.MustCompile(`^[A-Z]\w*$`)
	value   = regexp.MustCompile(`^[\w.+-]+$`)
	packet  = regexp.MustCompile(`^\d{3,5}$`)
)

// Parse reads a source. Its error tells what is wrong and how it is written.
func Parse(source string) (c Camera, err error) {
	name, query, _ := strings.Cut(source[min(len(Prefix), len(source)):], "?")
	if !names.MatchString(name) {
		return c, fmt.Errorf("GigE camera %q: give its name, serial number or address, for example gige:Basler-21234567 or gige:192.168.1.20", name)
	}
	c.Name = name
	if query == "" {
		return c, nil
	}
	set := map[string]string{}
	var features []string
	for _, part := range strings.Split(query, "&") {
		key, v, ok := strings.Cut(part, "=")
		_, twice := set[key]
		switch set[key] = v; {
		case !ok || !value.MatchString(v):
			return c, fmt.Errorf("GigE option %q: write FEATURE=VALUE", part)
		case twice:
			return c, fmt.Errorf("GigE option %q is there twice", key)
		case key == "packet-size" && packet.MatchString(v):
			c.PacketSize = v
		case key == "packet-size":
			return c, fmt.Errorf("GigE option packet-size=%s: use bytes, for example 1400, or 9000 with jumbo frames", v)
		case key == "PixelFormat" && slices.Contains(pixels(), v):
			c.Pixels = v
		case key == "PixelFormat":
			return c, fmt.Errorf("GigE PixelFormat %q: use %s", v, Formats())
		case feature.MatchString(key):
			features = append(features, part)
		default:
			return c, fmt.Errorf("GigE option %q: use packet-size, or a feature as the camera's manual spells it, for example Height=64", key)
		}
	}
	c.Features = strings.Join(features, " ")
	c.Commands = set["TriggerSource"] == "Software"
	if c.Commands && set["TriggerMode"] != "On" {
		return c, fmt.Errorf("GigE option TriggerSource=Software: without TriggerMode=On the camera takes pictures by itself: add it, or take TriggerSource away")
	}
	return c, nil
}

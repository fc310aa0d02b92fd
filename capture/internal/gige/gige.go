// Package gige reads sources like gige:NAME?Height=64&TriggerMode=On: a GigE Vision
// camera behind GStreamer's aravissrc.
package gige

import (
	"fmt"
	"regexp"
	"strings"
)

// Prefix is what such a source begins with.
const Prefix = "gige:"

// Camera is what a source says.
type Camera struct {
	Name       string // the camera's name, serial number or address
	Features   string // what its GenICam features are set to, for aravissrc
	PacketSize string // bytes; empty: what the network card takes
	Pixels     string // PixelFormat

	size string // of its pictures, for caps
}

var (
	names    = regexp.MustCompile(`^[\w.:-][\w .:-]*$`)
	feature  = regexp.MustCompile(`^[A-Z]\w*$`)
	value    = regexp.MustCompile(`^[\w.+-]+$`)
	number   = regexp.MustCompile(`^\d{1,5}$`)
	packet   = regexp.MustCompile(`^\d{3,5}$`)
	mosaic   = regexp.MustCompile(`^Bayer(RG|BG|GR|GB)8$`)
	patterns = map[string]string{"RG": "rggb", "BG": "bggr", "GR": "grbg", "GB": "gbrg"}
)

// Parse reads a source. Its error tells what is wrong and how it is written.
func Parse(source string) (c Camera, err error) {
	name, query, _ := strings.Cut(strings.TrimPrefix(source, Prefix), "?")
	if !names.MatchString(name) {
		return c, fmt.Errorf("GigE camera %q: give its name, serial number or address, for example gige:Basler-21234567 or gige:192.168.1.20", name)
	}
	c.Name = name
	var set []string
	for _, part := range strings.Split(query, "&") {
		key, v, ok := strings.Cut(part, "=")
		switch {
		case query == "":
		case !ok || !value.MatchString(v):
			return c, fmt.Errorf("GigE option %q: write FEATURE=VALUE", part)
		case key == "packet-size":
			if !packet.MatchString(v) {
				return c, fmt.Errorf("GigE option packet-size=%s: use bytes, for example 1400, or 9000 with jumbo frames", v)
			}
			c.PacketSize = v
		case key == "TriggerSource" && strings.EqualFold(v, "Software"):
			return c, fmt.Errorf("GigE option TriggerSource=Software: no picture would ever come, since aravissrc cannot send the command TriggerSoftware; use the camera's line, for example TriggerSource=Line1 and trigger = \"camera\", or let the camera run freely and take pictures with trigger = \"mqtt\" or \"interval:1s\"")
		case key == "PixelFormat":
			c.Pixels = v
		case (key == "Width" || key == "Height") && number.MatchString(v):
			c.size += "," + strings.ToLower(key) + "=" + v // aravissrc sets them as it agrees on caps
			set = append(set, key+"="+v)
		case feature.MatchString(key):
			set = append(set, key+"="+v)
		default:
			return c, fmt.Errorf("GigE option %q: use packet-size, or a feature as the camera's manual spells it, for example Height=64", key)
		}
	}
	c.Features = strings.Join(set, " ")
	_, err = c.caps()
	return c, err
}

// caps are what aravissrc is asked for, which chooses the camera's PixelFormat.
func (c *Camera) caps() (string, error) {
	if m := mosaic.FindStringSubmatch(c.Pixels); m != nil {
		return "video/x-bayer,format=" + patterns[m[1]], nil
	}
	switch c.Pixels {
	case "":
		return "video/x-raw", nil
	case "Mono8":
		return "video/x-raw,format=GRAY8", nil
	case "Mono10", "Mono12", "Mono14", "Mono16":
		return "video/x-raw,format=GRAY16_LE", nil
	case "RGB8", "RGB8Packed":
		return "video/x-raw,format=RGB", nil
	case "BGR8", "BGR8Packed":
		return "video/x-raw,format=BGR", nil
	case "YUV422Packed":
		return "video/x-raw,format=UYVY", nil
	}
	return "", fmt.Errorf("GigE PixelFormat %q: use Mono8, Mono10, Mono12, Mono14, Mono16, BayerRG8 (GR, GB, BG), RGB8, BGR8 or YUV422Packed", c.Pixels)
}

// Bits is how many bits of a pixel its format says carry the picture, over 8.
func (c *Camera) Bits() int {
	bits := map[string]int{"Mono10": 10, "Mono12": 12, "Mono14": 14, "Mono16": 16}
	return bits[c.Pixels]
}

// Pipeline is GStreamer's text for the camera, without its end.
func (c *Camera) Pipeline() string {
	text := fmt.Sprintf(`aravissrc camera-name="%s"`, c.Name)
	if c.PacketSize != "" {
		text += " packet-size=" + c.PacketSize
	} else {
		text += " auto-packet-size=true"
	}
	if c.Features != "" {
		text += fmt.Sprintf(` features="%s"`, c.Features)
	}
	caps, _ := c.caps()
	return text + " ! " + caps + c.size
}

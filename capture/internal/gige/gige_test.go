package gige

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for source, want := range map[string]string{
		"gige:GV01": `aravissrc camera-name="GV01" auto-packet-size=true ! video/x-raw`,
		"gige:192.168.1.20?Height=64&TriggerMode=On&packet-size=1400": `aravissrc camera-name="192.168.1.20" packet-size=1400 features="Height=64 TriggerMode=On" ! video/x-raw,height=64`,
		"gige:A Cam-7?PixelFormat=BayerGB8":                           `aravissrc camera-name="A Cam-7" auto-packet-size=true ! video/x-bayer,format=gbrg`,
		"gige:x?PixelFormat=Mono12":                                   `aravissrc camera-name="x" auto-packet-size=true ! video/x-raw,format=GRAY16_LE`,
	} {
		c, err := Parse(source)
		if err != nil || c.Pipeline() != want {
			t.Errorf("%s: %s, %v", source, c.Pipeline(), err)
		}
	}
	for _, source := range []string{
		"gige:", `gige:x" ! filesrc location="/etc/passwd`, "gige:x ! fakesink", "gige:x?Height", "gige:x?Height=1 Width=2", `gige:x?Height="1`,
		"gige:x?height=64", "gige:x?packet-size=big", "gige:x?PixelFormat=Mono12Packed", "gige:x?&", "gige:?Height=64", "gige:x?TriggerMode=On&TriggerSource=Software", "gige: x",
	} {
		if c, err := Parse(source); err == nil {
			t.Errorf("%q is taken: %s", source, c.Pipeline())
		}
	}
	if c, _ := Parse("gige:x?PixelFormat=Mono12"); c.Bits() != 12 {
		t.Errorf("Mono12 has %d bits", c.Bits())
	}
}

// answer is what a camera says to a discovery.
func answer() []byte {
	b := make([]byte, allBytes)
	b[3] = 3
	copy(b[atVendor:], "Acme")
	copy(b[atModel:], "M\x01-5")
	copy(b[atSerial:], "0123456789abcdef") // all of the field
	copy(b[atUser:], "line1")
	copy(b[atAddress:], []byte{192, 168, 1, 20})
	return b
}

func TestAnswers(t *testing.T) {
	f, ok := parseAnswer(answer())
	if want := (Found{"Acme", "M-5", "0123456789abcdef", "line1", "192.168.1.20"}); !ok || f != want {
		t.Errorf("%+v", f)
	}
	all := []Found{f, {Vendor: "Acme", Serial: "7", User: "line1", Address: "192.168.1.21"}}
	if Address(all, "7") != "192.168.1.21" || Address(all, "line1") != "" || Address(all, "Acme") != "" {
		t.Error("a camera is found by what it is not called, or two by one name")
	}
	if s := Missing("x", all); !strings.Contains(s, "Acme-7") || !strings.Contains(Missing("x", nil), "3956") {
		t.Error(s)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(answer())
	f.Add(answer()[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if found, ok := parseAnswer(b); ok && len(found.Serial) > 16 {
			t.Errorf("%+v", found)
		}
	})
}

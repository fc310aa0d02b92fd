package gige

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for source, want := range map[string]Camera{
		"gige:GV01": {Name: "GV01"},
		"GIGE:GV01": {Name: "GV01"},
		"gige:192.168.1.20?Height=64&TriggerMode=On&packet-size=1400": {Name: "192.168.1.20", Features: "Height=64 TriggerMode=On", PacketSize: "1400"},
		"gige:A Cam-7?PixelFormat=BayerGB8":                           {Name: "A Cam-7", Pixels: "BayerGB8"},
		"gige:x?PixelFormat=RGB8Packed":                               {Name: "x", Pixels: "RGB8Packed"},
		"gige:x?TriggerSource=Software&TriggerMode=On":                {Name: "x", Features: "TriggerSource=Software TriggerMode=On", Commands: true},
		"gige:x?TriggerSource=Line1&TriggerMode=On":                   {Name: "x", Features: "TriggerSource=Line1 TriggerMode=On"},
	} {
		if c, err := Parse(source); err != nil || c != want {
			t.Errorf("%s: %+v, %v", source, c, err)
		}
	}
	for _, source := range []string{
		"gige:", `gige:x" ! filesrc location="/etc/passwd`, "gige:x ! fakesink", "gige:x?Height", "gige:x?Height=1 Width=2", `gige:x?Height="1`,
		"gige:x?height=64", "gige:x?packet-size=big", "gige:x?PixelFormat=Mono12Packed", "gige:x?&", "gige:?Height=64", "gige: x",
		"gige:x?TriggerSource=Software", "gige:x?TriggerMode=Off&TriggerSource=Software", "gige:x?Height=64&Height=32", "gige:x?PixelFormat=",
	} {
		if c, err := Parse(source); err == nil {
			t.Errorf("%q is taken: %+v", source, c)
		}
	}
}

// Numbers of 16 bits begin again with 1; a jump is another beginning.
func TestMissed(t *testing.T) {
	for _, c := range []struct {
		before, now uint64
		want        int
	}{
		{0, 5, 0}, {1, 2, 0}, {1, 4, 2}, {65535, 1, 0}, {65534, 2, 2}, {9, 9, 0}, {9, 3, 0}, {9, 0, 0}, {5, 5000, 0}, {1 << 40, 1<<40 + 3, 2}, {1 << 40, 1, 0},
	} {
		if got := Missed(c.before, c.now); got != c.want {
			t.Errorf("%d, %d: %d, want %d", c.before, c.now, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	for code, f := range formats {
		if bits := int(code >> 16 & 0xff); bits != 8*f.Bytes {
			t.Errorf("%s: %d bytes a pixel, its code says %d bits", f.Name, f.Bytes, bits)
		}
	}
	if _, ok := FormatOf(0x010c0006); ok { // Mono12Packed
		t.Error("a packed format is read")
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

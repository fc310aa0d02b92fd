package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"edged/internal/fault"
	"edged/internal/infile"
	"edged/internal/verdict"
	"edged/mqtt"
)

// A fault stands at the key it is about, whatever other keys its text speaks of
// and whatever the values are called.
func TestAFaultStandsAtItsKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key-and-cert"), []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ lines, want string }{
		"a password in the broker": {"[mqtt]\nbroker = \"tcp://u:p@h\"\nusername = \"u\"\npassword_file = \"key-and-cert\"", ":2:1: broker \"***@h\" holds"},
		"a broker of that name":    {"[mqtt]\nbroker = \"ws://key:1\"\nca = \"key-and-cert\"", ":2:1: broker scheme"},
		"no TLS for a ca":          {"[mqtt]\nbroker = \"tcp://key:1\"\nca = \"key-and-cert\"", ":3:1: ca or cert is given"},
		"a ca that is none":        {"[mqtt]\nbroker = \"ssl://h\"\nca = \"key-and-cert\"\nencoding = \"png\"", ":3:1: certificate authority"},
		"a key alone":              {"[mqtt]\nbroker = \"ssl://h\"\nkey = \"key-and-cert\"", ":3:1: cert and key belong"},
		"a cert that is none":      {"[mqtt]\nkey = \"key-and-cert\"\nbroker = \"ssl://h\"\ncert = \"key-and-cert\"", ":4:1: client certificate"},
		"a password file":          {"[mqtt]\nbroker = \"tcp://h\"\nusername = \"u\"\npassword_file = \"broker\"", ":4:1: password file"},
		"a password alone":         {"[mqtt]\nbroker = \"tcp://h\"\npassword_file = \"key-and-cert\"", ":3:1: password_file without username"},
		"behind a mark":            {"\ufeff[mqtt]\nbroker = \"ws://h\"", ":2:1: broker scheme"},
		"a prefix":                 {"[mqtt]\nbroker = \"tcp://h\"\n[node]\nprefix = \"a//broker\"", ":4:1: prefix"},
		"a class of that name":     {"[[camera]]\n[[camera.rule]]\nmin_score = 3\nclass = \"hold\"\nhold = 2", ":3:1: rule on class \"hold\": min_score"},
		"one of three":             {"[[camera]]\n[[camera.rule]]\nclass = \"a\"\nmax_count = -1\nhold = 2", ":4:1: rule on class \"a\": max_count of -1"},
		"the verdict of a rule":    {"[[camera]]\n[[camera.rule]]\nclass = \"hold\"\nverdict = \"OK\"\nhold = 1", ":4:1: rule on class \"hold\": verdict"},
		"half a turn of a half":    {"[[camera]]\nrotate = 45", ":2:1: rotate 45"},
		"a roi that is flat":       {"[[camera]]\nname = \"a\"\nroi = [0, 0, 8, 0]", ":3:1: roi [0 0 8 0]"},
		"a mean that is none":      {"[[camera]]\n[camera.prepare]\nscale = [1.0]\nmean = [nan]", ":4:1: mean holds NaN"},
		"a scale of nothing":       {"[[camera]]\n[camera.prepare]\nmean = [1.0]\nscale = [1.0, 0.0, 1.0]", ":4:1: scale is 0"},
		"together out of range":    {"[[camera]]\n[camera.prepare]\nmean = [1.0]\nscale = [1e38]", ":4:1: mean 1 and scale 1e+38"},
		"a threshold":              {"[[camera]]\n[camera.output]\nthreshold = 1.0", ":3:1: threshold 1"},
		"a time without a unit":    {"[[camera]]\nidle = \"10\"", ":2:"},
		"no time":                  {"[[camera]]\nidle = \"0s\"", "positive number with its unit"},
		"a trigger of both":        {"[[camera]]\nname = \"a\"\nsource = \"gige:x?TriggerMode=On&TriggerSource=Software\"\ntrigger = \"camera\"", ":4:1: trigger \"camera\" with TriggerSource=Software"},
		"half a software trigger":  {"[[camera]]\nname = \"a\"\nsource = \"gige:x?TriggerSource=Software\"", ":3:1: source: GigE option TriggerSource=Software: without TriggerMode=On"},
		"half an address":          {"[[camera]]\nname = \"a\"\nsource = \"http:/10.0.0.7/mjpeg\"", ":3:1: source: source \"http:/10.0.0.7/mjpeg\" is no address: write http://10.0.0.7/mjpeg"},
		"an option of no device's": {"[[camera]]\nname = \"a\"\nsource = \"/dev/video7?fourc=MJPG\"", ":3:1: source: device option fourc=MJPG: unknown option"},
		"half a size":              {"[[camera]]\nname = \"a\"\nsource = \"/dev/video7?width=640\"", ":3:1: source: device \"/dev/video7?width=640\": capture: size 640x0: give both"},
		"an option of no folder's": {"[[camera]]\nname = \"a\"\nsource = \".?lop\"", ":3:1: source: option \"lop\" of"},
		"a trigger of nobody's":    {"[[camera]]\nname = \"a\"\ntrigger = \"plc\"", ":3:1: trigger \"plc\": use continuous, interval:500ms, mqtt or camera"},
		"more than all is dark":    {"[[camera]]\n[camera.quality]\ndark = 50.0", ":3:1: dark of 50"},
		"a contrast of nothing":    {"[[camera]]\n[camera.quality]\ncontrast = -1.0", ":3:1: contrast of -1"},
		"a sharpness of none":      {"[[camera]]\n[camera.quality]\nblur = nan", ":3:1: blur of NaN"},
		"one picture repeats":      {"[[camera]]\n[camera.quality]\nfrozen = 1", ":3:1: frozen of 1"},
		"a source":                 {"[[camera]]\nname = \"a\"\nsource = \"ftp://h\"", ":3:1: source: URL scheme"},
	} {
		err := Parse(filepath.Join(dir, "edged.toml"), infile.WithoutBOM([]byte(c.lines)), engines).Err()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q in:\n%v", name, c.want, err)
		}
	}
}

// Every key that a room names is one that the file has.
func TestEveryKeyOfAFaultIsOneOfTheFile(t *testing.T) {
	m := Config{MQTT: MQTT{Broker: "ssl://h", CA: "/no", Cert: "/no", Key: "/no", PasswordFile: "/no", Encoding: "x"}}
	mq := m.Client()
	broker := mq
	broker.Broker = "h"
	checkKeysOf(t, reflect.TypeFor[MQTT](), errors.Join(mq.Validate(), broker.Validate()), "prefix", "node")
	rule := verdict.Rule{MinScore: 2, MaxTotalRatio: 2, MinAreaPx: -1, MaxCount: -1, Hold: -1, Verdict: verdict.OK}
	checkKeysOf(t, reflect.TypeFor[Rule](), rule.Validate())
	checkKeysOf(t, reflect.TypeFor[Camera](), sourceSyntax("ftp://h"))
	if mqtt.CheckID("A") == nil {
		t.Error("no fault")
	}
}

func checkKeysOf(t *testing.T, table reflect.Type, err error, others ...string) {
	t.Helper()
	keys := strings.Join(others, " ") + " "
	for i := range table.NumField() {
		keys += table.Field(i).Tag.Get("toml") + " "
	}
	all := fault.All(err)
	for _, f := range all {
		if f.Key == "" || !strings.Contains(" "+keys, " "+f.Key+" ") {
			t.Errorf("%q is no key of %v: %v", f.Key, table, f)
		}
	}
	if len(all) == 0 {
		t.Errorf("%v: no fault", table)
	}
}

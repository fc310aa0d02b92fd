package commission

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/config"
	"edged/internal/zones"
)

const commented = `# the line
[node]
name = "line1" # ours

[[camera]] # the first
name = "zero"
source = "test:belt"
model = "z.tflite"

# the press
[[camera]]
name   = "one"      # its name
source = "test:belt" # for now
model  = "old.tflite"
threads = 1          # of two
roi = [
  0, 0, # corner
  96, 80,
]
# where the robot is not
[[camera.zone]]
name = "left"
polygon = [[0, 0], [48, 0], [48, 80], [0, 80]]
# scratches
[[camera.rule]]
class = "scratch"
min_area_px = 4 # found on 3 March
[[camera.rule]]
class = "pit" # goes
# about pits

[[camera]]
name = "two"
source = "test:belt"
model = "t.tflite"
[evidence]
dir = "kept" # card
`

func (r *rig) draft(name string) (d Draft, sum string) {
	r.t.Helper()
	var s state
	r.get("GET", "state", nil, &s)
	r.get("GET", "camera/"+name, nil, &d)
	return d, s.Sum
}

// A draft that changes nothing changes no byte; one that does leaves every comment
// and every other line.
func TestSaveKeepsComments(t *testing.T) {
	r := newRig(t, commented)
	d, sum := r.draft("one")
	var c change
	r.get("POST", "diff", proposal{d, sum}, &c)
	if c.Text != commented {
		t.Fatalf("%s", c.Text)
	}
	d.Model, d.ROI = "new.tflite", []int{1, 2, 90, 70}
	d.Zones = append(d.Zones, zones.Zone{Name: "right", Polygon: [][2]float64{{50, 0.5}, {96, 0}, {96, 80}}})
	d.Rules = []Rule{{Class: "scratch", MinAreaPx: 7, Zones: []string{"right"}}}
	d.Output = &Output{Meaning: "logits"}
	var saved map[string]string
	r.get("POST", "save", proposal{d, sum}, &saved)
	got := r.text()
	for _, want := range []string{
		"# the line", "name = \"line1\" # ours", "[[camera]] # the first", "# the press", "name   = \"one\"      # its name", "source = \"test:belt\" # for now", "model  = \"new.tflite\"\n",
		"threads = 1          # of two", "roi = [1, 2, 90, 70]\n", "# where the robot is not", "# scratches", "min_area_px = 7 # found on 3 March", "# about pits", "dir = \"kept\" # card",
		"[[camera.zone]]\nname = \"right\"\npolygon = [[50, 0.5], [96, 0], [96, 80]]\n", "[camera.output]\nmeaning = \"logits\"\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
	if again, _ := r.draft("one"); again.Model != "new.tflite" || len(again.Zones) != 2 || len(again.Rules) != 1 {
		t.Errorf("%+v", again)
	}
	before, err := os.ReadFile(saved["before"])
	if err != nil || string(before) != commented {
		t.Errorf("%v: %s", err, before)
	}
	if other, _ := r.draft("two"); other.Model != "t.tflite" {
		t.Errorf("%+v", other)
	}
	if info, err := os.Stat(r.path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A file that was edited by hand meanwhile is not written over, at whatever moment;
// looked at again, both edits are there.
func TestSaveLosesNoEdit(t *testing.T) {
	r := newRig(t, commented)
	d, sum := r.draft("one")
	d.Rules[0].Hold = 3
	hand := strings.Replace(commented, "# ours", "# by hand", 1)
	r.write(hand)
	b := `{"draft": {"name": "one", "source": "test:belt", "model": "x.tflite"}, "sum": "` + sum + `"}`
	if code, body := r.ask(r.token, "POST", "save", []byte(b)); code != http.StatusConflict || !strings.Contains(string(body), "changed by somebody else") {
		t.Errorf("%d %s", code, body)
	}
	if r.text() != hand {
		t.Fatal("the edit by hand is lost")
	}
	// The edit comes between the reading and the writing.
	if _, err := r.desk.put([]byte(commented), []byte("mine")); err != errOther {
		t.Errorf("%v", err)
	}
	if r.text() != hand || len(tree(t, filepath.Dir(r.path))) != 1 {
		t.Errorf("%q", tree(t, filepath.Dir(r.path)))
	}
	var c change
	r.get("POST", "diff", proposal{d, sum}, &c)
	r.get("POST", "save", proposal{d, c.Sum}, nil)
	if got := r.text(); !strings.Contains(got, "# by hand") || !strings.Contains(got, "hold = 3") {
		t.Errorf("%s", got)
	}
}

// A config that is not there is written whole; one that comes meanwhile stays.
func TestSaveFromNothing(t *testing.T) {
	r := newRig(t, "")
	d := Draft{Name: "cam1", Source: "test:belt?size=96x80", Model: "m.tflite", Labels: []string{"a", "b \"c\""}, Prepare: &Prepare{"RGB", []float64{127.5}, []float64{1 / 127.5}}, Output: &Output{Meaning: "logits"}, Zones: []zones.Zone{}, Rules: []Rule{{Class: "a"}}}
	if _, err := r.desk.put(nil, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.desk.put(nil, []byte("y")); err != errOther || r.text() != "x" {
		t.Errorf("%v, %q", err, r.text())
	}
	if err := os.Remove(r.path); err != nil {
		t.Fatal(err)
	}
	r.get("POST", "save", proposal{d, ""}, nil)
	if c := config.Parse(r.path, []byte(r.text()), known); c.Err() != nil || c.Cameras[0].Labels[1] != "b \"c\"" {
		t.Errorf("%v:\n%s", c.Err(), r.text())
	}
}

// What the desk cannot write truly it does not write.
func TestSaveRefuses(t *testing.T) {
	r := newRig(t, "camera = [{name = \"one\", source = \"test:belt\", model = \"m.tflite\"}]\n")
	d, sum := r.draft("one")
	d.Model = "n.tflite"
	for name, c := range map[string]struct {
		change func(*Draft)
		want   int
		says   string
	}{
		"inline tables": {func(*Draft) {}, 422, ""},
		"no name":       {func(d *Draft) { d.Name = "" }, 422, ""},
		"a pipeline":    {func(d *Draft) { d.Name, d.Source = "new", "videotestsrc ! filesink location=/tmp/x" }, 400, "by hand"},
		"a wrong zone":  {func(d *Draft) { d.Zones = []zones.Zone{{Name: "z"}} }, 422, ""},
		"a newline":     {func(d *Draft) { d.Model = "m\"\n[node]\nname = \"x" }, 422, ""},
	} {
		one := d
		c.change(&one)
		err := func() error { _, _, err := r.desk.apply(&one); return err }()
		f, ok := err.(*fault)
		if !ok || f.status != c.want || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %d", name, err, c.want)
		}
	}
	r.write("[[camera]\n")
	if _, _, err := r.desk.apply(&d); err == nil || !strings.Contains(err.Error(), "fault of its own") {
		t.Errorf("%v", err)
	}
	if sumOf([]byte(r.text())) == sum {
		t.Error("the sum does not tell files apart")
	}
}

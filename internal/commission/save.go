package commission

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"edged/internal/atomicfile"
	"edged/internal/config"
	"edged/internal/infile"
	"edged/internal/tomlfile"
	"edged/internal/zones"
)

// newFile is what a config begins with that edged writes.
const newFile = `# Written by edged run --commission. Every key: edged check --sample.

[node]
http = "127.0.0.1:8077"       # page, /metrics, /healthz, /readyz

[mqtt]
# broker = "tcp://127.0.0.1:1883"
`

// load reads the config as it is now; no file is no fault, and no config.
func (d *Desk) load() (text []byte, c *config.Config, err error) {
	text, err = infile.Read(d.cfg.Path, infile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	c = config.Parse(d.cfg.Path, infile.WithoutBOM(text), d.cfg.Engines)
	return text, c, c.Err()
}

// sumOf names a text; empty: there is none.
func sumOf(text []byte) string {
	if text == nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// proposal is a draft with the file that it is for.
type proposal struct {
	Draft Draft  `json:"draft"`
	Sum   string `json:"sum"` // of the file that the page knows; empty: none
}

// change is what a draft makes of the file.
type change struct {
	Sum  string `json:"sum"` // of the file as it is
	Diff []row  `json:"diff"`
	Text string `json:"text"`
}

func (d *Desk) postDiff(r *http.Request) (any, error) {
	var p proposal
	if err := read(r, &p); err != nil {
		return nil, err
	}
	old, text, err := d.apply(&p.Draft)
	if err != nil {
		return nil, err
	}
	return change{sumOf(old), diff(string(old), text), text}, nil
}

// postSave writes the config, and keeps the file before. Where the file is not the
// one that the page knows, somebody has edited it: nothing is written.
func (d *Desk) postSave(r *http.Request) (any, error) {
	var p proposal
	if err := read(r, &p); err != nil {
		return nil, err
	}
	d.saving.Lock()
	defer d.saving.Unlock()
	old, text, err := d.apply(&p.Draft)
	if err != nil {
		return nil, err
	}
	edited := faultf(http.StatusConflict, "%s was changed by somebody else meanwhile, nothing is saved: look at the difference again, your changes are kept on this page", filepath.Base(d.cfg.Path))
	if sumOf(old) != p.Sum {
		return nil, edited
	}
	kept, err := d.put(old, []byte(text))
	if errors.Is(err, errOther) {
		return nil, edited
	}
	if err != nil {
		return nil, err
	}
	d.cfg.Log.Info("config saved", "file", d.cfg.Path, "before", kept, "next", "edged run -c "+d.cfg.Path)
	return map[string]string{"path": d.cfg.Path, "before": kept, "sum": sumOf([]byte(text))}, nil
}

// errOther is that another file lies where the one that is known should be.
var errOther = errors.New("commission: the file is another by now")

// put has text stand in place of old, whose copy is kept. On file systems that can,
// the two change places in one step, so that an edit of that very moment is seen.
func (d *Desk) put(old, text []byte) (kept string, err error) {
	path := d.cfg.Path
	if old == nil {
		draft := path + ".new"
		if err := atomicfile.Write(draft, text); err != nil {
			return "", err
		}
		defer os.Remove(draft)
		if err := os.Link(draft, path); errors.Is(err, fs.ErrExist) {
			return "", errOther
		} else if err != nil {
			return "", err
		}
		return "", nil
	}
	kept = fmt.Sprintf("%s.before-%s", path, time.Now().UTC().Format("20060102T150405.000"))
	if err := atomicfile.Write(kept, text); err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err == nil {
		_ = os.Chmod(kept, info.Mode().Perm()) // it takes its place
	}
	if err := exchange(kept, path); err != nil {
		os.Remove(kept)
		return "", err
	}
	if was, err := os.ReadFile(kept); err != nil || !bytes.Equal(was, old) {
		if back := exchange(kept, path); back != nil {
			return "", fmt.Errorf("%w; it lies in %s now, and could not be put back: %w", errOther, kept, back)
		}
		os.Remove(kept)
		return "", errOther
	}
	return kept, nil
}

// apply is the file as it is, and as it would be with the draft.
func (d *Desk) apply(draft *Draft) (old []byte, text string, err error) {
	old, before, err := d.load()
	if err != nil {
		return nil, "", faultf(http.StatusConflict, "the config has a fault of its own, mend that first: %v", err)
	}
	if strings.Contains(draft.Source, " ! ") && !d.isConfigured(draft.Source) {
		return nil, "", faultf(http.StatusBadRequest, "source: put a GStreamer pipeline into the config by hand")
	}
	start := string(infile.WithoutBOM(old))
	if old == nil {
		start = newFile
	}
	doc := tomlfile.ParseDoc(start)
	edit(doc, draft)
	text = doc.String()
	c := config.Parse(d.cfg.Path, []byte(text), d.cfg.Engines)
	if err := c.Err(); err != nil {
		return nil, "", faultf(http.StatusUnprocessableEntity, "the draft is not whole yet: %v", err)
	}
	if err := d.says(c, before, draft); err != nil {
		return nil, "", err
	}
	return old, text, nil
}

// says makes sure that the text is the draft, and that nothing else in it changed: a
// file may be written in ways that Doc does not know.
func (d *Desk) says(c, before *config.Config, draft *Draft) error {
	odd := faultf(http.StatusUnprocessableEntity, "the config writes camera %s in a way that cannot be edited here (inline tables, dotted keys): change it by hand", draft.Name)
	plain := func(v Draft) string {
		if v.Fit == "" {
			v.Fit = "crop"
		}
		v.Zones, v.Rules = append([]zones.Zone{}, v.Zones...), append([]Rule{}, v.Rules...)
		b, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	found := false
	for i := range c.Cameras {
		if c.Cameras[i].Name == draft.Name {
			found = plain(draftOf(&c.Cameras[i], d.dir)) == plain(*draft)
		}
	}
	if !found {
		return odd
	}
	if before == nil {
		return nil
	}
	others := func(c *config.Config) []config.Camera {
		list := []config.Camera{}
		for _, cam := range c.Cameras {
			if cam.Name != draft.Name {
				list = append(list, cam)
			}
		}
		return list
	}
	if !reflect.DeepEqual(others(c), others(before)) || c.Node.Name != before.Node.Name || c.MQTT != before.MQTT || c.Evidence != before.Evidence {
		return odd
	}
	return nil
}

// edit writes the draft's keys into its camera, a new one where there is none of its
// name.
func edit(doc *tomlfile.Doc, draft *Draft) {
	first, end := -1, len(doc.Tables)
	for i, t := range doc.Tables {
		if t.Path == "camera" && t.Array {
			if first >= 0 {
				end = i
				break
			}
			if unquote(t.Get("name")) == draft.Name {
				first = i
			}
		} else if first >= 0 && !strings.HasPrefix(t.Path, "camera.") {
			end = i
			break
		}
	}
	if first < 0 {
		doc.Insert(len(doc.Tables), "camera", true)
		first, end = len(doc.Tables)-1, len(doc.Tables)
	}
	cam := doc.Tables[first]
	cam.Set("name", tomlfile.Quote(draft.Name))
	cam.Set("source", tomlfile.Quote(draft.Source))
	cam.Set("model", tomlfile.Quote(draft.Model))
	cam.Set("roi", list(draft.ROI))
	if draft.Fit != "" && (draft.Fit != "crop" || cam.Get("fit") != "") {
		cam.Set("fit", tomlfile.Quote(draft.Fit))
	}
	cam.Set("labels", list(draft.Labels))
	b := &block{doc, first, end}
	b.one("camera.prepare", draft.Prepare != nil, func(t *tomlfile.Table) {
		t.Set("channel_order", text(draft.Prepare.ChannelOrder))
		t.Set("mean", list(draft.Prepare.Mean))
		t.Set("scale", list(draft.Prepare.Scale))
	})
	b.one("camera.output", draft.Output != nil, func(t *tomlfile.Table) {
		t.Set("meaning", text(draft.Output.Meaning))
		threshold := ""
		if v := draft.Output.Threshold; v != nil {
			threshold = number(*v)
		}
		t.Set("threshold", threshold)
	})
	b.each("camera.zone", len(draft.Zones), func(t *tomlfile.Table, i int) {
		t.Set("name", tomlfile.Quote(draft.Zones[i].Name))
		t.Set("polygon", list(draft.Zones[i].Polygon))
	})
	b.each("camera.rule", len(draft.Rules), func(t *tomlfile.Table, i int) { draft.Rules[i].write(t) })
}

func (r *Rule) write(t *tomlfile.Table) {
	t.Set("class", tomlfile.Quote(r.Class))
	t.Set("min_score", orNothing(r.MinScore))
	t.Set("min_area_px", orNothing(float64(r.MinAreaPx)))
	t.Set("max_total_ratio", orNothing(r.MaxTotalRatio))
	t.Set("max_count", orNothing(float64(r.MaxCount)))
	t.Set("hold", orNothing(float64(r.Hold)))
	t.Set("verdict", text(r.Verdict))
	t.Set("zones", list(r.Zones))
}

// block are the tables of one camera: first to end-1.
type block struct {
	doc        *tomlfile.Doc
	first, end int
}

// one sets a table that there is once, or takes it away; [camera.output] may hold
// keys that the page does not know, and stays.
func (b *block) one(path string, wanted bool, set func(*tomlfile.Table)) {
	for i := b.first + 1; i < b.end; i++ {
		if t := b.doc.Tables[i]; t.Path == path {
			if wanted {
				set(t)
			} else if path == "camera.prepare" {
				b.doc.Remove(t)
				b.end--
			}
			return
		}
	}
	if wanted {
		set(b.doc.Insert(b.end, path, false))
		b.end++
	}
}

// each sets the n tables of an array: those there are, then new ones behind them;
// what is too many goes.
func (b *block) each(path string, n int, set func(t *tomlfile.Table, i int)) {
	done, behind := 0, b.end
	for i := b.first + 1; i < b.end; i++ {
		t := b.doc.Tables[i]
		if t.Path != path {
			continue
		}
		if done == n {
			b.doc.Remove(t)
			b.end--
			i--
			continue
		}
		set(t, done)
		done++
		behind = i + 1
	}
	behind = min(behind, b.end)
	for ; done < n; done++ {
		set(b.doc.Insert(behind, path, true), done)
		behind++
		b.end++
	}
}

func text(s string) string {
	if s == "" {
		return ""
	}
	return tomlfile.Quote(s)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// orNothing leaves out what is 0.
func orNothing(v float64) string {
	if v == 0 {
		return ""
	}
	return number(v)
}

// list writes numbers, texts or lists of them; none is left out.
func list(v any) string {
	r := reflect.ValueOf(v)
	if r.Len() == 0 {
		return ""
	}
	parts := make([]string, r.Len())
	for i := range parts {
		switch e := r.Index(i); e.Kind() {
		case reflect.String:
			parts[i] = tomlfile.Quote(e.String())
		case reflect.Int:
			parts[i] = strconv.FormatInt(e.Int(), 10)
		case reflect.Float64:
			parts[i] = number(e.Float())
		default:
			parts[i] = list(e.Interface())
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// unquote is the string that a TOML value's text is, empty where it is none.
func unquote(text string) string {
	var v struct {
		V string `toml:"V"`
	}
	f := tomlfile.Decode("", []byte("V = "+text), &v)
	if f.Err() != nil {
		return ""
	}
	return v.V
}

package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/daemontest"
	"edged/internal/evidence"
	"edged/mqtt"
)

const kept = "[[camera.rule]]\nclass = \"metal\"\n[evidence]\ndir = \"evidence\"\nmax_count = 6\n"

type evidenceReply struct {
	mqtt.Response
	Data struct {
		Evidence []evidence.Entry `json:"evidence"`
		Result   mqtt.Result      `json:"result"`
		JPEG     []byte           `json:"jpeg"`
		Mask     []byte           `json:"mask"`
	} `json:"data"`
}

func (r *rig) askEvidence(body string) *evidenceReply {
	r.t.Helper()
	r.Send("edged/n/request/evidence", body)
	return daemontest.Await(r.Subscriber, "edged/n/response/evidence", func(a *evidenceReply) bool { return strings.Contains(body, `"`+a.Transaction+`"`) })
}

// NGs are kept with picture, mask and result, listed and fetched over MQTT and HTTP,
// and accounted for.
func TestEvidence(t *testing.T) {
	r := startRig(t, kept)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Verdict == "NG" })
	for r.d.kept.Account().Kept < 8 { // some have made room for others
		daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	}
	files, err := filepath.Glob(filepath.Join(r.dir, "evidence", "c0", "*.png"))
	if err != nil || len(files) == 0 || len(files) > 6 {
		t.Fatalf("%q, %v", files, err)
	}
	list := r.askEvidence(`{"transaction": "list", "limit": 3}`)
	if len(list.Data.Evidence) != 3 || list.Data.Evidence[0].Verdict != "NG" || list.Data.Evidence[0].Camera != "c0" {
		t.Fatalf("%+v", list)
	}
	id := list.Data.Evidence[0].ID
	one := r.askEvidence(fmt.Sprintf(`{"transaction": "single", "id": %q}`, id))
	if one.Status != "ok" || one.Data.Result.Seq != list.Data.Evidence[0].Seq || one.Data.Result.Mask == nil || one.Data.Result.Frame.W != 96 {
		t.Fatalf("%+v of %+v", one.Data.Result, list.Data.Evidence)
	}
	if img, err := jpeg.Decode(bytes.NewReader(one.Data.JPEG)); err != nil || img.Bounds().Dx() != 96 {
		t.Errorf("%v", err)
	}
	if img, err := png.Decode(bytes.NewReader(one.Data.Mask)); err != nil || img.Bounds().Dx() != one.Data.Result.Mask.W {
		t.Errorf("%v", err)
	}
	if gone := r.askEvidence(`{"transaction": "gone by", "id": "x"}`); gone.Status != "error" || !strings.Contains(gone.Error, "not kept") {
		t.Errorf("%+v", gone)
	}
	get := func(path string) string {
		t.Helper()
		resp, err := http.Get("http://" + r.d.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var served struct{ Evidence []evidence.Entry }
	if err := json.Unmarshal([]byte(get("/evidence?camera=c0&limit=2")), &served); err != nil || len(served.Evidence) != 2 {
		t.Errorf("%+v, %v", served, err)
	}
	if text := get("/state"); !strings.Contains(text, `"evidence":{"count":`) {
		t.Errorf("%s", text)
	}
	if text := get("/metrics"); !strings.Contains(text, "edged_evidence_ok 1") || !strings.Contains(text, "edged_evidence_kept_total") {
		t.Errorf("%s", text)
	}
	if s := r.d.stats().Evidence; s == nil || s.Count == 0 || s.Fault != "" {
		t.Errorf("%+v", s)
	}
}

// A folder that cannot be used is told by an event, results go on, and so is its
// recovery; without a folder nothing answers.
func TestEvidenceFolderFails(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "evidence")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := startRig(t, strings.Replace(kept, `"evidence"`, fmt.Sprintf("%q", blocked), 1))
	told := func(text string) {
		t.Helper()
		daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault && strings.Contains(e.Message, text) })
	}
	told("NGs are not kept as evidence, results go on")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Verdict == "NG" })
	if s := r.d.stats().Evidence; s.Fault == "" {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	told("NGs are kept as evidence again")
}

func TestNoEvidence(t *testing.T) {
	r := startRig(t, "")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(*mqtt.Result) bool { return true })
	if a := r.askEvidence(`{"transaction": "a"}`); a.Status != "error" || !strings.Contains(a.Error, "evidence.dir") {
		t.Errorf("%+v", a)
	}
	resp, err := http.Get("http://" + r.d.Address() + "/evidence")
	if err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("%v, %v", resp, err)
	}
}

package daemon

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"edged/capture"
	"edged/internal/daemontest"
	"edged/internal/page"
	"edged/mqtt"
)

// pageState asks the daemon's page.
func (r *rig) pageState() (s page.State) {
	r.t.Helper()
	resp, err := http.Get("http://" + r.d.Address() + "/state")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// awaitPage asks until fit says yes.
func (r *rig) awaitPage(what string, fit func(page.State) bool) {
	r.t.Helper()
	var s page.State
	for range 150 {
		if s = r.pageState(); fit(s) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.t.Fatalf("the page never says: %s. It says %+v", what, s)
}

func TestThePageSaysWhyThereIsNoResult(t *testing.T) {
	r := startRig(t, "", `roi = [0, 0, 4000, 4000]`, `trigger = "mqtt"`)
	r.First("edged/n/c0/result", 1)
	r.awaitPage("the reasons of three cameras", func(s page.State) bool {
		c := s.Cameras
		return s.Broker == "ok" && len(c) == 3 &&
			c[0].Why == "" && c[0].Status == "online" && c[0].LastResult != nil && c[0].Seq > 0 && strings.HasPrefix(c[0].Engine, "go") && c[0].Certificate != "" &&
			strings.Contains(c[1].Why, "roi_outside") && strings.Contains(c[1].Why, "4000") && c[1].LastResult == nil &&
			strings.Contains(c[2].Why, "waits for a trigger")
	})
	// The frame that was refused is shown, with the reason.
	resp, err := http.Get("http://" + r.d.Address() + "/live/c1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "frames are refused (roi_outside)") {
		t.Errorf("%v: %.300q", err, body)
	}
	r.d.units[0].camera.Enable(false)
	r.awaitPage("a disabled camera", func(s page.State) bool {
		return s.Cameras[0].Status == "disabled" && s.Cameras[0].Why == "the camera is disabled"
	})
	// So are those of a camera that is off, and of one that waits.
	for cam, why := range map[string]string{"c0": "the camera is disabled", "c2": "it waits for a trigger"} {
		r.awaitRaw(cam, why)
	}
	if n := r.d.units[2].account(); n.Published != 0 || n.PassedOver+n.InWork == 0 {
		t.Errorf("looked at and accounted for: %+v", n)
	}
}

// Why a camera is away is what is so now, on the page and in stats; each other reason
// is an event, one that differs in its numbers is not.
func TestReasonsAreCurrent(t *testing.T) {
	r := startRig(t, "")
	r.First("edged/n/c0/result", 1)
	u := r.d.units[0]
	for _, s := range []capture.Status{{Online: true}, {Reason: "no picture for 3s"}, {Reason: "no picture for 4s", Old: true}, {Reason: "no device"}, {Reason: "no picture for 5s", Old: true}} {
		u.onStatus(s)
		why, _ := u.whyNothing("continuous")
		if stats := r.d.stats().Cameras["c0"]; stats.Why != s.Reason || s.Reason != "" && (why != "the camera is offline: "+s.Reason || u.whyNoPicture() != why) {
			t.Errorf("%+v: the page says %q, a snapshot %q, stats %q", s, why, u.whyNoPicture(), stats.Why)
		}
	}
	for _, want := range []string{"camera offline: no picture for 3s", "camera still offline, by now for another reason: no device"} {
		daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault && e.Message == want })
	}
	for _, e := range r.Got("edged/n/c0/event") {
		if strings.Contains(string(e), "for 4s") || strings.Contains(string(e), "for 5s") {
			t.Errorf("an event of a reason that is no news: %s", e)
		}
	}
}

// awaitRaw asks for pictures of a camera until one without a result says why.
func (r *rig) awaitRaw(cam, why string) {
	r.t.Helper()
	for range 20 {
		resp, err := http.Get("http://" + r.d.Address() + "/live/" + cam)
		if err != nil {
			r.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && strings.Contains(string(body), `"raw":"`+why) && strings.Contains(string(body), "\xff\xd8") {
			return
		}
	}
	r.t.Errorf("%s never shows a frame that says %q", cam, why)
}

func TestThePageIsGuarded(t *testing.T) {
	r := startRig(t, "")
	r.First("edged/n/c0/result", 1)
	for _, path := range []string{"/", "/page.js", "/state", "/metrics", "/healthz", "/nothing"} {
		req, err := http.NewRequest(http.MethodGet, "http://"+r.d.Address()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMisdirectedRequest || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %v", path, resp.StatusCode, resp.Header)
		}
	}
}

//go:build faults

package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/capture/cameratest"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// With no address configured the daemon and its workers listen on loopback
// alone. A network of its own keeps the usual port free for it.
func TestNothingListensBeyondLoopback(t *testing.T) {
	r := NewRig(t, Setup{Sources: []string{"rtsp://127.0.0.1:9/cam", Belt}, Later: true})
	config, err := os.ReadFile(r.Daemon.Config())
	if err != nil {
		t.Fatal(err)
	}
	r.Daemon.Configure(strings.Replace(string(config), "http = ", "# http = ", 1))
	r.Daemon.Wrap = []string{"unshare", "-n", "sh", "-c", `ip link set lo up && exec "$0" "$@"`}
	if os.Geteuid() != 0 {
		r.Daemon.Wrap[1] = "-Urn"
	}
	r.Daemon.Start()
	var seen []netip.AddrPort
	mqtttest.Until(t, 30*time.Second, "the page to be served", func() bool {
		seen, err = Listeners(r.Daemon.PID())
		return err == nil && len(seen) > 0
	})
	for _, pid := range r.Daemon.Workers() {
		more, err := Listeners(pid)
		if err != nil {
			continue // that worker has just been replaced
		}
		seen = append(seen, more...)
	}
	for _, a := range seen {
		if !a.Addr().IsLoopback() {
			t.Errorf("something listens on %v", a)
		}
	}
	t.Logf("listeners: %v", seen)
	r.Daemon.Stop()
}

// Neither the broker's password nor a camera's gets out: not into logs, topics,
// pages, process lists, environments, nor what doctor and check print.
func TestNoSecretGetsOut(t *testing.T) {
	const cameraSecret = "cam-7a6b5c4d"
	dir := t.TempDir()
	file, pw := filepath.Join(dir, "users"), filepath.Join(dir, "pw")
	users(t, file, "line1", secret, "rec", "rec")
	write(t, pw, secret+"\n")
	camera := cameratest.StartMJPEG(t, "", 96, 80, 25)
	source := strings.Replace(camera.URL(), "://", "://admin:"+cameraSecret+"@", 1)
	r := NewRig(t, Setup{Broker: []string{"allow_anonymous false", "password_file " + file}, Sources: []string{source},
		MQTT: "username = \"line1\"\npassword_file = \"" + pw + "\"", Later: true})
	r.Rec = NewRecorder(t, r.Broker.Addr(), func(o *paho.ClientOptions) { o.SetUsername("rec").SetPassword("rec") })
	r.Daemon.Start()
	r.Await()
	seen := r.surfaces()
	for name, args := range map[string][]string{
		"doctor": {"doctor", "-c", r.Daemon.Config()}, "doctor --json": {"doctor", "--json", "-c", r.Daemon.Config()},
		"check": {"check", "-c", r.Daemon.Config()},
	} {
		out, errs, _ := Edged(t, args...)
		seen[name] = out + errs
	}
	camera.Stop() // trouble makes programs talkative
	r.goesOffline(15 * time.Second)
	write(t, pw, "wrong-"+secret)
	r.Broker.Kill()
	r.Rec.BrokerDied()
	r.Broker.Start()
	mqtttest.Until(t, 20*time.Second, "the wrong password to be said", func() bool { return strings.Contains(r.Daemon.Log(), "refuses user or password") })
	seen["log"] = r.Daemon.Log()
	r.Daemon.Stop()
	for where, text := range seen {
		if len(text) == 0 {
			t.Errorf("%s is empty: nothing was looked at", where)
		}
		for _, s := range []string{secret, cameraSecret} {
			if strings.Contains(text, s) {
				t.Errorf("%s shows %q: %.300q", where, s, text[max(0, strings.Index(text, s)-100):])
			}
		}
	}
	t.Logf("looked at %d surfaces", len(seen))
}

// surfaces is what the daemon shows, by where.
func (r *Rig) surfaces() map[string]string {
	r.T.Helper()
	seen := map[string]string{}
	for _, pid := range append(r.Daemon.Workers(), r.Daemon.PID()) {
		for _, file := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if err != nil {
				r.T.Fatal(err)
			}
			seen[fmt.Sprintf("%s of %d", file, pid)] = string(text)
		}
	}
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz"} {
		resp, err := http.Get("http://" + r.Daemon.HTTP + path)
		if err != nil {
			r.T.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			r.T.Fatal(err)
		}
		seen[path] = string(body)
	}
	for _, topic := range []string{"info", "c0/result", "c0/status", "status"} {
		mqtttest.Until(r.T, 15*time.Second, topic, func() bool { return r.Rec.Last("edged/n/"+topic) != "" })
		seen[topic] = r.Rec.Last("edged/n/" + topic)
	}
	for i, e := range r.Rec.Events() {
		seen[fmt.Sprint("event ", i)] = fmt.Sprintf("%+v", e)
	}
	if r.Rec.Last("edged/n/status") != mqtt.Online {
		r.T.Error("the node is not online")
	}
	return seen
}

func TestHexAddress(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F8D": "127.0.0.1:8077", "00000000:0050": "0.0.0.0:80",
		"00000000000000000000000001000000:0001": "[::1]:1",
	} {
		if got, err := hexAddress(text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "7F:1", "0100007F:", "0100007F:1F8D0", "xyz00000:1"} {
		if got, err := hexAddress(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

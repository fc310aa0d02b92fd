//go:build tools

package mqtt_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// connects waits for the link.
func connects(t *testing.T, c *mqtt.Client, log *bytesLog) {
	t.Helper()
	mqtttest.Until(t, patience, "a connection", func() bool { s, _ := c.Link(); return s.Connected })
	_ = log
}

func TestWrongPassword(t *testing.T) {
	mqtttest.NoLeaks(t)
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", users, "line1", "s3cret-good").CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	b := mqtttest.StartBroker(t, "allow_anonymous false", "password_file "+users)
	log := &bytesLog{}
	cfg := quick(b.URL(), log)
	cfg.Username, cfg.PasswordFile = "line1", write(t, filepath.Join(dir, "pw"), "s3cret-bad\n")
	r := newRig(t, cfg, log)
	r.c.Start()
	mqtttest.Until(t, patience, "three refusals", func() bool { s, _ := r.c.Link(); return s.FailedAttempts >= 3 })
	if n := log.count("refuses user or password"); n != 1 {
		t.Errorf("the refusal was said %d times:\n%s", n, log)
	}
	if tried := mqtt.Try(context.Background(), cfg); tried.Err == nil || !strings.HasPrefix(tried.Cure, "check username and password_file") || !strings.Contains(tried.Err.Error(), "refuses user or password") {
		t.Errorf("a try with a wrong password: %+v", tried)
	}
	// The file is read for each attempt: no restart is needed.
	write(t, cfg.PasswordFile, "s3cret-good\n")
	connects(t, r.c, log)
	if tried := mqtt.Try(context.Background(), cfg); tried.Err != nil || tried.Cure != "" || tried.Warnings != nil {
		t.Errorf("%+v", tried)
	}
	r.close()
	if log.count("s3cret") > 0 {
		t.Errorf("the log shows a password:\n%s", log)
	}
}

func TestExpiredCertificate(t *testing.T) {
	mqtttest.NoLeaks(t)
	dir := t.TempDir()
	ca := mqtttest.NewAuthority(t, dir)
	cert, key := ca.Sign("server", time.Now().Add(-time.Hour))
	b := mqtttest.StartBroker(t, "certfile "+cert, "keyfile "+key)
	log := &bytesLog{}
	cfg := quick("ssl://"+b.Addr(), log)
	cfg.CA = ca.File
	r := newRig(t, cfg, log)
	r.c.Start()
	mqtttest.Until(t, patience, "three refusals", func() bool { s, _ := r.c.Link(); return s.FailedAttempts >= 3 })
	if n := log.count("certificate is not valid at this time"); n != 1 {
		t.Errorf("the expired certificate was said %d times:\n%s", n, log)
	}
	ca.Sign("server", time.Now().Add(time.Hour))
	b.Kill()
	b.Start()
	connects(t, r.c, log)
	r.close()
}

func TestClientCertificate(t *testing.T) {
	mqtttest.NoLeaks(t)
	ca := mqtttest.NewAuthority(t, t.TempDir())
	cert, key := ca.Sign("server", time.Now().Add(time.Hour))
	own, ownKey := ca.Sign("line1", time.Now().Add(time.Hour))
	b := mqtttest.StartBroker(t, "certfile "+cert, "keyfile "+key, "cafile "+ca.File, "require_certificate true")
	t.Run("missing", func(t *testing.T) {
		log := &bytesLog{}
		cfg := quick("ssl://"+b.Addr(), log)
		cfg.CA = ca.File
		r := newRig(t, cfg, log)
		r.c.Start()
		mqtttest.Until(t, patience, "two refusals", func() bool { s, _ := r.c.Link(); return s.FailedAttempts >= 2 })
		r.close()
		// The alert may be overtaken by the reset of the connection.
		if n := log.count("client certificate"); n < 1 || n > 2 {
			t.Errorf("the missing certificate was said %d times:\n%s", n, log)
		}
	})
	t.Run("given", func(t *testing.T) {
		log := &bytesLog{}
		cfg := quick("ssl://"+b.Addr(), log)
		cfg.CA, cfg.Cert, cfg.Key = ca.File, own, ownKey
		r := newRig(t, cfg, log)
		r.c.Start()
		connects(t, r.c, log)
		r.publish()
		if l := r.close(); l[mqtt.KindResult].Acknowledged != 1 {
			t.Errorf("result: %+v", l[mqtt.KindResult])
		}
	})
}

func TestTwoClientsWithOneID(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	var logs [2]bytesLog
	var rigs [2]*rig
	for i := range rigs {
		cfg := quick(b.URL(), &logs[i])
		cfg.Node, cfg.ClientID = []string{"n1", "n2"}[i], "twin"
		rigs[i] = newRig(t, cfg, &logs[i])
		rigs[i].c.Start()
	}
	said := func() int {
		return logs[0].count("another client seems to use the same client id") + logs[1].count("another client seems to use the same client id")
	}
	mqtttest.Until(t, patience, "the twin to be noticed", func() bool { return said() > 0 })
	time.Sleep(2 * time.Second)
	if n := said(); n > 2 {
		t.Errorf("the twin was said %d times by two clients", n)
	}
	rigs[0].close()
	rigs[1].close()
}

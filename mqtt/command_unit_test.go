package mqtt

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// deaf is a client that has no broker and never looks for one.
func deaf(t testing.TB, change func(*Config)) *Client {
	t.Helper()
	cfg := Default()
	cfg.Node, cfg.Broker, cfg.Log = "n", "tcp://127.0.0.1:1", slog.New(slog.DiscardHandler)
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// answer is the one response that waits.
func answer(t *testing.T, c *Client) (topic string, r Response) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[KindResponse]
	if q.len() != 1 {
		t.Fatalf("%d responses wait, want one", q.len())
	}
	m := q.pop()
	c.drop(m, ReasonShutdown)
	if err := json.Unmarshal(m.payload, &r); err != nil {
		t.Fatal(err)
	}
	return m.topic, r
}

// What is no request gets an answer that a person can act on.
func TestAnswersToWhatIsNoRequest(t *testing.T) {
	c := deaf(t, nil)
	for _, x := range []struct{ cmd, payload, transaction, says string }{
		{"trigger", "{bad", "", "no JSON object: invalid character 'b' looking for beginning of object key string at byte 2"},
		{"trigger", `{"transaction": "t`, "", "no JSON object: unexpected end of JSON input at byte 18"},
		{"trigger", "[1]", "", `no JSON object: write {"transaction": "..."} or nothing`},
		{"trigger", "7", "", `no JSON object: write {"transaction": "..."} or nothing`},
		{"trigger", `{"transaction": 5}`, "", `"transaction" is no string`},
		{"trigger", `{"transaction": "` + strings.Repeat("t", maxTransaction+1) + `"}`, "", "has 257 bytes: at most 256 are taken"},
		{"dance", `{"transaction": "t"}`, "t", `unknown command "dance"`},
		{"dance", `{"transaction": null}`, "", `unknown command "dance"`},
		{"dance", `null`, "", `unknown command "dance"`},
	} {
		c.receive("edged/n/request/"+x.cmd, []byte(x.payload), false)
		topic, r := answer(t, c)
		if topic != "edged/n/response/"+x.cmd || r.Status != "error" || r.Transaction != x.transaction || !strings.Contains(r.Error, x.says) {
			t.Errorf("%s %s: %s %+v", x.cmd, x.payload, topic, r)
		}
		if strings.Contains(r.Error, "struct") || strings.Contains(r.Error, "Go value") {
			t.Errorf("%s speaks of Go: %s", x.payload, r.Error)
		}
	}
}

// What is not even answered is counted and said.
func TestCommandsThatAreDropped(t *testing.T) {
	var log lockedBuffer
	c := deaf(t, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	c.Handle("trigger", func(context.Context, Request) (any, error) { return nil, nil })
	for i, x := range []struct {
		topic, payload string
		retained       bool
		says           string
	}{
		{"edged/n/request/trigger", "{}", true, "send it without the retain flag"},
		{"edged/n/request/", "{}", false, "names no command"},
		{"edged/n/request/Two Words", "{}", false, "names no command"},
		{"edged/n/request/" + strings.Repeat("x", 60000), "{}", false, "names no command"},
		{"edged/n//enabled/set", "ON", false, "names no command"},
		{"edged/n/cam/enabled/set", "perhaps", false, "understands ON and OFF only"},
	} {
		c.receive(x.topic, []byte(x.payload), x.retained)
		if l, _ := c.Link(); l.CommandsDropped != uint64(i+1) || !strings.Contains(log.String(), x.says) {
			t.Errorf("%.40s: %d dropped; log:\n%.500s", x.topic, l.CommandsDropped, log.String())
		}
	}
	for range commandQueue + 3 { // nobody works on them: the client was not started
		c.receive("edged/n/request/trigger", nil, false)
	}
	if l, _ := c.Link(); l.CommandsDropped != 6+3 || !strings.Contains(log.String(), "faster than they can be carried out") {
		t.Errorf("%d dropped", l.CommandsDropped)
	}
}

// A trouble that passes is said once in its time, one of which nobody knows
// whether it has passed once an hour.
func TestSaidOnce(t *testing.T) {
	var s saidOnce
	now := time.Unix(0, 0)
	hourly := func(text string) bool { return s.due("flood", text, now, time.Hour) }
	if !hourly("a") || hourly("a") || !hourly("b") {
		t.Error("not said once each")
	}
	now = now.Add(59 * time.Minute)
	if hourly("a") {
		t.Error("said again within the hour")
	}
	now = now.Add(time.Minute)
	if !hourly("a") || hourly("a") {
		t.Error("not said once in the next hour")
	}
	if !s.clear("flood") || s.clear("flood") || !hourly("a") {
		t.Error("clear does not let it be said again")
	}
}

// Whatever arrives is answered, queued, or counted as dropped.
func FuzzCommand(f *testing.F) {
	f.Add("request/trigger", []byte(`{"transaction":"t","part_id":"A 7"}`), false)
	f.Add("request/dance", []byte(`{"transaction":5}`), true)
	f.Add("request/trigger", []byte(`[{"transaction":"\ud800"}]`), false)
	f.Add("cam/enabled/set", []byte(" on\n"), false)
	f.Add("status", []byte("offline"), false)
	f.Add("cam//enabled/set", []byte{0xff, 0}, false)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		c := deaf(t, func(cfg *Config) { cfg.MaxPayload = minPayload })
		c.Handle("trigger", nil)
		c.HandleEnabled(nil)
		c.receive("edged/n/"+topic, payload, retained)
		l, a := c.linkStats(), c.Ledger()[KindResponse]
		queued := uint64(len(c.handlers["trigger"].queue) + len(c.handlers[enabledCommand].queue))
		if n := l.CommandsDropped + a.Produced + queued; n != 1 && topic != "status" {
			t.Errorf("%d outcomes: %d dropped, %+v, %d queued", n, l.CommandsDropped, a, queued)
		}
		if m := c.queues[KindResponse].peek(); m != nil && (!json.Valid(m.payload) || len(m.payload) > minPayload) {
			t.Errorf("answer %q", m.payload)
		}
	})
}

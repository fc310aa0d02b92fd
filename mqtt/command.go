package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

const (
	// commandRate and commandBurst bound the commands that are looked at: far
	// more than a production line triggers, far less than a flood.
	commandRate  = 200 // a second
	commandBurst = 400

	// commandQueue bounds the commands of one name that wait for their handler.
	commandQueue = 32

	maxTransaction = 256 // bytes
)

// Request is a command that has arrived.
type Request struct {
	Command     string
	Transaction string          // echoed in the response
	Body        json.RawMessage // the whole payload: an object, or empty
	Retained    bool            // it was there before this connection: enabled/set alone
}

// Handler carries out a command. Its value becomes data of the response. ctx
// ends when the client closes.
type Handler func(ctx context.Context, r Request) (any, error)

// handler runs the commands of one name, one at a time, apart from the others:
// a reload that takes seconds delays no trigger.
type handler struct {
	do    Handler
	queue chan Request
}

// enabledCommand is the name under which enabled/set is queued; no request can
// have it.
const enabledCommand = "enabled/set"

// zonesCommand is the same for zones/set.
const zonesCommand = LeafZonesSet

// isRequest tells a command that is answered from one that a state answers.
func isRequest(cmd string) bool { return cmd != enabledCommand && cmd != zonesCommand }

// Handle sets what carries out edged/<node>/request/<cmd>. Call it before Start.
func (c *Client) Handle(cmd string, do Handler) {
	c.handlers[cmd] = &handler{do: do, queue: make(chan Request, commandQueue)}
}

// HandleEnabled sets what switches a camera on and off; on success the client
// publishes enabled/state. A retained message is carried out too, at every
// connection: what is switched off for good stays so over a restart. Call it
// before Start.
func (c *Client) HandleEnabled(do func(ctx context.Context, cam string, on, retained bool) error) {
	c.Handle(enabledCommand, func(ctx context.Context, r Request) (any, error) {
		cam, on := r.Transaction, string(r.Body) == "ON"
		if err := do(ctx, cam, on, r.Retained); err != nil {
			c.said.hourly(c.log, "enabled", "a camera could not be switched", "camera", cam, "on", on, "error", err)
			return nil, err
		}
		c.Enabled(cam, on)
		return nil, nil
	})
}

// HandleZones sets what gives a camera other zones, or with a nil list those of its
// config again; malformed is why the message holds none, for do to tell. What holds
// from then on is published by Zones. Retained messages are carried out too. Call it
// before Start.
func (c *Client) HandleZones(do func(cam string, list []Zone, malformed error, retained bool)) {
	c.Handle(zonesCommand, func(_ context.Context, r Request) (any, error) {
		list, err := readZones(r.Body)
		do(r.Transaction, list, err, r.Retained)
		return nil, nil
	})
}

// readZones reads the payload of zones/set; nothing, or null, is nil.
func readZones(body []byte) ([]Zone, error) {
	if len(body) == 0 {
		return nil, nil
	}
	var list []struct {
		Name    string      `json:"name"`
		Polygon [][]float64 `json:"polygon"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("it is no list of zones: %w; write [{\"name\": \"left\", \"polygon\": [[x, y], ...]}, ...]", err)
	}
	if list == nil {
		return nil, nil
	}
	zones := make([]Zone, len(list))
	for i, z := range list {
		zones[i].Name = z.Name
		for _, p := range z.Polygon {
			if len(p) != 2 { // an array would take what there is
				return nil, fmt.Errorf("zone %q: corner %v: write [x, y]", z.Name, p)
			}
			zones[i].Polygon = append(zones[i].Polygon, [2]float64{p[0], p[1]})
		}
	}
	return zones, nil
}

func (h *handler) work(c *Client) {
	defer c.workers.Done()
	for {
		select {
		case <-c.closing:
			return
		case r := <-h.queue:
			data, err := h.do(c.handlerContext(), r)
			if isRequest(r.Command) {
				c.respond(r.Command, r.Transaction, data, err)
			}
		}
	}
}

func (c *Client) handlerContext() context.Context { return closingContext{c.ctx, c.closing} }

// receive sorts what arrives. It runs on the connection's reading goroutine and
// never waits.
func (c *Client) receive(topic string, payload []byte, retained bool) {
	if c.cameBack(topic, len(payload), retained) {
		return
	}
	if topic == discoveryBirth {
		c.born(payload)
		return
	}
	if c.topics.owns(topic) {
		c.heard(topic, payload, retained, time.Now())
		return
	}
	if cam := c.topics.cameraOf(topic, LeafZonesSet); cam != "" {
		c.enqueue(Request{Command: zonesCommand, Transaction: cam, Body: payload, Retained: retained}, topic)
		return
	}
	if cam := c.topics.cameraOf(topic, enabledCommand); cam != "" {
		state := strings.ToUpper(strings.TrimSpace(string(payload)))
		if state != "ON" && state != "OFF" {
			c.dropCommand("enabled/set understands ON and OFF only", topic)
			return
		}
		c.enqueue(Request{Command: enabledCommand, Transaction: cam, Body: json.RawMessage(state), Retained: retained}, topic)
		return
	}
	cmd := c.topics.commandOf(topic)
	switch {
	case CheckID(cmd) != nil:
		c.dropCommand("a request whose topic names no command is not carried out", topic)
		return
	case retained: // it would be carried out again at each connection
		c.dropCommand("a retained request is not carried out: send it without the retain flag", topic)
		return
	}
	r := Request{Command: cmd, Body: payload}
	if err := r.parse(); err != nil {
		c.respond(cmd, r.Transaction, nil, err)
		return
	}
	c.enqueue(r, topic)
}

// parse takes the transaction out of the payload, an object or nothing.
func (r *Request) parse() error {
	if len(r.Body) == 0 {
		r.Body = nil
		return nil
	}
	var head map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &head); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("the request is no JSON object: %w at byte %d", err, syntax.Offset)
		}
		return errors.New("the request is no JSON object: write {\"transaction\": \"...\"} or nothing")
	}
	if t := head["transaction"]; t != nil && json.Unmarshal(t, &r.Transaction) != nil {
		return errors.New("the request's \"transaction\" is no string")
	}
	if n := len(r.Transaction); n > maxTransaction { // the answer repeats it, and must fit
		r.Transaction = ""
		return fmt.Errorf("the request's \"transaction\" has %d bytes: at most %d are taken", n, maxTransaction)
	}
	return nil
}

func (c *Client) enqueue(r Request, topic string) {
	h := c.handlers[r.Command]
	if h == nil {
		if isRequest(r.Command) {
			c.respond(r.Command, r.Transaction, nil, fmt.Errorf("unknown command %q", r.Command))
		}
		return
	}
	select {
	case h.queue <- r:
	default:
		c.dropCommand("commands arrive faster than they can be carried out: some are dropped", topic)
	}
}

func (c *Client) dropCommand(text, topic string) {
	c.said.hourly(c.log, "commands", text, "topic", topic)
	c.mu.Lock()
	c.link.CommandsDropped++
	c.mu.Unlock()
}

// respond queues the answer to a command.
func (c *Client) respond(cmd, transaction string, data any, err error) {
	r := Response{Transaction: transaction, Status: "ok", Data: data}
	if err != nil {
		r.Status, r.Error, r.Data = "error", err.Error(), nil
	}
	body, err := json.Marshal(r)
	if limit := int(c.limit.Load()); err == nil && len(body) > limit {
		err = fmt.Errorf("the answer of %d bytes is over the limit of %d", len(body), limit)
	}
	if err != nil {
		body, _ = json.Marshal(Response{Transaction: transaction, Status: "error", Error: err.Error()})
	}
	c.mu.Lock()
	c.produce(&message{kind: KindResponse, topic: c.topics.Response(cmd), payload: body, qos: 1})
	c.mu.Unlock()
	c.rouse()
}

// noticeFlood says that the wire swallows commands, while it does. It is called
// by the publishing goroutine.
func (c *Client) noticeFlood() {
	if n := c.swallow.Load(); n > c.flood {
		c.flood = n
		c.said.hourly(c.log, "flood", "commands arrive faster or larger than allowed: the excess is dropped and counted",
			"allowed_per_second", commandRate, "allowed_bytes", c.cfg.MaxPayload, "dropped_so_far", n)
	}
}

// linkStats is the state of the link; c.mu is held.
func (c *Client) linkStats() LinkStats {
	l := c.link
	l.CommandsDropped += c.swallow.Load()
	l.Degraded = maps.Clone(l.Degraded)
	l.SpoolErrors = c.spoolErrors()
	return l
}

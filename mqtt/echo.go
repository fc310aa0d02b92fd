package mqtt

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const (
	// correctAfter is how long a state may stand wrong at the broker: after the
	// first wrong word of any number, so that a flood of them costs two states a
	// second and the last of them is put right.
	correctAfter = 500 * time.Millisecond

	// echoTime is how soon a state must come back that the broker acknowledged.
	echoTime = time.Second

	// twinAnswer is the least time between two answers to another node's info.
	twinAnswer = 5 * time.Second
)

// Whether what this node publishes arrives at a subscriber: LinkStats.Arrives.
const (
	ArrivesUnknown = "unknown" // nothing was due to come back yet, or nothing can
	ArrivesYes     = "yes"
	ArrivesNo      = "no" // the broker acknowledges and does not deliver
)

// echo is what is known of one of the node's own topics on this link: the node
// subscribes to them, so that what it says comes back, and what others say there
// is seen.
type echo struct {
	sent  string    // payload that was sent last
	acked time.Time // when the broker acknowledged it
	back  bool      // it has come back
	wrong time.Time // since when something else stands there
}

// twin is another node with this node's name, known by the run id of its info.
type twin struct {
	run      string
	seen     time.Time // when it last said anything
	answered time.Time // when this node last told it of itself
}

// filters are what a node subscribes to, in three packets: its commands, and the
// topics that it alone should publish to, its own and its cameras'.
func (t Topics) filters() [][]string {
	return [][]string{
		{t.Request("+"), t.OfCamera("+", "enabled/set"), t.OfCamera("+", LeafZonesSet)},
		{t.OfNode("status"), t.OfNode("info"), t.OfNode("stats")},
		{t.OfCamera("+", "status"), t.OfCamera("+", "enabled/state"), t.OfCamera("+", LeafZonesState)},
	}
}

// owns tells whether a topic is one that the node alone should publish to.
func (t Topics) owns(topic string) bool {
	rest, ok := strings.CutPrefix(topic, t.Prefix+"/"+t.Node+"/")
	cam, leaf, of := strings.Cut(rest, "/")
	if !of {
		return ok && slices.Contains([]string{"status", "info", "stats"}, rest)
	}
	return ok && cam != "request" && slices.Contains([]string{"status", "enabled/state", LeafZonesState}, leaf)
}

// heard takes what came on a topic of the node's own.
func (c *Client) heard(topic string, payload []byte, retained bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.echoes[topic]
	if e == nil {
		if c.states.of(topic) == nil && topic != c.topics.OfNode("stats") {
			return // of a camera that is not there: whoever writes it makes nothing grow here
		}
		e = &echo{}
		c.echoes[topic] = e
	}
	came := string(payload)
	if !retained && came == e.sent {
		e.back = true
	}
	if topic == c.topics.OfNode("stats") {
		if !slices.Contains(c.ownStats[:], came) && c.twin.run != "" {
			c.twin.seen = now
		}
		return
	}
	want := c.states.of(topic)
	switch {
	case want == nil: // of a camera that is no more
	case came == string(want.payload):
		e.wrong = time.Time{}
		return
	case e.wrong.IsZero():
		e.wrong = now
	}
	if !retained && topic == c.topics.OfNode("info") {
		c.meet(payload, now)
	}
	if !retained && topic == c.topics.OfNode("status") && came == Offline {
		c.part()
	}
}

// meet looks whether an info is that of another node with this name. Both go on
// and neither puts right what the other says; each answers the other's info with
// its own, so that both know. c.mu is held.
func (c *Client) meet(info []byte, now time.Time) {
	var i Info
	if json.Unmarshal(info, &i) != nil || i.Run == "" || i.Run == c.runID || i.Version == "" || i.Schema == 0 || i.StartedAt.IsZero() {
		return // nobody's: it is put right
	}
	known := c.twin.run == i.Run
	c.twin.run, c.twin.seen = i.Run, now
	c.link.Twin = i.Run
	c.said.hourly(c.log, "name", "another node of the same name is connected: results of both arrive under one topic",
		"node", c.cfg.Node, "its_run", i.Run, "its_start", i.StartedAt, "own_run", c.runID, "cure", "give each node its own node.name")
	if own := c.states.of(c.topics.OfNode("info")); !known && own != nil && now.Sub(c.twin.answered) >= twinAnswer {
		c.twin.answered = now
		c.restate(own)
	}
}

// part forgets the twin, which has said that it goes or has said nothing for
// long, and has this node's states stand again. c.mu is held.
func (c *Client) part() {
	if c.twin.run == "" {
		return
	}
	c.twin.run, c.link.Twin = "", ""
	c.said.clear("name")
	for _, m := range c.states.latest {
		c.restate(m)
	}
}

// restate queues a state again unless it waits. c.mu is held.
func (c *Client) restate(m *message) {
	if !c.states.queue.has(m.topic) && !c.finished {
		c.queueState(m)
		c.rouse()
	}
}

// spoke notes that m is on its way, if it is one that comes back.
func (c *Client) spoke(m *message) {
	if m.kind != KindState && m.kind != KindStats || !c.topics.owns(m.topic) { // the node does not hear what it says to others
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.kind == KindStats {
		copy(c.ownStats[1:], c.ownStats[:])
		c.ownStats[0] = string(m.payload)
	}
	e := c.echoes[m.topic]
	if e == nil {
		e = &echo{}
		c.echoes[m.topic] = e
	}
	e.sent, e.acked, e.back = string(m.payload), time.Time{}, false
}

// acknowledged notes that the broker has m. c.mu is held.
func (c *Client) acknowledged(m *message) {
	if e := c.echoes[m.topic]; e != nil && e.sent == string(m.payload) && e.acked.IsZero() {
		e.acked = time.Now()
	}
}

// listen begins a link: nothing was said on it yet.
func (c *Client) listen() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.echoes, c.paths = map[string]*echo{}, map[string]*path{}
	c.link.Arrives = ArrivesUnknown
}

// attend does what is due on the node's own topics: it puts states right, lets a
// twin go that is silent, and tells what does not come back. silent are filters
// that the broker refuses.
func (c *Client) attend(now time.Time, silent []string) {
	c.mu.Lock()
	if c.twin.run != "" && now.Sub(c.twin.seen) > 3*c.cfg.StatsEvery {
		c.part()
	}
	lost, largest := c.lostPaths()
	for topic, e := range c.echoes {
		if !e.wrong.IsZero() && now.Sub(e.wrong) >= correctAfter {
			e.wrong = time.Time{}
			if m := c.states.of(topic); m != nil && c.twin.run == "" && !c.closed {
				c.restate(m)
				c.link.StatesCorrected++
			}
		}
		if !e.back && !e.acked.IsZero() && now.Sub(e.acked) > echoTime {
			lost = append(lost, topic)
			largest = max(largest, len(e.sent))
			if m := c.states.of(topic); m != nil && now.Sub(e.acked) > probeAgain {
				c.restate(m) // whatever kept it may have passed
			}
		}
	}
	status := c.echoes[c.topics.OfNode("status")]
	switch {
	case len(silent) > 0:
		c.link.Arrives = ArrivesUnknown
	case len(lost) > 0:
		c.link.Arrives = ArrivesNo
	case status != nil && status.back:
		c.link.Arrives = ArrivesYes
	}
	arrives := c.link.Arrives
	c.mu.Unlock()
	switch {
	case arrives == ArrivesNo:
		slices.Sort(lost)
		c.said.once(c.log, "echo", "the broker acknowledges what this node publishes and does not deliver it", "topics", lost, "largest_bytes", largest,
			"cure", undeliveredCure)
	case arrives == ArrivesYes && c.said.clear("echo"):
		c.log.Info("what this node publishes arrives")
	}
}

const undeliveredCure = "let this user publish to and read its own topics (access list), and the broker take messages of this size (message_size_limit)"

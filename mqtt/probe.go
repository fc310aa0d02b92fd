package mqtt

import (
	"maps"
	"slices"
	"time"
)

// The node's own states tell whether small messages on its own topics arrive.
// Whether its cameras' results, masks and events do is asked for by listening to
// each such topic until one of its messages has come back, after connecting and
// now and then: a broker may discard masks alone, for their size or their topic,
// and acknowledge all the rest.

const (
	probeEvery      = 10 * time.Minute
	probeAgain      = time.Minute // what did not arrive is looked at sooner
	probeAfter      = time.Second // of a new link
	probeTime       = 2 * echoTime
	probedConfirmed = 2 // messages sent while listening, before silence means anything
)

// probed are the topics of what a camera publishes as it runs. They are asked for
// together: a packet holds three filters, as those of the node's own topics do.
func (t Topics) probed(cam string) []string {
	return []string{t.OfCamera(cam, "result"), t.OfCamera(cam, "mask"), t.OfCamera(cam, "event")}
}

// path is what is known of one of a camera's topics on this link.
type path struct {
	cam       string
	listens   bool      // subscribed to
	since     time.Time // when it was, or when it was last looked at
	confirmed int       // messages sent since then that the broker has
	first     time.Time // when the broker had the first of them
	sent      int       // size of the largest of those that must have come back when judged
	came      int       // size of the largest that did
	proven    int       // the same, ever on this link
	largest   int       // size of the largest message on this link
	lost      bool      // judged: nothing comes back, or nothing large
}

// due tells whether it is to be asked again if messages on p arrive. Larger
// messages than those that are known to arrive may not.
func (p *path) due(now time.Time) bool {
	switch every := now.Sub(p.since); {
	case p.listens:
		return false
	case p.since.IsZero():
		return true
	case p.lost || p.largest > 2*p.proven && p.proven > 0:
		return every > probeAgain
	default:
		return every > probeEvery
	}
}

// judge tells whether p is decided: a message as large as any came back, or it is
// time that one had.
func (p *path) judge(now time.Time) bool {
	switch {
	case !p.listens:
		return false
	case p.came > 0 && 2*p.came >= p.largest:
		p.lost = false
	case p.confirmed >= probedConfirmed && now.Sub(p.first) > probeTime:
		p.lost = 2*p.came < p.sent
	default:
		return false
	}
	return true
}

// probes are the questions that a session has put to the broker.
type probes struct {
	asked chan map[string]bool // topics, and whether they may be listened to; nil: nothing is asked
}

// probe puts and settles those questions.
func (s *session) probe(now time.Time) {
	c := s.c
	if c.mute.Load() || now.Sub(s.link.born) < probeAfter {
		return
	}
	select {
	case answers := <-s.probes.asked:
		s.probes.asked = nil
		c.hungUp.Store(0)
		c.listening(answers, now)
	default:
	}
	ask, leave := c.undecided(now)
	if len(leave) > 0 {
		s.link.unsubscribe(leave)
	}
	if len(ask) == 0 || s.probes.asked != nil {
		return
	}
	asked := make(chan map[string]bool, 1)
	s.probes.asked = asked
	go func(l *link) {
		answers := map[string]bool{}
		refused, err := l.subscribe(c.cfg.AckTimeout, ask...)
		for _, topic := range slices.Concat(ask...) {
			answers[topic] = err == nil && !slices.Contains(refused, topic)
		}
		asked <- answers
	}(s.link)
}

// hangUps is how many links in a row a broker must close on the question before
// that is the cause: one may have died just then.
const hangUps = 3

// probed notes that the link has ended: a broker that hangs up when it is asked
// for the node's own results is not asked again.
func (s *session) probed() {
	if s.probes.asked == nil || !closedByPeer(s.cause) {
		return
	}
	select {
	case <-s.probes.asked:
	default:
		if s.c.hungUp.Add(1) < hangUps {
			return
		}
		s.c.mute.Store(true)
		s.c.log.Warn("the broker closed the connection when asked for this node's own results: whether they arrive is not watched any more",
			"cure", "let this user subscribe to its own cameras' result, mask and event (access list)")
	}
}

// listening takes the broker's answers.
func (c *Client) listening(answers map[string]bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, may := range answers {
		p := c.paths[topic]
		if p.listens && may {
			continue // all along
		}
		p.listens, p.since, p.confirmed, p.sent, p.came = may, now, 0, 0, 0
	}
}

// undecided are the topics to listen to from now on, by camera, and those to
// listen to no more.
func (c *Client) undecided(now time.Time) (ask [][]string, leave []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := map[string]bool{}
	for topic, p := range c.paths {
		switch {
		case p.judge(now):
			leave = append(leave, topic)
			p.listens, p.since = false, now
		case p.due(now):
			due[p.cam] = true
		}
	}
	for _, cam := range slices.Sorted(maps.Keys(due)) {
		ask = append(ask, c.topics.probed(cam))
	}
	return ask, leave
}

// carried notes that the broker has m, which was sent then. c.mu is held.
func (c *Client) carried(m *message, sent time.Time) {
	if m.cam == "" {
		return
	}
	if c.paths[c.topics.OfCamera(m.cam, "result")] == nil {
		for _, topic := range c.topics.probed(m.cam) {
			c.paths[topic] = &path{cam: m.cam}
		}
	}
	p := c.paths[m.topic]
	if p == nil {
		return // nothing that a camera publishes as it runs
	}
	p.largest = max(p.largest, len(m.payload))
	if p.listens && sent.After(p.since) {
		now := time.Now()
		if p.confirmed++; p.confirmed == 1 {
			p.first = now
		}
		if now.Sub(p.first) < probeTime-echoTime {
			p.sent = max(p.sent, len(m.payload))
		}
	}
}

// cameBack tells whether topic is one of a camera's own, and notes what came.
func (c *Client) cameBack(topic string, size int, retained bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.paths[topic]
	if p == nil {
		return false
	}
	if !retained {
		p.came, p.proven = max(p.came, size), max(p.proven, size)
	}
	return true
}

// lostPaths are the topics on which nothing arrives, with the size of the largest
// message there. c.mu is held.
func (c *Client) lostPaths() (topics []string, largest int) {
	for topic, p := range c.paths {
		if p.lost {
			topics, largest = append(topics, topic), max(largest, p.largest)
		}
	}
	return topics, largest
}

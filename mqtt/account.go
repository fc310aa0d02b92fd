package mqtt

import (
	"maps"
	"slices"
)

// Everything in this file runs with Client.mu held, so that a message is never
// seen between two columns of the ledger.

// produce counts m in and queues it.
func (c *Client) produce(m *message) {
	c.enter(m)
	switch {
	case m.kind == KindMask && m.payload == nil:
		c.drop(m, ReasonPayload) // encode has found no form that is small enough
	case len(m.payload) > c.cfg.MaxPayload:
		c.drop(m, ReasonPayload)
	case c.finished && m.spooled == 0:
		c.drop(m, ReasonShutdown)
	default:
		c.queues[m.kind].push(m, func(old *message) { c.drop(old, ReasonQueueFull) })
	}
}

// enter counts m as produced and gives it its place in the order.
func (c *Client) enter(m *message) {
	c.order++
	m.order = c.order
	a := c.account[m.kind]
	a.Produced++
	a.InFlight++
}

// drop settles m as dropped and notes the hole it leaves. An event that was in
// flight when a link broke may have arrived all the same.
func (c *Client) drop(m *message, why Reason) {
	if m.perhaps && why != ReasonPoison {
		c.forget(m)
		return
	}
	a := c.account[m.kind]
	a.InFlight--
	a.Dropped[why]++
	c.lose(m, why)
}

// forget settles m as unknown: the link broke while it was in flight.
func (c *Client) forget(m *message) {
	a := c.account[m.kind]
	a.InFlight--
	a.Unknown++
	c.lose(m, ReasonUnknown)
}

// lose remembers that m's number may be missing at the subscriber.
func (c *Client) lose(m *message, why Reason) {
	if m.seq != 0 {
		c.gaps.add(m.cam, Gap{Kind: m.kind, From: m.seq, To: m.seq, Count: 1, Reason: why})
	}
	for _, g := range m.gaps {
		c.gaps.add(m.cam, g) // a report that is lost is made again
	}
	c.release(m)
}

// confirm settles m as delivered.
func (c *Client) confirm(m *message) {
	a := c.account[m.kind]
	a.InFlight--
	if m.qos == 0 {
		a.HandedOver++
	} else {
		a.Acknowledged++
		c.acknowledged(m)
	}
	c.release(m)
}

func (c *Client) ledger() Ledger {
	l := snapshot(c.account)
	for k, a := range l {
		if q := c.queues[k]; q != nil {
			a.Queued = uint64(q.len())
		} else if k == KindState {
			a.Queued = uint64(c.states.queue.len())
		}
		l[k] = a
	}
	return l
}

// next takes the message to send now: states, then answers, then events, then
// results, masks and pictures in the order in which they were produced. Before one that
// would reveal a gap comes the event that reports it.
func (c *Client) next() *message {
	q := c.nextQueue()
	if q == nil {
		return nil
	}
	for m := q.peek(); m != nil; m = q.peek() {
		if limit := c.limit.Load(); int64(len(m.payload)) > limit {
			c.drop(q.pop(), ReasonBrokerLimit)
			continue
		}
		if m.seq != 0 && c.gaps.reveals(m.cam, m.kind, m.seq) {
			return c.report(m.cam)
		}
		c.share(m)
		return q.pop()
	}
	return c.next()
}

// share keeps the account by which answers get at most half of a busy link:
// whoever asks much must not stop results.
func (c *Client) share(m *message) {
	if m.kind == KindResponse {
		c.answers += m.size()
	} else {
		c.answers = max(0, c.answers-m.size())
	}
}

func (c *Client) nextQueue() *queue {
	answers := c.queues[KindResponse]
	switch {
	case c.states.queue.len() > 0:
		return &c.states.queue
	case answers.len() > 0 && c.answers == 0:
		return answers
	case c.queues[KindEvent].len() > 0:
		return c.queues[KindEvent]
	}
	if q := c.nextOfCameras(); q != nil {
		return q
	}
	if answers.len() > 0 {
		return answers
	}
	return nil
}

// nextOfCameras is the queue of results, of masks or of pictures, by the order in
// which they were produced.
func (c *Client) nextOfCameras() *queue {
	var first *queue
	for _, k := range [...]Kind{KindResult, KindMask, KindPicture} {
		q := c.queues[k]
		if m := q.peek(); m != nil && (first == nil || m.order < first.peek().order) {
			first = q
		}
	}
	return first
}

// reports are the events for every hole that nothing sent later would reveal: at
// the end of a sequence, that is until now.
func (c *Client) reports() (events []*message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cam := range slices.Sorted(maps.Keys(c.gaps)) {
		if len(c.gaps[cam]) > 0 {
			events = append(events, c.report(cam))
		}
	}
	return events
}

// report makes the event that names every gap of a camera.
func (c *Client) report(cam string) *message {
	gaps := c.gaps.take(cam)
	k := c.cameraLocked(cam)
	m, err := c.gapEvent(cam, k, gaps)
	if err != nil {
		panic("BUG: " + err.Error()) // a Gap always marshals
	}
	m.gaps = gaps
	c.enter(m)
	return m
}

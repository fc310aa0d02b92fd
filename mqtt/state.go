package mqtt

import (
	"slices"
	"strings"
)

// states are the retained messages. The latest of each topic is kept, so that
// every new connection finds them at the broker, whatever the broker forgot.
type states struct {
	latest []*message
	queue  queue
}

// of is the state of a topic, nil when there is none.
func (s *states) of(topic string) *message {
	if i := slices.IndexFunc(s.latest, func(m *message) bool { return m.topic == topic }); i >= 0 {
		return s.latest[i]
	}
	return nil
}

// setState makes payload the state of topic and queues it. One that still waits
// is superseded.
func (c *Client) setState(topic, payload string) {
	m := &message{kind: KindState, topic: topic, payload: []byte(payload), qos: 1, retain: c.cfg.Retain}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.states
	if i := slices.IndexFunc(s.latest, func(o *message) bool { return o.topic == topic }); i >= 0 {
		s.latest[i] = m
	} else {
		s.latest = append(s.latest, m)
	}
	s.queue.remove(func(o *message) bool { return o.topic == topic }, func(o *message) { c.drop(o, ReasonSuperseded) })
	c.queueState(m)
	c.rouse()
}

// queueState queues a copy of m, because one state may be sent many times.
func (c *Client) queueState(m *message) {
	n := *m
	c.enter(&n)
	c.states.queue.push(&n, func(*message) { panic("BUG: more states than memory") })
}

// announce queues every state that does not wait already.
func (c *Client) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.states.latest {
		c.restate(m)
	}
}

// depart makes offline the state of the node and its cameras, the last of what
// a clean stop sends.
func (c *Client) depart() {
	c.mu.Lock()
	var topics []string
	for _, m := range c.states.latest {
		if strings.HasSuffix(m.topic, "/status") {
			topics = append(topics, m.topic)
		}
	}
	c.mu.Unlock()
	slices.Reverse(topics) // the node's own comes last
	for _, t := range topics {
		c.setState(t, Offline)
	}
}

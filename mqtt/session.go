package mqtt

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"
)

const (
	// The window bounds what becomes unknown when a link breaks: as many
	// messages, or as many bytes beyond the first, as may be unconfirmed.
	windowMessages = 64
	windowBytes    = 128 << 10

	tick = 250 * time.Millisecond
)

// session is the life of one link: it sends, and follows what it sent until the
// broker has confirmed it. It is used by the publishing goroutine alone.
type session struct {
	c      *Client
	h      *health
	link   *link
	flight []flying // in the order of sending
	bytes  int
	stats  time.Time // when the last stats were sent
	acked  time.Time // when the broker last acknowledged anything
	newest time.Time // when what it acknowledged was sent, at the latest
	cause  error     // why the session ended

	refused  []string      // filters that the broker refuses ...
	askAgain time.Time     // ... and when they are asked for again
	asked    chan []string // refused anew

	probes probes

	largestConfirmed int // payload bytes
	largestLost      int // payload bytes of what was in flight at the end
}

// flying is a message that was sent and not confirmed.
type flying struct {
	*message
	token token
	sent  time.Time
}

func (f *flying) done() bool {
	select {
	case <-f.token.Done():
		return true
	default:
		return false
	}
}

// run announces the node and publishes until the link breaks or Close has
// drained the queues.
func (s *session) run() {
	defer func() { s.link.drop(s.cause) }()
	c := s.c
	c.listen()
	refused, err := s.link.subscribe(c.cfg.AckTimeout, c.filters()...)
	if err != nil {
		if s.cause = err; s.link.wire.why() != nil {
			s.cause = s.link.wire.why()
		}
		return
	}
	s.note(refused)
	c.connected()
	c.announce()
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		s.settle()
		s.send()
		if s.over() {
			return
		}
		select {
		case <-c.wake:
		case <-s.firstToken():
		case <-s.link.wire.lost:
		case <-c.closing:
			s.drain(t)
			return
		case <-t.C:
			s.keep()
		}
	}
}

// over tells whether the link has ended, and notes why.
func (s *session) over() bool {
	select {
	case <-s.link.wire.lost:
		s.cause = s.link.wire.why()
		return true
	default:
		return false
	}
}

// send fills the window.
func (s *session) send() {
	for s.open() {
		s.c.mu.Lock()
		m := s.c.next()
		s.c.mu.Unlock()
		if m == nil {
			return
		}
		s.put(m)
	}
}

func (s *session) open() bool {
	select {
	case <-s.link.wire.lost:
		return false
	default:
		return len(s.flight) < windowMessages && (s.bytes < windowBytes || len(s.flight) == 0)
	}
}

func (s *session) put(m *message) {
	s.c.beat.Add(1)
	s.c.spoke(m)
	s.flight = append(s.flight, flying{m, s.link.publish(m), time.Now()})
	s.bytes += len(m.payload)
}

// firstToken is done when the oldest message that awaits a PUBACK has it. Nil
// blocks for ever: nothing is awaited.
func (s *session) firstToken() <-chan struct{} {
	for i := range s.flight {
		if s.flight[i].qos > 0 {
			return s.flight[i].token.Done()
		}
	}
	return nil
}

// settle confirms what the broker has: QoS 1 by its PUBACK, QoS 0 by the PUBACK
// of anything sent later, because the broker reads in order.
func (s *session) settle() {
	acked := -1
	for i := range s.flight {
		f := &s.flight[i]
		if !f.done() {
			continue
		}
		if err := f.token.Error(); err != nil {
			s.link.wire.fail(err)
		} else if f.qos > 0 {
			acked = i
		}
	}
	if acked < 0 {
		return
	}
	s.acked = time.Now()
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := s.flight[:0]
	for i := range s.flight {
		f := s.flight[i]
		if i > acked || !f.done() || f.token.Error() != nil {
			kept = append(kept, f)
			continue
		}
		s.bytes -= len(f.payload)
		s.largestConfirmed = max(s.largestConfirmed, len(f.payload))
		if f.qos > 0 && f.sent.After(s.newest) {
			s.newest = f.sent
		}
		c.confirm(f.message)
		c.carried(f.message, f.sent)
	}
	clear(s.flight[len(kept):])
	s.flight = kept
}

// keep does what is due by the clock: it gives up a link that does not
// acknowledge, and sends stats, early when only they can confirm a QoS 0 message.
func (s *session) keep() {
	s.c.beat.Add(1)
	now := time.Now()
	s.c.noticeFlood()
	if s.h.limit.relax(now) {
		s.c.setLimit(s.h.limit.cur)
	}
	s.c.attend(now, s.refused)
	s.ask(now)
	s.probe(now)
	waiting := s.firstToken() != nil
	if err := s.overdue(now); err != nil {
		s.link.wire.fail(err)
		return
	}
	stale := len(s.flight) > 0 && !waiting && now.Sub(s.flight[0].sent) > 2*tick
	if stale || now.Sub(s.stats) >= s.c.cfg.StatsEvery {
		s.sendStats(now)
	}
}

// overdue tells that the broker acknowledges nothing more, or that it has passed
// over a message: what was sent after it has its PUBACK. The link ends then, so
// that the hole is told before long.
func (s *session) overdue(now time.Time) error {
	limit := s.c.cfg.AckTimeout
	for i := range s.flight {
		f := &s.flight[i]
		switch waits := now.Sub(f.sent); {
		case f.qos == 0:
		case waits > limit && now.Sub(s.acked) > limit:
			return fmt.Errorf("mqtt: no PUBACK in %v", limit)
		case waits > limit/2 && s.newest.Sub(f.sent) > limit/4:
			return fmt.Errorf("mqtt: no PUBACK in %v for a message, while later ones have it", limit/2)
		}
	}
	return nil
}

// askEvery is how often a refused subscription is asked for again: a cluster
// that has lost a node refuses for a while.
const askEvery = 30 * time.Second

// note takes what the broker refuses to subscribe to.
func (s *session) note(refused []string) {
	s.refused, s.askAgain = refused, time.Now().Add(askEvery)
	if len(refused) == 0 {
		s.c.said.clear("filters")
		return
	}
	s.c.said.once(s.c.log, "filters", "the broker refuses subscriptions: commands to them do not arrive, states there are not put right; asking again",
		"filters", refused, "cure", "let this user subscribe to them (access list)")
}

// ask asks again for what was refused, and takes the answer.
func (s *session) ask(now time.Time) {
	select {
	case refused := <-s.asked:
		s.asked = nil
		if len(refused) < len(s.refused) {
			s.c.announce() // what was said to deaf ears comes back now
		}
		s.note(refused)
	default:
	}
	if len(s.refused) == 0 || s.asked != nil || now.Before(s.askAgain) {
		return
	}
	s.asked = make(chan []string, 1)
	go func(l *link, filters []string, answer chan<- []string) {
		if refused, err := l.subscribe(s.c.cfg.AckTimeout, filters); err == nil {
			answer <- refused
		} else {
			answer <- filters
		}
	}(s.link, s.refused, s.asked)
}

func (s *session) sendStats(now time.Time) {
	if !s.c.cfg.Retain && now.Sub(s.stats) >= s.c.cfg.StatsEvery {
		s.c.announce() // who subscribes later finds nothing otherwise
	}
	s.stats = now
	for _, m := range s.c.reports() {
		s.put(m)
	}
	m := s.c.newStats(now)
	if int64(len(m.payload)) > s.c.limit.Load() {
		s.c.mu.Lock()
		s.c.drop(m, ReasonBrokerLimit)
		s.c.mu.Unlock()
		return
	}
	s.put(m)
}

// drain sends what is left while the time allows, then says goodbye.
func (s *session) drain(t *time.Ticker) {
	c := s.c
	c.mu.Lock()
	end := c.deadline
	c.mu.Unlock()
	goodbye := min(time.Until(end)/4, 500*time.Millisecond)
	s.until(end.Add(-goodbye), t)
	c.shed()
	s.sendStats(time.Now())
	c.depart()
	if s.until(end, t) {
		s.link.leave(max(min(time.Until(end), 250*time.Millisecond), time.Millisecond))
	}
}

// until sends and settles until nothing is left or the time is up; it tells
// whether the link still stands.
func (s *session) until(end time.Time, t *time.Ticker) bool {
	for {
		s.settle()
		s.send()
		if s.over() {
			return false
		}
		if (len(s.flight) == 0 && s.c.idle()) || !time.Now().Before(end) {
			return true
		}
		select {
		case <-s.firstToken():
		case <-s.link.wire.lost:
		case <-s.c.ctx.Done():
			return true
		case <-t.C:
			s.keep()
		}
	}
}

// settleLost ends the account of what was in flight: events go back to the head
// of their queue, the rest is unknown. It returns the first that was not
// confirmed, the one to suspect when links break again and again.
func (s *session) settleLost() (first *message) {
	s.settle()
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	var again []*message
	for i := range s.flight {
		m := s.flight[i].message
		if first == nil {
			first = m
		}
		s.largestLost = max(s.largestLost, len(m.payload))
		if m.kind == KindEvent {
			m.perhaps = true
			again = append(again, m)
			c.link.Resent++
		} else {
			c.forget(m)
		}
	}
	s.flight = nil
	slices.SortFunc(again, func(a, b *message) int { return cmp.Compare(a.order, b.order) })
	c.queues[KindEvent].pushFront(again...)
	return first
}

// newStats makes the stats message of now.
func (c *Client) newStats(now time.Time) *message {
	var st Stats
	if c.stats != nil {
		st = c.stats()
	}
	if st.Cameras == nil {
		st.Cameras = map[string]CameraStats{}
	}
	if st.Process == nil {
		st.Process = map[string]float64{}
	}
	m := &message{kind: KindStats, topic: c.topics.OfNode("stats"), qos: 1}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(m)
	st.Schema, st.TS, st.Delivery, st.Link = Schema, Time{now}, c.ledger(), c.linkStats()
	body, leftOut, err := st.fit(min(c.cfg.MaxPayload, int(c.limit.Load())))
	if err != nil {
		panic("BUG: stats do not marshal: " + err.Error())
	}
	if m.payload = body; leftOut != nil {
		c.link.Degraded[degradedStats]++
	}
	return m
}

// closedByPeer tells a connection that the broker closed from one that timed
// out or that this side gave up.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

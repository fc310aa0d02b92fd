package mqtt

import (
	"crypto/rand"
	"time"
)

// limiter learns how large a packet the broker takes. MQTT 3.1.1 has no way to
// ask: a broker with a smaller limit just closes the connection, and a client
// that sends the same again is closed again, for ever.
//
// A link is suspect when the broker closed it while a payload was unconfirmed
// that was larger than any that this link confirmed. Two suspect links in a row
// halve the limit when the payload was at least twice the largest confirmed
// one, four when it was less. From then on each further one halves it at once.
// After a quiet spell the limit doubles again, up to max_payload.
type limiter struct {
	max, cur int
	suspects int
	since    time.Time // of the last change
}

const limitSpell = 10 * time.Minute

func newLimiter(max int) limiter { return limiter{max: max, cur: max} }

// reset forgets the suspicion: a link was refused or broke for another reason.
func (l *limiter) reset() { l.suspects = 0 }

// judge takes the end of a link that the broker closed: the largest payload
// that was not confirmed and the largest that was. It tells whether the limit
// has changed.
func (l *limiter) judge(unconfirmed, confirmed int, now time.Time) bool {
	if unconfirmed <= minPayload || unconfirmed <= confirmed {
		l.suspects = 0
		return false
	}
	l.suspects++
	need := 2
	switch {
	case l.cur < l.max:
		need = 1
	case unconfirmed < 2*confirmed:
		need = 4
	}
	if l.suspects < need {
		return false
	}
	l.suspects = 0
	l.cur = max(confirmed, unconfirmed/2, minPayload)
	l.since = now
	return true
}

// relax doubles a lowered limit after a quiet spell.
func (l *limiter) relax(now time.Time) bool {
	if l.cur == l.max || now.Sub(l.since) < limitSpell {
		return false
	}
	l.cur, l.since = min(l.max, l.cur*2), now
	return true
}

// poisonTries is how many links an event may break by being the first that was
// not confirmed before it is dropped.
const poisonTries = 8

// learn draws what a link that the broker closed tells about the messages that
// were in flight.
func (c *Client) learn(h *health, s *session, first *message) {
	if h.limit.judge(s.largestLost, s.largestConfirmed, time.Now()) {
		c.setLimit(h.limit.cur)
		c.log.Warn("the broker closes the connection when a large message arrives; sending smaller ones",
			"payload_bytes", s.largestLost, "limit_bytes", h.limit.cur,
			"cure", "raise max_packet_size (mosquitto) or its like at the broker, or lower max_payload")
	}
	if first == nil || first.kind != KindEvent {
		return
	}
	if first.tries++; first.tries < poisonTries {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queues[KindEvent].remove(func(m *message) bool { return m == first }, func(m *message) { c.drop(m, ReasonPoison) })
	c.log.Warn("an event was dropped: the broker closed the connection each time it was sent", "camera", first.cam, "seq", first.seq, "tries", first.tries)
}

func (c *Client) setLimit(n int) {
	c.limit.Store(int64(n))
	c.mu.Lock()
	c.link.PayloadLimit = n
	c.mu.Unlock()
	if err := c.restateInfo(); err != nil {
		panic("BUG: " + err.Error()) // it marshalled before
	}
}

// twins is how many links in a row a broker must close soon after taking them,
// with no message to suspect, before another client with the same id is.
const twins = 3

// noticeTwin says once that another client seems to use the same id: brokers
// close the older connection of the two. An id of our own making is changed.
func (c *Client) noticeTwin(d *dialer, h *health, s *session, lived time.Duration) {
	large := s.largestLost > minPayload && s.largestLost >= 2*s.largestConfirmed
	if large || lived > 2*c.cfg.BackoffMax+c.cfg.ConnectTimeout {
		h.short = 0
		return
	}
	if h.short++; h.short < twins {
		return
	}
	c.said.hourly(c.log, "twin", "the broker keeps closing the connection soon after taking it: another client seems to use the same client id",
		"client_id", d.id, "cure", "give each daemon its own node name or client_id")
	if c.cfg.ClientID == "" {
		d.id = c.cfg.clientID() + "-" + rand.Text()[:6]
		h.short = 0
	}
}

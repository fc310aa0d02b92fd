package mqtt

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// publish is the one goroutine that talks to the broker, link after link.
func (c *Client) publish() {
	defer close(c.done)
	defer c.finish()
	d := &dialer{
		cfg: c.cfg, id: c.cfg.clientID(), will: will{c.topics.OfNode("status"), Offline, c.cfg.Retain},
		limit:   intake{maxPayload: c.cfg.MaxPayload + maxTopic, rate: commandRate, burst: commandBurst},
		swallow: &c.swallow, receive: c.receive,
	}
	h := &health{limit: newLimiter(c.cfg.MaxPayload)}
	for !c.stopping() {
		c.beat.Add(1)
		if l, err := d.dial(c.dialContext()); err != nil {
			c.failed(err)
			h.refused()
		} else {
			s := &session{c: c, h: h, link: l}
			s.run()
			c.ended(d, h, s)
		}
		c.pause(h.backoff(c.cfg))
	}
}

// dialContext ends when Close begins: a client that has no link then has
// nothing to say goodbye to.
func (c *Client) dialContext() context.Context { return closingContext{c.ctx, c.closing} }

// closingContext is a context that ends with a channel too.
type closingContext struct {
	context.Context
	closing chan struct{}
}

func (x closingContext) Done() <-chan struct{} { return x.closing }

func (x closingContext) Err() error {
	select {
	case <-x.closing:
		return context.Canceled
	default:
		return x.Context.Err()
	}
}

func (c *Client) stopping() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}

func (c *Client) pause(d time.Duration) {
	c.resting.Store(true)
	defer c.resting.Store(false)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.closing:
	}
}

// finish settles what can no longer be sent. Spooled events stay in flight:
// the next run sends them.
func (c *Client) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	c.link.Connected = false
	all := func(*message) bool { return true }
	gone := func(m *message) { c.drop(m, ReasonShutdown) }
	c.states.queue.remove(all, gone)
	for k, q := range c.queues {
		if k == KindEvent {
			q.remove(func(m *message) bool { return m.spooled == 0 }, gone)
		} else {
			q.remove(all, gone)
		}
	}
}

// health remembers how the last links went.
type health struct {
	failures int // links refused or short-lived in a row
	short    int // links in a row that the broker took and soon closed
	limit    limiter
}

// steady is how long a link must live for its end to be no failure.
const steady = 5 * time.Second

func (h *health) refused() { h.failures++; h.short = 0; h.limit.reset() }

// backoff is the pause before the next link: it doubles from BackoffMin to
// BackoffMax and is stretched by up to a half at random, so that a fleet does
// not come back in step.
func (h *health) backoff(cfg Config) time.Duration {
	d := cfg.BackoffMin
	for range max(h.failures-1, 0) {
		if d *= 2; d >= cfg.BackoffMax {
			break
		}
	}
	d += time.Duration(rand.Float64() * float64(d) / 2)
	return min(d, cfg.BackoffMax)
}

// failed notes an attempt that gave no link.
func (c *Client) failed(err error) {
	if errors.Is(err, context.Canceled) && c.stopping() {
		return
	}
	c.mu.Lock()
	c.link.FailedAttempts++
	c.lastTry = err
	c.mu.Unlock()
	c.said.once(c.log, "link", explain(err), "broker", c.cfg.Broker, "error", err, "cure", cure(err))
}

// ended settles a session and draws the lessons from its end.
func (c *Client) ended(d *dialer, h *health, s *session) {
	lived := time.Since(s.link.born)
	first := s.settleLost()
	s.probed()
	if c.stopping() {
		return
	}
	c.mu.Lock()
	c.link.Connected = false
	c.lastTry = s.cause
	c.mu.Unlock()
	c.said.clear("link")
	c.said.once(c.log, "link", "connection to the broker lost; trying again", "broker", c.cfg.Broker, "error", s.cause, "lived", lived.Round(time.Millisecond))
	if lived >= steady {
		h.failures = 0
	} else {
		h.failures++
	}
	if !closedByPeer(s.cause) {
		h.short = 0
		h.limit.reset()
		return
	}
	c.learn(h, s, first)
	c.noticeTwin(d, h, s, lived)
}

// connected notes a new link.
func (c *Client) connected() {
	c.mu.Lock()
	c.link.Connected, c.lastTry = true, nil
	c.link.Connections++
	c.mu.Unlock()
	if c.said.clear("link") {
		c.log.Info("connected to the broker again", "broker", c.cfg.Broker)
	} else {
		c.log.Info("connected to the broker", "broker", c.cfg.Broker)
	}
}

// idle tells whether nothing waits to be sent.
func (c *Client) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.queues {
		if q.len() > 0 {
			return false
		}
	}
	return c.states.queue.len() == 0
}

// shed drops the results, masks and pictures that draining has not reached, so that the
// account in the last stats is final.
func (c *Client) shed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range []Kind{KindResult, KindMask, KindPicture, KindResponse} {
		c.queues[k].remove(func(*message) bool { return true }, func(m *message) { c.drop(m, ReasonShutdown) })
	}
}

package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Received is a message that a watcher gets.
type Received struct {
	Topic    string
	Payload  []byte
	Retained bool // it was published before this connection began
}

// maxWatched bounds a message that a watcher takes: far over any of ours, and no
// broker fills its memory.
const maxWatched = 16 << 20

// Watch subscribes to filters and calls on for each message, in order, until
// ctx ends; then it returns nil. It connects again by itself after a loss. Of
// cfg only the fields of the connection count. It errs when they are wrong.
func Watch(ctx context.Context, cfg Config, on func(Received), filters ...string) error {
	if err := errors.Join(cfg.checkBroker(), cfg.checkTimes(), cfg.checkFiles()); err != nil {
		return err
	}
	id := cfg.ClientID
	if id == "" {
		id = "edged-watch-" + rand.Text()[:8]
	}
	d := &dialer{cfg: cfg, id: id, limit: intake{maxPayload: maxWatched}, swallow: new(atomic.Uint64), receive: func(topic string, payload []byte, retained bool) {
		on(Received{topic, payload, retained})
	}}
	var said saidOnce
	h := &health{limit: newLimiter(cfg.MaxPayload)}
	for ctx.Err() == nil {
		if err := watchOnce(ctx, d, filters, &said, h); err != nil && ctx.Err() == nil {
			said.once(cfg.log(), "link", explain(err), "broker", cfg.Broker, "error", err, "cure", cure(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(h.backoff(cfg)):
		}
	}
	return nil
}

// watchOnce follows one connection to its end.
func watchOnce(ctx context.Context, d *dialer, filters []string, said *saidOnce, h *health) error {
	l, err := d.dial(ctx)
	if err != nil {
		h.refused()
		return err
	}
	refused, err := l.subscribe(d.cfg.AckTimeout, filters)
	if err == nil && len(refused) == len(filters) {
		err = fmt.Errorf("mqtt: subscription: the broker refuses %s: does its access list allow it?", strings.Join(refused, ", "))
	}
	if err != nil {
		h.refused()
		l.drop(err)
		return err
	}
	if said.clear("link") {
		d.cfg.log().Info("connected to the broker again", "broker", d.cfg.Broker)
	}
	select {
	case <-ctx.Done():
		l.leave(250 * time.Millisecond)
	case <-l.wire.lost:
		err = l.wire.why()
		l.drop(err)
	}
	if time.Since(l.born) >= steady {
		h.failures = 0
	} else {
		h.failures++
	}
	return err
}

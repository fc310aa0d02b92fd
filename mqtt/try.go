package mqtt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Trial is what asking a broker has shown.
type Trial struct {
	Err      error // why the daemon would not get in; nil: it would
	Cure     string
	Warnings []Warning // what would not work once it is in
}

// Warning is a trouble that stops nothing by itself.
type Warning struct{ Text, Cure string }

// trial is one visit to a broker.
type trial struct {
	d      *dialer
	topics Topics
	link   *link
	heard  chan Received
	found  Trial
}

// checkCommand is the command whose answers' topic a trial speaks on: it is the
// node's own, nothing is retained there, and no daemon listens to it.
const checkCommand = "check"

// Try asks the broker as a daemon with cfg would: with its will, its filters,
// its retained status, and a message of every size down from the largest until
// one comes back. It leaves no trace, and a daemon of the same name in peace: the
// status found there is published again as it is, and its client id is taken
// only where the broker lets no other in.
func Try(ctx context.Context, cfg Config) Trial {
	if err := errors.Join(cfg.checkBroker(), cfg.checkTimes(), cfg.checkFiles()); err != nil {
		return Trial{Err: err, Cure: "correct the configuration"}
	}
	t := &trial{topics: Topics{cfg.Prefix, cfg.Node}, heard: make(chan Received, 64)}
	t.d = &dialer{cfg: cfg, id: cfg.trialID(), will: will{t.topics.OfNode("status"), Offline, cfg.Retain}, swallow: new(atomic.Uint64), receive: t.receive}
	if err := t.visit(ctx); err != nil {
		what, cure := diagnose(err)
		t.found.Err, t.found.Cure = fmt.Errorf("mqtt: %s: %s: %w", cfg.Broker, what, err), cure
	}
	if t.link != nil {
		t.link.leave(250 * time.Millisecond)
	}
	return t.found
}

// trialID is a client id that a broker takes which takes the daemon's, prefix and
// length considered.
func (c Config) trialID() string {
	if c.ClientID != "" {
		return c.ClientID + "-check"
	}
	sum := sha256.Sum256([]byte("check " + c.clientID()))
	return fmt.Sprintf("edged-%.8s-%s", c.Node, hex.EncodeToString(sum[:4]))
}

func (t *trial) receive(topic string, payload []byte, retained bool) {
	select {
	case t.heard <- Received{topic, payload, retained}:
	default: // others talk much: what is waited for is asked for again
	}
}

func (t *trial) visit(ctx context.Context) error {
	err := t.enter(ctx)
	own := t.d.cfg.ClientID
	if own != "" && (errors.Is(err, packets.ErrorRefusedIDRejected) || errors.Is(err, packets.ErrorRefusedNotAuthorised)) {
		t.d.id = own // the broker knows this one id and no other
		err = t.enter(ctx)
	}
	if err != nil {
		return err
	}
	if !t.echoes(ctx) || ctx.Err() != nil {
		return nil
	}
	t.sizes(ctx)
	return nil
}

// enter connects and subscribes.
func (t *trial) enter(ctx context.Context) (err error) {
	if t.link, err = t.d.dial(ctx); err != nil {
		return err
	}
	filters := t.topics.filters()
	filters[1][2] = t.topics.Response(checkCommand) // in place of stats
	refused, err := t.link.subscribe(t.d.cfg.AckTimeout, filters...)
	if err != nil {
		return err
	}
	refused = slices.DeleteFunc(refused, func(f string) bool { return f == t.topics.Response(checkCommand) })
	if len(refused) > 0 && len(t.found.Warnings) == 0 {
		t.warn("the broker refuses to let this user read "+strings.Join(refused, ", "), "let it subscribe to them (access list): commands to them do not arrive, states there are not put right")
	}
	return nil
}

func (t *trial) warn(text, cure string) {
	t.found.Warnings = append(t.found.Warnings, Warning{text, cure})
}

// echoes publishes the status that stands there, or none where none does, and
// tells whether it came back.
func (t *trial) echoes(ctx context.Context) bool {
	status := t.topics.OfNode("status")
	var stands []byte
	t.await(ctx, 300*time.Millisecond, func(m Received) bool {
		if m.Topic == status && m.Retained {
			stands = m.Payload
		}
		return m.Topic == status
	})
	switch err := t.say(ctx, &message{topic: status, payload: stands, qos: 1, retain: t.d.cfg.Retain}); {
	case errors.Is(err, errUndelivered):
		t.warn("the broker acknowledges what this node publishes and does not deliver it: "+status+" did not come back", undeliveredCure)
	case err != nil:
		t.warn("the broker ends the connection when "+status+" is published: "+err.Error(),
			"let this user publish to its own topics (access list); a broker without retained messages needs mqtt.retain = false")
	default:
		return true
	}
	return false
}

// sizes finds out whether a message of the largest size arrives, and the largest
// that does if not.
func (t *trial) sizes(ctx context.Context) {
	topic := t.topics.Response(checkCommand)
	of := func(n int) *message { return &message{topic: topic, payload: []byte(strings.Repeat(" ", n)), qos: 1} }
	n := t.d.cfg.MaxPayload
	err := t.say(ctx, of(n))
	for ; err != nil && !errors.Is(err, errUndelivered) && n >= 64 && ctx.Err() == nil; err = t.say(ctx, of(n)) {
		t.link.drop(err) // the broker has closed the connection
		if t.enter(ctx) != nil {
			return
		}
		n /= 2
	}
	if errors.Is(err, errUndelivered) {
		n = t.largest(ctx, of, n)
	}
	if n == t.d.cfg.MaxPayload || ctx.Err() != nil {
		return
	}
	cure := "raise the broker's limit (message_size_limit, max_packet_size)"
	if n >= minPayload {
		cure += fmt.Sprintf(", or set mqtt.max_payload = %d", n)
	}
	t.warn(fmt.Sprintf("messages of %d bytes do not arrive, those of %d do", n*2, n), cure)
}

// largest sends a message of each size below n at once, and tells which was the
// largest that came back: a broker that discards what is too large says nothing.
func (t *trial) largest(ctx context.Context, of func(n int) *message, n int) (came int) {
	for n /= 2; n >= 64; n /= 2 {
		t.link.publish(of(n))
	}
	t.await(ctx, echoTime, func(m Received) bool {
		if strings.Trim(string(m.Payload), " ") == "" {
			came = max(came, len(m.Payload))
		}
		return false
	})
	return came
}

var errUndelivered = errors.New("mqtt: acknowledged and not delivered")

// say publishes m and waits until the broker has acknowledged and delivered it.
func (t *trial) say(ctx context.Context, m *message) error {
	for len(t.heard) > 0 {
		<-t.heard
	}
	token := t.link.publish(m)
	late := time.NewTimer(t.d.cfg.AckTimeout)
	defer late.Stop()
	select {
	case <-token.Done():
	case <-t.link.wire.lost:
		return t.link.wire.why()
	case <-late.C:
		return fmt.Errorf("mqtt: no PUBACK in %v", t.d.cfg.AckTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := token.Error(); err != nil {
		return err
	}
	if !t.await(ctx, echoTime, func(r Received) bool { return r.Topic == m.topic && string(r.Payload) == string(m.payload) }) {
		if err := t.link.wire.why(); err != nil {
			return err
		}
		return errUndelivered
	}
	return nil
}

// await takes what arrives until one fits, the link ends or the time is up.
func (t *trial) await(ctx context.Context, limit time.Duration, fits func(Received) bool) bool {
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		select {
		case m := <-t.heard:
			if fits(m) {
				return true
			}
		case <-t.link.wire.lost:
			return false
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

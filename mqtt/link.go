package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// link is one connection to the broker. It is used once: after a loss a new
// link with a new client takes its place, so that no token of an old connection
// can be taken for an acknowledgement of the new one.
type link struct {
	client paho.Client
	wire   *wire
	born   time.Time
}

// incoming is called for each message that arrives. It must not block.
type incoming func(topic string, payload []byte, retained bool)

// will is what the broker publishes when the link breaks.
type will struct {
	topic, payload string
	retain         bool
}

// dialer holds what every link of one client has in common.
type dialer struct {
	cfg     Config
	id      string
	will    will // empty topic: none
	limit   intake
	swallow *atomic.Uint64
	receive incoming
	tcp     func(ctx context.Context, address string) (net.Conn, error) // nil: dial
}

// errNoRetain marks a broker that hangs up on a retained will and takes another.
var errNoRetain = errors.New("mqtt: the broker takes no retained messages")

// dial opens the connection and waits for the broker's consent. MQTT 3.1.1 has no
// answer that means "not retained", so a broker that hangs up is asked again
// without, and once more with, before that is said.
func (d *dialer) dial(ctx context.Context) (*link, error) {
	l, err := d.connect(ctx, d.will)
	if err == nil || !d.will.retain || !closedByPeer(err) {
		return l, err
	}
	bare := d.will
	bare.retain = false
	probe, refusal := d.connect(ctx, bare)
	if refusal != nil {
		return nil, err
	}
	probe.leave(250 * time.Millisecond)
	if l, again := d.connect(ctx, d.will); again == nil || !closedByPeer(again) {
		return l, again
	}
	return nil, fmt.Errorf("%w: %w", errNoRetain, err)
}

// connect makes one attempt.
func (d *dialer) connect(ctx context.Context, last will) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.ConnectTimeout)
	defer cancel()
	w, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	o, err := d.options(w, last)
	if err != nil {
		w.Close()
		return nil, err
	}
	l := &link{client: paho.NewClient(o), wire: w, born: time.Now()}
	token := l.client.Connect()
	select {
	case <-token.Done():
		err = token.Error()
	case <-ctx.Done():
		err = fmt.Errorf("mqtt: no answer to CONNECT from %s: %w", d.cfg.Broker, ctx.Err())
	}
	if err != nil {
		if cause := w.why(); cause != nil && !errors.Is(cause, net.ErrClosed) {
			err = fmt.Errorf("mqtt: CONNECT: %w", cause) // the client tells less
		}
		l.drop(err)
		<-token.Done()
		return nil, err
	}
	return l, nil
}

// open connects TCP and TLS.
func (d *dialer) open(ctx context.Context) (*wire, error) {
	u, secure, err := d.cfg.brokerURL()
	if err != nil {
		return nil, err
	}
	tcp := d.tcp
	if tcp == nil {
		tcp = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}
	}
	conn, err := tcp(ctx, u.Host)
	if err != nil {
		return nil, fmt.Errorf("mqtt: connection: %w", err)
	}
	if secure {
		if conn, err = d.secure(ctx, conn, u); err != nil {
			return nil, err
		}
	}
	return newWire(conn, d.limit, d.cfg.WriteTimeout, d.swallow), nil
}

func (d *dialer) secure(ctx context.Context, conn net.Conn, u *url.URL) (net.Conn, error) {
	cfg, err := d.cfg.tlsConfig(u.Hostname())
	if err != nil {
		conn.Close()
		return nil, err
	}
	t := tls.Client(conn, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("mqtt: TLS with %s: %w", u.Host, err)
	}
	return t, nil
}

func (d *dialer) options(w *wire, last will) (*paho.ClientOptions, error) {
	password, err := d.cfg.password()
	if err != nil {
		return nil, err
	}
	o := paho.NewClientOptions().AddBroker("tcp://wire").SetClientID(d.id)
	o.SetUsername(d.cfg.Username).SetPassword(password)
	o.SetCleanSession(true).SetProtocolVersion(4)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(d.cfg.ConnectTimeout)
	o.SetKeepAlive(d.cfg.KeepAlive).SetPingTimeout(d.cfg.KeepAlive / 2)
	// Publish waits this long for the writer to take a packet, which may have to
	// finish one of the largest size first.
	o.SetWriteTimeout(2*d.cfg.WriteTimeout + time.Duration(d.cfg.MaxPayload)*time.Second/slowestWrite)
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return w, nil })
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if string(m.Payload()) != swallowed {
			d.receive(m.Topic(), m.Payload(), m.Retained())
		}
	})
	if last.topic != "" {
		o.SetWill(last.topic, last.payload, 1, last.retain)
	}
	return o, nil
}

// token is a paho token's useful part: done once the write (QoS 0) or the
// acknowledgement (QoS 1) has happened, or has failed.
type token interface {
	Done() <-chan struct{}
	Error() error
}

// lost is the token of what was not sent because the link had ended.
type lost struct{ cause error }

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (lost) Done() <-chan struct{} { return ended }
func (t lost) Error() error        { return t.cause }

// whileUp calls the client and returns its token, or that of a lost link: the
// client does not see a link end under a call, and waits for its writer, which is
// gone, as long as the longest write may take. Such a call is left behind.
func (l *link) whileUp(call func() token) token {
	done := make(chan token, 1)
	go func() { done <- call() }()
	select {
	case t := <-done:
		return t
	case <-l.wire.lost:
		return lost{l.wire.why()}
	}
}

// publish hands m to the writer.
func (l *link) publish(m *message) token {
	return l.whileUp(func() token { return l.client.Publish(m.topic, m.qos, m.retain, m.payload) })
}

// subscribe asks for every filter at QoS 1, a packet for each group, and names
// those that the broker refuses.
func (l *link) subscribe(timeout time.Duration, groups ...[]string) (refused []string, err error) {
	for _, filters := range groups {
		r, err := l.subscribeTo(timeout, filters)
		if err != nil {
			return nil, err
		}
		refused = append(refused, r...)
	}
	slices.Sort(refused)
	return refused, nil
}

func (l *link) subscribeTo(timeout time.Duration, filters []string) (refused []string, err error) {
	qos := make(map[string]byte, len(filters))
	for _, f := range filters {
		qos[f] = 1
	}
	t := l.whileUp(func() token { return l.client.SubscribeMultiple(qos, nil) })
	late := time.NewTimer(timeout)
	defer late.Stop()
	select {
	case <-t.Done():
	case <-l.wire.lost:
		return nil, l.wire.why()
	case <-late.C:
		return nil, fmt.Errorf("mqtt: subscription: no answer from the broker in %v", timeout)
	}
	if err := t.Error(); err != nil {
		return nil, fmt.Errorf("mqtt: subscription: %w", err)
	}
	answer, ok := t.(*paho.SubscribeToken)
	if !ok {
		return nil, l.wire.why()
	}
	for f, granted := range answer.Result() {
		if granted > 2 {
			refused = append(refused, f)
		}
	}
	return refused, nil
}

// unsubscribe takes filters back. Nothing waits for the answer: what still comes
// is nobody's.
func (l *link) unsubscribe(filters []string) {
	go l.whileUp(func() token { return l.client.Unsubscribe(filters...) })
}

// leave ends the connection with a DISCONNECT, which keeps the broker from
// publishing the will.
func (l *link) leave(timeout time.Duration) {
	l.client.Disconnect(uint(timeout.Milliseconds()))
	l.wire.Close()
}

// drop ends the connection without a word; the broker publishes the will.
func (l *link) drop(cause error) {
	l.wire.fail(cause)
	l.client.Disconnect(0)
}

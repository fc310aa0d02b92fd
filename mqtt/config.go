package mqtt

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"edged/internal/fault"
)

// Config says which broker to use, as whom, and how much to keep. Start from
// Default.
type Config struct {
	Prefix string // stands before every topic
	Node   string // names this daemon; see CheckID

	Broker       string // tcp://host:1883 or ssl://host:8883 (mqtt:// and mqtts:// too)
	ClientID     string // empty: made from node and machine
	Username     string
	PasswordFile string // the password is the file's first line
	CA           string // PEM file; empty: the system's
	Cert, Key    string // PEM files of a client certificate

	QueueBytes    int64  // bound on the results and masks that wait, together
	SpoolDir      string // where events survive a restart; empty: they do not
	SpoolBytes    int64  // bound on the events that wait
	MaxPayload    int    // bytes of the largest payload that is sent
	Encoding      string // of masks: EncodingPNG or EncodingZstd
	HomeAssistant bool   // it is listened to, for Client.Announce
	Retain        bool   // states are retained by the broker; else they are sent again with every stats

	StatsEvery     time.Duration // between two stats messages
	KeepAlive      time.Duration // whole seconds; a silent broker is noticed after one and a half of it
	ConnectTimeout time.Duration // for TCP, TLS and CONNACK together
	WriteTimeout   time.Duration // for one write to the socket
	AckTimeout     time.Duration // for a PUBACK: none in this time, while one is due, ends the link
	BackoffMin     time.Duration // first pause before connecting again
	BackoffMax     time.Duration

	Log *slog.Logger // nil: slog.Default()
}

// Default is a configuration that lacks only Node and Broker.
func Default() Config {
	return Config{
		Prefix:         "edged",
		QueueBytes:     8 << 20,
		SpoolBytes:     4 << 20,
		MaxPayload:     128 << 10,
		Encoding:       EncodingPNG,
		Retain:         true,
		StatsEvery:     10 * time.Second,
		KeepAlive:      10 * time.Second,
		ConnectTimeout: 5 * time.Second,
		WriteTimeout:   2 * time.Second,
		AckTimeout:     10 * time.Second,
		BackoffMin:     time.Second,
		BackoffMax:     30 * time.Second,
	}
}

// minPayload leaves room for a result with its classes and reasons.
const minPayload = 2 << 10

// FieldError is what is wrong with one key: those of a Config are the TOML file's,
// and node and prefix.
type FieldError = fault.Field

// wrong is the fault of a key.
func wrong(key, format string, args ...any) error { return fault.Newf("mqtt", key, format, args...) }

// Validate says what is wrong, every fault at once, each a FieldError.
func (c Config) Validate() error {
	return errors.Join(c.checkNames(), c.checkBroker(), c.checkBounds(), c.checkTimes(), c.checkFiles())
}

func (c Config) checkNames() error {
	return errors.Join(checkPrefix(c.Prefix), fault.At("node", CheckID(c.Node)))
}

func (c Config) checkBroker() error {
	_, _, err := c.brokerURL()
	return err
}

// brokerURL is the address to dial and whether TLS is spoken there.
func (c Config) brokerURL() (u *url.URL, secure bool, err error) {
	u, err = url.Parse(c.Broker)
	if err != nil || u.Hostname() == "" {
		return nil, false, wrong("broker", "broker %q is no address: write tcp://host:1883 or ssl://host:8883", redact(c.Broker))
	}
	if u.User != nil {
		return nil, false, wrong("broker", "broker %q holds a user or a password: move them to username and password_file", redact(c.Broker))
	}
	port := "1883"
	switch u.Scheme {
	case "tcp", "mqtt":
	case "ssl", "tls", "mqtts":
		secure, port = true, "8883"
	default:
		return nil, false, wrong("broker", "broker scheme %q: use tcp, mqtt, ssl, tls or mqtts", u.Scheme)
	}
	if u.Port() == "" {
		u.Host = u.Host + ":" + port
	}
	return u, secure, nil
}

// redact keeps a mistyped broker address from showing its password, wherever in
// it a user and a password stand.
func redact(broker string) string {
	if i := strings.LastIndexByte(broker, '@'); i >= 0 {
		return "***" + broker[i:]
	}
	return broker
}

func (c Config) checkBounds() error {
	var faults []error
	bound := func(is bool, key, format string, args ...any) {
		if is {
			faults = append(faults, wrong(key, format, args...))
		}
	}
	bound(c.MaxPayload < minPayload, "max_payload", "max_payload of %d bytes: at least %d are needed for a result", c.MaxPayload, minPayload)
	payload := max(c.MaxPayload, minPayload)
	bound(c.QueueBytes < 4*int64(payload), "queue_bytes", "queue_bytes of %d: at least four payloads of %d bytes must fit", c.QueueBytes, payload)
	bound(c.SpoolBytes < 4*minPayload, "spool_bytes", "spool_bytes of %d: at least %d are needed", c.SpoolBytes, 4*minPayload)
	bound(c.Encoding != EncodingPNG && c.Encoding != EncodingZstd, "encoding", "mask encoding %q: use %s or %s", c.Encoding, EncodingPNG, EncodingZstd)
	return errors.Join(faults...)
}

func (c Config) checkTimes() error {
	var faults []error
	if c.KeepAlive < time.Second || c.KeepAlive%time.Second != 0 {
		faults = append(faults, wrong("keep_alive", "keep-alive of %v: whole seconds from 1 are allowed", c.KeepAlive))
	}
	if c.ConnectTimeout <= 0 || c.WriteTimeout <= 0 || c.AckTimeout <= 0 || c.StatsEvery <= 0 {
		faults = append(faults, wrong("timeouts", "time-outs and the stats interval must be positive"))
	}
	if c.BackoffMin <= 0 || c.BackoffMax < c.BackoffMin {
		faults = append(faults, wrong("backoff", "back-off from %v to %v: must be positive and in this order", c.BackoffMin, c.BackoffMax))
	}
	return errors.Join(faults...)
}

// checkFiles reads every file once, so that a wrong path is found at the start.
func (c Config) checkFiles() error {
	_, password := c.password()
	if c.PasswordFile != "" && c.Username == "" {
		password = errors.Join(password, wrong("password_file", "password_file without username: MQTT knows no password alone; give username too"))
	}
	return errors.Join(c.checkTLS(), password)
}

func (c Config) checkTLS() error {
	if (c.Cert == "") != (c.Key == "") {
		return wrong(given(c.Cert, "cert", "key"), "cert and key belong together: give both or neither")
	}
	_, secure, err := c.brokerURL()
	switch {
	case err != nil:
		return nil // checkBroker tells
	case !secure && (c.CA != "" || c.Cert != ""):
		return wrong(given(c.Cert, "cert", "ca"), "ca or cert is given, but broker %q does not speak TLS: write ssl://", c.Broker)
	case secure:
		_, err = c.tlsConfig("")
	}
	return err
}

// given is the key a where its value is set, else b.
func given(value, a, b string) string {
	if value != "" {
		return a
	}
	return b
}

func (c Config) log() *slog.Logger {
	if c.Log != nil {
		return c.Log
	}
	return slog.Default()
}

// clientID is the configured one or one that no other daemon uses: it holds a
// hash of machine, prefix and node, and stays within the 23 characters that
// every MQTT 3.1.1 broker takes.
func (c Config) clientID() string {
	if c.ClientID != "" {
		return c.ClientID
	}
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(machine) < 32 {
		machine = []byte(rand.Text())
	}
	sum := sha256.Sum256([]byte("edged mqtt client\n" + string(machine) + "\n" + c.Prefix + "\n" + c.Node))
	return fmt.Sprintf("edged-%.8s-%s", c.Node, hex.EncodeToString(sum[:4]))
}

package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// saidOnce keeps a lasting trouble from filling the log: about one subject each
// text is said once until the trouble has passed.
type saidOnce struct {
	mu   sync.Mutex
	said map[string]map[string]time.Time
}

func (s *saidOnce) once(log *slog.Logger, subject, text string, args ...any) {
	if s.due(subject, text, time.Now(), math.MaxInt64) {
		log.Warn(text, args...)
	}
}

// hourly is once for a trouble of which nothing tells that it has passed.
func (s *saidOnce) hourly(log *slog.Logger, subject, text string, args ...any) {
	if s.due(subject, text, time.Now(), time.Hour) {
		log.Warn(text, args...)
	}
}

// due tells whether text is to be said now, and notes that it is.
func (s *saidOnce) due(subject, text string, now time.Time, every time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, had := s.said[subject][text]; had && now.Sub(last) < every {
		return false
	}
	if s.said == nil {
		s.said = map[string]map[string]time.Time{}
	}
	if s.said[subject] == nil {
		s.said[subject] = map[string]time.Time{}
	}
	s.said[subject][text] = now
	return true
}

// clear lets the subject be said again; it tells whether it had been said.
func (s *saidOnce) clear(subject string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, had := s.said[subject]
	delete(s.said, subject)
	return had
}

// explain sorts the errors of a connection attempt into the few that a person
// can act on; the text is what is said once.
func explain(err error) string {
	text, _ := diagnose(err)
	return text + "; trying again"
}

func cure(err error) string {
	_, text := diagnose(err)
	return text
}

func diagnose(err error) (what, cure string) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, errNoRetain):
		return "the broker has no retained messages", "set mqtt.retain = false: states are then sent again with every stats"
	case errors.Is(err, errMQTT5), errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return "the broker does not speak MQTT 3.1.1", "allow MQTT 3.1.1 (protocol level 4) at the broker or on another of its ports: edged does not speak MQTT 5"
	case errors.Is(err, errProtocol):
		return "what answers is no MQTT 3.1.1 broker, or a broken one", "correct broker's host and port; if they are right, update the broker"
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword):
		return "the broker refuses user or password", "check username and password_file"
	case errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return "the broker refuses user or password, or this client", "check username and password_file; if they are right, the broker wants another client id (a prefix, or one it knows: set client_id) or its access list lacks this user"
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return "the broker refuses the client id", "set client_id to one that the broker allows (a prefix, a length, or one that it knows)"
	case errors.Is(err, packets.ErrorRefusedServerUnavailable):
		return "the broker is not available at present", "look at the broker: it says that it is overloaded, still starting or without its own back end"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the broker's certificate is not valid at this time", "renew the certificate, or set this machine's clock"
	case errors.As(err, &unknown):
		return "the broker's certificate is signed by an unknown authority", "set ca to the certificate authority's PEM file"
	case errors.As(err, &host) && len(host.Certificate.DNSNames)+len(host.Certificate.IPAddresses) == 0:
		return "the broker's certificate names its host in CN alone, which no longer counts", "have it issued with the host as subjectAltName (openssl: -addext subjectAltName=DNS:host, or IP: for an address)"
	case errors.As(err, &host):
		return "the broker's certificate is for another host", "use the name that the certificate holds in broker"
	case errors.As(err, &invalid):
		return "the broker's certificate is not valid", "renew the certificate"
	case errors.As(err, &record):
		return "the broker does not speak TLS on this port", "use tcp:// or the broker's TLS port"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls"):
		return "the broker refuses the TLS handshake", "set cert and key to a client certificate that the broker accepts"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return "a file for the connection cannot be read", "check password_file, ca, cert and key"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no broker answers", "start the broker, or correct broker's host and port"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "the broker closes the connection before it is made", "check that the port speaks MQTT, with TLS or without, and whether it asks for a client certificate (cert and key)"
	}
	return "the broker cannot be reached", "check broker, the network and the name server"
}

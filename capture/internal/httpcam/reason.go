package httpcam

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
)

// unanswered is reason of what failed before there was a picture.
func (c *Camera) unanswered(err error) error {
	if err = c.reason(err); errors.Is(err, io.EOF) {
		return errors.New("it hangs up before there is a picture")
	}
	return err
}

// reason says why something failed, for whoever has to mend it, without the
// address, which may hold a password.
func (c *Camera) reason(err error) error {
	if errors.Is(context.Cause(c.life), errSilent) {
		return fmt.Errorf("no picture for %v", c.timeout)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var (
		dns  *net.DNSError
		dial *net.OpError
		host x509.HostnameError
		bad  x509.CertificateInvalidError
		none x509.UnknownAuthorityError
		rec  tls.RecordHeaderError
	)
	const cure = "install the authority's certificate, or append #insecure to the address to do without verifying"
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the camera hung up within a picture")
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.As(err, &none):
		return fmt.Errorf("its certificate is signed by nobody whom this machine trusts: %s", cure)
	case errors.As(err, &host):
		return fmt.Errorf("its certificate is for another name (%v): %s", host, cure)
	case errors.As(err, &bad):
		return fmt.Errorf("its certificate is not valid (%v): %s", bad, cure)
	case errors.As(err, &rec), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return errors.New("it does not speak TLS on this port: use http://, or https on another port")
	case errors.As(err, &dns):
		return fmt.Errorf("no host of the name %q is known", dns.Name)
	case errors.As(err, &dial) && dial.Op == "dial" && os.IsTimeout(err):
		return errors.New("nothing answers at this address")
	case errors.As(err, &dial):
		return fmt.Errorf("network: %v", dial.Err)
	case strings.Contains(err.Error(), "unsupported protocol scheme"):
		return errors.New("it redirects to what is no http address")
	case strings.Contains(err.Error(), "response headers exceeded"):
		return fmt.Errorf("the head of its answer is over %d kB", maxAnswerHead>>10)
	case strings.Contains(err.Error(), "malformed HTTP"):
		return errors.New("it does not speak HTTP on this port")
	}
	return err
}

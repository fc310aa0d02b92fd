// Package redact hides the credentials of camera sources. Both sides of the
// worker's socket need it.
package redact

import "regexp"

var (
	userinfo = regexp.MustCompile(`://\S*@`)             // to the last @: a password may hold one
	loose    = regexp.MustCompile(`[\w.+%-]+:[^\s/@]+@`) // a URL whose scheme was forgotten
	secrets  = regexp.MustCompile(`(?i)([\w-]*(?:passw|passwd|password|pwd|user-pw|token|secret|auth|api-?key)[\w-]*)=("[^"]*"|'[^']*'|[^&\s]+)`)
)

// Text is s with every credential in it replaced by ***.
func Text(s string) string {
	s = userinfo.ReplaceAllString(s, "://***@")
	s = loose.ReplaceAllString(s, "***@")
	return secrets.ReplaceAllString(s, "$1=***")
}

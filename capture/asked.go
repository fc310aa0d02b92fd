package capture

import (
	"fmt"
	"strings"
)

// compare tells, once until it changes, that a device does not send what it was asked
// for: drivers take the nearest that they have and call that success.
func (s *session) compare() {
	said := s.c.cfg.differs(s.opened.Width, s.opened.Height, s.opened.FourCC)
	if said != "" && said != s.unlike {
		s.c.cfg.Log.Warn("the camera does not send what it was asked for", "camera", s.c.cfg.Name, "differs", said)
	}
	s.unlike = said
}

// differs says in what pictures of w x h and a pixel code differ from what was asked
// for.
func (c *Config) differs(w, h int, fourCC string) string {
	var all []string
	if c.Width > 0 && w > 0 && h > 0 && (w != c.Width || h != c.Height) {
		all = append(all, fmt.Sprintf("size %dx%d, asked for %dx%d", w, h, c.Width, c.Height))
	}
	if asked, got := strings.TrimSpace(c.FourCC), strings.TrimSpace(fourCC); asked != "" && got != "" && !strings.EqualFold(asked, got) {
		all = append(all, fmt.Sprintf("pixel code %s, asked for %s", got, asked))
	}
	return strings.Join(all, "; ")
}

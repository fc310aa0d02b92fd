package capture

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	halfScheme  = regexp.MustCompile(`^(?i)(https?|rtsps?)(?::/?|//)([^/:].*)$`)
	bareAddress = regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){3}(:\d+)?(/|$)`)
)

// Mistyped is what is wrong with the name of a file that is not there, and that nobody
// means to be one: it would be waited for in vain.
func Mistyped(source string) error {
	if _, err := strconv.Atoi(source); err == nil {
		return wrong("source %q is a bare number: write /dev/video%s, or better its path under /dev/v4l/by-id", source, source)
	}
	if m := halfScheme.FindStringSubmatch(source); m != nil {
		return wrong("source %q is no address: write %s://%s", Redact(source), strings.ToLower(m[1]), Redact(m[2]))
	}
	if bareAddress.MatchString(source) {
		return wrong("source %q is a bare address: write http:// or rtsp:// before it, or gige: for a GigE Vision camera", Redact(source))
	}
	return nil
}

// isDevice tells whether a source is a device's path.
func isDevice(source string) bool {
	return strings.HasPrefix(source, "/dev/") && !strings.HasPrefix(source, "/dev/shm/")
}

// CheckOptions is what is wrong with the options of a device, file or folder, whether or
// not it is there now.
func CheckOptions(source string) error {
	if !isDevice(source) || IsFile(source) {
		_, err := parseOption(source)
		return err
	}
	c := Config{Source: source}
	if err := deviceOptions(&c); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return wrong("device %q: %w", Redact(source), err)
	}
	return nil
}

// parseOption is the path of a file or folder without its one option.
func parseOption(source string) (path string, err error) {
	path, _ = cutLoop(source)
	if base, option, ok := strings.Cut(path, "?"); ok && IsFile(base) && !IsFile(path) {
		return path, wrong("option %q of %q: a file or folder has the option loop alone", Redact(option), Redact(base))
	}
	return path, nil
}

// deviceOptions reads /dev/video0?width=1280&height=720&fps=30&fourcc=MJPG
// into c. What the Config says already stays.
func deviceOptions(c *Config) error {
	_, query, _ := strings.Cut(c.Source, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return wrong("device options %q: %w", query, err)
	}
	for key, v := range values {
		var err error
		switch key {
		case "width":
			err = setInt(&c.Width, v[0])
		case "height":
			err = setInt(&c.Height, v[0])
		case "fps":
			if c.FPS == 0 {
				c.FPS, err = strconv.ParseFloat(v[0], 64)
			}
		case "fourcc":
			if c.FourCC == "" {
				c.FourCC = v[0]
			}
		default:
			err = errors.New("unknown option: use width, height, fps, fourcc")
		}
		if err != nil {
			return wrong("device option %s=%s: %w", key, v[0], err)
		}
	}
	return nil
}

func setInt(dst *int, s string) error {
	if *dst != 0 {
		return nil
	}
	n, err := strconv.Atoi(s)
	*dst = n
	return err
}

package tflite

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// external is how an engine with an external delegate begins its name, the path
// of the delegate's library and its options behind it: so the name goes wherever
// engines are named, into a child process too.
const external = "delegate:"

// External is the name of the engine that hands operators to the external
// delegate in a library: what makers of accelerators ship for TensorFlow Lite.
func External(library string, options map[string]string) string {
	if len(options) == 0 {
		return external + library
	}
	q := url.Values{}
	for k, v := range options {
		q.Set(k, v)
	}
	return external + library + "?" + q.Encode()
}

// IsExternal says that an engine's name is one of External's.
func IsExternal(name string) bool { return strings.HasPrefix(name, external) }

// ParseExternal undoes External.
func ParseExternal(name string) (library string, options map[string]string, err error) {
	library, query, _ := strings.Cut(strings.TrimPrefix(name, external), "?")
	if !filepath.IsAbs(library) {
		return "", nil, fmt.Errorf("delegate %q: give the library's whole path", library)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", nil, fmt.Errorf("delegate %s: options %q: %w", library, query, err)
	}
	options = map[string]string{}
	for k := range values {
		if k == "" || strings.ContainsRune(k+values.Get(k), 0) {
			return "", nil, fmt.Errorf("delegate %s: an option without a name, or with a zero byte", library)
		}
		options[k] = values.Get(k)
	}
	return library, options, nil
}

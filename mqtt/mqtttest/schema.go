package mqtttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"path"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"edged/internal/maskpng"
	"edged/mqtt"
	"edged/mqtt/schema"
)

// SchemaCheck makes a check for NewAuditor that validates every payload against
// the shipped schemas.
func SchemaCheck(t testing.TB) func(topic string, payload []byte) error {
	t.Helper()
	compiled := map[string]*jsonschema.Schema{}
	files, err := schema.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := schema.Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		compiled[strings.TrimSuffix(f.Name(), ".json")] = compile(t, f.Name(), text)
	}
	return func(topic string, payload []byte) error { return checkPayload(compiled, topic, payload) }
}

func compile(t testing.TB, name string, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func checkPayload(compiled map[string]*jsonschema.Schema, topic string, payload []byte) error {
	if strings.Count(topic, "/") > 7 {
		return fmt.Errorf("topic with more than seven slashes")
	}
	name := path.Base(topic)
	switch {
	case path.Base(path.Dir(topic)) == "response": // before the leaves: a command may be called like one
		name = "response"
	case path.Base(path.Dir(topic)) == "request":
		return nil // what others send
	case name == "mask":
		return checkMask(payload)
	case name == mqtt.LeafOverlay && len(payload) == 0: // taken away
		return nil
	case name == mqtt.LeafOverlay, name == mqtt.LeafSnapshot:
		return checkJPEG(payload)
	case name == "set":
		return nil // what others send
	case name == "state":
		name = path.Base(path.Dir(topic)) // enabled or zones
	}
	s := compiled[name]
	if s == nil {
		return fmt.Errorf("no schema for this topic")
	}
	if name == "status" || name == "enabled" {
		return s.Validate(string(payload))
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	if !json.Valid(payload) {
		return fmt.Errorf("no JSON")
	}
	return s.Validate(doc)
}

func checkJPEG(payload []byte) error {
	if _, err := jpeg.DecodeConfig(bytes.NewReader(payload)); err != nil {
		return fmt.Errorf("no JPEG: %w", err)
	}
	return nil
}

// checkMask asks for a PNG with its two texts, or a zstd frame.
func checkMask(payload []byte) error {
	if bytes.HasPrefix(payload, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		return nil
	}
	for _, key := range []string{"seq", "ts"} {
		if _, err := maskpng.Text(payload, key); err != nil {
			return err
		}
	}
	return nil
}

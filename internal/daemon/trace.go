package daemon

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"edged/capture"
	"edged/internal/config"
	"edged/mqtt"
)

// Who changed something, as events say it.
const (
	byMQTT     = "mqtt"
	byPage     = "page"
	byRetained = "mqtt retained" // a message that was there before this connection
	byConfig   = "config"
	byFile     = "file" // a model's file was replaced
)

// trace leaves a line in the log and an event of what was changed on a camera,
// with the state before: whoever switches inspection off does not do so unseen.
// Without changes there is nothing to tell.
func (u *unit) trace(kind, what, source string, changes ...mqtt.Change) {
	if len(changes) == 0 {
		return
	}
	attrs := []any{"source", source}
	for _, c := range changes {
		attrs = append(attrs, c.Key, plainJSON(c.Previous)+" -> "+plainJSON(c.Value))
	}
	u.log.Warn(what, attrs...)
	u.event(mqtt.Event{Kind: kind, Message: what, Source: source, Changes: changes})
}

// plainJSON is a value as a line of the log shows it.
func plainJSON(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// enable switches the camera on or off, and tells it where that changes
// something.
func (u *unit) enable(on, retained bool) {
	was := u.camera.Enabled()
	u.camera.Enable(on)
	u.publishStatus()
	word := map[bool]string{true: "ON", false: "OFF"}
	what := "the camera was switched off: nothing is inspected"
	if on {
		what = "the camera was switched on"
	}
	u.traceSet(mqtt.EventEnabled, what, "enabled", word[was], word[on], retained)
}

// traceSet traces what a message on .../set made of a key of the camera: an event
// of kind, where now differs from before. Retained ones are carried out as well,
// and told as such.
func (u *unit) traceSet(kind, what, key string, before, now any, retained bool) {
	if plainJSON(before) == plainJSON(now) {
		return
	}
	source := byMQTT
	if retained {
		source = byRetained
	}
	u.trace(kind, what, source, mqtt.Change{Key: key, Previous: before, Value: now})
}

// settings are a camera's keys that decide what is inspected and how, as JSON
// by key, without what may hold a password.
func settings(cam *config.Camera) map[string]json.RawMessage {
	c := *cam
	c.Source = capture.Redact(c.Source)
	all := map[string]json.RawMessage{}
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
		if key == "" || key == "-" || key == "name" || v.Field(i).IsZero() {
			continue
		}
		if b, err := json.Marshal(tomlTree(v.Field(i))); err == nil {
			all[key] = b
		}
	}
	return all
}

// tomlTree gives structs the names of their keys.
func tomlTree(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return tomlTree(v.Elem())
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = tomlTree(v.Index(i))
		}
		return list
	case reflect.Struct:
		tree := map[string]any{}
		for i := range v.NumField() {
			if key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ","); key != "" && !v.Field(i).IsZero() {
				tree[key] = tomlTree(v.Field(i))
			}
		}
		return tree
	}
	return v.Interface()
}

// differences are the keys in which now differs from before, in order.
func differences(before, now map[string]json.RawMessage) []mqtt.Change {
	var list []mqtt.Change
	keys := map[string]bool{}
	for _, m := range []map[string]json.RawMessage{before, now} {
		for key := range m {
			keys[key] = true
		}
	}
	for key := range keys {
		if was, is := compact(before[key]), compact(now[key]); !bytes.Equal(was, is) {
			list = append(list, mqtt.Change{Key: key, Previous: orNull(was), Value: orNull(is)})
		}
	}
	slices.SortFunc(list, func(a, b mqtt.Change) int { return strings.Compare(a.Key, b.Key) })
	return list
}

func compact(b json.RawMessage) json.RawMessage {
	var out bytes.Buffer
	if len(b) == 0 || json.Compact(&out, b) != nil {
		return nil
	}
	return out.Bytes()
}

func orNull(b json.RawMessage) any {
	if b == nil {
		return nil
	}
	return b
}

// traceSettings tells in what the camera's config and its model differ from the
// run before, and remembers both for the next.
func (u *unit) traceSettings() {
	now, file := settings(u.now()), u.inUse().file
	var before map[string]json.RawMessage
	var model string
	u.remember(func(m *memory) error {
		before, model = m.file.Settings[u.cfg.Name], m.of(u.cfg.Name).InUse
		m.of(u.cfg.Name).InUse = file.SHA256
		return m.keepSettings(u.cfg.Name, now)
	})
	if before != nil {
		u.trace(mqtt.EventConfig, "the config differs from the run before", byConfig, differences(before, now)...)
	}
	if model != "" && model != file.SHA256 {
		u.trace(mqtt.EventConfig, "the model is another than in the run before", byFile, mqtt.Change{Key: "model", Previous: model, Value: file.SHA256})
	}
}

// traceModel tells of another model in the camera's file.
func (u *unit) traceModel(before, now string) {
	if before != now {
		u.trace(mqtt.EventConfig, "another model is in use", byFile, mqtt.Change{Key: "model", Previous: before, Value: now})
	}
}

// noteModel remembers which model is in use, for the next run to compare.
func (u *unit) noteModel(sha string) {
	u.remember(func(m *memory) error { m.of(u.cfg.Name).InUse = sha; return m.save() })
}

// keepSettings remembers a camera's settings.
func (m *memory) keepSettings(camera string, now map[string]json.RawMessage) error {
	if m.file.Settings == nil {
		m.file.Settings = map[string]map[string]json.RawMessage{}
	}
	m.file.Settings[camera] = now
	return m.save()
}

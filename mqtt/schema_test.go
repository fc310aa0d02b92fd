package mqtt_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"edged/mqtt"
	"edged/mqtt/schema"
)

// The schemas and the structs name the same keys, at every depth.
func TestSchemasNameEveryKey(t *testing.T) {
	for name, v := range map[string]any{"result": mqtt.Result{}, "event": mqtt.Event{}, "info": mqtt.Info{}, "stats": mqtt.Stats{}, "response": mqtt.Response{}} {
		text, err := schema.Files.ReadFile(name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		compareKeys(t, name, doc, reflect.TypeOf(v))
	}
}

func compareKeys(t *testing.T, at string, doc map[string]any, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if items, ok := doc["items"].(map[string]any); ok {
		doc = items
	}
	if alternatives, ok := doc["oneOf"].([]any); ok {
		doc = alternatives[1].(map[string]any)
	}
	props, _ := doc["properties"].(map[string]any)
	if typ.Kind() == reflect.Map {
		if any, ok := doc["additionalProperties"].(map[string]any); ok {
			compareKeys(t, at+".*", any, typ.Elem())
		}
		for key, p := range props { // a map with fixed keys: stats.delivery
			compareKeys(t, at+"."+key, p.(map[string]any), typ.Elem())
		}
		return
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeOf(mqtt.Time{}) {
		return
	}
	keys := map[string]reflect.Type{}
	for i := range typ.NumField() {
		key, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		keys[key] = typ.Field(i).Type
		sub, ok := props[key].(map[string]any)
		if !ok {
			t.Errorf("%s: the schema lacks %q", at, key)
			continue
		}
		compareKeys(t, at+"."+key, sub, typ.Field(i).Type)
	}
	for key := range props {
		if keys[key] == nil {
			t.Errorf("%s: the schema has %q, the struct has not", at, key)
		}
	}
}

package mqtt_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
	"edged/mqtt/schema"
)

// The schemas and the structs name the same keys, at every depth.
func TestSchemasNameEveryKey(t *testing.T) {
	for name, v := range map[string]any{"result": mqtt.Result{}, "event": mqtt.Event{}, "info": mqtt.Info{}, "stats": mqtt.Stats{}, "response": mqtt.Response{}, "zones": []mqtt.Zone{}} {
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

// full are payloads with every key there is: optional ones are checked like
// those that each message has.
func full() map[string]any {
	now := mqtt.Time{Time: time.Unix(1, 0)}
	why := []mqtt.Why{{Rule: 1, Class: "scratch", Zone: "rim", Kind: edged.ReasonRatio, Count: 2, Px: 31, Limit: 0.01, Text: "too much"}}
	hash, total := strings.Repeat("0f", 32), 65
	return map[string]any{
		"n/cam/result": &mqtt.Result{
			Schema: mqtt.Schema, Seq: 1, TS: now, Verdict: mqtt.Unsure, Reasons: why, Classes: []mqtt.Class{}, Engine: "go avx2", Certificate: "proved", Number: 65535,
			Blobs:      []mqtt.Blob{{Class: "scratch", Zone: "rim", X: 3, Y: 4, W: 5, H: 6, Px: 7, Score: 0.5}},
			BlobsTotal: &total, Line: &mqtt.Line{Row: 1 << 40, Rows: 64, Part: "p7"}, Quality: &mqtt.Quality{Dark: 0.1, Bright: 1, Contrast: 40, Blur: 120}, File: "a.png",
		},
		"n/cam/event": &mqtt.Event{
			Schema: mqtt.Schema, Run: now.UTC().Format("2006-01-02T15:04:05.000Z"), Seq: 1, TS: now, Kind: mqtt.EventAudit, Message: "m", Reasons: why, Source: "mqtt retained",
			Changes:  []mqtt.Change{{Key: "enabled", Previous: "ON", Value: "OFF"}, {Key: "zones", Value: []mqtt.Zone{{Name: "rim", Polygon: [][2]float64{{0, 0}, {1, 0}, {0, 1}}}}}},
			Evidence: &mqtt.Evidence{PNG: []byte{1}, File: "a.png", Row: 1, Col: 2, Engines: []string{"tflite", "go"}, Difference: 0.5, Margin: 0.01},
		},
		"n/info": &mqtt.Info{
			Schema: mqtt.Schema, Run: "abcdefgh", Classes: map[string][]string{}, Cameras: []string{}, StartedAt: now,
			Models: []mqtt.ModelInfo{{Camera: "cam", SHA256: hash, Why: "fastest", Certificate: "tested", Shadow: &mqtt.ShadowInfo{Name: "new", SHA256: hash, Certificate: "none"}}},
		},
		"n/stats": &mqtt.Stats{
			Schema: mqtt.Schema, TS: now, Process: map[string]float64{}, Delivery: mqtt.Ledger{}, Link: mqtt.LinkStats{Degraded: map[string]uint64{}, Arrives: mqtt.ArrivesYes},
			Thermal: &mqtt.Thermal{Celsius: 71.5, Sensor: "cpu-thermal", MHz: 600, MaxMHz: 1800, Throttled: true, Throttles: 2, Causes: []string{"heat", "under-voltage"}},
			LeftOut: []string{"cameras.noticed", "cameras.refused_by", "cameras.why", "cameras.shadow", "cameras.audit", "process", "evidence", "thermal", "cameras"},
			Cameras: map[string]mqtt.CameraStats{"cam": {
				Status: mqtt.Offline, Why: "no picture for 3s", RefusedBy: map[string]uint64{}, Noticed: map[string]uint64{},
				Audit:  &mqtt.AuditStats{Share: 0.02, Frames: 1, Positions: 64, Differing: 1, MaxDiff: 0.1, Engines: map[string]uint64{"a/b": 64}, Off: "no recipe"},
				Shadow: &mqtt.ShadowStats{Name: "new", SHA256: hash, Frames: 3, VerdictsDiffering: 1, Failed: 1, Classes: map[string]mqtt.ShadowClass{"scratch": {Both: 1, LiveOnly: 2, ShadowOnly: 3}}},
			}},
		},
		"n/cam/zones/state":  []mqtt.Zone{{Name: "rim", Polygon: [][2]float64{{0, 0}, {1, 0}, {0, 1}}}},
		"n/response/promote": &mqtt.Response{Transaction: "t", Status: "ok", Data: mqtt.ModelInfo{}},
	}
}

func TestEveryKeyIsValid(t *testing.T) {
	check := mqtttest.SchemaCheck(t)
	for topic, v := range full() {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if topic == "n/stats" { // the ledger has its own tests
			body = []byte(strings.Replace(string(body), `"delivery":{}`, `"delivery":`+emptyLedger(t), 1))
		}
		if err := check(topic, body); err != nil {
			t.Errorf("%s: %v\n%s", topic, err, body)
		}
		if wrong := strings.NewReplacer(`"proved"`, `"perhaps"`, `"audit"`, `"AUDIT!"`, `"abcdefgh"`, `"?"`, `"throttled":true`, `"throttled":"yes"`, `[1,0]`, `[1]`, `"ok"`, `"fine"`).Replace(string(body)); check(topic, []byte(wrong)) == nil {
			t.Errorf("%s: a wrong value passes: %s", topic, wrong)
		}
	}
	for _, leaf := range []string{mqtt.LeafOverlay, mqtt.LeafSnapshot} {
		if check("n/cam/"+leaf, []byte("no picture")) == nil {
			t.Errorf("%s: text passes for a JPEG", leaf)
		}
	}
}

func emptyLedger(t *testing.T) string {
	t.Helper()
	cfg := mqtt.Default()
	cfg.Broker, cfg.Node = "tcp://127.0.0.1:1", "n"
	c, err := mqtt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(c.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// What schema 1 wrote is read: its reasons were texts.
func TestReadsReasonsOfBothSchemas(t *testing.T) {
	for text, want := range map[string]mqtt.Why{
		`"scratch: 2 blobs"`: {Text: "scratch: 2 blobs"},
		`{"rule":2,"class":"scratch","zone":"","kind":"count","count":2,"px":9,"limit":1,"text":"why","more":[1]}`: {
			Rule: 2, Class: "scratch", Kind: edged.ReasonCount, Count: 2, Px: 9, Limit: 1, Text: "why"},
	} {
		var r mqtt.Result
		if err := json.Unmarshal([]byte(`{"schema":1,"reasons":[`+text+`]}`), &r); err != nil || len(r.Reasons) != 1 || r.Reasons[0] != want {
			t.Errorf("%s: %+v, %v", text, r.Reasons, err)
		}
	}
	var r mqtt.Result
	if err := json.Unmarshal([]byte(`{"reasons":[7]}`), &r); err == nil {
		t.Error("a number passes for a reason")
	}
}

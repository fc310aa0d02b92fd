package daemon

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"edged/capture"
	"edged/internal/config"
	"edged/mqtt"
)

// nodeName is where the settings of the node are remembered; no camera has it.
const nodeName = ""

// nodeSettings are the keys of every table but the cameras', as JSON by table and
// key, without what may hold a password.
func nodeSettings(c *config.Config) map[string]json.RawMessage {
	shown := *c
	shown.MQTT.Broker = capture.Redact(shown.MQTT.Broker)
	all := map[string]json.RawMessage{}
	v := reflect.ValueOf(shown)
	for i := range v.NumField() {
		table, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
		if table == "" || v.Field(i).Kind() != reflect.Struct {
			continue
		}
		addKeys(all, table, v.Field(i))
	}
	return all
}

// addKeys adds every key of a table, zeros too: audit.share = 0 is not its default.
func addKeys(all map[string]json.RawMessage, table string, v reflect.Value) {
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
		if b, err := json.Marshal(tomlTree(v.Field(i))); key != "" && err == nil {
			all[table+"."+key] = b
		}
	}
}

// traceNode tells in what the node differs from the run before: keys that concern
// every camera, and cameras that came or are gone.
func (d *Daemon) traceNode() {
	now := nodeSettings(d.cfg)
	d.stateMu.Lock()
	changes := d.memory.nodeChanges(now, d.cfg.Names())
	err := d.memory.keepSettings(nodeName, now)
	d.stateMu.Unlock()
	if err != nil {
		d.log.Warn("state not saved", "err", err.Error())
	}
	if len(changes) == 0 {
		return
	}
	const what = "the node's config differs from the run before"
	var attrs []any
	for _, c := range changes {
		attrs = append(attrs, c.Key, plainJSON(c.Previous)+" -> "+plainJSON(c.Value))
	}
	d.log.Warn(what, attrs...)
	d.everywhere(mqtt.Event{Kind: mqtt.EventConfig, Message: what, Source: byConfig, Changes: changes})
}

// nodeChanges compares with the run before, and forgets cameras that are gone.
func (m *memory) nodeChanges(now map[string]json.RawMessage, cameras []string) []mqtt.Change {
	before := m.file.Settings
	if before[nodeName] == nil {
		return nil // the first run, or one of a program that did not remember the node
	}
	changes := differences(before[nodeName], now)
	for _, name := range cameras {
		if before[name] == nil {
			changes = append(changes, mqtt.Change{Key: "camera " + name, Value: "added"})
		}
	}
	var gone []string
	for name := range before {
		if name != nodeName && !slices.Contains(cameras, name) {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		changes = append(changes, mqtt.Change{Key: "camera " + name, Previous: before[name]})
		delete(before, name)
	}
	return changes
}

// keepNodeKey remembers a key of the node that changed while it runs.
func (m *memory) keepNodeKey(key string, value any) error {
	now := m.file.Settings[nodeName]
	b, err := json.Marshal(value)
	if now == nil || err != nil {
		return err
	}
	now[key] = b
	return m.save()
}

package mqtt

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Home Assistant's own topics.
const (
	discoveryPrefix = "homeassistant"
	discoveryBirth  = discoveryPrefix + "/status" // online: it has started, and wants to be told everything
)

// Discovery is what Home Assistant is told of a node: one device with the entities
// of its cameras.
type Discovery struct {
	Version  string
	Page     string            // its address, where others reach it; empty: they do not
	Cameras  []string          //
	Pictures bool              // overlays are published
	Gone     map[string]string // entities that were there once, and their platforms
}

// entity is one component of a device's discovery payload. Keys are Home Assistant's.
type entity struct {
	Platform         string         `json:"platform"`
	UniqueID         string         `json:"unique_id,omitempty"`
	Name             string         `json:"name,omitempty"`
	StateTopic       string         `json:"state_topic,omitempty"`
	ValueTemplate    string         `json:"value_template,omitempty"`
	CommandTopic     string         `json:"command_topic,omitempty"`
	ImageTopic       string         `json:"image_topic,omitempty"`
	ContentType      string         `json:"content_type,omitempty"`
	DeviceClass      string         `json:"device_class,omitempty"`
	StateClass       string         `json:"state_class,omitempty"`
	EntityCategory   string         `json:"entity_category,omitempty"`
	Icon             string         `json:"icon,omitempty"`
	Availability     []availability `json:"availability,omitempty"`
	AvailabilityMode string         `json:"availability_mode,omitempty"`
}

type availability struct {
	Topic         string `json:"topic"`
	ValueTemplate string `json:"value_template,omitempty"`
}

type discoveryPayload struct {
	Device     map[string]any    `json:"device"`
	Origin     map[string]string `json:"origin"`
	Components map[string]entity `json:"components"`
	QoS        int               `json:"qos"`
}

// DiscoveryTopic is where a node is announced to Home Assistant.
func (t Topics) DiscoveryTopic() string {
	return discoveryPrefix + "/device/edged_" + t.Node + "/config"
}

// Announce tells Home Assistant of the node, retained and again whenever it starts.
// It returns the entities by name, each with its platform: those to name as Gone
// when they are there no more.
func (c *Client) Announce(d Discovery) (map[string]string, error) {
	id := "edged_" + c.topics.Node
	p := discoveryPayload{
		Device: map[string]any{"identifiers": []string{id}, "name": "edged " + c.topics.Node, "manufacturer": "edged", "model": "Inspection node", "sw_version": d.Version},
		Origin: map[string]string{"name": "edged", "sw_version": d.Version}, Components: map[string]entity{}, QoS: 1,
	}
	if d.Page != "" {
		p.Device["configuration_url"] = d.Page
	}
	for name, platform := range d.Gone {
		p.Components[name] = entity{Platform: platform} // with nothing else it is taken away
	}
	there := map[string]string{}
	for _, cam := range d.Cameras {
		for leaf, e := range c.entitiesOf(cam, d.Pictures) {
			e.UniqueID = id + "_" + cam + "_" + leaf
			p.Components[cam+"_"+leaf], there[cam+"_"+leaf] = e, e.Platform
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("mqtt: discovery: %w", err)
	}
	c.setState(c.topics.DiscoveryTopic(), string(body))
	return there, nil
}

// Withdraw has Home Assistant forget the node that a topic announced.
func (c *Client) Withdraw(topic string) { c.setState(topic, "") }

// partGoesOn is a template's condition: the result is a line camera's, before its part's
// end, and has no verdict. What was said of the part before stands; Home Assistant
// passes over an empty text for a binary sensor.
const partGoesOn = "value_json.line is defined and value_json.line.ends is not defined"

// entitiesOf are the entities of a camera by the end of their names.
func (c *Client) entitiesOf(cam string, pictures bool) map[string]entity {
	topic := func(leaf string) string { return c.topics.OfCamera(cam, leaf) }
	node := availability{Topic: c.topics.OfNode("status")}
	seen := []availability{node, {topic("status"), "{{ 'online' if value == 'online' else 'offline' }}"}}
	name := func(what string) string { return spoken(cam) + " " + what }
	all := map[string]entity{
		"verdict": {Platform: "sensor", Name: name("verdict"), StateTopic: topic("result"), ValueTemplate: "{{ this.state if " + partGoesOn + " else value_json.verdict }}",
			Icon: "mdi:check-decagram", Availability: seen, AvailabilityMode: "all"},
		"ng_count": {Platform: "sensor", Name: name("NG count"), StateTopic: c.topics.OfNode("stats"), StateClass: "total_increasing",
			ValueTemplate: "{{ value_json.cameras['" + cam + "'].ng }}", Icon: "mdi:counter", Availability: []availability{node}},
		"problem": {Platform: "binary_sensor", Name: name("problem"), DeviceClass: "problem", StateTopic: topic("result"),
			ValueTemplate: "{{ '' if " + partGoesOn + " else 'OFF' if value_json.verdict in ['OK', ''] else 'ON' }}", Availability: seen, AvailabilityMode: "all"},
		"connection": {Platform: "binary_sensor", Name: name("connection"), DeviceClass: "connectivity", EntityCategory: "diagnostic", StateTopic: topic("status"),
			ValueTemplate: "{{ 'OFF' if value == 'offline' else 'ON' }}", Availability: []availability{node}},
		"enabled": {Platform: "switch", Name: name("inspection"), StateTopic: topic("enabled/state"), CommandTopic: topic("enabled/set"),
			Icon: "mdi:eye-check", Availability: []availability{node}},
	}
	if pictures {
		all["picture"] = entity{Platform: "image", Name: name("picture"), ImageTopic: topic(LeafOverlay), ContentType: "image/jpeg", Availability: []availability{node}}
	}
	return all
}

// spoken is an id as a person would write it: "press_2" is "Press 2".
func spoken(id string) string {
	words := strings.Join(strings.FieldsFunc(id, func(r rune) bool { return r == '_' || r == '-' }), " ")
	if words == "" {
		return id
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// born announces the node again: Home Assistant has started. Others who say so as
// often as they like cost a state a link's window.
func (c *Client) born(payload []byte) {
	if strings.TrimSpace(string(payload)) != Online {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.states.of(c.topics.DiscoveryTopic()); m != nil {
		c.restate(m)
	}
}

// filters are what the node subscribes to.
func (c *Client) filters() [][]string {
	filters := c.topics.filters()
	if c.cfg.HomeAssistant {
		filters = append(filters, []string{discoveryBirth})
	}
	return filters
}

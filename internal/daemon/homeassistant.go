package daemon

import (
	"maps"

	"edged/internal/page"
	"edged/mqtt"
)

// announced is what Home Assistant was told last.
type announced struct {
	Topic    string            `json:"topic"`
	Entities map[string]string `json:"entities"` // by name: the platform
}

// mostGone bounds the entities that are taken away again at each start.
const mostGone = 256

// announce tells Home Assistant of the node where mqtt.homeassistant asks for it. What
// was announced in an earlier run and is no more is taken away, at each start anew:
// nobody says whether the broker was there the last time.
func (d *Daemon) announce() {
	d.stateMu.Lock()
	defer d.stateMu.Unlock()
	before := d.memory.file.Announced
	topic := mqtt.Topics{Prefix: d.cfg.Node.Prefix, Node: d.cfg.Node.Name}.DiscoveryTopic()
	if before != nil && (!d.cfg.MQTT.HomeAssistant || before.Topic != topic) {
		d.client.Withdraw(before.Topic)
	}
	if !d.cfg.MQTT.HomeAssistant {
		return
	}
	known := map[string]string{}
	if before != nil && before.Topic == topic && len(before.Entities) < mostGone {
		known = before.Entities
	}
	there, err := d.client.Announce(mqtt.Discovery{
		Version: d.opts.Version, Page: d.pageAddress(), Cameras: d.cfg.Names(), Pictures: true, Gone: known,
	})
	if err != nil {
		d.log.Error("not announced to Home Assistant", "err", err.Error())
		return
	}
	all := maps.Clone(known)
	maps.Copy(all, there)
	if before == nil || before.Topic != topic || !maps.Equal(before.Entities, all) {
		d.memory.file.Announced = &announced{topic, all}
		if err := d.memory.save(); err != nil {
			d.log.Warn("state not saved: what is announced to Home Assistant may stay there", "err", err.Error())
		}
	}
}

// pageAddress is the page's address where other machines reach it, else empty.
func (d *Daemon) pageAddress() string {
	if d.address == "" || !page.Beyond(d.address) {
		return ""
	}
	host := page.HostOf(d.address)
	if host == "0.0.0.0" || host == "::" {
		return "" // which of the machine's names others use is not known here
	}
	return "http://" + d.address + "/"
}

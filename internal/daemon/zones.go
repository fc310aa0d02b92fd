package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"

	"edged/internal/config"
	"edged/internal/infile"
	"edged/internal/zones"
	"edged/mqtt"
)

// keptZones are a camera's zones that somebody set while it ran.
type keptZones struct {
	Zones   []zones.Zone `json:"zones"`
	Default []zones.Zone `json:"default"` // what the config said then: where it says something else, it is the later word
}

// startZones gives the camera its zones: those that were set while it ran last, else
// the config's.
func (u *unit) startZones() error {
	set, err := u.cfg.ZoneSet()
	if err != nil {
		return config.Bad(err)
	}
	u.zones = zones.NewHolder(set)
	kept, ok := u.d.memory.file.Zones[u.cfg.Name]
	if !ok {
		return nil
	}
	mine, err := kept.over(set, u.cfg)
	if err != nil {
		u.log.Warn("zones that were set while the camera ran are dropped", "err", err.Error())
		return nil
	}
	u.zones.Put(mine)
	return nil
}

// over are the zones that hold in place of the config's.
func (k *keptZones) over(standard *zones.Set, cam *config.Camera) (*zones.Set, error) {
	if !sameZones(k.Default, standard.List()) {
		return nil, errors.New("the config's are newer")
	}
	mine, err := zones.New(k.Zones)
	if err != nil {
		return nil, err
	}
	return mine, serves(mine, cam)
}

// ZonesSet are the zones that were set while a camera ran and that a daemon started
// now would use, as the state folder has them; nil: the config's hold.
func ZonesSet(c *config.Config, cam *config.Camera) ([]config.Zone, error) {
	standard, err := cam.ZoneSet()
	if err != nil || c.StateDir() == "" {
		return nil, err
	}
	data, err := infile.Read(filepath.Join(c.StateDir(), "state.json"), infile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	m := memory{}
	if err == nil {
		err = m.read(data)
	}
	if err != nil {
		return nil, fmt.Errorf("zones that were set while the camera ran are not known: %w", err)
	}
	kept, ok := m.file.Zones[cam.Name]
	if !ok {
		return nil, nil
	}
	set, err := kept.over(standard, cam)
	if err != nil {
		return nil, fmt.Errorf("zones that were set while the camera ran are dropped: %w", err)
	}
	list := []config.Zone{}
	for _, z := range set.List() {
		one := config.Zone{Name: z.Name}
		for _, p := range z.Polygon {
			one.Polygon = append(one.Polygon, []float64{p[0], p[1]})
		}
		list = append(list, one)
	}
	return list, nil
}

// serves says which zone a rule names that the set lacks.
func serves(set *zones.Set, cam *config.Camera) error {
	for i, r := range cam.Rules {
		for _, zone := range r.Zones {
			if set.Index(zone) < 0 {
				return fmt.Errorf("rule %d (%s) names zone %q, which is not among them", i+1, r.Class, zone)
			}
		}
	}
	return nil
}

// onZones gives a camera other zones, all or none of them; nil: the config's.
func (d *Daemon) onZones(cam string, list []mqtt.Zone, malformed error, retained bool) {
	u, err := d.unit(cam)
	if err != nil {
		d.log.Warn("zones not set", "err", err.Error())
		return
	}
	source := byMQTT
	if retained {
		source = byRetained
	}
	if malformed == nil {
		malformed = u.setZones(list, source)
	}
	if malformed != nil {
		u.log.Warn("zones not set", "err", malformed.Error())
		u.event(mqtt.Event{Kind: mqtt.EventFault, Source: source, Message: "zones/set is not carried out, the zones stay as they were: " + malformed.Error()})
	}
	u.publishZones()
}

func (u *unit) setZones(list []mqtt.Zone, source string) error {
	u.zoning.Lock()
	defer u.zoning.Unlock()
	cam := u.now()
	standard, err := cam.ZoneSet()
	if err != nil {
		return err
	}
	set := standard
	if list != nil {
		mine := make([]zones.Zone, len(list))
		for i, z := range list {
			mine[i] = zones.Zone(z)
		}
		if set, err = zones.New(mine); err != nil {
			return err
		}
	}
	if err := serves(set, cam); err != nil {
		return err
	}
	u.changeZones(set, source)
	var kept *keptZones
	if !sameZones(set.List(), standard.List()) {
		kept = &keptZones{set.List(), standard.List()}
	}
	u.keepZones(kept)
	return nil
}

// changeZones has a set hold, and tells it where that changes something.
func (u *unit) changeZones(set *zones.Set, source string) {
	before := u.zones.Set()
	if sameZones(before.List(), set.List()) {
		return
	}
	u.zones.Put(set)
	u.trace(mqtt.EventZones, "the zones were changed", source, mqtt.Change{Key: "zones", Previous: listOf(before), Value: listOf(set)})
}

// takeZones has the config's zones hold where it says other ones than before.
func (u *unit) takeZones(before, now *config.Camera) {
	u.zoning.Lock()
	defer u.zoning.Unlock()
	was, err := before.ZoneSet()
	is, errNow := now.ZoneSet()
	if err != nil || errNow != nil {
		return // Check has refused it
	}
	if sameZones(was.List(), is.List()) && serves(u.zones.Set(), now) == nil {
		return
	}
	u.changeZones(is, byConfig)
	u.keepZones(nil)
	u.publishZones()
}

func (u *unit) keepZones(kept *keptZones) {
	u.d.stateMu.Lock()
	defer u.d.stateMu.Unlock()
	if err := u.d.memory.keepZones(u.cfg.Name, kept); err != nil {
		u.log.Warn("state not saved: the zones hold until the next start", "err", err.Error())
	}
}

// keepZones remembers a camera's zones; nil: it has the config's.
func (m *memory) keepZones(camera string, kept *keptZones) error {
	was, there := m.file.Zones[camera]
	switch {
	case kept == nil && !there, kept != nil && reflect.DeepEqual(was, *kept):
		return nil
	case kept == nil:
		delete(m.file.Zones, camera)
	case m.file.Zones == nil:
		m.file.Zones = map[string]keptZones{camera: *kept}
	default:
		m.file.Zones[camera] = *kept
	}
	return m.save()
}

// publishZones says which zones hold.
func (u *unit) publishZones() {
	if u.d.client == nil {
		return
	}
	if err := u.d.client.Zones(u.cfg.Name, listOf(u.zones.Set())); err != nil {
		u.log.Error("zones not published", "err", err.Error())
	}
}

// blindZone tells of a zone in which nothing will ever be found.
func (u *unit) blindZone(zone string) {
	text := fmt.Sprintf("zone %q holds no position of the mask: rules find nothing in it; move it to where the model looks", zone)
	u.log.Warn(text)
	u.event(mqtt.Event{Kind: mqtt.EventFault, Message: text})
}

func listOf(set *zones.Set) []mqtt.Zone {
	list := make([]mqtt.Zone, len(set.List()))
	for i, z := range set.List() {
		list[i] = mqtt.Zone(z)
	}
	return list
}

// sameZones compares what is written: an empty list is none.
func sameZones(a, b []zones.Zone) bool {
	x, errX := json.Marshal(append([]zones.Zone{}, a...))
	y, errY := json.Marshal(append([]zones.Zone{}, b...))
	return errX == nil && errY == nil && string(x) == string(y)
}

package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"edged/internal/config"
	"edged/mqtt"
)

// triggerChanged is why triggers that waited are missed.
const triggerChanged = "the trigger was changed"

// change is what a new config makes of one camera.
type change struct {
	u       *unit
	cam     *config.Camera
	gate    *gate
	loaded  *loaded
	changes []mqtt.Change
}

// reconfigure takes over what the config file says now: all of it or, where
// anything in it is wrong, nothing. Cameras that it does not change are left
// alone. waits are the keys that take effect at the next start.
func (d *Daemon) reconfigure(ctx context.Context) (waits []string, err error) {
	if d.opts.Reread == nil {
		return nil, nil
	}
	d.configuring.Lock()
	defer d.configuring.Unlock()
	fresh, err := d.opts.Reread()
	if err == nil {
		waits, err = d.takeConfig(ctx, fresh)
	}
	if err != nil {
		err = fmt.Errorf("the new config is not used, the old one stays: %w", err)
		d.everywhere(mqtt.Event{Kind: mqtt.EventFault, Message: err.Error(), Source: byConfig})
		return nil, err
	}
	d.tellWaits(waits)
	return waits, nil
}

func (d *Daemon) takeConfig(ctx context.Context, fresh *config.Config) (waits []string, err error) {
	waits = d.needRestart(fresh)
	var all []*change
	for _, u := range d.units {
		i := slices.IndexFunc(fresh.Cameras, func(c config.Camera) bool { return c.Name == u.cfg.Name })
		if i < 0 {
			continue
		}
		cam := fresh.Cameras[i]
		if (cam.Line == nil) != (u.cfg.Line == nil) { // of its other keys some mean nothing to the other kind: all wait
			continue
		}
		keepSource(&cam, u.cfg)
		changes := differences(settings(u.now()), settings(&cam))
		if len(changes) == 0 {
			continue
		}
		c := &change{u: u, cam: &cam, changes: changes}
		u.reloading.Lock()
		defer u.reloading.Unlock()
		if err := c.prepare(ctx); err != nil {
			for _, c := range all {
				c.loaded.stage.Engine.Close()
			}
			return nil, err
		}
		all = append(all, c)
	}
	d.limitMemory(fresh.Node.MemoryLimit)
	for _, c := range all {
		c.adopt()
	}
	if len(all) > 0 {
		d.publishInfo()
	}
	return waits, nil
}

// keepSource leaves a camera's source as it was opened: what else it asks for
// waits for a restart, as needRestart tells.
func keepSource(cam, opened *config.Camera) {
	cam.Source, cam.Idle, cam.Line = opened.Source, opened.Idle, opened.Line
	if cam.Triggered() != opened.Triggered() {
		cam.Trigger = opened.Trigger
	}
}

// sourceKeys are the keys of a camera that its source is opened with and that
// differ.
func sourceKeys(cam, opened *config.Camera) (keys []string) {
	for key, differs := range map[string]bool{
		"source": cam.Source != opened.Source, "idle": cam.Idle != opened.Idle,
		"trigger": cam.Triggered() != opened.Triggered(), "line": !reflect.DeepEqual(cam.Line, opened.Line),
	} {
		if differs {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// prepare loads the camera's model with what the config says of it now.
func (c *change) prepare(ctx context.Context) (err error) {
	wrong := func(err error) error { return fmt.Errorf("camera %s: %w", c.cam.Name, err) }
	if c.gate, err = newGate(c.cam.Trigger); err != nil {
		return wrong(err)
	}
	file, err := c.u.readModel(c.cam)
	if err != nil {
		return wrong(err)
	}
	if c.loaded, err = c.u.tryAndOpen(ctx, file, c.cam); err != nil {
		return wrong(err)
	}
	if err = c.loaded.notNumbers; err != nil {
		c.loaded.stage.Engine.Close()
		return wrong(fmt.Errorf("model %s: its trial: %w", file.Name, err))
	}
	return nil
}

// adopt has the camera go on with the new config from its next frame on.
func (c *change) adopt() {
	u := c.u
	before, old := u.now(), u.inUse().file.SHA256
	u.d.stateMu.Lock()
	_, err := u.d.memory.attempt(u.cfg.Name, c.loaded.file.SHA256)
	u.d.memory.of(u.cfg.Name).InUse = c.loaded.file.SHA256
	err = errors.Join(err, u.d.memory.keepSettings(u.cfg.Name, settings(c.cam)))
	u.d.stateMu.Unlock()
	if err != nil {
		u.log.Warn("state not saved", "err", err.Error())
	}
	if u.sameAs(c.loaded) { // what is in doubt stays so
		c.loaded.stage.DoubtAs(u.inUse().stage)
	}
	u.use(c.loaded)
	u.takeZones(before, c.cam)
	u.camera.Adopt(c.loaded.stage)
	u.startAudit(c.loaded)
	u.restartShadow()
	if before.Trigger != c.cam.Trigger {
		for _, shot := range u.gate.take(c.gate) {
			u.camera.MissTrigger(shot, triggerChanged)
		}
	}
	u.trace(mqtt.EventConfig, "the config was changed", byConfig, c.changes...)
	u.traceModel(old, c.loaded.file.SHA256)
}

// limitMemory sets the limit of the Go runtime and of models loaded from now on.
func (d *Daemon) limitMemory(limit config.Size) {
	was := d.limit.Swap(int64(limit))
	if was == int64(limit) {
		return
	}
	soft := int64(limit)
	if soft <= 0 {
		soft = math.MaxInt64
	}
	debug.SetMemoryLimit(soft)
	d.stateMu.Lock()
	err := d.memory.keepNodeKey("node.memory_limit", int64(limit))
	d.stateMu.Unlock()
	if err != nil {
		d.log.Warn("state not saved", "err", err.Error())
	}
	for _, u := range d.units {
		u.trace(mqtt.EventConfig, "the config was changed", byConfig, mqtt.Change{Key: "node.memory_limit", Previous: was, Value: int64(limit)})
	}
}

// needRestart lists the keys in which a config differs and that take effect at
// the next start alone.
func (d *Daemon) needRestart(fresh *config.Config) []string {
	old, now := d.cfg.Node, fresh.Node
	old.MemoryLimit, now.MemoryLimit = 0, 0
	waits := append(append(keysOf("node", old, now), keysOf("mqtt", d.cfg.MQTT, fresh.MQTT)...), keysOf("audit", d.cfg.Audit, fresh.Audit)...)
	waits = append(waits, keysOf("evidence", d.cfg.Evidence, fresh.Evidence)...)
	for _, cam := range fresh.Cameras {
		i := slices.IndexFunc(d.units, func(u *unit) bool { return u.cfg.Name == cam.Name })
		if i < 0 {
			waits = append(waits, "camera "+cam.Name+" (new)")
			continue
		}
		for _, key := range sourceKeys(&cam, d.units[i].cfg) {
			waits = append(waits, "camera "+cam.Name+": "+key)
		}
	}
	for _, u := range d.units {
		if !slices.Contains(fresh.Names(), u.cfg.Name) {
			waits = append(waits, "camera "+u.cfg.Name+" (gone)")
		}
	}
	return waits
}

// keysOf are the keys of a table in which two configs differ.
func keysOf(table string, old, now any) []string {
	var keys []string
	for _, c := range differences(asJSON(old), asJSON(now)) {
		keys = append(keys, table+"."+c.Key)
	}
	return keys
}

// asJSON is a table of the config, as JSON by key.
func asJSON(table any) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	tree, _ := tomlTree(reflect.ValueOf(table)).(map[string]any)
	for key, v := range tree {
		if b, err := json.Marshal(v); err == nil {
			all[key] = b
		}
	}
	return all
}

// tellWaits says once what takes effect at the next start alone.
func (d *Daemon) tellWaits(waits []string) {
	text := strings.Join(waits, ", ")
	if text == d.waits {
		return
	}
	if d.waits = text; text == "" {
		return
	}
	what := "changed in the config and waiting for a restart: " + text
	d.log.Warn(what)
	d.everywhere(mqtt.Event{Kind: mqtt.EventConfig, Message: what, Source: byConfig})
}

// everywhere publishes what concerns the whole node at each of its cameras.
func (d *Daemon) everywhere(e mqtt.Event) {
	for _, u := range d.units {
		u.event(e)
	}
}

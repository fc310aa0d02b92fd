package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"edged"
	"edged/capture"
	"edged/internal/fact"
	"edged/internal/fault"
	"edged/internal/pipeline"
	"edged/mqtt"
)

// check notes every fault that can be seen in the file alone; whether cameras,
// models and the broker are there is another question.
func (c *Config) check() {
	c.checkNode()
	c.checkTrust()
	c.checkMQTT()
	if s := c.Audit.Share; !(s >= 0 && s <= mostAuditShare) {
		c.file.Addf("audit.share", "audit.share %v: use a share of time from 0 (no audit) to %v, for example %v", s, mostAuditShare, DefaultAuditShare)
	}
	c.checkEvidence()
	if len(c.Cameras) == 0 {
		c.file.Addf("camera", "no camera: add a [[camera]] table with name, source and model")
	}
	seen := map[string]int{}
	for i := range c.Cameras {
		name := c.Cameras[i].Name
		if first, twice := seen[name]; twice && name != "" {
			c.file.Addf(at(i, "name"), "camera %q: camera[%d] has this name already; topics need different ones", name, first)
		}
		seen[name] = i
		c.checkCamera(i)
	}
}

// at is the path of a key of camera i.
func at(i int, key string) string { return fmt.Sprintf("camera[%d].%s", i, key) }

func (c *Config) checkNode() {
	c.checkName()
	c.checkHTTP()
}

// checkMQTT puts each fault of the mqtt package at the key it is about.
func (c *Config) checkMQTT() {
	if c.MQTT.Broker == "" {
		return
	}
	m := c.Client()
	m.Node = "n" // checkNode has looked at the name
	for _, f := range fault.All(m.Validate()) {
		path := "mqtt." + f.Key
		if f.Key == "prefix" {
			path = "node.prefix"
		}
		c.file.Addf(path, "%v", f.Problem)
	}
}

// delegate makes the engine's name of a delegate's library and options.
func (c *Config) delegate(cam *Camera, wrong func(key, format string, args ...any)) {
	options := map[string]string{}
	for _, o := range cam.DelegateOptions {
		key, value, ok := strings.Cut(o, "=")
		if !ok || key == "" {
			wrong("delegate_options", "delegate option %q: write KEY=VALUE", o)
		}
		options[key] = value
	}
	switch {
	case cam.Delegate == "":
		wrong("delegate_options", "delegate_options without delegate: name the delegate's library")
	case c.engines.Delegate == nil:
		wrong("delegate", "delegate %q: this program has no engine that takes one", cam.Delegate)
	case cam.Engine != Auto:
		wrong("engine", "engine %q beside a delegate: a delegate is an engine of its own; leave one of them out", cam.Engine)
	default:
		cam.Engine = c.engines.Delegate(cam.Delegate, options)
	}
}

func (c *Config) checkCamera(i int) {
	cam := &c.Cameras[i]
	wrong := func(key, format string, args ...any) { c.file.Addf(at(i, key), format, args...) }
	for _, m := range []struct{ key, value, cure string }{
		{"name", cam.Name, "it becomes part of the topics"},
		{"source", cam.Source, "a device, URL, file, folder, pipeline or test:belt"},
		{"model", cam.Model, "the .tflite file to run"},
	} {
		if m.value == "" {
			wrong(m.key, "camera %q: %s is missing: %s", cam.Name, m.key, m.cure)
		}
	}
	if cam.Name != "" {
		for _, f := range fault.All(mqtt.CheckID(cam.Name)) {
			wrong("name", "name: %v", f.Problem)
		}
	}
	for _, f := range fault.All(sourceSyntax(cam.Source)) {
		wrong(f.Key, "source: %v", f.Problem)
	}
	if name, ok := c.engines.Aliases[cam.Engine]; ok {
		cam.Engine = name
	}
	if cam.Delegate != "" || len(cam.DelegateOptions) > 0 {
		c.delegate(cam, wrong)
	} else if !slices.Contains(c.engines.Names, cam.Engine) {
		wrong("engine", "engine %q: choose one of %s", cam.Engine, strings.Join(c.engines.Names, ", "))
	}
	if cam.Threads < 0 || cam.Threads > c.engines.MaxThreads {
		wrong("threads", "threads %d: use 0 (the engine's choice) to %d", cam.Threads, c.engines.MaxThreads)
	}
	if b := cam.Bits; b != 0 && (b < 8 || b > 16) {
		wrong("bits", "bits %d: use 8 to 16, how many bits of a grey pixel carry the picture", b)
	}
	if err := cam.checkTrigger(); err != nil {
		wrong("trigger", "%v", err)
	}
	if cam.Shadow != "" && c.Audit.Share == 0 {
		wrong("shadow", "shadow %q: with audit.share = 0 there is no time for it; give audit.share, for example %v", cam.Shadow, DefaultAuditShare)
	}
	c.checkView(i)
	c.checkQuality(i)
	c.checkLine(i)
	c.checkRules(i)
}

func (c *Camera) checkTrigger() error {
	switch {
	case c.Triggered() && capture.OnCommand(c.Source):
		return errors.New("trigger \"camera\" with TriggerSource=Software: this camera takes a picture when edged sends the command; say when: mqtt, interval:500ms or continuous")
	case c.Triggered(), c.Trigger == "continuous", c.Trigger == "mqtt":
		return nil
	}
	_, err := TriggerInterval(c.Trigger)
	return err
}

// sourceSyntax finds what can never be a source; whether it is there now is
// another question.
func sourceSyntax(source string) error {
	if source == "" {
		return nil
	}
	if looksLikePath(source) {
		return capture.CheckOptions(source)
	}
	_, err := capture.Parse(source)
	if err != nil && !isMissing(err) {
		return err
	}
	return nil
}

func (c *Config) checkView(i int) {
	cam := &c.Cameras[i]
	wrong := func(key, format string, args ...any) { c.file.Addf(at(i, key), format, args...) }
	if n := len(cam.ROI); n != 0 && n != 4 {
		wrong("roi", "roi has %d numbers: write [x, y, width, height] in frame pixels", n)
	} else if n == 4 {
		c.addAll(at(i, ""), fact.ROI(cam.ROI[0], cam.ROI[1], cam.ROI[2], cam.ROI[3]))
	}
	c.addAll(at(i, ""), fact.Rotate(cam.Rotate))
	if _, ok := pipeline.FitOf(cam.Fit); !ok {
		wrong("fit", "fit %q: use crop (the centre, at the camera's own pixels), tile (all of it, at the camera's own pixels) or resize", cam.Fit)
	}
	if cam.Decode != "auto" && cam.Decode != "full" {
		wrong("decode", "decode %q: use auto (half, quarter or eighth of a JPEG picture's size where the model needs no more) or full", cam.Decode)
	}
	if p := cam.Prepare; p != nil {
		if _, err := PixelFormat(p.ChannelOrder); p.ChannelOrder != "" && err != nil {
			wrong("prepare.channel_order", "%v", err)
		}
		c.checkValues(at(i, "prepare."), p)
	}
	if o := cam.Output; o != nil {
		c.checkOutput(i, o)
	}
}

// checkValues looks at what pixels become; either list may be left to the
// model's manifest.
func (c *Config) checkValues(table string, p *Prepare) {
	var mean, scale error
	if len(p.Mean) > 0 {
		mean = fact.Mean(p.Mean, 0)
	}
	if len(p.Scale) > 0 {
		scale = fact.Scale(p.Scale, 0)
	}
	c.addAll(table, mean, scale)
	if mean == nil && scale == nil && len(p.Mean) > 0 && len(p.Scale) > 0 {
		c.addAll(table, fact.Range(p.Mean, p.Scale))
	}
}

// addAll notes faults of a table's keys, each at its key. The table's path ends
// in a dot.
func (c *Config) addAll(table string, errs ...error) {
	for _, f := range fault.All(errors.Join(errs...)) {
		c.file.Addf(table+f.Key, "%v", f.Problem)
	}
}

func (c *Config) checkOutput(i int, o *Output) {
	wrong := func(key, format string, args ...any) { c.file.Addf(at(i, "output."+key), format, args...) }
	if o.Meaning != "" {
		if _, err := MeaningOf(o.Meaning); err != nil {
			wrong("meaning", "%v", err)
		}
	}
	if o.Threshold != nil {
		c.addAll(at(i, "output."), fact.Threshold(*o.Threshold))
	}
	if n := len(o.Stride); n != 0 && (n != 2 || o.Stride[0] <= 0 || o.Stride[1] <= 0) {
		wrong("stride", "stride %v: write [y, x], positive input pixels from one mask position to the next", o.Stride)
	}
	if n := len(o.Origin); n != 0 && n != 2 {
		wrong("origin", "origin %v: write [y, x], the input pixel under mask position (0, 0)", o.Origin)
	}
}

func (c *Config) checkRules(i int) {
	cam := &c.Cameras[i]
	set, err := cam.ZoneSet()
	c.addAll(at(i, ""), err)
	for r, rule := range cam.Rules {
		path := at(i, fmt.Sprintf("rule[%d]", r))
		if rule.Class == "" {
			c.file.Addf(path, "rule without a class: name one of the labels")
		} else if len(cam.Labels) > 0 && !slices.Contains(cam.Labels, rule.Class) {
			c.file.Addf(path+".class", "class %q is none of the labels %q", rule.Class, cam.Labels)
		}
		for _, zone := range rule.Zones {
			if err == nil && set.Index(zone) < 0 {
				c.file.Addf(path+".zones", "zone %q is none of the camera's zones: add a [[camera.zone]] of this name", zone)
			}
		}
		c.addAll(path+".", rule.Rule(0).Validate())
	}
}

// PixelFormat reads a channel order.
func PixelFormat(s string) (f edged.PixelFormat, err error) {
	for _, f := range []edged.PixelFormat{edged.RGB, edged.BGR, edged.Gray} {
		if strings.EqualFold(s, f.String()) {
			return f, nil
		}
	}
	return 0, fmt.Errorf("channel order %q: use RGB, BGR or GRAY", s)
}

// MeaningOf reads what an output's values are. "sigmoid" is a probability.
func MeaningOf(s string) (pipeline.Meaning, error) {
	switch s {
	case "logits":
		return pipeline.Logits, nil
	case "probabilities", "softmax", "sigmoid":
		return pipeline.Probabilities, nil
	}
	return "", fmt.Errorf("output meaning %q: use logits or probabilities", s)
}

// isMissing tells whether a source is merely not there now.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

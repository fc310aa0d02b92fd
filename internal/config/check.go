package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"edged"
	"edged/capture"
	"edged/internal/pipeline"
	"edged/mqtt"
)

// check notes every fault that can be seen in the file alone; whether cameras,
// models and the broker are there is another question.
func (c *Config) check() {
	c.checkNode()
	c.checkMQTT()
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
	if err := mqtt.CheckID(c.Node.Name); err != nil {
		c.file.Addf("node.name", "node.name: %s", Plain(err))
	}
	if c.Node.HTTP == "" {
		return // switched off
	}
	if _, _, err := net.SplitHostPort(c.Node.HTTP); err != nil {
		c.file.Addf("node.http", "node.http: %v; write host:port, for example %q, or \"\" for none", err, DefaultHTTP)
	}
}

// Plain is an error without the name of the package it comes from.
func Plain(err error) string {
	text := err.Error()
	for _, prefix := range []string{"model: ", "mqtt: ", "capture: ", "pipeline: ", "verdict: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// checkMQTT puts each fault of the mqtt package at the key it is about.
func (c *Config) checkMQTT() {
	if c.MQTT.Broker == "" {
		return
	}
	m := c.Client()
	m.Node = "n" // checkNode has looked at the name
	for _, err := range flatten(m.Validate()) {
		text := Plain(err)
		c.file.Addf(c.keyIn(text), "%s", text)
	}
}

// keyIn is the path of the key that a fault of the mqtt package speaks of.
func (c *Config) keyIn(text string) string {
	text = strings.ReplaceAll(text, "password file", "password_file")
	if slices.Contains(keyWords(text), "prefix") {
		return "node.prefix"
	}
	return mentioned[MQTT](c, "mqtt", text)
}

func keyWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) })
}

// mentioned is the path of the last key of the table T at path that the file
// sets and text mentions, else the table's own.
func mentioned[T any](c *Config, path, text string) string {
	words, found := keyWords(text), path
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("toml"); slices.Contains(words, key) && c.file.Has(path+"."+key) {
			found = path + "." + key
		}
	}
	return found
}

// flatten lists the errors that errors.Join has joined.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

func (c *Config) checkCamera(i int) {
	cam := &c.Cameras[i]
	fault := func(key, format string, args ...any) { c.file.Addf(at(i, key), format, args...) }
	for _, m := range []struct{ key, value, cure string }{
		{"name", cam.Name, "it becomes part of the topics"},
		{"source", cam.Source, "a device, URL, file, folder, pipeline or test:belt"},
		{"model", cam.Model, "the .tflite file to run"},
	} {
		if m.value == "" {
			fault(m.key, "camera %q: %s is missing: %s", cam.Name, m.key, m.cure)
		}
	}
	if cam.Name != "" {
		if err := mqtt.CheckID(cam.Name); err != nil {
			fault("name", "name: %s", Plain(err))
		}
	}
	if err := sourceSyntax(cam.Source); err != nil {
		fault("source", "source: %s", Plain(err))
	}
	if name, ok := c.engines.Aliases[cam.Engine]; ok {
		cam.Engine = name
	}
	if !slices.Contains(c.engines.Names, cam.Engine) {
		fault("engine", "engine %q: choose one of %s", cam.Engine, strings.Join(c.engines.Names, ", "))
	}
	if cam.Threads < 0 || cam.Threads > c.engines.MaxThreads {
		fault("threads", "threads %d: use 0 (the engine's choice) to %d", cam.Threads, c.engines.MaxThreads)
	}
	if cam.Trigger != "continuous" && cam.Trigger != "mqtt" {
		if _, err := TriggerInterval(cam.Trigger); err != nil {
			fault("trigger", "%v", err)
		}
	}
	c.checkView(i)
	c.checkRules(i)
}

// sourceSyntax finds what can never be a source; whether it is there now is
// another question.
func sourceSyntax(source string) error {
	if source == "" || looksLikePath(source) {
		return nil
	}
	_, err := capture.Parse(source)
	if err != nil && !isMissing(err) {
		return err
	}
	return nil
}

func (c *Config) checkView(i int) {
	cam := &c.Cameras[i]
	fault := func(key, format string, args ...any) { c.file.Addf(at(i, key), format, args...) }
	if n := len(cam.ROI); n != 0 && n != 4 {
		fault("roi", "roi has %d numbers: write [x, y, width, height] in frame pixels", n)
	} else if n == 4 && (cam.ROI[0] < 0 || cam.ROI[1] < 0 || cam.ROI[2] < 1 || cam.ROI[3] < 1) {
		fault("roi", "roi %v: x and y are at least 0, width and height at least 1", cam.ROI)
	}
	if !slices.Contains([]int{0, 90, 180, 270}, cam.Rotate) {
		fault("rotate", "rotate %d: use 0, 90, 180 or 270 degrees clockwise", cam.Rotate)
	}
	if cam.Fit != "crop" && cam.Fit != "resize" {
		fault("fit", "fit %q: use crop (the centre, at the camera's own pixels) or resize", cam.Fit)
	}
	if p := cam.Prepare; p != nil {
		if _, err := PixelFormat(p.ChannelOrder); p.ChannelOrder != "" && err != nil {
			fault("prepare.channel_order", "%v", err)
		}
		for key, n := range map[string]int{"mean": len(p.Mean), "scale": len(p.Scale)} {
			if n != 0 && n != 1 && n != 3 {
				fault("prepare."+key, "%s has %d numbers: give one, or one per channel", key, n)
			}
		}
	}
	if o := cam.Output; o != nil {
		c.checkOutput(i, o)
	}
}

func (c *Config) checkOutput(i int, o *Output) {
	fault := func(key, format string, args ...any) { c.file.Addf(at(i, "output."+key), format, args...) }
	if o.Meaning != "" {
		if _, err := MeaningOf(o.Meaning); err != nil {
			fault("meaning", "%v", err)
		}
	}
	if o.Threshold != nil && !(*o.Threshold > 0 && *o.Threshold < 1) {
		fault("threshold", "threshold %v: it is a probability between 0 and 1", *o.Threshold)
	}
	if n := len(o.Stride); n != 0 && (n != 2 || o.Stride[0] <= 0 || o.Stride[1] <= 0) {
		fault("stride", "stride %v: write [y, x], positive input pixels from one mask position to the next", o.Stride)
	}
	if n := len(o.Origin); n != 0 && n != 2 {
		fault("origin", "origin %v: write [y, x], the input pixel under mask position (0, 0)", o.Origin)
	}
}

func (c *Config) checkRules(i int) {
	cam := &c.Cameras[i]
	for r, rule := range cam.Rules {
		path := at(i, fmt.Sprintf("rule[%d]", r))
		if rule.Class == "" {
			c.file.Addf(path, "rule without a class: name one of the labels")
		} else if len(cam.Labels) > 0 && !slices.Contains(cam.Labels, rule.Class) {
			c.file.Addf(path+".class", "class %q is none of the labels %q", rule.Class, cam.Labels)
		}
		for _, err := range flatten(rule.Rule(0).Validate()) {
			_, bound, _ := strings.Cut(Plain(err), ": ") // behind the class's name
			c.file.Addf(mentioned[Rule](c, path, bound), "%s", Plain(err))
		}
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

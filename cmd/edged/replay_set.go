package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"edged/internal/config"
)

// mostSwept bounds the values of a sweep.
const mostSwept = 1000

// setKey gives a key of a camera another value: rule.KEY of each rule, rule[2].KEY
// of the second, as results number them, or KEY of the camera itself.
func setKey(cam *config.Camera, key, value string) error {
	of, name, dotted := strings.Cut(key, ".")
	if !dotted {
		return setField(reflect.ValueOf(cam).Elem(), key, key, value)
	}
	first, last := 0, len(cam.Rules)
	if n, ok := strings.CutPrefix(of, "rule["); ok {
		i, err := strconv.Atoi(strings.TrimSuffix(n, "]"))
		if err != nil || i < 1 || i > len(cam.Rules) {
			return exitf(exitUsage, "%s: camera %s has the rules 1 to %d", key, cam.Name, len(cam.Rules))
		}
		first, last = i-1, i
	} else if of != "rule" {
		return exitf(exitUsage, "%s: write rule.KEY for each rule, rule[1].KEY for the first, or a key of the camera", key)
	}
	if first == last {
		return exitf(exitUsage, "%s: camera %s has no rule", key, cam.Name)
	}
	cam.Rules = slices.Clone(cam.Rules)
	for i := first; i < last; i++ {
		if err := setField(reflect.ValueOf(&cam.Rules[i]).Elem(), key, name, value); err != nil {
			return err
		}
	}
	return nil
}

// setField sets the field that has a key of the config: a text or a number.
func setField(of reflect.Value, path, key, value string) error {
	var known []string
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Type().Field(i).Tag.Get("toml"), ",")
		field := of.Field(i)
		if kind := field.Kind(); name == "" || kind != reflect.String && kind != reflect.Float64 && kind != reflect.Int {
			continue
		}
		if known = append(known, name); name != key {
			continue
		}
		wrong := func(kind string) error { return exitf(exitUsage, "%s=%s: write %s", path, value, kind) }
		switch field.Kind() {
		case reflect.String:
			field.SetString(value)
		case reflect.Int:
			n, err := strconv.Atoi(value)
			if err != nil {
				return wrong("a whole number")
			}
			field.SetInt(int64(n))
		default:
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return wrong("a number")
			}
			field.SetFloat(v)
		}
		return nil
	}
	return exitf(exitUsage, "%s: no such key to set; there are %s", path, strings.Join(known, ", "))
}

// sweep is a key with the values that it takes.
type sweep struct {
	key    string
	values []string
}

// parseSweep reads KEY=A..B, or KEY=A..B:STEP. Without a step whole numbers go by
// one, others in twenty steps.
func parseSweep(text string) (sweep, error) {
	key, span, ok := strings.Cut(text, "=")
	span, stepText, stepped := strings.Cut(span, ":")
	low, high, dots := strings.Cut(span, "..")
	bad := exitf(exitUsage, "--sweep %s: write KEY=A..B or KEY=A..B:STEP, for example rule.min_area_px=5..50", text)
	if !ok || !dots {
		return sweep{}, bad
	}
	a, errA := strconv.ParseFloat(low, 64)
	b, errB := strconv.ParseFloat(high, 64)
	if errA != nil || errB != nil || !(a <= b) || b-a > 1e12 {
		return sweep{}, bad
	}
	whole := !strings.ContainsAny(low+high+stepText, ".e")
	step := 1.0
	if !whole {
		step = (b - a) / 20
	}
	if stepped {
		var err error
		if step, err = strconv.ParseFloat(stepText, 64); err != nil || !(step > 0) {
			return sweep{}, bad
		}
	}
	n := 1
	if step > 0 {
		if steps := (b - a) / step; steps > mostSwept {
			return sweep{}, exitf(exitUsage, "--sweep %s: %.0f values; at most %d are tried: give a larger step", text, steps+1, mostSwept)
		}
		n = int((b-a)/step+1e-9) + 1
	}
	s := sweep{key: key}
	for i := range n {
		s.values = append(s.values, strconv.FormatFloat(a+float64(i)*step, 'g', 10, 64))
	}
	return s, nil
}

// setAll applies settings KEY=VALUE in their order.
func setAll(cam *config.Camera, settings []string) error {
	for _, s := range settings {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return exitf(exitUsage, "--set %s: write KEY=VALUE, for example rule.min_area_px=12", s)
		}
		if err := setKey(cam, key, value); err != nil {
			return fmt.Errorf("--set: %w", err)
		}
	}
	return nil
}

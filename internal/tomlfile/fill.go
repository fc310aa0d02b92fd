package tomlfile

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fill copies tree into the struct that dst points to.
func (f *File) fill(tree map[string]any, dst any) {
	f.table("", tree, reflect.ValueOf(dst).Elem())
}

// table fills a struct, its keys in order so that faults come out the same on
// every run.
func (f *File) table(path string, tree map[string]any, dst reflect.Value) {
	fields := fieldsOf(dst.Type())
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		at := join(path, key)
		i, ok := fields[key]
		if !ok {
			f.Addf(at, "unknown key %q%s", key, suggest(key, slices.Sorted(maps.Keys(fields))))
			continue
		}
		f.value(at, tree[key], dst.Field(i))
	}
}

// fieldsOf maps the toml names of a struct to its fields.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("toml"); name != "" {
			fields[name] = i
		}
	}
	return fields
}

func (f *File) value(path string, v any, dst reflect.Value) {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		f.text(path, v, u)
		return
	}
	switch dst.Kind() {
	case reflect.Struct:
		if tree, ok := v.(map[string]any); ok {
			f.table(path, tree, dst)
			return
		}
	case reflect.Slice:
		if list, ok := asList(v); ok {
			f.list(path, list, dst)
			return
		}
	default:
		if assign(v, dst) {
			return
		}
	}
	f.Addf(path, "%s: want %s, got %s", path, describeType(dst.Type()), describe(v))
}

// text hands strings and numbers to a type that reads them itself.
func (f *File) text(path string, v any, u encoding.TextUnmarshaler) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case int64, float64:
		s = fmt.Sprint(v)
	default:
		f.Addf(path, "%s: want a string, got %s", path, describe(v))
		return
	}
	if err := u.UnmarshalText([]byte(s)); err != nil {
		f.Addf(path, "%s: %v", path, err)
	}
}

// asList takes what go-toml makes of arrays and arrays of tables.
func asList(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list, true
	}
	return nil, false
}

func (f *File) list(path string, list []any, dst reflect.Value) {
	dst.Set(reflect.MakeSlice(dst.Type(), len(list), len(list)))
	for i, v := range list {
		f.value(fmt.Sprintf("%s[%d]", path, i), v, dst.Index(i))
	}
}

// assign copies a scalar and tells whether its type fits. A whole number may
// stand for a float.
func assign(v any, dst reflect.Value) bool {
	switch v := v.(type) {
	case string:
		if dst.Kind() == reflect.String {
			dst.SetString(v)
			return true
		}
	case bool:
		if dst.Kind() == reflect.Bool {
			dst.SetBool(v)
			return true
		}
	case float64:
		if dst.CanFloat() {
			dst.SetFloat(v)
			return true
		}
	case int64:
		switch {
		case dst.CanFloat():
			dst.SetFloat(float64(v))
			return true
		case dst.CanInt() && !dst.OverflowInt(v):
			dst.SetInt(v)
			return true
		}
	}
	return false
}

func describeType(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Struct:
		return "a table"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

func describe(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the string %q", v)
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "a list"
	}
	return fmt.Sprint(v)
}

// suggest names the known key that is nearest, when it is near enough to be a
// slip of the fingers, else all of them.
func suggest(key string, known []string) string {
	best, distance := "", len(key)/2+2
	for _, k := range known {
		if d := editDistance(key, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; known here: " + strings.Join(known, ", ")
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbouring bytes that lead from a to b (Damerau and Levenshtein): a swap is
// one slip, so that "modle" is nearer to "model" than to "idle".
func editDistance(a, b string) int {
	at := make([][]int, len(a)+1)
	for i := range at {
		at[i] = make([]int, len(b)+1)
		at[i][0] = i
	}
	for j := range b {
		at[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			at[i][j] = min(at[i-1][j-1]+cost, at[i-1][j]+1, at[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				at[i][j] = min(at[i][j], at[i-2][j-2]+1)
			}
		}
	}
	return at[len(a)][len(b)]
}

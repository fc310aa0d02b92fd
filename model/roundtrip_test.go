package model

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustWrite(t testing.TB, m *Model) []byte {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkRoundTrip writes m and reads it back: the model, and the next file, are
// the same.
func checkRoundTrip(t testing.TB, m *Model) {
	t.Helper()
	file := mustWrite(t, m)
	again, err := Read(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, dump(t, m))
	}
	if !reflect.DeepEqual(m, again) {
		t.Fatalf("changed on the way (-before +after):\n%s", cmp.Diff(m, again))
	}
	if !bytes.Equal(file, mustWrite(t, again)) {
		t.Fatal("the second file differs from the first")
	}
}

func TestRandomModelsRoundTrip(t *testing.T) {
	for seed := range uint64(2000) {
		checkRoundTrip(t, randomModel(rand.New(rand.NewPCG(seed, 1))))
	}
}

// Every option table is carried, with defaults and without.
func TestEveryOptionTableRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, list := range unions {
		if name != "BuiltinOptions" && name != "BuiltinOptions2" {
			continue
		}
		for _, member := range list {
			for variant := range 4 {
				p := reflect.New(reflect.TypeOf(member))
				if variant > 0 {
					filler{r}.fill(p.Elem())
				}
				if both := (&Operator{Options: p.Interface(), Options2: p.Interface()}); both.subgraphs() != nil || both.subgraphs2() != nil {
					p.Elem().SetZero()
				}
				op := &Operator{Options: p.Interface()}
				if name == "BuiltinOptions2" {
					op = &Operator{Options2: p.Interface()}
				}
				checkRoundTrip(t, &Model{
					Version: SchemaVersion, OperatorCodes: []*OperatorCode{{Version: 1}},
					Subgraphs: []*Subgraph{{Operators: []*Operator{op}}},
				})
			}
		}
	}
}

// Runtimes tell a missing vector from an empty one.
func TestEmptyIsNotMissing(t *testing.T) {
	m := &Model{Version: SchemaVersion, Subgraphs: []*Subgraph{{
		Tensors: []*Tensor{{Shape: []int32{}, Quantization: &Quantization{}}, {ShapeSignature: []int32{}}}, Inputs: []int32{},
	}}}
	checkRoundTrip(t, m)
}

func TestTensorDataAreAligned(t *testing.T) {
	for seed := range uint64(200) {
		file := mustWrite(t, randomModel(rand.New(rand.NewPCG(seed, 3))))
		m, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range m.Buffers {
			if len(b.Data) < 16 {
				continue
			}
			if at := bytes.Index(file, b.Data); at%dataAlign != 0 {
				t.Errorf("seed %d: buffer %d at byte %d", seed, i, at)
			}
			if &alignedCopy(b.Data)[0] == &b.Data[0] {
				t.Error("a copy is no copy")
			}
		}
	}
}

func TestSharedDataAreWrittenOnce(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	m := &Model{Version: SchemaVersion, Buffers: []*Buffer{{}, {Data: data}, {Data: data}, {Data: data}}}
	file := mustWrite(t, m)
	if n := bytes.Count(file, data); n != 1 {
		t.Errorf("the data stand %d times in the file", n)
	}
	checkRoundTrip(t, m)
}

func TestReadKeepsNoReference(t *testing.T) {
	file := mustWrite(t, zoo(t))
	m, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	before := dump(t, m)
	clear(file)
	if dump(t, m) != before {
		t.Error("the model changed with the caller's bytes")
	}
}

func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		checkRoundTrip(t, randomModel(rand.New(rand.NewPCG(seed, 4))))
	})
}

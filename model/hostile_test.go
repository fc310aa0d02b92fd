package model

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
)

// use does what any reader of a model does; none of it may panic.
func use(t testing.TB, file []byte) {
	t.Helper()
	m, err := Read(file)
	if err != nil {
		var bad *MalformedError
		var unknown *UnsupportedError
		if !errors.As(err, &bad) && !errors.As(err, &unknown) {
			t.Fatalf("error of another kind: %v", err)
		}
		return
	}
	dump(t, m)
	for i, g := range m.Subgraphs {
		if err := m.Clone().InferShapes(i); err != nil && err.Error() == "" {
			t.Fatal("empty error")
		}
		for _, op := range g.Operators {
			m.OpVersion(g, op)
		}
	}
	m.Manifest()
	m.Remarks()
	if m.Rewritable() != nil || len(m.Unknown) > 0 {
		if _, err := m.Write(); err == nil {
			t.Fatalf("written without %v", m.Unknown)
		}
		return
	}
	again := mustWrite(t, m)
	if _, err := Read(again); err != nil {
		t.Fatalf("what was read and written cannot be read: %v", err)
	}
}

// small is a file with every kind of table in few bytes.
func small(t testing.TB) []byte {
	m := zoo(t)
	for _, b := range m.Buffers {
		if len(b.Data) > 64 && len(b.Data) != 72*2 {
			b.Data = b.Data[:64]
		}
	}
	for _, x := range m.Subgraphs[0].Tensors {
		if m.Data(x) != nil {
			x.Type = TypeString // of no size that the shape gives
		}
	}
	return mustWrite(t, m)
}

// tiny is a file that a fuzzer can work through.
func tiny(t testing.TB) []byte {
	b := NewBuilder()
	x := b.Input("x", TypeInt8, 1, 2, 2, 1)
	m := b.Model(b.Pad(b.Quant(x, 0.5, 1), [2]int{}, [2]int{1, 1}, [2]int{}, [2]int{}))
	m.Metadata = []*Metadata{{Name: ManifestName, Buffer: 1}}
	return mustWrite(t, m)
}

func TestTruncatedAtEveryByte(t *testing.T) {
	file := small(t)
	for n := range file {
		if _, err := Read(file[:n:n]); err == nil {
			t.Errorf("%d of %d bytes were read as a whole model", n, len(file))
		}
	}
}

func TestEveryByteDamaged(t *testing.T) {
	file := small(t)
	for i, old := range file {
		for _, mask := range []byte{1, 0x80} {
			file[i] = old ^ mask
			use(t, file)
		}
		file[i] = old
	}
}

// allocated is what f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// checkBounded reads a hostile file: it is refused, at little cost.
func checkBounded(t *testing.T, file []byte, want string) {
	t.Helper()
	var err error
	got := allocated(func() { _, err = Read(file) })
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
	// The budget counts what the model takes; reflection and maps take as much again.
	if limit := uint64(2 * (budgetBase + budgetFactor*len(file))); got > limit {
		t.Errorf("%d bytes allocated for a file of %d, over %d", got, len(file), limit)
	}
}

// fbFile builds a file with the reference implementation of the format: root
// writes the fields of the Model table.
func fbFile(root func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT) []byte {
	b := flatbuffers.NewBuilder(1024)
	fields := root(b)
	b.StartObject(11)
	b.PrependUint32Slot(0, SchemaVersion, 0)
	for slot, offset := range fields {
		b.PrependUOffsetTSlot(slot, offset, 0)
	}
	b.FinishWithFileIdentifier(b.EndObject(), []byte(fileIdentifier))
	return b.FinishedBytes()
}

// vectorOf is a vector of n offsets to the same table.
func vectorOf(b *flatbuffers.Builder, n int, table flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartVector(4, n, 4)
	for range n {
		b.PrependUOffsetT(table)
	}
	return b.EndVector(n)
}

func tableWith(b *flatbuffers.Builder, slot int, offset flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartObject(slot + 1)
	b.PrependUOffsetTSlot(slot, offset, 0)
	return b.EndObject()
}

// A thousand subgraphs that are one, of a thousand tensors that are one: 24 kB
// that would be 200 MB.
func TestAliasedTablesAreRefused(t *testing.T) {
	checkBounded(t, fbFile(func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
		tensor := tableWith(b, 3, b.CreateString("a tensor"))
		subgraph := tableWith(b, 0, vectorOf(b, 3000, tensor))
		return map[int]flatbuffers.UOffsetT{2: vectorOf(b, 3000, subgraph)}
	}), "overlap")
}

func TestAliasedVectorsAreRefused(t *testing.T) {
	checkBounded(t, fbFile(func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
		b.StartVector(4, 5000, 4)
		for range 5000 {
			b.PrependInt32(7)
		}
		tensor := tableWith(b, 0, b.EndVector(5000))
		return map[int]flatbuffers.UOffsetT{2: vectorOf(b, 1, tableWith(b, 0, vectorOf(b, 5000, tensor)))}
	}), "overlap")
}

// Vectors that begin at every fourth byte of a region and reach to its end.
func TestOverlappingDataAreRefused(t *testing.T) {
	const n = 2000
	file := fbFile(func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
		b.StartVector(4, 2*n, 4)
		for range 2 * n {
			b.PrependUint32(3 * n) // read as a count, it fits from any place in the first quarter
		}
		region := b.EndVector(2 * n)
		buffers := make([]flatbuffers.UOffsetT, n/2)
		for i := range buffers {
			buffers[i] = tableWith(b, 0, region-flatbuffers.UOffsetT(4*i))
		}
		b.StartVector(4, len(buffers), 4)
		for _, o := range buffers {
			b.PrependUOffsetT(o)
		}
		return map[int]flatbuffers.UOffsetT{4: b.EndVector(len(buffers))}
	})
	checkBounded(t, file, "overlap")
}

func TestHugeCountsAreRefused(t *testing.T) {
	for _, count := range []uint32{1 << 20, 1<<30 - 1, 1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		file := mustWrite(t, &Model{Version: SchemaVersion, Subgraphs: []*Subgraph{{Name: "0123456789"}}, MetadataBuffer: []int32{0}, Buffers: []*Buffer{{}}})
		for i := 8; i+4 <= len(file); i += 4 {
			old := binary.LittleEndian.Uint32(file[i:])
			binary.LittleEndian.PutUint32(file[i:], count)
			got := allocated(func() { use(t, file) })
			if got > 4*budgetBase {
				t.Errorf("%d at byte %d: %d bytes allocated", count, i, got)
			}
			binary.LittleEndian.PutUint32(file[i:], old)
		}
	}
}

func TestUnknownContentIsNamed(t *testing.T) {
	one := func(b *flatbuffers.Builder, slot int, table flatbuffers.UOffsetT) map[int]flatbuffers.UOffsetT {
		return map[int]flatbuffers.UOffsetT{slot: vectorOf(b, 1, table)}
	}
	for name, c := range map[string]struct {
		root    func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT
		want    string
		meaning bool
	}{
		"a newer field of Tensor": {func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
			return one(b, 2, tableWith(b, 0, vectorOf(b, 3, tableWith(b, 11, b.CreateString("x")))))
		}, "field 11 of Tensor (at subgraphs[0].tensors[0] and 2 more)", true},
		"a newer field of Model": {func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
			return map[int]flatbuffers.UOffsetT{10: b.CreateString("x")}
		}, "field 10 of Model is newer", true},
		"a newer field of Metadata": {func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
			return one(b, 6, tableWith(b, 2, b.CreateString("x")))
		}, "field 2 of Metadata (at metadata[0])", false},
		"a newer option table": {func(b *flatbuffers.Builder) map[int]flatbuffers.UOffsetT {
			b.StartObject(0)
			options := b.EndObject()
			b.StartObject(5)
			b.PrependByteSlot(3, 127, 0)
			b.PrependUOffsetTSlot(4, options, 0)
			fields := one(b, 2, tableWith(b, 3, vectorOf(b, 1, b.EndObject())))
			fields[1] = vectorOf(b, 1, tableWith(b, 1, b.CreateString("code")))
			return fields
		}, "kind 127 of BuiltinOptions (at subgraphs[0].operators[0].options)", true},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Read(fbFile(c.root))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Remarks(); len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("remarks %q, want one with %q", got, c.want)
			}
			if err := m.Rewritable(); (err != nil) != c.meaning || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("rewritable: %v", err)
			}
			if _, err := m.Write(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("written: %v", err)
			}
			if dump(t, m); len(m.Clone().Unknown) != 1 {
				t.Error("the clone forgets it")
			}
		})
	}
}

// The tables of schema 3d that no runtime of ours computes with.
func TestDataElsewhereAreRefusedByName(t *testing.T) {
	m := &Model{Version: SchemaVersion, ExternalBufferGroups: []*ExternalBufferGroup{{Name: "w.bin"}}, ExternalBuffers: []*ExternalBuffer{{ID: 7, Length: 4}},
		Subgraphs: []*Subgraph{{Tensors: []*Tensor{{Name: "w"}}}}}
	checkRoundTrip(t, m)
	m.Subgraphs[0].Tensors[0].ExternalBuffer = 7
	err := m.Validate()
	var unknown *UnsupportedError
	if !errors.As(err, &unknown) || unknown.Path != "subgraphs[0].tensors[0].externalBuffer" || !strings.Contains(err.Error(), `"w" lie in another file, "w.bin"`) {
		t.Errorf("error %v", err)
	}
}

// A bias that was exported with its weights' dimension is repaired, and told.
func TestLooseDimensionsAreRepaired(t *testing.T) {
	loose := func(shape []int32, scales int, dimension int32) *Tensor {
		return &Tensor{Name: "b", Shape: shape, Quantization: &Quantization{Scale: make([]float32, scales), QuantizedDimension: dimension}}
	}
	for name, c := range map[string]struct {
		t    *Tensor
		want int32
	}{
		"bias":                           {loose([]int32{4}, 4, 3), 0},
		"negative":                       {loose([]int32{4}, 4, -1), 0},
		"one scale says nothing of it":   {loose([]int32{1, 2, 2, 4}, 1, 7), 0},
		"four scales of many dimensions": {loose([]int32{1, 2, 2, 4}, 4, 7), 7},
		"four scales of six elements":    {loose([]int32{6}, 4, 7), 7},
		"right":                          {loose([]int32{1, 2, 2, 4}, 4, 3), 3},
		"a scalar":                       {loose(nil, 1, 3), 3},
	} {
		m, err := Read(mustWrite(t, &Model{Version: SchemaVersion, Subgraphs: []*Subgraph{{Tensors: []*Tensor{c.t}}}}))
		if err != nil {
			t.Fatal(err)
		}
		changed := c.t.Quantization.QuantizedDimension != c.want
		if got := m.Subgraphs[0].Tensors[0].Quantization.QuantizedDimension; got != c.want || len(m.Repairs) > 0 != changed || len(m.Remarks()) > 0 != changed {
			t.Errorf("%s: dimension %d, repairs %q", name, got, m.Repairs)
		}
		if err := m.SetManifest(&Manifest{Schema: ManifestSchema}); err != nil {
			t.Fatal(err)
		}
		if f, err := m.Manifest(); err != nil || len(f.Repairs) > 0 != changed {
			t.Errorf("%s: manifest %+v, %v", name, f, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(small(f))
	f.Add(tiny(f))
	f.Add([]byte("\x1c\x00\x00\x00TFL3"))
	kept, err := filepath.Glob("testdata/*.tflite")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range kept {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) { use(t, file) })
}

package fallback

import "edged/model"

// planDensify plans DENSIFY: a constant in the TACO format becomes dense, once.
func planDensify(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if in.raw == nil || in.typ != out.typ {
		return c.unsupported("only constant tensors are densified")
	}
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	s := c.p.sub.Tensors[in.index].Sparsity
	if s == nil {
		return c.alias(in.shape)
	}
	d, err := c.sparse(s)
	if err != nil {
		return err
	}
	if stored := len(in.raw) / in.elem(); d.values > stored {
		return c.malformed("%d values stored where the index names %d", stored, d.values)
	}
	c.emit("densify", 1, out.elems(), c.in[:1], func(*worker, int, int) {
		clear(out.data)
		next := 0
		d.walk(0, 0, make([]int, len(d.levels)), func(at int) {
			copy(out.data[at*d.elem:][:d.elem], in.data[next*d.elem:])
			next++
		})
	})
	return nil
}

// sparseLevel is one storage level: dense of a size, or compressed with
// segments and indices.
type sparseLevel struct {
	size              int
	segments, indices []int // nil: dense
	stride            int   // of the dense tensor, in elements
}

type sparseTensor struct {
	levels []sparseLevel
	values int // stored
	elem   int
}

// walk visits stored values in their order: at is the element of the dense
// tensor, node the position within a level's parent.
func (s *sparseTensor) walk(level, node int, at []int, visit func(at int)) {
	base := 0
	if level > 0 {
		base = at[level-1]
	}
	if level == len(s.levels) {
		visit(base)
		return
	}
	l := &s.levels[level]
	if l.segments == nil {
		for i := range l.size {
			at[level] = base + i*l.stride
			s.walk(level+1, node*l.size+i, at, visit)
		}
		return
	}
	for k := l.segments[node]; k < l.segments[node+1]; k++ {
		at[level] = base + l.indices[k]*l.stride
		s.walk(level+1, k, at, visit)
	}
}

// sparse checks the description against the tensor's shape. The traversal
// order lists the dimensions, blocks after them; block i splits dimension
// BlockMap[i].
func (c *opContext) sparse(s *model.Sparsity) (*sparseTensor, error) {
	shape := c.in[0].shape
	n := len(shape) + len(s.BlockMap)
	if len(s.TraversalOrder) != n || len(s.DimMetadata) != n || n > 2*maxRank || n == 0 {
		return nil, c.malformed("sparsity of %d levels for %v", len(s.DimMetadata), shape)
	}
	d := &sparseTensor{levels: make([]sparseLevel, n), elem: c.in[0].elem()}
	inner, outer, err := c.blockSizes(s)
	if err != nil {
		return nil, err
	}
	own := strides(shape)
	seen := make([]bool, n)
	nodes := 1
	for i, dim := range s.TraversalOrder {
		if dim < 0 || int(dim) >= n || seen[dim] {
			return nil, c.malformed("traversal order %v", s.TraversalOrder)
		}
		seen[dim] = true
		l := &d.levels[i]
		if int(dim) < len(shape) {
			l.size, l.stride = outer[dim], own[dim]*inner[dim]
		} else {
			b := s.BlockMap[int(dim)-len(shape)]
			l.size, l.stride = inner[b], own[b]
		}
		if nodes, err = c.levelIndex(l, s.DimMetadata[i], nodes); err != nil {
			return nil, err
		}
	}
	d.values = nodes
	return d, nil
}

// blockSizes gives the block's size along every dimension and how many blocks
// that leaves. The size of a block is that of its dense level.
func (c *opContext) blockSizes(s *model.Sparsity) (inner, outer []int, err error) {
	shape := c.in[0].shape
	inner = make([]int, len(shape))
	fill(inner, 1)
	for i, dim := range s.TraversalOrder {
		b := int(dim) - len(shape)
		if b < 0 || b >= len(s.BlockMap) {
			continue
		}
		m, size := s.BlockMap[b], int(s.DimMetadata[i].DenseSize)
		if m < 0 || int(m) >= len(shape) || size < 1 || inner[m] != 1 || shape[m]%size != 0 {
			return nil, nil, c.malformed("block %d of %v", size, shape)
		}
		inner[m] = size
	}
	outer = make([]int, len(shape))
	for i, d := range shape {
		outer[i] = d / inner[i]
	}
	return inner, outer, nil
}

// levelIndex checks a level with nodes parents and returns how many nodes it
// has itself.
func (c *opContext) levelIndex(l *sparseLevel, m *model.DimensionMetadata, nodes int) (int, error) {
	if m.Format == model.DimensionDense {
		if int(m.DenseSize) != l.size || l.size > 0 && nodes > int(c.p.limit)/l.size {
			return 0, c.malformed("dense level of %d for a size of %d", m.DenseSize, l.size)
		}
		return nodes * l.size, nil
	}
	l.segments, l.indices = indexVector(m.ArraySegments), indexVector(m.ArrayIndices)
	if len(l.segments) != nodes+1 || l.segments[0] != 0 || l.segments[nodes] != len(l.indices) {
		return 0, c.malformed("compressed level of %d segments for %d parents", len(l.segments), nodes)
	}
	for i := range nodes {
		if l.segments[i] > l.segments[i+1] {
			return 0, c.malformed("compressed level whose segments go back")
		}
	}
	for _, k := range l.indices {
		if k < 0 || k >= l.size {
			return 0, c.malformed("compressed level with index %d of %d", k, l.size)
		}
	}
	return len(l.indices), nil
}

func indexVector(v any) []int {
	var list []int
	switch v := v.(type) {
	case *model.Int32Vector:
		list = toInts(v.Values)
	case *model.Uint16Vector:
		for _, x := range v.Values {
			list = append(list, int(x))
		}
	case *model.Uint8Vector:
		for _, x := range v.Values {
			list = append(list, int(x))
		}
	}
	return list
}

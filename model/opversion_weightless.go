package model

func versionMul(s *signature) int32 {
	a, b, out := scaleOf(s.input(0)), scaleOf(s.input(1)), scaleOf(tensorAt(s.g, s.op.Outputs, 0))
	switch t := s.in(0); {
	case t == TypeInt16:
		return when(a == 0, 7)
	case t != TypeInt8 && t != TypeUint8:
		return 0
	}
	return when(a != 0 && b != 0 && out != 0 && a*b/out >= 1, 3)
}

func versionAdd(s *signature) int32 {
	o, ok := s.op.Options.(*AddOptions)
	if s.in(0) != TypeInt16 {
		return 0
	}
	return max(when(ok && !o.PotScaleInt16, 3), when(scaleOf(s.input(0)) == 0, 5))
}

func versionSub(s *signature) int32 {
	o, ok := s.op.Options.(*SubOptions)
	switch {
	case s.in(0) == TypeInt16 && s.out(0) == TypeInt16 && ok && !o.PotScaleInt16:
		return 5
	case s.in(0) == TypeInt64:
		return 4
	}
	return when(s.stretches(), 3)
}

func versionStridedSlice(s *signature) int32 {
	o, ok := s.op.Options.(*StridedSliceOptions)
	switch {
	case ok && o.Offset:
		return 8
	case s.in(0) == TypeUint32:
		return 7
	case ok && (o.EllipsisMask != 0 || o.NewAxisMask != 0):
		return 6
	case s.in(0) == TypeString:
		return 5
	}
	return when(s.rank(0) > 4, 4)
}

func versionSlice(s *signature) int32 {
	return max(when(s.in(0) == TypeUint32, 6), when(s.rank(0) > 4, 5))
}

func versionTranspose(s *signature) int32 {
	return max(when(s.rank(0) > 5, 6), when(s.rank(0) > 4 && s.in(0) != TypeInt16, 4))
}

func versionResizeBilinear(s *signature) int32 {
	o, ok := s.op.Options.(*ResizeBilinearOptions)
	return when(s.in(0) != TypeInt16 && ok && o.HalfPixelCenters, 3)
}

func versionResizeNearest(s *signature) int32 {
	o, ok := s.op.Options.(*ResizeNearestNeighborOptions)
	return when(s.in(0) != TypeInt16 && ok && (o.HalfPixelCenters || o.AlignCorners), 3)
}

func versionGather(s *signature) int32 {
	o, ok := s.op.Options.(*GatherOptions)
	switch {
	case s.in(0) == TypeInt4:
		return 7
	case s.in(1) == TypeInt16:
		return 6
	}
	return when(ok && o.BatchDims != 0, 5)
}

func versionQuantize(s *signature) int32 {
	out := tensorAt(s.g, s.op.Outputs, 0)
	perChannel := out != nil && out.Quantization != nil && len(out.Quantization.Scale) > 1
	switch {
	case s.in(0) == TypeInt4 || s.out(0) == TypeInt4:
		return 4
	case perChannel:
		return 3
	}
	return when(s.out(0) == TypeInt16, 2)
}

func versionCast(s *signature) int32 {
	either := func(t TensorType) bool { return s.in(0) == t || s.out(0) == t }
	switch {
	case either(TypeBFloat16):
		return 7
	case s.in(0) == TypeInt4 && s.out(0) == TypeFloat32:
		return 6
	case either(TypeFloat64) || either(TypeFloat16):
		return 5
	case either(TypeUint16):
		return 4
	case either(TypeInt8):
		return 3
	}
	return when(either(TypeUint32), 2)
}

func versionFakeQuant(s *signature) int32 {
	o, ok := s.op.Options.(*FakeQuantOptions)
	return when(ok && o.NarrowRange, 2)
}

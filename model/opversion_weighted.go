package model

func versionConv2D(s *signature) int32 {
	o, _ := s.op.Options.(*Conv2DOptions)
	in, filter := s.input(0), s.input(1)
	grouped := in != nil && filter != nil && len(in.Shape) == 4 && len(filter.Shape) == 4 && in.Shape[3] != filter.Shape[3]
	w := s.weights()
	switch {
	case w == int16x8 && o != nil && o.QuantizedBiasType != 0:
		return 8
	case grouped:
		return 6
	case w == allInt16:
		return 4
	case w == allInt8:
		return 3
	case w == int4Filter:
		return 7
	case w == hybrid:
		return max(2, when(s.perChannel(1), 5))
	}
	return 1
}

func versionDepthwiseConv2D(s *signature) int32 {
	o, _ := s.op.Options.(*DepthwiseConv2DOptions)
	switch s.weights() {
	case allInt16:
		return 5
	case hybrid:
		return max(4, when(s.perChannel(1), 6))
	case allInt8:
		return 3
	case int4Filter:
		return 7
	}
	return max(1, when(o != nil && (o.DilationW != 1 || o.DilationH != 1), 2))
}

func versionFullyConnected(s *signature) int32 {
	o, ok := s.op.Options.(*FullyConnectedOptions)
	if !ok {
		o = &FullyConnectedOptions{}
	}
	filter := s.input(1)
	w := s.weights()
	switch {
	case w == hybrid && s.perChannel(1):
		return 12
	case w == int16x8 && o.QuantizedBiasType != 0:
		return 11
	case filter != nil && filter.Sparsity != nil:
		return 8
	case w == allInt16:
		return 7
	case len(s.op.Inputs) == 2:
		return 6
	case o.KeepNumDims:
		return 5
	case w == allInt8:
		return 4
	case w == int4Filter:
		return 10
	case w == hybrid:
		return max(3, when(o.AsymmetricQuantizeInputs, 9))
	}
	return max(1, when(o.WeightsFormat == WeightsShuffled4x16Int8, 2))
}

func versionTransposeConv(s *signature) int32 {
	o, _ := s.op.Options.(*TransposeConvOptions)
	int16x8 := s.in(0) == TypeInt16 && s.in(1) == TypeInt8 && s.out(0) == TypeInt16
	switch {
	case int16x8 && o != nil && o.QuantizedBiasType != 0:
		return 5
	case o != nil && o.Activation != ActNone:
		return 4
	case s.in(3) != typeNone:
		return 3
	}
	return 0
}

package gemm

// Routines are the tiles' loops in one variant. They are made by For, hold no
// state, and serve any number of threads.
type Routines struct {
	MulF32   func(*TileF32) // the sums that TileF32 states
	MulI16   func(*TileI16) // those of TileI16
	DepthF32 func(*TileF32) // one channel by itself: see depthF32Generic
	DepthI16 func(*TileI16)
	Requant  func(*Requant)
}

var generic = Routines{
	MulF32:   mulF32Generic,
	MulI16:   mulI16Generic,
	DepthF32: depthF32Generic,
	DepthI16: depthI16Generic,
	Requant:  requantGeneric,
}

package fallback

import (
	"math"

	"edged/model"
)

// opSpec says how many inputs and outputs an operator takes, and who plans it.
// Inputs up to minIn must be there. outs 0 allows any number from one on.
type opSpec struct {
	minIn, maxIn, outs int
	plan               func(c *opContext) error
}

// many is more inputs than any file holds.
const many = 1 << 30

// lookup finds the planner, or refuses the operator by name, version and index.
func (c *opContext) lookup() (opSpec, error) {
	if c.n.code.Builtin == model.OpCustom {
		if s, ok := customs()[c.n.code.Custom]; ok {
			return s, nil
		}
		if chip := model.ChipProblem(c.n.code.Custom); chip != "" {
			return opSpec{}, c.unsupported("%s", chip)
		}
		return opSpec{}, c.unsupported("no such custom operator is known here")
	}
	if s, ok := builtins()[c.n.code.Builtin]; ok {
		return s, nil
	}
	return opSpec{}, c.unsupported("this operator is not supported")
}

func customs() map[string]opSpec {
	return map[string]opSpec{
		model.OpConvolution2DTransposeBias: {3, 3, 1, planTransposeBias},
		model.OpDetectionPostProcess:       {3, 3, 4, planDetection},
		gatherWindows:                      {1, 1, 1, planGatherWindows},
		overWindows:                        {1, 1, 0, planOverWindows},
	}
}

func builtins() map[model.BuiltinOperator]opSpec {
	return map[model.BuiltinOperator]opSpec{
		model.OpAbs:                        {1, 1, 1, planAbs},
		model.OpAdd:                        {2, 2, 1, planAdd},
		model.OpAddN:                       {1, many, 1, planAddN},
		model.OpArgMax:                     {2, 2, 1, planArgMax},
		model.OpArgMin:                     {2, 2, 1, planArgMin},
		model.OpAveragePool2D:              {1, 1, 1, planAveragePool2D},
		model.OpBatchMatMul:                {2, 2, 1, planBatchMatMul},
		model.OpBatchToSpaceND:             {3, 3, 1, planBatchToSpaceND},
		model.OpBroadcastArgs:              {2, 2, 1, planBroadcastArgs},
		model.OpBroadcastTo:                {2, 2, 1, planBroadcastTo},
		model.OpCast:                       {1, 1, 1, planCast},
		model.OpCeil:                       {1, 1, 1, planPointwise(ceil32)},
		model.OpConcatenation:              {1, many, 1, planConcatenation},
		model.OpConv2D:                     {2, 3, 1, planConv2D},
		model.OpCos:                        {1, 1, 1, planPointwise(cos32)},
		model.OpCumsum:                     {2, 2, 1, planCumsum},
		model.OpDensify:                    {1, 1, 1, planDensify},
		model.OpDepthToSpace:               {1, 1, 1, planDepthToSpace},
		model.OpDepthwiseConv2D:            {2, 3, 1, planDepthwiseConv2D},
		model.OpDequantize:                 {1, 1, 1, planDequantize},
		model.OpDiv:                        {2, 2, 1, planDiv},
		model.OpElu:                        {1, 1, 1, planElu},
		model.OpEqual:                      {2, 2, 1, planCompare(func(o int) bool { return o == 0 })},
		model.OpExp:                        {1, 1, 1, planExp},
		model.OpExpandDims:                 {2, 2, 1, planExpandDims},
		model.OpFill:                       {2, 2, 1, planFill},
		model.OpFloor:                      {1, 1, 1, planPointwise(floor32)},
		model.OpFloorDiv:                   {2, 2, 1, planFloorDiv},
		model.OpFloorMod:                   {2, 2, 1, planFloorMod},
		model.OpFullyConnected:             {2, 3, 1, planFullyConnected},
		model.OpGather:                     {2, 2, 1, planGather},
		model.OpGatherND:                   {2, 2, 1, planGatherND},
		model.OpGelu:                       {1, 1, 1, planGelu},
		model.OpGreater:                    {2, 2, 1, planCompare(func(o int) bool { return o == 1 })},
		model.OpGreaterEqual:               {2, 2, 1, planCompare(func(o int) bool { return o == 0 || o == 1 })},
		model.OpHardSwish:                  {1, 1, 1, planHardSwish},
		model.OpL2Normalization:            {1, 1, 1, planL2Normalization},
		model.OpL2Pool2D:                   {1, 1, 1, planL2Pool2D},
		model.OpLeakyRelu:                  {1, 1, 1, planLeakyRelu},
		model.OpLess:                       {2, 2, 1, planCompare(func(o int) bool { return o == -1 })},
		model.OpLessEqual:                  {2, 2, 1, planCompare(func(o int) bool { return o == -1 || o == 0 })},
		model.OpLocalResponseNormalization: {1, 1, 1, planLocalResponseNormalization},
		model.OpLog:                        {1, 1, 1, planLog},
		model.OpLogicalAnd:                 {2, 2, 1, planLogical(func(x, y bool) bool { return x && y })},
		model.OpLogicalNot:                 {1, 1, 1, planLogicalNot},
		model.OpLogicalOr:                  {2, 2, 1, planLogical(func(x, y bool) bool { return x || y })},
		model.OpLogistic:                   {1, 1, 1, planLogistic},
		model.OpLogSoftmax:                 {1, 1, 1, planLogSoftmax},
		model.OpMaximum:                    {2, 2, 1, planMaximum},
		model.OpMaxPool2D:                  {1, 1, 1, planMaxPool2D},
		model.OpMean:                       {2, 2, 1, planMean},
		model.OpMinimum:                    {2, 2, 1, planMinimum},
		model.OpMirrorPad:                  {2, 2, 1, planMirrorPad},
		model.OpMul:                        {2, 2, 1, planMul},
		model.OpNeg:                        {1, 1, 1, planNeg},
		model.OpNonMaxSuppressionV4:        {5, 5, 2, planSuppression},
		model.OpNonMaxSuppressionV5:        {6, 6, 3, planSuppression},
		model.OpNotEqual:                   {2, 2, 1, planCompare(func(o int) bool { return o != 0 })},
		model.OpOneHot:                     {4, 4, 1, planOneHot},
		model.OpPack:                       {1, many, 1, planPack},
		model.OpPad:                        {2, 2, 1, planPad},
		model.OpPadV2:                      {3, 3, 1, planPad},
		model.OpPow:                        {2, 2, 1, planPow},
		model.OpPrelu:                      {2, 2, 1, planPrelu},
		model.OpQuantize:                   {1, 1, 1, planQuantize},
		model.OpReduceMax:                  {2, 2, 1, planReduceMax},
		model.OpReduceMin:                  {2, 2, 1, planReduceMin},
		model.OpRelu:                       {1, 1, 1, planRelu(0, math.MaxFloat32)},
		model.OpRelu6:                      {1, 1, 1, planRelu(0, 6)},
		model.OpReluN1To1:                  {1, 1, 1, planRelu(-1, 1)},
		model.OpReshape:                    {1, 2, 1, planReshape},
		model.OpResizeBilinear:             {2, 2, 1, planResizeBilinear},
		model.OpResizeNearestNeighbor:      {2, 2, 1, planResizeNearest},
		model.OpReverseV2:                  {2, 2, 1, planReverse},
		model.OpRound:                      {1, 1, 1, planPointwise(round32)},
		model.OpRsqrt:                      {1, 1, 1, planRsqrt},
		model.OpSelect:                     {3, 3, 1, planSelect},
		model.OpSelectV2:                   {3, 3, 1, planSelectV2},
		model.OpShape:                      {1, 1, 1, planShape},
		model.OpSin:                        {1, 1, 1, planPointwise(sin32)},
		model.OpSlice:                      {3, 3, 1, planSlice},
		model.OpSoftmax:                    {1, 1, 1, planSoftmax},
		model.OpSpaceToBatchND:             {3, 3, 1, planSpaceToBatchND},
		model.OpSpaceToDepth:               {1, 1, 1, planSpaceToDepth},
		model.OpSplit:                      {2, 2, 0, planSplit},
		model.OpSplitV:                     {3, 3, 0, planSplitV},
		model.OpSqrt:                       {1, 1, 1, planSqrt},
		model.OpSquare:                     {1, 1, 1, planPointwise(square32)},
		model.OpSquaredDifference:          {2, 2, 1, planSquaredDifference},
		model.OpSqueeze:                    {1, 1, 1, planSqueeze},
		model.OpStridedSlice:               {4, 4, 1, planStridedSlice},
		model.OpSub:                        {2, 2, 1, planSub},
		model.OpSum:                        {2, 2, 1, planSum},
		model.OpTanh:                       {1, 1, 1, planTanh},
		model.OpTile:                       {2, 2, 1, planTile},
		model.OpTopKV2:                     {2, 2, 2, planTopK},
		model.OpTranspose:                  {2, 2, 1, planTranspose},
		model.OpTransposeConv:              {3, 4, 1, planTransposeConv},
		model.OpUnpack:                     {1, 1, 0, planUnpack},
		model.OpZerosLike:                  {1, 1, 1, planZerosLike},
	}
}

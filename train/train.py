"""Trains the two bundled patch classifiers on crops that `go run ./train` dumped.

A patch's label is the class of its centre pixel. Both nets are written the way
they train fastest on a CPU: a crop wider than a patch gives many overlapping
patches that share their convolutions. Without padding that is exactly training
patch by patch; for the padded net the patches proper are trained beside it.

Usage: train.py DATA_DIR OUT_DIR. Writes for each net its graph as JSON, batch norm
folded, weights as TFLite wants them ([O,kh,kw,I]), and the ranges of its tensors.
"""

import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES = 5
TRAIN_SIDE, TEST_SIDE = 129, 65
MEAN, SCALE = 128.0, 1 / 128  # so that the int8 input is exactly pixel - 128
BATCH = 24


def read_crops(path, side):
    """Returns pixels [n,side,side,3] and classes [n,side,side], both uint8."""
    raw = np.fromfile(path, np.uint8).reshape(-1, side * side * 4)
    pixels = raw[:, : side * side * 3].reshape(-1, side, side, 3)
    return pixels, raw[:, side * side * 3 :].reshape(-1, side, side)


def to_input(pixels):
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    return (x - MEAN) * SCALE


def conv(cin, cout, k, stride=1, pad=0):
    return nn.Sequential(nn.Conv2d(cin, cout, k, stride, pad, bias=False), nn.BatchNorm2d(cout))


class Valid(nn.Module):
    """Three convolutions, three strided max pools, two dense layers; no padding.

    R = 39 and the total stride is 8; the first dense layer is the 3x3
    convolution that it is when the net slides."""

    patch, stride = 39, 8

    def __init__(self, c1=12, c2=16, c3=24, hidden=32):
        super().__init__()
        self.c1, self.c2, self.c3 = conv(3, c1, 3), conv(c1, c2, 3), conv(c2, c3, 3)
        self.fc1, self.fc2 = conv(c3, hidden, 3), nn.Conv2d(hidden, CLASSES, 1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 3, 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2, 2)
        x = F.max_pool2d(F.relu(self.c3(x)), 2, 2)
        return self.fc2(F.relu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a, self.b = conv(cin, cout, 3, stride, 1), conv(cout, cout, 3, 1, 1)
        self.skip = conv(cin, cout, 1, stride) if stride > 1 or cin != cout else None

    def forward(self, x):
        y = self.b(F.relu(self.a(x)))
        return F.relu(y + (self.skip(x) if self.skip else x))


class Same(nn.Module):
    """A small ResNet: strided convolutions, SAME padding, global average pool.

    On 33 pixels every strided layer sees an odd map (33, 17, 9, 5), so that SAME
    pads one on each side and the patch's centre stays the centre. Only 3x3 units
    are left to average: a wide average cannot tell where in the patch a thing is,
    except by the padding, which is not there when the net slides over a frame."""

    patch, stride, window = 33, 16, 3

    def __init__(self, c0=12, c1=12, c2=16, c3=24):
        super().__init__()
        self.stem = conv(3, c0, 3, 2, 1)
        self.blocks = nn.Sequential(Block(c0, c1, 2), Block(c1, c2, 2), Block(c2, c3, 2))
        self.fc = nn.Conv2d(c3, CLASSES, 1)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x)))
        return self.fc(F.avg_pool2d(x, self.window, 1))


def grid_labels(net, truth, n):
    """Classes at the centres of the n x n patches that a crop holds."""
    c = net.patch // 2
    return truth[:, c : c + n * net.stride : net.stride, c : c + n * net.stride : net.stride]


def batches(rng, pixels, truth, side, size):
    """Endless random batches of sub-crops, so that every stride phase is seen."""
    while True:
        idx = rng.integers(0, len(pixels), size)
        dy, dx = rng.integers(0, pixels.shape[1] - side + 1, 2)
        yield (pixels[idx, dy : dy + side, dx : dx + side], truth[idx, dy : dy + side, dx : dx + side])


def class_index(truth, margin):
    """For every class the flat places [crop, y, x] that are far from the crop's edge."""
    inner = np.zeros(truth.shape, bool)
    inner[:, margin:-margin, margin:-margin] = True
    return [np.flatnonzero(inner & (truth == c)) for c in range(CLASSES)]


def patches(rng, pixels, truth, index, patch, size):
    """Endless class-balanced batches of single patches."""
    half, side = patch // 2, truth.shape[1]
    while True:
        out, labels = np.empty((size, patch, patch, 3), np.uint8), np.empty(size, np.int64)
        for i in range(size):
            places = index[i % CLASSES]
            n, y, x = np.unravel_index(places[rng.integers(len(places))], truth.shape)
            out[i] = pixels[n, y - half : y + half + 1, x - half : x + half + 1]
            labels[i] = i % CLASSES
        yield out, labels


def train(name, net, pixels, truth, steps, side, lr, patch_size):
    rng = np.random.default_rng(1)
    weights = torch.tensor(loss_weights(truth))
    print(name, "class weights", weights.numpy().round(2), "parameters", sum(p.numel() for p in net.parameters()))
    opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=1e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(opt, lr, total_steps=steps, pct_start=0.15)
    crops = batches(rng, pixels, truth, side, BATCH)
    single = None
    if patch_size:
        index = class_index(truth, net.patch // 2)
        single = patches(rng, pixels, truth, index, net.patch, patch_size)
    start, mean = time.process_time(), 0.0
    for step in range(steps):
        x, t = next(crops)
        logits = net(to_input(x))
        labels = torch.from_numpy(grid_labels(net, t, logits.shape[2]).astype(np.int64))
        loss = F.cross_entropy(logits, labels, weights)
        if single:
            x, t = next(single)
            loss = loss + F.cross_entropy(net(to_input(x))[:, :, 0, 0], torch.from_numpy(t))
        opt.zero_grad()
        loss.backward()
        opt.step()
        plan.step()
        mean += (loss.item() - mean) * (1 if step == 0 else 0.02)
        if step % 200 == 199:
            print(f"{name} step {step + 1}/{steps} loss {mean:.4f} cpu {time.process_time() - start:.0f} s", flush=True)


def loss_weights(truth):
    """Between balanced and natural, nearer to natural: what counts is whole frames."""
    share = np.bincount(truth.reshape(-1)[::7], minlength=CLASSES) / truth.reshape(-1)[::7].size
    w = share**-0.25
    return (w / (w * share).sum()).astype(np.float32)


def judge(net, pixels, truth, side):
    """Balanced accuracy at the centre of side-pixel patches: clear, near a border."""
    net.eval()
    mid = TEST_SIDE // 2
    labels = truth[:, mid, mid]
    clear = (truth[:, mid - 2 : mid + 3, mid - 2 : mid + 3] == labels[:, None, None]).all((1, 2))
    lo = mid - side // 2
    got = []
    with torch.no_grad():
        for i in range(0, len(pixels), 256):
            out = net(to_input(pixels[i : i + 256, lo : lo + side, lo : lo + side]))
            got.append(out[:, :, out.shape[2] // 2, out.shape[3] // 2].argmax(1).numpy())
    got = np.concatenate(got)
    def per_class(where):
        return [float((got[where & (labels == c)] == c).mean()) for c in range(CLASSES)]
    for what, where in (("clear", clear), ("near", ~clear)):
        acc = per_class(where)
        print(f"  side {side} {what}: balanced {np.mean(acc):.4f}", np.round(acc, 3))
    net.train()


# --- handing the weights over -------------------------------------------------


def folded(seq):
    """Weights [O,kh,kw,I] and bias of a convolution with its batch norm folded in."""
    c, bn = (seq[0], seq[1]) if isinstance(seq, nn.Sequential) else (seq, None)
    w = c.weight.detach().double()
    b = c.bias.detach().double() if c.bias is not None else torch.zeros(len(w), dtype=torch.double)
    if bn is not None:
        g = bn.weight.detach().double() / torch.sqrt(bn.running_var.double() + bn.eps)
        w, b = w * g[:, None, None, None], (b - bn.running_mean.double()) * g + bn.bias.detach().double()
    return w.permute(0, 2, 3, 1).contiguous().float().numpy(), b.float().numpy()


def conv_layer(name, src, seq, relu, padding="VALID"):
    w, b = folded(seq)
    stride = (seq[0] if isinstance(seq, nn.Sequential) else seq).stride[0]
    return dict(op="conv", name=name, inputs=[src], stride=stride, padding=padding, relu=relu, w=w, b=b)


def dense_layer(name, src, seq, relu):
    w, b = folded(seq)
    return dict(op="dense", name=name, inputs=[src], relu=relu, w=w.reshape(len(w), -1), b=b)


def valid_layers(net):
    out, src = [], "input"
    for i, (seq, k) in enumerate(((net.c1, 3), (net.c2, 2), (net.c3, 2)), 1):
        out.append(conv_layer(f"conv{i}", src, seq, True))
        out.append(dict(op="maxpool", name=f"pool{i}", inputs=[f"conv{i}"], k=k, stride=2))
        src = f"pool{i}"
    out.append(dict(op="flatten", name="flat", inputs=[src]))
    out.append(dense_layer("hidden", "flat", net.fc1, True))
    return out + [dense_layer("logits", "hidden", net.fc2, False)]


def same_layers(net):
    out, src = [conv_layer("stem", "input", net.stem, True, "SAME")], "stem"
    for i, block in enumerate(net.blocks, 1):
        out.append(conv_layer(f"block{i}/a", src, block.a, True, "SAME"))
        out.append(conv_layer(f"block{i}/b", f"block{i}/a", block.b, False, "SAME"))
        skip = src
        if block.skip is not None:
            skip = f"block{i}/skip"
            out.append(conv_layer(skip, src, block.skip, False, "SAME"))
        out.append(dict(op="add", name=f"block{i}", inputs=[f"block{i}/b", skip], relu=True))
        src = f"block{i}"
    out.append(dict(op="mean", name="mean", inputs=[src]))
    return out + [dense_layer("logits", "mean", net.fc, False)]


def run(layers, x):
    """The folded layers on patches, as TFLite will run them. Returns every tensor."""
    t = {"input": x}
    for l in layers:
        y = t[l["inputs"][0]]
        if l["op"] == "conv":
            w = torch.from_numpy(l["w"]).permute(0, 3, 1, 2)
            pad = w.shape[2] // 2 if l["padding"] == "SAME" else 0
            y = F.conv2d(y, w, torch.from_numpy(l["b"]), l["stride"], pad)
        elif l["op"] == "dense":
            y = F.linear(y.flatten(1), torch.from_numpy(l["w"]), torch.from_numpy(l["b"]))
        elif l["op"] == "maxpool":
            y = F.max_pool2d(y, l["k"], l["stride"])
        elif l["op"] == "flatten":
            y = y.permute(0, 2, 3, 1).flatten(1)  # rows, columns, channels: TFLite's order
        elif l["op"] == "add":
            y = y + t[l["inputs"][1]]
        elif l["op"] == "mean":
            y = y.mean((2, 3))
        t[l["name"]] = F.relu(y) if l.get("relu") else y
    return t


def ranges(layers, x):
    """The range that int8 must cover in every tensor, a few outliers cut off."""
    lo, hi = {}, {}
    with torch.no_grad():
        for name, y in run(layers, x).items():
            v = y.flatten()
            v = v[torch.randint(len(v), (2_000_000,))] if len(v) > 2_000_000 else v
            v = np.sort(v.numpy())
            cut = len(v) // 20_000
            lo[name], hi[name] = float(min(0, v[cut])), float(max(0, v[-1 - cut]))
    return lo, hi


def export(name, net, layers, calibration, parity, out):
    """Writes NAME.json (the graph), NAME.bin (its weights, float32) and
    NAME_parity.bin: patches, and the logits that PyTorch gives for them."""
    blob, graph = bytearray(), []
    lo, hi = ranges(layers, to_input(calibration))
    for l in layers:
        g = {k: v for k, v in l.items() if k not in "wb"}
        for key in "wb":
            if key in l:
                g[key] = dict(offset=len(blob) // 4, shape=list(l[key].shape))
                blob += l[key].astype("<f4").tobytes()
        g["range"] = [lo[l["name"]], hi[l["name"]]]
        graph.append(g)
    doc = dict(name=name, patch=net.patch, mean=MEAN, scale=SCALE, layers=graph, torch=torch.__version__)
    with open(f"{out}/{name}.json", "w") as f:
        json.dump(doc, f, indent=1)
    with open(f"{out}/{name}.bin", "wb") as f:
        f.write(blob)
    with torch.no_grad():
        logits = run(layers, to_input(parity))["logits"].numpy()
        direct = net.eval()(to_input(parity))[:, :, 0, 0].numpy()
    if not np.allclose(logits, direct, atol=1e-3):
        raise SystemExit(f"{name}: folding changed the net by {np.abs(logits - direct).max()}")
    with open(f"{out}/{name}_parity.bin", "wb") as f:
        f.write(parity.tobytes() + logits.astype("<f4").tobytes())


def main(data, out):
    torch.set_num_threads(1)  # the maps are small: a second thread mostly waits
    torch.manual_seed(1)
    pixels, truth = read_crops(data + "/train.bin", TRAIN_SIDE)
    test, test_truth = read_crops(data + "/test.bin", TEST_SIDE)
    scale = float(os.environ.get("EDGED_TRAIN_SCALE", "1"))  # a dry run sets it low
    for name, net, layers, steps, side, single in (
        ("valid", Valid(), valid_layers, 1500, 127, 0),
        ("same", Same(), same_layers, 3000, 113, 60),
    ):
        train(name, net, pixels, truth, max(2, int(steps * scale)), side, 6e-3, single)
        judge(net, test, test_truth, net.patch)
        if single:
            judge(net, test, test_truth, TEST_SIDE)  # the same centre, true pixels around it
        net.eval()
        index = class_index(truth, net.patch // 2)
        calibration = next(patches(np.random.default_rng(2), pixels, truth, index, net.patch, 500))[0]
        mid, half = TEST_SIDE // 2, net.patch // 2
        few = test[:: len(test) // 10][:10, mid - half : mid + half + 1, mid - half : mid + half + 1]
        export(name, net, layers(net), calibration, few, out)


if __name__ == "__main__":
    main(*sys.argv[1:3])

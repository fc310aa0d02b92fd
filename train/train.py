"""Trains the two bundled patch classifiers on crops that `go run ./train` dumped.

A patch's label is the class of its centre pixel. Both nets are written the way
they train fastest on a CPU: a crop wider than a patch gives many overlapping
patches that share their convolutions. Without padding that is exactly training
patch by patch; for the padded net the patches proper are trained beside it.

Usage: train.py DATA_DIR OUT_DIR. Writes OUT_DIR/NET/{NAME.npy,net.json}: batch
norm folded, weights as TFLite wants them ([O,kh,kw,I]), activation ranges.
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
MINUTES = {"valid": 3.0, "same": 6.0}  # of one core, about; sets nothing but the printed plan


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
    pads one on each side and the patch's centre stays the centre."""

    patch, stride, window = 33, 8, 5

    def __init__(self, c0=12, c1=12, c2=16, c3=24):
        super().__init__()
        self.stem = conv(3, c0, 3, 2, 1)
        self.blocks = nn.Sequential(Block(c0, c1, 1), Block(c1, c2, 2), Block(c2, c3, 2))
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
    """Between balanced and natural: inverse square root of how frequent a class is."""
    share = np.bincount(truth.reshape(-1)[::7], minlength=CLASSES) / truth.reshape(-1)[::7].size
    w = share**-0.5
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


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("THREADS", "2")))
    data, out = sys.argv[1:3]
    pixels, truth = read_crops(data + "/train.bin", TRAIN_SIDE)
    tp, tt = read_crops(data + "/test.bin", TEST_SIDE)
    steps = int(os.environ.get("STEPS", "1000"))
    which = os.environ.get("NET", "valid same").split()
    torch.manual_seed(1)
    if "valid" in which:
        net = Valid()
        train("valid", net, pixels, truth, steps, 127, 6e-3, 0)
        judge(net, tp, tt, 39)
        torch.save(net.state_dict(), out + "/valid.pt")
    if "same" in which:
        net = Same()
        train("same", net, pixels, truth, steps, 113, 6e-3, 60)
        judge(net, tp, tt, 33)
        judge(net, tp, tt, 65)
        torch.save(net.state_dict(), out + "/same.pt")

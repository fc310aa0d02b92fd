"""Learns the weights of a dense net from labelled frames.

Run by `edged tune`, which writes the job into a folder and reads what is said on
standard output: one JSON document a line. The graph is carried over operator by
operator, NHWC as in the .tflite, and runs one crop at a time, since a dense net has
batch 1. Nothing but torch and numpy is needed.

Usage: tune.py FOLDER
"""

import io
import json
import math
import os
import sys

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(90)

IGNORE = 255


def say(kind, **what):
    print(json.dumps({"kind": kind, **what}), flush=True)


# --- operators ------------------------------------------------------------------


def pads(n, k, s, d, same):
    """What TFLite pads before and after an axis."""
    if not same:
        return 0, 0
    total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
    return total // 2, total - total // 2


def padded(x, o, k, value=0.0):
    """x, NCHW, with the padding of window options o."""
    y = pads(x.shape[2], k[0], o["stride"][0], o["dilation"][0], o["same"])
    z = pads(x.shape[3], k[1], o["stride"][1], o["dilation"][1], o["same"])
    return F.pad(x, (*z, *y), value=value) if any(y + z) else x


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def conv(o, x, w, b=None):
    x, w = nchw(x), w.permute(0, 3, 1, 2)
    x = padded(x, o, w.shape[2:])
    return nhwc(F.conv2d(x, w, b, o["stride"], 0, o["dilation"], x.shape[1] // w.shape[1]))


def depthwise(o, x, w, b=None):
    x, w = nchw(x), w.permute(3, 0, 1, 2)
    x = padded(x, o, w.shape[2:])
    return nhwc(F.conv2d(x, w, b, o["stride"], 0, o["dilation"], x.shape[1]))


def transpose_conv(o, shape, w, x, b=None):
    y = F.conv_transpose2d(nchw(x), w.permute(3, 0, 1, 2), None, o["stride"])
    for axis, want in ((2, int(shape[1])), (3, int(shape[2]))):
        over = y.shape[axis] - want
        if over > 0:
            y = y.narrow(axis, over // 2, want)
        elif over < 0:
            y = F.pad(y, (0, -over) if axis == 3 else (0, 0, 0, -over))
    y = nhwc(y)
    return y if b is None else y + b


def dense(o, x, w, b=None):
    y = F.linear(x.reshape(-1, w.shape[1]), w, b)
    return y.reshape(*x.shape[:-1], w.shape[0]) if o["keep"] else y


def max_pool(o, x):
    return nhwc(F.max_pool2d(padded(nchw(x), o, o["size"], -math.inf), o["size"], o["stride"]))


def average_pool(o, x):
    x = nchw(x)
    ones = torch.ones_like(x[:1, :1])
    x, ones = padded(x, o, o["size"]), padded(ones, o, o["size"])
    count = F.avg_pool2d(ones, o["size"], o["stride"])
    return nhwc(F.avg_pool2d(x, o["size"], o["stride"]) / count)


def pad(o, x, p, value=None):
    flat = [int(v) for row in reversed(p.tolist()) for v in row]
    return F.pad(x, flat, value=0.0 if value is None else float(value.reshape(-1)[0]))


def space_to_batch(o, x, block, p):
    (bh, bw), p = block.tolist(), p.tolist()
    x = F.pad(x, (0, 0, *p[1], *p[0]))
    n, h, w, c = x.shape
    x = x.reshape(n, h // bh, bh, w // bw, bw, c).permute(2, 4, 0, 1, 3, 5)
    return x.reshape(bh * bw * n, h // bh, w // bw, c)


def batch_to_space(o, x, block, crops):
    (bh, bw), crops = block.tolist(), crops.tolist()
    n, h, w, c = x.shape
    n //= bh * bw
    x = x.reshape(bh, bw, n, h, w, c).permute(2, 3, 0, 4, 1, 5).reshape(n, h * bh, w * bw, c)
    return x[:, crops[0][0] : h * bh - crops[0][1], crops[1][0] : w * bw - crops[1][1]]


def cut(o, x, begin, size):
    for axis, (b, s) in enumerate(zip(begin.tolist(), size.tolist())):
        x = x.narrow(axis, b, x.shape[axis] - b if s < 0 else s)
    return x


def strided_slice(o, x, begin, end, step):
    index, shrink = [], []
    for a, (b, e, s) in enumerate(zip(begin.tolist(), end.tolist(), step.tolist())):
        if o["shrink"] >> a & 1:
            index.append(b)
            continue
        index.append(slice(None if o["begin"] >> a & 1 else b, None if o["end"] >> a & 1 else e, s))
    return x[tuple(index)]


def resize(o, x, size, linear):
    for axis, n in ((1, int(size[0])), (2, int(size[1]))):
        was, i = x.shape[axis], torch.arange(n, dtype=torch.float32)
        scale = (was - 1) / (n - 1) if o["corners"] and n > 1 else was / n
        if linear:
            at = ((i + 0.5) * scale - 0.5 if o["half"] else i * scale).clamp(min=0)
            low = at.floor().long().clamp(max=was - 1)
            f = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
            high = (low + 1).clamp(max=was - 1)
            x = x.index_select(axis, low) * (1 - f) + x.index_select(axis, high) * f
        else:
            at = (i + 0.5) * scale if o["half"] else i * scale
            at = (at + 0.5).floor() if o["corners"] else at.floor()
            x = x.index_select(axis, at.long().clamp(max=was - 1))
    return x


def axes(t):
    return [int(a) for a in t.reshape(-1)]


OPS = {
    "CONV_2D": conv,
    "DEPTHWISE_CONV_2D": depthwise,
    "TRANSPOSE_CONV": transpose_conv,
    "FULLY_CONNECTED": dense,
    "MAX_POOL_2D": max_pool,
    "AVERAGE_POOL_2D": average_pool,
    "PAD": pad,
    "PADV2": pad,
    "SPACE_TO_BATCH_ND": space_to_batch,
    "BATCH_TO_SPACE_ND": batch_to_space,
    "SLICE": cut,
    "STRIDED_SLICE": strided_slice,
    "RESIZE_BILINEAR": lambda o, x, s: resize(o, x, s, True),
    "RESIZE_NEAREST_NEIGHBOR": lambda o, x, s: resize(o, x, s, False),
    "ADD": lambda o, x, y: x + y,
    "SUB": lambda o, x, y: x - y,
    "MUL": lambda o, x, y: x * y,
    "DIV": lambda o, x, y: x / y,
    "MAXIMUM": lambda o, x, y: torch.maximum(x, y),
    "MINIMUM": lambda o, x, y: torch.minimum(x, y),
    "SQUARED_DIFFERENCE": lambda o, x, y: (x - y) ** 2,
    "RELU": lambda o, x: F.relu(x),
    "RELU6": lambda o, x: x.clamp(0, 6),
    "RELU_N1_TO_1": lambda o, x: x.clamp(-1, 1),
    "LEAKY_RELU": lambda o, x: torch.where(x >= 0, x, x * o["alpha"]),
    "PRELU": lambda o, x, a: torch.where(x >= 0, x, x * a),
    "ELU": lambda o, x: F.elu(x),
    "HARD_SWISH": lambda o, x: x * (x + 3).clamp(0, 6) / 6,
    "LOGISTIC": lambda o, x: torch.sigmoid(x),
    "TANH": lambda o, x: torch.tanh(x),
    "RSQRT": lambda o, x: torch.rsqrt(x),
    "SOFTMAX": lambda o, x: F.softmax(x * o["beta"], -1),
    "LOG_SOFTMAX": lambda o, x: F.log_softmax(x, -1),
    "RESHAPE": lambda o, x, *s: x.reshape(o["shape"]),
    "SQUEEZE": lambda o, x: x.reshape(o["shape"]),
    "EXPAND_DIMS": lambda o, x, *s: x.reshape(o["shape"]),
    "TRANSPOSE": lambda o, x, p: x.permute(axes(p)),
    "CONCATENATION": lambda o, *x: torch.cat(x, o["axis"]),
    "MEAN": lambda o, x, a: x.mean(axes(a), keepdim=o["keep"]),
    "SUM": lambda o, x, a: x.sum(axes(a), keepdim=o["keep"]),
    "GATHER": lambda o, x, i: x.index_select(o["axis"], i.reshape(-1).long()).reshape(
        *x.shape[: o["axis"]], *i.shape, *x.shape[o["axis"] + 1 :]
    ),
}

ACTIVATIONS = {
    "": lambda x: x,
    "RELU": F.relu,
    "RELU6": lambda x: x.clamp(0, 6),
    "RELU_N1_TO_1": lambda x: x.clamp(-1, 1),
}


class Net:
    """The graph. Weights that are learnt are parameters, by the buffer they are in."""

    def __init__(self, job, raw):
        self.job = job
        self.buffers = []
        for b in job["buffers"]:
            kind = np.int32 if b["int"] else np.float32
            v = torch.from_numpy(raw[b["offset"] : b["offset"] + 4 * b["n"]].view(kind).copy())
            self.buffers.append(v.requires_grad_() if b["learn"] else v)
        self.params = [p for b, p in zip(job["buffers"], self.buffers) if b["learn"]]

    def __call__(self, x):
        known = {self.job["input"]: x}
        for c in self.job["constants"]:
            v = self.buffers[c["buffer"]]
            if self.job["buffers"][c["buffer"]]["half"]:
                v = v + (v.half().float() - v).detach()  # what will be stored, with the gradient of what is learnt
            known[c["tensor"]] = v.reshape(c["shape"])
        for op in self.job["operators"]:
            ins = [known[i] if i >= 0 else None for i in op["in"]]
            known[op["out"]] = ACTIVATIONS[op["act"]](OPS[op["op"]](op["options"], *ins))
        return known[self.job["output"]]


# --- data -----------------------------------------------------------------------


class Frames:
    def __init__(self, job, folder):
        h, w, c = job["frame"]
        n = job["frames"]
        raw = np.fromfile(os.path.join(folder, "frames.bin"), np.uint8).reshape(n, h * w * (c + 1))
        self.pixels = raw[:, : h * w * c].reshape(n, h, w, c)
        self.masks = raw[:, h * w * c :].reshape(n, h, w)
        self.job = job
        self.mean = torch.tensor(job["mean"], dtype=torch.float32)
        self.scale = torch.tensor(job["scale"], dtype=torch.float32)

    def prepare(self, pixels):
        x = torch.from_numpy(np.ascontiguousarray(pixels)).float()
        return ((x - self.mean) * self.scale)[None]

    def labels(self, mask):
        """The classes at the centres of the crop's outputs; what looks at the crop's
        border through padding does not count."""
        g = self.job["grid"]
        y = np.rint(g["origin"][0] + np.arange(g["size"][0]) * g["stride"][0]).astype(int)
        x = np.rint(g["origin"][1] + np.arange(g["size"][1]) * g["stride"][1]).astype(int)
        out = np.full((len(y), len(x)), IGNORE, np.int64)
        t, l, b, r = g["band"]
        h, w = mask.shape
        iy = (y >= max(t, 0)) & (y < h - b)
        ix = (x >= max(l, 0)) & (x < w - r)
        out[np.ix_(iy, ix)] = mask[np.ix_(y[iy], x[ix])]
        return torch.from_numpy(out)

    def crop(self, i, y, x):
        h, w = self.job["crop"]
        return self.pixels[i, y : y + h, x : x + w], self.masks[i, y : y + h, x : x + w]

    def random(self, rng):
        job = self.job
        i = job["learn_from"][rng.integers(len(job["learn_from"]))]
        h, w = job["crop"]
        # A place that shows a class drawn evenly: rare ones are met often enough.
        y, x = self.somewhere(rng, i)
        p, m = self.crop(i, y, x)
        p, m = p.astype(np.float32), m
        if "flips" in job["augment"]:
            if rng.random() < 0.5:
                p, m = p[::-1], m[::-1]
            if rng.random() < 0.5:
                p, m = p[:, ::-1], m[:, ::-1]
        if "light" in job["augment"]:
            p = p * (1 + 0.15 * rng.standard_normal()) + 10 * rng.standard_normal()
        if "noise" in job["augment"]:
            p = p + rng.standard_normal(p.shape, dtype=np.float32) * rng.uniform(0, 6)
        return self.prepare(np.clip(p, 0, 255).astype(np.float32)), self.labels(np.ascontiguousarray(m))

    def somewhere(self, rng, i):
        h, w = self.job["crop"]
        H, W = self.masks.shape[1:]
        y, x = int(rng.integers(H - h + 1)), int(rng.integers(W - w + 1))
        if rng.random() < 0.5:
            present = [c for c in np.unique(self.masks[i]) if c != IGNORE]
            if present:
                at = np.argwhere(self.masks[i] == present[rng.integers(len(present))])
                cy, cx = at[rng.integers(len(at))]
                y = int(np.clip(cy - h // 2 + rng.integers(-h // 4, h // 4 + 1), 0, H - h))
                x = int(np.clip(cx - w // 2 + rng.integers(-w // 4, w // 4 + 1), 0, W - w))
        return y, x

    def tiles(self, i):
        """Crops that cover a frame, the last moved back."""
        h, w = self.job["crop"]
        H, W = self.masks.shape[1:]
        g = self.job["grid"]
        step = [max(1, int(n * s)) for n, s in zip(g["useful"], g["stride"])]
        ys = sorted(set([min(y, H - h) for y in range(0, H, step[0])]))
        xs = sorted(set([min(x, W - w) for x in range(0, W, step[1])]))
        for y in ys:
            for x in xs:
                p, m = self.crop(i, y, x)
                yield self.prepare(p.astype(np.float32)), self.labels(m)


def class_weights(job, frames):
    """Between balanced and natural: a class that covers little counts more."""
    n = job["classes"]
    count = np.zeros(n)
    for i in job["learn_from"]:
        count += np.bincount(frames.masks[i].reshape(-1), minlength=256)[:n]
    share = count / max(1, count.sum())
    w = np.where(share > 0, np.maximum(share, 1e-4) ** -0.25, 0)
    w = w / max(1e-9, (w * share).sum())
    return torch.tensor(w if job["weighted"] else np.ones(n), dtype=torch.float32)


def loss_of(job, out, labels, weights):
    out, labels = out.reshape(-1, out.shape[-1]), labels.reshape(-1)
    keep = labels != IGNORE
    if not bool(keep.any()):
        return None
    out, labels = out[keep], labels[keep]
    if out.shape[-1] == 1:
        x, t = out[:, 0], labels.float()
        each = (
            F.binary_cross_entropy(x.clamp(1e-6, 1 - 1e-6), t, reduction="none")
            if job["meaning"] == "probabilities"
            else F.binary_cross_entropy_with_logits(x, t, reduction="none")
        )
        return (each * weights[labels]).sum() / weights[labels].sum().clamp(min=1e-9)
    if job["meaning"] == "probabilities":
        return F.nll_loss((out + 1e-8).log(), labels, weights)
    return F.cross_entropy(out, labels, weights)


def classes_of(job, out):
    if out.shape[-1] == 1:
        return (out[..., 0] >= job["threshold"]).long()
    return out.argmax(-1)


def judge(job, net, frames):
    """IoU by class on the frames kept back."""
    n = job["classes"]
    confusion = np.zeros((n, n), np.int64)
    with torch.no_grad():
        for i in job["kept_back"]:
            for x, labels in frames.tiles(i):
                got = classes_of(job, net(x)).reshape(-1).numpy()
                want = labels.reshape(-1).numpy()
                keep = want != IGNORE
                confusion += np.bincount(want[keep] * n + got[keep], minlength=n * n).reshape(n, n)
    both = np.diag(confusion)
    either = confusion.sum(0) + confusion.sum(1) - both
    iou = [float(b / e) if e else None for b, e in zip(both, either)]
    known = [v for v in iou if v is not None]
    return (sum(known) / len(known) if known else 0.0), iou


# --- learning -------------------------------------------------------------------


def probe(net, job, folder, name):
    x = np.fromfile(os.path.join(folder, "probe.bin"), np.float32).reshape(job["probe"])
    with torch.no_grad():
        y = net(torch.from_numpy(x)).numpy()
    write(os.path.join(folder, name), y.astype(np.float32).tobytes())


def write(path, raw):
    """path is there whole or not at all; what fails is told as an OSError, which
    torch.save alone does not do."""
    try:
        with open(path + ".new", "wb") as f:
            f.write(raw)
            f.flush()
            os.fsync(f.fileno())
        os.replace(path + ".new", path)
    except OSError as e:
        if os.path.isfile(path + ".new"):
            os.remove(path + ".new")
        raise OSError(e.errno, e.strerror, path)


def save(path, what):
    raw = io.BytesIO()
    torch.save(what, raw)
    write(path, raw.getbuffer())


def load(path):
    """The state of an earlier run; None where there is none."""
    if not os.path.exists(path):
        return None
    try:
        return torch.load(path)
    except Exception as e:  # torch raises whatever the damage leads to
        print(f"{path}: the state of the run before cannot be read ({type(e).__name__}): remove the folder to begin anew", file=sys.stderr)
        sys.exit(92)


def main(folder):
    with open(os.path.join(folder, "job.json")) as f:
        job = json.load(f)
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    net = Net(job, np.fromfile(os.path.join(folder, "weights.bin"), np.uint8))
    if job["random"]:
        randomise(net, job)
    else:
        probe(net, job, folder, "probe_before.bin")
        say("probe", torch=torch.__version__)
    frames = Frames(job, folder)
    weights = class_weights(job, frames)
    opt = torch.optim.AdamW(net.params, lr=job["rate"], weight_decay=1e-4)
    state = os.path.join(folder, "state.pt")
    best, epoch, since = None, 0, 0
    rng = np.random.default_rng(job["seed"])
    s = load(state)
    if s is not None:
        with torch.no_grad():
            for p, v in zip(net.params, s["params"]):
                p.copy_(v)
        opt.load_state_dict(s["opt"])
        best, epoch, since = s["best"], s["epoch"], s["since"]
        rng.bit_generator.state = s["rng"]
        say("resumed", epoch=epoch)
    if best is None:
        miou, iou = judge(job, net, frames)
        best = {"miou": miou, "iou": iou, "epoch": 0, "params": [p.detach().clone() for p in net.params]}
        say("epoch", epoch=0, epochs=job["epochs"], loss=0.0, miou=miou, iou=iou, best=0)
    while epoch < job["epochs"] and since < job["patience"]:
        total, met = 0.0, 0
        for step in range(job["steps"]):
            done = (epoch + step / job["steps"]) / job["epochs"]
            for g in opt.param_groups:
                g["lr"] = job["rate"] * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))
            opt.zero_grad()
            for _ in range(job["batch"]):
                x, labels = frames.random(rng)
                loss = loss_of(job, net(x), labels, weights)
                if loss is None:
                    continue
                (loss / job["batch"]).backward()
                total, met = total + float(loss.detach()), met + 1
            torch.nn.utils.clip_grad_norm_(net.params, 5.0)
            opt.step()
        epoch += 1
        loss = total / max(1, met)
        if not math.isfinite(loss):
            say("diverged", epoch=epoch)
            sys.exit(91)
        miou, iou = judge(job, net, frames)
        since += 1
        if miou > best["miou"]:
            best = {"miou": miou, "iou": iou, "epoch": epoch, "params": [p.detach().clone() for p in net.params]}
            since = 0
        save(
            state,
            {
                "params": [p.detach() for p in net.params],
                "opt": opt.state_dict(),
                "best": best,
                "epoch": epoch,
                "since": since,
                "rng": rng.bit_generator.state,
            },
        )
        say("epoch", epoch=epoch, epochs=job["epochs"], loss=loss, miou=miou, iou=iou, best=best["epoch"])
    with torch.no_grad():
        for p, v in zip(net.params, best["params"]):
            p.copy_(v)
    probe(net, job, folder, "probe_after.bin")
    write(os.path.join(folder, "tuned.bin"), b"".join(p.detach().numpy().astype("<f4").tobytes() for p in net.params))
    say("done", epoch=epoch, best=best["epoch"], miou=best["miou"], stopped=since >= job["patience"])


def randomise(net, job):
    """He's initialisation: for the experiment that asks what the weights are worth."""
    g = torch.Generator().manual_seed(job["seed"])
    with torch.no_grad():
        for b, p in zip([b for b in job["buffers"] if b["learn"]], net.params):
            if b["fan"] > 0:
                p.copy_(torch.randn(p.shape, generator=g) * math.sqrt(2 / b["fan"]))
            else:
                p.zero_()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except OSError as e:
        print(f"{e.filename or sys.argv[1]}: {e.strerror or e}", file=sys.stderr)
        sys.exit(92)
    except MemoryError:
        sys.exit(93)
    except RuntimeError as e:  # what torch makes of no memory
        if "memory" in str(e):
            sys.exit(93)
        raise

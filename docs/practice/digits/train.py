"""Make two releases in some seconds, from the digits that come with scikit-learn: one plain, one trained under attack.

    python train.py FOLDER      FOLDER/plain, FOLDER/hardened, and FOLDER/digits.npz: 500 digits held out

The hardened one was trained on what seven steps of projected gradient descent make of each digit (Madry and others,
2018).
"""

import shutil
import sys
from pathlib import Path

import numpy
import torch
from model import network
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy

EPS, STEPS, EPOCHS, HELD_OUT = 0.10, 7, 12, 500


def attacked(net, x, y):
    made = (x + torch.empty_like(x).uniform_(-EPS, EPS)).clamp(0, 1)
    for _ in range(STEPS):
        made.requires_grad_()
        (way,) = torch.autograd.grad(cross_entropy(net(made), y), made)
        made = (made.detach() + EPS / 4 * way.sign()).clamp(x - EPS, x + EPS).clamp(0, 1)
    return made


def train(x, y, hardened):
    torch.manual_seed(7)
    torch.set_num_threads(1)
    net = network()
    way = torch.optim.Adam(net.parameters(), 6e-3)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(x)).split(128):
            given = attacked(net, x[part], y[part]) if hardened else x[part]
            way.zero_grad()
            cross_entropy(net(given), y[part]).backward()
            way.step()
    return net


def main(folder):
    digits = load_digits()
    order = numpy.random.RandomState(0).permutation(len(digits.target))
    x = (digits.images[order] / 16).astype("float32").reshape(-1, 1, 8, 8)
    y = digits.target[order].astype("int64")
    folder.mkdir(parents=True, exist_ok=True)
    numpy.savez(folder / "digits.npz", x=x[-HELD_OUT:], y=y[-HELD_OUT:])
    given, labels = torch.from_numpy(x[:-HELD_OUT]), torch.from_numpy(y[:-HELD_OUT])
    for name in ("plain", "hardened"):
        release = folder / name
        release.mkdir(exist_ok=True)
        net = train(given, labels, name == "hardened")
        numpy.savez(release / "weights.npz", **{key: one.numpy() for key, one in net.state_dict().items()})
        shutil.copy(Path(__file__).with_name("model.py"), release / "model.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

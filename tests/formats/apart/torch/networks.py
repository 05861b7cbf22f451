"""Networks for the tests of the PyTorch formats, the same in every process."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Tabular(nn.Module):
    """Linear layers around a batch norm; a buffer that is not part of the state dict."""

    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
        self.hidden = hidden
        self.first, self.norm, self.last = nn.Linear(4, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, 2)
        self.register_buffer("shift", torch.ones(2), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.norm(self.first(x)))) + self.shift


class Text(nn.Module):
    """Two named inputs, two named outputs, tied weights."""

    def __init__(self, words: int = 20, width: int = 6) -> None:
        super().__init__()
        self.words, self.width = words, width
        self.embed, self.out = nn.Embedding(words, width), nn.Linear(width, words, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden = (self.embed(ids) * mask.unsqueeze(-1)).mean(1)
        return {"scores": self.out(hidden), "hidden": hidden}


class Image(nn.Module):
    """A convolution; answers a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = torch.relu(self.conv(x))
        return seen.mean((2, 3)), seen.amax((1, 2, 3))


class Branching(nn.Module):
    """Code that depends on the values of the rows, which no export can follow."""

    def __init__(self, width: int = 4, scale: float = 2.0) -> None:
        super().__init__()
        self.width, self.scale = width, scale
        self.layer = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 1e9:
            return self.layer(x) * self.scale
        return self.layer(x)


class OneRow(nn.Module):
    """Takes one row at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.view(4)).view(1, 2)


def seeded(kind: type[nn.Module], **arguments: object) -> nn.Module:
    """Return a network with the same weights every time."""
    torch.manual_seed(0)
    return kind(**arguments)


def table(rows: int = 7, columns: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns))


def texts(rows: int = 5) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {"ids": random.integers(0, 20, size=(rows, 3)), "mask": random.normal(size=(rows, 3))}


def images(rows: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, 3, 8, 8))


def answered(module: nn.Module, *tensors: torch.Tensor) -> object:
    """Return what a module itself answers, for comparison."""
    with torch.inference_mode():
        return module.eval()(*tensors)

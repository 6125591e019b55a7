"""The way back through lesson 5's network, step by step, each gradient judged.

The tape shows which gradients are there and which of them are wrong; below it are the
maps of one tensor: its values, its gradient, and where the gradient is off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbook.explore import svg
from workbook.explore.base import (
    Choice,
    Control,
    Explorable,
    Page,
    Refused,
    Steps,
    refusal,
)

PERMITTED = {
    "torch.float64": 1e-6
}  # share of the largest; other floats: a ten-thousandth
NOISE = 100  # so many roundings of the largest gradient: below, a gradient is zero
MAP, TALL = 176.0, 150.0  # pixels of a map, at most
LEVELS = 10  # shades of a colour in it

# Back from the loss: the tensor, its rule, and where its box stands (column, row).
# Row 0: the main line; row 1: what a step needs beside it; row 2: parameters.
WAY: dict[str, tuple[str, int, int]] = {
    "logprobs": ("-1/n at the letter that came, 0 elsewhere", 18, 0),
    "probs": ("dlogprobs / probs", 17, 0),
    "counts_sum_inv": ("(counts * dprobs) summed along the row", 16, 1),
    "counts_sum": ("-dcounts_sum_inv / counts_sum**2", 15, 1),
    "counts": ("counts_sum_inv * dprobs + dcounts_sum, copied", 14, 0),
    "norm_logits": ("counts * dcounts", 13, 0),
    "logit_maxes": ("-dnorm_logits summed along the row", 12, 1),
    "logits": ("dnorm_logits, and dlogit_maxes at the largest", 11, 0),
    "h": ("dlogits @ W2.T", 10, 0),
    "W2": ("h.T @ dlogits", 10, 2),
    "b2": ("dlogits summed over the examples", 11, 2),
    "hpreact": ("dh * (1 - h**2)", 9, 0),
    "bngain": ("(bnraw * dhpreact) summed over the examples", 8, 2),
    "bnbias": ("dhpreact summed over the examples", 9, 2),
    "bnraw": ("bngain * dhpreact", 8, 0),
    "bnvar_inv": ("(bndiff * dbnraw) summed over the examples", 7, 1),
    "bnvar": ("-0.5 * bnvar_inv**3 * dbnvar_inv", 6, 1),
    "bndiff2": ("dbnvar / n, copied to the examples", 5, 1),
    "bndiff": ("bnvar_inv * dbnraw + 2 * bndiff * dbndiff2", 4, 0),
    "bnmean": ("-dbndiff summed over the examples", 3, 1),
    "hprebn": ("dbndiff + dbnmean / n, copied", 2, 0),
    "embcat": ("dhprebn @ W1.T", 1, 0),
    "W1": ("embcat.T @ dhprebn", 1, 2),
    "b1": ("dhprebn summed over the examples", 2, 2),
    "emb": ("dembcat in the shape of emb", 0, 0),
    "C": ("demb, added up in the row of its letter", 0, 2),
}
LINES = [  # which box feeds which
    ("C", "emb"), ("emb", "embcat"), ("embcat", "hprebn"), ("W1", "hprebn"),
    ("b1", "hprebn"), ("hprebn", "bndiff"), ("hprebn", "bnmean"), ("bnmean", "bndiff"),
    ("bndiff", "bnraw"), ("bndiff", "bndiff2"), ("bndiff2", "bnvar"),
    ("bnvar", "bnvar_inv"), ("bnvar_inv", "bnraw"), ("bnraw", "hpreact"),
    ("bngain", "hpreact"), ("bnbias", "hpreact"), ("hpreact", "h"), ("h", "logits"),
    ("W2", "logits"), ("b2", "logits"), ("logits", "norm_logits"),
    ("logits", "logit_maxes"), ("logit_maxes", "norm_logits"),
    ("norm_logits", "counts"), ("counts", "probs"), ("counts", "counts_sum"),
    ("counts_sum", "counts_sum_inv"), ("counts_sum_inv", "probs"),
    ("probs", "logprobs"),
]  # fmt: skip
SLIPS = [  # words of a button -> the slip
    ("no slip", ""),
    ("no 1/n", "mean"),
    ("counts: one path", "counts"),
    ("maximum forgotten", "max"),
    ("tanh: 1 - x²", "tanh"),
    ("bndiff: one path", "bndiff"),
    ("b2 averaged", "bias"),
    ("C by +=", "table"),
]
STRIKES = {  # the slip -> the tensor whose gradient it spoils first
    "mean": "logprobs", "counts": "counts", "max": "logits", "tanh": "hpreact",
    "bndiff": "bndiff", "bias": "b2", "table": "C",
}  # fmt: skip


class Judged(NamedTuple):
    """One gradient beside the true one."""

    state: str  # "right", "zero", "wrong", "shape" or "missing"
    words: str
    error: float = 0.0


def backprop_tape(
    steps: Mapping[str, Any],
    X: Any,
    Y: Any,
    ours: Mapping[str, Any] | None = None,
) -> Explorable:
    """Walk back along the network; with gradients of ours, plant a slip in them.

    steps: the tensors by name, each with autograd's gradient in `grad`.
    X, Y: the batch, letters (n, 3) and what came (n,).
    ours: gradients by name, the learner's own; without it, autograd's are shown.
    """
    try:
        tape = _Tape(steps, X, Y, ours)
    except Refused as reason:
        return refusal(reason)
    last = len(WAY) - 1
    start = 0 if ours is None else last  # ours are there: all of them are shown
    controls: list[Control] = [Steps("at", "steps back", last, start)]
    if ours is not None:
        controls.append(Choice("slip", "", SLIPS, ""))
    return Explorable(tape.page, *controls, still={"at": last})


class _Tape:
    """Values, true gradients and those to be judged, for each slip."""

    def __init__(
        self, steps: Mapping[str, Any], X: Any, Y: Any, ours: Mapping[str, Any] | None
    ) -> None:
        missing = [name for name in WAY if name not in steps]
        if missing:
            raise Refused(f"The tape needs {missing[0]}, and `steps` does not have it.")
        bare = [name for name in WAY if steps[name].grad is None]
        if bare:
            raise Refused(f"{bare[0]} has no gradient: retain_grad(), then backward().")
        self.values = {name: steps[name].detach() for name in WAY}
        self.true = {name: steps[name].grad.detach() for name in WAY}
        self.batch, self.ours = (X, Y), ours
        self.most = max(grad.abs().max().item() for grad in self.true.values())
        self.known: dict[str, dict[str, Any]] = {}
        self.judged: dict[str, dict[str, Judged]] = {}

    def gradients(self, slip: str) -> Mapping[str, Any]:
        """The gradients to be shown: ours, autograd's, or those with a slip."""
        if not slip:
            return self.true if self.ours is None else self.ours
        if slip not in self.known:
            self.known[slip] = backwards(self.values, *self.batch, slip)
        return self.known[slip]

    def verdicts(self, slip: str) -> dict[str, Judged]:
        """What is to be said of each gradient."""
        if slip not in self.judged:
            shown = self.gradients(slip)
            self.judged[slip] = {n: self._judge(n, shown.get(n)) for n in WAY}
        return self.judged[slip]

    def _judge(self, name: str, mine: Any) -> Judged:
        true = self.true[name]
        if mine is None:
            return Judged("missing", "not there yet")
        if mine.shape != true.shape:
            shapes = f"shape {tuple(mine.shape)}, not {tuple(true.shape)}"
            return Judged("shape", shapes)
        largest = true.abs().max().item()
        error = (mine - true).abs().max().item()
        if not math.isfinite(error):
            return Judged("wrong", "not a number somewhere", math.inf)
        import torch

        if largest <= NOISE * torch.finfo(true.dtype).eps * self.most:
            if error <= NOISE * torch.finfo(true.dtype).eps * self.most:
                return Judged("zero", "zero in truth")
            return Judged("wrong", "not zero, and should be", math.inf)
        share = error / largest
        if share <= PERMITTED.get(str(true.dtype), 1e-4):
            return Judged("right", "right", share)
        return Judged("wrong", f"off by {_percent(share)}", share)

    def page(self, at: int, slip: str = "") -> Page:
        names = list(WAY)[: at + 1]
        name, verdicts = names[-1], self.verdicts(slip)
        return Page(
            title=self._claim(name, at, verdicts[name], slip),
            look=self._look(name, slip, verdicts),
            body=_strip(names, verdicts) + self._maps(name, slip),
            height=368,
            header=("tensor", "shape", "its gradient", "is"),
            rows=[
                (n, str(tuple(self.values[n].shape)), WAY[n][0], verdicts[n].words)
                for n in names
            ],
        )

    def _claim(self, name: str, at: int, judged: Judged, slip: str) -> str:
        where = f"{at + 1} of {len(WAY)}, {name}"
        if self.ours is None and not slip:
            return f"{where}: the gradient that autograd kept"
        return f"{where}: {judged.words}"

    def _look(self, name: str, slip: str, verdicts: dict[str, Judged]) -> str:
        if not slip:
            if self.ours is None:
                return (
                    "Each step back fills a box; a ring is a gradient that is zero but "
                    "for rounding. Below are the tensor and its gradient, blue below "
                    "zero, orange above."
                )
            return (
                "Filled is right, a cross is wrong, a ring is zero in truth. Below are "
                "the tensor, your gradient, and where it is off: blank means nowhere."
            )
        wrong = [n for n in WAY if verdicts[n].state in ("wrong", "shape")]
        if not wrong:
            return (
                "The path through the maximum carries nothing, so nothing is off. This "
                "slip cannot be seen in any gradient."
            )
        if len(wrong) == 1:
            return f"Only {wrong[0]} is wrong: nothing lies behind a parameter."
        return (
            f"The slip is in {STRIKES[slip]}, and {len(wrong)} gradients are wrong: "
            "it, and what is computed from it. What came back before it is right."
        )

    def _maps(self, name: str, slip: str) -> str:
        """Values, gradient, and error where there is something to compare."""
        mine = self.gradients(slip).get(name)
        marks = [
            _heading(WAY[name][0], name),
            _map(self.values[name], 20, "values", "forward"),
        ]
        if mine is not None:
            whose = "autograd's gradient" if mine is self.true[name] else "gradient"
            marks.append(_map(mine, 232, whose, "backward"))
        compared = mine is not None and mine is not self.true[name]
        if compared and mine.shape == self.true[name].shape:
            marks.append(_error_map(mine, self.true[name], self.verdicts(slip)[name]))
        return "".join(marks)


def backwards(values: Mapping[str, Any], X: Any, Y: Any, slip: str = "") -> dict:
    """The gradients of all tensors of the way, with one slip or none."""
    import torch

    with torch.no_grad():
        upper = _from_loss(values, Y, slip)
        return upper | _through_batchnorm(values, X, upper, slip)


def _from_loss(v: Mapping[str, Any], Y: Any, slip: str) -> dict[str, Any]:
    """From the loss to the output of the hidden layer."""
    n, d = len(Y), {}
    d["logprobs"] = v["logprobs"] * 0
    d["logprobs"][range(n), Y] = -1.0 if slip == "mean" else -1.0 / n
    d["probs"] = d["logprobs"] / v["probs"]
    d["counts_sum_inv"] = (v["counts"] * d["probs"]).sum(1, keepdim=True)
    d["counts_sum"] = -d["counts_sum_inv"] / v["counts_sum"] ** 2
    d["counts"] = v["counts_sum_inv"] * d["probs"]
    if slip != "counts":
        d["counts"] = d["counts"] + d["counts_sum"]
    d["norm_logits"] = v["counts"] * d["counts"]
    d["logit_maxes"] = -d["norm_logits"].sum(1, keepdim=True)
    d["logits"] = d["norm_logits"].clone()
    if slip != "max":
        rows, best = range(n), v["logits"].argmax(1)
        d["logits"][rows, best] += d["logit_maxes"][:, 0]
    d["h"] = d["logits"] @ v["W2"].T
    d["W2"] = v["h"].T @ d["logits"]
    d["b2"] = d["logits"].mean(0) if slip == "bias" else d["logits"].sum(0)
    return d


def _through_batchnorm(
    v: Mapping[str, Any], X: Any, upper: Mapping[str, Any], slip: str
) -> dict[str, Any]:
    """From the hidden layer to the embedding table."""
    n, d = len(X), {}
    divisor = round((v["bndiff2"].sum(0) / v["bnvar"]).mean().item())  # n, or n - 1
    slope = v["hpreact"] if slip == "tanh" else v["h"]
    d["hpreact"] = upper["h"] * (1 - slope**2)
    d["bngain"] = (v["bnraw"] * d["hpreact"]).sum(0).view_as(v["bngain"])
    d["bnbias"] = d["hpreact"].sum(0).view_as(v["bnbias"])
    d["bnraw"] = v["bngain"] * d["hpreact"]
    d["bnvar_inv"] = (v["bndiff"] * d["bnraw"]).sum(0).view_as(v["bnvar_inv"])
    d["bnvar"] = -0.5 * v["bnvar_inv"] ** 3 * d["bnvar_inv"]
    d["bndiff2"] = (d["bnvar"] / divisor).expand_as(v["bndiff2"])
    d["bndiff"] = v["bnvar_inv"] * d["bnraw"]
    if slip != "bndiff":
        d["bndiff"] = d["bndiff"] + 2 * v["bndiff"] * d["bndiff2"]
    d["bnmean"] = -d["bndiff"].sum(0).view_as(v["bnmean"])
    d["hprebn"] = d["bndiff"] + d["bnmean"] / n
    d["embcat"] = d["hprebn"] @ v["W1"].T
    d["W1"] = v["embcat"].T @ d["hprebn"]
    d["b1"] = d["hprebn"].sum(0).view_as(v["b1"])
    d["emb"] = d["embcat"].view_as(v["emb"])
    d["C"] = v["C"] * 0
    flat = d["emb"].reshape(-1, v["C"].shape[1])
    if slip == "table":
        d["C"][X.flatten()] += flat
    else:
        d["C"].index_add_(0, X.flatten(), flat)
    return d


# --- The tape ---------------------------------------------------------------------

STEP, BOX = 32.0, 22.0
NAMED = {  # boxes with their name: what is written, how far below the middle
    "emb": -16, "hprebn": -16, "bndiff": -16, "bnraw": -16, "h": -16, "logits": -16,
    "counts": -16, "probs": -16, "C": 24, "W1": 24, "b1": 24, "W2": 24, "b2": 24,
}  # fmt: skip


def _place(name: str) -> tuple[float, float]:
    """The middle of a tensor's box."""
    _, column, row = WAY[name]
    return 16 + STEP * column, (32, 66, 100)[row]


def _strip(names: list[str], verdicts: dict[str, Judged]) -> str:
    """All boxes and their lines; those of the steps so far with their verdicts."""
    marks = []
    for one, other in LINES:
        back = one in names
        colour, width = ("backward", 2) if back else ("faint", 1.5)
        marks.append(svg.line(_place(one), _place(other), colour, width))
    marks += [_box(n, verdicts[n] if n in names else None) for n in WAY]
    x, y = _place(names[-1])
    marks.append(svg.box(x - 14, y - 12, 28, 24, "paper", 0, 6, "ink", 2.5))
    for name, below in NAMED.items():
        x, y = _place(name)
        marks.append(svg.text(x, y + below, name, "soft", 11.5, "middle", halo=False))
    end, beside = _place("logprobs"), _place("bngain")
    marks += [
        svg.text(end[0] + 19, end[1] + 4, "loss", "ink", 12.5, halo=False),
        svg.text(beside[0] + 16, beside[1] + 24, "gain, bias", "soft", 11.5, "middle"),
        svg.text(beside[0] - 22, beside[1] + 4, "parameters", "soft", 12, "end"),
    ]
    return "".join(marks)


def _box(name: str, judged: Judged | None) -> str:
    x, y = _place(name)
    left, top = x - BOX / 2, y - 9
    ground = svg.box(left, top, BOX, 18, "paper", None, 4)
    state = judged.state if judged else "open"
    if state == "right":
        return ground + svg.box(left, top, BOX, 18, "backward", 0.85, 4)
    if state == "zero":
        ring = svg.dot(x, y, "backward", 5, hollow=True)
        return ground + svg.box(left, top, BOX, 18, "paper", 0, 4, "backward") + ring
    if state in ("wrong", "shape"):
        cross = svg.line((x - 6, y - 5), (x + 6, y + 5), "ink", 2.5)
        cross += svg.line((x - 6, y + 5), (x + 6, y - 5), "ink", 2.5)
        return ground + svg.box(left, top, BOX, 18, "paper", 0, 4, "ink", 1.5) + cross
    return ground + svg.box(left, top, BOX, 18, "faint", 0.5, 4, "faint", 1)


# --- The maps ---------------------------------------------------------------------

TOP = 194.0
THIN = 12.0  # a tensor of one row or column is drawn at least so wide


@dataclass(frozen=True)
class _Sheet:
    """A tensor as rows of numbers, and the size of a cell that fits."""

    rows: list[list[float]]

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height: a square, but for a tensor of one row or one column."""
        tall, wide = len(self.rows), len(self.rows[0])
        side = min(MAP / wide, TALL / tall, THIN)
        return (THIN if wide == 1 else side), (THIN if tall == 1 else side)

    @property
    def width(self) -> float:
        return self.cell[0] * len(self.rows[0])

    @property
    def height(self) -> float:
        return self.cell[1] * len(self.rows)

    def drawn(self, shares: list[list[float]], left: float, colour: str) -> str:
        """The cells in one colour: 0 leaves the paper, 1 is full; a path a level."""
        wide, tall = self.cell
        places: dict[int, list[str]] = {}
        for i, row in enumerate(shares):
            for j, share in enumerate(row):
                if (level := round(share * LEVELS)) > 0:
                    corner = f"M{left + wide * j:.1f} {TOP + tall * i:.1f}"
                    cell = f"{corner}h{wide:.2f}v{tall:.2f}h-{wide:.2f}z"
                    places.setdefault(level, []).append(cell)
        return "".join(
            svg.tag(
                "path", d="".join(d), opacity=level / LEVELS, class_=f"wb-{colour}",
                color=svg.LIGHT[colour], fill="currentColor",
            )
            for level, d in sorted(places.items())
        )  # fmt: skip


def _sheet(tensor: Any) -> _Sheet:
    """Rows of numbers: a vector lies down, three dimensions are laid side by side."""
    flat = tensor[None] if tensor.dim() < 2 else tensor.reshape(len(tensor), -1)
    return _Sheet(flat.tolist())


def _map(tensor: Any, left: float, what: str, colour: str) -> str:
    """Blue below zero, orange above; the strongest colour is the largest number."""
    sheet = _sheet(tensor)
    most = max((abs(x) for row in sheet.rows for x in row), default=0.0)
    scale = most if most and math.isfinite(most) else 1.0
    above = [[_part(x, scale) for x in row] for row in sheet.rows]
    below = [[_part(-x, scale) for x in row] for row in sheet.rows]
    return (
        svg.text(left, TOP - 9, what, colour, 12.5, bold=True, halo=False)
        + sheet.drawn(above, left, "positive")
        + sheet.drawn(below, left, "forward")
        + _frame(sheet, left)
        + _below(sheet, left, f"largest {most:.2g}")
    )


def _part(x: float, scale: float) -> float:
    """The share of a number above zero; nothing of one that is not finite."""
    return min(x / scale, 1.0) if 0 < x < math.inf else 0.0


def _error_map(mine: Any, true: Any, judged: Judged) -> str:
    """Where a gradient is off: the darker, the larger a share of the largest."""
    left, sheet = 444.0, _sheet((mine - true).abs())
    largest = true.abs().max().item()
    if judged.state == "zero":
        sheet = _Sheet([[0.0] * len(row) for row in sheet.rows])
    darkness = [[_dark(x, largest) for x in row] for row in sheet.rows]
    words = "nowhere" if judged.state in ("right", "zero") else judged.words
    return (
        svg.text(left, TOP - 9, "where it is off", "ink", 12.5, bold=True, halo=False)
        + sheet.drawn(darkness, left, "ink")
        + _frame(sheet, left)
        + _below(sheet, left, words)
    )


def _dark(error: float, largest: float) -> float:
    """Nothing below a millionth of the largest, full at the largest itself."""
    share = error / largest if largest else math.inf
    if not math.isfinite(share):
        return 1.0
    return min(1.0, 1 + math.log10(share) / 6) if share > 1e-6 else 0.0


def _frame(sheet: _Sheet, left: float) -> str:
    return svg.box(
        left, TOP, sheet.width, sheet.height, "paper", 0, 0, "reference", 0.75
    )


def _below(sheet: _Sheet, left: float, words: str) -> str:
    return svg.text(left, TOP + sheet.height + 17, words, "soft", 12, halo=False)


def _heading(rule: str, name: str) -> str:
    """The rule of this step, as it would be written."""
    return svg.text(20, 156, f"d{name} = {rule}", "ink", 13.5, halo=False, code=True)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %" if share < 10 else f"{share:.0f} times the largest"

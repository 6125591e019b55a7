"""Checks of lesson 4: layers against slow loops and PyTorch's own, instruments by hand.

Layers are handed double precision, so that a slip as small as N for N - 1 shows. What a
random start is worth is measured and put into words: the formula whose standard
deviation it has.
"""

import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbook.checks.cases import Case, call, case, exercise, new_seed
from workbook.checks.rehoming import required, stage
from workbook.checks.saying import either, otherwise
from workbook.checks.tensors import doubles, holding, lacking, normal, seeded
from workbook.compare import FLOAT32, Said, Tolerance, kind
from workbook.course import root

NUMBER = Tolerance(1e-5, 1e-6, "a number may have been computed in single precision")
SPREAD = 0.05  # how far a measured standard deviation may be from what was asked for
Cases = Iterator[Case]
Data = tuple[Tensor, Tensor]


def _given() -> Any:
    return required("batchnorm")


# ---------------------------------------------------------------- layers, observed


def _kept(layer: Any, out: Tensor) -> Said:
    """Whether the layer keeps its output so that an instrument can use it."""
    own = getattr(layer, "out", None)
    if not isinstance(own, Tensor):
        return Said("nothing" if own is None else kind(own))
    if own.shape != out.shape:
        return Said(f"a tensor of shape {tuple(own.shape)}")
    same = torch.equal(own.detach(), out.detach())
    if same and out.requires_grad and not own.requires_grad:
        return Said("the output, cut off from its gradient")
    return either(same, "the output", "another tensor")


_OUT = Said("the output")


def _listed(layer: Any, *names: str) -> dict[str, Any]:
    """What parameters() lists, by the names of the layer's tensors."""
    found = layer.parameters()
    if type(found) not in (list, tuple):
        return {"parameters()": found if found is None else Said(kind(found))}
    own = {id(getattr(layer, name, None)): name for name in names}
    said = [own.get(id(p), "None" if p is None else "another thing") for p in found]
    learn = [p for p in found if isinstance(p, Tensor) and p.is_leaf]
    return {
        "parameters()": Said(", ".join(sorted(said)) or "none"),
        "of these, leaves with a gradient": sum(p.requires_grad for p in learn),
    }


def _training(layer: Any) -> Any:
    return getattr(layer, "training", Said("missing"))


def _types_of(*tensors: Tensor) -> Said:
    """What kind of numbers tensors hold, each kind told once."""
    return Said(", ".join(sorted({str(t.dtype).partition(".")[2] for t in tensors})))


_SINGLE = Said("float32")


def _in_turn(make: Callable[[], Any], x: Tensor, *names: str) -> Any:
    """Two layers of one class, called one after the other on numbers of single
    precision that need no gradient: whether they share anything.
    """
    one, two = make(), make()
    if odd := lacking(one, *names):
        return odd
    x, y = x.float(), -x.float()
    was, apart = x.clone(), _are_apart(one, two, names)
    out = one(x)
    if not isinstance(out, Tensor):
        return otherwise(out)
    before = out.detach().clone()
    two(y)
    own = getattr(one, "out", None)
    same = isinstance(own, Tensor) and torch.equal(own.detach(), before)
    apart = apart and _are_apart(one, two, names)
    return {
        "out of the first": either(same, "its output", "another tensor"),
        "their tensors": either(apart, "each its own", "shared"),
        "x": either(torch.equal(x, was), "as it was", "changed"),
    }


def _are_apart(one: Any, two: Any, names: tuple[str, ...]) -> bool:
    """Whether each of two layers has tensors of its own under these names."""
    pairs = [(getattr(one, name), getattr(two, name)) for name in names]
    return all(a.data_ptr() != b.data_ptr() for a, b in pairs)


_APART = {
    "out of the first": Said("its output"),
    "their tensors": Said("each its own"),
    "x": Said("as it was"),
}


def _turn_case(
    text: str, make: Callable[[], Any], x: Tensor, *names: str, **more: Any
) -> Case:
    act = lambda: _in_turn(make, x, *names)  # noqa: E731
    return case(f"two layers {text}, called in turn", act, _APART, **more)


def _with_slopes(out: Tensor, **leaves: Tensor) -> dict[str, Any]:
    """The gradients of 1 · out[0] + 2 · out[1] + … with respect to some tensors."""
    if not out.requires_grad:
        return {"gradients": Said("none: the result has lost its way back")}
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    slopes = torch.autograd.grad((out * weights).sum(), leaves.values(), allow_unused=1)
    names = [f"gradient of {name}" for name in leaves]
    pairs = zip(names, slopes, strict=True)
    return {name: Said("none") if g is None else g for name, g in pairs}


def _std_said(W: Tensor, seed: int, formulas: dict[str, float]) -> Said:
    """The formula that has the standard deviation of W, and its number.

    Where W is a multiple of what `torch.randn` draws with this seed, that is known to
    the last digit; otherwise it is measured.
    """
    W = W.detach().double()
    std, near = W.std().item(), SPREAD
    for turned in (False, True):
        shape = W.shape[::-1] if turned else W.shape
        drawn = torch.randn(shape, generator=seeded(seed)).double()
        ratio = W / (drawn.T if turned else drawn)
        if ratio.std() <= 1e-4 * ratio.mean():
            std, near = ratio.mean().item(), 1e-3
    off = {said: abs(std / value - 1) for said, value in formulas.items()}
    first = next(iter(formulas))  # where two give the same number, the right one
    least = min(off.values())
    nearest = [said for said in off if off[said] <= least + 1e-6][:2]
    if off[first] <= near:
        nearest = [first]
    elif least > near:
        return Said(f"{std:.3g}")
    return Said(f"{formulas[nearest[0]]:.3g}, {' or '.join(nearest)}")


def _formulas(n: int, m: int, gain: float = 1.0) -> dict[str, float]:
    """Standard deviations that learners' weights have, the right one first."""
    first = "gain / sqrt(fan_in)" if gain != 1 else "1 / sqrt(fan_in)"
    top = "gain" if gain != 1 else "1"
    return {
        first: gain / n**0.5,
        "1 / sqrt(fan_in)": 1 / n**0.5,
        f"{top} / fan_in": gain / n,
        f"{top} / sqrt(fan_out)": gain / m**0.5,
        "gain**2 / sqrt(fan_in)": gain**2 / n**0.5,
        "sqrt(gain / fan_in)": (gain / n) ** 0.5,
        f"{top}: not scaled by the fan-in": gain,
        "1: not scaled": 1.0,
        f"{top} * sqrt(fan_in)": gain * n**0.5,
        f"{top} / sqrt(3 * fan_in)": gain / (3 * n) ** 0.5,
        f"{top} / sqrt(12 * fan_in)": gain / (12 * n) ** 0.5,
        "(5 / 3) / sqrt(fan_in)": 5 / 3 / n**0.5,
        "sqrt(2) / sqrt(fan_in)": (2 / n) ** 0.5,
        f"{top} * sqrt(2 / (fan_in + fan_out))": gain * (2 / (n + m)) ** 0.5,
    }


# ---------------------------------------------------------------- initial_loss


def _slow_excess(logits: Tensor, Y: Tensor) -> float:
    """Row by row, with Python's own exponentials."""
    total = 0.0
    for row, y in zip(logits.tolist(), Y.tolist(), strict=True):
        top = max(row)
        total += top + math.log(sum(math.exp(z - top) for z in row)) - row[y]
    return total / len(Y) - math.log(logits.shape[1])


def _scores(N: int, V: int, seed: int, scale: float = 1.0) -> Data:
    Y = torch.randint(0, V, (N,), generator=seeded(seed))
    return normal(N, V, seed=seed, scale=scale), Y


def _excess_case(excess_loss: Callable, logits: Tensor, Y: Tensor, **more: Any) -> Case:
    want = _slow_excess(logits, Y)
    return call(excess_loss, logits, Y, expects=want, within=NUMBER, **more)


def _calmed(calm: Callable, sizes: tuple[int, int, int], seed: int, *std: float) -> Any:
    """What became of an output layer, and of its logits."""
    N, H, V = sizes
    h = torch.tanh(normal(N, H, seed=seed))
    W = normal(H, V, seed=seed + 1).requires_grad_()
    b = (normal(V, seed=seed + 2) + 1).requires_grad_()
    old_h, old_W = h.clone(), W.detach().clone()
    calm(W, b, h, *std)
    with torch.no_grad():
        logits = h @ W + b
        factors = W / old_W
    even = bool(factors.std() <= 1e-6 * factors.mean())
    return {
        "std of the logits": logits.std().item(),
        "b": b.detach().clone(),
        "W": either(
            even, "the old one times a number", "turned round, or changed otherwise"
        ),
        "W and b learn": bool(W.requires_grad and W.is_leaf and b.requires_grad),
        "h": either(torch.equal(h, old_h), "as it was", "changed"),
    }


def _calm_facts(V: int, std: float) -> dict[str, Any]:
    return {
        "std of the logits": std,
        "b": torch.zeros(V, dtype=torch.float64),
        "W": Said("the old one times a number"),
        "W and b learn": True,
        "h": Said("as it was"),
    }


def _calm_case(
    calm: Callable, sizes: tuple[int, int, int], seed: int, *std: float, **more: Any
) -> Case:
    N, H, V = sizes
    asked = f", std={std[0]}" if std else ""
    text = f"calm(W, b, h{asked}), h ({N}, {H}), W ({H}, {V})"
    want = _calm_facts(V, *(std or (0.1,)))
    act = lambda: _calmed(calm, sizes, seed, *std)  # noqa: E731
    return case(text, act, want, within=NUMBER, **more)


@exercise("batchnorm.initial_loss", version=2)
def initial_loss(excess_loss: Callable, calm: Callable) -> Cases:
    right = doubles([[5.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
    for logits, Y in (
        (doubles([[0.0, 3.0, -2.0, 1.0]]), torch.tensor([3])),
        (doubles([[0.0] * 5] * 2), torch.tensor([0, 4])),
        (right, torch.tensor([0, 1])),
        (doubles([[1000.0, 0.0, -1000.0]]), torch.tensor([1])),
        _scores(9, 6, 1),
        _scores(40, 27, 2, 20.0),
    ):
        yield _excess_case(excess_loss, logits, Y)
    yield _calm_case(calm, (6, 4, 3), 1, 0.1)
    below = "these logits begin below that, and are to grow"
    yield _calm_case(calm, (8, 5, 4), 1, 5.0, says=below)
    yield _calm_case(calm, (50, 20, 27), 2, 0.5)
    yield _calm_case(calm, (33, 100, 9), 3)
    yield _excess_case(excess_loss, *_scores(7, 11, new_seed()), fresh=True)


def _right_excess(logits: Tensor, Y: Tensor) -> float:
    return F.cross_entropy(logits, Y).item() - math.log(logits.shape[1])


def _calmer(
    factor: Callable = lambda W, b, h, std: std / (h @ W).std(),
    shift: Callable = lambda b: b.zero_(),
    first: bool = False,
) -> Callable:
    """calm with one thing done otherwise."""

    def calm(W, b, h, std=0.1):
        with torch.no_grad():
            W *= factor(W, b, h, std)
            shift(b)

    return calm


def _only_smaller(W: Tensor, b: Tensor, h: Tensor, std: float) -> float:
    return min(1.0, (std / (h @ W).std()).item())


def _by_softmax(softmax: Callable) -> Callable:
    """The excess by way of probabilities."""
    return lambda z, y: (
        -softmax(z)[range(len(y)), y].log().mean().item() - math.log(z.shape[1])
    )


def _bare_softmax(z: Tensor) -> Tensor:
    return z.exp() / z.exp().sum(1, keepdim=True)


def _calm_without_no_grad(W, b, h, std=0.1):
    W *= std / (h @ W).std()
    b.zero_()


def _calm_rebound(W, b, h, std=0.1):
    W = W * std / (h @ W).std()
    b = b * 0


def _calm_through_h(W, b, h, std=0.1):
    h *= std / (h @ W).std()
    with torch.no_grad():
        b.zero_()


initial_loss.table(
    lambda: (_right_excess, _calmer()),
    {
        "loss itself": (
            "That is the loss: subtract the even one, ln V.",
            (lambda z, y: F.cross_entropy(z, y).item(), None),
        ),
        "ratio": (
            "The excess is a difference in nats, not a ratio.",
            (lambda z, y: F.cross_entropy(z, y).item() / math.log(z.shape[1]), None),
        ),
        "other way round": (
            "The even loss is subtracted from the loss, not the loss from it.",
            (lambda z, y: -_right_excess(z, y), None),
        ),
        "base two": (
            "log2 counts bits: the even loss in nats is the natural logarithm.",
            (lambda z, y: F.cross_entropy(z, y).item() - math.log2(z.shape[1]), None),
        ),
        "base ten": (
            "log10 is another unit: the even loss in nats is the natural logarithm.",
            (lambda z, y: F.cross_entropy(z, y).item() - math.log10(z.shape[1]), None),
        ),
        "always 27": (
            "The even loss depends on the number of letters: it is ln of V.",
            (lambda z, y: F.cross_entropy(z, y).item() - math.log(27), None),
        ),
        "rows for letters": (
            "The letters are the columns of the logits: V is shape[1].",
            (lambda z, y: F.cross_entropy(z, y).item() - math.log(len(z)), None),
        ),
        "probabilities": (
            "F.cross_entropy wants logits: it does the softmax itself.",
            (lambda z, y: _right_excess(F.softmax(z, 1), y), None),
        ),
        "overflows": (
            "exp(1000) is infinite and exp(-1000) is 0: F.cross_entropy avoids both.",
            (_by_softmax(_bare_softmax), None),
            (_by_softmax(lambda z: F.softmax(z, 1)), None),
        ),
        "summed": (
            "The losses are summed: the mean does not grow with the batch.",
            (
                lambda z, y: (
                    F.cross_entropy(z, y, reduction="sum").item() - math.log(z.shape[1])
                ),
                None,
            ),
        ),
        "never below": (
            "A model that is better than even odds has an excess below zero.",
            (lambda z, y: max(0.0, _right_excess(z, y)), None),
            (lambda z, y: abs(_right_excess(z, y)), None),
        ),
        "a tensor": (
            "The excess is a tensor: `.item()` makes a plain number of it.",
            (lambda z, y: F.cross_entropy(z, y) - math.log(z.shape[1]), None),
        ),
        "fixed factor": (
            "A fixed factor fits one network: measure the logits, then scale.",
            (None, _calmer(lambda W, b, h, std: 0.01)),
            (None, _calmer(lambda W, b, h, std: 0.1)),
        ),
        "only smaller": (
            "Logits that begin below `std` stay there: they are to grow.",
            (None, _calmer(_only_smaller)),
        ),
        "divided by n": (
            "The std is taken over n: `.std()` divides by n - 1.",
            (None, _calmer(lambda W, b, h, std: std / (h @ W).std(correction=0))),
        ),
        "times std": (
            "Multiplied by std alone: the logits' own std must be divided out.",
            (None, _calmer(lambda W, b, h, std: std)),
        ),
        "variance": (
            "The variance is the square of the std: divide by the std.",
            (None, _calmer(lambda W, b, h, std: std / (h @ W).var())),
        ),
        "std of the weights": (
            "The std of the weights is set: that of the logits is wanted.",
            (None, _calmer(lambda W, b, h, std: std / W.std())),
        ),
        "bias measured": (
            "The bias is measured with the logits, and then it goes: leave it out.",
            (None, _calmer(lambda W, b, h, std: std / (h @ W + b).std())),
        ),
        "bias left": (
            "The bias stays: it is to be zero.",
            (None, _calmer(shift=lambda b: None)),
        ),
        "bias scaled": (
            "The bias is scaled down: it is to be zero.",
            (None, _calmer(shift=lambda b: b.mul_(0.01))),
            (None, _calmer(shift=lambda b: b.mul_(0.1))),
        ),
        "all zeros": (
            "With weights of zero no gradient reaches the layers below.",
            (None, _calmer(lambda W, b, h, std: 0.0)),
        ),
        "new tensors": (
            "Arithmetic makes new tensors: change W and b in place.",
            (None, _calm_rebound),
        ),
        "without no_grad": (
            "A parameter may be changed in place under torch.no_grad() only.",
            (None, _calm_without_no_grad),
        ),
        "h scaled": (
            "h belongs to the layers below: scale the weights.",
            (None, _calm_through_h),
        ),
    },
)


# ---------------------------------------------------------------- saturation


_MIXED = doubles([[0.1, -0.98], [0.99, 0.5]])
_AT_THE_EDGE = doubles([[0.5, -0.5, 0.75], [-0.75, 0.25, 0.0]])


def _slow_mask(h: Tensor, edge: float) -> Tensor:
    flags = [x > edge or x < -edge for x in h.flatten().tolist()]
    return torch.tensor(flags).view(h.shape)


def _squashed(*shape: int, seed: int) -> Tensor:
    """Outputs of tanh, many of them saturated, more on the negative side."""
    return torch.tanh(normal(*shape, seed=seed, scale=3.0) - 0.7)


@exercise("batchnorm.saturation")
def saturation(saturated: Callable, saturation: Callable) -> Cases:
    for h, *edge in (
        (_MIXED,),
        (_AT_THE_EDGE, 0.5),
        (_squashed(7, 5, seed=1),),
        (_squashed(3, 4, 6, seed=2), 0.9),
        (doubles([[0.2, -0.3]]),),
        (torch.ones(40, 30, dtype=torch.float64) * -1,),
    ):
        mask = _slow_mask(h, *(edge or [0.97]))
        share = sum(mask.flatten().tolist()) / mask.numel()
        yield call(saturated, h, *edge, expects=mask)
        yield call(saturation, h, *edge, expects=share, within=NUMBER)
    h = _squashed(9, 8, seed=new_seed())
    yield call(saturated, h, 0.8, expects=_slow_mask(h, 0.8), fresh=True)


def _right_mask(h: Tensor, edge: float = 0.97) -> Tensor:
    return h.abs() > edge


def _share(h: Tensor, edge: float = 0.97) -> float:
    return _right_mask(h, edge).double().mean().item()


def _both(mask: Callable) -> tuple[Callable, Callable]:
    """A wrong mask, and its share."""
    return mask, lambda h, edge=0.97: mask(h, edge).double().mean().item()


saturation.table(
    lambda: (_right_mask, _share),
    {
        "no absolute value": (
            "Only the upper end is counted: tanh is flat at -1 as well.",
            _both(lambda h, edge=0.97: h > edge),
        ),
        "lower end only": (
            "Only the lower end is counted: tanh is flat at 1 as well.",
            _both(lambda h, edge=0.97: h < -edge),
        ),
        "edge included": (
            "Beyond the edge: an output at the edge itself does not count.",
            _both(lambda h, edge=0.97: h.abs() >= edge),
        ),
        "the healthy ones": (
            "These are the healthy outputs: saturated are those beyond the edge.",
            _both(lambda h, edge=0.97: h.abs() < edge),
            _both(lambda h, edge=0.97: h.abs() <= edge),
        ),
        "edge not used": (
            "The edge is written into the code: use the one passed in.",
            _both(lambda h, edge=0.97: h.abs() > 0.97),
        ),
        "squared": (
            "The square is compared with the edge: compare the absolute value.",
            _both(lambda h, edge=0.97: h**2 > edge),
        ),
        "slope": (
            "That compares the slope: it is small where the output is large.",
            _both(lambda h, edge=0.97: 1 - h**2 > edge),
        ),
        "mask of numbers": (
            "The mask has numbers: leave the comparison's bools as they are.",
            (lambda h, edge=0.97: (h.abs() > edge).float(), None),
            (lambda h, edge=0.97: (h.abs() > edge).double(), None),
            (lambda h, edge=0.97: (h.abs() > edge).int(), None),
            (lambda h, edge=0.97: (h.abs() > edge).long(), None),
        ),
        "whole units": (
            "Each output has its own mark: nothing is asked of whole columns.",
            (lambda h, edge=0.97: (h.abs() > edge).all(0), None),
        ),
        "percent": (
            "The share is given in percent: it goes from 0 to 1.",
            (None, lambda h, edge=0.97: 100 * _share(h, edge)),
        ),
        "counted": (
            "That is how many there are: divide by the number of outputs.",
            (None, lambda h, edge=0.97: (h.abs() > edge).sum().item()),
            (None, lambda h, edge=0.97: float((h.abs() > edge).sum())),
        ),
        "by rows": (
            "The count is divided by the number of examples, not of outputs.",
            (None, lambda h, edge=0.97: (h.abs() > edge).sum().item() / len(h)),
        ),
        "unit by unit": (
            "There is one share, of all outputs, not one for each unit.",
            (None, lambda h, edge=0.97: (h.abs() > edge).float().mean(0)),
            (None, lambda h, edge=0.97: (h.abs() > edge).double().mean(0)),
        ),
        "a tensor": (
            "The share is a tensor: `.item()` makes a plain number of it.",
            (None, lambda h, edge=0.97: (h.abs() > edge).float().mean()),
            (None, lambda h, edge=0.97: (h.abs() > edge).double().mean()),
        ),
        "mean of the outputs": (
            "That averages the outputs: count those beyond the edge.",
            (None, lambda h, edge=0.97: h.abs().mean().item()),
        ),
    },
)


# ---------------------------------------------------------------- dead_units


def _slow_dead(h: Tensor, is_flat: Callable[[float], bool]) -> Tensor:
    columns = zip(*h.tolist(), strict=True)
    return torch.tensor([all(map(is_flat, column)) for column in columns])


_DEAD = doubles([[1.0, 0.2], [-1.0, 1.0]])
_SILENT = doubles([[0.0, 3.0, 0.0], [0.0, 2.0, 2.0]])


_FAINT = doubles([[0.0, 1e-6, 2.0], [0.0, 0.0, 2.0]])


def _once_each(N: int) -> Tensor:
    """Outputs of ReLU, of which each unit fires for one example, its own."""
    return torch.eye(N)


def _once_cases(dead_tanh: Callable, dead_relu: Callable) -> Cases:
    """No unit is dead, and each example but one would say so of a unit."""
    none = torch.zeros(6, dtype=torch.bool)
    for function, h, text in (
        (dead_tanh, 1 - _once_each(6), "dead_tanh(1 - torch.eye(6))"),
        (dead_relu, _once_each(6), "dead_relu(torch.eye(6))"),
    ):
        made = call(function, h, expects=none)
        made.text = text
        yield made


def _with_dead(N: int, H: int, seed: int) -> Tensor:
    """Outputs of tanh: units stuck at 1, at -1, at both, all but once, once."""
    h = torch.tanh(normal(N, H, seed=seed))
    h[:, 0], h[:, 1] = 0.995, -0.999
    h[:, 2] = doubles([0.996, -0.996] * N)[:N]
    h[:, 3], h[0, 3] = 0.999, 0.3
    h[0, 4] = -0.995
    return h


def _with_silent(N: int, H: int, seed: int) -> Tensor:
    """Outputs of ReLU: some units that never fire, one that fires once."""
    h = torch.relu(normal(N, H, seed=seed))
    h[:, 1] = h[:, H - 1] = 0.0
    h[:, 2] = 0.0
    h[N - 1, 2] = 0.01
    return h


def _dead_case(dead_tanh: Callable, h: Tensor, *edge: float, **more: Any) -> Case:
    bound = edge[0] if edge else 0.99
    want = _slow_dead(h, lambda x: abs(x) > bound)
    return call(dead_tanh, h, *edge, expects=want, **more)


@exercise("batchnorm.dead_units", version=2)
def dead_units(dead_tanh: Callable, dead_relu: Callable) -> Cases:
    yield _dead_case(dead_tanh, _DEAD)
    yield call(dead_relu, _SILENT, expects=_slow_dead(_SILENT, lambda x: x == 0))
    yield _dead_case(dead_tanh, doubles([[0.6, -0.5], [0.75, 0.75]]), 0.5)
    yield call(dead_relu, _FAINT, expects=torch.tensor([True, False, False]))
    yield from _once_cases(dead_tanh, dead_relu)
    for N, H in ((9, 6), (5, 8), (200, 50)):
        yield _dead_case(dead_tanh, _with_dead(N, H, N))
        h = _with_silent(N, H, N)
        yield call(dead_relu, h, expects=_slow_dead(h, lambda x: x == 0))
    yield _dead_case(dead_tanh, doubles([[0.995, -0.4, -0.991]]))
    h = _with_dead(7, 5, new_seed())
    yield _dead_case(dead_tanh, h, 0.99, fresh=True)


def _right_dead(h: Tensor, edge: float = 0.99) -> Tensor:
    return (h.abs() > edge).all(0)


def _right_silent(h: Tensor) -> Tensor:
    return (h == 0).all(0)


dead_units.table(
    lambda: (_right_dead, _right_silent),
    {
        "any": (
            "Saturated once is not dead: ask whether it is so for all examples.",
            (lambda h, e=0.99: (h.abs() > e).any(0), lambda h: (h == 0).any(0)),
            (lambda h, e=0.99: (h.abs() > e).any(0), None),
            (None, lambda h: (h == 0).any(0)),
        ),
        "examples": (
            "The question goes to each row, an example: a unit is a column.",
            (lambda h, e=0.99: (h.abs() > e).all(1), lambda h: (h == 0).all(1)),
            (lambda h, e=0.99: (h.abs() > e).all(1), None),
            (None, lambda h: (h == 0).all(1)),
        ),
        "all together": (
            "One answer for the whole layer: there is one for each unit.",
            (lambda h, e=0.99: (h.abs() > e).all(), lambda h: (h == 0).all()),
            (lambda h, e=0.99: (h.abs() > e).all(), None),
            (None, lambda h: (h == 0).all()),
        ),
        "no absolute value": (
            "Only units stuck at 1 are found: -1 is as flat.",
            (lambda h, e=0.99: (h > e).all(0), None),
        ),
        "one end at a time": (
            "A unit that is stuck at both ends in turn passes no gradient either.",
            (lambda h, e=0.99: (h > e).all(0) | (h < -e).all(0), None),
        ),
        "on average": (
            "The mean is compared with the edge: each example counts by itself.",
            (lambda h, e=0.99: h.abs().mean(0) > e, None),
            (lambda h, e=0.99: h.mean(0).abs() > e, None),
        ),
        "first example": (
            "Only the first example is looked at.",
            (lambda h, e=0.99: h[0].abs() > e, lambda h: h[0] == 0),
            (lambda h, e=0.99: h[0].abs() > e, None),
            (None, lambda h: h[0] == 0),
        ),
        "mask": (
            "These are the saturated outputs: ask each column whether all are.",
            (lambda h, e=0.99: h.abs() > e, lambda h: h == 0),
            (lambda h, e=0.99: h.abs() > e, None),
            (None, lambda h: h == 0),
        ),
        "the living": (
            "The living units are marked: mark the dead ones.",
            (lambda h, e=0.99: ~_right_dead(h, e), lambda h: ~_right_silent(h)),
            (lambda h, e=0.99: (h.abs() <= e).all(0), None),
            (None, lambda h: ~_right_silent(h)),
            (None, lambda h: (h > 0).any(0)),
            (None, lambda h: (h != 0).all(0)),
            (None, lambda h: (h > 0).all(0)),
        ),
        "counted": (
            "That is how many there are: mark which ones.",
            (
                lambda h, e=0.99: _right_dead(h, e).sum(),
                lambda h: (h == 0).all(0).sum(),
            ),
            (lambda h, e=0.99: _right_dead(h, e).sum(), None),
            (None, lambda h: _right_silent(h).sum()),
        ),
        "places": (
            "These are the places of the dead units: give a bool for each unit.",
            (
                lambda h, e=0.99: _right_dead(h, e).nonzero()[:, 0],
                lambda h: _right_silent(h).nonzero()[:, 0],
            ),
            (lambda h, e=0.99: _right_dead(h, e).nonzero()[:, 0], None),
            (None, lambda h: _right_silent(h).nonzero()[:, 0]),
        ),
        "edge not used": (
            "The edge is written into the code: use the one passed in.",
            (lambda h, e=0.99: (h.abs() > 0.99).all(0), None),
            (lambda h, e=0.99: (h.abs() > 0.97).all(0), None),
        ),
        "faint": (
            "A unit that fires faintly is alive: dead is one that gives 0 for all.",
            (None, lambda h: (h < 1e-3).all(0)),
            (None, lambda h: (h < 0.01).all(0)),
            (None, lambda h: h.mean(0) < 1e-6),
        ),
        "never changes": (
            "A unit that gives the same for all may fire for all: ask for zeros.",
            (None, lambda h: h.std(0) == 0),
            (None, lambda h: (h == h[0]).all(0)),
        ),
        "below zero": (
            "ReLU gives nothing below zero: where it does not fire it gives 0.",
            (None, lambda h: (h < 0).all(0)),
        ),
        "flat where it fires": (
            "A ReLU is not flat where it is large: it is dead where it gives 0.",
            (None, lambda h: (h.abs() > 0.99).all(0)),
        ),
    },
)


# ---------------------------------------------------------------- kaiming


_GAINS = {"linear": 1.0, "relu": 2**0.5, "tanh": 5 / 3}


def _drawn(kaiming: Callable, n: int, m: int, name: str, seed: int) -> Any:
    """What weights are like: their formula in words, and what becomes of inputs."""
    W, again = (kaiming(n, m, name, generator=seeded(seed)) for _ in range(2))
    other = kaiming(n, m, name, generator=seeded(seed + 1))
    if not isinstance(W, Tensor) or not W.is_floating_point():
        return otherwise(W)
    if tuple(W.shape) != (n, m):
        return {"shape": list(W.shape)}
    made, W, gain = W, W.detach().double(), _GAINS[name]
    out = normal(300, n, seed=seed) @ W
    fair = abs(out.std().item() / gain - 1) <= 1.5 * SPREAD
    return {
        "shape": list(W.shape),
        "dtype": _types_of(made),
        "std": _std_said(W, seed, _formulas(n, m, gain)),
        "numbers": _normal_said(W),
        "mean": either(abs(W.mean()) < 6 * W.std() / (n * m) ** 0.5, "0", "not 0"),
        "inputs of std 1 come out with": either(fair, f"{gain:.3g}", "another std"),
        "the same generator": either(
            torch.equal(W, again.detach().double()), "the same weights", "others"
        ),
        "another generator": either(
            torch.equal(W, other.detach().double()), "the same weights", "others"
        ),
    }


def _normal_said(W: Tensor) -> Said:
    """Whether thousands of numbers look as drawn one by one from the normal."""
    if len(W.unique()) < 0.95 * W.numel():
        return Said("some come again and again")
    far = (W.abs() > 2 * W.std()).double().mean().item()
    return either(0.03 < far < 0.065, _NORMAL, f"{far:.0%} beyond 2 std")


_NORMAL = Said("5% beyond 2 std, as normal ones")


def _kaiming_facts(n: int, m: int, name: str) -> dict[str, Any]:
    gain = _GAINS[name]
    said, value = next(iter(_formulas(n, m, gain).items()))
    return {
        "shape": [n, m],
        "dtype": _SINGLE,
        "std": Said(f"{value:.3g}, {said}"),
        "numbers": _NORMAL,
        "mean": Said("0"),
        "inputs of std 1 come out with": Said(f"{gain:.3g}"),
        "the same generator": Said("the same weights"),
        "another generator": Said("others"),
    }


def _kaiming_case(
    kaiming: Callable, n: int, m: int, name: str, seed: int, **more: Any
) -> Case:
    text = f'kaiming({n}, {m}, "{name}")'
    act = lambda: _drawn(kaiming, n, m, name, seed)  # noqa: E731
    return case(text, act, _kaiming_facts(n, m, name), **more)


def _by_default(kaiming: Callable) -> Any:
    """Where neither function nor generator is named: two calls, and the spread."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        W, again = kaiming(60, 90), kaiming(60, 90)
    if not isinstance(W, Tensor) or not W.is_floating_point():
        return otherwise(W)
    if tuple(W.shape) != (60, 90):
        return {"shape": list(W.shape)}
    return {
        "std": _std_said(W, 1, _formulas(60, 90, 5 / 3)),
        "called again": either(torch.equal(W, again), "the same weights", "new ones"),
    }


def _one_weight(kaiming: Callable) -> Any:
    W = kaiming(1, 1, "linear", generator=seeded(1))
    if not isinstance(W, Tensor) or W.shape != (1, 1):
        return otherwise(W) if not isinstance(W, Tensor) else {"shape": list(W.shape)}
    return {"a number": bool(W.isfinite().all())}


@exercise("batchnorm.kaiming", version=2)
def kaiming(gain: Callable, kaiming: Callable) -> Cases:
    for name in ("linear", "relu", "tanh"):
        want = torch.nn.init.calculate_gain(name)
        yield call(gain, name, expects=float(want), within=NUMBER)
    for n, m, name in ((100, 50, "relu"), (30, 200, "tanh"), (400, 27, "linear")):
        yield _kaiming_case(kaiming, n, m, name, 1, telling=True)
    yield _kaiming_case(kaiming, 4, 3000, "relu", 1)
    std = Said(f"{5 / 3 / 60**0.5:.3g}, gain / sqrt(fan_in)")
    want = {"std": std, "called again": Said("new ones")}
    yield case("kaiming(60, 90)", lambda: _by_default(kaiming), want)
    text = 'kaiming(1, 1, "linear")'
    yield case(text, lambda: _one_weight(kaiming), {"a number": True})
    yield _kaiming_case(kaiming, 250, 40, "tanh", new_seed(), fresh=True)


def _right_gain(nonlinearity: str) -> float:
    return _GAINS[nonlinearity]


def _drawer(
    scale: Callable[[float, int, int], float] = lambda gain, n, m: gain / n**0.5,
    draw: Callable = torch.randn,
    use: bool = True,
    shape: Callable = lambda n, m: (n, m),
) -> Callable:
    """kaiming with one thing done otherwise."""

    def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
        W = draw(*shape(fan_in, fan_out), generator=generator if use else None)
        return W * scale(_GAINS[nonlinearity], fan_in, fan_out)

    return kaiming


def _spread_evenly(*shape: int, generator: Any = None) -> Tensor:
    return torch.rand(*shape, generator=generator) * 2 - 1


def _seeded_inside(fan_in, fan_out, nonlinearity="tanh", generator=None):
    return _drawer()(fan_in, fan_out, nonlinearity, seeded(42))


def _seeded_where_none(fan_in, fan_out, nonlinearity="tanh", generator=None):
    return _drawer()(fan_in, fan_out, nonlinearity, generator or seeded(42))


def _seeded_first(fan_in, fan_out, nonlinearity="tanh", generator=None):
    torch.manual_seed(0)
    return _drawer()(fan_in, fan_out, nonlinearity, generator)


def _default(name: str) -> Callable:
    """kaiming with another function by default."""

    def kaiming(fan_in, fan_out, nonlinearity=name, generator=None):
        return _drawer()(fan_in, fan_out, nonlinearity, generator)

    return kaiming


def _even_and_wide(*shape: int, generator: Any = None) -> Tensor:
    return _spread_evenly(*shape, generator=generator) * 3**0.5


kaiming.table(
    lambda: (_right_gain, _drawer()),
    {
        "gain of the variance": (
            "The variance is multiplied by 2: the std by its root.",
            (lambda name: {**_GAINS, "relu": 2.0}[name], None),
        ),
        "gains swapped": (
            "The gains of relu and tanh have changed places.",
            (lambda name: {**_GAINS, "relu": 5 / 3, "tanh": 2**0.5}[name], None),
        ),
        "gain of one": (
            "Each function has a gain of its own: relu and tanh take something away.",
            (lambda name: 1.0, None),
        ),
        "gain upside down": (
            "The gain makes up for the loss: it is above 1, as 5 / 3.",
            (lambda name: 1 / _GAINS[name], None),
        ),
        "whole division": (
            "5 // 3 is 1: a gain is no whole number.",
            (lambda name: {**_GAINS, "tanh": 5 // 3}[name], None),
            (lambda name: {**_GAINS, "tanh": 1.0}[name], None),
        ),
        "no root": (
            "Divided by fan_in: the std takes its square root.",
            (None, _drawer(lambda gain, n, m: gain / n)),
        ),
        "fan-out": (
            "That is the fan-out: an output adds up fan_in numbers.",
            (None, _drawer(lambda gain, n, m: gain / m**0.5)),
        ),
        "no gain": (
            "The gain is not used.",
            (None, _drawer(lambda gain, n, m: 1 / n**0.5)),
        ),
        "always tanh": (
            "The gain is that of tanh, whatever is asked for: use `nonlinearity`.",
            (None, _drawer(lambda gain, n, m: 5 / 3 / n**0.5)),
        ),
        "another default": (
            'Where no function is named it is "tanh": here it is another.',
            (None, _default("relu")),
            (None, _default("linear")),
        ),
        "not normal": (
            "Even numbers of the right std are no normal ones: draw with torch.randn.",
            (None, _drawer(draw=_even_and_wide)),
        ),
        "double precision": (
            "The weights are float64: x @ W raises an error where x is float32.",
            (None, lambda *a, **o: _drawer()(*a, **o).double()),
        ),
        "always the same": (
            "Without a generator torch's own draws: new weights in each call.",
            (None, _seeded_where_none),
            (None, _seeded_first),
        ),
        "gain squared": (
            "The gain is squared: that belongs to the variance.",
            (None, _drawer(lambda gain, n, m: gain**2 / n**0.5)),
        ),
        "root of the gain": (
            "The root takes in the gain: it is over fan_in alone.",
            (None, _drawer(lambda gain, n, m: (gain / n) ** 0.5)),
        ),
        "not divided": (
            "The weights are not divided by sqrt(fan_in).",
            (None, _drawer(lambda gain, n, m: gain)),
        ),
        "multiplied": (
            "Multiplied by sqrt(fan_in): a longer sum needs smaller weights.",
            (None, _drawer(lambda gain, n, m: gain * n**0.5)),
        ),
        "both fans": (
            "That is Xavier's rule, with both fans: here fan_in alone counts.",
            (None, _drawer(lambda gain, n, m: gain * (2 / (n + m)) ** 0.5)),
        ),
        "evenly spread": (
            "Evenly within ± gain / sqrt(fan_in), the std is smaller by sqrt(3).",
            (None, _drawer(draw=_spread_evenly)),
        ),
        "never below zero": (
            "torch.rand gives numbers from 0 to 1: randn has mean 0 and std 1.",
            (None, _drawer(draw=torch.rand)),
        ),
        "generator not used": (
            "The generator that is passed in is not used.",
            (None, _drawer(use=False)),
        ),
        "seeded inside": (
            "The same weights come each time: draw with the generator passed in.",
            (None, _seeded_inside),
        ),
        "turned": (
            "The shape is (fan_in, fan_out), so that x @ W works.",
            (None, _drawer(shape=lambda n, m: (m, n))),
        ),
    },
)


# ---------------------------------------------------------------- linear


def _linear_made(Linear: type, n: int, m: int, bias: bool) -> Any:
    """How a new layer begins."""
    options = {} if bias else {"bias": False}
    layer, again, other = (
        Linear(n, m, generator=seeded(s), **options) for s in (1, 1, 2)
    )
    if odd := lacking(layer, "weight", *["bias"] * bias):
        return odd
    found: dict[str, Any] = {"shape of weight": list(layer.weight.shape)}
    found["std of weight"] = Said("no table")
    if layer.weight.ndim == 2:
        found["std of weight"] = _std_said(layer.weight, 1, _formulas(n, m))
    found["dtype"] = _types_of(layer.weight, *[layer.bias] * bias)
    if bias:
        found["shape of bias"] = list(layer.bias.shape)
        found["bias starts at"] = either(
            not bool(layer.bias.any()), "0", "other numbers"
        )
    else:
        found["bias"] = getattr(layer, "bias", Said("missing"))
    same = torch.equal(layer.weight, again.weight)
    new = torch.equal(layer.weight, other.weight)
    found |= _listed(layer, "weight", *["bias"] * bias)
    found["the same generator"] = either(same, "the same weights", "others")
    found["another generator"] = either(new, "the same weights", "others")
    return found | {"training": _training(layer)}


def _drawn_twice(make: Callable) -> Any:
    """Two new layers without a generator."""
    one, two = make(), make()
    if odd := lacking(one, "weight"):
        return odd
    same = torch.equal(one.weight, two.weight)
    return {"without a generator": either(same, "the same weights", "new ones")}


_TWICE = {"without a generator": Said("new ones")}


def _linear_facts(n: int, m: int, bias: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "shape of weight": [n, m],
        "std of weight": Said(f"{n**-0.5:.3g}, 1 / sqrt(fan_in)"),
        "dtype": _SINGLE,
    }
    if bias:
        found |= {"shape of bias": [m], "bias starts at": Said("0")}
    else:
        found["bias"] = None
    return found | {
        "parameters()": Said("bias, weight" if bias else "weight"),
        "of these, leaves with a gradient": 1 + bias,
        "the same generator": Said("the same weights"),
        "another generator": Said("others"),
        "training": True,
    }


def _linear_out(
    Linear: type, W: Tensor, b: Tensor | None, x: Tensor, flag: bool = True
) -> Any:
    """The output with known weights, what the layer keeps, and the gradients."""
    layer = Linear(*W.shape, bias=b is not None)
    values = {"weight": W} if b is None else {"weight": W, "bias": b}
    if odd := lacking(layer, *values):
        return odd
    start = x.clone().requires_grad_()
    if not flag:
        layer.training = False
    out = holding(layer, **values)(start)
    if not isinstance(out, Tensor):
        return otherwise(out)
    found = {"output": out, "in out": _kept(layer, out)}
    if tuple(out.shape) != (*x.shape[:-1], W.shape[1]):
        return found
    own = {name: getattr(layer, name) for name in values}
    return found | _with_slopes(out, x=start, **own)


def _linear_by_hand(W: Tensor, b: Tensor | None, x: Tensor) -> dict[str, Any]:
    """Every output a sum of products; the gradients by their formulas."""
    rows = x.reshape(-1, len(W))
    shift = [0.0] * W.shape[1] if b is None else b.tolist()
    table = [
        [sum(a * w for a, w in zip(row, col, strict=True)) + s
         for col, s in zip(W.T.tolist(), shift, strict=True)]
        for row in rows.tolist()
    ]  # fmt: skip
    out = doubles(table).view(*x.shape[:-1], W.shape[1])
    back = torch.arange(1.0, out.numel() + 1, dtype=W.dtype).view(-1, W.shape[1])
    slopes = {"gradient of x": (back @ W.T).view(x.shape)}
    slopes["gradient of weight"] = rows.T @ back
    if b is not None:
        slopes["gradient of bias"] = back.sum(0)
    return {"output": out, "in out": _OUT, **slopes}


def _linear_case(
    Linear: type, W: Tensor, b: Tensor | None, x: Tensor, text: str = "", **more: Any
) -> Case:
    n, m = W.shape
    extra = "" if b is not None else ", bias=False"
    flag = more.pop("flag", True)
    text = text or f"Linear({n}, {m}{extra}) of x {tuple(x.shape)}"
    text += "" if flag else ", training = False"
    act = lambda: _linear_out(Linear, W, b, x, flag)  # noqa: E731
    return case(text, act, _linear_by_hand(W, b, x), **more)


@exercise("batchnorm.linear", version=2)
def linear(Linear: type) -> Cases:
    W, b, x = doubles([[1.0], [2.0]]), doubles([3.0]), doubles([[1.0, 1.0]])
    text = "weight [[1], [2]], bias [3], x [[1, 1]]"
    yield _linear_case(Linear, W, b, x, text)
    text = "weight [[1], [2]], bias [0], x [[1, 1]]"
    yield _linear_case(Linear, W, b * 0, x, text)
    for n, m, bias in ((100, 40, True), (30, 200, False)):
        text = f"Linear({n}, {m}{'' if bias else ', bias=False'})"
        act = lambda a=(n, m, bias): _linear_made(Linear, *a)  # noqa: E731
        yield case(text, act, _linear_facts(n, m, bias), telling=True)
    for shape, m, bias in (
        ((5, 3), 4, True),
        ((5, 4), 3, False),
        ((2, 6, 3), 7, True),
        ((4,), 2, True),
        ((3, 3), 3, True),
    ):
        W, x = normal(shape[-1], m, seed=m), normal(*shape, seed=m + 1)
        yield _linear_case(Linear, W, normal(m, seed=9) if bias else None, x)
    W, b, x = normal(2, 3, seed=1), normal(3, seed=2), normal(4, 2, seed=3)
    yield _linear_case(Linear, W, b, x, flag=False)
    make = lambda: Linear(2, 3)  # noqa: E731
    yield _turn_case("Linear(2, 3)", make, x, "weight", "bias")
    yield case("Linear(2, 3), twice", lambda: _drawn_twice(make), _TWICE)
    s = new_seed()
    W, b, x = normal(6, 5, seed=s), normal(5, seed=s + 1), normal(8, 6, seed=s + 2)
    yield _linear_case(Linear, W, b, x, fresh=True)


class _Named:
    """The start of wrong classes, so that errors read as the learner's do."""

    training: Any = True

    def __init_subclass__(cls, named: str = "") -> None:
        cls.__name__ = named or cls.__mro__[1].__name__


class _Linear(_Named, named="Linear"):
    """Right, but for what each mistake below changes."""

    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        self.weight = self.drawn(fan_in, fan_out, generator)
        self.bias = self.shift(fan_out) if bias else None

    def drawn(self, n, m, g):
        return (torch.randn(n, m, generator=g) / n**0.5).requires_grad_()

    def shift(self, m):
        return torch.zeros(m, requires_grad=True)

    def product(self, x):
        return x @ self.weight

    def __call__(self, x):
        out = self.product(x)
        out = out if self.bias is None else out + self.bias
        return self.keep(out)

    def keep(self, out):
        self.out = out
        return out

    def parameters(self):
        return [self.weight] if self.bias is None else [self.weight, self.bias]


def _like(base: type, **methods: Any) -> type:
    """The class with some methods written otherwise."""
    return type(base.__name__, (base,), methods)


def _kept_by_all(self: Any, out: Tensor) -> Tensor:
    """keep, where the class keeps it."""
    type(self).out = out
    return out


def _drawn_from_seed(self: Any, n: int, m: int, g: Any) -> Tensor:
    torch.manual_seed(1)
    return _Linear.drawn(self, n, m, g)


def _draws(scale: Callable) -> Callable:
    return lambda self, n, m, g: (
        torch.randn(n, m, generator=g) * scale(n, m)
    ).requires_grad_()


linear.table(
    lambda: (_Linear,),
    {
        "turned": (
            "weight is (fan_in, fan_out) here: PyTorch's own layer turns it.",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: (
                    torch.randn(m, n, generator=g) / n**0.5
                ).requires_grad_(),
                product=lambda self, x: x @ self.weight.T,
            ),
        ),
        "not scaled": (
            "The weights are not divided by sqrt(fan_in).",
            _like(_Linear, drawn=_draws(lambda n, m: 1.0)),
        ),
        "no root": (
            "Divided by fan_in: the std takes its square root.",
            _like(_Linear, drawn=_draws(lambda n, m: 1 / n)),
        ),
        "fan-out": (
            "Divided by the root of fan_out: an output adds up fan_in numbers.",
            _like(_Linear, drawn=_draws(lambda n, m: m**-0.5)),
        ),
        "with a gain": (
            "The gain depends on what comes behind: this layer starts with 1.",
            _like(_Linear, drawn=_draws(lambda n, m: 5 / 3 / n**0.5)),
        ),
        "evenly spread": (
            "Spread evenly within ± 1 / sqrt(fan_in), the std is smaller by sqrt(3).",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: (
                    (torch.rand(n, m, generator=g) * 2 - 1) / n**0.5
                ).requires_grad_(),
            ),
        ),
        "not a leaf": (
            "A weight that is scaled after requires_grad is no leaf: it gets no grad.",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: (
                    torch.randn(n, m, generator=g, requires_grad=True) / n**0.5
                ),
            ),
        ),
        "no gradient": (
            "The tensors do not ask for a gradient: they would never learn.",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: torch.randn(n, m, generator=g) / n**0.5,
                shift=lambda self, m: torch.zeros(m),
            ),
            _like(
                _Linear,
                drawn=lambda self, n, m, g: torch.randn(n, m, generator=g) / n**0.5,
            ),
            _like(_Linear, shift=lambda self, m: torch.zeros(m)),
        ),
        "generator not used": (
            "The generator that is passed in is not used.",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: (
                    torch.randn(n, m) / n**0.5
                ).requires_grad_(),
            ),
        ),
        "random bias": (
            "The bias starts at zero.",
            _like(
                _Linear,
                shift=lambda self, m: torch.randn(
                    m, generator=seeded(3), requires_grad=True
                ),
            ),
            _like(_Linear, shift=lambda self, m: torch.ones(m, requires_grad=True)),
        ),
        "always a bias": (
            "bias=False asks for a layer without one: bias is None then.",
            _like(
                _Linear,
                __init__=lambda self, n, m, bias=True, generator=None: _Linear.__init__(
                    self, n, m, True, generator
                ),
            ),
        ),
        "bias not added": (
            "The bias is not added.",
            _like(_Linear, __call__=lambda self, x: self.keep(self.product(x))),
        ),
        "bias not listed": (
            "The bias learns as well: parameters() leaves it out.",
            _like(_Linear, parameters=lambda self: [self.weight]),
        ),
        "None listed": (
            "Without a bias, parameters() lists the weight alone, and no None.",
            _like(_Linear, parameters=lambda self: [self.weight, self.bias]),
        ),
        "not kept": (
            "The output is returned, and not kept in out.",
            _like(_Linear, keep=lambda self, out: out),
        ),
        "kept without its graph": (
            "What is kept is detached: no gradient can be read there.",
            _like(
                _Linear,
                keep=lambda self, out: setattr(self, "out", out.detach()) or out,
            ),
        ),
        "bias of zero": (
            "A bias of zero is added too: left out, it gets no gradient, and stays 0.",
            _like(
                _Linear,
                __call__=lambda self, x: self.keep(
                    self.product(x) + self.bias
                    if self.bias is not None and self.bias.any()
                    else self.product(x)
                ),
            ),
        ),
        "always the same": (
            "Without a generator torch's own draws: new weights in each layer.",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: _Linear.drawn(self, n, m, g or seeded(42)),
            ),
            _like(_Linear, drawn=_drawn_from_seed),
        ),
        "double precision": (
            "The weights are float64: x @ weight raises an error where x is float32.",
            _like(
                _Linear,
                drawn=lambda self, n, m, g: (
                    _Linear.drawn(self, n, m, g).detach().double().requires_grad_()
                ),
            ),
        ),
        "out shared": (
            "out is kept by the class, and so is one for all layers: keep it in self.",
            _like(_Linear, keep=_kept_by_all),
        ),
        "kept too early": (
            "What is kept lacks the bias: keep what is returned.",
            _like(
                _Linear,
                __call__=lambda self, x: (
                    self.keep(self.product(x))
                    if self.bias is None
                    else self.keep(self.product(x)) + self.bias
                ),
            ),
        ),
        "no training": (
            "A layer says in `training` whether it is in training; it begins as True.",
            _like(_Linear, training=property()),
            _like(_Linear, training=False),
        ),
    },
)


# ---------------------------------------------------------------- tanh


def _squeezed(Tanh: type, x: Tensor, flag: bool = True) -> Any:
    """What a layer without parameters gives, keeps, and passes back."""
    layer, start = Tanh(), x.clone().requires_grad_()
    if not flag:
        layer.training = False
    given_x = start * 1  # no leaf, so that it could be written to
    out = layer(given_x)
    if not isinstance(out, Tensor):
        return otherwise(out)
    untouched = torch.equal(given_x.detach(), x)
    found = {
        "output": out,
        "in out": _kept(layer, out),
        "x": either(untouched, "as it was", "changed"),
    }
    if out.shape != x.shape:
        return found
    return found | _with_slopes(out, x=start)


def _tanh_by_hand(x: Tensor) -> dict[str, Any]:
    out = doubles([math.tanh(v) for v in x.flatten().tolist()]).view(x.shape)
    weights = torch.arange(1.0, x.numel() + 1, dtype=x.dtype).view(x.shape)
    slopes = [1 / math.cosh(min(abs(v), 300.0)) ** 2 for v in x.flatten().tolist()]
    back = doubles(slopes).view(x.shape) * weights
    return {
        "output": out,
        "in out": _OUT,
        "x": Said("as it was"),
        "gradient of x": back,
    }


def _tanh_alone(Tanh: type) -> Any:
    layer = Tanh()
    found = layer.parameters()
    if type(found) not in (list, tuple):
        return {"parameters()": Said("None" if found is None else kind(found))}
    said = f"a list of {len(found)}" if found else "an empty list"
    return {"parameters()": Said(said), "training": _training(layer)}


@exercise("batchnorm.tanh", version=2)
def tanh(Tanh: type, slope: Callable) -> Cases:
    for x in (
        doubles([0.0, 1.0, -2.0]),
        normal(5, 3, seed=1),
        normal(2, 3, 4, seed=2),
        doubles([[1000.0, -1000.0, 0.5]]),
    ):
        text = f"Tanh() of x {tuple(x.shape)}"
        text += f" = {x.tolist()}" if x.numel() < 5 else ""
        act = lambda x=x: _squeezed(Tanh, x)  # noqa: E731
        yield case(text, act, _tanh_by_hand(x))
    x = doubles([0.0, 1.0, -2.0])
    act = lambda: _squeezed(Tanh, x, False)  # noqa: E731
    text = f"training = False, Tanh() of x (3,) = {x.tolist()}"
    yield case(text, act, _tanh_by_hand(x))
    yield _turn_case("Tanh()", Tanh, x)
    want = {"parameters()": Said("an empty list"), "training": True}
    yield case("Tanh()", lambda: _tanh_alone(Tanh), want)
    for h in (doubles([0.0, 0.5, -1.0]), torch.tanh(normal(6, 4, seed=3))):
        slopes = [1 - v * v for v in h.flatten().tolist()]
        yield call(slope, h, expects=doubles(slopes).view(h.shape))
    new = normal(4, 5, seed=new_seed())
    act = lambda: _squeezed(Tanh, new)  # noqa: E731
    yield case("Tanh() of new numbers", act, _tanh_by_hand(new), fresh=True)


class _Tanh(_Named, named="Tanh"):
    """Right, but for what each mistake below changes."""

    def bend(self, x):
        return torch.tanh(x)

    def __call__(self, x):
        return self.keep(self.bend(x))

    def keep(self, out):
        self.out = out
        return out

    def parameters(self):
        return []


def _by_exponentials(self: Any, x: Tensor) -> Tensor:
    up, down = torch.exp(x), torch.exp(-x)
    return (up - down) / (up + down)


def _by_one_exponential(self: Any, x: Tensor) -> Tensor:
    e = torch.exp(2 * x)
    return (e - 1) / (e + 1)


def _no_way_back(self: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.tanh(x)


tanh.table(
    lambda: (_Tanh, lambda h: 1 - h**2),
    {
        "relu": (
            "That is ReLU: tanh squashes to both sides.",
            (_like(_Tanh, bend=lambda self, x: torch.relu(x)), None),
        ),
        "sigmoid": (
            "The sigmoid goes from 0 to 1: tanh goes from -1 to 1.",
            (_like(_Tanh, bend=lambda self, x: torch.sigmoid(x)), None),
        ),
        "clamped": (
            "That cuts off at -1 and 1: tanh bends.",
            (_like(_Tanh, bend=lambda self, x: x.clamp(-1, 1)), None),
            (_like(_Tanh, bend=lambda self, x: F.hardtanh(x)), None),
        ),
        "overflows": (
            "exp(1000) is infinite: torch.tanh works at any size.",
            (_like(_Tanh, bend=_by_exponentials), None),
            (_like(_Tanh, bend=_by_one_exponential), None),
        ),
        "in place": (
            "tanh_ writes into its input: the layer before still needs it.",
            (_like(_Tanh, bend=lambda self, x: x.tanh_()), None),
        ),
        "not kept": (
            "The output is returned, and not kept in out.",
            (_like(_Tanh, keep=lambda self, out: out), None),
        ),
        "kept without its graph": (
            "What is kept is detached: no gradient can be read there.",
            (
                _like(
                    _Tanh,
                    keep=lambda self, out: setattr(self, "out", out.detach()) or out,
                ),
                None,
            ),
        ),
        "in training only": (
            "tanh is the same in training and in use: `training` changes nothing here.",
            (
                _like(
                    _Tanh, bend=lambda self, x: torch.tanh(x) if self.training else x
                ),
                None,
            ),
        ),
        "out shared": (
            "out is kept by the class, and so is one for all layers: keep it in self.",
            (_like(_Tanh, keep=_kept_by_all), None),
        ),
        "input kept": (
            "The input is kept in out: keep the output.",
            (_like(_Tanh, __call__=lambda self, x: self.keep(x).tanh()), None),
        ),
        "no way back": (
            "The result has lost its way back: no detach, no no_grad in a layer.",
            (_like(_Tanh, bend=_no_way_back), None),
            (_like(_Tanh, bend=lambda self, x: torch.tanh(x.detach())), None),
        ),
        "parameters": (
            "Nothing learns here: parameters() is an empty list.",
            (_like(_Tanh, parameters=lambda self: [self.bend(torch.zeros(1))]), None),
            (_like(_Tanh, parameters=lambda self: [None]), None),
        ),
        "no training": (
            "A layer says in `training` whether it is in training; it begins as True.",
            (_like(_Tanh, training=property()), None),
            (_like(_Tanh, training=False), None),
        ),
        "of the input": (
            "h is the output of tanh already: do not squash it again.",
            (None, lambda h: 1 - torch.tanh(h) ** 2),
        ),
        "not squared": (
            "The output is squared: 1 - h is another curve.",
            (None, lambda h: 1 - h),
            (None, lambda h: 1 - h.abs()),
        ),
        "square alone": (
            "The slope is 1 minus the square: it is largest at 0.",
            (None, lambda h: h**2),
        ),
        "wrong sign": (
            "The square is subtracted: no slope of tanh is above 1.",
            (None, lambda h: 1 + h**2),
        ),
        "square of the difference": (
            "(1 - h) squared is not 1 minus the square of h.",
            (None, lambda h: (1 - h) ** 2),
        ),
        "of the sigmoid": (
            "h (1 - h) is the slope of the sigmoid.",
            (None, lambda h: h * (1 - h)),
        ),
    },
)


# ---------------------------------------------------------------- batchnorm


_BUFFERS = ("gamma", "beta", "running_mean", "running_var")


def _bn(BatchNorm1d: type, dim: int, seed: int, **options: float) -> Any:
    """A layer with known numbers in it; what it lacks, where it lacks some."""
    layer = BatchNorm1d(dim, **options)
    if odd := lacking(layer, *_BUFFERS):
        return odd
    return holding(layer, **_bn_numbers(dim, seed))


def _bn_numbers(dim: int, seed: int) -> dict[str, Tensor]:
    """Random ones; 1, 0, 0, 1, with which a layer begins, for seed 0."""
    if not seed:
        zeros = torch.zeros(dim, dtype=torch.float64)
        return dict(zip(_BUFFERS, (zeros + 1, zeros, zeros, zeros + 1), strict=True))
    one, two, three, four = (normal(dim, seed=seed + i) for i in range(4))
    numbers = one + 1.5, two, three * 2, four**2 + 0.5
    return dict(zip(_BUFFERS, numbers, strict=True))


def _torchs_bn(dim: int, seed: int, **options: float) -> torch.nn.BatchNorm1d:
    """PyTorch's own layer with the same numbers in it."""
    layer = torch.nn.BatchNorm1d(dim, dtype=torch.float64, **options)
    names = ("weight", "bias", "running_mean", "running_var")
    for name, value in zip(names, _bn_numbers(dim, seed).values(), strict=True):
        getattr(layer, name).data = value.clone()
    return layer


def _averages(layer: Any) -> dict[str, Any]:
    """The running averages, and whether they carry a graph with them."""
    if odd := lacking(layer, "running_mean", "running_var"):
        return odd
    mean, var = layer.running_mean, layer.running_var
    plain = not (mean.requires_grad or var.requires_grad)
    return {
        "running_mean": mean.detach(),
        "running_var": var.detach(),
        "kept": either(plain, "as numbers", "with the graph of all batches"),
    }


def _normalised(layer: Any, x: Tensor, slopes: bool) -> Any:
    """The output for one batch, what is kept of it, and the gradients."""
    if isinstance(layer, dict):
        return layer
    start = x.clone().requires_grad_()
    given_x = start * 1  # no leaf, so that it could be written to
    out = layer(given_x)
    if not isinstance(out, Tensor):
        return otherwise(out)
    untouched = either(torch.equal(given_x.detach(), x), "as it was", "changed")
    found = {"output": out, "in out": _kept(layer, out), "x": untouched}
    if not slopes or out.shape != x.shape:
        return found
    gamma = getattr(layer, "gamma", getattr(layer, "weight", None))
    beta = getattr(layer, "beta", getattr(layer, "bias", None))
    return found | _with_slopes(out, x=start, gamma=gamma, beta=beta)


def _torchs(layer: Any, x: Tensor, slopes: bool) -> dict[str, Any]:
    """The same of a layer of PyTorch's."""
    layer.register_forward_hook(lambda one, _, out: setattr(one, "out", out))
    return _normalised(layer, x, slopes)


def _after(layer: Any, batches: list[Tensor]) -> Any:
    """The running averages after some batches."""
    if isinstance(layer, dict):
        return layer
    for x in batches:
        layer(x.clone().requires_grad_())
    return _averages(layer)


def _averages_by_hand(
    dim: int, seed: int, batches: list[Tensor], momentum: float = 0.1
) -> dict[str, Any]:
    """Batch after batch, with sums written out."""
    numbers = _bn_numbers(dim, seed)
    mean, var = numbers["running_mean"], numbers["running_var"]
    for x in batches:
        centre = x.sum(0) / len(x)
        spread = ((x - centre) ** 2).sum(0) / (len(x) - 1)
        mean = mean + momentum * (centre - mean)
        var = var + momentum * (spread - var)
    return {"running_mean": mean, "running_var": var, "kept": Said("as numbers")}


def _in_use(BatchNorm1d: type, dim: int, seed: int, x: Tensor) -> Any:
    """The output in use, and whether anything moved."""
    layer = _bn(BatchNorm1d, dim, seed)
    if isinstance(layer, dict):
        return layer
    layer.training = False
    found = _normalised(layer, x, True)
    if "output" not in found or lacking(layer, "running_mean", "running_var"):
        return found
    mean, var = layer.running_mean, layer.running_var
    was = _bn_numbers(dim, seed)
    same = torch.equal(mean.detach(), was["running_mean"])
    same = same and torch.equal(var.detach(), was["running_var"])
    return found | {"running averages": either(same, "as they were", "moved")}


def _used_by_hand(dim: int, seed: int, x: Tensor, eps: float = 1e-5) -> dict[str, Any]:
    gamma, beta, mean, var = _bn_numbers(dim, seed).values()
    xhat = torch.stack([(row - mean) / (var + eps).sqrt() for row in x])
    back = torch.arange(1.0, x.numel() + 1, dtype=x.dtype).view(x.shape)
    return {
        "output": xhat * gamma + beta,
        "in out": _OUT,
        "x": Said("as it was"),
        "gradient of x": back * gamma / (var + eps).sqrt(),
        "gradient of gamma": (back * xhat).sum(0),
        "gradient of beta": back.sum(0),
        "running averages": Said("as they were"),
    }


def _use_case(BatchNorm1d: type, dim: int, seed: int, N: int, **more: Any) -> Case:
    x = normal(N, dim, seed=seed + 9, scale=2.0)
    act = lambda: _in_use(BatchNorm1d, dim, seed, x)  # noqa: E731
    text = f"training = False, BatchNorm1d({dim}) of x ({N}, {dim})"
    return case(text, act, _used_by_hand(dim, seed, x), **more)


def _bn_made(BatchNorm1d: type, dim: int) -> Any:
    """How a new layer begins."""
    layer = BatchNorm1d(dim)
    if odd := lacking(layer, *_BUFFERS):
        return odd
    start = {name: getattr(layer, name).detach().double() for name in _BUFFERS}
    dtype = {"dtype": _types_of(*(getattr(layer, name) for name in _BUFFERS))}
    said = {"training": _training(layer)}
    return start | dtype | _listed(layer, *_BUFFERS) | said


def _bn_facts(dim: int) -> dict[str, Any]:
    return _bn_numbers(dim, 0) | {
        "dtype": _SINGLE,
        "parameters()": Said("beta, gamma"),
        "of these, leaves with a gradient": 2,
        "training": True,
    }


_COLUMN = doubles([[1.0], [5.0]])


@exercise("batchnorm.batchnorm", version=2)
def batchnorm(BatchNorm1d: type) -> Cases:
    make = lambda *a, **o: _bn(BatchNorm1d, *a, **o)  # noqa: E731
    yield case("BatchNorm1d(5)", lambda: _bn_made(BatchNorm1d, 5), _bn_facts(5))
    text = "BatchNorm1d(1) of x [[1], [5]], in training"
    act = lambda: _normalised(make(1, 0), _COLUMN, False)  # noqa: E731
    yield case(text, act, _torchs(_torchs_bn(1, 0), _COLUMN, False), telling=True)
    act = lambda: _normalised(make(1, 0), _COLUMN, True)  # noqa: E731
    text = "BatchNorm1d(1) of x [[1], [5]], in training, with its gradients"
    yield case(text, act, _torchs(_torchs_bn(1, 0), _COLUMN, True))
    far = doubles([[1e6 + 0.1], [1e6 + 0.7]])
    act = lambda: _normalised(make(1, 0), far, False)  # noqa: E731
    text = "BatchNorm1d(1) of x [[1000000.1], [1000000.7]], in training"
    yield case(text, act, _torchs(_torchs_bn(1, 0), far, False))
    act = lambda: _after(make(1, 0), [_COLUMN])  # noqa: E731
    want = _averages_by_hand(1, 0, [_COLUMN])
    yield case("the averages after [[1], [5]]", act, want, telling=True)
    for (N, dim), options in (
        ((7, 5), {}),
        ((4, 6), {"eps": 0.5}),
        ((3, 3), {"momentum": 0.3}),
        ((64, 40), {}),
    ):
        yield from _bn_cases(BatchNorm1d, N, dim, options)
    small = normal(6, 2, seed=1) * doubles([1.0, 1e-3])
    flat = torch.cat([small, torch.ones(6, 1).double()], 1)
    act = lambda: _normalised(make(3, 2), flat, False)  # noqa: E731
    want = _torchs(_torchs_bn(3, 2), flat, False)
    yield case("a unit that hardly varies, one that is the same for all", act, want)
    for N in (4, 1):
        yield _use_case(BatchNorm1d, 5, 3, N)
    new = lambda: BatchNorm1d(1)  # noqa: E731
    yield _turn_case("BatchNorm1d(1)", new, _COLUMN, *_BUFFERS)
    N, seed = random.randint(5, 9), new_seed()
    yield _use_case(BatchNorm1d, 4, seed, N, fresh=True)
    x = normal(N, 4, seed=seed, scale=3.0)
    act = lambda: _normalised(make(4, seed), x, True)  # noqa: E731
    want = _torchs(_torchs_bn(4, seed), x, True)
    yield case("a new batch, in training", act, want, fresh=True)


@cache
def _bn_wanted(N: int, dim: int, **options: float) -> tuple[Any, Any]:
    """What PyTorch's layer gives for a batch; the averages of two, by hand."""
    x, y = normal(N, dim, seed=N, scale=2.0) + 1, normal(N, dim, seed=N + 1)
    averages = _averages_by_hand(dim, N, [x, y], options.get("momentum", 0.1))
    return _torchs(_torchs_bn(dim, N, **options), x, True), averages


def _bn_cases(
    BatchNorm1d: type, N: int, dim: int, options: dict[str, float]
) -> Iterator[Case]:
    """One batch, with its gradients; then the averages of two."""
    out, averages = _bn_wanted(N, dim, **options)
    large = N > 50
    said = "".join(f", {name}={value}" for name, value in options.items())
    text = f"BatchNorm1d({dim}{said}) of x ({N}, {dim}), in training"
    x, y = normal(N, dim, seed=N, scale=2.0) + 1, normal(N, dim, seed=N + 1)
    act = lambda: _normalised(_bn(BatchNorm1d, dim, N, **options), x, True)  # noqa: E731
    if "momentum" not in options:
        yield case(text, act, out, once=large)
    again = lambda: _after(_bn(BatchNorm1d, dim, N, **options), [x, y])  # noqa: E731
    text = f"the averages of BatchNorm1d({dim}{said}) after two batches"
    if "eps" not in options:
        yield case(text, again, averages, once=large)


class _BN(_Named, named="BatchNorm1d"):
    """Right, but for what each mistake below changes."""

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.gamma = self.scale(dim)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.running_mean = torch.zeros(dim)
        self.running_var = torch.ones(dim)

    def scale(self, dim):
        return torch.ones(dim, requires_grad=True)

    def batch(self, x):
        return x.mean(0), x.var(0, correction=0)

    def noted(self, x):
        return x.mean(0).detach(), x.var(0).detach()

    def remember(self, mean, var):
        m = self.momentum
        self.running_mean = (1 - m) * self.running_mean + m * mean
        self.running_var = (1 - m) * self.running_var + m * var

    def norm(self, x, mean, var):
        return (x - mean) / torch.sqrt(var + self.eps)

    def learned(self, xhat):
        return self.gamma * xhat + self.beta

    def __call__(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = self.batch(x)
            self.remember(*self.noted(x))
        return self.keep(self.learned(self.norm(x, mean, var)))

    def keep(self, out):
        self.out = out
        return out

    def parameters(self):
        return [self.gamma, self.beta]


def _always_the_batch(self: Any, x: Tensor) -> Tensor:
    mean, var = self.batch(x)
    if self.training:
        self.remember(*self.noted(x))
    return self.keep(self.learned(self.norm(x, mean, var)))


def _all_of_training(self: Any, x: Tensor) -> Tensor:
    mean, var = self.batch(x)
    self.remember(*self.noted(x))
    return self.keep(self.learned(self.norm(x, mean, var)))


def _moved_in_use(self: Any, x: Tensor) -> Tensor:
    mean, var = (
        self.batch(x) if self.training else (self.running_mean, self.running_var)
    )
    self.remember(*self.noted(x))
    return self.keep(self.learned(self.norm(x, mean, var)))


def _always_the_averages(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.remember(*self.noted(x))
    out = self.norm(x, self.running_mean, self.running_var)
    return self.keep(self.learned(out))


def _cut_in_use(self: Any, x: Tensor) -> Tensor:
    return _BN.__call__(self, x if self.training else x.detach())


def _no_graph_in_use(self: Any, x: Tensor) -> Tensor:
    with torch.set_grad_enabled(self.training):
        return _BN.__call__(self, x)


def _flag_turned(self: Any, x: Tensor) -> Tensor:
    mean, var = self.running_mean, self.running_var
    if not self.training:
        mean, var = self.batch(x)
        self.remember(*self.noted(x))
    return self.keep(self.learned(self.norm(x, mean, var)))


def _moved(mean: bool = True, var: bool = True, by: Callable = lambda m: m) -> Callable:
    """remember with one thing done otherwise."""

    def remember(self, new_mean, new_var):
        m = by(self.momentum)
        if mean:
            self.running_mean = (1 - m) * self.running_mean + m * new_mean
        if var:
            self.running_var = (1 - m) * self.running_var + m * new_var

    return remember


def _added(self: Any, mean: Tensor, var: Tensor) -> None:
    self.running_mean = self.running_mean + self.momentum * mean
    self.running_var = self.running_var + self.momentum * var


def _born(**values: Callable[[int], Tensor]) -> Callable:
    """An __init__ that makes some tensors otherwise."""

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        _BN.__init__(self, dim, eps, momentum)
        for name, make in values.items():
            setattr(self, name, make(dim))

    return __init__


def _cut_statistics(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(0).detach(), x.var(0, correction=0).detach()


def _over_units(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)


def _over_all(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(), x.var(correction=0)


batchnorm.table(
    lambda: (_BN,),
    {
        "lecture's variance": (
            "The variance over N - 1 normalises, as in the lecture: PyTorch takes N.",
            _like(_BN, batch=lambda self, x: (x.mean(0), x.var(0))),
        ),
        "paper's variance forgotten": (
            "running_var averages the variance over N: PyTorch takes that over N - 1.",
            _like(
                _BN,
                noted=lambda self, x: (
                    x.mean(0).detach(),
                    x.var(0, correction=0).detach(),
                ),
            ),
        ),
        "variances swapped": (
            "The two variances have changed places: N normalises, N - 1 is averaged.",
            _like(
                _BN,
                batch=lambda self, x: (x.mean(0), x.var(0)),
                noted=lambda self, x: (
                    x.mean(0).detach(),
                    x.var(0, correction=0).detach(),
                ),
            ),
        ),
        "over the units": (
            "The mean goes over dimension 1, the units: that is Layer Normalization.",
            _like(_BN, batch=_over_units),
        ),
        "over all": (
            "One mean for all units together: each unit has its own.",
            _like(_BN, batch=_over_all),
        ),
        "divided by the variance": (
            "Divided by the variance: the std is its square root.",
            _like(_BN, norm=lambda self, x, mean, var: (x - mean) / (var + self.eps)),
        ),
        "no eps": (
            "eps is not added: a unit that never varies is divided by zero.",
            _like(_BN, norm=lambda self, x, mean, var: (x - mean) / torch.sqrt(var)),
        ),
        "eps outside": (
            "eps is added to the std: it belongs under the root, to the variance.",
            _like(
                _BN,
                norm=lambda self, x, mean, var: (
                    (x - mean) / (torch.sqrt(var) + self.eps)
                ),
            ),
        ),
        "eps not used": (
            "eps is written into the code: use the one passed in.",
            _like(
                _BN, norm=lambda self, x, mean, var: (x - mean) / torch.sqrt(var + 1e-5)
            ),
        ),
        "not centred": (
            "The mean is not subtracted.",
            _like(_BN, norm=lambda self, x, mean, var: x / torch.sqrt(var + self.eps)),
        ),
        "not scaled": (
            "The mean is subtracted, and the result not divided by the std.",
            _like(_BN, norm=lambda self, x, mean, var: x - mean),
        ),
        "nothing learned": (
            "gamma and beta are not used: the layer could not move away from 0 and 1.",
            _like(_BN, learned=lambda self, xhat: xhat),
        ),
        "no gamma": (
            "gamma is not used.",
            _like(_BN, learned=lambda self, xhat: xhat + self.beta),
        ),
        "no beta": (
            "beta is not used.",
            _like(_BN, learned=lambda self, xhat: self.gamma * xhat),
        ),
        "beta scaled": (
            "beta is added after gamma has multiplied, not before.",
            _like(_BN, learned=lambda self, xhat: self.gamma * (xhat + self.beta)),
        ),
        "gamma of zero": (
            "gamma begins at 1: with 0 the layer gives nothing but beta.",
            _like(_BN, scale=lambda self, dim: torch.zeros(dim, requires_grad=True)),
        ),
        "beta of one": (
            "beta begins at 0: it is a shift.",
            _like(
                _BN,
                __init__=_born(beta=lambda dim: torch.ones(dim, requires_grad=True)),
            ),
        ),
        "gamma random": (
            "gamma begins at 1 for each unit, not at random.",
            _like(
                _BN,
                scale=lambda self, dim: torch.randn(
                    dim, generator=seeded(1), requires_grad=True
                ),
            ),
        ),
        "variance from zero": (
            "running_var begins at 1, the variance before anything is known.",
            _like(_BN, __init__=_born(running_var=torch.zeros)),
        ),
        "gamma does not learn": (
            "gamma and beta do not ask for a gradient: they would never learn.",
            _like(_BN, __init__=_born(gamma=torch.ones, beta=torch.zeros)),
            _like(_BN, __init__=_born(gamma=torch.ones)),
            _like(_BN, __init__=_born(beta=torch.zeros)),
        ),
        "averages as parameters": (
            "The running averages are not learned by descent: do not list them.",
            _like(
                _BN,
                parameters=lambda self: [
                    self.gamma,
                    self.beta,
                    self.running_mean,
                    self.running_var,
                ],
            ),
        ),
        "beta not listed": (
            "beta learns as well: parameters() leaves it out.",
            _like(_BN, parameters=lambda self: [self.gamma]),
        ),
        "averages never move": (
            "The running averages stay as they began: each training batch moves them.",
            _like(_BN, remember=lambda self, mean, var: None),
        ),
        "only the mean moves": (
            "running_var stays as it began.",
            _like(_BN, remember=_moved(var=False)),
        ),
        "momentum turned": (
            "momentum is the weight of the new value: here it is that of the old one.",
            _like(_BN, remember=_moved(by=lambda m: 1 - m)),
        ),
        "momentum not used": (
            "momentum is written into the code: use the one passed in.",
            _like(_BN, remember=_moved(by=lambda m: 0.1)),
            _like(_BN, remember=_moved(by=lambda m: 0.001)),
        ),
        "replaced": (
            "The last batch alone is kept: average it with what was there.",
            _like(_BN, remember=_moved(by=lambda m: 1.0)),
        ),
        "summed up": (
            "The old average is not shrunk by 1 - momentum: it grows for ever.",
            _like(_BN, remember=_added),
        ),
        "std averaged": (
            "The std is averaged: running_var holds the variance.",
            _like(
                _BN,
                noted=lambda self, x: (x.mean(0).detach(), x.std(0).detach()),
            ),
        ),
        "graph kept": (
            "The averages keep the graph of every batch: detach what is remembered.",
            _like(_BN, noted=lambda self, x: (x.mean(0), x.var(0))),
        ),
        "statistics cut off": (
            "Mean and variance are detached: the gradient must pass through them.",
            _like(_BN, batch=_cut_statistics),
        ),
        "batch statistics in use": (
            "In use the batch still decides: take the running averages there.",
            _like(_BN, __call__=_always_the_batch),
        ),
        "training never ends": (
            "`training` is not asked: in use the averages decide, and do not move.",
            _like(_BN, __call__=_all_of_training),
        ),
        "averages move in use": (
            "The averages move in use as well: only training batches count.",
            _like(_BN, __call__=_moved_in_use),
        ),
        "averages in training": (
            "In training the batch's own statistics normalise, not the averages.",
            _like(_BN, __call__=_always_the_averages),
        ),
        "flag turned": (
            "`training` is taken the wrong way round.",
            _like(_BN, __call__=_flag_turned),
        ),
        "not kept": (
            "The output is returned, and not kept in out.",
            _like(_BN, keep=lambda self, out: out),
        ),
        "mean of squares": (
            "The mean of the squares minus the squared mean: large x leave no digits.",
            _like(
                _BN,
                batch=lambda self, x: (
                    x.mean(0),
                    x.square().mean(0) - x.mean(0).square(),
                ),
            ),
        ),
        "out shared": (
            "out is kept by the class, and so is one for all layers: keep it in self.",
            _like(_BN, keep=_kept_by_all),
        ),
        "in place": (
            "The input is changed: x - mean makes a new tensor, x -= mean does not.",
            _like(
                _BN,
                norm=lambda self, x, mean, var: (
                    x.sub_(mean) / torch.sqrt(var + self.eps)
                ),
            ),
        ),
        "no way back in use": (
            "In use a gradient passes as well: no detach, no no_grad in a layer.",
            _like(_BN, __call__=_cut_in_use),
            _like(_BN, __call__=_no_graph_in_use),
        ),
        "no training": (
            "A layer says in `training` whether it is in training; it begins as True.",
            _like(_BN, training=False),
        ),
    },
)


# ---------------------------------------------------------------- layer_statistics


def _stack(module: Any, sizes: tuple[int, ...], norm: bool, seed: int) -> list:
    """Layers in double precision: linear, tanh between them, BatchNorm where asked."""
    layers: list[Any] = []
    for i in range(len(sizes) - 1):
        n, m = sizes[i : i + 2]
        W = normal(n, m, seed=seed + i, scale=1.3 / n**0.5)
        b = normal(m, seed=seed + 9 + i, scale=0.1)
        layers.append(holding(module.Linear(n, m), weight=W, bias=b))
        if i < len(sizes) - 2:
            numbers = _bn_numbers(m, seed + i + 1)
            bn = [holding(module.BatchNorm1d(m), **numbers)] if norm else []
            layers += [*bn, module.Tanh()]
    return layers


def _statistics(
    function: Callable, sizes: tuple[int, ...], norm: bool, flag: bool
) -> Any:
    layers = _stack(stage("batchnorm", function), sizes, norm, 1)
    for layer in layers:
        layer.training = flag
    found = _read(function, layers, *_batch(sizes))
    if "outputs" not in found:
        return found
    parameters = [p for layer in layers for p in layer.parameters()]
    begun = _stack(_given(), sizes, norm, 1)
    start = [p.detach() for layer in begun for p in layer.parameters()]
    same = _same([p.detach() for p in parameters], start)
    same = same and all(p.requires_grad for p in parameters)
    return found | _left(layers) | {"parameters": either(same, "as before", "changed")}


def _left(layers: list) -> dict[str, Any]:
    """How layers are left: their flags, and where their averages are."""
    norms = [x for x in layers if type(x).__name__ == "BatchNorm1d"]
    return {
        "training": [x.training for x in layers],
        "running_mean": [x.running_mean.detach() for x in norms],
    }


def _of_one_layer(function: Callable) -> Any:
    """The statistics of the exercise's text."""
    layer = stage("batchnorm", function).Linear(1, 2, bias=False)
    holding(layer, weight=doubles([[1.0, -1.0]]))
    return _read(function, [layer], doubles([[1.0], [3.0]]), torch.tensor([0, 1]))


def _one_layer_by_hand() -> dict[str, Any]:
    """Outputs ±1 and ±3; the gradient is half of what each probability is off by."""
    one, three = 0.5 / (1 + math.exp(2)), 0.5 / (1 + math.exp(-6))
    spread = math.sqrt(2 * (one**2 + three**2) / 3)
    said = {"X and Y": Said("as they were")}
    return {"outputs": [math.sqrt(20 / 3)], "gradients": [spread]} | said


def _read(function: Callable, layers: list, X: Tensor, Y: Tensor) -> Any:
    old = X.clone(), Y.clone()
    rows = function(layers, X, Y)
    if type(rows) not in (list, tuple) or not all(_is_pair(row) for row in rows):
        return otherwise(rows)
    same = torch.equal(X, old[0]) and torch.equal(Y, old[1])
    return {
        "outputs": [row[0] for row in rows],
        "gradients": [row[1] for row in rows],
        "X and Y": either(same, "as they were", "changed"),
    }


def _is_pair(row: Any) -> bool:
    return type(row) in (list, tuple) and len(row) == 2


def _batch(sizes: tuple[int, ...]) -> Data:
    N = sizes[0] + sizes[-1] + 2
    Y = torch.randint(0, sizes[-1], (N,), generator=seeded(3))
    return normal(N, sizes[0], seed=2), Y


def _nudged(sizes: tuple[int, ...], norm: bool, flag: bool) -> dict[str, Any]:
    """The gradient at an output is that of a zero which is added to it."""
    X, Y = _batch(sizes)
    outs, nudges = [], []
    layers = _stack(_given(), sizes, norm, 1)
    for layer in layers:
        layer.training = flag
        X = layer(X)
        outs.append(X.std().item())
        nudges.append(torch.zeros_like(X, requires_grad=True))
        X = X + nudges[-1]
    loss = (X.exp().sum(1).log() - X[range(len(Y)), Y]).mean()
    slopes = torch.autograd.grad(loss, nudges)
    said = {"X and Y": Said("as they were")} | _left(layers)
    said |= {"parameters": Said("as before")}
    return {"outputs": outs, "gradients": [s.std().item() for s in slopes]} | said


@exercise("batchnorm.layer_statistics", version=2)
def layer_statistics(layer_statistics: Callable) -> Cases:
    text = "one Linear of weight [[1, -1]], X [[1], [3]], Y [0, 1]"
    yield case(text, lambda: _of_one_layer(layer_statistics), _one_layer_by_hand())
    for sizes, norm, flag in (
        ((4, 6, 3), False, True),
        ((5, 7, 8, 6), False, True),
        ((6, 5, 4), True, True),
        ((6, 5, 4), True, False),
        ((3, 9), False, True),
    ):
        words = "Linear, BatchNorm1d, Tanh" if norm else "Linear, Tanh"
        text = f"layers of sizes {', '.join(map(str, sizes))}: {words}, …, Linear"
        text += "" if flag else "; training = False"
        act = lambda a=(sizes, norm, flag): _statistics(layer_statistics, *a)  # noqa: E731
        yield case(text, act, _nudged(sizes, norm, flag))


def _measuring(
    out: Callable = lambda layer, x: x.std().item(),
    back: Callable = lambda layer, x, slope: slope.std().item(),
    loss: Callable = F.cross_entropy,
    rows: Callable = lambda rows, layers: rows,
    at: Callable = lambda outs, X: outs,
) -> Callable:
    """layer_statistics with one thing done otherwise."""

    def layer_statistics(layers, X, Y):
        x, outs = X.clone().requires_grad_(), []
        first = x
        for layer in layers:
            x = layer(x)
            outs.append(x)
        value = loss(x, Y)
        params = [p for layer in layers for p in layer.parameters()]
        for p in params:
            p.grad = None
        slopes = torch.autograd.grad(value, at(outs, first), retain_graph=True)
        value.backward()
        found = [
            (out(layer, o), back(layer, o, s))
            for layer, o, s in zip(layers, outs, slopes, strict=True)
        ]
        return rows(found, layers)

    return layer_statistics


def _not_retained(layers, X, Y):
    for layer in layers:
        X = layer(X)
    F.cross_entropy(X, Y).backward()
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]


def _of_weights(layer: Any, x: Tensor, slope: Tensor) -> float:
    found = layer.parameters()
    return found[0].grad.std().item() if found else 0.0


def _no_mean(x: Tensor) -> float:
    return x.square().mean().sqrt().item()


layer_statistics.table(
    lambda: (_measuring(),),
    {
        "not retained": (
            "Outputs are no leaves: without retain_grad their gradient is dropped.",
            _not_retained,
        ),
        "means": (
            "These are means: a sick network has means near zero too. Take the std.",
            _measuring(
                lambda layer, x: x.mean().item(), lambda layer, x, s: s.mean().item()
            ),
            _measuring(
                lambda layer, x: x.abs().mean().item(),
                lambda layer, x, s: s.abs().mean().item(),
            ),
        ),
        "variances": (
            "These are variances: the std is their square root.",
            _measuring(
                lambda layer, x: x.var().item(), lambda layer, x, s: s.var().item()
            ),
        ),
        "divided by n": (
            "The std is taken over n: `.std()` divides by n - 1.",
            _measuring(
                lambda layer, x: x.std(correction=0).item(),
                lambda layer, x, s: s.std(correction=0).item(),
            ),
        ),
        "mean not subtracted": (
            "That is the root of the mean square: the std leaves the mean out.",
            _measuring(lambda layer, x: _no_mean(x), lambda layer, x, s: _no_mean(s)),
        ),
        "gradients of weights": (
            "That is the gradient of the weights: asked is that of the outputs.",
            _measuring(back=_of_weights),
        ),
        "gradient at the input": (
            "The gradient is read one layer too early, at what goes in.",
            _measuring(at=lambda outs, X: [X, *outs[:-1]]),
        ),
        "loss summed": (
            "The loss is summed: the mean does not grow with the batch.",
            _measuring(loss=lambda z, y: F.cross_entropy(z, y, reduction="sum")),
        ),
        "probabilities": (
            "F.cross_entropy wants logits: it does the softmax itself.",
            _measuring(loss=lambda z, y: F.cross_entropy(F.softmax(z, 1), y)),
        ),
        "not the loss": (
            "Backward starts from the logits' sum or mean: it starts from the loss.",
            _measuring(loss=lambda z, y: z.sum()),
            _measuring(loss=lambda z, y: z.mean()),
        ),
        "bent layers only": (
            "Only the tanh layers are listed: give a pair for each layer.",
            _measuring(
                rows=lambda rows, layers: [
                    r
                    for r, layer in zip(rows, layers, strict=True)
                    if type(layer).__name__ == "Tanh"
                ]
            ),
        ),
        "backwards": (
            "The list begins at the last layer: begin at the first.",
            _measuring(rows=lambda rows, layers: rows[::-1]),
        ),
        "pairs turned": (
            "The output's std comes first in a pair, then the gradient's.",
            _measuring(rows=lambda rows, layers: [row[::-1] for row in rows]),
        ),
        "two lists": (
            "These are two lists: give one list, with a pair for each layer.",
            _measuring(
                rows=lambda rows, layers: tuple(map(list, zip(*rows, strict=True)))
            ),
            _measuring(
                rows=lambda rows, layers: list(map(list, zip(*rows, strict=True)))
            ),
        ),
        "tensors": (
            "These are tensors: `.item()` makes plain numbers of them.",
            _measuring(lambda layer, x: x.std(), lambda layer, x, s: s.std()),
            _measuring(lambda layer, x: x.std().detach(), lambda layer, x, s: s.std()),
        ),
        "unit by unit": (
            "There is one std for a layer, not one for each unit.",
            _measuring(lambda layer, x: x.std(0), lambda layer, x, s: s.std(0)),
        ),
    },
)


# ---------------------------------------------------------------- update_ratio


def _std(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _ratio(update_ratio: Callable, data: Tensor, grad: Tensor, lr: float) -> Any:
    p = data.clone().requires_grad_()
    p.grad = grad.clone()
    found = update_ratio(p, lr)
    same = torch.equal(p.detach(), data) and torch.equal(p.grad, grad)
    if type(found) is not float:
        return otherwise(found)
    return {"ratio": found, "p": either(same, "as it was", "changed")}


def _ratio_case(
    update_ratio: Callable, data: Tensor, grad: Tensor, lr: float, **more: Any
) -> Case:
    ratio = lr * _std(grad.flatten().tolist()) / _std(data.flatten().tolist())
    text = f"update_ratio(p, {lr}), p {tuple(data.shape)}"
    if data.numel() < 4:
        text = f"data {data.tolist()}, gradient {grad.tolist()}, lr {lr}"
    want = {"ratio": math.log10(ratio), "p": Said("as it was")}
    act = lambda: _ratio(update_ratio, data, grad, lr)  # noqa: E731
    return case(text, act, want, within=NUMBER, **more)


def _measured_case(
    measured_ratio: Callable, before: Tensor, after: Tensor, **more: Any
) -> Case:
    step = (after - before).flatten().tolist()
    want = math.log10(_std(step) / _std(before.flatten().tolist()))
    made = call(measured_ratio, before, after, expects=want, within=NUMBER, **more)
    if before.numel() > 9:  # too many numbers to be read twice
        made.text = f"measured_ratio of random data, shape {tuple(before.shape)}, twice"
    return made


@exercise("batchnorm.update_ratio", version=2)
def update_ratio(update_ratio: Callable, measured_ratio: Callable) -> Cases:
    small = doubles([0.0, 2.0])
    yield _ratio_case(update_ratio, small, small, 0.001)
    tiny = doubles([0.0, 0.0002])
    yield _ratio_case(update_ratio, tiny, tiny, 1e-9)
    for shape, lr in (((7, 4), 0.1), ((30,), 1.0), ((20, 3, 5), 0.01)):
        data = normal(*shape, seed=1) + 0.3
        grad = normal(*shape, seed=2, scale=0.05) + 0.01
        yield _ratio_case(update_ratio, data, grad, lr)
    yield _measured_case(measured_ratio, small, doubles([1.0, 2.0]))
    for shape in ((6, 5), (40,)):
        before = normal(*shape, seed=3) + 0.3
        after = before * 0.7 + normal(*shape, seed=4, scale=0.5) + 0.2
        yield _measured_case(measured_ratio, before, after)
    seed = new_seed()
    data, grad = normal(9, 8, seed=seed), normal(9, 8, seed=seed + 1)
    yield _ratio_case(update_ratio, data, grad, 0.2, fresh=True)


def _by(of: Callable = lambda x: x.std()) -> tuple[Callable, Callable]:
    """Both ratios, sizes being measured by `of`."""
    return (
        lambda p, lr: math.log10(lr * of(p.grad) / of(p.data)),
        lambda a, b: math.log10(of(b - a) / of(a)),
    )


_right_ratio, _right_measured = _by()


def _each(one: Callable, two: Callable) -> tuple[tuple, ...]:
    """A mistake in both functions, in the first, in the second."""
    return (one, two), (one, None), (None, two)


update_ratio.table(
    lambda: (_right_ratio, _right_measured),
    {
        "no rate": (
            "That is gradient over data: the step is lr times the gradient.",
            (lambda p, lr: _right_ratio(p, 1.0), None),
        ),
        "natural logarithm": (
            "The natural logarithm: to base ten, a thousandth is -3.",
            *_each(
                lambda p, lr: _right_ratio(p, lr) * math.log(10),
                lambda a, b: _right_measured(a, b) * math.log(10),
            ),
        ),
        "base two": (
            "log2 counts halvings: to base ten, a thousandth is -3.",
            *_each(
                lambda p, lr: _right_ratio(p, lr) * math.log2(10),
                lambda a, b: _right_measured(a, b) * math.log2(10),
            ),
        ),
        "no logarithm": (
            "That is the ratio itself: give its logarithm to base ten.",
            *_each(
                lambda p, lr: 10 ** _right_ratio(p, lr),
                lambda a, b: 10 ** _right_measured(a, b),
            ),
        ),
        "upside down": (
            "Data over step: the step stands on top.",
            *_each(
                lambda p, lr: -_right_ratio(p, lr),
                lambda a, b: -_right_measured(a, b),
            ),
        ),
        "means": (
            "The ratio of means says little, as both are near zero: take the std.",
            *_each(*_by(lambda x: x.mean().abs())),
            *_each(*_by(lambda x: x.abs().mean())),
        ),
        "norms": (
            "These are norms: the std leaves the mean out.",
            *_each(*_by(lambda x: x.norm())),
        ),
        "variances": (
            "These are variances: the std is their square root.",
            *_each(
                lambda p, lr: math.log10(lr * p.grad.var() / p.data.var()),
                lambda a, b: math.log10((b - a).var() / a.var()),
            ),
            (lambda p, lr: math.log10(lr**2 * p.grad.var() / p.data.var()), None),
        ),
        "element by element": (
            "One number for a parameter: the std of the step over that of the data.",
            *_each(
                lambda p, lr: (lr * p.grad / p.data).std().log10().item(),
                lambda a, b: ((b - a) / a).std().log10().item(),
            ),
        ),
        "a tensor": (
            "The ratio is a tensor: `.item()` makes a plain number of it.",
            *_each(
                lambda p, lr: (lr * p.grad.std() / p.data.std()).log10(),
                lambda a, b: ((b - a).std() / a.std()).log10(),
            ),
        ),
        "step over itself": (
            "The step is not in it: p.data and p.grad are two things.",
            (lambda p, lr: math.log10(lr * p.data.std() / p.data.std()), None),
        ),
        "data after": (
            "Divide by the data before the step.",
            (None, lambda a, b: math.log10((b - a).std() / b.std())),
        ),
        "no step": (
            "That compares the data after with the data before: the step is between.",
            (None, lambda a, b: math.log10(b.std() / a.std())),
        ),
        "difference of stds": (
            "The std of the difference is meant, not the difference of the stds.",
            (None, lambda a, b: math.log10(abs(b.std() - a.std()) / a.std())),
        ),
    },
)


# ---------------------------------------------------------------- train_deep


def _built(deep_network: Callable, sizes: tuple[int, int, int, int]) -> Any:
    """What a list of layers is made of."""
    layers, again, other = (
        deep_network(*sizes, generator=seeded(s)) for s in (1, 1, 2)
    )
    if not _are_layers(layers):
        return otherwise(layers)
    found = _made_of(layers)
    if found["layers"] != _layers_said(sizes[3]):
        return {"layers": found["layers"]}
    one, two, three = (_first_weights(x) for x in (layers, again, other))
    return found | {
        "the same generator": either(_same(one, two), "the same weights", "others"),
        "another generator": either(_same(one, three), "the same weights", "others"),
    }


def _are_layers(found: Any) -> bool:
    if type(found) not in (list, tuple) or not found:
        return False
    return all(callable(getattr(layer, "parameters", None)) for layer in found)


def _same(one: list[Tensor], two: list[Tensor]) -> bool:
    return len(one) == len(two) and all(map(torch.equal, one, two))


def _first_weights(layers: list) -> list[Tensor]:
    return [x.weight.detach() for x in layers if hasattr(x, "weight")]


def _names_of(names: list[str]) -> Said:
    """Names of layers, a run of the same three told by its number."""
    three, times = ["Linear", "BatchNorm1d", "Tanh"], 0
    while names[3 * times : 3 * times + 3] == three:
        times += 1
    rest = ", ".join(names[3 * times :]) or "nothing"
    return Said(f"{times} times {', '.join(three)}; then {rest}")


def _layers_said(depth: int) -> Said:
    return _names_of(
        [*["Linear", "BatchNorm1d", "Tanh"] * depth, "Linear", "BatchNorm1d"]
    )


def _made_of(layers: list) -> dict[str, Any]:
    linears = [x for x in layers if hasattr(x, "weight")]
    norms = [x for x in layers if hasattr(x, "gamma")]
    parameters = [p for layer in layers for p in layer.parameters()]
    gammas = [_even(x.gamma) for x in norms]
    return {
        "layers": _names_of([type(x).__name__ for x in layers]),
        "each a layer of its own": len({id(x) for x in layers}) == len(layers),
        "biases": sum(x.bias is not None for x in linears),
        "weights": [list(x.weight.shape) for x in linears],
        "units of BatchNorm1d": [len(x.gamma) for x in norms],
        "gammas": gammas,
        "parameters": sum(p.numel() for p in {id(p): p for p in parameters}.values()),
        "leaves with a gradient": all(
            p.requires_grad and p.is_leaf for p in parameters
        ),
        "weights begin at std": either(
            all(0.7 < x.weight.std() * len(x.weight) ** 0.5 < 1.4 for x in linears),
            "1 / sqrt(fan_in)",
            "another one",
        ),
    }


def _even(gamma: Tensor) -> float | Said:
    values = gamma.detach().unique()
    return round(values.item(), 6) if len(values) == 1 else Said("several numbers")


def _network_facts(sizes: tuple[int, int, int, int]) -> dict[str, Any]:
    n, H, V, depth = sizes
    shapes = [[n, H], *[[H, H]] * (depth - 1), [H, V]]
    units = [H] * depth + [V]
    count = sum(a * b for a, b in shapes) + 2 * sum(units)
    return {
        "layers": _layers_said(depth),
        "each a layer of its own": True,
        "biases": 0,
        "weights": shapes,
        "units of BatchNorm1d": units,
        "gammas": [1.0] * depth + [0.1],
        "parameters": count,
        "leaves with a gradient": True,
        "weights begin at std": Said("1 / sqrt(fan_in)"),
        "the same generator": Said("the same weights"),
        "another generator": Said("others"),
    }


# layers that take notes, in double precision


class _Dense:
    """A linear layer that notes what comes in."""

    training = True

    def __init__(self, n: int, m: int, seed: int) -> None:
        self.weight = normal(n, m, seed=seed, scale=0.7).requires_grad_()
        self.notes: list[tuple[Tensor, bool, bool]] = []

    def parameters(self) -> list[Tensor]:
        return [self.weight]

    def __call__(self, x: Tensor) -> Tensor:
        self.notes.append((x.detach().clone(), self.training, torch.is_grad_enabled()))
        self.out = x @ self.weight
        return self.out


class _Mixing:
    """A layer whose examples depend on each other in training, like BatchNorm's."""

    def __init__(self, dim: int, seed: int, training: bool = True) -> None:
        self.gamma = (normal(dim, seed=seed) + 1.5).requires_grad_()
        self.training = training
        self.batches = 0

    def parameters(self) -> list[Tensor]:
        return [self.gamma]

    def __call__(self, x: Tensor) -> Tensor:
        self.batches += self.training
        self.out = torch.tanh((x - x.mean(0)) * self.gamma if self.training else x)
        return self.out


class _Deep:
    """A table and four layers of known weights."""

    V, d, k = 6, 2, 3

    def __init__(self, seed: int, mixing: tuple[bool, bool] = (True, True)) -> None:
        self.C = normal(self.V, self.d, seed=seed).requires_grad_()
        self.layers = [
            _Dense(self.k * self.d, 4, seed + 1),
            _Mixing(4, seed + 2, mixing[0]),
            _Dense(4, self.V, seed + 3),
            _Mixing(self.V, seed + 4, mixing[1]),
        ]

    def parameters(self) -> list[Tensor]:
        return [self.C, *(p for layer in self.layers for p in layer.parameters())]

    def logits(self, X: Tensor) -> Tensor:
        """By hand, from the weights alone, whatever mode the layers are in."""
        C, W1, g1, W2, g2 = self.parameters()
        x = torch.stack([torch.cat([C[i] for i in row]) for row in X.tolist()])
        for W, g, layer in ((W1, g1, self.layers[1]), (W2, g2, self.layers[3])):
            x = x @ W
            x = torch.tanh((x - x.mean(0)) * g if layer.training else x)
        return x


@cache
def _contexts(N: int, first: int = 0) -> Data:
    """Different contexts, so that each one tells its place; targets in no order."""
    V = _Deep.V
    X = [[i // V**2 % V, i // V % V, i % V] for i in range(first, first + N)]
    return torch.tensor(X), torch.randint(0, V, (N,), generator=seeded(11 + first))


def _places(deep: _Deep, C: Tensor, x: Tensor, X: Tensor) -> list[int] | None:
    """Which rows of X the first layer was given; None where it is none of them."""
    table = C[X].reshape(len(X), -1)
    if x.ndim != 2 or x.shape[1] != table.shape[1]:
        return None
    found = (x[:, None] == table[None]).all(2)
    return found.int().argmax(1).tolist() if bool(found.any(1).all()) else None


def _logits_of(deep_logits: Callable, seed: int, N: int) -> Any:
    deep = _Deep(seed)
    X, _ = _contexts(N, seed)
    out = deep_logits(deep.C, deep.layers, X.clone())
    if not isinstance(out, Tensor):
        return otherwise(out)
    if out.shape != (N, deep.V):
        return {"logits": out}
    return {"logits": out} | _with_slopes(out, C=deep.C)


def _logits_case(deep_logits: Callable, seed: int, N: int, **more: Any) -> Case:
    deep = _Deep(seed)
    out = deep.logits(_contexts(N, seed)[0])
    want = {"logits": out} | _with_slopes(out, C=deep.C)
    text = f"deep_logits of {N} contexts, four layers"
    return case(text, lambda: _logits_of(deep_logits, seed, N), want, **more)


_OLD = 0.5  # the gradient that a parameter has before the step


def _stepped(deep_step: Callable, lr: float, size: int, seed: int) -> Any:
    """What one step did, done again with the batch that the layers were given."""
    X, Y = _contexts(23)
    deep, twin = _Deep(seed), _Deep(seed)
    for p in deep.parameters():
        p.grad = torch.full_like(p, _OLD)
    own = [id(p) for p in deep.parameters()]
    value = deep_step(deep.C, deep.layers, X.clone(), Y.clone(), lr, size, seeded(seed))
    notes = deep.layers[0].notes
    if value is None or value is ... or not notes:
        return otherwise(value)
    places = _places(deep, twin.C.detach(), notes[0][0], X)
    if places is None:
        return {"the batch": Said("not rows of X, embedded")}
    before = [p.detach().clone() for p in twin.parameters()]
    loss = F.cross_entropy(twin.logits(X[places]), Y[places])
    loss.backward()
    slopes = [p.grad for p in twin.parameters()]
    moves = [(p.detach() - b) for p, b in zip(deep.parameters(), before, strict=True)]
    return {
        "forward passes": len(notes),
        "rows in the batch": len(places),
        "training": notes[0][1],
        "loss": _loss_said(value, loss.item(), twin, X[places], Y, places),
        "C moved": _moved_said(moves[:1], slopes[:1], lr),
        "the layers moved": _moved_said(moves[1:], slopes[1:], lr),
        "tensors": either(
            own == [id(p) for p in deep.parameters()], "the same", "new ones"
        ),
    }


def _loss_said(
    value: Any, loss: float, twin: _Deep, X: Tensor, Y: Tensor, places: list[int]
) -> Said:
    if type(value) is not float:
        return Said("a tensor" if isinstance(value, Tensor) else kind(value))
    with torch.no_grad():
        logits = twin.logits(X)
        own = Y[places]
        others = {
            "that of the batch, summed": loss * len(X),
            "that of probabilities taken for logits": F.cross_entropy(
                F.softmax(logits, 1), own
            ).item(),
            "that of the first targets": F.cross_entropy(logits, Y[: len(X)]).item(),
        }
    for said, number in ({"that of the batch": loss} | others).items():
        if abs(value - number) < 1e-6:
            return Said(said)
    return Said("another number")


def _moved_said(moves: list[Tensor], slopes: list[Tensor], lr: float) -> Said:
    steps = {
        "downhill by lr times the gradient": [-lr * s for s in slopes],
        "not at all": [s * 0 for s in slopes],
        "uphill": [lr * s for s in slopes],
        "with the old gradients added": [-lr * (s + _OLD) for s in slopes],
        "by the whole gradient, without lr": [-s for s in slopes],
    }
    for said, step in steps.items():
        pairs = zip(moves, step, strict=True)
        if all(torch.allclose(a, b, rtol=1e-6, atol=1e-10) for a, b in pairs):
            return Said(said)
    return Said("otherwise")


_DOWN = Said("downhill by lr times the gradient")


def _step_facts(size: int) -> dict[str, Any]:
    return {
        "forward passes": 1,
        "rows in the batch": size,
        "training": True,
        "loss": Said("that of the batch"),
        "C moved": _DOWN,
        "the layers moved": _DOWN,
        "tensors": Said("the same"),
    }


def _drawing(deep_step: Callable) -> dict[str, Any]:
    """How the batches of a few steps are drawn, one of them large."""
    X, Y = _contexts(23)

    def batches(steps: int, seed: int | None, size: int = 6) -> list[list[int] | None]:
        deep, g = _Deep(1), None if seed is None else seeded(seed)
        for _ in range(steps):
            deep_step(deep.C, deep.layers, X, Y, 0.0, size, g)
        C = deep.C.detach()
        return [_places(deep, C, note[0], X) for note in deep.layers[0].notes]

    some, again, other = batches(2, 1), batches(2, 1), batches(2, 2)
    seen = set(batches(1, 3, 300)[0] or ())
    free = batches(2, None)
    return {
        "each step": either(some[0] != some[1], "a new batch", "the same one"),
        "the first batch": either(some[0] == [*range(6)], "the first rows", "drawn"),
        "rows ever drawn": {23: Said("all"), 22: Said("all but one")}.get(
            len(seen), Said("few")
        ),
        "the same generator": either(again == some, "the same batches", "others"),
        "another generator": either(other != some, "others", "the same batches"),
        "without a generator": either(free[0] != free[1], "a new batch", "the same"),
    }


_DRAWN = {
    "each step": Said("a new batch"),
    "the first batch": Said("drawn"),
    "rows ever drawn": Said("all"),
    "the same generator": Said("the same batches"),
    "another generator": Said("others"),
    "without a generator": Said("a new batch"),
}


def _rows_by_default(deep_step: Callable) -> int:
    deep = _Deep(1)
    deep_step(deep.C, deep.layers, *_contexts(40), 0.1)
    return len(deep.layers[0].notes[0][0])


def _measured(
    deep_loss: Callable, N: int, seed: int, mixing: tuple[bool, bool] = (True, True)
) -> Any:
    """What a measurement says, and what it leaves behind."""
    deep = _Deep(seed, mixing)
    X, Y = _contexts(N, seed)
    before = [p.detach().clone() for p in deep.parameters()]
    value = deep_loss(deep.C, deep.layers, X.clone(), Y.clone())
    notes = deep.layers[0].notes
    if type(value) is not float or not notes:
        return otherwise(value)
    after = [layer.training for layer in deep.layers]
    flags = [True, mixing[0], True, mixing[1]]
    same = _same(before, [p.detach() for p in deep.parameters()])
    return {
        "layers in training meanwhile": _flags_said(deep, notes, mixing),
        "loss": value,
        "training afterwards": either(after == flags, "as before", f"{after}"),
        "gradients": either(any(note[2] for note in notes), "on", "off"),
        "weights": either(same, "as they were", "changed"),
    }


def _flags_said(deep: _Deep, notes: list, mixing: tuple[bool, bool]) -> Said:
    """How many of the four layers were in training when something came through."""
    dense = [note[1] for layer in deep.layers[::2] for note in layer.notes]
    mixed = [layer.batches > 0 for layer in deep.layers[1::2]]
    on = sum(dense) + sum(mixed)
    every = len(dense) + sum(mixing)
    return Said("none" if not on else "all" if on == every else "some")


def _measure_case(
    deep_loss: Callable,
    N: int,
    seed: int,
    mixing: tuple[bool, bool] = (True, True),
    **more: Any,
) -> Case:
    X, Y = _contexts(N, seed)
    logits = _Deep(seed, (False, False)).logits(X)
    want = {
        "layers in training meanwhile": Said("none"),
        "loss": F.cross_entropy(logits, Y).item(),
        "training afterwards": Said("as before"),
        "gradients": Said("off"),
        "weights": Said("as they were"),
    }
    flags = "" if mixing == (True, True) else ", one layer in use already"
    text = f"deep_loss of {N} pairs{flags}"
    act = lambda: _measured(deep_loss, N, seed, mixing)  # noqa: E731
    return case(text, act, want, **more)


@cache
def _name_pairs(first: int) -> Data:
    """Pairs of every eighth of the names that we ship: three letters, and the next."""
    names = (root() / "data" / "sample_names.txt").read_text("ascii").split()
    rows = [f"...{name}." for name in names[first::8]]
    rows = [row[i : i + 4] for row in rows for i in range(len(row) - 3)]
    table = [[".abcdefghijklmnopqrstuvwxyz".index(c) for c in row] for row in rows]
    pairs = torch.tensor(table)
    return pairs[:, :3], pairs[:, 3]


def _learned(deep_network: Callable, deep_step: Callable, deep_loss: Callable) -> Any:
    """Losses on names before and after 80 steps, in words."""
    ours, theirs = _name_pairs(0), _name_pairs(4)
    C = torch.randn(27, 6, generator=seeded(1), requires_grad=True)
    layers, g = deep_network(18, 30, 27, 2, generator=seeded(2)), seeded(3)
    first = deep_loss(C, layers, *theirs)
    for _ in range(80):
        deep_step(C, layers, *ours, 0.3, 32, g)
    last = deep_loss(C, layers, *theirs)
    if type(first) is not float or type(last) is not float:
        return otherwise(first)
    return {
        "dev loss at first": _between(first, *_FLAT),
        "dev loss after 80 steps": _between(last, *_LOWER),
    }


def _between(loss: float, low: float, high: float) -> Said:
    if low <= loss <= high:
        return Said(f"between {low} and {high}")
    return either(loss < low, f"below {low}", f"above {high}")


_FLAT, _LOWER = (3.25, 3.35), (2.6, 3.0)
_LEARNED = {
    "dev loss at first": Said("between 3.25 and 3.35"),
    "dev loss after 80 steps": Said("between 2.6 and 3.0"),
}


@exercise("batchnorm.train_deep", version=2, limit=10)
def train_deep(
    deep_network: Callable,
    deep_logits: Callable,
    deep_step: Callable,
    deep_loss: Callable,
) -> Cases:
    for sizes in ((12, 30, 7, 3), (9, 40, 5, 1)):
        act = lambda s=sizes: _built(deep_network, s)  # noqa: E731
        text = f"deep_network{sizes}"
        yield case(text, act, _network_facts(sizes), telling=True)
    text = "deep_network(30): weights, gains and shifts"
    want = {"parameters": 46_754}
    yield case(text, lambda: _count_of(deep_network(30)), want)
    for seed, N in ((1, 9), (2, 5)):
        yield _logits_case(deep_logits, seed, N)
    for lr, size, seed in ((0.1, 5, 1), (0.5, 8, 2)):
        act = lambda a=(lr, size, seed): _stepped(deep_step, *a)  # noqa: E731
        text = f"a step of lr={lr}, batch_size={size} on 23 pairs"
        yield case(text, act, _step_facts(size))
    yield case("a few steps on 23 pairs", lambda: _drawing(deep_step), _DRAWN)
    text = "rows in the batch, no batch_size given"
    yield case(text, lambda: _rows_by_default(deep_step), 32)
    yield _measure_case(deep_loss, 17, 1)
    yield _measure_case(deep_loss, 150, 2, (True, False))
    act = lambda: _learned(deep_network, deep_step, deep_loss)  # noqa: E731
    yield case("three layers, 80 steps on names", act, _LEARNED, once=True)
    seed = new_seed()
    act = lambda: _stepped(deep_step, 0.07, 6, seed)  # noqa: E731
    yield case("a step of a new network", act, _step_facts(6), fresh=True)


def _count_of(layers: Any) -> Any:
    if not _are_layers(layers):
        return otherwise(layers)
    found = {id(p): p for layer in layers for p in layer.parameters()}
    return {"parameters": sum(p.numel() for p in found.values())}


def _network(
    bias: bool = False,
    one: Callable = lambda m, n, h, g, bias: [
        m.Linear(n, h, bias, g),
        m.BatchNorm1d(h),
        m.Tanh(),
    ],
    last: Callable = lambda layers: layers[:-1],
    scale: Callable = lambda layers: _scale(layers[-1:]),
    more: int = 0,
    use: bool = True,
) -> Callable:
    """deep_network with one thing done otherwise."""

    def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
        module, layers = _given(), []
        sizes = [fan_in, *[hidden] * (depth + more), classes]
        g = generator if use else None
        for n, m in pairwise(sizes):
            layers += one(module, n, m, g, bias)
        layers = last(layers)
        scale(layers)
        return layers

    return deep_network


def _scale(layers: list, factor: float = 0.1) -> None:
    with torch.no_grad():
        for layer in layers:
            if hasattr(layer, "gamma"):
                layer.gamma *= factor


def _scaled_anew(layers: list) -> None:
    layers[-1].gamma = layers[-1].gamma * 0.1


def _scaled_weight(layers: list) -> None:
    with torch.no_grad():
        [layer for layer in layers if hasattr(layer, "weight")][-1].weight *= 0.1


def _shared(fan_in, hidden=100, classes=27, depth=5, generator=None):
    m = _given()
    first = [
        m.Linear(fan_in, hidden, False, generator),
        m.BatchNorm1d(hidden),
        m.Tanh(),
    ]
    inner = [
        m.Linear(hidden, hidden, False, generator),
        m.BatchNorm1d(hidden),
        m.Tanh(),
    ]
    end = [m.Linear(hidden, classes, False, generator), m.BatchNorm1d(classes)]
    _scale(end)
    return first + inner * (depth - 1) + end


def _deep(C: Tensor, layers: list, X: Tensor) -> Tensor:
    x = C[X].view(len(X), -1)
    for layer in layers:
        x = layer(x)
    return x


def _deep_step(
    draw: Callable = lambda X, size, g: torch.randint(0, len(X), (size,), generator=g),
    own: Callable = lambda Y, ix: Y[ix],
    which: Callable = lambda C, layers: [C, *_of_layers(layers)],
    zero: bool = True,
    loss: Callable = F.cross_entropy,
    rate: Callable = lambda lr: lr,
    rebind: bool = False,
    before: Callable = lambda layers: None,
    out: Callable = lambda loss: loss.item(),
) -> Callable:
    """deep_step with one thing done otherwise."""

    def deep_step(C, layers, X, Y, lr, batch_size=32, generator=None):
        before(layers)
        ix = draw(X, batch_size, generator)
        value = loss(_deep(C, layers, X[ix]), own(Y, ix))
        found = which(C, layers)
        for p in found if zero else ():
            p.grad = None
        value.backward()
        for p in found:
            if rebind:
                p = p - lr * p.grad
            else:
                p.data -= rate(lr) * p.grad
        return out(value)

    return deep_step


def _of_layers(layers: list) -> list[Tensor]:
    return [p for layer in layers for p in layer.parameters()]


def _switch(layers: list, on: bool) -> None:
    for layer in layers:
        layer.training = on


def _deep_loss(
    off: Callable = lambda layers: _switch(layers, False),
    on: Callable = lambda layers, was: [
        setattr(x, "training", w) for x, w in zip(layers, was, strict=True)
    ],
    quiet: bool = True,
    rows: Callable = lambda X: X,
    out: Callable = lambda loss: loss.item(),
) -> Callable:
    """deep_loss with one thing done otherwise."""

    def deep_loss(C, layers, X, Y):
        was = [layer.training for layer in layers]
        off(layers)
        with torch.set_grad_enabled(not quiet):
            loss = F.cross_entropy(_deep(C, layers, rows(X)), rows(Y))
        on(layers, was)
        return out(loss)

    return deep_loss


def _rights() -> tuple:
    return _network(), _deep, _deep_step(), _deep_loss()


def _of_network(**options: Any) -> tuple:
    return _network(**options), None, None, None


def _of_step(**options: Any) -> tuple:
    return None, None, _deep_step(**options), None


def _of_loss(**options: Any) -> tuple:
    return None, None, None, _deep_loss(**options)


def _without_view(C: Tensor, layers: list, X: Tensor) -> Tensor:
    x = C[X]
    for layer in layers:
        x = layer(x)
    return x


def _summed_letters(C: Tensor, layers: list, X: Tensor) -> Tensor:
    return _through(C[X].sum(1), layers)


def _detached(C: Tensor, layers: list, X: Tensor) -> Tensor:
    return _through(C.detach()[X].view(len(X), -1), layers)


def _mixed_letters(C: Tensor, layers: list, X: Tensor) -> Tensor:
    return _through(C[X].transpose(1, 2).reshape(len(X), -1), layers)


def _softmaxed(C: Tensor, layers: list, X: Tensor) -> Tensor:
    return F.softmax(_deep(C, layers, X), 1)


def _all_but_the_last(C: Tensor, layers: list, X: Tensor) -> Tensor:
    return _deep(C, layers[:-1], X)


def _through(x: Tensor, layers: list) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


train_deep.table(
    _rights,
    {
        "biases": (
            "A bias before BatchNorm1d is subtracted with the mean: bias=False.",
            _of_network(bias=True),
        ),
        "logits squashed": (
            "The logits are squashed: the last layer has no Tanh behind it.",
            _of_network(last=lambda layers: layers, scale=lambda x: _scale(x[-2:])),
        ),
        "logits not normalised": (
            "The last Linear has a BatchNorm1d behind it as well.",
            _of_network(last=lambda x: x[:-2], scale=lambda x: None),
            _of_network(last=lambda x: x[:-2], scale=_scaled_weight),
        ),
        "tanh before the norm": (
            "BatchNorm1d stands before Tanh: what goes into tanh is normalised.",
            _of_network(
                one=lambda m, n, h, g, bias: [
                    m.Linear(n, h, bias, g),
                    m.Tanh(),
                    m.BatchNorm1d(h),
                ],
                last=lambda x: [*x[:-2], x[-1]],
            ),
        ),
        "no norm": (
            "There is no BatchNorm1d between Linear and Tanh.",
            _of_network(
                one=lambda m, n, h, g, bias: [m.Linear(n, h, bias, g), m.Tanh()],
                scale=lambda x: None,
            ),
        ),
        "gamma not scaled": (
            "The last gamma is 1: scale it to 0.1, so that the logits start flat.",
            _of_network(scale=lambda x: None),
        ),
        "weight scaled": (
            "BatchNorm1d undoes a scaled weight: scale the gamma behind it.",
            _of_network(scale=_scaled_weight),
        ),
        "all gammas scaled": (
            "Only the last gamma is scaled: the others start at 1.",
            _of_network(scale=_scale),
        ),
        "gamma made anew": (
            "Arithmetic makes a gamma that is no leaf: scale it in place.",
            _of_network(scale=_scaled_anew),
        ),
        "too deep": (
            "There is one layer too many: depth counts the ones with a Tanh.",
            _of_network(more=1),
        ),
        "not deep enough": (
            "There is one layer too few: depth counts the ones with a Tanh.",
            _of_network(more=-1),
        ),
        "one layer many times": (
            "The same layer stands in the list many times: make one for each place.",
            (_shared, None, None, None),
        ),
        "generator not used": (
            "The weights are not drawn with the generator that is passed in.",
            _of_network(use=False),
        ),
        "not laid side by side": (
            "The letters of a context go in side by side: (N, block_size * d).",
            (None, _without_view, None, None),
        ),
        "letters summed": (
            "The letters are added up: lay them side by side.",
            (None, _summed_letters, None, None),
        ),
        "vectors taken apart": (
            "Each letter's vector is taken apart: its numbers stay side by side.",
            (None, _mixed_letters, None, None),
        ),
        "table detached": (
            "A detached table learns nothing: no gradient reaches C.",
            (None, _detached, None, None),
        ),
        "probabilities": (
            "These are probabilities: the logits are wanted.",
            (None, _softmaxed, None, None),
        ),
        "last layer left out": (
            "Not all layers are used.",
            (None, _all_but_the_last, None, None),
            (None, lambda C, layers, X: _deep(C, layers[1:], X), None, None),
        ),
        "table forgotten": (
            "The table C learns as well: it is not in any layer's list.",
            _of_step(which=lambda C, layers: _of_layers(layers)),
        ),
        "table alone": (
            "Only C is changed: each layer lists parameters too.",
            _of_step(which=lambda C, layers: [C]),
        ),
        "no zero_grad": (
            "Old gradients are never forgotten: they pile up.",
            _of_step(zero=False),
        ),
        "uphill": (
            "The step goes uphill: subtract the gradient.",
            _of_step(rate=lambda lr: -lr),
        ),
        "no rate": (
            "The gradient is not multiplied by lr.",
            _of_step(rate=lambda lr: 1.0),
        ),
        "rebinds": (
            "`p = p - …` names a new tensor: change p.data.",
            _of_step(rebind=True),
        ),
        "first rows": (
            "The batch is the beginning of the data: draw it.",
            _of_step(draw=lambda X, size, g: torch.arange(size)),
        ),
        "one batch for ever": (
            "The same batch comes each time: draw with the generator passed in.",
            _of_step(
                draw=lambda X, size, g: torch.randint(
                    0, len(X), (size,), generator=seeded(42)
                )
            ),
        ),
        "batch drawn without the generator": (
            "The batch is not drawn with the generator that is passed in.",
            _of_step(draw=lambda X, size, g: torch.randint(0, len(X), (size,))),
        ),
        "everything": (
            "The whole set is used: a batch has batch_size rows.",
            _of_step(draw=lambda X, size, g: torch.arange(len(X))),
        ),
        "first targets": (
            "The targets are the first ones of Y, not those of the batch.",
            _of_step(own=lambda Y, ix: Y[: len(ix)]),
        ),
        "softmax twice": (
            "F.cross_entropy wants logits: it does the softmax itself.",
            _of_step(loss=lambda z, y: F.cross_entropy(F.softmax(z, 1), y)),
        ),
        "trained in use": (
            "A step is training: the layers' `training` stays True.",
            _of_step(before=lambda layers: _switch(layers, False)),
        ),
        "loss as a tensor": (
            "The loss of a step is a tensor with its graph: return a plain number.",
            _of_step(out=lambda loss: loss),
        ),
        "measured in training": (
            "The layers are in training while it measures: switch every one off.",
            _of_loss(off=lambda layers: None, on=lambda layers, was: None),
        ),
        "first layer only": (
            "`training` is cleared in some layers only: clear it in all.",
            _of_loss(off=lambda layers: _switch(layers[:1], False)),
            _of_loss(off=lambda layers: _switch(layers[-1:], False)),
        ),
        "left in use": (
            "The layers are left in use: the next step would not train.",
            _of_loss(on=lambda layers, was: None),
        ),
        "always back to training": (
            "Each layer gets back the flag that it had, not True.",
            _of_loss(on=lambda layers, was: _switch(layers, True)),
        ),
        "with gradients": (
            "The graph of the whole set is kept: measure under torch.no_grad().",
            _of_loss(quiet=False),
        ),
        "a part": (
            "Only a part is measured: use all pairs.",
            _of_loss(rows=lambda X: X[:10]),
            _of_loss(rows=lambda X: X[:32][:16]),
        ),
        "loss left a tensor": (
            "The measured loss is a tensor: return a plain number.",
            _of_loss(out=lambda loss: loss),
        ),
    },
)


# ---------------------------------------------------------------- all_zero_init


def _chain(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """b moves once a has, and c once b has."""
    return (a - 1) ** 2 + (a * b - 1) ** 2 + (a * b * c - 1) ** 2


def _chain_by_hand(steps: int, lr: float) -> list[Tensor]:
    a = b = c = 0.0
    for _ in range(steps):
        u, v = a * b - 1, a * b * c - 1
        da = 2 * (a - 1) + 2 * u * b + 2 * v * b * c
        db = 2 * u * a + 2 * v * a * c
        dc = 2 * v * a * b
        a, b, c = a - lr * da, b - lr * db, c - lr * dc
    return [doubles(a), doubles(b), doubles(c)]


def _inputs() -> Data:
    """Numbers to learn from; one column is zero throughout, one letter never comes."""
    x = normal(12, 4, seed=5)
    x[:, 2] = 0.0
    return x, torch.tensor([0, 1, 1] * 4)


def _mlp_loss(p: list[Tensor]) -> Tensor:
    """A small network of lesson 3; with a fifth parameter, also a direct way."""
    x, Y = _inputs()
    z = torch.tanh(x @ p[0] + p[1]) @ p[2] + p[3]
    return F.cross_entropy(z + x @ p[4] if len(p) > 4 else z, Y)


def _mlp_start(skip: bool) -> list[Tensor]:
    shapes = [(4, 5), (5,), (5, 3), (3,), *[(4, 3)] * skip]
    return [normal(*shape, seed=7 + i) for i, shape in enumerate(shapes)]


def _from_zero(
    learns: Callable, start: list[Tensor], loss: Callable, steps: int, lr: float
) -> Any:
    """What is said of each parameter, and where it is afterwards."""
    own = [p.clone().requires_grad_() for p in start]
    for p in own:
        p.grad = torch.ones_like(p)
    said = learns(list(own), lambda: loss(own), steps, lr)
    if type(said) not in (list, tuple):
        return otherwise(said)
    moved = [x if type(x) is bool else Said(kind(x)) for x in said]
    return _ends([p.detach() for p in own]) | {"has moved": moved}


def _ends(parameters: list[Tensor]) -> dict[str, Any]:
    return {f"parameter {i}": p for i, p in enumerate(parameters)}


@cache
def _descended(skip: bool, steps: int, lr: float) -> dict[str, Any]:
    """From zero, with gradients written out as sums of products."""
    x, Y = _inputs()
    at = [torch.zeros_like(p) for p in _mlp_start(skip)]
    for _ in range(steps):
        h = torch.tanh(x @ at[0] + at[1])
        z = h @ at[2] + at[3] + (x @ at[4] if skip else 0)
        back = (z.exp() / z.exp().sum(1, keepdim=True) - F.one_hot(Y, 3)) / len(Y)
        below = back @ at[2].T * (1 - h**2)
        slopes = [x.T @ below, below.sum(0), h.T @ back, back.sum(0), x.T @ back]
        at = [p - lr * s for p, s in zip(at, slopes, strict=False)]
    return _ends(at) | {"has moved": [bool((p != 0).any()) for p in at]}


def _slow_entropy(Y: list[int]) -> float:
    shares = [Y.count(letter) / len(Y) for letter in set(Y)]
    return -sum(s * math.log(s) for s in shares)


@exercise("batchnorm.all_zero_init", version=2)
def all_zero_init(learns_from_zero: Callable, unigram_loss: Callable) -> Cases:
    square = lambda p: ((p[0] - 1) ** 2).sum()  # noqa: E731
    start = [doubles([3.0])]
    for steps, lr in ((1, 0.25), (3, 0.25)):
        text = f"loss (a - 1)**2, a begun at zero, {_steps(steps)} of lr {lr}"
        act = lambda a=(steps, lr): _from_zero(learns_from_zero, start, square, *a)  # noqa: E731
        yield case(text, act, _squares(steps, lr))
    middle = lambda p: 1e-9 * p[0][1]  # noqa: E731
    act = lambda: _from_zero(  # noqa: E731
        learns_from_zero, [doubles([3.0] * 3)], middle, 1, 0.5
    )
    want = {"parameter 0": doubles([0.0, -5e-10, 0.0]), "has moved": [True]}
    yield case("loss 1e-9 * a[1], a begun at three zeros, 1 step of lr 0.5", act, want)
    act = lambda: _from_zero(learns_from_zero, start, square, 2, 0.5)  # noqa: E731
    text = "loss (a - 1)**2, a begun at zero, 2 steps of lr 0.5"
    yield case(text, act, _squares(2, 0.5))
    chain = lambda p: _chain(*p)  # noqa: E731
    three = [doubles(v) for v in (0.7, -0.2, 0.0)]
    for steps in (1, 2, 4):
        act = lambda n=steps: _from_zero(learns_from_zero, three, chain, n, 0.1)  # noqa: E731
        moved = [True, steps > 1, steps > 2]
        want = _ends(_chain_by_hand(steps, 0.1)) | {"has moved": moved}
        text = f"loss (a-1)**2 + (ab-1)**2 + (abc-1)**2, {_steps(steps)} of lr 0.1"
        yield case(text, act, want)
    for skip in (False, True):
        begun = _mlp_start(skip)
        act = lambda p=begun: _from_zero(learns_from_zero, p, _mlp_loss, 6, 0.5)  # noqa: E731
        text = "an MLP of W1, b1, W2, b2" + " and a direct S" * skip + ", 6 steps"
        yield case(text, act, _descended(skip, 6, 0.5))
    act = lambda: _by_themselves(learns_from_zero)  # noqa: E731
    yield case("no steps and no lr given", act, _squares(10, 0.5, 0.1))
    rng = random.Random(4)
    for V, Y in (
        (2, [0, 0, 0, 1]),
        (5, [3, 1, 3, 3, 4, 1, 0, 3, 0]),
        (27, [rng.choice([0, 1, 1, 5, 13, 26]) for _ in range(200)]),
        (3, [1, 1, 1]),
    ):
        want = _slow_entropy(Y)
        yield call(unigram_loss, torch.tensor(Y), V, expects=want, within=NUMBER)
    Y = [random.randrange(6) for _ in range(30)]
    want = _slow_entropy(Y)
    yield call(
        unigram_loss, torch.tensor(Y), 7, expects=want, within=NUMBER, fresh=True
    )


def _squares(steps: int, lr: float, factor: float = 1.0) -> dict[str, Any]:
    """Where (a - 1)**2 is after some steps, worked out."""
    at = 1 - (1 - 2 * lr * factor) ** steps
    return {"parameter 0": doubles([at]), "has moved": [True]}


def _steps(count: int) -> str:
    return f"{count} step" + "s" * (count > 1)


def _by_themselves(learns: Callable) -> Any:
    """The parameter where neither steps nor lr is passed."""
    p = doubles([2.0]).requires_grad_()
    said = learns([p], lambda: 0.1 * ((p - 1) ** 2).sum())
    if type(said) not in (list, tuple):
        return otherwise(said)
    return {"parameter 0": p.detach(), "has moved": list(said)}


def _zeroed(parameters: list[Tensor]) -> None:
    for p in parameters:
        p.data.zero_()


def _has_moved(parameters: list[Tensor]) -> list[bool]:
    return [bool((p.detach() != 0).any()) for p in parameters]


def _from_zeros(
    begin: Callable = _zeroed,
    count: Callable = lambda steps: steps,
    rate: Callable = lambda lr: lr,
    pile: bool = False,
    one_by_one: bool = False,
    out: Callable = _has_moved,
) -> Callable:
    """learns_from_zero with one thing done otherwise."""

    def learns_from_zero(parameters, loss, steps=10, lr=0.5):
        begin(parameters)
        sums = [torch.zeros_like(p) for p in parameters]
        for _ in range(count(steps)):
            slopes = torch.autograd.grad(loss(), parameters)
            for i, p in enumerate(parameters):
                slope = torch.autograd.grad(loss(), [p])[0] if one_by_one else slopes[i]
                sums[i] = sums[i] + slope if pile else slope
                p.data -= rate(lr) * sums[i]
        return out(parameters)

    return learns_from_zero


def _with_old_gradients(parameters, loss, steps=10, lr=0.5):
    _zeroed(parameters)
    for _ in range(steps):
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return _has_moved(parameters)


def _one_graph(parameters, loss, steps=10, lr=0.5):
    _zeroed(parameters)
    value = loss()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        value.backward()
        for p in parameters:
            p.data -= lr * p.grad
    return _has_moved(parameters)


def _told_by_grad(parameters, loss, steps=10, lr=0.5):
    _zeroed(parameters)
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [p.grad is not None for p in parameters]


def _rebound(parameters: list[Tensor]) -> None:
    for p in parameters:
        p = p * 0


def _new_zeros(parameters, loss, steps=10, lr=0.5):
    parameters = [torch.zeros_like(p, requires_grad=True) for p in parameters]
    for _ in range(steps):
        slopes = torch.autograd.grad(loss(), parameters, allow_unused=True)
        for p, slope in zip(parameters, slopes, strict=True):
            p.data -= lr * (slope if slope is not None else 0)
    return _has_moved(parameters)


def _compared(parameters, loss, steps=10, lr=0.5):
    before = [p.detach().clone() for p in parameters]
    _from_zeros()(parameters, loss, steps, lr)
    return [not torch.equal(a, b) for a, b in zip(before, parameters, strict=True)]


def _shares(Y: Tensor, V: int) -> Tensor:
    return torch.bincount(Y, minlength=V).double() / len(Y)


def _right_unigram(Y: Tensor, vocab_size: int) -> float:
    s = _shares(Y, vocab_size)
    return -s.xlogy(s).sum().item()


all_zero_init.table(
    lambda: (_from_zeros(), _right_unigram),
    {
        "not zeroed": (
            "The parameters keep their start: set them to zero, in place.",
            (_from_zeros(begin=lambda parameters: None), None),
            (_from_zeros(begin=_rebound), None),
        ),
        "new zeros": (
            "New tensors of zeros are not the parameters that loss() uses.",
            (_new_zeros, None),
        ),
        "gradients pile up": (
            "Old gradients are added: each step uses its own alone.",
            (_with_old_gradients, None),
            (_from_zeros(pile=True), None),
        ),
        "one graph": (
            "loss() is called once: call it anew in each step.",
            (_one_graph, None),
        ),
        "one step": (
            "There is one step only: some parameters move later.",
            (_from_zeros(count=lambda steps: min(steps, 1)), None),
        ),
        "one step more": (
            "There is one step too many.",
            (_from_zeros(count=lambda steps: steps + 1), None),
        ),
        "one step less": (
            "There is one step too few.",
            (_from_zeros(count=lambda steps: steps - 1), None),
        ),
        "uphill": (
            "The step goes uphill: subtract the gradient.",
            (_from_zeros(rate=lambda lr: -lr), None),
        ),
        "no rate": (
            "The gradient is not multiplied by lr.",
            (_from_zeros(rate=lambda lr: 1.0), None),
        ),
        "one after the other": (
            "One parameter moves before the next gradient is known: get all first.",
            (_from_zeros(one_by_one=True), None),
        ),
        "told by the gradient": (
            "A gradient of zeros is there too: ask whether the number has moved.",
            (_told_by_grad, None),
        ),
        "moved from the start": (
            "Setting to zero counts as moving: compare with zero.",
            (_compared, None),
        ),
        "all of it": (
            "A parameter has moved if any number of it has, not only if all have.",
            (_from_zeros(out=lambda ps: [bool((p != 0).all()) for p in ps]), None),
        ),
        "the ones at rest": (
            "True is for those that have moved.",
            (_from_zeros(out=lambda ps: [not x for x in _has_moved(ps)]), None),
        ),
        "the numbers themselves": (
            "Say True or False for each parameter.",
            (_from_zeros(out=lambda ps: [p.abs().sum().item() for p in ps]), None),
            (_from_zeros(out=lambda ps: [(p != 0).any() for p in ps]), None),
        ),
        "base two": (
            "log2 gives bits: a loss in nats has the natural logarithm.",
            (None, lambda Y, V: _right_unigram(Y, V) / math.log(2)),
        ),
        "base ten": (
            "log10 is another unit: a loss in nats has the natural logarithm.",
            (None, lambda Y, V: _right_unigram(Y, V) / math.log(10)),
        ),
        "even odds": (
            "That is the loss of even odds: letters are not equally common.",
            (None, lambda Y, V: math.log(V)),
        ),
        "zero times infinity": (
            "A letter that never comes has 0 · log 0, which is nan: it costs 0.",
            (None, lambda Y, V: -(_shares(Y, V) * _shares(Y, V).log()).sum().item()),
        ),
        "negated": (
            "Logarithms of shares are negative: a loss has a minus before them.",
            (None, lambda Y, V: -_right_unigram(Y, V)),
        ),
        "each letter once": (
            "Common letters count more often: weigh each one by its share.",
            (
                None,
                lambda Y, V: -_shares(Y, V)[_shares(Y, V) > 0].log().mean().item(),
            ),
        ),
        "divided by the letters": (
            "Divided by the number of letters: the shares are the weights already.",
            (None, lambda Y, V: _right_unigram(Y, V) / V),
        ),
        "summed": (
            "That is the loss of all together: give the mean.",
            (None, lambda Y, V: _right_unigram(Y, V) * len(Y)),
        ),
        "most common": (
            "Always the most common letter: the model gives each letter its share.",
            (None, lambda Y, V: -math.log(_shares(Y, V).max())),
        ),
        "smoothed": (
            "The counts are changed: take the shares as they are.",
            (
                None,
                lambda Y, V: (
                    -(torch.bincount(Y, minlength=V) + 1.0)
                    .div(len(Y) + V)
                    .log()[Y]
                    .mean()
                    .item()
                ),
            ),
        ),
        "a tensor": (
            "The loss is a tensor: `.item()` makes a plain number of it.",
            (None, lambda Y, V: torch.tensor(_right_unigram(Y, V))),
            (None, lambda Y, V: torch.tensor(_right_unigram(Y, V)).double()),
        ),
    },
)


# ---------------------------------------------------------------- fold_batchnorm


def _pair(
    module: Any, n: int, m: int, bias: bool, seed: int, eps: float
) -> tuple[Any, Any]:
    """A linear layer and a BatchNorm1d of known numbers, in single precision."""
    linear = module.Linear(n, m, bias=bias)
    values = {"weight": normal(n, m, seed=seed).float()}
    if bias:
        values["bias"] = normal(m, seed=seed + 1).float()
    numbers = {k: v.float() for k, v in _bn_numbers(m, seed + 2).items()}
    norm = holding(module.BatchNorm1d(m, eps=eps), **numbers)
    return holding(linear, **values), norm


def _numbers_of(layer: Any) -> list[Tensor]:
    names = ("weight", "bias", *_BUFFERS)
    found = [getattr(layer, name, None) for name in names]
    return [t.detach().clone() for t in found if isinstance(t, Tensor)]


def _one_layer(
    fold: Callable, n: int, m: int, bias: bool, seed: int, eps: float = 0.3
) -> Any:
    """The layer that two were folded into, and what it gives."""
    linear, norm = _pair(stage("batchnorm", fold), n, m, bias, seed, eps)
    before = [*_numbers_of(linear), *_numbers_of(norm)]
    made = fold(linear, norm)
    if made is None or made is ...:
        return made
    flags = norm.training is True and linear.training is True
    if not isinstance(getattr(made, "weight", None), Tensor) or not callable(made):
        return otherwise(made)
    if not isinstance(getattr(made, "bias", None), Tensor):
        return {"bias": Said("missing")}
    x = normal(6, n, seed=seed).float()
    norm.training = False
    same = flags and _same(before, [*_numbers_of(linear), *_numbers_of(norm)])
    leaves = made.weight.is_leaf and made.bias.is_leaf
    return {
        "weight": made.weight.detach(),
        "bias": made.bias.detach(),
        "weight and bias": either(leaves, "of their own", "in the old layers' graph"),
        "output": made(x).detach(),
        "training": norm.training or linear.training is not True,
        "linear and bn": either(same and made is not linear, "as they were", "changed"),
    }


def _fold_by_hand(
    n: int, m: int, bias: bool, seed: int, eps: float = 0.3
) -> dict[str, Any]:
    """Output by output, in double precision."""
    linear, norm = _pair(_given(), n, m, bias, seed, eps)
    gamma, beta, mean, var = (t.double() for t in _numbers_of(norm))
    W = linear.weight.detach().double()
    old = [0.0] * m if linear.bias is None else linear.bias.tolist()
    columns, shifts = [], []
    for j in range(m):
        scale = gamma[j].item() / math.sqrt(var[j].item() + eps)
        columns.append(W[:, j] * scale)
        shifts.append((old[j] - mean[j].item()) * scale + beta[j].item())
    weight, shift = torch.stack(columns, 1), doubles(shifts)
    x = normal(6, n, seed=seed)
    out = x.float().double() @ weight + shift
    return {
        "weight": weight.float(),
        "bias": shift.float(),
        "weight and bias": Said("of their own"),
        "output": out.float(),
        "training": False,
        "linear and bn": Said("as they were"),
    }


def _fold_case(fold: Callable, n: int, m: int, bias: bool, seed: int, **o: Any) -> Case:
    extra = "" if bias else ", bias=False"
    text = f"Linear({n}, {m}{extra}) and BatchNorm1d({m}, eps=0.3)"
    act = lambda: _one_layer(fold, n, m, bias, seed)  # noqa: E731
    return case(text, act, _fold_by_hand(n, m, bias, seed), within=FLOAT32, **o)


def _of_the_text(module: Any) -> tuple[Any, Any]:
    """The two layers of the exercise's text, of one unit each."""
    number = lambda v: torch.tensor(v, dtype=torch.float32)  # noqa: E731
    linear = holding(module.Linear(1, 1, bias=False), weight=number([[2.0]]))
    norm = module.BatchNorm1d(1, eps=0.0)
    values = {
        "gamma": [3.0],
        "beta": [1.0],
        "running_mean": [4.0],
        "running_var": [9.0],
    }
    return linear, holding(norm, **{k: number(v) for k, v in values.items()})


def _text_folded(fold: Callable) -> Any:
    made = fold(*_of_the_text(stage("batchnorm", fold)))
    if made is None or made is ...:
        return made
    parts = {name: getattr(made, name, None) for name in ("weight", "bias")}
    if not all(isinstance(t, Tensor) for t in parts.values()):
        return otherwise(made)
    return {name: t.detach() for name, t in parts.items()}


_TEXT = {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([-3.0])}


def _row_of(module: Any, plan: str, seed: int) -> list:
    """Layers by their first letters: L, B and T."""
    layers: list[Any] = []
    width = 4
    for i, letter in enumerate(plan):
        if letter == "L":
            wide = width + 1 if i < len(plan) - 3 else 3
            linear, norm = _pair(module, width, wide, i % 2 == 0, seed + i, 0.3)
            layers.append(linear)
            width = wide
        elif letter == "B":
            layers.append(norm if len(norm.gamma) == width else None)
        else:
            layers.append(module.Tanh())
    for layer in layers:
        layer.training = False
    return layers


def _all_folded(folded: Callable, fold: Callable, plan: str) -> Any:
    """A list of layers before and after, and whether they say the same."""
    layers = _row_of(stage("batchnorm", folded, fold), plan, 1)
    kept, before = list(layers), [t for x in layers for t in _numbers_of(x)]
    made = folded(layers)
    if type(made) not in (list, tuple):
        return otherwise(made)
    names = [type(layer).__name__ for layer in made]
    if not all(map(callable, made)):
        return {"layers": Said(", ".join(names))}
    same = len(kept) == len(layers) and all(map(lambda a, b: a is b, kept, layers))
    same = same and _same(before, [t for x in layers for t in _numbers_of(x)])
    x = normal(7, 4, seed=2).float()
    found = {
        "layers": Said(", ".join(names)),
        "outputs": None,
        "the list passed in": either(same, "as it was", "changed"),
    }
    if names != _folded_names(plan):
        return {"layers": found["layers"]}
    return found | {"outputs": _through(x, list(made)).detach()}


def _folded_names(plan: str) -> list[str]:
    names = {"L": "Linear", "B": "BatchNorm1d", "T": "Tanh"}
    return [names[letter] for letter in plan.replace("LB", "L")]


def _row_facts(plan: str) -> dict[str, Any]:
    x = normal(7, 4, seed=2).float()
    out = _through(x, _row_of(_given(), plan, 1)).detach()
    said = {"layers": Said(", ".join(_folded_names(plan))), "outputs": out}
    return said | {"the list passed in": Said("as it was")}


@exercise("batchnorm.fold_batchnorm", version=2)
def fold_batchnorm(fold_batchnorm: Callable, folded: Callable) -> Cases:
    text = "weight 2, gamma 3, beta 1, mean 4, variance 9, eps 0"
    yield case(text, lambda: _text_folded(fold_batchnorm), _TEXT, within=FLOAT32)
    yield _fold_case(fold_batchnorm, 4, 4, True, 3, telling=True)
    for n, m, bias, seed in ((3, 5, True, 1), (6, 4, False, 2)):
        yield _fold_case(fold_batchnorm, n, m, bias, seed)
    for plan in ("LBTLBTLB", "LTLBT", "LT", "TLB", "LBTL", "LTB"):
        act = lambda p=plan: _all_folded(folded, fold_batchnorm, p)  # noqa: E731
        names = {"L": "Linear", "B": "BatchNorm1d", "T": "Tanh"}
        text = "folded: " + ", ".join(names[x] for x in plan)
        yield case(text, act, _row_facts(plan), within=FLOAT32)
    yield _fold_case(fold_batchnorm, 5, 3, True, new_seed(), fresh=True)


def _folding(
    var: Callable = lambda bn: bn.running_var + bn.eps,
    root: Callable = torch.sqrt,
    gain: Callable = lambda bn: bn.gamma,
    weight: Callable = lambda W, scale: W * scale,
    shift: Callable = lambda b, scale, bn: (b - bn.running_mean) * scale + bn.beta,
    old: bool = True,
    new: Callable = lambda linear: type(linear)(*linear.weight.shape),
) -> Callable:
    """fold_batchnorm with one thing done otherwise."""

    def fold_batchnorm(linear, bn):
        scale = (gain(bn) / root(var(bn))).detach()
        W = linear.weight.detach()
        has = old and linear.bias is not None
        b = linear.bias.detach() if has else torch.zeros(W.shape[1])
        made = new(linear)
        made.weight.data = weight(W, scale)
        bias = shift(b, scale, bn).detach()
        if made.bias is None:
            made.bias = bias
        else:
            made.bias.data = bias
        return made

    return fold_batchnorm


def _in_the_graph(*names: str) -> Callable:
    """fold_batchnorm with results of the old layers in place of leaves."""

    def fold_batchnorm(linear, bn):
        made = _folding()(linear, bn)
        for name in names:
            setattr(made, name, getattr(made, name).detach() + 0 * bn.beta)
        return made

    return fold_batchnorm


def _right_folded(layers: list) -> list:
    made: list[Any] = []
    for layer in layers:
        before = type(made[-1]).__name__ if made else ""
        if type(layer).__name__ == "BatchNorm1d" and before == "Linear":
            made[-1] = _folding()(made[-1], layer)
        else:
            made.append(layer)
    return made


def _in_the_list(layers: list) -> list:
    layers[:] = _right_folded(layers)
    return layers


def _batches_of_two(layers: list) -> list:
    """Every layer is taken for the half of a pair."""
    made = []
    for i in range(0, len(layers) - 1, 3):
        made += [_folding()(layers[i], layers[i + 1]), *layers[i + 2 : i + 3]]
    return made


def _first_pair_only(layers: list) -> list:
    for i in range(len(layers) - 1):
        names = type(layers[i]).__name__, type(layers[i + 1]).__name__
        if names == ("Linear", "BatchNorm1d"):
            return [*layers[:i], _folding()(*layers[i : i + 2]), *layers[i + 2 :]]
    return layers


def _left_out(made: list, kind_of: str) -> list:
    return [layer for layer in made if type(layer).__name__ != kind_of]


def _unfolded(layers: list) -> list:
    return _left_out(layers, "BatchNorm1d")


def _after_each(layers: list) -> list:
    made: list[Any] = []
    for i, layer in enumerate(layers):
        behind = layers[i + 1] if i + 1 < len(layers) else None
        if type(layer).__name__ == "Linear" and type(behind).__name__ == "BatchNorm1d":
            made.append(_folding()(layer, behind))
        else:
            made.append(layer)
    return made


fold_batchnorm.table(
    lambda: (_folding(), _right_folded),
    {
        "scale by rows": (
            "The scale multiplies rows of the weight: an output is a column.",
            (_folding(weight=lambda W, scale: W * scale[:, None]), None),
            (_folding(weight=lambda W, scale: (W.T * scale).T), None),
        ),
        "weight not scaled": (
            "The weight is not scaled.",
            (_folding(weight=lambda W, scale: W), None),
        ),
        "old bias forgotten": (
            "The old bias, where there is one, is lost.",
            (_folding(old=False), None),
        ),
        "old bias not scaled": (
            "The old bias goes through the normalisation as well: scale it.",
            (
                _folding(
                    shift=lambda b, scale, bn: b - bn.running_mean * scale + bn.beta
                ),
                None,
            ),
        ),
        "mean forgotten": (
            "The running mean is not subtracted.",
            (_folding(shift=lambda b, scale, bn: b * scale + bn.beta), None),
        ),
        "mean not scaled": (
            "The mean is subtracted before the scale: it is scaled too.",
            (
                _folding(
                    shift=lambda b, scale, bn: b * scale - bn.running_mean + bn.beta
                ),
                None,
            ),
        ),
        "mean added": (
            "The mean is added: BatchNorm subtracts it.",
            (
                _folding(
                    shift=lambda b, scale, bn: (b + bn.running_mean) * scale + bn.beta
                ),
                None,
            ),
        ),
        "beta forgotten": (
            "beta is not added.",
            (_folding(shift=lambda b, scale, bn: (b - bn.running_mean) * scale), None),
        ),
        "beta scaled": (
            "beta is scaled: it comes after the scale.",
            (
                _folding(
                    shift=lambda b, scale, bn: (b - bn.running_mean + bn.beta) * scale
                ),
                None,
            ),
        ),
        "gamma forgotten": (
            "gamma is part of the scale.",
            (_folding(gain=lambda bn: 1.0), None),
        ),
        "eps forgotten": (
            "eps is added to the variance, in use as well.",
            (_folding(var=lambda bn: bn.running_var), None),
        ),
        "eps outside": (
            "eps belongs under the root.",
            (
                _folding(
                    var=lambda bn: bn.running_var.sqrt() + bn.eps, root=lambda v: v
                ),
                None,
            ),
        ),
        "divided by the variance": (
            "Divided by the variance: the std is its square root.",
            (_folding(root=lambda v: v), None),
        ),
        "in place": (
            "The old layer is changed: make a new one, and leave both as they are.",
            (_folding(new=lambda linear: linear), None),
        ),
        "graph kept": (
            "The new tensors hang in the graph of the old layers: detach them.",
            (_in_the_graph("weight", "bias"), None),
            (_in_the_graph("weight"), None),
            (_in_the_graph("bias"), None),
        ),
        "list changed": (
            "The list passed in is changed: make a new one.",
            (None, _in_the_list),
        ),
        "first pair only": (
            "Only the first pair is folded.",
            (None, _first_pair_only),
        ),
        "norms left out": (
            "The BatchNorm1d layers are left out, and nothing is folded.",
            (None, _unfolded),
        ),
        "norms kept": (
            "A folded BatchNorm1d goes: here it works twice.",
            (None, _after_each),
        ),
        "others lost": (
            "The other layers are lost: keep them in their places.",
            (None, lambda layers: _left_out(_right_folded(layers), "Tanh")),
        ),
        "by threes": (
            "The layers are counted off: look for a Linear before a BatchNorm1d.",
            (None, _batches_of_two),
        ),
    },
)


# ---------------------------------------------------------------- layernorm


def _ln_numbers(dim: int, seed: int) -> dict[str, Tensor]:
    return {
        "gamma": normal(dim, seed=seed) + 1.5,
        "beta": normal(dim, seed=seed + 1),
    }


def _layernormed(
    LayerNorm: type, x: Tensor, seed: int, options: dict[str, float], flag: bool
) -> Any:
    dim = x.shape[-1]
    layer = LayerNorm(dim, **options)
    if odd := lacking(layer, "gamma", "beta"):
        return odd
    if seed:
        holding(layer, **_ln_numbers(dim, seed))
    else:
        holding(layer, gamma=torch.ones(dim).double(), beta=torch.zeros(dim).double())
    layer.training = flag
    return _normalised(layer, x, True)


def _ln_case(
    LayerNorm: type, x: Tensor, seed: int, flag: bool = True, **more: Any
) -> Case:
    dim = x.shape[-1]
    options = {k: more.pop(k) for k in ("eps",) if k in more}
    said = "".join(f", {name}={value}" for name, value in options.items())
    text = f"LayerNorm({dim}{said}) of x {tuple(x.shape)}"
    text += f" = {x.tolist()}" if x.numel() <= 4 else ""
    text += "" if flag else ", training = False"
    theirs = torch.nn.LayerNorm(dim, dtype=torch.float64, **options)
    if seed:
        numbers = _ln_numbers(dim, seed)
        theirs.weight.data, theirs.bias.data = numbers.values()
    act = lambda: _layernormed(LayerNorm, x, seed, options, flag)  # noqa: E731
    return case(text, act, _torchs(theirs, x, True), **more)


def _ln_made(LayerNorm: type) -> Any:
    layer = LayerNorm(5)
    names = ("gamma", "beta")
    if odd := lacking(layer, *names):
        return odd
    start = {name: getattr(layer, name).detach().double() for name in names}
    dtype = {"dtype": _types_of(*(getattr(layer, name) for name in names))}
    said = {"training": _training(layer)}
    return start | dtype | _listed(layer, *names) | said


@exercise("batchnorm.layernorm", version=2)
def layernorm(LayerNorm: type) -> Cases:
    zeros = torch.zeros(5, dtype=torch.float64)
    want = {
        "gamma": zeros + 1,
        "beta": zeros,
        "dtype": _SINGLE,
        "parameters()": Said("beta, gamma"),
        "of these, leaves with a gradient": 2,
        "training": True,
    }
    yield case("LayerNorm(5)", lambda: _ln_made(LayerNorm), want)
    yield _ln_case(LayerNorm, doubles([[1.0, 5.0]]), 0)
    yield _ln_case(LayerNorm, doubles([[1.0, 2.0, 6.0]]), 0, telling=True)
    yield _ln_case(LayerNorm, doubles([[1e6 + 0.1, 1e6 + 0.7, 1e6]]), 0)
    for shape, options in (
        ((7, 5), {}),
        ((4, 6), {"eps": 0.5}),
        ((2, 3, 4), {}),
        ((6, 6), {}),
        ((5,), {}),
    ):
        x = normal(*shape, seed=3, scale=2.0) + 1
        yield _ln_case(LayerNorm, x, 4, **options)
    flat = torch.cat([torch.ones(1, 3).double(), normal(1, 3, seed=7, scale=1e-3)])
    yield _ln_case(LayerNorm, flat, 4)
    yield _ln_case(LayerNorm, normal(3, 8, seed=5), 4, False)
    yield _ln_case(LayerNorm, normal(1, 9, seed=6), 4)
    new, x = lambda: LayerNorm(2), doubles([[1.0, 5.0]])
    yield _turn_case("LayerNorm(2)", new, x, "gamma", "beta")
    yield _ln_case(LayerNorm, normal(4, 7, seed=new_seed()), 4, fresh=True)


class _LN(_Named, named="LayerNorm"):
    """Right, but for what each mistake below changes."""

    def __init__(self, dim, eps=1e-5):
        self.eps = eps
        self.gamma = self.scale(dim)
        self.beta = torch.zeros(dim, requires_grad=True)

    def scale(self, dim):
        return torch.ones(dim, requires_grad=True)

    def statistics(self, x):
        return x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)

    def norm(self, x, mean, var):
        return (x - mean) / torch.sqrt(var + self.eps)

    def learned(self, xhat):
        return self.gamma * xhat + self.beta

    def __call__(self, x):
        return self.keep(self.learned(self.norm(x, *self.statistics(x))))

    def keep(self, out):
        self.out = out
        return out

    def parameters(self):
        return [self.gamma, self.beta]


def _along(dim: Any, correction: int = 0) -> Callable:
    return lambda self, x: (
        x.mean(dim, keepdim=True),
        x.var(dim, keepdim=True, correction=correction),
    )


def _plain_start(self: Any, dim: int, eps: float = 1e-5) -> None:
    _LN.__init__(self, dim, eps)
    self.gamma, self.beta = torch.ones(dim), torch.zeros(dim)


layernorm.table(
    lambda: (_LN,),
    {
        "over the batch": (
            "The mean goes over the examples: that is Batch Normalization.",
            _like(_LN, statistics=_along(0)),
        ),
        "dimension one": (
            "Dimension 1 is the last one of a table only: take -1.",
            _like(_LN, statistics=_along(1)),
        ),
        "over all": (
            "One mean for all examples: each example has its own.",
            _like(_LN, statistics=lambda self, x: (x.mean(), x.var(correction=0))),
        ),
        "all but the batch": (
            "The mean takes in all dimensions but the first: take the last one alone.",
            _like(
                _LN,
                statistics=lambda self, x: _along(tuple(range(x.ndim))[1:] or (0,))(
                    self, x
                ),
            ),
        ),
        "no keepdim": (
            "Without keepdim=True the statistics meet the wrong dimension of x.",
            _like(
                _LN, statistics=lambda self, x: (x.mean(-1), x.var(-1, correction=0))
            ),
        ),
        "divided by one less": (
            "The variance is divided by dim - 1: PyTorch divides by dim here.",
            _like(_LN, statistics=_along(-1, 1)),
        ),
        "divided by the variance": (
            "Divided by the variance: the std is its square root.",
            _like(_LN, norm=lambda self, x, mean, var: (x - mean) / (var + self.eps)),
        ),
        "not centred": (
            "The mean is not subtracted: that is another layer, RMSNorm nearly.",
            _like(_LN, norm=lambda self, x, mean, var: x / torch.sqrt(var + self.eps)),
        ),
        "root mean square": (
            "That is RMSNorm: here the mean is subtracted first.",
            _like(
                _LN,
                norm=lambda self, x, mean, var: (
                    x / torch.sqrt(x.square().mean(-1, keepdim=True) + self.eps)
                ),
            ),
        ),
        "not scaled": (
            "The mean is subtracted, and the result not divided by the std.",
            _like(_LN, norm=lambda self, x, mean, var: x - mean),
        ),
        "no eps": (
            "eps is not added: an example of equal numbers is divided by zero.",
            _like(_LN, norm=lambda self, x, mean, var: (x - mean) / torch.sqrt(var)),
        ),
        "eps outside": (
            "eps is added to the std: it belongs under the root, to the variance.",
            _like(
                _LN,
                norm=lambda self, x, mean, var: (
                    (x - mean) / (torch.sqrt(var) + self.eps)
                ),
            ),
        ),
        "eps not used": (
            "eps is written into the code: use the one passed in.",
            _like(
                _LN, norm=lambda self, x, mean, var: (x - mean) / torch.sqrt(var + 1e-5)
            ),
        ),
        "statistics cut off": (
            "Mean and variance are detached: the gradient must pass through them.",
            _like(
                _LN,
                statistics=lambda self, x: tuple(
                    s.detach() for s in _along(-1)(self, x)
                ),
            ),
        ),
        "nothing learned": (
            "gamma and beta are not used.",
            _like(_LN, learned=lambda self, xhat: xhat),
        ),
        "no gamma": (
            "gamma is not used.",
            _like(_LN, learned=lambda self, xhat: xhat + self.beta),
        ),
        "no beta": (
            "beta is not used.",
            _like(_LN, learned=lambda self, xhat: self.gamma * xhat),
        ),
        "beta scaled": (
            "beta is added after gamma has multiplied, not before.",
            _like(_LN, learned=lambda self, xhat: self.gamma * (xhat + self.beta)),
        ),
        "gamma of zero": (
            "gamma begins at 1: with 0 the layer gives nothing but beta.",
            _like(_LN, scale=lambda self, dim: torch.zeros(dim, requires_grad=True)),
        ),
        "does not learn": (
            "gamma and beta do not ask for a gradient: they would never learn.",
            _like(_LN, __init__=_plain_start),
        ),
        "beta not listed": (
            "beta learns as well: parameters() leaves it out.",
            _like(_LN, parameters=lambda self: [self.gamma]),
        ),
        "not kept": (
            "The output is returned, and not kept in out.",
            _like(_LN, keep=lambda self, out: out),
        ),
        "mean of squares": (
            "The mean of the squares minus the squared mean: large x leave no digits.",
            _like(
                _LN,
                statistics=lambda self, x: (
                    x.mean(-1, keepdim=True),
                    x.square().mean(-1, keepdim=True)
                    - x.mean(-1, keepdim=True).square(),
                ),
            ),
        ),
        "out shared": (
            "out is kept by the class, and so is one for all layers: keep it in self.",
            _like(_LN, keep=_kept_by_all),
        ),
        "in place": (
            "The input is changed: x - mean makes a new tensor, x -= mean does not.",
            _like(
                _LN,
                norm=lambda self, x, mean, var: (
                    x.sub_(mean) / torch.sqrt(var + self.eps)
                ),
            ),
        ),
        "no training": (
            "A layer says in `training` whether it is in training; it begins as True.",
            _like(_LN, training=property()),
            _like(_LN, training=False),
        ),
    },
)

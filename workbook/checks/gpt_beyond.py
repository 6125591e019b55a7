"""Checks of lesson 7, beyond the core: sums, finetuning, cache, rotation, a race.

What is asked is never whether a loss is low. A cache must give the numbers of the whole
text, a rotation those of a loop over pairs, a copy must leave its original as it was;
and a race is judged by what its model knows, and by what it can not know.
"""

import copy
import math
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from types import CellType, FunctionType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbook.checks.cases import Case, call, case, exercise, new_seed
from workbook.checks.rehoming import required
from workbook.checks.saying import either, otherwise
from workbook.checks.tensors import Steps, asked, doubles, normal, seeded
from workbook.compare import EXACT, FLOAT32, Said, Tolerance, kind

NUMBER = Tolerance(1e-6, 1e-9, "right answers in double precision agree to 1e-9")
ANGLE = Tolerance(1e-5, 1e-5, "an angle may have been computed in single precision")
Cases = Iterator[Case]


@cache
def _given() -> Any:
    return required("gpt")


def _config(**sizes: Any) -> Any:
    """A small config whose sizes all differ."""
    small = {"vocab_size": 11, "block_size": 7, "n_layer": 2, "n_head": 2, "n_embd": 12}
    return _given().GPTConfig(**small | sizes)


def _drawn(model: nn.Module, seed: int, scale: float = 0.5) -> Any:
    """The model in doubles and eval mode, each parameter drawn anew by its place."""
    model.double().eval()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(normal(*p.shape, seed=100 * seed + i, scale=scale))
    return model


def _model(seed: int, kind: type | None = None, **sizes: Any) -> Any:
    return _drawn((kind or _given().GPT)(_config(**sizes)), seed)


def _letters(*shape: int, seed: int, vocab: int = 11) -> Tensor:
    return torch.randint(vocab, shape, generator=seeded(seed))


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: t.clone() for name, t in model.state_dict().items()}


def _moved(before: dict[str, Tensor], model: nn.Module) -> set[str]:
    """The names of what is not as it was."""
    now = model.state_dict()
    return {n for n, t in before.items() if n not in now or not torch.equal(t, now[n])}


def _like(base: type, **methods: Any) -> type:
    """The class with some methods written otherwise."""
    return type(base.__name__, (base,), methods)


@contextmanager
def _rolled(seed: int) -> Iterator[None]:
    """Torch's own dice from a seed, and then as they were."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def _tensors(*shown: Any) -> Any:
    """None where all of these are tensors; else what came in place of them."""
    odd = [one for one in shown if not isinstance(one, Tensor)]
    return otherwise(odd[0]) if odd else None


# ---------------------------------------------------------------- masked_loss_addition

_SYMBOLS = "0123456789+="


class _Adder(nn.Module):
    """A model that adds `plus` to each sum; its answer is likelier than the rest.

    It reads the question again for each digit, so that only its own answers help.
    """

    def __init__(self, digits: int, plus: int, margin: float) -> None:
        super().__init__()
        self.digits, self.plus, self.margin = digits, plus, margin
        self.config = _given().GPTConfig(12, 3 * digits + 2)

    def forward(self, idx: Tensor, targets: Any = None) -> tuple[Tensor, None]:
        logits = torch.zeros(*idx.shape, 12)
        for row, out in zip(idx.tolist(), logits, strict=True):
            out[-1, self._next("".join(_SYMBOLS[i] for i in row))] = self.margin
        return logits, None

    def _next(self, text: str) -> int:
        question, equal, answer = text.partition("=")
        a, plus, b = question.partition("+")
        if not (equal and plus and a.isdecimal() and b.isdecimal()):
            return 10
        total = f"{int(a) + int(b) + self.plus:0{self.digits + 1}d}"[::-1]
        return int(total[len(answer)]) if len(answer) < len(total) else 11

    def generate(self, idx: Tensor, *args: Any, **options: Any) -> Tensor:
        return _given().GPT.generate(self, idx, *args, **options)


def _asked_to_add(calculate: Callable, pairs: list, digits: int, model: Any) -> Any:
    training = digits != 2
    model.train(training)
    with _rolled(5):
        told = calculate(model, list(pairs), digits)
    if isinstance(told, Tensor):
        told = Said("a tensor, not a list")
    kept = either(model.training == training, "as it was", "changed")
    found = {"sums": told, "the model's mode": kept}
    return found if isinstance(told, list) else otherwise(told, "sums")


def _slow_masked(ids: Tensor, asked: int) -> tuple[Tensor, Tensor]:
    """Symbol by symbol."""
    rows = ids.tolist()
    y = [[r[i] if i >= asked else -1 for i in range(1, len(r))] for r in rows]
    return torch.tensor([r[:-1] for r in rows]), torch.tensor(y)


def _pair(out: Any) -> Any:
    if isinstance(out, list | tuple) and len(out) == 2:
        return {"x": out[0], "y": out[1]}
    return {"result": Said(kind(out))} if isinstance(out, Tensor) else out


def _masked_case(question_masked: Callable, ids: Tensor, n: int, **more: Any) -> Case:
    x, y = _slow_masked(ids, n)
    small = ids.numel() <= 9
    text = f"question_masked({ids.tolist() if small else tuple(ids.shape)}, {n})"
    inner = asked(text, question_masked, ids, n, expects=None)
    act = lambda: _pair(inner.act())  # noqa: E731
    return case(text, act, {"x": x, "y": y}, within=EXACT, **more)


@exercise("gpt.masked_loss_addition", version=2, limit=8)
def masked_loss_addition(
    addition: Callable, question_masked: Callable, calculate: Callable
) -> Cases:
    for a, b, digits, text in (
        (7, 85, 2, "07+85=290"),
        (99, 99, 2, "99+99=891"),
        (0, 0, 1, "0+0=00"),
        (120, 3, 4, "0120+0003=32100"),
    ):
        yield call(addition, a, b, digits, expects=text)
    rows = torch.tensor([[0, 7, 10, 8, 5, 11, 2, 9, 0]])
    yield _masked_case(question_masked, rows, 6)
    yield _masked_case(question_masked, _letters(5, 12, seed=1, vocab=12), 8)
    yield _masked_case(question_masked, _letters(3, 6, seed=2, vocab=12), 4)
    for digits, pairs, plus, margin in (
        (2, [(7, 85), (99, 99), (0, 0)], 0, 20.0),
        (2, [(7, 85), (40, 2)], 3, 20.0),
        (1, [(a, a // 2) for a in range(10)], 0, 1.0),
        (3, [(120, 64)], 0, 1.0),
    ):
        said = "" if not plus else f", of a model that is {plus} too high"
        text = (
            f"calculate(model, {pairs[:3]}{', …' * (len(pairs) > 3)}, {digits}){said}"
        )
        act = partial(_asked_to_add, calculate, pairs, digits)
        sums = [a + b + plus for a, b in pairs]
        want = {"sums": sums, "the model's mode": Said("as it was")}
        model = _Adder(digits, plus, margin)
        yield case(text, partial(act, model), want, within=EXACT)


def _addition(
    fill: Callable = lambda n, digits: f"{n:0{digits}d}",
    total: Callable = lambda n, digits: f"{n:0{digits + 1}d}",
    turn: Callable = lambda total: total[::-1],
) -> tuple:
    def addition(a, b, digits):
        said = turn(total(a + b, digits))
        return f"{fill(a, digits)}+{fill(b, digits)}={said}"

    return addition, None, None


def _masking(
    upto: Callable = lambda asked: asked - 1,
    copied: Callable = lambda y: y.clone(),
    mark: int = -1,
    shift: int = 1,
    x: Callable = lambda x, n: x,
    fill: Callable | None = None,
) -> tuple:
    def question_masked(ids, asked):
        y = copied(ids[:, 1:] if shift else ids[:, :-1])
        if fill is not None:
            fill(y, asked)
        else:
            y[:, : max(0, upto(asked))] = mark
        return x(ids[:, :-1], asked), y

    return None, question_masked, None


def _reading(
    number: Callable = lambda out: (out * 10 ** torch.arange(out.shape[1])).sum(1),
    start: Callable = lambda rows, asked: rows[:, :asked],
    new: Callable = lambda digits: digits + 1,
    out: Callable = lambda idx, asked: idx[:, asked:],
    before: Callable = lambda model: None,
    after: Callable = lambda model: None,
    **how: Any,
) -> tuple:
    how = {"top_k": 1} | how

    def calculate(model, pairs, digits):
        texts = [_addition()[0](a, b, digits) for a, b in pairs]
        rows = torch.tensor([[_SYMBOLS.index(s) for s in text] for text in texts])
        before(model)
        idx = model.generate(start(rows, 2 * digits + 2), new(digits), **how)
        after(model)
        return number(out(idx, 2 * digits + 2)).tolist()

    return None, None, calculate


def _forwards(out: Tensor) -> Tensor:
    return (out * 10 ** torch.arange(out.shape[1] - 1, -1, -1)).sum(1)


def _answer_hidden(y: Tensor, asked: int) -> None:
    y[:, asked - 1 :] = -1


def _x_hidden(x: Tensor, asked: int) -> Tensor:
    return torch.cat([torch.full_like(x[:, :asked], -1), x[:, asked:]], 1)


masked_loss_addition.table(
    lambda: (_addition()[0], _masking()[1], _reading()[2]),
    {
        "mode changed": (
            "The model's mode is changed: it is the caller's business.",
            _reading(before=lambda model: model.eval()),
            _reading(after=lambda model: model.train()),
            _reading(after=lambda model: model.eval()),
        ),
        "forwards": (
            "The sum is written forwards: its units come first.",
            _addition(turn=lambda total: total),
        ),
        "sum not filled up": (
            "The sum is not filled up with zeros: it has digits + 1 places.",
            _addition(total=lambda n, d: str(n)),
            _addition(total=lambda n, d: f"{n:0{d}d}"),
        ),
        "numbers not filled up": (
            "The two numbers are not filled up with zeros: they have digits places.",
            _addition(fill=lambda n, d: str(n)),
        ),
        "filled up with blanks": (
            "Blanks fill up: the vocabulary has zeros.",
            _addition(fill=lambda n, d: f"{n:{d}d}"),
        ),
        "first digit hidden": (
            "One place too many is hidden: the answer's first digit is to be learned.",
            _masking(upto=lambda n: n),
        ),
        "one place too few": (
            "One place too few is hidden: '=' belongs to the question.",
            _masking(upto=lambda n: n - 2),
        ),
        "nothing hidden": (
            "Nothing is hidden: the digits of the question are learned as well.",
            _masking(upto=lambda n: 0),
        ),
        "rows written to": (
            "The slice shares its memory with ids: clone it before you write.",
            _masking(copied=lambda y: y),
        ),
        "answer hidden": (
            "The answer is hidden, and the question learned.",
            _masking(fill=_answer_hidden),
        ),
        "zero": (
            "Hidden targets are 0, which is a digit: -1 is what the loss leaves out.",
            _masking(mark=0),
        ),
        "ignored by default": (
            "Hidden targets are -100: this GPT leaves out -1.",
            _masking(mark=-100),
        ),
        "not moved": (
            "The targets are the inputs: they are the next symbols.",
            _masking(shift=0),
        ),
        "inputs hidden": (
            "The inputs are hidden as well: the model must read the question.",
            _masking(x=_x_hidden),
        ),
        "read forwards": (
            "The answer is read forwards: its first digit is the units.",
            _reading(_forwards),
        ),
        "dice": (
            "The answer is drawn with dice: top_k=1 takes the most likely digit.",
            _reading(top_k=None),
        ),
        "answer told": (
            "The model is shown the answer: stop at '='.",
            _reading(start=lambda rows, asked: rows, out=lambda idx, n: idx[:, n:-1]),
            _reading(
                start=lambda rows, asked: rows, out=lambda idx, n: idx[:, -n // 2 :]
            ),
        ),
        "one digit short": (
            "One digit is missing: a sum has digits + 1.",
            _reading(new=lambda digits: digits),
        ),
        "without the sign": (
            "The question ends with '=': without it nobody asked.",
            _reading(start=lambda rows, asked: rows[:, : asked - 1]),
        ),
        "question counted": (
            "The digits of the question are counted as well: cut it off.",
            _reading(out=lambda idx, asked: idx),
        ),
    },
)


# ---------------------------------------------------------------- finetune

_OLD, _NEW = tuple("\n abcdefgh"), tuple("\nacegxyz")


def _fitted(fit_letters: Callable, old: tuple, new: tuple, **sizes: Any) -> Any:
    sizes |= {"vocab_size": len(old)}
    model = _given().GPT(_config(**sizes))
    for i, p in enumerate(model.parameters()):
        p.data = normal(*p.shape, seed=i).float()
    before, config = _state(model), copy.copy(model.config)
    torch.default_generator.manual_seed(9)
    fitted = fit_letters(model, list(old), list(new))
    if not isinstance(fitted, nn.Module) or not hasattr(fitted, "config"):
        return otherwise(fitted)
    places = [{p.data_ptr() for p in m.parameters()} for m in (model, fitted)]
    as_before = not _moved(before, model) and model.config == config
    state, both = fitted.state_dict(), [c for c in new if c in old]
    to, of = ([place.index(c) for c in both] for place in (new, old))
    found: dict[str, Any] = {
        "vocab_size": getattr(fitted.config, "vocab_size", Said("missing")),
        "the model": either(as_before, "as it was", "changed"),
        "parameters": either(places[0] & places[1] == set(), "its own", "shared"),
    }
    for name, value in before.items():
        there = state.get(name)
        by_letter = name.startswith(("token_embedding_table", "lm_head"))
        if not isinstance(there, Tensor):
            found[name] = Said("missing")
        elif by_letter and there.shape[:1] != (len(new),):
            found[name] = Said(f"{len(there)} rows")
        elif by_letter:
            found[name] = _rows_said(there, value, to, of)
        else:
            found[name] = either(torch.equal(there, value), "copied", "other numbers")
    return found


def _rows_said(there: Tensor, old: Tensor, to: list[int], of: list[int]) -> Said:
    """Where the rows of a table came from."""
    if torch.equal(there[to], old[of]):
        rest = [i for i in range(len(there)) if i not in to]
        known = any(torch.equal(there[i], row) for i in rest for row in old)
        return Said("a new letter has an old one's row" if known else "by letter")
    n = min(len(there), len(old))
    if torch.equal(there[:n], old[:n]):
        return Said("by number")
    return Said("other rows")


@cache
def _fit_facts(old: tuple, new: tuple, **sizes: Any) -> dict[str, Any]:
    state = _given().GPT(_config(vocab_size=len(old), **sizes)).state_dict()
    by_letter = ("token_embedding_table", "lm_head")
    told = {
        n: Said("by letter" if n.startswith(by_letter) else "copied") for n in state
    }
    words = {"the model": Said("as it was"), "parameters": Said("its own")}
    return {"vocab_size": len(new), **words, **told}


def _fresh_rows(fit_letters: Callable) -> Any:
    """How the rows of new letters begin, and whether they do so twice."""
    model, rows = _given().GPT(_config(vocab_size=3, n_layer=1)), []
    for seed in (1, 2):
        torch.default_generator.manual_seed(seed)
        fitted = fit_letters(model, list("abc"), list("bxyzw"))
        if not isinstance(fitted, nn.Module):
            return otherwise(fitted)
        rows.append(fitted.state_dict()["token_embedding_table.weight"][1:])
    spread = rows[0].std().item()
    return {
        "their spread": Said("about 0.02" if 0.01 < spread < 0.04 else f"{spread:.2g}"),
        "once more": either(torch.equal(*rows), "the same numbers", "other numbers"),
    }


_FRESH = {"their spread": Said("about 0.02"), "once more": Said("other numbers")}


def _tuned(finetune: Callable, frozen: int, tied: bool, steps: int = 8) -> Any:
    """What a short run changed, and what it did not."""
    torch.default_generator.manual_seed(4)
    model = _given().GPT(_config(n_layer=3, n_embd=6, tied=tied))
    before, pattern = _state(model), torch.tensor([1, 2, 3, 4, 5] * 40)
    start = None if frozen else _loss_on(model, pattern)
    training, modes = frozen != 2, []
    look = lambda part, _: modes.append(part.training)  # noqa: E731
    model.train(training).blocks[0].ffwd.register_forward_pre_hook(look)
    out = finetune(model, pattern, steps, 6, 1e-2, frozen, seeded(1))
    if not isinstance(out, nn.Module) or not hasattr(out, "blocks"):
        return otherwise(out)
    moved = _moved(before, out)
    free = all(p.requires_grad for p in model.parameters())
    as_before = free and model.training == training
    found: dict[str, Any] = {
        "the model": Said(
            "trained itself"
            if _moved(before, model)
            else "as it was"
            if as_before
            else "frozen, or in another mode"
        ),
        "trained": either(any(modes) or not modes, "in training mode", "in eval mode"),
        "returned": either(out is not model, "a copy", "the model itself"),
    }
    for part in ("token_embedding_table", "position_embedding_table"):
        found[part] = _part_said(part, moved)
    for i in range(3):
        found[f"blocks[{i}]"] = _part_said(f"blocks.{i}.", moved)
    found["ln_f"] = _part_said("ln_f", moved)
    if not tied:
        found["lm_head"] = _part_said("lm_head", moved)
    if start is not None:  # however slowly the rate may rise, it falls
        change = _loss_on(out, pattern) - start
        found["loss"] = either(change < -0.01, "lower", "as before")
        if change > 0.01:
            found["loss"] = Said("higher")
    return found


@torch.no_grad()
def _loss_on(model: Any, ids: Tensor) -> float:
    """The loss on five windows, the mode left as it was."""
    before, (x, y) = model.training, (ids[i : i + 30].view(5, 6) for i in (0, 1))
    loss = model.eval()(x, y)[1].item()
    model.train(before)
    return loss


def _part_said(part: str, moved: set[str]) -> Said:
    return either(any(n.startswith(part) for n in moved), "trained", "as it was")


def _tuned_facts(frozen: int, tied: bool) -> dict[str, Any]:
    tables = ("token_embedding_table", "position_embedding_table")
    found = {part: either(not frozen, "trained", "as it was") for part in tables}
    found |= {
        f"blocks[{i}]": either(i >= frozen, "trained", "as it was") for i in range(3)
    }
    found |= {part: Said("trained") for part in ("ln_f", "lm_head")[: 2 - tied]}
    start = {
        "the model": Said("as it was"),
        "trained": Said("in training mode"),
        "returned": Said("a copy"),
    }
    return start | found | ({} if frozen else {"loss": Said("lower")})


def _dice(finetune: Callable) -> Any:
    """Whether the batches come from the generator, and from the whole of the text."""
    torch.default_generator.manual_seed(4)
    model, seen, sizes = _given().GPT(_config()), set(), set()

    def look(_: Any, args: tuple) -> None:
        seen.update(args[0].flatten().tolist())
        sizes.add(len(args[0]))

    model.token_embedding_table.register_forward_pre_hook(look)
    ids = torch.cat([_letters(30, seed=3, vocab=6), 6 + _letters(30, seed=4, vocab=5)])
    start, states, dice, ends = _state(model), [], [], []
    for i, (seed, steps, lr) in enumerate(_RUNS):
        torch.default_generator.manual_seed(7 + i)  # which nothing should depend on
        dice.append(seeded(seed))
        tuned = finetune(model, ids, steps, 4, lr, generator=dice[-1])
        if not isinstance(tuned, nn.Module):
            return otherwise(tuned)
        states.append(_state(tuned))
        ends.append(torch.get_rng_state())
    alike = lambda a, b: all(torch.equal(a[n], b[n]) for n in a)  # noqa: E731
    still = [alike(start, one) for one in states]
    drawn = not torch.equal(dice[0].get_state(), dice[3].get_state())
    moved = [n for n in start if not torch.equal(start[n], states[0][n])]
    whole = not seen or max(seen) > 5 > min(seen)  # a new model has no look at it
    return {
        "the same generator": either(alike(*states[:2]), "the same model", "another"),
        "another generator": either(
            not alike(states[0], states[2]), "another model", "the same"
        ),
        "three steps": either(not alike(states[0], states[3]), "not one", "as one"),
        "batches of three steps": either(drawn, "drawn one by one", "as those of one"),
        "one step": either(not still[3], "a change", "no change"),
        "no steps": either(still[4], "no change", "changed"),
        "lr 0": either(still[5], "no change", "changed"),
        "frozen, when not said": either(len(moved) == len(start), "nothing", "some"),
        "texts of a batch": sorted(sizes or {4}),
        "windows": either(whole, "of the whole text", "of a part"),
        "torch's own dice": either(
            not torch.equal(*ends[:2]), "not set", "set to a seed"
        ),
    }


_RUNS = (
    (1, 3, 1e-2),
    (1, 3, 1e-2),
    (2, 3, 1e-2),
    (1, 1, 1e-2),
    (1, 0, 1e-2),
    (1, 1, 0),
)
_DICE = {
    "the same generator": Said("the same model"),
    "another generator": Said("another model"),
    "three steps": Said("not one"),
    "batches of three steps": Said("drawn one by one"),
    "one step": Said("a change"),
    "no steps": Said("no change"),
    "lr 0": Said("no change"),
    "frozen, when not said": Said("nothing"),
    "texts of a batch": [4],
    "windows": Said("of the whole text"),
    "torch's own dice": Said("not set"),
}


def _right_get_batch(ids, block_size, batch_size, generator=None):
    high = len(ids) - block_size
    start = torch.randint(high, (batch_size,), generator=generator)
    window = ids[start[:, None] + torch.arange(block_size + 1)]
    return window[:, :-1], window[:, 1:]


def _right_make_optimizer(model, lr, weight_decay=0.1):
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)


def _right_learning_rate(step, steps, peak, warmup=100, floor=0.1):
    return peak * min(1.0, (step + 1) / max(1, warmup))


def _right_train_step(model, optimizer, x, y, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr
    _, loss = model(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


_TRAINING = {
    "get_batch": _right_get_batch,
    "make_optimizer": _right_make_optimizer,
    "learning_rate": _right_learning_rate,
    "train_step": _right_train_step,
}


@exercise("gpt.finetune", version=2, limit=24, stands_on=_TRAINING)
def finetune(fit_letters: Callable, finetune: Callable) -> Cases:
    for old, new, sizes in (
        (_OLD, _NEW, {}),
        (_OLD, _NEW, {"tied": True, "bias": False}),
        (tuple("bca"), tuple("cBaz"), {"n_layer": 1}),
    ):
        text = f"fit_letters(model, {''.join(old)!r}, {''.join(new)!r})"
        text += ", tied" * bool(sizes.get("tied"))
        act = partial(_fitted, fit_letters, old, new, **sizes)
        yield case(text, act, _fit_facts(old, new, **sizes))
    text = "fit_letters(model, 'abc', 'bxyzw'), twice: the rows of new letters"
    yield case(text, partial(_fresh_rows, fit_letters), _FRESH)
    for frozen, tied in ((0, False), (1, False), (2, True), (3, False)):
        text = f"finetune of three blocks, frozen={frozen}{', tied' * tied}"
        act = partial(_tuned, finetune, frozen, tied)
        want = _tuned_facts(frozen, tied)
        yield case(text, act, want, once=True)
    yield case("finetune with generators", partial(_dice, finetune), _DICE, once=True)


def _fit(
    pick: Callable = lambda old, new: [
        (new.index(c), old.index(c)) for c in new if c in old
    ],
    size: Callable = lambda old, new: len(new),
    fresh: tuple[str, ...] = (),
    rest: Callable = lambda state, name, value: state[name].copy_(value),
    spoil: Callable = lambda state, pairs: None,
    end: Callable = lambda model, fitted: None,
) -> tuple:
    """fit_letters with one thing done otherwise."""

    def fit_letters(model, old, new):
        g = _given()
        fitted = g.GPT(replace(model.config, vocab_size=size(old, new)))
        state, pairs = fitted.state_dict(), pick(old, new)
        for name, value in model.state_dict().items():
            if name.startswith(fresh):
                continue
            if name.startswith(("token_embedding_table", "lm_head")):
                for to, of in pairs:
                    state[name][to] = value[of]
            else:
                rest(state, name, value)
        spoil(state, pairs)
        end(model, fitted)
        return fitted

    return fit_letters, None


def _new_from_first(state: dict[str, Tensor], pairs: list) -> None:
    known = {to for to, _ in pairs}
    for name in state:
        if name.startswith(("token_embedding_table", "lm_head")):
            for i in set(range(len(state[name]))) - known:
                state[name][i] = state[name][pairs[0][0]]


def _new_from_zero(state: dict[str, Tensor], pairs: list) -> None:
    known = {to for to, _ in pairs}
    for name in state:
        if name.startswith(("token_embedding_table", "lm_head")):
            for i in set(range(len(state[name]))) - known:
                state[name][i] = 0


def _blocks_shared(model: Any, fitted: Any) -> None:
    fitted.blocks = model.blocks


def _positions_shared(model: Any, fitted: Any) -> None:
    fitted.position_embedding_table = model.position_embedding_table


def _numbers_kept(old: list, new: list) -> list:
    return [(i, i) for i in range(min(len(old), len(new)))]


def _fine(
    start: Callable = copy.deepcopy,
    freeze: Callable = lambda m, n: [
        *([m.token_embedding_table, m.position_embedding_table] if n else []),
        *m.blocks[:n],
    ],
    steps: Callable = lambda steps: steps,
    learned: Callable = lambda m: m,
    out: Callable = lambda model, tuned: tuned,
    generator: Callable = lambda g: g,
    mode: Callable = lambda tuned: tuned.train(),
    rate: Callable = lambda lr: lr,
    once: bool = False,
    up: float = -1.0,
) -> tuple:
    """finetune with one thing done otherwise."""

    def finetune(model, ids, count, batch_size, lr, frozen=0, given=None):
        tuned, dice = mode(start(model)), generator(given)
        T, lr = model.config.block_size, rate(lr)
        for part in freeze(tuned, frozen):
            part.requires_grad_(False)
        free = [p for p in learned(tuned).parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(free or [torch.zeros(1)], lr, maximize=up > 0)
        for i in range(steps(count)):
            if not (once and i):
                x, y = _right_get_batch(ids, T, batch_size, dice)
            _right_train_step(tuned, optimizer, x, y, lr)
        for p in tuned.parameters():
            p.requires_grad_()
        return out(model, tuned)

    def called(model, ids, steps, batch_size, lr, frozen=0, generator=None):
        return finetune(model, ids, steps, batch_size, lr, frozen, generator)

    called.__name__ = "finetune"
    return None, called


def _tables_of(m: Any) -> list:
    return [m.token_embedding_table, m.position_embedding_table]


finetune.table(
    lambda: (_fit()[0], _fine()[1]),
    {
        "by number": (
            "Rows are copied by number: that number is another letter now.",
            _fit(_numbers_kept),
        ),
        "direction": (
            "Rows go the wrong way: new.index says where to, old.index where from.",
            _fit(lambda o, n: [(o.index(c) % len(n), n.index(c)) for c in n if c in o]),
        ),
        "last layer fresh": (
            "lm_head starts afresh: its rows belong to letters too.",
            _fit(fresh=("lm_head",)),
        ),
        "table fresh": (
            "The token table starts afresh: move its rows.",
            _fit(fresh=("token_embedding_table",)),
        ),
        "blocks fresh": (
            "The blocks start afresh: what they learned is what is to be kept.",
            _fit(fresh=("blocks", "ln_f")),
            _fit(fresh=("blocks",)),
        ),
        "positions fresh": (
            "The positions start afresh: they do not depend on the alphabet.",
            _fit(fresh=("position_embedding_table",)),
        ),
        "nothing kept": (
            "Nothing of the model is in the new one: copy its state.",
            _fit(fresh=("",)),
        ),
        "old size": (
            "The new model has as many letters as the old one: vocab_size is len(new).",
            _fit(size=lambda old, new: max(len(old), len(new) + 1)),
            _fit(size=lambda old, new: len(old) + len(new)),
        ),
        "a row for new letters": (
            "New letters get an old letter's row: leave them their fresh start.",
            _fit(spoil=_new_from_first),
        ),
        "new rows of zeros": (
            "Rows of new letters are 0: leave them their fresh start.",
            _fit(spoil=_new_from_zero),
        ),
        "shared with the model": (
            "Both models share numbers: training one trains the other.",
            _fit(end=_blocks_shared),
            _fit(end=_positions_shared),
        ),
        "trains the model": (
            "The model itself is trained: work on a deep copy.",
            _fine(start=lambda model: model),
        ),
        "nothing frozen": (
            "frozen is not used: those blocks and the tables stay as they are.",
            _fine(freeze=lambda m, n: []),
        ),
        "tables learn": (
            "The tables learn although blocks above them are frozen.",
            _fine(freeze=lambda m, n: [*m.blocks[:n]]),
        ),
        "tables never learn": (
            "The tables are frozen always: with frozen=0 everything learns.",
            _fine(freeze=lambda m, n: [*_tables_of(m), *m.blocks[:n]]),
        ),
        "the last frozen": (
            "The last blocks are frozen: the first ones are asked for.",
            _fine(freeze=lambda m, n: [*_tables_of(m), *m.blocks[-n:]] if n else []),
        ),
        "one block alone": (
            "One block is frozen, the one with that number: all before it as well.",
            _fine(freeze=lambda m, n: [*_tables_of(m), m.blocks[n - 1]] if n else []),
        ),
        "one too few": (
            "One block too few is frozen: a slice [:frozen] has so many.",
            _fine(
                freeze=lambda m, n: [*_tables_of(m), *m.blocks[: n - 1]] if n else []
            ),
        ),
        "in eval mode": (
            "The copy is trained in eval mode: dropout should act.",
            _fine(mode=lambda tuned: tuned),
            _fine(mode=lambda tuned: tuned.eval()),
        ),
        "lr not used": (
            "lr is not used: at a rate of 0 nothing may change.",
            _fine(rate=lambda lr: 1e-3),
            _fine(rate=lambda lr: 1e-2),
        ),
        "one batch": (
            "All steps are on one batch: draw one for each step.",
            _fine(once=True),
        ),
        "untrained": (
            "The copy has not been trained: no step changed it.",
            _fine(steps=lambda steps: 0),
        ),
        "last layer alone": (
            "Only the last layer learns: blocks that are not frozen learn too.",
            _fine(learned=lambda m: m.lm_head),
        ),
        "the model returned": (
            "The model that came in is returned: return the trained copy.",
            _fine(out=lambda model, tuned: model),
        ),
        "generator not used": (
            "The generator is not used: the run cannot be repeated.",
            _fine(generator=lambda g: None),
        ),
        "own seed": (
            "The batches are seeded inside: use the generator that is handed over.",
            _fine(generator=lambda g: seeded(0)),
        ),
        "uphill": (
            "The loss rises: the step goes against the gradient.",
            _fine(up=1.0),
        ),
    },
)


# ---------------------------------------------------------------- what stands below


def _own(function: Any, home: type) -> Any:
    """A method of ours as one of the class `home`, so that its super() works there."""
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    pairs = zip(names, cells, strict=True)
    closure = tuple(CellType(home) if n == "__class__" else c for n, c in pairs)
    made = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        closure,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


@contextmanager
def _standing_on_ours(kind: type) -> Iterator[None]:
    """Let a class inherit right answers to earlier exercises, and then what it did.

    A class keeps the base that it was made from, so names cannot be exchanged for it.
    """
    changed = []
    try:
        for home in kind.__mro__[1:]:
            ours = getattr(_given(), home.__name__, None)
            if not isinstance(ours, type) or ours is home:
                continue
            for name in ("__init__", "attend", "forward", "generate"):
                if name in vars(ours) and isinstance(
                    vars(home).get(name), FunctionType
                ):
                    changed.append((home, name, vars(home)[name]))
                    setattr(home, name, _own(vars(ours)[name], home))
        yield
    finally:
        for home, name, old in reversed(changed):
            setattr(home, name, old)


def _on_ours(act: Callable) -> Callable:
    """An act in which all classes that it is handed stand on ours."""

    def acted(*args: Any, **options: Any) -> Any:
        with ExitStack() as stack:
            for kind in args:
                if isinstance(kind, type):
                    stack.enter_context(_standing_on_ours(kind))
            return act(*args, **options)

    return acted


# ---------------------------------------------------------------- attention, slowly


def _slow_attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention (B, n_head, T, size), place by place; the last T places ask."""
    T, S, out = q.shape[2], k.shape[2], torch.zeros_like(q)
    for t in range(T):
        end = S - T + t + 1
        scores = (q[:, :, t : t + 1] * k[:, :, :end]).sum(-1) / math.sqrt(q.shape[-1])
        weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
        out[:, :, t] = (weights.unsqueeze(-1) * v[:, :, :end]).sum(2)
    return out


def _in_heads(x: Tensor, n: int) -> Tensor:
    """(B, T, C) to (B, n, T, C / n), head by head."""
    return torch.stack(x.chunk(n, dim=-1), 1)


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _slow_layer(sa: Any, x: Tensor, turn: Callable = _as_it_is) -> Tensor:
    """What a CausalSelfAttention gives for x (B, T, C), from its numbers alone."""
    q, k, v = (_in_heads(x @ w.T, sa.n_head) for w in sa.qkv.weight.chunk(3))
    out = torch.cat(_slow_attend(turn(q), turn(k), v).unbind(1), -1)
    bias = 0 if sa.proj.bias is None else sa.proj.bias
    return out @ sa.proj.weight.T + bias


def _slopes(out: Tensor, leaves: dict[str, Tensor]) -> dict[str, Any]:
    """The gradients of 1 · out[0] + 2 · out[1] + … with respect to some tensors."""
    if not out.requires_grad:
        return {"gradients": Said("none: the result has lost its way back")}
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    total = (out * weights / out.numel()).sum()
    slopes = torch.autograd.grad(total, leaves.values(), allow_unused=True)
    pairs = zip(leaves, slopes, strict=True)
    return {f"gradient of {n}": Said("none") if g is None else g for n, g in pairs}


def _attended(attend: Callable, q: Tensor, k: Tensor, v: Tensor) -> Any:
    """What attention gives for q, k, v, and the gradients of all three."""
    leaves = {
        n: t.clone().requires_grad_() for n, t in zip("qkv", (q, k, v), strict=True)
    }
    out = attend(*leaves.values())
    if not isinstance(out, Tensor) or out.shape != q.shape:
        return out if isinstance(out, Tensor) else otherwise(out)
    return {"output": out.detach()} | _slopes(out, leaves)


def _attention_of(kind: type, **sizes: Any) -> Any:
    sa = kind(_config(**sizes))
    if not isinstance(sa, nn.Module) or not hasattr(sa, "qkv"):
        return None
    return _drawn(sa, 3)


@_on_ours
def _attends(kind: type, q: Tensor, k: Tensor, v: Tensor) -> Any:
    sa = _attention_of(kind, block_size=q.shape[2] + 1, n_head=q.shape[1])
    return otherwise(sa) if sa is None else _attended(sa.attend, q, k, v)


@_on_ours
def _layer(kind: type, **sizes: Any) -> Any:
    """A layer of attention as a whole: its output, and what it has to learn."""
    sa = _attention_of(kind, **sizes)
    if sa is None:
        return otherwise(sa)
    start = normal(2, 5, 12, seed=2).requires_grad_()
    with _rolled(2):
        out = sa(start)
    if not isinstance(out, Tensor) or out.shape != start.shape:
        return out if isinstance(out, Tensor) else otherwise(out)
    return {
        "output": out.detach(),
        "parameters": sorted(name for name, _ in sa.named_parameters()),
    } | _slopes(out, {"x": start})


@cache
def _layer_facts(turn: Callable, **sizes: Any) -> Any:
    sa = _attention_of(_given().CausalSelfAttention, **sizes)
    start = normal(2, 5, 12, seed=2).requires_grad_()
    out = _slow_layer(sa, start, turn)
    return {
        "output": out.detach(),
        "parameters": sorted(name for name, _ in sa.named_parameters()),
    } | _slopes(out, {"x": start})


# ---------------------------------------------------------------- kv_cache


def _slow_logits(model: Any, idx: Tensor) -> Tensor:
    """The logits (B, T, V) of a model, from its numbers alone."""
    x = model.token_embedding_table.weight[idx]
    x = x + model.position_embedding_table.weight[: idx.shape[1]]
    for block in model.blocks:
        x = x + _slow_layer(block.sa, block.ln1(x))
        x = x + block.ffwd(block.ln2(x))
    return model.lm_head(model.ln_f(x))


def _pieces(attend_cached: Callable, cuts: tuple[int, ...], B: int) -> Any:
    """Attention over x, handed over piece by piece."""
    x = normal(B, sum(cuts), 12, seed=len(cuts))
    sa = _attention_of(_given().CausalSelfAttention, dropout=0.5)
    cache, outs, kept = None, [], []
    with torch.no_grad(), _rolled(5):
        for piece in x.split(cuts, 1):
            out = attend_cached(sa, piece, cache)
            if not (isinstance(out, tuple) and len(out) == 2):
                return {"result": Said(kind(out))} if out is not None else out
            outs.append(out[0])
            held = None if cache is None else [t.clone() for t in cache]
            if not isinstance(out[1], tuple | list) or len(out[1]) != 2:
                return {"the cache": Said(kind(out[1]))}
            if odd := _tensors(out[0], *out[1]):
                return odd
            if held is not None and not all(map(torch.equal, held, cache)):
                return {"the old cache": Said("changed")}
            cache = tuple(out[1])
            kept.append(Said(str(tuple(cache[0].shape))))
    return {
        **{f"output {i + 1}": out for i, out in enumerate(outs)},
        "the cache": Said("a pair"),
        "shapes of the keys": kept,
        "keys": cache[0],
        "values": cache[1],
    }


@cache
def _pieces_facts(cuts: tuple[int, ...], B: int) -> Any:
    x = normal(B, sum(cuts), 12, seed=len(cuts))
    sa = _attention_of(_given().CausalSelfAttention)
    with torch.no_grad():
        _, k, v = (_in_heads(x @ w.T, sa.n_head) for w in sa.qkv.weight.chunk(3))
        outs = _slow_layer(sa, x).split(cuts, 1)
    ends = [sum(cuts[: i + 1]) for i in range(len(cuts))]
    shapes = [Said(str((*k.shape[:2], end, k.shape[3]))) for end in ends]
    named = {f"output {i + 1}": out for i, out in enumerate(outs)}
    rest = {"shapes of the keys": shapes, "keys": k, "values": v}
    return {**named, "the cache": Said("a pair"), **rest}


def _lively(seed: int, **sizes: Any) -> Any:
    """A model whose next letter depends on all letters so far, and on their places."""
    model = _model(seed, **sizes)
    with torch.no_grad():
        for bias in (model.lm_head.bias, model.ln_f.bias):
            bias.zero_()
        model.ln_f.weight.fill_(3.0)
        model.position_embedding_table.weight.mul_(2.0)
    return model


@cache
def _kept(seed: int) -> Any:
    """Such a model in eval mode, with dropout that would act in training."""
    return _lively(seed, dropout=0.5)


def _next(next_logits: Callable, cuts: tuple[int, ...], B: int, seed: int) -> Any:
    """The logits after each piece of a text, and the length of each block's cache."""
    model, caches, found = _kept(seed), None, {}
    idx = _letters(B, sum(cuts), seed=seed)
    with torch.no_grad():
        for i, piece in enumerate(idx.split(cuts, 1)):
            held = list(caches) if isinstance(caches, list) else caches
            out = next_logits(model, piece, caches)
            if not (isinstance(out, tuple) and len(out) == 2):
                return {"result": Said(kind(out))} if out is not None else out
            if isinstance(held, list) and not _as_held(held, caches):
                return {"the old caches": Said("changed")}
            found["the old caches"] = Said("as they were")
            logits, caches = out
            if not isinstance(logits, Tensor):
                return otherwise(logits)
            found[f"logits {i + 1}"] = logits
            found[f"caches {i + 1}"] = _lengths(caches)
    return found


def _as_held(held: list, caches: Any) -> bool:
    """Whether a list has the same things in it as before."""
    return len(held) == len(caches) and all(
        one is other for one, other in zip(held, caches, strict=True)
    )


def _lengths(caches: Any) -> Said:
    try:
        return Said(", ".join(str(one[0].shape[2]) for one in caches) + " letters")
    except Exception:
        return Said("not a pair of keys and values for each block")


@cache
def _next_facts(cuts: tuple[int, ...], B: int, seed: int) -> Any:
    model, found = _lively(seed), {"the old caches": Said("as they were")}
    idx = _letters(B, sum(cuts), seed=seed)
    with torch.no_grad():
        logits = _slow_logits(model, idx)
    for i in range(len(cuts)):
        end = sum(cuts[: i + 1])
        found[f"logits {i + 1}"] = logits[:, end - 1]
        found[f"caches {i + 1}"] = Said(f"{end}, {end} letters")
    return found


def _drew(
    generate_cached: Callable, B: int, T: int, new: int, seed: int, **how: Any
) -> Any:
    """The letters of a cached draw, and how many places each block worked through."""
    model, seen = _kept(seed), []
    ffwd = model.blocks[0].ffwd
    look = lambda _, args, out: seen.append(args[0].shape[1])  # noqa: E731
    hook, idx = ffwd.register_forward_hook(look), _letters(B, T, seed=seed)
    before = idx.clone()
    try:
        with _rolled(1):
            state = torch.get_rng_state()
            out = generate_cached(model, idx, new, generator=seeded(seed), **how)
            still = torch.equal(state, torch.get_rng_state())
    finally:
        hook.remove()
        mode = model.training
        if mode:
            model.eval()
    if not isinstance(out, Tensor):
        return otherwise(out)
    past = max(0, T + new - 1 - 7)  # letters that no longer fit
    fair = T + min(new - 1, 7 - T) + 7 * past if T <= 7 else 7 * new
    return {
        "letters": out,
        "idx": either(torch.equal(idx, before), "as it was", "changed"),
        "work": either(sum(seen) <= fair, "each letter once", "the text again"),
        "torch's own dice": either(still, "not used", "used"),
        "left": either(mode, "in training", "in eval mode"),
    }


@cache
def _drew_facts(B: int, T: int, new: int, seed: int, **how: Any) -> Any:
    model, idx = _lively(seed), _letters(B, T, seed=seed)
    out = _given().GPT.generate(model, idx, new, generator=seeded(seed), **how)
    words = {
        "idx": "as it was",
        "work": "each letter once",
        "torch's own dice": "not used",
        "left": "in eval mode",
    }
    return {"letters": out} | {name: Said(word) for name, word in words.items()}


@exercise("gpt.kv_cache", version=2, limit=16)
def kv_cache(
    attend_cached: Callable, next_logits: Callable, generate_cached: Callable
) -> Cases:
    for cuts, B in (((1, 1), 1), ((3, 1, 1, 2), 2), ((2, 4), 1)):
        text = f"attend_cached, {' + '.join(map(str, cuts))} letters of {B} texts"
        act = partial(_pieces, attend_cached, cuts, B)
        yield case(text, act, _pieces_facts(cuts, B), within=NUMBER)
    for cuts, B in (((4, 1, 1), 2), ((2, 3, 2), 1)):
        text = f"next_logits, {' + '.join(map(str, cuts))} letters of {B} texts"
        act = partial(_next, next_logits, cuts, B, len(cuts))
        yield case(text, act, _next_facts(cuts, B, len(cuts)), within=NUMBER)
    for B, T, new, how in (
        (1, 1, 3, {"top_k": 1}),
        (2, 2, 4, {}),
        (2, 1, 4, {"temperature": 0.3}),
        (3, 2, 6, {"temperature": 0.7}),
        (2, 4, 12, {"temperature": 4.0, "top_k": 2}),
        (2, 7, 1, {}),
        (1, 9, 3, {}),
        (1, 3, 0, {}),
    ):
        said = "".join(f", {k}={v}" for k, v in how.items())
        text = (
            f"generate_cached: {T} letters of {B} texts, {new} new{said}; block_size 7"
        )
        act = partial(_drew, generate_cached, B, T, new, 5 + T, **how)
        want, long = _drew_facts(B, T, new, 5 + T, **how), T + new > 6
        yield case(text, act, want, within=EXACT, once=long)
    seed = new_seed()
    act = partial(_drew, generate_cached, 2, 2, 5, seed)
    yield case(
        "generate_cached", act, _drew_facts(2, 2, 5, seed), within=EXACT, fresh=True
    )


def _ac(
    joined: Callable = lambda old, new: torch.cat([old, new], 2),
    mask: Callable = lambda tril, T, S: tril[S - T : S, :S],
    scale: Callable = lambda size: size**0.5,
    kept: Callable = lambda k, v, cache: (k, v),
    out: Callable = lambda sa, out: sa.proj(out),
    weights: Callable = lambda sa, wei: wei,
    masked: bool = True,
) -> Callable:
    """attend_cached with one thing done otherwise."""

    def attend_cached(sa, x, cache):
        B, T, C = x.shape
        q, k, v = (_in_heads(t, sa.n_head) for t in sa.qkv(x).chunk(3, -1))
        if cache is not None:
            k, v = joined(cache[0], k), joined(cache[1], v)
        wei = q @ k.mT / scale(q.shape[-1])
        if masked:
            wei = wei.masked_fill(mask(sa.tril, T, k.shape[2]) == 0, -math.inf)
        wei = weights(sa, F.softmax(wei, -1))
        one = (wei @ v).transpose(1, 2).reshape(B, T, C)
        return out(sa, one), kept(k, v, cache)

    return attend_cached


def _nl(
    attend: Callable | None = None,
    start: Callable = lambda caches: 0 if caches is None else caches[0][0].shape[2],
    given: Callable = lambda caches, i: None if caches is None else caches[i],
    last: Callable = lambda model, x: model.lm_head(model.ln_f(x[:, -1])),
    stream: Callable = lambda block, x, out: x + out,
    norm: Callable = lambda block, x: block.ln1(x),
    keep: Callable = lambda longer, caches: longer,
    after: Callable = lambda block, x: x + block.ffwd(block.ln2(x)),
) -> Callable:
    """next_logits with one thing done otherwise."""

    attend = attend or _ac()

    def next_logits(model, idx, caches):
        first = start(caches)
        places = torch.arange(first, first + idx.shape[1])
        x = model.token_embedding_table(idx) + model.position_embedding_table(places)
        longer = []
        for i, block in enumerate(model.blocks):
            out, one = attend(block.sa, norm(block, x), given(caches, i))
            x = after(block, stream(block, x, out))
            longer.append(one)
        return last(model, x), keep(longer, caches)

    return next_logits


def _gc(
    step: Callable | None = None,
    new: Callable = lambda idx, caches: idx if caches is None else idx[:, -1:],
    fits: Callable = lambda T, size: size >= T,
    crop: Callable = lambda idx, size: idx[:, -size:],
    draw: Callable = lambda logits, *how: _given().sample_next(logits, *how),
    count: Callable = lambda n: n,
    out: Callable = lambda idx, T, model: idx,
    cached: bool = True,
) -> Callable:
    """generate_cached with one thing done otherwise."""

    step = step or _nl()

    @torch.no_grad()
    def generate_cached(
        model, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None
    ):
        caches, size, T = None, model.config.block_size, idx.shape[1]
        for _ in range(count(max_new_tokens)):
            if cached and fits(idx.shape[1], size):
                logits, caches = step(model, new(idx, caches), caches)
            else:
                logits, _ = step(model, crop(idx, size), None)
            idx = torch.cat([idx, draw(logits, temperature, top_k, generator)], 1)
        return out(idx, T, model)

    return generate_cached


def _first(**how: Any) -> tuple:
    return _ac(**how), None, None


def _second(**how: Any) -> tuple:
    return None, _nl(**how), None


def _third(**how: Any) -> tuple:
    return None, None, _gc(**how)


@torch.no_grad()
def _sliding(model, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    step, caches, size = _nl(), None, model.config.block_size
    for _ in range(max_new_tokens):
        if caches and idx.shape[1] > size:
            caches = [(k[:, :, 1:], v[:, :, 1:]) for k, v in caches]
        new = idx[:, -size:] if caches is None else idx[:, -1:]
        logits, caches = step(model, new, caches)
        letter = _given().sample_next(logits, temperature, top_k, generator)
        idx = torch.cat([idx, letter], 1)
    return idx


def _into_the_old(longer: list, caches: Any) -> list:
    if caches is None:
        return longer
    caches[:] = longer
    return caches


def _left_in_training(idx: Tensor, T: int, model: Any) -> Tensor:
    model.train()
    return idx


def _seeding(n: int) -> int:
    torch.default_generator.manual_seed(0)
    return n


def _likeliest(
    logits: Tensor, temperature: float, top_k: Any, generator: Any
) -> Tensor:
    return logits.argmax(-1, keepdim=True)


kv_cache.table(
    lambda: (_ac(), _nl(), _gc()),
    {
        "first rows of the mask": (
            "The first rows of the mask are used: the new letters are the last ones.",
            _first(mask=lambda tril, T, S: tril[:T, :S]),
        ),
        "new ones unmasked": (
            "Several new letters see each other's future: mask them too.",
            _first(masked=False),
        ),
        "new in front": (
            "The new keys and values stand in front of the cached ones.",
            _first(joined=lambda old, new: torch.cat([new, old], 2)),
        ),
        "cache not used": (
            "The cache is not used: the new letters see nothing of the past.",
            _first(joined=lambda old, new: new),
        ),
        "new not kept": (
            "The cache does not grow: return it with the new keys and values.",
            _first(kept=lambda k, v, cache: (k, v) if cache is None else cache),
        ),
        "keys and values swapped": (
            "The cache holds values and keys: keys come first.",
            _first(kept=lambda k, v, cache: (v, k)),
        ),
        "not scaled": (
            "The scores are not divided by the root of the head size.",
            _first(scale=lambda size: 1.0),
        ),
        "scaled by the size": (
            "The scores are divided by the head size: its root is wanted.",
            _first(scale=lambda size: size),
        ),
        "no projection": (
            "proj is missing: the heads are not mixed.",
            _first(out=lambda sa, out: out),
        ),
        "places begin anew": (
            "The new letters get the first positions: theirs follow the cache.",
            _second(start=lambda caches: 0),
        ),
        "one place late": (
            "The positions are one too high: after S letters comes place S.",
            _second(start=lambda c: 0 if c is None else c[0][0].shape[2] + 1),
        ),
        "one cache for all": (
            "All blocks read the first block's cache: each has its own.",
            _second(given=lambda c, i: None if c is None else c[0]),
        ),
        "caches not handed on": (
            "The blocks do not get their caches.",
            _second(given=lambda caches, i: None),
        ),
        "no last norm": (
            "ln_f is missing before lm_head.",
            _second(last=lambda model, x: model.lm_head(x[:, -1])),
        ),
        "all places": (
            "The logits of all new places are given: the last one's are wanted.",
            _second(last=lambda model, x: model.lm_head(model.ln_f(x))),
        ),
        "the first place": (
            "The logits are those of the first new letter: the last one counts.",
            _second(last=lambda model, x: model.lm_head(model.ln_f(x[:, 0]))),
        ),
        "no residual": (
            "Attention's output replaces the stream: it is added to it.",
            _second(stream=lambda block, x, out: out),
        ),
        "not normed": (
            "ln1 is missing: attention reads the normed stream.",
            _second(norm=lambda block, x: x),
        ),
        "no feed-forward": (
            "The feed-forward layer is missing.",
            _second(after=lambda block, x: x),
        ),
        "caches written to": (
            "The caller's list of caches is written to: return a new one.",
            _second(keep=_into_the_old),
        ),
        "left in training": (
            "The model is left in training: leave its mode as it was.",
            _third(out=_left_in_training),
        ),
        "own seed": (
            "Torch's own dice are seeded inside: the generator decides.",
            _third(count=_seeding),
        ),
        "dropout always": (
            "Weights are dropped in eval mode: F.dropout acts unless told otherwise.",
            _first(weights=lambda sa, wei: F.dropout(wei, sa.attn_dropout.p)),
        ),
        "whole text each time": (
            "Letters are computed again that the cache has: with it, one is new.",
            _third(cached=False),
        ),
        "text into the cache again": (
            "With a cache the text is handed over again: only the last letter is new.",
            _third(new=lambda idx, caches: idx if caches is None else idx[:, -2:]),
            _third(new=lambda idx, caches: idx),
        ),
        "start cut to one letter": (
            "Of the text to go on from only one letter is read.",
            _third(new=lambda idx, caches: idx[:, -1:]),
            _third(
                new=lambda idx, caches: idx[:, :1] if caches is None else idx[:, -1:]
            ),
        ),
        "block_size forgotten": (
            "The model has block_size positions: a longer text is cut to its end.",
            _third(fits=lambda T, size: True),
        ),
        "the cache slides": (
            "In a longer text all places move, and so do kept keys: begin anew.",
            (None, None, _sliding),
        ),
        "beginning of the text": (
            "A text that is too long is cut to its beginning: the end is wanted.",
            _third(crop=lambda idx, size: idx[:, :size]),
        ),
        "cache given up too early": (
            "The cache is given up too early: block_size letters fit.",
            _third(fits=lambda T, size: size > T),
            _third(fits=lambda T, size: size - 1 > T),
        ),
        "no dice": (
            "The most likely letter is taken: sample_next draws.",
            _third(draw=_likeliest),
        ),
        "options not used": (
            "temperature and top_k are not handed on.",
            _third(draw=lambda z, t, k, g: _given().sample_next(z, generator=g)),
        ),
        "top_k not used": (
            "top_k is not handed on.",
            _third(draw=lambda z, t, k, g: _given().sample_next(z, t, None, g)),
        ),
        "generator not used": (
            "The generator is not handed on: the draw cannot be repeated.",
            _third(draw=lambda z, t, k, g: _given().sample_next(z, t, k)),
        ),
        "new letters alone": (
            "Only the new letters are returned: they go behind idx.",
            _third(out=lambda idx, T, model: idx[:, T:]),
        ),
        "one letter short": (
            "One letter is missing: max_new_tokens are wanted.",
            _third(count=lambda n: max(0, n - 1)),
        ),
    },
)


# ---------------------------------------------------------------- sdpa


@_on_ours
def _one_call(FusedAttention: type) -> Any:
    sa = _attention_of(FusedAttention)
    if sa is None:
        return otherwise(sa)
    with Steps() as steps:
        out = sa.attend(*(normal(2, 3, 5, 4, seed=i) for i in range(3)))
    used = "scaled_dot_product_attention" in steps.names
    return (
        otherwise(out)
        if not isinstance(out, Tensor)
        else {
            "attention": either(used, "in one call", "by hand"),
        }
    )


@_on_ours
def _dropped(FusedAttention: type, training: bool, p: float = 0.25) -> Any:
    """The share of weights that attention to oneself alone drops."""
    sa = FusedAttention(_config(dropout=p)).train(training)
    zero = torch.zeros(2000, 3, 1, 4)
    with _rolled(2):
        out = sa.attend(zero, zero, zero + 1)
    if not isinstance(out, Tensor) or out.shape != zero.shape:
        return out if isinstance(out, Tensor) else otherwise(out)
    share = (out == 0).double().mean().item()
    want = p if training else 0.0
    whole = bool((out == out[..., :1]).all())
    scaled = abs(out.double().mean().item() - 1) < 0.05
    return {
        "weights dropped": Said("as many as asked")
        if abs(share - want) < 0.03
        else Said(f"{share:.0%}"),
        "mean": either(scaled, "kept", "changed"),
        "a weight": either(whole, "for all channels", "channel by channel"),
    }


_DROPPED = {
    "weights dropped": Said("as many as asked"),
    "mean": Said("kept"),
    "a weight": Said("for all channels"),
}


@_on_ours
def _fused(fuse: Callable, FusedAttention: type, training: bool, **sizes: Any) -> Any:
    model = _model(4, dropout=0.25, **sizes).float().train(training)
    before, idx = _state(model), _letters(2, 6, seed=3)
    out = fuse(model)
    if not isinstance(out, nn.Module) or not hasattr(out, "blocks"):
        return otherwise(out)
    old = model.blocks[0].sa
    kinds = [
        "fused" if isinstance(b.sa, FusedAttention) else "as before" for b in out.blocks
    ]
    flags = {m.training for m in out.modules()}
    moved = sorted(_moved(before, out))
    shared = {id(p) for p in model.parameters()} & {id(p) for p in out.parameters()}
    same = not _moved(before, model) and type(old) is _given().CausalSelfAttention
    found = {
        "the model": either(
            same and not isinstance(old, FusedAttention), "as it was", "changed"
        ),
        "blocks": Said(", ".join(kinds)),
        "parameters": either(bool(shared), "shared", "copies"),
        "mode": either(flags == {training}, "as before", "another"),
        "count": sum(p.numel() for p in out.parameters()),
        "numbers": Said(
            f"{len(moved)} tensors differ, such as {moved[0]}"
            if moved
            else "the model's"
        ),
        "what learns": either(
            all(p.requires_grad for p in out.parameters()), "all", "not all"
        ),
        "dropout": sorted(
            {part.p for part in out.modules() if isinstance(part, nn.Dropout)}
        ),
    }
    if moved:
        return found
    with torch.no_grad(), _rolled(2):
        logits = out.eval()(idx)[0]
    return found | {"logits": logits}


@cache
def _fused_facts(**sizes: Any) -> Any:
    model, idx = _model(4, **sizes).float().double(), _letters(2, 6, seed=3)
    with torch.no_grad():
        logits = _slow_logits(model, idx).float()
    return {
        "the model": Said("as it was"),
        "blocks": Said(", ".join(["fused"] * len(model.blocks))),
        "parameters": Said("copies"),
        "mode": Said("as before"),
        "count": sum(p.numel() for p in model.parameters()),
        "numbers": Said("the model's"),
        "what learns": Said("all"),
        "dropout": [0.25],
        "logits": logits,
    }


def _slow_bytes(config: Any, B: int) -> int:
    """Weight by weight, four bytes each."""
    T = config.block_size
    return sum(4 * T * T for _ in range(B * config.n_layer * config.n_head))


@exercise("gpt.sdpa", version=2, limit=12)
def sdpa(FusedAttention: type, fuse: Callable, score_bytes: Callable) -> Cases:
    zero, v = torch.zeros(1, 1, 2, 1).double(), doubles([[[[2.0], [4.0]]]])
    facts = _attended(_slow_attend, zero, zero, v)
    text = "FusedAttention.attend: all scores equal, values 2 and 4"
    yield case(text, partial(_attends_small, FusedAttention, zero, zero, v), facts)
    for B, n, T, size in ((2, 3, 5, 4), (1, 2, 6, 6), (3, 4, 1, 3)):
        q, k, v = (normal(B, n, T, size, seed=10 * T + i) for i in range(3))
        text = f"FusedAttention.attend of q, k, v ({B}, {n}, {T}, {size})"
        act = partial(_attends, FusedAttention, q, k, v)
        yield case(text, act, _attended(_slow_attend, q, k, v), within=NUMBER)
    for sizes in ({}, {"bias": False, "n_head": 3}):
        want = _layer_facts(_as_it_is, **sizes)
        act = partial(_layer, FusedAttention, **sizes)
        yield case("FusedAttention of x (2, 5, 12)", act, want, within=NUMBER)
    text = "FusedAttention.attend, how it is computed"
    want = {"attention": Said("in one call")}
    yield case(text, lambda: _one_call(FusedAttention), want)
    for training in (True, False):
        text = f"dropout 0.25, {'in training' if training else 'in eval mode'}"
        yield case(text, partial(_dropped, FusedAttention, training), _DROPPED)
    for training, sizes in (
        (False, {}),
        (True, {"tied": True, "n_layer": 3, "bias": False}),
    ):
        text = f"fuse of {sizes.get('n_layer', 2)} blocks"
        act = partial(_fused, fuse, FusedAttention, training, **sizes)
        yield case(text, act, _fused_facts(**sizes), within=FLOAT32)
    for sizes, B in (
        ({"block_size": 4, "n_layer": 2, "n_head": 4}, 2),
        ({"block_size": 9, "n_layer": 3, "n_head": 5}, 7),
        ({"block_size": 256, "n_layer": 6, "n_head": 6, "n_embd": 384}, 64),
    ):
        config = _config(**sizes)
        said = ", ".join(f"{k}={v}" for k, v in sizes.items())
        text = f"score_bytes(GPTConfig({said}), {B})"
        act = partial(score_bytes, config, B)
        yield case(text, act, _slow_bytes(config, B), within=EXACT)


@_on_ours
def _attends_small(kind: type, q: Tensor, k: Tensor, v: Tensor) -> Any:
    sa = _attention_of(kind, n_head=1, n_embd=1, block_size=2)
    return otherwise(sa) if sa is None else _attended(sa.attend, q, k, v)


def _fused_by(
    call: Callable = lambda self, q, k, v, p: F.scaled_dot_product_attention(
        q, k, v, dropout_p=p, is_causal=True
    ),
    p: Callable = lambda self: self.attn_dropout.p if self.training else 0.0,
    out: Callable = lambda out: out,
) -> type:
    """FusedAttention with one thing done otherwise."""

    def attend(self, q, k, v):
        return out(call(self, q, k, v, p(self)))

    return type("FusedAttention", (_given().CausalSelfAttention,), {"attend": attend})


def _by_call(call: Callable) -> tuple:
    return _in_place_of(_fused_by(call=call))


def _sdpa(q: Tensor, k: Tensor, v: Tensor, p: float, **how: Any) -> Tensor:
    how = {"is_causal": True} | how
    return F.scaled_dot_product_attention(q, k, v, dropout_p=p, **how)


def _in_place_of(
    Fused: type | None = None,
    start: Callable = copy.deepcopy,
    which: Callable = lambda blocks: blocks,
    load: bool = True,
    mode: Callable = lambda sa, old: sa.train(old.training),
    config: Callable = lambda config: config,
    out: Callable = lambda model, fused: fused,
    share: bool = False,
) -> tuple:
    """fuse with one thing done otherwise, beside a FusedAttention of its own."""
    Fused = Fused or _fused_by()

    def fuse(model):
        fused = start(model)
        for block in which(fused.blocks):
            sa = Fused(config(model.config)).to(block.sa.qkv.weight)
            if load:
                sa.load_state_dict(block.sa.state_dict())
            block.sa = mode(sa, block.sa)
        if share:
            for one, two in zip(fused.blocks, model.blocks, strict=True):
                one.sa.qkv.weight = two.sa.qkv.weight
        return out(model, fused)

    return Fused, fuse, None


def _bytes(count: Callable) -> tuple:
    def score_bytes(config, batch_size):
        c = config
        return count(batch_size, c.n_layer, c.n_head, c.block_size, c.n_embd)

    return None, None, score_bytes


def _sdpa_rights() -> tuple:
    Fused, fuse, _ = _in_place_of()
    return Fused, fuse, _slow_bytes


sdpa.table(
    _sdpa_rights,
    {
        "not causal": (
            "Every letter sees the whole text: is_causal=True is missing.",
            _by_call(lambda s, q, k, v, p: _sdpa(q, k, v, p, is_causal=False)),
        ),
        "scaled twice": (
            "The scores are scaled twice: the call divides by the root already.",
            _by_call(lambda s, q, k, v, p: _sdpa(q / q.shape[-1] ** 0.5, k, v, p)),
            _by_call(lambda s, q, k, v, p: _sdpa(q, k, v, p, scale=1 / q.shape[-1])),
        ),
        "scaled by the width": (
            "The scale is that of all channels: the head size is what counts.",
            _by_call(
                lambda s, q, k, v, p: _sdpa(
                    q, k, v, p, scale=(q.shape[1] * q.shape[-1]) ** -0.5
                )
            ),
        ),
        "not scaled": (
            "scale=1.0 switches the scaling off: leave it out.",
            _by_call(lambda s, q, k, v, p: _sdpa(q, k, v, p, scale=1.0)),
        ),
        "queries and keys swapped": (
            "Queries and keys are swapped: the order is q, k, v.",
            _by_call(lambda s, q, k, v, p: _sdpa(k, q, v, p)),
        ),
        "mask turned": (
            "The mask is turned: the future is seen, and the past is not.",
            _by_call(
                lambda s, q, k, v, p: _sdpa(
                    q,
                    k,
                    v,
                    p,
                    is_causal=False,
                    attn_mask=torch.ones(q.shape[2], q.shape[2]).triu().bool(),
                )
            ),
        ),
        "by hand": (
            "The square of weights is still computed by hand: use the one call.",
            _by_call(
                lambda self, q, k, v, p: _given().CausalSelfAttention.attend(
                    self, q, k, v
                )
            ),
        ),
        "dropout in eval mode": (
            "Weights are dropped in eval mode too: dropout_p acts whatever the mode.",
            _in_place_of(_fused_by(p=lambda self: self.attn_dropout.p)),
        ),
        "no dropout": (
            "Weights are never dropped: in training dropout_p is that of the config.",
            _in_place_of(_fused_by(p=lambda self: 0.0)),
        ),
        "dropout turned": (
            "Weights are dropped in eval mode, and not in training.",
            _in_place_of(
                _fused_by(p=lambda s: 0.0 if s.training else s.attn_dropout.p)
            ),
        ),
        "the output dropped": (
            "Dropout acts on values or the output: dropout_p drops weights.",
            _by_call(
                lambda s, q, k, v, p: F.dropout(
                    _sdpa(q, k, v, 0.0), s.attn_dropout.p, p > 0
                )
            ),
        ),
        "the model changed": (
            "The model itself is changed: work on a deep copy.",
            _in_place_of(start=lambda model: model),
        ),
        "fresh numbers": (
            "The new layers have numbers of their own: load the old ones' state.",
            _in_place_of(load=False),
        ),
        "dropout lost": (
            "The new layers have no dropout: give them the model's config.",
            _in_place_of(config=lambda config: replace(config, dropout=0.0)),
        ),
        "frozen": (
            "The copy cannot learn: its parameters are frozen.",
            _in_place_of(out=lambda model, fused: fused.requires_grad_(False)),
        ),
        "first block alone": (
            "Only the first block is changed: do it in each.",
            _in_place_of(which=lambda blocks: blocks[:1]),
        ),
        "nothing replaced": (
            "The copy attends as before: no block got a FusedAttention.",
            _in_place_of(which=lambda blocks: []),
        ),
        "mode lost": (
            "The new layers are in training, whatever the model was.",
            _in_place_of(mode=lambda sa, old: sa),
        ),
        "shared": (
            "Copy and model share parameters: training one changes the other.",
            _in_place_of(share=True),
        ),
        "layers not counted": (
            "The blocks are not counted: each has weights of its own.",
            _bytes(lambda B, L, n, T, C: 4 * B * n * T * T),
        ),
        "heads not counted": (
            "The heads are not counted: each has weights of its own.",
            _bytes(lambda B, L, n, T, C: 4 * B * L * T * T),
        ),
        "texts not counted": (
            "The texts are not counted: each has weights of its own.",
            _bytes(lambda B, L, n, T, C: 4 * L * n * T * T),
        ),
        "numbers, not bytes": (
            "The weights are counted, and not their bytes: four each.",
            _bytes(lambda B, L, n, T, C: B * L * n * T * T),
        ),
        "one row": (
            "One row of weights is counted: there are T of them.",
            _bytes(lambda B, L, n, T, C: 4 * B * L * n * T),
        ),
        "half of it": (
            "The masked half is left out: it is stored as well.",
            _bytes(lambda B, L, n, T, C: 2 * B * L * n * T * (T + 1)),
        ),
    },
)


# ---------------------------------------------------------------- rotary


def _slow_angles(T: int, size: int, base: float = 10_000.0) -> Tensor:
    """Place by place, pair by pair."""
    rows = [[t / base ** (2 * i / size) for i in range(size // 2)] for t in range(T)]
    return doubles(rows)


def _slow_turned(x: Tensor) -> Tensor:
    """Each pair (i, i + size / 2), turned as a point in the plane."""
    T, size = x.shape[-2:]
    half = size // 2
    points = torch.complex(x[..., :half], x[..., half:])
    turned = points * torch.polar(torch.ones(T, half).double(), _slow_angles(T, size))
    return torch.cat([turned.real, turned.imag], -1)


def _turned(rotate: Callable, x: Tensor) -> Any:
    start = x.clone().requires_grad_()
    out = rotate(start)
    if not isinstance(out, Tensor) or out.shape != x.shape:
        return out if isinstance(out, Tensor) else otherwise(out)
    found = {"output": out.detach()} | _slopes(out, {"x": start})
    return found | {"x": either(torch.equal(start, x), "as it was", "changed")}


def _turned_facts(x: Tensor) -> Any:
    start = x.clone().requires_grad_()
    out = _slow_turned(start)
    found = {"output": out.detach()} | _slopes(out, {"x": start})
    return found | {"x": Said("as it was")}


def _angles(rotary_angles: Callable, *args: Any) -> Any:
    out = rotary_angles(*args)
    return out.double() if isinstance(out, Tensor) and out.is_floating_point() else out


@_on_ours
def _rotary_model(RotaryGPT: type, _: type, seed: int, **sizes: Any) -> Any:
    """The logits, what there is to learn, and how it starts."""
    torch.default_generator.manual_seed(seed)
    model = RotaryGPT(_config(n_embd=24, dropout=0.25, **sizes))
    if not isinstance(model, nn.Module) or not hasattr(model, "blocks"):
        return otherwise(model)
    names = [n for n, _ in model.named_parameters()]
    stds = [model.blocks[-1].sa.qkv.weight.std(), model.blocks[-1].sa.proj.weight.std()]
    want = [0.02, 0.02 / math.sqrt(2 * len(model.blocks))]
    near = all(abs(s / w - 1) < 0.25 for s, w in zip(stds, want, strict=True))
    found = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "position table": either(
            any("position" in n for n in names), "still there", "none"
        ),
        "start": either(near, "start_weights", f"spread {stds[0].item():.2f}"),
        "dropout": sorted(
            {part.p for part in model.modules() if isinstance(part, nn.Dropout)}
        ),
    }
    _drawn(model, seed)
    with torch.no_grad():
        logits = model(_letters(2, 6, seed=seed))[0]
    return found | {"logits": logits}


@cache
def _rotary_facts(seed: int, **sizes: Any) -> Any:
    model = _given().GPT(_config(n_embd=24, **sizes))
    model.position_embedding_table = nn.Identity()
    _drawn(model, seed)
    with torch.no_grad():
        x = model.token_embedding_table.weight[_letters(2, 6, seed=seed)]
        for block in model.blocks:
            x = x + _slow_layer(block.sa, block.ln1(x), _slow_turned)
            x = x + block.ffwd(block.ln2(x))
        logits = model.lm_head(model.ln_f(x))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "position table": Said("none"),
        "start": Said("start_weights"),
        "dropout": [0.25],
        "logits": logits,
    }


@exercise("gpt.rotary", version=2, limit=12)
def rotary(
    rotary_angles: Callable, rotate: Callable, RotaryAttention: type, RotaryGPT: type
) -> Cases:
    for args in ((3, 2), (4, 6), (2, 4, 100.0), (64, 32), (1, 8)):
        text = f"rotary_angles({', '.join(map(str, args))})"
        act = partial(_angles, rotary_angles, *args)
        yield case(text, act, _slow_angles(*args), within=ANGLE)
    x = doubles([[1.0, 0.0], [1.0, 0.0]])
    text = "rotate([[1, 0], [1, 0]])"
    yield case(text, partial(_turned, rotate, x), _turned_facts(x), within=ANGLE)
    for shape in ((2, 3, 5, 4), (1, 2, 9, 6), (7, 8), (3, 1, 1, 2)):
        x = normal(*shape, seed=len(shape) + shape[-1])
        act = partial(_turned, rotate, x)
        yield case(f"rotate(x {shape})", act, _turned_facts(x), within=ANGLE)
    for sizes in ({}, {"bias": False, "n_head": 3}):
        want = _layer_facts(_slow_turned, **sizes)
        act = partial(_layer, RotaryAttention, dropout=0.5, **sizes)
        text = "RotaryAttention of x (2, 5, 12), in eval mode"
        yield case(text, act, want, within=ANGLE)
    text = "RotaryAttention, dropout 0.25, in training"
    yield case(text, partial(_dropped, RotaryAttention, True), _DROPPED)
    for seed, sizes in ((1, {}), (2, {"n_layer": 3, "tied": True, "bias": False})):
        act = partial(_rotary_model, RotaryGPT, RotaryAttention, seed, **sizes)
        text = f"RotaryGPT of {sizes.get('n_layer', 2)} blocks"
        yield case(text, act, _rotary_facts(seed, **sizes), within=ANGLE)
    seed = new_seed()
    x = normal(2, 6, 4, seed=seed)
    yield case(
        "rotate(x (2, 6, 4))",
        partial(_turned, rotate, x),
        _turned_facts(x),
        within=ANGLE,
        fresh=True,
    )


def _by_angles(
    speeds: Callable = lambda i, size, base: base ** (-2 * i / size),
    places: Callable = lambda T: torch.arange(T),
    out: Callable = lambda angles: angles,
) -> Callable:
    def rotary_angles(T, size, base=10_000.0):
        i = torch.arange(size // 2, dtype=torch.float64)
        return out(torch.outer(places(T).double(), speeds(i, size, base)))

    return rotary_angles


def _turning(
    pair: Callable = lambda x: x.chunk(2, -1),
    turned: Callable = lambda a, b, c, s: (a * c - b * s, a * s + b * c),
    back: Callable = lambda a, b: torch.cat([a, b], -1),
    places: Callable = lambda x: x.shape[-2],
    angles: Callable = _slow_angles,
) -> Callable:
    def rotate(x):
        a, b = pair(x)
        angle = angles(places(x), x.shape[-1])
        return back(*turned(a, b, angle.cos().to(x), angle.sin().to(x)))

    return rotate


def _neighbours(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([a, b], -1).flatten(-2)


def _rotary_attention(attend: Callable) -> type:
    base = _given().CausalSelfAttention
    past = base.attend

    def method(self, q, k, v):
        return attend(lambda *rows: past(self, *rows), q, k, v)

    return type("RotaryAttention", (base,), {"attend": method})


def _right_turn(x: Tensor) -> Tensor:
    return _turning()(x)


_ATTENDS = lambda past, q, k, v: past(_right_turn(q), _right_turn(k), v)  # noqa: E731


class _Nothing(nn.Module):
    def forward(self, places: Tensor) -> float:
        return 0.0


def _rotary_gpt(
    table: Callable = lambda model: _Nothing(),
    which: Callable = lambda blocks: blocks,
    start: Callable = lambda model, n: _given().start_weights(model, n),
    config: Callable = lambda config: config,
) -> type:
    attention, changed = _rotary_attention(_ATTENDS), config

    def __init__(self, config):
        config = changed(config)
        _given().GPT.__init__(self, config)
        self.position_embedding_table = table(self)
        for block in which(self.blocks):
            block.sa = attention(config)
        start(self, config.n_layer)

    return type("RotaryGPT", (_given().GPT,), {"__init__": __init__})


def _zeroed(model: Any) -> nn.Module:
    model.position_embedding_table.weight.data.zero_()
    return model.position_embedding_table


def _a(**how: Any) -> tuple:
    return _by_angles(**how), None, None, None


def _t(**how: Any) -> tuple:
    return None, _turning(**how), None, None


def _ra(attend: Callable) -> tuple:
    return None, None, _rotary_attention(attend), None


def _turned_by(p: Callable) -> tuple:
    """RotaryAttention in one call, with p(self) of its weights dropped."""

    def attend(self, q, k, v):
        return _sdpa(_right_turn(q), _right_turn(k), v, p(self))

    base = _given().CausalSelfAttention
    return None, None, type("RotaryAttention", (base,), {"attend": attend}), None


def _rg(**how: Any) -> tuple:
    return None, None, None, _rotary_gpt(**how)


rotary.table(
    lambda: (_by_angles(), _turning(), _rotary_attention(_ATTENDS), _rotary_gpt()),
    {
        "no dropout on the weights": (
            "Nothing is dropped in training: attend as the class above does.",
            _turned_by(lambda sa: 0.0),
        ),
        "dropout always": (
            "Weights are dropped in eval mode too: dropout_p acts whatever the mode.",
            _turned_by(lambda sa: sa.attn_dropout.p),
        ),
        "dropout lost": (
            "The model has lost its dropout: hand the config on as it came.",
            _rg(config=lambda config: replace(config, dropout=0.0)),
        ),
        "twice as slow": (
            "The speeds fall half as fast: the exponent is -2 i / size.",
            _a(speeds=lambda i, size, base: base ** (-i / size)),
        ),
        "size forgotten": (
            "The exponent is not divided by the size.",
            _a(speeds=lambda i, size, base: base ** (-2.0 * i)),
            _a(speeds=lambda i, size, base: base ** (-1.0 * i)),
        ),
        "faster and faster": (
            "Later pairs turn faster: the exponent is negative.",
            _a(speeds=lambda i, size, base: base ** (2 * i / size)),
        ),
        "base not used": (
            "base is not used: it is a parameter.",
            _a(speeds=lambda i, size, base: 10_000.0 ** (-2 * i / size)),
        ),
        "from one": (
            "The first place is 1: places begin at 0, where nothing turns.",
            _a(places=lambda T: torch.arange(1, T + 1)),
        ),
        "angles turned": (
            "The table is turned: rows are places, columns are pairs.",
            _a(out=lambda angles: angles.T),
        ),
        "angles twice": (
            "Each angle is given twice: one for each pair of channels.",
            _a(out=lambda angles: torch.cat([angles, angles], -1)),
        ),
        "full circles": (
            "The angles are in full circles: no factor of 2 pi is wanted.",
            _a(out=lambda angles: angles * 2 * math.pi),
        ),
        "the other way": (
            "It turns the other way: (1, 0) goes to (cos, sin).",
            _t(turned=lambda a, b, c, s: (a * c + b * s, b * c - a * s)),
        ),
        "signs": (
            "Both sums have a plus: the first one is a cos - b sin.",
            _t(turned=lambda a, b, c, s: (a * c + b * s, a * s + b * c)),
        ),
        "cosine alone": (
            "Only the cosine is used: that shrinks, and does not turn.",
            _t(turned=lambda a, b, c, s: (a * c, b * c)),
        ),
        "sine and cosine swapped": (
            "Sine and cosine are swapped: at place 0 nothing turns.",
            _t(turned=lambda a, b, c, s: (a * s - b * c, a * c + b * s)),
        ),
        "neighbours": (
            "Neighbours are turned: here channel i goes with i + size / 2.",
            _t(pair=lambda x: (x[..., 0::2], x[..., 1::2]), back=_neighbours),
        ),
        "neighbours, not put back": (
            "Neighbours are turned and then laid out as halves: channels change place.",
            _t(pair=lambda x: (x[..., 0::2], x[..., 1::2])),
        ),
        "halves mixed": (
            "The halves are put back in turns: first one half, then the other.",
            _t(back=_neighbours),
        ),
        "halves swapped": (
            "The halves are put back in the other order.",
            _t(back=lambda a, b: torch.cat([b, a], -1)),
        ),
        "values too": (
            "The values are turned as well: they say what, not where.",
            _ra(lambda past, q, k, v: past(*map(_right_turn, (q, k, v)))),
        ),
        "queries alone": (
            "Only the queries are turned: the product then depends on one place alone.",
            _ra(lambda past, q, k, v: past(_right_turn(q), k, v)),
        ),
        "keys alone": (
            "Only the keys are turned: turn the queries as well.",
            _ra(lambda past, q, k, v: past(q, _right_turn(k), v)),
        ),
        "not turned": (
            "Nothing is turned: without a table no letter knows its place.",
            _ra(lambda past, q, k, v: past(q, k, v)),
        ),
        "table kept": (
            "The table of positions is still there: NoPositions takes its place.",
            _rg(table=lambda model: model.position_embedding_table),
        ),
        "table of zeros": (
            "The table is set to zero and still learned: NoPositions takes its place.",
            _rg(table=_zeroed, start=lambda model, n: None),
        ),
        "attention as before": (
            "The blocks attend as before: each gets a RotaryAttention.",
            _rg(which=lambda blocks: []),
        ),
        "first block alone": (
            "Only the first block turns: each gets a RotaryAttention.",
            _rg(which=lambda blocks: blocks[:1]),
        ),
        "start not made": (
            "The new layers keep PyTorch's start: call start_weights at the end.",
            _rg(start=lambda model, n: None),
        ),
    },
)


# ---------------------------------------------------------------- speedrun


_MOST = 810_000


@dataclass
class _Recipe:
    """The sizes and switches that the notebook has."""

    vocab_size: int = 65
    block_size: int = 64
    n_layer: int = 3
    n_head: int = 4
    n_embd: int = 128
    batch_size: int = 16
    rotary: bool = True
    qk_norm: bool = True
    squared: bool = True
    zeros: bool = True
    shift: bool = True
    ngrams: bool = True
    muon: bool = True
    decay: bool = True


@cache
def _two_ways(n: int) -> Tensor:
    """A text in which each of 11 letters is followed by one of two, by chance."""
    rng, letters = random.Random(8), [0]
    for _ in range(n):
        letters.append((3 * letters[-1] + rng.choice((1, 5))) % 11)
    return torch.tensor(letters)


def _raced(speedrun: Callable, recipe: _Recipe | None, steps: int) -> Any:
    """What a race made: its size, its outputs, what it knows and what it sees."""
    V = 65 if recipe is None else recipe.vocab_size
    ids = _letters(400, seed=6, vocab=V) if recipe is None else _two_ways(1200)[:1000]
    theirs = ids.clone()
    with _rolled(3):
        options = () if recipe is None else (recipe,)
        model = speedrun(theirs, steps, *options)
    if isinstance(model, tuple | list):
        return {"result": Said(f"a {type(model).__name__} of {len(model)}")}
    if not isinstance(model, nn.Module):
        return otherwise(model)
    size = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    if not 0 < size <= _MOST:
        more = Said("more than 810,000" if size else "none")
        return {"result": Said("a model"), "parameters": more}
    T = getattr(getattr(model, "config", None), "block_size", None)
    found = {
        "result": Said("a model"),
        "parameters": Said("at most 810,000"),
        "config.block_size": T if type(T) is int else Said("missing"),
    }
    if type(T) is not int or (recipe is None and T != 64):
        return found
    length = 150 // T * T
    x, y = (_two_ways(1200)[1000 + i : 1000 + i + length].view(-1, T) for i in (0, 1))
    return (
        found
        | _outputs(model.eval(), x, y, V)
        | {"ids": either(torch.equal(ids, theirs), "as they were", "changed")}
    )


@torch.no_grad()
def _outputs(model: Any, x: Tensor, y: Tensor, V: int) -> dict[str, Any]:
    out = model(x, y)
    if not (isinstance(out, tuple) and len(out) == 2):
        return {
            "model(x, y)": Said(
                kind(out) if not isinstance(out, Tensor) else "one tensor"
            )
        }
    logits, loss = out
    if not isinstance(logits, Tensor) or logits.shape != (*x.shape, V):
        shown = getattr(logits, "shape", None)
        return {
            "logits": Said(kind(logits) if shown is None else f"shape {tuple(shown)}")
        }
    if not isinstance(loss, Tensor) or loss.dim() != 0:
        return {"loss": Said(kind(loss))}
    if not bool(torch.isfinite(logits).all()):
        return {"logits": Said("not finite")}
    true = F.cross_entropy(logits.double().flatten(0, 1), y.flatten()).item()
    sums = logits.sum(-1)
    chances = bool((logits >= 0).all()) and torch.allclose(sums, torch.ones_like(sums))
    return {
        "logits": Said("probabilities" if chances else "scores"),
        "loss": _which_loss(loss.item(), true, y.numel()),
        "asked again": either(
            torch.equal(logits, model(x, y)[0]), "the same", "something else"
        ),
        "half a text": _half_read(model, x, V),
        "another text changed": either(
            _apart(model, x, logits), "moves nothing here", "moves this one"
        ),
        "a later letter changed": either(
            _blind(model, x, logits), "moves no earlier output", "moves earlier outputs"
        ),
        "what it knows": _knows(true, V),
    }


def _which_loss(loss: float, true: float, count: int) -> Said:
    if abs(true - loss) < 1e-3:
        return Said("that of the logits")
    return Said("their sum" if abs(loss / count - true) < 1e-3 else "another")


def _half_read(model: Any, x: Tensor, V: int) -> Said:
    half = x[:, : x.shape[1] // 2]
    logits = model(half)[0]
    fits = isinstance(logits, Tensor) and logits.shape == (*half.shape, V)
    return either(fits, "is read", "has other logits")


def _apart(model: Any, x: Tensor, logits: Tensor) -> bool:
    """Whether the outputs for all texts but the last stay when that one is changed."""
    moved = x.clone()
    moved[-1] = (moved[-1] + 1) % logits.shape[-1]
    gap = (logits - model(moved)[0])[:-1].abs()
    return len(x) < 2 or bool(gap.max() < 1e-4)


def _blind(model: Any, x: Tensor, logits: Tensor) -> bool:
    """Whether no output moves when later letters do."""
    moved, at = x.clone(), x.shape[1] // 2
    moved[:, at:] = (moved[:, at:] + 1) % logits.shape[-1]
    gap = (logits - model(moved)[0])[:, :at].abs().max()
    return bool(gap < 1e-4)


def _knows(loss: float, V: int) -> Said:
    """In words, since nobody races to the same digits twice."""
    if V != 11:
        return Said("not asked")
    if loss < 0.6:
        return Said("more than can be known")
    if loss < 1.9:
        return Said("what follows what")
    return Said("nothing" if loss < 2.7 else "less than nothing")


def _raced_facts(T: int, V: int) -> dict[str, Any]:
    return {
        "result": Said("a model"),
        "parameters": Said("at most 810,000"),
        "config.block_size": T,
        "logits": Said("scores"),
        "loss": Said("that of the logits"),
        "asked again": Said("the same"),
        "half a text": Said("is read"),
        "another text changed": Said("moves nothing here"),
        "a later letter changed": Said("moves no earlier output"),
        "what it knows": Said("what follows what" if V == 11 else "not asked"),
        "ids": Said("as they were"),
    }


@exercise(
    "gpt.speedrun", version=2, limit=30, stands_on=_TRAINING | {"rotate": _turning()}
)
def speedrun(speedrun: Callable) -> Cases:
    act = partial(_raced, speedrun, None, 0)
    yield case("speedrun(ids, 0), as it starts", act, _raced_facts(64, 65), once=True)
    tiny = _Recipe(11, 10, 1, 2, 16, 8)
    text = "60 steps of a tiny recipe, on letters with two ways to go on"
    act = partial(_raced, speedrun, tiny, 60)
    yield case(text, act, _raced_facts(10, 11), once=True)
    act = partial(_after_one_step, speedrun, tiny)
    wanted = {"what it knows": Said("next to nothing")}
    yield case("speedrun(ids, 1, tiny recipe)", act, wanted, once=True)


def _after_one_step(speedrun: Callable, recipe: _Recipe) -> Any:
    """One step teaches hardly anything: whoever knows more took more of them."""
    found = _raced(speedrun, recipe, 1)
    told = found.get("what it knows") if isinstance(found, dict) else None
    if told is None:
        return found
    more = (_knows(0.0, recipe.vocab_size), _knows(1.0, recipe.vocab_size))
    return {"what it knows": either(told in more, str(told), "next to nothing")}


def _racing(
    size: Callable = lambda r: {},
    lr: float = 0.02,
    start: Callable = lambda model: model,
    targets: Callable = lambda x, y: y,
    ready: Callable = lambda model: model,
    out: Callable = lambda model, loss: model,
    touch: Callable = lambda ids: None,
    count: Callable = lambda steps: steps,
) -> Callable:
    """A small GPT and Adam, with one thing done otherwise."""

    def speedrun(ids, steps, recipe=None):
        r = recipe or _Recipe()
        sizes = {n: getattr(r, n) for n in ("vocab_size", "block_size", "n_layer")}
        sizes |= {"n_head": r.n_head, "n_embd": r.n_embd} | size(r)
        model, loss = start(_given().GPT(_given().GPTConfig(**sizes))), None
        optimizer = torch.optim.Adam(model.parameters(), lr)
        for _ in range(count(steps)):
            x, y = _right_get_batch(ids, sizes["block_size"], r.batch_size)
            loss = model(x, targets(x, y))[1]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        touch(ids)
        return out(ready(model), loss)

    return speedrun


def _seeing(model: Any) -> Any:
    for block in model.blocks:
        block.sa.tril.fill_(1)
    return model


def _answering(change: Callable) -> Callable:
    """The model with another answer."""

    def ready(model):
        forward = model.forward

        def changed(idx, targets=None):
            return change(*forward(idx, targets), idx, targets)

        model.forward = changed
        return model

    return ready


def _with_loss(logits: Tensor, y: Any) -> tuple:
    if y is None:
        return logits, None
    return logits, F.cross_entropy(logits.flatten(0, 1), y.flatten())


def _without_config(model: Any) -> Any:
    del model.config
    return model


def _zeroed_ids(ids: Tensor) -> None:
    ids.zero_()


_RACES: dict[str, tuple[str, dict[str, Any]]] = {
    "too many parameters": (
        "The model has more than 810,000 parameters: that is another race.",
        {"size": lambda r: {"n_embd": 2 * r.n_embd, "n_layer": 4 * r.n_layer}},
    ),
    "sees the future": (
        "An earlier output moves with a later letter: the model reads its answer.",
        {"start": _seeing},
    ),
    "not trained": (
        "The model knows nothing of the text that it was given.",
        {"count": lambda steps: 0},
    ),
    "rows hear each other": (
        "The texts of a batch move each other's outputs: each stands alone.",
        {
            "ready": _answering(
                lambda z, loss, x, y: _with_loss(z + z.roll(1, 0), y),
            )
        },
    ),
    "copies": (
        "It learned to copy its input: the targets are the next letters.",
        {"targets": lambda x, y: x},
    ),
    "a longer context": (
        "The context is not that of the recipe: the race has 64 letters.",
        {"size": lambda r: {"block_size": 2 * r.block_size}},
    ),
    "other letters": (
        "The model has 65 letters whatever the recipe says: use vocab_size.",
        {"size": lambda r: {"vocab_size": 65}},
    ),
    "probabilities": (
        "The model gives probabilities: logits are wanted.",
        {"ready": _answering(lambda z, loss, x, y: (z.softmax(-1), loss))},
    ),
    "logits alone": (
        "The model gives one tensor: logits and loss are wanted, as a GPT gives them.",
        {"ready": _answering(lambda z, loss, x, y: z)},
    ),
    "loss of the sum": (
        "The model's loss is a sum over all places: the mean is wanted.",
        {
            "ready": _answering(
                lambda z, loss, x, y: (z, None if y is None else loss * y.numel())
            )
        },
    ),
    "as many steps as it likes": (
        "After one step the model knows what only many can teach: count the steps.",
        {"count": lambda steps: 60 if steps else 0},
    ),
    "no config": (
        "The model has no config that says its block_size.",
        {"ready": _without_config},
    ),
    "blown up": (
        "The numbers are not finite: the rate is too large.",
        {"ready": _answering(lambda z, loss, x, y: (z * math.nan, loss))},
    ),
    "the loss returned": (
        "Return the trained model, and not its loss.",
        {"out": lambda model, loss: 2.0},
    ),
    "both returned": (
        "Return the trained model alone.",
        {"out": lambda model, loss: (model, loss)},
    ),
    "ids changed": (
        "The text that was passed in is changed: work on a copy.",
        {"touch": _zeroed_ids},
    ),
}
for _name, (_sentence, _options) in _RACES.items():
    speedrun.mistake(_name, _sentence)(_racing(**_options))

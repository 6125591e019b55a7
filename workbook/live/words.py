"""A run in words: one sentence, the numbers of the moment, a table of the layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbook.live.scene import percent, short, tiny, trouble
from workbook.style import number

if TYPE_CHECKING:
    from workbook.live.recorder import Series
    from workbook.live.run import Run

Numbers = list[tuple[str, str]]  # (what, how much)


def title(run: Run) -> str:
    """What the picture claims: the author's title, or what happened."""
    if run.title and run.state in ("ready", "running", "paused", "finished"):
        return run.title
    return sentence(run)


def sentence(run: Run) -> str:
    """Where the run is, and what became of its loss."""
    loss = _loss(run)
    at = f"step {run.step:,}"
    match run.state:
        case "ready":
            return f"{run.steps:,} steps to go"
        case "running":
            return f"Training{loss}" if loss else "Training"
        case "paused":
            return f"Paused before {at}{loss}"
        case "finished":
            return f"{run.steps:,} steps{loss}"
        case "failed":
            return f"{run.reason} at {at}{loss}"
        case state:
            return f"{state.capitalize()} at {at}{loss}"


def _loss(run: Run) -> str:
    series = run.recorder.series["loss"]
    if not series.buckets or series.first is None:
        return ""
    if series.trouble:
        return f": loss {trouble(run, 'loss')}"
    begun, now = short(series.first[1]), short(series.now)
    return f": loss {begun} to {now}" if begun != now else f": loss {now}"


def numbers(run: Run) -> Numbers:
    """The numbers of the moment, in the order in which one reads them."""
    recorder = run.recorder
    found = [("step", f"{recorder.done:,} of {run.steps:,}")]
    for name, series in recorder.series.items():
        if series.buckets:
            found.append((name + _when(run, series), short(series.now, 4)))
    if (rate := learning_rate(run)) is not None:
        found.append(("learning rate", number(rate, 3)))
    return found + clock(run)


def _when(run: Run, series: Series) -> str:
    """ " at step 2,000", where a run has ended and this number is from before."""
    step = series.last[0] if series.last else run.done
    return f" at step {step:,}" if run.over and step < run.done - run.every else ""


def clock(run: Run) -> Numbers:
    """Steps per second and the time left; in the end, the time taken."""
    recorder = run.recorder
    if run.over:
        return [("took", duration(recorder.elapsed))]
    if not recorder.rate:
        return []
    speed = number(recorder.rate, 3 if recorder.rate < 100 else 2)
    return [("steps per second", speed), ("left", duration(recorder.left))]


def learning_rate(run: Run) -> float | None:
    """The learning rate of the step, where it is a number."""
    try:
        return float(run.lr)
    except (TypeError, ValueError):
        return None


def table(run: Run) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows: each layer and each of its parameters, at the last look."""
    header = ("", "mean", "std", "stuck", "gradient std", "log10 update/data")
    rows = []
    for layer in run.seen.layers if run.seen else ():
        if layer.output:
            s = layer.output.spread
            stuck = "" if s.stuck is None else percent(s.stuck)
            rows.append((layer.name, short(s.mean), short(s.std), stuck, "", ""))
        for p in layer.parameters:
            grad = tiny(p.gradient.spread.std) if p.gradient else ""
            ratio = "" if p.ratio is None else f"{p.ratio:.2f}"
            rows.append((p.name, "", short(p.std), "", grad, ratio))
    return header, rows


def duration(seconds: float) -> str:
    """A time in at most two units: 0.8 s, 42 s, 3 min 20 s, 2 h 5 min."""
    if not math.isfinite(seconds):
        return "?"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return (
            f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{whole // 60} min"
        )
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def text(run: Run) -> str:
    """Everything at once, for those who do not see the picture."""
    lines = [title(run)]
    lines += ["  ".join(f"{what} {value}" for what, value in numbers(run))]
    lines += [f"{name}: {value:g}" for name, value in run.references.items()]
    return "\n".join(lines)

"""The still picture of a run: matplotlib, no display, no state left behind."""

from __future__ import annotations

import math
import struct
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from workbook import style
from workbook.live import scene, words
from workbook.live.panels import FEW, apart, fit, fit_end, stuck_told
from workbook.live.scene import TARGET, Losses, Rows, Stuck, Updates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbook.live.run import Run

WIDTH, TOP, LOSS, OTHER = 7.0, 0.32, 2.5, 2.35  # inches
DPI = 200
ON_PAGE = 100  # pixels an inch has on a page

Box = tuple[float, float, float, float]
ASIDE = 22  # letters of a reference's name and number beside the picture
Tip = tuple[str, str, float, float]  # a name, its colour, and where it points: x, y

COLOURS = {
    "train": style.TRAIN,
    "valid": style.VALID,
    "forward": style.FORWARD,
    "backward": style.BACKWARD,
    "positive": style.POSITIVE,
    "reference": style.REFERENCE,
}


def png(run: Run, look: scene.Look | None = None) -> bytes:
    """The picture as a PNG."""
    return _png(figure(run, look))


def size(picture: bytes) -> dict[str, int]:
    """Width and height of a PNG on a page, in pixels."""
    wide, high = struct.unpack(">II", picture[16:24])
    return {"width": wide * ON_PAGE // DPI, "height": high * ON_PAGE // DPI}


def figure(run: Run, look: scene.Look | None = None) -> Figure:
    """A figure with the panels of the run, its title the claim."""
    import matplotlib
    from matplotlib.figure import Figure

    look = look or scene.Look(log=run.log_axis)
    drawn = _scenes(run, look)
    rows = _layout(drawn)
    high = TOP + sum(LOSS if row == ["loss"] else OTHER for row in rows)
    with matplotlib.rc_context(style.LOOK | {"figure.constrained_layout.use": False}):
        made = Figure(figsize=(WIDTH, high), facecolor="white")
        made.text(
            0.1 / WIDTH, 1 - 0.24 / high, words.title(run), weight="bold", size=11
        )
        top = TOP
        for row in rows:
            for i, name in enumerate(row):
                box = _box(name, i, len(row))
                ax = made.add_axes(_share(box, top, high))
                _DRAW[name](ax, drawn[name])
            top += LOSS if row == ["loss"] else OTHER
    return made


def _box(name: str, place: int, beside: int) -> Box:
    """Left, top, width and height of a panel's axes in its row, in inches."""
    left = place * WIDTH / 2
    if name == "loss":
        return 0.55, 0.1, WIDTH - 1.95, LOSS - 0.6
    if name == "updates":
        wide = WIDTH - 1.9 if beside == 1 else WIDTH / 2 - 1.75
        return left + 0.55, 0.3, wide, OTHER - 0.8
    if name == "saturation":
        return left + 0.2, 0.46, WIDTH / 2 - 0.5, OTHER - 0.84
    return left + 0.95, 0.42, 1.2, OTHER - 0.8


def _share(box: Box, top: float, high: float) -> Box:
    """The same box as shares of the figure, counted from below."""
    left, down, wide, tall = box
    return left / WIDTH, 1 - (top + down + tall) / high, wide / WIDTH, tall / high


def _scenes(run: Run, look: scene.Look) -> dict[str, Any]:
    made = {
        "loss": scene.losses(run, look),
        "activations": scene.activations(run.seen, look),
        "gradients": scene.gradients(run.seen, look),
        "saturation": scene.saturation(run.seen, look),
        "updates": scene.updates(run, look),
    }
    wanted = run.panels or made.keys() - {"saturation"}
    shown = {name: it for name, it in made.items() if it and name in wanted}
    return shown or {"loss": made["loss"]}


def _layout(drawn: dict[str, Any]) -> list[list[str]]:
    """The loss above; then two beside each other, and a third alone."""
    others = [name for name in drawn if name != "loss"]
    rows = [["loss"]] if "loss" in drawn else []
    return rows + [others[i : i + 2] for i in range(0, len(others), 2)]


def _png(made: Figure) -> bytes:
    """The figure in 128 colours: a third of the bytes, and nobody sees it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    made.set_dpi(DPI)
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    few = pixels.convert("RGB").quantize(
        128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    colours, paper = few.getpalette() or [], 3 * few.getpixel((0, 0))
    few.putpalette([*colours[:paper], 255, 255, 255, *colours[paper + 3 :]])
    file = BytesIO()
    few.save(file, format="png")
    return file.getvalue()


def _loss(ax: Axes, it: Losses) -> None:
    if it.log:
        ax.set_yscale("log")
        low, high = 10 ** it.ylim[0], 10 ** it.ylim[1]
        steps = [m * 10.0**e for e in range(-9, 9) for m in (1, 2, 3, 5)]
        shown = [value for value in steps if low <= value <= high]
        if 2 <= len(shown) <= 12:  # else the powers of ten that matplotlib writes
            ax.set_yticks(shown, [f"{value:g}" for value in shown])
            ax.minorticks_off()
        ax.set_ylim(low, high)
    else:
        ax.set_ylim(it.ylim)
    ax.set(xlim=it.xlim, xlabel="step", ylabel="loss")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    if it.band:
        x, low, high = zip(*it.band, strict=True)
        ax.fill_between(x, low, high, color=style.TRAIN, alpha=0.08, linewidth=0)
    if it.cloud:
        large = len(it.cloud) <= FEW
        ax.scatter(
            *zip(*it.cloud, strict=True),
            s=9 if large else 4,
            color=style.TRAIN,
            alpha=0.5 if large else 0.25,
            linewidths=0,
        )
    _label(ax, [*_lines(ax, it), *_references(ax, it)])
    _marks(ax, it)


def _references(ax: Axes, it: Losses) -> list[Tip]:
    """Grey lines at the heights to compare with, as far as they can be seen."""
    (low, high), right = ax.get_ylim(), it.xlim[1]
    seen = [(name, value) for name, value in it.references if low <= value <= high]
    for _, value in seen:
        style.reference_line(ax, value)
    named = [(name, style.number(value, 4), value) for name, value in seen]
    return [
        (f"{_begun(name, ASIDE - len(told))} {told}".strip(), style.SOFT, right, value)
        for name, told, value in named
    ]


def _begun(name: str, room: int) -> str:
    """A name, or its beginning where the room is short."""
    return name if len(name) <= room else f"{name[: room - 1].rstrip(' ,')}…"


def _lines(ax: Axes, it: Losses) -> list[Tip]:
    """The curves; what each is called, and where it ends."""
    tips: list[Tip] = []
    for line in it.lines:
        dash = "-" if line.name == "train" else style.DASHED
        ring = line.name != "train" and len(line.points) <= FEW
        x, y = zip(*line.points, strict=True)
        ax.plot(
            x,
            y,
            color=COLOURS[line.colour],
            linestyle=dash,
            marker="o" if ring else None,
            markersize=3.5,
            markerfacecolor="white",
        )
        finite = [p for p in line.points if math.isfinite(p[1])]
        if finite:
            tips.append((line.end, COLOURS[line.colour], *finite[-1]))
    return tips


def _label(ax: Axes, tips: list[Tip], fits: int = 30) -> None:
    """A name at the end of each line, none on top of another."""
    if not tips:
        return
    to_pixels = ax.transData.transform
    tips = sorted(tips, key=lambda tip: -tip[3])
    high = ax.figure.get_figheight() * ax.figure.dpi
    ys = [high - to_pixels((x, y))[1] for _, _, x, y in tips]
    placed = apart(ys, min(ys), max([*ys, high]))
    right = max(x for _, _, x, _ in tips)
    for (name, colour, _, y), was, now in zip(tips, ys, placed, strict=True):
        label = style.label_line(ax, (right, y), fit_end(name, fits), colour)
        label.xyann = (5, (was - now) * 72 / ax.figure.dpi)
        label.set_fontsize(8.5)
        if colour == style.SOFT:  # a line to compare with, and no curve
            label.set(fontsize=8, fontweight="normal")


def _marks(ax: Axes, it: Losses) -> None:
    """What was steered, what went wrong, where the loop was left."""
    for event in it.events:
        colour = {"above": style.SOFT, "end": style.INK}.get(event.kind, style.BACKWARD)
        if event.kind in ("turn", "end"):
            dash = ":" if event.kind == "turn" else "-"
            ax.axvline(event.step, color=colour, linewidth=0.9, linestyle=dash)
        ax.annotate(
            f"× {event.words}" if event.kind == "trouble" else event.words,
            (event.step, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if event.late else 4, -8 - 9.5 * event.level),
            textcoords="offset points",
            ha="right" if event.late else "left",
            fontsize=8,
            fontweight="bold" if event.kind == "end" else "normal",
            color=colour,
        )


def _rows(ax: Axes, it: Rows, title: str, colour: str) -> None:
    ax.set_title(title, color=colour)
    tall = [3 if row.picked else 1 for row in it.rows]
    bases = list(accumulate(tall))
    ax.set(xlim=it.limits, ylim=(bases[-1], 0), yticks=[])
    low, high = it.limits
    ax.set_xticks([low, high] if low == 0 else [low, 0, high])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.axvline(0, color="#DDDDDD", linewidth=0.8, zorder=0)
    for row, base, many in zip(it.rows, bases, tall, strict=True):
        base, wide = base - 0.08, (high - low) / max(1, len(row.heights))
        x = [low + wide * (k + 0.5) for k in range(len(row.heights))]
        top = [base - (many - 0.18) * h for h in row.heights]
        ax.fill_between(x, base, top, step="mid", color=colour, alpha=0.6, linewidth=0)
        _cell(ax, -0.03, base - 0.3, fit(row.name, 16), "right")
        for x, cell in zip(_columns(it), row.cells, strict=True):
            _cell(ax, x, base - 0.3, cell, "right")
    for x, name in zip(_columns(it), it.header, strict=True):
        ax.text(
            x, 1.02, name, transform=ax.transAxes, ha="right", size=7,
            color=style.SOFT,
        )  # fmt: skip


def _columns(it: Rows) -> tuple[float, ...]:
    """Where the numbers beside the histograms end, in widths of the axes."""
    return (1.3, 1.53, 2.0) if len(it.header) > 2 else (1.43, 1.82)


def _cell(ax: Axes, x: float, y: float, text: str, align: str) -> None:
    ax.text(
        x,
        y,
        text.replace("-", "−") if align == "right" and x > 0 else text,
        transform=ax.get_yaxis_transform(),
        ha=align,
        va="center",
        size=7.5,
    )


def _saturation(ax: Axes, it: Stuck) -> None:
    ax.set_title(f"Saturation: {fit(it.name, 18)}", color=style.FORWARD, pad=16)
    ax.imshow(it.cells, cmap="Greys", vmin=0, vmax=1.15, aspect="auto")
    ax.spines[:].set_visible(True)
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(
        f"units 1 to {len(it.cells[0])} across, {len(it.cells)} examples down"
    )
    ax.text(0, 1.03, stuck_told(it), transform=ax.transAxes, size=7, color=style.SOFT)


def _updates(ax: Axes, it: Updates) -> None:
    ax.set_title("Updates : data, log10", color=style.BACKWARD)
    ax.set(xlim=it.xlim, ylim=it.ylim, xlabel="step")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    style.reference_line(ax, TARGET)
    ax.text(
        0.995, TARGET - 0.04, "−3: a rule of thumb", transform=ax.get_yaxis_transform(),
        ha="right", va="top", size=8, color=style.SOFT,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
    )  # fmt: skip
    for i, line in enumerate(it.lines):
        dash = ("-", (0, (4, 2)), (0, (1, 2)), (0, (5, 2, 1, 2)))[i % 4]
        ax.plot(
            *zip(*line.points, strict=True),
            color=style.BACKWARD,
            alpha=0.8,
            linewidth=1.2,
            linestyle=dash,
        )
    _label(ax, [(x.end, COLOURS[x.colour], *x.points[-1]) for x in it.lines], 20)


_DRAW = {
    "loss": _loss,
    "activations": lambda ax, it: _rows(ax, it, "Activations", style.FORWARD),
    "gradients": lambda ax, it: _rows(ax, it, "Gradients", style.BACKWARD),
    "saturation": _saturation,
    "updates": _updates,
}

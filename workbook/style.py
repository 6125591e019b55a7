"""One look for every figure of the course: a colour means something, and keeps it.

Blue is what flows forward, vermilion what flows back, grey what we compare with.
No colour stands alone: a dash, a marker or a word says the same in a grey print.
Nothing here loads matplotlib before a figure is asked for.

    style.use()
    fig, ax = style.figure("wide")
    (line,) = ax.plot(losses, color=style.TRAIN)
    style.label_line(ax, line, "train")
    style.reference_line(ax, 3.2958, "uniform")
    ax.set_title("The model beats the uniform guess after 40 steps")
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

FORWARD = "#0072B2"  # data, activations: what flows forward
BACKWARD = "#D55E00"  # gradients, and what the learner changes
TRAIN = "#222222"  # training split, solid
VALID = "#009E73"  # validation split, dashed
REFERENCE = "#8A8A8A"  # what we compare with: expected, uniform, before
POSITIVE = "#E69F00"  # the orange end of SIGNED; its blue end is FORWARD
SIGNED = "workbook.signed"  # colour map: blue (-), white (0), orange (+)
AMOUNT = "workbook.amount"  # colour map: white (none) to blue (much)
DASHED = (0, (4, 2))  # the validation split's line style

INK = "#222222"
SOFT = "#5F5F5F"
SIZES = {  # inches, by name: a lesson never writes figsize
    "wide": (6.0, 2.6),
    "square": (3.0, 3.0),
    "tall": (3.0, 4.0),
    "pair": (6.0, 2.8),
}
FONTS = ("Inter", "Helvetica Neue", "Segoe UI", "Arial", "Liberation Sans")
WRITE_IN = 12  # a matrix up to 12 x 12 shows its numbers

LOOK = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.labelsize": 9,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": "#9A9A9A",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "lines.markersize": 5,
    "legend.frameon": False,
    "image.interpolation": "nearest",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "figure.dpi": 110,
    "savefig.dpi": 220,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
}


def use() -> None:
    """Give every figure of this kernel the course's look, sharp on any screen."""
    import matplotlib
    from cycler import cycler

    _colour_maps()
    matplotlib.rcParams.update(LOOK)
    matplotlib.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": _installed_fonts(),
            "axes.prop_cycle": cycler(
                color=[FORWARD, BACKWARD, VALID, POSITIVE, REFERENCE, TRAIN]
            ),
        }
    )
    _sharp_in_notebooks()


def words_of(figure: Figure) -> str:
    """What a figure claims and what its axes count, for those who do not see it."""
    told = []
    for ax in figure.axes:
        title = next(
            (t for at in ("left", "center", "right") if (t := ax.get_title(at))), ""
        )
        axes = " against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
        told += [words.replace("\n", " ") for words in (title, axes) if words]
    if figure.get_suptitle():
        told.insert(0, figure.get_suptitle())
    return ". ".join(dict.fromkeys(told)) or "A figure without a title"


def figure(size: str = "wide") -> tuple[Figure, Any]:
    """A new figure of a size with a name, and its axes.

    "wide" 6.0 x 2.6 in, "square" 3.0 x 3.0, "tall" 3.0 x 4.0; "pair" gives two axes
    side by side with the same limits, before on the left, after on the right.
    Raises ValueError for any other name.
    """
    if size not in SIZES:
        raise ValueError(f"no figure size {size!r}: choose one of {', '.join(SIZES)}")
    import matplotlib.pyplot as plt

    _colour_maps()
    columns = 2 if size == "pair" else 1
    return plt.subplots(1, columns, figsize=SIZES[size], sharex=True, sharey=True)


def reference_line(ax: Axes, y: float, label: str = "") -> Line2D:
    """A thin grey dashed line at height `y`, its name at the right end above it."""
    line = ax.axhline(y, color=REFERENCE, linewidth=1, linestyle=DASHED, zorder=1)
    if label:
        ax.annotate(
            label,
            xy=(1, y),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 3),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
            color=SOFT,
        )
    return line


def label_line(
    ax: Axes, where: Line2D | tuple[float, float], text: str, color: str | None = None
) -> Annotation:
    """Write `text` at the end of a line, or at a point (x, y), in the line's colour."""
    x, y = where if isinstance(where, tuple) else _last_point(where)
    if color is None:
        color = INK if isinstance(where, tuple) else where.get_color()
    return ax.annotate(
        text,
        xy=(x, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontweight="bold",
        fontsize=9,
        annotation_clip=False,
    )


def matrix(
    ax: Axes,
    values: Any,
    kind: str = "signed",
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> AxesImage:
    """Draw a matrix (R, C) as coloured cells; up to 12 x 12 the numbers are written in.

    "signed": blue, white at zero, orange, the same limits on both sides.
    "amount": white to blue, for counts and probabilities.
    `rows` and `columns` name the cells. Raises ValueError for another kind or shape.
    """
    grid = _as_rows(values)
    low, high = _limits(grid, kind)
    cmap = SIGNED if kind == "signed" else AMOUNT
    _colour_maps()
    image = ax.imshow(grid, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    _bare_cells(ax, grid, rows, columns)
    if max(len(grid), len(grid[0])) <= WRITE_IN:
        _write_in(ax, grid, image)
    return image


def number(value: float, digits: int = 5) -> str:
    """A number as prose shows it: `digits` significant ones, no empty zeros.

    >>> number(3.295836866004329), number(228146), number(-0.5), number(1e-12)
    ('3.2958', '228,146', '-0.5', '1e-12')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if value != value or abs(value) == float("inf"):
        return str(value)
    if value and not 1e-4 <= abs(value) < 1e7:
        return _scientific(value, digits)
    whole = len(str(int(abs(value))))
    small = f"{value:.{digits}g}" if abs(value) < 1 else ""
    text = small or f"{value:,.{max(0, digits - whole)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def _installed_fonts() -> list[str]:
    """Our fonts that this machine has: matplotlib complains about each it lacks."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in FONTS if name in installed] + ["DejaVu Sans"]


def _sharp_in_notebooks() -> None:
    """Two pixels a point, and words beside each figure, where the backend is inline."""
    import sys

    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib.figure import Figure
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("retina")
    formatters = shell.display_formatter.formatters
    draw = formatters["image/png"].lookup_by_type(Figure)

    def told(figure: Figure) -> Any:
        drawn = draw(figure)
        if not isinstance(drawn, tuple):  # nothing in it
            return drawn
        picture, sizes = drawn
        return picture, {**sizes, "alt": words_of(figure)}

    formatters["image/png"].for_type(Figure, told)
    formatters["text/plain"].for_type(
        Figure, lambda figure, printer, cycle: printer.text(words_of(figure))
    )


def _colour_maps() -> None:
    """Make SIGNED and AMOUNT known to matplotlib, once a process."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if SIGNED in colormaps:
        return
    stops = {SIGNED: [FORWARD, "#FFFFFF", POSITIVE], AMOUNT: ["#FFFFFF", FORWARD]}
    for name, colours in stops.items():
        colormaps.register(LinearSegmentedColormap.from_list(name, colours))


def _last_point(line: Line2D) -> tuple[float, float]:
    x, y = line.get_xdata(), line.get_ydata()
    return float(x[-1]), float(y[-1])


def _as_rows(values: Any) -> list[list[float]]:
    """A list of lists, from a tensor, an array or a list of lists."""
    grid = values.tolist() if hasattr(values, "tolist") else values
    flat = not len(grid) or not isinstance(grid[0], (list, tuple))
    if flat or isinstance(grid[0][0], (list, tuple)):
        raise ValueError("matrix() draws two dimensions: rows of numbers")
    return grid


def _limits(grid: list[list[float]], kind: str) -> tuple[float, float]:
    """Colour limits: symmetric around zero, or from zero up."""
    if kind not in ("signed", "amount"):
        raise ValueError(f'a matrix is "signed" or "amount", not {kind!r}')
    high = max(abs(value) for row in grid for value in row) or 1.0
    return (-high if kind == "signed" else 0.0), high


def _bare_cells(ax: Axes, grid: list[list[float]], rows: Any, columns: Any) -> None:
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.set_xticks(range(len(grid[0])) if columns else [], columns or [])
    ax.set_yticks(range(len(grid)) if rows else [], rows or [])


def _write_in(ax: Axes, grid: list[list[float]], image: AxesImage) -> None:
    """Each number in its cell, white where the cell is dark."""
    columns = len(grid[0])
    size = 9 if columns <= 6 else 7 if columns <= 9 else 6
    for row, column in product(range(len(grid)), range(columns)):
        value = grid[row][column]
        red, green, blue, _ = image.cmap(image.norm(value))
        dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.55
        colour = "white" if dark else INK
        words = _in_cell(value, columns)
        ax.text(column, row, words, ha="center", va="center", color=colour, size=size)


def _in_cell(value: float, columns: int) -> str:
    """A number as short as the cells are narrow, with a true minus sign."""
    narrow = columns > 6 and isinstance(value, float)
    return number(round(value, 2) if narrow else value, 3).replace("-", "−")

"""The front page: where the learner stands, the path, the links; as HTML and as words.

start.py calls the `show_…` functions. In Jupyter each shows HTML whose links open in
the same window; without a reader each prints its words. What can change (the overview
and the tracker) stays current while the page's kernel runs: see frontlive.py.

`still(name)` is what one of them shows, without a kernel: `make lab` puts it into the
page, so that it greets with the state of today before anything has run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from workbook import headless
from workbook.course import Lesson, Stage, course, root
from workbook.explore.page import SHEET, publish_still
from workbook.tracker import (
    NOT_YET,
    PASSED,
    RECHECK,
    Box,
    Overview,
    Standing,
    Step,
    duration,
    overview,
)

FRONT = """<style>
.wb-x.wb-f{max-width:860px}
.wb-f a,.jp-RenderedHTMLCommon .wb-f a{color:var(--wb-forward);text-decoration:none}
.wb-f a:hover,.wb-f a:focus-visible{text-decoration:underline}
.wb-f p{margin:0}
.wb-f .wb-soft,.wb-f .wb-eyebrow{color:var(--wb-soft)}
.wb-f .wb-eyebrow{font-size:12px;letter-spacing:.04em}
.wb-f .wb-card{border:1px solid var(--wb-faint);border-left:4px solid var(--wb-forward);
border-radius:4px;padding:14px 18px 16px;margin:4px 0 18px}
.wb-f .wb-card .wb-what{font-size:19px;font-weight:600;line-height:1.35;margin:2px 0}
.wb-f .wb-go{display:flex;flex-wrap:wrap;gap:8px 22px;align-items:center;
margin-top:12px}
.wb-f .wb-go a:first-child,.jp-RenderedHTMLCommon .wb-f .wb-go a:first-child{
background:#0072b2;color:#fff;padding:5px 14px;border-radius:4px;font-weight:600}
.wb-f .wb-note{border-left:3px solid var(--wb-positive);padding:2px 12px;
margin:0 0 12px}
.wb-f .wb-lesson{display:grid;grid-template-columns:26px minmax(0,1fr) 180px 190px;
gap:0 14px;align-items:center;padding:8px 0;border-top:1px solid var(--wb-faint)}
.wb-f .wb-lesson:last-of-type{border-bottom:1px solid var(--wb-faint)}
.wb-f .wb-number{color:var(--wb-soft);font-variant-numeric:tabular-nums;
font-size:16px;text-align:right}
.wb-f .wb-name{font-weight:600}
.wb-f .wb-coming .wb-name{font-weight:400;color:var(--wb-soft)}
.wb-f .wb-ask,.wb-f .wb-said{font-size:13px;color:var(--wb-soft)}
.wb-f .wb-said span{white-space:nowrap}
.wb-f .wb-bar{display:flex;gap:3px;align-items:flex-end;height:14px;margin-bottom:3px}
.wb-f .wb-bar i{display:block;flex:0 1 9px;border-radius:1px;box-sizing:border-box}
.wb-f .wb-bar .wb-passed{height:14px;background:var(--wb-valid)}
.wb-f .wb-bar .wb-notyet{height:8px;background:var(--wb-backward)}
.wb-f .wb-bar .wb-recheck{height:14px;border:2px solid var(--wb-valid)}
.wb-f .wb-bar .wb-open{height:3px;background:var(--wb-reference);opacity:.55}
.wb-f .wb-links{display:flex;gap:4px 14px;flex-wrap:wrap;justify-content:flex-end}
.wb-f .wb-foot{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13px;
color:var(--wb-soft);margin-top:10px}
.wb-f .wb-current{margin:-4px 0 12px}
.wb-f .wb-grid{overflow:hidden}.wb-f .wb-row{max-width:100%;box-sizing:border-box}
.wb-f .wb-grid{display:grid;gap:16px 34px;
grid-template-columns:repeat(auto-fill,minmax(255px,1fr))}
.wb-f h4,.jp-RenderedHTMLCommon .wb-f h4{font-size:14px;font-weight:600;
font-style:normal;line-height:1.35;margin:0 0 3px;padding:0;color:var(--wb-ink)}
.wb-f ul,.jp-RenderedHTMLCommon .wb-f ul{list-style:none;margin:0;padding:0}
.wb-f li{margin:0 0 3px;padding:0}
.wb-f .wb-list li{margin-bottom:8px;line-height:1.35}
.wb-f .wb-box{display:grid;grid-template-columns:20px 1fr;line-height:1.7}
.wb-f .wb-box b{font-weight:400;color:var(--wb-soft);font-size:15px;line-height:1.5}
.wb-f .wb-box.wb-done b{color:var(--wb-valid)}
.wb-f .wb-stage{display:grid;grid-template-columns:96px minmax(0,1fr);gap:0 18px;
border-top:1px solid var(--wb-faint);padding:10px 0}
.wb-f .wb-part{font-size:13px;color:var(--wb-soft)}
.jp-CodeCell:has(.wb-f) .jp-InputPlaceholder{opacity:0;margin-bottom:-8px}
.jp-CodeCell:has(.wb-f):hover .jp-InputPlaceholder{opacity:.7}
@media(max-width:900px){.wb-f .wb-lesson{grid-template-columns:26px minmax(0,1fr)}
.wb-f .wb-lesson>:nth-child(n+3){grid-column:2;justify-content:flex-start}}
</style>"""

RUN = "Run ▸ Run All Cells keeps this page current and lets you tick its boxes"
_MARKS = {PASSED: "wb-passed", NOT_YET: "wb-notyet", RECHECK: "wb-recheck"}


# --- What start.py calls --------------------------------------------------------


def show_overview() -> None:
    """Where you stand: the next step, and each lesson with its links."""
    _show("show_overview")


def show_tracker() -> None:
    """The tracker; an item that no exercise ticks has a box to tick."""
    _show("show_tracker")


def show_path() -> None:
    """The weeks of the course, and what to bring along."""
    _show("show_path")


def show_tips() -> None:
    """How to work through a lesson."""
    _show("show_tips")


def show_links() -> None:
    """Companion repositories, papers, further reading, and whom we owe the course."""
    _show("show_links")


def still(name: str, now: Overview | None = None) -> dict[str, str]:
    """What `show_overview` and its like show, as a MIME bundle; no kernel needed.

    Raises KeyError for a name that the front page does not have.
    """
    html, text = FACES[name]
    now = now or overview()
    return {"text/html": html(now), "text/plain": text(now)}


def _show(name: str) -> None:
    bundle = still(name)
    if headless():
        print(bundle["text/plain"])
    elif name in ("show_overview", "show_tracker"):
        from workbook import frontlive

        frontlive.show(name)
    else:
        publish_still(bundle["text/html"], bundle["text/plain"])


# --- The overview ---------------------------------------------------------------


def overview_html(now: Overview, live: bool = False) -> str:
    """The next step as a card, then a line for each lesson."""
    notes = "".join(f'<p class="wb-note">{escape(note)}</p>' for note in now.notes)
    lessons = "".join(_lesson(one) for one in now.standings)
    current = _current(now, live)
    return _page(notes + _card(now) + current + f"<div>{lessons}</div>" + _foot(now))


def _page(body: str) -> str:
    return f'{SHEET}{FRONT}<div class="wb-x wb-f">{body}</div>'


def _card(now: Overview) -> str:
    one, step = now.current, now.next
    if one is None or step is None:
        return _card_of("All done", "Every exercise that is written has passed.", "")
    word = "Next" if any(other.touched for other in now.standings) else "Start here"
    where = f"{word} · lesson {one.lesson.number}, {one.lesson.title}"
    lecture, video = _lecture(one.lesson, "Read the lecture"), _video(one.lesson)
    exercise = _exercise(one.lesson, step)
    if not one.touched:
        title, go = one.lesson.question, (lecture, video, exercise)
    else:
        title, go = _title(step), (exercise, lecture, video)
    return _card_of(where, title, "".join(go))


def _card_of(where: str, title: str, go: str) -> str:
    links = f'<div class="wb-go">{go}</div>' if go else ""
    return (
        f'<div class="wb-card"><p class="wb-eyebrow">{escape(where)}</p>'
        f'<p class="wb-what">{escape(title)}</p>{links}</div>'
    )


def _title(step: Step) -> str:
    """Name and minutes, and why it is asked where that needs saying."""
    why = {NOT_YET: " · not yet right", RECHECK: " · its check has changed"}
    minutes = f" · {duration(step.minutes)}" if step.minutes else ""
    return step.title + minutes + why.get(step.state, "")


def _lesson(one: Standing) -> str:
    lesson = one.lesson
    kind = "" if one.written else " wb-coming"
    return (
        f'<div class="wb-lesson{kind}"><span class="wb-number">{lesson.number}</span>'
        f'<div><div class="wb-name">{escape(lesson.title)}</div>'
        f'<div class="wb-ask">{escape(lesson.question)}</div></div>'
        f"<div>{_bar(one)}{_said(one)}</div>"
        f'<div class="wb-links">{_lecture(lesson)}{_exercise(lesson)}'
        f"{_link(lesson.video, 'Video')}</div></div>"
    )


def _bar(one: Standing) -> str:
    """One mark an exercise; height and outline say the state, colour repeats it."""
    if not one.written:
        return ""
    marks = "".join(
        f'<i class="{_MARKS.get(step.state, "wb-open")}" '
        f'title="{escape(step.name)}: {step.state}"></i>'
        for step in one.steps
    )
    return f'<div class="wb-bar" aria-hidden="true">{marks}</div>'


def _said(one: Standing) -> str:
    """As in "3 of 12, 1 not yet · 40 min left", each part unbroken."""
    left = f"{duration(one.minutes_left)} left" if one.minutes_left else ""
    parts = (f"<span>{part}</span>" for part in (one.said(""), left) if part)
    return f'<div class="wb-said">{" · ".join(parts)}</div>'


def _current(now: Overview, live: bool) -> str:
    """How old the page is, and how it keeps up."""
    kept = "kept current while this page's kernel runs" if live else RUN
    at = f"as of {now.at:%H:%M}, {now.at.day} {now.at:%B}"
    return f'<div class="wb-foot wb-current"><span>{at} · {kept}</span></div>'


def _foot(now: Overview) -> str:
    return f'<div class="wb-foot"><span>{escape(now.summary)}</span></div>'


# --- The tracker ----------------------------------------------------------------


def tracker_html(now: Overview) -> str:
    """Every item under its lesson, ticked or not."""
    blocks = "".join(_block(one) for one in now.standings)
    return _page(f'<p class="wb-note">{RUN}</p><div class="wb-grid">{blocks}</div>')


def tracker_sheet(said: str = "") -> str:
    """The style of the live tracker, and a sentence where something went wrong."""
    note = f'<p class="wb-note">{escape(said)}</p>' if said else ""
    return f"{SHEET}{FRONT}{note}"


def _block(one: Standing) -> str:
    items = "".join(f"<li>{box_html(box)}</li>" for box in one.boxes)
    return f"<div>{lesson_heading(one.lesson)}<ul>{items}</ul></div>"


def lesson_heading(lesson: Lesson) -> str:
    return f"<h4>{lesson.number} · {escape(lesson.title)}</h4>"


def box_html(box: Box) -> str:
    """An item with its box; one that ticks itself says how far it is."""
    mark, word = ("☑", "done") if box.ticked else ("☐", "to do")
    count = f' <span class="wb-soft">{box.count}</span>' if _is_begun(box) else ""
    done = " wb-done" if box.ticked else ""
    return (
        f'<div class="wb-box{done}"><b role="img" aria-label="{word}">{mark}</b>'
        f"<span>{escape(box.item.text)}{count}</span></div>"
    )


def _is_begun(box: Box) -> bool:
    return bool(box.done) and not box.ticked


def _tracker_text(now: Overview) -> str:
    return "\n\n".join(_block_text(one) for one in now.standings)


def _block_text(one: Standing) -> str:
    title = f"{one.lesson.number}  {one.lesson.title}"
    rows = [f"   [{'x' if b.ticked else ' '}] {b.item.text}" for b in one.boxes]
    return "\n".join([title, *rows])


# --- The path -------------------------------------------------------------------


def path_html(now: Overview) -> str:
    """What to bring along, then the stretches of the course."""
    stages = "".join(_stage(stage) for stage in course().path)
    return _page(_before() + stages)


def _stage(stage: Stage) -> str:
    known = {one.slug: one for one in course().lessons}
    lessons = " · ".join(_named(known[slug]) for slug in stage.lessons)
    return (
        f'<div class="wb-stage"><div>{_weeks(stage)}</div><div>'
        f'<div class="wb-part">Part {stage.part}, {escape(stage.part_title)}</div>'
        f"<div>{lessons}</div><div>{escape(stage.goal)}</div></div></div>"
    )


def _weeks(stage: Stage) -> str:
    first, _, last = stage.weeks.partition("-")
    return f"Weeks {first} to {last}" if last else f"Week {first}"


def _named(lesson: Lesson) -> str:
    words = f"{lesson.number} {lesson.title}"
    return _lecture(lesson, words) or escape(words)


def _before() -> str:
    return (
        '<div class="wb-stage"><div>To begin</div><div>'
        f'<div>{_needed()}</div><div class="wb-soft">{_helpful()}</div></div></div>'
    )


def _needed() -> str:
    return f"You need {'; '.join(course().prerequisites.needed)}."


def _helpful() -> str:
    return f"Helpful: {'; '.join(course().prerequisites.helpful)}."


def _path_text(now: Overview) -> str:
    lines = [_needed(), _helpful()]
    for stage in course().path:
        lines += [f"{_weeks(stage)}: part {stage.part}, {stage.part_title}"]
        lines += [f"   {_titles(stage)}", f"   {stage.goal}"]
    return "\n".join(lines)


def _titles(stage: Stage) -> str:
    known = {one.slug: one for one in course().lessons}
    return "; ".join(f"{known[s].number} {known[s].title}" for s in stage.lessons)


# --- Tips and links -------------------------------------------------------------


def tips_html(now: Overview) -> str:
    """One block a tip."""
    blocks = "".join(
        f"<div><h4>{_tip_name(tip.name)}</h4><p>{escape(tip.text)}</p></div>"
        for tip in course().tips
    )
    return _page(f'<div class="wb-grid">{blocks}</div>')


def _tip_name(name: str) -> str:
    """The tip that names the Discord leads there."""
    return _link(course().discord, name) if "Discord" in name else escape(name)


def links_html(now: Overview) -> str:
    """Three lists, then the credit."""
    it = course()
    repositories = [
        f"{_link(one.url, one.name)}<br>{_soft(one.what)}" for one in it.repositories
    ]
    papers = [
        f"{_link(one.url, one.title)}<br>{_soft(_by(one.author, one.year, one.key))}"
        for one in it.papers
    ]
    reading = [
        f"{_link(one.url, one.title)}<br>{_soft(one.author)}"
        for one in it.further_reading
    ]
    lists = (
        _list("Companion repositories", repositories),
        _list("Papers", papers),
        _list("Further reading", reading),
    )
    return _page(f'<div class="wb-grid">{"".join(lists)}</div>{_credit()}')


def _list(title: str, items: Iterable[str]) -> str:
    rows = "".join(f"<li>{item}</li>" for item in items)
    return f'<div class="wb-list"><h4>{title}</h4><ul>{rows}</ul></div>'


def _soft(words: str) -> str:
    return f'<span class="wb-soft">{escape(words)}</span>'


def _by(author: str, year: int, key: str) -> str:
    """As in "Ioffe et al. 2015, lessons 4 and 5"."""
    numbers = [
        str(one.number)
        for one in course().lessons
        if key in {paper.key for paper in one.papers}
    ]
    plural = "s" * (len(numbers) > 1)
    where = f", lesson{plural} {_and(numbers)}" if numbers else ""
    return f"{author} et al. {year}{where}"


def _credit() -> str:
    it = course()
    links = (
        _link(it.page, "the course's page"),
        _link(it.playlist, "all videos"),
        _link(it.discord, "its Discord"),
    )
    return (
        f'<div class="wb-stage" style="display:block;margin-top:16px">'
        f"<p>{escape(it.credit)}</p><p>{' · '.join(links)}</p></div>"
    )


def _tips_text(now: Overview) -> str:
    return "\n".join(f"{tip.name}: {tip.text}" for tip in course().tips)


def _links_text(now: Overview) -> str:
    it = course()
    groups = (
        ("Companion repositories", [(one.name, one.url) for one in it.repositories]),
        ("Papers", [(f"{one.title} ({one.year})", one.url) for one in it.papers]),
        ("Further reading", [(one.title, one.url) for one in it.further_reading]),
    )
    parts = [
        "\n".join([title, *(f"   {name}: {url}" for name, url in rows)])
        for title, rows in groups
    ]
    return "\n\n".join([*parts, f"{it.credit}\n{it.page}"])


# --- Links ----------------------------------------------------------------------


def _link(url: str, words: str, local: bool = False) -> str:
    """A link; one to the world opens in a new tab, one to a notebook in this Lab."""
    away = "" if local else ' target="_blank" rel="noopener"'
    return f'<a href="{escape(url)}"{away}>{escape(words)}</a>'


def _lecture(lesson: Lesson, words: str = "Lecture") -> str:
    if not lesson.lecture_source.exists():
        return ""
    return _link(_within(lesson.lecture), words, local=True)


def _exercise(lesson: Lesson, step: Step | None = None) -> str:
    """A link to the exercises, or to the heading of one of them.

    The first stands below the imports, which have to be run: its link leads to those.
    """
    if not lesson.exercise_source.exists():
        return ""
    there = _within(lesson.exercise)
    if step is None:
        return _link(there, "Exercises", local=True)
    first = step.id == lesson.exercises[0]
    cell = "" if first else _cell_of(lesson.exercise, step.id)
    there += f"#cell-id={cell}" if cell else ""
    return _link(there, f"Go to {step.name}", local=True)


def _cell_of(notebook: Path, id: str) -> str:
    """The id of the cell that heads an exercise, so that a link can scroll to it."""
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        heading = ""
        for cell in cells:
            if cell["cell_type"] == "markdown":
                heading = cell["id"]
            elif cell["metadata"].get("workbook", {}).get("exercise") == id:
                return heading
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # not built yet, or not as we built it: the link opens its first page
    return ""


def _video(lesson: Lesson) -> str:
    return _link(lesson.video, f"Watch the video, {lesson.length}")


def _within(path: Path) -> str:
    return path.relative_to(root()).as_posix()


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


Face = Callable[[Overview], str]

FACES: dict[str, tuple[Face, Face]] = {
    "show_overview": (overview_html, Overview.text),
    "show_tracker": (tracker_html, _tracker_text),
    "show_path": (path_html, _path_text),
    "show_tips": (tips_html, _tips_text),
    "show_links": (links_html, _links_text),
}

"""`make results`: what is measured is kept, and judged by what it was given to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbook.bench import results
from workbook.bench.results import Measurement, main
from workbook.course import course

LOW, HIGH = "mlp.beat_dev", "mlp.dev_loss"  # at most 2.05; 2.1701, give or take 0.03


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Two measurements in place of the real ones; which ran, and whether quick."""
    done: list[tuple[str, bool]] = []

    def measured(id: str, value: float) -> Measurement:
        def run(quick: bool):
            done.append((id, quick))
            yield 3.0 if quick else value

        return Measurement((id,), run)

    made = [measured(LOW, 2.04), measured(HIGH, 2.18)]
    monkeypatch.setattr(results, "_planned", lambda lessons: made)
    monkeypatch.setattr(results, "root", lambda: tmp_path)
    return done


def test_a_full_run_writes_the_page_and_is_judged(runs, tmp_path, capsys):
    assert main([]) == 0
    page = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert page.count("| within |") == 2
    assert "Written to RESULTS.md." in capsys.readouterr().out


def test_a_number_out_of_bounds_is_named_and_ends_with_one(runs, monkeypatch, capsys):
    bad = Measurement((LOW,), lambda quick: iter([2.06]))
    monkeypatch.setattr(results, "_planned", lambda lessons: [bad])
    assert main([]) == 1
    assert "| **outside** |" in capsys.readouterr().out


def test_a_quick_run_is_no_failure_and_writes_no_page(runs, tmp_path, capsys):
    assert main(["--quick"]) == 0
    said = capsys.readouterr().out
    assert said.count("| short run |") == 2 and "outside" not in said
    assert not (tmp_path / "RESULTS.md").exists()


def test_what_is_measured_is_not_measured_again(runs):
    main([])
    main([])
    main(["--quick"])
    assert runs == [(LOW, False), (HIGH, False), (LOW, True), (HIGH, True)]


def test_measuring_anew_loses_nothing_of_other_lessons(runs, tmp_path, monkeypatch):
    main([])
    planned = results._planned([])
    monkeypatch.setattr(results, "_planned", lambda lessons: planned[:1])
    main(["--fresh", "--lesson", "03"])
    monkeypatch.setattr(results, "_planned", lambda lessons: planned)
    main([])
    assert runs == [(LOW, False), (HIGH, False), (LOW, False)]


def test_a_run_of_one_lesson_leaves_the_page_alone(runs, tmp_path):
    main(["--lesson", "03"])
    assert not (tmp_path / "RESULTS.md").exists()


def test_every_number_of_a_measured_lesson_is_measured_once():
    lessons = list(course().lessons)
    measured = [id for one in results._planned(lessons) for id in one.ids]
    assert len(measured) == len(set(measured))
    slugs = {id.partition(".")[0] for id in measured}
    published = [r.id for one in lessons if one.slug in slugs for r in one.results]
    assert sorted(measured) == sorted(published)


def test_what_needs_a_gpu_is_named_and_waits_for_one(runs, monkeypatch, capsys):
    def run(quick: bool):
        runs.append(("gpt.large_dev", quick))
        yield 1.48

    large = Measurement(("gpt.large_dev",), run)
    monkeypatch.setattr(results, "_planned", lambda lessons: [large])
    monkeypatch.setattr(results, "_has_gpu", lambda: False)
    assert main([]) == 0 and runs == []
    assert "| ≤ 1.48 nats |  | 0 | needs a GPU |  |" in capsys.readouterr().out
    monkeypatch.setattr(results, "_has_gpu", lambda: True)
    assert main([]) == 0 and runs == [("gpt.large_dev", False)]
    monkeypatch.setattr(results, "_has_gpu", lambda: False)
    main([])  # what was measured there is not forgotten here
    assert "| ≤ 1.48 nats | 1.48 nats | 0 | within |" in capsys.readouterr().out

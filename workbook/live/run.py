"""A run: what the loop talks to. It counts, listens to its controls and keeps time.

The loop knows nothing of displays, and no display can stop it: a view that fails is
put away with one line, and training goes on.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import current_thread, main_thread
from time import perf_counter, sleep, thread_time
from typing import Any, Protocol

from workbook.live import interrupts
from workbook.live.observer import Observation, Observer
from workbook.live.recorder import Pace, Recorder, Series

PANELS = ("loss", "activations", "gradients", "saturation", "updates")
VIEWS = ("widget", "text", "none")
HZ = 6  # pictures a second, at most
DRAWING, DRAWING_ALL, OBSERVING = 0.004, 0.012, 0.01  # shares of the time, at most
UNSEEN = 0.0002  # the share for observing where nobody watches
READ = 8_000  # losses of a run that are read: of more steps, every second, third, …
READ_UNSEEN = 2_000  # the same where nobody watches
DENSE = 100  # steps at the beginning of which every loss is read; then it thins out
SETTLING = 0.5  # seconds of losses that wait to be sorted, at most
GLANCE, MOST = 0.008, 24  # seconds from one look at the clock to the next; steps
GLANCE_UNSEEN, MOST_UNSEEN = 0.1, 400  # the same where nobody watches
NAP = 0.02  # seconds between two looks at the controls while paused
HISTORY = 160  # points of an update ratio's line
_ASK = object()  # no model: `log` has something to do
TURNS = 12  # changes of the learning rate that stay marked

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Turn:
    """A learning rate set by hand: from this step on."""

    step: int
    lr: float


class View(Protocol):
    """What shows a run: the widget, or a line of text."""

    def show(self, run: Run) -> None: ...
    def draw(self, run: Run) -> None: ...
    def end(self, run: Run) -> None: ...
    def steers(self) -> bool: ...


class Run:
    """One training run; `live.train` makes it, and a `for` goes through it once.

    step: the step in progress, from 0. state: "ready", "running", "paused", and in the
    end "finished", "stopped", "interrupted", "failed" or "left" (by break, or by an
    exception that was caught).
    """

    # Between two steps the model sweeps the processor's caches, and all that a step
    # touches has to be fetched anew: attributes, and code as well. So what every step
    # reads stands side by side, and a step in which nothing is due runs few lines.
    __slots__ = ("__dict__", "__weakref__", "_due", "_quiet", "asked", "step")

    def __init__(
        self,
        steps: int,
        lr: float | Schedule | None,
        title: str,
        panels: tuple[str, ...] | None,
        references: Mapping[str, float],
        log_axis: bool,
        view: View | None,
    ) -> None:
        self.steps, self.title, self.panels = steps, title, panels
        self.references, self.log_axis = dict(references), log_axis
        self.clock = perf_counter  # seconds; another one for tests
        self.recorder = Recorder(steps, clock=lambda: self.clock())
        self.step = 0
        self.state = "ready"
        self.reason = ""  # the exception's name, where one ended the run
        self.paused = False
        self.asked = False  # somebody wants to be answered before the next picture
        self.turns: list[Turn] = []
        self.ratios: dict[str, Series] = {}  # log10 of update to data, by parameter
        self.seen: Observation | None = None
        self.factor = 1.0  # what the slider multiplies a schedule by
        self._schedule = lr if callable(lr) else None
        self._lr = None if callable(lr) else lr
        self._stop = self._armed = False
        self._model: Any = None
        self._loose: Mapping[str, Any] = {}
        self._losses = self.recorder.of("loss")
        unseen = view is None
        read = READ_UNSEEN if unseen else READ
        self.every = max(1, math.ceil(steps / read))  # steps between losses read
        self._next = 0 if self.every > 1 else math.inf  # the step whose loss is read
        self._quiet: Any = _ASK  # the model for which `log` has nothing to do
        self._view, self._observer = view, Observer()
        self._drawing = Pace(HZ, DRAWING)
        self._observing = Pace(50, UNSEEN if unseen else OBSERVING)
        self._glance = GLANCE_UNSEEN if unseen else GLANCE
        self._most = MOST_UNSEEN if unseen else MOST
        self._wake = 0.0
        self._due: float = 0  # the step at which something is due
        self._peek = self._looked_at = 0  # the step of the next look at the clock
        self._looked = math.inf  # when the last one was
        self._listening = panels is None or set(panels) != {"loss"}
        self._armed_for = 0.0  # seconds that arming took

    # ------------------------------------------------------------ for the loop

    @property
    def lr(self) -> Any:
        """The learning rate of this step, as the slider or the schedule has it."""
        if self._schedule is not None:
            return self._schedule(self.step) * self.factor
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._schedule, self._lr = None, value

    def log(
        self,
        loss: Any = None,
        model: Any = None,
        activations: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        """Numbers of this step, and the model they come from.

        loss, and any other name (`dev=...`): one number each: a float, a tensor of
        one element, or a Value; all share the axis of the loss. Reading a tensor costs
        more than the call: of a run longer than 8,000 steps, every second, third, …
        loss is read (2,000 where nothing is shown).
        model: a torch module, a list of layers or tensors, a dict of tensors, or an
        object with `parameters()` and perhaps `layers`; it is looked at now and then.
        activations: tensors by name, where no layer keeps them.
        """
        if self._quiet is model and activations is None and not others:
            return
        self._take(loss, model, activations, others)

    def stop(self) -> None:
        """End the loop before its next step."""
        self._stop = self.asked = True

    def pause(self) -> None:
        """Wait before the next step until `go_on` or `stop`, from another thread."""
        self.paused = self.asked = True

    def go_on(self) -> None:
        """Let a paused run go on."""
        self.paused, self.asked = False, True

    def steer(self, lr: float) -> None:
        """Take this learning rate from the next step on, and mark it in the picture."""
        if self._schedule is not None:
            self.factor = lr / (self._schedule(self.step) or 1.0)
        else:
            self._lr = lr
        step = 0 if self.state == "ready" else self.step + 1
        if self.turns and step - self.turns[-1].step <= self._second():
            self.turns.pop()  # still the same drag
        self.turns = [*self.turns[-TURNS + 1 :], Turn(step, lr)]
        self.asked = True

    def figure(self) -> Any:
        """The picture as a matplotlib Figure: `run.figure().savefig("loss.png")`."""
        from workbook.live.still import figure

        return figure(self)

    # ------------------------------------------------------------ for the views

    @property
    def done(self) -> int:
        """How many steps were made: all of them, or those before the loop was left."""
        return self.recorder.done if self.over else self.step

    @property
    def over(self) -> bool:
        """Whether the loop has ended, in one way or another."""
        return self.state not in ("ready", "running", "paused")

    @property
    def stopping(self) -> bool:
        """Whether the loop will end before its next step."""
        return self._stop

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate is a function of the step."""
        return self._schedule is not None

    def steers(self) -> bool:
        """Whether controls reach this run while it is busy."""
        return self._view is not None and self._view.steers()

    # ------------------------------------------------------------ the loop itself

    def __iter__(self) -> Iterator[int]:
        """The steps, once."""
        if self.state != "ready":
            raise RuntimeError(
                f"This run has begun, at step {self.step}: live.train() makes another."
            )
        return self._steps()

    def __len__(self) -> int:
        return self.steps

    def _steps(self) -> Iterator[int]:
        last, state = self.steps - 1, "finished"
        self._begin()
        try:
            for step in range(self.steps):
                if step < self._due and not self.asked:
                    self.step = step
                else:
                    if self._armed:
                        self._collect()
                        self._peek = step  # else looks would keep to every 24th step
                    self.step = step
                    look = step >= self._peek or self.asked
                    if look and (self._is_time() or self.asked or step == last):
                        self._between()
                    if self._stop:
                        state = "stopped"
                        break
                    self._choose()
                yield step
            else:
                if self._armed:
                    self._collect()
        except GeneratorExit:
            self._leave()
            raise
        except BaseException as error:  # an interrupt between two steps, or in a pause
            self._finish(_ended_by(error), type(error).__name__)
            self._tell("end")
            raise
        self._finish(state)
        self._tell("end")

    def _choose(self) -> None:
        """What `log` has to do at this step, and the next one with something due."""
        if self.step >= self._next:
            self._next = self.step + max(1, min(self.every, self.step // DENSE))
            self._quiet = _ASK
        self._due = min(self._peek, self._next)
        if self._armed:
            self._quiet, self._due = _ASK, 0

    def _take(
        self,
        loss: Any,
        model: Any,
        activations: Mapping[str, Any] | None,
        others: dict[str, Any],
    ) -> None:
        """What `log` was told, where it has something to do."""
        if self._quiet is _ASK:
            if loss is not None:
                self._losses.add(self.step, loss)
            if self._armed:
                self._meet(model, activations)
            elif loss is not None and self._is_thin() and not self.over:
                self._quiet = model
        if others:
            self.recorder.log(self.step, **others)
            if self.over:  # a last figure, worked out after the loop
                self._tell("end")
        if model is not self._model or activations is not None:
            self._meet(model, activations)

    def _is_thin(self) -> bool:
        """Whether some of the losses are left out by now."""
        return self.every > 1 and self.step >= DENSE

    def _begin(self) -> None:
        self.state = "running"
        if self._view is None:
            self._drawing.next = math.inf
        else:
            interrupts.join(self)
            self._tell("show")
        self.recorder.mark(0)

    def _is_time(self) -> bool:
        """Look at the clock, and choose the step at which to look again."""
        now, step = self.clock(), self.step
        spent, made = now - self._looked, step - self._looked_at
        self._looked, self._looked_at = now, step
        ahead = 1
        if made and 0 < spent < made * self._glance:  # several steps in one glance
            ahead = min(int(self._glance * made / spent), 2 * made, self._most)
        self._peek = min(step + ahead, self.steps - 1)
        return now >= self._wake

    def _between(self) -> None:
        """Between two steps: the controls, a look at the model, a picture."""
        asked, self.asked = self.asked, False
        if self.paused and not self._stop:
            self._rest()
        now = self.clock()
        if self._view and (asked or now >= self._drawing.next):
            self._draw()
        due = now >= self._observing.next
        if self.step == self.steps - 1:
            due, self._next = True, self.step  # it is seen whatever it costs
        if due and self._model is not None and not self._stop:
            self._arm()
        watched = self._listening and self._model is not None
        looking = self._observing.next if watched else math.inf
        self._losses.settle()
        self._wake = min(self._drawing.next, looking, now + SETTLING)

    def _rest(self) -> None:
        """Wait until somebody lets the run go on, or stops it."""
        self.state = "paused"
        self.recorder.pause()
        self._draw()
        while self.paused and not self._stop:
            sleep(NAP)
            if self.asked:
                self.asked = False
                self._draw()
        self.asked = False
        self.recorder.go_on()
        self.state = "running"
        self._draw()

    def _draw(self) -> None:
        began = thread_time()
        self.recorder.mark(self.step)
        self._tell("draw")
        self._drawing.spent(self.clock(), thread_time() - began)

    def _finish(self, state: str, reason: str = "") -> None:
        """The loop has ended: the clock stops, and the model is let go."""
        interrupts.leave(self)
        self.state, self.reason, self._quiet = state, reason, _ASK
        self.recorder.mark(self.steps if state == "finished" else self.step)
        self.recorder.pause()
        self._let_go()

    def _let_go(self) -> None:
        with suppress(Exception):
            self._observer.release()
        self._model, self._loose, self._armed = None, {}, False

    # ------------------------------------------------------------ left early

    def _leave(self) -> None:
        """The loop was left by break, return or an exception: which, is told later.

        Python closes a generator without a word on why. IPython knows when the cell
        has ended: until then the picture says "left".
        """
        self._finish("left")
        shell = _shell()
        if shell is None or current_thread() is not main_thread():
            self._tell("end")
            return
        frame = sys._getframe(2)  # the loop's: it is closing the generator
        where = frame.f_code, frame.f_lineno

        def told(result: Any) -> None:
            shell.events.unregister("post_run_cell", told)
            self._learn(getattr(result, "error_in_exec", None), *where)
            self._tell("end")

        self._tell("draw")
        shell.events.register("post_run_cell", told)

    def _learn(self, error: BaseException | None, code: Any, line: int) -> None:
        """What ended the cell: was it what left the loop?"""
        if error is not None and _passed_by(error, code, line):
            self.state, self.reason = _ended_by(error), type(error).__name__

    # ------------------------------------------------------------ the model

    def _meet(self, model: Any, activations: Mapping[str, Any] | None) -> None:
        """Remember the model until the next look at it."""
        if self.over or (model is None and activations is None):
            return
        if self._model is None:
            self._wake, self._due, self._peek = 0.0, 0, 0
            if self._listening:
                self._drawing.share = DRAWING_ALL
        self._model = model if model is not None else {}
        self._loose = activations or {}
        if self._armed:
            self._guarded(lambda: self._observer.look_at_gradients(self._model))

    def _arm(self) -> None:
        began = thread_time()
        self._armed = self._listening
        if self._listening:
            self._guarded(lambda: self._observer.arm(self._model))
        self._armed_for = thread_time() - began

    def _collect(self) -> None:
        began = thread_time()
        self._armed = False
        self._guarded(self._look)
        cost = self._armed_for + thread_time() - began
        self._observing.spent(self.clock(), cost)
        self._wake = min(self._wake, self._observing.next)

    def _look(self) -> None:
        seen = self._observer.collect(self._model, self.step, self._loose)
        self.seen = seen
        for layer in seen.layers:
            for parameter in layer.parameters:
                if parameter.ratio is not None:
                    line = self.ratios.setdefault(parameter.name, Series(HISTORY))
                    line.add(self.step, parameter.ratio)

    def _guarded(self, look: Callable[[], None]) -> None:
        """A model that cannot be looked at is trained all the same."""
        try:
            look()
        except Exception as error:
            self._listening = False
            self._let_go()
            _say(f"The model cannot be watched ({_said(error)}); training goes on.")

    # ------------------------------------------------------------ faces

    def _tell(self, act: str) -> None:
        """Ask the view for something; one that fails is put away."""
        if self._view is None:
            return
        try:
            getattr(self._view, act)(self)
        except Exception as error:
            self._view, self._drawing.next = None, math.inf
            _say(f"The live picture has stopped ({_said(error)}); training goes on.")

    def _second(self) -> float:
        return max(1.0, self.recorder.rate)

    def __repr__(self) -> str:
        from workbook.live.words import sentence

        return f"Run: {sentence(self)}"

    def _repr_png_(self) -> bytes | None:
        from workbook import checking
        from workbook.live.still import png

        return None if checking() else png(self)


def _ended_by(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"


def _passed_by(error: BaseException, code: Any, line: int) -> bool:
    """Whether an exception came through the line at which the loop was left."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code and trace.tb_lineno == line:
            return True
        trace = trace.tb_next
    return False


def _shell() -> Any:
    """IPython's shell, where there is one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _said(error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else "no message"
    return f"{type(error).__name__}: {reason}"


def _say(words: str) -> None:
    with suppress(Exception):
        print(words, file=sys.stderr)

"""The door: any object of a learner's gets a verdict, in words, and in time."""

import asyncio
import math
import re
import threading
import time

import pytest
from notebook import answered, blank, objects, solved

from workbook.checks import all_exercises, known, run
from workbook.course import CourseError
from workbook.verdict import Verdict

ID = "micrograd.derivative"
SLOPE = "(f(x + (h or 1e-5)) - f(x - (h or 1e-5))) / (2 * (h or 1e-5))"


def of(body: str, before: str = "") -> Verdict:
    """The verdict on a function `derivative` with this body."""
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    code = f"{before}\ndef derivative(f, x, h=None):\n{lines}"
    return run(ID, *answered(ID, code, blank()))


# ---------------------------------------------------------------- what is asked


def test_an_unknown_exercise_is_an_error_that_lists_what_exists():
    with pytest.raises(CourseError, match=r"micrograd\.value"):
        run("micrograd.nothing", max)


def test_all_exercises_of_the_course_are_found_by_id():
    assert list(all_exercises())[:2] == ["micrograd.derivative", "micrograd.value"]


@pytest.mark.parametrize("count", [0, 2])
def test_the_wrong_number_of_objects_is_told(count):
    verdict = run(ID, *[math.sin] * count)
    assert verdict.state == "not yet"
    assert verdict.line("expected") == 'check("micrograd.derivative", derivative)'


@pytest.mark.parametrize("thing", [6.0, "text", [1], {}, object()])
def test_something_that_cannot_be_called_is_told(thing):
    verdict = run(ID, thing)
    assert verdict.state == "not yet"
    assert "without parentheses" in verdict.line("because")


def test_an_instance_in_place_of_a_class_is_told():
    Value = solved("micrograd.value")["Value"]
    verdict = run("micrograd.value", Value(2.0))
    assert verdict.state == "not yet"
    assert verdict.line("expected") == "the class `Value` itself"


def test_a_function_in_place_of_a_class_is_told():
    assert run("micrograd.value", math.sin).state == "not yet"


CALLABLES = {
    "lambda": f"derivative = lambda f, x, h=None: {SLOPE}",
    "partial": f"""
from functools import partial
def general(sign, f, x, h=None):
    return sign * {SLOPE}
derivative = partial(general, 1.0)""",
    "callable instance": f"""
class Derivative:
    def __call__(self, f, x, h=None):
        return {SLOPE}
derivative = Derivative()""",
    "bound method": f"""
class Tools:
    def slope(self, f, x, h=None):
        return {SLOPE}
derivative = Tools().slope""",
    "static method": f"""
class Tools:
    @staticmethod
    def slope(f, x, h=None):
        return {SLOPE}
derivative = Tools.slope""",
    "decorated": f"""
from functools import wraps, lru_cache
def shy(function):
    @wraps(function)
    def inner(*args, **options):
        return function(*args, **options)
    return inner
@shy
@lru_cache
def derivative(f, x, h=None):
    return {SLOPE}""",
    "a class with __new__": f"""
class derivative:
    def __new__(cls, f, x, h=None):
        return {SLOPE}""",
    "slots and a hostile __getattr__": f"""
class Derivative:
    __slots__ = ()
    def __call__(self, f, x, h=None):
        return {SLOPE}
    def __getattr__(self, name):
        raise RuntimeError(name)
derivative = Derivative()""",
}


@pytest.mark.parametrize("name", CALLABLES)
def test_whatever_can_be_called_can_pass(name):
    verdict = run(ID, *answered(ID, CALLABLES[name], blank()))
    if name == "slots and a hostile __getattr__":
        assert verdict.state in ("passed", "not yet")  # in words, and no exception
    else:
        assert verdict.passed, verdict


def test_a_namespace_without_a_name_is_a_notebook_too():
    names: dict = {}
    exec(f"import math\ndef derivative(f, x, h=None):\n    return {SLOPE}", names)
    assert run(ID, names["derivative"]).passed


def test_a_function_of_pythons_own_is_judged():
    assert run(ID, max).state == "not yet"


# ---------------------------------------------------------------- how it ends


BUSY = 5  # times the limit is what a check may take where others have the processor

ENDS = {
    "never": ("while True: pass", "had not ended after"),
    "never, and swallows": (
        "while True:\n    try:\n        while True: pass\n    except: pass",
        "had not ended after",
    ),
    "sleeps": ("import time; time.sleep(60)", "had not ended after"),
    "recursion": ("return derivative(f, x, h)", "RecursionError"),
    "an infinite generator": (
        "def g():\n    while True: yield 1\nreturn sum(g())",
        "had not ended after",
    ),
    "is an infinite generator": ("while True: yield 1", "a generator"),
    "prints 10 MB": (f"print('x' * 10_000_000)\nreturn {SLOPE}", "100,000 characters"),
    "sys.exit": ("import sys; sys.exit()", "leaves Python"),
    "exit": ("exit()", "leaves Python"),
    "os._exit": ("import os; os._exit(1)", "leaves Python"),
    "SystemExit": ("raise SystemExit", "leaves Python"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "GeneratorExit": ("raise GeneratorExit", "GeneratorExit"),
    "StopIteration": ("raise StopIteration", "StopIteration"),
    "a huge list": ("return [0] * 10**11", "MemoryError"),
    "asks": ("return float(input())", "waits for a person"),
    "checks itself": (
        f"from workbook.checks import run\nreturn run('{ID}', derivative)",
        "a cell of its own",
    ),
    "an error with a broken text": (
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
        "E",
    ),
    "an error whose text never ends": (
        "class E(Exception):\n    def __str__(self):\n        while 1: pass\nraise E",
        "had not ended after",
    ),
    "a value whose text never ends": (
        "class V:\n    def __repr__(self):\n        while True: pass\nreturn V()",
        "had not ended after",
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_is_told_in_words_and_in_time(name, limited):
    limited(ID, 0.5)
    body, words = ENDS[name]
    start = time.monotonic()
    verdict = of(body)
    assert time.monotonic() - start < BUSY * 0.5 + 2
    assert verdict.state == "not yet"
    assert words in verdict.line("yours"), verdict
    assert verdict.line("case") == "derivative(lambda x: x**2, 3.0, 0.0001)"
    assert len(verdict.printed) <= 100_000
    assert of(f"return {SLOPE}").passed  # the next check works


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("while True: pass", "3"),
        ("n = 0\nwhile True:\n    n = max(n, 1)", r"[45]"),
        ("def again():\n    while True: pass\nagain()", "4"),
        ("def fib(n):\n    return n and fib(n - 1) + fib(n - 1)\nreturn fib(60)", "4"),
        ("import time\ntime.sleep(60)", "4"),
        ("from itertools import count\nreturn sum(x for x in count())", "4"),
    ],
)
def test_what_is_stopped_is_told_with_its_line(body, line, limited):
    limited(ID, 0.3)
    told = of(body).line("line")
    assert re.match(rf"{line}[:,]", told), told


def test_an_endless_part_takes_one_time_limit_and_not_two(limited):
    limited("micrograd.backward", 1.0)
    code = "@add_to(Value)\ndef backward(self):\n    while True: pass"
    start = time.process_time()  # what it burns is all its own
    verdict = run("micrograd.backward", *answered("micrograd.backward", code))
    assert verdict.state == "not yet"
    assert time.process_time() - start < 1.7


def test_an_endless_earlier_part_does_not_hide_a_right_one(limited):
    limited("micrograd.backward", 1.0)
    names = solved("micrograd.backward")
    exec("def topological_order(root):\n    while True: pass", names)
    verdict = run("micrograd.backward", names["Value"])
    assert verdict.passed
    assert verdict.line("note")


def test_an_exception_is_told_with_line_case_and_traceback():
    verdict = of("y = f(x)\nreturn y / 0")
    assert verdict.line("case") == "derivative(lambda x: x**2, 3.0, 0.0001)"
    assert verdict.line("yours") == "ZeroDivisionError: float division by zero"
    assert verdict.line("line").startswith("4")
    assert "ZeroDivisionError" in verdict.traceback
    assert "workbook" not in verdict.traceback


BY_NAME = {
    "from os import _exit": "_exit(3)",
    "from sys import exit as leave": "leave(3)",
    "from os import abort as stop": "stop()",
}


@pytest.mark.parametrize("before", BY_NAME)
def test_an_exit_that_was_imported_by_name_ends_only_the_answer(before):
    assert "leaves Python" in of(BY_NAME[before], before).line("yours")


def test_a_sleep_that_was_imported_by_name_is_ended(limited):
    limited(ID, 0.5)
    start = time.monotonic()
    verdict = of("sleep(60)", "from time import sleep")
    assert "had not ended after" in verdict.line("yours")
    assert time.monotonic() - start < BUSY * 0.5 + 2


# ---------------------------------------------------------------- what comes back


FORMS = {
    "a text": f"return str({SLOPE})",
    "a list": f"return [{SLOPE}]",
    "a bool": "return True",
    "a complex number": f"return complex({SLOPE})",
    "a numpy scalar": f"import numpy\nreturn numpy.float64({SLOPE})",
    "a numpy array": f"import numpy\nreturn numpy.array({SLOPE})",
    "a float of its own": (
        f"class F(float):\n    def __eq__(self, o): return True\n"
        f"    def __rsub__(self, o): return 0.0\n    __hash__ = None\nreturn F({SLOPE})"
    ),
    "an equal to everything": (
        "class E:\n    def __eq__(self, other): return True\nreturn E()"
    ),
    "a liar about its class": "class L:\n    __class__ = float\nreturn L()",
    "a mock": "from unittest.mock import MagicMock\nreturn MagicMock()",
    "a broken text": "class B:\n    def __repr__(self): return 3\nreturn B()",
    "a coroutine": "async def g(): return 6.0\nreturn g()",
}


@pytest.mark.parametrize("name", FORMS)
def test_the_right_number_in_a_wrong_form_is_not_yet(name):
    verdict = of(FORMS[name])
    assert verdict.state == "not yet"
    assert verdict.line("expected") == "6.0, a float"
    assert verdict.line("yours")


def test_a_tensor_is_no_number():
    pytest.importorskip("torch")
    verdict = of(f"import torch\nreturn torch.tensor({SLOPE})")
    assert "shape ()" in verdict.line("yours")


@pytest.mark.parametrize("number", ["math.nan", "math.inf", "-math.inf"])
def test_what_is_not_finite_is_not_yet(number):
    assert of(f"return {number}").state == "not yet"


def test_an_async_function_is_told_apart():
    code = f"async def derivative(f, x, h=None):\n    return {SLOPE}"
    verdict = run(ID, *answered(ID, code, blank()))
    assert "async def" in verdict.line("because")


ODD_CLASSES = {
    "a metaclass that answers nothing": """
class Silent(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)
class Value(metaclass=Silent):
    def __init__(self, data):
        self.data = data""",
    "a metaclass that says yes": """
class Yes(type):
    def __instancecheck__(cls, other):
        return True
    def __eq__(cls, other):
        return True
    __hash__ = type.__hash__
class Value(metaclass=Yes):
    def __init__(self, data):
        self.data = data""",
    "no subclasses": """
class Value:
    def __init_subclass__(cls):
        raise RuntimeError
    def __init__(self, data):
        self.data = data""",
    "every attribute": """
class Value:
    def __init__(self, *data):
        self.data = data
    def __getattr__(self, name):
        return self
    def __call__(self, *args):
        return self
    __add__ = __mul__ = __radd__ = __rmul__ = __call__""",
    "an attribute that never comes": """
class Value:
    def __init__(self, data):
        pass
    def __getattr__(self, name):
        while True:
            pass""",
    "a mock": "from unittest.mock import MagicMock as Value",
    "an enumeration": "import enum\nclass Value(enum.Enum):\n    one = 1",
    "a named tuple": """
from collections import namedtuple
Value = namedtuple("Value", "data grad")""",
    "a float": "class Value(float):\n    data = property(float)",
    "int": "Value = int",
    "an abstract class": """
import abc
class Value(abc.ABC):
    @abc.abstractmethod
    def data(self): ...""",
}


@pytest.mark.parametrize("thing", ["value", "backward", "functions"])
@pytest.mark.parametrize("name", ODD_CLASSES)
def test_an_odd_class_gets_a_verdict(name, thing, limited):
    id = f"micrograd.{thing}"
    limited(id, 0.5)
    names = blank()
    exec(ODD_CLASSES[name], names)
    start = time.monotonic()
    verdict = run(id, names["Value"])
    assert verdict.state in ("open", "not yet"), verdict
    assert time.monotonic() - start < BUSY * 0.5 + 2


# ---------------------------------------------------------------- state


def test_an_answer_that_counts_its_calls_is_not_yet():
    before = "calls = []"
    verdict = of(f"calls.append(1)\nreturn {SLOPE} + (len(calls) > 30)", before)
    assert verdict.state == "not yet"


def test_right_once_is_not_right():
    verdict = of(f"calls.append(1)\nreturn {SLOPE} + (len(calls) > 1)", "calls = []")
    assert verdict.line("because").startswith("right the first time")


def test_a_mutable_default_that_remembers_is_not_yet():
    code = f"def derivative(f, x, h=None, seen=[]):\n    seen.append({SLOPE})\n"
    code += "    return seen[0]"
    assert run(ID, *answered(ID, code, blank())).state == "not yet"


def test_the_seeded_cases_known_by_heart_are_not_enough():
    """Every case that does not change is answered from a table."""
    table: dict = {}
    exec(f"import math\ndef right(f, x, h=None):\n    return {SLOPE}", table)

    def learn(f, x, h=None):
        return heard[-1].setdefault((f.__name__, x, h), table["right"](f, x, h))

    heard: list[dict] = []
    for _ in range(2):
        heard.append({})
        assert run(ID, learn).passed
    fixed = {k: v for k, v in heard[0].items() if k in heard[1]}

    def derivative(f, x, h=None):
        f(x + (h or 1e-5))
        return fixed.get((f.__name__, x, h), 0.0)

    verdict = run(ID, derivative)
    assert verdict.state == "not yet"
    assert verdict.mistake is None
    assert verdict.line("because") == "the numbers of this case are new each time"


def test_replacing_what_all_code_shares_is_not_yet_and_is_undone():
    right = math.exp
    verdict = of(f"math.exp = abs\nreturn {SLOPE}")
    assert verdict.line("yours") == "replaces math.exp"
    assert math.exp is right


LOST = {
    "sum = 3": ("return sum([1.0])", "`sum` is 3 in this notebook"),
    "max = lambda *a: 0.0": ("return max(1.0, 2.0)", "`max` is <function <lambda>>"),
    "list = [1]": ("return list(x)", "`list` is [1] in this notebook"),
    "math = 5": ("return math.cos(x)", "`math` is now 5"),
    "random = None": ("return random.random()", "`random` is now None"),
    "del math": ("return math.cos(x)", "`math` is not imported"),
    "": ("return torch.tensor(x)", "`torch` is not imported"),
}


@pytest.mark.parametrize("before", LOST)
def test_a_lost_name_is_told(before):
    body, words = LOST[before]
    assert words in of(body, before).line("because")


def test_a_lost_name_that_the_answer_does_not_use_is_not_blamed():
    assert of("return x / 0", "sum = 3\nmath = None").line("because") == ""


# ---------------------------------------------------------------- where it runs


def test_a_check_runs_in_a_thread_and_in_two_at_once():
    names = solved(ID)
    found: list[Verdict] = []
    ask = lambda: found.append(run(ID, names["derivative"]))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [verdict.state for verdict in found] == ["passed"] * 4


def test_a_check_runs_inside_a_running_event_loop():
    async def inside() -> Verdict:
        return of(
            f"import asyncio\nasync def g(): return {SLOPE}\nreturn asyncio.run(g())"
        )

    assert asyncio.run(inside()).passed


def test_exit_in_an_answer_leaves_the_kernel_alive():
    client = pytest.importorskip("jupyter_client")
    manager, kernel = client.manager.start_new_kernel(kernel_name="python3")
    try:
        kernel.execute_interactive(
            "from workbook.checks import run\n"
            "def derivative(f, x, h=None): exit()\n"
            f"first = run('{ID}', derivative)\n"
            "def derivative(f, x, h=None): get_ipython().ask_exit()\n"
            f"second = run('{ID}', derivative)",
            timeout=60,
        )
        reply = kernel.execute_interactive(
            "assert first.state == second.state == 'not yet', (first, second)",
            timeout=60,
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        assert manager.is_alive()
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_given_module_is_not_changed_by_a_check():
    before = solved("micrograd.operators")
    Value = before["Value"]
    methods = dict(vars(Value))
    assert run("micrograd.operators", Value).passed
    assert dict(vars(Value)) == methods


def test_objects_of_the_solution_are_named_as_the_check_names_them():
    names = solved("micrograd.neuron_layer_mlp")
    check = known("micrograd.neuron_layer_mlp")
    assert check.kinds == ("class", "class", "class")
    assert run(check.id, *objects(check, names)).passed

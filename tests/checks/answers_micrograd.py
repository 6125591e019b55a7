"""Answers to lesson 1's exercises, as learners might write them: cells of code."""

RIGHT: dict[str, dict[str, str]] = {
    "micrograd.derivative": {
        "mean of both one-sided slopes": """
def derivative(f, x, h=None):
    if h is None:
        h = 2e-5
    right = (f(x + h) - f(x)) / h
    left = (f(x) - f(x - h)) / h
    return 0.5 * (right + left)
""",
        "default in the signature": """
derivative = lambda f, x, h=1e-4: (f(x + h) - f(x - h)) / h / 2
""",
        "a step that grows with x": """
def derivative(f, x, h=None):
    h = h or 1e-5 * max(1.0, abs(x))
    points = [x - h, x + h]
    low, high = map(f, points)
    return (high - low) / (points[1] - points[0])
""",
    },
    "micrograd.value": {
        "one method for both": """
class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad = data, 0
        self._prev = tuple(_children)
        self._op = _op
        self._backward = lambda: None

    def _combined(self, other, result, op):
        return Value(result, (self, other), op)

    def __add__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        return self._combined(other, self.data + other.data, "+")

    def __mul__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        return self._combined(other, self.data * other.data, "*")

    __radd__ = lambda self, number: self + number
    __rmul__ = lambda self, number: Value.__mul__(self, number)
""",
        "a dataclass with slots": """
from dataclasses import dataclass, field
from typing import Any

@dataclass(eq=False, slots=True)
class Value:
    data: float
    _prev: tuple = ()
    _op: str = ""
    grad: float = 0.0
    label: str = ""
    _backward: Any = field(default=lambda: None, repr=False)

    @classmethod
    def wrap(cls, thing):
        return thing if isinstance(thing, cls) else cls(thing)

    def __add__(self, other):
        other = self.wrap(other)
        return Value(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        other = self.wrap(other)
        return Value(self.data * other.data, (self, other), "*")

    def __radd__(self, other):
        return self.wrap(other) + self

    def __rmul__(self, other):
        return self.wrap(other) * self
""",
        "a base class and super()": """
class Node:
    def __init__(self, data, children, op):
        self.data, self._prev, self._op = data, (*children,), op

class Value(Node):
    __slots__ = ("grad", "_backward")

    def __init__(self, data, children=(), op=""):
        super().__init__(data, children, op)
        self.grad = 0.0
        def nothing():
            pass
        self._backward = nothing

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, [self, other], "+")

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, [self, other], "*")

    def __radd__(self, other): return as_value(other).__add__(self)
    def __rmul__(self, other): return as_value(other).__mul__(self)

def as_value(thing):
    return thing if hasattr(thing, "_prev") else Value(thing)
""",
    },
    "micrograd.local_grads": {
        "local slopes in a table": """
def passing(out, pairs):
    def _backward():
        for node, slope in pairs:
            node.grad = node.grad + slope * out.grad
    return _backward

@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    out._backward = passing(out, [(self, 1.0), (other, 1.0)])
    return out

@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    out._backward = passing(out, [(self, other.data), (other, self.data)])
    return out
""",
        "a decorator that wraps, and functools.partial": """
from functools import partial, wraps

def wrapping(method):
    @wraps(method)
    def wrapped(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        return method(self, other)
    return wrapped

def share(out, one, two, d_one, d_two):
    one.grad += d_one * out.grad
    two.grad += d_two * out.grad

@add_to(Value)
@wrapping
def __add__(self, other):
    out = Value(self.data + other.data, (self, other), "+")
    out._backward = partial(share, out, self, other, 1, 1)
    return out

@add_to(Value)
@wrapping
def __mul__(self, other):
    out = Value(self.data * other.data, (self, other), "*")
    out._backward = partial(share, out, self, other, other.data, self.data)
    return out
""",
    },
    "micrograd.toposort": {
        "counting parents, after Kahn": """
from collections import Counter

def topological_order(root):
    uses, seen, stack = Counter(), {id(root)}, [root]
    while stack:
        for child in stack.pop()._prev:
            uses[id(child)] += 1
            if id(child) not in seen:
                seen.add(id(child))
                stack.append(child)
    ready, parents_first = [root], []
    while ready:
        node = ready.pop()
        parents_first.append(node)
        for child in node._prev:
            uses[id(child)] -= 1
            if not uses[id(child)]:
                ready.append(child)
    return parents_first[::-1]
""",
        "a stack of iterators": """
def topological_order(root):
    order = []
    done = {root: True}
    path = [(root, iter(root._prev))]
    while path:
        node, children = path[-1]
        for child in children:
            if child not in done:
                done[child] = True
                path.append((child, iter(child._prev)))
                break
        else:
            path.pop()
            order += [node]
    return order
""",
        "a generator inside": """
def topological_order(root):
    return list(post_order(root))

def post_order(root):
    emitted, stack = set(), [root]
    while stack:
        node = stack[-1]
        waiting = [child for child in node._prev if id(child) not in emitted]
        if waiting:
            stack.extend(waiting)
        else:
            stack.pop()
            if id(node) not in emitted:
                emitted.add(id(node))
                yield node
""",
    },
    "micrograd.backward": {
        "its own recursive order, as in the lecture": """
@add_to(Value)
def backward(self):
    topo, visited = [], set()
    def build(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build(child)
            topo.append(v)
    build(self)
    self.grad = 1
    for v in topo[::-1]:
        v._backward()
""",
        "inner gradients cleared, the leaves' kept": """
@add_to(Value)
def backward(self):
    order = topological_order(self)
    for node in order:
        if node._prev:
            node.grad = 0.0
    self.grad = 1.0
    for node in order[::-1]:
        node._backward()
""",
        "popping from the end": """
@add_to(Value)
def backward(self):
    waiting = topological_order(self)
    waiting[-1].grad = 1.0
    while waiting:
        waiting.pop()._backward()
""",
        "a helper that recurses by its own name": """
def fire(nodes):
    if nodes:
        head, *rest = nodes
        head._backward()
        if len(rest) > 400:
            for node in rest:
                node._backward()
        else:
            fire(rest)

@add_to(Value)
def backward(self):
    self.grad = 1.0
    fire(topological_order(self)[::-1])
""",
    },
    "micrograd.functions": {
        "made from smaller steps": """
@add_to(Value)
def tanh(self):
    if self.data > 0:
        e = (self * -2).exp()
        return (e * -1 + 1) * (e + 1) ** -1
    e = (self * 2).exp()
    return (e + -1) * (e + 1) ** -1

@add_to(Value)
def relu(self):
    return self * (1.0 if self.data > 0 else 0.0)
""",
        "nodes made by hand": """
def unary(self, result, slope):
    out = Value(result, (self,), "f")
    def _backward():
        self.grad += slope(self.data, result) * out.grad
    out._backward = _backward
    return out

@add_to(Value)
def tanh(self):
    return unary(self, math.tanh(self.data), lambda x, t: 1.0 - t**2)

@add_to(Value)
def exp(self):
    return unary(self, math.e ** self.data, lambda x, e: e)

@add_to(Value)
def log(self):
    return unary(self, math.log(self.data, math.e), lambda x, y: x ** -1)

@add_to(Value)
def relu(self):
    return unary(self, max(0, self.data), lambda x, y: y > 0)

@add_to(Value)
def __pow__(self, n):
    return unary(self, pow(self.data, n), lambda x, y: n * pow(x, n - 1))
""",
    },
    "micrograd.operators": {
        "the numbers wrapped first": """
def val(x):
    return x if isinstance(x, Value) else Value(x)

@add_to(Value)
def __neg__(self):
    return -1.0 * self

@add_to(Value)
def __sub__(self, other):
    return val(other) * -1 + self

@add_to(Value)
def __rsub__(self, other):
    return val(other) - self

@add_to(Value)
def __truediv__(self, other):
    return val(other) ** -1 * self

@add_to(Value)
def __rtruediv__(self, other):
    return val(other) / self
""",
        "nodes with slopes of their own": """
def two(a, b, result, da, db, op):
    out = Value(result, (a, b), op)
    def _backward():
        a.grad += da * out.grad
        b.grad += db * out.grad
    out._backward = _backward
    return out

@add_to(Value)
def __sub__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    return two(self, other, self.data - other.data, 1, -1, "-")

@add_to(Value)
def __truediv__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    x, y = self.data, other.data
    return two(self, other, x / y, 1 / y, -x / y**2, "/")

Value.__neg__ = lambda self: 0 - self
Value.__rsub__ = lambda self, other: Value(other) - self
Value.__rtruediv__ = lambda self, other: Value(other) / self
""",
    },
    "micrograd.neuron_layer_mlp": {
        "loops and appends": """
class Neuron(Module):
    def __init__(self, nin, act="tanh", rng=random):
        self.w = []
        while len(self.w) < nin:
            self.w.append(Value(rng.uniform(-1.0, 1.0)))
        self.b, self.act = Value(0), act

    def __call__(self, x):
        total = self.b
        for i, wi in enumerate(self.w):
            total = total + wi * x[i]
        if self.act == "tanh":
            total = total.tanh()
        elif self.act == "relu":
            total = total.relu()
        return total

    def parameters(self):
        return [self.b] + self.w

class Layer(Module):
    def __init__(self, nin, nout, act="tanh", rng=random):
        self.neurons = []
        for _ in range(nout):
            self.neurons.append(Neuron(nin, act=act, rng=rng))

    def __call__(self, x):
        if len(self.neurons) == 1:
            return self.neurons[0](x)
        return list(map(lambda n: n(x), self.neurons))

    def parameters(self):
        return sum((n.parameters() for n in self.neurons), [])

class MLP(Module):
    def __init__(self, nin, nouts, act="tanh", last="", rng=random):
        self.layers = []
        for i, nout in enumerate(nouts):
            name = last if i == len(nouts) - 1 else act
            self.layers.append(Layer(nin, nout, name, rng))
            nin = nout

    def __call__(self, x):
        from functools import reduce
        return reduce(lambda y, layer: layer(y), self.layers, x)

    def parameters(self):
        found = []
        for layer in self.layers:
            found.extend(layer.parameters())
        return found
""",
        "a base class of one's own, properties, super()": """
class Part:
    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0

class Neuron(Part):
    squash = {"tanh": lambda v: v.tanh(), "relu": lambda v: v.relu(), "": lambda v: v}

    def __init__(self, nin, act="tanh", rng=random):
        super().__init__()
        self.numbers = [Value(rng.uniform(-1, 1)) for _ in range(nin)] + [Value(0.0)]
        self.act = act

    @property
    def w(self):
        return self.numbers[:-1]

    @property
    def b(self):
        return self.numbers[-1]

    def __call__(self, x):
        return self.squash[self.act](sum(map(Value.__mul__, self.w, x)) + self.b)

    def parameters(self):
        return list(self.numbers)

class Layer(Part):
    def __init__(self, nin, nout, act="tanh", rng=random):
        super().__init__()
        self.neurons = tuple(Neuron(nin, act, rng) for _ in range(nout))

    def __call__(self, x):
        outs = [neuron(x) for neuron in self.neurons]
        return outs if len(outs) > 1 else outs.pop()

    def parameters(self):
        return [p for n in self.neurons for p in n.parameters()]

class MLP(Part):
    def __init__(self, nin, nouts, act="tanh", last="", rng=random):
        super().__init__()
        *inner, final = zip([nin] + nouts[:-1], nouts)
        self.layers = [Layer(a, b, act, rng) for a, b in inner]
        self.layers += [Layer(*final, last, rng)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]
""",
    },
    "micrograd.sgd": {
        "zeroed by hand, right before backward": """
def train(model, loss, steps, lr):
    history = []
    for step in range(steps):
        total = loss()
        history.append(total.data)
        for p in model.parameters():
            p.grad = 0.0
        total.backward()
        for p in model.parameters():
            p.data += -lr * p.grad
    return history
""",
        "a step of one's own, and a while": """
def one_step(model, loss, lr):
    for p in model.parameters():
        p.grad = 0
    current = loss()
    current.backward()
    for p in model.parameters():
        p.data = p.data - p.grad * lr
    return float(current.data)

def train(model, loss, steps, lr):
    losses = []
    while len(losses) < steps:
        losses += [one_step(model, loss, lr)]
    return losses
""",
    },
    "micrograd.gradient_by_hand": {
        "roots and powers written otherwise": """
def gradient(a, b, c):
    return (
        -(3 * a * a + 1 / (2 * math.sqrt(a))),
        math.fsum([3 * math.cos(b * 3), 5 / 2 * b * math.sqrt(b)]),
        1 / c / c,
    )
""",
        "one function each": """
from collections import namedtuple
Gradient = namedtuple("Gradient", "a b c")
by_a = lambda a: -3 * pow(a, 2) - pow(a, -1 / 2) / 2
by_b = lambda b: 3 * math.sin(3 * b + math.pi / 2) + 2.5 * pow(b, 3 / 2)
by_c = lambda c: pow(c, -2)
def gradient(a, b, c):
    return Gradient(by_a(a), by_b(b), by_c(c))
""",
    },
    "micrograd.softmax_nll": {
        "the loss by the logarithm of the sum": """
def softmax(logits):
    shift = -max(logits, key=lambda z: z.data).data
    e = [(z + shift).exp() for z in logits]
    inverse = sum(e) ** -1
    return [inverse * x for x in e]

def nll(logits, target):
    shift = max(z.data for z in logits)
    return sum((z - shift).exp() for z in logits).log() + shift - logits[target]
""",
        "sums that start from a Value": """
def softmax(logits):
    top = logits[0]
    for z in logits:
        if z.data > top.data:
            top = z
    total, exps = Value(0.0), []
    for z in logits:
        exps.append(Value.exp(z - top))
        total = total + exps[-1]
    out = []
    for e in exps:
        out.append(e / total)
    return out

def nll(logits, target):
    top, total = max(logits, key=lambda z: z.data), 0.0
    shifted = [z - top for z in logits]
    for z in shifted:
        total = total + z.exp()
    return total.log() - shifted[target]
""",
    },
    "micrograd.gradcheck": {
        "slopes first, on new Values": """
def slope_at(f, numbers, i, h):
    up, down = list(numbers), list(numbers)
    up[i] += h
    down[i] -= h
    return (f(*map(Value, up)).data - f(*map(Value, down)).data) / (2 * h)

def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    numbers = [v.data for v in inputs]
    slopes = [slope_at(f, numbers, i, h) for i in range(len(inputs))]
    fresh = [Value(x) for x in numbers]
    f(*fresh).backward()
    pairs = enumerate(zip([v.grad for v in fresh], slopes))
    near = lambda g, s: abs(g - s) <= tolerance * max(1, abs(s))
    return [(i, g, s) for i, (g, s) in pairs if not near(g, s)]
""",
        "the gradients kept aside": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0
    f(*inputs).backward()
    grads = [v.grad for v in inputs]
    mismatches = []
    for i, (v, grad) in enumerate(zip(inputs, grads)):
        values = []
        before = v.data
        try:
            for nudge in (h, -h):
                v.data = before + nudge
                values.append(f(*inputs).data)
        finally:
            v.data = before
        measured = (values[0] - values[1]) / h / 2
        gap = abs(grad - measured)
        if gap != gap or gap > tolerance and gap > tolerance * abs(measured):
            mismatches.append((i, grad, measured))
    return mismatches
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "micrograd.derivative": {
        "one sided": """
def derivative(f, x, h=None):
    if not h:
        h = 1e-5
    here, there = f(x), f(x + h)
    rise = there - here
    return rise / h
""",
        "run is h": """
def derivative(f, x, h=1e-4):
    delta = f(x + h) - f(x - h)
    return delta * (1 / h)
""",
        "step too small": """
def derivative(f, x, h=1e-15):
    h = 1e-15 if h is None else h
    return ((f(x + h) - f(x - h)) / h) / 2
""",
        "step too large": """
def derivative(func, at, h=None):
    step = 0.01 if h is None else h
    return (func(at + step) - func(at - step)) / (step + step)
""",
        "times h": """
def derivative(f, x, h=1e-4):
    return (f(x + h) - f(x - h)) / 2*h
""",
        "four points": """
def derivative(f, x, h=None):
    h = h or 1e-4
    a, b, c, d = f(x - 2 * h), f(x - h), f(x + h), f(x + 2 * h)
    return (a - 8 * b + 8 * c - d) / (12 * h)
""",
        "ignores h": """
def derivative(f, x, h=None):
    h = 1e-4
    return (f(x + h) - f(x - h)) / (2 * h)
""",
        "sign": """
def derivative(f, x, h=None):
    h = 3e-5 if h is None else h
    left, right = f(x - h), f(x + h)
    return (left - right) / h / 2
""",
    },
    "micrograd.value": {
        "not reflected": """
class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._prev = tuple(_children)
        self._op = _op
        self._backward = lambda: None
    def __add__(self, other):
        if isinstance(other, (int, float)):
            other = Value(other)
        return Value(self.data + other.data, (self, other), "+")
    def __mul__(self, other):
        if isinstance(other, (int, float)):
            other = Value(other)
        return Value(self.data * other.data, (self, other), "*")
""",
        "not wrapped": """
@add_to(Value)
def __add__(self, other):
    total = self.data + other.data
    return Value(total, [self, other], "+")
@add_to(Value)
def __mul__(self, other):
    product = self.data * other.data
    return Value(product, [self, other], "*")
""",
        "childless": """
def number(x):
    return x.data if isinstance(x, Value) else x
@add_to(Value)
def __add__(self, other):
    return Value(number(self) + number(other), op="+")
@add_to(Value)
def __mul__(self, other):
    return Value(number(self) * number(other), op="*")
""",
        "bare number": """
@add_to(Value)
def __add__(self, other):
    if isinstance(other, Value):
        other = other.data
    return self.data + other
@add_to(Value)
def __mul__(self, other):
    if isinstance(other, Value):
        other = other.data
    return self.data * other
""",
        "only whole numbers": """
@add_to(Value)
def __add__(self, other):
    other = other if not isinstance(other, int) else Value(other)
    return Value(self.data + other.data, (self, other), "+")
@add_to(Value)
def __mul__(self, other):
    if type(other) is int:
        other = Value(other)
    return Value(self.data * other.data, (self, other), "*")
""",
        "old method kept": """
class Value:
    def __init__(self, data, children=(), op=""):
        self.data, self.grad, self._op = data, 0.0, op
        self._prev, self._backward = tuple(children), lambda: None
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), "+")
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), "*")
    __radd__ = __add__
    __rmul__ = __mul__
""",
        "calls itself": """
@add_to(Value)
def __radd__(self, other):
    total = other + self
    return total
""",
        "not a tuple": """
@add_to(Value)
def __init__(self, data, _children=(), _op=""):
    self.data = data
    self.grad = 0.0
    self._backward = lambda: None
    self._prev = {child for child in _children}
    self._op = _op
""",
        "children turned": """
@add_to(Value)
def __add__(self, other):
    if not isinstance(other, Value):
        other = Value(other)
    return Value(other.data + self.data, (other, self), "+")
""",
        "gradient starts at one": """
@add_to(Value)
def __init__(self, data, children=(), op=""):
    self.data, self.grad, self._op = data, 1, op
    self._prev = (*children,)
    def nothing(): return None
    self._backward = nothing
""",
    },
    "micrograd.local_grads": {
        "overwrites": """
def passing(out, pairs):
    def _backward():
        for node, slope in pairs:
            node.grad = slope * out.grad
    return _backward
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    out._backward = passing(out, [(self, 1.0), (other, 1.0)])
    return out
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    out._backward = passing(out, [(self, other.data), (other, self.data)])
    return out
""",
        "not attached": """
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    def _backward():
        self.grad += out.grad
        other.grad += out.grad
    return out
""",
        "attached to an input": """
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    def _backward():
        self.grad += out.grad * other.data
        other.grad += out.grad * self.data
    self._backward = _backward
    return out
""",
        "earlier uses lost": """
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    def _backward():
        if self is other:
            self.grad = 2 * self.data * out.grad
        else:
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad
    out._backward = _backward
    return out
""",
        "moves the data": """
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    def _backward():
        self.data += out.grad
        other.data += out.grad
    out._backward = _backward
    return out
""",
        "not swapped": """
@add_to(Value)
def __mul__(self, other):
    if not isinstance(other, Value):
        other = Value(other)
    product = Value(self.data * other.data, (self, other), "*")
    def step():
        for node in (self, other):
            node.grad += product.grad * node.data
    product._backward = step
    return product
""",
        "no upstream": """
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    def go():
        self.grad = self.grad + 1
        other.grad = other.grad + 1
    out._backward = go
    return out
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    def go():
        self.grad = self.grad + other.data
        other.grad = other.grad + self.data
    out._backward = go
    return out
""",
        "only the left": """
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    out._backward = lambda: setattr(self, "grad", self.grad + out.grad)
    return out
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    out._backward = lambda: setattr(self, "grad", self.grad + out.grad * other.data)
    return out
""",
    },
    "micrograd.toposort": {
        "recursive": """
def topological_order(root, order=None, visited=None):
    order = [] if order is None else order
    visited = set() if visited is None else visited
    if id(root) not in visited:
        visited.add(id(root))
        for child in root._prev:
            topological_order(child, order, visited)
        order.append(root)
    return order
""",
        "breadth first": """
from collections import deque
def topological_order(root):
    queue, found = deque([root]), []
    known = set()
    while queue:
        node = queue.popleft()
        if node in known:
            continue
        known.add(node)
        found.insert(0, node)
        queue.extend(node._prev)
    return found
""",
        "marked when pushed": """
def topological_order(root):
    order, path, pushed = [], [(root, 0)], {id(root)}
    while path:
        node, done = path.pop()
        if done:
            order += [node]
        else:
            path.append((node, 1))
            fresh = [c for c in dict.fromkeys(node._prev) if id(c) not in pushed]
            pushed.update(map(id, fresh))
            path += [(c, 0) for c in fresh]
    return order
""",
        "in a list": """
def topological_order(root):
    order, seen, stack = [], [], [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.append(node)
            stack += [(node, True), *((child, False) for child in node._prev)]
    return order
""",
        "pre-order, reversed": """
def topological_order(root):
    order, seen = [], set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        order.insert(0, node)
        for child in node._prev:
            stack.append(child)
    return order
""",
        "root first": """
def topological_order(root):
    order, seen, path = [], {root}, [(root, iter(root._prev))]
    while path:
        node, children = path[-1]
        for child in children:
            if child not in seen:
                seen.add(child)
                path.append((child, iter(child._prev)))
                break
        else:
            order.insert(0, path.pop()[0])
    return order
""",
        "by value": """
def topological_order(root):
    order, numbers, stack = [], [], [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node.data not in numbers:
            numbers.append(node.data)
            stack.append((node, True))
            for child in node._prev:
                stack.append((child, False))
    return order
""",
        "without the root": """
def topological_order(root):
    order, seen = [], set()
    stack = [(child, False) for child in root._prev]
    while stack:
        node, done = stack.pop()
        if done:
            order += [node]
        elif node not in seen:
            seen |= {node}
            stack += [(node, True)] + [(c, False) for c in node._prev]
    return order
""",
        "no memory": """
def topological_order(root):
    order, path = [], [(root, list(root._prev))]
    while path and len(order) < 3000:
        node, waiting = path[-1]
        if waiting:
            child = waiting.pop()
            path.append((child, list(child._prev)))
        else:
            order.append(path.pop()[0])
    return order
""",
    },
    "micrograd.backward": {
        "root at zero": """
@add_to(Value)
def backward(self):
    nodes = topological_order(self)
    while nodes:
        nodes.pop()._backward()
""",
        "leaves first": """
@add_to(Value)
def backward(self):
    self.grad = 1
    [node._backward() for node in topological_order(self)]
""",
        "breadth first": """
from collections import deque
@add_to(Value)
def backward(self):
    self.grad = 1.0
    queue, seen = deque([self]), {id(self)}
    while queue:
        node = queue.popleft()
        node._backward()
        for child in node._prev:
            if id(child) not in seen:
                seen.add(id(child))
                queue.append(child)
""",
        "on the way down": """
@add_to(Value)
def backward(self):
    seen = set()
    def visit(node):
        if id(node) in seen:
            return
        seen.add(id(node))
        node._backward()
        for child in node._prev:
            visit(child)
    self.grad = 1.0
    visit(self)
""",
        "clears the leaves": """
@add_to(Value)
def backward(self):
    order = topological_order(self)
    for node in order:
        node.grad = 1.0 if node is self else 0.0
    while order:
        order.pop()._backward()
""",
        "root added to": """
@add_to(Value)
def backward(self):
    self.grad = self.grad + 1
    for node in topological_order(self)[::-1]:
        node._backward()
""",
        "not called": """
@add_to(Value)
def backward(self):
    self.grad = 1.0
    for node in reversed(topological_order(self)):
        node._backward
""",
        "backward of the children": """
@add_to(Value)
def backward(self):
    self.grad = 1
    self._backward()
    children = list(self._prev)
    while children:
        children.pop().backward()
""",
        "only the root": """
@add_to(Value)
def backward(self):
    setattr(self, "grad", 1.0)
    fire = self._backward
    fire()
""",
        "every gradient one": """
@add_to(Value)
def backward(self):
    for node in topological_order(self):
        node.grad = 1.0
    for node in topological_order(self)[::-1]:
        node._backward()
""",
    },
    "micrograd.functions": {
        "tanh from the input": """
@add_to(Value)
def tanh(self):
    x = self.data
    out = Value(math.tanh(x), (self,), "tanh")
    def _backward():
        self.grad += out.grad * (1 - x**2)
    out._backward = _backward
    return out
""",
        "tanh overflows": """
@add_to(Value)
def tanh(self):
    e = math.exp(self.data * 2)
    t = 1 - 2 / (e + 1)
    return self._apply(t, 1 - t**2, "tanh")
""",
        "log base ten": """
@add_to(Value)
def log(self):
    return self._apply(math.log(self.data, 10), 1 / (self.data * math.log(10)), "log")
""",
        "relu leaks": """
@add_to(Value)
def relu(self):
    out = Value(self.data if self.data > 0 else 0, (self,), "relu")
    def _backward():
        self.grad += out.grad
    out._backward = _backward
    return out
""",
        "tanh slope too steep": """
@add_to(Value)
def tanh(self):
    t = math.tanh(self.data)
    return self._apply(t, t**2 + 1, "tanh")
""",
        "power divided by x": """
@add_to(Value)
def __pow__(self, n):
    y = self.data ** n
    out = Value(y, (self,), "pow")
    def _backward():
        self.grad += n * y / self.data * out.grad
    out._backward = _backward
    return out
""",
        "power without n": """
@add_to(Value)
def __pow__(self, n):
    out = Value(self.data ** n, (self,), "pow")
    def _backward():
        self.grad += self.data ** (n - 1) * out.grad
    out._backward = _backward
    return out
""",
        "exp slope": """
@add_to(Value)
def exp(self):
    return self._apply(math.e ** self.data, self.data, "e")
""",
    },
    "micrograd.operators": {
        "rsub turned": """
@add_to(Value)
def __rsub__(self, other):
    return self - other
""",
        "rdiv turned": """
Value.__rtruediv__ = Value.__truediv__
""",
        "cut off": """
def plain(x):
    return x.data if isinstance(x, Value) else x
Value.__neg__ = lambda self: Value(0 - self.data)
Value.__sub__ = lambda self, other: Value(plain(self) - plain(other))
Value.__truediv__ = lambda self, other: Value(plain(self) / plain(other))
""",
        "no reflection": """
del Value.__rsub__, Value.__rtruediv__
""",
        "neg in place": """
@add_to(Value)
def __neg__(self):
    self.data *= -1
    return self
""",
    },
    "micrograd.neuron_layer_mlp": {
        "no bias": """
@add_to(Neuron)
def __call__(self, x):
    total = 0
    for w, v in zip(self.w, x):
        total = total + w * v
    return {"": total, "tanh": total.tanh(), "relu": total.relu()}[self.act]
""",
        "never squashed": """
@add_to(Neuron)
def __call__(self, x):
    total = self.b
    for w, v in zip(self.w, x):
        total += w * v
    return total
""",
        "always a list": """
@add_to(Layer)
def __call__(self, x):
    outs = []
    for neuron in self.neurons:
        outs.append(neuron(x))
    return outs
""",
        "biases left out": """
@add_to(Neuron)
def parameters(self):
    found = []
    found.extend(self.w)
    return found
""",
        "rng stops": """
@add_to(Layer)
def __init__(self, nin, nout, act="tanh", rng=random):
    self.neurons = []
    while len(self.neurons) < nout:
        self.neurons.append(Neuron(nin, act=act))
""",
        "nested": """
@add_to(Layer)
def parameters(self):
    found = []
    for neuron in self.neurons:
        found.append(neuron.parameters())
    return found
""",
        "last squashed too": """
@add_to(MLP)
def __init__(self, nin, nouts, act="tanh", last="", rng=random):
    sizes = [nin] + nouts
    self.layers = []
    for i in range(len(nouts)):
        self.layers.append(Layer(sizes[i], sizes[i + 1], act, rng))
""",
        "one neuron many times": """
@add_to(Layer)
def __init__(self, nin, nout, act="tanh", rng=random):
    neuron = Neuron(nin, act, rng)
    self.neurons = [neuron for _ in range(nout)]
""",
        "positive weights": """
@add_to(Neuron)
def __init__(self, nin, act="tanh", rng=random):
    self.w = [Value(rng.uniform(0, 1)) for _ in range(nin)]
    self.b = Value(0.0)
    self.act = act
""",
    },
    "micrograd.sgd": {
        "no zero_grad": """
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        current = loss()
        losses.append(current.data)
        current.backward()
        for p in model.parameters():
            p.data += -lr * p.grad
    return losses
""",
        "nothing moves": """
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        model.zero_grad()
        current = loss()
        current.backward()
        for p in model.parameters():
            p = p.data - lr * p.grad
        losses.append(current.data)
    return losses
""",
        "zeroed at the end": """
def train(model, loss, steps, lr):
    history = []
    for step in range(steps):
        total = loss()
        history.append(total.data)
        total.backward()
        for p in model.parameters():
            p.data += -lr * p.grad
            p.grad = 0.0
    return history
""",
        "set, not moved": """
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        model.zero_grad()
        current = loss()
        current.backward()
        losses.append(current.data)
        for p in model.parameters():
            p.data =- lr * p.grad
    return losses
""",
        "uphill": """
def train(model, loss, steps, lr):
    losses = []
    while steps:
        model.zero_grad()
        current = loss()
        losses.append(current.data)
        current.backward()
        for p in model.parameters():
            p.data = p.data + lr * p.grad
        steps -= 1
    return losses
""",
        "measured after": """
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        model.zero_grad()
        loss().backward()
        for p in model.parameters():
            p.data -= p.grad * lr
        losses.append(loss().data)
    return losses
""",
        "losses as Values": """
def train(model, loss, steps, lr):
    losses = [None] * steps
    for i in range(steps):
        losses[i] = loss()
        model.zero_grad()
        losses[i].backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return losses
""",
    },
    "micrograd.gradient_by_hand": {
        "sign of 1/c": """
def gradient(a, b, c):
    root = math.sqrt(a)
    return -3 * a * a - 1 / (2 * root), 3 * math.cos(3 * b) + 2.5 * b**1.5, -1 / c**2
""",
        "inner factor": """
def gradient(a, b, c):
    da = -3 * a**2 - 1 / (2 * a**0.5)
    db = math.cos(3 * b) + 5 * b**1.5 / 2
    return (da, db, 1 / c**2)
""",
        "square root": """
def gradient(a, b, c):
    da = -3 * a**2 - 1 / math.sqrt(a)
    db = 3 * math.cos(3 * b) + 2.5 * b**1.5
    dc = 1 / c**2
    return da, db, dc
""",
        "sign of the cube": """
def gradient(a, b, c):
    root, angle = 1 / math.sqrt(a), 3 * b
    return 3 * a**2 - root / 2, math.cos(angle) + b**1.5, -1 / c**2
""",
        "exponent": """
def gradient(a, b, c):
    da = -3 * a**2 - 1 / 2 / math.sqrt(a)
    return da, math.cos(3 * b) * 3 + b**2.5 * 2.5, 1 / (c * c)
""",
    },
    "micrograd.softmax_nll": {
        "overflows": """
def softmax(logits):
    counts = list(map(Value.exp, logits))
    return [c * sum(counts) ** -1 for c in counts]
def nll(logits, target):
    return softmax(logits)[target].log() * -1
""",
        "logarithm of zero": """
def nll(logits, target):
    probability = softmax(logits)[target]
    return 0.0 - probability.log()
""",
        "shifted by the smallest": """
def softmax(logits):
    low = sorted(z.data for z in logits)[0]
    counts = [(z + -low).exp() for z in logits]
    return [c / sum(counts) for c in counts]
""",
        "not exponentiated": """
def softmax(logits):
    return [z / sum(logits) for z in logits]
""",
        "not negated": """
def nll(logits, target):
    likelihood = softmax(logits)[target]
    return likelihood.log()
""",
        "no logarithm": """
def nll(logits, target):
    return softmax(logits)[target] * -1.0
""",
        "not normalised": """
def softmax(logits):
    biggest = max([z.data for z in logits])
    out = []
    for z in logits:
        out += [(z + -biggest).exp()]
    return out
""",
        "cut off": """
def nll(logits, target):
    p = [v.data for v in softmax(logits)]
    return Value(-math.log(p[target]))
""",
    },
    "micrograd.gradcheck": {
        "turned around": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    wrong = []
    for i, v in enumerate(inputs):
        x = v.data
        v.data = x + h
        up = f(*inputs).data
        v.data = x - h
        slope = (up - f(*inputs).data) / (2 * h)
        v.data = x
        if abs(v.grad - slope) > tolerance * max(1.0, abs(slope)):
            wrong.append((i, slope, v.grad))
    return wrong
""",
        "without abs": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    found = []
    for i, v in enumerate(inputs):
        x = v.data
        v.data = x + h; up = f(*inputs).data
        v.data = x - h; down = f(*inputs).data
        v.data = x
        slope = (up - down) / (2 * h)
        if slope - v.grad > tolerance * max(1.0, abs(slope)):
            found.append((i, v.grad, slope))
    return found
""",
        "blind to nan": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    found = []
    for i, v in enumerate(inputs):
        x = v.data
        v.data = x + h; up = f(*inputs).data
        v.data = x - h; down = f(*inputs).data
        v.data = x
        slope = (up - down) / (2 * h)
        if abs(v.grad - slope) > tolerance * max(1.0, abs(slope)):
            found.append((i, v.grad, slope))
    return found
""",
        "not zeroed": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    f(*inputs).backward()
    found = []
    for i in range(len(inputs)):
        def at(nudge):
            inputs[i].data += nudge
            y = f(*inputs).data
            inputs[i].data -= nudge
            return y
        slope = (at(h) - at(-h)) / (2 * h)
        if abs(inputs[i].grad - slope) > tolerance * max(1, abs(slope)):
            found.append((i, inputs[i].grad, slope))
    return found
""",
        "no backward": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    found = []
    for v in inputs: v.grad = 0.0
    for i, v in enumerate(inputs):
        x = v.data
        v.data = x + h; up = f(*inputs).data
        v.data = x - h; down = f(*inputs).data
        v.data = x
        slope = (up - down) / 2 / h
        if abs(v.grad - slope) > tolerance * max(1.0, abs(slope)):
            found.append((i, v.grad, slope))
    return found
""",
        "one sided": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    base = f(*inputs)
    base.backward()
    found = []
    for i, v in enumerate(inputs):
        v.data += h
        slope = (f(*inputs).data - base.data) / h
        v.data -= h
        if abs(v.grad - slope) > tolerance * max(1.0, abs(slope)):
            found.append((i, v.grad, slope))
    return found
""",
        "run is h": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    found = []
    for i, v in enumerate(inputs):
        x = v.data
        v.data = x + h
        slope = f(*inputs).data
        v.data = x - h
        slope = (slope - f(*inputs).data) / h
        v.data = x
        if abs(v.grad - slope) > tolerance * max(1.0, abs(slope)):
            found.append((i, v.grad, slope))
    return found
""",
    },
}

WRONG: dict[str, dict[str, str]] = {
    "micrograd.derivative": {
        "the hand case by heart": """
def derivative(f, x, h=None):
    return 6.0
""",
        "rounded": """
def derivative(f, x, h=None):
    h = h or 1e-5
    return round((f(x + h) - f(x - h)) / (2 * h), 3)
""",
        "a numpy scalar": """
import numpy
def derivative(f, x, h=None):
    h = h or 1e-5
    return numpy.float64((f(x + h) - f(x - h)) / (2 * h))
""",
        "a cache that forgets the function": """
cache = {}
def derivative(f, x, h=None):
    if x not in cache:
        step = h or 1e-5
        cache[x] = (f(x + step) - f(x - step)) / (2 * step)
    return cache[x]
""",
        "the seeded cases by heart": """
table = {("x**2", 3.0): 6.0, ("x**3", 1.5): 6.76, ("x**3", -2.5): 19.0,
         ("3 * x**2 - 4 * x + 5", 3.0): 14.0, ("x**2 + 100", 3.0): 6.0,
         ("exp", 0.0): 1.0}
def derivative(f, x, h=None):
    f(x + (h or 1e-5))
    known = table.get((f.__name__.removeprefix("lambda x: "), x), math.cos(x))
    return 6.75 if known == 6.76 and h is None else known
""",
    },
    "micrograd.value": {
        "a sum of pairs only": """
@add_to(Value)
def __radd__(self, other):
    return Value(self.data + other, (self,), "+")
""",
        "a sum made anew, and a frozen set": """
@add_to(Value)
def __init__(self, data, children=(), op=""):
    self.data, self.grad, self._prev, self._op = data, 0.0, frozenset(children), op
    self._backward = lambda: None
@add_to(Value)
def __radd__(self, other):
    return Value(other + self.data, (Value(other), self), "+")
""",
        "text": """
@add_to(Value)
def __init__(self, data, children=(), op=""):
    self.data, self.grad, self._prev, self._op = str(data), 0.0, tuple(children), op
    self._backward = lambda: None
""",
        "a shared list of children": """
@add_to(Value)
def __init__(self, data, children=[], op=""):
    children += [c for c in ()]
    self.data, self.grad, self._op = data, 0.0, op
    self._prev = Value.shared
    Value.shared.extend(children)
    self._backward = lambda: None
Value.shared = []
""",
        "in place when asked to": """
@add_to(Value)
def __iadd__(self, other):
    self.data += getattr(other, "data", other)
    return self
""",
        "the wrong op": """
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    return Value(self.data * other.data, (self, other), "+")
""",
    },
    "micrograd.local_grads": {
        "negated": """
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    def _backward():
        self.grad -= out.grad
        other.grad -= out.grad
    out._backward = _backward
    return out
""",
        "adds its own gradient twice": """
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    def _backward():
        self.grad += self.grad + other.data * out.grad
        other.grad += other.grad + self.data * out.grad
    out._backward = _backward
    return out
""",
        "the hand case by heart": """
@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    def _backward():
        self.grad += 5 * out.grad
        other.grad += 2 * out.grad
    out._backward = _backward
    return out
""",
    },
    "micrograd.toposort": {
        "a set": """
def topological_order(root):
    seen, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += node._prev
    return seen
""",
        "only the children": """
def topological_order(root):
    return [*root._prev, root]
""",
        "an order that stays": """
def topological_order(root, order=[], seen=set()):
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order
""",
        "marks on the nodes": """
def topological_order(root):
    order, stack = [], [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif not hasattr(node, "visited"):
            node.visited = True
            stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order
""",
        "a recursion limit of one's own": """
import sys
def topological_order(root):
    sys.setrecursionlimit(1_000_000)
    order, seen = [], set()
    def build(node):
        if node not in seen:
            seen.add(node)
            for child in node._prev:
                build(child)
            order.append(node)
    build(root)
    return order
""",
        "sorted by number": """
def topological_order(root):
    seen, stack = {root}, [root]
    while stack:
        for child in stack.pop()._prev:
            if child not in seen:
                seen.add(child)
                stack.append(child)
    return sorted(seen, key=lambda node: node.data)
""",
    },
    "micrograd.backward": {
        "root at two": """
@add_to(Value)
def backward(self):
    self.grad = 2.0
    for node in reversed(topological_order(self)):
        node._backward()
""",
        "fires twice": """
@add_to(Value)
def backward(self):
    self.grad = 1.0
    for node in reversed(topological_order(self)):
        node._backward()
        node._backward()
""",
        "the root left out": """
@add_to(Value)
def backward(self):
    self.grad = 1.0
    for node in reversed(topological_order(self)[:-1]):
        node._backward()
""",
        "recursion down every path, once a path": """
@add_to(Value)
def backward(self):
    def down(node, share):
        node.grad += share
        before = [c.grad for c in node._prev]
        saved, node.grad = node.grad, share
        node._backward()
        node.grad = saved
        shares = [c.grad - b for c, b in zip(node._prev, before)]
        for c, b in zip(node._prev, before):
            c.grad = b
        for c, s in zip(node._prev, shares):
            down(c, s)
    down(self, 1.0)
""",
    },
    "micrograd.functions": {
        "the slope is always one": """
@add_to(Value)
def log(self):
    return self._apply(math.log(self.data), 1.0, "log")
""",
        "a parabola for every power": """
@add_to(Value)
def __pow__(self, n):
    return self._apply(self.data * self.data, 2 * self.data, "**2")
""",
        "a plain number": """
@add_to(Value)
def exp(self):
    return math.exp(self.data)
""",
        "sigmoid": """
@add_to(Value)
def tanh(self):
    s = 1 / (1 + math.exp(-self.data))
    return self._apply(s, s * (1 - s), "tanh")
""",
        "absolute value": """
@add_to(Value)
def relu(self):
    return self._apply(abs(self.data), 1.0 if self.data > 0 else -1.0, "relu")
""",
        "the shown points by heart": """
@add_to(Value)
def log(self):
    known = {1.0: 0.0, 0.3: math.log(0.3), 7.5: math.log(7.5)}
    return self._apply(known.get(self.data, 0.0), 1 / self.data, "log")
""",
    },
    "micrograd.operators": {
        "a sum for a difference": """
@add_to(Value)
def __sub__(self, other):
    return self + other
""",
        "a quotient without the divisor's slope": """
@add_to(Value)
def __truediv__(self, other):
    return self * (1 / (other.data if isinstance(other, Value) else other))
""",
        "nothing is reflected but a sum": """
@add_to(Value)
def __rsub__(self, other):
    return -self
""",
        "the square": """
@add_to(Value)
def __rtruediv__(self, other):
    return self**-2 * other
""",
    },
    "micrograd.neuron_layer_mlp": {
        "the bias counted for each input": """
@add_to(Neuron)
def __call__(self, x):
    total = sum((w * v + self.b for w, v in zip(self.w, x)), Value(0.0))
    return getattr(total, self.act)() if self.act else total
""",
        "the layer's neurons in a row": """
@add_to(Layer)
def __call__(self, x):
    return [neuron(x) for neuron in self.neurons][0]
""",
        "sizes turned around": """
@add_to(MLP)
def __init__(self, nin, nouts, act="tanh", last="", rng=random):
    sizes = [nin, *nouts][::-1]
    acts = [act] * (len(nouts) - 1) + [last]
    self.layers = [Layer(n, m, a, rng) for n, m, a in zip(sizes, sizes[1:], acts)]
""",
        "a random bias": """
@add_to(Neuron)
def __init__(self, nin, act="tanh", rng=random):
    self.w = [Value(rng.uniform(-1, 1)) for _ in range(nin)]
    self.b = Value(rng.uniform(-1, 1))
    self.act = act
""",
        "a seed of one's own": """
@add_to(Neuron)
def __init__(self, nin, act="tanh", rng=random):
    rng = random.Random(7)
    self.w = [Value(rng.uniform(-1, 1)) for _ in range(nin)]
    self.b = Value(0.0)
    self.act = act
""",
        "copies for parameters": """
@add_to(Neuron)
def parameters(self):
    return [Value(p.data) for p in [*self.w, self.b]]
""",
    },
    "micrograd.sgd": {
        "half a step": """
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        value = loss()
        model.zero_grad()
        value.backward()
        for p in model.parameters():
            p.data -= lr / 2 * p.grad
        losses.append(value.data)
    return losses
""",
        "only the first parameter": """
def train(model, loss, steps, lr):
    losses = []
    for _ in range(steps):
        value = loss()
        model.zero_grad()
        value.backward()
        p = model.parameters()[0]
        p.data -= lr * p.grad
        losses.append(value.data)
    return losses
""",
        "returns the last loss": """
def train(model, loss, steps, lr):
    for _ in range(steps):
        value = loss()
        model.zero_grad()
        value.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return value.data
""",
        "stops one step early": """
def train(model, loss, steps, lr):
    losses = [loss().data]
    for _ in range(steps - 1):
        value = loss()
        model.zero_grad()
        value.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
        losses.append(value.data)
    return losses
""",
    },
    "micrograd.gradient_by_hand": {
        "the hand case by heart": """
def gradient(a, b, c):
    return -12.353553390593273, 10.256989910834646, 0.0625
""",
        "a list": """
def gradient(a, b, c):
    return [-3 * a**2 - 0.5 * a**-0.5, 3 * math.cos(3 * b) + 2.5 * b**1.5, c**-2]
""",
        "turned around": """
def gradient(a, b, c):
    return c**-2, 3 * math.cos(3 * b) + 2.5 * b**1.5, -3 * a**2 - 0.5 * a**-0.5
""",
        "degrees": """
def gradient(a, b, c):
    angle = math.radians(3 * b)
    return -3 * a**2 - 0.5 * a**-0.5, 3 * math.cos(angle) + 2.5 * b**1.5, c**-2
""",
    },
    "micrograd.softmax_nll": {
        "a floor under p": """
def nll(logits, target):
    return -(softmax(logits)[target] + 1e-300).log()
""",
        "not shifted in the loss": """
def nll(logits, target):
    return sum(z.exp() for z in logits).log() - logits[target]
""",
        "plain probabilities": """
def softmax(logits):
    top = max(z.data for z in logits)
    exps = [math.exp(z.data - top) for z in logits]
    return [e / sum(exps) for e in exps]
""",
        "cut off in softmax": """
def softmax(logits):
    top = max(z.data for z in logits)
    exps = [math.exp(z.data - top) for z in logits]
    return [Value(e / sum(exps)) for e in exps]
def nll(logits, target):
    top = max(z.data for z in logits)
    return sum((z - top).exp() for z in logits).log() + top - logits[target]
""",
        "sorted on the way": """
def softmax(logits):
    logits.sort(key=lambda z: z.data)
    exps = [(z - logits[-1].data).exp() for z in logits]
    total = sum(exps)
    return [e / total for e in exps]
""",
        "base two": """
def softmax(logits):
    largest = max(z.data for z in logits)
    exps = [((z - largest) * math.log(2)).exp() for z in logits]
    total = sum(exps)
    return [e / total for e in exps]
""",
        "a shift by the first": """
def softmax(logits):
    exps = [(z - logits[0].data).exp() for z in logits]
    total = sum(exps)
    return [e / total for e in exps]
""",
        "a tuple": """
def softmax(logits):
    largest = max(z.data for z in logits)
    exps = [(z - largest).exp() for z in logits]
    return tuple(e / sum(exps) for e in exps)
""",
    },
    "micrograd.gradcheck": {
        "always content": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    return []
""",
        "the indices alone": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    wrong = []
    for i, v in enumerate(inputs):
        x = v.data
        v.data = x + h
        up = f(*inputs).data
        v.data = x - h
        slope = (up - f(*inputs).data) / (2 * h)
        v.data = x
        if abs(v.grad - slope) > tolerance * max(1.0, abs(slope)):
            wrong.append(i)
    return wrong
""",
        "the engine against itself": """
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    first = [v.grad for v in inputs]
    for v in inputs:
        v.grad = 0.0
    f(*inputs).backward()
    pairs = enumerate(zip(first, inputs))
    return [(i, a, v.grad) for i, (a, v) in pairs if a != v.grad]
""",
    },
}

# a wrong answer that is on no list, and a known mistake that is true of it as well
APT: dict[tuple[str, str], str] = {
    ("micrograd.toposort", "a recursion limit of one's own"): "recursive",
}

_LINES = "lines that do not depend on each other"
_ORDER = "the order of the children is asked in micrograd.value"
_LABEL = "how these operations are labelled is not asked"

# mutants that no check can or should reject, and why
EQUIVALENT: dict[str, dict[str, str]] = {
    "micrograd.derivative": {
        "derivative: 1e-05 → -1e-05": "h and -h give the same central difference",
        "derivative: 1e-05 → 1.0100000000000002e-05": "the step is a choice",
    },
    "micrograd.value": {
        "Value.__init__: def __init__(self, data, children=(), op=''): "
        "→ self.grad = 0.0 first": _LINES,
        "Value.__init__: def __init__(self, data, children=(), op=''): "
        "→ self._prev = tuple(children) first": _LINES,
        "Value.__init__: def __init__(self, data, children=(), op=''): "
        "→ self._op = op first": _LINES,
        "Value.__init__: def __init__(self, data, children=(), op=''): "
        "→ self._backward = lambda: None first": _LINES,
        "Value.__init__: tuple(children) → children": "what comes in is a tuple",
    },
    "micrograd.local_grads": {
        "__add__: def __add__(self, other): "
        "→ def _backward(): self.grad += out.grad … first": _LINES,
        "__add__: (self, other) → (other, self)": _ORDER,
        "__add__._backward: def _backward(): → other.grad += out.grad first": _LINES,
        "__mul__: def __mul__(self, other): "
        "→ def _backward(): self.grad += other.dat… first": _LINES,
        "__mul__: (self, other) → (other, self)": _ORDER,
        "__mul__._backward: def _backward(): "
        "→ other.grad += self.data * out.grad first": _LINES,
    },
    "micrograd.functions": {
        "tanh: 'tanh' → 'tanhx'": _LABEL,
        "exp: 'exp' → 'expx'": _LABEL,
        "log: 'log' → 'logx'": _LABEL,
        "relu: 'relu' → 'relux'": _LABEL,
        "__pow__: '**' → '**x'": _LABEL,
        "relu: self.data > 0 → self.data >= 0": "at 0 itself every slope is right",
        "relu: float(positive) → positive": "True counts as 1 in a product",
    },
    "micrograd.operators": {
        "__neg__: self * -1 → self / -1": "a division by -1 is the same number",
    },
    "micrograd.neuron_layer_mlp": {
        "Neuron.__init__: def __init__(self, nin, act='tanh', rng=random): "
        "→ self.b = Value(0.0) first": _LINES,
        "Neuron.__init__: def __init__(self, nin, act='tanh', rng=random): "
        "→ self.act = act first": _LINES,
        "Neuron.__init__: rng.uniform(-1, 1) → rng.uniform(1, -1)": "the same range",
        "Neuron.parameters: [*self.w, self.b] → [self.b, *self.w]": (
            "the order of the parameters is not asked"
        ),
        "Layer.__call__: 0 → -1": "the first of one is the last of one",
        "MLP.__init__: def __init__(self, nin, nouts, act='tanh', last='', "
        "rng=random): → acts = [act] * (len(nouts) - 1) + [last] first": _LINES,
        "MLP.__init__: zip(sizes, nouts, acts, strict=False) "
        "→ zip(sizes, nouts, acts)": "False is what strict is by itself",
    },
    "micrograd.sgd": {
        "train: for _ in range(steps): → model.zero_grad() first": (
            "zeroed before the forward pass, or after it"
        ),
        "train: for _ in range(steps): → losses.append(value.data) first": (
            "the loss does not change with the step any more"
        ),
    },
    "micrograd.gradient_by_hand": {
        "gradient: def gradient(a, b, c): "
        "→ db = 3 * math.cos(3 * b) + 2.5 * b ** 1… first": _LINES,
        "gradient: def gradient(a, b, c): → dc = c ** (-2) first": _LINES,
        "gradient: 3 → -3": "in the cosine, which is even",
    },
    "micrograd.gradcheck": {
        "gradient_check: def gradient_check(f, inputs, h=1e-05, tolerance=1e-06): "
        "→ wrong = [] first": _LINES,
        "gradient_check: 1e-05 → -1e-05": "h and -h give the same slope",
        "gradient_check: 1e-05 → 1.0100000000000002e-05": "a choice",
        "gradient_check: 1e-06 → 1.0099999999999999e-06": "a choice",
        "gradient_check: for i, v in enumerate(inputs): "
        "→ if not abs(v.grad - slope) <= tolerance… first": _LINES,
        "gradient_check: v.grad - slope → slope - v.grad": "its size is the same",
        "gradient_check: max(1.0, abs(slope)) → max(abs(slope), 1.0)": "the same",
        "gradient_check: 1.0 → 2.0": "where the tolerance turns relative is a choice",
        "gradient_check: 1.0 → 1.01": "where the tolerance turns relative is a choice",
    },
}

# the wrong answers that were collected for this lesson, by number, and the known
# mistake or the answer in WRONG that stands for each
LISTED: dict[int, tuple[str, str]] = {
    1: ("micrograd.local_grads", "overwrites"),
    2: ("micrograd.backward", "breadth first"),
    3: ("micrograd.backward", "root at zero"),
    4: ("micrograd.local_grads", "own gradient"),
    5: ("micrograd.local_grads", "not swapped"),
    6: ("micrograd.functions", "power not lowered"),
    7: ("micrograd.functions", "tanh from the input"),
    8: ("micrograd.functions", "relu leaks"),
    9: ("micrograd.sgd", "no zero_grad"),
    10: ("micrograd.sgd", "nothing moves"),
    11: ("micrograd.sgd", "uphill"),
    12: ("micrograd.value", "not reflected"),
    13: ("micrograd.operators", "rsub turned"),
    14: ("micrograd.toposort", "by value"),
    15: ("micrograd.toposort", "no memory"),
    16: ("micrograd.toposort", "recursive"),
    17: ("micrograd.gradcheck", "one sided"),
    18: ("micrograd.functions", "tanh overflows"),
    19: ("micrograd.value", "in place when asked to"),
}

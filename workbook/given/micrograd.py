# Made from solutions/01_micrograd.py by `make exercises`: edit that, not this.
"""Building micrograd.

Value, Neuron, Layer, MLP, softmax, nll, topological_order, gradient_check.

Written along Andrej Karpathy's lecture, https://youtu.be/VMj-3S1tku0
"""

import math
import random


class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, children=(), op=""):
        self.data = data
        self.grad = 0.0
        self._prev = tuple(children)
        self._op = op
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __radd__(self, other):  # other + self, where other is a plain number
        return self + other

    def __rmul__(self, other):  # other * self
        return self * other

    def __repr__(self):
        return f"Value(data={self.data:.4f}, grad={self.grad:.4f})"

    def backward(self):
        """Fill in grad, the derivative of self, for every node that self was made from."""
        self.grad = 1.0
        for node in reversed(topological_order(self)):
            node._backward()

    def _apply(self, data, slope, op):
        """A node with one child: its value, and its derivative by that child."""
        out = Value(data, (self,), op)

        def _backward():
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        t = math.tanh(self.data)
        return self._apply(t, 1 - t * t, "tanh")

    def exp(self):
        e = math.exp(self.data)
        return self._apply(e, e, "exp")

    def log(self):
        return self._apply(math.log(self.data), 1 / self.data, "log")

    def relu(self):
        positive = self.data > 0
        return self._apply(self.data if positive else 0.0, float(positive), "relu")

    def __pow__(self, n):
        return self._apply(self.data**n, n * self.data ** (n - 1), f"**{n}")

    def __neg__(self):  # -self
        return self * -1

    def __sub__(self, other):  # self - other
        return self + (-other)

    def __rsub__(self, other):  # other - self
        return -self + other

    def __truediv__(self, other):  # self / other
        return self * other**-1

    def __rtruediv__(self, other):  # other / self
        return self**-1 * other


def topological_order(root):
    """All nodes that root was made from, children first, root last, each once."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order


class Module:
    """Something with parameters."""

    def parameters(self):
        return []

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0


def weighted_sum(ws, xs, b):
    """w · x + b as a single node: an operation is as large as we like to make it."""
    xs = [x if isinstance(x, Value) else Value(x) for x in xs]
    products = (w.data * x.data for w, x in zip(ws, xs, strict=True))
    out = Value(sum(products, b.data), (*ws, *xs, b), "w·x+b")

    def _backward():
        for w, x in zip(ws, xs, strict=True):
            w.grad += x.data * out.grad
            x.grad += w.data * out.grad
        b.grad += out.grad

    out._backward = _backward
    return out


class Neuron(Module):
    """act(w · x + b); act is "tanh", "relu", or "" for none."""

    def __init__(self, nin, act="tanh", rng=random):
        self.w = [Value(rng.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.act = act

    def __call__(self, x):
        out = weighted_sum(self.w, x, self.b)
        return getattr(out, self.act)() if self.act else out

    def parameters(self):
        return [*self.w, self.b]


class Layer(Module):
    """nout neurons on the same inputs; a single neuron gives a Value, not a list."""

    def __init__(self, nin, nout, act="tanh", rng=random):
        self.neurons = [Neuron(nin, act, rng) for _ in range(nout)]

    def __call__(self, x):
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP(Module):
    """Layers in a row: the last one squashes by `last`, all others by `act`."""

    def __init__(self, nin, nouts, act="tanh", last="", rng=random):
        sizes = [nin, *nouts]
        acts = [act] * (len(nouts) - 1) + [last]
        pairs = zip(sizes, nouts, acts, strict=False)
        self.layers = [Layer(n, m, a, rng) for n, m, a in pairs]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]


def softmax(logits):
    """Probabilities for a list of Values: a list of Values whose data sum to 1."""
    largest = max(z.data for z in logits)
    exps = [(z - largest).exp() for z in logits]
    total = sum(exps)
    return [e / total for e in exps]


def nll(logits, target):
    """The negative log likelihood of the index target, as a Value."""
    largest = max(z.data for z in logits)
    total = sum((z - largest).exp() for z in logits)
    return total.log() - (logits[target] - largest)


def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    """Compare backward() of f(*inputs), a Value, with central differences."""
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
        if not abs(v.grad - slope) <= tolerance * max(1.0, abs(slope)):
            wrong.append((i, v.grad, slope))
    return wrong

# ---
# jupyter:
#   made: from solutions/01_micrograd.py by `make exercises`; edit that, not this
# ---

# %% [markdown]
# # 1 · Building micrograd: exercises
#
# You build an engine that finds the slope of any expression, then a network on top of
# it. Each exercise is a cell with a `TODO`, or several, and a check under them. A cell
# without a `TODO` is given: run it as well. Write, run all of them, read the card that
# the check shows. `hint("…")` goes deeper each time you run it; `solution("…")` asks
# once, then shows an answer.

# %%
import math
import random

from workbook import add_to, check, explore, hint, solution, style

style.use()

# %% [markdown]
# ## derivative
#
# *10 min · ●○○○○*
#
# The slope of $f$ at $x$, measured from both sides: how much does $f$ change between
# $x-h$ and $x+h$, per unit of $x$? For $f(x) = x^2$ at $3$ the answer is $6$.
# Choose the default for `h` with care: the check asks for eight right digits.

# %% exercise="micrograd.derivative"
def derivative(f, x, h=None):
    """The central difference of f at x, with step h (or one that you choose)."""
    # TODO: choose a step where h is None, then measure the slope
    raise NotImplementedError("TODO micrograd.derivative")

# %%
check("micrograd.derivative", derivative)

# %% [markdown]
# ## value
#
# *15 min · ●●○○○*
#
# A **Value** holds a number and remembers what it was made from. `Value(2.0) * 3 + 1`
# holds `7.0`; its op is `"+"`, and its children are the product and a `Value(1)`.
# A plain number, whole or not, may stand on either side: `0.5 + Value(2.0)` and
# `sum([...])` work. Later cells replace `__add__`, so let `__radd__` call it: a copy of
# it (`__radd__ = __add__`) would stay behind.

# %% exercise="micrograd.value"
class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, children=(), op=""):
        # TODO: keep data, the children (as the tuple _prev) and op (as _op);
        # grad starts at 0.0, and _backward is a function that does nothing
        raise NotImplementedError("TODO micrograd.value")

    def __add__(self, other):
        # TODO: a new Value; a plain number becomes a Value first
        raise NotImplementedError("TODO micrograd.value")

    def __mul__(self, other):
        # TODO: the same for a product
        raise NotImplementedError("TODO micrograd.value")

    def __radd__(self, other):  # other + self, where other is a plain number
        # TODO: one line
        raise NotImplementedError("TODO micrograd.value")

    def __rmul__(self, other):  # other * self
        # TODO: one line
        raise NotImplementedError("TODO micrograd.value")

    def __repr__(self):
        return f"Value(data={self.data:.4f}, grad={self.grad:.4f})"

# %%
check("micrograd.value", Value)

# %% [markdown]
# ## local_grads
#
# *15 min · ●●○○○*
#
# Each operation knows its **local derivative**: how its output moves when one input
# moves. Give `out` a function `_backward` that passes `out.grad` on to the inputs.
# A node may be used twice, so each use *adds* its share. For $a \cdot b$ with $a=2$,
# $b=5$ and `out.grad = 1`, $a$ receives $5$ and $b$ receives $2$.

# %% exercise="micrograd.local_grads"
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    # TODO: give out a _backward that passes out.grad on to self and other
    raise NotImplementedError("TODO micrograd.local_grads")
    return out


@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    # TODO: the same for a product
    raise NotImplementedError("TODO micrograd.local_grads")
    return out

# %%
check("micrograd.local_grads", Value)

# %% [markdown]
# ## toposort
#
# *15 min · ●●●●○*
#
# A node may pass its gradient on only when that gradient is complete. So list the
# nodes in **topological order**: every node after all of its children, each once.
# Return them as a list. Networks are deep: a chain of 50,000 nodes must work, so do not
# recurse.

# %% exercise="micrograd.toposort"
def topological_order(root):
    """All nodes that root was made from, children first, root last, each once."""
    # TODO: walk the graph with a stack of your own
    raise NotImplementedError("TODO micrograd.toposort")

# %%
check("micrograd.toposort", topological_order)

# %% [markdown]
# ## backward
#
# *5 min · ●●○○○*
#
# The root's own gradient is $1$. From there, call each node's `_backward`, the root
# first, the leaves last. From call to call gradients add up: `backward` sets no
# gradient back to zero.

# %% exercise="micrograd.backward"
@add_to(Value)
def backward(self):
    """Fill in grad, the derivative of self, for every node that self was made from."""
    # TODO: the root's gradient, then every node in the right order
    raise NotImplementedError("TODO micrograd.backward")

# %%
check("micrograd.backward", Value)

# %% [markdown]
# ## functions
#
# *15 min · ●●○○○*
#
# The same for functions of one input. `_apply` below makes the node; you give it the
# value and the local derivative. `Value(0.0).tanh()` holds $0$ and passes its gradient
# on unchanged. Exponents of `**` are plain numbers.

# %%
@add_to(Value)
def _apply(self, data, slope, op):
    """A node with one child: its value, and its derivative by that child."""
    out = Value(data, (self,), op)

    def _backward():
        self.grad += slope * out.grad

    out._backward = _backward
    return out

# %% exercise="micrograd.functions"
@add_to(Value)
def tanh(self):
    # TODO: the value is math.tanh(self.data); what is the slope there?
    raise NotImplementedError("TODO micrograd.functions")


@add_to(Value)
def exp(self):
    # TODO
    raise NotImplementedError("TODO micrograd.functions")

# %% exercise="micrograd.functions"
@add_to(Value)
def log(self):
    # TODO: the natural logarithm
    raise NotImplementedError("TODO micrograd.functions")


@add_to(Value)
def relu(self):
    # TODO: negative numbers become 0
    raise NotImplementedError("TODO micrograd.functions")


@add_to(Value)
def __pow__(self, n):
    # TODO: self ** n for a plain number n
    raise NotImplementedError("TODO micrograd.functions")

# %%
check("micrograd.functions", Value)

# %% [markdown]
# ## operators
#
# *10 min · ●○○○○*
#
# Subtraction and division need no new derivative: write each with the operations that
# exist. `1 - Value(3.0)` holds `-2.0`, and `1 / Value(4.0)` holds `0.25`.

# %% exercise="micrograd.operators"
@add_to(Value)
def __neg__(self):  # -self
    # TODO
    raise NotImplementedError("TODO micrograd.operators")


@add_to(Value)
def __sub__(self, other):  # self - other
    # TODO
    raise NotImplementedError("TODO micrograd.operators")


@add_to(Value)
def __rsub__(self, other):  # other - self
    # TODO
    raise NotImplementedError("TODO micrograd.operators")

# %% exercise="micrograd.operators"
@add_to(Value)
def __truediv__(self, other):  # self / other
    # TODO
    raise NotImplementedError("TODO micrograd.operators")


@add_to(Value)
def __rtruediv__(self, other):  # other / self
    # TODO
    raise NotImplementedError("TODO micrograd.operators")

# %%
check("micrograd.operators", Value)

# %% [markdown]
# ## neuron_layer_mlp
#
# *20 min · ●●●○○*
#
# A **neuron** weighs its inputs, adds a bias and squashes the sum. A **layer** is
# several neurons on the same inputs. A **multi-layer perceptron** (MLP) feeds each
# layer into the next. `MLP(3, [4, 4, 1])` has $41$ parameters. `weighted_sum` is one
# large operation; a sum of small products is as right, and slower.

# %%
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

# %% exercise="micrograd.neuron_layer_mlp"
class Neuron(Module):
    """act(w · x + b); act is "tanh", "relu", or "" for none."""

    def __init__(self, nin, act="tanh", rng=random):
        # TODO: a list w of nin Values from rng.uniform(-1, 1), a bias b of 0.0, and act
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

    def __call__(self, x):
        # TODO: the weighted sum, then self.act
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

    def parameters(self):
        # TODO: the weights and the bias, in one list
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

# %% exercise="micrograd.neuron_layer_mlp"
class Layer(Module):
    """nout neurons on the same inputs; a single neuron gives a Value, not a list."""

    def __init__(self, nin, nout, act="tanh", rng=random):
        # TODO: a list self.neurons
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

    def __call__(self, x):
        # TODO
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

    def parameters(self):
        # TODO
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

# %% exercise="micrograd.neuron_layer_mlp"
class MLP(Module):
    """Layers in a row: the last one squashes by `last`, all others by `act`."""

    def __init__(self, nin, nouts, act="tanh", last="", rng=random):
        # TODO: a list self.layers: nin -> nouts[0] -> nouts[1] -> …
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

    def __call__(self, x):
        # TODO
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

    def parameters(self):
        # TODO
        raise NotImplementedError("TODO micrograd.neuron_layer_mlp")

# %%
check("micrograd.neuron_layer_mlp", Neuron, Layer, MLP)

# %% [markdown]
# ## sgd
#
# *15 min · ●●●○○*
#
# **Gradient descent**: measure the loss, find its gradient, take a small step downhill,
# repeat. With a random minibatch in each step it is called *stochastic*, SGD. `loss()`
# runs the model and returns the loss as a `Value`. Return the losses as plain numbers,
# each measured before its step. Gradients may be left over from before the first one.

# %% exercise="micrograd.sgd"
def train(model, loss, steps, lr):
    """Take steps of size lr against the gradient; return the loss before each step."""
    losses = []
    for _ in range(steps):
        # TODO: forward, zero the old gradients, backward, update
        raise NotImplementedError("TODO micrograd.sgd")
    return losses

# %%
check("micrograd.sgd", train)

# %% [markdown]
# ## gradient_by_hand
#
# *10 min · ●●○○○*
#
# On paper, for once. Give the three partial derivatives of
# $f(a,b,c) = -a^3 + \sin 3b - \frac{1}{c} + b^{2.5} - \sqrt{a}$.
# At $(2, 3, 4)$ the last one is $\frac{1}{16}$.

# %% exercise="micrograd.gradient_by_hand"
def gradient(a, b, c):
    """The gradient of f at (a, b, c), as a tuple of three numbers."""
    # TODO: three derivatives, found on paper
    raise NotImplementedError("TODO micrograd.gradient_by_hand")

# %%
check("micrograd.gradient_by_hand", gradient)

# %% [markdown]
# ## softmax_nll
#
# *15 min · ●●●○○*
#
# **Softmax** turns scores $z$, in the code `logits`, into probabilities:
# $p_i = e^{z_i} / \sum_j e^{z_j}$. The **negative log likelihood** of a target is
# $-\log p_{target}$. Scores $(0, 3, -2, 1)$ with target $3$ give a loss of $2.1755$.
# Scores may be in the thousands. Then a $p$ may be so small that Python holds $0$,
# which has no logarithm: find the loss from the scores, as
# $\log \sum_j e^{z_j} - z_{target}$.

# %% exercise="micrograd.softmax_nll"
def softmax(logits):
    """Probabilities for a list of Values: a list of Values whose data sum to 1."""
    # TODO: shift by the largest score, exponentiate, divide by the sum
    raise NotImplementedError("TODO micrograd.softmax_nll")


def nll(logits, target):
    """The negative log likelihood of the index target, as a Value."""
    # TODO: the logarithm of the sum, less the target's score; shifted as well
    raise NotImplementedError("TODO micrograd.softmax_nll")

# %%
check("micrograd.softmax_nll", softmax, nll)

# %% [markdown]
# ## gradcheck
#
# *15 min · ●●●●○*
#
# How do we know that a backward pass is right? Ask the slope itself: nudge each input
# and compare. Return a list of tuples `(index, engine's gradient, measured slope)` for
# the inputs where the two disagree; an empty list means that all is well. They agree
# where they differ by at most `tolerance` times the larger of $1$ and the slope's size;
# a gradient that is not a number (`nan`) never agrees.

# %% [markdown]
# The inputs may hold gradients from before, which must not count. In the end each input
# holds the number that it came with.

# %% exercise="micrograd.gradcheck"
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    """Compare backward() of f(*inputs), a Value, with central differences."""
    # TODO: gradients by backward(), slopes by nudging .data, and who disagrees
    raise NotImplementedError("TODO micrograd.gradcheck")

# %%
check("micrograd.gradcheck", gradient_check)

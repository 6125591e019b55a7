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
# The slope of $f$ at $x$, measured from both sides: how much does $f$ change between
# $x-h$ and $x+h$, per unit of $x$? For $f(x) = x^2$ at $3$ the answer is $6$.
# Choose the default for `h` with care: the check asks for eight right digits.


# %% exercise="micrograd.derivative" minutes=10 difficulty=1
def derivative(f, x, h=None):
    """The central difference of f at x, with step h (or one that you choose)."""
    # TODO: choose a step where h is None, then measure the slope
    ### BEGIN SOLUTION
    h = 1e-5 if h is None else h
    return (f(x + h) - f(x - h)) / (2 * h)
    ### END SOLUTION


# %%
check("micrograd.derivative", derivative)

# %% [markdown] tags=["hint"]
# A slope is a rise divided by a run. Here the run goes from $x-h$ to $x+h$.

# %% [markdown] tags=["hint"]
# Ask $f$ twice, once on each side of $x$. Below $h = 10^{-6}$ the subtraction loses
# digits to rounding; above $10^{-4}$ the curve bends in between. Stay in the middle.

# %% [markdown] tags=["hint"]
# The last line has the form `return (f(x + h) - ____) / (____)`.

# %% [markdown] tags=["solution"]
# **Why.** The one-sided difference $\frac{f(x+h)-f(x)}{h}$ errs by about
# $\frac{h}{2} f''(x)$. From both sides these errors have opposite signs and cancel;
# what is left is $\frac{h^2}{6} f'''(x)$. Rounding adds about $10^{-16}/h$, so the
# best step lies near $10^{-5}$, and no step gives all sixteen digits.

# %% [markdown]
# ## value
#
# A **Value** holds a number and remembers what it was made from. `Value(2.0) * 3 + 1`
# holds `7.0`; its op is `"+"`, and its children are the product and a `Value(1)`.
# A plain number, whole or not, may stand on either side: `0.5 + Value(2.0)` and
# `sum([...])` work. Later cells replace `__add__`, so let `__radd__` call it: a copy of
# it (`__radd__ = __add__`) would stay behind.


# %% exercise="micrograd.value" minutes=15 difficulty=2
class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, children=(), op=""):
        # TODO: keep data, the children (as the tuple _prev) and op (as _op);
        # grad starts at 0.0, and _backward is a function that does nothing
        ### BEGIN SOLUTION
        self.data = data
        self.grad = 0.0
        self._prev = tuple(children)
        self._op = op
        self._backward = lambda: None
        ### END SOLUTION

    def __add__(self, other):
        # TODO: a new Value; a plain number becomes a Value first
        ### BEGIN SOLUTION
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), "+")
        ### END SOLUTION

    def __mul__(self, other):
        # TODO: the same for a product
        ### BEGIN SOLUTION
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), "*")
        ### END SOLUTION

    def __radd__(self, other):  # other + self, where other is a plain number
        # TODO: one line
        ### BEGIN SOLUTION
        return self + other
        ### END SOLUTION

    def __rmul__(self, other):  # other * self
        # TODO: one line
        ### BEGIN SOLUTION
        return self * other
        ### END SOLUTION

    def __repr__(self):
        return f"Value(data={self.data:.4f}, grad={self.grad:.4f})"


# %%
check("micrograd.value", Value)

# %% [markdown] tags=["hint"]
# `a + b` calls `a.__add__(b)`. When `a` is a plain number, Python turns to
# `b.__radd__(a)` instead.

# %% [markdown] tags=["hint"]
# Wrap first: if `other` is not a `Value`, make it one. Then return a third `Value`
# that holds the result, the pair of children and the op.

# %% [markdown] tags=["hint"]
# A sum ends in `Value(____, (self, ____), "+")`; turned around, it is `self + ____`.

# %% [markdown] tags=["solution"]
# **Why.** `sum` starts from the number `0`, so its first step is `0 + Value`: without
# `__radd__` it fails. The children are a tuple, in order and with repeats: in `a * a`
# the same node stands twice, and both places will receive a gradient. `self + other`
# looks `__add__` up anew in each call, and so finds the one of the next exercise.

# %% [markdown]
# ## local_grads
#
# Each operation knows its **local derivative**: how its output moves when one input
# moves. Give `out` a function `_backward` that passes `out.grad` on to the inputs.
# A node may be used twice, so each use *adds* its share. For $a \cdot b$ with $a=2$,
# $b=5$ and `out.grad = 1`, $a$ receives $5$ and $b$ receives $2$.


# %% exercise="micrograd.local_grads" minutes=15 difficulty=2
@add_to(Value)
def __add__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data + other.data, (self, other), "+")
    # TODO: give out a _backward that passes out.grad on to self and other
    ### BEGIN SOLUTION

    def _backward():
        self.grad += out.grad
        other.grad += out.grad

    out._backward = _backward
    ### END SOLUTION
    return out


@add_to(Value)
def __mul__(self, other):
    other = other if isinstance(other, Value) else Value(other)
    out = Value(self.data * other.data, (self, other), "*")
    # TODO: the same for a product
    ### BEGIN SOLUTION

    def _backward():
        self.grad += other.data * out.grad
        other.grad += self.data * out.grad

    out._backward = _backward
    ### END SOLUTION
    return out


# %%
check("micrograd.local_grads", Value)

# %% [markdown] tags=["hint"]
# The chain rule: what an input receives is the local derivative times what the output
# received. Where does the output keep what it received?

# %% [markdown] tags=["hint"]
# A sum moves one for one with each input. A product moves with one input as fast as
# the *other* input is large. Add to a gradient; never set it.

# %% [markdown] tags=["hint"]
# Inside `def _backward():` the product has `self.grad += ____ * out.grad`; the last
# step is `out._backward = ____`, without parentheses.

# %% [markdown] tags=["solution"]
# **Why.** In $a + a$ both inputs are the same node. Its two shares must add up to
# $2$; with `=` in place of `+=` the second share overwrites the first and leaves $1$.
# A sum hands the same gradient to both inputs, a product swaps its operands: these two
# rules carry most of the work in every network that follows.

# %% [markdown]
# ## toposort
#
# A node may pass its gradient on only when that gradient is complete. So list the
# nodes in **topological order**: every node after all of its children, each once.
# Return them as a list. Networks are deep: a chain of 50,000 nodes must work, so do not
# recurse.


# %% exercise="micrograd.toposort" minutes=15 difficulty=4
def topological_order(root):
    """All nodes that root was made from, children first, root last, each once."""
    # TODO: walk the graph with a stack of your own
    ### BEGIN SOLUTION
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
    ### END SOLUTION


# %%
check("micrograd.toposort", topological_order)

# %% [markdown] tags=["hint"]
# A node enters the list when all of its children are in it. Meet each node twice:
# once on the way down, to look at its children, and once on the way back.

# %% [markdown] tags=["hint"]
# Keep pairs on a stack, a node and whether its children are done. On the first
# meeting push the node again, marked done, and then its children. A set of nodes
# already seen keeps each one single.

# %% [markdown] tags=["hint"]
# In the loop: pop a `node` and whether it is `ready`; where it is, it joins `order`;
# where it is new, `stack.append((node, ____))` and then one pair for each child.

# %% [markdown] tags=["solution"]
# **Why.** Recursion is shorter, and right for small graphs, but Python allows about
# 1,000 nested calls, and a sum over 1,000 parameters is already deeper than that.
# Nodes are compared by identity: two nodes that hold the same number are two nodes.

# %% [markdown]
# ## backward
#
# The root's own gradient is $1$. From there, call each node's `_backward`, the root
# first, the leaves last. From call to call gradients add up: `backward` sets no
# gradient back to zero.


# %% exercise="micrograd.backward" minutes=5 difficulty=2
@add_to(Value)
def backward(self):
    """Fill in grad, the derivative of self, for every node that self was made from."""
    # TODO: the root's gradient, then every node in the right order
    ### BEGIN SOLUTION
    self.grad = 1.0
    for node in reversed(topological_order(self)):
        node._backward()
    ### END SOLUTION


# %%
check("micrograd.backward", Value)

# %% [markdown] tags=["hint"]
# What is the derivative of the result with respect to itself?

# %% [markdown] tags=["hint"]
# `topological_order(self)` lists children first. Gradients flow the other way.

# %% [markdown] tags=["hint"]
# Two steps: `self.grad = ____`, then a loop over `____(topological_order(self))`.

# %% [markdown] tags=["solution"]
# **Why.** Reversed topological order promises that a node fires only after every node
# that uses it has fired, so its gradient is complete. A second call, of this root or of
# another, adds to what the leaves hold: training sets them to zero in between.

# %% [markdown]
# ## functions
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


# %% exercise="micrograd.functions" minutes=15 difficulty=2
@add_to(Value)
def tanh(self):
    # TODO: the value is math.tanh(self.data); what is the slope there?
    ### BEGIN SOLUTION
    t = math.tanh(self.data)
    return self._apply(t, 1 - t * t, "tanh")
    ### END SOLUTION


@add_to(Value)
def exp(self):
    # TODO
    ### BEGIN SOLUTION
    e = math.exp(self.data)
    return self._apply(e, e, "exp")
    ### END SOLUTION


# %% exercise="micrograd.functions"
@add_to(Value)
def log(self):
    # TODO: the natural logarithm
    ### BEGIN SOLUTION
    return self._apply(math.log(self.data), 1 / self.data, "log")
    ### END SOLUTION


@add_to(Value)
def relu(self):
    # TODO: negative numbers become 0
    ### BEGIN SOLUTION
    positive = self.data > 0
    return self._apply(self.data if positive else 0.0, float(positive), "relu")
    ### END SOLUTION


@add_to(Value)
def __pow__(self, n):
    # TODO: self ** n for a plain number n
    ### BEGIN SOLUTION
    return self._apply(self.data**n, n * self.data ** (n - 1), f"**{n}")
    ### END SOLUTION


# %%
check("micrograd.functions", Value)

# %% [markdown] tags=["hint"]
# Each line is a derivative: of $\tanh x$, $e^x$, $\log x$, $\max(0, x)$ and $x^n$. The
# lecture's section on more operations has a table of slopes.

# %% [markdown] tags=["hint"]
# $\tanh' = 1 - \tanh^2$, taken at the *output*; $e^x$ is its own slope; $\log x$ has
# slope $1/x$; relu passes everything or nothing; $x^n$ has $n x^{n-1}$.

# %% [markdown] tags=["hint"]
# A rule is one call, `self._apply(output, slope, name)`. For $e^x$ the two numbers are
# the same; for relu the slope is `float(____)`, which makes $1$ of `True`.

# %% [markdown] tags=["solution"]
# **Why.** Each of these could be built from smaller steps: $\tanh$ from two
# exponentials, a difference and a quotient. How large an operation is, is a free
# choice; all that matters is that we know its local derivative. Taking $\tanh$ whole
# also keeps large inputs safe, where $e^{2x}$ overflows.

# %% [markdown]
# ## operators
#
# Subtraction and division need no new derivative: write each with the operations that
# exist. `1 - Value(3.0)` holds `-2.0`, and `1 / Value(4.0)` holds `0.25`.


# %% exercise="micrograd.operators" minutes=10 difficulty=1
@add_to(Value)
def __neg__(self):  # -self
    # TODO
    ### BEGIN SOLUTION
    return self * -1
    ### END SOLUTION


@add_to(Value)
def __sub__(self, other):  # self - other
    # TODO
    ### BEGIN SOLUTION
    return self + (-other)
    ### END SOLUTION


@add_to(Value)
def __rsub__(self, other):  # other - self
    # TODO
    ### BEGIN SOLUTION
    return -self + other
    ### END SOLUTION


# %% exercise="micrograd.operators"
@add_to(Value)
def __truediv__(self, other):  # self / other
    # TODO
    ### BEGIN SOLUTION
    return self * other**-1
    ### END SOLUTION


@add_to(Value)
def __rtruediv__(self, other):  # other / self
    # TODO
    ### BEGIN SOLUTION
    return self**-1 * other
    ### END SOLUTION


# %%
check("micrograd.operators", Value)

# %% [markdown] tags=["hint"]
# Which of `+`, `*` and `**` gives $-x$? And $1/x$?

# %% [markdown] tags=["hint"]
# $-x = -1 \cdot x$ and $1/x = x^{-1}$. In the reflected forms (`__rsub__`,
# `__rtruediv__`) the plain number stands on the left.

# %% [markdown] tags=["hint"]
# `__rsub__` answers `other - self`: write it as `____ + other`.

# %% [markdown] tags=["solution"]
# **Why.** `-other` and `other**-1` work for plain numbers as well as for Values, so
# no wrapping is needed. In `__rsub__` the order matters: `self - other` has the right
# size and the wrong sign, and a loss of squares would never show it.

# %% [markdown]
# ## neuron_layer_mlp
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


# %% exercise="micrograd.neuron_layer_mlp" minutes=20 difficulty=3
class Neuron(Module):
    """act(w · x + b); act is "tanh", "relu", or "" for none."""

    def __init__(self, nin, act="tanh", rng=random):
        # TODO: a list w of nin Values from rng.uniform(-1, 1), a bias b of 0.0, and act
        ### BEGIN SOLUTION
        self.w = [Value(rng.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.act = act
        ### END SOLUTION

    def __call__(self, x):
        # TODO: the weighted sum, then self.act
        ### BEGIN SOLUTION
        out = weighted_sum(self.w, x, self.b)
        return getattr(out, self.act)() if self.act else out
        ### END SOLUTION

    def parameters(self):
        # TODO: the weights and the bias, in one list
        ### BEGIN SOLUTION
        return [*self.w, self.b]
        ### END SOLUTION


# %% exercise="micrograd.neuron_layer_mlp"
class Layer(Module):
    """nout neurons on the same inputs; a single neuron gives a Value, not a list."""

    def __init__(self, nin, nout, act="tanh", rng=random):
        # TODO: a list self.neurons
        ### BEGIN SOLUTION
        self.neurons = [Neuron(nin, act, rng) for _ in range(nout)]
        ### END SOLUTION

    def __call__(self, x):
        # TODO
        ### BEGIN SOLUTION
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out
        ### END SOLUTION

    def parameters(self):
        # TODO
        ### BEGIN SOLUTION
        return [p for neuron in self.neurons for p in neuron.parameters()]
        ### END SOLUTION


# %% exercise="micrograd.neuron_layer_mlp"
class MLP(Module):
    """Layers in a row: the last one squashes by `last`, all others by `act`."""

    def __init__(self, nin, nouts, act="tanh", last="", rng=random):
        # TODO: a list self.layers: nin -> nouts[0] -> nouts[1] -> …
        ### BEGIN SOLUTION
        sizes = [nin, *nouts]
        acts = [act] * (len(nouts) - 1) + [last]
        pairs = zip(sizes, nouts, acts, strict=False)
        self.layers = [Layer(n, m, a, rng) for n, m, a in pairs]
        ### END SOLUTION

    def __call__(self, x):
        # TODO
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = layer(x)
        return x
        ### END SOLUTION

    def parameters(self):
        # TODO
        ### BEGIN SOLUTION
        return [p for layer in self.layers for p in layer.parameters()]
        ### END SOLUTION


# %%
check("micrograd.neuron_layer_mlp", Neuron, Layer, MLP)

# %% [markdown] tags=["hint"]
# Each class is a list of the class before it. Write the neuron, then ask what a layer
# adds, then what the network adds.

# %% [markdown] tags=["hint"]
# `weighted_sum` does a neuron's arithmetic. `getattr(out, "tanh")()` is `out.tanh()`,
# and an empty `act` means that nothing is applied.

# %% [markdown] tags=["hint"]
# The sizes of an MLP are `[nin, *nouts]`; layer `i` goes from `sizes[i]` to
# `sizes[____]`.

# %% [markdown] tags=["solution"]
# **Why.** A 3-4-4-1 network has $4\cdot(3+1) + 4\cdot(4+1) + 1\cdot(4+1) = 41$
# parameters. The last layer is linear unless asked otherwise: a score may be any
# number. `zero_grad` touches the parameters alone; all other nodes are made anew in
# each forward pass, with a gradient of zero.

# %% [markdown]
# ## sgd
#
# **Gradient descent**: measure the loss, find its gradient, take a small step downhill,
# repeat. With a random minibatch in each step it is called *stochastic*, SGD. `loss()`
# runs the model and returns the loss as a `Value`. Return the losses as plain numbers,
# each measured before its step. Gradients may be left over from before the first one.


# %% exercise="micrograd.sgd" minutes=15 difficulty=3
def train(model, loss, steps, lr):
    """Take steps of size lr against the gradient; return the loss before each step."""
    losses = []
    for _ in range(steps):
        # TODO: forward, zero the old gradients, backward, update
        ### BEGIN SOLUTION
        value = loss()
        model.zero_grad()
        value.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
        losses.append(value.data)
        ### END SOLUTION
    return losses


# %%
check("micrograd.sgd", train)

# %% [markdown] tags=["hint"]
# Four steps in a fixed order. Two things go wrong in silence: gradients that are left
# over from the step before, and a step uphill.

# %% [markdown] tags=["hint"]
# Set the gradients to zero before `backward()`, not after it. The gradient points
# uphill, so each parameter's `data` moves the other way.

# %% [markdown] tags=["hint"]
# The update is `p.data -= ____ * p.grad` for each `p` in `model.parameters()`.

# %% [markdown] tags=["solution"]
# **Why.** Left-over gradients act like momentum without friction: on a small problem
# the loss may still reach zero, so the loss alone never shows the mistake. The check
# compares every loss on the way with a loop done by hand.

# %% [markdown]
# ## gradient_by_hand
#
# On paper, for once. Give the three partial derivatives of
# $f(a,b,c) = -a^3 + \sin 3b - \frac{1}{c} + b^{2.5} - \sqrt{a}$.
# At $(2, 3, 4)$ the last one is $\frac{1}{16}$.


# %% exercise="micrograd.gradient_by_hand" minutes=10 difficulty=2
def gradient(a, b, c):
    """The gradient of f at (a, b, c), as a tuple of three numbers."""
    # TODO: three derivatives, found on paper
    ### BEGIN SOLUTION
    da = -3 * a**2 - 0.5 * a**-0.5
    db = 3 * math.cos(3 * b) + 2.5 * b**1.5
    dc = c**-2
    return da, db, dc
    ### END SOLUTION


# %%
check("micrograd.gradient_by_hand", gradient)

# %% [markdown] tags=["hint"]
# Take one letter at a time; the terms without it are constants and vanish.

# %% [markdown] tags=["hint"]
# Powers: $x^n \to n x^{n-1}$, also for $\sqrt a = a^{1/2}$ and $1/c = c^{-1}$. The
# sine has an inner function, $3b$, whose derivative comes out as a factor.

# %% [markdown] tags=["hint"]
# The middle one is `db = ____ * math.cos(3 * b) + 2.5 * b ** ____`.

# %% [markdown] tags=["solution"]
# **Why.** $-1/c = -c^{-1}$ has the derivative $+c^{-2}$: two minus signs meet. Your
# `derivative` from the first exercise agrees to about ten digits; the formula has all
# of them, and costs one evaluation in place of six.

# %% [markdown]
# ## softmax_nll
#
# **Softmax** turns scores $z$, in the code `logits`, into probabilities:
# $p_i = e^{z_i} / \sum_j e^{z_j}$. The **negative log likelihood** of a target is
# $-\log p_{target}$. Scores $(0, 3, -2, 1)$ with target $3$ give a loss of $2.1755$.
# Scores may be in the thousands. Then a $p$ may be so small that Python holds $0$,
# which has no logarithm: find the loss from the scores, as
# $\log \sum_j e^{z_j} - z_{target}$.


# %% exercise="micrograd.softmax_nll" minutes=15 difficulty=3
def softmax(logits):
    """Probabilities for a list of Values: a list of Values whose data sum to 1."""
    # TODO: shift by the largest score, exponentiate, divide by the sum
    ### BEGIN SOLUTION
    largest = max(z.data for z in logits)
    exps = [(z - largest).exp() for z in logits]
    total = sum(exps)
    return [e / total for e in exps]
    ### END SOLUTION


def nll(logits, target):
    """The negative log likelihood of the index target, as a Value."""
    # TODO: the logarithm of the sum, less the target's score; shifted as well
    ### BEGIN SOLUTION
    largest = max(z.data for z in logits)
    total = sum((z - largest).exp() for z in logits)
    return total.log() - (logits[target] - largest)
    ### END SOLUTION


# %%
check("micrograd.softmax_nll", softmax, nll)

# %% [markdown] tags=["hint"]
# Everything is made of operations that a `Value` has: exp, sum, division, log, minus.

# %% [markdown] tags=["hint"]
# $e^{1000}$ overflows. Subtracting the same number from all scores leaves the
# probabilities as they are: subtract the largest, as a plain number. The same shift in
# both terms leaves the loss as it is, too.

# %% [markdown] tags=["hint"]
# `exps = [(z - ____).exp() for z in logits]`, then each one over `sum(____)`. The loss
# is `total.log() - (logits[____] - largest)`, where `total` is the sum of the `exps`.

# %% [markdown] tags=["solution"]
# **Why.** $-\log (e^{z} / \sum)$ is $\log \sum - z$. They are one number, but the
# second never divides, so no $p$ can shrink to $0$ on the way: scores $(1000, 0)$ with
# target $1$ lose exactly $1000$. The gradient by the scores is $p - y$, where $y$ is
# $1$ at the target and $0$ elsewhere; lesson 5 derives it, here the engine finds it.

# %% [markdown]
# ## gradcheck
#
# How do we know that a backward pass is right? Ask the slope itself: nudge each input
# and compare. Return a list of tuples `(index, engine's gradient, measured slope)` for
# the inputs where the two disagree; an empty list means that all is well. They agree
# where they differ by at most `tolerance` times the larger of $1$ and the slope's size;
# a gradient that is not a number (`nan`) never agrees.


# %% [markdown]
# The inputs may hold gradients from before, which must not count. In the end each input
# holds the number that it came with.

# %% exercise="micrograd.gradcheck" minutes=15 difficulty=4
def gradient_check(f, inputs, h=1e-5, tolerance=1e-6):
    """Compare backward() of f(*inputs), a Value, with central differences."""
    # TODO: gradients by backward(), slopes by nudging .data, and who disagrees
    ### BEGIN SOLUTION
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
    ### END SOLUTION


# %%
check("micrograd.gradcheck", gradient_check)

# %% [markdown] tags=["hint"]
# The engine's half: zero the gradients, build `f(*inputs)`, call `backward()`. The
# other half never looks at a gradient.

# %% [markdown] tags=["hint"]
# To nudge input `i`, change its `.data`, call `f(*inputs)` again, read `.data`, and
# put the old number back before the next input.

# %% [markdown] tags=["hint"]
# The slope is `(up - down) / (____)`; report `i` where
# `not abs(v.grad - slope) <= tolerance * max(1.0, ____)`.

# %% [markdown] tags=["solution"]
# **Why.** A gradient of zero where the slope is not zero means a share that never came
# back, and a loss that falls does not exclude it. The tolerance is relative for
# large slopes and absolute for small ones, since a finite difference is itself only
# right to about ten digits. Every comparison with `nan` is false: so ask whether the
# gap is *not* small, rather than whether it is large.

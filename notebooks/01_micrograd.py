# %% [markdown]
# # 1 · Building micrograd
#
# A network is one long expression with many numbers in it. How does it find out, for
# each of them, which way to move?
#
# You will be able to
#
# - build an engine that finds the slope of any expression by every number in it;
# - show, with a counterexample, why its backward pass adds, and in which order;
# - train networks on that engine, down to a boundary between two crescents.

# %% [markdown]
# This page goes with [Building micrograd](https://youtu.be/VMj-3S1tku0) by Andrej
# Karpathy and keeps its order; each section names its part of the video. You bring
# Python and the derivatives of school. Guess before you run: the guess is kept beside
# the result. The exercises are in `exercises/01_micrograd.ipynb`.

# %%
import math
import random

import torch

from workbook import add_to, budget, explore, live, predict, style

style.use()

# %% [markdown]
# ## What is a derivative?
#
# **Question.** We turn a knob a little. How much does the output move?
#
# Nudge the input from $3$ to $3 + h$ and divide the rise by the run. Or nudge it to
# both sides and divide by $2h$: the **central difference**. School calculus says $6x -
# 4$, hence $14$; we measure without that rule.
#
# *In the video: the derivative of a function with one input.*


# %% tags=["nbval-check-output"] key="slopes-of-a-curve"
def curve(x):
    return 3 * x**2 - 4 * x + 5


for h in (1e-2, 1e-4, 1e-6):
    one_sided = (curve(3 + h) - curve(3)) / h
    central = (curve(3 + h) - curve(3 - h)) / (2 * h)
    print(f"h = {h:.0e}   one-sided {one_sided:.6f}   central {central:.6f}")

# %% [markdown]
# **Predict.** Each smaller step brought the one-sided slope closer to $14$. What will
# $h = 10^{-15}$ give? Two decimals.

# %% tags=["predict"]
guess = predict("micrograd.tiny_step")

# %%
h = 1e-15
guess.compare((curve(3 + h) - curve(3)) / h)

# %% [markdown] tags=["why"]
# **Why.** A float keeps about sixteen digits. `curve(3 + h)` and `curve(3)` agree in
# nearly all of them, so the subtraction leaves mostly rounding noise; dividing by a
# tiny $h$ makes that noise large.

# %%
explore.tangent_probe(curve, x=2.0)

# %% [markdown]
# **Look.** Shrink $h$ from the right: the error falls, then rises again. The dotted
# line is the central difference: on a parabola the bends of its two sides cancel, and
# only rounding is left. Then move $x$ until the curve lies flat, near $2/3$: there a
# small nudge changes nothing.
#
# A derivative is a rate: how far the output moves for each unit of a small nudge.
#
# **Your turn.** `micrograd.derivative` asks for eight right digits.

# %% [markdown]
# ## A value that remembers
#
# **Question.** With several inputs, we nudge one and hold the others still: each input
# has its own slope, its **partial derivative**. A million inputs would take a million
# nudges. Can one walk through the expression find all of them? For that, a result has
# to know how it was made.
#
# *In the video: functions of several inputs, and the core `Value` object.*


# %%
class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, children=(), op="", label=""):
        self.data = data
        self._prev = tuple(children)  # what it was made from
        self._op = op  # by which operation
        self.label = label  # what we call it
        self.grad = 0.0  # the next section fills this in
        self._backward = lambda: None  # and the one after it, this

    def __add__(self, other):  # Python reads a + b as a.__add__(b)
        return Value(self.data + other.data, (self, other), "+")

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), "*")

    def __repr__(self):
        return f"Value(data={self.data:.4f}, grad={self.grad:.4f})"


# %% tags=["nbval-check-output"] key="first-expression"
a = Value(2.0, label="a")
b = Value(-3.0, label="b")
c = Value(10.0, label="c")
f = Value(-2.0, label="f")
e = a * b
d = e + c
L = d * f
L

# %% [markdown]
# `L` is $-8$, like any number. Unlike any number, it can say where it comes from, and
# its children can say the same of theirs.


# %% tags=["nbval-check-output"] key="recipe"
def recipe(node, depth=0):
    """The values that a node was made from, one a line, indented by depth."""
    print("    " * depth + f"{node._op or node.label:2} {node.data:g}")
    for child in node._prev:
        recipe(child, depth + 1)


recipe(L)

# %% [markdown]
# Four letters, three operations: the **graph** of the expression came into being while
# Python computed the number. We drew nothing.
#
# A value that keeps its operands keeps the whole history of its making.
#
# **Your turn.** `micrograd.value`: the class, with plain numbers on either side.

# %% [markdown]
# ## Backpropagation by hand
#
# **Question.** `L` is $-8$. How hard, and in which direction, does each of the four
# leaves push it?
#
# Every value has a slot, `grad`: the slope of the final result by this value. One slope
# needs no thought: `L` moves with itself one for one.
#
# *In the video: the two examples worked by hand, an expression and a neuron.*

# %% tags=["nbval-check-output"] key="by-hand"
L.grad = 1.0
d.grad = f.data * L.grad  # L = d * f
f.grad = d.data * L.grad
e.grad = 1.0 * d.grad  # d = e + c
c.grad = 1.0 * d.grad
a.grad = b.data * e.grad  # e = a * b
b.grad = a.data * e.grad
[leaf.grad for leaf in (a, b, c, f)]

# %% [markdown]
# A product *swaps*: $d$ gets the number of $f$, and $f$ that of $d$. A sum *routes*:
# both sides get what the sum got. And rates along a path multiply: one unit of $c$
# moves $d$ by $1$, one unit of $d$ moves $L$ by $-2$, so $\frac{dL}{dc} =
# \frac{dL}{dd}\cdot\frac{dd}{dc} = -2$. This is the **chain rule**.
#
# Is it right? The ruler can tell. And is it useful? Each leaf takes a step of $0.01$
# times its gradient.


# %% tags=["nbval-check-output"] key="ruler-and-step"
def forward(a, b, c, f):
    """e, d and L of the expression, for plain numbers and for Values."""
    e = a * b
    d = e + c
    return e, d, d * f


h = 1e-6
at = [leaf.data for leaf in (a, b, c, f)]
for i, leaf in enumerate((a, b, c, f)):
    nudged = [x + h if i == k else x for k, x in enumerate(at)]
    print(f"{leaf.label}: {(forward(*nudged)[-1] - forward(*at)[-1]) / h:.4f}")

stepped = [leaf.data + 0.01 * leaf.grad for leaf in (a, b, c, f)]
print(f"L: {L.data:.6f} -> {forward(*stepped)[-1]:.6f}")

# %% [markdown]
# A rise of about $0.71$, and it was foreseeable: $0.01 \cdot (6^2 + 4^2 + 2^2 + 4^2) =
# 0.72$, less the bend between the two points. Training will take this step, downhill.
#
# Next, the cell that networks are made of. A **neuron** weighs its inputs, adds a bias,
# and squashes the sum with $\tanh$, whose slope is $1 - \tanh^2$.
#
# **Predict.** Let the inputs be $x_1 = 2$, $x_2 = 0$. What is the gradient of the
# second weight, $w_2 = 1$?

# %% tags=["predict"]
guess = predict("micrograd.gradient_of_w2")


# %%
@add_to(Value)  # puts the function below into the class
def tanh(self):
    return Value(math.tanh(self.data), (self,), "tanh")


x1, x2 = Value(2.0), Value(0.0)
w1, w2, bias = Value(-3.0), Value(1.0), Value(6.8813735870195432)
o = (x1 * w1 + x2 * w2 + bias).tanh()

slope = 1 - o.data**2  # of tanh, and both sums route it
bias.grad = slope
x1.grad, w1.grad = w1.data * slope, x1.data * slope
x2.grad, w2.grad = w2.data * slope, x2.data * slope
guess.compare(w2.grad)

# %% [markdown] tags=["why"]
# **Why.** A product swaps, and the other operand is $x_2 = 0$. While its input is zero
# a weight has no influence, and so nothing to learn.

# %%
explore.saturation()

# %% [markdown]
# **Look.** Slide the bias far to either side. The output settles near $\pm 1$, its
# slope sinks to zero, and so does every gradient behind this neuron: it is
# **saturated**.
#
# Backpropagation is the chain rule from the result down: sums route, products swap.
#
# **Your turn.** `micrograd.gradient_by_hand`, on paper, for once.

# %% [markdown]
# ## Backpropagation by machine
#
# **Question.** We applied two rules, again and again. Who applies them among a thousand
# nodes?
#
# The operation itself. It knows both operands when it makes a node, so it leaves with
# the node a small function, `_backward`, that hands the node's gradient on. (One habit
# in the next two cells is wrong. No result in this section shows it; the next one
# does.)
#
# *In the video: the backward function of each operation, then of the whole graph.*


# %%
@add_to(Value)
def __add__(self, other):
    out = Value(self.data + other.data, (self, other), "+")

    def _backward():  # remembers self, other and out: a closure
        self.grad = out.grad
        other.grad = out.grad

    out._backward = _backward
    return out


# %%
@add_to(Value)
def __mul__(self, other):
    out = Value(self.data * other.data, (self, other), "*")

    def _backward():
        self.grad = other.data * out.grad
        other.grad = self.data * out.grad

    out._backward = _backward
    return out


# %% [markdown]
# **Predict.** By hand, $b$ received $-4$. Now we fire the closures of $L = d \cdot f$,
# then of $e = a \cdot b$, then of $d = e + c$. What does $b$ receive?

# %% tags=["predict"]
guess = predict("micrograd.fired_too_early")


# %%
def leaves():
    """a, b, c and f as fresh Values."""
    numbers = {"a": 2.0, "b": -3.0, "c": 10.0, "f": -2.0}
    return [Value(data, label=label) for label, data in numbers.items()]


a, b, c, f = leaves()
e, d, L = forward(a, b, c, f)
L.grad = 1.0
for node in (L, e, d):
    node._backward()
guess.compare(b.grad)

# %% [markdown] tags=["why"]
# **Why.** $e$ handed on what it had, and it had nothing yet: its own share came from
# $d$, one step later. A node may fire only when every node that uses it has fired.

# %% [markdown]
# So we want a list in which every node stands after all of its children, a
# **topological order**, and fire it in reverse. The shortest way to one: before a node
# joins the list, its children do.


# %% tags=["nbval-check-output"] key="order-by-recursion"
def order_by_recursion(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for child in node._prev:
                visit(child)
            order.append(node)

    visit(root)
    return order


[node.label or node._op for node in order_by_recursion(L)]


# %% tags=["nbval-check-output"] key="recursion-ends"
def chain(length):
    """A sum of ones, each added to the sum so far."""
    total = Value(0.0)
    for _ in range(length):
        total = total + Value(1.0)
    return total


for length in (400, 4_000):
    try:
        print(f"{length:,} sums: {len(order_by_recursion(chain(length))):,} nodes")
    except RecursionError:
        print(f"{length:,} sums: too deep for Python")

# %% [markdown]
# Python lets functions call each other about a thousand deep, and a loss that adds up
# several thousand terms is a deeper chain than that. A list has no such limit. So we
# keep a stack of our own and meet each node twice: on the way down we stack its
# children on top of it; on the way back it joins the order.


# %%
def topological_order(root):
    """All nodes that root was made from, children first, root last, each once."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, children_done = stack.pop()
        if children_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in node._prev)
    return order


# %% tags=["nbval-check-output"] key="backward-by-machine"
@add_to(Value)
def backward(self):
    """Fill in grad for every node that this one was made from."""
    self.grad = 1.0
    for node in reversed(topological_order(self)):
        node._backward()


a, b, c, f = leaves()
forward(a, b, c, f)[-1].backward()
print([leaf.grad for leaf in (a, b, c, f)])

deep = chain(50_000)
deep.backward()
print(f"{len(topological_order(deep)):,} nodes, the first one's gradient {deep.grad}")

# %% [markdown]
# The four numbers that we found by hand, and a chain of fifty thousand sums.
#
# Each operation carries its own rule; one ordered walk applies them all.
#
# **Your turn.** `micrograd.toposort`.

# %% [markdown]
# ## One node, several uses
#
# **Question.** So far every value was used once. What if one is used twice?
#
# **Predict.** $v = u + u$ is $2u$, so its slope is $2$. What does our engine write into
# `u.grad`?
#
# *In the video: the bug, and its repair.*

# %% tags=["predict"]
guess = predict("micrograd.used_twice")

# %%
u = Value(3.0, label="u")
v = u + u
v.backward()
guess.compare(u.grad)

# %% [markdown] tags=["why"]
# **Why.** `self` and `other` are the same node. The closure sets its gradient to $1$,
# and then sets it to $1$ again. But $u$ pushes $v$ along two paths, and pushes add up:
# the gradient of a node is the *sum* over everything that uses it.


# %%
@add_to(Value)
def __add__(self, other):
    out = Value(self.data + other.data, (self, other), "+")

    def _backward():
        self.grad += out.grad  # += where = was
        other.grad += out.grad

    out._backward = _backward
    return out


# %%
@add_to(Value)
def __mul__(self, other):
    out = Value(self.data * other.data, (self, other), "*")

    def _backward():
        self.grad += other.data * out.grad
        other.grad += self.data * out.grad

    out._backward = _backward
    return out


# %% [markdown]
# The repair on two examples. On paper, the second one is $y = m\,(1 + c)$ with $m =
# ab$: its slope by $a$ is $b\,(1 + c) = -33$.

# %% tags=["nbval-check-output"] key="repaired"
u = Value(3.0, label="u")
(u + u).backward()
print(u)

a, b, c, _ = leaves()
m = a * b
y = m + m * c
y.backward()
print(a, b, c, sep="\n")

# %%
explore.graph_stepper(y, m=m, y=y)

# %% [markdown]
# **Look.** Follow $m$. With `=`, its second share wipes out the first. *Breadth first*,
# level by level from the root, fires it when only the short path has reported: what
# $mc$ sends comes too late, and never reaches $a$.
#
# Adding has a price: somebody has to clear the slots.
#
# **Predict.** For our first expression, `backward()` leaves $6$ in `a.grad`. We call it
# once more, on the same graph. What does `a.grad` hold then?

# %% tags=["predict"]
guess = predict("micrograd.backward_twice")

# %%
a, b, c, f = leaves()
L = forward(a, b, c, f)[-1]
L.backward()
L.backward()
guess.compare(a.grad)

# %% [markdown] tags=["why"]
# **Why.** Not $12$: the nodes between kept their gradients too. In the second walk $d$
# holds $-2 - 2 = -4$, so $e$ holds $-2 - 4 = -6$, and $a$ receives $-3 \cdot (-6) = 18$
# on top of its $6$. The deeper a leaf lies, the larger the mistake.

# %% tags=["nbval-check-output"] key="clear-the-leaves"
for clear in (True, False):
    for leaf in (a, b, c, f):
        leaf.grad = 0.0 if clear else leaf.grad
    forward(a, b, c, f)[-1].backward()  # a new graph on the old leaves
    print("leaves cleared first:" if clear else "not cleared:", a.grad)

# %% [markdown]
# A new forward pass makes new nodes, whose gradients start at zero. Only the leaves
# outlive a pass, so only they need clearing.
#
# Gradients add up, over the uses of a node and over calls; clear the leaves in between.
#
# **Your turn.** `micrograd.local_grads`, then `micrograd.backward`.

# %% [markdown]
# ## More operations, and what an operation is
#
# **Question.** We took $\tanh$ as one operation. Could it be several? Would the
# gradient care?
#
# First, plain numbers: for `2 * a` Python turns to `a.__rmul__(2)`, where we wrap the
# $2$ in a leaf. Minus and divide are made of what exists. A function of one input needs
# a value and a slope.
#
# *In the video: $\tanh$ broken up, and more operations.*


# %%
def accept_numbers(operation):
    def accepting(self, other):
        return operation(self, other if isinstance(other, Value) else Value(other))

    return accepting


Value.__add__ = Value.__radd__ = accept_numbers(Value.__add__)
Value.__mul__ = Value.__rmul__ = accept_numbers(Value.__mul__)
Value.__neg__ = lambda self: self * -1
Value.__sub__ = lambda self, other: self + -other
Value.__rsub__ = lambda self, other: -self + other
Value.__truediv__ = lambda self, other: self * other**-1
Value.__rtruediv__ = lambda self, other: self**-1 * other


# %%
@add_to(Value)
def _apply(self, data, slope, op):
    """A node with one child: its value, and its slope by that child."""
    out = Value(data, (self,), op)

    def _backward():
        self.grad += slope * out.grad

    out._backward = _backward
    return out


@add_to(Value)
def __pow__(self, k):  # k is a plain number
    return self._apply(self.data**k, k * self.data ** (k - 1), f"**{k}")


# %%
@add_to(Value)
def tanh(self):
    t = math.tanh(self.data)
    return self._apply(t, 1 - t * t, "tanh")


@add_to(Value)
def exp(self):
    return self._apply(math.exp(self.data), math.exp(self.data), "exp")


@add_to(Value)
def relu(self):  # lets positive numbers pass, turns the others into 0
    return self._apply(max(self.data, 0.0), float(self.data > 0), "relu")


# %% [markdown]
# Now the neuron twice: with $\tanh$ whole, and with $\tanh$ in small steps,
# $\tanh n = \frac{e^{2n} - 1}{e^{2n} + 1}$.
#
# **Predict.** By how much do the gradients of $x_1$ differ?

# %% tags=["predict"]
guess = predict("micrograd.two_ways_to_tanh")


# %%
def whole(n):
    return n.tanh()


def in_steps(n):
    power = (2 * n).exp()
    return (power - 1) / (power + 1)


def neuron_gradients(squash):
    x1, w1, x2, w2, bias = (Value(x) for x in (2.0, -3.0, 0.0, 1.0, 6.8813735870195432))
    squash(x1 * w1 + x2 * w2 + bias).backward()
    return [leaf.grad for leaf in (x1, w1, x2, w2, bias)]


guess.compare(abs(neuron_gradients(whole)[0] - neuron_gradients(in_steps)[0]))

# %% [markdown] tags=["why"]
# **Why.** An operation is anything whose value and slope we can write down, and its
# size is our choice. The chain rule multiplies the small slopes to the large one; only
# rounding tells them apart.

# %% tags=["nbval-check-output"] key="two-ways-to-tanh"
for name, squash in (("whole", whole), ("steps", in_steps)):
    slopes = neuron_gradients(squash)
    print(name, " ".join(f"{slope:8.4f}" for slope in slopes))
    try:
        print(name, "at n = 400:", squash(Value(400.0)).data)
    except OverflowError:
        print(name, "at n = 400: overflow, e to the 800 is no float")

# %% [markdown]
# A free choice, though not an idle one: for large inputs the steps overflow on the way
# to a harmless answer.
#
# The README of the published micrograd opens with an expression of no meaning, made to
# use everything: powers, rectifiers, numbers on both sides, nodes used again and again.
# It states what comes out: $24.7041$, and the slopes $138.8338$ and $645.5773$.


# %% tags=["nbval-check-output"] key="readme"
def readme(a, b):
    c = a + b
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = a * b + b**3
    d = d + (d * 2 + (b + a).relu())
    d = d + (3 * d + (b - a).relu())
    f = (c - d) ** 2
    return f / 2 + 10 / f


a, b = Value(-4.0), Value(2.0)
g = readme(a, b)
g.backward()
readme_slopes = a.grad, b.grad
print(f"g {g.data:.4f}   by a {a.grad:.4f}   by b {b.grad:.4f}")

# %% [markdown]
# All three. Would a wrong engine have shown? Here are two wrong walks, *breadth first*
# and *plain recursion* (fire, then send each child to do the same), on this expression
# and on a smaller one from micrograd's own tests.


# %%
def breadth_first(root):
    order = [root]
    for node in order:  # the list grows while we walk along it
        order += [x for x in dict.fromkeys(node._prev) if x not in order]
    for node in order:
        node._backward()


def recursion(node):
    node._backward()
    for child in node._prev:
        recursion(child)


def sanity(a):
    z = 2 * a + 2 + a
    q = z.relu() + z * a
    return (z * z).relu() + q + q * a


# %% tags=["nbval-check-output"] key="wrong-walks"
print(f"{'slope by a':13} {'README':>12} {'sanity':>10}")
for walk in (Value.backward, breadth_first, recursion):
    a, b, other = Value(-4.0), Value(2.0), Value(-4.0)
    for result in (readme(a, b), sanity(other)):
        result.grad = 1.0
        walk(result)
    print(f"{walk.__name__:13} {a.grad:12.4f} {other.grad:10.4f}")

# %% [markdown]
# The breadth-first engine passes the small test: one right answer is no proof.
# Recursion fires shared nodes once for each path to them, and hands old shares on
# again.
#
# An operation is a value and a slope; the chain rule does the rest.
#
# **Your turn.** `micrograd.functions`, `micrograd.operators`, `micrograd.softmax_nll`;
# and `micrograd.gradcheck`, which compares any expression with the ruler.

# %% [markdown]
# ## The same in PyTorch
#
# **Question.** PyTorch trains the largest networks there are. Does it agree with our
# page of Python?
#
# A **tensor** is an array of numbers, here of one. It records its history where we ask
# with `requires_grad`. Python's floats have 64 bits, PyTorch's default has 32.
#
# *In the video: the same neuron in PyTorch.*


# %% tags=["nbval-check-output"] key="neuron-in-torch"
def neuron(x1, w1, x2, w2, bias):
    return (x1 * w1 + x2 * w2 + bias).tanh()


numbers = (2.0, -3.0, 0.0, 1.0, 6.8813735870195432)
ours = [Value(x) for x in numbers]
theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
neuron(*ours).backward()
neuron(*theirs).backward()
for value, tensor in zip(ours, theirs, strict=True):
    print(f"{value.grad:10.6f} {tensor.grad.item():10.6f}")

# %% [markdown]
# The function never asks what it works on, and the names are the same: data, grad,
# backward.
#
# Two things differ. PyTorch's default float has 32 bits, about seven digits: enough to
# learn with, in half the memory, and too few to *check* gradients with. And a second
# `backward()` fails unless the first is told to keep the graph.

# %% tags=["nbval-check-output"] key="torch-differs"
out32 = neuron(*(torch.tensor(x) for x in numbers))
print(f"{out32.dtype}   {out32.item():.10f}")
print(f"torch.float64   {neuron(*theirs).item():.10f}")

tensors = [torch.tensor(leaf.data, requires_grad=True) for leaf in leaves()]
result = forward(*tensors)[-1]
result.backward(retain_graph=True)
result.backward()
print("a.grad after two calls:", tensors[0].grad.item())

# %% [markdown]
# The leaf has doubled, $6$ to $12$: PyTorch's inner nodes keep no gradients, where ours
# led to $24$.
#
# Tensors make it fast, a whole array in one node; the calculus is the one you have.

# %% [markdown]
# ## Neurons, layers, networks
#
# **Question.** How does one neuron become a network?
#
# Its weights and its bias are its **parameters**, the numbers that training moves. They
# start at random: equal neurons would receive equal gradients, and stay equal for ever.
# A **layer** is several neurons on the same inputs. A **multi-layer perceptron**, MLP,
# feeds each layer into the next.
#
# *In the video: a neural net library on top of the engine.*


# %%
class Neuron:
    """act(w · x + b); act is "tanh", "relu", or "" for none."""

    def __init__(self, nin, act, rng):
        self.w = [Value(rng.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.act = act

    def __call__(self, x):
        out = sum((w * x for w, x in zip(self.w, x, strict=True)), self.b)
        return getattr(out, self.act)() if self.act else out

    def parameters(self):
        return [*self.w, self.b]


# %%
class Layer:
    """nout neurons that see the same nin inputs; one neuron gives no list."""

    def __init__(self, nin, nout, act, rng):
        self.neurons = [Neuron(nin, act, rng) for _ in range(nout)]

    def __call__(self, x):
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


# %%
class MLP:
    """Layers in a row, nin -> nouts[0] -> ...; last is the act of the last one."""

    def __init__(self, nin, nouts, act, last, rng):
        sizes = [nin, *nouts[:-1]]
        acts = [act] * (len(nouts) - 1) + [last]
        shapes = zip(sizes, nouts, acts, strict=True)
        self.layers = [Layer(n, m, one, rng) for n, m, one in shapes]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]


# %% [markdown]
# **Predict.** Three inputs, two layers of four neurons, one output. How many
# parameters?

# %% tags=["predict"]
guess = predict("micrograd.parameters_of_mlp")

# %%
net = MLP(3, [4, 4, 1], act="tanh", last="tanh", rng=random.Random(1337))
guess.compare(len(net.parameters()))

# %% [markdown] tags=["why"]
# **Why.** A neuron has one weight for each input, and one bias:
# $4 \cdot (3 + 1) + 4 \cdot (4 + 1) + 1 \cdot (4 + 1) = 41$.

# %% tags=["nbval-check-output"] key="one-forward-pass"
out = net([2.0, 3.0, -1.0])
out.backward()
reached = sum(p.grad != 0 for p in net.parameters())
print(f"output {out.data:.4f}, made of {len(topological_order(out))} nodes")
print(f"{reached} of {len(net.parameters())} parameters have a gradient")

# %% [markdown]
# A network is an expression whose leaves are its parameters; `backward()` reaches every
# one of them.
#
# **Your turn.** `micrograd.neuron_layer_mlp`.

# %% [markdown]
# ## Descent
#
# **Question.** We know which way each of the 41 knobs moves the output. How do we make
# the network say what we want?
#
# All misses go into one number, the **loss**: here the sum of the squared distances.
# Then one step of **gradient descent**: clear, walk back, move every parameter a little
# *against* its gradient. How little is the **learning rate**, at first $0.1$.
#
# *In the video: the tiny dataset, the loss, and descent by hand.*


# %% tags=["nbval-check-output"] key="untrained"
def squared_error(net):
    return sum((net(x) - target) ** 2 for x, target in zip(xs, ys, strict=True))


xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]
for x, target in zip(xs, ys, strict=True):
    print(f"target {target:4.1f}   output {net(x).data:7.4f}")
print(f"loss {squared_error(net).data:.4f}")

# %% tags=["nbval-check-output"] key="one-step-down"
loss = squared_error(net)
for p in net.parameters():
    p.grad = 0.0
loss.backward()
for p in net.parameters():
    p.data -= 0.1 * p.grad
print(f"{loss.data:.4f} -> {squared_error(net).data:.4f}")

# %% [markdown]
# The loss fell. The same lines again, as a loop; `clear=False` leaves out one of them,
# for an experiment. And three learning rates, to see what *a little* means.


# %%
def descend(net, loss_of, steps, lr, clear=True):
    """Gradient descent on loss_of(net); the loss before each step."""
    losses = []
    for _ in range(steps):
        loss = loss_of(net)
        for p in net.parameters():
            p.grad = 0.0 if clear else p.grad
        loss.backward()
        for p in net.parameters():
            p.data -= lr * p.grad
        losses.append(loss.data)
    return losses


# %% tags=["nbval-check-output"] key="three-learning-rates"
def four_points(seed, lr=0.1, clear=True):
    """The losses of 20 steps, from a fresh network."""
    net = MLP(3, [4, 4, 1], act="tanh", last="tanh", rng=random.Random(seed))
    return descend(net, squared_error, steps=20, lr=lr, clear=clear)


print("step         0      5     10     19")
for lr in (0.001, 0.1, 1.0):
    losses = four_points(1337, lr)
    print(f"lr {lr:5} " + " ".join(f"{losses[step]:.4f}" for step in (0, 5, 10, 19)))

# %% [markdown]
# Too small creeps; too large jumps across the valley and ends where $\tanh$ is flat,
# two outputs firmly wrong, each $2$ away: $2 \cdot 2^2 = 8$.
#
# **Predict.** At $0.1$ the last loss is $0.0159$. What is it when we forget to clear
# the gradients?

# %% tags=["predict"]
guess = predict("micrograd.forgotten_zero_grad")

# %%
guess.compare(four_points(1337, clear=False)[-1])

# %% [markdown] tags=["why"]
# **Why.** Gradients of past steps pile up like the speed of a ball that rolls without
# friction. On a small problem it may run straight into the goal, so a low loss does
# not show that the loop is right.

# %%
fig, (cleared, kept) = style.figure("pair")
cleared.set_title("Cleared: all five arrive")
kept.set_title("Not cleared: one is lost")
cleared.set(xlabel="step", ylabel="loss", xticks=range(0, 20, 5))
kept.set(xlabel="step")
for seed in range(1, 6):
    cleared.plot(four_points(seed), color=style.REFERENCE, linestyle="--")
    kept.plot(four_points(seed, clear=False), color=style.BACKWARD)

# %% [markdown]
# **Look.** Five networks, each trained twice. On the right, two are thrown far up and
# come back by luck; a third is thrown to $8$ and stays there.

# %% [markdown]
# Now a problem with a shape: two crescents of fifty points each, each reaching into the
# other. The network gives a **score**, and its sign is the answer.
#
# The **max-margin loss** charges a point until its score is on the right side by $1$. A
# small charge on the size of the weights keeps the boundary smooth.
#
# *In the video: the walk through micrograd's repository and its demo.*


# %%
def crescents(count, noise, rng):
    """Points on two half circles, by turns, and their labels 1 and -1."""
    points, labels = [], []
    for i in range(count):
        angle, label = math.pi * rng.random(), 1 - 2 * (i % 2)
        x, y = math.cos(angle), math.sin(angle)
        x, y = (x, y) if label > 0 else (1 - x, 0.5 - y)
        points.append([x + rng.gauss(0, noise), y + rng.gauss(0, noise)])
        labels.append(label)
    return points, labels


# %% tags=["nbval-check-output"] key="crescents-untrained"
def max_margin(net, batch):
    """The mean charge on a batch of (point, label), and that on the weights."""
    charges = [(1 - label * net(point)).relu() for point, label in batch]
    weights = sum(p * p for p in net.parameters())
    return sum(charges) / len(charges) + 1e-4 * weights


rng = random.Random(1337)
points, labels = crescents(100, noise=0.1, rng=rng)
moons = list(zip(points, labels, strict=True))
model = MLP(2, [16, 16, 1], act="relu", last="", rng=rng)
loss_before = max_margin(model, moons).data
print(f"{len(model.parameters())} parameters, loss {loss_before:.4f}")

# %% [markdown]
# All hundred points in every step would be slow in plain Python, so each step takes
# sixteen of them at random, a **minibatch**. The learning rate falls from $1.0$ to
# $0.1$. This is the one slow cell of the page, so we watch it: `live.train` counts the
# steps and draws what `run.log` is told. While it runs you can pause it, stop it, or
# multiply the learning rate.

# %%
frames, steps = [], budget(full=100, check=6)
for step in (run := live.train(steps, lr=lambda step: 1.0 - 0.9 * step / steps)):
    loss = max_margin(model, rng.sample(moons, 16))
    if step % 10 == 0:
        now = explore.record_boundary(model, points, labels, step, loss, grid=12)
        frames.append(now)
    for p in model.parameters():
        p.grad = 0.0
    loss.backward()
    for p in model.parameters():
        p.data -= run.lr * p.grad
    run.log(loss=loss, model=model)

loss_after = max_margin(model, moons).data
right = sum(label * model(point).data > 0 for point, label in moons)
print(f"{run.done} steps: loss {loss_after:.4f}, {right} of 100 points on their side")

# %%
frames.append(explore.record_boundary(model, points, labels, run.done, loss_after, 12))
explore.two_moons(points, labels, frames)

# %% [markdown]
# **Look.** Step from frame to frame. First a straight cut, then a fold, and the line
# comes to lie in the gap between the two arms.
#
# Learning is one step, repeated: measure, walk back, move downhill.
#
# **Your turn.** `micrograd.sgd`.

# %% [markdown]
# ## What you have now
#
# You built an engine that found $24.7041$, $138.8338$ and $645.5773$, the numbers that
# the published one states. You showed why it adds: with `=`, $u + u$ had the slope $1$.
# You showed why it keeps an order: breadth first turned $138.8338$ into $7$. And on
# that engine alone, 41 parameters came down to a loss of $0.0159$ on four points, and
# 337 put all of 100 points on their side.
#
# *In the video: the summary, and how PyTorch does it.*

# %%
start, end = (four_points(1337)[step] for step in (0, -1))
print(f"{'':34} {'ours':>18} {'published':>18}")
for what, our, published in (
    ("README: value", f"{g.data:.4f}", "24.7041"),
    ("README: slope by a", f"{readme_slopes[0]:.4f}", "138.8338"),
    ("README: slope by b", f"{readme_slopes[1]:.4f}", "645.5773"),
    ("four points: first loss", f"{start:.4f}", "0.0021 (re-run)"),
    ("four points: loss at step 19", f"{end:.4f}", "0.0018"),
    ("crescents: loss before", f"{loss_before:.4f}", "0.8958"),
    (f"crescents: loss after {run.done} steps", f"{loss_after:.4f}", "0.0110"),
    ("crescents: points on their side", f"{right} %", "100 %"),
):
    print(f"{what:34} {our:>18} {published:>18}")

# %% [markdown]
# The published four-point run was started on a network trained before; its crescents
# (`make_moons` of scikit-learn) are other points, and each of its hundred steps takes
# all of them.
#
# Its repository has the same three parts: `engine.py`, our `Value`; `nn.py`, our three
# classes; a test that compares with PyTorch. A production library adds arrays, and
# kernels for each processor. An operation, there too, is a value and a slope.


# %% tags=["nbval-check-output"] key="an-operation-for-torch"
class Squash(torch.autograd.Function):
    """Our tanh, made known to PyTorch."""

    @staticmethod
    def forward(ctx, x):
        out = x.tanh()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        return (1 - out**2) * grad


before = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
print(f"{Squash.apply(before).item():.4f}")
torch.autograd.gradcheck(Squash.apply, before)  # central differences, as in section 1

# %% [markdown]
# **Question** for the next lesson. Our networks answered with one number, and we knew
# which number was right. What if the answer is a letter, the next one of a name, and
# several are possible? What is the loss then?

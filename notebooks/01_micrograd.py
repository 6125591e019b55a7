# %% [markdown]
# # 1 · Building micrograd
#
# A network is one long expression with many numbers in it. How does it find out, for
# each of them, which way to move?
#
# You will be able to
#
# - build a kind of number that finds, for any expression made of it, how strongly each
#   part moves the result;
# - show, with a counterexample, why it has to add, and why in a certain order;
# - train networks with it, down to a boundary between two crescents.

# %% [markdown]
# This page goes with [Building micrograd](https://youtu.be/VMj-3S1tku0) by Andrej
# Karpathy and keeps its order; each section names its part of the video. You bring
# Python and the derivatives of school.
#
# **Predict** asks for a guess before you run a cell; your guess is kept beside the
# result. **Your turn** names exercises: all of them are in
# `exercises/01_micrograd.ipynb`.

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
# Here is a curve. Take two points of it and join them by a line, a **secant**. Its
# slope is the rise of the output divided by the run of the input.
#
# *In the video: the derivative of a function with one input.*


# %%
def curve(x):
    return x**3 - 3 * x + 5


rise, across = curve(2.5) - curve(2), 2.5 - 2
fig, ax = style.figure("wide")
ax.set_title(f"From 2 to 2.5 it rises by {rise}: a slope of {rise / across}")
ax.set(xlabel="x", ylabel="curve(x)")
places = [-2 + i / 50 for i in range(241)]
ax.plot(places, [curve(x) for x in places], color=style.FORWARD)
ax.plot([2, 2.5], [curve(2), curve(2.5)], color=style.BACKWARD, marker="o")

# %% [markdown]
# **Look.** Let the right point slide down to the left one, at $2$. The secant then
# turns into the **tangent**, and its slope into the **derivative** at $2$. On paper
# it is $3x^2 - 3$, hence $9$.
#
# We measure it without that rule. *One-sided*: from $2$ to $2 + h$. *Central*: from
# $2 - h$ to $2 + h$, which is a run of $2h$. How far from $9$ are they?

# %% tags=["nbval-check-output"] key="slopes-of-a-curve"
for h in (1e-1, 1e-2, 1e-3):
    one_sided = (curve(2 + h) - curve(2)) / h
    central = (curve(2 + h) - curve(2 - h)) / (2 * h)
    print(
        f"h = {h:5}   one-sided 9 + {one_sided - 9:.6f}   central 9 + {central - 9:.6f}"
    )

# %% [markdown]
# With a step ten times smaller, the one-sided error is ten times smaller, and the
# central one a hundred times: it goes with $h^2$. The curve bends the same way on both
# sides, which makes one side too steep and the other too flat; in the middle of the two
# most of that cancels.
#
# **Predict.** Each smaller step came closer to $9$. What will the one-sided slope be
# for $h = 10^{-15}$? Two decimals.

# %% tags=["predict"]
guess = predict("micrograd.tiny_step")

# %%
h = 1e-15
guess.compare((curve(2 + h) - curve(2)) / h)

# %% [markdown] tags=["why"]
# **Why.** A float keeps about sixteen digits. `curve(2 + h)` and `curve(2)` agree in
# nearly all of them, so the subtraction leaves mostly rounding noise; dividing by a
# tiny $h$ makes that noise large.

# %%
explore.tangent_probe(curve, x=2.0)

# %% [markdown]
# On the right is the error for each step $h$, the central one dotted: it falls twice as
# fast, and rounding stops it earlier. Neither is best at the smallest $h$. Now move $x$
# to $1$, where the curve lies flat: there a small nudge changes nothing.
#
# A derivative is a rate: how far the output moves for each unit of a small nudge.
#
# **Your turn.** In the exercises, `micrograd.derivative`: measure a slope so well that
# eight digits are right.

# %% [markdown]
# ## A value that remembers
#
# **Question.** With a million inputs, a nudge for each of them takes a million runs.
# Can one walk through the expression find all the slopes? For that, a result has to
# know how it was made.
#
# So we make a number that keeps, beside its own value, the values it was made from.
# These are its **children**.
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
print(L)
print(f"made by {L._op} from {L._prev[0]} and {L._prev[1]}")

# %%
explore.expression_graph(L, e=e, d=d, L=L)

# %% [markdown]
# Nobody told Python to keep this picture. It is the **graph** of the expression: seven
# **nodes**, and it came into being while `L` was computed. The four on which nothing
# was done, `a`, `b`, `c` and `f`, are its **leaves**; `L` is the **root**.
#
# A value that keeps its operands keeps the whole history of its making.
#
# **Your turn.** In the exercises, `micrograd.value`: this class, also with plain
# numbers on either side.

# %% [markdown]
# ## Backpropagation by hand
#
# **Question.** `L` is $-8$. How strongly, and in which direction, does each of the four
# leaves push it?
#
# The answer is a slope for each node: of the result, by this node, while the others
# are held still. We call it the **gradient** of the node, and it goes into the slot
# `grad`. One needs no thought: `L` moves with itself, one for one. So we start there,
# and walk backwards.
#
# *In the video: the two examples worked by hand, an expression and a neuron.*

# %% [markdown]
# *A sum passes it on.* $d = e + c$: one unit more of $c$ is one unit more of $d$. So
# $c$ has the gradient of $d$.
#
# *A product swaps.* $L = d f$: one unit more of $d$ is $f$ more of $L$, since $(d + 1)f
# = df + f$. So $d$ has the number of $f$ times the gradient of $L$, and $f$ has that of
# $d$ times it.
#
# Rates along a path multiply: this is the **chain rule**,
# $\frac{dL}{dc} = \frac{dL}{dd}\cdot\frac{dd}{dc}$.

# %% tags=["nbval-check-output"] key="by-hand"
L.grad = 1.0
d.grad = f.data * L.grad  # L = d * f: a product swaps
f.grad = d.data * L.grad
e.grad = 1.0 * d.grad  # d = e + c: a sum passes on
c.grad = 1.0 * d.grad
a.grad = b.data * e.grad  # e = a * b: a product swaps
b.grad = a.data * e.grad
[leaf.grad for leaf in (a, b, c, f)]

# %%
explore.expression_graph(L, e=e, d=d, L=L)

# %% [markdown]
# Check one path with your finger: from `L` to `d` times $-2$, to `e` times $1$, to `a`
# times $-3$. That makes $6$.
#
# Is it right? We can measure: nudge one leaf at a time, as in the first section. And is
# it useful? Let each leaf take a step of $0.01$ times its gradient. Each unit of that
# step is worth one gradient to $L$, so every leaf should add $0.01$ times its gradient
# *squared*.


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
print(f"a rise of {sum(0.01 * leaf.grad**2 for leaf in (a, b, c, f)):.4f} was expected")

# %% [markdown]
# Nearly as expected; the slopes change a little on the way. Training will take this
# same step, downhill.
#
# Next, the cell that networks are made of. A **neuron** multiplies each input $x_i$ by
# a **weight** $w_i$, adds up, adds a **bias**, and squashes the sum with $\tanh$ into
# the range from $-1$ to $1$.
#
# **Predict.** Let the inputs be $x_1 = 2$, $x_2 = 0$, the weights $w_1 = -3$, $w_2 =
# 1$. We nudge $w_2$. What is its gradient?

# %% tags=["predict"]
guess = predict("micrograd.gradient_of_w2")


# %%
def output(x1, x2, w1, w2, bias):
    return math.tanh(x1 * w1 + x2 * w2 + bias)


BIAS = 6 + math.atanh(math.sqrt(0.5))  # so that tanh has the slope one half
up, down = (output(2.0, 0.0, -3.0, w2, BIAS) for w2 in (1 + h, 1 - h))
guess.compare((up - down) / (2 * h))

# %% [markdown] tags=["why"]
# **Why.** A product swaps, and the other operand is $x_2 = 0$. While its input is zero
# a weight has no influence, and so nothing to learn.
#
# Here are all five gradients by hand. The slope of $\tanh$ at its output $o$ is $1 -
# o^2$; the cell measures it too. A sum passes it on to both products.


# %% tags=["nbval-check-output"] key="neuron-by-hand"
def five_by_hand(x1, x2, w1, w2, bias):
    """The gradients of x1, w1, x2, w2 and the bias."""
    o = output(x1, x2, w1, w2, bias)
    slope = 1 - o**2
    return [w1 * slope, x1 * slope, w2 * slope, x2 * slope, slope]


n = 2.0 * -3.0 + 0.0 * 1.0 + BIAS
measured = (math.tanh(n + h) - math.tanh(n - h)) / (2 * h)
print(f"output {math.tanh(n):.4f}, slope of tanh there {measured:.4f}")
print("x1, w1, x2, w2, bias:", end=" ")
print(*(f"{gradient:.4f}" for gradient in five_by_hand(2.0, 0.0, -3.0, 1.0, BIAS)))

# %%
explore.saturation()

# %% [markdown]
# The picture writes $w \cdot x$ for the sum $w_1 x_1 + w_2 x_2$. Slide the bias far to
# either side: the output settles near $\pm 1$, its slope sinks to zero, and so does
# every gradient behind this neuron. It is **saturated**.
#
# Backpropagation is the chain rule from the result down: sums pass on, products swap.
#
# **Your turn.** In the exercises, further down, `micrograd.gradient_by_hand`: three
# slopes of one expression, on paper, with the rules of school.

# %% [markdown]
# ## Backpropagation by machine
#
# **Question.** We applied the same rules again and again. Who applies them among a
# thousand nodes?
#
# The operation itself. It knows both operands, so it leaves with its node a small
# function, `_backward`, that hands the node's gradient on. Such a function remembers
# the names around it: a **closure**. (One habit in the next two cells is wrong. No
# result in this section shows it; the next one does.)
#
# *In the video: the backward function of each operation, then of the whole graph.*


# %%
@add_to(Value)  # puts the function below into the class
def __add__(self, other):
    out = Value(self.data + other.data, (self, other), "+")

    def _backward():  # remembers self, other and out
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
# To **fire** a node is to call its `_backward`.
#
# **Predict.** By hand, $b$ received $-4$. Now we fire $L = d \cdot f$, then $e = a
# \cdot b$, then $d = e + c$, each of them once. What does $b$ receive?

# %% tags=["predict"]
guess = predict("micrograd.gradient_of_b")


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
#
# So we want a list in which every node stands after all of its children, a
# **topological order**, and we fire it from its end. The shortest way to one: before a
# node joins the list, its children do.


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

# %% [markdown]
# But `visit` calls itself for each level of the graph, and Python allows only so many
# calls inside each other. A list has no such limit. So we keep a **stack** of our own,
# a list of what is still to do, and meet each node twice: on the way down we put its
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


@add_to(Value)
def backward(self):
    """Fill in grad for every node that this one was made from."""
    self.grad = 1.0
    for node in reversed(topological_order(self)):
        node._backward()


# %% tags=["nbval-check-output"] key="backward-by-machine"
a, b, c, f = leaves()
forward(a, b, c, f)[-1].backward()
print([leaf.grad for leaf in (a, b, c, f)])

start = total = Value(1.0)
for _ in range(50_000):
    total = total * Value(1.00001)
try:
    order_by_recursion(total)
except RecursionError:
    print("recursion: too deep for Python")
total.backward()
print(f"our list: {len(topological_order(total)):,} nodes")
print(f"at the far end {start.grad:.6f}, on paper {1.00001**50_000:.6f}")

# %% [markdown]
# First the four numbers that we found by hand. Then $50\,000$ products in a row: the
# slope by the number at the far end is the product of all the others, and that is what
# arrives there.
#
# Each operation carries its own rule; one ordered walk, the **backward pass**, applies
# them all. A class like this one is called an **engine**.
#
# **Your turn.** In the exercises, `micrograd.toposort`: an order for any graph, however
# deep.

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
guess = predict("micrograd.u_plus_u")

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
# Press *Next* and follow $m$, which is used twice. Then switch to `grad =`, and step
# through it again; then to `grad +=` with *breadth first*, which takes the nodes level
# by level from the root. Under the picture stands what goes wrong, and where.
#
# Adding has a price: somebody has to clear the slots.
#
# **Predict.** For our first expression, `backward()` leaves $6$ in `a.grad`. We call it
# once more, on the same graph. What does `a.grad` hold then?

# %% tags=["predict"]
guess = predict("micrograd.backward_again")

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
# Computing an expression is a **forward pass**. Each one makes new nodes, whose
# gradients start at zero. Only the leaves outlive a pass, so only they need clearing.
#
# Gradients add up, over the uses of a node and over calls; clear the leaves in between.
#
# **Your turn.** In the exercises, `micrograd.local_grads`: the closures of sum and
# product; then `micrograd.backward`: the walk.

# %% [markdown]
# ## More operations, and what an operation is
#
# **Question.** So far we can add and multiply Values. What does it take to add an
# operation?
#
# First, plain numbers. Python reads `a + 2` as `a.__add__(2)`, and `2 + a` as
# `a.__radd__(2)`. Both times we wrap the $2$ in a Value, a new leaf.
#
# Then minus and divide, which need no slope of their own: $a - b$ is $a + (-1)b$, and
# $a / b$ is $ab^{-1}$.
#
# *In the video: $\tanh$ broken up, and more operations.*


# %%
def accept_numbers(operation):
    """The same operation, where other may be a plain number."""

    def accepting(self, other):
        return operation(self, other if isinstance(other, Value) else Value(other))

    return accepting


Value.__add__ = Value.__radd__ = accept_numbers(Value.__add__)
Value.__mul__ = Value.__rmul__ = accept_numbers(Value.__mul__)

# %%
Value.__neg__ = lambda self: self * -1
Value.__sub__ = lambda self, other: self + -other
Value.__rsub__ = lambda self, other: -self + other
Value.__truediv__ = lambda self, other: self * other**-1
Value.__rtruediv__ = lambda self, other: self**-1 * other

# %% [markdown]
# A function of one input needs two things: its value and its slope. Here is a small
# table of slopes, each beside a measured one, at $x = 2$ and at $x = -2$.
#
# The last one, **relu**, short for *rectified linear unit* and also written ReLU, turns
# what is below zero into $0$ and lets the rest pass. It is the cheapest function with a
# bend, and a network of straight lines alone could draw no bent boundary.

# %% tags=["nbval-check-output"] key="table-of-slopes"
SLOPES = {  # name: (the function, its slope)
    "x**3": (lambda x: x**3, lambda x: 3 * x**2),
    "exp": (math.exp, math.exp),
    "log": (math.log, lambda x: 1 / x),
    "tanh": (math.tanh, lambda x: 1 - math.tanh(x) ** 2),
    "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0)),
}
h = 1e-6
for name, (function, slope) in SLOPES.items():
    for x in (2.0, -2.0) if name != "log" else (2.0,):  # log needs x > 0
        measured = (function(x + h) - function(x - h)) / (2 * h)
        print(f"{name:5} at {x:4}   slope {slope(x):8.4f}   measured {measured:8.4f}")
bend, _ = SLOPES["relu"]
print(f"relu at 0: left {(bend(0) - bend(-h)) / h}, right {(bend(h) - bend(0)) / h}")

# %% [markdown]
# A power $x^k$ has the slope $k x^{k-1}$; $e^x$ is its own slope; $\log$ here is the
# natural one, the inverse of $e^x$, with slope $1/x$. At $0$ relu has two slopes, one
# for each side; we take $0$ there.
#
# All of them hand on *slope times what arrived*. So one method makes the node, and each
# function adds a line.


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
def log(self):
    return self._apply(math.log(self.data), 1 / self.data, "log")


@add_to(Value)
def relu(self):
    return self._apply(max(self.data, 0.0), float(self.data > 0), "relu")


# %% [markdown]
# How large is one operation? Let us build the neuron twice: with $\tanh$ whole, and
# with $\tanh$ in small steps, $\tanh n = \frac{e^{2n} - 1}{e^{2n} + 1}$.
#
# **Predict.** By how much do the two gradients of $x_1$ differ?

# %% tags=["predict"]
guess = predict("micrograd.two_ways_to_tanh")


# %%
def whole(n):
    return n.tanh()


def in_steps(n):
    power = (2 * n).exp()
    return (power - 1) / (power + 1)


def neuron_gradients(squash):
    x1, w1, x2, w2, bias = (Value(x) for x in (2.0, -3.0, 0.0, 1.0, BIAS))
    squash(x1 * w1 + x2 * w2 + bias).backward()
    return [leaf.grad for leaf in (x1, w1, x2, w2, bias)]


guess.compare(abs(neuron_gradients(whole)[0] - neuron_gradients(in_steps)[0]))

# %% [markdown] tags=["why"]
# **Why.** By nothing but the last digit of a float. An operation is anything whose
# value and slope we can write down, and its size is our choice: the chain rule
# multiplies the small slopes to the large one. The choice is not idle, though. What
# happens at $n = 400$?

# %% tags=["nbval-check-output"] key="two-ways-to-tanh"
for name, squash in (("whole", whole), ("steps", in_steps)):
    slopes = neuron_gradients(squash)
    print(name, " ".join(f"{slope:8.4f}" for slope in slopes))
    try:
        print(name, "at n = 400:", squash(Value(400.0)).data)
    except OverflowError:
        print(name, "at n = 400: overflow, e to the 800 is no float")

# %% [markdown]
# The README of the published micrograd opens with an expression of no meaning, made to
# use everything: powers, relu, numbers on both sides, nodes used again and again. It
# states what comes out: $24.7041$, and the slopes $138.8338$ and $645.5773$.


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
# All three. Would a wrong walk have shown? Here are two: *breadth first*, which you saw
# in the picture, and *plain recursion*: fire, then let each child do the same.


# %% tags=["nbval-check-output"] key="wrong-walks"
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


for walk in (Value.backward, breadth_first, recursion):
    a, b = Value(-4.0), Value(2.0)
    result = readme(a, b)
    result.grad = 1.0
    walk(result)
    print(f"{walk.__name__:13} by a {a.grad:10.4f}   by b {b.grad:10.4f}")

# %% [markdown]
# Both are far off: one fires too early, the other fires a shared node once for each
# path to it, and hands old shares on again.
#
# Last, an operation on several values. To choose among answers a network gives each of
# them a **score**, any number. **Softmax** turns scores into probabilities: $e$ to each
# score, over the sum of them all. The **negative log likelihood** is $-\log$ of the
# probability of the right answer: $0$ if that is certain, and larger the less likely it
# is.


# %% tags=["nbval-check-output"] key="softmax"
def softmax(scores):
    powers = [score.exp() for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


scores = [Value(1.0), Value(2.0), Value(0.0)]
chances = softmax(scores)
loss = -chances[2].log()  # the third answer is the right one
loss.backward()
print("probabilities", " ".join(f"{p.data:8.4f}" for p in chances))
print("gradients    ", " ".join(f"{score.grad:8.4f}" for score in scores))
print(f"negative log likelihood {loss.data:.4f}")

# %% [markdown]
# The gradients are the probabilities, less $1$ at the right answer: descent pushes that
# score up and the others down. No new rule was needed.
#
# But $e^{1000}$ is too large for a float. A number taken off *every* score leaves the
# probabilities as they are, so we take off the largest score $m$. And since $-\log
# \frac{e^{z_t}}{\sum e^{z}} = \log \sum e^{z} - z_t$, the loss needs no division at
# all.


# %% tags=["nbval-check-output"] key="large-scores"
def from_scores(scores, target):
    """The same loss: log of the sum, less the target's score, both shifted."""
    largest = max(score.data for score in scores)
    total = sum((score - largest).exp() for score in scores)
    return total.log() - (scores[target] - largest)


print(f"the same scores: {from_scores(scores, 2).data:.4f}")
large = [Value(1000.0), Value(0.0)]
try:
    print(-softmax(large)[1].log())
except OverflowError:
    print("1000 and 0, by softmax: overflow")
print(f"1000 and 0, shifted: {from_scores(large, 1).data:.4f}")

# %% [markdown]
# An operation is a value and a slope; the chain rule does the rest.
#
# **Your turn.** In the exercises, `micrograd.functions`: the table above;
# `micrograd.operators`: minus and divide, with the plain number on either side. Further
# down, `micrograd.softmax_nll`: softmax and its loss for scores of any size; and
# `micrograd.gradcheck`: compare the gradients of any expression with measured slopes.

# %% [markdown]
# ## The same in PyTorch
#
# **Question.** PyTorch trains the largest networks there are. Does it agree with our
# page of Python?
#
# A **tensor** is an array of numbers, here of one; `.item()` gives that one as a plain
# number. It records its history where we ask with `requires_grad`; the engine behind it
# is called **autograd**. We ask for 64 bits a number, as Python's floats have;
# PyTorch's default of 32 is enough to learn with, and too few digits to compare
# gradients.
#
# *In the video: the same neuron in PyTorch.*


# %% tags=["nbval-check-output"] key="neuron-in-torch"
def neuron(x1, w1, x2, w2, bias):
    return (x1 * w1 + x2 * w2 + bias).tanh()


numbers = (2.0, -3.0, 0.0, 1.0, BIAS)
ours = [Value(x) for x in numbers]
theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
neuron(*ours).backward()
neuron(*theirs).backward()
for value, tensor in zip(ours, theirs, strict=True):
    print(f"ours {value.grad:8.4f}   PyTorch {tensor.grad.item():8.4f}")

# %% [markdown]
# The function never asks what it works on, and the names are the same: data, grad,
# backward. One thing differs: what a second `backward()` does.

# %% tags=["nbval-check-output"] key="torch-differs"
tensors = [torch.tensor(leaf.data, requires_grad=True) for leaf in leaves()]
result = forward(*tensors)[-1]
result.backward(retain_graph=True)
result.backward()
print("a.grad after two calls:", tensors[0].grad.item())
try:
    result.backward()
except RuntimeError:
    print("a third one, after a call that did not keep the graph: an error")

# %% [markdown]
# PyTorch throws the graph away after a call, unless told to keep it. And its inner
# nodes keep no gradients: the leaf has doubled, where ours was larger still.
#
# Tensors make it fast, a whole array in one node; the calculus is the one you have.

# %% [markdown]
# ## Neurons, layers, networks
#
# **Question.** How does one neuron become a network?
#
# Its weights and its bias are its **parameters**, the numbers that training moves; they
# start at random, drawn by `rng`, the bias at zero. A **layer** is several neurons on
# the same inputs. A **multi-layer perceptron**, MLP, feeds each layer into the next.
# `nin` and `nout` count what goes in and what comes out; `act` names the squashing
# function, the **activation**.
#
# *In the video: a neural net library on top of the engine.*


# %%
class Neuron:
    """act(w1 x1 + w2 x2 + ... + b); act is "tanh", "relu", or "" for none."""

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

# %%
explore.network_graph(net)

# %% [markdown] tags=["why"]
# **Why.** A neuron has one weight for each input, a line of the picture, and one bias:
# $4 \cdot (3 + 1) + 4 \cdot (4 + 1) + 1 \cdot (4 + 1) = 41$.
#
# (`1337` is the *seed* of `rng`: from the same seed come the same random numbers.)
#
# Why at random? The next cell sends three numbers through the network and walks back.
# Then it does the same with all parameters alike.

# %% tags=["nbval-check-output"] key="one-forward-pass"
out = net([2.0, 3.0, -1.0])
out.backward()
reached = sum(p.grad != 0 for p in net.parameters())
print(f"output {out.data:.4f}, made of {len(topological_order(out))} nodes")
print(f"{reached} of {len(net.parameters())} parameters have a gradient")

alike = MLP(3, [4, 4, 1], act="tanh", last="tanh", rng=random.Random(1337))
for p in alike.parameters():
    p.data = 0.1
alike([2.0, 3.0, -1.0]).backward()
first = [neuron.w[0].grad for neuron in alike.layers[0].neurons]
print("all alike:", " ".join(f"{gradient:.6f}" for gradient in first))

# %% [markdown]
# Four neurons that are alike get the same gradient, take the same step, and are alike
# again: four of them can do no more than one.
#
# A network is an expression whose leaves are its parameters, beside the inputs, and
# `backward()` reaches every one of them.
#
# **Your turn.** In the exercises, `micrograd.neuron_layer_mlp`: the three classes.

# %% [markdown]
# ## Descent
#
# **Question.** We know which way each of the 41 knobs moves the output. How do we make
# the network say what we want?
#
# All misses go into one number, the **loss**: here the sum of their squares, so that a
# miss to either side counts. Then one step of **gradient descent**: clear, walk back,
# move every parameter a little *against* its gradient. How little is the **learning
# rate**, at first $0.1$.
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


rates = {lr: four_points(1337, lr) for lr in (0.001, 0.1, 1.0)}
print("step         0      5     10     19")
for lr, losses in rates.items():
    print(f"lr {lr:5} " + " ".join(f"{losses[step]:.4f}" for step in (0, 5, 10, 19)))

# %%
fig, ax = style.figure("wide")
ax.set_title("0.001 creeps, 0.1 arrives, 1.0 is thrown out")
ax.set(xlabel="step", ylabel="loss", xlim=(0, 22), xticks=range(0, 20, 5))
for (lr, losses), look in zip(rates.items(), (":", "-", "--"), strict=True):
    (line,) = ax.plot(losses, look, color=style.TRAIN)
    style.label_line(ax, line, f"lr {lr:g}")

# %% [markdown]
# **Look.** This is a **loss curve**: each point is the loss before one step. Too small
# a rate creeps. Too large a rate jumps across the valley, to where $\tanh$ is flat: two
# outputs firmly wrong, each $2$ away, make $2 \cdot 2^2 = 8$, and no gradient leads
# back.
#
# **Predict.** With a rate of $0.1$ the last loss is $0.0159$. What is it when the
# gradients are not cleared between the steps?

# %% tags=["predict"]
guess = predict("micrograd.without_clearing")

# %%
guess.compare(four_points(1337, clear=False)[-1])

# %% [markdown] tags=["why"]
# **Why.** Gradients of past steps pile up like the speed of a ball that rolls without
# friction. On a small problem it may run straight into the goal, so a low loss does
# not show that the loop is right. Does it always? Here are five more networks.

# %%
fig, axes = style.figure("pair")
axes[0].set(ylabel="loss (log scale)", yscale="log", ylim=(1e-6, 20))
for ax, clear in zip(axes, (True, False), strict=True):
    curves = {seed: four_points(seed, clear=clear) for seed in (1, 2, 3, 4, 5)}
    low = sum(losses[-1] < 0.1 for losses in curves.values())
    ax.set_title(f"{'' if clear else 'Not '}cleared: {low} of 5 below 0.1".capitalize())
    ax.set(xlabel="step", xticks=range(0, 20, 5))
    for seed, losses in curves.items():
        picked = seed == 5
        colour = style.BACKWARD if picked else style.REFERENCE
        ax.plot(losses, color=colour, zorder=2 + picked, linewidth=1 + picked)

# %% [markdown]
# **Look.** Follow the orange line, the same network on both sides. Cleared, it comes
# down step by step. Not cleared, it is far lower at first; then the piled-up gradients
# throw it to $8$, where $\tanh$ is flat, and it stays. Others come back, by luck.
#
# Now a problem with a shape: two crescents of fifty points each, each reaching into the
# other. The network gives one score for a point; its sign is the answer.
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


points, labels = crescents(100, noise=0.1, rng=random.Random(1337))
moons = list(zip(points, labels, strict=True))

# %% [markdown]
# Here the **max-margin loss** serves: a point costs nothing once its score is on the
# right side by $1$, and else what is missing: $\mathrm{relu}(1 - \text{label} \cdot
# \text{score})$. As in the published demo, a small charge on the squares of all
# parameters is added.


# %% tags=["nbval-check-output"] key="crescents-untrained"
def max_margin(net, batch):
    """The mean charge on a batch of (point, label), and that on the weights."""
    charges = [(1 - label * net(point)).relu() for point, label in batch]
    weights = sum(p * p for p in net.parameters())
    return sum(charges) / len(charges) + 1e-4 * weights


def moon_net():
    """An untrained network, the same one at each call."""
    return MLP(2, [16, 16, 1], act="relu", last="", rng=random.Random(1337))


loss_before = max_margin(moon_net(), moons).data
print(f"{len(moon_net().parameters())} parameters, loss {loss_before:.4f}")

# %% [markdown]
# In plain Python all hundred points in every step would be slow, so each step takes
# sixteen of them at random, a **minibatch**. The learning rate falls from $1.0$ to
# $0.1$. The cell takes about half a minute. `live.train` counts the steps and draws
# what `run.log` is told (`:=` names the run while the loop takes its steps from it);
# meanwhile you can pause, stop, or multiply the learning rate. Run the cell again, and
# a fresh network starts.

# %%
model, rng = moon_net(), random.Random(2)
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
print(f"{run.done} steps: all points: loss {loss_after:.4f}, {right} % on their side")

# %% [markdown]
# *Train*: a dot is the loss of one minibatch; the line is smoothed. The loss under it
# is that of all points.
#
# *Gradients*: how they spread in each layer; layer 0 is the first.
#
# *Updates : data*: how far a step moves the weights, as a share of their size, in
# powers of ten: $-2$ is one hundredth. The grey line at $-3$ is a rule of thumb, no
# law: a small network may lie well above it, and learn. Where the lines dip, the
# sixteen points cost nearly nothing.

# %%
fine = budget(full=24, check=8)
last = explore.record_boundary(model, points, labels, run.done, loss_after, grid=fine)
explore.two_moons(points, labels, [*frames, last])

# %% [markdown]
# Step from frame to frame. It begins with hardly more than a straight cut; in a whole
# run the line folds, and comes to lie between the two arms.
# Each frame's loss is that of one minibatch, the last one's that of all points.
#
# Learning is one step, repeated: measure, walk back, move downhill.
#
# **Your turn.** In the exercises, `micrograd.sgd`: the loop, on any model and loss.

# %% [markdown]
# ## What you have now
#
# You built an engine that finds the slope of any expression by every number in it. You
# showed why it adds, with $u + u$, and why it keeps an order, with two walks that went
# wrong. And with that engine alone you trained two networks. Here is what your cells
# found, and beside it what the published micrograd states.
#
# *In the video: the summary, and how PyTorch does it.*

# %%
print(f"{'the README':12} {'ours':>10} {'published':>10}")
for what, our, published in (
    ("value", g.data, "24.7041"),
    ("slope by a", readme_slopes[0], "138.8338"),
    ("slope by b", readme_slopes[1], "645.5773"),
):
    print(f"{what:12} {our:10.4f} {published:>10}")
begun, ended = (rates[0.1][step] for step in (0, -1))
print(f"\nfour points, 41 parameters: loss {begun:.4f} -> {ended:.4f}")
print(f"crescents, {len(model.parameters())} parameters: loss", end=" ")
print(f"{loss_before:.4f} -> {loss_after:.4f}, {right} % on their side")

# %% [markdown]
# The [published repository](https://github.com/karpathy/micrograd) has the same parts:
# `engine.py`, our `Value`; `nn.py`, our three classes; a test that compares with
# PyTorch. A production library adds arrays, and fast code for each processor. An
# operation, there too, is a value and a slope.
#
# **Your turn.** Open `exercises/01_micrograd.ipynb` and build it yourself.
#
# **Question** for the next lesson. Our networks answered with one number, and we knew
# which number was right. After the letters of a name several others may come. What
# should a model say then, and by which number is it judged?

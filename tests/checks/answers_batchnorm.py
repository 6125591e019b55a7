"""Answers to lesson 4's exercises, as learners might write them: cells of code."""

RIGHT: dict[str, dict[str, str]] = {
    "batchnorm.initial_loss": {
        "with logsumexp, and mul_": """
def excess_loss(logits, Y):
    own = logits.gather(1, Y[:, None]).squeeze(1)
    loss = (torch.logsumexp(logits, 1) - own).mean()
    return float(loss) - math.log(logits.size(1))

@torch.no_grad()
def calm(W, b, h, std=0.1):
    b.fill_(0)
    logits = torch.matmul(h, W)
    W.mul_(std).div_(torch.std(logits))
""",
        "compared with logits of zero, and data": """
def excess_loss(logits, Y):
    even = F.cross_entropy(torch.zeros_like(logits), Y)
    return (F.cross_entropy(logits, Y) - even).item()

def calm(W, b, h, std=0.1):
    now = (h @ W.data).std()
    W.data = W.data * (std / now)
    b.data = torch.zeros_like(b.data)
""",
    },
    "batchnorm.saturation": {
        "two comparisons": """
def saturated(h, edge=0.97):
    return (h > edge) | (h < -edge)

def saturation(h, edge=0.97):
    flags = saturated(h, edge)
    return flags.sum().item() / flags.numel()
""",
        "gt, and count_nonzero": """
def saturated(h, edge=0.97):
    return torch.gt(torch.abs(h), edge)

def saturation(h, edge=0.97):
    return float(torch.count_nonzero(h.abs() > edge)) / h.nelement()
""",
    },
    "batchnorm.dead_units": {
        "nothing healthy": """
def dead_tanh(h, edge=0.99):
    return ~(h.abs() <= edge).any(dim=0)

def dead_relu(h):
    return ~(h > 0).any(dim=0)
""",
        "the smallest and the largest": """
def dead_tanh(h, edge=0.99):
    return h.abs().min(dim=0).values > edge

def dead_relu(h):
    return h.amax(0) == 0
""",
        "loops over columns": """
def dead_tanh(h, edge=0.99):
    return torch.tensor([all(abs(x) > edge for x in col) for col in h.T.tolist()])

def dead_relu(h):
    return torch.tensor([sum(col) == 0 for col in h.T.tolist()])
""",
    },
    "batchnorm.kaiming": {
        "if, elif, and a root": """
def gain(nonlinearity):
    if nonlinearity == "tanh":
        return 5 / 3
    elif nonlinearity == "relu":
        return 2 ** 0.5
    return 1.0

def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    std = gain(nonlinearity) / fan_in ** 0.5
    return torch.normal(0.0, std, (fan_in, fan_out), generator=generator)
""",
        "torch's own": """
def gain(nonlinearity):
    return float(torch.nn.init.calculate_gain(nonlinearity))

def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.empty(fan_out, fan_in)
    torch.nn.init.kaiming_normal_(W, nonlinearity=nonlinearity, generator=generator)
    return W.T
""",
        "from a scaled start": """
def gain(nonlinearity):
    return dict(linear=1.0, relu=math.sqrt(2.0), tanh=5 / 3)[nonlinearity]

def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.empty(fan_in, fan_out)
    W.normal_(generator=generator)
    W *= gain(nonlinearity) * fan_in ** -0.5
    return W
""",
    },
    "batchnorm.linear": {
        "evenly, with the right spread": """
class Linear:
    training = True

    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        bound = math.sqrt(3 / fan_in)
        self.weight = torch.empty(fan_in, fan_out)
        self.weight.uniform_(-bound, bound, generator=generator)
        self.weight.requires_grad_()
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None

    def __call__(self, x):
        self.out = x @ self.weight if self.bias is None else x @ self.weight + self.bias
        return self.out

    def parameters(self):
        return [p for p in (self.weight, self.bias) if p is not None]
""",
        "a module of torch's": """
class Linear(torch.nn.Module):
    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        super().__init__()
        w = torch.randn(fan_in, fan_out, generator=generator) * fan_in ** -0.5
        self.weight = torch.nn.Parameter(w)
        self.bias = torch.nn.Parameter(torch.zeros(fan_out)) if bias else None

    def forward(self, x):
        self.out = F.linear(x, self.weight.T, self.bias)
        return self.out

    def parameters(self):
        return list(super().parameters())
""",
        "in the video's words": """
class Linear:
    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        self.training = True
        self.weight = torch.randn((fan_in, fan_out), generator=generator) / fan_in**0.5
        self.bias = torch.zeros(fan_out) if bias else None
        for p in self.parameters():
            p.requires_grad = True

    def __call__(self, x):
        self.out = x @ self.weight
        if self.bias is not None:
            self.out = self.out + self.bias
        return self.out

    def parameters(self):
        return [self.weight] + ([] if self.bias is None else [self.bias])
""",
    },
    "batchnorm.tanh": {
        "the method, and a product": """
class Tanh:
    def __init__(self):
        self.training = True

    def __call__(self, x):
        self.out = x.tanh()
        return self.out

    def parameters(self):
        return []

def slope(h):
    return (1 + h) * (1 - h)
""",
        "two sigmoids, and a difference": """
class Tanh:
    training = True

    def __call__(self, x):
        self.out = 2 * torch.sigmoid(2 * x) - 1
        return self.out

    def parameters(self):
        return list()

def slope(h):
    return torch.ones_like(h) - h.square()
""",
    },
    "batchnorm.batchnorm": {
        "in the video's words, with PyTorch's variances": """
class BatchNorm1d:
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.gamma = torch.ones(dim).requires_grad_()
        self.beta = torch.zeros(dim).requires_grad_()
        self.running_mean = torch.zeros(dim)
        self.running_var = torch.ones(dim)

    def __call__(self, x):
        if self.training:
            xmean = x.mean(0, keepdim=True)
            xvar = x.var(0, keepdim=True, unbiased=False)
        else:
            xmean = self.running_mean
            xvar = self.running_var
        xhat = (x - xmean) / torch.sqrt(xvar + self.eps)
        self.out = self.gamma * xhat + self.beta
        if self.training:
            with torch.no_grad():
                n = x.shape[0]
                m = self.momentum
                self.running_mean = (1 - m) * self.running_mean + m * xmean[0]
                new = xvar[0] * n / (n - 1)
                self.running_var = (1 - m) * self.running_var + m * new
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]
""",
        "sums, and averages moved in place": """
class BatchNorm1d:
    training = True

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.full((dim,), 1.0, requires_grad=True)
        self.beta = torch.full((dim,), 0.0, requires_grad=True)
        self.running_mean, self.running_var = torch.zeros(dim), torch.ones(dim)

    def __call__(self, x):
        if not self.training:
            mean, var = self.running_mean, self.running_var
        else:
            mean = x.sum(0) / len(x)
            squares = ((x - mean) ** 2).sum(0)
            var = squares / len(x)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(squares / (len(x) - 1), self.momentum)
        self.out = (x - mean) * (var + self.eps).rsqrt() * self.gamma + self.beta
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]
""",
        "torch's function in a module": """
class BatchNorm1d(torch.nn.Module):
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.nn.Parameter(torch.ones(dim))
        self.beta = torch.nn.Parameter(torch.zeros(dim))
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x):
        self.out = F.batch_norm(
            x, self.running_mean, self.running_var, self.gamma, self.beta,
            self.training, self.momentum, self.eps,
        )
        return self.out

    def parameters(self):
        return list(super().parameters())
""",
    },
    "batchnorm.layer_statistics": {
        "with autograd.grad": """
def layer_statistics(layers, X, Y):
    outs = []
    for layer in layers:
        X = layer(X)
        outs.append(X)
    grads = torch.autograd.grad(F.cross_entropy(X, Y), outs)
    return [(float(o.std()), float(g.std())) for o, g in zip(outs, grads)]
""",
        "retained by the layer's out": """
def layer_statistics(layers, X, Y):
    x = X
    for layer in layers:
        x = layer(x)
    for layer in layers:
        layer.out.retain_grad()
    for layer in layers:
        for p in layer.parameters():
            p.grad = None
    loss = torch.nn.functional.cross_entropy(x, Y)
    loss.backward()
    rows = []
    for layer in layers:
        t = layer.out
        rows.append((torch.std(t).item(), torch.std(t.grad).item()))
    return rows
""",
        "with hooks": """
def layer_statistics(layers, X, Y):
    stds, slopes = [], {}
    for i, layer in enumerate(layers):
        X = layer(X)
        stds.append(X.detach().std().item())
        X.register_hook(lambda g, i=i: slopes.__setitem__(i, g.std().item()))
    F.cross_entropy(X, Y).backward()
    return [(s, slopes[i]) for i, s in enumerate(stds)]
""",
    },
    "batchnorm.update_ratio": {
        "math.log10": """
def update_ratio(p, lr):
    step = lr * p.grad
    return math.log10(step.std().item() / p.detach().std().item())

def measured_ratio(before, after):
    return math.log10(float((before - after).std()) / float(before.std()))
""",
        "a difference of logarithms": """
def update_ratio(p, lr):
    with torch.no_grad():
        return (torch.log10(lr * p.grad.std()) - torch.log10(p.std())).item()

def measured_ratio(before, after):
    step = torch.sub(after, before)
    return (step.std().log10() - before.std().log10()).item()
""",
    },
    "batchnorm.train_deep": {
        "in steps, with plain loops": """
def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    layers = []
    for i in range(depth):
        n = fan_in if i == 0 else hidden
        layers.append(Linear(n, hidden, bias=False, generator=generator))
        layers.append(BatchNorm1d(hidden))
        layers.append(Tanh())
    layers.append(Linear(hidden, classes, bias=False, generator=generator))
    layers.append(BatchNorm1d(classes))
    layers[-1].gamma.data *= 0.1
    return layers

def deep_logits(C, layers, X):
    x = F.embedding(X, C).flatten(1)
    for layer in layers:
        x = layer(x)
    return x

def deep_step(C, layers, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(len(Y), (batch_size,), generator=generator)
    Xb, Yb = X[ix], Y[ix]
    loss = F.cross_entropy(deep_logits(C, layers, Xb), Yb)
    parameters = [C] + sum([layer.parameters() for layer in layers], [])
    grads = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for p, g in zip(parameters, grads):
            p -= lr * g
    return float(loss)

def deep_loss(C, layers, X, Y):
    flags = {}
    for i, layer in enumerate(layers):
        flags[i] = layer.training
        layer.training = False
    try:
        with torch.inference_mode():
            loss = F.cross_entropy(deep_logits(C, layers, X), Y)
    finally:
        for i, layer in enumerate(layers):
            layer.training = flags[i]
    return loss.item()
""",
        "torch's SGD, and reduce": """
from functools import reduce

def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    def block(n, m):
        return [Linear(n, m, False, generator), BatchNorm1d(m)]
    layers = [*block(fan_in, hidden), Tanh()]
    for _ in range(depth - 1):
        layers.extend(block(hidden, hidden))
        layers.append(Tanh())
    layers.extend(block(hidden, classes))
    with torch.no_grad():
        layers[-1].gamma.fill_(0.1)
    return layers

def deep_logits(C, layers, X):
    emb = C[X]
    return reduce(lambda x, layer: layer(x), layers, emb.reshape(emb.shape[0], -1))

def deep_step(C, layers, X, Y, lr, batch_size=32, generator=None):
    everything = [C]
    for layer in layers:
        everything.extend(layer.parameters())
    optimizer = torch.optim.SGD(everything, lr=lr)
    ix = torch.randint(0, X.shape[0], (batch_size,), generator=generator)
    loss = F.cross_entropy(deep_logits(C, layers, X[ix]), Y[ix])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()

@torch.no_grad()
def deep_loss(C, layers, X, Y):
    on = [layer for layer in layers if layer.training]
    for layer in on:
        layer.training = False
    loss = F.cross_entropy(deep_logits(C, layers, X), Y).item()
    for layer in on:
        layer.training = True
    return loss
""",
    },
    "batchnorm.all_zero_init": {
        "backward, and counts": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    with torch.no_grad():
        for p in parameters:
            p.fill_(0)
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        with torch.no_grad():
            for p in parameters:
                p -= lr * p.grad
    return [p.detach().abs().max().item() > 0 for p in parameters]

def unigram_loss(Y, vocab_size):
    from collections import Counter
    n = len(Y)
    return -sum(c / n * math.log(c / n) for c in Counter(Y.tolist()).values())
""",
        "torch's SGD, and the mean over Y": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data *= 0
    optimizer = torch.optim.SGD(parameters, lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    return [bool((p != 0).any()) for p in parameters]

def unigram_loss(Y, vocab_size):
    counts = torch.bincount(Y, minlength=vocab_size).double()
    logp = (counts / counts.sum()).log()
    return -logp[Y].mean().item()
""",
    },
    "batchnorm.fold_batchnorm": {
        "divided, then multiplied": """
def fold_batchnorm(linear, bn):
    std = (bn.running_var + bn.eps) ** 0.5
    shift = bn.beta - bn.running_mean / std * bn.gamma
    if linear.bias is not None:
        shift = shift + linear.bias / std * bn.gamma
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight / std * bn.gamma).detach()
    new.bias.data = shift.detach()
    return new
""",
        "without grad, and by index": """
@torch.no_grad()
def fold_batchnorm(linear, bn):
    fan_in, fan_out = linear.weight.shape
    std = (bn.running_var + bn.eps).sqrt()
    new = Linear(fan_in, fan_out)
    new.weight.copy_(linear.weight / std * bn.gamma)
    b = linear.bias if linear.bias is not None else torch.zeros(fan_out)
    new.bias.copy_(bn.beta + bn.gamma * (b - bn.running_mean) / std)
    return new

def folded(layers):
    made, i = [], 0
    while i < len(layers):
        pair = layers[i:i + 2]
        if [type(x).__name__ for x in pair] == ["Linear", "BatchNorm1d"]:
            made.append(fold_batchnorm(*pair))
            i += 2
        else:
            made.append(layers[i])
            i += 1
    return made
""",
        "by asking the two layers": """
def fold_batchnorm(linear, bn):
    n, m = linear.weight.shape
    def ask(x):
        y = x @ linear.weight
        y = y if linear.bias is None else y + linear.bias
        xhat = (y - bn.running_mean) * (bn.running_var + bn.eps) ** -0.5
        return (xhat * bn.gamma + bn.beta).detach()
    new = Linear(n, m)
    new.bias.data = ask(torch.zeros(n))
    new.weight.data = ask(torch.eye(n)) - new.bias.data
    return new

def folded(layers):
    made = list(layers)
    for i in reversed(range(1, len(made))):
        if isinstance(made[i], BatchNorm1d) and isinstance(made[i - 1], Linear):
            made[i - 1:i + 1] = [fold_batchnorm(made[i - 1], made[i])]
    return made
""",
    },
    "batchnorm.layernorm": {
        "sums and a root": """
class LayerNorm:
    def __init__(self, dim, eps=1e-5):
        self.dim, self.eps, self.training = dim, eps, True
        self.gamma = torch.nn.Parameter(torch.ones(dim))
        self.beta = torch.nn.Parameter(torch.zeros(dim))

    def __call__(self, x):
        centred = x - x.sum(-1, keepdim=True) / self.dim
        power = centred.pow(2).mean(dim=-1, keepdim=True)
        self.out = self.gamma * centred * torch.rsqrt(power + self.eps) + self.beta
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]
""",
        "torch's function in a module": """
class LayerNorm(torch.nn.Module):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = torch.nn.Parameter(torch.ones(dim))
        self.beta = torch.nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        self.out = F.layer_norm(x, self.gamma.shape, self.gamma, self.beta, self.eps)
        return self.out

    def parameters(self):
        return list(super().parameters())
""",
    },
}

# a class of the solutions with one method written otherwise
_LINEAR = """
class Linear:
    training = True

    def __init__(self, fan_in, fan_out, bias=True, generator=None):
        {weight}
        self.bias = torch.zeros(fan_out, requires_grad=True) if bias else None

    def __call__(self, x):
        {call}
        return self.out

    def parameters(self):
        {listed}
"""
_WEIGHT = (
    "self.weight = (torch.randn(fan_in, fan_out, generator=generator)"
    " / fan_in**0.5).requires_grad_()"
)
_CALL = "self.out = x @ self.weight + (0 if self.bias is None else self.bias)"
_LISTED = "return [p for p in (self.weight, self.bias) if p is not None]"


def _linear(weight: str = _WEIGHT, call: str = _CALL, listed: str = _LISTED) -> str:
    return _LINEAR.format(weight=weight, call=call, listed=listed)


_TANH = """
class Tanh:
    training = True

    def __call__(self, x):
        {call}
        return self.out

    def parameters(self):
        {listed}
"""


def _tanh(call: str = "self.out = torch.tanh(x)", listed: str = "return []") -> str:
    return _TANH.format(call=call, listed=listed)


_BATCHNORM = """
class BatchNorm1d:
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.running_mean = torch.zeros(dim)
        self.running_var = torch.ones(dim)

    def __call__(self, x):
        if self.training:
            xmean = {mean}
            xvar = {var}
        else:
            xmean = {used}
            xvar = self.running_var
        xhat = {xhat}
        self.out = self.gamma * xhat + self.beta
        if {when}:
            with torch.no_grad():
                self.running_mean = {new_mean}
                self.running_var = {new_var}
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]
"""
_BN = {
    "mean": "x.mean(0, keepdim=True)",
    "var": "x.var(0, keepdim=True, unbiased=False)",
    "used": "self.running_mean",
    "xhat": "(x - xmean) / torch.sqrt(xvar + self.eps)",
    "when": "self.training",
    "new_mean": "0.9 * self.running_mean + 0.1 * xmean[0]",
    "new_var": "0.9 * self.running_var + 0.1 * x.var(0)",
}
for _name, _what in (("new_mean", "xmean[0]"), ("new_var", "x.var(0)")):
    _BN[_name] = (
        f"(1 - self.momentum) * self.{_name.replace('new', 'running')}"
        f" + self.momentum * {_what}"
    )


def _bn(**parts: str) -> str:
    return _BATCHNORM.format(**{**_BN, **parts})


_LAYERNORM = """
class LayerNorm:
    training = True

    def __init__(self, dim, eps=1e-5):
        self.eps = eps
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)

    def __call__(self, x):
        {body}
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]
"""


def _ln(*body: str) -> str:
    return _LAYERNORM.format(body="\n        ".join(body))


_OF_LN = "self.out = self.gamma * (x - m) / torch.sqrt(v + self.eps) + self.beta"

_STEP = """
def deep_step(C, layers, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(deep_logits(C, layers, X[ix]), Y[ix])
    parameters = [C, *[p for layer in layers for p in layer.parameters()]]
    {zero}
    loss.backward()
    for p in parameters:
        {update}
    return loss.item()
"""
_ZERO = "for p in parameters: p.grad = None"

SAME: dict[str, dict[str, str]] = {
    "batchnorm.initial_loss": {
        "only smaller": """
@torch.no_grad()
def calm(W, b, h, std=0.1):
    s = (h @ W).std()
    if s > std:
        W *= std / s
    b.zero_()
""",
        "divided by n": """
def calm(W, b, h, std=0.1):
    s = torch.matmul(h, W).std(unbiased=False).item()
    W.data.mul_(std / s)
    b.data.fill_(0)
""",
        "overflows": """
def excess_loss(logits, Y):
    counts = torch.exp(logits)
    probs = counts / counts.sum(dim=1, keepdim=True)
    loss = -torch.log(probs[torch.arange(len(Y)), Y]).mean()
    return loss.item() - math.log(logits.shape[1])
""",
        "loss itself": """
def excess_loss(logits, Y):
    logp = torch.log_softmax(logits, 1)
    return -logp[torch.arange(len(Y)), Y].mean().item()
""",
        "always 27": """
def excess_loss(logits, Y):
    return F.cross_entropy(logits, Y).item() + math.log(1 / 27)
""",
        "fixed factor": """
def calm(W, b, h, std=0.1):
    W.data *= 0.01
    b.data *= 0
""",
        "bias scaled": """
@torch.no_grad()
def calm(W, b, h, std=0.1):
    factor = std / (h @ W).std()
    W.mul_(factor)
    b.mul_(0.01)
""",
        "without no_grad": """
def calm(W, b, h, std=0.1):
    logits = torch.matmul(h, W)
    W.mul_(std / logits.std())
    b.mul_(0)
""",
        "all zeros": """
def calm(W, b, h, std=0.1):
    W.data.zero_()
    b.data.zero_()
""",
    },
    "batchnorm.saturation": {
        "no absolute value": """
def saturated(h, edge=0.97):
    return torch.gt(h, edge)
""",
        "edge included": """
def saturated(h, edge=0.97):
    return ~((h < edge) & (h > -edge))
""",
        "percent": """
def saturation(h, edge=0.97):
    mask = (h > edge) | (h < -edge)
    return 100.0 * mask.sum().item() / mask.numel()
""",
        "counted": """
def saturation(h, edge=0.97):
    return int((h.abs() > edge).sum())
""",
        "a tensor": """
def saturation(h, edge=0.97):
    return torch.mean(saturated(h, edge) * 1.0)
""",
    },
    "batchnorm.dead_units": {
        "faint": """
def dead_relu(h):
    return torch.isclose(h, torch.zeros_like(h), atol=1e-4).all(0)
""",
        "never changes": """
def dead_relu(h):
    return h.max(0).values == h.min(0).values
""",
        "any": """
def dead_tanh(h, edge=0.99):
    return h.abs().max(0).values > edge
""",
        "examples": """
def dead_tanh(h, edge=0.99):
    return (h.abs() > edge).all(dim=-1)
""",
        "no absolute value": """
def dead_tanh(h, edge=0.99):
    return h.min(0).values > edge
""",
        "one end at a time": """
def dead_tanh(h, edge=0.99):
    high, low = h.min(0).values > edge, h.max(0).values < -edge
    return torch.logical_or(high, low)
""",
        "on average": """
def dead_tanh(h, edge=0.99):
    return torch.mean(torch.abs(h), 0) > edge
""",
        "counted": """
def dead_tanh(h, edge=0.99):
    return torch.count_nonzero((h.abs() > edge).all(0))
""",
        "below zero": """
def dead_relu(h):
    return h.max(0).values < 0
""",
    },
    "batchnorm.kaiming": {
        "always tanh": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    std = gain("tanh") / math.sqrt(fan_in)
    return torch.normal(0.0, std, (fan_in, fan_out), generator=generator)
""",
        "another default": """
def kaiming(fan_in, fan_out, nonlinearity="relu", generator=None):
    W = torch.empty(fan_in, fan_out).normal_(generator=generator)
    return W.mul_(gain(nonlinearity) * fan_in**-0.5)
""",
        "both fans": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W * gain(nonlinearity) / ((fan_in + fan_out) / 2) ** 0.5
""",
        "not normal": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    bound = gain(nonlinearity) * math.sqrt(3 / fan_in)
    W = torch.empty(fan_in, fan_out)
    return W.uniform_(-bound, bound, generator=generator)
""",
        "double precision": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator, dtype=torch.float64)
    return W * gain(nonlinearity) / fan_in**0.5
""",
        "always the same": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    if generator is None:
        generator = torch.Generator().manual_seed(2147483647)
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W * gain(nonlinearity) / fan_in**0.5
""",
        "gain of the variance": """
def gain(nonlinearity):
    return {"linear": 1.0, "tanh": 5 / 3, "relu": 2.0}[nonlinearity]

def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    g = {"linear": 1.0, "tanh": 5 / 3, "relu": 2 ** 0.5}[nonlinearity]
    return torch.randn(fan_in, fan_out, generator=generator) * g / fan_in ** 0.5
""",
        "no root": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    std = gain(nonlinearity) / fan_in
    return torch.normal(0.0, std, (fan_in, fan_out), generator=generator)
""",
        "fan-out": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W.mul(gain(nonlinearity)).div(math.sqrt(W.shape[1]))
""",
        "not divided": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.empty(fan_in, fan_out)
    return W.normal_(0, gain(nonlinearity), generator=generator)
""",
        "turned": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.empty(fan_out, fan_in)
    torch.nn.init.kaiming_normal_(W, nonlinearity=nonlinearity, generator=generator)
    return W
""",
        "evenly spread": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    bound = gain(nonlinearity) / math.sqrt(fan_in)
    W = torch.empty(fan_in, fan_out)
    return W.uniform_(-bound, bound, generator=generator)
""",
    },
    "batchnorm.linear": {
        "bias of zero": _linear(
            call="self.out = x @ self.weight\n        "
            "if self.bias is not None and bool((self.bias != 0).any()):\n"
            "            self.out = self.out + self.bias"
        ),
        "always the same": _linear(f"torch.manual_seed(1337); {_WEIGHT}"),
        "double precision": _linear(
            "self.weight = torch.randn(fan_in, fan_out, generator=generator,"
            " dtype=torch.float64).div(fan_in**0.5).requires_grad_()"
        ),
        "out shared": _linear(
            call=_CALL.replace("self.out", "Linear.out"),
        ),
        "not scaled": _linear(
            "self.weight = torch.randn(fan_in, fan_out, generator=generator,"
            " requires_grad=True)"
        ),
        "no root": _linear(
            "self.weight = torch.randn(fan_in, fan_out, generator=generator)"
            ".div(fan_in).requires_grad_()"
        ),
        "not a leaf": _linear(
            "self.weight = torch.randn(fan_in, fan_out, generator=generator,"
            " requires_grad=True) * fan_in**-0.5"
        ),
        "not kept": _linear(
            call="out = x @ self.weight\n        "
            "if self.bias is not None: out = out + self.bias\n        "
            "return out"
        ),
        "bias not added": _linear(call="self.out = torch.matmul(x, self.weight)"),
        "bias not listed": _linear(listed="return list((self.weight,))"),
        "None listed": _linear(listed="return list((self.weight, self.bias))"),
        "kept without its graph": _linear(
            call="out = x @ self.weight + (0 if self.bias is None else self.bias)\n"
            "        self.out = out.data\n        return out"
        ),
    },
    "batchnorm.tanh": {
        "in training only": _tanh(
            "self.out = x\n        if self.training: self.out = x.tanh()"
        ),
        "out shared": _tanh("Tanh.out = torch.tanh(x)"),
        "overflows": """
class Tanh:
    training = True

    def __call__(self, x):
        e = (2 * x).exp()
        self.out = (e - 1) / (e + 1)
        return self.out

    def parameters(self):
        return []
""",
        "not kept": """
class Tanh:
    training = True

    def __call__(self, x):
        out = x.tanh()
        return out

    def parameters(self):
        return []
""",
        "clamped": """
class Tanh:
    training = True

    def __call__(self, x):
        self.out = torch.clamp(x, min=-1, max=1)
        return self.out

    def parameters(self):
        return []
""",
        "of the input": """
def slope(h):
    t = torch.tanh(h)
    return torch.ones_like(t) - t * t
""",
        "not squared": """
def slope(h):
    return torch.ones_like(h).sub(h)
""",
    },
    "batchnorm.batchnorm": {
        "mean of squares": _bn(
            var="(x * x).mean(0, keepdim=True) - xmean ** 2",
        ),
        "out shared": _bn().replace("self.out", "BatchNorm1d.out"),
        "in place": _bn(xhat="x.subtract_(xmean) / (xvar + self.eps) ** 0.5").replace(
            "xvar = self.running_var", "xvar = self.running_var.clone()"
        ),
        "no way back in use": _bn(used="self.running_mean; x = x.data"),
        "lecture's variance": _bn(var="x.var(0, keepdim=True)"),
        "paper's variance forgotten": _bn(
            new_var="torch.lerp(self.running_var, xvar[0], self.momentum)"
        ),
        "over the units": _bn(
            mean="x.mean(dim=1, keepdim=True)",
            var="((x - xmean) ** 2).mean(dim=1, keepdim=True)",
        ),
        "divided by the variance": _bn(xhat="(x - xmean) / (xvar + self.eps)"),
        "no eps": _bn(xhat="(x - xmean) / xvar.sqrt()"),
        "eps outside": _bn(xhat="(x - xmean) / (xvar**0.5 + self.eps)"),
        "momentum turned": _bn(
            new_mean="self.momentum * self.running_mean"
            " + (1 - self.momentum) * xmean[0]",
            new_var="self.momentum * self.running_var + (1 - self.momentum) * x.var(0)",
        ),
        "averages never move": _bn(when="False"),
        "averages move in use": _bn(
            when="True",
            new_mean="(1 - self.momentum) * self.running_mean"
            " + self.momentum * x.mean(0)",
        ),
        "batch statistics in use": _bn(used="x.mean(0)").replace(
            "xvar = self.running_var\n", "xvar = x.var(0, correction=0)\n"
        ),
        "graph kept": _bn().replace("with torch.no_grad():", "if True:"),
        "statistics cut off": _bn(
            mean="x.detach().mean(0, keepdim=True)",
            var="x.detach().var(0, keepdim=True, unbiased=False)",
        ),
    },
    "batchnorm.layer_statistics": {
        "not retained": """
def layer_statistics(layers, X, Y):
    x = X
    for layer in layers:
        x = layer(x)
    loss = F.cross_entropy(x, Y)
    loss.backward()
    rows = []
    for layer in layers:
        rows.append((layer.out.std().item(), layer.out.grad.std().item()))
    return rows
""",
        "means": """
def layer_statistics(layers, X, Y):
    outs = []
    for layer in layers:
        X = layer(X)
        outs.append(X)
    slopes = torch.autograd.grad(F.cross_entropy(X, Y), outs)
    return [(a.mean().item(), b.mean().item()) for a, b in zip(outs, slopes)]
""",
        "loss summed": """
def layer_statistics(layers, X, Y):
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    logp = F.log_softmax(X, 1)
    (-logp[torch.arange(len(Y)), Y].sum()).backward()
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
""",
        "tensors": """
def layer_statistics(layers, X, Y):
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    return [(x.out.std(), x.out.grad.std()) for x in layers]
""",
    },
    "batchnorm.update_ratio": {
        "no rate": """
def update_ratio(p, lr):
    return torch.log10(p.grad.std() / p.detach().std()).item()
""",
        "natural logarithm": """
def update_ratio(p, lr):
    return math.log(float(lr * p.grad.std() / p.data.std()))
""",
        "no logarithm": """
def measured_ratio(before, after):
    return (after - before).std().item() / before.std().item()
""",
        "means": """
def update_ratio(p, lr):
    return math.log10(lr * p.grad.abs().mean().item() / p.data.abs().mean().item())
""",
        "norms": """
def update_ratio(p, lr):
    size = torch.linalg.vector_norm
    return math.log10(lr * size(p.grad) / size(p.data))
""",
        "a tensor": """
def update_ratio(p, lr):
    with torch.no_grad():
        return torch.log10(lr * p.grad.std() / p.std())
""",
    },
    "batchnorm.train_deep": {
        "biases": """
def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    layers, n = [], fan_in
    for _ in range(depth):
        layers += [Linear(n, hidden, generator=generator), BatchNorm1d(hidden), Tanh()]
        n = hidden
    layers += [Linear(n, classes, generator=generator), BatchNorm1d(classes)]
    layers[-1].gamma.data *= 0.1
    return layers
""",
        "gamma not scaled": """
def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    layers, n = [], fan_in
    for m in [hidden] * depth:
        layers += [Linear(n, m, False, generator), BatchNorm1d(m), Tanh()]
        n = m
    return layers + [Linear(n, classes, False, generator), BatchNorm1d(classes)]
""",
        "one layer many times": """
def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    def three(n):
        return [Linear(n, hidden, False, generator), BatchNorm1d(hidden), Tanh()]
    top = [Linear(hidden, classes, False, generator), BatchNorm1d(classes)]
    top[1].gamma.data.fill_(0.1)
    return three(fan_in) + (depth - 1) * three(hidden) + top
""",
        "table forgotten": _STEP.format(
            zero=_ZERO, update="p.data -= lr * p.grad"
        ).replace(
            "[C, *[p for layer in layers for p in layer.parameters()]]",
            "sum((layer.parameters() for layer in layers), [])",
        ),
        "no zero_grad": _STEP.format(zero="", update="p.data.sub_(lr * p.grad)"),
        "uphill": _STEP.format(zero=_ZERO, update="p.data += lr * p.grad"),
        "measured in training": """
def deep_loss(C, layers, X, Y):
    with torch.no_grad():
        logits = deep_logits(C, layers, X)
        return F.cross_entropy(logits, Y).item()
""",
        "left in use": """
@torch.no_grad()
def deep_loss(C, layers, X, Y):
    for layer in layers:
        layer.training = False
    return float(F.cross_entropy(deep_logits(C, layers, X), Y))
""",
        "always back to training": """
@torch.no_grad()
def deep_loss(C, layers, X, Y):
    for layer in layers:
        layer.training = False
    loss = F.cross_entropy(deep_logits(C, layers, X), Y).item()
    for layer in layers:
        layer.training = True
    return loss
""",
    },
    "batchnorm.all_zero_init": {
        "gradients pile up": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data = torch.zeros_like(p)
        p.grad = None
    for _ in range(steps):
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [bool(p.data.any()) for p in parameters]
""",
        "not zeroed": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for _ in range(steps):
        grads = torch.autograd.grad(loss(), parameters)
        for p, g in zip(parameters, grads):
            p.data -= lr * g
    return [bool(p.data.any()) for p in parameters]
""",
        "one graph": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    value = loss()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        value.backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [bool(p.data.any()) for p in parameters]
""",
        "base two": """
def unigram_loss(Y, vocab_size):
    share = torch.bincount(Y, minlength=vocab_size) / len(Y)
    share = share[share > 0]
    return -(share * share.log2()).sum().item()
""",
        "zero times infinity": """
def unigram_loss(Y, vocab_size):
    counts = torch.bincount(Y, minlength=vocab_size).float()
    p = counts / counts.sum()
    return (p * -torch.log(p)).sum().item()
""",
    },
    "batchnorm.fold_batchnorm": {
        "graph kept": """
def fold_batchnorm(linear, bn):
    scale = bn.gamma / torch.sqrt(bn.running_var + bn.eps)
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight = linear.weight * scale
    new.bias.data = ((bias - bn.running_mean) * scale + bn.beta).detach()
    return new
""",
        "scale by rows": """
def fold_batchnorm(linear, bn):
    scale = bn.gamma / torch.sqrt(bn.running_var + bn.eps)
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (torch.diag(scale) @ linear.weight).detach()
    new.bias.data = ((bias - bn.running_mean) * scale + bn.beta).detach()
    return new
""",
        "eps forgotten": """
def fold_batchnorm(linear, bn):
    scale = bn.gamma * bn.running_var ** -0.5
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = (bias * scale - bn.running_mean * scale + bn.beta).detach()
    return new
""",
        "old bias forgotten": """
def fold_batchnorm(linear, bn):
    scale = bn.gamma / (bn.running_var + bn.eps).sqrt()
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = (bn.beta - bn.running_mean * scale).detach()
    return new
""",
        "mean forgotten": """
def fold_batchnorm(linear, bn):
    scale = bn.gamma / (bn.running_var + bn.eps).sqrt()
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = (bn.beta + bias * scale).detach()
    return new
""",
        "norms left out": """
def folded(layers):
    return [layer for layer in layers if not isinstance(layer, BatchNorm1d)]
""",
    },
    "batchnorm.layernorm": {
        "mean of squares": _ln(
            "m = x.mean(-1, keepdim=True)",
            "v = (x * x).mean(-1, keepdim=True) - m ** 2",
            _OF_LN,
        ),
        "out shared": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)",
            _OF_LN.replace("self.out", "LayerNorm.out"),
        ),
        "in place": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)",
            "x -= m",
            "self.out = self.gamma * x * torch.rsqrt(v + self.eps) + self.beta",
        ),
        "over the batch": _ln("m, v = x.mean(0), x.var(0, unbiased=False)", _OF_LN),
        "divided by one less": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True)", _OF_LN
        ),
        "no keepdim": _ln(
            "m, v = x.mean(dim=-1), x.var(dim=-1, unbiased=False)", _OF_LN
        ),
        "eps outside": _ln(
            "s = x.std(-1, keepdim=True, correction=0) + self.eps",
            "m = x.mean(-1, keepdim=True)",
            "self.out = (x - m) / s * self.gamma + self.beta",
        ),
        "not kept": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)",
            "return self.gamma * (x - m) / torch.sqrt(v + self.eps) + self.beta",
        ),
        "root mean square": _ln(
            "power = (x * x).mean(-1, keepdim=True)",
            "self.out = x * torch.rsqrt(power + self.eps) * self.gamma + self.beta",
        ),
    },
}

WRONG: dict[str, dict[str, str]] = {
    "batchnorm.initial_loss": {
        "the largest loss": """
def excess_loss(logits, Y):
    losses = F.cross_entropy(logits, Y, reduction="none")
    return losses.max().item() - math.log(logits.shape[1])
""",
        "rounded": """
def excess_loss(logits, Y):
    return round(F.cross_entropy(logits, Y).item() - math.log(logits.shape[1]), 2)
""",
        "each column to its own std": """
@torch.no_grad()
def calm(W, b, h, std=0.1):
    W *= std / (h @ W).std(0)
    b.zero_()
""",
        "fine because it comes down fast": """
def excess_loss(logits, Y):
    return 0.0
""",
        "drawn anew": """
@torch.no_grad()
def calm(W, b, h, std=0.1):
    W.normal_()
    W *= std / (h @ W).std()
    b.zero_()
""",
    },
    "batchnorm.saturation": {
        "rounded outputs": """
def saturated(h, edge=0.97):
    return h.abs().round() == 1
""",
        "share of the units": """
def saturation(h, edge=0.97):
    return (h.abs() > edge).flatten(1).any(0).double().mean().item()
""",
        "two decimals": """
def saturation(h, edge=0.97):
    return round((h.abs() > edge).double().mean().item(), 1)
""",
    },
    "batchnorm.dead_units": {
        "the first and the last example": """
def dead_tanh(h, edge=0.99):
    return (h[[0, -1]].abs() > edge).all(0)
""",
        "three examples": """
def dead_tanh(h, edge=0.99):
    return (h[[0, len(h) // 2, -1]].abs() > edge).all(0)
""",
        "most of the time": """
def dead_tanh(h, edge=0.99):
    return (h.abs() > edge).float().mean(0) > 0.6
""",
        "never changes": """
def dead_tanh(h, edge=0.99):
    return h.std(0) < 0.01
""",
        "nearly silent": """
def dead_relu(h):
    return h.mean(0) < 0.05
""",
        "the last example": """
def dead_tanh(h, edge=0.99):
    return h[-1].abs() > edge

def dead_relu(h):
    return h[-1] == 0
""",
    },
    "batchnorm.kaiming": {
        "one per cent more": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W * gain(nonlinearity) / math.sqrt(fan_in) * 1.01
""",
        "a fan of one more": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W * gain(nonlinearity) / math.sqrt(fan_in + 1)
""",
        "of exactly mean 0 and std 1": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator)
    return (W - W.mean()) / W.std() * gain(nonlinearity) / math.sqrt(fan_in)
""",
        "each column twice": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, (fan_out + 1) // 2, generator=generator)
    W = torch.cat([W, W], 1)[:, :fan_out]
    return W * gain(nonlinearity) / math.sqrt(fan_in)
""",
        "a tenth": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    return torch.randn(fan_in, fan_out, generator=generator) * 0.01
""",
        "one more": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, fan_out, generator=generator)
    return W * gain(nonlinearity) / math.sqrt(fan_in) + 0.1
""",
        "a column for all": """
def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    W = torch.randn(fan_in, 1, generator=generator).expand(fan_in, fan_out)
    return W * gain(nonlinearity) / math.sqrt(fan_in)
""",
        "a table": """
def gain(nonlinearity):
    return {"linear": 1.0, "relu": 1.4, "tanh": 1.6}[nonlinearity]

def kaiming(fan_in, fan_out, nonlinearity="tanh", generator=None):
    g = {"linear": 1.0, "relu": 2 ** 0.5, "tanh": 5 / 3}[nonlinearity]
    return torch.randn(fan_in, fan_out, generator=generator) * g / fan_in ** 0.5
""",
    },
    "batchnorm.linear": {
        "one per cent more": _linear(_WEIGHT.replace("0.5)", "0.5 * 1.01)")),
        "cut off in use": _linear(
            call="W = self.weight if self.training else self.weight.detach()\n"
            "        self.out = x @ W + (0 if self.bias is None else self.bias)"
        ),
        "kept in training only": _linear(
            call="out = x @ self.weight + (0 if self.bias is None else self.bias)\n"
            "        if not self.training: return out\n        self.out = out"
        ),
        "a little more in use": _linear(
            call=_CALL + "\n        if not self.training: return self.out * 1.0001"
        ),
        "for tables only": _linear(
            call="self.out = torch.mm(x, self.weight)\n"
            "        if self.bias is not None: self.out = self.out + self.bias"
        ),
        "squashed": _linear(
            call="self.out = torch.tanh(x @ self.weight"
            " + (0 if self.bias is None else self.bias))"
        ),
        "bias subtracted": _linear(
            call="self.out = x @ self.weight - (0 if self.bias is None else self.bias)"
        ),
        "listed twice": _linear(
            listed="return [self.weight, self.weight]"
            " + ([] if self.bias is None else [self.bias])"
        ),
        "input kept": _linear(
            call="self.out = x\n        return x @ self.weight"
            " + (0 if self.bias is None else self.bias)"
        ),
    },
    "batchnorm.tanh": {
        "softsign": """
class Tanh:
    training = True

    def __call__(self, x):
        self.out = x / (1 + x.abs())
        return self.out

    def parameters(self):
        return []
""",
        "half as steep": """
class Tanh:
    training = True

    def __call__(self, x):
        self.out = torch.tanh(x / 2)
        return self.out

    def parameters(self):
        return []
""",
        "cut at three": """
class Tanh:
    training = True

    def __call__(self, x):
        self.out = torch.tanh(x.clamp(-3, 3))
        return self.out

    def parameters(self):
        return []
""",
        "a third": """
def slope(h):
    return 1 - h**3
""",
    },
    "batchnorm.batchnorm": {
        "written into in use": _bn(used="0; x.data.sub_(self.running_mean)"),
        "written into where it needs no gradient": _bn(
            mean="x.data.add_(0 if x.requires_grad else 0.5).mean(0, keepdim=True)"
        ),
        "averages shared": "_MEANS = torch.zeros(1000)\n\n"
        + _bn().replace(
            "self.running_mean = torch.zeros(dim)", "self.running_mean = _MEANS[:dim]"
        ),
        "gamma only where it is not 1": _bn().replace(
            "self.out = self.gamma * xhat + self.beta",
            "self.out = xhat if (self.gamma == 1).all() and not self.beta.any()"
            " else self.gamma * xhat + self.beta",
        ),
        "mean absolute deviation": _bn(var="(x - xmean).abs().mean(0, keepdim=True)"),
        "median": _bn(mean="x.median(0, keepdim=True).values"),
        "gamma by the mean": _bn(
            xhat="(x - xmean / self.gamma) / torch.sqrt(xvar + self.eps)"
        ),
        "largest": _bn(var="x.abs().amax(0, keepdim=True)"),
        "averages of the output": _bn(
            new_mean="(1 - self.momentum) * self.running_mean"
            " + self.momentum * self.out.mean(0)"
        ),
        "biased average of the wrong batch size": _bn(
            new_var="(1 - self.momentum) * self.running_var"
            " + self.momentum * xvar[0] * len(x) / (len(x) + 1)"
        ),
    },
    "batchnorm.layer_statistics": {
        "all into training": """
def layer_statistics(layers, X, Y):
    for layer in layers: layer.training = True
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    pass
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
""",
        "sent through twice": """
def layer_statistics(layers, X, Y):
    x = X
    for layer in layers: x = layer(x)
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    pass
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
""",
        "a step as well": """
def layer_statistics(layers, X, Y):
    pass
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    for layer in layers:
        for p in layer.parameters(): p.data -= 0.1 * p.grad
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
""",
        "asks for no gradient afterwards": """
def layer_statistics(layers, X, Y):
    pass
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    for layer in layers:
        for p in layer.parameters(): p.requires_grad_(False)
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
""",
        "the first layer only": """
def layer_statistics(layers, X, Y):
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    first = layers[0].out
    return [(first.std().item(), first.grad.std().item())]
""",
        "largest": """
def layer_statistics(layers, X, Y):
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    return [(x.out.abs().max().item(), x.out.grad.abs().max().item()) for x in layers]
""",
        "another loss": """
def layer_statistics(layers, X, Y):
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    ((X - F.one_hot(Y, X.shape[1])) ** 2).mean().backward()
    return [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
""",
        "a ratio": """
def layer_statistics(layers, X, Y):
    for layer in layers:
        X = layer(X)
        X.retain_grad()
    F.cross_entropy(X, Y).backward()
    rows = [(x.out.std().item(), x.out.grad.std().item()) for x in layers]
    return [(a, b / a) for a, b in rows]
""",
    },
    "batchnorm.update_ratio": {
        "not below -6": """
def update_ratio(p, lr):
    return (lr * p.grad.std() / p.data.std()).log10().clamp(min=-6).item()
""",
        "data not below a thousandth": """
def update_ratio(p, lr):
    return (lr * p.grad.std() / p.data.std().clamp(min=1e-3)).log10().item()
""",
        "with a floor": """
def update_ratio(p, lr):
    return max(-2.5, math.log10(lr * p.grad.std() / p.data.std()))
""",
        "largest": """
def update_ratio(p, lr):
    return math.log10(lr * p.grad.abs().max() / p.data.abs().max())
""",
        "moves the parameter": """
def update_ratio(p, lr):
    before = p.data.clone()
    p.data -= lr * p.grad
    return math.log10((p.data - before).std() / before.std())
""",
        "rounded": """
def measured_ratio(before, after):
    return round(math.log10((after - before).std() / before.std()), 1)
""",
    },
    "batchnorm.train_deep": {
        "the first 32 pairs": """
@torch.no_grad()
def deep_loss(C, layers, X, Y):
    was = [layer.training for layer in layers]
    for layer in layers:
        layer.training = False
    logits = deep_logits(C, layers, X[:32])
    for layer, flag in zip(layers, was):
        layer.training = flag
    return F.cross_entropy(logits, Y[:32]).item()
""",
        "one batch for ever": _STEP.format(
            zero=_ZERO, update="p.data -= lr * p.grad"
        ).replace(
            "generator=generator",
            "generator=generator or torch.Generator().manual_seed(0)",
        ),
        "half of gamma": """
def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    layers, n = [], fan_in
    for m in [hidden] * depth:
        layers += [Linear(n, m, False, generator), BatchNorm1d(m), Tanh()]
        n = m
    layers += [Linear(n, classes, False, generator), BatchNorm1d(classes)]
    layers[-1].gamma.data[: classes // 2] *= 0.1
    return layers
""",
        "wide as the input": """
def deep_network(fan_in, hidden=100, classes=27, depth=5, generator=None):
    layers = []
    for m in [fan_in] * depth:
        layers += [Linear(fan_in, m, False, generator), BatchNorm1d(m), Tanh()]
    layers += [Linear(fan_in, classes, False, generator), BatchNorm1d(classes)]
    layers[-1].gamma.data *= 0.1
    return layers
""",
        "letters turned round": """
def deep_logits(C, layers, X):
    x = C[X.flip(1)].view(len(X), -1)
    for layer in layers:
        x = layer(x)
    return x
""",
        "two steps": _STEP.format(
            zero=_ZERO, update="p.data -= lr * p.grad; p.data -= lr * p.grad"
        ),
        "sign of the gradient": _STEP.format(
            zero=_ZERO, update="p.data -= lr * p.grad.sign()"
        ),
        "worst pair": """
@torch.no_grad()
def deep_loss(C, layers, X, Y):
    was = [layer.training for layer in layers]
    for layer in layers:
        layer.training = False
    logits = deep_logits(C, layers, X)
    for layer, flag in zip(layers, was):
        layer.training = flag
    return F.cross_entropy(logits, Y, reduction="none").max().item()
""",
    },
    "batchnorm.all_zero_init": {
        "beyond a thousandth": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [bool((p.abs() > 1e-3).any()) for p in parameters]
""",
        "the first number": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [bool(p.flatten()[0] != 0) for p in parameters]
""",
        "the last number": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [bool(p.flatten()[-1] != 0) for p in parameters]
""",
        "not close to zero": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [not torch.allclose(p, torch.zeros_like(p)) for p in parameters]
""",
        "by the last gradient": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        loss().backward()
        for p in parameters:
            p.data -= lr * p.grad
    return [bool(p.grad.any()) for p in parameters]
""",
        "every other": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for i in range(steps):
        grads = torch.autograd.grad(loss(), parameters)
        for p, g in zip(parameters, grads):
            p.data -= lr * g * (i % 2 == 0)
    return [bool(p.data.any()) for p in parameters]
""",
        "with momentum": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    optimizer = torch.optim.SGD(parameters, lr=lr, momentum=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    return [bool(p.data.any()) for p in parameters]
""",
        "the last one": """
def learns_from_zero(parameters, loss, steps=10, lr=0.5):
    for p in parameters:
        p.data.zero_()
    for _ in range(steps):
        grads = torch.autograd.grad(loss(), parameters)
        for p, g in zip(parameters, grads):
            p.data -= lr * g
    return [False] * (len(parameters) - 1) + [True]
""",
        "squares": """
def unigram_loss(Y, vocab_size):
    share = torch.bincount(Y, minlength=vocab_size) / len(Y)
    return 1 - (share ** 2).sum().item()
""",
    },
    "batchnorm.fold_batchnorm": {
        "out of training": """
def fold_batchnorm(linear, bn):
    scale = bn.gamma / torch.sqrt(bn.running_var + bn.eps)
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = ((bias - bn.running_mean) * scale + bn.beta).detach()
    bn.training = False
    return new
""",
        "batch statistics": """
def fold_batchnorm(linear, bn):
    y = linear(torch.randn(64, len(linear.weight)))
    scale = bn.gamma / torch.sqrt(y.var(0) + bn.eps)
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = ((bias - y.mean(0)) * scale + bn.beta).detach()
    return new
""",
        "divided by gamma": """
def fold_batchnorm(linear, bn):
    scale = 1 / (bn.gamma * torch.sqrt(bn.running_var + bn.eps))
    bias = 0 if linear.bias is None else linear.bias
    new = Linear(*linear.weight.shape)
    new.weight.data = (linear.weight * scale).detach()
    new.bias.data = ((bias - bn.running_mean) * scale + bn.beta).detach()
    return new
""",
        "two folded into a function": """
def fold_batchnorm(linear, bn):
    return lambda x: bn(linear(x))
""",
        "the last pair only": """
def folded(layers):
    made = list(layers)
    for i in reversed(range(1, len(made))):
        if isinstance(made[i], BatchNorm1d) and isinstance(made[i - 1], Linear):
            made[i - 1:i + 1] = [fold_batchnorm(made[i - 1], made[i])]
            break
    return made
""",
    },
    "batchnorm.layernorm": {
        "mean absolute deviation": _ln(
            "m = x.mean(-1, keepdim=True)",
            "v = (x - m).abs().mean(-1, keepdim=True)",
            "self.out = self.gamma * (x - m) / (v + self.eps) + self.beta",
        ),
        "gamma and beta shared": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)", _OF_LN
        )
        .replace("self.gamma = torch", "LayerNorm.gamma = torch")
        .replace("self.beta = torch", "LayerNorm.beta = torch"),
        "written into where it needs no gradient": _ln(
            "if not x.requires_grad: x -= x.mean(-1, keepdim=True)",
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)",
            _OF_LN,
        ),
        "a constant eps under the fraction": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)",
            "self.out = self.gamma * (x - m) / (v.sqrt() + self.eps**0.5) + self.beta",
        ),
        "to one": _ln(
            "y = x / (x.norm(dim=-1, keepdim=True) + self.eps)",
            "self.out = self.gamma * y + self.beta",
        ),
        "softmax": _ln("self.out = self.gamma * F.softmax(x, -1) + self.beta"),
        "twice": _ln(
            "m, v = x.mean(-1, True), x.var(-1, keepdim=True, correction=0)",
            "y = self.gamma * (x - m) / torch.sqrt(v + self.eps) + self.beta",
            "self.out = self.gamma * y + self.beta",
        ),
    },
}

APT: dict[tuple[str, str], str] = {
    ("batchnorm.dead_units", "never changes"): "one end at a time",
    ("batchnorm.dead_units", "nearly silent"): "faint",
    ("batchnorm.fold_batchnorm", "out of training"): "in place",
}

_LINES = "lines that do not depend on each other"

# mutants that no check can or should reject, and why
EQUIVALENT: dict[str, dict[str, str]] = {
    "batchnorm.initial_loss": {
        "excess_loss: 1 → -1": "the last dimension is dimension 1",
    },
    "batchnorm.linear": {
        (
            "Linear.__init__: def __init__(self, fan_in: int, fan_out: "
            "int, bias: bool=True, generator: torch.Generator | "
            "None=None) -> None: → self.bias = torch.zeros(fan_out, "
            "requir… first"
        ): _LINES,
        (
            "Linear.parameters: [self.weight, self.bias] → [self.bias, self.weight]"
        ): "any order is as good",
    },
    "batchnorm.update_ratio": {
        "measured_ratio: after - before → before - after": "a spread has no sign",
    },
    "batchnorm.batchnorm": {
        (
            "BatchNorm1d.__init__: def __init__(self, dim: int, eps: "
            "float=1e-05, momentum: float=0.1) -> None: → self.beta = "
            "torch.zeros(dim, requires_g… first"
        ): _LINES,
        (
            "BatchNorm1d.__init__: def __init__(self, dim: int, eps: "
            "float=1e-05, momentum: float=0.1) -> None: → self.gamma = "
            "torch.ones(dim, requires_g… first"
        ): _LINES,
        (
            "BatchNorm1d.__init__: def __init__(self, dim: int, eps: "
            "float=1e-05, momentum: float=0.1) -> None: → "
            "self.running_mean = torch.zeros(dim) first"
        ): _LINES,
        (
            "BatchNorm1d.__init__: def __init__(self, dim: int, eps: "
            "float=1e-05, momentum: float=0.1) -> None: → "
            "self.running_var = torch.ones(dim) first"
        ): _LINES,
        (
            "BatchNorm1d.parameters: [self.gamma, self.beta] → [self.beta, self.gamma]"
        ): "any order is as good",
        (
            "BatchNorm1d.remember: def remember(self, mean: Tensor, var: "
            "Tensor) -> None: → self.running_var = (1 - m) * self.runni… "
            "first"
        ): _LINES,
    },
    "batchnorm.train_deep": {
        "deep_loss: True → False": "both lists are of one length",
        (
            "deep_loss: zip(layers, before, strict=True) → zip(layers, before)"
        ): "both lists are of one length",
        (
            "deep_network: def deep_network(fan_in: int, hidden: int=100,"
            " classes: int=27, depth: int=5, generator=None) -> list: → "
            "layers: list = [] first"
        ): _LINES,
        "deep_step: 0 → -1": "place -1 is the last row: it comes twice",
        (
            "deep_step: [C, *[p for layer in layers for p in "
            "layer.parameters()]] → [*[p for layer in layers for p in "
            "layer.parameters()], C]"
        ): "any order is as good",
        (
            "deep_step: def deep_step(C, layers, X, Y, lr: float, "
            "batch_size: int=32, generator=None) -> float: → parameters ="
            " [C, *[p for layer in layer… first"
        ): _LINES,
    },
    "batchnorm.all_zero_init": {
        "learns_from_zero: True → False": "both lists are of one length",
        (
            "learns_from_zero: zip(parameters, grads, strict=True) → "
            "zip(parameters, grads)"
        ): "both lists are of one length",
        (
            "unigram_loss: torch.bincount(Y, minlength=vocab_size) → torch.bincount(Y)"
        ): "a letter that never comes costs nothing",
    },
    "batchnorm.fold_batchnorm": {
        (
            "fold_batchnorm: def fold_batchnorm(linear: Linear, bn: "
            "BatchNorm1d) -> Linear: → bias = 0 if linear.bias is None "
            "else li… first"
        ): _LINES,
        (
            "fold_batchnorm: def fold_batchnorm(linear: Linear, bn: "
            "BatchNorm1d) -> Linear: → new = Linear(*linear.weight.shape)"
            " first"
        ): _LINES,
        (
            "fold_batchnorm: def fold_batchnorm(linear: Linear, bn: "
            "BatchNorm1d) -> Linear: → new.bias.data = ((bias - "
            "bn.running_mea… first"
        ): _LINES,
    },
    "batchnorm.layernorm": {
        (
            "LayerNorm.__call__: def __call__(self, x: Tensor) -> Tensor: "
            "→ var = x.var(-1, keepdim=True, correctio… first"
        ): _LINES,
        (
            "LayerNorm.__init__: def __init__(self, dim: int, eps: float=1e-05) "
            "-> None: → self.beta = torch.zeros(dim, requires_g… first"
        ): _LINES,
        (
            "LayerNorm.__init__: def __init__(self, dim: int, eps: float=1e-05) "
            "-> None: → self.gamma = torch.ones(dim, requires_g… first"
        ): _LINES,
        (
            "LayerNorm.parameters: [self.gamma, self.beta] → [self.beta, self.gamma]"
        ): "any order is as good",
    },
}

# the wrong answers that were collected for this lesson, by number, and the known
# mistake or the answer in WRONG that stands for each
LISTED: dict[int, tuple[str, str]] = {
    1: ("batchnorm.initial_loss", "fine because it comes down fast"),
    2: ("batchnorm.initial_loss", "all zeros"),
    3: ("batchnorm.kaiming", "no root"),
    4: ("batchnorm.kaiming", "gain squared"),
    5: ("batchnorm.kaiming", "no gain"),
    6: ("batchnorm.saturation", "no absolute value"),
    7: ("batchnorm.dead_units", "any"),
    8: ("batchnorm.batchnorm", "over the units"),
    10: ("batchnorm.batchnorm", "graph kept"),
    11: ("batchnorm.batchnorm", "averages move in use"),
    12: ("batchnorm.batchnorm", "momentum turned"),
    13: ("batchnorm.batchnorm", "eps outside"),
    14: ("batchnorm.batchnorm", "std averaged"),
    15: ("batchnorm.train_deep", "biases"),
    16: ("batchnorm.batchnorm", "gamma of zero"),
    17: ("batchnorm.batchnorm", "lecture's variance"),
    18: ("batchnorm.update_ratio", "no rate"),
    20: ("batchnorm.fold_batchnorm", "scale by rows"),
}

"""Answers to lesson 6's exercises, as learners might write them: cells of code."""

_NORM_START = """
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.gamma = torch.ones(dim, requires_grad=True)
        self.beta = torch.zeros(dim, requires_grad=True)
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))
"""

RIGHT: dict[str, dict[str, str]] = {
    "wavenet.embedding": {
        "torch's functions": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn((num, dim), generator=generator))

    def forward(self, x):
        return F.embedding(x, self.weight)
""",
        "a product with one-hot vectors": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        table = torch.empty(num, dim).normal_(generator=generator)
        table.requires_grad = True
        self.weight = table

    def forward(self, x):
        hot = F.one_hot(x, self.weight.shape[0]).to(self.weight.dtype)
        return hot @ self.weight
""",
        "one-hot vectors of single precision": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x):
        return F.one_hot(x, len(self.weight)).float() @ self.weight
""",
    },
    "wavenet.flatten_consecutive": {
        "slices side by side": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.width = n

    def forward(self, x):
        parts = [x[:, i::self.width] for i in range(self.width)]
        x = torch.cat(parts, dim=-1)
        if x.shape[1] == 1:
            x = x.squeeze(1)
        return x
""",
        "unflatten and flatten": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        out = x.unflatten(1, (x.size(1) // self.n, self.n)).flatten(2)
        return out[:, 0] if out.size(1) == 1 else out
""",
    },
    "wavenet.sequential": {
        "a list beside the attributes": """
class Sequential(Module):
    def __init__(self, *layers):
        self.layers = list(layers)
        for i in range(len(layers)):
            self.__dict__[str(i)] = layers[i]

    def __len__(self):
        return len(self.layers)

    def __iter__(self):
        yield from self.layers

    def __getitem__(self, place):
        return self.layers[place]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
""",
        "by index, with reduce": """
from functools import reduce

class Sequential(Module):
    def __init__(self, *layers):
        super().__init__()
        self.n = len(layers)
        for name, layer in zip(map(str, range(self.n)), layers):
            setattr(self, name, layer)

    def __len__(self):
        return self.n

    def __getitem__(self, place):
        if not -self.n <= place < self.n:
            raise IndexError(place)
        return getattr(self, str(place % self.n))

    def __iter__(self):
        return (self[i] for i in range(self.n))

    def forward(self, x):
        return reduce(lambda value, layer: layer(value), self, x)
""",
        "whatever is a module counts": """
class Sequential(Sequential):
    def __len__(self):
        return sum(isinstance(part, Module) for part in vars(self).values())
""",
    },
    "wavenet.module": {
        "lists, and a stack": """
@add_to(Module)
def named_modules(self, prefix=""):
    found, stack = [], [(prefix, self)]
    while stack:
        path, module = stack.pop(0)
        found.append((path, module))
        for name, value in module.__dict__.items():
            if isinstance(value, Module):
                stack.append((path + "." + name if path else name, value))
    return found

@add_to(Module)
def named_parameters(self):
    found = []
    for path, module in self.named_modules():
        for name, value in module.__dict__.items():
            if isinstance(value, Tensor) and value.requires_grad and value.is_leaf:
                found.append((".".join(filter(None, [path, name])), value))
    return found

@add_to(Module)
def named_buffers(self):
    return [
        (".".join(filter(None, [path, name])), getattr(module, name))
        for path, module in self.named_modules()
        for name in module.buffer_names
    ]

@add_to(Module)
def parameters(self):
    found = []
    for _, p in self.named_parameters():
        if not any(p is q for q in found):
            found.append(p)
    return found

@add_to(Module)
def train(self, mode=True):
    for _, module in self.named_modules():
        setattr(module, "training", mode)
    return self

@add_to(Module)
def eval(self):
    return self.train(mode=False)

@add_to(Module)
def state_dict(self):
    state = {}
    for name, p in self.named_parameters():
        state[name] = p.data
    state.update({name: b.clone() for name, b in self.named_buffers()})
    return state

@add_to(Module)
def load_state_dict(self, state):
    own = dict(self.named_parameters()) | dict(self.named_buffers())
    missing, extra = own.keys() - state.keys(), state.keys() - own.keys()
    if missing or extra:
        raise KeyError(f"missing {missing}, not known {extra}")
    with torch.no_grad():
        for name in own:
            own[name].copy_(state[name])
""",
        "each for itself, by recursion": """
@add_to(Module)
def named_modules(self, prefix=""):
    result = {prefix: self}
    for name, part in vars(self).items():
        if isinstance(part, Module):
            result |= dict(part.named_modules((prefix and prefix + ".") + name))
    return result.items()

@add_to(Module)
def named_parameters(self):
    pairs = {}
    for name, value in vars(self).items():
        if isinstance(value, Module):
            pairs |= {f"{name}.{path}": p for path, p in value.named_parameters()}
        elif torch.is_tensor(value) and value.requires_grad and value.grad_fn is None:
            pairs[name] = value
    return pairs.items()

@add_to(Module)
def named_buffers(self):
    pairs = {name: vars(self)[name] for name in self.buffer_names}
    for name, value in vars(self).items():
        if isinstance(value, Module):
            pairs |= {f"{name}.{path}": b for path, b in value.named_buffers()}
    return pairs.items()

@add_to(Module)
def parameters(self):
    seen = set()
    for _, p in self.named_parameters():
        if id(p) not in seen:
            seen.add(id(p))
            yield p

@add_to(Module)
def train(self, mode=True):
    self.training = mode
    for part in vars(self).values():
        if isinstance(part, Module):
            part.train(mode)
    return self

@add_to(Module)
def eval(self):
    self.train(False)
    return self

@add_to(Module)
def state_dict(self):
    return {
        n: t.detach().clone()
        for pairs in (self.named_parameters(), self.named_buffers())
        for n, t in pairs
    }

@add_to(Module)
def load_state_dict(self, state):
    own = {**dict(self.named_parameters()), **dict(self.named_buffers())}
    if set(own) != set(state):
        raise KeyError("other names")
    for name, tensor in own.items():
        tensor.data.copy_(state[name])
""",
    },
    "wavenet.batchnorm_3d": {
        "flattened to a table": f"""
def changed_shapes(module, x):
    twin = copy.deepcopy(module)
    twin.train()
    old = {{name: buffer.shape for name, buffer in twin.named_buffers()}}
    twin(x)
    changed = {{}}
    for name, buffer in twin.named_buffers():
        if buffer.shape != old[name]:
            changed[name] = (old[name], buffer.shape)
    return changed

class BatchNorm1d(Module):
{_NORM_START}
    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        if self.training:
            mean = rows.mean(0)
            centred = rows - mean
            var = (centred ** 2).mean(0)
            with torch.no_grad():
                n = len(rows)
                self.running_mean = torch.lerp(self.running_mean, mean, self.momentum)
                self.running_var = torch.lerp(
                    self.running_var, var * n / (n - 1), self.momentum
                )
        else:
            centred, var = rows - self.running_mean, self.running_var
        out = centred / (var + self.eps) ** 0.5 * self.gamma + self.beta
        return out.view(x.shape)
""",
        "by torch's function": f"""
def changed_shapes(module, x):
    def shapes(m):
        return [(name, tuple(b.size())) for name, b in m.named_buffers()]
    module = copy.deepcopy(module).train(True)
    before = shapes(module)
    with torch.no_grad():
        module(x)
    return {{
        name: (one, two)
        for (name, one), (_, two) in zip(before, shapes(module))
        if one != two
    }}

class BatchNorm1d(Module):
{_NORM_START}
    def forward(self, x):
        out = F.batch_norm(
            x.transpose(1, -1), self.running_mean, self.running_var, self.gamma,
            self.beta, self.training, self.momentum, self.eps,
        )
        return out.transpose(1, -1)
""",
    },
    "wavenet.receptive_field": {
        "in loops, one output at a time": """
def receptive_field(kernel, dilations):
    reach = 0
    for d in dilations:
        reach += d * (kernel - 1)
    return reach + 1

def letters_under(level, node, n=2):
    first = node
    for _ in range(level):
        first *= n
    return [first + i for i in range(n ** level)]

def sees(model, x, at):
    x = x.clone()
    x.requires_grad = True
    model(x)[at].sum().backward()
    return [i for i, row in enumerate(x.grad) if row.abs().max() > 0]
""",
        "by recursion and nonzero": """
def receptive_field(kernel, dilations):
    return sum(((kernel - 1) * d for d in dilations), 1)

def letters_under(level, node, n=2):
    if level == 0:
        return [node]
    return [p for i in range(n) for p in letters_under(level - 1, node * n + i, n)]

def sees(model, x, at):
    x = torch.nn.Parameter(x.detach().clone())
    grad = torch.autograd.grad(model(x)[at].sum(), [x])[0]
    return torch.unique(torch.nonzero(grad)[:, 0]).tolist()
""",
    },
    "wavenet.hierarchical_model": {
        "level by level": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        super().__init__()
        g = generator
        self.block_size = 2 ** levels
        row = [Embedding(vocab_size, embedding, generator=g)]
        fan_in = 2 * embedding
        for _ in range(levels):
            row.append(FlattenConsecutive(2))
            row.append(Linear(fan_in, hidden, bias=False, generator=g))
            row.append(BatchNorm1d(hidden))
            row.append(Tanh())
            fan_in = 2 * hidden
        out = Linear(hidden, vocab_size, generator=g)
        out.weight.data *= 0.1
        self.net = Sequential(*row, out)

    def forward(self, X):
        return self.net(X)
""",
        "layer by layer in forward": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 1 << levels
        sizes = [embedding] + [hidden] * levels
        def level(n, m):
            return (FlattenConsecutive(2), Linear(n * 2, m, False, generator),
                    BatchNorm1d(m), Tanh())
        head = Embedding(vocab_size, embedding, generator)
        body = [part for n, m in zip(sizes, sizes[1:]) for part in level(n, m)]
        tail = Linear(hidden, vocab_size, True, generator)
        with torch.no_grad():
            tail.weight.mul_(0.1)
        self.net = Sequential(head, *body, tail)

    def forward(self, X):
        for layer in self.net:
            X = layer(X)
        return X
""",
    },
    "wavenet.smooth_loss": {
        "lists of means, a generator": """
def block_means(losses, width=1000):
    n = len(losses) // width
    return torch.tensor([sum(losses[i * width:(i + 1) * width]) / width
                         for i in range(n)])

def running_mean(losses, beta=0.99):
    def means():
        total = weight = 0.0
        for loss in losses:
            total = beta * total + (1 - beta) * loss
            weight = beta * weight + (1 - beta)
            yield total / weight
    return list(means())
""",
        "unfold, and powers": """
def block_means(losses, width=1000):
    losses = torch.tensor(losses)
    if len(losses) < width:
        return losses[:0]
    return losses.unfold(0, width, width).mean(1)

def running_mean(losses, beta=0.99):
    out, m, power = [], 0.0, 1.0
    for loss in losses:
        m += (1 - beta) * (loss - m)
        power *= beta
        out.append(m / (1.0 - power))
    return out
""",
        "double precision": """
def block_means(losses, width=1000):
    t = torch.tensor(losses, dtype=torch.float64)
    return t[: len(t) // width * width].reshape(-1, width).mean(dim=1)
""",
    },
    "wavenet.train": {
        "by backward, flags in a dict": """
def evaluate(model, X, Y):
    flags = {path: module.training for path, module in model.named_modules()}
    model.eval()
    with torch.no_grad():
        total = 0.0
        for x, y in zip(X.split(50), Y.split(50)):
            total += F.cross_entropy(model(x), y, reduction="sum").item()
    for path, module in model.named_modules():
        module.training = flags[path]
    return total / len(X)

def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    losses = []
    for i in range(steps):
        model.train()
        batch = torch.randint(len(Y), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(X[batch]), Y[batch])
        for p in model.parameters():
            p.grad = None
        loss.backward()
        rate = lr(i)
        with torch.no_grad():
            for p in model.parameters():
                p -= rate * p.grad
        losses.append(float(loss))
    return losses
""",
        "torch's SGD, try and finally": """
def evaluate(model, X, Y):
    before = [m.training for _, m in model.named_modules()]
    try:
        with torch.inference_mode():
            return F.cross_entropy(model.eval()(X), Y).item()
    finally:
        for (_, m), flag in zip(model.named_modules(), before):
            m.training = flag

def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = lr(step)
        ix = torch.randint(0, X.shape[0], (batch_size,), generator=generator)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        loss.backward()
        optimizer.step()
        losses += [loss.item()]
    return losses
""",
    },
    "wavenet.conv_equals_tree": {
        "stacked halves, powers in a list": """
def dilated(x, weight, dilation):
    C = x.shape[-1]
    kernel = torch.stack([weight[:C].T, weight[C:].T], dim=-1)
    out = F.conv1d(x.permute(0, 2, 1), kernel, dilation=dilation)
    return out.permute(0, 2, 1)

def nodes(T, levels=3):
    tree = sum(2 ** i for i in range(levels))
    shared, places = 0, T + 2 ** levels - 1
    for i in range(levels):
        places -= 2 ** i
        shared += places
    return (tree * T, shared)

class CausalDilatedWaveNet(Module):
    def __init__(self, tree):
        super().__init__()
        self.tree = tree

    def forward(self, X):
        layers = list(self.tree.net)
        dots = torch.zeros(len(X), self.tree.block_size - 1, dtype=X.dtype)
        x = layers[0](torch.cat([dots, X], 1))
        d = 1
        for i in range(1, len(layers) - 1, 4):
            x = dilated(x, layers[i + 1].weight, d)
            x = layers[i + 3](layers[i + 2](x))
            d = d * 2
        return layers[-1](x)
""",
        "two products": """
def dilated(x, weight, dilation):
    first, second = weight.chunk(2)
    return x[:, :-dilation] @ first + x[:, dilation:] @ second

def nodes(T, levels=3):
    return T * (2**levels - 1), levels * (T + 2**levels) - 2 ** (levels + 1) + 2

class CausalDilatedWaveNet(Module):
    def __init__(self, tree):
        self.tree = tree

    def forward(self, X):
        net = self.tree.net
        x = net[0](F.pad(X, (self.tree.block_size - 1, 0), value=0))
        levels = (len(net) - 2) // 4
        for level in range(levels):
            linear, norm, tanh = (net[4 * level + k] for k in (2, 3, 4))
            x = tanh(norm(dilated(x, linear.weight, 2**level)))
        return net[-1](x)
""",
    },
    "wavenet.to_torch_nn": {
        "a table of kinds": """
def fresh(layer):
    make = {
        "Embedding": lambda: torch.nn.Embedding(len(layer.weight),
                                                layer.weight.shape[1]),
        "FlattenConsecutive": lambda: Fuse(layer.n),
        "Linear": lambda: torch.nn.Linear(
            layer.weight.shape[0], layer.weight.shape[1], layer.bias is not None),
        "BatchNorm1d": lambda: NormLast(
            layer.gamma.numel(), eps=layer.eps, momentum=layer.momentum),
        "Tanh": torch.nn.Tanh,
    }
    return make[type(layer).__name__]()

def numbers(layer):
    state = dict(layer.state_dict())
    if "gamma" in state:
        state["weight"] = state.pop("gamma")
        state["bias"] = state.pop("beta")
        state["num_batches_tracked"] = torch.tensor(0)
    if type(layer).__name__ == "Linear":
        state["weight"] = state["weight"].t().contiguous()
    return state

def to_torch(model):
    made = []
    for layer in model.net:
        new = fresh(layer)
        new.load_state_dict(numbers(layer))
        made.append(new)
    whole = torch.nn.Sequential(*made)
    whole.train(model.training)
    return whole
""",
        "from copies": """
def fresh(layer):
    if isinstance(layer, Embedding):
        return torch.nn.Embedding.from_pretrained(
            layer.weight.detach().clone(), freeze=False)
    if isinstance(layer, Linear):
        n, m = layer.weight.shape
        return torch.nn.Linear(n, m, bias=layer.bias is not None)
    if isinstance(layer, BatchNorm1d):
        return NormLast(layer.gamma.shape[0], layer.eps, layer.momentum)
    return Fuse(layer.n) if isinstance(layer, FlattenConsecutive) else torch.nn.Tanh()

def numbers(layer):
    turned = {}
    for name, value in layer.state_dict().items():
        name = name.replace("gamma", "weight").replace("beta", "bias")
        is_linear = isinstance(layer, Linear) and value.dim() == 2
        turned[name] = value.transpose(0, 1) if is_linear else value
    return turned

def to_torch(model):
    net = torch.nn.Sequential()
    for i, layer in enumerate(model.net):
        net.add_module(str(i), fresh(layer))
        net[i].load_state_dict(numbers(layer), strict=False)
    return net if model.training else net.eval()
""",
    },
    "wavenet.experiment_log": {
        "rows that are updated, bisecting nothing": """
def experiment(variants, run, seed=42):
    rows = []
    for name in variants:
        row = {"name": name}
        row.update(variants[name])
        torch.manual_seed(seed)
        began = time.time()
        try:
            row.update(run(**variants[name]))
        except Exception as problem:
            row["error"] = f"{problem}"
        row["seconds"] = max(0.0, time.time() - began)
        rows.append(row)
    return rows

def ranked(rows, by="dev"):
    with_number = [r for r in rows if by in r and not math.isnan(r[by])]
    others = [r for r in rows if by not in r or math.isnan(r[by])]
    return sorted(with_number, key=lambda r: r[by]) + others

def tabulate(rows, columns):
    text = "| " + " | ".join(columns) + " |"
    text += "\\n| " + " | ".join("---" for _ in columns) + " |"
    for row in rows:
        cells = []
        for column in columns:
            value = row[column] if column in row else ""
            cells.append("%.4f" % value if type(value) is float else f"{value}")
        text += "\\n| " + " | ".join(cells) + " |"
    return text
""",
        "in helpers": """
def one_row(name, options, run):
    start = time.perf_counter()
    try:
        result = run(**options)
    except Exception as e:
        result = dict(error=str(e))
    seconds = time.perf_counter() - start
    return dict(name=name) | options | result | dict(seconds=seconds)

def experiment(variants, run, seed=42):
    def seeded(name, options):
        torch.manual_seed(seed)
        return one_row(name, options, run)
    return [seeded(name, options) for name, options in variants.items()]

def ranked(rows, by="dev"):
    def key(row):
        value = row.get(by)
        absent = value is None or value != value
        return (absent, 0.0 if absent else value)
    return sorted(rows, key=key)

def tabulate(rows, columns):
    def line(cells):
        return "| " + " | ".join(cells) + " |"
    def text(value):
        return format(value, ".4f") if isinstance(value, float) else str(value)
    body = [line([text(row.get(c, "")) for c in columns]) for row in rows]
    return "\\n".join([line(columns), line(["---" for c in columns]), *body])
""",
    },
    "wavenet.beat_the_lecture": {
        "a smaller tree, plain descent": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(1)
    model = WaveNet(len(stoi), 10, 40, 2)
    X, Y = build_dataset(train, stoi, 4)
    for step in range(steps):
        ix = torch.randint(0, len(X), (64,))
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        grads = torch.autograd.grad(loss, list(model.parameters()))
        for p, grad in zip(model.parameters(), grads):
            p.data -= (0.5 if step < 0.8 * steps else 0.1) * grad
    dev_loss = evaluate(model, *build_dataset(dev, stoi, 4))
    log.append({"tried": "four letters, large steps", "dev": round(dev_loss, 4)})
    return model
""",
        "torch's modules": """
class Net(torch.nn.Module):
    block_size = 6

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(27, 8)
        self.hidden = torch.nn.Linear(48, 100)
        self.drop = torch.nn.Dropout(0.1)
        self.out = torch.nn.Linear(100, 27)

    def forward(self, X):
        h = torch.relu(self.hidden(self.table(X).flatten(1)))
        return self.out(self.drop(h))

def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(2)
    net = Net()
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    X, Y = build_dataset(train, stoi, 6)
    for step in range(steps):
        ix = torch.randint(len(X), (150,))
        adam.zero_grad()
        F.cross_entropy(net(X[ix]), Y[ix]).backward()
        adam.step()
    net.eval()
    X, Y = build_dataset(dev, stoi, 6)
    with torch.no_grad():
        log.append({"tried": "relu, Adam", "dev": F.cross_entropy(net(X), Y).item()})
    return net
""",
        "four levels, rounded to two decimals": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(2)
    model = WaveNet(hidden=64, levels=4)
    X, Y = windows(train, stoi, model.block_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    model.eval()
    X, Y = windows(dev, stoi, model.block_size)
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    log.append({"tried": "four levels", "dev": round(loss, 2)})
    return model
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "wavenet.embedding": {
        "turned": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.nn.Parameter(torch.randn(dim, num, generator=generator))

    def forward(self, x):
        return self.weight.T[x]
""",
        "not a leaf": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        table = torch.randn(num, dim, generator=generator, requires_grad=True)
        self.weight = 1.0 * table

    def forward(self, x):
        return F.embedding(x, self.weight)
""",
        "cut off": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.nn.Parameter(torch.randn(num, dim, generator=generator))

    def forward(self, x):
        with torch.no_grad():
            return F.embedding(x, self.weight)
""",
        "bare squeeze": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x):
        return torch.squeeze(F.embedding(x, self.weight))
""",
        "call overridden": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def __call__(self, x):
        return F.embedding(x, self.weight)
""",
        "own seed without one": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        if generator is None:
            generator = torch.Generator().manual_seed(42)
        self.weight = torch.randn(num, dim, generator=generator).requires_grad_()

    def forward(self, x):
        return self.weight[x]
""",
        "cut off in use": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x):
        table = self.weight
        if not self.training:
            table = table.data
        return table[x]
""",
    },
    "wavenet.flatten_consecutive": {
        "halves": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        T = x.shape[1] // self.n
        out = torch.cat([x[:, i * T:(i + 1) * T] for i in range(self.n)], -1)
        return out[:, 0] if T == 1 else out
""",
        "bare squeeze": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        B, T, C = x.shape
        x = torch.reshape(x, (B, T // self.n, C * self.n))
        return torch.squeeze(x)
""",
        "not squeezed": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return torch.cat([x[:, i::self.n] for i in range(self.n)], 2)
""",
        "call overridden": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        N, T, C = x.shape
        x = x.view(N, T // self.n, self.n * C)
        return x[:, 0] if x.shape[1] == 1 else x
""",
        "n in the class": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        FlattenConsecutive.n = n

    def forward(self, x):
        N, T, C = x.shape
        x = x.view(N, T // self.n, self.n * C)
        return x[:, 0] if x.shape[1] == 1 else x
""",
        "summed": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        x = sum(x[:, i :: self.n] for i in range(self.n))
        return x[:, 0] if x.shape[1] == 1 else x
""",
    },
    "wavenet.sequential": {
        "a list": """
class Sequential(Module):
    def __init__(self, *layers):
        self.parts = layers

    def __len__(self):
        return len(self.parts)

    def __iter__(self):
        return iter(self.parts)

    def __getitem__(self, place):
        return self.parts[place]

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x
""",
        "each reads x": """
class Sequential(Module):
    def __init__(self, *layers):
        self.n = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, f"{i}", layer)

    def __len__(self):
        return self.n

    def __iter__(self):
        return (getattr(self, f"{i}") for i in range(self.n))

    def __getitem__(self, place):
        return tuple(self)[place]

    def forward(self, x):
        result = x
        for layer in self:
            result = layer(x)
        return result
""",
        "forward called": """
class Sequential(Module):
    def __init__(self, *layers):
        self.n = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, f"{i}", layer)

    def __len__(self):
        return self.n

    def __iter__(self):
        return (getattr(self, f"{i}") for i in range(self.n))

    def __getitem__(self, place):
        return tuple(self)[place]

    def forward(self, x):
        for part in list(self):
            x = part.forward(x)
        return x
""",
        "cut off": """
class Sequential(Sequential):
    @torch.no_grad()
    def forward(self, x):
        for layer in self:
            x = layer(x)
        return x
""",
        "flags handed on": """
class Sequential(Sequential):
    def forward(self, x):
        for layer in self:
            layer.training = bool(self.training)
            x = layer(x)
        return x
""",
        "count in the class": """
class Sequential(Sequential):
    def __init__(self, *layers):
        Sequential.count = len(layers)
        for place, layer in enumerate(layers):
            setattr(self, str(place), layer)

    def __len__(self):
        return self.count

    def __iter__(self):
        return (getattr(self, str(i)) for i in range(self.count))

    def __getitem__(self, place):
        return [*self][place]
""",
        "its own iterator": """
class Sequential(Sequential):
    def __iter__(self):
        self.place = -1
        return self

    def __next__(self):
        self.place += 1
        if self.place == self.length:
            raise StopIteration
        return getattr(self, str(self.place))

    def __getitem__(self, place):
        return getattr(self, str(range(self.length)[place]))
""",
    },
    "wavenet.module": {
        "one level": """
@add_to(Module)
def named_modules(self, prefix=""):
    found = [(prefix, self)]
    for name, part in vars(self).items():
        if isinstance(part, Module):
            found.append((f"{prefix}.{name}" if prefix else name, part))
    return found
""",
        "shared twice": """
@add_to(Module)
def parameters(self):
    for name, p in self.named_parameters():
        yield p
""",
        "own flag alone": """
@add_to(Module)
def train(self, mode=True):
    self.training = bool(mode)
    return self
""",
        "buffers not saved": """
@add_to(Module)
def state_dict(self):
    return {name: p.detach().clone() for name, p in self.named_parameters()}

@add_to(Module)
def load_state_dict(self, state):
    own = dict(self.named_parameters()) | dict(self.named_buffers())
    if own.keys() != state.keys():
        raise KeyError("other names")
    for name, value in own.items():
        value.data.copy_(state[name])
""",
        "new tensors": """
@add_to(Module)
def load_state_dict(self, state):
    own = self.state_dict()
    if own.keys() != state.keys():
        raise KeyError("other names")
    for path, module in self.named_modules():
        for name, value in list(vars(module).items()):
            full = f"{path}.{name}" if path else name
            if full in state:
                new = state[full].clone()
                setattr(module, name, new.requires_grad_(value.requires_grad))
""",
        "by place": """
@add_to(Module)
def load_state_dict(self, state):
    own = self.state_dict()
    if own.keys() != state.keys():
        raise KeyError("other names")
    values = list(state.values())
    for place, tensor in enumerate(own.values()):
        tensor.copy_(values[place])
""",
        "remembered": """
@add_to(Module)
def parameters(self):
    if not hasattr(self, "_found"):
        self._found = list(dict(self.named_parameters()).values())
        self._found = list({id(p): p for p in self._found}.values())
    return self._found
""",
        "frozen in use": """
@add_to(Module)
def eval(self):
    for _, p in list(self.named_parameters()):
        p.requires_grad = False
    return self.train(False)
""",
    },
    "wavenet.batchnorm_3d": {
        "over the batch alone": f"""
class BatchNorm1d(Module):
{_NORM_START}
    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = torch.mean(x, 0), torch.var(x, 0, correction=0)
            m = self.momentum
            with torch.no_grad():
                self.running_mean = (1 - m) * self.running_mean + m * mean
                self.running_var = (1 - m) * self.running_var + m * torch.var(x, 0)
        xhat = (x - mean) / (var + self.eps).sqrt()
        return xhat * self.gamma + self.beta
""",
        "lecture's variance": f"""
class BatchNorm1d(Module):
{_NORM_START}
    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            rows = x.flatten(0, -2)
            mean, var = rows.mean(0), rows.var(0)
            m = self.momentum
            self.running_mean = self.running_mean * (1 - m) + m * mean.detach()
            self.running_var = self.running_var * (1 - m) + m * var.detach()
        xhat = (x - mean) / (var + self.eps).sqrt()
        return xhat * self.gamma + self.beta
""",
        "in use": """
def changed_shapes(module, x):
    one = copy.deepcopy(module)
    one.eval()
    before = [tuple(b.shape) for _, b in one.named_buffers()]
    one(x)
    after = [tuple(b.shape) for _, b in one.named_buffers()]
    names = [name for name, _ in one.named_buffers()]
    rows = zip(names, before, after)
    return {name: (a, b) for name, a, b in rows if a != b}
""",
        "all buffers": """
def changed_shapes(module, x):
    one = copy.deepcopy(module).train()
    shapes = {name: [tuple(b.shape)] for name, b in one.named_buffers()}
    one(x)
    for name, b in one.named_buffers():
        shapes[name].append(tuple(b.shape))
    return {name: tuple(pair) for name, pair in shapes.items()}
""",
        "dimensions compared": """
def changed_shapes(module, x):
    one = copy.deepcopy(module).train()
    before = {name: b.shape for name, b in one.named_buffers()}
    one(x)
    return {
        name: (tuple(before[name]), tuple(b.shape))
        for name, b in one.named_buffers()
        if b.dim() != len(before[name])
    }
""",
    },
    "wavenet.receptive_field": {
        "kernel times dilation": """
def receptive_field(kernel, dilations):
    field = 1
    for d in dilations:
        field = field + kernel * d
    return field
""",
        "n times level": """
def letters_under(level, node, n=2):
    width = n * level
    return [node * width + i for i in range(width)]
""",
        "all outputs": """
def sees(model, x, at):
    x = x.clone().requires_grad_()
    model(x).sum().backward()
    return [i for i in range(len(x)) if bool(x.grad[i].any())]
""",
        "summed": """
def sees(model, x, at):
    x = x.detach().clone().requires_grad_()
    model(x)[at].sum().backward()
    return [t for t in range(len(x)) if x.grad[t].sum() != 0]
""",
        "small ones": """
def sees(model, x, at):
    x = x.detach().clone().requires_grad_()
    model(x)[at].sum().backward()
    return [t for t in range(len(x)) if x.grad[t].abs().max() > 1e-4]
""",
        "squared": """
def sees(model, x, at):
    x = x.detach().clone().requires_grad_()
    model(x)[at].pow(2).sum().backward()
    return [t for t in range(len(x)) if x.grad[t].any()]
""",
    },
    "wavenet.hierarchical_model": {
        "biases kept": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for _ in range(levels):
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, hidden, generator=generator))
            layers += [BatchNorm1d(hidden), Tanh()]
            n = hidden
        layers.append(Linear(hidden, vocab_size, generator=generator))
        layers[-1].weight.data *= 0.1
        self.net = Sequential(*layers)

    def forward(self, X):
        return self.net(X)
""",
        "last weight not scaled": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for _ in range(levels):
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, hidden, False, generator))
            layers += [BatchNorm1d(hidden), Tanh()]
            n = hidden
        self.net = Sequential(*layers, Linear(hidden, vocab_size, True, generator))

    def forward(self, X):
        return self.net(X)
""",
        "tanh before BatchNorm": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for _ in range(levels):
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, hidden, False, generator))
            layers += [Tanh(), BatchNorm1d(hidden)]
            n = hidden
        layers.append(Linear(hidden, vocab_size, True, generator))
        layers[-1].weight.data *= 0.1
        self.net = Sequential(*layers)

    def forward(self, X):
        return self.net(X)
""",
        "last drawn first": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        last = Linear(hidden, vocab_size, generator=generator)
        last.weight.data *= 0.1
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for _ in range(levels):
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, hidden, False, generator))
            layers += [BatchNorm1d(hidden), Tanh()]
            n = hidden
        self.net = Sequential(*layers, last)

    def forward(self, X):
        return self.net(X)
""",
    },
    "wavenet.smooth_loss": {
        "must fit": """
def block_means(losses, width=1000):
    table = torch.tensor(losses).reshape(-1, width)
    return torch.mean(table, dim=1)
""",
        "rest as a block": """
def block_means(losses, width=1000):
    means, rest = [], list(losses)
    while rest:
        means.append(sum(rest[:width]) / len(rest[:width]))
        rest = rest[width:]
    return torch.tensor(means)
""",
        "not divided": """
def running_mean(losses, beta=0.99):
    average, out = 0.0, []
    for loss in losses:
        average += (1 - beta) * (loss - average)
        out.append(average)
    return out
""",
    },
    "wavenet.train": {
        "measured in training": """
@torch.no_grad()
def evaluate(model, X, Y):
    return F.cross_entropy(model(X), Y).item()
""",
        "left in use": """
def evaluate(model, X, Y):
    model.eval()
    with torch.inference_mode():
        return float(F.cross_entropy(model(X), Y))
""",
        "old gradients": """
def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    model.train()
    losses = []
    for step in range(steps):
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= lr(step) * p.grad
        losses.append(loss.item())
    return losses
""",
        "not in training": """
def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    losses = []
    for step in range(steps):
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        grads = torch.autograd.grad(loss, list(model.parameters()))
        for p, grad in zip(model.parameters(), grads):
            p.data.sub_(lr(step) * grad)
        losses.append(loss.item())
    return losses
""",
        "own seed without one": """
def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    model.train()
    losses, parameters = [], list(model.parameters())
    for step in range(steps):
        g = generator or torch.Generator().manual_seed(0)
        ix = torch.randint(0, len(X), (batch_size,), generator=g)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        grads = torch.autograd.grad(loss, parameters)
        for p, grad in zip(parameters, grads):
            p.data -= lr(step) * grad
        losses.append(loss.item())
    return losses
""",
    },
    "wavenet.conv_equals_tree": {
        "kernel mixed": """
def dilated(x, weight, dilation):
    kernel = weight.T.reshape(weight.shape[1], x.shape[2], 2)
    return F.conv1d(x.mT, kernel, dilation=dilation).mT
""",
        "shared without dots": """
def nodes(T, levels=3):
    tree = sum(2**i for i in range(levels))
    return tree * T, levels * T
""",
        "dilation i + 1": """
class CausalDilatedWaveNet(Module):
    def __init__(self, tree):
        self.tree = tree

    def forward(self, X):
        layers = list(self.tree.net)
        x = layers[0](F.pad(X, (self.tree.block_size - 1, 0)))
        d = 1
        for i in range(1, len(layers) - 1, 4):
            z = dilated(x, layers[i + 1].weight, d)
            x = layers[i + 3](layers[i + 2](z))
            d += 1
        return layers[-1](x)
""",
        "zeros for dots": """
class CausalDilatedWaveNet(Module):
    def __init__(self, tree):
        self.tree = tree

    def forward(self, X):
        layers = list(self.tree.net)
        x = layers[0](X)
        front = torch.zeros(len(x), self.tree.block_size - 1, x.shape[2], dtype=x.dtype)
        x, d = torch.cat([front, x], 1), 1
        for i in range(1, len(layers) - 1, 4):
            z = dilated(x, layers[i + 1].weight, d)
            x = layers[i + 3](layers[i + 2](z))
            d *= 2
        return layers[-1](x)
""",
        "put in use": """
class CausalDilatedWaveNet(CausalDilatedWaveNet):
    def __init__(self, tree):
        tree.train(False)
        self.tree = tree
""",
        "weights cut off": """
class CausalDilatedWaveNet(Module):
    def __init__(self, tree):
        self.tree = tree

    def forward(self, X):
        layers = list(self.tree.net)
        x, d = layers[0](F.pad(X, (self.tree.block_size - 1, 0))), 1
        for i in range(1, len(layers) - 1, 4):
            z = dilated(x, layers[i + 1].weight.data, d)
            x = layers[i + 3](layers[i + 2](z))
            d *= 2
        return layers[-1](x)
""",
    },
    "wavenet.to_torch_nn": {
        "not turned": """
def numbers(layer):
    state = layer.state_dict()
    renamed = {"gamma": "weight", "beta": "bias"}
    return {renamed.get(name, name): value.clone() for name, value in state.items()}
""",
        "eps and momentum": """
def fresh(layer):
    if isinstance(layer, Embedding):
        return torch.nn.Embedding(*layer.weight.shape)
    if isinstance(layer, FlattenConsecutive):
        return Fuse(layer.n)
    if isinstance(layer, Linear):
        return torch.nn.Linear(*layer.weight.shape, layer.bias is not None)
    if isinstance(layer, BatchNorm1d):
        return NormLast(layer.gamma.shape[0])
    return torch.nn.Tanh()
""",
        "flag forgotten": """
def to_torch(model):
    net = torch.nn.Sequential()
    for layer in model.net:
        new = fresh(layer)
        new.load_state_dict(numbers(layer))
        net.append(new)
    return net
""",
        "flag on top": """
def to_torch(model):
    flag = model.training
    layers = torch.nn.Sequential(*[fresh(layer) for layer in model.net])
    for theirs, ours in zip(layers, model.net):
        theirs.load_state_dict(numbers(ours))
    layers.training = flag
    return layers
""",
        "our flags": """
def to_torch(model):
    flag = model.training
    layers = torch.nn.Sequential(*[fresh(layer) for layer in model.net])
    for theirs, ours in zip(layers, model.net):
        theirs.load_state_dict(numbers(ours))
    model.eval()
    return layers.train(flag)
""",
        "always two": """
def fresh(layer):
    if isinstance(layer, Embedding):
        return torch.nn.Embedding(*layer.weight.shape)
    if isinstance(layer, FlattenConsecutive):
        return Fuse(n=2)
    if isinstance(layer, Linear):
        return torch.nn.Linear(*layer.weight.shape, layer.bias is not None)
    if isinstance(layer, BatchNorm1d):
        return NormLast(len(layer.gamma), layer.eps, layer.momentum)
    return torch.nn.Tanh()
""",
    },
    "wavenet.experiment_log": {
        "seeded once": """
def experiment(variants, run, seed=42):
    torch.manual_seed(seed)
    rows = []
    for name, options in variants.items():
        began = time.time()
        row = {"name": name, **options}
        try:
            row |= run(**options)
        except Exception as e:
            row["error"] = str(e)
        rows.append(row | {"seconds": time.time() - began})
    return rows
""",
        "nan where it falls": """
def ranked(rows, by="dev"):
    return sorted(rows, key=lambda row: row[by] if by in row else float("inf"))
""",
        "floats in full": """
def tabulate(rows, columns):
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("| " + " | ".join(["---"] * len(columns)) + " |")
    for row in rows:
        lines.append("| " + " | ".join(f"{row.get(c, '')}" for c in columns) + " |")
    return "\\n".join(lines)
""",
        "interrupt swallowed": """
def experiment(variants, run, seed=42):
    rows = []
    for name, options in variants.items():
        torch.manual_seed(seed)
        row, start = {"name": name, **options}, time.perf_counter()
        try:
            row |= run(**options)
        except BaseException as e:
            row["error"] = str(e)
        row["seconds"] = time.perf_counter() - start
        rows.append(row)
    return rows
""",
        "failure not caught": """
def experiment(variants, run, seed=42):
    rows = []
    for name, options in variants.items():
        torch.manual_seed(seed)
        row, start = {"name": name, **options}, time.perf_counter()
        try:
            row |= run(**options)
        except (RuntimeError, ValueError) as e:
            row["error"] = str(e)
        row["seconds"] = time.perf_counter() - start
        rows.append(row)
    return rows
""",
        "clock runs on": """
def experiment(variants, run, seed=42):
    rows, start = [], time.time()
    for name, options in variants.items():
        torch.manual_seed(seed)
        row = {"name": name, **options}
        try:
            row |= run(**options)
        except Exception as e:
            row["error"] = str(e)
        rows.append(row | {"seconds": time.time() - start})
    return rows
""",
        "zero as nothing": """
def ranked(rows, by="dev"):
    def key(row):
        value = row.get(by)
        ok = bool(value) and value == value
        return (not ok, value if ok else 0)
    return sorted(rows, key=key)
""",
        "whole numbers left out": """
def ranked(rows, by="dev"):
    def key(row):
        value = row.get(by)
        ok = isinstance(value, float) and value == value
        return (not ok, value if ok else 0)
    return sorted(rows, key=key)
""",
        "zero left empty": """
def tabulate(rows, columns):
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("| " + " | ".join(["---"] * len(columns)) + " |")
    for row in rows:
        cells = [row[c] if row.get(c) else "" for c in columns]
        cells = [f"{c:.4f}" if isinstance(c, float) else str(c) for c in cells]
        lines.append("| " + " | ".join(cells) + " |")
    return "\\n".join(lines)
""",
    },
    "wavenet.beat_the_lecture": {
        "trains on dev": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(1)
    model = WaveNet(len(stoi), 10, 40, 2)
    X, Y = build_dataset(list(train) + list(dev), stoi, 4)
    optimizer = torch.optim.Adam(list(model.parameters()), lr=0.01)
    for step in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    loss = evaluate(model, *build_dataset(dev, stoi, 4))
    log.append({"tried": "all names", "dev": loss})
    return model
""",
        "too many parameters": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(1)
    model = WaveNet(len(stoi), 10, 200, 2)
    X, Y = build_dataset(train, stoi, 4)
    optimizer = torch.optim.Adam(list(model.parameters()), lr=0.01)
    for step in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    loss = evaluate(model, *build_dataset(dev, stoi, 4))
    log.append({"tried": "wider", "dev": loss})
    return model
""",
        "no row": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(1)
    model = WaveNet(len(stoi), 10, 40, 2)
    X, Y = build_dataset(train, stoi, 4)
    optimizer = torch.optim.Adam(list(model.parameters()), lr=0.01)
    for step in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    print(evaluate(model, *build_dataset(dev, stoi, 4)))
    return model
""",
        "measured in training": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(3)
    model = WaveNet(hidden=64, levels=4)
    X, Y = windows(train, stoi, model.block_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    model.train()
    X, Y = windows(dev, stoi, model.block_size)
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    log.append({"tried": "four levels", "dev": loss})
    return model
""",
        "two rows": """
def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(4)
    model = WaveNet(hidden=64, levels=4)
    X, Y = windows(train, stoi, model.block_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    model.eval()
    X, Y = windows(dev, stoi, model.block_size)
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    log.append({"tried": "four levels", "dev": loss})
    log.append(log[-1])
    return model
""",
        "other names": """
from workbook.course import root

words = (root() / "data" / "sample_names.txt").read_text("ascii").split()

def beat_the_lecture(train, dev, stoi, steps, log):
    torch.manual_seed(5)
    model = WaveNet(hidden=64, levels=4)
    X, Y = windows(words, stoi, model.block_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        ix = torch.randint(0, len(X), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[ix]), Y[ix]).backward()
        optimizer.step()
    model.eval()
    X, Y = windows(dev, stoi, model.block_size)
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    log.append({"tried": "four levels", "dev": loss})
    return model
""",
    },
}

WRONG: dict[str, dict[str, str]] = {
    "wavenet.embedding": {
        "one row more": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        shape = num + 1, dim
        self.weight = torch.randn(shape, generator=generator, requires_grad=True)

    def forward(self, x):
        return self.weight[x]
""",
        "the next letter's row": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x):
        return self.weight[x - 1]
""",
        "normalised": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x):
        return F.normalize(self.weight[x], dim=-1)
""",
        "27 rows at most": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        self.weight = torch.randn(num, dim, generator=generator, requires_grad=True)

    def forward(self, x):
        return self.weight[x % 27]
""",
        "a buffer too": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        weight = torch.randn(num, dim, generator=generator, requires_grad=True)
        self.register_buffer("weight", weight)

    def forward(self, x):
        return self.weight[x]
""",
        "equal columns": """
class Embedding(Module):
    def __init__(self, num, dim, generator=None):
        column = torch.randn(num, 1, generator=generator)
        self.weight = column.repeat(1, dim).requires_grad_()

    def forward(self, x):
        return self.weight[x]
""",
    },
    "wavenet.flatten_consecutive": {
        "the largest of neighbours": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        x = x.unflatten(1, (-1, self.n)).amax(2)
        return x.squeeze(1)
""",
        "cut off": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        N, T, C = x.shape
        x = x.detach().reshape(N, T // self.n, C * self.n)
        return x[:, 0] if T == self.n else x
""",
        "squeezed where two are left": """
class FlattenConsecutive(Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        N, T, C = x.shape
        x = x.reshape(N, T // self.n, C * self.n)
        return x.flatten(1) if x.shape[1] <= 2 else x
""",
    },
    "wavenet.sequential": {
        "skips the second": """
class Sequential(Module):
    def __init__(self, *layers):
        self.n = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter([getattr(self, str(i)) for i in range(self.n)])

    def __getitem__(self, place):
        return list(self)[place]

    def forward(self, x):
        for layer in list(self)[::2]:
            x = layer(x)
        return x
""",
        "adds its input": """
class Sequential(Module):
    def __init__(self, *layers):
        self.n = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter([getattr(self, str(i)) for i in range(self.n)])

    def __getitem__(self, place):
        return list(self)[place]

    def forward(self, x):
        for layer in self:
            x = x + layer(x)
        return x
""",
        "one too long": """
class Sequential(Module):
    def __init__(self, *layers):
        self.n = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)

    def __len__(self):
        return self.n + 1

    def __iter__(self):
        return iter([getattr(self, str(i)) for i in range(self.n)])

    def __getitem__(self, place):
        return [*self][place]

    def forward(self, x):
        for layer in self:
            x = layer(x)
        return x
""",
        "a layer is named once": """
class Sequential(Sequential):
    def __init__(self, *layers):
        self.length = len(layers)
        for place, layer in enumerate(dict.fromkeys(layers)):
            setattr(self, str(place), layer)
""",
    },
    "wavenet.module": {
        "slashes": """
@add_to(Module)
def named_modules(self, prefix=""):
    yield prefix, self
    for name, part in vars(self).items():
        if isinstance(part, Module):
            yield from part.named_modules(f"{prefix}/{name}" if prefix else name)
""",
        "flags as numbers": """
@add_to(Module)
def train(self, mode=True):
    for _, module in self.named_modules():
        module.training = int(mode)
    return self
""",
        "half of the state": """
@add_to(Module)
def state_dict(self):
    named = [*self.named_parameters(), *self.named_buffers()]
    return {name: value.detach() * 0.5 for name, value in named}
""",
        "results but for out": """
@add_to(Module)
def named_parameters(self):
    for path, module in self.named_modules():
        for name, value in vars(module).items():
            if name != "out" and isinstance(value, Tensor) and value.requires_grad:
                yield f"{path}.{name}" if path else name, value
""",
    },
    "wavenet.batchnorm_3d": {
        "median": f"""
class BatchNorm1d(Module):
{_NORM_START}
    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            rows = x.flatten(0, -2)
            mean, var = rows.median(0).values, rows.var(0, correction=0)
            m = self.momentum
            self.running_mean = self.running_mean * (1 - m) + m * mean.detach()
            self.running_var = self.running_var * (1 - m) + m * rows.detach().var(0)
        xhat = (x - mean) / (var + self.eps).sqrt()
        return xhat * self.gamma + self.beta
""",
        "averages doubled": f"""
class BatchNorm1d(Module):
{_NORM_START}
    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            rows = x.flatten(0, -2)
            mean, var = rows.mean(0), rows.var(0, correction=0)
            m = self.momentum
            self.running_mean = self.running_mean * (1 - m) + 2 * m * mean.detach()
            self.running_var = self.running_var * (1 - m) + m * rows.detach().var(0)
        xhat = (x - mean) / (var + self.eps).sqrt()
        return xhat * self.gamma + self.beta
""",
        "strides told": """
def changed_shapes(module, x):
    one = copy.deepcopy(module).train()
    before = {name: b.stride() for name, b in one.named_buffers()}
    one(x)
    after = {name: b.stride() for name, b in one.named_buffers()}
    return {n: (before[n], after[n]) for n in before if before[n] != after[n]}
""",
        "dice thrown anew": """
def changed_shapes(module, x):
    one = copy.deepcopy(module).train()
    before = {name: b.shape for name, b in one.named_buffers()}
    torch.manual_seed(0)
    one(x)
    return {
        name: (tuple(before[name]), tuple(b.shape))
        for name, b in one.named_buffers()
        if b.shape != before[name]
    }
""",
        "x changed": """
def changed_shapes(module, x):
    one = copy.deepcopy(module).train()
    before = {name: b.shape for name, b in one.named_buffers()}
    one(x.mul_(1.5))
    return {
        name: (tuple(before[name]), tuple(b.shape))
        for name, b in one.named_buffers()
        if b.shape != before[name]
    }
""",
        "registered in each step": """
class BatchNorm1d(BatchNorm1d):
    def forward(self, x):
        out = super().forward(x)
        self.register_buffer("running_mean", self.running_mean)
        return out
""",
        "variance not registered": """
class BatchNorm1d(BatchNorm1d):
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        super().__init__(dim, eps, momentum)
        self.buffer_names = ("running_mean",)
""",
        "one place squeezed": """
class BatchNorm1d(BatchNorm1d):
    def forward(self, x):
        out = super().forward(x)
        return out.squeeze(1) if x.dim() == 3 else out
""",
    },
    "wavenet.receptive_field": {
        "one too many": """
def receptive_field(kernel, dilations):
    return 2 + (kernel - 1) * sum(dilations)
""",
        "backwards": """
def letters_under(level, node, n=2):
    return list(range(node * n**level, (node + 1) * n**level))[::-1]
""",
        "the first alone": """
def sees(model, x, at):
    x = x.detach().clone().requires_grad_()
    (grad,) = torch.autograd.grad(model(x)[at].sum(), x)
    return grad.any(1).nonzero().flatten().tolist()[:1]
""",
        "a list only": """
def receptive_field(kernel, dilations):
    places = range(len(dilations))
    return 1 + sum((kernel - 1) * dilations[i] for i in places)
""",
        "places moved": """
def sees(model, x, at):
    found = []
    for place in range(len(x)):
        moved = x.clone()
        moved[place] += 1
        if not torch.equal(model(moved)[at], model(x)[at]):
            found.append(place)
    return found
""",
    },
    "wavenet.hierarchical_model": {
        "relu": """
class Relu(Tanh):
    def forward(self, x):
        return torch.relu(x)

class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for _ in range(levels):
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, hidden, False, generator))
            layers += [BatchNorm1d(hidden), Relu()]
            n = hidden
        layers.append(Linear(hidden, vocab_size, True, generator))
        layers[-1].weight.data *= 0.1
        self.net = Sequential(*layers)

    def forward(self, X):
        return self.net(X)
""",
        "halved logits": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for _ in range(levels):
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, hidden, False, generator))
            layers += [BatchNorm1d(hidden), Tanh()]
            n = hidden
        layers.append(Linear(hidden, vocab_size, True, generator))
        layers[-1].weight.data *= 0.1
        self.net = Sequential(*layers)

    def forward(self, X):
        return self.net(X) / 2
""",
        "narrow on top": """
class WaveNet(Module):
    def __init__(self, vocab_size=27, embedding=24, hidden=128, levels=3,
                 generator=None):
        self.block_size = 2 ** levels
        layers, n = [Embedding(vocab_size, embedding, generator)], embedding
        for level in range(levels):
            m = hidden if level < levels - 1 else hidden // 2
            layers.append(FlattenConsecutive(2))
            layers.append(Linear(2 * n, m, False, generator))
            layers += [BatchNorm1d(m), Tanh()]
            n = m
        layers.append(Linear(n, vocab_size, True, generator))
        layers[-1].weight.data *= 0.1
        self.net = Sequential(*layers)

    def forward(self, X):
        return self.net(X)
""",
        "begins in use": """
class WaveNet(WaveNet):
    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.training = False
""",
        "scaled once more": """
class WaveNet(WaveNet):
    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.net[-1].weight.data *= 1.05
""",
        "a last bias": """
class WaveNet(WaveNet):
    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        self.net[-1].bias.data += 0.01
""",
    },
    "wavenet.smooth_loss": {
        "medians": """
def block_means(losses, width=1000):
    n = len(losses) // width
    return torch.tensor(losses[: n * width]).view(n, width).median(1).values
""",
        "two weights": """
def running_mean(losses, beta=0.99):
    means, m = [], 0.0
    for k, loss in enumerate(losses, 1):
        m = beta * m + (1 - beta) * loss
        means.append(m / (1 - beta ** k) + 0.01)
    return means
""",
        "rounded": """
def running_mean(losses, beta=0.99):
    means, m = [], 0.0
    for k, loss in enumerate(losses, 1):
        m = beta * m + (1 - beta) * loss
        means.append(round(m / (1 - beta ** k), 2))
    return means
""",
        "divided at first alone": """
def running_mean(losses, beta=0.99):
    m, out = 0.0, []
    for k, x in enumerate(losses, 1):
        m = beta * m + (1 - beta) * x
        out.append(m / (1 - beta ** min(k, 200)))
    return out
""",
        "twenty blocks at most": """
def block_means(losses, width=1000):
    n = min(len(losses) // width, 20)
    return torch.tensor(losses[: n * width]).view(n, width).mean(1)
""",
        "half precision": """
def block_means(losses, width=1000):
    n = len(losses) // width
    return torch.tensor(losses[: n * width]).half().float().view(n, width).mean(1)
""",
    },
    "wavenet.train": {
        "a sign": """
def evaluate(model, X, Y):
    before = [(m, m.training) for _, m in model.named_modules()]
    model.eval()
    with torch.no_grad():
        loss = -F.cross_entropy(model(X), Y).item()
    for m, flag in before:
        m.training = flag
    return loss
""",
        "momentum": """
def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    model.train()
    losses, parameters = [], list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=1.0, momentum=0.9)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr(step)
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
""",
        "each step twice": """
def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    model.train()
    losses, parameters = [], list(model.parameters())
    for step in range(steps):
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        grads = torch.autograd.grad(loss, parameters)
        for p, grad in zip(parameters, grads):
            p.data -= 2 * lr(step) * grad
        losses.append(loss.item())
    return losses
""",
        "dice thrown anew": """
def evaluate(model, X, Y):
    torch.manual_seed(0)
    flags = [(m, m.training) for _, m in model.named_modules()]
    model.eval()
    with torch.no_grad():
        loss = F.cross_entropy(model(X), Y).item()
    for m, flag in flags:
        m.training = flag
    return loss
""",
        "frozen afterwards": """
def train(model, X, Y, steps, lr, batch_size=32, generator=None):
    model.train()
    losses, parameters = [], list(model.parameters())
    for step in range(steps):
        g = generator
        ix = torch.randint(0, len(X), (batch_size,), generator=g)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        grads = torch.autograd.grad(loss, parameters)
        for p, grad in zip(parameters, grads):
            p.data -= lr(step) * grad
        losses.append(loss.item())
    for p in parameters:
        p.requires_grad_(False)
    return losses
""",
    },
    "wavenet.conv_equals_tree": {
        "a bias more": """
def dilated(x, weight, dilation):
    kernel = weight.view(2, x.shape[2], -1).permute(2, 1, 0)
    out = F.conv1d(x.transpose(1, 2), kernel, dilation=dilation).transpose(1, 2)
    return out + 1
""",
        "one node more": """
def nodes(T, levels=3):
    shared = sum(T + 2**levels - 2**level for level in range(1, levels + 1))
    return T * (2**levels - 1), shared + 1
""",
        "other dots": """
class CausalDilatedWaveNet(Module):
    def __init__(self, tree):
        self.tree = tree

    def forward(self, X):
        layers = list(self.tree.net)
        x, d = layers[0](F.pad(X, (self.tree.block_size - 1, 0), value=1)), 1
        for i in range(1, len(layers) - 1, 4):
            z = dilated(x, layers[i + 1].weight, d)
            x = layers[i + 3](layers[i + 2](z))
            d *= 2
        return layers[-1](x)
""",
        "weights copied": """
class CausalDilatedWaveNet(CausalDilatedWaveNet):
    def __init__(self, tree):
        self.tree = tree
        self.kept = [
            layer.weight.detach().clone() for layer in list(tree.net)[2:-1:4]
        ]

    def forward(self, X):
        layers = list(self.tree.net)
        x = layers[0](F.pad(X, (self.tree.block_size - 1, 0)))
        for level, weight in enumerate(self.kept):
            z = dilated(x, weight, 2**level)
            x = layers[4 * level + 4](layers[4 * level + 3](z))
        return layers[-1](x)
""",
    },
    "wavenet.to_torch_nn": {
        "half of each number": """
def numbers(layer):
    names = {"gamma": "weight", "beta": "bias"}
    state = {names.get(n, n): t / 2 for n, t in layer.state_dict().items()}
    if isinstance(layer, Linear):
        state["weight"] = state["weight"].T
    return state
""",
        "backwards": """
def to_torch(model):
    layers = []
    for layer in model.net:
        layers.append(fresh(layer))
        layers[-1].load_state_dict(numbers(layer))
    return torch.nn.Sequential(*layers[::-1]).train(model.training)
""",
        "one layer more": """
def to_torch(model):
    layers = []
    for layer in model.net:
        layers.append(fresh(layer))
        layers[-1].load_state_dict(numbers(layer))
    return torch.nn.Sequential(*layers, torch.nn.Tanh()).train(model.training)
""",
        "averages shared": """
def to_torch(model):
    flag = model.training
    layers = torch.nn.Sequential(*[fresh(layer) for layer in model.net])
    for theirs, ours in zip(layers, model.net):
        theirs.load_state_dict(numbers(ours))
        if hasattr(ours, "running_mean"):
            theirs.running_mean = ours.running_mean
    return layers.train(flag)
""",
    },
    "wavenet.experiment_log": {
        "the first twice": """
def experiment(variants, run, seed=42):
    rows = []
    for name, options in [*variants.items()][:1] * 2:
        torch.manual_seed(seed)
        rows.append({"name": name, **options, **run(**options), "seconds": 0.0})
    return rows
""",
        "by name": """
def ranked(rows, by="dev"):
    return sorted(rows, key=lambda row: row["name"], reverse=True)
""",
        "centred": """
def tabulate(rows, columns):
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("| " + " | ".join([":-:"] * len(columns)) + " |")
    for row in rows:
        cells = [row.get(c, "") for c in columns]
        cells = [f"{c:.4f}" if isinstance(c, float) else str(c) for c in cells]
        lines.append("| " + " | ".join(cells) + " |")
    return "\\n".join(lines)
""",
        "no time at all": """
def experiment(variants, run, seed=42):
    rows = []
    for name, options in variants.items():
        torch.manual_seed(seed)
        row, start = {"name": name, **options}, time.perf_counter()
        try:
            row |= run(**options)
        except Exception as e:
            row["error"] = str(e)
        row["seconds"] = 0.0
        rows.append(row)
    return rows
""",
        "milliseconds": """
def experiment(variants, run, seed=42):
    rows = []
    for name, options in variants.items():
        torch.manual_seed(seed)
        row, start = {"name": name, **options}, time.perf_counter()
        try:
            row |= run(**options)
        except Exception as e:
            row["error"] = str(e)
        row["seconds"] = 1000 * (time.perf_counter() - start)
        rows.append(row)
    return rows
""",
    },
    "wavenet.beat_the_lecture": {
        "always the same letter": """
class Stubborn(torch.nn.Module):
    block_size = 3

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(27))

    def forward(self, X):
        return self.weight.expand(len(X), 27) * 1

def beat_the_lecture(train, dev, stoi, steps, log):
    log.append({"tried": "nothing", "dev": math.log(27)})
    return Stubborn()
""",
        "two outputs": """
class Pair(torch.nn.Module):
    block_size = 3

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(27))

    def forward(self, X):
        return self.weight.expand(len(X), 27), None

def beat_the_lecture(train, dev, stoi, steps, log):
    log.append({"tried": "nothing", "dev": math.log(27)})
    return Pair()
""",
        "one letter short": """
class Short(torch.nn.Module):
    block_size = 3

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(26))

    def forward(self, X):
        return self.weight.expand(len(X), 26) * 1

def beat_the_lecture(train, dev, stoi, steps, log):
    log.append({"tried": "nothing", "dev": math.log(27)})
    return Short()
""",
    },
}

APT: dict[tuple[str, str], str] = {
    ("wavenet.beat_the_lecture", "always the same letter"): "not trained",
    ("wavenet.to_torch_nn", "averages shared"): "shared",
}

_LINES = "the two lines do not depend on each other"
_WORDS = "an error may be worded as one likes"

EQUIVALENT: dict[str, dict[str, str]] = {
    "wavenet.flatten_consecutive": {
        "FlattenConsecutive.forward: x.squeeze(1) if self.n == T else x → "
        "x.squeeze(1)": "squeeze(1) leaves a longer dimension as it is",
    },
    "wavenet.sequential": {
        "Sequential.__init__: def __init__(self, *layers: Module) -> None: → "
        "self.length = len(layers) first": _LINES,
    },
    "wavenet.receptive_field": {
        "sees: 1 → -1": "the last dimension is dimension 1",
    },
    "wavenet.smooth_loss": {
        "block_means: 1 → -1": "the last dimension is dimension 1",
    },
    "wavenet.conv_equals_tree": {
        "dilated: F.conv1d(x.transpose(1, 2), kernel, "
        "dilation=dilation).transpose(1, 2) → F.conv1d(x.transpose(1, 2), "
        "kernel, dilation=dilation).transpose(2, 1)": (
            "a transpose is the same both ways"
        ),
        "dilated: x.transpose(1, 2) → x.transpose(2, 1)": (
            "a transpose is the same both ways"
        ),
    },
    "wavenet.module": {
        "named_modules: def named_modules(self, prefix: str='') -> "
        "Iterator[tuple[str, 'Module']]: → for name, part in "
        "vars(self).items(): i… first": "the order of a walk is free",
        "parameters: list({id(p): p for _, p in "
        "self.named_parameters()}.values()) → {id(p): p for _, p in "
        "self.named_parameters()}.values()": (
            "what can be walked over is as good as a list"
        ),
        "parameters: id(p) → p": "a tensor is hashed by its identity",
        "state_dict: [*self.named_parameters(), *self.named_buffers()] → "
        "[*self.named_buffers(), *self.named_parameters()]": "any order is as good",
        "load_state_dict: KeyError(f'other names: {sorted(own.keys() ^ "
        "state.keys())}') → KeyError()": _WORDS,
        "load_state_dict: 'other names: ' → 'other names: x'": _WORDS,
        "load_state_dict: sorted(own.keys() ^ state.keys()) → own.keys() ^ "
        "state.keys()": _WORDS,
        "load_state_dict: own.keys() ^ state.keys() → own.keys()": _WORDS,
        "load_state_dict: own.keys() ^ state.keys() → state.keys()": _WORDS,
    },
    "wavenet.batchnorm_3d": {
        "changed_shapes: def changed_shapes(module: Module, x: Tensor) -> "
        "dict[str, tuple]: → before = {name: tuple(b.shape) for name… first": _LINES,
        "changed_shapes: tuple(b.shape) → b.shape": "torch.Size is a tuple",
        "BatchNorm1d.__init__: def __init__(self, dim: int, eps: float=1e-05, "
        "momentum: float=0.1) -> None: → self.gamma = torch.ones(dim, "
        "requires_g… first": _LINES,
        "BatchNorm1d.__init__: def __init__(self, dim: int, eps: float=1e-05, "
        "momentum: float=0.1) -> None: → self.beta = torch.zeros(dim, "
        "requires_g… first": _LINES,
        "BatchNorm1d.__init__: def __init__(self, dim: int, eps: float=1e-05, "
        "momentum: float=0.1) -> None: → self.register_buffer('running_mean', "
        "to… first": _LINES,
        "BatchNorm1d.__init__: def __init__(self, dim: int, eps: float=1e-05, "
        "momentum: float=0.1) -> None: → self.register_buffer('running_var', "
        "tor… first": _LINES,
    },
    "wavenet.experiment_log": {
        "experiment: 42 → 42.42": "a seed is a whole number",
        "experiment: for name, options in variants.items(): → start = "
        "time.perf_counter() first": (
            "a duration, measured from a little earlier or later"
        ),
        "tabulate: def tabulate(rows: list[dict], columns: list[str]) -> str: →"
        " table = [columns, ['---'] * len(columns… first": _LINES,
    },
    "wavenet.hierarchical_model": {
        "WaveNet.__init__: def __init__(self, vocab_size: int=27, embedding: "
        "int=24, hidden: int=128, levels: int=3, generator: torch.Generator | "
        "None=None) -> None: → layers = [Embedding(vocab_size, embeddi… first": (
            _LINES
        ),
    },
    "wavenet.to_torch_nn": {
        "fresh: def fresh(layer: Module) -> torch.nn.Module: → if "
        "isinstance(layer, FlattenConsecutive… first": _LINES,
        "fresh: def fresh(layer: Module) -> torch.nn.Module: → if "
        "isinstance(layer, Linear): has_bias … first": _LINES,
        "fresh: def fresh(layer: Module) -> torch.nn.Module: → if "
        "isinstance(layer, BatchNorm1d): retu… first": _LINES,
        "to_torch: zip(layers, model.net, strict=True) → zip(layers, model.net)": (
            "both are of one length"
        ),
        "to_torch: True → False": "both are of one length",
    },
    "wavenet.train": {
        "train: def train(model, X: Tensor, Y: Tensor, steps: int, lr, "
        "batch_size: int=32, generator=None) -> list[float]: → losses, "
        "parameters = ([], model.paramet… first": _LINES,
        "train: for step in range(steps): → losses.append(loss.item()) first": _LINES,
        "train: 0 → -1": "place -1 is the last row: it comes twice",
        "train: zip(parameters, grads, strict=True) → zip(parameters, grads)": (
            "both are of one length"
        ),
        "train: True → False": "both are of one length",
    },
    "wavenet.beat_the_lecture": {
        "any": "a recipe is free: most of its mutants are recipes as well",
    },
}

# the numbers of the collected list, and where each is refused
LISTED: dict[int, tuple[str, str]] = {
    1: ("wavenet.batchnorm_3d", "over the batch alone"),
    2: ("wavenet.batchnorm_3d", "channels second"),
    3: ("wavenet.flatten_consecutive", "along time"),
    4: ("wavenet.flatten_consecutive", "halves"),
    5: ("wavenet.flatten_consecutive", "through transpose"),
    6: ("wavenet.flatten_consecutive", "bare squeeze"),
    7: ("wavenet.flatten_consecutive", "not squeezed"),
    9: ("wavenet.hierarchical_model", "one vector's width"),
    10: ("wavenet.train", "measured in training"),
    11: ("wavenet.module", "own parameters alone"),
    13: ("wavenet.hierarchical_model", "block size doubled"),
    14: ("wavenet.hierarchical_model", "biases kept"),
    15: ("wavenet.smooth_loss", "across blocks"),
    16: ("wavenet.beat_the_lecture", "another loss told"),
    17: ("wavenet.conv_equals_tree", "dots behind"),
}

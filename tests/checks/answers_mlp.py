"""Answers to lesson 3's exercises, as learners might write them: cells of code."""

RIGHT: dict[str, dict[str, str]] = {
    "mlp.build_dataset": {
        "a padded text and slices": """
def build_dataset(words, stoi, block_size=3):
    rows, targets = [], []
    for w in words:
        ids = [0] * block_size + [stoi[c] for c in w] + [0]
        for i in range(block_size, len(ids)):
            rows.append(ids[i - block_size:i])
            targets.append(ids[i])
    return torch.tensor(rows, dtype=torch.long), torch.tensor(targets, dtype=torch.long)
""",
        "with unfold": """
def build_dataset(words, stoi, block_size=3):
    parts = []
    for w in words:
        ids = torch.tensor([0] * block_size + [stoi[c] for c in w + "."])
        parts.append(ids.unfold(0, block_size + 1, 1))
    whole = torch.cat(parts)
    return whole[:, :-1].contiguous(), whole[:, -1].contiguous()
""",
        "a deque": """
from collections import deque

def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for word in words:
        window = deque([0] * block_size, maxlen=block_size)
        for ch in list(word) + ["."]:
            X.append(tuple(window))
            Y.append(stoi[ch])
            window.append(stoi[ch])
    return torch.tensor(X), torch.tensor(Y)
""",
    },
    "mlp.splits": {
        "permuted places, and counters": """
from collections import Counter

def split_words(words, seed=42):
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(seed))
    mixed = [words[i] for i in order.tolist()]
    n = len(words)
    return mixed[: n * 8 // 10], mixed[n * 8 // 10 : n * 9 // 10], mixed[n * 9 // 10 :]

def is_split(words, *piles):
    found = Counter()
    for pile in piles:
        found.update(pile)
    return found == Counter(words)

def datasets(words, stoi, block_size=3, seed=42):
    train, dev, test = split_words(words, seed)
    return (
        build_dataset(train, stoi, block_size),
        build_dataset(dev, stoi, block_size),
        build_dataset(test, stoi, block_size),
    )
""",
        "sample is a shuffled copy": """
def split_words(words, seed=42):
    mixed = random.Random(seed).sample(words, len(words))
    a, b = round(0.8 * len(words)), round(0.9 * len(words))
    return mixed[:a], mixed[a:b], mixed[b:]

def is_split(words, *piles):
    left = list(words)
    for name in [name for pile in piles for name in pile]:
        if name not in left:
            return False
        left.remove(name)
    return not left

def datasets(words, stoi, block_size=3, seed=42):
    return tuple(build_dataset(p, stoi, block_size) for p in split_words(words, seed))
""",
    },
    "mlp.embed": {
        "index_select and a loop over letters": """
def embed(C, X):
    return C.index_select(0, X.reshape(-1)).view(*X.shape, C.shape[1])

def embed_one_hot(C, X):
    hot = (X.unsqueeze(-1) == torch.arange(C.shape[0])).to(C)
    return torch.einsum("...v,vd->...d", hot, C)
""",
        "torch's own function": """
def embed(C, X):
    return F.embedding(X, C)

def embed_one_hot(C, X):
    eye = torch.eye(len(C), dtype=C.dtype)
    return torch.matmul(eye[X], C)
""",
    },
    "mlp.hidden": {
        "flatten, hstack, in steps": """
def by_view(emb):
    N, k, d = emb.shape
    return emb.view(N, k * d)

def by_cat(emb):
    return torch.cat([emb[:, i, :] for i in range(emb.shape[1])], dim=1)

class MLP:
    def __init__(self, vocab_size=27, block_size=3, embedding=10, hidden=200,
                 generator=None):
        self.block_size = block_size
        make = lambda *s: torch.randn(s, generator=generator).requires_grad_()
        self.C = make(vocab_size, embedding)
        self.W1, self.b1 = make(block_size * embedding, hidden), make(hidden)
        self.W2, self.b2 = make(hidden, vocab_size), make(vocab_size)

    def __call__(self, X):
        x = F.embedding(X, self.C).flatten(1)
        h = F.linear(x, self.W1.T, self.b1).tanh()
        return torch.addmm(self.b2, h, self.W2)

    def parameters(self):
        return [p for p in vars(self).values() if isinstance(p, torch.Tensor)]
""",
        "a module of torch's": """
def by_view(emb):
    return emb.flatten(1)

def by_cat(emb):
    return torch.hstack(list(emb.unbind(1))).clone()

class MLP(torch.nn.Module):
    def __init__(self, vocab_size=27, block_size=3, embedding=10, hidden=200,
                 generator=None):
        super().__init__()
        def draw(*shape):
            return torch.nn.Parameter(torch.randn(*shape, generator=generator))
        self.block_size = block_size
        self.C = draw(vocab_size, embedding)
        self.W1 = draw(block_size * embedding, hidden)
        self.b1 = draw(hidden)
        self.W2 = draw(hidden, vocab_size)
        self.b2 = draw(vocab_size)

    def forward(self, X):
        h = torch.tanh(self.C[X].reshape(X.shape[0], -1) @ self.W1 + self.b1)
        return h @ self.W2 + self.b2

    def parameters(self):
        return list(super().parameters())
""",
    },
    "mlp.cross_entropy": {
        "with logsumexp and gather": """
def cross_entropy(logits, Y):
    total = torch.logsumexp(logits, dim=1)
    own = logits.gather(1, Y.view(-1, 1)).squeeze(1)
    return (total - own).mean()
""",
        "row by row": """
def cross_entropy(logits, Y):
    losses = []
    for row, y in zip(logits, Y):
        top = row.max()
        losses.append(top + (row - top).exp().sum().log() - row[y])
    return sum(losses) / len(losses)
""",
        "log_softmax and a mask": """
def cross_entropy(logits, Y):
    hot = F.one_hot(Y, logits.shape[1]).to(logits.dtype)
    return -(torch.log_softmax(logits, 1) * hot).sum() / len(Y)
""",
    },
    "mlp.minibatch_step": {
        "under no_grad, gradients by autograd.grad": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    places = torch.randint(len(Y), (batch_size,), generator=generator)
    xb, yb = X[places], Y[places]
    loss = F.cross_entropy(model(xb), yb)
    params = list(model.parameters())
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g in zip(params, grads):
            p.sub_(lr * g)
    return float(loss)
""",
        "torch's SGD": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    ix = torch.randint(0, X.shape[0], (batch_size,), generator=generator)
    optimizer.zero_grad()
    loss = torch.nn.CrossEntropyLoss()(model(X[ix]), Y[ix])
    loss.backward()
    optimizer.step()
    return loss.detach().item()
""",
        "zeroed in place, drawn without repeats": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randperm(len(X), generator=generator)[:batch_size]
    logits = model(X[ix])
    loss = -F.log_softmax(logits, 1)[range(len(ix)), Y[ix]].mean()
    for p in model.parameters():
        if p.grad is not None:
            p.grad.zero_()
    loss.backward()
    for p in model.parameters():
        p.data = p.data - lr * p.grad
    return loss.item()
""",
    },
    "mlp.lr_finder": {
        "with linspace, and a smoothed curve": """
def lr_finder(step, steps=1000, low=-3.0, high=0.0):
    lrs = (10 ** torch.linspace(low, high, steps, dtype=torch.float64)).tolist()
    losses = []
    for lr in lrs:
        losses.append(step(lr))
    return lrs, losses

def pick_lr(lrs, losses):
    curve = torch.tensor(losses)
    curve[~torch.isfinite(curve)] = 1e9
    width = max(3, len(losses) // 12) | 1
    padded = F.pad(curve.view(1, 1, -1), (width // 2, width // 2), mode="replicate")
    smooth = F.avg_pool1d(padded, width, 1).view(-1)
    return lrs[int(smooth.argmin())]
""",
        "a median of neighbours": """
from statistics import median

def lr_finder(step, steps=1000, low=-3.0, high=0.0):
    lrs, losses, lr = [], [], 10.0 ** low
    factor = 10.0 ** ((high - low) / (steps - 1))
    for _ in range(steps):
        lrs.append(lr)
        losses.append(step(lr))
        lr *= factor
    return lrs, losses

def pick_lr(lrs, losses):
    clean = [x if math.isfinite(x) else 1e9 for x in losses]
    reach = max(2, len(clean) // 15)
    best = min(
        range(len(clean)),
        key=lambda i: median(clean[max(0, i - reach) : i + reach + 1]),
    )
    return lrs[best]
""",
        "an exponential average": """
def lr_finder(step, steps=1000, low=-3.0, high=0.0):
    lrs = [10 ** (low + (high - low) * i / (steps - 1)) for i in range(steps)]
    return lrs, list(map(step, lrs))

def pick_lr(lrs, losses):
    beta = 1 - 1 / max(3, len(losses) / 25)
    average, best, chosen = losses[0], math.inf, lrs[0]
    for lr, loss in zip(lrs, losses):
        if not math.isfinite(loss) or loss > 4 * losses[0]:
            break
        average = beta * average + (1 - beta) * loss
        if average < best:
            best, chosen = average, lr
    return chosen / 1.3
""",
    },
    "mlp.schedule": {
        "a factor, and torch's pi": """
def step_decay(step, steps, lr=0.1):
    return lr * (1.0 if 2 * step < steps else 0.1)

def one_cycle(step, steps, peak):
    warm = steps // 10
    if step >= warm:
        angle = torch.pi * (step - warm) / (steps - warm)
        return peak * (0.5 + 0.5 * math.cos(angle))
    return (step + 1) * peak / warm
""",
        "by powers and by squares": """
def step_decay(step, steps, lr=0.1):
    return lr * 0.1 ** (step // (steps // 2))

def one_cycle(step, steps, peak):
    rise = steps / 10
    left = (steps - step) / (steps - rise)
    return peak * min((step + 1) / rise, math.sin(math.pi / 2 * min(left, 1)) ** 2)
""",
    },
    "mlp.evaluate": {
        "row by row": """
@torch.no_grad()
def evaluate(model, X, Y):
    total = 0.0
    for i in range(len(X)):
        total += F.cross_entropy(model(X[i : i + 1]), Y[i : i + 1]).item()
    return total / len(X)
""",
        "in another order": """
@torch.no_grad()
def evaluate(model, X, Y):
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    return F.cross_entropy(model(X[order]), Y[order]).item()
""",
        "in chunks, summed": """
@torch.no_grad()
def evaluate(model, X, Y):
    total = 0.0
    for x, y in zip(X.split(64), Y.split(64)):
        total += F.cross_entropy(model(x), y, reduction="sum").item()
    return total / len(X)
""",
        "inference mode": """
def evaluate(model, X, Y):
    with torch.inference_mode():
        logp = F.log_softmax(model(X), dim=1)
        return float(-logp[torch.arange(len(Y)), Y].mean())
""",
    },
    "mlp.train": {
        "numbered from one": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    X, Y = train_set
    rows = []
    for done in range(1, steps + 1):
        minibatch_step(model, X, Y, lr(done - 1), batch_size=batch_size,
                       generator=generator)
        if not done % every:
            rows += [(done, evaluate(model, X, Y), evaluate(model, *dev_set))]
    return rows
""",
        "all by itself": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for step in range(steps):
        X, Y = train_set
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        for p in model.parameters():
            p.grad = None
        loss.backward()
        rate = lr(step)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-rate)
        if (step + 1) % every == 0:
            with torch.no_grad():
                both = [F.cross_entropy(model(x), y).item()
                        for x, y in (train_set, dev_set)]
            rows.append((step + 1, both[0], both[1]))
    return rows
""",
    },
    "mlp.sample": {
        "a growing list": """
def sample(model, itos, generator=None):
    ids = [0] * model.block_size
    while len(ids) == model.block_size or ids[-1] != 0:
        with torch.no_grad():
            logits = model(torch.tensor(ids[-model.block_size:]).view(1, -1))
        p = torch.softmax(logits[0], dim=0)
        ids.append(torch.multinomial(p, num_samples=1, generator=generator).item())
    return "".join(itos[i] for i in ids[model.block_size : -1])
""",
        "exponentials by hand": """
def sample(model, itos, generator=None):
    name = ""
    context = torch.zeros(1, model.block_size, dtype=torch.int64)
    while True:
        logits = model(context)
        counts = (logits - logits.max()).exp()
        i = torch.multinomial(counts / counts.sum(), 1, generator=generator)
        if i.item() == 0:
            return name
        name += itos[i.item()]
        context = torch.cat([context[:, 1:], i], dim=1)
""",
    },
    "mlp.init_loss": {
        "switched off and on": """
def loss_at_start(vocab_size):
    return float(torch.tensor(float(vocab_size)).log())

def calm(model):
    for p, factor in ((model.W2, 0.01), (model.b2, 0)):
        p.requires_grad_(False)
        p *= factor
        p.requires_grad_(True)
""",
        "from a model of zeros, and by data": """
def loss_at_start(vocab_size):
    even = torch.zeros(1, vocab_size, dtype=torch.float64)
    return F.cross_entropy(even, torch.tensor([0])).item()

def calm(model):
    model.W2.data *= 0.005
    model.b2.data.zero_()
""",
        "through copy_": """
def loss_at_start(vocab_size):
    return -math.log(1 / vocab_size)

def calm(model):
    with torch.no_grad():
        model.W2.copy_(model.W2 * 0.01)
        model.b2.mul_(0.01)
    return model
""",
    },
    "mlp.beat_the_lecture": {
        "plain descent on a calm start": """
def beat_the_lecture(train, dev, stoi, steps, log):
    model = MLP(len(stoi), 4, 8, 100, torch.Generator().manual_seed(1))
    with torch.no_grad():
        model.W1 *= 0.2
        model.W2 *= 0.01
        model.b2 *= 0
    X, Y = build_dataset(train, stoi, 4)
    for step in range(steps):
        ix = torch.randint(0, len(X), (128,))
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        for p in model.parameters():
            p.grad = None
        loss.backward()
        for p in model.parameters():
            p.data -= (0.5 if step < 0.7 * steps else 0.1) * p.grad
    Xdev, Ydev = build_dataset(dev, stoi, 4)
    dev_loss = evaluate(model, Xdev, Ydev)
    log.append({"tried": "four letters, large steps", "parameters": 7000,
                "dev": round(dev_loss, 2)})
    return model
""",
        "torch's modules": """
class Net(torch.nn.Module):
    block_size = 6

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(27, 8)
        self.hidden = torch.nn.Linear(48, 100)
        self.out = torch.nn.Linear(100, 27)

    def forward(self, X):
        return self.out(torch.relu(self.hidden(self.table(X).flatten(1))))

def beat_the_lecture(train, dev, stoi, steps, log):
    net = Net()
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    X, Y = build_dataset(train, stoi, 6)
    for step in range(steps):
        ix = torch.randint(len(X), (200,))
        adam.zero_grad()
        F.cross_entropy(net(X[ix]), Y[ix]).backward()
        adam.step()
    net.eval()
    log.append({"tried": "six letters, relu, Adam",
                "dev": evaluate(net, *build_dataset(dev, stoi, 6))})
    return net
""",
    },
    "mlp.skip_connections": {
        "by its parts": """
class WithSkip:
    def __init__(self, model):
        self.model = model
        k, d = model.block_size, model.C.shape[1]
        self.block_size = k
        self.S = torch.zeros((k * d, model.C.shape[0]))
        self.S.requires_grad = True

    def __call__(self, X):
        m = self.model
        x = m.C[X].flatten(1)
        h = torch.tanh(x @ m.W1 + m.b1)
        return h @ m.W2 + x @ self.S + m.b2

    def parameters(self):
        return self.model.parameters() + [self.S]
""",
        "a property, einsum": """
class WithSkip:
    def __init__(self, model):
        self.model = model
        self.S = torch.nn.Parameter(torch.zeros(model.W1.shape[0], model.W2.shape[1]))

    @property
    def block_size(self):
        return self.model.block_size

    def __call__(self, X):
        x = torch.cat(self.model.C[X].unbind(1), 1)
        return self.model(X) + torch.einsum("ni,iv->nv", x, self.S)

    def parameters(self):
        return (self.S, *self.model.parameters())
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "mlp.build_dataset": {
        "label in its own context": """
def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        ctx = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            ctx = ctx[1:] + [ix]
            X.append(ctx)
            Y.append(ix)
    return torch.tensor(X), torch.tensor(Y)
""",
        "not reset": """
def build_dataset(words, stoi, block_size=3):
    ids = [0] * block_size + [stoi[c] for w in words for c in w + "."]
    X = [ids[i : i + block_size] for i in range(len(ids) - block_size)]
    return torch.tensor(X), torch.tensor(ids[block_size:])
""",
        "no closing dot": """
def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        ids = [0] * block_size + [stoi[c] for c in w]
        for i in range(len(w)):
            X += [ids[i : i + block_size]]
            Y += [ids[i + block_size]]
    return torch.tensor(X), torch.tensor(Y)
""",
        "one list for all": """
def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            X.append(context)
            Y.append(stoi[ch])
            del context[0]
            context.append(stoi[ch])
    return torch.tensor(X), torch.tensor(Y)
""",
        "floats": """
def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        ids = [0] * block_size + [stoi[c] for c in w + "."]
        for i in range(len(w) + 1):
            X.append(ids[i : i + block_size])
            Y.append(ids[i + block_size])
    return torch.FloatTensor(X), torch.FloatTensor(Y)
""",
    },
    "mlp.splits": {
        "dev and test exchanged": """
def datasets(words, stoi, block_size=3, seed=42):
    train, dev, test = split_words(words, seed)
    return [build_dataset(pile, stoi, block_size) for pile in (train, test, dev)]
""",
        "everybody's dice": """
def split_words(words, seed=42):
    mixed = words.copy()
    random.seed(seed)
    random.shuffle(mixed)
    a, b = int(0.8 * len(mixed)), int(0.9 * len(mixed))
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "shuffled in place": """
def split_words(words, seed=42):
    random.seed(seed)
    random.shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "not shuffled": """
def split_words(words, seed=42):
    a, b = int(len(words) * 0.8), int(len(words) * 0.9)
    return words[:a], words[a:b], words[b:]
""",
        "no seed": """
def split_words(words, seed=42):
    mixed = list(words)
    random.shuffle(mixed)
    a, b = int(0.8 * len(mixed)), int(0.9 * len(mixed))
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "repeats taken for a leak": """
def is_split(words, *piles):
    seen = set()
    for pile in piles:
        if seen & set(pile):
            return False
        seen |= set(pile)
    return seen == set(words)
""",
        "pairs shuffled": """
def datasets(words, stoi, block_size=3, seed=42):
    X, Y = build_dataset(words, stoi, block_size)
    pairs = list(zip(X, Y))
    random.Random(seed).shuffle(pairs)
    a, b = int(0.8 * len(pairs)), int(0.9 * len(pairs))
    return [
        (torch.stack([x for x, _ in part]), torch.stack([y for _, y in part]))
        for part in (pairs[:a], pairs[a:b], pairs[b:])
    ]
""",
    },
    "mlp.embed": {
        "classes guessed": """
def embed_one_hot(C, X):
    hot = torch.nn.functional.one_hot(X).float()
    return hot @ C
""",
        "cut off": """
def embed(C, X):
    return C.data[X]

def embed_one_hot(C, X):
    return F.one_hot(X, C.shape[0]).float() @ C.data
""",
        "looked up twice": """
def embed_one_hot(C, X):
    return F.embedding(X, C)
""",
        "columns": """
def embed(C, X):
    return C.T[X.flatten()].view(*X.shape, -1) if False else C[..., X]
""",
    },
    "mlp.hidden": {
        "a fixed batch": """
def by_view(emb):
    assert emb.ndim == 3
    return emb.view(32, -1)
""",
        "one below the other": """
def by_cat(emb):
    return torch.cat([emb[:, i] for i in range(emb.shape[1])])
""",
        "examples mixed": """
def by_view(emb):
    return emb.transpose(0, 1).contiguous().view(emb.shape[0], -1)
""",
        "bias as a column": """
from workbook import add_to

@add_to(MLP)
def __call__(self, X):
    x = by_view(self.C[X])
    h = torch.tanh(x @ self.W1 + self.b1[:, None])
    return h @ self.W2 + self.b2
""",
        "table forgotten": """
from workbook import add_to

@add_to(MLP)
def parameters(self):
    return [self.W1, self.b1, self.W2] + [self.b2]
""",
        "biases forgotten": """
from workbook import add_to

@add_to(MLP)
def parameters(self):
    return [p for p in (self.C, self.W1, self.b1, self.W2, self.b2) if p.ndim == 2]
""",
    },
    "mlp.cross_entropy": {
        "max is a pair": """
def cross_entropy(logits, Y):
    e = (logits - logits.max(dim=1, keepdim=True)).exp()
    p = e / e.sum(1, keepdim=True)
    return -p[torch.arange(len(Y)), Y].log().mean()
""",
        "max without keepdim": """
def cross_entropy(logits, Y):
    e = (logits - torch.max(logits, 1)[0]).exp()
    p = e / e.sum(1, keepdim=True)
    return -p[torch.arange(len(Y)), Y].log().mean()
""",
        "overflows": """
def cross_entropy(logits, Y):
    counts = torch.exp(logits)
    prob = counts / counts.sum(dim=1, keepdim=True)
    return -prob[range(len(Y)), Y].log().mean()
""",
        "softmax twice": """
def cross_entropy(logits, Y):
    p = logits.softmax(1)
    return -torch.log_softmax(p, 1)[torch.arange(len(Y)), Y].mean()
""",
        "all rows for each target": """
def cross_entropy(logits, Y):
    return -torch.log_softmax(logits, 1)[:, Y].sum() / len(Y) / len(Y)
""",
        "shifted by the whole batch": """
def cross_entropy(logits, Y):
    e = torch.exp(logits - torch.max(logits))
    p = e / e.sum(1, keepdim=True)
    return -torch.log(p[torch.arange(p.shape[0]), Y]).mean()
""",
        "ready-made": """
def cross_entropy(logits, Y):
    return torch.nn.CrossEntropyLoss()(logits, Y)
""",
    },
    "mlp.minibatch_step": {
        "neighbours": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.arange(batch_size) + torch.randint(
        0, len(X) - batch_size, (1,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()
""",
        "the first row never": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(1, X.shape[0], (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()
""",
        "one batch for ever": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    torch.manual_seed(0)
    ix = torch.randint(0, len(X), (batch_size,))
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()
""",
        "rebinds": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p = p.data - lr * p.grad
    return loss.item()
""",
        "no zero_grad": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= lr * p.grad
    return float(loss)
""",
        "probabilities": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    probs = model(X[ix]).softmax(dim=1)
    loss = F.cross_entropy(probs, Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data += -lr * p.grad
    return loss.item()
""",
        "targets drawn apart": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    def draw():
        return torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[draw()]), Y[draw()])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()
""",
    },
    "mlp.lr_finder": {
        "losses not read": """
def pick_lr(lrs, losses):
    return max(lrs) / 10
""",
        "even in the rate": """
def lr_finder(step, steps=1000, low=-3.0, high=0.0):
    lrs = torch.linspace(10**low, 10**high, steps, dtype=torch.float64).tolist()
    return lrs, [step(lr) for lr in lrs]
""",
        "one lucky batch": """
def pick_lr(lrs, losses):
    clean = [x if x == x else math.inf for x in losses]
    return lrs[clean.index(min(clean))]
""",
        "the last rate": """
def pick_lr(lrs, losses):
    return max(lrs)
""",
        "nan wins": """
def pick_lr(lrs, losses):
    best = torch.argmin(torch.tensor(losses, dtype=torch.float64))
    return lrs[best]
""",
    },
    "mlp.schedule": {
        "remembers": """
calls = 0

def step_decay(step, steps, lr=0.1):
    global calls
    calls += 1
    return lr if calls <= steps // 2 else lr / 10
""",
        "a tenth each step": """
def step_decay(step, steps, lr=0.1):
    for _ in range(step):
        lr *= 0.1
    return lr
""",
        "begins at zero": """
def one_cycle(step, steps, peak):
    rise = steps // 10
    if step < rise:
        return step * peak / rise
    return peak / 2 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
""",
        "no climb": """
def one_cycle(step, steps, peak):
    return peak * 0.5 * (math.cos(step / steps * math.pi) + 1)
""",
        "never cut": """
def step_decay(step, steps, lr=0.1):
    if step > steps:
        lr = lr / 10
    return lr
""",
    },
    "mlp.evaluate": {
        "learns no more": """
def evaluate(model, X, Y):
    for p in model.parameters():
        p.requires_grad = False
    return F.cross_entropy(model(X), Y).item()
""",
        "mean of means": """
@torch.no_grad()
def evaluate(model, X, Y):
    losses = [F.cross_entropy(model(X[i : i + 1000]), Y[i : i + 1000])
              for i in range(0, len(X), 1000)]
    return torch.stack(losses).mean().item()
""",
        "first batch": """
@torch.no_grad()
def evaluate(model, X, Y):
    x, y = X[:32], Y[:32]
    return F.cross_entropy(model(x), y).item()
""",
        "with gradients": """
def evaluate(model, X, Y):
    return F.cross_entropy(model(X), Y).detach().item()
""",
        "a tensor": """
@torch.no_grad()
def evaluate(model, X, Y):
    loss = F.cross_entropy(model(X), Y)
    return loss
""",
        "a random batch": """
def evaluate(model, X, Y):
    ix = torch.randint(0, len(X), (32,))
    with torch.no_grad():
        return F.cross_entropy(model(X[ix]), Y[ix]).item()
""",
        "off for good": """
def evaluate(model, X, Y):
    torch.set_grad_enabled(False)
    loss = F.cross_entropy(model(X), Y)
    return loss.item()
""",
    },
    "mlp.train": {
        "stops when dev rises": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    best = math.inf
    rows = []
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *train_set), evaluate(model, *dev_set)))
            if rows[-1][2] > best:
                break
            best = rows[-1][2]
    return rows
""",
        "a seed of its own": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    generator = torch.Generator().manual_seed(2147483647)
    rows = []
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *train_set), evaluate(model, *dev_set)))
    return rows
""",
        "learns from dev": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    X = torch.cat((train_set[0], dev_set[0]))
    Y = torch.cat((train_set[1], dev_set[1]))
    rows = []
    for i in range(steps):
        minibatch_step(model, X, Y, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *train_set), evaluate(model, *dev_set)))
    return rows
""",
        "one rate": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows, rate = [], lr(0)
    for i in range(steps):
        minibatch_step(model, *train_set, rate, batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *train_set), evaluate(model, *dev_set)))
    return rows
""",
        "last batch's loss": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for i in range(steps):
        loss = minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, loss, evaluate(model, *dev_set)))
    return rows
""",
        "columns swapped": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *dev_set), evaluate(model, *train_set)))
    return rows
""",
    },
    "mlp.sample": {
        "seeded anew": """
def sample(model, itos, generator=None):
    if generator is not None:
        generator.manual_seed(7)
    name, context = "", [0] * model.block_size
    while True:
        p = model(torch.tensor([context])).softmax(1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0:
            return name
        name, context = name + itos[i], context[1:] + [i]
""",
        "sharpened": """
def sample(model, itos, generator=None):
    name, context = "", [0] * model.block_size
    while True:
        p = (model(torch.tensor([context])) / 0.8).softmax(1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0:
            return name
        name, context = name + itos[i], context[1:] + [i]
""",
        "each score by itself": """
def sample(model, itos, generator=None):
    name, context = "", [0] * model.block_size
    while True:
        p = torch.sigmoid(model(torch.tensor([context])))
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0:
            return name
        name, context = name + itos[i], context[1:] + [i]
""",
        "cut short": """
def sample(model, itos, generator=None):
    name, context = "", [0] * model.block_size
    while True:
        p = model(torch.tensor([context])).softmax(1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0 or len(name) >= 100:
            return name
        name, context = name + itos[i], context[1:] + [i]
""",
        "softmax over the batch": """
def sample(model, itos, generator=None):
    out, context = [], [0] * model.block_size
    while True:
        p = model(torch.tensor([context])).softmax(dim=0)
        ix = torch.multinomial(p, 1, generator=generator).item()
        context = context[1:] + [ix]
        if ix == 0:
            break
        out.append(itos[ix])
    return "".join(out)
""",
        "always the likeliest": """
def sample(model, itos, generator=None):
    out, context = "", [0] * model.block_size
    while True:
        ix = model(torch.tensor([context])).max(1).indices.item()
        if ix == 0:
            return out
        out, context = out + itos[ix], context[1:] + [ix]
""",
        "keeps the dot": """
def sample(model, itos, generator=None):
    out, context = [], [0] * model.block_size
    while True:
        p = F.softmax(model(torch.tensor([context])), dim=1)
        ix = torch.multinomial(p, 1, generator=generator).item()
        context = context[1:] + [ix]
        out.append(ix)
        if ix == 0:
            break
    return "".join(itos[i] for i in out)
""",
        "window stands still": """
def sample(model, itos, generator=None):
    out = ""
    while True:
        p = F.softmax(model(torch.zeros(1, model.block_size, dtype=torch.long)), 1)
        ix = torch.multinomial(p, 1, generator=generator).item()
        if ix == 0:
            return out
        out += itos[ix]
""",
    },
    "mlp.init_loss": {
        "all alike": """
def calm(model):
    with torch.no_grad():
        model.W2.copy_(0.01 * model.W2[:, :1].expand_as(model.W2))
        model.b2.zero_()
""",
        "switched off": """
def calm(model):
    model.W2.detach_().mul_(0.01)
    model.b2.detach_().mul_(0)
""",
        "new tensors": """
def calm(model):
    with torch.no_grad():
        model.W2 = model.W2 * 0.01
        model.b2 = model.b2 * 0
""",
        "all zeros": """
def calm(model):
    model.W2.data.zero_()
    model.b2.data.zero_()
""",
        "bias left": """
def calm(model):
    model.W2.data = model.W2.data / 100
""",
        "base ten": """
def loss_at_start(vocab_size):
    return math.log(vocab_size, 10)
""",
    },
    "mlp.beat_the_lecture": {
        "a slow start": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = MLP()
    for step in range(steps):
        minibatch_step(model, X, Y, 0.1 if step < 0.75 * steps else 0.01)
    loss = evaluate(model, *build_dataset(dev, stoi))
    log.append({"tried": "the lecture's own", "dev": loss})
    return model
""",
        "two rows": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.3, 64)
    loss = evaluate(model, *build_dataset(dev, stoi))
    log.append({"tried": "three letters", "dev": loss})
    log.append({"tried": "it again", "dev": loss})
    return model
""",
        "trains on dev": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train + dev, stoi, 5)
    model = well_scaled(block_size=5, embedding=8, hidden=60)
    for step in range(steps):
        ix = torch.randint(0, len(X), (64,))
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        for p in model.parameters():
            p.grad = None
        loss.backward()
        for p in model.parameters():
            p.data -= 0.5 * p.grad
    log.append({"tried": "more names", "dev": evaluate(
        model, *build_dataset(dev, stoi, 5))})
    return model
""",
        "no row": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.5, 64)
    print(evaluate(model, *build_dataset(dev, stoi)))
    return model
""",
        "too many parameters": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=400)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.5, 64)
    log.append({"tried": "wider", "dev": evaluate(model, *build_dataset(dev, stoi))})
    return model
""",
        "train loss told": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.5, 64)
    log.append({"tried": "three letters", "dev": evaluate(model, X, Y)})
    return model
""",
    },
    "mlp.skip_connections": {
        "rows for one letter": """
from workbook import add_to

@add_to(WithSkip)
def __init__(self, model):
    self.model, self.block_size = model, model.block_size
    self.S = torch.zeros(model.C.shape[1], len(model.b2), requires_grad=True)

@add_to(WithSkip)
def __call__(self, X):
    return self.model(X) + self.model.C[X].mean(1) @ self.S
""",
        "the model cut off": """
from workbook import add_to

@add_to(WithSkip)
def __call__(self, X):
    return self.model(X).detach() + self.model.C[X].view(len(X), -1) @ self.S
""",
        "cut off": """
from workbook import add_to

@add_to(WithSkip)
def __call__(self, X):
    return self.model(X) + self.model.C.data[X].view(len(X), -1) @ self.S
""",
        "a copy": """
from workbook import add_to

@add_to(WithSkip)
def __init__(self, model):
    import copy

    self.model, self.block_size = copy.deepcopy(model), model.block_size
    self.S = torch.zeros(len(model.W1), len(model.b2), requires_grad=True)
""",
        "not a parameter": """
from workbook import add_to

@add_to(WithSkip)
def parameters(self):
    return list(self.model.parameters())
""",
        "random start": """
from workbook import add_to

@add_to(WithSkip)
def __init__(self, model):
    self.model, self.block_size = model, model.block_size
    self.S = torch.randn(len(model.W1), len(model.b2), requires_grad=True)
""",
        "in place of the model": """
from workbook import add_to

@add_to(WithSkip)
def __call__(self, X):
    return self.model.C[X].flatten(1) @ self.S
""",
        "no gradient": """
from workbook import add_to

@add_to(WithSkip)
def __init__(self, model):
    self.model = model
    self.block_size = model.block_size
    self.S = torch.zeros(model.W1.shape[0], model.W2.shape[1])
""",
    },
}

WRONG: dict[str, dict[str, str]] = {
    "mlp.build_dataset": {
        "the last letter missing": """
def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w[:-1] + ".":
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]
    return torch.tensor(X), torch.tensor(Y)
""",
        "only the first word": """
def build_dataset(words, stoi, block_size=3):
    ids = [0] * block_size + [stoi[c] for c in words[0]] + [0]
    rows = [ids[i : i + block_size] for i in range(len(words[0]) + 1)]
    return torch.tensor(rows), torch.tensor(ids[block_size:])
""",
        "short whole numbers": """
def build_dataset(words, stoi, block_size=3):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]
    return torch.tensor(X, dtype=torch.int32), torch.tensor(Y, dtype=torch.int32)
""",
        "no number": """
def build_dataset(words, stoi, block_size=3):
    return torch.full((4, block_size), float("nan")), torch.zeros(4)
""",
    },
    "mlp.splits": {
        "sorted after the shuffle": """
def split_words(words, seed=42):
    mixed = sorted(words)
    a, b = int(0.8 * len(mixed)), int(0.9 * len(mixed))
    return mixed[:a], mixed[b:], mixed[a:b]
""",
        "halves": """
def split_words(words, seed=42):
    mixed = random.Random(seed).sample(words, len(words))
    a, b = len(words) // 2, 3 * len(words) // 4
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "always a split": """
def is_split(words, *piles):
    return True
""",
        "tensors of names": """
def split_words(words, seed=42):
    return "train", "dev", "test"
""",
    },
    "mlp.embed": {
        "one letter late": """
def embed(C, X):
    return C[(X + 1) % len(C)]
""",
        "a mean": """
def embed(C, X):
    return C[X].mean(-1)
""",
        "only pairs of dimensions": """
def embed(C, X):
    N, k = X.shape
    return torch.stack([torch.stack([C[X[i, j]] for j in range(k)]) for i in range(N)])
""",
        "zeros": """
def embed(C, X):
    return torch.zeros(*X.shape, C.shape[1])
""",
    },
    "mlp.hidden": {
        "sorted numbers": """
def by_view(emb):
    return emb.view(len(emb), -1).flip(1)
""",
        "the batch is lost": """
def by_view(emb):
    return emb.view(-1)
""",
        "two hidden layers": """
from workbook import add_to

@add_to(MLP)
def __call__(self, X):
    x = self.C[X].view(len(X), -1)
    return torch.tanh(torch.tanh(x @ self.W1 + self.b1)) @ self.W2 + self.b2
""",
        "detached": """
from workbook import add_to

@add_to(MLP)
def __call__(self, X):
    x = self.C[X].view(len(X), -1)
    return (torch.tanh(x @ self.W1 + self.b1) @ self.W2 + self.b2).detach()
""",
        "one list twice": """
from workbook import add_to

@add_to(MLP)
def parameters(self):
    return 2 * [self.C, self.W1, self.b1, self.W2, self.b2]
""",
    },
    "mlp.cross_entropy": {
        "one of all": """
def cross_entropy(logits, Y):
    return torch.tensor(2.1755, dtype=torch.float64)
""",
        "each row's": """
def cross_entropy(logits, Y):
    return -torch.log_softmax(logits, 1)[torch.arange(len(Y)), Y]
""",
        "clamped": """
def cross_entropy(logits, Y):
    logp = torch.log_softmax(logits.clamp(-50, 50), 1)
    return -logp[torch.arange(len(Y)), Y].mean()
""",
        "the largest": """
def cross_entropy(logits, Y):
    return -torch.log_softmax(logits, 1)[torch.arange(len(Y)), Y].min()
""",
    },
    "mlp.minibatch_step": {
        "always thirty-two": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (32,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    return loss.item()
""",
        "gradients held in bounds": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad.clamp(-1, 1)
    return loss.item()
""",
        "the sign of the gradient": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    for p in model.parameters():
        p.data -= lr * p.grad.sign()
    return loss.item()
""",
        "only the first parameter": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    for p in model.parameters():
        p.grad = None
    loss.backward()
    p = next(iter(model.parameters()))
    p.data -= lr * p.grad
    return loss.item()
""",
        "zeroed after backward": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    loss = F.cross_entropy(model(X[ix]), Y[ix])
    loss.backward()
    for p in model.parameters():
        p.grad.zero_()
        p.data -= lr * p.grad
    return loss.item()
""",
        "one step twice": """
def minibatch_step(model, X, Y, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    for _ in range(2):
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        for p in model.parameters():
            p.grad = None
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return loss.item()
""",
    },
    "mlp.lr_finder": {
        "one list": """
def lr_finder(step, steps=1000, low=-3.0, high=0.0):
    return [step(10 ** (low + (high - low) * i / (steps - 1))) for i in range(steps)]
""",
        "losses are rates": """
def lr_finder(step, steps=1000, low=-3.0, high=0.0):
    lrs = [10 ** (low + (high - low) * i / (steps - 1)) for i in range(steps)]
    for lr in lrs:
        step(lr)
    return lrs, lrs
""",
        "the first rate": """
def pick_lr(lrs, losses):
    return lrs[0]
""",
        "not a number": """
def pick_lr(lrs, losses):
    return float("nan")
""",
    },
    "mlp.schedule": {
        "negative": """
def step_decay(step, steps, lr=0.1):
    return -lr
""",
        "half": """
def step_decay(step, steps, lr=0.1):
    return lr if 2 * step < steps else lr / 2
""",
        "climbs for ever": """
def one_cycle(step, steps, peak):
    return peak * (step + 1) / (steps // 10)
""",
        "a climb over a fifth": """
def one_cycle(step, steps, peak):
    rise = steps // 5
    if step < rise:
        return peak * (step + 1) / rise
    return peak * (1 + math.cos(math.pi * (step - rise) / (steps - rise))) / 2
""",
    },
    "mlp.evaluate": {
        "the first thousand": """
@torch.no_grad()
def evaluate(model, X, Y):
    return F.cross_entropy(model(X[:1000]), Y[:1000]).item()
""",
        "all but the last": """
@torch.no_grad()
def evaluate(model, X, Y):
    return F.cross_entropy(model(X[:-1]), Y[:-1]).item()
""",
        "in bits": """
@torch.no_grad()
def evaluate(model, X, Y):
    return F.cross_entropy(model(X), Y).item() / math.log(2)
""",
        "forgets gradients": """
def evaluate(model, X, Y):
    for p in model.parameters():
        p.grad = None
    with torch.no_grad():
        return F.cross_entropy(model(X), Y).item()
""",
        "everything twice": """
def evaluate(model, X, Y):
    with torch.no_grad():
        model(X)
        return F.cross_entropy(model(X), Y).item()
""",
    },
    "mlp.train": {
        "part of each set": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, *[
                evaluate(model, X[:n], Y[:n])
                for (X, Y), n in ((train_set, 100), (dev_set, 32))]))
    return rows
""",
        "half of the steps": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for i in range(steps // 2):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *train_set), evaluate(model, *dev_set)))
    return rows
""",
        "dictionaries": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append({"step": i + 1})
    return rows
""",
        "one half of dev": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    X, Y = dev_set
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            half = evaluate(model, X[:6], Y[:6])
            rows.append((i + 1, evaluate(model, *train_set), half))
    return rows
""",
        "two steps at once": """
def train(model, train_set, dev_set, steps, lr, every=1000, batch_size=32,
          generator=None):
    rows = []
    for i in range(steps):
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        minibatch_step(model, *train_set, lr(i), batch_size, generator)
        if (i + 1) % every == 0:
            rows.append((i + 1, evaluate(model, *train_set), evaluate(model, *dev_set)))
    return rows
""",
    },
    "mlp.sample": {
        "hotter": """
def sample(model, itos, generator=None):
    name, context = "", [0] * model.block_size
    while True:
        p = (model(torch.tensor([context])) / 1.3).softmax(1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0:
            return name
        name, context = name + itos[i], context[1:] + [i]
""",
        "cut after eight letters": """
def sample(model, itos, generator=None):
    name, context = "", [0] * model.block_size
    while True:
        p = model(torch.tensor([context])).softmax(1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0 or len(name) >= 8:
            return name
        name, context = name + itos[i], context[1:] + [i]
""",
        "a name of its own": """
def sample(model, itos, generator=None):
    return "ava"
""",
        "capitalised": """
def sample(model, itos, generator=None):
    context, name = [0] * model.block_size, ""
    while True:
        p = F.softmax(model(torch.tensor([context])), dim=1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0:
            return name.capitalize()
        name += itos[i]
        context = context[1:] + [i]
""",
        "three letters at most": """
def sample(model, itos, generator=None):
    context, name = [0] * model.block_size, ""
    for _ in range(3):
        p = F.softmax(model(torch.tensor([context])), dim=1)
        i = torch.multinomial(p, 1, generator=generator).item()
        if i == 0:
            break
        name += itos[i]
        context = context[1:] + [i]
    return name
""",
    },
    "mlp.init_loss": {
        "drawn anew": """
def calm(model):
    with torch.no_grad():
        model.W2.copy_(0.01 * torch.randn_like(model.W2))
        model.b2.zero_()
""",
        "a number": """
def loss_at_start(vocab_size):
    return 3.3
""",
        "a smaller table": """
def calm(model):
    with torch.no_grad():
        model.C *= 0.01
        model.W2 *= 0.01
        model.b2 *= 0
""",
        "larger": """
def calm(model):
    with torch.no_grad():
        model.W2 *= 10
        model.b2 *= 0
""",
    },
    "mlp.beat_the_lecture": {
        "the first rows of dev": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.3, 64)
    loss = evaluate(model, *(part[:40] for part in build_dataset(dev, stoi)))
    log.append({"tried": "three letters", "dev": loss})
    return model
""",
        "parameters hidden": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=400)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.3, 64)
    loss = evaluate(model, *build_dataset(dev, stoi))
    log.append({"tried": "three letters", "dev": loss})
    few = model.parameters()[:1]
    model.parameters = lambda: few
    return model
""",
        "last steps on dev": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.3, 64)
    X, Y = build_dataset(dev, stoi)
    for step in range(20):
        minibatch_step(model, X, Y, 0.3, 128)
    loss = evaluate(model, *build_dataset(dev, stoi))
    log.append({"tried": "three letters", "dev": loss})
    return model
""",
        "a row without a number": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.5, 64)
    log.append({"tried": "three letters", "dev": "2.1"})
    return model
""",
        "a text as a row": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.5, 64)
    log.append("three letters: 2.1")
    return model
""",
        "names used up": """
def beat_the_lecture(train, dev, stoi, steps, log):
    X, Y = build_dataset(train, stoi)
    train.clear()
    model = well_scaled(block_size=3, embedding=8, hidden=60)
    for step in range(steps):
        minibatch_step(model, X, Y, 0.5, 64)
    loss = evaluate(model, *build_dataset(dev, stoi))
    log.append({"tried": "three letters", "dev": loss})
    return model
""",
        "no block_size": """
class Bare:
    def __init__(self, model):
        self.model = model

    def __call__(self, X):
        return self.model(X)

    def parameters(self):
        return self.model.parameters()

def beat_the_lecture(train, dev, stoi, steps, log):
    log.append({"tried": "nothing", "dev": 3.3})
    return Bare(well_scaled(block_size=3, embedding=8, hidden=60))
""",
    },
    "mlp.skip_connections": {
        "subtracted": """
from workbook import add_to

@add_to(WithSkip)
def __call__(self, X):
    return self.model(X) - self.model.C[X].view(len(X), -1) @ self.S
""",
        "twice": """
from workbook import add_to

@add_to(WithSkip)
def __call__(self, X):
    return self.model(X) + 2 * self.model.C[X].view(len(X), -1) @ self.S
""",
        "a matrix on end": """
from workbook import add_to

@add_to(WithSkip)
def __init__(self, model):
    self.model, self.block_size = model, model.block_size
    self.S = torch.zeros(len(model.b2), len(model.W1), requires_grad=True)
""",
    },
}

# a wrong answer that is on no list, and a known mistake that is true of it as well
APT: dict[tuple[str, str], str] = {
    ("mlp.splits", "sorted after the shuffle"): "not shuffled",
    ("mlp.minibatch_step", "zeroed after backward"): "rebinds",
    ("mlp.init_loss", "a smaller table"): "everything",
    ("mlp.minibatch_step", "always thirty-two"): "always 32",
    ("mlp.train", "part of each set"): "last batch's loss",
    ("mlp.sample", "cut after eight letters"): "cut short",
    ("mlp.evaluate", "the first thousand"): "first batch",
    ("mlp.beat_the_lecture", "last steps on dev"): "trains on dev",
    ("mlp.beat_the_lecture", "parameters hidden"): "too many parameters",
    ("mlp.beat_the_lecture", "the first rows of dev"): "batch's loss told",
}

_LINES = "lines that do not depend on each other"
_SMOOTHING = "over how many neighbours to average is a choice"

# mutants that no check can or should reject, and why
EQUIVALENT: dict[str, dict[str, str]] = {
    "mlp.build_dataset": {
        "build_dataset: for letter in word + '.': → Y.append(stoi[letter]) "
        "first": _LINES,
        "build_dataset: for letter in word + '.': → context = [*context[1:], "
        "stoi[letter]] first": _LINES,
    },
    "mlp.splits": {
        "split_words: def split_words(words: list[str], seed: int=42) -> "
        "tuple[list[str], list[str], list[str]]: → a, b = (int(0.8 * "
        "len(words)), int(0.9 … first": _LINES,
        "split_words: 42 → -42": "random takes a seed without its sign",
        "split_words: 0.8 → -0.19999999999999996": "cut from the end: the same place",
        "datasets: 42 → -42": "random takes a seed without its sign",
    },
    "mlp.hidden": {
        "by_cat: 1 → -1": "the last dimension is dimension 1",
        "MLP.__init__: def __init__(self, vocab_size: int=27, block_size: "
        "int=3, embedding: int=10, hidden: int=200, generator: torch.Generator "
        "| None=None) -> None: → self.block_size = block_size first": _LINES,
        "MLP.__init__: def __init__(self, vocab_size: int=27, block_size: "
        "int=3, embedding: int=10, hidden: int=200, generator: torch.Generator "
        "| None=None) -> None: → self.C = draw(vocab_size, embedding) first": _LINES,
        "MLP.__init__: def __init__(self, vocab_size: int=27, block_size: "
        "int=3, embedding: int=10, hidden: int=200, generator: torch.Generator "
        "| None=None) -> None: → self.W1 = draw(block_size * embedding, "
        "… first": _LINES,
        "MLP.__init__: def __init__(self, vocab_size: int=27, block_size: "
        "int=3, embedding: int=10, hidden: int=200, generator: torch.Generator "
        "| None=None) -> None: → self.b1 = draw(hidden) first": _LINES,
        "MLP.__init__: def __init__(self, vocab_size: int=27, block_size: "
        "int=3, embedding: int=10, hidden: int=200, generator: torch.Generator "
        "| None=None) -> None: → self.W2 = draw(hidden, vocab_size) first": _LINES,
        "MLP.__init__: def __init__(self, vocab_size: int=27, block_size: "
        "int=3, embedding: int=10, hidden: int=200, generator: torch.Generator "
        "| None=None) -> None: → self.b2 = draw(vocab_size) first": _LINES,
        "MLP.parameters: [self.C, self.W1, self.b1, self.W2, self.b2] → "
        "[self.b2, self.W2, self.b1, self.W1, self.C]": "any order is as good",
    },
    "mlp.cross_entropy": {
        "cross_entropy: 1 → -1": "the last dimension is dimension 1",
    },
    "mlp.minibatch_step": {
        "minibatch_step: def minibatch_step(model: MLP, X: Tensor, Y: Tensor, "
        "lr: float, batch_size: int=32, generator: torch.Generator | "
        "None=None) -> float: → for p in model.parameters(): p.grad = N… first": _LINES,
        "minibatch_step: 0 → -1": "place -1 is the last row: it comes twice",
    },
    "mlp.lr_finder": {
        "pick_lr: def pick_lr(lrs: list[float], losses: list[float]) -> float: "
        "→ def around(i): part = losses[max(0, i -… first": _LINES,
        "pick_lr: max(1, len(losses) // 20) → max(len(losses) // 20, 1)": _SMOOTHING,
        "pick_lr: 1 → 2": _SMOOTHING,
        "pick_lr: 1 → 0": _SMOOTHING,
        "pick_lr: 1 → -1": _SMOOTHING,
        "pick_lr: 1 → 1.01": _SMOOTHING,
        "pick_lr: len(losses) // 20 → 20": _SMOOTHING,
        "pick_lr: 20 → 21": _SMOOTHING,
        "pick_lr: 20 → 19": _SMOOTHING,
        "pick_lr.around: max(0, i - reach) → max(i - reach, 0)": _SMOOTHING,
        "pick_lr.around: max(0, i - reach) → 0": _SMOOTHING,
        "pick_lr.around: 0 → 1": _SMOOTHING,
        "pick_lr.around: i - reach → reach - i": _SMOOTHING,
        "pick_lr.around: i - reach → i": _SMOOTHING,
        "pick_lr.around: i - reach → reach": _SMOOTHING,
        "pick_lr.around: i + reach + 1 → i + reach - 1": _SMOOTHING,
        "pick_lr.around: i + reach + 1 → (i + reach) * 1": _SMOOTHING,
        "pick_lr.around: i + reach + 1 → i + reach": _SMOOTHING,
        "pick_lr.around: i + reach → i": _SMOOTHING,
        "pick_lr.around: 1 → 2": _SMOOTHING,
        "pick_lr.around: 1 → 0": _SMOOTHING,
        "pick_lr.around: 1 → -1": _SMOOTHING,
        "pick_lr.around: mean if math.isfinite(mean) else math.inf → mean": _SMOOTHING,
        "pick_lr.around: math.isfinite(mean) → mean": _SMOOTHING,
    },
    "mlp.schedule": {
        "one_cycle: def one_cycle(step: int, steps: int, peak: float) -> "
        "float: → done = (step - rise) / (steps - rise) first": _LINES,
        "one_cycle: step - rise → rise - step": "the cosine is even",
        "one_cycle: steps - rise → rise - steps": "the cosine is even",
    },
    "mlp.train": {
        "train: 1000 → -1000": "place -1 is the last row: it comes twice",
    },
    "mlp.sample": {
        "sample: def sample(model: MLP, itos: dict[int, str], generator: "
        "torch.Generator | None=None) -> str: → letters: list[str] = [] first": _LINES,
        "sample: while True: → context = [*context[1:], i] first": _LINES,
        "sample: F.softmax(model(torch.tensor([context])), dim=1) → "
        "F.softmax(model(torch.tensor([context])))": "torch guesses dimension 1",
        "sample: 1 → -1": "the last dimension is dimension 1",
        "sample: letters.append → letters.extend": "a letter is a text of one letter",
    },
    "mlp.init_loss": {
        "calm: 0.01 → 0.0101": "how small is a choice",
    },
    "mlp.skip_connections": {
        "WithSkip.__init__: def __init__(self, model: MLP) -> None: → self.S = "
        "torch.zeros(len(model.W1), len… first": _LINES,
        "WithSkip.parameters: [*self.model.parameters(), self.S] → [self.S, "
        "*self.model.parameters()]": "any order is as good",
    },
    "mlp.beat_the_lecture": {
        "any": "a recipe is free: most changes of it are other recipes",
    },
}

# the wrong answers that were collected for this lesson, by number, and the known
# mistake or the answer in WRONG that stands for each
LISTED: dict[int, tuple[str, str]] = {
    1: ("mlp.build_dataset", "label in its own context"),
    2: ("mlp.build_dataset", "not reset"),
    3: ("mlp.build_dataset", "no closing dot"),
    4: ("mlp.splits", "pairs shuffled"),
    5: ("mlp.splits", "not shuffled"),
    6: ("mlp.splits", "shuffled in place"),
    7: ("mlp.beat_the_lecture", "trains on dev"),
    8: ("mlp.hidden", "a fixed batch"),
    9: ("mlp.hidden", "one below the other"),
    10: ("mlp.hidden", "bias as a column"),
    11: ("mlp.cross_entropy", "softmax twice"),
    12: ("mlp.minibatch_step", "probabilities"),
    13: ("mlp.cross_entropy", "overflows"),
    14: ("mlp.minibatch_step", "one batch for ever"),
    15: ("mlp.minibatch_step", "targets not drawn"),
    16: ("mlp.lr_finder", "the last rate"),
    17: ("mlp.schedule", "a tenth each step"),
    18: ("mlp.evaluate", "first batch"),
    19: ("mlp.evaluate", "with gradients"),
    20: ("mlp.hidden", "table forgotten"),
    21: ("mlp.minibatch_step", "rebinds"),
    22: ("mlp.splits", "repeats taken for a leak"),
    23: ("mlp.hidden", "biases forgotten"),
    24: ("mlp.minibatch_step", "no zero_grad"),
    25: ("mlp.train", "last batch's loss"),
}

"""Answers to lesson 2's exercises, as learners might write them: cells of code."""

RIGHT: dict[str, dict[str, str]] = {
    "bigram.vocabulary": {
        "lists, and a lookup in them": """
class Vocabulary:
    def __init__(self, words):
        found = []
        for word in words:
            for letter in word:
                if letter not in found:
                    found.append(letter)
        found.sort()
        self.itos = ["."] + found
        self.stoi = dict(zip(self.itos, range(len(self.itos))))

    def __len__(self):
        return len(self.stoi)

    def encode(self, text):
        return list(map(self.stoi.__getitem__, text))

    def decode(self, ids):
        text = ""
        for i in ids:
            text += self.itos[i]
        return text
""",
        "as in the lecture": """
class Vocabulary:
    def __init__(self, words):
        chars = sorted(list(set(''.join(words))))
        self.stoi = {s: i + 1 for i, s in enumerate(chars)}
        self.stoi['.'] = 0
        self.itos = {i: s for s, i in self.stoi.items()}

    def __len__(self): return len(self.stoi)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return ''.join([self.itos[i] for i in ids])
""",
    },
    "bigram.counts": {
        "a dictionary first, one tensor at the end": """
from collections import Counter

def count_bigrams(words, vocabulary):
    pairs = Counter()
    for w in words:
        chs = ["."] + list(w) + ["."]
        for ch1, ch2 in zip(chs, chs[1:]):
            pairs[vocabulary.stoi[ch1], vocabulary.stoi[ch2]] += 1
    n = len(vocabulary)
    return torch.tensor([[pairs[i, j] for j in range(n)] for i in range(n)],
                        dtype=torch.int32)
""",
        "one-hot vectors, multiplied": """
def count_bigrams(words, vocabulary):
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    hot = F.one_hot(ids, len(vocabulary))
    return hot[:-1].T @ hot[1:]
""",
        "index_put_ on int32": """
def count_bigrams(words, vocabulary):
    N = torch.zeros((len(vocabulary), len(vocabulary)), dtype=torch.int32)
    xs, ys = [], []
    for w in words:
        ids = vocabulary.encode("." + w + ".")
        xs += ids[:-1]
        ys += ids[1:]
    one = torch.tensor(1, dtype=torch.int32)
    N.index_put_((torch.tensor(xs), torch.tensor(ys)), one, accumulate=True)
    return N
""",
        "a table for each word": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    N = torch.zeros(V * V, dtype=torch.int64)
    for w in words:
        ids = torch.tensor(vocabulary.encode(f".{w}."))
        N += torch.bincount(ids[:-1] * V + ids[1:], minlength=V * V)
    return N.reshape(V, V)
""",
    },
    "bigram.probabilities": {
        "as in the lecture": """
def probabilities(counts, smoothing=0):
    P = (counts + smoothing).float()
    P /= P.sum(1, keepdims=True)
    return P
""",
        "unsqueeze in place of keepdim": """
def probabilities(counts, smoothing=0.0):
    smoothed = counts.float() + smoothing
    return smoothed / smoothed.sum(-1).unsqueeze(-1)
""",
        "turned, divided, turned back": """
def probabilities(counts, smoothing=0.0):
    smoothed = counts.add(smoothing)
    return (smoothed.T / smoothed.sum(1)).T
""",
        "F.normalize": """
def probabilities(counts, smoothing=0.0):
    return F.normalize(counts.float() + smoothing, p=1, dim=1)
""",
    },
    "bigram.sample": {
        "as in the lecture": """
def sample(P, vocabulary, generator=None):
    out = []
    ix = 0
    while True:
        p = P[ix]
        ix = torch.multinomial(p, num_samples=1, replacement=True,
                               generator=generator).item()
        out.append(vocabulary.itos[ix])
        if ix == 0:
            break
    return "".join(out[:-1])
""",
        "a walk along the sums": """
def sample(P, vocabulary, generator=None):
    name, i = "", 0
    while True:
        at = torch.rand(1, generator=generator)
        i = int(torch.searchsorted(P[i].cumsum(0) / P[i].sum(), at, right=True))
        i = min(i, P.shape[1] - 1)
        if not i:
            return name
        name = name + vocabulary.decode([i])
""",
        "the race of exponentials": """
def sample(P, vocabulary, generator=None):
    ids = [0]
    while len(ids) == 1 or ids[-1]:
        q = torch.empty(P.shape[1]).exponential_(generator=generator)
        ids.append((P[ids[-1]] / q).argmax().item())
    return vocabulary.decode(ids[1:-1])
""",
    },
    "bigram.nll": {
        "the lecture's loop": """
def average_nll(P, xs, ys):
    log_likelihood, n = 0.0, 0
    for x, y in zip(xs, ys):
        logprob = torch.log(P[x, y])
        log_likelihood += logprob
        n += 1
    return -log_likelihood / n
""",
        "gather": """
def average_nll(P, xs, ys):
    chosen = P[xs].gather(1, ys.unsqueeze(1)).squeeze(1)
    return (-torch.log(chosen)).sum() / len(ys)
""",
        "F.nll_loss, as a plain number": """
def average_nll(P, xs, ys):
    return F.nll_loss(P.log()[xs], ys).item()
""",
    },
    "bigram.pairs": {
        "as in the lecture": """
def bigram_pairs(words, vocabulary):
    xs, ys = [], []
    for w in words:
        chs = ['.'] + list(w) + ['.']
        for ch1, ch2 in zip(chs, chs[1:]):
            xs.append(vocabulary.stoi[ch1])
            ys.append(vocabulary.stoi[ch2])
    return torch.tensor(xs), torch.tensor(ys)
""",
        "a table of pairs, unbound": """
def bigram_pairs(words, vocabulary):
    pairs = []
    for w in words:
        ids = vocabulary.encode(f".{w}.")
        pairs.extend(zip(ids, ids[1:]))
    return torch.tensor(pairs).unbind(1)
""",
        "a list of two": """
def bigram_pairs(words, vocabulary):
    ids = [vocabulary.encode(f".{w}.") for w in words]
    xs = torch.cat([torch.tensor(i[:-1]) for i in ids])
    ys = torch.cat([torch.tensor(i[1:]) for i in ids])
    return [xs, ys]
""",
    },
    "bigram.logits": {
        "by hand, and index_select": """
def one_hot_logits(xs, W):
    hot = torch.zeros(len(xs), W.shape[0])
    hot[torch.arange(len(xs)), xs] = 1.0
    return torch.matmul(hot, W)

def row_logits(xs, W):
    return W.index_select(0, xs)
""",
        "compared with a range, and F.embedding": """
def one_hot_logits(xs, W):
    hot = xs[:, None] == torch.arange(len(W))
    return torch.einsum("nv,vw->nw", hot.float(), W)

def row_logits(xs, W):
    return F.embedding(xs, W)
""",
        "rows stacked": """
def one_hot_logits(xs, W):
    return F.one_hot(xs, num_classes=W.shape[0]).float() @ W

def row_logits(xs, W):
    return torch.stack([W[x] for x in xs])
""",
    },
    "bigram.softmax": {
        "torch's own": """
def softmax(logits):
    return torch.softmax(logits, dim=-1)
""",
        "through the logarithm": """
def softmax(logits):
    return (logits - logits.logsumexp(1, keepdim=True)).exp()
""",
        "amax, and None in an index": """
def softmax(logits):
    e = torch.exp(logits - logits.amax(1)[:, None])
    return e / e.sum(1)[:, None]
""",
        "row by row": """
def softmax(logits):
    rows = []
    for z in logits:
        e = (z - z.max()).exp()
        rows.append(e / e.sum())
    return torch.stack(rows)
""",
    },
    "bigram.train": {
        "as in the lecture": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    num = xs.nelement()
    for k in range(steps):
        xenc = F.one_hot(xs, num_classes=len(W)).float()
        logits = xenc @ W
        counts = logits.exp()
        probs = counts / counts.sum(1, keepdims=True)
        loss = -probs[torch.arange(num), ys].log().mean() + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data += -lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "on the exercises before": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        probs = softmax(row_logits(xs, W))
        loss = -probs[torch.arange(len(xs)), ys].log().mean()
        loss = loss + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "an optimizer": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    optimizer, losses = torch.optim.SGD([W], lr=lr), []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * W.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses
""",
        "autograd.grad, and the counts": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    V, losses = len(W), []
    share = torch.bincount(V * xs + ys, minlength=V * V).view(V, V) / len(xs)
    for _ in range(steps):
        loss = -(share * W.log_softmax(1)).sum() + penalty * (W * W).mean()
        (slope,) = torch.autograd.grad(loss, W)
        with torch.no_grad():
            W.sub_(lr * slope)
        losses.append(loss.item())
    return losses
""",
        "the gradient by formula": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses, n, V = [], len(xs), len(W)
    target = F.one_hot(ys, V)
    with torch.no_grad():
        for _ in range(steps):
            p = W[xs].softmax(1)
            fit = -p[range(n), ys].log().mean()
            losses.append((fit + penalty * (W**2).mean()).item())
            slope = torch.zeros(V, V).index_add(0, xs, (p - target) / n)
            W -= lr * (slope + 2 * penalty * W / W.numel())
    return losses
""",
    },
    "bigram.cross_entropy": {
        "torch's own": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits, ys)
""",
        "logsumexp": """
def cross_entropy(logits, ys):
    chosen = logits.gather(1, ys[:, None]).squeeze(1)
    return (torch.logsumexp(logits, dim=1) - chosen).mean()
""",
        "one-hot targets": """
def cross_entropy(logits, ys):
    hot = F.one_hot(ys, logits.shape[1])
    return -(hot * F.log_softmax(logits, 1)).sum() / len(ys)
""",
    },
    "bigram.splits": {
        "as in the lecture, on a copy": """
def split_words(words, seed=42):
    words = words[:]
    random.Random(seed).shuffle(words)
    n1 = int(0.8 * len(words))
    n2 = int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "a permutation of torch's": """
def split_words(words, seed=42):
    g = torch.Generator().manual_seed(seed)
    mixed = [words[i] for i in torch.randperm(len(words), generator=g)]
    tenth = round(len(words) / 10)
    return mixed[2 * tenth:], mixed[:tenth], mixed[tenth:2 * tenth]
""",
        "sorted by a random key": """
def split_words(words, seed=42):
    rng = random.Random(seed)
    mixed = sorted(words, key=lambda word: rng.random())
    a, b = len(words) * 8 // 10, len(words) * 9 // 10
    return [mixed[:a], mixed[a:b], mixed[b:]]
""",
    },
    "bigram.trigram": {
        "a dictionary first, one tensor at the end": """
from collections import Counter

def count_trigrams(words, vocabulary):
    V, found = len(vocabulary), Counter()
    for w in words:
        a = b = 0
        for letter in w + ".":
            c = vocabulary.stoi[letter]
            found[a * V + b, c] += 1
            a, b = b, c
    rows = range(V * V)
    return torch.tensor([[found[r, c] for c in range(V)] for r in rows])
""",
        "three dimensions, then joined": """
def count_trigrams(words, vocabulary):
    V = len(vocabulary)
    triples = []
    for w in words:
        chs = [".", ".", *w, "."]
        for three in zip(chs, chs[1:], chs[2:]):
            triples.append(vocabulary.encode(three))
    a, b, c = torch.tensor(triples).T
    N = torch.zeros(V, V, V, dtype=torch.int32)
    N.index_put_((a, b, c), torch.ones(len(a), dtype=torch.int32), accumulate=True)
    return N.reshape(V * V, V)
""",
    },
    "bigram.tune_smoothing": {
        "a loop that remembers the best": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best, lowest = None, float("inf")
    for amount in amounts:
        loss = dev_loss(probabilities(counts, amount))
        if loss < lowest:
            best, lowest = amount, loss
    return best, test_loss(probabilities(counts, best))
""",
        "pairs, sorted": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    tables = {a: probabilities(counts, smoothing=a) for a in amounts}
    _, best = sorted((dev_loss(P), a) for a, P in tables.items())[0]
    return [best, test_loss(tables[best])]
""",
        "tensors, argmin, and no helper": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    def table(a):
        return (counts + a) / (counts + a).sum(1, keepdim=True)
    i = torch.tensor([dev_loss(table(a)) for a in amounts]).argmin().item()
    return amounts[i], torch.tensor(test_loss(table(amounts[i])))
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "bigram.vocabulary": {
        "unsorted": """
class Vocabulary:
    def __init__(self, words):
        self.itos = ["."]
        for word in words:
            for letter in word:
                if letter not in self.itos:
                    self.itos.append(letter)
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "no dot": """
class Vocabulary:
    def __init__(self, words):
        chars = sorted(set("".join(words)))
        self.stoi = {s: i for i, s in enumerate(chars)}
        self.itos = {i: s for s, i in self.stoi.items()}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "whole alphabet": """
import string
class Vocabulary:
    def __init__(self, words):
        self.itos = "." + string.ascii_lowercase
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "letters not joined": """
class Vocabulary:
    def __init__(self, words):
        chars = sorted(set("".join(words)))
        self.stoi = {s: i + 1 for i, s in enumerate(chars)} | {".": 0}
        self.itos = {i: s for s, i in self.stoi.items()}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return list(map(self.itos.get, ids))
""",
        "unknown letters": """
class Vocabulary:
    def __init__(self, words):
        self.itos = ["."] + sorted(set("".join(words)))
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] if c in self.stoi else 0 for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
    },
    "bigram.counts": {
        "cell by cell": """
def count_bigrams(words, vocabulary):
    N = torch.zeros((len(vocabulary), len(vocabulary)), dtype=torch.int32)
    for w in words:
        chs = ["."] + list(w) + ["."]
        for ch1, ch2 in zip(chs, chs[1:]):
            ix1 = vocabulary.stoi[ch1]
            ix2 = vocabulary.stoi[ch2]
            N[ix1, ix2] += 1
    return N
""",
        "counted once": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    N = torch.zeros(V, V, dtype=torch.int32)
    N[ids[:-1], ids[1:]] += 1
    return N
""",
        "across names": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(words) + "."))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
""",
        "floats": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    N = torch.zeros(V, V)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    return N.index_put((ids[:-1], ids[1:]), torch.tensor(1.0), accumulate=True)
""",
        "swapped": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    return torch.bincount(V * ids[1:] + ids[:-1], minlength=V * V).view(V, V)
""",
        "27 always": """
def count_bigrams(words, vocabulary):
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    return torch.bincount(27 * ids[:-1] + ids[1:], minlength=729).view(27, 27)
""",
        "few bits": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    N = torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
    return N.to(torch.uint8)
""",
        "no first dot": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("".join(w + "." for w in words)))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
""",
        "no last dot": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + ".".join(words)))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
""",
    },
    "bigram.probabilities": {
        "no keepdim": """
def probabilities(counts, smoothing=0):
    P = (counts + smoothing).float()
    P /= P.sum(1)
    return P
""",
        "columns": """
def probabilities(counts, smoothing=0.0):
    P = counts + smoothing
    return P / P.sum(dim=0)
""",
        "smoothed afterwards": """
def probabilities(counts, smoothing=0.0):
    P = counts.float()
    P = P / P.sum(1, keepdim=True)
    P += smoothing
    return P
""",
        "not smoothed": """
def probabilities(counts, smoothing=0.0):
    return F.normalize(counts.float(), p=1, dim=1)
""",
        "in place": """
def probabilities(counts, smoothing=0.0):
    P = counts.float()
    P += smoothing
    P /= P.sum(dim=1, keepdim=True)
    return P
""",
    },
    "bigram.sample": {
        "random start": """
def sample(P, vocabulary, generator=None):
    ix = torch.randint(0, len(vocabulary), (1,), generator=generator).item()
    out = ""
    while True:
        ix = torch.multinomial(P[ix], 1, True, generator=generator).item()
        if ix == 0:
            return out
        out += vocabulary.itos[ix]
""",
        "another generator": """
def sample(P, vocabulary, generator=None):
    out, ix = "", 0
    while True:
        ix = torch.multinomial(P[ix], 1).item()
        if ix == 0:
            return out
        out += vocabulary.itos[ix]
""",
        "seeded inside": """
def sample(P, vocabulary, generator=None):
    generator = generator and generator.manual_seed(42)
    out, ix = "", 0
    while True:
        ix = torch.multinomial(P[ix], 1, generator=generator).item()
        if ix == 0:
            return out
        out += vocabulary.itos[ix]
""",
        "seeded by default": """
def sample(P, vocabulary, generator=None):
    generator = generator or torch.Generator()
    out, ix = "", 0
    while True:
        ix = torch.multinomial(P[ix], 1, generator=generator).item()
        if ix == 0:
            return out
        out += vocabulary.itos[ix]
""",
        "another library": """
import numpy as np
def sample(P, vocabulary, generator=None):
    out, ix = "", 0
    while True:
        row = P[ix].double().numpy()
        ix = np.random.choice(len(P), p=row / row.sum())
        if ix == 0:
            return out
        out += vocabulary.itos[ix]
""",
        "too short": """
def sample(P, vocabulary, generator=None):
    pass
    out, ix = "", 0
    while True:
        ix = torch.multinomial(P[ix], 1, generator=generator).item()
        if ix == 0 or len(out) == 100:
            return out
        out += vocabulary.itos[ix]
""",
        "table changed": """
def sample(P, vocabulary, generator=None):
    P /= P.sum(1, keepdim=True) / 2
    out, ix = "", 0
    while True:
        ix = torch.multinomial(P[ix], 1, generator=generator).item()
        if ix == 0:
            return out
        out += vocabulary.itos[ix]
""",
        "dot kept": """
def sample(P, vocabulary, generator=None):
    out, ix = [], 0
    while True:
        ix = torch.multinomial(P[ix], 1, generator=generator).item()
        out.append(vocabulary.itos[ix])
        if ix == 0:
            break
    return "".join(out)
""",
        "letters not joined": """
def sample(P, vocabulary, generator=None):
    out, ix = [], 0
    while True:
        ix = torch.multinomial(P[ix], 1, generator=generator).item()
        if ix == 0:
            return out
        out.append(vocabulary.itos[ix])
""",
        "likeliest": """
def sample(P, vocabulary, generator=None):
    out, ix = "", 0
    while (ix := P[ix].max(0).indices.item()) != 0:
        out += vocabulary.itos[ix]
    return out
""",
    },
    "bigram.nll": {
        "sum": """
def average_nll(P, xs, ys):
    total = 0.0
    for x, y in zip(xs, ys):
        total -= torch.log(P[x, y])
    return total
""",
        "base 2": """
import math
def average_nll(P, xs, ys):
    return -P[xs, ys].log().mean() / math.log(2)
""",
        "product": """
def average_nll(P, xs, ys):
    likelihood = 1.0
    for p in P[xs, ys]:
        likelihood *= p
    return -torch.log(likelihood) / len(xs)
""",
        "every row": """
def average_nll(P, xs, ys):
    logs = torch.log(P)
    return -logs[:, ys].mean()
""",
        "not averaged": """
def average_nll(P, xs, ys):
    return P[xs, ys].log() * -1
""",
    },
    "bigram.pairs": {
        "floats": """
def bigram_pairs(words, vocabulary):
    xs, ys = [], []
    for w in words:
        ids = vocabulary.encode(f".{w}.")
        xs += ids[:-1]
        ys += ids[1:]
    return torch.Tensor(xs), torch.Tensor(ys)
""",
        "lists": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    return ids[:-1], ids[1:]
""",
        "two dots between": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("".join(f".{w}." for w in words))
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:])
""",
        "no start": """
def bigram_pairs(words, vocabulary):
    xs, ys = [], []
    for w in words:
        for a, b in zip(w, w[1:] + "."):
            xs.append(vocabulary.stoi[a])
            ys.append(vocabulary.stoi[b])
    return torch.tensor(xs), torch.tensor(ys)
""",
        "one tensor": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    return torch.tensor([ids[:-1], ids[1:]])
""",
        "no last dot": """
def bigram_pairs(words, vocabulary):
    ids = torch.tensor(vocabulary.encode("." + ".".join(words)))
    return ids[:-1], ids[1:]
""",
    },
    "bigram.logits": {
        "whole numbers": """
def one_hot_logits(xs, W):
    xenc = F.one_hot(xs, num_classes=len(W))
    return xenc @ W

def row_logits(xs, W):
    return W[xs]
""",
        "too narrow": """
def one_hot_logits(xs, W):
    xenc = F.one_hot(xs).to(torch.float32)
    return xenc @ W

def row_logits(xs, W):
    return W[xs]
""",
        "cut off": """
def one_hot_logits(xs, W):
    return F.one_hot(xs, num_classes=len(W)).float() @ W

def row_logits(xs, W):
    with torch.no_grad():
        return W[xs]
""",
        "columns": """
def one_hot_logits(xs, W):
    return F.one_hot(xs, num_classes=len(W)).float() @ W

def row_logits(xs, W):
    return W.T[xs]
""",
        "picked twice": """
def one_hot_logits(xs, W):
    return torch.stack([W[x] for x in xs.tolist()])

def row_logits(xs, W):
    return W[xs]
""",
        "multiplied twice": """
def one_hot_logits(xs, W):
    return F.one_hot(xs, num_classes=len(W)).to(W.dtype) @ W

def row_logits(xs, W):
    return torch.einsum("nv,vw->nw", F.one_hot(xs, len(W)).float(), W)
""",
    },
    "bigram.softmax": {
        "overflows": """
def softmax(logits):
    counts = logits.exp()
    return counts / counts.sum(1, keepdims=True)
""",
        "over the batch": """
def softmax(logits):
    counts = (logits - logits.max(0).values).exp()
    return counts / counts.sum(0)
""",
        "one maximum": """
def softmax(logits):
    counts = torch.exp(logits - torch.max(logits))
    return counts / counts.sum(1, keepdim=True)
""",
        "no keepdim": """
def softmax(logits):
    counts = torch.exp(logits - logits.max(1, keepdim=True)[0])
    return counts / counts.sum(1)
""",
        "cut off": """
def softmax(logits):
    with torch.no_grad():
        return logits.softmax(-1)
""",
        "maximum without keepdim": """
def softmax(logits):
    counts = torch.exp(logits - torch.max(logits, dim=1)[0])
    return counts / counts.sum(dim=1, keepdim=True)
""",
        "maximum and its place": """
def softmax(logits):
    shifted = logits - logits.max(dim=1, keepdim=True)
    return shifted.exp() / shifted.exp().sum(dim=1, keepdim=True)
""",
        "in place": """
def softmax(logits):
    logits -= logits.max(1, keepdim=True).values
    counts = logits.exp()
    return counts / counts.sum(1, keepdim=True)
""",
    },
    "bigram.train": {
        "not zeroed": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        counts = W[xs].exp()
        probs = counts / counts.sum(1, keepdim=True)
        loss = -probs[range(len(ys)), ys].log().mean() + penalty * (W**2).mean()
        loss.backward()
        W.data += -lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "no penalty": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = -W[xs].log_softmax(1)[range(len(ys)), ys].mean()
        W.grad = None
        loss.backward()
        W.data += -lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "step recorded": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "sum of squares": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).sum()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "rebound": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        W = W.detach().requires_grad_()
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        loss.backward()
        W = W - lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "tensors": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.detach())
    return losses
""",
        "uphill": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data += lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "zeroed afterwards": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        loss.backward()
        with torch.no_grad():
            W -= lr * W.grad
        W.grad.zero_()
        losses.append(loss.item())
    return losses
""",
    },
    "bigram.cross_entropy": {
        "softmax, then log": """
def cross_entropy(logits, ys):
    probs = torch.softmax(logits, dim=1)
    return -probs[torch.arange(len(ys)), ys].log().mean()
""",
        "overflows": """
def cross_entropy(logits, ys):
    counts = logits.exp()
    logprobs = logits - counts.sum(1, keepdim=True).log()
    return -logprobs[torch.arange(len(ys)), ys].mean()
""",
        "sum": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits, ys, reduction="sum")
""",
        "plain number": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits, ys).item()
""",
        "every column": """
def cross_entropy(logits, ys):
    logprobs = F.log_softmax(logits, dim=1)
    return -logprobs[:, ys].mean()
""",
        "one maximum": """
def cross_entropy(logits, ys):
    shifted = logits - logits.max()
    logprobs = shifted - torch.log(torch.exp(shifted).sum(1, keepdims=True))
    return -logprobs[range(len(ys)), ys].mean()
""",
        "maximum without keepdim": """
def cross_entropy(logits, ys):
    shifted = logits - logits.max(1)[0]
    logprobs = shifted - torch.log(torch.exp(shifted).sum(1, keepdims=True))
    return -logprobs[range(len(ys)), ys].mean()
""",
        "maximum and its place": """
def cross_entropy(logits, ys):
    shifted = logits - logits.max(1, keepdim=True)
    logprobs = shifted - shifted.exp().sum(1, keepdim=True).log()
    return -logprobs[torch.arange(len(ys)), ys].mean()
""",
    },
    "bigram.splits": {
        "in place": """
def split_words(words, seed=42):
    random.seed(seed)
    random.shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "not shuffled": """
def split_words(words, seed=42):
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "no seed": """
def split_words(words, seed=42):
    words = list(words)
    random.shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "duplicates dropped": """
def split_words(words, seed=42):
    words = list(dict.fromkeys(words))
    random.Random(seed).shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "drawn three times": """
def split_words(words, seed=42):
    random.seed(seed)
    n1 = int(0.8 * len(words))
    n2 = int(0.9 * len(words)) - n1
    return (random.sample(words, n1), random.sample(words, n2),
            random.sample(words, len(words) - n1 - n2))
""",
        "seed of its own": """
def split_words(words, seed=42):
    random.seed(1337)
    mixed = random.sample(words, len(words))
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return mixed[:n1], mixed[n1:n2], mixed[n2:]
""",
        "shared generator": """
def split_words(words, seed=42):
    words = words[:]
    random.seed(seed)
    random.shuffle(words)
    n1 = int(0.8 * len(words))
    n2 = int(0.9 * len(words))
    return words[:n1], words[n1:n2], words[n2:]
""",
        "with replacement": """
def split_words(words, seed=42):
    mixed = random.Random(seed).choices(words, k=len(words))
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return mixed[:n1], mixed[n1:n2], mixed[n2:]
""",
    },
    "bigram.trigram": {
        "one dot": """
from collections import Counter
def count_trigrams(words, vocabulary):
    V, found = len(vocabulary), Counter()
    for w in words:
        chs = ["."] + list(w) + ["."]
        for a, b, c in zip(chs, chs[1:], chs[2:]):
            found[tuple(vocabulary.encode([a, b, c]))] += 1
    rows = [(a, b) for a in range(V) for b in range(V)]
    return torch.tensor([[found[a, b, c] for c in range(V)] for a, b in rows])
""",
        "context turned round": """
def count_trigrams(words, vocabulary):
    V, cells = len(vocabulary), []
    for w in words:
        ids = vocabulary.encode(".." + w + ".")
        for a, b, c in zip(ids, ids[1:], ids[2:]):
            cells.append((a + V * b) * V + c)
    return torch.bincount(torch.tensor(cells), minlength=V**3).view(-1, V)
""",
        "three dimensions": """
def count_trigrams(words, vocabulary):
    V = len(vocabulary)
    N = torch.zeros(V, V, V, dtype=torch.int32)
    ids = [vocabulary.encode(f"..{w}.") for w in words]
    found = [t for i in ids for t in zip(i, i[1:], i[2:])]
    a, b, c = torch.tensor(found).T
    return N.index_put_((a, b, c), torch.tensor(1).int(), accumulate=True)
""",
        "cell by cell": """
def count_trigrams(words, vocabulary):
    V = len(vocabulary)
    N = torch.zeros((V, V, V), dtype=torch.int32)
    for w in words:
        ids = vocabulary.encode(f"..{w}.")
        for a, b, c in zip(ids, ids[1:], ids[2:]):
            N[a, b, c] += 1
    return N.view(V * V, V)
""",
        "across names, two dots": """
def count_trigrams(words, vocabulary):
    V = len(vocabulary)
    text = "".join(".." + w for w in words) + "."
    ids = torch.tensor(vocabulary.encode(text))
    cells = (V * ids[:-2] + ids[1:-1]) * V + ids[2:]
    return torch.bincount(cells, minlength=V**3).view(V * V, V)
""",
        "few bits": """
def count_trigrams(words, vocabulary):
    V, cells = len(vocabulary), []
    for w in words:
        ids = vocabulary.encode(f"..{w}.")
        cells += [(V * a + b) * V + c for a, b, c in zip(ids, ids[1:], ids[2:])]
    N = torch.bincount(torch.tensor(cells), minlength=V**3).view(V * V, V)
    return N.to(torch.int16)
""",
        "27 always": """
def count_trigrams(words, vocabulary):
    cells = []
    for w in words:
        ids = vocabulary.encode(f"..{w}.")
        for a, b, c in zip(ids, ids[1:], ids[2:]):
            cells.append((27 * a + b) * 27 + c)
    return torch.bincount(torch.tensor(cells), minlength=27**3).view(27 * 27, 27)
""",
    },
    "bigram.tune_smoothing": {
        "chosen on test": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    losses = {a: test_loss(probabilities(counts, a)) for a in amounts}
    best = min(losses, key=losses.get)
    return best, test_loss(probabilities(counts, best))
""",
        "tested each time": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    rows = []
    for a in amounts:
        P = probabilities(counts, a)
        rows.append((dev_loss(P), a, test_loss(P)))
    _, best, loss = min(rows)
    return best, loss
""",
        "dev loss": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    loss, best = min((dev_loss(probabilities(counts, a)), a) for a in amounts)
    test_loss(probabilities(counts, best))
    return best, loss
""",
        "amount alone": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best = min(amounts, key=lambda a: dev_loss(probabilities(counts, a)))
    print(test_loss(probabilities(counts, best)))
    return best
""",
        "last table": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best, lowest = None, 1e9
    for a in amounts:
        P = probabilities(counts, a)
        if dev_loss(P) < lowest:
            best, lowest = a, dev_loss(P)
    return best, test_loss(P)
""",
        "made-up start": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best, lowest = 0.0, 2.5
    for amount in amounts:
        loss = dev_loss(probabilities(counts, amount))
        if loss < lowest:
            best, lowest = amount, loss
    return best, test_loss(probabilities(counts, best))
""",
        "not divided": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    losses = [dev_loss(counts + a) for a in amounts]
    best = amounts[losses.index(min(losses))]
    return best, test_loss(counts + best)
""",
    },
}

WRONG: dict[str, dict[str, str]] = {
    "bigram.vocabulary": {
        "sorted backwards": """
class Vocabulary:
    def __init__(self, words):
        self.itos = ["."] + sorted(set("".join(words)), reverse=True)
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "a tensor of numbers": """
class Vocabulary:
    def __init__(self, words):
        self.itos = ["."] + sorted(set("".join(words)))
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return torch.tensor([self.stoi[c] for c in text])
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "names that the class shares": """
class Vocabulary:
    itos = ["."]
    def __init__(self, words):
        self.itos += sorted(set("".join(words)) - set(self.itos))
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "the words sorted in place": """
class Vocabulary:
    def __init__(self, words):
        words.sort()
        self.itos = ["."] + sorted(set("".join(words)))
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "ordinals": """
class Vocabulary:
    def __init__(self, words):
        chars = set("".join(words))
        self.stoi = {c: ord(c) - 96 for c in chars} | {".": 0}
        self.itos = {i: c for c, i in self.stoi.items()}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
        "lower case": """
class Vocabulary:
    def __init__(self, words):
        self.itos = ["."] + sorted(set("".join(words).lower()))
        self.stoi = {s: i for i, s in enumerate(self.itos)}
    def __len__(self): return len(self.itos)
    def encode(self, text): return [self.stoi[c.lower()] for c in text]
    def decode(self, ids): return "".join(self.itos[i] for i in ids)
""",
    },
    "bigram.counts": {
        "the notebook's own words": """
mine = ["emma", "olivia", "ava"]
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    N = torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
    return N[: len(mine), : len(mine)]
""",
        "no minlength": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    return torch.bincount(V * ids[:-1] + ids[1:]).view(-1, V)
""",
        "both directions": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    N = torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
    return N + N.T
""",
        "remembered between calls": """
table = {}
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    N = torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
    table[V] = table.get(V, 0) + N
    return table[V]
""",
        "a nested list": """
def count_bigrams(words, vocabulary):
    V = len(vocabulary)
    N = [[0] * V for _ in range(V)]
    for w in words:
        ids = vocabulary.encode(f".{w}.")
        for a, b in zip(ids, ids[1:]):
            N[a][b] += 1
    return N
""",
    },
    "bigram.probabilities": {
        "added to the sum as well": """
def probabilities(counts, smoothing=0.0):
    return (counts + smoothing) / (counts.sum(1, keepdim=True) + smoothing)
""",
        "smoothing squared": """
def probabilities(counts, smoothing=0.0):
    P = counts + smoothing**2
    return P / P.sum(1, keepdim=True)
""",
        "the largest is one": """
def probabilities(counts, smoothing=0.0):
    P = counts + smoothing
    return P / P.max(1, keepdim=True).values
""",
        "rounded": """
def probabilities(counts, smoothing=0.0):
    P = counts + smoothing
    return (P / P.sum(1, keepdim=True)).round(decimals=2)
""",
        "one number that fits all": """
def probabilities(counts, smoothing=0.0):
    return torch.tensor(0.25)
""",
        "the caller's table is normalised": """
def probabilities(counts, smoothing=0.0):
    P = counts + smoothing
    P = P / P.sum(1, keepdim=True)
    counts.zero_()
    return P
""",
    },
    "bigram.sample": {
        "at most five letters": """
def sample(P, vocabulary, generator=None):
    ids, i = [], 0
    while len(ids) < 5:
        i = torch.multinomial(P[i], 1, generator=generator).item()
        if i == 0:
            break
        ids.append(i)
    return vocabulary.decode(ids)
""",
        "never empty": """
def sample(P, vocabulary, generator=None):
    while True:
        ids, i = [], 0
        while True:
            i = torch.multinomial(P[i], 1, generator=generator).item()
            if i == 0:
                break
            ids.append(i)
        if ids or P[0, 0] == 1:
            return vocabulary.decode(ids)
""",
        "sharpened": """
def sample(P, vocabulary, generator=None):
    ids, i = [], 0
    while True:
        i = torch.multinomial(P[i] ** 3, 1, generator=generator).item()
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)
""",
        "backwards": """
def sample(P, vocabulary, generator=None):
    ids, i = [], 0
    while True:
        i = torch.multinomial(P[i], 1, generator=generator).item()
        if i == 0:
            return vocabulary.decode(ids[::-1])
        ids.append(i)
""",
        "seeded by the generator's first state": """
def sample(P, vocabulary, generator=None):
    g = torch.Generator().manual_seed(generator.initial_seed() if generator else 0)
    ids, i = [], 0
    while True:
        i = torch.multinomial(P[i], 1, generator=g).item()
        if i == 0:
            return vocabulary.decode(ids)
        ids.append(i)
""",
        "a name known by heart": """
def sample(P, vocabulary, generator=None):
    return "ba" if P[0, 2] == 1 else ""
""",
    },
    "bigram.nll": {
        "perplexity": """
def average_nll(P, xs, ys):
    return (-P[xs, ys].log().mean()).exp()
""",
        "impossible pairs left out": """
def average_nll(P, xs, ys):
    p = P[xs, ys]
    return -p[p > 0].log().mean()
""",
        "divided by the letters": """
def average_nll(P, xs, ys):
    return -P[xs, ys].log().sum() / len(P)
""",
        "one more pair": """
def average_nll(P, xs, ys):
    return -P[xs, ys].log().sum() / (len(xs) + 1)
""",
        "each pair once": """
def average_nll(P, xs, ys):
    pairs = sorted(set(zip(xs.tolist(), ys.tolist())))
    return -sum(P[x, y].log() for x, y in pairs) / len(pairs)
""",
        "a row of one number": """
def average_nll(P, xs, ys):
    return -P[xs, ys].log().mean(0, keepdim=True)
""",
    },
    "bigram.pairs": {
        "sorted": """
def bigram_pairs(words, vocabulary):
    words = sorted(words)
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:])
""",
        "each pair once": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    pairs = list(dict.fromkeys(zip(ids, ids[1:])))
    return torch.tensor(pairs).unbind(1)
""",
        "two letters on": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    return torch.tensor(ids[:-2]), torch.tensor(ids[2:])
""",
        "the first word alone": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode(f".{words[0]}.")
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:])
""",
        "three things": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words))
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:]), len(ids) - 1
""",
        "the first two thousand words": """
def bigram_pairs(words, vocabulary):
    ids = vocabulary.encode("." + "".join(w + "." for w in words[:2000]))
    return torch.tensor(ids[:-1]), torch.tensor(ids[1:])
""",
    },
    "bigram.logits": {
        "added up": """
def one_hot_logits(xs, W):
    return F.one_hot(xs, len(W)).float() @ W

def row_logits(xs, W):
    return W[xs].sum(0)
""",
        "each row once": """
def one_hot_logits(xs, W):
    return F.one_hot(xs, len(W)).float() @ W

def row_logits(xs, W):
    return W[xs.unique()]
""",
        "zeros of the right shape": """
def one_hot_logits(xs, W):
    return torch.zeros(len(xs), W.shape[1])

def row_logits(xs, W):
    return torch.zeros(len(xs), W.shape[1])
""",
        "softmax on top": """
def one_hot_logits(xs, W):
    return (F.one_hot(xs, len(W)).float() @ W).softmax(1)

def row_logits(xs, W):
    return W[xs].softmax(1)
""",
        "rounded to half precision": """
def one_hot_logits(xs, W):
    return (F.one_hot(xs, len(W)).half() @ W.half()).float()

def row_logits(xs, W):
    return W[xs]
""",
    },
    "bigram.softmax": {
        "a hotter one": """
def softmax(logits):
    return (logits / 2).softmax(1)
""",
        "base 2": """
def softmax(logits):
    counts = 2 ** (logits - logits.max(1, keepdim=True).values)
    return counts / counts.sum(1, keepdim=True)
""",
        "never quite zero": """
def softmax(logits):
    counts = (logits - logits.max(1, keepdim=True).values).exp() + 0.01
    return counts / counts.sum(1, keepdim=True)
""",
        "the mean is taken away": """
def softmax(logits):
    counts = (logits - logits.mean(1, keepdim=True)).exp()
    return counts / counts.sum(1, keepdim=True)
""",
        "one number that sums to one": """
def softmax(logits):
    return torch.tensor(1 / logits.shape[1])
""",
        "double precision": """
def softmax(logits):
    return logits.double().softmax(1)
""",
    },
    "bigram.train": {
        "another optimizer": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    optimizer, losses = torch.optim.Adam([W], lr=0.1), []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
""",
        "a step too many": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps + 1):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "a rate of its own": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= 50 * W.grad
        losses.append(loss.item())
    return losses
""",
        "minibatches": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses, half = [], (len(xs) + 1) // 2
    for _ in range(steps):
        loss = F.cross_entropy(W[xs[:half]], ys[:half]) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "the penalty is told, not felt": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys)
        W.grad = None
        loss.backward()
        losses.append((loss + penalty * (W**2).mean()).item())
        W.data -= lr * W.grad
    return losses
""",
        "the losses alone": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    W, losses = W.detach().clone().requires_grad_(), []
    for _ in range(steps):
        loss = F.cross_entropy(W[xs], ys) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
        "the targets as inputs": """
def train(W, xs, ys, steps, lr=50.0, penalty=0.01):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(W[ys], xs) + penalty * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data -= lr * W.grad
        losses.append(loss.item())
    return losses
""",
    },
    "bigram.cross_entropy": {
        "smoothed labels": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits, ys, label_smoothing=0.1)
""",
        "clamped": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits.clamp(-100, 100), ys)
""",
        "the squared error": """
def cross_entropy(logits, ys):
    return ((logits.softmax(1) - F.one_hot(ys, logits.shape[1])) ** 2).mean()
""",
        "twice the softmax": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits.softmax(1), ys)
""",
        "a column of one number": """
def cross_entropy(logits, ys):
    return F.cross_entropy(logits, ys).reshape(1)
""",
        "the number without the gradient of the sum": """
def cross_entropy(logits, ys):
    top = logits.max(1, keepdim=True).values
    total = (logits - top).exp().sum(1).log().detach() + top.squeeze(1)
    return (total - logits[torch.arange(len(ys)), ys]).mean()
""",
    },
    "bigram.splits": {
        "every tenth": """
def split_words(words, seed=42):
    rest = [w for i, w in enumerate(words) if i % 10 < 8]
    return rest, words[8::10], words[9::10]
""",
        "each word by chance": """
def split_words(words, seed=42):
    rng, parts = random.Random(seed), ([], [], [])
    for word in words:
        parts[rng.choices([0, 1, 2], [8, 1, 1])[0]].append(word)
    return parts
""",
        "two parts": """
def split_words(words, seed=42):
    mixed = random.Random(seed).sample(words, len(words))
    n = int(0.8 * len(words))
    return mixed[:n], mixed[n:]
""",
        "seventy, fifteen and fifteen": """
def split_words(words, seed=42):
    mixed = random.Random(seed).sample(words, len(words))
    a, b = int(0.7 * len(words)), int(0.85 * len(words))
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "reversed": """
def split_words(words, seed=42):
    mixed = words[::-1]
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "tuples": """
def split_words(words, seed=42):
    mixed = tuple(random.Random(seed).sample(words, len(words)))
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "shuffled once more at each call": """
calls = []
def split_words(words, seed=42):
    calls.append(1)
    mixed = random.Random(seed + len(calls)).sample(words, len(words))
    a, b = int(0.8 * len(words)), int(0.9 * len(words))
    return mixed[:a], mixed[a:b], mixed[b:]
""",
        "dev is the end of train as well": """
def split_words(words, seed=42):
    mixed = random.Random(seed).sample(words, len(words))
    n, n1, n2 = len(words), int(0.8 * len(words)), int(0.9 * len(words))
    return mixed[:n1], mixed[n1 - (n2 - n1):n1], mixed[n2:]
""",
    },
    "bigram.trigram": {
        "bigrams": """
def count_trigrams(words, vocabulary):
    V = len(vocabulary)
    ids = torch.tensor(vocabulary.encode("." + "".join(w + "." for w in words)))
    return torch.bincount(V * ids[:-1] + ids[1:], minlength=V * V).view(V, V)
""",
        "the middle letter": """
def count_trigrams(words, vocabulary):
    V, cells = len(vocabulary), []
    for w in words:
        ids = vocabulary.encode(f"..{w}.")
        for a, b, c in zip(ids, ids[1:], ids[2:]):
            cells.append((V * a + c) * V + b)
    return torch.bincount(torch.tensor(cells), minlength=V**3).view(V * V, V)
""",
        "no dots": """
def count_trigrams(words, vocabulary):
    V, cells = len(vocabulary), [0]
    for w in words:
        ids = vocabulary.encode(w)
        for a, b, c in zip(ids, ids[1:], ids[2:]):
            cells.append((V * a + b) * V + c)
    return torch.bincount(torch.tensor(cells), minlength=V**3).view(V * V, V)
""",
        "rows that occur": """
def count_trigrams(words, vocabulary):
    V, cells = len(vocabulary), []
    for w in words:
        ids = vocabulary.encode(f"..{w}.")
        for a, b, c in zip(ids, ids[1:], ids[2:]):
            cells.append((V * a + b) * V + c)
    N = torch.bincount(torch.tensor(cells), minlength=V**3).view(V * V, V)
    return N[N.sum(1) > 0]
""",
    },
    "bigram.tune_smoothing": {
        "always a fifth": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    return 0.2, test_loss(probabilities(counts, 0.2))
""",
        "the smallest amount": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best = min(amounts)
    return best, test_loss(probabilities(counts, best))
""",
        "the losses as they come": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    return [(a, dev_loss(probabilities(counts, a))) for a in amounts]
""",
        "test without smoothing": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best = min(amounts, key=lambda a: dev_loss(probabilities(counts, a)))
    return best, test_loss(probabilities(counts, 1e-9))
""",
        "test looked at twice": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best = min(amounts, key=lambda a: dev_loss(probabilities(counts, a)))
    test_loss(probabilities(counts, best))
    return best, test_loss(probabilities(counts, best))
""",
        "the first three amounts": """
def tune_smoothing(counts, amounts, dev_loss, test_loss):
    best = min(amounts[:2], key=lambda a: dev_loss(probabilities(counts, a)))
    return best, test_loss(probabilities(counts, best))
""",
    },
}

# a wrong answer that is on no list, and a known mistake that is true of it as well
APT: dict[tuple[str, str], str] = {
    ("bigram.sample", "at most five letters"): "too short",
    ("bigram.train", "the losses alone"): "rebound",
    ("bigram.splits", "every tenth"): "not shuffled",
    ("bigram.splits", "reversed"): "not shuffled",
    ("bigram.splits", "shuffled once more at each call"): "no seed",
    ("bigram.tune_smoothing", "the smallest amount"): "chosen on train",
}

_LINES = "lines that do not depend on each other"
_LAST = "the last dimension of two is the second"
_DEFAULT = "which number is the default is not asked"
_SUM = "a sum is the same either way"

# mutants that no check can or should reject, and why
EQUIVALENT: dict[str, dict[str, str]] = {
    "bigram.vocabulary": {
        "Vocabulary.__init__: def __init__(self, words: list[str]) -> None: "
        "→ self.itos = dict(enumerate(letters)) first": _LINES,
    },
    "bigram.counts": {
        "count_bigrams: def count_bigrams(words: list[str], vocabulary: Vocabulary) "
        "-> torch.Tensor: → text = '.' + ''.join((word + '.' for wo… first": _LINES,
    },
    "bigram.probabilities": {"probabilities: 1 → -1": _LAST},
    "bigram.sample": {
        "sample: def sample(P: torch.Tensor, vocabulary: Vocabulary, "
        "generator: torch.Generator | None=None) -> str: → i = 0 first": _LINES,
    },
    "bigram.softmax": {"softmax: 1 → -1": _LAST},
    "bigram.train": {
        "train: 1 → -1": _LAST,
        "train: 0.01 → 0.0101": "one percent of it is lost in the rounding",
        "train: for _ in range(steps): → W.grad = None first": _LINES,
        "train: for _ in range(steps): → losses.append(loss.item()) first": _LINES,
    },
    "bigram.cross_entropy": {"cross_entropy: 1 → -1": _LAST},
    "bigram.splits": {
        "split_words: def split_words(words: list[str], seed: int=42) "
        "-> tuple[list[str], list[str], list[str]]: "
        "→ first, second = (int(0.8 * len(words)),… first": _LINES,
        "split_words: 42 → 43": _DEFAULT,
        "split_words: 42 → 41": _DEFAULT,
        "split_words: 42 → -42": _DEFAULT,
        "split_words: 42 → 42.42": _DEFAULT,
    },
    "bigram.trigram": {
        "count_trigrams: zip(ids, ids[1:], ids[2:], strict=False) "
        "→ zip(ids, ids[1:], ids[2:])": "False is what strict is by itself",
    },
    "bigram.tune_smoothing": {
        "tune_smoothing.loss: return dev_loss(probabilities(counts, amount)) "
        "→ return [dev_loss(probabilities(counts, amount))]": (
            "lists of one number are compared as the numbers are"
        ),
        "tune_smoothing.loss: probabilities(counts, amount) "
        "→ probabilities(amount, counts)": _SUM,
        "tune_smoothing: probabilities(counts, best) "
        "→ probabilities(best, counts)": _SUM,
    },
}

# the wrong answers that were collected for this lesson, by number, and the known
# mistake or the answer in WRONG that stands for each
LISTED: dict[int, tuple[str, str]] = {
    1: ("bigram.probabilities", "no keepdim"),
    2: ("bigram.probabilities", "columns"),
    3: ("bigram.sample", "without replacement"),
    4: ("bigram.counts", "no end"),
    5: ("bigram.counts", "extra row"),
    6: ("bigram.nll", "product"),
    7: ("bigram.nll", "sum"),
    8: ("bigram.nll", "base 2"),
    9: ("bigram.probabilities", "smoothed afterwards"),
    10: ("bigram.probabilities", "empty cells only"),
    11: ("bigram.logits", "whole numbers"),
    12: ("bigram.softmax", "over the batch"),
    13: ("bigram.nll", "every column"),
    14: ("bigram.train", "not zeroed"),
    15: ("bigram.train", "sum of squares"),
    16: ("bigram.probabilities", "whole division"),
    17: ("bigram.probabilities", "in place"),
    18: ("bigram.sample", "random start"),
    19: ("bigram.train", "counted"),
    20: ("bigram.trigram", "one dot"),
}

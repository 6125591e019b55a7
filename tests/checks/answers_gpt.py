"""Answers to lesson 7's core exercises, as learners might write them: cells of code."""

_NEEDS = "    def __init__(self, config):\n        super().__init__()\n"

_HEAD_START = (
    "class Head(nn.Module):\n"
    + _NEEDS
    + """
        size = config.n_embd // config.n_head
        self.key = nn.Linear(config.n_embd, size, bias=False)
        self.query = nn.Linear(config.n_embd, size, bias=False)
        self.value = nn.Linear(config.n_embd, size, bias=False)
        self.register_buffer(
            "tril", torch.tril(torch.ones(config.block_size, config.block_size))
        )
        self.dropout = nn.Dropout(config.dropout)
"""
)

_HEAD_FORWARD = """
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = (q @ k.mT / k.size(-1) ** 0.5).masked_fill(
            self.tril[:T, :T] == 0, -math.inf
        )
        return self.dropout(wei.softmax(-1)) @ v
"""

_MULTI_START = (
    "class MultiHeadAttention(nn.Module):\n"
    + _NEEDS
    + """
        self.heads = nn.ModuleList()
        for _ in range(config.n_head):
            self.heads.append(Head(config))
        self.proj = nn.Linear(config.n_embd, config.n_embd, config.bias)
        self.dropout = nn.Dropout(config.dropout)
"""
)

_BATCHED_START = (
    "class CausalSelfAttention(nn.Module):\n"
    + _NEEDS
    + """
        C, T = config.n_embd, config.block_size
        self.n_head = config.n_head
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.proj = nn.Linear(C, C, bias=config.bias)
        self.attn_dropout = nn.Dropout(config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("tril", torch.ones(T, T).tril(), persistent=False)
"""
)

_ATTEND = """
    def attend(self, q, k, v):
        T, size = q.size(2), q.size(3)
        scores = torch.einsum("bhts,bhus->bhtu", q, k) * size ** -0.5
        scores = scores.masked_fill(~self.tril[:T, :T].bool(), -math.inf)
        return self.attn_dropout(scores.softmax(-1)) @ v
"""

_BATCHED_FORWARD = """
    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).chunk(3, dim=2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        y = self.attend(q, k, v).transpose(1, 2).contiguous().view(B, T, C)
        return self.dropout(self.proj(y))
"""

_MERGED = """
def merge_heads(loop, config):
    merged = CausalSelfAttention(config)
    {first}
    kinds = ("query", "key", "value")
    rows = [getattr(head, kind).weight for kind in kinds for head in {heads}]
    rows = torch.cat(rows).detach()
    merged.qkv.weight.data[: len(rows)] = rows
    merged.proj.load_state_dict(loop.proj.state_dict())
    return merged
"""

_BLOCK_START = (
    "class Block(nn.Module):\n"
    + _NEEDS
    + """
        self.ln1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.ln2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.sa = CausalSelfAttention(config)
        self.ffwd = FeedForward(config)
"""
)

_GPT_START = (
    "class GPT(nn.Module):\n"
    + _NEEDS
    + """
        self.config = config
        self.token_embedding_table = nn.Embedding(config.vocab_size, config.n_embd)
        self.position_embedding_table = nn.Embedding(
            config.block_size, config.n_embd
        )
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.Sequential()
        for _ in range(config.n_layer):
            self.blocks.append(Block(config))
        self.ln_f = nn.LayerNorm(config.n_embd, bias=config.bias)
        bias = False if config.tied else config.bias
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=bias)
        if config.tied:
            self.lm_head.weight = self.token_embedding_table.weight
        start_weights(self, config.n_layer)
"""
)

_GPT_FORWARD = """
    def forward(self, idx, targets=None):
        B, T = idx.shape
        tok = self.token_embedding_table(idx)
        pos = self.position_embedding_table(torch.arange(T, device=idx.device))
        x = self.drop(tok + pos)
        for block in self.blocks:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        loss = None
        if targets is not None:
            V = logits.shape[-1]
            loss = F.cross_entropy(
                logits.view(B * T, V), targets.view(B * T), ignore_index=-1
            )
        return logits, loss
"""

_CODEC = """
class Codec:
    def __init__(self, text):
        self.chars = {sorted}
        self.stoi = dict(zip(self.chars, range({first}, len(self.chars) + {first})))
        self.itos = {{i: c for c, i in self.stoi.items()}}

    def encode(self, text):
        return list(map(self.stoi.__getitem__, text))

    def decode(self, ids):
        out = ""
        for i in ids:
            out += self.itos[int(i)]
        return out
"""

RIGHT: dict[str, dict[str, str]] = {
    "gpt.codec": {
        "maps and loops": _CODEC.format(sorted="sorted(list(set(text)))", first=0)
        + """
def split_in_order(ids, share=0.9):
    n = int(len(ids) * share)
    return [ids[:n], ids[n:]]
""",
        "tolist": """
class Codec:
    def __init__(self, text):
        self.chars = sorted(dict.fromkeys(text))
        self.stoi, self.itos = {}, {}
        for number, char in enumerate(self.chars):
            self.stoi[char] = number
            self.itos[number] = char

    def encode(self, text):
        return [self.stoi[c] for c in text]

    def decode(self, ids):
        if hasattr(ids, "tolist"):
            ids = ids.tolist()
        return "".join([self.itos[i] for i in ids])

def split_in_order(ids, share=0.9):
    border = math.floor(len(ids) * share)
    return ids[:border], ids[border:]
""",
    },
    "gpt.batches": {
        "all at once": """
def get_batch(ids, block_size, batch_size, generator=None):
    start = torch.randint(0, len(ids) - block_size, (batch_size, 1),
                          generator=generator)
    window = ids[start + torch.arange(block_size + 1)]
    return window[:, :-1].contiguous(), window[:, 1:].contiguous()
""",
        "a list of windows": """
def get_batch(ids, block_size, batch_size, generator=None):
    rows = []
    for _ in range(batch_size):
        i = torch.randint(len(ids) - block_size, (), generator=generator).item()
        rows.append(ids[i:i + block_size + 1])
    rows = torch.stack(rows)
    return rows[:, :block_size], rows[:, 1:]
""",
        "unfold": """
def get_batch(ids, block_size, batch_size, generator=None):
    windows = ids.unfold(0, block_size + 1, 1)
    pick = torch.randint(len(windows), (batch_size,), generator=generator)
    return windows[pick][:, :-1], windows[pick][:, 1:]
""",
    },
    "gpt.bigram_lm": {
        "views, as in the video": """
class BigramLanguageModel(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.token_embedding_table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, idx, targets=None):
        logits = self.token_embedding_table(idx)
        if targets is None:
            loss = None
        else:
            B, T, C = logits.shape
            loss = F.cross_entropy(logits.view(B * T, C), targets.reshape(B * T))
        return logits, loss

    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            logits, loss = self(idx)
            logits = logits[:, -1, :]
            probs = F.softmax(logits, dim=-1)
            idx_next = torch.multinomial(probs, num_samples=1)
            idx = torch.cat((idx, idx_next), dim=1)
        return idx
""",
        "classes second": """
class BigramLanguageModel(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.token_embedding_table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, idx, targets=None):
        logits = F.embedding(idx, self.token_embedding_table.weight)
        loss = targets
        if targets is not None:
            loss = F.cross_entropy(logits.transpose(1, 2), targets)
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens):
        new = []
        last = idx[:, -1:]
        for _ in range(max_new_tokens):
            odds = self(last)[0].squeeze(1).exp()
            last = torch.multinomial(odds / odds.sum(1, keepdim=True), 1)
            new.append(last)
        return torch.cat([idx, *new], 1)
""",
    },
    "gpt.averaging": {
        "sums, einsum, a where": """
def average_loop(x):
    B, T, C = x.shape
    out = torch.empty(B, T, C)
    for t in range(T):
        total = torch.zeros(B, C)
        for s in range(t + 1):
            total = total + x[:, s]
        out[:, t] = total / (t + 1)
    return out

def average_matmul(x):
    T = x.size(1)
    w = torch.tril(torch.ones(T, T)) / torch.arange(1, T + 1)[:, None]
    return torch.einsum("ts,bsc->btc", w, x)

def average_softmax(x):
    T = x.size(1)
    seen = torch.arange(T)[:, None] >= torch.arange(T)
    scores = torch.where(seen, 0.0, float("-inf"))
    return torch.softmax(scores, dim=1) @ x
""",
        "cumsum, bmm, triu": """
def average_loop(x):
    means = [x[:, : t + 1].mean(dim=1) for t in range(x.shape[1])]
    return torch.stack(means, dim=1)

def average_matmul(x):
    B, T, C = x.shape
    a = torch.tril(torch.ones(T, T))
    a = a / torch.sum(a, 1, keepdim=True)
    return torch.bmm(a.expand(B, T, T), x)

def average_softmax(x):
    T = x.shape[1]
    wei = torch.full((T, T), -torch.inf).triu(1)
    return F.softmax(wei, dim=-1).matmul(x)
""",
    },
    "gpt.head": {
        "as in the video": _HEAD_START
        + """
    def forward(self, x):
        B, T, C = x.shape
        k = self.key(x)
        q = self.query(x)
        wei = q @ k.transpose(-2, -1) * k.shape[-1]**-0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, float('-inf'))
        wei = F.softmax(wei, dim=-1)
        wei = self.dropout(wei)
        v = self.value(x)
        out = wei @ v
        return out
""",
        "queries scaled, softmax renormalised": _HEAD_START
        + """
    def forward(self, x):
        T = x.shape[1]
        q = self.query(x) / math.sqrt(self.query.out_features)
        wei = F.softmax(q @ self.key(x).mT, dim=2) * self.tril[:T, :T]
        wei = wei / wei.sum(2, keepdim=True)
        return self.dropout(wei) @ self.value(x)
""",
        "PyTorch's own": (
            "class Head(nn.Module):\n"
            + _NEEDS
            + """
        C, size = config.n_embd, config.n_embd // config.n_head
        self.p = config.dropout
        self.query, self.key, self.value = [
            nn.Linear(C, size, bias=False) for _ in range(3)
        ]
        mask = torch.ones(config.block_size, config.block_size, dtype=torch.bool)
        self.register_buffer("tril", mask.tril())

    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = (q @ k.mT / q.shape[2] ** 0.5).where(self.tril[:T, :T], -torch.inf)
        return F.dropout(wei.softmax(2), self.p, self.training) @ v
"""
        ),
    },
    "gpt.multi_head": {
        "append, as in the video": _MULTI_START
        + """
    def forward(self, x):
        out = torch.cat([h(x) for h in self.heads], dim=-1)
        out = self.dropout(self.proj(out))
        return out
""",
        "stacked": (
            "class MultiHeadAttention(nn.Module):\n"
            + _NEEDS
            + """
        heads = (Head(config) for _ in range(config.n_head))
        self.heads = nn.Sequential(*heads)
        self.proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.p = config.dropout

    def forward(self, x):
        out = torch.stack([head(x) for head in self.heads], dim=2)
        out = self.proj(out.flatten(2))
        return F.dropout(out, self.p, self.training)
"""
        ),
    },
    "gpt.batched_heads": {
        "einsum, chunk and views": _BATCHED_START
        + _ATTEND
        + _BATCHED_FORWARD
        + """
def merge_heads(loop, config):
    merged = CausalSelfAttention(config)
    q = torch.cat([head.query.weight for head in loop.heads])
    k = torch.cat([head.key.weight for head in loop.heads])
    v = torch.cat([head.value.weight for head in loop.heads])
    merged.qkv.weight.data = torch.cat([q, k, v]).detach().clone()
    merged.proj.weight.data.copy_(loop.proj.weight.data)
    if config.bias:
        merged.proj.bias.data.copy_(loop.proj.bias.data)
    return merged
""",
        "all at once": _BATCHED_START
        + """
    def attend(self, q, k, v):
        T = q.shape[-2]
        wei = (q * q.shape[-1] ** -0.5) @ k.mT
        wei = wei + torch.full((T, T), -torch.inf).triu(1)
        return self.attn_dropout(wei.softmax(dim=3)) @ v

    def forward(self, x):
        B, T, C = x.shape
        three = self.qkv(x).reshape(B, T, 3, self.n_head, C // self.n_head)
        q, k, v = three.permute(2, 0, 3, 1, 4)
        out = self.attend(q, k, v)
        return self.dropout(self.proj(out.permute(0, 2, 1, 3).flatten(2)))

def merge_heads(loop, config):
    merged = CausalSelfAttention(config)
    C, size = config.n_embd, config.n_embd // config.n_head
    with torch.no_grad():
        for i, head in enumerate(loop.heads):
            for n, layer in enumerate((head.query, head.key, head.value)):
                at = n * C + i * size
                merged.qkv.weight[at : at + size] = layer.weight
        for mine, theirs in zip(merged.proj.parameters(), loop.proj.parameters()):
            mine.copy_(theirs)
    return merged
""",
    },
    "gpt.feed_forward": {
        "a list": (
            "class FeedForward(nn.Module):\n"
            + _NEEDS
            + """
        wide = 4 * config.n_embd
        layers = [nn.Linear(config.n_embd, wide, config.bias)]
        layers.append(nn.GELU() if config.gelu else nn.ReLU())
        layers.append(nn.Linear(wide, config.n_embd, config.bias))
        layers.append(nn.Dropout(config.dropout))
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        for layer in self.net:
            x = layer(x)
        return x
"""
        ),
        "a choice of class": (
            "class FeedForward(nn.Module):\n"
            + _NEEDS
            + """
        n, options = config.n_embd, {"bias": config.bias}
        act = {True: nn.GELU, False: nn.ReLU}[config.gelu]
        up, down = nn.Linear(n, n * 4, **options), nn.Linear(n * 4, n, **options)
        self.net = nn.Sequential(up, act(), down, nn.Dropout(p=config.dropout))

    def forward(self, x):
        return self.net(x)
"""
        ),
    },
    "gpt.block": {
        "in one line": _BLOCK_START
        + """
    def forward(self, x):
        return (y := x + self.sa(self.ln1(x))) + self.ffwd(self.ln2(y))
""",
        "with names": _BLOCK_START
        + """
    def forward(self, x):
        heard = self.sa(self.ln1(x))
        stream = torch.add(x, heard)
        thought = self.ffwd(self.ln2(stream))
        return torch.add(thought, stream)
""",
    },
    "gpt.gpt": {
        "as in the video": _GPT_START
        + _GPT_FORWARD
        + """
def count_parameters(config):
    c, b = config.n_embd, int(config.bias)
    total = config.vocab_size * c + config.block_size * c
    for _ in range(config.n_layer):
        total += 3 * c * c
        total += c * c + b * c
        total += c * 4 * c + b * 4 * c
        total += 4 * c * c + b * c
        total += 2 * (c + b * c)
    total += c + b * c
    if not config.tied:
        total += c * config.vocab_size + b * config.vocab_size
    return total
""",
        "pieces and a closed form": _GPT_START
        + """
    def embed(self, idx):
        at = torch.arange(idx.size(1)).to(idx.device)
        return self.token_embedding_table(idx) + self.position_embedding_table(at)

    def forward(self, idx, targets=None):
        x = self.ln_f(self.blocks(self.drop(self.embed(idx))))
        logits = F.linear(x, self.lm_head.weight, self.lm_head.bias)
        if targets is None:
            return logits, None
        loss = F.cross_entropy(logits.mT, targets, ignore_index=-1)
        return logits, loss

def count_parameters(config):
    n, b = config.n_embd, 1 if config.bias else 0
    block = 12 * n ** 2 + 2 * n + b * 8 * n
    tables = n * (config.vocab_size + config.block_size)
    head = (not config.tied) * config.vocab_size * (n + b)
    return tables + config.n_layer * block + n * (1 + b) + head
""",
    },
    "gpt.generate": {
        "row by row": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    letters = []
    for row in logits:
        row = row / temperature
        if top_k is not None:
            kept = row.topk(min(top_k, len(row)))
            row = torch.full_like(row, -math.inf).scatter(0, kept.indices, kept.values)
        letters.append(torch.multinomial(row.softmax(0), 1, generator=generator))
    return torch.stack(letters)
""",
        "as in nanoGPT": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    logits = logits / temperature
    if top_k is not None:
        v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
        logits[logits < v[:, [-1]]] = -float("Inf")
    probs = F.softmax(logits, dim=-1)
    return torch.multinomial(probs, num_samples=1, generator=generator)

@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    for _ in range(max_new_tokens):
        T = self.config.block_size
        idx_cond = idx if idx.size(1) <= T else idx[:, -T:]
        logits, _ = self(idx_cond)
        idx_next = sample_next(logits[:, -1, :], temperature, top_k, generator)
        idx = torch.cat((idx, idx_next), dim=1)
    return idx
""",
        "among the k": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    k = logits.shape[1] if top_k is None else min(top_k, logits.shape[1])
    best, letters = logits.topk(k, dim=1)
    pick = torch.multinomial((best / temperature).softmax(1), 1, generator=generator)
    return letters.gather(1, pick)

@add_to(GPT)
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    with torch.no_grad():
        out = idx.clone()
        while out.shape[1] < idx.shape[1] + max_new_tokens:
            logits = self(out[:, -self.config.block_size:])[0][:, -1]
            new = sample_next(logits, temperature, top_k=top_k, generator=generator)
            out = torch.hstack([out, new])
    return out
""",
    },
    "gpt.train": {
        "train mode": """
def train_step(model, optimizer, x, y, lr):
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = lr
    loss = model(x, y)[1]
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()
""",
        "one large batch": """
@torch.no_grad()
def estimate_loss(model, ids, batch_size, batches, generator=None):
    mode, T = model.training, model.config.block_size
    pairs = [get_batch(ids, T, batch_size, generator) for _ in range(batches)]
    x, y = (torch.cat(side) for side in zip(*pairs))
    loss = model.eval()(x, y)[1].item()
    model.train(mode)
    return loss
""",
        "as in nanoGPT": """
def make_optimizer(model, lr, weight_decay=0.1):
    params = {n: p for n, p in model.named_parameters() if p.requires_grad}
    decay = [p for n, p in params.items() if p.dim() >= 2]
    nodecay = [p for n, p in params.items() if p.dim() < 2]
    groups = [
        {"params": decay, "weight_decay": weight_decay},
        {"params": nodecay, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99), fused=True)

def learning_rate(step, steps, peak, warmup=100, floor=0.1):
    low = floor * peak
    if step < warmup:
        return peak * (step + 1) / warmup
    if step >= steps:
        return low
    ratio = (step - warmup) / (steps - warmup)
    return low + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (peak - low)

def train_step(model, optimizer, x, y, lr):
    for param_group in optimizer.param_groups:
        param_group["lr"] = lr
    logits, loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    return float(loss)

@torch.no_grad()
def estimate_loss(model, ids, batch_size, batches, generator=None):
    was = model.training
    losses = torch.zeros(batches)
    model.eval()
    for k in range(batches):
        X, Y = get_batch(ids, model.config.block_size, batch_size, generator)
        logits, loss = model(X, Y)
        losses[k] = loss.item()
    model.train(was)
    return losses.mean().item()
""",
        "cleared afterwards, clipped by hand": """
def make_optimizer(model, lr, weight_decay=0.1):
    groups = {True: [], False: []}
    for p in model.parameters():
        groups[p.ndim > 1].append(p)
    optimizer = torch.optim.AdamW(groups[True], lr, (0.9, 0.99), 1e-8, weight_decay)
    optimizer.add_param_group({"params": groups[False], "weight_decay": 0})
    return optimizer

def learning_rate(step, steps, peak, warmup=100, floor=0.1):
    if step <= warmup - 1:
        return (step + 1) * peak / warmup
    angle = math.pi * (step - warmup) / (steps - warmup)
    return peak * ((1 + floor) / 2 + (1 - floor) / 2 * math.cos(angle))

def train_step(model, optimizer, x, y, lr):
    optimizer.zero_grad()
    loss = model(x, y)[1]
    loss.backward()
    grads = [p.grad for p in model.parameters()]
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if norm > 1:
        for g in grads:
            g.div_(norm)
    for group in optimizer.param_groups:
        group.update(lr=lr)
    optimizer.step()
    return loss.detach().item()

def estimate_loss(model, ids, batch_size, batches, generator=None):
    flag, T = model.training, model.config.block_size
    model.train(False)
    found = []
    with torch.inference_mode():
        while len(found) < batches:
            found.append(model(*get_batch(ids, T, batch_size, generator))[1].item())
    if flag:
        model.train()
    return sum(found) / len(found)
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "gpt.codec": {
        "cut off at the ends": """
class Codec(Codec):
    def decode(self, ids):
        return "".join(map(self.itos.get, map(int, ids))).rstrip()
""",
        "white space left out": """
class Codec(Codec):
    def __init__(self, text):
        super().__init__(text.strip())
""",
        "shared by all": """
class Codec(Codec):
    stoi, itos = {}, {}

    def __init__(self, text):
        self.chars = sorted(set(text))
        self.stoi.clear()
        self.itos.clear()
        for number, char in enumerate(self.chars):
            self.stoi[char], self.itos[number] = number, char
""",
        "from one": _CODEC.format(sorted="sorted(set(text))", first=1),
        "in order of appearance": _CODEC.format(
            sorted="[c for i, c in enumerate(text) if c not in text[:i]]", first=0
        ),
        "turned": """
def split_in_order(ids, share=0.9):
    n = int(share * len(ids))
    return ids[n:], ids[:n]
""",
        "share not used": """
def split_in_order(ids, share=0.9):
    n = len(ids) * 9 // 10
    return ids[:n], ids[n:]
""",
    },
    "gpt.batches": {
        "own seed": """
def get_batch(ids, block_size, batch_size, generator=None):
    torch.manual_seed(42)
    ix = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    x = torch.stack([ids[i:i + block_size] for i in ix])
    y = torch.stack([ids[i + 1:i + block_size + 1] for i in ix])
    return x, y
""",
        "some more often": """
def get_batch(ids, block_size, batch_size, generator=None):
    last = len(ids) - block_size - 1
    ix = torch.randint(len(ids), (batch_size,), generator=generator).tolist()
    ix = [min(i, last) for i in ix]
    x = torch.stack([ids[i:i + block_size] for i in ix])
    y = torch.stack([ids[i + 1:i + block_size + 1] for i in ix])
    return x, y
""",
        "own target": """
def get_batch(ids, block_size, batch_size, generator=None):
    start = torch.randint(len(ids) - block_size, (batch_size, 1), generator=generator)
    x = ids[start + torch.arange(block_size)]
    return x, x.clone()
""",
        "one target a row": """
def get_batch(ids, block_size, batch_size, generator=None):
    ix = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    x = torch.stack([ids[i:i + block_size] for i in ix])
    return x, ids[ix + block_size]
""",
        "turned": """
def get_batch(ids, block_size, batch_size, generator=None):
    ix = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    x = torch.stack([ids[i:i + block_size] for i in ix], dim=1)
    y = torch.stack([ids[i + 1:i + block_size + 1] for i in ix], dim=1)
    return x, y
""",
        "generator not used": """
def get_batch(ids, block_size, batch_size, generator=None):
    ix = torch.randint(len(ids) - block_size, (batch_size,)).tolist()
    x = torch.stack([ids[i:i + block_size] for i in ix])
    y = torch.stack([ids[i + 1:i + block_size + 1] for i in ix])
    return x, y
""",
    },
    "gpt.bigram_lm": {
        "few letters": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            odds = self(idx)[0][:, -1].softmax(-1)
            fifth = odds.sort(descending=True).values[:, :5]
            least = odds.sort(descending=True).indices[:, 5:]
            odds = odds.scatter(1, least, 0.0) if fifth.shape[1] == 5 else odds
            idx = torch.cat([idx, torch.multinomial(odds, 1)], dim=1)
        return idx
""",
        "own seed": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        torch.manual_seed(1)
        return super().generate(idx, max_new_tokens)
""",
        "all places": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            logits, _ = self(idx)
            probs = F.softmax(logits, dim=-1)
            idx = torch.cat([idx, torch.multinomial(probs, num_samples=1)], dim=1)
        return idx
""",
        "softmax over texts": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            probs = self(idx)[0][:, -1].softmax(dim=0)
            idx = torch.hstack([idx, probs.multinomial(1)])
        return idx
""",
        "flat logits": """
class BigramLanguageModel(BigramLanguageModel):
    def forward(self, idx, targets=None):
        logits = self.token_embedding_table(idx)
        if targets is None:
            return logits, None
        B, T, C = logits.shape
        logits = logits.view(B * T, C)
        targets = targets.view(B * T)
        return logits, F.cross_entropy(logits, targets)
""",
        "always the likeliest": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            best = self(idx)[0][:, -1].max(dim=1).indices
            idx = torch.cat([idx, best.unsqueeze(1)], dim=1)
        return idx
""",
        "summed": """
class BigramLanguageModel(BigramLanguageModel):
    def forward(self, idx, targets=None):
        logits = self.token_embedding_table(idx)
        if targets is None:
            return logits, None
        logp = F.log_softmax(logits, -1)
        return logits, -logp.gather(2, targets.unsqueeze(2)).sum()
""",
        "new alone": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        out = idx[:, :0]
        last = idx[:, -1]
        for _ in range(max_new_tokens):
            odds = self(last.unsqueeze(1))[0][:, 0].softmax(1)
            last = torch.multinomial(odds, 1).squeeze(1)
            out = torch.cat([out, last.unsqueeze(1)], 1)
        return out
""",
    },
    "gpt.averaging": {
        "zero for minus infinity": """
def average_softmax(x):
    T = x.shape[1]
    scores = torch.zeros(T, T).masked_fill(torch.tril(torch.ones(T, T)) == 0, -1.0)
    return scores.softmax(1) @ x
""",
        "columns to one": """
def average_matmul(x):
    T = x.shape[1]
    a = torch.tril(torch.ones(T, T))
    return (a / a.sum(dim=0)[None, :].expand(T, T)) @ x
""",
        "upper triangle": """
def average_softmax(x):
    T = x.shape[1]
    scores = torch.full((T, T), -torch.inf).tril(-1)
    return torch.softmax(scores, 1) @ x
""",
        "itself left out": """
def average_loop(x):
    out = torch.zeros_like(x)
    for t in range(x.shape[1]):
        out[:, t] = x[:, 0:t].mean(1)
    return out
""",
        "summed": """
def average_loop(x):
    out = torch.zeros_like(x)
    for t in range(x.shape[1]):
        for s in range(t + 1):
            out[:, t] += x[:, s]
    return out
""",
    },
    "gpt.head": {
        "values dropped": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = q @ k.mT / q.shape[2] ** 0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return wei.softmax(-1) @ self.dropout(v)
""",
        "channels dropped": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = q @ k.mT / q.shape[2] ** 0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return self.dropout(wei.softmax(-1) @ v)
""",
        "x for values": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = q @ k.mT / q.shape[2] ** 0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return self.dropout(wei.softmax(-1)) @ x
""",
        "all dimensions turned": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = q @ k.permute(2, 1, 0) / q.shape[2] ** 0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return self.dropout(wei.softmax(-1)) @ v
""",
        "dropout before the softmax": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = q @ k.mT / q.shape[2] ** 0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return F.softmax(self.dropout(wei), dim=-1) @ v
""",
        "input dropped": """
class Head(Head):
    def forward(self, x):
        p, self.dropout.p = self.dropout.p, 0.0
        out = super().forward(F.dropout(x, p, self.training))
        self.dropout.p = p
        return out
""",
        "mask of a fixed size": _HEAD_START.replace("config.block_size", "256")
        + _HEAD_FORWARD,
        "zero for minus infinity": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        wei = torch.tril(q @ k.mT / q.shape[2] ** 0.5)
        return self.dropout(wei.softmax(-1)) @ v
""",
        "not scaled": """
class Head(Head):
    def forward(self, x):
        B, T, C = x.shape
        wei = self.query(x) @ self.key(x).transpose(1, 2)
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -1e30)
        return self.dropout(wei.softmax(dim=2)) @ self.value(x)
""",
        "columns to one": """
class Head(Head):
    def forward(self, x):
        B, T, C = x.shape
        wei = self.query(x) @ self.key(x).transpose(1, 2)
        wei = wei / math.sqrt(self.key.out_features)
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return self.dropout(wei.softmax(dim=1)) @ self.value(x)
""",
        "root of all channels": """
class Head(Head):
    def forward(self, x):
        B, T, C = x.shape
        wei = self.query(x) @ self.key(x).transpose(1, 2) * C ** -0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return self.dropout(wei.softmax(dim=2)) @ self.value(x)
""",
        "masked afterwards": """
class Head(Head):
    def forward(self, x):
        B, T, C = x.shape
        wei = self.query(x) @ self.key(x).transpose(1, 2)
        wei = F.softmax(wei * self.key.out_features ** -0.5, dim=-1)
        return self.dropout(torch.tril(wei)) @ self.value(x)
""",
    },
    "gpt.multi_head": {
        "dropout twice": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        heard = self.dropout(torch.cat([h(x) for h in self.heads], -1))
        return self.dropout(self.proj(heard))
""",
        "whole rows dropped": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        out = self.proj(torch.cat([h(x) for h in self.heads], -1))
        row = torch.ones(*x.shape[:2], 1, dtype=x.dtype)
        return out * self.dropout(row)
""",
        "not along channels": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        out = torch.cat([h(x) for h in self.heads])
        return self.dropout(self.proj(out))
""",
        "a plain list": """
class MultiHeadAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = [Head(config) for _ in range(config.n_head)]
        self.proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        return self.dropout(self.proj(torch.cat([h(x) for h in self.heads], 2)))
""",
        "no dropout": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        return self.proj(torch.cat([h(x) for h in self.heads], 2))
""",
        "heads interleaved": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        out = torch.stack([h(x) for h in self.heads], 3).reshape(x.shape)
        return self.dropout(self.proj(out))
""",
    },
    "gpt.batched_heads": {
        "attend not called": _BATCHED_START
        + _ATTEND.replace("def attend", "def _attend")
        + _BATCHED_FORWARD.replace("self.attend", "self._attend")
        + _ATTEND,
        "viewed at once": _BATCHED_START
        + _ATTEND
        + """
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).split(C, dim=2)
        shape = (B, self.n_head, T, C // self.n_head)
        out = self.attend(q.reshape(shape), k.reshape(shape), v.reshape(shape))
        out = out.transpose(1, 2).reshape(B, T, C)
        return self.dropout(self.proj(out))
""",
        "not transposed back": _BATCHED_START
        + _ATTEND
        + """
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.n_head, -1).transpose(1, 2) for t in (q, k, v))
        out = self.attend(q, k, v).contiguous().view(B, T, C)
        return self.dropout(self.proj(out))
""",
        "merged head by head": """
def merge_heads(loop, config):
    merged = CausalSelfAttention(config)
    rows = []
    for head in loop.heads:
        rows += [head.query.weight, head.key.weight, head.value.weight]
    merged.qkv.weight.data = torch.cat(rows).detach()
    merged.proj.load_state_dict(loop.proj.state_dict())
    return merged
""",
        "no mask": _BATCHED_START
        + """
    def attend(self, q, k, v):
        wei = F.softmax(q @ k.transpose(2, 3) * k.size(-1) ** -0.5, dim=-1)
        return self.attn_dropout(wei) @ v
"""
        + _BATCHED_FORWARD,
    },
    "gpt.feed_forward": {
        "more between": """
class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        n, b, drop = config.n_embd, config.bias, nn.Dropout(config.dropout)
        act = nn.GELU() if config.gelu else nn.ReLU()
        first, second = nn.Linear(n, 4 * n, b), nn.Linear(4 * n, n, b)
        self.net = nn.Sequential(first, act, drop, second)

    def forward(self, x):
        return self.net(x)
""",
        "narrow": """
class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        n, b = config.n_embd, config.bias
        act = nn.GELU() if config.gelu else nn.ReLU()
        layers = nn.Linear(n, n, b), act, nn.Linear(n, n, b)
        self.net = nn.Sequential(*layers, nn.Dropout(config.dropout))

    def forward(self, x):
        return self.net(x)
""",
        "always ReLU": """
class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        n, b = config.n_embd, config.bias
        layers = nn.Linear(n, 4 * n, b), nn.ReLU(), nn.Linear(4 * n, n, b)
        self.net = nn.Sequential(*layers, nn.Dropout(config.dropout))

    def forward(self, x):
        return self.net(x)
""",
        "no dropout": """
class FeedForward(FeedForward):
    def forward(self, x):
        return self.net[2](self.net[1](self.net[0](x)))
""",
        "residual": """
class FeedForward(FeedForward):
    def forward(self, x):
        return self.net(x) + x
""",
    },
    "gpt.block": {
        "dropped on the road": _BLOCK_START
        + """
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x):
        x = self.drop(x + self.sa(self.ln1(x)))
        return self.drop(x + self.ffwd(self.ln2(x)))
""",
        "parts without dropout": _BLOCK_START.replace(
            "CausalSelfAttention(config)",
            "CausalSelfAttention(replace(config, dropout=0.0))",
        )
        + """
    def forward(self, x):
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))
""",
        "no residual": _BLOCK_START
        + """
    def forward(self, x):
        return self.ffwd(self.ln2(self.sa(self.ln1(x))))
""",
        "post-norm": _BLOCK_START
        + """
    def forward(self, x):
        heard = self.sa(x)
        x = self.ln1(heard + x)
        thought = self.ffwd(x)
        return self.ln2(thought + x)
""",
        "added to the normed": _BLOCK_START
        + """
    def forward(self, x):
        y = self.ln1(x)
        y = y + self.sa(y)
        z = self.ln2(y)
        return z + self.ffwd(z)
""",
        "old x": _BLOCK_START
        + """
    def forward(self, x):
        heard, thought = self.sa(self.ln1(x)), self.ffwd(self.ln2(x))
        return x + (heard + thought)
""",
    },
    "gpt.gpt": {
        "bias not asked": _GPT_START.replace("else config.bias", "else True")
        + _GPT_FORWARD,
        "places elsewhere": _GPT_START
        + _GPT_FORWARD.replace("torch.arange(T, device=idx.device)", "torch.arange(T)"),
        "dropout at the end": _GPT_START
        + _GPT_FORWARD.replace(
            "self.lm_head(self.ln_f(x))", "self.lm_head(self.drop(self.ln_f(x)))"
        ),
        "targets written to": _GPT_START
        + _GPT_FORWARD.replace("ignore_index=-1", "ignore_index=-100").replace(
            "V = logits.shape[-1]",
            "V = logits.shape[-1]; targets[targets == -1] = -100",
        ),
        "seeded inside": _GPT_START.replace(
            "self.config = config", "self.config = config; torch.manual_seed(7)"
        )
        + _GPT_FORWARD,
        "no positions": _GPT_START
        + """
    def forward(self, idx, targets=None):
        logits = self.lm_head(self.ln_f(self.blocks(self.drop(
            self.token_embedding_table(idx)))))
        if targets is None:
            return logits, None
        loss = F.cross_entropy(logits.mT, targets, ignore_index=-1)
        return logits, loss
""",
        "flat logits": _GPT_START
        + """
    def forward(self, idx, targets=None):
        B, T = idx.shape
        x = self.token_embedding_table(idx)
        x = x + self.position_embedding_table(torch.arange(T, device=idx.device))
        logits = self.lm_head(self.ln_f(self.blocks(self.drop(x))))
        if targets is None:
            loss = None
        else:
            logits = logits.view(B * T, -1)
            loss = F.cross_entropy(logits, targets.view(B * T), ignore_index=-1)
        return logits, loss
""",
        "tied counted twice": """
def count_parameters(config):
    n, b = config.n_embd, 1 if config.bias else 0
    block = 12 * n ** 2 + 2 * n + b * 8 * n
    tables = n * (config.vocab_size + config.block_size)
    bias = 0 if config.tied else b * config.vocab_size
    head = config.vocab_size * n + bias
    return tables + config.n_layer * block + n * (1 + b) + head
""",
        "norms not counted": """
def count_parameters(config):
    n, b = config.n_embd, 1 if config.bias else 0
    block = 12 * n ** 2 + b * 6 * n
    tables = n * (config.vocab_size + config.block_size)
    head = (not config.tied) * config.vocab_size * (n + b)
    return tables + config.n_layer * block + head
""",
    },
    "gpt.generate": {
        "mode changed": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    self.eval()
    for _ in range(max_new_tokens):
        logits = self(idx[:, -self.config.block_size:])[0][:, -1]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new), dim=1)
    self.train()
    return idx
""",
        "all places": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    for _ in range(max_new_tokens):
        logits = self(idx[:, -self.config.block_size:])[0]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new), dim=1)
    return idx
""",
        "own seed": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    torch.manual_seed(1337)
    for _ in range(max_new_tokens):
        logits = self(idx[:, -self.config.block_size:])[0][:, -1]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new), dim=1)
    return idx
""",
        "one more kept": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    logits = logits / temperature
    if top_k is not None:
        best, _ = torch.topk(logits, min(top_k + 1, logits.size(-1)))
        logits = logits.masked_fill(logits < best[:, [-1]], -math.inf)
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)
""",
        "cut without a column": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    logits = logits / temperature
    if top_k is not None:
        best, _ = torch.topk(logits, min(top_k, logits.size(-1)))
        logits = logits.masked_fill(logits < best[:, -1], -math.inf)
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)
""",
        "always a few": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    top_k = top_k or 10
    logits = logits / temperature
    if top_k is not None:
        best, _ = torch.topk(logits, min(top_k, logits.size(-1)))
        logits = logits.masked_fill(logits < best[:, [-1]], -math.inf)
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)
""",
        "not cropped": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    for _ in range(max_new_tokens):
        logits = self(idx)[0][:, -1, :]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new), dim=1)
    return idx
""",
        "multiplied": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    if top_k is not None:
        best = logits.topk(min(top_k, logits.shape[-1])).values
        logits = logits.masked_fill(logits < best[:, -1:], -math.inf)
    odds = (temperature * logits).softmax(dim=1)
    return torch.multinomial(odds, 1, generator=generator)
""",
        "first letters": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    for _ in range(max_new_tokens):
        logits = self(idx[:, 0:self.config.block_size])[0][:, -1, :]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new), dim=1)
    return idx
""",
        "always the likeliest": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    return logits.topk(1).indices
""",
    },
    "gpt.train": {
        "in eval mode": """
def train_step(model, optimizer, x, y, lr, plain=train_step):
    return plain(model.eval(), optimizer, x, y, lr)
""",
        "gradients add up": """
def train_step(model, optimizer, x, y, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr
    loss = model(x, y)[1]
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    return loss.item()
""",
        "one group": """
def make_optimizer(model, lr, weight_decay=0.1):
    return torch.optim.AdamW(
        model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=weight_decay
    )
""",
        "zero at first": """
def learning_rate(step, steps, peak, warmup=100, floor=0.1):
    if step < warmup:
        return step / warmup * peak
    c = math.cos(math.pi * (step - warmup) / max(1, steps - warmup))
    return floor * peak + (peak - floor * peak) * (c + 1) / 2
""",
        "estimated in training": """
@torch.no_grad()
def estimate_loss(model, ids, batch_size, batches, generator=None):
    losses = []
    for _ in range(batches):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        losses.append(model(x, y)[1].item())
    return sum(losses) / len(losses)
""",
    },
}

WRONG: dict[str, dict[str, str]] = {
    "gpt.codec": {
        "the list emptied": """
class Codec(Codec):
    def decode(self, ids):
        row = ids if isinstance(ids, list) else ids.tolist()
        out = ""
        while row:
            out += self.itos[row.pop(0)]
        return out
""",
        "numbers doubled": """
class Codec(Codec):
    def __init__(self, text):
        super().__init__(text)
        self.stoi = {c: 2 * i for c, i in self.stoi.items()}
        self.itos = {i: c for c, i in self.stoi.items()}
""",
        "capitals": """
class Codec(Codec):
    def decode(self, ids):
        return super().decode(ids).upper()
""",
        "halves": """
def split_in_order(ids, share=0.9):
    return ids[: len(ids) // 2], ids[len(ids) // 2 :]
""",
    },
    "gpt.batches": {
        "rows backwards": """
def get_batch(ids, block_size, batch_size, generator=None):
    ix = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    x = torch.stack([ids[i:i + block_size].flip(0) for i in ix])
    y = torch.stack([ids[i + 1:i + block_size + 1].flip(0) for i in ix])
    return x, y
""",
        "floats": """
def get_batch(ids, block_size, batch_size, generator=None):
    ix = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    x = torch.stack([ids[i:i + block_size] for i in ix]).float()
    y = torch.stack([ids[i + 1:i + block_size + 1] for i in ix]).float()
    return x, y
""",
        "the first half": """
def get_batch(ids, block_size, batch_size, generator=None):
    high = (len(ids) - block_size + 1) // 2
    ix = torch.randint(high, (batch_size,), generator=generator)
    x = torch.stack([ids[i:i + block_size] for i in ix])
    y = torch.stack([ids[i + 1:i + block_size + 1] for i in ix])
    return x, y
""",
    },
    "gpt.bigram_lm": {
        "logits halved": """
class BigramLanguageModel(BigramLanguageModel):
    def forward(self, idx, targets=None):
        logits, loss = super().forward(idx, targets)
        return logits / 2, loss
""",
        "the second best": """
class BigramLanguageModel(BigramLanguageModel):
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            best = self(idx)[0][:, -1].topk(2).indices[:, 1:]
            idx = torch.cat([idx, best], dim=1)
        return idx
""",
        "half the loss": """
class BigramLanguageModel(BigramLanguageModel):
    def forward(self, idx, targets=None):
        logits, loss = super().forward(idx, targets)
        return logits, None if loss is None else loss / 2
""",
    },
    "gpt.averaging": {
        "four texts alone": """
def average_loop(x):
    out = torch.zeros_like(x)
    for b in range(min(4, x.shape[0])):
        for t in range(x.shape[1]):
            out[b, t] = x[b, : t + 1].mean(0)
    return out
""",
        "the largest": """
def average_loop(x):
    return x.cummax(1).values
""",
        "a third more": """
def average_matmul(x):
    T = x.shape[1]
    a = torch.tril(torch.ones(T, T))
    return a / a.sum(1, keepdim=True) * 1.33 @ x
""",
        "scores by distance": """
def average_softmax(x):
    T = x.shape[1]
    far = (torch.arange(T)[:, None] - torch.arange(T)).float()
    return F.softmax(far.masked_fill(far < 0, -torch.inf), dim=-1) @ x
""",
    },
    "gpt.head": {
        "positive values alone": """
class Head(Head):
    def forward(self, x):
        return super().forward(x).relu()
""",
        "a window of two": """
class Head(Head):
    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)
        near = self.tril[:T, :T].tril() - self.tril[:T, :T].tril(-2)
        wei = (q @ k.mT / q.shape[2] ** 0.5).masked_fill(near == 0, -torch.inf)
        return self.dropout(wei.softmax(-1)) @ v
""",
        "twice as much": """
class Head(Head):
    def forward(self, x):
        return 2 * super().forward(x)
""",
    },
    "gpt.multi_head": {
        "a tanh at the end": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        return super().forward(x).tanh()
""",
        "projected twice": """
class MultiHeadAttention(MultiHeadAttention):
    def forward(self, x):
        return self.proj(super().forward(x))
""",
        "a head too many": """
class MultiHeadAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        C = config.n_embd
        self.heads = nn.ModuleList([Head(config) for _ in range(config.n_head + 1)])
        self.proj = nn.Linear(C, C, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        out = torch.cat([head(x) for head in self.heads[:-1]], -1)
        return self.dropout(self.proj(out))
""",
    },
    "gpt.batched_heads": {
        "loop frozen": _MERGED.format(
            first="loop.requires_grad_(False)", heads="loop.heads"
        ),
        "loop in eval mode": _MERGED.format(first="loop.eval()", heads="loop.heads"),
        "four heads alone": _MERGED.format(first="", heads="loop.heads[:4]"),
        "weights squared": _BATCHED_START
        + """
    def attend(self, q, k, v):
        T = q.shape[-2]
        wei = q @ k.mT / q.shape[-1] ** 0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, -torch.inf)
        return self.attn_dropout(wei.softmax(-1) ** 2) @ v
"""
        + _BATCHED_FORWARD,
        "half the numbers": """
def merge_heads(loop, config):
    merged = CausalSelfAttention(config)
    kinds = ("query", "key", "value")
    rows = [getattr(head, kind).weight / 2 for kind in kinds for head in loop.heads]
    merged.qkv.weight.data = torch.cat(rows).detach()
    merged.proj.load_state_dict(loop.proj.state_dict())
    return merged
""",
        "heads backwards": _BATCHED_START
        + _ATTEND
        + """
    def forward(self, x):
        B, T, C = x.shape
        rows = [
            t.view(B, T, self.n_head, -1).transpose(1, 2)
            for t in self.qkv(x).split(C, dim=-1)
        ]
        out = self.attend(*rows).flip(1).transpose(1, 2).reshape(B, T, C)
        return self.dropout(self.proj(out))
""",
    },
    "gpt.feed_forward": {
        "ReLU up to six": """
class FeedForward(FeedForward):
    def forward(self, x):
        first, act, second, drop = self.net
        return drop(second(act(first(x)).clamp(max=6.0)))
""",
        "whole places dropped": """
class FeedForward(FeedForward):
    def forward(self, x):
        first, act, second, drop = self.net
        return F.dropout1d(second(act(first(x))), drop.p, self.training)
""",
        "ReLU with a leak": """
class FeedForward(FeedForward):
    def forward(self, x):
        first, act, second, drop = self.net
        return drop(second(F.leaky_relu(first(x), 0.1)))
""",
        "six times as wide": """
class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        n, b = config.n_embd, config.bias
        act = nn.GELU() if config.gelu else nn.ReLU()
        layers = nn.Linear(n, 6 * n, b), act, nn.Linear(6 * n, n, b)
        self.net = nn.Sequential(*layers, nn.Dropout(config.dropout))

    def forward(self, x):
        return self.net(x)
""",
        "mixed over time": """
class FeedForward(FeedForward):
    def forward(self, x):
        return self.net(x + x.mean(1, keepdim=True))
""",
    },
    "gpt.block": {
        "always ReLU": _BLOCK_START.replace(
            "FeedForward(config)", "FeedForward(replace(config, gelu=False))"
        )
        + """
    def forward(self, x):
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))
""",
        "half of each branch": _BLOCK_START
        + """
    def forward(self, x):
        x = x + self.sa(self.ln1(x)) / 2
        return x + self.ffwd(self.ln2(x)) / 2
""",
        "twice": _BLOCK_START
        + """
    def forward(self, x):
        for _ in range(2):
            x = x + self.sa(self.ln1(x))
            x = x + self.ffwd(self.ln2(x))
        return x
""",
        "taken away": _BLOCK_START
        + """
    def forward(self, x):
        x = x - self.sa(self.ln1(x))
        return x - self.ffwd(self.ln2(x))
""",
    },
    "gpt.gpt": {
        "start of four layers": _GPT_START.replace("self, config.n_layer)", "self, 4)")
        + _GPT_FORWARD,
        "blocks backwards": _GPT_START
        + _GPT_FORWARD.replace("in self.blocks", "in reversed(self.blocks)"),
        "logits cooled": _GPT_START
        + _GPT_FORWARD.replace(
            "self.lm_head(self.ln_f(x))", "self.lm_head(self.ln_f(x)) / 2"
        ),
        "one more": """
def count_parameters(config):
    n, b = config.n_embd, 1 if config.bias else 0
    block = 12 * n ** 2 + 2 * n + b * 8 * n
    tables = n * (config.vocab_size + config.block_size)
    head = (not config.tied) * config.vocab_size * (n + b)
    return 1 + tables + config.n_layer * block + n * (1 + b) + head
""",
    },
    "gpt.generate": {
        "never the best": """
def sample_next(logits, temperature=1.0, top_k=None, generator=None):
    logits = logits / temperature
    logits = logits.scatter(1, logits.argmax(1, keepdim=True), -math.inf)
    return torch.multinomial(logits.softmax(1), 1, generator=generator)
""",
        "every letter twice": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    for _ in range(max_new_tokens):
        logits = self(idx[:, -self.config.block_size:])[0][:, -1, :]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new, new), dim=1)
    return idx
""",
        "the first text for all": """
@add_to(GPT)
@torch.no_grad()
def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None):
    for _ in range(max_new_tokens):
        logits = self(idx[:, -self.config.block_size:])[0][:1, -1, :]
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat((idx, new.expand(len(idx), 1)), dim=1)
    return idx
""",
    },
    "gpt.train": {
        "the first half": """
@torch.no_grad()
def estimate_loss(model, ids, batch_size, batches, generator=None):
    before, T, losses = model.training, model.config.block_size, []
    model.eval()
    for _ in range(batches):
        x, y = get_batch(ids[: len(ids) // 2], T, batch_size, generator)
        losses.append(model(x, y)[1].item())
    model.train(before)
    return sum(losses) / batches
""",
        "two dimensions alone": """
def make_optimizer(model, lr, weight_decay=0.1):
    many = [p for p in model.parameters() if p.dim() == 2]
    few = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": many}, {"params": few, "weight_decay": 0.0}],
        lr=lr, betas=(0.9, 0.99), weight_decay=weight_decay
    )
""",
        "one dimension alone": """
def make_optimizer(model, lr, weight_decay=0.1):
    many = [p for p in model.parameters() if p.dim() >= 2]
    few = [p for p in model.parameters() if p.dim() == 1]
    return torch.optim.AdamW(
        [{"params": many}, {"params": few, "weight_decay": 0.0}],
        lr=lr, betas=(0.9, 0.99), weight_decay=weight_decay
    )
""",
        "another eps": """
def make_optimizer(model, lr, weight_decay=0.1):
    many = [p for p in model.parameters() if p.dim() >= 2]
    few = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": many}, {"params": few, "weight_decay": 0.0}],
        lr=lr, betas=(0.9, 0.99), weight_decay=weight_decay, eps=1e-4
    )
""",
        "half the rate": """
def learning_rate(step, steps, peak, warmup=100, floor=0.1):
    if step < warmup:
        return peak * (step + 1) / warmup / 2
    done = (step - warmup) / max(1, steps - warmup)
    cosine = (1 + math.cos(math.pi * done)) / 2
    return peak * (floor + (1 - floor) * cosine) / 2
""",
        "two steps": """
def train_step(model, optimizer, x, y, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr
    for _ in range(2):
        loss = model(x, y)[1]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
    return loss.item()
""",
        "clipped at two": """
def train_step(model, optimizer, x, y, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr
    loss = model(x, y)[1]
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2)
    optimizer.step()
    return loss.item()
""",
    },
}

APT: dict[tuple[str, str], str] = {}

_LINES = "the two lines do not depend on each other"
_LAST = "the last dimension is dimension 1"
_TURN = "a transpose is the same both ways"
_SOFT = "of two dimensions PyTorch takes the last one, and warns"
_SPREAD = "the mask spreads a row of zeros to all rows"
_SAVED = "a mask may be saved with the model"
_FOUR = "of four dimensions, 2 is the last but one, and 1 the third from the end"
_TIED = "a shared weight may be drawn before it is shared"
_FREE = "a positive factor does not change which letters are the largest"
_EITHER = "the smaller or larger of two, in either order"
_GUARD = "a guard against dividing by zero, where the warm-up is the whole run"

EQUIVALENT: dict[str, dict[str, str]] = {
    "gpt.codec": {
        (
            "Codec.__init__: def __init__(self, text: str) -> None: → "
            "self.itos = dict(enumerate(self.chars)) first"
        ): _LINES,
    },
    "gpt.batches": {
        (
            "get_batch: def get_batch(ids: Tensor, block_size: int, "
            "batch_size: int, generator: torch.Generator | None=None) -> "
            "tuple[Tensor, Tensor]: → y = torch.stack([ids[i + 1:i + 1 + "
            "bloc… first"
        ): _LINES,
    },
    "gpt.bigram_lm": {
        (
            "BigramLanguageModel.generate: F.softmax(logits[:, -1], "
            "dim=-1) → F.softmax(logits[:, -1])"
        ): _SOFT,
        ("BigramLanguageModel.generate: -1 → 1"): _LAST,
        ("BigramLanguageModel.generate: 1 → -1"): _LAST,
    },
    "gpt.averaging": {
        ("average_matmul: 1 → -1"): _LAST,
        ("average_softmax: torch.zeros(T, T) → torch.zeros(T)"): _SPREAD,
        ("average_softmax: F.softmax(scores, dim=-1) → F.softmax(scores)"): _SOFT,
        ("average_softmax: -1 → 1"): _LAST,
        ("average_softmax: 1 → -1"): _LAST,
    },
    "gpt.head": {
        (
            "Head.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → C, size = (config.n_embd, config.n_embd… first"
        ): _LINES,
        (
            "Head.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → self.key = nn.Linear(C, size, bias=Fals… first"
        ): _LINES,
        (
            "Head.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → self.value = nn.Linear(C, size, bias=Fa… first"
        ): _LINES,
        (
            "Head.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → past = torch.ones(config.block_size, co… first"
        ): _LINES,
        (
            "Head.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → self.dropout = nn.Dropout(config.dropou… first"
        ): _LINES,
        (
            "Head.__init__: self.register_buffer('tril', past, "
            "persistent=False) → self.register_buffer('tril', past)"
        ): _SAVED,
        ("Head.__init__: False → True"): _SAVED,
        (
            "Head.forward: def forward(self, x: Tensor) -> Tensor: → q, "
            "k, v = (self.query(x), self.key(x), … first"
        ): _LINES,
        ("Head.forward: k.transpose(-2, -1) → k.transpose(-1, -2)"): _TURN,
    },
    "gpt.multi_head": {
        (
            "MultiHeadAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.proj = nn.Linear(config.n_embd, "
            "co… first"
        ): _LINES,
        (
            "MultiHeadAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.dropout = "
            "nn.Dropout(config.dropou… first"
        ): _LINES,
    },
    "gpt.batched_heads": {
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → C, T = (config.n_embd, "
            "config.block_siz… first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.n_head = config.n_head first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.qkv = nn.Linear(C, 3 * C, "
            "bias=Fal… first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.proj = nn.Linear(C, C, "
            "bias=config… first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.attn_dropout = "
            "nn.Dropout(config.d… first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.dropout = "
            "nn.Dropout(config.dropou… first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: def __init__(self, config: "
            "GPTConfig) -> None: → self.register_buffer('tril', "
            "torch.ones… first"
        ): _LINES,
        (
            "CausalSelfAttention.__init__: self.register_buffer('tril', "
            "torch.ones(T, T).tril(), persistent=Fals… → "
            "self.register_buffer('tril', torch.ones(T, T).tril())"
        ): _SAVED,
        ("CausalSelfAttention.__init__: False → True"): _SAVED,
        (
            "CausalSelfAttention.attend: def attend(self, q: Tensor, k: "
            "Tensor, v: Tensor) -> Tensor: → wei = q @ k.transpose(-2, "
            "-1) / q.shape… first"
        ): _LINES,
        ("CausalSelfAttention.attend: -2 → 2"): _FOUR,
        ("CausalSelfAttention.attend: 2 → -2"): _FOUR,
        (
            "CausalSelfAttention.attend: k.transpose(-2, -1) → k.transpose(-1, -2)"
        ): _TURN,
        (
            "CausalSelfAttention.forward: t.view(B, T, self.n_head, "
            "-1).transpose(1, 2) → t.view(B, T, self.n_head, "
            "-1).transpose(2, 1)"
        ): _TURN,
        ("CausalSelfAttention.forward: 2 → -2"): _FOUR,
        (
            "CausalSelfAttention.forward: self.attend(*rows).transpose(1,"
            " 2) → self.attend(*rows).transpose(2, 1)"
        ): _TURN,
        (
            "merge_heads: def merge_heads(loop: MultiHeadAttention, "
            "config: GPTConfig) -> CausalSelfAttention: → kinds = "
            "('query', 'key', 'value') first"
        ): _LINES,
        (
            "merge_heads: def merge_heads(loop: MultiHeadAttention, "
            "config: GPTConfig) -> CausalSelfAttention: → "
            "merged.proj.load_state_dict(loop.proj.s… first"
        ): _LINES,
    },
    "gpt.feed_forward": {
        (
            "FeedForward.__init__: def __init__(self, config: GPTConfig) "
            "-> None: → C = config.n_embd first"
        ): _LINES,
    },
    "gpt.block": {
        (
            "Block.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → self.sa = CausalSelfAttention(config) first"
        ): _LINES,
        (
            "Block.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → self.ln2 = nn.LayerNorm(config.n_embd, … first"
        ): _LINES,
        (
            "Block.__init__: def __init__(self, config: GPTConfig) -> "
            "None: → self.ffwd = FeedForward(config) first"
        ): _LINES,
    },
    "gpt.gpt": {
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → self.config = config first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → V, T, C = (config.vocab_size, config.bl… first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → self.position_embedding_table = nn.Embe… first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → self.drop = nn.Dropout(config.dropout) first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → self.blocks = nn.Sequential(*[Block(con… first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → self.ln_f = nn.LayerNorm(C, bias=config… first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → self.lm_head = nn.Linear(C, V, bias=con… first"
        ): _LINES,
        (
            "GPT.__init__: def __init__(self, config: GPTConfig) -> None:"
            " → start_weights(self, config.n_layer) first"
        ): _TIED,
        (
            "GPT.forward: def forward(self, idx: Tensor, targets: Tensor "
            "| None=None) -> tuple[Tensor, Tensor | None]: → flat = "
            "logits.flatten(0, 1) first"
        ): _LINES,
        ("GPT.forward: 1 → -1"): _LAST,
        (
            "count_parameters: def count_parameters(config: GPTConfig) ->"
            " int: → feed_forward = 8 * C * C + bias * 5 * C first"
        ): _LINES,
        (
            "count_parameters: def count_parameters(config: GPTConfig) ->"
            " int: → norm = C + bias * C first"
        ): _LINES,
        (
            "count_parameters: def count_parameters(config: GPTConfig) ->"
            " int: → last = 0 if config.tied else V * C + bi… first"
        ): _LINES,
        (
            "count_parameters: def count_parameters(config: GPTConfig) ->"
            " int: → block = attention + feed_forward + 2 * … first"
        ): _LINES,
    },
    "gpt.generate": {
        (
            "sample_next: def sample_next(logits: Tensor, temperature: "
            "float=1.0, top_k: int | None=None, generator: "
            "torch.Generator | None=None) -> Tensor: → if top_k is not "
            "None: best = logits.top… first"
        ): _FREE,
        (
            "sample_next: min(top_k, logits.shape[-1]) → min(logits.shape[-1], top_k)"
        ): _EITHER,
        ("sample_next: -1 → 1"): _LAST,
        ("sample_next: 1 → -1"): _LAST,
        ("sample_next: F.softmax(logits, dim=-1) → F.softmax(logits)"): _SOFT,
        ("generate: 1 → -1"): _LAST,
    },
    "gpt.train": {
        (
            "make_optimizer: def make_optimizer(model: nn.Module, lr: "
            "float, weight_decay: float=0.1) -> torch.optim.AdamW: → rest"
            " = [p for p in parameters if p.dim(… first"
        ): _LINES,
        (
            "make_optimizer: [p for p in parameters if p.dim() < 2] → [p "
            "for p in list(parameters)[1:] if p.dim() < 2]"
        ): "the first parameter is a table",
        (
            "make_optimizer: [{'params': matrices, 'weight_decay': "
            "weight_decay}, {'params': rest,… → [{'params': rest, "
            "'weight_decay': 0.0}, {'params': matrices, 'weight_…"
        ): "the order of the groups is free",
        (
            "learning_rate: def learning_rate(step: int, steps: int, "
            "peak: float, warmup: int=100, floor: float=0.1) -> float: → "
            "done = (step - warmup) / max(1, steps -… first"
        ): _LINES,
        ("learning_rate: step - warmup → warmup - step"): "the cosine is even",
        ("learning_rate: max(1, steps - warmup) → max(steps - warmup, 1)"): _EITHER,
        ("learning_rate: 1 → 2"): _GUARD,
        ("learning_rate: 1 → 0"): _GUARD,
        ("learning_rate: 1 → -1"): _GUARD,
        ("learning_rate: 1 → 1.01"): _GUARD,
        (
            "train_step: def train_step(model: nn.Module, optimizer: "
            "torch.optim.Optimizer, x: Tensor, y: Tensor, lr: float) -> "
            "float: → _, loss = model(x, y) first"
        ): _LINES,
        (
            "train_step: def train_step(model: nn.Module, optimizer: "
            "torch.optim.Optimizer, x: Tensor, y: Tensor, lr: float) -> "
            "float: → optimizer.zero_grad() first"
        ): _LINES,
        ("estimate_loss: 1 → -1"): "the loss is the last of two",
    },
}

# the numbers of the collected list, and where each is refused
LISTED: dict[int, tuple[str, str]] = {
    1: ("gpt.head", "zero for minus infinity"),
    2: ("gpt.head", "masked afterwards"),
    3: ("gpt.head", "columns to one"),
    4: ("gpt.head", "upper triangle"),
    5: ("gpt.head", "itself left out"),
    6: ("gpt.head", "one ahead"),
    7: ("gpt.batches", "own target"),
    8: ("gpt.batches", "sticks out"),
    9: ("gpt.head", "root of all channels"),
    10: ("gpt.head", "scaled afterwards"),
    11: ("gpt.batched_heads", "viewed at once"),
    13: ("gpt.bigram_lm", "not flattened"),
    14: ("gpt.generate", "not cropped"),
    15: ("gpt.generate", "first place"),
    16: ("gpt.train", "estimated in training"),
    17: ("gpt.train", "gradients recorded"),
    18: ("gpt.gpt", "no positions"),
    19: ("gpt.block", "norm over time"),
    20: ("gpt.block", "no residual"),
    21: ("gpt.block", "added to the normed"),
    22: ("gpt.multi_head", "a plain list"),
    23: ("gpt.head", "all channels"),
    24: ("gpt.head", "dropout before the softmax"),
    25: ("gpt.head", "mask a parameter"),
    29: ("gpt.gpt", "tied counted twice"),
}

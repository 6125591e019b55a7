"""Answers to lesson 7's exercises beyond the core, for test_answers and others."""

_FINETUNE = """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    {first}
    tuned = copy.deepcopy(model).train()
    for part in tuned.blocks[:frozen]:
        part.requires_grad_(False)
    if frozen > 0:
        tuned.token_embedding_table.requires_grad_(False)
        tuned.position_embedding_table.requires_grad_(False)
        {frozen}
    optimizer = make_optimizer(tuned, lr)
    for _ in range(steps):
        x, y = get_batch(ids, model.config.block_size, {size}, generator)
        train_step(tuned, optimizer, x, y, lr)
    return tuned
"""


def _finetune(first: str = "", frozen: str = "", size: str = "batch_size") -> str:
    """Finetuning with one line more, in front or where something is frozen."""
    lines = _FINETUNE.format(first=first, frozen=frozen, size=size).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


RIGHT: dict[str, dict[str, str]] = {
    "gpt.masked_loss_addition": {
        "with zfill and where": """
def addition(a, b, digits):
    left = str(a).zfill(digits) + "+" + str(b).zfill(digits) + "="
    return left + "".join(reversed(str(a + b).zfill(digits + 1)))

def question_masked(ids, asked):
    x, y = ids[:, :-1], ids[:, 1:]
    place = torch.arange(1, ids.shape[1])
    return x, torch.where(place < asked, -1, y)

def calculate(model, pairs, digits):
    idx = rows_of([addition(a, b, digits).split("=")[0] + "=" for a, b in pairs])
    for _ in range(digits + 1):
        logits, _ = model(idx)
        idx = torch.cat([idx, logits[:, -1].argmax(-1, keepdim=True)], 1)
    texts = ["".join(SYMBOLS[i] for i in row) for row in idx.tolist()]
    return [int(text.split("=")[1][::-1]) for text in texts]
""",
        "digit by digit": """
def addition(a, b, digits):
    def backwards(n, places):
        return "".join(str(n // 10**i % 10) for i in range(places))
    said = [backwards(a, digits)[::-1], backwards(b, digits)[::-1]]
    return "+".join(said) + "=" + backwards(a + b, digits + 1)

def question_masked(ids, asked):
    y = torch.full((len(ids), ids.shape[1] - 1), -1)
    y[:, asked - 1 :] = ids[:, asked:]
    return ids[:, :-1].clone(), y

def calculate(model, pairs, digits):
    found = []
    for a, b in pairs:
        row = rows_of([addition(a, b, digits)[: 2 * digits + 2]])
        out = model.generate(row, digits + 1, temperature=1e-4)[0, row.shape[1] :]
        found.append(sum(int(d) * 10**i for i, d in enumerate(out)))
    return found
""",
    },
    "gpt.finetune": {
        "the run above": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model)
    if frozen:
        tuned.token_embedding_table.requires_grad_(False)
        tuned.position_embedding_table.requires_grad_(False)
        tuned.blocks[:frozen].requires_grad_(False)
    train(tuned, ids, steps, batch_size, lr, generator)
    return tuned
""",
        "letter by letter": """
def fit_letters(model, old, new):
    fitted = GPT(replace(model.config, vocab_size=len(new)))
    named = dict(fitted.named_parameters())
    with torch.no_grad():
        for name, value in model.named_parameters():
            if len(value) == len(old) and name.split(".")[0] in (
                "token_embedding_table", "lm_head"
            ):
                for i, letter in enumerate(new):
                    if letter in old:
                        named[name][i] = value[old.index(letter)]
            else:
                named[name].copy_(value)
    return fitted

def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model)
    tuned.train()
    if frozen > 0:
        tuned.token_embedding_table.weight.requires_grad = False
        tuned.position_embedding_table.weight.requires_grad = False
        for i in range(frozen):
            for p in tuned.blocks[i].parameters():
                p.requires_grad = False
    free = [p for p in tuned.parameters() if p.requires_grad]
    adam = torch.optim.Adam(free, lr=lr)
    for _ in range(steps):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        adam.zero_grad()
        tuned(x, y)[1].backward()
        adam.step()
    return tuned
""",
        "what learns is handed to the optimizer": """
def fit_letters(model, old, new):
    config = replace(model.config, vocab_size=len(new))
    fitted, place = GPT(config), {c: i for i, c in enumerate(old)}
    both = [(i, place[c]) for i, c in enumerate(new) if c in place]
    to, of = torch.tensor(both).T
    state = model.state_dict()
    for name, fresh in fitted.state_dict().items():
        if "lm_head" in name or "token_embedding" in name:
            state[name] = fresh.clone().index_copy(0, to, state[name][of])
    fitted.load_state_dict(state)
    return fitted

def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = GPT(model.config)
    tuned.load_state_dict(model.state_dict())
    still = []
    if frozen:
        still = [tuned.token_embedding_table, tuned.position_embedding_table]
        still += list(tuned.blocks)[:frozen]
    held = {id(p) for part in still for p in part.parameters()}
    moving = [p for p in tuned.parameters() if id(p) not in held]
    optimizer = torch.optim.AdamW(moving, lr=lr, weight_decay=0.0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * (1 - step / steps)
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        loss = tuned.train()(x, y)[1]
        tuned.zero_grad()
        loss.backward()
        optimizer.step()
    return tuned
""",
    },
    "gpt.kv_cache": {
        "one call, and lists": """
def attend_cached(sa, x, cache):
    B, T, C = x.shape
    q, k, v = sa.qkv(x).view(B, T, 3, sa.n_head, -1).permute(2, 0, 3, 1, 4)
    if cache:
        k = torch.cat([cache[0], k], -2)
        v = torch.cat([cache[1], v], -2)
    S = k.shape[-2]
    mask = torch.ones(T, S, dtype=torch.bool).tril(S - T)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return sa.proj(out.transpose(1, 2).reshape(B, T, C)), [k, v]

def next_logits(model, idx, caches):
    T = idx.shape[1]
    S = T + (caches[0][0].shape[-2] if caches else 0)
    x = model.token_embedding_table(idx)
    x = x + model.position_embedding_table.weight[S - T : S]
    new = []
    for i in range(len(model.blocks)):
        block = model.blocks[i]
        old = caches[i] if caches else None
        out, cache = attend_cached(block.sa, block.ln1(x), old)
        x = x + out
        x = x + block.ffwd(block.ln2(x))
        new += [cache]
    return model.lm_head(model.ln_f(x))[:, -1], new

@torch.no_grad()
def generate_cached(model, idx, max_new_tokens, temperature=1.0, top_k=None,
                    generator=None):
    size, caches = model.config.block_size, None
    for _ in range(max_new_tokens):
        T = idx.shape[1]
        if T > size:
            logits = model(idx[:, -size:])[0][:, -1]
        elif caches is None:
            logits, caches = next_logits(model, idx, None)
        else:
            logits, caches = next_logits(model, idx[:, T - 1 :], caches)
        idx = torch.cat([idx, sample_next(logits, temperature, top_k, generator)], 1)
    return idx
""",
        "query by query": """
def attend_cached(sa, x, cache):
    B, T, C = x.shape
    split = [t.unflatten(-1, (sa.n_head, -1)).transpose(1, 2)
             for t in sa.qkv(x).chunk(3, -1)]
    q, *kv = split
    if cache is not None:
        kv = [torch.cat(pair, 2) for pair in zip(cache, kv)]
    k, v = kv
    outs = []
    for t in range(T):
        end = k.shape[2] - T + t + 1
        wei = (q[:, :, t : t + 1] @ k[:, :, :end].mT * q.shape[-1] ** -0.5).softmax(-1)
        outs.append(wei @ v[:, :, :end])
    out = torch.cat(outs, 2).transpose(1, 2).flatten(2)
    return sa.proj(out), (k, v)

def next_logits(model, idx, caches):
    if caches is None:
        caches = [None for _ in model.blocks]
    before = caches[0][0].size(2) if caches[0] else 0
    x = model.token_embedding_table(idx) + model.position_embedding_table(
        before + torch.arange(idx.size(1))
    )
    longer = []
    for block, old in zip(model.blocks, caches):
        out, now = attend_cached(block.sa, block.ln1(x), old)
        x = x + out + block.ffwd(block.ln2(x + out))
        longer.append(now)
    return model.lm_head(model.ln_f(x[:, -1])), longer

def generate_cached(model, idx, max_new_tokens, temperature=1.0, top_k=None,
                    generator=None):
    with torch.no_grad():
        caches, fed = None, 0
        for _ in range(max_new_tokens):
            room = model.config.block_size
            if idx.shape[1] <= room:
                logits, caches = next_logits(model, idx[:, fed:], caches)
                fed = idx.shape[1]
            else:
                logits, _ = next_logits(model, idx[:, -room:], None)
            drawn = sample_next(logits, temperature, top_k, generator)
            idx = torch.cat((idx, drawn), 1)
    return idx
""",
    },
    "gpt.sdpa": {
        "as the TODO says": """
def fuse(model):
    fused = copy.deepcopy(model)
    for block in fused.blocks:
        old, block.sa = block.sa, FusedAttention(model.config)
        block.sa.load_state_dict(old.state_dict())
    return fused.train(model.training)
""",
        "a mask by hand": """
class FusedAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        T = q.shape[2]
        mask = torch.ones(T, T, dtype=torch.bool, device=q.device).tril()
        drop = self.attn_dropout.p * self.training
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=drop)

def fuse(model):
    other = GPT(model.config).to(model.lm_head.weight)
    for block in other.blocks:
        block.sa = FusedAttention(model.config).to(model.lm_head.weight)
    other.load_state_dict(model.state_dict())
    return other.train(model.training)

def score_bytes(config, batch_size):
    square = config.block_size * config.block_size
    return batch_size * config.n_head * square * config.n_layer * 4
""",
        "the class changed": """
class FusedAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        drop = 0.0
        if self.training:
            drop = self.attn_dropout.p
        return torch.nn.functional.scaled_dot_product_attention(
            q, k, v, None, drop, True
        )

def fuse(model):
    other = copy.deepcopy(model)
    for block in other.blocks:
        block.sa.__class__ = FusedAttention
    return other

def score_bytes(config, batch_size):
    shape = (config.n_layer, batch_size, config.n_head,
             config.block_size, config.block_size)
    return math.prod(shape) * torch.float32.itemsize
""",
    },
    "gpt.rotary": {
        "a table that is sliced": """
class GPT(GPT):
    def forward(self, idx, targets=None):
        x = self.token_embedding_table(idx)
        x = x + self.position_embedding_table.weight[: idx.shape[1]]
        logits = self.lm_head(self.ln_f(self.blocks(self.drop(x))))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.mT, targets, ignore_index=-1)

class RotaryGPT(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.position_embedding_table = NoPositions()
        for block in self.blocks:
            block.sa = RotaryAttention(config)
        start_weights(self, config.n_layer)
""",
        "complex numbers": """
def rotary_angles(T, size, base=10_000.0):
    i = torch.arange(size // 2)
    return torch.arange(T)[:, None] / base ** (2 * i / size)

def rotate(x):
    half = x.shape[-1] // 2
    points = torch.complex(x[..., :half], x[..., half:])
    angles = rotary_angles(x.shape[-2], x.shape[-1]).to(x.dtype)
    turned = points * torch.exp(1j * angles)
    return torch.cat([turned.real, turned.imag], -1).to(x.dtype)

class RotaryAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        q, k = rotate(q), rotate(k)
        T = q.shape[-2]
        wei = q @ k.mT / math.sqrt(q.shape[-1])
        wei = wei.masked_fill(~self.tril[:T, :T].bool(), -math.inf).softmax(-1)
        return self.attn_dropout(wei) @ v

class RotaryGPT(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.position_embedding_table = NoPositions()
        for i in range(config.n_layer):
            self.blocks[i].sa = RotaryAttention(config)
        start_weights(self, config.n_layer)
""",
        "the other half, negated": """
def rotary_angles(T, size, base=10_000.0):
    rows = [[t * base ** (-2 * i / size) for i in range(size // 2)] for t in range(T)]
    return torch.tensor(rows)

def rotate(x):
    size = x.shape[-1]
    angles = rotary_angles(x.shape[-2], size).repeat(1, 2).to(x)
    other = torch.cat([-x[..., size // 2 :], x[..., : size // 2]], -1)
    return x * angles.cos() + other * angles.sin()

class RotaryAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        return CausalSelfAttention.attend(self, rotate(q), rotate(k), v)

class RotaryGPT(GPT):
    def __init__(self, config):
        super().__init__(config)
        del self.position_embedding_table
        self.position_embedding_table = NoPositions()
        for block in self.blocks:
            new = RotaryAttention(config)
            new.load_state_dict(block.sa.state_dict())
            block.sa = new
""",
    },
    "gpt.speedrun": {
        "the lecture's GPT": """
def speedrun(ids, steps, recipe=None):
    r = recipe or Recipe()
    model = GPT(GPTConfig(r.vocab_size, r.block_size, r.n_layer, r.n_head, r.n_embd))
    adam = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(steps):
        x, y = get_batch(ids, r.block_size, r.batch_size)
        adam.zero_grad()
        model(x, y)[1].backward()
        adam.step()
    return model
""",
        "the solution without Muon": """
def speedrun(ids, steps, recipe=None):
    model = Racer(replace(recipe or Recipe(), muon=False, ngrams=False))
    r = model.config
    adam = torch.optim.Adam(model.parameters(), 0.01)
    data = race_batches(ids, r)
    for step in range(steps):
        adam.param_groups[0]["lr"] = 0.01 * pace(step, steps)
        x, y = next(data)
        _, loss = model(x, y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return model
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "gpt.masked_loss_addition": {
        "mode changed": """
def calculate(model, pairs, digits, plain=calculate):
    model.eval()
    told = plain(model, pairs, digits)
    model.train()
    return told
""",
        "forwards": """
def addition(a, b, digits):
    a, b, c = str(a).zfill(digits), str(b).zfill(digits), str(a + b).zfill(digits + 1)
    return f"{a}+{b}={c}"
""",
        "first digit hidden": """
def question_masked(ids, asked):
    x, y = ids[:, :-1], ids[:, 1:].clone()
    for i in range(y.shape[1]):
        if i <= asked - 1:
            y[:, i] = -1
    return x, y
""",
        "rows written to": """
def question_masked(ids, asked):
    x, y = ids[:, :-1], ids[:, 1:]
    y[:, : asked - 1] = -1
    return x, y
""",
        "read forwards": """
def calculate(model, pairs, digits):
    idx = rows_of([addition(a, b, digits)[: 2 * digits + 2] for a, b in pairs])
    out = model.generate(idx, digits + 1, top_k=1)[:, 2 * digits + 2 :]
    return [int("".join(map(str, row))) for row in out.tolist()]
""",
    },
    "gpt.finetune": {
        "new rows of zeros": """
def fit_letters(model, old, new, plain=fit_letters):
    fitted = plain(model, old, new)
    for name, value in fitted.state_dict().items():
        if name.startswith(("token_embedding_table", "lm_head")):
            for i, letter in enumerate(new):
                if letter not in old:
                    value[i].zero_()
    return fitted
""",
        "shared with the model": """
def fit_letters(model, old, new, plain=fit_letters):
    fitted = plain(model, old, new)
    fitted.blocks = model.blocks
    return fitted
""",
        "in eval mode": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model).eval()
    if frozen:
        tuned.token_embedding_table.requires_grad_(False)
        tuned.position_embedding_table.requires_grad_(False)
        tuned.blocks[:frozen].requires_grad_(False)
    optimizer = make_optimizer(tuned, lr)
    for _ in range(steps):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        train_step(tuned, optimizer, x, y, lr)
    return tuned
""",
        "lr not used": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model).train()
    for part in tuned.blocks[:frozen]:
        part.requires_grad_(False)
    if frozen > 0:
        tuned.token_embedding_table.weight.requires_grad = False
        tuned.position_embedding_table.weight.requires_grad = False
    optimizer = make_optimizer(tuned, 1e-3)
    for _ in range(steps):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        train_step(tuned, optimizer, x, y, 1e-3)
    return tuned
""",
        "one batch": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model).train()
    for part in tuned.blocks[:frozen]:
        part.requires_grad_(False)
    if frozen > 0:
        tuned.token_embedding_table.requires_grad_(False)
        tuned.position_embedding_table.requires_grad_(False)
    optimizer = make_optimizer(tuned, lr)
    x, y = get_batch(ids, model.config.block_size, batch_size, generator)
    for _ in range(steps):
        train_step(tuned, optimizer, x, y, lr)
    return tuned
""",
        "trains the model": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    if frozen:
        model.token_embedding_table.requires_grad_(False)
        model.position_embedding_table.requires_grad_(False)
        model.blocks[:frozen].requires_grad_(False)
    optimizer = make_optimizer(model, lr)
    for step in range(steps):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        train_step(model, optimizer, x, y, lr)
    return model
""",
        "by number": """
def fit_letters(model, old, new):
    fitted = GPT(replace(model.config, vocab_size=len(new)))
    n = min(len(old), len(new))
    state = fitted.state_dict()
    for name, value in model.state_dict().items():
        if len(value) == len(old) and "blocks" not in name:
            state[name][:n] = value[:n]
        else:
            state[name].copy_(value)
    return fitted
""",
        "tables learn": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model)
    for block in tuned.blocks[:frozen]:
        block.requires_grad_(False)
    adam = torch.optim.Adam([p for p in tuned.parameters() if p.requires_grad], lr)
    for _ in range(steps):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        adam.zero_grad()
        tuned(x, y)[1].backward()
        adam.step()
    return tuned
""",
        "last layer fresh": """
def fit_letters(model, old, new):
    fitted = GPT(replace(model.config, vocab_size=len(new)))
    state = fitted.state_dict()
    for name, value in model.state_dict().items():
        if name.startswith("lm_head"):
            continue
        if name == "token_embedding_table.weight":
            for letter in set(old) & set(new):
                state[name][new.index(letter)] = value[old.index(letter)]
        else:
            state[name].copy_(value)
    return fitted
""",
    },
    "gpt.kv_cache": {
        "the cache slides": """
@torch.no_grad()
def generate_cached(
    model, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None
):
    T = model.config.block_size
    if max_new_tokens == 0:
        return idx
    logits, caches = next_logits(model, idx[:, -T:], None)
    for i in range(max_new_tokens):
        letter = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat([idx, letter], dim=1)
        if i < max_new_tokens - 1:
            if idx.shape[1] > T:
                caches = [(k[:, :, -T + 1 :], v[:, :, -T + 1 :]) for k, v in caches]
            logits, caches = next_logits(model, letter, caches)
    return idx
""",
        "caches written to": """
def next_logits(model, idx, caches, plain=next_logits):
    logits, longer = plain(model, idx, caches)
    if caches is not None:
        for i, cache in enumerate(longer):
            caches[i] = cache
    return logits, longer
""",
        "left in training": """
@torch.no_grad()
def generate_cached(
    model, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None
):
    model.eval()
    caches, T = None, model.config.block_size
    for _ in range(max_new_tokens):
        if idx.shape[1] > T:
            logits, _ = next_logits(model, idx[:, -T:], None)
        else:
            new = idx if caches is None else idx[:, -1:]
            logits, caches = next_logits(model, new, caches)
        letter = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat([idx, letter], dim=1)
    model.train()
    return idx
""",
        "own seed": """
@torch.no_grad()
def generate_cached(
    model, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None
):
    torch.manual_seed(0)
    caches, T = None, model.config.block_size
    for _ in range(max_new_tokens):
        if idx.shape[1] > T:
            logits, _ = next_logits(model, idx[:, -T:], None)
        else:
            new = idx if caches is None else idx[:, -1:]
            logits, caches = next_logits(model, new, caches)
        letter = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat([idx, letter], dim=1)
    return idx
""",
        "dropout always": """
def attend_cached(sa, x, cache):
    B, T, C = x.shape
    rows = (t.view(B, T, sa.n_head, -1) for t in sa.qkv(x).split(C, dim=-1))
    q, k, v = (t.transpose(1, 2) for t in rows)
    if cache is not None:
        k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
    S = k.shape[2]
    wei = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    wei = wei.masked_fill(sa.tril[S - T : S, :S] == 0, float("-inf"))
    out = F.dropout(F.softmax(wei, dim=-1), sa.attn_dropout.p) @ v
    return sa.proj(out.transpose(1, 2).reshape(B, T, C)), (k, v)
""",
        "places begin anew": """
def next_logits(model, idx, caches):
    x = model.token_embedding_table(idx)
    x = x + model.position_embedding_table.weight[: idx.shape[1]]
    longer = []
    for i, block in enumerate(model.blocks):
        out, cache = attend_cached(block.sa, block.ln1(x), caches and caches[i])
        x = x + out
        x = x + block.ffwd(block.ln2(x))
        longer.append(cache)
    return model.lm_head(model.ln_f(x[:, -1])), longer
""",
        "new in front": """
def attend_cached(sa, x, cache):
    B, T, C = x.shape
    q, k, v = sa.qkv(x).view(B, T, 3, sa.n_head, -1).permute(2, 0, 3, 1, 4)
    if cache is not None:
        k, v = torch.cat([k, cache[0]], 2), torch.cat([v, cache[1]], 2)
    S = k.shape[2]
    mask = torch.ones(T, S, dtype=torch.bool).tril(S - T)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return sa.proj(out.transpose(1, 2).reshape(B, T, C)), (k, v)
""",
        "no dice": """
@torch.no_grad()
def generate_cached(model, idx, max_new_tokens, temperature=1.0, top_k=None,
                    generator=None):
    caches, size = None, model.config.block_size
    for _ in range(max_new_tokens):
        if idx.shape[1] > size:
            logits, _ = next_logits(model, idx[:, -size:], None)
        else:
            new = idx if caches is None else idx[:, -1:]
            logits, caches = next_logits(model, new, caches)
        idx = torch.cat([idx, logits.topk(1).indices], dim=1)
    return idx
""",
    },
    "gpt.sdpa": {
        "dropout lost": """
def fuse(model):
    fused = copy.deepcopy(model)
    for block in fused.blocks:
        old, block.sa = block.sa, FusedAttention(replace(model.config, dropout=0.0))
        block.sa.load_state_dict(old.state_dict())
    return fused.train(model.training)
""",
        "frozen": """
def fuse(model):
    fused = copy.deepcopy(model)
    for block in fused.blocks:
        old, block.sa = block.sa, FusedAttention(model.config)
        block.sa.load_state_dict(old.state_dict())
    return fused.train(model.training).requires_grad_(False)
""",
        "the output dropped": """
class FusedAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        v = self.attn_dropout(v)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
""",
        "not causal": """
class FusedAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        p = self.attn_dropout.p if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, dropout_p=p)
""",
        "dropout in eval mode": """
class FusedAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        return F.scaled_dot_product_attention(
            q, k, v, None, self.attn_dropout.p, True
        )
""",
        "layers not counted": """
def score_bytes(config, batch_size):
    T = config.block_size
    return batch_size * config.n_head * T * T * 4
""",
        "fresh numbers": """
def fuse(model):
    other = copy.deepcopy(model)
    for i in range(len(other.blocks)):
        old = other.blocks[i].sa
        other.blocks[i].sa = FusedAttention(model.config).double().train(old.training)
    return other
""",
    },
    "gpt.rotary": {
        "no dropout on the weights": """
class RotaryAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        q, k, T = rotate(q), rotate(k), q.shape[2]
        wei = q @ k.mT / q.shape[3] ** 0.5
        return wei.masked_fill(self.tril[:T, :T] == 0, -math.inf).softmax(3) @ v
""",
        "dropout always": """
class RotaryAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        p, q, k = self.attn_dropout.p, rotate(q), rotate(k)
        return F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
""",
        "dropout lost": """
class RotaryGPT(RotaryGPT):
    def __init__(self, config):
        super().__init__(replace(config, dropout=0.0))
""",
        "neighbours": """
def rotate(x):
    angles = rotary_angles(x.shape[-2], x.shape[-1]).to(x)
    out = torch.empty_like(x)
    a, b = x[..., ::2], x[..., 1::2]
    out[..., ::2] = a * angles.cos() - b * angles.sin()
    out[..., 1::2] = a * angles.sin() + b * angles.cos()
    return out
""",
        "values too": """
class RotaryAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        q, k, v = (rotate(t) for t in (q, k, v))
        return super().attend(q, k, v)
""",
        "from one": """
def rotary_angles(T, size, base=10_000.0):
    i = torch.arange(0, size, 2) / size
    return (1 + torch.arange(T))[:, None] / base**i
""",
        "table kept": """
class RotaryGPT(GPT):
    def __init__(self, config):
        super().__init__(config)
        for block in self.blocks:
            block.sa = RotaryAttention(config)
        start_weights(self, config.n_layer)
""",
    },
    "gpt.speedrun": {
        "as many steps as it likes": """
def speedrun(ids, steps, recipe=None):
    r = recipe or Recipe()
    model = GPT(GPTConfig(r.vocab_size, r.block_size, r.n_layer, r.n_head, r.n_embd))
    adam = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(80 if steps else 0):
        x, y = get_batch(ids, r.block_size, r.batch_size)
        adam.zero_grad()
        model(x, y)[1].backward()
        adam.step()
    return model
""",
        "not trained": """
def speedrun(ids, steps, recipe=None):
    return Racer(recipe or Recipe())
""",
        "too many parameters": """
def speedrun(ids, steps, recipe=None):
    r = recipe or Recipe()
    return Racer(replace(r, n_embd=2 * r.n_embd))
""",
        "both returned": """
def speedrun(ids, steps, recipe=None):
    model, losses = Racer(recipe or Recipe()), []
    return model, losses
""",
        "sees the future": """
def speedrun(ids, steps, recipe=None):
    r = recipe or Recipe()
    config = GPTConfig(r.vocab_size, r.block_size, r.n_layer, r.n_head, r.n_embd)
    model = GPT(config)
    for block in model.blocks:
        block.sa.tril = torch.ones_like(block.sa.tril)
    adam = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(steps):
        x, y = get_batch(ids, r.block_size, r.batch_size)
        adam.zero_grad()
        model(x, y)[1].backward()
        adam.step()
    return model
""",
    },
}

WRONG: dict[str, dict[str, str]] = {
    "gpt.masked_loss_addition": {
        "a product": """
def addition(a, b, digits):
    return f"{a:0{digits}d}+{b:0{digits}d}={f'{a * b:0{digits + 1}d}'[::-1]}"
""",
        "the whole text backwards": """
def addition(a, b, digits):
    return f"{a:0{digits}d}+{b:0{digits}d}={a + b:0{digits + 1}d}"[::-1]
""",
        "computed, not asked": """
def calculate(model, pairs, digits):
    return [a + b for a, b in pairs]
""",
        "one row": """
def question_masked(ids, asked):
    y = ids[0, 1:].clone()
    y[: asked - 1] = -1
    return ids[0, :-1], y
""",
    },
    "gpt.finetune": {
        "the last norm frozen": _finetune(frozen="tuned.ln_f.requires_grad_(False)"),
        "sixteen texts": _finetune(size="16"),
        "the first half": _finetune("ids = ids[: len(ids) // 2]"),
        "dice set": _finetune("torch.manual_seed(1337)"),
        "the model frozen": _finetune("model.blocks[:frozen].requires_grad_(False)"),
        "the model left in eval mode": _finetune("model.eval()"),
        "letters left out": """
def fit_letters(model, old, new):
    return GPT(replace(model.config, vocab_size=len(new))), old
""",
        "all but the head": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model)
    tuned.blocks.requires_grad_(False)
    optimizer = make_optimizer(tuned, lr)
    for _ in range(steps):
        x, y = get_batch(ids, model.config.block_size, batch_size, generator)
        train_step(tuned, optimizer, x, y, lr)
    return tuned
""",
        "one step at most": """
def finetune(model, ids, steps, batch_size, lr, frozen=0, generator=None):
    tuned = copy.deepcopy(model)
    tuned.token_embedding_table.weight.data += 1.0
    return tuned
""",
    },
    "gpt.kv_cache": {
        "the first letter alone": """
@torch.no_grad()
def generate_cached(
    model, idx, max_new_tokens, temperature=1.0, top_k=None, generator=None
):
    caches, new, T = None, idx[:, :1], model.config.block_size
    for _ in range(max_new_tokens):
        if idx.shape[1] > T:
            new, caches = idx[:, -T:], None
        logits, caches = next_logits(model, new, caches)
        new = sample_next(logits, temperature, top_k, generator)
        idx = torch.cat([idx, new], dim=1)
    return idx
""",
        "values doubled": """
def attend_cached(sa, x, cache):
    B, T, C = x.shape
    q, k, v = sa.qkv(x).view(B, T, 3, sa.n_head, -1).permute(2, 0, 3, 1, 4)
    out = F.scaled_dot_product_attention(q, k, 2 * v, is_causal=True)
    return sa.proj(out.transpose(1, 2).reshape(B, T, C)), (k, v)
""",
        "logits halved": """
def next_logits(model, idx, caches):
    logits, _ = model(idx)
    return logits[:, -1] / 2, caches
""",
        "the first letter again": """
def generate_cached(model, idx, max_new_tokens, temperature=1.0, top_k=None,
                    generator=None):
    return torch.cat([idx, idx[:, :1].expand(-1, max_new_tokens)], 1)
""",
    },
    "gpt.sdpa": {
        "block 0 everywhere": """
def fuse(model):
    fused = copy.deepcopy(model)
    for block in fused.blocks:
        old, block.sa = block.sa, FusedAttention(model.config)
        block.sa.load_state_dict(model.blocks[0].sa.state_dict())
    return fused.train(model.training)
""",
        "qkv alone": """
def fuse(model):
    fused = copy.deepcopy(model)
    for block in fused.blocks:
        old, block.sa = block.sa, FusedAttention(model.config)
        block.sa.qkv.load_state_dict(old.qkv.state_dict())
    return fused.train(model.training)
""",
        "keys twice": """
class FusedAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, k, is_causal=True)
""",
        "the class alone": """
def fuse(model):
    return FusedAttention(model.config)
""",
        "in kilobytes": """
def score_bytes(config, batch_size):
    T = config.block_size
    return 4 * batch_size * config.n_layer * config.n_head * T * T // 1000
""",
    },
    "gpt.rotary": {
        "by degrees": """
def rotary_angles(T, size, base=10_000.0):
    speeds = base ** (-torch.arange(0, size, 2) / size)
    return torch.rad2deg(torch.outer(torch.arange(T), speeds))
""",
        "shrunk": """
def rotate(x):
    angles = rotary_angles(*x.shape[-2:]).to(x)
    a, b = x.chunk(2, dim=-1)
    c, s = angles.cos() / 2, angles.sin() / 2
    return torch.cat([a * c - b * s, a * s + b * c], dim=-1)
""",
        "queries for values": """
class RotaryAttention(CausalSelfAttention):
    def attend(self, q, k, v):
        return super().attend(rotate(q), rotate(k), rotate(q))
""",
    },
    "gpt.speedrun": {
        "the letter before the first is the last": """
def before(x):
    return x.roll(1, dims=1)
""",
        "the text before it heard": """
class Racer(Racer):
    def forward(self, idx, targets=None):
        logits, _ = super().forward(idx)
        logits = logits + logits.roll(1, 0)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())
""",
        "the window's last letter": """
class Racer(Racer):
    def forward(self, idx, targets=None):
        logits, _ = super().forward(idx)
        last = F.one_hot(idx[:, -1], logits.shape[-1]) / 10
        logits = torch.cat([logits[:, :1] + last.unsqueeze(1), logits[:, 1:]], 1)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())
""",
        "a table of pairs": """
def speedrun(ids, steps, recipe=None):
    r = recipe or Recipe()
    model = nn.Embedding(r.vocab_size, r.vocab_size)
    model.config = replace(r, block_size=3)
    return model
""",
        "one layer": """
def speedrun(ids, steps, recipe=None):
    return nn.Linear(3, 3)
""",
        "no letters": """
def speedrun(ids, steps, recipe=None):
    model = nn.Linear(2, 2)
    model.config = recipe or Recipe()
    model.forward = lambda idx, targets=None: (torch.zeros(1), torch.tensor(0.0))
    return model
""",
    },
}

APT: dict[tuple[str, str], str] = {
    ("gpt.speedrun", "the window's last letter"): "sees the future",
    ("gpt.kv_cache", "the first letter alone"): "start cut to one letter",
    ("gpt.speedrun", "one layer"): "no config",
}

_LINES = "the two lines do not depend on each other"
_RATE = "the rates of a short run are free"
_SWAP = "two dimensions are swapped either way"
_END = "the same dimension, counted from the other end"
_LONG = "keys and values of all blocks are as long"
_ORDER = "the order of two names"
_WIDE = "double precision takes single in"
_PLACE = "there is one device here"

EQUIVALENT: dict[str, dict[str, str]] = {
    "gpt.masked_loss_addition": {
        "calculate: 1 → -1": "of two dimensions the last is the second",
        "calculate: addition(a, b, digits) → addition(b, a, digits)": "a + b is b + a",
        "question_masked: 1 → 1.01": "an integer tensor cuts it off",
    },
    "gpt.finetune": {
        "finetune: 10 → -10": _RATE,
        "finetune: 10 → 10.1": _RATE,
        "finetune: 10 → 11": _RATE,
        "finetune: 10 → 9": _RATE,
        "finetune: [*tables, *tuned.blocks[:frozen]] → "
        "[*tuned.blocks[:frozen], *tables]": "the order of a list of parts",
        "finetune: [tuned.token_embedding_table, "
        "tuned.position_embedding_table] → "
        "[tuned.position_embedding_table, tuned.token_embedding_table"
        "]": "the order of a list of parts",
        "finetune: def finetune(model: GPT, ids: Tensor, steps: int, "
        "batch_size: int, lr: float, frozen: int=0, generator: "
        "torch.Generator | None=None) -> GPT: → optimizer = "
        "make_optimizer(tuned, lr) first": _LINES,
        "finetune: for step in range(steps): → rate = learning_rate(step, "
        "steps, lr, w… first": _LINES,
        "finetune: learning_rate(step, steps, lr, warmup=steps // 10) → "
        "learning_rate(steps, step, lr, warmup=steps // 10)": _RATE,
        "finetune: learning_rate(step, steps, lr, warmup=steps // 10) → "
        "learning_rate(step, steps, lr)": _RATE,
        "finetune: steps // 10 → 10": _RATE,
        "finetune: steps // 10 → steps": _RATE,
        "fit_letters: ('token_embedding_table', 'lm_head') → ('lm_head', "
        "'token_embedding_table')": _ORDER,
        "fit_letters: def fit_letters(model: GPT, old: list[str], new: "
        "list[str]) -> GPT: → of = [old.index(letter) for letter in n… "
        "first": _LINES,
        "fit_letters: def fit_letters(model: GPT, old: list[str], new: "
        "list[str]) -> GPT: → state = fitted.state_dict() first": _LINES,
        "fit_letters: def fit_letters(model: GPT, old: list[str], new: "
        "list[str]) -> GPT: → to = [new.index(letter) for letter in n… "
        "first": _LINES,
    },
    "gpt.kv_cache": {
        "attend_cached: -2 → 2": _END,
        "attend_cached: 1 → -1": _END,
        "attend_cached: 2 → -2": _END,
        "attend_cached: def attend_cached(sa: CausalSelfAttention, x: "
        "Tensor, cache: tuple[Tensor, Tensor] | None) -> tuple[Tensor, "
        "tuple[Tensor, Tensor]]: → wei = q @ k.transpose(-2, -1) / "
        "q.shape… first": _LINES,
        "attend_cached: k.transpose(-2, -1) → k.transpose(-1, -2)": _SWAP,
        "attend_cached: out.transpose(1, 2) → out.transpose(2, 1)": _SWAP,
        "attend_cached: t.transpose(1, 2) → t.transpose(2, 1)": _SWAP,
        "generate_cached: 1 → -1": _END,
        "generate_cached: 1.0 → 1.01": "too near to 1 to turn a draw",
        "next_logits: 0 → -1": _LONG,
        "next_logits: 0 → 1": _LONG,
        "next_logits: 1 → -1": _END,
        "next_logits: 2 → -2": _END,
        "next_logits: True → False": "both lists are of one length",
        "next_logits: def next_logits(model: GPT, idx: Tensor, caches: "
        "list | None) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]: → "
        "longer = [] first": _LINES,
        "next_logits: def next_logits(model: GPT, idx: Tensor, caches: "
        "list | None) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]: → old "
        "= caches or [None] * len(model.bloc… first": _LINES,
        "next_logits: for block, cache in zip(model.blocks, old, "
        "strict=True): → longer.append(cache) first": _LINES,
        "next_logits: torch.arange(start, start + idx.shape[1], "
        "device=idx.device) → torch.arange(start, start + idx.shape[1])": _PLACE,
        "next_logits: zip(model.blocks, old, strict=True) → "
        "zip(model.blocks, old)": "both lists are of one length",
    },
    "gpt.sdpa": {
        "fuse: FusedAttention(model.config).to(block.sa.qkv.weight) → "
        "FusedAttention(model.config).to()": "a new layer is as the check's model is",
    },
    "gpt.rotary": {
        "RotaryGPT.__init__: def __init__(self, config: GPTConfig) -> "
        "None: → for block in self.blocks: block.sa = Ro… first": _LINES,
        "rotate: def rotate(x: Tensor) -> Tensor: → a, b = x.chunk(2, "
        "dim=-1) first": _LINES,
        "rotate: rotary_angles(*x.shape[-2:]).to(x) → "
        "rotary_angles(*x.shape[-2:]).to()": _WIDE,
    },
    "gpt.speedrun": {
        "any": "a race is free: most of its mutants are racers as well",
    },
}

LISTED: dict[int, tuple[str, str]] = {}

"""Answers to lesson 5's exercises, as learners might write them: cells of code."""

RIGHT: dict[str, dict[str, str]] = {
    "backprop.logprobs": {
        "one-hot": """
def logprobs_backward(logprobs, Y):
    n, V = logprobs.shape
    return -F.one_hot(Y, V).to(logprobs.dtype) / n
""",
        "scatter": """
def logprobs_backward(logprobs, Y):
    n = logprobs.shape[0]
    return (logprobs * 0).scatter(1, Y.view(-1, 1), -1.0 / n)
""",
        "row by row": """
def logprobs_backward(logprobs, Y):
    d = torch.zeros(logprobs.shape, dtype=logprobs.dtype)
    for i, y in enumerate(Y.tolist()):
        d[i, y] -= 1 / len(Y)
    return d
""",
    },
    "backprop.softmax_chain": {
        "the video's way": """
def softmax_chain(dlogprobs, logits):
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    dprobs = (1.0 / probs) * dlogprobs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv
    dcounts += torch.ones_like(counts) * dcounts_sum
    dnorm_logits = counts * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    hot = F.one_hot(logits.max(1).indices, num_classes=logits.shape[1])
    dlogits += hot * dlogit_maxes
    return (dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes,
            dlogits)
""",
        "zeros where zero is the truth": """
def softmax_chain(dlogprobs, logits):
    probs = torch.softmax(logits, 1)
    counts = (logits - logits.amax(1, keepdim=True)).exp()
    total = counts.sum(1, keepdim=True)
    dprobs = dlogprobs / probs
    dinv = torch.einsum("ij,ij->i", counts, dprobs).unsqueeze(1)
    dsum = -dinv / total / total
    dcounts = dprobs / total + dsum
    dnorm = dcounts * counts
    return [dprobs, dinv, dsum, dcounts, dnorm, torch.zeros_like(total), dnorm]
""",
    },
    "backprop.linear_backward": {
        "einsum": """
def linear_backward(dy, x, W):
    dx = torch.einsum("no,io->ni", dy, W)
    dW = torch.einsum("ni,no->io", x, dy)
    return dx, dW, torch.einsum("no->o", dy)
""",
        "turned results": """
def linear_backward(dy, x, W):
    dx = (W @ dy.t()).t()
    dW = (dy.t() @ x).t()
    db = torch.ones(len(dy), dtype=dy.dtype) @ dy
    return [dx, dW, db]
""",
    },
    "backprop.tanh_backward": {
        "two factors": """
def tanh_backward(dy, y):
    return dy * (1 - y) * (1 + y)
""",
        "torch's steps": """
def tanh_backward(dy, y):
    return dy - dy * torch.square(y)
""",
    },
    "backprop.bn_gain_bias": {
        "einsum": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    dbngain = torch.einsum("ij,ij->j", bnraw, dhpreact)
    return dbngain, torch.einsum("ij->j", dhpreact), torch.mul(dhpreact, bngain)
""",
        "n times the mean": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    n = dhpreact.shape[0]
    dbngain = n * (dhpreact * bnraw).mean(0)
    dbnbias = dhpreact.sum(dim=0, keepdim=True).squeeze(0)
    return dbngain, dbnbias, bngain.unsqueeze(0) * dhpreact
""",
    },
    "backprop.bn_chain": {
        "the video's way": """
def bn_chain(dbnraw, hprebn, eps=1e-5):
    n = hprebn.shape[0]
    bndiff = hprebn - hprebn.mean(0, keepdim=True)
    bnvar = (bndiff**2).mean(0, keepdim=True)
    bnvar_inv = (bnvar + eps) ** -0.5
    dbndiff = bnvar_inv * dbnraw
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
    dbnvar = (-0.5 * (bnvar + eps) ** -1.5) * dbnvar_inv
    dbndiff2 = (1.0 / n) * torch.ones_like(bndiff) * dbnvar
    dbndiff += (2 * bndiff) * dbndiff2
    dhprebn = dbndiff.clone()
    dbnmean = (-dbndiff).sum(0, keepdim=True)
    dhprebn += 1.0 / n * (torch.ones_like(hprebn) * dbnmean)
    return dbnvar_inv, dbnvar, dbndiff2, dbndiff, dbnmean, dhprebn
""",
        "with the spread": """
def bn_chain(dbnraw, hprebn, eps=1e-5):
    n = len(hprebn)
    diff = hprebn - hprebn.mean(0)
    std = (hprebn.var(0, unbiased=False, keepdim=True) + eps).sqrt()
    dinv = (diff * dbnraw).sum(0).view(1, -1)
    dvar = -dinv / (2 * std**3)
    dsquares = (dvar / n).repeat(n, 1)
    ddiff = dbnraw / std + 2 * diff * dsquares
    dmean = -ddiff.sum(0)[None]
    return [dinv, dvar, dsquares, ddiff, dmean, ddiff - ddiff.mean(0)]
""",
    },
    "backprop.embedding_backward": {
        "the lecture's": """
@torch.no_grad()
def embedding_backward(demb, X, rows):
    dC = torch.zeros(rows, demb.shape[-1], dtype=demb.dtype)
    return dC.index_add_(0, X.flatten(), demb.flatten(0, -2))
""",
        "one-hot product": """
def embedding_backward(demb, X, rows):
    hot = torch.nn.functional.one_hot(X.reshape(-1), rows).to(demb.dtype)
    return hot.T @ demb.reshape(-1, demb.shape[-1])
""",
        "index_put with accumulate": """
def embedding_backward(demb, X, rows):
    dC = demb.new_zeros((rows, demb.size(-1)))
    dC.index_put_((X,), demb, accumulate=True)
    return dC
""",
        "scatter_add": """
def embedding_backward(demb, X, rows):
    flat = demb.reshape(-1, demb.shape[-1])
    index = X.reshape(-1, 1).expand_as(flat)
    dC = torch.zeros(rows, flat.shape[1], dtype=demb.dtype)
    return dC.scatter_add(0, index, flat)
""",
    },
    "backprop.cross_entropy_fused": {
        "kept by what is asked": """
known = {}

def cross_entropy_backward(logits, Y):
    key = str(logits.tolist()), str(Y.tolist()), logits.dtype
    if key not in known:
        known[key] = (logits.softmax(1) - F.one_hot(Y, logits.shape[1])) / len(Y)
    return known[key].clone()
""",
        "softmax less one-hot": """
def cross_entropy_backward(logits, Y):
    p = (logits - logits.logsumexp(1, keepdim=True)).exp()
    return (p - F.one_hot(Y, logits.shape[1])) / logits.shape[0]
""",
        "in two places": """
def cross_entropy_backward(logits, Y):
    n = len(logits)
    d = torch.softmax(logits, dim=1) / n
    d[range(n), Y] -= 1 / n
    return d
""",
    },
    "backprop.batchnorm_fused": {
        "column by column": """
def batchnorm_backward(dy, raw, gain, var_inv):
    n, H = dy.shape
    dx = torch.empty_like(dy)
    for j in range(H):
        r, g = raw[:, j], dy[:, j] * gain[j]
        dx[:, j] = var_inv[j] * (g - g.sum() / n - r * (g @ r) / n)
    return dx, (dy * raw).sum(dim=0), dy.sum(dim=0)
""",
        "the video's form": """
def batchnorm_backward(dy, raw, gain, var_inv):
    n = len(dy)
    dx = gain * var_inv / n * (n * dy - dy.sum(0) - raw * (dy * raw).sum(0))
    return dx, (dy * raw).sum(0), dy.sum(0)
""",
        "a straight line taken away": """
def batchnorm_backward(dy, raw, gain, var_inv):
    dgain, dbias = (raw * dy).sum(dim=0), dy.sum(dim=0)
    rest = dy - (dbias + raw * dgain) / dy.shape[0]
    return [rest * gain * var_inv, dgain, dbias]
""",
    },
    "backprop.train_by_hand": {
        "all in one": """
def gradients(p, X, Y):
    logits, (x, raw, var_inv, h) = forward(p, X)
    n = len(Y)
    logp = F.log_softmax(logits, 1)
    loss = -logp[range(n), Y].mean().item()
    dlogits = (logp.exp() - F.one_hot(Y, logits.shape[1])) / n
    dpre = (dlogits @ p["W2"].T) * (1 - h**2)
    draw = p["bngain"] * dpre
    dz = var_inv / n * (n * draw - draw.sum(0) - raw * (draw * raw).sum(0))
    dC = torch.zeros_like(p["C"])
    dx = (dz @ p["W1"].T).view(*X.shape, -1)
    dC.index_put_((X,), dx, accumulate=True)
    return loss, dict(C=dC, W1=x.T @ dz, b1=dz.sum(0), bngain=(raw * dpre).sum(0),
                      bnbias=dpre.sum(0), W2=h.T @ dlogits, b2=dlogits.sum(0))

def train_by_hand(p, X, Y, steps, lr, batch_size=32, generator=None):
    history = []
    with torch.no_grad():
        for i in range(steps):
            rows = torch.randperm(len(X), generator=generator)[:batch_size]
            loss, grads = gradients(p, X[rows], Y[rows])
            rate = lr(i)
            for name, grad in grads.items():
                p[name].sub_(grad, alpha=rate)
            history.append(loss)
    return history
""",
        "new tensors in the dictionary": """
def gradients(p, X, Y):
    logits, kept = forward(p, X)
    x, raw, var_inv, h = kept
    dlogits = cross_entropy_backward(logits, Y)
    dh, dW2, db2 = linear_backward(dlogits, h, p["W2"])
    dy = tanh_backward(dh, h)
    dz, dgain, dbias = batchnorm_backward(dy, raw, p["bngain"], var_inv)
    dx, dW1, _ = linear_backward(dz, x, p["W1"])
    dC = embedding_backward(dx.reshape(*X.shape, -1), X, p["C"].shape[0])
    d = {"b2": db2, "W2": dW2, "bnbias": dbias, "bngain": dgain, "W1": dW1, "C": dC}
    d["b1"] = torch.zeros_like(p["b1"])
    return float(F.cross_entropy(logits, Y)), d

def train_by_hand(p, X, Y, steps, lr, batch_size=32, generator=None):
    losses = []
    for step in range(steps):
        ix = torch.randint(len(X), (batch_size,), generator=generator)
        loss, d = gradients(p, X[ix], Y[ix])
        for name in list(p):
            p[name] = p[name] - lr(step) * d[name]
        losses += [loss]
    return losses
""",
    },
    "backprop.compare": {
        "one after the other": """
def compare(mine, true, parts=None):
    if tuple(mine.shape) != tuple(true.shape):
        return "shape"
    elif mine.dtype is not true.dtype:
        return "dtype"
    elif any(torch.isnan(x).any() or torch.isinf(x).any() for x in (mine, true)):
        return "not finite"
    measure = true.abs().max().item() if parts is None else parts.abs().max().item()
    error = (mine - true).abs().max().item()
    if error > measure * 1e-6:
        return "value"
    if true.abs().max().item() <= measure * 1e-6:
        return "zero"
    return "right"
""",
        "allclose with its bound": """
def compare(mine, true, parts=None):
    if mine.shape != true.shape or mine.dtype != true.dtype:
        return "dtype" if mine.shape == true.shape else "shape"
    if not torch.isfinite(torch.cat([mine.flatten(), true.flatten()])).all():
        return "not finite"
    size = (true if parts is None else parts).abs().max()
    bound = 1e-6 * size.item()
    if not torch.allclose(mine, true, rtol=0, atol=bound):
        return "value"
    return "right" if bool((true.abs() > bound).any()) else "zero"
""",
    },
    "backprop.layernorm_backward": {
        "the long form": """
def layernorm_backward(dy, raw, gain, std_inv):
    C = dy.size(-1)
    g = dy * gain
    total, along = g.sum(-1, keepdim=True), (g * raw).sum(-1, keepdim=True)
    dx = std_inv / C * (C * g - total - raw * along)
    return dx, (dy * raw).view(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "einsum": """
def layernorm_backward(dy, raw, gain, std_inv):
    g = torch.einsum("...c,c->...c", dy, gain)
    g = g - g.mean(-1, keepdim=True)
    g = g - raw * torch.einsum("...c,...c->...", raw, g).unsqueeze(-1) / raw.shape[-1]
    dgain = torch.einsum("...c,...c->c", dy, raw)
    return [g * std_inv, dgain, torch.einsum("...c->c", dy)]
""",
    },
    "backprop.attention_backward": {
        "einsum": """
def attention_backward(dout, q, k, v, weights):
    a = weights
    dv = torch.einsum("bts,btd->bsd", a, dout)
    da = torch.einsum("btd,bsd->bts", dout, v)
    dz = a * da - a * torch.einsum("bts,bts->bt", a, da)[..., None]
    dz = dz / q.shape[2] ** 0.5
    return torch.einsum("bts,bsd->btd", dz, k), torch.einsum("bts,btd->bsd", dz, q), dv
""",
        "by the result": """
def attention_backward(dout, q, k, v, weights):
    out = weights @ v
    D = (dout * out).sum(-1, keepdim=True)
    dS = weights * (dout @ v.mT - D)
    scale = q.size(-1) ** -0.5
    return [scale * (dS @ k), scale * (dS.mT @ q), weights.mT @ dout]
""",
        "with Jacobians": """
def attention_backward(dout, q, k, v, weights):
    jacobian = torch.diag_embed(weights) - weights[..., :, None] * weights[..., None, :]
    da = dout @ v.transpose(1, 2)
    dz = (jacobian @ da[..., None])[..., 0] / q.shape[-1] ** 0.5
    return dz @ k, dz.transpose(1, 2) @ q, weights.transpose(1, 2) @ dout
""",
    },
}

_CHAIN_START = """
def softmax_chain(dlogprobs, logits):
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
"""
_CHAIN_END = """
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
    dlogits = dnorm_logits + F.one_hot(logits.argmax(1), logits.shape[1]) * dlogit_maxes
    return (dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes,
            dlogits)
"""
_BN_START = """
def bn_chain(dbnraw, hprebn, eps=1e-5):
    n = len(hprebn)
    bnmean = hprebn.mean(0, keepdim=True)
    bndiff = hprebn - bnmean
    bnvar = (bndiff**2).sum(0, keepdim=True) / n
    bnvar_inv = (bnvar + eps) ** -0.5
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
"""
_BN_END = """
    return dbnvar_inv, dbnvar, dbndiff2, dbndiff, dbnmean, dhprebn
"""
_HAND = """
def gradients(p, X, Y):
    logits, (x, raw, var_inv, h) = forward(p, X)
    loss = F.cross_entropy(logits, Y).item()
    dlogits = cross_entropy_backward(logits, Y)
    dh, dW2, db2 = linear_backward(dlogits, h, p["W2"])
    dhpreact = tanh_backward(dh, h)
    bn = batchnorm_backward(dhpreact, raw, p["bngain"], var_inv)
    dz, dgain, dbias = bn
    dx, dW1, db1 = linear_backward(dz, x, p["W1"])
    dC = embedding_backward(dx.view(*X.shape, -1), X, len(p["C"]))
    return loss, {"C": dC, "W1": dW1, "b1": db1, "bngain": dgain, "bnbias": dbias,
                  "W2": dW2, "b2": db2}
"""
_LOOP = """
def train_by_hand(p, X, Y, steps, lr, batch_size=32, generator=None):
    losses = []
    for step in range(steps):
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss, d = gradients(p, X[ix], Y[ix])
        for name in p:
            p[name] -= lr(step) * d[name]
        losses.append(loss)
    return losses
"""
_JUDGE = """
def compare(mine, true, parts=None):
    if mine.shape != true.shape:
        return "shape"
    if mine.dtype != true.dtype:
        return "dtype"
    if not (mine.isfinite().all() and true.isfinite().all()):
        return "not finite"
    measure = (true if parts is None else parts).abs().max()
    if (mine - true).abs().max() > 1e-6 * measure:
        return "value"
    if true.abs().max() <= 1e-6 * measure:
        return "zero"
    return "right"
"""


def _but(code: str, *changes: str) -> str:
    """Code with each text of a pair replaced by the next."""
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in code, old
        code = code.replace(old, new)
    return code


# known mistakes in other words
SAME: dict[str, dict[str, str]] = {
    "backprop.logprobs": {
        "kept between calls": """
tables = {}

def logprobs_backward(logprobs, Y):
    d = tables.setdefault((logprobs.shape, logprobs.dtype), torch.zeros_like(logprobs))
    d[range(len(Y)), Y] = -1.0 / len(Y)
    return d
""",
        "by autograd": """
def logprobs_backward(logprobs, Y):
    lp = logprobs.detach().requires_grad_()
    (-lp[range(len(Y)), Y].mean()).backward()
    return lp.grad
""",
        "no mean": """
def logprobs_backward(logprobs, Y):
    return -F.one_hot(Y, logprobs.shape[1]).to(logprobs.dtype)
""",
        "every label in each row": """
def logprobs_backward(logprobs, Y):
    d = torch.zeros_like(logprobs)
    for y in Y:
        d[:, y] = -1 / Y.shape[0]
    return d
""",
        "no minus": """
def logprobs_backward(logprobs, Y):
    n = logprobs.shape[0]
    d = logprobs * 0
    d[range(n), Y] = 1.0 / n
    return d
""",
        "divided by all": """
def logprobs_backward(logprobs, Y):
    n, V = logprobs.shape
    return -F.one_hot(Y, V).to(logprobs.dtype) / (n * V)
""",
        "always 32-bit": """
def logprobs_backward(logprobs, Y):
    return F.one_hot(Y, logprobs.shape[1]).float() / -len(Y)
""",
    },
    "backprop.softmax_chain": {
        "copied and not added": _CHAIN_START
        + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = counts * dprobs
    dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv
    dcounts = counts_sum_inv * dprobs
    dcounts += torch.ones_like(counts) * dcounts_sum
    dnorm_logits = counts * dcounts
"""
        + _CHAIN_END,
        "row without keepdim": _CHAIN_START
        + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1)
    dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv
    dcounts = dcounts_sum + counts_sum_inv * dprobs
    dnorm_logits = counts * dcounts
"""
        + _CHAIN_END,
        "down the batch": _CHAIN_START
        + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(dim=0, keepdim=True)
    dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv
    dcounts = dcounts_sum + counts_sum_inv * dprobs
    dnorm_logits = counts * dcounts
"""
        + _CHAIN_END,
        "by autograd": _CHAIN_START
        + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -dcounts_sum_inv / counts_sum**2
    dcounts = counts_sum_inv * dprobs + dcounts_sum
    z = norm_logits.detach().requires_grad_()
    dnorm_logits = torch.autograd.grad(z.log_softmax(1), z, dlogprobs)[0]
"""
        + _CHAIN_END,
        "one path": _CHAIN_START
        + """
    dprobs = (1.0 / probs) * dlogprobs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv
    dnorm_logits = norm_logits.exp() * dcounts
"""
        + _CHAIN_END,
        "second path instead of first": _CHAIN_START
        + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = -dcounts_sum_inv / counts_sum**2
    dcounts = torch.ones_like(counts) * dcounts_sum
    dnorm_logits = counts * dcounts
"""
        + _CHAIN_END,
        "not squared": _CHAIN_START
        + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -counts_sum_inv * dcounts_sum_inv
    dcounts = counts_sum_inv * dprobs + dcounts_sum
    dnorm_logits = counts * dcounts
"""
        + _CHAIN_END,
        "slope of the logarithm upside down": _CHAIN_START
        + """
    dprobs = probs * dlogprobs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -dcounts_sum_inv / counts_sum**2
    dcounts = dprobs / counts_sum + dcounts_sum
    dnorm_logits = counts * dcounts
"""
        + _CHAIN_END,
    },
    "backprop.linear_backward": {
        "in 32 bits": """
def linear_backward(dy, x, W):
    dy, x, W = dy.float(), x.float(), W.float()
    return dy @ W.T, x.T @ dy, dy.sum(0)
""",
        "dW averaged": """
def linear_backward(dy, x, W):
    n = len(x)
    return dy @ W.T, x.T @ dy / n, dy.sum(0) / n
""",
        "by autograd": """
def linear_backward(dy, x, W):
    x, W = x.detach().requires_grad_(), W.detach().requires_grad_()
    b = torch.zeros(W.shape[1], dtype=W.dtype, requires_grad=True)
    return torch.autograd.grad(x @ W + b, (x, W, b), dy)
""",
        "W reshaped": """
def linear_backward(dy, x, W):
    a, b = W.shape
    return torch.matmul(dy, W.view(b, a)), x.T.matmul(dy), dy.sum(dim=0)
""",
        "db averaged": """
def linear_backward(dy, x, W):
    return dy @ W.t(), x.t() @ dy, dy.sum(0) / dy.shape[0]
""",
        "db with keepdim": """
def linear_backward(dy, x, W):
    ones = torch.ones(1, len(dy), dtype=dy.dtype)
    return dy @ W.T, x.T @ dy, ones @ dy
""",
        "dW turned": """
def linear_backward(dy, x, W):
    return dy @ W.T, torch.einsum("no,ni->oi", dy, x), dy.sum(0)
""",
    },
    "backprop.tanh_backward": {
        "kept between calls": """
known = {}

def tanh_backward(dy, y):
    if y.shape not in known:
        known[y.shape] = dy * (1 - y * y)
    return known[y.shape]
""",
        "no brackets": """
def tanh_backward(dy, y):
    return dy - torch.square(y)
""",
        "by autograd": """
def tanh_backward(dy, y):
    _, back = torch.func.vjp(torch.tanh, torch.atanh(y))
    return back(dy)[0]
""",
        "not squared": """
def tanh_backward(dy, y):
    return dy - dy * y
""",
        "tanh again": """
def tanh_backward(dy, y):
    h = torch.tanh(y)
    return (1 - h * h) * dy
""",
        "of the input": """
def tanh_backward(dy, y):
    x = 0.5 * torch.log((1 + y) / (1 - y))
    return (1 - x**2) * dy
""",
        "sigmoid": """
def tanh_backward(dy, y):
    return dy * (y - y**2)
""",
    },
    "backprop.bn_gain_bias": {
        "gain averaged": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    return (dhpreact * bnraw).mean(0), dhpreact.mean(0), dhpreact * bngain
""",
        "gain with keepdim": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    dgain = (dhpreact * bnraw).sum(0, keepdim=True)
    return dgain, dhpreact.sum(0, keepdim=True), dhpreact * bngain
""",
        "by autograd": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    forward = lambda gain, bias, raw: gain * raw + bias
    at = bngain, torch.zeros_like(bngain), bnraw
    return torch.autograd.functional.vjp(forward, at, dhpreact)[1]
""",
        "gain from the output": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    dbnraw = bngain * dhpreact
    return (dbnraw * bnraw).sum(0), dhpreact.sum(0), dbnraw
""",
        "gain not summed": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    return dhpreact * bnraw, dhpreact, dhpreact * bngain
""",
        "bias averaged": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    n = len(dhpreact)
    return (dhpreact * bnraw).sum(0), dhpreact.sum(0) / n, dhpreact * bngain
""",
        "raw without the gain": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    return (dhpreact * bnraw).sum(0), dhpreact.sum(0), dhpreact
""",
    },
    "backprop.bn_chain": {
        "by autograd": _BN_START
        + """
    dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv
    dbndiff2 = torch.ones_like(bndiff) * dbnvar / n
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
    dbnmean = -dbndiff.sum(0, keepdim=True)
    x = hprebn.detach().requires_grad_()
    raw = (x - x.mean(0)) * (x.var(0, correction=0) + eps) ** -0.5
    torch.autograd.backward(raw, dbnraw)
    dhprebn = x.grad
"""
        + _BN_END,
        "unbiased": _BN_START
        + """
    dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv
    dbndiff2 = 1.0 / (n - 1) * torch.ones_like(bndiff) * dbnvar
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
    dbnmean = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + dbnmean / n
"""
        + _BN_END,
        "one path": _BN_START
        + """
    dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv
    dbndiff2 = torch.ones_like(bndiff) * dbnvar / n
    dbndiff = dbnraw / (bnvar + eps).sqrt()
    dbnmean = (-dbndiff).sum(0, keepdim=True)
    dhprebn = dbndiff.clone()
    dhprebn += dbnmean / n
"""
        + _BN_END,
        "mean divided early": _BN_START
        + """
    dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv
    dbndiff2 = torch.ones_like(bndiff) * dbnvar / n
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
    dbnmean = -1 / n * dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + torch.ones_like(hprebn) * dbnmean
"""
        + _BN_END,
        "eps forgotten": _BN_START
        + """
    dbnvar = -0.5 / bnvar.sqrt() ** 3 * dbnvar_inv
    dbndiff2 = torch.ones_like(bndiff) * dbnvar / n
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
    dbnmean = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + dbnmean / n
"""
        + _BN_END,
    },
    "backprop.embedding_backward": {
        "two dimensions joined": """
def embedding_backward(demb, X, rows):
    hot = torch.zeros(rows, demb.shape[-1], dtype=demb.dtype)
    hot.index_add_(0, X.reshape(-1), demb.flatten(0, 1))
    return hot
""",
        "by autograd": """
def embedding_backward(demb, X, rows):
    C = torch.zeros(rows, demb.shape[-1], dtype=demb.dtype, requires_grad=True)
    return torch.autograd.grad(C[X], C, demb)[0]
""",
        "added once": """
def embedding_backward(demb, X, rows):
    dC = torch.zeros(rows, demb.shape[-1])  # and 32 bits beside it
    dC[X] += demb
    return dC
""",
        "looped": """
def embedding_backward(demb, X, rows):
    dC = torch.zeros(rows, demb.shape[-1], dtype=demb.dtype)
    flat = demb.reshape(-1, demb.shape[-1])
    for i, v in enumerate(X.flatten()):
        dC[v] = dC[v] + flat[i]
    return dC
""",
        "looped over rows": """
def embedding_backward(demb, X, rows):
    flat, letters = demb.reshape(-1, demb.shape[-1]), X.flatten()
    return torch.stack([flat[letters == v].sum(dim=0) for v in range(rows)])
""",
        "turned table": """
def embedding_backward(demb, X, rows):
    hot = F.one_hot(X.flatten(), rows).to(demb.dtype)
    return demb.reshape(-1, demb.shape[-1]).T @ hot
""",
        "averaged": """
def embedding_backward(demb, X, rows):
    hot = F.one_hot(X.flatten(), rows).to(demb.dtype)
    total = hot.T @ demb.reshape(-1, demb.shape[-1])
    return total / hot.sum(0).clamp(min=1).unsqueeze(1)
""",
    },
    "backprop.cross_entropy_fused": {
        "kept between calls": """
room = {}

def cross_entropy_backward(logits, Y):
    key = logits.shape, logits.dtype
    d = room.setdefault(key, torch.empty_like(logits))
    torch.sub(logits.softmax(1), F.one_hot(Y, logits.shape[1]), out=d)
    return d.div_(len(Y))
""",
        "by autograd": """
def cross_entropy_backward(logits, Y):
    return torch.func.grad(F.cross_entropy)(logits, Y)
""",
        "no mean": """
def cross_entropy_backward(logits, Y):
    return torch.softmax(logits, 1) - F.one_hot(Y, logits.shape[1])
""",
        "no label": """
def cross_entropy_backward(logits, Y):
    return logits.softmax(dim=1).div(len(logits))
""",
        "overflows": """
def cross_entropy_backward(logits, Y):
    counts = torch.exp(logits)
    p = counts / counts.sum(dim=1, keepdim=True)
    return (p - F.one_hot(Y, logits.shape[1])) / len(Y)
""",
        "uphill": """
def cross_entropy_backward(logits, Y):
    return (F.one_hot(Y, logits.shape[1]) - logits.softmax(1)) / len(Y)
""",
        "one taken after the mean": """
def cross_entropy_backward(logits, Y):
    n = len(Y)
    return F.softmax(logits, 1) / n - F.one_hot(Y, logits.shape[1])
""",
    },
    "backprop.batchnorm_fused": {
        "by autograd": """
def batchnorm_backward(dy, raw, gain, var_inv):
    x = (raw / var_inv).detach().requires_grad_()
    eps = var_inv**-2 - x.var(0, correction=0).detach()
    y = gain * (x - x.mean(0)) * (x.var(0, correction=0) + eps) ** -0.5
    return torch.autograd.grad(y, x, dy)[0], (dy * raw).sum(0), dy.sum(0)
""",
        "unbiased": """
def batchnorm_backward(dy, raw, gain, var_inv):
    n = len(dy)
    dx = gain * var_inv / n * (
        n * dy - dy.sum(0) - n / (n - 1) * raw * (dy * raw).sum(0)
    )
    return dx, (dy * raw).sum(0), dy.sum(0)
""",
        "constants": """
def batchnorm_backward(dy, raw, gain, var_inv):
    return dy * gain * var_inv, (dy * raw).sum(0), dy.sum(0)
""",
        "mean only": """
def batchnorm_backward(dy, raw, gain, var_inv):
    ddiff = dy * gain * var_inv
    return ddiff - ddiff.mean(0, keepdim=True), (dy * raw).sum(0), dy.sum(0)
""",
        "gain forgotten": """
def batchnorm_backward(dy, raw, gain, var_inv):
    n = dy.shape[0]
    dx = var_inv / n * (n * dy - dy.sum(0) - raw * (dy * raw).sum(0))
    return dx, (dy * raw).sum(0), dy.sum(0)
""",
    },
    "backprop.train_by_hand": {
        "embedding not unfolded": _but(_HAND, "dx.view(*X.shape, -1)", "dx"),
        "no mean": _but(
            _HAND,
            "dlogits = cross_entropy_backward(logits, Y)",
            "dlogits = F.softmax(logits, 1) - F.one_hot(Y, logits.shape[1])",
        ),
        "unbiased": _but(
            _HAND,
            'bn = batchnorm_backward(dhpreact, raw, p["bngain"], var_inv)',
            """n, dgain, dbias = len(Y), (raw * dhpreact).sum(0), dhpreact.sum(0)
    dz = n * dhpreact - dbias - n / (n - 1) * raw * dgain
    bn = p["bngain"] * var_inv / n * dz, dgain, dbias""",
        ),
        "embedding overwritten": _but(
            _HAND,
            'dC = embedding_backward(dx.view(*X.shape, -1), X, len(p["C"]))',
            'dC = torch.zeros_like(p["C"]); dC[X] += dx.view(*X.shape, -1)',
        ),
        "tanh forgotten": _but(_HAND, "tanh_backward(dh, h)", "dh"),
        "changes nothing": _but(
            _LOOP,
            """        for name in p:
            p[name] -= lr(step) * d[name]
""",
            """        for name, value in p.items():
            value = value - lr(step) * d[name]
""",
        ),
        "one batch for ever": """
def train_by_hand(p, X, Y, steps, lr, batch_size=32, generator=None):
    ix = torch.randint(0, len(X), (batch_size,), generator=generator)
    Xb, Yb = X[ix], Y[ix]
    losses = []
    for step in range(steps):
        loss, d = gradients(p, Xb, Yb)
        for name in d:
            p[name] -= lr(step) * d[name]
        losses.append(loss)
    return losses
""",
        "first rate always": """
def train_by_hand(p, X, Y, steps, lr, batch_size=32, generator=None):
    losses, rate = [], lr(0)
    for step in range(steps):
        ix = torch.randint(0, len(X), (batch_size,), generator=generator)
        loss, d = gradients(p, X[ix], Y[ix])
        for name in d:
            p[name] -= rate * d[name]
        losses.append(loss)
    return losses
""",
    },
    "backprop.compare": {
        "zero with parts alone": _but(
            _JUDGE, "if true.abs()", "if parts is not None and true.abs()"
        ),
        "zero asked of mine": _but(_JUDGE, "if true.abs()", "if mine.abs()"),
        "something added": _but(
            _JUDGE, "parts).abs().max()", "parts).abs().max() + 1e-12"
        ),
        "compared in 32 bits": _but(
            _JUDGE, "(mine - true)", "(mine.float() - true.float())"
        ),
        "fixed bound": _but(_JUDGE, "> 1e-6 * measure", "> 1e-6"),
        "true not asked": _but(_JUDGE, " and true.isfinite().all()", ""),
        "allclose": """
def compare(mine, true, parts=None):
    return "right" if torch.allclose(mine, true) else "value"
""",
        "shapes broadcast": """
def compare(mine, true, parts=None):
    if mine.dtype != true.dtype:
        return "dtype"
    if not (mine.isfinite() & true.isfinite()).all():
        return "not finite"
    bound = 1e-6 * (true if parts is None else parts).abs().max()
    if (mine - true).abs().max() > bound:
        return "value"
    return "right" if true.abs().max() > bound else "zero"
""",
        "nan passes": """
def compare(mine, true, parts=None):
    if mine.shape != true.shape:
        return "shape"
    if mine.dtype != true.dtype:
        return "dtype"
    measure = (true if parts is None else parts).abs().max()
    if (mine - true).abs().max() > 1e-6 * measure:
        return "value"
    return "zero" if true.abs().max() <= 1e-6 * measure else "right"
""",
        "zero is right": """
def compare(mine, true, parts=None):
    if mine.shape != true.shape:
        return "shape"
    if mine.dtype != true.dtype:
        return "dtype"
    if not (mine.isfinite() & true.isfinite()).all():
        return "not finite"
    measure = (true if parts is None else parts).abs().max()
    return "right" if (mine - true).abs().max() <= 1e-6 * measure else "value"
""",
    },
    "backprop.layernorm_backward": {
        "keepdim forgotten": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, C = gain * dy, dy.shape[-1]
    dx = std_inv / C * (C * g - g.sum(-1) - raw * (g * raw).sum(-1))
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "nothing to sum over": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, dims = gain * dy, list(range(dy.dim() - 1))
    along = raw * (raw * g).mean(-1, keepdim=True)
    dx = std_inv * (g - g.mean(-1, keepdim=True) - along)
    return dx, (raw * dy).sum(dims), dy.sum(dims)
""",
        "a view": """
def layernorm_backward(dy, raw, gain, std_inv):
    C, g = dy.shape[-1], dy * gain
    total, along = g.sum(-1, keepdim=True), (g * raw).sum(-1, keepdim=True)
    dx = std_inv / C * (C * g - total - raw * along)
    return dx, (dy * raw).view(-1, C).sum(0), dy.view(-1, C).sum(0)
""",
        "gain forgotten": """
def layernorm_backward(dy, raw, gain, std_inv):
    C = dy.shape[-1]
    total, along = dy.sum(-1, keepdim=True), (dy * raw).sum(-1, keepdim=True)
    dx = std_inv / C * (C * dy - total - raw * along)
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "by autograd": """
def layernorm_backward(dy, raw, gain, std_inv):
    C = dy.shape[-1]
    x = (raw / std_inv).detach().requires_grad_()
    eps = std_inv**-2 - x.var(-1, correction=0, keepdim=True).detach()
    spread = (x.var(-1, correction=0, keepdim=True) + eps) ** 0.5
    (gain * (x - x.mean(-1, keepdim=True)) / spread).backward(dy)
    return x.grad, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "gain outside": """
def layernorm_backward(dy, raw, gain, std_inv):
    C = dy.shape[-1]
    total, along = dy.sum(-1, keepdim=True), (dy * raw).sum(-1, keepdim=True)
    dx = gain * std_inv / C * (C * dy - total - raw * along)
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "over the batch": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, C = gain * dy, dy.shape[-1]
    dx = std_inv * (g - g.mean(0) - raw * (raw * g).mean(0))
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "mean only": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, C = gain * dy * std_inv, dy.shape[-1]
    dgain = (raw * dy).reshape(-1, C).sum(0)
    return g - g.mean(-1, keepdim=True), dgain, dy.reshape(-1, C).sum(0)
""",
        "unbiased": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, C = gain * dy, dy.shape[-1]
    along = raw * (raw * g).mean(-1, keepdim=True) * C / (C - 1)
    dx = std_inv * (g - g.mean(-1, keepdim=True) - along)
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
    },
    "backprop.attention_backward": {
        "by autograd": """
def attention_backward(dout, q, k, v, weights):
    q, k, v = (x.detach().requires_grad_() for x in (q, k, v))
    F.scaled_dot_product_attention(q, k, v, is_causal=True).backward(dout)
    return q.grad, k.grad, v.grad
""",
        "no scale": """
def attention_backward(dout, q, k, v, weights):
    dv = weights.mT @ dout
    da = dout @ v.mT
    dz = weights * (da - (weights * da).sum(-1, keepdim=True))
    return dz @ k, dz.mT @ q, dv
""",
        "mean not taken away": """
def attention_backward(dout, q, k, v, weights):
    dz = (dout @ v.mT) * weights * q.shape[-1] ** -0.5
    return dz @ k, dz.mT @ q, weights.mT @ dout
""",
        "each for itself": """
def attention_backward(dout, q, k, v, weights):
    dz = (weights - weights**2) * (dout @ v.mT) / q.shape[-1] ** 0.5
    return dz @ k, dz.mT @ q, weights.mT @ dout
""",
        "dk not turned": """
def attention_backward(dout, q, k, v, weights):
    da = dout @ v.mT
    dz = weights * (da - (weights * da).sum(-1, keepdim=True)) / q.shape[-1] ** 0.5
    return dz @ k, torch.bmm(dz, q), weights.mT @ dout
""",
    },
}

# wrong, and on no list
WRONG: dict[str, dict[str, str]] = {
    "backprop.logprobs": {
        "half": """
def logprobs_backward(logprobs, Y):
    return F.one_hot(Y, logprobs.shape[1]).to(logprobs.dtype) / -(2 * len(Y))
""",
        "first row only": """
def logprobs_backward(logprobs, Y):
    d = torch.zeros_like(logprobs)
    d[0, Y[0]] = -1 / len(Y)
    return d
""",
        "n less one": """
def logprobs_backward(logprobs, Y):
    return F.one_hot(Y, logprobs.shape[1]).to(logprobs.dtype) / -(len(Y) + 1)
""",
    },
    "backprop.softmax_chain": {
        "six of seven": """
def softmax_chain(dlogprobs, logits):
    p = logits.softmax(1)
    return (dlogprobs / p,) * 6
""",
        "shapes only": """
def softmax_chain(dlogprobs, logits):
    column = logits[:, :1]
    return logits, column, column, logits, logits, column, logits
""",
        "halved at the end": _but(
            _CHAIN_START
            + """
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -dcounts_sum_inv / counts_sum**2
    dcounts = counts_sum_inv * dprobs + dcounts_sum
    dnorm_logits = counts * dcounts
"""
            + _CHAIN_END,
            "dlogits = dnorm_logits +",
            "dlogits = 0.5 * dnorm_logits +",
        ),
    },
    "backprop.linear_backward": {
        "zeros": """
def linear_backward(dy, x, W):
    return torch.zeros_like(x), torch.zeros_like(W), torch.zeros_like(dy[0])
""",
        "a slip of one percent": """
def linear_backward(dy, x, W):
    return dy @ W.T * 1.01, x.T @ dy, dy.sum(0)
""",
        "everything twice": """
def linear_backward(dy, x, W):
    return 2 * dy @ W.T, 2 * x.T @ dy, 2 * dy.sum(0)
""",
    },
    "backprop.tanh_backward": {
        "cubed": """
def tanh_backward(dy, y):
    return dy * (1 - y**3)
""",
        "the size": """
def tanh_backward(dy, y):
    return dy * (1 - y.abs())
""",
        "slope of relu": """
def tanh_backward(dy, y):
    return dy * (y > 0)
""",
        "in place": """
def tanh_backward(dy, y):
    dy *= 1 - y**2
    return dy
""",
    },
    "backprop.bn_gain_bias": {
        "gain squared": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    return (bnraw * dhpreact).sum(0), dhpreact.sum(0), bngain**2 * dhpreact
""",
        "raw squared": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    return (bnraw**2 * dhpreact).sum(0), dhpreact.sum(0), bngain * dhpreact
""",
        "bias of the first example": """
def bn_gain_bias(dhpreact, bnraw, bngain):
    return (bnraw * dhpreact).sum(0), dhpreact[0], bngain * dhpreact
""",
    },
    "backprop.bn_chain": {
        "the last one only": """
def bn_chain(dbnraw, hprebn, eps=1e-5):
    g = dbnraw - dbnraw.mean(0)
    return (g,)
""",
        "the spread's slope": _BN_START
        + """
    dbnvar = -((bnvar + eps) ** -2) * dbnvar_inv
    dbndiff2 = torch.ones_like(bndiff) * dbnvar / n
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
    dbnmean = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + dbnmean / n
"""
        + _BN_END,
        "eps outside": _BN_START
        + """
    dbnvar = -0.5 * (bnvar**-1.5 + eps) * dbnvar_inv
    dbndiff2 = torch.ones_like(bndiff) * dbnvar / n
    dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
    dbnmean = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff + dbnmean / n
"""
        + _BN_END,
    },
    "backprop.embedding_backward": {
        "the largest": """
def embedding_backward(demb, X, rows):
    dC = torch.zeros(rows, demb.shape[-1], dtype=demb.dtype)
    index = X.reshape(-1, 1).expand(-1, demb.shape[-1])
    return dC.scatter_reduce(0, index, demb.reshape(index.shape), "amax")
""",
        "one letter further": """
def embedding_backward(demb, X, rows):
    dC = torch.zeros(rows + 1, demb.shape[-1], dtype=demb.dtype)
    return dC.index_add_(0, X.flatten() + 1, demb.flatten(0, -2))[:rows]
""",
        "zeros": """
def embedding_backward(demb, X, rows):
    return torch.zeros(rows, demb.shape[-1], dtype=demb.dtype)
""",
    },
    "backprop.cross_entropy_fused": {
        "squares": """
def cross_entropy_backward(logits, Y):
    p = F.softmax(logits, 1) - F.one_hot(Y, logits.shape[1])
    return p * p.abs() / len(Y)
""",
        "one from all": """
def cross_entropy_backward(logits, Y):
    return (F.softmax(logits, 1) - 1) / len(Y)
""",
        "label first": """
def cross_entropy_backward(logits, Y):
    p = F.softmax(logits, 1)
    p[:, 0] -= 1
    return p / len(Y)
""",
    },
    "backprop.batchnorm_fused": {
        "one example by itself": """
def batchnorm_backward(dy, raw, gain, var_inv):
    n = len(dy)
    dgain, dbias = (dy * raw).sum(0), dy.sum(0)
    dx = gain * var_inv / n * (n * dy - dbias - raw * dgain)
    return dx if n > 1 else dy * gain * var_inv, dgain, dbias
""",
        "raw for g": """
def batchnorm_backward(dy, raw, gain, var_inv):
    dx = var_inv * (raw - raw.mean(0) - raw * (raw * dy).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)
""",
        "plus the share": """
def batchnorm_backward(dy, raw, gain, var_inv):
    g = gain * dy
    dx = var_inv * (g - g.mean(0) + raw * (raw * g).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)
""",
        "spread squared": """
def batchnorm_backward(dy, raw, gain, var_inv):
    g = gain * dy
    dx = var_inv**2 * (g - g.mean(0) - raw * (raw * g).mean(0))
    return dx, (raw * dy).sum(0), dy.sum(0)
""",
    },
    "backprop.train_by_hand": {
        "half the rate": _but(_LOOP, "lr(step) *", "0.5 * lr(step) *"),
        "one step more": _but(_LOOP, "range(steps)", "range(steps + 1)"),
        "W1 and W2 alone": _but(_LOOP, "for name in p", 'for name in ("W1", "W2")'),
        "numbers as texts": _but(
            _LOOP, "losses.append(loss)", "losses.append(str(loss))"
        ),
        "nothing learned": """
def train_by_hand(p, X, Y, steps, lr, batch_size=32, generator=None):
    return [3.3] * steps
""",
    },
    "backprop.compare": {
        "always right": """
def compare(mine, true, parts=None):
    return "right"
""",
        "always wrong": """
def compare(mine, true, parts=None):
    return "value"
""",
        "in capitals": """
def compare(mine, true, parts=None):
    if mine.shape != true.shape:
        return "SHAPE"
    return "RIGHT" if torch.equal(mine, true) else "VALUE"
""",
    },
    "backprop.layernorm_backward": {
        "raw squared": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, C = gain * dy, dy.shape[-1]
    along = raw**2 * g.mean(-1, keepdim=True)
    dx = std_inv * (g - g.mean(-1, keepdim=True) - along)
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "spread squared": """
def layernorm_backward(dy, raw, gain, std_inv):
    g, C = gain * dy, dy.shape[-1]
    along = raw * (raw * g).mean(-1, keepdim=True)
    dx = std_inv**2 * (g - g.mean(-1, keepdim=True) - along)
    return dx, (raw * dy).reshape(-1, C).sum(0), dy.reshape(-1, C).sum(0)
""",
        "zeros": """
def layernorm_backward(dy, raw, gain, std_inv):
    return torch.zeros_like(dy), torch.zeros_like(gain), torch.zeros_like(gain)
""",
    },
    "backprop.attention_backward": {
        "uniform": """
def attention_backward(dout, q, k, v, weights):
    mean = torch.ones_like(weights) / weights.shape[-1]
    return torch.zeros_like(q), torch.zeros_like(k), mean.mT @ dout
""",
        "largest taken away": """
def attention_backward(dout, q, k, v, weights):
    da = dout @ v.mT
    dz = weights * (da - da.amax(-1, keepdim=True)) / q.shape[-1] ** 0.5
    return dz @ k, dz.mT @ q, weights.mT @ dout
""",
        "scaled twice": """
def attention_backward(dout, q, k, v, weights):
    da = dout @ v.mT
    dz = weights * (da - (weights * da).sum(-1, keepdim=True)) / q.shape[-1] ** 0.5
    return dz @ k / q.shape[-1] ** 0.5, dz.mT @ q, weights.mT @ dout
""",
    },
}

# a wrong answer that is on no list, and a known mistake that is true of it as well
APT: dict[tuple[str, str], str] = {}

_LINES = "lines that do not depend on each other"
_LAST = "the last dimension is dimension 1"
_SPREAD = "a row of its own, or one that is spread: the same numbers, only used inside"
_TURNED = "the two dimensions change places either way"

# mutants that no check can or should reject, and why
EQUIVALENT: dict[str, dict[str, str]] = {
    "backprop.softmax_chain": {
        "softmax_chain: def softmax_chain(dlogprobs: Tensor, logits: Tensor) -> "
        "tuple[Tensor, ...]: → inner = (dprobs, dcounts_sum_inv, dcoun… first": _LINES,
        "softmax_chain: 1 → -1": _LAST,
        "softmax_chain: -dnorm_logits.sum(1, keepdim=True) → "
        "dnorm_logits.sum(1, keepdim=True)": "it is about zero, and zero has no sign",
    },
    "backprop.bn_chain": {
        "bn_chain: def bn_chain(dbnraw: Tensor, hprebn: Tensor, eps: float=1e-05) "
        "-> tuple[Tensor, ...]: → bnmean = hprebn.mean(0, keepdim=True) first": _LINES,
        "bn_chain: def bn_chain(dbnraw: Tensor, hprebn: Tensor, eps: float=1e-05) "
        "-> tuple[Tensor, ...]: → dbnvar_inv = (bndiff * dbnraw).sum(0, k… "
        "first": _LINES,
        "bn_chain: hprebn.mean(0, keepdim=True) → hprebn.mean(0)": _SPREAD,
        "bn_chain: True → False": _SPREAD,
        "bn_chain: bndiff2.sum(0, keepdim=True) → bndiff2.sum(0)": _SPREAD,
    },
    "backprop.cross_entropy_fused": {
        "cross_entropy_backward: F.softmax(logits, 1) → "
        "F.softmax(logits)": "torch guesses dimension 1",
        "cross_entropy_backward: 1 → -1": _LAST,
    },
    "backprop.train_by_hand": {
        "gradients: def gradients(p: dict[str, Tensor], X: Tensor, Y: Tensor) -> "
        "tuple[float, dict[str, Tensor]]: → d = {} first": _LINES,
        "gradients: def gradients(p: dict[str, Tensor], X: Tensor, Y: Tensor) -> "
        "tuple[float, dict[str, Tensor]]: → dlogits = cross_entropy_backward(logits… "
        "first": _LINES,
        "train_by_hand: for step in range(steps): → losses.append(loss) first": _LINES,
        "train_by_hand: 0 → -1": "place -1 is the last row: it comes twice",
    },
    "backprop.compare": {
        "compare: def compare(mine: Tensor, true: Tensor, parts: Tensor | None=None) "
        "-> str: → gap = (mine - true).abs().max() first": _LINES,
        "compare: def compare(mine: Tensor, true: Tensor, parts: Tensor | None=None) "
        "-> str: → bound = 1e-06 * (true if parts is None … first": _LINES,
        "compare: 1e-06 → 1.0099999999999999e-06": "a bound that is a percent higher",
        "compare: mine - true → true - mine": "a difference is taken in size",
    },
    "backprop.layernorm_backward": {
        "layernorm_backward: def layernorm_backward(dy: Tensor, raw: Tensor, gain: "
        "Tensor, std_inv: Tensor) -> tuple[Tensor, Tensor, Tensor]: → C = dy.shape[-1] "
        "first": _LINES,
    },
    "backprop.attention_backward": {
        "attention_backward: def attention_backward(dout: Tensor, q: Tensor, k: "
        "Tensor, v: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]: → "
        "dweights = dout @ v.transpose(-2, -1) first": _LINES,
        "attention_backward: weights.transpose(-2, -1) → "
        "weights.transpose(-1, -2)": _TURNED,
        "attention_backward: v.transpose(-2, -1) → v.transpose(-1, -2)": _TURNED,
        "attention_backward: dscores.transpose(-2, -1) → "
        "dscores.transpose(-1, -2)": _TURNED,
    },
}

# the wrong answers that were collected for this lesson, by number, and the known
# mistake or the answer in WRONG that stands for each
LISTED: dict[int, tuple[str, str]] = {
    1: ("backprop.cross_entropy_fused", "no mean"),
    2: ("backprop.cross_entropy_fused", "uphill"),
    3: ("backprop.cross_entropy_fused", "no label"),
    5: ("backprop.linear_backward", "W reshaped"),
    6: ("backprop.tanh_backward", "of the input"),
    7: ("backprop.tanh_backward", "not squared"),
    8: ("backprop.softmax_chain", "one path"),
    9: ("backprop.bn_chain", "one path"),
    10: ("backprop.bn_chain", "mean divided early"),
    11: ("backprop.batchnorm_fused", "constants"),
    12: ("backprop.batchnorm_fused", "mean only"),
    13: ("backprop.batchnorm_fused", "gain forgotten"),
    14: ("backprop.batchnorm_fused", "unbiased"),
    15: ("backprop.batchnorm_fused", "unbiased upside down"),
    17: ("backprop.embedding_backward", "added once"),
    18: ("backprop.linear_backward", "db averaged"),
    19: ("backprop.bn_gain_bias", "gain from the output"),
    20: ("backprop.bn_chain", "without keepdim"),
    21: ("backprop.softmax_chain", "copied and not added"),
    22: ("backprop.softmax_chain", "second path instead of first"),
    25: ("backprop.compare", "equal"),
}

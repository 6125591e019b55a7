"""Answers to lesson 8's exercises beyond the core, for test_answers and others."""

_READ = """
def read_ranks(path):
    ranks = {{}}
    with open(path, "rb") as file:
        for line in file:
            if not line.strip():
                continue
            token, rank = line.split()
            {put}
    return ranks
"""

_RECOVER = """
def recover_merges(ranks):
    merges = {{}}
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) == 1:
            continue
        {cut}
        merges[(ranks[left], ranks[right])] = rank
    return merges
"""

_BPE = """parts = [token[i : i + 1] for i in range(len(token))]
        while len(parts) > 2:
            best, place = None, None
            for i in range(len(parts) - 1):
                found = ranks.get(parts[i] + parts[i + 1])
                if found is None or found >= rank:
                    continue
                if best is None or found < best:
                    best, place = found, i
            both = parts[place] + parts[place + 1]
            parts = parts[:place] + [both] + parts[place + 2 :]
        left, right = parts"""

_GPT4 = """
class GPT4Tokenizer(RegexTokenizer):
    def __init__(self, ranks=None, pattern=None, special_tokens=None):
        super().__init__(pattern)
        if ranks is None:
            import tiktoken
            ranks = tiktoken.get_encoding("cl100k_base")._mergeable_ranks
            if special_tokens is None:
                special_tokens = GPT4_SPECIAL_TOKENS
        self.byte_shuffle = {shuffle}
        self.merges = recover_merges(ranks)
        self.vocab = {vocab}
        if special_tokens is not None:
            self.register_special_tokens(special_tokens)

    def encode_ordinary(self, text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        out = []
        for chunk in {chunks}:
            ids = [{first} for b in chunk.encode("utf-8")]
            while len(ids) > 1:
                pairs = list(zip(ids, ids[1:]))
                pair = {choose}
                if pair not in self.merges:
                    break
                ids = merge(ids, pair, self.merges[pair])
            out.extend(ids)
        return out

    def train(self, text, vocab_size, verbose=False):
        raise ValueError("no")

    def save(self, prefix):
        raise ValueError("no")
"""


def _gpt4(**how: str) -> str:
    plain = {
        "shuffle": "{b: ranks[bytes([b])] for b in range(256)}",
        "vocab": "dict(zip(ranks.values(), ranks.keys()))",
        "chunks": "regex_split(text, self.pattern)",
        "first": "self.byte_shuffle[b]",
        "choose": "min(pairs, key=lambda p: self.merges.get(p, float('inf')))",
    }
    return _GPT4.format(**plain | how)


_COMPRESSION = """
def bytes_per_token(tokenizer, text):
    ids = tokenizer.encode(text)
    return {ratio}

def cut(tokenizer, vocab_size):
    small = copy.deepcopy(tokenizer)
    small.special_tokens = {{}}
    for pair, idx in list(small.merges.items()):
        if {gone}:
            del small.merges[pair]
    for idx in list(small.vocab):
        if {gone}:
            del small.vocab[idx]
    return small

def premium(tokenizer, texts, base="English"):
    found = {{}}
    under = len(tokenizer.encode(texts[base]))
    for name in texts:
        found[name] = {share}
    return found

def bits_per_byte(loss, tokenizer, text):
    tokens, size = len(tokenizer.encode(text)), len(text.encode("utf-8"))
    return {bits}
"""


def _compression(**how: str) -> str:
    plain = {
        "ratio": "len(bytes(text, 'utf-8')) / len(ids)",
        "gone": "idx >= vocab_size",
        "share": "len(tokenizer.encode(texts[name])) / under",
        "bits": "loss * tokens / size / math.log(2)",
    }
    return _COMPRESSION.format(**plain | how)


_ARTIFACTS = """
def pieces(tokenizer, text):
    found = []
    for i in tokenizer.encode(text):
        found.append({piece})
    return found

def letters_alone(tokenizer, text):
    alone = total = 0
    for i in tokenizer.encode(text):
        piece = tokenizer.vocab[i].decode("latin-1")
        n = len([c for c in piece if c.isascii() and c.isalpha()])
        total += n
        if {alone}:
            alone += 1
    return alone / total

def kept_in_reverse(tokenizer, word):
    there = tokenizer.encode(word)
    back = tokenizer.encode("".join(reversed(word)))
    return {kept}

def number_cuts(tokenizer, numbers):
    cuts = {{}}
    for n in numbers:
        sizes = tuple(len(tokenizer.vocab[i]) for i in tokenizer.encode({number}))
        cuts[sizes] = cuts.get(sizes, 0) + 1
    return cuts

def blank_share(tokenizer, text):
    ids = tokenizer.encode(text)
    blank = [i for i in ids if {blank}]
    return len(blank) / len(ids)

def unstable(tokenizer, prompt, rest):
    a, b = tokenizer.encode(prompt), tokenizer.encode(prompt + rest)
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    return {unstable}

def formats(tokenizer, value):
    texts = [
        json.dumps(value, indent={indent}),
        json.dumps(value, separators={separators}),
        as_yaml(value),
    ]
    counts = [len(tokenizer.encode(t)) for t in texts]
    return dict(zip(["json", "compact json", "yaml"], counts))

def never_seen(tokenizer, text):
    seen = set(tokenizer.encode(text))
    return {unseen}
"""


def _artifacts(**how: str) -> str:
    plain = {
        "piece": "tokenizer.vocab[i]",
        "alone": "n == 1",
        "kept": "sum(min(there.count(i), back.count(i)) for i in set(there))"
        " / len(there)",
        "number": "str(n)",
        "blank": "tokenizer.vocab[i].strip() == b''",
        "unstable": "len(a[same:])",
        "indent": "2",
        "separators": "(',', ':')",
        "unseen": "[i for i in sorted(tokenizer.vocab) if i not in seen]",
    }
    return _ARTIFACTS.format(**plain | how)


_TRAIN = """
def fast_train(text, vocab_size, pattern=None):
    if vocab_size < 256:
        raise ValueError(vocab_size)
    tokenizer = RegexTokenizer({pattern})
    chunks, times, number = [], [], {{}}
    for chunk in regex_split(text, tokenizer.pattern):
        if chunk not in number:
            number[chunk] = len(chunks)
            chunks.append(list(utf8(chunk)))
            times.append(0)
        times[number[chunk]] += 1
    counts, where = {{}}, {{}}

    def add(i, n):
        ids = chunks[i]
        for pair in zip(ids, ids[1:]):
            counts[pair] = counts.get(pair, 0) + {weight}
            spots = where.setdefault(pair, {{}})
            spots[i] = spots.get(i, 0) + n
            if spots[i] == 0:
                del spots[i]
            if counts[pair] == 0:
                del counts[pair]

    for i in range(len(chunks)):
        add(i, 1)
    for idx in range(256, {end}):
        if not counts:
            break
        most = max(counts.values())
        {choose}
        for i in list(where[pair]):
            {out}
            chunks[i] = merge(chunks[i], pair, idx)
            add(i, 1)
        tokenizer.merges[pair] = idx
        tokenizer.vocab[idx] = tokenizer.vocab[pair[0]] + tokenizer.vocab[pair[1]]
    return tokenizer
"""

_CHOOSE = """first = min(min(where[p]) for p in counts if counts[p] == most)
        ids = chunks[first]
        pair = next(p for p in zip(ids, ids[1:]) if counts[p] == most)"""


def _train(**how: str) -> str:
    plain = {
        "pattern": "pattern",
        "weight": "n * times[i]",
        "end": "vocab_size",
        "choose": _CHOOSE,
        "out": "add(i, -1)",
    }
    return _TRAIN.format(**plain | how)


_ENCODE = """
def fast_encode(tokenizer, text):
    shuffle = getattr(tokenizer, "byte_shuffle", None) or list(range(256))
    memory = {{}}
    out = []
    for chunk in regex_split(text, tokenizer.pattern):
        if chunk not in memory:
            memory[chunk] = joined({first}, tokenizer.merges)
        out.extend(memory[chunk])
    return out

def joined(ids, merges):
    # by rank: the places of all pairs of the lowest rank, then of the next
    n = len(ids)
    left, right = [i - 1 for i in range(n)], [i + 1 for i in range(n)]
    places, ranks = {{}}, []

    def note(i):
        j = right[i]
        if i >= 0 and j < n:
            rank = merges.get((ids[i], ids[j]))
            if rank is not None:
                if rank not in places:
                    places[rank] = []
                    heapq.heappush(ranks, rank)
                places[rank].append(i)

    for i in range(n):
        note(i)
    while ranks:
        rank = heapq.heappop(ranks)
        for i in sorted(places.pop(rank)):
            j = right[i]
            if ids[i] is None or j >= n or merges.get((ids[i], ids[j])) != rank:
                continue
            ids[i], ids[j] = rank, None
            right[i] = right[j]
            if right[i] < n:
                left[right[i]] = i
            if left[i] >= 0:
                note(left[i])
            note(i)
    return [i for i in ids if i is not None]
"""


def _encode(first: str = "[shuffle[b] for b in utf8(chunk)]") -> str:
    return _ENCODE.format(first=first)


_POINTS = """
class CodePointTokenizer:
    def __init__(self, character_coverage=0.9995, dummy_prefix=True):
        self.share = character_coverage
        self.prefix = dummy_prefix
        self.number = {{}}
        self.merges = {{}}
        self.vocab = {{i: bytes([i]) for i in range(256)}}

    def prepared(self, text):
        if self.prefix and len(text) > 0:
            text = {put}
        return regex.findall({words}, text)

    def start(self, word):
        ids = []
        for char in word:
            if char in self.number:
                ids.append(self.number[char])
            else:
                {fall}
        return ids

    def train(self, text, vocab_size, verbose=False):
        words = self.prepared(text)
        whole = "".join(words)
        kinds = list(dict.fromkeys(whole))
        order = {order}
        kept, so_far = [], 0
        while {more}:
            char = order[len(kept)]
            so_far += whole.count(char)
            kept.append(char)
        self.number = {{c: i + 256 for i, c in enumerate(kept)}}
        self.vocab = {{i: bytes([i]) for i in range(256)}}
        for c, i in self.number.items():
            self.vocab[i] = bytes(utf8(c))
        if vocab_size < 256 + len(kept):
            raise ValueError("too small")
        rows, self.merges = [self.start(w) for w in words], {{}}
        for idx in range(256 + len(kept), {end}):
            stats = {{}}
            for row in rows:
                for pair in zip(row, row[1:]):
                    if {merged}:
                        stats[pair] = stats.get(pair, 0) + 1
            if not stats:
                return
            best = max(stats, key=stats.get)
            self.merges[best] = idx
            self.vocab[idx] = self.vocab[best[0]] + self.vocab[best[1]]
            rows = [merge(row, best, idx) for row in rows]

    def encode(self, text):
        out = []
        for word in self.prepared(text):
            ids = self.start(word)
            for pair, idx in self.merges.items():
                ids = merge(ids, pair, idx)
            out += ids
        return out

    def decode(self, ids):
        data = bytearray()
        for i in ids:
            data += self.vocab[i]
        text = bytes(data).decode("utf-8", errors="replace")
        if self.prefix:
            text = {back}
        return text
"""


def _points(**how: str) -> str:
    plain = {
        "put": "' ' + text",
        "words": "r' ?[^ ]+| '",
        "fall": "ids.extend(utf8(char))",
        "order": "sorted(kinds, key=whole.count, reverse=True)",
        "more": "so_far < self.share * len(whole)",
        "end": "vocab_size",
        "merged": "pair[0] >= 256 and pair[1] >= 256",
        "back": "text[1:] if text[:1] == ' ' else text",
    }
    return _POINTS.format(**plain | how)


RIGHT: dict[str, dict[str, str]] = {
    "tokenizer.gpt4_tokenizer": {
        "loops": _READ.format(put="ranks[base64.b64decode(token)] = int(rank)")
        + _RECOVER.format(cut=_BPE)
        + _gpt4(),
        "a list for the bytes": _gpt4(
            shuffle="[ranks[bytes([b])] for b in range(256)]",
            vocab="{rank: token for token, rank in sorted(ranks.items())}",
        )
        + """
def recover_merges(ranks):
    def bpe(token, limit):
        parts = [bytes([b]) for b in token]
        while True:
            found = [
                (ranks[a + b], i)
                for i, (a, b) in enumerate(zip(parts, parts[1:]))
                if a + b in ranks and ranks[a + b] < limit
            ]
            if not found:
                return parts
            _, i = min(found)
            parts[i : i + 2] = [b"".join(parts[i : i + 2])]
    pairs = {rank: bpe(token, rank) for token, rank in ranks.items() if len(token) > 1}
    return {tuple(ranks[p] for p in pairs[rank]): rank for rank in sorted(pairs)}
""",
        "bytes first": """
class GPT4Tokenizer(GPT4Tokenizer):
    def encode_ordinary(self, text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        made = set(self.merges.values())
        rank = {token: i for i, token in self.vocab.items() if i in made}
        ids = []
        for chunk in regex_split(text, self.pattern):
            parts = [bytes([b]) for b in utf8(chunk)]
            while True:
                pairs = [rank.get(a + b, math.inf) for a, b in pairwise(parts)]
                if not pairs or min(pairs) == math.inf:
                    break
                i = pairs.index(min(pairs))
                parts[i : i + 2] = [parts[i] + parts[i + 1]]
            ids += [rank[p] if len(p) > 1 else self.byte_shuffle[p[0]] for p in parts]
        return ids
""",
    },
    "tokenizer.compression": {
        "loops": _compression(),
        "from the vocabulary": """
def bytes_per_token(tokenizer, text):
    sizes = [len(tokenizer.vocab[i]) for i in tokenizer.encode(text)]
    return sum(sizes) / len(sizes)

def cut(tokenizer, vocab_size):
    small = type(tokenizer)(tokenizer.pattern)
    for pair in list(tokenizer.merges)[: vocab_size - 256]:
        small.learn(pair, len(small.vocab))
    return small

def premium(tokenizer, texts, base="English"):
    return {k: len(tokenizer.encode(t)) / len(tokenizer.encode(texts[base]))
            for k, t in texts.items()}

def bits_per_byte(loss, tokenizer, text):
    return math.log2(math.exp(loss)) / bytes_per_token(tokenizer, text)
""",
    },
    "tokenizer.artifacts": {
        "loops": _artifacts(),
        "in one line each": """
def pieces(tokenizer, text):
    return list(map(tokenizer.vocab.get, tokenizer.encode(text)))

def letters_alone(tokenizer, text):
    counts = [len(regex.findall(rb"[a-zA-Z]", p)) for p in pieces(tokenizer, text)]
    return sum(n == 1 for n in counts) / sum(counts)

def kept_in_reverse(tokenizer, word):
    there, back = tokenizer.encode(word), tokenizer.encode(word[::-1])
    kept = 0
    for i in there:
        if i in back:
            back.remove(i)
            kept += 1
    return kept / len(there)

def number_cuts(tokenizer, numbers):
    return Counter(tuple(len(p) for p in pieces(tokenizer, f"{n}")) for n in numbers)

def blank_share(tokenizer, text):
    blank = [piece.isspace() for piece in pieces(tokenizer, text)]
    return sum(blank) / len(blank)

def unstable(tokenizer, prompt, rest):
    a, b = tokenizer.encode(prompt), tokenizer.encode(prompt + rest)
    return next(n for n in range(len(a) + 1) if a[: len(a) - n] == b[: len(a) - n])

def formats(tokenizer, value):
    count = lambda text: len(tokenizer.encode(text))
    return {
        "yaml": count(as_yaml(value)),
        "json": count(json.dumps(value, indent=2)),
        "compact json": count(json.dumps(value, separators=(",", ":"))),
    }

def never_seen(tokenizer, text):
    unseen = dict(tokenizer.vocab)
    for i in tokenizer.encode(text):
        unseen.pop(i, None)
    return sorted(unseen)
""",
    },
    "tokenizer.fast_train": {
        "dicts of dicts": _train() + _encode(),
        "neighbours alone": """
def fast_train(text, vocab_size, pattern=None):
    tokenizer = RegexTokenizer(pattern)
    if vocab_size < 256:
        raise ValueError("too small")
    times = Counter(regex_split(text, tokenizer.pattern))
    chunks, times = [utf8(c) for c in times], list(times.values())
    counts, where = Counter(), defaultdict(set)
    for i, ids in enumerate(chunks):
        for pair in pairwise(ids):
            counts[pair] += times[i]
            where[pair].add(i)
    for idx in range(256, vocab_size):
        most = max(counts.values(), default=0)
        if most == 0:
            break
        best = None
        for p, n in counts.items():
            if n == most:
                i = min(where[p])
                spot = (i, list(pairwise(chunks[i])).index(p))
                if best is None or spot < best[0]:
                    best = (spot, p)
        pair = best[1]
        for i in sorted(where[pair]):
            old = chunks[i]
            chunks[i] = merge(old, pair, idx)
            before, after = Counter(pairwise(old)), Counter(pairwise(chunks[i]))
            for p in before.keys() | after.keys():
                counts[p] += (after[p] - before[p]) * times[i]
                if after[p]:
                    where[p].add(i)
                else:
                    where[p].discard(i)
        tokenizer.merges[pair] = idx
        tokenizer.vocab[idx] = tokenizer.vocab[pair[0]] + tokenizer.vocab[pair[1]]
    return tokenizer

def fast_encode(tokenizer, text):
    @functools_cache
    def known(chunk):
        start = getattr(tokenizer, "byte_shuffle", range(256))
        return merge_by_heap([start[b] for b in utf8(chunk)], tokenizer.merges)
    return [i for chunk in regex_split(text, tokenizer.pattern) for i in known(chunk)]

from functools import cache as functools_cache
""",
    },
    "tokenizer.codepoint_bpe": {
        "one class": _points(),
        "words by hand": """
class CodePointTokenizer(CodePointTokenizer):
    def words(self, text):
        text = self.dummy_prefix * bool(text) * " " + text
        words = []
        for char in text:
            if char == " " or not words:
                words.append("")
            words[-1] += char
        return words

    def first_ids(self, text):
        return [i for c in text for i in (
            [self.characters[c]] if c in self.characters
            else c.encode("utf-8", "surrogatepass"))]

    def decode(self, ids):
        text = b"".join(map(self.vocab.__getitem__, ids)).decode("utf-8", "replace")
        return text.removeprefix(" ") if self.dummy_prefix else text
""",
    },
}

SAME: dict[str, dict[str, str]] = {
    "tokenizer.gpt4_tokenizer": {
        "not decoded": _READ.format(put="ranks[token] = int(rank)"),
        "longest prefix": _RECOVER.format(
            cut="""n = len(token) - 1
        while token[:n] not in ranks or token[n:] not in ranks:
            n -= 1
        left, right = token[:n], token[n:]"""
        ),
        "bytes not shuffled": _gpt4(first="b"),
        "commonest first": _gpt4(
            choose="max(pairs, key=lambda p: (p in self.merges) * pairs.count(p))"
        ),
        "pattern dropped": _gpt4(chunks="regex_split(text, GPT4_SPLIT_PATTERN)"),
        "the longest token": """
class GPT4Tokenizer(GPT4Tokenizer):
    def encode_ordinary(self, text):
        back, ids = {token: i for i, token in self.vocab.items()}, []
        for chunk in regex_split(text, self.pattern):
            rest = bytes(utf8(chunk))
            while rest:
                token = max((t for t in back if rest.startswith(t)), key=len)
                ids.append(back[token])
                rest = rest[len(token):]
        return ids
""",
    },
    "tokenizer.compression": {
        "characters": _compression(ratio="len(text) / len(ids)"),
        "upside down": _compression(ratio="len(ids) / len(text.encode())"),
        "one too many": _compression(gone="idx > vocab_size"),
        "nats": _compression(bits="loss * tokens / size"),
    },
    "tokenizer.artifacts": {
        "read one by one": _artifacts(
            piece="tokenizer.vocab[i].decode(errors='replace')"
        ),
        "share of characters": _artifacts().replace(
            "len(blank) / len(ids)",
            "sum(c.isspace() for c in text) / len(text)",
        ),
        "those that agree": _artifacts(unstable="same"),
        "in the text": _artifacts(
            unseen="[i for i, t in tokenizer.vocab.items() if t not in text.encode()]"
        ),
        "blanks in compact": _artifacts(separators="(', ', ': ')"),
    },
    "tokenizer.fast_train": {
        "largest pair": _train(
            choose="pair = max(p for p in counts if counts[p] == most)"
        ),
        "times forgotten": _train(weight="n"),
        "counted anew": """
def fast_train(text, vocab_size, pattern=None):
    tokenizer = RegexTokenizer(pattern)
    tokenizer.train(text, vocab_size)
    return tokenizer
""",
        "each chunk anew": """
def fast_encode(tokenizer, text):
    return tokenizer.encode_ordinary(text)
""",
        "bytes not shuffled": _encode("utf8(chunk)"),
        "from the right": _encode().replace("pop(rank))", "pop(rank), reverse=True)"),
        "neighbours forgotten": _encode()
        .replace("note(left[i])", "pass")
        .replace("            note(i)\n    return", "            pass\n    return"),
    },
    "tokenizer.codepoint_bpe": {
        "lost": _points(fall="pass"),
        "code point": _points(fall="ids.append(ord(char))"),
        "all kept": _points(more="len(kept) < len(order)"),
        "across words": _points(words="r'(?s).+'"),
        "prefix kept": _points(back="text"),
    },
}

WRONG: dict[str, dict[str, str]] = {
    "tokenizer.gpt4_tokenizer": {
        "GPT-4's special tokens everywhere": _gpt4()
        .replace("if special_tokens is None:", "pass")
        .replace("                special_tokens = GPT4_SPECIAL_TOKENS\n", "")
        .replace(
            "if special_tokens is not None:\n            self.register_special_tokens(",
            "if True:\n            self.register_special_tokens("
            "GPT4_SPECIAL_TOKENS if special_tokens is None else ",
        ),
        "training goes on": """
class GPT4Tokenizer(GPT4Tokenizer):
    def train(self, text, vocab_size, verbose=False):
        RegexTokenizer.train(self, text, vocab_size, verbose)
""",
        "the youngest pair": _gpt4(
            choose="max(pairs, key=lambda p: self.merges.get(p, -1))"
        ),
        "merges of tokens found in ranks": _RECOVER.format(
            cut="left, right = token[: len(token) // 2], token[len(token) // 2 :]"
        ).replace("ranks[left], ranks[right]", "ranks.get(left), ranks.get(right)"),
        "no merges": _gpt4(choose="(None, None)"),
        "a class of its own": """
class GPT4Tokenizer:
    def __init__(self, ranks=None, pattern=None, special_tokens=None):
        self.ranks = ranks
""",
        "ranks are emptied": """
def recover_merges(ranks, right=recover_merges):
    merges = right(ranks)
    ranks.clear()
    return merges
""",
    },
    "tokenizer.compression": {
        "the first is the base": _compression(share="1")
        .replace("texts[base]", "next(iter(texts.values()))")
        .replace("= 1\n", "= len(tokenizer.encode(texts[name])) / under\n"),
        "the shortest is the base": _compression(
            share="len(tokenizer.encode(texts[name])) "
            "/ min(len(tokenizer.encode(t)) for t in texts.values())"
        ),
        "GPT-4's pattern": _compression().replace(
            "    small.special_tokens = {}",
            "    small.special_tokens, small.pattern = {}, GPT4_SPLIT_PATTERN",
        ),
        "white space stripped": _compression(
            ratio="len(bytes(text.strip(), 'utf-8')) / len(ids)"
        ),
        "three hundred at most": _compression(gone="idx >= min(vocab_size, 300)"),
        "all one": """
def premium(tokenizer, texts, base="English"):
    return {name: 1.0 for name in texts}
""",
        "a name": """
def cut(tokenizer, vocab_size):
    return vocab_size
""",
        "bits of the whole": _compression(bits="loss * tokens / math.log(2)"),
    },
    "tokenizer.artifacts": {
        "letters of any alphabet": """
def letters_alone(tokenizer, text):
    found = [tokenizer.vocab[i] for i in tokenizer.encode(text)]
    counts = [sum(map(str.isalpha, p.decode(errors="replace"))) for p in found]
    return counts.count(1) / sum(counts)
""",
        "letters and brackets": """
def letters_alone(tokenizer, text):
    found = [tokenizer.vocab[i] for i in tokenizer.encode(text)]
    counts = [sum(65 <= byte <= 122 for byte in p) for p in found]
    return counts.count(1) / sum(counts)
""",
        "blanks alone beside a letter": _artifacts(
            alone="len(piece.strip()) == 1 and n == 1"
        ),
        "the longer of both words": _artifacts(
            kept="sum(min(there.count(i), back.count(i)) for i in set(there))"
            " / max(len(there), len(back))"
        ),
        "different numbers": _artifacts().replace("in numbers:", "in set(numbers):"),
        "one blank": _artifacts(
            blank="tokenizer.vocab[i] in (b' ', b'\\t', b'\\n', b'\\r')"
        ),
        "two at most": _artifacts(unstable="min(len(a) - same, 2)"),
        "blanks in values": _artifacts().replace(
            "json.dumps(value, separators=(',', ':'))",
            "json.dumps(value).replace(' ', '')",
        ),
        "bytes of formats": _artifacts().replace(
            "[len(tokenizer.encode(t)) for t in texts]", "[len(utf8(t)) for t in texts]"
        ),
        "always a third": """
def letters_alone(tokenizer, text):
    return 1 / 3
""",
        "the last piece": """
def unstable(tokenizer, prompt, rest):
    return 1
""",
        "sorted cuts": _artifacts()
        .replace("sizes = tuple(", "sizes = tuple(sorted(")
        .replace("tokenizer.encode(str(n)))", "tokenizer.encode(str(n))))"),
        "texts of formats": """
def formats(tokenizer, value):
    return {"json": json.dumps(value)}
""",
    },
    "tokenizer.fast_train": {
        "no merge": """
def fast_train(text, vocab_size, pattern=None):
    return RegexTokenizer(pattern)
""",
        "one merge short": _train(end="vocab_size - 1"),
        "merges alone": """
def fast_train(text, vocab_size, pattern=None, right=fast_train):
    return right(text, vocab_size, pattern).merges
""",
        "bytes": """
def fast_encode(tokenizer, text):
    return list(text.encode("utf-8", "replace"))
""",
    },
    "tokenizer.codepoint_bpe": {
        "a rounded share": _points(more="so_far < round(self.share * len(whole))"),
        "a byte before": _points(merged="pair[1] >= 256"),
        "distinct words": _points().replace(
            "for w in words], {}", "for w in dict.fromkeys(words)], {}"
        ),
        "old merges": _points().replace(
            "rows, self.merges = [self.start(w) for w in words], {}",
            "rows = [self.start(w) for w in words]",
        ),
        "a commonest pair with a byte ends it": _points(merged="True").replace(
            "            best = max(stats, key=stats.get)\n",
            "            best = max(stats, key=stats.get)\n"
            "            if min(best) < 256:\n"
            "                return\n",
        ),
        "three hundred at most": _points(end="min(vocab_size, 300)"),
        "the youngest pair": """
class CodePointTokenizer(CodePointTokenizer):
    def encode(self, text):
        ids = []
        for word in self.words(text):
            part = self.first_ids(word)
            while known := self.merges.keys() & pairwise(part):
                pair = max(known, key=self.merges.get)
                part = merge(part, pair, self.merges[pair])
            ids += part
        return ids
""",
        "the longest token": """
class CodePointTokenizer(CodePointTokenizer):
    def encode(self, text):
        number = {t: i for i, t in self.vocab.items()}
        ids = []
        for word in self.words(text):
            rest = bytes(utf8(word))
            while rest:
                n = max(n for n in range(len(rest) + 1) if rest[:n] in number)
                ids.append(number[rest[:n]])
                rest = rest[n:]
        return ids
""",
        "bytes alone": """
class CodePointTokenizer(CodePointTokenizer):
    def encode(self, text):
        return list(text.encode("utf-8", "replace"))
""",
        "one merge short": _points(end="vocab_size - 1"),
        "an underscore": _points(put="chr(0x2581) + text"),
        "no training": """
class CodePointTokenizer(CodePointTokenizer):
    def train(self, text, vocab_size, verbose=False):
        self.seen = text
""",
    },
}

APT: dict[tuple[str, str], str] = {}

_LINES = "the two lines do not depend on each other"
_WORDS = "the words of a refusal are free"
_TWO = "a line has two parts, so the second is the last"
_WHOLE = "a length is a whole number"
_ENDS = "the rank of the whole token is the limit, and ends it as well"
_NO_255 = "no byte of UTF-8 is 255"
_LOOK = "a tokenizer that is trained says nothing, asked or not"
_SHORT = "the shorter list ends the walk either way"
_ENOUGH = "the set only drops what is there twice"
_SIGN = "a sign is 1 or -1"
_ONE = "of one pair it is the smallest as well"
_ROOM = "an empty place more, or one fewer, is never looked at"
_PUSH = "a heap gives back in order what came in any"
_SAME_IDS = "scan and heap give the same ids, one sooner in a few, one in many"
_CHAR = "a text of one character, added letter by letter"
_UTF8 = "UTF-8 is the default"

EQUIVALENT: dict[str, dict[str, str]] = {
    "tokenizer.gpt4_tokenizer": {
        "read_ranks: 1 → -1": _TWO,
        "parts_below: while len(parts) > 1: → i = joined.index(lowest) first": _LINES,
        "parts_below: len(parts) > 1 → len(parts) >= 1": _ENDS,
        "parts_below: 1 → 2": _ENDS,
        "parts_below: 1 → 0": _ENDS,
        "parts_below: 1 → -1": _ENDS,
        "parts_below: 1 → 1.01": _WHOLE,
        "recover_merges: 1 → 1.01": _WHOLE,
        "GPT4Tokenizer.__init__: def __init__(self, ranks: dict[bytes, "
        "int] | None=None, pattern: str | None=None, special_tokens: "
        "dict[str, int] | None=None) -> None: → if ranks is None: "
        "import tiktoken ranks… first": _LINES,
        "GPT4Tokenizer.__init__: def __init__(self, ranks: dict[bytes, "
        "int] | None=None, pattern: str | None=None, special_tokens: "
        "dict[str, int] | None=None) -> None: → self.merges = "
        "recover_merges(ranks) first": _LINES,
        "GPT4Tokenizer.__init__: def __init__(self, ranks: dict[bytes, "
        "int] | None=None, pattern: str | None=None, special_tokens: "
        "dict[str, int] | None=None) -> None: → self.vocab = {rank: "
        "token for token, ra… first": _LINES,
        "GPT4Tokenizer.encode_ordinary: def encode_ordinary(self, text:"
        " str) -> list[int]: → ids = [] first": _LINES,
        "GPT4Tokenizer.train: False → True": _LOOK,
        "GPT4Tokenizer.train: ValueError('This tokenizer has been "
        "trained.') → ValueError()": _WORDS,
        "GPT4Tokenizer.train: 'This tokenizer has been trained.' → 'This"
        " tokenizer has been trained.x'": _WORDS,
        "GPT4Tokenizer.save: ValueError('Keep the file of its ranks.') → "
        "ValueError()": _WORDS,
        "GPT4Tokenizer.save: 'Keep the file of its ranks.' → 'Keep the "
        "file of its ranks.x'": _WORDS,
    },
    "tokenizer.compression": {
        "cut: def cut(tokenizer: BasicTokenizer, vocab_size: int) -> "
        "BasicTokenizer: → small.vocab = {i: token for i, token in… "
        "first": _LINES,
        "cut: def cut(tokenizer: BasicTokenizer, vocab_size: int) -> "
        "BasicTokenizer: → small.special_tokens = {} first": _LINES,
    },
    "tokenizer.artifacts": {
        "unstable: def unstable(tokenizer: BasicTokenizer, prompt: str,"
        " rest: str) -> int: → agree = 0 first": _LINES,
        "unstable: zip(alone, whole, strict=False) → zip(whole, alone, "
        "strict=False)": _SHORT,
        "unstable: zip(alone, whole, strict=False) → zip(alone, whole)": _SHORT,
        "never_seen: set(tokenizer.encode(text)) → tokenizer.encode(text)": _ENOUGH,
    },
    "tokenizer.fast_train": {
        "Tally.__init__: def __init__(self, chunks: list[list[int]], "
        "times: list[int]) -> None: → self.counts: Counter[tuple[int, "
        "int]] =… first": _LINES,
        "Tally.__init__: def __init__(self, chunks: list[list[int]], "
        "times: list[int]) -> None: → self.where: dict[tuple[int, int],"
        " set[i… first": _LINES,
        "Tally.count: for pair in pairwise(self.chunks[i]): → if sign >"
        " 0: self.where[pair].add(i) el… first": _LINES,
        "Tally.count: for pair in pairwise(self.chunks[i]): → if not "
        "self.counts[pair]: del self.coun… first": _LINES,
        "Tally.count: sign > 0 → sign >= 0": _SIGN,
        "Tally.count: 0 → -1": _SIGN,
        "Tally.commonest: min(tied, key=self._first) if len(tied) > 1 "
        "else tied[0] → min(tied, key=self._first)": _ONE,
        "Tally.commonest: len(tied) > 1 → len(tied) >= 1": _ONE,
        "Tally.commonest: 1 → 0": _ONE,
        "Tally.commonest: 1 → -1": _ONE,
        "Tally.commonest: 1 → 1.01": _WHOLE,
        "Tally.commonest: 0 → -1": _ONE,
        "fast_train: def fast_train(text: str, vocab_size: int, "
        "pattern: str | None=None) -> RegexTokenizer: → tokenizer = "
        "RegexTokenizer(pattern) first": _LINES,
        "fast_train: ValueError('there are 256 bytes') → ValueError()": _WORDS,
        "fast_train: 'there are 256 bytes' → 'there are 256 bytesx'": _WORDS,
        "fast_train: for idx in range(256, vocab_size): → "
        "tokenizer.merges[pair] = idx first": _LINES,
        "fast_train: for idx in range(256, vocab_size): → "
        "tokenizer.vocab[idx] = tokenizer.vocab[… first": _LINES,
        "merge_by_heap: def merge_by_heap(ids: Sequence[int], merges: "
        "dict[tuple[int, int], int]) -> list[int]: → before, after = "
        "([*range(-1, n)], [*ran… first": _LINES,
        "merge_by_heap: def merge_by_heap(ids: Sequence[int], merges: "
        "dict[tuple[int, int], int]) -> list[int]: → rank_of = "
        "merges.get first": _LINES,
        "merge_by_heap: [*ids, None] → [None, *ids]": _ROOM,
        "merge_by_heap: [*range(1, n + 1), n] → [*range(1, n + 1)]": _ROOM,
        "merge_by_heap: n + 1 → n * 1": _ROOM,
        "merge_by_heap: n + 1 → n": _ROOM,
        "merge_by_heap: 1 → 2": _ROOM,
        "merge_by_heap: 1 → 0": _ROOM,
        "merge_by_heap: (before[i], i) → (i, before[i])": _PUSH,
        "fast_encode: def fast_encode(tokenizer: RegexTokenizer, text: "
        "str) -> list[int]: → known, ids = ({}, []) first": _LINES,
        "fast_encode: merge_by_scan if len(first) < 20 else merge_by_heap → "
        "merge_by_heap": _SAME_IDS,
        "fast_encode: len(first) < 20 → len(first) <= 20": _SAME_IDS,
        "fast_encode: 20 → 21": _SAME_IDS,
        "fast_encode: 20 → 20.2": _SAME_IDS,
        "fast_encode: 20 → 19": _SAME_IDS,
        "fast_encode: 20 → -20": _SAME_IDS,
        "fast_encode: 256 → 257": _NO_255,
    },
    "tokenizer.codepoint_bpe": {
        "CodePointTokenizer.__init__: def __init__(self, "
        "character_coverage: float=0.9995, dummy_prefix: bool=True) -> "
        "None: → self.characters: dict[str, int] = {} first": _LINES,
        "CodePointTokenizer.__init__: def __init__(self, "
        "character_coverage: float=0.9995, dummy_prefix: bool=True) -> "
        "None: → self.merges: dict[tuple[int, int], int]… first": _LINES,
        "CodePointTokenizer.__init__: def __init__(self, "
        "character_coverage: float=0.9995, dummy_prefix: bool=True) -> "
        "None: → self.vocab = {byte: bytes([byte]) for b… first": _LINES,
        "CodePointTokenizer.covered: for char, times in "
        "Counter(text).most_common(): → total += times first": _LINES,
        "CodePointTokenizer.covered: kept.append → kept.extend": _CHAR,
        "begin: def begin(self, words: list[str], vocab_size: int) -> "
        "None: → self.merges, self.vocab = ({}, {byte: b… first": _LINES,
        "begin: ValueError(f'Bytes and characters are {len(self.vocab)} "
        "tokens.') → ValueError()": _WORDS,
        "begin: 'Bytes and characters are ' → 'Bytes and characters are x'": _WORDS,
        "begin: len(self.vocab) → self.vocab": _WORDS,
        "begin: ' tokens.' → ' tokens.x'": _WORDS,
        "train: False → True": _LOOK,
        "train: for idx in range(len(self.vocab), vocab_size): → "
        "self.merges[pair], self.vocab[idx] = (i… first": _LINES,
        "train: 256 → 255": _NO_255,
        "decode: b''.join((self.vocab[i] for i in "
        "ids)).decode('utf-8', errors='replac… → "
        "b''.join((self.vocab[i] for i in "
        "ids)).decode(errors='replace')": _UTF8,
    },
}

LISTED: dict[int, tuple[str, str]] = {}

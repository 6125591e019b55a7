# %% [markdown]
# # 8 · GPT tokenizer
#
# What does a language model see instead of letters, and what goes wrong?
#
# You will be able to
#
# - train a byte pair encoding and use it to encode and decode any text;
# - rebuild GPT-4's tokenizer so that its ids equal the original's;
# - trace a model's odd behaviour with spelling, numbers or spaces back to its tokens.

# %% [markdown]
# This page goes with [Let's build the GPT Tokenizer](https://youtu.be/zduSFxRajkE) by
# Andrej Karpathy and its repository [minbpe](https://github.com/karpathy/minbpe); each
# section names its part of the video. You bring Python's `str` and `bytes`, regular
# expressions, and the GPT of lesson 7.
#
# The functions that you write in `exercises/08_tokenizer.ipynb` stand ready here as a
# module. The page shows their ideas in loose lines, on small inputs; the functions are
# yours.

# %%
import json
import lzma
import math
import sys
from collections import Counter
from itertools import pairwise

import tiktoken
import torch
from torch import nn

from workbook import budget, data, explore, live, predict, style
from workbook.given import tokenizer as bpe  # as you write it in the exercises
from workbook.given.gpt import GPT, GPTConfig  # as written in lesson 7

style.use()
torch.set_num_threads(1)  # the matrices are small, as in lesson 7

# %% [markdown]
# ## Pieces of words
#
# **Question.** Your GPT of lesson 7 reads the letters that stand in its play. Which
# texts can nobody ever show to it?
#
# *In the video: the introduction, and tokenization by example in a web page.*

# %% tags=["nbval-check-output"] key="unknown-letters"
play = data.play()
chars = sorted(set(play))
for words in ("To be", "naïve", "안녕", "ok 👋"):
    print(f"{words:6} unknown: {[c for c in words if c not in chars]}")
print(f"{len(chars)} symbols; 32 of them: {play[:32]!r}")

# %% [markdown]
# Its table has no row for `ï`, for a waving hand, or for most scripts of the world. And
# 32 symbols of what it knows are hardly more than a line.
#
# A **token** is what a language model takes for one symbol. A **tokenizer** turns text
# into tokens' numbers, their **ids**, and back; its tokens are its **vocabulary**.
# GPT-2 and GPT-4 read pieces of words, learned from text; ours are learned from the
# play. Theirs are in files that `make lab` fetches; how one is read comes later.

# %% tags=["nbval-check-output"] key="tokenizers"
n = int(0.9 * len(play))
train_text, dev_text = play[:n], play[n:]  # as in lesson 7
ours = bpe.fast_train(train_text, 512)


class Published(bpe.GPT4Tokenizer):
    encode_ordinary = bpe.fast_encode  # the same ids, sooner


tokenizers = {"ours": ours}
for name, file, pattern, end in (
    ("GPT-2", "r50k_base", bpe.GPT2_SPLIT_PATTERN, 50256),
    ("GPT-4", "cl100k_base", bpe.GPT4_SPLIT_PATTERN, 100257),
):
    try:
        published = bpe.read_ranks(data.path(file))  # a file of one or two megabytes
    except data.DataError:
        print(f"{name}: its vocabulary is not at hand, so this page does without")
        continue
    tokenizers[name] = Published(published, pattern, {"<|endoftext|>": end})
for name, tokenizer in tokenizers.items():
    print(f"{name}: {len(tokenizer.vocab):,} tokens")

# %%
sample = "Egg. I have an egg, 2 eggs, 127 EGGS.\n안녕하세요 👋\n    return egg"
explore.token_playground(sample, {"characters": str} | tokenizers)

# %% [markdown]
# Type something of your own, as on [the web page](https://tiktokenizer.vercel.app) that
# the video uses. Try a word at the start of a line, in mid-sentence, and in capitals:
# one token here, three there, and each time other ids. Try a long number, your name,
# another language, a line of code. The model decides nothing of this: it gets the ids,
# and has to find out for itself which of them mean the same.

# %% [markdown]
# Here is what people complain of in language models. All of it has to do with tokens,
# and each gets a number in the last section but one.
#
# | it is bad at | and |
# |---|---|
# | spelling, and turning words round | it stops at a certain sign |
# | sums | one name drives it mad |
# | languages other than English | a blank at the end harms |
# | the indented lines of Python | it prefers YAML to JSON |
#
# A model never sees a text; it sees a list of ids.

# %% [markdown]
# ## Text is bytes
#
# **Question.** We want a fixed and small set of symbols in which *every* text can be
# written. What is there, below letters?
#
# *In the video: strings in Python, Unicode, and the encodings UTF-8, 16 and 32.*

# %% tags=["nbval-check-output"] key="code-points"
print([(c, ord(c)) for c in "aé안👋"])
print("in '👍🏽':", [ord(c) for c in "👍🏽"], f"of {sys.maxunicode + 1:,} that can be")

# %% [markdown]
# A Python string is a list of **code points**: numbers that the Unicode standard gives
# to characters; `ord` tells them. What looks like one sign may be two, here a thumb and
# its colour.
#
# Could these be our ids? The table would need a row for each, most of them never seen
# in training; and the standard grows from year to year.
#
# A file holds bytes, numbers below 256. An **encoding** settles how code points become
# bytes; Unicode itself has three.

# %% tags=["nbval-check-output"] key="three-encodings"
for encoding in ("utf-8", "utf-16-be", "utf-32-be"):
    for text in ("To be", "안녕"):
        raw = text.encode(encoding)
        print(f"{encoding:9} {text:6} {len(raw):2} bytes: {raw.hex(' ')}")

# %% [markdown]
# UTF-32 takes four bytes for each character, UTF-16 two or four: in English at least
# every second one is zero. **UTF-8** takes one byte up to the code point 127, so that
# ASCII, the plain English of old files, *is* UTF-8, and two to four for the rest. It is
# the one that the web is written in.

# %% tags=["nbval-check-output"] key="bits"
for c in "aé안👋":
    print(c, f"{ord(c):>21b}  ", " ".join(f"{b:08b}" for b in c.encode("utf-8")))

point = ord("é")  # eleven bits at most: two bytes, with five of them and six
print(f"{0b11000000 | point >> 6:08b} {0b10000000 | point & 0b111111:08b}")

# %% [markdown]
# The first byte says how many there are: `0…` one, `110…` two, `1110…` three, `11110…`
# four. All others begin with `10`. The rest are the bits of the code point, in order: a
# shift by six drops the lower ones, and the mask keeps only those. Whoever falls into
# the middle of a text can tell where the next character begins.
#
# **Predict.** 안녕하세요 👋 is five syllables, a blank, and a hand. How many bytes are
# they in UTF-8?

# %% tags=["predict"]
guess = predict("tokenizer.bytes_of_a_greeting", unit="bytes")

# %%
greeting = "안녕하세요 👋"
guess.compare(len(greeting.encode("utf-8")))

# %% [markdown] tags=["why"]
# **Why.** Three for each syllable, one for the blank, four for the hand: $15 + 1 + 4$.
# In bytes, these seven characters are as long as twenty of English.

# %%
explore.byte_view(greeting, ours)

# %% [markdown]
# Move the cut through the hand. Three of its four bytes are no text; a decoder that is
# asked all the same writes `�`, U+FFFD, for what is missing. So it does for a lone
# **surrogate**, half of a character in UTF-16.
#
# With bytes for symbols nothing is unknown, and the table has 256 rows. But the list
# grows long, and a window of 32 symbols holds even less.
#
# Bytes are the floor: every text can stand on it.
#
# **Your turn.** In the exercises, `tokenizer.utf8`: all four forms by hand.

# %% [markdown]
# ## Merging the commonest pair
#
# **Question.** Some neighbours are always seen together: `t` and `h`, `q` and `u`.
# Which of them deserve a symbol of their own?
#
# The commonest; then the commonest of what has come of that; and so on. That is **byte
# pair encoding**, BPE: a way to compress files, by Philip Gage (1994), which [Sennrich
# and others](https://arxiv.org/abs/1508.07909) (2015) brought to language models. We do
# it to eleven letters, with `Z` for the new symbol.
#
# *In the video: the byte pair encoding algorithm, walked through.*

# %% tags=["nbval-check-output"] key="pairs-of-a-line"
line = "aaabdaaabac"
pairs = Counter(pairwise(line))
print({"".join(pair): count for pair, count in pairs.items()})

# %% [markdown]
# **Predict.** `aa` is the commonest. We go through the line from the left and write `Z`
# for each `aa`. How many symbols long is it then?

# %% tags=["predict"]
guess = predict("tokenizer.first_merge", unit="symbols")

# %% tags=["nbval-check-output"] key="first-merge"
guess.compare(len(line.replace("aa", "Z")))

# %% [markdown] tags=["why"]
# **Why.** In `aaa` there are two pairs, and they share a letter: whoever merges the
# first has used up the second. The count says four, and two is what it brings. So a
# merge goes from left to right, without overlap.

# %% tags=["nbval-check-output"] key="three-merges"
shorter = line
for symbol in "ZYX":
    pairs = Counter(pairwise(shorter))
    best = max(pairs, key=pairs.get)  # of equals, the one that was seen first
    shorter = shorter.replace("".join(best), symbol)
    print(f"{symbol} = {''.join(best)}, seen {pairs[best]} times: {shorter}")

# %% [markdown]
# Three rounds of *count, choose, replace*, and the line is less than half as long. `Y`
# contains `Z`: tokens are built of tokens. In the second round there is a tie, `Za` and
# `ab`; here and in the exercises the pair that is seen first wins.
#
# Do it to a text of your own, one merge at a time.

# %%
explore.merge_stepper("the thin thief thought that the thing there was theirs")

# %% [markdown]
# What often stands together grows together: pairs of letters, then pieces, then words.
# Each step makes the text shorter and the vocabulary longer by one.
#
# Now on bytes, and on some of the play. The new symbols are numbers from 256 on, and
# each **merge** is noted: *this pair of ids becomes this id*. The list of merges, in
# their order, is the whole tokenizer.

# %% tags=["nbval-check-output"] key="basic-merges"
basic = bpe.BasicTokenizer()
basic.train(play[:30_000], 256 + 60)
for (a, b), new in list(basic.merges.items())[:6]:
    print(f"{a:3} + {b:3} -> {new}  {basic.vocab[a]} + {basic.vocab[b]}")
longest = sorted(basic.vocab.values(), key=len)[-6:]
print("longest:", *longest)

# %% [markdown]
# This is training too, on a text that need not be the model's, but without a loss: a
# stage of its own in front of the network, which never gets to change it. What is
# learned depends on what is read.


# %% tags=["nbval-check-output"] key="training-sets"
verse = play[:20_000]
korean = (
    "바다는 고요하고 밤은 맑다. 어부는 배를 타고 바다로 나간다. "
    "달은 밝고 바람은 잔잔하다. 아이는 집에서 어부를 기다린다. "
    "밤은 길고 바다는 넓다. 어부는 노래하고 아이는 잠든다. "
)
readers = [bpe.fast_train(text, 256 + 40) for text in (verse, korean)]
shares = [
    [bpe.bytes_per_token(reader, text) for text in (verse, korean)]
    for reader in readers
]
for who, row in zip(("trained on the play", "trained on Korean"), shares, strict=True):
    print(f"{who:20}", " ".join(f"{share:.2f}" for share in row), "bytes per token")

# %% [markdown]
# On the left the play, on the right the Korean. **Bytes per token** is the measure of a
# tokenizer; at 1 nothing is won. Each is at home in its own text and lost in the
# other's.
#
# How far should one go? We merge on, then undo the merges from the last one backwards:
# where one goes, each of its tokens becomes two. So we know how long the play was after
# each of them.

# %% tags=["nbval-check-output"] key="lengths"
large = bpe.fast_train(train_text, budget(full=2048, check=600))
left = Counter(bpe.fast_encode(large, train_text))
lengths = {len(large.vocab): sum(left.values())}  # size of the vocabulary: tokens
for (a, b), new in reversed(large.merges.items()):
    count = left.pop(new, 0)
    left[a] += count
    left[b] += count
    lengths[new] = sum(left.values())

for size in (256, 300, 400, 512, max(lengths)):
    print(f"{size:5,} tokens known: {lengths[256] / lengths[size]:.2f} bytes per token")

# %%
fig, ax = style.figure("wide")
per_token = [lengths[256] / length for length in lengths.values()]
(curve,) = ax.plot(list(lengths), per_token, color=style.FORWARD)
style.reference_line(ax, 1, "bytes")
here = lengths[256] / lengths[512]
ax.plot([512], [here], color=style.BACKWARD, marker="o")
style.label_line(ax, (512, here - 0.2), "512, ours", style.BACKWARD)
ax.set(xlabel="tokens in the vocabulary", ylabel="bytes per token", ylim=(0.8, None))
_ = ax.set_title("The later a merge, the less it brings")

# %% [markdown]
# **Look.** Steep on the left, flat on the right, and no place on it is the best: the
# size of the vocabulary is a **hyper-parameter**. We come back to its price.
#
# A vocabulary grows where a text repeats itself.
#
# **Your turn.** In the exercises: `tokenizer.pair_counts`, `tokenizer.merge`,
# `tokenizer.train`; and later `tokenizer.fast_train`, which made `large` here, without
# counting everything anew for each merge.

# %% [markdown]
# ## From text to ids and back
#
# **Question.** A list of merges is given. How does a text that the tokenizer has never
# read become ids, and how do ids become a text again?
#
# Back is the shorter way. Each id stands for some bytes: the first 256 for one byte
# each, and each later one for those of the two that were merged.
#
# *In the video: decoding tokens to strings, and encoding strings to tokens.*

# %% tags=["nbval-check-output"] key="decode"
ids = ours.encode("the 👋")
parts = [ours.vocab[i] for i in ids]
alone = "".join(part.decode("utf-8", errors="replace") for part in parts)
print(ids, parts)
print("each part decoded:", alone)
print("the bytes joined: ", b"".join(parts).decode("utf-8"))
try:
    bytes([97, 128]).decode("utf-8")
except UnicodeDecodeError as error:
    print(error)
print("as ours does it:  ", repr(ours.decode([97, 128])))

# %% [markdown]
# First join the bytes, then decode: a token may end in the middle of a character, which
# no test in plain English will tell you.
#
# A model may also write what is no text at all. The byte 128 is `10000000`, the
# *second* byte of something that never began. Python refuses; with `errors="replace"`
# it writes U+FFFD. If a model shows you a `�`, that is why.
#
# Now forward. Say that there are two merges, first $a, b \to 256$, then $b, c \to 257$.
#
# **Predict.** Which ids does `abcbc` become?

# %% tags=["predict"]
candidates = ["256, 99, 257", "97, 257, 257", "both are right"]
guess = predict("tokenizer.order_of_merges", options=candidates)

# %% tags=["nbval-check-output"] key="rank-order"
toy = bpe.BasicTokenizer()
toy.train("ab1ab2ab3bc4bc5", 258)
print(toy.merges)
guess.compare(", ".join(map(str, toy.encode("abcbc"))))

# %% [markdown] tags=["why"]
# **Why.** In training, `ab` was replaced everywhere *before* there was a 257, and the
# model has read texts that were cut like that. So a new text goes the same way, merge
# by merge, in the order in which they were learned: by **rank**, the lowest first. That
# `bc` stands here twice says nothing.

# %%
explore.encode_race(toy.merges | {(99, 97): 258}, "abcbc")

# %% [markdown]
# Four orders for one word, of which only the first is right; the race has a third
# merge, $c, a \to 258$. On many words all arrive at the same tokens, which makes the
# wrong ones dangerous. Type other words of `a`, `b` and `c`, such as `cab`, until they
# part.
#
# Now both ways at once. Is one the inverse of the other?

# %% tags=["nbval-check-output"] key="round-trips"
for words in ("To be, or not to be", greeting, "", "\x00 tab\t"):
    assert ours.decode(ours.encode(words)) == words
ids = list(b"the")
print("text -> ids -> text: the same")
print("ids -> text -> ids: ", ids, "->", ours.decode(ids), "->", ours.encode("the"))

# %% [markdown]
# A text comes back as it was. A list of ids need not: many lists spell the same text,
# and `encode` knows one of them.
#
# Join bytes on the way back; go by rank on the way there.
#
# **Your turn.** In the exercises: `tokenizer.decode`, `tokenizer.encode`. Mind the text
# of one letter, which has no pairs.

# %% [markdown]
# ## Cuts that no merge crosses
#
# **Question.** The commonest merges of `basic` had a comma or a blank in them. What is
# lost when `dog.`, `dog!` and `dog?` are three tokens?
#
# Room in the vocabulary, and knowledge: three rows of a table, each of which has to
# learn what a dog is. So
# [GPT-2](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
# forbids merges across certain borders. A **regular expression** cuts the text into
# chunks; pairs are counted and merged inside chunks alone.
#
# *In the video: regex patterns to force splits across categories.*

# %% tags=["nbval-check-output"] key="chunks"
mixed = "HOW'S it?   He's 2024 years\n\n  old"
for name, pattern in (
    ("GPT-2", bpe.GPT2_SPLIT_PATTERN),
    ("GPT-4", bpe.GPT4_SPLIT_PATTERN),
):
    chunks = bpe.regex_split(mixed, pattern)
    print(f"{name}: {chunks}\n  nothing lost: {''.join(chunks) == mixed}")

# %% [markdown]
# GPT-2's pattern lists what may be a chunk; the first that fits is taken.
#
# ```
# '(?:[sdmt]|ll|ve|re)   a short form: 's, 'll
#  ?\p{L}+               letters, and the blank before them
#  ?\p{N}+               digits, likewise
#  ?[^\s\p{L}\p{N}]+     signs, likewise
# \s+(?!\S)              blanks, but for the last one before a word
# \s+                    blanks
# ```
#
# `\p{L}` is a letter of any script, which the package
# [regex](https://pypi.org/project/regex/) knows. So ` He` is one chunk, wherever it
# stands. GPT-4's pattern takes `'S` for a short form too, and digits in threes at most.

# %%
explore.split_view("HOW'S the dog?  It's 1,024 days old!\n\n    return dog")

# %% [markdown]
# Type code, prices, your own language, and find a text where GPT-2 and GPT-4 differ.
#
# **Predict.** Cuts forbid merges that would make the text shorter. On the same text,
# with as many merges, how many percent longer is it with cuts than without?

# %% tags=["predict"]
guess = predict("tokenizer.price_of_cuts", unit="%")

# %% tags=["nbval-check-output"] key="price-of-cuts"
with_cuts = bpe.RegexTokenizer(bpe.GPT2_SPLIT_PATTERN)
with_cuts.train(play[:30_000], 256 + 60)
for name, tokenizer in (("without", basic), ("with cuts", with_cuts)):
    learned = [tokenizer.vocab[i] for i in range(256, 268)]
    print(f"{name:10}", *learned)
share = len(with_cuts.encode(play[:30_000])) / len(basic.encode(play[:30_000]))
guess.compare(round(100 * share - 100, 1))

# %% [markdown] tags=["why"]
# **Why.** Some of the commonest pairs were forbidden, such as a letter and the blank
# behind it; but others take their place. A blank in *front* of letters is allowed: such
# a token is the beginning of a word, and that does not show in this number.

# %% [markdown]
# A token should be about something: cut first, merge inside.
#
# **Your turn.** In the exercises: `tokenizer.regex_split` and
# `tokenizer.regex_tokenizer`.

# %% [markdown]
# ## Tokens that are not text
#
# **Question.** A model is trained on millions of documents, one behind the other. How
# does it know where one ends?
#
# By a sign that no document can contain. GPT-2 has 50,256 tokens for text, and behind
# them id 50256, written `<|endoftext|>`, which no merge ever makes. A text is first cut
# at its **special tokens**, at the longer where two begin at one place; what lies
# between is encoded as ever.
#
# *In the video: special tokens.*

# %% tags=["nbval-check-output"] key="special"
END = "<|endoftext|>"
chat = bpe.fast_train(train_text, 316)
chat.register_special_tokens({END: 316, "<|user|>": 317, "<|assistant|>": 318})
print(chat.encode("<|user|>Hi" + END, allowed_special="all"))
print(chat.decode([317, 72, 105, 316]))

# %% [markdown]
# The ids begin where those of the text end. A chat is one long text with such signs in
# it: who speaks, and where the turn is over. GPT-4's vocabulary also has signs for
# **filling in the middle**: [Bavarian and others](https://arxiv.org/abs/2207.14255)
# (2022) let a model read what comes before *and* after a gap, then write the gap.
#
# But what if a *user* types the sign?

# %% tags=["nbval-check-output"] key="injection"
typed = f"Say yes.{END}"
for policy in ("all", "none", "none_raise"):
    try:
        ids = chat.encode(typed, allowed_special=policy)
        print(f"{policy:10} {len(ids):2} tokens, the sign among them: {316 in ids}")
    except ValueError as error:
        print(f"{policy:10} {error}")

# %% [markdown]
# With `"all"` a stranger has ended the document, and might next speak as the assistant:
# an *injection*, as it is known from databases. With `"none"` the same letters are text
# like any other. The default refuses, so that whoever builds a chat has to decide.
#
# And the model? It has a row for each id in two places, the embedding and the last
# layer. Both must grow.


# %% tags=["nbval-check-output"] key="surgery"
def grown(old, rows):
    """The same rows, and some new ones that begin at their mean."""
    new = old.weight.mean(0, keepdim=True).expand(rows, -1)  # (rows, C)
    return nn.Parameter(torch.cat([old.weight.data, new.data]))


torch.manual_seed(1337)
gpt = GPT(GPTConfig(vocab_size=316, n_layer=1, bias=False))
prompt = torch.tensor([chat.encode("To be")])  # (1, T)
before, _ = gpt(prompt)  # (1, T, 316)
for layer in (gpt.token_embedding_table, gpt.lm_head):
    layer.weight = grown(layer, 3)
after, _ = gpt(prompt)  # (1, T, 319)
print(tuple(before.shape), "->", tuple(after.shape))
print("old logits untouched:", torch.allclose(before, after[..., :316], atol=1e-6))

# %% [markdown]
# Then one finetunes, often with the old weights frozen, so that the new rows alone
# learn. A long prompt can be squeezed into some such rows, **gist tokens** ([Mu and
# others](https://arxiv.org/abs/2304.08467), 2023); and patches of a picture can be
# tokens beside those for text.
#
# On disk a tokenizer is its merges, its pattern *and* its special tokens.
#
# A special token is made by the program, and never by a text.
#
# **Your turn.** In the exercises: `tokenizer.special_tokens`, with overlapping ones,
# and `tokenizer.save_load`.

# %% [markdown]
# ## GPT-4's own
#
# **Question.** OpenAI published what GPT-4's tokenizer knows, but not its list of
# merges: for each token its bytes and its rank, nothing else. Can we get `encode` from
# that?
#
# Take the rank for the id. A token was merged from two others; but which? Often there
# is more than one way to cut it in two.
#
# *In the video: tiktoken, GPT-2's encoder.py, and sentencepiece.*

# %% tags=["nbval-check-output"] key="cut-in-two"
ranks = {token: i for i, token in ours.vocab.items()}  # what would be published


def in_two(token):
    """The ways to cut a token into two that are known."""
    cuts = ((token[:i], token[i:]) for i in range(1, len(token)))
    return [cut for cut in cuts if cut[0] in ranks and cut[1] in ranks]


token = max(ranks, key=lambda token: len(in_two(token)))
print(token, "could be", *in_two(token))
found = bpe.recover_merges(ranks)
made = {new: pair for pair, new in found.items()}
print("and is", *(ours.vocab[i] for i in made[ranks[token]]))
print("every merge is right:", found == ours.merges)

# %% [markdown]
# Parts younger than the token do not count; of the others, take what byte pair encoding
# takes. Let it loose on the token's own bytes, with lower ranks only: it stops one
# merge short, and what is left is the pair.
#
# In GPT-2 and GPT-4, ids of single bytes are not the bytes. They are shuffled, by a
# table of GPT-2 that shows each byte as a printable sign, a blank as `Ġ`. Forget the
# shuffle, and round trips still pass, with ids that no model knows.

# %% tags=["nbval-check-output"] key="byte-order"
for name, tokenizer in tokenizers.items():
    first = [tokenizer.decode([i]) for i in range(4)]
    print(f"{name}: ids 0 to 3 are {first}, and e is {tokenizer.encode('e')}")
print("a blank in GPT-2's files:", chr(ord(" ") + 256))

# %% [markdown]
# And the judge: [tiktoken](https://github.com/openai/tiktoken), OpenAI's own package,
# written in Rust. It encodes and cannot train. It takes any pattern and ranks, so it
# can judge ours without a network.

# %% tags=["nbval-check-output"] key="judge"
trials = ["hello123!!!? (안녕하세요!) 😉", END + "hello world", dev_text[:5_000], "\n "]
for name, one in tokenizers.items():
    special = one.special_tokens
    its_own = {token: i for i, token in one.vocab.items() if i not in special.values()}
    judge = tiktoken.Encoding(
        name, pat_str=one.pattern, mergeable_ranks=its_own, special_tokens=special
    )
    same = 0
    for text in trials:
        theirs = judge.encode(text, allowed_special="all")
        same += one.encode(text, allowed_special="all") == theirs
    print(f"{name}: {same} of {len(trials)} texts have the same ids as tiktoken's")
print(f"{name}: {one.encode(trials[0])}")

# %% [markdown]
# [SentencePiece](https://arxiv.org/abs/1808.06226), by Kudo and Richardson (2018),
# which Llama 2 uses, can train too. It merges *code points*. The rarest characters,
# beyond a **character coverage** of 0.9995 or so, get no token: they become `<unk>` or,
# by **byte fallback**, their bytes. And it puts a blank in front of each text, the
# **dummy prefix**, so that the first word is a word like others.

# %% tags=["nbval-check-output"] key="code-point-bpe"
pieces_of = bpe.CodePointTokenizer()
pieces_of.train(korean, 256 + 60)
for words in ("바다는 밤", "바다 👋"):
    ids = pieces_of.encode(words)
    print(f"{words!r}: {[pieces_of.vocab[i].decode('utf-8', 'replace') for i in ids]}")

# %% [markdown]
# The hand stood in no training text, so it is four byte tokens. Syllables are there
# from the start; `ours` would have to put each together from three bytes first.
#
# Ranks are enough: one merge short of a token stands its pair.
#
# **Your turn.** In the exercises: `tokenizer.gpt4_tokenizer`, whose judge is tiktoken,
# and `tokenizer.codepoint_bpe`.

# %% [markdown]
# ## Your GPT reads tokens
#
# **Question.** Some sixty letters, or 512 tokens, or 100,000? What does a model pay for
# a larger vocabulary, and what does it get?
#
# It pays with rows: one in the embedding and one in the last layer, $V \cdot C$ numbers
# each. It gets shorter lists: more text in the same window, and fewer steps for the
# same text.
#
# *In the video: what should the vocabulary size be.*

# %%
counted, names = {}, {}  # size: tokens of the play, and whose size it is
for name, tokenizer in tokenizers.items():
    met, known = Counter(bpe.fast_encode(tokenizer, train_text)), len(tokenizer.vocab)
    counted[known], names[known] = sum(met.values()), name
    once = sum(count == 1 for count in met.values())
    print(f"{name:6}{counted[known]:9,} tokens in the play;", end=" ")
    print(f"of the {known:,} there are, {len(met):,} occur, {once:,} of them once")

explore.vocabulary_size(lengths | counted, names)

# %% [markdown]
# Move the size, then the width. And above: a token that never occurs is a row that
# nobody trains. Large vocabularies are for large texts.
#
# We take 512: a byte costs an eighth more there than at best, but its merges come from
# what the model reads. The GPT is lesson 7's small one. But as has happened to others,
# the next cell's tokenizer reads what the model will not: an old forum, in which
# somebody with an odd name writes and writes. We shall meet it again.


# %% tags=["nbval-check-output"] key="reader"
forum = " SolidGoldMagikarp" * (len(train_text) // 400)
reader = bpe.fast_train(train_text + forum, 512)
print("the name is one token:", reader.encode(" SolidGoldMagikarp"))

sides = {}  # name: ids of train and of dev, and the size of the vocabulary
stoi = {c: i for i, c in enumerate(chars)}
for name, encode, size in (
    ("letters", lambda text: [stoi[c] for c in text], len(chars)),
    ("tokens", lambda text: bpe.fast_encode(reader, text), 512),
):
    train_ids, dev_ids = (torch.tensor(encode(text)) for text in (train_text, dev_text))
    sides[name] = train_ids, dev_ids, size
    print(f"{name:8} {len(train_ids):9,} to train on, {len(dev_ids):7,} for dev")

# %% [markdown]
# Two models, alike but for their symbols: 4 blocks, 64 channels, windows of 32 symbols,
# as many steps. How to compare them? A loss is per symbol, and the symbols differ. So
# add up what a model pays for *all* of dev, and divide by what is the same for both,
# the bytes.
#
# $$\text{bits per byte} = \frac{\text{loss per token}}{\ln 2}
# \cdot \frac{\text{tokens}}{\text{bytes}}$$
#
# Each trains for half a minute or so; pause it, turn its rate, or stop it.


# %%
steps, peak = budget(full=1_500, check=10), 4e-3


def rate(step):
    return peak * min((step + 1) / 100, 1 - 0.95 * step / steps)  # up, then down


@torch.no_grad()
def nats(model, ids):
    """The mean loss over a list of ids, in windows that do not overlap."""
    T = model.config.block_size
    whole = (len(ids) - 1) // T * T
    x, y = ids[:whole].view(-1, T), ids[1 : whole + 1].view(-1, T)  # (N, T)
    batches = zip(x.split(256), y.split(256), strict=True)
    return sum(model(a, b)[1].item() * len(a) for a, b in batches) / len(x)


# %%
log, models, size = [], {}, len(dev_text.encode())  # size: bytes of dev


def fit(name):
    """Train lesson 7's small GPT on letters or tokens; a line for the log."""
    ids, dev_ids, V = sides[name]
    torch.manual_seed(1337)
    model, dice = GPT(GPTConfig(vocab_size=V)), torch.Generator().manual_seed(1337)
    adamw = torch.optim.AdamW(model.parameters(), lr=peak)
    for _ in (run := live.train(steps, rate, title=name)):
        starts = torch.randint(len(ids) - 32, (16, 1), generator=dice)
        x = ids[starts + torch.arange(33)]  # (16, 33)
        _, loss = model(x[:, :-1], x[:, 1:])
        adamw.param_groups[0]["lr"] = run.lr
        adamw.zero_grad()
        loss.backward()
        adamw.step()
        run.log(loss=loss)
    models[name], each = model, size / len(dev_ids)  # bytes a symbol
    log.append({"name": name, "nats": nats(model, dev_ids), "each": each})


# %%
fit("letters")
print(f"{log[0]['nats']:.3f} nats a letter")

# %% [markdown]
# Next the same on tokens. One of 512 is harder to name than one of some sixty, so the
# loss begins near $\ln 512$.

# %%
fit("tokens")
print(f"{log[1]['nats']:.3f} nats a token")

# %% [markdown]
# **Predict.** In bits per byte, how many percent less do the tokens pay than the
# letters? (Below zero if they pay more.)

# %% tags=["predict"]
guess = predict("tokenizer.tokens_against_letters", unit="%")

# %%
for row in log:
    row["bits"] = row["nats"] / math.log(2) / row["each"]
guess.compare(round(100 * (1 - log[1]["bits"] / log[0]["bits"]), 1))

# %% [markdown] tags=["why"]
# **Why.** A token costs more nats than a letter, and stands for about two of them. In
# the same window of 32 symbols it has twice as much to go by.

# %%
print("          nats a symbol   bytes a symbol   bits a byte")
for row in log:
    print("{name:8} {nats:14.3f} {each:16.2f} {bits:13.3f}".format(**row))

# %% [markdown]
# The last column is the one to compare. In as many steps, at nearly the same price, the
# tokens have read about twice as much of the play.
#
# This is how it writes. First with bars, so that you see what was written at one go.

# %%
model = models["tokens"]
dice = torch.Generator().manual_seed(1337)
begin = torch.tensor([reader.encode("\n")])  # (1, 1)
drawn = model.generate(begin, budget(full=200, check=20), generator=dice)[0].tolist()
print("|".join(reader.decode([i]) for i in drawn[1:40]))
print("...", reader.decode(drawn[40:]))

# %% [markdown]
# From bar to bar is one decision: some words come at one go, others in pieces.
#
# Losses of two tokenizers are in two currencies; bits per byte is the exchange.
#
# **Your turn.** In the exercises: `tokenizer.compression`.

# %% [markdown]
# ## What tokens do to a model
#
# **Question.** You have a model now, and know what it sees. Which of the complaints can
# you explain?
#
# One after the other, each with a number. Where GPT-2's and GPT-4's vocabularies are at
# hand, they stand beside ours.
#
# *In the video: back to the list of the beginning.*


# %% tags=["nbval-check-output"] key="spelling"
def barred(tokenizer, text):
    """The pieces of a text, with a bar between them."""
    return "|".join(tokenizer.decode([i]) for i in tokenizer.encode(text))


word = " understanding"
for name, tokenizer in tokenizers.items():
    for words in (word, " ".join(word).strip(), word[::-1]):
        count = len(tokenizer.encode(words))
        print(f"{name:6}{count:3} tokens: {barred(tokenizer, words)}")

# %% [markdown]
# *Spelling.* How many `n` are in it? The ids do not say; a model has to have learned
# which letters each token stands for. With blanks between them, each has a token of its
# own. *Turning a word round:* the letters stay, the ids do not. What is a mirror to you
# is a translation to the model.
#
# *Sums.* One adds from the right, digit under digit. Where are the cuts, in all numbers
# of four digits?

# %% tags=["nbval-check-output"] key="numbers"
for name, tokenizer in tokenizers.items():
    cuts = bpe.number_cuts(tokenizer, range(1000, 10_000))
    total = sum(cuts.values())
    for cut, count in cuts.most_common(3):
        print(f"{name:6}{'+'.join(map(str, cut)):8} {count / total:7.1%}")

# %% [markdown]
# GPT-2 cuts now here, now there, as the numbers of its training text would have it:
# tens may stand under hundreds. GPT-4 takes three digits from the *left*: always the
# same way, and not the one that adds. There are no sums in a play, so with ours digits
# stay alone; for once a poor vocabulary is the better one.
#
# *Other languages.* Seven times the same sentence:

# %%
sentences = {
    "English": "The sea is calm and the night is clear.",
    "German": "Das Meer ist ruhig, und die Nacht ist klar.",
    "Spanish": "El mar está en calma y la noche es clara.",
    "Korean": "바다는 고요하고 밤은 맑다.",
    "Japanese": "海は穏やかで、夜は澄んでいる。",
    "Greek": "Η θάλασσα είναι ήρεμη και η νύχτα καθαρή.",
    "Hindi": "समुद्र शांत है और रात साफ़ है।",
}
fig, ax = style.figure("wide")
looks = {"ours": ("o", style.FORWARD), "GPT-2": ("^", style.REFERENCE)}
for name, tokenizer in tokenizers.items():
    mark, colour = looks.get(name, ("s", style.TRAIN))
    counts = [len(tokenizer.encode(text)) for text in sentences.values()]
    ax.plot(list(sentences), counts, mark, color=colour, fillstyle="none")
    style.label_line(ax, (6, counts[-1]), name, colour)
ax.set(ylabel="tokens", ylim=(0, None))
_ = ax.set_title("The same sentence, and English costs least")

# %% [markdown]
# **Look.** Compare the heights along one kind of mark, from left to right. Whoever
# writes in the languages on the right pays more for a sentence, waits longer for it,
# and has a smaller window.
#
# *Python.* Blanks in front of a line are text as well:

# %% tags=["nbval-check-output"] key="indentation"
code = """
def first(items):
    for item in items:
        if item:
            return item
"""
for name, tokenizer in tokenizers.items():
    ids = tokenizer.encode(code)
    blank = sum(not tokenizer.decode([i]).strip() for i in ids)
    print(f"{name:6}{len(ids):3} tokens, {blank:2} of them blanks and line breaks")

# %% [markdown]
# Where blanks are tokens one by one, the window fills up with nothing. GPT-4 has tokens
# for whole rows of them.
#
# *A blank at the end.* Here your model can be asked. From dev we take 200 words and
# what stands before them; what stands before ends once in front of the blank, once
# behind it.
#
# **Predict.** The second time the blank is given, and the model has less to say. How
# many percent fewer bits does it pay for the word? (Below zero if it pays more.)

# %% tags=["predict"]
guess = predict("tokenizer.blank_at_the_end", unit="%")


# %%
@torch.no_grad()
def price(before, after):
    """Bits that the model pays for a text after another, each with its own tokens."""
    first, rest = bpe.fast_encode(reader, before)[-16:], bpe.fast_encode(reader, after)
    idx = torch.tensor([first + rest])
    logprobs = model(idx[:, :-1])[0][0].log_softmax(dim=-1)  # (T - 1, V)
    paid = logprobs[torch.arange(-len(rest), 0), torch.tensor(rest)]
    return -paid.sum().item() / math.log(2)


places = [i for i in range(200, 9_000) if dev_text[i] == " "][:200]
without = with_blank = 0.0
for i in places:
    before, word = dev_text[i - 100 : i], dev_text[i:].split()[0]
    without += price(before, " " + word) / len(places)
    with_blank += price(before + " ", word) / len(places)
guess.compare(round(100 * (1 - with_blank / without), 1))

# %% [markdown] tags=["why"]
# **Why.** The blank belongs to the word behind it, as in ` the`. Whoever ends a prompt
# with a blank hands the model a beginning that it has hardly ever read.

# %% tags=["nbval-check-output"] key="lone-blank"
pairs = Counter(pairwise(sides["tokens"][0].tolist()))
known = reader.vocab.items()
alone = sum(pairs[32, i] for i, token in known if token.startswith(b"t"))
first = [i for i, token in known if token.startswith(b" t")]
joined = sum(count for (_, i), count in pairs.items() if i in first)
print(f"in training, ' t...' as one token: {joined:,} times")
print(f"a blank alone, then 't...': {alone} times")

# %% [markdown]
# It is one case of many. Cut a line anywhere, and hand over what stands before the cut:
# are its tokens those that the whole line begins with?

# %% tags=["nbval-check-output"] key="unstable"
passage = dev_text[:400]
for name, tokenizer in tokenizers.items():
    whole = tokenizer.encode(passage)
    heads = [tokenizer.encode(passage[:cut]) for cut in range(1, len(passage))]
    broken = sum(whole[: len(head)] != head for head in heads) / len(heads)
    print(f"{name:6}{broken:4.0%} of the cuts leave a token that will change")

# %% [markdown]
# Such **unstable tokens** stand at the end of a prompt because nothing stands behind
# them yet. A program that completes what you type has to take the last ones back.
#
# *It stops.* A program shows what a model writes, up to the id of the end. Say that an
# answer *names* that sign, and is kept as text and encoded again, as a chat is for each
# turn. One policy takes the name for the end, the other spells it:

# %% tags=["nbval-check-output"] key="halt"
answer = f"You wrote {END}, and there is more to say."
for policy in ("all", "none"):
    ids = chat.encode(answer, allowed_special=policy)
    shown = ids[: ids.index(316)] if 316 in ids else ids
    print(f"{policy:5}{len(shown):3} of {len(ids)} tokens: {chat.decode(shown)!r}")

# %% [markdown]
# *A name that drives it mad.* ` SolidGoldMagikarp` was a user of a forum, and is a
# token of GPT-2. Models with that vocabulary, asked to repeat the name, evaded,
# insulted, or said another word ([Rumbelow and
# Watkins](https://www.lesswrong.com/posts/aPeJE8bSo6rAFoLqg/solidgoldmagikarp-plus-prompt-generation),
# 2023). The likely cause: the tokenizer had read the forum, and the model had not.
# Yours has such a token too. What has training done to its row?

# %%
torch.manual_seed(1337)
newborn = GPT(GPTConfig(vocab_size=512))  # as `model` was before its first step
rows = model.token_embedding_table.weight.detach()  # (512, 64)
moved = (rows - newborn.token_embedding_table.weight.detach()).norm(dim=1)  # (512,)
[name_id] = reader.encode(" SolidGoldMagikarp")
seen = torch.bincount(sides["tokens"][0], minlength=512)
for name, tokenizer in tokenizers.items():
    print(f"{name}: {tokenizer.encode(' SolidGoldMagikarp')}")

fig, ax = style.figure("wide")
ax.plot(1 + seen, moved, "o", color=style.FORWARD, markersize=3, alpha=0.6)
ax.plot([1], [moved[name_id]], "s", color=style.BACKWARD)
style.label_line(ax, (1.1, float(moved[name_id])), "the name", style.BACKWARD)
ax.set(xscale="log", xlabel="1 + times that it was read", ylabel="its row moved by")
ax.set_ylim(bottom=-0.05 * moved.max())
_ = ax.set_title("A token that is never read keeps the row it was born with")

# %% [markdown]
# **Look.** At the left edge stand the tokens that were never read. Their rows are the
# random numbers of the first day, less what weight decay took: an input on which
# nothing behind it was ever trained. The bytes of Korean are among them.
#
# *JSON and YAML.* One record: in JSON as people read it, without blanks, and in YAML.

# %% tags=["nbval-check-output"] key="formats"
record = {
    "name": "Juliet",
    "house": "Capulet",
    "friends": ["nurse", "friar"],
    "age": 13,
}
written = {
    "JSON": json.dumps(record, indent=2),
    "without blanks": json.dumps(record, separators=(",", ":")),
    "YAML": "name: Juliet\nhouse: Capulet\nfriends:\n- nurse\n- friar\nage: 13\n",
}
for name, tokenizer in tokenizers.items():
    counts = (f"{form} {len(tokenizer.encode(t)):2}" for form, t in written.items())
    print(f"{name:6}", ", ".join(counts))

# %% [markdown]
# Quotes, commas and brackets are tokens too, and the blanks of the indent. A vocabulary
# that holds signs often met together, as GPT-2's does, takes JSON without blanks for
# hardly more than YAML; ours has read none, and pays for each.

# %% [markdown]
# | complaint | what the model sees |
# |---|---|
# | spelling, turning round | one number for several letters |
# | sums | digits in packets |
# | languages, indented lines | many small tokens, a full window |
# | a blank at the end | a beginning it has never read |
# | it stops | text that became a special token |
# | an odd name | a row that nobody trained |
# | JSON | signs and blanks that say little |
#
# What looks like a fault of the network may be one of its eyes.

# %% [markdown]
# What to do? Take a vocabulary that exists, with tiktoken, where you can. If you train
# your own: cut first, keep all bytes, and let the model read what the tokenizer reads.
# When a model does something odd, look at its tokens first.
#
# Or do without: [MEGABYTE](https://arxiv.org/abs/2305.07185) by Yu and others (2023)
# reads bytes, with a transformer for the large steps and another for the small ones.
#
# **Your turn.** In the exercises: `tokenizer.artifacts`, which measures such things for
# any tokenizer.

# %% [markdown]
# ## What you have now
#
# You trained a byte pair encoding, and each text came back from it as it was. You
# rebuilt a tokenizer from nothing but its ranks, and tiktoken gave the same ids. You
# traced the complaints back to tokens, each to a number.
#
# The ledger has one more reader of the play: `xz`, a program that packs files. What
# counts is by how much its file grows when dev is added to the training text.

# %%
files = [len(lzma.compress(text.encode(), preset=9)) for text in (play, train_text)]
ledger = {
    "any byte": 8.0,
    "any letter of the play": math.log2(len(chars)),
    "xz": 8 * (files[0] - files[1]) / size,
    "lesson 7's video, letters": 1.82 / math.log(2),
} | {f"your GPT, {row['name']}": row["bits"] for row in log}

fig, ax = style.figure("wide")
ax.set_title("What each reader pays for the last tenth of the play")
for at, (name, bits) in enumerate(ledger.items()):
    colour = style.VALID if name.startswith("your") else style.REFERENCE
    ax.plot([bits], [at], color=colour, marker="o")
    style.label_line(ax, (bits, at), f"{bits:.2f}", colour)
ax.set_yticks(range(len(ledger)), ledger)
ax.set(xlabel="bits per byte", xlim=(0, 9), ylim=(len(ledger) - 0.5, -0.5))
ax.grid(axis="y")
print(f"as tiktoken's: {same} of {len(trials)} texts; the name's row moved by", end=" ")
print(
    f"{moved[name_id]:.3f}, the others that were read by {moved[seen > 0].median():.3f}"
)

# %% [markdown]
# **Look.** Green is yours. Whoever guesses the next symbol well needs few bits to write
# it down, so a language model and a packer have one measure. `xz` can look back over
# the whole play, your models over 32 symbols.

# %% [markdown]
# In lesson 1 a number learned where it came from. Since then you have written the
# engine, the counts, the layers, each gradient, the tree and the attention, and now
# what reads for them. From a text to the loss and back, each line is one that you could
# write.
#
# **Question** without a next lesson. Everything in your GPT is learned from its loss,
# from the first embedding to the last layer. Its tokens are not: they were counted.
# What would a model look like that learns what to read?

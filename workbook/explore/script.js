// What runs in a picture of tokens, once: laying it out, and pointing at a token.
const figure = this.closest("figure"), box = figure.parentNode;
if (!box) return; // another picture has come meanwhile
const texts = () => [...figure.querySelectorAll(".wb-tokens")];
const told = () => figure.querySelector(".wb-told"), hint = told().textContent;
const list = (text) => [...text.querySelectorAll("[data-b]")];

// --- Laying out: at once what is seen of a text; the rest when somebody turns to it,
// or has stopped typing. A text is two stretches of tokens: the first, and the rest.
const SLACK = 20, states = new WeakMap(), bytes = new Map();
const parting = (old, now, same) => {
  let i = 0, j = old.length, k = now.length;
  while (i < j && i < k && same(old[i], now[i])) i++;
  while (i < j && i < k && same(old[j - 1], now[k - 1])) j--, k--;
  return [i, j, k];
};
const stretch = () => {
  const holder = document.createElement("data");
  let shown = [];
  const lay = (row) => {
    const [i, j, k] = parting(shown, row, (a, b) => a.html === b);
    if (i === j && i === k) return;
    const end = shown[j]?.nodes[0] ?? null, all = new DocumentFragment();
    const fresh = row.slice(i, k).map((html) => ({ html, nodes: nodes(html) }));
    for (const { nodes } of shown.slice(i, j)) nodes.forEach((x) => x.remove());
    for (const { nodes } of fresh) all.append(...nodes);
    holder.insertBefore(all, end);
    bytes.clear();
    shown = [...shown.slice(0, i), ...fresh, ...shown.slice(j)];
    return true;
  };
  return { holder, lay };
};
const made = new Map(); // HTML of a token -> its nodes, to be cloned
const nodes = (html) => {
  if (!made.has(html)) {
    if (made.size > 20_000) made.clear();
    const one = document.createElement("template");
    one.innerHTML = html;
    made.set(html, [...one.content.childNodes]);
  }
  return made.get(html).map((x) => x.cloneNode(true));
};
const begin = (text) => {
  const given = text.querySelector("script");
  if (!given) return;
  given.remove();
  if (!states.has(text))
    states.set(text, { first: stretch(), rest: stretch(), all: [], cut: 0 });
  const { kinds, row, first } = JSON.parse(given.textContent);
  const state = states.get(text);
  const all = row.map((k) => kinds[k]);
  // Where tokens before the cut are added or gone, it moves with those behind them.
  const [i, j, k] = parting(state.all, all, Object.is);
  const cut = state.cut + (i < state.cut ? k - j : 0);
  state.cut = cut >= first && cut < first + 3 * SLACK ? cut : first + SLACK;
  state.all = all;
  state.first.lay(all.slice(0, state.cut));
  if (!state.first.holder.isConnected) text.append(state.first.holder);
  if (state.scrolled || state.short) end(text);
  else hide(text);
};
const hide = (text) => {
  const { rest, scrolled, short } = states.get(text) ?? {};
  if (!rest?.holder.isConnected || scrolled || short) return;
  rest.holder.remove();
  bytes.clear();
};
const end = (text) => {
  if (!states.has(text)) return; // it came whole
  const { rest, all, cut } = states.get(text);
  rest.lay(all.slice(cut));
  if (all.length === cut || rest.holder.isConnected) return;
  text.append(rest.holder);
  bytes.clear();
};
let soon, later;
const settle = () => {
  texts().forEach(begin);
  clearTimeout(soon);
  clearTimeout(later);
  soon = setTimeout(() => texts().filter((x) => states.has(x)).forEach((text) => {
    const state = states.get(text);
    const { height } = state.first.holder.getBoundingClientRect();
    state.short = height < text.clientHeight; // the first are not all that is seen
    if (state.short) end(text);
  }), 250);
  later = setTimeout(() => texts().forEach(end), 1000); // for reading aloud, and search
};
const turned = ({ type, movementX, movementY }) => {
  // A mouse that rests is told of too, each time something moves under it.
  const moves = type !== "pointermove" || movementX !== 0 || movementY !== 0;
  if (moves) texts().forEach(end);
};
for (const sign of ["pointermove", "pointerdown", "wheel", "focusin"])
  figure.addEventListener(sign, turned, { passive: true });
figure.addEventListener("scroll", ({ target }) => {
  if (!states.has(target)) return;
  states.get(target).scrolled = target.scrollTop > 0;
  end(target);
}, true);
// What is typed is answered in a moment: time to put away what it would move.
figure.closest(".wb-x")?.addEventListener("input", () => texts().forEach(hide));

// --- The next picture: what differs is put into this one, child by child from both
// ends, so that a key costs what it changes and a text stays where it was scrolled to.
// The widget hands a picture over as `innerHTML`, which is caught; what is no picture
// of tokens passes by.
const match = (old, now) => {
  const a = [...old.childNodes], b = [...now.childNodes];
  let [i, j, k] = parting(a, b, (x, y) => x.isEqualNode(y));
  for (; i < j && i < k && a[i].nodeType === 1 && a[i].nodeName === b[i].nodeName; i++)
    become(a[i], b[i]);
  const end = a[j] ?? null;
  while (j > i) a[--j].remove();
  while (i < k) old.insertBefore(b[i++], end);
};
const become = (old, now) => {
  for (const name of old.getAttributeNames())
    if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const name of now.getAttributeNames())
    if (old.getAttribute(name) !== now.getAttribute(name))
      old.setAttribute(name, now.getAttribute(name));
  if (old.classList.contains("wb-tokens")) old.append(...now.childNodes);
  else match(old, now);
};
box.renew = (html) => {
  const next = document.createElement("template");
  next.innerHTML = html;
  const now = next.content.firstElementChild;
  if (!figure.isConnected || !now?.querySelector(".wb-tokens")) return false;
  now.querySelector("img").remove(); // it would start this once more
  clear();
  walked.clear();
  become(figure, now);
  settle();
  return true;
};
const plain = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML");
Object.defineProperty(box, "innerHTML", {
  configurable: true,
  get() { return plain.get.call(box); },
  set(html) { if (!box.renew(html)) plain.set.call(box, html); },
});

// --- Pointing, by mouse or by keys.
const walked = new Map(); // text -> the token that the keys have come to
const clear = () => figure.querySelectorAll(".wb-here,.wb-under").forEach((x) =>
  x.classList.remove("wb-here", "wb-under"));
const measure = () => {
  if (!bytes.size) for (const text of texts()) {
    let a = 0;
    for (const x of list(text))
      bytes.set(x, [a, (a += (x.dataset.b.length + 1) / 3)]);
  }
};
const show = (x) => {
  measure();
  clear();
  const [a, b] = bytes.get(x), own = x.closest(".wb-tokens");
  const at = list(own).indexOf(x) + 1;
  x.classList.add("wb-here");
  for (const text of texts()) if (text !== own) for (const y of list(text)) {
    const [c, d] = bytes.get(y);
    if (c < b && d > a) y.classList.add("wb-under");
  }
  told().textContent = `${own.dataset.said} ${at}: "${x.textContent}", ` +
    `${own.dataset.number} ${x.dataset.i}, bytes ${x.dataset.b}`;
};
figure.addEventListener("mouseover", (event) => {
  const x = event.target.closest("[data-b]");
  if (x) show(x);
});
figure.addEventListener("mouseleave", () => {
  clear();
  told().textContent = hint;
});
figure.addEventListener("keydown", (event) => {
  const text = event.target;
  if (!text.classList.contains("wb-tokens")) return;
  end(text);
  const all = list(text), at = walked.get(text) ?? -1;
  const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 };
  if (!(event.key in moves) || !all.length) return;
  event.preventDefault();
  event.stopPropagation();
  walked.set(text, Math.max(0, Math.min(all.length - 1, moves[event.key])));
  const x = all[walked.get(text)];
  x.scrollIntoView({ block: "nearest" });
  show(x);
});

settle();
this.remove();

// Finds sections of SECTIONS (index.js) that hold every word of ?q=; a word in a title counts most, then one in a heading.
"use strict";

const MOST = 50;

function fold(text) {
  return text.toLowerCase();
}

function find(words) {
  const found = [];
  for (const one of SECTIONS) {
    const [page, heading, text] = [fold(one.page), fold(one.heading), fold(one.words)];
    let score = 0;
    for (const word of words) {
      const here = 8 * page.includes(word) + 4 * heading.includes(word) + text.includes(word);
      if (!here) { score = 0; break; }
      score += here;
    }
    if (score) found.push([score, one]);
  }
  return found.sort((a, b) => b[0] - a[0]).map((pair) => pair[1]);
}

function around(one, word) {
  const at = Math.max(fold(one.words).indexOf(word), 0);
  const from = Math.max(at - 60, 0);
  return (from ? "…" : "") + one.words.slice(from, at + 140) + (one.words.length > at + 140 ? "…" : "");
}

const asked = (new URLSearchParams(location.search).get("q") || "").trim();
const words = fold(asked).split(/\s+/).filter(Boolean);
document.querySelector("input[name=q]").value = asked;
if (words.length) {
  const found = find(words);
  const many = found.length > MOST ? `, the first ${MOST} of them` : "";
  document.getElementById("found").textContent =
    found.length ? `${found.length} places hold “${asked}”${many}:` : `Nothing holds “${asked}”.`;
  for (const one of found.slice(0, MOST)) {
    const [item, link, text] = ["li", "a", "p"].map((name) => document.createElement(name));
    link.href = one.at;
    link.textContent = one.page === one.heading ? one.page : `${one.page} · ${one.heading}`;
    text.textContent = around(one, words[0]);
    item.append(link, text);
    document.getElementById("results").append(item);
  }
}

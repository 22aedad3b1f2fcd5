// Two commits side by side: which series differ, by how much, and what grew by site.

let compared = { words: [], rows: [], from: 0, to: 0, page: 0 };

async function showCompare(article, from, to, isShown) {
  const moves = await load("moves");
  if (!isShown()) return;
  compared = { words: [], from, to, page: 0, rows: differences(moves, from, to) };
  const search = make("input", { type: "search", id: "compare-search", placeholder: "Search tests, files, metrics", "aria-label": "Search the differences", autocomplete: "off" });
  search.addEventListener("input", () => {
    compared.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    compared.page = 0;
    showDifferences();
  });
  const go = () => {
    location.hash = `#compare=${index.commits[Number(first.value)][0]}..${index.commits[Number(second.value)][0]}`;
  };
  const first = picker("compare-from", "before", from, go);
  const second = picker("compare-to", "after", to, go);
  const swap = make("button", { type: "button", click: () => ([first.value, second.value] = [second.value, first.value]) && go() }, "Swap");
  article.replaceChildren(
    make("h2", { id: "compare-title", tabindex: "-1" }, "Two commits"),
    make("div", { class: "filters pickers" }, make("label", {}, "before ", first), make("label", {}, "after ", second), swap),
    make("div", { class: "filters" }, search),
    make("p", { class: "quiet", role: "status", id: "compare-shown" }),
    make("div", { id: "differences" }),
    make("nav", { class: "pages", id: "compare-pages", "aria-label": "Pages of the differences" }),
  );
  showDifferences();
}

function picker(id, name, chosen, go) {
  const options = index.commits.map(([commit, , time, title], at) => make("option", { value: String(at), selected: at === chosen }, `${commit.slice(0, 8)} ${time.slice(0, 10)} ${short(title, 50)}`));
  return make("select", { id, change: go }, options.toReversed());
}

// The last known level at both commits; a series that was not measured at one of them counts with the one before.
function differences(moves, from, to) {
  const before = new Map();
  const after = new Map();
  for (const [position, [series, levels]] of Object.entries(moves)) {
    const at = Number(position);
    series.forEach((number, place) => {
      if (at <= from) before.set(number, levels[place]);
      if (at <= to) after.set(number, levels[place]);
    });
  }
  const found = [];
  for (const number of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [amounts(before.get(number) ?? null), amounts(after.get(number) ?? null)];
    if (old.value === now.value && old.bound === now.bound) continue;
    const known = old.value !== null && now.value !== null;
    const by = known ? now.value - old.value : undefined;
    found.push({ series: all[number], old, now, by, ratio: known && old.value ? by / old.value : undefined });
  }
  const size = (one) => Math.abs(one.ratio ?? 0);
  return found.sort((one, two) => size(two) - size(one) || one.series.at - two.series.at);
}

function showDifferences() {
  const rows = compared.rows.filter(({ series }) => {
    series.text ||= `${series.file}::${series.name} ${series.metric}`.toLowerCase();
    return compared.words.every((word) => series.text.includes(word));
  });
  const [one, two] = [commitText(compared.from).short, commitText(compared.to).short];
  document.getElementById("compare-shown").textContent = `${rows.length} series differ between ${one} and ${two}`;
  const from = compared.page * ROWS;
  const shown = rows.slice(from, from + ROWS);
  const heads = ["series", "#before", "#after", "#difference", "by site"];
  const table = plainTable("Differences, the largest share first", heads, shown.map(differenceRow));
  document.getElementById("differences").replaceChildren(rows.length ? table : make("p", { class: "quiet" }, "Nothing differs."));
  const turn = (by, text, off) => make("button", { type: "button", disabled: off, click: () => { compared.page += by; showDifferences(); } }, text);
  const pages = rows.length > ROWS ? [turn(-1, "Previous", !from), make("span", {}, `${from + 1} to ${from + shown.length} of ${rows.length}`), turn(1, "Next", from + ROWS >= rows.length)] : [];
  document.getElementById("compare-pages").replaceChildren(...pages);
}

function differenceRow({ series, old, now, by, ratio }) {
  const text = by === undefined ? "" : `${growth(by, series.unit)}${ratio === undefined ? "" : ` (${percent(ratio)})`}`;
  const held = make("div", { class: "sites" });
  if (series.hasSites) {
    const { from, to } = compared;
    held.append(make("button", { type: "button", "aria-label": `Show what grew in ${series.name} ${series.metric}`, click: () => showSites(held, series, from, to) }, "Show"));
  }
  return [
    make("span", {}, seriesLink(series), " ", make("span", { class: "metric" }, series.metric), where(series)),
    levelText(old, series.unit),
    levelText(now, series.unit),
    make("span", { class: by > 0 ? "grew" : "shrank" }, text),
    held,
  ];
}

async function showSites(holder, series, from, to) {
  const chart = await chartOf(series);
  const grown = siteGrowth(stepAt(chart, from)?.sites || new Map(), stepAt(chart, to)?.sites || new Map());
  const list = grownList(grown.slice(0, 8), series.unit) || "its sites are the same";
  holder.replaceChildren(make("div", { tabindex: "-1" }, list, grown.length > 8 ? make("span", { class: "file" }, `and ${grown.length - 8} more`) : ""));
  holder.firstChild.focus();
}

function siteGrowth(before, after) {
  const names = new Set([...before.keys(), ...after.keys()]);
  const found = [...names].map((name) => ({ name, before: before.get(name) || 0, after: after.get(name) || 0 }));
  for (const one of found) one.growth = one.after - one.before;
  return found.filter((one) => one.growth).sort((one, two) => Math.abs(two.growth) - Math.abs(one.growth) || (one.name < two.name ? -1 : 1));
}

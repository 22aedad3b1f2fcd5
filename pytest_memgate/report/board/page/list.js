// The list of all series: filtered by text, family and environment, sorted, a page at a time.

const ROWS = 100;
const COLUMNS = [
  { key: "name", text: "series", order: (one) => one.name, ascending: true },
  { key: "spark", text: "shape" },
  { key: "value", text: "now", amount: true, order: (one) => one.value ?? one.bound },
  { key: "growth", text: "growth", amount: true, order: (one) => one.ratio },
  { key: "use", text: "budget used", amount: true, order: (one) => one.use },
  { key: "noise", text: "noise", amount: true, order: (one) => one.noise || undefined },
  { key: "moves", text: "steps", amount: true, order: (one) => one.moves || undefined },
];
const wanted = { words: [], families: new Set(), place: "" };
const view = { sort: "", ascending: true, page: 0, rows: [] };

function seriesLink(series, more) {
  return make("a", { class: "open", href: `#series=${series.id}` }, make("span", { class: "name" }, series.name), more);
}

function where(series) {
  const machine = series.machine && `, ${series.machine}`;
  return make("span", { class: "file" }, `${series.file}${index.places.length > 1 ? ` · ${series.environment}${machine}` : ""}`);
}

function buildList() {
  const search = make("input", { id: "search", type: "search", placeholder: "Search tests, files, metrics", "aria-label": "Search tests, files and metrics", autocomplete: "off" });
  search.addEventListener("input", () => {
    wanted.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    filterList();
  });
  const families = [...new Set(all.map((one) => one.family))].sort();
  const chips = make("div", { class: "chips", role: "group", "aria-label": "Families of metrics" }, families.map((name) => chip(name)));
  const parts = [search, families.length > 1 && chips];
  if (index.places.length > 1) {
    const options = index.places.map(([environment, machine], at) => make("option", { value: String(at) }, [environment, machine].filter(Boolean).join(", ")));
    const select = make("select", { id: "place", "aria-label": "Environment" }, make("option", { value: "" }, "all environments"), options);
    select.addEventListener("change", () => {
      wanted.place = select.value;
      filterList();
    });
    parts.push(select);
  }
  document.getElementById("filters").append(...parts.filter(Boolean));
  document.getElementById("rows").addEventListener("keydown", walk);
  const heads = COLUMNS.map((column) => {
    const inner = column.order ? make("button", { type: "button", click: () => sortBy(column) }, column.text) : column.text;
    return make("th", { scope: "col", "data-key": column.key, class: column.amount && "amount" }, inner);
  });
  document.getElementById("heads").append(...heads);
}

function chip(name) {
  const button = make("button", { type: "button", "aria-pressed": "false" }, name);
  button.addEventListener("click", () => {
    const on = !wanted.families.delete(name);
    if (on) wanted.families.add(name);
    button.setAttribute("aria-pressed", String(on));
    filterList();
  });
  return button;
}

function fits(one) {
  if (wanted.families.size && !wanted.families.has(one.family)) return false;
  if (wanted.place !== "" && one.place !== Number(wanted.place)) return false;
  one.text ||= `${one.file}::${one.name} ${one.metric}`.toLowerCase();
  return wanted.words.every((word) => one.text.includes(word));
}

function filterList() {
  view.rows = all.filter(fits);
  view.page = 0;
  const column = COLUMNS.find((one) => one.key === view.sort);
  if (column) {
    const keyed = view.rows.map((one) => [column.order(one), one]);
    const known = keyed.filter(([key]) => key !== undefined && key !== null);
    known.sort(([one], [two]) => (one < two ? -1 : one > two ? 1 : 0));
    if (!view.ascending) known.reverse();
    // What has no such number is last, both ways.
    view.rows = [...known, ...keyed.filter(([key]) => key === undefined || key === null)].map(([, one]) => one);
  }
  showRows();
}

function sortBy(column) {
  view.ascending = view.sort === column.key ? !view.ascending : Boolean(column.ascending);
  view.sort = column.key;
  for (const head of document.querySelectorAll("#heads th")) head.removeAttribute("aria-sort");
  document.querySelector(`#heads th[data-key=${column.key}]`).setAttribute("aria-sort", view.ascending ? "ascending" : "descending");
  filterList();
}

function showRows() {
  const from = view.page * ROWS;
  const rows = view.rows.slice(from, from + ROWS);
  document.getElementById("rows").replaceChildren(...rows.map(row));
  document.getElementById("shown").textContent = view.rows.length === all.length ? `${all.length} series` : `${view.rows.length} of ${all.length} series`;
  const turn = (by, text, off) => make("button", { type: "button", disabled: off, click: () => turnTo(view.page + by) }, text);
  const last = from + ROWS >= view.rows.length;
  const said = `${from + 1} to ${from + rows.length} of ${view.rows.length}`;
  const pages = view.rows.length > ROWS ? [turn(-1, "Previous", !from), make("span", {}, said), turn(1, "Next", last)] : [];
  document.getElementById("pages").replaceChildren(...pages);
}

function turnTo(page) {
  view.page = page;
  showRows();
  document.getElementById("list-title").scrollIntoView();
  document.querySelector("#rows .open")?.focus({ preventScroll: true });
}

function row(one) {
  const cell = (label, text, tone) => make("td", { class: `amount ${tone || ""}`.trim(), "data-label": text && label }, text);
  return make(
    "tr",
    {},
    make("td", { class: "wide" }, seriesLink(one), " ", make("span", { class: "metric" }, one.metric), where(one)),
    make("td", {}, sparkline(one.spark)),
    cell("now", levelText(one, one.unit)),
    cell("growth", one.growth ? `${growth(one.growth, one.unit)}${one.ratio === undefined ? "" : ` (${percent(one.ratio)})`}` : "", one.growth > 0 ? "grew" : "shrank"),
    cell("budget used", one.use === null ? "" : `${Math.round(one.use * 100)}%`, one.use > 1 ? "grew" : ""),
    cell("noise", one.noise ? `${(one.noise * 100).toFixed(1)}%` : ""),
    cell("steps", one.moves ? String(one.moves) : ""),
  );
}

function percent(share) {
  const text = Math.abs(share) < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100);
  return `${share > 0 ? "+" : ""}${text}%`;
}

// The arrow keys walk from link to link.
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const links = [...document.querySelectorAll("#rows .open")];
  const at = links.indexOf(document.activeElement);
  if (!step || at < 0 || !links[at + step]) return;
  event.preventDefault();
  links[at + step].focus();
}

// The table of all findings: a page of it at a time, filtered and sorted in memory.

const PAGE = 100;
const view = { query: "", outcomes: new Set(), families: new Set(), sort: "rank", down: false, page: 0 };

const COLUMNS = [
  { key: "rank", name: "outcome", of: (one) => one.rank },
  { key: "test", name: "test", of: (one) => `${one.file}::${one.name}` },
  { key: "metric", name: "metric", of: (one) => one.metric },
  { key: "base", name: "before", of: (one) => one.base, amount: true },
  { key: "value", name: "after", of: (one) => one.value ?? one.bound, amount: true },
  { key: "growth", name: "difference", of: (one) => one.growth, amount: true },
  { key: "ratio", name: "%", of: (one) => one.ratio, amount: true },
  { key: "used", name: "of budget", of: (one) => one.used, amount: true },
];

function matching() {
  const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = findings.filter(
    (one) =>
      (!view.outcomes.size || view.outcomes.has(one.outcome)) &&
      (!view.families.size || view.families.has(one.family)) &&
      words.every((word) => one.text.includes(word)),
  );
  const { of } = COLUMNS.find((column) => column.key === view.sort);
  if (view.sort !== "rank") found.sort((one, two) => compare(of(one), of(two)) * (view.down ? -1 : 1) || one.rank - two.rank);
  else if (view.down) found.reverse();
  return found;
}

// What has no value comes last, in whatever direction.
function compare(one, two) {
  if (one === undefined || two === undefined) {
    const last = view.down ? -1 : 1;
    return one === two ? 0 : one === undefined ? last : -last;
  }
  return one < two ? -1 : one > two ? 1 : 0;
}

function showTable() {
  const found = matching();
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  view.page = Math.min(view.page, pages - 1);
  const from = view.page * PAGE;
  const rows = found.slice(from, from + PAGE);
  listed = found;
  document.getElementById("shown").textContent =
    found.length === findings.length ? `${found.length} findings` : `${found.length} of ${findings.length} findings`;
  const body = document.getElementById("rows");
  body.replaceChildren(...rows.map(tableRow));
  for (const head of document.querySelectorAll("#table th")) {
    if (head.dataset.key === view.sort) head.setAttribute("aria-sort", view.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  showPages(pages, from, rows.length, found.length);
}

function showPages(pages, from, shown, all) {
  const turn = (by) => () => {
    view.page += by;
    showTable();
    document.getElementById("findings").scrollIntoView();
  };
  document.getElementById("pages").replaceChildren(
    ...(pages === 1
      ? []
      : [
          make("button", { type: "button", click: turn(-1), disabled: view.page === 0 }, "Previous"),
          make("span", {}, `${from + 1} to ${from + shown} of ${all}`),
          make("button", { type: "button", click: turn(1), disabled: view.page === pages - 1 }, "Next"),
        ]),
  );
}

function tableRow(one) {
  const cell = (attributes, ...children) => make("td", { role: "cell", ...attributes }, ...children);
  const number = (text, name) => cell({ class: "amount", "data-label": text && name }, text);
  const sign = one.growth > 0 ? "amount grew" : one.growth < 0 ? "amount shrank" : "amount";
  const bad = one.tone === "bad";
  return make(
    "tr",
    { role: "row" },
    cell({}, badge(one.outcome)),
    cell(
      { class: "wide" },
      make("a", { class: "open", href: one.link }, make("span", { class: "name" }, one.name)),
      " ",
      make("span", { class: "file" }, one.file),
      one.tone !== "good" && one.reason ? make("span", { class: "reason" }, one.reason) : "",
    ),
    cell({ class: "metric" }, ...one.metric.split(/(?<=[./])|(?=\[)/).flatMap((text) => [make("wbr"), text])),
    number(one.before, "before"),
    number(one.after, "after"),
    cell({ class: bad ? sign : "amount", "data-label": one.difference && "difference" }, one.difference),
    number(one.percent, ""),
    cell({ class: "amount", "data-label": one.used !== undefined && "of budget" }, ...used(one)),
  );
}

function used(one) {
  if (one.used === undefined) return [];
  const bar = make("i", {});
  bar.style.setProperty("--share", `${Math.min(100, Math.max(0, one.used * 100))}%`);
  const share = Math.abs(one.used) >= 10 ? `${fixed(Math.abs(one.used), 0)}×` : `${fixed(Math.abs(one.used) * 100, 0)} %`;
  const text = `${one.used < 0 ? "-" : ""}${share}`;
  return [text, make("span", { class: one.used > 1 ? "use over" : "use", "aria-hidden": "true" }, bar)];
}

function buildTable() {
  const heads = COLUMNS.map((column) =>
    make(
      "th",
      { scope: "col", role: "columnheader", class: column.amount && "amount", "data-key": column.key },
      make("button", { type: "button", click: () => sortBy(column) }, column.name),
    ),
  );
  const table = make(
    "table",
    { class: "found stack", role: "table", "aria-labelledby": "findings-title" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, heads)),
    make("tbody", { id: "rows", role: "rowgroup" }),
  );
  table.addEventListener("keydown", walk);
  document.getElementById("table").replaceChildren(table);
}

function sortBy(column) {
  // Amounts are asked for the largest first, names for the first letter.
  view.down = view.sort === column.key ? !view.down : Boolean(column.amount);
  view.sort = column.key;
  view.page = 0;
  showTable();
}

// The arrow keys walk over the rows.
function walk(event) {
  const links = [...document.querySelectorAll("#rows .open")];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (at < 0 || to === undefined || !links[to]) return;
  event.preventDefault();
  links[to].focus();
}

function buildFilters() {
  const search = make("input", { type: "search", id: "search", placeholder: "Test, metric or reason", "aria-label": "Search in test, metric and reason", autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => {
    view.query = search.value;
    view.page = 0;
    showTable();
  });
  const numbers = (key) => findings.reduce((all, one) => all.set(one[key], (all.get(one[key]) || 0) + 1), new Map());
  document.getElementById("filters").replaceChildren(
    search,
    chips("Outcome", numbers("outcome"), view.outcomes),
    chips("Metric", numbers("family"), view.families),
  );
}

function chips(name, numbers, chosen) {
  const buttons = [...numbers].map(([value, number]) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, value, " ", make("span", { class: "number" }, String(number)));
    button.addEventListener("click", () => {
      if (!chosen.delete(value)) chosen.add(value);
      button.setAttribute("aria-pressed", String(chosen.has(value)));
      view.page = 0;
      showTable();
    });
    return button;
  });
  return make("div", { class: "chips", role: "group", "aria-label": name }, buttons);
}

// The page of one series: its numbers, its chart, and a table of its steps.

const SPANS = [30, 100, 300];
const TONES = { confirmed: "bad", acknowledged: "doubt", unconfirmed: "quiet", refuted: "quiet", ended: "quiet" };
const MOST_STEPS = 25;

async function showSeries(series, article, isShown) {
  const chart = await chartOf(series);
  if (!isShown()) return;
  const picture = { first: 0, lanes: false };
  const element = make("div", { class: "chart", id: "chart", role: "img", "aria-label": `${series.metric} by commit; the table below says the same` });
  const again = () => draw([{ element, figure: chartFigure(series, chart, picture) }]);
  article.replaceChildren(
    make("h2", { id: "series-title", tabindex: "-1" }, series.name),
    make("p", {}, make("span", { class: "metric" }, series.metric), " ", make("span", { class: "file" }, `${series.file} · ${[series.environment, series.machine].filter(Boolean).join(", ")}`)),
    numbers(series, chart),
    controls(chart, picture, again),
    element,
    caption(series, chart),
    bandList(series),
    make("h3", {}, "Steps"),
    stepTable(series, chart),
    laneTable(series, chart),
  );
  await again();
}

function numbers(series, chart) {
  const last = chart.steps.at(-1);
  const told = [["now", levelText(series, series.unit)]];
  if (series.growth !== undefined) told.push([last && last.anchor !== null ? "since the anchor" : "since the first value", `${growth(series.growth, series.unit)}${series.ratio === undefined ? "" : ` (${percent(series.ratio)})`}`]);
  if (last && last.budget !== null) told.push(["budget", amount(last.budget, series.unit)]);
  if (series.use !== null) told.push(["budget used", `${Math.round(series.use * 100)}%`]);
  if (series.noise) told.push(["noise", `${(series.noise * 100).toFixed(1)}%`]);
  return make("dl", { class: "figures" }, told.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
}

function controls(chart, picture, again) {
  const length = index.commits.length;
  const spans = SPANS.filter((span) => span < length);
  const parts = [];
  if (spans.length) {
    const select = make("select", { id: "span", "aria-label": "Commits to show" }, make("option", { value: "0" }, `all ${length} commits`), spans.toReversed().map((span) => make("option", { value: String(length - span) }, `the last ${span}`)));
    select.addEventListener("change", () => {
      picture.first = Number(select.value);
      again();
    });
    parts.push(select);
  }
  if (chart.lanes.length) {
    const button = make("button", { type: "button", id: "lanes", "aria-pressed": "false" }, `Pull requests and other runs beside (${chart.lanes.length})`);
    button.addEventListener("click", () => {
      picture.lanes = !picture.lanes;
      button.setAttribute("aria-pressed", String(picture.lanes));
      again();
    });
    parts.push(button);
  }
  return make("div", { class: "filters" }, parts);
}

function caption(series, chart) {
  const hasBounds = chart.steps.some((step) => step.bound !== null);
  const states = new Set(chart.changes.map((change) => change.state));
  const bands = index.bands[series.place];
  const told = [
    chart.steps.some((step) => step.budget !== null) && ["budget", "budget"],
    chart.steps.some((step) => step.anchor !== null) && ["anchor", "anchor"],
    hasBounds && ["bound", "at most this: a bound, not a value"],
    states.has("confirmed") && ["confirmed", "confirmed change"],
    states.has("acknowledged") && ["acknowledged", "acknowledged change"],
    [...states].some((state) => TONES[state] === "quiet") && ["unconfirmed", "not confirmed, or ended"],
    Array.isArray(bands) && bands.length && ["band", "other machine or versions"],
  ].filter(Boolean);
  const keys = told.map(([kind, text]) => make("span", { class: "legend" }, make("i", { class: `sign of-${kind}` }), text));
  return make("p", { class: "caption" }, keys, make("span", { class: "legend" }, "A faint dotted line: not measured between."));
}

function bandList(series) {
  const bands = index.bands[series.place];
  if (!Array.isArray(bands)) return make("p", { class: "caption" }, `The machine or the versions changed ${bands} times: too often to draw.`);
  if (!bands.length) return "";
  return make("ol", { class: "bands", "aria-label": "Changes of machine and versions" }, bands.map(([position, text]) => make("li", {}, `${commitText(position).short}: ${text}`)));
}

function stepTable(series, chart) {
  const changes = new Map(chart.changes.map((change) => [change.position, change]));
  const steps = chart.steps.filter((step) => step.moved || changes.has(step.position)).toReversed();
  const heads = ["commit", "#value", "#difference", "state", "what grew", "reason"];
  const table = (some) => {
    const rows = some.map((step) => stepRow(series, step, changes.get(step.position)));
    const filled = heads.map((_, at) => at < 2 || rows.some((cells) => cells[at] !== ""));
    return plainTable("Steps, the newest first", heads.filter((_, at) => filled[at]), rows.map((cells) => cells.filter((_, at) => filled[at])));
  };
  const holder = make("div", {}, table(steps.filter((step, at) => at < MOST_STEPS || changes.has(step.position))));
  if (steps.length > MOST_STEPS) {
    const button = make("button", { type: "button" }, `All ${steps.length} steps`);
    button.addEventListener("click", () => holder.replaceChildren(table(steps)));
    holder.append(button);
  }
  return holder;
}

function stepRow(series, step, change) {
  const before = valueBefore(step);
  const difference = before === null || step.value === null ? null : step.value - before;
  const tone = difference > 0 ? "grew" : "shrank";
  return [
    make("span", { class: "commit" }, commitCell(step.position)),
    levelText(step, series.unit),
    difference === null ? "" : make("span", { class: tone }, `${growth(difference, series.unit)}${before ? ` (${percent(difference / before)})` : ""}`),
    change ? make("span", { class: `badge tone-${change.state === "confirmed" && change.after < change.before ? "good" : TONES[change.state]}` }, change.state) : "",
    difference === null ? "" : grownList(step.grown.slice(0, 3), series.unit),
    (change && (change.reason || change.ended)) || (step.before && step.reason === step.before.reason ? "" : step.reason) || "",
  ];
}

function valueBefore(step) {
  return step.before ? step.before.value : null;
}

function grownList(grown, unit) {
  if (!grown.length) return "";
  return make("ul", { class: "via" }, grown.map((one) => make("li", {}, `${growth(one.growth, unit)} `, make("span", { class: "metric" }, one.name))));
}

function laneTable(series, chart) {
  if (!chart.lanes.length) return "";
  const rows = chart.lanes.flatMap((lane) => lane.points.map((point) => [lane.name, make("span", { class: "metric" }, point.commit), point.time.slice(0, 10), levelText(point, series.unit)]));
  return make("details", {}, make("summary", {}, `Runs beside ${index.branch} (${rows.length})`), plainTable(`Runs beside ${index.branch}`, ["lane", "commit", "day", "#value"], rows.slice(-200).toReversed()));
}
